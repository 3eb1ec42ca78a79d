//! The acquisition script (row B06), in Rhai: compiled once, run for each key that a license is asked for, in a sandbox
//! without import, eval, clock, files or network, and with limits on everything that can grow.

mod end;
mod engine;
mod license;
mod lists;
mod run;
#[cfg(test)]
pub(super) mod tests;
mod view;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use admit_license::Terms;
use rhai::{AST, Dynamic, Engine, EvalAltResult, Scope};

use self::license::License;
use self::run::Run;
use super::{Decided, Fault, MAX_LICENSES, PolicyRefusal, PolicyRequest};

pub use self::engine::Limits;
pub use self::run::is_running;

// A panic while a script runs is that script's failure. The server must live to say so.
#[cfg(not(panic = "unwind"))]
compile_error!("a panic while a script runs has to be caught: build with panic = \"unwind\"");

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
        let (licenses, said) = self.run(request);
        let all_terms =
            |all: Vec<License>| all.into_iter().map(|license| terms(license, draft, request)).collect::<Result<_, _>>();
        Decided { licenses: licenses.and_then(all_terms), said }
    }

    /// What each of the licenses says that it ends with.
    pub(super) fn why(&self, request: &PolicyRequest<'_>) -> Vec<String> {
        let (requested, licenses) = (request.challenge.rights(), self.run(request).0.unwrap_or_default());
        let numbered = licenses.iter().enumerate();
        numbered
            .flat_map(|(at, it)| it.offer.why(requested).map(|told| format!("license {}: {told}", at + 1)))
            .collect()
    }

    /// What it ends with, and what it printed.
    fn run(&self, request: &PolicyRequest<'_>) -> (Result<Vec<License>, PolicyRefusal>, Vec<String>) {
        let run = Run::begin(self.limits);
        // What a panic leaves behind is this run's alone: the engine and what was compiled are only read.
        let caught = catch_unwind(AssertUnwindSafe(|| self.licenses(request)));
        let panicked = |_| Err(PolicyRefusal::Failed(Fault::somewhere("the script made its interpreter panic")));
        (caught.unwrap_or_else(panicked), run.end())
    }

    fn licenses(&self, request: &PolicyRequest<'_>) -> Result<Vec<License>, PolicyRefusal> {
        let mut scope = scope(request);
        let result = self.engine.eval_ast_with_scope::<Dynamic>(&mut scope, &self.ast);
        let value = result.map_err(|error| refusal(*error))?;
        licenses(value, &scope).map_err(|reason| {
            let place = end::place(&self.ast, &mut self::scope(request), self.limits);
            PolicyRefusal::Failed(Fault { place, reason })
        })
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What a script sees, and the license that it sets.
fn scope(request: &PolicyRequest<'_>) -> Scope<'static> {
    let mut scope = view::scope(request);
    scope.push("license", License::default());
    scope
}

/// What a script ended with: nothing, which means `license`; a license, or a list of them.
fn licenses(value: Dynamic, scope: &Scope<'_>) -> Result<Vec<License>, String> {
    let other =
        |kind: &str| format!("the script ended with {kind}, and not with nothing, a license or a list of licenses");
    if value.is_unit() {
        let license = scope.get_value::<License>("license");
        return license.map(|license| vec![license]).ok_or_else(|| other("another `license`"));
    }
    let kind = value.type_name();
    let list = match value.try_cast_result::<License>() {
        Ok(license) => return Ok(vec![license]),
        Err(value) => value.into_array().map_err(|_| other(kind))?,
    };
    if !(1..=MAX_LICENSES).contains(&list.len()) {
        return Err(format!("the script ended with {} licenses for one key, not with 1 to {MAX_LICENSES}", list.len()));
    }
    let license = |item: Dynamic| {
        let kind = item.type_name();
        item.try_cast::<License>().ok_or_else(|| other(&format!("a list that holds {kind}")))
    };
    list.into_iter().map(license).collect()
}

/// The terms of a license. A mistake has the place of the setting that made it one.
fn terms(license: License, draft: &Terms, request: &PolicyRequest<'_>) -> Result<Terms, PolicyRefusal> {
    let place = license.offer.check().err().and_then(|fault| license.place_of(fault));
    license.offer.into_terms(draft, request.challenge.rights()).map_err(|refusal| match refusal {
        PolicyRefusal::Failed(fault) => PolicyRefusal::Failed(Fault { place, ..fault }),
        refused => refused,
    })
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
    PolicyRefusal::Failed(Fault { place: at.line().zip(at.position()), reason: told(inner) })
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
