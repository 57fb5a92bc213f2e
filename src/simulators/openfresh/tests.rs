use std::collections::HashSet;

use super::*;

mod tokens;

const PROGRAM: u64 = 92_823;

/// Reads the world, two seconds between requests.
struct Reader {
    world: World,
    now: Timestamp,
}

impl Reader {
    /// With one program on air.
    fn of(options: Options) -> Self {
        let mut world = World::new(options);
        world.start_program(PROGRAM);
        Self { now: world.now, world }
    }

    fn plain() -> Self {
        Self::of(Options { late_max: SignedDuration::ZERO, ..Options::default() })
    }

    fn pass(&mut self, milliseconds: i64) {
        self.now += SignedDuration::from_millis(milliseconds);
        self.world.advance(self.now);
    }

    fn get(&mut self, query: &[(&str, &str)]) -> Response {
        self.pass(2_000);
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let path = "/v1/comments".to_owned();
        self.world.answer(&Request { method: "GET".to_owned(), path, query, ..Request::default() }, self.now)
    }

    fn read(&mut self, since: i64, limit: usize) -> Value {
        let (since, limit) = (since.to_string(), limit.to_string());
        json_of(&self.get(&[("programId", "92823"), ("sinceMillisecond", &since), ("limit", &limit)]))
    }

    fn post(&mut self, path: &str, body: &Value, token: &str) -> Response {
        self.pass(2_000);
        let headers =
            [("content-type", "application/json".to_owned()), ("authorization", format!("Bearer {token}"))];
        let request = Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        self.world.answer(&request, self.now)
    }

    fn verbs(&self, noun: &str) -> Vec<&'static str> {
        let told = self.world.journal().iter().filter(|told| told.subject.starts_with(noun));
        told.map(|told| told.verb).collect()
    }
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).expect("the body is JSON")
}

fn rows(answer: &Value) -> &[Value] {
    answer["data"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn raws(answer: &Value) -> Vec<&str> {
    rows(answer).iter().filter_map(|row| row["raw"].as_str()).collect()
}

#[test]
fn comments_are_as_documented() {
    let mut reader = Reader::plain();
    reader.pass(10_000);
    let id = reader.world.comment(PROGRAM, "こんにちはこんにちは @フレッシュ");
    let mut answer = reader.read(0, 20);
    assert_eq!(answer["meta"], json!({ "nowMillisecond": 12_000, "latestMillisecond": 10_000 }));
    let row = answer["data"][0].as_object_mut().expect("there is a comment");
    assert!(row.shift_remove("freshId").is_some_and(|author| author.as_str().is_some()));
    row.shift_remove("username");
    let expected = json!({
        "id": id,
        "type": "user",
        "programId": "92823",
        "millisecond": 10_000,
        "raw": "こんにちはこんにちは @フレッシュ",
        "text": "こんにちはこんにちは",
        "atmark": ["フレッシュ"],
        "createdAt": "2017-03-09T06:16:45+09:00",
    });
    assert_eq!(answer["data"], json!([expected]));
    assert_eq!(id.len(), 36);
}

#[test]
fn an_archive_has_no_now_and_an_unknown_program_is_404() {
    let mut reader = Reader::plain();
    reader.world.end_program(PROGRAM);
    assert_eq!(reader.read(0, 20), json!({ "meta": { "nowMillisecond": null }, "data": [] }));
    let begun = reader.now - SignedDuration::from_hours(48);
    reader.world.archive_program(7, begun, SignedDuration::from_hours(2), 30);
    let archive =
        json_of(&reader.get(&[("programId", "7"), ("sinceMillisecond", "-600000"), ("limit", "100")]));
    assert_eq!((rows(&archive).len(), &archive["meta"]["nowMillisecond"]), (30, &Value::Null));
    let unknown = reader.get(&[("programId", "100000")]);
    let expected =
        json!({ "error": { "status": 404, "message": "programId=100000 is not found.", "errorData": {} } });
    assert_eq!((unknown.status, json_of(&unknown)), (404, expected));
    assert_eq!(reader.get(&[("programId", "x")]).status, 400);
    reader.world.withdraw_program(7);
    assert_eq!(reader.get(&[("programId", "7")]).status, 404);
}

#[test]
fn the_window_begins_at_its_bound_or_behind_it_and_ends_at_its_limit() {
    let mut reader = Reader::plain();
    for (raw, millisecond) in [("d", 20), ("before", -500), ("b", 10), ("c", 10), ("a", 0)] {
        reader.world.comment_at(PROGRAM, raw, millisecond, SignedDuration::ZERO);
    }
    let all = reader.read(-600_000, 20);
    let positions: Vec<_> = rows(&all).iter().map(|row| row["millisecond"].as_i64()).collect();
    assert_eq!(positions, [-500, 0, 10, 10, 20].map(Some));
    assert_eq!(raws(&reader.read(0, 20))[0], "a");
    assert_eq!(raws(&reader.read(10, 20)).len(), 3);
    assert_eq!(raws(&reader.read(-600_000, 2)), ["before", "a"]);
    let newest = json_of(&reader.get(&[("programId", "92823"), ("order", "desc"), ("limit", "1")]));
    assert_eq!(raws(&newest), ["d"]);
    reader.world.options().is_since_inclusive = false;
    assert_eq!(raws(&reader.read(10, 20)), ["d"]);
    assert_eq!(raws(&reader.read(0, 20)).len(), 3);
}

#[test]
fn no_answer_has_more_than_five_hundred_and_twenty_without_a_limit() {
    let mut reader = Reader::plain();
    for millisecond in 0..600 {
        reader.world.comment_at(PROGRAM, "w", millisecond, SignedDuration::ZERO);
    }
    assert_eq!(rows(&reader.read(0, 10_000)).len(), 500);
    assert_eq!(rows(&json_of(&reader.get(&[("programId", "92823")]))).len(), 20);
}

#[test]
fn a_late_comment_comes_between_two_that_were_read_already() {
    let mut reader = Reader::plain();
    reader.world.comment_at(PROGRAM, "late", 1_000, SignedDuration::from_millis(3_500));
    reader.world.comment_at(PROGRAM, "first", 1_000, SignedDuration::ZERO);
    reader.world.comment_at(PROGRAM, "last", 1_500, SignedDuration::ZERO);
    assert_eq!(raws(&reader.read(0, 20)), ["first", "last"]);
    assert_eq!(raws(&reader.read(0, 20)), ["first", "last"]);
    let seen = reader.read(0, 20);
    assert_eq!((raws(&seen).len(), raws(&seen)[2]), (3, "last"));
    assert_eq!(reader.verbs("comment/"), ["created"; 3]);
}

#[test]
fn late_comments_are_committed_at_the_end_or_come_after_it() {
    for (commits_at_end, seen_at_once) in [(true, 1), (false, 0)] {
        let mut reader = Reader::of(Options { commits_at_end, ..Options::default() });
        reader.pass(5_000);
        reader.world.comment_at(PROGRAM, "late", 5_000, SignedDuration::from_secs(3));
        reader.world.end_program(PROGRAM);
        assert_eq!(rows(&reader.read(0, 20)).len(), seen_at_once);
        assert_eq!(rows(&reader.read(0, 20)).len(), 1);
        assert_eq!(reader.world.comment(PROGRAM, "too late"), "");
    }
}

#[test]
fn a_burst_has_equal_positions_and_late_commits_and_is_seen_whole() {
    let mut reader = Reader::of(Options::default());
    reader.world.burst(PROGRAM, 200, SignedDuration::from_secs(10));
    let mut seen = HashSet::new();
    let mut late = 0;
    for _ in 0..8 {
        let mut since = -600_000;
        let newest_before = seen.iter().map(|(position, _)| *position).max();
        loop {
            let page = reader.read(since, 500);
            let positions = rows(&page)
                .iter()
                .filter_map(|row| Some((row["millisecond"].as_i64()?, row["id"].to_string())));
            let fresh: Vec<_> = positions.filter(|entry| !seen.contains(entry)).collect();
            late += fresh.iter().filter(|(position, _)| Some(*position) < newest_before).count();
            seen.extend(fresh);
            if rows(&page).len() < 500 {
                break;
            }
            since = rows(&page)[499]["millisecond"].as_i64().expect("it has a position");
        }
    }
    let positions: HashSet<_> = seen.iter().map(|(position, _)| position).collect();
    assert_eq!(seen.len(), 2_000);
    assert!(positions.len() < 1_500 && late > 20, "{} positions, {late} late", positions.len());
    assert_eq!(reader.verbs("comment/").len(), 2_000);
}

#[test]
fn people_write_before_an_announced_program_begins() {
    let mut reader = Reader::plain();
    reader.world.announce_program(7, SignedDuration::from_secs(60));
    reader.pass(20_000);
    reader.world.comment(7, "わくわく");
    let query = [("programId", "7"), ("sinceMillisecond", "-600000")];
    let before = json_of(&reader.get(&query));
    assert_eq!(
        (&before["data"][0]["millisecond"], &before["meta"]["nowMillisecond"]),
        (&json!(-40_000), &Value::Null)
    );
    reader.pass(40_000);
    let begun = json_of(&reader.get(&query));
    assert_eq!((rows(&begun).len(), begun["meta"]["nowMillisecond"].as_i64()), (1, Some(4_000)));
    assert_eq!(reader.verbs("broadcast/7"), ["started"]);
}

#[test]
fn meta_and_data_take_every_form_that_was_seen() {
    let mut reader = Reader::plain();
    reader.world.options().is_none_null = true;
    assert_eq!(reader.read(0, 20)["data"], Value::Null);
    reader.world.comment_at(PROGRAM, "one", 10, SignedDuration::ZERO);
    reader.world.options().is_single_an_object = true;
    assert_eq!(reader.read(0, 20)["data"]["raw"], "one");
    reader.world.comment_at(PROGRAM, "two", 20, SignedDuration::ZERO);
    assert_eq!(reader.read(0, 1)["meta"]["latestMillisecond"], 20);
    reader.world.options().meta = Meta::LatestOfPage;
    assert_eq!(reader.read(0, 1)["meta"]["latestMillisecond"], 10);
    reader.world.options().meta = Meta::Little;
    assert_eq!(reader.read(0, 1)["meta"], json!({ "nowMillisecond": 10_000 }));
    reader.world.options().meta = Meta::HelloWorld;
    assert_eq!(reader.read(0, 2)["meta"], "Hello, world!");
}

#[test]
fn sixty_in_any_sixty_seconds_are_allowed_to_everybody_together() {
    let mut reader = Reader::plain();
    let mut statuses = Vec::new();
    for _ in 0..62 {
        reader.now -= SignedDuration::from_millis(1_050);
        statuses.push(reader.get(&[("programId", "92823")]).status);
    }
    assert_eq!(statuses.iter().position(|status| *status == 429), Some(60));
    assert_eq!(reader.world.violations().len(), 2);
    // The window slides: the oldest are 60 seconds old now.
    reader.pass(60_000);
    assert_eq!(reader.get(&[("programId", "92823")]).status, 200);
    reader.world.options().over_limit = OverLimit::Answered;
    for _ in 0..61 {
        reader.now -= SignedDuration::from_secs(2);
        assert_eq!(reader.get(&[("programId", "92823")]).status, 200);
    }
    assert!(reader.world.violations().len() > 2);
}

#[test]
fn a_closed_service_says_farewell_or_nothing() {
    let mut reader = Reader::plain();
    reader.world.options().closed = Some(Closed::Page);
    let page = reader.get(&[("programId", "92823")]);
    assert!(page.status == 200 && page.body.starts_with(b"<!doctype html>"));
    reader.world.options().closed = Some(Closed::Refuses);
    let refused = reader.get(&[("programId", "92823")]);
    assert!(refused.manner == Manner::Cut && refused.body.is_empty());
}

#[test]
fn a_token_is_got_with_a_password_and_good_for_writing() {
    let mut reader = Reader::plain();
    let login = json!({ "username": "username", "password": "password" });
    assert_eq!(reader.post("/v1/oauth/token", &json!({ "username": "username" }), "").status, 401);
    let issued = json_of(&reader.post("/v1/oauth/token", &login, ""));
    assert_eq!(issued["data"]["expiredAt"], "2018-03-09T06:16:39.000+09:00");
    let token = issued["data"]["token"].as_str().expect("there is a token");
    assert_eq!(token.split('.').count(), 3);
    assert!(token.starts_with("eyJhbGciOiJIUzI1NiJ9."));
    let comment = json!({ "programId": "92823", "comment": "やあ" });
    let written = reader.post("/v1/comments", &comment, token);
    assert_eq!((written.status, json_of(&written)), (201, json!({ "meta": {}, "data": {} })));
    assert_eq!(reader.post("/v1/comments", &comment, "another").status, 401);
    assert_eq!(
        reader.post("/v1/comments", &json!({ "programId": 92823, "comment": "x" }), token).status,
        400
    );
    assert_eq!(raws(&reader.read(0, 20)), ["やあ"]);
    reader.world.end_program(PROGRAM);
    let late = json_of(&reader.post("/v1/comments", &comment, token));
    let expected =
        json!({ "error": { "status": 403, "message": "this program is not onair.", "errorData": {} } });
    assert_eq!(late, expected);
}

#[test]
fn a_program_for_members_is_refused_without_a_token_and_the_others_are_not() {
    let mut reader = Reader::plain();
    reader.world.start_program(1);
    reader.world.set_for_members(PROGRAM, true);
    let refused = reader.get(&[("programId", "92823")]);
    let expected =
        json!({ "error": { "status": 403, "message": "this program is for members.", "errorData": {} } });
    assert_eq!((refused.status, json_of(&refused)), (403, expected));
    reader.world.options().refusal = 401;
    assert_eq!(reader.get(&[("programId", "92823")]).status, 401);
    assert_eq!(reader.get(&[("programId", "1")]).status, 200);
    reader.world.set_for_members(PROGRAM, false);
    assert_eq!(reader.get(&[("programId", "92823")]).status, 200);
}

#[test]
fn tricks_happen_to_the_next_answer() {
    let mut reader = Reader::plain();
    for millisecond in 0..30 {
        reader.world.comment_at(PROGRAM, &millisecond.to_string(), millisecond, SignedDuration::ZERO);
    }
    let still = reader.read(0, 10);
    let mut trick = |trick, since| {
        reader.world.order(trick);
        reader.read(since, 10)
    };
    let shuffled = trick(Trick::Shuffle, 0);
    assert!(shuffled["data"] != still["data"] && rows(&shuffled).len() == 10);
    assert_eq!(trick(Trick::RepeatPage, 20)["data"], shuffled["data"]);
    assert_eq!(raws(&trick(Trick::Truncate, 20)), ["20", "21", "22", "23", "24"]);
    assert!(raws(&trick(Trick::EmptyPage, 0)).is_empty());
    assert_eq!(rows(&trick(Trick::Endless, 28)).len(), 10);
    assert_eq!(rows(&trick(Trick::Endless, 99)).len(), 10);
    let old = trick(Trick::OldCopy(SignedDuration::from_hours(1)), 0);
    assert_eq!((rows(&old).len(), &old["meta"]["nowMillisecond"]), (0, &Value::Null));
    assert_eq!(trick(Trick::Drift(drift::Drift::Null("meta")), 0)["meta"], Value::Null);
    assert_eq!(reader.read(0, 10)["data"], still["data"]);
    reader.world.always(Some(Trick::EmptyPage));
    assert!(raws(&reader.read(0, 10)).is_empty() && raws(&reader.read(0, 10)).is_empty());
}

#[test]
fn faults_spoil_one_answer_each() {
    let mut reader = Reader::plain();
    reader.world.faults().push_back(Fault::Status(502, None));
    assert_eq!(reader.get(&[("programId", "92823")]).status, 502);
    assert_eq!(reader.get(&[("programId", "92823")]).status, 200);
}

#[test]
fn a_world_that_plays_is_told_by_its_journal_and_equal_for_equal_seeds() {
    let play = |seed| {
        let mut dice = Dice::new(seed);
        let mut world = World::new(Options { seed, ..Options::default() });
        for step in 0..300 {
            world.advance(Timestamp::constant(1_489_007_795 + step, 0));
            world.play(&mut dice);
        }
        world
    };
    for seed in 0..10 {
        let world = play(seed);
        let written: usize = world.programs().map(|program| program.comments.len()).sum();
        let told = world.journal().iter().filter(|told| told.verb == "created").count();
        let ids: HashSet<_> = world.journal().iter().map(|told| (&told.subject, told.verb)).collect();
        assert_eq!((told, ids.len()), (written, world.journal().len()));
        assert!(world.programs().all(|program| World::PLAYED.contains(&program.id)));
        assert_eq!(play(seed).journal(), world.journal());
    }
}

#[test]
fn the_demo_is_over_in_eleven_seconds() {
    let mut world = World::demo();
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    world.advance(now);
    world.advance(now + SignedDuration::from_secs(11));
    let told: Vec<_> = world.journal().iter().map(|told| told.verb).collect();
    assert_eq!(told, ["created", "started", "created", "created", "created", "created", "ended"]);
    let first = world.program(PROGRAM).and_then(|program| program.comments.first());
    assert_eq!(first.map(|comment| comment.millisecond), Some(-1_000));
    assert!(
        world.journal().iter().all(|told| told.at >= now && told.at <= now + SignedDuration::from_secs(11))
    );
}
