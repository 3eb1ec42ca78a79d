//! May this happen now? Each reason against an action alone, and which of several licenses is used.

use admit_license::{
    Action, Application, Count, Environment, HeldLicense, KeyId, Output, Reason, Remedy, Rights, Terms, Usage, evaluate,
};
use admit_trust::{
    CertificateVersion, ClientProperties, ClockKind, ComponentVersion, DateCheck, SdkGeneration, verify_chain,
};

use crate::fixture::*;

fn one(terms: Terms) -> [HeldLicense; 1] {
    [held(&terms, stored())]
}

fn used(terms: &Terms, count: Count, times: u32) -> HeldLicense {
    let mut usage = Usage { touched: times > 0, ..stored() };
    usage.used[count as usize] = times;
    held(terms, usage)
}

/// The only reason against playing this license, and what would help.
fn only(terms: Terms, environment: &Environment<'_>) -> (Reason, Remedy) {
    let found = reasons(Action::Play, &one(terms), environment);
    let [reason] = found[..] else { panic!("{found:?}") };
    (reason, reason.remedy())
}

fn plays(terms: Terms, environment: &Environment<'_>) -> bool {
    evaluate(Action::Play, KEY_ID, &one(terms), environment).is_ok()
}

#[test]
fn no_license() {
    let reason = Reason::NoLicense { key_id: KEY_ID };
    assert_eq!(reasons(Action::Play, &[], &environment()), [reason]);
    assert_eq!(reason.remedy(), Remedy::Acquire);
    let other = Terms { key_id: KeyId::from_bytes([9; 16]), ..simple(1, Rights::PLAY) };
    assert_eq!(reasons(Action::Play, &one(other), &environment()), [reason]);
}

#[test]
fn b05_each_action_needs_its_right_and_no_other() {
    let needed = [
        (Action::Play, 1),
        (Action::TransferToNonSdmi, 2),
        (Action::Burn, 8),
        (Action::TransferToSdmi, 16),
        (Action::SaveStream, 64),
        (Action::PlaylistBurn, 1 << 24),
        (Action::Backup, 1 << 25),
    ];
    for (action, bit) in needed {
        let right = Rights::from_bits(bit).unwrap();
        assert!(evaluate(action, KEY_ID, &one(simple(1, right)), &environment()).is_ok());
        let others = Rights::ALL.without(right).without(Rights::ONE_TIME);
        let found = reasons(action, &one(simple(1, others)), &environment());
        assert_eq!(found, [Reason::NoRight { action }]);
        assert_eq!(found[0].remedy(), Remedy::Acquire);
    }
}

#[test]
fn b05_a_one_time_license_with_bit_16_is_for_transfer_only() {
    let license = one(simple(1, Rights::ALL));
    for action in Action::ALL {
        let found = evaluate(action, KEY_ID, &license, &environment());
        match action {
            Action::TransferToSdmi => assert!(found.is_ok()),
            _ => assert_eq!(found.unwrap_err().nearest(), Reason::OneTimeForTransfer),
        }
    }
    assert_eq!(Reason::OneTimeForTransfer.remedy(), Remedy::Acquire);
}

#[test]
fn b08_the_older_sdk_knows_three_rights() {
    let older = Environment {
        application: Application { sdk_generation: SdkGeneration::Older, ..environment().application },
        ..environment()
    };
    let license = one(simple(1, Rights::ALL.without(Rights::ONE_TIME)));
    for action in Action::ALL {
        let found = evaluate(action, KEY_ID, &license, &older);
        if matches!(action, Action::Play | Action::TransferToNonSdmi) {
            assert!(found.is_ok());
        } else {
            assert_eq!(found.unwrap_err().nearest(), Reason::RightUnknownToApplication { action });
        }
    }
    assert_eq!(Reason::RightUnknownToApplication { action: Action::Burn }.remedy(), Remedy::InstallUpdate);
}

#[test]
fn b08_one_time_use_holds_for_the_older_sdk_too() {
    let older = Environment {
        application: Application { sdk_generation: SdkGeneration::Older, ..environment().application },
        ..environment()
    };
    let license = one(simple(1, Rights::PLAY | Rights::ONE_TIME));
    assert!(grant(Action::Play, &license, &older).charges()[0].deletes);
}

#[test]
fn counts_end_exactly_when_they_are_used_up() {
    let counted = [
        (Action::Play, Count::Play, Terms { play_count: Some(2), ..simple(1, Rights::ALL) }),
        (Action::TransferToNonSdmi, Count::Transfer, Terms { transfer_count: Some(2), ..simple(1, Rights::ALL) }),
        (Action::TransferToSdmi, Count::Transfer, Terms { transfer_count: Some(2), ..simple(1, Rights::ALL) }),
        (Action::Burn, Count::Burn, Terms { burn_count: Some(2), ..simple(1, Rights::ALL) }),
        (
            Action::PlaylistBurn,
            Count::PlaylistBurn,
            Terms { playlist_burn_track_count: Some(2), ..simple(1, Rights::ALL) },
        ),
    ];
    for (action, count, terms) in counted {
        let terms = Terms { rights: terms.rights.without(Rights::ONE_TIME), ..terms };
        let left = [used(&terms, count, 1)];
        let charge = grant(action, &left, &environment()).charges()[0];
        assert_eq!((charge.count, charge.deletes, charge.license), (Some(count), false, terms.id));
        let found = reasons(action, &[used(&terms, count, 2)], &environment());
        assert_eq!(found, [Reason::CountUsedUp { allowed: 2 }]);
        assert_eq!(found[0].remedy(), Remedy::Renew);
        // A count limits its own action only.
        let others = Action::ALL.into_iter().filter(|other| other.right() != action.right());
        for other in others.filter(|_| count != Count::Transfer) {
            let transfers = matches!(other, Action::TransferToNonSdmi | Action::TransferToSdmi);
            if transfers && count == Count::Play {
                // What counts plays goes to no device at all (row B11).
                let found = reasons(other, &[used(&terms, count, 0)], &environment());
                assert_eq!(found, [Reason::StaysHere]);
                continue;
            }
            assert!(evaluate(other, KEY_ID, &[used(&terms, count, 2)], &environment()).is_ok(), "{other}");
        }
    }
}

#[test]
fn a_count_of_zero_allows_nothing() {
    let terms = Terms { play_count: Some(0), ..simple(1, Rights::PLAY) };
    assert_eq!(only(terms, &environment()).0, Reason::CountUsedUp { allowed: 0 });
}

#[test]
fn b05_a_one_time_license_is_used_once() {
    let terms = simple(1, Rights::PLAY | Rights::ONE_TIME);
    assert!(grant(Action::Play, &one(terms.clone()), &environment()).charges()[0].deletes);
    let touched = held(&terms, Usage { touched: true, ..stored() });
    assert_eq!(reasons(Action::Play, &[touched], &environment()), [Reason::CountUsedUp { allowed: 1 }]);
}

#[test]
fn b13_the_application_level_is_compared_as_a_number() {
    let at = |security_level| Environment {
        application: Application { security_level, ..environment().application },
        ..environment()
    };
    for (needed, found) in
        [(150, 149), (1000, 999), (0x8000_0000, 0x7fff_ffff), (u32::MAX, u32::MAX - 1), (0x100, 0xff)]
    {
        let terms = Terms { minimum_application_level: Some(needed), ..simple(1, Rights::PLAY) };
        assert!(plays(terms.clone(), &at(needed)));
        assert_eq!(only(terms, &at(found)), (Reason::ApplicationLevel { needed, found }, Remedy::InstallUpdate));
    }
}

#[test]
fn b13_the_default_application_level_is_100() {
    let at = |security_level| Environment {
        application: Application { security_level, ..environment().application },
        ..environment()
    };
    assert!(plays(simple(1, Rights::PLAY), &at(100)));
    let refused = only(simple(1, Rights::PLAY), &at(99)).0;
    assert_eq!(refused, Reason::ApplicationLevel { needed: 100, found: 99 });
    assert!(plays(Terms { minimum_application_level: Some(0), ..simple(1, Rights::PLAY) }, &at(0)));
}

#[test]
fn b13_clear_output_counts_as_150_at_most() {
    let at = |security_level, output| {
        let application = Application { security_level, ..environment().application };
        Environment { application, output, ..environment() }
    };
    let needs = |level| Terms { minimum_application_level: Some(level), ..simple(1, Rights::PLAY) };
    for (certified, counts_as) in [(0, 0), (149, 149), (150, 150), (151, 150), (u32::MAX, 150)] {
        assert!(plays(needs(counts_as), &at(certified, Output::Clear)));
        let refused = only(needs(counts_as + 1), &at(certified, Output::Clear)).0;
        assert_eq!(refused, Reason::ApplicationLevel { needed: counts_as + 1, found: counts_as });
        assert!(plays(needs(certified), &at(certified, Output::InProcess { protected: false })));
    }
}

#[test]
fn an_application_is_what_its_certificate_says_and_without_one_nothing() {
    let chain = [REALM.application.certificate.clone()];
    let verified = verify_chain(provider(), &REALM.root, &chain, DateCheck::At(REALM.now)).unwrap();
    let (sdk_generation, certificate_version) = (SdkGeneration::Newer, CertificateVersion::V1);
    let certified = Application { security_level: 1000, sdk_generation, certificate_version };
    assert_eq!(Application::new(Some(&verified)), certified);
    assert_eq!(Application::new(None), Application { security_level: 0, ..certified });
}

#[test]
fn the_client_level_is_the_certificates() {
    let terms = |level| Terms { minimum_client_level: Some(level), ..simple(1, Rights::PLAY) };
    assert!(plays(terms(150), &environment()));
    let expected = (Reason::ClientLevel { needed: 151, found: 150 }, Remedy::Individualize);
    assert_eq!(only(terms(151), &environment()), expected);
}

fn with_component(version: [u16; 4]) -> Environment<'static> {
    let component_version = ComponentVersion::new(version);
    Environment { client: ClientProperties { component_version, ..environment().client }, ..environment() }
}

#[test]
fn a03_a_minimum_version_is_met_by_individualized_components_only() {
    let needed = ComponentVersion::new([2, 4, 0, 1]);
    let terms = Terms { minimum_individualized_version: Some(needed), ..simple(1, Rights::PLAY) };
    for version in [[2, 4, 0, 1], [2, 4, 0, 3], [3, 0, 0, 1]] {
        assert!(plays(terms.clone(), &with_component(version)));
    }
    for version in [[2, 3, 0, 0], [9, 9, 9, 0], [2, 3, 9, 9]] {
        let found = ComponentVersion::new(version);
        let expected = (Reason::NeedsIndividualization { needed, found }, Remedy::Individualize);
        assert_eq!(only(terms.clone(), &with_component(version)), expected);
    }
}

#[test]
fn a03_the_contents_own_minimum_counts_beside_the_licenses() {
    let needed = ComponentVersion::new([2, 5, 0, 1]);
    let content = Environment { content_minimum_version: Some(needed), ..with_component([2, 4, 0, 1]) };
    let found = ComponentVersion::new([2, 4, 0, 1]);
    assert_eq!(only(simple(1, Rights::PLAY), &content).0, Reason::NeedsIndividualization { needed, found });
    let newer = Environment { content_minimum_version: Some(needed), ..with_component([2, 5, 0, 1]) };
    assert!(plays(simple(1, Rights::PLAY), &newer));
}

#[test]
fn c02_a_license_may_need_revocation_information() {
    let terms = Terms { revocation_version: Some(7), ..simple(1, Rights::PLAY) };
    let with = |revocation_version| Environment { revocation_version, ..environment() };
    assert!(plays(terms.clone(), &with(7)));
    let expected = (Reason::RevocationInformation { needed: 7, found: 6 }, Remedy::RefreshRevocation);
    assert_eq!(only(terms, &with(6)), expected);
}

/// The same license with each kind of limit in time.
fn limited_in_time() -> [Terms; 4] {
    let plain = || simple(1, Rights::PLAY);
    [
        Terms { begin: Some(seconds_later(0)), ..plain() },
        Terms { expiry: Some(seconds_later(1000)), ..plain() },
        Terms { expiry_after_first_use_secs: Some(1000), ..plain() },
        Terms { expiry_after_storing_secs: Some(1000), ..plain() },
    ]
}

#[test]
fn e01_without_a_trusted_clock_no_limit_in_time_is_accepted() {
    let now = time(10);
    let client = ClientProperties { clock: ClockKind::None, ..environment().client };
    for terms in limited_in_time() {
        let clockless = Environment { client, clock: &now, ..environment() };
        assert_eq!(only(terms.clone(), &clockless), (Reason::NoClock, Remedy::None));
        assert_eq!(only(terms, &environment()), (Reason::ClockNotSet, Remedy::SetClock));
    }
    assert!(plays(simple(1, Rights::PLAY), &Environment { client, ..environment() }));
}

#[test]
fn limits_hold_to_the_second_at_the_safe_end_of_the_uncertainty() {
    // The fixture's radius is three seconds.
    let at = |terms: Terms, seconds: u64| {
        let now = time(seconds);
        evaluate(Action::Play, KEY_ID, &one(terms), &Environment { clock: &now, ..environment() })
            .map(|grant| grant.ends_at())
            .map_err(|denied| denied.nearest())
    };
    let begin = seconds_later(100);
    let begins = || Terms { begin: Some(begin), ..simple(1, Rights::PLAY) };
    assert_eq!(at(begins(), 102), Err(Reason::NotYetValid { begin }));
    assert_eq!(at(begins(), 103), Ok(None));
    let expiry = seconds_later(100);
    let ends = || Terms { expiry: Some(expiry), ..simple(1, Rights::PLAY) };
    assert_eq!(at(ends(), 97), Ok(Some(expiry)));
    assert_eq!(at(ends(), 98), Err(Reason::Expired { expiry }));
    assert_eq!(Reason::Expired { expiry }.remedy(), Remedy::Renew);
    assert_eq!(Reason::NotYetValid { begin }.remedy(), Remedy::None);
}

#[test]
fn the_countdown_of_first_use_begins_with_the_first_use() {
    let terms = Terms { expiry_after_first_use_secs: Some(100), ..simple(1, Rights::PLAY) };
    let now = time(1000);
    let environment = Environment { clock: &now, ..environment() };
    let ends_at = grant(Action::Play, &one(terms.clone()), &environment).ends_at();
    assert_eq!(ends_at, Some(seconds_later(1103)), "counted from the latest that it can be");
    let began = |seconds| held(&terms, Usage { first_used_at: Some(seconds_later(seconds)), ..stored() });
    assert!(evaluate(Action::Play, KEY_ID, &[began(903)], &environment).is_ok());
    let expired = Reason::Expired { expiry: seconds_later(1002) };
    assert_eq!(reasons(Action::Play, &[began(902)], &environment), [expired]);
}

#[test]
fn the_countdown_of_storing_begins_with_storing() {
    let terms = Terms { expiry_after_storing_secs: Some(100), ..simple(1, Rights::PLAY) };
    let now = time(1000);
    let environment = Environment { clock: &now, ..environment() };
    let stored_at = |seconds| held(&terms, Usage { stored_at: Some(seconds_later(seconds)), ..stored() });
    assert_eq!(grant(Action::Play, &[stored_at(950)], &environment).ends_at(), Some(seconds_later(1050)));
    let expired = Reason::Expired { expiry: seconds_later(1002) };
    assert_eq!(reasons(Action::Play, &[stored_at(902)], &environment), [expired]);
}

#[test]
fn the_first_of_several_ends_is_the_end() {
    let terms = Terms {
        expiry: Some(seconds_later(5000)),
        expiry_after_first_use_secs: Some(100),
        expiry_after_storing_secs: Some(2000),
        ..simple(1, Rights::PLAY)
    };
    let usage = Usage { stored_at: Some(seconds_later(0)), ..stored() };
    let now = time(1000);
    let environment = Environment { clock: &now, ..environment() };
    assert_eq!(grant(Action::Play, &[held(&terms, usage)], &environment).ends_at(), Some(seconds_later(1103)));
}

/// Which of the licenses is used, whatever order they stand in.
fn chosen(terms: &[Terms]) -> u8 {
    let now = time(10);
    let environment = Environment { clock: &now, ..environment() };
    let mut found: Vec<u8> = Vec::new();
    let mut held = all_held(terms);
    for _ in 0..held.len() {
        held.rotate_left(1);
        found.push(grant(Action::Play, &held, &environment).license().license.terms().id.as_bytes()[0]);
    }
    found.dedup();
    assert_eq!(found.len(), 1, "the order of the store decides: {found:?}");
    found[0]
}

#[test]
fn b09_the_larger_priority_goes_first() {
    let of = |number, priority| Terms { priority, ..simple(number, Rights::PLAY) };
    assert_eq!(chosen(&[of(1, None), of(2, Some(1)), of(3, Some(-1))]), 2);
    let precious = Terms { priority: Some(1), ..simple(4, Rights::PLAY | Rights::ONE_TIME) };
    assert_eq!(chosen(&[of(1, None), precious]), 4);
}

#[test]
fn b09_at_equal_priority_the_least_valuable_goes_first() {
    let unlimited = simple(1, Rights::PLAY);
    let counted = Terms { play_count: Some(5), ..simple(2, Rights::PLAY) };
    let expiring = Terms { expiry: Some(seconds_later(1000)), ..simple(3, Rights::PLAY) };
    let both = Terms { play_count: Some(5), ..Terms { id: id(4), ..expiring.clone() } };
    let one_time = simple(0, Rights::PLAY | Rights::ONE_TIME);
    assert_eq!(chosen(&[unlimited.clone(), one_time.clone()]), 1);
    assert_eq!(chosen(&[unlimited.clone(), one_time.clone(), counted.clone()]), 2);
    assert_eq!(chosen(&[unlimited.clone(), counted.clone(), expiring.clone(), one_time.clone()]), 3);
    assert_eq!(chosen(&[unlimited, counted, expiring, both, one_time]), 4);
}

#[test]
fn b09_a_license_that_does_not_fit_is_passed_over_and_not_wasted() {
    let used_up = used(&Terms { play_count: Some(1), ..simple(1, Rights::PLAY) }, Count::Play, 1);
    let without_right = held(&simple(2, Rights::BURN_TO_CD), stored());
    let fits = held(&simple(3, Rights::PLAY), stored());
    let all = [used_up, without_right, fits];
    let found = grant(Action::Play, &all, &environment());
    assert_eq!(found.charges().iter().map(|charge| charge.license).collect::<Vec<_>>(), [id(3)]);
}

#[test]
fn a_denial_tells_every_reason_and_the_nearest_license_first() {
    let far =
        Terms { minimum_client_level: Some(9000), minimum_application_level: Some(9000), ..simple(1, Rights::NONE) };
    let near = Terms { revocation_version: Some(4), ..simple(2, Rights::PLAY) };
    let held = all_held(&[far, near]);
    let denied = evaluate(Action::Play, KEY_ID, &held, &environment()).unwrap_err();
    assert_eq!(denied.refusals().len(), 4);
    assert_eq!(denied.refusals()[0].license, Some(id(1)));
    assert_eq!(denied.nearest(), Reason::RevocationInformation { needed: 4, found: 0 });
}

#[test]
fn every_reason_says_what_it_is_about() {
    let version = ComponentVersion::new([2, 4, 0, 1]);
    let said = [
        (Reason::NoLicense { key_id: KEY_ID }, "11111111"),
        (Reason::NoRight { action: Action::Burn }, "burn"),
        (Reason::RightUnknownToApplication { action: Action::Burn }, "burn"),
        (Reason::OneTimeForTransfer, "transfer"),
        (Reason::CountUsedUp { allowed: 3 }, "3"),
        (Reason::NotYetValid { begin: seconds_later(0) }, "2026-01-01"),
        (Reason::Expired { expiry: seconds_later(0) }, "2026-01-01"),
        (Reason::ApplicationLevel { needed: 450, found: 100 }, "450"),
        (Reason::ClientLevel { needed: 450, found: 150 }, "150"),
        (Reason::NeedsIndividualization { needed: version, found: ComponentVersion::DEFAULT }, "2.4.0.1"),
        (Reason::NoClock, "clock"),
        (Reason::ClockStale, "signed time is too old"),
        (Reason::ClockRolledBack, "set back"),
        (Reason::StoreRolledBack, "older copy"),
        (Reason::StoredBeforeClock, "without a time"),
        (Reason::ClockNotSet, "clock"),
        (Reason::RevocationInformation { needed: 7, found: 6 }, "7"),
        (Reason::NoUplinkLicense { key_id: ROOT_KEY_ID }, "22222222"),
    ];
    for (reason, word) in said {
        assert!(reason.to_string().contains(word), "{reason}");
    }
}

#[test]
fn every_remedy_has_its_name() {
    let names = [
        (Remedy::Acquire, "acquire"),
        (Remedy::Renew, "renew"),
        (Remedy::Individualize, "individualize"),
        (Remedy::SetClock, "set_clock"),
        (Remedy::RefreshRevocation, "refresh_revocation"),
        (Remedy::InstallUpdate, "install_update"),
        (Remedy::AskUser, "ask_user"),
        (Remedy::None, "none"),
    ];
    for (remedy, name) in names {
        assert_eq!(remedy.name(), name);
    }
}

#[test]
fn usage_reads_as_it_was_written_and_not_when_it_was_cut() {
    let usages = [
        Usage::default(),
        Usage { stored_at: Some(seconds_later(1)), ..Usage::default() },
        Usage { first_used_at: Some(seconds_later(2)), used: [1, 2, 3, u32::MAX], touched: true, ..stored() },
    ];
    for usage in usages {
        let bytes = minicbor::to_vec(usage).unwrap();
        assert_eq!(minicbor::decode::<Usage>(&bytes).unwrap(), usage);
        for at in 0..bytes.len() {
            assert!(minicbor::decode::<Usage>(&bytes[..at]).is_err(), "cut at {at}");
        }
    }
    let counts = [Count::Play, Count::Transfer, Count::Burn, Count::PlaylistBurn];
    let usage = Usage { used: [5, 6, 7, 8], ..stored() };
    assert_eq!(counts.map(|count| usage.of(count)), [5, 6, 7, 8]);
}

#[test]
fn restrictions_are_denied_where_the_output_is_not_protected() {
    let restrictions = Some(admit_license::Restrictions { analog_video: Some(150), ..Default::default() });
    let held = all_held(&[Terms { restrictions, ..simple(1, Rights::PLAY) }]);
    let unprotected = Environment { output: Output::InProcess { protected: false }, ..environment() };
    let clear = Environment { output: Output::Clear, ..environment() };
    for output in [unprotected, clear] {
        assert_eq!(reasons(Action::Play, &held, &output), [Reason::OutputUnprotected]);
    }
    assert!(evaluate(Action::Play, KEY_ID, &held, &environment()).is_ok());
    let unrestricted = all_held(&[simple(1, Rights::PLAY)]);
    assert!(evaluate(Action::Play, KEY_ID, &unrestricted, &clear).is_ok());
}

#[test]
fn a_metered_license_needs_a_client_that_can_meter() {
    let held = all_held(&[Terms { metering_id: Some(CLIENT_HASH), ..simple(1, Rights::PLAY) }]);
    assert_eq!(reasons(Action::Play, &held, &environment()), [Reason::MeteringUnsupported]);
    let client = ClientProperties { features: admit_trust::Features::METERING, ..environment().client };
    assert!(evaluate(Action::Play, KEY_ID, &held, &Environment { client, ..environment() }).is_ok());
}

#[test]
fn a_grant_remembers_when_it_was_decided() {
    let held = all_held(&[simple(1, Rights::PLAY)]);
    assert_eq!(grant(Action::Play, &held, &environment()).decided_at(), None);
    let now = time(500);
    let at = Environment { clock: &now, ..environment() };
    assert_eq!(grant(Action::Play, &held, &at).decided_at(), now.time().map(|time| time.latest()));
}

const CLIENT_HASH: admit_crypto::Digest = admit_crypto::Digest::from_bytes([9; 32]);

#[test]
fn b13_a_license_for_level_200_plays_on_applications_of_200_or_more() {
    let held = all_held(&[Terms { minimum_application_level: Some(200), ..simple(1, Rights::PLAY) }]);
    for (level, plays) in [(150, false), (199, false), (200, true), (201, true), (2000, true)] {
        let application = Application { security_level: level, ..environment().application };
        let environment = Environment { application, ..environment() };
        assert_eq!(evaluate(Action::Play, KEY_ID, &held, &environment).is_ok(), plays, "{level}");
    }
}
