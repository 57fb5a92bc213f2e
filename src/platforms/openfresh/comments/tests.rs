use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::{
    model::{AccountName, Noun, Phase},
    platform::{AccountSettings, Listed, Platform, WatchSettings},
    platforms::openfresh::Openfresh,
};

/// Where the program is when the first sweep begins, in milliseconds.
const FIRST: i64 = 1_000_000;

/// The platform, as far as these tests need it.
struct Program {
    /// Place, id, and when it can be read: all but the id in milliseconds of the program.
    comments: Vec<(i64, String, i64)>,
    /// Whether a comment at the place asked for belongs to the answer.
    is_inclusive: bool,
    limit_max: usize,
    /// Whether pages are filled up with the same comments again.
    repeats: bool,
    /// What stands in the place of its clock.
    meta: Option<Value>,
}

impl Default for Program {
    fn default() -> Self {
        Self { comments: Vec::new(), is_inclusive: true, limit_max: 500, repeats: false, meta: None }
    }
}

impl Program {
    fn write(&mut self, place: i64, readable_at: i64) {
        let id = format!("c{}", self.comments.len());
        self.comments.push((place, id, readable_at));
    }

    fn answer(&self, request: &ApiRequest, now: i64) -> Value {
        let parameter = |name: &str| {
            let shown = request.to_string();
            let value = shown.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)).unwrap();
            value.trim_start_matches('=').parse::<i64>().unwrap()
        };
        let since = parameter("sinceMillisecond") - i64::from(self.is_inclusive);
        let readable = self.comments.iter().filter(|(_, _, readable_at)| *readable_at <= now);
        let mut rows: Vec<_> = readable.filter(|(place, ..)| *place > since).collect();
        rows.sort();
        let limit = (parameter("limit") as usize).min(self.limit_max);
        rows.truncate(limit);
        if self.repeats && !rows.is_empty() {
            rows = rows.iter().copied().cycle().take(limit).collect();
        }
        let row = |(place, id, _): &&(i64, String, i64)| json!({ "id": id, "millisecond": place });
        json!({
            "meta": self.meta.clone().unwrap_or_else(|| json!({ "nowMillisecond": now })),
            "data": rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

/// livehook, as far as these tests need it.
struct Reader {
    account: AccountSettings,
    cursor: Option<Value>,
    /// How often each comment was told.
    told: BTreeMap<String, usize>,
    has_ended: bool,
    quirks: Vec<&'static str>,
    requests: usize,
}

impl Reader {
    fn new(switches: &[&'static str]) -> Self {
        Self::of(&["92823".to_owned()], switches)
    }

    fn of(programs: &[String], switches: &[&'static str]) -> Self {
        let mut account = AccountSettings::new(AccountName::parse("fresh-1").unwrap(), "fresh-1");
        let lists = BTreeMap::from([("programs", programs.to_vec())]);
        let watch = WatchSettings { lists, switches: switches.to_vec(), ..Default::default() };
        account.watches.insert("comments", watch);
        Self {
            account,
            cursor: None,
            told: BTreeMap::new(),
            has_ended: false,
            quirks: Vec::new(),
            requests: 0,
        }
    }

    /// Reads everything; `true` when there is more.
    fn sweep(&mut self, program: &Program, now: i64) -> bool {
        self.slow_sweep(program, now, 0)
    }

    /// The same, with so many milliseconds between two requests.
    fn slow_sweep(&mut self, program: &Program, mut now: i64, pause: i64) -> bool {
        let asked_at = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(now);
        let mut walk = Openfresh.poll().unwrap().begin(SweepTask {
            watch: Openfresh.descriptor().watch("comments").unwrap(),
            account: &self.account,
            target: None,
            cursor: self.cursor.as_ref(),
            listed: &Listed::default(),
            now: asked_at,
            fingerprint: &|_| unreachable!("nothing here is a secret"),
        });
        while let Some(request) = walk.ask() {
            self.requests += 1;
            let body = program.answer(&request, now).to_string().into();
            let asked_at = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(now);
            walk.hear(&ApiResponse { status: 200, retry_after: None, body, asked_at }).unwrap();
            now += pause;
        }
        let findings = walk.findings();
        self.cursor = findings.cursor;
        self.quirks.extend(findings.quirks);
        let observations = findings.sightings.iter().map(|sighting| &sighting.observation);
        self.has_ended |= observations.clone().any(|it| it.phase == Some(Phase::Ended));
        let comments = observations.map(|observation| observation.entity.clone());
        for comment in comments.filter(|entity| entity.noun == Noun::Comment) {
            *self.told.entry(comment.id).or_default() += 1;
        }
        findings.has_more
    }

    fn has_told_each_once(&self, program: &Program) -> bool {
        self.told.len() == program.comments.len() && self.told.values().all(|times| *times == 1)
    }
}

/// 200 comments a second for half a minute, in threes at one place; every seventh is readable up to four seconds late.
fn burst() -> Program {
    let mut program = Program::default();
    for index in 0..6_000_i64 {
        let place = FIRST + index / 3 * 15;
        let lateness = if index % 7 == 0 { index * 37 % 4_000 } else { 0 };
        program.write(place, place + lateness);
    }
    program
}

#[test]
fn a_burst_with_late_commits_is_told_whole_and_once() {
    for is_inclusive in [true, false] {
        let program = Program { is_inclusive, ..burst() };
        let mut reader = Reader::new(&[]);
        let mut requests_before = 0;
        for now in (FIRST - 1..FIRST + 50_000).step_by(5_000) {
            assert!(!reader.sweep(&program, now));
            // Twelve such sweeps are in a minute.
            assert!(reader.requests - requests_before <= 5, "too many for 60 in a minute");
            requests_before = reader.requests;
        }
        assert!(reader.has_told_each_once(&program), "inclusive: {is_inclusive}");
        assert_eq!(reader.quirks, [""; 0]);
    }
}

#[test]
fn what_is_committed_late_while_pages_wait_for_their_turn_is_told() {
    let program = burst();
    let mut reader = Reader::new(&[]);
    reader.sweep(&program, FIRST - 1);
    reader.slow_sweep(&program, FIRST + 3_000, 9_000);
    for now in [70_000, 80_000] {
        reader.sweep(&program, FIRST + now);
    }
    assert!(reader.has_told_each_once(&program));
}

#[test]
fn a_full_page_that_was_seen_before_is_gone_through_and_not_past() {
    let mut program = Program::default();
    (0..900).for_each(|index| program.write(FIRST + index * 5, FIRST));
    let mut reader = Reader::new(&[]);
    reader.sweep(&program, FIRST - 1);
    reader.sweep(&program, FIRST + 5_000);
    // Behind the first page of what is read again, and before its end.
    program.write(FIRST + 4_001, FIRST + 6_000);
    reader.sweep(&program, FIRST + 8_000);
    assert!(reader.has_told_each_once(&program));
}

#[test]
fn pages_shorter_than_asked_for_are_read_to_the_newest() {
    for limit_max in [20, 50] {
        let mut program = Program { limit_max, ..Program::default() };
        (0..300).for_each(|index| program.write(FIRST + index * 15, FIRST + index * 15));
        let mut reader = Reader::new(&[]);
        for now in (FIRST - 1..FIRST + 10_000).step_by(3_000) {
            assert!(!reader.sweep(&program, now));
        }
        assert!(reader.has_told_each_once(&program), "{limit_max}");
    }
}

#[test]
fn a_page_that_repeats_itself_is_no_full_one() {
    let mut reader = Reader::new(&[]);
    reader.sweep(&Program::default(), FIRST);
    let mut program = Program { repeats: true, ..Program::default() };
    (0..3).for_each(|index| program.write(FIRST + index, FIRST));
    assert!(!reader.sweep(&program, FIRST + 3_000));
    assert!(reader.has_told_each_once(&program) && reader.requests < 5);
}

#[test]
fn more_at_one_place_than_a_page_holds_is_a_possible_gap_and_no_dead_end() {
    for is_inclusive in [true, false] {
        let mut program = Program { is_inclusive, ..Program::default() };
        (0..1_200).for_each(|_| program.write(FIRST, FIRST));
        program.write(FIRST + 10, FIRST);
        let mut reader = Reader::new(&[]);
        reader.sweep(&program, FIRST - 1);
        assert!(!reader.sweep(&program, FIRST + 3_000));
        assert!(reader.quirks.contains(&"comments-gap-possible"), "inclusive: {is_inclusive}");
        assert!(reader.told.contains_key("c1200"), "inclusive: {is_inclusive}");
        assert!(reader.told.len() > 500 && reader.told.values().all(|times| *times == 1));
    }
}

#[test]
fn a_short_page_full_of_one_place_is_no_dead_end() {
    for is_inclusive in [true, false] {
        let mut program = Program { is_inclusive, limit_max: 20, ..Program::default() };
        (0..25).for_each(|_| program.write(FIRST, FIRST));
        program.write(FIRST + 10_000, FIRST + 10_000);
        let mut reader = Reader::new(&[]);
        for now in (FIRST - 1..FIRST + 20_000).step_by(3_000) {
            assert!(!reader.sweep(&program, now));
        }
        assert!(reader.told.contains_key("c25"), "inclusive: {is_inclusive}");
        assert!(reader.told.values().all(|times| *times == 1));
    }
}

#[test]
fn a_long_history_is_read_in_several_sweeps_each_of_forty_pages() {
    let mut program = Program::default();
    (0..21_000).for_each(|index| program.write(index * 25 - 600_000, 0));
    let mut reader = Reader::new(&["history"]);
    assert!(reader.sweep(&program, FIRST));
    assert_eq!(reader.requests, 40);
    assert!(!reader.sweep(&program, FIRST));
    assert!(!reader.sweep(&program, FIRST + 3_000));
    assert!(reader.has_told_each_once(&program));
}

#[test]
fn long_histories_of_many_programs_share_the_pages_of_a_sweep() {
    let mut program = Program { limit_max: 50, ..Program::default() };
    (0..1_000).for_each(|index| program.write(index * 1_000 - 600_000, 0));
    let programs: Vec<_> = (0..30).map(|number| number.to_string()).collect();
    let mut reader = Reader::of(&programs, &["history"]);
    while reader.sweep(&program, FIRST) {
        assert!(reader.requests > 400 && reader.requests <= 500, "{} requests in one sweep", reader.requests);
        reader.requests = 0;
    }
    assert_eq!(reader.told.len(), 1_000);
    assert!(reader.told.values().all(|times| *times == programs.len()));
}

#[test]
fn a_program_that_was_put_off_is_asked_for_though_the_clock_is_set_back() {
    let mut reader = Reader::new(&[]);
    for (due_at, requests) in [("1970-01-01T00:30:00Z", 0), ("1970-01-01T02:00:00Z", 1)] {
        reader.cursor = Some(json!({ "programs": { "92823": { "due_at": due_at } } }));
        reader.sweep(&Program::default(), 0);
        assert_eq!(reader.requests, requests, "{due_at}");
    }
}

#[test]
fn an_end_is_confirmed_by_an_answer_that_says_so_and_not_by_one_without_a_clock() {
    let mut reader = Reader::new(&[]);
    let stands = Program { meta: Some(json!({ "nowMillisecond": null })), ..Program::default() };
    let unsaid = Program { meta: Some(json!("(moved)")), ..Program::default() };
    reader.sweep(&Program::default(), FIRST);
    for (number, program) in [&stands, &unsaid, &unsaid].into_iter().enumerate() {
        reader.sweep(program, FIRST + 60_000 * (number as i64 + 1));
        assert!(!reader.has_ended, "{number}");
    }
    reader.sweep(&stands, FIRST + 300_000);
    assert!(reader.has_ended);
}

#[test]
fn a_cursor_that_cannot_be_read_begins_anew() {
    let mut reader = Reader::new(&[]);
    for cursor in [json!("x"), json!({ "programs": { "92823": { "newest": "x" } } }), json!(null)] {
        reader.cursor = Some(cursor);
        reader.sweep(&Program::default(), FIRST);
        let from = reader.cursor.as_ref().unwrap().pointer("/programs/92823/from");
        assert_eq!(from, Some(&json!(FIRST)));
    }
}
