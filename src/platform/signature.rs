//! The only maker of [`Verified`], and the only place where secrets are compared, in constant time.

use std::ops::Deref;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::delivery::Delivery;
use crate::model::Proof;

/// A delivery whose sender was proven, or whose word is taken for a reason given in the code.
///
/// Nothing can parse a body before it has one of these, and only this module can make it.
#[derive(Debug)]
pub struct Verified<'d> {
    delivery: &'d Delivery,
    proof: Proof,
}

impl Verified<'_> {
    /// How the sender was proven.
    pub fn proof(&self) -> Proof {
        self.proof
    }
}

impl Deref for Verified<'_> {
    type Target = Delivery;

    fn deref(&self) -> &Delivery {
        self.delivery
    }
}

/// Why a delivery is not believed; a fixed sentence, so that nothing of the request gets into logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unverified(pub &'static str);

/// Accepts the delivery if `claimed_hex` is the HMAC-SHA256 of one of the `candidates` (RFC 2104).
///
/// Several candidates are for platforms whose signed form cannot be told from the bytes alone.
pub fn hmac_sha256<'d, 'c>(
    delivery: &'d Delivery,
    key: &SecretString,
    candidates: impl IntoIterator<Item = &'c [u8]>,
    claimed_hex: &str,
) -> Result<Verified<'d>, Unverified> {
    let mut claimed = [0; 32];
    hex::decode_to_slice(claimed_hex, &mut claimed)
        .map_err(|_| Unverified("the signature is not 64 hexadecimal digits"))?;
    let mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes())
        .expect("HMAC takes a key of any length");
    let fits = |signed: &[u8]| mac.clone().chain_update(signed).verify_slice(&claimed).is_ok();
    if candidates.into_iter().any(fits) {
        Ok(Verified { delivery, proof: Proof::Signature })
    } else {
        Err(Unverified("the signature does not fit the body"))
    }
}

/// The signature that [`hmac_sha256`] accepts, for those who play the platform.
pub fn sign_hmac_sha256(key: &SecretString, signed: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes())
        .expect("HMAC takes a key of any length");
    hex::encode(mac.chain_update(signed).finalize().into_bytes())
}

/// Takes the word of whoever knows the secret URL; `why` says why nothing better can be had.
///
/// A search for `unsigned(` lists every platform that we believe without proof.
pub fn unsigned<'d>(delivery: &'d Delivery, why: &'static str) -> Verified<'d> {
    debug_assert!(!why.is_empty(), "say why");
    Verified { delivery, proof: Proof::UrlToken }
}

/// A callback URL's secret part, kept and compared as a SHA-256 only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UrlTokenHash([u8; 32]);

impl UrlTokenHash {
    /// Of the secret as it stands in the URL.
    pub fn of(url_token: &str) -> Self {
        Self(Sha256::digest(url_token.as_bytes()).into())
    }

    /// Whether this is one of `valid`; takes equally long for every token of every account.
    pub fn is_one_of(&self, valid: &[UrlTokenHash]) -> bool {
        let mut found = subtle::Choice::from(0);
        for other in valid {
            found |= self.0.ct_eq(&other.0);
        }
        found.into()
    }
}

#[cfg(test)]
mod tests;
