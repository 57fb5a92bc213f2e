//! The admin listener's answers (contract §1), over a real store.

use livehook::{health::Condition, web::Limits};
use serde_json::{Value, json};

use super::{
    service::{Service, live},
    support::{Client, assert_only, calm_limits, short_limits, statuses},
};

impl Service {
    async fn ask_admin(&self, target: &str) -> String {
        self.admin
            .exchange(format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"))
            .await
    }

    async fn follow(&self, target: &str, fields: &str) -> Client {
        let mut client = self.admin.connect().await;
        let head =
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{fields}\r\n");
        client.send(head).await;
        client.read_until("\r\n\r\n").await;
        client
    }

    async fn tell_live(&self, id: &str) {
        assert_only(200, &self.deliver("sample/event", "", &live(id)).await);
    }
}

fn body(text: &str) -> Value {
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn ids(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().unwrap().iter();
    events.map(|event| event["subject"].as_str().unwrap().trim_start_matches("broadcast/")).collect()
}

#[tokio::test]
async fn readiness_says_why_not() {
    let service = Service::start().await;
    assert_eq!(body(&service.ask_admin("/healthz").await), json!({ "status": "alive" }));
    assert_eq!(body(&service.ask_admin("/readyz").await), json!({ "ready": true, "reasons": [] }));

    service.health.report("bus", Condition::Degraded("not connected".to_owned()));
    let text = service.ask_admin("/readyz").await;
    let bus = json!({ "component": "bus", "condition": "degraded", "reason": "not connected" });
    assert_only(200, &text);
    assert_eq!(body(&text), json!({ "ready": true, "reasons": [bus] }));

    service.health.report("store", Condition::Down("full".to_owned()));
    let text = service.ask_admin("/readyz").await;
    let store = json!({ "component": "store", "condition": "down", "reason": "full" });
    assert_only(503, &text);
    assert_eq!(body(&text), json!({ "ready": false, "reasons": [bus, store] }));

    service.health.report("store", Condition::Ok);
    service.draining.cancel();
    assert_only(503, &service.ask_admin("/readyz").await);
    assert_only(200, &service.ask_admin("/healthz").await);
}

#[tokio::test]
async fn metrics_are_text() {
    let text = Service::start().await.ask_admin("/metrics").await;
    assert_only(200, &text);
    assert!(text.contains("content-type: text/plain; version=0.0.4"), "{text}");
}

#[tokio::test]
async fn a_name_that_was_made_to_point_here_is_refused() {
    let service = Service::start().await;
    let text =
        service.admin.exchange("GET /api/v1/events HTTP/1.1\r\nHost: rebound.evil.test:8081\r\n\r\n").await;
    assert_only(421, &text);
}

#[tokio::test]
async fn the_log_is_read_page_by_page() {
    let service = Service::start().await;
    for id in ["a", "b", "c"] {
        service.tell_live(id).await;
    }
    let first = body(&service.ask_admin("/api/v1/events?limit=2").await);
    assert_eq!(ids(&first), ["a", "b"]);
    assert_eq!(first["events"][0]["type"], "live.broadcast.started");
    let next = first["next"].as_str().unwrap();
    let second = body(&service.ask_admin(&format!("/api/v1/events?limit=2&after={next}")).await);
    assert_eq!(ids(&second), ["c"]);
    let end = second["next"].as_str().unwrap();
    let third = body(&service.ask_admin(&format!("/api/v1/events?after={end}")).await);
    assert_eq!(third, json!({ "events": [], "next": end }));
}

#[tokio::test]
async fn the_log_is_filtered_by_the_whole_bus_subject() {
    let service = Service::start().await;
    service.tell_live("a").await;
    assert_only(200, &service.deliver("sample/event", "", "{").await);
    for (filter, expected) in [
        ("live.loopback.sample.broadcast.started", 1),
        ("live.*.*.broadcast.%3E", 1),
        ("live.%3E", 2),
        ("loopback.%3E", 0),
        ("live.kollus.%3E", 0),
    ] {
        let page = body(&service.ask_admin(&format!("/api/v1/events?subject={filter}")).await);
        assert_eq!(page["events"].as_array().unwrap().len(), expected, "{filter}");
        assert_eq!(page["next"], "2", "what was skipped is not looked at again");
    }
}

#[tokio::test]
async fn bad_parameters_are_named_with_their_remedy() {
    let service = Service::start().await;
    for (query, parameter, remedy) in [
        ("after=x", "after", "row number"),
        ("after=-1", "after", "row number"),
        ("limit=0", "limit", "from 1 to 1000"),
        ("limit=1001", "limit", "from 1 to 1000"),
        ("subject=live..x", "subject", "NATS filter"),
        ("subject=live.%3E.x", "subject", "NATS filter"),
        ("subject=", "subject", "NATS filter"),
    ] {
        let text = service.ask_admin(&format!("/api/v1/events?{query}")).await;
        assert_only(400, &text);
        assert!(text.contains("content-type: application/problem+json"), "{text}");
        let problem = body(&text);
        assert_eq!((&problem["parameter"], &problem["status"]), (&json!(parameter), &json!(400)));
        assert!(problem["detail"].as_str().unwrap().contains(remedy), "{problem}");
    }
    let text = service.ask_admin("/api/v1/events?after=1&after=2").await;
    assert_only(400, &text);
    let text = service.ask_admin("/api/v1/nothing").await;
    assert!(statuses(&text) == [404] && text.contains("application/problem+json"), "{text}");
}

#[tokio::test]
async fn a_stream_begins_behind_the_last_event_id_and_goes_on() {
    let service = Service::start().await;
    for id in ["a", "b"] {
        service.tell_live(id).await;
    }
    // The header is a reconnecting browser's and wins over what its page asked for at first.
    let mut stream = service.follow("/api/v1/events?after=0", "Last-Event-ID: 1\r\n").await;
    let text = stream.read_until("\n\n").await;
    assert!(text.contains("id: 2\n") && text.contains(r#""subject":"broadcast/b""#), "{text}");
    service.tell_live("c").await;
    let text = stream.read_until("\n\n").await;
    assert!(text.contains("id: 3\n") && text.contains(r#""subject":"broadcast/c""#), "{text}");
}

#[tokio::test]
async fn a_stream_without_a_beginning_tells_only_what_is_new_and_wanted() {
    let service = Service::start().await;
    service.tell_live("old").await;
    let mut stream = service.follow("/api/v1/events?subject=live.*.*.broadcast.*", "").await;
    assert_only(200, &service.deliver("sample/event", "", "{").await);
    service.tell_live("new").await;
    let text = stream.read_until("\n\n").await;
    assert!(text.contains("id: 3\n") && text.contains(r#""subject":"broadcast/new""#), "{text}");
}

#[tokio::test]
async fn a_stream_outlives_the_idle_limit_and_ends_with_the_drain() {
    let service = Service::with(Limits { idle: short_limits().idle, ..calm_limits() }).await;
    let mut stream = service.follow("/api/v1/events", "").await;
    tokio::time::sleep(short_limits().idle * 2).await;
    service.tell_live("a").await;
    stream.read_until("\n\n").await;
    service.draining.cancel();
    let rest = stream.read_to_end().await;
    assert!(!rest.contains("data:"), "{rest}");
}
