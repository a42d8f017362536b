//! What is written beside pictures, and in notes.

use std::fs;
use std::path::Path;

use stockmill::model::ContentHash;

use super::{Arrives, ArrivesOrSetAside, SETTINGS, Stays, TAGS, World, canaries, run_to_the_end};
use crate::{NOTE, Root, picture};

/// What a record of 100 MB consists of.
const HUGE: &[u8] = b"# comment\n";

/// Sidecars that no honest program writes.
fn bad_records() -> Vec<(&'static str, Vec<u8>)> {
    let laughs = (1..12).fold("a0: &a0 [lol]\n".to_owned(), |text, n| {
        text + &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "))
    });
    vec![
        ("a billion laughs", laughs.into_bytes()),
        ("laughs in a list", b"tags: {keywords: &k [&a [x, x], *a, *a]}\nmore: [*k, *k, *k]\n".to_vec()),
        ("deep brackets", "[".repeat(100_000).into_bytes()),
        ("deep maps", "{a: ".repeat(100_000).into_bytes()),
        ("deep dashes", "- ".repeat(100_000).into_bytes()),
        ("double keys", b"title: a\ntitle: b\ntags: {}\ntags: {}\n".to_vec()),
        ("wrong types", b"version: one\ntitle: {a: [1, 2]}\nkeywords: {x: y}\ntags: 5\n".to_vec()),
        ("a list", b"- a\n- b\n".to_vec()),
        ("a raw NUL", b"title: a\0b\n".to_vec()),
        ("UTF-16", "title: Winter\n".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("no text", vec![0xff; 5_000]),
        ("a tag", b"!!python/object/apply:os.system [id]\n".to_vec()),
        ("another version", b"version: 99\n".to_vec()),
    ]
}

#[test]
fn bad_sidecars_hold_their_asset_and_are_named() {
    let mut world = World::new(SETTINGS);
    for (what, text) in bad_records() {
        world.drop_picture(format!("{what}.png"), Stays(".png.yaml"));
        fs::write(world.raw(format!("{what}.png.yaml")), &text).unwrap();
    }
    let root = world.survive();
    for (what, text) in bad_records() {
        assert_eq!(fs::read(root.at(&format!("raw/winter-cabins/{what}.png.yaml"))).unwrap(), text, "{what}");
    }
}

#[test]
fn a_sidecar_of_100_mb_is_named_as_the_reason() {
    let mut world = World::new(SETTINGS);
    let picture = world.picture();
    fs::write(world.raw("a.png"), picture).unwrap();
    fs::write(world.raw("a.png.yaml"), HUGE.repeat(10_000_000)).unwrap();
    let root = world.survive();
    let told = [root.log(), root.text(&["status"])].concat();
    let is_told = told.lines().any(|line| line.contains("a.png.yaml") && line.contains("100000000 bytes"));
    assert!(is_told, "the reason must not speak of the picture\n{told}");
}

#[test]
fn sidecars_with_paths_that_leave_the_root_are_refused() {
    let fields = [
        "theme: ../../outside/x",
        "theme: /etc",
        "theme: a/b",
        "theme: ..",
        "origin: {path: ../../outside/canary.png, hash: '00', kind: png}",
        "tags: {keywords: [a]}\norigin: {path: raw/a.png, hash: '0000000000000000000000000000000000000000000000000000000000000000', kind: png, archived: ../../outside/canary.png}",
    ];
    for field in fields {
        let mut world = World::new(SETTINGS);
        world.drop_picture("a.png", Stays("a.png.yaml"));
        fs::write(world.raw("a.png.yaml"), format!("version: 1\n{field}\n")).unwrap();
        world.survive();
    }
}

#[test]
fn sidecars_with_an_identity_that_is_none_are_refused() {
    for id in ["../../../x", "zz", "''", "0123456789abcdef0"] {
        let mut world = World::new(SETTINGS);
        world.drop_picture("a.png", Stays("a.png.yaml"));
        fs::write(world.raw("a.png.yaml"), format!("version: 1\nid: {id}\n")).unwrap();
        world.survive();
    }
}

#[test]
fn what_a_sidecar_calls_remakeable_is_kept_unless_its_original_lies_in_the_archive() {
    // A refined picture that came with its sidecar from another root, or whose archive was emptied.
    let first = Root::with("keep: {min_megapixels: 0.04}\ngates: {export: hold}\n");
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
fn bad_shared_tags_hold_their_theme_and_are_named() {
    let mut world = World::new(SETTINGS);
    let mut records = bad_records();
    records.push(("100 MB", HUGE.repeat(10_000_000)));
    for (what, text) in &records {
        let bytes = world.picture();
        world.put(Path::new("raw").join(what).join("a.png"), &bytes, Stays("tags.yaml"));
        fs::write(world.root.at("raw").join(what).join("tags.yaml"), text).unwrap();
    }
    let root = world.survive();
    for (what, text) in records {
        assert!(fs::read(root.at("raw").join(what).join("tags.yaml")).unwrap() == text, "{what}");
    }
}

#[test]
fn shared_tags_cannot_reach_outside() {
    for line in
        ["use: [../../outside/canary]", "use: [/etc/passwd]", "documents: [../../../outside/canary.txt]", "use: ['..']"]
    {
        let mut world = World::new(SETTINGS);
        world.put("raw/other/a.png".into(), &picture(200, 100), Arrives);
        fs::write(world.root.at("raw/other/tags.yaml"), format!("{TAGS}{line}\n")).unwrap();
        // Whether the theme waits for a set that cannot be or does without: nothing outside is looked at.
        world.fates.pop();
        let root = Root::outside(&world.root);
        let before = canaries(&root);
        run_to_the_end(&world.root);
        assert_eq!(canaries(&root), before);
        assert!(!world.root.csv().iter().any(|row| row[1].contains("canary")));
    }
}

#[test]
fn models_that_name_files_outside_wait_or_go_without_them() {
    let mut world = World::new("upload: {markets: []}\n");
    fs::write(world.raw("cube.obj"), "mtllib ../../../../outside/canary.mtl\nmtllib /etc/passwd\nv 0 0 0\n").unwrap();
    let gltf = r#"{"asset": {"version": "2.0"}, "buffers": [{"uri": "../../../../outside/canary.png"}, {"uri": "..%2f..%2fx"}], "images": [{"uri": "file:///etc/passwd"}, {"uri": "data:text/plain,x"}]}"#;
    fs::write(world.raw("scene.gltf"), gltf).unwrap();
    let good = world.picture();
    fs::write(world.raw("good.png"), good).unwrap();
    run_to_the_end(&world.root);
    run_to_the_end(&world.root);
    world.check_log();
    assert!(world.outside.join("canary.mtl").exists());
    let text = [world.root.text(&["status"]), world.root.log()].concat();
    assert!(text.contains("cube.obj") && text.contains("scene.gltf"), "{text}");
}

#[test]
fn notes_that_no_honest_person_writes_are_survived() {
    for extension in ["yaml", "md", "txt", "csv"] {
        let world = World::new(SETTINGS);
        let mut records = bad_records();
        if extension == "yaml" {
            records.push(("100 MB", HUGE.repeat(10_000_000)));
        }
        for (what, text) in &records {
            fs::write(world.root.at("ideas").join(format!("{what}.{extension}")), text).unwrap();
        }
        let root = world.survive();
        let told = [root.log(), root.text(&["status"])].concat();
        for (what, _) in records {
            assert!(told.contains(&format!("{what}.{extension}")), "{what}.{extension}\n{told}");
        }
    }
}

#[test]
fn texts_of_every_encoding_are_read() {
    let forms: [(&str, Vec<u8>); 3] = [
        ("BOM", [b"\xef\xbb\xbf", TAGS.as_bytes()].concat()),
        ("CRLF", TAGS.replace('\n', "\r\n").into_bytes()),
        ("BOM and CRLF", [b"\xef\xbb\xbf", TAGS.replace('\n', "\r\n").as_bytes()].concat()),
    ];
    for (what, text) in forms {
        let mut world = World::new(SETTINGS);
        world.put("raw/other/a.png".into(), &picture(200, 100), Arrives);
        fs::write(world.root.at("raw/other/tags.yaml"), text).unwrap();
        let root = world.survive();
        assert!(root.csv().iter().any(|row| row[1] == "A cabin"), "{what}");
    }
}

#[test]
fn texts_cannot_forge_a_row_or_a_mark() {
    let titles = [
        r#""a\",\r\nforged.jpg,x""#,
        r#""a\0b""#,
        r#""\e[31m a""#,
        r#""</rdf:li><x/> & \"'""#,
        "'=cmd|'' /C calc''!A0'",
        r#""\u202e\u200b""#,
    ];
    for title in titles {
        let mut world = World::new(SETTINGS);
        let bytes = world.picture();
        world.put("raw/other/a.png".into(), &bytes, ArrivesOrSetAside);
        fs::write(world.root.at("raw/other/tags.yaml"), format!("title: {title}\nkeywords: [snow, {title}]\n"))
            .unwrap();
        world.fates.pop();
        let kept = ContentHash::of(&bytes);
        run_to_the_end(&world.root);
        world.check_log();
        let whole = world.root.contents("").iter().filter(|(_, bytes)| ContentHash::of(bytes) == kept).count();
        assert_eq!(whole, 1, "{title}");
        let rows = world.root.csv();
        assert_eq!(rows.len().saturating_sub(1), world.root.bundled().len(), "{title}: {rows:?}");
        let bad = |c: char| c.is_control();
        assert!(!rows.iter().flatten().any(|cell| cell.contains(bad)), "{title}: {rows:?}");
        assert!(!rows.iter().flatten().any(|cell| cell.starts_with('=')), "{title}: {rows:?}");
    }
}

#[test]
fn keywords_without_end_are_cut_or_told_of() {
    let many: Vec<String> = (0..10_000).map(|n| format!("word{n}")).collect();
    let long = "w".repeat(10_000);
    for keywords in [format!("keywords: [{}]", many.join(", ")), format!("keywords: [{long}, snow]")] {
        let mut world = World::new(SETTINGS);
        let bytes = world.picture();
        world.put("raw/other/a.png".into(), &bytes, Arrives);
        world.fates.pop();
        fs::write(world.root.at("raw/other/tags.yaml"), format!("title: A cabin\n{keywords}\n")).unwrap();
        run_to_the_end(&world.root);
        let rows = world.root.csv();
        let status = world.root.text(&["status"]);
        match rows.get(1) {
            Some(row) => assert!(row[2].split(',').count() <= 49, "{} keywords", row[2].split(',').count()),
            None => assert!(status.contains("other/") && status.contains("metadata"), "{status}"),
        }
    }
}

#[test]
fn sidecars_without_their_asset_stay() {
    let mut world = World::new(SETTINGS);
    for name in ["gone.png.yaml", "gone.txt", "gone.xmp", "gone.json"] {
        world.drop(name, format!("title: {name}\n").as_bytes(), Stays("not here"));
    }
    world.survive();
}
