//! Where the key-encryption key is: in a file as it is, or in a file under a key in a PKCS#11 token.

use std::fs;
use std::path::Path;

use admit_crypto::{Entropy, Provider, RecordKey};

use super::key_file::{self, KeyFile};
use super::{CONFIG_FILE, Config, Environment, Home, KEY_FILE, Pkcs11, SECRETS_FOLDER};
use crate::Error;
use crate::pkcs11::{Pkcs11Fault, Token};

/// Where a key-encryption key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyCustody {
    /// In a file as it is.
    File,
    /// In a file, under a key in a PKCS#11 token.
    Token,
}

/// What was found when a home's key was opened with its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenReport {
    /// The token's label.
    pub token: String,
    /// The label of the token's key.
    pub key: String,
    /// Whether the token would give that key away.
    pub is_extractable: bool,
    /// Where the home's key is now.
    pub custody: KeyCustody,
    /// Whether it is under another key of the token than the settings name.
    pub is_under_another: bool,
}

impl Home {
    /// Where the key-encryption key is now.
    pub fn key_custody(&self) -> Result<KeyCustody, Error> {
        let file = key_file::read(&self.path().join(SECRETS_FOLDER).join(KEY_FILE))?;
        Ok(custody(&file))
    }
}

/// Looks for the token and the key that the settings of the home at `path` name, and opens the home's key with it.
/// `None` where the settings name no token and none is needed.
pub fn check_token(path: &Path, provider: &Provider, environment: &Environment) -> Result<Option<TokenReport>, Error> {
    let config_path = path.join(CONFIG_FILE);
    let text = fs::read_to_string(&config_path).map_err(Error::io("read", &config_path))?;
    let config =
        Config::read(&text, &config_path, environment).map_err(|mistakes| Error::Configuration { mistakes })?;
    let file = key_file::read(&path.join(SECRETS_FOLDER).join(KEY_FILE))?;
    let Some(settings) = config.pkcs11 else {
        return if custody(&file) == KeyCustody::File { Ok(None) } else { Err(Pkcs11Fault::NotConfigured.into()) };
    };
    Ok(Some(report(&settings, provider, &file)?))
}

fn report(settings: &Pkcs11, provider: &Provider, file: &KeyFile) -> Result<TokenReport, Pkcs11Fault> {
    let token = Token::open(settings)?;
    let key = token.key(&settings.key)?;
    let mut report = TokenReport {
        token: settings.token.clone(),
        key: settings.key.clone(),
        is_extractable: key.is_extractable,
        custody: custody(file),
        is_under_another: false,
    };
    if let KeyFile::Wrapped(wrapped) = file {
        token.unwrap(provider, wrapped)?;
        report.is_under_another = wrapped.token_key != settings.key;
    }
    Ok(report)
}

/// Puts a key under the token's.
pub(super) fn wrap(
    provider: &Provider,
    settings: &Pkcs11,
    create_key: bool,
    key: &RecordKey,
    entropy: &mut dyn Entropy,
) -> Result<KeyFile, Pkcs11Fault> {
    let (token, under) = if create_key {
        let token = Token::open_to_write(settings)?;
        let under = token.key_or_new(&settings.key)?;
        (token, under)
    } else {
        let token = Token::open(settings)?;
        let under = token.key(&settings.key)?;
        (token, under)
    };
    token.wrap(provider, &under, key, entropy).map(KeyFile::Wrapped)
}

const fn custody(file: &KeyFile) -> KeyCustody {
    match file {
        KeyFile::Plain(_) => KeyCustody::File,
        KeyFile::Wrapped(_) => KeyCustody::Token,
    }
}
