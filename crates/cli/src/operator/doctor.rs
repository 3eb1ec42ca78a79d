//! `admit doctor`: looks at a home and the machine under it, and says what to do about what it finds.

mod home;
mod machine;
mod reach;

use admit_protocol::Code;
use serde_json::{Value, json};

use crate::args::HomeArgs;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::Memory;

/// What a check found.
struct Check {
    name: &'static str,
    verdict: Verdict,
    finding: String,
    advice: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Warning,
    Failing,
}

impl Check {
    fn good(name: &'static str, finding: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Good, finding: finding.into(), advice: "" }
    }

    fn warning(name: &'static str, finding: impl Into<String>, advice: &'static str) -> Self {
        Self { name, verdict: Verdict::Warning, finding: finding.into(), advice }
    }

    fn failing(name: &'static str, finding: impl Into<String>, advice: &'static str) -> Self {
        Self { name, verdict: Verdict::Failing, finding: finding.into(), advice }
    }

    fn json(&self) -> Value {
        let advice = (!self.advice.is_empty()).then_some(self.advice);
        json!({ "check": self.name, "verdict": self.verdict.word(), "finding": self.finding, "advice": advice })
    }

    fn line(&self) -> String {
        let advice = if self.advice.is_empty() { String::new() } else { format!(". {}", self.advice) };
        format!("{:<8} {:<13} {}{advice}", self.verdict.word(), self.name, self.finding)
    }
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Failing => "failing",
        }
    }
}

/// Makes every check; fails if one of them does.
pub(crate) fn run(args: &HomeArgs, memory: Memory, output: Output) -> Outcome<()> {
    let path = super::home_folder(args)?;
    // Without a home nothing else is worth looking at.
    if !path.join(CONFIG).exists() {
        return Err(admit_server::Error::NoHome { path }.into());
    }
    let mut checks = vec![home::settings(&path)];
    checks.extend(home::permissions(&path));
    checks.extend(home::policy(&path));
    checks.extend(home::token(&path));
    let opened = super::runtime()?.block_on(home::opened(&path, &mut checks));
    checks.push(machine::clock());
    checks.extend(opened.as_ref().map(|opened| machine::signed_time(opened.time)));
    checks.push(machine::disk(&path));
    checks.push(machine::memory(memory));
    checks.extend(opened.map(|opened| reach::public_address(&opened)));
    output.json(|| json!({ "checks": checks.iter().map(Check::json).collect::<Vec<_>>() }));
    for check in &checks {
        output.line(|| check.line());
    }
    let failing = checks.iter().filter(|check| check.verdict == Verdict::Failing).count();
    if failing == 0 {
        return Ok(());
    }
    let sentence = format!("{failing} of {} checks fail", checks.len());
    Err(Failure::new(Code::ADMIT_E_CONFIGURATION, sentence).with_action("Do what stands behind each check that fails"))
}

/// What makes a folder a home.
const CONFIG: &str = "admit.toml";
