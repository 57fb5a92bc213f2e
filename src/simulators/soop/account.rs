//! Linked accounts and videos change.

use super::{Account, Station, StreamSettings, Vod, World};

impl World {
    /// Changes a linked station.
    pub fn edit_station(&mut self, login: &str, change: impl FnOnce(&mut Station)) {
        let Some(account) = self.account_mut(login) else { return };
        let before = account.station.clone();
        change(&mut account.station);
        if account.station.differs_from(&before) {
            let id = account.id.clone();
            self.tell("channel", &id, "updated");
        }
    }

    /// Changes how a linked account has set up its next broadcast. The one on air stays as it is.
    pub fn change_settings(&mut self, login: &str, change: impl FnOnce(&mut StreamSettings)) {
        let Some(account) = self.account_mut(login) else { return };
        let before = account.settings.clone();
        change(&mut account.settings);
        if account.settings != before {
            let id = account.id.clone();
            self.tell("settings", &id, "updated");
        }
    }

    /// Gives a linked account another address to send video to; part of its settings.
    pub fn move_ingest(&mut self, login: &str, url: &str) {
        let Some(account) = self.account_mut(login).filter(|account| account.ingest_url != url) else {
            return;
        };
        url.clone_into(&mut account.ingest_url);
        let id = account.id.clone();
        self.tell("settings", &id, "updated");
    }

    /// Gives a linked account another stream key, which ends what it has on air; returns the key.
    pub fn reset_key(&mut self, login: &str) -> Option<String> {
        self.last_key += 1;
        let key = format!("afid-{login}-{}", self.last_key);
        let account = self.account_mut(login)?;
        account.stream_key.clone_from(&key);
        let id = account.id.clone();
        self.tell("stream_key", &id, "rotated");
        for no in
            self.broadcasts().filter(|broadcast| broadcast.login == login).map(|b| b.no).collect::<Vec<_>>()
        {
            self.end(no);
        }
        Some(key)
    }

    /// The access tokens of a linked account are too old from now on, the issued ones too.
    pub fn expire_token(&mut self, login: &str) {
        self.grants.expire_access(Some(login), self.now);
        if let Some(account) = self.account_mut(login) {
            account.is_token_expired = true;
        }
    }

    /// A linked account has another access token; the one before is not known any more.
    pub fn renew_token(&mut self, login: &str, access_token: &str) {
        if let Some(account) = self.account_mut(login) {
            access_token.clone_into(&mut account.access_token);
            account.is_token_expired = false;
        }
    }

    /// A linked account.
    pub fn account(&self, login: &str) -> Option<&Account> {
        self.options.accounts.iter().find(|account| account.login == login)
    }

    /// There is a video now. Nothing for the journal: only changes of videos are told.
    pub fn add_vod(&mut self, id: u64, title: &str, author: &str, author_login: &str) {
        let [title, author, author_login] = [title, author, author_login].map(str::to_owned);
        self.vods.insert(id, Vod { id, title, author, author_login });
    }

    /// Changes a video in any way but its number.
    pub fn edit_vod(&mut self, id: u64, change: impl FnOnce(&mut Vod)) {
        let Some(vod) = self.vods.get_mut(&id) else { return };
        let before = vod.clone();
        change(vod);
        vod.id = id;
        if *vod != before {
            self.tell("content", &id.to_string(), "updated");
        }
    }

    /// Takes a video away.
    pub fn remove_vod(&mut self, id: u64) {
        if self.vods.remove(&id).is_some() {
            self.tell("content", &id.to_string(), "removed");
        }
    }

    /// A video.
    pub fn vod(&self, id: u64) -> Option<&Vod> {
        self.vods.get(&id)
    }

    fn account_mut(&mut self, login: &str) -> Option<&mut Account> {
        self.options.accounts.iter_mut().find(|account| account.login == login)
    }
}
