//! `admit device make`: a device makes its keys and gets a certificate. Its level is the issuer's word: a realm's server
//! certifies devices that are not SDMI-compliant, and SDMI compliance is certified where the realm's home is.

use std::fs;
use std::path::Path;

use admit_client::enrol::Enrolment;
use admit_crypto::Digest;
use admit_protocol::Code;
use admit_protocol::enrol::{DeviceRequest, ENROLMENT_CONTENT_TYPE, MAX_ENROLMENT_RESPONSE};
use admit_server::home::Home;
use admit_trust::{DeviceKind, Role};
use tokio::runtime::Runtime;

use super::{DeviceSession, SERIAL, device_json, device_text};
use crate::args::DeviceMakeArgs;
use crate::client::acquire::FEATURES;
use crate::client::context::{ClientRealm, DATES, PLAY_FIRST, PROVIDER};
use crate::failure::{Failure, Outcome};
use crate::operator;
use crate::output::Output;
use crate::system::{Http, SystemEntropy, now};

/// Makes the device, or leaves nothing.
pub(super) fn run(args: &DeviceMakeArgs, output: Output) -> Outcome<()> {
    let issuer = Issuer::open(args)?;
    let fingerprint = issuer.fingerprint();
    refuse_existing(&args.dir)?;
    if args.sdmi && args.media && args.serial.is_none() {
        return Err(admit_client::Error::NoHardwareSerial.into());
    }
    let folder = args.dir.join(fingerprint.to_string());
    let is_new = !folder.exists();
    if let Err(failure) = make(args, issuer) {
        if is_new {
            // What was begun is of no use.
            let _ = fs::remove_dir_all(folder);
            let _ = fs::remove_file(args.dir.join(SERIAL));
        }
        return Err(failure);
    }
    let opened = DeviceSession::open(&args.dir, output)?;
    let realm = fingerprint.to_string();
    output.json(|| device_json(&args.dir, &opened.device, &realm));
    output.line(|| format!("made {}", device_text(&args.dir, &opened.device, &realm)));
    Ok(())
}

/// What was left of an attempt that was cut is made over; a device or a client that is there stays as it is.
fn refuse_existing(dir: &Path) -> Outcome<()> {
    for realm in ClientRealm::load_all(dir)? {
        let _lock = realm.lock()?;
        if realm.is_enrolled()? {
            let sentence = format!("{} holds a device or a client already", dir.display());
            return Err(Failure::new(Code::ADMIT_E_DEVICE_EXISTS, sentence));
        }
    }
    Ok(())
}

fn make(args: &DeviceMakeArgs, issuer: Issuer) -> Outcome<()> {
    let realm = issuer.install(&args.dir)?;
    if let Some(serial) = &args.serial {
        let path = args.dir.join(SERIAL);
        fs::write(&path, format!("{serial}\n")).map_err(|error| Failure::file(&path, &error))?;
    }
    let kind = if args.media { DeviceKind::Medium } else { DeviceKind::Device };
    let request = DeviceRequest { kind, hardware_serial: args.serial.clone() };
    let _lock = realm.lock()?;
    let mut store = realm.store()?;
    let mut entropy = store.entropy(&mut SystemEntropy);
    let root = realm.realm.root();
    let enrolment = Enrolment::begin_device(request, PROVIDER, root, FEATURES, &mut entropy);
    let answer = issuer.certify(&realm, enrolment.request())?;
    enrolment.finish(PROVIDER, root, &answer, DATES, &mut store, &mut entropy)?;
    Ok(())
}

/// Who certifies the device.
enum Issuer {
    /// The server of a realm that the client knows.
    Server { realm: Box<ClientRealm>, http: Http },
    /// The realm's home, on this machine.
    Home { runtime: Runtime, home: Home },
}

impl Issuer {
    fn open(args: &DeviceMakeArgs) -> Outcome<Self> {
        if args.sdmi {
            let runtime = operator::runtime()?;
            let home = runtime.block_on(operator::open_home(&args.home))?;
            return Ok(Self::Home { runtime, home });
        }
        let folder = crate::client::folder(args.client.client.as_deref())?;
        Ok(Self::Server { realm: Box::new(ClientRealm::choose(&folder, args.realm, PLAY_FIRST)?), http: Http::new() })
    }

    fn fingerprint(&self) -> Digest {
        match self {
            Self::Server { realm, .. } => realm.realm.root().realm(),
            Self::Home { home, .. } => home.realm(),
        }
    }

    /// Puts the realm into the device's folder.
    fn install(&self, dir: &Path) -> Outcome<ClientRealm> {
        match self {
            Self::Server { realm, .. } => realm.copy_to(dir),
            Self::Home { home, .. } => {
                let address = home.config().public_address.as_deref().ok_or(admit_server::Error::NoPublicAddress)?;
                ClientRealm::install(dir, address, home.realm(), &home.realm_document())
            }
        }
    }

    fn certify(self, realm: &ClientRealm, request: &[u8]) -> Outcome<Vec<u8>> {
        match self {
            Self::Server { http, .. } => {
                let url = realm.service_url(Role::Enrolment)?;
                http.post(&url, ENROLMENT_CONTENT_TYPE, None, request, MAX_ENROLMENT_RESPONSE)
            }
            Self::Home { runtime, home } => Ok(runtime.block_on(async {
                let answer = home.certify_device(request, now(), &mut SystemEntropy).await;
                home.close().await;
                answer
            })?),
        }
    }
}
