//! Every way in which programs put a file into a folder. Whatever the way: it arrives whole, exactly
//! once, and is never taken half.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags};

use super::{NOTE, Root, picture};

/// Longer than the quiet time after which a file that nobody has open is taken.
const PAUSE: Duration = Duration::from_millis(700);

/// Where a drop happens, and what is dropped.
struct Place {
    root: Root,
    /// The theme's folder, watched by a running daemon.
    raw: PathBuf,
    /// A folder beside the root, on the same file system.
    outside: PathBuf,
    bytes: Vec<u8>,
}

impl Place {
    fn at(&self, name: &str) -> PathBuf {
        self.raw.join(name)
    }

    /// Returns the bytes cut into about equal parts.
    fn parts(&self, count: usize) -> Vec<&[u8]> {
        self.bytes.chunks(self.bytes.len().div_ceil(count)).collect()
    }

    /// Pauses, and asserts that a file that is not complete yet was left where it is.
    fn pause(&self, name: &str, pause: Duration) {
        let inode = self.at(name).metadata().map(|meta| meta.ino()).ok();
        std::thread::sleep(pause);
        let after = self.at(name).metadata().map(|meta| meta.ino()).ok();
        let failed = self.root.contents("failed");
        let failed: Vec<&PathBuf> = failed.iter().map(|(path, _)| path).collect();
        assert!(inode.is_some() && inode == after, "a file was taken half: {failed:?}\n{}", self.root.log());
    }
}

/// Plays one way to drop a picture into the folder of a running daemon, and checks that it arrives.
fn arrives(drop_it: impl FnOnce(&Place)) {
    arrives_as(1, drop_it);
}

/// The same for a drop of `count` pictures; the first is [`Place::bytes`].
fn arrives_as(count: usize, drop_it: impl FnOnce(&Place)) {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    let place = Place {
        raw: root.at("raw/winter-cabins"),
        outside: root.outside(),
        bytes: picture(u32::try_from(count).unwrap(), 100),
        root,
    };
    drop_it(&place);
    let Place { root, bytes, .. } = place;
    root.until("everything that was dropped is bundled", |root| root.csv().len() > count);
    // A file that was taken twice, or in parts, shows up after the whole one.
    daemon.signal("-TERM");
    daemon.ends_well();
    root.once();
    let archived = root.contents("archive/winter-cabins");
    assert_eq!(archived.iter().filter(|(_, found)| *found == bytes).count(), 1, "{:?}\n{}", root.files(), root.log());
    assert_eq!((root.bundled().len(), root.csv().len()), (count, count + 1), "{:?}\n{}", root.files(), root.log());
    assert_eq!(root.contents("failed"), [], "{}", root.log());
}

/// Returns the time long ago that a copied file keeps.
fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000)
}

#[test]
fn a_move_on_the_same_file_system() {
    arrives(|place| {
        let from = place.outside.join("a.png");
        fs::write(&from, &place.bytes).unwrap();
        fs::rename(from, place.at("a.png")).unwrap();
    });
}

#[test]
fn a_move_of_a_folder() {
    arrives_as(5, |place| {
        let deep = place.outside.join("batch/of/today");
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("first.png"), &place.bytes).unwrap();
        for seed in 10..14 {
            fs::write(deep.join(format!("{seed}.png")), picture(seed, 100)).unwrap();
        }
        fs::rename(place.outside.join("batch"), place.at("batch")).unwrap();
    });
}

#[test]
fn a_folder_made_and_filled_at_once() {
    arrives_as(6, |place| {
        for seed in 10..15 {
            let deep = place.at(&format!("{seed}/deep/down"));
            fs::create_dir_all(&deep).unwrap();
            fs::write(deep.join("a.png"), picture(seed, 100)).unwrap();
        }
        fs::create_dir_all(place.at("last/one")).unwrap();
        fs::write(place.at("last/one/a.png"), &place.bytes).unwrap();
    });
}

#[test]
fn a_move_across_file_systems() {
    // `mv` copies, gives the copy the old time and rights while it has it open, and removes the source.
    arrives(|place| {
        let shm = tempfile::tempdir_in("/dev/shm").unwrap();
        let from = shm.path().join("a.png");
        fs::write(&from, &place.bytes).unwrap();
        assert_ne!(from.metadata().unwrap().dev(), place.raw.metadata().unwrap().dev());
        let mut file = File::create_new(place.at("a.png")).unwrap();
        for part in place.parts(4) {
            file.write_all(part).unwrap();
        }
        file.set_modified(long_ago()).unwrap();
        place.pause("a.png", PAUSE);
        file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
        drop(file);
        fs::remove_file(from).unwrap();
    });
}

#[test]
fn a_copy() {
    arrives(|place| {
        let mut file = File::create(place.at("a.png")).unwrap();
        for part in place.parts(50) {
            file.write_all(part).unwrap();
        }
    });
}

#[test]
fn a_copy_that_keeps_the_time_after_it_was_closed() {
    arrives(|place| {
        fs::write(place.at("a.png"), &place.bytes).unwrap();
        // The file may be on its way already.
        if let Ok(file) = File::options().write(true).open(place.at("a.png")) {
            file.set_modified(long_ago()).unwrap();
        }
    });
}

#[test]
fn rsync_under_a_hidden_name() {
    arrives(|place| {
        let mut file = File::create_new(place.at(".a.png.Xy12Zw")).unwrap();
        for part in place.parts(2) {
            file.write_all(part).unwrap();
            place.pause(".a.png.Xy12Zw", PAUSE);
        }
        file.set_modified(long_ago()).unwrap();
        drop(file);
        place.pause(".a.png.Xy12Zw", PAUSE);
        fs::rename(place.at(".a.png.Xy12Zw"), place.at("a.png")).unwrap();
    });
}

#[test]
fn rsync_in_place() {
    arrives(|place| {
        let mut file = File::create(place.at("a.png")).unwrap();
        for part in place.parts(3) {
            file.write_all(part).unwrap();
            place.pause("a.png", PAUSE);
        }
        file.set_modified(long_ago()).unwrap();
        drop(file);
        let _ = File::open(place.at("a.png"));
    });
}

/// A browser holds the final name with an empty file, and writes beside it.
fn browser(partial: &'static str) {
    arrives(|place| {
        File::create(place.at("a.png")).unwrap();
        place.pause("a.png", PAUSE);
        let mut file = File::create(place.at(partial)).unwrap();
        for part in place.parts(3) {
            file.write_all(part).unwrap();
            place.pause(partial, PAUSE);
            place.pause("a.png", Duration::ZERO);
        }
        drop(file);
        place.pause(partial, PAUSE);
        fs::rename(place.at(partial), place.at("a.png")).unwrap();
    });
}

#[test]
fn a_browser_that_writes_a_part_file() {
    browser("a.png.part");
}

#[test]
fn a_browser_that_writes_a_crdownload_file() {
    browser("a.png.crdownload");
}

#[test]
fn a_browser_that_names_the_download_at_the_end() {
    arrives(|place| {
        let partial = "Unconfirmed 812345.crdownload";
        let mut file = File::create(place.at(partial)).unwrap();
        for part in place.parts(2) {
            file.write_all(part).unwrap();
            place.pause(partial, PAUSE);
        }
        drop(file);
        fs::rename(place.at(partial), place.at("a.png")).unwrap();
    });
}

/// A scanner, or a network share, opens the file anew for each part.
fn scanner(parts: usize, pause: Duration) {
    arrives(|place| {
        File::create(place.at("a.png")).unwrap();
        let parts = place.parts(parts);
        let (last, first) = parts.split_last().unwrap();
        for part in first {
            File::options().append(true).open(place.at("a.png")).unwrap().write_all(part).unwrap();
            place.pause("a.png", pause);
        }
        File::options().append(true).open(place.at("a.png")).unwrap().write_all(last).unwrap();
    });
}

#[test]
fn a_scanner_that_pauses_shortly() {
    scanner(4, Duration::from_millis(1500));
}

#[test]
fn a_scanner_that_pauses_long() {
    scanner(3, Duration::from_secs(3));
}

#[test]
fn a_slow_writer_that_keeps_the_file_open() {
    arrives(|place| {
        let mut file = File::create(place.at("a.png")).unwrap();
        for part in place.parts(4) {
            file.write_all(part).unwrap();
            place.pause("a.png", Duration::from_millis(1200));
        }
    });
}

#[test]
fn a_file_allocated_before_it_is_written() {
    arrives(|place| {
        let mut file = File::create(place.at("a.png")).unwrap();
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, place.bytes.len() as u64).unwrap();
        place.pause("a.png", PAUSE);
        for part in place.parts(3) {
            file.write_all(part).unwrap();
            place.pause("a.png", PAUSE);
        }
    });
}

#[test]
fn a_file_allocated_and_closed_before_it_is_written() {
    arrives(|place| {
        let file = File::create(place.at("a.png")).unwrap();
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, place.bytes.len() as u64).unwrap();
        drop(file);
        place.pause("a.png", PAUSE);
        let mut file = File::options().write(true).open(place.at("a.png")).unwrap();
        for part in place.parts(3) {
            file.write_all(part).unwrap();
            place.pause("a.png", PAUSE);
        }
    });
}

#[test]
fn a_file_stretched_before_it_is_written_from_its_end() {
    arrives(|place| {
        let mut file = File::create(place.at("a.png")).unwrap();
        file.set_len(place.bytes.len() as u64).unwrap();
        place.pause("a.png", PAUSE);
        let mut end = place.bytes.len();
        for part in place.parts(3).into_iter().rev() {
            end -= part.len();
            file.seek(SeekFrom::Start(end as u64)).unwrap();
            file.write_all(part).unwrap();
            place.pause("a.png", PAUSE);
        }
    });
}

#[test]
fn a_download_that_reopens_its_stretched_file_for_each_piece() {
    arrives(|place| {
        File::create(place.at("a.png")).unwrap().set_len(place.bytes.len() as u64).unwrap();
        let mut pieces: Vec<(usize, &[u8])> = Vec::new();
        for part in place.parts(4) {
            let at = pieces.last().map_or(0, |(at, part)| at + part.len());
            pieces.push((at, part));
        }
        // The first and the last piece come first, so that the file looks whole from both ends.
        for n in [0, 3, 1, 2] {
            place.pause("a.png", PAUSE);
            let (at, part) = pieces[n];
            let mut file = File::options().write(true).open(place.at("a.png")).unwrap();
            file.seek(SeekFrom::Start(at as u64)).unwrap();
            file.write_all(part).unwrap();
        }
    });
}

#[test]
fn an_unnamed_file_that_gets_a_name() {
    arrives(|place| {
        let flags = OFlags::TMPFILE | OFlags::RDWR;
        let mut file = File::from(rustix::fs::open(&place.raw, flags, Mode::from_raw_mode(0o644)).unwrap());
        let parts = place.parts(2);
        file.write_all(parts[0]).unwrap();
        let here = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
        rustix::fs::linkat(rustix::fs::CWD, here, rustix::fs::CWD, place.at("a.png"), AtFlags::SYMLINK_FOLLOW).unwrap();
        // It has its name, and is still written.
        place.pause("a.png", PAUSE);
        file.write_all(parts[1]).unwrap();
    });
}

/// Writes through a mapping after the descriptor is closed: no event tells of it.
#[expect(unsafe_code, reason = "only a mapping that outlives its descriptor plays this writer")]
fn write_mapped(path: &Path, parts: &[&[u8]], between: &dyn Fn()) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let file = File::options().read(true).write(true).create_new(true).open(path).unwrap();
    file.set_len(length as u64).unwrap();
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping of a file that was just made that long; nobody else has it.
    let map = unsafe {
        libc::mmap(std::ptr::null_mut(), length, protection, libc::MAP_SHARED, file.as_raw_fd(), 0).cast::<u8>()
    };
    assert_ne!(map.cast(), libc::MAP_FAILED);
    drop(file);
    let mut at = 0;
    for part in parts {
        between();
        // SAFETY: the parts together are as long as the mapping.
        unsafe { std::ptr::copy_nonoverlapping(part.as_ptr(), map.add(at), part.len()) };
        at += part.len();
    }
    between();
    // SAFETY: the mapping is not used any more.
    assert_eq!(unsafe { libc::munmap(map.cast(), length) }, 0);
}

#[test]
fn a_mapping_that_is_written_after_the_file_was_closed() {
    arrives(|place| {
        write_mapped(&place.at("a.png"), &place.parts(3), &|| place.pause("a.png", PAUSE));
    });
}

#[test]
fn a_waiting_file_that_is_touched() {
    arrives(|place| {
        let parts = place.parts(2);
        let mut file = File::create(place.at("a.png")).unwrap();
        file.write_all(parts[0]).unwrap();
        for mode in [0o600, 0o644, 0o664] {
            place.pause("a.png", PAUSE);
            fs::set_permissions(place.at("a.png"), fs::Permissions::from_mode(mode)).unwrap();
            File::open(place.at("a.png")).unwrap().set_modified(long_ago()).unwrap();
        }
        file.write_all(parts[1]).unwrap();
    });
}

#[test]
fn a_link_to_a_file_outside() {
    arrives(|place| {
        let outside = place.outside.join("own.png");
        fs::write(&outside, &place.bytes).unwrap();
        fs::hard_link(&outside, place.at("a.png")).unwrap();
        place.root.until("it is bundled", |root| root.csv().len() == 2);
        assert_eq!(fs::read(&outside).unwrap(), place.bytes);
    });
}

#[test]
fn a_link_to_a_file_outside_is_copied_so_that_its_owner_may_write_on() {
    arrives(|place| {
        let outside = place.outside.join("own.png");
        fs::write(&outside, &place.bytes).unwrap();
        fs::hard_link(&outside, place.at("a.png")).unwrap();
        place.root.until("it is bundled", |root| root.csv().len() == 2);
        // In place, as many an editor saves.
        let mut file = File::options().write(true).open(&outside).unwrap();
        file.write_all(b"the owner goes on with this file").unwrap();
        assert_eq!(outside.metadata().unwrap().nlink(), 1, "stockmill holds on to a file outside of its root");
    });
}

/// What a person writes beside a picture.
fn companions(place: &Place) -> [(PathBuf, &'static str); 3] {
    let xmp = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF \
               xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
               xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:subject><rdf:Bag><rdf:li>from the xmp</rdf:li>\
               </rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>";
    [
        (place.at("a.txt"), "a prompt that belongs to a"),
        (place.at("a.xmp"), xmp),
        (place.at("a.png.yaml"), "tags: {title: Its own title, keywords: [its own word]}\n"),
    ]
}

/// Returns whether a text lies somewhere below an area of the root, byte for byte.
fn lies_in(root: &Root, area: &str, text: &str) -> bool {
    root.contents(area).iter().any(|(_, bytes)| bytes == text.as_bytes())
}

#[test]
fn companions_that_come_together_with_their_asset() {
    for asset_first in [true, false] {
        arrives(|place| {
            if asset_first {
                fs::write(place.at("a.png"), &place.bytes).unwrap();
            }
            for (path, text) in companions(place) {
                fs::write(path, text).unwrap();
            }
            if !asset_first {
                fs::write(place.at("a.png"), &place.bytes).unwrap();
            }
            place.root.until("it is bundled", |root| root.csv().len() == 2);
            let row = place.root.csv()[1].clone();
            assert_eq!(row[1], "Its own title");
            assert!(row[2].contains("its own word") && row[2].contains("from the xmp"), "{row:?}");
            let [(_, prompt), (_, xmp), _] = companions(place);
            for text in [prompt, xmp] {
                assert!(lies_in(&place.root, "upload", text), "{text}: {:?}", place.root.files());
            }
        });
    }
}

#[test]
fn companions_that_come_after_their_asset_has_gone() {
    arrives(|place| {
        fs::write(place.at("a.png"), &place.bytes).unwrap();
        place.root.until("it is bundled", |root| root.csv().len() == 2);
        for (path, text) in companions(place) {
            fs::write(path, text).unwrap();
        }
        // They were left behind, and the asset was sold without its words.
        place.root.until("they have joined it", |_| companions(place).iter().all(|(path, _)| !path.exists()));
        let says = |root: &Root, word: &str| root.csv()[1].iter().any(|cell| cell.split(',').any(|said| said == word));
        for word in ["Its own title", "its own word", "from the xmp"] {
            place.root.until("its row says so", |root| says(root, word));
        }
        let [prompt, xmp, _] = companions(place);
        assert!(lies_in(&place.root, "upload", prompt.1) && lies_in(&place.root, "upload", xmp.1));
    });
}

#[test]
fn companions_that_come_two_seconds_after_their_asset() {
    arrives(|place| {
        fs::write(place.at("a.png"), &place.bytes).unwrap();
        std::thread::sleep(Duration::from_secs(2));
        for (path, text) in companions(place) {
            fs::write(path, text).unwrap();
        }
        place.root.until("it is bundled", |root| root.csv().len() == 2);
        // Whether the asset waited for them or not: none of them is lost.
        for (path, text) in companions(place) {
            let is_kept = lies_in(&place.root, "", text) || place.root.csv()[1][1] == "Its own title";
            assert!(is_kept, "{}: {:?}", path.display(), place.root.files());
        }
    });
}
