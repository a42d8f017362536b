//! Settings, gates and clocks that are not what a person thinks: nothing goes on by mistake.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use stockmill::model::{AssetId, ContentHash, Stage};
use stockmill::records::{About, Intent, Record};

use super::{NOTE, Root, picture};

const HOLD: &str = "keep: {method: lanczos, min_megapixels: 0.04}\ngates: {keep: hold}\n";

/// The daemon said "Settings read again." to a blank file, and what was held went on to the bundles.
#[test]
fn a_reload_takes_no_blank_or_torn_settings_and_names_the_gates_that_open() {
    let root = Root::with(HOLD);
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    let kept = root.at("keep/winter-cabins/winter-cabins-0001.png");
    root.until("it is held", |root| kept.exists() && root.log().contains("Held: the gate of `keep`"));

    let settings = root.at("stockmill.yaml");
    fs::write(&settings, "").unwrap();
    daemon.signal("-HUP");
    root.until("it is refused", |root| root.log().contains("Settings refused, the old ones stay: the settings file"));
    assert!(root.log().contains("Settings not read again yet"), "{}", root.log());

    // Half of a file opens the gate as well, but its writer is still there.
    let mut file = fs::File::create(&settings).unwrap();
    file.write_all(b"keep: {method: lanczos, min_megapixels: 0.04}\n").unwrap();
    daemon.signal("-HUP");
    root.until("it waits", |root| root.log().matches("Settings not read again yet").count() == 2);
    assert!(kept.exists() && !root.log().contains("Settings read again"), "{}", root.log());
    file.write_all(b"gates: {keep: auto, export: hold}\nlog: {level: debug}\nfolders: {logs: lines}\n").unwrap();
    drop(file);
    let except = "Settings read again, except `folders` and `log`: restart stockmill for what changed there.";
    root.until("it is taken", |root| root.log().contains(except));
    root.until("the asset goes on", |_| !kept.exists());
    fs::rename(&settings, root.at("stockmill.yml")).unwrap();
    daemon.signal("-HUP");
    root.until("it is told where they went", |root| {
        root.log().contains("stay: ") && root.log().contains("stockmill.yml is not read")
    });
    daemon.signal("-TERM");
    daemon.ends_well();
    let log = root.log();
    assert!(log.contains("The gate of `keep` opens: hold -> auto."), "{log}");
    assert!(log.contains("The gate of `export` changes: auto -> hold."), "{log}");
    assert_eq!(root.bundled().len(), 0);
}

#[test]
fn what_is_nearly_a_settings_file_stops_what_depends_on_it() {
    let root = Root::new();
    let settings = root.at("stockmill.yaml");
    for name in ["stockmill.yml", "Stockmill.yaml", "stockmill.yaml.txt", "stockmill.yaml~"] {
        fs::rename(&settings, root.at(name)).unwrap();
        for command in ["init", "check", "once", "plan", "run"] {
            let output = root.call(&[command]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{command} with {name}: {said}");
            assert!(said.contains(name) && said.contains("rename it to `stockmill.yaml`"), "{command}: {said}");
        }
        assert!(!settings.exists(), "defaults were written beside {name}");
        fs::rename(root.at(name), &settings).unwrap();
    }
    // A link to settings that are away.
    fs::rename(&settings, root.at("away")).unwrap();
    std::os::unix::fs::symlink("/nowhere/stockmill.yaml", &settings).unwrap();
    assert_eq!(root.once().status.code(), Some(2));
    fs::remove_file(&settings).unwrap();
    fs::rename(root.at("away"), &settings).unwrap();

    // Beside the right one it is a line, and so is a profile that nobody uses.
    fs::write(root.at("stockmill.yml"), "gates: {raw: hold}\n").unwrap();
    fs::copy(root.at("markets/adobe-stock.yaml"), root.at("markets/adobe-stock.yaml.txt")).unwrap();
    let checked = root.text(&["check"]);
    assert!(checked.contains("stockmill.yml is not read"), "{checked}");
    assert!(checked.contains("markets/adobe-stock.yaml.txt is not read"), "{checked}");
    assert!(root.once().status.success());
    assert!(root.log().contains("stockmill.yml is not read"), "{}", root.log());
    // Every mistake comes at once, with its place.
    let sound = fs::read(&settings).unwrap();
    fs::write(&settings, "keep:\n  methd: lanczos\nexport:\n  quality: 300\n").unwrap();
    let refused = root.call(&["check"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("line 2, column 3") && said.contains("did you mean `method`?"), "{said}");
    assert!(said.contains("line 4, column 12"), "{said}");
    fs::write(&settings, sound).unwrap();
    // In place of the profile that is in use it is not.
    fs::remove_file(root.at("markets/adobe-stock.yaml")).unwrap();
    let said = root.text(&["once"]);
    assert!(said.contains("it seems to be for `adobe-stock`, which is in use"), "{said}");
    assert_eq!(root.once().status.code(), Some(2));
}

/// A release held back what had been looked at, copied or given another mode since, and let through what a wrong
/// clock had dropped.
#[test]
fn a_release_names_what_lay_there() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {keep: hold}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    let folder = root.at("keep/winter-cabins");
    fs::create_dir_all(&folder).unwrap();
    for seed in 1..5 {
        fs::write(folder.join(format!("{seed}.png")), picture(seed, 100)).unwrap();
    }
    let said = root.text(&["release", "keep"]);
    assert!(said.contains("4 assets"), "{said}");
    // What happens to them afterwards is nothing that a person would look at again.
    let _ = fs::File::open(folder.join("1.png"))
        .unwrap()
        .set_times(fs::FileTimes::new().set_accessed(std::time::SystemTime::UNIX_EPOCH));
    fs::set_permissions(folder.join("2.png"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::hard_link(folder.join("3.png"), root.outside().join("snapshot.png")).unwrap();
    fs::rename(folder.join("4.png"), folder.join("four.png")).unwrap();
    // Two more: one is new, and one was looked at in another state.
    let old = fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
    fs::write(folder.join("5.png"), picture(5, 100)).unwrap();
    fs::File::options().write(true).open(folder.join("5.png")).unwrap().set_times(old).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let names = |root: &Root| -> Vec<String> {
        root.files().into_iter().filter(|name| name.starts_with("keep/") && name.ends_with(".png")).collect()
    };
    assert_eq!(names(&root), ["keep/winter-cabins/5.png"], "{}", root.log());
    // It is used up: what a person takes back waits for a new word.
    assert_eq!(fs::read_dir(root.at(".stockmill/requests")).unwrap().count(), 0);
    for _ in 0..12 {
        root.call(&["undo"]);
    }
    assert!(root.once().status.success());
    assert_eq!(names(&root).len(), 5, "{:?}\n{}", root.files(), root.log());
}

/// One run in 2030 shut a weekly gate until 2030.
#[test]
fn times_in_the_future_shut_no_gate() {
    let days = "[monday, tuesday, wednesday, thursday, friday, saturday, sunday]";
    let root = Root::with(&format!(
        "keep: {{method: lanczos, min_megapixels: 0.04}}\ngates: {{raw: {{on: {days}, at_most: 1, at_most_per_week: 1}}}}\n"
    ));
    root.idea(NOTE);
    assert!(root.once().status.success());
    let hash = ContentHash::of(b"elsewhere");
    let about = About { asset: Some(AssetId::of(&hash)), seq: Some(1), ..About::new(Stage::Raw, "named") };
    let at = "2199-01-01T00:00:00Z".parse().unwrap();
    let (plan, claims) = (900, false);
    let intent = Intent { plan, at, claims, about, publish: vec![], moves: vec![], removes: vec![] };
    let lines = [Record::Intent(intent), Record::Done { plan }].map(|record| record.to_line()).concat();
    fs::write(root.at(".stockmill/journal/000009.jsonl"), lines).unwrap();
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    fs::write(root.at("raw/winter-cabins/b.png"), picture(2, 100)).unwrap();
    assert!(root.once().status.success());
    let log = root.log();
    assert!(log.contains("1 asset left `raw` in the future, the last one at 2199-01-01T00:00:00Z"), "{log}");
    // The limit itself holds.
    assert_eq!(root.bundled().len(), 1, "{log}");
}

/// `run --root MISTYPED` made a mill among somebody's files without a word.
#[test]
fn a_mill_is_made_only_where_nothing_is_or_by_init() {
    let root = Root::new();
    let make = |name: &str, files: &[&str]| {
        let folder = root.outside().join(name);
        fs::create_dir(&folder).unwrap();
        files.iter().for_each(|file| fs::write(folder.join(file), "mine").unwrap());
        folder
    };
    let words = |folder: &std::path::Path, command: &str| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_stockmill"));
        let output = program.args([command, "--root"]).arg(folder).output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        (output.status.code(), said)
    };
    let cases = [
        ("pictures", make("pictures", &["holiday.jpg"]), ["run", "once"].as_slice(), "holds other things"),
        ("hidden", make("hidden", &[".profile"]), &["run", "once"], "holds other things"),
        ("empty", make("empty", &[]), &["once"], "is no stockmill folder"),
        ("not there", root.outside().join("not there"), &["once"], "is no stockmill folder"),
    ];
    for (what, folder, commands, why) in cases {
        for command in commands {
            let (code, said) = words(&folder, command);
            assert_eq!(code, Some(2), "{command} in {what}: {said}");
            assert!(said.contains(why) && said.contains("run `stockmill init "), "{command} in {what}: {said}");
            assert!(!folder.join(".stockmill").exists() && !folder.join("stockmill.yaml").exists(), "{what}");
        }
        let (code, said) = words(&folder, "check");
        assert_eq!((code, said.matches("is no stockmill folder").count()), (Some(1), 1), "{said}");
        assert!(!said.contains("mount"), "{said}");
    }
    // `init` is asked for, and so the folder is meant.
    assert_eq!(words(&root.outside().join("pictures"), "init").0, Some(0));
    for folder in ["tagsets", "markets", "models"] {
        assert!(root.outside().join("pictures").join(folder).is_dir(), "{folder} is where a person puts files");
    }
    assert_eq!(words(&root.outside().join("pictures"), "once").0, Some(0));
}

#[test]
fn check_tells_what_keeps_files_waiting() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    assert_eq!(root.call(&["check"]).status.code(), Some(0), "{}", root.text(&["check"]));
    fs::write(root.at("tagsets/snow.yaml"), "keywords: [a\n").unwrap();
    fs::write(root.at("raw/winter-cabins/tags.yaml"), "title: [a\n").unwrap();
    let segment = fs::read_dir(root.at(".stockmill/journal")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[12] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let said = root.text(&["check"]);
    for bad in [
        "bad   tags      `raw/winter-cabins/tags.yaml` cannot be read: ",
        "bad   tags      `tagsets/snow.yaml` cannot be read: ",
        "bad   journal   `.stockmill/journal/",
    ] {
        assert_eq!(said.matches(bad).count(), 1, "{bad}: {said}");
    }
    assert_eq!(root.call(&["check"]).status.code(), Some(1));
}

/// `keep` was a link to `raw`: what lay there was a file of both.
#[test]
fn two_names_of_one_folder_are_refused_everywhere() {
    let root = Root::new();
    let sound = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    std::os::unix::fs::symlink(root.at("raw"), root.outside().join("link")).unwrap();
    let link = root.outside().join("link").display().to_string();
    for (key, folder) in
        [("keep", link.as_str()), ("logs", "keep/../raw/logs"), ("archive", ".."), ("failed", "markets")]
    {
        fs::write(root.at("stockmill.yaml"), format!("folders: {{{key}: {folder}}}\n{sound}")).unwrap();
        for command in ["init", "check", "once", "run"] {
            let output = root.call(&[command]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{command} with {key}: {said}");
            let place = format!("line 1, column {}: `folders.{key}`: ", "folders: {: ".len() + key.len() + 1);
            assert!(said.contains(&place) && said.contains("is the same place on the disk as"), "{command}: {said}");
        }
    }
    fs::write(root.at("stockmill.yaml"), sound).unwrap();
    assert!(root.once().status.success());
}

/// With a mistake in the settings nobody could see what lay there.
#[test]
fn status_shows_what_it_can_with_a_mistake_in_the_settings() {
    let root = Root::new();
    let elsewhere = root.outside().join("keep");
    fs::create_dir(&elsewhere).unwrap();
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    let folders = format!("folders: {{keep: {}}}\n", elsewhere.display());
    fs::write(root.at("stockmill.yaml"), format!("{settings}{folders}")).unwrap();
    assert!(root.call(&["init"]).status.success());
    fs::write(elsewhere.join("a.png"), picture(1, 500)).unwrap();
    let file = fs::File::options().write(true).open(elsewhere.join("a.png")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    drop(file);
    // (the mistake, what is said of it)
    for (mistake, said) in [("keap: {}\n", "keap"), ("export: {quality: 9}\n", "quality"), ("\0", "stockmill.yaml")] {
        fs::write(root.at("stockmill.yaml"), format!("{settings}{folders}{mistake}")).unwrap();
        let status = root.call(&["status"]);
        let text = String::from_utf8_lossy(&status.stdout).into_owned();
        assert_eq!(status.status.code(), Some(2), "{mistake}: {text}");
        assert!(text.contains("settings ") && text.contains(said), "{mistake}: {text}");
        assert!(text.contains("keep     1 ready, 0 held"), "{mistake}: {text}");
        let json = root.call(&["status", "--json"]);
        let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        assert!(json["settings_wrong"].as_str().unwrap().contains(said), "{json}");
        assert_eq!(json["stages"]["keep"]["ready"], 1, "{json}");
        let explained = root.call(&["explain", "stockmill.yaml"]);
        let text = String::from_utf8_lossy(&explained.stdout).into_owned();
        assert!(
            explained.status.code() == Some(2) && text.contains(said) && text.contains("is       the settings"),
            "{text}"
        );
    }
}

/// The system's "Is a directory (os error 21)" was all that was said, often without the name.
#[test]
fn a_folder_in_place_of_a_file_and_a_file_in_place_of_a_folder_are_told_with_what_was_expected() {
    let root = Root::new();
    let (file, folder) = (root.at("stockmill.yaml"), root.at("raw"));
    let (file, folder) = (file.to_str().unwrap(), folder.to_str().unwrap());
    let calls: [(&[&str], &str); 4] = [
        (&["check", "--root", file], "stockmill.yaml` is a file, and a mill is a folder"),
        (&["init", file], "stockmill.yaml` is a file, and a mill is a folder"),
        (&["run", "--root", file], "stockmill.yaml` is a file, and a mill is a folder"),
        (&["convert", folder, &format!("{file}/out")], "a file has its name, or lies above it"),
    ];
    fs::write(root.at("raw/a.png"), b"").unwrap();
    for (words, expected) in calls {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_stockmill")).args(words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(expected) && !said.contains("os error"), "{words:?}: {said}");
    }
    let said = root.text(&["history", folder]);
    assert!(said.contains("raw` cannot be read: it is a folder, and a file is expected here"), "{said}");

    type Act = fn(&Root);
    let acts: [(Act, &str); 5] = [
        (|root| fs::create_dir(root.at("markets/mine.yaml")).unwrap(), "mine.yaml: it is not a regular file: a folder"),
        (
            |root| fs::rename(root.at("markets/adobe-stock.yaml"), root.at("markets/adobe.yaml")).unwrap(),
            "`name`: is `adobe-stock`, and the file is `adobe.yaml`: a profile has the name of its file; rename it to `adobe-stock.yaml`",
        ),
        (
            |root| {
                fs::remove_dir_all(root.at("keep")).unwrap();
                fs::write(root.at("keep"), "").unwrap();
            },
            "keep` cannot be used: a file has its name, or lies above it, and a folder is expected here",
        ),
        (
            |root| {
                fs::remove_dir_all(root.at("markets")).unwrap();
                fs::write(root.at("markets"), "").unwrap();
            },
            "markets: a file has its name, or lies above it, and a folder is expected here",
        ),
        (
            |root| {
                fs::remove_file(root.at("stockmill.yaml")).unwrap();
                fs::create_dir(root.at("stockmill.yaml")).unwrap();
            },
            "stockmill.yaml: it is not a regular file: a folder has its name",
        ),
    ];
    for (act, expected) in acts {
        let root = Root::new();
        act(&root);
        for words in [&["check"], &["status"]] {
            let said = root.text(words);
            assert!(said.contains(expected) && !said.contains("os error"), "{words:?}: {said}");
        }
    }
}
