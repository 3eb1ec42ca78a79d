//! May this action happen now? A total pure function of licenses, action, environment and trusted time.

use admit_crypto::{ContentKey, DecryptionKey, Provider};
use admit_time::clock::{ClockState, Now};
use admit_time::{Timestamp, TrustedTime};
use admit_trust::{ClientProperties, ClockKind, ComponentVersion, Features, SdkGeneration};

use crate::denied::{Denied, Reason, Refusal};
use crate::explain::Judged;
use crate::order;
use crate::portable::{check_transfer, missing_right};
use crate::usage::{Count, Usage};
use crate::watch::{Watch, time_for};
use crate::{Action, Application, Error, HeldLicense, KeyId, LicenseId, Restrictions, Rights, Terms};

/// Everything around the licenses that an evaluation looks at.
#[derive(Debug, Clone, Copy)]
pub struct Environment<'a> {
    /// The application.
    pub application: Application,
    /// Where the samples go.
    pub output: Output,
    /// What the client's certificate says.
    pub client: ClientProperties,
    /// What the client's clock says.
    pub clock: &'a Now,
    /// The version of the revocation information in the store.
    pub revocation_version: u64,
    /// The least component version that the content's header asks for.
    pub content_minimum_version: Option<ComponentVersion>,
}

/// Where samples go when they are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// To outputs that the application itself drives.
    InProcess {
        /// Whether every one that is active keeps the protection that licenses ask for. An unknown one does not.
        protected: bool,
    },
    /// Out of the process in clear: to a file, a pipe or another program. That is application level 150 at most,
    /// whatever the application is, and protects nothing.
    Clear,
    /// To what a portable device drives, or a medium in it: it plays by the right of transfer to its kind, at the device's
    /// level.
    Device {
        /// Whether the device keeps to the SDMI specification.
        sdmi: bool,
    },
}

impl Output {
    /// What an application of this level counts as with this output.
    const fn limit(self, security_level: u32) -> u32 {
        match self {
            Self::Clear if security_level > CLEAR_OUTPUT_LEVEL => CLEAR_OUTPUT_LEVEL,
            Self::Clear | Self::InProcess { .. } | Self::Device { .. } => security_level,
        }
    }

    const fn is_protected(self) -> bool {
        matches!(self, Self::InProcess { protected: true })
    }
}

/// One use that a grant takes from one license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The key that the license is for; of a root, its own key's id.
    pub key_id: KeyId,
    /// The license.
    pub license: LicenseId,
    /// The count that goes up; none where nothing is counted but the license is used all the same.
    pub count: Option<Count>,
    /// The license is deleted after this use.
    pub deletes: bool,
    /// How the license had been used when this was decided: a reservation refuses it when that has changed.
    pub usage: Usage,
}

/// An action is allowed by these licenses, at these charges. The client reserves the charges durably before it
/// makes a permit of this; only then does a sample leave.
///
/// ```compile_fail,E0451
/// # use admit_license::{Action, Grant, KeyId};
/// fn forge(key_id: KeyId) -> Grant<'static> {
///     Grant { key_id, action: Action::Play, ..unimplemented!() }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Grant<'a> {
    key_id: KeyId,
    action: Action,
    license: &'a HeldLicense,
    root: Option<&'a HeldLicense>,
    charges: Vec<Charge>,
    watch: Watch,
    decided_at: Option<Timestamp>,
    certain_at: Option<Timestamp>,
}

impl Grant<'_> {
    /// The content key that the grant is for.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The action.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// The license that holds the content key.
    #[must_use]
    pub const fn license(&self) -> &HeldLicense {
        self.license
    }

    /// What the action takes from which licenses.
    #[must_use]
    pub fn charges(&self) -> &[Charge] {
        &self.charges
    }

    /// When the action must have ended; none where nothing limits it in time.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        self.watch.ends_at()
    }

    /// The rules about time that go on holding during the action.
    #[must_use]
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// When this was decided, by the trusted time; none where the clock was not set. A countdown that the use starts
    /// begins here.
    #[must_use]
    pub const fn decided_at(&self) -> Option<Timestamp> {
        self.decided_at
    }

    /// A time that had certainly passed by then; none where the clock was not trusted.
    #[must_use]
    pub const fn certain_at(&self) -> Option<Timestamp> {
        self.certain_at
    }

    /// The output protection that applies: the root's where it has any of either kind, else the license's own
    /// (row D04).
    #[must_use]
    pub fn restrictions(&self) -> Restrictions {
        restrictions(self.license, self.root)
    }

    /// How many times the content may be on one playlist that is burnt; none where nothing limits it.
    #[must_use]
    pub fn max_playlist_burn_count(&self) -> Option<u32> {
        let elements = core::iter::once(self.license).chain(self.root);
        elements.filter_map(|element| element.license.terms().max_playlist_burn_count).min()
    }

    /// Opens the content key.
    pub fn content_key(&self, provider: &Provider, client: &DecryptionKey) -> Result<ContentKey, Error> {
        match self.root {
            Some(root) => self.license.license.content_key_through(&root.license, provider, client),
            None => self.license.license.content_key(provider, client),
        }
    }
}

/// Decides whether `action` may happen with the content of `key_id`. `held` are the licenses for that key and
/// the root licenses that they may need, in any order.
pub fn evaluate<'a>(
    action: Action,
    key_id: KeyId,
    held: &'a [HeldLicense],
    environment: &Environment<'_>,
) -> Result<Grant<'a>, Denied> {
    let mut refusals = Vec::new();
    for judged in judge(action, key_id, held, environment) {
        match judged.outcome {
            Ok(grant) => return Ok(grant),
            Err(reasons) => {
                let license = Some(judged.license.license.terms().id);
                refusals.extend(reasons.into_iter().map(|reason| Refusal { license, reason }));
            }
        }
    }
    if refusals.is_empty() {
        return Err(Denied::new(Refusal { license: None, reason: Reason::NoLicense { key_id } }, Vec::new()));
    }
    let first = refusals.remove(0);
    Err(Denied::new(first, refusals))
}

/// What is found of every license for the key, one after the other in the order in which they should be used. Nothing is
/// looked at before it is asked for.
pub(crate) fn judge<'a>(
    action: Action,
    key_id: KeyId,
    held: &'a [HeldLicense],
    environment: &Environment<'_>,
) -> impl Iterator<Item = Judged<'a>> {
    let judge_one = move |license| Judged { license, outcome: evaluate_one(action, license, held, environment) };
    order::candidates(action, key_id, held).into_iter().map(judge_one)
}

/// A leaf may have several roots, as after a renewal: the first that allows the action is taken, and where none
/// does, the reasons are those of the best one.
fn evaluate_one<'a>(
    action: Action,
    candidate: &'a HeldLicense,
    held: &'a [HeldLicense],
    environment: &Environment<'_>,
) -> Result<Grant<'a>, Vec<Reason>> {
    let Some(uplink) = candidate.license.terms().uplink else {
        return evaluate_chain(action, candidate, None, environment);
    };
    let mut reasons = None;
    for root in order::roots(action, uplink, held) {
        match evaluate_chain(action, candidate, Some(root), environment) {
            Ok(grant) => return Ok(grant),
            Err(found) => reasons = reasons.or(Some(found)),
        }
    }
    Err(reasons.unwrap_or_else(|| vec![Reason::NoUplinkLicense { key_id: uplink.key_id }]))
}

fn evaluate_chain<'a>(
    action: Action,
    candidate: &'a HeldLicense,
    root: Option<&'a HeldLicense>,
    environment: &Environment<'_>,
) -> Result<Grant<'a>, Vec<Reason>> {
    let elements = || core::iter::once(candidate).chain(root);
    let mut reasons = Vec::new();
    if environment.application.sdk_generation == SdkGeneration::Older && !Rights::OLDER_SDK.contains(action.right()) {
        reasons.push(Reason::RightUnknownToApplication { action });
    }
    check_component(environment, elements(), &mut reasons);
    if restrictions(candidate, root) != Restrictions::default() && !environment.output.is_protected() {
        reasons.push(Reason::OutputUnprotected);
    }
    for element in elements() {
        check_element(action, element, environment, &mut reasons);
    }
    if !reasons.is_empty() {
        reasons.dedup();
        return Err(reasons);
    }
    let charges = elements().map(|element| charge(action, element)).collect();
    let time = environment.clock.time().or(environment.clock.guess());
    let ends_at = elements().filter_map(|element| end_of(element, time)).min();
    let (key_id, decided_at) = (candidate.license.terms().key_id, time.map(TrustedTime::latest));
    let watch = Watch::of(elements(), ends_at);
    let certain_at = environment.clock.certain();
    Ok(Grant { key_id, action, license: candidate, root, charges, watch, decided_at, certain_at })
}

/// The root's restrictions where it has any of either kind, else the license's own (row D04).
fn restrictions(license: &HeldLicense, root: Option<&HeldLicense>) -> Restrictions {
    let of = |held: &HeldLicense| held.license.terms().restrictions.filter(|&it| it != Restrictions::default());
    root.and_then(of).or_else(|| of(license)).unwrap_or_default()
}

/// The least component version: the content's own and that of every license in the chain.
fn check_component<'a>(
    environment: &Environment<'_>,
    elements: impl Iterator<Item = &'a HeldLicense>,
    reasons: &mut Vec<Reason>,
) {
    let found = environment.client.component_version;
    let of_licenses = elements.filter_map(|element| element.license.terms().minimum_individualized_version);
    for needed in environment.content_minimum_version.into_iter().chain(of_licenses) {
        if !found.meets(needed) {
            reasons.push(Reason::NeedsIndividualization { needed, found });
        }
    }
}

/// What applies to each license of a chain by itself: rights, counts, levels, revocation and time.
fn check_element(action: Action, element: &HeldLicense, environment: &Environment<'_>, reasons: &mut Vec<Reason>) {
    let terms = element.license.terms();
    check_transfer(action, terms, &environment.application, reasons);
    if let Some(reason) = missing_right(action, terms.rights, environment.output) {
        reasons.push(reason);
    } else if terms.rights.contains(Rights::ONE_TIME | Rights::SDMI_VALIDATED) && action != Action::TransferToSdmi {
        reasons.push(Reason::OneTimeForTransfer);
    }
    if let Some((count, allowed)) = limit(terms, action)
        && element.usage.of(count) >= allowed
    {
        reasons.push(Reason::CountUsedUp { allowed });
    }
    if terms.rights.contains(Rights::ONE_TIME) && element.usage.touched {
        reasons.push(Reason::CountUsedUp { allowed: 1 });
    }
    let needed = terms.minimum_application_level();
    let found = environment.output.limit(environment.application.security_level);
    if found < needed {
        reasons.push(Reason::ApplicationLevel { needed, found });
    }
    let needed = terms.minimum_client_level.unwrap_or(0);
    if environment.client.security_level < needed {
        reasons.push(Reason::ClientLevel { needed, found: environment.client.security_level });
    }
    let needed = terms.revocation_version.unwrap_or(0);
    if environment.revocation_version < needed {
        reasons.push(Reason::RevocationInformation { needed, found: environment.revocation_version });
    }
    if terms.metering_id.is_some() && !environment.client.features.contains(Features::METERING) {
        reasons.push(Reason::MeteringUnsupported);
    }
    // Counts and dates of a store that is older than it was say nothing any more.
    if environment.clock.state() == ClockState::StoreRolledBack && terms.persistent.unwrap_or(true) {
        reasons.push(Reason::StoreRolledBack);
    } else if terms.time_limits().any() {
        check_time(element, environment, reasons);
    }
}

/// Begin dates are compared with the earliest time it can be, ends with the latest.
fn check_time(element: &HeldLicense, environment: &Environment<'_>, reasons: &mut Vec<Reason>) {
    if environment.client.clock == ClockKind::None {
        return reasons.push(Reason::NoClock);
    }
    let terms = element.license.terms();
    // A client with a clock knows when it stored a license: this one is from before it had one (row E09).
    if element.was_stored_before_clock() {
        return reasons.push(Reason::StoredBeforeClock);
    }
    let time = match time_for(terms, environment.clock) {
        Ok(time) => time,
        Err(reason) => return reasons.push(reason),
    };
    if let Some(begin) = terms.begin.filter(|&begin| time.earliest() < begin) {
        // Behind a restart it may have begun already, which only a signed time can say.
        let is_estimated = environment.clock.state() != ClockState::Trusted;
        let may_have_begun = is_estimated && time.latest() >= begin;
        reasons.push(if may_have_begun { Reason::ClockStale } else { Reason::NotYetValid { begin } });
    }
    if let Some(expiry) = end_of(element, Some(time)).filter(|&end| time.latest() > end) {
        reasons.push(Reason::Expired { expiry });
    }
}

/// The first of the ends that a license's limits in time make.
fn end_of(element: &HeldLicense, time: Option<&TrustedTime>) -> Option<Timestamp> {
    let first_use = element.usage.first_used_at.or_else(|| time.map(TrustedTime::latest));
    element.license.terms().time_limits().ends_at(first_use, element.usage.stored_at)
}

/// What a license counts of an action, and how often it allows it.
pub(crate) fn limit(terms: &Terms, action: Action) -> Option<(Count, u32)> {
    match action {
        Action::Play => terms.play_count.map(|allowed| (Count::Play, allowed)),
        Action::TransferToNonSdmi | Action::TransferToSdmi => {
            terms.transfer_count.map(|allowed| (Count::Transfer, allowed))
        }
        Action::Burn => terms.burn_count.map(|allowed| (Count::Burn, allowed)),
        Action::PlaylistBurn => terms.playlist_burn_track_count.map(|allowed| (Count::PlaylistBurn, allowed)),
        Action::SaveStream | Action::Backup => None,
    }
}

fn charge(action: Action, element: &HeldLicense) -> Charge {
    let terms = element.license.terms();
    Charge {
        key_id: terms.key_id,
        license: terms.id,
        count: limit(terms, action).map(|(count, _)| count),
        deletes: terms.rights.contains(Rights::ONE_TIME),
        usage: element.usage,
    }
}

/// The application level that clear output counts as at most.
const CLEAR_OUTPUT_LEVEL: u32 = 150;
