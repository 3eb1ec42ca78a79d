//! Talking to a token: load its library, log in, find or make the key, encrypt and decrypt with it, log out.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use admit_crypto::{Entropy, Provider, RecordKey};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Module};
use cryptoki::error::{Error as DeviceError, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::wrapped::{NONCE_LENGTH, associated_data};
use super::{Pkcs11Fault, WrappedKey, name_of};
use crate::home::Pkcs11;

/// A token that is logged in to, until it is dropped. There is one at a time: a login is the whole process's.
pub(crate) struct Token {
    label: String,
    session: Session,
    _turn: MutexGuard<'static, Modules>,
}

/// A key in the token.
pub(crate) struct TokenKey {
    label: String,
    handle: ObjectHandle,
    /// Whether the token would give the key away, in the clear or under another key.
    pub(crate) is_extractable: bool,
}

/// One of the module's two ways to open a session.
type OpenSession = fn(&Module, Slot) -> cryptoki::error::Result<Session>;

/// Libraries that are loaded. They stay: many do not stand being unloaded.
type Modules = Vec<(PathBuf, Module)>;

static MODULES: Mutex<Modules> = Mutex::new(Vec::new());

impl Token {
    /// Loads the module and logs in to the token.
    pub(crate) fn open(settings: &Pkcs11) -> Result<Self, Pkcs11Fault> {
        Self::log_in(settings, Module::open_ro_session)
    }

    /// The same, to make a key in it.
    pub(crate) fn open_to_write(settings: &Pkcs11) -> Result<Self, Pkcs11Fault> {
        Self::log_in(settings, Module::open_rw_session)
    }

    fn log_in(settings: &Pkcs11, open: OpenSession) -> Result<Self, Pkcs11Fault> {
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        let module = load(&mut modules, &settings.module)?;
        let slot = find_token(&module, &settings.token)?;
        let session = log_in(&module, slot, settings, open)?;
        Ok(Self { label: settings.token.clone(), session, _turn: modules })
    }

    /// The key of this label, which must be one that can do what it is for.
    pub(crate) fn key(&self, label: &str) -> Result<TokenKey, Pkcs11Fault> {
        let wanted = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Label(label.into())];
        let found = self.session.find_objects(&wanted).map_err(device("look for the key"))?;
        let (token, key) = (self.label.clone(), label.to_owned());
        match found[..] {
            [] => Err(Pkcs11Fault::KeyAbsent { token, key }),
            [handle] => self.checked(handle, label),
            _ => Err(Pkcs11Fault::KeyAmbiguous { token, key }),
        }
    }

    /// The key of this label, made in the token if there is none.
    pub(crate) fn key_or_new(&self, label: &str) -> Result<TokenKey, Pkcs11Fault> {
        match self.key(label) {
            Err(Pkcs11Fault::KeyAbsent { .. }) => {}
            found => return found,
        }
        let attributes = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(KEY_LENGTH.into()),
            Attribute::Label(label.into()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
        ];
        self.session.generate_key(&Mechanism::AesKeyGen, &attributes).map_err(device("make a key"))?;
        self.key(label)
    }

    /// Encrypts a key-encryption key.
    pub(crate) fn wrap(
        &self,
        provider: &Provider,
        under: &TokenKey,
        key: &RecordKey,
        entropy: &mut dyn Entropy,
    ) -> Result<WrappedKey, Pkcs11Fault> {
        let id = name_of(provider, key);
        let mut nonce = [0; NONCE_LENGTH];
        entropy.fill(&mut nonce);
        let aad = associated_data(&id, &under.label);
        let failed = device("encrypt");
        // A token that insists on a nonce of its own writes it over this one.
        let parameters = GcmParams::new(&mut nonce, &aad, TAG_BITS.into()).map_err(&failed)?;
        let ciphertext = self.session.encrypt(&Mechanism::AesGcm(parameters), under.handle, key.expose());
        Ok(WrappedKey::new(id, &under.label, nonce, ciphertext.map_err(&failed)?))
    }

    /// Decrypts a key-encryption key, and checks that it is the one that the record names.
    pub(crate) fn unwrap(&self, provider: &Provider, wrapped: &WrappedKey) -> Result<RecordKey, Pkcs11Fault> {
        let under = self.key(&wrapped.token_key)?;
        if under.is_extractable {
            tracing::warn!(key = under.label, "the key in the PKCS#11 token is extractable: others can take it out");
        }
        let does_not_open = |reason: String| Pkcs11Fault::DoesNotOpen { key: under.label.clone(), reason };
        let aad = associated_data(&wrapped.id, &under.label);
        let mut nonce: [u8; NONCE_LENGTH] = *wrapped.nonce;
        let parameters = GcmParams::new(&mut nonce, &aad, TAG_BITS.into()).map_err(device("decrypt"))?;
        let opened = self.session.decrypt(&Mechanism::AesGcm(parameters), under.handle, &wrapped.ciphertext);
        let opened = Zeroizing::new(opened.map_err(|error| does_not_open(reason(&error)))?);
        let key = RecordKey::from_slice(&opened).filter(|key| name_of(provider, key) == wrapped.id);
        key.ok_or_else(|| does_not_open("it holds another key than it says".to_owned()))
    }

    fn checked(&self, handle: ObjectHandle, label: &str) -> Result<TokenKey, Pkcs11Fault> {
        let wanted = [
            AttributeType::KeyType,
            AttributeType::ValueLen,
            AttributeType::Encrypt,
            AttributeType::Decrypt,
            AttributeType::Extractable,
            AttributeType::Sensitive,
        ];
        let said = self.session.get_attributes(handle, &wanted).map_err(device("describe the key"))?;
        let has = |attribute| said.contains(&attribute);
        let fits = has(Attribute::KeyType(KeyType::AES)) && has(Attribute::ValueLen(KEY_LENGTH.into()));
        if !fits || !has(Attribute::Encrypt(true)) || !has(Attribute::Decrypt(true)) {
            return Err(Pkcs11Fault::KeyUnsuitable { key: label.to_owned() });
        }
        let is_extractable = !has(Attribute::Extractable(false)) || !has(Attribute::Sensitive(true));
        Ok(TokenKey { label: label.to_owned(), handle, is_extractable })
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        // Where it fails, the token has gone away, and the login with it.
        let _ = self.session.logout();
    }
}

fn load(modules: &mut Modules, path: &Path) -> Result<Module, Pkcs11Fault> {
    if let Some((_, module)) = modules.iter().find(|(loaded, _)| loaded == path) {
        return Ok(module.clone());
    }
    let failed = |error: DeviceError| Pkcs11Fault::Module { path: path.to_owned(), reason: reason(&error) };
    let module = Module::new(path).map_err(failed)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(DeviceError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(failed(error)),
    }
    modules.push((path.to_owned(), module.clone()));
    Ok(module)
}

fn find_token(module: &Module, label: &str) -> Result<Slot, Pkcs11Fault> {
    let slots = module.get_slots_with_initialized_token().map_err(device("list its tokens"))?;
    let label_of = |slot: Slot| module.get_token_info(slot).ok().map(|token| (slot, token.label().to_owned()));
    let tokens: Vec<(Slot, String)> = slots.into_iter().filter_map(label_of).collect();
    let mut found = tokens.iter().filter(|(_, other)| other == label);
    match (found.next(), found.next()) {
        (Some((slot, _)), None) => Ok(*slot),
        (Some(_), Some(_)) => Err(Pkcs11Fault::TokenAmbiguous { label: label.to_owned() }),
        (None, _) => {
            let found = tokens.into_iter().map(|(_, label)| label).collect();
            Err(Pkcs11Fault::TokenAbsent { label: label.to_owned(), found })
        }
    }
}

/// Opens a session and logs in. A server that is started again and again with a wrong PIN
/// must not lock the token, so the last try is left to people.
fn log_in(module: &Module, slot: Slot, settings: &Pkcs11, open: OpenSession) -> Result<Session, Pkcs11Fault> {
    let token = || settings.token.clone();
    let state = module.get_token_info(slot).map_err(device("say its state"))?;
    if state.user_pin_locked() {
        return Err(Pkcs11Fault::PinLocked { token: token() });
    }
    if state.user_pin_final_try() {
        return Err(Pkcs11Fault::PinFinalTry { token: token() });
    }
    let session = open(module, slot).map_err(device("open a session"))?;
    let pin = AuthPin::new(settings.pin.expose().into());
    match session.login(UserType::User, Some(&pin)) {
        Ok(()) | Err(DeviceError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(DeviceError::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
            Err(Pkcs11Fault::PinWrong { token: token() })
        }
        Err(DeviceError::Pkcs11(RvError::PinLocked, _)) => Err(Pkcs11Fault::PinLocked { token: token() }),
        Err(error) => Err(device("log in")(error)),
    }
}

fn device(action: &'static str) -> impl Fn(DeviceError) -> Pkcs11Fault {
    move |error| Pkcs11Fault::Device { action, reason: reason(&error) }
}

/// The standard's name for a failure, where it is one of the token's.
fn reason(error: &DeviceError) -> String {
    match error {
        DeviceError::Pkcs11(value, function) => format!("{value:?} in {function:?}"),
        other => other.to_string(),
    }
}

const KEY_LENGTH: u64 = 32;
const TAG_BITS: u64 = 128;
