//! Permission to open samples.

use std::io::{Read, Seek};

use admit_crypto::{ContentKey, CounterMode, Entropy, Provider};
use admit_license::{Action, Grant, KeyId, Restrictions};
use admit_media::{Decrypted, Sink};
use admit_time::Timestamp;

use crate::reserve::Hold;
use crate::{Error, Identity, KeyValue, Reservation, Store};

/// An action is permitted: its licenses allow it and what it costs is reserved. Nothing but [`Permit::new`]
/// makes one, and that takes the [`Reservation`] of its grants.
///
/// ```compile_fail,E0451
/// # use admit_client::Permit;
/// let forged = Permit { keys: Vec::new(), ..unimplemented!() };
/// ```
#[derive(Debug)]
pub struct Permit {
    action: Action,
    keys: Vec<(KeyId, ContentKey)>,
    hold: Hold,
    restrictions: Vec<Restrictions>,
    ends_at: Option<Timestamp>,
}

impl Permit {
    /// Opens the content keys of grants that are reserved.
    pub fn new<K: KeyValue>(
        store: &Store<'_, K>,
        identity: &Identity,
        action: Action,
        reservation: Reservation<'_>,
    ) -> Result<Self, Error> {
        let Reservation { grants, hold } = reservation;
        let open =
            |grant: &Grant<'_>| Ok((grant.key_id(), grant.content_key(store.provider, identity.decryption_key())?));
        Ok(Self {
            action,
            keys: grants.iter().map(open).collect::<Result<_, Error>>()?,
            hold,
            restrictions: grants.iter().map(Grant::restrictions).collect(),
            ends_at: grants.iter().filter_map(Grant::ends_at).min(),
        })
    }

    /// The action.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// The output protection that each key asks for.
    #[must_use]
    pub fn restrictions(&self) -> &[Restrictions] {
        &self.restrictions
    }

    /// Charges the reservation: from here on samples may leave.
    pub fn release_first_sample<K: KeyValue>(
        self,
        store: &mut Store<'_, K>,
        entropy: &mut dyn Entropy,
    ) -> Result<Playback, Error> {
        store.charge(&self.hold, entropy)?;
        Ok(Playback { keys: self.keys, ends_at: self.ends_at })
    }
}

/// Opens samples, until its time is over. Only [`Permit::release_first_sample`] makes one.
///
/// ```compile_fail,E0451
/// # use admit_client::Playback;
/// let forged = Playback { keys: Vec::new(), ..unimplemented!() };
/// ```
pub struct Playback {
    keys: Vec<(KeyId, ContentKey)>,
    ends_at: Option<Timestamp>,
}

impl Playback {
    /// Opens the samples of a protected file: the clear file goes to `sink`. `progress` is told bytes done and in
    /// all. Keys and ciphers stay in here.
    pub fn decrypt<R: Read + Seek>(
        &self,
        provider: &Provider,
        input: R,
        sink: &mut dyn Sink,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Decrypted, admit_media::Error> {
        let mut cipher = |wanted: &admit_media::KeyId| -> Option<Box<dyn CounterMode>> {
            let (_, key) = self.keys.iter().find(|(key_id, _)| *key_id.as_bytes() == wanted.0)?;
            Some((provider.aes_128_ctr)(key))
        };
        admit_media::decrypt(input, sink, &mut cipher, progress)
    }

    /// When it must have ended.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        self.ends_at
    }
}

impl core::fmt::Debug for Playback {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Playback").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}
