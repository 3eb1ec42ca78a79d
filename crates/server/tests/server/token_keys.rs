//! Keys for tokens: three algorithms, shops' keys, rotation, the public set, and tokens that may be used so often only.

use admit_crypto::{Entropy as _, SecretScalar};
use admit_license::KeyId;
use admit_protocol::Code;
use admit_protocol::acquire::SealedChallenge;
use admit_server::home::Home;
use admit_server::token::{Imported, TokenKeyFault};
use admit_server::{Clock as _, Error, Server};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::harness::{Answer, DAY, PROVIDER, Running, START, Seeded, challenge, connect, send, token_request};

/// A shop that signs with one algorithm.
struct Shop {
    algorithm: &'static str,
    kid: String,
    seed: [u8; 32],
}

const SHOPS: [&str; 3] = ["ES256", "EdDSA", "HS256"];

impl Shop {
    async fn imported(running: &Running, algorithm: &'static str) -> Self {
        let mut seed = [0; 32];
        Seeded::new(algorithm.len() as u64 + u64::from(algorithm.as_bytes()[1])).fill(&mut seed);
        let shop = Self { algorithm, kid: format!("shop-{algorithm}"), seed };
        let imported = match algorithm {
            "HS256" => Imported::secret(&shop.seed),
            _ => Imported::public_key(&shop.jwk().to_string()),
        };
        let (issuer, kid) = (shop.issuer(), Some(shop.kid.as_str()));
        let entropy = &mut Seeded::new(8);
        let named = running.home.import_token_key(imported.unwrap(), &issuer, kid, START, entropy).await.unwrap();
        assert_eq!(named, shop.kid);
        shop
    }

    fn issuer(&self) -> String {
        format!("https://{}.shop.example", self.algorithm)
    }

    fn public_bytes(&self) -> Vec<u8> {
        match self.algorithm {
            "ES256" => SecretScalar::from_slice(&self.seed).unwrap().public_key().as_bytes().to_vec(),
            _ => (PROVIDER.load_ed25519_key)(&self.seed).public_key().to_vec(),
        }
    }

    fn jwk(&self) -> Value {
        let (bytes, encode) = (self.public_bytes(), |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes));
        match self.algorithm {
            "ES256" => json!({ "kty": "EC", "crv": "P-256", "x": encode(&bytes[1..33]), "y": encode(&bytes[33..]) }),
            _ => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&bytes), "alg": "EdDSA" }),
        }
    }

    fn claims(&self, running: &Running) -> Value {
        json!({ "iss": self.issuer(), "aud": running.home.realm().to_string(), "sub": "buyer-2", "jti": "7",
            "exp": START.saturating_add(DAY).unix_secs(), "content": "song" })
    }

    /// A token that says it is of this algorithm and key, signed as another algorithm does it with this shop's bytes.
    fn forged(&self, claims: &Value, says: &str, kid: &str, signed_as: &str, secret: &[u8]) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": says, "kid": kid })), part(claims));
        let signature = match signed_as {
            "ES256" => {
                let key = (PROVIDER.load_signing_key)(&SecretScalar::from_slice(&self.seed).unwrap());
                key.sign(signed.as_bytes()).as_bytes().to_vec()
            }
            "EdDSA" => (PROVIDER.load_ed25519_key)(&self.seed).sign(signed.as_bytes()).to_vec(),
            "HS256" => (PROVIDER.hmac_sha256)(secret, &[signed.as_bytes()]).to_vec(),
            _ => Vec::new(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn token(&self, claims: &Value) -> String {
        self.forged(claims, self.algorithm, &self.kid, self.algorithm, &self.seed)
    }
}

async fn start() -> (Running, crate::harness::TestClient, KeyId) {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", false).await);
    (running, client, key_id)
}

const INVALID: (u16, Code) = (401, Code::ADMIT_E_TOKEN_INVALID);

#[tokio::test]
async fn shops_sign_with_each_of_the_three_algorithms_and_the_record_says_with_which_key() {
    let (running, client, key_id) = start().await;
    for algorithm in SHOPS {
        let shop = Shop::imported(&running, algorithm).await;
        let token = shop.token(&shop.claims(&running));
        for _ in 0..2 {
            let answer = running.ask(&client, &[key_id], Some(&token)).await;
            assert_eq!(answer.status, StatusCode::OK, "{algorithm}: {answer:?}");
        }
        let recorded = running.home.audit(0, 1000).await.unwrap().pop().unwrap();
        let recorded: Value = serde_json::from_str(&recorded.detail_json).unwrap();
        assert_eq!((&recorded["iss"], &recorded["kid"]), (&shop.issuer().into(), &shop.kid.clone().into()));
        let mut other = shop.claims(&running);
        other["iss"] = "https://another.shop.example".into();
        assert_eq!(running.ask(&client, &[key_id], Some(&shop.token(&other))).await.refusal(), INVALID);
        other["iss"] = format!("admit:{}", running.home.realm()).into();
        assert_eq!(running.ask(&client, &[key_id], Some(&shop.token(&other))).await.refusal(), INVALID);
    }
}

#[tokio::test]
async fn no_algorithm_passes_for_another() {
    let (running, client, key_id) = start().await;
    let mut shops = Vec::new();
    for algorithm in SHOPS {
        shops.push(Shop::imported(&running, algorithm).await);
    }
    let mut tried = 0;
    for shop in &shops {
        let claims = shop.claims(&running);
        // The classic: the public key, which everybody has, taken for the secret of HS256.
        let public = if shop.algorithm == "HS256" { shop.seed.to_vec() } else { shop.public_bytes() };
        for says in ["ES256", "EdDSA", "HS256", "none", "hs256", "Ed25519", ""] {
            for signed_as in ["ES256", "EdDSA", "HS256", "none"] {
                for named in &shops {
                    if (says, signed_as, &named.kid) == (shop.algorithm, shop.algorithm, &shop.kid) {
                        continue;
                    }
                    let token = shop.forged(&claims, says, &named.kid, signed_as, &public);
                    let answer = running.ask(&client, &[key_id], Some(&token)).await;
                    assert_eq!(answer.refusal(), INVALID, "{says} {signed_as} {}", named.kid);
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(tried, 3 * (7 * 4 * 3 - 1));
    assert_eq!(running.count("licenses-issued").await, 0);
}

#[tokio::test]
async fn a_new_key_signs_and_a_retired_one_verifies_until_its_date() {
    let (running, client, key_id) = start().await;
    let kid_of = |token: &str| {
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
    };
    let old = running.token(&["song"], None).await;
    running.clock.advance(DAY / 4);
    let kid = running.home.make_token_key(running.clock.now(), &mut Seeded::new(50)).await.unwrap();
    let new = running.token(&["song"], None).await;
    assert_eq!(kid_of(&new), kid);
    let until = running.clock.now().saturating_add(DAY / 4);
    running.home.retire_token_key(&kid_of(&old), until, running.clock.now()).await.unwrap();
    for token in [&old, &new] {
        assert_eq!(running.ask(&client, &[key_id], Some(token)).await.status, StatusCode::OK);
    }
    running.clock.advance(DAY / 4);
    assert_eq!(running.ask(&client, &[key_id], Some(&old)).await.refusal(), INVALID, "also one that was remembered");
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], Some(&new), 9));
    assert_eq!(running.acquire(&sealed, Some(&new)).await.status, StatusCode::OK);
    let now = running.clock.now();
    let again = running.home.retire_token_key(&kid_of(&old), now.saturating_add(DAY), now).await.unwrap_err();
    assert!(matches!(again, Error::TokenKey(TokenKeyFault::Unknown { .. })), "a date is not moved back: {again}");
    running.home.retire_token_key(&kid, now, now).await.unwrap();
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], Some(&new), 10));
    assert_eq!(running.acquire(&sealed, Some(&new)).await.refusal(), INVALID);
    let error = running.home.mint_token(&token_request(&["song"]), now, &mut Seeded::new(1)).await.unwrap_err();
    assert!(matches!(error, Error::TokenKey(TokenKeyFault::NoneSigns)), "{error}");
    assert_eq!((running.count("token-key-added").await, running.count("token-key-retired").await), (1, 2));
}

#[tokio::test]
async fn the_public_set_has_this_realms_keys_and_no_secret() {
    let running = Running::start().await;
    for algorithm in SHOPS {
        Shop::imported(&running, algorithm).await;
    }
    let kid = running.home.make_token_key(START, &mut Seeded::new(50)).await.unwrap();
    let get = async || {
        let answer = send(&mut connect(running.address).await, "GET", "/.well-known/jwks.json", &[], b"").await;
        assert_eq!(answer.headers["content-type"], "application/jwk-set+json");
        let set: Value = serde_json::from_slice(&answer.body).unwrap();
        set["keys"].as_array().unwrap().clone()
    };
    let keys = get().await;
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in &keys {
        let members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        assert_eq!((&key["alg"], &key["use"]), (&"ES256".into(), &"sig".into()));
        Imported::public_key(&key.to_string()).unwrap();
    }
    running.home.retire_token_key(&kid, START, START).await.unwrap();
    assert_eq!(get().await.len(), 1);
}

#[tokio::test]
async fn what_is_no_public_key_is_not_imported() {
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    Imported::public_key(pem).unwrap();
    let fault = |text: &str| Imported::public_key(text).unwrap_err();
    assert_eq!(fault(&pem.replace("PUBLIC", "PRIVATE")), TokenKeyFault::Private);
    assert_eq!(fault(&pem.replace("MCow", "MCoq")), TokenKeyFault::NotAKey);
    assert_eq!(fault("secret"), TokenKeyFault::NotAKey);
    assert_eq!(fault("{}"), TokenKeyFault::NotAKey);
    let x = URL_SAFE_NO_PAD.encode([7; 32]);
    assert_eq!(fault(&json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x }).to_string()), TokenKeyFault::Point);
    assert_eq!(fault(&json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" }).to_string()), TokenKeyFault::Point);
    let private = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "d": x });
    assert_eq!(fault(&private.to_string()), TokenKeyFault::Private);
    assert_eq!(fault(&json!({ "kty": "oct", "k": x }).to_string()), TokenKeyFault::Private);
    let rsa = json!({ "kty": "RSA", "n": x, "e": "AQAB" });
    assert_eq!(fault(&rsa.to_string()), TokenKeyFault::Algorithm);
    let other = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "alg": "HS256" });
    assert_eq!(fault(&other.to_string()), TokenKeyFault::Algorithm);
    assert_eq!(Imported::secret(&[1; 31]).unwrap_err(), TokenKeyFault::ShortSecret { found: 31 });

    let running = Running::start().await;
    let (own, long) = (format!("admit:{}", running.home.realm()), "x".repeat(201));
    for (issuer, kid, expected) in [
        ("", Some("a"), TokenKeyFault::Issuer),
        (&*long, Some("a"), TokenKeyFault::Issuer),
        (&*own, Some("a"), TokenKeyFault::Issuer),
        ("shop", Some(""), TokenKeyFault::Kid),
        ("shop", Some("a b"), TokenKeyFault::Kid),
        ("shop", None, TokenKeyFault::Kid),
    ] {
        let (secret, entropy) = (Imported::secret(&[1; 32]).unwrap(), &mut Seeded::new(8));
        let error = running.home.import_token_key(secret, issuer, kid, START, entropy).await.unwrap_err();
        assert!(matches!(&error, Error::TokenKey(fault) if *fault == expected), "{issuer} {kid:?}: {error}");
    }
    assert_eq!(running.count("token-key-added").await, 0);
}

/// A second server on the same database.
async fn second(running: &Running) -> std::net::SocketAddr {
    let home = Home::open(&running.path, PROVIDER).await.unwrap();
    let entropy = || -> Box<dyn admit_crypto::Entropy + Send> { Box::new(Seeded::new(9_999)) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Server::new(home, running.clock.clone(), entropy).serve(listener, std::future::pending()));
    address
}

#[tokio::test]
async fn the_last_use_is_given_once_also_by_two_servers() {
    let (running, client, key_id) = start().await;
    let shop = Shop::imported(&running, "HS256").await;
    let other = second(&running).await;
    let mut claims = shop.claims(&running);
    claims["uses"] = 3.into();
    let token = shop.token(&claims);
    let mut asks = JoinSet::new();
    let path = running.realm.address(admit_trust::Role::License).unwrap().to_owned();
    for nonce in 1..=24 {
        let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], Some(&token), nonce));
        let (address, path) = (if nonce % 2 == 0 { other } else { running.address }, path.clone());
        let bearer = format!("Bearer {token}");
        asks.spawn(async move {
            let headers = [("authorization", bearer.as_str())];
            let answer = send(&mut connect(address).await, "POST", &path, &headers, sealed.as_bytes()).await;
            (sealed, answer)
        });
    }
    let answers: Vec<(SealedChallenge, Answer)> = asks.join_all().await;
    let (given, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, answer)| answer.status == StatusCode::OK);
    assert_eq!((given.len(), refused.len()), (3, 21));
    for (_, answer) in refused {
        assert_eq!(answer.refusal(), (403, Code::ADMIT_E_TOKEN_USED_UP));
    }
    assert_eq!(running.count("licenses-issued").await, 3);
    // Whoever lost an answer asks with the same challenge again, and that takes no use.
    assert_eq!(running.acquire(&given[0].0, Some(&token)).await.status, StatusCode::OK);
    assert_eq!(running.count("licenses-issued").await, 3);
    // Another token of the same shop has uses of its own.
    claims["jti"] = "8".into();
    let token = shop.token(&claims);
    assert_eq!(running.ask(&client, &[key_id], Some(&token)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn uses_are_kept_when_the_server_starts_again_and_count_for_clearkey_too() {
    use admit_server::CLEARKEY_PATH;
    use admit_server::content::{Content, KeyClass};
    let running = Running::start().await;
    let content = Content { class: KeyClass::ClearKey, ..crate::harness::content(4, "song", false) };
    let (key, entropy) = (crate::harness::content_key(4), &mut Seeded::new(4));
    running.home.register_content_key(&content, &key, START, entropy).await.unwrap();
    let shop = Shop::imported(&running, "EdDSA").await;
    let mut claims = shop.claims(&running);
    claims["uses"] = 2.into();
    let bearer = format!("Bearer {}", shop.token(&claims));
    let body = json!({ "kids": [URL_SAFE_NO_PAD.encode([4; 16])] }).to_string();
    let ask = async |address| {
        let headers = [("authorization", bearer.as_str())];
        send(&mut connect(address).await, "POST", CLEARKEY_PATH, &headers, body.as_bytes()).await
    };
    assert_eq!(ask(running.address).await.status, StatusCode::OK);
    assert_eq!(ask(running.address).await.status, StatusCode::OK);
    let other = second(&running).await;
    assert_eq!(ask(other).await.refusal(), (403, Code::ADMIT_E_TOKEN_USED_UP));
    assert_eq!(running.count("clearkey-keys-given").await, 2);
    for wrong in [json!(0), json!(-1), json!("1"), json!(1.5), json!(4_294_967_296_u64)] {
        claims["uses"] = wrong;
        let bearer = format!("Bearer {}", shop.token(&claims));
        let headers = [("authorization", bearer.as_str())];
        let (mut connection, body) = (connect(running.address).await, body.as_bytes());
        let answer = send(&mut connection, "POST", CLEARKEY_PATH, &headers, body).await;
        assert_eq!(answer.refusal(), INVALID);
    }
}

#[tokio::test]
async fn a_key_added_or_retired_by_another_process_is_known_within_seconds() {
    let (running, client, key_id) = start().await;
    running.ask(&client, &[key_id], Some("x.y.z")).await;
    let elsewhere = Home::open(&running.path, PROVIDER).await.unwrap();
    let shop = Shop { algorithm: "HS256", kid: "late".into(), seed: [5; 32] };
    let (imported, entropy) = (Imported::secret(&shop.seed).unwrap(), &mut Seeded::new(8));
    elsewhere.import_token_key(imported, &shop.issuer(), Some("late"), START, entropy).await.unwrap();
    let token = shop.token(&shop.claims(&running));
    running.clock.advance(DAY / 17_280);
    assert_eq!(running.ask(&client, &[key_id], Some(&token)).await.status, StatusCode::OK);
    let now = running.clock.now();
    elsewhere.retire_token_key("late", now, now).await.unwrap();
    running.clock.advance(DAY / 17_280);
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], Some(&token), 2));
    assert_eq!(running.acquire(&sealed, Some(&token)).await.refusal(), INVALID);
}
