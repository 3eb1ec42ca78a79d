//! Codes about licenses: acquisition, evaluation, chains, burning, backup, clock and store, with the names and
//! numbers of [MS-ERREF], section 2.1. The aliases are how later systems spell the same cause.

/// Hands the codes of this family to `$next`, behind those it was given.
macro_rules! license_codes {
    ([$next:ident $($rest:ident)*] $($before:tt)*) => {
        $next! { [$($rest)*] $($before)* License {

    NS_S_DRM_LICENSE_ACQUIRED = 0x000D2726, Success:
        "The license was acquired."
        "Nothing needs to be done."

    NS_S_DRM_INDIVIDUALIZED = 0x000D2727, Success:
        "The component was individualized."
        "Nothing needs to be done."

    NS_S_DRM_MONITOR_CANCELLED = 0x000D2746, Information:
        "Waiting for a license was cancelled."
        "Start again when you want the license."

    NS_S_DRM_ACQUIRE_CANCELLED = 0x000D2747, Information:
        "Acquiring the license was cancelled."
        "Start again when you want the license."

    NS_S_DRM_BURNABLE_TRACK = 0x000D276E, Success:
        "The track may be burned."
        "Nothing needs to be done."

    NS_S_DRM_BURNABLE_TRACK_WITH_PLAYLIST_RESTRICTION = 0x000D276F, Information:
        "The track may be burned, but only so many times as part of one playlist."
        "Keep to the number of copies that the license shows."

    NS_S_DRM_NEEDS_INDIVIDUALIZATION = 0x000D27DE, Information:
        "It works now, and some content will need an individualized component."
        "Nothing needs to be done for the content that plays now."

    NS_E_LICENSE_REQUIRED = 0xC00D0BBE, AskUser:
        "The content is protected and there is no license for it."
        "Acquire a license, with `admit license acquire` or by playing the file."

    NS_E_LICENSE_OUTOFDATE = 0xC00D0BC0, AskUser:
        "The license for this content is over."
        "Acquire a new license."

    NS_E_LICENSE_INCORRECT_RIGHTS = 0xC00D0BC1, AskUser:
        "The license for this content does not allow what was asked."
        "Acquire a license that allows it."

    NS_E_DRM_INVALID_LICENSE = 0xC00D2718, Fatal:
        "The license breaks a rule of its format, or is not of the kind that was asked for."
        "Acquire the license again, and report it to the operator of the service if the new one is no better."

    NS_E_DRM_INVALID_MACHINE | DRM_E_MACHINEIDMISMATCH | DRM_E_MACHINE_ID_MISMATCH = 0xC00D2719, AskUser:
        "The licenses or the component were made for another machine."
        "Acquire the licenses on this machine."

    NS_E_DRM_NO_RIGHTS | DRM_E_RIGHTSNOTAVAILABLE | DRM_E_RIGHTS_NOT_AVAILABLE = 0xC00D2720, AskUser:
        "No license gives the right to do this."
        "Acquire a license with this right, if the service offers one."

    NS_E_DRM_NEEDS_INDIVIDUALIZATION = 0xC00D2728, AskUser:
        "The content needs an individualized component, or a newer one."
        "Use a client with an individualized component, which this version of Admit cannot make."

    NS_E_DRM_BACKUP_EXISTS = 0xC00D2742, AskUser:
        "There is a backup at this place already."
        "Name another place, or allow the backup to be overwritten."

    NS_E_DRM_BACKUP_CORRUPT = 0xC00D2743, Fatal:
        "The backup is damaged."
        "Use another copy of the backup, or acquire the licenses again."

    NS_E_DRM_BACKUPRESTORE_BUSY = 0xC00D2744, AskUser:
        "Another backup or restore is under way."
        "Wait for it to end, then try again."

    NS_E_DRM_LICENSE_UNUSABLE = 0xC00D2748, AskUser:
        "There is a license, but it cannot be used."
        "Ask for every reason with `admit why`, or acquire the license again."

    NS_E_DRM_RESTORE_FRAUD = 0xC00D2753, AskUser:
        "The licenses have been restored to as many machines as the service allows."
        "Ask the operator of the service to release a machine that you no longer use."

    NS_E_DRM_HARDWARE_INCONSISTENT = 0xC00D2754, AskUser:
        "Too many parts of this machine are not what they were when the component was made."
        "Individualize again, then acquire the licenses again or restore them from a backup."

    NS_E_DRM_LICENSE_NOTACQUIRED | DRM_E_LICENSENOTFOUND | DRM_E_LICENSE_NOT_FOUND = 0xC00D2759, AskUser:
        "No license could be acquired without asking the user."
        "Acquire the license where you can answer what the service asks."

    NS_E_DRM_POLICY_DISABLE_ONLINE | DRM_E_POLICY_ONLINE_DISABLED = 0xC00D2762, Fatal:
        "A setting of this machine forbids contact with rights services."
        "Ask whoever administers this machine to allow it."

    NS_E_BACKUP_RESTORE_TOO_MANY_RESETS = 0xC00D2766, Fatal:
        "Backup and restore have been reset as often as the service allows."
        "Contact the operator of the service."

    NS_E_DRM_RESTRICTIONS_NOT_RETRIEVED = 0xC00D2769, Fatal:
        "The application did not ask for the output restrictions before it used the license."
        "Install the newest version of the application, and contact its maker if that does not help."

    NS_E_DRM_TRACK_EXCEEDED_PLAYLIST_RESTICTION | NS_E_DRM_TRACK_EXCEEDED_PLAYLIST_RESTRICTION = 0xC00D2770, AskUser:
        "The track has been burned with this playlist as often as the license allows."
        "Burn another playlist, or acquire a license that allows more."

    NS_E_DRM_TRACK_EXCEEDED_TRACKBURN_RESTRICTION = 0xC00D2771, AskUser:
        "The track has been burned as often as the license allows."
        "Acquire a license that allows more."

    NS_E_DRM_UNABLE_TO_GET_SECURE_CLOCK = 0xC00D2773, AskUser:
        "The device does not give its trusted time."
        "Connect the device again, and look for newer software from its maker if that does not help."

    NS_E_DRM_UNABLE_TO_SET_SECURE_CLOCK = 0xC00D2774, AskUser:
        "The trusted clock could not be set."
        "Connect to the network, then try again."

    NS_E_DRM_UNABLE_TO_GET_SECURE_CLOCK_FROM_SERVER = 0xC00D2775, AskUser:
        "The secure clock service gave no time."
        "Check the connection, then try again later."

    NS_E_DRM_POLICY_METERING_DISABLED | DRM_E_POLICY_METERING_DISABLED = 0xC00D2776, AskUser:
        "The license requires that use is counted, and a setting of this machine forbids that."
        "Acquire a license without metering."

    NS_E_DRM_TRANSFER_CHAINED_LICENSES_UNSUPPORTED = 0xC00D2777, Fatal:
        "The device does not know chained licenses, and this content has one."
        "Use a device that knows chained licenses."

    NS_E_DRM_LIC_NEEDS_DEVICE_CLOCK_SET = 0xC00D2779, AskUser:
        "The license has limits in time and the device's clock is not set."
        "Connect the device while this machine is online, so that its clock is set."

    NS_E_DRM_DATASTORE_CORRUPT = 0xC00D2783, Fatal:
        "The data store with counts and state is damaged."
        "Contact the operator of the service, who can issue your licenses again."

    NS_E_DRM_HARDWAREID_MISMATCH = 0xC00D278F, AskUser:
        "Parts of this machine were changed since the store was made."
        "Put the parts back, or individualize again and acquire the licenses again."

    NS_E_DRM_CHECKPOINT_MISMATCH = 0xC00D2796, AskUser:
        "The store is older than what it was seen to be, as after restoring a copy of it."
        "Connect to the network and acquire the licenses again."

    NS_E_DRM_CHECKPOINT_CORRUPT = 0xC00D2797, Fatal:
        "The record that protects the store from being set back is damaged."
        "Contact the operator of the service, who can issue your licenses again."

    NS_E_DRM_LICENSE_EXPIRED | DRM_E_LICENSEEXPIRED | DRM_E_LICENSE_EXPIRED = 0xC00D27D8, AskUser:
        "The license is over."
        "Acquire a new license."

    NS_E_DRM_LICENSE_NOTENABLED | DRM_E_LICENSENOTYETVALID | DRM_E_LICENSE_NOT_YET_VALID = 0xC00D27D9, AskUser:
        "The license is for a later time."
        "Wait until the license begins, which `admit license show` tells."

    NS_E_DRM_LICENSE_APPSECLOW = 0xC00D27DA, AskUser:
        "The license needs a higher security level than this application has."
        "Use an application with the level that the license needs, or acquire a license that needs less."

    NS_E_DRM_STORE_NEEDINDI = 0xC00D27DB, AskUser:
        "The license can be stored only by an individualized component."
        "Individualize the component, then acquire the license again."

    NS_E_DRM_STORE_NOTALLOWED = 0xC00D27DC, AskUser:
        "The license may not be kept and is good only for now."
        "Acquire the license each time, or acquire one that may be kept."

    NS_E_DRM_LICENSE_APP_NOTALLOWED = 0xC00D27DD, AskUser:
        "The license does not allow this application, or the application does not know the right."
        "Use another application, or its newest version."

    NS_E_DRM_LICENSE_CERT_EXPIRED = 0xC00D27DF, AskUser:
        "The certificate behind the license was not valid any more when the license came."
        "Check the date of this machine, then acquire the license again."

    NS_E_DRM_LICENSE_SECLOW = 0xC00D27E0, AskUser:
        "The license needs a higher security level than this client has."
        "Individualize the component, or play on a device with a higher level."

    NS_E_DRM_LICENSE_CONTENT_REVOKED = 0xC00D27E1, Fatal:
        "The content has been withdrawn."
        "Ask the seller of the content for a replacement."

    NS_E_DRM_INDIV_FRAUD = 0xC00D2843, AskUser:
        "This machine has been individualized too often today."
        "Try again tomorrow."

    NS_E_DRM_RESTORE_SERVICE_UNAVAILABLE = 0xC00D2846, AskUser:
        "The service that restores licenses is not available."
        "Try again later."

    NS_E_DRM_NO_UPLINK_LICENSE = 0xC00D2848, AskUser:
        "The license depends on a root license that is not in the store."
        "Acquire the root license, usually by renewing the subscription."

    NS_E_DRM_INVALID_KID = 0xC00D2849, Fatal:
        "The key id is not a key id."
        "Get the file again, and report it to its seller if the new one is no better."

    NS_E_DRM_CHAIN_TOO_LONG = 0xC00D284C, Fatal:
        "The license depends on more licenses than a chain may have."
        "Report it to the operator of the service."

    NS_E_DRM_LICENSE_DELETION_ERROR = 0xC00D284E, AskUser:
        "The license could not be deleted."
        "Close other programs that use the store, then try again."

        } }
    };
}
