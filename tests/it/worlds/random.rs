//! Random worlds: whatever happens in them, and however they misbehave, what is published in the end is what happened.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    platform::Platform,
    poll::Account,
    simulators::{Fault, Request, Simulator, dice::Dice, drift},
    store::Store,
};

use super::scene::{Mischief, Scene, Settling, stale_for};
use crate::support::world::{Books, Case, Look, Part, Seeds, Stage, Truths, judge, of_account, tempdir};

/// How many worlds of each platform are played, unless somebody wants more.
const WORLDS: u64 = 1000;
/// Longest time that watches may need for their last looks: back-off after the worst is over.
const PATIENCE: SignedDuration = SignedDuration::from_hours(12);

/// Plays this part of as many worlds as wanted, and fails if anything is wrong with one of them.
pub fn play_worlds<S: Scene>(test: &'static str, part: Part) {
    let runtime = runtime();
    let dir = tempdir();
    let books = Books::open(dir.path());
    Seeds::of(test, WORLDS, part).play(|seed| match runtime.block_on(one::<S>(&books.store, seed, None)) {
        Ok(case) => {
            let mut complaints = judge(&case);
            if Seeds::is_single() && !complaints.is_empty() {
                complaints.extend(case.told.iter().map(|told| format!("told {told:?}")));
                complaints.extend(case.diary);
            }
            complaints
        }
        Err(why) => vec![why],
    });
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Plays one world; `defect` stands in the platform's place.
pub async fn one<S: Scene>(
    store: &Store,
    seed: u64,
    defect: Option<fn(&'static dyn Platform) -> &'static dyn Platform>,
) -> Result<Case, String> {
    let mut dice = Dice::new(seed);
    let (scene, world) = S::new(&mut dice);
    let name = format!("{}-{seed}", world.platform());
    let mut account = scene.account(&name);
    let apart = stale_for(account.platform);
    account.platform = defect.map_or(account.platform, |defect| defect(account.platform));
    let (shown_by, filled_in) = (scene.shown_by(), scene.filled_in());
    let begins_at = scene.begins_at();
    let row = *store.newest_event().borrow();

    let director = Arc::new(Mutex::new(Director::new(scene, dice.fork(), Seeds::is_single())));
    let mut stage = Stage::new(world, begins_at, seed, move || vec![again(&account)]);
    stage.world(|world| director.lock().unwrap().note(world, begins_at));
    stage.start(store);
    stage.run_looks(1, apart, SignedDuration::from_hours(1)).await?;
    let known_at = stage.now();
    stage.clock.advance(SignedDuration::from_secs(1));

    let hook = Arc::clone(&director);
    stage.http.before_each(Some(Box::new(move |world, request, now| {
        hook.lock().unwrap().direct(world, request, now);
    })));
    for _ in 0..dice.between(3, 7) {
        let now = stage.now();
        stage.world(|world| director.lock().unwrap().play(world, now, 6));
        for _ in 0..4 {
            stage.run_until(stage.now() + SignedDuration::from_secs(16)).await;
            director.lock().unwrap().look_at(&stage.looks);
        }
    }

    stage.http.before_each(None);
    stage.world(|world| {
        world.faults().clear();
        director.lock().unwrap().scene.calm(world);
    });
    // What is under way comes to rest, and what seems idle is asked again.
    let Settling { lasts, naps } = director.lock().unwrap().scene.settling();
    if dice.chance(10) {
        stage.run_until(stage.now() + apart.max(lasts)).await;
    } else {
        // The same with less work: livehook sleeps meanwhile, as on a laptop that is closed.
        stage.run_until(stage.now() + apart.max(Settling::SHORT.lasts)).await;
        for _ in 0..naps {
            stage.clock.advance(lasts / naps);
            stage.run_looks(1, apart, PATIENCE).await?;
        }
    }
    stage.run_looks(3, apart, PATIENCE).await?;

    let told = of_account(store, &name, row).await;
    let journal = stage.world(|world| world.journal().to_vec());
    let mut director = director.lock().unwrap();
    let now = stage.now();
    stage.world(|world| director.note(world, now));
    let (told, also) = stage.world(|world| director.scene.judge(world, told));
    let journal = journal.into_iter().filter(|it| director.scene.is_watched(&it.subject));
    let looks = stage.looks.iter().filter(|look| !director.is_disturbed(look)).cloned();
    Ok(Case {
        journal: journal.collect(),
        told,
        also,
        diary: director.diary.clone(),
        truths: director.truths.clone(),
        known_from: begins_at,
        known_at,
        looks: looks.collect(),
        apart,
        shown_by: shown_by.into_iter().map(|(noun, watch)| (noun, format!("{name}/{watch}"))).collect(),
        filled_in,
        is_disturbed: !director.disturbed.is_empty(),
    })
}

/// The same account once more.
pub fn again(account: &Account) -> Account {
    Account {
        platform: account.platform,
        settings: account.settings.clone(),
        base_url: account.base_url.clone(),
        access: account.access.clone(),
    }
}

/// Decides what happens between requests.
struct Director<S> {
    scene: S,
    dice: Dice,
    truths: Truths,
    /// When an answer was spoilt.
    disturbed: Vec<Timestamp>,
    lied_at: Option<Timestamp>,
    /// What went on, for whoever wants to understand.
    diary: Vec<String>,
    /// Also every request.
    tells_all: bool,
}

impl<S: Scene> Director<S> {
    fn new(scene: S, dice: Dice, tells_all: bool) -> Self {
        Self {
            scene,
            dice,
            truths: Truths::default(),
            disturbed: Vec::new(),
            lied_at: None,
            diary: Vec::new(),
            tells_all,
        }
    }

    fn note(&mut self, world: &S::World, now: Timestamp) {
        self.truths.note(now, self.scene.truth(world));
    }

    fn play(&mut self, world: &mut S::World, now: Timestamp, most: usize) {
        self.note(world, now);
        for _ in 0..self.dice.below(most + 1) {
            self.scene.play(world, &mut self.dice);
            // What is over before anybody looks was true, too, and the platform may remember it.
            self.note(world, now);
        }
    }

    /// Before an answer.
    fn direct(&mut self, world: &mut S::World, request: &Request, now: Timestamp) {
        if self.tells_all {
            self.diary.push(format!("{now} {} {:?}", request.path, request.query));
        }
        if self.dice.chance(15) {
            self.play(world, now, 2);
        }
        if self.scene.keeps_misleading() {
            self.disturbed.push(now);
        }
        if self.dice.chance(4) {
            self.disturbed.push(now);
            let fault = self.fault(now);
            self.diary.push(format!("{now} {} {fault:?}", request.path));
            world.faults().push_back(fault);
        } else if self.dice.chance(12) {
            let may_lie = self.lied_at.is_none();
            if let Some((mischief, what)) = self.scene.mislead(world, request, &mut self.dice, may_lie) {
                self.disturbed.push(now);
                self.diary.push(format!("{now} {} {mischief:?} {what}", request.path));
                if mischief == Mischief::Lie {
                    assert!(may_lie, "two lies in a row cannot be told from the truth");
                    self.lied_at = Some(now);
                }
            }
        }
    }

    fn fault(&mut self, now: Timestamp) -> Fault {
        match self.dice.below(12) {
            0 => Fault::LoginPage,
            1 => Fault::Redirect,
            2 => Fault::Cut,
            3 => Fault::Silence,
            4 => Fault::Half,
            5 => Fault::BrokenGzip,
            6 => Fault::Gzip,
            7 => Fault::ByteOrderMark,
            8 => Fault::WrongContentType,
            9 => Fault::Status(*self.dice.pick(&[500, 502, 503, 504]), None),
            10 => Fault::Status(503, drift::retry_after(self.dice.below(6), now)),
            _ => Fault::Status(429, drift::retry_after(self.dice.below(6), now)),
        }
    }

    fn is_disturbed(&self, look: &Look) -> bool {
        self.disturbed.iter().any(|at| *at >= look.after && *at <= look.over_at)
    }

    /// Once each watch has seen the truth twice, there may be another lie.
    fn look_at(&mut self, looks: &[Look]) {
        let Some(lied_at) = self.lied_at else { return };
        let is_clean = |look: &&Look| look.after > lied_at && !self.is_disturbed(look);
        let watches: BTreeSet<_> = looks.iter().map(|look| &look.watch).collect();
        let has_seen = |watch: &&&String| {
            looks.iter().filter(is_clean).filter(|look| look.watch == ***watch).count() >= 2
        };
        if watches.iter().filter(has_seen).count() == watches.len() {
            self.lied_at = None;
        }
    }
}
