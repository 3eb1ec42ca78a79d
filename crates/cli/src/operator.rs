//! The operator's commands.

mod admin;
mod audit;
mod backup;
mod doctor;
mod init;
mod keys;
mod package;
mod passphrase;
mod registry;
mod revoke;
mod serve;
mod token;
mod token_key;
mod upkeep;

pub(crate) use admin::run as admin;
pub(crate) use audit::run as audit;
pub(crate) use doctor::run as doctor;
pub(crate) use init::run as init;
pub(crate) use package::run as package;
pub(crate) use revoke::run as revoke;
pub(crate) use serve::run as serve;
pub(crate) use token::run as token;

use std::path::PathBuf;

use admit_crypto::rustcrypto;
use admit_protocol::Code;
use admit_server::home::{Environment, Home};
use tokio::runtime::{Builder, Runtime};

use crate::args::HomeArgs;
use crate::client::PROVIDER;
use crate::failure::{Failure, Outcome, capitalized};

/// The runtime that the server's library runs on.
fn runtime() -> Outcome<Runtime> {
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
async fn open_home(args: &HomeArgs) -> Outcome<Home> {
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
    fn from(error: admit_server::Error) -> Self {
        Self::new(error.code(), capitalized(&error.to_string()))
    }
}
