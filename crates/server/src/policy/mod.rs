//! What a license will say (row B06): the seam where an operator's rules stand. The server asks a policy once per
//! key, after identity and entitlement have been checked, and holds its answer to what a policy may decide.

mod date;
mod judge;
mod live;
mod mistake;
mod offer;
mod rights;
mod rules;
mod script;
mod setting;
mod trial;
mod value;

use std::fmt;

use admit_crypto::Entropy;
use admit_license::{LicenseId, RightsArray, Terms, final_rights};
use admit_protocol::acquire::LicenseChallenge;
use admit_time::Timestamp;
use admit_trust::{ClientProperties, ClockKind, Properties};

use crate::content::Content;
use crate::token::Claims;

pub use live::{LivePolicy, Loaded, PolicyFile};
pub(crate) use mistake::all as all_mistakes;
pub use mistake::{Fault, Mistake};
pub use rules::Rules;
pub use script::{DEFAULT_SCRIPT, Limits, Script, is_running as script_is_running};
pub use trial::{Told, Trial, Tried, client as trial_client};

/// What a policy knows when it decides.
#[derive(Debug, Clone, Copy)]
pub struct PolicyRequest<'a> {
    /// The time now.
    pub now: Timestamp,
    /// What the client asks for and says of itself.
    pub challenge: &'a LicenseChallenge,
    /// What the client's certificate says.
    pub client: &'a ClientProperties,
    /// What the application's certificate says, where the client sent one.
    pub application: Option<&'a Properties>,
    /// The content.
    pub content: &'a Content,
    /// The buyer's entitlement; none where the content is open and no token was sent.
    pub entitlement: Option<&'a Claims>,
}

/// Decides what licenses say.
pub trait Policy: fmt::Debug + Send + Sync {
    /// The terms of the licenses for one key, one at least, made from a draft that grants nothing. The draft's ids,
    /// realm, time and binding must stay as they are; of several licenses each gets an id of its own afterwards.
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal>;

    /// What is wrong with what the operator wrote, where something is; how often it was taken over anew. Looks at it
    /// if it was not looked at for a while.
    fn standing(&self, _now: Timestamp) -> Standing {
        Standing::default()
    }
}

/// What a policy decided, and why, as far as it says.
#[derive(Debug)]
struct Decided {
    licenses: Result<Vec<Terms>, PolicyRefusal>,
    said: Vec<String>,
}

/// How an operator's policy stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// What is wrong with the file as it is now. What it was before is in use, if it was ever good.
    pub mistakes: Vec<Mistake>,
    /// How often the file was taken over since the server began.
    pub loads: u64,
}

/// A policy issued no license.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefusal {
    /// It said no. The client is told why.
    #[error("no license is issued: {reason}{}", behind(address.as_deref()))]
    Refused {
        /// Why, for the user.
        reason: String,
        /// Where the user can go.
        address: Option<String>,
    },
    /// A page comes first: when the user has been there, the client may ask again.
    #[error("{reason}{}", behind(address.as_deref()))]
    Asked {
        /// What the user shall do, for the user.
        reason: String,
        /// Where; none is the license page that the content names.
        address: Option<String>,
    },
    /// It set limits in time for a client that has no trusted clock to keep them by (row E01).
    #[error("the license would have limits in time, and this client has no trusted clock")]
    NoClock,
    /// It does not work. Only the log is told what is wrong.
    #[error("the acquisition policy does not work")]
    Failed(Fault),
}

impl PolicyRefusal {
    /// The page where the user can go.
    pub(crate) fn page(&self) -> Option<&str> {
        match self {
            Self::Refused { address, .. } | Self::Asked { address, .. } => address.as_deref(),
            Self::NoClock | Self::Failed(_) => None,
        }
    }
}

/// The default: `rights = 3,0,0,0,3,0,0,0`, no expiry, application level 100. The content's own minima are added to
/// what every policy says.
#[derive(Debug, Clone, Copy, Default)]
pub struct DefaultPolicy;

impl Policy for DefaultPolicy {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        Ok(vec![Terms { rights: final_rights(request.challenge.rights(), Some(RightsArray::DEFAULT)), ..draft }])
    }
}

/// Asks a policy and holds it to what it may decide.
pub(crate) fn ask(
    policy: &dyn Policy,
    request: &PolicyRequest<'_>,
    draft: &Terms,
    entropy: &mut dyn Entropy,
) -> Result<Vec<Terms>, PolicyRefusal> {
    let mut licenses = policy.terms(request, draft.clone())?;
    let failed = |reason: String| Err(PolicyRefusal::Failed(Fault::somewhere(reason)));
    if !(1..=MAX_LICENSES).contains(&licenses.len()) {
        return failed(format!("it decided on {} licenses for one key, not on 1 to {MAX_LICENSES}", licenses.len()));
    }
    for (index, terms) in licenses.iter_mut().enumerate() {
        if identity(terms) != identity(draft) {
            return failed("it changed the license's ids, realm, time or binding".to_owned());
        }
        if terms.time_limits().any() && request.client.clock == ClockKind::None {
            return Err(PolicyRefusal::NoClock);
        }
        if index > 0 {
            terms.id = LicenseId::generate(entropy);
        }
        keep_minima(terms, request.content);
        if let Err(error) = terms.check() {
            return failed(error.to_string());
        }
    }
    Ok(licenses)
}

/// What a policy may not change.
fn identity(terms: &Terms) -> impl PartialEq + use<> {
    let ids = (terms.id, terms.key_id, terms.kind, terms.uplink, terms.revision);
    (ids, terms.realm, terms.issued_at, terms.binding)
}

/// What was said when the content was packaged holds whatever a policy says; it may ask for more.
fn keep_minima(terms: &mut Terms, content: &Content) {
    terms.minimum_application_level = terms.minimum_application_level.max(content.minimum_application_level);
    terms.minimum_individualized_version =
        match (terms.minimum_individualized_version, content.minimum_individualized_version) {
            (Some(asked), Some(packaged)) if asked.meets(packaged) => Some(asked),
            (asked, packaged) => packaged.or(asked),
        };
}

/// An address behind a sentence.
fn behind(address: Option<&str>) -> String {
    address.map(|address| format!(" ({address})")).unwrap_or_default()
}

/// The most licenses for one key: so that an answer for as many keys as a challenge may name still fits.
const MAX_LICENSES: usize = 8;
