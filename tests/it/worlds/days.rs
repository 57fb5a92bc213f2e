//! Days that pass, with a restart every hour: never a request too many, never one too early.

mod each;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use livehook::{
    platform::{BudgetScope, Limits, Wake},
    poll::Account,
    simulators::{Simulator, dice::Dice},
};

use super::random::{again, runtime};
use crate::support::{
    simulated::Sent,
    world::{Books, Stage, number, tempdir},
};

/// The platform's minute: nobody knows where it begins.
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// What is read for days.
pub struct Days<S: Simulator + 'static> {
    pub world: S,
    pub begins_at: Timestamp,
    /// They share the limits that are to be kept.
    pub accounts: Vec<Account>,
    /// Things that callbacks may want to have confirmed.
    pub wakes: Vec<Wake>,
    pub play: fn(&mut S, &mut Dice),
}

/// Lets days pass; `LIVEHOOK_DAYS` says how many.
pub fn pass<S: Simulator + 'static>(days: Days<S>) {
    let hours = 24 * number("LIVEHOOK_DAYS", 2);
    let Days { world, begins_at, accounts, wakes, play } = days;
    let api = accounts[0].platform.descriptor().api.as_ref().unwrap();
    let names: Vec<_> = accounts.iter().map(|account| account.settings.name.clone()).collect();
    let watches = accounts.iter().flat_map(|account| {
        let name = &account.settings.name;
        account.settings.watches.keys().map(move |watch| format!("{name}/{watch}"))
    });
    let watches: Vec<_> = watches.collect();
    let mut stage = Stage::new(world, begins_at, 1, move || accounts.iter().map(again).collect());
    let dir = tempdir();
    let mut dice = Dice::new(9);
    let mut sent = Vec::new();
    runtime().block_on(async {
        for _ in 0..hours {
            let books = Books::open(dir.path());
            stage.start(&books.store);
            let end = stage.now() + SignedDuration::from_mins(60);
            while stage.now() < end {
                stage.world(|world| play(world, &mut dice));
                // Now and then many at once, now and then one.
                let callbacks = if dice.chance(20) { 30 } else { dice.below(2) };
                for _ in (0..callbacks).filter(|_| !wakes.is_empty()) {
                    stage.poller().wakes().wake(dice.pick(&names), dice.pick(&wakes).clone());
                }
                let pause = SignedDuration::from_secs(dice.between(5, 300));
                stage.run_until((stage.now() + pause).min(end)).await;
            }
            stage.stop();
            books.close();
            sent.extend(stage.http.take_sent());
        }
    });
    for watch in &watches {
        let looks = stage.looks.iter().filter(|look| look.watch == *watch).count();
        assert!(looks as u64 >= hours / 4, "{watch} has looked {looks} times in {hours} hours");
    }
    let hour = usize::try_from(hours).unwrap();
    assert!(sent.len() > 30 * hour, "only {} requests in {hours} hours", sent.len());
    assert_eq!(stage.world(|world| world.violations().to_vec()), []);
    assert_eq!(broken(&sent, api.limits), Vec::<String>::new());
    // Whoever may do less would have been caught.
    let most = most_in_a_minute(&sent);
    let stricter = Limits { per_minute: u32::try_from(most).unwrap() - 1, ..api.limits };
    assert!(!broken(&sent, stricter).is_empty());
    let lazier = Limits { gap_ms: shortest_gap(&sent) + 1, ..api.limits };
    assert!(!broken(&sent, lazier).is_empty());
    assert!(most * 2 > api.limits.per_minute as usize, "at most {most} in a minute: that proves nothing");
}

/// By host: here everybody at a host shares a credential, or the host is what counts.
fn by_host(sent: &[Sent]) -> BTreeMap<&str, Vec<&Sent>> {
    let mut by_host: BTreeMap<_, Vec<_>> = BTreeMap::new();
    sent.iter().for_each(|sent| by_host.entry(&*sent.host).or_default().push(sent));
    by_host
}

/// Where the limits were broken.
fn broken(sent: &[Sent], limits: Limits) -> Vec<String> {
    assert!(matches!(limits.scope, BudgetScope::Host | BudgetScope::Credential));
    let mut broken = Vec::new();
    for (host, sent) in by_host(sent) {
        for pair in sent.windows(2) {
            let gap = pair[1].at.duration_since(pair[0].answered_at);
            if gap < SignedDuration::from_millis(limits.gap_ms.into()) {
                broken.push(format!("{host}: {gap:#} before the request of {}", pair[1].at));
            }
        }
        for run in sent.windows(limits.per_minute as usize + 1) {
            let (first, last) = (run[0], run[run.len() - 1]);
            if last.at.duration_since(first.at) < MINUTE {
                broken.push(format!("{host}: {} in the minute before {}", run.len(), last.at));
            }
        }
    }
    broken
}

fn most_in_a_minute(sent: &[Sent]) -> usize {
    let mut most = 0;
    for sent in by_host(sent).values() {
        let mut first = 0;
        for (last, request) in sent.iter().enumerate() {
            while request.at.duration_since(sent[first].at) >= MINUTE {
                first += 1;
            }
            most = most.max(last - first + 1);
        }
    }
    most
}

fn shortest_gap(sent: &[Sent]) -> u32 {
    let mut shortest = u32::MAX;
    for sent in by_host(sent).values() {
        for pair in sent.windows(2) {
            let gap = pair[1].at.duration_since(pair[0].answered_at).as_millis();
            shortest = shortest.min(u32::try_from(gap).unwrap_or(u32::MAX));
        }
    }
    shortest
}
