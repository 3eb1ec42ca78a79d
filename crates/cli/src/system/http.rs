//! HTTP to license servers. Plain HTTP is refused except on loopback and for signed time. Of TLS certificates, those hold
//! that Mozilla's authorities vouch for, or, where `SSL_CERT_FILE` names a file of other authorities (PEM), as for OpenSSL,
//! those do.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use admit_license::header::is_web_address;
use admit_protocol::time::TIME_CONTENT_TYPE;
use admit_protocol::{Code, PROBLEM_CONTENT_TYPE, Problem};
use rustls::CertificateError;
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use crate::failure::{Failure, Outcome};

/// A client for HTTP.
pub(crate) struct Http {
    agent: ureq::Agent,
}

impl Http {
    /// A client with the program's time-outs.
    pub(crate) fn new() -> Self {
        Self { agent: agent(CONNECT_TIMEOUT, TOTAL_TIMEOUT) }
    }

    /// Gets a document of at most `limit` bytes.
    pub(crate) fn get(&self, url: &str, limit: usize) -> Result<Vec<u8>, Failure> {
        check_scheme(url)?;
        let response = self.agent.get(url).call().map_err(|error| network(url, &error))?;
        read(url, response, limit)
    }

    /// Gets at most `count` bytes of a file from `start` on.
    pub(crate) fn get_range(&self, url: &str, start: u64, count: u64) -> Outcome<Range> {
        check_scheme(url)?;
        let wanted = format!("bytes={start}-{}", start.saturating_add(count).saturating_sub(1));
        let response = self.agent.get(url).header("range", wanted).call().map_err(|error| network(url, &error))?;
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let (status, version) = (response.status(), header("etag"));
        let range = header("content-range").as_deref().and_then(content_range);
        if status != ureq::http::StatusCode::PARTIAL_CONTENT {
            return Err(whole_answer(url, status));
        }
        let (start, length) = range.ok_or_else(|| whole_answer(url, status))?;
        let bytes = read(url, response, usize::try_from(count).unwrap_or(usize::MAX - 1))?;
        Ok(Range { start, length, version, bytes })
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

    /// Posts a request for the time, also without TLS: the answer is signed, and TLS fails where the clock is wrong. It is
    /// never longer than the request (RFC 10049 section 9.7).
    pub(crate) fn ask_time(&self, url: &str, packet: &[u8]) -> Outcome<Vec<u8>> {
        if !url.starts_with("http://") {
            check_scheme(url)?;
        }
        let request = self.agent.post(url).header("content-type", TIME_CONTENT_TYPE);
        let response = request.send(packet).map_err(|error| network(url, &error))?;
        read(url, response, packet.len())
    }

    /// Puts bytes at an address that answers with nothing.
    pub(crate) fn put(&self, url: &str, content_type: &str, bearer: &str, body: &[u8]) -> Outcome<()> {
        check_scheme(url)?;
        let request = self.agent.put(url).header("content-type", content_type);
        let request = request.header("authorization", format!("Bearer {bearer}"));
        let response = request.send(body).map_err(|error| network(url, &error))?;
        read(url, response, MAX_EMPTY_ANSWER).map(drop)
    }
}

/// A part of a remote file.
pub(crate) struct Range {
    /// Where it begins.
    pub(crate) start: u64,
    /// The length of the whole file.
    pub(crate) length: u64,
    /// What tells one version of the file from another: its entity tag.
    pub(crate) version: Option<String>,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
}

/// What sends requests, with these time-outs for a connection and for everything together.
pub(super) fn agent(connect: Duration, total: Duration) -> ureq::Agent {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder().provider(TlsProvider::Rustls).unversioned_rustls_crypto_provider(provider);
    let tls = tls.root_certs(authorities()).build();
    let config = ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_connect(Some(connect))
        .timeout_global(Some(total))
        .user_agent(concat!("admit/", env!("CARGO_PKG_VERSION")))
        .build();
    config.into()
}

/// Who vouches for servers. Where the file that was named cannot be read, nobody does.
fn authorities() -> RootCerts {
    let Some(file) = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()) else {
        return RootCerts::WebPki;
    };
    let pem = std::fs::read(file).unwrap_or_default();
    let certificates = parse_pem(&pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    RootCerts::from(certificates)
}

/// `scheme://host:port` of an address.
pub(crate) fn origin(url: &str) -> Option<&str> {
    let authority = url.find("://")? + 3;
    let end = url[authority..].find(['/', '?', '#']).map_or(url.len(), |end| authority + end);
    // A name before the host would make one server look like another.
    (end > authority && !url[authority..end].contains('@')).then_some(&url[..end])
}

/// The origin of a server that the user names.
pub(crate) fn server_origin(address: &str) -> Outcome<&str> {
    origin(address).ok_or_else(|| {
        Failure::new(Code::ADMIT_E_USAGE, format!("{address} is not the address of a server"))
            .with_action("Write it as https://drm.example.org")
    })
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
    let page = problem.as_ref().and_then(|problem| problem.page.clone());
    let sentence = match problem {
        Some(problem) => shortened(&problem.detail),
        None => format!("{url} answered with HTTP status {status}"),
    };
    // A server's word: it is shown, and never opened.
    let page = page.filter(|page| page.len() <= MAX_PAGE && is_web_address(page));
    Err(Failure { page, ..Failure::new(code, sentence) })
}

/// The first byte and the whole length of `bytes 0-1023/4096` (RFC 9110 section 14.4).
fn content_range(value: &str) -> Option<(u64, u64)> {
    let (range, length) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, length.parse().ok()?))
}

/// A server that does not know ranges, or has no such file.
fn whole_answer(url: &str, status: ureq::http::StatusCode) -> Failure {
    let failure = if status.is_success() {
        format!("{url} is on a server that does not send parts of files")
    } else {
        format!("{url} answered with HTTP status {status}")
    };
    Failure::new(Code::ADMIT_E_NETWORK, failure).with_action("Download the file and play it from the disk")
}

/// A server's words, at most so many characters of them.
fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}

fn network(url: &str, error: &ureq::Error) -> Failure {
    let failure = Failure::new(Code::ADMIT_E_NETWORK, format!("{url} cannot be reached: {error}"));
    if is_about_dates(error) { failure.with_action(CHECK_THE_CLOCK) } else { failure }
}

/// Whether the server's certificate is not valid at what this machine takes for the time.
fn is_about_dates(error: &ureq::Error) -> bool {
    let of_tls = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref()),
        _ => None,
    };
    let Some(rustls::Error::InvalidCertificate(fault)) = of_tls else { return false };
    matches!(
        fault,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    )
}

const CHECK_THE_CLOCK: &str = "This machine's date and time may be wrong: check them, then try again. If they are right, the \
                               server's certificate is out of date: tell its operator";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Room for a problem document, where nothing is expected.
const MAX_EMPTY_ANSWER: usize = 16 * 1024;
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of a page's address.
const MAX_PAGE: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_end_where_the_path_begins() {
        assert_eq!(origin("http://127.0.0.1:8080/v1/licenses"), Some("http://127.0.0.1:8080"));
        assert_eq!(origin("https://drm.example"), Some("https://drm.example"));
        assert_eq!(origin("https://drm.example?x=/"), Some("https://drm.example"));
        assert_eq!(origin("drm.example/x"), None);
        assert_eq!(origin("https://good.example@evil.example/x"), None);
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

    /// Nobody listens there: what is not refused by its scheme cannot be reached. This machine's own address it is not by its form.
    #[test]
    fn e05_only_time_is_asked_for_over_plain_http_elsewhere() {
        let (http, url) = (Http::new(), "http://0.0.0.0:9/v1/time");
        assert_eq!(http.ask_time(url, &[0; 1024]).unwrap_err().code, Code::ADMIT_E_NETWORK);
        for url in ["ftp://localhost/", "0.0.0.0:9"] {
            assert_eq!(http.ask_time(url, &[0; 1024]).unwrap_err().code, Code::ADMIT_E_PLAIN_HTTP_REFUSED, "{url}");
        }
        let refused = [
            http.get(url, 1).map(drop),
            http.get_range(url, 0, 1).map(drop),
            http.post(url, TIME_CONTENT_TYPE, None, &[0; 1024], 1).map(drop),
            http.put(url, TIME_CONTENT_TYPE, "token", &[0; 1024]),
        ];
        for outcome in refused {
            assert_eq!(outcome.unwrap_err().code, Code::ADMIT_E_PLAIN_HTTP_REFUSED);
        }
    }
}
