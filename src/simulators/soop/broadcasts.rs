//! Broadcasts come, change and go.

use super::{
    Broadcast, FilterKind, OnAir, World,
    things::{SECONDS, korean_time, padded},
};

impl World {
    /// A login goes on air; returns the number of the broadcast.
    pub fn start(&mut self, login: &str, title: &str, category: &str) -> u64 {
        self.start_as(login, title, category, |_| {})
    }

    /// A login goes on air, set up in its own way; returns the number of the broadcast. The number and the time are
    /// not up to `set_up`.
    pub fn start_as(
        &mut self,
        login: &str,
        title: &str,
        category: &str,
        set_up: impl FnOnce(&mut Broadcast),
    ) -> u64 {
        self.last_no += 1;
        let no = self.last_no;
        let mut broadcast = Broadcast {
            no,
            login: login.to_owned(),
            nick: format!("{login}님"),
            title: title.to_owned(),
            category: padded(category),
            started_at: self.now,
            grade: 0,
            is_password: false,
            is_visit_refused: false,
            paid_promotion: Some(false),
            kbps: 8_000,
            resolution: "1920x1080",
            viewers: 1,
            is_hidden: false,
        };
        set_up(&mut broadcast);
        (broadcast.no, broadcast.started_at) = (no, self.now);
        let login = broadcast.login.clone();
        let started = korean_time(self.now, SECONDS);
        self.on_air.insert(no, OnAir { broadcast, started, is_listed: true });
        self.orders.clear();
        self.tell("broadcast", &no.to_string(), "started");
        self.look(no);
        let now = self.now;
        self.edit_station(&login, |station| station.last_broadcast_at = Some(now));
        no
    }

    /// Gives a broadcast another title.
    pub fn rename(&mut self, no: u64, title: &str) {
        self.edit(no, |broadcast| title.clone_into(&mut broadcast.title));
    }

    /// Puts a broadcast into another category.
    pub fn change_category(&mut self, no: u64, category: &str) {
        self.edit(no, |broadcast| broadcast.category = padded(category));
    }

    /// Changes a broadcast in any way but its number, its time and its login.
    pub fn edit(&mut self, no: u64, change: impl FnOnce(&mut Broadcast)) {
        let Some(on_air) = self.on_air.get_mut(&no) else { return };
        let before = on_air.broadcast.clone();
        change(&mut on_air.broadcast);
        on_air.broadcast.no = no;
        on_air.broadcast.started_at = before.started_at;
        on_air.broadcast.login.clone_from(&before.login);
        self.orders.clear();
        if on_air.broadcast.differs_from(&before) {
            self.tell("broadcast", &no.to_string(), "updated");
        }
        self.look(no);
    }

    /// So many watch now. Moves the broadcast in the list; nothing for the journal.
    pub fn watch(&mut self, no: u64, viewers: u64) {
        self.edit(no, |broadcast| broadcast.viewers = viewers);
    }

    /// Keeps a broadcast out of the list, though it goes on.
    pub fn hide(&mut self, no: u64) {
        self.edit(no, |broadcast| broadcast.is_hidden = true);
    }

    /// Lets a broadcast into the list again.
    pub fn unhide(&mut self, no: u64) {
        self.edit(no, |broadcast| broadcast.is_hidden = false);
    }

    /// A broadcast is over.
    pub fn end(&mut self, no: u64) {
        if self.on_air.remove(&no).is_some() {
            self.orders.clear();
            self.paid_told.remove(&no);
            self.tell("broadcast", &no.to_string(), "ended");
        }
    }

    /// A broadcast breaks off, and its login is back at once under a new number, which is returned.
    pub fn come_back(&mut self, no: u64) -> Option<u64> {
        let Broadcast { login, title, category, .. } = self.on_air.get(&no)?.broadcast.clone();
        self.end(no);
        Some(self.start(&login, &title, &category))
    }

    /// A broadcast on air.
    pub fn broadcast(&self, no: u64) -> Option<&Broadcast> {
        self.on_air.get(&no).map(|on_air| &on_air.broadcast)
    }

    /// Everything on air, in the order of numbers.
    pub fn broadcasts(&self) -> impl Iterator<Item = &Broadcast> {
        self.on_air.values().map(|on_air| &on_air.broadcast)
    }

    /// Broadcasts that the list shows.
    pub fn listed(&self) -> impl Iterator<Item = &Broadcast> {
        self.on_air.values().filter(|on_air| on_air.is_listed).map(|on_air| &on_air.broadcast)
    }

    /// Notes whether the list shows a broadcast.
    fn look(&mut self, no: u64) {
        let Some(broadcast) = self.broadcast(no) else { return };
        let is_listed = !broadcast.is_hidden && !self.is_filtered(broadcast);
        let Some(on_air) = self.on_air.get_mut(&no) else { return };
        if on_air.is_listed != is_listed {
            on_air.is_listed = is_listed;
            self.orders.clear();
            self.tell("broadcast", &no.to_string(), if is_listed { "shown" } else { "hidden" });
        }
    }

    /// The same for all, after filters or categories changed.
    pub(super) fn look_at_all(&mut self) {
        self.orders.clear();
        for no in self.on_air.keys().copied().collect::<Vec<_>>() {
            self.look(no);
        }
    }

    fn is_filtered(&self, broadcast: &Broadcast) -> bool {
        self.filters.iter().any(|filter| match filter.kind {
            FilterKind::Streamer => filter.value == broadcast.login,
            FilterKind::Category => self.with_those_below(&filter.value).contains(&broadcast.category),
            FilterKind::Keyword => broadcast.title.contains(&filter.value),
        })
    }
}
