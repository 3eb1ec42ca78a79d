//! libmpv's C interface, version 2 (`client.h`, `stream_cb.h` and `render.h` of mpv), behind functions that are safe to call.
//! All unsafe code of the program is in this folder. What it rests on:
//!
//! 1. The declarations below are those of the headers. A library with another major version is not used.
//! 2. The library stays loaded until the process ends, so its functions can be called at any time.
//! 3. A [`Core`]'s handle is valid until the last owner of its [`Inner`] is dropped, which destroys it once. A
//!    [`Renderer`](render::Renderer) is an owner, and frees its context before.
//! 4. What libmpv calls back (`stream.rs`, `render.rs`, [`wakeup`]) gets pointers to what its core or renderer owns as a
//!    [`Lent`], and drops only after libmpv has let go of it. It is only shared, may be called by any thread, and cannot unwind
//!    into C.

#![expect(unsafe_code, reason = "a C library is not called without; see above for what it rests on")]

mod functions;
mod lent;
pub(crate) mod render;
mod stream;

use std::ffi::{CStr, CString, c_char, c_int, c_ulong, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::Error;
use crate::message::Message;
use functions::Functions;
use lent::Lent;
pub(crate) use stream::MEDIUM;
use stream::Medium;

/// libmpv, loaded.
#[derive(Debug, Clone)]
pub struct Library(Arc<Functions>);

impl Library {
    /// Loads it from where the system's loader finds it.
    pub fn load() -> Result<Self, Error> {
        let functions = Arc::new(Functions::load(NAME)?);
        // SAFETY: it takes nothing.
        let version = unsafe { (functions.mpv_client_api_version)() };
        match version >> 16 {
            MAJOR => Ok(Self(functions)),
            major => Err(Error::OtherVersion { major }),
        }
    }

    /// What an error's number means.
    fn sentence(&self, error: c_int) -> String {
        // SAFETY: it takes any number.
        let text = unsafe { (self.0.mpv_error_string)(error) };
        // SAFETY: it gives a string that is always there.
        unsafe { text_at(text) }
    }

    fn check(&self, what: &'static str, error: c_int) -> Result<(), Error> {
        if error >= 0 { Ok(()) } else { Err(Error::Refused { what, detail: self.sentence(error) }) }
    }
}

/// A player of libmpv's.
#[derive(Debug)]
pub(crate) struct Core {
    inner: Arc<Inner>,
}

/// What must live as long as somebody uses the handle.
#[derive(Debug)]
struct Inner {
    library: Library,
    handle: NonNull<c_void>,
    sender: Lent<Sender<Message>>,
    medium: Lent<Medium>,
}

// SAFETY: "All API functions are thread-safe" (client.h), and the rest is Send.
unsafe impl Send for Inner {}
// SAFETY: as above. The one function that only one thread at a time may call, `mpv_wait_event`, is behind `&mut Core`.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: this is the last owner, and nobody uses the handle after this. It returns when all threads of the core have
        // ended, so what they were given is dropped after them.
        unsafe { (self.library.0.mpv_terminate_destroy)(self.handle.as_ptr()) }
    }
}

impl Core {
    /// Makes one that is not initialized. Its threads send to `messages`.
    pub(crate) fn new(library: &Library, messages: &Sender<Message>) -> Result<Self, Error> {
        // SAFETY: it takes nothing. The locale's numbers are C's: this program sets no locale.
        let handle = NonNull::new(unsafe { (library.0.mpv_create)() });
        let handle = handle.ok_or_else(|| Error::Refused { what: "a player", detail: "out of memory".to_owned() })?;
        let (sender, medium) = (Lent::new(messages.clone()), Lent::new(Medium::new(messages.clone())));
        let inner = Inner { library: library.clone(), handle, sender, medium };
        // SAFETY: the handle is valid, and the sender stays where it is until the handle is destroyed (4).
        unsafe { (library.0.mpv_set_wakeup_callback)(handle.as_ptr(), Some(wakeup), inner.sender.pointer()) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Sets an option. One that this version does not have is left out.
    pub(crate) fn set_option(&self, name: &'static str, value: &str) -> Result<(), Error> {
        let (c_name, value) = (c_string(name), c_string(value));
        let Inner { library, handle, .. } = &*self.inner;
        // SAFETY: the handle is valid, and both are strings that are copied.
        let error = unsafe { (library.0.mpv_set_option_string)(handle.as_ptr(), c_name.as_ptr(), value.as_ptr()) };
        if error == OPTION_NOT_FOUND { Ok(()) } else { library.check(name, error) }
    }

    /// Starts it as it is set.
    pub(crate) fn initialize(&self) -> Result<(), Error> {
        let Inner { library, handle, .. } = &*self.inner;
        // SAFETY: the handle is valid.
        let error = unsafe { (library.0.mpv_initialize)(handle.as_ptr()) };
        library.check("to start", error)
    }

    /// What a property says, where it says something.
    pub(crate) fn property(&self, name: &str) -> Option<String> {
        let name = c_string(name);
        let Inner { library, handle, .. } = &*self.inner;
        // SAFETY: the handle is valid, and the name is a string.
        let value = unsafe { (library.0.mpv_get_property_string)(handle.as_ptr(), name.as_ptr()) };
        // SAFETY: it is null or a string.
        let text = unsafe { text_at(value) };
        // SAFETY: it is null or was allocated for the caller, who has copied it.
        unsafe { (library.0.mpv_free)(value.cast()) };
        Some(text).filter(|_| !value.is_null())
    }

    /// Asks for lines about what goes wrong, as events.
    pub(crate) fn request_errors(&self) -> Result<(), Error> {
        let Inner { library, handle, .. } = &*self.inner;
        // SAFETY: the handle is valid, and the string is copied.
        let error = unsafe { (library.0.mpv_request_log_messages)(handle.as_ptr(), c"error".as_ptr()) };
        library.check("to say what goes wrong", error)
    }

    /// Offers a medium of this length under [`MEDIUM`].
    pub(crate) fn offer(&self, length: u64) -> Result<(), Error> {
        let Inner { library, handle, medium, .. } = &*self.inner;
        medium.get().set_length(length);
        let (protocol, data) = (stream::PROTOCOL.as_ptr(), medium.pointer());
        // SAFETY: the handle is valid, the string is copied, and the medium stays where it is until the handle is destroyed (4).
        let error = unsafe { (library.0.mpv_stream_cb_add_ro)(handle.as_ptr(), protocol, data, Some(stream::open)) };
        library.check("a medium", error)
    }

    /// Gives a command, which is carried out later.
    pub(crate) fn command(&self, words: &[&str]) -> Result<(), Error> {
        let words: Vec<CString> = words.iter().map(|word| c_string(word)).collect();
        let ends = words.iter().map(|word| word.as_ptr()).chain([ptr::null()]);
        let mut pointers: Vec<*const c_char> = ends.collect();
        let Inner { library, handle, .. } = &*self.inner;
        // SAFETY: the handle is valid, and the list of strings ends with a null pointer. All of it is copied.
        let error = unsafe { (library.0.mpv_command_async)(handle.as_ptr(), 0, pointers.as_mut_ptr()) };
        library.check("a command", error)
    }

    /// The next event, if there is one.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        let Inner { library, handle, .. } = &*self.inner;
        // SAFETY: the handle is valid, and `&mut self` keeps other threads out.
        let event = unsafe { (library.0.mpv_wait_event)(handle.as_ptr(), 0.0) };
        // SAFETY: it gives a valid event, which stays until the next call.
        let functions::Event { event_id, error, data, .. } = *unsafe { &*event };
        Some(match event_id {
            EVENT_NONE => return None,
            EVENT_SHUTDOWN => Event::Shutdown,
            EVENT_LOG_MESSAGE => {
                // SAFETY: this is what such an event carries.
                let message = unsafe { &*data.cast::<functions::LogMessage>() };
                // SAFETY: its text is a string, until the next call.
                Event::Line(unsafe { text_at(message.text) }.trim().to_owned())
            }
            EVENT_END_FILE => {
                // SAFETY: this is what such an event carries.
                let end = unsafe { &*data.cast::<functions::EndFile>() };
                match (end.reason, end.error) {
                    (END_ERROR, AO_INIT_FAILED) => Event::EndedUnheard,
                    (END_ERROR, error) => Event::Failed(library.sentence(error)),
                    _ => Event::Ended,
                }
            }
            EVENT_COMMAND_REPLY if error < 0 => Event::Failed(library.sentence(error)),
            _ => Event::Other,
        })
    }
}

/// What happened in a core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// It was told to quit.
    Shutdown,
    /// It played the medium to its end, or was told to stop.
    Ended,
    /// It came to the medium's end, and could not open a sound device for it.
    EndedUnheard,
    /// It did not.
    Failed(String),
    /// It says that something is wrong.
    Line(String),
    /// Anything else.
    Other,
}

/// Called by any thread of libmpv's when there are events. It must not wait, and does not.
///
/// # Safety
///
/// `data` is the sender that [`Core::new`] gave.
unsafe extern "C" fn wakeup(data: *mut c_void) {
    // SAFETY: it is owned by the core that calls this (4).
    let messages = unsafe { &*data.cast::<Sender<Message>>() };
    // Whoever does not listen any more is about to destroy the core.
    let _ = messages.send(Message::Events);
}

/// # Safety
///
/// `text` is null or a string of C.
unsafe fn text_at(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Texts of this program's, and titles: what stands behind a zero byte is left out.
fn c_string(text: &str) -> CString {
    CString::new(text.split('\0').next().unwrap_or_default()).expect("there is no zero byte left")
}

/// What the loader knows the library as.
const NAME: &str = if cfg!(target_os = "macos") { "libmpv.2.dylib" } else { "libmpv.so.2" };
/// Of `MPV_CLIENT_API_VERSION`.
const MAJOR: c_ulong = 2;
const OPTION_NOT_FOUND: c_int = -5;
const AO_INIT_FAILED: c_int = -14;
const EVENT_NONE: c_int = 0;
const EVENT_SHUTDOWN: c_int = 1;
const EVENT_LOG_MESSAGE: c_int = 2;
const EVENT_COMMAND_REPLY: c_int = 5;
const EVENT_END_FILE: c_int = 7;
/// Of `mpv_end_file_reason`.
const END_ERROR: c_int = 4;
