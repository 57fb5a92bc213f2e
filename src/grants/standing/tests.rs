//! Ends and notices.

use super::*;

fn at(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

fn standing(obtained: i64, expires: i64) -> Standing {
    Standing { obtained_at: Some(at(obtained)), expires_at: Some(at(expires)), ..Standing::default() }
}

#[test]
fn a_token_is_not_sent_in_its_last_minute() {
    let standing = standing(0, 8);
    assert!(!standing.is_over(at(8) - SignedDuration::from_secs(61)));
    assert!(standing.is_over(at(8) - SignedDuration::from_secs(60)));
    assert!(!Standing::default().is_over(Timestamp::MAX), "what nobody says is no end");
    let short = Standing { expires_at: Some(at(0) + SignedDuration::from_secs(30)), ..standing };
    assert!(!short.is_over(at(0) + SignedDuration::from_secs(26)));
    assert!(short.is_over(at(0) + SignedDuration::from_secs(27)));
}

#[test]
fn each_notice_comes_once_and_the_latest_replaces_those_that_were_missed() {
    let mut standing = standing(0, 365 * 24);
    let days = [60, 30, 7];
    let before = |days: i64| at((365 - days) * 24);
    assert_eq!(standing.notice(&days, before(61)), None);
    assert_eq!(standing.next_notice_at(&days, before(61)), Some(before(60)));
    assert_eq!(standing.notice(&days, before(60)), Some(60));
    standing.noticed_days = Some(60);
    assert_eq!(standing.notice(&days, before(31)), None);
    assert_eq!(standing.next_notice_at(&days, before(60)), Some(before(30)));
    // livehook was away for a month.
    assert_eq!(standing.notice(&days, before(6)), Some(7));
    standing.noticed_days = Some(7);
    assert_eq!(standing.notice(&days, before(1)), None);
    assert_eq!(standing.next_notice_at(&days, before(1)), None);
}
