//! `admit burn`: protected tracks to the image of an audio disc, with a cue sheet beside it. What can be known to fail fails
//! before anything is written or charged.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use admit_client::Permit;
use admit_license::Action;
use admit_media::{Sound, sound};
use admit_packager::AtomicFile;
use admit_protocol::Code;
use serde_json::json;

use super::acquire::Session;
use super::content::{Content, HeaderTerms};
use super::play::{Asked, Playing, acquire_missing, permit};
use super::playlist::Playlist;
use super::why::realm_of;
use crate::args::{BurnArgs, token_text};
use crate::audio::{
    AudioError, Decoder, Disc, LONGEST_SECTORS, MOST_TRACKS, Quantizer, RATE, Resampler, Sheet, Stereo, TrackText,
    gaps_of, sectors_of,
};
use crate::failure::{self, Failure, Outcome};
use crate::output::Output;
use crate::progress::Progress;
use crate::same_file;
use crate::system::{Counter, Http, SystemEntropy};

/// Burns.
pub(crate) fn run(args: &BurnArgs, output: Output) -> Outcome<()> {
    let playlist = args.playlist.as_deref().map(Playlist::open).transpose()?.unwrap_or_default();
    let files: Vec<&PathBuf> = playlist.files.iter().chain(&args.files).collect();
    let image = Image::named(&args.output, &files)?;
    let token = token_text(args.token.as_deref())?;
    let mut tracks = open_tracks(&files)?;
    let http = Http::new();
    let mut session = open_session(args, &mut tracks, &http, output)?;
    let action = if args.playlist.is_some() { Action::PlaylistBurn } else { Action::Burn };
    let asked = Asked { action, output: admit_license::Output::Clear, token: token.as_deref(), copies: 1 };
    for track in &tracks {
        acquire_missing(&mut session, &track.content, &track.header, asked, &http)?;
    }
    let texts: Vec<_> = tracks.iter().map(Track::text).collect();
    let title = playlist.title.or_else(|| common_album(&tracks)).unwrap_or_else(|| image.name.clone());
    let burnt = burn(&mut session, tracks, asked, &image, |starts| {
        Sheet { file: &format!("{}.bin", image.name), title: &title, tracks: &texts, starts }.write()
    });
    // Tracks that were reserved and not begun cost nothing.
    session.store.return_reservations(&mut session.store.entropy(&mut SystemEntropy))?;
    tell(&image, &texts, &burnt?, output);
    Ok(())
}

/// The two files of an image.
struct Image {
    name: String,
    bin: PathBuf,
    cue: PathBuf,
}

impl Image {
    /// None of the tracks may be written over.
    fn named(path: &Path, files: &[&PathBuf]) -> Outcome<Self> {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.filter(|name| !name.contains(|c: char| c == '"' || c.is_control())).ok_or_else(|| {
            let sentence = format!("a cue sheet cannot name an image {}", path.display());
            Failure::new(Code::ADMIT_E_USAGE, sentence).with_action("Name another image with --output")
        })?;
        let [bin, cue] = ["bin", "cue"].map(|extension| path.with_file_name(format!("{name}.{extension}")));
        for (file, output) in files.iter().flat_map(|file| [(file, &bin), (file, &cue)]) {
            same_file::refuse(file, output)?;
        }
        Ok(Self { name: name.to_owned(), bin, cue })
    }

    fn create(path: &Path) -> Outcome<AtomicFile> {
        if path.is_dir() {
            return Err(Failure::folder(path));
        }
        // As all clear media: for this account alone.
        AtomicFile::create_private(path, SystemEntropy.nonce()).map_err(|error| Failure::file(path, &error))
    }

    /// Gives both files their names, or none of them.
    fn commit(&self, bin: AtomicFile, cue: AtomicFile) -> Outcome<()> {
        bin.commit().map_err(|error| Failure::file(&self.bin, &error))?;
        cue.commit().map_err(|error| {
            let _ = fs::remove_file(&self.bin);
            Failure::file(&self.cue, &error)
        })
    }
}

/// A track that can be decoded.
struct Track {
    content: Content,
    header: HeaderTerms,
    sound: Sound,
    decoder: Decoder,
}

impl Track {
    fn open(path: &Path) -> Outcome<Self> {
        let mut content = Content::open(path)?;
        let found = sound(&mut *content.source);
        let found =
            found.map_err(|error| content.last_failure.take().unwrap_or_else(|| failure::media(path, &error)))?;
        let sound = found.ok_or_else(|| {
            Failure::new(Code::ADMIT_E_MEDIA_UNSUPPORTED, format!("{} has no sound", path.display()))
                .with_action("Leave it out, a disc of music has sound only")
        })?;
        let decoder = Decoder::open(&sound).map_err(|error| audio(path, &error))?;
        Ok(Self { content, header: HeaderTerms::default(), sound, decoder })
    }

    /// The file's own words, else its name.
    fn text(&self) -> TrackText {
        let stem = || self.content.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let title = self.sound.metadata.title.clone().unwrap_or_else(stem);
        TrackText { title, performer: self.sound.metadata.artist.clone() }
    }

    /// How many sectors it takes, as far as the file says.
    fn sectors(&self) -> u64 {
        let sound = &self.sound;
        let length = sound.duration.saturating_sub(sound.media_start);
        let frames = u128::from(length) * u128::from(RATE) / u128::from(sound.timescale);
        sectors_of(u64::try_from(frames).unwrap_or(u64::MAX))
    }
}

/// Opens all tracks, and says before anything else where a disc has no room for them.
fn open_tracks(files: &[&PathBuf]) -> Outcome<Vec<Track>> {
    let refused = |error: AudioError| Err(refused(error.to_string(), &error));
    if files.is_empty() {
        return Err(Failure::new(Code::ADMIT_E_USAGE, "the playlist names no tracks"));
    }
    if files.len() > MOST_TRACKS {
        return refused(AudioError::TooManyTracks(files.len()));
    }
    let tracks = files.iter().map(|file| Track::open(file)).collect::<Outcome<Vec<_>>>()?;
    let sum = tracks.iter().map(Track::sectors).fold(gaps_of(tracks.len()), u64::saturating_add);
    if sum > LONGEST_SECTORS { refused(AudioError::TooLong(sum)) } else { Ok(tracks) }
}

/// The session in the realm of all tracks, whose headers are verified.
fn open_session(args: &BurnArgs, tracks: &mut [Track], http: &Http, output: Output) -> Outcome<Session> {
    let realm = realm_of(&tracks[0].content, &args.client, http)?;
    let root = realm.realm.root();
    for track in tracks {
        if track.content.claims()?.0.is_some_and(|claimed| claimed != root.realm()) {
            let sentence = format!("{} is of another realm than the first track", track.content.path.display());
            let failure = Failure::new(Code::ADMIT_E_USAGE, sentence);
            return Err(failure.with_action("Burn the tracks of each realm to an image of their own"));
        }
        track.header = track.content.verify_header(root)?;
    }
    Session::open(realm, http, output)
}

/// Reserves for every track, then writes them all. The folder's lock is held all the time: another process would give back
/// what is reserved here.
fn burn(
    session: &mut Session,
    tracks: Vec<Track>,
    asked: Asked<'_>,
    image: &Image,
    sheet: impl Fn(&[u64]) -> String,
) -> Outcome<(Vec<u64>, u64)> {
    let (mut bin, mut cue) = (Image::create(&image.bin)?, Image::create(&image.cue)?);
    let permits = tracks.iter().map(|track| {
        let same = tracks.iter().filter(|other| other.content.key_ids == track.content.key_ids);
        let copies = same.map(|_| 1).sum();
        permit(session, &track.content, &track.header, Asked { copies, ..asked })
    });
    let permits = permits.collect::<Outcome<Vec<_>>>()?;
    let mut out = BufWriter::new(bin.file());
    let mut disc = Disc::new(&mut out);
    for (track, permit) in tracks.into_iter().zip(permits) {
        burn_track(session, track, permit, &mut disc)?;
    }
    let (starts, sectors) = disc.into_starts();
    out.flush().map_err(|error| Failure::file(&image.bin, &error))?;
    drop(out);
    cue.file().write_all(sheet(&starts).as_bytes()).map_err(|error| Failure::file(&image.cue, &error))?;
    image.commit(bin, cue)?;
    Ok((starts, sectors))
}

fn burn_track(session: &mut Session, track: Track, permit: Permit, disc: &mut Disc<impl Write>) -> Outcome<()> {
    let Track { content, sound, decoder, .. } = track;
    let (path, progress) = (content.path.clone(), Progress::new("burning"));
    let mut pipeline = Pipeline { decoder, chain: None, disc };
    let mut failed = None;
    let entropy = session.store.entropy(&mut SystemEntropy);
    let Session { store, identity, clock, counter, events, .. } = session;
    let counter = counter.as_ref().map(Counter::value);
    let released = &mut || ();
    let playing = Playing { content, permit, store, clock, counter, events, identity, entropy, released };
    let decrypted = playing.decrypt_track(
        sound.track,
        &mut |sample, bytes| {
            pipeline.sample(sample, bytes).map_err(|error| {
                failed = Some(error);
                std::io::ErrorKind::Other.into()
            })
        },
        &mut |done, all| progress.at(done, all),
    );
    progress.finish();
    match failed {
        Some(error) => Err(audio(&path, &error)),
        None => decrypted.and_then(|_| pipeline.finish().map_err(|error| audio(&path, &error))),
    }
}

/// What a track goes through on its way to the disc.
struct Pipeline<'d, W> {
    decoder: Decoder,
    /// As soon as the rate is known.
    chain: Option<Chain>,
    disc: &'d mut Disc<W>,
}

struct Chain {
    resampler: Option<Resampler>,
    quantizer: Quantizer,
}

impl<W: Write> Pipeline<'_, W> {
    fn sample(&mut self, sample: &admit_media::Sample, bytes: &[u8]) -> Result<(), AudioError> {
        let Some((sound, rate)) = self.decoder.decode(sample, bytes)? else { return Ok(()) };
        let chain = match &mut self.chain {
            Some(chain) => chain,
            none => none.insert(Chain::new(rate, self.decoder.is_exact())?),
        };
        let sound = match &mut chain.resampler {
            Some(resampler) => resampler.push(&sound),
            None => sound,
        };
        chain.write(&sound, self.disc)
    }

    fn finish(self) -> Result<(), AudioError> {
        if let Some(mut chain) = self.chain
            && let Some(resampler) = chain.resampler.take()
        {
            chain.write(&resampler.finish(), self.disc)?;
        }
        self.disc.end_track()
    }
}

impl Chain {
    fn new(rate: u32, is_exact: bool) -> Result<Self, AudioError> {
        let resampler = if rate == RATE { None } else { Some(Resampler::new(rate, RATE)?) };
        let quantizer = Quantizer::new(is_exact && resampler.is_none());
        Ok(Self { resampler, quantizer })
    }

    fn write(&mut self, sound: &Stereo, disc: &mut Disc<impl Write>) -> Result<(), AudioError> {
        let pairs = sound.left.iter().zip(&sound.right);
        disc.write(pairs.map(|(left, right)| [self.quantizer.sample(*left), self.quantizer.sample(*right)]))
    }
}

/// The album that all tracks are of.
fn common_album(tracks: &[Track]) -> Option<String> {
    let first = tracks.first()?.sound.metadata.album.clone()?;
    tracks.iter().all(|track| track.sound.metadata.album.as_ref() == Some(&first)).then_some(first)
}

fn tell(image: &Image, texts: &[TrackText], (starts, sectors): &(Vec<u64>, u64), output: Output) {
    let track = |(text, start): (&TrackText, &u64)| json!({ "title": text.title, "performer": text.performer, "sector": start });
    let tracks = || texts.iter().zip(starts).map(track).collect::<Vec<_>>();
    output.json(|| json!({ "image": image.bin, "cue": image.cue, "sectors": sectors, "tracks": tracks() }));
    let (seconds, count) = (sectors / 75, texts.len());
    output.line(|| {
        let length = format!("{}:{:02} minutes", seconds / 60, seconds % 60);
        format!("wrote {} and {} ({count} tracks, {length})", image.bin.display(), image.cue.display())
    });
}

/// What is wrong with the sound of a file.
fn audio(path: &Path, error: &AudioError) -> Failure {
    refused(format!("{}: {error}", path.display()), error)
}

fn refused(sentence: String, error: &AudioError) -> Failure {
    let failure = Failure::new(error.code(), sentence);
    match error.action() {
        Some(action) => failure.with_action(action),
        None => failure,
    }
}
