//! What content says of its license, what licenses allow, and whether an action may happen: content header,
//! rights, limits, chains and binding. Building, signing, verifying and evaluating are pure functions.

mod action;
mod application;
mod dead;
mod denied;
mod error;
mod evaluate;
mod explain;
pub mod header;
mod held;
mod issue;
mod local;
mod order;
mod origin;
mod portable;
mod rights;
mod rule;
mod signed_header;
mod terms;
mod time_limits;
mod usage;
mod verified;
mod watch;

pub use action::{Action, UnknownAction};
pub use admit_crypto::{KeyId, KeyIdError};
pub use application::Application;
pub use dead::Dead;
pub use denied::{Denied, Reason, Refusal, Remedy};
pub use error::Error;
pub use evaluate::{Charge, Environment, Grant, Output, evaluate};
pub use explain::{Explanation, Judged, explain};
pub use held::HeldLicense;
pub use issue::{KeyMaterial, LICENSE_CONTENT_TYPE, LicenseSigner, SignedLicense, issue};
pub use local::{LOCAL_LICENSE_CONTENT_TYPE, LocalRefusal, issue_local, local_key_id, local_rights};
pub use order::Precedence;
pub use origin::Origin;
pub use portable::{
    PORTABLE_LICENSE_CONTENT_TYPE, issue_portable, play_on_device_right, portable_rights, transfer_action,
};
pub use rights::{Rights, RightsArray, SdmiClass, UndefinedRights, final_rights};
pub use rule::Rule;
pub use signed_header::{HEADER_CONTENT_TYPE, TrustedHeader};
pub use terms::{
    Binding, BindingKind, DEFAULT_APPLICATION_LEVEL, Kind, LicenseId, Restrictions, RollbackAction, Terms, Uplink,
};
pub use time_limits::TimeLimits;
pub use usage::{Count, Usage};
pub use verified::{VerifiedLicense, inspect};
pub use watch::Watch;
