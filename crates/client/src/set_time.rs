//! Setting the clock from a clock service outside the license server (row E05): one packet there and one back.

use admit_crypto::{Entropy, Provider};
use admit_time::clock::{Accepted, Clock, Event, Now, Question, Reading, Source, TimeKey, Unconfirmed};

use crate::Error;

/// A question to a clock service that waits for its answer. It belongs to this boot, is never stored, and takes one
/// answer.
#[derive(Debug)]
#[must_use]
pub struct SetTime<'p> {
    provider: &'p Provider,
    question: Question,
    packet: Vec<u8>,
}

impl<'p> SetTime<'p> {
    /// Asks the service of this key. `reading` is taken just before sending.
    pub fn begin(provider: &'p Provider, key: TimeKey, reading: &Reading, entropy: &mut dyn Entropy) -> Self {
        let mut nonce = [0; 32];
        entropy.fill(&mut nonce);
        let question = Clock::ask(nonce, key, Source::ClockService, reading);
        let packet = question.request_packet(provider);
        Self { provider, question, packet }
    }

    /// What to send: a Roughtime request (RFC 10049), the body of a POST.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.packet
    }

    /// Sets the clock from the answer, or says that a second service must confirm it.
    pub fn finish(
        self,
        clock: &mut Clock,
        response: &[u8],
        reading: &Reading,
        events: &mut Vec<Event>,
    ) -> Result<Accepted, Error> {
        Ok(clock.accept(self.provider, self.question, response, reading, events)?)
    }

    /// Sets the clock where this answer, under another key, says the same as the first one.
    pub fn confirm(
        self,
        first: &Unconfirmed,
        clock: &mut Clock,
        response: &[u8],
        reading: &Reading,
    ) -> Result<Now, Error> {
        Ok(clock.confirm(self.provider, first, self.question, response, reading)?)
    }
}
