//! Playing from an address: by ranges of one file, from a server that sends them and from one that does not.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use crate::world::World;

#[test]
fn an_address_plays_like_the_file() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "local.mp4", "--trust", &realm]).succeeded();
    let address = serve(fs::read(world.path("film.mp4")).unwrap(), true);
    world.admit(&["play", &format!("http://{address}/film.mp4"), "-o", "remote.mp4"]).succeeded();
    assert_eq!(fs::read(world.path("remote.mp4")).unwrap(), fs::read(world.path("local.mp4")).unwrap());
}

#[test]
fn a_server_without_ranges_and_plain_http_elsewhere_are_refused() {
    let world = World::new();
    world.package("film.mp4", "film", &["--open"]);
    let address = serve(fs::read(world.path("film.mp4")).unwrap(), false);
    let line = world.admit(&["play", &format!("http://{address}/film.mp4"), "-o", "no.mp4"]).refused("ADMIT_E_NETWORK");
    assert!(line.contains("does not send parts"), "{line}");
    world.admit(&["play", "http://media.example/film.mp4", "-o", "no.mp4"]).refused("ADMIT_E_PLAIN_HTTP_REFUSED");
    assert!(!world.path("no.mp4").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_player_that_is_killed_while_it_writes_leaves_nothing() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "whole.mp4", "--trust", &realm]).succeeded();
    let (address, stalled) = serve_half(fs::read(world.path("film.mp4")).unwrap());
    fs::create_dir(world.path("out")).unwrap();
    let url = format!("http://{address}/film.mp4");
    let mut child = world.command(&["play", &url, "-o", "out/clear.mp4"]).spawn().unwrap();
    stalled.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read_dir(world.path("out")).unwrap().count(), 0);
}

#[test]
fn a_server_that_fails_lies_or_changes_the_file_is_told() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "local.mp4", "--trust", &realm]).succeeded();
    let file = fs::read(world.path("film.mp4")).unwrap();
    let part = |first: usize, start: usize, tag: &str| {
        let (end, length) = (file.len() / 2 + start, file.len());
        let head = format!("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {first}-{}/{length}\r\n", end - 1);
        let head = format!("{head}ETag: {tag}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", end - start);
        [head.as_bytes(), &file[start..end]].concat()
    };
    let half = file.len() / 2;
    let url = format!("http://{}/film.mp4", serve_answers(vec![part(0, 0, "1")]));
    world.admit(&["play", &url, "--player", "cat"]).refused("ADMIT_E_NETWORK");
    let gone = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
    let cases = [
        (vec![gone], "answered with HTTP status 404"),
        (vec![part(1, 0, "1")], "did not answer with the part that was asked for"),
        (vec![part(0, 0, "1"), part(0, 0, "1")], "did not answer with the part that was asked for"),
        (vec![part(0, 0, "1"), part(half, half, "2")], "changed on its server while it was read"),
    ];
    for (answers, sentence) in cases {
        let url = format!("http://{}/film.mp4", serve_answers(answers));
        let line = world.admit(&["play", &url, "-o", "no.mp4"]).refused("ADMIT_E_NETWORK");
        assert!(line.contains(sentence), "{sentence}: {line}");
        assert!(!world.path("no.mp4").exists());
    }
}

/// A server that gives these answers, whatever is asked, and then closes.
fn serve_answers(answers: Vec<Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for answer in answers {
            let mut stream = listener.accept().unwrap().0;
            requested_range(&stream).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    address
}

/// A file server that sends the first half and never another byte, and says when it is asked for more.
pub(crate) fn serve_half(file: Vec<u8>) -> (SocketAddr, mpsc::Receiver<()>) {
    let (address, stalled, _) = serve_half_at_once(file);
    (address, stalled)
}

/// A file server that sends the first half, says when it is asked for more, and sends that when it is told to; never where
/// nobody is left to tell it.
pub(crate) fn serve_half_at_once(file: Vec<u8>) -> (SocketAddr, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stalled, wait) = mpsc::channel();
    let (release, released) = mpsc::channel();
    thread::spawn(move || {
        let (mut kept, mut is_released) = (Vec::new(), false);
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (start, end) = requested_range(&stream).unwrap().unwrap();
            if start >= file.len() / 2 && !is_released {
                stalled.send(()).unwrap();
                is_released = released.recv().is_ok();
            }
            let end = if is_released { file.len().min(end + 1) } else { file.len() / 2 };
            if start < end {
                // A client that goes away is no matter of the server's.
                let _ = send_part(&mut stream, &file, start, end);
            } else {
                kept.push(stream);
            }
        }
    });
    (address, wait, release)
}

/// A file server for one file, until the test's process ends.
pub(crate) fn serve(file: Vec<u8>, ranges: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that goes away is no matter of the server's.
            let _ = answer(stream.unwrap(), &file, ranges);
        }
    });
    address
}

fn answer(mut stream: TcpStream, file: &[u8], ranges: bool) -> std::io::Result<()> {
    let Some((start, end)) = requested_range(&stream)?.filter(|_| ranges) else {
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", file.len())?;
        return stream.write_all(file);
    };
    send_part(&mut stream, file, start, file.len().min(end + 1))
}

fn requested_range(stream: &TcpStream) -> std::io::Result<Option<(usize, usize)>> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut range = None;
    while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            let (start, end) = value.split_once('-').unwrap();
            range = Some((start.parse().unwrap(), end.parse().unwrap()));
        }
    }
    Ok(range)
}

fn send_part(stream: &mut TcpStream, file: &[u8], start: usize, end: usize) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{}\r\n", end - 1, file.len())?;
    write!(stream, "ETag: \"1\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", end - start)?;
    stream.write_all(&file[start..end])
}
