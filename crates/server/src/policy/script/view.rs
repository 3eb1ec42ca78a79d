//! What a script sees: constants with the request, the client, the application, the content, the buyer and the time.

use admit_license::Action;
use admit_protocol::acquire::ClockState;
use admit_trust::{ClockKind, ComponentVersion, Features, SdkGeneration};
use rhai::{Array, Dynamic, INT, Map, Scope};
use serde_json::Value;

use super::super::PolicyRequest;
use crate::token::OneOrMany;

/// The names alone, for compiling.
pub(super) fn names() -> Scope<'static> {
    let mut scope = Scope::new();
    for name in ["request", "client", "application", "content", "buyer", "now"] {
        scope.push_constant(name, ());
    }
    scope.push("license", ());
    scope
}

/// The constants for a request, in the order of [`names`].
pub(super) fn scope(request: &PolicyRequest<'_>) -> Scope<'static> {
    let mut scope = Scope::new();
    scope.push_constant_dynamic("request", Dynamic::from_map(asked(request)));
    scope.push_constant_dynamic("client", Dynamic::from_map(client(request)));
    scope.push_constant_dynamic("application", Dynamic::from_map(application(request)));
    scope.push_constant_dynamic("content", Dynamic::from_map(content(request)));
    scope.push_constant_dynamic("buyer", Dynamic::from_map(buyer(request)));
    scope.push_constant("now", int(request.now.unix_secs()));
    scope
}

/// What is asked for, as the challenge says it.
fn asked(request: &PolicyRequest<'_>) -> Map {
    let challenge = request.challenge;
    let mut map = Map::new();
    map.insert("rights".into(), int(challenge.rights().bits()));
    map.insert("actions".into(), texts(challenge.actions.iter().map(|action| Action::name(*action))));
    map.insert("clock_state".into(), clock_state(challenge.clock_state).into());
    let held = challenge.held.iter().filter(|held| held.key_id == request.content.key_id);
    map.insert("held".into(), int(held.count() as u64));
    map.insert("time_requested".into(), challenge.time_requested.into());
    map
}

/// What the client's certificate says.
fn client(request: &PolicyRequest<'_>) -> Map {
    let client = request.client;
    let mut map = Map::new();
    map.insert("level".into(), int(client.security_level));
    map.insert("version".into(), client.component_version.to_string().into());
    map.insert("individualized".into(), client.component_version.is_individualized().into());
    map.insert("clock".into(), clock(client.clock).into());
    let features = [(Features::CHAINS, "chains"), (Features::METERING, "metering"), (Features::TIME, "time")];
    let has = features.into_iter().filter(|(feature, _)| client.features.contains(*feature)).map(|(_, name)| name);
    map.insert("features".into(), texts(has));
    map
}

/// What the application's certificate says. Without one the level is 0, and the generation what the challenge says.
fn application(request: &PolicyRequest<'_>) -> Map {
    let application = request.application;
    let generation = application.and_then(|application| application.sdk_generation);
    let version = application.and_then(|application| application.application_version.clone());
    let mut map = Map::new();
    map.insert("level".into(), int(application.and_then(|it| it.security_level).unwrap_or(0)));
    map.insert("version".into(), or_nothing(version));
    map.insert("sdk".into(), sdk(generation.unwrap_or(request.challenge.sdk_generation)).into());
    map
}

fn content(request: &PolicyRequest<'_>) -> Map {
    let content = request.content;
    let mut map = Map::new();
    map.insert("id".into(), content.content_id.clone().into());
    map.insert("key_id".into(), content.key_id.to_string().into());
    map.insert("title".into(), or_nothing(content.title.clone()));
    map.insert("open".into(), content.open.into());
    let version = content.minimum_individualized_version.as_ref().map(ComponentVersion::to_string);
    map.insert("minimum_individualized_version".into(), or_nothing(version));
    map.insert("minimum_application_level".into(), content.minimum_application_level.map_or(Dynamic::UNIT, int));
    map
}

/// What the entitlement token says. Without one the id is `()`, and there are no claims.
fn buyer(request: &PolicyRequest<'_>) -> Map {
    let claims = request.entitlement;
    let mut map = Map::new();
    map.insert("id".into(), or_nothing(claims.map(|claims| claims.sub.clone())));
    map.insert("shop".into(), or_nothing(claims.map(|claims| claims.iss.clone())));
    map.insert("token".into(), or_nothing(claims.map(|claims| claims.jti.clone())));
    map.insert("expires".into(), claims.map_or(Dynamic::UNIT, |claims| int(claims.exp)));
    let content = claims.map(|claims| match &claims.content {
        OneOrMany::One(content) => texts(std::iter::once(content.as_str())),
        OneOrMany::Many(content) => texts(content.iter().map(String::as_str)),
    });
    map.insert("content".into(), content.unwrap_or_else(|| Array::new().into()));
    let policy = claims.map(|claims| claims.policy.iter().map(|(name, value)| (name.into(), json(value))).collect());
    map.insert("policy".into(), Dynamic::from_map(policy.unwrap_or_default()));
    map
}

/// A claim. Numbers that are not whole are texts: scripts count in whole numbers.
fn json(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => number.as_i64().map_or_else(|| number.to_string().into(), Dynamic::from_int),
        Value::String(text) => text.clone().into(),
        Value::Array(items) => Dynamic::from_array(items.iter().map(json).collect()),
        Value::Object(members) => {
            Dynamic::from_map(members.iter().map(|(name, value)| (name.into(), json(value))).collect())
        }
    }
}

fn int(number: impl Into<u64>) -> Dynamic {
    Dynamic::from_int(INT::try_from(number.into()).unwrap_or(INT::MAX))
}

fn or_nothing(text: Option<String>) -> Dynamic {
    text.map_or(Dynamic::UNIT, Dynamic::from)
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Dynamic {
    Dynamic::from_array(texts.map(|text| Dynamic::from(text.to_owned())).collect())
}

/// A clock as scripts and rules name it.
const fn clock(kind: ClockKind) -> &'static str {
    match kind {
        ClockKind::None => "none",
        ClockKind::AntiRollback => "anti-rollback",
        ClockKind::Secure => "secure",
    }
}

const fn clock_state(state: ClockState) -> &'static str {
    match state {
        ClockState::Unset => "unset",
        ClockState::Trusted => "trusted",
        ClockState::Estimated => "estimated",
        ClockState::Stale => "stale",
        ClockState::RolledBack => "rolled-back",
        ClockState::StoreRolledBack => "store-rolled-back",
    }
}

const fn sdk(generation: SdkGeneration) -> &'static str {
    match generation {
        SdkGeneration::Older => "older",
        SdkGeneration::Newer => "newer",
    }
}
