//! What rules decide, and every mistake at once.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::policy::script::tests::{Counter, NOW, claims, trial};
use crate::policy::{Loaded, Trial, Tried};

const RULES: &str = r#"
default = "sale"

[[rule]]
content = "film-*"
claim.plan = ["gold", "silver"]
offer = "subscription"

[[rule]]
content = ["film-*", "series-*"]
offer = ["rental", "trailer"]

[[rule]]
claim.library = true
offer = "loan"

[offer.sale]
kind = "sale"

[offer.rental]
kind = "rental"
days = 30
expiry_after_first_use_hours = 48

[offer.subscription]
kind = "subscription"
days = 35
max_offline_hours = 96

[offer.trailer]
kind = "promotion"
play_count = 3

[offer.loan]
kind = "loan"
begin = 2030-01-01
expiry = 2030-12-31T12:00:00Z
"#;

fn run(text: &str, content: &str, policy: Value) -> Tried {
    let mut trial = Trial { entitlement: Some(claims(policy)), ..trial() };
    trial.content.content_id = content.to_owned();
    trial.run(&Loaded::Rules(Rules::parse(text).unwrap()), &mut Counter(0))
}

fn faults(text: &str) -> Vec<String> {
    Rules::parse(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn b06_the_first_rule_that_fits_decides_and_says_so() {
    let cases = [
        ("film-1", json!({ "plan": "gold" }), "the rule in line 4 fits, and gives subscription"),
        ("film-1", json!({ "plan": "silver" }), "the rule in line 4 fits, and gives subscription"),
        ("film-1", json!({ "plan": "bronze" }), "the rule in line 9 fits, and gives rental, trailer"),
        ("series-1", json!({}), "the rule in line 9 fits, and gives rental, trailer"),
        ("book", json!({ "library": true }), "the rule in line 13 fits, and gives loan"),
        ("book", json!({ "library": "true" }), "no rule fits, and the default gives sale"),
    ];
    for (content, claims, said) in cases {
        assert_eq!(run(RULES, content, claims).said, [said], "{content}");
    }
}

#[test]
fn b06_a_sale_is_the_documents_default() {
    let [terms] = run(RULES, "song", json!({})).licenses.unwrap().try_into().unwrap();
    assert_eq!((terms.rights.bits(), terms.time_limits().any(), terms.minimum_application_level()), (3, false, 100));
}

#[test]
fn b12_each_kind_has_its_end_and_an_end_has_its_begin() {
    let rental = &run(RULES, "film-1", json!({})).licenses.unwrap()[0];
    assert_eq!(rental.rights.to_string(), "play");
    assert_eq!(rental.expiry, Some(NOW.saturating_add(std::time::Duration::from_secs(30 * 86_400))));
    assert!(rental.begin.is_some_and(|begin| begin < NOW));
    assert_eq!(rental.expiry_after_first_use_secs, Some(48 * 3600));
    let subscription = &run(RULES, "film-1", json!({ "plan": "gold" })).licenses.unwrap()[0];
    assert_eq!(subscription.max_offline_secs, Some(96 * 3600));
    let loan = &run(RULES, "book", json!({ "library": true })).licenses.unwrap()[0];
    assert_eq!(loan.begin.unwrap().to_string(), "2030-01-01T00:00:00Z");
    assert_eq!(loan.expiry.unwrap().to_string(), "2030-12-31T12:00:00Z");
    assert_eq!(loan.rights.to_string(), "play, no-recovery");
}

#[test]
fn b06_a_setting_that_undoes_its_kind_is_a_mistake() {
    let limited = "days = 3\nexpiry_after_first_use_hours = 48\n";
    let cases = [
        ("sale", "days = 3", "days: a sale is for ever"),
        ("sale", "expiry = 2031-01-01", "expiry: a sale is for ever"),
        ("sale", "expiry_after_first_use_hours = 3", "expiry_after_first_use_hours: a sale is for ever"),
        ("sale", "expiry_after_storing_hours = 3", "expiry_after_storing_hours: a sale is for ever"),
        ("sale", "play_count = 3", "play_count: a sale is for ever"),
        ("sale", "one_time = true", "one_time: a sale is for ever"),
        ("sale", "rights = \"play, one-time\"", "rights: a sale is for ever"),
        ("sale", "persistent = false", "persistent: a sale is for ever"),
        ("one-time", "one_time = false", "one_time: a one-time offer is for one use"),
        ("loan", "rollback_action = \"none\"", "rollback_action: a loan is deleted when the clock was set back"),
        ("loan", "rollback_action = \"disable\"", "rollback_action: a loan is deleted when the clock was set back"),
    ];
    for (kind, setting, told) in cases {
        let needed = if kind == "loan" { "days = 3" } else { "" };
        let text = format!("default = \"it\"\n[offer.it]\nkind = {kind:?}\n{setting}\n{needed}");
        assert_eq!(faults(&text), [format!("line 4, column 1: offer.it: {told}")], "{kind} {setting}");
    }
    for (kind, settings) in [
        ("sale", "begin = 2031-01-01\nrights = \"play, burn-to-cd\"\nburn_count = 3\none_time = false"),
        ("rental", "rollback_action = \"delete\"\npersistent = false"),
        ("subscription", "rights = \"play, transfer-to-non-sdmi\"\nplay_count = 3"),
        ("promotion", "one_time = true\nrollback_action = \"disable\""),
        ("one-time", "rights = \"transfer-to-non-sdmi\"\none_time = true"),
        ("loan", "rollback_action = \"delete\""),
    ] {
        let needed = if ["sale", "one-time"].contains(&kind) { "" } else { limited };
        let text = format!("default = \"it\"\n[offer.it]\nkind = {kind:?}\n{settings}\n{needed}");
        Rules::parse(&text).unwrap_or_else(|faults| panic!("{kind}: {faults:?}"));
    }
}

#[test]
fn b06_what_a_kind_says_stays_beside_other_rights() {
    let issued = |kind: &str, rights: &str| {
        let needed = if kind == "loan" { "days = 3" } else { "" };
        let text = format!("default = \"it\"\n[offer.it]\nkind = {kind:?}\nrights = {rights:?}\n{needed}");
        run(&text, "song", json!({})).licenses.unwrap()[0].rights.to_string()
    };
    for (kind, rights, expected) in [
        ("loan", "play", "play, no-recovery"),
        ("loan", "play, no-recovery", "play, no-recovery"),
        ("loan", "3,0,0,0,3,0,0,0", "play, transfer-to-non-sdmi, no-recovery"),
        ("one-time", "play, burn-to-cd", "play, burn-to-cd, one-time"),
        ("one-time", "5,0,0,0,0,0,0,0", "play, no-recovery, one-time"),
    ] {
        assert_eq!(issued(kind, rights), expected, "{kind} {rights}");
    }
}

#[test]
fn b06_why_names_what_keeps_earlier_rules_from_fitting() {
    let why = |content: &str, policy: Value| {
        let mut trial = Trial { entitlement: Some(claims(policy)), ..trial() };
        trial.content.content_id = content.to_owned();
        trial.why(&Loaded::Rules(Rules::parse(RULES).unwrap()))
    };
    let expected = [
        "the rule in line 4 does not fit: the claim plan is \"bronze\", not \"gold\" or \"silver\"",
        "offer rental: rights = {play}",
        "offer rental: beyond the default it sets rollback_action = \"disable\", days = 30, \
         expiry_after_first_use_hours = 48",
        "offer trailer: rights = {play}",
        "offer trailer: beyond the default it sets play_count = 3",
    ];
    assert_eq!(why("film-1", json!({ "plan": "bronze" })), expected);
    let expected = [
        "the rule in line 4 does not fit: the content is \"song\", not \"film-*\"",
        "the rule in line 9 does not fit: the content is \"song\", not \"film-*\" or \"series-*\"",
        "the rule in line 13 does not fit: there is no claim library",
    ];
    assert_eq!(why("song", json!({}))[..3], expected);
    assert_eq!(why("film-1", json!({ "plan": "gold" }))[0], "offer subscription: rights = {play}");
}

#[test]
fn b09_a_rule_with_two_offers_gives_two_licenses() {
    let licenses = run(RULES, "series-1", json!({})).licenses.unwrap();
    assert_eq!(licenses.len(), 2);
    assert_eq!(licenses[1].play_count, Some(3));
    assert_ne!(licenses[0].id, licenses[1].id);
}

#[test]
fn b06_what_nothing_is_offered_for_is_refused() {
    let only = "[[rule]]\ncontent = \"film-*\"\noffer = \"sale\"\n[offer.sale]\nkind = \"sale\"\n";
    assert!(run(only, "film-1", json!({})).licenses.is_ok());
    let tried = run(only, "song", json!({}));
    assert!(matches!(tried.licenses, Err(PolicyRefusal::Refused { .. })));
    assert_eq!(tried.said, ["no rule fits, and there is no default"]);
}

#[test]
fn b06_a_rule_may_ask_for_a_page_instead_of_giving_an_offer() {
    let text = "default = \"sale\"\n[[rule]]\ncontent = \"song\"\npage = \"https://shop.example.org/song\"\n\
                [offer.sale]\nkind = \"sale\"\n";
    assert!(run(text, "film-1", json!({})).licenses.is_ok());
    let Err(PolicyRefusal::Asked { address, .. }) = run(text, "song", json!({})).licenses else { panic!() };
    assert_eq!(address.as_deref(), Some("https://shop.example.org/song"));
    for page in ["page = 3", "page = \"shop\"", "page = \"https://a.example\"\noffer = \"sale\""] {
        let text = text.replace("page = \"https://shop.example.org/song\"", page);
        assert!(Rules::parse(&text).is_err(), "{page}");
    }
}

#[test]
fn b06_every_mistake_in_the_rules_is_told_at_once_with_line_and_column() {
    let text = "default = \"sal\"\n\n[[rule]]\ncontent = 3\nofer = \"sale\"\n\n[[rule]]\noffer = [\"sale\", 1]\n\
                [offer.sale]\nkind = \"sale\"\nplay_cuont = 1\n\n[offer.rental]\nkind = \"rental\"\ndays = 0\n\
                [offer.x]\nkind = \"gift\"\n[offer.y]\n[offer.z]\nkind = \"loan\"\n\
                expiry = 2031-01-01\nbegin = 2031-01-02\n";
    let expected = [
        "line 1, column 11: there is no offer \"sal\"; did you mean \"sale\"?",
        "line 3, column 1: rule: it has either an offer or a page that comes first",
        "line 4, column 11: expected a text, found 3",
        "line 5, column 1: \"ofer\" is not known here; did you mean \"offer\"?",
        "line 7, column 1: rule: it has neither content nor claim; what holds for everything is the default",
        "line 8, column 18: expected a text, found 1",
        "line 11, column 1: offer.sale: a license has no \"play_cuont\"; did you mean play_count?",
        "line 13, column 8: offer.rental: a rental needs expiry_after_first_use_hours",
        "line 15, column 1: offer.rental: days: expected a whole number, 1 to 36500, found 0",
        "line 17, column 8: offer.x: kind: expected one of sale, rental, subscription, promotion, one-time, loan",
        "line 18, column 8: offer.y: kind is missing; one of sale, rental, subscription, promotion, one-time, loan",
        "line 19, column 8: offer.z: the license would expire before it begins",
    ];
    assert_eq!(faults(text), expected);
}

#[test]
fn rules_that_give_nothing_and_rules_that_are_no_toml_are_mistakes() {
    assert_eq!(faults(""), ["line 1, column 1: there is neither a rule nor a default, so nobody would get a license"]);
    assert!(faults("default = ")[0].starts_with("line 1, column "));
    assert_eq!(faults("offer = 1\nrule = 2")[0], "line 1, column 1: offer: expected tables such as [offer.sale]");
}

proptest! {
    /// Whatever stands in the file, it is read or refused.
    #[test]
    fn no_text_harms(text in "[ -~\\n]{0,200}") {
        let _ = Rules::parse(&text);
    }

    /// The same of what is nearly right: a text with a piece cut out.
    #[test]
    fn no_hole_harms(from in 0..RULES.len(), length in 0..40usize) {
        let text = format!("{}{}", &RULES[..from], RULES.get(from + length..).unwrap_or_default());
        if let Ok(rules) = Rules::parse(&text) {
            let _ = trial().run(&Loaded::Rules(rules), &mut Counter(0));
        }
    }
}
