//! `admit package --local`: protects the user's own recording for this client, without a server (row B10).

use std::fs::File;

use admit_client::local::{LocalContent, LocalOrder};
use admit_license::{Application, Rights};
use admit_packager::Protection;
use serde_json::json;

use super::acquire::Session;
use super::context::{ClientRealm, PLAY_FIRST, PROVIDER};
use crate::args::{LocalArgs, PackageArgs};
use crate::failure::{Failure, Outcome};
use crate::operator::{metadata, write_protected};
use crate::output::Output;
use crate::same_file;
use crate::system::{Http, SystemEntropy};
use crate::terms::terms_json;

/// Writes the protected file, stores its licenses, and only then gives the file its name: input that cannot be packaged
/// leaves neither a file nor a license.
pub(crate) fn run(args: &PackageArgs, output: Output) -> Outcome<()> {
    same_file::refuse(&args.input, &args.output)?;
    let input = File::open(&args.input).map_err(|error| Failure::file(&args.input, &error))?;
    let metadata = metadata(args)?;
    let folder = super::folder(args.local.client.as_deref())?;
    let realm = ClientRealm::choose(&folder, args.local.realm, PLAY_FIRST)?;
    let mut session = Session::open(realm, &Http::new(), output)?;
    let order = order(args, Application::new(session.application()));
    // Refused before the work, and once more by what issues the licenses.
    admit_license::local_rights(order.rights, &order.application).map_err(admit_client::Error::from)?;
    let mut entropy = session.store.entropy(&mut SystemEntropy);
    let content = LocalContent::generate(PROVIDER, &session.identity, &mut entropy);
    let header = content.header(PROVIDER, session.realm.realm.root(), args.content_id.clone())?;
    let protection = Protection { key_id: content.key_id(), key: content.key(), pssh_data: Some(&header), metadata };
    let (report, file) = write_protected(args, &input, &protection)?;
    let now = session.look_at_clock();
    let Session { realm, store, identity, clock, .. } = &mut session;
    let owner = (&*identity, realm.realm.root());
    let licenses = content.issue(order, owner, store, (clock, &now), &mut entropy)?;
    file.commit().map_err(|error| Failure::file(&args.output, &error))?;
    output.json(|| {
        json!({
            "output": args.output,
            "key_id": content.key_id().to_string(),
            "realm": session.realm.realm.root().realm().to_string(),
            "sdmi_class": order.rights.sdmi_class().name(),
            "output_bytes": report.output_bytes,
            "licenses": licenses.iter().map(|license| terms_json(license.terms(), None)).collect::<Vec<_>>(),
        })
    });
    output.line(|| format!("wrote {} ({} bytes)", args.output.display(), report.output_bytes));
    for license in &licenses {
        output.line(|| format!("license {}: {}", license.terms().id, license.terms().rights));
    }
    Ok(())
}

fn order(args: &PackageArgs, application: Application) -> LocalOrder {
    LocalOrder { rights: rights(&args.local), minimum_application_level: args.min_app_level, application }
}

/// What this application specifies: the rights given or its own, in the class that is asked for.
fn rights(args: &LocalArgs) -> Rights {
    let own = Rights::PLAY | Rights::TRANSFER_TO_NON_SDMI | Rights::BURN_TO_CD;
    let given = args.rights.iter().fold(Rights::NONE, |rights, right| rights | *right);
    let rights = if args.rights.is_empty() { own } else { given };
    let rights = match args.sdmi.as_deref() {
        None => rights,
        Some("protected") => rights.without(Rights::TRANSFER_TO_NON_SDMI) | Rights::SDMI_VALIDATED,
        Some(_) => rights | Rights::TRANSFER_TO_NON_SDMI | Rights::SDMI_VALIDATED,
    };
    if args.one_time { rights | Rights::ONE_TIME } else { rights }
}
