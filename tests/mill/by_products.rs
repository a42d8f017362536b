//! What other programs leave in the inboxes.

use std::fs;

use super::{Root, picture};

/// Deleted pictures came back from `#recycle`, previews became themes, and rejects were bundled.
#[test]
fn what_other_programs_leave_stays_and_is_told_once() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nsettle: {ignore: [\"!_best/\"]}\n");
    let theme = root.at("raw/winter");
    let folders = ["raw/@eaDir", "raw/#recycle", "raw/winter/_rejects", "keep/thumbnails", "export/_old", "raw/_best"];
    fs::create_dir_all(&theme).unwrap();
    fs::write(theme.join("tags.yaml"), "title: Winter cabins\nkeywords: [snow, cabin, winter, cozy, log]\n").unwrap();
    fs::write(theme.join("a.png"), picture(99, 240)).unwrap();
    fs::write(theme.join("grid-0001.png"), picture(98, 240)).unwrap();
    for (n, folder) in (0..).zip(folders) {
        fs::create_dir_all(root.at(folder)).unwrap();
        fs::write(root.at(folder).join("x.png"), picture(n, 240)).unwrap();
    }
    for _ in 0..2 {
        let once = root.once();
        assert!(once.status.success(), "{}\n{}", String::from_utf8_lossy(&once.stderr), root.log());
    }
    for folder in &folders[..5] {
        assert!(root.at(folder).join("x.png").exists(), "{folder}");
    }
    assert!(theme.join("grid-0001.png").exists() && !root.at("raw/_best/x.png").exists());
    assert_eq!(root.bundled().len(), 1, "{:?}", root.files());
    let log = root.log();
    let told = |what: &str| log.lines().filter(|line| line.contains(what) && line.contains("left alone")).count();
    assert_eq!(told("file=keep/thumbnails"), 2, "once in each run: {log}");
    let status: serde_json::Value = serde_json::from_str(&root.text(&["status", "--json"])).unwrap();
    let left = |stage: &str| status["stages"][stage]["left_alone"].as_array().unwrap().len();
    assert_eq!([left("raw"), left("keep"), left("export"), left("upload")], [4, 1, 1, 0], "{status}");
    for (path, why) in [
        ("raw/@eaDir/x.png", "a NAS"),
        ("raw/winter/_rejects", "\"!_rejects/\""),
        ("keep/thumbnails/x.png", "!thumbnails/"),
    ] {
        let said = root.text(&["explain", path]);
        assert!(said.contains("alone") && said.contains(why), "{path}: {said}");
    }
}

/// A picture of a theme went on without the tags that a person had written into `Tags.yaml`, and a video was sold
/// three times: with sound, without, and as its first frame.
#[test]
fn tags_under_a_wrong_name_and_parts_of_a_video_are_not_taken_for_nothing() {
    let root = Root::with("gates: {keep: hold}\n");
    for theme in ["cabin", "waves"] {
        fs::create_dir_all(root.at("raw").join(theme)).unwrap();
    }
    let part = |name: &[u8; 4], size: usize| {
        [&u32::try_from(size + 8).unwrap().to_be_bytes()[..], name, &vec![0; size]].concat()
    };
    let video = |size| [part(b"ftyp", 8), part(b"moov", 20), part(b"mdat", size)].concat();
    fs::write(root.at("raw/cabin/x.png"), picture(1, 240)).unwrap();
    fs::write(root.at("raw/cabin/Tags.yaml"), "title: A cabin\n").unwrap();
    fs::write(root.at("raw/waves/A_00001.png"), picture(2, 240)).unwrap();
    fs::write(root.at("raw/waves/A_00001.mp4"), video(99)).unwrap();
    fs::write(root.at("raw/waves/A_00001-audio.mp4"), video(199)).unwrap();
    fs::write(root.at("raw/waves/B_00002.mp4"), video(299)).unwrap();
    assert!(root.once().status.success());
    let in_keep = |theme: &str| {
        let mut files = root.files();
        files.retain(|name| name.starts_with(&format!("keep/{theme}/{theme}-")));
        files.into_iter().map(|name| name.rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(in_keep("waves"), ["waves-0001-silent.mp4", "waves-0001.mp4", "waves-0001.mp4.yaml", "waves-0001.png"]);
    let status = root.text(&["status"]);
    assert!(status.contains("keep     0 ready, 1 held, 0 left alone"), "{status}");
    assert!(status.contains("`raw/cabin/Tags.yaml` is not read") && status.contains("B_00002-audio.mp4"), "{status}");
    assert_eq!(in_keep("cabin"), [""; 0], "{:?}", root.files());
    fs::rename(root.at("raw/cabin/Tags.yaml"), root.at("raw/cabin/tags.yaml")).unwrap();
    assert!(root.once().status.success());
    assert_eq!(in_keep("cabin"), ["cabin-0001.png", "cabin-0001.png.yaml"]);
}
