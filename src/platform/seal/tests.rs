use super::*;

#[test]
fn a_fingerprint_depends_on_the_secret_and_its_key_only() {
    let fingerprint = |key: &str, secret: &str| Seal::new(key).fingerprint(secret);
    assert_eq!(fingerprint("one", "afid-1"), fingerprint("one", "afid-1"));
    assert_ne!(fingerprint("one", "afid-1"), fingerprint("one", "afid-2"));
    assert_ne!(fingerprint("one", "afid-1"), fingerprint("other", "afid-1"));
    let digits = fingerprint("one", "afid-1");
    assert!(digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{digits}");
}
