//! What other programs leave in the inboxes.

use std::fs;

use super::{Root, picture};

/// Deleted pictures came back from `#recycle`, previews became themes, and rejects were bundled.
#[test]
fn what_other_programs_leave_stays_and_is_told_once() {
    let root = Root::with("keep: {min_megapixels: 0.04}\nsettle: {ignore: [\"!_best/\"]}\n");
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
    for (path, why) in
        [("raw/@eaDir/x.png", "a NAS"), ("raw/winter/_rejects", "`_`"), ("keep/thumbnails/x.png", "!thumbnails/")]
    {
        let said = root.text(&["explain", path]);
        assert!(said.contains("alone") && said.contains(why), "{path}: {said}");
    }
}
