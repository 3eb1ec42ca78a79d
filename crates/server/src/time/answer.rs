//! Answers (RFC 10049 sections 5.2 and 5.3): a tree over the requests to one long-term key, one signature over its root, and for
//! each request the way from its leaf to the root. Pure.

use admit_crypto::Provider;
use admit_time::Timestamp;
use admit_time::roughtime::{RESPONSE_CONTEXT, TYPE_RESPONSE, Tag, VERSION, encode, frame, node_hash};

use super::TimeRequest;
use super::delegation::Delegation;

type Hash = [u8; 32];

/// Answers all of these requests, in order, with one signature for each long-term key that is asked.
pub(super) fn answer_all(
    provider: &Provider,
    delegations: &[Delegation],
    now: Timestamp,
    radius_secs: u32,
    requests: &[TimeRequest],
) -> Vec<Vec<u8>> {
    let mut answers = vec![Vec::new(); requests.len()];
    for (key, delegation) in delegations.iter().enumerate() {
        let (places, asked): (Vec<usize>, Vec<TimeRequest>) =
            requests.iter().copied().enumerate().filter(|(_, request)| request.key == key).unzip();
        for (place, answer) in places.into_iter().zip(answer(provider, delegation, now, radius_secs, &asked)) {
            answers[place] = answer;
        }
    }
    answers
}

/// Answers requests to the same long-term key, in order, with one signature.
fn answer(
    provider: &Provider,
    delegation: &Delegation,
    now: Timestamp,
    radius_secs: u32,
    requests: &[TimeRequest],
) -> Vec<Vec<u8>> {
    let levels = tree(provider, requests.iter().map(|request| request.leaf).collect());
    let Some([root]) = levels.last().map(Vec::as_slice) else { return Vec::new() };
    let version = VERSION.to_le_bytes();
    let signed = encode(&[
        (Tag::VER, &version),
        (Tag::RADI, &radius_secs.to_le_bytes()),
        (Tag::MIDP, &now.unix_secs().to_le_bytes()),
        (Tag::VERS, &version),
        (Tag::ROOT, root),
    ]);
    let signature = delegation.sign(&[RESPONSE_CONTEXT, &signed].concat());
    let answer = |(index, request): (u32, &TimeRequest)| {
        frame(&encode(&[
            (Tag::SIG, &signature),
            (Tag::NONC, &request.nonce),
            (Tag::TYPE, &TYPE_RESPONSE.to_le_bytes()),
            (Tag::PATH, &path(&levels, index).concat()),
            (Tag::SREP, &signed),
            (Tag::CERT, delegation.certificate()),
            (Tag::INDX, &index.to_le_bytes()),
        ]))
    };
    (0..).zip(requests).map(answer).collect()
}

/// The levels of the tree, leaves first. A level of odd length is made even by its last node.
fn tree(provider: &Provider, leaves: Vec<Hash>) -> Vec<Vec<Hash>> {
    let mut levels = vec![leaves];
    while let Some(level) = levels.last_mut().filter(|level| level.len() > 1) {
        if level.len() % 2 == 1 {
            level.extend(level.last().copied());
        }
        let (pairs, _) = level.as_chunks();
        let above = pairs.iter().map(|[left, right]| node_hash(provider, left, right)).collect();
        levels.push(above);
    }
    levels
}

/// The hashes beside the way up from a leaf.
fn path(levels: &[Vec<Hash>], index: u32) -> Vec<Hash> {
    let below_root = &levels[..levels.len() - 1];
    let mut index = usize::try_from(index).expect("usize has 32 bits or more");
    let beside = |level: &Vec<Hash>| {
        let hash = level[index ^ 1];
        index /= 2;
        hash
    };
    below_root.iter().map(beside).collect()
}
