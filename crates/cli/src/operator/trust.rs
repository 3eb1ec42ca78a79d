//! `admit trust`: certificates that the trust root stands behind.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use admit_crypto::{PublicKey, SecretScalar};
use admit_protocol::Code;
use admit_server::home::Home;
use admit_server::token::Imported;
use serde_json::json;

use super::keys;
use crate::args::{HardwareArgs, RootKeyArgs, TrustCommand};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{SystemEntropy, now};

/// Runs one of the commands.
pub(crate) fn run(command: &TrustCommand, output: Output) -> Outcome<()> {
    let runtime = super::runtime()?;
    match command {
        TrustCommand::Hardware(args) => runtime.block_on(hardware(args, output)),
        TrustCommand::Time(command) => runtime.block_on(super::trust_time::run(command, output)),
    }
}

/// Makes the certificate for a device's hardware.
async fn hardware(args: &HardwareArgs, output: Output) -> Outcome<()> {
    let key = p256_key(&args.key)?;
    // Before a certificate is made and recorded, there is a place for it.
    let file = OpenOptions::new().write(true).create_new(true).open(&args.output);
    let mut file = file.map_err(|error| Failure::file(&args.output, &error))?;
    let made = vouch(args, &key).await;
    let written = made.and_then(|pem| {
        file.write_all(pem.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| Failure::file(&args.output, &error))
    });
    if let Err(failure) = written {
        let _ = std::fs::remove_file(&args.output);
        return Err(failure);
    }
    output.json(|| json!({ "certificate": args.output.display().to_string(), "name": args.name, "clock": "secure" }));
    output.line(|| {
        format!("wrote {}: clients on {} get a clock that hardware protects", args.output.display(), args.name)
    });
    Ok(())
}

async fn vouch(args: &HardwareArgs, key: &PublicKey) -> Outcome<String> {
    let home = super::open_home(&args.home).await?;
    let root_key = root_key(&home, &args.root).await?;
    let certificate = home.vouch_for_hardware(&root_key, &args.name, key, now(), &mut SystemEntropy).await;
    home.close().await;
    Ok(certificate?.to_pem())
}

/// The trust root's key, from where the command line says.
pub(super) async fn root_key(home: &Home, args: &RootKeyArgs) -> Outcome<SecretScalar> {
    keys::root_key(home, args.root_key.as_deref(), args.passphrase_file.as_deref()).await
}

fn p256_key(path: &Path) -> Outcome<PublicKey> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let imported = Imported::public_key(&text);
    let key =
        imported.map_err(|fault| fault.to_string()).and_then(|it| it.p256().ok_or("the key is not P-256".to_owned()));
    key.map_err(|why| {
        Failure::new(Code::ADMIT_E_FILE, format!("{}: {why}", path.display()))
            .with_action("Name a P-256 public key in PEM, as openssl pkey -pubout writes it")
    })
}
