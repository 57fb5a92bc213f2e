//! The read side of the API.

use serde_json::{Value, json};

use super::{Download, Refusal, WithoutWebhook, World, rows::Kind, tokens::Caller};
use crate::simulators::{Request, Response, copies::url, wire::Object};

const JSON: &str = "application/json; charset=utf-8";

/// Why a request is refused.
pub(super) enum Refused {
    Unauthorized,
    Forbidden,
    NotFound,
    /// A parameter is missing or cannot be read.
    Invalid(&'static str),
}

impl World {
    /// The answer as it should be.
    pub(super) fn answer_well(&mut self, request: &Request) -> Response {
        let response = match &*request.path {
            "/v1/auth/token" => self.tokens(request),
            _ => {
                self.limits.note(self.now);
                self.answered(request)
            }
        };
        let response = response.unwrap_or_else(|refused| self.refuse(&refused));
        if !self.options.sets_cookies {
            return response;
        }
        response
            .header("set-cookie", "accessToken=of-somebody-else; Path=/; HttpOnly; Secure")
            .header("set-cookie", "refreshToken=of-somebody-else; Path=/; HttpOnly; Secure")
    }

    pub(super) fn refuse_cookies(&mut self, request: &Request) -> Result<(), Refused> {
        if request.header("cookie").is_none() {
            return Ok(());
        }
        self.limits.object("a cookie came back".to_owned(), self.now);
        Err(Refused::Unauthorized)
    }

    fn answered(&mut self, request: &Request) -> Result<Response, Refused> {
        self.refuse_cookies(request)?;
        let is_owner = match self.caller(request) {
            Some(Caller::Owner) => true,
            Some(Caller::Client) => false,
            None => return Err(Refused::Unauthorized),
        };
        if request.method != "GET" {
            self.limits.object(format!("{} {}", request.method, request.path), self.now);
            return Err(Refused::Forbidden);
        }
        let parts: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        let ["v1", parts @ ..] = &parts[..] else { return Err(Refused::NotFound) };
        let is_of_public_room = matches!(parts, ["spaces", "room-by-alias", _] | ["spaces", _, "rooms", _]);
        if !is_owner && !is_of_public_room {
            return Err(Refused::Forbidden);
        }
        match parts {
            ["users", "me"] => Ok(self.me()),
            ["users", "me", "settings", "meetings"] => Ok(self.meetings()),
            ["spaces"] => {
                let places = (0..self.spaces.len()).filter(|place| !self.spaces[*place].is_removed).collect();
                Ok(Response::text(200, JSON, self.list(Kind::Space, places, &url(request))))
            }
            ["spaces", "room-by-alias", alias] => {
                let is_meant = |room: &super::places::Room| room.alias == *alias && !room.is_removed;
                let room = self.rooms.iter().position(is_meant).ok_or(Refused::NotFound)?;
                self.room(room, is_owner, request)
            }
            ["spaces", space, rest @ ..] => {
                let space = self.space_place(space).ok_or(Refused::NotFound)?;
                self.in_space(space, rest, is_owner, request)
            }
            _ => Err(Refused::NotFound),
        }
    }

    fn in_space(
        &mut self,
        space: usize,
        parts: &[&str],
        is_owner: bool,
        request: &Request,
    ) -> Result<Response, Refused> {
        let room_of = |world: &Self, id: &str| {
            let place = world.room_place(id).filter(|place| world.rooms[*place].space == space);
            place.ok_or(Refused::NotFound)
        };
        let (kind, places) = match parts {
            ["rooms"] => (Kind::Room, self.rooms_in(space)),
            ["rooms", room] => return self.room(room_of(self, room)?, is_owner, request),
            ["rooms", room, "records"] => {
                let room = room_of(self, room)?;
                (Kind::Record, self.records_in(room, request).map_err(Refused::Invalid)?)
            }
            ["rooms", room, "records", "download", record] => {
                let room = room_of(self, room)?;
                let record = self.record_place(record).filter(|place| self.records[*place].room == room);
                return Ok(self.download(record.ok_or(Refused::NotFound)?));
            }
            ["analytics", "calls"] => {
                if !self.options.has_analytics {
                    return Err(Refused::Forbidden);
                }
                let room = room_of(self, request.query("roomId").ok_or(Refused::Invalid("roomId"))?)?;
                (Kind::Call, self.calls_on(room, request).map_err(Refused::Invalid)?)
            }
            ["webhook"] => return self.webhook(space),
            _ => return Err(Refused::NotFound),
        };
        Ok(Response::text(200, JSON, self.list(kind, places, &url(request))))
    }

    fn room(&mut self, room: usize, is_owner: bool, request: &Request) -> Result<Response, Refused> {
        if !is_owner && !self.rooms[room].is_public {
            return Err(Refused::Forbidden);
        }
        Ok(Response::text(200, JSON, self.single(Kind::Room, room, &url(request))))
    }

    fn me(&self) -> Response {
        let me = json!({ "id": "64a1ee55b7e4d90012ab3402", "email": "user@example.test", "username": "Some Name" });
        Response::json(200, &me)
    }

    fn meetings(&self) -> Response {
        let room = self.rooms.iter().find(|room| !room.is_removed);
        let space = room.map(|room| self.spaces[room.space].id.as_str());
        let mut settings = Object::new();
        settings.text_or_null("spaceId", space).text_or_null("roomId", room.map(|room| room.id.as_str()));
        Response::text(200, JSON, settings.end())
    }

    fn webhook(&self, space: usize) -> Result<Response, Refused> {
        match (&self.spaces[space].webhook, self.options.without_webhook) {
            (Some(webhook), _) => {
                let mut body = Object::new();
                body.text("url", &webhook.url).flag("isActive", webhook.is_active);
                Ok(Response::text(200, JSON, body.end()))
            }
            (None, WithoutWebhook::NotFound) => Err(Refused::NotFound),
            (None, WithoutWebhook::Null) => Ok(Response::text(200, JSON, "null")),
            (None, WithoutWebhook::Empty) => Ok(Response::text(200, JSON, "{}")),
        }
    }

    fn download(&mut self, record: usize) -> Response {
        let address =
            format!("https://storage.example/{}.mp4?token={:x}", self.records[record].id, self.whim.number());
        match self.options.download {
            Download::Redirect => Response::text(302, "text/plain", "").header("location", address),
            Download::Text => Response::text(200, "text/plain", address),
            Download::Json => Response::json(200, &Value::from(address)),
        }
    }

    fn refuse(&self, refused: &Refused) -> Response {
        let invalid;
        let (status, code, message) = match refused {
            Refused::Unauthorized => (401, "unauthorized", "Пользователь не авторизован"),
            Refused::Forbidden => (403, "forbidden", "Данный метод запрещен для пользователя"),
            Refused::NotFound => (404, "not_found", "Объект не найден"),
            Refused::Invalid(parameter) => {
                invalid = format!("Неверное значение параметра {parameter}");
                (422, "validation_error", invalid.as_str())
            }
        };
        let body = match self.options.refusal {
            Refusal::Full => json!({ "message": message, "code": code }),
            Refusal::Nulls => json!({ "message": null, "code": null }),
            Refusal::Empty => json!({}),
            Refusal::Text => return Response::text(status, "text/plain; charset=utf-8", message),
        };
        Response::json(status, &body)
    }
}
