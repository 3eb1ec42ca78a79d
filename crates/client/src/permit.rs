//! Permission to open samples.

use std::io::{self, Read, Seek};
use std::sync::Arc;

use admit_crypto::{CounterMode, Entropy};
use admit_license::{Action, Grant, KeyId, Restrictions};
use admit_media::{Decrypted, Sink};
use admit_time::Timestamp;

use crate::reserve::Hold;
use crate::{Error, Identity, KeyValue, PlaybackError, Reservation, Store};

/// An action is permitted: its licenses allow it and what it costs is reserved. Nothing but [`Permit::new`]
/// makes one, and that takes the [`Reservation`] of its grants.
///
/// ```compile_fail,E0451
/// # use admit_client::Permit;
/// let forged = Permit { restrictions: Vec::new(), ..unimplemented!() };
/// ```
#[derive(Debug)]
#[must_use]
pub struct Permit {
    action: Action,
    ciphers: Ciphers,
    hold: Hold,
    restrictions: Vec<Restrictions>,
    ends_at: Option<Timestamp>,
}

impl Permit {
    /// Opens the content keys of grants that are reserved, all of them for one action.
    pub fn new<K: KeyValue>(
        store: &Store<'_, K>,
        identity: &Identity,
        reservation: Reservation<'_>,
    ) -> Result<Self, Error> {
        let Reservation { grants, hold } = reservation;
        let action = grants.first().map(Grant::action).ok_or(Error::NotOneAction)?;
        if grants.iter().any(|grant| grant.action() != action) {
            return Err(Error::NotOneAction);
        }
        let load = |grant: &Grant<'_>| {
            let key = grant.content_key(store.provider, identity.decryption_key())?;
            Ok((grant.key_id(), Arc::from((store.provider.aes_128_ctr)(&key))))
        };
        Ok(Self {
            action,
            ciphers: Ciphers(grants.iter().map(load).collect::<Result<_, Error>>()?),
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

    /// Opens the samples of a protected file: the clear file goes to `sink`. The reservation is charged just before the
    /// first byte leaves, and `released` is called then: media that turns out to be broken, or protected by another
    /// key, costs nothing. `progress` is told bytes done and in all.
    pub fn decrypt<K: KeyValue, R: Read + Seek>(
        self,
        store: &mut Store<'_, K>,
        entropy: &mut dyn Entropy,
        input: R,
        sink: &mut dyn Sink,
        released: &mut dyn FnMut(),
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Decrypted, PlaybackError> {
        self.check_playback()?;
        let charge = || {
            store.charge(&self.hold, entropy)?;
            released();
            Ok(())
        };
        let mut sink = ChargingSink { sink, charge: Some(charge), refused: None };
        let decrypted = self.ciphers.decrypt(input, &mut sink, progress);
        match sink.refused {
            Some(refused) => Err(PlaybackError::Store(refused)),
            None => Ok(decrypted?),
        }
    }

    /// Charges the reservation: from here on samples may leave. Only playing releases samples.
    pub fn release_first_sample<K: KeyValue>(
        self,
        store: &mut Store<'_, K>,
        entropy: &mut dyn Entropy,
    ) -> Result<Playback, Error> {
        self.check_playback()?;
        store.charge(&self.hold, entropy)?;
        Ok(Playback { ciphers: self.ciphers, ends_at: self.ends_at })
    }

    fn check_playback(&self) -> Result<(), Error> {
        if self.action == Action::Play { Ok(()) } else { Err(Error::NotPlayback { action: self.action }) }
    }
}

/// Ciphers by key id, loaded with the content keys.
struct Ciphers(Vec<(KeyId, Arc<dyn CounterMode>)>);

impl Ciphers {
    fn decrypt<R: Read + Seek>(
        &self,
        input: R,
        sink: &mut dyn Sink,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Decrypted, admit_media::Error> {
        let mut cipher = |wanted: &KeyId| -> Option<Box<dyn CounterMode>> {
            let (_, cipher) = self.0.iter().find(|(key_id, _)| key_id == wanted)?;
            Some(Box::new(Shared(Arc::clone(cipher))))
        };
        admit_media::decrypt(input, sink, &mut cipher, progress)
    }
}

impl core::fmt::Debug for Ciphers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(key_id, _)| key_id)).finish()
    }
}

/// Opens samples. Whoever plays must have stopped at [`Playback::ends_at`]. Only [`Permit::release_first_sample`] makes one.
///
/// ```compile_fail,E0451
/// # use admit_client::Playback;
/// let forged = Playback { ends_at: None, ..unimplemented!() };
/// ```
#[derive(Debug)]
pub struct Playback {
    ciphers: Ciphers,
    ends_at: Option<Timestamp>,
}

impl Playback {
    /// Opens the samples of a protected file: the clear file goes to `sink`. `progress` is told bytes done and in
    /// all. Keys and ciphers stay in here.
    pub fn decrypt<R: Read + Seek>(
        &self,
        input: R,
        sink: &mut dyn Sink,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Decrypted, admit_media::Error> {
        self.ciphers.decrypt(input, sink, progress)
    }

    /// When it must have ended.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        self.ends_at
    }
}

/// A sink that charges before the first byte goes on.
struct ChargingSink<'s, F> {
    sink: &'s mut dyn Sink,
    charge: Option<F>,
    refused: Option<Error>,
}

impl<F: FnOnce() -> Result<(), Error>> Sink for ChargingSink<'_, F> {
    fn buffer(&mut self) -> Vec<u8> {
        self.sink.buffer()
    }

    fn put(&mut self, buffer: Vec<u8>, used: usize) -> io::Result<()> {
        if let Some(charge) = self.charge.take()
            && let Err(refused) = charge()
        {
            self.refused = Some(refused);
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.sink.put(buffer, used)
    }
}

/// A cipher that several tracks use.
struct Shared(Arc<dyn CounterMode>);

impl CounterMode for Shared {
    fn apply(&self, counter: u128, data: &mut [u8]) {
        self.0.apply(counter, data);
    }
}
