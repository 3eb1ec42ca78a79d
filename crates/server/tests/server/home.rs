//! Making and opening homes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use admit_crypto::{ContentKey, Digest};
use admit_license::header::{ContentHeader, HeaderFields, HeaderKey};
use admit_license::{KeyId, TrustedHeader};
use admit_protocol::Code;
use admit_protocol::realm::{Realm, claimed_fingerprint};
use admit_server::Error;
use admit_server::home::{Home, InitOptions, RootCustody, init, root_key};
use admit_trust::{Certificate, DateCheck, Role, SdkGeneration, role};

use crate::harness::{
    DAY, PROVIDER, START, Seeded, content, content_key, database_contains, new_home, on_postgres, options,
};

#[tokio::test]
async fn the_realm_document_holds_under_the_realms_fingerprint() {
    let (_folder, path, made) = new_home(1).await;
    let home = Home::open(&path, PROVIDER).await.unwrap();
    assert_eq!((home.realm(), home.name(), home.is_demonstration()), (made.realm, "Test label", true));
    assert_eq!(claimed_fingerprint(PROVIDER, &home.realm_document()), Ok(made.realm));
    let realm = Realm::verify(PROVIDER, &home.realm_document(), made.realm).unwrap();
    assert_eq!(realm.address(Role::License), Ok("/v1/licenses"));
    assert_eq!(realm.address(Role::Enrolment), Ok("/v1/enrol"));
    assert_eq!(realm.document().enrol_level, 150);
    let dates = DateCheck::At(START);
    let license = realm.certificate::<role::License>(PROVIDER, dates).unwrap();
    let enrolment = realm.certificate::<role::Enrolment>(PROVIDER, dates).unwrap();
    for (service, years, takes_challenges) in [(&*license, 1, true), (&*enrolment, 10, false)] {
        assert_eq!(service.not_after(), START.saturating_add(DAY * 366 * years));
        assert_eq!(service.properties().encryption_key.is_some(), takes_challenges);
    }
    let application = realm.application(PROVIDER, "admit", dates).unwrap().unwrap();
    assert_eq!(application.properties().security_level, Some(150));
    assert_eq!(application.properties().sdk_generation, Some(SdkGeneration::Newer));
    assert!(realm.root().certificate().not_after() > START.saturating_add(DAY * 365 * 20));
}

#[tokio::test]
async fn a_home_keeps_its_secrets_to_its_owner() {
    let (_folder, path, _) = new_home(1).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("secrets")), 0o700);
    assert_eq!(mode(&path.join("secrets/key-encryption-key")), 0o600);
    assert_eq!(std::fs::read(path.join("secrets/key-encryption-key")).unwrap().len(), 32);
    assert!(!path.join("root-key.pem").exists());
}

#[tokio::test]
async fn content_keys_are_not_in_the_database_in_clear() {
    let (_folder, path, _) = new_home(1).await;
    let home = Home::open(&path, PROVIDER).await.unwrap();
    let key = ContentKey::from_bytes(*b"0123456789abcdef");
    home.register_content_key(&content(1, "song", false), &key, START, &mut Seeded::new(9)).await.unwrap();
    home.close().await;
    assert!(database_contains(&path, b"song"));
    assert!(!database_contains(&path, key.expose()));
}

#[tokio::test]
async fn the_root_key_is_exported_under_the_passphrase_and_openssl_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    let root = RootCustody::Export { passphrase: "correct horse" };
    let made = init(&path, &options(root), PROVIDER, &mut Seeded::new(1)).await.unwrap();
    let file = made.root_key.unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let pem = std::fs::read_to_string(&file).unwrap();
    let key = root_key::import(&pem, "correct horse").unwrap();
    assert!(matches!(root_key::import(&pem, "wrong"), Err(Error::RootKey)));
    let home = Home::open(&path, PROVIDER).await.unwrap();
    assert!(!home.is_demonstration());
    assert_eq!(key.public_key(), *home.root().public_key());

    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).output().expect("openssl is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let file = file.to_str().unwrap();
    let from_key = openssl(&["pkey", "-in", file, "-passin", "pass:correct horse", "-pubout"]);
    let root = path.join("root.pem");
    let from_certificate = openssl(&["x509", "-in", root.to_str().unwrap(), "-noout", "-pubkey"]);
    assert_eq!(from_key, from_certificate);
}

#[tokio::test]
async fn what_is_already_there_is_left_alone() {
    let (_folder, path, made) = new_home(1).await;
    let again = init(&path, &options(RootCustody::Online), PROVIDER, &mut Seeded::new(2)).await;
    assert_eq!(again.unwrap_err().code(), Code::ADMIT_E_HOME_EXISTS);
    assert_eq!(Home::open(&path, PROVIDER).await.unwrap().realm(), made.realm);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    for taken in [folder.path(), &file] {
        let refused = init(taken, &options(RootCustody::Online), PROVIDER, &mut Seeded::new(2)).await;
        assert_eq!(refused.unwrap_err().code(), Code::ADMIT_E_HOME_EXISTS);
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

#[tokio::test]
async fn an_empty_folder_becomes_a_home_and_a_failure_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    std::fs::create_dir(&path).unwrap();
    let bad = InitOptions { public_address: Some("ftp://example.org"), ..options(RootCustody::Online) };
    let error = init(&path, &bad, PROVIDER, &mut Seeded::new(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ADMIT_E_CONFIGURATION);
    for name in ["", " padded", "two\nlines", &"x".repeat(41)] {
        let bad = InitOptions { name, ..options(RootCustody::Online) };
        let error = init(&path, &bad, PROVIDER, &mut Seeded::new(1)).await.unwrap_err();
        assert!(matches!(error, Error::Name { .. }), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    // What an interrupted attempt left behind does not stand in the way.
    std::fs::create_dir(folder.path().join(".home.partial")).unwrap();
    init(&path, &options(RootCustody::Online), PROVIDER, &mut Seeded::new(1)).await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    Home::open(&path, PROVIDER).await.unwrap();
}

#[tokio::test]
async fn a_name_may_hold_what_distinguished_names_escape() {
    for name in ["Söhne & Co. + \"friends\" #1; <a=b>\\", "x", &"é".repeat(40)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        let options = InitOptions { name, ..options(RootCustody::Online) };
        let made = init(&path, &options, PROVIDER, &mut Seeded::new(1)).await.unwrap();
        let home = Home::open(&path, PROVIDER).await.unwrap();
        let realm = Realm::verify(PROVIDER, &home.realm_document(), made.realm).unwrap();
        drop(realm.certificate::<role::Enrolment>(PROVIDER, DateCheck::At(START)).unwrap());
        assert_eq!(realm.document().name, name);
    }
}

#[tokio::test]
async fn a_home_that_is_missing_or_damaged_says_so() {
    let (_folder, path, _) = new_home(1).await;
    let open = async || Home::open(&path, PROVIDER).await.unwrap_err();
    let key_file = path.join("secrets/key-encryption-key");
    let key = std::fs::read(&key_file).unwrap();
    std::fs::write(&key_file, [7; 32]).unwrap();
    let error = open().await;
    assert!(matches!(error, Error::Damaged { table: "service_keys", column: "sealed_signing_key", .. }), "{error}");
    std::fs::write(&key_file, &key[1..]).unwrap();
    assert_eq!(open().await.code(), Code::ADMIT_E_FILE);
    std::fs::remove_file(&key_file).unwrap();
    assert_eq!(open().await.code(), Code::ADMIT_E_FILE);
    std::fs::write(&key_file, &key).unwrap();
    if !on_postgres() {
        std::fs::rename(path.join("admit.db"), path.join("elsewhere.db")).unwrap();
        assert_eq!(open().await.code(), Code::ADMIT_E_FILE);
        assert!(!path.join("admit.db").exists());
    }
    std::fs::remove_file(path.join("admit.toml")).unwrap();
    assert_eq!(open().await.code(), Code::ADMIT_E_NO_HOME);
}

#[tokio::test]
async fn a_key_id_stands_for_one_key_for_ever() {
    let (_folder, path, _) = new_home(1).await;
    let home = Home::open(&path, PROVIDER).await.unwrap();
    let song = content(1, "song", false);
    let (key, other_key) = (content_key(1), content_key(2));
    let register = async |content, key| home.register_content_key(content, key, START, &mut Seeded::new(9)).await;
    register(&song, &key).await.unwrap();
    register(&song, &key).await.unwrap();
    let refused = register(&song, &other_key).await.unwrap_err();
    assert!(matches!(refused, Error::KeyExists { key_id } if key_id == song.key_id));
    let mut opened = song.clone();
    opened.open = true;
    assert_eq!(register(&opened, &key).await.unwrap_err().code(), Code::ADMIT_E_KEY_EXISTS);
    assert_eq!(home.content(song.key_id).await.unwrap(), Some(song));
    assert_eq!(home.content(KeyId::from_bytes([9; 16])).await.unwrap(), None);
    assert_eq!(home.audit(0, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn b01_headers_are_signed_by_the_packaging_key() {
    let (_folder, path, _) = new_home(1).await;
    let home = Home::open(&path, PROVIDER).await.unwrap();
    let key = HeaderKey { key_id: KeyId::from_bytes([1; 16]), algorithm: None, checksum: None };
    let header = ContentHeader::new(HeaderFields { keys: vec![key], ..HeaderFields::default() }).unwrap();
    let object = home.sign_header(&header);
    let trusted = TrustedHeader::verify(PROVIDER, home.root(), &object, DateCheck::At(START)).unwrap().unwrap();
    let signer: &Certificate = trusted.signer();
    assert_eq!(signer.role(), Some(Role::Packaging));
}

#[tokio::test]
async fn only_a_client_that_exists_can_be_revoked() {
    let (_folder, path, _) = new_home(1).await;
    let home = Home::open(&path, PROVIDER).await.unwrap();
    let error = home.revoke_client(&Digest::from_bytes([1; 32]), None, START).await.unwrap_err();
    assert_eq!(error.code(), Code::ADMIT_E_CLIENT_CERTIFICATE_UNKNOWN);
}

#[tokio::test]
async fn a_public_address_with_more_than_a_host_makes_no_home() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    for address in ["https://drm.example.org/drm", "drm.example.org", "https://", "https://a b", "https://me@host"] {
        let wanted = InitOptions { public_address: Some(address), ..options(RootCustody::Online) };
        let refused = init(&path, &wanted, PROVIDER, &mut Seeded::new(1)).await;
        assert!(matches!(refused, Err(Error::Configuration { .. })), "{address}");
        assert!(!path.exists());
    }
}
