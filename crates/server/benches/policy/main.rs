//! What asking the acquisition policy costs for one license: the default script, and the rules and the script that the
//! manual shows. Run by `cargo xtask bench policy`; nothing else is in the figures.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark stops at the first surprise")]

use std::path::Path;
use std::time::{Duration, Instant};

use admit_crypto::aws_lc::PROVIDER;
use admit_license::{Action, KeyId};
use admit_server::content::{Content, KeyClass};
use admit_server::policy::{Limits, Loaded, PolicyFile, Script, Told, Trial, trial_client};
use admit_server::token::{Claims, OneOrMany};
use admit_testkit::SeededEntropy;
use admit_time::Timestamp;
use admit_trust::{ClockKind, ComponentVersion, Properties, SdkGeneration};

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap();
    let shown = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, file_on_page(&page, name)).unwrap();
        PolicyFile::of(&path).unwrap().load(NOW).unwrap()
    };
    let standard = Loaded::Script(Script::standard(Limits::default()));
    let (rules, script) = (shown("policy.toml"), shown("policy.rhai"));
    measure("the default script", &standard, "song");
    measure("the manual's rules: a rental", &rules, "film-1");
    measure("the manual's script: a rental", &script, "film-1");
    measure("the manual's script: two licenses", &script, "song");
}

/// Asks as often as is needed for a distribution, in runs that a clock can measure.
fn measure(what: &str, policy: &Loaded, content: &str) {
    let (trial, entropy) = (trial(content), &mut SeededEntropy::new(1));
    let mut run = || {
        let started = Instant::now();
        for _ in 0..ASKED_IN_A_RUN {
            let tried = trial.run(std::hint::black_box(policy), entropy);
            assert!(tried.licenses.is_ok(), "{tried:?}");
        }
        started.elapsed() / ASKED_IN_A_RUN
    };
    // The first ones warm up.
    let mut took: Vec<Duration> = (0..2 * RUNS).map(|_| run()).skip(RUNS).collect();
    took.sort();
    let (middle, tail) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("{what:<36} p50 {middle:>9.2?}   p99 {tail:>9.2?}   min {:>9.2?}", took[0]);
}

/// The file that a command of the page writes.
fn file_on_page<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, behind) = page.split_once(&format!("cat > home/{name} <<'END'\n")).expect("the page writes this file");
    behind.split("\nEND\n").next().expect("a text has a first part")
}

/// A buyer with a token and a client of the usual level.
fn trial(content_id: &str) -> Trial {
    let entropy = &mut SeededEntropy::new(2);
    let version: ComponentVersion = "2.4.0.1".parse().unwrap();
    Trial {
        now: NOW,
        content: Content {
            key_id: KeyId::from_bytes([1; 16]),
            class: KeyClass::Licensed,
            content_id: content_id.to_owned(),
            title: Some("A title of usual length".to_owned()),
            open: false,
            minimum_individualized_version: None,
            minimum_application_level: None,
        },
        entitlement: Some(claims(content_id)),
        requested_rights: 127,
        actions: vec![Action::Play],
        client: trial_client(&PROVIDER, 150, ClockKind::AntiRollback, version, entropy),
        application: Some(Properties {
            security_level: Some(150),
            sdk_generation: Some(SdkGeneration::Newer),
            ..Properties::default()
        }),
        told: Told::default(),
    }
}

fn claims(content_id: &str) -> Claims {
    Claims {
        iss: "https://shop.example.org".to_owned(),
        aud: String::new(),
        sub: "buyer-1".to_owned(),
        iat: Some(NOW.unix_secs()),
        nbf: None,
        exp: NOW.unix_secs() + 3600,
        jti: "token-1".to_owned(),
        content: OneOrMany::One(content_id.to_owned()),
        uses: None,
        cnf: None,
        policy: [("plan".to_owned(), "bronze".into())].into_iter().collect(),
    }
}

const PAGE: &str = "../../docs/operate/policies.md";
const NOW: Timestamp = Timestamp::from_unix_secs(1_800_000_000);
const RUNS: usize = 300;
const ASKED_IN_A_RUN: u32 = 100;
