use std::collections::HashMap;
use std::fmt::Write as _;

use super::super::candidate::Candidate;
use super::super::group::group;
use super::*;
use crate::model::{Identity, Ignore, Reference};
use crate::vault::Entry;

/// What is inside of files, by their names: `a.obj: x.mtl, y.mtl`; `?` for what cannot be told; names of one
/// reading apart by `+`, readings by `|`, and `(x)` for what may be packed.
struct Written(HashMap<String, Arc<References>>);

impl Written {
    fn read(lines: &[&str]) -> Self {
        let parse = |line: &&str| {
            let (file, names) = line.split_once(": ").unwrap();
            let mut found = References::default();
            for name in names.split(", ") {
                if name == "?" {
                    found.unknown = Some("it is packed".to_owned());
                    continue;
                }
                let packed = name.strip_prefix('(').and_then(|name| name.strip_suffix(')'));
                let readings = packed.unwrap_or(name).split('|');
                let readings = readings.map(|reading| reading.split('+').map(str::to_owned).collect());
                found.named.push(Reference { readings: readings.collect(), may_be_inside: packed.is_some() });
            }
            (file.to_owned(), Arc::new(found))
        };
        Self(lines.iter().map(parse).collect())
    }
}

impl Inside for Written {
    fn references(&self, found: &Found) -> Arc<References> {
        self.0.get(&found.path.file_text()).cloned().unwrap_or_default()
    }

    fn is_generated(&self, found: &Found) -> bool {
        found.path.file_text().contains("ComfyUI")
    }

    fn has_identity(&self, sidecar: &Found) -> bool {
        !sidecar.path.file_text().contains("foreign")
    }
}

fn grouped(stage: Stage, names: &[&str], inside: &[&str]) -> (Vec<Candidate>, Vec<String>) {
    let found = |name: &&str| {
        let identity = Identity { device: 1, inode: 1, size: 10, modified_ns: 0 };
        Found { path: stage.folder().join("t").join(name), entry: Entry::file(identity, 0) }
    };
    let grouped = group(stage, names.iter().map(found).collect(), &Ignore::default(), &Written::read(inside));
    (grouped.candidates, grouped.odd.into_iter().map(|odd| odd.path.file_text()).collect())
}

/// Returns each asset with its parts, `!` before one that waits, and what is left alone.
fn shown(names: &[&str], inside: &[&str]) -> String {
    let (candidates, odd) = grouped(Stage::Raw, names, inside);
    let theme = RelPath::new("raw/t").unwrap();
    let name = |found: &Found| found.path.below(&theme).unwrap().to_string();
    let mut text = String::new();
    for candidate in candidates {
        let parts: Vec<String> = candidate.files().map(name).collect();
        let mark = if candidate.missing.is_empty() { "" } else { "!" };
        write!(text, "{mark}{}; ", parts.join(" + ")).unwrap();
    }
    odd.iter().for_each(|odd| write!(text, "odd {odd}; ").unwrap());
    text.trim_end_matches("; ").to_owned()
}

const OBJ: [&str; 3] = ["m.obj", "m.mtl", "wood.png"];

#[test]
fn names_lead_to_files_as_programs_look_for_them() {
    let whole = "m.obj + m.mtl + wood.png";
    let mtl = |name: &str| shown(&OBJ, &["m.obj: m.mtl", &format!("m.mtl: {name}")]);
    for name in [
        "wood.png",
        "./wood.png",
        "WOOD.PNG",
        "C:\\art\\Wood.png",
        "/home/x/wood.png",
        "../textures/wood.png",
        "gone.png|wood.png",
    ] {
        assert_eq!(mtl(name), whole, "{name}");
    }
    assert_eq!(shown(&OBJ, &["m.obj: M.MTL", "m.mtl: wood.png"]), whole);
    assert_eq!(shown(&OBJ, &["m.obj: m.mtl wood|m.mtl+wood.png"]), whole, "one name, or two");
    assert_eq!(shown(&OBJ, &["m.mtl: wood.png"]), whole, "an OBJ goes with the material of its name");
    assert_eq!(shown(&["m.fbx", "h\u{f6}.png"], &["m.fbx: ho\u{308}.png"]), "m.fbx + h\u{f6}.png");
    let cases: [(&[&str], &[&str], &str); 9] = [
        (&["m.fbx", "textures/wood.png"], &["m.fbx: textures\\wood.png"], "m.fbx + textures/wood.png"),
        (&["m.fbx", "m.fbm/wood.png"], &["m.fbx: D:\\x\\wood.png"], "m.fbx + m.fbm/wood.png"),
        (
            &["a/m.obj", "a/m.mtl", "b/wood.png"],
            &["m.obj: m.mtl", "m.mtl: ../b/wood.png"],
            "a/m.obj + a/m.mtl + b/wood.png",
        ),
        (
            &["a/m.obj", "a/x/m.mtl", "a/x/w.png"],
            &["m.obj: x/m.mtl", "m.mtl: w.png"],
            "a/m.obj + a/x/m.mtl + a/x/w.png",
        ),
        (&["a/m.obj", "a/x/m.mtl", "a/w.png"], &["m.obj: x/m.mtl", "m.mtl: w.png"], "a/m.obj + a/w.png + a/x/m.mtl"),
        // As a well-known site packs them.
        (&["source/m.fbx", "Textures/w.png"], &["m.fbx: C:\\w.png"], "source/m.fbx + Textures/w.png"),
        (
            &["m.gltf", "m.bin", "t/w.png", "license.txt"],
            &["m.gltf: m.bin, t/w.png"],
            "m.gltf + m.bin + t/w.png; odd license.txt",
        ),
        (
            &["m.gltf", "w.png", "w.png.yaml", "w.png.xmp"],
            &["m.gltf: w.png"],
            "m.gltf + w.png + w.png.xmp + w.png.yaml",
        ),
        (&["x.gltf", "y.gltf"], &["x.gltf: y.gltf", "y.gltf: x.gltf"], "x.gltf; y.gltf"),
    ];
    for (names, inside, expected) in cases {
        assert_eq!(shown(names, inside), expected, "{names:?}");
    }
}

/// A reference that could not be resolved was taken for none, and the textures for photographs.
#[test]
fn what_cannot_be_found_or_told_makes_what_lies_beside_it_wait() {
    let obj = ["m.obj: m.mtl", "m.mtl: wood.png, gone.png"];
    let cases: [(&[&str], &[&str], &str); 36] = [
        (&["m.max", "x.png", "maps/y.png"], &["m.max: ?"], "!m.max + maps/y.png; !x.png"),
        (&["m.obj", "m.mtl", "wood.png", "x.png"], &obj, "!m.obj + m.mtl + wood.png; !x.png"),
        (&["m.obj", "x", "x.tga"], &["m.obj: gone.mtl"], "!m.obj; !x; !x.tga"),
        (&["m.glb", "x.png"], &["m.glb: skin.png"], "!m.glb; !x.png"),
        (&["m.gltf", "t.png", "x.png"], &["m.gltf: https://example.org/x.png, t.png"], "!m.gltf + t.png; !x.png"),
        (&["m.dae", "x.png"], &["m.dae: tex.png"], "!m.dae; !x.png"),
        // Nothing is known of what is packed.
        (&["m.blend", "x.png"], &["m.blend: ?"], "!m.blend; !x.png"),
        (&["m.blend", "x.png"], &["m.blend: (gone.png)"], "!m.blend; !x.png"),
        (&["m.blend", "x.png"], &["m.blend: (x.png)"], "m.blend + x.png"),
        // Where nothing can be mistaken for a part, nothing need be known.
        (&["m.blend"], &["m.blend: ?"], "m.blend"),
        (&["m.blend", "textures/x.png"], &["m.blend: ?"], "m.blend + textures/x.png"),
        // What names nothing claims nothing.
        (&["m.glb", "m.stl", "m.ply", "m.usdz", "m.3mf", "x.png"], &[], "m.3mf; m.glb; m.ply; m.stl; m.usdz; x.png"),
        // Proved pictures go on, and so do other folders and videos.
        (&["m.obj", "ComfyUI_1.png"], &["m.obj: gone.mtl"], "ComfyUI_1.png; !m.obj"),
        (&["m.obj", "x.png", "x.png.yaml"], &["m.obj: gone.mtl"], "!m.obj; x.png + x.png.yaml"),
        (
            &["m.obj", "foreign.png", "foreign.png.yaml"],
            &["m.obj: gone.mtl"],
            "!foreign.png + foreign.png.yaml; !m.obj",
        ),
        (&["a/m.obj", "b/x.png", "x.png", "a/clip.mp4"], &["m.obj: gone.mtl"], "a/clip.mp4; !a/m.obj; b/x.png; x.png"),
        // The folder that a lost name leads to, and those where others were found.
        (&["m.obj", "skins/x.png"], &["m.obj: skins/gone.mtl"], "!m.obj; !skins/x.png"),
        // The material came first.
        (&["m.mtl", "wood.png", "x.png"], &["m.mtl: wood.png"], "!wood.png; x.png; odd m.mtl"),
        (&["x.png", "x.mtl"], &[], "x.png; odd x.mtl"),
        // The model may still arrive: the name of a folder is enough, whatever its depth and case.
        (&["m.fbm/x.png", "textures/y.png"], &[], "!m.fbm/x.png; !textures/y.png"),
        (&["a/Texture/b/x.png", "TEX/x.png"], &[], "!TEX/x.png; !a/Texture/b/x.png"),
        (&["a/m.glb", "Materials/x.png"], &[], "!Materials/x.png; a/m.glb"),
        (&["maps/x.png", "source/x.png", "textured/x.png"], &[], "maps/x.png; source/x.png; textured/x.png"),
        // Each of a kind that nothing is known of.
        (&["m.abc", "x.png"], &["m.abc: ?"], "!m.abc; !x.png"),
        // Names of textures of a model that names none.
        (
            &["chair.glb", "chair_BaseColor.png", "Chair-2K normal.PNG", "chair.jpg", "chair_front.png"],
            &[],
            "!Chair-2K normal.PNG; !chair.glb; chair.jpg; !chair_BaseColor.png; chair_front.png",
        ),
        (
            &["c.stl", "c.ao.png", "d_ao.png", "b/c_ao.png", "ComfyUI_ao.png"],
            &[],
            "ComfyUI_ao.png; b/c_ao.png; !c.ao.png; !c.stl; d_ao.png",
        ),
        (
            &["my_c.glb", "my_c.fbx", "my_c_ORM.png", "my_ORM.png"],
            &[],
            "my_ORM.png; !my_c.fbx; !my_c.glb; !my_c_ORM.png",
        ),
        // A buffer of a model that is not here.
        (&["m.bin", "x.png", "b/y.png"], &[], "b/y.png; !x.png; odd m.bin"),
        (&["m.gltf", "m.bin", "x.png"], &["m.gltf: m.bin"], "m.gltf + m.bin; x.png"),
        // It is still arriving.
        (&["m.blend.crdownload", "x.png", "b/y.png"], &[], "b/y.png; !x.png; odd m.blend.crdownload"),
        (&["m.glb.part", "x.png", "ComfyUI.png"], &[], "ComfyUI.png; !x.png; odd m.glb.part"),
        (&[".m.glb.Ab12cD", "x.png"], &[], "!x.png; odd .m.glb.Ab12cD"),
        (&["m.bin.TMP", "x.png"], &[], "!x.png; odd m.bin.TMP"),
        (
            &[".x.png.Ab12cD", "..x", ".z", "._m.glb", "y.png.part", "x.png"],
            &[],
            "x.png; odd .x.png.Ab12cD; odd ..x; odd .z; odd ._m.glb; odd y.png.part",
        ),
        // What is meant, or made, as a picture of its own.
        (&["tex/x.png", "tex/tags.yaml", "textures/tags.yaml"], &[], "tex/x.png"),
        (&["tex/ComfyUI.png", "tex/x.png", "tex/x.png.yaml"], &[], "tex/ComfyUI.png; tex/x.png + tex/x.png.yaml"),
    ];
    for (names, inside, expected) in cases {
        assert_eq!(shown(names, inside), expected, "{names:?} {inside:?}");
    }
}

#[test]
fn folders_of_parts_belong_to_the_model_beside_them() {
    let cases: [(&[&str], &[&str], &str); 17] = [
        (&["m.obj", "textures/a.png", "Maps/b.png"], &[], "m.obj + Maps/b.png + textures/a.png"),
        (&["m.fbx", "m.fbm/a.png", "source/b.png"], &[], "m.fbx + m.fbm/a.png + source/b.png"),
        (&["m.glb", "textures/a/b.png"], &[], "m.glb + textures/a/b.png"),
        (&["m.obj", "renders/a.png"], &[], "m.obj; renders/a.png"),
        (&["textures/a.png", "b.png"], &[], "b.png; !textures/a.png"),
        (&["m.glb", "tex/a.png", "Materials/b.png"], &[], "m.glb + Materials/b.png + tex/a.png"),
        // What nobody names goes with the model that misses something, or that names its neighbours.
        (&["a.obj", "b.fbx", "textures/x.png"], &["b.fbx: gone.png"], "a.obj; !b.fbx + textures/x.png"),
        (
            &["a.stl", "b.fbx", "textures/x.png", "textures/y.png"],
            &["b.fbx: x.png"],
            "a.stl; b.fbx + textures/x.png + textures/y.png",
        ),
        // A scene that nobody can read took them, and was left alone with them.
        (&["m.max", "m.stl", "textures/x.png"], &["m.max: ?"], "m.max; m.stl + textures/x.png"),
        (&["m.stl", "textures/q.sbs", "textures/x.png"], &["q.sbs: ?"], "m.stl + textures/x.png; textures/q.sbs"),
        (&["m.max", "textures/x.png"], &["m.max: ?"], "m.max + textures/x.png"),
        // The first of two took them all, and nobody was told that the other went without.
        (&["a.stl", "b.stl", "maps/x.png"], &[], "!a.stl + maps/x.png; !b.stl"),
        (
            &["a.obj", "b.fbx", "c.stl", "textures/x.png", "textures/y.png", "textures/z.png"],
            &["a.obj: x.png", "b.fbx: y.png"],
            "!a.obj + textures/x.png + textures/z.png; !b.fbx + textures/y.png; c.stl",
        ),
        (
            &["a.obj", "b.blend", "textures/x.png", "textures/y.png"],
            &["a.obj: x.png", "b.blend: ?"],
            "!a.obj + textures/x.png; !b.blend + textures/y.png",
        ),
        // A name tells whose each is.
        (&["a.obj", "b.stl", "tex/x.png"], &["a.obj: x.png"], "a.obj + tex/x.png; b.stl"),
        (&["a.fbx", "b.fbx", "B.fbm/x.png"], &[], "a.fbx; b.fbx + B.fbm/x.png"),
        (&["source/a.fbx", "source/a.txt", "source/b.fbx"], &[], "source/a.fbx + source/a.txt; source/b.fbx"),
    ];
    for (names, inside, expected) in cases {
        assert_eq!(shown(names, inside), expected, "{names:?} {inside:?}");
    }
}

#[test]
fn whoever_waits_says_for_what() {
    let why = |stage: Stage, names: &[&str], inside: &[&str]| -> Vec<String> {
        grouped(stage, names, inside).0.into_iter().map(|c| c.missing.join(" ")).collect()
    };
    let inside = ["m.obj: m.mtl", "m.mtl: C:\\art\\gone.png"];
    let told = why(Stage::Raw, &["m.obj", "m.mtl", "x.png"], &inside);
    assert!(told[0].starts_with("it names files that are not here yet: C:\\art\\gone.png; "), "{told:?}");
    assert!(told[0].ends_with("`stockmill release raw t --anyway`"), "{told:?}");
    assert!(
        told[1].starts_with("it may be a part of `m.obj` beside it, which names files that are not here: "),
        "{told:?}"
    );
    // Both wait, and neither goes without what they share.
    let told = why(Stage::Raw, &["a.gltf", "b.gltf", "x.png"], &["a.gltf: x.png", "b.gltf: x.png"]);
    assert!(told[0].starts_with("`b.gltf` names `x.png` too"), "{told:?}");
    assert!(told[1].starts_with("`a.gltf` names `x.png` too"), "{told:?}");
    assert_eq!(told.len(), 2);
    let told = why(Stage::Raw, &["a.stl", "b.stl", "textures/x.png"], &[]);
    assert!(told[0].starts_with("what nothing names in `textures/` may be of `b.stl` as well: give each"), "{told:?}");
    assert!(told[1].starts_with("what nothing names in `textures/` may be of `a.stl` as well: give each"), "{told:?}");
    // What came later beside one that was passed on may be of either.
    let told = why(Stage::Keep, &["a.stl", "a.stl.yaml", "b.stl", "textures/x.png"], &[]);
    assert!(told.iter().all(|why| !why.is_empty()), "{told:?}");
    // What was passed on was complete, or a person let it go.
    assert_eq!(why(Stage::Keep, &["m.obj", "m.obj.yaml", "x.png"], &["m.obj: gone.mtl"]), ["", ""]);
    assert!(!why(Stage::Raw, &["m.obj", "m.obj.yaml"], &["m.obj: gone.mtl"])[0].is_empty());
}

/// Prompts and notes in a model's folders were taken for parts that markets are to have.
#[test]
fn what_nothing_names_in_a_models_folders_is_known() {
    let names = ["m.obj", "m.mtl", "textures/notes.txt", "textures/w.png", "textures/w.png.txt", "textures/x.png"];
    let (candidates, _) = grouped(Stage::Raw, &names, &["m.obj: m.mtl", "m.mtl: textures/w.png"]);
    let [model] = &candidates[..] else { panic!("{candidates:?}") };
    let unnamed = |n: &usize| model.members[*n].path.file_text();
    assert_eq!(model.members.len(), 5);
    assert_eq!(model.unnamed.iter().map(unnamed).collect::<Vec<_>>(), ["notes.txt", "w.png.txt", "x.png"]);
}

/// Of a model in a bundle nobody could tell whether its parts are all there.
#[test]
fn what_a_model_lacks_whose_parts_lie_apart_is_known() {
    let found = |name: &str| {
        let identity = Identity { device: 1, inode: 1, size: 10, modified_ns: 0 };
        Found { path: RelPath::new(name).unwrap(), entry: Entry::file(identity, 0) }
    };
    let with_texture = ["m.obj: m.mtl", "m.mtl: tex/w.png"];
    let above = ["m.obj: ../m.mtl", "m.mtl: tex\\w.png"];
    // The model, what is inside, what lies there, what is missing, and whether more may be.
    let rows: [(&str, &[&str], &[&str], &str, bool); 11] = [
        ("m.stl", &[], &[], "", false),
        ("m.obj", &with_texture, &["m.mtl", "tex/w.png"], "", false),
        ("m.obj", &with_texture, &["tex/w.png"], "m.mtl", false),
        ("m.obj", &with_texture, &["m.mtl"], "tex/w.png", false),
        ("m.obj", &with_texture, &[], "m.mtl", false),
        // It lay in a folder of its own, above which its parts lay.
        ("m.obj", &above, &["m.mtl", "tex/w.png"], "", false),
        ("m.obj", &above, &["m.mtl"], "tex\\w.png", false),
        ("m.gltf", &["m.gltf: m.bin, textures/a.png"], &["m.bin"], "textures/a.png", false),
        // A name may be a path of its author's disk.
        ("m.fbx", &["m.fbx: C:\\art\\w.png"], &["textures/w.png"], "", false),
        ("m.fbx", &["m.fbx: (w.png)"], &[], "", true),
        ("m.blend", &["m.blend: ?"], &["a.png"], "", true),
    ];
    let folder = RelPath::new("upload/2026-11-28/a/parts/m").unwrap();
    for (model, inside, parts, missing, is_unknown) in rows {
        let parts: Vec<Found> = parts.iter().map(|part| found(&format!("{folder}/{part}"))).collect();
        let model = found(&format!("upload/2026-11-28/a/files/{model}"));
        let places = [folder.clone(), folder.join("source")];
        let lacks = lacking(&model, &parts, &places, &Written::read(inside));
        assert_eq!(
            (lacks.missing.join(", "), !lacks.unknown.is_empty()),
            (missing.to_owned(), is_unknown),
            "{inside:?}"
        );
    }
}
