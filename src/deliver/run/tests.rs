#![expect(clippy::disallowed_methods, reason = "a test plays the daemon that makes bundles, and the person")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::deliver::answer::{Settled, settle};
use crate::market::built_in;
use crate::vault::ReadSeek;

const DAY: &str = "2026-11-28";
const HEADER: &str = "Filename,Title,Description,Keywords,License\r\n";

/// What a market has, and how its server behaves.
#[derive(Default)]
struct Shop {
    files: BTreeMap<String, Vec<u8>>,
    connections: usize,
    /// It refuses each connection.
    is_shut: bool,
    /// It takes away what is sent for a file of this name, once.
    takes_away: Option<String>,
    /// What somebody does when a file of this name arrives.
    meanwhile: Option<(String, PathBuf)>,
}

#[derive(Clone, Default)]
struct Door(Arc<Mutex<Shop>>);

impl Door {
    fn shop(&self) -> std::sync::MutexGuard<'_, Shop> {
        self.0.lock().unwrap()
    }

    fn connect(&self) -> Result<Box<dyn Server>, Trouble> {
        self.shop().connections += 1;
        if self.shop().is_shut {
            return Err(Trouble::new(Kind::Stop, "530 too many of you, hunter2"));
        }
        Ok(Box::new(self.clone()))
    }

    fn has(&self) -> Vec<String> {
        self.shop().files.keys().cloned().collect()
    }
}

impl Server for Door {
    fn size(&mut self, name: &str) -> Result<Option<u64>, Trouble> {
        Ok(self.shop().files.get(name).map(|bytes| bytes.len() as u64))
    }

    fn send(&mut self, name: &str, _: u64, bytes: &mut dyn ReadSeek) -> Result<(), Trouble> {
        let mut file = Vec::new();
        bytes.read_to_end(&mut file).unwrap();
        let mut shop = self.shop();
        if shop.takes_away.take_if(|taken| name.starts_with(&format!("{taken}."))).is_none() {
            shop.files.insert(name.to_owned(), file);
        }
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Trouble> {
        let mut shop = self.shop();
        let file = shop.files.remove(from).unwrap();
        if let Some((_, mark)) = shop.meanwhile.take_if(|(name, _)| name == to) {
            std::fs::write(mark, "").unwrap();
        }
        shop.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), Trouble> {
        self.shop().files.remove(name);
        Ok(())
    }

    fn overlap(&self) -> u64 {
        0
    }
}

/// A mill with a market that takes its CSV on its server.
struct Mill {
    root: tempfile::TempDir,
    order: Order,
    door: Door,
}

impl Mill {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in [".stockmill", "upload"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        let secret = root.path().join("secret");
        std::fs::write(&secret, "hunter2").unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let market = built_in().unwrap().into_iter().find(|market| market.name == "vecteezy").unwrap();
        let to = "ftps://me@shop.example/".parse().unwrap();
        let delivery = Delivery { to, host_keys: Vec::new(), ca_file: None, secret_file: Some(secret), per_host: 1 };
        Self { root, order: Order { market, delivery, bundles: Vec::new() }, door: Door::default() }
    }

    /// Makes, or changes, a bundle with manifests of these rows, each of a file.
    fn bundle(&mut self, day: &str, manifests: &[(&str, &[&str])]) -> RelPath {
        let bundle = RelPath::new(format!("upload/{day}/vecteezy")).unwrap();
        let folder = self.real(&bundle);
        std::fs::create_dir_all(folder.join("files")).unwrap();
        std::fs::create_dir_all(folder.join("sidecars")).unwrap();
        for (manifest, rows) in manifests {
            std::fs::write(folder.join(manifest), format!("{HEADER}{}", rows.concat())).unwrap();
            for name in rows.iter().map(|row| row.split(',').next().unwrap()) {
                let file = folder.join("files").join(name);
                if !file.exists() {
                    std::fs::write(file, format!("{day} {name}")).unwrap();
                    let hash = ContentHash::of(format!("{day} {name}").as_bytes()).to_string();
                    let sidecar = format!("id: '{}'\nfile: {{hash: '{hash}'}}\n", &hash[..16]);
                    std::fs::write(folder.join(format!("sidecars/{name}.yaml")), sidecar).unwrap();
                }
            }
        }
        if self.order.bundles.iter().all(|known| known.folder != bundle) {
            self.order.bundles.push(Due { folder: bundle.clone(), refused: Ok(BTreeMap::new()) });
        }
        bundle
    }

    fn real(&self, path: &RelPath) -> PathBuf {
        self.layout().real_path(path)
    }

    fn layout(&self) -> Layout {
        Layout { root: self.root.path().to_owned(), areas: [].into() }
    }

    /// Returns where something of the first bundle lies.
    fn path(&self, name: &str) -> RelPath {
        self.order.bundles[0].folder.join(name)
    }

    fn settle(&self, file: &str, settled: Settled) -> Vec<String> {
        self.settle_all(&[self.path(file)], settled)
    }

    fn settle_all(&self, files: &[RelPath], settled: Settled) -> Vec<String> {
        let now = "2026-11-28T09:00:00Z".parse().unwrap();
        settle(self.layout(), std::slice::from_ref(&self.order.market), files, settled, now, &|_| ()).unwrap()
    }

    /// Delivers; returns how many files the market got, how many files and bundles not, and what was told.
    fn deliver(&self) -> (usize, usize, String) {
        let now = || "2026-11-28T09:00:00Z".parse().unwrap();
        let told = Mutex::new(Vec::new());
        let tell = |text: String| told.lock().unwrap().push(text);
        let (log, known) = DeliveryLog::open(self.layout(), &tell).unwrap();
        let connect = |_: &Delivery, _: &str| self.door.connect();
        let Summary { delivered, left, left_bundles } =
            Run::new(Record::new(log, known, &now), &tell, &connect).deliver(std::slice::from_ref(&self.order), None);
        (delivered, left + left_bundles, told.into_inner().unwrap().join("\n"))
    }
}

const A: &str = "a.jpg,A,A,\"a,b\",Pro\r\n";
const B: &str = "b.jpg,B,B,b,Pro\r\n";
const C: &str = "c.jpg,C,C,c,Pro\r\n";

/// A model went without its parts, which are no files of the bundle's `files/`.
#[test]
fn a_model_with_parts_is_left_to_the_person() {
    // An empty folder has no parts, and no picture has some: the checklist named none, and they stayed.
    for (file, folder, part, is_sent) in [
        ("a.obj", "parts/a.obj", "m.mtl", false),
        ("a.OBJ", "parts/a.OBJ", "tex/w.png", false),
        ("a.obj", "sidecars/a.obj.parts", "m.mtl", false),
        ("a.obj", "parts/b", "m.mtl", true),
        ("a.obj", "parts/a.obj", "", true),
        ("a.obj", "parts/a.obj", "tex/", true),
        ("a.jpg", "parts/a.jpg", "m.mtl", true),
    ] {
        let mut mill = Mill::new();
        let bundle = mill.bundle(DAY, &[("vecteezy.csv", &[&A.replace("a.jpg", file)])]);
        let (below, name) = part.rsplit_once('/').unwrap_or(("", part));
        let real = mill.real(&bundle.join(folder)).join(below);
        std::fs::create_dir_all(&real).unwrap();
        if !name.is_empty() {
            std::fs::write(real.join(name), "x").unwrap();
        }
        let (_, left, told) = mill.deliver();
        let folder = format!("{folder} {part}");
        assert_eq!(left, usize::from(!is_sent), "{folder}: {told}");
        assert_eq!(mill.door.has().contains(&file.to_owned()), is_sent, "{folder}: {told}");
        let folder = folder.split(' ').next().unwrap();
        let why = format!("it has parts in `{bundle}/{folder}`, and no parts are sent: upload it with them by hand");
        assert_eq!(told.contains(&why), !is_sent, "{folder}: {told}");
    }
}

/// Each bundle with a CSV left made a login of its own, and told that nothing more goes there.
#[test]
fn a_server_that_refuses_gets_no_further_connection_for_a_manifest() {
    let mut mill = Mill::new();
    for day in 1..=9 {
        let row = A.replace("a.jpg", &format!("{day}.jpg"));
        mill.bundle(&format!("2026-11-{day:02}"), &[("vecteezy.csv", &[&row])]);
    }
    // Its files are there, its manifests are not.
    mill.order.market.delivery.csv = Accepts::Unknown;
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left), (9, 0), "{told}");
    mill.order.market.delivery.csv = Accepts::Yes;
    *mill.door.shop() = Shop { is_shut: true, ..Shop::default() };
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left, mill.door.shop().connections), (0, 9, 1), "{told}");
    assert_eq!(told.matches("nothing more goes to vecteezy in this run").count(), 1, "{told}");
    assert!(told.contains("530 too many of you, …") && !told.contains("hunter2"), "{told}");
}

/// The CSV went although a person had marked the bundle as sent while its last file went.
#[test]
fn nothing_of_a_closed_bundle_goes() {
    for (name, arrive) in [("a.jpg", vec!["a.jpg"]), ("b.jpg", vec!["a.jpg", "b.jpg"])] {
        let mut mill = Mill::new();
        let bundle = mill.bundle(DAY, &[("vecteezy.csv", &[A, B])]);
        mill.door.shop().meanwhile = Some((name.to_owned(), mill.real(&bundle.join("SENT"))));
        let (delivered, left, told) = mill.deliver();
        assert_eq!(
            (mill.door.has(), delivered, left),
            (arrive.iter().map(ToString::to_string).collect(), arrive.len(), 1)
        );
        assert!(told.contains("not delivered: its bundle was marked as sent, or taken away, meanwhile"), "{told}");
    }
}

/// The second part had the name of the first one as long as nobody could tell whether the market has that: it was held, and
/// the advice was to take the first one away.
#[test]
fn each_part_of_a_manifest_has_a_name_of_its_own() {
    let mut mill = Mill::new();
    mill.bundle(DAY, &[("vecteezy.csv", &[A, B]), ("vecteezy-2.csv", &[C])]);
    let first = format!("vecteezy-{DAY}.csv");
    mill.door.shop().takes_away = Some(first.clone());
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left), (4, 1), "{told}");
    assert!(told.contains("vecteezy.csv: not delivered: nobody can tell"), "{told}");
    assert!(told.contains(&format!("vecteezy-2.csv: delivered as `vecteezy-{DAY}-2.csv`")), "{told}");
    // The portal does not show it: it goes by the name that it had.
    assert_eq!(mill.settle("vecteezy.csv", Settled::SendAgain), [""; 0]);
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left), (1, 0), "{told}");
    assert!(told.contains(&format!("vecteezy.csv: delivered as `{first}`")), "{told}");
    let names = ["a.jpg", "b.jpg", "c.jpg", &format!("vecteezy-{DAY}-2.csv"), &first];
    assert_eq!(mill.door.has(), names);
}

/// Each run failed until the bundle was sent, and nobody could say that they know of it.
#[test]
fn a_changed_row_waits_for_the_word_of_a_person() {
    let mut mill = Mill::new();
    mill.bundle(DAY, &[("vecteezy.csv", &[A])]);
    assert_eq!(mill.deliver().0, 2);
    // A row that was never delivered goes all the same.
    mill.bundle(DAY, &[("vecteezy.csv", &["a.jpg,New,A,\"a,b\",Pro\r\n", B])]);
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left), (2, 1), "{told}");
    let word = format!("`stockmill deliver --taken upload/{DAY}/vecteezy/vecteezy.csv`. It concerns `a.jpg`");
    assert!(told.contains(&word), "{told}");
    assert!(mill.settle("vecteezy.csv", Settled::SendAgain)[0].contains("is not in doubt"));
    // The word is of what was delivered: another row still goes.
    mill.bundle(DAY, &[("vecteezy.csv", &["a.jpg,New,A,\"a,b\",Pro\r\n", B, C])]);
    assert_eq!(mill.settle("vecteezy.csv", Settled::Taken), [""; 0]);
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left), (2, 0), "{told}");
    assert!(mill.settle("vecteezy.csv", Settled::Taken)[0].contains("is not in doubt"));
    assert_eq!(mill.deliver().0, 0);
}

#[test]
fn a_row_that_is_in_doubt_goes_with_no_other_part() {
    let mut mill = Mill::new();
    mill.bundle(DAY, &[("vecteezy.csv", &[A, B])]);
    mill.door.shop().takes_away = Some(format!("vecteezy-{DAY}.csv"));
    assert_eq!(mill.deliver().0, 2);
    mill.bundle(DAY, &[("vecteezy.csv", &[A]), ("vecteezy-2.csv", &[B, C])]);
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left), (1, 2), "{told}");
    assert!(
        told.contains("vecteezy-2.csv: not delivered: a row of it went with `upload/2026-11-28/vecteezy/vecteezy.csv`")
    );
    assert_eq!(mill.settle("vecteezy.csv", Settled::Taken), [""; 0]);
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left), (1, 0), "{told}");
    assert_eq!(mill.door.shop().files[&format!("vecteezy-{DAY}-2.csv")], format!("{HEADER}{C}").into_bytes());
}

/// Of two mills with the same market and server the second CSV never went, and stood on record as delivered.
#[test]
fn what_another_mill_sent_is_not_taken_for_ours() {
    for is_ours in [false, true] {
        let mut mill = Mill::new();
        mill.bundle(DAY, &[("vecteezy.csv", &[A])]);
        let csv = format!("vecteezy-{DAY}.csv");
        let theirs = [("a.jpg", "2026-11-27 a.jpg".to_owned()), (&csv, format!("{HEADER}{}", A.replace(",A", ",B")))];
        for (there, ours) in theirs.iter().zip(["files/a.jpg", "vecteezy.csv"]) {
            mill.door.shop().files.insert(there.0.to_owned(), there.1.clone().into_bytes());
            let (delivered, left, told) = mill.deliver();
            // What is taken away there goes, and then the CSV is held.
            assert_eq!((delivered, left), (usize::from(!is_ours && ours != "files/a.jpg"), 1), "{told}");
            assert!(told.contains(&format!("{ours}: not delivered: a file of that name and size lies on the server")));
            assert!(mill.settle(ours, Settled::SendAgain)[0].contains("is not in doubt"));
            if is_ours {
                assert_eq!(mill.settle(ours, Settled::Taken), [""; 0]);
                assert!(mill.settle(ours, Settled::Taken)[0].contains("is not in doubt"));
            } else {
                mill.door.shop().files.remove(there.0);
            }
        }
        let (delivered, left, told) = mill.deliver();
        assert_eq!((delivered, left), (usize::from(!is_ours), 0), "{told}");
        assert_eq!(mill.door.shop().files[&csv] == theirs[1].1.as_bytes(), is_ours);
    }
}

/// All went again that lay in bundles which were not marked as sent.
#[test]
fn nothing_goes_again_where_the_memory_of_the_mill_is_lost() {
    let mut mill = Mill::new();
    mill.bundle(DAY, &[("vecteezy.csv", &[A])]);
    assert_eq!(mill.deliver().0, 2);
    // The market took them away from its server.
    mill.door.shop().files.clear();
    std::fs::remove_dir_all(mill.root.path().join(".stockmill")).unwrap();
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left, mill.door.has()), (0, 0, vec![]), "{told}");
    assert!(told.contains("has 0 of the 6 lines of"), "{told}");
}

/// Where both copies of the record were lost, all went again that the server did not show any more.
#[test]
fn what_the_list_says_is_delivered_does_not_go_by_an_empty_record() {
    let list = "- [x] Upload `a.jpg` (1 file) from `files/`, done by `stockmill deliver`.\n";
    // What the list says, whether a person says that it is there, and what goes.
    for (list, is_taken, goes, left) in [("", false, 3, 0), (list, false, 0, 1), (list, true, 2, 0)] {
        let mut mill = Mill::new();
        let bundle = mill.bundle(DAY, &[("vecteezy.csv", &[A, B])]);
        std::fs::write(mill.real(&bundle).join("CHECKLIST.md"), list).unwrap();
        if is_taken {
            assert_eq!(mill.settle("files/a.jpg", Settled::Taken), [""; 0]);
        }
        let (delivered, not, told) = mill.deliver();
        assert_eq!((delivered, not, told.contains("as if it was lost")), (goes, left, left > 0), "{told}");
    }
}

/// Private words and a place that another program wrote into a bundled file went to the market.
#[test]
fn only_the_bytes_that_stockmill_bundled_go() {
    let mut mill = Mill::new();
    let bundle = mill.bundle(DAY, &[("vecteezy.csv", &[A, B, C])]);
    std::fs::write(mill.real(&bundle.join("files/a.jpg")), "a.jpg with private words").unwrap();
    std::fs::write(mill.real(&bundle.join("sidecars/b.jpg.yaml")), "id: 0123456789abcdef\n").unwrap();
    for left in [2, 2] {
        let (_, found, told) = mill.deliver();
        assert_eq!((found, mill.door.has()), (left, vec!["c.jpg".to_owned()]), "{told}");
        assert!(told.contains("a.jpg: not delivered: its bytes are not those that stockmill bundled"), "{told}");
        assert!(told.contains("b.jpg: not delivered: its sidecar does not say"), "{told}");
    }
    for name in ["files/a.jpg", "files/b.jpg"] {
        assert_eq!(mill.settle(name, Settled::Taken), [""; 0]);
    }
    assert_eq!(mill.deliver().1, 0);
}

#[test]
fn what_something_speaks_against_does_not_go() {
    let mut mill = Mill::new();
    let bundle = mill.bundle(DAY, &[("vecteezy.csv", &[A, B])]);
    mill.order.bundles[0].refused = Err("a sidecar cannot be read".to_owned());
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left), (0, 1), "{told}");
    assert_eq!(told, format!("{bundle}: nothing is delivered: a sidecar cannot be read"));
    mill.order.bundles[0].refused = Ok([(bundle.join("files/a.jpg"), "nobody can tell".to_owned())].into());
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left, mill.door.has()), (1, 1, vec!["b.jpg".to_owned()]), "{told}");
    assert!(told.contains("a.jpg: not delivered: nobody can tell; mend that, or take it out of the bundle"), "{told}");
}

/// It was on record as begun, though nothing was sent of it: a file of its name and size on the server counted as delivered.
#[test]
fn a_further_file_of_an_asset_waits_for_the_word_of_a_person() {
    for settled in [Settled::SendAgain, Settled::Taken] {
        let mut mill = Mill::new();
        let bundle = mill.bundle(DAY, &[("vecteezy.csv", &[A])]);
        mill.order.market.delivery.csv = Accepts::No;
        assert_eq!(mill.deliver().0, 1);
        mill.bundle(DAY, &[("vecteezy.csv", &[A, B])]);
        let sidecar =
            |name: &str| std::fs::read_to_string(mill.real(&bundle.join(format!("sidecars/{name}.jpg.yaml"))));
        let id = |text: String| text.lines().next().unwrap().to_owned();
        let [a, b] = ["a", "b"].map(|name| sidecar(name).unwrap());
        let of_a = b.replace(&id(b.clone()), &id(a));
        std::fs::write(mill.real(&bundle.join("sidecars/b.jpg.yaml")), of_a).unwrap();
        // Of somebody else.
        mill.door.shop().files.insert("b.jpg".to_owned(), b"2026-11-28 x.jpg".to_vec());
        for _ in 0..2 {
            let (delivered, left, told) = mill.deliver();
            assert_eq!((delivered, left), (0, 1), "{told}");
            assert!(told.contains("the market got the same asset before"), "{told}");
        }
        assert_eq!(mill.settle("files/b.jpg", settled), [""; 0]);
        let (_, left, told) = mill.deliver();
        assert_eq!(left, usize::from(settled == Settled::SendAgain), "{told}");
        mill.door.shop().files.remove("b.jpg");
        let (delivered, left, told) = mill.deliver();
        assert_eq!((delivered, left), (usize::from(settled == Settled::SendAgain), 0), "{told}");
        assert!(mill.settle("files/b.jpg", Settled::SendAgain)[0].contains("is not in doubt"));
    }
}

/// With the word that the market has the CSV, the rows of files that it never got counted as delivered, and never went.
#[test]
fn a_row_counts_as_delivered_with_its_file() {
    let mut mill = Mill::new();
    mill.bundle(DAY, &[("vecteezy.csv", &[A, B])]);
    assert!(mill.settle("vecteezy.csv", Settled::Taken)[0].contains("say first which files it has"));
    // In whatever order they are named.
    let said = ["vecteezy.csv", "files/a.jpg"].map(|file| mill.path(file));
    assert_eq!(mill.settle_all(&said, Settled::Taken), [""; 0]);
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left), (2, 0), "{told}");
    assert_eq!(mill.door.shop().files[&format!("vecteezy-{DAY}.csv")], format!("{HEADER}{B}").into_bytes());
    for (file, why) in [("files/x.jpg", "has no row"), ("files/a.jpg", "is not in doubt")] {
        assert!(mill.settle(file, Settled::Taken)[0].contains(why), "{file}");
    }
    std::fs::write(mill.real(&mill.path("SENT")), "").unwrap();
    assert!(mill.settle("files/b.jpg", Settled::Taken)[0].contains("no bundle that is still to be delivered"));
}

/// The next one was `-2`, though the market's server never had a first one.
#[test]
fn rows_that_were_uploaded_by_hand_take_no_number() {
    let mut mill = Mill::new();
    mill.bundle(DAY, &[("vecteezy.csv", &[A])]);
    for file in ["files/a.jpg", "vecteezy.csv"] {
        assert_eq!(mill.settle(file, Settled::Taken), [""; 0]);
    }
    mill.bundle(DAY, &[("vecteezy.csv", &[A, B])]);
    let (delivered, left, told) = mill.deliver();
    assert_eq!((delivered, left), (2, 0), "{told}");
    assert_eq!(mill.door.has(), ["b.jpg", &format!("vecteezy-{DAY}.csv")]);
}
