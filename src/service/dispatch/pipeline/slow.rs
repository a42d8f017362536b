//! What takes so long that nothing else may wait for it: one after the other, beside all others.

use std::collections::VecDeque;
use std::time::Duration;

use crate::service::dispatch::job::Job;

/// How many must be done until their speed tells how long the rest takes.
const MEASURED_MIN: usize = 3;
/// Of how many the speed is looked at: what was long ago was perhaps made beside more other work.
const MEASURED_MAX: usize = 16;

/// The slow plans, and how quick they are.
#[derive(Debug, Default)]
pub(super) struct Slow {
    waiting: VecDeque<Job>,
    /// The pixels of the one at work, and since when it is.
    at_work: Option<(u64, Duration)>,
    /// The pixels of those that were done last, and the time that each took.
    done: VecDeque<(u64, Duration)>,
}

impl Slow {
    pub(super) fn push_back(&mut self, job: Job) {
        self.waiting.push_back(job);
    }

    pub(super) fn push_front(&mut self, job: Job) {
        self.waiting.push_front(job);
    }

    /// Takes those out that wait.
    pub(super) fn take_waiting(&mut self) -> VecDeque<Job> {
        std::mem::take(&mut self.waiting)
    }

    /// Returns how many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns how many are left, with the one at work.
    pub(super) fn left(&self) -> usize {
        self.waiting.len() + usize::from(self.is_busy())
    }

    pub(super) fn is_busy(&self) -> bool {
        self.at_work.is_some()
    }

    /// Returns the next one if none is at work and it `has_room`.
    pub(super) fn next(&mut self, has_room: impl Fn(&Job) -> bool) -> Option<Job> {
        let may_begin = !self.is_busy() && has_room(self.waiting.front()?);
        if may_begin { self.waiting.pop_front() } else { None }
    }

    pub(super) fn begin(&mut self, job: &Job, now: Duration) {
        self.at_work = Some((job.slow_pixels, now));
    }

    /// Takes note that the one at work is done. Returns how long it took if it is the first one.
    pub(super) fn made(&mut self, now: Duration) -> Option<Duration> {
        let (pixels, since) = self.at_work.take()?;
        let took = now.saturating_sub(since);
        self.done.push_back((pixels, took));
        if self.done.len() > MEASURED_MAX {
            self.done.pop_front();
        }
        (self.done.len() == 1).then_some(took)
    }

    /// Returns how long the rest takes, by its pixels, once enough was done to tell: large pictures take long, whatever
    /// their number.
    pub(super) fn time_left(&self, now: Duration) -> Option<Duration> {
        let at_work = self.at_work.map(|(pixels, since)| (pixels, now.saturating_sub(since)));
        let (own, own_time) = at_work.unwrap_or_default();
        let mut speed = Speed::default();
        self.done.iter().for_each(|(pixels, took)| speed.add(*pixels, *took));
        if self.done.len() < MEASURED_MIN || speed.pixels == 0 {
            return None;
        }
        // One that takes longer than those before it shows that other work is in its way.
        if speed.takes(own) < own_time {
            speed.add(own, own_time);
        }
        let rest = speed.takes(own).saturating_sub(own_time);
        Some(rest + speed.takes(self.waiting.iter().map(|job| job.slow_pixels).sum()))
    }
}

/// How many pixels were made in which time.
#[derive(Default)]
struct Speed {
    pixels: u64,
    time: Duration,
}

impl Speed {
    fn add(&mut self, pixels: u64, time: Duration) {
        self.pixels += pixels;
        self.time += time;
    }

    #[expect(clippy::cast_precision_loss, reason = "it is no more than an estimate")]
    fn takes(&self, pixels: u64) -> Duration {
        self.time.mul_f64(pixels as f64 / self.pixels as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::job;
    use super::*;

    const MEGAPIXEL: u64 = 1_000_000;

    fn of(megapixels: u64) -> Job {
        Job { slow_pixels: megapixels * MEGAPIXEL, is_slow: true, ..job("raw/a.png", 0) }
    }

    /// It was told by the number of files: of small pictures and large ones it was wrong by their sizes, and nothing was
    /// told of fewer than ten.
    #[test]
    fn the_time_left_is_that_of_the_pixels_after_three_pictures() {
        let s = Duration::from_secs;
        // Megapixels and seconds of those that were done; those that wait; the one at work, and for how long; the time left.
        type Case = (&'static [(u64, u64)], &'static [u64], Option<(u64, u64)>, Option<u64>);
        let cases: [Case; 10] = [
            (&[], &[1, 1], None, None),
            (&[(1, 4), (1, 4)], &[1, 1], None, None),
            (&[(1, 4), (1, 4), (1, 4)], &[1, 1], None, Some(8)),
            (&[(1, 4), (1, 4), (1, 4)], &[16, 1], None, Some(68)),
            (&[(1, 4), (4, 16), (9, 36)], &[1; 10], Some((5, 12)), Some(48)),
            (&[(1, 4), (1, 4), (1, 4)], &[], Some((1, 99)), Some(0)),
            // One that took longer beside other work counts by its pixels.
            (&[(1, 4), (1, 4), (2, 16)], &[10], None, Some(60)),
            // One at work that takes longer tells that by now, too.
            (&[(1, 4), (1, 4), (1, 4)], &[10], Some((1, 28)), Some(100)),
            (&[(0, 1), (0, 1), (0, 1)], &[1], None, None),
            (&[(1, 400); 20], &[1], None, Some(400)),
        ];
        for (done, waiting, at_work, expected) in cases {
            let (mut slow, mut now) = (Slow::default(), s(0));
            for (number, (megapixels, seconds)) in done.iter().enumerate() {
                slow.begin(&of(*megapixels), now);
                now += s(*seconds);
                assert_eq!(slow.made(now), (number == 0).then(|| s(*seconds)));
            }
            waiting.iter().for_each(|megapixels| slow.push_back(of(*megapixels)));
            if let Some((megapixels, seconds)) = at_work {
                slow.begin(&of(megapixels), now);
                now += s(seconds);
            }
            assert_eq!(slow.time_left(now), expected.map(s), "{done:?} {waiting:?} {at_work:?}");
            assert_eq!(slow.left(), waiting.len() + usize::from(at_work.is_some()));
        }
    }

    /// What is slower by now is told soon.
    #[test]
    fn the_speed_of_long_ago_is_forgotten() {
        let (mut slow, mut now) = (Slow::default(), Duration::ZERO);
        for took in [1; 40].into_iter().chain([3; MEASURED_MAX]) {
            slow.begin(&of(1), now);
            now += Duration::from_secs(took);
            slow.made(now);
        }
        slow.push_back(of(10));
        assert_eq!(slow.time_left(now), Some(Duration::from_secs(30)));
    }
}
