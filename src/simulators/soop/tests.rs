use std::collections::HashSet;

use serde_json::json;

use super::*;
use crate::simulators::Manner;

mod answers;
mod authorising;
mod verbs;

/// Reads the world as somebody who keeps to the limits: a second between requests.
struct Reader {
    world: World,
    now: Timestamp,
}

impl Reader {
    fn of(options: Options) -> Self {
        Self::in_world(World::new(options))
    }

    fn in_world(world: World) -> Self {
        let now = world.now;
        Self { world, now }
    }

    fn plain() -> Self {
        Self::of(Options { varies: false, ..Options::default() })
    }

    fn send(&mut self, request: &Request) -> Response {
        self.now += SignedDuration::from_secs(1);
        self.world.answer(request, self.now)
    }

    fn get(&mut self, path: &str, query: &[(&str, &str)]) -> Response {
        let pairs = [&[("client_id", "client-id")], query].concat();
        let query = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.send(&Request { method: "GET".to_owned(), path: path.to_owned(), query, ..Request::default() })
    }

    fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(&Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
            body: body.into_bytes(),
            ..Request::default()
        })
    }

    fn own(&mut self, path: &str) -> Value {
        json_of(&self.post(path, &[("access_token", "access-token"), ("platform_type", "SOOP")]))
    }

    fn page(&mut self, order: &str, page_no: usize) -> Value {
        json_of(&self.get("/broad/list", &[("order_type", order), ("page_no", &page_no.to_string())]))
    }

    /// All pages, as long as rows come, at most 200.
    fn sweep(&mut self, order: &str) -> Vec<u64> {
        let pages = (1..=200).map(|page_no| numbers(&self.page(order, page_no)));
        pages.take_while(|rows| !rows.is_empty()).flatten().collect()
    }

    fn verbs(&self) -> Vec<String> {
        self.world.journal().iter().map(|told| format!("{} {}", told.subject, told.verb)).collect()
    }
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).expect("the body is JSON")
}

/// A number, however it is sent.
fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).expect("it is a number")
}

fn numbers(page: &Value) -> Vec<u64> {
    page["broad"].as_array().into_iter().flatten().map(|row| number(&row["broad_no"])).collect()
}

#[test]
fn every_page_together_is_everybody_in_both_orders_while_the_world_stands_still() {
    for (broadcasts, varies) in [(0, true), (1, true), (60, true), (61, false), (300, true)] {
        let options = Options { varies, seed: broadcasts as u64, ..Options::default() };
        let mut reader = Reader::in_world(World::crowded(options, broadcasts));
        for order in ["view_cnt", "broad_start"] {
            let seen = reader.sweep(order);
            assert_eq!(seen.len(), broadcasts);
            let expected: HashSet<_> = reader.world.listed().map(|broadcast| broadcast.no).collect();
            assert_eq!(seen.into_iter().collect::<HashSet<_>>(), expected);
        }
    }
}

#[test]
fn rows_are_in_the_order_that_was_asked_for() {
    let mut reader = Reader::plain();
    let [few, many] = [5, 500].map(|viewers| {
        reader.now += SignedDuration::from_secs(10);
        reader.world.advance(reader.now);
        reader.world.start_as("soop", "title", "00130000", |broadcast| broadcast.viewers = viewers)
    });
    assert_eq!(numbers(&reader.page("view_cnt", 1)), [many, few]);
    reader.world.watch(few, 501);
    assert_eq!(numbers(&reader.page("view_cnt", 1)), [few, many]);
    assert_eq!(numbers(&reader.page("broad_start", 1)), [many, few]);
    assert_eq!(numbers(&reader.page("anything", 1)), [few, many]);
}

#[test]
fn a_parent_category_includes_those_below_and_an_unknown_key_selects_nothing() {
    let mut reader = Reader::plain();
    let talk = reader.world.start("a", "t", "00130000");
    let lol = reader.world.start("b", "t", "40019");
    let game = reader.world.start("c", "t", "00040000");
    let select = |reader: &mut Reader, query: &[(&str, &str)]| {
        numbers(&json_of(&reader.get("/broad/list", query))).into_iter().collect::<HashSet<_>>()
    };
    assert_eq!(select(&mut reader, &[("select_value", "00040000")]), HashSet::from([lol, game]));
    assert_eq!(
        select(&mut reader, &[("select_key", "cate"), ("select_value", "00040019")]),
        HashSet::from([lol])
    );
    assert_eq!(select(&mut reader, &[("select_value", "")]), HashSet::from([talk, lol, game]));
    let ignored = select(&mut reader, &[("select_key", "user_id"), ("select_value", "a")]);
    assert_eq!(ignored, HashSet::from([talk, lol, game]));
}

#[test]
fn requests_that_come_too_early_are_counted_and_refused_only_by_option() {
    let mut reader = Reader::plain();
    let early = |reader: &mut Reader| {
        reader.get("/broad/list", &[]);
        reader.now -= SignedDuration::from_millis(501);
        reader.get("/broad/list", &[])
    };
    assert_eq!(early(&mut reader).status, 200);
    assert_eq!(reader.world.violations().len(), 1);
    reader.world.options().over_limit = OverLimit::Refused;
    reader.now += SignedDuration::from_mins(2);
    let refused: Vec<_> = (0..10).map(|_| early(&mut reader)).collect();
    assert!(refused.iter().all(|response| response.status == 429));
    let said = refused.iter().map(|response| response.headers.iter().find(|(name, _)| name == "retry-after"));
    assert_eq!(said.filter(Option::is_none).count(), 1);
    assert_eq!(reader.world.violations().len(), 11);
}

#[test]
fn sixty_in_a_minute_are_allowed_and_one_more_is_not() {
    let mut reader = Reader::plain();
    reader.now += SignedDuration::from_secs(100);
    for _ in 0..61 {
        reader.now -= SignedDuration::from_millis(100);
        reader.get("/broad/list", &[]);
    }
    assert_eq!(reader.world.violations().len(), 1);
    // An account has limits of its own.
    reader.own("/user/stationinfo");
    assert_eq!(reader.world.violations().len(), 1);
}

#[test]
fn faults_spoil_one_answer_each() {
    let mut reader = Reader::plain();
    reader.world.faults().extend([Fault::Silence, Fault::Status(503, Some("7".to_owned()))]);
    assert_eq!(reader.get("/broad/list", &[]).manner, Manner::Never);
    assert_eq!(reader.get("/broad/list", &[]).status, 503);
    assert_eq!(reader.get("/broad/list", &[]).status, 200);
}

#[test]
fn tricks_happen_to_the_next_request_that_they_can_happen_to() {
    let mut reader = Reader::in_world(World::crowded(Options { varies: false, ..Options::default() }, 130));
    let still = [1, 2, 3].map(|page_no| numbers(&reader.page("view_cnt", page_no)));
    let mut lapse = |lapse, page_no| {
        reader.world.order(lapse);
        // Not for this one.
        reader.own("/user/stationinfo");
        reader.page("view_cnt", page_no)
    };
    let shuffled = numbers(&lapse(Lapse::Shuffle, 2));
    assert!(shuffled.len() == 60 && shuffled != still[1]);
    let crossed = numbers(&lapse(Lapse::CrossBoundary, 2));
    assert_eq!((crossed[0], &crossed[1..]), (still[0][59], &still[1][1..]));
    assert_eq!(numbers(&lapse(Lapse::CrossBoundary, 1))[59], still[1][0]);
    let repeated = lapse(Lapse::RepeatPage, 3);
    assert_eq!((numbers(&repeated), number(&repeated["page_no"])), (still[1].clone(), 3));
    assert_eq!(numbers(&lapse(Lapse::Truncate, 1)), still[0][..30]);
    let empty = lapse(Lapse::EmptyPage, 2);
    assert_eq!((numbers(&empty).len(), number(&empty["total_cnt"])), (0, 130));
    assert_eq!(number(&lapse(Lapse::EmptyWorld, 1)["total_cnt"]), 0);
    let endless = lapse(Lapse::Endless, 99);
    assert_eq!((numbers(&endless).len(), number(&endless["total_cnt"])), (60, 6_000));
    assert_eq!(lapse(Lapse::WrongTotal(-5), 1)["total_cnt"], 125);
    // A shape can change anywhere.
    reader.world.order(Lapse::Drift(drift::Drift::Missing("data")));
    assert!(reader.own("/user/stationinfo")["data"].is_null());
    reader.world.order(Lapse::Drift(drift::Drift::Missing("broad")));
    assert!(reader.page("view_cnt", 1)["broad"].is_null());
    assert_eq!([1, 2, 3].map(|page_no| numbers(&reader.page("view_cnt", page_no))), still);
}

#[test]
fn a_trick_for_always_happens_until_it_is_ended() {
    let mut reader = Reader::in_world(World::crowded(Options::default(), 10));
    reader.world.always(Some(Lapse::Endless));
    assert_eq!(reader.sweep("view_cnt").len(), 200 * 60);
    reader.world.always(None);
    assert_eq!(reader.sweep("view_cnt").len(), 10);
}

#[test]
fn an_old_copy_is_what_was_answered_then_with_the_time_of_then() {
    let mut reader = Reader::plain();
    let gone = reader.world.start("a", "t", "00130000");
    let then = reader.page("view_cnt", 1);
    reader.world.end(gone);
    assert!(numbers(&reader.page("view_cnt", 1)).is_empty());
    reader.world.order(Lapse::OldCopy);
    assert_eq!(reader.page("view_cnt", 1), then);
    reader.world.order(Lapse::OldCopy);
    assert!(numbers(&reader.page("broad_start", 1)).is_empty());
}

#[test]
fn a_world_that_plays_is_told_by_its_journal_and_equal_for_equal_seeds() {
    let play = |seed| {
        let mut dice = Dice::new(seed);
        let mut world = World::crowded(Options { seed, ..Options::default() }, 50);
        for _ in 0..500 {
            world.now += SignedDuration::from_millis(700);
            world.play(&mut dice);
        }
        world
    };
    for seed in 0..20 {
        let world = play(seed);
        let told = |verb| {
            let of_verb = world.journal().iter().filter(move |told| told.verb == verb);
            of_verb.filter_map(|told| told.subject.strip_prefix("broadcast/")).collect::<HashSet<_>>()
        };
        let on_air: HashSet<_> = world.broadcasts().map(|broadcast| broadcast.no.to_string()).collect();
        let (started, ended) = (told("started"), told("ended"));
        assert_eq!(on_air.iter().map(String::as_str).collect::<HashSet<_>>(), &started - &ended);
        assert!(told("hidden").is_empty() && world.broadcasts().count() <= 300);
        assert_eq!(play(seed).journal(), world.journal());
    }
}

#[test]
fn a_world_of_ten_thousand_is_read_whole() {
    let mut reader = Reader::in_world(World::crowded(Options::default(), 10_000));
    let seen: HashSet<_> = reader.sweep("view_cnt").into_iter().collect();
    assert_eq!(seen.len(), 10_000);
}
