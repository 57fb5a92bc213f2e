//! The signature on an answer: a JWT that players of this account accept.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// `{"data": …}` as a bare compact JWT. The header is `{"typ":"JWT","alg":"HS256"}` in this order, and there are no
/// registered claims: Kollus warns of errors with them. The key is the text of the security key, not base64.
pub fn signed(data: &Value, security_key: &SecretString) -> String {
    let key = EncodingKey::from_secret(security_key.expose_secret().as_bytes());
    encode(&Header::new(Algorithm::HS256), &json!({ "data": data }), &key)
        .expect("HS256 signs JSON with a key of any length")
}
