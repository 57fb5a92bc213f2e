//! Lets a line through now and then, and counts those it held back: trouble of a thousand viewers is one trouble.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Time between two lines of one kind.
const PAUSE: Duration = Duration::from_secs(10);

/// By kind of line: what it is about, and what it says.
#[derive(Default)]
pub(super) struct Muffler(Mutex<HashMap<(String, &'static str), Spoken>>);

struct Spoken {
    at: Instant,
    held_back: u64,
}

impl Muffler {
    /// What to add to a line that may be written now: how many like it were held back since the last. There are as
    /// many kinds of lines as a configuration has questions, a few for each.
    pub(super) fn lets_through(&self, about: &str, says: &'static str) -> Option<String> {
        let now = Instant::now();
        let mut spoken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = spoken.get_mut(&(about.to_owned(), says));
        let held_back = match last {
            Some(last) if now.duration_since(last.at) < PAUSE => {
                last.held_back += 1;
                return None;
            }
            Some(last) => last.held_back,
            None => 0,
        };
        spoken.insert((about.to_owned(), says), Spoken { at: now, held_back: 0 });
        Some(if held_back == 0 { String::new() } else { format!(" (and {held_back} more like it before)") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_line_passes_and_then_one_in_ten_seconds_with_their_number() {
        let muffler = Muffler::default();
        assert_eq!(muffler.lets_through("a", "timeout").as_deref(), Some(""));
        for _ in 0..3 {
            assert_eq!(muffler.lets_through("a", "timeout"), None);
        }
        assert_eq!(muffler.lets_through("b", "timeout").as_deref(), Some(""));
        assert_eq!(muffler.lets_through("a", "bus_down").as_deref(), Some(""));
        tokio::time::advance(PAUSE).await;
        let later = muffler.lets_through("a", "timeout");
        assert_eq!(later.as_deref(), Some(" (and 3 more like it before)"));
        tokio::time::advance(PAUSE).await;
        assert_eq!(muffler.lets_through("a", "timeout").as_deref(), Some(""));
    }
}
