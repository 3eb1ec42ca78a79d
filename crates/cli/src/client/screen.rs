//! The player in this process for what has pictures, and for sound that is not decoded here: libmpv, where it is installed.
//! It is given the clear media byte by byte and nothing leaves it but pictures and sound (row B13).

use std::io::{self, Seek, SeekFrom};
use std::sync::mpsc;
use std::thread;

use admit_media::{Reader, Wanted};
use admit_mpv::{Error, Library, Player, Showing, Shown, Stopper};
use admit_protocol::Code;
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::content::Content;
use super::play::Playing;
use crate::failure::{self, Failure, Outcome};
use crate::output::{Output, complain};

/// Something that libmpv can play here.
pub(super) struct Screen {
    library: Library,
    output: admit_mpv::Output,
    title: String,
    /// Whether there is anything to see in it, which may be shown without its sound.
    has_pictures: bool,
}

impl Screen {
    /// The player for this content, in a window or for nobody to see; else what to do about it that there is none.
    pub(super) fn find(content: &mut Content, offscreen: bool) -> Result<Self, Failure> {
        let library = Library::load().map_err(|error| {
            Failure::new(Code::ADMIT_E_PLAYER_FAILED, error.to_string()).with_action(
                "Install libmpv, of mpv 0.35 or newer (Debian's `libmpv2`), so that this program plays it itself",
            )
        })?;
        let output = if offscreen { admit_mpv::Output::Offscreen } else { admit_mpv::Output::Window };
        let title = content.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let sound = admit_media::sound(&mut *content.source).ok().flatten();
        let has_pictures = sound.is_none_or(|sound| sound.has_video);
        Ok(Self { library, output, title, has_pictures })
    }

    /// Opens the window, which costs nothing yet where it fails.
    pub(super) fn open(self) -> Outcome<OpenScreen> {
        let player = Player::start(&self.library, self.output, &self.title).map_err(|error| {
            player_failed(&error).with_action(
                "Look whether there is a screen, name a program with --player, or render for nobody with --offscreen",
            )
        })?;
        Ok(OpenScreen { player, has_pictures: self.has_pictures })
    }
}

/// A player whose window is open.
pub(super) struct OpenScreen {
    player: Player,
    has_pictures: bool,
}

impl OpenScreen {
    /// Plays until the end of the media, or until the window is closed or the process told to end, which is no failure.
    pub(super) fn play(self, playing: Playing<'_>, output: Output) -> Outcome<()> {
        let mut playing = playing;
        let length = playing.content.source.seek(SeekFrom::End(0));
        let length = length.map_err(|error| Failure::file(&playing.content.path, &error))?;
        stop_on_signals(self.player.stopper());
        let showing = self.player.show(length).map_err(|error| player_failed(&error))?;
        let mut feed = Feed { showing, failed: None, warns: self.has_pictures };
        let decrypted = playing.decrypt_ranges(&mut feed);
        let Feed { showing, failed, .. } = feed;
        let is_unheard = showing.is_unheard();
        let shown = showing.finish();
        match failed {
            Some(error) => return Err(player_failed(&error)),
            None => decrypted?,
        };
        // Where mpv renders for nobody, it says how many pictures there were.
        let is_unseen = !self.has_pictures || shown.as_ref().is_some_and(|shown| shown.frames == 0);
        if is_unheard && is_unseen {
            return Err(Failure::new(Code::ADMIT_E_PLAYER_FAILED, "libmpv could not open a sound device")
                .with_action("Mend the sound device, name a program with --player, or write to a file with --output"));
        }
        if let Some(shown) = shown {
            tell(&shown, output);
        }
        Ok(())
    }
}

/// Says what nobody saw.
fn tell(shown: &Shown, output: Output) {
    let Shown { frames, first, last } = shown;
    let text = |colour: &Option<admit_mpv::Colour>| colour.map(|colour| colour.to_string());
    output.json(|| json!({ "frames": frames, "first_colour": text(first), "last_colour": text(last) }));
    output.line(|| format!("rendered {frames} pictures for nobody to see"));
}

/// Between libmpv, which asks, and the permit, which answers.
struct Feed {
    showing: Showing,
    failed: Option<Error>,
    /// Whether it is said still when nobody hears the sound.
    warns: bool,
}

impl Reader for Feed {
    fn next(&mut self) -> io::Result<Option<Wanted>> {
        let wanted = self.showing.next_wanted().map_err(|error| {
            self.failed = Some(error);
            io::Error::from(io::ErrorKind::Other)
        })?;
        if self.showing.is_unheard() && std::mem::take(&mut self.warns) {
            complain("warning: no sound device could be opened, the film is shown without sound");
        }
        Ok(wanted.map(|admit_mpv::Wanted { offset, length }| Wanted { offset, length }))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.showing.give(bytes);
        Ok(())
    }
}

/// From when this returns, SIGINT, SIGTERM and SIGHUP end the player as closing its window does. A second one ends the process,
/// in case it waits for a server.
fn stop_on_signals(stopper: Stopper) {
    let (ready, is_ready) = mpsc::channel();
    thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async {
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
            let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds else { return };
            // Nobody waits any more only where the process is ending.
            let _ = ready.send(());
            any(&mut interrupt, &mut terminate, &mut hangup).await;
            stopper.stop();
            any(&mut interrupt, &mut terminate, &mut hangup).await;
            std::process::exit(1);
        });
    });
    // Where they cannot be caught, they end the process as they always do.
    let _ = is_ready.recv();
}

async fn any(interrupt: &mut Signal, terminate: &mut Signal, hangup: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
        _ = hangup.recv() => (),
    }
}

fn player_failed(error: &Error) -> Failure {
    Failure::new(Code::ADMIT_E_PLAYER_FAILED, failure::capitalized(&error.to_string()))
}
