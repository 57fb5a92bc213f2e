//! More than can be asked, more than can be read, and what is no question at all.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    player::{Player, download, play},
    rig::{Setup, URL_TOKEN, until},
    service::{PLAY, Service, allow},
};
use crate::support::nats::Nats;

const AT_ONCE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn over_capacity_the_policy_answers_at_once() {
    let nats = Nats::start();
    let service = Service::allowing(&nats, PLAY, Duration::from_secs(1)).await;
    let setup = Setup::on(&nats).questions("deadline = \"5s\"");
    let rig = Setup { questions_max: 2, ..setup }.start().await;
    let player = rig.player();
    let (one, two, three) = tokio::join!(player.play("user-1"), player.play("user-2"), async {
        until("two wait", async || service.asked().len() == 2).await;
        player.play("user-3").await.within(AT_ONCE)
    });
    assert_eq!((one.result(), two.result(), three.result()), (1, 1, 0));
    assert_eq!(rig.decided("play", "deny", "policy", "over_capacity"), 1);
    assert_eq!(rig.lines_with(&["WARN", "too many questions wait already; on_no_answer decides: deny"]), 1);
    // Places come back.
    assert_eq!(player.play("user-4").await.result(), 1);
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn of_a_delivery_with_more_questions_than_places_the_rest_is_the_policys() {
    let nats = Nats::start();
    let _service = Service::allowing(&nats, "ask.kollus.acme.download", Duration::from_millis(50)).await;
    let setup = Setup::on(&nats).questions("deadline = \"5s\"");
    let rig = Setup { questions_max: 2, ..setup }.start().await;
    let data = rig.player().post("download", download(["a", "b", "c"])).await.data();
    let results: Vec<_> = data.as_array().unwrap().iter().map(|element| element["result"].clone()).collect();
    assert_eq!(results, [1, 1, 0]);
}

#[tokio::test]
async fn what_cannot_be_read_is_the_policys_quarantined_and_counted() {
    let nats = Nats::start();
    let service = Service::replying(&nats, "ask.>", allow()).await;
    let item = |number| format!(r#"{{"kind":1,"client_user_id":"u","media_content_key":"i{number}"}}"#);
    let thousand: Vec<_> = (0..1000).map(item).collect();
    let thousand = format!("items=[{}]", thousand.join(","));
    let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    let no_kind = play(1, "user-42").replace("kind=1&", "");
    for (callback, body, result) in [
        ("download", thousand, json!([])),
        (
            "vod-play",
            format!("{}&uservalues={deep}", play(1, "u").split("&uservalues").next().unwrap()),
            json!({ "result": 0 }),
        ),
        ("vod-play", no_kind, json!({ "result": 0 })),
        ("vod-play", play(7, "user-42"), json!({ "result": 0 })),
        ("download", "items=%5B%7B%22kind%22".to_owned(), json!([])),
    ] {
        let rig = Setup::on(&nats).start().await;
        let got = rig.player().post(callback, body.clone()).await.within(AT_ONCE);
        assert_eq!(got.data(), result, "{callback}: {body:.200}");
        let question = if callback == "download" { "download" } else { "play" };
        assert_eq!(rig.decided(question, "deny", "policy", "unreadable"), 1);
        let labels = [("callback", callback), ("outcome", "quarantined")];
        assert_eq!(rig.count("livehook_deliveries_total", &labels), 1);
        assert_eq!(
            rig.lines_with(&["WARN", &format!("kollus/acme {callback}: quarantined")]),
            1,
            "{}",
            rig.log()
        );
        until("it is in quarantine", async || rig.store.quarantined_count().await.unwrap() == 1).await;
        let row = rig.store.quarantined(0, 1).await.unwrap().remove(0);
        assert_eq!((row.callback.as_str(), &row.body[..]), (callback, body.as_bytes()));
        until("it is told", async || rig.event_types().await == ["delivery.quarantined"]).await;
    }
    assert_eq!(service.asked(), [Value::Null; 0], "nothing of it was asked");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_or_allowed_where_the_policy_says_so() {
    let rig = Setup::without_bus().policy("\"refuse\"").start().await;
    let got = rig.player().post("vod-play", "kind=x").await;
    assert_eq!((got.status, got.header("retry-after")), (503, "60"));
    until("it is in quarantine", async || rig.store.quarantined_count().await.unwrap() == 1).await;
    let rig = Setup::without_bus().policy("\"allow\"").start().await;
    assert_eq!(rig.player().post("vod-play", "kind=x").await.result(), 1);
}

#[tokio::test]
async fn a_console_may_try_the_url_and_browsers_may_post_and_read() {
    let nats = Nats::start();
    let _service = Service::replying(&nats, PLAY, allow()).await;
    let rig = Setup::on(&nats).start().await;
    let player = rig.player();
    for callback in ["vod-play", "live-play", "download", "next-episode"] {
        for method in ["GET", "HEAD"] {
            let got = player.ask(method, callback).await;
            assert_eq!((got.status, &*got.body), (200, ""), "{method} {callback}");
        }
        let got = player.post(callback, "").await;
        assert_eq!((got.status, &*got.body), (200, ""), "{callback}");
        let got = player.ask("OPTIONS", callback).await;
        assert_eq!(got.status, 204, "{callback}");
        assert_eq!(got.header("access-control-allow-origin"), "*");
        assert_eq!(got.header("access-control-allow-methods"), "POST");
        assert_eq!(got.header("access-control-allow-headers"), "Content-Type");
        assert_eq!(player.ask("PUT", callback).await.status, 405);
    }
    let got = player.play("user-42").await;
    assert_eq!(got.header("access-control-allow-origin"), "*");
    assert_eq!(got.header("access-control-expose-headers"), "x-kollus-userkey");
    // Nobody was asked anything before that.
    assert_eq!(rig.count("livehook_questions_total", &[]), 1);
    assert_eq!(rig.count("livehook_deliveries_total", &[("outcome", "probe")]), 4);
}

#[tokio::test]
async fn an_account_without_a_policy_has_no_such_callback_and_the_log_says_why() {
    let nats = Nats::start();
    let _service = Service::replying(&nats, "ask.>", allow()).await;
    let rig = Setup::on(&nats).start().await;
    let mute = Player::of(rig.address, "mute");
    for method in ["GET", "OPTIONS", "POST"] {
        let (known, unknown) = (mute.ask(method, "vod-play").await, mute.ask(method, "nothing").await);
        assert_eq!((known.status, known.body), (404, String::new()), "{method}");
        let mut headers = [known.headers, unknown.headers];
        headers.iter_mut().for_each(|headers| _ = headers.remove("date"));
        assert_eq!(headers[0], headers[1]);
    }
    assert_eq!(
        rig.lines_with(&["WARN", "kollus/mute vod-play: not found, for the account has no on_no_answer"]),
        3
    );
    assert!(!rig.log().contains(URL_TOKEN));
    // Its other callbacks are as they were, and those of the other account.
    assert_eq!(mute.post("vod-progress", "").await.status, 200);
    assert_eq!(rig.player().play("user-42").await.result(), 1);
}

#[tokio::test]
async fn a_body_that_is_too_long_or_comes_too_late_is_no_question() {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        time::Instant,
    };
    let rig = Setup::without_bus().start().await;
    assert_eq!(rig.player().post("vod-play", "x".repeat(64 * 1024 + 1)).await.status, 413);
    let began = Instant::now();
    let mut socket = TcpStream::connect(rig.address).await.unwrap();
    let head = format!(
        "POST /callbacks/acme/{URL_TOKEN}/vod-play HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99\r\n\r\nkind"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    // At the deadline of a question, not at that of a delivery.
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    assert_eq!(rig.count("livehook_questions_total", &[]), 0);
    assert_eq!(rig.count("livehook_deliveries_total", &[("outcome", "rejected")]), 2);
}
