//! Another implementation, roughenough 2.2: it reads our requests, and writes answers that we must read. Signatures are
//! made by aws-lc, so that no code is shared with the other responder.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use roughenough_merkle::MerkleTree;
use roughenough_protocol::cursor::ParseCursor;
use roughenough_protocol::request::Request;
use roughenough_protocol::response::Response;
use roughenough_protocol::tags::{
    Certificate, Delegation, MerkleRoot, MessageType, Nonce, ProtocolVersion, PublicKey, Signature, SignedResponse,
    SupportedVersions,
};
use roughenough_protocol::{FromFrame, ToFrame, ToWire};

use admit_time::roughtime::{request_packet, server_commitment};

use crate::PROVIDERS;
use crate::cases::{Case, MIDPOINT, server};
use crate::verdict;

/// Answers by roughenough-protocol and roughenough-merkle.
pub(crate) fn cases() -> Vec<Case> {
    [(1, 0), (2, 1), (8, 5), (13, 12)].map(|(size, index)| case(size, index)).into()
}

#[test]
fn it_reads_our_request() {
    let nonce = [5; 32];
    for provider in PROVIDERS {
        let mut packet = request_packet(provider, &nonce, &server().public_key());
        let request = Request::from_frame(&mut ParseCursor::new(&mut packet)).unwrap();
        assert_eq!(*request.nonc(), Nonce::from(nonce));
        assert_eq!(request.msg_type(), MessageType::Request);
        assert_eq!(request.ver().versions(), [ProtocolVersion::RFC]);
        let commitment = server_commitment(provider, &server().public_key());
        assert_eq!(request.srv().unwrap().as_ref(), commitment);
    }
}

#[test]
fn it_reads_the_other_responder() {
    let mut packet = crate::cases::valid().seal();
    let response = Response::from_frame(&mut ParseCursor::new(&mut packet)).unwrap();
    assert_eq!((response.srep().midp(), response.srep().radi()), (MIDPOINT, 3));
    assert_eq!(response.as_frame_bytes().unwrap(), packet, "byte for byte");
}

#[test]
fn we_read_every_answer_of_trees_of_every_size() {
    for size in 1..=17 {
        for index in 0..size {
            let case = case(size, index);
            let signed = verdict(&case.key, &case.request, &case.response).unwrap();
            assert_eq!((signed.midpoint().unix_secs(), signed.radius_secs()), (MIDPOINT, 5), "{index} of {size}");
        }
    }
}

fn case(size: u8, index: u8) -> Case {
    let long_term = Ed25519KeyPair::from_seed_unchecked(&[0xa5; 32]).unwrap();
    let key = long_term.public_key().as_ref().try_into().unwrap();
    let request = |nonce| request_packet(PROVIDERS[0], &[nonce; 32], &key);
    let mut tree = MerkleTree::new();
    (0..size).for_each(|nonce| tree.push_leaf(&request(nonce)));
    let root = tree.compute_root();

    let mut response = Response::default();
    response.set_nonc(Nonce::from([index; 32]));
    response.set_path(tree.get_paths(index.into()));
    response.set_indx(index.into());
    sign(&mut response, &long_term, root);
    Case {
        name: format!("accept-library-{index}-of-{size}"),
        about: "roughenough-protocol and roughenough-merkle 2.2 to our request, signed by aws-lc",
        key,
        request: request(index),
        response: response.as_frame_bytes().unwrap(),
        verdict: Ok((MIDPOINT, 5)),
    }
}

fn sign(response: &mut Response, long_term: &Ed25519KeyPair, root: [u8; 32]) {
    let delegated = Ed25519KeyPair::from_seed_unchecked(&[0x5a; 32]).unwrap();
    let sign = |key: &Ed25519KeyPair, context: &[u8], value: &[u8]| {
        let signature: [u8; 64] = key.sign(&[context, value].concat()).as_ref().try_into().unwrap();
        Signature::from(signature)
    };
    let version = ProtocolVersion::RFC;
    let mut signed = SignedResponse::default();
    signed.set_ver(version);
    signed.set_radi(5);
    signed.set_midp(MIDPOINT);
    signed.set_vers(&SupportedVersions::new(&ProtocolVersion::ADVERTISED));
    signed.set_root(&MerkleRoot::from(root));
    response.set_sig(sign(&delegated, version.srep_prefix(), &signed.as_bytes().unwrap()));
    response.set_srep(signed);

    let mut delegation = Delegation::default();
    let public: [u8; 32] = delegated.public_key().as_ref().try_into().unwrap();
    delegation.set_pubk(PublicKey::from(public));
    delegation.set_mint(MIDPOINT - 3600);
    delegation.set_maxt(MIDPOINT + 3600);
    let signature = sign(long_term, version.dele_prefix(), &delegation.as_bytes().unwrap());
    response.set_cert(Certificate::new(signature, delegation));
}
