//! Whether the buyer is entitled to some content: one question for licenses and for ClearKey.

use std::sync::Arc;

use admit_crypto::PublicKey;
use admit_time::Timestamp;

use crate::Server;
use crate::content::Content;
use crate::refusal::Refusal;
use crate::token::Verified;

/// The buyer's entitlement. A token that is there must hold, also where none is needed. A token that is bound to a
/// client's key is of no use to whoever has none. Only a token that opens the content is counted for its limit: nobody
/// else can use that up.
pub(crate) async fn check<'c>(
    server: &Server,
    token: Option<&str>,
    client: Option<&PublicKey>,
    contents: impl Iterator<Item = &'c Content>,
    now: Timestamp,
) -> Result<Option<Arc<Verified>>, Refusal> {
    let mut closed = contents.filter(|content| !content.open);
    let Some(token) = token else {
        let needed = closed.next().map(|content| content.content_id.clone());
        return needed.map_or(Ok(None), |content_id| Err(Refusal::TokenRequired { content_id }));
    };
    let provider = server.home.provider();
    let token = server.home.token_rules(now).await?.verify(token, now)?;
    let claims = &token.claims;
    let usable = client.map_or(claims.cnf.is_none(), |key| claims.may_be_used_by(provider, key));
    if !usable {
        return Err(Refusal::TokenBoundElsewhere);
    }
    if let Some(content) = closed.find(|content| !claims.covers(&content.content_id)) {
        return Err(Refusal::TokenNotForContent { content_id: content.content_id.clone() });
    }
    server.limits.take_token(claims.identity(provider), now)?;
    Ok(Some(token))
}
