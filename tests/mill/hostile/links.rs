//! What is no plain file in a plain place: links, devices, other rights and times.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode};

use super::{Arrives, SETTINGS, World, stays};
use crate::{NOTE, Root, picture};

#[test]
fn links_and_special_files_are_left_alone() {
    let mut world = World::new(SETTINGS);
    symlink(world.outside.join("canary.png"), world.raw("link.png")).unwrap();
    symlink(world.outside.join("album"), world.raw("album")).unwrap();
    symlink(".", world.raw("loop")).unwrap();
    symlink("b", world.raw("a")).unwrap();
    symlink("a", world.raw("b")).unwrap();
    symlink("nowhere.png", world.raw("dangling.png")).unwrap();
    symlink("/etc/passwd", world.raw("passwd.txt")).unwrap();
    for name in ["link.png", "album", "loop", "a", "b", "dangling.png", "passwd.txt"] {
        world.expect(name, stays("symbolic link"));
    }
    rustix::fs::mknodat(CWD, world.raw("fifo.png"), FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    let _socket = UnixListener::bind(world.raw("socket.png")).unwrap();
    world.expect("fifo.png", stays("no regular file"));
    world.expect("socket.png", stays("no regular file"));
    // Only root may make devices.
    for (name, kind, number) in
        [("zero.png", FileType::CharacterDevice, (1, 5)), ("disk.png", FileType::BlockDevice, (7, 0))]
    {
        let number = rustix::fs::makedev(number.0, number.1);
        if rustix::fs::mknodat(CWD, world.raw(name), kind, Mode::from_raw_mode(0o644), number).is_ok() {
            world.expect(name, stays("no regular file"));
        }
    }
    world.survive();
}

#[test]
fn a_theme_that_is_a_link_is_left_alone() {
    let mut world = World::new(SETTINGS);
    for stage in ["raw", "keep", "export", "upload"] {
        symlink(world.outside.join("album"), world.root.at(stage).join("linked")).unwrap();
        world.fates.push((Path::new(stage).join("linked"), None, stays("symbolic link")));
    }
    world.survive();
}

#[test]
fn companions_that_are_no_files_are_left_alone_and_do_not_stop_their_asset() {
    let mut world = World::new(SETTINGS);
    let fifo = |path: PathBuf| rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    for name in ["a", "b", "c", "d", "e"] {
        world.drop_picture(format!("{name}.png"), Arrives);
    }
    symlink(world.outside.join("canary.txt"), world.raw("a.png.yaml")).unwrap();
    fs::create_dir(world.raw("b.png.yaml")).unwrap();
    fifo(world.raw("c.png.yaml"));
    fifo(world.raw("d.xmp"));
    symlink(world.outside.join("canary.txt"), world.raw("e.xmp")).unwrap();
    world.expect("a.png.yaml", stays("symbolic link"));
    world.expect("c.png.yaml", stays("no regular file"));
    world.expect("d.xmp", stays("no regular file"));
    world.expect("e.xmp", stays("symbolic link"));
    world.survive();
}

#[test]
fn shared_tags_that_are_no_file_hold_their_theme_and_nothing_else() {
    type Make = fn(&Path, &Path);
    let makes: [Make; 3] = [
        |path, outside| symlink(outside.join("canary.txt"), path).unwrap(),
        |path, _| rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap(),
        |path, _| fs::create_dir(path).unwrap(),
    ];
    for make in makes {
        let mut world = World::new(SETTINGS);
        world.put("raw/other/a.png".into(), &picture(200, 100), stays("tags.yaml"));
        make(&world.root.at("raw/other/tags.yaml"), &world.outside);
        world.survive();
    }
}

#[test]
fn folders_with_the_names_of_files() {
    let mut world = World::new(SETTINGS);
    fs::create_dir(world.raw("empty.png")).unwrap();
    fs::create_dir(world.raw("prompts.txt.png")).unwrap();
    world.drop_picture("a.png/b.png", Arrives);
    world.drop_picture("a.part/b.png", Arrives);
    let deep = format!("{}a.png", "d/".repeat(500));
    world.drop_picture(&deep, stays(""));
    // The folder where the walk ends is named, not each file below it.
    world.fates.pop();
    let root = world.survive();
    assert!(root.text(&["status"]).contains("folders deep"), "{}", root.text(&["status"]));
}

#[test]
fn rights_of_a_dropped_file_are_not_carried_on() {
    let mut world = World::new(SETTINGS);
    world.drop_picture("setuid.png", Arrives);
    fs::set_permissions(world.raw("setuid.png"), fs::Permissions::from_mode(0o6755)).unwrap();
    let root = world.survive();
    for (path, _) in root.contents("") {
        let mode = path.metadata().unwrap().mode();
        assert_eq!(mode & 0o6000, 0, "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn files_that_may_not_be_read_wait_and_are_named() {
    let mut world = World::new(SETTINGS);
    world.drop_picture("locked.png", Arrives);
    fs::set_permissions(world.raw("locked.png"), fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(world.raw("locked.png")).is_err() {
        // Root may read everything; anybody else must wait.
        world.fates.last_mut().unwrap().2 = stays("ermission");
    }
    world.drop_picture("of somebody else.png", Arrives);
    // Only root may give files away.
    let _ = std::os::unix::fs::chown(world.raw("of somebody else.png"), Some(65534), Some(65534));
    world.survive();
}

#[test]
fn times_of_every_age_arrive() {
    let mut world = World::new(SETTINGS);
    for (name, seconds) in [("1970.png", 0), ("1999.png", 930_000_000), ("2099.png", 4_080_000_000_u64)] {
        world.drop_picture(name, Arrives);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::options().write(true).open(world.raw(name)).unwrap().set_modified(time).unwrap();
    }
    world.drop_picture("1901.png", Arrives);
    let time = SystemTime::UNIX_EPOCH - Duration::from_secs(2_140_000_000);
    File::options().write(true).open(world.raw("1901.png")).unwrap().set_modified(time).unwrap();
    world.survive();
}

#[test]
fn an_inbox_that_is_a_link_from_the_start_is_followed() {
    let root = Root::new();
    let elsewhere = root.outside().join("my pictures");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::remove_dir_all(root.at("raw")).unwrap();
    symlink(&elsewhere, root.at("raw")).unwrap();
    root.idea(NOTE);
    assert!(root.once().status.success(), "{}", root.log());
    fs::write(elsewhere.join("winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(root.bundled().len(), 1, "{}", root.log());
}

#[test]
fn an_inbox_that_becomes_a_link_is_not_written_through() {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    let outside = root.outside();
    fs::create_dir_all(outside.join("winter-cabins")).unwrap();
    fs::write(outside.join("winter-cabins/own.png"), picture(5, 100)).unwrap();
    fs::rename(root.at("raw"), root.at("raw-before")).unwrap();
    symlink(&outside, root.at("raw")).unwrap();
    // A change in another inbox: the daemon is awake, and wants to write the theme's tags to `raw`.
    fs::create_dir_all(root.at("keep/winter-cabins")).unwrap();
    fs::write(root.at("keep/winter-cabins/b.png"), picture(6, 100)).unwrap();
    let (dropped, kept) = (picture(6, 100), "archive/winter-cabins");
    root.until("the other inbox goes on", |root| root.contents(kept).iter().any(|(_, bytes)| *bytes == dropped));
    daemon.signal("-HUP");
    root.until("everything was looked at", |root| root.log().contains("Settings read again"));
    std::thread::sleep(Duration::from_secs(1));
    daemon.signal("-TERM");
    daemon.ends_well();
    let own = fs::read(outside.join("winter-cabins/own.png")).ok();
    assert!(own == Some(picture(5, 100)), "taken from outside\n{}", root.log());
    let names: Vec<_> =
        fs::read_dir(outside.join("winter-cabins")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["own.png"], "written outside");
}
