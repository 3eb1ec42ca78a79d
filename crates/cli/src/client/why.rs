//! `admit why`: may an action happen now? Every reason and every remedy, key by key and license by license.

use admit_client::play::{Candidates, DeniedKeys};
use admit_license::{Grant, KeyId, Refusal};
use admit_protocol::Code;
use admit_trust::TrustRoot;
use serde_json::json;

use super::acquire::Session;
use super::content::Content;
use super::context::ClientRealm;
use crate::args::WhyArgs;
use crate::failure::{Failure, Outcome, capitalized, reason_json};
use crate::output::Output;
use crate::system::Http;

/// Evaluates and tells. Uses nothing and acquires nothing; a client that is new to the realm enrols first, because
/// what it may do depends on what its certificate says.
pub(crate) fn run(args: &WhyArgs, output: Output) -> Outcome<()> {
    let content = Content::open(&args.file)?;
    let http = Http::new();
    let realm = realm_of(&content, &args.client, &http)?;
    let header = content.verify_header(realm.realm.root())?;
    let mut session = Session::open(realm, &http)?;
    let now = session.look_at_clock();
    let candidates = Candidates::find(&session.store, &content.key_ids)?;
    match candidates.evaluate(args.action, &session.environment(&header, &now)) {
        Ok(grants) => {
            tell_grants(args, &grants, output);
            Ok(())
        }
        Err(denied) => {
            tell_denied(args, &denied, output);
            Err(Failure::denied(denied.first()))
        }
    }
}

/// The realm that the content's header names, or the only one that this client knows.
pub(super) fn realm_of(content: &Content, client: &crate::args::ClientArgs, http: &Http) -> Outcome<ClientRealm> {
    let folder = super::folder(client.client.as_deref())?;
    let (claimed, address) = content.claims()?;
    if let Some(fingerprint) = claimed {
        if content.is_local()? {
            return ClientRealm::load(&folder, fingerprint)?.ok_or_else(|| content.only_local());
        }
        let address = address.unwrap_or_default();
        let vouched = |root: &TrustRoot| content.verify_header(root)?.require_signature(&content.path);
        return ClientRealm::load_or_trust(&folder, fingerprint, &address, client.trust, http, vouched);
    }
    let mut known = ClientRealm::load_all(&folder)?;
    match (known.pop(), known.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(Failure::new(Code::ADMIT_E_REALM_NOT_TRUSTED, "the content names no realm")
            .with_action("Play some content of the realm first, so that this client knows it")),
    }
}

fn tell_grants(args: &WhyArgs, grants: &[Grant<'_>], output: Output) {
    let licenses: Vec<String> = grants.iter().map(|grant| grant.license().license.terms().id.to_string()).collect();
    output.json(|| json!({ "action": args.action.name(), "allowed": true, "licenses": licenses, "reasons": [] }));
    output.line(|| format!("{} is allowed by license {}.", capitalized(args.action.name()), licenses.join(", ")));
}

fn tell_denied(args: &WhyArgs, denied: &DeniedKeys, output: Output) {
    let refusals =
        || denied.iter().flat_map(|(key_id, denied)| denied.refusals().iter().map(move |refusal| (key_id, refusal)));
    let reasons = || refusals().map(|(key_id, refusal)| refusal_json(key_id, refusal)).collect::<Vec<_>>();
    output.json(|| json!({ "action": args.action.name(), "allowed": false, "reasons": reasons() }));
    output.line(|| format!("{} is denied.", capitalized(args.action.name())));
    for (_, refusal) in refusals() {
        let license = refusal.license.map_or_else(|| "no license".to_owned(), |id| format!("license {id}"));
        let (code, remedy) = (Code::from(&refusal.reason), refusal.reason.remedy().name());
        let when = refusal.reason.usable_when().map_or_else(String::new, |when| format!(" Usable {when}."));
        let reason = capitalized(&refusal.reason.to_string());
        output.line(|| format!("  {license}: {code}: {reason}. Remedy: {remedy}.{when}"));
    }
}

fn refusal_json(key_id: KeyId, refusal: &Refusal) -> serde_json::Value {
    let mut entry = reason_json(refusal.reason);
    entry["key_id"] = key_id.to_string().into();
    entry["usable"] = refusal.reason.usable_when().into();
    entry["license"] = refusal.license.map(|id| id.to_string()).into();
    entry
}
