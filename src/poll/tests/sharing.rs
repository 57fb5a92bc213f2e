//! Many accounts at one host: within its limits, and fairly.

use super::support::*;
use crate::{
    access::AccessToken,
    platform::{BudgetScope, Limits},
};

#[tokio::test]
async fn a_herd_of_accounts_keeps_within_the_limits_and_everybody_is_served() {
    let descriptor = descriptor(LIMITS);
    let accounts = || (0..50).map(|n| account(&format!("acme-{n}"), descriptor, &[("short", 60)])).collect();
    let mut rig = Rig::new(accounts(), |_| rows(&[], 1));
    rig.run(100).await;
    // In the middle of it.
    rig.restart(accounts());
    rig.run(500).await;
    let at: Vec<_> = rig.sent().iter().map(|sent| sent.at).collect();
    assert!(most_in_a_minute(&at) <= LIMITS.routine_per_minute as usize);
    let gaps = at.windows(2).map(|pair| pair[1] - pair[0] - 0.2);
    assert!(gaps.fold(f64::MAX, f64::min) >= 1.0);
    // Fifty are due every minute, forty can be read: nobody is left out, and nobody is read twice as often.
    let board = rig.board.snapshot();
    let now = rig.seconds();
    let ages: Vec<_> = board
        .iter()
        .map(|account| now - rig.seconds_at(account.watches[0].last_success_at.expect("everybody was read")))
        .collect();
    assert!(ages.iter().all(|age| *age < 110.0), "{ages:?}");
}

#[tokio::test]
async fn credentials_have_budgets_of_their_own_where_the_platform_counts_so() {
    for (scope, expected) in [(BudgetScope::Host, 40..=40), (BudgetScope::Credential, 70..=80)] {
        let descriptor = descriptor(Limits { scope, ..LIMITS });
        let accounts = ["one", "two", "three"].map(|name| {
            let mut account = account(name, descriptor, &[("long", 10_800)]);
            // Two accounts with one credential.
            let token = if name == "one" { "hidden-1" } else { "hidden-2" };
            account.access = AccessToken::fixed(Some(token.into()), "");
            account
        });
        let mut rig = Rig::new(accounts.into(), |_| rows(&[], 900));
        rig.run(300).await;
        let at: Vec<_> = rig.sent().iter().map(|sent| sent.at).collect();
        let most = most_in_a_minute(&at);
        assert!(expected.contains(&most), "{scope:?}: {most}");
    }
}

#[tokio::test]
async fn a_restart_forgets_no_request() {
    let descriptor = descriptor(LIMITS);
    let accounts = || vec![account("acme", descriptor, &[("short", 1)])];
    let mut rig = Rig::new(accounts(), |_| rows(&[], 3));
    for _ in 0..60 {
        rig.run(7).await;
        rig.restart(accounts());
    }
    let at: Vec<_> = rig.sent().iter().map(|sent| sent.at).collect();
    assert!(at.len() > 200, "{}", at.len());
    assert!(most_in_a_minute(&at) <= LIMITS.routine_per_minute as usize);
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= 1.2));
}

#[tokio::test]
async fn a_restart_does_not_end_a_rest() {
    let descriptor = descriptor(LIMITS);
    let accounts = || vec![account("acme", descriptor, &[("short", 10), ("third", 10)])];
    let mut rig = Rig::new(accounts(), |_| status(429, Some("900")));
    rig.run(20).await;
    assert_eq!(rig.sent().len(), 1);
    rig.answer(|_| rows(&[], 1));
    for _ in 0..8 {
        rig.restart(accounts());
        rig.run(100).await;
    }
    assert_eq!(rig.sent().len(), 0);
    assert!(rig.board.snapshot()[0].budget.rests_until.is_some());
    rig.run(150).await;
    assert!(rig.sent().len() > 3);
}
