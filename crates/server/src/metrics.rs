//! What the server counts and measures, in the OpenMetrics text form that Prometheus reads. Every name is on the page
//! docs/operate/metrics.md, to which a test holds it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use admit_protocol::Code;
use admit_time::Timestamp;

use crate::Server;
use crate::home::Home;

/// A name and a value.
type Label = (&'static str, String);
type Labelled<const N: usize, M, C = fn() -> M> = Family<[Label; N], M, C>;

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Labelled<2, Counter>,
    durations: Labelled<1, Histogram>,
    pub(crate) under_way: Gauge,
    refusals: Labelled<1, Counter>,
    pub(crate) licenses: Counter,
    pub(crate) repeats: Counter,
    batches: Labelled<1, Histogram>,
    queues: Labelled<1, Gauge>,
    pub(crate) database_errors: Counter,
    ends: Labelled<1, Gauge>,
    renewals: Labelled<1, Gauge>,
    pub(crate) connections: Gauge,
    pub(crate) connections_refused: Counter,
    pub(crate) handshakes_failed: Counter,
    policy_broken: Gauge,
    policy_loads: Counter,
    lines_dropped: Counter,
    spans_dropped: Counter,
}

impl Metrics {
    pub(crate) fn new(home: &Home) -> Self {
        let mut named = Named(Registry::with_prefix("admit"));
        for (cache, counts) in home.caches() {
            named.labelled_caches(cache, counts);
        }
        Self {
            requests: named.add("requests", "Requests answered, by route and HTTP status", labelled(Counter::default)),
            durations: named.add(
                "request_duration_seconds",
                "Time from a request's head to its answer's head, by route",
                labelled(|| Histogram::new(SECONDS)),
            ),
            under_way: named.add("requests_under_way", "Requests that are being answered", Gauge::default()),
            refusals: named.add("refusals", "Requests refused, by code of the error table", labelled(Counter::default)),
            licenses: named.add("licenses_issued", "Licenses recorded and sent", Counter::default()),
            repeats: named.add(
                "challenges_repeated",
                "Challenges that were answered before and got the same licenses again",
                Counter::default(),
            ),
            batches: named.add(
                "batch_size",
                "Requests whose work was done together, by queue",
                labelled(|| Histogram::new(JOBS)),
            ),
            queues: named.add("queue_length", "Requests that wait in a queue", labelled(Gauge::default)),
            database_errors: named.add("database_errors", "Requests that the database failed", Counter::default()),
            ends: named.add(
                "certificate_end_time_seconds",
                "When a certificate ends, in seconds since 1970",
                labelled(Gauge::default),
            ),
            renewals: named.add(
                "certificate_renewal_time_seconds",
                "From when on a certificate is due to be renewed, in seconds since 1970",
                labelled(Gauge::default),
            ),
            connections: named.add("connections", "Open connections", Gauge::default()),
            connections_refused: named.add(
                "connections_refused",
                "Connections closed at once, because their address had too many",
                Counter::default(),
            ),
            handshakes_failed: named.add(
                "tls_handshakes_failed",
                "Connections that ended before there was a TLS session",
                Counter::default(),
            ),
            policy_broken: named.add(
                "policy_broken",
                "Mistakes in the acquisition policy's file, so that what it was before is in use",
                Gauge::default(),
            ),
            policy_loads: named.add(
                "policy_loads",
                "How often the acquisition policy was taken over",
                Counter::default(),
            ),
            lines_dropped: named.add(
                "log_lines_dropped",
                "Lines of the log that were dropped because it took none",
                Counter::default(),
            ),
            spans_dropped: named.add(
                "trace_spans_dropped",
                "Spans of requests that were dropped because no collector took them",
                Counter::default(),
            ),
            registry: named.0,
        }
    }

    /// A request was answered.
    pub(crate) fn answered(&self, route: &str, status: u16, took: Duration) {
        let route = || ("route", route.to_owned());
        self.durations.get_or_create(&[route()]).observe(took.as_secs_f64());
        self.requests.get_or_create(&[route(), ("status", status.to_string())]).inc();
    }

    /// A request was refused.
    pub(crate) fn refused(&self, code: Code) {
        self.refusals.get_or_create(&[("code", code.name().to_owned())]).inc();
    }

    /// Where the sizes of a queue's batches are measured.
    pub(crate) fn batches(&self, queue: &str) -> Histogram {
        self.batches.get_or_create_owned(&[("queue", queue.to_owned())])
    }

    /// The text, with what is looked up for it only now.
    pub(crate) fn text(&self, server: &Server) -> String {
        let queues = [("lookup", server.lookups.waiting()), ("record", server.records.waiting())];
        for (queue, waiting) in queues {
            self.queues.get_or_create(&[("queue", queue.to_owned())]).set(i64::try_from(waiting).unwrap_or(i64::MAX));
        }
        if let Some(tls) = &server.tls {
            set(&self.ends, "tls", tls.ends_at());
        }
        for standing in server.home.standings() {
            set(&self.ends, standing.name, standing.ends_at);
            set(&self.renewals, standing.name, standing.renew_by);
        }
        let standing = server.policy.standing(server.clock.now());
        self.policy_broken.set(i64::try_from(standing.mistakes.len()).unwrap_or(i64::MAX));
        self.policy_loads.inner().store(standing.loads, Ordering::Relaxed);
        self.lines_dropped.inner().store((server.dropped_lines)(), Ordering::Relaxed);
        self.spans_dropped.inner().store((server.dropped_spans)(), Ordering::Relaxed);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes every text");
        text
    }
}

/// Sets a time of a certificate.
fn set(times: &Labelled<1, Gauge>, certificate: &str, time: Timestamp) {
    let gauge = times.get_or_create(&[("certificate", certificate.to_owned())]);
    gauge.set(i64::try_from(time.unix_secs()).unwrap_or(i64::MAX));
}

/// How often a cache had what was wanted, and how often it had not.
#[derive(Debug, Clone, Default)]
pub(crate) struct CacheCounts {
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
}

impl CacheCounts {
    /// Counts what a look-up found.
    pub(crate) fn count<T>(&self, found: Option<T>) -> Option<T> {
        if found.is_some() { &self.hits } else { &self.misses }.inc();
        found
    }
}

/// A registry in the making.
struct Named(Registry);

impl Named {
    fn add<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }

    fn labelled_caches(&mut self, cache: &'static str, counts: &CacheCounts) {
        let name = |what: &str| format!("{cache}_cache_{what}");
        self.0.register(name("hits"), format!("Verified {cache} that were remembered"), counts.hits.clone());
        self.0.register(name("misses"), format!("Verified {cache} that were not remembered"), counts.misses.clone());
    }
}

fn labelled<const N: usize, M>(make: fn() -> M) -> Labelled<N, M> {
    Family::new_with_constructor(make)
}

const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
const JOBS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
