//! A policy that failed is written into the audit record, once a minute at most: whoever may ask for licenses could
//! fill it otherwise.

use std::sync::atomic::Ordering;

use admit_time::Timestamp;

use super::parse::AcquireRequest;
use super::record::Issue;
use crate::Server;
use crate::audit::{Event, NewEntry};
use crate::policy::PolicyRefusal;
use crate::refusal::Refusal;

/// Records a refusal that is the policy's failure.
pub(super) async fn record(
    server: &Server,
    request: &AcquireRequest,
    refusal: &Refusal,
    now: Timestamp,
) -> Result<(), Refusal> {
    let Refusal::Policy(PolicyRefusal::Failed(fault)) = refusal else { return Ok(()) };
    let minute = now.unix_secs() / 60 + 1;
    if server.policy_failed_at.swap(minute, Ordering::Relaxed) == minute {
        return Ok(());
    }
    let detail = serde_json::json!({ "challenge": request.opened.hash().to_string(), "reason": fault.to_string() });
    let (event, subject) = (Event::PolicyFailed, request.client.to_string());
    let entry = NewEntry { at: now, event, subject, detail_json: detail.to_string() };
    server
        .records
        .ask(Issue { acquisition: None, store: None, token_use: None, recovery: None, entry })
        .await?
        .or_refused()
}
