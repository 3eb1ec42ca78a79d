//! Codes about the environment, revocation and devices in the network, with the names and numbers of [MS-ERREF],
//! section 2.1.

/// Hands the codes of this family to `$next`, behind those it was given.
macro_rules! device_codes {
    ([$next:ident $($rest:ident)*] $($before:tt)*) => {
        $next! { [$($rest)*] $($before)* Device {

    NS_E_DRM_APPCERT_REVOKED | DRM_E_APPCERT_REVOKED = 0xC00D2752, AskUser:
        "This version of the application has been revoked."
        "Install the newest version of the application."

    NS_E_DRM_DEBUGGING_NOT_ALLOWED = 0xC00D2767, AskUser:
        "The component does not work under a debugger."
        "End the debugger, then start the program again."

    NS_E_DRM_DEVICE_NOT_REGISTERED = 0xC00D27E2, AskUser:
        "The license needs the device to be registered with this machine."
        "Register the device, then acquire the license again."

    NS_E_DRM_LICENSE_NOSAP | NS_E_DRM_NOSAP = 0xC00D280A, AskUser:
        "The license needs a protected path for audio, which is not there."
        "Play on a system with a protected path for audio."

    NS_E_DRM_LICENSE_NOSVP | NS_E_DRM_NOSVP = 0xC00D280B, AskUser:
        "The license needs a protected path for video, which is not there."
        "Play on a system with a protected path for video."

    NS_E_DRM_LICENSE_NOWDM | NS_E_DRM_NOWDM = 0xC00D280C, AskUser:
        "The license needs an audio driver that can be trusted."
        "Install the driver that the maker of the sound hardware offers for this system."

    NS_E_DRM_LICENSE_NOTRUSTEDCODEC | NS_E_DRM_NOTRUSTEDCODEC = 0xC00D280D, AskUser:
        "The license needs a decoder that can be trusted."
        "Use the newest version of the application, or another one."

    NS_E_DRM_SOURCEID_NOT_SUPPORTED = 0xC00D280E, AskUser:
        "The application does not know the protection system that the license was imported from."
        "Use the newest version of the application, or another one."

    NS_E_DRM_INVALID_CERTIFICATE = 0xC00D28A0, Fatal:
        "The certificate is damaged or not authentic."
        "Individualize or enrol again, and contact the operator of the service if that does not help."

    NS_E_DRM_CERTIFICATE_REVOKED = 0xC00D28A1, AskUser:
        "A certificate that is needed here has been revoked."
        "Install the newest version, and contact the operator of the service if that does not help."

    NS_E_DRM_LICENSE_UNAVAILABLE = 0xC00D28A2, AskUser:
        "There is no license for what the device asked."
        "Acquire a license on this machine, then try the device again."

    NS_E_DRM_DEVICE_LIMIT_REACHED = 0xC00D28A3, AskUser:
        "As many devices are in use as the license allows."
        "Stop playing on another device."

    NS_E_DRM_UNABLE_TO_VERIFY_PROXIMITY = 0xC00D28A4, AskUser:
        "It could not be shown that the device is near."
        "Connect the device to the same network by a shorter way, then try again."

    NS_E_DRM_MUST_REGISTER = 0xC00D28A5, AskUser:
        "The device is not registered."
        "Register the device."

    NS_E_DRM_MUST_APPROVE = 0xC00D28A6, AskUser:
        "The device waits for your approval."
        "Approve the device if it is yours."

    NS_E_DRM_MUST_REVALIDATE = 0xC00D28A7, AskUser:
        "The device's registration is too old."
        "Connect the device to the same network and validate it again."

    NS_E_DRM_INVALID_PROXIMITY_RESPONSE = 0xC00D28A8, Fatal:
        "The device's answer to the question whether it is near is wrong."
        "Use another device, or look for newer software from its maker."

    NS_E_DRM_INVALID_SESSION = 0xC00D28A9, AskUser:
        "The session with the device does not exist or has ended."
        "Start playing again."

    NS_E_DRM_CERTIFICATE_SECURITY_LEVEL_INADEQUATE = 0xC00D28AE, AskUser:
        "The device's certificate has a lower security level than the license needs."
        "Use a device with a higher level."

    NS_E_DRM_INVALID_CRL = 0xC00D28B1, Fatal:
        "A revocation list is damaged or not authentic."
        "Connect to the network so that the list is fetched again, and tell the operator if it is no better."

    NS_E_DRM_DRMV2CLT_REVOKED = 0xC00D28B6, AskUser:
        "This version of the component has been revoked."
        "Individualize again to get a new component."

    NS_E_DRM_RIV_TOO_SMALL = 0xC00D28B7, AskUser:
        "The license needs newer revocation information than this client has."
        "Connect to the network so that it is fetched, then try again."

        } }
    };
}
