//! Finds a secret in whatever form it came out: as it is, encoded, or one half of it.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::story::Secret;

/// What was written, by where; letters in one case, because hexadecimal digits come in both.
#[derive(Default)]
pub struct Haystack(BTreeMap<&'static str, String>);

impl Haystack {
    pub fn add(&mut self, part: &'static str, text: &str) {
        let all = self.0.entry(part).or_default();
        all.push_str(&text.to_ascii_lowercase());
        all.push('\n');
    }

    pub fn part(&self, part: &str) -> &str {
        self.0.get(part).map_or("", String::as_str)
    }

    pub fn holds(&self, part: &str, word: &str) -> bool {
        self.part(part).contains(&word.to_ascii_lowercase())
    }

    /// Sentences that say where which form of the secret stands.
    pub fn traces_of(&self, secret: &Secret) -> Vec<String> {
        let mut traces = Vec::new();
        for (form, needle) in forms(&secret.value) {
            let needle = needle.to_ascii_lowercase();
            for (part, text) in &self.0 {
                if let Some(at) = text.find(&needle) {
                    let from = text[..at].rfind('\n').map_or(0, |end| end + 1);
                    let line: String =
                        text[from..].lines().next().unwrap_or_default().chars().take(400).collect();
                    traces.push(format!("{} as {form} in {part}: {line}", secret.what));
                }
            }
        }
        traces
    }
}

/// What to look for. Whoever holds a half of a secret in hand is too near to the whole.
pub fn forms(secret: &str) -> Vec<(String, String)> {
    let (left, right) = secret.split_at(secret.len() / 2);
    let mut forms = Vec::new();
    for (which, half) in [("first", left), ("second", right)] {
        let percent: String = half.bytes().map(|byte| format!("%{byte:02x}")).collect();
        forms.push((format!("{which} half"), half.to_owned()));
        forms.push((format!("{which} half, percent-encoded"), percent));
        forms.push((format!("{which} half, hexadecimal"), hex::encode(half)));
        for before in 0..3 {
            let text = inside_base64(half.as_bytes(), before);
            forms.push((format!("{which} half, base64 behind {before}"), text));
        }
    }
    forms
}

/// What base64 makes of `text` behind so many other bytes, without the digits that those share.
pub fn inside_base64(text: &[u8], before: usize) -> String {
    let bytes = [&[0; 2][..before], text].concat();
    let whole = bytes.len() / 3 * 4;
    let from = [0, 2, 3][before];
    BASE64_STANDARD.encode(&bytes)[from..whole].to_owned()
}
