//! Rows over a small mill on the disk, which nothing changes.
#![expect(clippy::disallowed_methods, reason = "a test plays the person who drops files")]

use std::fs;

use jiff::tz::TimeZone;
use tempfile::TempDir;

use super::*;
use crate::model::Identity;
use crate::records::PublishMode;
use crate::service::pauses::Cause;
use crate::vault::RealDisk;

const SEEN: Identity = Identity { device: 1, inode: 7, size: 9, modified_ns: 5 };

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

/// Returns a mill with these settings and files.
fn mill(settings: &str, files: &[(&str, &str)]) -> (TempDir, Decider) {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".stockmill")).unwrap();
    for (file, text) in files {
        let file = home.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let markets = crate::market::built_in().unwrap();
    let settings = Arc::new(crate::config::load(settings, home.path(), &markets).unwrap());
    let vault = Vault::to_look(RealDisk::open_to_look(crate::service::layout(&settings)), &[]).unwrap();
    let mut decide = Decider::new(vault, settings, Ledger::default());
    decide.tags.settle_at_once();
    (home, decide)
}

/// Monday noon.
fn noon() -> Moment {
    let now: jiff::Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    Moment { local: now.to_zoned_datetime(TimeZone::UTC), steady: std::time::Duration::from_secs(9) }
}

#[test]
fn a_file_is_shut_in_by_its_gate_a_pause_or_a_misnamed_tag_file() {
    // (settings, the area that is paused, a misnamed tag file, the beginning of the reason)
    let cases = [
        ("", None, false, None),
        ("gates: {keep: hold}", None, false, None),
        ("gates: {raw: hold}", None, false, Some("the gate of `raw` is `hold`")),
        ("gates: {raw: {on: [friday], at: \"09:00\"}}", None, false, Some("the gate of `raw` opens on Friday")),
        ("", Some("raw"), false, Some("`raw` is paused: away")),
        ("", Some("keep"), false, Some("`keep` is paused: away")),
        ("", Some("export"), false, None),
        ("", None, true, Some("`raw/sea/Tags.yaml`")),
    ];
    for (settings, paused, is_misnamed, expected) in cases {
        let (_home, mut decide) = mill(settings, &[]);
        let mut pauses = Pauses::default();
        if let Some(area) = paused {
            pauses.pause(&path(area), "away".to_owned(), 0, Cause::Seen, std::time::Duration::ZERO);
        }
        if is_misnamed {
            let (file, meant, waits) = (path("raw/sea/Tags.yaml"), path("raw/sea/tags.yaml"), path("raw/sea"));
            decide.take_near_misses(&path("raw/sea"), &[NearMiss { file, meant, waits }]);
        }
        let (now, units) = (noon(), Units::default());
        let here = Here { now: &now, pauses: &pauses, units: &units };
        let shut = decide.shut(&path("raw/sea/a.png"), Stage::Raw, SEEN, here).err().map(|hold| hold.to_string());
        let is_told = shut.as_deref().is_some_and(|why| expected.is_some_and(|start| why.starts_with(start)));
        assert!(is_told || (shut.is_none() && expected.is_none()), "{settings} {paused:?}: {shut:?}");
        let by_time = decide.gate_now(Stage::Raw, &now);
        assert_eq!(by_time.is_some(), settings.contains("friday"), "{settings}: {by_time:?}");
        assert!(by_time.is_none_or(|said| said.is_err_and(|shut| shut.opens_in.is_some())), "{settings}");
    }
}

#[test]
fn a_file_with_zeros_waits_unless_stockmill_put_it_there() {
    use crate::records::FileRecord;
    let (_home, decide) = mill("", &[]);
    let of = |hash: &[u8]| {
        let file = FileRecord::of_original(ContentHash::of(hash));
        let beside = crate::plan::Companion { path: path("keep/sea/a.tif.yaml"), seen: SEEN };
        Some((beside, Sidecar { file: Some(file), ..Sidecar::default() }))
    };
    for (zeros, sidecar, expected) in [
        (None, None, None),
        (Some(4096..8192), None, Some("4096 of its bytes are zeros (from byte 4096 on)")),
        (Some(4096..8192), of(b"other"), Some("4096 of its bytes")),
        (Some(4096..8192), of(b"tiff"), None),
    ] {
        let bare = Facts::bare(path("keep/sea/a.tif"), Stage::Keep, SEEN, 0);
        let facts = Facts { hash: ContentHash::of(b"tiff"), zeros, sidecar, ..bare };
        let why = decide.gate(&facts, &noon()).err().map(|hold| hold.to_string());
        assert_eq!(why.is_some(), expected.is_some(), "{why:?}");
        assert!(why.iter().zip(expected).all(|(why, start)| why.starts_with(start) && why.contains("release keep")));
    }
}

#[test]
fn a_theme_claims_its_documents() {
    let tags = "title: Sea\ndocuments: [readme.txt, a.png]\n";
    let (_home, mut decide) = mill("", &[("raw/sea/tags.yaml", tags), ("raw/sky/tags.yaml", "title: Sky\n")]);
    let now = noon().for_settle();
    for (file, expected) in [
        ("raw/sea/readme.txt", true),
        ("raw/sea/other.txt", false),
        ("raw/sky/readme.txt", false),
        ("raw/readme.txt", false),
        // What stockmill knows is an asset, whatever a theme says.
        ("raw/sea/a.png", false),
    ] {
        assert_eq!(decide.is_document(&path(file), Stage::Raw, now), Ok(expected), "{file}");
    }
}

#[test]
fn tags_come_from_the_settings_the_sets_the_theme_and_the_folder() {
    let files = [
        ("tagsets/warm.yaml", "keywords: [sun]\n"),
        ("raw/sea/tags.yaml", "title: Sea\nuse: [warm]\nkeywords: [wave]\n"),
        ("raw/sea/deep/tags.yaml", "title: Deep sea\n"),
    ];
    let cases = [
        ("raw/sea/a.png", "Sea", vec!["own", "sun", "wave"]),
        ("raw/sea/deep/a.png", "Deep sea", vec!["own", "sun", "wave"]),
        ("raw/a.png", "", vec!["own"]),
    ];
    for (file, title, keywords) in cases {
        let (_home, mut decide) = mill("defaults: {keywords: [own]}", &files);
        let facts = Facts::bare(path(file), Stage::Raw, SEEN, 0);
        let meta = decide.tags_of(&facts, noon().for_settle()).unwrap().meta();
        let mut found = meta.keywords.clone();
        found.sort_unstable();
        assert_eq!((meta.title.as_str(), found), (title, keywords.into_iter().map(str::to_owned).collect()), "{file}");
    }
}

/// Pictures were sold with old tags while the file that a person had just written could not be read.
#[test]
fn a_tag_file_that_cannot_be_read_keeps_its_theme_waiting_in_all_stages() {
    let sound = "title: Door\n";
    let (home, mut decide) = mill("", &[("keep/door/tags.yaml", sound), ("keep/sky/tags.yaml", "title: Sky\n")]);
    let base = ".stockmill/tags/door/tags.yaml";
    let files = [
        ("raw/door/d.png", Stage::Raw),
        ("raw/2026-11-29/door/e.png", Stage::Raw),
        ("keep/door/c.png", Stage::Keep),
        ("export/door/c.jpg", Stage::Export),
        ("upload/door/c.jpg", Stage::Upload),
    ];
    // (the file in `raw`, whether the theme had tags, what is told)
    let cases = [
        (sound, true, None),
        ("", false, None),
        ("", true, Some("`raw/door/tags.yaml` is empty")),
        ("title: Door: red\nkeywords: [door, red\n", true, Some("`raw/door/tags.yaml` cannot be read")),
    ];
    for (text, had_tags, expected) in cases {
        for (file, text) in [("raw/door/tags.yaml", Some(text)), (base, had_tags.then_some(sound))] {
            let file = home.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            text.map_or_else(|| drop(fs::remove_file(&file)), |text| fs::write(&file, text).unwrap());
        }
        decide.tags.themes.forget_cache();
        for (file, stage) in files {
            let facts = Facts::bare(path(file), stage, SEEN, 0);
            let why = decide.tags_of(&facts, noon().for_settle()).err().map(|hold| hold.to_string());
            let is_told = why.as_deref().is_some_and(|why| expected.is_some_and(|start| why.starts_with(start)));
            assert!(is_told || (why.is_none() && expected.is_none()), "{file}, {text:?}: {why:?}");
        }
        let other = Facts::bare(path("keep/sky/a.png"), Stage::Keep, SEEN, 0);
        assert!(decide.tags_of(&other, noon().for_settle()).is_ok(), "{text:?}");
    }
}

/// The category was left out of the manifest without a word.
#[test]
fn tags_for_a_market_that_nobody_knows_wait() {
    let wrong = "title: Sea\ncategory: {adobe-stok: 11}\n";
    let unknown = "there is no market `adobe-stok`; did you mean `adobe-stock`? A market of your own has its profile in \
                   `markets/adobe-stok.yaml`";
    let (sound, set) = ("title: Sea\ncategory: {adobe-stock: 11}\n", "title: Sea\nuse: [warm]\n");
    // (the file, its text, that of the tag set, that of the sidecar, settings, what is told)
    let cases = [
        ("raw/sea/tags.yaml", wrong, "", "", "", Some("`tags.yaml` of the theme `sea`")),
        ("raw/sea/deep/tags.yaml", wrong, "", "", "", Some("`deep/tags.yaml` of the theme `sea`")),
        ("raw/sea/tags.yaml", set, wrong, "", "", Some("the tag set `tagsets/warm.yaml`")),
        ("raw/sea/tags.yaml", set, sound, "tags: {category: {adobe-stok: 11}}", "", Some("its sidecar")),
        ("raw/sea/tags.yaml", sound, "", "tags: {category: {adobe-stock: 3}}", "", None),
        // One that is known and not chosen may be chosen yet.
        ("raw/sea/tags.yaml", sound, "", "", "upload: {markets: []}", None),
    ];
    for (file, text, set, sidecar, settings, expected) in cases {
        let files = [("raw/sea/tags.yaml", "title: Sea\n"), (file, text), ("tagsets/warm.yaml", set)];
        let (_home, mut decide) = mill(settings, &files);
        let mut facts = Facts::bare(path("raw/sea/deep/a.png"), Stage::Raw, SEEN, 0);
        let record = crate::plan::Companion { path: path("raw/sea/deep/a.png.yaml"), seen: SEEN };
        facts.sidecar = (!sidecar.is_empty()).then(|| (record, Sidecar::parse(sidecar.as_bytes()).unwrap()));
        let why = decide.tags_of(&facts, noon().for_settle()).err().map(|hold| hold.to_string());
        let is_told = expected
            .is_some_and(|start| why.as_deref().is_some_and(|why| why.starts_with(start) && why.ends_with(unknown)));
        assert!(is_told || (why.is_none() && expected.is_none()), "{file} {text}{set}{sidecar}: {why:?}");
        let unread = decide.why_unread(&path(file), noon().for_settle()).map(|hold| hold.to_string());
        assert_eq!(unread, why.filter(|_| text == wrong), "{file} {text}{set}{sidecar}");
    }
}

/// The picture came to its end in `upload` without a title, as a theme of its own.
#[test]
fn a_folder_named_like_a_theme_with_tags_is_told_at_once() {
    let (tags, none) = ("title: A fox\n", "# title: Winter cabins\n");
    // (the folder, what its own tags say, the theme beside it, what that one's tags say, whether it is told)
    let cases = [
        ("Red Fox in Snow", none, "red-fox-in-snow", tags, true),
        ("Red Fox in Snow", "title: Another\n", "red-fox-in-snow", tags, false),
        ("Red Fox in Snow", none, "red-fox-in-snow", none, false),
        ("Red Fox in Snow", none, "red-fox", tags, false),
        ("ku\u{308}rbis", none, "k\u{fc}rbis", tags, true),
        ("k\u{fc}rbis", none, "ku\u{308}rbis", tags, true),
        ("k\u{fc}rbis", tags, "ku\u{308}rbis", none, false),
    ];
    for (folder, own, other, its, is_told) in cases {
        let files = [(format!("raw/{folder}/tags.yaml"), own), (format!("keep/{other}/tags.yaml"), its)];
        let files = files.each_ref().map(|(file, text)| (file.as_str(), *text));
        let (_home, mut decide) = mill("", &files);
        let mut units = Units::default();
        units.find_all(decide.disk(), &Stage::ALL, &decide.settings.settle.ignore);
        let (now, pauses) = (noon(), Pauses::default());
        let here = Here { now: &now, pauses: &pauses, units: &units };
        let facts = Facts::bare(path(&format!("raw/{folder}/a.png")), Stage::Raw, SEEN, 0);
        let layers = decide.layers_of(&facts, now.for_settle()).unwrap();
        let held = decide.no_namesake(&facts, &layers, here).err().map(|hold| hold.to_string());
        let expected = format!("did you mean `{other}`, which has them?");
        assert_eq!(held.is_some_and(|why| why.contains(&expected)), is_told, "{folder} {own}{other} {its}");
    }
}

#[test]
fn only_the_bundles_of_the_day_are_counted() {
    let sidecar = "version: 1\nid: 0123456789abcdef\ntheme: sea\ntags: {title: Sea}\n";
    let bundle = |day: &str, rest: &str| format!("upload/2026-11-{day}/adobe-stock/{rest}");
    let files = ["22", "23"].map(|day| {
        [bundle(day, "files/a.jpg"), bundle(day, "sidecars/a.jpg.yaml")].map(|file| {
            let text = if file.ends_with("yaml") { sidecar } else { "x" };
            (file, text)
        })
    });
    let files: Vec<(&str, &str)> = files.iter().flatten().map(|(file, text)| (file.as_str(), *text)).collect();
    let (home, mut decide) = mill("", &files);
    let found = decide.bundles_of(&noon());
    let shown: Vec<_> =
        found.iter().map(|bundle| (bundle.name.folder().to_string(), bundle.rows, bundle.sent)).collect();
    assert_eq!(shown, [("upload/2026-11-23/adobe-stock".to_owned(), Some(1), false)]);
    fs::write(home.path().join("upload/2026-11-23/adobe-stock/SENT"), "").unwrap();
    assert!(decide.bundles_of(&noon())[0].sent);
    // Of what nobody can read it cannot be told how much it holds: nothing is added.
    let (_home, mut decide) = mill("", &[files[2], (files[3].0, "title: [")]);
    assert_eq!(decide.bundles_of(&noon())[0].rows, None);
}

/// The next bundle took the name of one that a person had renamed, and the files of that counted as taken out of it: two releases
/// sold them again. Nothing but the log said of it.
#[test]
fn a_bundle_that_is_away_keeps_its_name() {
    const FILE: &str = "upload/2026-11-23/adobe-stock/sidecars/a.jpg.yaml";
    const SIDECAR: &str = "version: 1\nid: 0123456789abcdef\norigin: {path: raw/sea/a.png, hash: \
        af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262, kind: png}\n";
    // The name that the folder gets; whether a file `SENT` is in it; how the bundle stands; whether the folder is told.
    for (name, is_marked, stands, is_told) in [
        ("2026-11-23/adobe-stock", false, (Some(1), false), false),
        ("2026-11-23/adobe-stock done", false, (None, true), true),
        ("2026-11-23/adobe-stock done", true, (None, true), true),
        ("2026-11-23/adobe-stock-02", false, (None, true), true),
        ("2026-11-23/shop", false, (None, true), true),
        ("_done/adobe-stock", false, (None, true), false),
    ] {
        let files =
            [FILE, "upload/2026-11-23/adobe-stock/files/a.jpg", "upload/2026-11-23/adobe-stock/adobe-stock.csv"];
        let (home, mut decide) = mill("", &files.map(|file| (file, if file == FILE { SIDECAR } else { "x" })));
        let sidecar = Sidecar::parse(SIDECAR.as_bytes()).unwrap();
        decide.ledger.remember_sidecar(&RelPath::new(FILE).unwrap(), &sidecar, &|_| true);
        let upload = home.path().join("upload");
        fs::create_dir_all(upload.join(name).parent().unwrap()).unwrap();
        fs::rename(upload.join("2026-11-23/adobe-stock"), upload.join(name)).unwrap();
        if is_marked {
            fs::write(upload.join(name).join("SENT"), "").unwrap();
        }
        for _ in 0..2 {
            let found = decide.bundles_of(&noon());
            let shown: Vec<_> = found.iter().map(|bundle| (bundle.name.part, bundle.rows, bundle.sent)).collect();
            assert_eq!(shown, [(1, stands.0, stands.1)], "{name}");
        }
        let told: Vec<String> = decide.renamed_bundles().iter().map(|odd| odd.path.to_string()).collect();
        let expected = is_told.then(|| format!("upload/{name}"));
        assert_eq!(told, expected.as_slice(), "{name}");
        // Who makes the folder again says that it was not sent.
        fs::create_dir_all(upload.join("2026-11-23/adobe-stock")).unwrap();
        decide.upload.loaded_for = None;
        assert!(decide.bundles_of(&noon()).iter().all(|bundle| !bundle.sent), "{name}");
    }
}

/// What was undone after its upload went into another bundle under the same name: one list said to delete that in the portal, and
/// the other one to upload it.
#[test]
fn a_name_that_a_market_may_have_from_another_bundle_is_taken() {
    let path = |text: &str| RelPath::new(text).unwrap();
    let at = |bundle: &str| path(&format!("upload/2026-11-{bundle}/files/a.jpg"));
    let (up, gone, away) = ("Upload `a.jpg` (1 file) from `files/`.", [r#"{"gone":["a.jpg"]}"#], "Delete `a.jpg`.");
    let steps = format!(r#"{{"{up}":{{"upload":{{"a.jpg":"v"}}}},"{away}":{{"delete":["a.jpg"]}}}}"#);
    let up_ticked = format!(r#"{{"ticked":"{up}"}}"#);
    let happened = [&[up_ticked.as_str()][..], &gone].concat().join(",");
    let record = format!(r#"{{"version":1,"heading":"A","steps":{steps},"happened":[{happened}]}}"#);
    // What is ticked in the list of the first bundle, whether the record can be read, and where the file is to lie.
    for (ticked, has_record, bundle, is_taken) in [
        (&[up][..], true, "23/adobe-stock", true),
        (&[up], true, "22/adobe-stock-2", true),
        (&[up], true, "22/adobe-stock", false),
        (&[up], true, "23/vecteezy", false),
        (&[up, away], true, "23/adobe-stock", false),
        (&[up], false, "23/adobe-stock", true),
    ] {
        let list = ticked.iter().map(|step| format!("- [x] {step}\n")).collect::<Vec<_>>().concat();
        let list_at = if has_record { "CHECKLIST.md" } else { "CHECKLIST.md/unreadable" };
        let [list_at, record_at] =
            [list_at, "sidecars/checklist.json"].map(|file| format!("upload/2026-11-22/adobe-stock/{file}"));
        let (_home, mut decide) = mill("", &[(&list_at, &list), (&record_at, &record)]);
        let (file, hash) = (at("22/adobe-stock"), ContentHash::of(b"a"));
        let sidecar = path("upload/2026-11-22/adobe-stock/sidecars/a.jpg.yaml");
        let publish = [&file, &sidecar].map(|to| Publish {
            scratch: path(".stockmill/scratch/0-0"),
            to: to.clone(),
            hash: hash.clone(),
            mode: PublishMode::New,
        });
        let about = About {
            asset: Some(AssetId::of(&hash)),
            seq: Some(1),
            to: Some(file),
            ..About::new(Stage::Upload, "bundled")
        };
        decide.ledger.remember(&about, &publish, noon().timestamp());
        assert_eq!(decide.is_up_from_another(&at(bundle)), is_taken, "{ticked:?} {has_record} {bundle}");
        // As long as its list says so, and it is not deleted there, its asset does not go there again.
        let up = decide.still_up(&[&AssetId::of(&hash)], &|_| false);
        let is_as_told = match up.first() {
            Some((_, Bundled::StillUp(file))) => has_record && *file == at("22/adobe-stock"),
            // What cannot be read is no word that it was not uploaded.
            Some((_, Bundled::Unknown(why))) => !has_record && why.contains("nobody can read what was uploaded"),
            found => found.is_none() && ticked.contains(&away),
        };
        assert!(is_as_told, "{ticked:?} {has_record}: {up:?}");
        assert_eq!(decide.still_up(&[&AssetId::of(&hash)], &|_| true), []);
        assert_eq!(decide.still_up(&[&AssetId::of(&ContentHash::of(b"b"))], &|_| false), []);
    }
}

/// Names that a person swapped had the rows of each other: each was told as changed by hand, and asked for all the same.
#[test]
fn a_file_with_the_name_of_another_one_is_not_to_be_uploaded() {
    let bundle = "upload/2026-11-23/adobe-stock";
    // What was left under a name, what lies there now, and the name that this had.
    let files = [
        ("a", "one", "two", Some("b")),
        ("b", "two", "one", Some("a")),
        ("c", "three", "mine", None),
        ("d", "four", "four", None),
    ];
    let texts = files.iter().flat_map(|(name, left, now, _)| {
        let sidecar = format!("id: 000000000000000{name}\nfile: {{hash: {}}}\n", ContentHash::of(left.as_bytes()));
        let [file, record] = [format!("{bundle}/files/{name}.jpg"), format!("{bundle}/sidecars/{name}.jpg.yaml")];
        [(file, (*now).to_owned()), (record, sidecar)]
    });
    let texts: Vec<(String, String)> = texts.collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let (_home, mut decide) = mill("upload: {markets: [adobe-stock]}", &texts);
    let (places, name) = (decide.places(), crate::plan::BundleName::parse("2026-11-23", "adobe-stock").unwrap());
    let refused = decide.refused_in(&name, &places, &noon()).unwrap();
    let told = |name: &str| {
        let found = refused.iter().find(|(file, _)| file.file_text() == format!("{name}.jpg"));
        found.map(|(_, against)| (against.to_string(), is_due(Some(against))))
    };
    for (name, _, _, had) in files {
        let expected =
            had.map(|had| format!("do not upload it under this name: it is `{had}.jpg`, as that was left here"));
        let told = told(name);
        let is_misnamed = told.as_ref().is_some_and(|(told, _)| told.contains("under this name"));
        assert_eq!(is_misnamed, expected.is_some(), "{name}: {told:?}");
        assert!(
            expected.is_none_or(|expected| told
                .as_ref()
                .is_some_and(|(told, is_due)| told.starts_with(&expected) && *is_due)),
            "{name}: {told:?}"
        );
    }
}

/// Moved to a folder of its name that was there, a bundle lay within another one, and nothing told so.
#[test]
fn a_bundle_within_another_one_is_told() {
    const SIDECAR: &str = "version: 1\nid: 0123456789abcdef\norigin: {path: raw/sea/a.png, hash: \
        af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262, kind: png}\n";
    for (place, is_told) in [
        ("sent/2026-11-23/adobe-stock/adobe-stock-2", true),
        ("2026-11-23/vecteezy/adobe-stock-2", true),
        ("2026-11-23/vecteezy/files/adobe-stock-2", true),
        ("2026-11-23/adobe-stock/renamed", true),
        ("2026-11-23/adobe-stock-2", false),
        ("_done/adobe-stock-2", false),
    ] {
        let at = |rest: &str| format!("upload/{place}/{rest}");
        let files = [(at("sidecars/a.jpg.yaml"), SIDECAR), (at("files/a.jpg"), "x"), (at("adobe-stock.csv"), "x")];
        let (_home, mut decide) = mill("", &files.each_ref().map(|(file, text)| (file.as_str(), *text)));
        let record = path("upload/2026-11-23/adobe-stock-2/sidecars/a.jpg.yaml");
        decide.ledger.remember_sidecar(&record, &Sidecar::parse(SIDECAR.as_bytes()).unwrap(), &|_| true);
        let disk = decide.vault.disk();
        decide.ledger.look_for_misplaced(disk, &crate::service::areas());
        let told: Vec<_> = decide.renamed_bundles().into_iter().map(|odd| (odd.path.to_string(), odd.why)).collect();
        assert_eq!(told.len(), usize::from(is_told), "{place}: {told:?}");
        let is_right = |(folder, why): &(String, String)| {
            *folder == format!("upload/{place}") && why.contains("it seems to be `upload/2026-11-23/adobe-stock-2`")
        };
        assert!(told.iter().all(is_right), "{place}: {told:?}");
    }
}

/// A bundle that a person gave the name of another market's became its bundle, with the files and ticks of the first: that market
/// got them, and the first one never did.
#[test]
fn a_bundle_with_the_name_of_another_market_is_not_its_bundle() {
    const SIDECAR: &str = "version: 1\nid: 0123456789abcdef\norigin: {path: raw/sea/a.png, hash: \
        af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262, kind: png}\n";
    let bundle = |market: &str| crate::plan::BundleName::parse("2026-11-23", market).unwrap();
    // The tables in the folder `vecteezy`, whether the other bundle is still there, and whether the folder is one of another.
    for (tables, is_copy, is_other) in [
        (&["adobe-stock.csv"][..], false, true),
        (&["adobe-stock-2.csv", "notes.csv"], false, true),
        (&["adobe-stock.csv"], true, true),
        (&["adobe-stock.csv", "vecteezy.csv"], true, false),
        (&["notes.csv"], true, false),
        (&[], true, false),
    ] {
        let of = |market: &str| {
            let at = |rest: &str| format!("upload/2026-11-23/{market}/{rest}");
            [(at("sidecars/a.jpg.yaml"), SIDECAR), (at("files/a.jpg"), "x")]
        };
        let tables = tables.iter().map(|table| (format!("upload/2026-11-23/vecteezy/{table}"), "x"));
        let own = is_copy.then(|| of("adobe-stock")).into_iter().flatten();
        let files: Vec<(String, &str)> = of("vecteezy").into_iter().chain(tables).chain(own).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
        let (home, mut decide) = mill("upload: {markets: [adobe-stock, vecteezy]}", &files);
        let record = path("upload/2026-11-23/adobe-stock/sidecars/a.jpg.yaml");
        decide.ledger.remember_sidecar(&record, &Sidecar::parse(SIDECAR.as_bytes()).unwrap(), &|_| true);
        let shown = |decide: &mut Decider| {
            let found = decide.bundles_of(&noon());
            let shown = found.into_iter().map(|bundle| (bundle.name.market.to_string(), (bundle.rows, bundle.sent)));
            shown.collect::<BTreeMap<String, (Option<usize>, bool)>>()
        };
        let free = (Some(1), false);
        let expected = [(is_copy, "adobe-stock"), (!is_other, "vecteezy")];
        let expected = expected.map(|(is_free, name)| (name.to_owned(), if is_free { free } else { (None, true) }));
        for _ in 0..2 {
            assert_eq!(shown(&mut decide), BTreeMap::from(expected.clone()), "{files:?}");
            // Also where it got that name since the bundles were looked at.
            decide.upload.bundles.remove(&bundle("vecteezy"));
            if !is_other {
                break;
            }
        }
        let lost = decide.renamed_to(&bundle("adobe-stock")).map(|folder| folder.to_string());
        assert_eq!(lost.is_some(), is_other, "{files:?}");
        let places = decide.places();
        let refused = decide.refused_in(&bundle("vecteezy"), &places, &noon());
        assert_eq!(refused.is_err(), is_other, "{files:?}");
        for is_marked in [false, true] {
            if is_marked {
                fs::write(home.path().join("upload/2026-11-23/vecteezy/SENT"), "").unwrap();
            }
            let held = decide.holds_bundle(&bundle("vecteezy"), &noon()).map(|hold| hold.to_string());
            assert_eq!(held.is_some(), is_other, "{files:?}: {held:?}");
            assert!(held.is_none_or(|held| held.contains("its CSV is that of another market")), "{files:?}");
        }
    }
}

/// What a person had uploaded and put aside within its bundle lost its row, was asked for as a deletion in the portal, and went there
/// again; behind a link row and step stayed for ever, and the bundle could never be sent.
#[test]
fn a_bundle_within_which_a_file_was_moved_stays_as_it_is() {
    // Where the file lies, and what is told.
    for (place, told) in [
        ("files/a.jpg", None),
        ("files/done/a.jpg", Some("lies in `upload/2026-11-23/adobe-stock/files/done/`")),
        ("done/a.jpg", Some("lies in")),
        ("a.jpg", Some("lies in `upload/2026-11-23/adobe-stock/`")),
        ("uploaded/a.jpg", Some("lies in")),
        ("done/today/a.jpg", Some("lies in")),
        ("files/a.jpg/link", Some("is a folder and no file")),
        ("parts/a.jpg", None),
        ("sidecars/a.jpg", None),
        ("files/done/b.jpg", None),
    ] {
        let at = |rest: &str| format!("upload/2026-11-23/adobe-stock/{rest}");
        let (record, file) = (at("sidecars/a.jpg.yaml"), at(place));
        let (home, mut decide) = mill("", &[(&record, "id: 0123456789abcdef"), (&file, "x")]);
        let name = crate::plan::BundleName::parse("2026-11-23", "adobe-stock").unwrap();
        let places = decide.places();
        let held = decide.refused_in(&name, &places, &noon()).err().map(|hold| hold.to_string());
        let is_told = |why: &String| told.is_some_and(|told| why.contains(told));
        assert!(held.is_some() == told.is_some() && held.iter().all(is_told), "{place}: {held:?}");
        assert_eq!(decide.holds_bundle(&name, &noon()).is_some(), told.is_some(), "{place}");
        assert_eq!(decide.bundles_of(&noon())[0].rows.is_none(), told.is_some(), "{place}");
        // One that is marked is not on record.
        fs::write(home.path().join(at("SENT")), "").unwrap();
        assert_eq!(decide.holds_bundle(&name, &noon()).is_some(), told.is_some(), "{place}");
    }
}

/// With the journal lost as well, a file went to its market again from a bundle that was moved to where none can lie.
#[test]
fn a_market_waits_for_an_unknown_file_wherever_its_bundle_lies() {
    const KNOWN: &str = "version: 1\nid: 0123456789abcdef\norigin: {path: raw/sea/a.png, hash: \
        af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262, kind: png}\n";
    let market = MarketName::recorded("adobe-stock");
    let held = |decide: &mut Decider| {
        drop(decide.bundles_of(&noon()));
        decide.has_unidentified(&market)
    };
    // Where the bundle lies, the name of its manifest, and whether that is one of the market.
    for (folder, table, is_held) in [
        ("upload/2026-11-20/adobe-stock", "adobe-stock", true),
        ("upload/sent/2026-11-20/adobe-stock", "adobe-stock", true),
        ("upload/2026-11-20/adobe-stock-9", "adobe-stock-2", true),
        ("upload/box/adobe-stock", "adobe-stock", true),
        ("upload/done/2026-11-20/adobe-stock", "adobe-stock", true),
        ("upload/2026-11-20/another", "adobe-stock", true),
        ("upload/2026-11-20/another", "vecteezy", false),
        ("raw/adobe-stock", "adobe-stock", true),
        ("archive/old", "adobe-stock", true),
    ] {
        let at = |rest: &str| format!("{folder}/{rest}");
        let (file, record, csv) = (at("files/a.jpg"), at("sidecars/a.jpg.yaml"), at(&format!("{table}.csv")));
        let files = [(file.as_str(), "x"), (csv.as_str(), "Filename,Title\r\na.jpg,Sea\r\n")];
        for sidecar in [None, Some("id: ["), Some("version: 1\n"), Some(KNOWN)] {
            let record = sidecar.map(|text| (record.as_str(), text));
            let all: Vec<_> = files.into_iter().chain(record).collect();
            let (home, mut decide) = mill("", &all);
            decide.ledger = Ledger::rebuild(decide.disk(), &[], &crate::service::areas());
            let why = held(&mut decide);
            let is_unknown = sidecar != Some(KNOWN);
            assert_eq!(why.is_some(), is_held && is_unknown, "{folder} {table} {sidecar:?}: {why:?}");
            assert!(why.is_none_or(|why| why.contains(&file)), "{folder}");
            // It holds on when a person moves the bundle, and ends when the bundle is gone.
            let (from, to) = (home.path().join(folder), home.path().join("keep/away/moved"));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::rename(from, &to).unwrap();
            let why = held(&mut decide);
            assert_eq!(why.is_some(), is_held && is_unknown, "{folder} moved {table} {sidecar:?}: {why:?}");
            assert!(why.is_none_or(|why| why.contains("keep/away/moved/")), "{folder}");
            fs::remove_dir_all(to).unwrap();
            assert_eq!(held(&mut decide), None, "{folder} gone");
        }
    }
}

/// A file that the disk did not show was owed to nobody for that look, and what cannot be told of one hid its neighbours.
#[test]
fn what_a_bundled_file_is_owed_to_is_told_or_told_to_be_unknown() {
    let record = "version: 1\nid: 0123456789abcdef\ntheme: sea\nowed: [vecteezy]\n";
    let at = |name: &str| format!("upload/2026-11-22/adobe-stock/{name}");
    let (good, bad) = (at("sidecars/good.jpg.yaml"), at("sidecars/bad.jpg.yaml"));
    let files = [at("files/good.jpg"), at("files/bad.jpg"), at("files/unseen.jpg")];
    let files = files.each_ref().map(|file| (file.as_str(), "x"));
    let (home, mut decide) = mill("", &[&files[..], &[(&good, record), (&bad, "title: [")]].concat());
    // A link is never followed: the disk refuses to tell what lies behind it.
    std::os::unix::fs::symlink(home.path(), home.path().join(at("sidecars/unseen.jpg.yaml"))).unwrap();
    let (now, units, pauses) = (noon(), Units::default(), Pauses::default());
    let here = Here { now: &now, pauses: &pauses, units: &units };
    let bundle = crate::plan::BundleName::of(&path(&at("")[..at("").len() - 1])).unwrap();
    let lacks = lacking_vecteezy();
    let lacking = ["good", "bad", "unseen", "gone"].map(|name| (format!("{name}.jpg"), lacks.clone()));
    let owed = [(bundle.clone(), lacking.into())].into();
    let owing = decide.owing(&bundle, &owed, Care::Times, here).unwrap();
    let told_of = |owing: &Owing| (owing.file.file_text(), owing.said.as_ref().unwrap_err().to_string());
    let told: Vec<_> = owing.iter().map(told_of).collect();
    let expected = [
        ("bad.jpg", "bad.jpg.yaml` cannot be read: line 1, column 1"),
        ("good.jpg", "its content is no picture"),
        ("unseen.jpg", "it is a symbolic link"),
    ];
    let is_told = |((name, why), (file, says)): (&(String, String), (&str, &str))| name == file && why.contains(says);
    assert!(told.len() == 3 && told.iter().zip(expected).all(is_told), "{told:?}");
    // Where the disk does not even tell whether a file is there, it is not owed to nobody either.
    let disk = Arc::new(RealDisk::open(crate::service::layout(&decide.settings)).unwrap());
    let vault = Vault::new(disk, &[]).unwrap();
    vault.make_area(&path("upload")).unwrap();
    fs::rename(home.path().join("upload"), home.path().join("away")).unwrap();
    let folder = BundleFolder::new(bundle.folder());
    let (places, now) = (decide.places(), now.for_settle());
    let (disk, settings) = (vault.disk(), &*decide.settings);
    let mut look = bundles::Bundles { disk, settings, tags: &mut decide.tags, places, now };
    let why = look.offers(&bundle, &folder, &owed, false).unwrap_err().to_string();
    assert!(why.contains("upload/2026-11-22/adobe-stock/files/bad.jpg"), "{why}");
}

/// Returns what a look shows at the bundle for a market in which the file `a.jpg` lies that a person changed, and that a further
/// market lacks; the tags of its theme cannot be read, and more files lie there.
fn look_at_bundle(tags: &str, more: &[(&str, &str)]) -> FoundBundle {
    let hash = ContentHash::of(b"left");
    let record = format!("version: 1\nid: 0123456789abcdef\ntheme: sea\nowed: [vecteezy]\nfile: {{hash: {hash}}}\n");
    let bundle = crate::plan::BundleName::parse("2026-11-22", "adobe-stock").unwrap();
    let at = |name: &str| format!("{}/{name}", bundle.folder());
    let csv = "Filename,Title,Keywords,Category,Releases\r\na.jpg,Sea,\"a,b\",,\r\n";
    let inside = [("files/a.jpg", "mine"), ("sidecars/a.jpg.yaml", &record), ("adobe-stock.csv", csv)];
    let inside: Vec<(String, &str)> = inside.iter().chain(more).map(|(name, text)| (at(name), *text)).collect();
    let mut files: Vec<(&str, &str)> = inside.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    files.push(("raw/sea/tags.yaml", tags));
    let (_home, decide) = mill("upload: {markets: [adobe-stock, vecteezy]}", &files);
    let lacks = lacking_vecteezy();
    let order = Order {
        places: decide.places(),
        settings: decide.settings.clone(),
        forgotten: std::collections::HashSet::new(),
        distrusted: std::collections::HashSet::new(),
        owed: [(bundle.clone(), [("a.jpg".to_owned(), lacks)].into())].into(),
        on_record: std::collections::BTreeSet::new(),
        delivered: std::sync::OnceLock::new(),
        // Long after all was written.
        now: Now { wall_ns: i64::MAX, ..noon().for_settle() },
    };
    let mut keeper = RecordKeeper::new(&decide.settings.settle);
    match keeper.tend(decide.disk(), &Tended::Bundle(bundle), &order) {
        Ok(Found::Bundle(found)) => found,
        other => panic!("{other:?}"),
    }
}

/// That a bundle was sent was not recorded while nobody could tell which further markets take its files; and of a file that was
/// changed before its sidecar was saved, the former hash was recorded.
#[test]
fn what_was_sent_is_on_record_with_the_bytes_that_went_whatever_waits_for_it() {
    let found = look_at_bundle("title: [", &[("SENT", "")]);
    let Some(crate::records::Dealing::Sent(sending)) = found.dealing.and_then(|plan| plan.about.dealing) else {
        panic!("it is not recorded")
    };
    let went: Vec<_> = sending.files.iter().map(|file| (&*file.name, file.hash.clone())).collect();
    assert_eq!(went, [("a.jpg", ContentHash::of(b"mine"))]);
    assert!(found.waits.is_some_and(|hold| hold.to_string().contains("raw/sea/tags.yaml")));
}

/// A file that cannot be measured had its row and its step, and nobody who looked at the list knew.
#[test]
fn what_cannot_be_measured_in_a_bundle_is_told_by_its_list() {
    let found = look_at_bundle("title: Sea\nkeywords: [a, b]\n", &[]);
    let lists = found.plans.iter().flat_map(|plan| &plan.products).filter_map(|product| match &product.recipe {
        crate::plan::Recipe::Bytes(bytes) if product.to.file_name() == "CHECKLIST.md" => {
            String::from_utf8(bytes.clone()).ok()
        }
        _ => None,
    });
    let list: Vec<String> = lists.collect();
    assert!(list.concat().contains("whether the market takes them: `a.jpg` (it is of no kind"), "{list:?}");
}

/// What was remembered of a gate and could not be read was taken for nothing, and written over.
#[test]
fn a_gate_whose_day_cannot_be_read_is_told() {
    let day = r#"{"version":2,"schedule":"s","opened":"2026-11-20T08:00:00Z"}"#;
    for (text, has_day, is_unread) in [(day, true, false), ("{", false, true)] {
        let (_home, mut decide) = mill("", &[(".stockmill/requests/gate-upload.json", text)]);
        decide.read_gate_days();
        let unread: Vec<_> = decide.unread_gate_days().collect();
        assert_eq!((decide.upload.gate_days.len() == 1, unread.len() == 1), (has_day, is_unread), "{text}");
        assert!(unread.iter().all(|(stage, why)| *stage == Stage::Upload && why.contains("gate-upload.json")));
    }
}

/// A bundle that nobody could look into was listed and read anew at each decision.
#[test]
fn a_bundle_that_cannot_be_looked_into_is_looked_at_again_once_a_round() {
    let (home, mut decide) = mill("", &[("upload/2026-11-22/adobe-stock/sidecars/a.jpg.yaml", "id: [")]);
    // A link is never followed: the disk refuses to tell what lies behind it.
    let files = home.path().join("upload/2026-11-22/adobe-stock/files");
    std::os::unix::fs::symlink(home.path(), &files).unwrap();
    drop(decide.bundles_of(&noon()));
    fs::remove_file(&files).unwrap();
    for (is_round, is_unknown) in [(false, true), (true, false)] {
        decide.upload.is_unseen_due = is_round;
        drop(decide.bundles_of(&noon()));
        assert_eq!(decide.has_unidentified(&MarketName::recorded("adobe-stock")).is_some(), is_unknown, "{is_round}");
    }
}

/// Where each file of the table below lies: in these bundles of one market.
const SHOPS: [&str; 4] =
    ["2026-11-20/adobe-stock", "2026-11-21/adobe-stock", "2026-11-21/adobe-stock-2", "2026-11-22/adobe-stock"];

/// Returns the sidecar of a file whose asset went on at an hour.
fn at(id: &str, hour: u32) -> String {
    let hash = ContentHash::of(b"jpeg");
    let history = format!("[{{at: '2026-11-20T{hour:02}:00:00Z', stage: upload, did: bundled}}]");
    format!("{id}\nfile: {{hash: {hash}}}\nhistory: {history}\n")
}

/// Returns the files that are not to be uploaded from these bundles, each with what is told.
fn not_from_here(
    files: &[(usize, &str, &str)],
    published: &[(usize, &str)],
    ticked: Option<usize>,
) -> Vec<(RelPath, crate::plan::Elsewhere)> {
    let folder = |shop: usize| format!("upload/{}", SHOPS[shop]);
    let mut texts: Vec<(String, &str)> = Vec::new();
    for (shop, name, sidecar) in files {
        texts.push((format!("{}/files/{name}", folder(*shop)), "jpeg"));
        texts.push((format!("{}/sidecars/{name}.yaml", folder(*shop)), *sidecar));
    }
    let step = r#"{"version":1,"heading":"","steps":{"Upload `a.jpg` (1 file).":{"upload":{"a.jpg":"v"}}}}"#;
    if let Some(shop) = ticked {
        texts.push((format!("{}/CHECKLIST.md", folder(shop)), "- [x] Upload `a.jpg` (1 file).\n"));
        texts.push((format!("{}/sidecars/checklist.json", folder(shop)), step));
    }
    let texts: Vec<(&str, &str)> = texts.iter().map(|(file, text)| (file.as_str(), *text)).collect();
    let (_home, mut decide) = mill("upload: {markets: [adobe-stock]}", &texts);
    for (shop, name) in published {
        let to = path(&format!("{}/files/{name}", folder(*shop)));
        let asset = AssetId::try_from("000000000000000a".to_owned()).unwrap();
        let mode = crate::records::PublishMode::New;
        let publish = Publish { scratch: to.clone(), to: to.clone(), hash: ContentHash::of(b"jpeg"), mode };
        let about = About { asset: Some(asset), to: Some(to), seq: Some(1), ..About::new(Stage::Upload, "bundled") };
        decide.ledger.remember(&about, &[publish], jiff::Timestamp::UNIX_EPOCH);
    }
    let places = decide.places();
    let names = bundle_files::bundle_names(decide.disk(), &decide.settings.upload.markets);
    let mut found = Vec::new();
    for name in &names {
        let files = bundle_files::lying(decide.disk(), &BundleFolder::new(name.folder())).unwrap().into_keys();
        let files = files.map(|file| name.folder().join("files").join(file));
        found.extend(elsewhere_in(decide.disk(), &decide.settings, &places, name, files).unwrap());
    }
    found
}

/// The files, as their bundles' numbers and names, with their sidecars; those that a plan put there; those that are ticked as
/// uploaded; those that are not to be uploaded, each with what is told.
type Row<'a> =
    (&'a [(usize, &'a str, &'a str)], &'a [(usize, &'a str)], Option<usize>, &'a [(usize, &'a str, &'a str)]);

fn check_rows(rows: &[Row<'_>]) {
    for (files, published, ticked, expected) in rows {
        let found = not_from_here(files, published, *ticked);
        let told = found.len() == expected.len()
            && found.iter().zip(*expected).all(|((file, why), (shop, name, told))| {
                *file == path(&format!("upload/{}/files/{name}", SHOPS[*shop])) && why.to_string().contains(told)
            });
        assert!(told, "{files:?}: {found:#?}");
    }
}

/// A bundle or a file that was copied, and one whose mark was taken away after the mended file went on, kept rows and steps for an
/// asset that another open bundle had as well: it was uploaded twice.
#[test]
fn of_the_files_of_one_asset_in_open_bundles_one_is_to_be_uploaded() {
    let (a, b) = ("id: '000000000000000a'", "id: '000000000000000b'");
    let (sound, later, other) = (at(a, 9), at(a, 10), at(b, 9));
    let rows: [Row<'_>; 9] = [
        (&[(0, "a.jpg", &sound), (1, "b.jpg", &other), (2, "c.jpg", &at("id: '000000000000000c'", 9))], &[], None, &[]),
        (
            &[(1, "a.jpg", &sound), (2, "a.jpg", &sound)],
            &[],
            None,
            &[(2, "a.jpg", "lies in `upload/2026-11-21/adobe-stock` too, and")],
        ),
        // The copy has the earlier day.
        (
            &[(0, "a.jpg", &sound), (3, "a.jpg", &sound)],
            &[(3, "a.jpg")],
            None,
            &[(0, "a.jpg", "2026-11-22/adobe-stock` too, and")],
        ),
        (&[(0, "a.jpg", &sound), (3, "a.jpg", &sound)], &[(0, "a.jpg"), (3, "a.jpg")], None, &[(3, "a.jpg", "")]),
        // A copy has another name, which stands before the first one or behind it.
        (
            &[(0, "a.jpg", &sound), (0, "a-copy.jpg", &sound)],
            &[],
            None,
            &[(0, "a-copy.jpg", "lies here too, as `a.jpg`, and")],
        ),
        (
            &[(0, "a.jpg", &sound), (0, "b.jpg", &sound)],
            &[(0, "b.jpg")],
            None,
            &[(0, "a.jpg", "lies here too, as `b.jpg`, and")],
        ),
        (
            &[(0, "a.jpg", &sound), (1, "x.jpg", &sound), (3, "a.jpg", &sound)],
            &[(0, "a.jpg")],
            None,
            &[
                (1, "x.jpg", "2026-11-20/adobe-stock` too, as `a.jpg`, and"),
                (3, "a.jpg", "2026-11-20/adobe-stock` too, and"),
            ],
        ),
        // It was refused, and went on mended.
        (
            &[(0, "a.jpg", &sound), (3, "m.jpg", &later)],
            &[(0, "a.jpg"), (3, "m.jpg")],
            Some(0),
            &[(0, "a.jpg", "as `m.jpg`, and")],
        ),
        // Who follows the list of the copy uploaded that.
        (
            &[(0, "a.jpg", &sound), (1, "a.jpg", &sound)],
            &[(0, "a.jpg")],
            Some(1),
            &[(0, "a.jpg", "2026-11-21/adobe-stock` too, and")],
        ),
    ];
    check_rows(&rows);
}

/// One sidecar that nobody could read let what was refused win over what went on mended.
#[test]
fn what_cannot_be_told_of_one_copy_says_nothing_of_the_others() {
    let a = "id: '000000000000000a'";
    let (sound, later) = (at(a, 9), at(a, 10));
    let without_steps = sound.lines().take(2).collect::<Vec<_>>().join("\n");
    let rows: [Row<'_>; 4] = [
        // Nobody can tell which asset one is; a market gets each name once.
        (
            &[(0, "a.jpg", &sound), (1, "a.jpg", "id: [")],
            &[(1, "a.jpg")],
            None,
            &[(0, "a.jpg", "2026-11-21/adobe-stock` too, and")],
        ),
        (&[(0, "a.jpg", &sound), (1, "b.jpg", "id: [")], &[], None, &[]),
        // What cannot be told of a third one says nothing of the other two: what was refused came before what was mended.
        (
            &[(0, "a.jpg", &sound), (1, "a.jpg", "id: ["), (3, "m.jpg", &later)],
            &[(0, "a.jpg"), (3, "m.jpg")],
            None,
            &[(0, "a.jpg", "as `m.jpg`, and")],
        ),
        (
            &[(0, "a.jpg", &sound), (1, "a.jpg", &without_steps), (3, "m.jpg", &later)],
            &[(0, "a.jpg"), (3, "m.jpg")],
            None,
            &[(0, "a.jpg", "as `m.jpg`, and"), (1, "a.jpg", "as `m.jpg`, and")],
        ),
    ];
    check_rows(&rows);
}

/// One after the other was named, each time that one was mended; and what was named to help does not.
#[test]
fn each_sidecar_is_named_that_keeps_a_bundle_from_being_recorded() {
    let rows: Vec<String> = (1..=7).map(|n| format!("{n}.jpg,Sea,\"a,b\",,\r\n")).collect();
    let csv = format!("Filename,Title,Keywords,Category,Releases\r\n{}", rows.concat());
    let at = |name: &str| format!("upload/2026-11-22/adobe-stock/{name}");
    let mut texts = vec![(at("adobe-stock.csv"), csv)];
    texts.extend((1..=7).map(|n| (at(&format!("files/{n}.jpg")), "jpeg".to_owned())));
    texts.extend((1..=7).map(|n| (at(&format!("sidecars/{n}.jpg.yaml")), "version: 1\n".to_owned())));
    let texts: Vec<(&str, &str)> = texts.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let (_home, decide) = mill("upload: {markets: [adobe-stock]}", &texts);
    let name = crate::plan::BundleName::parse("2026-11-22", "adobe-stock").unwrap();
    let (disk, places) = (decide.disk(), decide.places());
    let sending = sending_of(disk, &decide.settings, &places, &name, &name.folder(), jiff::Timestamp::UNIX_EPOCH);
    let why = sending.unwrap_err().to_string();
    let is_named = |n: usize| why.contains(&at(&format!("sidecars/{n}.jpg.yaml")));
    assert_eq!((1..=7).filter(|n| is_named(*n)).count(), 5, "{why}");
    assert!(why.ends_with("; and 2 more") && why.contains("put it back as it was") && !why.contains("undo"), "{why}");
}

/// What was refused and mended, and lay in its bundle without a row while its market got it with another one, was recorded as sent
/// a second time, and the other one lost its row.
#[test]
fn what_was_refused_and_has_other_bytes_by_now_goes_with_its_row_alone() {
    let name = crate::plan::BundleName::parse("2026-11-22", "adobe-stock").unwrap();
    let at = |file: &str| format!("{}/{file}", name.folder());
    let now = ContentHash::of(b"jpeg");
    let record = format!("id: '000000000000000a'\nfile: {{hash: {now}}}\n");
    let csv = "Filename,Title,Keywords,Category,Releases\r\n";
    let row = format!("{csv}a.jpg,Sea,\"a,b\",,\r\n");
    for (refused, csv, goes) in [("jpeg", csv, true), ("other", csv, false), ("other", &row, true)] {
        let texts = [(at("files/a.jpg"), "jpeg"), (at("sidecars/a.jpg.yaml"), &record), (at("adobe-stock.csv"), csv)];
        let texts = texts.each_ref().map(|(file, text)| (file.as_str(), *text));
        let (_home, mut decide) = mill("upload: {markets: [adobe-stock]}", &texts);
        let (market, hash) = (name.market.clone(), ContentHash::of(refused.as_bytes()));
        let (asset, bundle) = (AssetId::try_from("000000000000000a".to_owned()).unwrap(), name.folder());
        let sent = crate::records::SentFile {
            name: "a.jpg".to_owned(),
            asset: asset.clone(),
            theme: None,
            hash: hash.clone(),
            made: None,
            number: None,
            row: None,
        };
        let (file, reason, at) = (bundle.join("files/a.jpg"), String::new(), jiff::Timestamp::UNIX_EPOCH);
        let answer = crate::records::AnsweredFile {
            file,
            asset,
            hash,
            made: None,
            number: None,
            row: None,
            accepted: false,
            reason,
        };
        let sending = crate::records::Sending { bundle: bundle.clone(), market: market.clone(), at, files: vec![sent] };
        for dealing in [
            crate::records::Dealing::Sent(sending),
            crate::records::Dealing::Answered(crate::records::Answers { market, files: vec![answer] }),
            crate::records::Dealing::NotSent(bundle.clone()),
        ] {
            let about = About { dealing: Some(dealing), ..About::new(Stage::Upload, "dealt") };
            decide.ledger.remember(&about, &[], at);
        }
        let sending = sending_of(decide.disk(), &decide.settings, &decide.places(), &name, &bundle, at).unwrap();
        assert_eq!(sending.files.len() == 1, goes, "{refused}: {csv}");
    }
}

/// A row that its tags do not say, since a person changed it or they changed since, would be on record as what they say.
#[test]
fn what_a_row_said_is_on_record_as_far_as_its_tags_say_it() {
    let name = crate::plan::BundleName::parse("2026-11-22", "adobe-stock").unwrap();
    let at = |file: &str| format!("{}/{file}", name.folder());
    let hash = ContentHash::of(b"jpeg");
    let record = format!("id: '000000000000000a'\ntags: {{title: Sea, keywords: [a, b]}}\nfile: {{hash: {hash}}}\n");
    for (title, is_known) in [("Sea", true), ("Lake", false)] {
        let csv = format!("Filename,Title,Keywords,Category,Releases\r\na.jpg,{title},\"a,b\",,\r\n");
        let texts = [(at("files/a.jpg"), "jpeg"), (at("sidecars/a.jpg.yaml"), &record), (at("adobe-stock.csv"), &csv)];
        let texts = texts.each_ref().map(|(file, text)| (file.as_str(), *text));
        let (_home, decide) = mill("upload: {markets: [adobe-stock]}", &texts);
        let (places, epoch) = (decide.places(), jiff::Timestamp::UNIX_EPOCH);
        let sending = sending_of(decide.disk(), &decide.settings, &places, &name, &name.folder(), epoch).unwrap();
        assert_eq!(sending.files[0].row.is_some(), is_known, "{title}");
    }
}

/// Whether what lies in one bundle lies in another one too, nobody can tell who cannot look there.
#[test]
fn what_cannot_be_looked_at_may_have_a_copy() {
    let file = "upload/2026-11-20/adobe-stock/files/a.jpg";
    let (home, decide) = mill(
        "upload: {markets: [adobe-stock]}",
        &[(file, "jpeg"), ("upload/2026-11-20/adobe-stock/sidecars/a.jpg.yaml", "id: '000000000000000a'\n")],
    );
    let name = crate::plan::BundleName::parse("2026-11-20", "adobe-stock").unwrap();
    // A link, or a file, that somebody laid beside the days holds no bundle, and nobody waits for it.
    std::os::unix::fs::symlink(home.path(), home.path().join("upload/Old Work")).unwrap();
    fs::write(home.path().join("upload/My Photo.jpg"), "jpeg").unwrap();
    assert!(decide.places().copies(decide.disk(), &name).unwrap().is_empty());
    fs::create_dir_all(home.path().join("upload/2026-11-21/adobe-stock/sidecars")).unwrap();
    std::os::unix::fs::symlink(home.path(), home.path().join("upload/2026-11-21/adobe-stock/files")).unwrap();
    let why = decide.places().copies(decide.disk(), &name).unwrap_err().to_string();
    assert!(why.contains("upload/2026-11-21/adobe-stock/files"), "{why}");
}

/// Each look at a bundle read the sidecars of all open bundles of its market.
#[test]
fn what_sidecars_of_open_bundles_say_is_read_once() {
    let of = |day: &str, name: &str| format!("upload/{day}/adobe-stock/{name}");
    let (home, decide) = mill(
        "upload: {markets: [adobe-stock]}",
        &[
            (&of("2026-11-20", "files/a.jpg"), "jpeg"),
            (&of("2026-11-20", "sidecars/a.jpg.yaml"), "id: '000000000000000a'\n"),
            (&of("2026-11-21", "files/b.jpg"), "jpeg"),
            (&of("2026-11-21", "sidecars/b.jpg.yaml"), "id: '000000000000000b'\n"),
            // What cannot be read is read anew each time.
            (&of("2026-11-21", "files/c.jpg"), "jpeg"),
            (&of("2026-11-21", "sidecars/c.jpg.yaml"), "id: ["),
        ],
    );
    let name = crate::plan::BundleName::parse("2026-11-20", "adobe-stock").unwrap();
    let (market, record) = (MarketName::recorded("adobe-stock"), path(&of("2026-11-21", "sidecars/b.jpg.yaml")));
    let known = || {
        drop(decide.places().copies(decide.disk(), &name).unwrap());
        let read = decide.upload.sidecars.of(&market);
        let entry = decide.disk().stat(&record).unwrap();
        let asset = entry.and_then(|entry| read.get(&record, &entry)).map(|(asset, _)| asset.to_string());
        (read.len(), asset)
    };
    assert_eq!(known(), (2, Some("000000000000000b".to_owned())));
    fs::write(home.path().join(record.as_path()), "id: '000000000000000c'\n# mine\n").unwrap();
    assert_eq!(known(), (2, Some("000000000000000c".to_owned())));
    fs::remove_file(home.path().join(record.as_path())).unwrap();
    assert_eq!(known(), (1, None));
}

/// A part that a person took out was missed only when something else in its bundle changed.
#[test]
fn the_folders_of_parts_are_looked_at_as_long_as_the_bundle_is_open() {
    let parts = [("parts/a.obj/a.mtl", "x"), ("parts/a.obj/textures/w.png", "y")];
    let folders =
        ["parts", "parts/a.obj", "parts/a.obj/textures"].map(|name| format!("upload/2026-11-22/adobe-stock/{name}"));
    for (mark, is_seen) in [(None, true), (Some(("SENT", "")), false)] {
        let more: Vec<_> = parts.into_iter().chain(mark).collect();
        let found = look_at_bundle("title: Sea\nkeywords: [a, b]\n", &more);
        let has = |folder: &String| found.folders.iter().any(|(seen, _)| *seen == path(folder));
        assert!(folders.iter().all(|folder| has(folder) == is_seen), "{:?}", found.folders);
    }
}

/// Returns that a bundled file never went to one market.
fn lacking_vecteezy() -> crate::service::ledger::Lacks {
    crate::service::ledger::Lacks {
        never: vec![MarketName::recorded("vecteezy")],
        refused: Vec::new(),
        taken_back: Vec::new(),
        again: Vec::new(),
        asset: AssetId::of(&ContentHash::of(b"asset")),
        others: Vec::new(),
    }
}
