//! How channels and broadcasts are written.

use super::{Broadcast, Channel, ChannelOf, Dice, Empty, Options, World};
use crate::simulators::wire::Object;

/// Of 100 rows that could be written as last time, so many are written anew where scalars are mixed.
const REWRITTEN: u32 = 12;

impl World {
    /// Makes sure that the row of a channel is written.
    pub(super) fn write_channel(&mut self, place: usize) {
        let channel = &mut self.channels[place];
        let is_good = !channel.row.is_empty();
        if is_good && !(self.options.mixes_scalars && self.whim.chance(REWRITTEN)) {
            return;
        }
        let latest = channel.latest.map(|place| &self.broadcasts[place]);
        channel.row = Pen { options: &self.options, dice: &mut self.whim }.channel(channel, latest);
    }

    /// Makes sure that the row of a broadcast is written.
    pub(super) fn write_broadcast(&mut self, place: usize) {
        let broadcast = &mut self.broadcasts[place];
        let is_good = !broadcast.row.is_empty();
        if is_good && !(self.options.mixes_scalars && self.whim.chance(REWRITTEN)) {
            return;
        }
        let channel = &self.channels[broadcast.channel];
        broadcast.row = Pen { options: &self.options, dice: &mut self.whim }.broadcast(broadcast, channel);
    }
}

/// Writes values as this world does.
pub(super) struct Pen<'w> {
    pub(super) options: &'w Options,
    pub(super) dice: &'w mut Dice,
}

impl Pen<'_> {
    fn one_of(&mut self, values: &[&'static str]) -> &'static str {
        self.dice.pick::<&str>(values)
    }

    /// A boolean, as JSON.
    fn flag(&mut self, value: bool) -> &'static str {
        match (self.options.mixes_scalars, value) {
            (false, true) => "true",
            (false, false) => "false",
            (true, true) => self.one_of(&["true", "1", "\"1\"", "\"true\""]),
            (true, false) => self.one_of(&["false", "0", "\"0\"", "\"false\""]),
        }
    }

    /// A number, as JSON.
    pub(super) fn number(&mut self, value: usize) -> String {
        match if self.options.mixes_scalars { self.dice.below(3) } else { 0 } {
            0 => value.to_string(),
            1 => format!("\"{value}\""),
            _ => format!("{value}.0"),
        }
    }

    fn empty(&mut self) -> &'static str {
        match self.options.empty {
            Empty::Object => "{}",
            Empty::Array => "[]",
            Empty::Null => "null",
            Empty::Any => self.one_of(&["{}", "[]", "null"]),
        }
    }

    fn channel(&mut self, channel: &Channel, latest: Option<&Broadcast>) -> String {
        let mut row = Object::new();
        row.text("key", &channel.key).text("title", &channel.title);
        row.raw("is_shared", self.flag(true)).raw("use_chatting_service", self.flag(false));
        let mut policy = Object::new();
        let value = if self.options.mixes_scalars && self.dice.chance(50) { "1" } else { "\"1\"" };
        policy.text("type", "force_exclusive_player").raw("value", value);
        row.raw("media_player_policy", &policy.end());
        row.text("idle_screen_url", "https://img.example.com/a.jpg")
            .text("created_at", &channel.created.text);
        if self.options.shows_ingest {
            row.text("stream_key", &channel.stream_key);
            row.text("ingest_url", &format!("rtmp://ingest.example.com/live/{}", channel.stream_key));
        }
        match latest {
            Some(latest) => {
                let mut object = Object::new();
                if self.options.latest_has_key {
                    object.text("key", &latest.key).text("title", &latest.title);
                }
                self.course(&mut object, latest);
                row.raw("latest_broadcast", &object.end());
            }
            None => {
                row.raw("latest_broadcast", self.empty());
            }
        }
        row.end()
    }

    fn broadcast(&mut self, broadcast: &Broadcast, channel: &Channel) -> String {
        let mut row = Object::new();
        row.text("key", &broadcast.key).text("title", &broadcast.title);
        match self.options.channel_of {
            ChannelOf::Key => {
                row.text("channel_key", &channel.key);
            }
            ChannelOf::Object => {
                let mut object = Object::new();
                row.raw("channel", &object.text("key", &channel.key).text("title", &channel.title).end());
            }
            ChannelOf::Unsaid => {}
        }
        if self.options.shows_ingest {
            row.text("stream_key", &channel.stream_key);
        }
        self.course(&mut row, broadcast);
        row.text("created_at", &broadcast.started.text).end()
    }

    fn course(&mut self, object: &mut Object, broadcast: &Broadcast) {
        let text = |moment| Option::as_ref(moment).map(|moment: &super::Moment| moment.text.as_str());
        let is_onair =
            broadcast.is_live() && (broadcast.paused.is_none() || self.options.is_onair_while_paused);
        object.raw("is_onair", self.flag(is_onair)).text("started_at", &broadcast.started.text);
        object.text_or_null("paused_at", text(&broadcast.paused));
        object.text_or_null("ended_at", text(&broadcast.ended));
    }
}
