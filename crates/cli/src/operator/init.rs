//! `admit init`: a home with everything in it.

use std::path::{Path, PathBuf};

use admit_crypto::rustcrypto;
use admit_server::home::{InitOptions, InitToken, Pin, Pkcs11, RootCustody, init};
use serde_json::json;
use zeroize::Zeroizing;

use super::passphrase;
use crate::args::{InitArgs, Pkcs11Args, text_or_file};
use crate::failure::{Failure, Outcome};
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
    let (settings, pin_file) = token(&args.pkcs11)?.unzip();
    let token = settings.as_ref().map(|settings| InitToken {
        settings,
        pin_file: pin_file.as_deref(),
        create_key: args.pkcs11.create_key,
    });
    let options = InitOptions {
        name: &args.name,
        now: now(),
        enrol_level: args.enrol_level,
        application_level: args.app_level,
        public_address: Some(&args.public_address),
        database_url: database_url.as_deref(),
        root,
        token,
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

/// The token that was named, and where its PIN is. Paths are made absolute: the home's settings keep them.
fn token(args: &Pkcs11Args) -> Outcome<Option<(Pkcs11, PathBuf)>> {
    let Pkcs11Args { module: Some(module), token: Some(token), key: Some(key), pin_file: Some(pin_file), .. } = args
    else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(pin_file).map_err(|error| Failure::file(pin_file, &error))?;
    let (text, pin_file) = (Zeroizing::new(text), absolute(pin_file)?);
    let pin = Pin::new(text.trim());
    Ok(Some((Pkcs11 { module: absolute(module)?, token: token.clone(), key: key.clone(), pin }, pin_file)))
}

fn absolute(path: &Path) -> Outcome<PathBuf> {
    std::path::absolute(path).map_err(|error| Failure::file(path, &error))
}
