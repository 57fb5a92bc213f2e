//! Consents under way: begun by an operator, bound to one browser, used once, within ten minutes.
//!
//! They live in memory: after a restart the person begins again. One at a time for each account; a newer one takes the
//! place of an older one.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

use super::{
    Account, Linked, Source,
    redirect::{self, Expected, Refusal},
};
use crate::{
    model::AccountName,
    platform::{AccountSettings, Consent, Descriptor, Platform, Way},
    ports::{Clock, Entropy},
};

/// How long a consent may take, from the operator's button to the last click.
pub const LIFE: SignedDuration = SignedDuration::from_mins(10);
/// A code that comes twice within this time was copied.
const CODE_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// Codes that are remembered.
const CODES_MAX: usize = 10_000;

type Digest32 = [u8; 32];

/// All consents under way; a cheap handle that can be cloned.
#[derive(Clone)]
pub struct Flows(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// What can be connected with a browser.
    places: BTreeMap<AccountName, Place>,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    flows: BTreeMap<AccountName, Flow>,
    /// Hashes of codes that were taken, oldest first.
    codes: VecDeque<(Timestamp, Digest32)>,
}

/// Where an account's consent is given.
struct Place {
    platform: &'static dyn Platform,
    settings: AccountSettings,
    auth_url: Url,
    redirect_uri: String,
    issuer: String,
}

struct Flow {
    began_at: Timestamp,
    ticket: Digest32,
    cookie: Digest32,
    oauth_state: SecretString,
    verifier: SecretString,
    form_key: SecretString,
    stage: Stage,
}

enum Stage {
    /// The operator has a ticket.
    Begun,
    /// A browser has the cookie, and was sent to the platform.
    Sent,
    /// The browser came back; its code is being exchanged.
    Returned,
    /// Its end, for the page.
    Ended(Ending),
}

/// How a consent ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Tokens came.
    Linked(Linked),
    /// None did.
    Refused(Refusal),
}

/// What the operator's side gets.
#[derive(Debug)]
pub struct Begun {
    /// Opens `/oauth/{account}/begin`, once.
    pub ticket: SecretString,
    /// Until when all must be done.
    pub expires_at: Timestamp,
}

/// Where a browser is sent.
#[derive(Debug)]
pub struct Sent {
    /// The platform's page.
    pub url: Url,
    /// Value of the cookie that binds the consent to this browser.
    pub cookie: SecretString,
}

/// A consent that may be exchanged.
#[derive(Debug)]
pub struct Returned {
    /// Whose.
    pub account: AccountName,
    /// As [`Obtain::Code`](crate::platform::Obtain::Code) wants it.
    pub(super) code: SecretString,
    pub(super) verifier: SecretString,
    pub(super) redirect_uri: String,
    /// What was sent as `state` came back, so nobody has put in a code of their own.
    pub(super) is_state_proven: bool,
}

/// What the page of a consent shows.
#[derive(Debug)]
pub struct View {
    /// How it ended.
    pub ending: Ending,
    /// What a form of that page must carry.
    pub form_key: SecretString,
}

impl Flows {
    pub(super) fn new(accounts: &[Account], clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let places = accounts.iter().filter_map(|account| {
            let Source::Obtained(Way::Browser) = account.source else { return None };
            let place = Place {
                platform: account.platform,
                settings: account.settings.clone(),
                issuer: account.auth_url.origin().ascii_serialization(),
                auth_url: account.auth_url.clone(),
                redirect_uri: account.redirect_uri.clone()?,
            };
            Some((account.settings.name.clone(), place))
        });
        let places = places.collect();
        Self(Arc::new(Inner { clock, entropy, places, now: Mutex::default() }))
    }

    /// The platform of an account that is connected with a browser.
    pub fn platform(&self, account: &AccountName) -> Option<&'static Descriptor> {
        self.0.places.get(account).map(|place| place.platform.descriptor())
    }

    /// Begins a consent, on the operator's side.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`].
    pub fn begin(&self, account: &AccountName) -> Result<Begun, Refusal> {
        if !self.0.places.contains_key(account) {
            return Err(Refusal::UnknownAccount);
        }
        let (ticket, began_at) = (self.secret(), self.0.clock.now());
        let flow = Flow {
            began_at,
            ticket: digest(&ticket),
            cookie: digest(&self.secret()),
            oauth_state: self.secret(),
            verifier: self.secret(),
            form_key: self.secret(),
            stage: Stage::Begun,
        };
        self.now().flows.insert(account.clone(), flow);
        Ok(Begun { ticket, expires_at: began_at.checked_add(LIFE).unwrap_or(Timestamp::MAX) })
    }

    /// Takes the ticket, and says where the browser goes.
    ///
    /// # Errors
    /// [`Refusal`] by what is wrong with the ticket.
    pub fn send(&self, account: &AccountName, ticket: Option<&str>) -> Result<Sent, Refusal> {
        let place = self.0.places.get(account).ok_or(Refusal::UnknownAccount)?;
        let ticket = ticket.filter(|ticket| !ticket.is_empty()).ok_or(Refusal::TicketMissing)?;
        let (cookie, now) = (self.secret(), self.0.clock.now());
        let mut all = self.now();
        let flow = all.flows.get_mut(account).filter(|flow| is(&flow.ticket, ticket));
        let flow = flow.ok_or(Refusal::TicketUnknown)?;
        if flow.is_over(now) {
            return Err(Refusal::Expired);
        }
        if !matches!(flow.stage, Stage::Begun) {
            return Err(Refusal::TicketUsed);
        }
        let consent = Consent {
            redirect_uri: &place.redirect_uri,
            oauth_state: &flow.oauth_state,
            verifier: &flow.verifier,
        };
        let url = place.platform.grants();
        let url = url.and_then(|grants| grants.consent_url(&place.settings, &place.auth_url, &consent));
        let url = url.ok_or(Refusal::UnknownAccount)?;
        flow.cookie = digest(&cookie);
        flow.stage = Stage::Sent;
        Ok(Sent { url, cookie })
    }

    /// Takes what a browser brought back. Of any number at the same time, one is let through.
    ///
    /// # Errors
    /// [`Refusal`]: nothing may be asked of the platform.
    pub fn take(
        &self,
        account: &AccountName,
        cookie: Option<&str>,
        parameters: &[(String, String)],
    ) -> Result<Returned, Refusal> {
        let place = self.0.places.get(account).ok_or(Refusal::UnknownAccount)?;
        let now = self.0.clock.now();
        let mut all = self.now();
        let Now { flows, codes } = &mut *all;
        let flow = bound(flows, account, cookie)?;
        if flow.is_over(now) {
            return Err(Refusal::Expired);
        }
        if !matches!(flow.stage, Stage::Sent) {
            return Err(Refusal::AlreadyUsed);
        }
        let is_echoed = place.platform.descriptor().grant.as_ref().is_some_and(|grant| grant.echoes_state);
        let expected = Expected { oauth_state: &flow.oauth_state, is_echoed, issuer: &place.issuer };
        let code = match redirect::read(parameters, &expected) {
            Ok(code) => code,
            // What the platform itself says ends it. Anything else may be somebody else's doing, and the person's own
            // answer may still come.
            Err(refusal @ (Refusal::Denied | Refusal::PlatformError)) => {
                flow.stage = Stage::Ended(Ending::Refused(refusal));
                return Err(refusal);
            }
            Err(refusal) => return Err(refusal),
        };
        while codes.front().is_some_and(|(at, _)| now.duration_since(*at) > CODE_KEPT)
            || codes.len() >= CODES_MAX
        {
            codes.pop_front();
        }
        let hash = digest(&code.code);
        if codes.iter().any(|(_, known)| *known == hash) {
            flow.stage = Stage::Ended(Ending::Refused(Refusal::CodeSpent));
            return Err(Refusal::CodeSpent);
        }
        codes.push_back((now, hash));
        flow.stage = Stage::Returned;
        Ok(Returned {
            account: account.clone(),
            code: code.code,
            verifier: flow.verifier.clone(),
            redirect_uri: place.redirect_uri.clone(),
            is_state_proven: code.is_state_proven,
        })
    }

    /// Notes how a consent ended, for its page.
    pub fn end(&self, account: &AccountName, cookie: Option<&str>, ending: Ending) {
        if let Ok(flow) = bound(&mut self.now().flows, account, cookie) {
            flow.stage = Stage::Ended(ending);
        }
    }

    /// How the consent of this browser ended; `None` if it did not, or is none.
    pub fn view(&self, account: &AccountName, cookie: Option<&str>) -> Option<View> {
        let now = self.0.clock.now();
        let mut all = self.now();
        let flow = bound(&mut all.flows, account, cookie).ok()?;
        // Its page may be looked at for a while longer than it may be used.
        if now.duration_since(flow.began_at) > LIFE + LIFE {
            return None;
        }
        match &flow.stage {
            Stage::Ended(ending) => Some(View { ending: ending.clone(), form_key: flow.form_key.clone() }),
            _ => None,
        }
    }

    /// The name of the link that waits for this browser's yes or no.
    ///
    /// # Errors
    /// [`Refusal`] if the form is not of the page that this browser was shown, or nothing waits.
    pub fn confirm(
        &self,
        account: &AccountName,
        cookie: Option<&str>,
        form_key: &str,
    ) -> Result<String, Refusal> {
        let now = self.0.clock.now();
        let mut all = self.now();
        let flow = bound(&mut all.flows, account, cookie)?;
        if !is(&digest(&flow.form_key), form_key) {
            return Err(Refusal::FormForged);
        }
        match &flow.stage {
            Stage::Ended(Ending::Linked(Linked::Waiting { link, .. })) if !flow.is_over(now) => {
                Ok(link.clone())
            }
            _ => Err(Refusal::NothingWaits),
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// 256 random bits as text for addresses.
    fn secret(&self) -> SecretString {
        let mut bytes = [0; 32];
        self.0.entropy.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes).into()
    }
}

impl Flow {
    fn is_over(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.began_at);
        // Before it began: the clock was set back, and nobody knows how old it is.
        age > LIFE || age.is_negative()
    }
}

/// The consent that a browser's cookie belongs to.
fn bound<'f>(
    flows: &'f mut BTreeMap<AccountName, Flow>,
    account: &AccountName,
    cookie: Option<&str>,
) -> Result<&'f mut Flow, Refusal> {
    let cookie = cookie.filter(|cookie| !cookie.is_empty()).ok_or(Refusal::CookieMissing)?;
    let owner = flows.iter().find(|(_, flow)| is(&flow.cookie, cookie)).map(|(name, _)| name.clone());
    match owner {
        Some(owner) if owner == *account => flows.get_mut(account).ok_or(Refusal::CookieUnknown),
        Some(_) => Err(Refusal::OtherAccount),
        None => Err(Refusal::CookieUnknown),
    }
}

fn digest(secret: &SecretString) -> Digest32 {
    Sha256::digest(secret.expose_secret()).into()
}

/// Whether a hash is that of `text`; takes the same time whatever the answer.
fn is(hash: &Digest32, text: &str) -> bool {
    hash.ct_eq(&digest(&text.into())).into()
}

#[cfg(test)]
mod tests;
