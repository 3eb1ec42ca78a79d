//! What is registered for key ids, from memory or from the database, and content keys opened.

use std::sync::Arc;

use admit_crypto::ContentKey;
use admit_license::KeyId;

use crate::acquire::lookup::Wanted;
use crate::store::content_key::ContentKeyRow;
use crate::{Error, Server};

impl Server {
    /// What is registered for each key id, in order. What is there stays as it is; what is not there may come any time,
    /// and is asked for each time.
    pub(crate) async fn registered(&self, key_ids: &[KeyId]) -> Result<Vec<Option<Arc<ContentKeyRow>>>, Error> {
        let memory = self.home.content_key_memory();
        let mut rows: Vec<_> = key_ids.iter().map(|key_id| memory.get(key_id)).collect();
        let missing: Vec<KeyId> =
            key_ids.iter().zip(&rows).filter(|(_, row)| row.is_none()).map(|(key_id, _)| *key_id).collect();
        if !missing.is_empty() {
            let mut found = self.look_up(missing).await?.into_iter();
            rows.iter_mut().filter(|row| row.is_none()).for_each(|row| *row = found.next().flatten());
        }
        Ok(rows)
    }

    /// Opens a content key. One that was sealed anew since it was remembered is looked up again.
    pub(crate) async fn open_content_key(&self, row: &ContentKeyRow) -> Result<ContentKey, Error> {
        let damaged = match self.home.open_content_key(row) {
            Err(damaged @ Error::Damaged { .. }) => damaged,
            opened => return opened,
        };
        let found = self.look_up(vec![row.content.key_id]).await?;
        let row = found.into_iter().next().flatten().ok_or(damaged)?;
        self.home.open_content_key(&row)
    }

    async fn look_up(&self, key_ids: Vec<KeyId>) -> Result<Vec<Option<Arc<ContentKeyRow>>>, Error> {
        let found = self.lookups.ask(Wanted { challenge: None, key_ids }).await?.contents;
        found.iter().flatten().for_each(|row| self.home.content_key_memory().keep(row));
        Ok(found)
    }
}
