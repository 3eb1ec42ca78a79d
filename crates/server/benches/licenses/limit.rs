//! What the public-key work of a license allows on this machine at this moment: the same operations, by the same library,
//! on all cores, and nothing else. No server that opens a sealed challenge, verifies it, wraps a key and signs license and
//! response is faster.

use std::hint::black_box;
use std::time::Instant;

use admit_crypto::{SecretScalar, hpke};

use crate::harness::{PROVIDER, Seeded};

/// Licenses of each core.
const EACH: u32 = 2000;

/// Prints how many licenses a second the work allows, and how long that of one takes.
pub(crate) fn print() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for seed in 0..cores {
            scope.spawn(move || core(u8::try_from(seed % 100).unwrap() + 1));
        }
    });
    let took = started.elapsed();
    let rate = f64::from(EACH) * cores as f64 / took.as_secs_f64();
    let one = took.as_micros() as f64 / f64::from(EACH);
    println!("public-key work alone, {cores} cores: {rate:.0} licenses/s, {one:.0} us each");
}

fn core(seed: u8) {
    let scalar = SecretScalar::from_slice(&[seed; 32]).unwrap();
    let (signing, decryption) = ((PROVIDER.load_signing_key)(&scalar), (PROVIDER.load_decryption_key)(&scalar));
    let (public, mut entropy) = (scalar.public_key(), Seeded::new(seed.into()));
    let mut seal = |message: &[u8]| {
        hpke::seal(PROVIDER, &public, b"info", b"data", message, hpke::EphemeralSeed::generate(&mut entropy))
    };
    let challenge = [seed; 1500];
    let (sealed, signature) = (seal(&challenge), signing.sign(&challenge));
    for _ in 0..EACH {
        black_box(hpke::open(PROVIDER, &decryption, b"info", b"data", &sealed).unwrap());
        (PROVIDER.verify)(&public, &challenge, &signature).unwrap();
        black_box(seal(&[seed; 16]));
        black_box((signing.sign(&challenge), signing.sign(&challenge)));
    }
}
