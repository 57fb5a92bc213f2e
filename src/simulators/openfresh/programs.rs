//! Programs go on air and off; people write comments.

use jiff::{SignedDuration, Timestamp};

use super::World;

/// A program: on air, over, or announced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// The last segment of the address of its page.
    pub id: u64,
    /// When it began, or is to begin: what positions are counted from.
    pub zero: Timestamp,
    /// It has begun.
    pub has_begun: bool,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Whoever reads without a token is refused.
    pub is_for_members: bool,
    /// Everything written, visible or not, by position and id.
    pub comments: Vec<Comment>,
}

impl Program {
    /// Whether it runs.
    pub fn is_on_air(&self) -> bool {
        self.has_begun && self.ended_at.is_none()
    }

    /// How much of it is over; `None` if it does not run.
    pub(super) fn elapsed(&self, now: Timestamp) -> Option<i64> {
        let runs = self.has_begun && now >= self.zero && self.ended_at.is_none_or(|ended_at| now < ended_at);
        runs.then(|| milliseconds(self.zero, now))
    }
}

/// A comment. It never changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// A UUID.
    pub id: String,
    /// Who wrote it: digits.
    pub author: u64,
    /// The name it is signed with, if it is.
    pub username: Option<String>,
    /// Where in the program; negative before its start.
    pub millisecond: i64,
    /// All of it.
    pub raw: String,
    /// When it was written.
    pub written_at: Timestamp,
    /// From when on answers have it.
    pub visible_at: Timestamp,
}

/// Comments that come by themselves.
#[derive(Clone, Debug)]
pub(super) struct Burst {
    program: u64,
    next_at: Timestamp,
    gap: SignedDuration,
    until: Timestamp,
}

const RAWS: [&str; 6] = [
    "こんにちはこんにちは @フレッシュ",
    "888888 👏👏",
    "＠しゅっち @FRESH! それな",
    "<b>草</b> & \"w\"",
    "@だれか",
    "初見です\nよろしく",
];

fn milliseconds(from: Timestamp, to: Timestamp) -> i64 {
    i64::try_from(to.duration_since(from).as_millis()).unwrap_or(i64::MAX)
}

impl World {
    /// A program is on air from now on. One that was announced keeps the positions of its comments.
    pub fn start_program(&mut self, id: u64) {
        let now = self.now;
        let program = self.programs.entry(id).or_insert_with(|| announced(id, now));
        if !program.has_begun {
            (program.has_begun, program.zero) = (true, now);
            self.tell(now, format!("broadcast/{id}"), "started");
        }
    }

    /// A program will be on air after `delay`; until then people can write already, at negative positions.
    pub fn announce_program(&mut self, id: u64, delay: SignedDuration) {
        let zero = self.now.checked_add(delay).unwrap_or(self.now);
        self.programs.entry(id).or_insert_with(|| announced(id, zero));
        self.after(delay, move |world| world.start_program(id));
    }

    /// A program is over. Its comments can still be read.
    pub fn end_program(&mut self, id: u64) {
        let (now, commits) = (self.now, self.options.commits_at_end);
        let Some(program) = self.programs.get_mut(&id).filter(|program| program.is_on_air()) else { return };
        program.ended_at = Some(now);
        for comment in program.comments.iter_mut().rev() {
            if commits && comment.visible_at > now && comment.written_at <= now {
                comment.visible_at = now;
            }
        }
        self.tell(now, format!("broadcast/{id}"), "ended");
    }

    /// A program that was over before anybody asked, with so many comments.
    pub fn archive_program(&mut self, id: u64, zero: Timestamp, length: SignedDuration, comments: usize) {
        let ended_at = zero.checked_add(length).unwrap_or(zero);
        self.programs
            .insert(id, Program { has_begun: true, ended_at: Some(ended_at), ..announced(id, zero) });
        self.tell(zero, format!("broadcast/{id}"), "started");
        for _ in 0..comments {
            let millisecond = self.dice.between(-60_000, milliseconds(zero, ended_at));
            let raw = *self.dice.pick(&RAWS);
            self.comment_at(id, raw, millisecond, SignedDuration::ZERO);
        }
        self.tell(ended_at, format!("broadcast/{id}"), "ended");
    }

    /// A program is for members only from now on, or for everybody. Nothing for the journal.
    pub fn set_for_members(&mut self, id: u64, is_for_members: bool) {
        if let Some(program) = self.programs.get_mut(&id) {
            program.is_for_members = is_for_members;
        }
    }

    /// A program is withdrawn: nothing is known of it any more. Nothing for the journal.
    pub fn withdraw_program(&mut self, id: u64) {
        self.programs.remove(&id);
    }

    /// Somebody writes, now; every third comment becomes visible late. Returns its id; empty if there is no such
    /// program, or not any more.
    pub fn comment(&mut self, program: u64, raw: &str) -> String {
        let is_open = |program: &&Program| program.ended_at.is_none();
        let zero = self.programs.get(&program).filter(is_open).map(|program| program.zero);
        let Some(zero) = zero else { return String::new() };
        let late = self.lateness();
        self.comment_at(program, raw, milliseconds(zero, self.now), late)
    }

    /// Somebody writes at this position, and it becomes visible so much later, but not in the past.
    pub fn comment_at(&mut self, program: u64, raw: &str, millisecond: i64, late: SignedDuration) -> String {
        let (first, second) = (self.dice.number(), self.dice.number());
        let (author, is_signed) = (9_000_000 + self.dice.below(1_000) as u64, self.dice.chance(20));
        let now = self.now;
        let Some(program) = self.programs.get_mut(&program) else { return String::new() };
        let position = SignedDuration::from_millis(millisecond);
        let written_at = program.zero.checked_add(position).unwrap_or(now);
        let id = uuid(first, second);
        let comment = Comment {
            id: id.clone(),
            author,
            username: is_signed.then(|| format!("FRESH!さん{author}")),
            millisecond,
            raw: raw.to_owned(),
            written_at,
            visible_at: written_at.checked_add(late).unwrap_or(written_at).max(now),
        };
        let key = |comment: &Comment| (comment.millisecond, comment.id.clone());
        let place = program.comments.partition_point(|known| {
            known.millisecond < millisecond
                || (known.millisecond == millisecond && key(known) < key(&comment))
        });
        program.comments.insert(place, comment);
        self.tell(written_at, format!("comment/{id}"), "created");
        id
    }

    /// So many comments per second for so long, from now on, or until the program ends. Every other one is put into the
    /// same twentieth of a second as its neighbours, so that it is that much late beside its own lateness.
    pub fn burst(&mut self, program: u64, per_second: u32, length: SignedDuration) {
        let gap = SignedDuration::from_secs(1) / i32::try_from(per_second.max(1)).unwrap_or(i32::MAX);
        let until = self.now.checked_add(length).unwrap_or(self.now);
        self.bursts.push(Burst { program, next_at: self.now, gap, until });
    }

    pub(super) fn play_bursts(&mut self, now: Timestamp) {
        for mut burst in std::mem::take(&mut self.bursts) {
            while burst.next_at < burst.until && burst.next_at <= now {
                self.now = burst.next_at;
                self.comment_in_burst(burst.program);
                burst.next_at = burst.next_at.checked_add(burst.gap).unwrap_or(Timestamp::MAX);
            }
            if burst.next_at < burst.until {
                self.bursts.push(burst);
            }
        }
    }

    fn comment_in_burst(&mut self, id: u64) {
        let Some(program) = self.programs.get(&id).filter(|program| program.ended_at.is_none()) else {
            return;
        };
        let exact = milliseconds(program.zero, self.now);
        let millisecond = if self.dice.chance(50) { exact - exact.rem_euclid(50) } else { exact };
        let raw = *self.dice.pick(&RAWS);
        let late = self.lateness();
        self.comment_at(id, raw, millisecond, late);
    }

    fn lateness(&mut self) -> SignedDuration {
        let most = i64::try_from(self.options.late_max.as_millis()).unwrap_or(0);
        let late = if self.dice.chance(33) { self.dice.between(0, most) } else { 0 };
        SignedDuration::from_millis(late)
    }

    /// A program.
    pub fn program(&self, id: u64) -> Option<&Program> {
        self.programs.get(&id)
    }

    /// All programs, in the order of their ids.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.programs.values()
    }
}

fn announced(id: u64, zero: Timestamp) -> Program {
    Program { id, zero, has_begun: false, ended_at: None, is_for_members: false, comments: Vec::new() }
}

fn uuid(first: u64, second: u64) -> String {
    let variant = (second & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    let (low, version) = (first >> 32, ((first & 0xffff_0fff) | 0x4000));
    format!(
        "{low:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        version >> 16,
        version & 0xffff,
        variant >> 48,
        variant & 0xffff_ffff_ffff
    )
}
