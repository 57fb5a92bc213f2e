//! What happens in a world, and when: steps that `advance` plays.

use jiff::{SignedDuration, Timestamp};

type Step<W> = Box<dyn FnOnce(&mut W) + Send>;

/// Steps to be played on a world.
pub struct Script<W> {
    begun: Option<Timestamp>,
    elapsed: SignedDuration,
    steps: Vec<(SignedDuration, Step<W>)>,
}

impl<W> Script<W> {
    /// A script that begins at a known time.
    pub fn beginning_at(at: Timestamp) -> Self {
        Self { begun: Some(at), ..Self::beginning_at_first_look() }
    }

    /// A script that begins when [`Script::due`] is asked for the first time.
    pub fn beginning_at_first_look() -> Self {
        Self { begun: None, elapsed: SignedDuration::ZERO, steps: Vec::new() }
    }

    /// Adds a step that long from now: from the step that is being played, or from the last look at the clock. Steps
    /// with the same time are played in the order in which they were added.
    pub fn add(&mut self, delay: SignedDuration, step: impl FnOnce(&mut W) + Send + 'static) {
        let after = self.elapsed.saturating_add(delay);
        let place = self.steps.partition_point(|(known, _)| *known <= after);
        self.steps.insert(place, (after, Box::new(step)));
    }

    /// The next step whose time has come, with that time.
    pub fn due(&mut self, now: Timestamp) -> Option<(Timestamp, Step<W>)> {
        let begun = *self.begun.get_or_insert(now);
        let elapsed = now.duration_since(begun).max(self.elapsed);
        match self.steps.first() {
            Some((after, _)) if *after <= elapsed => {
                let (after, step) = self.steps.remove(0);
                self.elapsed = after;
                Some((begun.checked_add(after).unwrap_or(now), step))
            }
            _ => {
                self.elapsed = elapsed;
                None
            }
        }
    }
}

impl<W> std::fmt::Debug for Script<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Script of {} steps", self.steps.len())
    }
}

#[cfg(test)]
mod tests;
