//! What a certificate says.

use admit_protocol::Code;
use admit_trust::Certificate;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::client::PROVIDER;
use crate::failure::{Failure, Outcome, capitalized};
use crate::output::Output;

/// A certificate in PEM.
pub(super) fn inspect_pem(text: &[u8], output: Output) -> Outcome<()> {
    let malformed = |error: admit_trust::Error| invalid(error.to_string());
    let certificate = Certificate::from_pem(text).map_err(malformed)?;
    inspect(&certificate, output);
    Ok(())
}

/// A certificate in DER.
pub(super) fn inspect_der(der: &[u8], output: Output) -> Outcome<()> {
    let certificate = Certificate::from_der(der).map_err(|error| invalid(error.to_string()))?;
    inspect(&certificate, output);
    Ok(())
}

fn inspect(certificate: &Certificate, output: Output) {
    let properties = certificate.properties();
    let role = certificate.role().map_or("trust root", |role| role.name());
    output.json(|| {
        json!({
            "type": "certificate",
            "role": role,
            "subject": certificate.subject(),
            "issuer": certificate.issuer(),
            "not_before": certificate.not_before().to_string(),
            "not_after": certificate.not_after().to_string(),
            "fingerprint": certificate.fingerprint(PROVIDER).to_string(),
            "security_level": properties.security_level,
            "component_version": properties.component_version.map(|version| version.to_string()),
            "time_key": certificate.time_key().map(|key| BASE64_STANDARD.encode(key.public_key)),
            "time_epoch": certificate.time_key().map(|key| key.epoch),
        })
    });
    output.line(|| format!("certificate: {role}"));
    output.line(|| format!("subject: {}\nissuer: {}", certificate.subject(), certificate.issuer()));
    output.line(|| format!("valid: {} to {}", certificate.not_before(), certificate.not_after()));
    output.line(|| format!("fingerprint: {}", certificate.fingerprint(PROVIDER)));
    if let Some(level) = properties.security_level {
        output.line(|| format!("security level: {level}"));
    }
    if let Some(version) = properties.component_version {
        output.line(|| format!("component version: {version}"));
    }
    if let Some(key) = certificate.time_key() {
        output.line(|| format!("time key: {}, epoch {}", BASE64_STANDARD.encode(key.public_key), key.epoch));
    }
}

fn invalid(detail: String) -> Failure {
    Failure::new(Code::NS_E_DRM_INVALID_CERTIFICATE, capitalized(&detail))
}
