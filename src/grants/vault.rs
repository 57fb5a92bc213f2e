//! Seals tokens, so that whoever copies the store without the key has nothing.
//!
//! XChaCha20-Poly1305 with a nonce of its own each time. What is sealed for one account, version and purpose opens for no
//! other.

use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    model::{AccountName, PlatformId},
    ports::Entropy,
};

const NONCE_BYTES: usize = 24;
/// Names the key that something is sealed with.
const KEY_ID_BYTES: usize = 8;
const FORMAT: u8 = 1;

/// A key of the vault: 32 bytes.
pub type VaultKey = SecretBox<[u8; 32]>;

/// A key from 64 hexadecimal digits; `None` if the text is something else.
pub fn parse_key(digits: &SecretString) -> Option<VaultKey> {
    let mut key = Box::new([0; 32]);
    hex::decode_to_slice(digits.expose_secret().trim(), key.as_mut_slice()).ok()?;
    Some(SecretBox::new(key))
}

/// Seals with one key, opens with that and older ones.
pub struct Vault {
    keys: Vec<([u8; KEY_ID_BYTES], XChaCha20Poly1305)>,
    fingerprints: Hmac<Sha256>,
}

/// What something is sealed for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose<'p> {
    pub(super) platform: PlatformId,
    pub(super) account: &'p AccountName,
    pub(super) version: u64,
    /// A person has yet to accept it.
    pub(super) is_waiting: bool,
}

impl Purpose<'_> {
    fn associated_data(&self) -> Vec<u8> {
        let Self { platform, account, version, is_waiting } = self;
        format!("livehook token\0{platform}\0{account}\0{version}\0{is_waiting}").into_bytes()
    }
}

/// Tokens as they are kept.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) access: SecretString,
    pub(super) refresh: Option<SecretString>,
}

/// The same as text, inside the seal.
#[derive(Serialize, Deserialize)]
struct Plain {
    access: String,
    refresh: Option<String>,
}

/// What was opened.
pub(super) struct Opened {
    pub(super) held: Held,
    /// With an older key: it should be sealed anew.
    pub(super) is_outdated: bool,
}

/// Why something stays sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Unopened {
    #[error("it was sealed with a key that is neither vault.key nor in vault.old_keys")]
    OtherKey,
    #[error("it was changed, or belongs to another account")]
    Forged,
}

impl Vault {
    /// Seals with `key`.
    pub fn new(key: &VaultKey, old_keys: &[VaultKey]) -> Self {
        let cipher = |key: &VaultKey| {
            let bytes = key.expose_secret();
            let hash = Sha256::new().chain_update(b"livehook vault key\0").chain_update(bytes).finalize();
            let mut id = [0; KEY_ID_BYTES];
            id.copy_from_slice(&hash[..KEY_ID_BYTES]);
            (id, XChaCha20Poly1305::new(&Key::from(*bytes)))
        };
        // A key of its own, made of that one.
        let hash =
            Sha256::new().chain_update(b"livehook vault fingerprints\0").chain_update(key.expose_secret());
        let fingerprints = Hmac::new_from_slice(&hash.finalize()).expect("HMAC takes a key of any length");
        Self { keys: std::iter::once(key).chain(old_keys).map(cipher).collect(), fingerprints }
    }

    /// Equal for equal secrets. Without the key nobody can try which one it is of, however short that is.
    pub(super) fn fingerprint(&self, secret: &str) -> String {
        hex::encode(&self.fingerprints.clone().chain_update(secret).finalize().into_bytes()[..8])
    }

    pub(super) fn seal(&self, held: &Held, purpose: Purpose<'_>, entropy: &dyn Entropy) -> Vec<u8> {
        let plain = Plain {
            access: held.access.expose_secret().to_owned(),
            refresh: held.refresh.as_ref().map(|token| token.expose_secret().to_owned()),
        };
        let plain = serde_json::to_string(&plain).map(SecretString::from);
        let plain = plain.expect("two texts are always JSON");
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let (id, cipher) = &self.keys[0];
        let payload = Payload { msg: plain.expose_secret().as_bytes(), aad: &purpose.associated_data() };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).expect("tokens are shorter than 256 GiB");
        [&[FORMAT][..], id, &nonce, &sealed].concat()
    }

    /// # Errors
    /// [`Unopened`].
    pub(super) fn open(&self, sealed: &[u8], purpose: Purpose<'_>) -> Result<Opened, Unopened> {
        let rest = sealed.strip_prefix(&[FORMAT]).ok_or(Unopened::OtherKey)?;
        let (id, rest) = rest.split_first_chunk::<KEY_ID_BYTES>().ok_or(Unopened::Forged)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Unopened::Forged)?;
        let place = self.keys.iter().position(|(known, _)| known == id).ok_or(Unopened::OtherKey)?;
        let payload = Payload { msg: sealed, aad: &purpose.associated_data() };
        let opened = self.keys[place].1.decrypt(&XNonce::from(*nonce), payload);
        let plain = opened.map_err(|_| Unopened::Forged)?;
        let plain = String::from_utf8(plain).map_err(|_| Unopened::Forged)?;
        let plain = SecretString::from(plain);
        let Plain { access, refresh } =
            serde_json::from_str(plain.expose_secret()).map_err(|_| Unopened::Forged)?;
        let held = Held { access: access.into(), refresh: refresh.map(Into::into) };
        Ok(Opened { held, is_outdated: place > 0 })
    }
}

#[cfg(test)]
mod tests;
