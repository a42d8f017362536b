//! Several programs and persons at once.

use std::collections::HashSet;
use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::CWD;
use stockmill::model::ContentHash;

use super::{SETTINGS, World};
use crate::{Daemon, NOTE, Root, picture};

#[test]
fn the_same_content_twice_goes_on_once() {
    let mut world = World::new(SETTINGS);
    let bytes = world.picture();
    for name in ["one.png", "two.png", "three.png"] {
        fs::write(world.raw(name), &bytes).unwrap();
    }
    world.more = 1;
    let root = world.survive();
    let count = |area: &str| root.contents(area).iter().filter(|(_, found)| *found == bytes).count();
    assert_eq!((count("archive"), count("failed")), (1, 2), "{}", root.log());
    assert_eq!(
        root.contents("failed").iter().filter(|(_, text)| text.starts_with(b"it has the same bytes as")).count(),
        2
    );
}

#[test]
fn pictures_that_change_places_all_the_time_are_taken_whole_or_not_at_all() {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    let (raw, outside) = (root.at("raw/winter-cabins"), root.outside());
    let pictures: Vec<Vec<u8>> = (0..2).map(|seed| picture(seed + 300, 100)).collect();
    let stop = AtomicBool::new(false);
    let mut given: HashSet<ContentHash> = HashSet::new();
    std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            // Each content is new, and is put over whatever bears the name at that moment: a person's own
            // overwriting. What stockmill took before must be whole, and one of those.
            let mut given = Vec::new();
            for n in 0_u32.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let mut bytes = pictures[n as usize % 2].clone();
                bytes.extend(n.to_be_bytes());
                given.push(ContentHash::of(&bytes));
                fs::write(outside.join("next.png"), &bytes).unwrap();
                fs::rename(outside.join("next.png"), raw.join("a.png")).unwrap();
                std::thread::sleep(Duration::from_millis(u64::from(n % 7)));
            }
            given
        });
        std::thread::sleep(Duration::from_secs(4));
        stop.store(true, Ordering::Relaxed);
        given.extend(swapper.join().unwrap());
    });
    root.until("the last one was taken", |root| !root.at("raw/winter-cabins/a.png").exists());
    root.until("all are bundled", |root| {
        let archived =
            root.files().iter().filter(|name| name.starts_with("archive/winter") && name.ends_with(".png")).count();
        archived > 0 && root.csv().len() == archived + 1
    });
    daemon.signal("-TERM");
    daemon.ends_well();
    for (path, bytes) in root.contents("archive/winter-cabins") {
        if path.extension().is_some_and(|extension| extension == "png") {
            assert!(given.contains(&ContentHash::of(&bytes)), "{} is none of those that were dropped", path.display());
            let sidecar = fs::read_to_string(path.with_extension("png.yaml")).unwrap();
            let hash = ContentHash::of(&bytes).to_string();
            assert!(sidecar.contains(&hash), "{} has the sidecar of another:\n{sidecar}", path.display());
        }
    }
    assert_eq!(root.contents("failed"), []);
}

#[test]
fn two_pictures_that_swap_names_both_arrive() {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    let raw = root.at("raw/winter-cabins");
    let pair = [picture(310, 100), picture(311, 100)];
    for (name, bytes) in ["a.png", "b.png"].iter().zip(&pair) {
        fs::write(raw.join(name), bytes).unwrap();
    }
    let end = Instant::now() + Duration::from_secs(4);
    let swap = rustix::fs::RenameFlags::EXCHANGE;
    let mut n = 0;
    // One of them may leave at any moment.
    while Instant::now() < end && raw.join("a.png").exists() && raw.join("b.png").exists() {
        let _ = rustix::fs::renameat_with(CWD, raw.join("a.png"), CWD, raw.join("b.png"), swap);
        n += 1;
        std::thread::sleep(Duration::from_micros(n % 50 * 100));
    }
    root.until("both are bundled", |root| root.csv().len() == 3);
    daemon.signal("-TERM");
    daemon.ends_well();
    let archived = root.contents("archive/winter-cabins");
    for bytes in &pair {
        assert_eq!(archived.iter().filter(|(_, found)| found == bytes).count(), 1, "{}", root.log());
    }
    assert_eq!(root.contents("failed"), []);
}

#[test]
fn a_person_who_deletes_during_the_work_leaves_no_halves() {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    for seed in 0..60 {
        fs::write(root.at(&format!("raw/winter-cabins/{seed}.png")), picture(seed + 400, 300)).unwrap();
    }
    let end = Instant::now() + Duration::from_secs(3);
    let mut deleted = 0;
    while Instant::now() < end {
        for name in root.files() {
            let is_asset =
                ["raw/", "keep/", "export/"].iter().any(|stage| name.starts_with(stage)) && name.ends_with(".png");
            if is_asset && (name.len() + deleted) % 3 == 0 && fs::remove_file(root.at(&name)).is_ok() {
                deleted += 1;
            }
        }
    }
    assert!(deleted > 0, "nothing could be deleted in time");
    fs::write(root.at("raw/winter-cabins/last.png"), picture(999, 100)).unwrap();
    let last = picture(999, 100);
    root.until("the last one arrives", |root| root.contents("archive/winter-cabins").iter().any(|(_, b)| *b == last));
    root.until("the manifest is whole", |root| root.csv().len() == root.bundled().len() + 1);
    daemon.signal("-TERM");
    daemon.ends_well();
    assert!(!root.log().contains("panicked"));
    for path in root.bundled() {
        image::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    root.once();
    let stray = |name: &&String| name.starts_with("archive/winter") && name.ends_with(".png.yaml");
    for sidecar in root.files().iter().filter(stray) {
        assert!(root.at(sidecar.trim_end_matches(".yaml")).exists(), "{sidecar} is an orphan");
    }
}

#[test]
fn only_one_program_works_on_a_root() {
    let root = Root::new();
    root.idea(NOTE);
    let mut daemon = Daemon(root.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    root.until("the daemon is ready", |root| root.log().contains("Ready"));
    assert!(root.text(&["status"]).contains("running"));
    for words in [["run"], ["once"]] {
        let second = root.command(&words).stdin(Stdio::null()).output().unwrap();
        assert_eq!(second.status.code(), Some(1), "{words:?}");
        assert!(String::from_utf8_lossy(&second.stderr).contains("another stockmill works on"));
    }
    // What was refused leaves nothing in the log of the one that works.
    assert_eq!(root.log().matches("Started.").count(), 1, "{}", root.log());
    // A kill leaves nothing behind that would keep the next one out.
    daemon.signal("-KILL");
    let mut said = String::new();
    daemon.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("Started."), "{said}");
    drop(daemon);
    assert!(root.once().status.success());
}

#[test]
fn a_hundred_programs_that_ask_do_not_disturb_the_daemon() {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    for seed in 0..20 {
        fs::write(root.at(&format!("raw/winter-cabins/{seed}.png")), picture(seed + 500, 100)).unwrap();
    }
    let asking: Vec<_> = (0..20)
        .map(|n| {
            let words: &[&str] = [&["status"][..], &["plan"], &["check"], &["status", "--json"]][n % 4];
            let mut command: Command = root.command(words);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in asking {
        assert!(child.wait().unwrap().success());
    }
    root.until("all are bundled", |root| root.csv().len() == 21);
    daemon.signal("-TERM");
    daemon.ends_well();
}
