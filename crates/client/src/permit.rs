//! Permission to open samples.

use std::io::{self, Read, Seek};
use std::sync::Arc;

use admit_crypto::{CounterMode, Entropy};
use admit_license::{Action, Grant, KeyId, Reason, Restrictions, Watch};
use admit_media::{Decrypted, Put, Reader, Sample, Sink, Wanted};
use admit_time::Timestamp;
use admit_time::clock::{Clock, Event, Now, Reading};

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
    watch: Watch,
}

/// What the host of a playback brings.
pub struct Host<'h> {
    /// Called when the use is charged.
    pub released: &'h mut dyn FnMut(),
    /// The client's clock.
    pub clock: &'h mut Clock,
    /// Reads the machine's clocks.
    pub read: &'h mut dyn FnMut() -> Reading,
    /// What the clock noticed.
    pub events: &'h mut Vec<Event>,
    /// Told bytes done and in all.
    pub progress: &'h mut dyn FnMut(u64, u64),
}

impl core::fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Host").field("clock", &self.clock).finish_non_exhaustive()
    }
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
            watch: grants.iter().map(|grant| grant.watch().clone()).fold(Watch::default(), Watch::and),
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
    /// first byte leaves: media that turns out to be broken, or protected by another key, costs nothing. The clock is
    /// looked at before every block that leaves, at most once a second, and kept when that is due and when playing ends;
    /// where a license has limits in time, playing ends when the license or the time does (row E04).
    pub fn decrypt<K: KeyValue, R: Read + Seek>(
        self,
        store: &mut Store<'_, K>,
        entropy: &mut dyn Entropy,
        input: R,
        sink: &mut dyn Sink,
        host: Host<'_>,
    ) -> Result<Decrypted, PlaybackError> {
        self.check_opens_samples()?;
        let Self { ciphers, hold, watch, .. } = self;
        let Host { released, clock, read, events, progress } = host;
        let mut gate =
            Gate { store, entropy, hold: Some(hold), watch, released, clock, read, events, checked_at: None };
        decrypt(&ciphers, input, sink, || gate.check(), progress)
    }

    /// Opens the samples of one track and gives each to `put`, for a decoder in this process. It is charged and watched as
    /// in [`Self::decrypt`].
    pub fn decrypt_track<K: KeyValue, R: Read + Seek>(
        self,
        store: &mut Store<'_, K>,
        entropy: &mut dyn Entropy,
        (input, track): (R, u32),
        put: &mut Put<'_>,
        host: Host<'_>,
    ) -> Result<Decrypted, PlaybackError> {
        self.check_opens_samples()?;
        let Self { ciphers, hold, watch, .. } = self;
        let Host { released, clock, read, events, progress } = host;
        let mut gate =
            Gate { store, entropy, hold: Some(hold), watch, released, clock, read, events, checked_at: None };
        let mut refused = None;
        let mut put = |sample: &Sample, bytes: &[u8]| {
            gate.check().map_err(|error| refuse(&mut refused, error))?;
            put(sample, bytes)
        };
        let decrypted = admit_media::decrypt_track(input, track, &mut ciphers.keys(), &mut put, progress);
        match refused {
            Some(refused) => Err(refused),
            None => Ok(decrypted?),
        }
    }

    /// Gives `reader` what it wants of the clear file, for a player in this process that seeks. It is charged and watched as
    /// in [`Self::decrypt`], whenever something is given: whoever plays what it has already asks for nothing once a second,
    /// and is told whether playing may go on.
    pub fn decrypt_ranges<K: KeyValue, R: Read + Seek>(
        self,
        store: &mut Store<'_, K>,
        entropy: &mut dyn Entropy,
        input: R,
        reader: &mut dyn Reader,
        host: Host<'_>,
    ) -> Result<Decrypted, PlaybackError> {
        self.check_opens_samples()?;
        let Self { ciphers, hold, watch, .. } = self;
        let Host { released, clock, read, events, .. } = host;
        let mut gate =
            Gate { store, entropy, hold: Some(hold), watch, released, clock, read, events, checked_at: None };
        let mut reader = CheckingReader { reader, check: || gate.check(), refused: None };
        let decrypted = admit_media::decrypt_ranges(input, &mut ciphers.keys(), &mut reader);
        match reader.refused {
            Some(refused) => Err(refused),
            None => Ok(decrypted?),
        }
    }

    /// Charges the reservation for an action that copies protected content as it is and opens nothing.
    pub fn copy_protected<K: KeyValue>(self, store: &mut Store<'_, K>, entropy: &mut dyn Entropy) -> Result<(), Error> {
        match self.action {
            Action::SaveStream => store.charge(&self.hold, entropy),
            action => Err(Error::WrongAction { action }),
        }
    }

    /// Charges the reservation: from here on samples may leave.
    pub fn release_first_sample<K: KeyValue>(
        self,
        store: &mut Store<'_, K>,
        entropy: &mut dyn Entropy,
    ) -> Result<Playback, Error> {
        self.check_opens_samples()?;
        store.charge(&self.hold, entropy)?;
        Ok(Playback { ciphers: self.ciphers, watch: self.watch })
    }

    fn check_opens_samples(&self) -> Result<(), Error> {
        match self.action {
            Action::Play | Action::Burn | Action::PlaylistBurn => Ok(()),
            action => Err(Error::WrongAction { action }),
        }
    }
}

/// What is asked before anything leaves: charges the first time, and looks at the clock. However playing ends, the clock is kept
/// then.
struct Gate<'g, 'p, K: KeyValue> {
    store: &'g mut Store<'p, K>,
    entropy: &'g mut dyn Entropy,
    /// Until it is charged.
    hold: Option<Hold>,
    watch: Watch,
    released: &'g mut dyn FnMut(),
    clock: &'g mut Clock,
    read: &'g mut dyn FnMut() -> Reading,
    events: &'g mut Vec<Event>,
    checked_at: Option<u64>,
}

impl<K: KeyValue> Gate<'_, '_, K> {
    fn check(&mut self) -> Result<(), PlaybackError> {
        if let Some(hold) = self.hold.take() {
            self.store.charge(&hold, self.entropy)?;
            (self.released)();
        }
        let reading = (self.read)();
        if !is_due(self.checked_at, &reading) {
            return Ok(());
        }
        self.checked_at = Some(reading.boot_millis);
        let now = self.store.follow_clock(self.clock, (&reading, self.read), self.events, self.entropy);
        // Licenses without limits in time ask for no clock: one that cannot be kept ends no playing.
        if self.watch.is_empty() { Ok(()) } else { self.watch.check(&now?).map_err(PlaybackError::Ended) }
    }
}

impl<K: KeyValue> Drop for Gate<'_, '_, K> {
    fn drop(&mut self) {
        // What was played was allowed, whether or not that can be remembered.
        let _ = self.store.leave_clock(self.clock, self.read, self.events, self.entropy);
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
        admit_media::decrypt(input, sink, &mut self.keys(), progress)
    }

    fn keys(&self) -> impl FnMut(&KeyId) -> Option<Box<dyn CounterMode>> {
        |wanted| {
            let (_, cipher) = self.0.iter().find(|(key_id, _)| key_id == wanted)?;
            Some(Box::new(Shared(Arc::clone(cipher))))
        }
    }
}

impl core::fmt::Debug for Ciphers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(key_id, _)| key_id)).finish()
    }
}

/// Opens samples, as long as licenses and clock allow it. Only [`Permit::release_first_sample`] makes one.
///
/// ```compile_fail,E0451
/// # use admit_client::Playback;
/// let forged = Playback { watch: admit_license::Watch::default(), ..unimplemented!() };
/// ```
#[derive(Debug)]
pub struct Playback {
    ciphers: Ciphers,
    watch: Watch,
}

impl Playback {
    /// Opens the samples of a protected file: the clear file goes to `sink`. `now` is asked before every block that leaves,
    /// and looks at the clock once a minute at least. `progress` is told bytes done and in all. Keys and ciphers stay in here.
    pub fn decrypt<R: Read + Seek>(
        &self,
        input: R,
        sink: &mut dyn Sink,
        now: &mut dyn FnMut() -> Now,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Decrypted, PlaybackError> {
        let check = || self.check(&now()).map_err(PlaybackError::Ended);
        decrypt(&self.ciphers, input, sink, check, progress)
    }

    /// Whether playing may go on: asked before every sample, or once a minute at least.
    pub fn check(&self, now: &Now) -> Result<(), Reason> {
        self.watch.check(now)
    }

    /// When it must have ended.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        self.watch.ends_at()
    }
}

/// Decrypts, with a check before every block that leaves.
fn decrypt<R: Read + Seek>(
    ciphers: &Ciphers,
    input: R,
    sink: &mut dyn Sink,
    check: impl FnMut() -> Result<(), PlaybackError>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Decrypted, PlaybackError> {
    let mut sink = CheckingSink { sink, check, refused: None };
    let decrypted = ciphers.decrypt(input, &mut sink, progress);
    match sink.refused {
        Some(refused) => Err(refused),
        None => Ok(decrypted?),
    }
}

/// Whether the clock must be looked at again.
const fn is_due(checked_at: Option<u64>, reading: &Reading) -> bool {
    match checked_at {
        Some(millis) => reading.boot_millis.abs_diff(millis) >= CHECK_INTERVAL_MILLIS,
        None => true,
    }
}

/// A sink that checks before every block goes on.
struct CheckingSink<'s, F> {
    sink: &'s mut dyn Sink,
    check: F,
    refused: Option<PlaybackError>,
}

impl<F: FnMut() -> Result<(), PlaybackError>> Sink for CheckingSink<'_, F> {
    fn buffer(&mut self) -> Vec<u8> {
        self.sink.buffer()
    }

    fn put(&mut self, buffer: Vec<u8>, used: usize) -> io::Result<()> {
        (self.check)().map_err(|error| refuse(&mut self.refused, error))?;
        self.sink.put(buffer, used)
    }
}

/// A reader that is given nothing before a check.
struct CheckingReader<'r, F> {
    reader: &'r mut dyn Reader,
    check: F,
    refused: Option<PlaybackError>,
}

impl<F: FnMut() -> Result<(), PlaybackError>> Reader for CheckingReader<'_, F> {
    fn next(&mut self) -> io::Result<Option<Wanted>> {
        self.reader.next()
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        (self.check)().map_err(|error| refuse(&mut self.refused, error))?;
        self.reader.put(bytes)
    }
}

/// Keeps the error for the caller, and gives the one that ends the reading of media.
fn refuse(refused: &mut Option<PlaybackError>, error: PlaybackError) -> io::Error {
    *refused = Some(error);
    io::ErrorKind::PermissionDenied.into()
}

/// A cipher that several tracks use.
struct Shared(Arc<dyn CounterMode>);

impl CounterMode for Shared {
    fn apply(&self, counter: u128, data: &mut [u8]) {
        self.0.apply(counter, data);
    }
}

/// How long playing goes on without a look at the clock. Row E04 asks for a minute at most.
const CHECK_INTERVAL_MILLIS: u64 = 1000;
