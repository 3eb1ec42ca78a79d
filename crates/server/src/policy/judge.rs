//! Whether a policy that can be read also works: it is asked for licenses that nobody gets, by every kind of client and
//! buyer. What it refuses is its business; what it cannot answer is a mistake, found before a buyer finds it.

use std::fmt;

use admit_crypto::{Entropy, PublicKey};
use admit_license::{Action, KeyId, Rights};
use admit_protocol::acquire::ClockState;
use admit_time::Timestamp;
use admit_trust::{ClientProperties, ClockKind, ComponentVersion, Features, Properties, SdkGeneration};

use super::{Fault, Loaded, PolicyRefusal, Told, Trial};
use crate::content::{Content, KeyClass};
use crate::token::{Claims, OneOrMany};

/// Asks the policy for everything. The first mistake is told, with what was asked for.
pub(super) fn judge(policy: &Loaded, now: Timestamp) -> Result<(), Fault> {
    for asked in everything() {
        let answer = || asked.trial(now).run(policy, &mut Zeros).licenses;
        // What fails is asked once more: that the machine is busy for a moment is no mistake of a script, whose time is short.
        if let Err(PolicyRefusal::Failed(_)) = answer()
            && let Err(PolicyRefusal::Failed(fault)) = answer()
        {
            return Err(Fault { place: fault.place, reason: format!("{}; asked for {asked}", fault.reason) });
        }
    }
    Ok(())
}

/// Every kind of request. Each is two runs of a script at most, which has its limits, so that judging has them too.
fn everything() -> impl Iterator<Item = Asked> {
    let clocks = [ClockKind::None, ClockKind::AntiRollback, ClockKind::Secure].into_iter();
    let clients = clocks.flat_map(|clock| [LOW, HIGH].map(|level| (clock, level)));
    let buyers = clients.flat_map(|(clock, level)| [false, true].map(|has_token| (clock, level, has_token)));
    buyers.flat_map(|(clock, level, has_token)| {
        let rights = [Rights::PLAY | Rights::NO_RECOVERY, Rights::ALL];
        rights.map(|rights| Asked { clock, level, has_token, rights })
    })
}

/// One request.
#[derive(Debug, Clone, Copy)]
struct Asked {
    clock: ClockKind,
    /// The client's, and that of the application, which has no certificate where it is the low one.
    level: u32,
    has_token: bool,
    rights: Rights,
}

impl Asked {
    fn trial(self, now: Timestamp) -> Trial {
        let is_high = self.level == HIGH;
        let application = Properties {
            security_level: Some(self.level),
            sdk_generation: Some(SdkGeneration::Newer),
            ..Properties::default()
        };
        Trial {
            now,
            content: Content {
                key_id: KeyId::from_bytes([0; 16]),
                class: KeyClass::Licensed,
                content_id: CONTENT.to_owned(),
                title: is_high.then(|| "A title".to_owned()),
                open: !self.has_token,
                minimum_individualized_version: None,
                minimum_application_level: None,
            },
            entitlement: self.has_token.then(|| claims(now)),
            requested_rights: self.rights.bits(),
            actions: if is_high { Action::ALL.to_vec() } else { vec![Action::Play] },
            client: self.client(),
            application: is_high.then_some(application),
            told: Told { clock_state: ClockState::Unset, held: u16::from(is_high), time_requested: is_high },
        }
    }

    fn client(self) -> ClientProperties {
        ClientProperties {
            encryption_key: PublicKey::from_sec1(&BASE_POINT).expect("the base point is on the curve"),
            component_version: ComponentVersion::DEFAULT,
            security_level: self.level,
            clock: self.clock,
            features: Features::from_bits(Features::CHAINS.bits() | Features::TIME.bits()),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = match self.clock {
            ClockKind::None => "no clock",
            ClockKind::AntiRollback => "an anti-rollback clock",
            ClockKind::Secure => "a secure clock",
        };
        let token = if self.has_token { "with a token without claims" } else { "without a token" };
        write!(f, "rights {} {token} by a client of level {} with {clock}", self.rights.bits(), self.level)
    }
}

/// A token for the content that says nothing else.
fn claims(now: Timestamp) -> Claims {
    Claims {
        iss: "trial".to_owned(),
        aud: String::new(),
        sub: "trial".to_owned(),
        iat: Some(now.unix_secs()),
        nbf: None,
        exp: now.unix_secs() + 3600,
        jti: "trial".to_owned(),
        content: OneOrMany::One(CONTENT.to_owned()),
        uses: None,
        cnf: None,
        policy: serde_json::Map::new(),
    }
}

/// For ids of licenses that are never issued.
struct Zeros;

impl Entropy for Zeros {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// An id that no content is expected to have.
const CONTENT: &str = "trial";
const LOW: u32 = 0;
const HIGH: u32 = 2000;
/// A key that is nobody's: the curve's base point, uncompressed (SEC 2, section 2.4.2).
const BASE_POINT: [u8; PublicKey::LENGTH] = [
    0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03,
    0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe,
    0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce,
    0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::script::tests::NOW;
    use super::super::{DEFAULT_SCRIPT, Limits, Rules, Script};
    use super::*;

    fn judged(text: &str) -> Result<(), String> {
        // No test depends on how fast this machine is.
        let limits = Limits { time: Duration::from_secs(3600), ..Limits::default() };
        let script = Loaded::Script(Script::compile(text, limits).unwrap());
        judge(&script, NOW).map_err(|fault| fault.to_string())
    }

    #[test]
    fn b06_a_script_that_compiles_and_does_not_work_is_a_mistake_with_its_place() {
        let cases = [
            ("\nlicense.rights = [128, 0, 0, 0, 0, 0, 0, 0];", "line 2, column 9: rights: byte 0"),
            ("license.play_cuont = 1;", "line 1, column 8: a license has no \"play_cuont\""),
            ("license.one_time = true;\nlicense.play_count = 2;", "line 2, column 9: a one-time license"),
            ("5", "line 1, column 1: the script ended with i64"),
            ("loop {}", "line 1, column "),
            ("let a = [2, 1]; a.sort(|x, y| 1);", "line 1, column 19: a list is sorted"),
            // What only some requests come to.
            ("if buyer.id == () { throw 1; }", "line 1, column 21: 1"),
            ("if buyer.id != () { license.days = buyer.policy.days; }", "line 1, column 49: "),
            ("if client.clock == \"none\" { throw 1; }", "line 1, column 29: 1"),
            ("if client.clock == \"secure\" { throw 1; }", "line 1, column 31: 1"),
            ("if client.level < 100 { throw 1; }", "line 1, column 25: 1"),
            ("if application.level > 1000 { throw 1; }", "line 1, column 31: 1"),
            ("if request.rights > 100 { throw 1; }", "line 1, column 27: 1"),
            ("if request.rights == 5 { throw 1; }", "line 1, column 26: 1"),
            ("if request.actions.contains(\"save-stream\") { throw 1; }", "line 1, column 46: 1"),
            ("if content.title.len() > 3 { license.days = 1; }", "line 1, column 18: "),
        ];
        for (text, told) in cases {
            let fault = judged(text).unwrap_err();
            assert!(fault.starts_with(told) && fault.contains("; asked for rights "), "{text:?}: {fault}");
        }
        let fault = judged("if client.clock == \"secure\" && buyer.id == () { throw 1; }").unwrap_err();
        let asked = "asked for rights 5 without a token by a client of level 0 with a secure clock";
        assert!(fault.ends_with(asked), "{fault}");
    }

    #[test]
    fn b06_what_a_policy_refuses_is_no_mistake() {
        for text in [
            DEFAULT_SCRIPT,
            "refuse(\"No.\");",
            "ask(\"Go there first.\", \"https://shop.example.org\");",
            "license.days = 3;",
            "license.rights = \"3,0,0,0,0,0,0,0\";",
            "license.begin = now - days(9); license.expiry = now - days(2);",
            "license.begin = now; license.expiry = now - days(2);",
        ] {
            assert_eq!(judged(text), Ok(()), "{text}");
        }
        let rules = Rules::parse("default = \"a\"\n[offer.a]\nkind = \"loan\"\ndays = 3\n").unwrap();
        assert_eq!(judge(&Loaded::Rules(rules), NOW), Ok(()));
    }

    #[test]
    fn b06_judging_a_script_that_takes_too_long_ends_with_its_first_run() {
        let limits = Limits { time: Duration::ZERO, ..Limits::default() };
        let script = Loaded::Script(Script::compile("for i in 0..100 { }", limits).unwrap());
        let fault = judge(&script, NOW).unwrap_err();
        assert!(fault.reason.starts_with("the script takes too long") && fault.place.is_some(), "{fault}");
    }

    #[test]
    fn every_kind_of_request_is_asked_once() {
        let asked: Vec<String> = everything().map(|asked| asked.to_string()).collect();
        let different: std::collections::BTreeSet<_> = asked.iter().collect();
        assert_eq!((asked.len(), different.len()), (24, 24));
    }
}
