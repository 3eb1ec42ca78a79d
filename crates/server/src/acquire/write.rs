//! Third step: sign the licenses and record them. One challenge is answered once; whoever asks again, or at the same
//! moment, gets the licenses that were recorded.

use std::time::Duration;

use admit_license::{KeyMaterial, LicenseSigner};
use admit_time::Timestamp;

use super::decide::ActiveRequest;
use super::decide::{Decision, Planned};
use crate::home::Home;
use crate::policy::PolicyRefusal;
use crate::refusal::Refusal;
use crate::store::acquisition::{self, Issued, NewAcquisition, NewLicense};
use crate::{Error, Server, audit};

/// What was issued for this challenge before, where it was.
pub(super) async fn earlier(
    home: &Home,
    request: &ActiveRequest,
    now: Timestamp,
) -> Result<Option<Vec<Vec<u8>>>, Refusal> {
    let issued = acquisition::find(&mut *home.store().read().await?, &request.opened.hash()).await?;
    issued.map(|issued| repeat(issued, now)).transpose()
}

/// Signs the licenses, then records them with their audit entry in one transaction.
pub(super) async fn write(
    server: &Server,
    request: &ActiveRequest,
    decision: Decision,
    now: Timestamp,
) -> Result<Vec<Vec<u8>>, Refusal> {
    if decision.licenses.is_empty() {
        return Ok(Vec::new());
    }
    let (home, opened) = (&server.home, &request.opened);
    let licenses = sign(server, request, &decision.licenses)?;
    let client = opened.client().fingerprint(home.provider());
    let new = NewAcquisition {
        challenge_hash: opened.hash(),
        client,
        token_id: decision.entitlement.as_ref().map(|claims| claims.jti.as_str()),
        issued_at: now,
        licenses: &licenses,
    };
    let mut transaction = home.store().write().await?;
    if !acquisition::insert(&mut transaction, &new).await? {
        let issued = acquisition::find(&mut transaction, &opened.hash()).await?;
        return repeat(issued.ok_or(Refusal::ChallengeUsed)?, now);
    }
    let (event, detail) = (audit::Event::LicensesIssued, detail(&new, &decision));
    home.append_audit(&mut transaction, now, event, &client.to_string(), &detail).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok(licenses.into_iter().map(|license| license.bytes).collect())
}

fn sign(server: &Server, request: &ActiveRequest, planned: &[Planned]) -> Result<Vec<NewLicense>, Refusal> {
    let (home, mut entropy) = (&server.home, server.entropy.entropy());
    let signer = home.license_signer();
    let signer = LicenseSigner { key: &signer.key, chain: std::slice::from_ref(&signer.certificate) };
    let recipient = &request.opened.properties().encryption_key;
    let mut issue = |planned: &Planned| {
        let (terms, key) = (planned.terms.clone(), KeyMaterial::Content(&planned.key));
        let (id, key_id) = (terms.id, terms.key_id);
        let license = admit_license::issue(home.provider(), signer, terms, &key, recipient, &mut *entropy);
        // What a policy gives is checked here against the rules of every license: a broken one issues nothing.
        let license = license.map_err(|error| PolicyRefusal::Failed { reason: error.to_string() })?;
        Ok(NewLicense { id, key_id, bytes: license.into_bytes() })
    };
    planned.iter().map(&mut issue).collect()
}

/// What the audit log says beside the client.
fn detail(new: &NewAcquisition<'_>, decision: &Decision) -> serde_json::Value {
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
        "buyer": decision.entitlement.as_ref().map(|claims| &claims.sub),
        "licenses": decision.licenses.iter().map(license).collect::<Vec<_>>(),
    })
}

fn repeat(issued: Issued, now: Timestamp) -> Result<Vec<Vec<u8>>, Refusal> {
    let repeated_until = issued.issued_at.saturating_add(REPEATED_FOR);
    if now <= repeated_until { Ok(issued.licenses) } else { Err(Refusal::ChallengeUsed) }
}

const REPEATED_FOR: Duration = Duration::from_secs(7 * 86_400);
