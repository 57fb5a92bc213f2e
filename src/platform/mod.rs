//! What a platform must be. Knows `model`, does no IO: a platform gets bytes and returns values.

pub mod delivery;
pub mod descriptor;
pub mod exchange;
pub mod form;
pub mod grant;
pub mod json;
pub mod listed;
pub mod oauth;
pub mod paging;
pub mod poll;
pub mod question;
pub mod retry_after;
pub mod seal;
pub mod settings;
pub mod signature;

pub use delivery::{Decoded, Delivery, Malformed};
pub use descriptor::{
    Api, BudgetScope, CallbackKind, Descriptor, GrantKind, Limits, OptionKind, Priority, SettingKey, Status,
    WatchKind, WatchOption,
};
pub use exchange::{ApiRequest, ApiResponse, Bearer, Failure};
pub use grant::{Consent, Denial, Described, Errand, Grants, Obtain, Tokens, Way};
pub use listed::Listed;
pub use poll::{Coverage, Findings, Listing, Poll, Sighting, SweepTask, Wake, Walk};
pub use question::{
    Answer, Asked, BadReply, DecidedBy, Decision, Exchange, NoAnswer, OnNoAnswer, Question, QuestionDocument,
    Questions, Ruling,
};
pub use seal::Seal;
pub use settings::{AccountSettings, QuestionSettings, WatchSettings};
pub use signature::{Unverified, Verified};

/// One live-video service. Capabilities are separate: a platform without callbacks has no callback code.
pub trait Platform: Send + Sync {
    /// The facts about it.
    fn descriptor(&self) -> &'static Descriptor;

    /// How it calls us; `None` for a platform without push.
    fn callbacks(&self) -> Option<&dyn Callbacks> {
        None
    }

    /// How it asks whether a viewer may; `None` for a platform whose callbacks need no answer.
    fn questions(&self) -> Option<&dyn Questions> {
        None
    }

    /// How it gives access; `None` for a platform whose API needs none, or that has none.
    fn grants(&self) -> Option<&dyn Grants> {
        None
    }

    /// How its API is read; `None` for a platform without watches.
    fn poll(&self) -> Option<&dyn Poll> {
        None
    }
}

/// How a platform calls us. All methods are pure and fast: they run on the request's path.
pub trait Callbacks: Send + Sync {
    /// Did the platform send these bytes? Runs before anything parses them.
    ///
    /// # Errors
    /// [`Unverified`] when the proof that the platform gives is missing or wrong; answered with 401.
    fn verify<'d>(
        &self,
        delivery: &'d Delivery,
        account: &AccountSettings,
    ) -> Result<Verified<'d>, Unverified>;

    /// What do they say?
    ///
    /// # Errors
    /// [`Malformed`] when it cannot be told: the bytes are quarantined and answered with 200, because a
    /// retry would bring the same bytes.
    fn decode(&self, delivery: &Verified<'_>, account: &AccountSettings) -> Result<Decoded, Malformed>;

    /// A documented sample as the platform would send it for this account: signed with its key, with its
    /// names. For `livehook send` and `demo`.
    fn stage(&self, sample: Vec<u8>, _account: &AccountSettings) -> Vec<u8> {
        sample
    }
}
