//! What a person takes back: `retry` and `undo`.

use std::fs;
use std::process::Command;

use super::{NOTE, Root, picture};

#[test]
fn what_was_set_aside_is_taken_up_again() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    assert!(root.text(&["retry"]).contains("Nothing is set aside."));
    let (raw, aside) = (root.at("raw/winter-cabins"), root.at("failed/raw/winter-cabins"));
    let cut = |seed: u32| picture(seed, 100)[..200].to_vec();
    for name in ["a", "b", "c"] {
        fs::write(raw.join(format!("{name}.png")), cut(u32::from(name.as_bytes()[0]))).unwrap();
        fs::write(raw.join(format!("{name}.png.yaml")), format!("tags: {{title: Title {name}}}\n")).unwrap();
        fs::write(raw.join(format!("{name}.txt")), format!("prompt {name}")).unwrap();
    }
    fs::write(root.at("ideas/nothing.md"), "\n").unwrap();
    assert_eq!(root.once().status.code(), Some(1));
    assert_eq!(fs::read_dir(&aside).unwrap().count(), 12, "{:?}", root.files());

    // One, by where it lay; a stage; one that was never there.
    assert_eq!(root.call(&["retry", "raw/winter-cabins/z.png"]).status.code(), Some(1));
    let said = root.text(&["retry", "raw/winter-cabins/c.png"]);
    assert!(said.starts_with("failed/raw/winter-cabins/c.png -> raw/winter-cabins/c.png\n"), "{said}");
    assert_eq!(fs::read(raw.join("c.png")).unwrap(), cut(u32::from(b'c')));
    for name in ["c.png", "c.png.yaml", "c.txt"] {
        assert!(raw.join(name).exists(), "{name}: {:?}", root.files());
        fs::remove_file(raw.join(name)).unwrap();
    }
    assert_eq!(fs::read_dir(&aside).unwrap().count(), 8, "its note is gone: {:?}", root.files());
    let said = root.text(&["retry", "ideas"]);
    assert!(said.starts_with("failed/ideas/nothing.md -> ideas/nothing.md\n"), "{said}");
    fs::write(root.at("ideas/nothing.md"), "- Sea\n").unwrap();

    // They are mended; another file has taken a name meanwhile, and is not touched.
    for name in ["a", "b"] {
        fs::write(aside.join(format!("{name}.png")), picture(u32::from(name.as_bytes()[0]), 100)).unwrap();
    }
    fs::write(raw.join("a.txt"), "somebody's").unwrap();
    // Half of `b` went back already when a kill came.
    fs::rename(aside.join("b.txt"), raw.join("b.txt")).unwrap();
    let said = root.text(&["retry", aside.to_str().unwrap()]);
    for line in ["a.png -> raw/winter-cabins/a-2.png", "b.png -> raw/winter-cabins/b.png"] {
        assert!(said.contains(line), "{said}");
    }
    assert_eq!(fs::read_to_string(raw.join("a.txt")).unwrap(), "somebody's");
    assert_eq!(fs::read_to_string(raw.join("a-2.txt")).unwrap(), "prompt a");
    assert_eq!(fs::read_dir(&aside).unwrap().count(), 0, "{:?}", root.files());
    assert!(root.once().status.success(), "{}", root.log());
    let titles: Vec<String> = root.csv()[1..].iter().map(|row| row[1].clone()).collect();
    assert_eq!(titles, ["Title a", "Title b"]);
    assert!(root.at("raw/sea/tags.yaml").exists());
}

/// The note stayed when a person moved the file back: the next one got `-2`, and a file that was gone was counted.
#[test]
fn what_is_set_aside_again_gets_its_name_and_a_new_note() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let (raw, aside) = (root.at("raw/winter-cabins/a.png"), root.at("failed/raw/winter-cabins/a.png"));
    let count = || -> usize {
        let status: serde_json::Value = serde_json::from_str(&root.text(&["status", "--json"])).unwrap();
        status["set_aside"].as_array().unwrap().len()
    };
    let note = root.at("failed/raw/winter-cabins/a.png.reason.txt");
    for seed in [1, 2] {
        fs::write(&raw, &picture(seed, 100)[..200]).unwrap();
        assert_eq!(root.once().status.code(), Some(1));
        let text = fs::read_to_string(&note).unwrap();
        assert!(text.contains("cut off") && aside.exists() && count() == 1, "{text}: {:?}", root.files());
        fs::rename(&aside, &raw).unwrap();
        fs::write(&note, text.replace("cut off", "of before")).unwrap();
        assert_eq!(count(), 0);
    }
}

/// A colour profile in `raw` counted as an asset that may go on.
#[test]
fn a_release_counts_what_may_go_on_and_is_told_in_the_log() {
    let root = Root::with("gates: {raw: hold}\nkeep: {method: lanczos, scale: 2}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    let stays = "What stays all the same stands in `stockmill status`, with what to do.\n";
    let unknown =
        "Files of a kind that stockmill does not know: 1. They stay, but for what a theme names in `documents`.\n";
    fs::write(root.at("raw/winter-cabins/p3.icc"), "\0\0\x02\x18appl").unwrap();
    for (pictures, released) in [
        (0, "Nothing lies in `raw` now that may go on.\n"),
        (1, "Released: 1 asset lies in `raw` now, and may go on.\n"),
        (2, "Released: 2 assets lie in `raw` now, and may go on.\n"),
    ] {
        for seed in 0..pictures {
            fs::write(root.at(&format!("raw/winter-cabins/{seed}.png")), picture(seed, 100)).unwrap();
        }
        let said = root.text(&["release", "raw"]);
        assert_eq!(said, format!("{released}{unknown}No daemon runs: `stockmill once` takes them on.\n{stays}"));
    }
    assert!(root.once().status.success(), "{}", root.log());
    assert!(root.log().contains("request=\"release\" done=3"), "{}", root.log());
    assert!(root.at("raw/winter-cabins/p3.icc").exists());
}

/// The file before, the retouched one, and what was made of it ended in the archive as three originals.
#[test]
fn a_retouched_picture_is_the_original_from_then_on() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {export: hold}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let enlarged = root.at("export/winter-cabins/winter-cabins-0001.png");
    fs::write(&enlarged, picture(2, 210)).unwrap();
    assert!(root.text(&["release", "export"]).starts_with("Released: 1 asset"));
    assert!(root.once().status.success());
    let archive = |name: &str| root.at(&format!("archive/winter-cabins/winter-cabins-0001{name}.png"));
    assert_eq!((fs::read(archive("")).unwrap(), fs::read(archive("-2")).unwrap()), (picture(1, 100), picture(2, 210)));
    let pictures =
        |name: &&String| name.starts_with("archive/") && [".png", ".jpg"].iter().any(|end| name.ends_with(end));
    assert_eq!(root.files().iter().filter(pictures).count(), 2, "{:?}", root.files());
    let bundled = root.bundled();
    let told = root.text(&["history", bundled[0].to_str().unwrap()]);
    assert!(told.contains("changed by hand: version 2 of the same asset; exported as JPEG"), "{told}");
    let record = fs::read_to_string(root.at(&root.sidecars()[0]));
    let record = record.unwrap();
    assert!(
        record.starts_with("version: 7\n")
            && record.contains("archived: archive/winter-cabins/winter-cabins-0001-2.png"),
        "{record}"
    );
    assert!(root.call(&["verify"]).status.success());
    // Both steps are taken back at once: the retouched picture lies there again, and the first original is kept still.
    assert!(root.call(&["undo"]).status.success(), "{}", root.log());
    assert_eq!(fs::read(&enlarged).unwrap(), picture(2, 210));
    assert_eq!(fs::read(archive("")).unwrap(), picture(1, 100));
    assert!(!archive("-2").exists());
}

#[test]
fn a_daemon_takes_up_again_what_was_set_aside_and_says_so() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let daemon = root.run();
    let (raw, aside) = (root.at("raw/winter-cabins/a.png"), root.at("failed/raw/winter-cabins/a.png"));
    fs::write(&raw, &picture(1, 100)[..200]).unwrap();
    root.until("it is set aside", |_| aside.exists() && !raw.exists());
    fs::write(&aside, picture(1, 100)).unwrap();
    let said = root.text(&["retry"]);
    assert!(said.starts_with("failed/raw/winter-cabins/a.png -> raw/winter-cabins/a.png\n"), "{said}");
    root.until("it goes on", |root| root.bundled().len() == 1);
    assert_eq!(fs::read_dir(root.at(".stockmill/requests")).unwrap().count(), 0, "the answer was taken");
    assert!(
        root.text(&["history", raw.to_str().unwrap()]).contains("moved back from `failed`: failed/raw/"),
        "{}",
        root.log()
    );
    daemon.signal("-TERM");
    daemon.ends_well();
}

#[test]
fn undo_brings_back_bytes_names_and_sidecars_and_refuses_what_changed() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let original = picture(1, 100);
    fs::write(root.at("raw/winter-cabins/a.png"), &original).unwrap();
    let before = root.contents("raw");
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 1, "{}", root.log());

    // What was done at once is taken back at once, from the bundle back to the drop.
    let said = root.text(&["undo"]);
    let steps = ["recognised", "; then enlarged", "; then exported", "; then bundled"];
    assert!(said.starts_with("undone: ") && steps.iter().all(|step| said.contains(step)), "{said}");
    assert_eq!(root.contents("raw"), before);
    assert_eq!(root.bundled(), Vec::<std::path::PathBuf>::new());
    assert!(root.files().iter().all(|name| !name.ends_with(".png.yaml")), "{:?}", root.files());

    // What came back waits for its person, and goes on when that one says so, under the same identity.
    assert!(root.once().status.success());
    assert_eq!(fs::read(root.at("raw/winter-cabins/a.png")).unwrap(), original);
    assert!(root.text(&["status"]).contains("brought back by `stockmill undo`"));
    assert!(root.call(&["release", "raw"]).status.success());
    assert!(root.once().status.success());
    assert!(root.text(&["status"]).contains("keep     0 ready, 0 held"), "{}", root.text(&["status"]));
    let [bundled] = &root.bundled()[..] else { panic!("{:?}", root.files()) };
    assert!(bundled.ends_with("files/winter-cabins-0002.jpg"), "{}", bundled.display());
}

#[test]
fn undo_beside_a_daemon_refuses_what_went_on_or_was_sent() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {keep: hold}\n");
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    let kept = root.at("keep/winter-cabins/winter-cabins-0001.png");
    root.until("it is kept", |_| kept.exists());
    // A person works on it: that is not undone.
    let mine = picture(2, 100);
    fs::write(&kept, &mine).unwrap();
    let refused = root.call(&["undo", kept.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("changed or went on since"));
    assert_eq!(fs::read(&kept).unwrap(), mine);
    // Another asset's step is, and what came back stays, although the daemon sees it come.
    for n in 2..12 {
        let drop = root.at(&format!("raw/winter-cabins/{n}.png"));
        fs::write(&drop, picture(n, 100)).unwrap();
        let next = root.at(&format!("keep/winter-cabins/winter-cabins-{n:04}.png"));
        root.until("the next is kept", |_| next.exists());
        let undone = root.call(&["undo", next.to_str().unwrap()]);
        assert!(undone.status.success(), "{}", String::from_utf8_lossy(&undone.stderr));
        assert!(!next.exists() && !next.with_extension("png.yaml").exists());
        assert_eq!(fs::read(&drop).unwrap(), picture(n, 100), "{}", root.log());
    }
    let held = |root: &Root| root.text(&["status", "--json"]).contains("raw/winter-cabins/11.png");
    root.until("the last is held", held);
    for n in 2..12 {
        assert_eq!(fs::read(root.at(&format!("raw/winter-cabins/{n}.png"))).unwrap(), picture(n, 100));
    }
    daemon.signal("-TERM");
    daemon.ends_well();
}

/// A copy has other inodes: that alone brought back what `undo` and finished steps had taken away, into bundles, too.
#[test]
fn a_copied_mill_brings_nothing_back() {
    // (how it is copied, whether the bundle of the undone file is sent)
    let tar = "mkdir mill && tar -C FROM -cf - . | tar -C mill -xf -";
    for (copied, is_sent) in
        [("cp -a FROM mill", false), ("cp -a FROM mill", true), (tar, false), ("cp -r FROM mill", true)]
    {
        let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {export: hold}\n");
        root.idea(NOTE);
        assert!(root.once().status.success());
        for n in 1..3 {
            fs::write(root.at(&format!("raw/winter-cabins/{n}.png")), picture(n, 100)).unwrap();
        }
        assert!(root.once().status.success());
        assert!(root.text(&["release", "export"]).starts_with("Released: 2 assets"));
        assert!(root.once().status.success());
        assert!(root.call(&["undo"]).status.success());
        assert!(root.once().status.success());
        let [bundled] = &root.bundled()[..] else { panic!("{:?}", root.files()) };
        if is_sent {
            fs::write(bundled.parent().unwrap().parent().unwrap().join("SENT"), "").unwrap();
        }
        let copy = Root { path: root.outside().join("mill"), folder: tempfile::tempdir().unwrap() };
        let command = copied.replace("FROM", root.path.to_str().unwrap());
        assert!(Command::new("sh").args(["-c", &command]).current_dir(root.outside()).status().unwrap().success());
        let (files, rows) = (copy.files(), copy.csv());
        assert!(copy.once().status.success());
        assert_eq!((copy.files(), copy.csv()), (files, rows), "{copied}, sent: {is_sent}");
        assert!(!copy.log().contains("rought back: a program"), "{}", copy.log());
        assert!(!copy.log().contains("Not brought back"), "{}", copy.log());
        assert!(copy.call(&["verify"]).status.success(), "{}", copy.text(&["verify"]));
    }
}
