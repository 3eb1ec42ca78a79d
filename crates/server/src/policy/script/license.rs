//! What scripts make: licenses, and refusals.

use admit_license::header::is_web_address;
use rhai::{Dynamic, Engine, EvalAltResult, INT, NativeCallContext, Position};

use super::super::PolicyRefusal;
use super::super::date::{self, Edge};
use super::super::offer::{Offer, OfferFault};
use super::super::setting::{self, Setting};
use super::super::value::Value;

/// A license in a script.
#[derive(Debug, Clone, Default)]
pub(super) struct License {
    pub(super) offer: Offer,
    /// Which settings say something, and where they were set, in the order of time.
    set_at: Vec<(&'static str, Position)>,
}

impl License {
    fn set(&mut self, setting: &'static Setting, value: Dynamic, at: Position) -> Outcome<()> {
        let value = value_of(value);
        setting.set(&mut self.offer, &value).or_else(fault)?;
        self.set_at.retain(|(name, _)| *name != setting.name);
        if value != Value::Nothing {
            self.set_at.push((setting.name, at));
        }
        Ok(())
    }

    /// Where the last of the settings was set that contradict each other.
    pub(super) fn place_of(&self, fault: OfferFault) -> Option<(usize, usize)> {
        let (_, at) = self.set_at.iter().rev().find(|(name, _)| fault.is_of(name))?;
        at.line().zip(at.position())
    }
}

/// A refusal in a script, on its way out.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    reason: String,
    address: Option<String>,
    is_final: bool,
}

impl From<Refused> for PolicyRefusal {
    fn from(refused: Refused) -> Self {
        let Refused { reason, address, is_final } = refused;
        if is_final { Self::Refused { reason, address } } else { Self::Asked { reason, address } }
    }
}

pub(super) type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Adds the functions.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<License>("license");
    engine.register_fn("new_license", License::default);
    engine.register_indexer_get(|_: &mut License, name: &str| -> Outcome<Dynamic> {
        fault(format!("{name}: the properties of a license are set, and not read"))
    });
    for setting in setting::SETTINGS {
        engine.register_set(setting.name, |call: NativeCallContext<'_>, license: &mut License, value: Dynamic| {
            license.set(setting, value, call.call_position())
        });
    }
    // Whatever else is written is no setting, and is told so.
    engine.register_indexer_set(
        |call: NativeCallContext<'_>, license: &mut License, name: &str, value: Dynamic| -> Outcome<()> {
            license.set(setting::named(name).or_else(fault)?, value, call.call_position())
        },
    );
    engine.register_fn("refuse", |reason: &str| -> Outcome<()> { refuse(reason, None, true) });
    engine.register_fn("refuse", |reason: &str, address: &str| -> Outcome<()> { refuse(reason, Some(address), true) });
    engine.register_fn("ask", |reason: &str| -> Outcome<()> { refuse(reason, None, false) });
    engine.register_fn("ask", |reason: &str, address: &str| -> Outcome<()> { refuse(reason, Some(address), false) });
    engine.register_fn("date", |text: &str| -> Outcome<INT> {
        let time = date::parse(text, Edge::Begin).and_then(|time| INT::try_from(time.unix_secs()).ok());
        time.map_or_else(|| fault(format!("{text:?} is no date such as \"2026-12-31\"")), Ok)
    });
    engine.register_fn("days", |days: INT| days.saturating_mul(86_400));
    engine.register_fn("hours", |hours: INT| hours.saturating_mul(3_600));
}

/// Ends the script, past every `catch`.
fn refuse(reason: &str, address: Option<&str>, is_final: bool) -> Outcome<()> {
    let name = if is_final { "refuse" } else { "ask" };
    let is_plain = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
    if !is_plain(reason) || reason.chars().count() > MAX_REASON {
        return fault(format!("{name}: the reason has 1 to {MAX_REASON} characters, and no control characters"));
    }
    if address.is_some_and(|address| !is_web_address(address) || address.len() > MAX_ADDRESS) {
        return fault(format!("{name}: the address is not an absolute http or https address"));
    }
    let refused = Refused { reason: reason.to_owned(), address: address.map(str::to_owned), is_final };
    Err(Box::new(EvalAltResult::ErrorTerminated(Dynamic::from(refused), Position::NONE)))
}

pub(super) fn fault<T>(reason: String) -> Outcome<T> {
    Err(Box::new(EvalAltResult::ErrorRuntime(reason.into(), Position::NONE)))
}

/// A value of the script as settings take it.
fn value_of(value: Dynamic) -> Value {
    if value.is_unit() {
        return Value::Nothing;
    }
    if let Ok(value) = value.as_bool() {
        return Value::Bool(value);
    }
    if let Ok(number) = value.as_int() {
        return Value::Number(number);
    }
    let kind = value.type_name();
    if value.is_string() {
        return value.into_string().map_or_else(|kind| Value::Other(kind.to_owned()), Value::Text);
    }
    match value.into_array() {
        Ok(items) => Value::List(items.into_iter().map(value_of).collect()),
        Err(_) => Value::Other(kind.to_owned()),
    }
}

/// Characters; what clients show of a server's sentence.
const MAX_REASON: usize = 200;
/// Bytes.
const MAX_ADDRESS: usize = 500;
