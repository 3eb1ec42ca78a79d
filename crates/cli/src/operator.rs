//! The operator's commands.

mod admin;
mod audit;
mod backup;
mod doctor;
mod init;
mod keys;
mod package;
mod passphrase;
mod policy;
mod registry;
mod revoke;
mod serve;
mod serve_time;
mod token;
mod token_key;
mod trust;
mod trust_time;
mod upkeep;

pub(crate) use admin::run as admin;
pub(crate) use audit::run as audit;
pub(crate) use doctor::run as doctor;
pub(crate) use init::run as init;
pub(crate) use package::{metadata, run as package, write_protected};
pub(crate) use policy::run as policy;
pub(crate) use revoke::run as revoke;
pub(crate) use serve::run as serve;
pub(crate) use token::run as token;
pub(crate) use trust::run as trust;

use std::path::PathBuf;

use admit_crypto::rustcrypto;
use admit_protocol::Code;
use admit_server::home::{ClockServiceFault, Environment, Home};
use admit_server::pkcs11::Pkcs11Fault;
use admit_server::token::TokenKeyFault;
use tokio::runtime::{Builder, Runtime};

use crate::args::HomeArgs;
use crate::client::PROVIDER;
use crate::failure::{Failure, Outcome};

/// The runtime that the server's library runs on.
pub(crate) fn runtime() -> Outcome<Runtime> {
    let built = Builder::new_multi_thread().enable_all().build();
    built.map_err(|error| Failure::new(Code::ADMIT_E_SERVER, format!("the runtime does not start: {error}")))
}

/// The home that the flag or `ADMIT_HOME` names.
fn home_folder(args: &HomeArgs) -> Outcome<PathBuf> {
    args.home.clone().ok_or_else(|| {
        Failure::new(Code::ADMIT_E_NO_HOME, "no home was named")
            .with_action("Name it with --home or in ADMIT_HOME; admit init DIR makes one")
    })
}

/// Opens the home for a command that signs once or not at all. The portable provider does that: the native one first
/// gathers jitter entropy for its signatures, 60 ms and more, which only a server earns back.
pub(crate) async fn open_home(args: &HomeArgs) -> Outcome<Home> {
    Ok(Home::open_in(&home_folder(args)?, &rustcrypto::PROVIDER, &environment()).await?)
}

/// Opens the home for the server.
async fn open_home_to_serve(args: &HomeArgs) -> Outcome<Home> {
    Ok(Home::open_in(&home_folder(args)?, PROVIDER, &environment()).await?)
}

/// What the environment says of settings.
fn environment() -> Environment {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    Environment::new(std::env::vars_os().map(|(name, value)| (text(name), text(value))))
}

impl From<admit_server::Error> for Failure {
    /// The sentence stays as it is: some begin with a path.
    fn from(error: admit_server::Error) -> Self {
        let failure = Self::new(error.code(), error.to_string());
        match advice(&error) {
            Some(advice) => failure.with_action(advice),
            None => failure,
        }
    }
}

/// What to do about an error on the command line, where its code's own advice is for somebody else.
fn advice(error: &admit_server::Error) -> Option<&'static str> {
    use admit_server::Error;
    Some(match error {
        Error::DatabaseTaken => {
            "Name a database without tables with --database, or use the home that this one belongs to"
        }
        Error::RootKey => {
            "Check that --root-key names the file that admit init exported, and that the passphrase is its own"
        }
        Error::OtherRootKey => "Name the root key of this home's realm with --root-key",
        Error::TokenKey(fault) => of_token_key(fault),
        Error::ClockService(fault) => of_clock_service(fault),
        Error::Name { .. } => "Give another one with --name",
        Error::Policy { .. } => "Correct what is named; docs/operate/policies.md has what a policy can say",
        Error::NotSqlite => "Use what the database comes with, such as pg_dump",
        Error::TokenLifetime { .. } => "Ask for less with --valid, or raise the limit in admit.toml",
        Error::OperatorTokenName { .. } | Error::OperatorTokenExists { .. } => "Choose another name",
        Error::ContentName { .. } => "Give another one with --content-id or --title",
        Error::LicensePage => "Write it as https://shop.example.org/film",
        Error::NoPublicAddress => "Set public_address in admit.toml",
        Error::SecretReadable { .. } => "Take those rights away: chmod go-rwx",
        Error::Pkcs11(Pkcs11Fault::NoToken) => "Set the section pkcs11 of admit.toml, or leave the key in a file",
        Error::NoKeyInBackup { .. } | Error::OtherKeyOfBackup { .. } => {
            "Name each key-encryption key of the backup's time with --key"
        }
        Error::NoSealingKey { .. } => "Put the key back from its backup",
        Error::Database(_) => "See that the database runs, that its address is right and that this user may use it",
        _ => return None,
    })
}

const fn of_clock_service(fault: &ClockServiceFault) -> &'static str {
    match fault {
        ClockServiceFault::Address { .. } => "Give another one with --address",
        ClockServiceFault::Name { .. } | ClockServiceFault::NameTaken { .. } => "Give another one with --name",
        ClockServiceFault::KeyNamed { .. } => "Use that name, or for one of the realm's own neither --key nor --name",
        ClockServiceFault::Full { .. } => "Remove services that are not needed with admit trust time remove",
        _ => "Look at what is listed with admit trust time list",
    }
}

const fn of_token_key(fault: &TokenKeyFault) -> &'static str {
    match fault {
        TokenKeyFault::Private => "Give the public key alone",
        TokenKeyFault::ShortSecret { .. } => "Agree with the shop on a longer secret, of random bytes",
        TokenKeyFault::Kid => "Give the key a name with --kid",
        TokenKeyFault::Issuer => "Give the shop's name as its tokens say it, with --issuer",
        TokenKeyFault::Exists { .. } => "Give the key another name with --kid",
        TokenKeyFault::Unknown { .. } => "Run admit admin token-key list to see their names",
        TokenKeyFault::NoneSigns => "Make a new key with admit admin token-key add",
        _ => "Give a P-256 or Ed25519 key with --public-key, in PEM or as a JWK",
    }
}

#[cfg(test)]
mod tests {
    use admit_server::Error;

    use super::*;

    #[test]
    fn mistakes_of_the_operator_are_wrong_usage_and_each_is_told_what_to_do() {
        let limit = 1;
        for error in [
            Error::DatabaseTaken,
            Error::RootKey,
            Error::OtherRootKey,
            Error::NotSqlite,
            Error::LicensePage,
            Error::Name { limit },
            Error::OperatorTokenName { limit },
            Error::OperatorTokenExists { name: String::new() },
            Error::ContentName { what: "title", limit },
            Error::TokenLifetime { asked_days: 2, limit_days: 1 },
            TokenKeyFault::Private.into(),
            TokenKeyFault::Point.into(),
            TokenKeyFault::NoneSigns.into(),
        ] {
            let failure = Failure::from(error);
            assert_eq!(failure.code, Code::ADMIT_E_USAGE);
            assert!(failure.action.is_some(), "{failure:?}");
        }
    }

    #[test]
    fn a_path_at_the_beginning_of_a_sentence_keeps_its_letters() {
        let failure = Failure::from(Error::NoHome { path: "home".into() });
        assert_eq!(failure.sentence, "home is no home: there is no admit.toml");
    }
}
