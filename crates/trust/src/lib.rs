//! Whom to believe: the trust root of a realm, X.509 certificates with Admit's roles and properties, chains, and
//! objects signed under them in COSE.
//!
//! Every check returns a type that nothing else can make: [`TrustRoot::pin`] gives a root, a chain verified
//! under it gives a [`Verified`] certificate of one role, and an [`Envelope`] verified under that gives its
//! payload and signer.

mod certificate;
mod chain;
mod component_version;
mod device;
mod envelope;
mod error;
mod issue;
mod oid;
mod properties;
pub mod role;
mod root;
mod time_key;
mod verified;

pub use certificate::Certificate;
pub use chain::{DateCheck, verify_chain};
pub use component_version::{ComponentVersion, InvalidComponentVersion};
pub use device::{CertificateVersion, Device, DeviceKind, NON_SDMI_LEVEL, SDMI_LEVEL};
pub use envelope::{Envelope, KeySignedBytes, SignedBytes, sign, sign_detached};
pub use error::{Error, Field};
pub use issue::{Issuer, Subject, TimeSubject, issue, issue_root, issue_time};
pub use properties::{ClientProperties, ClockKind, Features, Properties, SdkGeneration};
pub use role::Role;
pub use root::{CertificateMemory, TrustRoot};
pub use time_key::TimeKey;
pub use verified::Verified;
