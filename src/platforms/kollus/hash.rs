//! The field `hash` of live progress, as commented-out code of Kollus's sample makes it. MD5 with a key that may be the
//! public name of the account proves nothing: a wrong one is counted, and nothing else follows from it.

use md5::{Digest, Md5};
use percent_encoding::percent_decode;
use secrecy::{ExposeSecret, SecretString};

/// Whether a form has a field `hash` that is another than `key` makes of the rest. `false` without such a field, and for
/// a form that is not UTF-8.
///
/// The hash is `md5(md5(the form, unescaped, without that field) + "+" + key)`, each in hexadecimal.
pub fn is_wrong(form: &[u8], key: &SecretString) -> bool {
    let (claimed, rest): (Vec<_>, Vec<_>) =
        form.split(|&byte| byte == b'&').partition(|pair| pair.starts_with(b"hash="));
    let [claimed] = claimed.as_slice() else { return !claimed.is_empty() };
    let spaced: Vec<_> =
        rest.join(&b'&').into_iter().map(|byte| if byte == b'+' { b' ' } else { byte }).collect();
    let Ok(unescaped) = percent_decode(&spaced).decode_utf8() else { return false };
    let inner = hex::encode(Md5::digest(unescaped.as_bytes()));
    let right = hex::encode(Md5::digest(format!("{inner}+{}", key.expose_secret())));
    !claimed[b"hash=".len()..].eq_ignore_ascii_case(right.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_of_the_fact_sheet_are_right_and_no_others() {
        let key = SecretString::from("example-account");
        let form = "client_user_id=user-42&start_time=1768365000&play_status=stop";
        let hash = "8bae84feac0321c068427528d165fa51";
        assert!(!is_wrong(format!("{form}&hash={hash}").as_bytes(), &key));
        assert!(!is_wrong(format!("hash={}&{form}", hash.to_uppercase()).as_bytes(), &key));
        assert!(!is_wrong(form.as_bytes(), &key), "it is optional");
        assert!(is_wrong(format!("{form}&hash={hash}").as_bytes(), &SecretString::from("another")));
        assert!(is_wrong(format!("{form}0&hash={hash}").as_bytes(), &key));
        assert!(is_wrong(format!("{form}&hash=").as_bytes(), &key));
        assert!(is_wrong(format!("{form}&hash={hash}&hash={hash}").as_bytes(), &key));
    }
}
