//! What the database knows of a request: the client, what was issued for this challenge before, and the content of each
//! key. Looked up for all requests that wait in one go.

use std::sync::Arc;

use admit_crypto::Digest;
use admit_license::KeyId;
use admit_protocol::acquire::StorePosition;
use admit_time::Timestamp;

use crate::Error;
use crate::batch::Work;
use crate::home::Home;
use crate::store::acquisition::{self, Issued};
use crate::store::content_key::ContentKeyRow;
use crate::store::{client, content_key, store_position};

/// What is looked up.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The client's certificate and the hash of its challenge, where there is one.
    pub(crate) challenge: Option<(Digest, Digest)>,
    pub(crate) key_ids: Vec<KeyId>,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// When the client was revoked, if this server knows the client.
    pub(crate) client: Option<Option<Timestamp>>,
    pub(crate) earlier: Option<Issued>,
    /// Where the client's store stood when it was last issued a license.
    pub(crate) store: Option<StorePosition>,
    /// What is registered for each key id, in the order asked for.
    pub(crate) contents: Vec<Option<Arc<ContentKeyRow>>>,
}

/// Looks up.
#[derive(Debug)]
pub(crate) struct Lookup(pub(crate) Home);

impl Work for Lookup {
    type Job = Wanted;
    type Answer = Found;

    async fn all(&self, jobs: &[Wanted]) -> Result<Vec<Found>, Error> {
        let mut connection = self.0.store().licenses().read().await?;
        let asked = || jobs.iter().filter_map(|job| job.challenge);
        let ids = distinct(asked().map(|(client, _)| client));
        let clients = client::find_all(&mut connection, &ids).await?;
        let stores = store_position::find(&mut connection, &ids).await?;
        let challenges: Vec<Digest> = asked().map(|(_, challenge)| challenge).collect();
        let earlier = acquisition::find(&mut connection, &challenges).await?;
        let key_ids = distinct(jobs.iter().flat_map(|job| job.key_ids.iter().copied()));
        let contents = content_key::find_all(&mut connection, &key_ids).await?;
        let found = |job: &Wanted| Found {
            client: job.challenge.and_then(|(client, _)| clients.get(&client).copied()),
            earlier: job.challenge.and_then(|(_, challenge)| earlier.get(&challenge).cloned()),
            store: job.challenge.and_then(|(client, _)| stores.get(&client).copied()),
            contents: job.key_ids.iter().map(|key_id| contents.get(key_id).cloned()).collect(),
        };
        Ok(jobs.iter().map(found).collect())
    }
}

/// The values, once each.
pub(super) fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort();
    values.dedup();
    values
}
