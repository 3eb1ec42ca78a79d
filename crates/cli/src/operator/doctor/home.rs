//! What is in the home: settings, who can read secrets, database, audit record, certificates.

use std::path::Path;
use std::time::Duration;

use admit_crypto::{Digest, rustcrypto};
use admit_server::Error;
use admit_server::audit::AuditVerdict;
use admit_server::home::{Config, Home, exposed_secrets};
use admit_time::Timestamp;

use super::Check;
use crate::system::now;

/// What the later checks need of a home that opens.
pub(super) struct Opened {
    pub(super) realm: Digest,
    pub(super) document: Vec<u8>,
    pub(super) public_address: Option<String>,
}

pub(super) fn settings(path: &Path) -> Check {
    let file = path.join(super::CONFIG);
    let advice = "Correct what is named; docs/operate/configure.md lists every setting";
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => return Check::failing(SETTINGS, format!("{}: {error}", file.display()), advice),
    };
    match Config::read(&text, &file, &crate::operator::environment()) {
        Ok(_) => Check::good(SETTINGS, "every setting is known and within its bounds"),
        Err(mistakes) => {
            let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            Check::failing(SETTINGS, told.join("; "), advice)
        }
    }
}

pub(super) fn permissions(path: &Path) -> Vec<Check> {
    let mut checks = match exposed_secrets(path) {
        Ok(exposed) if exposed.is_empty() => vec![Check::good(SECRETS, "only their owner can read them")],
        Ok(exposed) => {
            let told: Vec<String> =
                exposed.iter().map(|(path, mode)| format!("{} (mode {mode:04o})", path.display())).collect();
            let finding = format!("others than their owner can read {}", told.join(", "));
            vec![Check::failing(SECRETS, finding, "Take those rights away: chmod go-rwx")]
        }
        Err(error) => vec![Check::failing(SECRETS, error.to_string(), "Run this as the user that the home belongs to")],
    };
    if path.join("root-key.pem").exists() {
        let advice = "Move it off this machine, to two places; the server does not need it";
        checks.push(Check::warning(SECRETS, "root-key.pem is still in the home", advice));
    }
    checks
}

/// Opens the home; what stands on it is checked only then.
pub(super) async fn opened(path: &Path, checks: &mut Vec<Check>) -> Option<Opened> {
    let home = match Home::open_in(path, &rustcrypto::PROVIDER, &crate::operator::environment()).await {
        Ok(home) => home,
        // Told by the check of the settings.
        Err(Error::Configuration { .. } | Error::NoHome { .. }) => return None,
        Err(error) => {
            let advice = match &error {
                Error::Schema(_) => "Install the program that the database was last used with, or a newer one",
                Error::Damaged { .. } => "Restore database and key-encryption key from the same home's backup",
                _ => "See that the database runs, that its address is right and that this user may use it",
            };
            checks.push(Check::failing(DATABASE, error.to_string(), advice));
            return None;
        }
    };
    checks.push(Check::good(DATABASE, "it answers, its schema is this program's, and its keys open"));
    checks.push(audit(&home).await);
    checks.extend(home.service_ends().map(|(role, end)| certificate(role.name(), end, now())));
    if home.is_demonstration() {
        let advice = "Never use this realm for anything of value: make another without --demo-root-online";
        checks.push(Check::warning(CERTIFICATES, "the trust root's key is in the home", advice));
    }
    let opened = Opened {
        realm: home.realm(),
        document: home.realm_document().to_vec(),
        public_address: home.config().public_address.clone(),
    };
    home.close().await;
    Some(opened)
}

async fn audit(home: &Home) -> Check {
    let advice = "Keep a copy of the database as it is, and find out who could write to it";
    match home.verify_audit().await {
        Ok(AuditVerdict::Whole { entries, head }) => {
            Check::good(AUDIT, format!("all {entries} entries hold; the last is {head}"))
        }
        Ok(AuditVerdict::Broken { seq, fault }) => Check::failing(AUDIT, format!("entry {seq}: {fault}"), advice),
        Err(error) => Check::failing(AUDIT, error.to_string(), advice),
    }
}

fn certificate(role: &str, end: Timestamp, now: Timestamp) -> Check {
    let finding = format!("that of {role} ends {end}");
    if end <= now {
        Check::failing(CERTIFICATES, finding, RENEW)
    } else if end <= now.saturating_add(NOTICE) {
        Check::warning(CERTIFICATES, finding, RENEW)
    } else {
        Check::good(CERTIFICATES, finding)
    }
}

const SETTINGS: &str = "settings";
const SECRETS: &str = "secrets";
const DATABASE: &str = "database";
const AUDIT: &str = "audit record";
const CERTIFICATES: &str = "certificates";
const RENEW: &str = "Fetch the root key and run admit admin renew";

/// How long before its end a certificate is mentioned.
const NOTICE: Duration = Duration::from_secs(90 * 86_400);

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_certificate_is_mentioned_from_ninety_days_before_its_end() {
        let end = Timestamp::from_unix_secs(1_900_000_000);
        let days_before = |days: u64| Timestamp::from_unix_secs(end.unix_secs() - days * 86_400);
        for (days, verdict) in
            [(91, Verdict::Good), (90, Verdict::Warning), (1, Verdict::Warning), (0, Verdict::Failing)]
        {
            assert!(certificate("license", end, days_before(days)).verdict == verdict, "{days}");
        }
    }
}
