#![expect(clippy::disallowed_methods, reason = "a test makes a mill")]

use std::collections::BTreeMap;

use super::*;
use crate::deliver::contents::Item;
use crate::model::{MarketName, RelPath};
use crate::vault::{DeliveryLog, Layout, RealDisk};

/// What a server does at one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The connection ends after so many bytes of a file.
    CutAfter(u64),
    /// All bytes arrive, and the connection ends before the answer.
    CutAnswer,
    /// There is no room for more than so many bytes.
    FullAfter(u64),
    /// It makes a file of each name, and refuses its bytes.
    TakesNothing,
    /// It refuses to rename.
    NoRename,
    /// Somebody else takes the file's name just before it is renamed.
    NameTaken,
    /// The connection ends before the renaming, or behind it.
    CutBeforeRename,
    CutAfterRename,
    /// It takes whole files away at once.
    TakesAway,
    /// It takes away, or does not show, files under any name.
    HidesAll,
    /// Of each file it keeps one byte.
    KeepsOne,
    /// It says that it renames, and does not.
    RenameLies,
    /// It refuses to remove anything.
    KeepsAll,
}

#[derive(Default)]
struct Fake<'a> {
    files: BTreeMap<String, Vec<u8>>,
    faults: Vec<Fault>,
    /// What the market got: whole files under their own names.
    got: Vec<Vec<u8>>,
    /// How many times a file was sent.
    sent: usize,
    /// What happens elsewhere while a file is sent.
    meanwhile: Option<&'a (dyn Fn() + Sync)>,
}

impl Fake<'_> {
    /// Takes a fault that comes once.
    fn once(&mut self, is_it: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let at = self.faults.iter().position(is_it)?;
        Some(self.faults.remove(at))
    }

    fn cut<T>() -> Result<T, Trouble> {
        Err(Trouble::new(Kind::Cut, "cut"))
    }

    fn take_away(&mut self, name: &str) {
        self.got.push(self.files[name].clone());
        if self.faults.contains(&Fault::TakesAway) {
            self.files.remove(name);
        }
    }
}

impl Server for Fake<'_> {
    fn size(&mut self, name: &str) -> Result<Option<u64>, Trouble> {
        let is_hidden = self.faults.contains(&Fault::HidesAll);
        Ok(self.files.get(name).filter(|_| !is_hidden).map(|bytes| bytes.len() as u64))
    }

    fn send(&mut self, name: &str, from: u64, bytes: &mut dyn ReadSeek) -> Result<(), Trouble> {
        self.sent += 1;
        if let Some(meanwhile) = self.meanwhile {
            meanwhile();
        }
        let fault = self.once(|fault| matches!(fault, Fault::CutAfter(_) | Fault::CutAnswer | Fault::FullAfter(_)));
        let room = match fault {
            Some(Fault::CutAfter(room) | Fault::FullAfter(room)) => room,
            _ => u64::MAX,
        };
        let file = self.files.entry(name.to_owned()).or_default();
        if self.faults.contains(&Fault::TakesNothing) {
            return Err(Trouble::new(Kind::Refused, "failure"));
        }
        file.truncate(usize::try_from(from).unwrap());
        bytes.take(room).read_to_end(file).unwrap();
        match fault {
            Some(Fault::CutAfter(_)) => return Self::cut(),
            Some(Fault::FullAfter(_)) => return Err(Trouble::new(Kind::Full, "full")),
            _ => (),
        }
        if self.faults.contains(&Fault::KeepsOne) {
            self.files.get_mut(name).unwrap().truncate(1);
        }
        if !name.ends_with(".part") {
            self.take_away(name);
        }
        if fault.is_some() { Self::cut() } else { Ok(()) }
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Trouble> {
        if self.faults.contains(&Fault::NoRename) {
            return Err(Trouble::new(Kind::Refused, "no"));
        }
        if self.once(|fault| *fault == Fault::NameTaken).is_some() {
            self.files.insert(to.to_owned(), b"else".to_vec());
            return Err(Trouble::new(Kind::Refused, "failure"));
        }
        if self.once(|fault| *fault == Fault::CutBeforeRename).is_some() {
            return Self::cut();
        }
        if self.faults.contains(&Fault::RenameLies) {
            return Ok(());
        }
        let bytes = self.files.remove(from).unwrap();
        self.files.insert(to.to_owned(), bytes);
        self.take_away(to);
        if self.once(|fault| *fault == Fault::CutAfterRename).is_some() { Self::cut() } else { Ok(()) }
    }

    fn remove(&mut self, name: &str) -> Result<(), Trouble> {
        if self.faults.contains(&Fault::KeepsAll) {
            return Err(Trouble::new(Kind::Refused, "no"));
        }
        self.files.remove(name);
        Ok(())
    }

    fn overlap(&self) -> u64 {
        2
    }
}

/// However the connection breaks, and whether or not the program is killed at that point, the market gets a file once, and
/// the same bytes; or nobody can tell, and that is said.
#[test]
fn a_file_arrives_once_or_it_is_told_that_nobody_can_tell() {
    use Fault::{CutAfter, CutAfterRename, CutAnswer, CutBeforeRename, FullAfter, NoRename, TakesAway};
    // What goes wrong, how many attempts it takes, and whether nobody can tell in the end.
    let rows: [(&[Fault], usize, bool); 14] = [
        (&[], 1, false),
        (&[TakesAway], 1, false),
        (&[CutAfter(0)], 2, false),
        (&[CutAfter(5), CutAfter(1)], 3, false),
        (&[FullAfter(7)], 2, false),
        (&[CutAnswer], 2, false),
        (&[CutBeforeRename], 2, false),
        (&[CutAfterRename], 2, false),
        (&[CutBeforeRename, TakesAway], 2, false),
        (&[CutAfterRename, TakesAway], 2, true),
        (&[NoRename], 1, false),
        (&[NoRename, TakesAway], 1, false),
        (&[CutAnswer, NoRename, TakesAway], 2, false),
        (&[CutAfter(3), NoRename], 2, false),
    ];
    for (faults, attempts, is_in_doubt) in rows {
        for is_killed in [false, true] {
            let mill = Mill::new();
            let mut server = Fake { faults: faults.to_vec(), ..Fake::default() };
            let (tries, outcome) = mill.deliver(&mut server, is_killed);
            let what = format!("{faults:?}, killed: {is_killed}");
            assert_eq!(tries, attempts, "{what}");
            assert_eq!(server.got, [BYTES.to_vec()], "{what}");
            match outcome {
                Outcome::Delivered => assert!(!is_in_doubt, "{what}"),
                Outcome::Held(why) => assert!(is_in_doubt && why.contains("nobody can tell"), "{what}: {why}"),
            }
            assert!(server.files.keys().all(|name| name == "a.jpg"), "{what}: {:?}", server.files.keys());
        }
    }
}

/// Under its own name a file may be taken as soon as it is whole: one that was cut was not, and is continued.
#[test]
fn a_server_that_refuses_to_rename_gets_files_under_their_own_names() {
    use Fault::{CutAfter, CutAnswer, NoRename, TakesAway};
    let rows: [(&[Fault], usize, bool); 4] = [
        (&[CutAfter(4)], 2, false),
        (&[CutAfter(4), CutAfter(4)], 3, false),
        (&[CutAnswer], 2, false),
        (&[CutAnswer, TakesAway], 2, true),
    ];
    for (faults, attempts, is_in_doubt) in rows {
        let mill = Mill::new();
        let mut server = Fake { faults: [faults, &[NoRename]].concat(), ..Fake::default() };
        mill.record().no_rename(TO).unwrap();
        // Sent before another connection found that out.
        server.files.insert(mill.temporary(), BYTES.to_vec());
        let (tries, outcome) = mill.deliver(&mut server, true);
        assert_eq!((tries, outcome == Outcome::Delivered), (attempts, !is_in_doubt), "{faults:?}");
        assert_eq!(server.got, [BYTES.to_vec()], "{faults:?}");
        assert!(server.files.keys().all(|name| name == "a.jpg"), "{faults:?}: {:?}", server.files.keys());
    }
}

/// A file of another mill, of the same name and size, was taken for one that was delivered.
#[test]
fn what_lies_there_is_never_replaced_nor_taken_for_ours() {
    for (theirs, told) in [("of somebody else", "another file of that name"), ("0123456780", "whether it is this one")]
    {
        let mill = Mill::new();
        let mut server = Fake::default();
        server.files.insert("a.jpg".to_owned(), theirs.into());
        let (_, outcome) = mill.deliver(&mut server, false);
        assert!(matches!(&outcome, Outcome::Held(why) if why.contains(told)), "{outcome:?}");
        assert_eq!((&server.files["a.jpg"][..], server.sent), (theirs.as_bytes(), 0));
    }
}

/// Such a server kept an empty file for each one that was tried.
#[test]
fn of_what_a_server_does_not_take_no_empty_file_stays() {
    for naming in [Naming::Renamed, Naming::Direct] {
        let mill = Mill::new();
        let record = mill.record();
        if naming == Naming::Direct {
            record.no_rename(TO).unwrap();
        }
        let mut server = Fake { faults: vec![Fault::TakesNothing], ..Fake::default() };
        let trouble = deliver_one(&mut server, TO, &mill.parcel(), &record, &mut 0).unwrap_err();
        assert_eq!((trouble.kind, server.files.len()), (Kind::NotTaken, 0), "{naming:?}: {trouble}");
    }
}

/// The file that was sent and taken away again for that was taken for one that the market perhaps has.
#[test]
fn another_connection_finds_that_the_server_does_not_rename() {
    let mill = Mill::new();
    let record = mill.record();
    let meanwhile = || record.no_rename(TO).unwrap();
    let mut server = Fake { meanwhile: Some(&meanwhile), ..Fake::default() };
    assert_eq!(deliver_one(&mut server, TO, &mill.parcel(), &record, &mut 0), Ok(Outcome::Delivered));
    assert_eq!((server.files.len(), &server.files["a.jpg"][..]), (1, BYTES));
}

/// Writes into a file, so many seconds after 1970.
fn write_at(file: &std::path::Path, bytes: &[u8], time_s: u64) {
    std::fs::write(file, bytes).unwrap();
    let file = std::fs::File::options().write(true).open(file).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(time_s)).unwrap();
}

/// Bytes that nobody had looked at went, and stood on record as those that were bundled.
#[test]
fn a_file_that_is_written_into_while_it_is_sent_is_taken_away_again() {
    for naming in [Naming::Renamed, Naming::Direct] {
        let mill = Mill::new();
        let record = mill.record();
        if naming == Naming::Direct {
            record.no_rename(TO).unwrap();
        }
        let parcel = mill.parcel();
        let file = mill.0.path().join("upload/d/m/files/a.jpg");
        let meanwhile = || write_at(&file, b"private 10", 1);
        let mut server = Fake { meanwhile: Some(&meanwhile), ..Fake::default() };
        let trouble = deliver_one(&mut server, TO, &parcel, &record, &mut 0).unwrap_err();
        assert_eq!((trouble.kind, server.files.len()), (Kind::Ours, 0), "{naming:?}: {trouble}");
        assert!(trouble.what.contains("while it was sent"), "{trouble}");
    }
}

/// Of each version of a file that was changed after it was cut, its part lay on the server for ever.
#[test]
fn of_bytes_that_are_no_more_no_part_stays() {
    for is_killed in [false, true] {
        let mill = Mill::new();
        let mut record = mill.record();
        let file = mill.0.path().join("upload/d/m/files/a.jpg");
        let others = "a.jpg.0123456789abcdef.part".to_owned();
        let mut server = Fake { files: [(others.clone(), b"of others".to_vec())].into(), ..Fake::default() };
        for (time_s, cut) in [(1, 3), (2, 0), (3, 6)] {
            server.faults.push(Fault::CutAfter(cut));
            write_at(&file, BYTES, time_s);
            deliver_one(&mut server, TO, &mill.parcel(), &record, &mut 0).unwrap_err();
            assert_eq!(server.files.len(), 2, "{time_s}: {:?}", server.files.keys());
            if is_killed {
                drop(record);
                record = mill.record();
            }
        }
        // What lies there of the last one is continued, and what others sent stays.
        assert_eq!(deliver_one(&mut server, TO, &mill.parcel(), &record, &mut 0), Ok(Outcome::Delivered));
        assert_eq!(server.files.into_keys().collect::<Vec<_>>(), ["a.jpg".to_owned(), others]);
    }
}

/// Where the server did not take it away, the next run went on behind bytes of both, or took them for delivered.
#[test]
fn a_file_that_was_written_into_and_put_back_is_not_continued() {
    for naming in [Naming::Renamed, Naming::Direct] {
        let mill = Mill::new();
        let record = mill.record();
        if naming == Naming::Direct {
            record.no_rename(TO).unwrap();
        }
        let file = mill.0.path().join("upload/d/m/files/a.jpg");
        let meanwhile = || write_at(&file, b"private 10", 1);
        let mut server = Fake { meanwhile: Some(&meanwhile), faults: vec![Fault::KeepsAll], ..Fake::default() };
        deliver_one(&mut server, TO, &mill.parcel(), &record, &mut 0).unwrap_err();
        assert_eq!(server.files.len(), 1, "{naming:?}");
        server.meanwhile = None;
        write_at(&file, BYTES, 2);
        let outcome = deliver_one(&mut server, TO, &mill.parcel(), &record, &mut 0).unwrap();
        let is_held = matches!(outcome, Outcome::Held(_));
        assert_eq!(is_held, naming == Naming::Direct, "{outcome:?}");
        assert_eq!(server.got.iter().filter(|got| *got != BYTES).count(), usize::from(is_held), "{naming:?}");
    }
}

/// One name that was taken in that moment had all further files sent under their own names.
#[test]
fn a_name_that_somebody_took_says_nothing_of_the_server() {
    let mill = Mill::new();
    let mut server = Fake { faults: vec![Fault::NameTaken], ..Fake::default() };
    let record = mill.record();
    let outcome = deliver_one(&mut server, TO, &mill.parcel(), &record, &mut 0).unwrap();
    assert!(matches!(&outcome, Outcome::Held(why) if why.contains("another file of that name")), "{outcome:?}");
    assert_eq!(record.naming(TO), Naming::Renamed);
    assert_eq!(server.files["a.jpg"], b"else");
}

const BYTES: &[u8] = b"0123456789";
const TO: &str = "sftp://me@host:22/";

struct Mill(tempfile::TempDir);

impl Mill {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(".stockmill")).unwrap();
        std::fs::create_dir_all(root.path().join("upload/d/m/files")).unwrap();
        std::fs::write(root.path().join("upload/d/m/files/a.jpg"), BYTES).unwrap();
        Self(root)
    }

    fn layout(&self) -> Layout {
        Layout { root: self.0.path().to_owned(), areas: [].into() }
    }

    fn record(&self) -> Record<'static> {
        let (log, known) = DeliveryLog::open(self.layout(), &|_| ()).unwrap();
        Record::new(log, known, &|| "2026-11-28T09:00:00Z".parse().unwrap())
    }

    fn parcel(&self) -> Parcel {
        let path = RelPath::new("upload/d/m/files/a.jpg").unwrap();
        let seen = RealDisk::open_to_look(self.layout()).stat(&path).unwrap().unwrap().identity;
        let hash = ContentHash::of(BYTES);
        Parcel { market: MarketName::recorded("m"), item: Item { path, seen }, hash, asset: None, instead: None }
    }

    fn temporary(&self) -> String {
        let parcel = self.parcel();
        temporary("a.jpg", &parcel, &parcel.hash, parcel.item.seen.modified_ns)
    }

    /// Delivers the file as often as it takes; returns the number of attempts. After a kill, only what is on the disk is
    /// known.
    fn deliver(&self, server: &mut Fake<'_>, is_killed: bool) -> (usize, Outcome) {
        let parcel = self.parcel();
        let mut record = self.record();
        for attempt in 1..10 {
            match deliver_one(server, TO, &parcel, &record, &mut 0) {
                Ok(outcome) => return (attempt, outcome),
                Err(_) if is_killed => {
                    drop(record);
                    record = self.record();
                }
                Err(_) => (),
            }
        }
        panic!("it never ends");
    }
}

/// Such servers got each file eight times in each run, or none, and the run said that all was delivered.
#[test]
fn what_does_not_lie_there_as_it_was_sent_is_no_success() {
    // What the server does, how many times a file is sent, and what is told.
    let rows = [
        (Fault::HidesAll, 1, "nobody can tell"),
        (Fault::KeepsOne, 2, "it was sent 2 times, and 1 of its"),
        (Fault::RenameLies, 1, "the server says that it renamed it, and did not"),
    ];
    for (fault, sent, told) in rows {
        let mill = Mill::new();
        let mut server = Fake { faults: vec![fault], ..Fake::default() };
        let said = match deliver_one(&mut server, TO, &mill.parcel(), &mill.record(), &mut 0) {
            Ok(Outcome::Held(why)) => why,
            Err(trouble) => trouble.to_string(),
            other => panic!("{fault:?}: {other:?}"),
        };
        assert!(said.contains(told) && server.sent == sent, "{fault:?}: {said}, sent {} times", server.sent);
    }
}
