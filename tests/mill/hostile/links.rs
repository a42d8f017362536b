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
fn what_is_no_plain_file_is_left_alone_and_stops_nothing() {
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
    // Themes.
    for stage in ["raw", "keep", "export", "upload"] {
        symlink(world.outside.join("album"), world.root.at(stage).join("linked")).unwrap();
        world.fates.push((Path::new(stage).join("linked"), None, stays("symbolic link")));
    }
    world.survive();
}

#[test]
fn companions_and_shared_tags_that_are_no_files_hold_what_depends_on_them_and_nothing_else() {
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
    type Make = fn(&Path, &Path);
    let no_file = "it is not a regular file";
    let makes: [(&str, &str, Make); 3] = [
        ("linked-tags", "it is a symbolic link", |path, outside| {
            symlink(outside.join("canary.txt"), path).unwrap();
        }),
        ("piped-tags", no_file, |path, _| {
            rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
        }),
        ("folder-tags", no_file, |path, _| fs::create_dir(path).unwrap()),
    ];
    for (theme, why, make) in makes {
        let bytes = world.picture();
        let why = format!("`raw/{theme}/tags.yaml` cannot be read: {why}");
        world.put(format!("raw/{theme}/a.png").into(), &bytes, stays(why));
        make(&world.root.at(&format!("raw/{theme}/tags.yaml")), &world.outside);
    }
    world.survive();
}

#[test]
fn neither_age_nor_rights_nor_the_folder_s_name_matter() {
    let mut world = World::new(SETTINGS);
    for (name, seconds) in [("1970.png", 0), ("1999.png", 930_000_000), ("2099.png", 4_080_000_000_u64)] {
        world.drop_picture(name, Arrives);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::options().write(true).open(world.raw(name)).unwrap().set_modified(time).unwrap();
    }
    world.drop_picture("1901.png", Arrives);
    let time = SystemTime::UNIX_EPOCH - Duration::from_secs(2_140_000_000);
    File::options().write(true).open(world.raw("1901.png")).unwrap().set_modified(time).unwrap();
    world.drop_picture("locked.png", Arrives);
    fs::set_permissions(world.raw("locked.png"), fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(world.raw("locked.png")).is_err() {
        // Root may read everything; anybody else must wait.
        world.fates.last_mut().unwrap().2 = stays("ermission");
    }
    world.drop_picture("of somebody else.png", Arrives);
    // Only root may give files away.
    let _ = std::os::unix::fs::chown(world.raw("of somebody else.png"), Some(65534), Some(65534));
    fs::create_dir(world.raw("empty.png")).unwrap();
    fs::create_dir(world.raw("prompts.txt.png")).unwrap();
    world.drop_picture("a.png/b.png", Arrives);
    world.drop_picture("a.part/b.png", Arrives);
    // The folder where the walk ends is named, not each file below it.
    let bytes = world.picture();
    let deep = world.raw("d/".repeat(500));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("a.png"), &bytes).unwrap();
    world.expect(["d"; 31].join("/"), stays("it lies more than 32 folders deep"));
    world.drop_picture("setuid.png", Arrives);
    fs::set_permissions(world.raw("setuid.png"), fs::Permissions::from_mode(0o6755)).unwrap();
    let root = world.survive();
    assert!(deep.join("a.png").exists());
    for (path, _) in root.contents("") {
        let mode = path.metadata().unwrap().mode();
        assert_eq!(mode & 0o6000, 0, "{} has mode {mode:o}", path.display());
    }
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
    // Whatever would have been taken or written is, before what comes after it.
    let after = picture(7, 100);
    fs::write(root.at("keep/winter-cabins/c.png"), &after).unwrap();
    root.until("what came after it goes on", |root| root.contents(kept).iter().any(|(_, bytes)| *bytes == after));
    daemon.signal("-TERM");
    daemon.ends_well();
    let own = fs::read(outside.join("winter-cabins/own.png")).ok();
    assert!(own == Some(picture(5, 100)), "taken from outside\n{}", root.log());
    let names: Vec<_> =
        fs::read_dir(outside.join("winter-cabins")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["own.png"], "written outside");
}
