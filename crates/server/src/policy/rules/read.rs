//! Reading rules. It goes on behind a mistake, to tell of all of them.

use std::collections::BTreeMap;

use admit_license::header::is_web_address;
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::super::mistake::Fault;
use super::super::setting;
use super::super::value::Value;
use super::kind::{KINDS, Kind};
use super::pattern::Pattern;
use super::{Named, Rule, Rules};
use crate::home::nearest;
use crate::policy::offer::Offer;

pub(super) fn read(text: &str) -> Result<Rules, Vec<Fault>> {
    let mut reader = Reader { text, faults: Vec::new(), offers: BTreeMap::new() };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        reader.fault(error.span().map_or(0, |span| span.start), error.message());
    }
    if !reader.faults.is_empty() {
        // What stands behind a fault of form is a guess.
        return Err(reader.faults);
    }
    let rules = reader.rules(table.get_ref());
    reader.faults.sort_by_key(|fault| fault.place);
    if reader.faults.is_empty() { Ok(rules) } else { Err(reader.faults) }
}

struct Reader<'a> {
    text: &'a str,
    faults: Vec<Fault>,
    /// By name; those with a mistake are there too, so that it is told once.
    offers: BTreeMap<String, Offer>,
}

impl Reader<'_> {
    fn rules(&mut self, table: &DeTable<'_>) -> Rules {
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("offer", DeValue::Table(offers)) => {
                    offers.iter().for_each(|(name, value)| self.offer(name, value));
                }
                ("offer", _) => self.fault(key.span().start, "offer: expected tables such as [offer.sale]"),
                ("rule" | "default", _) => {}
                (other, _) => self.unknown(key.span().start, other, &["offer", "rule", "default"]),
            }
        }
        let default = table.get("default").map(|value| self.names(value)).unwrap_or_default();
        let rules = match table.get("rule").map(|value| (value.span().start, value.get_ref())) {
            Some((_, DeValue::Array(rules))) => rules.iter().filter_map(|value| self.rule(value)).collect(),
            Some((at, _)) => {
                self.fault(at, "rule: expected tables that begin with [[rule]]");
                Vec::new()
            }
            None => Vec::new(),
        };
        if rules.is_empty() && default.is_empty() && self.faults.is_empty() {
            self.fault(0, "there is neither a rule nor a default, so nobody would get a license");
        }
        Rules { rules, default }
    }

    fn offer(&mut self, name: &Spanned<std::borrow::Cow<'_, str>>, value: &Spanned<DeValue<'_>>) {
        let at = name.span().start;
        let name = name.get_ref().to_string();
        let DeValue::Table(table) = value.get_ref() else {
            return self.fault(at, &format!("offer.{name}: expected a table"));
        };
        let before = self.faults.len();
        let (kind, offer) = self.kind(&name, at, table).unzip();
        let mut offer = offer.unwrap_or_default();
        for (key, value) in table.iter().filter(|(key, _)| key.get_ref() != "kind") {
            let (at, key, value) = (key.span().start, key.get_ref(), value_of(value.get_ref()));
            if let Err(reason) = setting::set(&mut offer, key, &value) {
                self.fault(at, &format!("offer.{name}: {reason}"));
            } else if let Some(promise) = kind.and_then(|kind: &Kind| kind.undone_by(key, &value)) {
                self.fault(at, &format!("offer.{name}: {key}: {promise}"));
            }
        }
        // What follows from a mistake that is told already is no news.
        if let Err(fault) = offer.check()
            && self.faults.len() == before
        {
            self.fault(at, &format!("offer.{name}: {fault}"));
        }
        self.offers.insert(name, offer);
    }

    /// The kind of an offer with what it says, where there is one, and what is missing of it.
    fn kind(&mut self, name: &str, at: usize, table: &DeTable<'_>) -> Option<(&'static Kind, Offer)> {
        let all = || KINDS.iter().map(|kind| kind.name);
        let Some(given) = table.get("kind") else {
            self.fault(at, &format!("offer.{name}: kind is missing; one of {}", all().collect::<Vec<_>>().join(", ")));
            return None;
        };
        let found = KINDS.iter().find(|kind| matches!(given.get_ref(), DeValue::String(text) if *text == kind.name));
        let Some(kind) = found else {
            let reason = format!("offer.{name}: kind: expected one of {}", all().collect::<Vec<_>>().join(", "));
            self.fault(given.span().start, &reason);
            return None;
        };
        for group in kind.required.iter().filter(|group| !group.iter().any(|key| table.contains_key(*key))) {
            self.fault(at, &format!("offer.{name}: a {} needs {}", kind.name, group.join(" or ")));
        }
        let offer = kind.offer().map_err(|reason| self.fault(at, &format!("offer.{name}: {reason}")));
        Some((kind, offer.ok()?))
    }

    fn rule(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Rule> {
        let at = value.span().start;
        let DeValue::Table(table) = value.get_ref() else {
            self.fault(at, "rule: expected tables that begin with [[rule]]");
            return None;
        };
        let mut rule =
            Rule { line: self.place(at).0, content: Vec::new(), claims: Vec::new(), offers: Vec::new(), page: None };
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("content", _) => rule.content = self.texts(value).map(|(_, text)| Pattern::new(text)).collect(),
                ("claim", DeValue::Table(claims)) => {
                    rule.claims = claims.iter().map(|(name, value)| self.claim(name.get_ref(), value)).collect();
                }
                ("claim", _) => self.fault(key.span().start, "claim: expected a table, as in claim.plan = \"gold\""),
                ("offer", _) => rule.offers = self.names(value),
                ("page", _) => rule.page = self.page(value),
                (other, _) => self.unknown(key.span().start, other, &["content", "claim", "offer", "page"]),
            }
        }
        if table.contains_key("offer") == table.contains_key("page") {
            self.fault(at, "rule: it has either an offer or a page that comes first");
        }
        if !table.contains_key("content") && !table.contains_key("claim") {
            self.fault(at, "rule: it has neither content nor claim; what holds for everything is the default");
        }
        Some(rule)
    }

    /// The address of a page.
    fn page(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let page = match value.get_ref() {
            DeValue::String(text) if is_web_address(text) => Some(text.to_string()),
            _ => None,
        };
        if page.is_none() {
            self.fault(value.span().start, "page: expected an absolute http or https address");
        }
        page
    }

    /// A claim with the values that fit.
    fn claim(&mut self, name: &str, value: &Spanned<DeValue<'_>>) -> (String, Vec<Json>) {
        let mut values = Vec::new();
        for value in one_or_many(value) {
            match value_of(value.get_ref()) {
                Value::Bool(yes_or_no) => values.push(yes_or_no.into()),
                Value::Number(number) => values.push(number.into()),
                Value::Text(text) => values.push(text.into()),
                other => {
                    let reason = other.expected("a text, a whole number, true or false");
                    self.fault(value.span().start, &format!("claim.{name}: {reason}"));
                }
            }
        }
        (name.to_owned(), values)
    }

    /// Names of offers.
    fn names(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<Named> {
        let mut named = Vec::new();
        let names: Vec<(usize, String)> = self.texts(value).map(|(at, name)| (at, name.to_owned())).collect();
        for (at, name) in names {
            match self.offers.get(&name) {
                Some(offer) => named.push(Named { name, offer: offer.clone() }),
                None => {
                    let near = nearest(&name, self.offers.keys().map(String::as_str)).map(str::to_owned);
                    let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
                    self.fault(at, &format!("there is no offer {name:?}{hint}"));
                }
            }
        }
        named
    }

    /// A text or a list of texts, each with its place.
    fn texts<'v>(&mut self, value: &'v Spanned<DeValue<'_>>) -> impl Iterator<Item = (usize, &'v str)> + use<'v> {
        let mut texts = Vec::new();
        let items: Vec<_> = one_or_many(value).collect();
        if items.is_empty() {
            self.fault(value.span().start, "expected a text or a list of texts, found an empty list");
        }
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push((item.span().start, text.as_ref())),
                other => self.fault(item.span().start, &value_of(other).expected("a text")),
            }
        }
        texts.into_iter()
    }

    fn unknown(&mut self, at: usize, name: &str, known: &[&str]) {
        let near = nearest(name, known.iter().copied()).map(|near| format!("; did you mean {near:?}?"));
        self.fault(at, &format!("{name:?} is not known here{}", near.unwrap_or_default()));
    }

    fn fault(&mut self, at: usize, reason: &str) {
        self.faults.push(Fault { place: Some(self.place(at)), reason: reason.to_owned() });
    }

    /// Line and column, from 1.
    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
    }
}

/// The items of a list, or the value itself.
fn one_or_many<'v, 'i>(value: &'v Spanned<DeValue<'i>>) -> impl Iterator<Item = &'v Spanned<DeValue<'i>>> {
    let list: Option<&DeArray<'i>> = if let DeValue::Array(list) = value.get_ref() { Some(list) } else { None };
    let one = if list.is_none() { Some(value) } else { None };
    one.into_iter().chain(list.into_iter().flat_map(|list| list.iter()))
}

/// A value as settings take it.
fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Other("a number that is too large".to_owned()), Value::Number),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(date) => Value::Text(date.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(|item| value_of(item.get_ref())).collect()),
        DeValue::Float(_) => Value::Other("a number with a fraction".to_owned()),
        DeValue::Table(_) => Value::Other("a table".to_owned()),
    }
}
