//! `admit play`: acquire what is missing, then play in this process, write the clear media where the license allows it, or
//! hand it to another player.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use admit_client::acquire::Wanted;
use admit_client::clock::clock_reading;
use admit_client::play::{self, Candidates, DeniedKeys};
use admit_client::{Host, Identity, MixedEntropy, Permit, PlaybackError, Store};
use admit_license::{Action, Denied, Environment, Grant, Reason, Remedy};
use admit_media::{Decrypted, Put, Sink, WriteSink};
use admit_packager::AtomicFile;
use admit_time::clock::{Clock, Event};
use serde_json::json;

use super::acquire::Session;
use super::ask;
use super::content::{Content, HeaderTerms};
use super::player::Player;
use super::room::{Inside, OpenInside, Room};
use super::why::realm_of;
use crate::args::{PlayArgs, token_text};
use crate::failure::{self, Failure, Outcome};
use crate::output::Output;
use crate::progress::Progress;
use crate::same_file;
use crate::system::{Counter, Http, LastFailure, SqliteKeyValue, SystemEntropy, read_clocks};

/// Plays a file.
pub(crate) fn run(args: &PlayArgs, output: Output) -> Outcome<()> {
    if let Some(path) = args.output.as_deref().filter(|path| *path != Path::new("-")) {
        same_file::refuse(&args.file, path)?;
    }
    let token = token_text(args.token.as_deref())?;
    let mut content = Content::open(&args.file)?;
    let is_elsewhere = args.output.is_some() || args.player.is_some();
    let room = if is_elsewhere { Room::Elsewhere } else { Room::find(&mut content, args.offscreen)? };
    let http = Http::new();
    let realm = realm_of(&content, &args.client, &http)?;
    let header = content.verify_header(realm.realm.root())?;
    let mut session = Session::open(realm, &http, output)?;
    let asked = Asked { action: Action::Play, output: room.output(), token: token.as_deref(), copies: 1 };
    let acquired = acquire_missing(&mut session, &content, &header, asked, &http);
    let permitted = acquired.and_then(|()| permit(&mut session, &content, &header, asked));
    let permit = permitted.map_err(|failure| room.advise(failure))?;
    let goes = Goes { path: args.output.as_deref(), player: args.player.as_deref(), inside: room.into_inside() };
    play_permitted(&mut session, content, permit, goes, output)
}

/// Where what is played goes; with none of these, to a player that is here.
pub(super) struct Goes<'a> {
    pub(super) path: Option<&'a Path>,
    pub(super) player: Option<&'a str>,
    pub(super) inside: Option<Inside>,
}

/// Plays what is permitted.
pub(super) fn play_permitted(
    session: &mut Session,
    content: Content,
    permit: Permit,
    goes: Goes<'_>,
    output: Output,
) -> Outcome<()> {
    let entropy = session.store.entropy(&mut SystemEntropy);
    let Session { store, identity, lock, clock, counter, events, .. } = session;
    let counter = counter.as_ref().map(Counter::value);
    let destination = Destination::open(goes)?;
    // Others may use the store again once the use is charged, which happens when the first byte leaves.
    let released = &mut || drop(lock.take());
    destination.play(Playing { content, permit, store, clock, counter, events, identity, entropy, released }, output)
}

/// What a user wants to do with content, and with what.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) action: Action,
    pub(super) output: admit_license::Output,
    pub(super) token: Option<&'a str>,
    /// How often it is on the playlist, where there is one.
    pub(super) copies: u32,
}

impl Asked<'_> {
    /// Refuses content that is more often on a playlist than one of its licenses allows.
    fn check_copies(&self, grants: &[Grant<'_>]) -> Outcome<()> {
        let allowed = grants.iter().filter_map(Grant::max_playlist_burn_count).min();
        match allowed.filter(|&allowed| self.action == Action::PlaylistBurn && self.copies > allowed) {
            Some(allowed) => Err(Failure::reason(Reason::CountUsedUp { allowed })),
            None => Ok(()),
        }
    }
}

/// Evaluates once more, reserves what the grants cost and makes the permit.
pub(super) fn permit(
    session: &mut Session,
    content: &Content,
    header: &HeaderTerms,
    asked: Asked<'_>,
) -> Outcome<Permit> {
    let candidates = Candidates::find(&session.store, &content.key_ids)?;
    let now = session.look_at_clock();
    let environment = Environment { output: asked.output, ..session.environment(header, &now) };
    let grants = candidates.evaluate(asked.action, &environment).map_err(|denied| Failure::denied(denied.first()))?;
    asked.check_copies(&grants)?;
    let mut entropy = session.store.entropy(&mut SystemEntropy);
    Ok(play::permit(&mut session.store, &session.identity, grants, &mut entropy)?)
}

/// Refuses what no license allows, before anything costs time.
pub(super) fn check_allowed(
    session: &mut Session,
    content: &Content,
    header: &HeaderTerms,
    asked: Asked<'_>,
) -> Outcome<()> {
    denied(session, content, header, asked)?.map_or(Ok(()), |denied| Err(Failure::denied(denied.first())))
}

/// Acquires when there is no license that allows the action and another one might.
pub(super) fn acquire_missing(
    session: &mut Session,
    content: &Content,
    header: &HeaderTerms,
    asked: Asked<'_>,
    http: &Http,
) -> Outcome<()> {
    let Some(mut denied) = denied(session, content, header, asked)? else { return Ok(()) };
    // A signed time may be all that is missing (row E08). Where nobody gives one, a new license may still help.
    if denied.iter().all(|(_, denied)| a_signed_time_may_help(denied)) && session.set_time(http).is_ok() {
        match self::denied(session, content, header, asked)? {
            Some(still) => denied = still,
            None => return Ok(()),
        }
    }
    if content.is_local()? {
        let is_missing = matches!(denied.first().nearest(), Reason::NoLicense { .. });
        return Err(if is_missing { content.only_local() } else { Failure::denied(denied.first()) });
    }
    if let Some((_, hopeless)) = denied.iter().find(|(_, denied)| !a_new_license_may_help(denied)) {
        return Err(Failure::denied(hopeless));
    }
    let application = session.application().cloned();
    let wanted = Wanted {
        token: asked.token,
        application: application.as_ref(),
        ..Wanted::to(asked.action, content.header_object(), content.key_ids.clone())
    };
    ask::acquire(session, &wanted, header.license_page.as_deref(), http).map(drop)
}

/// Why the action is denied as things stand; none where it is not.
fn denied(
    session: &mut Session,
    content: &Content,
    header: &HeaderTerms,
    asked: Asked<'_>,
) -> Outcome<Option<DeniedKeys>> {
    let now = session.look_at_clock();
    let candidates = Candidates::find(&session.store, &content.key_ids)?;
    let environment = Environment { output: asked.output, ..session.environment(header, &now) };
    Ok(candidates.evaluate(asked.action, &environment).err())
}

/// Whether some license fails for nothing but what a new license can bring, which brings the time as well.
fn a_new_license_may_help(denied: &Denied) -> bool {
    only(denied, |remedy| matches!(remedy, Remedy::Acquire | Remedy::Renew | Remedy::SetClock))
}

/// Whether some license fails for nothing but the want of a signed time.
pub(super) fn a_signed_time_may_help(denied: &Denied) -> bool {
    only(denied, |remedy| remedy == Remedy::SetClock)
}

/// Whether every reason against some license has such a remedy.
fn only(denied: &Denied, remedy: impl Fn(Remedy) -> bool) -> bool {
    let refusals = denied.refusals();
    let against = |license| refusals.iter().filter(move |other| other.license == license);
    refusals.iter().any(|refusal| against(refusal.license).all(|other| remedy(other.reason.remedy())))
}

/// Where the clear media goes.
enum Destination {
    File(PathBuf, AtomicFile),
    StandardOutput,
    Player(Player),
    Inside(OpenInside),
}

impl Destination {
    fn open(goes: Goes<'_>) -> Outcome<Self> {
        if let Some(inside) = goes.inside {
            return inside.open().map(Self::Inside);
        }
        match (goes.path, goes.player) {
            (Some(path), _) if path == Path::new("-") => Ok(Self::StandardOutput),
            (Some(path), _) if path.is_dir() => Err(Failure::folder(path)),
            (Some(path), _) => {
                // Clear media is for this account alone, also while it is only half written.
                let created = AtomicFile::create_private(path, SystemEntropy.nonce());
                let file = created.map_err(|error| Failure::file(path, &error))?;
                Ok(Self::File(path.to_owned(), file))
            }
            (None, player) => Player::start(player).map(Self::Player),
        }
    }

    fn play(self, playing: Playing<'_>, output: Output) -> Outcome<()> {
        match self {
            Self::File(path, mut file) => {
                let progress = Progress::new("playing");
                let bytes = playing.decrypt_to_file(&path, file.file(), &progress)?;
                file.commit().map_err(|error| Failure::file(&path, &error))?;
                progress.finish();
                output.json(|| json!({ "output": path, "bytes": bytes }));
                output.line(|| format!("wrote {} ({bytes} bytes)", path.display()));
                Ok(())
            }
            Self::StandardOutput => playing.decrypt_to(io::stdout().lock()),
            Self::Player(mut player) => {
                let outcome = playing.decrypt_to(player.input());
                player.finish(outcome)
            }
            Self::Inside(inside) => inside.play(playing, output),
        }
    }
}

/// What is permitted and about to be played.
pub(super) struct Playing<'a> {
    pub(super) content: Content,
    pub(super) permit: Permit,
    pub(super) store: &'a mut Store<'static, SqliteKeyValue>,
    pub(super) clock: &'a mut Clock,
    pub(super) counter: Option<u64>,
    pub(super) events: &'a mut Vec<Event>,
    pub(super) identity: &'a Identity,
    pub(super) entropy: MixedEntropy<'static>,
    pub(super) released: &'a mut dyn FnMut(),
}

impl Playing<'_> {
    /// Decrypts the samples of one track, for a decoder in this process.
    pub(super) fn decrypt_track(
        mut self,
        track: u32,
        put: &mut Put<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Outcome<Decrypted> {
        let (input, last_failure) = (self.content.path.clone(), self.content.last_failure.clone());
        let from = (&mut *self.content.source, track);
        let (clock, identity, counter) = (self.clock, self.identity, self.counter);
        let read = &mut || clock_reading(identity, &read_clocks(counter));
        let host = Host { released: self.released, clock, read, events: self.events, progress };
        let decrypted = self.permit.decrypt_track(self.store, &mut self.entropy, from, put, host);
        decrypted.map_err(|error| told(&input, &last_failure, &error))
    }

    /// Decrypts what a player in this process wants, for as long as it wants something.
    #[cfg(feature = "player")]
    pub(super) fn decrypt_ranges(mut self, reader: &mut dyn admit_media::Reader) -> Outcome<Decrypted> {
        let (input, last_failure) = (self.content.path.clone(), self.content.last_failure.clone());
        let source = &mut *self.content.source;
        let (clock, identity, counter) = (self.clock, self.identity, self.counter);
        let read = &mut || clock_reading(identity, &read_clocks(counter));
        let progress = &mut |_, _| ();
        let host = Host { released: self.released, clock, read, events: self.events, progress };
        let decrypted = self.permit.decrypt_ranges(self.store, &mut self.entropy, source, reader, host);
        decrypted.map_err(|error| told(&input, &last_failure, &error))
    }

    /// Decrypts with reading and deciphering on this thread and writing on another.
    fn decrypt_to_file(self, path: &Path, to: &mut File, progress: &Progress) -> Outcome<u64> {
        let (input, last_failure) = (self.content.path.clone(), self.content.last_failure.clone());
        let mut progress = |done, all| progress.at(done, all);
        let written = admit_packager::with_threaded_sink(to, BUFFERS, |sink| Ok(self.decrypt(sink, &mut progress)));
        let decrypted = written.map_err(|error| failure::packager(&input, path, &error))?;
        decrypted.map(|decrypted| decrypted.bytes).map_err(|error| told(&input, &last_failure, &error))
    }

    /// Decrypts sample by sample, so that whoever reads can begin at once.
    fn decrypt_to(self, to: impl Write) -> Outcome<()> {
        let (input, last_failure) = (self.content.path.clone(), self.content.last_failure.clone());
        let decrypted = self.decrypt(&mut WriteSink::new(to), &mut |_, _| ());
        decrypted.map(drop).map_err(|error| told(&input, &last_failure, &error))
    }

    fn decrypt(mut self, sink: &mut dyn Sink, progress: &mut dyn FnMut(u64, u64)) -> Result<Decrypted, PlaybackError> {
        let source = &mut *self.content.source;
        let (clock, identity, counter) = (self.clock, self.identity, self.counter);
        let host = Host {
            released: self.released,
            clock,
            read: &mut || clock_reading(identity, &read_clocks(counter)),
            events: self.events,
            progress,
        };
        self.permit.decrypt(self.store, &mut self.entropy, source, sink, host)
    }
}

/// What the network said, where it is what failed; else what the store or the media says.
fn told(input: &Path, last_failure: &LastFailure, error: &PlaybackError) -> Failure {
    last_failure.take().unwrap_or_else(|| failure::playback(input, error))
}

/// Blocks on their way between the reading and the writing thread.
const BUFFERS: usize = 4;
