//! What a license will say (row B06): the seam where an operator's rules stand. The server asks a policy once per
//! key, after identity and entitlement have been checked, and holds its answer to what a policy may decide.

use std::fmt;

use admit_license::{Rights, RightsArray, Terms, final_rights};
use admit_protocol::acquire::LicenseChallenge;
use admit_time::Timestamp;
use admit_trust::{Certificate, ClientProperties, ClockKind, Verified, role};

use crate::content::Content;
use crate::token::Claims;

/// What a policy knows when it decides.
#[derive(Debug, Clone, Copy)]
pub struct PolicyRequest<'a> {
    /// The time now.
    pub now: Timestamp,
    /// What the client asks for and says of itself.
    pub challenge: &'a LicenseChallenge,
    /// What the client's certificate says.
    pub client: &'a ClientProperties,
    /// The application's certificate, where the client sent one.
    pub application: Option<&'a Verified<Certificate, role::Application>>,
    /// The content.
    pub content: &'a Content,
    /// The buyer's entitlement; none where the content is open and no token was sent.
    pub entitlement: Option<&'a Claims>,
}

/// Decides what a license says.
pub trait Policy: fmt::Debug + Send + Sync {
    /// The terms of the license, made from a draft that grants nothing. The draft's ids, realm, time and binding
    /// must stay as they are.
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Terms, PolicyRefusal>;

    /// The rights that every license of it has, where it gives the same to everybody without other limits: what the
    /// license page says beforehand.
    fn rights_for_everybody(&self) -> Option<Rights> {
        None
    }
}

/// A policy issued no license.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefusal {
    /// It said no. The client is told why.
    #[error("no license is issued: {reason}")]
    Refused {
        /// Why, for the user.
        reason: String,
    },
    /// It set limits in time for a client that has no trusted clock to keep them by (row E01).
    #[error("the license would have limits in time, and this client has no trusted clock")]
    NoClock,
    /// It does not work. Only the log is told why.
    #[error("the acquisition policy does not work")]
    Failed {
        /// What is wrong, for the operator.
        reason: String,
    },
}

/// The default: `rights = 3,0,0,0,3,0,0,0`, no expiry, application level 100. The content's own minima are added to
/// what every policy says.
#[derive(Debug, Clone, Copy, Default)]
pub struct DefaultPolicy;

impl Policy for DefaultPolicy {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Terms, PolicyRefusal> {
        Ok(Terms { rights: final_rights(request.challenge.rights(), Some(RightsArray::DEFAULT)), ..draft })
    }

    fn rights_for_everybody(&self) -> Option<Rights> {
        Some(RightsArray::DEFAULT.apply(Rights::NONE))
    }
}

/// Asks a policy and holds it to what it may decide.
pub(crate) fn ask(policy: &dyn Policy, request: &PolicyRequest<'_>, draft: Terms) -> Result<Terms, PolicyRefusal> {
    let terms = policy.terms(request, draft.clone())?;
    let identity = |terms: &Terms| {
        let ids = (terms.id, terms.key_id, terms.kind, terms.uplink, terms.revision);
        (ids, terms.realm, terms.issued_at, terms.binding)
    };
    if identity(&terms) != identity(&draft) {
        return Err(PolicyRefusal::Failed { reason: "it changed the license's ids, realm, time or binding".into() });
    }
    if terms.time_limits().any() && request.client.clock == ClockKind::None {
        return Err(PolicyRefusal::NoClock);
    }
    // What was said when the content was packaged holds whatever a policy says; it may ask for more.
    let content = request.content;
    let version = match (terms.minimum_individualized_version, content.minimum_individualized_version) {
        (Some(asked), Some(packaged)) if asked.meets(packaged) => Some(asked),
        (asked, packaged) => packaged.or(asked),
    };
    Ok(Terms {
        minimum_application_level: terms.minimum_application_level.max(content.minimum_application_level),
        minimum_individualized_version: version,
        ..terms
    })
}
