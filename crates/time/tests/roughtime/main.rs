//! Roughtime answers (RFC 10049): the corpus with its verdicts, one mutation per test, another implementation's
//! packets, and what a client accepts.

#![expect(clippy::unwrap_used, reason = "in a test, to unwrap is to check")]

mod accept;
mod cases;
mod mutations;
mod oracle;
#[expect(unreachable_pub, reason = "the file is a module of admit-testkit")]
#[path = "../../../testkit/src/roughtime.rs"]
mod responder;
mod vectors;

use admit_crypto::Provider;
use admit_time::Error;
use admit_time::roughtime::{SignedTime, verify};

/// Every provider; they must come to one verdict.
const PROVIDERS: [&Provider; 2] = [&admit_crypto::rustcrypto::PROVIDER, &admit_crypto::aws_lc::PROVIDER];

/// What every provider says to a response.
fn verdict(key: &[u8; 32], request: &[u8], response: &[u8]) -> Result<SignedTime, Error> {
    let [portable, native] = PROVIDERS.map(|provider| verify(provider, key, request, response));
    assert_eq!(portable, native, "providers disagree");
    portable
}
