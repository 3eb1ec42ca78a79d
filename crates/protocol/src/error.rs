//! What can be wrong with a message.

use admit_crypto::Digest;

/// A message was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The message is not the CBOR that its format says.
    #[error("{message} is malformed at byte {position}")]
    Malformed {
        /// Which message.
        message: &'static str,
        /// The byte offset.
        position: usize,
    },
    /// The message is longer than any that is sent.
    #[error("{message} has {length} bytes, more than {limit}")]
    TooLong {
        /// Which message.
        message: &'static str,
        /// Its length.
        length: usize,
        /// The longest allowed.
        limit: usize,
    },
    /// Signature, chain or envelope do not hold.
    #[error("{message} is not authentic: {source}")]
    Trust {
        /// Which message.
        message: &'static str,
        /// What does not hold.
        source: admit_trust::Error,
    },
    /// The challenge is encrypted to a key that this service does not have.
    #[error("challenge is encrypted to key {recipient}, which this service does not have")]
    UnknownChallengeKey {
        /// The key's thumbprint.
        recipient: Digest,
    },
    /// The challenge does not open with the service's key.
    #[error("challenge does not decrypt")]
    ChallengeCiphertext,
    /// The message is for another realm.
    #[error("{message} is for realm {found}")]
    OtherRealm {
        /// Which message.
        message: &'static str,
        /// The realm in the message.
        found: Digest,
    },
    /// The response answers another challenge.
    #[error("response answers another challenge")]
    OtherChallenge,
    /// The response is for another client.
    #[error("response is for another client")]
    OtherClient,
    /// The certificate that came is not for the keys that were sent.
    #[error("certificate is not for the keys that were sent")]
    OtherKeys,
    /// A license in the response was refused.
    #[error(transparent)]
    License(#[from] admit_license::Error),
    /// The realm document names no service of this role.
    #[error("realm has no {role} service")]
    NoService {
        /// The role.
        role: admit_trust::Role,
    },
}

impl Error {
    pub(crate) fn trust(message: &'static str) -> impl Fn(admit_trust::Error) -> Self {
        move |source| Self::Trust { message, source }
    }
}

/// Decodes all of `bytes` as one value.
pub(crate) fn decode_all<'b, T: minicbor::Decode<'b, ()>>(
    message: &'static str,
    limit: usize,
    bytes: &'b [u8],
) -> Result<T, Error> {
    if bytes.len() > limit {
        return Err(Error::TooLong { message, length: bytes.len(), limit });
    }
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().map_err(|error: minicbor::decode::Error| {
        // Where the bytes end, an error has no position of its own: it is where the decoder stands.
        Error::Malformed { message, position: error.position().unwrap_or_else(|| decoder.position()) }
    })?;
    if decoder.position() == bytes.len() {
        Ok(value)
    } else {
        Err(Error::Malformed { message, position: decoder.position() })
    }
}

/// Encodes a value; writing to memory does not fail.
pub(crate) fn encode<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to memory succeeds")
}
