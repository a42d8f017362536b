//! Bands of a picture that several threads make of what they are fed, and that are written in their order.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex};

use crate::craft::CraftError;

/// How many bands each thread may be ahead of what is written.
const AHEAD: usize = 2;

/// Returns how many bands there are at once, from what they are made of up to what is written.
pub(super) fn in_flight(threads: usize) -> u64 {
    if threads <= 1 { 1 } else { (threads * AHEAD + 1) as u64 }
}

/// What the threads share.
struct Shared<J, T> {
    /// What bands are to be made of that nobody makes yet.
    fed: VecDeque<(usize, J)>,
    /// What is made and waits for the bands before it.
    made: BTreeMap<usize, std::thread::Result<T>>,
    /// Whether nothing more is wanted.
    is_over: bool,
}

/// Ends the threads when it goes, also where what feeds them or writes panics.
struct Ending<'a, J, T>(&'a Mutex<Shared<J, T>>, &'a Condvar);

impl<J, T> Drop for Ending<'_, J, T> {
    fn drop(&mut self) {
        self.0.lock().expect("no holder panics").is_over = true;
        self.1.notify_all();
    }
}

/// Makes bands 0 to `count` with so many threads, and hands them over in their order. `feed` gives what a band is made
/// of, one after another, while the threads make those before; `maker` begins what one thread makes bands with. The
/// result does not depend on the number of threads.
pub(super) fn in_order<J: Send, T: Send, M: FnMut(usize, J) -> T>(
    count: usize,
    threads: usize,
    mut feed: impl FnMut(usize) -> Result<J, CraftError>,
    maker: impl Fn() -> M + Sync,
    mut write: impl FnMut(usize, T) -> Result<(), CraftError>,
) -> Result<(), CraftError> {
    let threads = threads.min(count);
    if threads <= 1 {
        let mut make = maker();
        return (0..count).try_for_each(|band| write(band, make(band, feed(band)?)));
    }
    let shared = Mutex::new(Shared { fed: VecDeque::new(), made: BTreeMap::new(), is_over: false });
    let changed = Condvar::new();
    let work = || {
        let mut make = maker();
        loop {
            let held = shared.lock().expect("no holder panics");
            let waits = |shared: &mut Shared<J, T>| !shared.is_over && shared.fed.is_empty();
            let mut held = changed.wait_while(held, waits).expect("no holder panics");
            let Some((band, job)) = held.fed.pop_front().filter(|_| !held.is_over) else { return };
            drop(held);
            let made = catch_unwind(AssertUnwindSafe(|| make(band, job)));
            shared.lock().expect("no holder panics").made.insert(band, made);
            changed.notify_all();
        }
    };
    std::thread::scope(|scope| {
        let _ending = Ending(&shared, &changed);
        (0..threads).for_each(|_| drop(scope.spawn(work)));
        let mut fed = 0;
        (0..count).try_for_each(|band| {
            while fed < count.min(band + threads * AHEAD) {
                let job = feed(fed)?;
                shared.lock().expect("no holder panics").fed.push_back((fed, job));
                changed.notify_all();
                fed += 1;
            }
            let held = shared.lock().expect("no holder panics");
            let waits = |shared: &mut Shared<J, T>| !shared.made.contains_key(&band);
            let made = changed.wait_while(held, waits).expect("no holder panics").made.remove(&band);
            match made.expect("it was waited for") {
                Ok(made) => write(band, made),
                Err(panic) => resume_unwind(panic),
            }
        })
    })
}
