//! A Roughtime server's signing side (RFC 10049 section 5.2) for tests: deterministic, able to lie in every field, and
//! written without `admit-time`, so that it is a second opinion about every byte.

use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha512};

/// A time server with a long-term key and a delegated one.
#[derive(Debug)]
pub struct Responder {
    long_term: SigningKey,
    delegated: SigningKey,
}

impl Responder {
    /// Makes both keys from one seed.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        let key = |role: &[u8]| SigningKey::from_bytes(&hash(&[&seed, role]));
        Self { long_term: key(b"long-term"), delegated: key(b"delegated") }
    }

    /// The long-term public key, which clients pin.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.long_term.verifying_key().to_bytes()
    }

    /// An honest response: the delegation begins an hour before `midpoint` and ends a day after it, radius 3.
    ///
    /// # Panics
    ///
    /// When the packet is no request with a nonce.
    #[must_use]
    pub fn respond(&self, request_packet: &[u8], midpoint: u64) -> Vec<u8> {
        self.draft(&[request_packet], 0, midpoint).seal()
    }

    /// The response to one of several requests that share a signature, not yet signed, so that a test can change it.
    ///
    /// # Panics
    ///
    /// When that packet is no request with a nonce.
    #[must_use]
    pub fn draft(&self, request_packets: &[&[u8]], index: usize, midpoint: u64) -> Draft {
        let leaves = request_packets.iter().map(|packet| hash(&[&[0], packet])).collect();
        let (root, path) = climb(leaves, index);
        Draft {
            nonce: nonce_of(request_packets[index]).expect("a request has a nonce"),
            message_type: 1,
            path: path.concat(),
            index: u32::try_from(index).expect("batches are small"),
            version: 1,
            radius: 3,
            midpoint,
            versions: vec![1],
            root,
            begins: midpoint.saturating_sub(3600),
            ends: midpoint.saturating_add(86_400),
            extra: None,
            protocol_name: "Roughtime",
            long_term: self.long_term.clone(),
            delegated: self.delegated.clone(),
        }
    }
}

/// A response before it is signed. What a test writes here will be signed as if it were true.
#[derive(Debug, Clone)]
pub struct Draft {
    /// NONC.
    pub nonce: [u8; 32],
    /// TYPE.
    pub message_type: u32,
    /// PATH.
    pub path: Vec<u8>,
    /// INDX.
    pub index: u32,
    /// VER in SREP.
    pub version: u32,
    /// RADI.
    pub radius: u32,
    /// MIDP.
    pub midpoint: u64,
    /// VERS.
    pub versions: Vec<u32>,
    /// ROOT.
    pub root: [u8; 32],
    /// MINT.
    pub begins: u64,
    /// MAXT.
    pub ends: u64,
    /// A tag with four bytes of value, put into every message; it must be above INDX.
    pub extra: Option<[u8; 4]>,
    /// How the context strings begin: the drafts wrote `RoughTime`.
    pub protocol_name: &'static str,
    /// What signs the delegation.
    pub long_term: SigningKey,
    /// What signs the response, and is delegated to.
    pub delegated: SigningKey,
}

impl Draft {
    /// Signs and writes the packet.
    #[must_use]
    pub fn seal(&self) -> Vec<u8> {
        let delegation = self.message(&[
            (*b"PUBK", self.delegated.verifying_key().as_bytes()),
            (*b"MINT", &self.begins.to_le_bytes()),
            (*b"MAXT", &self.ends.to_le_bytes()),
        ]);
        let certificate = self
            .message(&[(*b"SIG\0", &self.sign(&self.long_term, "delegation", &delegation)), (*b"DELE", &delegation)]);
        let signed = self.message(&[
            (*b"VER\0", &self.version.to_le_bytes()),
            (*b"RADI", &self.radius.to_le_bytes()),
            (*b"MIDP", &self.midpoint.to_le_bytes()),
            (*b"VERS", &self.versions.iter().flat_map(|version| version.to_le_bytes()).collect::<Vec<_>>()),
            (*b"ROOT", &self.root),
        ]);
        let message = self.message(&[
            (*b"SIG\0", &self.sign(&self.delegated, "response", &signed)),
            (*b"NONC", &self.nonce),
            (*b"TYPE", &self.message_type.to_le_bytes()),
            (*b"PATH", &self.path),
            (*b"SREP", &signed),
            (*b"CERT", &certificate),
            (*b"INDX", &self.index.to_le_bytes()),
        ]);
        [b"ROUGHTIM", &word(message.len())[..], &message].concat()
    }

    fn sign(&self, key: &SigningKey, what: &str, value: &[u8]) -> [u8; 64] {
        let context = format!("{} v1 {what} signature\0", self.protocol_name);
        key.sign(&[context.as_bytes(), value].concat()).to_bytes()
    }

    fn message(&self, fields: &[([u8; 4], &[u8])]) -> Vec<u8> {
        let mut fields = fields.to_vec();
        fields.extend(self.extra.map(|tag| (tag, &b"more"[..])));
        let ends = fields.iter().scan(0, |end, (_, value)| {
            *end += value.len();
            Some(*end)
        });
        let mut message = word(fields.len()).to_vec();
        message.extend(ends.take(fields.len() - 1).flat_map(word));
        message.extend(fields.iter().flat_map(|(tag, _)| tag));
        message.extend(fields.iter().flat_map(|(_, value)| *value));
        message
    }
}

/// The root over some leaves, and the hashes beside the way to it. Levels of odd length repeat their last node.
fn climb(mut level: Vec<[u8; 32]>, mut index: usize) -> ([u8; 32], Vec<[u8; 32]>) {
    let mut path = Vec::new();
    while level.len() > 1 {
        if level.len() % 2 == 1 {
            level.extend(level.last().copied());
        }
        path.push(level[index ^ 1]);
        level = level.chunks(2).map(|pair| hash(&[&[1], &pair[0], &pair[1]])).collect();
        index /= 2;
    }
    (level[0], path)
}

/// NONC of a request packet.
fn nonce_of(packet: &[u8]) -> Option<[u8; 32]> {
    let message = packet.get(12..)?;
    let number = |at: usize| Some(u32::from_le_bytes(*message.get(4 * at..)?.first_chunk()?) as usize);
    let pairs = number(0)?;
    let index = (0..pairs).find(|index| message[4 * (pairs + index)..].starts_with(b"NONC"))?;
    let start = 8 * pairs + if index == 0 { 0 } else { number(index)? };
    message.get(start..)?.first_chunk().copied()
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha512::new();
    parts.iter().for_each(|part| hasher.update(part));
    *hasher.finalize().first_chunk().expect("SHA-512 gives 64 bytes")
}

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("test messages are small").to_le_bytes()
}
