//! The inputs of benchmarks: H.264 and AAC of a given size, made once by ffmpeg below the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;
use crate::{process, tools};

/// A size of input.
#[derive(Clone, Copy)]
pub(super) struct Clip {
    pub(super) name: &'static str,
    /// How often the base clip of 150 MB is repeated.
    repeats: u32,
}

pub(super) const SMALL: Clip = Clip { name: "150 MB", repeats: 1 };
pub(super) const LARGE: Clip = Clip { name: "1.5 GB", repeats: 10 };

/// The base clip lasts 30 s at 40 Mbit/s.
const SECONDS: &str = "30";
const BASE_BYTES: u64 = 150_000_000;

impl Clip {
    /// The file, made when it is not there yet.
    pub(super) fn file(self, workspace: &Workspace) -> Result<PathBuf> {
        let folder = workspace.target.join("bench");
        fs::create_dir_all(&folder).context("the folder of benchmark inputs cannot be made")?;
        let file = folder.join(format!("h264-aac-{}.mp4", self.repeats));
        if !file.is_file() {
            self.make(workspace, &file)?;
        }
        let bytes = file.metadata()?.len();
        let wanted = BASE_BYTES * u64::from(self.repeats);
        ensure!(bytes.abs_diff(wanted) < wanted / 5, "{} has {bytes} bytes; delete it", file.display());
        Ok(file)
    }

    /// Written beside and renamed, so that a broken attempt leaves no input behind.
    fn make(self, workspace: &Workspace, file: &Path) -> Result<()> {
        let unfinished = file.with_extension("unfinished.mp4");
        let mut ffmpeg = Command::new(tools::required(tools::ffmpeg(workspace), "ffmpeg")?);
        ffmpeg.args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]);
        if self.repeats == 1 {
            encode(&mut ffmpeg);
        } else {
            let base = SMALL.file(workspace)?;
            ffmpeg.args(["-stream_loop", &(self.repeats - 1).to_string(), "-i"]).arg(base).args(["-c", "copy"]);
        }
        process::run(ffmpeg.args(["-movflags", "+faststart"]).arg(&unfinished))?;
        fs::rename(unfinished, file).context("the benchmark input cannot be renamed")
    }
}

/// Noise, so that the encoder needs all the bits it is given.
fn encode(ffmpeg: &mut Command) {
    ffmpeg.args(["-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25,noise=alls=60:allf=t"]);
    ffmpeg.args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", SECONDS]);
    ffmpeg.args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]);
    ffmpeg.args(["-b:v", "40M", "-minrate", "40M", "-maxrate", "40M", "-bufsize", "40M", "-g", "50"]);
    ffmpeg.args(["-c:a", "aac", "-b:a", "128k"]);
}
