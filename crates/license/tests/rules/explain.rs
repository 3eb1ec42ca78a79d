//! What `explain` says of every license beside the one that `evaluate` takes.

use admit_license::{Action, Explanation, HeldLicense, LicenseId, Precedence, Reason, Rights, Terms, Usage, explain};

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
fn b09_of_two_rentals_the_one_that_runs_is_used_and_no_second_countdown_begins() {
    let rental = |number| Terms { expiry_after_first_use_secs: Some(3600), ..simple(number, Rights::PLAY) };
    let used = |uses| Usage { first_used_at: Some(seconds_later(5)), used: [uses, 0, 0, 0], ..stored() };
    let dated = |number, end| Terms { expiry: Some(seconds_later(end)), ..rental(number) };
    let counted = |number| Terms { play_count: Some(3), ..simple(number, Rights::PLAY) };
    let cases = [
        (held(&rental(9), used(0)), held(&rental(1), stored()), Precedence::OtherNotBegun),
        // Also where the other one must be used sooner.
        (held(&rental(9), used(0)), held(&dated(1, 600), stored()), Precedence::OtherNotBegun),
        (held(&dated(9, 500), stored()), held(&dated(1, 600), stored()), Precedence::EndsFirst),
        (held(&dated(9, 500), stored()), held(&rental(1), stored()), Precedence::EndsFirst),
        (
            held(&rental(9), Usage { first_used_at: Some(seconds_later(4)), ..stored() }),
            held(&rental(1), used(0)),
            Precedence::EndsFirst,
        ),
        (held(&counted(9), used(1)), held(&counted(1), stored()), Precedence::PartlyUsed),
        (held(&counted(1), used(1)), held(&counted(9), used(2)), Precedence::SameWorth),
    ];
    let now = time(10);
    let environment = admit_license::Environment { clock: &now, ..environment() };
    for (first, second, why) in cases {
        let expected = first.license.terms().id;
        let held = [second, first];
        let explanation = explain(Action::Play, KEY_ID, &held, &environment);
        assert_eq!((ids(&explanation)[0], explanation.precedence()), (expected, Some(why)), "{}", why.name());
    }
}

#[test]
fn b09_a_license_that_only_begins_has_no_end() {
    let begun = Terms { begin: Some(seconds_later(0)), ..simple(1, Rights::PLAY) };
    let ending = Terms { expiry: Some(seconds_later(100)), ..simple(9, Rights::PLAY) };
    let held = all_held(&[begun, ending]);
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
