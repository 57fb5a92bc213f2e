//! A player in a browser or on a phone, over real HTTP.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{
    Client, Method,
    header::{HOST, HeaderMap, HeaderValue},
};
use serde_json::{Value, json};
use sha2::Sha256;

use super::rig::{MUTE_URL_TOKEN, SECURITY_KEY, URL_TOKEN};
use crate::support::{load::PUBLIC_HOST, remains::record};

pub struct Player {
    client: Client,
    base: String,
}

/// What a player got.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    pub took: Duration,
}

impl Player {
    pub fn of(address: SocketAddr, account: &str) -> Self {
        let url_token = match account {
            "acme" => URL_TOKEN.to_owned(),
            "mute" => MUTE_URL_TOKEN.to_owned(),
            _ => format!("{account}-{URL_TOKEN}"),
        };
        Self::at(address, &format!("/callbacks/{account}/{url_token}/"))
    }

    /// Below this path.
    pub fn at(address: SocketAddr, path: &str) -> Self {
        // A request says which host it is for, whatever its address.
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(PUBLIC_HOST))]);
        let client =
            Client::builder().timeout(Duration::from_secs(20)).default_headers(headers).build().unwrap();
        Self { client, base: format!("http://{address}{path}") }
    }

    /// Posts a form.
    pub async fn post(&self, callback: &str, body: impl Into<String>) -> Got {
        let request = self.client.post(format!("{}{callback}", self.base));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body.into());
        got(request).await
    }

    /// Asks with another method and no body.
    pub async fn ask(&self, method: &str, callback: &str) -> Got {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        got(self.client.request(method, format!("{}{callback}", self.base))).await
    }

    /// [`Player::play`] where perhaps nobody answers: the result.
    pub async fn try_play(&self, user: &str) -> Option<i64> {
        let request = self.client.post(format!("{}vod-play", self.base)).body(play(1, user));
        let is_answered = request.send().await.is_ok_and(|answer| answer.status() == 200);
        if is_answered { Some(self.play(user).await.result()) } else { None }
    }

    /// Asks whether `user` may play, for the first time in this playback.
    pub async fn play(&self, user: &str) -> Got {
        self.post("vod-play", play(1, user)).await
    }
}

async fn got(request: reqwest::RequestBuilder) -> Got {
    let began = Instant::now();
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.text().await.unwrap();
    record(&format!("{headers:?} {body}"));
    Got { status, headers, body, took: began.elapsed() }
}

/// The form of a player that asks whether `user` may play.
pub fn play(kind: i64, user: &str) -> String {
    format!(
        "kind={kind}&client_user_id={user}&player_id=8A1F00C2D4E6B7901122334455667788&hardware_id=\
         &device_name=iPhone15%2C3&media_content_key=vnCVPyVx&uservalues=%7B%22uservalue0%22%3A%22class_01%22%7D"
    )
}

/// The form of a player that asks whether it may download these.
pub fn download<'k>(content_keys: impl IntoIterator<Item = &'k str>) -> String {
    let item = |key| {
        json!({ "kind": 1, "client_user_id": "user-42", "player_id": "8A1F00C2D4E6B7901122334455667788",
            "device_name": "iPhone15,3", "media_content_key": key })
    };
    let items: Vec<_> = content_keys.into_iter().map(item).collect();
    format!(
        "items={}",
        percent_encoding::utf8_percent_encode(&json!(items).to_string(), percent_encoding::NON_ALPHANUMERIC)
    )
}

impl Got {
    /// What a player reads in the answer, after checking the signature as it does.
    pub fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        let (signed, signature) = self.body.rsplit_once('.').unwrap_or_else(|| panic!("no JWT: {self:?}"));
        let mut mac = Hmac::<Sha256>::new_from_slice(SECURITY_KEY.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).expect("the signature is right");
        let payload = signed.split('.').nth(1).unwrap();
        let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        payload["data"].clone()
    }

    /// Whether the viewer may: `result` of an answer to one question.
    pub fn result(&self) -> i64 {
        self.data()["result"].as_i64().unwrap_or_else(|| panic!("no result: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Panics if it took longer.
    pub fn within(self, limit: Duration) -> Self {
        assert!(self.took <= limit, "it took {:?}, more than {limit:?}: {self:?}", self.took);
        self
    }
}
