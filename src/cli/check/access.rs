//! How an account's access is obtained, and what a person has to do for it.

use super::Finding;
use crate::{
    grants::{Account, Source},
    platform::Way,
};

/// `None` for a token that stands in the configuration.
pub(super) fn finding(account: &Account) -> Option<Finding> {
    let Source::Obtained(way) = &account.source else { return None };
    let name = &account.settings.name;
    let descriptor = account.platform.descriptor();
    let number = descriptor.grant.as_ref().and_then(|grant| grant.number);
    let says = match (way, &account.redirect_uri, number) {
        (Way::Browser, Some(redirect_uri), _) => format!(
            "connect it with `livehook connect {name}` once livehook runs; the redirect address to register there is {redirect_uri}"
        ),
        (Way::Browser, None, Some(_)) => format!(
            "connect it with `livehook connect {name} --number` once livehook runs; for a browser, http.public_url is missing"
        ),
        (Way::Browser, None, None) => {
            "http.public_url is missing, so no browser can come back to connect it: add it".to_owned()
        }
        (Way::Password, ..) => "livehook logs in by itself, with username and password".to_owned(),
        (Way::Client, ..) => "livehook logs in by itself, with client_id and client_secret".to_owned(),
    };
    let is_good = !(*way == Way::Browser && account.redirect_uri.is_none() && number.is_none());
    Some(Finding { what: "access", is_good, says: format!("{name} ({}): {says}", descriptor.name) })
}
