//! What is said of a bad reply, and that the published schemas say the same.

use jsonschema::Validator;

use super::{super::documents, *};

fn refused(question: &str, reply: &str) -> String {
    Reply::parse(question, reply.as_bytes()).err().unwrap().to_string()
}

#[test]
fn what_is_wrong_is_named_with_its_field() {
    #[rustfmt::skip]
    let cases: &[(&str, &str, &str)] = &[
        ("play", "", "reply: the JSON cannot be read"),
        ("play", "[]", "reply: is not a JSON object"),
        ("play", "allow", "reply: the JSON cannot be read"),
        ("play", "{}", "result: must be \"allow\" or \"deny\""),
        ("play", r#"{"result":true}"#, "result: must be"),
        ("play", r#"{"result":"Allow"}"#, "result: must be"),
        ("play", r#"{"result":"allow","result":"deny"}"#, "reply: the JSON cannot be read: an object holds the same key twice"),
        ("play", r#"{"result":"allow"} {"result":"deny"}"#, "reply: the JSON cannot be read"),
        ("play", r#"{"result":"allow","expire_at":1}"#, "did you mean expires_at?"),
        ("play", r#"{"result":"allow","xyzzy":1}"#, "has a field \"xyzzy\" that is not known: leave it out"),
        ("play", r#"{"result":"allow","expires_at":1.5}"#, "expires_at: must be a whole number from 0 to 1893455999"),
        ("play", r#"{"result":"allow","tv_out":1}"#, "tv_out: must be true or false"),
        ("play", r#"{"result":"allow","preview":{"from_seconds":5,"to_seconds":5}}"#, "preview: must be"),
        ("play", r#"{"result":"allow","preview":{"from_seconds":1,"to_seconds":5,"x":1}}"#, "preview: must be"),
        ("download", r#"{"result":"allow","play_limit_seconds":59}"#, "play_limit_seconds: must be 0 for no limit, or"),
        ("download", r#"{"result":"allow","offline_bookmark":true}"#, "offline_bookmark: must be"),
        ("next-episode", r#"{"result":"allow","url":"javascript:alert(1)"}"#, "url: must be an http or https URL"),
        ("next-episode", r#"{"result":"allow","content_key":""}"#, "content_key: must be a key"),
    ];
    for (question, reply, sentence) in cases {
        let said = refused(question, reply);
        assert!(said.contains(sentence), "{reply}: {said}");
    }
}

#[test]
fn a_long_reply_a_deep_one_and_a_long_name_are_refused_without_repeating_them() {
    let long = format!(r#"{{"result":"allow","message":"{}"}}"#, "a".repeat(64 * 1024));
    assert!(refused("play", &long).contains("longer than 65536 bytes"));
    let text = format!(r#"{{"result":"allow","message":"{}"}}"#, "가".repeat(501));
    assert!(refused("play", &text).contains("message: must be text of at most 500"));
    let deep = format!(r#"{{"result":"allow","preview":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    assert!(refused("play", &deep).contains("nested deeper"));
    let name = format!(r#"{{"result":"allow","{}\n":1}}"#, "secret".repeat(100));
    assert!(refused("play", &name).len() < 120);
}

#[test]
fn null_says_nothing() {
    let reply = br#"{"result":"allow","expires_at":null,"message":null}"#;
    assert!(Reply::parse("play", reply).unwrap().said.is_empty());
}

fn schemas() -> Vec<(&'static str, Value, Validator)> {
    documents::all()
        .into_iter()
        .map(|document| {
            let schema = document.reply.to_value();
            let validator = jsonschema::validator_for(&schema).unwrap();
            (document.name, schema, validator)
        })
        .collect()
}

/// What a reply may say for a question, as the tables of terms have it.
#[test]
fn the_schemas_have_the_fields_that_mean_something() {
    for (question, schema, _) in schemas() {
        let mut published: Vec<_> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut meant = match question {
            "next-episode" => vec!["content_key", "url", "message"],
            _ => terms::names(question),
        };
        meant.extend(["result", "reason"]);
        published.sort_unstable();
        meant.sort_unstable();
        assert_eq!(published, meant, "{question}");
    }
}

#[test]
fn a_reply_fits_the_schema_when_and_only_when_it_is_signed() {
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(-1),
        json!(0),
        json!(1),
        json!(59),
        json!(60),
        json!(1000),
        json!(1001),
        json!(604_800),
        json!(604_801),
        json!(1_893_455_999_i64),
        json!(1_893_456_000_i64),
        json!(2_147_483_647_i64),
        json!(2_147_483_648_i64),
        json!(u64::MAX),
        json!(1.5),
        json!(""),
        json!("0"),
        json!("vnCVPyVx"),
        json!("a b"),
        json!("a\nb"),
        json!("\u{85}"),
        json!("가".repeat(500)),
        json!("가".repeat(501)),
        json!("https://v.kr.kollus.com/s?jwt=x"),
        json!("ftp://a/"),
        json!("http:"),
        json!([]),
        json!({}),
        json!({"from_seconds": 0, "to_seconds": 1}),
        json!({"from_seconds": 0, "to_seconds": 1, "x": 1}),
        json!({"from_seconds": 0}),
        json!({"from_seconds": -1, "to_seconds": 1}),
        json!({"download": true, "read_only": false}),
        json!({"download": 1, "read_only": 0}),
        json!({"download": true}),
    ];
    let mut tried = 0;
    for (question, schema, validator) in schemas() {
        let asked = Question {
            name: question,
            asked: [("kind".to_owned(), json!(1))].into_iter().collect(),
            same_decision: None,
        };
        for name in schema["properties"].as_object().unwrap().keys() {
            for value in &values {
                let mut reply = json!({ "result": "deny" });
                reply[name] = value.clone();
                let is_signed = Kollus.rule(&asked, reply.to_string().as_bytes(), &account()).is_ok();
                assert_eq!(validator.is_valid(&reply), is_signed, "{question}: {reply}");
                tried += 1;
            }
        }
        let allow = json!({ "result": "allow" });
        let is_signed = Kollus.rule(&asked, allow.to_string().as_bytes(), &account()).is_ok();
        assert_eq!(validator.is_valid(&allow), is_signed, "{question}: {allow}");
        assert!(!validator.is_valid(&json!({ "result": "allow", "expire_at": 1 })), "{question}");
    }
    assert!(tried > 1000);
}
