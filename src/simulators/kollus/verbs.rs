//! What can happen in a world. Each verb is written to the journal and makes the callback that Kollus sends.

use super::{Broadcast, Channel, Moment, World};
use crate::simulators::{Push, Transition};

/// What keys are made of.
const KEY_LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const FORM: &str = "application/x-www-form-urlencoded";
/// Of the callbacks.
const VERSION: &str = "2018-11-01";

impl World {
    /// A new channel; says its key.
    pub fn add_channel(&mut self, title: &str) -> String {
        let key = self.key(16);
        self.channel_order.push(self.channels.len());
        let channel = Channel {
            key: key.clone(),
            title: title.to_owned(),
            stream_key: self.key(8),
            created: Moment::with_offset(self.now),
            is_trashed: false,
            latest: None,
            row: String::new(),
        };
        self.channels.push(channel);
        self.tell("channel", &key, "created");
        key
    }

    /// `false` if there is no such channel, or it has that name already.
    pub fn rename_channel(&mut self, key: &str, title: &str) -> bool {
        let Some(place) = self.place_of(key).filter(|place| self.channels[*place].title != title) else {
            return false;
        };
        title.clone_into(&mut self.channels[place].title);
        self.channels[place].row.clear();
        // They show the name of their channel.
        self.broadcasts
            .iter_mut()
            .filter(|broadcast| broadcast.channel == place)
            .for_each(|it| it.row.clear());
        self.tell("channel", key, "updated");
        true
    }

    /// Puts a channel into the bin; what is live in it ends first. `false` if there is no such channel.
    pub fn trash_channel(&mut self, key: &str) -> bool {
        self.stop(key);
        let Some(place) = self.place_of(key) else { return false };
        self.channels[place].is_trashed = true;
        self.tell("channel", key, "removed");
        true
    }

    /// A broadcast begins; says its key. `None` if there is no such channel, or it is live already.
    pub fn start(&mut self, channel_key: &str, title: &str) -> Option<String> {
        let channel = self.place_of(channel_key)?;
        if self.live_in(channel).is_some() {
            return None;
        }
        let key = format!("{}-{}", self.now.strftime("%Y%m%d"), self.key(8));
        let place = self.broadcasts.len();
        let broadcast = Broadcast {
            key: key.clone(),
            title: title.to_owned(),
            channel,
            started: Moment::with_offset(self.now),
            paused: None,
            ended: None,
            row: String::new(),
        };
        self.broadcasts.push(broadcast);
        self.broadcast_order.push(place);
        self.channels[channel].latest = Some(place);
        self.moved(place, "started", "start");
        Some(key)
    }

    /// The ingest is lost. `false` if nothing is live there, or it is paused.
    pub fn pause(&mut self, channel_key: &str) -> bool {
        let Some(place) = self.live_place(channel_key, false) else { return false };
        self.broadcasts[place].paused = Some(Moment::with_offset(self.now));
        self.moved(place, "paused", "pause");
        true
    }

    /// The ingest is back. `false` if nothing is paused there.
    pub fn resume(&mut self, channel_key: &str) -> bool {
        let Some(place) = self.live_place(channel_key, true) else { return false };
        self.broadcasts[place].paused = None;
        self.moved(place, "resumed", "resume");
        true
    }

    /// The broadcast ends; if it is paused, it stays visible since when. `false` if nothing is live there.
    pub fn stop(&mut self, channel_key: &str) -> bool {
        let Some(place) = self.place_of(channel_key).and_then(|channel| self.live_in(channel)) else {
            return false;
        };
        self.broadcasts[place].ended = Some(Moment::with_offset(self.now));
        self.moved(place, "ended", "stop");
        true
    }

    /// There is no callback for this. `false` if there is no such broadcast, or it has that title already.
    pub fn rename_broadcast(&mut self, broadcast_key: &str, title: &str) -> bool {
        let Some(place) = self.broadcasts.iter().rposition(|broadcast| broadcast.key == broadcast_key) else {
            return false;
        };
        if self.broadcasts[place].title == title {
            return false;
        }
        title.clone_into(&mut self.broadcasts[place].title);
        self.changed(place);
        self.tell("broadcast", broadcast_key, "updated");
        true
    }

    /// A file made from a broadcast was transferred, or could not be; says the file's id. The API does not show
    /// files: of a lost callback nobody can know, and it is not in the journal.
    pub fn transfer_recording(&mut self, broadcast_key: &str, succeeds: bool) -> Option<String> {
        let broadcast = self.broadcasts.iter().rfind(|broadcast| broadcast.key == broadcast_key)?;
        let channel = &self.channels[broadcast.channel];
        let id = (900_000_000 + self.fate.below(99_999_999)).to_string();
        let account = &self.options.service_account;
        let stamp = broadcast.started.at.strftime("%Y%m%d%H%M%S%3f_%Y-%m-%d-%H.%M.%S.%3f-UTC_0.mp4");
        let file = format!("/{account}/{}/{broadcast_key}/segment/{stamp}", channel.key);
        let target =
            format!("{}-{account}_ch-{}.mp4", channel.key, broadcast.started.at.strftime("%Y-%m-%d"));
        let mut fields = vec![("recording_file_id", id.as_str()), ("service_account_key", account)];
        // The failed transfer in the documentation lacks the newer field.
        if succeeds {
            fields.push(("target_filename", &target));
        }
        fields.extend([
            ("recording_file_transfer_result", if succeeds { "1" } else { "0" }),
            ("recording_file_filename", &file),
            ("broadcast_key", broadcast_key),
            ("version", VERSION),
            ("recording_file_kind", "segment"),
            ("stream_key", &channel.stream_key),
            ("channel_key", &channel.key),
        ]);
        if self.postbox.post(form("live-recording", &fields), self.now) {
            self.tell("recording", &id, if succeeds { "available" } else { "failed" });
        }
        Some(id)
    }

    fn live_place(&self, channel_key: &str, is_paused: bool) -> Option<usize> {
        let place = self.live_in(self.place_of(channel_key)?)?;
        Some(place).filter(|place| self.broadcasts[*place].paused.is_some() == is_paused)
    }

    /// A broadcast came into another state: journal and callback.
    fn moved(&mut self, place: usize, verb: &'static str, wire_state: &str) {
        self.changed(place);
        let key = self.broadcasts[place].key.clone();
        self.tell("broadcast", &key, verb);
        let is_misspelt = self.fate.chance(self.options.misspelt);
        let channel = &self.channels[self.broadcasts[place].channel];
        let fields = [
            ("version", VERSION),
            ("service_account_key", &self.options.service_account),
            ("channel_key", &channel.key),
            ("stream_key", &channel.stream_key),
            ("broadcast_key", &key),
            (if is_misspelt { "braoadcast_state" } else { "broadcast_state" }, wire_state),
        ];
        self.postbox.post(form("live-state", &fields), self.now);
    }

    /// What is written of it is no longer right.
    fn changed(&mut self, place: usize) {
        let broadcast = &mut self.broadcasts[place];
        broadcast.row.clear();
        self.channels[broadcast.channel].row.clear();
    }

    fn tell(&mut self, noun: &str, id: &str, verb: &'static str) {
        self.journal.push(Transition { at: self.now, subject: format!("{noun}/{id}"), verb });
    }

    fn key(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(*self.fate.pick(KEY_LETTERS))).collect()
    }
}

fn form(callback: &'static str, fields: &[(&str, &str)]) -> Push {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Push { callback, content_type: FORM, body: body.into_bytes() }
}
