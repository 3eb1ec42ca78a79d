//! Settings: where they come from, what is refused, and that the sample and the docs say what holds.

use std::path::Path;
use std::time::Duration;

use admit_server::Error;
use admit_server::Location;
use admit_server::home::{
    Config, Environment, Home, InitOptions, Mistake, Origin, Pin, PolicyPaths, RootCustody, Time, init,
};

use crate::harness::{PROVIDER, Seeded, options};

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<Mistake>> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::read(text, Path::new("admit.toml"), &Environment::new(variables))
}

/// Line or variable, and key, of each mistake.
fn places(mistakes: &[Mistake]) -> Vec<(String, Option<&str>)> {
    let place = |mistake: &Mistake| match &mistake.origin {
        Origin::File { line, .. } => line.to_string(),
        Origin::Variable { name } => name.clone(),
        Origin::Argument => "argument".to_owned(),
    };
    mistakes.iter().map(|mistake| (place(mistake), mistake.key.as_deref())).collect()
}

#[test]
fn settings_are_read_and_wrong_ones_named_with_their_line() {
    assert_eq!(read("", &[]).unwrap(), Config::default());
    let set = "listen = \"0.0.0.0:80\"\npublic_address = \"https://drm.example.org\"\n[enrolment]\nburst = 7\n";
    let config = read(set, &[]).unwrap();
    assert_eq!((config.listen.port(), config.enrolment_burst), (80, 7));
    assert_eq!(config.public_address.as_deref(), Some("https://drm.example.org"));
    let cases = [
        ("\nlisten = \"here\"", 2, Some("listen")),
        ("public_address = \"drm.example.org\"", 1, Some("public_address")),
        ("\n\n[enrolment]\nburst = 0", 4, Some("enrolment.burst")),
        ("[enrolment]\nper_address_per_hour = -1", 2, Some("enrolment.per_address_per_hour")),
        ("[tokens]\nmaximum_lifetime_days = 99999", 2, Some("tokens.maximum_lifetime_days")),
        ("[http]\nheader_timeout_secs = 0", 2, Some("http.header_timeout_secs")),
        ("[database]\nurl = \"mysql://x\"", 2, Some("database.url")),
        ("\nlisen = \"127.0.0.1:80\"", 2, Some("lisen")),
        ("[http]\nmaximum_connections = \"many\"", 2, Some("http.maximum_connections")),
        ("[traces]\nendpoint = \"traces.example:4318\"", 2, Some("traces.endpoint")),
        ("[traces]\nendpoint = \"grpc://traces.example\"", 2, Some("traces.endpoint")),
        ("[traces]\nendpoint = \"http://me:secret@traces.example\"", 2, Some("traces.endpoint")),
        ("[traces]\nendpoint = \"http://traces.example:99999\"", 2, Some("traces.endpoint")),
        ("[traces]\nendpoint = \"http://traces.example/?key=secret\"", 2, Some("traces.endpoint")),
        ("[traces]\nservice_name = \"\"", 2, Some("traces.service_name")),
        ("[traces]\nsample = 1.01", 2, Some("traces.sample")),
        ("[traces]\nsample = nan", 2, Some("traces.sample")),
        ("[traces]\nsample = \"all\"", 2, Some("traces.sample")),
        ("[traces]\naccept_traceparent = 1", 2, Some("traces.accept_traceparent")),
        ("[policy]\nscript = \"\"", 2, Some("policy.script")),
        ("[policy]\nscript = \"a.rhai\"\nrules = \"b.toml\"", 1, Some("policy.script")),
        ("http = 3", 1, Some("http")),
        ("listen = ", 1, None),
    ];
    for (text, line, key) in cases {
        let mistakes = read(text, &[]).unwrap_err();
        assert_eq!(places(&mistakes)[0], (line.to_string(), key), "{text}: {mistakes:?}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = "lisen = \"127.0.0.1:80\"\npublic_address = 7\n\n[http]\nrequest_timeout_secs = 0\n[enrollment]\n\
                burst = 3\n[tokens]\nmaximum_lifetime_days = x\n";
    let mistakes = read(text, &[("ADMIT_HTTP__HEADER_TIMEOUT", "5"), ("ADMIT_LISTEN", "nowhere")]).unwrap_err();
    let lines: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
    assert!(lines[0].starts_with("admit.toml, line 1, `lisen`: ") && lines[0].contains("`listen`?"), "{lines:?}");
    assert!(lines[1].starts_with("admit.toml, line 2, `public_address`: "), "{lines:?}");
    assert!(lines[2].starts_with("admit.toml, line 5, `http.request_timeout_secs`: "), "{lines:?}");
    assert!(lines[3].starts_with("admit.toml, line 7, `enrollment.burst`: "), "{lines:?}");
    assert!(lines[3].contains("`enrolment.burst`?"), "{lines:?}");
    assert!(lines[4].starts_with("admit.toml, line 9: "), "{lines:?}");
    assert_eq!(lines.len(), 7, "{lines:?}");
    let variables: Vec<&String> = lines.iter().filter(|line| line.starts_with("the environment's ")).collect();
    assert_eq!(variables.len(), 2, "{lines:?}");
    assert!(variables[0].contains("`ADMIT_HTTP__HEADER_TIMEOUT_SECS`?"), "{variables:?}");
    assert!(variables[1].starts_with("the environment's ADMIT_LISTEN, `listen`: "), "{variables:?}");
}

#[test]
fn the_environment_overrides_every_setting() {
    let values = [
        ("listen", "127.0.0.1:9"),
        ("public_address", "https://other.example.org"),
        ("database.url", "postgres://other"),
        ("cors.origins", "https://a.example, https://b.example"),
        ("log.format", "json"),
        ("log.level", "warn"),
        ("metrics.listen", "127.0.0.1:9"),
        ("time.http", "0.0.0.0:7449"),
        ("time.udp", "127.0.0.1:9"),
        ("traces.endpoint", "https://traces.example/otlp"),
        ("traces.sample", "0.5"),
        ("traces.accept_traceparent", "true"),
        ("recovery.address", "https://shop.example.org/machines"),
        ("recovery.counted", "true"),
        ("clock.max_jump_secs", "86400"),
        ("clock.max_uncertainty_secs", "60"),
    ];
    let text = "listen = \"127.0.0.1:8\"\n[database]\nurl = \"postgres://one\"\n[tls]\ncertificate = \"c\"\nkey = \"k\"\n\
                [pkcs11]\nmodule = \"m\"\ntoken = \"t\"\nkey = \"k\"\npin = \"1\"";
    let file: Config = read(text, &[]).unwrap();
    for setting in Config::described() {
        let value = values.iter().find(|(key, _)| *key == setting.key).map_or("11", |(_, value)| value);
        let changed = read(text, &[(&setting.variable, value)]).unwrap();
        assert_ne!(changed, file, "{}", setting.variable);
        // Half a certificate is of no use, nor is a part of a token.
        let alone = read("", &[(&setting.variable, value)]);
        let is_part = setting.key.starts_with("tls.") || setting.key.starts_with("pkcs11.");
        assert_eq!(alone.is_ok(), !is_part, "{}", setting.variable);
    }
    // What is somebody else's is left alone; what can only be meant for settings is not.
    assert!(read("", &[("ADMIT_HOME", "/home"), ("ADMIT_OPERATOR_TOKEN", "x"), ("HOME", "/")]).is_ok());
    assert_eq!(read("", &[("ADMIT_COLOUR__RED", "1")]).unwrap_err().len(), 1);
}

#[test]
fn a_secret_can_come_from_a_file_or_a_credential() {
    let folder = tempfile::tempdir().unwrap();
    let (path, url) = (folder.path().join("admit.toml"), "postgres://admit:pw@db/admit");
    std::fs::write(folder.path().join("url"), format!("{url}\n")).unwrap();
    let read = |text: &str, variables: &[(&str, &str)]| {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(text, &path, &Environment::new(variables))
    };
    let expected = Some(Location::Postgres(url.to_owned()));
    assert_eq!(read("[database]\nurl_file = \"url\"", &[]).unwrap().database, expected);
    let by_variable = read("", &[("ADMIT_DATABASE__URL_FILE", folder.path().join("url").to_str().unwrap())]);
    assert_eq!(by_variable.unwrap().database, expected);

    let credentials = folder.path().join("credentials");
    std::fs::create_dir(&credentials).unwrap();
    let variable = ("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap());
    assert_eq!(read("", &[variable]).unwrap().database, None);
    std::fs::write(credentials.join("database.url"), url).unwrap();
    assert_eq!(read("", &[variable]).unwrap().database, expected);
    let set = read("[database]\nurl = \"postgres://set\"", &[variable]).unwrap();
    assert_eq!(set.database, Some(Location::Postgres("postgres://set".into())), "what is set comes first");

    let mistakes = read("[database]\nurl = \"postgres://set\"\nurl_file = \"url\"", &[]).unwrap_err();
    assert!(mistakes[0].reason.contains("twice"), "{mistakes:?}");
    let mistakes = read("[database]\nurl_file = \"missing\"", &[]).unwrap_err();
    assert_eq!(places(&mistakes), [("2".to_owned(), Some("database.url"))]);
    // A value that is refused is not told: it may be a secret.
    std::fs::write(folder.path().join("url"), "hunter2").unwrap();
    let mistakes = read("[database]\nurl_file = \"url\"", &[]).unwrap_err();
    assert!(!format!("{mistakes:?}").contains("hunter2"), "{mistakes:?}");
    assert!(!format!("{:?}", Environment::new([("ADMIT_X".into(), "hunter2".into())])).contains("hunter2"));
}

#[tokio::test]
async fn the_written_settings_are_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    let address = Some("https://drm.example.org:8443");
    let wanted = InitOptions { public_address: address, ..options(RootCustody::Online) };
    init(&path, &wanted, PROVIDER, &mut Seeded::new(1)).await.unwrap();
    let home = Home::open(&path, PROVIDER).await.unwrap();
    let time = Time { largest_error_secs: Some(2), ..Time::default() };
    let policy = |home: &Path| PolicyPaths { script: Some(home.join("policy.rhai")), rules: None };
    let expected = |home: &Path| {
        let public_address = address.map(str::to_owned);
        Config { public_address, time, policy: policy(home), ..Config::default() }
    };
    assert_eq!(*home.config(), expected(&path));
    // Every line that is commented out is a setting with its default, or with an example where there is none.
    let text = std::fs::read_to_string(path.join("admit.toml")).unwrap();
    let setting = |line: &str| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).map(str::to_owned);
    let examples = [
        "url",
        "certificate",
        "key",
        "module",
        "token",
        "pin",
        "endpoint",
        "rules",
        "listen = \"127.0.0.1:7448\"",
        "address = \"https://shop",
        "radius_secs",
        "http = ",
        "udp",
    ];
    let is_example = |line: &str| examples.iter().any(|example| line.starts_with(example));
    let without_examples: Vec<String> = text
        .lines()
        .map(|line| setting(line).filter(|rest| !is_example(rest)).unwrap_or_else(|| line.to_owned()))
        .collect();
    assert_eq!(read(&without_examples.join("\n"), &[]).unwrap(), expected(Path::new("")));
    // Rules are instead of a script.
    let with_examples: Vec<String> = text
        .lines()
        .map(|line| setting(line).filter(|rest| !rest.starts_with("rules")).unwrap_or_else(|| line.to_owned()))
        .collect();
    assert!(read(&with_examples.join("\n"), &[]).unwrap().database.is_some());
    let shown = text.lines().filter(|line| line.contains(" = ")).count();
    assert_eq!(shown, Config::described().len());
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
}

#[test]
fn a_pin_is_never_shown_and_its_file_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let pin = folder.path().join("pin");
    std::fs::write(&pin, "hunter2\n").unwrap();
    let text = "[pkcs11]\nmodule = \"m.so\"\ntoken = \"t\"\nkey = \"k\"\npin_file = \"pin\"";
    let config = Config::read(text, &folder.path().join("admit.toml"), &Environment::default()).unwrap();
    assert_eq!(config.pkcs11.as_ref().unwrap().pin, Pin::new("hunter2"));
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(config.secret_files, [pin]);
    assert_eq!(config.pkcs11.unwrap().module, folder.path().join("m.so"));
}

#[test]
fn the_docs_table_says_what_holds() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate/configure.md");
    let page = std::fs::read_to_string(page).unwrap();
    let table = page.split("| setting |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows: Vec<Vec<&str>> = table.lines().skip(2).map(|row| row.split(" | ").collect()).collect();
    let described = Config::described();
    let keys: Vec<String> = described.iter().map(|setting| format!("| `{}`", setting.key)).collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), keys);
    for (row, setting) in rows.iter().zip(&described) {
        let default = setting.default.as_ref().map_or_else(|| "none".to_owned(), |default| format!("`{default}`"));
        assert_eq!((row[1], row[2]), (default.as_str(), setting.bounds), "{}", setting.key);
        assert!(row[3].len() > 10, "{}", setting.key);
    }
}

#[test]
fn what_is_wrong_with_settings_is_one_error() {
    let error = Config::parse("a = 1\nb = 2", Path::new("admit.toml")).unwrap_err();
    assert!(matches!(&error, Error::Configuration { mistakes } if mistakes.len() == 2));
    assert_eq!(error.to_string().matches("admit.toml, line ").count(), 2);
    assert_ne!(Config { request_timeout: Duration::ZERO, ..Config::default() }, Config::default());
}
