//! What a decision service may reply, as types, for the published schemas. A reply is read by `reply.rs`, which has
//! sentences for what is wrong; that both say the same is tested.

#![allow(dead_code, reason = "only their schemas are used")]

use schemars::{JsonSchema, Schema, generate::SchemaSettings, schema_for};

use super::{
    download::DownloadQuestion,
    next_episode::NextEpisodeQuestion,
    play::{LivePlayQuestion, PlayQuestion},
    reply::{COUNT_MAX, EXPIRES_AT_MAX, KEY_BYTES_MAX, MESSAGE_CHARS_MAX, SECONDS_MAX, URL_BYTES_MAX},
};
use crate::platform::QuestionDocument;

/// Text for people.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Text(
    #[schemars(length(max = MESSAGE_CHARS_MAX), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))] String,
);

/// A time in Unix seconds.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Moment(#[schemars(range(min = 0, max = EXPIRES_AT_MAX))] i64);

/// Yes or no.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Result {
    /// The viewer may.
    Allow,
    /// The viewer may not.
    Deny,
}

/// May the viewer play this video? What is left out is not limited, or as the channel is set up.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlayReply {
    /// Whether the viewer may.
    result: Result,
    /// Shown to a viewer who may not; on PCs only if the link says so.
    message: Option<Text>,
    /// Why, for the event that is published; the viewer does not see it.
    reason: Option<Text>,
    /// Stage `begin`: when the right to play ends, in Unix seconds; 0 for never. The past is accepted, and means that it
    /// has ended.
    expires_at: Option<Moment>,
    /// Stage `begin`: after how many seconds playback stops; 0 for no limit.
    #[schemars(range(min = 0, max = SECONDS_MAX))]
    play_limit_seconds: Option<i64>,
    /// Stage `begin`: the only part that may be played.
    preview: Option<Preview>,
    /// Stage `begin`: whether the player refuses virtual machines; PCs only, `true` unless said otherwise.
    virtual_machine_check: Option<bool>,
    /// Stage `begin`: whether the picture may go out to another screen.
    tv_out: Option<bool>,
    /// Stage `ready`: whether the right to play has ended.
    expired: Option<bool>,
}

/// May the viewer watch this broadcast? Kollus's documentation of this answer could not be read: what a video's answer
/// has is taken over where it makes sense.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct LivePlayReply {
    /// Whether the viewer may.
    result: Result,
    /// Shown to a viewer who may not.
    message: Option<Text>,
    /// Why, for the event that is published; the viewer does not see it.
    reason: Option<Text>,
    /// When the right to watch ends, in Unix seconds; 0 for never.
    expires_at: Option<Moment>,
    /// After how many seconds playback stops; 0 for no limit.
    #[schemars(range(min = 0, max = SECONDS_MAX))]
    play_limit_seconds: Option<i64>,
    /// Whether the player refuses virtual machines; PCs only.
    virtual_machine_check: Option<bool>,
    /// Whether the picture may go out to another screen.
    tv_out: Option<bool>,
}

/// A part of a video; `to_seconds` is greater than `from_seconds`.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct Preview {
    /// Where it begins.
    #[schemars(range(min = 0, max = SECONDS_MAX))]
    from_seconds: i64,
    /// Where it ends.
    #[schemars(range(min = 1, max = SECONDS_MAX))]
    to_seconds: i64,
}

/// May the viewer keep a copy, or play the one they kept? A limit that a device has got cannot be taken back. What is
/// left out is not limited, or stays as it is.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct DownloadReply {
    /// Whether the viewer may. For `completed`, `deny` only means that it need not be told again.
    result: Result,
    /// Shown to a viewer who may not, or whose copy is deleted.
    message: Option<Text>,
    /// Why, for the event that is published; the viewer does not see it.
    reason: Option<Text>,
    /// `download` and `play`: when the copy expires, in Unix seconds; 0 for never. The past is accepted, and means that
    /// it has expired.
    expires_at: Option<Moment>,
    /// `download` and `play`: how often it may be played; 0 for no limit.
    #[schemars(range(min = 0, max = COUNT_MAX))]
    count_limit: Option<i64>,
    /// `download` and `play`: for how many seconds it may be played, 60 to 604800; 0 for no limit.
    #[schemars(range(min = 0, max = 604800), extend("not" = { "type": "integer", "minimum": 1, "maximum": 59 }))]
    play_limit_seconds: Option<i64>,
    /// `download`: whether `play_limit_seconds` counts only while it plays.
    counts_play_time_only: Option<bool>,
    /// `download`: whether the player asks the viewer before it refreshes the copy.
    refresh_popup: Option<bool>,
    /// `download`: whether the player refuses virtual machines; PCs only, `true` unless said otherwise.
    virtual_machine_check: Option<bool>,
    /// `download` and `play`: whether the player asks each time the copy is played.
    check_at_every_play: Option<bool>,
    /// `download`: what the viewer may do with bookmarks while offline.
    offline_bookmark: Option<OfflineBookmark>,
    /// `completed` and `play`: when the player must ask again, in Unix seconds; 0 for not at all.
    check_at: Option<Moment>,
    /// `play`: `true` ends the right now; `false` does not bring it back.
    expired: Option<bool>,
    /// `completed` and `play`: whether the copy is deleted.
    delete: Option<bool>,
    /// `play`: `true` gives the right back; players ignore it if `expired` is `true`.
    restore: Option<bool>,
}

/// Bookmarks while offline.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfflineBookmark {
    /// Whether they are stored with the copy.
    download: bool,
    /// Whether they can only be read.
    read_only: bool,
}

/// Which video comes next? `allow` needs `content_key` or `url`. Kollus's documentation of the answer's names could not
/// be read: `next_episode_answer` of the account says them.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("if" = { "properties": { "result": { "const": "allow" } } },
    "then" = { "anyOf": [
        { "required": ["content_key"], "properties": { "content_key": { "type": "string" } } },
        { "required": ["url"], "properties": { "url": { "type": "string" } } },
    ] }))]
struct NextEpisodeReply {
    /// Whether there is one.
    result: Result,
    /// Shown to the viewer.
    message: Option<Text>,
    /// Why, for the event that is published; the viewer does not see it.
    reason: Option<Text>,
    /// The media content key of the next video.
    #[schemars(length(min = 1, max = KEY_BYTES_MAX), regex(pattern = r"^[!-~]*$"))]
    content_key: Option<String>,
    /// A link that plays the next video. It is not published: whoever has it can play.
    #[schemars(length(max = URL_BYTES_MAX), regex(pattern = r"^[hH][tT][tT][pP][sS]?://[!-~]+$"))]
    url: Option<String>,
}

/// The schema of what is written, in which only what is always there is required.
fn written<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// Everything that is asked, in the order of the callbacks.
pub fn all() -> Vec<QuestionDocument> {
    vec![
        QuestionDocument {
            name: "play",
            about: "May this viewer play this video? Asked twice for one playback.",
            asked: written::<PlayQuestion>(),
            reply: schema_for!(PlayReply),
        },
        QuestionDocument {
            name: "live-play",
            about: "May this viewer watch this broadcast?",
            asked: written::<LivePlayQuestion>(),
            reply: schema_for!(LivePlayReply),
        },
        QuestionDocument {
            name: "download",
            about: "May this viewer keep a copy on a device, or play the one that is there?",
            asked: written::<DownloadQuestion>(),
            reply: schema_for!(DownloadReply),
        },
        QuestionDocument {
            name: "next-episode",
            about: "Which video comes next?",
            asked: written::<NextEpisodeQuestion>(),
            reply: schema_for!(NextEpisodeReply),
        },
    ]
}
