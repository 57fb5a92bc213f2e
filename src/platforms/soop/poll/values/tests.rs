use serde_json::json;

use super::*;

#[test]
fn scalars_of_all_kinds_are_text() {
    for (value, text) in [
        (json!(" 꿀잼 "), Some("꿀잼")),
        (json!(244390303_u64), Some("244390303")),
        (json!(u64::MAX), Some("18446744073709551615")),
        (json!(19.0), Some("19")),
        (json!(1.5), Some("1.5")),
        (json!(false), Some("false")),
        (json!(""), Some("")),
        (json!(null), None),
        (json!([1]), None),
        (json!({}), None),
    ] {
        assert_eq!(scalar(&value).as_deref(), text, "{value}");
    }
}

#[test]
fn categories_have_eight_digits() {
    for (written, number) in [
        ("40066", Some("00040066")),
        ("00040066", Some("00040066")),
        ("0000040066", Some("00040066")),
        ("0", Some("00000000")),
        ("123456789", Some("123456789")),
        ("", None),
        ("-1", None),
        ("4 0", None),
        ("LOL", None),
        ("1111111111111111111", None),
    ] {
        assert_eq!(category(written).as_deref(), number, "{written}");
    }
}

#[test]
fn the_clock_of_korea_is_nine_hours_ahead_in_every_season() {
    for (clock, instant) in [
        ("2026-01-06 12:25:42", Some("2026-01-06T03:25:42Z")),
        ("2026-07-17 21:55", Some("2026-07-17T12:55:00Z")),
        ("2026-01-01 00:00:00", Some("2025-12-31T15:00:00Z")),
        ("2024-02-29 08:59", Some("2024-02-28T23:59:00Z")),
        ("0000-00-00 00:00:00", None),
        ("2026-02-29 12:00:00", None),
        ("2026-01-06 24:00", None),
        ("2026-1-6 12:25", None),
        ("2026-01-06T12:25:42", None),
        ("2026-01-06 12:25:42Z", None),
        ("2026-01-06", None),
        ("1767670000", None),
        ("+026-01-06 12:25", None),
    ] {
        assert_eq!(moment(clock).map(|moment| moment.to_string()).as_deref(), instant, "{clock}");
    }
}

#[test]
fn an_address_is_its_host_and_path_under_one_domain() {
    const PICTURE: Option<&str> = Some("profile.img.sooplive.com/LOGO/so/soop1234/soop1234.jpg");
    for (address, compared) in [
        ("//profile.img.sooplive.co.kr/LOGO/so/soop1234/soop1234.jpg?dummy=4345126843", PICTURE),
        ("https://profile.img.sooplive.com/LOGO/so/soop1234/soop1234.jpg", PICTURE),
        ("http://PROFILE.img.afreecatv.com/LOGO/so/soop1234/soop1234.jpg#x", PICTURE),
        ("https://sooplive.co.kr/", Some("sooplive.com")),
        ("https://notsooplive.com/a", Some("notsooplive.com/a")),
        ("https://sooplive.com.example/a", Some("sooplive.com.example/a")),
        ("https://example.com:8443/a/", Some("example.com:8443/a")),
        ("https://user:pass@sooplive.com/a", None),
        ("javascript:alert(1)", None),
        ("data:image/png;base64,AA==", None),
        ("/LOGO/so/soop1234.jpg", None),
        ("//", None),
    ] {
        assert_eq!(place(address).as_deref(), compared, "{address}");
    }
}
