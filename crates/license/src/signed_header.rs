//! The content header's signature: a detached COSE_Sign1 over the header record, by a certificate of the role
//! `packaging`, in a record of its own of the header object.

use admit_crypto::{Provider, SigningKey};
use admit_trust::{Certificate, DateCheck, Envelope, Role, TrustRoot, Verified};

use crate::Error;
use crate::header::{ContentHeader, HeaderObject};

/// A content header and who stands behind it.
///
/// ```compile_fail,E0451
/// # use admit_license::{TrustedHeader, header::ContentHeader};
/// fn forge(header: ContentHeader) -> TrustedHeader {
///     TrustedHeader { header, signer: None }
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct TrustedHeader {
    header: ContentHeader,
    signer: Option<Verified<Certificate>>,
}

impl TrustedHeader {
    /// Signs a header; the result is the data of Admit's `pssh` box.
    #[must_use]
    pub fn sign(header: &ContentHeader, key: &SigningKey, chain: &[Certificate]) -> HeaderObject {
        let signature = admit_trust::sign_detached(key, chain, HEADER_CONTENT_TYPE, header.record_bytes());
        HeaderObject::new(header).with_signature(signature)
    }

    /// Verifies the signature where there is one. A header without a signature, as other packagers make, is
    /// accepted as unsigned: what it says of a minimum version or a server is then nobody's word.
    pub fn verify(
        provider: &Provider,
        root: &TrustRoot,
        object: &HeaderObject,
        dates: DateCheck,
    ) -> Result<Self, Error> {
        let header = object.header()?;
        let Some(signature) = object.signature() else { return Ok(Self { header, signer: None }) };
        let signed = Envelope::decode(signature, HEADER_CONTENT_TYPE)?.verify_detached(
            header.record_bytes(),
            provider,
            root,
            Role::Packaging,
            dates,
        )?;
        Ok(Self { header, signer: signed.signer().cloned() })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &ContentHeader {
        &self.header
    }

    /// The packaging certificate that signed it; none on an unsigned header.
    #[must_use]
    pub const fn signer(&self) -> Option<&Verified<Certificate>> {
        self.signer.as_ref()
    }
}

/// The content type of header signatures.
pub const HEADER_CONTENT_TYPE: &str = "application/admit-content-header";
