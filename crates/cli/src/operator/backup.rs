//! `admit admin backup` and `admit admin restore`.

use std::path::{Path, PathBuf};

use admit_crypto::rustcrypto;
use admit_protocol::Code;
use admit_server::audit::AuditVerdict;
use admit_server::home::{self, Backup};
use serde_json::{Value, json};

use crate::args::HomeArgs;
use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// Makes a backup and says up to where it goes.
pub(super) async fn make(args: &HomeArgs, out: &Path, with_key: bool, output: Output) -> Outcome<()> {
    let home = super::open_home(args).await?;
    let made = home.backup(out, with_key).await;
    home.close().await;
    let Backup { verdict, keys_left_out, needs_token } = made?;
    tell(verdict, out, "backup", json!({ "keys_left_out": keys_left_out }), output)?;
    if needs_token {
        output
            .line(|| "It opens with the PKCS#11 token only: keep a copy of the token's key as its maker says.".into());
    }
    match keys_left_out[..] {
        [] => {}
        [key] => output.line(|| format!("It opens with secrets/{key} only: keep a copy of that apart from it.")),
        _ => output.line(|| {
            let keys = keys_left_out.join(" and secrets/");
            format!(
                "A rotation of the key was interrupted: it opens with both secrets/{keys} only. Keep a copy of each \
                 apart from it, or finish with `admit admin rotate-key` and make another backup."
            )
        }),
    }
    Ok(())
}

/// Makes a home of a backup.
pub(super) async fn restore(backup: &Path, dir: &Path, keys: &[PathBuf], output: Output) -> Outcome<()> {
    let verdict = home::restore(backup, dir, keys, &rustcrypto::PROVIDER, &super::environment()).await?;
    tell(verdict, dir, "home", json!({}), output)
}

fn tell(verdict: AuditVerdict, path: &Path, what: &str, mut more: Value, output: Output) -> Outcome<()> {
    match verdict {
        AuditVerdict::Whole { entries, head } => {
            more[what] = json!(path);
            more["entries"] = json!(entries);
            more["head"] = json!(head.to_string());
            output.json(|| more);
            output.line(|| format!("made {}; its audit record is whole up to entry {entries}, {head}", path.display()));
            Ok(())
        }
        AuditVerdict::Broken { seq, fault } => {
            let sentence = format!("made {}, but its audit record is broken at entry {seq}: {fault}", path.display());
            Err(Failure::new(Code::ADMIT_E_STORE_TAMPERED, sentence)
                .with_action("Keep it, and find out who could write to the database"))
        }
    }
}
