//! Where an account's platform is: its API, and where access to it is given.

use url::{Host, Url};

use super::{check::Checker, file};
use crate::platform::{Api, GrantKind};

/// What an address must be.
struct Wanted<'w> {
    key: String,
    /// The platform's own.
    own: &'w str,
    hosts: &'w [&'w str],
}

impl Checker<'_> {
    /// Where the account's platform is read.
    pub(super) fn base_url(&mut self, section: &str, account: &file::Account, api: &Api) -> Option<Url> {
        let wanted = Wanted { key: format!("{section}.base_url"), own: api.base_url, hosts: api.hosts };
        let text = account.base_url.as_deref().unwrap_or(api.base_url);
        self.address(section, account, text, &wanted)
    }

    /// Where the account's platform gives access: at the API's own address, if it is one place at the platform too.
    pub(super) fn auth_url(
        &mut self,
        section: &str,
        account: &file::Account,
        grant: &GrantKind,
        api: &Api,
    ) -> Option<Url> {
        let wanted = Wanted { key: format!("{section}.auth_url"), own: grant.auth_url, hosts: grant.hosts };
        let is_one_place = grant.auth_url == api.base_url;
        let moved = account.base_url.as_deref().filter(|_| is_one_place);
        let text = account.auth_url.as_deref().or(moved).unwrap_or(grant.auth_url);
        self.address(section, account, text, &wanted)
    }

    fn address(
        &mut self,
        section: &str,
        account: &file::Account,
        text: &str,
        wanted: &Wanted<'_>,
    ) -> Option<Url> {
        let Wanted { key, own, hosts } = wanted;
        let Ok(url) = Url::parse(text.trim_end_matches('/')) else {
            // Not shown: a login may stand in it.
            self.wrong(key, format!("is not a URL: write it like {own}"));
            return None;
        };
        let is_bare = url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "https" | "http")
            || !is_bare
            || !url.username().is_empty()
            || url.password().is_some()
        {
            self.wrong(key, format!("must be scheme, host and path only: write it like {}", own));
            return None;
        }
        let is_own = url.host_str().is_some_and(|host| hosts.contains(&host)) && url.scheme() == "https";
        if !is_own && !account.allow_unknown_hosts {
            self.wrong(
                key,
                format!(
                    "leads to a host that is not the platform's own (https and one of {}): it would get the account's credentials. If that is meant, set {section}.allow_unknown_hosts = true",
                    hosts.join(", ")
                ),
            );
            return None;
        }
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if url.scheme() == "http" && !is_loopback {
            self.wrong(key, "is http, so credentials could be read on the way: use https");
        }
        Some(url)
    }
}
