//! `POST /v1/enrol`: a client that made its own keys gets a certificate for its default component (row A01). The
//! same two keys get the same certificate.

use std::time::Duration;

use admit_crypto::Entropy;
use admit_protocol::enrol::{EnrolmentRequest, EnrolmentResponse, SignedRequest};
use admit_protocol::evidence::VouchedHardware;
use admit_time::Timestamp;
use admit_trust::{
    Certificate, ClockKind, DateCheck, Features, Issuer, NON_SDMI_LEVEL, Properties, Role, Subject, role, verify_chain,
};
use axum::extract::State;
use axum::response::Response;

use crate::guard::Whole;
use crate::home::{Home, Signer};
use crate::http::Peer;
use crate::refusal::{Limited, Refusal};
use crate::store::Connection;
use crate::store::client::{self, ClientRow, NewClient};
use crate::{Error, Server, audit, http};

/// The endpoint.
pub(crate) async fn enrol(
    State(server): State<Server>,
    Peer(address): Peer,
    Whole(body): Whole,
) -> Result<Response, Refusal> {
    let now = server.clock.now();
    server.limits.take_address(address, now)?;
    let signed = SignedRequest::verify(server.home.provider(), server.home.realm(), &body)?;
    let request = signed.request();
    if request.component_version.is_individualized() {
        return Err(Refusal::NotDefaultComponent);
    }
    // An authority that is renewed meanwhile must not stand beside a certificate of the other.
    let keys = server.home.keys();
    let authority = &keys.enrolment;
    let (provider, root) = (server.home.provider(), server.home.root());
    let hardware = VouchedHardware::verify(provider, root, DateCheck::At(now), request)?;
    let level = granted_level(request, server.home.enrol_level());
    let wanted = Wanted { request, level, clock: granted_clock(request.clock, hardware.as_ref()), hardware };
    let certificate = match known(&server, authority, &wanted, now).await? {
        Some(certificate) => certificate,
        None => {
            // Only new clients count against the limit of enrolments: neither junk nor repeated requests lock anybody out.
            let limited = server.enrolments.take(address, now);
            limited.map_err(|retry_after_secs| Refusal::RateLimited { of: Limited::Enrolments, retry_after_secs })?;
            let certificate = issue(authority, &wanted, now, &mut *server.entropy.entropy())?;
            write(&server, authority, &wanted, certificate, now).await?
        }
    };
    let response = EnrolmentResponse::new(&certificate, &authority.certificate);
    Ok(http::message(ENROLMENT_RESPONSE_TYPE, response.to_bytes()))
}

/// What a client asks for, and is to get.
pub(crate) struct Wanted<'a> {
    pub(crate) request: &'a EnrolmentRequest,
    pub(crate) level: u32,
    pub(crate) clock: ClockKind,
    pub(crate) hardware: Option<VouchedHardware>,
}

/// The level of clients is the realm's. A device gets the one of devices that are not SDMI-compliant, whatever it says of
/// itself: more is for [`Home::certify_device`] to give.
fn granted_level(request: &EnrolmentRequest, enrol_level: u32) -> u32 {
    if request.device.is_some() { enrol_level.min(NON_SDMI_LEVEL) } else { enrol_level }
}

/// A clock that hardware protects is granted only where hardware that the realm vouches for says that the client is on it
/// (row E03).
fn granted_clock(asked_for: ClockKind, hardware: Option<&VouchedHardware>) -> ClockKind {
    asked_for.min(hardware.map_or(ClockKind::AntiRollback, |it| it.clock().max(ClockKind::AntiRollback)))
}

/// The certificate that these keys have already.
async fn known(
    server: &Server,
    authority: &Signer,
    wanted: &Wanted<'_>,
    now: Timestamp,
) -> Result<Option<Certificate>, Refusal> {
    let request = wanted.request;
    let mut connection = server.home.store().read().await?;
    if client::is_revoked(&mut connection, &request.signing_key).await? {
        return Err(Refusal::ClientRevoked);
    }
    let row = client::newest(&mut connection, &request.signing_key, &request.encryption_key).await?;
    row.map_or(Ok(None), |row| usable(server, authority, wanted, &row, now))
}

fn usable(
    server: &Server,
    authority: &Signer,
    wanted: &Wanted<'_>,
    row: &ClientRow,
    now: Timestamp,
) -> Result<Option<Certificate>, Refusal> {
    if row.revoked_at.is_some() {
        return Err(Refusal::ClientRevoked);
    }
    if row.not_after <= now {
        return Ok(None);
    }
    let certificate = Certificate::from_der(&row.certificate).map_err(Error::from)?;
    // Given out while the clock was ahead, it would be of no use until then.
    let has_begun = certificate.not_before() <= now.saturating_add(CLOCKS_APART);
    let chain = [certificate, authority.certificate.clone()];
    // Of an authority that was renewed since, it is good where it is, but this answer could not carry its chain.
    let (provider, dates) = (server.home.provider(), DateCheck::NotExpiredBefore(now));
    let is_ours = verify_chain::<role::Client>(provider, server.home.root(), &chain, dates).is_ok();
    let [certificate, _] = chain;
    let properties = certificate.properties();
    let device = wanted.request.device.as_ref();
    let is_same_kind = properties.clock == Some(wanted.clock)
        && properties.device_kind == device.map(|device| device.kind)
        && properties.hardware_serial.as_ref() == device.and_then(|device| device.hardware_serial.as_ref());
    Ok((has_begun && is_ours && is_same_kind).then_some(certificate))
}

/// Makes the certificate of a client or device.
pub(crate) fn issue(
    signer: &Signer,
    wanted: &Wanted<'_>,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<Certificate, Error> {
    let request = wanted.request;
    let mut pseudonym = [0; 6];
    entropy.fill(&mut pseudonym);
    let device = request.device.as_ref();
    let kind = device.map_or("client", |device| device.kind.name());
    let subject = Subject {
        common_name: &format!("{kind} {}", hex::encode(pseudonym)),
        public_key: &request.signing_key,
        role: Role::Client,
        properties: Properties {
            encryption_key: Some(request.encryption_key),
            component_version: Some(request.component_version),
            security_level: Some(wanted.level),
            clock: Some(wanted.clock),
            features: Some(Features::from_bits(request.features)),
            device_kind: device.map(|device| device.kind),
            hardware_serial: device.and_then(|device| device.hardware_serial.clone()),
            ..Properties::default()
        },
        not_before: now,
        lifetime: LIFETIME,
    };
    let issuer = Issuer { certificate: &signer.certificate, key: &signer.key };
    Ok(admit_trust::issue(issuer, &subject, entropy)?)
}

/// Records the client, or finds that another request has just done so.
async fn write(
    server: &Server,
    authority: &Signer,
    wanted: &Wanted<'_>,
    certificate: Certificate,
    now: Timestamp,
) -> Result<Certificate, Refusal> {
    let request = wanted.request;
    let mut transaction = server.home.store().write().await?;
    if client::is_revoked(&mut transaction, &request.signing_key).await? {
        return Err(Refusal::ClientRevoked);
    }
    let newest = client::newest(&mut transaction, &request.signing_key, &request.encryption_key).await?;
    if let Some(row) = &newest
        && let Some(certificate) = usable(server, authority, wanted, row, now)?
    {
        return Ok(certificate);
    }
    let renewal = newest.map_or(0, |row| row.renewal.saturating_add(1));
    record(&server.home, &mut transaction, wanted, &certificate, renewal, now).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok(certificate)
}

/// Writes the client's row and what the audit record says of it.
pub(crate) async fn record(
    home: &Home,
    transaction: &mut Connection,
    wanted: &Wanted<'_>,
    certificate: &Certificate,
    renewal: u32,
    now: Timestamp,
) -> Result<(), Error> {
    let fingerprint = certificate.fingerprint(home.provider());
    let new = NewClient {
        fingerprint,
        signing_key: &wanted.request.signing_key,
        encryption_key: &wanted.request.encryption_key,
        renewal,
        certificate: certificate.der(),
        enrolled_at: now,
        not_after: certificate.not_after(),
    };
    client::insert(transaction, &new).await?;
    let hardware = wanted.hardware.as_ref().map(|it| it.certificate().fingerprint(home.provider()).to_string());
    let detail = serde_json::json!({ "name": certificate.subject(), "level": wanted.level, "hardware": hardware });
    let (event, subject) = (audit::Event::ClientEnrolled, fingerprint.to_string());
    home.append_audit(transaction, now, event, &subject, &detail).await
}

pub(crate) const ENROLMENT_RESPONSE_TYPE: &str = "application/admit-enrolment-response+cbor";
/// By how much the clocks of servers on one database may differ.
const CLOCKS_APART: Duration = Duration::from_secs(60);
/// Five years.
const LIFETIME: Duration = Duration::from_secs(5 * 365 * 86_400 + 86_400);
