//! `admit.toml`: every setting, its default and its bounds.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::Error;
use crate::store::Location;

mod service;

pub use service::{LicenseLimits, Limit, Log, LogFormat, LogLevel, Origins, TlsFiles};

/// The settings of a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The database, where it is not the SQLite file in the home.
    pub database: Option<Location>,
    /// The address under which clients reach the server, for license acquisition addresses in content headers.
    pub public_address: Option<String>,
    /// Enrolments per network address and hour.
    pub enrolments_per_hour: u32,
    /// Enrolments of one network address at once.
    pub enrolment_burst: u32,
    /// The longest time that an entitlement token may be valid.
    pub token_maximum_lifetime: Duration,
    /// The longest time that a client may take to send the head of a request.
    pub header_timeout: Duration,
    /// The longest time that answering a request may take.
    pub request_timeout: Duration,
    /// The most connections at once.
    pub maximum_connections: usize,
    /// The most requests under way at once.
    pub maximum_requests: usize,
    /// How long a server that is being stopped goes on serving, while `/ready` says so.
    pub drain: Duration,
    /// The TLS certificate and its key. Without them the server speaks plain HTTP, on loopback only.
    pub tls: Option<TlsFiles>,
    /// What the log looks like.
    pub log: Log,
    /// Where the metrics are served, where that is not beside everything else and to loopback only.
    pub metrics_listen: Option<SocketAddr>,
    /// Which pages of others may use the server.
    pub origins: Origins,
    /// How often licenses may be asked for.
    pub licenses: LicenseLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7447)),
            database: None,
            public_address: None,
            enrolments_per_hour: 60,
            enrolment_burst: 20,
            token_maximum_lifetime: DAY * 400,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            maximum_connections: 4096,
            maximum_requests: 2048,
            drain: Duration::ZERO,
            tls: None,
            log: Log::default(),
            metrics_listen: None,
            origins: Origins::default(),
            licenses: LicenseLimits::default(),
        }
    }
}

impl Config {
    /// Reads the file's text; `path` is for error messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let file: File = toml::from_str(text).map_err(|error| Error::Configuration {
            path: path.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            key: None,
            reason: error.message().to_owned(),
        })?;
        Check { text, path }.config(file)
    }
}

/// The file that `admit init` writes: every setting with its default, commented out.
pub(super) fn template(public_address: Option<&str>, database_url: Option<&str>) -> String {
    let database = database_url.map_or_else(
        || "# url = \"postgres://admit@db.example.org/admit\"".to_owned(),
        |url| format!("url = {}", toml::Value::String(url.to_owned())),
    );
    let address = public_address.map_or_else(
        || "# public_address = \"https://drm.example.org\"".to_owned(),
        |address| format!("public_address = {}", toml::Value::String(address.to_owned())),
    );
    TEMPLATE.replace("{public_address}", &address).replace("{database_url}", &database)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct File {
    listen: Option<Spanned<String>>,
    public_address: Option<Spanned<String>>,
    database: Database,
    enrolment: Enrolment,
    tokens: Tokens,
    http: Http,
    tls: service::Tls,
    log: service::LogSection,
    metrics: service::Metrics,
    cors: service::Cors,
    licenses: service::Licenses,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Database {
    url: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Enrolment {
    per_address_per_hour: Option<Spanned<i64>>,
    burst: Option<Spanned<i64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Tokens {
    maximum_lifetime_days: Option<Spanned<i64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Http {
    header_timeout_secs: Option<Spanned<i64>>,
    request_timeout_secs: Option<Spanned<i64>>,
    maximum_connections: Option<Spanned<i64>>,
    maximum_requests: Option<Spanned<i64>>,
    drain_secs: Option<Spanned<i64>>,
}

/// Reads settings against their bounds.
struct Check<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Check<'_> {
    fn config(&self, file: File) -> Result<Config, Error> {
        let default = Config::default();
        let secs = |key, value, default: Duration| {
            self.number(key, value, 1..=600).map(|secs| secs.map_or(default, |secs| Duration::from_secs(secs.into())))
        };
        let (enrolment, http) = (file.enrolment, file.http);
        let days = self.number("tokens.maximum_lifetime_days", file.tokens.maximum_lifetime_days, 1..=3660)?;
        let connections = self.number("http.maximum_connections", http.maximum_connections, 1..=1_000_000)?;
        let requests = self.number("http.maximum_requests", http.maximum_requests, 1..=1_000_000)?;
        let drain = self.number("http.drain_secs", http.drain_secs, 0..=600)?;
        let per_hour = self.number("enrolment.per_address_per_hour", enrolment.per_address_per_hour, 1..=1_000_000)?;
        let burst = self.number("enrolment.burst", enrolment.burst, 1..=1_000_000)?;
        Ok(Config {
            listen: self.socket("listen", file.listen)?.unwrap_or(default.listen),
            database: self.database(file.database.url)?,
            public_address: self.address(file.public_address)?,
            enrolments_per_hour: per_hour.unwrap_or(default.enrolments_per_hour),
            enrolment_burst: burst.unwrap_or(default.enrolment_burst),
            token_maximum_lifetime: days.map_or(default.token_maximum_lifetime, |days| DAY * days),
            header_timeout: secs("http.header_timeout_secs", http.header_timeout_secs, default.header_timeout)?,
            request_timeout: secs("http.request_timeout_secs", http.request_timeout_secs, default.request_timeout)?,
            maximum_connections: connections
                .and_then(|number| usize::try_from(number).ok())
                .unwrap_or(default.maximum_connections),
            maximum_requests: requests
                .and_then(|number| usize::try_from(number).ok())
                .unwrap_or(default.maximum_requests),
            drain: drain.map_or(default.drain, |secs| Duration::from_secs(secs.into())),
            tls: self.tls(file.tls)?,
            log: self.log(file.log)?,
            metrics_listen: self.socket("metrics.listen", file.metrics.listen)?,
            origins: self.origins(file.cors)?,
            licenses: self.licenses(file.licenses)?,
        })
    }

    fn socket(&self, key: &str, value: Option<Spanned<String>>) -> Result<Option<SocketAddr>, Error> {
        let Some(value) = value else { return Ok(None) };
        let parsed = value.get_ref().parse().map(Some);
        parsed.map_err(|_| self.error(key, &value, "expected an address and port such as 127.0.0.1:7447"))
    }

    fn database(&self, value: Option<Spanned<String>>) -> Result<Option<Location>, Error> {
        let Some(value) = value else { return Ok(None) };
        if value.get_ref().starts_with("postgres://") || value.get_ref().starts_with("postgresql://") {
            return Ok(Some(Location::Postgres(value.into_inner())));
        }
        Err(self.error("database.url", &value, "expected a URL such as postgres://admit@db.example.org/admit"))
    }

    fn address(&self, value: Option<Spanned<String>>) -> Result<Option<String>, Error> {
        let Some(value) = value else { return Ok(None) };
        if is_http_address(value.get_ref()) {
            return Ok(Some(value.into_inner()));
        }
        Err(self.error("public_address", &value, "expected an address such as https://drm.example.org"))
    }

    fn number(
        &self,
        key: &str,
        value: Option<Spanned<i64>>,
        bounds: RangeInclusive<u32>,
    ) -> Result<Option<u32>, Error> {
        let Some(value) = value else { return Ok(None) };
        match u32::try_from(*value.get_ref()) {
            Ok(number) if bounds.contains(&number) => Ok(Some(number)),
            _ => Err(self.error(key, &value, &format!("expected {} to {}", bounds.start(), bounds.end()))),
        }
    }

    fn error<T>(&self, key: &str, at: &Spanned<T>, reason: &str) -> Error {
        let line = line_of(self.text, at.span().start);
        Error::Configuration { path: self.path.to_owned(), line, key: Some(key.to_owned()), reason: reason.to_owned() }
    }
}

/// Whether a text is an http or https address of a host, with a port or without, and nothing behind it: services
/// stand at fixed paths there. Names and passwords before the host are refused.
pub(super) fn is_http_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@']))
        && text.chars().all(|c| c.is_ascii_graphic())
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

const DAY: Duration = Duration::from_secs(86_400);

const TEMPLATE: &str = r#"# Settings of this Admit server. A line that is commented out shows the default.

# Where the server listens. Port 0 picks a free one.
# listen = "127.0.0.1:7447"

# The address under which clients reach this server. It is written into packaged content as the place to get
# licenses from, so that a copied file still finds its server.
{public_address}

[database]
# Where the database is. Without it, the SQLite file admit.db in this folder; a PostgreSQL database serves several instances.
{database_url}

[enrolment]
# How many clients may enrol from one network address (one /64 for IPv6) in an hour, and how many at once.
# per_address_per_hour = 60
# burst = 20

[tokens]
# The longest time that an entitlement token may be valid.
# maximum_lifetime_days = 400

[http]
# How long a client may take to send the head of a request, and how long answering one may take.
# header_timeout_secs = 10
# request_timeout_secs = 30
# The most connections at once; more wait. The most requests under way at once; more are turned away with 503.
# maximum_connections = 4096
# maximum_requests = 2048
# How long a server that is being stopped goes on serving, while /ready says that it is: time for a balancer to notice.
# drain_secs = 0

[tls]
# The certificate with the chain above it, and its private key, both PEM; paths are from this folder. Without them the
# server speaks plain HTTP, to this machine only. They are read again when they change.
# certificate = "/etc/letsencrypt/live/drm.example.org/fullchain.pem"
# key = "/etc/letsencrypt/live/drm.example.org/privkey.pem"

[licenses]
# How often licenses may be asked for in an hour, and how many requests may come at once: by one client, with one
# token, from one network address (one /64 for IPv6). 0 is no limit.
# per_client_per_hour = 3600
# client_burst = 600
# per_token_per_hour = 36000
# token_burst = 6000
# per_address_per_hour = 360000
# address_burst = 20000

[cors]
# The origins whose pages may ask for licenses, such as ["https://player.example.org"], or ["*"] for all.
# origins = []

[log]
# "text" or "json"; "error", "warn", "info" or "debug".
# format = "text"
# level = "info"

[metrics]
# Where /metrics is served. Without it, at the address above, to this machine only.
# listen = "127.0.0.1:7448"
"#;
