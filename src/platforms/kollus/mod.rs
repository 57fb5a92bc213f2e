//! Kollus by Catenoid: Korean VOD and live platform. Its callbacks are unsigned forms, one URL each,
//! without id, time or name of what happened; its Live API can be read. See `README.md` for sources and quirks.

mod answers;
mod bookmark;
mod grant;
mod hash;
mod live;
mod poll;
mod progress;
mod pseudonym;
mod vod;
mod wire;

use self::pseudonym::Pseudonyms;
use crate::{
    model::{Attributes, EventType, Noun::*, RetrySchedule, Verb::*},
    platform::{
        AccountSettings, Api, BudgetScope, CallbackKind, Callbacks, Decoded, Delivery, Descriptor, GrantKind,
        Grants, Limits, Malformed, Platform, Poll, Priority, Questions, SettingKey, Status, Unverified,
        Verified, WatchKind, form::Form, signature,
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
        asking(
            "vod-play",
            "play",
            "may this viewer play this video?",
            &[EventType::of(Playback, Authorized), EventType::of(Playback, Denied)],
        ),
        asking(
            "live-play",
            "live-play",
            "may this viewer watch this broadcast?",
            &[EventType::of(Playback, Authorized), EventType::of(Playback, Denied)],
        ),
        asking(
            "download",
            "download",
            "may this viewer keep a copy, or play the one they kept?",
            &[
                EventType::of(Download, Authorized),
                EventType::of(Download, Denied),
                EventType::of(Download, Completed),
                EventType::of(Download, Played),
            ],
        ),
        asking(
            "next-episode",
            "next-episode",
            "which video comes next?",
            &[EventType::of(Playback, NextRequested)],
        ),
    ],
    // A retry comes 5 minutes after the last attempt was given up (connecting 2 s, answering 3 s), three
    // times, and may wait in a queue. The clocks are not ours, hence 30 s to the other side.
    retries: RetrySchedule { answer_seconds: 3, windows: &[(270, 355), (570, 660), (870, 970)] },
    api: Some(Api {
        base_url: "https://api-live-kr.kollus.com/api/v1/live/service-accounts",
        hosts: &["api-live-kr.kollus.com", "live-kr.kollus.com"],
        limits: Limits {
            scope: BudgetScope::Credential,
            gap_ms: 1000,
            per_minute: 60,
            routine_per_minute: 50,
            confirmations_per_minute: 18,
            backoff_max_seconds: 900,
        },
        stale_seconds: 30,
    }),
    grant: Some(GrantKind {
        auth_url: "https://live-kr.kollus.com",
        hosts: &["live-kr.kollus.com"],
        needs: &["client_id", "client_secret"],
        keys: &["client_id", "client_secret", "scopes"],
        echoes_state: true,
        number: None,
    }),
    watches: &[
        WatchKind {
            name: "channels",
            about: "live channels, each with its latest broadcast",
            every_seconds: 60,
            needs: &["token"],
            options: &[],
            emits: &[
                EventType::of(Channel, Discovered),
                EventType::of(Channel, Created),
                EventType::of(Channel, Updated),
                EventType::of(Channel, Removed),
                EventType::of(Broadcast, Discovered),
                EventType::of(Broadcast, Started),
                EventType::of(Broadcast, Updated),
                EventType::of(Broadcast, Paused),
                EventType::of(Broadcast, Resumed),
                EventType::of(Broadcast, Ended),
            ],
        },
        WatchKind {
            name: "broadcasts",
            about: "broadcasts that began since an hour before the last look, or were still going on then",
            every_seconds: 600,
            needs: &["token"],
            options: &[],
            emits: &[
                EventType::of(Broadcast, Discovered),
                EventType::of(Broadcast, Started),
                EventType::of(Broadcast, Updated),
                EventType::of(Broadcast, Paused),
                EventType::of(Broadcast, Resumed),
                EventType::of(Broadcast, Ended),
            ],
        },
    ],
    settings: &[
        SettingKey {
            name: "progress_fields",
            required: false,
            about: "the names this account gave to its progress (LMS) parameters, and the playback attribute each \
                    carries, such as { PT = \"play_seconds\", course = \"user_values.course\" }",
        },
        SettingKey {
            name: "progress_hash_key",
            required: false,
            about: "the key of the field hash of live progress; a wrong hash is counted and nothing else",
        },
        SettingKey {
            name: "security_key",
            required: false,
            about: "the key with which answers to players are signed; without it nothing is asked",
        },
        SettingKey {
            name: "user_key",
            required: false,
            about: "the custom key of the console, which names the security key to players",
        },
        SettingKey {
            name: "on_no_answer",
            required: false,
            about: "what viewers get when no decision service answers in time",
        },
        SettingKey { name: "questions", required: false, about: "how players' questions are answered" },
        SettingKey {
            name: "token",
            required: false,
            about: "a personal access token of the Live API, with the scope live:control; needed for polling only",
        },
    ],
};

/// Sent by Kollus's servers.
const fn server(name: &'static str, about: &'static str, emits: &'static [EventType]) -> CallbackKind {
    let secret_fields = &["stream_key"];
    let priority = Priority::High;
    CallbackKind { name, about, priority, from_browsers: false, emits, secret_fields, asks: None }
}

/// Sent by viewers' players, among them browsers; the next one repeats or replaces it.
const fn player(name: &'static str, about: &'static str, emits: &'static [EventType]) -> CallbackKind {
    let priority = Priority::Low;
    CallbackKind { name, about, priority, from_browsers: true, emits, secret_fields: &[], asks: None }
}

/// Sent by viewers' players, which wait for a signed answer.
const fn asking(
    name: &'static str,
    question: &'static str,
    about: &'static str,
    emits: &'static [EventType],
) -> CallbackKind {
    let (priority, secret_fields) = (Priority::Low, &["session_key"]);
    CallbackKind { name, about, priority, from_browsers: true, emits, secret_fields, asks: Some(question) }
}

impl Platform for Kollus {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }

    fn questions(&self) -> Option<&dyn Questions> {
        Some(self)
    }

    fn grants(&self) -> Option<&dyn Grants> {
        Some(self)
    }

    fn poll(&self) -> Option<&dyn Poll> {
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
        if let ("live-progress", Some(key)) = (delivery.callback.name, &account.progress_hash_key)
            && hash::is_wrong(&delivery.body, key)
        {
            fields.note("wrong-hash");
        }
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
            "bookmark" => bookmark::of(&mut fields, account),
            "vod-play" | "live-play" | "download" | "next-episode" => {
                Err(Malformed::because("it asked a question, and nobody waits for the answer any more"))
            }
            _ => Err(Malformed::because("Kollus has no such callback")),
        }?;
        let (extra, quirks) = fields.into_rest();
        // Under a pseudonym nobody knows what further fields of a player tell of a person.
        let is_pseudonymous = delivery.callback.from_browsers && Pseudonyms::of_account(account).is_some();
        observation.extra = if is_pseudonymous { Attributes::default() } else { extra };
        Ok(Decoded::Observed {
            content: form.content_hash(),
            observations: vec![observation],
            quirks,
            wakes: poll::wakes(delivery.callback.name, &form),
        })
    }

    fn stage(&self, sample: Vec<u8>, account: &AccountSettings) -> Vec<u8> {
        wire::owned_by(&sample, &account.service_account)
    }
}

#[cfg(test)]
mod tests;
