//! What a platform's tests have to know of its worlds.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use livehook::{
    access::AccessToken,
    model::AccountName,
    platform::{AccountSettings, Platform, WatchSettings},
    poll::Account,
    simulators::{Request, Simulator, dice::Dice},
};

use crate::support::world::{Told, Truth};

/// Misbehaviour: how much of it can be told from the truth?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mischief {
    /// Whoever reads closely sees that the answer is not all there is: it may happen at any time.
    Visible,
    /// Nobody can see it in one sweep: it must not happen in two that follow each other.
    Lie,
}

/// A random world of one platform, and who watches it.
pub trait Scene: Send + 'static {
    type World: Simulator + 'static;

    /// Another one for each seed.
    fn new(dice: &mut Dice) -> (Self, Self::World)
    where
        Self: Sized;

    /// When the world begins.
    fn begins_at(&self) -> Timestamp;

    /// The account that watches it.
    fn account(&self, name: &str) -> Account;

    /// Something happens.
    fn play(&mut self, world: &mut Self::World, dice: &mut Dice);

    /// Orders misbehaviour for the answer to this request, and says which; lies only if they are allowed.
    fn mislead(
        &mut self,
        world: &mut Self::World,
        request: &Request,
        dice: &mut Dice,
        may_lie: bool,
    ) -> Option<(Mischief, String)>;

    /// Whether every answer misleads for a while.
    fn keeps_misleading(&self) -> bool {
        false
    }

    /// From now on no answer misleads.
    fn calm(&mut self, _world: &mut Self::World) {}

    /// Everything that is there and watched.
    fn truth(&self, world: &Self::World) -> Truth;

    /// Whether what happens to it is watched.
    fn is_watched(&self, subject: &str) -> bool;

    /// The watch that shows all there is of a noun at every look.
    fn shown_by(&self) -> BTreeMap<&'static str, &'static str>;

    /// Splits off what the scene judges itself, and says what is wrong with it.
    fn judge(&self, _world: &Self::World, told: Vec<Told>) -> (Vec<Told>, Vec<String>) {
        (told, Vec::new())
    }

    /// How long after the last event everything may take to be told.
    fn settling(&self) -> Settling {
        Settling::SHORT
    }

    /// The longest interval of a watch.
    fn longest(&self) -> SignedDuration {
        let account = self.account("any");
        let longest = account.settings.watches.values().map(|watch| watch.every).max();
        longest.and_then(|every| SignedDuration::try_from(every).ok()).expect("something is watched")
    }

    /// Nouns that are seen by several watches, of which one says less than another.
    fn filled_in(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// What must pass before all is told.
#[derive(Clone, Copy, Debug)]
pub struct Settling {
    pub lasts: SignedDuration,
    /// How often what seems idle is asked again meanwhile.
    pub naps: i32,
}

impl Settling {
    /// With every sweep everything is read.
    pub const SHORT: Self = Self { lasts: SignedDuration::from_secs(70), naps: 0 };
}

/// How old an answer of a platform can be.
pub fn stale_for(platform: &dyn Platform) -> SignedDuration {
    let api = platform.descriptor().api.as_ref().expect("it is polled");
    SignedDuration::from_secs(i64::from(api.stale_seconds))
}

/// An account with watches, at a host of its own.
pub fn account(
    name: &str,
    service_account: &str,
    platform: &'static dyn Platform,
    watches: &BTreeMap<&'static str, WatchSettings>,
) -> Account {
    let mut settings = AccountSettings::new(AccountName::parse(name).unwrap(), service_account);
    settings.watches.clone_from(watches);
    let base_url = format!("https://{name}.example").parse().unwrap();
    Account { platform, settings, base_url, access: AccessToken::fixed(None, "") }
}
