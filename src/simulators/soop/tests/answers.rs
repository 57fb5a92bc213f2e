//! The raw answers of the documentation come out in shape.

use super::*;

/// Names and kinds of values, in order.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => items.first().map_or(json!([]), |first| json!([shape(first)])),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        other => other.clone(),
    }
}

#[test]
fn the_list_is_as_documented() {
    let mut reader = Reader::plain();
    let no = reader.world.start_as("soop1234", "[생]꿀잼님의 SOOP 방송", "00130000", |broadcast| {
        broadcast.nick = "꿀잼".to_owned();
        broadcast.viewers = 14_357;
    });
    let time = reader.now.as_second() + 1;
    let expected = json!({
        "total_cnt": 1,
        "page_no": 1,
        "page_block": 60,
        "broad": [{
            "broad_title": "[생]꿀잼님의 SOOP 방송",
            "visit_broad_type": "0",
            "is_password": "0",
            "broad_cate_no": "00130000",
            "broad_no": no.to_string(),
            "user_id": "soop1234",
            "user_nick": "꿀잼",
            "profile_img": "//profile.img.sooplive.co.kr/LOGO/so/soop1234/soop1234.jpg?dummy=4345126843",
            "broad_thumb": format!("//liveimg.sooplive.co.kr/m/{no}"),
            "broad_start": "2026-01-06 12:25:42",
            "broad_grade": "0",
            "broad_bps": "8000",
            "broad_resolution": "1920x1080",
            "paid_promotion": 0,
            "total_view_cnt": "14357",
        }],
        "time": time,
    });
    let answer = reader.get("/broad/list", &[]);
    assert_eq!(String::from_utf8_lossy(&answer.body), expected.to_string());
}

#[test]
fn jsonp_comes_only_when_it_is_asked_for() {
    let mut reader = Reader::plain();
    let answer = reader.get("/broad/list", &[("callback", "callback")]);
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(body.starts_with("callback({\"total_cnt\":0,") && body.ends_with("});"), "{body}");
}

#[test]
fn any_text_survives_whatever_varies() {
    for seed in 0..30 {
        let mut reader = Reader::in_world(World::crowded(Options { seed, ..Options::default() }, 60));
        let page = reader.page("view_cnt", 1);
        for row in page["broad"].as_array().expect("there are rows") {
            let truth = reader.world.broadcast(number(&row["broad_no"])).expect("it is on air");
            assert_eq!(
                (row["broad_title"].as_str(), row["user_nick"].as_str()),
                (Some(&*truth.title), Some(&*truth.nick))
            );
            assert_eq!(number(&row["total_view_cnt"]), truth.viewers);
            assert_eq!(number(&row["is_password"]), u64::from(truth.is_password));
            let paid = row.get("paid_promotion").map(number);
            assert_eq!(paid, truth.paid_promotion.map(u64::from));
        }
    }
}

#[test]
fn what_varies_really_varies() {
    let mut reader = Reader::in_world(World::crowded(Options::default(), 1));
    let pages: Vec<_> = (0..60).map(|_| reader.page("view_cnt", 1)).collect();
    let has = |test: fn(&Value) -> bool| pages.iter().any(test) && !pages.iter().all(test);
    assert!(has(|page| page["page_no"].is_string()) && has(|page| page["page_block"].is_null()));
    assert!(has(|page| page["broad"][0]["is_password"].is_string()));
    let pictures: HashSet<_> = pages.iter().map(|page| page["broad"][0]["profile_img"].as_str()).collect();
    assert!(pictures.len() > 30);
}

#[test]
fn paid_promotion_is_left_out_only_after_it_was_told() {
    let options = Options { omits_paid_promotion: true, ..Options::default() };
    let mut reader = Reader::of(options);
    let no = reader.world.start("a", "t", "00130000");
    let mut omitted = 0;
    for paid in [true, false, true] {
        reader.world.edit(no, |broadcast| broadcast.paid_promotion = Some(paid));
        assert_eq!(reader.page("view_cnt", 1)["broad"][0]["paid_promotion"], u64::from(paid));
        omitted +=
            (0..40).filter(|_| reader.page("view_cnt", 1)["broad"][0]["paid_promotion"].is_null()).count();
    }
    assert!((10..60).contains(&omitted), "{omitted}");
}

#[test]
fn errors_come_with_status_200_or_401() {
    let mut reader = Reader::plain();
    let bad_client =
        Request { method: "GET".to_owned(), path: "/broad/list".to_owned(), ..Request::default() };
    let answer = reader.send(&bad_client);
    assert_eq!((answer.status, &json_of(&answer)["result"]), (200, &json!(-1104)));
    let bad_secret = reader.get("/filter/streamer", &[("client_secret", "wrong")]);
    assert_eq!(json_of(&bad_secret)["result"], -1104);
    let mut error = |token: &[(&str, &str)]| {
        let answer = reader.post("/user/stationinfo", token);
        (answer.status, json_of(&answer)["error"].clone())
    };
    assert_eq!(error(&[]), (401, json!("not-found-access-token")));
    assert_eq!(error(&[("access_token", "wrong")]), (401, json!("invalid_token")));
    reader.world.expire_token("soop1234");
    assert_eq!(reader.own("/user/stationinfo")["error"], "expired_token");
    reader.world.options().refusal = Refusal::Envelope;
    assert_eq!(reader.own("/user/stationinfo")["result"], -10);
    reader.world.renew_token("soop1234", "access-token");
    assert_eq!(reader.own("/user/stationinfo")["result"], 1);
    assert_eq!(reader.get("/nowhere", &[]).status, 404);
}

#[test]
fn a_token_is_a_field_of_a_form_and_nothing_else() {
    let mut reader = Reader::plain();
    let mut request = Request {
        method: "POST".to_owned(),
        path: "/user/stationinfo".to_owned(),
        query: vec![("access_token".to_owned(), "access-token".to_owned())],
        headers: vec![("authorization".to_owned(), "Bearer access-token".to_owned())],
        ..Request::default()
    };
    assert_eq!(reader.send(&request).status, 401);
    request.headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    request.body = b"access_token=access-token".to_vec();
    assert_eq!(reader.send(&request).status, 401);
}

#[test]
fn categories_have_names_in_seven_languages() {
    let mut reader = Reader::plain();
    let korean = json_of(&reader.get("/broad/category/list", &[]));
    let expected = json!({ "broad_category": [
        { "cate_name": "토크/캠방", "cate_no": "00130000", "child": [] },
        { "cate_name": "게임", "cate_no": "00040000", "child": [
            { "cate_name": "LOL", "cate_no": "00040019" },
            { "cate_name": "배틀그라운드", "cate_no": "00040066" },
        ] },
    ] });
    assert_eq!(korean, expected);
    let english = json_of(&reader.get("/broad/category/list", &[("locale", "en_US")]));
    assert_ne!(english["broad_category"][0]["cate_name"], korean["broad_category"][0]["cate_name"]);
    assert_eq!(json_of(&reader.get("/broad/category/list", &[("locale", "xx")])), korean);
}

#[test]
fn the_three_filter_lists_are_as_documented() {
    let mut reader = Reader::plain();
    reader.world.add_filter_as(FilterKind::Streamer, "soop1", "토토 방송 근절", true);
    reader.world.add_filter_as(FilterKind::Category, "00040019", "저작권 관련 보호 요청", true);
    reader.world.add_filter(FilterKind::Keyword, "도박", "사설 도박 방송 근절");
    let mut list = |kind: &str| {
        json_of(&reader.get(&format!("/filter/{kind}"), &[("client_secret", "client-secret")]))["filter_list"]
            .clone()
    };
    assert_eq!(list("streamer"), json!([{ "black_id": "soop1", "reason": "토토 방송 근절", "type": 2 }]));
    let category =
        json!([{ "cate_name": "LOL", "cate_no": "00040019", "reason": "저작권 관련 보호 요청", "type": 2 }]);
    assert_eq!(list("category"), category);
    assert_eq!(list("keyword"), json!([{ "keyword": "도박", "reason": "사설 도박 방송 근절", "type": 1 }]));
}

#[test]
fn what_an_account_reads_of_itself_is_as_documented() {
    let mut reader = Reader::plain();
    let offline =
        json!({ "result": 1, "msg": "성공", "data": { "user_id": "soop1234", "status": "streamend" } });
    assert_eq!(reader.own("/validate/live/status"), offline);
    assert_eq!(reader.own("/user/stationinfo")["data"]["lately_broad_date"], Value::Null);
    let no = reader.world.start("soop1234", "방송 제목", "00040066");
    assert_eq!(reader.own("/broad/access/chatinfo")["result"], -1302);
    let streaming = json!({
        "user_id": "soop1234",
        "status": "streaming",
        "broad_no": no,
        "broad_title": "방송 제목",
        "broad_cate_no": 40066,
        "broad_start": "2026-01-06 12:25:44",
        "current_view_cnt": 1,
    });
    assert_eq!(reader.own("/validate/live/status")["data"], streaming);
    let station = json!({
        "user_nick": "text",
        "station_name": "text",
        "profile_image": "text",
        "lately_broad_date": "text",
        "favorite_cnt": "number",
    });
    let answer = reader.own("/user/stationinfo")["data"].clone();
    assert_eq!((shape(&answer), &answer["lately_broad_date"]), (station, &json!("2026-01-06 12:25")));
    reader.now += SignedDuration::from_secs(30);
    let chat = reader.own("/broad/access/chatinfo");
    assert_eq!(
        (chat["data"][0]["broad_no"].as_u64(), &chat["data"][0]["cate_name"]),
        (Some(no), &json!("배틀그라운드"))
    );
    reader.world.options().data_is_array = true;
    reader.world.options().says_login_offline = false;
    reader.world.end(no);
    assert_eq!(
        reader.own("/validate/live/status")["data"],
        json!([{ "broad_no": 0, "status": "streamend" }])
    );
}

#[test]
fn settings_are_called_data_or_info() {
    let mut reader = Reader::plain();
    let settings = json!({
        "rtmp": "rtmp://stream.sooplive.co.kr/app/",
        "key": "afid-soop1234-1",
        "data": {
            "title": "꿀잼님의 SOOP 방송",
            "category": "00040066",
            "allowed_view_cnt": 100_000,
            "is_password": 0,
            "broad_hidden": 0,
            "broad_grade": 0,
            "hashtags": "게임, 배그",
            "broad_ending_msg": "다음에 또 만나요~!",
            "is_wait": 0,
            "waiting_time": 10,
            "water_mark": 1,
            "broad_tune_out": 1,
            "paid_promotion": 0,
        },
    });
    assert_eq!(reader.own("/broad/rtmp")["data"], settings);
    reader.world.options().settings_name = "info";
    assert_eq!(reader.own("/broad/rtmp")["data"]["info"], settings["data"]);
    assert_eq!(json_of(&reader.post("/broad/rtmp", &[("access_token", "access-token")]))["result"], -1);
}

#[test]
fn writing_works_and_is_held_against_whoever_writes() {
    let mut reader = Reader::plain();
    let no = reader.world.start("soop1234", "title", "00130000");
    let key = reader.own("/broad/rtmp/reset")["stream_key"].clone();
    assert_eq!((key.as_str(), reader.world.broadcast(no)), (Some("afid-soop1234-2"), None));
    let wrong =
        reader.post("/broad/info/update", &[("access_token", "access-token"), ("waiting_time", "11")]);
    assert_eq!(json_of(&wrong)["result"], -1320);
    let right = reader.post("/broad/info/update", &[("access_token", "access-token"), ("title", "new")]);
    assert_eq!(json_of(&right)["result"], 1);
    assert_eq!(reader.world.account("soop1234").map(|account| &*account.settings.title), Some("new"));
    assert_eq!(reader.world.violations().len(), 3);
}

#[test]
fn videos_are_found_by_any_link_until_they_are_gone() {
    let mut reader = Reader::plain();
    reader.world.add_vod(71_021_072, "[DK vs GEN] 4세트", "LoL_공식", "aflol");
    let expected = json!({
        "version": "1.0",
        "type": "video",
        "provider_name": "SOOP",
        "provider_url": "https://www.sooplive.co.kr",
        "width": 720,
        "height": 480,
        "title": "[DK vs GEN] 4세트",
        "author_name": "LoL_공식",
        "author_url": "https://ch.sooplive.co.kr/aflol",
        "html": "<iframe width='720' height='480' \
                 src='//vod.sooplive.co.kr/player/71021072/embed?type=station&autoPlay=false' \
                 frameborder='0' allowfullscreen=''></iframe>",
    });
    for link in ["https://vod.sooplive.com/player/71021072", "https://v.afree.ca/ST/71021072?x=1"] {
        for name in ["vod_url", "url"] {
            assert_eq!(
                json_of(&reader.get("/oembed/embedinfo", &[(name, link), ("width", "640")])),
                expected
            );
        }
    }
    reader.world.remove_vod(71_021_072);
    let mut gone = |how| {
        reader.world.options().vod_gone = how;
        reader.get("/oembed/embedinfo", &[("vod_url", "https://vod.sooplive.com/player/71021072")])
    };
    assert_eq!(gone(VodGone::NotFound).status, 404);
    assert_eq!(json_of(&gone(VodGone::Envelope))["result"], -1);
    assert_eq!(json_of(&gone(VodGone::EmptyFields))["title"], "");
}
