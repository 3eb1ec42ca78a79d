//! The counter in a TPM, where the user names one in `ADMIT_TPM`: it tells the store from an older copy of itself at once. It
//! is not taken unasked, because a store that has counted in a chip is of no use without it.

use std::path::Path;

use admit_client::clock::clock_reading;
use admit_protocol::Code;
use admit_time::clock::{Clock, Reading};

use super::acquire::Session;
use crate::failure::{Failure, Outcome};
use crate::system::{Counter, read_clocks};

/// Opens the counter of this clock's store. One that the record knows of and that is not there is an error: nothing can be
/// said then about the store.
pub(super) fn open(clock: &Clock) -> Outcome<Option<Counter>> {
    let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) else {
        return match clock.record().hardware_counter {
            None => Ok(None),
            Some(_) => Err(Failure::new(Code::ADMIT_E_FILE, "this client counts in a TPM, and none is named")
                .with_action("Name it in ADMIT_TPM, such as /dev/tpmrm0")),
        };
    };
    let path = Path::new(&path);
    let counter = Counter::open(path, *clock.record().store_epoch).map_err(|error| {
        let sentence = format!("the TPM at {} cannot be used: {error}", path.display());
        Failure::new(Code::ADMIT_E_FILE, sentence).with_action("Name another one in ADMIT_TPM, or none")
    })?;
    if !clock.is_same_counter(counter.value()) {
        let sentence = format!("the TPM at {} is not the one that this client has counted in", path.display());
        return Err(Failure::new(Code::ADMIT_E_FILE, sentence).with_action("Name that one in ADMIT_TPM"));
    }
    Ok(Some(counter))
}

impl Session {
    /// The machine's clocks and counter at this moment, as far as they count for this client.
    pub(crate) fn reading(&self) -> Reading {
        clock_reading(&self.identity, &read_clocks(self.counter.as_ref().map(Counter::value)))
    }

    /// Brings the counter to where the record that was kept says it is. A chip that refuses to count so often does so at the
    /// next time: until then it tells less.
    pub(crate) fn settle_counter(&mut self) {
        let reading = self.reading();
        if let Some(counter) = self.counter.as_mut().filter(|_| self.clock.must_count(&reading)) {
            let _ = counter.raise();
        }
    }
}

const VARIABLE: &str = "ADMIT_TPM";
