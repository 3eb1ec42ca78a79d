//! `evaluate` against a model that is written the slow way: every pair of licenses, every rule as one line.

use admit_license::{
    Action, Application, Dead, Environment, HeldLicense, Judged, Kind, LicenseId, Rights, Terms, Uplink, Usage,
    evaluate, explain,
};
use admit_time::clock::Now;
use admit_trust::{CertificateVersion, ClientProperties, ClockKind, SdkGeneration};
use proptest::prelude::*;

use crate::fixture::*;

/// What a proptest draws of a world; times are seconds after the fixture's beginning.
#[derive(Debug, Clone)]
struct World {
    licenses: Vec<(Terms, Usage)>,
    level: u32,
    older: bool,
    clock: ClockKind,
    now: Option<u64>,
}

impl World {
    fn held(&self) -> Vec<HeldLicense> {
        self.licenses.iter().map(|(terms, usage)| held(terms, *usage)).collect()
    }

    /// For each action, the licenses that it is charged to, if it is granted.
    fn granted(&self) -> Vec<Option<Vec<LicenseId>>> {
        let now = self.now.map(time);
        let environment = self.environment(now.as_ref().unwrap_or(&Now::UNSET));
        let held = self.held();
        let charged = |action| {
            let found = evaluate(action, KEY_ID, &held, &environment).ok()?;
            Some(found.charges().iter().map(|charge| charge.license).collect())
        };
        Action::ALL.into_iter().map(charged).collect()
    }

    fn environment<'n>(&self, clock: &'n Now) -> Environment<'n> {
        let sdk_generation = if self.older { SdkGeneration::Older } else { SdkGeneration::Newer };
        Environment {
            application: Application {
                security_level: self.level,
                sdk_generation,
                certificate_version: CertificateVersion::V2,
            },
            client: ClientProperties { clock: self.clock, ..environment().client },
            clock,
            ..environment()
        }
    }

    /// The model: is there any chain of which every element allows the action?
    fn allows(&self, action: Action) -> bool {
        if self.older && !matches!(action, Action::Play | Action::TransferToNonSdmi) {
            return false;
        }
        let of_content = self.licenses.iter().filter(|(terms, _)| terms.key_id == KEY_ID);
        of_content.filter(|it| self.element_allows(it, action)).any(|(terms, _)| match terms.kind {
            Kind::Simple => true,
            Kind::Root => false,
            Kind::Leaf => self.licenses.iter().any(|root| {
                let uplink = Uplink { key_id: root.0.key_id, revision: root.0.revision.unwrap_or(u32::MAX) };
                root.0.kind == Kind::Root && terms.uplink == Some(uplink) && self.element_allows(root, action)
            }),
        })
    }

    fn element_allows(&self, (terms, usage): &(Terms, Usage), action: Action) -> bool {
        let bits = terms.rights.bits();
        let (bit, left) = match action {
            Action::Play => (1, terms.play_count.map(|n| n > usage.used[0])),
            Action::TransferToNonSdmi => (2, terms.transfer_count.map(|n| n > usage.used[1])),
            Action::TransferToSdmi => (16, terms.transfer_count.map(|n| n > usage.used[1])),
            Action::Burn => (8, terms.burn_count.map(|n| n > usage.used[2])),
            Action::PlaylistBurn => (1 << 24, terms.playlist_burn_track_count.map(|n| n > usage.used[3])),
            Action::SaveStream => (64, None),
            _ => (1 << 25, None),
        };
        let right = bits & bit != 0;
        let for_transfer_only = bits & 32 != 0 && bits & 16 != 0 && action != Action::TransferToSdmi;
        let spent = bits & 32 != 0 && usage.touched;
        let level = self.level >= terms.minimum_application_level.unwrap_or(100);
        let transfers = matches!(action, Action::TransferToNonSdmi | Action::TransferToSdmi);
        let stays = transfers && terms.play_count.is_some();
        right && !stays && !for_transfer_only && left != Some(false) && !spent && level && self.in_time(terms, usage)
    }

    fn in_time(&self, terms: &Terms, usage: &Usage) -> bool {
        let limited = terms.begin.is_some() || terms.expiry.is_some() || terms.expiry_after_first_use_secs.is_some();
        let Some(now) = self.now else { return !limited };
        let (earliest, latest) = (REALM.now.unix_secs() + now - 3, REALM.now.unix_secs() + now + 3);
        let begun = terms.begin.is_none_or(|begin| begin.unix_secs() <= earliest);
        let ended = terms.expiry.is_some_and(|expiry| expiry.unix_secs() < latest);
        let first = usage.first_used_at.map(|first| first.unix_secs());
        let countdown = first.zip(terms.expiry_after_first_use_secs).is_some_and(|(first, n)| first + n < latest);
        !limited || (self.clock != ClockKind::None && begun && !ended && !countdown)
    }
}

fn any_license() -> impl Strategy<Value = (Terms, Usage)> {
    let small = || prop::option::weighted(0.3, 0..3u32);
    let moments = prop::array::uniform4(prop::option::weighted(0.2, 10..100u64));
    let numbers = (small(), small(), small(), prop::option::weighted(0.2, 99..151u32));
    let usage = (prop::array::uniform4(0..3u32), any::<bool>());
    (0..3u8, any::<u32>(), 0..2u32, numbers, moments, usage).prop_map(
        |(kind, bits, revision, n, t, (used, touched))| {
            let rights = Rights::from_bits_masked(bits);
            let in_chain = rights.without(Rights::NOT_IN_CHAINS);
            let base = match kind {
                0 => simple(0, rights),
                1 => Terms { revision: Some(revision), ..root(0, in_chain) },
                _ => Terms { uplink: Some(Uplink { key_id: ROOT_KEY_ID, revision }), ..leaf(0, in_chain) },
            };
            let later = |seconds: Option<u64>| seconds.map(seconds_later);
            let terms = Terms {
                play_count: n.0,
                transfer_count: n.1,
                burn_count: n.2,
                minimum_application_level: n.3,
                begin: later(t[0]),
                expiry: later(t[1].map(|seconds| seconds + 100)),
                expiry_after_first_use_secs: t[2],
                ..base
            };
            (terms, Usage { used, touched, first_used_at: later(t[3]), stored_at: Some(seconds_later(0)) })
        },
    )
}

fn any_world() -> impl Strategy<Value = World> {
    let clock = prop::sample::select(vec![ClockKind::None, ClockKind::AntiRollback, ClockKind::Secure]);
    let licenses = prop::collection::vec(any_license(), 0..5);
    (licenses, 99..151u32, any::<bool>(), clock, prop::option::of(10..250u64)).prop_map(
        |(mut licenses, level, older, clock, now)| {
            for (number, (terms, _)) in licenses.iter_mut().enumerate() {
                terms.id = id(u8::try_from(number).unwrap());
            }
            World { licenses, level, older, clock, now }
        },
    )
}

/// What a license is ordered by, the slow way: of each rule, what comes first is less.
fn rules_of_order(held: &HeldLicense) -> Vec<u64> {
    let (terms, usage) = (held.license.terms(), &held.usage);
    let first = usage.first_used_at.map(|first| first.unix_secs());
    let countdown = first.zip(terms.expiry_after_first_use_secs).map(|(first, length)| first + length);
    let end = [terms.expiry.map(|expiry| expiry.unix_secs()), countdown].into_iter().flatten().min();
    let has_end = terms.expiry.is_some() || terms.expiry_after_first_use_secs.is_some();
    vec![
        u64::from(terms.rights.bits() & 32 != 0),
        u64::from(!has_end),
        u64::from(terms.play_count.is_none()),
        u64::from(terms.expiry_after_first_use_secs.is_some() && first.is_none()),
        end.unwrap_or(u64::MAX),
        u64::from(terms.play_count.is_none() || usage.used[0] == 0),
        u64::from(terms.id.as_bytes()[0]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn evaluate_is_total_and_says_what_the_model_says(world in any_world()) {
        for (action, granted) in Action::ALL.into_iter().zip(world.granted()) {
            prop_assert_eq!(granted.is_some(), world.allows(action), "{}", action);
        }
    }

    #[test]
    fn explain_finds_what_evaluate_decides(world in any_world()) {
        let now = world.now.map(time);
        let environment = world.environment(now.as_ref().unwrap_or(&Now::UNSET));
        let held = world.held();
        for action in Action::ALL {
            let explained = explain(action, KEY_ID, &held, &environment);
            match evaluate(action, KEY_ID, &held, &environment) {
                Ok(grant) => {
                    let first = explained.first().map(|judged| judged.license.license.terms().id);
                    prop_assert_eq!(first, Some(grant.license().license.terms().id));
                }
                Err(denied) if explained.licenses().is_empty() => prop_assert_eq!(denied.refusals().len(), 1),
                Err(denied) => {
                    let against = |judged: &Judged<'_>| judged.outcome.as_ref().err().cloned().unwrap_or_default();
                    let all: Vec<_> = explained.licenses().iter().flat_map(against).collect();
                    let told: Vec<_> = denied.refusals().iter().map(|refusal| refusal.reason).collect();
                    prop_assert_eq!(all, told);
                }
            }
        }
    }

    #[test]
    fn more_rights_never_turn_a_grant_into_a_denial(world in any_world(), bits in any::<u32>()) {
        // One-time use and the SDMI mark beside it take away, and are no additions.
        let more = Rights::from_bits_masked(bits).without(Rights::ONE_TIME | Rights::NOT_IN_CHAINS);
        let mut richer = world.clone();
        richer.licenses.iter_mut().for_each(|(terms, _)| terms.rights = terms.rights | more);
        for (poor, rich) in world.granted().into_iter().zip(richer.granted()) {
            prop_assert!(poor.is_none() || rich.is_some());
        }
    }

    #[test]
    fn one_more_license_never_turns_a_grant_into_a_denial(world in any_world(), more in any_license()) {
        let mut richer = world.clone();
        richer.licenses.push((Terms { id: id(200), ..more.0 }, more.1));
        for (poor, rich) in world.granted().into_iter().zip(richer.granted()) {
            prop_assert!(poor.is_none() || rich.is_some());
        }
    }

    #[test]
    fn b09_a_license_is_dead_exactly_when_nothing_can_be_done_with_it_any_more(
        (terms, usage) in any_license(), now in prop::option::of(10..250u64),
    ) {
        let at_least_once = |count: Option<u32>| count.map(|count| count.max(1));
        let counted = Terms {
            play_count: at_least_once(terms.play_count),
            transfer_count: at_least_once(terms.transfer_count),
            burn_count: at_least_once(terms.burn_count),
            ..simple(0, terms.rights)
        };
        let after_first_use = terms.expiry_after_first_use_secs;
        let limited = Terms { begin: terms.begin, expiry: terms.expiry, ..counted.clone() };
        let terms = Terms { expiry_after_first_use_secs: after_first_use, ..limited };
        // Everything but a backup is done with content.
        let may_do_something = |usage| {
            let licenses = vec![(counted.clone(), usage)];
            let world = World { licenses, level: 1000, older: false, clock: ClockKind::Secure, now: None };
            world.granted().iter().take(6).any(Option::is_some)
        };
        let used_up = may_do_something(stored()) && !may_do_something(usage);
        let first = usage.first_used_at.map(|first| first.unix_secs());
        let countdown = first.zip(terms.expiry_after_first_use_secs).map(|(first, length)| first + length);
        let ends = [terms.expiry.map(|expiry| expiry.unix_secs()), countdown];
        let earliest = now.map(|now| REALM.now.unix_secs() + now - 3);
        let ended = ends.into_iter().flatten().any(|end| earliest.is_some_and(|earliest| end < earliest));
        let expected = if used_up { Some(Dead::UsedUp) } else { ended.then_some(Dead::Ended) };
        let clock = now.map_or(Now::UNSET, time);
        let held = [held(&terms, usage)];
        prop_assert_eq!(held[0].dead(clock.certain()), expected);
        let environment = Environment { clock: &clock, ..environment() };
        for action in Action::ALL.into_iter().take(6).filter(|_| expected.is_some()) {
            prop_assert!(evaluate(action, KEY_ID, &held, &environment).is_err(), "{}", action);
        }
    }

    #[test]
    fn b09_the_order_of_use_is_what_the_rules_say_one_after_the_other(world in any_world()) {
        let held = world.held();
        let explained = explain(Action::Play, KEY_ID, &held, &environment());
        let order: Vec<_> = explained.licenses().iter().map(|judged| judged.license).collect();
        for pair in order.windows(2) {
            let [first, second] = [pair[0], pair[1]].map(rules_of_order);
            let differing = first.iter().zip(&second).find(|(first, second)| first != second);
            prop_assert!(differing.is_none_or(|(first, second)| first < second), "{:?} {:?}", first, second);
        }
    }

    #[test]
    fn the_order_of_the_store_decides_nothing(world in any_world(), by in 0..5usize) {
        let mut turned = world.clone();
        let length = turned.licenses.len();
        turned.licenses.rotate_left(by.min(length));
        prop_assert_eq!(turned.granted(), world.granted());
    }
}
