//! `admit clock`: what the trusted clock of each realm says, and setting it.

use std::path::Path;

use admit_client::clock::clock_reading;
use admit_client::{Store, enrol};
use admit_protocol::Code;
use admit_time::clock::{Clock, Now, Record, Rollback, SignedAt};
use admit_time::{Timestamp, TrustedTime};
use serde_json::{Value, json};

use super::acquire::Session;
use super::context::{ClientRealm, DATES, HARD_FLOOR, PROVIDER};
use super::counter;
use crate::args::{ClientArgs, ClockCommand};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{Counter, Http, SqliteKeyValue, read_clocks};

/// Runs one of the clock's commands.
pub(crate) fn run(command: &ClockCommand, output: Output) -> Outcome<()> {
    let clocks = match command {
        ClockCommand::Show(args) => realms(args)?.into_iter().map(show).collect::<Outcome<Vec<_>>>()?,
        ClockCommand::Sync(args) => {
            let http = Http::new();
            realms(args)?.into_iter().map(|realm| sync(realm, &http)).collect::<Outcome<Vec<_>>>()?
        }
    };
    output.json(|| json!({ "clocks": clocks.iter().map(Shown::json).collect::<Vec<_>>() }));
    clocks.iter().for_each(|shown| output.line(|| shown.text()));
    Ok(())
}

/// What one realm's clock says.
struct Shown {
    realm: String,
    fingerprint: String,
    now: Now,
    record: Record,
}

/// Looks, and keeps nothing: looking must work where the store cannot be written.
fn show(realm: ClientRealm) -> Outcome<Shown> {
    let _lock = realm.lock()?;
    let (clock, now) = look(&realm, &realm.store()?)?;
    Ok(Shown::new(&realm, now, &clock))
}

/// What the clock in a store says now. Keeps nothing.
pub(super) fn look(realm: &ClientRealm, store: &Store<'_, SqliteKeyValue>) -> Outcome<(Clock, Now)> {
    let mut clock = store.clock(HARD_FLOOR, realm.realm.clock_limits())?;
    let counter = counter::open(&clock)?.as_ref().map(Counter::value);
    let reading = match enrol::identity(PROVIDER, realm.realm.root(), DATES, store)? {
        Some(identity) => clock_reading(&identity, &read_clocks(counter)),
        None => read_clocks(counter),
    };
    let now = clock.observe(&reading, &mut Vec::new());
    Ok((clock, now))
}

fn sync(realm: ClientRealm, http: &Http) -> Outcome<Shown> {
    let mut session = Session::open(realm, http)?;
    let now = session.set_time(http)?;
    Ok(Shown::new(&session.realm, now, &session.clock))
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

impl Shown {
    fn new(realm: &ClientRealm, now: Now, clock: &Clock) -> Self {
        let fingerprint = realm.realm.root().realm().to_string();
        Self { realm: realm.realm.document().name.clone(), fingerprint, now, record: clock.record().clone() }
    }

    fn json(&self) -> Value {
        let text = |time: Timestamp| time.to_string();
        let signed = self.record.signed;
        json!({
            "realm": self.realm,
            "fingerprint": self.fingerprint,
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
        [
            format!("{} ({})", self.realm, self.fingerprint),
            format!("  state       {}: {}", self.now.state().name(), self.why()),
            format!("  time        {time}"),
            format!("  signed      {signed}"),
            format!("  hard floor  {}", self.now.hard_floor()),
            format!("  soft floor  {soft}"),
            format!("  faults      {}{stepped}", self.record.faults),
            format!("  restarts    {} since the last signed time", self.record.reboots),
        ]
        .join("\n")
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
