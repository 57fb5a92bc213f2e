//! Lists: one answer each, there are no pages.

use jiff::{
    Timestamp,
    civil::Date,
    tz::{Offset, TimeZone},
};

use super::{World, rows::Kind};
use crate::simulators::{
    Request,
    trick::{Trick, spoil_row},
    wire::asked_time,
};

impl World {
    /// A list of what stands at these places.
    pub(super) fn list(&mut self, kind: Kind, mut places: Vec<usize>, url: &str) -> String {
        let tricks = self.tricks.due(true);
        if tricks.contains(&Trick::OldCopy)
            && let Some(copy) = self.copies.oldest(url)
        {
            return copy.to_owned();
        }
        let mut total = places.len();
        let mut has_total = self.options.has_total;
        for trick in &tricks {
            match trick {
                Trick::Shuffle => self.whim.shuffle(&mut places),
                Trick::MoveEarlier if !places.is_empty() => places.rotate_right(1),
                Trick::MoveLater if !places.is_empty() => places.rotate_left(1),
                Trick::RepeatPage => places = places.iter().flat_map(|place| [*place; 2]).collect(),
                Trick::Truncate => {
                    places.truncate(places.len() / 2);
                    has_total = true;
                }
                Trick::Shorten => {
                    places.truncate(places.len() / 2);
                    total = places.len();
                }
                Trick::EmptyPage => {
                    places.clear();
                    has_total = true;
                }
                Trick::EmptyWorld => {
                    places.clear();
                    total = 0;
                }
                Trick::Endless => {
                    total += 1;
                    has_total = true;
                }
                _ => {}
            }
        }
        let is_spoilt = tricks.iter().any(Trick::is_inside_rows);
        let mut body = String::with_capacity(32 + places.len() * 1024);
        body.push_str("{\"items\":[");
        for (number, place) in places.into_iter().enumerate() {
            if number > 0 {
                body.push(',');
            }
            let row = self.row(kind, place);
            if is_spoilt {
                body.push_str(&spoil_row(row, &tricks));
            } else {
                body.push_str(row);
            }
        }
        body.push(']');
        if has_total {
            body.push_str(&format!(",\"total\":{total}"));
        }
        body.push('}');
        if tricks.is_empty() {
            self.copies.keep(url, &body, self.now);
        }
        body
    }

    /// One thing.
    pub(super) fn single(&mut self, kind: Kind, place: usize, url: &str) -> String {
        let tricks = self.tricks.due(false);
        if tricks.contains(&Trick::OldCopy)
            && let Some(copy) = self.copies.oldest(url)
        {
            return copy.to_owned();
        }
        let right = self.row(kind, place).to_owned();
        if tricks.is_empty() {
            self.copies.keep(url, &right, self.now);
            return right;
        }
        spoil_row(&right, &tricks)
    }

    /// The rooms of a space.
    pub(super) fn rooms_in(&self, space: usize) -> Vec<usize> {
        let is_there = |place: &usize| self.rooms[*place].space == space && !self.rooms[*place].is_removed;
        (0..self.rooms.len()).filter(is_there).collect()
    }

    /// The records of a room, those of `dateFrom` and later, before `dateTo`; the name of a parameter that cannot be
    /// read.
    pub(super) fn records_in(&self, room: usize, request: &Request) -> Result<Vec<usize>, &'static str> {
        let time = |name: &'static str, without| match request.query(name) {
            None => Ok(without),
            Some(text) => asked_time(text, &TimeZone::UTC).ok_or(name),
        };
        let from = time("dateFrom", Timestamp::MIN)?;
        let to = time("dateTo", Timestamp::MAX)?;
        let is_asked = |place: &usize| {
            let record = &self.records[*place];
            record.room == room && !record.is_removed && from <= record.created.at && record.created.at < to
        };
        Ok((0..self.records.len()).filter(is_asked).collect())
    }

    /// The calls of a room that began on the day asked for.
    pub(super) fn calls_on(&self, room: usize, request: &Request) -> Result<Vec<usize>, &'static str> {
        let zone = Offset::from_hours(self.options.zone_hours).unwrap_or(Offset::UTC).to_time_zone();
        let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
        let asked: Option<Date> = request.query("date").and_then(|text| asked_time(text, &zone)).map(day);
        let asked = asked.ok_or("date")?;
        let is_asked = |place: &usize| {
            let call = &self.calls[*place];
            let is_shown = call.finished.is_some() || self.options.shows_active_calls;
            call.room == room && is_shown && day(call.started.at) == asked
        };
        Ok((0..self.calls.len()).filter(is_asked).collect())
    }
}
