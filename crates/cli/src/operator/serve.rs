//! `admit serve`: runs the services of a home until it is told to stop.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use admit_crypto::Entropy;
use admit_protocol::Code;
use admit_server::Server;
use admit_server::home::{Home, TlsFiles};
use admit_server::tls::Tls;
use listenfd::ListenFd;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::serve_time;
use crate::args::ServeArgs;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{Memory, ServerLog, SystemClock, SystemEntropy, Traces};

/// Serves; returns after SIGTERM or SIGINT, when the requests that were running are answered.
pub(crate) fn run(args: &ServeArgs, memory: Memory, output: Output) -> Outcome<()> {
    super::runtime()?.block_on(serve(args, memory, output))
}

async fn serve(args: &ServeArgs, memory: Memory, output: Output) -> Outcome<()> {
    let home = super::open_home_to_serve(&args.home).await?;
    let tls_files = tls_files(args, &home);
    let scheme = if tls_files.is_some() { "https" } else { "http" };
    let (traces, log) = start_log(&home, scheme)?;
    raise_file_limit();
    warn_of_memory(memory);
    let tls = tls_files.map(Tls::load).transpose()?;
    if let Some(file) = home.config().policy.file() {
        file.load(crate::system::now()).map_err(|mistakes| admit_server::Error::Policy { mistakes })?;
    }
    let Listeners { all, metrics, time } = listen(args, &home, tls.is_some()).await?;
    let datagrams = serve_time::bind(&home).await?;
    warn_of_root_key(&home);
    let (stop, hangup) = (stop_signal().map_err(failed)?, signal(SignalKind::hangup()).map_err(failed)?);
    announce(&all, scheme, &home, output).map_err(failed)?;
    let server = server(&home, tls, traces.as_ref(), &log).map_err(failed)?;
    if let Some(metrics) = metrics {
        tokio::spawn(server.clone().serve_metrics(metrics, std::future::pending()));
    }
    let mut beside = serve_time::start(&server, datagrams).await;
    beside.spawn(super::upkeep::run(home.clone(), hangup));
    let (stopping, stopped) = oneshot::channel();
    let drained = shutdown(server.clone(), stop, home.config().drain);
    let shutdown = async {
        drained.await;
        // Where nobody waits for it, the time was never served plainly.
        let _ = stopping.send(());
    };
    let plain = serve_time::serve_plainly(server.clone(), time, stopped);
    tokio::try_join!(server.serve(all, shutdown), plain).map_err(failed)?;
    beside.shutdown().await;
    home.close().await;
    // While there still is a log.
    drop(traces);
    Ok(())
}

fn warn_of_memory(memory: Memory) {
    if memory == Memory::Limited {
        tracing::warn!("keys can reach the swap: this process may not lock its memory (LimitMEMLOCK=infinity)");
    }
}

fn warn_of_root_key(home: &Home) {
    if home.is_demonstration() {
        tracing::warn!("the trust root's key is in this home; use such a realm for demonstrations only");
    }
}

/// Says where the server listens; whoever started it may wait for that.
fn announce(listener: &TcpListener, scheme: &str, home: &Home, output: Output) -> io::Result<()> {
    let url = format!("{scheme}://{}", listener.local_addr()?);
    output.json(|| json!({ "listening": url, "realm": home.realm().to_string() }));
    output.line(|| format!("listening on {url}"));
    io::stdout().flush()
}

/// The server, with this process's clock, randomness, log and traces.
fn server(home: &Home, tls: Option<Tls>, traces: Option<&Traces>, log: &ServerLog) -> io::Result<Server> {
    let entropy = || -> Box<dyn Entropy + Send> { Box::new(SystemEntropy) };
    let mut server = Server::new(home.clone(), SystemClock, entropy).with_dropped_lines(log.dropped_lines());
    if let Some(traces) = traces {
        server = server.with_dropped_spans(traces.dropped_spans());
    }
    if let Some(tls) = tls {
        tokio::spawn(keep_current(tls.clone(), signal(SignalKind::hangup())?));
        server = server.with_tls(tls);
    }
    Ok(server)
}

/// Ends when the server shall take no more connections: some time after it began to say that it stops.
async fn shutdown(server: Server, stop: impl Future<Output = ()>, drain: Duration) {
    stop.await;
    server.announce_stop();
    tokio::time::sleep(drain).await;
}

/// What the server listens on.
struct Listeners {
    all: TcpListener,
    /// Where the metrics have an address of their own.
    metrics: Option<TcpListener>,
    /// Where the time is signed without TLS.
    time: Option<TcpListener>,
}

async fn listen(args: &ServeArgs, home: &Home, is_tls: bool) -> Outcome<Listeners> {
    let inherited = inherited(args)?;
    let address = match &inherited {
        Some(listener) => listener.local_addr().map_err(|error| inherited_failed(&error))?,
        None => listen_address(args, home.config().listen)?,
    };
    for address in std::iter::once(address).chain(home.config().metrics_listen) {
        check_plain(address, is_tls)?;
    }
    let all = match inherited {
        Some(listener) => TcpListener::from_std(listener).map_err(|error| inherited_failed(&error))?,
        None => bind(address, "--listen").await?,
    };
    let metrics = bind_where_set(home.config().metrics_listen, "listen in [metrics] of admit.toml").await?;
    let time = bind_where_set(home.config().time.http, "http in [time] of admit.toml").await?;
    Ok(Listeners { all, metrics, time })
}

/// Ends at SIGTERM or SIGINT.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// The log, and the export of traces where the settings want one.
fn start_log(home: &Home, scheme: &'static str) -> Outcome<(Option<Traces>, ServerLog)> {
    let failed = |error| Failure::new(Code::ADMIT_E_SERVER, format!("the log does not start: {error}"));
    let traces = Traces::start(&home.config().traces, scheme).map_err(failed)?;
    let log = ServerLog::start(home.config().log, traces.as_ref().map(Traces::layer)).map_err(failed)?;
    Ok((traces, log))
}

/// Plain HTTP is for this machine itself.
fn check_plain(address: SocketAddr, is_tls: bool) -> Outcome<()> {
    if is_tls || address.ip().is_loopback() {
        return Ok(());
    }
    let sentence = format!("{address} is not on this machine, and there is no TLS certificate");
    Err(Failure::new(Code::ADMIT_E_PLAIN_HTTP_REFUSED, sentence)
        .with_action("Give a certificate with --tls-cert and --tls-key, or listen on 127.0.0.1"))
}

/// The certificate of the command line, or else of the settings.
fn tls_files(args: &ServeArgs, home: &Home) -> Option<TlsFiles> {
    let given = args.tls_cert.clone().zip(args.tls_key.clone());
    given.map(|(certificate, key)| TlsFiles { certificate, key }).or_else(|| home.config().tls.clone())
}

/// Reads the certificate again when its files have changed, and at each SIGHUP. One that does not hold is logged.
async fn keep_current(tls: Tls, mut hangup: Signal) {
    let mut ticks = tokio::time::interval(CERTIFICATE_CHECKED_EVERY);
    loop {
        let asked = tokio::select! {
            _ = ticks.tick() => false,
            _ = hangup.recv() => true,
        };
        let again = tls.clone();
        let read = move || if asked { again.reload().map(|()| true) } else { again.reload_if_changed() };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(true)) => tracing::info!(ends_at = %tls.ends_at(), "new TLS certificate"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::error!(%error, "the TLS certificate stays the old one"),
            Err(error) => tracing::error!(%error, "reading the TLS certificate broke off"),
        }
    }
}

/// A connection is a file: the soft limit of many systems is below the number of connections that are served.
fn raise_file_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::warn!(%error, "the limit of open files stays at {soft}");
    }
}

/// The socket that systemd opened for this process (sd_listen_fds(3)), unless an address was given.
fn inherited(args: &ServeArgs) -> Outcome<Option<std::net::TcpListener>> {
    if args.listen.is_some() {
        return Ok(None);
    }
    let taken = ListenFd::from_env().take_tcp_listener(0).map_err(|error| inherited_failed(&error))?;
    if let Some(listener) = &taken {
        listener.set_nonblocking(true).map_err(|error| inherited_failed(&error))?;
    }
    Ok(taken)
}

fn failed(error: io::Error) -> Failure {
    Failure::new(Code::ADMIT_E_SERVER, format!("the server: {error}"))
}

fn inherited_failed(error: &io::Error) -> Failure {
    Failure::new(Code::ADMIT_E_SERVER, format!("the socket that was handed over cannot be used: {error}"))
}

/// Listens on an address that a setting names.
async fn bind(address: SocketAddr, setting: &str) -> Outcome<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(Code::ADMIT_E_SERVER, format!("cannot listen on {address}: {error}"))
            .with_action(format!("Name another address with {setting}, or end what uses this one"))
    })
}

/// The same, where the setting names one.
async fn bind_where_set(address: Option<SocketAddr>, setting: &str) -> Outcome<Option<TcpListener>> {
    match address {
        Some(address) => bind(address, setting).await.map(Some),
        None => Ok(None),
    }
}

fn listen_address(args: &ServeArgs, configured: SocketAddr) -> Outcome<SocketAddr> {
    let Some(text) = &args.listen else { return Ok(configured) };
    text.parse().map_err(|_| {
        Failure::new(Code::ADMIT_E_USAGE, format!("{text} is not an address to listen on"))
            .with_action("Write it as 127.0.0.1:7447; port 0 picks a free one")
    })
}

const CERTIFICATE_CHECKED_EVERY: Duration = Duration::from_secs(10);
