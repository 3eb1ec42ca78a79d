//! The cue sheet beside an image, with the texts that a drive writes as CD-Text.

use crate::failure::printable;

/// What is said of a disc.
#[derive(Debug)]
pub(crate) struct Sheet<'s> {
    /// The image's file name, which has no quotation marks.
    pub(crate) file: &'s str,
    /// The disc's name.
    pub(crate) title: &'s str,
    /// Its tracks.
    pub(crate) tracks: &'s [TrackText],
    /// Where they begin, in sectors of the image.
    pub(crate) starts: &'s [u64],
}

/// What is said of a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrackText {
    /// Its name.
    pub(crate) title: String,
    /// Who plays, where that is known.
    pub(crate) performer: Option<String>,
}

impl Sheet<'_> {
    /// The sheet, line by line.
    pub(crate) fn write(&self) -> String {
        let mut sheet = line(0, "TITLE", self.title);
        if let Some(performer) = self.performer() {
            sheet += &line(0, "PERFORMER", performer);
        }
        sheet += &format!("FILE \"{}\" BINARY\n", self.file);
        for (number, (track, start)) in (1..).zip(self.tracks.iter().zip(self.starts)) {
            sheet += &format!("  TRACK {number:02} AUDIO\n{}", line(4, "TITLE", &track.title));
            if let Some(performer) = &track.performer {
                sheet += &line(4, "PERFORMER", performer);
            }
            // The gap before the first track is the disc's own.
            if number > 1 {
                sheet += "    PREGAP 00:02:00\n";
            }
            sheet += &format!("    INDEX 01 {}\n", time(*start));
        }
        sheet
    }

    /// Who plays on all tracks; several together are nobody that a disc could name.
    fn performer(&self) -> Option<&str> {
        let first = self.tracks.first()?.performer.as_deref()?;
        let same = self.tracks.iter().all(|track| track.performer.as_deref() == Some(first));
        Some(if same { first } else { "Various Artists" })
    }
}

fn line(indent: usize, name: &str, text: &str) -> String {
    format!("{:indent$}{name} \"{}\"\n", "", quoted(text))
}

/// A text as it can stand between quotation marks: sheets know no escape for them, and no more than 80 characters.
fn quoted(text: &str) -> String {
    printable(text).replace('"', "'").chars().take(LONGEST_TEXT).collect()
}

/// Minutes, seconds and sectors.
fn time(sectors: u64) -> String {
    format!("{:02}:{:02}:{:02}", sectors / 75 / 60, sectors / 75 % 60, sectors % 75)
}

const LONGEST_TEXT: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(title: &str, performer: &str) -> TrackText {
        let performer = Some(performer.to_owned()).filter(|performer| !performer.is_empty());
        TrackText { title: title.to_owned(), performer }
    }

    #[test]
    fn b16_a_sheet_has_texts_gaps_and_places() {
        let tracks = [text("One \"more\"\nTRACK 99 AUDIO", "A"), text("Zwei", "")];
        let sheet = Sheet { file: "disc.bin", title: "Disc", tracks: &tracks, starts: &[0, 4500 * 61 + 76] };
        let expected = r#"TITLE "Disc"
PERFORMER "Various Artists"
FILE "disc.bin" BINARY
  TRACK 01 AUDIO
    TITLE "One 'more' TRACK 99 AUDIO"
    PERFORMER "A"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Zwei"
    PREGAP 00:02:00
    INDEX 01 61:01:01
"#;
        assert_eq!(sheet.write(), expected);
    }

    #[test]
    fn the_disc_is_by_whom_all_tracks_are() {
        let of = |tracks: &[TrackText]| {
            let sheet = Sheet { file: "", title: "", tracks, starts: &[] };
            sheet.performer().map(str::to_owned)
        };
        assert_eq!(of(&[text("1", "A"), text("2", "A")]).as_deref(), Some("A"));
        assert_eq!(of(&[text("1", "A"), text("2", "B")]).as_deref(), Some("Various Artists"));
        assert_eq!(of(&[text("1", "")]), None);
    }
}
