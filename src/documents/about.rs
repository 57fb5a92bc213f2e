//! What each event type means, in a sentence for whoever consumes it.

use crate::model::{EventType, Noun, Verb};

/// The meaning of `event_type`; empty for one that nothing leads to yet.
pub fn about(event_type: EventType) -> &'static str {
    match (event_type.noun(), event_type.verb()) {
        (Noun::Broadcast, Verb::Started) => "A broadcast went on air.",
        (Noun::Broadcast, Verb::Updated) => "Something about a broadcast changed; `data.changes` says what.",
        (Noun::Broadcast, Verb::Paused) => "A broadcast was interrupted and may go on.",
        (Noun::Broadcast, Verb::Resumed) => "A broadcast goes on after an interruption.",
        (Noun::Broadcast, Verb::Ended) => "A broadcast is over.",
        (Noun::Recording, Verb::Started) => "A recording is being made.",
        (Noun::Recording, Verb::Available) => "A recording can be fetched from the platform.",
        (Noun::Recording, Verb::Failed) => "A recording did not succeed.",
        (Noun::Recording, Verb::Aborted) => "A recording was stopped by a person before it came to anything.",
        (Noun::Recording, Verb::Updated) => "Something about a recording changed; `data.changes` says what.",
        (Noun::Content, Verb::Uploaded) => "The original of a VOD asset arrived at the platform.",
        (Noun::Content, Verb::Transcoded) => "The platform finished transcoding a VOD asset.",
        (Noun::Content, Verb::TranscodingFailed) => "The platform could not transcode a VOD asset.",
        (Noun::Content, Verb::Updated) => {
            "A VOD asset was changed at the platform; `data.changes` says what, where livehook can tell."
        }
        (Noun::Content, Verb::ChannelJoined) => "A VOD asset was added to a channel.",
        (Noun::Content, Verb::ChannelLeft) => "A VOD asset was taken out of a channel.",
        (Noun::Content, Verb::Removed) => "A VOD asset is gone from the platform.",
        (Noun::Playback, Verb::Progressed) => {
            "A viewer played on. The figures are those of the session so far: overwrite, never add."
        }
        (Noun::Bookmark, Verb::Changed) => "A viewer's bookmark or resume point was set, moved or deleted.",
        (Noun::Delivery, Verb::Quarantined) => {
            "A callback could not be understood. Its bytes are kept: `livehook quarantine show`."
        }
        (Noun::Notice, Verb::Received) => {
            "A callback arrived whose meaning is undocumented; its fields are in `data.extra`."
        }
        _ => "",
    }
}
