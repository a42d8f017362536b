//! Threads for what takes time. A panic on one of them is a defect of ours: ending at once is safe, since
//! the next start recovers, and waiting for an answer that never comes is not.

use std::sync::mpsc::{Sender, channel};

use crate::report;

/// Runs work on any thread.
pub(super) fn work(work: impl FnOnce() + Send + 'static) {
    tokio::task::spawn_blocking(move || run(work));
}

/// One thread for all walks, one after the other. A walk of a large folder takes much memory for a
/// moment, and the allocator keeps that ready for the thread that had it: one is enough.
#[derive(Debug)]
pub(super) struct Walker(Sender<Box<dyn FnOnce() + Send>>);

impl Walker {
    pub(super) fn start() -> std::io::Result<Self> {
        let (sender, walks) = channel::<Box<dyn FnOnce() + Send>>();
        std::thread::Builder::new().name("walks".to_owned()).spawn(move || walks.into_iter().for_each(run))?;
        Ok(Self(sender))
    }

    pub(super) fn work(&self, work: impl FnOnce() + Send + 'static) {
        // It goes on for as long as this sender lives.
        let _ = self.0.send(Box::new(work));
    }
}

fn run(work: impl FnOnce()) {
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
        report::defect();
        std::process::abort();
    }
}
