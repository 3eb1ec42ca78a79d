//! From content to a permit: find the licenses, evaluate, reserve.

use admit_crypto::Entropy;
use admit_license::{Action, Denied, Environment, Grant, HeldLicense, KeyId};

use crate::{Error, Identity, KeyValue, Permit, Store};

/// The licenses in the store for each key of some content.
#[derive(Debug)]
pub struct Candidates {
    by_key: Vec<(KeyId, Vec<HeldLicense>)>,
}

impl Candidates {
    /// Looks the licenses up.
    pub fn find<K: KeyValue>(store: &Store<'_, K>, key_ids: &[KeyId]) -> Result<Self, Error> {
        let by_key = key_ids.iter().map(|key_id| Ok((*key_id, store.held(key_id)?)));
        Ok(Self { by_key: by_key.collect::<Result<_, Error>>()? })
    }

    /// Decides for every key; the first key that is denied denies the action.
    pub fn evaluate(&self, action: Action, environment: &Environment<'_>) -> Result<Vec<Grant<'_>>, Denied> {
        self.by_key.iter().map(|(key_id, held)| admit_license::evaluate(action, *key_id, held, environment)).collect()
    }
}

/// Reserves what the grants cost and makes the permit.
pub fn permit<K: KeyValue>(
    store: &mut Store<'_, K>,
    identity: &Identity,
    grants: Vec<Grant<'_>>,
    entropy: &mut dyn Entropy,
) -> Result<Permit, Error> {
    let reservation = store.reserve(grants, entropy)?;
    Permit::new(store, identity, reservation)
}
