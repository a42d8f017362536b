//! What changes while it is in hand, what waits for a word or a time, and who is asked to stop.

use super::super::Signal;
use super::*;
use WhyKind::{Gate, Person, Twin};

use crate::service::view::AssetStatus;

const HOLD_KEEP: &str = "gates: {keep: hold}\n";

fn with_tags(settings: &str) -> Mill {
    Mill::new(settings, &[("raw/sea/a.png", &picture(1)), ("raw/sea/tags.yaml", TAGS.as_bytes())])
}

#[test]
fn what_changes_while_it_is_in_hand_is_looked_at_anew() {
    // (the work during which it changes, where it stands in the end, looks and makings)
    for (kind, ends, steps) in [
        ("walk", "keep/sea/sea-0001.png", [1, 1]),
        ("look", "keep/sea/sea-0001.png", [2, 1]),
        // Its number was given.
        ("make", "keep/sea/sea-0002.png", [2, 2]),
    ] {
        let mut mill = Mill::new(HOLD_KEEP, &[("raw/sea/a.png", &picture(1))]);
        mill.until_begun(kind);
        mill.drop("raw/sea/a.png", &picture(2));
        let walks = mill.begun("walk");
        if kind != "walk" {
            mill.go(|mill| mill.begun("walk") > walks && mill.messages.is_empty(), Duration::MAX);
        }
        mill.let_answer();
        mill.run();
        assert_eq!((mill.assets(), &mill.steps()[1..3]), (vec![ends.to_owned()], &steps[..]), "{kind}");
        assert!(fs::read(mill.home.path().join(ends)).unwrap() == picture(2), "{kind}");
        assert_eq!((mill.dispatcher.in_work(), mill.failed()), (0, 0), "{kind}");
    }
}

#[test]
fn what_is_taken_away_while_it_is_in_hand_is_forgotten() {
    for kind in ["walk", "look", "make"] {
        let mut mill = Mill::new("", &[("raw/sea/a.png", &picture(1))]);
        mill.until_begun(kind);
        mill.take_away("raw/sea/a.png");
        mill.let_answer();
        mill.run();
        assert_eq!((mill.assets(), mill.held(), mill.failed()), (vec![], vec![], 0), "{kind}");
        assert_eq!(mill.dispatcher.in_work(), 0, "{kind}");
    }
}

#[test]
fn a_release_lets_go_what_lay_there_and_nothing_that_comes_later() {
    for (stage, at, next) in [
        (Stage::Raw, "raw/sea/a.png", "raw/sea/b.png"),
        (Stage::Keep, "keep/sea/sea-0001.png", "keep/sea/sea-0002.png"),
        (Stage::Export, "export/sea/sea-0001.png", "export/sea/sea-0002.png"),
        (Stage::Upload, "upload/sea/sea-0001.jpg", "upload/sea/sea-0002.jpg"),
    ] {
        let mut mill = with_tags(&format!("gates: {{{stage}: hold}}\n"));
        mill.run();
        assert_held(&mill, &[(at, Gate, "is `hold`")]);
        mill.release(stage);
        mill.run();
        assert_held(&mill, &[]);
        assert!(mill.assets().contains(&"upload/DAY/adobe-stock/files/sea-0001.jpg".to_owned()), "{stage}");
        mill.drop("raw/sea/b.png", &picture(2));
        mill.run();
        assert_held(&mill, &[(next, Gate, "is `hold`")]);
    }
}

/// No command let it go: whoever had `hold` could give it to a further market by no word.
#[test]
fn a_release_lets_what_lies_in_bundles_go_to_further_markets() {
    let held = |most: u32| {
        let limits = format!("limits: {{vecteezy: {{at_most: {most}}}}}");
        format!("gates: {{upload: hold}}\nupload: {{markets: [adobe-stock, vecteezy], {limits}}}\n")
    };
    let tags = "title: The sea\ndescription: The sea in the early morning\nkeywords: [sea, wave, blue, dawn, calm, sky, sun]\n";
    let files =
        [("raw/sea/a.png", &*picture(1)), ("raw/sea/b.png", &*picture(2)), ("raw/sea/tags.yaml", tags.as_bytes())];
    let mut mill = Mill::new(&held(1), &files);
    let bundled = |mill: &Mill| {
        let of = |market: &str| mill.assets().iter().filter(|name| name.contains(market)).count();
        [of("/adobe-stock/files/"), of("/vecteezy/files/")]
    };
    mill.run();
    mill.release(Stage::Upload);
    mill.run();
    assert_eq!(bundled(&mill), [2, 1], "{:?}", mill.held());
    mill.reload(&held(9));
    mill.run();
    assert_eq!(bundled(&mill), [2, 1], "its gate is shut");
    mill.release(Stage::Upload);
    mill.run();
    assert_eq!(bundled(&mill), [2, 2], "{:?}", mill.held());
    // Taken back, it waits for a new word.
    mill.undo();
    mill.run();
    assert_eq!(bundled(&mill), [2, 1]);
}

/// Where all its copies lay in bundles that were sent, nothing let it go to that market again.
#[test]
fn what_undo_took_back_from_a_further_market_goes_there_by_a_release() {
    let settings = |gate: &str, markets: &str| format!("gates: {{upload: {gate}}}\nupload: {{markets: [{markets}]}}\n");
    let tags = "title: The sea\ndescription: The sea in the early morning\nkeywords: [sea, wave, blue, dawn, calm, sky, sun]\n";
    for (gate, is_sent) in [("hold", true), ("hold", false), ("auto", true), ("auto", false)] {
        let files = [("raw/sea/a.png", &*picture(1)), ("raw/sea/tags.yaml", tags.as_bytes())];
        let mut mill = Mill::new(&settings(gate, "adobe-stock"), &files);
        let bundled = |mill: &Mill| {
            let of = |market: &str| mill.assets().iter().filter(|name| name.contains(market)).count();
            [of("/adobe-stock/files/"), of("/vecteezy/files/")]
        };
        mill.run();
        mill.release(Stage::Upload);
        mill.run();
        mill.reload(&settings(gate, "adobe-stock, vecteezy"));
        mill.run();
        mill.release(Stage::Upload);
        mill.run();
        assert_eq!(bundled(&mill), [1, 1], "{gate}: {:?}", mill.held());
        mill.undo();
        mill.run();
        if is_sent {
            mill.ask(Action::Sent(vec![path(&format!("upload/{}/adobe-stock", mill.now().local.date()))]));
            mill.run();
        }
        assert_eq!(bundled(&mill), [1, 0], "{gate} {is_sent}");
        mill.release(Stage::Upload);
        mill.run();
        assert_eq!(bundled(&mill), [1, 1], "{gate} {is_sent}: {:?}", mill.held());
        // And again it waits for a word.
        mill.undo();
        mill.run();
        assert_eq!(bundled(&mill), [1, 0], "{gate} {is_sent}");
    }
}

/// A bundle without a file stayed, and `status` named it for ever.
#[test]
fn a_bundle_goes_with_the_file_that_undo_takes_out_of_it_last() {
    for (words, stays) in [("", false), ("ask Jane\n", true)] {
        let mut mill = with_tags("gates: {upload: hold}\nupload: {markets: [adobe-stock]}\n");
        mill.run();
        mill.release(Stage::Upload);
        mill.run();
        // What is written from now on is newer than what the mill wrote.
        mill.until(4_000);
        let list = format!("upload/{}/adobe-stock/CHECKLIST.md", mill.now().local.date());
        if !words.is_empty() {
            let text = mill.text(&list);
            mill.drop(&list, format!("{text}{words}").as_bytes());
            mill.run();
        }
        mill.undo();
        mill.run();
        mill.pass(61);
        let day = mill.home.path().join(&list).parent().unwrap().parent().unwrap().to_owned();
        assert_eq!((day.exists(), mill.dispatcher.decide.upload.bundles.len()), (stays, usize::from(stays)), "{words}");
        assert!(!stays || mill.text(&list).contains(words), "{}", mill.text(&list));
        // It comes anew with the next file.
        mill.release(Stage::Upload);
        mill.run();
        assert!(mill.text(&list).contains("1 file"), "{}", mill.text(&list));
        assert_eq!(mill.failed(), 0, "{words}");
    }
}

/// `status` and `explain` said when the gate opens, and then it would have waited for a person's word, as `plan` said.
#[test]
fn what_undo_brought_back_waits_for_a_word_in_all_that_is_told_of_it() {
    let with = |gate: &str| format!("gates: {{upload: {gate}}}\nupload: {{markets: [adobe-stock]}}\n");
    let mut mill = with_tags(&with("hold"));
    mill.run();
    mill.release(Stage::Upload);
    mill.run();
    mill.undo();
    mill.run();
    let file = path("upload/sea/sea-0001.jpg");
    for gate in ["hold", "{on: [friday], at: \"09:00\"}", "auto"] {
        mill.reload(&with(gate));
        mill.run();
        let now = mill.now();
        let mut view = View::open_at(Settings::clone(mill.dispatcher.settings()), &now).unwrap();
        let held: Vec<String> = view.overview().held.iter().map(|group| group.why.to_string()).collect();
        let explained = view.explain(&file).unwrap().unwrap().status;
        let until = now.timestamp() + jiff::SignedDuration::from_hours(24 * 30);
        let foretold: Vec<String> = view.future_from(&now, until).held.into_iter().map(|(_, why)| why).collect();
        assert!(held.len() == 1 && held[0].starts_with("it was brought back by `stockmill undo`"), "{gate}: {held:?}");
        assert_eq!(foretold, held, "{gate}");
        assert!(
            matches!(&explained, Some(AssetStatus::Held(at, why)) if *at == file && why.to_string() == held[0]),
            "{gate}: {explained:?}"
        );
    }
}

/// Of a picture that lies in two bundles, a release let go the first one alone: a market that only the second one lacks got nothing.
#[test]
fn a_release_lets_go_all_that_further_markets_lack_whichever_bundle_they_lack_it_from() {
    let with = |gate: &str, most: u32, new: &str| {
        let limits = format!("limits: {{vecteezy: {{at_most: {most}}}}}");
        format!("gates: {{upload: {gate}}}\nupload: {{markets: [123rf, adobe-stock, vecteezy{new}], {limits}}}\n")
    };
    let tags = "title: The sea\ndescription: The sea in the early morning, seen from a cliff above the old harbour\nkeywords: [sea, wave, blue, dawn, calm, sky, sun]\n";
    let files =
        [("raw/sea/a.png", &*picture(1)), ("raw/sea/b.png", &*picture(2)), ("raw/sea/tags.yaml", tags.as_bytes())];
    let mut mill = Mill::new(&with("auto", 1, ""), &files);
    let bundled = |mill: &Mill| {
        let of = |market: &str| mill.assets().iter().filter(|name| name.contains(market)).count();
        ["/123rf/files/", "/adobe-stock/files/", "/vecteezy/files/", "/dreamstime/files/"].map(of)
    };
    mill.run();
    assert_eq!(bundled(&mill), [2, 2, 1, 0], "{:?}", mill.held());
    // What was sent owes `vecteezy` alone, and what lies beside it the new market as well.
    let day = mill.now().local.date();
    mill.ask(Action::Sent(vec![path(&format!("upload/{day}/123rf"))]));
    mill.run();
    mill.reload(&with("hold", 9, ", dreamstime"));
    mill.run();
    assert_eq!(bundled(&mill), [2, 2, 1, 0], "its gate is shut");
    mill.release(Stage::Upload);
    mill.run();
    assert_eq!(bundled(&mill), [2, 2, 2, 2], "{:?}", mill.held());
}

/// What may change unseen is looked at anew after `rescan_s`, and `once` waited for that again and again: for one picture
/// if that was soon, and for many of them, each at its own time, if it was not.
#[test]
fn what_is_held_keeps_nobody_from_ending() {
    for rescan in [1, 2, 3, 5, 60] {
        let settle = format!("settle: {{notes_quiet_s: 0, weak_quiet_ms: 500, rescan_s: {rescan}}}\n");
        let mut mill = Mill::new(&format!("{settle}keep: {{method: lanczos}}\n"), &[("keep/a/a.png", &picture(0))]);
        let mut paths = vec!["keep/a/a.png".to_owned()];
        for number in 1..16 {
            mill.pass(2);
            paths.push(format!("keep/t{number:02}/a.png"));
            mill.drop_unheard(paths.last().unwrap(), &picture(number));
            mill.heard.push(Heard::Everywhere);
        }
        mill.run();
        let held: Vec<_> = paths.iter().map(|path| (path.as_str(), Person, "would be enlarged")).collect();
        assert_held(&mill, &held);
    }
}

#[test]
fn a_gate_opens_by_its_schedule_and_nothing_is_judged_before() {
    let daily = "on: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]";
    for (stage, at) in [(Stage::Raw, "raw/sea/a.png"), (Stage::Upload, "upload/sea/sea-0001.jpg")] {
        let mut mill = with_tags(&format!("gates: {{{stage}: {{{daily}, at: \"12:10\"}}}}\n"));
        mill.run();
        let steps = mill.steps();
        mill.until(599);
        assert_held(&mill, &[(at, Gate, "12:10")]);
        assert_eq!(mill.steps()[1..], steps[1..], "{stage}");
        mill.until(602);
        assert_held(&mill, &[]);
    }
}

#[test]
fn the_same_content_waits_until_its_twin_is_done() {
    // (whether the first of them can be made, what lies where in the end)
    let set_aside: &[&str] = &["failed/raw/sea/b.png", "failed/raw/sea/b.png.reason.txt", "keep/sea/sea-0001.png"];
    let other_way: &[&str] = &["failed/raw/sea/a.png", "failed/raw/sea/a.png.reason.txt", "keep/sea/sea-0001.png"];
    for (is_made, ends) in [(true, set_aside), (false, other_way)] {
        let mut mill = Mill::new(HOLD_KEEP, &[("raw/sea/a.png", &picture(1)), ("raw/sea/b.png", &picture(1))]);
        if !is_made {
            mill.faults.push_back(Fault::Make("raw/sea/a.png", ErrorKind::FileTooLarge));
        }
        mill.until_begun("make");
        mill.go(|mill| mill.messages.is_empty(), Duration::MAX);
        assert_held(&mill, &[("raw/sea/b.png", Twin, "is being worked on as `raw/sea/a.png`")]);
        mill.let_answer();
        mill.run();
        assert_eq!((mill.assets(), mill.failed()), (ends.iter().map(ToString::to_string).collect(), 1), "{is_made}");
    }
}

#[test]
fn whoever_is_asked_to_stop_ends_what_is_in_hand_and_begins_nothing() {
    for (kind, ends) in
        [("look", "raw/sea/a.png"), ("make", "keep/sea/sea-0001.png"), ("commit", "keep/sea/sea-0001.png")]
    {
        let mut mill = Mill::new(HOLD_KEEP, &[("raw/sea/a.png", &picture(1))]);
        mill.until_begun(kind);
        mill.take(Message::Signal(Signal::Stop));
        assert!(mill.dispatcher.is_stopping() && !mill.dispatcher.is_at_rest(), "{kind}");
        let before = mill.steps();
        mill.let_answer();
        mill.go(|mill| mill.messages.is_empty() && mill.dispatcher.is_at_rest(), Duration::MAX);
        assert_eq!((&mill.steps()[..3], mill.assets()), (&before[..3], vec![ends.to_owned()]), "{kind}");
    }
}

#[test]
fn new_settings_count_for_what_waits_and_for_what_comes() {
    let (hold, free) = ("gates: {raw: hold}\n", "gates: {raw: auto}\n");
    let rows: [(&str, &str, &[&str], &[&str]); 3] = [
        (hold, free, &[], &[]),
        (hold, HOLD_KEEP, &["keep/sea/sea-0001.png"], &["keep/sea/sea-0001.png", "keep/sea/sea-0002.png"]),
        (free, hold, &[], &["raw/sea/b.png"]),
    ];
    for (before, after, first, second) in rows {
        let mut mill = with_tags(before);
        mill.run();
        mill.reload(after);
        mill.run();
        let held = |mill: &Mill| mill.held().into_iter().map(|(path, ..)| path).collect::<Vec<_>>();
        assert_eq!(held(&mill), first, "{before} {after}");
        mill.drop("raw/sea/b.png", &picture(2));
        mill.run();
        assert_eq!(held(&mill), second, "{before} {after}");
    }
}

/// Queued pictures were made once by the former settings, and what came of it was thrown away.
#[test]
fn what_no_worker_has_yet_is_made_by_new_settings_alone() {
    let pictures: Vec<_> = (0..20).map(|n| (format!("raw/sea/{n}.png"), picture(n))).collect();
    let files: Vec<(&str, &[u8])> = pictures.iter().map(|(name, bytes)| (name.as_str(), &**bytes)).collect();
    let to = |megapixels| {
        format!("keep: {{method: lanczos, min_megapixels: {megapixels}, scale_max: 16}}\ngates: {{export: hold}}\n")
    };
    let mut mill = Mill::new(&to(0.01), &files);
    mill.until_begun("make");
    mill.go(|mill| mill.messages.is_empty() && mill.dispatcher.pipeline.planned() > 0, Duration::MAX);
    let in_hand = mill.made;
    mill.reload(&to(0.02));
    mill.let_answer();
    mill.run();
    // What a worker had is made again, too.
    let enlarged = mill.assets().iter().filter(|name| name.starts_with("export/")).count();
    assert_eq!((mill.made, enlarged), (20 + in_hand, 20), "{in_hand} were in hand");
}

/// What is made was decided on earlier: a gate that was shut since, and a bundle that was sent since, count.
#[test]
fn what_was_decided_on_other_terms_is_decided_anew() {
    let bundle = "upload/DAY/adobe-stock";
    for kind in ["make", "gate", "market", "sent"] {
        let mut mill = with_tags("");
        mill.run();
        mill.drop("raw/sea/b.png", &picture(2));
        mill.until_begun("make");
        match kind {
            "gate" => mill.reload("gates: {upload: hold}\n"),
            "market" => mill.reload("upload: {markets: []}\n"),
            "sent" => mill.drop(&format!("upload/{}/adobe-stock/SENT", mill.now().local.date()), b""),
            _ => (),
        }
        mill.let_answer();
        mill.run();
        let ends = match kind {
            "make" => format!("{bundle}/files/sea-0002.jpg"),
            "sent" => format!("{bundle}-2/files/sea-0002.jpg"),
            _ => "upload/sea/sea-0002.jpg".to_owned(),
        };
        assert!(
            mill.assets().iter().any(|asset| asset.starts_with(&ends)),
            "{kind}: {:?} {:?}",
            mill.assets(),
            mill.held()
        );
        assert_eq!(mill.assets().len(), if kind == "sent" { 5 } else { 4 }, "{kind}: {:?}", mill.assets());
        assert_eq!(mill.begun("look") > 2, kind != "make", "{kind}");
    }
}

/// A caption comes after its picture went on.
#[test]
fn a_companion_that_comes_late_joins_its_asset() {
    // (what comes, what became of it, whether the asset's stage is away, what is held then)
    let joined = ["keep/sea/sea-0001.png", "keep/sea/sea-0001.txt"];
    let left = ["keep/sea/sea-0001.png", "raw/sea/b.txt"];
    for (name, ends, is_by) in [("raw/sea/a.txt", joined, true), ("raw/sea/b.txt", left, false)] {
        let mut mill = Mill::new(HOLD_KEEP, &[("raw/sea/a.png", &picture(1))]);
        mill.run();
        let begun = mill.steady;
        mill.drop(name, b"a wave");
        mill.run();
        assert_eq!(mill.assets(), ends, "{name}");
        assert_eq!(mill.steady >= begun + Duration::from_secs(30), is_by, "another asset of its name may come");
    }
}

/// A synchronising program writes the small sidecar of a new picture first: its tags went to the older picture of that
/// name, which was bundled, and the new one got none.
#[test]
fn a_sidecar_waits_for_the_picture_of_its_name_that_is_coming() {
    for arriving in ["a.png.part", ".a.png.Ab12cD", ".syncthing.a.png.tmp", ".a.png.~4f2a", "a.png.tmp"] {
        let mut mill = Mill::new(HOLD_KEEP, &[("raw/sea/a.png", &picture(1))]);
        mill.run();
        let arriving = format!("raw/sea/{arriving}");
        mill.drop(&arriving, b"half");
        mill.drop("raw/sea/a.png.yaml", b"tags: {title: Red car}\n");
        mill.pass(300);
        assert!(mill.assets().contains(&arriving) && !mill.text("keep/sea/sea-0001.png.yaml").contains("Red car"));
        assert!(mill.text("raw/sea/a.png.yaml").contains("Red car"), "{arriving}: {:?}", mill.files());
    }
}

#[test]
fn what_was_undone_waits_for_a_word() {
    let mut mill = Mill::new(HOLD_KEEP, &[("raw/sea/a.png", &picture(1))]);
    mill.run();
    mill.undo();
    mill.run();
    assert_held(&mill, &[("raw/sea/a.png", Person, "brought back by `stockmill undo`")]);
    mill.release(Stage::Raw);
    mill.run();
    assert_eq!((mill.assets(), mill.begun("undo")), (vec!["keep/sea/sea-0002.png".to_owned()], 1));
}

/// It was told to be seen before, and to be deleted: it is the only copy.
#[test]
fn what_was_undone_and_is_moved_goes_on_from_there() {
    // (where it is moved to, its theme then, where it goes on to)
    for (to, theme, ends) in [
        ("raw/land/b.png", "keep/land", "keep/land/land-0001.png"),
        ("raw/sea/b.png", "keep/sea", "keep/sea/sea-0002.png"),
    ] {
        let mut mill = Mill::new(HOLD_KEEP, &[("raw/sea/a.png", &picture(1))]);
        mill.run();
        mill.undo();
        mill.run();
        mill.take_away("raw/sea/a.png");
        mill.drop(to, &picture(1));
        mill.heard.push(Heard::Everywhere);
        mill.run();
        assert_eq!(mill.assets(), [ends], "{to} {:?}", mill.held());
        // Where it lay, nothing waits for a word any more; who deletes it and brings it again is asked.
        mill.take_away(theme);
        mill.drop("raw/sea/a.png", &picture(1));
        mill.run();
        assert_held(&mill, &[("raw/sea/a.png", Person, "was deleted")]);
    }
}

/// Each hint would wake the dispatcher while it has work.
#[test]
fn hints_wait_a_moment_while_there_is_work() {
    for (is_busy, waits) in [(false, false), (true, true)] {
        let mut mill = Mill::new("gates: {raw: hold}\n", &[]);
        mill.run();
        if is_busy {
            mill.reload(HOLD_KEEP);
            mill.drop_unheard("raw/sea/b.png", &picture(2));
            mill.until_begun("look");
        }
        mill.drop("raw/sea/a.png", &picture(1));
        mill.turn();
        assert_eq!(!mill.heard.is_empty(), waits);
        mill.steady += Duration::from_millis(2);
        mill.turn();
        assert!(mill.heard.is_empty());
    }
}

#[test]
fn nothing_ends_before_every_worker_has_answered() {
    for kind in
        ["walk", "check", "tend", "look", "make", "commit", "look twice", "end", "recover", "undo", "judge gone"]
    {
        let mut mill = with_tags("");
        match kind {
            "recover" => mill.faults.push_back(Fault::Open),
            "check" => mill.faults.push_back(Fault::Refused(ErrorKind::TimedOut)),
            "undo" | "judge gone" => drop(mill.run()),
            _ => (),
        }
        match kind {
            "undo" => mill.undo(),
            "judge gone" => mill.take_away("raw/sea"),
            // What was made for another stage is removed.
            "look twice" | "end" => {
                mill.reload("gates: {export: hold}\n");
                mill.run();
                mill.release(Stage::Export);
            }
            _ => (),
        }
        mill.until_begun(kind);
        // Whatever else there was is done by then.
        mill.pass(45);
        assert!(!mill.dispatcher.is_idle(mill.steady), "{kind}");
        mill.let_answer();
        mill.run();
        assert!(mill.dispatcher.is_at_rest() && mill.messages.is_empty(), "{kind}");
        assert_eq!((mill.failed(), mill.dispatcher.in_work()), (0, 0), "{kind}");
    }
}

/// Its asset cannot be changed now: it is away, or in hand.
#[test]
fn a_companion_that_comes_late_waits_for_its_asset() {
    for (is_away, why) in [(true, (WhyKind::Paused, "`keep` is paused")), (false, (Twin, "is being worked on"))] {
        let mut mill = Mill::new(HOLD_KEEP, &[("raw/sea/a.png", &picture(1))]);
        mill.run();
        if is_away {
            mill.away("keep");
            mill.pass(5);
        } else {
            mill.release(Stage::Keep);
            mill.until_begun("make");
        }
        mill.drop("raw/sea/a.txt", b"a wave");
        mill.pass(45);
        let held = mill.held();
        let (path, kind, text) = held.last().unwrap();
        assert!(path == "raw/sea/a.txt" && *kind == why.0 && text.contains(why.1), "{held:?}");
        let walks = mill.begun("walk");
        mill.pass(20);
        assert!(mill.begun("walk") < walks + 20, "it is looked at now and then");
        mill.let_answer();
        if is_away {
            mill.back("keep");
        }
        mill.pass(120);
        assert!(!mill.assets().contains(&"raw/sea/a.txt".to_owned()), "{:?} {:?}", mill.assets(), mill.held());
    }
}
