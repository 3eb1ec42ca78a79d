//! Trusted time and its first door: an answer to a question that is still open. The second is a [clock](crate::clock) that
//! such an answer has set.

use alloc::vec::Vec;

use admit_crypto::Provider;

use crate::roughtime::{self, NONCE_LENGTH, SignedTime};
use crate::{Error, Timestamp};

/// A question put to a time server and not yet answered.
///
/// It belongs to this boot and to one answer: it is never stored, and [`Outstanding::accept`] uses it up, whatever the
/// verdict. An answer cannot be tried twice:
///
/// ```compile_fail,E0382
/// # use {admit_crypto::rustcrypto::PROVIDER, admit_time::{Outstanding, Timestamp}};
/// let question = Outstanding::new([1; 32], [2; 32], 0);
/// let _ = question.accept(&PROVIDER, &[], 0, Timestamp::from_unix_secs(0));
/// let _ = question.accept(&PROVIDER, &[], 0, Timestamp::from_unix_secs(0));
/// ```
#[derive(Debug)]
#[must_use = "a question is there to be answered"]
pub struct Outstanding {
    nonce: [u8; NONCE_LENGTH],
    pinned_key: [u8; 32],
    sent_at_millis: u64,
}

impl Outstanding {
    /// The longest that an answer may take.
    pub const MAX_ROUND_TRIP_MILLIS: u64 = 10_000;

    /// Opens a question. The nonce must not have been used before; `sent_at_millis` is read just before sending from a
    /// clock that never goes back and that counts suspended time.
    pub const fn new(nonce: [u8; NONCE_LENGTH], pinned_key: [u8; 32], sent_at_millis: u64) -> Self {
        Self { nonce, pinned_key, sent_at_millis }
    }

    /// The packet to send.
    #[must_use]
    pub fn request_packet(&self, provider: &Provider) -> Vec<u8> {
        roughtime::request_packet(provider, &self.nonce, &self.pinned_key)
    }

    /// Accepts an answer, if it is one. `hard_floor` is a time that has certainly passed: of the build, of the newest
    /// revocation information, of the last signed time.
    pub fn accept(
        self,
        provider: &Provider,
        response_packet: &[u8],
        received_at_millis: u64,
        hard_floor: Timestamp,
    ) -> Result<TrustedTime, Error> {
        let (signed, round_trip_millis) = self.verify(provider, response_packet, received_at_millis, hard_floor)?;
        Ok(TrustedTime::from_signed(signed, round_trip_millis))
    }

    /// What [`accept`](Self::accept) checks: the signed time, and the round trip in milliseconds.
    pub(crate) fn verify(
        self,
        provider: &Provider,
        response_packet: &[u8],
        received_at_millis: u64,
        hard_floor: Timestamp,
    ) -> Result<(SignedTime, u64), Error> {
        let round_trip_millis = self.round_trip_millis(received_at_millis)?;
        let request_packet = self.request_packet(provider);
        let signed = roughtime::verify(provider, &self.pinned_key, &request_packet, response_packet)?;
        let latest = Timestamp::from_unix_secs(signed.midpoint().unix_secs() + u64::from(signed.radius_secs()));
        if latest < hard_floor {
            return Err(Error::BelowHardFloor { latest, floor: hard_floor });
        }
        Ok((signed, round_trip_millis))
    }

    fn round_trip_millis(&self, received_at_millis: u64) -> Result<u64, Error> {
        let sent_at_millis = self.sent_at_millis;
        match received_at_millis.checked_sub(sent_at_millis) {
            None => Err(Error::MonotonicClockWentBack { sent_at_millis, received_at_millis }),
            Some(round_trip_millis) if round_trip_millis > Self::MAX_ROUND_TRIP_MILLIS => {
                Err(Error::TooLate { round_trip_millis })
            }
            Some(round_trip_millis) => Ok(round_trip_millis),
        }
    }
}

/// The time, as far as it is certain: now is between [`earliest`](Self::earliest) and [`latest`](Self::latest).
///
/// It speaks of the moment it was made; [`advanced_by`](Self::advanced_by) carries it on. Nobody can write one down:
///
/// ```compile_fail,E0451
/// # use admit_time::TrustedTime;
/// let forged = TrustedTime { earliest_millis: 0, latest_millis: 0 };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedTime {
    earliest_millis: u64,
    latest_millis: u64,
}

impl TrustedTime {
    /// The earliest that it can be: what begin dates are compared with.
    #[must_use]
    pub const fn earliest(&self) -> Timestamp {
        Timestamp::from_unix_secs(self.earliest_millis / MILLIS)
    }

    /// The latest that it can be, rounded up to the second: what expiry is compared with.
    #[must_use]
    pub const fn latest(&self) -> Timestamp {
        Timestamp::from_unix_secs(self.latest_millis.div_ceil(MILLIS))
    }

    /// The time this much later. The uncertainty stays: what the local clock adds to it is the caller's to bound.
    #[must_use]
    pub const fn advanced_by(&self, elapsed_millis: u64) -> Self {
        Self {
            earliest_millis: self.earliest_millis.saturating_add(elapsed_millis),
            latest_millis: self.latest_millis.saturating_add(elapsed_millis),
        }
    }

    /// What a clock knows. The first is at most the second.
    pub(crate) const fn between(earliest_millis: u64, latest_millis: u64) -> Self {
        Self { earliest_millis, latest_millis }
    }

    fn from_signed(signed: SignedTime, round_trip_millis: u64) -> Self {
        let midpoint_millis = signed.midpoint().unix_secs() * MILLIS;
        let uncertainty_millis = u64::from(signed.radius_secs()) * MILLIS + round_trip_millis;
        Self {
            earliest_millis: midpoint_millis.saturating_sub(uncertainty_millis),
            latest_millis: midpoint_millis + uncertainty_millis,
        }
    }
}

/// Milliseconds in a second.
const MILLIS: u64 = 1000;
