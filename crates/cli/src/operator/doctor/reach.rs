//! Whether clients find this realm at the public address.

use admit_protocol::realm::{MAX_REALM_DOCUMENT, REALM_PATH, Realm};

use super::Check;
use super::home::Opened;
use crate::client::PROVIDER;
use crate::system::Http;

pub(super) fn public_address(opened: &Opened) -> Check {
    let Some(address) = opened.public_address.as_deref() else {
        let advice = "Set public_address before anything is packaged: content carries it";
        return Check::warning(ADDRESS, "there is none", advice);
    };
    let url = format!("{}{REALM_PATH}", address.trim_end_matches('/'));
    let answer = match Http::new().get(&url, MAX_REALM_DOCUMENT) {
        Ok(answer) => answer,
        Err(failure) => {
            let advice = "Start the server, and see that name, port and certificate in front of it are right";
            return Check::failing(ADDRESS, failure.sentence, advice);
        }
    };
    match Realm::verify(PROVIDER, &answer, opened.realm) {
        Ok(_) if answer == opened.document => Check::good(ADDRESS, format!("{address} serves this realm")),
        Ok(_) => {
            let advice = "Wait a minute or restart the server; a proxy may have kept an old answer";
            Check::warning(ADDRESS, format!("{address} serves another document of this realm"), advice)
        }
        Err(error) => {
            let advice = "See which server answers there: clients that trust this realm refuse it";
            Check::failing(ADDRESS, format!("{address} does not serve this realm: {error}"), advice)
        }
    }
}

const ADDRESS: &str = "public address";
