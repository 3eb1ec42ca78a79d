//! How a command ends when it does not end well: a code, a sentence, and what to do.

use std::io::ErrorKind;

use admit_license::{Denied, Reason};
use admit_media::Error as Media;
use admit_protocol::Code;
use serde_json::json;

/// A command failed or an action was denied: exit code 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) sentence: String,
    pub(crate) action: Option<String>,
    /// A page where the user can do something about it.
    pub(crate) page: Option<String>,
}

/// What commands return.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure with the code's own advice.
    pub(crate) fn new(code: Code, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into(), action: None, page: None }
    }

    /// Better advice than the code's own.
    pub(crate) fn with_action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        if error.kind() == ErrorKind::IsADirectory {
            return Self::folder(path);
        }
        Self::new(Code::ADMIT_E_FILE, format!("{}: {error}", path.display()))
    }

    /// A folder where a file is wanted.
    pub(crate) fn folder(path: &std::path::Path) -> Self {
        Self::new(Code::ADMIT_E_FILE, format!("{} is a folder", path.display())).with_action("Name a file")
    }

    /// A denial, told by the reason of the license that came nearest.
    pub(crate) fn denied(denied: &Denied) -> Self {
        Self::reason(denied.nearest())
    }

    /// A denial for this reason.
    pub(crate) fn reason(reason: Reason) -> Self {
        Self::new(Code::from(&reason), capitalized(&reason.to_string()))
    }

    /// The line for standard error.
    pub(crate) fn line(&self) -> String {
        let action = self.action.as_deref().unwrap_or_else(|| self.code.action());
        printable(&format!("{}: {} What to do: {}", self.code, sentence(&self.sentence), sentence(action)))
    }

    /// The same as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        json!({
            "error": self.code.name(),
            "code": format!("0x{:08X}", self.code.number()),
            "sentence": self.sentence,
            "action": self.action.as_deref().unwrap_or_else(|| self.code.action()),
            "page": self.page,
        })
    }
}

/// A reason and its remedy as JSON.
pub(crate) fn reason_json(reason: Reason) -> serde_json::Value {
    let code = Code::from(&reason);
    json!({
        "reason": code.name(),
        "code": format!("0x{:08X}", code.number()),
        "sentence": capitalized(&reason.to_string()),
        "remedy": reason.remedy().name(),
        "action": code.action(),
    })
}

/// The text with a large first letter.
pub(crate) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// The text without what a file or a server may have put there for the terminal: control characters, line and
/// paragraph separators, and marks that turn the direction of writing.
pub(crate) fn printable(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if harmful(c) { ' ' } else { c }).collect()
}

fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

impl From<admit_client::Error> for Failure {
    fn from(error: admit_client::Error) -> Self {
        Self::new(Code::from(&error), capitalized(&error.to_string()))
    }
}

impl From<admit_protocol::Error> for Failure {
    fn from(error: admit_protocol::Error) -> Self {
        Self::new(Code::from(&error), capitalized(&error.to_string()))
    }
}

impl From<admit_license::Error> for Failure {
    fn from(error: admit_license::Error) -> Self {
        Self::new(Code::from(&error), capitalized(&error.to_string()))
    }
}

/// What is wrong with a media file.
pub(crate) fn media(path: &std::path::Path, error: &admit_media::Error) -> Failure {
    let failure = Failure::new(media_code(error), format!("{}: {error}", path.display()));
    match error {
        Media::Read { kind: ErrorKind::IsADirectory, .. } => Failure::folder(path),
        Media::NotMp4 if is_manifest(path) => failure.with_action(
            "Name one of the MP4 files that it lists, or its address: manifests of DASH and HLS are not read",
        ),
        Media::NotMp4 => failure.with_action("Name an MP4 file, or convert this one to MP4 if it holds media"),
        Media::Missing { wanted, at } if at.path.names().is_empty() => {
            let why = "so nothing in the file can be found: it was cut, or is a piece of a stream";
            let sentence = format!("{}: there is no {wanted} box, {why}", path.display());
            Failure { sentence, ..failure }.with_action("Get the whole file")
        }
        _ => failure,
    }
}

/// Whether this is called as lists of segments are, in a file or at an address.
fn is_manifest(path: &std::path::Path) -> bool {
    let name = path.to_string_lossy().to_ascii_lowercase();
    let name = name.split(['?', '#']).next().unwrap_or_default();
    name.ends_with(".mpd") || name.ends_with(".m3u8")
}

fn media_code(error: &Media) -> Code {
    match error {
        Media::NotProtected => Code::ADMIT_E_NOT_PROTECTED,
        Media::NotMp4
        | Media::UnsupportedScheme { .. }
        | Media::UnsupportedCodec { .. }
        | Media::UnsupportedLayout { .. } => Code::ADMIT_E_MEDIA_UNSUPPORTED,
        Media::AlreadyProtected { .. } => Code::ADMIT_E_ALREADY_PROTECTED,
        Media::Read { .. } | Media::Write { .. } => Code::ADMIT_E_FILE,
        Media::NoKey { .. } => Code::NS_E_LICENSE_REQUIRED,
        _ => Code::ADMIT_E_MEDIA_MALFORMED,
    }
}

/// What went wrong between a media file that is read and one that is written.
pub(crate) fn packager(input: &std::path::Path, output: &std::path::Path, error: &admit_packager::Error) -> Failure {
    match error {
        admit_packager::Error::Media(error) => media(input, error),
        admit_packager::Error::MoreSamplesThanFile { .. } => {
            Failure::new(Code::ADMIT_E_MEDIA_MALFORMED, format!("{}: {error}", input.display()))
        }
        admit_packager::Error::NothingToProtect | admit_packager::Error::TooManyFragments { .. } => {
            Failure::new(Code::ADMIT_E_MEDIA_UNSUPPORTED, format!("{}: {error}", input.display()))
        }
        other => Failure::new(Code::ADMIT_E_FILE, format!("{}: {other}", output.display())),
    }
}

/// What went wrong while playing.
pub(crate) fn playback(input: &std::path::Path, error: &admit_client::PlaybackError) -> Failure {
    match error {
        admit_client::PlaybackError::Store(error) => error.clone().into(),
        admit_client::PlaybackError::Ended(reason) => {
            Failure::new(Code::from(reason), capitalized(&reason.to_string()))
        }
        admit_client::PlaybackError::Media(error) => media(input, error),
    }
}
