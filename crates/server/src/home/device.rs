//! Certifying portable devices and media as SDMI-compliant: their maker does it where the home is, because the level is the
//! issuer's word and never the device's (rows B13 and B15).

use admit_crypto::Entropy;
use admit_protocol::enrol::{EnrolmentResponse, SignedRequest};
use admit_time::Timestamp;
use admit_trust::{ClockKind, DeviceKind, SDMI_LEVEL};

use super::Home;
use crate::Error;
use crate::enrol::{self, Wanted};

impl Home {
    /// Answers the enrolment request of an SDMI-compliant device or medium. The audit record says it.
    pub async fn certify_device(
        &self,
        request: &[u8],
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<Vec<u8>, Error> {
        let signed = SignedRequest::verify(self.provider(), self.realm(), request)?;
        let request = signed.request();
        let device = request.device.as_ref().ok_or(Error::NotADevice)?;
        if device.kind == DeviceKind::Medium && device.hardware_serial.is_none() {
            return Err(Error::NoHardwareSerial);
        }
        let clock = request.clock.min(ClockKind::AntiRollback);
        let wanted = Wanted { request, level: SDMI_LEVEL, clock, hardware: None };
        let keys = self.keys();
        let certificate = enrol::issue(&keys.enrolment, &wanted, now, entropy)?;
        let mut transaction = self.store().write().await?;
        enrol::record(self, &mut transaction, &wanted, &certificate, 0, now).await?;
        transaction.commit().await?;
        Ok(EnrolmentResponse::new(&certificate, &keys.enrolment.certificate).to_bytes())
    }
}
