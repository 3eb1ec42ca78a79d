//! Setting a session's clock: from a license server's response, or from the realm's clock services.

use admit_client::acquire::{Received, TimeAnswer, Wanted};
use admit_client::clock::dates;
use admit_client::set_time::SetTime;
use admit_protocol::Code;
use admit_time::clock::{Accepted, Now, TimeKey, Unconfirmed};
use admit_time::roughtime;

use super::acquire::Session;
use super::context::PROVIDER;
use crate::failure::{Failure, Outcome};
use crate::system::{Http, SystemEntropy, ask_over_udp};

impl Session {
    /// What the clock says now.
    pub(crate) fn look_at_clock(&mut self) -> Now {
        let reading = self.reading();
        self.clock.observe(&reading, &mut self.events)
    }

    /// The key of the realm's license server time certificate, and those of its other clock services with their addresses.
    /// Where one has ended, the realm's document is fetched again first: certificates are renewed each year.
    pub(super) fn time_services(&mut self, http: &Http) -> Outcome<Vec<(TimeKey, String)>> {
        match self.listed_time_services() {
            Err(_) => self.renew_realm(http).and_then(|()| self.listed_time_services()),
            found => found,
        }
    }

    /// A clock that knows the time believes no certificate that has ended. One that does not, must get to know it: for that one
    /// a certificate has ended only before a time that has certainly passed.
    fn listed_time_services(&mut self) -> Outcome<Vec<(TimeKey, String)>> {
        let now = self.look_at_clock();
        let services = self.realm.realm.time_services(PROVIDER, dates(&now))?;
        let found = services.iter().map(|it| (*it.certificate.time_key(), self.realm.absolute(it.address)));
        Ok(found.collect())
    }

    /// Acquires the time and no license (row E08); where the license server does not give it, asks the clock services. The
    /// clock is kept.
    pub(crate) fn set_time(&mut self, http: &Http) -> Outcome<Now> {
        let now = match self.acquire_time(http) {
            Ok(Some(now)) => now,
            // No time helps an older copy of a store.
            Err(failure) if failure.code == Code::ADMIT_E_STORE_ROLLED_BACK => return Err(failure),
            Ok(None) | Err(_) => self.ask_clock_services(http)?,
        };
        self.keep_clock()?;
        // Where it does not come, what the realm said before goes on holding.
        let _ = self.renew_realm(http);
        Ok(now)
    }

    /// The time from the license server; none where it gives none that counts.
    fn acquire_time(&mut self, http: &Http) -> Outcome<Option<Now>> {
        if self.time_services(http)?.is_empty() {
            return Ok(None);
        }
        match self.receive(&Wanted::time(), http)?.time {
            TimeAnswer::Set => Ok(Some(self.look_at_clock())),
            TimeAnswer::NeedsSecondKey(first) => self.confirm(&first, http).map(Some),
            TimeAnswer::None | TimeAnswer::Refused(_) => Ok(None),
        }
    }

    /// Keeps the clock's record.
    pub(crate) fn keep_clock(&mut self) -> Outcome<()> {
        let mut entropy = self.store.entropy(&mut SystemEntropy);
        self.store.keep_clock(&mut self.clock, &mut entropy)?;
        self.settle_counter();
        Ok(())
    }

    /// What a response did to the clock, brought to its end: a long jump is confirmed by a clock service, and licenses with
    /// limits in time get a time from there where the license server gave none (row E11).
    pub(super) fn complete_time(&mut self, received: &mut Received, http: &Http) -> Outcome<Now> {
        if let TimeAnswer::NeedsSecondKey(first) = std::mem::replace(&mut received.time, TimeAnswer::None)
            && let Ok(now) = self.confirm(&first, http)
        {
            return Ok(now);
        }
        let now = self.look_at_clock();
        if !received.needs_time(&now) {
            return Ok(now);
        }
        // Why there is no time is told by what does not store the license.
        self.ask_clock_services(http).or(Ok(now))
    }

    /// Asks one clock service after the other, until one sets the clock.
    pub(crate) fn ask_clock_services(&mut self, http: &Http) -> Outcome<Now> {
        let sentence = "the realm has neither a license server that gives the time nor a clock service";
        let mut last = Failure::new(Code::NS_E_DRM_UNABLE_TO_GET_SECURE_CLOCK, sentence);
        for (key, url) in self.time_services(http)? {
            match self.ask_clock_service(key, &url, http) {
                Ok(now) => return Ok(now),
                // What the user can do something about is told before the rest.
                Err(failure) if last.action.is_none() => last = failure,
                Err(_) => {}
            }
        }
        Err(last)
    }

    fn ask_clock_service(&mut self, key: TimeKey, url: &str, http: &Http) -> Outcome<Now> {
        let (exchange, answer) = self.exchange(key, url, http)?;
        let reading = self.reading();
        match exchange.finish(&mut self.clock, &answer, &reading, &mut self.events)? {
            Accepted::Set(now) => Ok(now),
            Accepted::NeedsSecondKey(first) => self.confirm(&first, http),
        }
    }

    /// Asks the clock services of other keys whether they say the same.
    fn confirm(&mut self, first: &Unconfirmed, http: &Http) -> Outcome<Now> {
        let mut last = Failure::from(admit_client::Error::from(admit_time::Error::SameTimeKey));
        for (key, url) in self.time_services(http)?.into_iter().filter(|(key, _)| !first.is_of(key)) {
            let confirmed = self.exchange(key, &url, http).and_then(|(exchange, answer)| {
                let reading = self.reading();
                Ok(exchange.confirm(first, &mut self.clock, &answer, &reading)?)
            });
            match confirmed {
                Ok(now) => return Ok(now),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    fn exchange(&mut self, key: TimeKey, url: &str, http: &Http) -> Outcome<(SetTime<'static>, Vec<u8>)> {
        let mut entropy = self.store.entropy(&mut SystemEntropy);
        let exchange = SetTime::begin(PROVIDER, key, &self.reading(), &mut entropy);
        let packet = exchange.request();
        let is_answer = |answer: &[u8]| roughtime::verify(PROVIDER, &key.public_key, packet, answer).is_ok();
        let answer = self.unlocked(|| match url.strip_prefix("udp://") {
            Some(server) => ask_over_udp(server, packet, is_answer),
            None => http.ask_time(url, packet),
        })?;
        Ok((exchange, answer))
    }
}
