//! The accounts at platforms, checked.

use std::collections::{BTreeMap, HashMap};

use secrecy::{ExposeSecret, SecretString};

use super::{check::Checker, file, secret::SecretSource};
use crate::{
    grants,
    ingest::Receiver,
    model::{AccountName, Attributes, entities::Playback},
    platform::{AccountSettings, Descriptor, signature::UrlTokenHash},
    platforms, poll,
};

/// Shortest secret part of a callback URL: 22 characters of base64url hold 128 bits.
const URL_TOKEN_CHARS_MIN: usize = 22;

/// An account that can be used.
pub(super) struct Checked {
    /// Who takes its callbacks.
    pub(super) receiver: Receiver,
    /// What is read of it.
    pub(super) read: Option<poll::Account>,
    /// What is kept of its access.
    pub(super) access: Option<grants::Account>,
}

impl Checker<'_> {
    pub(super) fn accounts(&mut self, accounts: &BTreeMap<String, file::Account>) -> Vec<Checked> {
        if accounts.is_empty() {
            self.wrong(
                "accounts",
                "there is none: add a section like [accounts.acme] with platform and callback_tokens",
            );
        }
        let mut owner_of = HashMap::new();
        let checked: Vec<_> =
            accounts.iter().filter_map(|(name, account)| self.account(name, account)).collect();
        for Checked { receiver, .. } in &checked {
            for url_token in &receiver.url_tokens {
                let name = &receiver.settings.name;
                if let Some(other) = owner_of.insert(url_token.clone(), name) {
                    self.wrong(
                        format!("accounts.{name}.callback_tokens"),
                        format!("holds the same secret twice, or one of account {other}: give each its own"),
                    );
                }
            }
        }
        checked
    }

    fn account(&mut self, name: &str, account: &file::Account) -> Option<Checked> {
        let section = format!("accounts.{name}");
        let parsed_name =
            AccountName::parse(name).map_err(|error| self.wrong(&section, error.to_string())).ok();
        let Some(platform) = platforms::find(&account.platform) else {
            let known: Vec<_> = platforms::ALL.iter().map(|platform| platform.descriptor().id).collect();
            self.wrong(
                format!("{section}.platform"),
                format!(
                    "{:?} is not a platform that livehook knows: use one of {}",
                    account.platform,
                    known.join(", ")
                ),
            );
            return None;
        };
        let descriptor = platform.descriptor();
        self.platform_keys(&section, account, descriptor);
        let url_tokens = self.url_tokens(name, account, descriptor);
        let charset = account.charset.as_deref().and_then(|label| {
            let charset = encoding_rs::Encoding::for_label(label.as_bytes());
            if charset.is_none() {
                self.wrong(
                    format!("{section}.charset"),
                    format!("{label:?} is not a charset: use a label such as euc-kr or utf-8"),
                );
            }
            charset
        });
        self.progress_fields(&section, account);
        let webhook_secret = self.account_secret(&section, "webhook_secret", account.webhook_secret.as_ref());
        let settings = AccountSettings {
            name: parsed_name?,
            service_account: account.service_account.clone().unwrap_or_else(|| name.to_owned()),
            webhook_secret,
            progress_fields: account.progress_fields.clone().unwrap_or_default(),
            progress_hash_key: self.account_secret(
                &section,
                "progress_hash_key",
                account.progress_hash_key.as_ref(),
            ),
            charset,
            client_id: account.client_id.clone(),
            client_secret: self.account_secret(&section, "client_secret", account.client_secret.as_ref()),
            scopes: account.scopes.clone().unwrap_or_default(),
            username: account.username.clone(),
            password: self.account_secret(&section, "password", account.password.as_ref()),
            watches: self.watches(&section, account, descriptor),
            questions: self.questions(&section, account, descriptor),
        };
        let token = self.account_secret(&section, "token", account.token.as_ref());
        let base_url = descriptor.api.as_ref().and_then(|api| self.base_url(&section, account, api));
        let (access, kept) = self.access(&section, account, (platform, &settings), token, base_url.as_ref());
        let read = base_url.filter(|_| !settings.watches.is_empty()).map(|base_url| poll::Account {
            platform,
            settings: settings.clone(),
            base_url,
            access,
        });
        Some(Checked { receiver: Receiver { platform, settings, url_tokens }, read, access: kept })
    }

    fn account_secret(
        &mut self,
        section: &str,
        key: &str,
        source: Option<&SecretSource>,
    ) -> Option<SecretString> {
        source.and_then(|source| self.secret(&format!("{section}.{key}"), source))
    }

    fn platform_keys(&mut self, section: &str, account: &file::Account, descriptor: &Descriptor) {
        let takes_callbacks = account.poll.is_empty() || !account.callback_tokens.is_empty();
        for (key, is_set) in account.platform_keys() {
            let setting = descriptor.settings.iter().find(|setting| setting.name == key);
            match setting {
                None if is_set && !descriptor.gives_meaning_to(key) => self.wrong(
                    format!("{section}.{key}"),
                    format!("means nothing for {}: leave it out", descriptor.id),
                ),
                Some(setting) if setting.required && !is_set && takes_callbacks => self.wrong(
                    format!("{section}.{key}"),
                    format!("is missing ({}): add {key} = {{ env = \"NAME\" }}", setting.about),
                ),
                _ => {}
            }
        }
        let names = [
            ("service_account", &account.service_account, "the platform's name of the account"),
            ("client_id", &account.client_id, "the id of your application"),
            ("username", &account.username, "who logs in"),
        ];
        for (key, name, about) in names {
            if name.as_deref().is_some_and(|name| name.trim().is_empty()) {
                self.wrong(format!("{section}.{key}"), format!("is empty: give {about} or leave it out"));
            }
        }
    }

    fn progress_fields(&mut self, section: &str, account: &file::Account) {
        let figures = Attributes::names_of(&Playback::default());
        for (parameter, figure) in account.progress_fields.iter().flatten() {
            if !figures.contains(figure) {
                self.wrong(
                    format!("{section}.progress_fields.{parameter}"),
                    format!("{figure:?} is not a figure of playback: use one of {}", figures.join(", ")),
                );
            }
        }
    }

    fn url_tokens(
        &mut self,
        name: &str,
        account: &file::Account,
        descriptor: &Descriptor,
    ) -> Vec<UrlTokenHash> {
        let key = format!("accounts.{name}.callback_tokens");
        match (descriptor.callbacks.is_empty(), account.callback_tokens.is_empty()) {
            // Who only reads the API needs no callbacks.
            (false, true) if account.poll.is_empty() => self.wrong(
                &key,
                "is missing: make a secret with `openssl rand -hex 16` and add callback_tokens = [{ env = \"NAME\" }]",
            ),
            (true, false) => {
                self.wrong(&key, format!("{} sends no callbacks: leave it out", descriptor.id));
            }
            _ => {}
        }
        let mut hashes = Vec::new();
        for (index, source) in account.callback_tokens.iter().enumerate() {
            let key = format!("{key}[{index}]");
            let Some(secret) = self.secret(&key, source) else { continue };
            let url_token = secret.expose_secret();
            let fits_urls = url_token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if url_token.len() < URL_TOKEN_CHARS_MIN || !fits_urls {
                self.wrong(
                    key,
                    format!("{source} must hold {URL_TOKEN_CHARS_MIN} or more letters, digits, - and _: make one with `openssl rand -hex 16`"),
                );
                continue;
            }
            hashes.push(UrlTokenHash::of(url_token));
            if let Ok(name) = AccountName::parse(name) {
                self.first_url_tokens.entry(name).or_insert(secret);
            }
        }
        hashes
    }
}
