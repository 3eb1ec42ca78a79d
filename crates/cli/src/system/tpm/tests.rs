//! The counter in a TPM in software (`swtpm`).

use admit_testkit::SoftTpm;

use super::*;

fn counter(tpm: &SoftTpm, epoch: u8) -> Counter {
    Counter::open(&tpm.path(), [epoch; 16]).unwrap()
}

#[test]
fn a_counter_is_made_counts_up_and_outlives_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let tpm = SoftTpm::start(folder.path());
    let mut first_run = counter(&tpm, 1);
    let first = first_run.value();
    assert_eq!(first_run.read().unwrap(), first);
    for step in 1..=3 {
        first_run.raise().unwrap();
        assert_eq!((first_run.value(), first_run.read().unwrap()), (first + step, first + step));
    }
    drop((first_run, tpm));
    let tpm = SoftTpm::start(folder.path());
    assert_eq!(counter(&tpm, 1).value(), first + 3);
}

#[test]
fn each_store_has_a_counter_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let tpm = SoftTpm::start(folder.path());
    let first = counter(&tpm, 1).value();
    counter(&tpm, 2).raise().unwrap();
    assert_eq!(counter(&tpm, 1).value(), first);
}

#[test]
fn responses_of_every_wrong_form_are_errors() {
    let whole = [&[0x80, 2, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 10, 0, 8][..], &7_u64.to_be_bytes()].concat();
    assert_eq!(command::value(command::parameters(&whole).unwrap().unwrap()).unwrap(), 7);
    for length in 0..whole.len() {
        assert!(command::parameters(&whole[..length]).is_err(), "cut at {length}");
    }
    let mut too_long = whole.clone();
    too_long[13] = 11;
    assert!(command::parameters(&too_long).is_err(), "parameters beyond the end");
    let mut shorter = whole;
    shorter[15] = 7;
    assert!(command::value(command::parameters(&shorter).unwrap().unwrap()).is_err(), "a value of seven bytes");
}

#[test]
fn a_path_without_a_tpm_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Counter::open(&folder.path().join("tpm"), [1; 16]).is_err());
    assert!(Counter::open(folder.path(), [1; 16]).is_err());
}
