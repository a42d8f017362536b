//! The threads of the workers.
//!
//! A panic on one of them is a defect of ours: ending at once is safe, since the next start recovers, and waiting for
//! an answer that never comes is not.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Once};

use crate::report;

/// Where work runs. Walks have one thread, one after the other: a walk of a large folder takes much memory for a moment,
/// and the allocator keeps that ready for the thread that had it.
#[derive(Debug)]
pub(super) struct Threads {
    walks: Sender<Box<dyn FnOnce() + Send>>,
    /// Whether it was told that no thread can be given a lower priority.
    refused: Arc<Once>,
}

impl Threads {
    /// Starts the thread of the walks.
    pub(super) fn start() -> std::io::Result<Self> {
        let (walks, to_do) = channel::<Box<dyn FnOnce() + Send>>();
        std::thread::Builder::new().name("walks".to_owned()).spawn(move || to_do.into_iter().for_each(run))?;
        Ok(Self { walks, refused: Arc::new(Once::new()) })
    }

    /// Works on the walks' own thread.
    pub(super) fn walk(&self, work: impl FnOnce() + Send + 'static) {
        // It goes on for as long as this sender lives.
        let _ = self.walks.send(Box::new(work));
    }

    /// Works on any thread.
    #[expect(clippy::unused_self, reason = "whoever has no threads starts no work")]
    pub(super) fn any(&self, work: impl FnOnce() + Send + 'static) {
        tokio::task::spawn_blocking(move || run(work));
    }

    /// Works on a thread that gives way to the others: its nice value is so much higher, and those that it starts inherit
    /// it. A thread cannot take that back, so that each such work has one of its own.
    pub(super) fn slow(&self, nice: u8, work: impl FnOnce() + Send + 'static) {
        let refused = self.refused.clone();
        let run = move || {
            if let Err(error) = rustix::process::nice(nice.into()) {
                refused.call_once(|| report::nice_refused(nice, &error.into()));
            }
            run(work);
        };
        std::thread::Builder::new().name("net".to_owned()).spawn(run).expect("the system has room for a thread");
    }
}

fn run(work: impl FnOnce()) {
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
        report::defect();
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linux has a nice value for each thread.
    #[test]
    fn slow_work_and_the_threads_that_it_starts_give_way_and_no_others_do() {
        let threads = Threads::start().unwrap();
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        for (added, expected) in [(0, before), (3, before + 3), (19, 19)] {
            let (tell, told) = channel();
            threads.slow(added, move || {
                let inherited = std::thread::spawn(nice).join().unwrap();
                tell.send([nice(), inherited]).unwrap();
            });
            assert_eq!(told.recv().unwrap(), [expected; 2], "{added}");
            assert_eq!(nice(), before, "{added}");
        }
        assert!(!threads.refused.is_completed());
    }
}
