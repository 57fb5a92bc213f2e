//! The public listener's answers (contract §1), over a real store.

use std::time::Duration;

use livehook::web::Limits;

use super::{
    service::{HOST, Service, URL_TOKEN, ask, live, path, post},
    support::{assert_only, calm_limits, short_limits, statuses},
};

#[tokio::test]
async fn a_delivery_is_answered_200_with_an_empty_body_once_it_is_committed() {
    let service = Service::start().await;
    let text = service.deliver("sample/event", "", &live("a")).await;
    assert_only(200, &text);
    assert!(text.contains("content-length: 0\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    assert_eq!(service.event_types().await, ["broadcast.started"]);
}

#[tokio::test]
async fn a_probe_and_a_body_that_cannot_be_understood_are_answered_200() {
    let service = Service::start().await;
    assert_only(200, &service.deliver("sample/event", "", "").await);
    assert_only(200, &service.deliver("sample/event", "", "{").await);
    assert_eq!(service.event_types().await, ["delivery.quarantined"]);
}

#[tokio::test]
async fn a_wrong_signature_is_answered_401() {
    let service = Service::start().await;
    assert_only(401, &service.deliver("talks/webhook", "", r#"{"signature":"00","body":"{}"}"#).await);
    assert_eq!(service.event_types().await, [""; 0]);
}

#[tokio::test]
async fn wrong_accounts_tokens_and_callbacks_are_one_and_the_same_404() {
    let service = Service::start().await;
    let mut answers = Vec::new();
    for path in [
        format!("/callbacks/nobody/{URL_TOKEN}/event"),
        format!("/callbacks/sample/{}/event", URL_TOKEN.to_uppercase()),
        format!("/callbacks/sample/{URL_TOKEN}/nothing"),
        format!("/callbacks/sample/{URL_TOKEN}/event/"),
        format!("/callbacks/%ff/{URL_TOKEN}/event"),
        "/callbacks/sample//event".to_owned(),
        "/".to_owned(),
    ] {
        for method in ["POST", "GET", "PUT", "OPTIONS"] {
            let text = service.public.exchange(ask(method, &path)).await;
            assert_only(404, &text);
            assert!(text.ends_with("\r\n\r\n"), "{text}");
            answers.push(
                text.lines().filter(|line| !line.starts_with("date")).map(str::to_owned).collect::<Vec<_>>(),
            );
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
}

#[tokio::test]
async fn a_console_may_look_at_the_url_and_other_methods_are_refused() {
    let service = Service::start().await;
    for method in ["GET", "HEAD"] {
        let text = service.public.exchange(ask(method, &path("sample/event"))).await;
        assert_only(200, &text);
        assert!(text.ends_with("\r\n\r\n"), "{text}");
    }
    for method in ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "BREW"] {
        let text = service.public.exchange(ask(method, &path("sample/event"))).await;
        assert_only(405, &text);
        assert!(text.contains("allow: GET, HEAD, POST\r\n"), "{text}");
    }
}

#[tokio::test]
async fn browsers_may_post_to_the_player_callbacks_only() {
    let service = Service::start().await;
    let preflight = service.public.exchange(ask("OPTIONS", &path("acme/vod-progress"))).await;
    assert_only(204, &preflight);
    assert!(preflight.contains("access-control-allow-origin: *\r\n"), "{preflight}");
    assert!(preflight.contains("access-control-allow-methods: POST\r\n"), "{preflight}");
    let text = service.deliver("acme/vod-progress", "", "").await;
    assert!(statuses(&text) == [200] && text.contains("access-control-allow-origin: *\r\n"), "{text}");
    let text = service.deliver("acme/live-state", "", "").await;
    assert!(statuses(&text) == [200] && !text.contains("access-control"), "{text}");
}

#[tokio::test]
async fn foreign_hosts_are_misdirected() {
    let service = Service::start().await;
    let path = path("sample/event");
    for (target, host) in [
        (path.clone(), "evil.test"),
        (path.clone(), "127.0.0.1"),
        (format!("http://evil.test{path}"), HOST),
        (format!("http://{HOST}{path}"), "evil.test"),
    ] {
        let text = service.public.exchange(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert_only(421, &text);
    }
    assert_only(200, &service.public.exchange(ask("GET", &format!("http://{HOST}{path}"))).await);
}

#[tokio::test]
async fn an_over_long_body_is_refused_whether_it_says_so_or_not() {
    let service = Service::with(Limits { body_bytes_max: 1000, ..calm_limits() }).await;
    // Nothing of this body is sent: who waited for it would answer 408.
    assert_only(413, &service.public.exchange(post("sample/event", "Content-Length: 1001\r\n", "")).await);
    let chunked = "Transfer-Encoding: chunked\r\n";
    let chunk = format!("1f4\r\n{}\r\n", "x".repeat(500));
    let over = format!("{chunk}{chunk}1\r\nx\r\n0\r\n\r\n");
    assert_only(413, &service.public.exchange(post("sample/event", chunked, &over)).await);
    let just = format!("{chunk}{chunk}0\r\n\r\n");
    assert_only(200, &service.public.exchange(post("sample/event", chunked, &just)).await);
}

#[tokio::test]
async fn a_chunked_body_without_a_length_is_a_delivery_like_any_other() {
    let service = Service::start().await;
    let body = live("a");
    let (one, two) = body.split_at(10);
    let chunks = format!(
        "{:x}\r\n{one}\r\n{:x};note=\"x\"\r\n{two}\r\n0\r\nHost: trailer\r\n\r\n",
        one.len(),
        two.len()
    );
    assert_only(
        200,
        &service.public.exchange(post("sample/event", "Transfer-Encoding: chunked\r\n", &chunks)).await,
    );
    assert_eq!(service.event_types().await, ["broadcast.started"]);
    let text =
        service.public.exchange(post("sample/event", "Transfer-Encoding: chunked\r\n", "zz\r\n")).await;
    assert_only(400, &text);
}

#[tokio::test]
async fn compressed_bodies_are_refused() {
    let service = Service::start().await;
    for coding in ["gzip", "br", "deflate", "zstd", "identity, gzip"] {
        let text = service.deliver("sample/event", &format!("Content-Encoding: {coding}\r\n"), "\x1f").await;
        assert_only(415, &text);
    }
    assert_only(200, &service.deliver("sample/event", "Content-Encoding: Identity\r\n", &live("a")).await);
}

#[tokio::test]
async fn half_a_body_is_answered_408_and_closed_by_the_deadline() {
    let service = Service::with(short_limits()).await;
    let began = std::time::Instant::now();
    assert_only(408, &service.public.exchange(post("sample/event", "Content-Length: 100\r\n", "half")).await);
    assert!(began.elapsed() < short_limits().delivery + Duration::from_secs(2));
}

#[tokio::test]
async fn what_cannot_be_committed_in_time_is_answered_503_and_committed_all_the_same() {
    let service = Service::with(short_limits()).await;
    let rival = rusqlite::Connection::open(service.dir.path().join("data/livehook.sqlite")).unwrap();
    rival.execute_batch("BEGIN IMMEDIATE").unwrap();
    let text = service.deliver("sample/event", "", &live("a")).await;
    assert_only(503, &text);
    assert!(text.contains("retry-after: 60\r\n"), "{text}");
    rival.execute_batch("ROLLBACK").unwrap();
    let mut newest = service.store.newest_event();
    tokio::time::timeout(Duration::from_secs(5), newest.wait_for(|&row| row > 0)).await.unwrap().unwrap();
    assert_eq!(service.event_types().await, ["broadcast.started"]);
}

#[tokio::test]
async fn a_client_that_leaves_after_its_body_takes_nothing_back() {
    const CLIENTS: usize = 50;
    let service = Service::start().await;
    for i in 0..CLIENTS {
        let body = live(&format!("b{i}"));
        let mut client = service.public.connect().await;
        client.send(post("sample/event", &format!("Content-Length: {}\r\n", body.len()), &body)).await;
        drop(client);
    }
    let all_arrived = async {
        while service.event_types().await.len() < CLIENTS {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), all_arrived).await.expect("every delivery is committed");
    assert_eq!(service.event_types().await.len(), CLIENTS);
}

#[tokio::test]
async fn deliveries_over_capacity_are_answered_503_at_once() {
    let service = Service::with(Limits { deliveries_max: 1, ..calm_limits() }).await;
    let mut first = service.public.connect().await;
    first.send(post("sample/event", "Content-Length: 100\r\n", "half")).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_only(503, &service.deliver("sample/event", "", &live("a")).await);
    assert_only(408, &first.read_to_end().await);
    assert_only(200, &service.deliver("sample/event", "", &live("a")).await);
}

#[tokio::test]
async fn everything_is_answered_503_while_draining() {
    let service = Service::start().await;
    service.draining.cancel();
    let text = service.deliver("sample/event", "", &live("a")).await;
    assert_only(503, &text);
    assert!(text.contains("retry-after: 60\r\n"), "{text}");
    assert_only(503, &service.public.exchange(ask("GET", &path("sample/event"))).await);
}
