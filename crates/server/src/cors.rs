//! Pages of other origins (Fetch, CORS protocol): players ask before they send a challenge, and see an answer only where
//! it says that they may.

use std::time::Duration;

use axum::http::{HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::home::Origins;
use crate::observe::REQUEST_ID;

/// For the addresses that players use. `None` where no origin may.
pub(crate) fn layer(origins: &Origins) -> Option<CorsLayer> {
    let origin = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::Only(origins) if origins.is_empty() => return None,
        Origins::Only(origins) => {
            AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
        }
    };
    let layer = CorsLayer::new().allow_origin(origin).allow_methods([Method::GET, Method::POST]);
    // Players add headers of their own. None of them means anything here, and tokens are no ambient authority. They are
    // named one by one, because `*` does not cover Authorization (Fetch, "non-wildcard request-header name").
    let layer = layer.allow_headers(AllowHeaders::mirror_request());
    Some(layer.expose_headers([header::RETRY_AFTER, REQUEST_ID]).max_age(KEPT_FOR))
}

/// What browsers keep at most.
const KEPT_FOR: Duration = Duration::from_secs(7_200);
