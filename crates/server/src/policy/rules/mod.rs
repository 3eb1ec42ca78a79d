//! The declarative policy: offers by name, and rules that say which of them holds for which content and buyer. It comes to
//! the same terms as a script, by the same settings and checks.

mod kind;
mod pattern;
mod read;
#[cfg(test)]
mod tests;

use admit_license::Terms;
use serde_json::Value;

use self::pattern::Pattern;
use super::mistake::Fault;
use super::offer::Offer;
use super::{Decided, PolicyRefusal, PolicyRequest};

/// Rules that hold.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    default: Vec<Named>,
}

/// Which offers hold where.
#[derive(Debug)]
struct Rule {
    line: usize,
    /// One of these, unless it is empty.
    content: Vec<Pattern>,
    /// All of these claims, each with one of its values.
    claims: Vec<(String, Vec<Value>)>,
    offers: Vec<Named>,
    /// The page that comes before a license, instead of offers.
    page: Option<String>,
}

/// An offer by its name.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    offer: Offer,
}

impl Rules {
    /// Reads them. Every mistake is told.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        read::read(text)
    }

    /// The first rule that fits decides, else the default.
    pub(super) fn decide(&self, request: &PolicyRequest<'_>, draft: &Terms) -> Decided {
        let rule = self.rules.iter().find(|rule| rule.fits(request));
        if let Some((line, page)) = rule.and_then(|rule| Some((rule.line, rule.page.clone()?))) {
            let said = vec![format!("the rule in line {line} fits, and asks the buyer to go to a page first")];
            let reason = "the seller asks you to go to a page first".to_owned();
            return Decided { licenses: Err(PolicyRefusal::Asked { reason, address: Some(page) }), said };
        }
        let offers = rule.map_or(&self.default, |rule| &rule.offers);
        let names = offers.iter().map(|named| named.name.as_str()).collect::<Vec<_>>().join(", ");
        let said = match rule {
            Some(rule) => format!("the rule in line {} fits, and gives {names}", rule.line),
            None if offers.is_empty() => "no rule fits, and there is no default".to_owned(),
            None => format!("no rule fits, and the default gives {names}"),
        };
        let requested = request.challenge.rights();
        let licenses = if offers.is_empty() {
            let reason = "nothing is offered for this content to this buyer".to_owned();
            Err(PolicyRefusal::Refused { reason, address: None })
        } else {
            offers.iter().map(|named| named.offer.clone().into_terms(draft, requested)).collect()
        };
        Decided { licenses, said: vec![said] }
    }

    /// Why the rules before the one that fits do not, and what each of the offers says.
    pub(super) fn why(&self, request: &PolicyRequest<'_>) -> Vec<String> {
        let place = self.rules.iter().position(|rule| rule.fits(request));
        let passed = self.rules.iter().take(place.unwrap_or(self.rules.len()));
        let unfit = passed
            .filter_map(|rule| Some(format!("the rule in line {} does not fit: {}", rule.line, rule.unfit(request)?)));
        let offers = place.map_or(&self.default, |place| &self.rules[place].offers);
        let requested = request.challenge.rights();
        let told = offers.iter().flat_map(|named| {
            let sentences = named.offer.why(requested);
            sentences.map(|sentence| format!("offer {}: {sentence}", named.name))
        });
        unfit.chain(told).collect()
    }
}

impl Rule {
    /// What keeps it from fitting, in words.
    fn unfit(&self, request: &PolicyRequest<'_>) -> Option<String> {
        let content = &request.content.content_id;
        if !self.content.is_empty() && !self.content.iter().any(|pattern| pattern.fits(content)) {
            let patterns = self.content.iter().map(|pattern| format!("{:?}", pattern.text())).collect::<Vec<_>>();
            return Some(format!("the content is {content:?}, not {}", patterns.join(" or ")));
        }
        let claim = |name: &str| request.entitlement.and_then(|claims| claims.policy.get(name));
        self.claims.iter().find_map(|(name, values)| match claim(name) {
            None => Some(format!("there is no claim {name}")),
            Some(claim) if values.contains(claim) => None,
            Some(claim) => {
                let values = values.iter().map(Value::to_string).collect::<Vec<_>>();
                Some(format!("the claim {name} is {claim}, not {}", values.join(" or ")))
            }
        })
    }

    fn fits(&self, request: &PolicyRequest<'_>) -> bool {
        let content = &request.content.content_id;
        let claim = |name: &str| request.entitlement.and_then(|claims| claims.policy.get(name));
        (self.content.is_empty() || self.content.iter().any(|pattern| pattern.fits(content)))
            && self.claims.iter().all(|(name, values)| claim(name).is_some_and(|claim| values.contains(claim)))
    }
}
