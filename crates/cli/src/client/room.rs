//! Where content plays: in this process where this program can, else in another. It decides which level the output counts as.

use admit_license::Output as OutputKind;
use admit_protocol::Code;

use super::content::Content;
use super::play::Playing;
use super::screen::{OpenScreen, Screen};
use super::speaker::{OpenSpeaker, Speaker};
use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// Where content plays.
pub(super) enum Room {
    /// In this process.
    Inside(Inside),
    /// Elsewhere, because the user says so.
    Elsewhere,
    /// Elsewhere, because of what is missing here.
    Outside(Failure),
}

/// A player in this process.
pub(super) enum Inside {
    Speaker(Box<Speaker>),
    Screen(Screen),
}

impl Room {
    /// Where `admit play` plays this, unless it is told where. What is to be seen by nobody is played by libmpv or not at all.
    pub(super) fn find(content: &mut Content, offscreen: bool) -> Outcome<Self> {
        if offscreen {
            return Ok(Self::Inside(Inside::Screen(Screen::find(content, true)?)));
        }
        if let Some(speaker) = Speaker::find(content)? {
            return Ok(Self::Inside(Inside::Speaker(Box::new(speaker))));
        }
        Ok(match Screen::find(content, false) {
            Ok(screen) => Self::Inside(Inside::Screen(screen)),
            Err(missing) => Self::Outside(missing),
        })
    }

    /// What the output counts as. Nobody says what protects the sound device, or the screen.
    pub(super) const fn output(&self) -> OutputKind {
        match self {
            Self::Inside(_) => OutputKind::InProcess { protected: false },
            Self::Elsewhere | Self::Outside(_) => OutputKind::Clear,
        }
    }

    /// The failure, with better advice where it would play in this process if that had what it takes.
    pub(super) fn advise(&self, failure: Failure) -> Failure {
        match self {
            Self::Outside(Failure { action: Some(action), .. }) if failure.code == Code::NS_E_DRM_LICENSE_APPSECLOW => {
                failure.with_action(action.clone())
            }
            _ => failure,
        }
    }

    /// The player in this process, where there is one.
    pub(super) fn into_inside(self) -> Option<Inside> {
        match self {
            Self::Inside(inside) => Some(inside),
            Self::Elsewhere | Self::Outside(_) => None,
        }
    }
}

impl Inside {
    /// Opens the device or the window, which costs nothing yet where it fails.
    pub(super) fn open(self) -> Outcome<OpenInside> {
        match self {
            Self::Speaker(speaker) => speaker.open().map(Box::new).map(OpenInside::Speaker),
            Self::Screen(screen) => screen.open().map(Box::new).map(OpenInside::Screen),
        }
    }
}

/// A player that is ready.
pub(super) enum OpenInside {
    Speaker(Box<OpenSpeaker>),
    Screen(Box<OpenScreen>),
}

impl OpenInside {
    /// Plays to the end.
    pub(super) fn play(self, playing: Playing<'_>, output: Output) -> Outcome<()> {
        match self {
            Self::Speaker(speaker) => speaker.play(playing),
            Self::Screen(screen) => screen.play(playing, output),
        }
    }
}
