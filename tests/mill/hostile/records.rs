//! What is written beside pictures, and in notes.

use std::fs;
use std::path::Path;

use super::{Arrives, SETTINGS, TAGS, World, run_to_the_end, stays};
use crate::{NOTE, Root, picture};

/// What a record of 100 MB consists of.
const HUGE: &[u8] = b"# comment\n";

/// What no honest program writes: what it is, the text, and why it cannot be read as a sidecar and as shared tags.
fn bad_records() -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let laughs = (1..12).fold("a0: &a0 [lol]\n".to_owned(), |text, n| {
        text + &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "))
    });
    let deep = "line 1, column 1: brackets are nested too deeply";
    let control = "line 1, column 1: control characters are not allowed";
    let no_sidecar = "line 1, column 1: invalid type: sequence, expected struct Sidecar";
    let no_tags = "line 1, column 1: invalid type: sequence, expected struct ThemeFile";
    let version = "the file has version 99, which is not known here; update stockmill";
    vec![
        (
            "a billion laughs",
            laughs.into_bytes(),
            "line 1, column 1: unknown field `a0`",
            "line 1, column 1: unknown field `a0`",
        ),
        (
            "laughs in a list",
            b"tags: {keywords: &k [&a [x, x], *a, *a]}\nmore: [*k, *k, *k]\n".to_vec(),
            "line 1, column 22: tags.keywords[0]: invalid type: sequence",
            "line 1, column 1: unknown field `tags`",
        ),
        ("deep brackets", "[".repeat(100_000).into_bytes(), deep, deep),
        ("deep maps", "{a: ".repeat(100_000).into_bytes(), deep, deep),
        ("deep dashes", "- ".repeat(100_000).into_bytes(), no_sidecar, no_tags),
        (
            "double keys",
            b"title: a\ntitle: b\ntags: {}\ntags: {}\n".to_vec(),
            "line 1, column 1: unknown field `title`",
            "line 2, column 1: duplicate field `title`",
        ),
        (
            "wrong types",
            b"version: one\ntitle: {a: [1, 2]}\nkeywords: {x: y}\ntags: 5\n".to_vec(),
            "line 1, column 10: version: invalid type: string",
            "line 1, column 10: version: invalid type: string",
        ),
        ("a list", b"- a\n- b\n".to_vec(), no_sidecar, no_tags),
        ("a raw NUL", b"title: a\0b\n".to_vec(), control, control),
        ("UTF-16", "title: Winter\n".encode_utf16().flat_map(u16::to_le_bytes).collect(), control, control),
        (
            "no text",
            vec![0xff; 5_000],
            "line 1, column 1: it is not UTF-8",
            "line 1, column 1: a character is not UTF-8",
        ),
        ("a tag", b"!!python/object/apply:os.system [id]\n".to_vec(), no_sidecar, no_tags),
        ("another version", b"version: 99\n".to_vec(), version, version),
        (
            "100 MB",
            HUGE.repeat(10_000_000),
            "it has 100000000 bytes; at most 1048576 are read",
            "it has 100000000 bytes; at most 1048576 are read",
        ),
    ]
}

#[test]
fn bad_sidecars_and_shared_tags_hold_what_they_are_about_and_are_named() {
    let mut world = World::new(SETTINGS);
    let mut records: Vec<(String, Vec<u8>)> = Vec::new();
    for (what, text, why_no_sidecar, why_no_tags) in bad_records() {
        let (sidecar, tags) = (format!("raw/winter-cabins/{what}.png.yaml"), format!("raw/{what}/tags.yaml"));
        let why = format!("`{sidecar}` cannot be read: ");
        world.drop_picture(format!("{what}.png"), stays(why + why_no_sidecar));
        let bytes = world.picture();
        let why = format!("`{tags}` cannot be read: {why_no_tags}");
        world.put(Path::new("raw").join(what).join("a.png"), &bytes, stays(why));
        records.extend([(sidecar, text.clone()), (tags, text)]);
    }
    // What leads out of the root.
    for (what, field, why) in [
        ("theme", "theme: ../../outside/x", "`../../outside/x` cannot be a folder name"),
        ("id", "id: ../../../x", "`../../../x` is no id of 16 hex digits"),
        (
            "origin",
            "origin: {path: ../../outside/canary.png, hash: '00', kind: png}",
            "origin: `../../outside/canary.png` does not stay below the root",
        ),
    ] {
        let sidecar = format!("raw/winter-cabins/{what}.png.yaml");
        world.drop_picture(format!("{what}.png"), stays(why));
        records.push((sidecar, format!("version: 1\n{field}\n").into_bytes()));
    }
    // Those whose asset never came.
    for name in ["gone.png.yaml", "gone.txt", "gone.xmp", "gone.json"] {
        let why = if name.starts_with("gone.png") {
            "named `gone.png`, which is not here"
        } else {
            "named `gone`, which is not here"
        };
        world.drop(name, format!("title: {name}\n").as_bytes(), stays(why));
    }
    for (path, text) in &records {
        fs::write(world.root.at(path), text).unwrap();
    }
    let root = world.survive();
    for (path, text) in records {
        assert!(fs::read(root.at(&path)).unwrap() == text, "{path} was changed");
    }
}

#[test]
fn what_a_sidecar_calls_remakeable_is_kept_unless_its_original_lies_in_the_archive() {
    // A refined picture that came with its sidecar from another root, or whose archive was emptied.
    let first = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {export: hold}\n");
    first.idea(NOTE);
    assert!(first.once().status.success());
    fs::write(first.at("raw/winter-cabins/a.png"), picture(700, 100)).unwrap();
    assert!(first.once().status.success());
    let name = "export/winter-cabins/winter-cabins-0001.png";
    let (refined, sidecar) = (fs::read(first.at(name)).unwrap(), fs::read(first.at(&format!("{name}.yaml"))).unwrap());

    let world = World::new(SETTINGS);
    fs::create_dir_all(world.root.at("export/winter-cabins")).unwrap();
    fs::write(world.root.at(name), &refined).unwrap();
    fs::write(world.root.at(&format!("{name}.yaml")), sidecar).unwrap();
    run_to_the_end(&world.root);
    let kept = world.root.contents("").iter().filter(|(_, bytes)| *bytes == refined).count();
    assert_eq!(kept, 1, "the only copy is gone: {:?}\n{}", world.root.files(), world.root.log());
}

#[test]
fn neither_tags_nor_models_reach_outside() {
    let mut world = World::new(SETTINGS);
    for (theme, line, fate) in [
        ("above", "use: ['..']", stays("theme `above` uses the tag set `..`, and `tagsets/...yaml` is not there")),
        ("set", "use: [../../outside/canary]", stays("`../../outside/canary`, which cannot be a file in `tagsets/`")),
        ("system", "use: [/etc/passwd]", stays("`/etc/passwd`, which cannot be a file in `tagsets/`")),
        ("document", "documents: [../../../outside/canary.txt]", Arrives),
    ] {
        let bytes = world.picture();
        world.put(Path::new("raw").join(theme).join("a.png"), &bytes, fate);
        fs::write(world.root.at("raw").join(theme).join("tags.yaml"), format!("{TAGS}{line}\n")).unwrap();
    }
    let missing = "it names files that are not here yet: ";
    let obj = b"mtllib ../../../../outside/canary.mtl\nmtllib /etc/passwd\nv 0 0 0\n";
    let why = format!("{missing}../../../../outside/canary.mtl, /etc/passwd;");
    world.put("raw/model/cube.obj".into(), obj, stays(why));
    let gltf = br#"{"asset": {"version": "2.0"}, "buffers": [{"uri": "../../../../outside/canary.png"}, {"uri": "..%2f..%2fx"}], "images": [{"uri": "file:///etc/passwd"}, {"uri": "data:text/plain,x"}]}"#;
    let why = format!("{missing}../../../../outside/canary.png, ../../x, /etc/passwd;");
    world.put("raw/scene/scene.gltf".into(), gltf, stays(why));
    let root = world.survive();
    assert!(!root.csv().iter().any(|row| row[1].contains("canary")));
}

#[test]
fn notes_that_no_honest_person_writes_are_survived() {
    let world = World::new(SETTINGS);
    let mut notes = Vec::new();
    for (what, text, ..) in bad_records() {
        let extensions: &[&str] = if what == "100 MB" { &["yaml"] } else { &["yaml", "md", "txt", "csv"] };
        for extension in extensions {
            let name = format!("{what}.{extension}");
            fs::write(world.root.at("ideas").join(&name), &text).unwrap();
            notes.push(name);
        }
    }
    let root = world.survive();
    let told = [root.log(), root.text(&["status"])].concat();
    for name in notes {
        assert!(told.contains(&name), "{name}\n{told}");
    }
}

#[test]
fn texts_without_end_or_with_foreign_signs_forge_no_row_and_no_mark() {
    let mut world = World::new(SETTINGS);
    let titles = [
        r#""a\",\r\nforged.jpg,x""#,
        r#""a\0b""#,
        r#""\e[31m a""#,
        r#""</rdf:li><x/> & \"'""#,
        "'=cmd|'' /C calc''!A0'",
        r#""\u202ea\u200b""#,
    ];
    let long = format!("title: A cabin\nkeywords: [{}, snow]\n", "w".repeat(10_000));
    let tags = titles.map(|title| format!("title: {title}\nkeywords: [snow, {title}]\n")).into_iter().chain([long]);
    for (n, tags) in (0..).zip(tags) {
        let bytes = world.picture();
        world.put(format!("raw/t{n}/a.png").into(), &bytes, Arrives);
        fs::write(world.root.at(&format!("raw/t{n}/tags.yaml")), tags).unwrap();
    }
    let root = world.survive();
    let rows = root.csv();
    let of = |n: usize| rows.iter().find(|row| row[0] == format!("t{n}-0001.jpg")).unwrap();
    let cells = [0, 1, 2, 3, 4].map(|n| (of(n)[1].as_str(), of(n)[2].as_str()));
    let expected = [
        ("a forged.jpg x", "snow,a forged.jpg x"),
        ("a b", "snow,a b"),
        ("[31m a", "snow,[31m a"),
        ("/rdf:li x/ & '", "snow,</rdf:li><x/> & '"),
        ("cmd ' /C calc'!A0", "snow,cmd|' /C calc'!A0"),
    ];
    assert_eq!(cells, expected);
    let turns_round = |c: char| c.is_control() || c == '\u{202e}';
    assert!(!rows.iter().flatten().any(|cell| cell.contains(turns_round)), "{rows:?}");
    assert!(!rows.iter().flatten().any(|cell| cell.starts_with('=')), "{rows:?}");
}

/// A market gets as many as it takes; a file that is finished without a market holds no more than a picture can.
#[test]
fn more_keywords_than_a_picture_can_hold_are_told_of() {
    let many: Vec<String> = (0..10_000).map(|n| format!("word{n}")).collect();
    let tags = format!("title: A cabin\nkeywords: [{}]\n", many.join(", "));
    let mut world = World::new(SETTINGS);
    world.put("raw/other/a.png".into(), &picture(200, 100), Arrives);
    fs::write(world.root.at("raw/other/tags.yaml"), &tags).unwrap();
    let log = world.survive().log();
    assert!(log.contains("the last 9951 keywords are left out, since it takes 49"), "{log}");

    let root = Root::with(&format!("{SETTINGS}gates: {{upload: hold}}\n"));
    fs::create_dir_all(root.at("raw/other")).unwrap();
    fs::write(root.at("raw/other/a.png"), picture(200, 100)).unwrap();
    fs::write(root.at("raw/other/tags.yaml"), &tags).unwrap();
    root.once();
    let log = root.log();
    assert!(
        log.contains("a picture holds 65502 bytes of XMP, and so it has 2") && log.contains(" of 10000 keywords"),
        "{log}"
    );
    assert!(root.files().iter().any(|name| name.starts_with("upload/other/") && name.ends_with(".jpg")), "{log}");
}
