//! `[metrics]`: where the metrics are served.

use super::sample::quoted;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    name: "metrics",
    settings: &[Setting {
        key: "listen",
        doc: "Where /metrics is served. Without it, at the address above, to this machine only.",
        bounds: "address and port",
        example: "\"127.0.0.1:7448\"",
        is_secret: false,
        set: |config, value| {
            let parsed = value.text()?.parse();
            let parsed = parsed.map_err(|_| "expected an address and port such as 127.0.0.1:7448".to_owned())?;
            config.metrics_listen = Some(parsed);
            Ok(())
        },
        show: |config| config.metrics_listen.map(|address| quoted(&address.to_string())),
    }],
};
