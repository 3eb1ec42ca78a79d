//! The corpus in `vectors/roughtime`: files that carry their own verdict (`docs/formats/time.md`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cases::{self, Case};
use crate::verdict;

/// Files that others made and that cannot be made again here.
const CAPTURED: [&str; 3] = ["accept-server-single.txt", "accept-server-batch.txt", "reject-rfc-10049-appendix-b.txt"];

#[test]
fn every_vector_has_the_verdict_it_carries() {
    let vectors = read_all();
    for (name, text) in &vectors {
        let field = |field: &str| {
            let values = text.lines().filter_map(|line| line.split_once(": "));
            let [value] = values.filter(|(key, _)| *key == field).map(|(_, value)| value).collect::<Vec<_>>()[..]
            else {
                panic!("{name} has not one {field}");
            };
            value
        };
        let bytes = |name| hex::decode(field(name)).unwrap();
        let found = match verdict(&bytes("public-key").try_into().unwrap(), &bytes("request"), &bytes("response")) {
            Ok(time) => format!("accept {} {}", time.midpoint().unix_secs(), time.radius_secs()),
            Err(error) => format!("reject {error:?}"),
        };
        assert_eq!(found, field("verdict"), "{name}");
        assert!(name.starts_with(&found[..6]), "{name} is named after another verdict than {found}");
    }
    assert_eq!(vectors.keys().filter(|name| name.starts_with("accept")).count(), 16);
    assert_eq!(vectors.keys().filter(|name| name.starts_with("reject")).count(), 38);
}

/// Files that changed or that nobody makes any more fail here; `write_vectors` puts it right.
#[test]
fn the_corpus_is_what_the_cases_make() {
    let mut vectors = read_all();
    CAPTURED.iter().for_each(|name| assert!(vectors.remove(*name).is_some(), "{name} is gone"));
    let made: BTreeMap<_, _> = cases::all().iter().map(|case| (file_name(case), text(case))).collect();
    assert!(made == vectors, "vectors/roughtime is stale: cargo test -p admit-time write_vectors -- --ignored");
}

#[test]
#[ignore = "writes the corpus"]
fn write_vectors() {
    for stale in read_all().keys().filter(|name| !CAPTURED.contains(&name.as_str())) {
        fs::remove_file(folder().join(stale)).unwrap();
    }
    cases::all().iter().for_each(|case| fs::write(folder().join(file_name(case)), text(case)).unwrap());
}

fn file_name(case: &Case) -> String {
    format!("{}.txt", case.name)
}

fn text(case: &Case) -> String {
    let verdict = match &case.verdict {
        Ok((midpoint, radius)) => format!("accept {midpoint} {radius}"),
        Err(error) => format!("reject {error:?}"),
    };
    let [key, request, response] = [&case.key[..], &case.request, &case.response].map(hex::encode);
    let about = case.about;
    format!("about: {about}\nverdict: {verdict}\npublic-key: {key}\nrequest: {request}\nresponse: {response}\n")
}

fn read_all() -> BTreeMap<String, String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.file_name().unwrap().to_str().unwrap().into(), fs::read_to_string(path).unwrap())).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/roughtime")
}
