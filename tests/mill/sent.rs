//! What was sent, and what markets answered.

use std::fs;
use std::path::PathBuf;

use super::{NOTE, Root, picture};

const COLUMNS: [&str; 2] = ["--columns", "file=Filename,verdict=Status,reason=Why"];

/// Returns a root with one picture in a bundle, and the bundle's folder.
fn with_bundle() -> (Root, PathBuf) {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let bundle = root.bundled()[0].parent().unwrap().parent().unwrap().to_owned();
    (root, bundle)
}

fn day_of(bundle: &std::path::Path) -> String {
    bundle.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned()
}

/// Has a picture with these tags go to the market and be refused there; returns the folder of its bundle.
fn refused(root: &Root, tags: &str, name: &str) -> PathBuf {
    fs::create_dir(root.at("raw/winter-cabins")).unwrap();
    fs::write(root.at("raw/winter-cabins/tags.yaml"), tags).unwrap();
    fs::write(root.at("raw/winter-cabins").join(name), picture(1, 100)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let bundle = root.bundled()[0].parent().unwrap().parent().unwrap().to_owned();
    assert!(root.call(&["sent", bundle.to_str().unwrap()]).status.success());
    let list = root.at("list.csv");
    fs::write(&list, "Filename,Status,Why\nwinter-cabins-0001.jpg,Rejected,noise\n").unwrap();
    assert!(root.call(&["verdicts", list.to_str().unwrap(), COLUMNS[0], COLUMNS[1]]).status.success());
    bundle
}

/// What went to a market was forgotten with its bundle: nobody could tell whether it was sold.
#[test]
fn what_was_sent_stays_known_when_its_bundle_is_gone() {
    let (root, bundle) = with_bundle();
    let name = format!("{}/adobe-stock", day_of(&bundle));
    let said = root.text(&["sent", &name]);
    assert!(
        said.contains(&format!("upload/{name}: recorded that 1 file went to adobe-stock; nothing in it")),
        "{said}"
    );
    assert!(bundle.join("SENT").exists() && !root.log().contains("ERROR"), "{}", root.log());
    let again = root.text(&["sent", bundle.to_str().unwrap()]);
    assert!(again.contains("it is on record as sent already"), "{again}");
    let file = root.bundled().pop().unwrap();
    let history = root.text(&["history", file.to_str().unwrap()]);
    let sent = format!("sent to adobe-stock: upload/{name}/files/winter-cabins-0001.jpg");
    assert!(history.lines().last().unwrap().contains(&sent), "{history}");
    let explained = root.text(&["explain", file.to_str().unwrap()]);
    assert!(explained.contains(&format!("market   {sent}")), "{explained}");

    fs::remove_dir_all(&bundle).unwrap();
    fs::write(root.at("raw/winter-cabins/again.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    assert!(root.call(&["release", "raw", "--anyway"]).status.success());
    assert!(root.once().status.success());
    assert!(root.call(&["release", "upload", "--anyway"]).status.success());
    assert!(root.once().status.success());
    let status = root.text(&["status"]);
    assert!(root.bundled().is_empty() && status.contains("it was sent as `upload/"), "{status}");
    // Its name is not given again.
    fs::write(root.at("raw/winter-cabins/b.png"), picture(2, 100)).unwrap();
    assert!(root.once().status.success());
    assert!(root.bundled()[0].to_str().unwrap().contains("/adobe-stock-2/files/"), "{:?}", root.bundled());
}

#[test]
fn what_cannot_be_recorded_as_sent_is_told() {
    let (root, bundle) = with_bundle();
    let day = day_of(&bundle);
    let refused = |name: &str, told: &str| {
        let output = root.call(&["sent", name]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(told), "{name}: {said}");
        assert!(!bundle.join("SENT").exists(), "{name}");
    };
    refused(&format!("{day}/other"), "there is no such bundle");
    refused(&format!("{day}/adobe-stock-2"), "there is no such bundle");
    refused("winter-cabins/adobe-stock", "it is no bundle; one is a folder `upload/DAY/MARKET`");
    refused("/etc", "`/etc` names no bundle; write its folder");
    let (name, stranger) = (format!("{day}/adobe-stock"), bundle.join("files/stranger.jpg"));
    fs::write(&stranger, "x").unwrap();
    refused(&name, "1 file in it without a row in its CSV, the first is `stranger.jpg`");
    fs::remove_file(&stranger).unwrap();
    let record = bundle.join("sidecars/winter-cabins-0001.jpg.yaml");
    let text = fs::read(&record).unwrap();
    fs::write(&record, "id: [").unwrap();
    refused(&name, "nobody can tell which asset `upload/");
    fs::remove_file(&record).unwrap();
    refused(&name, "is not there; put it back");
    fs::write(&record, text).unwrap();
    // A row without its file froze with the CSV, and the picture went again later.
    let (file, away) = (bundle.join("files/winter-cabins-0001.jpg"), root.at("away.jpg"));
    fs::rename(&file, &away).unwrap();
    refused(&name, "1 row in its CSV without a file, the first is `winter-cabins-0001.jpg`; stockmill takes it out");
    fs::rename(&away, &file).unwrap();
    assert!(root.call(&["sent", &name]).status.success());
}

/// It was on record nowhere, and nobody was told.
#[test]
fn a_row_without_its_file_in_a_bundle_that_is_marked_by_hand_is_told() {
    let (root, bundle) = with_bundle();
    fs::write(root.at("raw/winter-cabins/b.png"), picture(2, 100)).unwrap();
    assert!(root.once().status.success());
    let (first, second) = (root.bundled()[0].clone(), root.bundled()[1].clone());
    fs::remove_file(&second).unwrap();
    fs::write(bundle.join("SENT"), "").unwrap();
    assert!(root.once().status.success());
    let name = second.file_name().unwrap().to_str().unwrap();
    let told = format!(
        "Recorded that 1 file went to adobe-stock; its CSV has 1 row without a file, the first is `{name}`: that is not \
         recorded"
    );
    assert!(root.log().contains(&told), "{}", root.log());
    // What was sent and is deleted later is nothing to tell.
    fs::remove_file(&first).unwrap();
    let status = root.text(&["status"]);
    let day = day_of(&bundle);
    let line = format!("bundle   upload/{day}/adobe-stock: 0 files, sent; 1 row in its CSV without a file\n");
    assert!(status.contains(&line), "{status}");
    let why =
        format!("upload/{day}/adobe-stock/files/{name}: the CSV that was sent has a row of it, and it did not lie");
    assert!(status.contains("In a CSV that was sent, without a file:\n") && status.contains(&why), "{status}");
}

/// A bundle that is moved to those that were sent was taken for one that is gone, and its files for a theme's.
#[test]
fn a_bundle_that_is_moved_to_those_that_were_sent_is_on_record() {
    let (root, bundle) = with_bundle();
    let day = day_of(&bundle);
    let moved = root.at(&format!("upload/sent/{day}/adobe-stock"));
    fs::create_dir_all(moved.parent().unwrap()).unwrap();
    fs::rename(&bundle, &moved).unwrap();
    fs::write(root.at("upload/sent/x.jpg"), picture(3, 100)).unwrap();
    fs::write(root.at("raw/winter-cabins/b.png"), picture(2, 100)).unwrap();
    assert!(root.once().status.success());
    let log = root.log();
    assert_eq!(log.matches("Recorded that 1 file went to adobe-stock").count(), 1, "{log}");
    let status = root.text(&["status"]);
    assert!(status.contains(&format!("bundle   upload/sent/{day}/adobe-stock: 1 file, sent\n")), "{status}");
    assert!(status.contains("upload/sent/x.jpg: `upload/sent` is for bundles that were sent"), "{status}");
    assert!(status.contains(&format!("bundle   upload/{day}/adobe-stock-2: 1 file\n")), "{status}");
    let file = moved.join("files/winter-cabins-0001.jpg");
    let explained = root.text(&["explain", file.to_str().unwrap()]);
    assert!(explained.contains("is       bundled, and its bundle was sent"), "{explained}");
    assert!(root.call(&["verify"]).status.success(), "{}", root.text(&["verify"]));
    // What comes again is a copy of it, before and after a restart.
    fs::write(root.at("raw/winter-cabins/again.png"), picture(1, 100)).unwrap();
    root.once();
    assert!(root.at("failed/raw/winter-cabins/again.png").exists(), "{:?}", root.files());

    fs::rename(&moved, &bundle).unwrap();
    assert!(root.once().status.success());
    assert!(root.log().contains("Recorded that it was not sent after all"), "{}", root.log());
    assert!(root.text(&["status"]).contains(&format!("bundle   upload/{day}/adobe-stock: 1 file\n")));
}

/// The theme's name is that of the folder of what was sent.
#[test]
fn a_theme_that_is_called_sent_waits_before_upload_with_words() {
    let root = Root::new();
    fs::create_dir_all(root.at("raw/sent")).unwrap();
    fs::write(root.at("raw/sent/tags.yaml"), "title: A letter\nkeywords: [letter, post, paper, mail, desk]\n").unwrap();
    fs::write(root.at("raw/sent/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let status = root.text(&["status"]);
    assert!(status.contains("it would go to `upload/sent`, which is for bundles that were sent"), "{status}");
    assert!(!root.at("upload/sent").exists());
}

#[test]
fn a_running_daemon_records_what_was_sent_and_answered() {
    let (root, bundle) = with_bundle();
    let daemon = root.run();
    root.until("it listens", |root| root.text(&["status"]).contains("daemon   running"));
    let said = root.text(&["sent", &format!("{}/adobe-stock", day_of(&bundle))]);
    assert!(said.contains("recorded that 1 file went to adobe-stock"), "{said}");
    fs::write(root.at("list.csv"), "Filename,Status,Why\nwinter-cabins-0001.jpg,Approved,\n").unwrap();
    let list = root.at("list.csv");
    let answered = root.text(&["verdicts", list.to_str().unwrap(), COLUMNS[0], COLUMNS[1]]);
    assert!(answered.contains("recorded what adobe-stock answered about 1 file: 1 accepted, 0 refused"), "{answered}");
    daemon.signal("-TERM");
    daemon.ends_well();
    let journal = fs::read_to_string(root.at(".stockmill/journal/000001.jsonl")).unwrap();
    assert_eq!((journal.matches(r#""dealing":{"sent""#).count(), journal.matches(r#""answered""#).count()), (1, 1));
}

/// What a market refused could never go there again, mended or not.
#[test]
fn what_was_refused_goes_again_once_it_is_mended_and_not_before() {
    let (root, bundle) = with_bundle();
    let list = root.at("list.csv");
    let import = |text: &str| {
        fs::write(&list, text).unwrap();
        root.text(&["verdicts", list.to_str().unwrap(), COLUMNS[0], COLUMNS[1]])
    };
    let said = import("Filename,Status,Why\nwinter-cabins-0001.jpg,Rejected,noise\n");
    assert!(said.contains("line 2: `winter-cabins-0001.jpg` is on record in no bundle that went there"), "{said}");
    assert!(said.ends_with("nothing of the list is recorded: the lines above say why\n"), "{said}");
    assert!(root.call(&["sent", bundle.to_str().unwrap()]).status.success());
    // The mark took the second row for a part of the reason, and the first one was recorded.
    let said = import("Filename,Status,Why\nwinter-cabins-0001.jpg,Rejected,\"noise\nx.jpg,Approved,\n");
    assert!(said.contains("line 2: a cell begins there with a quotation mark that nothing closes"), "{said}");
    let refused = "\u{feff}filename;STATUS;Why\r\nwinter-cabins-0001.jpg;Rejected;noise\r\nx.jpg;Approved;\r\nwinter-cabins-0001.jpg;maybe;\r\n";
    let said = import(refused);
    assert!(said.contains("line 4: `maybe` is no verdict that is known (accepted, "), "{said}");
    assert!(said.contains("line 3: `x.jpg` is on record in no bundle"), "{said}");
    assert!(said.contains("answered about 1 file: 0 accepted, 1 refused"), "{said}");
    let journal = || fs::read(root.at(".stockmill/journal/000001.jsonl")).unwrap();
    let before = journal();
    let said = import("Filename\tStatus\tWhy\nwinter-cabins-0001.jpg\tRejected\tnoise\nnew.jpg\tPending\t\n");
    assert!(
        said == "on record already as the list says: 1 file\nNot answered yet: 1 file.\n" && journal() == before,
        "{said}"
    );
    let status = root.text(&["status"]);
    let counts = "1 sent, 0 in review, 0 accepted, 1 refused (0 of 1 accepted, 0 %)\n";
    assert!(status.contains(&format!("answers  adobe-stock: {counts}answers    winter-cabins: {counts}")), "{status}");
    assert!(
        root.text(&["history", root.bundled()[0].to_str().unwrap()])
            .contains("refused (noise) by adobe-stock: upload/")
    );

    // Dropped again as it was, it stays; with other tags it goes, once.
    fs::write(root.at("raw/winter-cabins/again.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let status = root.text(&["status"]);
    assert!(
        root.bundled().len() == 1 && status.contains("(noise), and would get the same again; change its"),
        "{status}"
    );
    let tags = root.at("raw/winter-cabins/tags.yaml");
    fs::write(&tags, fs::read_to_string(&tags).unwrap().replace("title: Winter cabins", "title: Snowed in")).unwrap();
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 2, "{}\n{}", root.text(&["status"]), root.log());
    assert!(
        root.log().contains("undled again, since its picture or its tags were mended, for adobe-stock"),
        "{}",
        root.log()
    );
    fs::write(root.at("raw/winter-cabins/third.png"), picture(1, 100)).unwrap();
    root.once();
    assert!(root.at("failed/raw/winter-cabins/third.png").exists(), "{:?}", root.files());
    assert_eq!(root.bundled().len(), 2, "{:?}", root.files());
}

/// Its bytes stayed the same, and the only way out was the market's portal.
#[test]
fn what_was_refused_for_its_category_goes_again_once_that_is_mended() {
    for is_dropped_again in [true, false] {
        let (root, bundle) = with_bundle();
        let categorise = |category: u32| {
            let tags = "title: Winter cabins\nkeywords: [snow, cabin, winter, forest, lake]\ncategory: {adobe-stock: ";
            fs::write(root.at("raw/winter-cabins/tags.yaml"), format!("{tags}{category}}}\n")).unwrap();
            assert!(root.once().status.success(), "{}", root.log());
        };
        let csv = || fs::read_to_string(bundle.join("adobe-stock.csv")).unwrap();
        categorise(1);
        assert!(csv().contains(",1,"), "{}", csv());
        assert!(root.call(&["sent", bundle.to_str().unwrap()]).status.success());
        let list = root.at("list.csv");
        fs::write(&list, "Filename,Status,Why\nwinter-cabins-0001.jpg,Rejected,category\n").unwrap();
        assert!(root.text(&["verdicts", list.to_str().unwrap(), COLUMNS[0], COLUMNS[1]]).contains("1 refused"));
        let explained = root.text(&["explain", root.bundled()[0].to_str().unwrap()]);
        assert!(explained.contains("refused it: change its tags or the file itself; tags stand in"), "{explained}");
        if is_dropped_again {
            fs::write(root.at("raw/winter-cabins/again.png"), picture(1, 100)).unwrap();
        } else {
            fs::remove_file(bundle.join("SENT")).unwrap();
        }
        root.once();
        let status = root.text(&["status"]);
        assert!(
            status.contains(": change its tags or the file itself") || status.contains("; change its tags"),
            "{status}"
        );
        assert!(root.bundled().len() == 1 && csv().contains(",1,") == is_dropped_again, "{}", csv());

        categorise(11);
        let (status, verified) = (root.text(&["status"]), root.text(&["verify"]));
        let goes = if is_dropped_again { root.bundled().len() == 2 } else { csv().contains(",11,") };
        assert!(goes && !status.contains("change its tags"), "{is_dropped_again}: {status}\n{}", root.log());
        assert!(!verified.contains("refused"), "{verified}");
        // What is mended and lies in a bundle again is not to be mended.
        for file in root.bundled().iter().filter(|_| is_dropped_again) {
            let explained = root.text(&["explain", file.to_str().unwrap()]);
            assert!(!explained.contains("refused it: change"), "{explained}");
        }
        if is_dropped_again {
            // Its CSV says what went, and not what its tags say by now.
            let tags = fs::read_to_string(root.at("raw/winter-cabins/tags.yaml")).unwrap();
            fs::write(root.at("raw/winter-cabins/tags.yaml"), tags.replace("adobe-stock: 11", "adobe-stock: 1"))
                .unwrap();
            let further = root.bundled()[1].ancestors().nth(2).unwrap().to_owned();
            let sent = root.text(&["sent", further.to_str().unwrap()]);
            assert!(sent.contains("1 file"), "{sent}");
        }
    }
}

/// It was counted as ready, and that its market had refused it was told only once it was held.
#[test]
fn what_shows_only_once_it_is_made_is_told_before() {
    let settle = "settle: {quiet_ms: 0, weak_quiet_ms: 0, notes_quiet_s: 0}\n";
    let root = Root::with(&format!("keep: {{method: lanczos, min_megapixels: 0.04}}\n{settle}"));
    refused(&root, "title: Winter cabin\nkeywords: [snow, cabin, winter, forest, lake]\n", "a.png");
    fs::write(root.at("raw/winter-cabins/again.png"), picture(1, 100)).unwrap();
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), format!("{settings}export: {{quality: 80}}\n")).unwrap();
    let status = root.text(&["status"]);
    let told = "(noise), and gets it again only if its bytes are not those that were refused, which shows once it is made; \
                change its tags or the file itself: raw/winter-cabins/again.png";
    assert!(status.contains("  1 file: adobe-stock refused it as `upload/") && status.contains(told), "{status}");
}

/// Its other bundles were named one after the other, and there was no way past that of a market which had left the settings.
#[test]
fn what_was_refused_goes_again_once_its_other_bundles_are_sent_or_given_up() {
    let markets = ["adobe-stock", "123rf", "vecteezy"];
    let settings = "keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock, 123rf, vecteezy]}\n";
    let root = Root::with(settings);
    for market in &markets[1..] {
        let text = fs::read_to_string(format!("config/markets/{market}.yaml")).unwrap();
        fs::write(
            root.at(&format!("markets/{market}.yaml")),
            text.replace("megapixels: {min: 4,", "megapixels: {min: 0.01,")
                .replace("megapixels: {min: 6,", "megapixels: {min: 0.01,"),
        )
        .unwrap();
    }
    let tag = |title: &str| {
        let tags =
            format!("title: {title}\ndescription: {title}\nkeywords: [city, night, rain, neon, car, light, street]\n");
        fs::write(root.at("raw/city/tags.yaml"), tags).unwrap();
    };
    fs::create_dir(root.at("raw/city")).unwrap();
    tag("A city at night");
    fs::write(root.at("raw/city/a.png"), picture(1, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let of = |market: &str| {
        let of = root.bundled().into_iter().filter(|file| file.to_string_lossy().contains(&format!("/{market}")));
        of.collect::<Vec<PathBuf>>()
    };
    assert_eq!(markets.map(|market| of(market).len()), [1, 1, 1], "{}", root.log());
    let folder = |market: &str| of(market)[0].parent().unwrap().parent().unwrap().to_owned();
    assert!(root.call(&["sent", folder("adobe-stock").to_str().unwrap()]).status.success());
    let list = root.at("list.csv");
    fs::write(&list, "Filename,Status,Why\ncity-0001.jpg,Rejected,noise\n").unwrap();
    let said = root.text(&["verdicts", list.to_str().unwrap(), "--market", "adobe-stock", COLUMNS[0], COLUMNS[1]]);
    assert!(said.contains("1 refused"), "{said}");

    let now = fs::read_to_string(root.at("stockmill.yaml")).unwrap().replace(", vecteezy]", "]");
    fs::write(root.at("stockmill.yaml"), now).unwrap();
    tag("A city in the rain");
    fs::write(root.at("raw/city/again.png"), picture(1, 220)).unwrap();
    root.once();
    let why = fs::read_to_string(root.at("failed/raw/city/again.png.reason.txt")).unwrap();
    let told = |market: &str| {
        let file = of(market)[0].strip_prefix(&root.path).unwrap().to_owned();
        why.contains(&format!("`{}`", file.display()))
    };
    assert!(why.contains("adobe-stock refused it") && told("123rf") && told("vecteezy"), "{why}");

    // What it says is done.
    assert!(root.call(&["sent", folder("123rf").to_str().unwrap()]).status.success());
    fs::remove_file(&of("vecteezy")[0]).unwrap();
    assert!(root.call(&["retry"]).status.success());
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(markets.map(|market| of(market).len()), [2, 1, 0], "{}\n{}", root.text(&["status"]), root.log());
}

/// In the archive an original has a name that it was given. That gave other words to its title, and what was refused went
/// again as it was, with its bundle and without it.
#[test]
fn an_original_from_the_archive_is_what_was_refused() {
    for (stage, is_bundle_gone) in [("raw", false), ("keep", false), ("raw", true)] {
        let root = Root::new();
        let tags = "title: 'Winter cabin, {original|words}'\nkeywords: [snow, cabin, winter, forest, lake]\n";
        let bundle = refused(&root, tags, "red fox.png");
        if is_bundle_gone {
            fs::remove_dir_all(&bundle).unwrap();
        }
        let name = "winter-cabins/winter-cabins-0001.png";
        fs::create_dir_all(root.at(stage).join("winter-cabins")).unwrap();
        fs::copy(root.at("archive").join(name), root.at(stage).join(name)).unwrap();
        root.once();
        let (bundled, status) = (root.bundled().len(), root.text(&["status"]));
        assert_eq!(bundled, usize::from(!is_bundle_gone), "{stage} {is_bundle_gone}: {status}");
        assert!(status.contains("(noise), and would get the same again"), "{stage} {is_bundle_gone}: {status}");
    }
}

/// It counted twice in `status`, and nobody could tell any more which of both a list meant.
#[test]
fn what_was_answered_counts_once_when_its_bundle_is_sent_again() {
    let (root, bundle) = with_bundle();
    let list = root.at("list.csv");
    fs::write(&list, "Filename,Status,Why\nwinter-cabins-0001.jpg,Rejected,noise\n").unwrap();
    let import = || root.text(&["verdicts", list.to_str().unwrap(), COLUMNS[0], COLUMNS[1]]);
    let send = || assert!(root.call(&["sent", bundle.to_str().unwrap()]).status.success());
    send();
    assert!(import().contains("0 accepted, 1 refused"));
    fs::remove_file(bundle.join("SENT")).unwrap();
    assert!(root.once().status.success());
    send();
    let status = root.text(&["status"]);
    assert!(status.contains("answers  adobe-stock: 1 sent, 0 in review, 0 accepted, 1 refused"), "{status}");
    assert_eq!(import(), "on record already as the list says: 1 file\n");
    // A market that left the settings may answer still, and change its mind; one that nobody knows may not.
    fs::write(root.at("stockmill.yaml"), "upload: {markets: [dreamstime]}\n").unwrap();
    fs::write(&list, "Filename,Status,Why\nwinter-cabins-0001.jpg,Approved,\n").unwrap();
    let of =
        |market: &str| root.text(&["verdicts", list.to_str().unwrap(), "--market", market, COLUMNS[0], COLUMNS[1]]);
    assert!(of("no-shop").contains("no profile `markets/no-shop.yaml` is there; it names dreamstime\n"));
    assert!(of("adobe-stock").contains("1 accepted, 0 refused; 1 of them in place of another answer\n"));
}
