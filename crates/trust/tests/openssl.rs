//! Certificates as `openssl` sees them: the program must be on the path, because who checks our work must not be us.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use admit_testkit::FixtureRealm;
use admit_trust::Certificate;
use tempfile::TempDir;

struct Files {
    folder: TempDir,
    realm: FixtureRealm,
}

impl Files {
    fn new() -> Self {
        let (folder, realm) = (tempfile::tempdir().unwrap(), FixtureRealm::new(1));
        let client = realm.client(2, 150);
        let files = Self { folder, realm };
        files.write("root", files.realm.root.certificate());
        files.write("authority", &files.realm.enrolment.certificate);
        files.write("license", &files.realm.license.certificate);
        files.write("application", &files.realm.application.certificate);
        files.write("leaf", &client.chain[0]);
        files.write("stranger", FixtureRealm::new(9).root.certificate());
        files
    }

    fn write(&self, name: &str, certificate: &Certificate) {
        std::fs::write(self.path(name), certificate.to_pem()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name).with_extension("pem")
    }

    fn verify(&self, root: &str, untrusted: Option<&str>, leaf: &str, seconds_later: u64) -> Output {
        let time = (self.realm.now.unix_secs() + seconds_later).to_string();
        let mut arguments = vec!["verify".into(), "-check_ss_sig".into(), "-attime".into(), time.into()];
        arguments.extend(["-CAfile".into(), self.path(root).into_os_string()]);
        if let Some(untrusted) = untrusted {
            arguments.extend(["-untrusted".into(), self.path(untrusted).into_os_string()]);
        }
        arguments.push(self.path(leaf).into_os_string());
        Command::new("openssl").args(arguments).output().expect("openssl is on the path")
    }
}

fn text(path: &Path) -> String {
    let arguments = ["x509", "-noout", "-text", "-fingerprint", "-sha256", "-in"];
    let output = Command::new("openssl").args(arguments).arg(path).output().expect("openssl is on the path");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn openssl_verifies_our_chains() {
    let files = Files::new();
    let cases = [("leaf", Some("authority")), ("authority", None), ("license", None), ("application", None)];
    for (leaf, untrusted) in cases {
        let output = files.verify("root", untrusted, leaf, 60);
        assert!(output.status.success(), "{leaf}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).trim_end().ends_with(": OK"));
    }
}

#[test]
fn openssl_refuses_what_we_refuse() {
    let files = Files::new();
    assert!(!files.verify("root", None, "leaf", 60).status.success(), "the authority is missing");
    assert!(!files.verify("root", Some("license"), "leaf", 60).status.success(), "another authority");
    assert!(!files.verify("stranger", Some("authority"), "leaf", 60).status.success(), "another root, same name");
    assert!(!files.verify("root", None, "license", 10 * 366 * 86_400).status.success(), "expired");
}

#[test]
fn openssl_shows_names_dates_roles_and_properties() {
    let files = Files::new();
    let leaf = text(&files.path("leaf"));
    for expected in [
        "Version: 3 (0x2)",
        "Signature Algorithm: ecdsa-with-SHA256",
        "Subject: CN=client fixture",
        "Not Before: Jan  1 00:00:00 2026 GMT",
        "ASN1 OID: prime256v1",
        "CA:FALSE",
        "Digital Signature",
        "2.25.121598729630437506840114426981258188559.1.10",
        "2.25.121598729630437506840114426981258188559.2.2",
        "2.3.0.0",
    ] {
        // openssl 3 prints names with or without spaces around the equals sign.
        assert!(leaf.replace(" = ", "=").contains(expected), "{expected} is not in\n{leaf}");
    }
    let authority = text(&files.path("authority"));
    assert!(authority.contains("CA:TRUE, pathlen:0") && authority.contains("Certificate Sign"));
    assert!(text(&files.path("root")).contains("CA:TRUE, pathlen:1"));
}

#[test]
fn openssl_prints_the_fingerprint_that_names_the_realm() {
    let files = Files::new();
    let text = text(&files.path("root"));
    let line = text.lines().find(|line| line.to_lowercase().contains("fingerprint")).unwrap();
    let (_, fingerprint) = line.split_once('=').unwrap();
    assert_eq!(admit_crypto::Digest::from_hex(fingerprint), Some(files.realm.realm()));
}
