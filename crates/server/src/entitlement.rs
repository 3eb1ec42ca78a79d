//! Whether the buyer is entitled to some content: one question for licenses and for ClearKey.

use std::sync::Arc;

use admit_crypto::PublicKey;
use admit_time::Timestamp;

use crate::content::Content;
use crate::home::Home;
use crate::refusal::Refusal;
use crate::token::Claims;

/// The buyer's entitlement. A token that is there must hold, also where none is needed. A token that is bound to a
/// client's key is of no use to whoever has none.
pub(crate) async fn check<'c>(
    home: &Home,
    token: Option<&str>,
    client: Option<&PublicKey>,
    contents: impl Iterator<Item = &'c Content>,
    now: Timestamp,
) -> Result<Option<Arc<Claims>>, Refusal> {
    let mut closed = contents.filter(|content| !content.open);
    let Some(token) = token else {
        let needed = closed.next().map(|content| content.content_id.clone());
        return needed.map_or(Ok(None), |content_id| Err(Refusal::TokenRequired { content_id }));
    };
    let claims = home.token_rules(now).await?.verify(token, now)?;
    let usable = client.map_or(claims.cnf.is_none(), |key| claims.may_be_used_by(home.provider(), key));
    if !usable {
        return Err(Refusal::TokenBoundElsewhere);
    }
    match closed.find(|content| !claims.covers(&content.content_id)) {
        Some(content) => Err(Refusal::TokenNotForContent { content_id: content.content_id.clone() }),
        None => Ok(Some(claims)),
    }
}
