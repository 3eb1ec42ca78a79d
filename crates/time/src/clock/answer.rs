//! Setting a clock from a signed answer (RFC 10049), and what an answer must satisfy.

use alloc::vec::Vec;

use admit_crypto::Provider;

use super::{BootId, Clock, ClockState, Event, MILLIS, Now, Reading, SignedAt, Source, limits};
use crate::roughtime::{NONCE_LENGTH, SignedTime};
use crate::{Error, Outstanding};

/// What a certificate of the role time is about. It is a type of its own, so that nobody verifies by this key what a
/// P-256 key has to sign, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeKey {
    /// The Ed25519 long-term key of the Roughtime service.
    pub public_key: [u8; 32],
    /// Goes up when earlier keys are not to be believed any more: a clock that has seen a higher one refuses it.
    pub epoch: u64,
}

/// A question of one clock to one time server, in one boot, not yet answered. [`Clock::accept`] uses it up.
#[derive(Debug)]
#[must_use = "a question is there to be answered"]
pub struct Question {
    outstanding: Outstanding,
    key: TimeKey,
    boot: BootId,
    source: Source,
}

impl Question {
    /// The packet to send.
    #[must_use]
    pub fn request_packet(&self, provider: &Provider) -> Vec<u8> {
        self.outstanding.request_packet(provider)
    }
}

/// What became of an answer that holds.
#[derive(Debug)]
#[must_use]
pub enum Accepted {
    /// The clock is set.
    Set(Now),
    /// The answer is far ahead of the clock's own estimate: a second time server must say the same, under another key.
    NeedsSecondKey(Unconfirmed),
}

/// An answer that holds, of one key, and that one key is not enough for.
#[derive(Debug)]
#[must_use]
pub struct Unconfirmed {
    verified: Verified,
}

impl Unconfirmed {
    /// Whether this key gave it: another one must confirm it.
    #[must_use]
    pub fn is_of(&self, key: &TimeKey) -> bool {
        self.verified.key.public_key == key.public_key
    }
}

/// An answer whose signatures and bounds hold, and when it was received.
#[derive(Debug)]
struct Verified {
    signed: SignedTime,
    uncertainty_millis: u64,
    key: TimeKey,
    boot: BootId,
    received_at_millis: u64,
    source: Source,
}

impl Clock {
    /// Opens a question. The nonce must not have been used before; `reading` is taken just before sending.
    pub const fn ask(nonce: [u8; NONCE_LENGTH], key: TimeKey, source: Source, reading: &Reading) -> Question {
        let outstanding = Outstanding::new(nonce, key.public_key, reading.boot_millis);
        Question { outstanding, key, boot: reading.boot, source }
    }

    /// Sets the clock from an answer, if it is one. A clock that is unset believes one key; one that is set believes a
    /// jump forward beyond its limit only from two.
    pub fn accept(
        &mut self,
        provider: &Provider,
        question: Question,
        response_packet: &[u8],
        reading: &Reading,
        events: &mut Vec<Event>,
    ) -> Result<Accepted, Error> {
        let verified = self.verify(provider, question, response_packet, reading)?;
        self.observe(reading, events);
        let midpoint_millis = verified.signed.midpoint().unix_secs() * MILLIS;
        let limit = self.record.soft_floor_millis.saturating_add(limits::millis(self.limits.max_jump));
        if self.state() != ClockState::Unset && midpoint_millis > limit {
            return Ok(Accepted::NeedsSecondKey(Unconfirmed { verified }));
        }
        Ok(Accepted::Set(self.set(&verified, reading)))
    }

    /// Sets the clock from a second answer, under another key, that says the same as the first.
    pub fn confirm(
        &mut self,
        provider: &Provider,
        first: &Unconfirmed,
        question: Question,
        response_packet: &[u8],
        reading: &Reading,
    ) -> Result<Now, Error> {
        let first = &first.verified;
        if question.key.public_key == first.key.public_key {
            return Err(Error::SameTimeKey);
        }
        let second = self.verify(provider, question, response_packet, reading)?;
        let elapsed = second.received_at_millis.checked_sub(first.received_at_millis);
        let elapsed = elapsed.filter(|_| first.boot == second.boot).ok_or(Error::OtherBoot)?;
        let [earlier, later] = [first, &second].map(|answer| answer.signed.midpoint().unix_secs() * MILLIS);
        let apart = earlier.saturating_add(elapsed).abs_diff(later);
        if apart > first.uncertainty_millis.saturating_add(second.uncertainty_millis) {
            return Err(Error::TimeKeysDisagree { apart_millis: apart });
        }
        Ok(self.set(&second, reading))
    }

    fn verify(
        &self,
        provider: &Provider,
        question: Question,
        response_packet: &[u8],
        reading: &Reading,
    ) -> Result<Verified, Error> {
        let Question { outstanding, key, boot, source } = question;
        if boot != reading.boot {
            return Err(Error::OtherBoot);
        }
        let lowest = self.record.certificate_epoch;
        if key.epoch < lowest {
            return Err(Error::EpochTooLow { found: key.epoch, lowest });
        }
        let received_at_millis = reading.boot_millis;
        let (signed, round_trip_millis) =
            outstanding.verify(provider, response_packet, received_at_millis, self.hard_floor())?;
        let uncertainty_millis = u64::from(signed.radius_secs()) * MILLIS + round_trip_millis;
        Ok(Verified { signed, uncertainty_millis, key, boot, received_at_millis, source })
    }

    fn set(&mut self, verified: &Verified, reading: &Reading) -> Now {
        let (midpoint, radius_secs) = (verified.signed.midpoint(), u64::from(verified.signed.radius_secs()));
        let time_millis = midpoint.unix_secs() * MILLIS;
        let record = &mut self.record;
        record.forget_time();
        record.signed =
            Some(SignedAt { time_millis, uncertainty_millis: verified.uncertainty_millis, source: verified.source });
        record.seen = Some(reading.into());
        record.continuous = true;
        record.soft_floor_millis = time_millis;
        record.hard_floor =
            record.hard_floor.max(midpoint.saturating_sub(core::time::Duration::from_secs(radius_secs)));
        record.certificate_epoch = record.certificate_epoch.max(verified.key.epoch);
        record.suspicious = false;
        if let Some(wall) = reading.wall {
            record.wall_offset_secs = midpoint.unix_secs().cast_signed() - wall.unix_secs().cast_signed();
        }
        self.raise_counter(reading);
        self.now()
    }
}
