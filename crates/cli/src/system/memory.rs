//! Keeping keys out of files that the system writes: no core dumps, no swap where the limits allow it.
//!
//! All of the process's memory is locked rather than the pages of keys, because keys also live in the memory of a C
//! library. Pages are locked when they are first touched, so that nothing grows.

use nix::libc;
use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl;
use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};

/// Whether secrets can reach the swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// They cannot.
    Locked,
    /// They can: the system lets this process lock less than all it may come to use.
    Limited,
}

/// Protects this process's memory as far as the system allows. A debugger of the same user can no longer attach.
pub(crate) fn protect() -> Memory {
    // On a kernel that refuses this, dumps are as they were.
    let _ = prctl::set_dumpable(false);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    // Under a limit, memory that is asked for later would be refused where the limit is reached: all or nothing.
    let unlimited = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY).is_ok();
    if !unlimited && !has_ipc_lock() {
        return Memory::Limited;
    }
    let on_fault = MlockAllFlags::from_bits_retain(libc::MCL_ONFAULT);
    match mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault) {
        Ok(()) => Memory::Locked,
        Err(_) => Memory::Limited,
    }
}

/// Whether the limit does not hold for this process (capabilities(7), `CAP_IPC_LOCK`).
fn has_ipc_lock() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    effective_capabilities(&status).is_some_and(|capabilities| capabilities & CAP_IPC_LOCK != 0)
}

fn effective_capabilities(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

const CAP_IPC_LOCK: u64 = 1 << 14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_from_the_kernels_words() {
        let status = "Name:\tadmit\nCapPrm:\t0000000000000000\nCapEff:\t0000000000004001\n";
        assert_eq!(effective_capabilities(status), Some(CAP_IPC_LOCK | 1));
        assert_eq!(effective_capabilities("Name:\tadmit\n"), None);
        assert_eq!(effective_capabilities("CapEff:\tx\n"), None);
    }
}
