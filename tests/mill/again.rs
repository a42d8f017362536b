//! What was made by settings that changed since, and is made anew by a person's word.

use std::fs;
use std::path::PathBuf;

use super::{NOTE, Root, picture, size};

const AT_ONCE: &str = "settle: {notes_quiet_s: 0, weak_quiet_ms: 500}\n";

impl Root {
    fn set(&self, settings: &str) {
        fs::write(self.at("stockmill.yaml"), format!("{settings}{AT_ONCE}")).unwrap();
    }

    /// Makes a root with these settings, drops so many pictures into its theme, and lets them go on.
    fn with_pictures(settings: &str, count: u32) -> Self {
        let root = Self::with(settings);
        root.idea(NOTE);
        assert!(root.once().status.success());
        for seed in 0..count {
            fs::write(root.at(&format!("raw/winter-cabins/{seed:02}.png")), picture(seed, 100)).unwrap();
        }
        assert!(root.once().status.success(), "{}", root.log());
        root
    }

    fn bytes(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.bundled().into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
    }

    /// Returns the edges of what lies in bundles.
    fn edges(&self) -> Vec<u32> {
        self.bundled().iter().map(|file| size(file).0).collect()
    }
}

#[test]
fn what_is_stale_is_made_anew_from_its_original_and_undo_brings_the_old_one_back() {
    let root = Root::with_pictures("keep: {method: lanczos, scale: 2}\n", 2);
    let (before, csv) = (root.bytes(), root.csv());
    assert!(!root.text(&["status"]).contains("stale"), "nothing changed");
    assert_eq!(root.text(&["release", "keep", "--again"]), "Nothing is stale.\n");

    root.set("keep: {method: lanczos, scale: 3}\nexport: {quality: 80}\n");
    let said = root.text(&["status"]);
    assert!(
        said.contains(
            "stale    2 files would be made otherwise by the settings of today: run `stockmill release keep --again`"
        ),
        "{said}"
    );
    let json: serde_json::Value = serde_json::from_slice(&root.call(&["status", "--json"]).stdout).unwrap();
    assert_eq!(json["stale"][1]["today"], "lanczos 100x100 to 300x300 sharpen low; JPEG quality 80 sRGB on #ffffff");
    let said = root.text(&["explain", before[0].0.to_str().unwrap()]);
    assert!(
        said.contains(
            "stale    made by `lanczos 100x100 to 200x200 sharpen low; JPEG quality 95 sRGB on #ffffff`; today"
        ),
        "{said}"
    );
    // Its look of today is none that it has.
    assert!(said.contains("made     by `lanczos 100x100 to 200x200 sharpen low; JPEG quality 95 sRGB on #ffffff`, by"));
    let tags = root.at("raw/winter-cabins/tags.yaml");
    let (before_tags, look) = (fs::read_to_string(&tags).unwrap(), "enhance: {sharpen: high}\n");
    fs::write(&tags, format!("{look}{before_tags}")).unwrap();
    let said = root.text(&["explain", before[0].0.to_str().unwrap()]);
    assert!(!said.lines().any(|line| line.starts_with("sharpen")) && said.contains("sharpen high"), "{said}");
    fs::write(&tags, before_tags).unwrap();
    let said = root.text(&["release", "keep", "--again", "--dry-run"]);
    assert!(said.ends_with("To be made anew: 2 files.\n") && root.bytes() == before, "{said}");
    let said = root.text(&["release", "keep", "--again", "winter-cabin"]);
    assert!(said.contains("did you mean `winter-cabins`?") && root.bytes() == before, "{said}");

    let output = root.call(&["release", "keep", "--again", "winter-cabins"]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("-0001.jpg: made anew from the original: lanczos 100x100 to 300x300 sharpen low; JPEG"),
        "{said}"
    );
    assert_eq!((root.edges(), root.csv()), (vec![300, 300], csv));
    assert!(!root.text(&["status"]).contains("stale"));
    let trash = root.contents(".stockmill/trash");
    assert!(before.iter().all(|(_, old)| trash.iter().any(|(_, kept)| kept == old)), "the old ones are kept");
    assert!(root.once().status.success() && root.call(&["verify"]).status.success(), "{}", root.log());

    // One step each; what a person changed, and what lost its original, stays as it is.
    assert!(root.call(&["undo"]).status.success());
    assert_eq!(root.edges(), [300, 200]);
    assert!(root.call(&["undo"]).status.success());
    assert_eq!(root.bytes(), before);
    // What was made then still lies in the trash, and is not made once more.
    let said = root.text(&["release", "keep", "--again"]);
    assert_eq!(said.matches("; taken from the trash, where the same lay\n").count(), 2, "{said}");
    assert_eq!(root.edges(), [300, 300]);
    for _ in 0..2 {
        assert!(root.call(&["undo"]).status.success());
    }
    fs::write(&before[0].0, picture(9, 200)).unwrap();
    fs::write(root.at("archive/winter-cabins/winter-cabins-0002.png"), picture(8, 100)).unwrap();
    let output = root.call(&["release", "keep", "--again"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("-0001.jpg: stays: it was changed by hand since, and is kept as it is\n"), "{said}");
    assert!(
        said.contains("-0002.jpg: stays: its original `archive/winter-cabins/winter-cabins-0002.png` is not what"),
        "{said}"
    );
    assert_eq!(fs::read(&before[0].0).unwrap(), picture(9, 200));
    // What was sent is none of it.
    fs::write(before[0].0.parent().unwrap().parent().unwrap().join("SENT"), "").unwrap();
    assert!(!root.text(&["status"]).contains("stale"));
    assert_eq!(root.text(&["release", "keep", "--again"]), "Nothing is stale.\n");
}

/// What was undone was decoded, enlarged and encoded once more when it went on.
#[test]
fn what_goes_on_again_after_undo_is_taken_from_the_trash() {
    let root = Root::with_pictures("keep: {method: lanczos, scale: 2}\n", 1);
    // It gets another number, and with it another name.
    let bundled = || fs::read(&root.bundled()[0]).unwrap();
    let (before, dropped) = (bundled(), root.at("raw/winter-cabins/00.png"));
    let told = || root.log().matches("taken from the trash, where the same lay").count();
    let again = || {
        while !dropped.exists() {
            assert!(root.call(&["undo"]).status.success());
        }
        assert!(root.text(&["release", "raw"]).starts_with("Released: 1 asset"));
    };
    again();
    assert!(root.once().status.success(), "{}", root.log());
    assert!(bundled() == before && told() > 0, "{}", root.log());
    // What is no longer kept is made again.
    again();
    root.contents(".stockmill/trash").into_iter().for_each(|(kept, _)| fs::remove_file(kept).unwrap());
    let earlier = told();
    assert!(root.once().status.success(), "{}", root.log());
    assert!(bundled() == before && told() == earlier, "{}", root.log());
}

/// As many as one request takes, and one more; each is for two markets.
#[test]
fn bundles_of_several_markets_share_what_is_made_and_all_is_made_request_by_request() {
    let root = Root::with("");
    let adobe = fs::read_to_string(root.at("markets/adobe-stock.yaml")).unwrap();
    fs::write(root.at("markets/other.yaml"), adobe.replace("adobe-stock", "other")).unwrap();
    root.set("keep: {method: lanczos, scale: 2}\nupload: {markets: [adobe-stock, other]}\n");
    root.idea(NOTE);
    assert!(root.once().status.success(), "{}", root.log());
    for seed in 0..17 {
        fs::write(root.at(&format!("raw/winter-cabins/{seed:02}.png")), picture(seed, 100)).unwrap();
    }
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(root.edges(), [200; 34]);
    root.set("keep: {method: lanczos, scale: 2.5}\nupload: {markets: [adobe-stock, other]}\n");
    let said = root.text(&["release", "keep", "--again"]);
    assert!(
        said.ends_with(
            "Made anew: 34 files. Each `stockmill undo` brings those of one picture back, the last one first.\n"
        ),
        "{said}"
    );
    assert!(!said.contains("there is more"), "{said}");
    assert_eq!(root.edges(), [250; 34]);
    let links = |file: &PathBuf| std::os::unix::fs::MetadataExt::nlink(&fs::metadata(file).unwrap());
    assert!(root.bundled().iter().all(|file| links(file) == 2), "each is one file for both markets");
    // The bundle of one market was sent: it stays, and the other follows. Nothing in a bundle waits for a word.
    let said = root.text(&["undo"]);
    assert!(said.ends_with("\nIt lies in its bundle again, as it was.\n") && said.lines().count() == 2, "{said}");
    assert_eq!(root.edges().iter().filter(|edge| **edge == 200).count(), 2);
    let sent = root.bundled()[0].parent().unwrap().parent().unwrap().join("SENT");
    fs::write(sent, "").unwrap();
    let said = root.text(&["release", "keep", "--again"]);
    assert!(said.contains("Made anew: 1 file."), "{said}");
    assert_eq!(root.edges().iter().filter(|edge| **edge == 200).count(), 1);
}

#[test]
fn a_daemon_makes_anew_what_waits_in_export_and_it_goes_on_as_the_same_asset() {
    let settings = |scale: u32| format!("keep: {{method: lanczos, scale: {scale}}}\ngates: {{export: hold}}\n");
    let root = Root::with_pictures(&settings(2), 1);
    let daemon = root.run();
    root.until("the daemon is there", |root| root.text(&["status"]).contains("daemon   running"));
    let waits = root.at("export/winter-cabins/winter-cabins-0001.png");
    assert_eq!(size(&waits), (200, 200));
    root.set(&settings(3));
    // It does not know yet.
    let output = root.call(&["release", "keep", "--again"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("reload it"), "{output:?}");
    daemon.signal("-HUP");
    root.until("the settings are read", |root| root.log().contains("Settings read again"));
    let said = root.text(&["release", "keep", "--again"]);
    assert!(
        said.contains("winter-cabins-0001.png: made anew from the original: lanczos 100x100 to 300x300 sharpen low\n"),
        "{said}"
    );
    assert_eq!(size(&waits), (300, 300));
    assert!(root.log().contains("Made anew from the original"), "{}", root.log());
    assert_eq!(fs::read_dir(root.at(".stockmill/requests")).unwrap().count(), 0, "the answer was taken");
    assert!(root.text(&["release", "export"]).starts_with("Released: 1 asset"));
    root.until("it is bundled", |root| root.bundled().len() == 1);
    assert_eq!(root.edges(), [300]);
    daemon.signal("-TERM");
    daemon.ends_well();
    let told = root.text(&["history", root.bundled()[0].to_str().unwrap()]);
    assert!(told.contains("exported as JPEG") && !told.contains("changed by hand"), "{told}");
    assert_eq!(
        root.files().iter().filter(|name| name.starts_with("archive/winter") && name.ends_with(".png")).count(),
        1
    );
}
