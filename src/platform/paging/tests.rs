use super::*;

fn ids(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|id| id.to_string()).collect()
}

fn set(range: std::ops::Range<u32>) -> HashSet<String> {
    ids(range).into_iter().collect()
}

#[test]
fn one_page_is_one_moment() {
    let mut pages = Pages::new(Some(&set(0..9)), 10);
    pages.take(ids(0..3), Some(3), 1);
    assert_eq!((pages.next(), pages.coverage()), (None, Coverage::Whole));
}

#[test]
fn one_page_with_less_than_its_total_is_partial() {
    for page in [ids(0..2), vec!["1".to_owned(); 3]] {
        let mut pages = Pages::new(None, 10);
        pages.take(page, Some(3), 1);
        assert_eq!((pages.next(), pages.coverage()), (None, Coverage::Partial));
    }
}

#[test]
fn a_list_in_which_nothing_is_missing_is_read_once() {
    let mut pages = Pages::new(Some(&set(0..5)), 10);
    pages.take(ids(0..3), Some(6), 2);
    assert_eq!(pages.next(), Some(PageNumber { pass: 1, page: 2 }));
    pages.take(ids(3..6), Some(6), 2);
    assert_eq!((pages.next(), pages.coverage()), (None, Coverage::Whole));
}

#[test]
fn what_is_missing_makes_a_second_pass_and_the_passes_prove_it() {
    let mut pages = Pages::new(Some(&set(0..7)), 10);
    for _ in 0..2 {
        assert_eq!(pages.coverage(), Coverage::Partial);
        pages.take(ids(0..3), Some(6), 2);
        pages.take(ids(3..6), Some(6), 2);
    }
    assert_eq!((pages.next(), pages.coverage()), (None, Coverage::Whole));
}

#[test]
fn a_row_that_hides_from_both_passes_leaves_a_gap_that_shows() {
    // 0 to 5 are there all the time; 6 ends in the first pass, 7 begins in the second, 5 is never seen.
    let mut pages = Pages::new(Some(&set(0..7)), 10);
    pages.take(ids(0..3), Some(7), 2);
    pages.take(["3", "4", "6"].map(str::to_owned), Some(6), 2);
    pages.take(["7", "0", "1"].map(str::to_owned), Some(7), 2);
    pages.take(ids(2..5), Some(7), 2);
    assert_ne!(pages.coverage(), Coverage::Whole);
}

#[test]
fn repeated_pages_and_pages_without_end_prove_nothing() {
    let mut pages = Pages::new(None, 10);
    for _ in 0..4 {
        pages.take(ids(0..3), Some(6), 2);
    }
    assert_eq!((pages.next(), pages.coverage()), (None, Coverage::Partial));

    let mut pages = Pages::new(None, 10);
    for page in 0..10 {
        assert!(pages.next().is_some());
        pages.take(ids(page * 3..page * 3 + 3), None, u32::MAX);
    }
    assert_eq!((pages.next(), pages.coverage()), (None, Coverage::Partial));
}

#[test]
fn a_long_list_that_moves_is_nearly_whole() {
    let mut pages = Pages::new(Some(&set(0..1000)), 100);
    for gap in [3, 996] {
        for page in 0..10 {
            let from = page * 100;
            let row = |id: &String| *id != gap.to_string();
            pages.take(ids(from..from + 100).into_iter().filter(row), Some(1000), 10);
        }
    }
    assert_eq!((pages.next(), pages.coverage()), (None, Coverage::Nearly));
}

/// Every list of up to three pages of two rows, every single removal at every moment.
#[test]
fn no_removal_at_any_moment_makes_a_whole_listing_that_lacks_a_row_that_stayed() {
    for rows in 3..=6_u32 {
        for removed in 0..rows {
            for moment in 0..8 {
                let mut list = ids(0..rows);
                let mut pages = Pages::new(Some(&set(0..rows)), 10);
                let mut seen = HashSet::new();
                let mut requests = 0;
                while let Some(PageNumber { page, .. }) = pages.next() {
                    if requests == moment {
                        list.retain(|id| *id != removed.to_string());
                    }
                    requests += 1;
                    let page: Vec<_> = list.iter().skip((page as usize - 1) * 2).take(2).cloned().collect();
                    seen.extend(page.iter().cloned());
                    pages.take(page, Some(list.len() as u64), list.len().div_ceil(2) as u32);
                }
                let lacks_one_that_stayed = list.iter().any(|id| !seen.contains(id));
                assert!(
                    pages.coverage() != Coverage::Whole || !lacks_one_that_stayed,
                    "{rows} rows, {removed} removed before request {moment}"
                );
            }
        }
    }
}
