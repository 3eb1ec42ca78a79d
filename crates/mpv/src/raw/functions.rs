//! The declarations: functions, and the structures that they take and give.

use std::ffi::{c_char, c_double, c_int, c_ulong, c_void};
use std::mem::ManuallyDrop;

use libloading::Library;

use super::stream::Open;
use crate::Error;

/// Declares the table of functions and how it is filled: the name of each is the symbol's.
macro_rules! functions {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions of libmpv that are called here.
        #[derive(Debug)]
        pub(super) struct Functions {
            $(pub(super) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
            /// Never unloaded: libraries that it brings keep threads and hooks of their own (2).
            _library: ManuallyDrop<Library>,
        }

        impl Functions {
            /// Loads the library of this name, and finds all functions.
            pub(super) fn load(name: &str) -> Result<Self, Error> {
                let failed = |error: libloading::Error| Error::NotInstalled { detail: said(&error) };
                // SAFETY: what runs when libmpv and its libraries are loaded is theirs, as in every program that is linked
                // with them.
                let library = ManuallyDrop::new(unsafe { Library::new(name) }.map_err(failed)?);
                Ok(Self {
                    $($name: {
                        let symbol = concat!(stringify!($name), "\0").as_bytes();
                        // SAFETY: the type is that of the header (1).
                        *unsafe { library.get(symbol) }.map_err(failed)?
                    },)*
                    _library: library,
                })
            }
        }
    };
}

functions! {
    mpv_client_api_version: fn() -> c_ulong;
    mpv_error_string: fn(c_int) -> *const c_char;
    mpv_create: fn() -> *mut c_void;
    mpv_initialize: fn(*mut c_void) -> c_int;
    mpv_terminate_destroy: fn(*mut c_void);
    mpv_set_option_string: fn(*mut c_void, *const c_char, *const c_char) -> c_int;
    mpv_get_property_string: fn(*mut c_void, *const c_char) -> *mut c_char;
    mpv_free: fn(*mut c_void);
    mpv_request_log_messages: fn(*mut c_void, *const c_char) -> c_int;
    mpv_command_async: fn(*mut c_void, u64, *mut *const c_char) -> c_int;
    mpv_wait_event: fn(*mut c_void, c_double) -> *mut Event;
    mpv_set_wakeup_callback: fn(*mut c_void, Option<Callback>, *mut c_void);
    mpv_stream_cb_add_ro: fn(*mut c_void, *const c_char, *mut c_void, Option<Open>) -> c_int;
    mpv_render_context_create: fn(*mut *mut c_void, *mut c_void, *mut Param) -> c_int;
    mpv_render_context_set_update_callback: fn(*mut c_void, Option<Callback>, *mut c_void);
    mpv_render_context_update: fn(*mut c_void) -> u64;
    mpv_render_context_get_info: fn(*mut c_void, Param) -> c_int;
    mpv_render_context_render: fn(*mut c_void, *mut Param) -> c_int;
    mpv_render_context_free: fn(*mut c_void);
}

/// `void (*)(void *)`.
pub(super) type Callback = unsafe extern "C" fn(*mut c_void);

/// `mpv_event`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) event_id: c_int,
    pub(super) error: c_int,
    pub(super) reply_userdata: u64,
    pub(super) data: *mut c_void,
}

/// The beginning of `mpv_event_log_message`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct LogMessage {
    pub(super) prefix: *const c_char,
    pub(super) level: *const c_char,
    pub(super) text: *const c_char,
}

/// The beginning of `mpv_event_end_file`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct EndFile {
    pub(super) reason: c_int,
    pub(super) error: c_int,
}

/// `mpv_render_param`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Param {
    pub(super) kind: c_int,
    pub(super) data: *mut c_void,
}

/// `mpv_render_frame_info`.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct FrameInfo {
    pub(super) flags: u64,
    pub(super) target_time: i64,
}

/// What the loader said, without the numbers around it.
fn said(error: &libloading::Error) -> String {
    let inner = std::error::Error::source(error).map(ToString::to_string);
    inner.unwrap_or_else(|| error.to_string())
}
