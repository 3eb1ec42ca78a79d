//! `admit license recover`: licenses that were issued before, again (row B14).

use std::path::Path;

use admit_client::acquire::Wanted;
use admit_license::VerifiedLicense;
use admit_protocol::Code;
use serde_json::json;

use super::acquire::Session;
use super::content::Content;
use super::context::ClientRealm;
use super::why::realm_of;
use crate::args::{LicenseRecoverArgs, token_text};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::Http;
use crate::terms::{terms_json, terms_text};

/// Recovers what the files need, or everything. A file for which nothing comes does not keep the others from theirs; the
/// first failure is told at the end.
pub(crate) fn run(args: &LicenseRecoverArgs, output: Output) -> Outcome<()> {
    let token = token_text(args.token.as_deref())?;
    let http = Http::new();
    let (mut recovered, mut failure) = (Vec::new(), None);
    let mut take = |outcome: Outcome<Vec<VerifiedLicense>>| match outcome {
        Ok(licenses) => recovered.extend(licenses),
        Err(found) => failure = failure.take().or(Some(found)),
    };
    if args.files.is_empty() {
        take(everything(args, token.as_deref(), &http, output));
    }
    for file in &args.files {
        take(of_file(args, file, token.as_deref(), &http, output));
    }
    tell(&recovered, output);
    if recovered.is_empty() && failure.is_none() {
        output.line(|| "no license is missing".to_owned());
    }
    failure.map_or(Ok(()), Err)
}

fn of_file(
    args: &LicenseRecoverArgs,
    file: &Path,
    token: Option<&str>,
    http: &Http,
    output: Output,
) -> Outcome<Vec<VerifiedLicense>> {
    let content = Content::open_for_license(file)?;
    // No server ever issued anything for it.
    if content.is_local()? {
        let file = file.display();
        let sentence =
            format!("{file} was protected on one client, which made its licenses: no server can issue them again");
        return Err(Failure::new(Code::ADMIT_E_LOCAL_CONTENT, sentence)
            .with_action("Play it on the client that made it; recovery is for licenses that a server issued"));
    }
    let realm = realm_of(&content, &args.client, http)?;
    content.verify_header(realm.realm.root())?;
    let wanted = Wanted { token, ..Wanted::again(content.key_ids) };
    Session::open(realm, http, output)?.acquire(&wanted, http)
}

/// Everything that the realm knows of this owner. Which realm that is, is clear where there is one.
fn everything(
    args: &LicenseRecoverArgs,
    token: Option<&str>,
    http: &Http,
    output: Output,
) -> Outcome<Vec<VerifiedLicense>> {
    let mut known = ClientRealm::load_all(&super::folder(args.client.client.as_deref())?)?;
    let (Some(realm), true) = (known.pop(), known.is_empty()) else {
        return Err(Failure::new(Code::ADMIT_E_REALM_NOT_TRUSTED, "there is not one realm to ask")
            .with_action("Name a file whose licenses were lost, so that its realm is asked"));
    };
    let wanted = Wanted { token, ..Wanted::again(Vec::new()) };
    Session::open(realm, http, output)?.acquire(&wanted, http)
}

fn tell(licenses: &[VerifiedLicense], output: Output) {
    output.json(|| {
        let licenses: Vec<_> = licenses.iter().map(|license| terms_json(license.terms(), None)).collect();
        json!({ "licenses": licenses })
    });
    for license in licenses {
        output.line(|| format!("recovered license {}\n{}", license.terms().id, terms_text(license.terms(), None)));
    }
}
