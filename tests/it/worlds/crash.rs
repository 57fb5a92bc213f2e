//! The process ends at any request, or whenever it waits for the store or an answer, and begins again with the same
//! store: the same events with the same ids.

use std::collections::BTreeMap;

use livehook::simulators::dice::Dice;
use serde_json::Value;

use super::{
    random::{again, runtime},
    scene::{Scene, stale_for},
    soop::Soops,
};
use crate::support::{
    simulated::{Death, LastRequest},
    world::{Books, Stage, number, of_account, tempdir},
};

/// How often something happens.
const ACTS: usize = 4;
const ACCOUNT: &str = "crashing";

/// What consumers get of each entity, in order: the ids, and what does not depend on when livehook looked.
type Log = BTreeMap<String, Vec<(String, String, Value)>>;

/// When the process ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// A request is granted and written down, and not sent, or not answered.
    AtRequest(Death),
    /// It has waited so often: for what it knows, for a request to be written down, for the comparison of a sweep,
    /// for the commit of it or of a failure. What it has handed to the writer is committed, and nobody hears of it.
    AtWait(u64),
}

/// What the next process finds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    Kept,
    Lost,
}

/// How a run went.
struct Run {
    log: Log,
    requests: u64,
    waits: u64,
    has_ended: bool,
}

/// Ends the process at every so many requests of a whole run, and at every so many waits.
pub fn play_crashes<S: Scene>(seed: u64) {
    runtime().block_on(async {
        let undisturbed = run::<S>(seed, None, Memory::Kept).await;
        let events = undisturbed.log.values().map(Vec::len).sum::<usize>();
        assert!(events > 5, "too little happened: {:#?}", undisturbed.log);
        let (mut tried, mut ended_waiting) = (0, 0);
        for end in ends(&undisturbed) {
            let run = run::<S>(seed, Some(end), Memory::Kept).await;
            tried += 1;
            // How often anything has to be waited for is up to the threads of the store, and differs from run to run.
            match end {
                End::AtRequest(_) => {
                    assert!(run.has_ended, "there was no {end:?} of {}", undisturbed.requests)
                }
                End::AtWait(wait) => {
                    assert!(run.has_ended || run.waits < wait, "it went on after {end:?}");
                    ended_waiting += u32::from(run.has_ended);
                }
            }
            for subject in undisturbed.log.keys().chain(run.log.keys()) {
                let (is, must) = (run.log.get(subject), undisturbed.log.get(subject));
                assert_eq!(is, must, "{subject}: the process ended at {end:?} of {}", undisturbed.requests);
            }
        }
        let Run { requests, waits, .. } = undisturbed;
        eprintln!(
            "{tried} runs of {requests} requests and {waits} waits; {ended_waiting} ended while waiting"
        );
        assert!(ended_waiting > 1, "the process ended while waiting in {ended_waiting} of {tried} runs");
    });
}

fn ends(undisturbed: &Run) -> impl Iterator<Item = End> {
    let every = |variable, default| usize::try_from(number(variable, default)).unwrap().max(1);
    let requests = (1..=undisturbed.requests).step_by(every("LIVEHOOK_CRASH_EVERY", 3)).enumerate();
    let requests = requests.map(|(index, at)| End::AtRequest(death_at(at, index.is_multiple_of(2))));
    requests.chain((1..=undisturbed.waits).step_by(every("LIVEHOOK_CRASH_EVERY_WAIT", 7)).map(End::AtWait))
}

fn death_at(number: u64, after_asking: bool) -> Death {
    Death { at: LastRequest::Nth(number), after_asking }
}

#[test]
fn a_process_that_forgets_is_caught() {
    runtime().block_on(async {
        let undisturbed = run::<Soops>(4, None, Memory::Kept).await;
        for at in [undisturbed.requests / 3, undisturbed.requests / 2] {
            let end = End::AtRequest(death_at(at, true));
            let forgetful = run::<Soops>(4, Some(end), Memory::Lost).await;
            assert!(forgetful.has_ended);
            assert_ne!(forgetful.log, undisturbed.log);
        }
    });
}

/// Lets things happen, so slowly that each is seen by itself.
async fn run<S: Scene>(seed: u64, end: Option<End>, memory: Memory) -> Run {
    let mut dice = Dice::new(seed);
    let (mut scene, world) = S::new(&mut dice);
    let account = scene.account(ACCOUNT);
    let apart = stale_for(account.platform);
    let mut dir = tempdir();
    let mut stage = Stage::new(world, scene.begins_at(), seed, move || vec![again(&account)]);
    let mut books = Some(Books::open(dir.path()));
    stage.start(&books.as_ref().unwrap().store);
    match end {
        Some(End::AtRequest(death)) => stage.http.die(Some(death)),
        Some(End::AtWait(wait)) => stage.end_at_wait(wait),
        None => {}
    }

    let mut has_ended = false;
    let mut until = stage.now();
    for act in 0..=ACTS {
        if act > 0 {
            // The hour is the same in every run, and so is what the platform says of it. The clock may be further:
            // it depends on when the process ended whether an answer is on its way at that hour.
            stage.world_at(until, |world| (0..3).for_each(|_| scene.play(world, &mut dice)));
        }
        // Time for three looks, whatever the process does.
        until += scene.longest() * 4 + apart * 3;
        while !stage.run_until(until).await {
            has_ended = true;
            stage.stop();
            books.take().unwrap().close();
            if memory == Memory::Lost {
                dir = tempdir();
            }
            books = Some(Books::open(dir.path()));
            stage.start(&books.as_ref().unwrap().store);
        }
    }
    let mut log = Log::new();
    for mut told in of_account(&books.as_ref().unwrap().store, ACCOUNT, 0).await {
        // Without promise: it is what stood in the answer that came first, and after another start that is another one.
        told.data.shift_remove("extra");
        let entry = (told.verb.clone(), told.id.clone(), Value::Object(told.data.clone()));
        log.entry(told.subject).or_default().push(entry);
    }
    Run { log, requests: stage.http.count(), waits: stage.waits(), has_ended }
}
