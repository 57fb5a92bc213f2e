//! Answers given before, by URL: what a cache in front of a platform would still have.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::{Request, dice::Dice};

/// So many different answers to one URL are kept.
const PER_URL: usize = 4;
/// Beyond so many URLs everything is forgotten.
const URLS: usize = 256;

/// How answers can be old: copies of whole answers, by URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cache {
    /// How old a copy can be.
    pub age: SignedDuration,
    /// How many of 100 answers are copies.
    pub share: u32,
}

/// Answers by URL, the oldest first, each with the time when it was right for the last time.
#[derive(Clone, Default, Debug)]
pub struct Copies {
    by_url: HashMap<String, VecDeque<(Timestamp, String)>>,
}

impl Copies {
    /// Keeps an answer that is right at `now`.
    pub fn keep(&mut self, url: &str, body: &str, now: Timestamp) {
        if self.by_url.len() > URLS {
            self.by_url.clear();
        }
        let copies = match self.by_url.get_mut(url) {
            Some(copies) => copies,
            None => self.by_url.entry(url.to_owned()).or_default(),
        };
        match copies.back_mut() {
            Some((at, newest)) if newest == body => *at = now,
            _ => copies.push_back((now, body.to_owned())),
        }
        if copies.len() > PER_URL {
            copies.pop_front();
        }
    }

    /// The oldest that is still there.
    pub fn oldest(&self, url: &str) -> Option<&str> {
        self.by_url.get(url)?.front().map(|(_, body)| body.as_str())
    }

    /// Mostly none. Else any one that was right so lately that `cache` may have it: several caches need not agree.
    pub fn cached(&self, url: &str, cache: Option<Cache>, now: Timestamp, dice: &mut Dice) -> Option<&str> {
        let cache = cache.filter(|cache| dice.chance(cache.share))?;
        let copies = self.by_url.get(url)?;
        let young = copies.iter().filter(|(at, _)| now.duration_since(*at) < cache.age);
        let chosen = dice.below(young.clone().count());
        young.map(|(_, body)| body.as_str()).nth(chosen)
    }
}

/// Path and query of a request, as a cache would tell requests apart.
pub fn url(request: &Request) -> String {
    let mut url = request.path.clone();
    for (name, value) in &request.query {
        url.extend(["?", name, "=", value]);
    }
    url
}
