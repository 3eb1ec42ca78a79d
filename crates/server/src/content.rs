//! What an operator registers of protected content: the key, and what is said of it (rows B01 and A03).

use admit_crypto::{ContentKey, Entropy};
use admit_license::KeyId;
use admit_license::header::MAX_CONTENT_ID;
use admit_time::Timestamp;
use admit_trust::ComponentVersion;
use subtle::ConstantTimeEq as _;

use crate::home::Home;
use crate::sealing::Place;
use crate::store::content_key::{self, ContentKeyRow};
use crate::{Error, audit};

/// What a content key may be given to. Fixed when the key is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyClass {
    /// Wrapped into licenses, for Admit's clients.
    Licensed,
    /// Shown to browsers by ClearKey, and in no license.
    ClearKey,
}

impl KeyClass {
    /// The class's name in the database and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Licensed => "licensed",
            Self::ClearKey => "clearkey",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Licensed, Self::ClearKey].into_iter().find(|class| class.name() == name)
    }
}

/// What is said of the content behind a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The key's id.
    pub key_id: KeyId,
    /// What the key may be given to.
    pub class: KeyClass,
    /// The operator's name for the content, which entitlement tokens name.
    pub content_id: String,
    /// The title, for people.
    pub title: Option<String>,
    /// Whether licenses are issued without an entitlement token.
    pub open: bool,
    /// The oldest individualized component that may play it.
    pub minimum_individualized_version: Option<ComponentVersion>,
    /// The least security level of the application; the default is 100.
    pub minimum_application_level: Option<u32>,
}

impl Home {
    /// Registers a content key. The same registration twice changes nothing; another key, class or content under
    /// the same id is refused.
    pub async fn register_content_key(
        &self,
        content: &Content,
        key: &ContentKey,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<(), Error> {
        self.register_key_for(content, key, IN_THE_HOME, now, entropy).await
    }

    /// The same, for the audit log on behalf of somebody.
    pub(crate) async fn register_key_for(
        &self,
        content: &Content,
        key: &ContentKey,
        operator: &str,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<(), Error> {
        check_name("content id", &content.content_id, MAX_CONTENT_ID)?;
        content.title.as_deref().map_or(Ok(()), |title| check_name("title", title, MAX_TITLE))?;
        let minimum = content.minimum_individualized_version.is_some() || content.minimum_application_level.is_some();
        if content.class == KeyClass::ClearKey && minimum {
            return Err(Error::ClearKeyMinimum);
        }
        let (mut transaction, sealing) = self.sealer().write(self.store()).await?;
        if let Some(existing) = content_key::find(&mut transaction, content.key_id).await? {
            let same_key: bool = self.open_content_key(&existing)?.expose().ct_eq(key.expose()).into();
            let same = same_key && existing.content == *content;
            return if same { Ok(()) } else { Err(Error::KeyExists { key_id: content.key_id }) };
        }
        let sealed_key = sealing.seal(place(&content.key_id), key.expose(), entropy);
        let row = ContentKeyRow { content: content.clone(), sealed_key };
        content_key::insert(&mut transaction, &row, now).await?;
        let detail =
            serde_json::json!({ "class": content.class.name(), "content": content.content_id, "by": operator });
        let event = audit::Event::ContentKeyRegistered;
        self.append_audit(&mut transaction, now, event, &content.key_id.to_string(), &detail).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What was registered for a key id.
    pub async fn content(&self, key_id: KeyId) -> Result<Option<Content>, Error> {
        let row = content_key::find(&mut *self.store().read().await?, key_id).await?;
        Ok(row.map(|row| row.content))
    }

    pub(crate) fn open_content_key(&self, row: &ContentKeyRow) -> Result<ContentKey, Error> {
        let place = place(&row.content.key_id);
        let opened = self.sealer().open(place, &row.sealed_key)?;
        ContentKey::from_slice(opened.bytes()).ok_or_else(|| place.damaged())
    }
}

fn place(key_id: &KeyId) -> Place<'_> {
    Place { table: content_key::TABLE, row: key_id.as_bytes(), column: "sealed_key" }
}

/// They stand in databases, tokens, headers and pages, which do not all take everything.
pub(crate) fn check_name(what: &'static str, name: &str, limit: usize) -> Result<(), Error> {
    let fits = (1..=limit).contains(&name.chars().count());
    let plain = name.trim() == name && !name.chars().any(char::is_control);
    if fits && plain { Ok(()) } else { Err(Error::ContentName { what, limit }) }
}

/// Characters of a title.
pub(crate) const MAX_TITLE: usize = 500;
/// Who registers keys with the home's own files at hand.
const IN_THE_HOME: &str = "admit in the home";
