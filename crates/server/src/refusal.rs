//! What a client is told when it gets no answer: one code, one HTTP status and one sentence per cause (RFC 9457).
//! Internal detail stops here and goes to the log.

use admit_license::KeyId;
use admit_protocol::acquire::StorePosition;
use admit_protocol::{Code, Error as MessageError, PROBLEM_CONTENT_TYPE, Problem};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::Error;
use crate::acquire::recover::NotRecovered;
use crate::observe::Refused;
use crate::operator::OperatorTokenFault;
use crate::policy::PolicyRefusal;
use crate::time::{NotSigned, RequestFault};
use crate::token::TokenFault;

/// A request was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The message is not as it must be, or not authentic.
    #[error("{0}")]
    Message(#[from] MessageError),
    /// The body did not arrive.
    #[error("the request's body did not arrive whole")]
    Body,
    /// The body is longer than any message.
    #[error("the request's body is longer than what this address reads")]
    BodyTooLong,
    /// The body does not come.
    #[error("the request's body did not arrive in time")]
    BodyTimeout,
    /// The body says that it is something else than what is read here.
    #[error("the request's Content-Type is not {expected}")]
    ContentType {
        /// What is read.
        expected: &'static str,
    },
    /// A part of the path or the query is not as it must be.
    #[error("the address is not as it must be: {reason}")]
    Address {
        /// What is wrong.
        reason: String,
    },
    /// The address is there, and not for this method.
    #[error("this address does not answer that method")]
    Method,
    /// A license is asked for, but no key.
    #[error("the challenge names no key")]
    NoKeyIds,
    /// The client's certificate was not given out by this server.
    #[error("this server did not enrol the client")]
    UnknownClient,
    /// The client's certificate was revoked.
    #[error("the client's certificate was revoked")]
    ClientRevoked,
    /// A client that says it is individualized asked for a certificate of the default component.
    #[error("only a default component enrols; this one says it is individualized")]
    NotDefaultComponent,
    /// No entitlement token, and the content is not open.
    #[error("content `{content_id}` needs an entitlement token")]
    TokenRequired {
        /// The content.
        content_id: String,
    },
    /// The `Authorization` header is not one bearer token.
    #[error("the Authorization header is not one bearer token")]
    Authorization,
    /// The operator's token does not hold.
    #[error("{0}")]
    OperatorToken(#[from] OperatorTokenFault),
    /// The JSON is not as it must be.
    #[error("the request's JSON is not as it must be: {reason}")]
    Json {
        /// What is wrong, and where.
        reason: String,
    },
    /// The form is not as it must be.
    #[error("the request's form is not as it must be")]
    Form,
    /// The token beside the challenge is not the one whose hash the challenge carries.
    #[error("the entitlement token is not the one that the challenge was made for")]
    OtherToken,
    /// The token does not hold.
    #[error("{0}")]
    Token(#[from] TokenFault),
    /// The token was used as often as it may be.
    #[error("the entitlement token has been used as often as it may be")]
    TokenUsedUp,
    /// The token is for other content.
    #[error("the entitlement token is not for content `{content_id}`")]
    TokenNotForContent {
        /// The content.
        content_id: String,
    },
    /// The token is bound to another client's key.
    #[error("the entitlement token is bound to another client")]
    TokenBoundElsewhere,
    /// No license is issued for this key id.
    #[error("no key with the id {key_id} is registered for licenses")]
    UnknownKeyId {
        /// The key id.
        key_id: KeyId,
    },
    /// The key is for licenses and never shown to a browser.
    #[error("the key {key_id} is for licenses only, and is not given by ClearKey")]
    NotForClearKey {
        /// The key id.
        key_id: KeyId,
    },
    /// ClearKey gives no keys to keep.
    #[error("ClearKey gives keys for temporary sessions only")]
    ClearKeyPersistent,
    /// The policy said no, or does not work.
    #[error("{0}")]
    Policy(#[from] PolicyRefusal),
    /// Licenses that the owner was issued before are not issued again.
    #[error("{0}")]
    NotRecovered(#[from] NotRecovered),
    /// A later state of the client's store was seen.
    #[error("the client's store is older than one that this server has seen of it")]
    StoreIsOlder {
        /// Where that one stood.
        seen: StorePosition,
    },
    /// The challenge was answered so long ago that the answer is no longer repeated.
    #[error("this challenge was answered more than seven days ago; a fresh one is needed")]
    ChallengeUsed,
    /// A request for the time is none, or is for another service.
    #[error("no request for the time: {0}")]
    TimeRequest(RequestFault),
    /// The time is not signed now.
    #[error("no time is signed: {0}")]
    TimeNotSigned(#[from] NotSigned),
    /// Too many requests of one kind.
    #[error("too many {of}; try again in {retry_after_secs} seconds")]
    RateLimited {
        /// Of what.
        of: Limited,
        /// When the next one may come.
        retry_after_secs: u64,
    },
    /// It took too long.
    #[error("the server is too busy to answer in time")]
    Timeout,
    /// As many requests are under way as the server takes.
    #[error("the server is too busy; try again in a second")]
    Busy,
    /// There is nothing at this address.
    #[error("there is no such address")]
    NotFound,
    /// What is asked for cannot be done as it is written.
    #[error("{0}")]
    Request(Error),
    /// The server's own fault. What it was stands in the log.
    #[error("the server could not answer")]
    Internal(Error),
}

/// What there is a limit on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Limited {
    #[error("enrolments from this address")]
    Enrolments,
    #[error("requests from this address")]
    OfAddress,
    #[error("license requests with this token")]
    LicensesOfToken,
    #[error("license requests by this client")]
    LicensesOfClient,
}

impl Refusal {
    /// The code and the HTTP status.
    pub(crate) fn code_and_status(&self) -> (Code, StatusCode) {
        match self {
            Self::Message(error @ MessageError::UnknownChallengeKey { .. }) => (error.into(), StatusCode::CONFLICT),
            Self::Message(error) => (error.into(), StatusCode::BAD_REQUEST),
            Self::Body | Self::NoKeyIds | Self::TimeRequest(_) => {
                (Code::ADMIT_E_MALFORMED_MESSAGE, StatusCode::BAD_REQUEST)
            }
            Self::TimeNotSigned(NotSigned::Overloaded) => (Code::ADMIT_E_OVERLOADED, StatusCode::SERVICE_UNAVAILABLE),
            Self::TimeNotSigned(_) => (Code::ADMIT_E_TIME_UNAVAILABLE, StatusCode::SERVICE_UNAVAILABLE),
            Self::BodyTooLong => (Code::ADMIT_E_BODY_TOO_LONG, StatusCode::PAYLOAD_TOO_LARGE),
            Self::BodyTimeout => (Code::ADMIT_E_MALFORMED_MESSAGE, StatusCode::REQUEST_TIMEOUT),
            Self::ContentType { .. } => (Code::ADMIT_E_CONTENT_TYPE, StatusCode::UNSUPPORTED_MEDIA_TYPE),
            Self::Address { .. } => (Code::ADMIT_E_ADDRESS_MALFORMED, StatusCode::BAD_REQUEST),
            Self::Method => (Code::ADMIT_E_METHOD, StatusCode::METHOD_NOT_ALLOWED),
            Self::UnknownClient => (Code::ADMIT_E_CLIENT_CERTIFICATE_UNKNOWN, StatusCode::FORBIDDEN),
            Self::ClientRevoked => (Code::DRM_E_DEVCERT_REVOKED, StatusCode::FORBIDDEN),
            Self::NotDefaultComponent => (Code::NS_E_DRM_NEEDS_INDIVIDUALIZATION, StatusCode::FORBIDDEN),
            Self::TokenRequired { .. } => (Code::ADMIT_E_TOKEN_REQUIRED, StatusCode::UNAUTHORIZED),
            Self::Token(TokenFault::Expired { .. }) => (Code::ADMIT_E_TOKEN_EXPIRED, StatusCode::UNAUTHORIZED),
            Self::Token(_) | Self::Authorization => (Code::ADMIT_E_TOKEN_INVALID, StatusCode::UNAUTHORIZED),
            Self::OperatorToken(_) => (Code::ADMIT_E_OPERATOR_TOKEN, StatusCode::UNAUTHORIZED),
            Self::Json { .. } | Self::Form => (Code::ADMIT_E_MALFORMED_MESSAGE, StatusCode::BAD_REQUEST),
            Self::Request(error @ Error::KeyExists { .. }) => (error.code(), StatusCode::CONFLICT),
            Self::Request(error @ Error::ClearKeyMinimum) => (error.code(), StatusCode::BAD_REQUEST),
            Self::Request(_) => (Code::ADMIT_E_REQUEST, StatusCode::BAD_REQUEST),
            Self::OtherToken => (Code::ADMIT_E_TOKEN_INVALID, StatusCode::FORBIDDEN),
            Self::TokenUsedUp => (Code::ADMIT_E_TOKEN_USED_UP, StatusCode::FORBIDDEN),
            Self::TokenNotForContent { .. } => (Code::ADMIT_E_TOKEN_NOT_FOR_CONTENT, StatusCode::FORBIDDEN),
            Self::TokenBoundElsewhere => (Code::ADMIT_E_TOKEN_BOUND_ELSEWHERE, StatusCode::FORBIDDEN),
            Self::UnknownKeyId { .. } => (Code::ADMIT_E_UNKNOWN_KEY_ID, StatusCode::NOT_FOUND),
            Self::NotForClearKey { .. } | Self::ClearKeyPersistent => {
                (Code::ADMIT_E_NOT_FOR_CLEARKEY, StatusCode::FORBIDDEN)
            }
            Self::Policy(PolicyRefusal::Refused { .. }) => (Code::ADMIT_E_POLICY_REFUSED, StatusCode::FORBIDDEN),
            Self::Policy(PolicyRefusal::Asked { .. }) => (Code::ADMIT_E_PAGE_FIRST, StatusCode::FORBIDDEN),
            Self::Policy(PolicyRefusal::NoClock) => (Code::DRM_E_NO_CLK_SUPPORTED, StatusCode::FORBIDDEN),
            Self::Policy(PolicyRefusal::Failed(_)) => (Code::ADMIT_E_POLICY_FAILED, StatusCode::INTERNAL_SERVER_ERROR),
            Self::StoreIsOlder { .. } => (Code::ADMIT_E_STORE_ROLLED_BACK, StatusCode::FORBIDDEN),
            Self::NotRecovered(reason) => not_recovered(reason),
            Self::ChallengeUsed => (Code::DRM_E_SERVER_INVALID_MESSAGE, StatusCode::CONFLICT),
            Self::RateLimited { .. } => (Code::ADMIT_E_RATE_LIMITED, StatusCode::TOO_MANY_REQUESTS),
            Self::Timeout | Self::Busy => (Code::ADMIT_E_OVERLOADED, StatusCode::SERVICE_UNAVAILABLE),
            Self::NotFound => (Code::ADMIT_E_NO_SUCH_ADDRESS, StatusCode::NOT_FOUND),
            Self::Internal(error) if error.code() == Code::ADMIT_E_STORE_BUSY => {
                (Code::ADMIT_E_OVERLOADED, StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Internal(error) if error.is_unavailable() => (Code::ADMIT_E_SERVER, StatusCode::SERVICE_UNAVAILABLE),
            Self::Internal(_) => (Code::ADMIT_E_SERVER, StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// A header that says when or how to try again.
    pub(crate) fn advice(&self, status: StatusCode) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::RateLimited { retry_after_secs, .. } => Some((header::RETRY_AFTER, (*retry_after_secs).into())),
            _ if status == StatusCode::UNAUTHORIZED => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            _ if status == StatusCode::SERVICE_UNAVAILABLE => Some((header::RETRY_AFTER, 1u64.into())),
            _ => None,
        }
    }

    /// The page where the user can do something about it.
    fn page(&self) -> Option<&str> {
        match self {
            Self::Policy(refusal) => refusal.page(),
            Self::NotRecovered(NotRecovered::NoPlace { address, .. }) => address.as_deref(),
            _ => None,
        }
    }

    fn log(&self, code: Code, status: StatusCode) {
        match self {
            Self::Internal(error) if status.is_server_error() => {
                tracing::error!(%code, status = status.as_u16(), %error, "request failed")
            }
            Self::Policy(PolicyRefusal::Failed(fault)) => {
                tracing::error!(%code, status = status.as_u16(), reason = %fault, "policy failed");
            }
            refusal => {
                tracing::info!(%code, status = status.as_u16(), reason = ?refusal.to_string(), "request refused")
            }
        }
    }
}

const fn not_recovered(reason: &NotRecovered) -> (Code, StatusCode) {
    match reason {
        NotRecovered::NoPlace { .. } => (Code::NS_E_DRM_RESTORE_FRAUD, StatusCode::FORBIDDEN),
        NotRecovered::Forbidden => (Code::ADMIT_E_RECOVERY_FORBIDDEN, StatusCode::FORBIDDEN),
        NotRecovered::Counted => (Code::ADMIT_E_RECOVERY_COUNTED, StatusCode::FORBIDDEN),
        NotRecovered::NoClock => (Code::DRM_E_NO_CLK_SUPPORTED, StatusCode::FORBIDDEN),
        NotRecovered::Expired => (Code::NS_E_DRM_LICENSE_EXPIRED, StatusCode::FORBIDDEN),
        NotRecovered::Unknown => (Code::ADMIT_E_NOTHING_TO_RECOVER, StatusCode::NOT_FOUND),
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (code, status) = self.code_and_status();
        self.log(code, status);
        let by_database = matches!(&self, Self::Internal(error) if error.is_of_database());
        let page = self.page().map(str::to_owned);
        let problem = Problem { page, ..Problem::new(code, status.as_u16(), self.to_string()) };
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM_CONTENT_TYPE)], problem.to_json()).into_response();
        if let Some((name, value)) = self.advice(status) {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(Refused { code, by_database });
        response
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::KeyExists { .. }
            | Error::ClearKeyMinimum
            | Error::ContentName { .. }
            | Error::LicensePage
            | Error::Header(_) => Self::Request(error),
            internal => Self::Internal(internal),
        }
    }
}

impl From<PathRejection> for Refusal {
    fn from(_: PathRejection) -> Self {
        Self::Address { reason: "a part of its path is not text in UTF-8".to_owned() }
    }
}

impl From<QueryRejection> for Refusal {
    fn from(_: QueryRejection) -> Self {
        Self::Address { reason: "its query gives a parameter twice, or in another form".to_owned() }
    }
}
