//! The `traceparent` header, by which a request says to which trace it belongs (W3C Trace Context, section 3.2). It is
//! somebody else's text: only version 00 is read, exactly as it is to be written.

use std::fmt;
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName};

/// The span that a request says it is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace; not all zero.
    pub trace_id: [u8; 16],
    /// The span; not all zero.
    pub span_id: [u8; 8],
    /// The flags.
    pub flags: u8,
}

/// A text that is no `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent of version 00")]
pub struct NotATraceParent;

impl TraceParent {
    /// What a request's head says, where it says one thing.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let only = values.next().filter(|_| values.next().is_none())?;
        only.to_str().ok()?.parse().ok()
    }

    /// Whether whoever sent the request keeps the trace.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }
}

impl FromStr for TraceParent {
    type Err = NotATraceParent;

    fn from_str(text: &str) -> Result<Self, NotATraceParent> {
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or(NotATraceParent);
        let (version, trace_id, span_id, flags) = (next()?, next()?, next()?, next()?);
        let (trace_id, span_id, [flags]) = (bytes(trace_id)?, bytes(span_id)?, bytes(flags)?);
        if version != "00" || parts.next().is_some() || trace_id == [0; 16] || span_id == [0; 8] {
            return Err(NotATraceParent);
        }
        Ok(Self { trace_id, span_id, flags })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", hex::encode(self.trace_id), hex::encode(self.span_id), self.flags)
    }
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], NotATraceParent> {
    let mut bytes = [0; N];
    let is_lower = !text.contains(|c: char| c.is_ascii_uppercase());
    let decoded = is_lower && hex::decode_to_slice(text, &mut bytes).is_ok();
    decoded.then_some(bytes).ok_or(NotATraceParent)
}

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const SAMPLED: u8 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn one_header_of_version_00_is_read() {
        let parent: TraceParent = GOOD.parse().unwrap();
        assert_eq!((parent.trace_id[0], parent.span_id[7], parent.flags), (0x0a, 0x31, 1));
        assert!(parent.is_sampled());
        assert!(!GOOD.replace("-01", "-02").parse::<TraceParent>().unwrap().is_sampled());
        let mut headers = HeaderMap::new();
        assert_eq!(TraceParent::of(&headers), None);
        headers.append("traceparent", GOOD.parse().unwrap());
        assert_eq!(TraceParent::of(&headers), Some(parent));
        headers.append("traceparent", GOOD.parse().unwrap());
        assert_eq!(TraceParent::of(&headers), None, "which of them is meant?");
    }

    #[test]
    fn other_versions_lengths_letters_and_zeros_are_refused() {
        let none = "0".repeat(32);
        for text in [
            String::new(),
            "----".into(),
            GOOD.replacen("00-", "01-", 1),
            GOOD.replacen("00-", "ff-", 1),
            GOOD.to_uppercase(),
            format!("{GOOD}-"),
            format!("{GOOD}-00"),
            format!(" {GOOD}"),
            GOOD[..GOOD.len() - 1].into(),
            GOOD.replace("-b7", "-7"),
            GOOD.replace('-', "_"),
            GOOD.replace("0af7651916cd43dd8448eb211c80319c", &none),
            GOOD.replace("b7ad6b7169203331", &none[..16]),
            GOOD.replace("0af7", "0ag7"),
            GOOD.replace("0af7", "+af7"),
            GOOD.replace("0af7", "\u{e9}f7"),
        ] {
            assert_eq!(text.parse::<TraceParent>(), Err(NotATraceParent), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_back(trace_id in any::<[u8; 16]>(), span_id in any::<[u8; 8]>(), flags: u8) {
            prop_assume!(trace_id != [0; 16] && span_id != [0; 8]);
            let parent = TraceParent { trace_id, span_id, flags };
            prop_assert_eq!(parent.to_string().parse(), Ok(parent));
        }

        #[test]
        fn what_is_read_is_written_as_it_was(text in "\\PC{0,60}|[0-9a-f-]{55}|0[0-1]-[0-9a-fA-F]{32}-[0-9a-f]{15,17}-[0-9a-f]{2}") {
            if let Ok(parent) = text.parse::<TraceParent>() {
                prop_assert_eq!(parent.to_string(), text);
            }
        }

        #[test]
        fn a_good_one_with_a_character_changed_is_another_or_none(at in 0..GOOD.len(), to in any::<char>()) {
            let text: String = GOOD.chars().enumerate().map(|(index, c)| if index == at { to } else { c }).collect();
            if let Ok(parent) = text.parse::<TraceParent>() {
                prop_assert_eq!(parent.to_string(), text);
            }
        }
    }
}
