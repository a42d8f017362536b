//! From ready to carried out: the order, how much is done at once, and what may be carried out together.

mod slow;
mod turns;

use std::collections::VecDeque;
use std::time::Duration;

use super::job::{Job, Looked};
use super::part::{By, Left, Part};
use crate::intake::Still;
use crate::model::Stage;
use crate::vault::Made;
use slow::Slow;
use turns::Turns;

/// The most plans that are committed together.
const BATCH_MAX: usize = 256;
/// How many slow plans wait at most before no more assets are looked into.
const SLOW_MAX: usize = 2048;
/// How long products wait for others to be committed together with.
const GATHER: Duration = Duration::from_millis(10);
/// How many assets one worker takes at once: enough that waking it costs little beside the work.
const CHUNK_MIN: usize = 8;
const CHUNK_MAX: usize = 32;
/// The most bytes that it reads at once.
const CHUNK_BYTES_MAX: u64 = 8 << 20;

/// Assets on their way through the workers.
#[derive(Debug)]
pub(super) struct Pipeline {
    ready: VecDeque<(Stage, Still)>,
    turns: Turns<Looked>,
    to_make: VecDeque<Job>,
    slow: Slow,
    /// Whether the first of either waits for the room that work in hand takes.
    waits_for_room: bool,
    batch: Vec<(Job, Made)>,
    /// Since when the first of the batch waits.
    batch_since: Duration,
    /// How many workers are at work.
    busy: usize,
    /// The memory that they take, about.
    memory: u64,
    /// How many workers there may be if the settings do not say it.
    cores: usize,
}

/// What a worker takes at once.
#[derive(Debug)]
pub(super) enum Chunk {
    Look(Vec<(Stage, Still)>),
    Make(Vec<Job>),
}

/// How much may be done at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// How many workers there may be; 0 for one a core.
    pub(super) jobs: usize,
    /// How many cores a net may have; 0 for as many as there may be workers.
    pub(super) net_cores: usize,
    /// How many bytes of memory they may take together.
    pub(super) memory: u64,
}

impl Pipeline {
    /// Returns a pipeline with nothing in it, for so many cores.
    pub(super) fn new(cores: usize) -> Self {
        Self {
            ready: VecDeque::new(),
            turns: Turns::default(),
            to_make: VecDeque::new(),
            slow: Slow::default(),
            waits_for_room: false,
            batch: Vec::new(),
            batch_since: Duration::ZERO,
            busy: 0,
            memory: 0,
            cores,
        }
    }

    /// Takes an asset that stands still.
    pub(super) fn add_ready(&mut self, stage: Stage, still: Still) {
        self.ready.push_back((stage, still));
    }

    /// Takes a plan.
    pub(super) fn add_job(&mut self, job: Job) {
        if job.is_slow {
            self.slow.push_back(job);
        } else {
            self.to_make.push_back(job);
        }
    }

    /// Takes plans back to the front that have room once work in hand is done: none is handed out until the next turn.
    pub(super) fn wait_for_room(&mut self, jobs: impl DoubleEndedIterator<Item = Job>) {
        for job in jobs.rev() {
            if job.is_slow {
                self.slow.push_front(job);
            } else {
                self.to_make.push_front(job);
            }
        }
        self.waits_for_room = true;
    }

    /// Takes note that a new turn begins.
    pub(super) fn begin_turn(&mut self) {
        self.waits_for_room = false;
    }

    /// Returns how many assets are known to be ready.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Returns how many plans wait for a worker.
    pub(super) fn planned(&self) -> usize {
        self.to_make.len() + self.slow.len()
    }

    /// Returns how many slow plans are left, and how long they take if that can be told.
    pub(super) fn slow_left(&self, now: Duration) -> (usize, Option<Duration>) {
        (self.slow.left(), self.slow.time_left(now))
    }

    /// Hands out what a worker may take now; [`Self::begin_look`] or [`Self::begin_make`] takes note of what of it is
    /// begun indeed.
    pub(super) fn next(&mut self, budget: Budget) -> Option<Chunk> {
        // What is made waits for the disk: no more of it than the next batches take.
        if self.batch.len() >= BATCH_MAX * 2 || self.waits_for_room {
            return None;
        }
        let workers = if budget.jobs == 0 { self.cores } else { budget.jobs };
        let quick = if self.busy < workers { self.next_quick(workers, budget.memory) } else { None };
        let net_cores = if budget.net_cores == 0 { workers } else { budget.net_cores.min(self.cores) };
        quick.or_else(|| self.next_slow(net_cores, budget.memory))
    }

    fn next_quick(&mut self, workers: usize, memory: u64) -> Option<Chunk> {
        if let Some(next) = self.to_make.front() {
            if self.memory > 0 && self.memory + next.cost.memory > memory {
                return None;
            }
            let share = self.to_make.len().div_ceil(workers);
            let costs = |job: &Job| (job.facts.as_ref().map_or(0, |facts| facts.seen.size), job.cost.memory > 0);
            return Some(Chunk::Make(chunk(&mut self.to_make, share, costs)));
        }
        if self.ready.is_empty() || !self.turns.has_room() || self.slow.len() >= SLOW_MAX {
            return None;
        }
        let share = self.ready.len().div_ceil(workers);
        Some(Chunk::Look(chunk(&mut self.ready, share, |(_, still)| (bytes_to_read(still), false))))
    }

    /// Returns the next slow one once the last one is done; it has its cores as far as the others leave them to it.
    fn next_slow(&mut self, cores: usize, memory: u64) -> Option<Chunk> {
        let taken = self.memory;
        let mut job = self.slow.next(|job| taken == 0 || taken + job.cost.memory <= memory)?;
        job.use_threads(cores);
        Some(Chunk::Make(vec![job]))
    }

    /// Takes note that a worker looks into so many assets; returns the place of the first of them in the queue. What
    /// takes long to read has none: the others are not to wait for it.
    pub(super) fn begin_look<'a>(&mut self, mut assets: impl ExactSizeIterator<Item = &'a Still>) -> Option<u64> {
        self.busy += 1;
        let count = assets.len();
        let is_long = assets.any(|still| bytes_to_read(still) > CHUNK_BYTES_MAX);
        (!is_long).then(|| self.turns.begin(count))
    }

    /// Takes note that a worker makes the products of plans.
    pub(super) fn begin_make(&mut self, jobs: &mut [Job], now: Duration) {
        match jobs.iter().find(|job| job.is_slow) {
            Some(job) => self.slow.begin(job, now),
            None => self.busy += 1,
        }
        for job in jobs {
            self.memory += job.cost.memory;
            job.begun = now;
        }
    }

    /// Takes what a worker saw; returns what nobody waits a turn for.
    pub(super) fn looked(&mut self, first: Option<u64>, looks: Vec<Looked>, now: Duration) -> Vec<Looked> {
        self.busy -= 1;
        let Some(first) = first else { return looks };
        self.turns.add(first, looks, now);
        Vec::new()
    }

    /// Returns what is to be decided on next. The order is that of the queue, whoever was quicker: names must not
    /// depend on chance.
    pub(super) fn in_turn(&mut self, now: Duration) -> Option<Looked> {
        self.turns.next(now)
    }

    /// Takes note that a worker is done with making. Returns how long the first one took that is slow.
    pub(super) fn made<'a>(&mut self, jobs: impl Iterator<Item = &'a Job>, now: Duration) -> Option<Duration> {
        let mut is_slow = false;
        for job in jobs {
            is_slow |= job.is_slow;
            self.memory -= job.cost.memory;
        }
        if is_slow {
            return self.slow.made(now);
        }
        self.busy -= 1;
        None
    }

    /// Takes a plan whose products are complete.
    pub(super) fn add_made(&mut self, job: Job, made: Made, now: Duration) {
        if self.batch.is_empty() {
            self.batch_since = now;
        }
        self.batch.push((job, made));
    }

    /// Returns the plans that are to be carried out together now. Each batch costs some flushes, however large it is:
    /// what is about to be made may come along.
    pub(super) fn batch(&mut self, now: Duration) -> Option<Vec<(Job, Made)>> {
        // Nothing waits for a slow one.
        let has_more = self.busy > 0 || !self.to_make.is_empty() || !self.ready.is_empty();
        let waits = has_more && self.batch.len() < BATCH_MAX && now < self.batch_since + GATHER;
        if self.batch.is_empty() || waits {
            return None;
        }
        self.batch_since = now;
        let rest = self.batch.split_off(self.batch.len().min(BATCH_MAX));
        Some(std::mem::replace(&mut self.batch, rest))
    }

    /// Takes the whole batch out.
    pub(super) fn abandon_batch(&mut self) -> Vec<(Job, Made)> {
        std::mem::take(&mut self.batch)
    }

    /// Takes the plans out that are about records and not about an asset.
    pub(super) fn take_records(&mut self) -> Vec<Job> {
        let (records, assets): (VecDeque<Job>, VecDeque<Job>) =
            std::mem::take(&mut self.to_make).into_iter().partition(|job| job.facts.is_none());
        self.to_make = assets;
        records.into()
    }

    /// Takes the plans of assets out that no worker has yet.
    pub(super) fn take_planned(&mut self) -> Vec<Job> {
        let (assets, records): (VecDeque<Job>, VecDeque<Job>) =
            std::mem::take(&mut self.to_make).into_iter().partition(|job| job.facts.is_some());
        self.to_make = records;
        assets.into_iter().chain(self.slow.take_waiting()).collect()
    }

    /// Returns until when others wait for whose turn it is to be decided on, if any do.
    pub(super) fn turn_due(&self) -> Option<Duration> {
        self.turns.until()
    }

    /// Returns when products that wait are carried out at the latest.
    pub(super) fn batch_due(&self) -> Option<Duration> {
        (!self.batch.is_empty()).then_some(self.batch_since + GATHER)
    }

    /// Returns whether a worker is at work.
    pub(super) fn is_busy(&self) -> bool {
        self.busy > 0 || self.slow.is_busy()
    }

    /// Returns whether products wait to be carried out.
    pub(super) fn has_batch(&self) -> bool {
        !self.batch.is_empty()
    }

    /// Returns whether nothing is in it.
    pub(super) fn is_quiet(&self) -> bool {
        let has_work = !self.ready.is_empty() || self.planned() > 0 || !self.batch.is_empty();
        !has_work && !self.is_busy()
    }
}

impl Part for Pipeline {
    fn wake(&self, now: Duration) -> Option<Duration> {
        // What waits for a worker while none is at work waits for nothing but the next turn, or for a commit.
        let idle = (self.planned() > 0 || !self.ready.is_empty()) && !self.waits_for_room;
        let idle = (idle && !self.is_busy() && self.batch.is_empty()).then_some(now);
        self.batch_due().into_iter().chain(idle).chain(self.turn_due()).min()
    }

    fn left(&self, _: Duration) -> Left {
        Left::soon(if self.is_busy() { Some(By::Answer) } else { (!self.is_quiet()).then_some(By::Time) })
    }
}

fn bytes_to_read(still: &Still) -> u64 {
    still.candidate().primary.entry.identity.size
}

/// Takes what one worker does at once from the front of a queue: its share, within limits. `costs` says of
/// each how many bytes are read for it, and whether it is a worker's whole task.
fn chunk<T>(queue: &mut VecDeque<T>, share: usize, costs: impl Fn(&T) -> (u64, bool)) -> Vec<T> {
    let (mut chunk, mut bytes) = (Vec::new(), 0_u64);
    while let Some(next) = queue.front() {
        let (size, is_whole) = costs(next);
        bytes = bytes.saturating_add(size);
        let is_full = chunk.len() >= share.clamp(CHUNK_MIN, CHUNK_MAX) || bytes > CHUNK_BYTES_MAX || is_whole;
        if is_full && !chunk.is_empty() {
            break;
        }
        chunk.extend(queue.pop_front());
        if is_whole {
            break;
        }
    }
    chunk
}

#[cfg(test)]
mod tests;
