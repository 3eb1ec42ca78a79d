//! Refuses to write over what is read, which may be the only copy of it.

use std::fs::Metadata;
use std::path::Path;

use admit_protocol::Code;

use crate::failure::{Failure, Outcome};

/// Fails where both paths lead to one file, also through links. What does not exist, such as an address, is no file.
pub(crate) fn refuse(input: &Path, output: &Path) -> Outcome<()> {
    let (Ok(one), Ok(other)) = (input.metadata(), output.metadata()) else { return Ok(()) };
    if !is_same(input, &one, output, &other) {
        return Ok(());
    }
    let sentence = format!("{} and {} are the same file", input.display(), output.display());
    Err(Failure::new(Code::ADMIT_E_FILE, sentence).with_action("Name another file to write to"))
}

#[cfg(unix)]
fn is_same(_: &Path, one: &Metadata, _: &Path, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Hard links are not noticed here: the standard library tells no file's identity on other systems.
#[cfg(not(unix))]
fn is_same(input: &Path, _: &Metadata, output: &Path, _: &Metadata) -> bool {
    matches!((input.canonicalize(), output.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
