//! libmpv itself, on films that ffmpeg makes: both must be there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;

use admit_mpv::{Colour, Error, Library, Output, Player, Showing, Shown};

#[expect(clippy::disallowed_methods, reason = "where ffmpeg is is the test setup's to say")]
fn ffmpeg() -> Command {
    Command::new(std::env::var("ADMIT_FFMPEG").unwrap_or_else(|_| "ffmpeg".into()))
}

/// A second of red and a second of blue, 25 pictures a second, with a tone.
fn film(folder: &Path) -> Vec<u8> {
    let sides = ["red", "blue"].map(|colour| format!("color={colour}:s=320x180:r=25:d=1"));
    let path = folder.join("film.mp4");
    let mut ffmpeg = ffmpeg();
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", &sides[0], "-f", "lavfi", "-i", &sides[1]]);
    ffmpeg.args(["-f", "lavfi", "-i", "sine=440:d=2", "-filter_complex", "[0][1]concat=n=2[v]", "-map", "[v]"]);
    ffmpeg.args(["-map", "2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac"]);
    assert!(ffmpeg.arg(&path).status().unwrap().success());
    std::fs::read(path).unwrap()
}

fn show(length: usize) -> Showing {
    let player = Player::start(&Library::load().unwrap(), Output::Offscreen, "A film").unwrap();
    player.show(length as u64).unwrap()
}

/// Gives all that is wanted.
fn play(film: &[u8]) -> Result<Shown, Error> {
    let mut showing = show(film.len());
    while let Some(wanted) = showing.next_wanted()? {
        let from = film.len().min(usize::try_from(wanted.offset).unwrap());
        showing.give(&film[from..film.len().min(from + wanted.length)]);
    }
    Ok(showing.finish().unwrap())
}

fn is_near(colour: Option<Colour>, expected: [u8; 3]) -> bool {
    colour.unwrap().0.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) < 12)
}

#[test]
fn every_picture_is_rendered_from_the_first_to_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let shown = play(&film(folder.path())).unwrap();
    assert!((45..=52).contains(&shown.frames), "{shown:?}");
    assert!(is_near(shown.first, [255, 0, 0]) && is_near(shown.last, [0, 0, 255]), "{shown:?}");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "nothing was written beside the film");
}

#[test]
fn what_is_no_film_is_an_error_and_no_playlist() {
    for medium in [&b"#EXTM3U\nfilm.mp4\n"[..], b"", &[0; 4096]] {
        let failed = play(medium);
        assert!(matches!(failed, Err(Error::Playback { .. })), "{failed:?}");
    }
}

#[test]
fn a_player_that_is_stopped_or_dropped_ends() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path());
    let player = Player::start(&Library::load().unwrap(), Output::Offscreen, "A film").unwrap();
    let stopper = player.stopper();
    let mut showing = player.show(film.len() as u64).unwrap();
    let wanted = showing.next_wanted().unwrap().unwrap();
    assert_eq!(wanted.offset, 0);
    stopper.stop();
    assert_eq!(showing.next_wanted(), Ok(None), "and whoever waits for bytes gets none");
    drop(showing);
    drop(show(film.len()));
    drop(Player::start(&Library::load().unwrap(), Output::Offscreen, "A film").unwrap());
    stopper.stop();
}
