//! The journal, kills, and whether all is still there.

use std::fs;
use std::time::Duration;

use super::{NOTE, Root, picture};

#[test]
fn kills_at_any_moment_lose_and_double_nothing() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let count = 40_u32;
    let originals: Vec<Vec<u8>> = (0..count).map(|seed| picture(seed, 120)).collect();
    for (seed, bytes) in originals.iter().enumerate() {
        fs::write(root.at(&format!("raw/winter-cabins/{seed}.png")), bytes).unwrap();
    }
    for pause_ms in [5, 40, 80, 130, 20, 200, 60, 300, 90, 150] {
        let mut daemon = root.run();
        std::thread::sleep(Duration::from_millis(pause_ms));
        daemon.0.kill().unwrap();
        daemon.0.wait().unwrap();
    }
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(root.csv().len(), count as usize + 1);
    assert_eq!(root.bundled().len(), count as usize);
    let mut archived: Vec<Vec<u8>> = root
        .files()
        .iter()
        .filter(|name| name.starts_with("archive/winter-cabins/") && name.ends_with(".png"))
        .map(|name| fs::read(root.at(name)).unwrap())
        .collect();
    let mut expected = originals;
    archived.sort();
    expected.sort();
    assert!(archived == expected, "{} originals in the archive", archived.len());
    let scratch = fs::read_dir(root.at(".stockmill/scratch")).unwrap().count();
    assert_eq!(scratch, 0);
    assert_eq!(
        root.files().iter().filter(|name| name.ends_with(".png.yaml") && !name.starts_with("archive/")).count(),
        0
    );
}

#[test]
fn a_journal_that_is_damaged_or_gone_is_told_and_stops_nothing() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let segment = fs::read_dir(root.at(".stockmill/journal")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[12] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let warnings = |root: &Root, text: &str| root.log().lines().filter(|line| line.contains(text)).count();
    assert!(root.once().status.success());
    assert_eq!(warnings(&root, "The journal is damaged"), 1, "{}", root.log());
    // A torn end, as a power cut leaves it, is no damage.
    fs::write(&segment, b"0000").unwrap();
    assert!(root.once().status.success());
    assert_eq!(warnings(&root, "The journal is damaged"), 1, "{}", root.log());

    let before = warnings(&root, "Ready");
    let daemon = root.run();
    root.until("it is ready", |root| warnings(root, "Ready") > before);
    let mut removed = 2;
    for (seed, folder) in [(2, ".stockmill/journal"), (3, ".stockmill")] {
        let remove = |n: u32| fs::rename(root.at(folder), root.outside().join(format!("{seed}-{n}"))).unwrap();
        remove(1);
        // What is removed cannot be worked beside either.
        let beside = root.text(&["once"]);
        assert!(beside.contains("another stockmill works on"), "{beside}");
        if root.at(folder).exists() {
            remove(2);
            removed += 1;
        }
        fs::write(root.at(&format!("raw/winter-cabins/{seed}.png")), picture(seed, 100)).unwrap();
        root.until("the picture has gone through", |root| root.bundled().len() == seed as usize);
    }
    // One that is removed again at once may be told once.
    root.until("both are told", |root| warnings(root, "The journal was gone") >= 2);
    assert!(warnings(&root, "The journal was gone") <= removed, "{}", root.log());
    daemon.signal("-TERM");
    daemon.ends_well();
}

#[test]
fn without_its_memory_the_mill_loses_history_and_nothing_else() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    fs::remove_dir_all(root.at(".stockmill")).unwrap();
    fs::write(root.at("raw/winter-cabins/b.png"), picture(2, 100)).unwrap();
    fs::write(root.at("raw/winter-cabins/a again.png"), picture(1, 100)).unwrap();
    assert_eq!(root.once().status.code(), Some(1));
    let names: Vec<String> = root.csv()[1..].iter().map(|row| row[0].clone()).collect();
    assert_eq!(names, ["winter-cabins-0001.jpg", "winter-cabins-0002.jpg"]);
    assert!(root.at("failed/raw/winter-cabins/a again.png").exists());
}

#[test]
fn verify_finds_what_is_missing_or_changed_and_forgives_moves_by_hand() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {keep: hold}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    let verify = |code: i32, words: &[&str]| {
        let output = root.call(&["verify"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
        said.lines().count()
    };
    assert_eq!(verify(0, &["0 assets, 0 files, 0 originals checked, 0 bytes: all is as it should be."]), 1);
    for seed in 0..3 {
        fs::write(root.at(&format!("raw/winter-cabins/{seed}.png")), picture(seed, 100)).unwrap();
    }
    assert!(root.once().status.success());
    assert!(root.call(&["release", "keep"]).status.success());
    assert!(root.once().status.success());
    // One more waits in `keep`.
    fs::write(root.at("raw/winter-cabins/9.png"), picture(9, 100)).unwrap();
    assert!(root.once().status.success());
    let before = root.files();
    // Three in the bundle with their originals, and the one in `keep`.
    assert_eq!(verify(0, &["4 assets, 7 files, 3 originals checked", "all is as it should be"]), 1);
    let json: serde_json::Value = serde_json::from_slice(&root.call(&["verify", "--json"]).stdout).unwrap();
    assert_eq!((&json["ok"], &json["files"], &json["originals"]), (&true.into(), &7.into(), &3.into()), "{json}");
    assert_eq!(json["problems"], serde_json::json!([]));
    assert_eq!(root.files(), before, "it only looks");

    // A byte flips in an original, and comes back.
    let original = root.at("archive/winter-cabins/winter-cabins-0001.png");
    let bytes = fs::read(&original).unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    fs::write(&original, flipped).unwrap();
    let lines = verify(1, &["archive/winter-cabins/winter-cabins-0001.png: has other bytes", "1 problem."]);
    assert_eq!(lines, 2);
    let output = root.call(&["verify", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json["problems"][0]["wrong"], "changed", "{json}");
    fs::write(&original, bytes).unwrap();
    verify(0, &[]);

    // A receipt is changed: another hash, then no YAML at all.
    let bundled = root.bundled().remove(0);
    let name = bundled.file_name().unwrap().to_str().unwrap().to_owned();
    let sidecar = bundled.with_file_name(format!("../sidecars/{name}.yaml"));
    let text = fs::read_to_string(&sidecar).unwrap();
    let start = text.find("file:\n  hash: ").unwrap() + "file:\n  hash: ".len();
    let other = if &text[start..=start] == "0" { "1" } else { "0" };
    fs::write(&sidecar, format!("{}{other}{}", &text[..start], &text[start + 1..])).unwrap();
    assert_eq!(verify(1, &[&format!("files/{name}: has other bytes than its receipt"), "1 problem."]), 2);
    fs::write(&sidecar, "version: [1").unwrap();
    verify(1, &[&format!("sidecars/{name}.yaml: cannot be read"), "1 problem."]);
    fs::write(&sidecar, &text).unwrap();
    verify(0, &[]);

    // What a person moves is found, with its sidecar or without.
    let kept = root.at("keep/winter-cabins/winter-cabins-0004.png");
    let moved = root.at("keep/winter-cabins/best/chosen.png");
    fs::create_dir(moved.parent().unwrap()).unwrap();
    fs::rename(&kept, &moved).unwrap();
    let note = "keep/winter-cabins/best/chosen.png: this is `keep/winter-cabins/winter-cabins-0004.png`, which is";
    assert_eq!(verify(0, &[note, "all is as it should be"]), 2);
    fs::rename(root.at("keep/winter-cabins/winter-cabins-0004.png.yaml"), moved.with_file_name("chosen.png.yaml"))
        .unwrap();
    assert_eq!(verify(0, &[note, "all is as it should be"]), 2);
    fs::rename(&original, root.at("archive/mine.png")).unwrap();
    verify(0, &["archive/mine.png: this is `archive/winter-cabins/winter-cabins-0001.png`, which is not there"]);
}

/// The file of the other market, which had never moved, was told as what a hand had moved there.
#[test]
fn what_is_taken_out_of_one_bundle_did_not_move_to_another() {
    let settings =
        |markets: &str| format!("keep: {{method: lanczos, min_megapixels: 0.04}}\nupload: {{markets: [{markets}]}}\n");
    let root = Root::with(&settings("adobe-stock"));
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/1.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let written = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), written.replace("[adobe-stock]", "[adobe-stock, other]")).unwrap();
    let adobe = fs::read_to_string(root.at("markets/adobe-stock.yaml")).unwrap();
    fs::write(root.at("markets/other.yaml"), adobe.replace("adobe-stock", "other")).unwrap();
    assert!(root.once().status.success());
    let bundled = root.bundled();
    assert_eq!(bundled.len(), 2, "{bundled:?}");
    let verify = |code: i32, lines: usize, words: &str| {
        let output = root.call(&["verify"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!((output.status.code(), said.lines().count()), (Some(code), lines), "{said}");
        assert!(said.contains(words) && !said.contains("this is"), "{words}: {said}");
    };
    let (original, aside) = (root.at("archive/winter-cabins/winter-cabins-0001.png"), root.at("original.png"));
    for file in &bundled {
        let name = file.strip_prefix(root.at("")).unwrap().display();
        let gone =
            format!("{name}: gone by hand; nothing is wrong if you took it away; its original lies in `archive`");
        let bytes = fs::read(file).unwrap();
        fs::remove_file(file).unwrap();
        verify(0, 2, &gone);
        // Without its original it is no choice.
        fs::rename(&original, &aside).unwrap();
        verify(1, 3, &format!("{name}: missing (by `upload/"));
        fs::rename(&aside, &original).unwrap();
        let sidecar = file.with_file_name("../sidecars/winter-cabins-0001.jpg.yaml");
        let text = fs::read(&sidecar).unwrap();
        fs::remove_file(&sidecar).unwrap();
        // The row in the CSV tells of it, or the journal.
        verify(0, 2, "all is as it should be");
        fs::write(&sidecar, text).unwrap();
        fs::write(file, bytes).unwrap();
        verify(0, 1, "all is as it should be");
    }
}

#[test]
fn what_a_person_takes_away_at_a_gate_is_gone_by_hand() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {keep: hold}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    for seed in 1..3 {
        fs::write(root.at(&format!("raw/winter-cabins/{seed}.png")), picture(seed, 100)).unwrap();
    }
    assert!(root.once().status.success());
    let kept = root.at("keep/winter-cabins/winter-cabins-0002.png");
    let remove = |name: &str| fs::remove_file(root.at(name)).unwrap();
    let sidecar = "keep/winter-cabins/winter-cabins-0002.png.yaml";
    let gone = "keep/winter-cabins/winter-cabins-0002.png: gone by hand";
    // A person renames one and takes it away: neither name is missing twice.
    fs::rename(&kept, root.at("keep/winter-cabins/chosen.png")).unwrap();
    fs::rename(root.at(sidecar), root.at("keep/winter-cabins/chosen.png.yaml")).unwrap();
    remove("keep/winter-cabins/chosen.png");
    let steps: [(&str, &str); 2] = [
        ("", "keep/winter-cabins/chosen.png: gone by hand"),
        // The journal alone knows of it.
        ("keep/winter-cabins/chosen.png.yaml", gone),
    ];
    for (further, line) in steps {
        if !further.is_empty() {
            remove(further);
        }
        let output = root.call(&["verify"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!((output.status.code(), said.lines().count()), (Some(0), 2), "{said}");
        assert!(said.contains(line) && said.contains("all is as it should be"), "{said}");
    }
    // An original is no choice.
    assert!(root.call(&["release", "keep"]).status.success());
    assert!(root.once().status.success());
    remove("archive/winter-cabins/winter-cabins-0001.png");
    let output = root.call(&["verify"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("archive/winter-cabins/winter-cabins-0001.png: missing (by `archive/"), "{said}");
}

#[test]
fn verify_beside_a_daemon_at_work_calls_nothing_missing() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let daemon = root.run();
    for seed in 0..60 {
        fs::write(root.at(&format!("raw/winter-cabins/{seed}.png")), picture(seed, 100)).unwrap();
    }
    // Again and again, so that many a look falls between a file's leaving and its coming.
    root.until("all has gone through", |root| {
        let output = root.call(&["verify"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        root.csv().len() == 61
    });
    let said = root.text(&["verify"]);
    assert!(said.contains("60 assets, 120 files, 60 originals checked"), "{said}");
    daemon.signal("-TERM");
    daemon.ends_well();
}
