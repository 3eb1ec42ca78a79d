//! The license challenge.

use std::collections::BTreeMap;

use admit_crypto::{DecryptionKey, Digest, Entropy, Provider, PublicKey, SigningKey, hpke};
use admit_license::{Action, KeyId, LicenseId, Rights};
use admit_time::clock::ClockState;
use admit_trust::{
    Certificate, ClientProperties, ClockKind, ComponentVersion, DateCheck, Envelope, SdkGeneration, TrustRoot,
    Verified, role,
};
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

use super::{CHALLENGE_CONTENT_TYPE, MAX_CHALLENGE, MAX_KEY_IDS};
use crate::Error;
use crate::error::{decode_all, encode};

/// Where the client's store stands, so that a restored copy is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StorePosition {
    /// Drawn when the store was made.
    #[n(1)]
    pub epoch: ByteArray<16>,
    /// Goes up with every write.
    #[n(2)]
    pub sequence: u64,
    /// The head of the hash chain over all writes.
    #[n(3)]
    pub head: Digest,
}

impl StorePosition {
    /// Whether a store that stands here cannot have come behind the one that stood there: it was put back from a copy, or is
    /// one of two copies that went on. Another epoch is another store.
    #[must_use]
    pub fn is_older_than(&self, seen: &Self) -> bool {
        let forked = self.sequence == seen.sequence && self.head != seen.head;
        self.epoch == seen.epoch && (self.sequence < seen.sequence || forked)
    }
}

/// A license the client already has, so that only what is missing is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HeldElement {
    /// The license's key id.
    #[n(0)]
    pub key_id: KeyId,
    /// The license.
    #[n(1)]
    pub license: LicenseId,
}

/// What revocation data the client has: the version of the information, and the number of each list by its id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct RevocationNumbers {
    /// The version of the revocation information; zero is none.
    #[n(1)]
    pub information: u64,
    /// The number of each list.
    #[n(2)]
    pub lists: BTreeMap<u32, u64>,
}

/// What a client asks a license service for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LicenseChallenge {
    /// Random, and never used again.
    #[n(1)]
    pub nonce: ByteArray<32>,
    /// The realm of the service.
    #[n(2)]
    pub realm: Digest,
    /// The content header object, when the content has one.
    #[n(3)]
    pub header: Option<ByteVec>,
    /// The content keys.
    #[n(4)]
    pub key_ids: Vec<KeyId>,
    /// The rights asked for, as bits; the service masks undefined ones.
    #[n(5)]
    pub requested_rights: u32,
    /// The actions the user wants.
    #[n(6)]
    pub actions: Vec<Action>,
    /// SHA-256 of the entitlement token that is sent beside the challenge.
    #[n(7)]
    pub token_hash: Option<Digest>,
    /// The component's security version.
    #[n(8)]
    pub security_version: ComponentVersion,
    /// Which rights the application knows.
    #[n(9)]
    pub sdk_generation: SdkGeneration,
    /// What the client can do, as bits.
    #[n(10)]
    pub features: u32,
    /// The client's clock.
    #[n(11)]
    pub clock: ClockKind,
    /// The state of the clock.
    #[n(12)]
    pub clock_state: ClockState,
    /// Whether the response shall carry the time.
    #[n(13)]
    pub time_requested: bool,
    /// Whether a license is wanted (`LICENSEREQUESTED`, row E07).
    #[n(14)]
    pub license_requested: bool,
    /// Where the store stands.
    #[n(15)]
    pub store: StorePosition,
    /// Licenses that the client has for these keys and their roots.
    #[n(16)]
    pub held: Vec<HeldElement>,
    /// The revocation data the client has.
    #[n(17)]
    pub revocation: RevocationNumbers,
    /// The application's certificate.
    #[n(18)]
    pub application: Option<ByteVec>,
    /// Whether licenses that the owner was issued before are asked for again (row B14). Without key ids, all of them.
    #[n(19)]
    #[cbor(default, skip_if = "is_no")]
    pub recovery: bool,
}

impl LicenseChallenge {
    /// The rights asked for, undefined bits dropped.
    #[must_use]
    pub const fn rights(&self) -> Rights {
        Rights::from_bits_masked(self.requested_rights)
    }

    /// Signs the challenge with the client's key and seals it to the license service.
    pub fn seal(
        &self,
        provider: &Provider,
        key: &SigningKey,
        chain: &[Certificate],
        service: &PublicKey,
        entropy: &mut dyn Entropy,
    ) -> SealedChallenge {
        let signed = admit_trust::sign(key, chain, CHALLENGE_CONTENT_TYPE, &encode(self));
        let hash = (provider.sha256)(&[&signed]);
        let recipient = service.thumbprint(provider);
        let seed = hpke::EphemeralSeed::generate(entropy);
        let sealed = hpke::seal(provider, service, CHALLENGE_INFO, recipient.as_bytes(), &signed, seed);
        SealedChallenge { bytes: encode(&Outer { version: VERSION, recipient, sealed }), hash }
    }
}

/// A challenge as it travels, with the hash that the response must carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedChallenge {
    bytes: Vec<u8>,
    hash: Digest,
}

impl SealedChallenge {
    /// What to send.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the signed challenge.
    #[must_use]
    pub const fn hash(&self) -> Digest {
        self.hash
    }
}

/// A challenge that decrypted, whose signature and chain hold: the server's starting point.
///
/// ```compile_fail,E0451
/// # use admit_protocol::acquire::{LicenseChallenge, OpenedChallenge};
/// fn forge(challenge: LicenseChallenge) -> OpenedChallenge {
///     OpenedChallenge { challenge, ..unimplemented!() }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct OpenedChallenge {
    challenge: LicenseChallenge,
    hash: Digest,
    client: Verified<Certificate, role::Client>,
    properties: ClientProperties,
}

impl OpenedChallenge {
    /// Decrypts a challenge, verifies the client's chain and signature, and reads it.
    pub fn open(
        provider: &Provider,
        root: &TrustRoot,
        service: &DecryptionKey,
        dates: DateCheck,
        bytes: &[u8],
    ) -> Result<Self, Error> {
        let outer: Outer = decode_all(MESSAGE, MAX_CHALLENGE, bytes)?;
        if outer.version != VERSION {
            return Err(Error::Malformed { message: MESSAGE, position: 1 });
        }
        if outer.recipient != service.public_key().thumbprint(provider) {
            return Err(Error::UnknownChallengeKey { recipient: outer.recipient });
        }
        let aad = outer.recipient.as_bytes();
        let signed = hpke::open(provider, service, CHALLENGE_INFO, aad, &outer.sealed)
            .map_err(|_| Error::ChallengeCiphertext)?;
        let hash = (provider.sha256)(&[&signed]);
        let trust = Error::trust(MESSAGE);
        let envelope = Envelope::decode_below(root, &signed, CHALLENGE_CONTENT_TYPE).map_err(&trust)?;
        let signed = envelope.verify::<role::Client>(provider, root, dates).map_err(&trust)?;
        let challenge: LicenseChallenge = decode_all(MESSAGE, MAX_CHALLENGE, signed.payload())?;
        let client = signed.into_signer();
        let properties = client.properties().client().map_err(&trust)?;
        if challenge.realm != root.realm() {
            return Err(Error::OtherRealm { message: MESSAGE, found: challenge.realm });
        }
        if challenge.key_ids.len() > MAX_KEY_IDS {
            return Err(Error::TooLong { message: KEY_IDS, length: challenge.key_ids.len(), limit: MAX_KEY_IDS });
        }
        Ok(Self { challenge, hash, client, properties })
    }

    /// What the client asks for.
    #[must_use]
    pub const fn challenge(&self) -> &LicenseChallenge {
        &self.challenge
    }

    /// SHA-256 of the signed challenge: what the response carries, and what a retry is recognized by.
    #[must_use]
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// The client's certificate.
    pub const fn client(&self) -> &Verified<Certificate, role::Client> {
        &self.client
    }

    /// What the client's certificate says.
    #[must_use]
    pub const fn properties(&self) -> &ClientProperties {
        &self.properties
    }
}

/// What travels: an array of version, the thumbprint of the key it is encrypted to, and the sealed challenge.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Outer {
    #[n(0)]
    version: u8,
    #[n(1)]
    recipient: Digest,
    #[n(2)]
    sealed: hpke::Sealed,
}

/// Whether a field that says no is left out.
const fn is_no(value: &bool) -> bool {
    !*value
}

const VERSION: u8 = 1;
const CHALLENGE_INFO: &[u8] = b"admit/1/challenge";
const MESSAGE: &str = "license challenge";
const KEY_IDS: &str = "list of key ids";
