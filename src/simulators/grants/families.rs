//! Families of tokens: what came of one consent or one login.

use jiff::{SignedDuration, Timestamp};

use super::Grants;

/// What becomes of a refresh token that is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// Another one takes its place. Whoever uses it again kills the family.
    Always,
    /// It stays, and no refresh token is answered.
    Never,
    /// It stays, and is answered again.
    Repeats,
    /// Another one takes its place every second time; in between it stays, and none is answered.
    Sometimes,
}

/// What came of one consent or one login.
#[derive(Clone, Debug)]
pub(super) struct Family {
    who: String,
    scope: String,
    /// Everything is revoked.
    is_killed: bool,
    /// How often it was refreshed.
    refreshed: usize,
}

/// What a token is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The API.
    Access,
    /// More tokens.
    Refresh,
}

/// A token that was issued.
#[derive(Clone, Debug)]
pub(super) struct Token {
    kind: Kind,
    family: usize,
    ends_at: Timestamp,
    /// Another one took its place, or it was revoked.
    is_replaced: bool,
}

/// What an access token is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It is good, and belongs to whom it says.
    Good(String),
    /// It was good.
    Expired,
    /// Revoked, or never issued.
    Worthless,
}

/// Why a refresh token is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefreshRefused {
    /// There never was one like this.
    Unknown,
    /// It was used before, or its family is revoked; the family is in any case now.
    Used,
    /// It is too old.
    Expired,
}

impl Grants {
    /// A new family.
    pub(in crate::simulators) fn open(&mut self, who: &str, scope: &str) -> usize {
        let [who, scope] = [who, scope].map(str::to_owned);
        self.families.push(Family { who, scope, is_killed: false, refreshed: 0 });
        self.families.len() - 1
    }

    /// Whose family this is, and what it may do.
    pub(in crate::simulators) fn family(&self, family: usize) -> (&str, &str) {
        let Family { who, scope, .. } = &self.families[family];
        (who, scope)
    }

    /// From now on this token is good.
    pub(in crate::simulators) fn issue(
        &mut self,
        token: &str,
        kind: Kind,
        family: usize,
        now: Timestamp,
        life: SignedDuration,
    ) {
        let ends_at = now.saturating_add(life).unwrap_or(Timestamp::MAX);
        self.tokens.insert(token.to_owned(), Token { kind, family, ends_at, is_replaced: false });
    }

    /// The family of a refresh token, if it is good. Whoever uses one that was replaced kills the family.
    pub(in crate::simulators) fn look_up_refresh(
        &mut self,
        token: &str,
        now: Timestamp,
    ) -> Result<usize, RefreshRefused> {
        let known = self.tokens.get(token).filter(|token| token.kind == Kind::Refresh);
        let Token { family, ends_at, is_replaced, .. } = *known.ok_or(RefreshRefused::Unknown)?;
        if is_replaced || self.families[family].is_killed {
            self.kill(family);
            return Err(RefreshRefused::Used);
        }
        if now >= ends_at { Err(RefreshRefused::Expired) } else { Ok(family) }
    }

    /// Uses a refresh token that was looked up; says the one that is to be answered, if any. Where it is a new one,
    /// it is `new`, which is still to be issued.
    pub(in crate::simulators) fn rotate(
        &mut self,
        token: &str,
        rotation: Rotation,
        new: String,
    ) -> Option<String> {
        let known = self.tokens.get_mut(token)?;
        let family = &mut self.families[known.family];
        family.refreshed += 1;
        match rotation {
            Rotation::Never => return None,
            Rotation::Repeats => return Some(token.to_owned()),
            Rotation::Sometimes if family.refreshed % 2 == 1 => return None,
            Rotation::Sometimes | Rotation::Always => {}
        }
        known.is_replaced = true;
        Some(new)
    }

    /// Revokes the access tokens of a family.
    pub(in crate::simulators) fn revoke_access(&mut self, family: usize) {
        let of_family =
            self.tokens.values_mut().filter(|token| token.kind == Kind::Access && token.family == family);
        of_family.for_each(|token| token.is_replaced = true);
    }

    /// What a token is worth at the API, which takes note of those that have expired.
    pub(in crate::simulators) fn standing(&mut self, token: &str, now: Timestamp) -> Standing {
        let standing = self.worth(token, now);
        self.expired_uses += usize::from(standing == Standing::Expired);
        standing
    }

    /// What a token is worth.
    pub(in crate::simulators) fn worth(&self, token: &str, now: Timestamp) -> Standing {
        let known = self.tokens.get(token).filter(|token| token.kind == Kind::Access && !token.is_replaced);
        let Some(token) = known else { return Standing::Worthless };
        let family = &self.families[token.family];
        if family.is_killed {
            return Standing::Worthless;
        }
        if now < token.ends_at { Standing::Good(family.who.clone()) } else { Standing::Expired }
    }

    /// Makes all access tokens too old, as far as they belong to `who`; to anybody, if that is `None`.
    pub fn expire_access(&mut self, who: Option<&str>, now: Timestamp) {
        for token in self.tokens.values_mut().filter(|token| token.kind == Kind::Access) {
            if who.is_none_or(|who| self.families[token.family].who == who) {
                token.ends_at = token.ends_at.min(now);
            }
        }
    }

    /// The same for refresh tokens.
    pub fn expire_refresh(&mut self, who: Option<&str>, now: Timestamp) {
        for token in self.tokens.values_mut().filter(|token| token.kind == Kind::Refresh) {
            if who.is_none_or(|who| self.families[token.family].who == who) {
                token.ends_at = token.ends_at.min(now);
            }
        }
    }

    /// Revokes everything that `who` agreed to, as a person can in the platform's settings; of everybody, if that is
    /// `None`. It does not count as killed.
    pub fn revoke(&mut self, who: Option<&str>) {
        let meant = self.families.iter_mut().filter(|family| who.is_none_or(|who| family.who == who));
        meant.for_each(|family| family.is_killed = true);
    }

    /// How many families were revoked because something of them was used a second time.
    pub fn killed_families(&self) -> usize {
        self.killed
    }

    pub(super) fn kill(&mut self, family: usize) {
        let family = &mut self.families[family];
        if !family.is_killed {
            family.is_killed = true;
            self.killed += 1;
        }
    }
}
