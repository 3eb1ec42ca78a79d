//! The 35 codes of "Windows Media DRM Individualization Best Practices", section "Error Code Reference" (row A24).
//! The six of class `Retry` are the six that the document says to retry (row A14).

/// Hands the codes of this family to `$next`, behind those it was given.
macro_rules! individualization_codes {
    ([$next:ident $($rest:ident)*] $($before:tt)*) => {
        $next! { [$($rest)*] $($before)* Individualization {

    ERROR_INVALID_ACCESS = 0x8007000C, Fatal:
        "This machine has been individualized as often as the service allows."
        "Contact the operator of the service, who can see the machine's count."

    ERROR_DIRECTORY = 0x8007010B, AskUser:
        "The data folder does not exist or cannot be used."
        "Set the data folder to one that exists and that you may write to, or move it back to where it was."

    ERROR_FILE_CORRUPT = 0x80070570, Fatal:
        "A file or folder of the client cannot be read because it is damaged."
        "Check the disk for errors, then put the client's folder back from a copy, or delete it and acquire again."

    TRUST_E_CERT_SIGNATURE = 0x80096004, Fatal:
        "The signature of a certificate does not hold."
        "Do not go on, and report the address that you used to the operator of the service."

    ERROR_INTERNET_TIMEOUT = 0x800C2EE2, Retry:
        "The server sent nothing before the time was over."
        "Try again, and check the connection if it happens every time."

    ERROR_INTERNET_NAME_NOT_RESOLVED = 0x800C2EE7, Retry:
        "The server's name has no known address."
        "Try again, and check the server's name, the name service and the proxy settings if it happens every time."

    ERROR_INTERNET_OPERATION_CANCELLED | ERROR_INTERNET_OPERATION_CANCELED = 0x800C2EF1, AskUser:
        "The attempt was cancelled, and what was installed before is unchanged."
        "Start it again when you want it to happen."

    ERROR_INTERNET_CANNOT_CONNECT = 0x800C2EFD, AskUser:
        "No connection to the server could be made."
        "Check that this machine is connected to the network and that no firewall is in the way."

    ERROR_INTERNET_CONNECTION_ABORTED = 0x800C2EFE, Retry:
        "The connection to the server ended too early."
        "Try again, and check the connection if it happens every time."

    ERROR_INTERNET_CONNECTION_RESET = 0x800C2EFF, Retry:
        "The connection to the server was reset."
        "Try again, and check the connection if it happens every time."

    ERROR_INTERNET_SEC_CERT_DATE_INVALID = 0x800C2F05, AskUser:
        "The server's certificate is not valid at the date that this machine shows."
        "Set this machine's date and time, and tell the operator of the service if they are right already."

    ERROR_INTERNET_INVALID_CA = 0x800C2F0D, AskUser:
        "The server's certificate comes from an authority that this machine does not trust, as behind some proxies."
        "Change the proxy settings, or install the proxy's certificate if you trust the proxy."

    ERROR_INTERNET_SEC_CERT_REV_FAILED = 0x800C2F19, AskUser:
        "It could not be checked whether the server's certificate has been revoked."
        "Check that the network lets the addresses of revocation lists through, then try again."

    NS_E_INSUFFICIENT_DATA = 0xC00D00CA, Retry:
        "The answer of the individualization service ended before it was complete."
        "Try again, and contact the operator of the service if it keeps happening."

    NS_E_OFFLINE_MODE = 0xC00D0BCA, AskUser:
        "This machine is set to work offline."
        "Turn the network connection on, then try again."

    NS_E_WMP_SERVER_INACCESSIBLE = 0xC00D1198, AskUser:
        "The server is not available, or the proxy does not let HTTPS through."
        "Allow HTTPS to the server in the proxy's settings, or try again when the server is back."

    NS_E_DRM_INVALID_APPLICATION = 0xC00D2711, Fatal:
        "The component does not accept this application."
        "Install the newest version of the application, and contact its maker if that does not help."

    NS_E_DRM_LICENSE_STORE_ERROR = 0xC00D2712, Fatal:
        "The license store does not work."
        "Check that the disk is not full and that you may write to the client's folder."

    NS_E_DRM_SECURE_STORE_ERROR = 0xC00D2713, Fatal:
        "The secure store does not work."
        "Install the newest version, and contact the operator of the service if that does not help."

    NS_E_DRM_ENUM_LICENSE_FAILED = 0xC00D271B, Fatal:
        "The licenses in the store cannot be listed."
        "Check that you may read the client's folder, and contact the operator of the service if you may."

    NS_E_DRM_UNABLE_TO_INITIALIZE = 0xC00D271D, Fatal:
        "The component does not start."
        "Install the newest version, and contact the operator of the service if that does not help."

    NS_E_DRM_ALREADY_INDIVIDUALIZED = 0xC00D2729, AskUser:
        "The component is individualized already and there is no newer version."
        "Nothing needs to be done, but you can force it if you want a new component."

    NS_E_DRM_INDIVIDUALIZING = 0xC00D272C, AskUser:
        "Another individualization is under way on this machine and may have stalled."
        "Close all other programs that play protected media, or restart the machine."

    NS_E_DRM_INDIVIDUALIZATION_INCOMPLETE = 0xC00D274C, AskUser:
        "Individualization did not come to its end."
        "Try again later, and contact the operator of the service if it happens again."

    NS_E_DRM_INVALID_SECURESTORE_PASSWORD = 0xC00D2751, Fatal:
        "The secure store does not open with this machine's key."
        "Contact the operator of the service before you delete the client's folder."

    NS_E_DRM_ERROR_BAD_NET_RESP = 0xC00D275E, Fatal:
        "The server's answer makes no sense or says that it cannot do what was asked."
        "Check the server's address, and report the error to the operator of the service."

    NS_E_DRM_SECURITY_COMPONENT_SIGNATURE_INVALID = 0xC00D2760, Fatal:
        "The component that came is not signed as it must be and was not installed."
        "Contact the operator of the service."

    NS_E_DRM_CHECKPOINT_FAILED = 0xC00D277F, Fatal:
        "The license store or what belongs to it is damaged."
        "Contact the operator of the service, who can issue your licenses again."

    NS_E_DRM_BUSY = 0xC00D2841, AskUser:
        "Another program has locked the component."
        "Close all other programs that play protected media, or restart the machine."

    NS_E_DRM_INDIV_SERVICE_UNAVAILABLE = 0xC00D2845, AskUser:
        "The individualization service is not available."
        "Try again later."

    NS_E_DRM_CLIENT_CODE_EXPIRED | NS_E_DRM_CLINET_CODE_EXPIRED = 0xC00D2847, AskUser:
        "This version of the program was made to work for a limited time, and that time is over."
        "Install the current version."

    NS_E_ERROR_FROM_PROXY = 0xC00D2EE4, AskUser:
        "The proxy answered with an error, or asks for a user name and password."
        "Check the proxy settings and the credentials for it."

    NS_E_PROXY_TIMEOUT = 0xC00D2EE5, Retry:
        "The proxy got no answer in time."
        "Try again, and ask whoever runs the proxy if it happens every time."

    NS_E_SERVER_UNAVAILABLE = 0xC00D2EE6, AskUser:
        "The server can be reached but does not answer requests now."
        "Try again later."

    NS_E_SERVER_ACCESSDENIED = 0xC00D2EFB, AskUser:
        "The server refuses access, perhaps because of the credentials."
        "Check the credentials, and ask the operator of the service for access."

        } }
    };
}
