//! A file on an HTTP server, read by ranges (RFC 9110 section 14), so that only what is looked at is fetched.

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use admit_protocol::Code;

use super::http::{Http, Range};
use crate::failure::{Failure, Outcome};

/// Why reading a remote file failed, for whoever is told only that it did: errors of media carry no more.
#[derive(Clone, Default)]
pub(crate) struct LastFailure(Rc<RefCell<Option<Failure>>>);

impl LastFailure {
    /// The failure, once.
    pub(crate) fn take(&self) -> Option<Failure> {
        self.0.borrow_mut().take()
    }
}

/// A remote file that reads and seeks like a local one. One window of it is kept in memory.
pub(crate) struct RemoteFile {
    http: Http,
    url: String,
    length: u64,
    version: Option<String>,
    position: u64,
    window: Vec<u8>,
    window_start: u64,
    last_failure: LastFailure,
}

impl RemoteFile {
    /// Fetches the beginning, and with it the file's length.
    pub(crate) fn open(url: &str, last_failure: LastFailure) -> Outcome<Self> {
        let http = Http::new();
        let range = http.get_range(url, 0, WINDOW)?;
        if range.start != 0 {
            return Err(not_a_range(url));
        }
        let Range { length, version, bytes, .. } = range;
        let (url, position, window, window_start) = (url.to_owned(), 0, bytes, 0);
        Ok(Self { http, url, length, version, position, window, window_start, last_failure })
    }

    /// What is left of the window from the position on; fetched anew where nothing is.
    fn available(&mut self) -> io::Result<&[u8]> {
        let window_end = self.window_start + self.window.len() as u64;
        let is_inside = (self.window_start..window_end).contains(&self.position);
        if !is_inside && let Err(failure) = self.fetch() {
            let error = io::Error::other(failure.sentence.clone());
            self.last_failure.0.replace(Some(failure));
            return Err(error);
        }
        let skip = usize::try_from(self.position - self.window_start).map_err(io::Error::other)?;
        Ok(self.window.get(skip..).unwrap_or_default())
    }

    fn fetch(&mut self) -> Outcome<()> {
        let range = self.http.get_range(&self.url, self.position, WINDOW)?;
        let changed = range.length != self.length || range.version != self.version;
        if changed {
            let sentence = format!("{} changed on its server while it was read", self.url);
            return Err(Failure::new(Code::ADMIT_E_NETWORK, sentence).with_action("Start over"));
        }
        if range.start != self.position || range.bytes.is_empty() {
            return Err(not_a_range(&self.url));
        }
        (self.window, self.window_start) = (range.bytes, range.start);
        Ok(())
    }
}

impl Read for RemoteFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        let available = self.available()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for RemoteFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

fn not_a_range(url: &str) -> Failure {
    Failure::new(Code::ADMIT_E_NETWORK, format!("{url} did not answer with the part that was asked for"))
        .with_action("Download the file and play it from the disk")
}

/// Bytes fetched at once.
const WINDOW: u64 = 1024 * 1024;
