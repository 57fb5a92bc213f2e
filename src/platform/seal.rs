//! Fingerprints of secrets that are compared and never kept: equal for equal secrets in one store, and meaningless
//! elsewhere.

use secrecy::SecretString;

use super::signature;

/// Digits of a fingerprint: 128 bits are enough to tell one secret from another.
const DIGITS: usize = 32;

/// Makes the fingerprints of one kind of secret. It belongs to a store, and may outlive the task that it came with.
#[derive(Clone, Debug)]
pub struct Seal(SecretString);

impl Seal {
    /// With a key that depends on the store and on the kind of secret.
    pub fn new(key: impl Into<SecretString>) -> Self {
        Self(key.into())
    }

    /// 32 hexadecimal digits.
    pub fn fingerprint(&self, secret: &str) -> String {
        let mut fingerprint = signature::sign_hmac_sha256(&self.0, secret.as_bytes());
        fingerprint.truncate(DIGITS);
        fingerprint
    }
}

#[cfg(test)]
mod tests;
