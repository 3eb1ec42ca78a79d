//! The server: an open home with clock, randomness and policy, and the routes that stand on them.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};

use admit_protocol::acquire::LICENSES_PATH;
use admit_protocol::acquire::MAX_CHALLENGE;
use admit_protocol::enrol::ENROL_PATH;
use admit_protocol::enrol::MAX_ENROLMENT_REQUEST;
use admit_protocol::package::{HEADERS_PATH, KEYS_PATH, MAX_PACKAGE_MESSAGE};
use admit_protocol::realm::REALM_PATH;

use crate::acquire::lookup::Lookup;
use crate::acquire::record::Record;
use crate::batch::Batch;
use crate::home::Home;
use crate::policy::{DefaultPolicy, Policy};
use crate::rate_limit::RateLimit;
use crate::refusal::Refusal;
use crate::sources::{Clock, EntropySource};
use crate::{acquire, enrol, health, http, package, realm};

/// A server of one realm.
#[derive(Clone)]
pub struct Server {
    pub(crate) home: Home,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn EntropySource>,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) enrolments: Arc<RateLimit>,
    pub(crate) lookups: Arc<Batch<Lookup>>,
    pub(crate) records: Arc<Batch<Record>>,
}

impl Server {
    /// A server of a home, with the default policy. To be called on a runtime: it starts tasks, which end with it.
    #[must_use]
    pub fn new(home: Home, clock: impl Clock + 'static, entropy: impl EntropySource + 'static) -> Self {
        let config = home.config();
        // Half, so that requests hear of it before they are given up themselves.
        let limit = config.request_timeout / 2;
        let enrolments = Arc::new(RateLimit::new(config.enrolments_per_hour, config.enrolment_burst));
        Self {
            lookups: Arc::new(Batch::start(Lookup(home.clone()), limit)),
            records: Arc::new(Batch::start(Record(home.clone()), limit)),
            home,
            clock: Arc::new(clock),
            entropy: Arc::new(entropy),
            policy: Arc::new(DefaultPolicy),
            enrolments,
        }
    }

    /// The same server with another policy.
    #[must_use]
    pub fn with_policy(self, policy: impl Policy + 'static) -> Self {
        Self { policy: Arc::new(policy), ..self }
    }

    /// The home.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The routes of every service.
    pub fn router(&self) -> Router {
        let licenses = post(acquire::acquire).layer(DefaultBodyLimit::max(MAX_CHALLENGE));
        let enrolment = post(enrol::enrol).layer(DefaultBodyLimit::max(MAX_ENROLMENT_REQUEST));
        let keys = put(package::register).layer(DefaultBodyLimit::max(MAX_PACKAGE_MESSAGE));
        Router::new()
            .route(REALM_PATH, get(realm::document))
            .route(ENROL_PATH, enrolment)
            .route(LICENSES_PATH, licenses)
            .route(HEADERS_PATH, post(package::header).layer(DefaultBodyLimit::max(MAX_PACKAGE_MESSAGE)))
            .route(&format!("{KEYS_PATH}/{{key_id}}"), keys)
            .route("/health", get(health::health))
            .fallback(async || Refusal::NotFound)
            .layer(axum::middleware::from_fn_with_state(self.clone(), http::in_time))
            .with_state(self.clone())
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("home", &self.home.path()).field("policy", &self.policy).finish_non_exhaustive()
    }
}
