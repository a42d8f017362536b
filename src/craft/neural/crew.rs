//! Threads for the time of a call: they do jobs in the order in which these are given, and hand the results back in it.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard};

/// How many jobs may be done, or wait, besides those that are being done.
const AHEAD: usize = 1;

/// What the threads share.
struct State<J, T> {
    /// Jobs that nobody does yet.
    given: VecDeque<(usize, J)>,
    /// What is done, and not yet taken.
    done: BTreeMap<usize, std::thread::Result<T>>,
    /// Whether nothing more is wanted.
    is_over: bool,
}

struct Shared<J, T> {
    state: Mutex<State<J, T>>,
    changed: Condvar,
}

impl<J, T> Shared<J, T> {
    fn new() -> Self {
        let state = State { given: VecDeque::new(), done: BTreeMap::new(), is_over: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State<J, T>> {
        self.state.lock().expect("no holder panics")
    }

    /// Waits while this holds.
    fn wait(&self, is_so: impl Fn(&State<J, T>) -> bool) -> MutexGuard<'_, State<J, T>> {
        self.changed.wait_while(self.state(), |state| is_so(state)).expect("no holder panics")
    }
}

/// Those who do jobs.
pub(super) struct Crew<'a, J, T> {
    shared: &'a Shared<J, T>,
    /// Does a job here, where there is but one thread.
    alone: Option<Box<dyn FnMut(usize, J) -> T + 'a>>,
    given: usize,
    taken: usize,
    most: usize,
}

impl<J, T> Crew<'_, J, T> {
    /// Returns whether one more job may be given.
    pub(super) fn has_room(&self) -> bool {
        self.given - self.taken < self.most
    }

    /// Gives the next job.
    pub(super) fn give(&mut self, job: J) {
        self.shared.state().given.push_back((self.given, job));
        self.shared.changed.notify_all();
        self.given += 1;
    }

    /// Takes the result of the next job, once it is done; it was given.
    pub(super) fn take(&mut self) -> T {
        let number = self.taken;
        self.taken += 1;
        if let Some(alone) = &mut self.alone {
            let (number, job) = self.shared.state().given.pop_front().expect("a job is given before it is taken");
            return alone(number, job);
        }
        let done = self.shared.wait(|state| !state.done.contains_key(&number)).done.remove(&number);
        done.expect("it was waited for").unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Ends the threads when it goes, also where something panics.
impl<J, T> Drop for Crew<'_, J, T> {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_all();
    }
}

/// Calls for so many threads. `worker` begins what one of them does jobs with, by their number.
pub(super) fn with_crew<J: Send, T: Send, M: FnMut(usize, J) -> T, R>(
    threads: usize,
    worker: impl Fn() -> M + Sync,
    call: impl FnOnce(Crew<'_, J, T>) -> R,
) -> R {
    let shared = &Shared::new();
    if threads <= 1 {
        return call(Crew { shared, alone: Some(Box::new(worker())), given: 0, taken: 0, most: 1 });
    }
    let work = || {
        let mut work = worker();
        loop {
            let mut state = shared.wait(|state| !state.is_over && state.given.is_empty());
            let Some((number, job)) = state.given.pop_front().filter(|_| !state.is_over) else { return };
            drop(state);
            let done = catch_unwind(AssertUnwindSafe(|| work(number, job)));
            shared.state().done.insert(number, done);
            shared.changed.notify_all();
        }
    };
    std::thread::scope(|scope| {
        let crew = Crew { shared, alone: None, given: 0, taken: 0, most: threads + AHEAD };
        (0..threads).for_each(|_| drop(scope.spawn(work)));
        call(crew)
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::turns::Turns;
    use super::*;

    #[test]
    fn results_come_in_the_order_of_jobs() {
        for threads in [0, 1, 2, 7] {
            let done = with_crew(
                threads,
                || |number: usize, job: usize| (number, job * job),
                |mut crew| {
                    let (mut given, mut done) = (0, Vec::new());
                    while done.len() < 40 {
                        while given < 40 && crew.has_room() {
                            crew.give(given);
                            given += 1;
                        }
                        done.push(crew.take());
                    }
                    done
                },
            );
            assert_eq!(done, (0..40).map(|n| (n, n * n)).collect::<Vec<_>>(), "{threads} threads");
        }
    }

    #[test]
    fn a_job_that_panics_ends_all_with_its_own_words() {
        for threads in [1, 3] {
            let turns = Turns::default();
            let job = |number: usize, (): ()| turns.wait(number).pass(|| assert!(number != 2, "the third job"));
            let call = |mut crew: Crew<'_, (), ()>| {
                for _ in 0..9 {
                    crew.give(());
                    crew.take();
                }
            };
            let panic = catch_unwind(AssertUnwindSafe(|| with_crew(threads, || job, call))).unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"the third job"), "{threads} threads");
        }
    }
}
