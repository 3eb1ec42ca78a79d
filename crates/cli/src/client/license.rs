//! `admit license`: the license store.

use std::path::Path;

use admit_client::acquire::Wanted;
use admit_client::{Store, StoredLicense};
use admit_license::{Action, Dead, KeyId, LicenseId, Rights};
use admit_protocol::Code;
use admit_protocol::acquire::MAX_KEY_IDS;
use admit_time::Timestamp;
use serde_json::json;

use super::acquire::Session;
use super::content::Content;
use super::context::ClientRealm;
use super::recover;
use super::why::realm_of;
use super::{ask, clock};
use crate::args::{ClientArgs, LicenseAcquireArgs, LicenseCommand, LicenseIdArgs, token_text};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{Http, SqliteKeyValue, SystemEntropy};
use crate::terms::{stored_json, terms_json, terms_text, what_is_left};

/// Runs one of the store's commands.
pub(crate) fn run(command: &LicenseCommand, output: Output) -> Outcome<()> {
    match command {
        LicenseCommand::List(args) => list(args, output),
        LicenseCommand::Show(args) => show(args, output),
        LicenseCommand::Acquire(args) => acquire(args, output),
        LicenseCommand::Recover(args) => recover::run(args, output),
        LicenseCommand::Delete(args) => delete(args, output),
    }
}

fn list(args: &ClientArgs, output: Output) -> Outcome<()> {
    let mut documents = Vec::new();
    for (realm, license, certain) in all_licenses(args)? {
        output.line(|| {
            let (terms, left) = (&license.terms, what_is_left(&license, certain));
            format!("{}  key {}  {}{left}  ({realm})", terms.id, terms.key_id, terms.rights)
        });
        documents.push(stored_json(&license, certain));
    }
    if documents.is_empty() {
        output.line(|| "no licenses".into());
    }
    output.json(|| json!({ "licenses": documents }));
    Ok(())
}

fn show(args: &LicenseIdArgs, output: Output) -> Outcome<()> {
    let Found { realm, license, certain, .. } = find(args)?;
    let realm = &realm.realm.document().name;
    output.json(|| stored_json(&license, certain));
    output.line(|| {
        let StoredLicense { terms, usage } = &license;
        let dead = Dead::of(terms, usage, certain).map_or_else(String::new, |dead| format!("over: {dead}\n"));
        format!("{}{dead}realm: {realm}", terms_text(terms, Some(usage)))
    });
    Ok(())
}

fn acquire(args: &LicenseAcquireArgs, output: Output) -> Outcome<()> {
    let token = token_text(args.token.as_deref())?;
    let http = Http::new();
    let content = args.file.as_deref().map(Content::open_for_license).transpose()?;
    let realm = match &content {
        Some(content) => realm_of(content, &args.client, &http)?,
        None => realm_of_keys(args, &http)?,
    };
    let header = content.as_ref().map(|content| content.verify_header(realm.realm.root())).transpose()?;
    let mut session = Session::open(realm, &http, output)?;
    let actions = if args.actions.is_empty() { vec![Action::Play] } else { args.actions.clone() };
    let rights = actions.iter().fold(Rights::NONE, |rights, action| rights | action.right());
    let application = session.application().cloned();
    let wanted = Wanted {
        header: content.as_ref().and_then(Content::header_object),
        key_ids: content.as_ref().map_or(&args.key_ids, |content| &content.key_ids).clone(),
        rights,
        actions,
        token: token.as_deref(),
        application: application.as_ref(),
        recovery: false,
    };
    let license_page = header.and_then(|header| header.license_page);
    let licenses = ask::acquire(&mut session, &wanted, license_page.as_deref(), &http)?;
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

/// The realm of keys for which there is no file yet: the one at the server that is named, else one that this client knows.
fn realm_of_keys(args: &LicenseAcquireArgs, http: &Http) -> Outcome<ClientRealm> {
    if args.key_ids.len() > MAX_KEY_IDS {
        let sentence = format!("{} key ids were given, and at most {MAX_KEY_IDS} are asked for", args.key_ids.len());
        return Err(Failure::new(Code::ADMIT_E_USAGE, sentence).with_action("Ask for fewer at a time"));
    }
    let folder = super::folder(args.client.client.as_deref())?;
    match &args.server {
        Some(server) => ClientRealm::load_or_trust_at(&folder, server, args.client.trust, http),
        None => {
            let realm = ClientRealm::choose(&folder, args.realm, "Name its license server with --server instead")?;
            args.client.trust.map_or(Ok(()), |trusted| realm.must_be(trusted))?;
            Ok(realm)
        }
    }
}

fn delete(args: &LicenseIdArgs, output: Output) -> Outcome<()> {
    let Found { realm, license, key_ids, .. } = find(args)?;
    let id = license.terms.id;
    let named: Vec<_> = key_ids.into_iter().map(|key_id| (key_id, id)).collect();
    let lock = realm.lock()?;
    let mut store = realm.settled_store(&lock)?;
    let mut entropy = store.entropy(&mut SystemEntropy);
    // Another program may have been faster.
    if !store.delete_all(&named, &mut entropy)? {
        return Err(no_such_license(&args.id, false));
    }
    output.json(|| json!({ "deleted": id.to_string() }));
    output.line(|| format!("deleted license {id}"));
    Ok(())
}

/// A license that was looked for by how its id begins.
struct Found {
    /// The first realm that has it.
    realm: ClientRealm,
    license: StoredLicense,
    /// A time that has certainly passed, by the realm's clock.
    certain: Option<Timestamp>,
    /// The keys for which there is a license of just this id: several only where issuers were careless.
    key_ids: Vec<KeyId>,
}

fn find(args: &LicenseIdArgs) -> Outcome<Found> {
    let key_ids = match (&args.file, args.key_id) {
        (Some(file), _) => Some(Content::open_for_license(file)?.key_ids),
        (None, key_id) => key_id.map(|key_id| vec![key_id]),
    };
    let mut found = Vec::new();
    for realm in realms(&args.client)? {
        let lock = realm.lock()?;
        let store = realm.store_to_show(&lock)?;
        let licenses = begin_with(&store, &args.id, key_ids.as_deref())?;
        let certain = certain_time(&realm, &store);
        drop(lock);
        found.push((realm, licenses, certain));
    }
    let licenses = found.iter().flat_map(|(_, licenses, _)| licenses);
    let mut ids: Vec<String> = licenses.map(|license| license.terms.id.to_string()).collect();
    ids.sort();
    ids.dedup();
    if ids.len() > 1 {
        let sentence = format!("{} licenses begin with {}: {}", ids.len(), args.id, ids.join(", "));
        return Err(Failure::new(Code::ADMIT_E_USAGE, sentence).with_action("Give more digits of the id"));
    }
    let first = found.into_iter().find_map(|(realm, licenses, certain)| {
        let key_ids = licenses.iter().map(|license| license.terms.key_id).collect();
        Some(Found { realm, license: licenses.into_iter().next()?, certain, key_ids })
    });
    first.ok_or_else(|| no_such_license(&args.id, key_ids.is_some()))
}

/// The licenses whose ids begin like this: of these keys, or, where none is named, of all that there are.
fn begin_with(
    store: &Store<'_, SqliteKeyValue>,
    begin: &str,
    key_ids: Option<&[KeyId]>,
) -> Outcome<Vec<StoredLicense>> {
    let begins = |id: LicenseId| id.to_string().starts_with(begin);
    let Some(key_ids) = key_ids else { return Ok(store.find(begins)?) };
    let mut licenses = Vec::new();
    for key_id in key_ids {
        licenses.extend(store.licenses_for(key_id)?);
    }
    licenses.retain(|license| begins(license.terms.id));
    Ok(licenses)
}

/// All licenses, each with its realm's name and a time that has certainly passed by its clock.
fn all_licenses(args: &ClientArgs) -> Outcome<Vec<(String, StoredLicense, Option<Timestamp>)>> {
    let mut all = Vec::new();
    for realm in realms(args)? {
        let name = realm.realm.document().name.clone();
        let lock = realm.lock()?;
        let store = realm.store_to_show(&lock)?;
        let certain = certain_time(&realm, &store);
        all.extend(store.licenses()?.into_iter().map(|license| (name.clone(), license, certain)));
    }
    Ok(all)
}

/// Licenses are shown also where the clock cannot be read: none is said to have ended then.
fn certain_time(realm: &ClientRealm, store: &Store<'_, SqliteKeyValue>) -> Option<Timestamp> {
    clock::look(realm, store).ok().and_then(|shown| shown.now.certain())
}

fn realms(args: &ClientArgs) -> Outcome<Vec<ClientRealm>> {
    let folder = super::folder(args.client.as_deref().map(Path::new))?;
    ClientRealm::load_all(&folder)
}

fn no_such_license(id: &str, of_content: bool) -> Failure {
    let content = if of_content { " for this content" } else { "" };
    Failure::new(Code::NS_E_DRM_LICENSE_NOTACQUIRED, format!("there is no license {id}{content} in the store"))
        .with_action("See what there is with: admit license list")
}
