//! HTTP to license servers. Plain HTTP is refused except on loopback.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use admit_protocol::{Code, PROBLEM_CONTENT_TYPE, Problem};
use ureq::tls::{TlsConfig, TlsProvider};

use crate::failure::Failure;

/// A client for HTTP.
pub(crate) struct Http {
    agent: ureq::Agent,
}

impl Http {
    /// A client with the program's time-outs.
    pub(crate) fn new() -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls =
            TlsConfig::builder().provider(TlsProvider::Rustls).unversioned_rustls_crypto_provider(provider).build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TOTAL_TIMEOUT))
            .user_agent(concat!("admit/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into() }
    }

    /// Gets a document of at most `limit` bytes.
    pub(crate) fn get(&self, url: &str, limit: usize) -> Result<Vec<u8>, Failure> {
        check_scheme(url)?;
        let response = self.agent.get(url).call().map_err(|error| network(url, &error))?;
        read(url, response, limit)
    }

    /// Posts bytes and reads the answer of at most `limit` bytes.
    pub(crate) fn post(
        &self,
        url: &str,
        content_type: &str,
        bearer: Option<&str>,
        body: &[u8],
        limit: usize,
    ) -> Result<Vec<u8>, Failure> {
        check_scheme(url)?;
        let mut request = self.agent.post(url).header("content-type", content_type);
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = request.send(body).map_err(|error| network(url, &error))?;
        read(url, response, limit)
    }
}

/// `scheme://host:port` of an address.
pub(crate) fn origin(url: &str) -> Option<&str> {
    let authority = url.find("://")? + 3;
    let end = url[authority..].find(['/', '?', '#']).map_or(url.len(), |end| authority + end);
    (end > authority).then_some(&url[..end])
}

fn check_scheme(url: &str) -> Result<(), Failure> {
    if url.starts_with("https://") || is_loopback(url) {
        return Ok(());
    }
    Err(Failure::new(Code::ADMIT_E_PLAIN_HTTP_REFUSED, format!("{url} is neither https nor on this machine")))
}

fn is_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn read(url: &str, response: ureq::http::Response<ureq::Body>, limit: usize) -> Result<Vec<u8>, Failure> {
    let status = response.status();
    let is_problem = response
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with(PROBLEM_CONTENT_TYPE));
    let mut body = Vec::new();
    let mut reader = response.into_body().into_reader().take(limit as u64 + 1);
    reader
        .read_to_end(&mut body)
        .map_err(|error| Failure::new(Code::ADMIT_E_NETWORK, format!("the answer of {url} broke off: {error}")))?;
    if body.len() > limit {
        return Err(Failure::new(
            Code::ADMIT_E_MALFORMED_MESSAGE,
            format!("{url} answered with more than {limit} bytes"),
        ));
    }
    if status.is_success() {
        return Ok(body);
    }
    let problem = Problem::from_json(&body).filter(|_| is_problem);
    let code = problem.as_ref().and_then(Problem::code).unwrap_or(Code::ADMIT_E_SERVER);
    let sentence = match problem {
        Some(problem) => printable(&problem.detail),
        None => format!("{url} answered with HTTP status {status}"),
    };
    Err(Failure::new(code, sentence))
}

/// A server's words without control characters, at most 300 of them.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn network(url: &str, error: &ureq::Error) -> Failure {
    Failure::new(Code::ADMIT_E_NETWORK, format!("{url} cannot be reached: {error}"))
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_end_where_the_path_begins() {
        assert_eq!(origin("http://127.0.0.1:8080/v1/licenses"), Some("http://127.0.0.1:8080"));
        assert_eq!(origin("https://drm.example"), Some("https://drm.example"));
        assert_eq!(origin("https://drm.example?x=/"), Some("https://drm.example"));
        assert_eq!(origin("drm.example/x"), None);
        assert_eq!(origin("https:///x"), None);
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for url in ["https://a.example/", "http://127.0.0.1:1/", "http://[::1]:1/x", "http://localhost/"] {
            assert!(check_scheme(url).is_ok(), "{url}");
        }
        for url in [
            "http://a.example/",
            "http://127.0.0.1.example/",
            "http://127.0.0.1@a.example/",
            "ftp://localhost/",
            "http://localhost.a/",
        ] {
            assert!(check_scheme(url).is_err(), "{url}");
        }
    }
}
