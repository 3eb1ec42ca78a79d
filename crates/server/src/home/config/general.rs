//! The settings before the first table: the two addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::sample::quoted;
use super::setting::{Section, Setting};

pub(super) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7447);

pub(super) const SECTION: Section = Section {
    name: "",
    settings: &[
        Setting {
            key: "listen",
            doc: "Where the server listens. Port 0 picks a free one.",
            bounds: "address and port",
            example: "",
            is_secret: false,
            set: |config, value| {
                let parsed = value.text()?.parse();
                config.listen = parsed.map_err(|_| "expected an address and port such as 127.0.0.1:7447".to_owned())?;
                Ok(())
            },
            show: |config| Some(quoted(&config.listen.to_string())),
        },
        Setting {
            key: "public_address",
            doc: "The address under which clients reach this server. It is written into packaged content as the place \
                  to get\nlicenses from, so that a copied file still finds its server.",
            bounds: "`http` or `https` address",
            example: "\"https://drm.example.org\"",
            is_secret: false,
            set: |config, value| {
                let text = value.text()?;
                if !is_http_address(text) {
                    return Err("expected an address such as https://drm.example.org".to_owned());
                }
                config.public_address = Some(text.to_owned());
                Ok(())
            },
            show: |config| config.public_address.as_deref().map(quoted),
        },
    ],
};

/// Whether a text is an http or https address of a host, with a port or without, and nothing behind it: services
/// stand at fixed paths there. Names and passwords before the host are refused.
pub(in crate::home) fn is_http_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@']))
        && text.chars().all(|c| c.is_ascii_graphic())
}
