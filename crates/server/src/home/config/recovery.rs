//! `[recovery]`: licenses that are issued again to their owner (row B14).

use admit_license::header::is_web_address;

use super::sample::quoted;
use super::service::Recovery;
use super::setting::{Section, Setting};

impl Default for Recovery {
    /// The documented number of computers (`AllowBackupRestore`).
    fn default() -> Self {
        Self { clients: 4, address: None, counted: false }
    }
}

pub(super) const SECTION: Section = Section {
    name: "recovery",
    settings: &[
        Setting {
            key: "clients",
            doc: "To how many clients one license is issued, the first one among them, when its owner asks for it again. A client\n\
                  that has it already is not counted twice. With 1 no other client gets it.",
            bounds: "1 to 1,000",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.recovery.clients = value.number(1..=1_000)?;
                Ok(())
            },
            show: |config| Some(config.recovery.clients.to_string()),
        },
        Setting {
            key: "address",
            doc: "The page where an owner goes who has reached that number.",
            bounds: "`http` or `https` address",
            example: "\"https://shop.example.org/machines\"",
            is_secret: false,
            set: |config, value| {
                let text = value.text()?;
                if !is_web_address(text) {
                    return Err("expected an http or https address".to_owned());
                }
                config.recovery.address = Some(text.to_owned());
                Ok(())
            },
            show: |config| config.recovery.address.as_deref().map(quoted),
        },
        Setting {
            key: "counted",
            doc: "Whether licenses with counts, and those for one use, are issued again. Their counts then begin anew, because\n\
                  the server does not know what was used.",
            bounds: "`true` or `false`",
            example: "",
            is_secret: false,
            set: |config, value| {
                config.recovery.counted = value.yes_or_no()?;
                Ok(())
            },
            show: |config| Some(config.recovery.counted.to_string()),
        },
    ],
};
