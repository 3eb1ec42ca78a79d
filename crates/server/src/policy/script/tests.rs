//! What scripts can decide, and what the sandbox stops.

use std::time::Duration;

use admit_crypto::aws_lc;
use admit_license::{KeyId, Rights};
use admit_time::Timestamp;
use admit_trust::{ClockKind, ComponentVersion};
use proptest::prelude::*;

use super::*;
use crate::content::{Content, KeyClass};
use crate::policy::{Loaded, Told, Trial, Tried, trial_client};
use crate::token::{Claims, OneOrMany};

pub(in crate::policy) const NOW: Timestamp = Timestamp::from_unix_secs(1_900_000_000);

pub(in crate::policy) struct Counter(pub(in crate::policy) u8);

impl admit_crypto::Entropy for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
    }
}

pub(in crate::policy) fn claims(policy: serde_json::Value) -> Claims {
    Claims {
        iss: "shop".into(),
        aud: String::new(),
        sub: "alice".into(),
        iat: None,
        nbf: None,
        exp: NOW.unix_secs() + 3600,
        jti: "t1".into(),
        content: OneOrMany::One("song".into()),
        uses: None,
        cnf: None,
        policy: policy.as_object().cloned().unwrap_or_default(),
    }
}

pub(in crate::policy) fn trial() -> Trial {
    Trial {
        now: NOW,
        content: Content {
            key_id: KeyId::from_bytes([1; 16]),
            class: KeyClass::Licensed,
            content_id: "song".into(),
            title: Some("A song".into()),
            open: false,
            minimum_individualized_version: None,
            minimum_application_level: None,
        },
        entitlement: Some(claims(serde_json::json!({ "plan": "gold", "screens": 2, "share": 0.5 }))),
        requested_rights: 5,
        actions: vec![admit_license::Action::Play],
        client: trial_client(
            &aws_lc::PROVIDER,
            450,
            ClockKind::AntiRollback,
            ComponentVersion::DEFAULT,
            &mut Counter(1),
        ),
        application: None,
        told: Told::default(),
    }
}

fn limits() -> Limits {
    // No test depends on how fast this machine is.
    Limits { time: Duration::from_secs(3600), ..Limits::default() }
}

fn script(text: &str) -> Loaded {
    Loaded::Script(Script::compile(text, limits()).unwrap())
}

fn run(text: &str) -> Tried {
    trial().run(&script(text), &mut Counter(0))
}

fn terms(text: &str) -> Vec<Terms> {
    run(text).licenses.unwrap_or_else(|error| panic!("{error:?}: {text}"))
}

fn failure(text: &str) -> String {
    match run(text).licenses {
        Err(PolicyRefusal::Failed(fault)) => fault.to_string(),
        other => panic!("{other:?}: {text}"),
    }
}

#[test]
fn b06_the_default_script_and_no_script_give_the_same() {
    let with = script(DEFAULT_SCRIPT);
    for requested_rights in 0..=0xff {
        let trial = Trial { requested_rights, ..trial() };
        let [terms] = trial.run(&with, &mut Counter(0)).licenses.unwrap().try_into().unwrap();
        assert_eq!(
            (terms.rights.bits(), terms.time_limits().any(), terms.minimum_application_level()),
            (3, false, 100)
        );
        let empty = trial.run(&script("// Nothing."), &mut Counter(0)).licenses.unwrap();
        assert_eq!(empty, [Terms { minimum_application_level: None, ..terms }]);
    }
}

#[test]
fn b06_every_line_that_the_default_script_advises_holds() {
    let shown = DEFAULT_SCRIPT
        .lines()
        .filter_map(|line| Some((line, line.strip_prefix("// ").filter(|it| it.starts_with("license."))?)));
    let shown: Vec<_> = shown.collect();
    assert_eq!(shown.len(), 6, "{shown:?}");
    for (line, setting) in shown {
        let changed = DEFAULT_SCRIPT.replace(line, setting);
        let [issued] = terms(&changed).try_into().unwrap();
        let [usual] = terms(DEFAULT_SCRIPT).try_into().unwrap();
        assert_ne!(issued, usual, "{line}");
        // The earliest that a clock can be which has just been set is before the issue.
        let early = issued.begin.map(|begin| begin.saturating_add(Duration::from_secs(300)));
        assert_eq!(early, issued.expiry.map(|_| NOW), "{line}");
    }
}

#[test]
fn b06_why_tells_the_arithmetic_of_rights_and_what_is_set_beyond_the_default() {
    let why = |text: &str| trial().why(&script(text));
    let usual = "license 1: rights = (requested {play, no-recovery} AND {play, transfer-to-non-sdmi}) OR \
                 {play, transfer-to-non-sdmi} = {play, transfer-to-non-sdmi}";
    assert_eq!(why(DEFAULT_SCRIPT), [usual, "license 1: beyond the default it sets nothing"]);
    let two = "let copy = new_license(); copy.rights = \"transfer-to-non-sdmi\"; copy.one_time = true;\n\
               license.rights = (); license.days = 3; license.days = 30; license.minimum_client_level = [0, 0, 1, 0];\n\
               license.source_id = ();\n[license, copy]";
    let expected = [
        "license 1: rights = requested {play, no-recovery} = {play, no-recovery}",
        "license 1: beyond the default it sets days = 30, minimum_client_level = [0, 0, 1, 0]",
        "license 2: rights = {transfer-to-non-sdmi} OR {one-time} = {transfer-to-non-sdmi, one-time}",
        "license 2: beyond the default it sets nothing",
    ];
    assert_eq!(why(two), expected);
    assert!(why("refuse(\"No.\");").is_empty() && why("1 / 0").is_empty());
}

#[test]
fn b06_a_script_sees_what_the_challenge_tells() {
    let told = Told { clock_state: admit_protocol::acquire::ClockState::RolledBack, held: 3, time_requested: true };
    let text = "if request.clock_state == \"rolled-back\" && request.held == 3 && request.time_requested \
                { license.play_count = 7; }";
    let tried = Trial { told, ..trial() }.run(&script(text), &mut Counter(0));
    assert_eq!(tried.licenses.unwrap()[0].play_count, Some(7));
}

#[test]
fn b06_a_script_decides_by_content_buyer_client_and_time() {
    let cases = [
        ("content.id == \"song\" && content.title == \"A song\" && !content.open", true),
        ("content.minimum_application_level == ()", true),
        ("buyer.id == \"alice\" && buyer.policy.plan == \"gold\" && buyer.policy.screens == 2", true),
        ("buyer.policy.get(\"missing\") == ()", true),
        ("buyer.policy.share == \"0.5\"", true),
        ("buyer.content.contains(\"song\") && buyer.shop == \"shop\" && buyer.expires > now", true),
        ("client.level >= 450 && client.clock == \"anti-rollback\" && !client.individualized", true),
        ("client.features.contains(\"chains\") && !client.features.contains(\"metering\")", true),
        ("application.level == 0 && application.version == () && application.sdk == \"newer\"", true),
        ("request.rights == 5 && request.actions.contains(\"play\") && request.held == 0", true),
        ("request.clock_state == \"trusted\"", false),
        ("!request.time_requested", true),
        ("now == 1900000000 && now < date(\"2040-01-01\") && days(2) == hours(48)", true),
    ];
    for (condition, expected) in cases {
        let text = format!("if {condition} {{ license.play_count = 7; }}");
        assert_eq!(terms(&text)[0].play_count, expected.then_some(7), "{condition}");
    }
}

#[test]
fn b06_without_a_token_there_is_a_buyer_without_a_name() {
    let text =
        "if buyer.id == () && buyer.policy.get(\"plan\") == () && buyer.content == [] { license.play_count = 7; }";
    let open = Trial { entitlement: None, ..trial() };
    assert_eq!(open.run(&script(text), &mut Counter(0)).licenses.unwrap()[0].play_count, Some(7));
}

#[test]
fn b09_a_script_gives_several_licenses_with_ids_of_their_own() {
    let text = "let play = new_license();\nplay.rights = \"play\";\nplay.days = 30;\n\
                let copy = new_license();\ncopy.rights = [\"transfer-to-non-sdmi\"];\ncopy.one_time = true;\n[play, copy]";
    let licenses = terms(text);
    assert_eq!(licenses.len(), 2);
    assert_ne!(licenses[0].id, licenses[1].id);
    assert_eq!(licenses[0].rights, Rights::PLAY);
    assert_eq!(licenses[1].rights, Rights::TRANSFER_TO_NON_SDMI | Rights::ONE_TIME);
}

#[test]
fn b06_a_refusal_has_a_reason_and_an_address_and_nothing_catches_it() {
    let text =
        "try { refuse(\"Buy it first.\", \"https://shop.example.org/song\"); } catch { license.play_count = 1; }";
    let refusal = run(text).licenses.unwrap_err();
    let address = Some("https://shop.example.org/song".to_owned());
    assert_eq!(refusal, PolicyRefusal::Refused { reason: "Buy it first.".to_owned(), address });
    assert!(refusal.to_string().ends_with("Buy it first. (https://shop.example.org/song)"));
    let inside = "fn no() { refuse(\"No.\") }\nno();";
    assert!(matches!(run(inside).licenses, Err(PolicyRefusal::Refused { .. })));
    for text in ["refuse(\"\")", "refuse(\"a\\nb\")", "refuse(\"a\", \"javascript:alert(1)\")"] {
        assert!(failure(text).contains("refuse: "), "{text}");
    }
}

#[test]
fn b06_a_script_may_ask_for_a_page_first() {
    let address = Some("https://shop.example.org/song".to_owned());
    let asked = run("ask(\"Tell us who you are.\", \"https://shop.example.org/song\");").licenses.unwrap_err();
    assert_eq!(asked, PolicyRefusal::Asked { reason: "Tell us who you are.".to_owned(), address });
    let asked = run("ask(\"Look at the page.\");").licenses.unwrap_err();
    assert!(matches!(asked, PolicyRefusal::Asked { address: None, .. }));
    assert!(failure("ask(\"a\", \"ftp://a.example\")").contains("ask: the address"));
}

#[test]
fn b06_a_mistake_while_it_runs_is_told_with_line_and_column() {
    let cases = [
        ("let a = 1;\nlicense.rights = [128, 0, 0, 0, 0, 0, 0, 0];", "line 2, column 9: rights: byte 0"),
        ("\n\nlicense.play_cuont = 1;", "line 3, column 8: a license has no \"play_cuont\"; did you mean play_count?"),
        ("license.days = \"30\";", "line 1, column 9: days: expected a whole number"),
        ("let a = license.rights;", "line 1, column 16: rights: the properties of a license are set, and not read"),
        ("throw \"no\";", "line 1, column 1: no"),
        ("let a = buyer.policy.pl;", "line 1, column 22: "),
        ("content.id = \"other\";", "line 1, column "),
        ("now = 3;", "line 1, column "),
        ("1 / 0;", "line 1, column 3: Division by zero"),
        ("\nlicense.rights = [];", "line 2, column 9: a license allows something"),
        (
            "license.days = 3;\nlicense.begin = now;\nlicense.priority = 1;",
            "line 2, column 9: days sets begin and expiry itself",
        ),
        ("license.begin = now + 9;\n license.days = 3; ;", "line 2, column 10: days sets begin and expiry itself"),
        ("license.one_time = true;\nlicense.play_count = 2;", "line 2, column 9: a one-time license has no counts"),
        ("license.play_count = 2;\nlicense.rights = \"play, one-time\";", "line 2, column 9: a one-time license"),
        ("license.priority = 1;\nlicense.burn_count = 1; ;", "line 2, column 9: burn_count counts an action"),
        ("license.burn_count = 1;\nlicense.rights = \"play\";", "line 2, column 9: burn_count counts an action"),
        ("license[\"burn_count\"] = 1;", "line 1, column 8: burn_count counts an action"),
        ("license.begin = now + 9;\nlicense.expiry = now + 8;", "line 2, column 9: the license would expire before"),
        ("let a = new_license();\na.grace_hours = 1;\na.days = 1;\na.days = ();\n[license, a]", "line 2, column 3: gr"),
        ("fn f(it) { it.burn_count = 1; it }\nf(license)", "line 1, column 15: burn_count counts an action"),
        ("\n 5", "line 2, column 2: the script ended with i64"),
        ("license.days = 3;\n[]", "line 2, column 1: the script ended with 0 licenses"),
        ("license.days = 3; [license,\n5]", "line 2, column 1: the script ended with a list that holds i64"),
        (
            "if content.open { return license; }\nif !content.open { return []; }\nlicense.days = 3;",
            "line 2, column 27: ",
        ),
        ("fn f() { \"x\" }\nprint(1);\nf()", "line 1, column 10: the script ended with string"),
        ("let all = [];\nfor i in 0..9 { all.push(license); }\nall", "line 3, column 1: the script ended with 9 lic"),
        ("let license = 3;", "line 1, column 15: the script ended with another `license`"),
        ("print(1);\nlicense = 5;", "line 2, column 11: the script ended with another `license`"),
        ("let a = [2, 1];\na.sort(|x, y| 1);", "line 2, column 3: a list is sorted without a function"),
    ];
    let wrong: Vec<_> = cases.iter().map(|(text, told)| (text, told, failure(text))).collect();
    let wrong: Vec<_> = wrong.iter().filter(|(_, told, reason)| !reason.starts_with(**told)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn b06_what_was_printed_before_a_wrong_end_is_kept_once() {
    let tried = run("print(\"before\"); 5");
    assert!(matches!(tried.licenses, Err(PolicyRefusal::Failed(_))));
    assert_eq!(tried.said, ["before"]);
}

#[test]
fn b06_a_panic_while_a_script_runs_is_its_failure() {
    assert!(!is_running());
    let mut broken = Script::compile("print(1);\nlet a = [license];\nburst(a);\na", limits()).unwrap();
    let engine = Arc::get_mut(&mut broken.engine).unwrap();
    engine.register_fn("burst", |_: &mut rhai::Array| {
        assert!(is_running());
        panic!("a list that cannot be");
    });
    let broken = Loaded::Script(broken);
    for _ in 0..2 {
        let tried = trial().run(&broken, &mut Counter(0));
        let reason = "the script made its interpreter panic";
        assert_eq!(tried.licenses, Err(PolicyRefusal::Failed(Fault::somewhere(reason))));
        assert_eq!(tried.said, ["1"]);
        assert!(!is_running());
    }
    assert_eq!(terms("license.days = 3;").len(), 1);
}

#[test]
fn b06_a_release_unwinds_so_that_a_scripts_panic_can_be_caught() {
    let manifest: toml::Table = include_str!("../../../../../Cargo.toml").parse().unwrap();
    for (name, profile) in manifest["profile"].as_table().unwrap() {
        let panic = profile.get("panic").map_or("unwind", |panic| panic.as_str().unwrap());
        assert_eq!(panic, "unwind", "{name}");
    }
}

#[test]
fn lists_are_padded_up_to_a_length() {
    let text = "let a = [1]; a.pad(3, 0); a.pad(2, 9); a.pad(-1, 9); if a == [1, 0, 0] { license.days = 3; }";
    assert!(terms(text)[0].expiry.is_some());
}

#[test]
fn b06_lists_are_sorted_without_functions_that_could_contradict_themselves() {
    let contradicts = "let a = []; for i in 0..60 { a.push((i * 7919) % 401); }\n\
                       a.sort(|x, y| { let h = (x * 2654435 + y * 40503) % 1013; if h > 506 { 1 } else { -1 } });";
    assert!(failure(contradicts).starts_with("line 2, column 3: a list is sorted without"));
    for call in ["sort(|x, y| x <= y)", "sort_by(|x, y| 0)", "order(|x, y| 0)", "order_by(|x, y| 0)", "sort(Fn(\"f\"))"]
    {
        assert!(failure(&format!("fn f(x, y) {{ 1 }}\nlet a = [2, 1];\na.{call};")).starts_with("line 3, column 3: "));
    }
    let sorted = "let a = [2, 1, 3]; a.sort(); if a == [1, 2, 3] && a.order_desc() == [3, 2, 1] { license.days = 3; }";
    assert!(terms(sorted)[0].expiry.is_some());
}

#[test]
fn b06_a_mistake_that_can_be_seen_before_it_runs_is_one_when_it_is_compiled() {
    let cases = [
        ("license.days = ", Some(1)),
        ("let a = 1;\nlet b = lisense;", Some(2)),
        ("import \"other\" as x;", Some(1)),
        ("\n\neval(\"1\");", Some(3)),
        ("", None),
        (" \n ", None),
    ];
    for (text, line) in cases {
        let fault = Script::compile(text, limits()).unwrap_err();
        assert_eq!(fault.place.map(|(line, _)| line), line, "{text:?}: {fault}");
    }
}

#[test]
fn b06_a_script_that_loops_or_grows_is_stopped_and_issues_nothing() {
    let cases = [
        ("loop { }", "operations"),
        ("while true { license.days = 3; }", "operations"),
        ("fn f(n) { f(n + 1) }\nf(0);", "tack overflow"),
        ("let a = \"x\"; loop { a += a; }", "Length of string"),
        ("let a = [1]; loop { a += a; }", "Size of array"),
        ("let a = [1]; a.pad(100000, 1);", "Size of array"),
        ("let a = []; a.pad(9223372036854775807, 1);", "Size of array"),
        // 256 times this is nothing, in 64 bits.
        ("let b = []; b.pad(255, 0); let a = []; a.pad(72057594037927936, b);", "pad: "),
        ("let a = []; a.pad(72057594037927936, #{});", "pad: "),
        ("let a = \"x\"; a.pad(100000, \"y\");", "Length of string"),
        ("let m = #{}; for i in 0..100000 { m[\"k\" + i] = i; }", "operations"),
        ("let a = [1]; loop { a = [a, a]; }", "Size of array"),
        ("let a = []; for i in 0..600 { a = [a]; }", "Size of array"),
        ("try { loop { } } catch { }", "operations"),
    ];
    let wrong: Vec<_> = cases.iter().map(|(text, told)| (text, told, failure(text))).collect();
    let wrong: Vec<_> = wrong.iter().filter(|(_, told, reason)| !reason.contains(**told)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let many: String = (0..200).map(|i| format!("let v{i} = {i};\n")).collect();
    assert!(failure(&many).contains("variables"));
    let deep = format!("let a = {}1{};", "(".repeat(100), ")".repeat(100));
    assert!(Script::compile(&deep, limits()).is_err());
    let many: String = (0..200).map(|i| format!("fn f{i}() {{ }}\n")).collect();
    assert!(Script::compile(&many, limits()).is_err());
}

#[test]
fn b06_a_script_that_takes_too_long_is_stopped() {
    let limits = Limits { time: Duration::ZERO, ..limits() };
    let script = Loaded::Script(Script::compile("for i in 0..100 { }", limits).unwrap());
    let Err(PolicyRefusal::Failed(fault)) = trial().run(&script, &mut Counter(0)).licenses else { panic!() };
    assert!(fault.reason.contains("takes too long"), "{fault}");
}

#[test]
fn b06_there_is_nothing_but_computing_in_the_sandbox() {
    for call in ["sleep(1)", "exit()", "timestamp()", "open(\"/etc/passwd\")", "env(\"HOME\")", "rand()"] {
        let text = format!("{call};");
        let refused = Script::compile(&text, limits()).is_err() || failure(&text).contains("not found");
        assert!(refused, "{call}");
    }
}

#[test]
fn what_a_script_prints_is_kept_and_bounded() {
    let tried = run("print(\"hello\"); debug(5); for i in 0..100 { print(\"y\".len()); }");
    assert_eq!(tried.said[..2], ["hello", "5"]);
    assert_eq!(tried.said.len(), 20);
    let long = run("let a = \"\"; for i in 0..500 { a += \"x\"; } print(a);");
    assert_eq!(long.said[0].len(), 200);
    assert!(run("// Quiet.").said.is_empty(), "a run sees nothing of the one before");
}

proptest! {
    /// Whatever stands in the file, it is compiled or refused, and what compiles decides or is refused.
    #[test]
    fn no_text_harms(text in "[ -~\\n]{0,200}") {
        if let Ok(script) = Script::compile(&text, limits()) {
            let _ = trial().run(&Loaded::Script(script), &mut Counter(0));
        }
    }

    /// The same of texts made of the words of scripts.
    #[test]
    fn no_script_harms(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..40)) {
        if let Ok(script) = Script::compile(&words.join(" "), limits()) {
            let _ = trial().run(&Loaded::Script(script), &mut Counter(0));
        }
    }
}

const WORDS: &[&str] = &[
    "license",
    ".",
    "rights",
    "days",
    "=",
    "[",
    "]",
    "3",
    ",",
    "0",
    "(",
    ")",
    ";",
    "if",
    "{",
    "}",
    "else",
    "buyer",
    "policy",
    "\"play\"",
    "loop",
    "fn",
    "f",
    "refuse",
    "new_license",
    "let",
    "a",
    "+",
    "true",
    "now",
    "*",
    "-",
    "while",
    "for",
    "in",
    "..",
    "return",
    "throw",
    "try",
    "catch",
    "|x|",
    "#{",
    ":",
    "print",
    "expiry",
    "\"2030-01-01\"",
    "content",
    "id",
];
