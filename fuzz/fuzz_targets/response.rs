//! License responses and enrolment messages: what is read is written and read as the same.
#![no_main]

use admit_protocol::acquire::LicenseResponse;
use admit_protocol::enrol::{EnrolmentRequest, EnrolmentResponse};
use libfuzzer_sys::fuzz_target;

/// Reads, writes, and reads again.
macro_rules! round_trip {
    ($bytes:ident, $($message:ty),*) => {
        $(if let Ok(message) = minicbor::decode::<$message>($bytes) {
            let written = minicbor::to_vec(&message).expect("writing to memory succeeds");
            assert_eq!(minicbor::decode::<$message>(&written).expect("what is written is read"), message);
        })*
    };
}

fuzz_target!(|bytes: &[u8]| {
    round_trip!(bytes, LicenseResponse, EnrolmentRequest, EnrolmentResponse);
});
