use super::super::part::check;
use super::*;
use crate::model::Stage;
use crate::plan::{Product, Recipe};
use crate::records::{About, PublishMode};

const fn s(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn bundle(day: u32) -> BundleName {
    BundleName::of(&path(&format!("upload/2026-11-{day}/adobe-stock"))).unwrap()
}

fn plan(record: &str) -> Plan {
    let product = Product { to: path(record), recipe: Recipe::Bytes(Vec::new()), mode: PublishMode::New };
    Plan { products: vec![product], ..Plan::new(About::new(Stage::Raw, "")) }
}

/// What is looked at now, by folder.
fn next(tending: &mut Tending, at: u64, is_quiet: bool, is_paused: bool) -> Vec<String> {
    let all = || vec![bundle(20), bundle(21)];
    let next = tending.next(s(at), is_quiet, is_paused, 0, &all);
    next.iter().map(|tended| tended.folder().to_string()).collect()
}

const BOTH: [&str; 2] = ["upload/2026-11-20/adobe-stock", "upload/2026-11-21/adobe-stock"];

#[test]
fn a_bundle_waits_for_assets_that_are_about_to_join_but_not_for_ever() {
    // (at, is quiet, is paused, how many are looked at)
    let cases: [&[(u64, bool, bool, usize)]; 4] = [
        &[(10, true, false, 2)],
        &[(10, false, false, 0), (39, false, false, 0), (40, false, false, 2)],
        &[(10, false, false, 0), (11, true, false, 2)],
        // What was marked while no bundle could be listed was forgotten.
        &[(10, true, true, 0), (99, true, true, 0), (100, true, false, 2)],
    ];
    for (n, rows) in cases.into_iter().enumerate() {
        let mut tending = Tending::default();
        tending.all_bundles();
        for (at, is_quiet, is_paused, count) in rows {
            let next = next(&mut tending, *at, *is_quiet, *is_paused);
            assert_eq!(next.len(), *count, "case {n} at {at}");
            let left = check(&tending, s(*at));
            let waits = if *count > 0 { Some(By::Answer) } else { (!is_paused).then_some(By::Time) };
            assert_eq!((left.soon, left.stuck), (waits, usize::from(*count == 0)), "case {n} at {at}");
        }
        tending.looked();
        assert_eq!(check(&tending, s(100)), Left::default(), "case {n}");
    }
}

#[test]
fn a_theme_marks_the_bundles_that_hold_it_and_those_nobody_looked_into() {
    let theme = |text: &str| ThemeSlug::new(text).unwrap();
    // (the themes that each bundle was seen to hold, those that are looked at)
    type Case = ([Option<&'static [&'static str]>; 2], &'static [&'static str]);
    let cases: [Case; 5] = [
        ([None, None], &BOTH),
        ([Some(&["sea"]), Some(&["sky"])], &BOTH[..1]),
        ([Some(&["sky"]), None], &BOTH[1..]),
        ([Some(&["sky"]), Some(&[])], &[]),
        ([Some(&["sky", "sea"]), Some(&["sea"])], &BOTH),
    ];
    for (holds, expected) in cases {
        let mut tending = Tending::default();
        for (day, themes) in [20, 21].into_iter().zip(holds) {
            if let Some(themes) = themes {
                tending.saw_bundle(&bundle(day), themes.iter().map(|text| theme(text)).collect());
            }
        }
        tending.theme_changed(&theme("sea"));
        assert_eq!(next(&mut tending, 10, true, false), expected, "{holds:?}");
    }
}

/// Tags were looked at after each walk of their theme.
#[test]
fn tags_are_looked_at_when_their_file_is_another_one() {
    let file = |size| Some(Identity { device: 1, inode: 1, size, modified_ns: 0 });
    let mut tending = Tending::default();
    for (n, (seen, is_news)) in
        [(None, true), (None, false), (file(1), true), (file(1), false), (file(2), true), (None, true)]
            .into_iter()
            .enumerate()
    {
        tending.saw_tags(&[(path("raw/sea"), seen)]);
        assert_eq!(!next(&mut tending, 10, true, false).is_empty(), is_news, "row {n}");
        tending.looked();
    }
    tending.forget_tags(&path("raw/sea"));
    tending.saw_tags(&[(path("raw/sea"), None)]);
    assert_eq!(next(&mut tending, 10, true, false), ["raw/sea"]);
}

#[test]
fn records_that_are_being_saved_are_looked_at_again() {
    let settling = |is_by_time| Hold::Settling { why: String::new(), pause: s(5), is_by_time };
    let cases =
        [(settling(true), 15, Some(By::Time)), (settling(false), 15, None), (Hold::Waits(String::new()), 70, None)];
    for (hold, again, soon) in cases {
        let mut tending = Tending::default();
        tending.later(Tended::Tags(path("raw/sea")), &hold, s(10));
        assert_eq!((check(&tending, s(10)).soon, tending.wake(s(10))), (soon, Some(s(again))), "{hold:?}");
        assert!(next(&mut tending, again - 1, true, false).is_empty(), "{hold:?}");
        assert_eq!(next(&mut tending, again, true, false), ["raw/sea"], "{hold:?}");
    }
}

#[test]
fn one_plan_at_a_time_writes_a_record() {
    let mut tending = Tending::default();
    assert!(tending.begin(&plan("raw/sea/tags.yaml")) && !tending.begin(&plan("raw/sea/tags.yaml")));
    assert!(tending.begin(&plan("raw/sky/tags.yaml")) && tending.in_hand() == 2);
    tending.ended(&plan("raw/sea/tags.yaml"));
    assert!(tending.begin(&plan("raw/sea/tags.yaml")));
}

#[test]
fn a_record_that_cannot_be_written_is_tried_again_after_growing_pauses() {
    let mut tending = Tending::default();
    let mut now = 10;
    for pause in [1, 2, 4, 8] {
        tending.failed(&plan("raw/sea/tags.yaml"), s(now));
        assert!(next(&mut tending, now, true, false).is_empty());
        // `once` waits for a short pause only.
        assert_eq!(check(&tending, s(now)).soon.is_some(), pause <= 3, "{pause}");
        now += pause;
        assert_eq!(next(&mut tending, now, true, false).len(), 3, "the tags, and both bundles");
        tending.looked();
    }
}

#[test]
fn why_a_tag_file_is_not_shared_is_told_once() {
    let mut tending = Tending::default();
    let broken = |why: &str| vec![(path("raw/sea/tags.yaml"), why.to_owned())];
    let mut told = |folder: &str, broken| tending.broken(&path(folder), broken).len();
    let rows = [
        told("raw/sea", broken("a")),
        told("keep/sea", broken("a")),
        told("raw/sea", broken("b")),
        told("raw/sky", vec![]),
        told("raw/sea", broken("b")),
        told("keep/sea", vec![]),
        told("raw/sea", broken("b")),
    ];
    assert_eq!(rows, [1, 0, 1, 0, 0, 0, 1]);
}

#[test]
fn a_bundle_that_cannot_be_looked_at_is_stuck_and_tried_again() {
    let mut tending = Tending::default();
    tending.cannot_see(bundle(20));
    assert_eq!(check(&tending, s(10)), Left { soon: None, stuck: 1 });
    tending.retry_unseen();
    assert_eq!(next(&mut tending, 10, true, false), BOTH[..1]);
    tending.looked();
    tending.saw_bundle(&bundle(20), BTreeSet::new());
    assert_eq!(check(&tending, s(10)), Left::default());
}
