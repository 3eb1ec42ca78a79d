//! `admit save`: a stream to a file, still protected, that plays later as any other (row B16). It opens no sample.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use admit_license::Action;
use admit_packager::AtomicFile;
use serde_json::json;

use super::acquire::Session;
use super::content::{Content, Source};
use super::play::{Asked, acquire_missing, check_allowed, permit};
use super::why::realm_of;
use crate::args::{SaveArgs, token_text};
use crate::failure::{self, Failure, Outcome};
use crate::output::Output;
use crate::progress::Progress;
use crate::same_file;
use crate::system::{Http, SystemEntropy};

/// Saves. The right is looked at before anything is fetched, and charged just before the file gets its name.
pub(crate) fn run(args: &SaveArgs, output: Output) -> Outcome<()> {
    same_file::refuse(&args.file, &args.output)?;
    let token = token_text(args.token.as_deref())?;
    let mut content = Content::open(&args.file)?;
    let http = Http::new();
    let realm = realm_of(&content, &args.client, &http)?;
    let header = content.verify_header(realm.realm.root())?;
    let mut session = Session::open(realm, &http, output)?;
    let asked = Asked { action: Action::SaveStream, output: NOWHERE, token: token.as_deref(), copies: 1 };
    acquire_missing(&mut session, &content, &header, asked, &http)?;
    check_allowed(&mut session, &content, &header, asked)?;
    let mut file = create(&args.output)?;
    let bytes = session.unlocked(|| copy(&mut content, &args.output, &mut file))?;
    let permit = permit(&mut session, &content, &header, asked)?;
    let mut entropy = session.store.entropy(&mut SystemEntropy);
    permit.copy_protected(&mut session.store, &mut entropy)?;
    file.commit().map_err(|error| Failure::file(&args.output, &error))?;
    output.json(|| json!({ "output": args.output, "bytes": bytes }));
    output.line(|| format!("wrote {} ({bytes} bytes), protected as it was", args.output.display()));
    Ok(())
}

fn create(path: &Path) -> Outcome<AtomicFile> {
    if path.is_dir() {
        return Err(Failure::folder(path));
    }
    AtomicFile::create(path, SystemEntropy.nonce()).map_err(|error| Failure::file(path, &error))
}

/// Copies all of it, and looks at the boxes of what came: half a file is no success.
fn copy(content: &mut Content, path: &Path, file: &mut AtomicFile) -> Outcome<u64> {
    let Content { path: from, source, last_failure, .. } = content;
    let told = |error: &std::io::Error| last_failure.take().unwrap_or_else(|| Failure::file(from, error));
    let all = length(source).map_err(|error| told(&error))?;
    let (progress, mut buffer, mut done) = (Progress::new("saving"), vec![0; BLOCK], 0);
    loop {
        let count = source.read(&mut buffer).map_err(|error| told(&error))?;
        if count == 0 {
            break;
        }
        file.file().write_all(&buffer[..count]).map_err(|error| Failure::file(path, &error))?;
        done += count as u64;
        progress.at(done, all);
    }
    progress.finish();
    admit_media::inspect(file.file()).map_err(|error| failure::media(from, &error))?;
    Ok(done)
}

/// How long the source is, which is then at its beginning.
fn length(source: &mut Box<dyn Source>) -> std::io::Result<u64> {
    let length = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(0))?;
    Ok(length)
}

/// What is saved stays protected: no output is active, and so none is without protection.
const NOWHERE: admit_license::Output = admit_license::Output::InProcess { protected: true };
const BLOCK: usize = 256 * 1024;
