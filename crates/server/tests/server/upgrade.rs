//! A newer program brings the database's schema up to date while servers of this version run.

use admit_protocol::Code;
use admit_server::home::Home;
use hyper::StatusCode;

use crate::harness::{PROVIDER, Running, execute};

/// Steps of the schema only add: this server names every column that it reads and writes, and goes on. What it does not do
/// is start on a schema that it does not know.
#[tokio::test]
async fn a_server_goes_on_while_a_newer_program_adds_to_the_schema() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    assert_eq!(running.ask(&client, &[key_id], None).await.status, StatusCode::OK);
    for step in [
        "ALTER TABLE acquisitions ADD COLUMN later BIGINT",
        "ALTER TABLE audit ADD COLUMN later TEXT",
        "ALTER TABLE clients ADD COLUMN later BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE content_keys ADD COLUMN later TEXT",
        "ALTER TABLE realm ADD COLUMN later TEXT",
        "CREATE TABLE later (id BIGINT PRIMARY KEY)",
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT version + 1, 'later', success, checksum, 0 FROM _sqlx_migrations",
    ] {
        execute(&running.path, step).await;
        assert_eq!(running.ask(&client, &[key_id], None).await.status, StatusCode::OK, "{step}");
    }
    let other = running.enrol(2).await;
    let other_key = running.register(2, "film", true).await;
    assert_eq!(running.ask(&other, &[other_key], None).await.status, StatusCode::OK);
    assert_eq!(running.count("licenses-issued").await, 9);
    let refused = Home::open(&running.path, PROVIDER).await.unwrap_err();
    assert_eq!(refused.code(), Code::ADMIT_E_STORE_VERSION);
}
