//! Rows E01 to E11 on the client: the time in a license response, and from a clock service.

use admit_client::acquire::{TimeAnswer, Wanted};
use admit_client::enrol::{Enrolment, Hardware};
use admit_client::play::Candidates;
use admit_client::set_time::SetTime;
use admit_client::{Error, Host, PlaybackError};
use admit_license::{Action, Environment, Reason, RollbackAction, Terms, Usage};
use admit_protocol::Code;
use admit_protocol::acquire::{ClockState, LicenseResponse, OpenedChallenge};
use admit_protocol::enrol::SignedRequest;
use admit_protocol::evidence::{HardwareEvidence, VouchedHardware};
use admit_testkit::{FixtureHardware, SeededEntropy};
use admit_time::Timestamp;
use admit_time::clock::{Accepted, Clock, Now, Reading, Source, TimeKey, Unconfirmed};
use admit_trust::{ClockKind, DateCheck, Features};

use crate::fixture::*;

fn time_key(number: usize) -> TimeKey {
    *REALM.time[number].certificate.time_key().unwrap()
}

/// A client of a realm whose license server gives the time.
fn device() -> Device {
    Device { time_key: Some(time_key(0)), ..Device::new(1) }
}

fn film() -> Terms {
    Terms { expiry: Some(later(1000)), ..simple(1) }
}

fn later(secs: u64) -> Timestamp {
    Timestamp::from_unix_secs(REALM.now.unix_secs() + secs)
}

fn opened(request: &[u8]) -> OpenedChallenge {
    OpenedChallenge::open(provider(), &REALM.root, &REALM.license.encryption, dates(), request).unwrap()
}

/// What a license service answers that signs the time: a Roughtime answer to the packet made of the challenge's hash.
fn answer_with_time(device: &Device, request: &[u8], terms: &[Terms], midpoint: Timestamp) -> Vec<u8> {
    let opened = opened(request);
    let service = &REALM.time[0].responder;
    let nonce = *opened.hash().as_bytes();
    let packet = admit_time::roughtime::request_packet(provider(), &nonce, &service.public_key());
    let time = service.respond(&packet, midpoint.unix_secs());
    let licenses = terms.iter().map(|terms| device.license(terms.clone())).collect();
    let response = LicenseResponse::new(opened.hash(), opened.client().fingerprint(provider()), licenses);
    let response = LicenseResponse { time: Some(time.into()), ..response };
    response.sign(&REALM.license.signing, std::slice::from_ref(&REALM.license.certificate))
}

fn now(device: &mut Device, reading: &Reading) -> Now {
    device.clock.observe(reading, &mut Vec::new())
}

fn why(device: &mut Device, reading: &Reading) -> Option<Reason> {
    let now = now(device, reading);
    let environment = Environment { clock: &now, ..environment(&device.identity) };
    let candidates = Candidates::find(&device.store, &[KEY_ID]).unwrap();
    candidates.evaluate(Action::Play, &environment).err().map(|denied| denied.first().nearest())
}

#[test]
fn e07_a_challenge_says_whether_time_and_whether_a_license_is_wanted() {
    let mut with_clock = device();
    let challenge = opened(with_clock.begin().request()).challenge().clone();
    assert_eq!((challenge.time_requested, challenge.license_requested), (true, true));
    assert_eq!((challenge.clock, challenge.clock_state), (ClockKind::AntiRollback, ClockState::Unset));
    let challenge = opened(with_clock.begin_for(&Wanted::time()).request()).challenge().clone();
    assert_eq!((challenge.time_requested, challenge.license_requested), (true, false));
    let mut without_service = Device::new(1);
    assert!(!opened(without_service.begin().request()).challenge().time_requested);
    let mut without_clock = Device { time_key: Some(time_key(0)), ..Device::with_clock(1, ClockKind::None) };
    assert!(!opened(without_clock.begin().request()).challenge().time_requested);
    with_clock.set_clock();
    assert_eq!(opened(with_clock.begin().request()).challenge().clock_state, ClockState::Trusted);
}

#[test]
fn e06_the_time_in_a_response_sets_the_clock_and_is_kept_with_the_licenses() {
    let mut device = device();
    let acquisition = device.begin();
    let response = answer_with_time(&device, acquisition.request(), &[film()], later(0));
    device.finish(acquisition, &response).unwrap();
    let kept = clock_of(&open(&device.storage)).unwrap();
    let signed = kept.record().signed.unwrap();
    assert_eq!((signed.source, signed.uncertainty_millis), (Source::LicenseServer, 3_500));
    assert_eq!(device.usage().stored_at, Some(later(4)), "the latest that it can be");
    assert_eq!(why(&mut device, &reading(1, 1)), None);
}

#[test]
fn e08_an_answer_of_time_alone_sets_the_clock() {
    let mut device = device();
    let acquisition = device.begin_for(&Wanted::time());
    let response = answer_with_time(&device, acquisition.request(), &[], later(0));
    let received = device.receive(acquisition, &response).unwrap();
    assert!(matches!(received.time, TimeAnswer::Set));
    assert_eq!(now(&mut device, &reading(1, 1)).state(), ClockState::Trusted);
}

#[test]
fn e06_a_time_that_the_realm_does_not_vouch_for_is_not_taken() {
    let mut device = Device::new(1);
    let acquisition = device.begin();
    let response = answer_with_time(&device, acquisition.request(), &[simple(1)], later(0));
    let received = device.receive(acquisition, &response).unwrap();
    assert!(matches!(received.time, TimeAnswer::None));
    assert_eq!(now(&mut device, &reading(1, 1)).state(), ClockState::Unset);
    let mut device = Device { time_key: Some(time_key(1)), ..Device::new(1) };
    let acquisition = device.begin();
    let response = answer_with_time(&device, acquisition.request(), &[simple(1)], later(0));
    let received = device.receive(acquisition, &response).unwrap();
    assert!(matches!(received.time, TimeAnswer::Refused(_)), "another key signed it");
}

#[test]
fn e06_the_time_of_another_challenge_is_refused() {
    let mut device = device();
    let (first, second) = (device.begin(), device.begin());
    let response = answer_with_time(&device, second.request(), &[], later(0));
    let other = device.receive(first, &response).unwrap_err();
    assert_eq!(other, Error::Protocol(admit_protocol::Error::OtherChallenge));
    assert_eq!(now(&mut device, &reading(1, 1)).state(), ClockState::Unset);
}

#[test]
fn certificates_are_judged_by_the_signed_time_in_the_same_response() {
    let mut device = device();
    let acquisition = device.begin();
    let too_late = later(3 * 366 * 86_400);
    let response = answer_with_time(&device, acquisition.request(), &[simple(1)], too_late);
    let expired = device.receive(acquisition, &response).unwrap_err();
    assert!(matches!(expired, Error::Protocol(admit_protocol::Error::Trust { .. })), "{expired:?}");
    let unset = device.begin();
    let mut unset_device = Device::new(2);
    drop(unset);
    unset_device.acquire(&[simple(1)]).unwrap();
    assert_eq!(admit_client::clock::dates(&Now::UNSET), DateCheck::NotExpiredBefore(Timestamp::default()));
}

#[test]
fn e11_without_a_time_from_anywhere_no_license_with_limits_in_time_is_stored_and_the_error_says_so() {
    let mut device = Device::new(1);
    let refused = device.acquire(&[film(), simple(2)]).unwrap_err();
    assert_eq!(refused, Error::NoTime);
    assert_eq!(Code::from(&refused), Code::DRM_E_CLK_NOT_SET);
    assert!(device.licenses().is_empty());
}

#[test]
fn e11_a_clock_service_may_give_the_time_before_the_license_is_stored() {
    let mut device = Device::new(1);
    let acquisition = device.begin();
    let response = answer(acquisition.request(), vec![device.license(film())]);
    let received = device.receive(acquisition, &response).unwrap();
    let unset = now(&mut device, &reading(1, 1));
    assert!(received.needs_time(&unset));
    let exchange = SetTime::begin(provider(), time_key(0), &reading(1, 1), &mut device.entropy);
    let answer = REALM.time[0].responder.respond(exchange.request(), later(1).unix_secs());
    let set = exchange.finish(&mut device.clock, &answer, &reading(1, 2), &mut Vec::new());
    let Ok(Accepted::Set(set)) = set else { panic!("{set:?}") };
    assert!(!received.needs_time(&set));
    received.store(&device.identity, &mut device.store, &mut device.clock, &set, &mut device.entropy).unwrap();
    assert_eq!(device.licenses().len(), 1);
    assert_eq!(clock_of(&device.store).unwrap().record().signed.unwrap().source, Source::ClockService);
}

fn long_jump(device: &mut Device) -> Unconfirmed {
    let acquisition = device.begin_for(&Wanted::time());
    let response = answer_with_time(device, acquisition.request(), &[], later(40 * 86_400));
    match device.receive(acquisition, &response).unwrap().time {
        TimeAnswer::NeedsSecondKey(first) => first,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_long_jump_of_the_license_server_is_confirmed_by_a_clock_service_under_another_key() {
    let mut device = device();
    device.set_clock();
    for (service, expected) in [(0, Err(Error::Time(admit_time::Error::SameTimeKey))), (1, Ok(ClockState::Trusted))] {
        let first = long_jump(&mut device);
        let exchange = SetTime::begin(provider(), time_key(service), &reading(1, 1), &mut device.entropy);
        let midpoint = later(40 * 86_400).unix_secs();
        let answer = REALM.time[service].responder.respond(exchange.request(), midpoint);
        let confirmed = exchange.confirm(&first, &mut device.clock, &answer, &reading(1, 2));
        assert_eq!(confirmed.map(|now| now.state()), expected);
    }
}

/// A client whose store was kept by a program that knew no clock: it has one license, with an end, that does not say when it
/// was stored.
fn from_before() -> Device {
    let storage = Shared::default();
    for line in FROM_BEFORE.lines() {
        let (key, value) = line.split_once(' ').unwrap();
        storage.put(&hex::decode(key).unwrap(), &hex::decode(value).unwrap());
    }
    Device::of(storage, time_key(0))
}

#[test]
fn e09_a_license_from_before_the_client_had_a_time_is_acquired_again_and_replaced() {
    let mut device = from_before();
    assert_eq!(device.usage(), Usage::default());
    assert_eq!(why(&mut device, &reading(1, 0)), Some(Reason::StoredBeforeClock));
    let acquisition = device.begin();
    assert!(opened(acquisition.request()).challenge().held.is_empty(), "it is not told as held");
    let response = answer_with_time(&device, acquisition.request(), &[film()], later(0));
    device.finish(acquisition, &response).unwrap();
    let ids: Vec<_> = device.licenses().iter().map(|license| license.terms.id).collect();
    assert_eq!(ids, [id(1)]);
    assert_eq!(why(&mut device, &reading(1, 1)), None);
}

#[test]
fn e09_what_is_recovered_replaces_what_it_was_in_any_order() {
    let old = from_before().licenses()[0].terms.clone();
    let (same, other) = (Terms { id: old.id, ..film() }, Terms { id: id(77), ..film() });
    for answered in [vec![same.clone()], vec![same.clone(), other.clone()], vec![other, same]] {
        let mut device = from_before();
        let acquisition = device.begin();
        let response = answer_with_time(&device, acquisition.request(), &answered, later(0));
        device.finish(acquisition, &response).unwrap();
        let licenses = device.licenses();
        assert_eq!(licenses.len(), answered.len(), "{answered:?}");
        assert!(licenses.iter().all(|license| license.usage.stored_at.is_some()), "{answered:?}");
    }
}

#[test]
fn e02_delete_on_rollback_acts_below_the_hard_floor_only() {
    let delete = |number| Terms { id: id(number), rollback_action: Some(RollbackAction::Delete), ..film() };
    let disable = Terms { id: id(3), rollback_action: Some(RollbackAction::Disable), ..film() };
    let unlimited = Terms { rollback_action: Some(RollbackAction::Delete), ..simple(4) };
    let back = |secs: i64| {
        let wall = Timestamp::from_unix_secs(REALM.now.unix_secs().saturating_add_signed(secs));
        Reading { wall: Some(wall), ..reading(2, 5) }
    };
    for (wall, left) in
        [(-200, vec![id(3), id(4)]), (300, vec![id(2), id(3), id(4)]), (-99_999, vec![id(2), id(3), id(4)])]
    {
        let mut device = device();
        let acquisition = device.begin();
        let terms = [delete(2), disable.clone(), unlimited.clone()];
        let response = answer_with_time(&device, acquisition.request(), &terms, later(0));
        device.finish(acquisition, &response).unwrap();
        now(&mut device, &reading(2, 4));
        now(&mut device, &Reading { wall: Some(later(600)), ..reading(2, 4) });
        let now = now(&mut device, &back(wall));
        assert_eq!(now.state(), ClockState::RolledBack, "{wall}");
        device.store.delete_rolled_back(&now, &mut device.entropy).unwrap();
        let ids: Vec<_> = device.licenses().iter().map(|license| license.terms.id).collect();
        assert_eq!(ids, left, "{wall}");
    }
}

/// A simulated device with a hardware clock that is protected from change: only where the certificate says so does it count.
#[test]
fn e03_a_hardware_clock_counts_only_where_the_certificate_grants_it() {
    let rebooted = |wall: u64, secure: u64| {
        let wall = Some(later(wall));
        Reading { wall, secure_millis: Some(secure), ..reading(2, 5) }
    };
    for (kind, expected) in [(ClockKind::Secure, ClockState::Trusted), (ClockKind::AntiRollback, ClockState::Estimated)]
    {
        let mut device = Device::with_clock(1, kind);
        let before = Reading { secure_millis: Some(1_000), ..reading(1, 0) };
        let before = admit_client::clock::clock_reading(&device.identity, &before);
        set(&mut device.clock, &before, 7);
        // A day later, started again, and the wall clock was set three days forward.
        let after = rebooted(4 * 86_400, 86_401_000);
        let after = admit_client::clock::clock_reading(&device.identity, &after);
        let now = now(&mut device, &after);
        assert_eq!(now.state(), expected);
        let latest = now.time().unwrap().latest();
        let day = later(86_400).unix_secs();
        assert_eq!(latest.unix_secs() < day + 60, kind == ClockKind::Secure, "{kind:?}: {latest}");
    }
}

/// A simulated device: its hardware has a key that the realm vouched for.
struct Simulated(FixtureHardware);

impl Hardware for Simulated {
    fn sign(&mut self, evidence: &HardwareEvidence) -> Vec<u8> {
        evidence.sign(&self.0.signing, &self.0.certificate)
    }
}

#[test]
fn e03_a_device_enrols_with_what_its_hardware_says() {
    let mut device = Simulated(REALM.hardware(5, ClockKind::Secure));
    let entropy = &mut SeededEntropy::new(9);
    let enrolment = Enrolment::begin_on(&mut device, provider(), &REALM.root, Features::default(), entropy);
    let signed = SignedRequest::verify(provider(), REALM.realm(), enrolment.request()).unwrap();
    assert_eq!(signed.request().clock, ClockKind::Secure);
    let vouched = VouchedHardware::verify(provider(), &REALM.root, dates(), signed.request()).unwrap().unwrap();
    assert_eq!(vouched.clock(), ClockKind::Secure);
    let enrolment = Enrolment::begin(provider(), &REALM.root, ClockKind::Secure, Features::default(), entropy);
    let signed = SignedRequest::verify(provider(), REALM.realm(), enrolment.request()).unwrap();
    assert!(VouchedHardware::verify(provider(), &REALM.root, dates(), signed.request()).unwrap().is_none());
}

/// What playing says when every look at the clock finds it so many seconds on, and how many bytes it gave.
fn play_in_steps(device: &mut Device, step_secs: u64) -> (Result<(), PlaybackError>, usize) {
    let mut clear = Vec::new();
    let played = in_steps(device, step_secs, |permit, store, entropy, input, host| {
        permit.decrypt(store, entropy, input, &mut admit_media::WriteSink::new(&mut clear), host)
    });
    (played, clear.len())
}

/// The same for a decoder in this process, with the number of samples that it was given.
fn decode_in_steps(device: &mut Device, step_secs: u64) -> (Result<(), PlaybackError>, usize) {
    let mut samples = 0;
    let played = in_steps(device, step_secs, |permit, store, entropy, input, host| {
        let put = &mut |_: &admit_media::Sample, _: &[u8]| {
            samples += 1;
            Ok(())
        };
        permit.decrypt_track(store, entropy, (input, 1), put, host)
    });
    (played, samples)
}

/// The same for a player in this process that seeks and reads the file to its end, or that has read a bit of it and goes on
/// with that.
fn seek_in_steps(device: &mut Device, step_secs: u64, reads_on: bool) -> (Result<(), PlaybackError>, u64) {
    let mut player = Player { offset: 0, given: 0, reads_on, left: 100 };
    let played = in_steps(device, step_secs, |permit, store, entropy, input, host| {
        permit.decrypt_ranges(store, entropy, input, &mut player, host)
    });
    (played, player.given)
}

struct Player {
    offset: u64,
    given: u64,
    reads_on: bool,
    /// How often it asks.
    left: u32,
}

impl admit_media::Reader for Player {
    fn next(&mut self) -> std::io::Result<Option<admit_media::Wanted>> {
        self.left -= 1;
        let length = if self.reads_on || self.offset == 0 { 10_000 } else { 0 };
        Ok((self.left > 0).then_some(admit_media::Wanted { offset: self.offset, length }))
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.given += bytes.len() as u64;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

fn in_steps(
    device: &mut Device,
    step_secs: u64,
    play: impl FnOnce(
        admit_client::Permit,
        &mut admit_client::Store<'static, Shared>,
        &mut dyn admit_crypto::Entropy,
        std::io::Cursor<Vec<u8>>,
        Host<'_>,
    ) -> Result<admit_media::Decrypted, PlaybackError>,
) -> Result<(), PlaybackError> {
    let now = now(device, &reading(1, 1));
    let permit = permit(&mut device.store, &device.identity, &[KEY_ID], &now, &mut device.entropy).unwrap();
    let mut secs = 1;
    let Device { store, entropy, clock, .. } = device;
    let mut read = || {
        secs += step_secs;
        reading(1, secs)
    };
    let host = Host { released: &mut || (), clock, read: &mut read, events: &mut Vec::new(), progress: &mut |_, _| () };
    let protected = std::fs::read(PROTECTED_CLIP).unwrap();
    play(permit, store, entropy, std::io::Cursor::new(protected), host).map(drop)
}

fn with_film() -> Device {
    let mut device = device();
    let acquisition = device.begin();
    let response = answer_with_time(&device, acquisition.request(), &[film()], later(0));
    device.finish(acquisition, &response).unwrap();
    device
}

#[test]
fn e04_playing_ends_when_the_license_ends() {
    let (played, whole) = play_in_steps(&mut with_film(), 0);
    assert_eq!(played, Ok(()));
    let (played, left) = play_in_steps(&mut with_film(), 600);
    assert_eq!(played, Err(PlaybackError::Ended(Reason::Expired { expiry: later(1000) })));
    assert!(0 < left && left < whole, "{left} of {whole}");
}

#[test]
fn e04_a_decoder_in_this_process_gets_no_more_samples_when_the_license_ends() {
    let (played, whole) = decode_in_steps(&mut with_film(), 0);
    assert_eq!(played, Ok(()));
    let (played, given) = decode_in_steps(&mut with_film(), 300);
    assert_eq!(played, Err(PlaybackError::Ended(Reason::Expired { expiry: later(1000) })));
    assert!(0 < given && given < whole, "{given} of {whole}");
}

#[test]
fn e04_a_player_that_seeks_gets_no_more_when_the_license_ends_and_is_told_when_it_asks_for_nothing() {
    let (played, whole) = seek_in_steps(&mut with_film(), 0, true);
    assert_eq!((played, whole), (Ok(()), std::fs::metadata(PROTECTED_CLIP).unwrap().len()));
    let ended = Err(PlaybackError::Ended(Reason::Expired { expiry: later(1000) }));
    let (played, given) = seek_in_steps(&mut with_film(), 300, true);
    assert!(played == ended && 0 < given && given < whole, "{given} of {whole}");
    let (played, given) = seek_in_steps(&mut with_film(), 300, false);
    assert!(played == ended && 0 < given && given < whole, "{given} of {whole}");
    assert_eq!(seek_in_steps(&mut with_film(), 0, false), (Ok(()), given));
}

#[test]
fn e04_the_clock_is_kept_while_it_plays() {
    let mut device = with_film();
    let before = clock_of(&device.store).unwrap().record().sequence;
    play_in_steps(&mut device, 400).0.ok();
    let kept = clock_of(&open(&device.storage)).unwrap();
    assert!(kept.record().sequence > before);
    assert!(kept.record().run_millis >= 400_000, "{}", kept.record().run_millis);
}

#[test]
fn e04_a_clock_that_another_process_set_meanwhile_goes_on() {
    let mut device = with_film();
    let mut other = open(&device.storage);
    let mut theirs: Clock = clock_of(&other).unwrap();
    set(&mut theirs, &reading(1, 2), 33);
    other.keep_clock(&mut theirs, &mut device.entropy).unwrap();
    device.store.refresh().unwrap();
    play_in_steps(&mut device, 400).0.ok();
    assert_eq!(device.clock.record().signed, theirs.record().signed);
}

/// A client whose clock was set a moment ago and is kept, with a license that has no limits in time.
fn with_song() -> Device {
    let mut device = device();
    let acquisition = device.begin();
    let response = answer_with_time(&device, acquisition.request(), &[simple(1)], later(0));
    device.finish(acquisition, &response).unwrap();
    device
}

/// What a restart finds of the time that was measured, in seconds.
fn kept_secs(device: &Device) -> u64 {
    clock_of(&open(&device.storage)).unwrap().record().run_millis / 1000
}

#[test]
fn e04_playing_what_has_no_limits_in_time_is_followed_and_kept_when_it_is_due_and_when_it_ends() {
    let ways: [fn(&mut Device, u64) -> bool; 3] = [
        |device, step| play_in_steps(device, step).0.is_ok(),
        |device, step| decode_in_steps(device, step).0.is_ok(),
        |device, step| seek_in_steps(device, step, true).0.is_ok(),
    ];
    for plays in ways {
        let (mut short, mut long) = (with_song(), with_song());
        assert!(plays(&mut short, 10));
        assert!(kept_secs(&short) >= 20, "{}", kept_secs(&short));
        assert_eq!(kept_secs(&short), short.clock.record().run_millis / 1000, "to the end");
        let before = long.clock.record().sequence;
        assert!(plays(&mut long, 400));
        assert!(long.clock.record().sequence > before + 1, "not only at the end");
    }
}

#[test]
fn e04_playing_that_ends_in_an_error_keeps_the_clock_too() {
    let mut device = with_song();
    let played = in_steps(&mut device, 10, |permit, store, entropy, input, host| {
        let mut half = input.into_inner();
        half.truncate(half.len() / 2);
        let mut clear = Vec::new();
        permit.decrypt(store, entropy, std::io::Cursor::new(half), &mut admit_media::WriteSink::new(&mut clear), host)
    });
    assert!(matches!(played, Err(PlaybackError::Media(_))), "{played:?}");
    assert!(kept_secs(&device) >= 10, "{}", kept_secs(&device));
    let mut device = with_film();
    assert!(matches!(play_in_steps(&mut device, 600).0, Err(PlaybackError::Ended(_))));
    assert!(kept_secs(&device) > 1000, "{}", kept_secs(&device));
}

#[test]
fn e04_a_storage_that_cannot_be_written_ends_only_what_the_time_limits() {
    let play = |mut device: Device, commits, step| {
        let storage = device.storage.clone();
        in_steps(&mut device, step, |permit, store, entropy, input, host| {
            storage.cut_after(Some(commits), false);
            permit.decrypt(store, entropy, input, &mut admit_media::WriteSink::new(std::io::sink()), host)
        })
    };
    assert_eq!(play(with_song(), 0, 1), Ok(()));
    assert_eq!(play(with_song(), 0, 400), Ok(()));
    // The first use is charged, and then no more.
    assert_eq!(play(with_film(), 1, 1), Ok(()), "nothing was due, and what was played was allowed");
    assert!(matches!(play(with_film(), 1, 400), Err(PlaybackError::Store(Error::Storage(_)))));
}

#[test]
fn e04_what_another_process_kept_behind_a_reading_is_no_clock_that_went_back() {
    let mut device = with_song();
    let Device { storage, store, entropy, clock, .. } = &mut device;
    let mut secs = 400;
    let mut read = || {
        let reading = reading(1, secs);
        secs += 5;
        let mut other = open(storage);
        let mut theirs = clock_of(&other).unwrap();
        theirs.observe(&super::fixture::reading(1, secs), &mut Vec::new());
        other.keep_clock(&mut theirs, &mut SeededEntropy::new(secs)).unwrap();
        secs += 5;
        reading
    };
    let mut events = Vec::new();
    store.leave_clock(clock, &mut read, &mut events, entropy).unwrap();
    assert_eq!((clock.state(), clock.record().reboots, events), (ClockState::Trusted, 0, Vec::new()));
}

/// What a license that says this becomes when the wall clock was set back before a signed time.
#[test]
fn e02_when_the_clock_was_set_back_none_and_disable_are_unusable_and_delete_is_deleted() {
    use RollbackAction::{Delete, Disable, None as Nothing};
    for (action, left) in [(None, true), (Some(Nothing), true), (Some(Disable), true), (Some(Delete), false)] {
        let mut device = device();
        let acquisition = device.begin();
        let film = Terms { rollback_action: action, ..film() };
        let response = answer_with_time(&device, acquisition.request(), &[film], later(0));
        device.finish(acquisition, &response).unwrap();
        let wall = Timestamp::from_unix_secs(REALM.now.unix_secs() - 200);
        let back = Reading { wall: Some(wall), ..reading(2, 5) };
        let rolled_back = now(&mut device, &back);
        device.store.delete_rolled_back(&rolled_back, &mut device.entropy).unwrap();
        let expected = if left { Reason::ClockRolledBack } else { Reason::NoLicense { key_id: KEY_ID } };
        assert_eq!(why(&mut device, &back), Some(expected), "{action:?}");
        set(&mut device.clock, &reading(2, 6), 8);
        assert_eq!(why(&mut device, &reading(2, 7)).is_none(), left, "{action:?}");
    }
}

/// Key and sealed bytes of each record, in hexadecimal.
const FROM_BEFORE: &str = include_str!("../../../../vectors/stores/license-without-time-of-storing.txt");
