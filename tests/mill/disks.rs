//! Areas on other disks, and disks that go away.

use std::fs;

use super::{NOTE, Root, picture};

#[test]
fn an_archive_whose_disk_is_away_takes_nothing() {
    for area in ["archive", "failed"] {
        let root = Root::new();
        root.idea(NOTE);
        assert!(root.once().status.success());
        // What an unmounted disk leaves: its empty mount point.
        fs::rename(root.at(area), root.at("away")).unwrap();
        fs::create_dir(root.at(area)).unwrap();
        fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
        root.once();
        assert!(root.log().contains(&format!("stage={area}")) && root.log().contains("Is its disk mounted?"));
        assert_eq!(fs::read_dir(root.at(area)).unwrap().count(), 0, "{area}");
        assert!(root.at("raw/winter-cabins/a.png").exists());
        fs::remove_dir(root.at(area)).unwrap();
        fs::rename(root.at("away"), root.at(area)).unwrap();
        assert!(root.once().status.success());
        assert_eq!(root.bundled().len(), 1);
        // A folder that a person removed is made again.
        fs::remove_dir_all(root.at(area)).unwrap();
        fs::write(root.at("raw/winter-cabins/b.png"), picture(2, 100)).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        assert_eq!(root.bundled().len(), 2);
    }
}

#[test]
fn a_retry_to_another_disk_that_was_cut_off_goes_on_with_the_same_names() {
    let other = tempfile::tempdir_in("/dev/shm").unwrap();
    let root = Root::with(&format!(
        "keep: {{method: lanczos, min_megapixels: 0.04}}\nfolders: {{failed: {}}}\n",
        other.path().join("failed").display()
    ));
    root.idea(NOTE);
    assert!(root.once().status.success());
    let whole = picture(1, 100);
    let old = std::time::SystemTime::UNIX_EPOCH;
    for name in ["a.png", "b.png"] {
        let path = root.at(&format!("raw/winter-cabins/{name}"));
        fs::write(&path, &whole[..whole.len() - name.len() - usize::from(name == "b.png")]).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        fs::write(root.at(&format!("raw/winter-cabins/{name}.xmp")), "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>").unwrap();
    }
    root.once();
    let aside = |name: &str| other.path().join("failed/raw/winter-cabins").join(name);
    assert!(aside("a.png").exists() && aside("b.png.xmp").exists(), "{}", root.log());
    // The copies were complete, and what was copied not yet away.
    for name in ["a.png", "a.png.xmp", "b.png.xmp"] {
        fs::copy(aside(name), root.at(&format!("raw/winter-cabins/{name}"))).unwrap();
    }
    let said = root.text(&["retry"]);
    let mut raw: Vec<String> = fs::read_dir(root.at("raw/winter-cabins"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    raw.retain(|name| name.contains(".png"));
    raw.sort();
    assert_eq!(raw, ["a.png", "a.png.xmp", "b.png", "b.png.xmp"], "{said}");
    assert_eq!(fs::read_dir(other.path().join("failed/raw/winter-cabins")).unwrap().count(), 0, "{said}");
}

#[test]
fn a_stage_may_lie_on_another_disk() {
    let other = tempfile::tempdir_in("/dev/shm").unwrap();
    let root = Root::with(&format!(
        "keep: {{method: lanczos, min_megapixels: 0.04}}\nfolders: {{export: {}}}\n",
        other.path().join("e").display()
    ));
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    fs::write(root.at("raw/winter-cabins/b.png"), picture(2, 300)).unwrap();
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 2, "{}", root.log());
    let scratch = fs::read_dir(other.path().join("e/.stockmill-scratch")).unwrap().count();
    assert_eq!(scratch, 0);

    // Its disk is not mounted: an empty folder is in its place, and must stay empty.
    fs::rename(other.path().join("e"), other.path().join("unmounted")).unwrap();
    fs::create_dir(other.path().join("e")).unwrap();
    fs::write(root.at("raw/winter-cabins/c.png"), picture(3, 100)).unwrap();
    let refused = root.once();
    assert_eq!(refused.status.code(), Some(1));
    assert!(root.log().contains("Is its disk mounted?"), "{}", root.log());
    assert!(root.text(&["status"]).contains("paused   export"), "{}", root.text(&["status"]));
    assert_eq!(fs::read_dir(other.path().join("e")).unwrap().count(), 0);
    fs::remove_dir(other.path().join("e")).unwrap();
    fs::rename(other.path().join("unmounted"), other.path().join("e")).unwrap();
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 3, "{}", root.log());
}

#[test]
fn retry_reaches_a_stage_on_another_disk_and_waits_for_one_that_is_not_mounted() {
    let other = tempfile::tempdir_in("/dev/shm").unwrap();
    let place = other.path().join("raw");
    let root = Root::with(&format!(
        "keep: {{method: lanczos, min_megapixels: 0.04}}\nfolders: {{raw: {}}}\n",
        place.display()
    ));
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(place.join("winter-cabins/a.png"), &picture(1, 100)[..200]).unwrap();
    assert_eq!(root.once().status.code(), Some(1));
    let aside = root.at("failed/raw/winter-cabins/a.png");
    assert!(aside.exists(), "{:?}", root.files());
    fs::write(&aside, picture(1, 100)).unwrap();

    let unmounted = other.path().join("unmounted");
    fs::rename(&place, &unmounted).unwrap();
    fs::create_dir(&place).unwrap();
    let output = root.call(&["retry"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("stays: "), "{output:?}");
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
    assert!(aside.exists());
    let said = root.text(&["verify"]);
    assert!(said.contains("raw: cannot be read") && said.contains("mount its disk"), "{said}");
    fs::remove_dir(&place).unwrap();
    fs::rename(&unmounted, &place).unwrap();

    assert!(root.call(&["retry"]).status.success());
    assert_eq!(fs::read(place.join("winter-cabins/a.png")).unwrap(), picture(1, 100));
    assert!(!aside.exists());
    assert_eq!(fs::read_dir(place.join(".stockmill-scratch")).unwrap().count(), 0);
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(root.bundled().len(), 1);
}

#[test]
fn a_stage_that_goes_away_while_the_daemon_runs_is_paused_and_taken_up_again() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nsettle: {rescan_s: 1, notes_quiet_s: 0}\n");
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    fs::rename(root.at("export"), root.at("away")).unwrap();
    fs::create_dir(root.at("export")).unwrap();
    root.until("it is told", |root| root.log().contains("Paused: "));
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    root.until("it waits in keep", |root| root.at("keep/winter-cabins/winter-cabins-0001.png").exists());
    assert!(root.text(&["status"]).contains("paused   export"));
    assert_eq!(fs::read_dir(root.at("export")).unwrap().count(), 0, "nothing is put under a mount point");
    fs::remove_dir(root.at("export")).unwrap();
    fs::rename(root.at("away"), root.at("export")).unwrap();
    root.until("it goes on", |root| root.csv().len() == 2);
    assert!(root.log().contains("Resumed."));
    daemon.signal("-TERM");
    daemon.ends_well();
}

/// The old tags of a stage that had been away came back in all stages.
#[test]
fn tags_that_changed_while_a_stage_was_away_are_carried_to_it() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nsettle: {rescan_s: 1, notes_quiet_s: 0}\n");
    root.idea(NOTE);
    let daemon = root.run();
    let tags = |root: &Root, stage: &str| {
        fs::read_to_string(root.at(&format!("{stage}/winter-cabins/tags.yaml"))).unwrap_or_default()
    };
    fs::create_dir_all(root.at("keep/winter-cabins")).unwrap();
    root.until("the stages share them", |root| {
        !tags(root, "raw").is_empty() && tags(root, "keep") == tags(root, "raw")
    });
    fs::rename(root.at("keep"), root.at("away")).unwrap();
    root.until("it is told", |root| root.log().contains("Paused: "));
    fs::write(root.at("raw/winter-cabins/tags.yaml"), "title: Written meanwhile\n").unwrap();
    fs::rename(root.at("away"), root.at("keep")).unwrap();
    root.until("they are carried", |root| tags(root, "keep").contains("Written meanwhile"));
    assert!(tags(&root, "raw").contains("Written meanwhile"), "{}", root.log());
    daemon.signal("-TERM");
    daemon.ends_well();
}
