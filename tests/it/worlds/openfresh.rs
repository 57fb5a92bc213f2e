//! Worlds of OpenFRESH.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    platform::WatchSettings,
    platforms::openfresh::Openfresh,
    poll::Account,
    simulators::{
        Request, Simulator,
        dice::Dice,
        drift::Drift,
        openfresh::{Meta, Options, OverLimit, Program, Trick, World},
    },
};
use serde_json::{Map, Value, json};

use super::{
    crash, faults,
    random::{self, runtime},
    scene::{self, Mischief, Scene},
};
use crate::support::{
    canaries,
    world::{Books, Stage, Told, Truth, in_parts, of_account, tempdir},
};

/// So late that it never begins by itself.
const SOME_DAY: SignedDuration = SignedDuration::from_hours(24 * 365);

in_parts!(random_worlds, |part| random::play_worlds::<Programs>("worlds::openfresh::random_worlds", part));

#[test]
fn faults_are_told_as_what_they_are() {
    faults::play_faults::<Programs>();
}

#[test]
fn a_process_that_ends_at_any_request_changes_nothing() {
    crash::play_crashes::<Programs>(3);
}

#[test]
fn every_comment_of_a_storm_is_told_once() {
    let begins_at = canaries::openfresh().begins_at;
    let options = Options { late_max: SignedDuration::from_secs(4), ..canaries::openfresh() };
    let mut world = World::new(options);
    world.announce_program(92_823, SignedDuration::from_secs(30));
    let scene = Programs {
        begins_at,
        programs: vec![92_823],
        every: Duration::from_secs(3),
        has_history: false,
        has_clock: true,
        members_only: None,
    };
    let account = scene.account("storm");
    let mut stage = Stage::new(world, begins_at, 1, move || vec![random::again(&account)]);
    let dir = tempdir();
    let books = Books::open(dir.path());
    runtime().block_on(async {
        stage.start(&books.store);
        stage.run_until(begins_at + SignedDuration::from_secs(40)).await;
        stage.world(|world| world.burst(92_823, 200, SignedDuration::from_secs(60)));
        // The budget lets reading fall behind while so much is written.
        stage.run_until(stage.now() + SignedDuration::from_mins(5)).await;
        let told = of_account(&books.store, "storm", 0).await;
        let written = stage.world(|world| world.program(92_823).unwrap().comments.len());
        assert_eq!(written, 12_000);
        let (_, wrong) = stage.world(|world| scene.judge(world, told));
        assert_eq!(wrong, [""; 0]);
        assert_eq!(stage.world(|world| world.violations().to_vec()), []);
    });
}

/// Programs that go live and end, and people who write.
pub struct Programs {
    begins_at: Timestamp,
    /// Those that are watched.
    programs: Vec<u64>,
    every: Duration,
    has_history: bool,
    /// Answers say whether a program is on air.
    has_clock: bool,
    /// One that is watched, and that nobody lets us read.
    members_only: Option<u64>,
}

impl Scene for Programs {
    type World = World;

    fn new(dice: &mut Dice) -> (Self, World) {
        let metas = [Meta::LatestOfProgram, Meta::LatestOfPage, Meta::Little, Meta::HelloWorld];
        let options = Options {
            seed: dice.number(),
            // More in one millisecond than fit into a page cannot all be read.
            limit_max: *dice.pick(&[50, 100, 500]),
            is_since_inclusive: dice.chance(70),
            meta: *dice.pick(&metas),
            is_single_an_object: dice.chance(30),
            is_none_null: dice.chance(30),
            late_max: SignedDuration::from_millis(dice.between(0, 4_000)),
            commits_at_end: dice.chance(50),
            over_limit: *dice.pick(&[OverLimit::Answered, OverLimit::Refused]),
            refusal: *dice.pick(&[401, 403]),
            ..canaries::openfresh()
        };
        let has_clock = options.meta != Meta::HelloWorld;
        let begins_at = options.begins_at;
        let mut world = World::new(options);
        let mut programs: Vec<_> = World::PLAYED.collect();
        programs.truncate(1 + dice.below(3));
        for program in &programs {
            world.announce_program(*program, SOME_DAY);
            if dice.chance(40) {
                world.start_program(*program);
                for _ in 0..dice.below(30) {
                    let position = -dice.between(0, 60_000);
                    world.comment_at(*program, "初見です", position, SignedDuration::ZERO);
                }
            }
        }
        let members_only = programs.last().copied().filter(|_| programs.len() > 1 && dice.chance(25));
        if let Some(program) = members_only {
            world.set_for_members(program, true);
        }
        let every = Duration::from_secs(dice.between(3, 15).unsigned_abs());
        let has_history = !has_clock || dice.chance(50);
        (Self { begins_at, programs, every, has_history, has_clock, members_only }, world)
    }

    fn begins_at(&self) -> Timestamp {
        self.begins_at
    }

    fn account(&self, name: &str) -> Account {
        let mut settings = WatchSettings { every: self.every, ..WatchSettings::default() };
        settings.lists.insert("programs", self.programs.iter().map(ToString::to_string).collect());
        settings.switches = if self.has_history { vec!["history"] } else { Vec::new() };
        scene::account(name, name, &Openfresh, &BTreeMap::from([("comments", settings)]))
    }

    fn play(&mut self, world: &mut World, dice: &mut Dice) {
        world.play(dice);
    }

    fn mislead(
        &mut self,
        world: &mut World,
        _request: &Request,
        dice: &mut Dice,
        may_lie: bool,
    ) -> Option<(Mischief, String)> {
        const FIELDS: [&str; 4] = ["id", "millisecond", "data", "meta"];
        let field = *dice.pick(&FIELDS);
        let (trick, mischief) = match dice.below(9) {
            0 => (Trick::Shuffle, Mischief::Visible),
            1 => (Trick::RepeatPage, Mischief::Visible),
            2 => (Trick::Truncate, Mischief::Visible),
            3 => (Trick::EmptyPage, Mischief::Visible),
            4 => (Trick::Endless, Mischief::Visible),
            // Before its start a program was not on air.
            5 => (Trick::OldCopy(SignedDuration::from_millis(dice.between(0, 4_000))), Mischief::Lie),
            6 => (Trick::Drift(Drift::Null("nowMillisecond")), Mischief::Lie),
            7 => (Trick::Drift(Drift::Unknown), Mischief::Visible),
            _ => {
                let drifts = [Drift::Missing(field), Drift::Renamed(field, "renamed"), Drift::Retyped(field)];
                (Trick::Drift(*dice.pick(&drifts)), Mischief::Visible)
            }
        };
        if mischief == Mischief::Lie && !may_lie {
            return None;
        }
        world.order(trick);
        Some((mischief, format!("{trick:?}")))
    }

    fn truth(&self, world: &World) -> Truth {
        let on_air = world.programs().filter(|program| program.is_on_air());
        let on_air = on_air.map(|program| (format!("broadcast/{}", program.id), of_program()));
        on_air.filter(|(subject, _)| self.is_watched(subject)).collect()
    }

    fn is_watched(&self, subject: &str) -> bool {
        let program = subject.strip_prefix("broadcast/").and_then(|id| id.parse().ok());
        self.has_clock && program.is_some_and(|program| self.is_readable(program))
    }

    fn shown_by(&self) -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([("broadcast", "comments")])
    }

    fn filled_in(&self) -> Vec<&'static str> {
        // When it began is worked out from its comments.
        vec!["broadcast"]
    }

    fn judge(&self, world: &World, told: Vec<Told>) -> (Vec<Told>, Vec<String>) {
        let (comments, told): (Vec<_>, Vec<_>) = told.into_iter().partition(|told| told.noun() == "comment");
        let mut wrong = Vec::new();
        let mut by_id = HashMap::new();
        for comment in &comments {
            if by_id.insert(comment.subject.trim_start_matches("comment/"), comment).is_some() {
                wrong.push(format!("{} is told twice", comment.subject));
            }
        }
        for program in world.programs().filter(|program| self.is_readable(program.id)) {
            let known_from = self.known_from(program, &told);
            for comment in &program.comments {
                let Some(told) = by_id.remove(&*comment.id) else {
                    if known_from.is_some_and(|from| comment.written_at > from) {
                        let seconds = comment.written_at.duration_since(self.begins_at).as_secs_f64();
                        wrong.push(format!("comment/{} of {seconds:.1} was not told", comment.id));
                    }
                    continue;
                };
                let must = json!({
                    "broadcast_id": program.id.to_string(),
                    "author_id": comment.author.to_string(),
                    "full_text": comment.raw,
                    "position_ms": comment.millisecond,
                });
                let is_right = |(name, value): (&String, &Value)| told.entity().get(name) == Some(value);
                if told.verb != "created" || !must.as_object().unwrap().iter().all(is_right) {
                    wrong.push(format!("comment/{} is told as {:?}", comment.id, told.data));
                }
            }
        }
        wrong.extend(by_id.keys().map(|id| format!("comment/{id} is invented")));
        let kinds: BTreeSet<_> = told.iter().map(Told::noun).collect();
        wrong.extend(
            kinds
                .iter()
                .filter(|kind| !["broadcast", "source"].contains(kind))
                .map(|kind| format!("a {kind}?")),
        );
        (told, wrong)
    }
}

impl Programs {
    fn is_readable(&self, program: u64) -> bool {
        self.programs.contains(&program) && self.members_only != Some(program)
    }

    /// From when on every comment must be told; `None` if none must.
    fn known_from(&self, program: &Program, told: &[Told]) -> Option<Timestamp> {
        if self.has_history {
            return Some(Timestamp::MIN);
        }
        let subject = format!("broadcast/{}", program.id);
        let first = told.iter().find(|told| told.subject == subject)?;
        // Who saw it begin has read it from its beginning on.
        Some(if first.verb == "started" { Timestamp::MIN } else { first.recorded_at })
    }
}

fn of_program() -> Map<String, Value> {
    Map::from_iter([("state".to_owned(), json!("live")), ("kind".to_owned(), json!("program"))])
}
