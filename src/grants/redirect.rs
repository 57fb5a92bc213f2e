//! What a browser brings back from a consent, and every way in which that can be wrong.
//!
//! Nothing is asked of the platform unless all of it is right (RFC 6749 §4.1.2 and §10.12, RFC 9207, RFC 9700 §4).

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// Longest code that is taken; real ones have some hundred bytes.
const CODE_BYTES_MAX: usize = 2048;
/// Parameters beyond this are nobody's answer.
const PARAMETERS_MAX: usize = 16;

/// Why a consent, or a step of it, is refused. Each has a page of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// No account of this name is linked with a browser.
    UnknownAccount,
    /// The link of the operator's side has no ticket.
    TicketMissing,
    /// Nobody was given this ticket, or a newer one took its place.
    TicketUnknown,
    /// The ticket was used before.
    TicketUsed,
    /// Ten minutes are over.
    Expired,
    /// The browser has no cookie: the consent was begun in another one.
    CookieMissing,
    /// The browser's cookie belongs to no consent that is under way.
    CookieUnknown,
    /// The browser's cookie belongs to another account.
    OtherAccount,
    /// The consent was used before.
    AlreadyUsed,
    /// Neither code nor error came.
    CodeMissing,
    /// Two codes came.
    CodeTwice,
    /// The code is longer than any real one.
    CodeTooLong,
    /// The code has characters that no code has.
    CodeUnreadable,
    /// A code and an error came.
    CodeAndError,
    /// This code came before.
    CodeSpent,
    /// What must come back as `state` did not.
    StateMissing,
    /// It came twice.
    StateTwice,
    /// It is not what was sent.
    StateWrong,
    /// The answer is another server's.
    IssuerWrong,
    /// More parameters than anybody sends.
    TooManyParameters,
    /// The person said no.
    Denied,
    /// The platform could not, or would not.
    PlatformError,
    /// The platform does not take the code.
    CodeRefused,
    /// The platform does not take the application.
    ApplicationRefused,
    /// The platform did not answer, or not in a way that can be understood.
    Unanswered,
    /// What came could not be kept.
    NotKept,
    /// Another consent of this account is being worked on.
    Busy,
    /// Nothing waits for a yes any more.
    NothingWaits,
    /// The form is not of the page that livehook showed.
    FormForged,
}

impl Refusal {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::UnknownAccount,
        Self::TicketMissing,
        Self::TicketUnknown,
        Self::TicketUsed,
        Self::Expired,
        Self::CookieMissing,
        Self::CookieUnknown,
        Self::OtherAccount,
        Self::AlreadyUsed,
        Self::CodeMissing,
        Self::CodeTwice,
        Self::CodeTooLong,
        Self::CodeUnreadable,
        Self::CodeAndError,
        Self::CodeSpent,
        Self::StateMissing,
        Self::StateTwice,
        Self::StateWrong,
        Self::IssuerWrong,
        Self::TooManyParameters,
        Self::Denied,
        Self::PlatformError,
        Self::CodeRefused,
        Self::ApplicationRefused,
        Self::Unanswered,
        Self::NotKept,
        Self::Busy,
        Self::NothingWaits,
        Self::FormForged,
    ];

    /// Its word in addresses and on metrics.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown-account",
            Self::TicketMissing => "ticket-missing",
            Self::TicketUnknown => "ticket-unknown",
            Self::TicketUsed => "ticket-used",
            Self::Expired => "expired",
            Self::CookieMissing => "cookie-missing",
            Self::CookieUnknown => "cookie-unknown",
            Self::OtherAccount => "other-account",
            Self::AlreadyUsed => "already-used",
            Self::CodeMissing => "code-missing",
            Self::CodeTwice => "code-twice",
            Self::CodeTooLong => "code-too-long",
            Self::CodeUnreadable => "code-unreadable",
            Self::CodeAndError => "code-and-error",
            Self::CodeSpent => "code-spent",
            Self::StateMissing => "state-missing",
            Self::StateTwice => "state-twice",
            Self::StateWrong => "state-wrong",
            Self::IssuerWrong => "issuer-wrong",
            Self::TooManyParameters => "too-many-parameters",
            Self::Denied => "denied",
            Self::PlatformError => "platform-error",
            Self::CodeRefused => "code-refused",
            Self::ApplicationRefused => "application-refused",
            Self::Unanswered => "unanswered",
            Self::NotKept => "not-kept",
            Self::Busy => "busy",
            Self::NothingWaits => "nothing-waits",
            Self::FormForged => "form-forged",
        }
    }

    /// The reverse of [`Refusal::slug`].
    pub fn of_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|refusal| refusal.slug() == slug)
    }

    /// What happened, and what to do, for the person at the browser.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::UnknownAccount => {
                "livehook has no account of this name that is connected with a browser. Check the name in your livehook.toml."
            }
            Self::TicketMissing => {
                "This address is not complete. Press Connect on livehook's own page, or run `livehook connect` again."
            }
            Self::TicketUnknown => {
                "This link is not known, or a newer one took its place. Press Connect again and use the new link."
            }
            Self::TicketUsed => {
                "This link was opened before, and each works once. Press Connect again, and open the new link in the browser you log in with."
            }
            Self::Expired => "More than ten minutes went by. Press Connect again; nothing was changed.",
            Self::CookieMissing => {
                "This browser did not begin here, or keeps no cookies. Press Connect again and do all of it in one browser window."
            }
            Self::CookieUnknown => {
                "This browser's connection attempt is not known any more: livehook was restarted, or a newer attempt took its place. Press Connect again."
            }
            Self::OtherAccount => {
                "This browser is connecting another account. Finish that one, then press Connect for this one."
            }
            Self::AlreadyUsed => {
                "This answer was used before: perhaps the page was loaded twice. Look at livehook's page whether the account is connected; if not, press Connect again."
            }
            Self::CodeMissing => {
                "The platform sent neither a code nor a reason. If you said no, nothing was connected; otherwise press Connect again."
            }
            Self::CodeTwice
            | Self::CodeUnreadable
            | Self::CodeTooLong
            | Self::CodeAndError
            | Self::TooManyParameters => {
                "The answer is not one that the platform would send, so livehook did not use it. Press Connect again; if this comes back, somebody tampers with your connection."
            }
            Self::CodeSpent => {
                "This code came before, so somebody may have copied it. It was not used. Press Connect again."
            }
            Self::StateMissing | Self::StateTwice | Self::StateWrong => {
                "The answer does not belong to what was begun in this browser, so livehook did not use it. Press Connect again, and do not follow such links from elsewhere."
            }
            Self::IssuerWrong => {
                "The answer comes from another server than the one you were sent to. It was not used. Check auth_url in your livehook.toml, then press Connect again."
            }
            Self::Denied => {
                "You said no, so nothing was connected. Press Connect again if you change your mind."
            }
            Self::PlatformError => {
                "The platform could not do it. Check client_id, scopes and the redirect address that is registered there, then press Connect again."
            }
            Self::CodeRefused => {
                "The platform did not accept its own code: it may have taken too long, or the registered redirect address differs. Press Connect again."
            }
            Self::ApplicationRefused => {
                "The platform does not accept the application. Correct client_id and client_secret in your livehook.toml, restart livehook, and press Connect again."
            }
            Self::Unanswered => {
                "The platform did not answer in a way that livehook understands. The consent is used up: wait a minute and press Connect again."
            }
            Self::NotKept => {
                "livehook could not write down what the platform sent. Look at its log and at its disk, then press Connect again."
            }
            Self::Busy => {
                "Another connection of this account is being worked on. Wait a moment and press Connect again."
            }
            Self::NothingWaits => {
                "There is nothing to confirm any more: ten minutes went by, or it was done before. Look at livehook's page, and press Connect again if the account is not connected."
            }
            Self::FormForged => {
                "This form was not sent from livehook's own page, so nothing was connected. Press Connect again."
            }
        }
    }
}

/// What an answer must agree with.
#[derive(Debug)]
pub(super) struct Expected<'e> {
    pub(super) oauth_state: &'e SecretString,
    /// Whether it always comes back at this platform.
    pub(super) is_echoed: bool,
    /// The authorisation server, scheme and host.
    pub(super) issuer: &'e str,
}

/// A code that may be exchanged.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) code: SecretString,
    /// What was sent as `state` came back with it.
    pub(super) is_state_proven: bool,
}

/// What the parameters of an answer say.
///
/// # Errors
/// [`Refusal`]. `Denied` and `PlatformError` are the platform's own; all others mean that the answer is not to be
/// believed.
pub(super) fn read(parameters: &[(String, String)], expected: &Expected<'_>) -> Result<Code, Refusal> {
    if parameters.len() > PARAMETERS_MAX {
        return Err(Refusal::TooManyParameters);
    }
    let all = |name: &str| {
        parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value).collect()
    };
    let (codes, states, issuers): (Vec<&str>, Vec<&str>, Vec<&str>) = (all("code"), all("state"), all("iss"));
    let errors: Vec<&str> = all("error");
    let is_state_proven = match (&*states, expected.is_echoed) {
        ([], false) => false,
        ([], true) => return Err(Refusal::StateMissing),
        ([state], _) => {
            let sent = expected.oauth_state.expose_secret().as_bytes();
            if !bool::from(state.as_bytes().ct_eq(sent)) {
                return Err(Refusal::StateWrong);
            }
            true
        }
        _ => return Err(Refusal::StateTwice),
    };
    if issuers.iter().any(|issuer| issuer.trim_end_matches('/') != expected.issuer) {
        return Err(Refusal::IssuerWrong);
    }
    match (&*codes, &*errors) {
        ([], []) => Err(Refusal::CodeMissing),
        ([], ["access_denied", ..]) => Err(Refusal::Denied),
        ([], _) => Err(Refusal::PlatformError),
        (_, [_, ..]) => Err(Refusal::CodeAndError),
        ([code], []) => {
            if code.is_empty() {
                return Err(Refusal::CodeMissing);
            }
            if code.len() > CODE_BYTES_MAX {
                return Err(Refusal::CodeTooLong);
            }
            // RFC 6749 appendix A.11.
            if !code.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
                return Err(Refusal::CodeUnreadable);
            }
            Ok(Code { code: (*code).into(), is_state_proven })
        }
        _ => Err(Refusal::CodeTwice),
    }
}

#[cfg(test)]
mod tests;
