//! What a disk refuses is tried again; what it refuses in the middle is recovered.

use super::*;
use WhyKind::{Gate, Paused, Refused};

const HOLD: &str = "gates: {keep: hold}\n";
const RAW: &str = "raw/sea/a.png";
const KEPT: &str = "keep/sea/sea-0001.png";

#[test]
fn what_a_disk_refuses_is_tried_again_after_growing_pauses() {
    let refused = |kind| Fault::Refused(kind);
    let make = |name, kind| Fault::Make(name, kind);
    let walk = |kind| Fault::Walk("raw/sea", kind);
    let (slow, read_only) = (ErrorKind::TimedOut, ErrorKind::ReadOnlyFilesystem);
    // (what it answers, how often; where the asset is and why when `once` gives up, what is stuck then, when that is;
    // how often it is looked into, made and committed until it is there)
    type Row = (Fault, usize, (&'static str, Option<WhyKind>, u64, u128), [usize; 3]);
    let rows: Vec<Row> = vec![
        (refused(slow), 1, (KEPT, Some(Gate), 0, 2_000), [2, 2, 2]),
        (refused(slow), 5, (RAW, Some(Refused), 1, 2_000), [6, 6, 6]),
        (refused(ErrorKind::StorageFull), 1, (RAW, Some(Paused), 2, 2), [2, 2, 2]),
        (refused(read_only), 2, (RAW, Some(Paused), 2, 2), [3, 3, 3]),
        // Another file has its name by now.
        (refused(ErrorKind::InvalidData), 3, (KEPT, Some(Gate), 0, 700), [4, 4, 4]),
        (Fault::Changed, 1, (KEPT, Some(Gate), 0, 15), [2, 2, 2]),
        (Fault::Changed, 4, (KEPT, Some(Gate), 0, 2_815), [5, 5, 5]),
        (Fault::Open, 1, (KEPT, Some(Gate), 0, 2_000), [2, 2, 2]),
        (Fault::Open, 3, (RAW, Some(Refused), 1, 2_015), [4, 4, 4]),
        (make("raw/sea", slow), 1, (KEPT, Some(Gate), 0, 2_000), [2, 2, 1]),
        (make("raw/sea", slow), 3, (RAW, Some(Refused), 1, 2_000), [4, 4, 1]),
        (make("raw/sea", ErrorKind::StorageFull), 1, (RAW, Some(Paused), 2, 0), [2, 2, 1]),
        (walk(slow), 1, (KEPT, Some(Gate), 0, 5_000), [1, 1, 1]),
        (walk(slow), 3, (RAW, None, 1, 5_000), [1, 1, 1]),
        (walk(ErrorKind::NotFound), 1, (RAW, None, 0, 2_000), [1, 1, 1]),
    ];
    for (n, (fault, times, (at, why, failed, over_ms), steps)) in rows.into_iter().enumerate() {
        let mut mill = Mill::new(HOLD, &[(RAW, &picture(1))]);
        mill.faults.extend((0..times).map(|_| fault.clone()));
        mill.run();
        let found = (mill.assets(), mill.held().first().map(|held| held.1), mill.failed(), mill.steady.as_millis());
        assert_eq!(found, (vec![at.to_owned()], why, failed, over_ms), "row {n}: {fault:?}");
        mill.pass(300);
        assert_eq!((mill.assets(), mill.failed()), (vec![KEPT.to_owned()], 0), "row {n}: {fault:?}");
        assert_eq!(mill.steps()[1..], steps, "row {n}: {fault:?}");
    }
}

#[test]
fn what_is_too_large_is_set_aside_at_once() {
    let mut mill = Mill::new(HOLD, &[(RAW, &picture(1))]);
    mill.faults.push_back(Fault::Make(RAW, ErrorKind::FileTooLarge));
    mill.run();
    assert_eq!(mill.assets(), ["failed/raw/sea/a.png", "failed/raw/sea/a.png.reason.txt"]);
    assert_eq!((mill.failed(), mill.steady, &mill.steps()[1..]), (1, Duration::from_millis(2), &[1, 2, 1][..]));
    assert_eq!(mill.dispatcher.summary().to_string(), "1 done, 0 in work, 0 held, 1 set aside");
}

/// The journal ends in the middle: what was begun is finished or taken back when the next run begins.
#[test]
fn a_plan_that_a_crash_cut_off_is_finished_when_its_areas_are_there() {
    for away in [None, Some("keep"), Some("raw")] {
        let mut mill = Mill::new(HOLD, &[(RAW, &picture(1))]);
        mill.run();
        let journal = mill.home.path().join(".stockmill/journal/000001.jsonl");
        let text = fs::read_to_string(&journal).unwrap();
        let (kept, done) = text.trim_end().rsplit_once('\n').unwrap();
        assert!(done.contains("done"), "{done}");
        fs::write(&journal, format!("{kept}\n")).unwrap();
        away.iter().for_each(|area| mill.away(area));
        let mut mill = mill.restart(HOLD);
        mill.run();
        if let Some(area) = away {
            assert_eq!((mill.failed(), mill.begun("recover")), (1, 0), "{area}");
            let blocked: Vec<String> =
                mill.dispatcher.decide.blocked.iter().map(|(path, why)| format!("{path}: {why}")).collect();
            assert_eq!(blocked.len(), 3, "{blocked:?}");
            assert!(
                blocked.iter().all(|why| why.ends_with(&format!("it waits for `{area}`, which is paused"))),
                "{blocked:?}"
            );
            mill.back(area);
            mill.pass(40);
            mill.run();
            assert_eq!(mill.begun("recover"), 1, "{area}");
        }
        assert_eq!((mill.assets(), mill.failed()), (vec![KEPT.to_owned()], 0), "{away:?}");
        assert_held(&mill, &[(KEPT, Gate, "hold")]);
        assert!(mill.dispatcher.decide.blocked.is_empty(), "{away:?}");
        let text = fs::read_to_string(&journal).unwrap();
        assert!(text.trim_end().ends_with("{\"is\":\"done\",\"plan\":1}"), "{text}");
    }
}

/// A disk that refuses to recover is asked again, and the others go on meanwhile.
#[test]
fn a_recovery_that_is_refused_is_tried_again() {
    let mut mill = Mill::new(HOLD, &[(RAW, &picture(1))]);
    mill.faults.extend([Fault::Open, Fault::Recover, Fault::Recover]);
    mill.run();
    assert_eq!((mill.assets(), mill.failed(), mill.begun("recover")), (vec![KEPT.to_owned()], 0, 3));
}
