//! `admit play`: acquire what is missing, then write the clear media where the license allows it, or hand it to
//! a player.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use admit_client::Playback;
use admit_client::acquire::Wanted;
use admit_client::play::{Candidates, permit};
use admit_license::{Action, Denied, Remedy};
use admit_media::WriteSink;
use admit_packager::AtomicFile;
use serde_json::json;

use super::acquire::Session;
use super::content::{Content, HeaderTerms};
use super::context::PROVIDER;
use super::player::Player;
use super::why::realm_of;
use crate::args::{PlayArgs, token_text};
use crate::failure::{self, Failure, Outcome};
use crate::output::Output;
use crate::progress::Progress;
use crate::system::{Http, SystemEntropy};

/// Plays a file.
pub(crate) fn run(args: &PlayArgs, output: Output) -> Outcome<()> {
    let token = token_text(args.token.as_deref())?;
    let mut content = Content::open(&args.file)?;
    let http = Http::new();
    let realm = realm_of(&content, &args.client, &http)?;
    let header = content.verify_header(realm.realm.root())?;
    let lock = realm.lock()?;
    let mut session = Session::open(realm, &http)?;
    acquire_missing(&mut session, &content, &header, token.as_deref(), &http)?;
    let candidates = Candidates::find(&session.store, &content.key_ids)?;
    let environment = session.environment(&header);
    let grants = candidates.evaluate(Action::Play, &environment).map_err(|denied| Failure::denied(&denied))?;
    let mut entropy = session.store.entropy(&mut SystemEntropy);
    let permit = permit(&mut session.store, &session.identity, Action::Play, grants, &environment, &mut entropy)?;
    // Everything that can fail before a sample leaves fails here, while the use is only reserved.
    let destination = Destination::open(args)?;
    let playback = permit.release_first_sample(&mut session.store, &mut entropy)?;
    drop(lock);
    destination.play(&mut content, &playback, output)
}

/// Acquires when there is no license that allows to play and another one might.
fn acquire_missing(
    session: &mut Session,
    content: &Content,
    header: &HeaderTerms,
    token: Option<&str>,
    http: &Http,
) -> Outcome<()> {
    let candidates = Candidates::find(&session.store, &content.key_ids)?;
    let denied = match candidates.evaluate(Action::Play, &session.environment(header)) {
        Ok(_) => return Ok(()),
        Err(denied) => denied,
    };
    if !a_new_license_may_help(&denied) {
        return Err(Failure::denied(&denied));
    }
    let application = session.application().cloned();
    let wanted = Wanted {
        token,
        application: application.as_ref(),
        ..Wanted::to(Action::Play, content.header_object(), content.key_ids.clone())
    };
    let page = header.license_page.as_deref();
    session.acquire(&wanted, http).map(drop).map_err(|failure| match page {
        Some(page) if failure.code == admit_protocol::Code::ADMIT_E_TOKEN_REQUIRED => {
            let action = format!("Get a license at {page}, or pass the token you were given with --token");
            failure.with_action(action)
        }
        _ => failure,
    })
}

/// Whether some license fails for nothing but what a new license can bring.
fn a_new_license_may_help(denied: &Denied) -> bool {
    let refusals = denied.refusals();
    let by_acquiring = |remedy| matches!(remedy, Remedy::Acquire | Remedy::Renew);
    refusals.iter().any(|refusal| {
        refusals
            .iter()
            .filter(|other| other.license == refusal.license)
            .all(|other| by_acquiring(other.reason.remedy()))
    })
}

/// Where the clear media goes.
enum Destination {
    File(PathBuf, AtomicFile),
    StandardOutput,
    Player(Player),
}

impl Destination {
    fn open(args: &PlayArgs) -> Outcome<Self> {
        match (args.output.as_deref(), args.player.as_deref()) {
            (Some(path), _) if path == Path::new("-") => Ok(Self::StandardOutput),
            (Some(path), _) => {
                let created = AtomicFile::create(path, SystemEntropy.nonce());
                let file = created.map_err(|error| Failure::file(path, &error))?;
                Ok(Self::File(path.to_owned(), file))
            }
            (None, player) => Player::start(player).map(Self::Player),
        }
    }

    fn play(self, content: &mut Content, playback: &Playback, output: Output) -> Outcome<()> {
        match self {
            Self::File(path, mut file) => {
                let progress = Progress::new("playing");
                let bytes = decrypt_to_file(content, playback, &path, file.file(), &progress)?;
                file.commit().map_err(|error| Failure::file(&path, &error))?;
                progress.finish();
                output.json(|| json!({ "output": path, "bytes": bytes }));
                output.line(|| format!("wrote {} ({bytes} bytes)", path.display()));
                Ok(())
            }
            Self::StandardOutput => decrypt(content, playback, io::stdout().lock()),
            Self::Player(mut player) => {
                let outcome = decrypt(content, playback, player.input());
                player.finish(outcome)
            }
        }
    }
}

/// Decrypts with reading and deciphering on this thread and writing on another.
fn decrypt_to_file(
    content: &mut Content,
    playback: &Playback,
    path: &Path,
    to: &mut File,
    progress: &Progress,
) -> Outcome<u64> {
    let mut progress = |done, all| progress.at(done, all);
    let decrypted = admit_packager::with_threaded_sink(to, BUFFERS, |sink| {
        Ok(playback.decrypt(PROVIDER, &mut *content.source, sink, &mut progress)?)
    });
    decrypted.map(|decrypted| decrypted.bytes).map_err(|error| failure::packager(&content.path, path, &error))
}

/// Decrypts sample by sample, so that whoever reads can begin at once.
fn decrypt(content: &mut Content, playback: &Playback, to: impl Write) -> Outcome<()> {
    let mut sink = WriteSink::new(to);
    let decrypted = playback.decrypt(PROVIDER, &mut *content.source, &mut sink, &mut |_, _| ());
    decrypted.map(drop).map_err(|error| failure::media(&content.path, &error))
}

/// Blocks on their way between the reading and the writing thread.
const BUFFERS: usize = 4;
