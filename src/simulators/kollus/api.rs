//! The read side of the Live API, version 1.

use serde_json::{Value, json};

use super::{BasePath, World, lists::List};
use crate::simulators::{
    Request, Response,
    copies::url,
    trick::{Trick, spoil_row},
    wire::with_php_escapes,
};

const JSON: &str = "application/json";
const LOGIN_PAGE: &str = "<!DOCTYPE html><html lang=\"ko\"><head><title>Kollus Live</title></head>\
    <body><form method=\"POST\" action=\"/login\"><input name=\"email\"></form></body></html>";

impl World {
    /// The answer as it should be, within the limits.
    pub(super) fn answer_well(&mut self, request: &Request) -> Response {
        let allowance = self.limits.note(self.now);
        let response = if allowance.is_granted {
            self.answer_cached(request)
        } else {
            let until = self.now.as_second().saturating_add(allowance.retry_after_secs);
            refused(429, "Too Many Attempts.")
                .header("retry-after", allowance.retry_after_secs.to_string())
                .header("x-ratelimit-reset", until.to_string())
        };
        response
            .header("x-ratelimit-limit", super::PER_MINUTE.to_string())
            .header("x-ratelimit-remaining", allowance.remaining.to_string())
    }

    fn answer_cached(&mut self, request: &Request) -> Response {
        let accepts_json = request.header("accept").is_some_and(|types| types.contains("json"));
        if self.options.login_page_without_accept && !accepts_json {
            return Response::text(200, "text/html; charset=UTF-8", LOGIN_PAGE);
        }
        if let Some(refusal) = self.refusal(request) {
            return refusal;
        }
        let body = match self.cached_or_right(request, url(request)) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        Response::text(200, JSON, if self.options.escapes { with_php_escapes(&body) } else { body })
    }

    fn cached_or_right(&mut self, request: &Request, url: String) -> Result<String, Response> {
        if let Some(copy) = self.copies.cached(&url, self.options.cache, self.now, &mut self.whim) {
            return Ok(copy.to_owned());
        }
        self.body(request, &url)
    }

    fn refusal(&mut self, request: &Request) -> Option<Response> {
        if !self.is_let_in(request) {
            return Some(refused(401, "Unauthenticated."));
        }
        if request.method != "GET" {
            self.limits.object(format!("{} {}", request.method, request.path), self.now);
            return Some(refused(403, "Invalid scope(s) provided."));
        }
        (!self.options.has_scope).then(|| refused(403, "Invalid scope(s) provided."))
    }

    /// The part of the path behind the base.
    fn below_base<'r>(&self, request: &'r Request) -> Result<&'r str, Response> {
        let unknown = || refused(404, "Not Found");
        let rest = request.path.strip_prefix("/api/v1/live/").ok_or_else(unknown)?;
        let (rest, base) = match rest.strip_prefix("service-accounts/") {
            Some(rest) => (rest, BasePath::ServiceAccounts),
            None => (rest, BasePath::Short),
        };
        if self.options.base != BasePath::Both && self.options.base != base {
            return Err(unknown());
        }
        let (account, rest) = rest.split_once('/').ok_or_else(unknown)?;
        if account != self.options.service_account {
            return Err(refused(403, "This action is unauthorized."));
        }
        Ok(rest)
    }

    fn body(&mut self, request: &Request, url: &str) -> Result<String, Response> {
        let unknown = || refused(404, "Not Found");
        let path = self.below_base(request)?;
        let parts: Vec<&str> = path.split('/').collect();
        let list = match parts[..] {
            ["channels"] => List::Channels,
            ["broadcasts"] => List::Broadcasts,
            ["channels", key, "broadcasts"] => List::BroadcastsOf(self.place_of(key).ok_or_else(unknown)?),
            ["channels", key] => {
                let place = self.place_of(key).ok_or_else(unknown)?;
                self.write_channel(place);
                let row = self.channels[place].row.clone();
                return Ok(self.single(row, url));
            }
            ["broadcasts", key] => {
                let place = self.broadcasts.iter().rposition(|it| it.key == key).ok_or_else(unknown)?;
                self.write_broadcast(place);
                let row = self.broadcasts[place].row.clone();
                return Ok(self.single(row, url));
            }
            _ => return Err(unknown()),
        };
        self.list(list, request, url)
    }

    fn single(&mut self, mut row: String, url: &str) -> String {
        let tricks = self.tricks.due(false);
        if tricks.contains(&Trick::OldCopy)
            && let Some(copy) = self.copies.oldest(url)
        {
            return copy.to_owned();
        }
        let mut body = format!("{{\"data\":{row}}}");
        self.copies.keep(url, &body, self.now);
        if tricks.iter().any(Trick::is_inside_rows) {
            row = spoil_row(&row, &tricks);
            body = format!("{{\"data\":{row}}}");
        }
        body
    }
}

pub(super) fn refused(status: u16, message: &str) -> Response {
    Response::json(status, &json!({ "message": message }))
}

pub(super) fn invalid(field: &str, message: &str) -> Response {
    let errors: Value = json!({ field: [message] });
    Response::json(422, &json!({ "message": "The given data was invalid.", "errors": errors }))
}
