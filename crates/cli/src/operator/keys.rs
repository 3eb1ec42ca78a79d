//! `admit admin rotate-key` and `admit admin renew`: new keys in the place of old ones.

use std::path::Path;

use admit_crypto::SecretScalar;
use admit_protocol::Code;
use admit_server::home::{Home, KeyCustody, Renewal, Renewed, RotationStep, root_key};
use serde_json::json;

use super::passphrase;
use crate::args::{Custody, RenewArgs, RotateKeyArgs};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{SystemEntropy, now};

/// Rotates the key-encryption key.
pub(super) async fn rotate(args: &RotateKeyArgs, output: Output) -> Outcome<()> {
    let home = super::open_home(&args.home).await?;
    let (mut rotation, mut rows) = (home.rotate_key(), 0);
    if let Some(custody) = args.to {
        rotation = rotation.into_custody(match custody {
            Custody::File => KeyCustody::File,
            Custody::Pkcs11 => KeyCustody::Token,
        });
    }
    if args.create_key {
        if rotation.custody() == KeyCustody::File {
            return Err(Failure::new(
                Code::ADMIT_E_USAGE,
                "--create-key makes a token's key, and the new key goes to a file",
            )
            .with_action("Leave --create-key out, or name the token in [pkcs11] of admit.toml"));
        }
        rotation = rotation.creating_key();
    }
    while let Some(step) = rotation.step(now(), &mut SystemEntropy).await? {
        if let RotationStep::Resealed { rows: some, .. } = step {
            rows += some;
        }
    }
    let custody = home.key_custody()?;
    home.close().await;
    let place = match custody {
        KeyCustody::File => "file",
        KeyCustody::Token => "pkcs11",
    };
    output.json(|| json!({ "rotated": true, "records": rows, "custody": place }));
    output.line(|| {
        format!("everything that is sealed, {rows} records, is under a new key; copy secrets/key-encryption-key again")
    });
    if custody == KeyCustody::Token {
        output.line(|| {
            "The key in that file is under the token's key: keep the token, or a copy of its key, too.".into()
        });
    }
    Ok(())
}

/// Renews certificates with the root key.
pub(super) async fn renew(args: &RenewArgs, output: Output) -> Outcome<()> {
    let home = super::open_home(&args.home).await?;
    let renewal = if args.all { Renewal::All } else { Renewal::Yearly };
    let key = root_key(&home, args.root_key.as_deref(), args.passphrase_file.as_deref()).await?;
    let renewed = home.renew(&key, renewal, now(), &mut SystemEntropy).await?;
    home.close().await;
    let document = |one: &Renewed| json!({ "certificate": one.name, "ends": one.ends_at.to_string() });
    output.json(|| json!({ "renewed": renewed.iter().map(document).collect::<Vec<_>>() }));
    for one in &renewed {
        output.line(|| format!("the certificate of {} is new and good until {}", one.name, one.ends_at));
    }
    output.line(|| "servers of this home take it within 30 seconds".into());
    Ok(())
}

/// The trust root's key: from its file, or out of a home for demonstrations.
pub(super) async fn root_key(
    home: &Home,
    file: Option<&Path>,
    passphrase_file: Option<&Path>,
) -> Outcome<SecretScalar> {
    let Some(path) = file else {
        return home.demonstration_root_key().await?.ok_or_else(|| {
            Failure::new(Code::ADMIT_E_USAGE, "the root key is not in this home")
                .with_action("Name its file with --root-key")
        });
    };
    let pem = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let passphrase = passphrase::existing(passphrase_file)?;
    Ok(root_key::import(&pem, &passphrase)?)
}
