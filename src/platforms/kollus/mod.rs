//! Kollus by Catenoid: Korean VOD and live platform. Its callbacks are unsigned forms, one URL each,
//! without id, time or name of what happened. See `README.md` for sources and quirks.

mod bookmark;
mod live;
mod progress;
mod vod;
mod wire;

use crate::{
    model::{EventType, Noun::*, RetrySchedule, Verb::*},
    platform::{
        AccountSettings, CallbackKind, Callbacks, Decoded, Delivery, Descriptor, Malformed, Platform,
        Priority, SettingKey, Status, Unverified, Verified, form::Form, signature,
    },
};

/// The platform.
pub struct Kollus;

static DESCRIPTOR: Descriptor = Descriptor {
    id: "kollus",
    name: "Kollus",
    docs: "https://docs.kollus.com/en/dev-guide/",
    status: Status::Working,
    callbacks: &[
        server(
            "live-state",
            "a broadcast starts, stops, pauses or resumes",
            &[
                EventType::of(Broadcast, Started),
                EventType::of(Broadcast, Paused),
                EventType::of(Broadcast, Resumed),
                EventType::of(Broadcast, Ended),
                EventType::of(Broadcast, Updated),
                EventType::of(Notice, Received),
            ],
        ),
        server(
            "live-recording",
            "a recording file was transferred, or could not be",
            &[
                EventType::of(Recording, Available),
                EventType::of(Recording, Failed),
                EventType::of(Recording, Updated),
                EventType::of(Notice, Received),
            ],
        ),
        server(
            "vod-upload",
            "an upload is complete",
            &[EventType::of(Content, Uploaded), EventType::of(Content, Updated)],
        ),
        server(
            "vod-transcoding",
            "transcoding ended, well or badly",
            &[
                EventType::of(Content, Transcoded),
                EventType::of(Content, TranscodingFailed),
                EventType::of(Notice, Received),
            ],
        ),
        server(
            "vod-content-update",
            "content was edited, moved or deleted",
            &[EventType::of(Content, Updated)],
        ),
        server(
            "vod-channel-join",
            "content was added to a channel",
            &[EventType::of(Content, ChannelJoined)],
        ),
        server(
            "vod-channel-leave",
            "content was taken out of a channel",
            &[EventType::of(Content, ChannelLeft)],
        ),
        server("vod-drop-off", "undocumented", &[EventType::of(Notice, Received)]),
        player("vod-progress", "how far a viewer has played a video", &[EventType::of(Playback, Progressed)]),
        player(
            "live-progress",
            "how long a viewer has watched a broadcast",
            &[EventType::of(Playback, Progressed)],
        ),
        player("bookmark", "a viewer set a bookmark or resume point", &[EventType::of(Bookmark, Changed)]),
    ],
    // A retry comes 5 minutes after the last attempt was given up (connecting 2 s, answering 3 s), three
    // times, and may wait in a queue. The clocks are not ours, hence 30 s to the other side.
    retries: RetrySchedule { answer_seconds: 3, windows: &[(270, 355), (570, 660), (870, 970)] },
    settings: &[SettingKey {
        name: "progress_fields",
        required: false,
        about: "the names this account gave to its progress (LMS) parameters, and the playback attribute each \
                carries, such as { PT = \"play_seconds\", course = \"user_values.course\" }",
    }],
};

/// Sent by Kollus's servers.
const fn server(name: &'static str, about: &'static str, emits: &'static [EventType]) -> CallbackKind {
    let secret_fields = &["stream_key"];
    CallbackKind { name, about, priority: Priority::High, from_browsers: false, emits, secret_fields }
}

/// Sent by viewers' players, among them browsers; the next one repeats or replaces it.
const fn player(name: &'static str, about: &'static str, emits: &'static [EventType]) -> CallbackKind {
    CallbackKind { name, about, priority: Priority::Low, from_browsers: true, emits, secret_fields: &[] }
}

impl Platform for Kollus {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }
}

impl Callbacks for Kollus {
    fn verify<'d>(&self, delivery: &'d Delivery, _: &AccountSettings) -> Result<Verified<'d>, Unverified> {
        Ok(signature::unsigned(delivery, "Kollus signs no callback and publishes no sender addresses"))
    }

    fn decode(&self, delivery: &Verified<'_>, account: &AccountSettings) -> Result<Decoded, Malformed> {
        let form = Form::decode(&delivery.body, delivery.content_type.as_deref(), account.charset)?;
        if form.is_empty() {
            return Ok(Decoded::Probe);
        }
        let mut fields = wire::Fields::of(&form, account)?;
        let mut observation = match delivery.callback.name {
            "live-state" => live::broadcast(&mut fields),
            "live-recording" => live::recording(&mut fields),
            "vod-upload" => vod::upload(&mut fields),
            "vod-transcoding" => vod::transcoding(&mut fields),
            "vod-content-update" => vod::content_update(&mut fields),
            "vod-channel-join" => vod::channel_join(&mut fields),
            "vod-channel-leave" => vod::channel_leave(&mut fields),
            "vod-drop-off" => vod::drop_off(&mut fields),
            "vod-progress" => progress::of(&mut fields, "vod", account),
            "live-progress" => progress::of(&mut fields, "live", account),
            "bookmark" => bookmark::of(&mut fields),
            _ => Err(Malformed::because("Kollus has no such callback")),
        }?;
        let (extra, quirks) = fields.into_rest();
        observation.extra = extra;
        Ok(Decoded::Observed { content: form.content_hash(), observations: vec![observation], quirks })
    }

    fn stage(&self, sample: Vec<u8>, account: &AccountSettings) -> Vec<u8> {
        wire::owned_by(&sample, &account.service_account)
    }
}

#[cfg(test)]
mod tests;
