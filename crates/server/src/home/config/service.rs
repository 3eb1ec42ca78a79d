//! The sections of `admit.toml` about how the server is reached and watched: TLS, log, metrics, other origins' pages,
//! and how often licenses may be asked for.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::Check;
use crate::Error;

/// The files of a TLS certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and the chain above it, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// What the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// What is written at all.
    pub level: LogLevel,
}

/// The form of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// The least weight of what is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What went wrong in the server.
    Error,
    /// And what may go wrong soon.
    Warn,
    /// And every request.
    #[default]
    Info,
    /// And every connection that broke off.
    Debug,
}

/// The origins (RFC 6454) whose pages may use the addresses for players.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All.
    Any,
    /// These.
    Only(Vec<String>),
}

impl Default for Origins {
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

/// How often something may be done: so many at once, then so many in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// In an hour.
    pub per_hour: u32,
    /// At once.
    pub burst: u32,
}

/// How often licenses may be asked for; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LicenseLimits {
    /// By one client.
    pub client: Option<Limit>,
    /// With one entitlement token.
    pub token: Option<Limit>,
    /// From one network address.
    pub address: Option<Limit>,
}

impl Default for LicenseLimits {
    fn default() -> Self {
        Self {
            client: Some(Limit { per_hour: 3_600, burst: 600 }),
            token: Some(Limit { per_hour: 36_000, burst: 6_000 }),
            address: Some(Limit { per_hour: 360_000, burst: 20_000 }),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tls {
    certificate: Option<Spanned<String>>,
    key: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LogSection {
    format: Option<Spanned<String>>,
    level: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Metrics {
    pub(super) listen: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Cors {
    origins: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Licenses {
    per_client_per_hour: Option<Spanned<i64>>,
    client_burst: Option<Spanned<i64>>,
    per_token_per_hour: Option<Spanned<i64>>,
    token_burst: Option<Spanned<i64>>,
    per_address_per_hour: Option<Spanned<i64>>,
    address_burst: Option<Spanned<i64>>,
}

impl Check<'_> {
    pub(super) fn tls(&self, section: Tls) -> Result<Option<TlsFiles>, Error> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        match (section.certificate, section.key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some(TlsFiles { certificate: folder.join(certificate.get_ref()), key: folder.join(key.get_ref()) }))
            }
            (Some(certificate), None) => Err(self.error("tls.certificate", &certificate, "tls.key is missing")),
            (None, Some(key)) => Err(self.error("tls.key", &key, "tls.certificate is missing")),
        }
    }

    pub(super) fn log(&self, section: LogSection) -> Result<Log, Error> {
        let default = Log::default();
        let format = self.word("log.format", section.format, "text or json")?;
        let level = self.word("log.level", section.level, "error, warn, info or debug")?;
        Ok(Log { format: format.unwrap_or(default.format), level: level.unwrap_or(default.level) })
    }

    pub(super) fn origins(&self, section: Cors) -> Result<Origins, Error> {
        if let [any] = section.origins.as_slice()
            && any.get_ref() == "*"
        {
            return Ok(Origins::Any);
        }
        let origin =
            |value: Spanned<String>| match super::is_http_address(value.get_ref()) && !value.get_ref().ends_with('/') {
                true => Ok(value.into_inner()),
                false => Err(self.error("cors.origins", &value, "expected origins such as https://player.example.org")),
            };
        section.origins.into_iter().map(origin).collect::<Result<_, _>>().map(Origins::Only)
    }

    pub(super) fn licenses(&self, section: Licenses) -> Result<LicenseLimits, Error> {
        let default = LicenseLimits::default();
        let limit = |name: &str, per_hour, burst, default: Option<Limit>| -> Result<_, Error> {
            let per_hour = self.number(&format!("licenses.per_{name}_per_hour"), per_hour, 0..=100_000_000)?;
            let burst = self.number(&format!("licenses.{name}_burst"), burst, 1..=100_000_000)?;
            let set = |default: Limit| Limit {
                per_hour: per_hour.unwrap_or(default.per_hour),
                burst: burst.unwrap_or(default.burst),
            };
            Ok(default.map(set).filter(|limit| limit.per_hour > 0))
        };
        Ok(LicenseLimits {
            client: limit("client", section.per_client_per_hour, section.client_burst, default.client)?,
            token: limit("token", section.per_token_per_hour, section.token_burst, default.token)?,
            address: limit("address", section.per_address_per_hour, section.address_burst, default.address)?,
        })
    }

    /// One of a few words.
    fn word<T: serde::de::DeserializeOwned>(
        &self,
        key: &str,
        value: Option<Spanned<String>>,
        words: &str,
    ) -> Result<Option<T>, Error> {
        let Some(value) = value else { return Ok(None) };
        let read = serde_json::from_value(value.get_ref().as_str().into());
        read.map(Some).map_err(|_| self.error(key, &value, &format!("expected {words}")))
    }
}
