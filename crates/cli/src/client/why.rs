//! `admit why`: may an action happen now? What every license for the content says to it, with every reason and remedy, and
//! which license would be used first.

use admit_client::play::Candidates;
use admit_license::{Action, Environment, Explanation, Judged, KeyId, LicenseId, Output as OutputKind, Reason};
use admit_protocol::Code;
use admit_trust::TrustRoot;
use serde_json::{Value, json};

use super::acquire::Session;
use super::content::Content;
use super::context::ClientRealm;
use super::room::Room;
use crate::args::WhyArgs;
use crate::failure::{Failure, Outcome, capitalized, reason_json};
use crate::output::Output;
use crate::system::Http;
use crate::table;

/// Evaluates and tells. Uses nothing and acquires nothing; a client that is new to the realm enrols first, because
/// what it may do depends on what its certificate says.
pub(crate) fn run(args: &WhyArgs, output: Output) -> Outcome<()> {
    let mut content = Content::open(&args.file)?;
    let room = if args.action == Action::Play { Room::find(&mut content, false)? } else { Room::Elsewhere };
    let http = Http::new();
    let realm = realm_of(&content, &args.client, &http)?;
    let header = content.verify_header(realm.realm.root())?;
    let mut session = Session::open(realm, &http, output)?;
    let now = session.look_at_clock();
    let candidates = Candidates::find(&session.store, &content.key_ids)?;
    let environment = Environment { output: room.output(), ..session.environment(&header, &now) };
    let explanations = candidates.explain(args.action, &environment);
    let decided = candidates.evaluate(args.action, &environment);
    let name = args.action.name();
    output.json(|| {
        let mut document = json_document(name, decided.is_ok(), &explanations);
        document["output"] = output_name(environment.output).into();
        document
    });
    let answer = if decided.is_ok() { "allowed" } else { "denied" };
    output.line(|| format!("{} is {answer}.", capitalized(name)));
    tell(&explanations, output);
    if args.action == Action::Play {
        output.line(|| format!("\nJudged as {}.", output_text(environment.output)));
    }
    decided.map(drop).map_err(|denied| room.advise(Failure::denied(denied.first())))
}

const fn output_name(output: OutputKind) -> &'static str {
    match output {
        OutputKind::InProcess { .. } => "in_process",
        OutputKind::Clear => "clear",
        OutputKind::Device { .. } => "device",
    }
}

const fn output_text(output: OutputKind) -> &'static str {
    match output {
        OutputKind::InProcess { .. } => "playing in this process, at its certificate's level",
        OutputKind::Clear => "clear output, which is level 150 at most",
        OutputKind::Device { .. } => "playing on a device, at its level",
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

/// A table for each key; which key it is for is said only where there are several.
fn tell(explanations: &[Explanation<'_>], output: Output) {
    let ids: Vec<String> = explanations.iter().flat_map(Explanation::licenses).map(|it| id(it).to_string()).collect();
    for explanation in explanations {
        if explanations.len() > 1 {
            output.line(|| format!("\nKey {}:", explanation.key_id()));
        }
        let rows: Vec<[String; 4]> = match explanation.licenses() {
            [] => vec![refused_row("none", Reason::NoLicense { key_id: explanation.key_id() })],
            licenses => licenses.iter().flat_map(|judged| rows(explanation, judged, &ids)).collect(),
        };
        for line in table::lines(COLUMNS, &rows) {
            output.line(|| line);
        }
    }
    tell_what_to_do(explanations, output);
}

/// What helps against each kind of reason, said once.
fn tell_what_to_do(explanations: &[Explanation<'_>], output: Output) {
    let mut codes: Vec<Code> = explanations.iter().flat_map(reasons).map(|(_, reason)| Code::from(&reason)).collect();
    codes.sort_by_key(|code| code.number());
    codes.dedup();
    if codes.is_empty() {
        return;
    }
    output.line(|| "\n".to_owned());
    let rows: Vec<_> = codes.iter().map(|code| [code.name().to_owned(), code.action().to_owned()]).collect();
    for line in table::lines(ADVICE_COLUMNS, &rows) {
        output.line(|| line);
    }
}

fn rows(explanation: &Explanation<'_>, judged: &Judged<'_>, all: &[String]) -> Vec<[String; 4]> {
    let name = short(id(judged), all);
    match &judged.outcome {
        Ok(_) => {
            let why = match is_first(explanation, judged) {
                true => format!("Allowed. Used first: {}.", because(explanation)),
                false => "Allowed. Kept for later.".to_owned(),
            };
            vec![[name, why, String::new(), "now".to_owned()]]
        }
        Err(reasons) => reasons.iter().map(|&reason| refused_row(&name, reason)).collect(),
    }
}

fn refused_row(license: &str, reason: Reason) -> [String; 4] {
    let code = Code::from(&reason);
    let why = format!("{}. {}", capitalized(&reason.to_string()), code.name());
    let usable = reason.usable_when().unwrap_or_else(|| "not by itself".to_owned());
    [license.to_owned(), why, reason.remedy().name().replace('_', " "), usable]
}

fn json_document(action: &str, allowed: bool, explanations: &[Explanation<'_>]) -> Value {
    let judged = |explanation: &Explanation<'_>| -> Vec<Value> {
        explanation.licenses().iter().map(|judged| license_json(explanation, judged)).collect()
    };
    let licenses: Vec<Value> = explanations.iter().flat_map(judged).collect();
    let entries = |explanation: &Explanation<'_>| {
        let entry = |(license, reason)| reason_entry(explanation.key_id(), license, reason);
        reasons(explanation).into_iter().map(entry).collect::<Vec<_>>()
    };
    let reasons: Vec<Value> = explanations.iter().flat_map(entries).collect();
    json!({ "action": action, "allowed": allowed, "licenses": licenses, "reasons": reasons })
}

fn license_json(explanation: &Explanation<'_>, judged: &Judged<'_>) -> Value {
    let first = is_first(explanation, judged);
    let precedence = explanation.precedence().filter(|_| first);
    json!({
        "license": id(judged).to_string(),
        "key_id": explanation.key_id().to_string(),
        "allowed": judged.outcome.is_ok(),
        "used_first": first,
        "precedence": precedence.map(|precedence| precedence.name()),
    })
}

fn reason_entry(key_id: KeyId, license: Option<LicenseId>, reason: Reason) -> Value {
    let mut entry = reason_json(reason);
    entry["key_id"] = key_id.to_string().into();
    entry["usable"] = reason.usable_when().into();
    entry["license"] = license.map(|id| id.to_string()).into();
    entry
}

/// Every reason against every license for a key, or that there is none.
fn reasons(explanation: &Explanation<'_>) -> Vec<(Option<LicenseId>, Reason)> {
    if explanation.licenses().is_empty() {
        return vec![(None, Reason::NoLicense { key_id: explanation.key_id() })];
    }
    let against = |judged: &Judged<'_>| judged.outcome.as_ref().err().cloned().unwrap_or_default();
    let of_license = |judged| against(judged).into_iter().map(move |reason| (Some(id(judged)), reason));
    explanation.licenses().iter().flat_map(of_license).collect()
}

fn because(explanation: &Explanation<'_>) -> String {
    let only = || "it is the only one that allows this".to_owned();
    explanation.precedence().map_or_else(only, |precedence| precedence.to_string())
}

fn is_first(explanation: &Explanation<'_>, judged: &Judged<'_>) -> bool {
    explanation.first().is_some_and(|first| id(first) == id(judged))
}

fn id(judged: &Judged<'_>) -> LicenseId {
    judged.license.license.terms().id
}

/// As much of an id as tells it from all others that are shown.
fn short(id: LicenseId, all: &[String]) -> String {
    let id = id.to_string();
    let alone = |length: &usize| all.iter().filter(|other| other.starts_with(&id[..*length])).count() <= 1;
    let length = (SHORTEST..id.len()).find(alone).unwrap_or(id.len());
    id[..length].to_owned()
}

/// 80 characters with the two spaces between columns.
const COLUMNS: [(&str, usize); 4] = [("License", 9), ("Why", 31), ("Remedy", 14), ("Usable when", 20)];
const ADVICE_COLUMNS: [(&str, usize); 2] = [("Reason", 35), ("What to do", 43)];
const SHORTEST: usize = 8;
