//! The terms of a license: everything it says but its key material. Their CBOR form is in
//! `docs/formats/license.cddl`.

use core::fmt;
use core::time::Duration;

use admit_crypto::{Digest, Entropy};
use admit_time::Timestamp;
use admit_trust::ComponentVersion;
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::{Error, KeyId, Origin, Rights, TimeLimits};

/// A license's own id: 16 random bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct LicenseId(#[cbor(with = "minicbor::bytes")] [u8; 16]);

impl LicenseId {
    /// Takes 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Draws a new id.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for LicenseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LicenseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a license stands in a chain (rows D01 and D02).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Bound to the client, and holds the content key.
    #[n(0)]
    Simple,
    /// Bound to the client, and holds the private key that opens leaves.
    #[n(1)]
    Root,
    /// Holds the content key, wrapped to a root's public key.
    #[n(2)]
    Leaf,
}

/// Which root a leaf needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Uplink {
    /// The root's key id.
    #[n(0)]
    pub key_id: KeyId,
    /// The root key's revision.
    #[n(1)]
    pub revision: u32,
}

/// What a license's key is wrapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Binding {
    /// The kind of key.
    #[n(0)]
    pub kind: BindingKind,
    /// The thumbprint of the public key.
    #[n(1)]
    pub recipient: Digest,
}

/// The kinds of keys that licenses are wrapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum BindingKind {
    /// A client's encryption key.
    #[n(0)]
    Client,
    /// A root license's key.
    #[n(1)]
    Root,
    /// A domain's key.
    #[n(2)]
    Domain,
}

/// What happens to a license with limits in time when the client's clock was set back. Whatever it says, such a license cannot be
/// used until the next signed time: there is no time that it could be judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum RollbackAction {
    /// Nothing else.
    #[n(0)]
    #[default]
    None,
    /// The same, by its issuer's word (DisableOnClockRollback).
    #[n(1)]
    Disable,
    /// It is deleted where the clock was set back before a signed time (DeleteOnClockRollback).
    #[n(2)]
    Delete,
}

/// Minimum output protection levels (row D04). Absent means that no level is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Restrictions {
    /// Uncompressed digital video.
    #[n(1)]
    pub uncompressed_digital_video: Option<u16>,
    /// Compressed digital video.
    #[n(2)]
    pub compressed_digital_video: Option<u16>,
    /// Analog video.
    #[n(3)]
    pub analog_video: Option<u16>,
    /// Compressed digital audio.
    #[n(4)]
    pub compressed_digital_audio: Option<u16>,
    /// Uncompressed digital audio.
    #[n(5)]
    pub uncompressed_digital_audio: Option<u16>,
    /// Copies.
    #[n(6)]
    pub copy: Option<u16>,
}

/// Everything a license says but its key material.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Terms {
    /// The license's own id.
    #[n(1)]
    pub id: LicenseId,
    /// Whose content key this is; of a root, its own key's id.
    #[n(2)]
    pub key_id: KeyId,
    /// Simple, root or leaf.
    #[n(3)]
    pub kind: Kind,
    /// The root that a leaf needs.
    #[n(4)]
    pub uplink: Option<Uplink>,
    /// The root key's revision, in root licenses.
    #[n(5)]
    pub revision: Option<u32>,
    /// The realm whose license this is.
    #[n(6)]
    pub realm: Digest,
    /// When it was issued.
    #[n(7)]
    pub issued_at: Timestamp,
    /// What it allows.
    #[n(8)]
    pub rights: Rights,
    /// Not before this time.
    #[n(9)]
    pub begin: Option<Timestamp>,
    /// Not after this time.
    #[n(10)]
    pub expiry: Option<Timestamp>,
    /// Seconds after the first use of any right.
    #[n(11)]
    pub expiry_after_first_use_secs: Option<u64>,
    /// Seconds after it was stored.
    #[n(12)]
    pub expiry_after_storing_secs: Option<u64>,
    /// How many times it may be played.
    #[n(13)]
    pub play_count: Option<u32>,
    /// How many times it may be transferred.
    #[n(14)]
    pub transfer_count: Option<u32>,
    /// How many times a single track may be burnt.
    #[n(15)]
    pub burn_count: Option<u32>,
    /// How many times the track may be burnt over all playlists (leaves and simple licenses only).
    #[n(16)]
    pub playlist_burn_track_count: Option<u32>,
    /// How many times within one playlist (leaves and simple licenses only).
    #[n(17)]
    pub max_playlist_burn_count: Option<u32>,
    /// The least security level of the application; absent means 100.
    #[n(18)]
    pub minimum_application_level: Option<u32>,
    /// The least security level of the client; absent means 0.
    #[n(19)]
    pub minimum_client_level: Option<u32>,
    /// The least version of an individualized component.
    #[n(20)]
    pub minimum_individualized_version: Option<ComponentVersion>,
    /// The least version of revocation information; absent means 0.
    #[n(21)]
    pub revocation_version: Option<u64>,
    /// Output protection.
    #[n(22)]
    pub restrictions: Option<Restrictions>,
    /// What happens when the clock was set back; absent means [`RollbackAction::None`].
    #[n(23)]
    pub rollback_action: Option<RollbackAction>,
    /// Seconds of running time that a client may go on after its clock lost its power.
    #[n(24)]
    pub grace_secs: Option<u64>,
    /// The longest time, in seconds, without a signed time.
    #[n(25)]
    pub max_offline_secs: Option<u64>,
    /// Whether the license may be kept beyond the session; absent means that it may.
    #[n(26)]
    pub persistent: Option<bool>,
    /// Larger is used first; absent means 0.
    #[n(27)]
    pub priority: Option<i32>,
    /// The metering certificate that counts are reported to.
    #[n(28)]
    pub metering_id: Option<Digest>,
    /// What the key is wrapped to.
    #[n(29)]
    pub binding: Binding,
    /// Where the content came from.
    #[n(30)]
    pub source_id: Option<u32>,
    /// Which client made it, and what for; absent where a license service did.
    #[n(31)]
    pub origin: Option<Origin>,
}

impl Terms {
    /// The terms of a simple license with no limits but what is given.
    #[must_use]
    pub const fn simple(
        id: LicenseId,
        key_id: KeyId,
        realm: Digest,
        issued_at: Timestamp,
        rights: Rights,
        recipient: Digest,
    ) -> Self {
        Self {
            id,
            key_id,
            kind: Kind::Simple,
            uplink: None,
            revision: None,
            realm,
            issued_at,
            rights,
            begin: None,
            expiry: None,
            expiry_after_first_use_secs: None,
            expiry_after_storing_secs: None,
            play_count: None,
            transfer_count: None,
            burn_count: None,
            playlist_burn_track_count: None,
            max_playlist_burn_count: None,
            minimum_application_level: None,
            minimum_client_level: None,
            minimum_individualized_version: None,
            revocation_version: None,
            restrictions: None,
            rollback_action: None,
            grace_secs: None,
            max_offline_secs: None,
            persistent: None,
            priority: None,
            metering_id: None,
            binding: Binding { kind: BindingKind::Client, recipient },
            source_id: None,
            origin: None,
        }
    }

    /// The limits in time together.
    #[must_use]
    pub fn time_limits(&self) -> TimeLimits {
        TimeLimits {
            begin: self.begin,
            expiry: self.expiry,
            after_first_use: self.expiry_after_first_use_secs.map(Duration::from_secs),
            after_storing: self.expiry_after_storing_secs.map(Duration::from_secs),
        }
    }

    /// The least security level of the application.
    #[must_use]
    pub fn minimum_application_level(&self) -> u32 {
        self.minimum_application_level.unwrap_or(DEFAULT_APPLICATION_LEVEL)
    }

    /// Reads terms, with the rule for what a newer server may have added: a field below 1024 that is not known
    /// makes the license unusable, one from 1024 on is skipped.
    pub(crate) fn from_cbor(bytes: &[u8]) -> Result<Self, Error> {
        let fields = check_fields(bytes)?;
        let mut decoder = Decoder::new(bytes);
        let terms: Self = decoder.decode().map_err(|error| Error::terms(&error, &decoder))?;
        fields.check_canonical(bytes, &terms.to_cbor())?;
        terms.check()?;
        Ok(terms)
    }

    pub(crate) fn to_cbor(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect(WRITING_TO_MEMORY)
    }
}

/// What a walk over the map's keys found.
struct Fields {
    count: u64,
    known_end: usize,
}

impl Fields {
    /// The known fields must be the very bytes that this program writes for them (RFC 8949 section 4.2.1), so that
    /// nothing below a field is overlooked and every license has one encoding.
    fn check_canonical(&self, found: &[u8], written: &[u8]) -> Result<(), Error> {
        let mut header = Encoder::new(Vec::new());
        header.map(self.count).expect(WRITING_TO_MEMORY);
        let header = header.into_writer();
        let mut decoder = Decoder::new(written);
        decoder.map().map_err(|error| Error::terms(&error, &decoder))?;
        let expected = [&header, &written[decoder.position()..]].concat();
        let found = &found[..self.known_end];
        if found == expected {
            return Ok(());
        }
        let same = found.iter().zip(&expected).take_while(|(found, expected)| found == expected);
        Err(Error::Terms { position: same.count() })
    }
}

/// Walks the map's keys: ascending, none unknown below 1024, nothing behind the map.
fn check_fields(bytes: &[u8]) -> Result<Fields, Error> {
    let mut decoder = Decoder::new(bytes);
    let count = decoder.map().map_err(|error| Error::terms(&error, &decoder))?.ok_or(Error::Terms { position: 0 })?;
    let mut fields = Fields { count, known_end: decoder.position() };
    let mut previous = None;
    for _ in 0..count {
        let position = decoder.position();
        let field = decoder.u64().map_err(|error| Error::terms(&error, &decoder))?;
        if previous.is_some_and(|previous| previous >= field) {
            return Err(Error::Terms { position });
        }
        if !KNOWN_FIELDS.contains(&field) && field < FIRST_OPTIONAL_FIELD {
            return Err(Error::UnknownField { position });
        }
        previous = Some(field);
        decoder.skip().map_err(|error| Error::terms(&error, &decoder))?;
        if field < FIRST_OPTIONAL_FIELD {
            fields.known_end = decoder.position();
        }
    }
    if decoder.position() == bytes.len() { Ok(fields) } else { Err(Error::Terms { position: decoder.position() }) }
}

/// The security level that content needs where nothing else is said (row B13).
pub const DEFAULT_APPLICATION_LEVEL: u32 = 100;

const WRITING_TO_MEMORY: &str = "writing to memory succeeds";
const KNOWN_FIELDS: core::ops::RangeInclusive<u64> = 1..=31;
const FIRST_OPTIONAL_FIELD: u64 = 1024;
