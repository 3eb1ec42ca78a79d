//! The acquisition script (row B06), in Rhai: compiled once, run for each key that a license is asked for, in a sandbox
//! without import, eval, clock, files or network, and with limits on everything that can grow.

mod engine;
mod license;
mod run;
#[cfg(test)]
pub(super) mod tests;
mod view;

use std::sync::Arc;

use admit_license::Terms;
use rhai::{AST, Dynamic, Engine, EvalAltResult, Scope};

use self::license::License;
use self::run::Run;
use super::mistake::Fault;
use super::offer::Offer;
use super::{Decided, PolicyRefusal, PolicyRequest};

pub use self::engine::Limits;

/// A script that compiled.
pub struct Script {
    engine: Arc<Engine>,
    ast: AST,
    limits: Limits,
}

impl Script {
    /// Compiles a script. Names that it does not define and that nobody gave it are mistakes already here.
    pub(super) fn compile(text: &str, limits: Limits) -> Result<Self, Fault> {
        if text.trim().is_empty() {
            return Err(Fault::somewhere("the script is empty: one that sets nothing says so in a comment"));
        }
        let engine = engine::engine(limits);
        match engine.compile_with_scope(&view::names(), text) {
            Ok(ast) => Ok(Self { engine: Arc::new(engine), ast, limits }),
            Err(error) => {
                let at = error.position();
                Err(Fault { place: at.line().zip(at.position()), reason: error.err_type().to_string() })
            }
        }
    }

    /// The script with the document's defaults.
    #[must_use]
    pub fn standard(limits: Limits) -> Self {
        Self::compile(DEFAULT_SCRIPT, limits).expect("a test compiles it")
    }

    /// Runs it.
    pub(super) fn decide(&self, request: &PolicyRequest<'_>, draft: &Terms) -> Decided {
        let (offers, said) = self.run(request);
        Decided { licenses: offers.and_then(|offers| all_terms(offers, draft, request)), said }
    }

    /// What each of the licenses says that it ends with.
    pub(super) fn why(&self, request: &PolicyRequest<'_>) -> Vec<String> {
        let (requested, offers) = (request.challenge.rights(), self.run(request).0.unwrap_or_default());
        let numbered = offers.iter().enumerate();
        numbered.flat_map(|(at, it)| it.why(requested).map(|told| format!("license {}: {told}", at + 1))).collect()
    }

    /// What it ends with, and what it printed.
    fn run(&self, request: &PolicyRequest<'_>) -> (Result<Vec<Offer>, PolicyRefusal>, Vec<String>) {
        let mut scope = view::scope(request);
        scope.push("license", License::default());
        let run = Run::begin(self.limits);
        let result = self.engine.eval_ast_with_scope::<Dynamic>(&mut scope, &self.ast);
        let said = run.end();
        let offers = match result {
            Ok(value) => offers(value, &scope),
            Err(error) => Err(refusal(*error)),
        };
        (offers, said)
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What a script ended with: nothing, which means `license`; a license, or a list of them.
fn offers(value: Dynamic, scope: &Scope<'_>) -> Result<Vec<Offer>, PolicyRefusal> {
    let failed = |kind: &str| PolicyRefusal::Failed {
        reason: format!("the script ended with {kind}, and not with nothing, a license or a list of licenses"),
    };
    if value.is_unit() {
        let license = scope.get_value::<License>("license");
        return license.map(|license| vec![license.0]).ok_or_else(|| failed("another `license`"));
    }
    let kind = value.type_name();
    let list = match value.try_cast_result::<License>() {
        Ok(license) => return Ok(vec![license.0]),
        Err(value) => value.into_array().map_err(|_| failed(kind))?,
    };
    let license = |item: Dynamic| {
        let kind = item.type_name();
        item.try_cast::<License>().map(|license| license.0).ok_or_else(|| failed(&format!("a list that holds {kind}")))
    };
    list.into_iter().map(license).collect()
}

fn all_terms(offers: Vec<Offer>, draft: &Terms, request: &PolicyRequest<'_>) -> Result<Vec<Terms>, PolicyRefusal> {
    offers.into_iter().map(|offer| offer.into_terms(draft, request.challenge.rights())).collect()
}

/// A script that refuses ends with an error too, which carries the refusal.
fn refusal(error: EvalAltResult) -> PolicyRefusal {
    let inner = error.unwrap_inner();
    if let EvalAltResult::ErrorTerminated(token, _) = inner
        && let Some(refusal) = token.clone().try_cast::<license::Refused>()
    {
        return refusal.into();
    }
    let at = inner.position();
    PolicyRefusal::Failed { reason: Fault { place: at.line().zip(at.position()), reason: told(inner) }.to_string() }
}

/// The error without its position, which is told before it.
fn told(error: &EvalAltResult) -> String {
    if let EvalAltResult::ErrorTerminated(reason, _) = error
        && let Ok(reason) = reason.clone().into_string()
    {
        return reason;
    }
    let text = error.to_string();
    let text = text.rsplit_once(" (line ").map_or(text.as_str(), |(text, _)| text);
    text.strip_prefix("Runtime error: ").unwrap_or(text).chars().take(MAX_REASON).collect()
}

/// The script that `admit init` puts into a home: it says what holds without a script.
pub const DEFAULT_SCRIPT: &str = include_str!("default.rhai");
/// The most characters of an error that are told: a script can throw any text.
const MAX_REASON: usize = 500;
