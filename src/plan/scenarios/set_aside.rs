//! What needs a person.

use super::{Given, Row, lines, model, own};
use crate::model::{ContentHash, RelPath};
use crate::plan::{is_note_on_set_aside, plan_park};
use crate::records::PublishMode;

#[test]
fn what_is_set_aside_stays_together() {
    let rows: &[Row<'_>] = &[
        (
            Given { companions: &["raw/t/a.txt", "raw/t/other.txt"], ..own("raw/t/a.png") },
            &[
                "raw/t/a.png: set aside: it is cut off",
                "write failed/raw/t/a.png.reason.txt",
                "move raw/t/a.png -> failed/raw/t/a.png",
                "move raw/t/a.png.yaml -> failed/raw/t/a.png.yaml",
                "move raw/t/a.txt -> failed/raw/t/a.txt",
                "move raw/t/other.txt -> failed/raw/t/other.txt",
            ],
        ),
        (
            Given { taken: &["failed/raw/t/a.png"], companions: &["raw/t/a.txt"], ..own("raw/t/a.png") },
            &[
                "raw/t/a.png: set aside: it is cut off",
                "write failed/raw/t/a-2.png.reason.txt",
                "move raw/t/a.png -> failed/raw/t/a-2.png",
                "move raw/t/a.png.yaml -> failed/raw/t/a-2.png.yaml",
                "move raw/t/a.txt -> failed/raw/t/a-2.txt",
            ],
        ),
        (
            Given { taken: &["failed/raw/t/a.png.reason.txt"], ..own("raw/t/a.png") },
            &[
                "raw/t/a.png: set aside: it is cut off",
                "write failed/raw/t/a-2.png.reason.txt",
                "move raw/t/a.png -> failed/raw/t/a-2.png",
                "move raw/t/a.png.yaml -> failed/raw/t/a-2.png.yaml",
            ],
        ),
        (
            model("raw/t/source/cube.obj", &["raw/t/textures/wood.png"]),
            &[
                "raw/t/source/cube.obj: set aside: it is cut off",
                "write failed/raw/t/source/cube.obj.reason.txt",
                "move raw/t/source/cube.obj -> failed/raw/t/source/cube.obj",
                "move raw/t/textures/wood.png -> failed/raw/t/textures/wood.png",
            ],
        ),
        (
            Given {
                taken: &["failed/raw/t/textures/wood.png"],
                ..model("raw/t/source/cube.obj", &["raw/t/textures/wood.png"])
            },
            &[
                "raw/t/source/cube.obj: set aside: it is cut off",
                "write failed/raw/t/cube-2/source/cube.obj.reason.txt",
                "move raw/t/source/cube.obj -> failed/raw/t/cube-2/source/cube.obj",
                "move raw/t/textures/wood.png -> failed/raw/t/cube-2/textures/wood.png",
            ],
        ),
        (
            Given {
                taken: &["failed/raw/t/source/cube.obj.reason.txt", "failed/raw/t/cube-2/source/cube.obj"],
                ..model("raw/t/source/cube.obj", &["raw/t/textures/wood.png"])
            },
            &[
                "raw/t/source/cube.obj: set aside: it is cut off",
                "write failed/raw/t/cube-3/source/cube.obj.reason.txt",
                "move raw/t/source/cube.obj -> failed/raw/t/cube-3/source/cube.obj",
                "move raw/t/textures/wood.png -> failed/raw/t/cube-3/textures/wood.png",
            ],
        ),
    ];
    for (given, expected) in rows {
        assert_eq!(given.parked(), *expected, "{}", given.path);
    }
}

/// A person moved the file back by hand and left the note, and it is set aside again.
#[test]
fn a_note_that_outlived_its_file_is_replaced() {
    let (note, file) = ("failed/raw/t/a.png.reason.txt", "failed/raw/t/a.png");
    let was = ContentHash::of(b"the note before");
    for (taken, is_ours, to) in
        [(&[note][..], true, "a"), (&[note], false, "a-2"), (&[note, file], true, "a-2"), (&[], true, "a")]
    {
        let outlived = |path: &RelPath| (is_ours && path.to_string() == note).then(|| was.clone());
        let given = Given { taken, ..own("raw/t/a.png") };
        let plan = given.decide(|facts, context| plan_park(facts, context, "it is cut off", &outlived));
        let expected = format!("move raw/t/a.png -> failed/raw/t/{to}.png");
        assert!(lines(&plan).contains(&expected), "{taken:?}: {:?}", lines(&plan));
        let is_replaced = plan.products[0].mode == PublishMode::Replace { was: Some(was.clone()) };
        assert_eq!(is_replaced, is_ours && taken == [note], "{taken:?}");
        let crate::plan::Recipe::Bytes(text) = &plan.products[0].recipe else { panic!("{taken:?}") };
        assert!(is_note_on_set_aside(text) && !is_note_on_set_aside(b"it is cut off\n"));
    }
}

/// The name of a companion alone was taken: it got another stem than its asset, and lost its pair.
#[test]
fn a_companion_keeps_its_pair_when_its_own_name_is_taken() {
    let given = Given { taken: &["failed/raw/t/a.txt"], companions: &["raw/t/a.txt"], ..own("raw/t/a.png") };
    let expected = [
        "raw/t/a.png: set aside: it is cut off",
        "write failed/raw/t/a-2.png.reason.txt",
        "move raw/t/a.png -> failed/raw/t/a-2.png",
        "move raw/t/a.png.yaml -> failed/raw/t/a-2.png.yaml",
        "move raw/t/a.txt -> failed/raw/t/a-2.txt",
    ];
    assert_eq!(given.parked(), expected);
}
