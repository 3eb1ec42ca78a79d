//! The content header's signature: a detached COSE_Sign1 over the header record, by a certificate of the role
//! `packaging`, in a record of its own of the header object.

use admit_crypto::{Provider, SigningKey};
use admit_trust::{Certificate, DateCheck, Envelope, TrustRoot, Verified, role};

use crate::Error;
use crate::header::{ContentHeader, HeaderObject};

/// A content header that a packaging service stands behind. A [`ContentHeader`] by itself is nobody's word: what needs
/// a signature asks for this type.
///
/// ```compile_fail,E0451
/// # use admit_license::{TrustedHeader, header::ContentHeader};
/// # use admit_trust::{Certificate, Verified, role};
/// fn forge(header: ContentHeader, signer: Verified<Certificate, role::Packaging>) -> TrustedHeader {
///     TrustedHeader { header, signer }
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct TrustedHeader {
    header: ContentHeader,
    signer: Verified<Certificate, role::Packaging>,
}

impl TrustedHeader {
    /// Signs a header; the result is the data of Admit's `pssh` box.
    #[must_use]
    pub fn sign(header: &ContentHeader, key: &SigningKey, chain: &[Certificate]) -> HeaderObject {
        let signature = admit_trust::sign_detached(key, chain, HEADER_CONTENT_TYPE, header.record_bytes());
        HeaderObject::new(header).with_signature(signature)
    }

    /// Verifies the signature where there is one. There is none on a header that another packager made; what that says
    /// of a minimum version or a server is nobody's word.
    pub fn verify(
        provider: &Provider,
        root: &TrustRoot,
        object: &HeaderObject,
        dates: DateCheck,
    ) -> Result<Option<Self>, Error> {
        let header = object.header()?;
        let Some(signature) = object.signature() else { return Ok(None) };
        let envelope = Envelope::decode(signature, HEADER_CONTENT_TYPE)?;
        let signed = envelope.verify_detached(header.record_bytes(), provider, root, dates)?;
        Ok(Some(Self { header, signer: signed.into_signer() }))
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &ContentHeader {
        &self.header
    }

    /// The packaging certificate that signed it.
    pub const fn signer(&self) -> &Verified<Certificate, role::Packaging> {
        &self.signer
    }
}

/// The content type of header signatures.
pub const HEADER_CONTENT_TYPE: &str = "application/admit-content-header";
