//! What a linked account reads about itself, what it could write, and videos.

use serde_json::{Map, Value, json};

use super::{
    Account, Broadcast, StreamSettings, VodGone, World,
    things::{MINUTES, SECONDS, korean_time},
    wire::{Answer, parameter},
};
use crate::simulators::{Request, Violation};

impl World {
    pub(super) fn station_info(&mut self, request: &Request) -> Answer {
        let account = match self.own(request) {
            Ok(account) => account,
            Err(refusal) => return refusal,
        };
        let (host, buster) = self.host();
        let scheme = if self.varies(40) { "" } else { "https:" };
        let query = if self.varies(40) { format!("?dummy={buster}") } else { String::new() };
        let folder = account.login.get(..2).unwrap_or(&account.login);
        let station = &account.station;
        let picture = format!(
            "{scheme}//profile.img.{host}/LOGO/{folder}/{}/{}{query}",
            account.login, station.picture
        );
        let last = match station.last_broadcast_at {
            Some(at) => json!(korean_time(at, MINUTES)),
            None if self.varies(50) => json!(""),
            None => Value::Null,
        };
        let favorites = self.number(i64::try_from(station.favorites).unwrap_or(i64::MAX));
        let data = json!({
            "user_nick": station.nick,
            "station_name": station.name,
            "profile_image": picture,
            "lately_broad_date": last,
            "favorite_cnt": favorites,
        });
        self.account_answer(data, self.options.data_is_array)
    }

    pub(super) fn live_status(&mut self, request: &Request) -> Answer {
        let account = match self.own(request) {
            Ok(account) => account,
            Err(refusal) => return refusal,
        };
        let mut data = Map::new();
        let Some(broadcast) = self.newest_of(&account.login) else {
            if self.options.says_login_offline {
                data.insert("user_id".to_owned(), json!(account.login));
            } else {
                data.insert("broad_no".to_owned(), json!(0));
            }
            data.insert("status".to_owned(), json!("streamend"));
            return self.account_answer(data.into(), self.options.data_is_array);
        };
        let no = self.number(broadcast.no.cast_signed());
        let category = self.number(unpadded(&broadcast.category));
        let viewers = self.number(broadcast.viewers.cast_signed());
        let data = json!({
            "user_id": account.login,
            "status": "streaming",
            "broad_no": no,
            "broad_title": broadcast.title,
            "broad_cate_no": category,
            "broad_start": korean_time(broadcast.started_at, SECONDS),
            "current_view_cnt": viewers,
        });
        self.account_answer(data, self.options.data_is_array)
    }

    pub(super) fn chat_info(&mut self, request: &Request) -> Answer {
        let account = match self.own(request) {
            Ok(account) => account,
            Err(refusal) => return refusal,
        };
        let now = self.now;
        let is_noticed =
            |broadcast: &Broadcast| now.duration_since(broadcast.started_at) >= self.options.chat_lag;
        let Some(broadcast) = self.newest_of(&account.login).filter(is_noticed) else {
            return Answer::envelope(-1302, "방송중이 아닙니다.(143)");
        };
        let id = if self.varies(30) { json!({ "userId": account.login }) } else { json!(account.login) };
        let categories = self.all_categories().find(|(category, _)| category.no == broadcast.category);
        let category = categories.map(|(category, _)| category.name.clone()).unwrap_or_default();
        let no = self.number(broadcast.no.cast_signed());
        let data = json!({
            "chat_ip": "203.0.113.7",
            "chat_port": 8000,
            "chat_no": 1234,
            "key": format!("ticket-{}", self.dice.number()),
            "id": id,
            "nick": broadcast.nick,
            "broad_no": no,
            "title": broadcast.title,
            "cate_name": category,
            "broad_type": "40",
        });
        self.account_answer(data, true)
    }

    pub(super) fn stream_settings(&mut self, request: &Request) -> Answer {
        let account = match self.own(request) {
            Ok(account) => account,
            Err(refusal) => return refusal,
        };
        if parameter(request, "platform_type").is_none_or(|name| name.is_empty()) {
            return Answer::envelope(-1, "필수 파라미터가 없습니다.");
        }
        let inner = self.inner_settings(&account.settings);
        let mut data = Map::new();
        data.insert("rtmp".to_owned(), json!(account.ingest_url));
        data.insert("key".to_owned(), json!(account.stream_key));
        data.insert(self.options.settings_name.to_owned(), inner);
        self.account_answer(data.into(), self.options.data_is_array)
    }

    fn inner_settings(&mut self, settings: &StreamSettings) -> Value {
        let mut number = |number: u32| self.number(number);
        json!({
            "title": settings.title,
            "category": settings.category,
            "allowed_view_cnt": number(settings.allowed_view_cnt),
            "is_password": number(settings.is_password.into()),
            "broad_hidden": number(settings.is_hidden.into()),
            "broad_grade": number(settings.grade.into()),
            "hashtags": settings.hashtags,
            "broad_ending_msg": settings.ending_message,
            "is_wait": number(settings.has_waiting_room.into()),
            "waiting_time": number(settings.waiting_minutes),
            "water_mark": number(settings.watermark.into()),
            "broad_tune_out": number(settings.is_tune_out.into()),
            "paid_promotion": number(settings.is_paid_promotion.into()),
        })
    }

    /// Does what it is asked, and holds it against whoever asked: a poller must not.
    pub(super) fn reset_by_request(&mut self, request: &Request) -> Answer {
        let account = match self.own(request) {
            Ok(account) => account,
            Err(refusal) => return refusal,
        };
        self.hold_against(request);
        let key = self.reset_key(&account.login).unwrap_or_default();
        Answer::json(&json!({ "result": 1, "msg": "성공", "stream_key": key }))
    }

    /// The same; of all that can be written it knows the title, the category and the waiting time.
    pub(super) fn update_by_request(&mut self, request: &Request) -> Answer {
        let account = match self.own(request) {
            Ok(account) => account,
            Err(refusal) => return refusal,
        };
        self.hold_against(request);
        let minutes = parameter(request, "waiting_time").map(|minutes| minutes.parse::<u32>().unwrap_or(0));
        if minutes.is_some_and(|minutes| !(1..=10).contains(&minutes)) {
            return Answer::envelope(-1320, "방송대기 설정 시간이 올바르지 않습니다.(515)");
        }
        self.change_settings(&account.login, |settings| {
            if let Some(title) = parameter(request, "title") {
                title.as_ref().clone_into(&mut settings.title);
            }
            if let Some(category) = parameter(request, "category") {
                settings.category = super::things::padded(&category);
            }
            settings.waiting_minutes = minutes.unwrap_or(settings.waiting_minutes);
        });
        Answer::json(&json!({ "result": 1, "msg": "방송정보 변경이 정상적으로 처리 되었습니다." }))
    }

    fn hold_against(&mut self, request: &Request) {
        let what = format!("{} {} changes something, a poller only reads", request.method, request.path);
        self.violations.push(Violation { at: self.now, what });
    }

    pub(super) fn embed_info(&mut self, request: &Request) -> Answer {
        let url = ["vod_url", "url"].iter().find_map(|name| {
            request.query(name).map(str::to_owned).or_else(|| parameter(request, name).map(Into::into))
        });
        let vod = url.and_then(|url| vod_of(&url)).and_then(|id| self.vods.get(&id)).cloned();
        let (host, _) = self.host();
        let (id, title, author, author_url) = match (vod, self.options.vod_gone) {
            (None, VodGone::NotFound) => return Answer::page(404),
            (None, VodGone::Envelope) => return Answer::envelope(-1, "존재하지 않는 VOD 입니다."),
            (None, VodGone::EmptyFields) => (0, String::new(), String::new(), String::new()),
            (Some(vod), _) => {
                let author_url = format!("https://ch.{host}/{}", vod.author_login);
                (vod.id, vod.title, vod.author, author_url)
            }
        };
        // The size is what it is, whatever was asked for.
        let frame = format!(
            "<iframe width='720' height='480' src='//vod.{host}/player/{id}/embed?type=station&autoPlay=false' \
             frameborder='0' allowfullscreen=''></iframe>"
        );
        let mut answer = json!({
            "version": "1.0",
            "type": "video",
            "provider_name": "SOOP",
            "provider_url": format!("https://www.{host}"),
            "width": 720,
            "height": 480,
            "title": title,
            "author_name": author,
            "author_url": author_url,
            "html": if id == 0 { String::new() } else { frame },
        });
        if self.varies(30) {
            answer["thumbnail_url"] = json!(format!("//videoimg.{host}/{id}.jpg"));
        }
        Answer::json(&answer)
    }

    fn own(&mut self, request: &Request) -> Result<Account, Answer> {
        self.account_of(request).map(|place| self.options.accounts[place].clone())
    }

    fn newest_of(&self, login: &str) -> Option<Broadcast> {
        self.on_air.values().rev().map(|on_air| &on_air.broadcast).find(|known| known.login == login).cloned()
    }
}

fn unpadded(category: &str) -> i64 {
    category.parse().unwrap_or(0)
}

/// The number in any of the accepted links.
fn vod_of(url: &str) -> Option<u64> {
    let path = url.split(['?', '#']).next()?;
    let rest = path.split_once("/player/").or_else(|| path.split_once("/ST/"))?.1;
    rest.trim_end_matches('/').parse().ok()
}
