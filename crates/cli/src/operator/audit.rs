//! `admit audit`: what was issued to whom, and whether the record is whole.

use admit_protocol::Code;
use admit_server::audit::{AuditEntry, AuditVerdict};
use serde_json::{Value, json};

use crate::args::AuditArgs;
use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// Shows the newest records and walks the whole chain.
pub(crate) fn run(args: &AuditArgs, output: Output) -> Outcome<()> {
    let (verdict, entries) = super::runtime()?.block_on(async {
        let home = super::open_home(&args.home).await?;
        let verdict = home.verify_audit().await?;
        let count = match verdict {
            AuditVerdict::Whole { entries, .. } => entries,
            AuditVerdict::Broken { seq, .. } => seq,
        };
        let entries = home.audit(count.saturating_sub(u64::from(args.last)), args.last).await?;
        home.close().await;
        Outcome::Ok((verdict, entries))
    })?;
    let head = match &verdict {
        AuditVerdict::Whole { head, .. } => Some(head.to_string()),
        AuditVerdict::Broken { .. } => None,
    };
    let broken = match &verdict {
        AuditVerdict::Whole { .. } => None,
        AuditVerdict::Broken { seq, fault } => Some(format!("the audit record is broken at entry {seq}: {fault}")),
    };
    output.json(|| json!({ "whole": broken.is_none(), "head": head, "entries": entries.iter().map(document).collect::<Vec<_>>() }));
    for entry in &entries {
        output.line(|| {
            format!("{:>8}  {}  {:<20} {}  {}", entry.seq, entry.at, entry.event, entry.subject, entry.detail_json)
        });
    }
    match broken {
        None => {
            output.line(|| format!("the audit record is whole; its head is {}", head.unwrap_or_default()));
            Ok(())
        }
        Some(sentence) => Err(Failure::new(Code::ADMIT_E_STORE_TAMPERED, sentence)
            .with_action("Compare the database with a backup, and find out who could write to it")),
    }
}

fn document(entry: &AuditEntry) -> Value {
    json!({
        "seq": entry.seq,
        "at": entry.at.to_string(),
        "event": entry.event.to_string(),
        "subject": entry.subject,
        "detail": serde_json::from_str::<Value>(&entry.detail_json).unwrap_or_default(),
    })
}
