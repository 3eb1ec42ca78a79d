//! The machine's clocks as a client reads them: the wall clock as everybody does, the boot-time clock and the boot identity by direct
//! system calls, so that no library put between changes them.

use std::sync::OnceLock;

use admit_crypto::Entropy;
use admit_time::clock::{BootId, Reading};

use super::{SystemEntropy, now};

/// The machine's clocks at this moment, beside what a hardware counter said. This program reads no protected hardware clock.
pub(crate) fn read_clocks(hardware_counter: Option<u64>) -> Reading {
    let boot = *BOOT.get_or_init(|| BootId::from_bytes(boot_id().unwrap_or_else(another_boot)));
    Reading { boot, boot_millis: boot_millis(), wall: Some(now()), hardware_counter, secure_millis: None }
}

/// What Linux calls this boot, read by direct system calls: a UUID in text.
#[cfg(target_os = "linux")]
fn boot_id() -> Option<[u8; 16]> {
    use rustix::fs::{Mode, OFlags};
    let file = rustix::fs::open(BOOT_ID, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut text = [0; 36];
    let length = rustix::io::read(&file, &mut text).ok()?;
    let digits: Vec<u8> = text[..length].iter().copied().filter(|&byte| byte != b'-').collect();
    hex::decode(digits).ok()?.try_into().ok()
}

#[cfg(not(target_os = "linux"))]
fn boot_id() -> Option<[u8; 16]> {
    None
}

/// Where the system does not say, every run is a boot of its own: time is estimated from the second run on.
fn another_boot() -> [u8; 16] {
    let mut boot = [0; 16];
    SystemEntropy.fill(&mut boot);
    boot
}

/// `CLOCK_BOOTTIME`: it is never set, and counts suspended time.
#[cfg(target_os = "linux")]
fn boot_millis() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let [secs, nanos] = [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    secs.saturating_mul(1000).saturating_add(nanos / 1_000_000)
}

/// Since this run began.
#[cfg(not(target_os = "linux"))]
fn boot_millis() -> u64 {
    static BEGAN: OnceLock<std::time::Instant> = OnceLock::new();
    let elapsed = BEGAN.get_or_init(std::time::Instant::now).elapsed();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

static BOOT: OnceLock<BootId> = OnceLock::new();
#[cfg(target_os = "linux")]
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_of_one_run_are_of_one_boot_and_only_go_forward() {
        let readings: Vec<_> = (0..100).map(|_| read_clocks(None)).collect();
        assert!(readings.windows(2).all(|pair| pair[0].boot == pair[1].boot));
        assert!(readings.windows(2).all(|pair| pair[0].boot_millis <= pair[1].boot_millis));
        assert_eq!(boot_id().is_some(), cfg!(target_os = "linux"));
        assert_ne!(another_boot(), another_boot());
    }
}
