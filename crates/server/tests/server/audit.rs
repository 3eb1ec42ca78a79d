//! The audit log.

use admit_server::audit::{AuditFault, AuditVerdict};

use crate::harness::{Running, execute, on_postgres};

#[tokio::test]
async fn the_log_says_what_was_issued_to_whom_and_is_whole() {
    let running = with_some_entries().await;
    let entries = running.home.audit(0, 100).await.unwrap();
    let events: Vec<&str> = entries.iter().map(|entry| entry.event.as_str()).collect();
    let expected = ["home-made", "client-enrolled", "content-key-registered", "token-made", "licenses-issued"];
    assert_eq!(events, expected);
    let issued = entries.last().unwrap();
    let detail: serde_json::Value = serde_json::from_str(&issued.detail_json).unwrap();
    assert_eq!(detail["buyer"], "buyer-1");
    assert_eq!(detail["licenses"][0]["content"], "song");
    assert_eq!(detail["licenses"][0]["rights"], 3);
    let verdict = running.home.verify_audit().await.unwrap();
    assert_eq!(verdict, AuditVerdict::Whole { entries: 5, head: issued.hash });
    assert_eq!(running.home.audit(3, 1).await.unwrap(), entries[3..4]);
}

#[tokio::test]
async fn a_changed_or_missing_entry_is_found_where_it_is() {
    let cases = [
        ("UPDATE audit SET subject = 'someone else' WHERE seq = 2", 2, AuditFault::Hash),
        ("UPDATE audit SET detail_json = '{}' WHERE seq = 5", 5, AuditFault::Hash),
        ("UPDATE audit SET event = 'x' WHERE seq = 3", 3, AuditFault::Hash),
        ("UPDATE audit SET at = at + 1 WHERE seq = 4", 4, AuditFault::Hash),
        ("UPDATE audit SET hash = ZEROS WHERE seq = 4", 4, AuditFault::Hash),
        ("UPDATE audit SET previous_hash = ZEROS WHERE seq = 1", 1, AuditFault::PreviousHash),
        ("DELETE FROM audit WHERE seq = 3", 3, AuditFault::Missing),
    ];
    for (change, seq, fault) in cases {
        let running = with_some_entries().await;
        let bytes = if on_postgres() { "decode(repeat('00', 32), 'hex')" } else { "zeroblob(32)" };
        assert_eq!(execute(&running.path, &change.replace("ZEROS", bytes)).await, 1);
        let verdict = running.home.verify_audit().await.unwrap();
        assert_eq!(verdict, AuditVerdict::Broken { seq, fault }, "{change}");
    }
}

async fn with_some_entries() -> Running {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", false).await);
    let token = running.token(&["song"], None).await;
    assert!(running.ask(&client, &[key_id], Some(&token)).await.status.is_success());
    running
}
