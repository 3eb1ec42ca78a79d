//! Every changed, added and missing character of a token, and every claim behind a true signature.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use admit_crypto::SecretScalar;
use admit_crypto::rustcrypto::PROVIDER;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::key::Material;
use super::verify::TokenRules;
use super::*;
use crate::memory::Tokens;
use crate::metrics::CacheCounts;

const NOW: Timestamp = Timestamp::from_unix_secs(1_767_225_600);
const DAY: Duration = Duration::from_secs(86_400);

fn key() -> TokenKey {
    let secret = SecretScalar::from_slice(&[7; 32]).unwrap();
    let info = TokenKeyInfo {
        kid: "key-1".into(),
        issuer: "issuer".into(),
        algorithm: "ES256",
        is_own: true,
        created_at: NOW,
        verifies_until: None,
    };
    TokenKey::new(info, Material::own(&PROVIDER, &secret))
}

fn verify(token: &str) -> Result<Claims, TokenFault> {
    verify_with(&Tokens::new(CacheCounts::default()), token)
}

fn verify_with(verified: &Tokens, token: &str) -> Result<Claims, TokenFault> {
    let rules = TokenRules {
        provider: &PROVIDER,
        realm: Digest::from_bytes([5; 32]),
        keys: Arc::from([key()]),
        verified,
        maximum_lifetime: DAY,
    };
    rules.verify(token, NOW).map(|verified| verified.claims.clone())
}

#[test]
fn a_token_that_is_long_is_verified_each_time_and_not_kept() {
    let of = |length: usize| Claims {
        policy: serde_json::Map::from_iter([("note".to_owned(), "x".repeat(length).into())]),
        ..claims()
    };
    for (claims, hits) in [(of(0), 1), (of(2048), 0)] {
        let counts = CacheCounts::default();
        let (memory, token) = (Tokens::new(counts.clone()), key().sign(&claims).unwrap());
        assert_eq!(token.len() > 2048, hits == 0);
        for _ in 0..2 {
            assert_eq!(verify_with(&memory, &token), Ok(claims.clone()));
        }
        assert_eq!((counts.hits.get(), counts.misses.get()), (hits, 2 - hits));
    }
}

/// What several requests at once get of keys that are no longer fresh, and how many of them read.
async fn all_at_once(outcome: fn(&TokenKeys) -> Result<Arc<[TokenKey]>, Error>) -> (Vec<String>, usize) {
    let (memory, reads) = (TokenKeys::new(Vec::new()), AtomicUsize::new(0));
    let ask = || {
        memory.fresh_or(NOW, async {
            reads.fetch_add(1, Ordering::SeqCst);
            // All others ask before this goes on: they are polled in turn.
            tokio::task::yield_now().await;
            outcome(&memory)
        })
    };
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    let told = [one, two, three].map(|keys| keys.map_or_else(|error| error.to_string(), |keys| keys.len().to_string()));
    (told.to_vec(), reads.into_inner())
}

#[tokio::test]
async fn requests_under_way_together_read_the_keys_once_and_fail_together() {
    let read = |memory: &TokenKeys| {
        let keys: Arc<[TokenKey]> = Arc::from([key()]);
        memory.set(NOW, Arc::clone(&keys));
        Ok(keys)
    };
    assert_eq!(all_at_once(read).await, (vec!["1".to_owned(); 3], 1));
    let (told, reads) = all_at_once(|_| Err(Error::Overloaded)).await;
    assert!(reads == 1 && told[1] == told[2] && told[2].ends_with(&told[0]) && told[1] != told[0], "{told:?}");
}

#[tokio::test]
async fn a_reading_that_fails_or_is_given_up_is_tried_again_by_whoever_comes_next() {
    let memory = TokenKeys::new(vec![key()]);
    let failed = memory.fresh_or(NOW, async { Err(Error::Overloaded) }).await;
    assert!(matches!(failed, Err(Error::Overloaded)), "the old keys are not used");
    let given_up = tokio::time::timeout(Duration::ZERO, memory.fresh_or(NOW, std::future::pending())).await;
    assert!(given_up.is_err());
    let read = memory.fresh_or(NOW, async { Ok(Arc::from([key(), key()])) }).await;
    assert_eq!(read.unwrap().len(), 2);
}

fn claims() -> Claims {
    Claims {
        iss: "issuer".into(),
        aud: Digest::from_bytes([5; 32]).to_string(),
        sub: "buyer".into(),
        iat: None,
        nbf: None,
        exp: NOW.saturating_add(DAY).unix_secs(),
        jti: "1".into(),
        content: OneOrMany::One("*".into()),
        uses: None,
        cnf: None,
        policy: serde_json::Map::new(),
    }
}

/// A token with this header and these claims under a true signature.
fn signed(header: &serde_json::Value, claims: &serde_json::Value) -> String {
    let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = key().signing_key().unwrap().sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_bytes()))
}

#[test]
fn no_token_with_a_character_changed_added_or_taken_away_is_accepted() {
    let token = key().sign(&claims()).unwrap();
    assert_eq!(verify(&token), Ok(claims()));
    for at in 0..=token.len() {
        let (before, after) = token.split_at(at);
        let mut altered: Vec<_> = ["A", ".", "=", "-", "\u{e9}"].map(|added| [before, added, after].concat()).into();
        if let Some(character) = after.chars().next() {
            let rest = &after[1..];
            altered.push([before, rest].concat());
            let flips = (0..8).map(|bit| char::from(u8::try_from(character).unwrap() ^ (1 << bit)));
            altered.extend(flips.map(|flipped| format!("{before}{flipped}{rest}")));
        }
        for altered in altered {
            assert!(verify(&altered).is_err(), "{altered}");
        }
    }
}

#[test]
fn no_claim_and_no_member_of_the_header_can_be_left_out_or_be_of_another_kind() {
    let header = serde_json::json!({ "alg": "ES256", "kid": "key-1", "typ": "JWT" });
    let whole = serde_json::to_value(claims()).unwrap();
    assert_eq!(verify(&signed(&header, &whole)), Ok(claims()));
    for (is_header, name) in [(true, "alg"), (true, "kid")]
        .into_iter()
        .chain(["iss", "aud", "sub", "exp", "jti", "content"].map(|name| (false, name)))
    {
        for value in [None, Some(serde_json::Value::Null), Some((-1).into()), Some(serde_json::json!({}))] {
            let (mut header, mut claims) = (header.clone(), whole.clone());
            let object = if is_header { &mut header } else { &mut claims };
            match &value {
                None => drop(object.as_object_mut().unwrap().remove(name)),
                Some(value) => object[name] = value.clone(),
            }
            assert_eq!(verify(&signed(&header, &claims)), Err(TokenFault::Malformed), "{name} {value:?}");
        }
    }
    let bound = serde_json::json!({ "kid": "00", "jkt": "a binding that is not checked here" });
    let mut claims = whole;
    claims["cnf"] = bound;
    assert_eq!(verify(&signed(&header, &claims)), Err(TokenFault::Malformed));
}

#[test]
fn names_that_the_record_cannot_hold_are_refused_whoever_signed_them() {
    for name in ["a\u{0}b", "a\nb", &"x".repeat(257)] {
        let (sub, jti) = (Claims { sub: name.into(), ..claims() }, Claims { jti: name.into(), ..claims() });
        for claims in [sub, jti] {
            assert_eq!(verify(&key().sign(&claims).unwrap()), Err(TokenFault::Malformed), "{name:?}");
        }
    }
}

proptest! {
    /// Behind the signature: whatever an issuer signs is read or refused, and is never accepted past its dates.
    #[test]
    fn what_an_issuer_signs_does_not_panic(payload: Vec<u8>, exp: u64, kid in "[ -~]{0,8}") {
        let header = serde_json::json!({ "alg": "ES256", "kid": kid });
        prop_assert!(verify(&signed(&header, &serde_json::json!(String::from_utf8_lossy(&payload)))).is_err());
        let claims = serde_json::to_value(Claims { exp, ..claims() }).unwrap();
        let header = serde_json::json!({ "alg": "ES256", "kid": "key-1" });
        let dates = NOW.unix_secs() + 1..=NOW.saturating_add(DAY).unix_secs();
        prop_assert_eq!(verify(&signed(&header, &claims)).is_ok(), dates.contains(&exp));
    }

    /// A token is held to its whole lifetime, not to what is left of it.
    #[test]
    fn a_lifetime_is_measured_from_when_the_token_was_made(age in 0..DAY.as_secs() * 3, lifetime in 1..DAY.as_secs() * 3) {
        let iat = NOW.unix_secs() - age;
        let aged = Claims { iat: Some(iat), exp: iat + lifetime, ..claims() };
        let expected = match () {
            () if lifetime <= age => Err(TokenFault::Expired { at: Timestamp::from_unix_secs(iat + lifetime) }),
            () if lifetime > DAY.as_secs() => Err(TokenFault::LifetimeTooLong),
            () => Ok(aged.clone()),
        };
        prop_assert_eq!(verify(&key().sign(&aged).unwrap()), expected);
    }

    #[test]
    fn a_token_made_in_the_future_lives_no_longer(ahead: u32, longer in 1..u64::from(u32::MAX)) {
        let iat = Some(NOW.unix_secs() + u64::from(ahead));
        let exp = NOW.saturating_add(DAY).unix_secs();
        let verify = |exp| verify(&key().sign(&Claims { iat, exp, ..claims() }).unwrap());
        prop_assert!(verify(exp).is_ok());
        prop_assert_eq!(verify(exp + longer), Err(TokenFault::LifetimeTooLong));
    }

    #[test]
    fn random_texts_are_refused(token in "[a-zA-Z0-9_.=-]{0,200}", other: String) {
        prop_assert!(verify(&token).is_err() && verify(&other).is_err());
    }
}
