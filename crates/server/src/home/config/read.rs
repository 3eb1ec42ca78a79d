//! Reading settings from the file, the environment and secrets' files. It goes on behind a mistake, to tell of all.

use std::fs;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::nearest::nearest;
use super::setting::{Described, Given, Section, Setting};
use super::{Config, Environment, Mistake, Origin, Pkcs11, SECTIONS, TlsFiles};

pub(super) fn read(text: &str, path: &Path, environment: &Environment) -> Result<Config, Vec<Mistake>> {
    let mut reader = Reader { text, path, config: Config::default(), mistakes: Vec::new(), given: Vec::new() };
    reader.file();
    for (name, value) in &environment.variables {
        reader.variable(name, value);
    }
    if let Some(folder) = &environment.credentials {
        reader.credentials(folder);
    }
    reader.finish();
    if reader.mistakes.is_empty() { Ok(reader.config) } else { Err(reader.mistakes) }
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    config: Config,
    mistakes: Vec<Mistake>,
    /// Secrets that were given, so that none is given twice in one place and credentials do not override.
    given: Vec<(String, Origin)>,
}

impl Reader<'_> {
    fn file(&mut self) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let origin = self.origin(error.span().map_or(0, |span| span.start));
            self.mistakes.push(Mistake { origin, key: None, reason: error.message().to_owned() });
        }
        let faults = self.mistakes.len();
        for (key, value) in table.get_ref() {
            let is_section = !key.get_ref().is_empty() && SECTIONS.iter().any(|section| section.name == *key.get_ref());
            match value.get_ref() {
                DeValue::Table(table) if is_section || !table.is_empty() => {
                    for (inner, value) in table {
                        self.entry(&format!("{}.{}", key.get_ref(), inner.get_ref()), inner.span().start, value);
                    }
                }
                _ if is_section => self.mistake_at(key.span().start, key.get_ref(), "expected a table"),
                _ => self.entry(key.get_ref(), key.span().start, value),
            }
        }
        // What stands behind a fault of form on the same line is a guess.
        let faults: Vec<Origin> = self.mistakes[..faults].iter().map(|mistake| mistake.origin.clone()).collect();
        self.mistakes.retain(|mistake| mistake.key.is_none() || !faults.contains(&mistake.origin));
        // A table's entries come in the order of the alphabet.
        self.mistakes.sort_by_key(|mistake| match mistake.origin {
            Origin::File { line, .. } => line,
            _ => usize::MAX,
        });
    }

    /// What concerns several settings together.
    fn finish(&mut self) {
        let home = self.home().to_owned();
        if let Some(TlsFiles { certificate, key }) = &mut self.config.tls {
            for (file, name, other) in
                [(&*key, "tls.key", "tls.certificate"), (&*certificate, "tls.certificate", "tls.key")]
            {
                if file.as_os_str().is_empty() {
                    let origin = Origin::File { path: self.path.to_owned(), line: 1 };
                    let reason = format!("missing: `{other}` is of no use without it");
                    self.mistakes.push(Mistake { origin, key: Some(name.to_owned()), reason });
                }
            }
            (*certificate, *key) = (home.join(&*certificate), home.join(&*key));
        }
        self.finish_pkcs11();
        let policy = &mut self.config.policy;
        (policy.script, policy.rules) =
            (policy.script.take().map(|path| home.join(path)), policy.rules.take().map(|path| home.join(path)));
        if policy.script.is_some() && policy.rules.is_some() {
            let origin = Origin::File { path: self.path.to_owned(), line: 1 };
            let reason = "a script and rules exclude each other: give one of them".to_owned();
            self.mistakes.push(Mistake { origin, key: Some("policy.script".to_owned()), reason });
        }
        let licenses = &mut self.config.licenses;
        for limit in [&mut licenses.client, &mut licenses.token, &mut licenses.address] {
            *limit = limit.filter(|limit| limit.per_hour > 0);
        }
    }

    fn finish_pkcs11(&mut self) {
        let home = self.home().to_owned();
        let Some(Pkcs11 { module, token, key, pin }) = &mut self.config.pkcs11 else { return };
        let is_missing = [
            ("pkcs11.module", module.as_os_str().is_empty()),
            ("pkcs11.token", token.is_empty()),
            ("pkcs11.key", key.is_empty()),
            ("pkcs11.pin", pin.expose().is_empty()),
        ];
        *module = home.join(&*module);
        for (name, _) in is_missing.into_iter().filter(|(_, is_missing)| *is_missing) {
            let origin = Origin::File { path: self.path.to_owned(), line: 1 };
            let reason = "missing: the rest of `pkcs11` is of no use without it".to_owned();
            self.mistakes.push(Mistake { origin, key: Some(name.to_owned()), reason });
        }
    }

    fn entry(&mut self, key: &str, offset: usize, value: &Spanned<DeValue<'_>>) {
        let origin = self.origin(offset);
        self.value(key, origin, Given::Toml(value.get_ref()));
    }

    /// `ADMIT_SECTION__KEY`. A name without two underscores that is not known may be somebody else's.
    fn variable(&mut self, name: &str, value: &str) {
        let origin = Origin::Variable { name: name.to_owned() };
        let key = name.trim_start_matches("ADMIT_").replace("__", ".").to_lowercase();
        if key.contains('.') || find(&key).is_some() {
            self.value(&key, origin, Given::Text(value));
        }
    }

    /// A credential has the name of the setting.
    fn credentials(&mut self, folder: &Path) {
        for setting in Config::described().iter().filter(|setting| setting.is_secret) {
            let is_given = self.given.iter().any(|(key, _)| *key == setting.key);
            if !is_given && folder.join(&setting.key).exists() {
                let origin = Origin::Variable { name: "CREDENTIALS_DIRECTORY".to_owned() };
                self.secret(&setting.key, origin, &folder.join(&setting.key));
            }
        }
    }

    fn value(&mut self, key: &str, origin: Origin, value: Given<'_>) {
        if let Some((_, setting)) = find(key) {
            if setting.is_secret && self.is_twice(key, &origin) {
                return;
            }
            self.set(setting, key, origin, value);
        } else if let Some(secret) = key.strip_suffix("_file").filter(|key| is_secret(key)) {
            match value.text() {
                Ok(_) if self.is_twice(secret, &origin) => {}
                Ok(file) => self.secret(secret, origin, &self.home().join(file)),
                Err(reason) => self.mistakes.push(Mistake { origin, key: Some(key.to_owned()), reason }),
            }
        } else {
            self.unknown(key, origin);
        }
    }

    /// Reads a secret from a file of its own.
    fn secret(&mut self, key: &str, origin: Origin, file: &Path) {
        match fs::read_to_string(file).map(Zeroizing::new) {
            Ok(text) => {
                let Some((_, setting)) = find(key) else { return };
                self.config.secret_files.push(file.to_owned());
                self.set(setting, key, origin, Given::Text(text.trim()));
            }
            Err(error) => {
                let reason = format!("cannot read {}: {error}", file.display());
                self.mistakes.push(Mistake { origin, key: Some(key.to_owned()), reason });
            }
        }
    }

    fn set(&mut self, setting: &Setting, key: &str, origin: Origin, value: Given<'_>) {
        if let Err(reason) = (setting.set)(&mut self.config, value) {
            self.mistakes.push(Mistake { origin, key: Some(key.to_owned()), reason });
        }
    }

    /// A secret and its file in one place contradict each other; the environment overrides the file.
    fn is_twice(&mut self, key: &str, origin: &Origin) -> bool {
        let same_place = |other: &Origin| std::mem::discriminant(other) == std::mem::discriminant(origin);
        let twice = self.given.iter().any(|(given, other)| given == key && same_place(other));
        if twice {
            let reason = format!("given twice: as `{key}` and as `{key}_file`");
            self.mistakes.push(Mistake { origin: origin.clone(), key: Some(key.to_owned()), reason });
        }
        self.given.push((key.to_owned(), origin.clone()));
        twice
    }

    fn unknown(&mut self, key: &str, origin: Origin) {
        let known = Config::described();
        let near = nearest(key, known.iter().map(|setting| setting.key.as_str()));
        let shown = match (&origin, near) {
            (_, None) => None,
            (Origin::Variable { .. }, Some(near)) => {
                known.iter().find(|setting| setting.key == near).map(|setting| setting.variable.clone())
            }
            (_, Some(near)) => Some(near.to_owned()),
        };
        let reason = match shown {
            Some(near) => format!("there is no such setting; did you mean `{near}`?"),
            None => "there is no such setting".to_owned(),
        };
        self.mistakes.push(Mistake { origin, key: Some(key.to_owned()), reason });
    }

    fn mistake_at(&mut self, offset: usize, key: &str, reason: &str) {
        let origin = self.origin(offset);
        self.mistakes.push(Mistake { origin, key: Some(key.to_owned()), reason: reason.to_owned() });
    }

    fn origin(&self, offset: usize) -> Origin {
        let line = self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1;
        Origin::File { path: self.path.to_owned(), line }
    }

    fn home(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

fn find(key: &str) -> Option<(&'static Section, &'static Setting)> {
    let all = SECTIONS.iter().flat_map(|section| section.settings.iter().map(move |setting| (*section, setting)));
    all.into_iter().find(|(section, setting)| setting.full_key(section) == key)
}

fn is_secret(key: &str) -> bool {
    Config::described().iter().any(|Described { key: known, is_secret, .. }| *is_secret && known == key)
}
