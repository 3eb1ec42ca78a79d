//! `admit license`: the license store.

use std::path::Path;

use admit_client::acquire::Wanted;
use admit_license::{Action, Rights, Terms, Usage};
use admit_protocol::Code;
use serde_json::json;

use super::acquire::Session;
use super::ask;
use super::content::Content;
use super::context::ClientRealm;
use super::recover;
use super::why::realm_of;
use crate::args::{ClientArgs, LicenseAcquireArgs, LicenseCommand, token_text};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{Http, SystemEntropy};
use crate::terms::{ends_at, terms_json, terms_text};

/// Runs one of the store's commands.
pub(crate) fn run(command: &LicenseCommand, output: Output) -> Outcome<()> {
    match command {
        LicenseCommand::List(args) => list(args, output),
        LicenseCommand::Show { id, client } => show(id, client, output),
        LicenseCommand::Acquire(args) => acquire(args, output),
        LicenseCommand::Recover(args) => recover::run(args, output),
        LicenseCommand::Delete { id, client } => delete(id, client, output),
    }
}

fn list(args: &ClientArgs, output: Output) -> Outcome<()> {
    let mut documents = Vec::new();
    for (realm, terms, usage) in all_licenses(args)? {
        output.line(|| {
            let limits = match ends_at(&terms, &usage) {
                Some(end) => format!(", until {end}"),
                None if terms.time_limits().any() => ", limited in time".to_owned(),
                None => String::new(),
            };
            format!("{}  key {}  {}{limits}  ({realm})", terms.id, terms.key_id, terms.rights)
        });
        documents.push(terms_json(&terms, Some(&usage)));
    }
    if documents.is_empty() {
        output.line(|| "no licenses".into());
    }
    output.json(|| json!({ "licenses": documents }));
    Ok(())
}

fn show(begin: &str, client: &ClientArgs, output: Output) -> Outcome<()> {
    let (realm, terms, usage) = find(begin, client)?;
    output.json(|| terms_json(&terms, Some(&usage)));
    output.line(|| format!("{}realm: {realm}", terms_text(&terms, Some(&usage))));
    Ok(())
}

fn acquire(args: &LicenseAcquireArgs, output: Output) -> Outcome<()> {
    let token = token_text(args.token.as_deref())?;
    let content = Content::open(&args.file)?;
    let http = Http::new();
    let realm = realm_of(&content, &args.client, &http)?;
    let header = content.verify_header(realm.realm.root())?;
    let mut session = Session::open(realm, &http)?;
    let actions = if args.actions.is_empty() { vec![Action::Play] } else { args.actions.clone() };
    let rights = actions.iter().fold(Rights::NONE, |rights, action| rights | action.right());
    let application = session.application().cloned();
    let wanted = Wanted {
        header: content.header_object(),
        key_ids: content.key_ids.clone(),
        rights,
        actions,
        token: token.as_deref(),
        application: application.as_ref(),
        recovery: false,
    };
    let licenses = ask::acquire(&mut session, &wanted, header.license_page.as_deref(), &http)?;
    drop(session);
    output.json(|| {
        let licenses: Vec<_> = licenses.iter().map(|license| terms_json(license.terms(), None)).collect();
        json!({ "licenses": licenses })
    });
    for license in &licenses {
        output.line(|| format!("stored license {}\n{}", license.terms().id, terms_text(license.terms(), None)));
    }
    Ok(())
}

fn delete(begin: &str, client: &ClientArgs, output: Output) -> Outcome<()> {
    let (_, Terms { id, .. }, _) = find(begin, client)?;
    for realm in realms(client)? {
        let lock = realm.lock()?;
        let mut store = realm.settled_store(&lock)?;
        let mut entropy = store.entropy(&mut SystemEntropy);
        if store.delete(id, &mut entropy)? {
            output.json(|| json!({ "deleted": id.to_string() }));
            output.line(|| format!("deleted license {id}"));
            return Ok(());
        }
    }
    Err(no_such_license(begin))
}

/// The one license whose id begins like this, and its realm's name.
fn find(begin: &str, client: &ClientArgs) -> Outcome<(String, Terms, Usage)> {
    let mut found = all_licenses(client)?;
    found.retain(|(_, terms, _)| terms.id.to_string().starts_with(begin));
    let license = found.pop().ok_or_else(|| no_such_license(begin))?;
    // Whole ids that are alike differ in nothing that could be typed.
    if found.is_empty() || begin.len() == 32 {
        return Ok(license);
    }
    let ids: Vec<_> = found.iter().chain([&license]).map(|(_, terms, _)| terms.id.to_string()).collect();
    let sentence = format!("{} licenses begin with {begin}: {}", ids.len(), ids.join(", "));
    Err(Failure::new(Code::ADMIT_E_USAGE, sentence).with_action("Give more digits of the id"))
}

fn all_licenses(args: &ClientArgs) -> Outcome<Vec<(String, Terms, Usage)>> {
    let mut all = Vec::new();
    for realm in realms(args)? {
        let name = realm.realm.document().name.clone();
        let lock = realm.lock()?;
        let licenses = realm.store_to_show(&lock)?.licenses()?;
        all.extend(licenses.into_iter().map(|license| (name.clone(), license.terms, license.usage)));
    }
    Ok(all)
}

fn realms(args: &ClientArgs) -> Outcome<Vec<ClientRealm>> {
    let folder = super::folder(args.client.as_deref().map(Path::new))?;
    ClientRealm::load_all(&folder)
}

fn no_such_license(id: &str) -> Failure {
    Failure::new(Code::NS_E_DRM_LICENSE_NOTACQUIRED, format!("there is no license {id} in the store"))
        .with_action("See what there is with: admit license list")
}
