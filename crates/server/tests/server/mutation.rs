//! One changed byte anywhere in a challenge: refused, and nothing is written.

use admit_protocol::Code;
use admit_trust::Role;

use crate::harness::{Running, challenge, connect, send};

#[tokio::test]
async fn every_changed_byte_of_a_sealed_challenge_is_refused_and_writes_nothing() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], None, 1));
    let before = running.home.audit(0, 1000).await.unwrap();
    let path = running.realm.address(Role::License).unwrap();
    let mut connection = connect(running.address).await;
    for at in 0..sealed.as_bytes().len() {
        let mut changed = sealed.as_bytes().to_vec();
        changed[at] ^= 1 << (at % 8);
        let answer = send(&mut connection, "POST", path, &[], &changed).await;
        let (status, code) = answer.refusal();
        assert!((400..500).contains(&status), "byte {at}: {status} {code}");
    }
    for length in (0..sealed.as_bytes().len()).step_by(7) {
        let answer = send(&mut connection, "POST", path, &[], &sealed.as_bytes()[..length]).await;
        assert_eq!(answer.refusal(), (400, Code::ADMIT_E_MALFORMED_MESSAGE), "{length} bytes");
    }
    assert_eq!(running.home.audit(0, 1000).await.unwrap(), before);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_not_read() {
    let running = Running::start().await;
    let answer = running.post(Role::License, &[], &vec![0; 33 * 1024]).await;
    assert_eq!(answer.refusal(), (413, Code::ADMIT_E_BODY_TOO_LONG));
}
