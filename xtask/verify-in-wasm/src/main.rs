//! Verifies a signed time a hundred times: what a browser does with each answer about the time. `cargo xtask bench time`
//! compiles this to WebAssembly and measures it.

use admit_crypto::rustcrypto::PROVIDER;
use admit_time::roughtime;

fn main() {
    let key: [u8; 32] = field("public-key").try_into().expect("a key has 32 bytes");
    let (request, response) = (field("request"), field("response"));
    for _ in 0..100 {
        let signed = roughtime::verify(&PROVIDER, &key, &request, &response).expect("the vector says accept");
        assert_eq!(signed.midpoint().unix_secs(), 1_791_158_400);
    }
}

/// A field of the vector, from hexadecimal.
fn field(name: &str) -> Vec<u8> {
    let value = VECTOR.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    hex::decode(value.expect("the vector has this field")).expect("the field is hexadecimal")
}

/// One answer to a batch of five: its path has three hashes.
const VECTOR: &str = include_str!("../../../vectors/roughtime/accept-batch-3-of-5.txt");
