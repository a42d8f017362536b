//! What is taken back, and how.

use std::collections::BTreeMap;

use super::{lines, path, seen};
use crate::model::{ContentHash, Stage};
use crate::plan::{ThemeFiles, UndoFacts, choose_undo, plan_undo};
use crate::records::UndoWhat;
use crate::records::{About, Intent, Move, Publish, PublishMode, Record, Remove};

fn intent(plan: u64) -> Intent {
    let about = About {
        stage: Stage::Raw,
        theme: None,
        asset: None,
        seq: None,
        from: Some(path(&format!("raw/t/{plan}.png"))),
        hash: Some(ContentHash::of(b"picture")),
        to: Some(path(&format!("keep/t/t-{plan}.png"))),
        essences: vec![ContentHash::of(b"what it shows")],
        undoes: None,
        steps: Vec::new(),
        dealing: None,
        markets: Vec::new(),
        did: "named".to_owned(),
    };
    let at = "2026-11-27T09:00:00Z".parse().unwrap();
    let moves = vec![Move { from: about.from.clone().unwrap(), to: about.to.clone().unwrap(), seen: seen(1) }];
    Intent { plan, at, claims: false, about, publish: vec![], moves, removes: vec![] }
}

#[test]
fn a_person_s_word_chooses_the_plans() {
    let undoing = |of: u64| {
        let mut undoing = intent(9);
        undoing.about.undoes = Some(of);
        undoing
    };
    let no_step = |clear: fn(&mut About)| {
        let mut intent = intent(9);
        clear(&mut intent.about);
        intent
    };
    let asset = |text: &str| UndoWhat::Asset(path(text));
    let all = || vec![intent(1), intent(2), intent(3)];
    let with = |more: Intent| all().into_iter().chain([more]).collect::<Vec<_>>();
    let cases: Vec<(Vec<Intent>, UndoWhat, Option<u64>)> = vec![
        (all(), UndoWhat::Last, Some(3)),
        (all(), asset("keep/t/t-1.png"), Some(1)),
        (all(), asset("raw/t/1.png"), None),
        (vec![], UndoWhat::Last, None),
        // What was taken back is not taken back again.
        (with(undoing(3)), UndoWhat::Last, Some(2)),
        // What is about no file, or came from nowhere, is no step of a person's.
        (with(no_step(|about| about.hash = None)), UndoWhat::Last, Some(3)),
        (with(no_step(|about| about.from = None)), UndoWhat::Last, Some(3)),
        // A plan that told its intent twice counts once.
        (with(intent(3)), UndoWhat::Last, Some(3)),
    ];
    for (intents, what, expected) in cases {
        let done = intents.iter().map(|intent| Record::Done { plan: intent.plan }).collect::<Vec<_>>();
        let records: Vec<Record> = intents.into_iter().map(Record::Intent).chain(done).collect();
        let now = "2026-11-27T10:00:00Z".parse().unwrap();
        let chosen = choose_undo(&records, &what, now, now).map(|intent| intent.plan);
        assert_eq!(chosen, expected, "{what:?} {records:#?}");
    }
    // What was begun and never done is nothing.
    let begun = [Record::Intent(intent(1))];
    assert_eq!(choose_undo(&begun, &UndoWhat::Last, jiff::Timestamp::MAX, jiff::Timestamp::MAX), None);
}

/// Files by name: their inode and their bytes.
type Disk<'a> = [(&'a str, u64, &'a str)];

fn undone(intent: &Intent, disk: &Disk<'_>) -> Vec<String> {
    undone_after(intent, &[], disk)
}

/// Returns what is planned to take a step back after which these were taken.
fn undone_after(intent: &Intent, later: &[Intent], disk: &Disk<'_>) -> Vec<String> {
    let done: Vec<&Intent> = [intent].into_iter().chain(later).collect();
    let disk: BTreeMap<_, _> = disk.iter().map(|(name, inode, text)| (path(name), (*inode, *text))).collect();
    let facts = UndoFacts {
        seen: &|path| disk.get(path).map(|(inode, _)| seen(*inode)),
        hash: &|path| disk.get(path).map(|(_, text)| ContentHash::of(text.as_bytes())),
        replaced: &|path| disk.get(path).map(|(_, text)| text.as_bytes().to_vec()),
        theme: &|_| Ok(ThemeFiles::default()),
        done: &done,
    };
    match plan_undo(intent, &facts) {
        Ok(plan) => {
            // It is known as what it is, and leads where the step came from; nothing new is shown.
            let about = (plan.about.undoes, plan.about.from.clone(), plan.about.to.clone());
            assert_eq!(about, (Some(intent.plan), intent.about.to.clone(), intent.about.from.clone()));
            assert_eq!((&plan.about.hash, plan.about.essences.len()), (&intent.about.hash, 0));
            lines(&plan)
        }
        Err(why) => vec![why],
    }
}

#[test]
fn a_step_goes_back_whole_or_says_what_is_in_its_way() {
    let (kept, sidecar, aside) = ("keep/t/t-1.png", "keep/t/t-1.png.yaml", ".stockmill/undo/1");
    let mut step = intent(1);
    let product = |to: &str, text: &str, mode| Publish {
        scratch: path(".stockmill/undo/was"),
        to: path(to),
        hash: ContentHash::of(text.as_bytes()),
        mode,
    };
    let gone = |path_: &str, aside: Option<&str>, copied_to: Option<&str>| Remove {
        path: path(path_),
        seen: seen(2),
        aside: aside.map(path),
        copied_to: copied_to.map(path),
    };
    step.publish.push(product(sidecar, "new", PublishMode::New));
    step.removes.push(gone("raw/t/1.png.yaml", Some(aside), None));
    let back = ["keep/t/t-1.png: undone: named", "move keep/t/t-1.png -> raw/t/1.png"];
    let brought = "move .stockmill/undo/1 -> raw/t/1.png.yaml";
    let removed = "remove keep/t/t-1.png.yaml";
    let changed = |name: &str| format!("`{name}` changed or went on since: undo its later step first");
    let not_kept = "`raw/t/1.png.yaml` is no longer kept (`work.undo_days`, `work.undo_mib_max`)";
    let cases: [(&Disk<'_>, &[&str]); 9] = [
        (&[(kept, 1, "p"), (sidecar, 5, "new"), (aside, 2, "old")], &[back[0], back[1], brought, removed]),
        (&[(kept, 7, "p"), (sidecar, 5, "new"), (aside, 2, "old")], &[&changed(kept)]),
        (&[(sidecar, 5, "new"), (aside, 2, "old")], &[&changed(kept)]),
        (&[(kept, 1, "p"), (sidecar, 5, "mine"), (aside, 2, "old")], &[&changed(sidecar)]),
        (&[(kept, 1, "p"), (aside, 2, "old")], &[&changed(sidecar)]),
        (
            &[(kept, 1, "p"), (sidecar, 5, "new"), (aside, 2, "old"), ("raw/t/1.png", 6, "other")],
            &["`raw/t/1.png` is taken by another file; move that one away first"],
        ),
        (&[(kept, 1, "p"), (sidecar, 5, "new")], &[not_kept]),
        (&[(kept, 1, "p"), (sidecar, 5, "new"), (aside, 7, "other")], &[not_kept]),
        // It had changed when it was to go, and stayed.
        (&[(kept, 1, "p"), (sidecar, 5, "new"), ("raw/t/1.png.yaml", 7, "mine")], &[back[0], back[1], removed]),
    ];
    for (disk, expected) in cases {
        assert_eq!(undone(&step, disk), expected, "{disk:?}");
    }

    // A record of its own that it replaced comes back, if that version is kept.
    let mut step = intent(1);
    let was = Some(ContentHash::of(b"old"));
    step.publish.push(product(sidecar, "new", PublishMode::Replace { was }));
    let before = format!("the version of `{sidecar}` from before is no longer kept");
    let cases: [(&Disk<'_>, &[&str]); 3] = [
        (
            &[(kept, 1, "p"), (sidecar, 5, "new"), (".stockmill/undo/was", 3, "old")],
            &[back[0], "replace keep/t/t-1.png.yaml", back[1]],
        ),
        (&[(kept, 1, "p"), (sidecar, 5, "new"), (".stockmill/undo/was", 3, "other")], &[&before]),
        (&[(kept, 1, "p"), (sidecar, 5, "new")], &[&before]),
    ];
    for (disk, expected) in cases {
        assert_eq!(undone(&step, disk), expected, "{disk:?}");
    }

    // A copy goes the way that its source came.
    let mut step = intent(1);
    step.moves.clear();
    step.publish.push(product(kept, "p", PublishMode::New));
    step.removes.push(gone("raw/t/1.png", None, Some(kept)));
    assert_eq!(undone(&step, &[(kept, 4, "p")]), back);
    assert_eq!(undone(&step, &[(kept, 4, "mine")]), [changed(kept)]);
}

/// The file of another market, which a person had taken out, kept a file in its bundle.
#[test]
fn what_was_taken_out_of_one_bundle_keeps_nothing_in_another() {
    let of = |market: &str| {
        let folder = format!("upload/2026-11-28/{market}");
        (format!("{folder}/files/a.jpg"), format!("{folder}/sidecars/a.jpg.yaml"))
    };
    let ((one, of_one), (other, of_other)) = (of("adobe-stock"), of("pond5"));
    let part = "upload/2026-11-28/pond5/parts/a.jpg/a.mtl".to_owned();
    let mut step = intent(1);
    step.publish = [(&one, "p"), (&of_one, "s"), (&other, "p"), (&of_other, "s"), (&part, "m")]
        .map(|(to, text)| Publish {
            scratch: path(".stockmill/undo/was"),
            to: path(to),
            hash: ContentHash::of(text.as_bytes()),
            mode: PublishMode::New,
        })
        .to_vec();
    let kept = ("keep/t/t-1.png", 1, "k");
    let all = [kept, (&*one, 2, "p"), (&*of_one, 3, "s"), (&*other, 4, "p"), (&*of_other, 5, "s"), (&*part, 6, "m")];
    let without = |gone: &[&str]| all.into_iter().filter(|(name, ..)| !gone.contains(name)).collect::<Vec<_>>();
    let back = ["keep/t/t-1.png: undone: named", "move keep/t/t-1.png -> raw/t/1.png"].map(str::to_owned);
    let removed = |names: &[&str]| -> Vec<String> {
        back.iter().cloned().chain(names.iter().map(|name| format!("remove {name}"))).collect()
    };
    assert_eq!(undone(&step, &all), removed(&[&one, &of_one, &other, &of_other, &part]));
    assert_eq!(undone(&step, &without(&[&other])), removed(&[&one, &of_one, &of_other, &part]));
    assert_eq!(undone(&step, &without(&[&part])), removed(&[&one, &of_one, &other, &of_other]));
    assert_eq!(undone(&step, &without(&[&other, &of_other, &part])), removed(&[&one, &of_one]));
    // Where none is left it went on elsewhere, and what a person changed stays.
    let refused = undone(&step, &without(&[&one, &other]));
    assert!(refused[0].starts_with(&format!("`{one}` changed or went on since")), "{refused:?}");
    let mut changed = without(&[&one, &of_one]);
    changed[1].2 = "mine";
    let refused = undone(&step, &changed);
    assert!(refused[0].starts_with(&format!("`{other}` changed or went on since")), "{refused:?}");
}

/// Once tags had changed, nothing took a file out of its bundle again, not even the same tags as before.
#[test]
fn what_changed_tags_made_anew_in_a_bundle_is_undone_with_it() {
    let (file, sidecar) = ("upload/2026-11-28/m/files/a.jpg", "upload/2026-11-28/m/sidecars/a.jpg.yaml");
    let hash = |text: &str| ContentHash::of(text.as_bytes());
    let wrote = |to: &str, was: Option<&str>, text: &str| Publish {
        scratch: path(".stockmill/undo/was"),
        to: path(to),
        hash: hash(text),
        mode: was.map_or(PublishMode::New, |was| PublishMode::Replace { was: Some(hash(was)) }),
    };
    let mut step = intent(1);
    step.publish = vec![wrote(file, None, "p"), wrote(sidecar, None, "s")];
    // (the plan, what it made of the file and of its sidecar, whether it is a step of its own)
    let later = |plan: u64, [p, p2]: [&str; 2], [s, s2]: [&str; 2], is_step: bool| {
        let mut later = intent(plan);
        (later.about.from, later.about.to) = (Some(path(file)), Some(path(file)));
        later.about.hash = is_step.then(|| hash("p"));
        later.publish = vec![wrote(file, Some(p), p2), wrote(sidecar, Some(s), s2)];
        later.moves.clear();
        later
    };
    let anew = |plan, p, s| later(plan, p, s, false);
    let mut came_late = anew(2, ["p", "p2"], ["s", "s2"]);
    came_late.about.from = Some(path("raw/t/a.yaml"));
    let out = vec![
        "keep/t/t-1.png: undone: named".to_owned(),
        "move keep/t/t-1.png -> raw/t/1.png".to_owned(),
        format!("remove {file}"),
        format!("remove {sidecar}"),
    ];
    let refused = |file: &str| {
        vec![format!(
            "`{file}` changed or went on since: undo its later step first; what was changed by hand leaves its bundle only \
             by hand: delete it there"
        )]
    };
    let once = vec![anew(2, ["p", "p2"], ["s", "s2"])];
    let back = vec![anew(2, ["p", "p2"], ["s", "s2"]), anew(3, ["p2", "p"], ["s2", "s3"])];
    for (later, [p, s], expected) in [
        (&once, ["p2", "s2"], out.clone()),
        (&back, ["p", "s3"], out.clone()),
        // A person changed the file, or its sidecar, at last or before it was made anew.
        (&once, ["mine", "s2"], refused(file)),
        (&once, ["p2", "mine"], refused(sidecar)),
        (&vec![anew(2, ["p", "p2"], ["mine", "s2"])], ["p2", "s2"], refused(sidecar)),
        (&vec![anew(2, ["mine", "p2"], ["s", "s2"])], ["p2", "s2"], refused(file)),
        // A later step comes first, and so does what took a person's tags into it.
        (&vec![later(2, ["p", "p2"], ["s", "s2"], true)], ["p2", "s2"], refused(file)),
        (&vec![came_late], ["p2", "s2"], refused(file)),
    ] {
        let disk = [("keep/t/t-1.png", 1, "k"), (file, 2, p), (sidecar, 3, s)];
        assert_eq!(undone_after(&step, later, &disk), expected, "{p} {s}");
    }
    // What a later step replaced comes back, though tags changed after that step, too.
    let mut step = later(2, ["p", "p2"], ["s", "s2"], true);
    step.publish.remove(0);
    let disk = [(sidecar, 3, "s3"), (".stockmill/undo/was", 4, "s")];
    let restored = undone_after(&step, &[anew(3, ["p2", "p3"], ["s2", "s3"])], &disk);
    assert_eq!(restored, [format!("{file}: undone: named"), format!("replace {sidecar}")]);
}
