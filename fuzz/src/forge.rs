//! Roughtime answers that are signed as if they were true, so that what lies behind the signatures is reached.

use std::sync::LazyLock;

use admit_testkit::roughtime::{Draft, Responder};
use admit_time::roughtime::{
    DELEGATION_CONTEXT, Message, RESPONSE_CONTEXT, Tag, encode, frame, leaf_hash, node_hash, request_packet, unframe,
};
use ed25519_dalek::{Signer, SigningKey};

use crate::provider;

/// The time server.
pub static RESPONDER: LazyLock<Responder> = LazyLock::new(|| Responder::new([7; 32]));

/// The question that every answer here answers.
pub static REQUEST: LazyLock<Vec<u8>> = LazyLock::new(|| request_packet(provider(), &NONCE, &RESPONDER.public_key()));

/// An honest answer.
pub static DRAFT: LazyLock<Draft> = LazyLock::new(|| RESPONDER.draft(&[&REQUEST], 0, MIDPOINT));

/// Takes an answer, puts nonce, delegated key and root of the tree right, and signs both parts. Everything else stays
/// as it was. Nothing where the packet has no such parts.
pub fn sign(packet: &[u8]) -> Option<Vec<u8>> {
    let answer = unframe(packet).ok()?;
    let signed = answer.require(Tag::SREP).ok()?.message().ok()?;
    let certificate = answer.require(Tag::CERT).ok()?.message().ok()?;
    let delegation = certificate.require(Tag::DELE).ok()?.message().ok()?;

    let root = root(answer)?;
    let signed = with(signed, &[(Tag::ROOT, &root)]);
    let delegation = with(delegation, &[(Tag::PUBK, DRAFT.delegated.verifying_key().as_bytes())]);
    let signature = signature(&DRAFT.long_term, DELEGATION_CONTEXT, &delegation);
    let certificate = with(certificate, &[(Tag::SIG, &signature), (Tag::DELE, &delegation)]);
    let signature = self::signature(&DRAFT.delegated, RESPONSE_CONTEXT, &signed);
    let fields: [(Tag, &[u8]); 4] =
        [(Tag::SIG, &signature), (Tag::NONC, &NONCE), (Tag::SREP, &signed), (Tag::CERT, &certificate)];
    Some(frame(&with(answer, &fields)))
}

/// The message with other values for some of its tags.
pub fn with(message: Message<'_>, replaced: &[(Tag, &[u8])]) -> Vec<u8> {
    let values: Vec<_> = message.values().collect();
    let other = |tag| replaced.iter().find(|(replaced, _)| *replaced == tag).map(|(_, bytes)| *bytes);
    let fields: Vec<_> =
        values.iter().map(|value| (value.tag(), other(value.tag()).unwrap_or(value.bytes()))).collect();
    // Only the last value of a message may have an odd length.
    let odd = fields.iter().rev().skip(1).any(|(_, bytes)| bytes.len() % 4 != 0);
    if odd { Vec::new() } else { encode(&fields) }
}

/// The root that the answer's path leads to from our request.
fn root(answer: Message<'_>) -> Option<[u8; 32]> {
    let path: &[[u8; 32]] = answer.require(Tag::PATH).ok()?.arrays().ok()?;
    let mut index = answer.require(Tag::INDX).ok()?.u32().ok()?;
    let mut node = leaf_hash(provider(), &REQUEST);
    for beside in path {
        let (left, right) = if index % 2 == 0 { (&node, beside) } else { (beside, &node) };
        node = node_hash(provider(), left, right);
        index /= 2;
    }
    Some(node)
}

fn signature(key: &SigningKey, context: &[u8], bytes: &[u8]) -> [u8; 64] {
    key.sign(&[context, bytes].concat()).to_bytes()
}

const NONCE: [u8; 32] = [5; 32];
/// 2026-01-01T00:00:00Z.
const MIDPOINT: u64 = 1_767_225_600;
