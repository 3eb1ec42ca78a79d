//! Admit's own codes: HRESULTs with the customer bit, from 0xA0AD0001.
//! A number once given stays; new codes go to the end.

/// Hands the codes of this family to `$next`, behind those it was given.
macro_rules! own_codes {
    ([$next:ident $($rest:ident)*] $($before:tt)*) => {
        $next! { [$($rest)*] $($before)* Own {

    ADMIT_E_MALFORMED_MESSAGE = 0xA0AD0001, Fatal:
        "A message or a license does not have the form that its format says."
        "Install the newest version, and report it to the operator of the service if that does not help."

    ADMIT_E_BAD_SIGNATURE = 0xA0AD0002, Fatal:
        "A signature, or the chain of certificates under it, does not hold."
        "Do not go on, and report it to the operator of the service."

    ADMIT_E_UNKNOWN_CHALLENGE_KEY = 0xA0AD0003, Retry:
        "The request is encrypted to a key that the service does not have, or has no more."
        "Try again, and the program fetches the realm document anew."

    ADMIT_E_TOKEN_REQUIRED = 0xA0AD0004, AskUser:
        "The service gives this license only to holders of an entitlement token."
        "Get a token from the seller of the content and pass it with `--token`."

    ADMIT_E_TOKEN_INVALID = 0xA0AD0005, AskUser:
        "The entitlement token is damaged, not authentic or for another service."
        "Get a new token from the seller of the content."

    ADMIT_E_TOKEN_EXPIRED = 0xA0AD0006, AskUser:
        "The entitlement token is no longer valid."
        "Get a new token from the seller of the content."

    ADMIT_E_TOKEN_NOT_FOR_CONTENT = 0xA0AD0007, AskUser:
        "The entitlement token does not cover this content."
        "Use the token that belongs to this content."

    ADMIT_E_TOKEN_USED_UP = 0xA0AD0008, AskUser:
        "The entitlement token has been used as often as it may be."
        "Get a new token from the seller of the content."

    ADMIT_E_TOKEN_BOUND_ELSEWHERE = 0xA0AD0009, AskUser:
        "The entitlement token belongs to another client."
        "Use it on the client it was made for, or get one for this client."

    ADMIT_E_UNKNOWN_KEY_ID = 0xA0AD000A, Fatal:
        "The service has no content key with this key id."
        "Check that the license server is the right one for this file, and tell the seller of the content if it is."

    ADMIT_E_RATE_LIMITED = 0xA0AD000B, Retry:
        "This client has sent too many requests in a short time."
        "Wait as long as the answer says, then try again."

    ADMIT_E_OVERLOADED = 0xA0AD000C, Retry:
        "The service has more to do than it can do now."
        "Wait a little, then try again."

    ADMIT_E_REALM_NOT_TRUSTED = 0xA0AD000D, AskUser:
        "The content belongs to a realm that you have not trusted yet."
        "Compare the fingerprint with the one that the operator publishes, and pass it with `--trust`."

    ADMIT_E_REALM_MISMATCH = 0xA0AD000E, Fatal:
        "A message, certificate or license belongs to another realm than the content."
        "Check the address of the service, and report it to the operator if it is right."

    ADMIT_E_RESPONSE_MISMATCH = 0xA0AD000F, Fatal:
        "The answer is to another request or for another client."
        "Check which network you are on, then start again."

    ADMIT_E_NOT_PROTECTED = 0xA0AD0010, AskUser:
        "The file is not protected by Admit."
        "Open it with any player, or look at it with `admit inspect`."

    ADMIT_E_MEDIA_MALFORMED = 0xA0AD0011, Fatal:
        "The media file is damaged or does not keep to its format."
        "Get the file again, or write it again with the program that made it."

    ADMIT_E_MEDIA_UNSUPPORTED = 0xA0AD0012, AskUser:
        "The media file uses a format, codec or feature that is not supported."
        "Convert the file to MP4 with a supported codec."

    ADMIT_E_HEADER_MALFORMED = 0xA0AD0013, Fatal:
        "The content header is damaged or does not keep to its format."
        "Get the file again, and report it to its seller if the new one is no better."

    ADMIT_E_HEADER_UNSIGNED = 0xA0AD0014, AskUser:
        "The content header has no signature that holds, so nobody vouches for the address in it."
        "Ask the seller of the content for a file with a signed header."

    ADMIT_E_FILE = 0xA0AD0015, AskUser:
        "A file or folder cannot be read or written."
        "Check that the path exists, that you may use it, and that the disk is not full."

    ADMIT_E_NO_HOME = 0xA0AD0016, AskUser:
        "There is no operator's home in this folder."
        "Make one with `admit init`, or name the right folder with `--home` or `ADMIT_HOME`."

    ADMIT_E_HOME_EXISTS = 0xA0AD0017, AskUser:
        "There is an operator's home in this folder already, and it was left as it is."
        "Name another folder, or use the home that is there."

    ADMIT_E_CONFIGURATION = 0xA0AD0018, AskUser:
        "A setting is missing, unknown or out of range."
        "Correct the setting in `admit.toml`, or the variable or argument that the message names."

    ADMIT_E_STORE_TAMPERED = 0xA0AD0019, Fatal:
        "A record in the store is damaged or was changed by something else."
        "Delete the client's folder for the realm and acquire again, or restore the server's home from its backup."

    ADMIT_E_STORE_VERSION = 0xA0AD001A, AskUser:
        "The store was written by another version of the program."
        "Use the newest version, or the one that wrote it, or delete a client's folder for the realm and acquire again."

    ADMIT_E_STORE_BUSY = 0xA0AD001B, Retry:
        "Another program is writing to the store."
        "Try again, and close the other program if it does not help."

    ADMIT_E_NETWORK = 0xA0AD001C, Retry:
        "The service could not be reached."
        "Check the connection and the address, then try again."

    ADMIT_E_SERVER = 0xA0AD001D, Retry:
        "The service failed."
        "Try again, and tell the operator of the service if it keeps happening."

    ADMIT_E_PLAIN_HTTP_REFUSED = 0xA0AD001E, AskUser:
        "The address is plain HTTP, which is refused for all but this machine itself and for time."
        "Use the service's HTTPS address."

    ADMIT_E_PLAYER_FAILED = 0xA0AD001F, AskUser:
        "The player did not start or ended with an error."
        "Check the player's installation, or name another one with `--player`."

    ADMIT_E_KEY_EXISTS = 0xA0AD0020, AskUser:
        "The key id is registered already with another key."
        "Use a new key id, or the key that is registered."

    ADMIT_E_USAGE = 0xA0AD0021, AskUser:
        "The command was not understood."
        "Look at what `--help` says."

    ADMIT_E_CLIENT_CERTIFICATE_UNKNOWN = 0xA0AD0022, AskUser:
        "The service does not know this client's certificate."
        "Delete the client's folder for the realm, and the next `admit play` enrols and acquires again."

    ADMIT_E_COUNT_USED_UP = 0xA0AD0023, AskUser:
        "The license allowed this a number of times, and all are used."
        "Acquire a new license."

    ADMIT_E_LICENSE_NOT_UNDERSTOOD = 0xA0AD0024, AskUser:
        "The license holds a rule that this version does not know and may not ignore."
        "Install the newest version."

    ADMIT_E_OUTPUT_UNPROTECTED = 0xA0AD0025, AskUser:
        "The license needs more protection than an active output has."
        "Switch the output off or use a protected one."

    ADMIT_E_CLOCK_ROLLED_BACK = 0xA0AD0026, AskUser:
        "The clock was set back, so licenses with limits in time do not work."
        "Get a signed time with `admit clock sync`, then try again."

    ADMIT_E_STORE_ROLLED_BACK = 0xA0AD0027, AskUser:
        "The client's store is an older copy of itself."
        "Put the newest copy back, or delete the client's folder for the realm and acquire the licenses again."

    ADMIT_E_TIME_UNAVAILABLE = 0xA0AD0028, Retry:
        "The server signs no time now, because its clock is not known to be right."
        "Try again later, or ask the operator to look at the server's `/ready`."

    ADMIT_E_POLICY_FAILED = 0xA0AD0029, Fatal:
        "The acquisition policy is broken, so no license was issued."
        "Tell the operator of the service, whose log says what is wrong."

    ADMIT_E_POLICY_REFUSED = 0xA0AD002A, AskUser:
        "The operator's acquisition policy refused the license."
        "Ask the seller of the content what this license is given for."

    ADMIT_E_CONSENT_REQUIRED = 0xA0AD002B, AskUser:
        "It needs your consent, which you have not given, so nothing was sent."
        "Read what would be sent and changed, and agree if you want it."

    ADMIT_E_HOST_NOT_APPROVED = 0xA0AD002C, AskUser:
        "The address is neither configured nor approved nor vouched for, so nothing was sent to it."
        "Name the address yourself if you trust it."

    ADMIT_E_GUEST_ACCOUNT = 0xA0AD002D, AskUser:
        "A guest account cannot be individualized."
        "Sign in with an account of your own."

    ADMIT_E_ALREADY_PROTECTED = 0xA0AD002E, AskUser:
        "The media is protected already."
        "Package the clear original."

    ADMIT_E_OPERATOR_TOKEN = 0xA0AD002F, AskUser:
        "The operator token is missing, unknown, expired or revoked."
        "Make one with `admit admin token make` on the server's machine, and pass it with `--token`."

    ADMIT_E_NOT_FOR_CLEARKEY = 0xA0AD0030, AskUser:
        "The key may not be shown to a browser, or not to keep."
        "Play the content with Admit's own client, or package it with `--clearkey` and no minimum."

    ADMIT_E_NO_SUCH_ADDRESS = 0xA0AD0031, Fatal:
        "The server has nothing at this address."
        "Use an address that the server's `/openapi.json` names."

    ADMIT_E_METHOD = 0xA0AD0032, Fatal:
        "The address does not answer this method."
        "Use a method that the answer's `Allow` header names."

    ADMIT_E_CONTENT_TYPE = 0xA0AD0033, Fatal:
        "The request's body is not of a type that the address reads."
        "Send it with the Content-Type that the server's `/openapi.json` names for this address."

    ADMIT_E_BODY_TOO_LONG = 0xA0AD0034, Fatal:
        "The request's body is longer than any that the address reads."
        "Send less, for the server's `/openapi.json` says what the address reads."

    ADMIT_E_ADDRESS_MALFORMED = 0xA0AD0035, Fatal:
        "A part of the address, or of the query behind it, is not as it must be."
        "Correct what the answer's detail names, and give each parameter once."

    ADMIT_E_REQUEST = 0xA0AD0036, Fatal:
        "What the request asks for cannot be done as it is written."
        "Correct what the answer's detail names."

    ADMIT_E_KEY_IN_TOKEN = 0xA0AD0037, AskUser:
        "The key in the PKCS#11 token that opens the home's keys cannot be used."
        "Check with `admit doctor` that the token is connected, and module, token, key and PIN in [pkcs11] of `admit.toml`."

    ADMIT_E_NOTHING_TO_RECOVER = 0xA0AD0038, AskUser:
        "The service knows of no license that it could issue again to this owner."
        "Pass a token of the buyer whose licenses they were, or get new ones with `admit license acquire`."

    ADMIT_E_RECOVERY_FORBIDDEN = 0xA0AD0039, AskUser:
        "The license says that it is not recovered."
        "Acquire a new license, if the service offers one."

    ADMIT_E_RECOVERY_COUNTED = 0xA0AD003A, AskUser:
        "The license is counted or for one use or session, and nobody knows what is left of it."
        "Ask the seller of the content, who can give you a new license."

    ADMIT_E_SDMI_LEVEL = 0xA0AD003B, AskUser:
        "Only an application of security level 450 or more may mark content as SDMI-validated."
        "Protect the content without `--sdmi`, or with an application of a higher level."

    ADMIT_E_NOT_SDMI_VALIDATED = 0xA0AD003C, AskUser:
        "An SDMI-compliant device takes and plays SDMI-validated content only."
        "Use a device that is not SDMI-compliant, or get the content with a license that has the SDMI mark."

    ADMIT_E_NOT_SDMI_COMPLIANT = 0xA0AD003D, AskUser:
        "What an application with a certificate of version 1.0 issues does not go to SDMI-compliant devices."
        "Protect or transfer the content with an application that has a newer certificate."

    ADMIT_E_LICENSE_STAYS = 0xA0AD003E, AskUser:
        "The license counts plays, ends with the session or is a device's, so it goes to no other device."
        "Acquire a license that can be transferred."

    ADMIT_E_NOT_THIS_DEVICE = 0xA0AD003F, AskUser:
        "The license or the folder belongs to another device, or not to a device of this kind."
        "Transfer the content to this device with `admit device transfer`."

    ADMIT_E_NO_HARDWARE_SERIAL = 0xA0AD0040, AskUser:
        "SDMI-compliant media need a serial number in their hardware, and this one has none or another."
        "Use the medium that was certified, or make one with `admit device make` and `--serial`."

    ADMIT_E_DEVICE_EXISTS = 0xA0AD0041, AskUser:
        "There is a device in this folder already, and it was left as it is."
        "Name another folder, or look at what is there with `admit device show`."

    ADMIT_E_NO_DEVICE = 0xA0AD0042, AskUser:
        "There is no device in this folder."
        "Make one with `admit device make`, or name the right folder."

    ADMIT_E_LOCAL_CONTENT = 0xA0AD0043, AskUser:
        "The content was protected on one client for itself, and no server has a license for it."
        "Play it on the client that made it, or on a device that it was transferred to."

    ADMIT_E_PAGE_FIRST = 0xA0AD0044, AskUser:
        "A page of the seller's comes before this license."
        "Go to the page that is named, do what it asks for, and then ask for the license again."
        } }
    };
}
