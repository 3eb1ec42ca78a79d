//! Packages or decrypts one file with a fixed key, to be measured from outside:
//! `/usr/bin/time -v measure package IN OUT`, `measure decrypt IN OUT`.

use std::fs::File;
use std::path::Path;

use admit_crypto::{ContentKey, Entropy, aws_lc};
use admit_media::{KeyId, Metadata};
use admit_packager::{AtomicFile, Protection, decrypt, package};

/// Entropy that is the same each time.
struct Fixed;

impl Entropy for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, what, input, output] = arguments.as_slice() else {
        return Err("usage: measure package|decrypt IN OUT".into());
    };
    let input = File::open(input)?;
    let mut file = AtomicFile::create(Path::new(output), 0)?;
    let key = ContentKey::from_bytes([0x11; 16]);
    if what == "decrypt" {
        let keys = &mut |_: &KeyId| Some((aws_lc::PROVIDER.aes_128_ctr)(&key));
        println!("{:?}", decrypt(input, file.file(), keys, &mut |_, _| ())?);
    } else {
        let metadata = Metadata::default();
        let protection = Protection { key_id: KeyId([0x22; 16]), key: &key, pssh_data: b"header", metadata };
        let report = package(input, file.file(), &protection, &mut Fixed, &aws_lc::PROVIDER, &mut |_, _| ())?;
        println!("{report:?}");
    }
    file.commit()?;
    Ok(())
}
