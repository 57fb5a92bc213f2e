//! The webhook: `{"signature": "<hex>", "body": {"eventName": …, "roomId": …, "spaceId": …}}`.

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{Livedigital, is_space_id};
use crate::{
    model::{Attributes, ContentHash, EntityKey, Noun, Observation, Phase, Rules, Verb, entities},
    platform::{
        AccountSettings, Callbacks, Decoded, Delivery, Malformed, Unverified, Verified, Wake, json, signature,
    },
};

impl Callbacks for Livedigital {
    fn verify<'d>(
        &self,
        delivery: &'d Delivery,
        account: &AccountSettings,
    ) -> Result<Verified<'d>, Unverified> {
        let key = account.webhook_secret.as_ref().ok_or(Unverified("the account has no webhook_secret"))?;
        let Envelope { signature, body } = Envelope::read(delivery)
            .map_err(|_| Unverified("the body is not an envelope of one signature and one body"))?;
        if signature.bytes().any(|digit| digit.is_ascii_uppercase()) {
            return Err(Unverified("the signature is not in lower case"));
        }
        // The platform signs what JSON.stringify makes of the body. Usually those are the bytes it sends.
        let exact = body.get().as_bytes();
        signature::hmac_sha256(delivery, key, [exact], &signature).or_else(|unverified| {
            let compact = json::parse(exact).map_err(|_| unverified)?.to_string();
            signature::hmac_sha256(delivery, key, [compact.as_bytes()], &signature)
        })
    }

    fn decode(&self, delivery: &Verified<'_>, account: &AccountSettings) -> Result<Decoded, Malformed> {
        let envelope = Envelope::read(delivery)
            .map_err(|_| Malformed::because("the body is not an envelope of one signature and one body"))?;
        let bytes = envelope.body.get().as_bytes();
        let Value::Object(body) = json::parse(bytes)? else {
            return Err(Malformed::because("the signed body is not a JSON object"));
        };
        check_space(&body, account)?;
        let content = ContentHash::of_bytes(bytes);
        let wakes = wakes(&body);
        let observation = match required(&body, "eventName")? {
            "call_started" => call(body, Verb::Started, Phase::Live)?,
            "call_finished" => call(body, Verb::Ended, Phase::Ended)?,
            "record_started" => recording(body, Phase::Recording)?,
            "record_finished" => recording(body, Phase::Available)?,
            "record_failed" => recording(body, Phase::Failed)?,
            "record_aborted" => recording(body, Phase::Aborted)?,
            _ => notice(body, content, delivery.callback.name),
        };
        Ok(Decoded::Observed { content, observations: vec![observation], quirks: Vec::new(), wakes })
    }

    fn stage(&self, sample: Vec<u8>, account: &AccountSettings) -> Vec<u8> {
        match (serde_json::from_slice::<Envelope<'_>>(&sample), &account.webhook_secret) {
            (Ok(Envelope { body, .. }), Some(key)) => {
                let signature = signature::sign_hmac_sha256(key, body.get().as_bytes());
                format!(r#"{{"signature":"{signature}","body":{body}}}"#).into_bytes()
            }
            _ => sample,
        }
    }
}

/// What is around the signed bytes. A key that stands twice is an error; further keys mean nothing.
#[derive(Deserialize)]
struct Envelope<'d> {
    signature: String,
    #[serde(borrow)]
    body: &'d RawValue,
}

impl<'d> Envelope<'d> {
    fn read(delivery: &'d Delivery) -> serde_json::Result<Self> {
        serde_json::from_slice(&delivery.body)
    }
}

/// A room's call has no id of its own here, so the room stands for it, and may come back after its end.
fn call(mut body: Map<String, Value>, told: Verb, phase: Phase) -> Result<Observation, Malformed> {
    let room_id = required(&body, "roomId")?.to_owned();
    let attributes = entities::Broadcast {
        kind: Some("call".to_owned()),
        channel_id: Some(room_id.clone()),
        space_id: text(&body, "spaceId").map(str::to_owned),
        ..Default::default()
    };
    take_away(&mut body, &["eventName", "roomId", "spaceId"]);
    Ok(Observation {
        phase: Some(phase),
        told: Some(told),
        attributes: Attributes::of(&attributes),
        extra: body.into(),
        ..Observation::of(EntityKey::new(Noun::Broadcast, room_id))
    })
}

fn recording(mut body: Map<String, Value>, phase: Phase) -> Result<Observation, Malformed> {
    let record_id = required(&body, "recordId")?.to_owned();
    let attributes = entities::Recording {
        channel_id: Some(required(&body, "roomId")?.to_owned()),
        space_id: text(&body, "spaceId").map(str::to_owned),
        ..Default::default()
    };
    take_away(&mut body, &["eventName", "roomId", "spaceId", "recordId"]);
    Ok(Observation {
        phase: Some(phase),
        attributes: Attributes::of(&attributes),
        extra: body.into(),
        rules: Rules::ONE_USE,
        ..Observation::of(EntityKey::new(Noun::Recording, record_id))
    })
}

/// The call has no id and no time here, a recording no size: the room's lists have.
fn wakes(body: &Map<String, Value>) -> Vec<Wake> {
    let watches: &[_] = match text(body, "eventName") {
        Some("call_started" | "call_finished") => &["calls"],
        Some("record_started" | "record_finished" | "record_failed" | "record_aborted") => &["records"],
        _ => return Vec::new(),
    };
    match (text(body, "spaceId"), text(body, "roomId")) {
        (Some(space_id), Some(room_id)) => vec![Wake { watches, target: format!("{space_id}/{room_id}") }],
        _ => Vec::new(),
    }
}

/// An event name that we do not know. Each content is an entity of its own, so that its retry is noticed.
fn notice(body: Map<String, Value>, content: ContentHash, callback: &str) -> Observation {
    let attributes = entities::Notice {
        callback: Some(callback.to_owned()),
        name: text(&body, "eventName").map(str::to_owned),
    };
    Observation {
        told: Some(Verb::Received),
        attributes: Attributes::of(&attributes),
        extra: body.into(),
        ..Observation::of(EntityKey::new(Noun::Notice, content.to_string()))
    }
}

/// When the account is configured with the id of its space, nothing is believed of another one.
fn check_space(body: &Map<String, Value>, account: &AccountSettings) -> Result<(), Malformed> {
    let ours = account.service_account.as_str();
    if is_space_id(ours) && text(body, "spaceId").is_none_or(|theirs| !theirs.eq_ignore_ascii_case(ours)) {
        return Err(Malformed::because("the spaceId is not the one in the account's service_account"));
    }
    Ok(())
}

fn required<'b>(body: &'b Map<String, Value>, field: &str) -> Result<&'b str, Malformed> {
    text(body, field)
        .ok_or_else(|| Malformed::because(format!("the signed body has no text in its field {field}")))
}

fn text<'b>(body: &'b Map<String, Value>, field: &str) -> Option<&'b str> {
    body.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Leaves in `body` what has no place in our words.
fn take_away(body: &mut Map<String, Value>, fields: &[&str]) {
    body.retain(|field, _| !fields.contains(&field.as_str()));
}

#[cfg(test)]
mod tests;
