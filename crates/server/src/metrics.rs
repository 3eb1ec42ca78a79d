//! What the server counts and measures, in the OpenMetrics text form that Prometheus reads. Every name is on the page
//! docs/operate/metrics.md, to which a test holds it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
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
    requests: Requests,
    pub(crate) licenses: Counter,
    pub(crate) recovered: Counter,
    pub(crate) repeats: Counter,
    pub(crate) stores_older: Counter,
    queues: Queues,
    pub(crate) time: Time,
    pub(crate) database_errors: Counter,
    certificates: Certificates,
    policy: Policy,
    pub(crate) connections: Connections,
    dropped: Dropped,
}

/// Requests and how they ended.
#[derive(Debug)]
struct Requests {
    answered: Labelled<2, Counter>,
    durations: Labelled<1, Histogram>,
    under_way: Gauge,
    refusals: Labelled<1, Counter>,
    /// The counts of routes and statuses that were seen, found without making labels of them again.
    seen: RwLock<HashMap<String, Seen>>,
}

/// The counts of one route.
#[derive(Debug)]
struct Seen {
    duration: Histogram,
    answered: HashMap<u16, Counter>,
}

/// Requests whose work is done together.
#[derive(Debug)]
struct Queues {
    batches: Labelled<1, Histogram>,
    lengths: Labelled<1, Gauge>,
}

/// Signed time.
#[derive(Debug)]
pub(crate) struct Time {
    pub(crate) answers: Counter,
    dropped: [(&'static str, Counter); DROPPED.len()],
    signed: Gauge,
    pub(crate) clock_ahead: Gauge<f64, AtomicU64>,
}

/// The times of certificates.
#[derive(Debug)]
struct Certificates {
    ends: Labelled<1, Gauge>,
    renewals: Labelled<1, Gauge>,
}

/// The acquisition policy's file.
#[derive(Debug)]
struct Policy {
    broken: Gauge,
    loads: Counter,
}

/// Connections and those that came to nothing.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) open: Gauge,
    pub(crate) refused: Counter,
    pub(crate) handshakes_failed: Counter,
}

/// What was lost of the log and of traces.
#[derive(Debug)]
struct Dropped {
    lines: Counter,
    spans: Counter,
}

impl Metrics {
    pub(crate) fn new(home: &Home) -> Self {
        let mut named = Named(Registry::with_prefix("admit"));
        for (cache, counts) in home.caches() {
            named.labelled_caches(cache, counts);
        }
        Self {
            requests: Requests::new(&mut named),
            licenses: named.counter("licenses_issued", "Licenses recorded and sent"),
            recovered: named.counter("licenses_recovered", "Licenses issued again to their owner"),
            repeats: named
                .counter("challenges_repeated", "Challenges that were answered before and got the same licenses again"),
            stores_older: named
                .counter("stores_older", "Challenges from a client's store that is older than one that was seen of it"),
            queues: Queues::new(&mut named),
            time: Time::new(&mut named),
            database_errors: named.counter("database_errors", "Requests that the database failed"),
            certificates: Certificates::new(&mut named),
            policy: Policy::new(&mut named),
            connections: Connections::new(&mut named),
            dropped: Dropped::new(&mut named),
            registry: named.0,
        }
    }

    /// A request came.
    pub(crate) fn begun(&self) {
        self.requests.under_way.inc();
    }

    /// A request is over, however that came.
    pub(crate) fn ended(&self) {
        self.requests.under_way.dec();
    }

    /// A request was answered.
    pub(crate) fn answered(&self, route: &str, status: u16, took: Duration) {
        self.requests.answered(route, status, took);
    }

    /// A request was refused.
    pub(crate) fn refused(&self, code: Code) {
        self.requests.refusals.get_or_create(&[("code", code.name().to_owned())]).inc();
    }

    /// Where the sizes of a queue's batches are measured.
    pub(crate) fn batches(&self, queue: &str) -> Histogram {
        self.queues.batches.get_or_create_owned(&[("queue", queue.to_owned())])
    }

    /// The text, with what is looked up for it only now.
    pub(crate) fn text(&self, server: &Server) -> String {
        self.queues.look(server);
        self.time.look(server);
        self.certificates.look(server);
        self.policy.look(server);
        self.dropped.look(server);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes every text");
        text
    }
}

impl Requests {
    fn new(named: &mut Named) -> Self {
        Self {
            answered: named.add("requests", "Requests answered, by route and HTTP status", labelled(Counter::default)),
            durations: named.add(
                "request_duration_seconds",
                "Time from a request's head to its answer's head, by route",
                labelled(|| Histogram::new(SECONDS)),
            ),
            under_way: named.gauge("requests_under_way", "Requests that are being answered"),
            refusals: named.add("refusals", "Requests refused, by code of the error table", labelled(Counter::default)),
            seen: RwLock::default(),
        }
    }

    fn answered(&self, route: &str, status: u16, took: Duration) {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.get(route)
            && let Some(answered) = seen.answered.get(&status)
        {
            seen.duration.observe(took.as_secs_f64());
            answered.inc();
            return;
        }
        drop(seen);
        self.see(route, status);
        self.answered(route, status, took);
    }

    /// Makes the counts of a route with a status. There are as many as the server has routes and statuses.
    fn see(&self, route: &str, status: u16) {
        let label = || ("route", route.to_owned());
        let answered = self.answered.get_or_create_owned(&[label(), ("status", status.to_string())]);
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let of_route = seen.entry(route.to_owned()).or_insert_with(|| Seen {
            duration: self.durations.get_or_create_owned(&[label()]),
            answered: HashMap::new(),
        });
        of_route.answered.insert(status, answered);
    }
}

impl Queues {
    fn new(named: &mut Named) -> Self {
        let help = "Requests whose work was done together, by queue";
        let batches = named.add("batch_size", help, labelled(|| Histogram::new(JOBS)));
        let lengths = named.add("queue_length", "Requests that wait in a queue", labelled(Gauge::default));
        Self { batches, lengths }
    }

    fn look(&self, server: &Server) {
        let queues = [
            ("lookup", server.lookups.waiting()),
            ("record", server.records.waiting()),
            ("time", server.time.waiting()),
        ];
        for (queue, waiting) in queues {
            let length = self.lengths.get_or_create(&[("queue", queue.to_owned())]);
            length.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        }
    }
}

impl Time {
    fn new(named: &mut Named) -> Self {
        let help = "Requests for the time that were not answered, by reason";
        let dropped: Labelled<1, Counter> = named.add("time_requests_dropped", help, labelled(Counter::default));
        let ahead = "How far this host's clock is ahead of a shared database's";
        Self {
            answers: named.counter("time_answers", "Requests for the time that were answered"),
            // There from the beginning.
            dropped: DROPPED.map(|reason| (reason, dropped.get_or_create_owned(&[("reason", reason.to_owned())]))),
            signed: named.gauge("time_signed", "1 where the time is signed, and 0 where it is not"),
            clock_ahead: named.seconds("clock_ahead_of_database_seconds", ahead),
        }
    }

    /// A request for the time was not answered. It costs no memory: a flood of them is to cost little.
    pub(crate) fn dropped(&self, reason: &str) {
        if let Some((_, counter)) = self.dropped.iter().find(|(counted, _)| *counted == reason) {
            counter.inc();
        }
    }

    fn look(&self, server: &Server) {
        self.signed.set(server.time.check(server.clock.now()).is_ok().into());
    }
}

impl Certificates {
    fn new(named: &mut Named) -> Self {
        let help = "When a certificate ends, in seconds since 1970";
        let ends = named.add("certificate_end_time_seconds", help, labelled(Gauge::default));
        let help = "From when on a certificate is due to be renewed, in seconds since 1970";
        let renewals = named.add("certificate_renewal_time_seconds", help, labelled(Gauge::default));
        Self { ends, renewals }
    }

    fn look(&self, server: &Server) {
        if let Some(tls) = &server.tls {
            set(&self.ends, "tls", tls.ends_at());
        }
        for standing in server.home.standings() {
            set(&self.ends, &standing.name, standing.ends_at);
            set(&self.renewals, &standing.name, standing.renew_by);
        }
    }
}

impl Policy {
    fn new(named: &mut Named) -> Self {
        let broken = "Mistakes in the acquisition policy's file, so that what it was before is in use";
        Self {
            broken: named.gauge("policy_broken", broken),
            loads: named.counter("policy_loads", "How often the acquisition policy was taken over"),
        }
    }

    fn look(&self, server: &Server) {
        let standing = server.policy.standing(server.clock.now());
        self.broken.set(i64::try_from(standing.mistakes.len()).unwrap_or(i64::MAX));
        self.loads.inner().store(standing.loads, Ordering::Relaxed);
    }
}

impl Connections {
    fn new(named: &mut Named) -> Self {
        let refused = "Connections closed at once, because their address had too many";
        let failed = "Connections that ended before there was a TLS session";
        Self {
            open: named.gauge("connections", "Open connections"),
            refused: named.counter("connections_refused", refused),
            handshakes_failed: named.counter("tls_handshakes_failed", failed),
        }
    }
}

impl Dropped {
    fn new(named: &mut Named) -> Self {
        let lines = "Lines of the log that were dropped because it took none";
        let spans = "Spans of requests that were dropped because no collector took them";
        Self { lines: named.counter("log_lines_dropped", lines), spans: named.counter("trace_spans_dropped", spans) }
    }

    fn look(&self, server: &Server) {
        self.lines.inner().store((server.dropped_lines)(), Ordering::Relaxed);
        self.spans.inner().store((server.dropped_spans)(), Ordering::Relaxed);
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

    fn counter(&mut self, name: &str, help: &str) -> Counter {
        self.add(name, help, Counter::default())
    }

    fn gauge(&mut self, name: &str, help: &str) -> Gauge {
        self.add(name, help, Gauge::default())
    }

    fn seconds(&mut self, name: &str, help: &str) -> Gauge<f64, AtomicU64> {
        self.add(name, help, Gauge::default())
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

/// Why requests for the time are not answered.
const DROPPED: [&str; 7] = ["length", "form", "type", "version", "service", "rate", "not signed"];
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
const JOBS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
