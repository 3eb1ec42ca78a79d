//! `[database]`: where the realm is kept.

use super::sample::quoted;
use super::setting::{Section, Setting};
use crate::store::Location;

pub(super) const SECTION: Section = Section {
    name: "database",
    settings: &[Setting {
        key: "url",
        doc: "Where the database is. Without it, the SQLite file admit.db in this folder; a PostgreSQL database \
              serves several\ninstances. `url_file` names a file that holds it instead.",
        bounds: "`postgres://` address",
        example: "\"postgres://admit@db.example.org/admit\"",
        is_secret: true,
        set: |config, value| {
            let text = value.text()?;
            if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
                return Err("expected a URL such as postgres://admit@db.example.org/admit".to_owned());
            }
            config.database = Some(Location::Postgres(text.to_owned()));
            Ok(())
        },
        show: |config| match &config.database {
            Some(Location::Postgres(url)) => Some(quoted(url)),
            _ => None,
        },
    }],
};
