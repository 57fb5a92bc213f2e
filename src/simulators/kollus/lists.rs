//! Lists, page by page, as Laravel makes them.

use jiff::{Timestamp, tz::TimeZone};

use super::{PerPage, World, api::invalid, rows::Pen};
use crate::simulators::{
    Request, Response,
    trick::{Trick, spoil_row},
    wire::{Object, asked_time},
};

const HOST: &str = "https://api-live-kr.kollus.com";
/// When the request does not say.
const PER_PAGE: usize = 10;
/// Nobody asks for a later page, and adding one to it is safe.
const PAGES_MAX: usize = 1 << 30;

/// What is listed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Channels,
    Broadcasts,
    /// Of the channel at this place.
    BroadcastsOf(usize),
}

impl World {
    /// The places that a list shows, in its order.
    fn chosen(&self, list: List, request: &Request) -> Result<Vec<usize>, Response> {
        // Most lists have no keyword, and even looking for nothing takes time.
        let keyword = request.query("keyword").filter(|keyword| !keyword.is_empty());
        let has_keyword = |title: &str| keyword.is_none_or(|keyword| title.contains(keyword));
        let mut chosen: Vec<usize> = match list {
            List::Channels => {
                let wants_trashed = request.query("trashed") == Some("1");
                let is_chosen = |place: &usize| {
                    let channel = &self.channels[*place];
                    channel.is_trashed == wants_trashed && has_keyword(&channel.title)
                };
                self.channel_order.iter().copied().filter(is_chosen).collect()
            }
            List::Broadcasts | List::BroadcastsOf(_) => {
                let start = asked(request, "start_date")?.unwrap_or(Timestamp::MIN);
                let end = asked(request, "end_date")?.unwrap_or(Timestamp::MAX);
                let is_chosen = |place: &usize| {
                    let broadcast = &self.broadcasts[*place];
                    let is_of_channel =
                        list == List::Broadcasts || list == List::BroadcastsOf(broadcast.channel);
                    let is_in_time = start <= broadcast.started.at && broadcast.started.at < end;
                    is_of_channel && is_in_time && has_keyword(&broadcast.title)
                };
                self.broadcast_order.iter().copied().filter(is_chosen).collect()
            }
        };
        match request.query("order") {
            Some("id_desc") => chosen.reverse(),
            Some("id_asc") | None => {}
            Some(_) => return Err(invalid("order", "The selected order is invalid.")),
        }
        Ok(chosen)
    }

    fn per_page(&self, request: &Request) -> Result<usize, Response> {
        let asked = match request.query("per_page").map(str::parse::<usize>) {
            None => PER_PAGE,
            Some(Ok(asked)) if asked > 0 => asked,
            Some(_) => return Err(invalid("per_page", "The per page must be a number.")),
        };
        match self.options.per_page {
            PerPage::Lowered(most) => Ok(asked.min(most.max(1))),
            PerPage::Refused(most) if asked > most => {
                Err(invalid("per_page", &format!("The per page may not be greater than {most}.")))
            }
            PerPage::Refused(_) => Ok(asked),
        }
    }

    /// A page of a list.
    pub(super) fn list(&mut self, list: List, request: &Request, url: &str) -> Result<String, Response> {
        let mut chosen = self.chosen(list, request)?;
        let per_page = self.per_page(request)?;
        // Laravel takes what is no page for the first.
        let page = request.query("page").and_then(|page| page.parse().ok()).unwrap_or(1);
        let page = page.clamp(1, PAGES_MAX);
        let tricks = self.tricks.due(true);
        if tricks.contains(&Trick::OldCopy)
            && let Some(copy) = self.copies.oldest(url)
        {
            return Ok(copy.to_owned());
        }
        if tricks.contains(&Trick::Shuffle) {
            self.whim.shuffle(&mut chosen);
        }
        if tricks.contains(&Trick::Shorten) {
            chosen.truncate(chosen.len().div_ceil(2));
        }
        if tricks.contains(&Trick::EmptyWorld) {
            chosen.clear();
        }
        let mut last_page = chosen.len().div_ceil(per_page).max(1);
        let mut shown_page =
            if tricks.contains(&Trick::RepeatPage) { page.saturating_sub(1).max(1) } else { page };
        if tricks.contains(&Trick::Endless) {
            shown_page = shown_page.min(last_page);
            last_page = last_page.max(page + 1);
        }
        let begin = shown_page.saturating_sub(1).saturating_mul(per_page).min(chosen.len());
        let end = begin.saturating_add(per_page).min(chosen.len());
        let shown_end = match () {
            () if tricks.contains(&Trick::EmptyPage) => begin,
            () if tricks.contains(&Trick::Truncate) => begin + (end - begin) / 2,
            () => end,
        };
        let body = self.page(list, &chosen[begin..shown_end], &tricks);
        let meta = self.meta(request, page, last_page, per_page, chosen.len());
        let body = format!("{{\"data\":[{body}],{meta}}}");
        if tricks.is_empty() {
            self.copies.keep(url, &body, self.now);
        }
        self.move_rows(list, &chosen, begin, end, &tricks);
        Ok(body)
    }

    /// The rows at these places.
    fn page(&mut self, list: List, places: &[usize], tricks: &[Trick]) -> String {
        let is_spoilt = tricks.iter().any(Trick::is_inside_rows);
        let mut body = String::with_capacity(places.len() * 512);
        for place in places.iter().copied() {
            if list == List::Channels {
                self.write_channel(place);
            } else {
                self.write_broadcast(place);
            }
            let row =
                if list == List::Channels { &self.channels[place].row } else { &self.broadcasts[place].row };
            if !body.is_empty() {
                body.push(',');
            }
            if is_spoilt {
                body.push_str(&spoil_row(row, tricks));
            } else {
                body.push_str(row);
            }
        }
        body
    }

    /// `links`, where there are any, and `meta`.
    fn meta(&mut self, request: &Request, page: usize, last: usize, per_page: usize, total: usize) -> String {
        let path = format!("{HOST}{}", request.path);
        let mut pen = Pen { options: &self.options, dice: &mut self.whim };
        let mut meta = Object::new();
        let from = (page - 1).saturating_mul(per_page);
        meta.raw("current_page", &pen.number(page));
        if from < total {
            meta.raw("from", &pen.number(from + 1));
        } else {
            meta.raw("from", "null");
        }
        meta.raw("last_page", &pen.number(last)).text("path", &path).raw("per_page", &pen.number(per_page));
        meta.raw("total", &pen.number(total));
        let meta = meta.end();
        if !self.options.has_links {
            return format!("\"meta\":{meta}");
        }
        let link = |number: usize| format!("{path}?page={number}");
        let mut links = Object::new();
        links.text("first", &link(1)).text("last", &link(last));
        links.text_or_null("prev", (page > 1).then(|| link(page - 1)).as_deref());
        links.text_or_null("next", (page < last).then(|| link(page + 1)).as_deref());
        format!("\"links\":{},\"meta\":{meta}", links.end())
    }

    /// What the tricks do to the order after an answer that showed `chosen[begin..end]`.
    fn move_rows(&mut self, list: List, chosen: &[usize], begin: usize, end: usize, tricks: &[Trick]) {
        let order = if list == List::Channels { &mut self.channel_order } else { &mut self.broadcast_order };
        // The orders are kept the first made first, and read backwards.
        if tricks.contains(&Trick::MoveEarlier)
            && let Some(moved) = chosen.get(end)
        {
            order.retain(|place| place != moved);
            order.push(*moved);
        }
        if tricks.contains(&Trick::MoveLater)
            && let Some(moved) = chosen[..end].get(begin)
        {
            order.retain(|place| place != moved);
            order.insert(0, *moved);
        }
    }
}

fn asked(request: &Request, name: &str) -> Result<Option<Timestamp>, Response> {
    let wrong = || invalid(name, &format!("The {} is not a valid date.", name.replace('_', " ")));
    request.query(name).map(|text| asked_time(text, &TimeZone::UTC).ok_or_else(wrong)).transpose()
}
