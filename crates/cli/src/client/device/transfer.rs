//! `admit device transfer`: the protected file is copied, a portable license is made for the device, and the transfer is
//! charged, in an order that loses nothing and doubles nothing wherever it is cut: reserve, copy, charge with the license
//! in the outbox, give the license to the device, name the file, clear the outbox.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use admit_client::device::Received;
use admit_client::play::{Candidates, DeniedKeys};
use admit_client::transfer::{Target, Transfer};
use admit_license::{
    Denied, Environment, HeldLicense, Output as Outlet, Reason, Usage, VerifiedLicense, transfer_action,
};
use admit_packager::AtomicFile;
use admit_protocol::Code;
use admit_time::TrustedTime;
use serde_json::json;

use super::DeviceSession;
use crate::args::DeviceTransferArgs;
use crate::client::acquire::Session;
use crate::client::content::{Content, HeaderTerms};
use crate::client::play::a_signed_time_may_help;
use crate::client::why::realm_of;
use crate::failure::{Failure, Outcome, capitalized};
use crate::output::Output;
use crate::same_file;
use crate::system::{Http, SystemEntropy};
use crate::terms::terms_json;

/// Transfers a file.
pub(super) fn run(args: &DeviceTransferArgs, output: Output) -> Outcome<()> {
    let content = Content::open(&args.file)?;
    let to = place_of(&args.file, &args.dir)?;
    let http = Http::new();
    let realm = realm_of(&content, &args.client, &http)?;
    let header = content.verify_header(realm.realm.root())?;
    let pc = Session::open(realm, &http, output)?;
    let to_device = DeviceSession::open_beside(&args.dir, pc.realm.folder(), output)?;
    if to_device.session.realm.realm.root().realm() != pc.realm.realm.root().realm() {
        let sentence = format!("{} is of another realm than {}", args.dir.display(), args.file.display());
        return Err(Failure::new(Code::ADMIT_E_REALM_MISMATCH, sentence)
            .with_action("Make a device of the content's realm with admit device make"));
    }
    let target = Target::new(to_device.session.identity.certificate())?;
    let mut transferring = Transferring { content, header, pc, to: to_device, target, http };
    let copied = transferring.copy(&to)?;
    let made = transferring.license()?;
    copied.commit().map_err(|error| Failure::file(&to, &error))?;
    transferring.settle()?;
    tell(&to, &transferring, &made, output);
    Ok(())
}

/// Where the file goes, by its own name.
fn place_of(file: &Path, dir: &Path) -> Outcome<PathBuf> {
    let name = file.file_name().ok_or_else(|| Failure::folder(file))?;
    let to = dir.join(name);
    same_file::refuse(file, &to)?;
    Ok(to)
}

/// A transfer under way, with both sides open.
struct Transferring {
    content: Content,
    header: HeaderTerms,
    pc: Session,
    to: DeviceSession,
    target: Target,
    http: Http,
}

/// What became of the license.
struct Made {
    licenses: Vec<VerifiedLicense>,
    /// Whether the transfer was charged by this run.
    charged: bool,
}

impl Transferring {
    /// Copies the protected file to the device, under no name yet.
    fn copy(&self, to: &Path) -> Outcome<AtomicFile> {
        let (from, nonce) = (&self.content.path, SystemEntropy.nonce());
        let mut source = File::open(from).map_err(|error| Failure::file(from, &error))?;
        let mut file = AtomicFile::create(to, nonce).map_err(|error| Failure::file(to, &error))?;
        io::copy(&mut source, file.file()).map_err(|error| Failure::file(to, &error))?;
        Ok(file)
    }

    /// Sees to it that the device has a license. One that it was charged for and did not get comes first; one that it has
    /// already is not charged again.
    fn license(&mut self) -> Outcome<Made> {
        let waiting = self.pc.store.outbox(&self.target, &self.content.key_ids)?;
        if !waiting.is_empty() {
            let received = self.receive(waiting.iter().map(Vec::as_slice))?;
            self.keep(&received)?;
        }
        if self.to.denied(&self.content.key_ids, &self.header)?.is_none() {
            return Ok(Made { licenses: Vec::new(), charged: false });
        }
        let transfer = self.reserve()?;
        match self.look_at(&transfer) {
            Ok(received) => self.charge(transfer, received),
            Err(failure) => {
                let mut entropy = self.pc.store.entropy(&mut SystemEntropy);
                self.pc.store.return_reservations(&mut entropy)?;
                Err(failure)
            }
        }
    }

    /// Reserves the transfer on the PC, and makes the portable licenses.
    fn reserve(&mut self) -> Outcome<Transfer> {
        let action = transfer_action(self.target.device());
        if self.denied_transfer()?.is_some_and(|denied| denied.iter().all(|(_, one)| a_signed_time_may_help(one))) {
            self.pc.set_time(&self.http)?;
        }
        let now = self.pc.look_at_clock();
        let candidates = Candidates::find(&self.pc.store, &self.content.key_ids)?;
        let environment = Environment { output: PROTECTED, ..self.pc.environment(&self.header, &now) };
        let grants = candidates.evaluate(action, &environment).map_err(|denied| self.refused(&denied))?;
        let mut entropy = self.pc.store.entropy(&mut SystemEntropy);
        let reservation = self.pc.store.reserve(grants, &mut entropy)?;
        Ok(Transfer::new(&self.pc.store, &self.pc.identity, reservation, &self.target, &mut entropy)?)
    }

    fn denied_transfer(&mut self) -> Outcome<Option<DeniedKeys>> {
        let now = self.pc.look_at_clock();
        let candidates = Candidates::find(&self.pc.store, &self.content.key_ids)?;
        let environment = Environment { output: PROTECTED, ..self.pc.environment(&self.header, &now) };
        Ok(candidates.evaluate(transfer_action(self.target.device()), &environment).err())
    }

    fn refused(&self, denied: &DeniedKeys) -> Failure {
        let first = denied.first();
        let failure = Failure::denied(first);
        match first.nearest() {
            Reason::NoLicense { .. } | Reason::NoRight { .. } if !self.content.is_local().unwrap_or(false) => failure
                .with_action(format!(
                    "Acquire a license that allows it, with: admit license acquire {} --action {}",
                    self.content.path.display(),
                    transfer_action(self.target.device()),
                )),
            _ => failure,
        }
    }

    /// The device looks at what it is to get, before anything is charged: what it would not play is not transferred.
    fn look_at(&mut self, transfer: &Transfer) -> Outcome<Received> {
        let received = self.receive(transfer.licenses())?;
        let now = self.to.session.look_at_clock();
        let usage = Usage { stored_at: now.time().map(TrustedTime::latest), ..Usage::default() };
        let environment = self.to.environment(&self.header, &now);
        for license in received.licenses() {
            let held = [HeldLicense { license: license.clone(), usage }];
            let key_id = license.terms().key_id;
            let granted = admit_license::evaluate(admit_license::Action::Play, key_id, &held, &environment);
            granted.map(drop).map_err(|denied| refused_by_device(&denied))?;
        }
        Ok(received)
    }

    /// Verifies licenses on the device, whose clock is set first where they need it.
    fn receive<'l>(&mut self, licenses: impl Iterator<Item = &'l [u8]>) -> Outcome<Received> {
        let device = &mut self.to;
        let now = device.session.look_at_clock();
        let received = device.verify(licenses, &now)?;
        if received.is_limited() && now.time().is_none() {
            let unset = |_| Failure::from(admit_client::Error::DeviceClockNotSet);
            device.session.set_time(&self.http).map_err(unset)?;
        }
        Ok(received)
    }

    /// Charges the transfer; from here on the license waits in the outbox until the device has it.
    fn charge(&mut self, transfer: Transfer, received: Received) -> Outcome<Made> {
        let mut entropy = self.pc.store.entropy(&mut SystemEntropy);
        transfer.charge(&mut self.pc.store, &mut entropy)?;
        self.keep(&received)?;
        Ok(Made { licenses: received.licenses().to_vec(), charged: true })
    }

    /// The device keeps the licenses.
    fn keep(&mut self, received: &Received) -> Outcome<()> {
        let session = &mut self.to.session;
        let now = session.look_at_clock();
        let mut entropy = session.store.entropy(&mut SystemEntropy);
        received.store(&mut session.store, (&mut session.clock, &now), &mut entropy)?;
        Ok(())
    }

    /// File and license are on the device: nothing waits any more.
    fn settle(&mut self) -> Outcome<()> {
        let mut entropy = self.pc.store.entropy(&mut SystemEntropy);
        self.pc.store.clear_outbox(&self.target, &self.content.key_ids, &mut entropy)?;
        Ok(())
    }
}

impl DeviceSession {
    fn verify<'l>(
        &self,
        licenses: impl Iterator<Item = &'l [u8]>,
        now: &admit_time::clock::Now,
    ) -> Result<Received, admit_client::Error> {
        let Session { identity, realm, store, .. } = &self.session;
        Received::verify(licenses, (identity, &self.device), realm.realm.root(), store, now)
    }
}

/// A device whose level is too low has a code of its own.
fn refused_by_device(denied: &Denied) -> Failure {
    let reason = denied.nearest();
    match reason {
        Reason::ApplicationLevel { .. } | Reason::ClientLevel { .. } => {
            Failure::new(Code::NS_E_DRM_CERTIFICATE_SECURITY_LEVEL_INADEQUATE, capitalized(&reason.to_string()))
        }
        Reason::ClockNotSet | Reason::ClockStale => admit_client::Error::DeviceClockNotSet.into(),
        _ => Failure::denied(denied),
    }
}

fn tell(to: &Path, transferring: &Transferring, made: &Made, output: Output) {
    let action = transfer_action(transferring.target.device()).name();
    output.json(|| {
        let licenses: Vec<_> = made.licenses.iter().map(|license| terms_json(license.terms(), None)).collect();
        json!({ "output": to, "action": action, "charged": made.charged, "licenses": licenses })
    });
    output.line(|| format!("copied to {}", to.display()));
    if made.charged {
        for license in &made.licenses {
            let expiry = license.terms().expiry.map_or_else(String::new, |expiry| format!(", until {expiry}"));
            output.line(|| format!("license {}: {}{expiry}", license.terms().id, license.terms().rights));
        }
    } else {
        output.line(|| "the device had its license already, and nothing was charged".into());
    }
}

/// What is transferred stays protected.
const PROTECTED: Outlet = Outlet::InProcess { protected: true };
