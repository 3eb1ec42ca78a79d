//! The key-encryption key under a key in a PKCS#11 token: rotation interrupted anywhere, and keys that will not do.

use std::path::{Path, PathBuf};
use std::process::Command;

use admit_server::Error;
use admit_server::home::{
    Environment, Home, InitOptions, InitToken, KeyCustody, Pin, Pkcs11, RootCustody, RotationStep, check_token, init,
};
use admit_server::pkcs11::Pkcs11Fault;
use admit_testkit::{Postgres, SoftHsm};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Module};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

use crate::harness::{PROVIDER, START, Seeded, on_postgres, options};
use crate::keys::{key_files, register};

/// The folder of the test's token, where this is the process that has it. Otherwise the test is run in a process of its
/// own, because a process has one configuration of SoftHSM2.
#[expect(clippy::disallowed_methods, reason = "a process is told by its environment where its token is")]
fn own_process(test: &str) -> Option<PathBuf> {
    if let Ok(folder) = std::env::var(FOLDER) {
        return Some(folder.into());
    }
    let folder = tempfile::tempdir().unwrap();
    let hsm = SoftHsm::new(folder.path());
    hsm.make_token(TOKEN, PIN);
    hsm.make_token("twin", PIN);
    hsm.make_token("twin", PIN);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("pkcs11::{test}"), "--nocapture"]);
    command.env(FOLDER, folder.path()).env(SoftHsm::VARIABLE, hsm.configuration());
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
    None
}

fn settings(key: &str) -> Pkcs11 {
    Pkcs11 { module: SoftHsm::MODULE.into(), token: TOKEN.into(), key: key.into(), pin: Pin::new(PIN) }
}

/// A home under the token's key of this label.
async fn home_under(folder: &Path, key: &str) -> PathBuf {
    let (path, pin_file) = (folder.join("home"), folder.join("pin"));
    std::fs::write(&pin_file, PIN).unwrap();
    let database = on_postgres().then(|| Postgres::shared().database());
    let settings = settings(key);
    let token = Some(InitToken { settings: &settings, pin_file: Some(&pin_file), create_key: true });
    let wanted = InitOptions { database_url: database.as_deref(), token, ..options(RootCustody::Online) };
    init(&path, &wanted, PROVIDER, &mut Seeded::new(1)).await.unwrap();
    path
}

async fn open(path: &Path) -> Home {
    Home::open(path, PROVIDER).await.unwrap()
}

/// So many steps of a rotation to there.
async fn step(home: &Home, custody: KeyCustody, steps: usize, seed: u64) -> Vec<RotationStep> {
    let mut rotation = home.rotate_key().into_custody(custody).creating_key();
    let (mut entropy, mut done) = (Seeded::new(seed), Vec::new());
    while done.len() < steps
        && let Some(step) = rotation.step(START, &mut entropy).await.unwrap()
    {
        done.push(step);
    }
    done
}

fn change_key(path: &Path, from: &str, to: &str) {
    let file = path.join("admit.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (from, to) = (format!("key = \"{from}\""), format!("key = \"{to}\""));
    assert!(text.contains(&from), "{text}");
    std::fs::write(&file, text.replace(&from, &to)).unwrap();
}

/// Into the token, to another of its keys, and out of it: after any step, a server that started before, one that starts
/// now and the next rotation, wherever that goes, have all keys.
#[tokio::test]
async fn a_rotation_into_or_out_of_a_token_that_is_interrupted_after_any_step_loses_nothing() {
    let Some(folder) =
        own_process("a_rotation_into_or_out_of_a_token_that_is_interrupted_after_any_step_loses_nothing")
    else {
        return;
    };
    let path = home_under(&folder, "key-0").await;
    let server = open(&path).await;
    register(&server, 0..3).await;
    let all = step(&server, KeyCustody::Token, usize::MAX, 1).await.len();
    let mut label = 0;
    for interrupted in 0..=all {
        for (round, (first, then)) in
            [(KeyCustody::File, KeyCustody::Token), (KeyCustody::Token, KeyCustody::File)].into_iter().enumerate()
        {
            let seed = u64::try_from(10_000 + 100 * interrupted + 10 * round).unwrap();
            change_key(&path, &format!("key-{label}"), &format!("key-{}", label + 1));
            label += 1;
            let home = open(&path).await;
            step(&home, first, interrupted, seed).await;
            let started = open(&path).await;
            register(&started, [0, 2]).await;
            let number = u8::try_from(10 + label).unwrap();
            register(&server, [0, number]).await;
            let rest = step(&started, then, usize::MAX, seed + 1).await;
            assert_eq!(rest.last(), Some(&RotationStep::Removed));
            assert_eq!(started.key_custody().unwrap(), then);
            assert_eq!(key_files(&path), ["key-encryption-key"]);
            register(&server, [0, 1, 2, number]).await;
            register(&open(&path).await, [0, 1, 2, number]).await;
            home.close().await;
            started.close().await;
        }
    }
}

/// A rotation into the token that was only begun, and then the token is unplugged, its PIN another one, or `[pkcs11]` gone.
#[tokio::test]
async fn a_token_that_is_gone_is_missed_only_by_what_is_under_its_key() {
    let Some(folder) = own_process("a_token_that_is_gone_is_missed_only_by_what_is_under_its_key") else { return };
    let path = home_under(&folder, "key").await;
    let home = open(&path).await;
    step(&home, KeyCustody::File, usize::MAX, 1).await;
    register(&home, 0..3).await;
    let (file, pin_file) = (path.join("admit.toml"), folder.join("pin"));
    let settings = std::fs::read_to_string(&file).unwrap();
    let unplugged = settings.replace(&format!("token = \"{TOKEN}\""), "token = \"gone\"");
    let (without, _) = settings.split_once("[pkcs11]").unwrap();
    let cases = [(unplugged.as_str(), PIN), (settings.as_str(), "1357924680"), (without, PIN)];
    for (seed, (changed, pin)) in (2..).step_by(2).zip(cases) {
        step(&home, KeyCustody::Token, 1, seed).await;
        assert_eq!(key_files(&path), ["key-encryption-key", "key-encryption-key.next"]);
        std::fs::write(&file, changed).unwrap();
        std::fs::write(&pin_file, pin).unwrap();
        let started = open(&path).await;
        register(&started, 0..3).await;
        started.reload().await.unwrap();
        if changed != without {
            let mut rotation = started.rotate_key().into_custody(KeyCustody::Token);
            let refused = rotation.step(START, &mut Seeded::new(seed)).await;
            assert!(matches!(refused, Err(Error::Pkcs11(_))), "{refused:?}");
        }
        step(&started, KeyCustody::File, usize::MAX, seed + 1).await;
        assert_eq!(key_files(&path), ["key-encryption-key"]);
        register(&open(&path).await, 0..3).await;
        std::fs::write(&file, &settings).unwrap();
        std::fs::write(&pin_file, PIN).unwrap();
    }
}

/// A session of the token's user, to make keys that this program would not make.
fn session(token: &str) -> Session {
    let module = Module::new(SoftHsm::MODULE).unwrap();
    // The program may have done that already.
    let _ = module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
    let slots = module.get_slots_with_initialized_token().unwrap();
    let slot = slots.into_iter().find(|slot| module.get_token_info(*slot).unwrap().label() == token).unwrap();
    let session = module.open_rw_session(slot).unwrap();
    let _ = session.login(UserType::User, Some(&AuthPin::new(PIN.into())));
    session
}

fn make_key(label: &str, bytes: u64, is_extractable: bool) {
    let attributes = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen(bytes.into()),
        Attribute::Label(label.into()),
        Attribute::Token(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(is_extractable),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
    ];
    session(TOKEN).generate_key(&Mechanism::AesKeyGen, &attributes).unwrap();
}

/// What opening a new home under the key of this label says.
async fn refused(folder: &Path, wanted: &Pkcs11) -> Pkcs11Fault {
    let token = Some(InitToken { settings: wanted, pin_file: None, create_key: false });
    let wanted = InitOptions { token, ..options(RootCustody::Online) };
    match init(&folder.join("none"), &wanted, PROVIDER, &mut Seeded::new(1)).await {
        Err(Error::Pkcs11(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn keys_and_tokens_that_will_not_do_are_told_apart() {
    let Some(folder) = own_process("keys_and_tokens_that_will_not_do_are_told_apart") else { return };
    make_key("short", 16, false);
    make_key("double", 32, false);
    make_key("double", 32, false);
    let key = |label: &str| label.to_owned();
    assert_eq!(refused(&folder, &settings("short")).await, Pkcs11Fault::KeyUnsuitable { key: key("short") });
    let ambiguous = Pkcs11Fault::KeyAmbiguous { token: key(TOKEN), key: key("double") };
    assert_eq!(refused(&folder, &settings("double")).await, ambiguous);
    let absent = Pkcs11Fault::KeyAbsent { token: key(TOKEN), key: key("none") };
    assert_eq!(refused(&folder, &settings("none")).await, absent);
    let twin = Pkcs11 { token: key("twin"), ..settings("none") };
    assert_eq!(refused(&folder, &twin).await, Pkcs11Fault::TokenAmbiguous { label: key("twin") });
    let wrong = Pkcs11 { pin: Pin::new("1"), ..settings("none") };
    assert_eq!(refused(&folder, &wrong).await, Pkcs11Fault::PinWrong { token: key(TOKEN) });
    assert!(!folder.join("none").exists());
}

#[tokio::test]
async fn an_extractable_key_is_told_and_one_that_this_program_made_is_not() {
    let Some(folder) = own_process("an_extractable_key_is_told_and_one_that_this_program_made_is_not") else { return };
    let path = home_under(&folder, "made").await;
    let report = || check_token(&path, PROVIDER, &Environment::default()).unwrap().unwrap();
    assert!(!report().is_extractable && !report().is_under_another);
    make_key("loose", 32, true);
    change_key(&path, "made", "loose");
    assert!(report().is_extractable && report().is_under_another);
}

#[tokio::test]
async fn another_key_of_the_same_label_opens_nothing() {
    let Some(folder) = own_process("another_key_of_the_same_label_opens_nothing") else { return };
    let path = home_under(&folder, "key").await;
    open(&path).await.close().await;
    {
        let session = session(TOKEN);
        let found = session.find_objects(&[Attribute::Label("key".into())]).unwrap();
        session.destroy_object(found[0]).unwrap();
    }
    let fault = |error: Error| match error {
        Error::Pkcs11(fault) => fault,
        other => panic!("{other:?}"),
    };
    let absent = fault(Home::open(&path, PROVIDER).await.unwrap_err());
    assert_eq!(absent, Pkcs11Fault::KeyAbsent { token: TOKEN.to_owned(), key: "key".to_owned() });
    make_key("key", 32, false);
    let other = fault(Home::open(&path, PROVIDER).await.unwrap_err());
    assert!(matches!(other, Pkcs11Fault::DoesNotOpen { .. }), "{other:?}");
}

const TOKEN: &str = "admit";
const PIN: &str = "246813579";
const FOLDER: &str = "ADMIT_TEST_TOKEN";
