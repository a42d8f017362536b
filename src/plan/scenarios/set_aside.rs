//! What needs a person.

use super::{Given, Row, model, own};

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
