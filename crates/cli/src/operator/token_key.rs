//! `admit admin token-key`: keys that sign entitlement tokens.

use std::fs;

use admit_server::home::Home;
use admit_server::token::{Imported, TokenKeyInfo};
use serde_json::json;
use zeroize::Zeroizing;

use crate::args::{TokenKeyAddArgs, TokenKeyCommand};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{SystemEntropy, now};

/// Runs one of the commands.
pub(super) async fn run(command: &TokenKeyCommand, output: Output) -> Outcome<()> {
    let (TokenKeyCommand::Add(TokenKeyAddArgs { home, .. })
    | TokenKeyCommand::List(home)
    | TokenKeyCommand::Retire { home, .. }) = command;
    let home = super::open_home(home).await?;
    match command {
        TokenKeyCommand::Add(args) => {
            let kid = add(&home, args).await?;
            output.json(|| json!({ "kid": kid }));
            output.line(|| kid);
        }
        TokenKeyCommand::List(_) => list(&home.token_key_list(now()).await?, output),
        TokenKeyCommand::Retire { kid, verify_for, .. } => {
            let until = now().saturating_add(verify_for.unwrap_or(home.config().token_maximum_lifetime));
            home.retire_token_key(kid, until, now()).await?;
            output.json(|| json!({ "retired": kid, "verifies_until": until.to_string() }));
            output.line(|| format!("retired {kid}; what it signed verifies until {until}"));
        }
    }
    home.close().await;
    Ok(())
}

async fn add(home: &Home, args: &TokenKeyAddArgs) -> Outcome<String> {
    let imported = if let Some(path) = &args.public_key {
        let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
        Imported::public_key(&text)
    } else if let Some(path) = &args.secret_file {
        let bytes = Zeroizing::new(fs::read(path).map_err(|error| Failure::file(path, &error))?);
        Imported::secret(&bytes)
    } else {
        return Ok(home.make_token_key(now(), &mut SystemEntropy).await?);
    };
    let imported = imported.map_err(admit_server::Error::from)?;
    let (issuer, kid) = (args.issuer.as_deref().unwrap_or_default(), args.kid.as_deref());
    Ok(home.import_token_key(imported, issuer, kid, now(), &mut SystemEntropy).await?)
}

fn list(keys: &[TokenKeyInfo], output: Output) {
    let document = |key: &TokenKeyInfo| {
        json!({
            "kid": key.kid,
            "algorithm": key.algorithm,
            "issuer": key.issuer,
            "own": key.is_own,
            "created": key.created_at.to_string(),
            "verifies_until": key.verifies_until.map(|until| until.to_string()),
        })
    };
    output.json(|| json!({ "keys": keys.iter().map(document).collect::<Vec<_>>() }));
    for key in keys {
        let state = match (key.verifies_until, key.is_own) {
            (Some(until), _) if until <= now() => "retired".to_owned(),
            (Some(until), _) => format!("retired, verifies until {until}"),
            (None, true) => "signs and verifies".to_owned(),
            (None, false) => "verifies".to_owned(),
        };
        output.line(|| format!("{}  {}  {}  {state}", key.kid, key.algorithm, crate::failure::printable(&key.issuer)));
    }
}
