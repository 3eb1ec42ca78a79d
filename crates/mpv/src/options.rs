//! How libmpv is set up: where it shows, and that it does nothing but show.

/// Where pictures and sound go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A window (or the console's screen) and the sound device, as mpv chooses them.
    Window,
    /// A picture in memory and no sound, as fast as they are decoded: for servers and tests.
    Offscreen,
}

impl Output {
    /// What is set before libmpv is initialized.
    pub(crate) fn options(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let own: &[_] = match self {
            Self::Window => &WINDOW,
            Self::Offscreen => &OFFSCREEN,
        };
        CLOSED.iter().chain(own).copied()
    }
}

/// Nothing of the user's or the system's settings is read, nothing is written, nobody else gives commands, and of the medium
/// nothing is believed but that it is one MP4. Options that a version does not have are of parts that it does not have either,
/// but for `drag-and-drop`: what is dropped on the window of 0.35 is played in place of the medium, which ends it here.
const CLOSED: [(&str, &str); 33] = [
    // No settings and no programs beside this one.
    ("config", "no"),
    ("load-scripts", "no"),
    ("load-osd-console", "no"),
    ("load-stats-overlay", "no"),
    ("load-auto-profiles", "no"),
    ("load-select", "no"),
    ("load-console", "no"),
    ("load-commands", "no"),
    ("load-context-menu", "no"),
    ("osc", "no"),
    ("ytdl", "no"),
    // No commands but those of the keys below.
    ("input-default-bindings", "no"),
    ("input-builtin-bindings", "no"),
    ("input-ipc-server", ""),
    ("input-terminal", "no"),
    ("input-media-keys", "no"),
    ("terminal", "no"),
    ("drag-and-drop", "no"),
    // Nothing is written.
    ("cache-on-disk", "no"),
    ("gpu-shader-cache", "no"),
    ("save-position-on-quit", "no"),
    ("resume-playback", "no"),
    ("stream-record", ""),
    ("record-file", ""),
    // One medium, and no other file beside it or named in it.
    ("demuxer", "lavf"),
    ("demuxer-lavf-format", "mov"),
    ("access-references", "no"),
    ("load-unsafe-playlists", "no"),
    ("autoload-files", "no"),
    // As little ahead as playing smoothly needs: what was given out cannot be taken back when a license ends.
    ("cache", "no"),
    ("demuxer-readahead-secs", "1"),
    ("demuxer-max-bytes", "32MiB"),
    ("demuxer-max-back-bytes", "0"),
];

/// The window is opened at once, so that a machine without a screen is noticed before anything is decrypted.
const WINDOW: [(&str, &str); 3] = [("force-window", "immediate"), ("input-vo-keyboard", "yes"), ("keep-open", "no")];

/// The drivers of screens that are tried, the first list of which this library knows all. Left alone, mpv goes on to drivers that
/// show nothing.
pub(crate) const SCREENS: [&str; 2] = ["gpu,wlshm,xv,x11", "gpu"];

/// Every frame is decoded and rendered, whether it is late or not.
const OFFSCREEN: [(&str, &str); 7] = [
    ("vo", "libmpv"),
    ("ao", "null"),
    ("ao-null-untimed", "yes"),
    ("untimed", "yes"),
    ("framedrop", "no"),
    ("keepaspect", "no"),
    ("hwdec", "no"),
];

/// What keys do: mpv's own for what has nothing to do with files.
pub(crate) const KEYS: [(&str, &str); 14] = [
    ("q", "quit"),
    ("ESC", "set fullscreen no"),
    ("CLOSE_WIN", "quit"),
    ("SPACE", "cycle pause"),
    ("p", "cycle pause"),
    ("f", "cycle fullscreen"),
    ("MBTN_LEFT_DBL", "cycle fullscreen"),
    ("LEFT", "seek -5"),
    ("RIGHT", "seek 5"),
    ("DOWN", "seek -60"),
    ("UP", "seek 60"),
    ("m", "cycle mute"),
    ("9", "add volume -2"),
    ("0", "add volume 2"),
];
