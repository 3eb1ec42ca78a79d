//! What `explain` says of every license beside the one that `evaluate` takes.

use admit_license::{Action, Explanation, HeldLicense, LicenseId, Precedence, Reason, Rights, Terms, explain};

use crate::fixture::*;

fn explained(held: &[HeldLicense]) -> Explanation<'_> {
    explain(Action::Play, KEY_ID, held, &environment())
}

fn ids(explanation: &Explanation<'_>) -> Vec<LicenseId> {
    explanation.licenses().iter().map(|judged| judged.license.license.terms().id).collect()
}

fn precedence(first: Terms, second: Terms) -> Option<Precedence> {
    let held = all_held(&[second, first.clone()]);
    let explanation = explained(&held);
    assert_eq!(explanation.first().unwrap().license.license.terms().id, first.id);
    explanation.precedence()
}

#[test]
fn b09_every_license_is_judged_also_those_behind_the_first_that_allows() {
    let burn_only = simple(3, Rights::BURN_TO_CD);
    let first = Terms { priority: Some(1), ..simple(2, Rights::PLAY) };
    let held = all_held(&[burn_only, simple(1, Rights::PLAY), first]);
    let explanation = explained(&held);
    assert_eq!(ids(&explanation), [id(2), id(1), id(3)]);
    let allowed: Vec<bool> = explanation.licenses().iter().map(|judged| judged.outcome.is_ok()).collect();
    assert_eq!(allowed, [true, true, false]);
    let against = explanation.licenses()[2].outcome.as_ref().unwrap_err();
    assert_eq!(against, &[Reason::NoRight { action: Action::Play }]);
}

#[test]
fn b09_why_one_license_is_used_before_another() {
    let plain = |number| simple(number, Rights::PLAY);
    let one_time = |number| simple(number, Rights::PLAY | Rights::ONE_TIME);
    let counted = |number| Terms { play_count: Some(3), ..plain(number) };
    let first = Terms { priority: Some(2), ..one_time(9) };
    assert_eq!(precedence(first, plain(1)), Some(Precedence::Priority));
    assert_eq!(precedence(plain(9), one_time(1)), Some(Precedence::OtherIsOneTime));
    assert_eq!(precedence(counted(9), plain(1)), Some(Precedence::Counts));
    assert_eq!(precedence(plain(1), plain(9)), Some(Precedence::SameWorth));
    let held = all_held(&[plain(1)]);
    assert_eq!(explained(&held).precedence(), None, "nothing else allows it");
}

#[test]
fn b09_a_license_that_ends_goes_before_one_that_does_not_and_is_said_so() {
    let ending = Terms { begin: Some(seconds_later(0)), expiry: Some(seconds_later(100)), ..simple(9, Rights::PLAY) };
    let held = all_held(&[simple(1, Rights::PLAY), ending]);
    let now = time(10);
    let environment = admit_license::Environment { clock: &now, ..environment() };
    let explanation = explain(Action::Play, KEY_ID, &held, &environment);
    assert_eq!((ids(&explanation)[0], explanation.precedence()), (id(9), Some(Precedence::Ends)));
}

#[test]
fn licenses_of_other_keys_and_roots_are_not_asked() {
    let held = all_held(&[root(1, Rights::PLAY)]);
    assert!(explained(&held).licenses().is_empty() && explained(&held).first().is_none());
}
