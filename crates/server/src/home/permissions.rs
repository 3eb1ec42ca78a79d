//! Who can read a home's secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{CONFIG_FILE, Config, Environment, ROOT_KEY_FILE, SECRETS_FOLDER};
use crate::Error;

/// Files and folders of a home that hold secrets and that others than their owner can read, with their mode.
pub fn exposed_secrets(home: &Path) -> Result<Vec<(PathBuf, u32)>, Error> {
    let secrets = home.join(SECRETS_FOLDER);
    let mut paths = vec![home.to_owned(), secrets.clone()];
    for entry in fs::read_dir(&secrets).map_err(Error::io("read", &secrets))? {
        paths.push(entry.map_err(Error::io("read", &secrets))?.path());
    }
    paths.extend(Some(home.join(ROOT_KEY_FILE)).filter(|path| path.exists()));
    let config = home.join(CONFIG_FILE);
    let text = fs::read_to_string(&config).map_err(Error::io("read", &config))?;
    let settings = Config::read(&text, &config, &Environment::default());
    paths.extend(settings.iter().flat_map(|settings| settings.secret_files.clone()));
    // With mistakes in it, it may hold a secret.
    if settings.map_or(true, |settings| settings.database.is_some() || settings.pkcs11.is_some()) {
        paths.push(config);
    }
    let mut exposed = Vec::new();
    for path in paths {
        let mode = fs::metadata(&path).map_err(Error::io("read", &path))?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            exposed.push((path, mode));
        }
    }
    Ok(exposed)
}
