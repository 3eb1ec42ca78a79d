//! Certificates (RFC 5280): what is read has one encoding, and PEM of it is read as the same.
#![no_main]

use admit_trust::Certificate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        assert_eq!(certificate.der(), bytes);
        assert_eq!(Certificate::from_pem(certificate.to_pem().as_bytes()), Ok(certificate));
    }
});
