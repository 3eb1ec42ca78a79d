//! One medium, from its first byte to its last: what libmpv wants of it, what it says, and when it ends.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel};
use std::time::{Duration, Instant};

use crate::Error;
use crate::message::Message;
use crate::offscreen::{Offscreen, Shown};
use crate::options::{KEYS, Output, SCREENS};
use crate::raw::{Core, Event, Library, MEDIUM};

/// A player that has started: its window is open.
#[derive(Debug)]
pub struct Player {
    /// Before the core: what its threads ask for when it goes fails at once.
    messages: Receiver<Message>,
    sender: Sender<Message>,
    /// Before the core, too: see its `drop`.
    offscreen: Option<Offscreen>,
    core: Core,
}

impl Player {
    /// Starts one, which shows this title. Where there is no screen it fails, and nothing was asked for.
    pub fn start(library: &Library, output: Output, title: &str) -> Result<Self, Error> {
        Self::start_with(library, output, &[], title)
    }

    /// As [`Self::start`], with options that are set last.
    fn start_with(
        library: &Library,
        output: Output,
        last: &[(&'static str, &str)],
        title: &str,
    ) -> Result<Self, Error> {
        let (sender, messages) = channel();
        let core = Core::new(library, &sender)?;
        core.request_errors()?;
        output.options().try_for_each(|(name, value)| core.set_option(name, value))?;
        core.set_option("force-media-title", title)?;
        last.iter().try_for_each(|(name, value)| core.set_option(name, value))?;
        if output == Output::Window {
            SCREENS.iter().find(|drivers| core.set_option("vo", drivers).is_ok());
        }
        core.initialize().map_err(|error| if output == Output::Window { Error::NoScreen } else { error })?;
        KEYS.iter().try_for_each(|(key, command)| core.command(&["keybind", key, command]))?;
        let offscreen = match output {
            Output::Window if core.property("current-vo").is_none() => return Err(Error::NoScreen),
            Output::Window => None,
            Output::Offscreen => Some(Offscreen::start(&core)?),
        };
        Ok(Self { messages, sender, offscreen, core })
    }

    /// What ends it from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.sender.clone())
    }

    /// Begins to show a medium of this length in bytes.
    pub fn show(self, length: u64) -> Result<Showing, Error> {
        self.core.offer(length)?;
        self.core.command(&["loadfile", MEDIUM])?;
        Ok(Showing { answer: None, player: self, has_begun: false, is_unheard: false, line: None })
    }
}

/// Ends a player from another thread.
#[derive(Debug, Clone)]
pub struct Stopper(Sender<Message>);

impl Stopper {
    /// Ends it. One that has ended already is left alone.
    pub fn stop(&self) {
        let _ = self.0.send(Message::Stop);
    }
}

/// Bytes of the medium that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Where they begin.
    pub offset: u64,
    /// How many at most. None are wanted by a player that only lets it be known that it plays on.
    pub length: usize,
}

/// A medium that is shown. To drop it ends the player.
#[derive(Debug)]
pub struct Showing {
    /// Who waits for what was wanted last. Before the player, whose end waits for whoever waits.
    answer: Option<SyncSender<Vec<u8>>>,
    player: Player,
    has_begun: bool,
    is_unheard: bool,
    /// The last thing that was said to be wrong.
    line: Option<String>,
}

impl Showing {
    /// Waits until bytes are wanted, which [`Self::give`] takes. After the first were given it comes back once a second at
    /// least. Nothing when it has ended: the medium did, or whoever watches it closed the window.
    pub fn next_wanted(&mut self) -> Result<Option<Wanted>, Error> {
        let mut due = now() + TICK;
        loop {
            let mut left = due.saturating_duration_since(now());
            if left.is_zero() {
                if self.has_begun {
                    return Ok(Some(Wanted { offset: 0, length: 0 }));
                }
                (due, left) = (now() + TICK, TICK);
            }
            match self.player.messages.recv_timeout(left) {
                Ok(Message::Read { offset, length, answer }) => {
                    self.answer = Some(answer);
                    return Ok(Some(Wanted { offset, length }));
                }
                Ok(Message::Events) if self.has_ended()? => return Ok(None),
                Ok(Message::Events) | Err(RecvTimeoutError::Timeout) => (),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    /// Gives the beginning of what was wanted last; nothing is its end. Where nothing was wanted, this does nothing.
    pub fn give(&mut self, bytes: &[u8]) {
        if let Some(answer) = self.answer.take() {
            self.has_begun = true;
            // Whoever asked may have given up.
            let _ = answer.send(bytes.to_vec());
        }
    }

    /// Whether nobody hears its sound, for no sound device could be opened: known from its beginning on, and at its end at the
    /// latest. Its pictures are shown all the same; where it has none, it has ended.
    #[must_use]
    pub const fn is_unheard(&self) -> bool {
        self.is_unheard
    }

    /// Ends it, and says what was rendered where nobody saw it.
    #[must_use]
    pub fn finish(mut self) -> Option<Shown> {
        self.player.offscreen.take().map(Offscreen::finish)
    }

    fn has_ended(&mut self) -> Result<bool, Error> {
        while let Some(event) = self.player.core.next_event() {
            match event {
                Event::Shutdown | Event::Ended => return Ok(true),
                Event::EndedUnheard => {
                    self.is_unheard = true;
                    return Ok(true);
                }
                Event::Failed(said) => {
                    let detail = self.line.take().map_or(said.clone(), |line| format!("{said} ({line})"));
                    return Err(Error::Playback { detail });
                }
                Event::Line(line) => {
                    self.is_unheard |= line.ends_with(NO_SOUND);
                    self.line = Some(line);
                }
                Event::Other => (),
            }
        }
        Ok(false)
    }
}

#[expect(clippy::disallowed_methods, reason = "not a time that decides: it says how long nothing was wanted")]
fn now() -> Instant {
    Instant::now()
}

/// How libmpv says early on what it says again at the end, with a number.
const NO_SOUND: &str = "-> no sound.";
/// How long nothing may be wanted before that is told.
const TICK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What ffmpeg makes of these inputs and codecs.
    #[expect(clippy::disallowed_methods, reason = "where ffmpeg is is the test setup's to say")]
    fn medium(arguments: &[&str]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("medium.mp4");
        let mut ffmpeg = Command::new(std::env::var("ADMIT_FFMPEG").unwrap_or_else(|_| "ffmpeg".into()));
        ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", "sine=440:d=1", "-c:a", "aac"]).args(arguments);
        assert!(ffmpeg.arg(&path).status().unwrap().success());
        std::fs::read(path).unwrap()
    }

    /// Shows it offscreen with a sound device that cannot be opened anywhere: a file in a folder that is not there.
    fn show(medium: &[u8]) -> Showing {
        let silent = [("ao", "pcm"), ("ao-pcm-file", "/dev/null/no-folder/sound.wav")];
        let player = Player::start_with(&Library::load().unwrap(), Output::Offscreen, &silent, "A film").unwrap();
        player.show(medium.len() as u64).unwrap()
    }

    fn give(showing: &mut Showing, medium: &[u8], Wanted { offset, length }: Wanted) {
        let from = medium.len().min(usize::try_from(offset).unwrap());
        showing.give(&medium[from..medium.len().min(from + length)]);
    }

    /// Plays it, and says how it ended: whether nobody heard it, and what was rendered.
    fn play(medium: &[u8]) -> (Result<bool, Error>, Shown) {
        let mut showing = show(medium);
        let ended = loop {
            match showing.next_wanted() {
                Ok(Some(wanted)) => give(&mut showing, medium, wanted),
                Ok(None) => break Ok(showing.is_unheard()),
                Err(error) => break Err(error),
            }
        };
        (ended, showing.finish().unwrap())
    }

    #[test]
    fn a_film_without_a_sound_device_is_shown_to_its_end_and_said_to_be_unheard() {
        let film = medium(&["-f", "lavfi", "-i", "color=red:s=320x180:r=25:d=1", "-pix_fmt", "yuv420p"]);
        let (ended, shown) = play(&film);
        assert_eq!(ended, Ok(true));
        assert!((20..=27).contains(&shown.frames), "{shown:?}");
    }

    #[test]
    fn sound_alone_without_a_sound_device_ends_and_is_said_to_be_unheard() {
        assert_eq!(play(&medium(&[])), (Ok(true), Shown::default()));
    }

    #[test]
    fn that_nobody_hears_it_is_said_before_its_end() {
        let film = medium(&["-f", "lavfi", "-i", "color=red:s=320x180:r=25:d=1", "-pix_fmt", "yuv420p"]);
        let (mut showing, mut is_said) = (show(&film), false);
        loop {
            match showing.player.core.next_event() {
                Some(Event::Line(line)) => is_said |= line.ends_with(NO_SOUND),
                Some(Event::EndedUnheard) => break,
                Some(_) => (),
                None => match showing.player.messages.recv().unwrap() {
                    Message::Read { offset, length, answer } => {
                        showing.answer = Some(answer);
                        give(&mut showing, &film, Wanted { offset, length });
                    }
                    message => assert!(matches!(message, Message::Events)),
                },
            }
        }
        assert!(is_said);
    }
}
