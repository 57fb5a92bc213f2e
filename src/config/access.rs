//! Where an account's access comes from.

use secrecy::SecretString;
use url::Url;

use super::{check::Checker, file};
use crate::{
    access::{Access, AccessToken},
    grants::{self, Source},
    platform::{AccountSettings, Descriptor, GrantKind, Platform, Status, Way},
};

impl Checker<'_> {
    /// The account's token for whoever reads, and what is kept of it. A token that stands in the configuration goes
    /// before one that could be obtained.
    pub(super) fn access(
        &mut self,
        section: &str,
        account: &file::Account,
        (platform, settings): (&'static dyn Platform, &AccountSettings),
        token: Option<SecretString>,
        base_url: Option<&Url>,
    ) -> (AccessToken, Option<grants::Account>) {
        let descriptor = platform.descriptor();
        let remedy = || format!("no access token: set {section}.token");
        let (Some(grant), Some(api), Some(base_url)) = (&descriptor.grant, &descriptor.api, base_url) else {
            return (AccessToken::fixed(token, remedy()), None);
        };
        let is_needed = self.needs_access(account, descriptor);
        let way = platform.grants().and_then(|grants| grants.way(settings));
        let source = match (token, way) {
            (Some(token), _) => Source::Personal(token),
            (None, Some(way)) => {
                self.may_be_obtained(section, account, descriptor, (way, is_needed));
                if !self.has_vault {
                    return (AccessToken::fixed(None, remedy()), None);
                }
                Source::Obtained(way)
            }
            (None, None) => {
                self.half_given(section, account, grant);
                return (AccessToken::fixed(None, remedy()), None);
            }
        };
        let Some(auth_url) = self.auth_url(section, account, grant, api) else {
            return (AccessToken::fixed(None, remedy()), None);
        };
        let (access, keeping) = match &source {
            Source::Personal(token) => AccessToken::kept(Some(token.clone()), false, Access::Renewing),
            Source::Obtained(_) => {
                // As those have it that need no access: platforms count by application, or by user.
                let names = [&settings.client_id, &settings.username].into_iter().flatten();
                let credential = names.map(String::as_str).collect::<Vec<_>>().join(" ");
                AccessToken::kept(Some(credential.into()), true, Access::Renewing)
            }
        };
        let redirect_uri = self
            .public_url
            .as_ref()
            .map(|url| format!("{}/oauth/{}/callback", url.trim_end_matches('/'), settings.name));
        let kept = grants::Account {
            platform,
            settings: settings.clone(),
            base_url: base_url.clone(),
            auth_url,
            source,
            keeping,
            redirect_uri,
            is_needed,
        };
        (access, Some(kept))
    }

    /// Whether something that the account names cannot be done without access.
    fn needs_access(&self, account: &file::Account, descriptor: &Descriptor) -> bool {
        let watches = account.poll.keys().filter_map(|name| descriptor.watch(name));
        account.username.is_some() || watches.into_iter().any(|watch| watch.needs.contains(&"token"))
    }

    fn may_be_obtained(
        &mut self,
        section: &str,
        account: &file::Account,
        descriptor: &Descriptor,
        (way, is_needed): (Way, bool),
    ) {
        if is_needed && !self.has_vault {
            self.wrong(
                "vault.key",
                format!(
                    "is missing, and {section} gets its tokens from the platform: make a key with `openssl rand -hex 32` and add [vault] with key = {{ env = \"NAME\" }}"
                ),
            );
        }
        if is_needed && way == Way::Browser && self.public_url.is_none() {
            self.wrong(
                "http.public_url",
                format!("is missing, and {section} is connected with a browser that must come back: add it"),
            );
        }
        if matches!(descriptor.status, Status::Closed(_)) && !account.allow_unknown_hosts {
            self.wrong(
                format!("{section}.password"),
                format!(
                    "would go to whoever has the address of {} now, which is closed: name the server you trust in {section}.base_url and set allow_unknown_hosts = true, or leave it out",
                    descriptor.name
                ),
            );
        }
    }

    /// Some of the keys are there, and not all that are needed.
    fn half_given(&mut self, section: &str, account: &file::Account, grant: &GrantKind) {
        let keys = account.platform_keys();
        let is_set = |key: &&&str| keys.contains(&(**key, true));
        let has_user = ["username", "password"].map(|key| keys.contains(&(key, true)));
        let missing: Vec<_> = grant.needs.iter().filter(|key| !is_set(key)).copied().collect();
        let is_begun = has_user.contains(&true) || (account.auth_url.is_some() && !missing.is_empty());
        if is_begun {
            for key in missing {
                self.wrong(format!("{section}.{key}"), "is missing: access is obtained with it".to_owned());
            }
        }
    }
}
