use super::super::part::check;
use super::*;
use crate::intake::Found;
use crate::model::Identity;
use crate::vault::Entry;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const QUIET: Duration = Duration::from_millis(250);
/// When the tests begin, by both clocks.
const BEGIN_S: u64 = 1_000_000;

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

/// So many milliseconds after the beginning.
fn at(ms: u64) -> Moment {
    let steady = Duration::from_secs(BEGIN_S) + Duration::from_millis(ms);
    let wall = Timestamp::UNIX_EPOCH + jiff::SignedDuration::try_from(steady).unwrap();
    Moment { local: wall.to_zoned_datetime(TimeZone::UTC), steady }
}

/// A file of so many bytes that was written so long before the beginning.
fn file(name: &str, size: u64, before_ms: u64) -> Found {
    let written_ns = i64::try_from(BEGIN_S * 1_000_000_000 - before_ms * 1_000_000).unwrap();
    let identity = Identity { device: 1, inode: 7, size, modified_ns: written_ns };
    Found { path: path(name), entry: Entry::file(identity, written_ns) }
}

fn shown(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn old(name: &str) -> Candidate {
    Candidate::alone(file(name, 9, 60_000))
}

fn inbox() -> Inbox {
    Inbox::new(&crate::config::load("", "/r".as_ref(), &crate::market::built_in().unwrap()).unwrap().settle)
}

/// What others know of a file.
#[derive(Default)]
struct Others {
    is_moving: bool,
    is_released: bool,
    shut: Option<Why>,
    unfinished: HashSet<RelPath>,
    is_first_frame: bool,
}

fn meet(inbox: &mut Inbox, candidate: Candidate, others: &Others, ms: u64) -> Met {
    let stage = candidate.primary.path.area().to_str().unwrap().parse().unwrap();
    let around = Around {
        stage,
        now: &at(ms),
        sign: None,
        is_first_frame: others.is_first_frame,
        unfinished: &others.unfinished,
        is_moving: &|_| others.is_moving,
        is_released: &|_| others.is_released,
        shut: &|_| others.shut.clone(),
    };
    inbox.meet(candidate, &around)
}

/// What became of a file, in a word.
fn word(met: &Met) -> &'static str {
    match met {
        Met::Ready(_) => "ready",
        Met::Decide(_) => "decide",
        Met::WalkNow => "walk now",
        Met::InHand => "in hand",
        Met::Waits(None, _) => "waits",
        Met::Waits(Some(_), Some(News::Passing(_))) => "settles",
        Met::Waits(Some(_), _) => "waits a while",
    }
}

fn gate() -> Why {
    Why::new(WhyKind::Gate, "the gate is shut")
}

fn bare(name: &str) -> Facts {
    let found = file(name, 9, 60_000);
    Facts::bare(found.path, Stage::Raw, found.entry.identity, found.entry.changed_ns)
}

#[test]
fn each_file_is_met_as_it_stands() {
    let missing = |candidate: Candidate| Candidate { missing: vec!["a part".to_owned()], ..candidate };
    let twin = |name: &str| Others { unfinished: [path(name)].into(), ..Others::default() };
    type Case = (&'static str, Candidate, Others, &'static str);
    let cases: Vec<Case> = vec![
        ("old", old("raw/a.png"), Others::default(), "ready"),
        ("young", Candidate::alone(file("raw/a.png", 9, 10)), Others::default(), "settles"),
        ("empty", Candidate::alone(file("raw/a.png", 0, 60_000)), Others::default(), "settles"),
        ("moving", old("raw/a.png"), Others { is_moving: true, ..Others::default() }, "walk now"),
        ("missing", missing(old("raw/a.glb")), Others::default(), "waits"),
        ("released", missing(old("raw/a.glb")), Others { is_released: true, ..Others::default() }, "ready"),
        ("gate", old("raw/a.png"), Others { shut: Some(gate()), ..Others::default() }, "waits"),
        (
            "shut and young",
            Candidate::alone(file("raw/a.png", 9, 0)),
            Others { shut: Some(gate()), ..Others::default() },
            "waits",
        ),
        ("unfinished", old("raw/a.png"), twin("raw/a.png"), "settles"),
        ("unfinished stem", old("raw/a.png"), twin("raw/a"), "settles"),
        ("other unfinished", old("raw/a.png"), twin("raw/b.png"), "ready"),
        (
            "first frame",
            Candidate::alone(file("raw/AnimateDiff_00001.png", 9, 5_000)),
            Others { is_first_frame: true, ..Others::default() },
            "waits a while",
        ),
        ("young note", Candidate::alone(file("ideas/a.txt", 9, 4_000)), Others::default(), "settles"),
        ("note", Candidate::alone(file("ideas/a.txt", 9, 600_000)), Others::default(), "ready"),
    ];
    for (name, candidate, others, expected) in cases {
        let mut inbox = inbox();
        let met = meet(&mut inbox, candidate, &others, 0);
        assert_eq!(word(&met), expected, "{name}: {met:?}");
        assert_eq!(inbox.in_hand(), usize::from(expected == "ready"), "{name}");
        check(&inbox, at(0).steady);
    }
}

#[test]
fn what_time_alone_ends_is_waited_for() {
    let mut inbox = inbox();
    let Met::Waits(Some(again), _) = meet(&mut inbox, Candidate::alone(file("raw/a.png", 9, 0)), &Others::default(), 0)
    else {
        panic!("it is young");
    };
    assert_eq!((check(&inbox, at(0).steady), inbox.wake(at(0).steady)), (Left::soon(By::Time), Some(again.at)));
    assert_eq!(again.at, at(0).steady + QUIET);
    assert_eq!(check(&inbox, again.at), Left::default());
    assert_eq!(word(&meet(&mut inbox, Candidate::alone(file("raw/a.png", 9, 0)), &Others::default(), 250)), "ready");
}

#[test]
fn a_file_in_hand_is_not_met_again_and_is_known_to_have_changed() {
    // (the file as it is seen then, whether it changed)
    for (size, is_changed) in [(9, false), (10, true)] {
        let mut inbox = inbox();
        meet(&mut inbox, old("raw/a.png"), &Others::default(), 0);
        let again = Candidate::alone(file("raw/a.png", size, 60_000));
        assert_eq!(word(&meet(&mut inbox, again, &Others::default(), 1)), "in hand");
        assert_eq!(inbox.is_changed(&path("raw/a.png")), is_changed, "{size}");
        let mut distrusted = inbox_with(&inbox);
        distrusted.distrust_in_hand();
        assert!(distrusted.is_changed(&path("raw/a.png")), "{size}");
        // What changed is judged at once; what a disk refuses is not asked for without a pause.
        for (until, soon) in [(None, None), (Some(9_000), Some(9_000)), (Some(500), Some(500))] {
            let mut inbox = inbox_with(&inbox);
            let until = until.map(|ms| at(ms).steady);
            let (judged, _) = inbox.put_back(&path("raw/a.png"), gate(), until, None, at(0).steady);
            let expected = match (is_changed, soon) {
                (false, soon) => soon,
                (true, None) => Some(0),
                (true, Some(ms)) => Some(ms.min(1_000)),
            };
            assert_eq!(judged, expected.map(|ms| Due::new(at(ms).steady, at(0).steady)), "{size} {soon:?}");
            assert_eq!((inbox.in_hand(), inbox.held(), inbox.is_changed(&path("raw/a.png"))), (0, 1, false));
        }
    }
}

/// Returns an inbox with the same one file in hand.
fn inbox_with(other: &Inbox) -> Inbox {
    let mut copy = inbox();
    let is_changed = other.is_changed(&path("raw/a.png"));
    meet(&mut copy, old("raw/a.png"), &Others::default(), 0);
    if is_changed {
        meet(&mut copy, Candidate::alone(file("raw/a.png", 10, 60_000)), &Others::default(), 0);
    }
    copy
}

#[test]
fn what_is_held_is_met_again_when_it_is_time_or_it_changed() {
    // (held until, with facts, met at, as large as before, what becomes of it)
    let cases = [
        (Some(5_000), true, 4_999, true, "waits a while"),
        (Some(5_000), true, 5_000, true, "decide"),
        (Some(5_000), false, 5_000, true, "ready"),
        (None, true, 900_000, true, "waits"),
        (None, true, 100, false, "settles"),
    ];
    for (until, has_facts, ms, is_same, expected) in cases {
        let mut inbox = inbox();
        let state = fingerprint(&old("raw/a.png"));
        let facts = has_facts.then(|| bare("raw/a.png"));
        let until = until.map(|ms| Due::new(at(ms).steady, at(0).steady));
        let news = inbox.hold(&path("raw/a.png"), state, gate(), until, facts);
        assert_eq!(news, Some(News::Held("the gate is shut".to_owned())));
        let again = if is_same { old("raw/a.png") } else { Candidate::alone(file("raw/a.png", 10, 0)) };
        let met = meet(&mut inbox, again, &Others::default(), ms);
        assert_eq!(word(&met), expected, "{until:?} {has_facts} {ms} {is_same}");
    }
}

#[test]
fn each_reason_is_told_once_and_a_pause_not_for_each_file() {
    let mut inbox = inbox();
    let state = fingerprint(&old("raw/a.png"));
    let mut hold = |why: Why| inbox.hold(&path("raw/a.png"), state, why, None, None).is_some();
    let other = Why::new(WhyKind::Person, "another");
    let told = [gate(), gate(), other, gate(), Why::new(WhyKind::Paused, "`raw` is paused")].map(&mut hold);
    assert_eq!(told, [true, false, true, true, false]);
    assert!(inbox.leave_alone(&path("raw/x.txt"), "a") && !inbox.leave_alone(&path("raw/x.txt"), "a"));
    assert!(inbox.leave_alone(&path("raw/x.txt"), "b"));
}

#[test]
fn what_belongs_to_an_asset_is_not_one_of_its_own() {
    let mut inbox = inbox();
    let with = |size| Candidate { companions: vec![file("raw/a.txt", size, 60_000)], ..old("raw/a.png") };
    inbox.hold(&path("raw/a.txt"), fingerprint(&old("raw/a.txt")), gate(), None, None);
    assert_eq!(word(&meet(&mut inbox, with(9), &Others::default(), 0)), "ready");
    assert_eq!(inbox.held(), 0, "it was found alone before");

    let mut inbox = self::inbox();
    meet(&mut inbox, old("raw/a.txt"), &Others::default(), 0);
    assert_eq!(word(&meet(&mut inbox, with(9), &Others::default(), 0)), "waits a while");
    assert!(inbox.is_changed(&path("raw/a.txt")), "it is taken back");
}

#[test]
fn what_waits_is_judged_anew_by_what_changed() {
    type Change = fn(&mut Inbox) -> Vec<String>;
    let cases: [(Change, &[&str]); 5] = [
        (|_| vec![], &[]),
        (
            |inbox| {
                inbox.reconsider();
                vec![]
            },
            &["keep/t/c.png", "raw/a.png", "raw/t/b.png"],
        ),
        (
            |inbox| {
                inbox.reconsider_gate(Stage::Raw);
                vec![]
            },
            &["raw/a.png"],
        ),
        (
            |inbox| {
                let units = inbox.reconsider_theme(&ThemeSlug::new("t").unwrap());
                units.iter().map(ToString::to_string).collect()
            },
            &["keep/t/c.png", "raw/t/b.png"],
        ),
        (
            |inbox| {
                assert!(inbox.reconsider_one(&path("raw/a.png")) && !inbox.reconsider_one(&path("raw/none.png")));
                vec![]
            },
            &["raw/a.png"],
        ),
    ];
    for (n, (change, anew)) in cases.into_iter().enumerate() {
        let mut inbox = inbox();
        for (name, why) in
            [("raw/a.png", gate()), ("raw/t/b.png", Why::new(WhyKind::Person, "x")), ("keep/t/c.png", gate())]
        {
            inbox.hold(&path(name), fingerprint(&old(name)), why, None, None);
        }
        let units = change(&mut inbox);
        assert!(units.is_empty() || units == ["raw/t", "keep/t"], "case {n}: {units:?}");
        let is_anew = |state: &FileState| matches!(state, FileState::Held(held) if held.until.is_some());
        let found: Vec<String> =
            inbox.files.iter().filter(|(_, state)| is_anew(state)).map(|(path, _)| path.to_string()).collect();
        assert_eq!(found, anew, "case {n}");
    }
}

#[test]
fn files_that_are_gone_are_forgotten_within_what_was_walked() {
    let names = ["raw/a.png", "raw/t/b.png", "raw/tt/c.png", "ideas/x/n.txt"];
    let cases: [(&str, &[&str]); 3] = [
        ("raw", &["ideas/x/n.txt", "raw/t/b.png", "raw/tt/c.png"]),
        ("raw/t", &["ideas/x/n.txt", "raw/a.png", "raw/tt/c.png"]),
        ("ideas", &["raw/a.png", "raw/t/b.png", "raw/tt/c.png"]),
    ];
    for (unit, left) in cases {
        let mut inbox = inbox();
        for name in names {
            inbox.hold(&path(name), fingerprint(&old(name)), gate(), None, None);
            inbox.try_again(&path(name), Duration::ZERO);
            inbox.leave_alone(&path(&format!("{name}.alone")), "odd");
        }
        inbox.forget_absent(&path(unit), &HashSet::new(), &HashSet::new());
        let files = inbox.files.keys().map(ToString::to_string).collect::<Vec<_>>();
        let tries = inbox.tries.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!((files, tries, inbox.left_alone.len()), (shown(left), shown(left), 3), "{unit}");
        assert_eq!(check(&inbox, Duration::ZERO).stuck, 3, "{unit}");
    }
}

#[test]
fn a_walk_may_see_half_of_what_moves_meanwhile() {
    let mut inbox = inbox();
    inbox.moved_meanwhile([path("keep/t/a.png")].iter());
    assert!(inbox.is_moving(&path("keep/t/a.png"), &|_| false) && !inbox.is_moving(&path("keep/t/b.png"), &|_| false));
    inbox.walk_ended();
    assert!(!inbox.is_moving(&path("keep/t/a.png"), &|_| false));
}

#[test]
fn a_companion_alone_settles_like_a_dropped_file() {
    let none = HashSet::new();
    let twin: HashSet<RelPath> = [path("raw/a")].into();
    type Case<'a> = (u64, &'a HashSet<RelPath>, Option<bool>, bool);
    let cases: [Case<'_>; 5] = [
        (60_000, &none, Some(false), true),
        (10, &none, Some(false), false),
        (60_000, &none, Some(true), false),
        (60_000, &none, None, false),
        (60_000, &twin, Some(false), false),
    ];
    for (before_ms, unfinished, writer, is_complete) in cases {
        let candidate = Candidate::alone(file("raw/a.xmp", 9, before_ms));
        let met = inbox().meet_alone(candidate, unfinished, &|_| writer, &at(0));
        assert_eq!(met.is_ok(), is_complete, "{before_ms} {unfinished:?} {writer:?}: {met:?}");
    }
}

impl Inbox {
    /// Returns what is held, and why.
    pub(in crate::service::dispatch) fn all_held(&self) -> impl Iterator<Item = (&RelPath, &Why)> {
        self.files.iter().filter_map(|(path, standing)| match standing {
            FileState::Held(held) => Some((path, &held.why)),
            FileState::InHand { .. } => None,
        })
    }
}
