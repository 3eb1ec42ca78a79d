//! `[log]`: what the log looks like.

use super::sample::quoted;
use super::service::{LogFormat, LogLevel};
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    name: "log",
    settings: &[
        Setting {
            key: "format",
            doc: "How a line looks: for people, or one JSON object.",
            bounds: "`text` or `json`",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.log.format = value.word(&LogFormat::ALL)?;
                Ok(())
            },
            show: |config| LogFormat::ALL.iter().find(|(_, it)| *it == config.log.format).map(|(word, _)| quoted(word)),
        },
        Setting {
            key: "level",
            doc: "What is written at all.",
            bounds: "`error`, `warn`, `info` or `debug`",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.log.level = value.word(&LogLevel::ALL)?;
                Ok(())
            },
            show: |config| LogLevel::ALL.iter().find(|(_, it)| *it == config.log.level).map(|(word, _)| quoted(word)),
        },
    ],
};
