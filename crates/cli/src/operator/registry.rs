//! Where a packaged file's header is signed and its key registered: a home on this machine, or a server.

use admit_crypto::ContentKey;
use admit_protocol::Code;
use admit_protocol::package::{
    HEADERS_PATH, HeaderRequest, KEYS_PATH, KeyRegistration, MAX_SIGNED_HEADER, SignedHeader,
};
use admit_server::CLEARKEY_PATH;
use admit_server::content::Content;
use admit_server::home::Home;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use crate::args::{PackageArgs, token_text};
use crate::failure::{Failure, Outcome};
use crate::system::{Http, SystemEntropy, now, server_origin};

/// One of the two.
pub(super) enum Registry {
    Home { runtime: Runtime, home: Home },
    Server { http: Http, address: String, token: String },
}

impl Registry {
    /// The server that was named, else the home.
    pub(super) fn open(args: &PackageArgs) -> Outcome<Self> {
        let Some(server) = &args.server else {
            let runtime = super::runtime()?;
            let home = runtime.block_on(super::open_home(&args.home))?;
            return Ok(Self::Home { runtime, home });
        };
        let address = server_origin(server)?;
        let token = token_text(args.token.as_deref())?.unwrap_or_default();
        Ok(Self::Server { http: Http::new(), address: address.to_owned(), token })
    }

    /// The address at which browsers ask for keys of class `clearkey`, where it is known.
    pub(super) fn clearkey_address(&self) -> Option<String> {
        let address = match self {
            Self::Home { home, .. } => home.config().public_address.as_deref(),
            Self::Server { address, .. } => Some(address.as_str()),
        };
        address.map(|address| format!("{}{CLEARKEY_PATH}", address.trim_end_matches('/')))
    }

    /// The signed header, as the data of a `pssh` box.
    pub(super) fn header(&self, request: &HeaderRequest) -> Outcome<Vec<u8>> {
        match self {
            Self::Home { home, .. } => Ok(home.make_header(request)?.to_bytes().map_err(admit_license::Error::from)?),
            Self::Server { http, address, token } => {
                let url = format!("{address}{HEADERS_PATH}");
                let body = serde_json::to_vec(request).map_err(|error| malformed(&url, &error))?;
                let answer = http.post(&url, JSON, Some(token), &body, MAX_SIGNED_HEADER)?;
                let signed: SignedHeader = serde_json::from_slice(&answer).map_err(|error| malformed(&url, &error))?;
                Ok(signed.header)
            }
        }
    }

    /// Registers the key, and is then of no more use.
    pub(super) fn register(self, content: &Content, key: ContentKey) -> Outcome<()> {
        match self {
            Self::Home { runtime, home } => Ok(runtime.block_on(async {
                let registered = home.register_content_key(content, &key, now(), &mut SystemEntropy).await;
                home.close().await;
                registered
            })?),
            Self::Server { http, address, token } => {
                let url = format!("{address}{KEYS_PATH}/{}", content.key_id);
                let registration = KeyRegistration {
                    key,
                    class: content.class.name().to_owned(),
                    content_id: content.content_id.clone(),
                    title: content.title.clone(),
                    open: content.open,
                    minimum_individualized_version: content.minimum_individualized_version,
                    minimum_application_level: content.minimum_application_level,
                };
                let body = serde_json::to_vec(&registration).map(Zeroizing::new);
                let body = body.map_err(|error| malformed(&url, &error))?;
                http.put(&url, JSON, &token, &body)
            }
        }
    }
}

fn malformed(url: &str, error: &serde_json::Error) -> Failure {
    Failure::new(
        Code::ADMIT_E_MALFORMED_MESSAGE,
        format!("what goes to and comes from {url} is not as agreed: {error}"),
    )
}

const JSON: &str = "application/json";
