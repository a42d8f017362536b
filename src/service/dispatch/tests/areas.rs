//! Disks that are away, full, or tell no events.

use super::*;
use WhyKind::Paused;

const ENDS: [&str; 2] = ["archive/sea/sea-0001.png", "upload/DAY/adobe-stock/files/sea-0001.jpg"];

fn with_tags() -> Mill {
    Mill::new("", &[("raw/sea/a.png", &picture(1)), ("raw/sea/tags.yaml", TAGS.as_bytes())])
}

#[test]
fn what_would_go_to_an_area_that_is_away_waits_until_it_is_back() {
    type Row = (&'static str, &'static [&'static str], &'static [(&'static str, WhyKind, &'static str)], u64);
    let rows: [Row; 5] = [
        // Beside the area, the asset that was in hand: nobody can tell that it is gone.
        ("raw", &[".raw/sea/a.png"], &[("raw/sea/a.png", Paused, "`raw` is paused: its folder")], 2),
        ("keep", &["raw/sea/a.png"], &[("raw/sea/a.png", Paused, "`keep` is paused: its folder")], 2),
        ("export", &["keep/sea/sea-0001.png"], &[("keep/sea/sea-0001.png", Paused, "`export` is paused")], 1),
        ("upload", &["export/sea/sea-0001.png"], &[("export/sea/sea-0001.png", Paused, "`upload` is paused")], 2),
        ("ideas", &ENDS, &[], 1),
    ];
    for (area, waits, held, failed) in rows {
        let mut mill = with_tags();
        mill.until_begun("look");
        mill.away(area);
        mill.let_answer();
        mill.run();
        assert_eq!((mill.assets(), mill.failed()), (waits.iter().map(ToString::to_string).collect(), failed), "{area}");
        assert_held(&mill, held);
        let steps = mill.steps();
        mill.pass(600);
        assert_eq!(mill.steps()[2..], steps[2..], "{area}: nothing is made for it");
        mill.back(area);
        mill.pass(40);
        mill.run();
        assert_eq!((mill.assets(), mill.failed()), (ENDS.map(str::to_owned).to_vec(), 0), "{area}");
        assert_held(&mill, &[]);
    }
}

/// The disk of the mill's own memory was never looked at again: all stood still, and a core was busy with that.
#[test]
fn a_full_disk_is_waited_for() {
    for (free, is_full) in [(0, true), (1 << 40, false)] {
        let mut mill = with_tags();
        mill.room = Some(free);
        mill.run();
        let ends: Vec<String> =
            if is_full { vec!["raw/sea/a.png".to_owned()] } else { ENDS.map(str::to_owned).to_vec() };
        assert_eq!((mill.assets(), mill.failed() > 0), (ends, is_full), "{free}");
        if is_full {
            assert_held(&mill, &[("raw/sea/a.png", Paused, "MiB free")]);
        }
        let checks = mill.begun("check");
        mill.pass(600);
        assert!(mill.begun("check") - checks < 60, "{}: it is looked at now and then", mill.begun("check"));
        mill.room = None;
        mill.pass(120);
        mill.run();
        assert_eq!((mill.assets(), mill.failed()), (ENDS.map(str::to_owned).to_vec(), 0), "{free}");
    }
}

/// Room that work in hand takes counted as none: a disk with room for one file after the other was called full, and
/// `once` ended with all that came behind the first.
#[test]
fn what_has_room_after_the_work_in_hand_waits_for_that() {
    let settings = "work: {free_mib_min: 1, jobs: 4}\n";
    let with = |count: u8, free: u64| {
        let pictures: Vec<_> = (0..count).map(|n| (format!("raw/sea/{n}.png"), picture(n))).collect();
        let pictures = pictures.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let files: Vec<(&str, &[u8])> = pictures.chain([("raw/sea/tags.yaml", TAGS.as_bytes())]).collect();
        let mut mill = Mill::new(settings, &files);
        mill.room = Some(free);
        mill.run();
        mill
    };
    let is_through = |mill: &Mill| mill.assets().iter().all(|name| !name.starts_with("raw/"));
    let is_enough = |free: &u64| is_through(&with(1, *free)) && with(1, *free).failed() == 0;
    let free = (0..64).map(|step| (1 << 20) + step * 4096).find(is_enough).unwrap();
    assert!(!is_enough(&(free - 4096)), "it is just enough for one");
    let mill = with(6, free);
    assert_eq!(mill.assets().iter().filter(|name| name.starts_with("upload/")).count(), 6, "{:?}", mill.assets());
    assert_eq!((mill.failed(), mill.held().len()), (0, 0), "{:?}", mill.held());
}

#[test]
fn a_stage_without_events_is_polled() {
    // (whether events come, walks in 40 s at rest, whether a drop without an event is found within 31 s)
    for (hears, walks, is_found) in [(true, 0, false), (false, 5, true)] {
        let mut mill = Mill::new("gates: {keep: hold}\n", &[]);
        mill.hears = hears;
        mill.run();
        mill.until(70);
        let before = mill.begun("walk");
        mill.until(110);
        assert_eq!(mill.begun("walk") - before, walks, "{hears}");
        mill.until(121);
        mill.drop_unheard("raw/a.png", &picture(1));
        mill.pass(31);
        assert_eq!(mill.assets() == ["keep/unsorted/unsorted-0001.png"], is_found, "{hears} {:?}", mill.assets());
        // The next round finds it by the folder's time.
        mill.pass(31);
        assert_eq!(mill.assets(), ["keep/unsorted/unsorted-0001.png"], "{hears}");
    }
}
