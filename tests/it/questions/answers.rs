//! What a decision service says, does not say, says badly, twice or too late.

use std::time::Duration;

use jiff::Timestamp;
use livehook::{
    health::Condition,
    ports::{Clock, SystemClock},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    player::{download, play},
    rig::{Setup, USER_KEY, until},
    service::{PLAY, Service, allow},
};
use crate::support::nats::Nats;

/// The deadline of these tests.
const DEADLINE: Duration = Duration::from_millis(400);
/// "At once", on a busy machine: well before the deadline.
const AT_ONCE: Duration = Duration::from_millis(300);
/// By how much an answer may miss the deadline on a busy machine.
const SLACK: Duration = Duration::from_millis(250);

#[tokio::test]
async fn a_service_decides_and_its_reply_is_signed() {
    let nats = Nats::start();
    let reply = json!({ "result": "allow", "expires_at": 1893455999, "play_limit_seconds": 3600 });
    let service = Service::replying(&nats, PLAY, reply.to_string()).await;
    let rig = Setup::on(&nats).questions("deadline = \"5s\"").start().await;

    let asked_at = SystemClock.now();
    let got = rig.player().play("user-42").await;
    let data = json!({ "result": 1, "expiration_date": 1893455999, "expiration_playtime": 3600 });
    assert_eq!(got.data(), data);
    assert_eq!(got.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(got.header("x-kollus-userkey"), USER_KEY);

    let question = &service.asked()[0];
    for (field, value) in [
        ("platform", json!("kollus")),
        ("account", json!("acme")),
        ("question", json!("play")),
        ("kind", json!(1)),
        ("client_user_id", json!("user-42")),
        ("media_content_key", json!("vnCVPyVx")),
        ("user_values", json!({ "uservalue0": "class_01" })),
    ] {
        assert_eq!(question[field], value, "{field} in {question:#}");
    }
    let headers = service.headers();
    let header = |name| headers.get(name).map(|value| value.as_str().to_owned()).unwrap();
    assert_eq!(question["id"], header("Livehook-Question-Id"));
    assert_eq!(header("Livehook-Question-Id").len(), 32);
    let deadline = header("Livehook-Deadline");
    assert_eq!(deadline.len(), "2026-01-14T04:30:12.114Z".len(), "{deadline}");
    let left = deadline.parse::<Timestamp>().unwrap().duration_since(asked_at);
    assert!((4500..5600).contains(&left.as_millis()), "the service is given {left:?}");

    assert_eq!(rig.decided("play", "allow", "service", ""), 1);
    assert_eq!(rig.count("livehook_question_seconds_count", &[("question", "play")]), 1);
    assert_eq!(
        rig.count("livehook_deliveries_total", &[("callback", "vod-play"), ("outcome", "answered")]),
        1
    );
    assert_eq!(rig.lines_with(&["INFO", "kollus/acme vod-play: answered, play allow by service"]), 1);
    assert!(!rig.log().contains(USER_KEY) && !rig.log().contains(&got.body), "{}", rig.log());
}

#[tokio::test]
async fn a_denial_carries_its_message() {
    let nats = Nats::start();
    let reply = json!({ "result": "deny", "message": "구독이 끝났습니다" }).to_string();
    let _service = Service::replying(&nats, PLAY, reply).await;
    let rig = Setup::on(&nats).policy("\"allow\"").start().await;
    let data = rig.player().play("user-42").await.data();
    assert_eq!(data, json!({ "result": 0, "message": "구독이 끝났습니다" }));
    assert_eq!(rig.decided("play", "deny", "service", ""), 1);
}

#[tokio::test]
async fn all_questions_of_a_delivery_are_asked_at_once_and_answered_in_order() {
    let nats = Nats::start();
    // The later it was asked, the sooner it replies.
    let service = Service::start(&nats, "ask.kollus.acme.download", |asked| async move {
        let number: u64 = asked.question["media_content_key"].as_str().unwrap()[4..].parse().unwrap();
        sleep(Duration::from_millis(400 - number * 100)).await;
        let result = if number.is_multiple_of(2) { "allow" } else { "deny" };
        asked.reply(json!({ "result": result, "count_limit": number }).to_string()).await;
    })
    .await;
    let rig = Setup::on(&nats).questions("deadline = \"5s\"").start().await;
    let got = rig.player().post("download", download(["item0", "item1", "item2", "item3"])).await;
    let got = got.within(Duration::from_millis(900));
    let read = |element: &Value| {
        (element["media_content_key"].clone(), element["result"].clone(), element["expiration_count"].clone())
    };
    let elements: Vec<_> = got.data().as_array().unwrap().iter().map(read).collect();
    let wanted: Vec<_> = (0..4).map(|n| (json!(format!("item{n}")), json!((n + 1) % 2), json!(n))).collect();
    assert_eq!(elements, wanted);
    assert_eq!(service.asked().len(), 4);
    assert_eq!(rig.decided("download", "allow", "service", ""), 2);
    assert_eq!(rig.decided("download", "deny", "service", ""), 2);
}

#[tokio::test]
async fn where_nobody_answers_the_policy_does_at_once_until_somebody_comes() {
    let nats = Nats::start();
    for (policy, result) in [("\"allow\"", 1), ("\"deny\"", 0)] {
        let rig = Setup::on(&nats).policy(policy).questions("deadline = \"5s\"").start().await;
        for _ in 0..3 {
            assert_eq!(rig.player().play("user-42").await.within(2 * AT_ONCE).result(), result);
        }
        let decision = policy.trim_matches('"');
        assert_eq!(rig.decided("play", decision, "policy", "no_responder"), 3);
        // Three viewers, one line.
        let line = format!("on_no_answer decides: {decision}");
        assert_eq!(rig.lines_with(&["WARN", "nobody subscribes to `ask.kollus.acme.play`", &line]), 1);
        let degraded = "nobody answers ask.kollus.acme.play, so on_no_answer decides".to_owned();
        assert!(rig.health.conditions().contains(&("questions", Condition::Degraded(degraded))));

        let service = Service::replying(&nats, PLAY, allow()).await;
        assert_eq!(rig.player().play("user-42").await.result(), 1);
        assert_eq!(rig.decided("play", "allow", "service", ""), 1);
        assert!(rig.health.conditions().contains(&("questions", Condition::Ok)));
        service.kill().await;
    }
}

#[tokio::test]
async fn who_wants_no_answer_by_policy_gets_a_503() {
    let nats = Nats::start();
    let policy =
        "{ play = \"refuse\", live-play = \"deny\", download = \"refuse\", next-episode = \"deny\" }";
    let rig = Setup::on(&nats).policy(policy).start().await;
    let got = rig.player().play("user-42").await.within(AT_ONCE);
    assert_eq!((got.status, got.header("retry-after"), &*got.body), (503, "60", ""));
    assert_eq!(got.header("access-control-allow-origin"), "*");
    assert_eq!(rig.decided("play", "refuse", "policy", "no_responder"), 1);
    assert_eq!(rig.lines_with(&["WARN", "vod-play: unavailable", "play refuse by policy (no_responder)"]), 1);

    // One answer serves all items, so one that nobody decides leaves all without.
    let service = Service::start(&nats, "ask.kollus.acme.download", |asked| async move {
        if asked.question["media_content_key"] == "one" {
            asked.reply(allow()).await;
        }
    })
    .await;
    assert_eq!(rig.player().post("download", download(["one"])).await.data().as_array().unwrap().len(), 1);
    assert_eq!(rig.player().post("download", download(["one", "two"])).await.status, 503);
    assert_eq!(service.replies(), 2);
    // Only what was answered is told.
    until("the one answer is recorded", async || rig.event_types().await == ["download.authorized"]).await;
}

#[tokio::test]
async fn a_slow_service_is_not_waited_for_and_its_late_reply_is_told() {
    let nats = Nats::start();
    let service = Service::allowing(&nats, PLAY, DEADLINE * 2).await;
    let rig = Setup::on(&nats).start().await;
    let got = rig.player().play("user-42").await.within(DEADLINE + SLACK);
    assert!(got.took >= DEADLINE.mul_f32(0.9), "it took only {:?}", got.took);
    assert_eq!(got.result(), 0);
    assert_eq!(rig.decided("play", "deny", "policy", "timeout"), 1);
    assert_eq!(rig.lines_with(&["WARN", "no reply came in time; on_no_answer decides: deny"]), 1);
    assert_eq!(rig.count("livehook_stray_replies_total", &[]), 0);

    until("the reply comes", async || service.replies() == 1).await;
    until("it is told", async || rig.count("livehook_stray_replies_total", &[("why", "late")]) == 1).await;
    assert_eq!(rig.lines_with(&["WARN", "ask.kollus.acme.play: a reply came after", "too late"]), 1);
}

#[tokio::test]
async fn a_service_that_never_replies_or_dies_with_the_question_is_a_timeout() {
    let nats = Nats::start();
    let rig = Setup::on(&nats).policy("\"allow\"").start().await;
    let silent = Service::start(&nats, PLAY, async |_| {}).await;
    assert_eq!(rig.player().play("user-42").await.within(DEADLINE + SLACK).result(), 1);
    assert_eq!(rig.decided("play", "allow", "policy", "timeout"), 1);

    let player = rig.player();
    let (got, ()) = tokio::join!(player.play("user-43"), async {
        until("it was asked", async || silent.asked().len() == 2).await;
        silent.kill().await;
    });
    assert_eq!(got.within(DEADLINE + SLACK).result(), 1);
    assert_eq!(rig.decided("play", "allow", "policy", "timeout"), 2);
    assert_eq!(player.play("user-44").await.within(AT_ONCE).result(), 1);
    assert_eq!(rig.decided("play", "allow", "policy", "no_responder"), 1);
}

#[tokio::test]
async fn of_two_replies_the_first_counts_and_the_second_is_told() {
    let nats = Nats::start();
    let _service = Service::start(&nats, PLAY, |asked| async move {
        asked.clone().reply(json!({ "result": "allow" }).to_string()).await;
        asked.reply(json!({ "result": "deny" }).to_string()).await;
    })
    .await;
    let rig = Setup::on(&nats).start().await;
    assert_eq!(rig.player().play("user-42").await.result(), 1);
    assert_eq!(rig.decided("play", "allow", "service", ""), 1);
    until("it is told", async || rig.count("livehook_stray_replies_total", &[("why", "second")]) == 1).await;
    assert_eq!(rig.lines_with(&["WARN", "a second reply came", "queue group"]), 1);
    assert_eq!(rig.count("livehook_stray_replies_total", &[("why", "late")]), 0);
}

#[tokio::test]
async fn garbage_is_not_signed_and_the_log_names_the_field() {
    let nats = Nats::start();
    for (reply, field) in [
        (String::new(), "reply"),
        ("yes".to_owned(), "reply"),
        ("[]".to_owned(), "reply"),
        ("\u{0}\u{1}\u{2}".to_owned(), "reply"),
        ("[".repeat(100_000), "reply"),
        (format!("{{\"result\":\"allow\",\"message\":\"{}\"}}", "x".repeat(200_000)), "reply"),
        (r#"{"result":"allow","colour":"red"}"#.to_owned(), "reply"),
        (r#"{"stream":"ASKED","seq":7}"#.to_owned(), "result"),
        (r#"{"result":"maybe"}"#.to_owned(), "result"),
        (r#"{"result":true}"#.to_owned(), "result"),
        (r#"{"result":"allow","expires_at":1893456000}"#.to_owned(), "expires_at"),
        (r#"{"result":"allow","expires_at":"1893455999"}"#.to_owned(), "expires_at"),
        (r#"{"result":"allow","play_limit_seconds":1.5}"#.to_owned(), "play_limit_seconds"),
    ] {
        let service = Service::replying(&nats, PLAY, reply.clone()).await;
        let rig = Setup::on(&nats).start().await;
        let shown: String = reply.chars().take(60).collect();
        let got = rig.player().play("user-42").await.within(AT_ONCE);
        assert_eq!(got.data(), json!({ "result": 0 }), "{shown}");
        assert_eq!(rig.decided("play", "deny", "policy", "invalid_reply"), 1, "{shown}");
        let labels = [("platform", "kollus"), ("question", "play"), ("field", field)];
        assert_eq!(rig.count("livehook_bad_replies_total", &labels), 1, "{shown}");
        let line = ["ERROR", "kollus/acme play: the reply cannot be signed", &format!("field=\"{field}\"")];
        assert_eq!(rig.lines_with(&line), 1, "{shown}: {}", rig.log());
        service.kill().await;
    }
}

#[tokio::test]
async fn a_decision_serves_the_two_questions_of_a_playback_for_as_long_as_configured() {
    let nats = Nats::start();
    let reply = json!({ "result": "allow", "expires_at": 1893455999 }).to_string();
    let service = Service::replying(&nats, PLAY, reply).await;
    let rig = Setup::on(&nats).questions("remember = \"2s\"").start().await;
    let player = rig.player();
    let data = player.play("user-42").await.data();
    assert_eq!(data, json!({ "result": 1, "expiration_date": 1893455999 }));
    // The second question has other words for it: an expiry has no place in its answer.
    assert_eq!(player.post("vod-play", play(3, "user-42")).await.data(), json!({ "result": 1 }));
    assert_eq!(service.asked().len(), 1);
    assert_eq!(rig.decided("play", "allow", "memory", ""), 1);
    // Another viewer is another decision.
    player.play("user-43").await.data();
    assert_eq!(service.asked().len(), 2);
    sleep(Duration::from_millis(2100)).await;
    player.post("vod-play", play(3, "user-42")).await.data();
    assert_eq!(service.asked().len(), 3);

    // Without it each question is asked.
    let rig = Setup::on(&nats).start().await;
    rig.player().play("user-42").await.data();
    rig.player().post("vod-play", play(3, "user-42")).await.data();
    assert_eq!(service.asked().len(), 5);
}

#[tokio::test]
async fn what_the_policy_decided_is_not_remembered() {
    let nats = Nats::start();
    let rig = Setup::on(&nats).questions("remember = \"30s\"").start().await;
    assert_eq!(rig.player().play("user-42").await.result(), 0);
    let _service = Service::replying(&nats, PLAY, allow()).await;
    assert_eq!(rig.player().play("user-42").await.result(), 1);
    assert_eq!(rig.decided("play", "allow", "service", ""), 1);
}

/// Its connection may be half closed only, so it is answered all the same.
#[tokio::test]
async fn a_player_that_leaves_takes_no_question_back() {
    let nats = Nats::start();
    let service = Service::allowing(&nats, PLAY, DEADLINE).await;
    let rig = Setup::on(&nats).questions("deadline = \"5s\"").start().await;
    let player = rig.player();
    let asking = tokio::time::timeout(DEADLINE / 2, player.play("user-42")).await;
    assert!(asking.is_err(), "it was answered before it could leave");
    drop(player);
    until("it is told", async || rig.event_types().await == ["playback.authorized"]).await;
    assert_eq!((service.replies(), rig.decided("play", "allow", "service", "")), (1, 1));
}
