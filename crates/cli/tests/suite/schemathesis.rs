//! The real server under requests that schemathesis makes of its description, right ones and wrong ones: every answer must be
//! as described, and none may say that the server failed. `ADMIT_SCHEMATHESIS` names the program, else it is looked for on
//! the path; without it this test fails, and `cargo check-all` sees to it.

use std::path::Path;
use std::process::Command;

use crate::world::World;

#[test]
fn whatever_is_asked_the_answer_is_as_described_and_never_a_failure() {
    let world = World::new();
    let made = world.admit(&["admin", "token", "make", "schemathesis", "--home", "home", "--json"]).json();
    let bearer = format!("Authorization: Bearer {}", made["token"].as_str().unwrap());
    for file in ["schemathesis.toml", "hooks.py"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis").join(file);
        std::fs::copy(from, world.path(file)).unwrap();
    }
    let program = std::env::var("ADMIT_SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".into());
    let mut command = Command::new(program);
    command.current_dir(world.folder.path()).args(["run", &format!("http://{}/openapi.json", world.address())]);
    let output = command.args(["--header", &bearer]).output().expect("schemathesis is installed");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    let tested = format!("Tested: {}", operations(&world));
    assert!(report.contains(&tested) && report.contains("No issues found"), "{report}");
}

/// How many operations are described, but for the one that answers the description, which it asks anyway.
fn operations(world: &World) -> usize {
    let description: serde_json::Value = serde_json::from_slice(&world.get("/openapi.json")).unwrap();
    let paths = description["paths"].as_object().unwrap().iter().filter(|(path, _)| *path != "/openapi.json");
    paths.map(|(_, operations)| operations.as_object().unwrap().len()).sum()
}
