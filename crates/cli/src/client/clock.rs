//! `admit clock`: what the trusted clock of each realm says, and setting it.

use std::path::Path;

use admit_client::clock::clock_reading;
use admit_client::{Store, enrol};
use admit_protocol::Code;
use admit_time::clock::{Event, Now, Record, Rollback, SignedAt};
use admit_time::{Timestamp, TrustedTime};
use serde_json::{Value, json};

use super::acquire::Session;
use super::context::{ClientRealm, DATES, HARD_FLOOR, PROVIDER};
use super::counter;
use crate::args::{ClientArgs, ClockCommand};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{Counter, Http, SqliteKeyValue, read_clocks};

/// Runs one of the clock's commands. A realm whose clock says nothing does not keep the others from it; the first failure is
/// told at the end.
pub(crate) fn run(command: &ClockCommand, output: Output) -> Outcome<()> {
    let clocks: Vec<OfRealm> = match command {
        ClockCommand::Show(args) => realms(args)?.into_iter().map(|realm| OfRealm::new(realm, show)).collect(),
        ClockCommand::Sync(args) => {
            let http = Http::new();
            let sync = |realm| sync(realm, &http, output);
            realms(args)?.into_iter().map(|realm| OfRealm::new(realm, sync)).collect()
        }
    };
    output.json(|| json!({ "clocks": clocks.iter().map(OfRealm::json).collect::<Vec<_>>() }));
    clocks.iter().for_each(|clock| output.line(|| clock.text()));
    clocks.into_iter().find_map(|clock| clock.shown.err()).map_or(Ok(()), Err)
}

/// One realm's clock.
struct OfRealm {
    realm: String,
    fingerprint: String,
    shown: Outcome<Shown>,
}

/// What a clock says.
pub(super) struct Shown {
    pub(super) now: Now,
    record: Record,
    noticed: Vec<Event>,
}

/// Looks, and keeps nothing: looking must work where the store cannot be written.
fn show(realm: ClientRealm) -> Outcome<Shown> {
    let _lock = realm.lock()?;
    look(&realm, &realm.store()?)
}

/// What the clock in a store says now. Keeps nothing.
pub(super) fn look(realm: &ClientRealm, store: &Store<'_, SqliteKeyValue>) -> Outcome<Shown> {
    let mut clock = store.clock(HARD_FLOOR, realm.realm.clock_limits())?;
    let counter = counter::open(&clock)?.as_ref().map(Counter::value);
    let reading = match enrol::identity(PROVIDER, realm.realm.root(), DATES, store)? {
        Some(identity) => clock_reading(&identity, &read_clocks(counter)),
        None => read_clocks(counter),
    };
    let mut noticed = Vec::new();
    let now = clock.observe(&reading, &mut noticed);
    Ok(Shown { now, record: clock.record().clone(), noticed })
}

fn sync(realm: ClientRealm, http: &Http, output: Output) -> Outcome<Shown> {
    let mut session = Session::open(realm, http, output)?;
    let now = session.set_time(http)?;
    Ok(Shown { now, record: session.clock.record().clone(), noticed: std::mem::take(&mut session.events) })
}

fn realms(args: &ClientArgs) -> Outcome<Vec<ClientRealm>> {
    let folder = super::folder(args.client.as_deref().map(Path::new))?;
    let realms = ClientRealm::load_all(&folder)?;
    if realms.is_empty() {
        return Err(Failure::new(
            Code::ADMIT_E_REALM_NOT_TRUSTED,
            "this client trusts no realm yet, so it has no clock",
        )
        .with_action("Play some content of a realm first, so that this client knows it"));
    }
    Ok(realms)
}

impl OfRealm {
    fn new(realm: ClientRealm, look: impl Fn(ClientRealm) -> Outcome<Shown>) -> Self {
        let fingerprint = realm.realm.root().realm().to_string();
        Self { realm: realm.realm.document().name.clone(), fingerprint, shown: look(realm) }
    }

    fn json(&self) -> Value {
        let mut document = self.shown.as_ref().map_or_else(Failure::json, Shown::json);
        document["realm"] = self.realm.as_str().into();
        document["fingerprint"] = self.fingerprint.as_str().into();
        document
    }

    fn text(&self) -> String {
        let failed = |failure: &Failure| format!("  failed      {}: {}", failure.code, failure.sentence);
        let shown = self.shown.as_ref().map_or_else(failed, Shown::text);
        format!("{} ({})\n{shown}", self.realm, self.fingerprint)
    }
}

impl Shown {
    fn json(&self) -> Value {
        let text = |time: Timestamp| time.to_string();
        let signed = self.record.signed;
        json!({
            "state": self.now.state().name(),
            "why": self.why(),
            "earliest": self.now.time().map(|time| text(time.earliest())),
            "latest": self.now.time().map(|time| text(time.latest())),
            "signed": signed.map(|signed| text(from_millis(signed.time_millis))),
            "source": signed.map(|signed| signed.source.name()),
            "since_signed_secs": self.now.since_signed().map(|since| since.as_secs()),
            "hard_floor": text(self.now.hard_floor()),
            "soft_floor": signed.map(|_| text(from_millis(self.record.soft_floor_millis))),
            "restarts": self.record.reboots,
            "counter": self.record.hardware_counter,
            "faults": self.record.faults,
            "suspicious": self.record.suspicious,
            "noticed": self.noticed.iter().map(Event::to_string).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let between = |time: &TrustedTime| format!("between {} and {}", time.earliest(), time.latest());
        let time = self.now.time().map_or_else(|| "none".to_owned(), between);
        let by = |signed: SignedAt| format!("{} by a {}", from_millis(signed.time_millis), signed.source.name());
        let signed = self.record.signed.map_or_else(|| "never".to_owned(), by);
        let soft = from_millis(self.record.soft_floor_millis).to_string();
        let soft = self.record.signed.map_or_else(|| "none".to_owned(), |_| soft);
        let stepped =
            if self.record.suspicious { ", and the wall clock was set since the last signed time" } else { "" };
        let lines = [
            format!("  state       {}: {}", self.now.state().name(), self.why()),
            format!("  time        {time}"),
            format!("  signed      {signed}"),
            format!("  hard floor  {}", self.now.hard_floor()),
            format!("  soft floor  {soft}"),
            format!("  faults      {}{stepped}", self.record.faults),
            format!("  restarts    {} since the last signed time", self.record.reboots),
        ];
        let noticed = self.noticed.iter().map(|event| format!("  noticed     {event}"));
        lines.into_iter().chain(noticed).collect::<Vec<_>>().join("\n")
    }

    /// Why the clock is in its state.
    const fn why(&self) -> &'static str {
        use admit_time::clock::ClockState;
        match (self.now.state(), self.now.rollback()) {
            (ClockState::Unset, _) => "no signed time has come yet",
            (ClockState::Trusted, _) => "it has been followed since the last signed time",
            (ClockState::Estimated, _) => "the machine was started again since the last signed time",
            (ClockState::Stale, _) => "the last signed time is too old",
            (ClockState::RolledBack, Some(Rollback::BatteryEmpty)) => {
                "the wall clock stands before this program was made"
            }
            (ClockState::RolledBack, _) => "the wall clock was set back",
            (ClockState::StoreRolledBack, _) => "the store is an older copy of itself",
        }
    }
}

fn from_millis(millis: u64) -> Timestamp {
    Timestamp::from_unix_secs(millis / 1000)
}
