//! Spans of requests at a collector: a real `admit serve` sends them over HTTP to a listener of the test's, which takes
//! them, hangs, or is not there. `ADMIT_PYTHON`, else `python3`, must have the package `opentelemetry-proto`, else one test
//! fails; `cargo check-all` sees to it.

use std::fs;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::collector::{Collector, OK, body, decoded, tls};
use crate::serving::{REQUEST, Server, certificate, configure, exchange, read_answer};
use crate::world::{World, clip};

#[test]
fn a_collector_gets_a_span_of_each_request_by_the_semantic_conventions() {
    let collector = Collector::start();
    let world = World::unserved();
    configure(&world, &format!("{}service_name = \"drm\"\n", collector.settings()));
    let mut server = Server::start(&world, &[], Stdio::null());
    let mut connection = server.connect();
    let begun = nanos();
    let mut ask = |method: &str, path: &str| {
        let answer = exchange(&mut connection, method, path, &format!("traceparent: {PARENT}\r\n"));
        header(&answer, "x-request-id").to_owned()
    };
    let ids = [ask("GET", "/health"), ask("PUT", "/v1/keys/7"), ask("BREW", "/nothing"), ask("GET", "/ready?secret")];
    let ended = nanos();
    let spans = collector.spans_until(&ids[3]);
    assert_eq!(spans.iter().map(|span| span.trace_id()).collect::<Vec<_>>(), ids);
    let names: Vec<&str> = spans.iter().map(|span| span.json["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["GET /health", "PUT /v1/keys/{key_id}", "HTTP", "GET /ready"]);
    for span in &spans {
        assert_eq!(
            (span.resource("service.name"), span.resource("service.version")),
            ("drm", env!("CARGO_PKG_VERSION"))
        );
        assert_eq!((span.attribute("url.scheme"), span.json.get("parentSpanId")), (Some("http"), None));
        assert_eq!(span.attribute("admit.request_id"), Some(span.trace_id()));
        let time = |name: &str| span.json[name].as_str().unwrap().parse::<u128>().unwrap();
        let (start, end) = (time("startTimeUnixNano"), time("endTimeUnixNano"));
        assert!(begun <= start && start < end && start <= ended, "{begun} {start} {end} {ended}");
    }
    let of = |name: &str| spans.iter().map(|span| span.attribute(name)).collect::<Vec<_>>();
    assert_eq!(of("http.request.method"), [Some("GET"), Some("PUT"), Some("_OTHER"), Some("GET")]);
    assert_eq!(of("http.route"), [Some("/health"), Some("/v1/keys/{key_id}"), None, Some("/ready")]);
    assert_eq!(of("http.response.status_code"), [Some("200"), Some("401"), Some("404"), Some("200")]);
    assert_eq!(of("admit.code")[..2], [None, Some("ADMIT_E_OPERATOR_TOKEN")]);
    assert_eq!(dropped(&server), 0);
    server.stop();
}

#[test]
fn spans_are_whole_whatever_the_log_leaves_out() {
    let collector = Collector::start();
    let world = World::unserved();
    configure(&world, &format!("{}[log]\nlevel = \"error\"\n", collector.settings()));
    let mut server = Server::start(&world, &[], Stdio::null());
    let answer = exchange(&mut server.connect(), "PUT", "/v1/keys/7", "");
    let spans = collector.spans_until(header(&answer, "x-request-id"));
    let [span] = &spans[..] else { panic!("{}", spans.len()) };
    let of = ["http.route", "http.response.status_code", "admit.code"].map(|name| span.attribute(name));
    assert_eq!(of, [Some("/v1/keys/{key_id}"), Some("401"), Some("ADMIT_E_OPERATOR_TOKEN")]);
    server.stop();
}

#[test]
fn what_is_sent_is_what_opentelemetrys_own_messages_read() {
    let collector = Collector::start();
    let world = World::unserved();
    configure(&world, &format!("{}accept_traceparent = true\n", collector.settings()));
    let mut server = Server::start(&world, &[], Stdio::null());
    let headers = format!("traceparent: {PARENT}\r\n");
    let answer = exchange(&mut server.connect(), "PUT", "/v1/keys/7", &headers);
    let message = collector.messages.recv().unwrap();
    server.stop();
    let spans = decoded(body(&message));
    let [span] = &spans.as_array().unwrap()[..] else { panic!("{spans}") };
    assert_eq!((&span["trace"], &span["parent"]), (&PARENT[3..35].into(), &PARENT[36..52].into()));
    assert_eq!(span["span"].as_str().unwrap().len(), 16);
    assert_eq!((&span["name"], &span["kind"]), (&"PUT /v1/keys/{key_id}".into(), &"SPAN_KIND_SERVER".into()));
    assert_eq!((&span["status"], &span["flags"]), (&"STATUS_CODE_UNSET".into(), &0x301.into()));
    assert!(span["nanos"].as_u64().unwrap() > 0);
    let expected = json!({
        "http.request.method": "PUT",
        "http.route": "/v1/keys/{key_id}",
        "http.response.status_code": 401,
        "url.scheme": "http",
        "admit.request_id": header(&answer, "x-request-id"),
        "admit.code": "ADMIT_E_OPERATOR_TOKEN",
    });
    assert_eq!(span["attributes"], expected);
    assert_eq!(span["resource"], json!({ "service.name": "admit", "service.version": env!("CARGO_PKG_VERSION") }));
}

#[test]
fn over_https_only_a_collector_that_the_authorities_vouch_for_gets_spans() {
    let world = World::unserved();
    certificate(&world, "collector");
    let collector = Collector::of(OK, Some(tls(&world)));
    configure(&world, &collector.settings());
    for authorities in ["key.pem", "cert.pem"] {
        let mut command = world.command(&["serve", "--home", "home", "--listen", "127.0.0.1:0"]);
        command.env("SSL_CERT_FILE", world.path(authorities));
        let mut server = Server::of(command, Stdio::null());
        let answer = exchange(&mut server.connect(), "GET", "/health", "");
        if authorities == "cert.pem" {
            let spans = collector.spans_until(header(&answer, "x-request-id"));
            assert_eq!(spans.len(), 1, "the other server's stayed there");
        } else {
            while dropped(&server) == 0 {
                thread::yield_now();
            }
        }
        server.stop();
    }
}

#[test]
fn no_secret_and_no_text_of_a_request_reaches_a_collector() {
    let collector = Collector::start();
    let world = World::with_settings("# endpoint = \"http://127.0.0.1:4318\"", &collector.endpoint());
    let token = world.admit(&["admin", "token", "make", "encoder", "--home", "home"]).succeeded().trim().to_owned();
    let (clip, server) = (clip(), format!("http://{}", world.address()));
    let key = [0xc1, 0xa2, 0x33, 0x94, 0x5e, 0x76, 0x17, 0xf8, 0x29, 0xaa, 0x4b, 0x8c, 0x0d, 0xee, 0x6f, 0x50];
    let (key_id, hex_key) = ("07070707-0707-4707-8707-070707070707", hex::encode(key));
    let words = ["package", clip.to_str().unwrap(), "-o", "film.mp4", "--server", &server, "--token", &token];
    let more = ["--content-id", "canary-title-51", "--kid", key_id, "--key", &hex_key];
    world.admit(&[&words[..], &more].concat()).succeeded();
    let (realm, entitlement) = (world.realm_of("film.mp4"), world.token("canary-title-51"));
    let play = ["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm, "--token", &entitlement];
    world.admit(&play).succeeded();
    let canary = "canary-0123456789abcdef";
    let mut connection = BufReader::new(TcpStream::connect(world.address()).unwrap());
    let names = ["authorization: Bearer ", "traceparent: ", "user-agent: ", "x-forwarded-for: ", "x-request-id: "];
    let headers: String = names.iter().map(|name| format!("{name}{canary}\r\n")).collect();
    let mut last = String::new();
    for (method, path) in [
        ("PUT", format!("/v1/keys/{canary}?{canary}={canary}")),
        ("POST", "/v1/headers".to_owned()),
        ("GET", format!("/{canary}")),
        (canary, "/health".to_owned()),
    ] {
        last = header(&exchange(&mut connection, method, &path, &headers), "x-request-id").to_owned();
    }
    let spans = collector.spans_until(&last);
    let routes: Vec<_> = spans.iter().filter_map(|span| span.attribute("http.route")).collect();
    for route in ["/v1/enrol", "/v1/licenses", "/v1/headers", "/v1/keys/{key_id}", "/.well-known/admit"] {
        assert!(routes.contains(&route), "the flow was seen: {routes:?}");
    }
    let seen: String = spans.iter().map(|span| format!("{}{}{}", span.head, span.resource, span.json)).collect();
    let signature = entitlement.rsplit_once('.').unwrap().1;
    let secret_of_token = token.trim_start_matches("admit_operator_");
    let texts = [canary, "canary-title-51", "alice", key_id, &entitlement, signature, secret_of_token];
    for secret in texts.map(str::as_bytes).into_iter().chain([&key[..]]) {
        for form in forms(secret) {
            assert!(!seen.to_ascii_lowercase().contains(&form.to_ascii_lowercase()), "{form} left: {seen}");
        }
    }
}

#[test]
fn a_collector_that_hangs_holds_up_neither_requests_nor_the_end() {
    // The kernel takes connections, and nobody reads them.
    let hung = TcpListener::bind("127.0.0.1:0").unwrap();
    let world = World::unserved();
    configure(&world, &settings(&hung));
    let mut server = Server::start(&world, &[], Stdio::null());
    let mut connection = server.connect();
    // More than may wait and are with the thread that sends.
    for _ in 0..60 {
        connection.get_mut().write_all(REQUEST.repeat(100).as_bytes()).unwrap();
        for _ in 0..100 {
            assert!(read_answer(&mut connection).starts_with("HTTP/1.1 404"));
        }
    }
    assert!(dropped(&server) > 0);
    // Here it would wait for as long as the collector hangs; a unit test shows that it does not, by one that hangs for ever.
    server.stop();
}

#[test]
fn the_spans_of_a_collector_that_is_not_there_or_refuses_are_counted_and_the_log_says_so_once() {
    for answer in [None, Some("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")] {
        let collector = answer.map(Collector::answering);
        let endpoint = collector.as_ref().map_or_else(nobody, Collector::settings);
        let world = World::unserved();
        configure(&world, &endpoint);
        let log = fs::File::create(world.path("log")).unwrap();
        let mut server = Server::start(&world, &[], Stdio::from(log));
        let mut connection = server.connect();
        for round in 1..=2 {
            for _ in 0..5 {
                exchange(&mut connection, "GET", "/nothing", "");
            }
            // Asking is a request too.
            while dropped(&server) < 5 * round {
                thread::yield_now();
            }
        }
        server.stop();
        let log = fs::read_to_string(world.path("log")).unwrap();
        assert_eq!(log.matches("traces are dropped").count(), 1, "{log}");
    }
}

#[test]
fn spans_that_a_collector_takes_in_part_are_counted() {
    let body = "{\"partialSuccess\":{\"rejectedSpans\":\"1000\"}}";
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let collector = Collector::answering(&answer);
    let world = World::unserved();
    configure(&world, &collector.settings());
    let mut server = Server::start(&world, &[], Stdio::null());
    while dropped(&server) < 1000 {
        thread::yield_now();
    }
    server.stop();
}

#[test]
fn a_parent_is_taken_from_a_request_only_where_the_settings_say_so_and_decides_what_is_sent() {
    let collector = Collector::start();
    let world = World::unserved();
    // Nothing is sent but what a parent asks for.
    let settings = format!("{}sample = 0\naccept_traceparent = true\n[log]\nformat = \"json\"\n", collector.settings());
    configure(&world, &settings);
    let log = fs::File::create(world.path("log")).unwrap();
    let mut server = Server::start(&world, &[], Stdio::from(log));
    let mut connection = server.connect();
    let not_sampled = PARENT.replace("-01", "-00");
    let parents = ["", "nonsense", &PARENT.to_uppercase(), &not_sampled, PARENT];
    let mut ids = parents.map(|parent| {
        let headers = if parent.is_empty() { String::new() } else { format!("traceparent: {parent}\r\n") };
        header(&exchange(&mut connection, "GET", "/health", &headers), "x-request-id").to_owned()
    });
    let spans = collector.spans_until(&ids[4]);
    let [span] = &spans[..] else { panic!("{}", spans.len()) };
    assert_eq!((span.trace_id(), &span.json["parentSpanId"]), (&PARENT[3..35], &PARENT[36..52].into()));
    assert_ne!(span.json["spanId"], span.json["parentSpanId"]);
    assert_eq!(span.json["flags"], 0x301);
    server.stop();
    let log = fs::read_to_string(world.path("log")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let logged: Vec<_> = lines.filter(|line| line["message"] == "answered").map(|line| line["span"].clone()).collect();
    let parents: Vec<_> = logged.iter().map(|span| span["traceparent"].as_str()).collect();
    assert_eq!(parents, [None, None, None, Some(&*not_sampled), Some(PARENT)], "{log}");
    ids.sort();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "ids stay the server's own");
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}

fn dropped(server: &Server) -> u64 {
    let metrics = exchange(&mut server.connect(), "GET", "/metrics", "");
    let count = metrics.lines().find_map(|line| line.strip_prefix("admit_trace_spans_dropped_total "));
    count.unwrap().parse().unwrap()
}

fn settings(listener: &TcpListener) -> String {
    format!("[traces]\nendpoint = \"http://{}\"\n", listener.local_addr().unwrap())
}

/// An address where nobody listens.
fn nobody() -> String {
    settings(&TcpListener::bind("127.0.0.1:0").unwrap())
}

/// How a secret may be written.
fn forms(secret: &[u8]) -> Vec<String> {
    let numbers = secret.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    let texts = [hex::encode(secret), STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret), numbers];
    texts.into_iter().chain(String::from_utf8(secret.to_vec())).collect()
}

fn nanos() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
