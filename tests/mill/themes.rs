//! Themes and the tags that their folders share.

use std::fs;

use super::{NOTE, Root, picture};

#[test]
fn a_file_finds_the_theme_that_only_another_stage_has() {
    let root = Root::with("gates: {keep: hold}\n");
    // `upload` is the last to be walked; nothing may depend on that.
    fs::create_dir_all(root.at("upload/Winter Cabins")).unwrap();
    let path = root.at("raw/winter_cabins_00012.png");
    fs::write(&path, picture(1, 100)).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let plan = root.text(&["plan"]);
    assert!(plan.contains("-> keep/Winter Cabins/"), "{plan}");
    assert!(root.once().status.success());
    assert_eq!(root.contents("keep/Winter Cabins").len(), 2, "{:?}\n{}", root.files(), root.log());
}

#[test]
fn a_change_of_tags_reaches_other_stages_and_open_bundles() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let tags = root.at("keep/winter-cabins/tags.yaml");
    let text = fs::read_to_string(&tags).unwrap().replace("title: Winter cabins", "title: Snowed in");
    fs::write(&tags, &text).unwrap();
    assert!(root.once().status.success());
    for stage in ["raw", "export", "upload"] {
        assert_eq!(fs::read_to_string(root.at(&format!("{stage}/winter-cabins/tags.yaml"))).unwrap(), text, "{stage}");
    }
    assert_eq!(root.csv()[1][1], "Snowed in");
    let bytes = fs::read(&root.bundled()[0]).unwrap();
    let meta = stockmill::craft::embedded_xmp(&bytes, stockmill::model::Kind::Jpeg).unwrap();
    assert_eq!(stockmill::craft::read_xmp(&meta).unwrap().title.as_deref(), Some("Snowed in"));

    // Changes made apart are merged; a real conflict keeps both.
    fs::write(root.at("raw/winter-cabins/tags.yaml"), text.replace("- cozy", "- cozy\n  - raw word")).unwrap();
    fs::write(&tags, text.replace("- cozy", "- cozy\n  - keep word").replace("Snowed in", "Deep snow")).unwrap();
    assert!(root.once().status.success());
    let merged = fs::read_to_string(root.at("export/winter-cabins/tags.yaml")).unwrap();
    for word in ["raw word", "keep word", "Deep snow"] {
        assert!(merged.contains(word), "{merged}");
    }
}

#[test]
fn a_tag_file_that_nobody_can_read_is_told_once_and_spreads_nowhere() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    for stage in ["keep", "export"] {
        fs::create_dir_all(root.at(&format!("{stage}/winter-cabins"))).unwrap();
    }
    assert!(root.once().status.success());
    let tags = root.at("keep/winter-cabins/tags.yaml");
    let sound = fs::read_to_string(&tags).unwrap();
    let daemon = root.run();
    fs::write(&tags, "title: [Winter\n").unwrap();
    let lines = |root: &Root| root.log().lines().filter(|line| line.contains("Held: it cannot be read")).count();
    root.until("the broken file is told", |root| lines(root) == 1);
    assert!(root.log().contains("file=keep/winter-cabins/tags.yaml"), "{}", root.log());
    // Looked at again, it is no news; mended, its change goes on.
    fs::write(root.at("keep/winter-cabins/near.txt"), "x").unwrap();
    root.until("the folder is looked at again", |root| root.log().contains("near.txt"));
    fs::write(&tags, sound.replace("title: Winter cabins", "title: Mended")).unwrap();
    root.until("the mended file reaches the others", |root| {
        fs::read_to_string(root.at("export/winter-cabins/tags.yaml")).is_ok_and(|text| text.contains("title: Mended"))
    });
    assert_eq!(lines(&root), 1, "{}", root.log());
    fs::write(&tags, "title: [Winter\n").unwrap();
    root.until("it is told anew", |root| lines(root) == 2);
    daemon.signal("-TERM");
    daemon.ends_well();
}
