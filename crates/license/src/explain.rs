//! Everything that an evaluation would find: of every license whether it allows an action, and which is used first and why.

use crate::evaluate::{Environment, Grant, judge};
use crate::order::Precedence;
use crate::{Action, HeldLicense, KeyId, Reason};

/// What is found of one license.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The license that holds the content key.
    pub license: &'a HeldLicense,
    /// It allows the action, alone or with its root; or every reason against it.
    pub outcome: Result<Grant<'a>, Vec<Reason>>,
}

/// Every license for a key, in the order in which they should be used.
#[derive(Debug)]
pub struct Explanation<'a> {
    key_id: KeyId,
    action: Action,
    licenses: Vec<Judged<'a>>,
}

impl<'a> Explanation<'a> {
    /// The content key.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// What was found of each license; nothing where there is none.
    #[must_use]
    pub fn licenses(&self) -> &[Judged<'a>] {
        &self.licenses
    }

    /// The license that [`crate::evaluate()`] grants the action by.
    #[must_use]
    pub fn first(&self) -> Option<&Judged<'a>> {
        self.allowing().next()
    }

    /// Why that one is used before the next one that allows the action; none where no other does.
    #[must_use]
    pub fn precedence(&self) -> Option<Precedence> {
        let mut allowing = self.allowing();
        let (first, second) = (allowing.next()?, allowing.next()?);
        Some(Precedence::between(self.action, first.license, second.license))
    }

    fn allowing(&self) -> impl Iterator<Item = &Judged<'a>> {
        self.licenses.iter().filter(|judged| judged.outcome.is_ok())
    }
}

/// What [`crate::evaluate()`] decides, with everything that it would not look at because an earlier license was enough.
#[must_use]
pub fn explain<'a>(
    action: Action,
    key_id: KeyId,
    held: &'a [HeldLicense],
    environment: &Environment<'_>,
) -> Explanation<'a> {
    Explanation { key_id, action, licenses: judge(action, key_id, held, environment).collect() }
}
