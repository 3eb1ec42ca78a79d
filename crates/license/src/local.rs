//! Licenses that an application issues on its own machine for content it made there (row B10), without a service. They
//! are signed by the client's certificate, bound to the same client, and never hold the key of a service's content: a
//! local key's id is a function of the key and the client.

use admit_crypto::{ContentKey, Entropy, KeyId, Provider, PublicKey};
use admit_trust::SdkGeneration;

use crate::issue::seal_license;
use crate::{Application, Error, KeyMaterial, LicenseSigner, Rights, SignedLicense, Terms};

/// An application may not issue these licenses. Not `non_exhaustive`: every refusal has a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LocalRefusal {
    /// SDMI content needs an application of level 450.
    #[error("marking content as SDMI-validated needs application security level {needed}, and here it is {found}")]
    SdmiLevel {
        /// The least level.
        needed: u32,
        /// The application's level.
        found: u32,
    },
    /// The application is of the older SDK and does not know these rights (row B08).
    #[error("the application is too old to know the rights {rights}")]
    UnknownRights {
        /// The rights it does not know.
        rights: Rights,
    },
}

/// The rights of the licenses that an application issues for content it made: exactly those it specifies, but for SDMI
/// content that is not for one use. Of that, one license is for the PC, and three are for one transfer each.
pub fn local_rights(specified: Rights, application: &Application) -> Result<Vec<Rights>, LocalRefusal> {
    let unknown = specified.without(Rights::OLDER_SDK);
    if application.sdk_generation == SdkGeneration::Older && unknown != Rights::NONE {
        return Err(LocalRefusal::UnknownRights { rights: unknown });
    }
    if !specified.contains(Rights::SDMI_VALIDATED) {
        return Ok(vec![specified]);
    }
    if !application.may_mark_sdmi() {
        let (needed, found) = (admit_trust::SDMI_LEVEL, application.security_level);
        return Err(LocalRefusal::SdmiLevel { needed, found });
    }
    if specified.contains(Rights::ONE_TIME) {
        return Ok(vec![specified]);
    }
    let once = specified | Rights::ONE_TIME;
    Ok(vec![specified.without(Rights::SDMI_VALIDATED), once, once, once])
}

/// The id of a local content key (a version 8 UUID, RFC 9562), for the client whose encryption key this is. No other key,
/// and no other client, has it: a license under a service's key id cannot be local.
#[must_use]
pub fn local_key_id(provider: &Provider, client: &PublicKey, key: &ContentKey) -> KeyId {
    local_key_id_of(provider, &client.thumbprint(provider), key)
}

pub(crate) fn local_key_id_of(provider: &Provider, client: &admit_crypto::Digest, key: &ContentKey) -> KeyId {
    let digest = (provider.sha256)(&[KEY_ID_LABEL, client.as_bytes(), key.expose()]);
    let mut id = [0; 16];
    id.copy_from_slice(&digest.as_bytes()[..16]);
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    KeyId::from_bytes(id)
}

/// Signs a local license with the client's own key, and wraps the content key to the client.
pub fn issue_local(
    provider: &Provider,
    signer: LicenseSigner<'_>,
    terms: Terms,
    key: &ContentKey,
    client: &PublicKey,
    entropy: &mut dyn Entropy,
) -> Result<SignedLicense, Error> {
    let is_local = terms.origin.is_some_and(crate::Origin::is_local);
    if !is_local || terms.key_id != local_key_id(provider, client, key) {
        return Err(Error::OtherOrigin);
    }
    seal_license(provider, signer, LOCAL_LICENSE_CONTENT_TYPE, terms, &KeyMaterial::Content(key), client, entropy)
}

/// The content type of licenses that a client signed for itself.
pub const LOCAL_LICENSE_CONTENT_TYPE: &str = "application/admit-local-license+cbor";

const KEY_ID_LABEL: &[u8] = b"admit/1/local key id";

#[cfg(test)]
mod tests {
    use admit_trust::CertificateVersion;

    use super::*;

    fn application(security_level: u32, sdk_generation: SdkGeneration) -> Application {
        Application { security_level, sdk_generation, certificate_version: CertificateVersion::V2 }
    }

    #[test]
    fn b10_every_combination_of_the_seven_bits_follows_the_rule() {
        for bits in 0..128u32 {
            for level in [0, 100, 449, 450, 1000] {
                for sdk in [SdkGeneration::Older, SdkGeneration::Newer] {
                    let found = local_rights(Rights::from_bits(bits).unwrap(), &application(level, sdk));
                    let found = found.map(|all| all.iter().map(|rights| rights.bits()).collect::<Vec<_>>());
                    // As the document tells it, bit by bit.
                    let (marked, once) = (bits & 16 != 0, bits & 32 != 0);
                    if sdk == SdkGeneration::Older && bits > 7 {
                        assert!(matches!(found, Err(LocalRefusal::UnknownRights { .. })), "{bits}");
                    } else if marked && level < 450 {
                        assert_eq!(found, Err(LocalRefusal::SdmiLevel { needed: 450, found: level }), "{bits}");
                    } else if marked && !once {
                        assert_eq!(found, Ok(vec![bits - 16, bits + 32, bits + 32, bits + 32]), "{bits}");
                    } else {
                        assert_eq!(found, Ok(vec![bits]), "{bits}");
                    }
                }
            }
        }
    }

    #[test]
    fn b10_the_right_that_an_older_application_does_not_know_is_named() {
        let refused = local_rights(Rights::PLAY | Rights::BURN_TO_CD, &application(1000, SdkGeneration::Older));
        assert_eq!(refused, Err(LocalRefusal::UnknownRights { rights: Rights::BURN_TO_CD }));
    }
}
