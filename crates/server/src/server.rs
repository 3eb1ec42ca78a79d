//! The server: an open home with clock, randomness and policy, and the routes that stand on them.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use admit_protocol::time::TIME_PATH;
use admit_time::Timestamp;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::sync::Semaphore;

use crate::acquire::limits::Limits;
use crate::acquire::lookup::Lookup;
use crate::acquire::record::Record;
use crate::api::{Audience, METRICS_PATH};
use crate::batch::Batch;
use crate::home::Home;
use crate::metrics::Metrics;
use crate::network::AddressLimit;
use crate::observe::{self, RequestIds};
use crate::policy::{DefaultPolicy, LivePolicy, Policy};
use crate::refusal::Refusal;
use crate::sources::{Clock, EntropySource};
use crate::time::TimeService;
use crate::tls::Tls;
use crate::{api, cors};

/// A server of one realm. Clones share it: every layer of every request takes one.
#[derive(Clone)]
pub struct Server(Arc<Parts>);

/// What a server consists of. Nobody outside sees it.
#[derive(Clone)]
pub struct Parts {
    pub(crate) home: Home,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn EntropySource>,
    pub(crate) request_ids: Arc<RequestIds>,
    pub(crate) policy: Arc<dyn Policy>,
    /// When the audit record last heard of a policy that failed.
    pub(crate) policy_failed_at: Arc<AtomicU64>,
    pub(crate) enrolments: Arc<AddressLimit>,
    pub(crate) limits: Arc<Limits>,
    /// How many more requests may be under way.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) dropped_lines: Arc<dyn Fn() -> u64 + Send + Sync>,
    pub(crate) dropped_spans: Arc<dyn Fn() -> u64 + Send + Sync>,
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) lookups: Arc<Batch<Lookup>>,
    pub(crate) records: Arc<Batch<Record>>,
    pub(crate) time: Arc<TimeService>,
    pub(crate) tls: Option<Tls>,
}

impl Server {
    /// A server of a home, with the policy that its settings name, or else the default. To be called on a runtime: it starts tasks, which end with it.
    #[must_use]
    pub fn new(home: Home, clock: impl Clock + 'static, entropy: impl EntropySource + 'static) -> Self {
        let config = home.config();
        // Half, so that requests hear of it before they are given up themselves.
        let limit = config.request_timeout / 2;
        let enrolments = Arc::new(AddressLimit::new(config.enrolments_per_hour, config.enrolment_burst));
        let metrics = Metrics::new(&home);
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn EntropySource>) = (Arc::new(clock), Arc::new(entropy));
        Self(Arc::new(Parts {
            limits: Arc::new(Limits::new(&config.licenses)),
            places: Arc::new(Semaphore::new(config.maximum_requests)),
            lookups: Arc::new(Batch::start(Lookup(home.clone()), limit, metrics.batches("lookup"))),
            records: Arc::new(Batch::start(Record(home.clone()), limit, metrics.batches("record"))),
            time: Arc::new(TimeService::start(&home, &clock, &entropy, metrics.batches("time"))),
            metrics: Arc::new(metrics),
            dropped_lines: Arc::new(|| 0),
            dropped_spans: Arc::new(|| 0),
            stopping: Arc::default(),
            policy: policy(&home, clock.now()),
            policy_failed_at: Arc::default(),
            request_ids: Arc::default(),
            home,
            clock,
            entropy,
            enrolments,
            tls: None,
        }))
    }

    /// The same server with another policy.
    #[must_use]
    pub fn with_policy(self, policy: impl Policy + 'static) -> Self {
        self.with(|parts| parts.policy = Arc::new(policy))
    }

    /// The same server with TLS on every connection.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        self.with(|parts| parts.tls = Some(tls))
    }

    /// The same server; `count` says how many lines of the log were dropped.
    #[must_use]
    pub fn with_dropped_lines(self, count: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.with(|parts| parts.dropped_lines = Arc::new(count))
    }

    /// The same server; `count` says how many spans of traces were dropped.
    #[must_use]
    pub fn with_dropped_spans(self, count: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.with(|parts| parts.dropped_spans = Arc::new(count))
    }

    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Says from now on, at `/ready`, that the server is being stopped, so that balancers send it nothing more.
    pub fn announce_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// The home.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The routes of every service.
    pub fn router(&self) -> Router {
        let probes = api::routes(Audience::Probes).fallback(async || Refusal::NotFound);
        self.players()
            .merge(api::routes(Audience::Others))
            .merge(probes)
            .layer(from_fn_with_state(self.clone(), observe::observe))
            .with_state(self.clone())
    }

    /// What pages of other origins may use. A page sees no answer, a refusal neither, that does not say so.
    fn players(&self) -> Router<Self> {
        let players = api::routes(Audience::Players);
        match cors::layer(&self.home.config().origins) {
            Some(cors) => players.layer(cors),
            None => players,
        }
    }

    /// Signed time alone, for an address without TLS.
    pub(crate) fn time_router(&self) -> Router {
        api::route_at(TIME_PATH)
            .fallback(async || Refusal::NotFound)
            .layer(from_fn_with_state(self.clone(), observe::observe))
            .with_state(self.clone())
    }

    /// The same server without TLS.
    pub(crate) fn without_tls(self) -> Self {
        self.with(|parts| parts.tls = None)
    }

    /// The metrics alone, for an address of their own.
    pub(crate) fn metrics_router(&self) -> Router {
        Router::new()
            .route(METRICS_PATH, get(observe::metrics_alone))
            .method_not_allowed_fallback(async || Refusal::Method)
            .fallback(async || Refusal::NotFound)
            .with_state(self.clone())
    }
}

/// The policy of the settings. One that does not hold issues nothing.
fn policy(home: &Home, now: Timestamp) -> Arc<dyn Policy> {
    match home.config().policy.file() {
        Some(file) => Arc::new(LivePolicy::new(file, now)),
        None => Arc::new(DefaultPolicy),
    }
}

impl Deref for Server {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("home", &self.home.path()).field("policy", &self.policy).finish_non_exhaustive()
    }
}
