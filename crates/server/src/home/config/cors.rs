//! `[cors]`: which pages of other origins may use the server.

use super::Origins;
use super::general::is_http_address;
use super::sample::quoted;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    name: "cors",
    settings: &[Setting {
        key: "origins",
        doc: "The origins whose pages may ask for licenses and keys, such as [\"https://player.example.org\"], or [\"*\"] for all.",
        bounds: "list of origins",
        example: "",
        is_secret: false,
        set: |config, value| {
            config.origins = origins(value.texts()?)?;
            Ok(())
        },
        show: |config| match &config.origins {
            Origins::Any => Some("[\"*\"]".to_owned()),
            Origins::Only(origins) => {
                Some(format!("[{}]", origins.iter().map(|origin| quoted(origin)).collect::<Vec<_>>().join(", ")))
            }
        },
    }],
};

fn origins(texts: Vec<String>) -> Result<Origins, String> {
    if texts == ["*"] {
        return Ok(Origins::Any);
    }
    match texts.iter().all(|text| is_http_address(text) && !text.ends_with('/')) {
        true => Ok(Origins::Only(texts)),
        false => Err("expected origins such as https://player.example.org".to_owned()),
    }
}
