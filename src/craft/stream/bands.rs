//! Bands of a picture that several threads make, and that are written in their order.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex};

use crate::craft::CraftError;

/// How many bands each thread may be ahead of what is written.
const AHEAD: usize = 2;

/// What the threads share.
struct Shared<T> {
    /// The next band that nobody makes yet.
    next: usize,
    /// How many bands are written.
    written: usize,
    /// What is made and waits for the bands before it.
    made: BTreeMap<usize, std::thread::Result<T>>,
    /// Whether nothing more is wanted.
    is_over: bool,
}

/// Makes bands 0 to `count` with so many threads, and hands them over in their order. `maker` begins what one thread
/// makes bands with. The result does not depend on the number of threads.
pub(super) fn in_order<T: Send, M: FnMut(usize) -> T>(
    count: usize,
    threads: usize,
    maker: impl Fn() -> M + Sync,
    mut write: impl FnMut(usize, T) -> Result<(), CraftError>,
) -> Result<(), CraftError> {
    let threads = threads.min(count);
    if threads <= 1 {
        let mut make = maker();
        return (0..count).try_for_each(|band| write(band, make(band)));
    }
    let shared = Mutex::new(Shared { next: 0, written: 0, made: BTreeMap::new(), is_over: false });
    let changed = Condvar::new();
    let work = || {
        let mut make = maker();
        loop {
            let waits = |shared: &mut Shared<T>| !shared.is_over && shared.next >= shared.written + threads * AHEAD;
            let held = shared.lock().expect("no holder panics");
            let mut held = changed.wait_while(held, waits).expect("no holder panics");
            if held.is_over || held.next >= count {
                return;
            }
            let band = held.next;
            held.next += 1;
            drop(held);
            let made = catch_unwind(AssertUnwindSafe(|| make(band)));
            shared.lock().expect("no holder panics").made.insert(band, made);
            changed.notify_all();
        }
    };
    std::thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(work)));
        let mut result = Ok(());
        for band in 0..count {
            let mut held = shared.lock().expect("no holder panics");
            let made = loop {
                if let Some(made) = held.made.remove(&band) {
                    break made;
                }
                held = changed.wait(held).expect("no holder panics");
            };
            held.written = band + 1;
            drop(held);
            changed.notify_all();
            result = match made {
                Ok(made) => write(band, made),
                Err(panic) => {
                    shared.lock().expect("no holder panics").is_over = true;
                    changed.notify_all();
                    resume_unwind(panic)
                }
            };
            if result.is_err() {
                break;
            }
        }
        shared.lock().expect("no holder panics").is_over = true;
        changed.notify_all();
        result
    })
}
