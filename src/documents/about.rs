//! What each event type means, in a sentence for whoever consumes it.

use crate::model::{EventType, Noun, Verb};

/// The meaning of `event_type`; empty for one that nothing leads to yet.
pub fn about(event_type: EventType) -> &'static str {
    match (event_type.noun(), event_type.verb()) {
        (Noun::Broadcast, Verb::Discovered) => "A broadcast that was there before livehook looked.",
        (Noun::Broadcast, Verb::Started) => "A broadcast went on air.",
        (Noun::Broadcast, Verb::Updated) => "Something about a broadcast changed; `data.changes` says what.",
        (Noun::Broadcast, Verb::Paused) => "A broadcast was interrupted and may go on.",
        (Noun::Broadcast, Verb::Resumed) => "A broadcast goes on after an interruption.",
        (Noun::Broadcast, Verb::Ended) => "A broadcast is over.",
        (Noun::Channel, Verb::Discovered) => {
            "A channel, room or station that was there before livehook looked."
        }
        (Noun::Channel, Verb::Created) => "A channel, room or station was made.",
        (Noun::Channel, Verb::Updated) => "Something about a channel changed; `data.changes` says what.",
        (Noun::Channel, Verb::Removed) => "A channel or room is gone.",
        (Noun::Space, Verb::Discovered) => "A space that was there before livehook looked.",
        (Noun::Space, Verb::Created) => "A space was made.",
        (Noun::Space, Verb::Updated) => {
            "Something about a space, or its webhook, changed; `data.changes` says what."
        }
        (Noun::Space, Verb::Removed) => "A space is gone.",
        (Noun::Recording, Verb::Discovered) => "A recording that was there before livehook looked.",
        (Noun::Recording, Verb::Started) => "A recording is being made.",
        (Noun::Recording, Verb::Available) => "A recording can be fetched from the platform.",
        (Noun::Recording, Verb::Failed) => "A recording did not succeed.",
        (Noun::Recording, Verb::Aborted) => "A recording was stopped by a person before it came to anything.",
        (Noun::Recording, Verb::Updated) => "Something about a recording changed; `data.changes` says what.",
        (Noun::Recording, Verb::Removed) => "A recording is gone from the platform.",
        (Noun::Content, Verb::Uploaded) => "The original of a VOD asset arrived at the platform.",
        (Noun::Content, Verb::Transcoded) => "The platform finished transcoding a VOD asset.",
        (Noun::Content, Verb::TranscodingFailed) => "The platform could not transcode a VOD asset.",
        (Noun::Content, Verb::Updated) => {
            "A VOD asset was changed at the platform; `data.changes` says what, where livehook can tell."
        }
        (Noun::Content, Verb::ChannelJoined) => "A VOD asset was added to a channel.",
        (Noun::Content, Verb::ChannelLeft) => "A VOD asset was taken out of a channel.",
        (Noun::Content, Verb::Removed) => "A VOD asset is gone from the platform.",
        (Noun::Comment, Verb::Created) => "A viewer wrote a comment.",
        (Noun::Category, Verb::Discovered) => "A category that was there before livehook looked.",
        (Noun::Category, Verb::Created) => "The platform added a category.",
        (Noun::Category, Verb::Updated) => "A category was renamed or moved; `data.changes` says how.",
        (Noun::Category, Verb::Removed) => "The platform took a category away.",
        (Noun::Filter, Verb::Discovered) => {
            "An entry of a filter list that was there before livehook looked."
        }
        (Noun::Filter, Verb::Created) => {
            "Something was put on a filter list: its broadcasts vanish from answers."
        }
        (Noun::Filter, Verb::Updated) => "An entry of a filter list changed; `data.changes` says how.",
        (Noun::Filter, Verb::Removed) => "Something was taken off a filter list.",
        (Noun::Settings, Verb::Discovered) => "How a streamer has set up the next broadcast, at first sight.",
        (Noun::Settings, Verb::Updated) => "A streamer changed the set-up; `data.changes` says what.",
        (Noun::StreamKey, Verb::Rotated) => "A stream key was replaced. Only its fingerprint is told.",
        (Noun::Playback, Verb::Progressed) => {
            "A viewer played on. The figures are those of the session so far: overwrite, never add."
        }
        (Noun::Playback, Verb::Authorized) => "A player asked whether a viewer may play, and was told yes.",
        (Noun::Playback, Verb::Denied) => "A player asked whether a viewer may play, and was told no.",
        (Noun::Playback, Verb::NextRequested) => "A player asked which video comes next.",
        (Noun::Download, Verb::Authorized) => "A viewer may keep a copy on a device.",
        (Noun::Download, Verb::Denied) => {
            "A viewer may not keep a copy, or may not play the one on a device."
        }
        (Noun::Download, Verb::Completed) => "A copy was stored on a device.",
        (Noun::Download, Verb::Played) => "A copy on a device is played; told when the device is online.",
        (Noun::Bookmark, Verb::Changed) => "A viewer's bookmark or resume point was set, moved or deleted.",
        (Noun::Credential, Verb::Authorized) => "livehook was given access to an account, or another access.",
        (Noun::Credential, Verb::Refreshed) => "An access token was renewed.",
        (Noun::Credential, Verb::Expiring) => {
            "Access ends soon and livehook cannot renew it: a person must do something."
        }
        (Noun::Credential, Verb::RefreshFailed) => "An access token could not be renewed; `reason` says why.",
        (Noun::Credential, Verb::Revoked) => {
            "Access is over: nothing is read of the account until a person does something."
        }
        (Noun::Source, Verb::Degraded) => {
            "Three sweeps in a row failed: what the platform does not push is not noticed."
        }
        (Noun::Source, Verb::Recovered) => "A watch can be read again.",
        (Noun::Delivery, Verb::Quarantined) => {
            "A callback could not be understood. Its bytes are kept: `livehook quarantine show`."
        }
        (Noun::Notice, Verb::Received) => {
            "A callback arrived whose meaning is undocumented; its fields are in `data.extra`."
        }
        _ => "",
    }
}
