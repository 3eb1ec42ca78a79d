//! The policy that `admit.toml` names, taken over anew when its file changes while the server runs. What does not hold
//! never replaces what did.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use admit_license::Terms;
use admit_time::Timestamp;

use super::{
    Decided, Fault, Limits, Mistake, Policy, PolicyRefusal, PolicyRequest, Rules, Script, Standing, judge, mistake,
};

/// The file that holds an operator's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyFile {
    /// An acquisition script.
    Script(PathBuf),
    /// Rules in TOML.
    Rules(PathBuf),
}

/// A policy that was read from a file and holds.
#[derive(Debug)]
pub enum Loaded {
    /// An acquisition script.
    Script(Script),
    /// Rules.
    Rules(Rules),
}

/// A policy in use, and its file.
#[derive(Debug)]
pub struct LivePolicy {
    file: PolicyFile,
    /// What is in use.
    good: RwLock<Option<Arc<Loaded>>>,
    seen: Mutex<Seen>,
    /// When the file was last looked at.
    looked_at: AtomicU64,
}

/// What was last seen of the file.
#[derive(Debug)]
struct Seen {
    text: Result<String, String>,
    /// Whether it was judged: a text is judged when it is seen a second time, so that half of a file that is being
    /// written is never in use.
    is_judged: bool,
    standing: Standing,
}

impl PolicyFile {
    /// What names of files end in.
    pub const ENDINGS: &str = ".rhai for a script, or .toml for rules";

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Script(path) | Self::Rules(path) => path,
        }
    }

    /// A file of this name, if its ending says what it is: `.rhai` or `.toml`.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "rhai" => Some(Self::Script(path.to_owned())),
            "toml" => Some(Self::Rules(path.to_owned())),
            _ => None,
        }
    }

    /// Reads and checks it, and tries it at this time.
    pub fn load(&self, now: Timestamp) -> Result<Loaded, Vec<Mistake>> {
        self.judge(&self.text(), now)
    }

    fn text(&self) -> Result<String, String> {
        let mut text = String::new();
        let read = fs::File::open(self.path()).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text));
        match read {
            Ok(_) if text.len() as u64 > MAX_FILE => Err(format!("it is longer than {MAX_FILE} bytes")),
            Ok(_) => Ok(text),
            Err(error) => Err(format!("cannot read it: {error}")),
        }
    }

    fn judge(&self, text: &Result<String, String>, now: Timestamp) -> Result<Loaded, Vec<Mistake>> {
        let read = match (self, text) {
            (Self::Script(_), Ok(text)) => {
                Script::compile(text, Limits::default()).map(Loaded::Script).map_err(|it| vec![it])
            }
            (Self::Rules(_), Ok(text)) => Rules::parse(text).map(Loaded::Rules),
            (_, Err(reason)) => Err(vec![Fault::somewhere(reason)]),
        };
        let judged = read.and_then(|loaded| judge::judge(&loaded, now).map(|()| loaded).map_err(|fault| vec![fault]));
        judged.map_err(|faults| faults.into_iter().map(|fault| fault.in_file(self.path())).collect())
    }
}

impl Loaded {
    /// Asks it. What a script prints is for the log.
    pub(super) fn decide(&self, request: &PolicyRequest<'_>, draft: &Terms) -> Decided {
        match self {
            Self::Script(script) => script.decide(request, draft),
            Self::Rules(rules) => rules.decide(request, draft),
        }
    }

    /// Why it decides so, a sentence each: for [`Trial`](super::Trial), because the log has no room for it.
    pub(super) fn why(&self, request: &PolicyRequest<'_>) -> Vec<String> {
        match self {
            Self::Script(script) => script.why(request),
            Self::Rules(rules) => rules.why(request),
        }
    }
}

impl Policy for Loaded {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        let Decided { licenses, said } = self.decide(request, &draft);
        for line in said {
            match self {
                Self::Script(_) => tracing::info!(?line, "the acquisition script says"),
                Self::Rules(_) => tracing::debug!(?line, "the acquisition rules say"),
            }
        }
        licenses
    }
}

impl LivePolicy {
    /// Begins with what is in the file. Where that does not hold, nothing is issued until it does.
    #[must_use]
    pub fn new(file: PolicyFile, now: Timestamp) -> Self {
        let text = file.text();
        let judged = file.judge(&text, now);
        let (good, standing) = match judged {
            Ok(loaded) => (Some(Arc::new(loaded)), Standing { mistakes: Vec::new(), loads: 1 }),
            Err(mistakes) => (None, Standing { mistakes, loads: 0 }),
        };
        let seen = Mutex::new(Seen { text, is_judged: true, standing });
        Self { file, good: RwLock::new(good), seen, looked_at: AtomicU64::new(0) }
    }

    /// Looks at the file, once a second at most.
    fn look(&self, now: Timestamp) {
        if self.looked_at.swap(now.unix_secs(), Ordering::Relaxed) == now.unix_secs() {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let text = self.file.text();
        if text != seen.text {
            (seen.text, seen.is_judged) = (text, false);
        } else if !seen.is_judged {
            seen.is_judged = true;
            self.take_over(&mut seen, now);
        }
    }

    fn take_over(&self, seen: &mut Seen, now: Timestamp) {
        match self.file.judge(&seen.text, now) {
            Ok(loaded) => {
                *self.good.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(loaded));
                seen.standing.loads += 1;
                seen.standing.mistakes.clear();
                tracing::info!(file = %self.file.path().display(), "took over the changed acquisition policy");
            }
            Err(mistakes) => {
                let reason = mistake::all(&mistakes);
                tracing::error!(?reason, "the changed acquisition policy is broken; the one before stays in use");
                seen.standing.mistakes = mistakes;
            }
        }
    }

    fn good(&self) -> Option<Arc<Loaded>> {
        self.good.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Policy for LivePolicy {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        self.look(request.now);
        let Some(good) = self.good() else {
            let standing = &self.seen.lock().unwrap_or_else(PoisonError::into_inner).standing;
            return Err(PolicyRefusal::Failed(Fault::somewhere(mistake::all(&standing.mistakes))));
        };
        let named = |refusal| match refusal {
            PolicyRefusal::Failed(fault) => {
                PolicyRefusal::Failed(Fault::somewhere(fault.in_file(self.file.path()).to_string()))
            }
            refused => refused,
        };
        good.terms(request, draft).map_err(named)
    }

    fn standing(&self, now: Timestamp) -> Standing {
        self.look(now);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).standing.clone()
    }
}

/// Bytes; a policy is written by hand.
const MAX_FILE: u64 = 64 * 1024;
