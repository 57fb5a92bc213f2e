//! The one vocabulary of events: nouns, the verbs each noun has, and the phases an entity can be in.

use std::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every word, in the order of the public contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in event types, subjects and schemas.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The reverse of [`Self::as_str`]; `None` for a word that is not in the vocabulary.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What an event is about.
    Noun {
        /// One live session: Kollus broadcast, SOOP broadcast, OpenFRESH program, livedigital call.
        Broadcast = "broadcast",
        /// The lasting place a broadcast happens in.
        Channel = "channel",
        /// A livedigital space.
        Space = "space",
        /// A file made from a broadcast.
        Recording = "recording",
        /// A video-on-demand asset.
        Content = "content",
        /// An OpenFRESH comment.
        Comment = "comment",
        /// A SOOP category.
        Category = "category",
        /// An entry of a SOOP filter list.
        Filter = "filter",
        /// SOOP stream settings.
        Settings = "settings",
        /// A SOOP stream key, by keyed fingerprint only.
        StreamKey = "stream_key",
        /// A viewer playing.
        Playback = "playback",
        /// A viewer's offline copy.
        Download = "download",
        /// A viewer's bookmark or resume point.
        Bookmark = "bookmark",
        /// A token that livehook holds.
        Credential = "credential",
        /// livehook's own view of a platform account.
        Source = "source",
        /// A callback that could not be understood.
        Delivery = "delivery",
        /// A callback whose meaning is undocumented, or an unknown event name.
        Notice = "notice",
    }
}

words! {
    /// What happened to it: always a past participle, or `expiring`.
    Verb {
        /// First sight of something that was already there.
        Discovered = "discovered",
        /// It began.
        Started = "started",
        /// One or more attributes changed; `data.changes` says which.
        Updated = "updated",
        /// It stopped for now.
        Paused = "paused",
        /// It goes on after a pause.
        Resumed = "resumed",
        /// It is over.
        Ended = "ended",
        /// It came into being.
        Created = "created",
        /// It is gone.
        Removed = "removed",
        /// A file can be fetched.
        Available = "available",
        /// It did not succeed.
        Failed = "failed",
        /// A person stopped it before it came to anything.
        Aborted = "aborted",
        /// An original arrived at the platform.
        Uploaded = "uploaded",
        /// The platform finished transcoding.
        Transcoded = "transcoded",
        /// The platform could not transcode.
        TranscodingFailed = "transcoding_failed",
        /// Content was added to a channel.
        ChannelJoined = "channel_joined",
        /// Content was taken out of a channel.
        ChannelLeft = "channel_left",
        /// The key was replaced.
        Rotated = "rotated",
        /// A viewer played on.
        Progressed = "progressed",
        /// Access was granted, or consent was given.
        Authorized = "authorized",
        /// Access was refused.
        Denied = "denied",
        /// A player asked which video comes next.
        NextRequested = "next_requested",
        /// A download is whole.
        Completed = "completed",
        /// An offline copy was played.
        Played = "played",
        /// A bookmark or resume point was set, moved or deleted.
        Changed = "changed",
        /// A token was renewed.
        Refreshed = "refreshed",
        /// A token will end soon.
        Expiring = "expiring",
        /// A token could not be renewed.
        RefreshFailed = "refresh_failed",
        /// A token is no longer valid.
        Revoked = "revoked",
        /// A platform account cannot be read as it should be.
        Degraded = "degraded",
        /// It can be read again.
        Recovered = "recovered",
        /// The raw bytes were kept for a person to look at.
        Quarantined = "quarantined",
        /// It arrived, and that is all we know.
        Received = "received",
    }
}

words! {
    /// Where an entity stands; published as `data.<noun>.state`.
    Phase {
        /// On air.
        Live = "live",
        /// Interrupted, may go on.
        Paused = "paused",
        /// Over.
        Ended = "ended",
        /// A recording is being made.
        Recording = "recording",
        /// The file can be fetched.
        Available = "available",
        /// It did not succeed.
        Failed = "failed",
        /// Stopped by a person before it came to anything.
        Aborted = "aborted",
        /// The original is there.
        Uploaded = "uploaded",
        /// All profiles are there.
        Transcoded = "transcoded",
        /// Transcoding did not succeed.
        TranscodingFailed = "transcoding_failed",
    }
}

impl Noun {
    /// The verbs of this noun, in the order of the vocabulary.
    pub const fn verbs(self) -> &'static [Verb] {
        use Verb::*;
        match self {
            Noun::Broadcast => &[Discovered, Started, Updated, Paused, Resumed, Ended],
            Noun::Channel | Noun::Space | Noun::Category | Noun::Filter => {
                &[Discovered, Created, Updated, Removed]
            }
            Noun::Recording => &[Discovered, Started, Available, Failed, Aborted, Updated, Removed],
            Noun::Content => {
                &[Uploaded, Transcoded, TranscodingFailed, Updated, ChannelJoined, ChannelLeft, Removed]
            }
            Noun::Comment => &[Created],
            Noun::Settings => &[Discovered, Updated],
            Noun::StreamKey => &[Rotated],
            Noun::Playback => &[Progressed, Authorized, Denied, NextRequested],
            Noun::Download => &[Authorized, Denied, Completed, Played],
            Noun::Bookmark => &[Changed],
            Noun::Credential => &[Authorized, Refreshed, Expiring, RefreshFailed, Revoked],
            Noun::Source => &[Degraded, Recovered],
            Noun::Delivery => &[Quarantined],
            Noun::Notice => &[Received],
        }
    }

    /// Viewers' events: high in volume, short in retention, in a JetStream stream of their own.
    pub const fn is_playback(self) -> bool {
        matches!(self, Noun::Playback | Noun::Download | Noun::Bookmark)
    }

    /// What is known of it may be forgotten some days after it was last heard of.
    pub const fn fades(self) -> bool {
        self.is_playback() || matches!(self, Noun::Notice | Noun::Delivery)
    }
}

/// A noun with one of its verbs: `broadcast.started`. Only pairs of the vocabulary can be made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EventType {
    noun: Noun,
    verb: Verb,
}

impl EventType {
    /// `None` when `noun` has no such verb.
    pub const fn new(noun: Noun, verb: Verb) -> Option<Self> {
        let verbs = noun.verbs();
        let mut i = 0;
        while i < verbs.len() {
            if verbs[i] as u8 == verb as u8 {
                return Some(Self { noun, verb });
            }
            i += 1;
        }
        None
    }

    /// For tables of constants: a pair outside the vocabulary does not compile there.
    pub const fn of(noun: Noun, verb: Verb) -> Self {
        match Self::new(noun, verb) {
            Some(event_type) => event_type,
            None => panic!("the vocabulary has no such pair of noun and verb"),
        }
    }

    /// Every pair of the vocabulary.
    pub fn all() -> impl Iterator<Item = Self> {
        Noun::ALL.iter().flat_map(|&noun| noun.verbs().iter().map(move |&verb| Self { noun, verb }))
    }

    /// What the event is about.
    pub const fn noun(self) -> Noun {
        self.noun
    }

    /// What happened.
    pub const fn verb(self) -> Verb {
        self.verb
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.noun, self.verb)
    }
}
