//! `admit device play`: a device plays by itself, at its own level; a medium is played on this PC, at the level of this
//! program, or in a device, at the level of that.

use std::path::PathBuf;

use admit_client::device;
use admit_client::play::{Candidates, permit};
use admit_license::{Action, Application, Output as Outlet};
use admit_protocol::Code;
use admit_trust::DeviceKind;

use super::DeviceSession;
use crate::args::DevicePlayArgs;
use crate::client::acquire::Session;
use crate::client::content::Content;
use crate::client::play::{Goes, play_permitted};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::same_file;
use crate::system::SystemEntropy;

/// Plays without the PC that transferred the content, and without a server.
pub(super) fn run(args: &DevicePlayArgs, output: Output) -> Outcome<()> {
    let mut opened = DeviceSession::open(&args.dir, output)?;
    let content = Content::open(&file_of(args))?;
    if args.output.as_os_str() != "-" {
        same_file::refuse(&content.path, &args.output)?;
    }
    let header = content.verify_header(opened.session.realm.realm.root())?;
    let (application, outlet) = player(args, &opened, output)?;
    let candidates = Candidates::find(&opened.session.store, &content.key_ids)?;
    let now = opened.session.look_at_clock();
    let environment = opened.environment_in(application, outlet, &header, &now);
    let grants = candidates.evaluate(Action::Play, &environment).map_err(|denied| Failure::denied(denied.first()))?;
    let mut entropy = opened.session.store.entropy(&mut SystemEntropy);
    let Session { store, identity, .. } = &mut opened.session;
    let permit = permit(store, identity, grants, &mut entropy)?;
    let goes = Goes { path: Some(&args.output), player: None, inside: None };
    play_permitted(&mut opened.session, content, permit, goes, output)
}

/// A file of the device's folder, or one that is elsewhere.
fn file_of(args: &DevicePlayArgs) -> PathBuf {
    let inside = args.dir.join(&args.file);
    if inside.is_file() { inside } else { args.file.clone() }
}

/// Who plays, and where to.
fn player(args: &DevicePlayArgs, opened: &DeviceSession, output: Output) -> Outcome<(Application, Outlet)> {
    match (opened.device.kind(), &args.inside) {
        (DeviceKind::Device, None) => Ok((device::application(&opened.device), device::output(&opened.device))),
        (DeviceKind::Medium, None) => Ok((Application::new(opened.session.application()), Outlet::Clear)),
        (DeviceKind::Medium, Some(dir)) => {
            let host = DeviceSession::open_beside(dir, opened.session.realm.folder(), output)?;
            let is_device = host.device.kind() == DeviceKind::Device;
            let same_realm = host.session.realm.realm.root().realm() == opened.session.realm.realm.root().realm();
            if is_device && same_realm {
                return Ok((device::application(&host.device), device::output(&host.device)));
            }
            let sentence = format!("{} is not a device of the medium's realm", dir.display());
            Err(Failure::new(Code::ADMIT_E_NOT_THIS_DEVICE, sentence)
                .with_action("Name a device of that realm with --in"))
        }
        (DeviceKind::Device, Some(_)) => {
            let sentence = format!("{} plays by itself, and not in another device", args.dir.display());
            Err(Failure::new(Code::ADMIT_E_NOT_THIS_DEVICE, sentence).with_action("Leave --in out"))
        }
    }
}
