//! Viewers and devices under another name: the same one for the same id and key, and nothing to be learnt from it.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::platform::{AccountSettings, QuestionSettings};

/// Makes the pseudonyms of one account.
#[derive(Clone, Copy)]
pub struct Pseudonyms<'k> {
    key: &'k SecretString,
}

impl<'k> Pseudonyms<'k> {
    /// `None` for an account that publishes ids as they are.
    pub fn of(settings: &'k QuestionSettings) -> Option<Self> {
        settings.pseudonym_key.as_ref().map(|key| Self { key })
    }

    /// The same, for whatever its players send.
    pub fn of_account(account: &'k AccountSettings) -> Option<Self> {
        account.questions.as_ref().and_then(Self::of)
    }

    /// Stands for `id` of that kind; 128 bits behind a word that no id begins with.
    pub fn of_id(self, kind: &str, id: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(self.key.expose_secret().as_bytes())
            .expect("HMAC takes a key of any length");
        // A viewer whose id is that of a player is not seen to be.
        let digest = mac.chain_update(kind).chain_update([0]).chain_update(id).finalize().into_bytes();
        format!("pseudonym-{}", hex::encode(&digest[..16]))
    }
}
