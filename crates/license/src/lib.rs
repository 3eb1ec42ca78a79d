//! What content says of its license, what licenses allow, and whether an action may happen: content header,
//! rights, limits, chains and binding. Building, signing, verifying and evaluating are pure functions.

mod action;
mod denied;
mod error;
mod evaluate;
mod explain;
pub mod header;
mod issue;
mod order;
mod rights;
mod signed_header;
mod terms;
mod usage;
mod verified;
mod watch;

pub use action::{Action, UnknownAction};
pub use admit_crypto::{KeyId, KeyIdError};
pub use denied::{Denied, Reason, Refusal, Remedy};
pub use error::Error;
pub use evaluate::{Application, Charge, Environment, Grant, Output, evaluate};
pub use explain::{Explanation, Judged, explain};
pub use issue::{KeyMaterial, LICENSE_CONTENT_TYPE, LicenseSigner, SignedLicense, issue};
pub use order::Precedence;
pub use rights::{Rights, RightsArray, SdmiClass, UndefinedRights, final_rights};
pub use signed_header::{HEADER_CONTENT_TYPE, TrustedHeader};
pub use terms::{
    Binding, BindingKind, DEFAULT_APPLICATION_LEVEL, Kind, LicenseId, Restrictions, RollbackAction, Rule, Terms,
    TimeLimits, Uplink,
};
pub use usage::{Count, HeldLicense, Usage};
pub use verified::{VerifiedLicense, inspect};
pub use watch::Watch;
