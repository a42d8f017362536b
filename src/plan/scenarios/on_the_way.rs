//! From `raw` to `upload`.

use super::{Given, LARGE, check, model, own, picture};
use crate::model::{ByteRange, EnhanceTags, Output, Render, Strength};
use crate::plan::{Recipe, plan_asset};

#[test]
fn what_is_dropped_gets_a_name_that_is_free() {
    check(&[
        (
            picture("raw/t/a.png"),
            &[
                "raw/t/a.png: recognised as png, named",
                "write keep/t/t-0001.png.yaml",
                "move raw/t/a.png -> keep/t/t-0001.png",
            ],
        ),
        (
            picture("raw/t/red/a.png"),
            &[
                "raw/t/red/a.png: recognised as png, named",
                "write keep/t/red/t-0001.png.yaml",
                "move raw/t/red/a.png -> keep/t/red/t-0001.png",
            ],
        ),
        (
            picture("raw/a.png"),
            &[
                "raw/a.png: recognised as png, named",
                "write keep/unsorted/unsorted-0001.png.yaml",
                "move raw/a.png -> keep/unsorted/unsorted-0001.png",
            ],
        ),
        (
            Given { theme_of_file: Some("sea"), ..picture("raw/a.png") },
            &[
                "raw/a.png: recognised as png, named",
                "write keep/sea/sea-0001.png.yaml",
                "move raw/a.png -> keep/sea/sea-0001.png",
            ],
        ),
    ]);
}

#[test]
fn what_is_taken_or_comes_along_is_minded() {
    check(&[
        (
            Given { taken: &["keep/t/t-0001.png"], ..picture("raw/t/a.png") },
            &[
                "raw/t/a.png: recognised as png, named",
                "write keep/t/t-0001-2.png.yaml",
                "move raw/t/a.png -> keep/t/t-0001-2.png",
            ],
        ),
        (
            Given { taken: &["keep/t/t-0001.png.yaml"], ..picture("raw/t/a.png") },
            &[
                "raw/t/a.png: recognised as png, named",
                "write keep/t/t-0001-2.png.yaml",
                "move raw/t/a.png -> keep/t/t-0001-2.png",
            ],
        ),
        (
            Given { companions: &["raw/t/a.txt", "raw/t/a.png.xmp"], ..picture("raw/t/a.png") },
            &[
                "raw/t/a.png: recognised as png, named",
                "write keep/t/t-0001.png.yaml",
                "move raw/t/a.txt -> keep/t/t-0001.txt",
                "move raw/t/a.png.xmp -> keep/t/t-0001.png.xmp",
                "move raw/t/a.png -> keep/t/t-0001.png",
            ],
        ),
        (
            Given { kind: None, ..picture("raw/t/a.png") },
            &[
                "ignored: its content is no picture, video or 3D model that stockmill knows; a theme may claim it under `documents` in its tags.yaml",
            ],
        ),
        (
            Given { kind: None, foreign: Some("an AVIF"), ..picture("raw/t/a.jpg") },
            &[
                "waits: it is an AVIF, which stockmill does not take; save it as a PNG, TIFF or JPEG and drop that; or a theme may claim it under `documents` in its tags.yaml",
            ],
        ),
        (picture("ideas/a.png"), &["ignored: it is not a note; drop pictures into `raw`"]),
    ]);
}

#[test]
fn a_model_keeps_the_names_of_its_parts() {
    check(&[
        (
            model("raw/t/cube.obj", &["raw/t/cube.mtl", "raw/t/tex/wood.png"]),
            &[
                "raw/t/cube.obj: recognised as obj, named; no market of `upload.markets` will take it: adobe-stock refuses it: it is obj, and the market takes jpeg, mp4, mov",
                "write keep/t/t-0001/cube.obj.yaml",
                "move raw/t/cube.mtl -> keep/t/t-0001/cube.mtl",
                "move raw/t/tex/wood.png -> keep/t/t-0001/tex/wood.png",
                "move raw/t/cube.obj -> keep/t/t-0001/cube.obj",
            ],
        ),
        (
            model("keep/t/t-0001/cube.obj", &["keep/t/t-0001/cube.mtl"]),
            &[
                "keep/t/t-0001/cube.obj: passed on unchanged",
                "write export/t/t-0001/cube.obj.yaml",
                "move keep/t/t-0001/cube.mtl -> export/t/t-0001/cube.mtl",
                "move keep/t/t-0001/cube.obj -> export/t/t-0001/cube.obj",
            ],
        ),
        (
            Given {
                taken: &["export/t/t-0001/cube.mtl"],
                ..model("keep/t/t-0001/cube.obj", &["keep/t/t-0001/cube.mtl"])
            },
            &["waits: `export/t/t-0001/cube.mtl` is there already, and a model's parts keep their names"],
        ),
    ]);
}

#[test]
fn what_can_be_made_again_goes_and_an_original_is_kept() {
    check(&[
        (
            picture("keep/t/mine.png"),
            &[
                "keep/t/mine.png: enlarged from 1000x1000 to 2050x2050 by lanczos, sharpened (low)",
                "make export/t/t-0001.png",
                "write export/t/t-0001.png.yaml",
                "write archive/t/t-0001.png.yaml",
                "move keep/t/mine.png -> archive/t/t-0001.png",
            ],
        ),
        (
            own("keep/t/t-0007.png"),
            &[
                "keep/t/t-0007.png: enlarged from 1000x1000 to 2050x2050 by lanczos, sharpened (low)",
                "make export/t/t-0007.png",
                "write export/t/t-0007.png.yaml",
                "remove keep/t/t-0007.png",
                "remove keep/t/t-0007.png.yaml",
            ],
        ),
        (
            Given { edges: Some((64, 48)), ..picture("keep/t/icon.png") },
            &[
                "waits: it has 64x48 pixels, and would be enlarged 37.0 times, to 2367x1775; `keep.scale_max` allows 5; replace it with a larger picture, or let it go with `stockmill release keep --anyway`",
            ],
        ),
        (
            Given { edges: Some((64, 48)), is_released: true, ..own("keep/t/icon.png") },
            &[
                "keep/t/icon.png: enlarged from 64x48 to 2367x1775 by lanczos, sharpened (low)",
                "make export/t/icon.png",
                "write export/t/icon.png.yaml",
                "remove keep/t/icon.png",
                "remove keep/t/icon.png.yaml",
            ],
        ),
        (
            own("keep/t/best.png"),
            &[
                "keep/t/best.png: enlarged from 1000x1000 to 2050x2050 by lanczos, sharpened (low)",
                "make export/t/best.png",
                "write export/t/best.png.yaml",
                "remove keep/t/best.png",
                "remove keep/t/best.png.yaml",
            ],
        ),
        (
            own("keep/other/t-0007.png"),
            &[
                "keep/other/t-0007.png: enlarged from 1000x1000 to 2050x2050 by lanczos, sharpened (low)",
                "make export/other/t-0007.png",
                "write export/other/t-0007.png.yaml",
                "remove keep/other/t-0007.png",
                "remove keep/other/t-0007.png.yaml",
            ],
        ),
    ]);
}

#[test]
fn levels_are_set_once_whatever_the_size() {
    let medium = |given| Given { levels: Strength::Medium, ..given };
    let wide = Given { edges: LARGE, ..picture("keep/t/wide.png") };
    check(&[
        (
            medium(own("keep/t/best.png")),
            &[
                "keep/t/best.png: enlarged from 1000x1000 to 2050x2050 by lanczos, sharpened (low), levels checked (medium)",
                "make export/t/best.png",
                "write export/t/best.png.yaml",
                "remove keep/t/best.png",
                "remove keep/t/best.png.yaml",
            ],
        ),
        (
            medium(wide),
            &[
                "keep/t/wide.png: levels checked (medium)",
                "make export/t/t-0001.png",
                "write export/t/t-0001.png.yaml",
                "write archive/t/t-0001.png.yaml",
                "move keep/t/wide.png -> archive/t/t-0001.png",
            ],
        ),
        (
            medium(Given { edges: LARGE, recipe: Some("levels low"), ..own("keep/t/best.png") }),
            &[
                "keep/t/best.png: passed on unchanged",
                "write export/t/best.png.yaml",
                "move keep/t/best.png -> export/t/best.png",
                "remove keep/t/best.png.yaml",
            ],
        ),
        (
            medium(Given { recipe: Some("lanczos 500x500 to 1000x1000 levels high"), ..own("keep/t/best.png") }),
            &[
                "keep/t/best.png: enlarged from 1000x1000 to 2050x2050 by lanczos, sharpened (low)",
                "make export/t/best.png",
                "write export/t/best.png.yaml",
                "remove keep/t/best.png",
                "remove keep/t/best.png.yaml",
            ],
        ),
        (
            medium(model("keep/t/t-0001/cube.obj", &[])),
            &[
                "keep/t/t-0001/cube.obj: passed on unchanged",
                "write export/t/t-0001/t-0001.obj.yaml",
                "move keep/t/t-0001/cube.obj -> export/t/t-0001/t-0001.obj",
            ],
        ),
    ]);
}

#[test]
fn a_look_is_as_the_theme_says() {
    check(&[
        (
            Given {
                look: EnhanceTags { sharpen: Some(Strength::High), levels: Some(Strength::Off) },
                levels: Strength::Medium,
                ..own("keep/t/best.png")
            },
            &[
                "keep/t/best.png: enlarged from 1000x1000 to 2050x2050 by lanczos, sharpened (high)",
                "make export/t/best.png",
                "write export/t/best.png.yaml",
                "remove keep/t/best.png",
                "remove keep/t/best.png.yaml",
            ],
        ),
        (
            Given {
                look: EnhanceTags { sharpen: Some(Strength::Off), levels: Some(Strength::Low) },
                ..own("keep/t/best.png")
            },
            &[
                "keep/t/best.png: enlarged from 1000x1000 to 2050x2050 by lanczos, levels checked (low)",
                "make export/t/best.png",
                "write export/t/best.png.yaml",
                "remove keep/t/best.png",
                "remove keep/t/best.png.yaml",
            ],
        ),
    ]);
}

/// It was kept as one more original with what was made of it, and nothing said that a person had changed it.
#[test]
fn what_a_person_changed_is_a_new_version() {
    let changed = |path| Given { is_changed: true, ..own(path) };
    check(&[
        (
            changed("keep/t/t-0007.png"),
            &[
                "keep/t/t-0007.png: changed by hand: version 2 of the same asset; enlarged from 1000x1000 to 2050x2050 by lanczos, sharpened (low)",
                "make export/t/t-0007.png",
                "write export/t/t-0007.png.yaml",
                "write archive/t/t-0007.png.yaml",
                "move keep/t/t-0007.png -> archive/t/t-0007.png",
                "remove keep/t/t-0007.png.yaml",
            ],
        ),
        (
            Given { taken: &["archive/t/t-0007.png"], ..changed("export/t/t-0007.png") },
            &[
                "export/t/t-0007.png: changed by hand: version 2 of the same asset; exported as JPEG",
                "make upload/t/t-0007.jpg",
                "write upload/t/t-0007.jpg.yaml",
                "write archive/t/t-0007-2.png.yaml",
                "move export/t/t-0007.png -> archive/t/t-0007-2.png",
                "remove export/t/t-0007.png.yaml",
            ],
        ),
    ]);
}

#[test]
fn what_is_large_enough_is_passed_on_and_what_is_exported_is_made() {
    check(&[
        (
            Given { edges: LARGE, ..own("keep/t/t-0007.png") },
            &[
                "keep/t/t-0007.png: passed on unchanged",
                "write export/t/t-0007.png.yaml",
                "move keep/t/t-0007.png -> export/t/t-0007.png",
                "remove keep/t/t-0007.png.yaml",
            ],
        ),
        (
            Given { edges: LARGE, ..picture("keep/t/mine.png") },
            &[
                "keep/t/mine.png: passed on unchanged",
                "write export/t/t-0001.png.yaml",
                "move keep/t/mine.png -> export/t/t-0001.png",
            ],
        ),
        (
            own("export/t/t-0007.png"),
            &[
                "export/t/t-0007.png: exported as JPEG",
                "make upload/t/t-0007.jpg",
                "write upload/t/t-0007.jpg.yaml",
                "remove export/t/t-0007.png",
                "remove export/t/t-0007.png.yaml",
            ],
        ),
        (
            Given { companions: &["export/t/mine.xmp"], ..picture("export/t/mine.png") },
            &[
                "export/t/mine.png: exported as JPEG",
                "make upload/t/t-0001.jpg",
                "write upload/t/t-0001.jpg.yaml",
                "write archive/t/t-0001.png.yaml",
                "move export/t/mine.png -> archive/t/t-0001.png",
                "move export/t/mine.xmp -> upload/t/t-0001.xmp",
            ],
        ),
    ]);
}

/// It was refused in `upload`, with an original that nobody could make smaller without another program.
#[test]
fn a_jpeg_gets_as_many_bytes_as_its_markets_take() {
    let adobe = ByteRange { min: 1, max: 45_000_000 };
    for (edges, expected) in [((2_500, 2_000), None), ((3_872, 3_872), None), ((3_873, 3_873), Some(adobe))] {
        let plan = Given { edges: Some(edges), ..own("export/t/t-0007.png") }.decide(plan_asset).unwrap();
        let Recipe::Render { render: Render { output: Output::Final { bytes, .. }, .. }, .. } =
            &plan.products[0].recipe
        else {
            panic!("{plan}");
        };
        assert_eq!(*bytes, expected, "{edges:?}");
        let Recipe::SidecarOf { sidecar, .. } = &plan.products[1].recipe else { panic!("{plan}") };
        let recipe = String::from(sidecar.file.clone().unwrap().recipe.unwrap());
        assert_eq!(recipe.contains(" 1 to 45000000 bytes"), expected.is_some(), "{recipe}");
    }
}
