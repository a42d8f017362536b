//! Themes and the tags that their folders share.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use super::{NOTE, Root, picture};

#[test]
fn a_file_finds_the_theme_that_only_another_stage_has() {
    // Its new folder is to get no `tags.yaml` however long the mill is at work.
    let root = Root::with("gates: {keep: hold}\nsettle: {notes_quiet_s: 0, weak_quiet_ms: 600000}\n");
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
    // Where a theme has a folder, it has its tags.
    for stage in ["keep", "export", "upload"] {
        fs::create_dir_all(root.at(stage).join("winter-cabins")).unwrap();
    }
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
fn a_theme_that_a_person_makes_gets_the_commented_tags() {
    let root = Root::with("gates: {raw: hold}\n");
    let daemon = root.run();
    fs::create_dir_all(root.at("raw/sea")).unwrap();
    fs::create_dir_all(root.at("raw/2026-11-28")).unwrap();
    root.until("the commented tags lie there", |root| root.at("raw/sea/tags.yaml").exists());
    let text = fs::read_to_string(root.at("raw/sea/tags.yaml")).unwrap();
    assert!(text.contains("# title: ") && text.contains("# keywords: "), "{text}");
    // A note that names it writes what it knows behind the examples.
    root.idea("- Sea — wave, foam\n");
    root.until("the note joins it", |root| {
        fs::read_to_string(root.at("raw/sea/tags.yaml")).is_ok_and(|text| text.contains("\ntitle: Sea\n"))
    });
    let text = fs::read_to_string(root.at("raw/sea/tags.yaml")).unwrap();
    assert!(text.contains("# title: Winter cabins\ntitle: Sea\n"), "{text}");
    assert!(!root.at("raw/2026-11-28/tags.yaml").exists());
    daemon.signal("-TERM");
    daemon.ends_well();
}

#[test]
fn a_change_of_tags_names_the_bundles_that_are_sent_and_a_duplicate_the_file_with_its_bytes() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let bundle = root.bundled()[0].parent().unwrap().parent().unwrap().to_owned();
    fs::write(bundle.join("SENT"), "").unwrap();
    let tags = root.at("raw/winter-cabins/tags.yaml");
    let text = fs::read_to_string(&tags).unwrap();
    let told = || root.log().matches("is sent already and stays as it is").count();
    fs::write(&tags, format!("{text}# mine\n")).unwrap();
    assert!(root.once().status.success());
    assert_eq!(told(), 0, "a comment is no other tag");
    fs::write(&tags, text.replace("title: Winter cabins", "title: Snowed in")).unwrap();
    assert!(root.once().status.success());
    assert_eq!(told(), 1, "{}", root.log());

    // The JPEG in the bundle has other bytes than what was dropped: the original has them.
    fs::write(root.at("raw/winter-cabins/again.png"), picture(1, 100)).unwrap();
    assert_eq!(root.once().status.code(), Some(1));
    let reason = fs::read_to_string(root.at("failed/raw/winter-cabins/again.png.reason.txt")).unwrap();
    assert!(reason.starts_with("it has the same bytes as `archive/winter-cabins/winter-cabins-0001.png`"), "{reason}");
}

#[test]
fn of_two_copies_the_one_that_lay_there_first_goes_on() {
    let root = Root::with("gates: {keep: hold}\n");
    fs::create_dir_all(root.at("raw/t")).unwrap();
    let date = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    let dropped = |name: &str| {
        let path = root.at("raw/t").join(name);
        fs::write(&path, picture(1, 100)).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(date).unwrap();
        let seen = fs::metadata(&path).unwrap();
        (seen.ctime(), seen.ctime_nsec())
    };
    // The clock of the file system may stand still between the two.
    let first = dropped("z.png");
    while dropped("a.png") == first {}
    assert_eq!(root.once().status.code(), Some(1));
    assert!(root.at("failed/raw/t/a.png").exists(), "{:?}", root.files());
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
