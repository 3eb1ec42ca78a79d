//! Keys at rest: rotation of the key-encryption key, interrupted anywhere.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use admit_license::KeyId;
use admit_server::Error;
use admit_server::home::{Environment, Home, RotationStep, restore};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::harness::{PROVIDER, START, Seeded, content, content_key, execute, new_home, on_postgres};

/// The same registration again opens what is sealed.
pub(crate) async fn register(home: &Home, numbers: impl IntoIterator<Item = u8>) {
    for number in numbers {
        let content = content(number, "film", true);
        let mut entropy = Seeded::new(number.into());
        home.register_content_key(&content, &content_key(number), START, &mut entropy).await.unwrap();
    }
}

async fn step(home: &Home, steps: usize, seed: u64) -> Vec<RotationStep> {
    let (mut rotation, mut entropy, mut done) = (home.rotate_key(), Seeded::new(seed), Vec::new());
    while done.len() < steps
        && let Some(step) = rotation.step(START, &mut entropy).await.unwrap()
    {
        done.push(step);
    }
    done
}

#[tokio::test]
async fn two_rotations_at_once_do_not_take_each_others_key_away() {
    let (_folder, path, _) = new_home(1).await;
    let (one, two) = (Home::open(&path, PROVIDER).await.unwrap(), Home::open(&path, PROVIDER).await.unwrap());
    register(&one, 0..3).await;
    let (mut first, mut second) = (one.rotate_key(), two.rotate_key());
    assert_eq!(first.step(START, &mut Seeded::new(1)).await.unwrap(), Some(RotationStep::Written));
    let refused = second.step(START, &mut Seeded::new(2)).await;
    assert!(matches!(refused, Err(Error::KeysInUse { .. })), "{refused:?}");
    let out = path.with_file_name("backup");
    let refused = one.backup(&out, true).await;
    assert!(on_postgres() || matches!(refused, Err(Error::KeysInUse { .. })), "{refused:?}");
    while first.step(START, &mut Seeded::new(3)).await.unwrap().is_some() {}
    drop(first);
    assert!(!step(&two, usize::MAX, 4).await.is_empty());
    register(&Home::open(&path, PROVIDER).await.unwrap(), 0..3).await;
}

pub(crate) fn key_files(path: &Path) -> Vec<String> {
    let names = std::fs::read_dir(path.join("secrets")).unwrap();
    let mut names: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_rotation_that_is_interrupted_after_any_step_loses_nothing_and_is_finished_by_the_next() {
    let (_folder, path, _) = new_home(1).await;
    let server = Home::open(&path, PROVIDER).await.unwrap();
    register(&server, 0..100).await;
    let all = step(&server, usize::MAX, 900).await;
    assert_eq!((all.first(), all.last()), (Some(&RotationStep::Written), Some(&RotationStep::Removed)), "{all:?}");
    assert!(
        all.contains(&RotationStep::Resealed { table: "content_keys", column: "sealed_key", rows: 100 }),
        "{all:?}"
    );
    for interrupted in 0..=all.len() {
        let before = std::fs::read(path.join("secrets/key-encryption-key")).unwrap();
        let number = u8::try_from(100 + interrupted).unwrap();
        let done = step(&server, interrupted, 1000 + u64::from(number)).await;
        assert_eq!(done.len(), interrupted);
        // A process that starts now, and one that has run all along, read and write.
        let started = Home::open(&path, PROVIDER).await.unwrap();
        register(&started, [0, 99]).await;
        register(&server, [0, number]).await;
        if done.last() != Some(&RotationStep::Removed) {
            let rest = step(&started, usize::MAX, 2000 + u64::from(number)).await;
            assert_eq!(rest.last(), Some(&RotationStep::Removed));
        }
        started.close().await;
        assert_ne!(std::fs::read(path.join("secrets/key-encryption-key")).unwrap(), before);
        assert_eq!(key_files(&path), ["key-encryption-key"]);
        let after = Home::open(&path, PROVIDER).await.unwrap();
        register(&after, 0..=number).await;
        let rotated = after.audit(0, 10_000).await.unwrap();
        let rotated = rotated.iter().filter(|entry| entry.event == "sealing-key-rotated").count();
        assert_eq!(rotated, interrupted + 2);
        after.close().await;
    }
}

/// The key is behind a pipe, as it may be in a token that takes its time.
#[tokio::test]
async fn others_write_while_a_new_key_is_waited_for_and_it_does_not_seal_if_it_was_replaced_meanwhile() {
    let (folder, path, _) = new_home(1).await;
    let server = Home::open(&path, PROVIDER).await.unwrap();
    let rotating = Home::open(&path, PROVIDER).await.unwrap();
    step(&rotating, 2, 900).await;
    let (next, kept) = (path.join("secrets/key-encryption-key.next"), folder.path().join("kept"));
    let key = std::fs::read(&next).unwrap();
    std::fs::rename(&next, &kept).unwrap();
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&next).status().unwrap().success());
    let waiting = spawn_blocking(move || Handle::current().block_on(register(&server, [7])));
    // Opens once the other end does.
    let pipe = next.clone();
    let mut pipe = spawn_blocking(move || File::options().write(true).open(pipe).unwrap()).await.unwrap();
    std::fs::rename(&kept, &next).unwrap();
    register(&rotating, [8]).await;
    step(&rotating, usize::MAX, 901).await;
    let mut rotation = rotating.rotate_key();
    while !matches!(
        rotation.step(START, &mut Seeded::new(902)).await.unwrap(),
        Some(RotationStep::Resealed { table: "content_keys", .. })
    ) {}
    pipe.write_all(&key).unwrap();
    drop(pipe);
    waiting.await.unwrap();
    while rotation.step(START, &mut Seeded::new(903)).await.unwrap().is_some() {}
    register(&Home::open(&path, PROVIDER).await.unwrap(), [7, 8]).await;
}

#[tokio::test]
async fn a_backup_after_any_step_of_a_rotation_is_restored_with_the_keys_that_it_names() {
    if on_postgres() {
        return;
    }
    let (folder, path, _) = new_home(1).await;
    let home = Home::open(&path, PROVIDER).await.unwrap();
    register(&home, 0..3).await;
    let all = step(&home, usize::MAX, 900).await.len();
    for interrupted in 0..=all {
        step(&home, interrupted, 1000 + interrupted as u64).await;
        for with_key in [false, true] {
            let name = |what: &str| folder.path().join(format!("{what}-{interrupted}-{with_key}"));
            let made = home.backup(&name("backup"), with_key).await.unwrap();
            assert_eq!(made.keys_left_out.is_empty(), with_key);
            let keys: Vec<_> = made.keys_left_out.iter().map(|key| path.join("secrets").join(key)).collect();
            for without in 0..keys.len() {
                let mut keys = keys.clone();
                keys.remove(without);
                let refused = restore(&name("backup"), &name("no"), &keys, PROVIDER, &Environment::default()).await;
                assert!(matches!(refused, Err(Error::NoKeyInBackup { .. } | Error::OtherKeyOfBackup { .. })));
            }
            restore(&name("backup"), &name("again"), &keys, PROVIDER, &Environment::default()).await.unwrap();
            let restored = Home::open(&name("again"), PROVIDER).await.unwrap();
            register(&restored, 0..3).await;
            step(&restored, usize::MAX, 2000 + interrupted as u64).await;
            assert_eq!(key_files(&name("again")), ["key-encryption-key"]);
            register(&Home::open(&name("again"), PROVIDER).await.unwrap(), 0..3).await;
        }
        step(&home, usize::MAX, 3000 + interrupted as u64).await;
    }
}

#[tokio::test]
async fn many_rows_are_sealed_again_some_at_a_time() {
    let (_folder, path, _) = new_home(1).await;
    let home = Home::open(&path, PROVIDER).await.unwrap();
    register(&home, 0..=255).await;
    let steps = step(&home, usize::MAX, 900).await;
    let rows = |step: &RotationStep| match step {
        RotationStep::Resealed { table: "content_keys", rows, .. } => Some(*rows),
        _ => None,
    };
    assert_eq!(steps.iter().filter_map(rows).collect::<Vec<_>>(), [200, 56]);
    let other = Home::open(&path, PROVIDER).await.unwrap();
    register(&other, 0..=255).await;
}

#[tokio::test]
async fn without_the_key_that_seals_nothing_is_sealed() {
    let (_folder, path, _) = new_home(1).await;
    let home = Home::open(&path, PROVIDER).await.unwrap();
    assert_eq!(execute(&path, "UPDATE realm SET sealing_key = fingerprint").await, 1);
    let key = content_key(1);
    let refused = home.register_content_key(&content(1, "film", true), &key, START, &mut Seeded::new(1)).await;
    assert!(matches!(refused, Err(Error::NoSealingKey { id }) if id == home.realm()), "{refused:?}");
    assert_eq!(home.content(KeyId::from_bytes([1; 16])).await.unwrap(), None);
}
