//! Tokens that look like signed JWTs. Who signs them is the platform's secret, so any signature will do.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// A token with this header, exactly as given, and these claims.
pub fn jwt(header: &str, claims: &Value, signature: &[u8]) -> String {
    let claims = claims.to_string();
    let parts = [header.as_bytes(), claims.as_bytes(), signature];
    parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}
