//! Chains of a root and a leaf, as the chaining document has them (rows D02 to D07).

use admit_license::{
    Action, Count, Environment, HeldLicense, Reason, Remedy, Restrictions, Rights, Terms, Uplink, Usage, evaluate,
};

use crate::fixture::*;

fn chain(leaf: Terms, root: Terms) -> Vec<HeldLicense> {
    all_held(&[leaf, root])
}

#[test]
fn d02_a_leaf_without_its_root_says_which_root() {
    let missing = Reason::NoUplinkLicense { key_id: ROOT_KEY_ID };
    let alone = all_held(&[leaf(1, Rights::PLAY)]);
    assert_eq!(reasons(Action::Play, &alone, &environment()), [missing]);
    assert_eq!(missing.remedy(), Remedy::Acquire);
    // A root of another revision, and a simple license with the root's key id, are no roots of it.
    let uplink = Some(Uplink { key_id: ROOT_KEY_ID, revision: 2 });
    let newer = chain(Terms { uplink, ..leaf(1, Rights::PLAY) }, root(2, Rights::PLAY));
    assert_eq!(reasons(Action::Play, &newer, &environment()), [missing]);
    let not_a_root = Terms { key_id: ROOT_KEY_ID, ..simple(2, Rights::PLAY) };
    assert_eq!(reasons(Action::Play, &chain(leaf(1, Rights::PLAY), not_a_root), &environment()), [missing]);
}

#[test]
fn d02_a_renewed_root_is_found_beside_the_one_that_ended() {
    let now = time(1000);
    let environment = Environment { clock: &now, ..environment() };
    let ended = Terms { expiry: Some(seconds_later(10)), ..root(2, Rights::PLAY) };
    let renewed = Terms { expiry: Some(seconds_later(9000)), ..root(3, Rights::PLAY) };
    for roots in [[&ended, &renewed], [&renewed, &ended]] {
        let held = all_held(&[leaf(1, Rights::PLAY), roots[0].clone(), roots[1].clone()]);
        let charges = grant(Action::Play, &held, &environment).charges().to_vec();
        assert_eq!(charges.iter().map(|charge| charge.license).collect::<Vec<_>>(), [id(1), id(3)]);
    }
    let held = chain(leaf(1, Rights::PLAY), ended);
    let expired = Reason::Expired { expiry: seconds_later(10) };
    assert_eq!(reasons(Action::Play, &held, &environment), [expired]);
}

#[test]
fn d03_an_action_needs_its_right_in_both() {
    for action in [Action::Play, Action::Burn, Action::SaveStream, Action::PlaylistBurn, Action::Backup] {
        for (in_leaf, in_root) in [(true, true), (true, false), (false, true), (false, false)] {
            let rights = |given: bool| if given { action.right() } else { Rights::NONE };
            let held = chain(leaf(1, rights(in_leaf)), root(2, rights(in_root)));
            let found = evaluate(action, KEY_ID, &held, &environment());
            assert_eq!(found.is_ok(), in_leaf && in_root, "{action}");
            if let Err(denied) = found {
                assert_eq!(denied.nearest(), Reason::NoRight { action });
            }
        }
    }
}

fn restricted(analog_video: Option<u16>, copy: Option<u16>) -> Option<Restrictions> {
    Some(Restrictions { analog_video, copy, ..Restrictions::default() })
}

fn restrictions(leaf_has: Option<Restrictions>, root_has: Option<Restrictions>) -> Restrictions {
    let held = chain(
        Terms { restrictions: leaf_has, ..leaf(1, Rights::PLAY) },
        Terms { restrictions: root_has, ..root(2, Rights::PLAY) },
    );
    grant(Action::Play, &held, &environment()).restrictions()
}

#[test]
fn d04_any_restriction_of_the_root_replaces_all_of_the_leafs() {
    let (output, copy) = (restricted(Some(150), None), restricted(None, Some(3)));
    assert_eq!(restrictions(output, None), output.unwrap());
    assert_eq!(restrictions(None, output), output.unwrap());
    assert_eq!(restrictions(output, copy), copy.unwrap(), "a copy protection of the root drops the leaf's output one");
    assert_eq!(restrictions(copy, output), output.unwrap());
    assert_eq!(restrictions(output, restricted(Some(100), None)).analog_video, Some(100), "even where it is weaker");
    assert_eq!(restrictions(None, None), Restrictions::default());
    // A root that carries the field and nothing in it has none.
    assert_eq!(restrictions(output, Some(Restrictions::default())), output.unwrap());
}

/// Adds a limit to terms.
type Limit = fn(Terms) -> Terms;

#[test]
fn d04_dates_counts_levels_and_versions_of_both_apply_always() {
    let now = time(1000);
    let environment = Environment { clock: &now, ..environment() };
    let cases: [(Limit, Reason); 6] = [
        (|it| Terms { expiry: Some(seconds_later(1)), ..it }, Reason::Expired { expiry: seconds_later(1) }),
        (|it| Terms { begin: Some(seconds_later(9000)), ..it }, Reason::NotYetValid { begin: seconds_later(9000) }),
        (|it| Terms { play_count: Some(0), ..it }, Reason::CountUsedUp { allowed: 0 }),
        (
            |it| Terms { minimum_application_level: Some(2000), ..it },
            Reason::ApplicationLevel { needed: 2000, found: 1000 },
        ),
        (|it| Terms { minimum_client_level: Some(450), ..it }, Reason::ClientLevel { needed: 450, found: 150 }),
        (|it| Terms { revocation_version: Some(1), ..it }, Reason::RevocationInformation { needed: 1, found: 0 }),
    ];
    for (limit, reason) in cases {
        for restrictions in [None, restricted(Some(1), None)] {
            let with = |terms| Terms { restrictions, ..terms };
            let in_leaf = chain(limit(leaf(1, Rights::PLAY)), with(root(2, Rights::PLAY)));
            let in_root = chain(leaf(1, Rights::PLAY), with(limit(root(2, Rights::PLAY))));
            assert_eq!(reasons(Action::Play, &in_leaf, &environment), [reason]);
            assert_eq!(reasons(Action::Play, &in_root, &environment), [reason]);
        }
    }
}

#[test]
fn d05_counts_in_both_go_down_together() {
    let held = chain(
        Terms { play_count: Some(3), ..leaf(1, Rights::PLAY) },
        Terms { play_count: Some(5), ..root(2, Rights::PLAY) },
    );
    let charged = |held: &[HeldLicense]| -> Vec<_> {
        let grant = grant(Action::Play, held, &environment());
        grant.charges().iter().map(|charge| (charge.license, charge.count)).collect()
    };
    assert_eq!(charged(&held), [(id(1), Some(Count::Play)), (id(2), Some(Count::Play))]);
    // A count in one of them is charged there; the other is named, with nothing to count.
    let held = chain(leaf(1, Rights::PLAY), Terms { play_count: Some(5), ..root(2, Rights::PLAY) });
    assert_eq!(charged(&held), [(id(1), None), (id(2), Some(Count::Play))]);
}

#[test]
fn d05_the_first_count_that_is_used_up_ends_the_chain() {
    let counted = Terms { play_count: Some(2), ..leaf(1, Rights::PLAY) };
    let used_up = held(&counted, Usage { used: [2, 0, 0, 0], touched: true, ..stored() });
    let held = [used_up, held(&Terms { play_count: Some(9), ..root(2, Rights::PLAY) }, stored())];
    assert_eq!(reasons(Action::Play, &held, &environment()), [Reason::CountUsedUp { allowed: 2 }]);
}

#[test]
fn d06_playlist_burn_is_a_right_of_its_own_and_counts_in_the_leaf() {
    let single = chain(leaf(1, Rights::BURN_TO_CD), root(2, Rights::BURN_TO_CD));
    assert!(evaluate(Action::Burn, KEY_ID, &single, &environment()).is_ok());
    let found = reasons(Action::PlaylistBurn, &single, &environment());
    assert!(found.iter().all(|&reason| reason == Reason::NoRight { action: Action::PlaylistBurn }));
    let playlist = chain(
        Terms { playlist_burn_track_count: Some(1), ..leaf(1, Rights::PLAYLIST_BURN) },
        root(2, Rights::PLAYLIST_BURN),
    );
    assert!(evaluate(Action::Burn, KEY_ID, &playlist, &environment()).is_err());
    let charges = grant(Action::PlaylistBurn, &playlist, &environment()).charges().to_vec();
    assert_eq!((charges[0].count, charges[1].count), (Some(Count::PlaylistBurn), None));
}

#[test]
fn d07_chained_content_does_not_go_to_devices() {
    let everything = Rights::ALL.without(Rights::NOT_IN_CHAINS);
    let held = chain(leaf(1, everything), root(2, everything));
    for action in [Action::TransferToNonSdmi, Action::TransferToSdmi] {
        let denied = evaluate(action, KEY_ID, &held, &environment()).unwrap_err();
        assert_eq!(denied.nearest(), Reason::NoRight { action });
    }
}

#[test]
fn the_end_of_a_chain_is_the_earlier_of_both() {
    let now = time(0);
    let environment = Environment { clock: &now, ..environment() };
    let ending = |terms: Terms, seconds| Terms { expiry: Some(seconds_later(seconds)), ..terms };
    for (in_leaf, in_root) in [(100, 200), (200, 100)] {
        let held = chain(ending(leaf(1, Rights::PLAY), in_leaf), ending(root(2, Rights::PLAY), in_root));
        assert_eq!(grant(Action::Play, &held, &environment).ends_at(), Some(seconds_later(100)));
    }
}

#[test]
fn a_simple_license_beside_a_chain_is_used_where_the_chain_does_not_fit() {
    let held = all_held(&[leaf(1, Rights::PLAY), simple(3, Rights::PLAY)]);
    let found = grant(Action::Play, &held, &environment());
    assert_eq!(found.license().license.terms().id, id(3));
}
