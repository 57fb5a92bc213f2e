//! What is sealed opens with the key, for its purpose, and for nobody else.

use super::*;
use crate::ports::SystemEntropy;

fn key(byte: u8) -> VaultKey {
    SecretBox::new(Box::new([byte; 32]))
}

fn held() -> Held {
    Held { access: "example-access".into(), refresh: Some("example-refresh".into()) }
}

fn purpose(account: &AccountName) -> Purpose<'_> {
    Purpose { platform: "kollus", account, version: 7, is_waiting: false }
}

#[test]
fn it_opens_for_the_same_account_version_and_purpose_only() {
    let (acme, other) = (AccountName::parse("acme").unwrap(), AccountName::parse("other").unwrap());
    let vault = Vault::new(&key(1), &[]);
    let sealed = vault.seal(&held(), purpose(&acme), &SystemEntropy);
    let opened = vault.open(&sealed, purpose(&acme)).unwrap();
    assert_eq!(opened.held.access.expose_secret(), "example-access");
    assert_eq!(opened.held.refresh.unwrap().expose_secret(), "example-refresh");
    assert!(!opened.is_outdated);
    for stranger in [
        purpose(&other),
        Purpose { platform: "soop", ..purpose(&acme) },
        Purpose { version: 8, ..purpose(&acme) },
        Purpose { is_waiting: true, ..purpose(&acme) },
    ] {
        assert_eq!(vault.open(&sealed, stranger).err(), Some(Unopened::Forged), "{stranger:?}");
    }
}

#[test]
fn an_older_key_still_opens_and_a_strange_one_does_not() {
    let acme = AccountName::parse("acme").unwrap();
    let sealed = Vault::new(&key(1), &[]).seal(&held(), purpose(&acme), &SystemEntropy);
    let rotated = Vault::new(&key(2), &[key(1)]);
    assert!(rotated.open(&sealed, purpose(&acme)).unwrap().is_outdated);
    let stranger = Vault::new(&key(2), &[]);
    assert_eq!(stranger.open(&sealed, purpose(&acme)).err(), Some(Unopened::OtherKey));
}

#[test]
fn no_bit_can_be_turned_and_nothing_cut_off() {
    let acme = AccountName::parse("acme").unwrap();
    let vault = Vault::new(&key(1), &[]);
    let sealed = vault.seal(&held(), purpose(&acme), &SystemEntropy);
    for bit in 0..sealed.len() * 8 {
        let mut turned = sealed.clone();
        turned[bit / 8] ^= 1 << (bit % 8);
        assert!(vault.open(&turned, purpose(&acme)).is_err(), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(vault.open(&sealed[..length], purpose(&acme)).is_err(), "{length} bytes");
    }
}

#[test]
fn nothing_of_it_can_be_read_and_nothing_comes_twice() {
    let acme = AccountName::parse("acme").unwrap();
    let vault = Vault::new(&key(1), &[]);
    let [one, two] = [(); 2].map(|()| vault.seal(&held(), purpose(&acme), &SystemEntropy));
    assert_ne!(one, two);
    assert!(!String::from_utf8_lossy(&one).contains("example"));
    assert!(!format!("{:?}", held()).contains("example"));
}

#[test]
fn a_fingerprint_is_of_the_secret_and_of_the_key() {
    let vault = Vault::new(&key(1), &[]);
    let print = vault.fingerprint("a password");
    assert_eq!(print, Vault::new(&key(1), &[key(2)]).fingerprint("a password"));
    assert_ne!(print, vault.fingerprint("another"));
    assert_ne!(print, Vault::new(&key(2), &[key(1)]).fingerprint("a password"));
}

#[test]
fn a_key_is_64_hexadecimal_digits() {
    let digits = "0123456789abcdef".repeat(4);
    assert_eq!(parse_key(&format!(" {digits}\n").into()).unwrap().expose_secret()[..2], [0x01, 0x23]);
    for bad in ["", "ab", &digits[1..], &format!("{digits}00"), &digits.replace('a', "g")] {
        assert!(parse_key(&bad.to_owned().into()).is_none(), "{bad}");
    }
}
