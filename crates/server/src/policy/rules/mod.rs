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
}

impl Rule {
    fn fits(&self, request: &PolicyRequest<'_>) -> bool {
        let content = &request.content.content_id;
        let claim = |name: &str| request.entitlement.and_then(|claims| claims.policy.get(name));
        (self.content.is_empty() || self.content.iter().any(|pattern| pattern.fits(content)))
            && self.claims.iter().all(|(name, values)| claim(name).is_some_and(|claim| values.contains(claim)))
    }
}
