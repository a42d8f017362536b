use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

use super::{Daemon, NOTE, PATIENCE, Root, picture, size};

#[test]
fn from_a_note_and_pictures_to_a_bundle_with_the_defaults() {
    let root = Root::with("");
    fs::remove_dir_all(root.at("markets")).unwrap();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let prompts = fs::read_to_string(root.at("raw/winter-cabins/prompts.txt")).unwrap();
    assert_eq!(prompts.lines().collect::<Vec<_>>(), ["a log cabin", "a stone cabin"]);
    fs::write(root.at("raw/winter-cabins/x.png"), picture(1, 1024)).unwrap();
    fs::write(root.at("raw/Winter_cabins_7.png"), picture(2, 1024)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());

    let bundled = root.bundled();
    assert_eq!(bundled.len(), 2, "{:?}", root.files());
    for path in &bundled {
        let (width, height) = size(path);
        assert!(u64::from(width) * u64::from(height) >= 4_000_000);
        let bytes = fs::read(path).unwrap();
        let meta = stockmill::craft::embedded_xmp(&bytes, stockmill::model::Kind::Jpeg).unwrap();
        assert_eq!(stockmill::craft::read_xmp(&meta).unwrap().keywords, ["snow", "log cabin", "cozy"]);
    }
    let rows = root.csv();
    assert_eq!(rows[0], ["Filename", "Title", "Keywords", "Category", "Releases"]);
    let names: Vec<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, ["winter-cabins-0001.jpg", "winter-cabins-0002.jpg"]);
    assert_eq!(rows[1][1..3], ["Winter cabins", "snow,log cabin,cozy"]);
    // Originals are whole in the archive, and nothing is left on the way.
    let kept = |seq: &str| fs::read(root.at(&format!("archive/winter-cabins/winter-cabins-{seq}.png"))).unwrap();
    let archived = [kept("0001"), kept("0002")];
    assert!(archived.contains(&picture(1, 1024)) && archived.contains(&picture(2, 1024)));
    let left = root
        .files()
        .into_iter()
        .filter(|name| ["raw/", "keep/", "export/"].iter().any(|stage| name.starts_with(stage)));
    let left: Vec<String> =
        left.filter(|name| !name.ends_with("tags.yaml") && !name.ends_with("prompts.txt")).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_daemon_takes_folders_moved_in_and_slow_writers_and_tells_systemd() {
    let root = Root::new();
    root.idea(NOTE);
    let socket_path = root.at("notify");
    let socket = UnixDatagram::bind(&socket_path).unwrap();
    // The system's own manager always listens; a full socket would make the daemon wait.
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length) = socket.recv(&mut buffer) {
            if said.send(String::from_utf8_lossy(&buffer[..length]).into_owned()).is_err() {
                return;
            }
        }
    });
    let mut command = root.command(&["run"]);
    command.env("NOTIFY_SOCKET", &socket_path).env("WATCHDOG_USEC", "900000").stderr(Stdio::null());
    let daemon = Daemon(command.spawn().unwrap());
    let hear = |wanted: &str| {
        let mut texts = std::iter::from_fn(|| heard.recv_timeout(PATIENCE).ok());
        texts.find(|text| text.contains(wanted)).unwrap_or_else(|| panic!("never heard {wanted}"))
    };
    hear("READY=1");
    hear("WATCHDOG=1");
    // How far it is confined is told once; whatever the kernel can do, systemd has been told.
    assert_eq!(root.log().matches("onfined by Landlock").count(), 1, "{}", root.log());
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());

    let outside = root.at("outside/a/b");
    fs::create_dir_all(&outside).unwrap();
    for seed in 0..20 {
        fs::write(outside.join(format!("{seed}.png")), picture(seed, 100)).unwrap();
    }
    fs::rename(root.at("outside/a"), root.at("raw/winter-cabins/a")).unwrap();

    // A writer that pauses for longer than any quiet time, and keeps the file open.
    let bytes = picture(99, 100);
    let mut slow = fs::File::create(root.at("raw/winter-cabins/slow.png")).unwrap();
    slow.write_all(&bytes[..bytes.len() / 2]).unwrap();
    root.until("the folder has gone through", |root| root.csv().len() == 21);
    assert!(root.at("raw/winter-cabins/slow.png").exists(), "an open file was taken");
    slow.write_all(&bytes[bytes.len() / 2..]).unwrap();
    drop(slow);
    root.until("the slow one has gone through", |root| root.csv().len() == 22);

    daemon.signal("-HUP");
    assert!(hear("RELOADING=1").contains("MONOTONIC_USEC="));
    hear("READY=1");
    daemon.signal("-TERM");
    hear("STOPPING=1");
    daemon.ends_well();
}

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
fn bad_input_is_set_aside_or_left_alone_with_the_reason() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let raw = root.at("raw/winter-cabins");
    let good = picture(1, 100);
    fs::write(raw.join("good.png"), &good).unwrap();
    assert!(root.once().status.success());
    fs::write(raw.join("cut.png"), &good[..good.len() / 2]).unwrap();
    fs::write(raw.join("again.png"), &good).unwrap();
    fs::write(raw.join("page.png"), "<html>no picture</html>").unwrap();
    fs::write(raw.join("half.png.crdownload"), &good).unwrap();
    fs::write(raw.join("empty.png"), "").unwrap();
    std::os::unix::fs::symlink(root.at("stockmill.yaml"), raw.join("link.png")).unwrap();
    fs::write(root.at("ideas/nothing.md"), "\n").unwrap();
    assert_eq!(root.once().status.code(), Some(1));

    let reason = |name: &str| fs::read_to_string(root.at(&format!("failed/{name}.reason.txt"))).unwrap();
    assert!(reason("raw/winter-cabins/cut.png").starts_with("it is cut off"));
    assert!(reason("raw/winter-cabins/again.png").contains("same bytes as"));
    assert!(reason("ideas/nothing.md").contains("no idea"));
    assert_eq!(fs::read(root.at("failed/raw/winter-cabins/cut.png")).unwrap(), good[..good.len() / 2]);
    let status = root.text(&["status"]);
    for (file, why) in [
        ("page.png", "no picture, video or 3D model"),
        ("half.png.crdownload", "another program is not done"),
        ("link.png", "symbolic link"),
        ("empty.png", "empty"),
    ] {
        assert!(raw.join(file).symlink_metadata().is_ok(), "{file} was touched");
        assert!(status.lines().any(|line| line.contains(file) && line.contains(why)), "{file}: {status}");
    }
    let json: serde_json::Value = serde_json::from_slice(&root.call(&["status", "--json"]).stdout).unwrap();
    assert_eq!(json["stages"]["raw"]["left_alone"].as_array().unwrap().len(), 3, "{json}");
    assert_eq!(json["set_aside"].as_array().unwrap().len(), 3, "{json}");
    assert_eq!(root.bundled().len(), 1);
}

#[test]
fn plan_shows_what_once_does_and_changes_nothing() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    for seed in 0..3 {
        let path = root.at(&format!("raw/winter-cabins/{seed}.png"));
        fs::write(&path, picture(seed, 100)).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    }
    let before = root.files();
    let plan = root.text(&["plan"]);
    assert_eq!(root.files(), before);
    let planned: Vec<&str> = plan.lines().filter_map(|line| line.trim().strip_prefix("move ")).collect();
    assert_eq!(planned.len(), 3, "{plan}");
    assert!(root.once().status.success());
    for line in planned {
        let (from, to) = line.trim().split_once(" -> ").unwrap();
        assert!(root.log().lines().any(|log| log.contains(&format!("from={from} to={to} "))), "{line}\n{}", root.log());
    }
}

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
fn a_gate_holds_until_it_is_released() {
    let root = Root::with("keep: {min_megapixels: 0.04}\ngates: {keep: hold}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let kept = root.at("keep/winter-cabins/winter-cabins-0001.png");
    assert!(kept.exists());
    let explained = root.text(&["explain", kept.to_str().unwrap()]);
    assert!(explained.contains("stockmill release keep"), "{explained}");
    assert!(explained.contains("snow (theme)"), "{explained}");
    // A gate does not hide that its tags cannot be read.
    let tags = root.at("keep/winter-cabins/tags.yaml");
    let text = fs::read(&tags).unwrap();
    fs::write(&tags, "title: [").unwrap();
    let explained = root.text(&["explain", kept.to_str().unwrap()]);
    assert!(explained.contains("tags     nobody can tell: `keep/winter-cabins/tags.yaml`"), "{explained}");
    fs::write(&tags, text).unwrap();
    assert!(root.call(&["release", "keep", "another-theme"]).status.success());
    assert!(root.once().status.success());
    assert!(kept.exists());
    assert!(root.call(&["release", "keep"]).status.success());
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 1, "{}", root.log());
    let history = root.text(&["history", root.bundled()[0].to_str().unwrap()]);
    assert_eq!(history.lines().count(), 4, "{history}");
    let explained = root.text(&["explain", root.bundled()[0].to_str().unwrap()]);
    assert!(explained.contains("is       bundled;") && explained.contains("snow (theme)"), "{explained}");
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
    let lines = |root: &Root| root.log().lines().filter(|line| line.contains("Left alone: it cannot be read")).count();
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

/// Adds a second market that takes the same, and 3D models too.
fn add_market(root: &Root, gates: &str) {
    let adobe = fs::read_to_string(root.at("markets/adobe-stock.yaml")).unwrap();
    let other = adobe.replace("name: adobe-stock", "name: other").replace("kinds: [jpeg,", "kinds: [jpeg, png, obj,");
    fs::write(root.at("markets/other.yaml"), other).unwrap();
    let settings = "keep: {min_megapixels: 0.04}\nsettle: {notes_quiet_s: 0, weak_quiet_ms: 500}\nupload: {markets: [adobe-stock, other]}";
    let settings = format!("{settings}\n{gates}");
    fs::write(root.at("stockmill.yaml"), settings).unwrap();
}

#[test]
fn each_market_has_its_manifest_and_parts_of_models_never_meet() {
    let root = Root::new();
    add_market(&root, "");
    root.idea(&format!("{NOTE}- Sea — wave\n"));
    assert!(root.once().status.success(), "{}", root.log());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 220)).unwrap();
    let xmp = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
               <rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:subject><rdf:Bag>\
               <rdf:li>from the xmp</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>";
    fs::write(root.at("raw/winter-cabins/a.xmp"), xmp).unwrap();
    for theme in ["winter-cabins", "sea"] {
        fs::create_dir_all(root.at(&format!("upload/{theme}"))).unwrap();
        let model = root.at(&format!("upload/{theme}/{theme}.obj"));
        fs::write(model, format!("mtllib m.mtl\nv 0 0 0\nusemtl a\nf 1 1 1\n# {theme}\n")).unwrap();
        fs::write(root.at(&format!("upload/{theme}/m.mtl")), format!("newmtl a\n# {theme}\n")).unwrap();
    }
    // What it is counts, not what it is called.
    let jpeg = {
        let image = image::load_from_memory(&picture(2, 220)).unwrap().to_rgb8();
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    };
    fs::write(root.at("upload/sea/wrong.png"), &jpeg).unwrap();
    assert!(root.once().status.success(), "{}", root.log());

    let files = root.files();
    let rows = |market: &str| {
        let path = files.iter().find(|name| name.ends_with(&format!("/{market}/{market}.csv"))).expect(market);
        assert!(files.contains(&path.replace(&format!("{market}.csv"), "CHECKLIST.md")));
        let text = fs::read_to_string(root.at(path)).unwrap();
        text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // Only the first market's bundle had what a foreign sidecar says; the files of the others lost it again.
    for market in ["adobe-stock", "other"] {
        let path = files.iter().find(|name| name.ends_with(&format!("/{market}/{market}.csv"))).expect(market);
        assert!(fs::read_to_string(root.at(path)).unwrap().contains("from the xmp"), "{market}: {files:?}");
    }
    assert_eq!(rows("adobe-stock"), ["winter-cabins-0001.jpg", "wrong.jpg"]);
    assert_eq!(rows("other"), ["sea.obj", "winter-cabins-0001.jpg", "winter-cabins.obj", "wrong.jpg"]);
    for theme in ["winter-cabins", "sea"] {
        let part = format!("/other/sidecars/{theme}.obj.parts/m.mtl");
        let part = files.iter().find(|name| name.ends_with(&part)).unwrap_or_else(|| panic!("{files:?}"));
        assert!(fs::read_to_string(root.at(part)).unwrap().contains(theme));
    }
}

#[test]
fn one_asset_is_bundled_once_whatever_a_person_copies() {
    // The daemon's own product, copied without its sidecar while it lies behind a gate.
    let root = Root::new();
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), format!("{settings}gates: {{export: hold}}\n")).unwrap();
    root.idea(&format!("{NOTE}- Sea — wave\n"));
    let daemon = root.run();
    root.until("the themes are there", |root| root.at("raw/sea/tags.yaml").exists());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    let product = root.at("export/winter-cabins/winter-cabins-0001.png");
    root.until("it is held", |root| root.log().contains("Held: ") && product.exists());
    fs::copy(&product, root.at("raw/sea/x.png")).unwrap();
    root.until("the copy is set aside", |root| root.at("failed/raw/sea/x.png.reason.txt").exists());
    assert!(root.call(&["release", "export"]).status.success());
    root.until("it is bundled", |root| root.csv().len() == 2);
    daemon.signal("-TERM");
    daemon.ends_well();
    assert_eq!(root.bundled().len(), 1, "{:?}", root.files());

    // The asset with its sidecar, in two stages that are let go together.
    let root = Root::new();
    fs::write(root.at("stockmill.yaml"), format!("{settings}gates: {{upload: hold}}\n")).unwrap();
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let archived = "archive/winter-cabins/winter-cabins-0001.png";
    for suffix in ["", ".yaml"] {
        let copy = root.at(&format!("export/winter-cabins/copy.png{suffix}"));
        fs::copy(root.at(&format!("{archived}{suffix}")), copy).unwrap();
    }
    assert!(root.once().status.success());
    let held: Vec<String> = root.files().into_iter().filter(|name| name.starts_with("upload/winter-cabins/")).collect();
    assert_eq!(held.iter().filter(|name| name.ends_with(".jpg")).count(), 2, "{held:?}");
    assert!(root.call(&["release", "upload"]).status.success());
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 1, "{:?}\n{}", root.files(), root.log());
    assert!(root.text(&["status"]).contains("bundled for this market before"), "{}", root.text(&["status"]));
}

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
    assert!((2..=removed).contains(&warnings(&root, "The journal was gone")), "{}", root.log());
    daemon.signal("-TERM");
    daemon.ends_well();
}

#[test]
fn a_retry_to_another_disk_that_was_cut_off_goes_on_with_the_same_names() {
    let other = tempfile::tempdir_in("/dev/shm").unwrap();
    let root = Root::with(&format!(
        "keep: {{min_megapixels: 0.04}}\nfolders: {{failed: {}}}\n",
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
fn a_person_may_start_anywhere_and_move_things_by_hand() {
    let root = Root::with("keep: {min_megapixels: 0.04}\ngates: {keep: hold}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    fs::create_dir_all(root.at("export/winter-cabins")).unwrap();
    fs::write(root.at("export/winter-cabins/started here.png"), picture(2, 220)).unwrap();
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 1, "{}", root.log());
    // A file moved on without its sidecar is the same asset still.
    let kept = root.files().into_iter().find(|name| name.starts_with("keep/") && name.ends_with(".png")).unwrap();
    fs::rename(root.at(&kept), root.at("export/winter-cabins/moved.png")).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let names: Vec<String> = root.csv()[1..].iter().map(|row| row[0].clone()).collect();
    assert_eq!(names.len(), 2, "{names:?} {}", root.log());
    assert!(!root.at(&format!("{kept}.yaml")).exists());
    assert!(!root.files().iter().any(|name| name.starts_with("failed/")), "{:?}", root.files());
}

#[test]
fn videos_models_and_named_documents_pass_whole() {
    let root = Root::with("upload: {markets: []}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    let raw = root.at("raw/winter-cabins");
    let part = |name: &[u8; 4], size: usize| {
        [&u32::try_from(size + 8).unwrap().to_be_bytes()[..], name, &vec![0; size]].concat()
    };
    let video = [part(b"ftyp", 8), part(b"moov", 20), part(b"mdat", 99)].concat();
    fs::write(raw.join("clip.mp4"), &video).unwrap();
    fs::create_dir(raw.join("model")).unwrap();
    fs::write(raw.join("model/cube.obj"), "mtllib cube.mtl\nv 0 0 0\n").unwrap();
    fs::write(raw.join("model/cube.mtl"), "newmtl a\nmap_Kd wood.png\n").unwrap();
    fs::write(raw.join("model/wood.png"), picture(3, 64)).unwrap();
    fs::write(raw.join("release.pdf"), "%PDF-1.4 signed").unwrap();
    let tags = fs::read_to_string(raw.join("tags.yaml")).unwrap();
    fs::write(raw.join("tags.yaml"), format!("{tags}documents: [release.pdf]\n")).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let upload: Vec<String> =
        root.files().into_iter().filter(|name| name.starts_with("upload/") && !name.ends_with(".yaml")).collect();
    assert_eq!(upload.len(), 5, "{upload:?}\n{}", root.log());
    for ending in ["cube.obj", "cube.mtl", "wood.png", ".pdf", ".mp4"] {
        assert!(upload.iter().any(|name| name.ends_with(ending)), "{ending}: {upload:?}");
    }
}

/// A prompt and a place were sent to the market in a video, and taken out of pictures.
#[test]
fn a_video_is_bundled_without_what_it_says_beside_its_streams() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let part = |name: &[u8; 4], content: &[u8]| {
        [&u32::try_from(content.len() + 8).unwrap().to_be_bytes()[..], name, content].concat()
    };
    let frames: Vec<u8> = (0..5_000_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let (open, index) = ([part(b"ftyp", &[0; 8]), part(b"mdat", &frames)].concat(), part(b"mvhd", &[1; 100]));
    let video = [&open[..], &part(b"moov", &[&index[..], &part(b"udta", b"SECRET")].concat())].concat();
    let blanked = [&open[..], &part(b"moov", &[&index[..], &part(b"free", &[0; 6])].concat())].concat();
    fs::write(root.at("raw/winter-cabins/clip.mp4"), &video).unwrap();
    let before = root.contents("raw");
    assert!(root.once().status.success(), "{}", root.log());
    let bundled = root.bundled().pop().unwrap();
    assert!(fs::read(&bundled).unwrap() == blanked, "{}", root.log());
    let archived = root.contents("archive").into_iter().filter(|(_, bytes)| *bytes == video).count();
    assert_eq!(archived, 1, "{:?}", root.files());
    assert!(root.text(&["verify"]).contains("all is as it should be"));

    // It is known again as it was dropped, and as it was bundled.
    fs::write(root.at("raw/winter-cabins/again.mp4"), &blanked).unwrap();
    root.once();
    assert!(root.files().contains(&"failed/raw/winter-cabins/again.mp4".to_owned()), "{}", root.log());
    assert_eq!(root.bundled(), [bundled]);
    for step in ["stripped", "given", "passed", "recognised"] {
        let said = root.text(&["undo"]);
        assert!(said.starts_with(&format!("undone: {step}")), "{said}");
    }
    assert_eq!(root.contents("raw"), before);
}

#[test]
fn a_stage_may_lie_on_another_disk() {
    let other = tempfile::tempdir_in("/dev/shm").unwrap();
    let root = Root::with(&format!(
        "keep: {{min_megapixels: 0.04}}\nfolders: {{export: {}}}\n",
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
fn wrong_settings_and_a_second_daemon_are_refused() {
    let root = Root::new();
    let mut daemon = root.command(&["run"]).stderr(Stdio::piped()).spawn().unwrap();
    root.until("the daemon is ready", |root| root.log().contains("Ready"));
    let second = root.once();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another stockmill works on"));
    assert!(root.text(&["status"]).contains("running"));
    daemon.kill().unwrap();
    let mut said = String::new();
    daemon.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    daemon.wait().unwrap();
    assert!(said.contains("Started."), "{said}");

    fs::write(root.at("stockmill.yaml"), "keep:\n  methd: lanczos\nexport:\n  quality: 300\n").unwrap();
    let refused = root.call(&["check"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("line 2, column 3") && said.contains("did you mean `method`?"), "{said}");
    assert!(said.contains("line 4, column 12"), "{said}");
}

#[test]
fn verify_finds_what_is_missing_or_changed_and_forgives_moves_by_hand() {
    let root = Root::with("keep: {min_megapixels: 0.04}\ngates: {keep: hold}\n");
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

    // A file goes from a bundle, with and without its sidecar.
    let bundled = root.bundled().remove(0);
    let name = bundled.file_name().unwrap().to_str().unwrap().to_owned();
    let sidecar = bundled.with_file_name(format!("../sidecars/{name}.yaml"));
    let (bytes, text) = (fs::read(&bundled).unwrap(), fs::read_to_string(&sidecar).unwrap());
    fs::remove_file(&bundled).unwrap();
    assert_eq!(verify(1, &[&format!("files/{name}: missing (by `upload/"), "1 problem."]), 2);
    fs::remove_file(&sidecar).unwrap();
    assert_eq!(verify(1, &[&format!("files/{name}: missing (by the journal)"), "1 problem."]), 2);
    fs::write(&bundled, &bytes).unwrap();
    verify(0, &[]);

    // A receipt is changed: another hash, then no YAML at all.
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
    let note = "keep/winter-cabins/best/chosen.png: moved by hand from `keep/winter-cabins/winter-cabins-0004.png`";
    assert_eq!(verify(0, &[note, "all is as it should be"]), 2);
    fs::rename(root.at("keep/winter-cabins/winter-cabins-0004.png.yaml"), moved.with_file_name("chosen.png.yaml"))
        .unwrap();
    assert_eq!(verify(0, &[note, "all is as it should be"]), 2);
    fs::rename(&original, root.at("archive/mine.png")).unwrap();
    verify(0, &["archive/mine.png: moved by hand from `archive/winter-cabins/winter-cabins-0001.png`"]);
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

#[test]
fn retry_reaches_a_stage_on_another_disk_and_waits_for_one_that_is_not_mounted() {
    let other = tempfile::tempdir_in("/dev/shm").unwrap();
    let place = other.path().join("raw");
    let root = Root::with(&format!("keep: {{min_megapixels: 0.04}}\nfolders: {{raw: {}}}\n", place.display()));
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
fn undo_brings_back_bytes_names_and_sidecars_and_refuses_what_changed() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let original = picture(1, 100);
    fs::write(root.at("raw/winter-cabins/a.png"), &original).unwrap();
    let before = root.contents("raw");
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 1, "{}", root.log());

    // Step by step, from the bundle back to the drop.
    for step in ["bundled", "exported", "enlarged", "recognised"] {
        let said = root.text(&["undo"]);
        assert!(said.starts_with(&format!("undone: {step}")), "{said}");
    }
    assert_eq!(root.contents("raw"), before);
    assert_eq!(root.bundled(), Vec::<std::path::PathBuf>::new());
    assert!(root.files().iter().all(|name| !name.ends_with(".png.yaml")), "{:?}", root.files());

    // What came back waits for its person, and goes on when that one says so, under the same identity.
    assert!(root.once().status.success());
    assert_eq!(fs::read(root.at("raw/winter-cabins/a.png")).unwrap(), original);
    assert!(root.text(&["status"]).contains("brought back by `stockmill undo`"));
    assert!(root.call(&["release", "raw"]).status.success());
    assert!(root.once().status.success());
    let held = root.text(&["status"]);
    assert!(held.contains("keep/winter-cabins/winter-cabins-0002.png") || root.bundled().len() == 1, "{held}");
}

#[test]
fn undo_beside_a_daemon_refuses_what_went_on_or_was_sent() {
    let root = Root::with("keep: {min_megapixels: 0.04}\ngates: {keep: hold}\n");
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
    root.until("the last is held", |root| root.text(&["status"]).contains("raw/winter-cabins/11.png"));
    for n in 2..12 {
        assert_eq!(fs::read(root.at(&format!("raw/winter-cabins/{n}.png"))).unwrap(), picture(n, 100));
    }
    daemon.signal("-TERM");
    daemon.ends_well();
}

#[test]
fn a_stage_that_goes_away_while_the_daemon_runs_is_paused_and_taken_up_again() {
    let root = Root::with("keep: {min_megapixels: 0.04}\nsettle: {rescan_s: 1, notes_quiet_s: 0}\n");
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

#[test]
fn a_few_lines_that_stand_for_gigabytes_are_cut_and_told() {
    let root = Root::with("ideas: {prompts_max: 10000}\n");
    let prompt = format!("{} {}", "{a|b|c|d|e|f|g|h}".repeat(4), "x".repeat(10_000));
    root.idea(&format!("- Huge\n  - prompt: {prompt}\n  - prompt: {prompt}\n"));
    let once = root.once();
    assert!(once.status.success(), "{}", root.log());
    let prompts = fs::read(root.at("raw/huge/prompts.txt")).unwrap();
    assert!((3 << 20..5 << 20).contains(&prompts.len()), "{}", prompts.len());
    let problems = root.files().into_iter().find(|file| file.ends_with(".problems.txt")).unwrap();
    let said = fs::read_to_string(root.at(&problems)).unwrap();
    assert!(said.contains("theme `huge`") && said.contains("left out"), "{said}");
    assert!(root.log().contains("prompts left out"), "{}", root.log());
}

#[test]
fn who_closes_the_pipe_has_read_enough() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = root.command(&["status"]).stdout(writer).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stderr.is_empty(), "{ended:?}");
}
