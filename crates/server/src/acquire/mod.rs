//! `POST /v1/licenses`: license acquisition (rows B01 to B06). Parse, decide, write, answer: a file each.
//!
//! What leaves has been recorded: licenses, their audit entry and what a retry needs are one transaction, and it is
//! on the disk before the answer is sent.

mod answer;
mod decide;
mod failed;
pub(crate) mod limits;
pub(crate) mod lookup;
mod parse;
mod position;
pub(crate) mod record;
pub(crate) mod recover;
mod write;

use std::time::Duration;

use admit_time::Timestamp;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use self::parse::AcquireRequest;
use crate::Server;
use crate::guard::Whole;
use crate::http::Peer;
use crate::refusal::Refusal;
use crate::store::acquisition::Issued;

/// The endpoint.
pub(crate) async fn acquire(
    State(server): State<Server>,
    Peer(address): Peer,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Result<Response, Refusal> {
    let now = server.clock.now();
    server.limits.take_address(address, now)?;
    let request = parse::parse_with_newest(&server.home, &headers, &body, now).await?;
    server.limits.take_client(request.client, now)?;
    match licenses(&server, &request, now).await {
        Ok(licenses) => Ok(answer::answer(&server, &request, licenses, None, now).await),
        // Only the client knows whether its store is older, or only its challenge: it is told what was seen, signed.
        Err(Refusal::StoreIsOlder { seen }) => {
            server.metrics.stores_older.inc();
            tracing::warn!(client = %request.client, "a client's store is older than one that was seen of it");
            Ok(answer::answer(&server, &request, Vec::new(), Some(seen), now).await)
        }
        Err(refusal) => Err(refusal),
    }
}

/// New licenses, or those that the challenge was answered with before.
async fn licenses(server: &Server, request: &AcquireRequest, now: Timestamp) -> Result<Vec<Vec<u8>>, Refusal> {
    // Asked before where many are wanted, so that no one challenge, sent again and again, costs more than a few signatures.
    if (request.key_ids.len() > FEW || request.opened.challenge().recovery)
        && let Some(issued) = decide::check_client(server, request).await?
    {
        return repeat(server, issued, now);
    }
    let refusal = match issue(server, request, now).await {
        Err(refusal) if !matches!(refusal, Refusal::Internal(_)) => refusal,
        done => return done,
    };
    // Whoever is no client of ours, or not any more, hears that and nothing else, and a challenge that was answered before
    // is answered with the same licenses, whatever would be said to it now.
    let earlier = decide::check_client(server, request).await?;
    if earlier.is_none() {
        failed::record(server, request, &refusal, now).await?;
    }
    repeat(server, earlier.ok_or(refusal)?, now)
}

/// Issues licenses. Whether the client is one of ours, not revoked, and has no answer yet, is asked in the transaction that
/// records them: nothing that was looked up before can be out of date.
async fn issue(server: &Server, request: &AcquireRequest, now: Timestamp) -> Result<Vec<Vec<u8>>, Refusal> {
    let decision = decide::decide(server, request, now).await?;
    write::write(server, request, decision, now).await
}

/// The same licenses again, for seven days.
fn repeat(server: &Server, issued: Issued, now: Timestamp) -> Result<Vec<Vec<u8>>, Refusal> {
    if now > issued.issued_at.saturating_add(REPEATED_FOR) {
        return Err(Refusal::ChallengeUsed);
    }
    server.metrics.repeats.inc();
    Ok(issued.licenses)
}

/// Licenses that are signed before it is asked whether they may be.
const FEW: usize = 2;
const REPEATED_FOR: Duration = Duration::from_secs(7 * 86_400);
