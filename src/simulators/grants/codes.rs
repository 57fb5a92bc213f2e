//! Authorisation codes: good once, and for a short time.

use jiff::{SignedDuration, Timestamp};

use super::Grants;

/// What a person agreed to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Consent {
    /// Who agreed.
    pub who: String,
    /// To what, in words with spaces between them.
    pub scope: String,
    /// Where the code is sent to.
    pub redirect_uri: String,
    /// What only the right verifier fits (RFC 7636, S256).
    pub challenge: Option<String>,
}

/// A code that was written.
#[derive(Clone, Debug)]
pub(super) struct Code {
    consent: Consent,
    ends_at: Timestamp,
    /// What came of it, if it was used.
    family: Option<usize>,
}

/// Why a code is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeRefused {
    /// There never was one like this.
    Unknown,
    /// It was used before; what came of it is revoked.
    Used,
    /// It is too old.
    Expired,
}

impl Grants {
    /// From now on this code stands for a consent.
    pub(in crate::simulators) fn write_code(
        &mut self,
        code: String,
        consent: Consent,
        now: Timestamp,
        life: SignedDuration,
    ) {
        let ends_at = now.saturating_add(life).unwrap_or(Timestamp::MAX);
        self.codes.insert(code, Code { consent, ends_at, family: None });
    }

    /// What a code stands for, if it is good.
    pub(in crate::simulators) fn look_up(
        &mut self,
        code: &str,
        now: Timestamp,
    ) -> Result<Consent, CodeRefused> {
        let known = self.codes.get(code).ok_or(CodeRefused::Unknown)?;
        if let Some(family) = known.family {
            self.kill(family);
            return Err(CodeRefused::Used);
        }
        if now >= known.ends_at {
            return Err(CodeRefused::Expired);
        }
        Ok(known.consent.clone())
    }

    /// Uses a code that was looked up; says the family that comes of it.
    pub(in crate::simulators) fn redeem(&mut self, code: &str, consent: &Consent) -> usize {
        let family = self.open(&consent.who, &consent.scope);
        if let Some(known) = self.codes.get_mut(code) {
            known.family = Some(family);
        }
        family
    }
}
