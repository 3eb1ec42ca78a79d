//! `POST /v1/enrol`: a client that made its own keys gets a certificate for its default component (row A01). The
//! same two keys get the same certificate.

use std::time::Duration;

use admit_crypto::Entropy;
use admit_protocol::enrol::{EnrolmentRequest, EnrolmentResponse, SignedRequest};
use admit_protocol::evidence::VouchedHardware;
use admit_time::Timestamp;
use admit_trust::{Certificate, ClockKind, DateCheck, Features, Issuer, Properties, Role, Subject, role, verify_chain};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::Extensions;
use axum::response::Response;

use crate::home::Signer;
use crate::refusal::{Limited, Refusal};
use crate::store::client::{self, ClientRow, NewClient};
use crate::{Error, Server, audit, http};

/// The endpoint.
pub(crate) async fn enrol(
    State(server): State<Server>,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let now = server.clock.now();
    let address = http::peer_address(&extensions);
    server.limits.take_address(address, now)?;
    let signed = SignedRequest::verify(server.home.provider(), server.home.realm(), &body?)?;
    let request = signed.request();
    if request.component_version.is_individualized() {
        return Err(Refusal::NotDefaultComponent);
    }
    // An authority that is renewed meanwhile must not stand beside a certificate of the other.
    let keys = server.home.keys();
    let authority = &keys.enrolment;
    let (provider, root) = (server.home.provider(), server.home.root());
    let hardware = VouchedHardware::verify(provider, root, DateCheck::At(now), request)?;
    let wanted = Wanted { request, clock: granted_clock(request.clock, hardware.as_ref()), hardware };
    let certificate = match known(&server, authority, &wanted, now).await? {
        Some(certificate) => certificate,
        None => {
            // Only new clients count against the limit of enrolments: neither junk nor repeated requests lock anybody out.
            let limited = server.enrolments.take(address, now);
            limited.map_err(|retry_after_secs| Refusal::RateLimited { of: Limited::Enrolments, retry_after_secs })?;
            let certificate = issue(&server, authority, &wanted, now, &mut *server.entropy.entropy())?;
            write(&server, authority, &wanted, certificate, now).await?
        }
    };
    let response = EnrolmentResponse::new(&certificate, &authority.certificate);
    Ok(http::message(ENROLMENT_RESPONSE_TYPE, response.to_bytes()))
}

/// What a client asks for, and is to get.
struct Wanted<'a> {
    request: &'a EnrolmentRequest,
    clock: ClockKind,
    hardware: Option<VouchedHardware>,
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
    let has_clock = certificate.properties().clock == Some(wanted.clock);
    Ok((has_begun && is_ours && has_clock).then_some(certificate))
}

/// The level is the realm's.
fn issue(
    server: &Server,
    signer: &Signer,
    wanted: &Wanted<'_>,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<Certificate, Error> {
    let request = wanted.request;
    let mut pseudonym = [0; 6];
    entropy.fill(&mut pseudonym);
    let subject = Subject {
        common_name: &format!("client {}", hex::encode(pseudonym)),
        public_key: &request.signing_key,
        role: Role::Client,
        properties: Properties {
            encryption_key: Some(request.encryption_key),
            component_version: Some(request.component_version),
            security_level: Some(server.home.enrol_level()),
            clock: Some(wanted.clock),
            features: Some(Features::from_bits(request.features)),
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
    let fingerprint = certificate.fingerprint(server.home.provider());
    let new = NewClient {
        fingerprint,
        signing_key: &request.signing_key,
        encryption_key: &request.encryption_key,
        renewal: newest.map_or(0, |row| row.renewal.saturating_add(1)),
        certificate: certificate.der(),
        enrolled_at: now,
        not_after: certificate.not_after(),
    };
    client::insert(&mut transaction, &new).await?;
    let hardware = wanted.hardware.as_ref().map(|it| it.certificate().fingerprint(server.home.provider()).to_string());
    let (name, level) = (certificate.subject(), server.home.enrol_level());
    let detail = serde_json::json!({ "name": name, "level": level, "hardware": hardware });
    let (event, subject) = (audit::Event::ClientEnrolled, fingerprint.to_string());
    server.home.append_audit(&mut transaction, now, event, &subject, &detail).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok(certificate)
}

pub(crate) const ENROLMENT_RESPONSE_TYPE: &str = "application/admit-enrolment-response+cbor";
/// By how much the clocks of servers on one database may differ.
const CLOCKS_APART: Duration = Duration::from_secs(60);
/// Five years.
const LIFETIME: Duration = Duration::from_secs(5 * 365 * 86_400 + 86_400);
