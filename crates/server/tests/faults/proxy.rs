//! What lies between a server and PostgreSQL: a proxy that cuts connections, stops passing anything on, or loses it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// What happens to what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// It arrives.
    Open,
    /// Connections end, and new ones end at once.
    Cut,
    /// It waits until the line is open again.
    Stalled,
    /// Nothing arrives any more on connections that are there, also when the line is open again, and nobody is told.
    Lost,
    /// It arrives, until a writer asks for its turn and so many messages have passed, to and fro; then the line is
    /// [`Self::Lost`].
    LostInTransaction(u32),
    /// It arrives for so many messages more.
    LostAfter(u32),
}

/// The proxy.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    line: Arc<watch::Sender<Line>>,
}

impl Proxy {
    /// Stands before the server that listens in a socket of this folder.
    pub(crate) async fn start(folder: &str) -> Self {
        let socket = PathBuf::from(folder).join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let line = Arc::new(watch::Sender::new(Line::Open));
        let lines = Arc::clone(&line);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(pass(near, socket.clone(), Arc::clone(&lines)));
            }
        });
        Self { address, line }
    }

    pub(crate) fn line(&self) -> Line {
        *self.line.borrow()
    }

    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn pass(near: TcpStream, socket: PathBuf, line: Arc<watch::Sender<Line>>) {
    if *line.borrow() == Line::Cut {
        return;
    }
    let far = UnixStream::connect(socket).await.unwrap();
    let (near_reads, near_writes) = near.into_split();
    let (far_reads, far_writes) = far.into_split();
    tokio::select! {
        () = copy(near_reads, far_writes, &line) => {}
        () = copy(far_reads, near_writes, &line) => {}
    }
}

/// Copies until either end goes or the line is cut.
async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, line: &watch::Sender<Line>) {
    let mut state = line.subscribe();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let broken = async {
            let line = state.wait_for(|line| matches!(line, Line::Cut | Line::Lost)).await;
            line.map_or(Line::Cut, |line| *line)
        };
        let read = tokio::select! {
            biased;
            line = broken => match line {
                Line::Cut => return,
                _ => std::future::pending().await,
            },
            read = from.read(&mut buffer) => read,
        };
        let Ok(read @ 1..) = read else { return };
        let asks_for_its_turn = buffer[..read].windows(TURN.len()).any(|window| window == TURN);
        line.send_if_modified(|line| {
            let next = match *line {
                Line::LostInTransaction(more) if asks_for_its_turn => Line::LostAfter(more),
                Line::LostAfter(0) => Line::Lost,
                Line::LostAfter(more) => Line::LostAfter(more - 1),
                _ => return false,
            };
            *line = next;
            true
        });
        let line = state.wait_for(|line| *line != Line::Stalled).await.map_or(Line::Cut, |line| *line);
        match line {
            Line::Cut => return,
            Line::Lost => std::future::pending().await,
            Line::Open | Line::Stalled | Line::LostInTransaction(_) | Line::LostAfter(_) => {}
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// What a server sends to be the only one that writes.
const TURN: &[u8] = b"pg_advisory_xact_lock";
