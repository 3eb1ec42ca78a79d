//! `admit policy`: what licenses will say, shown before it is live.

use std::path::Path;

use admit_crypto::rustcrypto;
use admit_license::{Action, Rights, Terms};
use admit_protocol::Code;
use admit_protocol::acquire::ClockState;
use admit_server::Error;
use admit_server::content::{Content, KeyClass};
use admit_server::home::Config;
use admit_server::policy::{
    DEFAULT_SCRIPT, Limits, Loaded, PolicyFile, PolicyRefusal, Script, Told, Trial, Tried, trial_client,
};
use admit_server::token::{Claims, OneOrMany};
use admit_trust::{ClientProperties, ClockKind, Features, Properties, SdkGeneration};
use serde_json::{Value, json};

use crate::args::{Clock, Feature, HomeArgs, PolicyCommand, PolicyTestArgs, Sdk, StateOfClock};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{SystemEntropy, now};
use crate::terms::{conditions_text, terms_json};

/// Runs one of the commands.
pub(crate) fn run(command: &PolicyCommand, output: Output) -> Outcome<()> {
    match command {
        PolicyCommand::Show(home) => show(home, output),
        PolicyCommand::Check { file, home } => check(file.as_deref(), home, output),
        PolicyCommand::Test(args) => test(args, output),
    }
}

fn show(home: &HomeArgs, output: Output) -> Outcome<()> {
    let file = configured(home)?;
    let text = match &file {
        Some(file) => std::fs::read_to_string(file.path()).map_err(|error| Failure::file(file.path(), &error))?,
        None => DEFAULT_SCRIPT.to_owned(),
    };
    output.json(|| json!({ "file": name(file.as_ref()), "policy": text }));
    output.line(|| text);
    Ok(())
}

fn check(file: Option<&Path>, home: &HomeArgs, output: Output) -> Outcome<()> {
    let file = file_or_configured(file, home)?;
    load(file.as_ref())?;
    output.json(|| json!({ "file": name(file.as_ref()), "holds": true }));
    output.line(|| match name(file.as_ref()) {
        Some(file) => format!("{file} holds"),
        None => "no policy is set, and the default holds".to_owned(),
    });
    Ok(())
}

fn test(args: &PolicyTestArgs, output: Output) -> Outcome<()> {
    let policy = load(file_or_configured(args.file.as_deref(), &args.home)?.as_ref())?;
    let trial = trial(args)?;
    let Tried { licenses, said } = trial.run(&policy, &mut SystemEntropy);
    let why = trial.why(&policy);
    output.json(|| document(&trial, &licenses, &said, &why));
    output.line(|| asked(&trial));
    for line in &said {
        output.line(|| format!("the policy says: {line}"));
    }
    for line in &why {
        output.line(|| format!("why: {line}"));
    }
    for (number, terms) in licenses.iter().flatten().enumerate() {
        output.line(|| format!("\nlicense {}\n{}", number + 1, conditions_text(terms, None)));
    }
    licenses.map(|_| ()).map_err(|refusal| match &refusal {
        PolicyRefusal::Refused { .. } => Failure::new(Code::ADMIT_E_POLICY_REFUSED, refusal.to_string())
            .with_action("Change the policy if this buyer should get a license"),
        PolicyRefusal::Asked { address, .. } => {
            let failure = Failure::new(Code::ADMIT_E_PAGE_FIRST, refusal.to_string())
                .with_action("Change the policy if this buyer should get a license without that page");
            Failure { page: address.clone(), ..failure }
        }
        PolicyRefusal::NoClock => Failure::new(Code::DRM_E_NO_CLK_SUPPORTED, refusal.to_string())
            .with_action("Set no limits in time for clients without a trusted clock"),
        PolicyRefusal::Failed(fault) => Failure::new(Code::ADMIT_E_POLICY_FAILED, fault.to_string())
            .with_action("Correct what is named; docs/operate/policies.md has what a policy can say"),
    })
}

/// Who asks for what, in a line.
fn asked(trial: &Trial) -> String {
    let buyer = trial.entitlement.as_ref().map_or_else(
        || "a buyer without a token".to_owned(),
        |claims| {
            let said = claims.policy.iter().map(|(name, value)| format!(", {name} = {value}")).collect::<String>();
            format!("{}{said}", claims.sub)
        },
    );
    let client = &trial.client;
    format!(
        "content {}; {buyer}; rights {} asked for by a client of level {}, version {}",
        trial.content.content_id, trial.requested_rights, client.security_level, client.component_version
    )
}

fn document(trial: &Trial, licenses: &Result<Vec<Terms>, PolicyRefusal>, said: &[String], why: &[String]) -> Value {
    let conditions = |terms: &Terms| {
        let mut document = terms_json(terms, None);
        if let Some(members) = document.as_object_mut() {
            // What is of one license alone.
            members.retain(|name, _| !["license", "key_id", "realm", "issued_at", "bound_to"].contains(&&**name));
        }
        document
    };
    let refusal = licenses.as_ref().err().map(|refusal| match refusal {
        PolicyRefusal::Refused { reason, address } => json!({ "reason": reason, "address": address }),
        PolicyRefusal::Asked { reason, address } => json!({ "asks": reason, "address": address }),
        PolicyRefusal::NoClock => json!({ "reason": refusal.to_string(), "address": null }),
        PolicyRefusal::Failed(fault) => json!({ "failed": fault.to_string() }),
    });
    json!({
        "content": trial.content.content_id,
        "licenses": licenses.iter().flatten().map(conditions).collect::<Vec<_>>(),
        "refusal": refusal,
        "said": said,
        "why": why,
    })
}

fn trial(args: &PolicyTestArgs) -> Outcome<Trial> {
    let content = match args.kid {
        Some(_) => super::runtime()?.block_on(registered(args))?,
        None => unregistered(args),
    };
    let actions = if args.actions.is_empty() { vec![Action::Play] } else { args.actions.clone() };
    let wanted = actions.iter().fold(Rights::NO_RECOVERY, |rights, action| rights | action.right());
    Ok(Trial {
        now: now(),
        entitlement: (!args.no_token).then(|| claims(args, &content.content_id)),
        content,
        requested_rights: args.rights.unwrap_or(wanted.bits()),
        actions,
        client: client(args),
        application: Some(application(args)),
        told: told(args),
    })
}

fn client(args: &PolicyTestArgs) -> ClientProperties {
    let clock = match args.clock {
        Clock::None => ClockKind::None,
        Clock::AntiRollback => ClockKind::AntiRollback,
        Clock::Secure => ClockKind::Secure,
    };
    let (level, version) = (args.client_level, args.client_version);
    let usual = trial_client(&rustcrypto::PROVIDER, level, clock, version, &mut SystemEntropy);
    let bits = args.features.iter().map(|feature| match feature {
        Feature::None => 0,
        Feature::Chains => Features::CHAINS.bits(),
        Feature::Metering => Features::METERING.bits(),
        Feature::Time => Features::TIME.bits(),
    });
    let features = bits.reduce(|all, bit| all | bit).map_or(usual.features, Features::from_bits);
    ClientProperties { features, ..usual }
}

fn application(args: &PolicyTestArgs) -> Properties {
    let generation = match args.sdk {
        Sdk::Older => SdkGeneration::Older,
        Sdk::Newer => SdkGeneration::Newer,
    };
    Properties {
        security_level: Some(args.app_level),
        sdk_generation: Some(generation),
        application_version: args.app_version.clone(),
        ..Properties::default()
    }
}

fn told(args: &PolicyTestArgs) -> Told {
    let clock_state = match args.clock_state {
        StateOfClock::Unset => ClockState::Unset,
        StateOfClock::Trusted => ClockState::Trusted,
        StateOfClock::Estimated => ClockState::Estimated,
        StateOfClock::Stale => ClockState::Stale,
        StateOfClock::RolledBack => ClockState::RolledBack,
        StateOfClock::StoreRolledBack => ClockState::StoreRolledBack,
    };
    Told { clock_state, held: args.held, time_requested: args.time_requested }
}

fn claims(args: &PolicyTestArgs, content_id: &str) -> Claims {
    let now = now().unix_secs();
    Claims {
        iss: "test".to_owned(),
        aud: String::new(),
        sub: args.subject.clone(),
        iat: Some(now),
        nbf: None,
        exp: now + 3600,
        jti: "test".to_owned(),
        content: OneOrMany::One(content_id.to_owned()),
        uses: None,
        cnf: None,
        policy: args.claims.iter().cloned().collect(),
    }
}

fn unregistered(args: &PolicyTestArgs) -> Content {
    Content {
        key_id: admit_license::KeyId::from_bytes([0; 16]),
        class: KeyClass::Licensed,
        content_id: args.content.clone(),
        title: None,
        open: args.no_token,
        minimum_individualized_version: None,
        minimum_application_level: None,
    }
}

async fn registered(args: &PolicyTestArgs) -> Outcome<Content> {
    let home = super::open_home(&args.home).await?;
    let key_id = args.kid.unwrap_or(admit_license::KeyId::from_bytes([0; 16]));
    let content = home.content(key_id).await?;
    home.close().await;
    let none = || Failure::new(Code::ADMIT_E_UNKNOWN_KEY_ID, format!("no key with the id {key_id} is registered"));
    content.ok_or_else(|| none().with_action("Name the id of a key of this home, or content with --content"))
}

/// The policy that was named, or else the settings'.
fn file_or_configured(file: Option<&Path>, home: &HomeArgs) -> Outcome<Option<PolicyFile>> {
    let Some(path) = file else { return configured(home) };
    let known = PolicyFile::of(path).ok_or_else(|| {
        Failure::new(Code::ADMIT_E_USAGE, format!("{} is no policy by its name", path.display()))
            .with_action(format!("Give a file whose name ends in {}", PolicyFile::ENDINGS))
    });
    known.map(Some)
}

fn configured(home: &HomeArgs) -> Outcome<Option<PolicyFile>> {
    let home = super::home_folder(home)?;
    let path = home.join("admit.toml");
    let text = std::fs::read_to_string(&path).map_err(|_| Error::NoHome { path: home })?;
    let config = Config::read(&text, &path, &super::environment());
    Ok(config.map_err(|mistakes| Error::Configuration { mistakes })?.policy.file())
}

fn load(file: Option<&PolicyFile>) -> Outcome<Loaded> {
    let loaded = match file {
        Some(file) => file.load(now()),
        None => Ok(Loaded::Script(Script::standard(Limits::default()))),
    };
    Ok(loaded.map_err(|mistakes| Error::Policy { mistakes })?)
}

fn name(file: Option<&PolicyFile>) -> Option<String> {
    file.map(|file| file.path().display().to_string())
}
