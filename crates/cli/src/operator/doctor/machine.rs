//! What is under the home: the machine's clock, disk and limits.

use std::path::Path;
use std::process::Command;

use nix::sys::statvfs::statvfs;

use super::Check;
use crate::system::Memory;

/// Whether the kernel's clock is kept right (adjtimex(2), `STA_UNSYNC`), as systemd tells it.
pub(super) fn clock() -> Check {
    let asked = Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]).output();
    match asked.as_ref().map(|output| output.stdout.trim_ascii()) {
        Ok(b"yes") => Check::good(CLOCK, "it is kept right over the network"),
        Ok(b"no") => {
            let advice = "Run systemd-timesyncd, chrony or ntpd: certificates and tokens are judged by this clock";
            Check::failing(CLOCK, "nothing keeps it right", advice)
        }
        _ => {
            let advice = "See that chrony, ntpd or the machine around this one keeps it right";
            Check::warning(CLOCK, "timedatectl does not say whether it is kept right", advice)
        }
    }
}

pub(super) fn disk(path: &Path) -> Check {
    let advice = "Make room: a server whose database cannot grow issues nothing";
    let free = match statvfs(path) {
        Ok(disk) => disk.fragment_size().saturating_mul(disk.blocks_available()),
        Err(error) => return Check::failing(DISK, format!("{}: {error}", path.display()), advice),
    };
    let finding = format!("{} MiB are free", free / MIB);
    match free {
        0..TOO_LITTLE => Check::failing(DISK, finding, advice),
        TOO_LITTLE..LITTLE => Check::warning(DISK, finding, advice),
        _ => Check::good(DISK, finding),
    }
}

pub(super) fn memory(memory: Memory) -> Check {
    match memory {
        Memory::Locked => Check::good(MEMORY, "this user may lock all of it: keys stay out of the swap"),
        Memory::Limited => {
            let advice = "Set LimitMEMLOCK=infinity in the service's unit, as the one in packaging/ does";
            Check::warning(MEMORY, "this user may not lock it: keys can reach the swap", advice)
        }
    }
}

const CLOCK: &str = "clock";
const DISK: &str = "disk";
const MEMORY: &str = "memory";
const MIB: u64 = 1024 * 1024;
const TOO_LITTLE: u64 = 64 * MIB;
const LITTLE: u64 = 1024 * MIB;
