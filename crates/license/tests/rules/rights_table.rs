//! Every action with every set of the seven rights, in applications of both SDK generations, against the license properties
//! document: each line of the model is one of its sentences.

use admit_license::{Action, Application, Environment, HeldLicense, Reason, Rights, Usage, evaluate};
use admit_trust::SdkGeneration;

use crate::fixture::*;

/// One question: an action, a license's bits, and what is known around them.
#[derive(Debug, Clone, Copy)]
struct Case {
    action: Action,
    bits: u32,
    older: bool,
    used: bool,
}

/// What the document says.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    allowed: bool,
    deletes: bool,
    reasons: Vec<Reason>,
}

impl Case {
    fn expected(self) -> Expected {
        let Self { action, bits, older, used } = self;
        let (one_time, sdmi) = (bits & 32 != 0, bits & 16 != 0);
        let mut reasons = Vec::new();
        // "The rights defined in the Audio SDK include play on a PC, transfer to a device that is not SDMI-compliant, and recover."
        if older && action != Action::Play && action != Action::TransferToNonSdmi {
            reasons.push(Reason::RightUnknownToApplication { action });
        }
        // Every action has a bit of its own.
        if bits & bit(action) == 0 {
            reasons.push(Reason::NoRight { action });
        } else if one_time && sdmi && action != Action::TransferToSdmi {
            // The three one-time licenses with the mark are for transfer; playing never spends them.
            reasons.push(Reason::OneTimeForTransfer);
        }
        // "Allow the license to be used one time, and then delete the license", whatever application asks.
        if one_time && used {
            reasons.push(Reason::CountUsedUp { allowed: 1 });
        }
        Expected { allowed: reasons.is_empty(), deletes: reasons.is_empty() && one_time, reasons }
    }

    fn found(self) -> Expected {
        let Self { action, bits, older, used } = self;
        let license = license(bits, used);
        let sdk_generation = if older { SdkGeneration::Older } else { SdkGeneration::Newer };
        let application = Application { sdk_generation, ..environment().application };
        match evaluate(action, KEY_ID, &license, &Environment { application, ..environment() }) {
            Ok(grant) => Expected { allowed: true, deletes: grant.charges()[0].deletes, reasons: Vec::new() },
            Err(denied) => {
                let reasons = denied.refusals().iter().map(|refusal| refusal.reason).collect();
                Expected { allowed: false, deletes: false, reasons }
            }
        }
    }
}

const fn bit(action: Action) -> u32 {
    match action {
        Action::Play => 1,
        Action::TransferToNonSdmi => 2,
        Action::Burn => 8,
        Action::TransferToSdmi => 16,
        Action::SaveStream => 64,
        Action::PlaylistBurn => 1 << 24,
        _ => 1 << 25,
    }
}

fn license(bits: u32, used: bool) -> [HeldLicense; 1] {
    let terms = simple(1, Rights::from_bits(bits).unwrap());
    [held(&terms, Usage { touched: used, ..stored() })]
}

/// All of them: 7 actions, 128 sets with and without the two named rights above them, both generations, used and not.
fn cases() -> impl Iterator<Item = Case> {
    let sets = [0, 1 << 24, 1 << 25, 3 << 24].into_iter().flat_map(|named| (0..128).map(move |set| set | named));
    let around = move |bits| {
        let states = [(false, false), (false, true), (true, false), (true, true)];
        Action::ALL
            .into_iter()
            .flat_map(move |action| states.into_iter().map(move |(older, used)| Case { action, bits, older, used }))
    };
    sets.flat_map(around)
}

#[test]
fn b05_b08_every_action_with_every_set_of_rights_in_both_sdk_generations() {
    let mut asked = 0;
    for case in cases() {
        assert_eq!(case.found(), case.expected(), "{case:?}");
        asked += 1;
    }
    assert_eq!(asked, 7 * 128 * 4 * 4);
}

#[test]
fn b05_bit_4_neither_gives_nor_takes_an_action() {
    for case in cases().filter(|case| case.bits & 4 == 0) {
        let marked = Case { bits: case.bits | 4, ..case };
        assert_eq!(marked.found(), case.found(), "{case:?}");
    }
}

#[test]
fn b08_no_set_of_rights_lets_an_older_application_burn_mark_or_save() {
    let newer = [Action::Burn, Action::PlaylistBurn, Action::TransferToSdmi, Action::SaveStream, Action::Backup];
    for case in cases().filter(|case| case.older && newer.contains(&case.action)) {
        let found = case.found();
        assert_eq!(found.reasons.first(), Some(&Reason::RightUnknownToApplication { action: case.action }), "{case:?}");
    }
}
