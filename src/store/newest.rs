//! How far the log reaches, told to whoever waits for more of it.

use tokio::sync::watch;

/// Rows of the newest events: of all, of all but viewers', and of viewers'.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Newest {
    pub(super) event: u64,
    of: [u64; 2],
}

impl Newest {
    pub(super) fn note(&mut self, row: u64, is_playback: bool) {
        self.event = row;
        self.of[usize::from(is_playback)] = row;
    }
}

/// The writer's side.
pub(super) struct NewestTold {
    event: watch::Sender<u64>,
    of: [watch::Sender<u64>; 2],
}

/// Everybody else's side.
pub(super) struct NewestSeen {
    pub(super) event: watch::Receiver<u64>,
    of: [watch::Receiver<u64>; 2],
}

pub(super) fn channels(newest_event: u64) -> (NewestTold, NewestSeen) {
    let channel = || watch::channel(newest_event);
    let ((event, event_seen), (live, live_seen), (playback, playback_seen)) =
        (channel(), channel(), channel());
    let told = NewestTold { event, of: [live, playback] };
    (told, NewestSeen { event: event_seen, of: [live_seen, playback_seen] })
}

impl NewestTold {
    pub(super) fn current(&self) -> Newest {
        let [live, playback] = &self.of;
        Newest { event: *self.event.borrow(), of: [*live.borrow(), *playback.borrow()] }
    }

    /// Wakes those who wait for what is new.
    pub(super) fn tell(&self, newest: Newest) {
        let tell = |sender: &watch::Sender<u64>, row: u64| {
            sender.send_if_modified(|told| std::mem::replace(told, row) != row);
        };
        tell(&self.event, newest.event);
        self.of.iter().zip(newest.of).for_each(|(sender, row)| tell(sender, row));
    }
}

impl NewestSeen {
    pub(super) fn of(&self, is_playback: bool) -> &watch::Receiver<u64> {
        &self.of[usize::from(is_playback)]
    }
}
