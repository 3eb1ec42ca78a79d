//! `admit admin`: operator tokens, and the home's own safety.

use admit_protocol::Code;
use admit_server::operator::OperatorToken;
use admit_time::Timestamp;
use serde_json::json;

use super::{backup, keys};
use crate::args::{AdminCommand, OperatorTokenCommand};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{SystemEntropy, now};

/// Runs one of the commands.
pub(crate) fn run(command: &AdminCommand, output: Output) -> Outcome<()> {
    super::runtime()?.block_on(async {
        match command {
            AdminCommand::Token(command) => token(command, output).await,
            AdminCommand::TokenKey(command) => super::token_key::run(command, output).await,
            AdminCommand::RotateKey(home) => keys::rotate(home, output).await,
            AdminCommand::Backup { out, with_key, home } => backup::make(home, out, *with_key, output).await,
            AdminCommand::Restore { backup, dir, key } => backup::restore(backup, dir, key, output).await,
            AdminCommand::Renew(args) => keys::renew(args, output).await,
        }
    })
}

async fn token(command: &OperatorTokenCommand, output: Output) -> Outcome<()> {
    let (OperatorTokenCommand::Make { home, .. }
    | OperatorTokenCommand::List(home)
    | OperatorTokenCommand::Revoke { home, .. }) = command;
    let home = super::open_home(home).await?;
    match command {
        OperatorTokenCommand::Make { name, valid, .. } => {
            let token = home.make_operator_token(name, *valid, now(), &mut SystemEntropy).await?;
            output.json(|| json!({ "name": name, "token": token }));
            output.line(|| token);
        }
        OperatorTokenCommand::List(_) => list(&home.operator_tokens().await?, output),
        OperatorTokenCommand::Revoke { name, .. } => {
            if !home.revoke_operator_token(name, now()).await? {
                let sentence = format!("there is no operator token named {name:?} that is not revoked");
                return Err(Failure::new(Code::ADMIT_E_USAGE, sentence)
                    .with_action("Run admit admin token list to see their names"));
            }
            output.json(|| json!({ "revoked": name }));
            output.line(|| format!("revoked {name}; it opens nothing from now on"));
        }
    }
    home.close().await;
    Ok(())
}

fn list(tokens: &[OperatorToken], output: Output) {
    let document = |token: &OperatorToken| {
        json!({
            "name": token.name,
            "state": state(token),
            "created": token.created_at.to_string(),
            "expires": token.expires_at.to_string(),
            "revoked": token.revoked_at.map(|at: Timestamp| at.to_string()),
        })
    };
    output.json(|| json!({ "tokens": tokens.iter().map(document).collect::<Vec<_>>() }));
    for token in tokens {
        output.line(|| format!("{:<8} until {}  {}", state(token), token.expires_at, token.name));
    }
}

fn state(token: &OperatorToken) -> &'static str {
    match token.revoked_at {
        Some(_) => "revoked",
        None if token.expires_at <= now() => "expired",
        None => "valid",
    }
}
