//! Signed time over HTTP: a Roughtime packet each way, as `docs/formats/time.md` has it.

/// Where the time is asked for, by POST.
pub const TIME_PATH: &str = "/v1/time";

/// The content type of a Roughtime packet, of requests and responses.
pub const TIME_CONTENT_TYPE: &str = "application/roughtime";
