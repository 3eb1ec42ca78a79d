//! The command line of `admit policy`, and claims as `admit token` takes them too.

use std::path::PathBuf;

use admit_license::{Action, KeyId};
use admit_trust::ComponentVersion;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::HomeArgs;

/// `admit policy`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Print the policy that the settings name, or the default.
    Show(#[command(flatten)] HomeArgs),
    /// Find mistakes in a policy before it is live.
    Check {
        /// The policy; without it, the one that the settings name.
        file: Option<PathBuf>,
        #[command(flatten)]
        home: HomeArgs,
    },
    /// Show what a policy would issue to whom, and why. Nothing is issued.
    Test(PolicyTestArgs),
}

/// `admit policy test`.
#[derive(Debug, Args)]
pub(crate) struct PolicyTestArgs {
    /// The policy; without it, the one that the settings name.
    pub(crate) file: Option<PathBuf>,
    /// The content id, of content that need not be registered.
    #[arg(long, value_name = "ID", default_value = "content")]
    pub(crate) content: String,
    /// The id of a key in the home, instead: what was said when its content was packaged counts too.
    #[arg(long, value_name = "UUID", conflicts_with = "content")]
    pub(crate) kid: Option<KeyId>,
    /// The buyer, as their token names them.
    #[arg(long, value_name = "ID", default_value = "buyer")]
    pub(crate) subject: String,
    /// A claim for the policy in the buyer's token; may be given several times.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse_claim)]
    pub(crate) claims: Vec<(String, Value)>,
    /// A buyer without a token, as for open content.
    #[arg(long, conflicts_with_all = ["subject", "claims"])]
    pub(crate) no_token: bool,
    /// What the client wants a license for; may be given several times. Without it, play.
    #[arg(long = "action", value_name = "ACTION")]
    pub(crate) actions: Vec<Action>,
    /// The rights that the client asks for, as a number of bits. Without it, those of the actions, and bit 4.
    #[arg(long, value_name = "BITS")]
    pub(crate) rights: Option<u32>,
    /// The security level of the client.
    #[arg(long, value_name = "LEVEL", default_value_t = 150)]
    pub(crate) client_level: u32,
    /// The version of the client's component.
    #[arg(long, value_name = "VERSION", default_value_t = ComponentVersion::DEFAULT)]
    pub(crate) client_version: ComponentVersion,
    /// The client's clock.
    #[arg(long, value_enum, default_value = "anti-rollback")]
    pub(crate) clock: Clock,
    /// The security level of the application.
    #[arg(long, value_name = "LEVEL", default_value_t = 150)]
    pub(crate) app_level: u32,
    /// The version of the application.
    #[arg(long, value_name = "VERSION")]
    pub(crate) app_version: Option<String>,
    /// The SDK that the application was made with.
    #[arg(long, value_enum, default_value = "newer")]
    pub(crate) sdk: Sdk,
    /// What the client can do; may be given several times. Without it, chains and time.
    #[arg(long = "feature", value_enum)]
    pub(crate) features: Vec<Feature>,
    /// The state of the client's clock.
    #[arg(long, value_enum, default_value = "unset")]
    pub(crate) clock_state: StateOfClock,
    /// How many licenses for the content the client has.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) held: u16,
    /// The client asks for the time as well.
    #[arg(long)]
    pub(crate) time_requested: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}

/// The kinds of clocks.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Clock {
    /// None.
    None,
    /// Any, checked to move forward only.
    AntiRollback,
    /// A hardware clock protected from change.
    Secure,
}

/// The generations of the SDK.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Sdk {
    /// Knows the rights 1, 2 and 4 only.
    Older,
    /// Knows all rights.
    Newer,
}

/// What clients can do.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Feature {
    /// Nothing of this.
    None,
    /// Root and leaf licenses.
    Chains,
    /// Licenses that require metering.
    Metering,
    /// Time from the license server.
    Time,
}

/// The states of a client's clock.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum StateOfClock {
    /// It was never set.
    Unset,
    /// It was set by a signed time and has run since.
    Trusted,
    /// It is estimated, after a restart without contact.
    Estimated,
    /// Its last signed time is too old.
    Stale,
    /// The wall clock was set back.
    RolledBack,
    /// The store is older than it was.
    StoreRolledBack,
}

/// A value that is a whole number, `true` or `false` is one; anything else is text.
pub(super) fn parse_claim(text: &str) -> Result<(String, Value), &'static str> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("expected NAME=VALUE")?;
    let value = match (value.parse::<i64>(), value.parse::<bool>()) {
        (Ok(number), _) => number.into(),
        (_, Ok(yes_or_no)) => yes_or_no.into(),
        _ => value.into(),
    };
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_have_a_name_and_a_value() {
        let claim = |text| parse_claim(text).unwrap().1;
        assert_eq!(
            [claim("a=1"), claim("a=-7"), claim("a=true"), claim("a=b=c"), claim("a=")],
            [1.into(), (-7).into(), true.into(), "b=c".into(), Value::from("")]
        );
        assert!(parse_claim("=1").is_err() && parse_claim("a").is_err());
    }
}
