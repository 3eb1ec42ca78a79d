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

/// A file server that sends the first half and never another byte, and says when it is asked for more.
fn serve_half(file: Vec<u8>) -> (SocketAddr, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stalled, wait) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (start, _) = requested_range(&stream).unwrap().unwrap();
            if start < file.len() / 2 {
                send_part(&mut stream, &file, start, file.len() / 2).unwrap();
            } else {
                kept.push(stream);
                stalled.send(()).unwrap();
            }
        }
    });
    (address, wait)
}

/// A file server for one file, until the test's process ends.
fn serve(file: Vec<u8>, ranges: bool) -> SocketAddr {
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
