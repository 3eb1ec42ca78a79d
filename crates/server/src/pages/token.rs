//! A buyer's token, pasted into the license page: does it open the content, and what is there to know of it. It is looked at and
//! forgotten: nothing counts as a use, nothing is remembered, and nothing of it is shown.

use admit_time::Timestamp;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, header};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::Server;
use crate::content::Content;
use crate::http::LONGEST_AUTHORIZATION;
use crate::refusal::Refusal;
use crate::store::token_use;
use crate::token::{Claims, TokenFault};

/// What was pasted, without the white space around it.
pub(crate) struct Pasted(Zeroizing<String>);

#[derive(Deserialize)]
struct Fields {
    token: String,
}

impl<S: Send + Sync> FromRequest<S> for Pasted {
    type Rejection = Refusal;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, Refusal> {
        // Another type was refused before, in whatever letters it is written; none means this one, as everywhere.
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(FORM));
        let Form(fields): Form<Fields> = Form::from_request(request, state).await?;
        let whole = Zeroizing::new(fields.token);
        Ok(Self(Zeroizing::new(whole.trim().to_owned())))
    }
}

impl From<FormRejection> for Refusal {
    fn from(_: FormRejection) -> Self {
        Self::Form
    }
}

/// What the page says of a token.
pub(super) enum Looked {
    /// It opens the content.
    Opens {
        /// What it says, for the policy.
        claims: Box<Claims>,
        /// How long, how often and where it is good, a sentence each.
        sentences: Vec<String>,
    },
    /// It does not, and why.
    DoesNot(String),
}

/// Looks at a token. The server's own failures alone are refusals.
pub(super) async fn look(
    server: &Server,
    content: &Content,
    pasted: &Pasted,
    now: Timestamp,
) -> Result<Looked, Refusal> {
    let does_not = |why: &str| Ok(Looked::DoesNot(why.to_owned()));
    if pasted.0.is_empty() {
        return does_not("Nothing was pasted.");
    }
    if pasted.0.len() > LONGEST_AUTHORIZATION {
        return does_not("It is longer than any token.");
    }
    let claims = match server.home.token_rules(now).await?.look_at(&pasted.0, now) {
        Ok(verified) => verified.claims,
        Err(fault) => return Ok(Looked::DoesNot(in_words(fault))),
    };
    if !claims.covers(&content.content_id) {
        return does_not("It is for other content.");
    }
    let left = match claims.uses {
        Some(limit) => Some(limit.get().saturating_sub(used(server, &claims).await?)),
        None => None,
    };
    if left == Some(0) {
        return does_not("It has been used as often as it may be.");
    }
    let sentences = sentences(&claims, left);
    Ok(Looked::Opens { claims: Box::new(claims), sentences })
}

/// How often a token was used.
async fn used(server: &Server, claims: &Claims) -> Result<u32, crate::Error> {
    let token = claims.identity(server.home.provider());
    let used = token_use::find(&mut *server.home.store().read().await?, &[token]).await?;
    Ok(used.get(&token).copied().unwrap_or_default())
}

fn sentences(claims: &Claims, left: Option<u32>) -> Vec<String> {
    let mut sentences = vec![format!("The token is good until {}.", Timestamp::from_unix_secs(claims.exp))];
    match left {
        Some(1) => sentences.push("It can be used once more.".to_owned()),
        Some(left) => sentences.push(format!("It can be used {left} more times.")),
        None => {}
    }
    if claims.cnf.is_some() {
        sentences.push("It is of use in one player only, the one that it was made for.".to_owned());
    }
    sentences
}

/// Why a token does not hold, for its buyer.
fn in_words(fault: TokenFault) -> String {
    let words = match fault {
        TokenFault::Malformed | TokenFault::Header => "It is no entitlement token, or not the whole of one.",
        TokenFault::UnknownKey | TokenFault::Issuer => "It was not made by anybody whose tokens this service takes.",
        TokenFault::Retired => "It was signed with a key that this service takes no longer.",
        TokenFault::Signature => "It was changed since it was made, or was not made by the seller whom it names.",
        TokenFault::Audience => "It is for another service.",
        TokenFault::Expired { at } => return format!("It was good until {at}."),
        TokenFault::NotYet { at } => return format!("It is not good before {at}."),
        TokenFault::LifetimeTooLong => "It is good for longer than this service allows.",
    };
    words.to_owned()
}

/// The type of the form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// The longest form: the longest token, each of whose characters may be written as three, and what stands around it.
pub(crate) const MAX_FORM: usize = 32 * 1024;
