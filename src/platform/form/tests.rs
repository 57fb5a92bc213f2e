use encoding_rs::{EUC_KR, SHIFT_JIS, UTF_8};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::prelude::*;

use super::*;

fn decode(body: &[u8]) -> Result<Form, Malformed> {
    Form::decode(body, None, None)
}

fn form(body: &[u8]) -> Form {
    decode(body).expect("a form")
}

fn pairs(body: &[u8]) -> Vec<(String, String)> {
    form(body).fields
}

fn strings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn reason(result: Result<Form, Malformed>) -> String {
    result.expect_err("malformed").0
}

#[test]
fn a_form_keeps_order_repeats_and_empty_values() {
    let expected = strings(&[("b", "2"), ("a", ""), ("c", ""), ("b", "1=1"), ("", "v")]);
    assert_eq!(pairs(b"b=2&a=&c&&b=1=1&=v&"), expected);
}

#[test]
fn a_plus_is_a_space_and_an_escaped_plus_is_a_plus() {
    assert_eq!(pairs(b"a+b=1+%2B+2"), strings(&[("a b", "1 + 2")]));
}

#[test]
fn escapes_that_are_none_stay_and_a_semicolon_separates_nothing() {
    let expected = strings(&[("a", "%zz"), ("b", "%"), ("c", "%4"), ("", "v"), ("d", ""), (";e", "1;f=2")]);
    assert_eq!(pairs(b"a=%zz&b=%&c=%4&=v&d&&;e=1;f=2"), expected);
}

#[test]
fn control_characters_in_a_value_are_data() {
    assert_eq!(form(b"a=%00%0d%0aX-Injected:%201").get("a"), Some("\0\r\nX-Injected: 1"));
}

#[test]
fn an_empty_body_is_an_empty_form() {
    assert!(form(b"").is_empty());
    assert!(form(b"&&").is_empty());
    assert!(!form(b"=").is_empty());
}

#[test]
fn an_empty_value_counts_as_absent_and_spellings_are_tried_in_order() {
    let form = form(b"a=&a=x&misspelt=y&right=");
    assert_eq!(form.get("a"), Some("x"));
    assert_eq!(form.get("right"), None);
}

#[test]
fn an_identity_must_be_there_once_short_and_printable() {
    let because = |body: &[u8]| form(body).identity("key").expect_err("malformed").0;
    assert_eq!(form(b"key=k1&key=k1").identity("key"), Ok("k1"));
    assert_eq!(form(b"other=1").identity_if_any("key"), Ok(None));
    assert_eq!(because(b"other=1"), "the form has no field key");
    assert_eq!(because(b"key="), "the form has no field key");
    assert!(because(b"key=k1&key=k2").contains("different values"));
    assert!(because(b"key=&key=k2").contains("different values"));
    assert!(because(b"key=a%0d%0ab").contains("control characters"));
    assert!(because(format!("key={}", "k".repeat(IDENTITY_BYTES_MAX + 1)).as_bytes()).contains("longer"));
}

#[test]
fn limits_are_inclusive() {
    let many = |count: usize| vec!["a=1"; count].join("&");
    assert_eq!(pairs(many(PAIRS_MAX).as_bytes()).len(), PAIRS_MAX);
    assert!(reason(decode(many(PAIRS_MAX + 1).as_bytes())).contains("more than 256 fields"));
    assert!(decode("n".repeat(NAME_BYTES_MAX).as_bytes()).is_ok());
    assert!(reason(decode("n".repeat(NAME_BYTES_MAX + 1).as_bytes())).contains("name longer than 128"));
    let value = |bytes: usize| format!("a={}", "%61".repeat(bytes));
    assert!(decode(value(VALUE_BYTES_MAX).as_bytes()).is_ok());
    assert!(reason(decode(value(VALUE_BYTES_MAX + 1).as_bytes())).contains("value longer than 16384"));
}

/// Bodies with the text they say and what decides their charset.
#[test]
fn korean_is_read_in_the_charset_that_fits_the_whole_body() {
    let samples: &[(&[u8], &str, CharsetSource)] = &[
        ("title=라이브".as_bytes(), "라이브", CharsetSource::Utf8),
        (b"title=%B6%F3%C0%CC%BA%EA", "라이브", CharsetSource::Cp949),
        (b"title=\xB6\xF3\xC0\xCC\xBA\xEA", "라이브", CharsetSource::Cp949),
        (b"title=%8Cc", "똠", CharsetSource::Cp949),
        (b"title=%8C%63", "똠", CharsetSource::Cp949),
        // The bytes of 치킨 and 큰 in CP949 are valid UTF-8, and UTF-8 goes first.
        (b"title=%C4%A1%C5%B2", "ġŲ", CharsetSource::Utf8),
        (b"title=%C5%AB", "ū", CharsetSource::Utf8),
        // Unless another field says that this cannot be UTF-8.
        (b"title=%C4%A1%C5%B2&name=%B6%F3", "치킨", CharsetSource::Cp949),
        // An overlong slash in UTF-8 is none, and happens to be a syllable.
        (b"title=%C0%AF", "유", CharsetSource::Cp949),
        // Decomposed, invisible, and already broken text is left alone.
        ("title=\u{1105}\u{1161}".as_bytes(), "\u{1105}\u{1161}", CharsetSource::Utf8),
        ("title=\u{3164}".as_bytes(), "\u{3164}", CharsetSource::Utf8),
        ("title=¶óÀÌºê".as_bytes(), "¶óÀÌºê", CharsetSource::Utf8),
        ("title=\u{FEFF}\u{FFFD}".as_bytes(), "\u{FEFF}\u{FFFD}", CharsetSource::Utf8),
    ];
    for &(body, text, charset_source) in samples {
        let form = form(body);
        assert_eq!((form.get("title"), form.charset_source()), (Some(text), charset_source), "{body:?}");
        let quirk = (charset_source == CharsetSource::Cp949).then_some("charset-cp949-undeclared");
        assert_eq!(form.quirk(), quirk);
    }
}

#[test]
fn bytes_that_fit_no_charset_as_a_whole_are_malformed() {
    let samples: &[&[u8]] = &[
        b"utf8=%EB%9D%BC%EC%9D%B4%EB%B8%8C&cp949=%B6%F3%C0%CC%BA%EA", // one field each
        b"cut=%B6&rest=%F3",                                          // a character over two fields
        b"a=%ED%A0%BD",                                               // a surrogate
        b"a=%F5%80%80%80",                                            // beyond Unicode
        b"a=%80",
        b"%FF=1",
    ];
    for body in samples {
        assert!(reason(decode(body)).contains("neither UTF-8 nor CP949"), "{body:?}");
    }
}

#[test]
fn the_configured_charset_goes_before_the_declared_one_and_that_before_the_bytes() {
    let chicken = b"title=%C4%A1%C5%B2";
    let title = |content_type, configured| {
        let form = Form::decode(chicken, content_type, configured).expect("a form");
        (form.get("title").map(str::to_owned), form.charset_source())
    };
    let (korean, latin) = (Some("치킨".to_owned()), Some("ġŲ".to_owned()));
    let declared = Some("application/x-www-form-urlencoded; Charset=\"EUC-KR\"");
    assert_eq!(title(None, Some(EUC_KR)), (korean.clone(), CharsetSource::Configured));
    assert_eq!(title(declared, None), (korean, CharsetSource::Declared));
    assert_eq!(title(declared, Some(UTF_8)), (latin.clone(), CharsetSource::Configured));
    assert_eq!(title(Some("text/plain; charset=klingon"), None), (latin, CharsetSource::Utf8));
}

#[test]
fn a_named_charset_is_not_second_guessed() {
    let korean = b"title=%B6%F3%C0%CC%BA%EA";
    let declared = Some("application/x-www-form-urlencoded;charset=utf-8");
    assert!(reason(Form::decode(korean, declared, None)).contains("its Content-Type says"));
    assert!(reason(Form::decode(korean, declared, Some(UTF_8))).contains("`charset` of the account says"));
    assert!(Form::decode(korean, declared, Some(EUC_KR)).is_ok());
    assert!(Form::decode(b"a=%C0%AF", declared, None).is_err(), "an overlong slash");
}

#[test]
fn a_trail_byte_that_looks_like_ascii_stays_in_its_character() {
    let form = Form::decode(b"title=\x95\x5C\x8E\xA6\x83\x5C", None, Some(SHIFT_JIS)).expect("a form");
    assert_eq!(form.get("title"), Some("表示ソ"));
}

fn encode(fields: &[(String, String)]) -> String {
    let escaped =
        |text: &String| percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string().replace("%20", "+");
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    pairs.join("&")
}

fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::vec((".{0,20}", ".{0,40}"), 0..12)
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(fields in fields()) {
        prop_assert_eq!(form(encode(&fields).as_bytes()).fields, fields);
    }

    #[test]
    fn no_replacement_character_comes_out_of_any_bytes(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(form) = decode(&body) {
            let says_so = |text: &str| text.contains('\u{FFFD}');
            let came_out = form.fields().any(|(name, value)| says_so(name) || says_so(value));
            let went_in = unescape(&body).windows(3).any(|bytes| bytes == "\u{FFFD}".as_bytes());
            prop_assert!(!came_out || went_in);
        }
    }

    #[test]
    fn korean_bytes_never_come_out_half_decoded(text in "[가-힣 ]{1,30}") {
        let (bytes, _, _) = EUC_KR.encode(&text);
        let body = format!("marker=%B6%F3&text={}", percent_encode(&bytes, NON_ALPHANUMERIC));
        let form = form(body.as_bytes());
        prop_assert_eq!(form.get("text"), Some(text.as_str()));
    }

    #[test]
    fn the_order_of_fields_decides_nothing(
        (fields, shuffled) in fields().prop_flat_map(|fields| (Just(fields.clone()), Just(fields).prop_shuffle())),
    ) {
        let (one, other) = (form(encode(&fields).as_bytes()), form(encode(&shuffled).as_bytes()));
        prop_assert_eq!(one.content_hash(), other.content_hash());
        prop_assert_eq!(one.charset_source(), other.charset_source());
    }

    #[test]
    fn the_order_of_raw_bytes_decides_no_charset(
        (bytes, shuffled) in proptest::collection::vec("[a-z]=(%[89A-F][0-9A-F]){0,4}", 1..6)
            .prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle())),
    ) {
        let charset = |pairs: Vec<String>| decode(pairs.join("&").as_bytes()).map(|form| form.charset_source());
        prop_assert_eq!(charset(bytes), charset(shuffled));
    }
}
