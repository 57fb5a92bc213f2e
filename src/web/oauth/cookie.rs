//! The cookie that binds a consent to one browser.

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use secrecy::{ExposeSecret, SecretString};

/// How it is set and found. Over HTTPS its name keeps other hosts of the domain from setting it (`__Host-`); without, for
/// a browser on this machine, there is no such name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cookie {
    /// Browsers come over HTTPS.
    pub(super) is_secure: bool,
}

/// Longer than a consent may take: a browser that comes back too late is to be told so.
const SECONDS: i64 = 2 * crate::grants::flows::LIFE.as_secs();

impl Cookie {
    const fn name(self) -> &'static str {
        if self.is_secure { "__Host-livehook-consent" } else { "livehook-consent" }
    }

    /// The header that sets it. `Lax`, because the platform's way back is a page that another site leads to.
    pub(super) fn set(self, value: &SecretString) -> HeaderValue {
        let secure = if self.is_secure { " Secure;" } else { "" };
        let text = format!(
            "{}={}; Path=/; HttpOnly;{secure} SameSite=Lax; Max-Age={SECONDS}",
            self.name(),
            value.expose_secret()
        );
        // It is base64url, which fits any header.
        let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
        header.set_sensitive(true);
        header
    }

    /// Its value, if the browser sends exactly one.
    pub(super) fn find(self, headers: &HeaderMap) -> Option<SecretString> {
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == self.name()).map(|(_, value)| value);
        let value = values.next()?;
        values.next().is_none().then(|| value.into())
    }
}
