//! `admit device`: portable devices and media (rows B11, B15, B17). A device is a folder: a client of its own with its own
//! store, and the file `serial`, which stands for the number that real hardware would say.

mod make;
mod play;
mod transfer;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use admit_client::device;
use admit_client::play::{Candidates, DeniedKeys};
use admit_license::{Action, Application, Environment, KeyId};
use admit_protocol::Code;
use admit_time::clock::Now;
use admit_trust::Device;
use serde_json::{Value, json};

use super::acquire::Session;
use super::content::HeaderTerms;
use super::context::ClientRealm;
use crate::args::DeviceCommand;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::terms::terms_json;

/// Runs one of the commands.
pub(crate) fn run(command: &DeviceCommand, output: Output) -> Outcome<()> {
    match command {
        DeviceCommand::Make(args) => make::run(args, output),
        DeviceCommand::Show { dir } => show(dir, output),
        DeviceCommand::Transfer(args) => transfer::run(args, output),
        DeviceCommand::Play(args) => play::run(args, output),
    }
}

/// A device at work.
struct DeviceSession {
    session: Session,
    device: Device,
}

impl DeviceSession {
    /// Opens the device in a folder. Its serial number must be the one that was certified.
    fn open(dir: &Path, output: Output) -> Outcome<Self> {
        Self::open_realm(dir, only_realm(dir)?, output)
    }

    /// The same while the client or device whose realm is kept in `other` is open: that one is waited for by nobody.
    fn open_beside(dir: &Path, other: &Path, output: Output) -> Outcome<Self> {
        let realm = only_realm(dir)?;
        let canonical = |path: &Path| fs::canonicalize(path).map_err(|error| Failure::file(path, &error));
        if canonical(realm.folder())? == canonical(other)? {
            let sentence = format!("{} cannot be both sides of this", dir.display());
            return Err(Failure::new(Code::ADMIT_E_NOT_THIS_DEVICE, sentence).with_action("Name another device"));
        }
        Self::open_realm(dir, realm, output)
    }

    fn open_realm(dir: &Path, realm: ClientRealm, output: Output) -> Outcome<Self> {
        let session = Session::open_device(realm, output)?;
        let device = device::open(&session.identity, hardware_serial(dir)?.as_deref())?;
        Ok(Self { session, device })
    }

    /// What an evaluation on the device itself looks at.
    fn environment<'n>(&self, header: &HeaderTerms, now: &'n Now) -> Environment<'n> {
        self.environment_in(device::application(&self.device), device::output(&self.device), header, now)
    }

    /// The same, where something else plays.
    fn environment_in<'n>(
        &self,
        application: Application,
        output: admit_license::Output,
        header: &HeaderTerms,
        now: &'n Now,
    ) -> Environment<'n> {
        Environment { application, output, ..self.session.environment(header, now) }
    }

    /// Why the device cannot play, as things stand; none where it can.
    fn denied(&mut self, key_ids: &[KeyId], header: &HeaderTerms) -> Outcome<Option<DeniedKeys>> {
        let now = self.session.look_at_clock();
        let candidates = Candidates::find(&self.session.store, key_ids)?;
        Ok(candidates.evaluate(Action::Play, &self.environment(header, &now)).err())
    }
}

/// The realm of the device in a folder.
fn only_realm(dir: &Path) -> Outcome<ClientRealm> {
    let mut realms = ClientRealm::load_all(dir)?;
    match (realms.pop(), realms.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => {
            let sentence = format!("{} is not the folder of one device", dir.display());
            Err(Failure::new(Code::ADMIT_E_NO_DEVICE, sentence))
        }
    }
}

/// What the hardware says its serial number is.
fn hardware_serial(dir: &Path) -> Outcome<Option<String>> {
    let path = dir.join(SERIAL);
    match fs::read_to_string(&path) {
        Ok(serial) => Ok(Some(serial.trim_end().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file(&path, &error)),
    }
}

fn show(dir: &Path, output: Output) -> Outcome<()> {
    let DeviceSession { session, device } = DeviceSession::open(dir, output)?;
    let licenses = session.store.licenses()?;
    let realm = session.realm.realm.root().realm().to_string();
    output.json(|| {
        let licenses: Vec<_> = licenses.iter().map(|one| terms_json(&one.terms, Some(&one.usage))).collect();
        let mut document = device_json(dir, &device, &realm);
        document["licenses"] = licenses.into();
        document
    });
    output.line(|| device_text(dir, &device, &realm));
    for license in &licenses {
        output.line(|| format!("license {}: key {}, {}", license.terms.id, license.terms.key_id, license.terms.rights));
    }
    Ok(())
}

fn device_json(dir: &Path, device: &Device, realm: &str) -> Value {
    json!({
        "device": dir,
        "kind": device.kind().name(),
        "serial": device.serial(),
        "sdmi": device.is_sdmi(),
        "security_level": device.security_level(),
        "realm": realm,
    })
}

fn device_text(dir: &Path, device: &Device, realm: &str) -> String {
    let sdmi = if device.is_sdmi() { "SDMI-compliant" } else { "not SDMI-compliant" };
    let (kind, level) = (device.kind().name(), device.security_level());
    let serial = device.serial().unwrap_or("none");
    format!("{}: {kind}, {sdmi}, security level {level}, serial number {serial}\nrealm: {realm}", dir.display())
}

/// The file that stands for what the hardware says.
const SERIAL: &str = "serial";
