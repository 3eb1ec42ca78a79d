//! From content to a permit: find the licenses, evaluate, reserve.

use admit_crypto::Entropy;
use admit_license::{Action, Denied, Environment, Explanation, Grant, HeldLicense, KeyId};

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

    /// Decides for every key; one key that is denied denies the action.
    pub fn evaluate(&self, action: Action, environment: &Environment<'_>) -> Result<Vec<Grant<'_>>, DeniedKeys> {
        let mut grants = Vec::new();
        let mut denied_keys = Vec::new();
        for (key_id, held) in &self.by_key {
            match admit_license::evaluate(action, *key_id, held, environment) {
                Ok(grant) => grants.push(grant),
                Err(denied) => denied_keys.push((*key_id, denied)),
            }
        }
        if denied_keys.is_empty() { Ok(grants) } else { Err(DeniedKeys(denied_keys)) }
    }

    /// What every license for every key says to the action, in the order of the content's keys.
    #[must_use]
    pub fn explain(&self, action: Action, environment: &Environment<'_>) -> Vec<Explanation<'_>> {
        self.by_key.iter().map(|(key_id, held)| admit_license::explain(action, *key_id, held, environment)).collect()
    }
}

/// An action is denied: for which keys, and why for each of them. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedKeys(Vec<(KeyId, Denied)>);

impl DeniedKeys {
    /// Every key that is denied, in the order of the content's keys.
    pub fn iter(&self) -> impl Iterator<Item = (KeyId, &Denied)> {
        self.0.iter().map(|(key_id, denied)| (*key_id, denied))
    }

    /// What to tell where only one thing can be told: the denial of the first key.
    #[must_use]
    pub fn first(&self) -> &Denied {
        let (_, denied) = self.0.first().expect("only evaluating makes this, for keys that are denied");
        denied
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
