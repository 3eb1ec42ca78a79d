//! `admit init`: a home with everything in it.

use admit_crypto::rustcrypto;
use admit_server::home::{InitOptions, RootCustody, init};
use serde_json::json;

use super::passphrase;
use crate::args::{InitArgs, text_or_file};
use crate::failure::Outcome;
use crate::output::Output;
use crate::system::{SystemEntropy, now};

/// Makes the home and says what the operator has to keep.
pub(crate) fn run(args: &InitArgs, output: Output) -> Outcome<()> {
    let passphrase = if args.demo_root_online { None } else { Some(passphrase::new(args.passphrase_file.as_deref())?) };
    let root = match &passphrase {
        Some(passphrase) => RootCustody::Export { passphrase },
        None => RootCustody::Online,
    };
    let database_url = args.database.as_deref().map(text_or_file).transpose()?;
    let options = InitOptions {
        name: &args.name,
        now: now(),
        enrol_level: args.enrol_level,
        application_level: APPLICATION_LEVEL,
        public_address: Some(&args.public_address),
        database_url: database_url.as_deref(),
        root,
    };
    let made = super::runtime()?.block_on(init(&args.dir, &options, &rustcrypto::PROVIDER, &mut SystemEntropy))?;
    output.json(|| json!({ "home": args.dir, "realm": made.realm.to_string(), "root_key": made.root_key }));
    output.line(|| format!("made {} for realm {}", args.dir.display(), made.realm));
    match &made.root_key {
        Some(path) => output.line(|| {
            let path = path.display();
            format!(
                "The root key is in {path}, under your passphrase. Move it to a safe place off this machine: whoever \
                     has it and the passphrase has the realm, and without it nothing can be renewed."
            )
        }),
        None => output.line(|| "The root key stays in the home: for demonstrations only.".into()),
    }
    output.line(|| format!("Publish the fingerprint {} where buyers can compare it.", made.realm));
    output.line(|| format!("Next: admit serve --home {}", args.dir.display()));
    Ok(())
}

/// What playing inside this process counts as; what leaves it in clear is 150 anyway.
const APPLICATION_LEVEL: u32 = 150;
