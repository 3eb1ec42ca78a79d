//! The CBOR of terms and payload (`docs/formats/license.cddl`): what is refused, where, and why.

use admit_license::{Action, Binding, BindingKind, Error, Kind, Restrictions, Rights, Rule, Terms, Uplink, inspect};
use admit_time::Timestamp;
use admit_trust::ComponentVersion;
use minicbor::Encoder;
use proptest::prelude::*;

use crate::fixture::*;

/// What the reader says of these bytes as terms.
fn read(terms: &[u8]) -> Result<Terms, Error> {
    inspect(&signed(&payload(terms))).map(|(terms, _)| terms)
}

fn bytes(terms: &Terms) -> Vec<u8> {
    minicbor::to_vec(terms).unwrap()
}

/// Valid terms in seven fields: 1, 2, 3, 6, 7, 8 and 29, and what a case adds behind them.
fn with_added(added: &[u8], fields: u8) -> Vec<u8> {
    let mut terms = bytes(&simple(1, Rights::PLAY));
    assert_eq!(terms[0], 0xa7, "seven fields");
    terms[0] += fields;
    terms.extend_from_slice(added);
    terms
}

fn field(number: u64, write: impl FnOnce(&mut Encoder<Vec<u8>>)) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.u64(number).unwrap();
    write(&mut encoder);
    encoder.into_writer()
}

#[test]
fn an_unknown_field_below_1024_makes_the_license_unusable() {
    let position = bytes(&simple(1, Rights::PLAY)).len();
    for number in [32, 33, 255, 256, 1000, 1023] {
        let terms = with_added(&field(number, |e| _ = e.u8(1).unwrap()), 1);
        assert_eq!(read(&terms).unwrap_err(), Error::UnknownField { position }, "{number}");
    }
    let zero = [&[0xa8, 0x00, 0x00], &bytes(&simple(1, Rights::PLAY))[1..]].concat();
    assert_eq!(read(&zero).unwrap_err(), Error::UnknownField { position: 1 });
}

#[test]
fn an_unknown_field_from_1024_on_is_skipped_whatever_it_holds() {
    let value = |e: &mut Encoder<Vec<u8>>| {
        e.map(1).unwrap().str("nested").unwrap().array(2).unwrap().null().unwrap().bytes(&[1, 2]).unwrap();
    };
    let added = [field(1024, |e| _ = e.u8(1).unwrap()), field(i64::MAX.unsigned_abs(), value)].concat();
    assert_eq!(read(&with_added(&added, 2)).unwrap(), simple(1, Rights::PLAY));
}

#[test]
fn fields_stand_in_order_and_once() {
    let plain = bytes(&simple(1, Rights::PLAY));
    let position = plain.len();
    // 29 is the last of the plain ones.
    for number in [1, 9, 28, 29] {
        let terms = with_added(&field(number, |e| _ = e.u8(1).unwrap()), 1);
        assert_eq!(read(&terms).unwrap_err(), Error::Terms { position }, "{number}");
    }
    let twice = [field(2000, |e| _ = e.u8(1).unwrap()), field(2000, |e| _ = e.u8(1).unwrap())].concat();
    assert_eq!(read(&with_added(&twice, 2)).unwrap_err(), Error::Terms { position: position + 4 });
}

#[test]
fn terms_have_one_encoding() {
    let plain = bytes(&simple(1, Rights::PLAY));
    let indefinite = [&[0xbf], &plain[1..], &[0xff]].concat();
    let long_header = [&[0xb8, 0x07], &plain[1..]].concat();
    for terms in [indefinite, long_header] {
        assert_eq!(read(&terms).unwrap_err(), Error::Terms { position: 0 });
    }
    // The first field's number in two bytes, and a known optional field that is null.
    let long_number = [&plain[..1], &[0x18, 0x01], &plain[2..]].concat();
    assert_eq!(read(&long_number).unwrap_err(), Error::Terms { position: 1 });
    let null = with_added(&field(30, |e| _ = e.null().unwrap()), 1);
    assert_eq!(read(&null).unwrap_err(), Error::Terms { position: plain.len() });
    let long_value = with_added(&[0x18, 30, 0x18, 1], 1);
    assert_eq!(read(&long_value).unwrap_err(), Error::Terms { position: plain.len() + 2 });
}

#[test]
fn restrictions_hold_nothing_that_is_not_known() {
    let restricted = Terms {
        restrictions: Some(Restrictions { analog_video: Some(100), ..Restrictions::default() }),
        ..simple(1, Rights::PLAY)
    };
    assert_eq!(read(&bytes(&restricted)).unwrap(), restricted);
    let found = bytes(&restricted);
    let at = found.windows(5).position(|window| window == [22, 0xa1, 3, 0x18, 100]).unwrap();
    let with = |value: &[u8]| [&found[..=at], value, &found[at + 5..]].concat();
    assert_eq!(with(&[0xa1, 3, 0x18, 100]), found);
    for value in [
        &[0xa2, 3, 0x18, 100, 7, 1][..],
        &[0xa2, 3, 0x18, 100, 3, 1],
        &[0xa2, 4, 1, 3, 0x18, 100],
        &[0xbf, 3, 0x18, 100, 0xff],
        &[0xa1, 3, 0xf6],
    ] {
        let Err(Error::Terms { position }) = read(&with(value)) else { panic!("{value:02x?} was accepted") };
        assert!(position >= at && position < at + 7, "{position}");
    }
}

#[test]
fn every_required_field_is_required() {
    for number in [1, 2, 3, 6, 7, 8, 29] {
        let plain = bytes(&simple(1, Rights::PLAY));
        let mut decoder = minicbor::Decoder::new(&plain);
        let mut without = vec![0xa6];
        for _ in 0..decoder.map().unwrap().unwrap() {
            let start = decoder.position();
            let found = decoder.u8().unwrap();
            decoder.skip().unwrap();
            if found != number {
                without.extend_from_slice(&plain[start..decoder.position()]);
            }
        }
        assert!(matches!(read(&without).unwrap_err(), Error::Terms { .. }), "{number}");
    }
}

#[test]
fn b04_an_undefined_right_is_refused_where_it_stands() {
    let good = bytes(&simple(1, Rights::PLAY));
    let at = good.windows(2).rposition(|window| window == [8, 1]).unwrap();
    for rights in [&[0x18, 0x80][..], &[0x1a, 0x80, 0, 0, 1], &[0x1b, 0, 0, 0, 1, 0, 0, 0, 1]] {
        let terms = [&good[..=at], rights, &good[at + 2..]].concat();
        assert_eq!(read(&terms).unwrap_err(), Error::Terms { position: at + 1 });
    }
}

#[test]
fn a_time_after_9999_is_refused_where_it_stands() {
    let good = Terms { expiry: Some(Timestamp::MAX), ..simple(1, Rights::PLAY) };
    assert_eq!(read(&bytes(&good)).unwrap(), good);
    let late = (Timestamp::MAX.unix_secs() + 1).to_be_bytes();
    let found = bytes(&good);
    let last = Timestamp::MAX.unix_secs().to_be_bytes();
    let at = found.windows(9).position(|window| window == [&[0x1b], &last[..]].concat()).unwrap();
    let later = [&found[..=at], &late, &found[at + 9..]].concat();
    assert_eq!(read(&later).unwrap_err(), Error::Terms { position: at });
}

#[test]
fn nothing_stands_behind_terms_and_payload() {
    let plain = bytes(&simple(1, Rights::PLAY));
    let trailing = [&plain[..], &[0]].concat();
    assert_eq!(read(&trailing).unwrap_err(), Error::Terms { position: plain.len() });
    let good = payload(&plain);
    let trailing = [&good[..], &[0]].concat();
    assert_eq!(inspect(&signed(&trailing)).unwrap_err(), Error::Payload { position: good.len() });
    for (frame, position) in [(&[0x83][..], 0), (&[0x81], 0), (&[0x9f], 0), (&[0xa0], 0), (&[], 0)] {
        let found = inspect(&signed(&[frame, &good[1..]].concat())).unwrap_err();
        assert!(matches!(found, Error::Payload { position: at } if at == position), "{found:?}");
    }
    let short_point = [&[0x82, 0x40, 0x82, 0x41, 0x04, 0x40][..]].concat();
    assert_eq!(inspect(&signed(&short_point)).unwrap_err(), Error::Payload { position: 3 });
}

#[test]
fn length_fields_that_promise_more_than_there_is_are_refused_at_once() {
    for head in [0xbb, 0x9b, 0x5b, 0x7b, 0xdb] {
        let terms = [&[head][..], &u64::MAX.to_be_bytes()].concat();
        assert!(matches!(read(&terms).unwrap_err(), Error::Terms { .. } | Error::UnknownField { .. }));
        let inner = with_added(&[&[0x19, 4, 0, head][..], &(u64::MAX >> 1).to_be_bytes()].concat(), 1);
        assert!(matches!(read(&inner).unwrap_err(), Error::Terms { .. }));
    }
}

#[test]
fn deep_nesting_is_walked_without_a_stack() {
    let nested = [&[0x19, 4, 0][..], &vec![0x81; 100_000], &[0x00]].concat();
    assert_eq!(read(&with_added(&nested, 1)).unwrap(), simple(1, Rights::PLAY));
    let cut = [&[0x19, 4, 0][..], &vec![0x81; 100_000]].concat();
    assert!(matches!(read(&with_added(&cut, 1)).unwrap_err(), Error::Terms { .. }));
}

/// Every rule, with terms that break it and no other.
fn broken_rules() -> Vec<(Rule, Terms)> {
    let client = Binding { kind: BindingKind::Client, ..simple(1, Rights::PLAY).binding };
    let uplink = leaf(1, Rights::PLAY).uplink;
    let late = (Some(seconds_later(2)), Some(seconds_later(1)));
    vec![
        (Rule::UplinkOnlyInLeaves, Terms { uplink: None, ..leaf(1, Rights::PLAY) }),
        (Rule::UplinkOnlyInLeaves, Terms { uplink, ..simple(1, Rights::PLAY) }),
        (Rule::UplinkOnlyInLeaves, Terms { uplink, ..root(1, Rights::PLAY) }),
        (Rule::RevisionOnlyInRoots, Terms { revision: None, ..root(1, Rights::PLAY) }),
        (Rule::RevisionOnlyInRoots, Terms { revision: Some(1), ..simple(1, Rights::PLAY) }),
        (Rule::RevisionOnlyInRoots, Terms { revision: Some(1), ..leaf(1, Rights::PLAY) }),
        (Rule::LeavesAreBoundToRoots, Terms { binding: client, ..leaf(1, Rights::PLAY) }),
        (Rule::LeavesAreBoundToRoots, Terms { binding: leaf(1, Rights::PLAY).binding, ..simple(1, Rights::PLAY) }),
        (Rule::LeavesAreBoundToRoots, Terms { binding: leaf(1, Rights::PLAY).binding, ..root(1, Rights::PLAY) }),
        (Rule::NoTransferInChains, leaf(1, Rights::PLAY | Rights::TRANSFER_TO_NON_SDMI)),
        (Rule::NoTransferInChains, root(1, Rights::PLAY | Rights::SDMI_VALIDATED)),
        (Rule::PlaylistCountsOnlyInLeaves, Terms { playlist_burn_track_count: Some(1), ..root(1, Rights::PLAY) }),
        (Rule::PlaylistCountsOnlyInLeaves, Terms { max_playlist_burn_count: Some(1), ..root(1, Rights::PLAY) }),
        (Rule::BeginBeforeExpiry, Terms { begin: late.0, expiry: late.1, ..simple(1, Rights::PLAY) }),
        (
            Rule::MinimumVersionIsIndividualized,
            Terms { minimum_individualized_version: Some(ComponentVersion::DEFAULT), ..simple(1, Rights::PLAY) },
        ),
    ]
}

#[test]
fn every_rule_is_kept_by_reader_and_writer() {
    for (rule, terms) in broken_rules() {
        assert_eq!(terms.check().unwrap_err(), Error::Rule(rule));
        assert_eq!(read(&bytes(&terms)).unwrap_err(), Error::Rule(rule), "{rule}");
    }
}

#[test]
fn d06_playlist_counts_stand_in_leaves() {
    let counted = Terms {
        playlist_burn_track_count: Some(2),
        max_playlist_burn_count: Some(7),
        ..leaf(1, Rights::PLAYLIST_BURN)
    };
    assert_eq!(read(&bytes(&counted)).unwrap(), counted);
}

#[test]
fn d07_the_error_names_its_row() {
    let refused = issued_or_error(root(1, Rights::PLAY | Rights::TRANSFER_TO_NON_SDMI));
    assert_eq!(refused, Error::Rule(Rule::NoTransferInChains));
    assert!(refused.to_string().contains("row D07"));
}

fn issued_or_error(terms: Terms) -> Error {
    let scalar = root_scalar();
    let key = admit_license::KeyMaterial::Root(&scalar);
    let recipient = CLIENT.encryption.public_key();
    let entropy = &mut admit_testkit::SeededEntropy::new(1);
    admit_license::issue(provider(), signer(), terms, &key, recipient, entropy).unwrap_err()
}

#[test]
fn actions_have_the_names_that_they_print() {
    for action in Action::ALL {
        assert_eq!(action.to_string().parse(), Ok(action));
    }
    assert!("playing".parse::<Action>().is_err());
}

fn any_terms() -> impl Strategy<Value = Terms> {
    let numbers = prop::collection::vec(prop::option::of(0u32..1000), 12);
    (numbers, any::<u32>(), 0..3u8, any::<[bool; 4]>()).prop_map(|(n, rights, kind, flags)| {
        let rights = Rights::from_bits_masked(rights).without(Rights::NOT_IN_CHAINS);
        let base = match kind {
            0 => simple(1, rights),
            1 => root(1, rights),
            _ => leaf(1, rights),
        };
        let in_leaf = |value: Option<u32>| value.filter(|_| kind != 1);
        Terms {
            begin: n[0].map(|s| seconds_later(s.into())),
            expiry: n[1].map(|s| seconds_later(u64::from(s) + 1000)),
            expiry_after_first_use_secs: n[2].map(u64::from),
            expiry_after_storing_secs: n[3].map(u64::from),
            play_count: n[4],
            transfer_count: n[5],
            burn_count: n[6],
            playlist_burn_track_count: in_leaf(n[7]),
            max_playlist_burn_count: in_leaf(n[8]),
            minimum_application_level: n[9],
            minimum_client_level: n[10],
            revocation_version: n[11].map(u64::from),
            persistent: flags[0].then_some(flags[1]),
            priority: flags[2].then_some(-5),
            source_id: flags[3].then_some(7),
            minimum_individualized_version: flags[1].then_some(ComponentVersion::new([2, 4, 0, 1])),
            ..base
        }
    })
}

proptest! {
    #[test]
    fn terms_round_trip(terms in any_terms()) {
        prop_assert_eq!(read(&bytes(&terms)).unwrap(), terms);
    }

    #[test]
    fn altered_terms_never_panic_and_read_as_what_they_encode(
        terms in any_terms(), at in any::<prop::sample::Index>(), with in any::<u8>()
    ) {
        let mut altered = bytes(&terms);
        let at = at.index(altered.len());
        altered[at] = with;
        if let Ok(found) = read(&altered) {
            prop_assert_eq!(bytes(&found), altered);
        }
    }

    #[test]
    fn random_terms_never_panic(random in prop::collection::vec(any::<u8>(), 0..200)) {
        let refused = matches!(read(&random), Err(Error::Terms { .. } | Error::UnknownField { .. }));
        prop_assert!(refused);
    }
}

#[test]
fn the_uplink_of_a_leaf_is_part_of_what_is_signed() {
    let terms = Terms { uplink: Some(Uplink { key_id: ROOT_KEY_ID, revision: 9 }), ..leaf(1, Rights::PLAY) };
    let found = read(&bytes(&terms)).unwrap();
    assert_eq!((found.kind, found.uplink), (Kind::Leaf, terms.uplink));
}
