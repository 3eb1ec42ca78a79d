//! Local licenses (row B10) and transfers to devices (rows B11, B15) in the store, cut at every commit of either side.

use admit_client::device::{self, Received};
use admit_client::local::{LocalContent, LocalOrder};
use admit_client::play::Candidates;
use admit_client::transfer::{Target, Transfer};
use admit_client::{Error, Identity};
use admit_license::{Action, Application, Environment, Rights, Terms};
use admit_protocol::Code;
use admit_time::clock::Now;
use admit_trust::{CertificateVersion, SdkGeneration};

use crate::fixture::*;

/// Transferable twice.
fn transferable() -> Terms {
    let rights = Rights::PLAY | Rights::TRANSFER_TO_NON_SDMI;
    Terms { transfer_count: Some(2), rights, ..counted(1, 1) }
}

fn terms() -> Terms {
    Terms { play_count: None, ..transferable() }
}

/// What `admit device transfer` does, up to whatever is cut.
fn transfer(pc: &mut Device, to: &mut Device) -> Result<(), Error> {
    let target = Target::new(to.identity.certificate())?;
    let waiting = pc.store.outbox(&target, &[KEY_ID])?;
    if !waiting.is_empty() {
        give(to, waiting.iter().map(Vec::as_slice))?;
    }
    if !plays(to) {
        let held = Candidates::find(&pc.store, &[KEY_ID])?;
        let grants = held.evaluate(Action::TransferToNonSdmi, &environment(&pc.identity)).expect("it is allowed");
        let reservation = pc.store.reserve(grants, &mut pc.entropy)?;
        let transfer = Transfer::new(&pc.store, &pc.identity, reservation, &target, &mut pc.entropy)?;
        let licenses: Vec<Vec<u8>> = transfer.licenses().map(<[u8]>::to_vec).collect();
        transfer.charge(&mut pc.store, &mut pc.entropy)?;
        give(to, licenses.iter().map(Vec::as_slice))?;
    }
    pc.store.clear_outbox(&target, &[KEY_ID], &mut pc.entropy)
}

fn give<'l>(to: &mut Device, licenses: impl Iterator<Item = &'l [u8]>) -> Result<(), Error> {
    let device = device::open(&to.identity, serial(&to.identity).as_deref())?;
    let own = (&to.identity, &device);
    let received = Received::verify(licenses, own, &REALM.root, &to.store, &Now::UNSET)?;
    received.store(&mut to.store, (&mut to.clock, &Now::UNSET), &mut to.entropy)
}

fn serial(identity: &Identity) -> Option<String> {
    identity.certificate().properties().hardware_serial.clone()
}

fn plays(to: &Device) -> bool {
    let device = device::open(&to.identity, serial(&to.identity).as_deref()).unwrap();
    let environment = Environment {
        application: device::application(&device),
        output: device::output(&device),
        ..environment(&to.identity)
    };
    Candidates::find(&to.store, &[KEY_ID]).unwrap().evaluate(Action::Play, &environment).is_ok()
}

#[test]
fn b11_a_transfer_that_is_cut_anywhere_is_charged_once_and_gives_one_license() {
    for behind in [false, true] {
        for commits in 0..4 {
            for cut_the_device in [false, true] {
                let (mut pc, mut to) = (Device::new(1), Device::portable(2));
                pc.acquire(&[terms()]).unwrap();
                let cut = if cut_the_device { &to } else { &pc };
                cut.storage.cut_after(Some(commits), behind);
                let _ = transfer(&mut pc, &mut to);
                pc.restart();
                to.restart();
                let used = pc.usage().used[1];
                let target = Target::new(to.identity.certificate()).unwrap();
                let waits = !pc.store.outbox(&target, &[KEY_ID]).unwrap().is_empty();
                let what = format!("{commits} commits, behind: {behind}, of the device: {cut_the_device}");
                assert_eq!(
                    used == 1,
                    plays(&to) || waits,
                    "charged exactly where the device has it or can get it: {what}"
                );
                transfer(&mut pc, &mut to).unwrap();
                assert_eq!((pc.usage().used[1], to.licenses().len(), plays(&to)), (1, 1, true), "{what}");
                assert_eq!(pc.storage.keys(b"o").len() + pc.storage.keys(b"r").len(), 0, "{what}");
                transfer(&mut pc, &mut to).unwrap();
                assert_eq!(pc.usage().used[1], 1, "what a device has is not charged again: {what}");
            }
        }
    }
}

#[test]
fn b11_a_license_that_waits_is_for_its_device_alone() {
    let (mut pc, mut to, mut other) = (Device::new(1), Device::portable(2), Device::portable(3));
    pc.acquire(&[terms()]).unwrap();
    to.storage.cut_after(Some(0), false);
    transfer(&mut pc, &mut to).unwrap_err();
    let target = Target::new(to.identity.certificate()).unwrap();
    let waiting = pc.store.outbox(&target, &[KEY_ID]).unwrap();
    let refused = give(&mut other, waiting.iter().map(Vec::as_slice)).unwrap_err();
    assert_eq!(Code::from(&refused), Code::NS_E_DRM_INVALID_MACHINE);
    // Another device is charged for itself.
    transfer(&mut pc, &mut other).unwrap();
    assert_eq!(pc.usage().used[1], 2);
    to.restart();
    transfer(&mut pc, &mut to).unwrap();
    assert!(plays(&to) && plays(&other));
    assert_eq!(pc.usage().used[1], 2);
}

#[test]
fn b15_a_pc_is_no_device_and_a_device_no_pc() {
    let (pc, mut device) = (Device::new(1), Device::portable(2));
    assert_eq!(Target::new(pc.identity.certificate()).unwrap_err(), Error::NotADevice);
    assert_eq!(device::open(&pc.identity, None).unwrap_err(), Error::NotADevice);
    for edited in [None, Some("SN-3"), Some("")] {
        assert_eq!(device::open(&device.identity, edited).unwrap_err(), Error::NoHardwareSerial);
    }
    // A device makes no local licenses.
    let content = LocalContent::generate(provider(), &device.identity, &mut device.entropy);
    let owner = (&device.identity, &REALM.root);
    let made = content.issue(order(), owner, &mut device.store, (&mut device.clock, &Now::UNSET), &mut device.entropy);
    assert_eq!(made.unwrap_err(), Error::License(admit_license::Error::OtherClient));
}

fn order() -> LocalOrder {
    let application = Application {
        security_level: 450,
        sdk_generation: SdkGeneration::Newer,
        certificate_version: CertificateVersion::V2,
    };
    let rights = Rights::PLAY | Rights::SDMI_VALIDATED;
    LocalOrder { rights, minimum_application_level: None, application }
}

#[test]
fn b10_local_licenses_come_into_the_store_all_or_none() {
    for (commits, behind) in [(0, false), (1, true), (1, false)] {
        let mut pc = Device::new(1);
        let content = LocalContent::generate(provider(), &pc.identity, &mut pc.entropy);
        pc.storage.cut_after(Some(commits), behind);
        let owner = (&pc.identity, &REALM.root);
        let _ = content.issue(order(), owner, &mut pc.store, (&mut pc.clock, &Now::UNSET), &mut pc.entropy);
        pc.restart();
        assert_eq!(pc.licenses().len(), if commits == 0 { 0 } else { 4 });
        assert_eq!(pc.store.held(&content.key_id()).unwrap().len(), pc.licenses().len());
    }
}

#[test]
fn b10_an_application_below_450_marks_nothing() {
    let mut pc = Device::new(1);
    let content = LocalContent::generate(provider(), &pc.identity, &mut pc.entropy);
    let low = LocalOrder { application: Application { security_level: 449, ..order().application }, ..order() };
    let owner = (&pc.identity, &REALM.root);
    let made = content.issue(low, owner, &mut pc.store, (&mut pc.clock, &Now::UNSET), &mut pc.entropy);
    assert_eq!(Code::from(&made.unwrap_err()), Code::ADMIT_E_SDMI_LEVEL);
    assert!(pc.licenses().is_empty());
}
