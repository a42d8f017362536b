//! Notes that are still being written, that come back, and that are taken back.

use std::fs;

use super::Root;

/// A note was taken 250 ms after an editor had saved it, and while the editor had it open.
#[test]
fn a_note_goes_on_when_nobody_writes_it_any_more() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nsettle: {notes_quiet_s: 1}\n");
    fs::write(root.at("ideas/open.md"), "- Summer lakes\n").unwrap();
    fs::write(root.at("ideas/.open.md.swp"), "b0VIM").unwrap();
    root.idea("- Winter cabins\n\nAsk Tom.\n");
    let planned = root.text(&["plan", "ideas/note.md"]);
    for said in ["quiet for 1 s (`settle.notes_quiet_s`)", "line 1: Winter cabins", "line 3: `Ask Tom.`: it is neither"]
    {
        assert!(planned.contains(said), "{planned}");
    }
    assert!(root.once().status.success(), "{}", root.log());
    assert!(root.files().contains(&"raw/winter-cabins/tags.yaml".to_owned()), "{:?}", root.files());
    assert!(root.files().contains(&"ideas/open.md".to_owned()), "{}", root.log());
    let report = "1 line not understood or left out (see `archive/ideas/note.md.report.txt`)";
    assert!(root.log().contains(report) && root.at("archive/ideas/note.md.report.txt").exists(), "{}", root.log());
    let why = "an editor has it open: `ideas/.open.md.swp` is there";
    assert!(root.log().contains(why) && root.text(&["explain", "ideas/open.md"]).contains(why), "{}", root.log());
    fs::remove_file(root.at("ideas/.open.md.swp")).unwrap();
    assert!(root.once().status.success());
    assert!(root.files().contains(&"raw/summer-lakes/tags.yaml".to_owned()), "{}", root.log());
}

/// `undo` of a note left its themes; the tags of a theme whose folders were gone came back with a folder of its name.
#[test]
fn what_is_undone_or_deleted_stays_so() {
    // A folder that a person makes gets commented tags when it was quiet for so long.
    let root =
        Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nsettle: {notes_quiet_s: 0, weak_quiet_ms: 60000}\n");
    root.idea("- Winter cabins\n  - prompt: a cabin\n- Sea\n");
    assert!(root.once().status.success(), "{}", root.log());
    let mine = "title: Mine\n";
    fs::write(root.at("raw/sea/tags.yaml"), mine).unwrap();
    let said = root.text(&["undo"]);
    assert!(said.contains("theme `sea` stays as it is: `raw/sea/tags.yaml` was changed since"), "{said}");
    for gone in ["raw/winter-cabins", ".stockmill/tags/winter-cabins", "archive/ideas/note.md"] {
        assert!(!root.at(gone).exists(), "{gone}");
    }
    assert_eq!(fs::read_to_string(root.at("raw/sea/tags.yaml")).unwrap(), mine);
    fs::create_dir(root.at("raw/winter-cabins")).unwrap();
    assert!(root.once().status.success());
    assert_eq!(root.files(), ["ideas/note.md", "raw/sea/tags.yaml"], "{}", root.log());
}

/// Every save of a note while it was typed left themes of its own.
#[test]
fn a_note_that_comes_back_changes_what_it_gave() {
    let root = Root::with("settle: {quiet_ms: 0, notes_quiet_s: 0}\n");
    root.idea("- Winter cab\n- Sea\n- Hill\n");
    assert!(root.once().status.success(), "{}", root.log());
    fs::write(root.at("raw/hill/tags.yaml"), "title: Mine\n").unwrap();
    root.idea("- Winter cabins — snow\n- Sea\n");
    let planned = root.text(&["plan", "ideas/note.md"]);
    assert!(planned.contains("remove  raw/winter-cab/tags.yaml"), "{planned}");
    assert!(root.once().status.success(), "{}", root.log());
    let themes = |names: &[&str]| names.iter().all(|name| root.at(&format!("raw/{name}/tags.yaml")).exists());
    assert!(themes(&["winter-cabins", "sea", "hill"]) && !root.at("raw/winter-cab").exists(), "{:?}", root.files());
    let told = "a revision of `archive/ideas/note.md`: `winter-cab` renamed to `winter-cabins`, `hill` stays although";
    assert!(root.log().contains(told), "{}", root.log());
    assert_eq!(fs::read_to_string(root.at("raw/hill/tags.yaml")).unwrap(), "title: Mine\n");

    let said = root.text(&["undo"]);
    assert!(said.contains("archive/ideas/note-2.md -> ideas/note.md"), "{said}");
    assert!(themes(&["winter-cab", "sea", "hill"]) && !root.at("raw/winter-cabins").exists(), "{:?}", root.files());
}

#[test]
fn a_theme_that_is_removed_beside_a_daemon_is_forgotten() {
    let root = Root::new();
    root.idea("- Sea\n- Hill\n");
    let daemon = root.run();
    root.until("the tags are remembered", |root| root.at(".stockmill/tags/sea/tags.yaml").exists());
    root.until("the tags are remembered", |root| root.at(".stockmill/tags/hill/tags.yaml").exists());
    fs::remove_dir_all(root.at("raw/sea")).unwrap();
    root.until("they are forgotten", |root| !root.at(".stockmill/tags/sea").exists());
    assert!(root.at(".stockmill/tags/hill/tags.yaml").exists());
    daemon.signal("-TERM");
    daemon.ends_well();
    // And while nobody looks.
    fs::remove_dir_all(root.at("raw/hill")).unwrap();
    fs::create_dir(root.at("raw/hill")).unwrap();
    fs::write(root.at("raw/hill/a.png"), super::picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    // The folder is a new theme: if it has tags, then the commented ones, which say nothing.
    let tags = root.files().into_iter().filter(|name| name.ends_with("tags.yaml"));
    for text in tags.map(|name| fs::read_to_string(root.at(&name)).unwrap()) {
        assert!(text.lines().all(|line| line.starts_with('#') || line == "version: 1"), "{text}\n{}", root.log());
    }
}
