use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn refusal(text: impl AsRef<[u8]>) -> String {
    parse(text.as_ref()).expect_err("should be refused").to_string()
}

fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

#[test]
fn ordinary_json_comes_out_as_it_is_written_with_its_keys_in_order() {
    let text = r#"{"z":1,"a":[null,true,-2,1.5,"é\n\u0041"],"m":{"x":18446744073709551615}}"#;
    let value = parse(text.as_bytes()).unwrap();
    assert_eq!(value, json!({"z":1,"a":[null,true,-2,1.5,"é\nA"],"m":{"x":u64::MAX}}));
    let keys: Vec<_> = value.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["z", "a", "m"]);
}

#[test]
fn depth_ends_at_32() {
    assert!(parse(nested(32).as_bytes()).is_ok());
    assert!(refusal(nested(33)).contains("deeper than 32"));
    assert!(refusal(nested(60_000)).contains("deeper than 32"));
}

#[test]
fn ten_thousand_values_are_the_most() {
    let list = |items: usize| format!("[{}]", vec!["0"; items].join(","));
    assert!(parse(list(9_999).as_bytes()).is_ok());
    assert!(refusal(list(10_000)).contains("more than 10000 values"));
}

#[test]
fn a_string_of_64_kib_is_the_longest() {
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
    assert!(parse(text(65_536).as_bytes()).is_ok());
    assert!(refusal(text(65_537)).contains("65536 bytes"));
    assert!(refusal(format!("{{{}:1}}", text(65_537))).contains("65536 bytes"));
}

#[test]
fn a_key_that_stands_twice_is_refused_however_it_is_written() {
    assert!(refusal(r#"{"a":1,"a":1}"#).contains("same key twice"));
    assert!(refusal(r#"{"x":{"a":1,"\u0061":2}}"#).contains("same key twice"));
    assert!(parse(br#"[{"a":1},{"a":1}]"#).is_ok());
}

#[test]
fn numbers_never_lose_digits() {
    assert_eq!(parse(b"-9223372036854775808").unwrap(), json!(i64::MIN));
    assert_eq!(parse(b"18446744073709551615").unwrap(), json!(u64::MAX));
    for text in ["18446744073709551616", "-9223372036854775809", "123456789012345678901234", "1e20"] {
        assert!(refusal(text).contains("more than 64 bits"), "{text}");
    }
}

#[test]
fn what_is_not_one_json_document_is_refused() {
    let not_json: [&[u8]; 14] = [
        b"",
        b" ",
        b"{",
        b"{} {}",
        b"{}x",
        b"{\"a\":1,}",
        b"NaN",
        b"1e999",
        b"01",
        b"'a'",
        b"\xef\xbb\xbf{}",
        b"\"\xff\"",
        br#""\ud83d""#,
        b"\"\n\"",
    ];
    for bytes in not_json {
        assert!(parse(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn the_sentence_never_repeats_the_document() {
    let documents = [
        r#"{"hush":1,"hush":2}"#,
        r#"["hush" hush]"#,
        r#"{"hush":123456789012345678901234}"#,
        r#""hush\ud83d""#,
        "hush",
    ];
    for document in documents {
        let said = refusal(document);
        assert!(!said.contains("hush") && !said.contains("1234"), "{said}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e15..1e15).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_back_alike(value in any_json()) {
        let text = serde_json::to_vec(&value).unwrap();
        let theirs: Value = serde_json::from_slice(&text).unwrap();
        prop_assert_eq!(parse(&text).unwrap(), theirs);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_text_that_resembles_json_makes_it_panic(text in r#"[\[\]{}:,"\\u0-9eE.+\- a]{0,80}"#) {
        let _ = parse(text.as_bytes());
    }
}

#[test]
fn an_answer_may_be_longer_than_a_delivery_but_not_endless() {
    let list = |length: usize| format!("[{}0]", "0,".repeat(length));
    assert!(parse(list(20_000).as_bytes()).is_err());
    assert!(parse_answer(list(20_000).as_bytes()).is_ok());
    assert!(parse_answer(list(500_000).as_bytes()).is_err());
}
