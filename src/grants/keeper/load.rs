//! What the last process left of an account's access.

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;

use super::Keeper;
use crate::{
    access::{Access, Grant},
    grants::{
        Source,
        standing::{Intent, Standing},
        vault::Opened,
    },
    store::{StoreError, StoredCredential},
};

impl Keeper {
    pub(super) async fn load(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let stored = self.shared.store.credential(&self.account.settings.name).await?.unwrap_or_default();
        self.version = stored.version;
        let standing: Standing = serde_json::from_value(stored.standing.clone()).unwrap_or_default();
        let configured_as = self.configured_as();
        let is_the_same = standing.configured_as == configured_as;
        let tried_with = self.tried_with();
        if is_the_same {
            self.standing = standing;
            if self.standing.tried_with != tried_with {
                // Somebody did what was asked for.
                self.standing.clear_trouble();
            }
        } else {
            self.begin_anew(configured_as, now);
        }
        self.standing.tried_with = tried_with;
        match self.account.source.clone() {
            Source::Personal(token) => {
                if !is_the_same {
                    self.keep(&[], now).await?;
                }
                self.account.keeping.put(Access::Granted(Grant { token, version: 0 }));
            }
            Source::Obtained(_) if is_the_same => self.open(stored, now).await?,
            // What was obtained with other keys is not touched before something is to be written down.
            Source::Obtained(_) => {}
        }
        self.is_loaded = true;
        Ok(())
    }

    /// What was obtained with other keys, or for another user, is not used any more.
    fn begin_anew(&mut self, configured_as: String, now: Timestamp) {
        self.standing = Standing { configured_as, ..Standing::default() };
        match &self.account.source {
            Source::Obtained(way) => way.as_str().clone_into(&mut self.standing.kind),
            Source::Personal(token) => {
                "personal".clone_into(&mut self.standing.kind);
                let described = self.grants.map(|grants| grants.describe(token)).unwrap_or_default();
                let days = described.days_max.map(|days| SignedDuration::from_hours(i64::from(days) * 24));
                self.standing.obtained_at = Some(now);
                self.standing.is_end_certain = described.expires_at.is_some();
                // Nobody knows how old it is: at the latest it ends so long after it was first seen.
                let latest = days.and_then(|days| now.checked_add(days).ok());
                self.standing.expires_at = described.expires_at.or(latest);
                self.standing.scopes = described.scopes;
                self.standing.identity = described.identity;
            }
        }
    }

    async fn open(&mut self, stored: StoredCredential, now: Timestamp) -> Result<(), StoreError> {
        self.reopen_waiting(stored.waiting);
        let was_exchanging = self.standing.intent == Some(Intent::Exchange);
        let name = self.account.settings.name.clone();
        if was_exchanging {
            self.standing.intent = None;
            let why = format!(
                "livehook ended while it exchanged a consent, so that is lost: connect the account again with `livehook connect {name}`"
            );
            self.standing.trouble = Some(why.clone());
            if stored.sealed.is_none() {
                self.standing.needs_person = Some(why);
            }
        }
        self.sealed = stored.sealed;
        let mut is_outdated = false;
        if let (Some(sealed), Some(vault)) = (&self.sealed, &self.shared.vault) {
            match vault.open(sealed, self.purpose(self.version, false)) {
                Ok(Opened { held, is_outdated: outdated }) => {
                    self.held = Some(held);
                    is_outdated = outdated;
                }
                Err(why) => {
                    self.stays_sealed = Some(format!(
                        "the token of {name} stays sealed ({why}): give its key in vault.old_keys and restart, or connect the account again"
                    ));
                    return Ok(());
                }
            }
        }
        if let Some(held) = self.held.as_ref().filter(|_| is_outdated) {
            self.sealed = Some(self.seal(held, self.version, false)?);
        }
        if is_outdated || was_exchanging {
            self.keep(&[], now).await?;
        }
        Ok(())
    }

    /// Whoever was to accept them still can, for the rest of their time.
    fn reopen_waiting(&mut self, sealed: Option<Vec<u8>>) {
        let Some(waiting) = self.standing.waiting.take() else { return };
        let (Some(sealed), Some(vault)) = (sealed, &self.shared.vault) else { return };
        let Ok(Opened { held, .. }) = vault.open(&sealed, self.purpose(self.version + 1, true)) else {
            return;
        };
        self.waiting = Some((waiting.tokens(held), sealed));
        self.standing.waiting = Some(waiting);
    }

    /// Fingerprint of the secrets, and of what else a person may have corrected. With the vault's key: a password may
    /// be short, and the store's own key lies beside it.
    fn tried_with(&self) -> String {
        let settings = &self.account.settings;
        let secrets = [&settings.client_secret, &settings.password];
        let secrets = secrets.map(|secret| secret.as_ref().map(ExposeSecret::expose_secret));
        let tried_with = format!("{secrets:?} {:?}", settings.scopes);
        self.shared.vault.as_ref().map(|vault| vault.fingerprint(&tried_with)).unwrap_or_default()
    }

    /// Fingerprint of what access is obtained with.
    pub(super) fn configured_as(&self) -> String {
        let settings = &self.account.settings;
        let with = match &self.account.source {
            Source::Personal(token) => format!("{:?}", token.expose_secret()),
            // A changed secret or password is no other account; the tokens stay good.
            Source::Obtained(way) => {
                format!("{way:?} {} {:?} {:?}", self.account.auth_url, settings.client_id, settings.username)
            }
        };
        self.shared.store.fingerprint(&with)
    }
}
