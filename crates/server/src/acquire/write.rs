//! Third step: sign the licenses and record them. One challenge is answered once; whoever asks again, or at the same
//! moment, gets the licenses that were recorded.

use admit_license::{KeyMaterial, LicenseSigner};
use admit_time::Timestamp;

use super::decide::{self, Decision, Planned};
use super::parse::AcquireRequest;
use super::record::{Issue, TokenUse};
use crate::Server;
use crate::audit::{Event, NewEntry};
use crate::policy::{Fault, PolicyRefusal};
use crate::refusal::Refusal;
use crate::store::acquisition::NewAcquisition;

/// Signs the licenses and has them recorded with their audit entry.
pub(super) async fn write(
    server: &Server,
    request: &AcquireRequest,
    decision: Decision,
    now: Timestamp,
) -> Result<Vec<Vec<u8>>, Refusal> {
    if decision.licenses.is_empty() {
        // Nothing is recorded, and that is where the client is looked up.
        decide::check_client(server, request).await?;
        return Ok(Vec::new());
    }
    let (home, opened) = (&server.home, &request.opened);
    let signed = sign(server, request, &decision.licenses)?;
    let acquisition = NewAcquisition {
        challenge_hash: opened.hash(),
        client: request.client,
        owner: decision.entitlement.as_ref().map(|token| token.claims.owner(home.provider())),
        token_id: decision.entitlement.as_ref().map(|token| token.claims.jti.clone()),
        issued_at: now,
        licenses: signed.clone(),
    };
    let event = if decision.places.is_some() { Event::LicensesRecovered } else { Event::LicensesIssued };
    let subject = request.client.to_string();
    let entry = NewEntry { at: now, event, subject, detail_json: detail(&acquisition, &decision).to_string() };
    let token_use = decision.entitlement.as_deref().and_then(|token| TokenUse::of(home.provider(), &token.claims));
    // A token that says who the owner is gives nothing new, and may have been used up by what it gave.
    let token_use = token_use.filter(|_| decision.places.is_none());
    let counter = if decision.places.is_some() { &server.metrics.recovered } else { &server.metrics.licenses };
    let issue = Issue {
        acquisition: Some(acquisition),
        store: Some(opened.challenge().store),
        token_use,
        recovery: decision.places,
        entry,
    };
    server.records.ask(issue).await?.or_refused()?;
    counter.inc_by(signed.len() as u64);
    Ok(signed)
}

fn sign(server: &Server, request: &AcquireRequest, planned: &[Planned]) -> Result<Vec<Vec<u8>>, Refusal> {
    let (home, mut entropy) = (&server.home, server.entropy.entropy());
    let keys = home.keys();
    let signer = &keys.license;
    let signer = LicenseSigner { key: &signer.key, chain: std::slice::from_ref(&signer.certificate) };
    let recipient = &request.opened.properties().encryption_key;
    let mut issue = |planned: &Planned| {
        let (terms, key) = (planned.terms.clone(), KeyMaterial::Content(&planned.key));
        let license = admit_license::issue(home.provider(), signer, terms, &key, recipient, &mut *entropy);
        // What a policy gives is checked here against the rules of every license: a broken one issues nothing.
        let license = license.map_err(|error| PolicyRefusal::Failed(Fault::somewhere(error.to_string())))?;
        Ok(license.into_bytes())
    };
    planned.iter().map(&mut issue).collect()
}

/// What the audit log says beside the client.
fn detail(new: &NewAcquisition, decision: &Decision) -> serde_json::Value {
    let license = |planned: &Planned| {
        serde_json::json!({
            "id": planned.terms.id.to_string(),
            "key_id": planned.terms.key_id.to_string(),
            "content": planned.content_id,
            "rights": planned.terms.rights.bits(),
        })
    };
    serde_json::json!({
        "challenge": new.challenge_hash.to_string(),
        "token": new.token_id,
        "iss": decision.entitlement.as_ref().map(|token| &token.claims.iss),
        "kid": decision.entitlement.as_ref().map(|token| &token.kid),
        "buyer": decision.entitlement.as_ref().map(|token| &token.claims.sub),
        "licenses": decision.licenses.iter().map(license).collect::<Vec<_>>(),
    })
}
