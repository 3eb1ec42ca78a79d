//! `admit admin backup` and `admit admin restore`.

use std::path::Path;

use admit_crypto::rustcrypto;
use admit_protocol::Code;
use admit_server::audit::AuditVerdict;
use admit_server::home::{self, KeyCustody};
use serde_json::json;

use crate::args::HomeArgs;
use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// Makes a backup and says up to where it goes.
pub(super) async fn make(args: &HomeArgs, out: &Path, with_key: bool, output: Output) -> Outcome<()> {
    let home = super::open_home(args).await?;
    let verdict = home.backup(out, with_key).await;
    let custody = home.key_custody()?;
    home.close().await;
    tell(verdict?, out, "backup", output)?;
    match custody {
        KeyCustody::Token => {
            output.line(|| {
                "It opens with the PKCS#11 token only: keep a copy of the token's key as its maker says.".into()
            });
        }
        KeyCustody::File if !with_key => {
            output.line(|| "It opens with secrets/key-encryption-key only: keep a copy of that apart from it.".into());
        }
        KeyCustody::File => {}
    }
    Ok(())
}

/// Makes a home of a backup.
pub(super) async fn restore(backup: &Path, dir: &Path, key: Option<&Path>, output: Output) -> Outcome<()> {
    let verdict = home::restore(backup, dir, key, &rustcrypto::PROVIDER, &super::environment()).await?;
    tell(verdict, dir, "home", output)
}

fn tell(verdict: AuditVerdict, path: &Path, what: &str, output: Output) -> Outcome<()> {
    match verdict {
        AuditVerdict::Whole { entries, head } => {
            output.json(|| json!({ what: path, "entries": entries, "head": head.to_string() }));
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
