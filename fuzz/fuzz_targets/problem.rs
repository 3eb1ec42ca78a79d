//! Problem documents (RFC 9457): what is read is written and read as the same.
#![no_main]

use admit_fuzz::seeds;
use admit_protocol::{Code, Problem};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let Some(problem) = Problem::from_json(bytes) else { return };
    let written = problem.to_json();
    assert_eq!(Problem::from_json(&written).as_ref(), Some(&problem));
    if let Some(code) = problem.code() {
        assert_eq!(problem.kind, Problem::new(code, 400, "").kind);
    }
});

fn seeds() -> Vec<Vec<u8>> {
    vec![Problem::new(Code::ADMIT_E_TOKEN_INVALID, 401, "\u{2028}detail \"of\" this time").to_json()]
}
