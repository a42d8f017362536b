//! 3D models: their parts go with them, and never to the market as pictures.

use std::fs;

use super::{Root, picture};

/// Puts a model whose texture lies on another disk beside two pictures and a generator's own.
fn drop_model(root: &Root) {
    let raw = root.at("raw/chairs");
    fs::create_dir_all(raw.join("textures")).unwrap();
    fs::write(raw.join("chair.obj"), "mtllib\tChair.MTL\nv 0 0 0\n").unwrap();
    fs::write(raw.join("chair.mtl"), "newmtl a\nmap_Kd C:\\art\\gone.png\nmap_Bump \"wood grain.png\"\n").unwrap();
    fs::write(raw.join("wood grain.png"), picture(1, 240)).unwrap();
    fs::write(raw.join("textures/rough.png"), picture(2, 240)).unwrap();
    fs::write(raw.join("maybe.png"), picture(3, 240)).unwrap();
    let own = picture(4, 240);
    let text = b"\0\0\0\x0btEXtprompt\0{\"1\"\0\0\0\0";
    // Behind the header, with a checksum that is right.
    let mut chunk = text.to_vec();
    let end = chunk.len() - 4;
    let checksum = crc32fast::hash(&chunk[4..end]).to_be_bytes();
    chunk[end..].copy_from_slice(&checksum);
    fs::write(raw.join("own.png"), [&own[..33], &chunk, &own[33..]].concat()).unwrap();
    fs::write(
        raw.join("tags.yaml"),
        "title: A chair\ndescription: A chair\nkeywords: [chair, wood, seat, home, oak]\n",
    )
    .unwrap();
}

/// The textures of a model that names one of them by another disk's path were sold as photographs.
#[test]
fn a_model_that_misses_something_waits_with_all_its_parts() {
    let root = Root::new();
    drop_model(&root);
    root.once();
    let raw = ["chair.mtl", "chair.obj", "maybe.png", "tags.yaml", "textures/rough.png", "wood grain.png"];
    let left: Vec<String> = root.files().into_iter().filter(|name| name.starts_with("raw/chairs/")).collect();
    assert_eq!(left, raw.map(|name| format!("raw/chairs/{name}")), "{}", root.log());
    assert_eq!(root.bundled().len(), 1, "{}", root.log());
    for name in ["chair.obj", "chair.mtl", "maybe.png", "textures/rough.png", "wood grain.png"] {
        let path = root.at(&format!("raw/chairs/{name}"));
        let why = root.text(&["explain", path.to_str().unwrap()]);
        assert!(why.contains("gone.png") && why.contains("release raw chairs"), "{name}: {why}");
    }
    // A person lets them go as they are: the model with its parts, under their own names, and the picture.
    assert!(root.call(&["release", "raw", "chairs"]).status.success());
    root.once();
    assert_eq!(root.bundled().len(), 2, "{}", root.log());
    let names = root.files();
    let of = |name: &str| names.iter().filter(|path| path.ends_with(name)).cloned().collect::<Vec<_>>();
    for part in ["/chair.obj", "/chair.mtl", "/wood grain.png", "/textures/rough.png"] {
        let found = of(part);
        assert_eq!(found.len(), 1, "{part}: {names:?}\n{}", root.log());
        assert!(found[0].starts_with("upload/chairs/"), "{found:?}");
    }
}

/// The pictures became the theme `textures`; beside a model that names nothing, one walk later.
#[test]
fn a_model_in_no_theme_keeps_the_folder_beside_it_from_being_a_theme() {
    for images in [r#"{"uri":"textures/wood.png"}"#, ""] {
        let root = Root::new();
        fs::create_dir(root.at("raw/textures")).unwrap();
        fs::write(root.at("raw/textures/wood.png"), picture(1, 240)).unwrap();
        fs::write(root.at("raw/m.gltf"), format!(r#"{{"asset":{{}},"images":[{images}]}}"#)).unwrap();
        root.once();
        root.once();
        let names = root.files();
        assert!(
            ["raw/m.gltf", "raw/textures/wood.png"].iter().all(|name| names.contains(&(*name).to_owned())),
            "{names:?}"
        );
        assert!(root.text(&["status"]).contains("put the model and this folder into a theme's folder"));
        assert!(root.call(&["release", "raw", "textures"]).status.success());
        root.once();
        let names = root.files();
        // The one that names nothing goes on as soon as there is nothing more to wait for.
        assert_eq!(names.contains(&"raw/m.gltf".to_owned()), !images.is_empty(), "{}", root.log());
        assert!(!names.contains(&"raw/textures/wood.png".to_owned()), "{}", root.log());
    }
}

/// A part was renamed on its way to `failed/`, and its model did not find it any more.
#[test]
fn parts_keep_their_names_and_places_in_failed_and_back() {
    let root = Root::new();
    // The first one goes on; whoever has its bytes is set aside.
    for n in 0..3 {
        let raw = root.at("raw/t/source");
        fs::create_dir_all(&raw).unwrap();
        fs::create_dir_all(root.at("raw/t/textures")).unwrap();
        fs::write(raw.join("m.gltf"), r#"{"asset":{},"images":[{"uri":"C:/w.png"}]}"#).unwrap();
        fs::write(root.at("raw/t/textures/w.png"), picture(n, 64)).unwrap();
        root.once();
    }
    let failed = |name: &str| format!("failed/raw/t{name}");
    let names = root.files();
    for name in ["/source/m.gltf", "/textures/w.png", "/m-2/source/m.gltf", "/m-2/textures/w.png"] {
        assert!(names.contains(&failed(name)), "{name}: {names:?}\n{}", root.log());
    }
    assert!(root.call(&["retry", "raw"]).status.success());
    let names = root.files();
    for name in ["/source/m.gltf", "/textures/w.png", "/m-2/source/m.gltf", "/m-2/textures/w.png"] {
        assert!(names.contains(&format!("raw/t{name}")), "{name}: {names:?}");
    }
}
