//! `admit serve`: runs the services of a home until it is told to stop.

use std::io::Write;
use std::net::SocketAddr;

use admit_crypto::Entropy;
use admit_protocol::Code;
use admit_server::Server;
use listenfd::ListenFd;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::ServeArgs;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{Memory, SystemEntropy, now};

/// Serves; returns after SIGTERM or SIGINT, when the requests that were running are answered.
pub(crate) fn run(args: &ServeArgs, memory: Memory, output: Output) -> Outcome<()> {
    super::runtime()?.block_on(serve(args, memory, output))
}

async fn serve(args: &ServeArgs, memory: Memory, output: Output) -> Outcome<()> {
    // The log goes to standard error: standard output says when the server is ready, and nothing else.
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    raise_file_limit();
    let home = super::open_home_to_serve(&args.home).await?;
    if memory == Memory::Limited {
        tracing::warn!("keys can reach the swap: this process may not lock its memory (LimitMEMLOCK=infinity)");
    }
    let inherited = inherited(args)?;
    let address = match &inherited {
        Some(listener) => listener.local_addr().map_err(|error| inherited_failed(&error))?,
        None => listen_address(args, home.config().listen)?,
    };
    if !address.ip().is_loopback() {
        let sentence = format!("{address} is not on this machine, and this version serves plain HTTP only");
        return Err(Failure::new(Code::ADMIT_E_PLAIN_HTTP_REFUSED, sentence)
            .with_action("Listen on 127.0.0.1 and put a server that speaks TLS in front"));
    }
    let failed = |error: std::io::Error| Failure::new(Code::ADMIT_E_SERVER, format!("{address}: {error}"));
    let listener = match inherited {
        Some(listener) => TcpListener::from_std(listener).map_err(failed)?,
        None => TcpListener::bind(address).await.map_err(failed)?,
    };
    if home.is_demonstration() {
        eprintln!("warning: the trust root's key is in this home; use such a realm for demonstrations only");
    }
    let url = format!("http://{}", listener.local_addr().map_err(failed)?);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let hangup = signal(SignalKind::hangup()).map_err(failed)?;
    output.json(|| json!({ "listening": url, "realm": home.realm().to_string() }));
    output.line(|| format!("listening on {url}"));
    std::io::stdout().flush().map_err(failed)?;
    let entropy = || -> Box<dyn Entropy + Send> { Box::new(SystemEntropy) };
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let upkeep = tokio::spawn(super::upkeep::run(home.clone(), hangup));
    let server = Server::new(home.clone(), now, entropy);
    server.serve(listener, shutdown).await.map_err(failed)?;
    upkeep.abort();
    home.close().await;
    Ok(())
}

/// A connection is a file: the soft limit of many systems is below the number of connections that are served.
fn raise_file_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        eprintln!("warning: the limit of open files stays at {soft}: {error}");
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

fn inherited_failed(error: &std::io::Error) -> Failure {
    Failure::new(Code::ADMIT_E_SERVER, format!("the socket that was handed over cannot be used: {error}"))
}

fn listen_address(args: &ServeArgs, configured: SocketAddr) -> Outcome<SocketAddr> {
    let Some(text) = &args.listen else { return Ok(configured) };
    text.parse().map_err(|_| {
        Failure::new(Code::ADMIT_E_USAGE, format!("{text} is not an address to listen on"))
            .with_action("Write it as 127.0.0.1:7447; port 0 picks a free one")
    })
}
