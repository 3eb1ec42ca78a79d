//! What is in the home: settings, who can read secrets, database, audit record, certificates.

use std::path::Path;
use std::time::Duration;

use admit_crypto::{Digest, rustcrypto};
use admit_server::Error;
use admit_server::audit::AuditVerdict;
use admit_server::home::{Config, Home, KeyCustody, Standing, Time, TokenReport, check_token, exposed_secrets};
use admit_server::pkcs11::Pkcs11Fault;
use admit_time::Timestamp;

use super::Check;
use crate::system::now;

/// What the later checks need of a home that opens.
pub(super) struct Opened {
    pub(super) realm: Digest,
    pub(super) document: Vec<u8>,
    pub(super) public_address: Option<String>,
    pub(super) time: Time,
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

/// The token, where there is one: its module loads, it takes the PIN, it has the key, and that opens the home's.
pub(super) fn token(path: &Path) -> Option<Check> {
    let report = match check_token(path, &rustcrypto::PROVIDER, &crate::operator::environment()) {
        Ok(report) => report?,
        Err(Error::Pkcs11(fault)) => return Some(Check::failing(TOKEN, fault.to_string(), token_advice(&fault))),
        // Told by the checks of settings and secrets.
        Err(_) => return None,
    };
    let TokenReport { token, key, .. } = &report;
    Some(if report.is_extractable {
        let finding = format!("the key {key:?} of the token {token:?} is extractable");
        Check::warning(TOKEN, finding, "Make one that is not, name it in pkcs11.key, and run admit admin rotate-key")
    } else if report.custody == KeyCustody::File {
        let finding = format!("the token {token:?} has the key {key:?}, and the key-encryption key is in a file still");
        Check::warning(TOKEN, finding, "Run admit admin rotate-key")
    } else if report.is_under_another {
        let finding = format!("the key-encryption key is under another key of the token {token:?} than {key:?}");
        Check::warning(TOKEN, finding, "Run admit admin rotate-key")
    } else {
        Check::good(TOKEN, format!("the key {key:?} of the token {token:?} opens the key-encryption key"))
    })
}

fn token_advice(fault: &Pkcs11Fault) -> &'static str {
    match fault {
        Pkcs11Fault::NotConfigured | Pkcs11Fault::NoToken => "Name the token in [pkcs11] of admit.toml",
        Pkcs11Fault::Module { .. } => "Name the PKCS#11 library of the token's maker in pkcs11.module",
        Pkcs11Fault::TokenAbsent { .. } => "Correct pkcs11.token, or connect the token",
        Pkcs11Fault::TokenAmbiguous { .. } => "Give each token a label of its own",
        Pkcs11Fault::PinWrong { .. } => "Correct the PIN; many tokens lock after a few wrong ones",
        Pkcs11Fault::PinLocked { .. } => "Unlock it with the tools of the token's maker",
        Pkcs11Fault::PinFinalTry { .. } => "Log in to it once with the right PIN and the tools of the token's maker",
        Pkcs11Fault::KeyAbsent { .. } => "Correct pkcs11.key, or restore the key to the token",
        Pkcs11Fault::KeyAmbiguous { .. } => "Give each key a label of its own",
        Pkcs11Fault::KeyUnsuitable { .. } => "Name an AES key of 32 bytes that may encrypt and decrypt",
        Pkcs11Fault::DoesNotOpen { .. } => "Restore the key file and the token's key that belong together",
        Pkcs11Fault::Device { .. } => "See that the token is connected and well, with the tools of its maker",
    }
}

/// The acquisition policy, where the settings name one.
pub(super) fn policy(path: &Path) -> Option<Check> {
    let file = path.join(super::CONFIG);
    let text = std::fs::read_to_string(&file).ok()?;
    // What is wrong with settings is told by their own check.
    let policy = Config::read(&text, &file, &crate::operator::environment()).ok()?.policy.file()?;
    let advice = "Correct it; a running server still uses what the file was before. admit policy check says the same";
    Some(match policy.load(now()) {
        Ok(_) => Check::good(POLICY, format!("{} holds", policy.path().display())),
        Err(mistakes) => Check::failing(POLICY, Error::Policy { mistakes }.to_string(), advice),
    })
}

/// Opens the home; what stands on it is checked only then.
pub(super) async fn opened(path: &Path, checks: &mut Vec<Check>) -> Option<Opened> {
    let home = match Home::open_in(path, &rustcrypto::PROVIDER, &crate::operator::environment()).await {
        Ok(home) => home,
        // Told by the checks of settings and token.
        Err(Error::Configuration { .. } | Error::NoHome { .. } | Error::Pkcs11(_)) => return None,
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
    checks.extend(home.standings().map(|standing| certificate(&standing, now())));
    if home.is_demonstration() {
        let advice = "Never use this realm for anything of value: make another without --demo-root-online";
        checks.push(Check::warning(CERTIFICATES, "the trust root's key is in the home", advice));
    }
    let opened = Opened {
        realm: home.realm(),
        document: home.realm_document().to_vec(),
        public_address: home.config().public_address.clone(),
        time: home.config().time,
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

fn certificate(standing: &Standing, now: Timestamp) -> Check {
    let Standing { name, ends_at, .. } = standing;
    let finding = format!("that of {name} ends {ends_at}");
    let advice = if *name == "root" { NEW_REALM } else { RENEW };
    if *ends_at <= now {
        Check::failing(CERTIFICATES, finding, advice)
    } else if standing.is_due(now.saturating_add(NOTICE)) {
        Check::warning(CERTIFICATES, format!("{finding}, and is due to be renewed {}", standing.renew_by), advice)
    } else {
        Check::good(CERTIFICATES, finding)
    }
}

const SETTINGS: &str = "settings";
const POLICY: &str = "policy";
const SECRETS: &str = "secrets";
const TOKEN: &str = "token";
const DATABASE: &str = "database";
const AUDIT: &str = "audit record";
const CERTIFICATES: &str = "certificates";
const RENEW: &str = "Fetch the root key and run admit admin renew";

const NEW_REALM: &str = "Make a new realm, and package for it: no command renews the trust root";

/// How long before it is due a certificate is mentioned.
const NOTICE: Duration = Duration::from_secs(30 * 86_400);

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_certificate_is_mentioned_from_thirty_days_before_it_is_due() {
        let due = Timestamp::from_unix_secs(1_900_000_000);
        let day = |days: u64| Duration::from_secs(days * 86_400);
        let standing = Standing { name: "license".into(), ends_at: due.saturating_add(day(60)), renew_by: due };
        let cases = [(0, Verdict::Good), (1, Verdict::Warning), (90, Verdict::Warning), (91, Verdict::Failing)];
        for (days, verdict) in cases {
            let now = due.saturating_sub(day(31)).saturating_add(day(days));
            assert!(certificate(&standing, now).verdict == verdict, "{days}");
        }
    }
}
