//! `[tls]`: the server's certificate.

use super::sample::quoted;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    name: "tls",
    settings: &[
        Setting {
            key: "certificate",
            doc: "The certificate with the chain above it, PEM; paths are from this folder. Without it and its key the server speaks\nplain HTTP, to this machine only. Both are read again when they change.",
            bounds: "file",
            example: "\"/etc/letsencrypt/live/drm.example.org/fullchain.pem\"",
            is_secret: false,
            set: |config, value| {
                config.tls.get_or_insert_default().certificate = value.text()?.into();
                Ok(())
            },
            show: |config| config.tls.as_ref().map(|tls| quoted(&tls.certificate.to_string_lossy())),
        },
        Setting {
            key: "key",
            doc: "Its private key, PEM.",
            bounds: "file",
            example: "\"/etc/letsencrypt/live/drm.example.org/privkey.pem\"",
            is_secret: false,
            set: |config, value| {
                config.tls.get_or_insert_default().key = value.text()?.into();
                Ok(())
            },
            show: |config| config.tls.as_ref().map(|tls| quoted(&tls.key.to_string_lossy())),
        },
    ],
};
