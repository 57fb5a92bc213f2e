//! A world of broadcasts that is seen again and again, each time as a set of answers on disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use livehook::simulators::{
    Request, Simulator,
    dice::Dice,
    soop::{Options, World},
};

use super::{Kind, SWEEPS};

/// What is accepted as `client_id`.
pub const CLIENT_ID: &str = "client-id";
/// The orders in which the list can be read.
pub const ORDERS: [&str; 2] = ["broad_start", "view_cnt"];
/// Between two sweeps.
const INTERVAL: SignedDuration = SignedDuration::from_hours(1);
/// Between two requests.
pub const GAP: SignedDuration = SignedDuration::from_secs(1);
/// Rows on a page, and in worlds that would not fit into the 200 pages that a walk reads at most.
const PAGE_BLOCKS: [usize; 2] = [60, 600];
const ROWS_MAX: usize = 200 * PAGE_BLOCKS[0];

/// When the world begins.
fn begins_at() -> Timestamp {
    Options::default().begins_at
}

/// When a sweep begins.
pub fn sweep_at(sweep: usize) -> Timestamp {
    begins_at() + INTERVAL * (sweep as i32 + 1)
}

/// The file with one page.
pub fn page(dir: &Path, sweep: usize, order: &str, page: &str) -> PathBuf {
    dir.join(format!("{sweep}-{order}-{page}"))
}

/// Writes down what is answered in each sweep, every page in both orders. Returns the rows on a page.
pub fn write_down(broadcasts: usize, dir: &Path) -> anyhow::Result<usize> {
    let page_block = PAGE_BLOCKS[usize::from(broadcasts > ROWS_MAX)];
    let mut world = World::crowded(Options { page_block, ..Options::default() }, broadcasts);
    let mut dice = Dice::new(7);
    for (sweep, (kind, _)) in SWEEPS.into_iter().enumerate() {
        let mut now = sweep_at(sweep);
        world.advance(now - SignedDuration::from_mins(10));
        pass_time(&mut world, kind, &mut dice);
        for order in ORDERS {
            for page_no in 1..=world.listed().count().div_ceil(page_block) {
                let body = world.answer(&question(order, page_no), now).body;
                fs::write(page(dir, sweep, order, &page_no.to_string()), body)?;
                now += GAP;
            }
        }
    }
    Ok(page_block)
}

/// What happens before a sweep.
fn pass_time(world: &mut World, kind: Kind, dice: &mut Dice) {
    let numbers: Vec<u64> = world.broadcasts().map(|broadcast| broadcast.no).collect();
    if kind != Kind::First {
        for &number in numbers.iter().step_by(3) {
            world.watch(number, dice.number() % 20_000);
        }
    }
    if kind != Kind::Changing {
        return;
    }
    let (share, offset) = (numbers.len() / 100, dice.below(50));
    for nth in 0..share {
        let (renamed, ended) = (numbers[nth * 100 + offset], numbers[nth * 100 + offset + 50]);
        world.rename(renamed, &format!("다른 제목 {}", dice.number()));
        world.end(ended);
        world.start(&format!("new{}", dice.number()), "[생]꿀잼님의 SOOP 방송", "00130000");
    }
}

fn question(order: &str, page_no: usize) -> Request {
    let query = [("client_id", CLIENT_ID), ("order_type", order), ("page_no", &page_no.to_string())];
    Request {
        method: "GET".to_owned(),
        path: "/broad/list".to_owned(),
        query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Request::default()
    }
}
