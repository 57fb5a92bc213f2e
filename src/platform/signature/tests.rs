use bytes::Bytes;
use jiff::Timestamp;

use super::*;
use crate::platform::{CallbackKind, Priority};

static CALLBACK: CallbackKind = CallbackKind {
    name: "test",
    about: "a test",
    priority: Priority::High,
    from_browsers: false,
    emits: &[],
    secret_fields: &[],
    asks: None,
};

/// RFC 4231, test cases 1 and 2; and the digest of nothing under an empty key.
fn vectors() -> [(String, &'static str, &'static str); 3] {
    [
        ("\u{b}".repeat(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            "Jefe".to_owned(),
            "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (String::new(), "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ]
}

fn delivery(body: &str) -> Delivery {
    Delivery {
        callback: &CALLBACK,
        content_type: None,
        body: Bytes::copy_from_slice(body.as_bytes()),
        received_at: Timestamp::UNIX_EPOCH,
    }
}

fn check(key: &str, candidates: &[&str], claimed: &str) -> Result<(), Unverified> {
    let candidates = candidates.iter().map(|text| text.as_bytes());
    hmac_sha256(&delivery("body"), &key.into(), candidates, claimed).map(|_| ())
}

#[test]
fn published_vectors_are_believed() {
    for (key, message, digest) in vectors() {
        assert_eq!(check(&key, &[message], digest), Ok(()));
    }
}

#[test]
fn every_turned_bit_of_a_digest_is_refused() {
    for (key, message, digest) in vectors() {
        let mut bytes = hex::decode(digest).expect("the vectors are hexadecimal");
        for at in 0..bytes.len() * 8 {
            bytes[at / 8] ^= 1 << (at % 8);
            let refused = check(&key, &[message], &hex::encode(&bytes));
            assert_eq!(refused, Err(Unverified("the signature does not fit the body")), "bit {at}");
            bytes[at / 8] ^= 1 << (at % 8);
        }
    }
}

#[test]
fn another_key_or_message_is_refused() {
    let (key, message, digest) = vectors()[1].clone();
    assert!(check("jefe", &[message], digest).is_err());
    assert!(check(&key, &["what do ya want for nothing"], digest).is_err());
}

#[test]
fn one_candidate_that_fits_is_enough_and_none_is_too_few() {
    let (key, message, digest) = vectors()[1].clone();
    assert_eq!(check(&key, &["something else", message], digest), Ok(()));
    assert!(check(&key, &["something else"], digest).is_err());
    assert!(check(&key, &[], digest).is_err());
}

#[test]
fn what_is_not_64_hexadecimal_digits_is_refused() {
    let (key, message, digest) = vectors()[1].clone();
    let longer = format!("{digest}00");
    let prefixed = format!("sha256={digest}");
    let spoilt = digest.replacen('5', "g", 1);
    for claimed in ["", "5", &digest[..62], &digest[..63], &longer, &prefixed, &spoilt, "ü"] {
        let refused = check(&key, &[message], claimed);
        assert_eq!(refused, Err(Unverified("the signature is not 64 hexadecimal digits")), "{claimed}");
    }
}

#[test]
fn a_proof_says_how_it_was_gained_and_leads_to_the_delivery() {
    let (key, message, digest) = vectors()[1].clone();
    let delivery = delivery(message);
    let signed = hmac_sha256(&delivery, &key.into(), [&delivery.body[..]], digest).expect("it is signed");
    assert_eq!((signed.proof(), &signed.body), (Proof::Signature, &delivery.body));
    let unsigned = unsigned(&delivery, "this is a test");
    assert_eq!((unsigned.proof(), &unsigned.body), (Proof::UrlToken, &delivery.body));
}

#[test]
fn a_url_token_is_found_among_several_and_only_whole() {
    let valid = [UrlTokenHash::of("the-old-one"), UrlTokenHash::of("the-new-one")];
    assert!(UrlTokenHash::of("the-old-one").is_one_of(&valid));
    assert!(UrlTokenHash::of("the-new-one").is_one_of(&valid));
    for wrong in ["", "the-old-on", "the-old-one ", "THE-OLD-ONE"] {
        assert!(!UrlTokenHash::of(wrong).is_one_of(&valid), "{wrong}");
    }
    assert!(!UrlTokenHash::of("the-old-one").is_one_of(&[]));
}
