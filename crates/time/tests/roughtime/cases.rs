//! The corpus: valid answers, answers that lie over a good signature, and answers damaged after signing, each with one
//! change and one verdict.

use admit_time::Error;
use admit_time::roughtime::{FormatError, Tag, request_packet};

use crate::PROVIDERS;
use crate::oracle;
use crate::responder::{Draft, Responder};

/// One file of the corpus.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) about: &'static str,
    pub(crate) key: [u8; 32],
    pub(crate) request: Vec<u8>,
    pub(crate) response: Vec<u8>,
    /// Midpoint and radius, or the error.
    pub(crate) verdict: Result<(u64, u32), Error>,
}

/// The moment of processing in all cases: 2026-10-05T00:00:00Z.
pub(crate) const MIDPOINT: u64 = 1_791_158_400;

pub(crate) fn server() -> Responder {
    Responder::new([1; 32])
}

/// The canonical request packet to [`server`] with the nonce `n n n…`.
pub(crate) fn request(nonce: u8) -> Vec<u8> {
    request_packet(PROVIDERS[0], &[nonce; 32], &server().public_key())
}

/// The one valid answer that every mutation begins with: to `request(7)`, alone in its tree.
pub(crate) fn valid() -> Draft {
    server().draft(&[&request(7)], 0, MIDPOINT)
}

pub(crate) fn all() -> Vec<Case> {
    accepted().into_iter().chain(lies()).chain(damaged()).chain(oracle::cases()).collect()
}

fn accepted() -> Vec<Case> {
    let requests: Vec<_> = (0..5).map(request).collect();
    let requests: Vec<_> = requests.iter().map(Vec::as_slice).collect();
    let batch = |index: usize| {
        let response = server().draft(&requests, index, MIDPOINT).seal();
        let about = "one of five requests under one signature; odd levels of the tree repeat their last node";
        Case { request: requests[index].to_vec(), ..case(&format!("accept-batch-{index}-of-5"), about, response, 3) }
    };
    let signed = |name, about, change: fn(&mut Draft), radius| case(name, about, changed(change), radius);
    vec![
        case("accept-single", "the valid answer that every mutation begins with", valid().seal(), 3),
        batch(0),
        batch(3),
        batch(4),
        signed("accept-unknown-tags", "undefined tags everywhere", |draft| draft.extra = Some(*b"EXTZ"), 3),
        signed("accept-newer-version-listed", "VERS is 1, 2", |draft| draft.versions = vec![1, 2], 3),
        signed("accept-radius-1", "the smallest radius", |draft| draft.radius = 1, 1),
        signed("accept-radius-30", "the largest radius that is believed", |draft| draft.radius = 30, 30),
        signed("accept-first-second", "MIDP is MINT", |draft| draft.begins = MIDPOINT, 3),
        signed("accept-last-second", "MIDP is MAXT", |draft| draft.ends = MIDPOINT, 3),
    ]
}

/// Answers that are signed, and wrong.
fn lies() -> Vec<Case> {
    let lie = |name: &str, about, change: fn(&mut Draft), error| Case {
        verdict: Err(error),
        ..case(&format!("reject-{name}"), about, changed(change), 0)
    };
    let outside = Error::IndexOutsideTree { index: 1, height: 0 };
    vec![
        lie("type", "TYPE is 0", |draft| draft.message_type = 0, Error::NotAResponse { found: 0 }),
        lie("nonce", "NONC has one other bit", |draft| draft.nonce[31] ^= 1, Error::WrongNonce),
        lie("version", "VER is 2", |draft| draft.version = 2, Error::UnknownVersion { found: 2 }),
        lie("version-of-drafts", "VER is 0x8000000c", |draft| draft.version = 0x8000_000c, DRAFT_VERSION),
        lie(
            "contexts-of-drafts",
            "RoughTime",
            |draft| draft.protocol_name = "RoughTime",
            Error::BadDelegationSignature,
        ),
        lie("other-key", "signed by another server", |draft| draft.long_term = key(9), Error::BadDelegationSignature),
        lie("root", "ROOT has one other bit", |draft| draft.root[0] ^= 1, Error::RequestNotInTree),
        lie("path", "PATH has one hash too many", |draft| draft.path = vec![0; 32], Error::RequestNotInTree),
        lie("index", "INDX is 1 in a tree of one", |draft| draft.index = 1, outside),
        lie("no-versions", "VERS is empty", |draft| draft.versions = vec![], Error::MalformedVersionList),
        lie(
            "33-versions",
            "VERS is too long",
            |draft| draft.versions = (1..=33).collect(),
            Error::MalformedVersionList,
        ),
        lie("versions-descend", "VERS is 2, 1", |draft| draft.versions = vec![2, 1], Error::MalformedVersionList),
        lie("versions-repeat", "VERS is 1, 1", |draft| draft.versions = vec![1, 1], Error::MalformedVersionList),
        lie("version-not-listed", "VERS is 2", |draft| draft.versions = vec![2], Error::VersionNotListed),
        lie("radius-0", "RADI is 0", |draft| draft.radius = 0, Error::ZeroRadius),
        lie("radius-31", "RADI is 31", |draft| draft.radius = 31, Error::RadiusTooLarge { found: 31 }),
        lie("early", "MIDP is before MINT", |draft| draft.begins += 3601, before(MIDPOINT + 1)),
        lie("late", "MIDP is after MAXT", |draft| draft.ends -= 86_401, after(MIDPOINT - 1)),
        lie("year-10000", "MIDP + RADI is in the year 10000", |draft| set_midpoint(draft, LAST - 2), beyond(LAST - 2)),
        lie("end-of-time", "MIDP + RADI is 2^64", |draft| set_midpoint(draft, u64::MAX - 2), beyond(u64::MAX - 2)),
    ]
}

/// Answers changed after signing, one bit or number each. The offsets are those of the valid answer:
/// header 12, values from 68: SIG 68, NONC 132, TYPE 164, PATH 168, SREP 168, CERT 260, INDX 412.
fn damaged() -> Vec<Case> {
    let damage = |name: &str, about, change: fn(&mut Vec<u8>), error| {
        let mut response = valid().seal();
        change(&mut response);
        Case { verdict: Err(error), ..case(&format!("reject-{name}"), about, response, 0) }
    };
    let form = Error::MalformedResponse;
    let declared = |declared, found| form(FormatError::WrongLength { declared, found });
    let limit = Error::OversizedResponse { found: 1037, limit: 1036 };
    let repeated = form(FormatError::TagOutOfOrder { tag: Tag::NONC, at: 48 });
    let outside = form(FormatError::OffsetOutsideMessage { at: 36 });
    vec![
        damage("empty", "nothing", Vec::clear, form(FormatError::TruncatedPacket { found: 0 })),
        damage("cut-header", "11 bytes", |r| r.truncate(11), form(FormatError::TruncatedPacket { found: 11 })),
        damage("magic", "ROUGHTIN", |r| r[7] += 1, form(FormatError::WrongMagic)),
        damage("cut", "the last byte is gone", |r| r.truncate(415), declared(404, 403)),
        damage("trailing", "one byte more", |r| r.push(0), declared(404, 405)),
        damage("longer-than-request", "1037 bytes", |r| r.resize(1037, 0), limit),
        damage("no-pairs", "N is 0", |r| r[12] = 0, form(FormatError::EmptyMessage { at: 12 })),
        damage("many-pairs", "N is 2^32 - 1", |r| r[12..16].fill(0xff), form(FormatError::TruncatedMessage { at: 12 })),
        damage("unaligned", "an offset is 66", |r| r[16] += 2, form(FormatError::UnalignedOffset { at: 16 })),
        damage("descending", "64, 60", |r| r[20] = 60, form(FormatError::DescendingOffset { at: 20 })),
        damage("offset-outside", "the last offset is 600", |r| r[36..38].copy_from_slice(&[0x58, 2]), outside),
        damage("small-letter", "SIg", |r| r[42] = b'g', form(FormatError::MalformedTag { at: 40 })),
        damage("tag-twice", "NONC, NONC", |r| r.copy_within(44..48, 48), repeated),
        damage("signature-of-response", "one bit of SIG", |r| r[100] ^= 1, Error::BadResponseSignature),
        damage("midpoint-forged", "one bit of MIDP", |r| r[216] ^= 1, Error::BadResponseSignature),
        damage("signature-of-delegation", "one bit of CERT.SIG", |r| r[300] ^= 1, Error::BadDelegationSignature),
        damage("delegation-forged", "one bit of MAXT", |r| r[404] ^= 1, Error::BadDelegationSignature),
    ]
}

/// An accepted answer to `request(7)`.
fn case(name: &str, about: &'static str, response: Vec<u8>, radius: u32) -> Case {
    let verdict = Ok((MIDPOINT, radius));
    Case { name: name.into(), about, key: server().public_key(), request: request(7), response, verdict }
}

fn changed(change: fn(&mut Draft)) -> Vec<u8> {
    let mut draft = valid();
    change(&mut draft);
    draft.seal()
}

fn set_midpoint(draft: &mut Draft, midpoint: u64) {
    draft.midpoint = midpoint;
    draft.ends = midpoint;
}

fn key(seed: u8) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[seed; 32])
}

fn before(begins: u64) -> Error {
    Error::BeforeDelegation { midpoint: MIDPOINT, begins }
}

fn after(ends: u64) -> Error {
    Error::AfterDelegation { midpoint: MIDPOINT, ends }
}

fn beyond(midpoint: u64) -> Error {
    Error::MidpointOutOfRange { midpoint }
}

const DRAFT_VERSION: Error = Error::UnknownVersion { found: 0x8000_000c };

/// 9999-12-31T23:59:59Z.
const LAST: u64 = 253_402_300_799;
