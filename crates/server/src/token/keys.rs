//! The keys for tokens that a home has: read again every few seconds, so that one added or retired by another process is
//! soon known here; made, imported and retired.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use admit_crypto::{Entropy, Provider, PublicKey, SecretScalar};
use admit_time::Timestamp;
use serde_json::json;
use tokio::sync::Mutex;

use super::import::{Imported, TokenKeyFault};
use super::key::{EDDSA, ES256, HS256, Material, TokenKey, TokenKeyInfo};
use super::verify::TokenRules;
use crate::home::Home;
use crate::sealing::{Place, Sealer, SealingKey};
use crate::store::token_key::{self, TokenKeyRow};
use crate::store::{At, Connection, Transaction};
use crate::{Error, audit};

/// The keys as they were read last, the newest first.
#[derive(Debug)]
pub(crate) struct TokenKeys {
    read: RwLock<(Timestamp, Arc<[TokenKey]>)>,
    /// Held while one request reads them for all; in it what became of the last reading where that was nothing.
    reading: Mutex<Option<Error>>,
    /// How many readings have ended.
    readings: AtomicU64,
}

impl TokenKeys {
    /// Keys that were read at a time that nobody looked at.
    pub(crate) fn new(keys: Vec<TokenKey>) -> Self {
        let read = RwLock::new((Timestamp::default(), keys.into()));
        Self { read, reading: Mutex::default(), readings: AtomicU64::default() }
    }

    fn current(&self) -> (Timestamp, Arc<[TokenKey]>) {
        self.read.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, at: Timestamp, keys: Arc<[TokenKey]>) {
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = (at, keys);
    }

    /// The keys, where they are fresh; otherwise what `reload` gives, or what it gave or failed with for another request
    /// while this one waited.
    pub(super) async fn fresh_or(
        &self,
        now: Timestamp,
        reload: impl Future<Output = Result<Arc<[TokenKey]>, Error>>,
    ) -> Result<Arc<[TokenKey]>, Error> {
        let readings = self.readings.load(Ordering::Acquire);
        let (read_at, keys) = self.current();
        if read_at <= now && now < read_at.saturating_add(FRESH) {
            return Ok(keys);
        }
        let mut failure = self.reading.lock().await;
        if self.readings.load(Ordering::Acquire) != readings {
            let shared = failure.as_ref().and_then(|error| error.shared().next());
            return shared.map_or_else(|| Ok(self.current().1), Err);
        }
        let read = reload.await;
        *failure = read.as_ref().err().and_then(|error| error.shared().next());
        self.readings.fetch_add(1, Ordering::Release);
        read
    }
}

impl Home {
    /// Takes a public key or a shared secret of somebody who sells for this operator. Says the key's name.
    pub async fn import_token_key(
        &self,
        imported: Imported,
        issuer: &str,
        kid: Option<&str>,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<String, Error> {
        let well_formed = (1..=200).contains(&issuer.chars().count()) && !issuer.chars().any(char::is_control);
        if !well_formed || issuer == own_issuer(&self.realm()) {
            return Err(TokenKeyFault::Issuer.into());
        }
        let Imported { material, kid: brought } = imported;
        let kid = kid.map(str::to_owned).or(brought).or_else(|| thumbprint(self.provider(), &material));
        let fits = |kid: &String| (1..=128).contains(&kid.len()) && kid.bytes().all(|byte| byte.is_ascii_graphic());
        let kid = kid.filter(fits).ok_or(TokenKeyFault::Kid)?;
        let (transaction, public_key, sealed_secret) = match &material {
            Material::Es256(key) => (self.store().write().await?, Some(key.as_bytes().to_vec()), None),
            Material::EdDsa(key) => (self.store().write().await?, Some(key.to_vec()), None),
            Material::Hs256(secret) => {
                let (transaction, sealing) = self.sealer().write(self.store()).await?;
                (transaction, None, Some(sealing.seal(place(&kid), secret, entropy)))
            }
            Material::Own(_) => return Err(TokenKeyFault::Private.into()),
        };
        let algorithm = material.algorithm().to_owned();
        let row = TokenKeyRow {
            kid,
            algorithm,
            issuer: issuer.to_owned(),
            public_key,
            sealed_secret,
            created_at: now,
            verifies_until: None,
        };
        self.add(transaction, row, now).await
    }

    /// Makes a new key of this realm, which signs from now on. Says its name.
    pub async fn make_token_key(&self, now: Timestamp, entropy: &mut (dyn Entropy + Send)) -> Result<String, Error> {
        let secret = SecretScalar::generate(entropy);
        let (transaction, sealing) = self.sealer().write(self.store()).await?;
        let row = own_row(self.provider(), &sealing, &self.realm(), &secret, now, entropy);
        self.add(transaction, row, now).await
    }

    /// Retires a key: it signs no more, and verifies until a date.
    pub async fn retire_token_key(&self, kid: &str, until: Timestamp, now: Timestamp) -> Result<(), Error> {
        let mut transaction = self.store().write().await?;
        if !token_key::retire(&mut transaction, kid, until).await? {
            return Err(TokenKeyFault::Unknown { kid: kid.to_owned() }.into());
        }
        let detail = json!({ "verifies_until": until.unix_secs() });
        self.append_audit(&mut transaction, now, audit::Event::TokenKeyRetired, kid, &detail).await?;
        transaction.commit().await?;
        self.reload_token_keys(now).await.map(drop)
    }

    /// What is said openly of every key, the newest first.
    pub async fn token_key_list(&self, now: Timestamp) -> Result<Vec<TokenKeyInfo>, Error> {
        Ok(self.reload_token_keys(now).await?.iter().map(|key| key.info().clone()).collect())
    }

    /// The keys, at most a few seconds old.
    pub(crate) async fn token_keys(&self, now: Timestamp) -> Result<Arc<[TokenKey]>, Error> {
        self.token_key_memory().fresh_or(now, self.reload_token_keys(now)).await
    }

    /// What tokens are held to now.
    pub(crate) async fn token_rules(&self, now: Timestamp) -> Result<TokenRules<'_>, Error> {
        Ok(TokenRules {
            provider: self.provider(),
            realm: self.realm(),
            keys: self.token_keys(now).await?,
            verified: self.verified_tokens(),
            maximum_lifetime: self.config().token_maximum_lifetime,
        })
    }

    async fn add(&self, mut transaction: Transaction, row: TokenKeyRow, now: Timestamp) -> Result<String, Error> {
        if !token_key::insert(&mut transaction, &row).await? {
            return Err(TokenKeyFault::Exists { kid: row.kid }.into());
        }
        let detail = json!({ "algorithm": row.algorithm, "issuer": row.issuer });
        self.append_audit(&mut transaction, now, audit::Event::TokenKeyAdded, &row.kid, &detail).await?;
        transaction.commit().await?;
        self.reload_token_keys(now).await?;
        Ok(row.kid)
    }

    async fn reload_token_keys(&self, now: Timestamp) -> Result<Arc<[TokenKey]>, Error> {
        let mut connection = self.store().licenses().read().await?;
        let keys: Arc<[TokenKey]> = load(self.provider(), self.sealer(), &mut connection).await?.into();
        self.token_key_memory().set(now, Arc::clone(&keys));
        Ok(keys)
    }
}

/// Reads all keys, the newest first.
pub(crate) async fn load(
    provider: &Provider,
    sealer: &Sealer,
    connection: &mut Connection,
) -> Result<Vec<TokenKey>, Error> {
    let rows = token_key::all(connection).await?;
    rows.into_iter().map(|row| read(provider, sealer, row)).collect()
}

fn read(provider: &Provider, sealer: &Sealer, row: TokenKeyRow) -> Result<TokenKey, Error> {
    let at = At { table: token_key::TABLE, row: &row.kid };
    let material = match (row.algorithm.as_str(), &row.public_key, &row.sealed_secret) {
        (ES256, None, Some(sealed)) => {
            let secret = SecretScalar::from_slice(sealer.open(place(&row.kid), sealed)?.bytes());
            Material::own(provider, &secret.map_err(|_| place(&row.kid).damaged())?)
        }
        (ES256, Some(key), None) => Material::Es256(PublicKey::from_sec1(key).map_err(|_| at.damaged("public_key"))?),
        (EDDSA, Some(key), None) => Material::EdDsa(key.as_slice().try_into().map_err(|_| at.damaged("public_key"))?),
        (HS256, None, Some(sealed)) => Material::Hs256(sealer.open(place(&row.kid), sealed)?.bytes().to_vec().into()),
        _ => return Err(at.damaged("algorithm")),
    };
    let info = TokenKeyInfo {
        algorithm: material.algorithm(),
        is_own: matches!(material, Material::Own(_)),
        kid: row.kid,
        issuer: row.issuer,
        created_at: row.created_at,
        verifies_until: row.verifies_until,
    };
    Ok(TokenKey::new(info, material))
}

/// The row of a key of this realm.
pub(crate) fn own_row(
    provider: &Provider,
    sealing: &SealingKey,
    realm: &admit_crypto::Digest,
    secret: &SecretScalar,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> TokenKeyRow {
    let kid = short(provider, secret.public_key().as_bytes());
    TokenKeyRow {
        sealed_secret: Some(sealing.seal(place(&kid), secret.expose(), entropy)),
        kid,
        algorithm: ES256.to_owned(),
        issuer: own_issuer(realm),
        public_key: None,
        created_at: now,
        verifies_until: None,
    }
}

fn own_issuer(realm: &admit_crypto::Digest) -> String {
    format!("admit:{realm}")
}

/// A name for a public key that brings none.
fn thumbprint(provider: &Provider, material: &Material) -> Option<String> {
    match material {
        Material::Own(key) => Some(short(provider, key.public_key().as_bytes())),
        Material::Es256(key) => Some(short(provider, key.as_bytes())),
        Material::EdDsa(key) => Some(short(provider, key)),
        Material::Hs256(_) => None,
    }
}

fn short(provider: &Provider, key: &[u8]) -> String {
    (provider.sha256)(&[key]).to_string()[..KID_DIGITS].to_owned()
}

const fn place(kid: &str) -> Place<'_> {
    Place { table: token_key::TABLE, row: kid.as_bytes(), column: "sealed_secret" }
}

const KID_DIGITS: usize = 16;
const FRESH: Duration = Duration::from_secs(5);
