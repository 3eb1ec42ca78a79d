//! Licenses for portable devices and media (row B11): what becomes of a license when its content is transferred, and what
//! of it a device may play.

use admit_crypto::{DecryptionKey, Entropy, Provider, PublicKey};
use admit_time::Timestamp;
use admit_trust::{CertificateVersion, Device};

use crate::issue::seal_license;
use crate::{
    Action, Application, Error, Grant, KeyMaterial, LicenseId, LicenseSigner, Origin, Output, Reason, Rights,
    SignedLicense, Terms,
};

/// The rights of a portable license: those of the license it is made of, but never burning, one-time use or undefined
/// rights; for an SDMI-compliant device not the right to transfer to others, and for others not the SDMI mark.
#[must_use]
pub fn portable_rights(original: Rights, is_sdmi: bool) -> Rights {
    let never = Rights::BURN_TO_CD | Rights::ONE_TIME;
    let other_kind = if is_sdmi { Rights::TRANSFER_TO_NON_SDMI } else { Rights::SDMI_VALIDATED };
    (original & Rights::DOCUMENTED).without(never | other_kind)
}

/// The action that a transfer to this device is.
#[must_use]
pub fn transfer_action(device: &Device) -> Action {
    if device.is_sdmi() { Action::TransferToSdmi } else { Action::TransferToNonSdmi }
}

/// The right by which a device plays: the one by which content is transferred to its kind.
#[must_use]
pub const fn play_on_device_right(is_sdmi: bool) -> Rights {
    if is_sdmi { Rights::SDMI_VALIDATED } else { Rights::TRANSFER_TO_NON_SDMI }
}

/// Makes the portable license that a transfer was granted for: the content key, opened by the client, is wrapped to the
/// device, and the client signs.
pub fn issue_portable(
    provider: &Provider,
    signer: LicenseSigner<'_>,
    grant: &Grant<'_>,
    client: &DecryptionKey,
    (device, recipient): (&Device, &PublicKey),
    entropy: &mut dyn Entropy,
) -> Result<SignedLicense, Error> {
    if grant.action() != transfer_action(device) {
        return Err(Error::OtherDevice);
    }
    let key = grant.content_key(provider, client)?;
    let (id, original) = (LicenseId::generate(entropy), grant.license().license.terms());
    let issued_at = grant.decided_at().unwrap_or(original.issued_at);
    let terms = portable_terms(original, id, issued_at, grant.ends_at(), device.is_sdmi());
    let key = KeyMaterial::Content(&key);
    seal_license(provider, signer, PORTABLE_LICENSE_CONTENT_TYPE, terms, &key, recipient, entropy)
}

/// The terms follow the original's. What counts down there ends here at the same moment: a countdown that began anew on
/// each device would never end. Counts stay with the original.
fn portable_terms(
    original: &Terms,
    id: LicenseId,
    issued_at: Timestamp,
    ends_at: Option<Timestamp>,
    is_sdmi: bool,
) -> Terms {
    Terms {
        id,
        issued_at,
        rights: portable_rights(original.rights, is_sdmi),
        expiry: ends_at,
        expiry_after_first_use_secs: None,
        expiry_after_storing_secs: None,
        transfer_count: None,
        burn_count: None,
        playlist_burn_track_count: None,
        max_playlist_burn_count: None,
        priority: None,
        origin: Some(Origin::Portable),
        ..original.clone()
    }
}

/// Why the rights do not allow the action; none where they do.
pub(crate) fn missing_right(action: Action, rights: Rights, output: Output) -> Option<Reason> {
    match (action, output) {
        (Action::Play, Output::Device { sdmi: true }) => {
            (!rights.contains(play_on_device_right(true))).then_some(Reason::NotSdmiValidated)
        }
        (Action::Play, Output::Device { sdmi: false }) => {
            let action = Action::TransferToNonSdmi;
            (!rights.contains(play_on_device_right(false))).then_some(Reason::NoRight { action })
        }
        _ => (!rights.contains(action.right())).then_some(Reason::NoRight { action }),
    }
}

/// Whether content goes nowhere by this license. One that counts plays would count them anew on the device, and one that
/// ends with the session would outlive it there.
pub(crate) fn stays_here(terms: &Terms) -> bool {
    terms.origin == Some(Origin::Portable) || terms.play_count.is_some() || terms.persistent == Some(false)
}

/// What stands against a transfer beside rights, counts and time. What an application of version 1.0 issued, or would
/// issue for the device, is not SDMI-compliant (row B13).
pub(crate) fn check_transfer(action: Action, terms: &Terms, application: &Application, reasons: &mut Vec<Reason>) {
    if !matches!(action, Action::TransferToSdmi | Action::TransferToNonSdmi) {
        return;
    }
    if stays_here(terms) {
        reasons.push(Reason::StaysHere);
    }
    let by_version_1 =
        application.certificate_version == CertificateVersion::V1 || terms.origin == Some(Origin::LocalOfVersion1);
    if action == Action::TransferToSdmi && by_version_1 {
        reasons.push(Reason::NotSdmiCompliant);
    }
}

/// Whether terms are what a portable license may say, for one kind of device or the other.
pub(crate) fn is_portable(terms: &Terms) -> bool {
    let rights = [true, false].map(|is_sdmi| portable_rights(terms.rights, is_sdmi));
    let countdowns = [terms.expiry_after_first_use_secs, terms.expiry_after_storing_secs];
    rights.contains(&terms.rights)
        && terms.counts() == [None; 5]
        && countdowns == [None; 2]
        && terms.persistent != Some(false)
}

/// The content type of licenses that a client signed for a device.
pub const PORTABLE_LICENSE_CONTENT_TYPE: &str = "application/admit-portable-license+cbor";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b11_every_combination_of_the_bits_follows_the_five_rules() {
        for bits in (0..128u32).flat_map(|low| [low, low | 1 << 24, low | 1 << 25]) {
            for is_sdmi in [true, false] {
                let found = portable_rights(Rights::from_bits(bits).unwrap(), is_sdmi).bits();
                for bit in 0..32 {
                    let expected = match bit {
                        0 | 2 | 6 => bits >> bit & 1 == 1,
                        1 => bits >> bit & 1 == 1 && !is_sdmi,
                        4 => bits >> bit & 1 == 1 && is_sdmi,
                        _ => false,
                    };
                    assert_eq!(found >> bit & 1 == 1, expected, "{bits:#x}, bit {bit}, SDMI {is_sdmi}");
                }
            }
        }
    }
}
