//! What players say of a viewer's progress (Kollus: LMS callbacks). Every parameter's name is the
//! customer's choice: a JSON document under any name, flat fields under well-known or configured ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    pseudonym::Pseudonyms,
    wire::{Fields, base_key, belongs_to, instant, joined_id, number, plain_number, remove_secrets, text},
};
use crate::{
    model::{Attributes, EntityKey, Noun, Observation, Rules, Verb, entities::Playback},
    platform::{AccountSettings, Malformed, json},
};

/// Names of flat fields in Kollus's samples → the attribute of [`Playback`] that they carry.
pub const WELL_KNOWN: &[(&str, &str)] = &[
    ("client_user_id", "client_user_id"),
    ("player_id", "player_id"),
    ("hardware_id", "hardware_id"),
    ("device", "device"),
    ("device_name", "device"),
    ("deviceName", "device"),
    ("host_name", "host_name"),
    ("media_content_key", "media_content_key"),
    ("channel_key", "channel_id"),
    ("encoding_profile", "encoding_profile"),
    ("encoding_profile_key", "encoding_profile"),
    ("play_status", "status"),
    ("start_at", "started_at"),
    ("start_time", "started_at"),
    ("duration", "duration_seconds"),
    ("playtime", "play_seconds"),
    ("play_time", "play_seconds"),
    ("real_playtime", "real_play_seconds"),
    ("playtime_percent", "play_percent"),
    ("last_play_at", "position_seconds"),
    ("runtime", "run_seconds"),
    ("run_time", "run_seconds"),
    ("showtime", "show_seconds"),
    ("show_time", "show_seconds"),
    ("block_info", "blocks"),
];

/// `vod-progress` and `live-progress`; `kind` is `vod` or `live`.
pub fn of(fields: &mut Fields<'_>, kind: &str, account: &AccountSettings) -> Result<Observation, Malformed> {
    let (document_field, document) = take_document(fields).unzip();
    let pseudonyms = Pseudonyms::of_account(account);
    let mut figures = Figures { document: document.unwrap_or_default(), fields, account, pseudonyms };
    if let Some(owner) = figures.document.pointer_mut("/user_info/content_provider_key").map(Value::take) {
        belongs_to(account, &text(&owner).unwrap_or_default())?;
    }
    for attribute in ["client_user_id", "media_content_key", "started_at"] {
        figures.flat_names(attribute).try_for_each(|name| figures.fields.check_identity(name))?;
    }

    let media_content_key = figures.text("media_content_key", &["/content_info/media_content_key"]);
    let start_at =
        figures.text("started_at", &["/content_info/start_at"]).map(|start_at| plain_number(&start_at));
    let base_media_content_key = media_content_key.as_deref().map(base_key).map(str::to_owned);
    let playback = Playback {
        kind: Some(kind.to_owned()),
        client_user_id: figures.id("client_user_id", "/user_info/client_user_id"),
        player_id: figures.id("player_id", "/user_info/player_id"),
        hardware_id: figures.id("hardware_id", "/user_info/hardware_id"),
        device: figures.text("device", &["/user_info/device", "/user_info/device_name"]),
        host_name: figures.text("host_name", &["/user_info/host_name"]),
        // What the customer adds to it may be a person's id.
        media_content_key: if figures.pseudonyms.is_some() {
            base_media_content_key.clone()
        } else {
            media_content_key
        },
        base_media_content_key,
        channel_id: figures.text("channel_id", &["/content_info/channel_key"]),
        encoding_profile: figures.text("encoding_profile", &["/content_info/encoding_profile"]),
        status: figures.text("status", &[]),
        started_at: start_at.as_deref().and_then(instant),
        duration_seconds: figures.number("duration_seconds", &["/content_info/duration"]),
        play_seconds: figures.number("play_seconds", &["/content_info/playtime"]),
        real_play_seconds: figures.number("real_play_seconds", &["/content_info/real_playtime"]),
        play_percent: figures.number("play_percent", &["/content_info/playtime_percent"]),
        position_seconds: figures.number("position_seconds", &["/content_info/last_play_at"]),
        run_seconds: figures.number("run_seconds", &["/content_info/runtime"]),
        show_seconds: figures.number("show_seconds", &["/content_info/showtime"]),
        blocks: figures.find("blocks", &["/block_info"], structure),
        user_values: figures.user_values(),
        ..Playback::default()
    };

    let rest = pruned(figures.document);
    if let (Some(name), Some(rest)) = (document_field, rest) {
        fields.keep(name, rest);
    }
    if let (None, Some(start_at)) = (playback.started_at, &start_at) {
        fields.keep("start_at", start_at.as_str());
    }
    let session = joined_id([
        ("viewer (client_user_id)", playback.client_user_id.as_deref()),
        ("content (media_content_key)", playback.base_media_content_key.as_deref()),
        ("session's beginning (start_at)", start_at.as_deref()),
    ])?;
    Ok(Observation {
        told: Some(Verb::Progressed),
        attributes: Attributes::of(&playback),
        rules: Rules { grows: Some("run_seconds"), ..Rules::default() },
        ..Observation::of(EntityKey::new(Noun::Playback, session))
    })
}

/// The field that holds Kollus's JSON document, whatever its name: an object with `content_info` in it.
fn take_document<'f>(fields: &mut Fields<'f>) -> Option<(&'f str, Value)> {
    let usual = |name: &&str| matches!(*name, "json_data" | "lms_data" | "data");
    let (first, then): (Vec<_>, Vec<_>) = fields.names().partition(usual);
    for name in first.into_iter().chain(then) {
        let Some(written) = fields.peek(name).filter(|written| written.trim_start().starts_with('{')) else {
            continue;
        };
        match json::parse(written.as_bytes()) {
            Ok(document) if document.get("content_info").is_some() => {
                fields.take(name);
                return Some((name, document));
            }
            Ok(_) => {}
            Err(_) => fields.note("unreadable-json"),
        }
    }
    None
}

/// Where the figures of one session are looked up: the document first, then the account's own names of
/// flat fields, then the well-known ones. What is found is taken out.
struct Figures<'a, 'f> {
    document: Value,
    fields: &'a mut Fields<'f>,
    account: &'a AccountSettings,
    pseudonyms: Option<Pseudonyms<'a>>,
}

impl<'a> Figures<'a, '_> {
    /// What identifies a viewer or a device, as it may be published.
    fn id(&mut self, attribute: &str, pointer: &str) -> Option<String> {
        let id = self.text(attribute, &[pointer])?;
        Some(self.pseudonyms.map_or_else(|| id.clone(), |pseudonyms| pseudonyms.of_id(attribute, &id)))
    }

    fn text(&mut self, attribute: &str, pointers: &[&str]) -> Option<String> {
        self.find(attribute, pointers, text)
    }

    fn number(&mut self, attribute: &str, pointers: &[&str]) -> Option<f64> {
        self.find(attribute, pointers, number)
    }

    /// What cannot be read, and what contradicts an earlier finding, is left where it is.
    fn find<T: PartialEq>(
        &mut self,
        attribute: &str,
        pointers: &[&str],
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let mut found = None;
        for pointer in pointers {
            let Some(value) = self.document.pointer_mut(pointer) else { continue };
            let here = read(value);
            if here.is_some() && (found.is_none() || found == here) {
                found = here;
                *value = Value::Null;
            }
        }
        for name in self.flat_names(attribute) {
            let here = self.fields.peek(name).and_then(|value| read(&Value::from(value)));
            if here.is_some() && (found.is_none() || found == here) {
                found = here;
                self.fields.take(name.to_owned());
            }
        }
        found
    }

    /// Names of flat fields that carry this attribute; the account's choice hides a well-known meaning.
    fn flat_names(&self, attribute: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let chosen = &self.account.progress_fields;
        let attribute = attribute.to_owned();
        let well_known = WELL_KNOWN.iter().filter(|(name, _)| !chosen.contains_key(*name)).copied();
        let own = chosen.iter().map(|(name, carries)| (name.as_str(), carries.as_str()));
        own.chain(well_known).filter(move |(_, carries)| *carries == attribute).map(|(name, _)| name)
    }

    fn user_values(&mut self) -> Option<BTreeMap<String, Value>> {
        let mut values = BTreeMap::new();
        if let Some(Value::Object(members)) = self.find("user_values", &["/uservalues"], structure) {
            values.extend(members.into_iter().filter(|(_, value)| !is_empty(value)));
        }
        let chosen = self.account.progress_fields.iter();
        for (name, key) in
            chosen.filter_map(|(name, carries)| Some((name, carries.strip_prefix("user_values.")?)))
        {
            if let Some(value) = self.fields.take(name.clone()) {
                values.entry(key.to_owned()).or_insert(Value::from(value));
            }
        }
        for (key, value) in flat_user_values(self.fields).unwrap_or_default() {
            values.entry(key).or_insert(value);
        }
        (!values.is_empty()).then_some(values)
    }
}

/// `uservalues` as JSON text, and `uservalue0`, `uval0` or `uv0` as flat fields: all become `uservalue0`.
pub fn flat_user_values(fields: &mut Fields<'_>) -> Option<BTreeMap<String, Value>> {
    let mut values = BTreeMap::new();
    if let Some(Value::Object(members)) =
        fields.peek("uservalues").and_then(|text| structure(&Value::from(text)))
    {
        fields.take("uservalues");
        values.extend(members.into_iter().filter(|(_, value)| !is_empty(value)));
    }
    for name in fields.names() {
        let number = ["uservalue", "uval", "uv"].iter().find_map(|prefix| name.strip_prefix(prefix));
        let Some(number) = number.filter(|number| is_index(number)) else { continue };
        if let Some(value) = fields.take(name) {
            values.entry(format!("uservalue{number}")).or_insert(Value::from(value));
        }
    }
    (!values.is_empty()).then_some(values)
}

/// The number of a user value: one or two digits.
pub fn is_index(text: &str) -> bool {
    (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An object or list that is not empty, also when it is written as text.
fn structure(value: &Value) -> Option<Value> {
    let mut value = match value {
        Value::String(written) => json::parse(written.as_bytes()).ok()?,
        value => value.clone(),
    };
    remove_secrets(&mut value);
    matches!(value, Value::Object(_) | Value::Array(_)).then_some(value).filter(|value| !is_empty(value))
}

/// The many ways in which Kollus says nothing; PHP writes `[]` for an empty object.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// What is left of a document once the figures are taken out.
fn pruned(document: Value) -> Option<Value> {
    let Value::Object(members) = document else { return Some(document).filter(|left| !is_empty(left)) };
    let left: Map<_, _> =
        members.into_iter().filter_map(|(name, value)| Some((name, pruned(value)?))).collect();
    (!left.is_empty()).then_some(Value::Object(left))
}
