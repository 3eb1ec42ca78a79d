//! The medium, as libmpv's threads open, read and seek in it (`stream_cb.h`). Each read is a message to the thread that plays,
//! and waits for its answer; when nobody plays any more, it fails.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, sync_channel};

use crate::message::Message;

/// The protocol under which the medium is offered.
pub(super) const PROTOCOL: &CStr = c"admit";
/// Its whole address.
pub(crate) const MEDIUM: &str = "admit://medium";

/// `mpv_stream_cb_open_ro_fn`.
pub(super) type Open = unsafe extern "C" fn(*mut c_void, *mut c_char, *mut Info) -> c_int;

/// `mpv_stream_cb_info`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Info {
    cookie: *mut c_void,
    read: Option<unsafe extern "C" fn(*mut c_void, *mut c_char, u64) -> i64>,
    seek: Option<unsafe extern "C" fn(*mut c_void, i64) -> i64>,
    size: Option<unsafe extern "C" fn(*mut c_void) -> i64>,
    close: Option<unsafe extern "C" fn(*mut c_void)>,
    cancel: Option<unsafe extern "C" fn(*mut c_void)>,
}

/// What can be opened.
#[derive(Debug)]
pub(super) struct Medium {
    messages: Sender<Message>,
    length: AtomicU64,
}

impl Medium {
    pub(super) fn new(messages: Sender<Message>) -> Self {
        Self { messages, length: AtomicU64::new(0) }
    }

    pub(super) fn set_length(&self, length: u64) {
        self.length.store(length, Ordering::Relaxed);
    }
}

/// A medium that is open. libmpv calls for one from one thread at a time; nothing here would break if it did not.
struct Opened {
    messages: Sender<Message>,
    length: u64,
    position: AtomicU64,
}

impl Opened {
    /// The next bytes, up to `length`; none where nobody plays any more.
    fn read(&self, length: usize) -> Option<Vec<u8>> {
        let offset = self.position.load(Ordering::Relaxed);
        let (answer, answered) = sync_channel(1);
        self.messages.send(Message::Read { offset, length, answer }).ok()?;
        let mut bytes = answered.recv().ok()?;
        bytes.truncate(length);
        self.position.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Some(bytes)
    }

    fn seek(&self, offset: i64) -> Option<i64> {
        let position = u64::try_from(offset).ok().filter(|&position| position <= self.length)?;
        self.position.store(position, Ordering::Relaxed);
        Some(offset)
    }
}

/// Opens the medium.
///
/// # Safety
///
/// Called by libmpv: `medium` is what [`super::Core::offer`] gave, and `info` is to be filled.
pub(super) unsafe extern "C" fn open(medium: *mut c_void, _: *mut c_char, info: *mut Info) -> c_int {
    // SAFETY: the core that calls this owns it (4).
    let medium = unsafe { &*medium.cast::<Medium>() };
    let (length, position) = (medium.length.load(Ordering::Relaxed), AtomicU64::new(0));
    let opened = Box::new(Opened { messages: medium.messages.clone(), length, position });
    let cookie = Box::into_raw(opened).cast();
    let filled =
        Info { cookie, read: Some(read), seek: Some(seek), size: Some(size), close: Some(close), cancel: None };
    // SAFETY: it is valid for this call.
    unsafe { info.write(filled) };
    0
}

/// # Safety
///
/// `cookie` is one of [`open`]'s and not closed; `buffer` has room for `length` bytes. So it is for all below.
unsafe extern "C" fn read(cookie: *mut c_void, buffer: *mut c_char, length: u64) -> i64 {
    // SAFETY: it is there until it is closed.
    let opened = unsafe { &*cookie.cast::<Opened>() };
    let most = usize::try_from(length).unwrap_or(usize::MAX).min(MAX_READ);
    let Some(bytes) = opened.read(most) else { return FAILED };
    // SAFETY: there are no more bytes than `most`, for which there is room.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), bytes.len()) };
    i64::try_from(bytes.len()).unwrap_or(FAILED)
}

/// # Safety
///
/// As for [`read`].
unsafe extern "C" fn seek(cookie: *mut c_void, offset: i64) -> i64 {
    // SAFETY: it is there until it is closed.
    let opened = unsafe { &*cookie.cast::<Opened>() };
    opened.seek(offset).unwrap_or(GENERIC)
}

/// # Safety
///
/// As for [`read`].
unsafe extern "C" fn size(cookie: *mut c_void) -> i64 {
    // SAFETY: it is there until it is closed.
    let opened = unsafe { &*cookie.cast::<Opened>() };
    i64::try_from(opened.length).unwrap_or(GENERIC)
}

/// # Safety
///
/// As for [`read`], and called once, as the last.
unsafe extern "C" fn close(cookie: *mut c_void) {
    // SAFETY: it came from a box, and nobody uses it any more.
    drop(unsafe { Box::from_raw(cookie.cast::<Opened>()) });
}

/// What `read` says of an error.
const FAILED: i64 = -1;
/// `MPV_ERROR_GENERIC`.
const GENERIC: i64 = -20;
/// Bytes that are asked for at once.
const MAX_READ: usize = 256 << 10;
