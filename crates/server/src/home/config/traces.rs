//! `[traces]`: where the spans of requests are sent, and which.

use axum::http::Uri;

use super::sample::quoted;
use super::service::Share;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    name: "traces",
    settings: &[
        Setting {
            key: "endpoint",
            doc: "The OpenTelemetry collector that takes spans by OTLP over HTTP; they are sent to /v1/traces below it.\n\
                  Without it, none are sent.",
            bounds: "`http` or `https` address",
            example: "\"http://127.0.0.1:4318\"",
            is_secret: false,
            set: |config, value| {
                let text = value.text()?;
                if !is_endpoint(text) {
                    return Err("expected an address such as http://127.0.0.1:4318".to_owned());
                }
                config.traces.endpoint = Some(text.to_owned());
                Ok(())
            },
            show: |config| config.traces.endpoint.as_deref().map(quoted),
        },
        Setting {
            key: "service_name",
            doc: "What this server is called in traces.",
            bounds: "1 to 100 characters",
            example: "",
            is_secret: false,
            set: |config, value| {
                let text = value.text()?;
                if !(1..=100).contains(&text.chars().count()) || text.contains(char::is_control) {
                    return Err("expected 1 to 100 characters".to_owned());
                }
                config.traces.service_name = text.to_owned();
                Ok(())
            },
            show: |config| Some(quoted(&config.traces.service_name)),
        },
        Setting {
            key: "sample",
            doc: "The share of requests whose spans are sent.",
            bounds: "0 to 1",
            example: "",
            is_secret: false,
            set: |config, value| {
                let share = value.real().and_then(Share::new);
                config.traces.sample = share.ok_or_else(|| "expected a number, 0 to 1".to_owned())?;
                Ok(())
            },
            show: |config| Some(format!("{:?}", config.traces.sample.as_f64())),
        },
        Setting {
            key: "accept_traceparent",
            doc: "Whether a request's traceparent header says which trace it belongs to, and whether that is sent. Only for\n\
                  servers behind a proxy that sets the header: it is the sender's own text.",
            bounds: "`true` or `false`",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.traces.accept_traceparent = value.yes_or_no()?;
                Ok(())
            },
            show: |config| Some(config.traces.accept_traceparent.to_string()),
        },
    ],
};

/// Whether a text is an http or https address of a host, with a port or path or without. Names and passwords before the
/// host are refused, and what stands behind a question mark: both could be secrets, and the address is logged.
fn is_endpoint(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let with_port = uri.port_u16().map(|port| format!("{host}:{port}"));
    matches!(uri.scheme_str(), Some("http" | "https"))
        && !host.is_empty()
        && (authority == host || with_port.is_some_and(|it| it == authority))
        && !text.contains(['?', '#'])
}
