//! A platform with defects: whoever asks there is answered all the same.

use livehook::{
    ingest::Receiver,
    model::{AccountName, EventType, Noun, Observation, RetrySchedule, Verb},
    platform::{
        AccountSettings, Answer, Asked, BadReply, CallbackKind, Callbacks, Decision, Decoded, Delivery,
        Descriptor, Exchange, Malformed, OnNoAnswer, Platform, Priority, Question, QuestionSettings,
        Questions, Ruling, Status, Unverified, Verified, signature, signature::UrlTokenHash,
    },
};
use serde_json::json;

use super::{
    player::Player,
    rig::{Setup, URL_TOKEN, until},
    service::{Service, allow},
};
use crate::support::nats::Nats;

/// Panics where the body says so.
struct Broken;

static DESCRIPTOR: Descriptor = Descriptor {
    id: "broken",
    name: "broken",
    docs: "",
    status: Status::Working,
    callbacks: &[CallbackKind {
        name: "may-i",
        about: "",
        priority: Priority::High,
        from_browsers: false,
        emits: &[EventType::of(Noun::Playback, Verb::Authorized)],
        secret_fields: &[],
        asks: Some("may-i"),
    }],
    retries: RetrySchedule { answer_seconds: 3, windows: &[] },
    api: None,
    grant: None,
    watches: &[],
    settings: &[],
};

fn panic_at(place: &str, said: &serde_json::Value) {
    assert_ne!(said, place, "as the test wants it");
}

impl Platform for Broken {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }

    fn questions(&self) -> Option<&dyn Questions> {
        Some(self)
    }
}

impl Callbacks for Broken {
    fn verify<'d>(&self, delivery: &'d Delivery, _: &AccountSettings) -> Result<Verified<'d>, Unverified> {
        if delivery.body.starts_with(b"forged") {
            return Err(Unverified("it is forged"));
        }
        Ok(signature::unsigned(delivery, "nobody sends it"))
    }

    fn decode(&self, _: &Verified<'_>, _: &AccountSettings) -> Result<Decoded, Malformed> {
        unreachable!("nobody decodes what asks")
    }
}

impl Questions for Broken {
    fn read(&self, delivery: &Verified<'_>, _: &AccountSettings) -> Result<Asked, Malformed> {
        let said = json!(std::str::from_utf8(&delivery.body).unwrap());
        panic_at("read", &said);
        let question = Question {
            name: "may-i",
            // What the engine says itself cannot be replaced.
            asked: [("said".to_owned(), said), ("account".to_owned(), json!("other"))].into_iter().collect(),
            same_decision: None,
        };
        Ok(Asked::Questions { questions: vec![question], quirks: vec!["odd"] })
    }

    fn rule(&self, question: &Question, reply: &[u8], _: &AccountSettings) -> Result<Ruling, BadReply> {
        panic_at("rule", &question.asked["said"]);
        assert_eq!(reply, allow());
        Ok(ruling(question, Decision::Allow))
    }

    fn rule_by_policy(&self, question: &Question, decision: Decision, _: &AccountSettings) -> Ruling {
        panic_at("policy", &question.asked["said"]);
        ruling(question, decision)
    }

    fn rule_unread(&self, _: &CallbackKind, decision: Decision, _: &AccountSettings) -> Vec<Ruling> {
        let unread = Question { name: "may-i", asked: Default::default(), same_decision: None };
        vec![ruling(&unread, decision)]
    }

    fn answer(&self, _: &CallbackKind, rulings: &[Ruling], _: &AccountSettings) -> Answer {
        panic_at("answer", &rulings[0].element);
        let body = rulings[0].decision.as_str().into();
        let header = (rulings[0].element == "header").then(|| ("x-key", "a\nb".into()));
        Answer { content_type: "text/plain", header, body }
    }

    fn observe(&self, question: &Question, _: &Exchange<'_>, _: &AccountSettings) -> Observation {
        panic_at("observe", &question.asked["said"]);
        Observation {
            told: Some(Verb::Authorized),
            ..Observation::of(livehook::model::EntityKey::new(Noun::Playback, "p"))
        }
    }
}

fn ruling(question: &Question, decision: Decision) -> Ruling {
    let element = question.asked.get("said").cloned().unwrap_or_default();
    Ruling { decision, element, terms: Default::default(), reason: None }
}

fn receiver() -> Receiver {
    let questions = QuestionSettings {
        security_key: "key".into(),
        user_key: "key".into(),
        on_no_answer: [("may-i", OnNoAnswer::Deny)].into_iter().collect(),
        deadline: std::time::Duration::from_secs(2),
        remember: Default::default(),
        pseudonym_key: None,
        play_section_is_list: false,
        live_play_is_list: false,
        next_episode_fields: Default::default(),
        next_episode_answer: Default::default(),
    };
    let settings = AccountSettings::new(AccountName::parse("broken").unwrap(), "broken");
    Receiver {
        platform: &Broken,
        settings: AccountSettings { questions: Some(questions), ..settings },
        url_tokens: vec![UrlTokenHash::of(&format!("broken-{URL_TOKEN}"))],
    }
}

#[tokio::test]
async fn a_defect_in_a_platform_leaves_no_viewer_without_an_answer() {
    let nats = Nats::start();
    let service = Service::replying(&nats, "ask.broken.>", allow()).await;
    let rig = Setup { receivers: vec![receiver()], ..Setup::on(&nats) }.start().await;
    let player = Player::of(rig.address, "broken");
    let answers: &[(&str, u16, &str)] = &[
        ("fine", 200, "allow"),
        ("read", 200, "deny"),
        ("rule", 200, "deny"),
        // The service decided, so its policy is not asked.
        ("policy", 200, "allow"),
        ("answer", 503, ""),
        ("header", 503, ""),
        ("observe", 200, "allow"),
        ("forged", 401, ""),
    ];
    for (said, status, body) in answers {
        let got = player.post("may-i", *said).await;
        assert_eq!((got.status, &*got.body), (*status, *body), "{said}");
    }
    assert_eq!(service.asked()[0]["account"], "broken");
    assert_eq!(rig.decided("may-i", "deny", "policy", "unreadable"), 1);
    assert_eq!(rig.decided("may-i", "deny", "policy", "invalid_reply"), 1);
    assert_eq!(rig.count("livehook_quirks_total", &[("quirk", "odd")]), 6);
    assert_eq!(rig.count("livehook_deliveries_total", &[("platform", "broken"), ("outcome", "refused")]), 1);
    until("the one is in quarantine", async || rig.store.quarantined_count().await.unwrap() == 1).await;

    service.kill().await;
    let got = player.post("may-i", "policy").await;
    assert_eq!(got.status, 503);
    assert_eq!(rig.decided("may-i", "refuse", "policy", "no_responder"), 1);
}
