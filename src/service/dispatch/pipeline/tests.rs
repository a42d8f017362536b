use super::super::part::check;
use super::*;
use crate::intake::{Candidate, Found, Now, Settle, Verdict};
use crate::model::Identity;
use crate::model::RelPath;
use crate::plan::{Facts, Plan};
use crate::records::About;
use crate::vault::Entry;

const MIB: u64 = 1 << 20;
const BUDGET: Budget = Budget { jobs: 2, net_cores: 0, memory: 100 };

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn still(size: u64) -> Still {
    let identity = Identity { device: 1, inode: 1, size, modified_ns: 0 };
    let found = Found { path: path("raw/a.png"), entry: Entry::file(identity, 0) };
    let now = Now { wall_ns: i64::MAX, steady: Duration::from_secs(9) };
    match Settle::new(Duration::ZERO, Duration::ZERO, Duration::ZERO).judge(Candidate::alone(found), false, now) {
        Verdict::Still(still) => *still,
        Verdict::Wait { why, .. } => panic!("{why}"),
    }
}

pub(super) fn job(name: &str, weight: u64) -> Job {
    let seen = Identity { device: 1, inode: 1, size: 1, modified_ns: 0 };
    let facts = Facts::bare(path(name), Stage::Raw, seen, 0);
    let job = Job::new(Plan::new(About::new(Stage::Raw, "")), Some(facts), Duration::ZERO);
    Job { cost: crate::make::Cost { memory: weight, ..job.cost }, ..job }
}

fn record() -> Job {
    Job::new(Plan::new(About::new(Stage::Raw, "")), None, Duration::ZERO)
}

/// How many of what a worker may take now.
fn next(pipeline: &mut Pipeline) -> (&'static str, usize) {
    match pipeline.next(BUDGET) {
        None => ("", 0),
        Some(Chunk::Look(assets)) => {
            pipeline.begin_look(assets.iter().map(|(_, still)| still));
            ("look", assets.len())
        }
        Some(Chunk::Make(mut jobs)) => {
            pipeline.begin_make(&mut jobs, Duration::ZERO);
            ("make", jobs.len())
        }
    }
}

#[test]
fn a_worker_takes_its_share_and_no_more_than_it_can_read() {
    type Case = (&'static [(u64, bool)], usize, usize);
    let cases: [Case; 7] = [
        (&[], 9, 0),
        (&[(1, false); 100], 50, CHUNK_MAX),
        (&[(1, false); 100], 10, 10),
        (&[(1, false); 100], 1, CHUNK_MIN),
        (&[(5 * MIB, false), (2 * MIB, false), (2 * MIB, false)], 9, 2),
        (&[(900 * MIB, false), (1, false)], 9, 1),
        (&[(1, true), (1, false)], 9, 1),
    ];
    for (costs, share, expected) in cases {
        let mut queue: VecDeque<_> = costs.iter().copied().collect();
        assert_eq!(chunk(&mut queue, share, |cost| *cost).len(), expected, "{share} of {costs:?}");
        assert_eq!(queue.len(), costs.len() - expected);
    }
    let mut queue = VecDeque::from([(1, false), (1, true)]);
    assert_eq!(chunk(&mut queue, 9, |cost| *cost), [(1, false)]);
}

#[test]
fn plans_come_before_looks_within_workers_and_memory() {
    let mut pipeline = Pipeline::new(4);
    (0..20).for_each(|_| pipeline.add_ready(Stage::Raw, still(1)));
    [60, 60].into_iter().for_each(|weight| pipeline.add_job(job("raw/a.png", weight)));
    assert_eq!(check(&pipeline, Duration::ZERO).soon, Some(By::Time));
    assert_eq!(next(&mut pipeline), ("make", 1));
    assert_eq!(check(&pipeline, Duration::ZERO).soon, Some(By::Answer));
    assert_eq!(next(&mut pipeline), ("", 0), "the second one has no memory");
    pipeline.made([job("raw/a.png", 60)].iter(), Duration::ZERO);
    assert_eq!([next(&mut pipeline), next(&mut pipeline), next(&mut pipeline)], [("make", 1), ("look", 10), ("", 0)]);
    pipeline.made([job("raw/a.png", 60)].iter(), Duration::ZERO);
    assert_eq!((next(&mut pipeline), pipeline.ready(), pipeline.planned()), (("look", CHUNK_MIN), 2, 0));
    assert!(pipeline.is_busy() && !pipeline.is_quiet());
}

/// A drop that needs no net waited until all those before it that need one were done.
#[test]
fn nothing_waits_for_what_is_slow_and_one_of_that_is_made_at_a_time() {
    let slow = |memory| Job { is_slow: true, ..job("raw/slow.png", memory) };
    let mut pipeline = Pipeline::new(4);
    (0..3).for_each(|_| pipeline.add_job(slow(60)));
    assert_eq!([next(&mut pipeline), next(&mut pipeline)], [("make", 1), ("", 0)]);
    assert!(pipeline.is_busy() && !pipeline.is_quiet() && pipeline.planned() == 2);
    assert_eq!(check(&pipeline, Duration::ZERO).soon, Some(By::Answer));
    // Both workers are still there for others.
    (0..2).for_each(|_| pipeline.add_ready(Stage::Raw, still(1)));
    (0..2).for_each(|_| pipeline.add_job(job("raw/a.png", 20)));
    assert_eq!([0; 3].map(|_| next(&mut pipeline)), [("make", 1), ("make", 1), ("", 0)]);
    pipeline.made([job("raw/a.png", 20)].iter(), Duration::ZERO);
    assert_eq!(next(&mut pipeline), ("look", 2));
    // What is made of others is carried out meanwhile, and does not wait for it.
    pipeline.add_made(job("raw/a.png", 20), Made::nothing(), Duration::ZERO);
    assert_eq!(pipeline.batch_due(), Some(GATHER));
    pipeline.made([slow(60)].iter(), Duration::ZERO);
    assert_eq!([next(&mut pipeline), next(&mut pipeline)], [("make", 1), ("", 0)]);
    assert_eq!(pipeline.planned(), 1);
    // It waits for memory as others do, and has all cores.
    let mut pipeline = Pipeline::new(4);
    pipeline.add_job(job("raw/a.png", 60));
    pipeline.add_job(slow(60));
    assert_eq!([next(&mut pipeline), next(&mut pipeline)], [("make", 1), ("", 0)]);
    pipeline.made([job("raw/a.png", 60)].iter(), Duration::ZERO);
    assert_eq!(next(&mut pipeline), ("make", 1));
}

/// The bytes are the same with any number of threads.
#[test]
fn a_net_has_the_cores_that_it_may_have() {
    use crate::model::{Enhance, Kind, Output, Render, Restore, Size, Upscaler};
    use crate::plan::{Product, Recipe};
    use crate::records::PublishMode;
    let by_net = |by| {
        let (size, enhance) = (Some(Size { width: 8, height: 8 }), Enhance::default());
        let render = Render { size, by, enhance, output: Output::Master, threads: 1 };
        let recipe = Recipe::Render { from: path("raw/a.png"), kind: Kind::Png, render };
        let product = Product { to: path("keep/a.png"), recipe, mode: PublishMode::New };
        let plan = Plan { products: vec![product], ..Plan::new(About::new(Stage::Raw, "")) };
        Job::new(plan, job("raw/a.png", 0).facts, Duration::ZERO)
    };
    let net = || Upscaler::Neural(Restore::Fixed(50).into());
    // What enlarges; workers and cores that the settings allow; threads that it has.
    let cases = [
        (Upscaler::Lanczos, 0, 0, 1),
        (net(), 0, 0, 7),
        (net(), 3, 0, 3),
        (net(), 3, 5, 5),
        (net(), 0, 1, 1),
        (net(), 0, 99, 7),
    ];
    for (by, jobs, net_cores, threads) in cases {
        let mut pipeline = Pipeline::new(7);
        pipeline.add_job(by_net(by.clone()));
        let budget = Budget { jobs, net_cores, memory: u64::MAX };
        let Some(Chunk::Make(made)) = pipeline.next(budget) else { panic!("{by}") };
        let Recipe::Render { render, .. } = &made[0].plan.products[0].recipe else { panic!("{by}") };
        assert_eq!((render.threads, made[0].is_slow), (threads, by == net()), "{by}, {jobs}, {net_cores}");
    }
}

#[test]
fn what_takes_long_to_read_has_no_turn() {
    for (size, has_turn) in [(CHUNK_BYTES_MAX, true), (CHUNK_BYTES_MAX + 1, false)] {
        assert_eq!(Pipeline::new(1).begin_look([still(size)].iter()).is_some(), has_turn, "{size}");
    }
}

#[test]
fn plans_about_records_can_be_taken_out() {
    let mut pipeline = Pipeline::new(1);
    [record(), job("raw/a.png", 0), record()].into_iter().for_each(|job| pipeline.add_job(job));
    assert_eq!((pipeline.take_records().len(), pipeline.planned()), (2, 1));
}

#[test]
fn products_are_carried_out_together_when_no_more_are_about_to_come() {
    const MS: Duration = Duration::from_millis(1);
    // (products, whether more is about to be made, at ms, how many are carried out)
    let cases = [
        (0, false, 0, None),
        (1, false, 0, Some(1)),
        (1, true, 0, None),
        (1, true, 9, None),
        (1, true, 10, Some(1)),
        (BATCH_MAX - 1, true, 0, None),
        (BATCH_MAX, true, 0, Some(BATCH_MAX)),
        (BATCH_MAX + 5, false, 0, Some(BATCH_MAX)),
    ];
    for (count, has_more, at, expected) in cases {
        let mut pipeline = Pipeline::new(1);
        for n in 0..count {
            pipeline.add_made(job(&format!("raw/{n}.png"), 0), Made::nothing(), Duration::ZERO);
        }
        if has_more {
            pipeline.add_job(job("raw/more.png", 0));
        }
        if count > 0 {
            assert!(check(&pipeline, Duration::ZERO).soon.is_some());
            assert_eq!(pipeline.wake(Duration::ZERO), Some(GATHER), "{count}");
        }
        let batch = pipeline.batch(MS * at).map(|batch| batch.len());
        assert_eq!(batch, expected, "{count} {has_more} {at}");
        assert_eq!(pipeline.has_batch(), count > expected.unwrap_or(0), "{count} {has_more} {at}");
    }
}
