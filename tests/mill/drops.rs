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
use stockmill::model::ContentHash;

use super::{NOTE, Root, picture};

/// Longer than the quiet time after which a file that nobody has open is taken.
const PAUSE: Duration = Duration::from_millis(700);

/// Where a drop happens, and what is dropped.
struct Place<'a> {
    root: &'a Root,
    /// A folder of this drop's own in the theme's folder, watched by a running daemon.
    raw: PathBuf,
    /// A folder beside the root, on the same file system.
    outside: PathBuf,
    bytes: Vec<u8>,
    /// A number that no other drop has.
    seed: u32,
}

impl Place<'_> {
    fn at(&self, name: &str) -> PathBuf {
        self.raw.join(name)
    }

    /// Returns the bytes cut into about equal parts.
    fn parts(&self, count: usize) -> Vec<&[u8]> {
        self.bytes.chunks(self.bytes.len().div_ceil(count)).collect()
    }

    /// Returns one more picture like no other.
    fn more(&self, n: u32) -> Vec<u8> {
        picture(self.seed + 100 + n, 100)
    }

    /// Pauses, as the writer does, and asserts that a file that is not complete yet was left where it is.
    fn pause(&self, name: &str, pause: Duration) {
        let inode = self.at(name).metadata().map(|meta| meta.ino()).ok();
        std::thread::sleep(pause);
        let after = self.at(name).metadata().map(|meta| meta.ino()).ok();
        let failed = self.root.contents("failed");
        let failed: Vec<&PathBuf> = failed.iter().map(|(path, _)| path).collect();
        assert!(inode.is_some() && inode == after, "a file was taken half: {failed:?}\n{}", self.root.log());
    }

    /// Waits until a sidecar in a bundle names the bytes.
    fn until_it_is_bundled(&self) {
        let hash = ContentHash::of(&self.bytes).to_string();
        let names_it = |(path, bytes): &(PathBuf, Vec<u8>)| {
            path.to_string_lossy().contains("/sidecars/") && String::from_utf8_lossy(bytes).contains(&hash)
        };
        self.root.until("it is bundled", |root| root.contents("upload").iter().any(names_it));
    }
}

/// A way to drop a picture: what it is called, how many pictures it drops (the first is [`Place::bytes`]), and
/// the drop.
type Way = (&'static str, usize, fn(&Place));

/// Plays all the ways side by side into the folder of one running daemon, each with pictures of its own, and
/// checks that every picture arrives.
fn all_arrive(ways: &[Way]) {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success(), "{}", root.log());
    let places: Vec<Place> = (1_u32..)
        .zip(ways)
        .map(|(n, (what, ..))| {
            let (raw, outside) = (root.at("raw/winter-cabins").join(what), root.outside().join(what));
            fs::create_dir(&raw).unwrap();
            fs::create_dir(&outside).unwrap();
            Place { root: &root, raw, outside, bytes: picture(n * 1_000, 100), seed: n * 1_000 }
        })
        .collect();
    let daemon = root.run();
    root.until("the daemon is ready", |root| root.log().matches("Ready").count() == 1);
    std::thread::scope(|scope| {
        let drops: Vec<_> = ways.iter().zip(&places).map(|((_, _, way), place)| scope.spawn(|| way(place))).collect();
        for ((what, ..), drop) in ways.iter().zip(drops) {
            assert!(drop.join().is_ok(), "{what}");
        }
    });
    let count = ways.iter().map(|(_, count, _)| count).sum::<usize>();
    root.until("everything that was dropped is bundled", |root| root.csv().len() > count);
    // A file that was taken twice, or in parts, shows up after the whole one.
    daemon.signal("-TERM");
    daemon.ends_well();
    root.once();
    let archived = root.contents("archive/winter-cabins");
    for ((what, ..), place) in ways.iter().zip(&places) {
        let times = archived.iter().filter(|(_, found)| *found == place.bytes).count();
        assert_eq!(times, 1, "{what}: {:?}\n{}", root.files(), root.log());
    }
    assert_eq!((root.bundled().len(), root.csv().len()), (count, count + 1), "{:?}\n{}", root.files(), root.log());
    assert_eq!(root.contents("failed"), [], "{}", root.log());
}

#[test]
fn what_comes_whole_arrives_whole_and_once() {
    all_arrive(&[
        ("a move on the same file system", 1, a_move_on_the_same_file_system),
        ("a move of a folder", 5, a_move_of_a_folder),
        ("a folder made and filled at once", 6, a_folder_made_and_filled_at_once),
        ("a move across file systems", 1, a_move_across_file_systems),
        ("a copy", 1, a_copy),
        ("a copy that keeps the time", 1, a_copy_that_keeps_the_time_after_it_was_closed),
        ("a link to a file outside", 1, a_link_to_a_file_outside_is_copied_so_that_its_owner_may_write_on),
    ]);
}

#[test]
fn what_comes_in_parts_is_never_taken_half() {
    all_arrive(&[
        ("rsync under a hidden name", 1, rsync_under_a_hidden_name),
        ("rsync in place", 1, rsync_in_place),
        ("a browser with part", 1, |place| browser(place, "a.png.part")),
        ("a browser with crdownload", 1, |place| browser(place, "a.png.crdownload")),
        ("a browser that names it at the end", 1, a_browser_that_names_the_download_at_the_end),
        ("a scanner that pauses shortly", 1, |place| scanner(place, 4, Duration::from_millis(1500))),
        ("a scanner that pauses long", 1, |place| scanner(place, 3, Duration::from_secs(3))),
        ("a slow writer", 1, a_slow_writer_that_keeps_the_file_open),
        ("allocated before", 1, a_file_allocated_before_it_is_written),
        ("allocated and closed before", 1, a_file_allocated_and_closed_before_it_is_written),
        ("stretched before", 1, a_file_stretched_before_it_is_written_from_its_end),
        ("stretched and reopened", 1, a_download_that_reopens_its_stretched_file_for_each_piece),
        ("unnamed at first", 1, an_unnamed_file_that_gets_a_name),
        ("mapped", 1, a_mapping_that_is_written_after_the_file_was_closed),
        ("touched while it waits", 1, a_waiting_file_that_is_touched),
    ]);
}

#[test]
fn companions_go_with_their_asset_whenever_they_come() {
    all_arrive(&[
        ("companions first", 1, |place| {
            drop_companions(place);
            fs::write(place.at("a.png"), &place.bytes).unwrap();
            until_its_row_says_all(place);
        }),
        ("companions last", 1, |place| {
            fs::write(place.at("a.png"), &place.bytes).unwrap();
            drop_companions(place);
            until_its_row_says_all(place);
        }),
        // The asset may have gone by then, or wait for them.
        ("companions two seconds later", 1, |place| {
            fs::write(place.at("a.png"), &place.bytes).unwrap();
            std::thread::sleep(Duration::from_secs(2));
            drop_companions(place);
            until_its_row_says_all(place);
        }),
        // They were left behind, and the asset was sold without its words.
        ("companions when it has gone", 1, |place| {
            fs::write(place.at("a.png"), &place.bytes).unwrap();
            place.until_it_is_bundled();
            drop_companions(place);
            until_its_row_says_all(place);
        }),
    ]);
}

/// Returns the time long ago that a copied file keeps.
fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000)
}

fn a_move_on_the_same_file_system(place: &Place) {
    let from = place.outside.join("a.png");
    fs::write(&from, &place.bytes).unwrap();
    fs::rename(from, place.at("a.png")).unwrap();
}

fn a_move_of_a_folder(place: &Place) {
    let deep = place.outside.join("batch/of/today");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("first.png"), &place.bytes).unwrap();
    for seed in 10..14 {
        fs::write(deep.join(format!("{seed}.png")), place.more(seed)).unwrap();
    }
    fs::rename(place.outside.join("batch"), place.at("batch")).unwrap();
}

fn a_folder_made_and_filled_at_once(place: &Place) {
    for seed in 10..15 {
        let deep = place.at(&format!("{seed}/deep/down"));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("a.png"), place.more(seed)).unwrap();
    }
    fs::create_dir_all(place.at("last/one")).unwrap();
    fs::write(place.at("last/one/a.png"), &place.bytes).unwrap();
}

/// `mv` copies, gives the copy the old time and rights while it has it open, and removes the source.
fn a_move_across_file_systems(place: &Place) {
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
}

fn a_copy(place: &Place) {
    let mut file = File::create(place.at("a.png")).unwrap();
    for part in place.parts(50) {
        file.write_all(part).unwrap();
    }
}

fn a_copy_that_keeps_the_time_after_it_was_closed(place: &Place) {
    fs::write(place.at("a.png"), &place.bytes).unwrap();
    // The file may be on its way already.
    if let Ok(file) = File::options().write(true).open(place.at("a.png")) {
        file.set_modified(long_ago()).unwrap();
    }
}

fn rsync_under_a_hidden_name(place: &Place) {
    let mut file = File::create_new(place.at(".a.png.Xy12Zw")).unwrap();
    for part in place.parts(2) {
        file.write_all(part).unwrap();
        place.pause(".a.png.Xy12Zw", PAUSE);
    }
    file.set_modified(long_ago()).unwrap();
    drop(file);
    place.pause(".a.png.Xy12Zw", PAUSE);
    fs::rename(place.at(".a.png.Xy12Zw"), place.at("a.png")).unwrap();
}

fn rsync_in_place(place: &Place) {
    let mut file = File::create(place.at("a.png")).unwrap();
    for part in place.parts(3) {
        file.write_all(part).unwrap();
        place.pause("a.png", PAUSE);
    }
    file.set_modified(long_ago()).unwrap();
    drop(file);
    let _ = File::open(place.at("a.png"));
}

/// A browser holds the final name with an empty file, and writes beside it.
fn browser(place: &Place, partial: &str) {
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
}

fn a_browser_that_names_the_download_at_the_end(place: &Place) {
    let partial = "Unconfirmed 812345.crdownload";
    let mut file = File::create(place.at(partial)).unwrap();
    for part in place.parts(2) {
        file.write_all(part).unwrap();
        place.pause(partial, PAUSE);
    }
    drop(file);
    fs::rename(place.at(partial), place.at("a.png")).unwrap();
}

/// A scanner, or a network share, opens the file anew for each part.
fn scanner(place: &Place, parts: usize, pause: Duration) {
    File::create(place.at("a.png")).unwrap();
    let parts = place.parts(parts);
    let (last, first) = parts.split_last().unwrap();
    for part in first {
        File::options().append(true).open(place.at("a.png")).unwrap().write_all(part).unwrap();
        place.pause("a.png", pause);
    }
    File::options().append(true).open(place.at("a.png")).unwrap().write_all(last).unwrap();
}

fn a_slow_writer_that_keeps_the_file_open(place: &Place) {
    let mut file = File::create(place.at("a.png")).unwrap();
    for part in place.parts(4) {
        file.write_all(part).unwrap();
        place.pause("a.png", Duration::from_millis(1200));
    }
}

fn a_file_allocated_before_it_is_written(place: &Place) {
    let mut file = File::create(place.at("a.png")).unwrap();
    rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, place.bytes.len() as u64).unwrap();
    place.pause("a.png", PAUSE);
    for part in place.parts(3) {
        file.write_all(part).unwrap();
        place.pause("a.png", PAUSE);
    }
}

fn a_file_allocated_and_closed_before_it_is_written(place: &Place) {
    let file = File::create(place.at("a.png")).unwrap();
    rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, place.bytes.len() as u64).unwrap();
    drop(file);
    place.pause("a.png", PAUSE);
    let mut file = File::options().write(true).open(place.at("a.png")).unwrap();
    for part in place.parts(3) {
        file.write_all(part).unwrap();
        place.pause("a.png", PAUSE);
    }
}

fn a_file_stretched_before_it_is_written_from_its_end(place: &Place) {
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
}

fn a_download_that_reopens_its_stretched_file_for_each_piece(place: &Place) {
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
}

fn an_unnamed_file_that_gets_a_name(place: &Place) {
    let flags = OFlags::TMPFILE | OFlags::RDWR;
    let mut file = File::from(rustix::fs::open(&place.raw, flags, Mode::from_raw_mode(0o644)).unwrap());
    let parts = place.parts(2);
    file.write_all(parts[0]).unwrap();
    let here = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
    rustix::fs::linkat(rustix::fs::CWD, here, rustix::fs::CWD, place.at("a.png"), AtFlags::SYMLINK_FOLLOW).unwrap();
    // It has its name, and is still written.
    place.pause("a.png", PAUSE);
    file.write_all(parts[1]).unwrap();
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

fn a_mapping_that_is_written_after_the_file_was_closed(place: &Place) {
    write_mapped(&place.at("a.png"), &place.parts(3), &|| place.pause("a.png", PAUSE));
}

fn a_waiting_file_that_is_touched(place: &Place) {
    let parts = place.parts(2);
    let mut file = File::create(place.at("a.png")).unwrap();
    file.write_all(parts[0]).unwrap();
    for mode in [0o600, 0o644, 0o664] {
        place.pause("a.png", PAUSE);
        fs::set_permissions(place.at("a.png"), fs::Permissions::from_mode(mode)).unwrap();
        File::open(place.at("a.png")).unwrap().set_modified(long_ago()).unwrap();
    }
    file.write_all(parts[1]).unwrap();
}

fn a_link_to_a_file_outside_is_copied_so_that_its_owner_may_write_on(place: &Place) {
    let outside = place.outside.join("own.png");
    fs::write(&outside, &place.bytes).unwrap();
    fs::hard_link(&outside, place.at("a.png")).unwrap();
    place.until_it_is_bundled();
    place.root.until("stockmill holds on to no file outside of its root", |_| outside.metadata().unwrap().nlink() == 1);
    assert_eq!(fs::read(&outside).unwrap(), place.bytes);
    // In place, as many an editor saves.
    let mut file = File::options().write(true).open(&outside).unwrap();
    file.write_all(b"the owner goes on with this file").unwrap();
}

/// What a person writes beside a picture; like no other.
fn companions(place: &Place) -> [(PathBuf, String); 3] {
    let seed = place.seed;
    let xmp = format!(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
         <rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:subject><rdf:Bag><rdf:li>xmp {seed}</rdf:li>\
         </rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"
    );
    [
        (place.at("a.txt"), format!("a prompt that belongs to {seed}")),
        (place.at("a.xmp"), xmp),
        (place.at("a.png.yaml"), format!("tags: {{title: Title {seed}, keywords: [word {seed}]}}\n")),
    ]
}

fn drop_companions(place: &Place) {
    for (path, text) in companions(place) {
        fs::write(path, text).unwrap();
    }
}

/// Waits until the row of this asset says what its companions say, and they lie with it.
fn until_its_row_says_all(place: &Place) {
    let (title, keywords) =
        (format!("Title {}", place.seed), [format!("word {}", place.seed), format!("xmp {}", place.seed)]);
    let says_all = |row: &Vec<String>| {
        row.get(1) == Some(&title) && keywords.iter().all(|word| row[2].split(',').any(|said| said == word))
    };
    place.root.until("its row says all", |root| root.csv().iter().any(says_all));
    place.root.until("they have joined it", |_| companions(place).iter().all(|(path, _)| !path.exists()));
    let [(_, prompt), (_, xmp), _] = companions(place);
    // A bundle that was sent may be deleted: all that came along is kept with the original.
    place.root.until("they are kept, and its tags lie with it", |root| {
        let has = |area: &str, text: &String| root.contents(area).iter().any(|(_, bytes)| bytes == text.as_bytes());
        has("archive", &prompt) && has("archive", &xmp) && has("upload", &xmp)
    });
}
