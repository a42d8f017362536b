//! What recovery says of files that are not where the step that it finishes has put them.

use stockmill::model::{ContentHash, Identity};
use stockmill::records::{About, Intent, Move, Publish, PublishMode, Record, Remove};
use stockmill::vault::{Journal, recover};

use super::sim::{SimDisk, State};
use super::{OTHER, PICTURE, Stage, about, areas, path};

/// A state that no file of these tests has.
const LONG_GONE: Identity = Identity { device: 1, inode: 4_000, size: 7, modified_ns: 5 };

fn intent(plan: u64, publish: Vec<Publish>, moves: Vec<Move>, removes: Vec<Remove>) -> Intent {
    let about = About { from: Some(path("raw/t/a.png")), ..about(Stage::Raw) };
    let at = "2026-11-23T12:00:00Z".parse().unwrap();
    Intent { plan, at, claims: false, about, publish, moves, removes }
}

/// A plan that enlarges `raw/t/a.png` to `keep/t/a.png` and removes the source.
fn makes(plan: u64, mode: PublishMode) -> Intent {
    let [scratch, to] = [format!(".stockmill/scratch/{plan}-0"), "keep/t/a.png".to_owned()].map(|text| path(&text));
    let publish = vec![Publish { scratch, to, hash: ContentHash::of(PICTURE), mode }];
    let gone = Remove { path: path("raw/t/a.png"), seen: LONG_GONE, aside: None, copied_to: None };
    intent(plan, publish, Vec::new(), vec![gone])
}

fn moves(plan: u64, from: &str, to: &str) -> Intent {
    intent(plan, Vec::new(), vec![Move { from: path(from), to: path(to), seen: LONG_GONE }], Vec::new())
}

/// Recovery called every step finished whose source had left, and said that nothing is lost, whatever was left of it.
#[test]
fn a_file_that_is_nowhere_or_was_replaced_is_named() {
    let new = PublishMode::New;
    let record = PublishMode::Replace { was: None };
    type Case<'a> = (&'a str, Vec<Intent>, &'a [(&'a str, &'a [u8])], &'a [&'a str]);
    let cases: Vec<Case> = vec![
        ("made, and there", vec![makes(1, new.clone())], &[("keep/t/a.png", PICTURE)], &[]),
        ("made, and gone", vec![makes(1, new.clone())], &[], &["raw/t/a.png to keep/t/a.png: false, None"]),
        (
            "made, and replaced",
            vec![makes(1, new.clone())],
            &[("keep/t/a.png", OTHER)],
            &["raw/t/a.png to keep/t/a.png: true, None"],
        ),
        (
            "its name was taken",
            vec![makes(1, new.clone())],
            &[("keep/t/a.png", OTHER), (".stockmill/scratch/1-0", PICTURE)],
            &["raw/t/a.png to keep/t/a.png: true, Some(keep/t/a.png.recovered-1)"],
        ),
        ("a record, which anybody may change", vec![makes(1, record)], &[("keep/t/a.png", OTHER)], &[]),
        (
            "taken on by the next step",
            vec![makes(1, new.clone()), moves(2, "keep/t/a.png", "export/t/a.png")],
            &[],
            &["keep/t/a.png to export/t/a.png: false, None"],
        ),
        (
            "moved, and gone",
            vec![moves(1, "raw/t/a.png", "keep/t/a.png")],
            &[],
            &["raw/t/a.png to keep/t/a.png: false, None"],
        ),
        (
            "moved, and replaced",
            vec![moves(1, "raw/t/a.png", "keep/t/a.png")],
            &[("keep/t/a.png", OTHER)],
            &["raw/t/a.png to keep/t/a.png: true, None"],
        ),
        ("never moved", vec![moves(1, "raw/t/a.png", "keep/t/a.png")], &[("raw/t/a.png", OTHER)], &[]),
    ];
    for (what, intents, files, expected) in cases {
        let mut state = State::default();
        areas().iter().for_each(|area| state.folder(&area.to_string()));
        let lines: String = intents.into_iter().map(|intent| Record::Intent(intent).to_line()).collect();
        state.file(".stockmill/journal/000001.jsonl", lines.as_bytes());
        files.iter().for_each(|(name, bytes)| state.file(name, bytes));
        let disk = SimDisk::new(state, u64::MAX);
        let (mut journal, records) = Journal::open(&disk).unwrap();
        let recovered = recover(&disk, &mut journal, &records, &areas()).unwrap();
        let shown = recovered.strays.iter().map(|stray| {
            let kept = stray.kept.as_ref().map(ToString::to_string);
            let from = stray.from.as_ref().unwrap();
            format!("{from} to {}: {}, {}", stray.to, stray.is_other_there, format!("{kept:?}").replace('"', ""))
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected, "{what}");
    }
}
