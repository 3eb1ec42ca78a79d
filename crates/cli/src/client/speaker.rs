//! The player in this process, for files with sound alone: decoded here and given to the system's sound device, never to a
//! file, a pipe or another program. So it counts as what the application's certificate says (row B13).

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use admit_media::{Sample, Sound, sound};
use admit_protocol::Code;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{Device, FromSample, SampleFormat, SizedSample, Stream, StreamConfig, SupportedStreamConfig};

use super::content::Content;
use super::play::Playing;
use crate::audio::{AudioError, Decoder, Resampler, Stereo};
use crate::failure::{self, Failure, Outcome};
use crate::progress::Progress;

/// Something that this process can play itself.
pub(super) struct Speaker {
    sound: Sound,
    decoder: Decoder,
}

impl Speaker {
    /// The player for this content; none where it has pictures, or a codec that is not decoded here.
    pub(super) fn find(content: &mut Content) -> Outcome<Option<Self>> {
        let found = sound(&mut *content.source);
        let media = |error| content.last_failure.take().unwrap_or_else(|| failure::media(&content.path, &error));
        let Some(sound) = found.map_err(media)?.filter(|sound| !sound.has_video) else { return Ok(None) };
        Ok(Decoder::open(&sound).ok().map(|decoder| Self { sound, decoder }))
    }

    /// Opens the sound device, which costs nothing yet where it fails.
    pub(super) fn open(self) -> Outcome<OpenSpeaker> {
        let queue = Arc::new(Queue::default());
        let (stream, rate) = open_device(self.sound.timescale, &queue).map_err(|error| device_failed(&error))?;
        Ok(OpenSpeaker { speaker: self, stream, rate, queue })
    }
}

/// A player whose device is open.
pub(super) struct OpenSpeaker {
    speaker: Speaker,
    stream: Stream,
    rate: u32,
    queue: Arc<Queue>,
}

impl OpenSpeaker {
    /// Plays to the end. Samples are opened as fast as they are heard, so licenses are looked at all along.
    pub(super) fn play(self, playing: Playing<'_>) -> Outcome<()> {
        let Self { speaker: Speaker { sound, mut decoder }, stream, rate, queue } = self;
        let (path, progress) = (playing.content.path.clone(), Progress::new("playing"));
        stream.play().map_err(|error| device_failed(&error.to_string()))?;
        let mut feed = Feed { decoder: &mut decoder, rate, resampler: None, queue: &queue };
        let mut failed = None;
        let decrypted = playing.decrypt_track(
            sound.track,
            &mut |sample, bytes| {
                feed.sample(sample, bytes).map_err(|error| {
                    failed = Some(error);
                    std::io::ErrorKind::Other.into()
                })
            },
            &mut |done, all| progress.at(done, all),
        );
        if failed.is_none() && decrypted.is_ok() {
            failed = feed.finish().err();
        }
        progress.finish();
        match failed {
            Some(Failed::Sound(error)) => Err(Failure::new(error.code(), format!("{}: {error}", path.display()))),
            Some(Failed::Device(error)) => Err(device_failed(&error)),
            None => decrypted.map(drop),
        }
    }
}

/// What stopped the sound.
enum Failed {
    Sound(AudioError),
    Device(String),
}

/// From samples to the device's queue.
struct Feed<'f> {
    decoder: &'f mut Decoder,
    rate: u32,
    resampler: Option<Resampler>,
    queue: &'f Queue,
}

impl Feed<'_> {
    fn sample(&mut self, sample: &Sample, bytes: &[u8]) -> Result<(), Failed> {
        let Some((sound, rate)) = self.decoder.decode(sample, bytes).map_err(Failed::Sound)? else { return Ok(()) };
        if rate != self.rate && self.resampler.is_none() {
            self.resampler = Some(Resampler::new(rate, self.rate).map_err(Failed::Sound)?);
        }
        let sound = match &mut self.resampler {
            Some(resampler) => resampler.push(&sound),
            None => sound,
        };
        self.queue.push(&sound, limit(self.rate)).map_err(Failed::Device)
    }

    /// Plays what is left, and waits until all of it was heard.
    fn finish(mut self) -> Result<(), Failed> {
        if let Some(resampler) = self.resampler.take() {
            self.queue.push(&resampler.finish(), limit(self.rate)).map_err(Failed::Device)?;
        }
        let latency = self.queue.drain().map_err(Failed::Device)?;
        std::thread::sleep(latency);
        Ok(())
    }
}

/// How many frames may wait for the device: a quarter of a second, so that an end of the license is heard soon.
fn limit(rate: u32) -> usize {
    usize::try_from(rate / 4).unwrap_or(usize::MAX)
}

/// Frames on their way to the device's thread.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    frames: VecDeque<[f32; 2]>,
    /// Nothing comes after what is there.
    ended: bool,
    /// All frames were taken, and are heard after this time.
    drained: Option<Duration>,
    failed: Option<String>,
}

impl Queue {
    /// Waits until there is room, and appends.
    fn push(&self, sound: &Stereo, limit: usize) -> Result<(), String> {
        let mut state = self.wait(|state| state.frames.len() < limit)?;
        state.frames.extend(sound.left.iter().zip(&sound.right).map(|(left, right)| [*left, *right]));
        Ok(())
    }

    /// Waits until the device has taken everything, and says how much later it is heard.
    fn drain(&self) -> Result<Duration, String> {
        self.lock().ended = true;
        Ok(self.wait(|state| state.drained.is_some())?.drained.unwrap_or_default())
    }

    fn wait(&self, done: impl Fn(&State) -> bool) -> Result<MutexGuard<'_, State>, String> {
        let waits = |state: &mut State| state.failed.is_none() && !done(state);
        let state = self.changed.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        match &state.failed {
            Some(error) => Err(error.clone()),
            None => Ok(state),
        }
    }

    /// Fills the device's buffer: silence where there is nothing.
    fn fill<T: SizedSample + FromSample<f32>>(&self, buffer: &mut [T], config: StreamConfig, latency: Duration) {
        let mut state = self.lock();
        let channels = usize::from(config.channels);
        let length = buffer.len() as f64 / f64::from(config.channels) / f64::from(config.sample_rate);
        for frame in buffer.chunks_mut(channels) {
            let [left, right] = state.frames.pop_front().unwrap_or_default();
            let mixed = if channels == 1 { [(left + right) / 2.0, 0.0] } else { [left, right] };
            let rest = mixed.into_iter().chain(std::iter::repeat(0.0));
            frame.iter_mut().zip(rest).for_each(|(place, sample)| *place = T::from_sample(sample));
        }
        if state.ended && state.frames.is_empty() {
            state.drained.get_or_insert(latency + Duration::from_secs_f64(length));
        }
        drop(state);
        self.changed.notify_all();
    }

    fn fail(&self, error: String) {
        self.lock().failed.get_or_insert(error);
        self.changed.notify_all();
    }

    /// A thread that panicked leaves frames, and not half of one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the default device, at this rate where it has it, and says at which.
fn open_device(wanted: u32, queue: &Arc<Queue>) -> Result<(Stream, u32), String> {
    let device = cpal::default_host().default_output_device().ok_or("there is none")?;
    let config = choose(&device, wanted)?;
    let rate = config.sample_rate();
    let stream = match config.sample_format() {
        SampleFormat::I16 => build::<i16>(&device, &config, queue),
        SampleFormat::I32 => build::<i32>(&device, &config, queue),
        SampleFormat::F32 => build::<f32>(&device, &config, queue),
        other => Err(format!("it takes {other} only")),
    };
    Ok((stream?, rate))
}

/// Two channels at the rate that is wanted, else what the device likes best.
fn choose(device: &Device, wanted: u32) -> Result<SupportedStreamConfig, String> {
    let offered = device.supported_output_configs().map_err(|error| error.to_string())?;
    let mut fitting: Vec<_> = offered
        .filter(|range| range.channels() == 2 && FORMATS.contains(&range.sample_format()))
        .filter_map(|range| range.try_with_sample_rate(wanted))
        .collect();
    fitting.sort_by_key(|config| FORMATS.iter().position(|format| *format == config.sample_format()));
    match fitting.into_iter().next() {
        Some(config) => Ok(config),
        None => device.default_output_config().map_err(|error| error.to_string()),
    }
}

fn build<T: SizedSample + FromSample<f32>>(
    device: &Device,
    config: &SupportedStreamConfig,
    queue: &Arc<Queue>,
) -> Result<Stream, String> {
    let config: StreamConfig = config.config();
    let (filled, failed) = (Arc::clone(queue), Arc::clone(queue));
    let fill = move |buffer: &mut [T], info: &cpal::OutputCallbackInfo| {
        let at = info.timestamp();
        filled.fill(buffer, config, at.playback.duration_since(at.callback));
    };
    let stream = device.build_output_stream(config, fill, move |error| failed.fail(error.to_string()), None);
    stream.map_err(|error| error.to_string())
}

fn device_failed(error: &str) -> Failure {
    Failure::new(Code::ADMIT_E_PLAYER_FAILED, format!("the sound device: {error}"))
        .with_action("Mend the sound device, name a program with --player, or write to a file with --output")
}

/// Formats of samples that are given to devices, best first.
const FORMATS: [SampleFormat; 3] = [SampleFormat::F32, SampleFormat::I32, SampleFormat::I16];
