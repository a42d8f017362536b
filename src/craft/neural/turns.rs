//! Steps that pass a place one after another, in their order, each with a thread of its own.

use std::sync::{Condvar, Mutex, MutexGuard};

/// A place that steps pass.
#[derive(Debug, Default)]
pub(super) struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The step whose turn it is.
    next: usize,
    /// Whether a step failed: no more will pass.
    is_broken: bool,
}

/// One step's turn.
pub(super) struct Turn<'a> {
    at: &'a Turns,
    is_done: bool,
}

impl Turns {
    /// Waits until all steps before this one have passed.
    pub(super) fn wait(&self, step: usize) -> Turn<'_> {
        let waits = |state: &mut State| state.next != step && !state.is_broken;
        let state = self.changed.wait_while(self.state(), waits).expect("no holder panics");
        let is_broken = state.is_broken;
        drop(state);
        assert!(!is_broken, "a step before this one failed");
        Turn { at: self, is_done: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

impl Turn<'_> {
    /// Does the work of a step, and lets the next one pass.
    pub(super) fn pass<T>(mut self, work: impl FnOnce() -> T) -> T {
        let work = work();
        self.is_done = true;
        work
    }
}

impl Drop for Turn<'_> {
    /// Work that panics lets no other step pass: the threads that wait would wait for ever.
    fn drop(&mut self) {
        let mut state = self.at.state();
        state.next += usize::from(self.is_done);
        state.is_broken |= !self.is_done;
        drop(state);
        self.at.changed.notify_all();
    }
}
