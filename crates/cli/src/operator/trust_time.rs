//! `admit trust time`: the clock services that the realm document lists.

use admit_server::home::{ClockService, Home, OutsideClock};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::trust::root_key;
use crate::args::{TimeAddArgs, TimeCommand, TimeRemoveArgs};
use crate::failure::Outcome;
use crate::output::Output;
use crate::system::{SystemEntropy, now};

/// Runs one of the commands.
pub(super) async fn run(command: &TimeCommand, output: Output) -> Outcome<()> {
    let (TimeCommand::List(home)
    | TimeCommand::Add(TimeAddArgs { home, .. })
    | TimeCommand::Remove(TimeRemoveArgs { home, .. })) = command;
    let home = super::open_home(home).await?;
    match command {
        TimeCommand::List(_) => tell("services", "", &home.clock_services()?, output),
        TimeCommand::Add(args) => {
            let added = add(&home, args).await?;
            tell("added", "clients ask, once they have the new realm document: ", &added, output);
        }
        TimeCommand::Remove(args) => {
            let key = root_key(&home, &args.root).await?;
            let removed = home.remove_clock_service(&key, &args.address, now()).await?;
            tell("removed", "clients ask no more, once they have the new realm document: ", &removed, output);
        }
    }
    home.close().await;
    Ok(())
}

async fn add(home: &Home, args: &TimeAddArgs) -> Outcome<Vec<ClockService>> {
    let outside = args.key.zip(args.name.as_deref()).map(|(key, name)| OutsideClock { name, key });
    let key = root_key(home, &args.root).await?;
    Ok(home.add_clock_service(&key, &args.address, outside, now(), &mut SystemEntropy).await?)
}

fn tell(member: &str, before: &str, services: &[ClockService], output: Output) {
    output.json(|| json!({ member: services.iter().map(document).collect::<Vec<_>>() }));
    for service in services {
        let ClockService { name, address, is_own, ends_at, .. } = service;
        let whose = if *is_own { "own" } else { "outside" };
        let key = BASE64_STANDARD.encode(service.key.public_key);
        output.line(|| format!("{before}{name}  {whose}  {address}\n  key {key}, certificate until {ends_at}"));
    }
}

fn document(service: &ClockService) -> Value {
    json!({
        "name": service.name,
        "own": service.is_own,
        "address": service.address,
        "key": BASE64_STANDARD.encode(service.key.public_key),
        "epoch": service.key.epoch,
        "ends": service.ends_at.to_string(),
    })
}
