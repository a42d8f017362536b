//! Rows over a mill on the disk, which nothing changes.
#![expect(clippy::disallowed_methods, reason = "a test plays the person who drops files")]

use std::fs;
use std::path::PathBuf;

use image::{Rgb, RgbImage};
use tempfile::TempDir;

use super::*;
use crate::model::{AssetId, ContentHash, Kind};
use crate::records::{DeliveryRecord, DeliveryStep, FileDelivery, FileRecord, Origin, Sidecar};
use crate::service::AREAS;

const TAGS: &str = "title: Sea\nkeywords: [wave]\nuse: [warm]\n";

fn picture(seed: u8) -> Vec<u8> {
    let image = RgbImage::from_fn(90, 90, |x, y| Rgb([seed, u8::try_from(x).unwrap(), u8::try_from(y).unwrap()]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

struct Mill {
    home: TempDir,
}

impl Mill {
    fn new() -> Self {
        let mill = Self { home: tempfile::tempdir().unwrap() };
        for folder in AREAS.into_iter().chain([".stockmill/journal", "logs", "markets", "tagsets"]) {
            fs::create_dir_all(mill.home.path().join(folder)).unwrap();
        }
        mill
    }

    fn put(&self, file: &str, bytes: impl AsRef<[u8]>) {
        let file = self.home.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, bytes).unwrap();
        let file = fs::File::options().write(true).open(&file).unwrap();
        // Long ago, so that nothing is held for a moment.
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    }

    /// Puts a picture that was dropped as `raw/sea/first.png`, with its sidecar.
    fn put_known(&self, file: &str, sidecar_at: &str, bytes: &[u8]) {
        let hash = ContentHash::of(bytes);
        let dropped = path("raw/sea/first.png");
        let origin = Origin { path: dropped, hash: hash.clone(), kind: Kind::Png, size: None, archived: None };
        let left = FileRecord::of_original(hash.clone());
        let sidecar = Sidecar {
            file: Some(left),
            id: Some(AssetId::of(&hash)),
            theme: Some(crate::model::ThemeSlug::new("sea").unwrap()),
            seq: Some(1),
            origin: Some(origin),
            ..Sidecar::default()
        };
        self.put(file, bytes);
        self.put(sidecar_at, sidecar.to_text());
    }

    /// A mill in which everything may be met that a person asks about.
    fn furnished() -> Self {
        let mill = Self::new();
        mill.put("raw/sea/tags.yaml", TAGS);
        mill.put("keep/sea/tags.yaml", TAGS);
        mill.put("tagsets/warm.yaml", "keywords: [sun, light]\n");
        mill.put_known("archive/sea/sea-0001.png", "archive/sea/sea-0001.png.yaml", &picture(1));
        mill.put("raw/sea/good.png", picture(2));
        mill.put("raw/sea/like.png", picture(2));
        mill.put("raw/sea/copy.png", picture(1));
        mill.put("raw/sea/cut.png", &picture(3)[..150]);
        mill.put("raw/sea/half.png", picture(4));
        mill.put("raw/sea/half.png.part", "x");
        mill.put("raw/sea/broken.png", picture(5));
        mill.put("raw/sea/broken.png.yaml", "tags: [");
        mill.put("raw/sea/page.png", "<html>");
        mill.put("raw/hall/hall.max", "a scene");
        mill.put("raw/hall/textures/a.png", picture(9));
        mill.put("raw/sky/a.png", picture(6));
        mill.put("raw/sky/tags.yaml", "title: [\n");
        mill.put("raw/2026-11-28/a.png", picture(7));
        mill.put("raw/tags.yaml", TAGS);
        mill.put("raw/prompts.txt", "a wave");
        mill.put("raw/sea/_mine/a.png", picture(8));
        for number in 0..3 {
            mill.put(&format!("keep/sea/k{number}.png"), picture(10 + number));
        }
        mill.put("keep/sea/k3.png", picture(20));
        mill.put("keep/sea/k3.png.yaml", "tags: [");
        mill.put("upload/bare/a.png", picture(21));
        mill.put("ideas/tea.md", "- Warm tea — tea, mug\n");
        mill.put("ideas/a.png", picture(22));
        mill.put("failed/raw/sea/old.png", "x");
        mill.put("failed/raw/sea/old.txt", "its words");
        mill.put("failed/raw/sea/old.png.reason.txt", "it is cut off\n\nmore\n");
        mill.put("failed/raw/sea/back.png.reason.txt", "it is cut off\n\nmore\n");
        let bundle = "upload/2026-11-28/adobe-stock";
        let (file, record) = (format!("{bundle}/files/sea-0001.jpg"), format!("{bundle}/sidecars/sea-0001.jpg.yaml"));
        mill.put_known(&file, &record, b"finished");
        mill.put(
            &format!("{bundle}/adobe-stock.csv"),
            "Filename,Title,Keywords,Category,Releases\r\nsea-0001.jpg,Old sea,\"a,b\",,\r\n",
        );
        mill.put(&format!("{bundle}/CHECKLIST.md"), "# x\n");
        for own in [
            "upload/.stockmill-delivery/delivered.jsonl",
            "raw/.stockmill-area",
            "archive/.stockmill-area",
            ".stockmill/lock",
            "logs/stockmill.log",
        ] {
            mill.put(own, "");
        }
        mill.put(".stockmill/tags/sea/tags.yaml", TAGS);
        for own in ["archive/ideas/note.md", "archive/ideas/note.md.problems.txt", "stockmill.yaml", "mine.txt"] {
            mill.put(own, "x");
        }
        mill.put("markets/mine.yaml", "title: [");
        mill
    }

    fn view(&self) -> View {
        let markets = crate::market::built_in().unwrap();
        let settings = "gates: {keep: hold}\n";
        View::open(crate::config::load(settings, self.home.path(), &markets).unwrap()).unwrap()
    }

    /// Returns every file and folder.
    fn all(&self) -> Vec<RelPath> {
        let (mut open, mut found): (Vec<PathBuf>, _) = (vec![self.home.path().to_owned()], Vec::new());
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                found.push(RelPath::new(entry.path().strip_prefix(self.home.path()).unwrap()).unwrap());
                open.extend(entry.file_type().unwrap().is_dir().then(|| entry.path()));
            }
        }
        found
    }
}

/// How a status is shown, in few words.
fn shown(status: &AssetStatus) -> String {
    match status {
        AssetStatus::Planned(plan) => plan.to_string(),
        AssetStatus::Held(_, why) => format!("held {}: {why}", why.kind.word()),
        AssetStatus::LeftAlone(_, why) => format!("left alone: {why}"),
        AssetStatus::Unseen(stage, why) => format!("unseen {stage}: {why}"),
    }
}

/// `plan` showed damaged pictures and copies going on, and what is still downloaded too.
#[test]
fn a_look_shows_what_the_daemon_does() {
    let mill = Mill::furnished();
    let mut view = mill.view();
    let statuses = view.statuses(None);
    let rows = [
        ("raw/sea/good.png", "-> keep/sea/sea-"),
        ("raw/sea/like.png", "set aside: it has the same bytes as `keep/sea/sea-"),
        ("raw/sea/copy.png", "set aside: it has the same bytes as `archive/sea/sea-0001.png`"),
        ("raw/sea/cut.png", "set aside: it is cut off"),
        ("raw/sea/cut.png", "-> failed/raw/sea/cut.png"),
        ("raw/sea/half.png", "held settling: an unfinished download"),
        ("raw/sea/half.png.part", "left alone: another program"),
        ("raw/sea/broken.png", "held record: its sidecar `raw/sea/broken.png.yaml` cannot be read"),
        ("raw/sea/page.png", "left alone: its content is no picture"),
        ("raw/hall/hall.max", "left alone: its content is no picture"),
        // It was told nowhere.
        ("raw/hall/textures/a.png", "left alone: it goes with `hall.max`, which is left alone"),
        ("raw/sea/_mine", "left alone: a folder that begins with `_`"),
        ("raw/sky/a.png", "held record: `raw/sky/tags.yaml` cannot be read"),
        ("raw/2026-11-28/a.png", "-> keep/unsorted/unsorted-"),
        ("keep/sea/k0.png", "held gate: the gate of `keep` is `hold`"),
        // A gate does not hide what will not go through it.
        ("keep/sea/k3.png", "held record: its sidecar `keep/sea/k3.png.yaml` cannot be read"),
        ("upload/bare/a.png", "held market: adobe-stock refuses it"),
        ("ideas/tea.md", "write   raw/warm-tea/tags.yaml"),
        ("ideas/a.png", "left alone: `ideas` takes notes"),
    ];
    for (file, expected) in rows {
        let is_about = |status: &&AssetStatus| match status {
            AssetStatus::Planned(plan) => plan.about.from == Some(path(file)),
            AssetStatus::Held(at, _) | AssetStatus::LeftAlone(at, _) => *at == path(file),
            AssetStatus::Unseen(..) => false,
        };
        let found: Vec<String> = statuses.iter().filter(is_about).map(shown).collect();
        assert!(found.len() == 1 && found[0].contains(expected), "{file}: {found:#?}");
    }
}

#[test]
fn what_stays_is_told_by_stage_theme_and_reason() {
    let mill = Mill::furnished();
    let overview = mill.view().overview();
    let line = |group: &Group| format!("{} {} {}", group.why.kind.word(), group.folder, group.files.len());
    let held: Vec<String> = overview.held.iter().map(line).collect();
    let expected = [
        "record keep/sea 1",
        "record raw/sea 1",
        "record raw/sky 1",
        "market upload/bare 1",
        "settling raw/sea 1",
        "settling upload/2026-11-28 1",
        "gate keep/sea 3",
    ];
    assert_eq!(held, expected);
    let aside: Vec<String> = overview.set_aside.iter().map(line).collect();
    assert_eq!(aside, ["person failed/raw/sea 1"]);
    let raw = &overview.stages[&Stage::Raw];
    assert_eq!([raw.ready, raw.held.len(), raw.left_alone.len(), raw.to_set_aside.len()], [2, 3, 7, 3], "{raw:?}");
}

/// `status` and `explain` of all but the broken file itself said nothing of it.
#[test]
fn a_broken_tag_file_that_nothing_lies_beside_is_told() {
    let mill = Mill::furnished();
    mill.put("export/sea/tags.yaml", "title: Door: red\nkeywords: [door, red\n");
    let mut view = mill.view();
    let broken = "`export/sea/tags.yaml` cannot be read: line 1";
    for at in
        ["raw/sea", "keep/sea", "export/sea", "raw/sea/good.png", "upload/2026-11-28/adobe-stock/files/sea-0001.jpg"]
    {
        let explained = view.explain(&path(at)).unwrap().unwrap();
        let tags = explained.tags.iter().filter_map(|tags| tags.as_ref().err().cloned());
        let notes = explained.notes.iter().map(|(_, text)| text.clone());
        assert!(tags.chain(notes).any(|text| text.contains(broken)), "{at}: {explained:?}");
    }
    let text = told(&mut view, "raw/sea/tags.yaml");
    assert!(text.contains("export/sea/tags.yaml: it cannot be read, and all of the theme waits"), "{text}");
    let mill = Mill::new();
    mill.put("export/sea/tags.yaml", "title: Door: red\nkeywords: [door, red\n");
    let overview = mill.view().overview();
    let held: Vec<_> = overview.held.iter().map(|group| (group.why.kind.word(), group.why.to_string())).collect();
    assert!(held.len() == 1 && held[0].0 == "record" && held[0].1.contains(broken), "{held:?}");
}

/// Three of four stages showed nothing while one was away or full.
#[test]
fn what_can_be_seen_is_shown_while_a_stage_is_away_or_full() {
    let mill = Mill::new();
    for file in ["raw/a.png", "raw/sea/b.png", "keep/sea/c.png", "export/sea/d.png"] {
        mill.put(file, picture(1));
    }
    let all = [("raw", 2), ("keep", 1), ("export", 1)];
    for (is_away, area, unseen) in [(true, "keep", 1), (false, "keep", 0), (true, "archive", 0), (false, "archive", 0)]
    {
        let (at, away) = (mill.home.path().join(area), mill.home.path().join("away"));
        if is_away {
            fs::rename(&at, &away).unwrap();
        }
        let mut view = mill.view();
        if !is_away {
            view.pauses.pause(&path(area), "its disk is full".to_owned(), 0, Cause::Seen, Duration::ZERO);
        }
        let overview = view.overview();
        let paused: Vec<String> = view.paused().iter().map(|(area, _)| area.to_string()).collect();
        assert_eq!(paused, [area], "{is_away}");
        let seen = all.iter().filter(|(stage, _)| !(is_away && *stage == area));
        for (stage, count) in seen {
            let found = &overview.stages[&stage.parse::<Stage>().unwrap()];
            assert_eq!(found.ready + found.held.len(), *count, "{area} {is_away}: {found:?}");
        }
        assert_eq!(overview.stages.values().filter(|stage| stage.unseen.is_some()).count(), unseen, "{area}");
        if is_away {
            fs::rename(&away, &at).unwrap();
        }
    }
}

/// Files of bundles, themes, shared tags, notes and records had no answer.
#[test]
fn every_file_and_folder_is_explained() {
    let mill = Mill::furnished();
    let mut view = mill.view();
    for at in mill.all() {
        let explained = view.explain(&at).unwrap().unwrap_or_else(|| panic!("{at}"));
        assert!(!explained.is.is_empty() && !explained.is.contains("ask again"), "{at}");
    }
    assert!(view.explain(&path("raw/sea/never.png")).unwrap().is_none());
}

#[test]
fn a_path_is_explained_by_what_it_is_for() {
    let mill = Mill::furnished();
    let bundle = "upload/2026-11-28/adobe-stock";
    let file = format!("{bundle}/files/sea-0001.jpg");
    let rows: Vec<(&str, Vec<&str>)> = vec![
        ("raw", vec!["a stage"]),
        (
            "raw/sea",
            vec!["theme `sea`", "inside: 1 ready, 2 held, 3 left alone, 3 to be set aside", "raw/sea/tags.yaml"],
        ),
        (
            "raw/sea/tags.yaml",
            vec!["the layer `theme`", "title `Sea`, 1 keyword", "tagsets/warm.yaml", "keep/sea/tags.yaml: the same"],
        ),
        ("raw/sky/tags.yaml", vec!["the layer `theme`", "be read: line 1"]),
        ("tagsets/warm.yaml", vec!["tag set `warm`", "2 keywords", "used by: sea"]),
        (
            "raw/sea/good.png",
            vec![
                "png",
                "by `naming.first`, {theme}-{seq:04}",
                "keep/sea/sea-",
                "tag set warm: tagsets/warm.yaml",
                "theme: raw/sea/tags.yaml",
            ],
        ),
        ("raw/sea/like.png", vec!["set aside: it has the same bytes as"]),
        ("raw/sea/broken.png.yaml", vec!["the sidecar of `raw/sea/broken.png`", "cannot be read"]),
        ("raw/sea/_mine/a.png", vec!["left alone"]),
        ("keep/sea/k0.png", vec!["name: k0: as it was dropped", "held gate"]),
        (
            "archive/sea/sea-0001.png",
            vec!["an original", "sea-0001: given by `naming.first`", "as `raw/sea/first.png`"],
        ),
        ("archive/ideas/note.md", vec!["a note that was read"]),
        ("archive/ideas/note.md.problems.txt", vec!["not understood of the note `note.md`"]),
        (
            "failed/raw/sea/old.png",
            vec!["set aside", "reason: it is cut off", "stockmill retry failed/raw/sea/old.png"],
        ),
        ("failed/raw/sea/old.png.reason.txt", vec!["why `failed/raw/sea/old.png` was set aside"]),
        ("failed/raw/sea/back.png.reason.txt", vec!["was set aside, which is not there any more", "next: delete it"]),
        (bundle, vec!["the bundle of 2026-11-28 for the market adobe-stock", "not sent", "1 file"]),
        (
            &file,
            vec![
                "bundled; changed tags still reach it",
                "sea-0001: given by `naming.last`",
                "theme `sea`, number 1",
                "market: adobe-stock, on 2026-11-28",
            ],
        ),
        ("markets/mine.yaml", vec!["profile of the market `mine`", "be read:"]),
        ("mine.txt", vec!["nothing of stockmill's"]),
        (".stockmill/lock", vec!["the lock"]),
        (".stockmill/tags/sea/tags.yaml", vec!["shared tags of the theme `sea`", "title `Sea`", "not this one"]),
        ("archive/.stockmill-area", vec!["the mark by which"]),
        ("upload/.stockmill-delivery/delivered.jsonl", vec!["what `stockmill deliver` sent"]),
    ];
    let mut view = mill.view();
    for (at, expected) in rows {
        let text = told(&mut view, at);
        for expected in expected {
            assert!(text.contains(expected), "{at}: no `{expected}` in\n{text}");
        }
    }
}

/// The whole title was shown, while the manifest had it cut.
#[test]
fn a_bundled_file_shows_its_tags_as_the_market_gets_them() {
    let mill = Mill::furnished();
    let long = "a cabin in deep snow below a mountain, warm light in the window, at dusk again";
    let words: Vec<String> = (0..60).map(|number| format!("w{number}")).collect();
    let text = format!("title: \"{long}\"\nkeywords: [{}, Firefly]\n", words.join(", "));
    for stage in ["raw", "keep"] {
        mill.put(&format!("{stage}/sea/tags.yaml"), &text);
    }
    mill.put(".stockmill/tags/sea/tags.yaml", &text);
    let file = path("upload/2026-11-28/adobe-stock/files/sea-0001.jpg");
    let explained = mill.view().explain(&file).unwrap().unwrap();
    let cut: Vec<&str> =
        explained.notes.iter().filter(|(label, _)| *label == "cut").map(|(_, text)| text.as_str()).collect();
    let expected = [
        "its title is without `,`, which the market refuses",
        "its title is cut at a word, to 70 of 76 characters",
        "the market refuses the keywords `Firefly`",
        "the last 11 keywords are left out, since it takes 49",
        "IPTC has only the beginning of its title (64 bytes); XMP has all",
    ];
    assert_eq!(cut, expected);
    let tags = explained.tags.unwrap().unwrap();
    let title = tags.title.unwrap().value;
    assert!(title.chars().count() == 70 && !title.contains(','), "{title}");
    assert_eq!((tags.keywords.len(), tags.keywords[48].value.as_str()), (49, "w48"));
}

/// A file for one market was warned of what another one wants.
#[test]
fn a_bundled_file_is_warned_of_what_its_own_market_gets() {
    let mill = Mill::furnished();
    let markets = crate::market::built_in().unwrap();
    let settings = "upload: {markets: [adobe-stock, dreamstime]}\n";
    let mut view = View::open(crate::config::load(settings, mill.home.path(), &markets).unwrap()).unwrap();
    let text = told(&mut view, "upload/2026-11-28/adobe-stock/files/sea-0001.jpg");
    assert!(text.contains("warning: it has no category for `adobe-stock`: "), "{text}");
}

/// A damaged record of deliveries showed a bundle of which half was delivered as one of which nothing was.
#[test]
fn a_bundle_of_which_nobody_knows_what_was_delivered_is_told_as_such() {
    let mill = Mill::furnished();
    let record = "upload/.stockmill-delivery/delivered.jsonl";
    for (text, is_known) in [("", true), ("a3a6bf43 {}\n", false)] {
        mill.put(record, text);
        let bundles = mill.view().bundles();
        let delivered: Vec<_> = bundles.iter().map(|bundle| bundle.delivered.clone()).collect();
        assert_eq!(delivered.len(), 1);
        assert!(if is_known { delivered[0] == Ok(0) } else { delivered[0].is_err() }, "{text:?}: {delivered:?}");
    }
}

/// All of a bundle was delivered, and only its list left to do, while `deliver` refused its files.
#[test]
fn what_changed_after_it_was_delivered_is_counted() {
    let (bundle, row) = ("upload/2026-11-28/adobe-stock", "sea-0001.jpg,Old sea,\"a,b\",,\r\n");
    let delivered = |name: &str, bytes: &[u8], rows: &[&str]| {
        let record = FileDelivery {
            at: "2026-11-28T09:00:00Z".parse().unwrap(),
            market: crate::model::MarketName::recorded("adobe-stock"),
            file: path(&format!("{bundle}/{name}")),
            asset: None,
            hash: ContentHash::of(bytes),
            bytes: 1,
            modified_ns: 1,
            step: DeliveryStep::Delivered,
            rows: rows.iter().map(|row| ("sea-0001.jpg".to_owned(), crate::records::row_sum(row.as_bytes()))).collect(),
        };
        DeliveryRecord::File(record).to_line()
    };
    let file = |bytes: &[u8]| delivered("files/sea-0001.jpg", bytes, &[]);
    let csv = |row: &str| delivered("adobe-stock.csv", row.as_bytes(), &[row]);
    // What was delivered, whether it is sent by now, and how many files changed since.
    let rows = [
        (String::new(), false, 0),
        (file(b"finished"), false, 0),
        (file(b"older"), false, 1),
        (file(b"older"), true, 0),
        // What it has now was recorded by `--taken`.
        (file(b"older") + &file(b"finished"), false, 0),
        (file(b"finished") + &csv(row), false, 0),
        (file(b"finished") + &csv("sea-0001.jpg,New sea,\"a,b\",,\r\n"), false, 1),
    ];
    for (record, is_sent, changed) in rows {
        let mill = Mill::furnished();
        mill.put("upload/.stockmill-delivery/delivered.jsonl", &record);
        if is_sent {
            mill.put(&format!("{bundle}/SENT"), "");
        }
        let found: Vec<usize> = mill.view().bundles().iter().map(|bundle| bundle.changed).collect();
        assert_eq!(found, [changed], "{record}");
    }
}

/// The tags of today were shown as if they had been sent.
#[test]
fn a_sent_file_tells_its_tags_as_they_were_sent() {
    let mill = Mill::furnished();
    let bundle = "upload/2026-11-28/adobe-stock";
    mill.put(&format!("{bundle}/SENT"), "");
    let text = told(&mut mill.view(), &format!("{bundle}/files/sea-0001.jpg"));
    for expected in ["its bundle was sent", "Title: Old sea", "Keywords: a,b", "were not sent", "Sea (theme)"] {
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
    assert!(told(&mut mill.view(), &format!("{bundle}/SENT")).contains("the mark that the bundle was sent"));
}

/// Tags that never reached a file were shown as its own, and a file that was delivered with older ones as if they were sent.
#[test]
fn it_is_told_how_far_the_tags_of_today_are_those_of_a_bundled_file() {
    let at = "upload/2026-11-28/adobe-stock/files/sea-0001.jpg";
    let record = "upload/2026-11-28/adobe-stock/sidecars/sea-0001.jpg.yaml";
    let delivered = |bytes: &[u8]| {
        let record = FileDelivery {
            at: "2026-11-28T09:00:00Z".parse().unwrap(),
            market: crate::model::MarketName::recorded("adobe-stock"),
            file: path(at),
            asset: None,
            hash: ContentHash::of(bytes),
            bytes: 1,
            modified_ns: 1,
            step: DeliveryStep::Delivered,
            rows: BTreeMap::new(),
        };
        DeliveryRecord::File(record).to_line()
    };
    let as_sent = "tags: below, as its bundle had them when it was sent";
    // The settings, whether it was sent, the record of deliveries, and the note of its tags.
    let rows = [
        ("upload: {markets: [adobe-stock]}\n", false, String::new(), None),
        (
            "upload: {markets: [dreamstime]}\n",
            false,
            String::new(),
            Some("tags: below are those of today: the file has those with which it was written last".to_owned()),
        ),
        ("upload: {markets: [adobe-stock]}\n", true, String::new(), Some(as_sent.to_owned())),
        ("upload: {markets: [adobe-stock]}\n", true, delivered(b"finished"), Some(as_sent.to_owned())),
        (
            "upload: {markets: [adobe-stock]}\n",
            true,
            delivered(b"older"),
            Some(format!(
                "{as_sent}; `stockmill deliver` sent it before that, as it was then, perhaps with other tags"
            )),
        ),
        (
            "upload: {markets: [adobe-stock]}\n",
            true,
            "a3a6bf43 {}\n".to_owned(),
            Some(format!("{as_sent}; nobody can tell with which `stockmill deliver` sent it")),
        ),
    ];
    for (settings, is_sent, deliveries, note) in rows {
        let mill = Mill::furnished();
        let tags = mill.view().explain(&path(at)).unwrap().unwrap().tags.unwrap().unwrap();
        let mut sidecar = Sidecar::parse(&fs::read(mill.home.path().join(record)).unwrap()).unwrap();
        sidecar.file.as_mut().unwrap().embedded = Some(crate::plan::tags::digest(&tags.meta()));
        mill.put(record, sidecar.to_text());
        mill.put("upload/.stockmill-delivery/delivered.jsonl", &deliveries);
        if is_sent {
            mill.put("upload/2026-11-28/adobe-stock/SENT", "");
        }
        let settings = crate::config::load(settings, mill.home.path(), &crate::market::built_in().unwrap()).unwrap();
        let told = told(&mut View::open(settings).unwrap(), at);
        let tags: Vec<&str> = told.lines().filter(|line| line.starts_with("tags: ")).collect();
        match note {
            Some(note) if note == as_sent => assert_eq!(tags, [note], "{told}"),
            Some(note) => assert!(tags.len() == 1 && tags[0].starts_with(&note), "{told}"),
            None => assert!(tags.is_empty(), "{told}"),
        }
    }
}

/// A link in place of a checklist stopped its bundle, and neither `status` nor `explain` said so.
#[test]
fn a_bundle_that_cannot_be_written_to_is_told_with_what_helps() {
    let bundle = "upload/2026-11-28/adobe-stock";
    let (link, folder) = ("it is a symbolic link", "a folder has its name");
    for (name, why) in [
        ("CHECKLIST.md", link),
        ("CHECKLIST.md", folder),
        ("adobe-stock.csv", link),
        ("adobe-stock.csv", folder),
        ("sidecars/checklist.json", link),
        ("sidecars/checklist.json", folder),
    ] {
        let mill = Mill::furnished();
        let text = format!("{bundle}/{name}");
        let real = mill.home.path().join(&text);
        let _ = fs::remove_file(&real);
        if why == link { std::os::unix::fs::symlink("elsewhere", &real) } else { fs::create_dir(&real) }.unwrap();
        let start = format!("`{text}` cannot be read: ");
        let is_told = |told: &str| told.contains(&start) && told.contains(why) && told.contains("take it away");
        let settings = "upload: {markets: [adobe-stock]}\n";
        let settings = crate::config::load(settings, mill.home.path(), &crate::market::built_in().unwrap()).unwrap();
        let mut view = View::open(settings).unwrap();
        let troubled = view.troubled_bundles();
        let of_bundle: Vec<&Why> = troubled.iter().filter(|(at, _)| *at == path(bundle)).map(|(_, why)| why).collect();
        assert!(of_bundle.len() == 1 && is_told(&of_bundle[0].text), "{troubled:?}");
        assert_eq!(of_bundle[0].kind, WhyKind::Record);
        for at in [bundle, &text, &format!("{bundle}/files/sea-0001.jpg")] {
            let told = told(&mut view, at);
            assert!(is_told(&told), "{at}: {told}");
        }
        let told = told(&mut view, bundle);
        assert!(told.contains("not sent, and stuck: ") && !told.contains("later files join it"), "{told}");
    }
    // What was sent is not written to any more.
    let mill = Mill::furnished();
    mill.put(&format!("{bundle}/SENT"), "");
    fs::create_dir(mill.home.path().join(format!("{bundle}/sidecars/checklist.json"))).unwrap();
    assert!(!told(&mut mill.view(), bundle).contains("stuck"));
}

fn told(view: &mut View, at: &str) -> String {
    let explained = view.explain(&path(at)).unwrap().unwrap();
    let notes = explained.notes.iter().map(|(label, text)| format!("{label}: {text}"));
    let status = explained.status.iter().map(shown);
    let layers = explained.sources.iter().map(|(layer, file)| format!("{layer}: {file}"));
    let title = explained.tags.and_then(|tags| tags.ok()?.title).map(|tag| format!("{} ({})", tag.value, tag.layer));
    std::iter::once(explained.is.clone())
        .chain(notes)
        .chain(status)
        .chain(layers)
        .chain(title)
        .collect::<Vec<_>>()
        .join("\n")
}

/// One sidecar that nobody could read held all of its bundle, and a file that could not be measured went.
#[test]
fn of_each_bundled_file_it_is_told_what_speaks_against_it() {
    let mill = Mill::new();
    let mut jpeg = std::io::Cursor::new(Vec::new());
    RgbImage::new(16, 16).write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    // An asset that lies there twice would be told of.
    let tagged = |id: char, tags: &str| format!("id: '012345678abcdef{id}'\ntags: {tags}\n");
    let good = |id: char| tagged(id, "{title: A calm sea, keywords: [wave, sea, calm, sky, blue]}");
    let unknown = "nobody can tell whether its market would take it today: ";
    let rows = [
        ("a.jpg", &jpeg[..], good('a'), None),
        (
            "b.jpg",
            &jpeg,
            tagged('b', "{keywords: [wave]}"),
            Some("its market would refuse it today: it has no title".to_owned()),
        ),
        ("c.jpg", b"bytes", good('c'), Some(format!("{unknown}it is of no kind that stockmill knows"))),
        ("d.jpg", &jpeg[..4], good('d'), Some(format!("{unknown}it is damaged: "))),
        (
            "e.jpg",
            &jpeg,
            "tags: [".to_owned(),
            Some(format!("{unknown}`upload/2026-11-28/adobe-stock/sidecars/e.jpg.yaml`")),
        ),
    ];
    for (name, bytes, sidecar, _) in &rows {
        mill.put(&format!("upload/2026-11-28/adobe-stock/files/{name}"), bytes);
        mill.put(&format!("upload/2026-11-28/adobe-stock/sidecars/{name}.yaml"), sidecar);
    }
    let mut markets = crate::market::built_in().unwrap();
    markets.iter_mut().for_each(|market| market.megapixels.min = 0.0);
    let mut view = View::open(crate::config::load("", mill.home.path(), &markets).unwrap()).unwrap();
    let bundle = path("upload/2026-11-28/adobe-stock");
    let found = view.refused_in(&[&bundle]).remove(0).unwrap();
    for (name, _, _, expected) in rows {
        let said = found.get(&bundle.join("files").join(name));
        assert_eq!(said.is_some(), expected.is_some(), "{name}: {said:?}");
        assert!(expected.is_none_or(|expected| said.unwrap().starts_with(&expected)), "{name}: {said:?}");
    }
    // Its CSV follows no change before that sidecar can be read.
    assert_eq!(view.troubled_bundles().len(), 1);
}

/// A list beside pictures was told as a file on its way, and a stray file in a bundle as a picture.
#[test]
fn what_goes_nowhere_is_not_counted() {
    let mill = Mill::new();
    mill.put("raw/sea/a.png", picture(1));
    mill.put("raw/sea/list.csv", "a,b\n");
    for file in ["files/a.jpg", "sidecars/a.jpg.yaml", "files/x.txt"] {
        mill.put(&format!("upload/2026-11-28/adobe-stock/{file}"), "text");
    }
    let markets = crate::market::built_in().unwrap();
    let mut view = View::open(crate::config::load("", mill.home.path(), &markets).unwrap()).unwrap();
    assert_eq!(view.future(jiff::Timestamp::UNIX_EPOCH).unmade, 1);
    let bundle = &view.bundles()[0];
    assert_eq!((bundle.files, bundle.without_sidecar), (1, 1));
}

/// A wrong category and a short description were told on upload day, and a gate hid that a picture is too small.
#[test]
fn what_markets_will_refuse_is_told_of_what_waits_in_any_stage() {
    let mill = Mill::new();
    let tags = "keywords: [wave, sea, sky, blue, calm, water, sun]\n";
    mill.put("raw/sea/tags.yaml", format!("title: Sea\n{tags}category: {{adobe-stock: see}}\n"));
    mill.put("raw/sky/tags.yaml", format!("title: Sky\n{tags}"));
    for file in ["keep/sea/a.png", "keep/sea/b.png", "raw/sea/c.png"] {
        mill.put(file, picture(u8::try_from(file.len()).unwrap() + file.as_bytes()[9]));
    }
    let view = |settings: &str| {
        let markets = crate::market::built_in().unwrap();
        let text = format!("gates: {{keep: hold}}\nupload: {{markets: [adobe-stock, dreamstime]}}\n{settings}");
        View::open(crate::config::load(&text, mill.home.path(), &markets).unwrap()).unwrap()
    };
    let category = "adobe-stock refuses it: the market has no category `see`";
    let short = "dreamstime refuses it: its title, which stands in for a description of its own, has 17 characters, `AI \
                 generated` for what AI made among them, and needs 50";
    let all: &[&str] = &["keep/sea/a.png", "keep/sea/b.png", "raw/sea/c.png"];
    let far = "it has 90x90 pixels, and would be enlarged 22.8 times";
    let with_sky: &[&str] = &["keep/sea/a.png", "keep/sea/b.png", "raw/sea/c.png", "raw/sky/tags.yaml"];
    // The settings, and the start of each line with its files.
    let rows: [(&str, &[(&str, &[&str])]); 2] = [
        (
            "keep: {min_megapixels: 0.1}\n",
            &[
                (
                    "adobe-stock refuses it: it has 0.1 megapixels, and the market takes 4 to 100; with `keep: {min_megapixels: 4}` it is enlarged so far in `keep`, unless `keep.method` is `none`; what passed `keep` before goes through it again by `stockmill release keep --again`; the market has no",
                    all,
                ),
                (
                    "dreamstime refuses it: it has 0.1 megapixels, and the market takes 3 to 70; with `keep: {min_megapixels: 3}` it is enlarged so far in `keep`, unless `keep.method` is `none`; what passed `keep` before goes through it again by `stockmill release keep --again`; its title, which stands in",
                    all,
                ),
                (short, &with_sky[3..]),
            ],
        ),
        (
            "",
            &[
                (short, with_sky),
                (category, all),
                (far, &all[..2]),
                (&format!("`keep` will hold it: {far}"), &all[2..]),
            ],
        ),
    ];
    for (settings, expected) in rows {
        let found = view(settings).overview().ahead;
        let is_so = found.len() == expected.len()
            && found.iter().zip(expected).all(|((why, files), (start, expected))| {
                why.starts_with(start)
                    && files.iter().map(ToString::to_string).eq(expected.iter().map(|file| (*file).to_owned()))
            });
        assert!(is_so, "{settings}: {found:#?}");
        assert_eq!(view(settings).ahead(&|_| false), found);
        let text = told(&mut view(settings), "keep/sea/a.png");
        for (line, _) in expected.iter().filter(|(_, files)| files.contains(&"keep/sea/a.png")) {
            assert!(text.contains(&format!("ahead: {line}")), "{line}: {text}");
        }
    }
}

/// A market that was spelt wrong kept its theme waiting, and `check` said that all was well.
#[test]
fn check_tells_where_a_market_is_spelt_wrong() {
    let mill = Mill::new();
    mill.put("raw/sea/tags.yaml", "title: Sea\ncategory:\n  adobe-stock: 11\n  shutterstok: arts\n");
    mill.put("tagsets/warm.yaml", "category: {'pond 5': x}\n");
    mill.put("ideas/tea.md", "# Warm tea\n\ncategory: adobe-stok: 11\n");
    let markets = crate::market::built_in().unwrap();
    let settings = crate::config::load("", mill.home.path(), &markets).unwrap();
    let found = crate::service::check_up(&settings);
    for expected in [
        "`raw/sea/tags.yaml`, line 4: `category`: there is no market `shutterstok`; did you mean `shutterstock`?",
        "`tagsets/warm.yaml`, line 1: `category`: there is no market `pond 5`; did you mean `pond5`?",
        "`ideas/tea.md`, line 3: `category`: there is no market `adobe-stok`; did you mean `adobe-stock`?",
    ] {
        assert!(found.iter().any(|finding| finding.what.starts_with(expected)), "{expected}: {found:#?}");
    }
}
