//! `GET /broad/list`: who is on air, page by page.

use std::{cmp::Reverse, sync::Arc};

use jiff::Timestamp;

use super::{
    Broadcast, Lapse, OnAir, World,
    things::padded,
    wire::{Answer, push_scalar, push_text},
};
use crate::simulators::Request;

/// The order of the list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Order {
    MostViewers,
    Newest,
}

/// What varies between answers without a meaning.
struct Style {
    is_ascii: bool,
    is_password_quoted: bool,
    are_numbers_quoted: bool,
    are_ids_quoted: bool,
    host: &'static str,
    buster: u64,
}

impl World {
    pub(super) fn broadcast_list(&mut self, request: &Request, lapse: Option<Lapse>) -> Answer {
        if let Some(refusal) = self.refuse_client(request, false) {
            return refusal;
        }
        let by = match request.query("order_type") {
            Some("broad_start") => Order::Newest,
            _ => Order::MostViewers,
        };
        // An unknown key is ignored, with its value.
        let is_category = matches!(request.query("select_key"), None | Some("cate" | ""));
        let category = request.query("select_value").filter(|value| is_category && !value.is_empty());
        let rows = self.rows(by, category);
        let page_no =
            request.query("page_no").and_then(|no| no.parse().ok()).filter(|no| *no > 0).unwrap_or(1);
        let page = self.page(&rows, page_no, lapse);
        let total = match lapse {
            Some(Lapse::Endless) => {
                rows.len().max(page_no.saturating_add(1).saturating_mul(self.options.page_block)) as i64
            }
            Some(Lapse::WrongTotal(by)) => (rows.len() as i64).saturating_add(by),
            _ => rows.len() as i64,
        };
        Answer::list(self.write_page(&page, page_no, total))
    }

    /// Everybody in the list, in this order. Kept until something changes.
    fn rows(&mut self, by: Order, category: Option<&str>) -> Arc<[u64]> {
        let key = (by, category.map(padded));
        if let Some(known) = self.orders.get(&key) {
            return known.clone();
        }
        let wanted: Option<Vec<_>> = key.1.as_ref().map(|no| self.with_those_below(no));
        let is_wanted = |on_air: &&OnAir| {
            on_air.is_listed
                && wanted.as_ref().is_none_or(|wanted| wanted.contains(&on_air.broadcast.category))
        };
        let listed = self.on_air.values().filter(is_wanted).map(|on_air| &on_air.broadcast);
        let mut rows: Vec<(u64, Timestamp, u64)> = listed.map(|b| (b.viewers, b.started_at, b.no)).collect();
        match by {
            Order::MostViewers => rows.sort_unstable_by_key(|(viewers, _, no)| Reverse((*viewers, *no))),
            Order::Newest => rows.sort_unstable_by_key(|(_, started_at, no)| Reverse((*started_at, *no))),
        }
        let rows: Arc<[u64]> = rows.into_iter().map(|(_, _, no)| no).collect();
        self.orders.insert(key, rows.clone());
        rows
    }

    fn page(&mut self, rows: &[u64], page_no: usize, lapse: Option<Lapse>) -> Vec<u64> {
        let block = self.options.page_block;
        let cut = |rows: &[u64], page_no: usize| -> Vec<u64> {
            rows.iter().skip((page_no - 1).saturating_mul(block)).take(block).copied().collect()
        };
        match lapse {
            Some(Lapse::Shuffle) => {
                let mut rows = rows.to_vec();
                self.dice.shuffle(&mut rows);
                cut(&rows, page_no)
            }
            Some(Lapse::CrossBoundary) => {
                let mut rows = rows.to_vec();
                let boundary = if page_no > 1 { (page_no - 1).saturating_mul(block) } else { block };
                if (1..rows.len()).contains(&boundary) {
                    rows.swap(boundary - 1, boundary);
                }
                cut(&rows, page_no)
            }
            Some(Lapse::RepeatPage) => cut(rows, (page_no - 1).max(1)),
            Some(Lapse::Endless) if !rows.is_empty() => rows
                .iter()
                .cycle()
                .skip((page_no - 1).saturating_mul(block) % rows.len())
                .take(block)
                .copied()
                .collect(),
            _ => cut(rows, page_no),
        }
    }

    fn write_page(&mut self, page: &[u64], page_no: usize, total: i64) -> String {
        let (host, buster) = self.host();
        let style = Style {
            is_ascii: self.varies(30),
            is_password_quoted: !self.varies(30),
            are_numbers_quoted: !self.varies(20),
            are_ids_quoted: !self.varies(10),
            host,
            buster,
        };
        let mut out = String::with_capacity(200 + 600 * page.len());
        out.push('{');
        push_scalar(&mut out, "total_cnt", total, self.varies(10));
        push_scalar(&mut out, "page_no", page_no, self.varies(30));
        if self.options.page_block != 60 || !self.varies(20) {
            push_scalar(&mut out, "page_block", self.options.page_block, self.varies(10));
        }
        // Beyond the last page the list is empty, or not there at all.
        if !page.is_empty() || page_no == 1 || !self.varies(50) {
            out.push_str("\"broad\":[");
            for no in page {
                let Some(on_air) = self.on_air.get(no) else { continue };
                let paid = on_air.broadcast.paid_promotion;
                let is_left_out = self.options.omits_paid_promotion
                    && self.paid_told.insert(*no, paid) == Some(paid)
                    && self.dice.chance(25);
                write_row(&mut out, on_air, &style, paid.filter(|_| !is_left_out));
                out.push(',');
            }
            if out.ends_with(',') {
                out.pop();
            }
            out.push_str("],");
        }
        push_scalar(&mut out, "time", self.now.as_second(), self.varies(10));
        out.pop();
        out.push('}');
        out
    }
}

fn write_row(out: &mut String, on_air: &OnAir, style: &Style, paid_promotion: Option<bool>) {
    let Broadcast { no, login, .. } = &on_air.broadcast;
    let broadcast = &on_air.broadcast;
    let Style { host, buster, is_ascii, are_numbers_quoted, .. } = *style;
    let slash = if is_ascii { "\\/" } else { "/" };
    let folder = login.get(..2).unwrap_or(login);
    out.push('{');
    push_text(out, "broad_title", &broadcast.title, is_ascii);
    push_scalar(out, "visit_broad_type", u8::from(broadcast.is_visit_refused), are_numbers_quoted);
    push_scalar(out, "is_password", u8::from(broadcast.is_password), style.is_password_quoted);
    push_scalar(out, "broad_cate_no", &broadcast.category, true);
    push_scalar(out, "broad_no", no, style.are_ids_quoted);
    push_text(out, "user_id", login, is_ascii);
    push_text(out, "user_nick", &broadcast.nick, is_ascii);
    let picture = format_args!(
        "{slash}{slash}profile.img.{host}{slash}LOGO{slash}{folder}{slash}{login}{slash}{login}.jpg?dummy={buster}"
    );
    push_scalar(out, "profile_img", picture, true);
    push_scalar(out, "broad_thumb", format_args!("{slash}{slash}liveimg.{host}{slash}m{slash}{no}"), true);
    push_scalar(out, "broad_start", &on_air.started, true);
    push_scalar(out, "broad_grade", broadcast.grade, are_numbers_quoted);
    push_scalar(out, "broad_bps", broadcast.kbps, are_numbers_quoted);
    push_scalar(out, "broad_resolution", broadcast.resolution, true);
    if let Some(paid) = paid_promotion {
        push_scalar(out, "paid_promotion", u8::from(paid), false);
    }
    push_scalar(out, "total_view_cnt", broadcast.viewers, are_numbers_quoted);
    out.pop();
    out.push('}');
}
