//! Codes of later systems, with their published names and numbers: what license servers answer, trusted time and
//! metering. Two names are published without a number and have one of our own range, 0xA0AD0101 and 0xA0AD0102.

/// Hands the codes of this family to `$next`, behind those it was given.
macro_rules! service_codes {
    ([$next:ident $($rest:ident)*] $($before:tt)*) => {
        $next! { [$($rest)*] $($before)* Service {

    MSPR_S_NETWORK_ACTIVITY_SUCCEEDED = 0x0004B801, Success:
        "The exchange with the service has succeeded."
        "Nothing needs to be done."

    MSPR_S_HTTP_INDIVIDUALIZION_ALREADY_OCCURRED | MSPR_S_HTTP_INDIVIDUALIZATION_ALREADY_OCCURRED
        = 0x0004B802, Information:
        "The component had been individualized before."
        "Nothing needs to be done."

    MSPR_S_IN_MEMORY_LICENSE_DISCARDED = 0x0004B803, Information:
        "A license that was good only for its session has been dropped."
        "Acquire the license again when you play again."

    MSPR_E_CONTENT_ENABLING_ACTION_REQUIRED = 0x8004B895, AskUser:
        "Something else has to happen before the content can play."
        "Do what the next request of the service says, then try again."

    DRM_E_CLIENTTIMEINVALID | DRM_E_CLIENT_TIME_INVALID = 0x8004C01C, AskUser:
        "The client's clock differs too much from the license server's."
        "Set this machine's clock, then try again."

    DRM_E_CLK_INVALID_RESPONSE = 0x8004C03F, Fatal:
        "The answer of the secure clock service is malformed, not authentic, or an answer to something else."
        "Check which network you are on, then try again elsewhere or report it to the operator of the service."

    DRM_E_CLK_INVALID_DATE = 0x8004C040, Fatal:
        "The secure clock service gave a time that cannot be."
        "Report it to the operator of the service."

    DRM_E_CLK_NOT_SUPPORTED = 0x8004C04A, Fatal:
        "The secure clock service does not serve this client."
        "Use a client with a trusted clock, or content without limits in time."

    DRM_E_METERING_NOT_SUPPORTED = 0x8004C04C, Fatal:
        "This client cannot count use, which the license requires."
        "Use another client, or acquire a license without metering."

    DRM_E_METERING_WRONG_TID = 0x8004C050, AskUser:
        "The answer to a metering report belongs to another report."
        "Send the report again."

    DRM_E_METERING_STORE_CORRUPT = 0x8004C052, Fatal:
        "The store with the counts for metering is damaged."
        "Contact the operator of the service before you delete the client's folder."

    DRM_E_CLK_NOT_SET = 0x8004C05B, AskUser:
        "The license has limits in time and the trusted clock is not set."
        "Set the trusted clock with `admit clock sync`, then try again."

    DRM_E_NO_CLK_SUPPORTED = 0x8004C05C, Fatal:
        "The license has limits in time and this client has no trusted clock."
        "Use a client with a trusted clock, or acquire a license without limits in time."

    DRM_E_METERING_MID_MISMATCH = 0x8004C05F, Fatal:
        "The answer to a metering report is for another metering id."
        "Report it to the operator of the service."

    DRM_E_METERING_RESPONSE_DECRYPT_FAILED = 0x8004C060, Fatal:
        "The answer to a metering report does not decrypt."
        "Report it to the operator of the service."

    DRM_E_DEVCERT_REVOKED | DRM_E_DEVICE_CERT_REVOKED = 0x8004C065, AskUser:
        "The client's certificate has been revoked, so it gets no more licenses."
        "Contact the operator of the service, and go on using the licenses that you have."

    DRM_E_SERVER_INTERNAL_ERROR = 0x8004C600, Retry:
        "The license server failed."
        "Try again, and tell the operator of the service if it keeps happening."

    DRM_E_SERVER_INVALID_MESSAGE = 0x8004C601, Retry:
        "The license server did not understand the request."
        "Try again, and install the newest version if it keeps happening."

    DRM_E_SERVER_DEVICE_LIMIT_REACHED = 0x8004C602, AskUser:
        "The account or domain has as many devices as it may have."
        "Remove a device that you no longer use, then try again."

    DRM_E_SERVER_SERVICE_SPECIFIC = 0x8004C604, AskUser:
        "The service refused for a reason of its own, which stands in its message."
        "Do what the service's message says."

    DRM_E_SERVER_DOMAIN_REQUIRED = 0x8004C605, AskUser:
        "The license is for the members of a domain, and this client is not one."
        "Join the domain, then try again."

    DRM_E_SERVER_RENEW_DOMAIN = 0x8004C606, AskUser:
        "The domain has new keys that this client does not have."
        "Join the domain again, then try again."

    DRM_E_SERVER_NOT_A_MEMBER = 0x8004C60A, AskUser:
        "This client is not a member of the domain any more."
        "Join the domain again if you may, or remove it from this client."

    DRM_E_SERVER_PROTOCOL_VERSION_MISMATCH = 0x8004C60B, AskUser:
        "Client and server have no version of the protocol in common."
        "Install the newest version."

    DRM_E_SERVER_UNKNOWN_ACCOUNTID | DRM_E_SERVER_UNKNOWN_ACCOUNT_ID = 0x8004C60C, AskUser:
        "The service does not know the account."
        "Check the account's name, or sign in again."

    DRM_E_SERVER_PROTOCOL_REDIRECT = 0x8004C60D, AskUser:
        "The service names another address for this request."
        "Approve the address that the answer names if you trust it, then try again there."

    DRM_E_SECURETIME_CLOCK_NOT_SET = 0xA0AD0101, AskUser:
        "The license has limits in time, and the client needs a signed time for it."
        "Set the trusted clock with `admit clock sync`, then try again."

    DRM_E_LICENSESERVERTIME_MUST_REACQUIRE_LICENSE = 0xA0AD0102, AskUser:
        "A stored license with limits in time is from before the license server gave the time."
        "Acquire the license again."

        } }
    };
}
