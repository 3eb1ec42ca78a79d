//! What is under the home: the machine's clock, disk and limits.

use std::path::Path;

use admit_server::home::Time;
use nix::sys::statvfs::statvfs;

use super::Check;
use crate::system::{Memory, is_clock_kept_right};

/// Whether the kernel's clock is kept right.
pub(super) fn clock() -> Check {
    match is_clock_kept_right() {
        Some(true) => Check::good(CLOCK, "it is kept right over the network"),
        Some(false) => {
            let advice = "Run systemd-timesyncd, chrony or ntpd: certificates and tokens are judged by this clock";
            Check::failing(CLOCK, "nothing keeps it right", advice)
        }
        None => {
            let advice = "See that chrony, ntpd or the machine around this one keeps it right";
            Check::warning(CLOCK, "timedatectl does not say whether it is kept right", advice)
        }
    }
}

/// Whether the server can sign the time, by what is set and by what the kernel says.
pub(super) fn signed_time(time: Time) -> Check {
    let advice = "See that NTP keeps the clock right, then set time.largest_error_secs in admit.toml";
    match (time.largest_error_secs, time.radius_secs) {
        (Some(error), Some(radius)) if radius <= error => {
            let finding = "time.radius_secs is not above time.largest_error_secs: no time is signed";
            Check::failing(TIME, finding, "Raise time.radius_secs, or leave it out")
        }
        (Some(error), radius) => {
            let radius = radius.unwrap_or(error + 1);
            Check::good(TIME, format!("it is signed to {radius} seconds, by the largest error that admit.toml states"))
        }
        (None, _) if is_clock_kept_right() == Some(true) => {
            Check::good(TIME, "it is signed by the kernel's word that its clock is kept right")
        }
        (None, _) => Check::warning(TIME, "no time is signed: clients get no time from this server", advice),
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
const TIME: &str = "signed time";
const MEMORY: &str = "memory";
const MIB: u64 = 1024 * 1024;
const TOO_LITTLE: u64 = 64 * MIB;
const LITTLE: u64 = 1024 * MIB;
