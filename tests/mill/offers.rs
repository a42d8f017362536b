//! What a market did not take on the day that a file was bundled, it gets later by itself, and never twice.

use jiff::ToSpan as _;

use super::*;

const TWO: &str = "keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock, 123rf]}\n";

/// Lets markets take the small pictures of tests.
fn take_small(root: &Root, markets: &[&str]) {
    for market in markets {
        let text = fs::read_to_string(format!("config/markets/{market}.yaml")).unwrap();
        let text = text.replace("megapixels: {min: 4,", "megapixels: {min: 0.01,");
        let text = text.replace("megapixels: {min: 6,", "megapixels: {min: 0.01,");
        fs::write(root.at(&format!("markets/{market}.yaml")), text).unwrap();
    }
}

fn tag(root: &Root, keywords: &str) {
    fs::create_dir_all(root.at("raw/city")).unwrap();
    fs::write(root.at("raw/city/tags.yaml"), format!("title: A city at night\nkeywords: [{keywords}]\n")).unwrap();
}

/// Returns how many files each bundle of a market has.
fn counts(root: &Root, markets: &[&str]) -> Vec<usize> {
    let of = |market: &&str| {
        let part = format!("/{market}/files/");
        root.bundled().iter().filter(|file| file.to_string_lossy().contains(&part)).count()
    };
    markets.iter().map(of).collect()
}

fn mark_sent(root: &Root, market: &str) {
    let csv = root.files().into_iter().find(|name| name.ends_with(&format!("/{market}.csv"))).unwrap();
    fs::write(root.at(&csv).with_file_name("SENT"), "").unwrap();
}

/// What one market refused while another took it was never offered again.
#[test]
fn a_market_gets_what_it_takes_by_now() {
    let root = Root::with(TWO);
    let markets = ["adobe-stock", "123rf", "magnific"];
    take_small(&root, &markets[1..]);
    tag(&root, "city, night");
    fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(counts(&root, &markets), [1, 0, 0], "{}", root.log());
    let first = root.bundled();
    let before = fs::read(&first[0]).unwrap();
    mark_sent(&root, "adobe-stock");

    // A market that is new in the settings does not get what was sent before.
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), settings.replace("123rf]", "123rf, magnific]")).unwrap();
    tag(&root, "city, night");
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(counts(&root, &markets), [1, 0, 0], "{}", root.log());

    // It was to get this from the start.
    tag(&root, "city, night, street, rain, neon, car, light");
    let plan = root.text(&["plan"]);
    assert!(plan.contains("for 123rf of") && plan.contains("/123rf/files/city-0001.jpg\n"), "{plan}");
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(counts(&root, &markets[..2]), [1, 1], "{}", root.log());
    let plan = root.text(&["plan"]);
    assert!(plan.starts_with("There is nothing to do"), "{plan}");
    assert_eq!(fs::read(&first[0]).unwrap(), before, "what was sent was changed");
    let log = root.log();
    assert!(log.contains("; other markets got it before. stage=\"upload\""), "{log}");
    let csv = root.files().into_iter().find(|name| name.ends_with("/123rf.csv")).unwrap();
    assert!(fs::read_to_string(root.at(&csv)).unwrap().contains("street"), "{csv}");
    let counted = counts(&root, &markets);
    for _ in 0..2 {
        assert!(root.once().status.success());
        assert_eq!(counts(&root, &markets), counted, "{}", root.log());
    }
    assert!(root.text(&["verify"]).contains("all is as it should be"), "{}", root.text(&["verify"]));

    tag(&root, "city, night, street, rain, neon, car, lamp");
    let plan = root.text(&["plan"]);
    assert!(plan.contains("tags changed after it was bundled; embedded anew\n"), "{plan}");
    assert!(plan.contains("/123rf/123rf.csv\n") && !plan.contains("adobe-stock"), "{plan}");
}

/// Whoever did as told found the original set aside, since the bundle of another market had it still.
#[test]
fn what_was_deleted_from_a_bundle_goes_there_again_as_release_says() {
    for (is_sent, expected) in [(false, [1, 1]), (true, [1, 0])] {
        let root = Root::with(TWO);
        take_small(&root, &["123rf"]);
        let markets = ["adobe-stock", "123rf"];
        tag(&root, "city, night, street, rain, neon, car, light");
        let dropped = picture(1, 220);
        fs::write(root.at("raw/city/x.png"), &dropped).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        assert_eq!(counts(&root, &markets), [1, 1], "{}", root.log());
        if is_sent {
            mark_sent(&root, "123rf");
            assert!(root.once().status.success(), "{}", root.log());
        }
        let said = root.text(&["release", "upload"]);
        assert!(said.contains("Where bundles of other markets have it, too, delete it there as well"), "{said}");
        root.bundled().iter().for_each(|file| fs::remove_file(file).unwrap());
        assert!(root.once().status.success(), "{}", root.log());
        fs::write(root.at("raw/city/again.png"), &dropped).unwrap();
        for stage in ["raw", "upload"] {
            assert!(root.once().status.success(), "{}", root.log());
            assert!(root.call(&["release", stage, "--anyway"]).status.success(), "{}", root.log());
        }
        assert!(root.once().status.success(), "{}", root.log());
        assert_eq!(counts(&root, &markets), expected, "{}", root.log());
    }
}

/// What was undone is not done again by itself.
#[test]
fn an_offer_can_be_undone_and_stays_so() {
    let root = Root::with(TWO);
    take_small(&root, &["123rf"]);
    let markets = ["adobe-stock", "123rf"];
    tag(&root, "city, night");
    fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    mark_sent(&root, "adobe-stock");
    tag(&root, "city, night, street, rain, neon, car, light");
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(counts(&root, &markets), [1, 1], "{}", root.log());
    let offered = root.bundled().into_iter().find(|file| file.to_string_lossy().contains("123rf")).unwrap();
    let undone = root.text(&["undo", offered.to_str().unwrap()]);
    for _ in 0..2 {
        assert!(root.once().status.success());
        assert_eq!(counts(&root, &markets), [1, 0], "{undone} {}", root.log());
    }
}

/// The only original left `archive` while another bundle had what was made of it, and was set aside to be deleted.
#[test]
fn what_another_bundle_got_later_keeps_the_original_in_the_archive() {
    let root = Root::with(TWO);
    take_small(&root, &["123rf"]);
    tag(&root, "city, night");
    fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let first = root.bundled()[0].clone();
    tag(&root, "city, night, street, rain, neon, car, light");
    assert!(root.once().status.success(), "{}", root.log());
    let later = root.bundled().into_iter().find(|file| *file != first).unwrap();
    let refused = root.call(&["undo", first.to_str().unwrap()]);
    assert!(!refused.status.success() && root.at("archive/city/city-0001.png").exists(), "{}", root.log());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("was made of it later; take that back first"));
    for file in [later, first] {
        let undone = root.call(&["undo", file.to_str().unwrap()]);
        assert!(undone.status.success(), "{}", String::from_utf8_lossy(&undone.stderr));
    }
    assert!(root.at("raw/city/x.png").exists() && root.bundled().is_empty(), "{}", root.log());
}

/// Each of both alone did no harm. Together they let a file go to its market once more, from the bundle of another one.
#[test]
fn what_a_market_may_have_already_waits_when_neither_journal_nor_sidecar_tell() {
    for (is_sent, is_lost) in [(true, false), (false, false), (true, true), (false, true)] {
        let root = Root::with(TWO);
        take_small(&root, &["123rf"]);
        tag(&root, "city, night, street, rain, neon, car, light");
        fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        if is_sent {
            mark_sent(&root, "adobe-stock");
            assert!(root.once().status.success(), "{}", root.log());
        }
        // The market and the name of each bundled file; a day may end meanwhile.
        let bundled = || -> Vec<String> {
            let files = root.bundled().into_iter().map(|file| {
                let parts: Vec<&str> = file.iter().rev().filter_map(|part| part.to_str()).collect();
                format!("{} {}", parts[2].trim_end_matches("-2"), parts[0])
            });
            files.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
        };
        let record = root.sidecars().into_iter().find(|name| name.contains("/adobe-stock/")).unwrap();
        let text = fs::read(root.at(&record)).unwrap();
        if is_lost {
            fs::remove_file(root.at(&record)).unwrap();
        } else {
            fs::write(root.at(&record), "id: [").unwrap();
        }
        fs::remove_dir_all(root.at(".stockmill")).unwrap();
        fs::write(root.at("raw/city/y.png"), picture(2, 220)).unwrap();
        for _ in 0..2 {
            root.once();
            let expected = ["123rf city-0001.jpg", "123rf city-0002.jpg", "adobe-stock city-0001.jpg"];
            assert_eq!(bundled(), expected, "sent {is_sent}, lost {is_lost}: {}", root.log());
            assert_eq!(root.bundled().len(), 3);
        }
        let told = "adobe-stock gets it later: it may have this already: nobody can tell which asset `upload/";
        assert!(root.log().contains(told), "{}", root.log());
        fs::write(root.at(&record), text).unwrap();
        root.once();
        let all = root.bundled().len();
        assert!(all == 4 && bundled().len() == 4, "sent {is_sent}: {:?} {}", root.bundled(), root.log());
    }
}

/// Its row left the CSV without a word of `status`, and what the checklist advised ended nowhere.
#[test]
fn a_bundled_file_whose_sidecar_is_gone_keeps_its_row_and_is_told() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\n");
    tag(&root, "city, night, street, rain, neon, car, light");
    (0..2).for_each(|n| fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap());
    assert!(root.once().status.success(), "{}", root.log());
    let (before, record) =
        (root.csv(), root.bundled()[0].ancestors().nth(2).unwrap().join("sidecars/city-0001.jpg.yaml"));
    let text = fs::read(&record).unwrap();
    fs::remove_file(&record).unwrap();
    for _ in 0..2 {
        root.once();
        assert_eq!(root.csv(), before, "{}", root.log());
        let status = root.text(&["status"]);
        let told = "/sidecars/city-0001.jpg.yaml` is not there; put it back, or take the file out of its bundle";
        assert!(status.contains(told), "{status}");
        let explained = root.text(&["explain", root.bundled()[0].to_str().unwrap()]);
        assert!(explained.contains(told) && !explained.contains("did not put it here"), "{explained}");
    }
    fs::write(&record, text).unwrap();
    assert!(root.once().status.success());
    assert!(root.csv() == before && !root.text(&["status"]).contains("is not there; put it back"), "{}", root.log());
}

/// What a market has no room for waits for that market alone, and goes there once there is room.
#[test]
fn a_market_gets_no_more_than_its_limit_and_the_rest_later() {
    let root = Root::with(
        "keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock, 123rf], limits: {adobe-stock: {at_most: 2}}}\n",
    );
    let markets = ["adobe-stock", "123rf"];
    take_small(&root, &markets[1..]);
    tag(&root, "city, night, street, rain, neon, car, light");
    (0..3).for_each(|n| fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap());
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(counts(&root, &markets), [2, 3], "{}", root.log());
    let log = root.log();
    let told = "adobe-stock gets it later: it has 2 files of today, which is its limit in `upload.limits`; there is room again on ";
    assert!(log.contains(told), "{log}");
    // A bundle that was sent has had its day, too.
    mark_sent(&root, "adobe-stock");
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &markets), [2, 3], "{}", root.log());
    // What waits for it is told also once the bundle is sent in which it lies.
    mark_sent(&root, "123rf");
    let status = root.text(&["status"]);
    assert!(status.contains(told), "{status}");
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), settings.replace("at_most: 2", "at_most: 3")).unwrap();
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &["adobe-stock", "adobe-stock-2", "123rf"]), [2, 1, 3], "{}", root.log());
}

/// A model that one market had no room for never went there, though the log promised it; and nothing told of parts that were
/// deleted from its bundle.
#[test]
fn a_model_goes_to_a_further_market_as_long_as_its_parts_are_there() {
    let limits = |most: u32| {
        format!(
            "keep: {{method: none}}\nupload: {{markets: [adobe-stock, 123rf], limits: {{123rf: {{at_most: {most}}}}}}}\n"
        )
    };
    let root = Root::with(&limits(1));
    let adobe = fs::read_to_string(root.at("markets/adobe-stock.yaml"))
        .or_else(|_| fs::read_to_string("config/markets/adobe-stock.yaml"))
        .unwrap();
    for market in ["adobe-stock", "123rf"] {
        let text = adobe.replace("name: adobe-stock", &format!("name: {market}"));
        let text = text.replace("kinds: [jpeg", "kinds: [obj, stl, blend, jpeg");
        fs::write(root.at(&format!("markets/{market}.yaml")), text).unwrap();
    }
    tag(&root, "city, night, street, rain, neon, car, light");
    for name in ["a", "b", "c"] {
        fs::write(root.at(&format!("raw/city/{name}.obj")), format!("mtllib {name}.mtl\nv 0 0 0\n# {name}\n")).unwrap();
        fs::write(root.at(&format!("raw/city/{name}.mtl")), format!("newmtl {name}\n")).unwrap();
    }
    assert!(root.once().status.success(), "{}", root.log());
    let markets = ["adobe-stock", "123rf"];
    assert_eq!(counts(&root, &markets), [3, 1], "{}", root.log());
    let gone = root.files().into_iter().find(|name| name.ends_with("adobe-stock/parts/c.obj/c.mtl")).unwrap();
    fs::remove_file(root.at(&gone)).unwrap();
    fs::write(root.at("stockmill.yaml"), limits(9)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(counts(&root, &markets), [3, 2], "{}", root.log());
    let has = |ending: &str| root.files().iter().any(|name| name.ends_with(ending));
    assert!(has("/123rf/parts/b.obj/b.mtl") && !has("/123rf/files/c.obj"), "{:?}", root.files());
    // Who looks is told what is missing, and where it is kept.
    let told = "it names `c.mtl` (kept as `archive/city/";
    let list = root.files().into_iter().find(|name| name.ends_with("adobe-stock/CHECKLIST.md")).unwrap();
    let list = fs::read_to_string(root.at(&list)).unwrap();
    let model = root.files().into_iter().find(|name| name.ends_with("adobe-stock/files/c.obj")).unwrap();
    for text in [list, root.text(&["status"]), root.text(&["explain", root.at(&model).to_str().unwrap()])] {
        assert!(text.contains(told), "{text}");
    }
    let verified = String::from_utf8(root.call(&["verify"]).stdout).unwrap();
    assert!(
        verified.contains(&format!("{gone}: missing (a part that `{model}` names); copy it there from")),
        "{verified}"
    );
    // Nor has it a row, so that nobody uploads or delivers it without.
    let csv = root.files().into_iter().find(|name| name.ends_with("/adobe-stock.csv")).unwrap();
    let has_row = || fs::read_to_string(root.at(&csv)).unwrap().contains("c.obj");
    assert!(!has_row(), "{}", root.log());
    fs::write(root.at(&gone), "newmtl c\n").unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(counts(&root, &markets), [3, 3], "{}", root.log());
    assert!(has_row(), "{}", root.log());
}

/// Whom all markets keep waiting waits in `upload`, and `explain` says until when.
#[test]
fn who_has_room_nowhere_waits_and_is_let_go_by_a_word() {
    let root =
        Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nupload: {limits: {adobe-stock: {at_most: 1}}}\n");
    tag(&root, "city, night");
    (0..2).for_each(|n| fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap());
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(counts(&root, &["adobe-stock"]), [1], "{}", root.log());
    let waits =
        root.files().into_iter().find(|name| name.starts_with("upload/city/") && name.ends_with(".jpg")).unwrap();
    let explained = root.text(&["explain", root.at(&waits).to_str().unwrap()]);
    assert!(explained.contains("there is room again on "), "{explained}");
    let status = root.text(&["status"]);
    let told = format!("  {waits}: adobe-stock gets it later: it has 1 file of today");
    assert!(status.contains(&told) && !status.contains("held by the gate"), "{status}");
    assert!(root.call(&["release", "upload", "--anyway"]).status.success());
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &["adobe-stock"]), [2], "{}", root.log());
}

/// What goes first is chosen where not all may go, and the time to come is told by the same rules.
#[test]
fn the_most_urgent_goes_first_and_the_rest_is_foretold() {
    let root = Root::with(
        "keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock, shutterstock], order: priority, limits: {adobe-stock: {at_most: 1}}}\n",
    );
    for (theme, priority) in [("aurora", 3), ("zebra", 1), ("meadow", 2)] {
        fs::create_dir_all(root.at(&format!("raw/{theme}"))).unwrap();
        let tags = format!("title: A {theme} in summer\nkeywords: [{theme}, summer]\npriority: {priority}\n");
        fs::write(root.at(&format!("raw/{theme}/tags.yaml")), tags).unwrap();
        fs::write(root.at(&format!("raw/{theme}/x.png")), picture(priority, 220)).unwrap();
    }
    assert!(root.once().status.success(), "{}", root.log());
    let bundled = root.bundled();
    assert!(bundled.len() == 1 && bundled[0].to_string_lossy().contains("zebra"), "{bundled:?} {}", root.log());
    let until = |days: i64| {
        let day = jiff::ZonedDateTime::now().date().checked_add(days.days()).unwrap();
        let text = root.text(&["plan", "--until", &day.to_string(), "--json"]);
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let leaves = |json: &serde_json::Value| -> Vec<String> {
        let leaves = json["leaves"].as_array().unwrap().iter();
        leaves.map(|leaf| leaf["file"].as_str().unwrap().split('/').nth(1).unwrap().to_owned()).collect()
    };
    // One of them each day from tomorrow on; a test that begins before midnight may end behind it.
    let found = until(3);
    assert_eq!(leaves(&found), ["meadow", "aurora"], "{found}");
    assert_eq!(found["unmade"], 0, "{found}");
    let day = jiff::ZonedDateTime::now().date();
    let told = root.text(&["plan", "--until", &day.tomorrow().unwrap().to_string()]);
    assert!(told.contains("  upload/meadow/") && told.contains("as if each bundle"), "{told}");
    // Who does not get what waits was not told.
    let refused =
        "aurora-0001.jpg, upload/meadow/meadow-0001.jpg: shutterstock refuses it: it takes no work made by AI\n";
    assert!(told.contains(refused), "{told}");
    assert_eq!(found["not_for"][0]["files"].as_array().map(Vec::len), Some(2), "{found}");
    // A day that is past was accepted, and told as if it were to come.
    let output = root.call(&["plan", "--until", "2020-01-01"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("`2020-01-01` is past, today is "), "{said}");
}

/// A bundle that was moved to those that were sent: what lies in it lost its theme, and was offered without a tag; and the
/// day's limit did not know of it.
#[test]
fn a_bundle_that_was_moved_keeps_its_themes_and_has_had_its_day() {
    let root = Root::with(
        "keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock, 123rf], limits: {adobe-stock: {at_most: 2}}}\n",
    );
    let markets = ["adobe-stock", "123rf"];
    take_small(&root, &markets[1..]);
    tag(&root, "city, night");
    (0..2).for_each(|n| fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap());
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(counts(&root, &markets), [2, 0], "{}", root.log());
    let bundle = root.bundled()[0].parent().unwrap().parent().unwrap().to_owned();
    let day = root.at("upload/sent").join(bundle.parent().unwrap().file_name().unwrap());
    fs::create_dir_all(&day).unwrap();
    fs::rename(&bundle, day.join("adobe-stock")).unwrap();
    fs::write(root.at("raw/city/late.png"), picture(7, 220)).unwrap();
    tag(&root, "city, night, street, rain, neon, car, light");
    for _ in 0..2 {
        assert!(root.once().status.success(), "{}", root.log());
    }
    let bundled = root.bundled();
    let of_later: Vec<_> = bundled.iter().filter(|file| file.to_string_lossy().contains("/123rf/files/")).collect();
    assert!(
        of_later.len() == 3 && of_later.iter().all(|file| file.to_string_lossy().contains("/city-")),
        "{bundled:?}"
    );
    let csv = root.files().into_iter().find(|name| name.ends_with("/123rf.csv")).unwrap();
    assert_eq!(fs::read_to_string(root.at(&csv)).unwrap().matches("neon").count(), 3);
    assert!(!bundled.iter().any(|file| file.to_string_lossy().contains("/adobe-stock-2/")), "{}", root.log());
    assert!(root.log().contains("it has 2 files of today, which is its limit"), "{}", root.log());
}

/// Returns a root in which `123rf` takes one file a day, and fewer bytes than `adobe-stock`: with two pictures in the bundle
/// of that, and one in the other. Also returns how many bytes it takes.
fn with_one_that_needs_its_own() -> (Root, u64) {
    let mill = |[adobe, other]: [&str; 2]| {
        let root = Root::with(
            "keep: {method: lanczos, min_megapixels: 0.06}\nupload: {markets: [adobe-stock, 123rf], limits: {123rf: {at_most: 1}}}\n",
        );
        for (market, bytes) in [("adobe-stock", adobe), ("123rf", other)] {
            let profile = fs::read_to_string(format!("config/markets/{market}.yaml")).unwrap();
            let before = profile.lines().find(|line| line.starts_with("bytes: ")).unwrap();
            let profile = profile.replace(before, &format!("bytes: {{{bytes}}}"));
            let profile = profile.replace("megapixels: {min: 4,", "megapixels: {min: 0.01,");
            fs::write(root.at(&format!("markets/{market}.yaml")), profile.replace("{min: 6,", "{min: 0.01,")).unwrap();
        }
        tag(&root, "city, night, street, rain, neon, car, light");
        for n in 0..2 {
            fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap();
            assert!(root.once().status.success(), "{}", root.log());
        }
        root
    };
    let any = "min: 1, max: 45000000";
    let shared = mill([any; 2]);
    let least = shared.bundled().iter().map(|file| fs::metadata(file).unwrap().len()).min().unwrap();
    let most = least * 8 / 10;
    let root = mill([&format!("min: {}, max: 45000000", least * 9 / 10), &format!("min: 1, max: {most}")]);
    assert_eq!(counts(&root, &["adobe-stock", "123rf"]), [2, 1], "{}", root.log());
    (root, most)
}

fn raise_the_limit(root: &Root) {
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), settings.replace("at_most: 1", "at_most: 2")).unwrap();
}

/// What waited for room at a market that needs a file of its own was never offered there again; that it was owed was told by
/// the log alone.
#[test]
fn an_offer_makes_a_file_of_its_own_for_a_market_that_needs_one() {
    let (root, most) = with_one_that_needs_its_own();
    let file = root.bundled().into_iter().find(|file| file.ends_with("adobe-stock/files/city-0002.jpg")).unwrap();
    let explained = root.text(&["explain", file.to_str().unwrap()]);
    let told = "owed     123rf gets it later: it has 1 file of today, which is its limit in `upload.limits`; there is \
                room again on ";
    assert!(explained.contains(told), "{explained}");
    let tomorrow = jiff::ZonedDateTime::now().date().tomorrow().unwrap().to_string();
    let foretold: serde_json::Value =
        serde_json::from_str(&root.text(&["plan", "--until", &tomorrow, "--json"])).unwrap();
    let leaves = &foretold["leaves"][0];
    assert!(leaves["file"].as_str().is_some_and(|leaf| file.ends_with(leaf)), "{foretold}");
    assert_eq!((&leaves["markets"], &foretold["leaves"][1]), (&serde_json::json!(["123rf"]), &serde_json::Value::Null));

    raise_the_limit(&root);
    let status = root.text(&["status"]);
    assert!(status.contains("123rf would take it now, and gets it when the daemon looks at its bundle"), "{status}");
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &["adobe-stock", "123rf"]), [2, 2], "{}", root.log());
    let own = root.bundled().into_iter().find(|file| file.ends_with("123rf/files/city-0002.jpg")).unwrap();
    let bytes = fs::metadata(&own).unwrap().len();
    assert!(bytes <= most && fs::metadata(&file).unwrap().len() > most, "{bytes} {most}");
    let record = own.parent().unwrap().with_file_name("sidecars").join("city-0002.jpg.yaml");
    let record = fs::read_to_string(record).unwrap();
    assert!(record.contains(&format!("sRGB 1 to {most} bytes")), "{record}");
    assert!(!root.text(&["explain", file.to_str().unwrap()]).contains("owed "));
    assert!(root.text(&["verify"]).contains("all is as it should be"), "{}", root.text(&["verify"]));
}

/// What cannot be made for a market stays where it is, and everybody who asks is told why.
#[test]
fn an_offer_whose_file_cannot_be_made_waits_with_the_reason() {
    let (root, _) = with_one_that_needs_its_own();
    let original = root.at("archive/city/city-0002.png");
    let away = root.outside().join("city-0002.png");
    fs::rename(&original, &away).unwrap();
    raise_the_limit(&root);
    assert!(root.once().status.success());
    let markets = ["adobe-stock", "123rf"];
    assert_eq!(counts(&root, &markets), [2, 1], "{}", root.log());
    let why = "it cannot be made again, since its original is not in the archive";
    assert_eq!(root.log().matches(why).count(), 1, "{}", root.log());
    let file = root.bundled().into_iter().find(|file| file.ends_with("adobe-stock/files/city-0002.jpg")).unwrap();
    let explained = root.text(&["explain", file.to_str().unwrap()]);
    assert!(explained.contains("owed     123rf refuses it: ") && explained.contains(why), "{explained}");
    let tomorrow = jiff::ZonedDateTime::now().date().tomorrow().unwrap().to_string();
    let foretold = root.text(&["plan", "--until", &tomorrow]);
    assert!(foretold.contains("1 file in bundles: not for 123rf: ") && foretold.contains(why), "{foretold}");

    fs::rename(&away, &original).unwrap();
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &markets), [2, 2], "{}", root.log());
}

/// What another program said of a picture was lost for the market that got it later: that had the theme's tags alone.
#[test]
fn an_offer_brings_the_xmp_that_came_with_the_picture() {
    for is_moved in [false, true] {
        let root = Root::with(
            "keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock, 123rf], limits: {123rf: {at_most: 1}}}\n",
        );
        take_small(&root, &["123rf"]);
        tag(&root, "city, night, street, rain, neon, car, light");
        fs::write(root.at("raw/city/a.png"), picture(2, 220)).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        let xmp = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
                   <rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title><rdf:Alt>\
                   <rdf:li xml:lang='x-default'>A tram in the rain</rdf:li></rdf:Alt></dc:title></rdf:Description>\
                   </rdf:RDF></x:xmpmeta>";
        fs::write(root.at("raw/city/x.xmp"), xmp).unwrap();
        fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        assert_eq!(counts(&root, &["adobe-stock", "123rf"]), [2, 1], "{}", root.log());
        if is_moved {
            let bundle = root.bundled().pop().unwrap().parent().unwrap().parent().unwrap().to_owned();
            let day = root.at("upload/sent").join(bundle.parent().unwrap().file_name().unwrap());
            fs::create_dir_all(&day).unwrap();
            fs::rename(&bundle, day.join("adobe-stock")).unwrap();
        }
        raise_the_limit(&root);
        for _ in 0..2 {
            assert!(root.once().status.success(), "{}", root.log());
        }
        let own = root.bundled().into_iter().find(|file| file.ends_with("123rf/files/city-0002.jpg")).unwrap();
        let meta = stockmill::craft::embedded_xmp(&fs::read(&own).unwrap(), stockmill::model::Kind::Jpeg).unwrap();
        let title = stockmill::craft::read_xmp(&meta).unwrap().title;
        assert_eq!(title.as_deref(), Some("A tram in the rain"), "{}", root.log());
        let csv = root.files().into_iter().find(|name| name.ends_with("/123rf.csv")).unwrap();
        assert!(fs::read_to_string(root.at(&csv)).unwrap().contains("A tram in the rain"), "{csv}");
        assert!(!root.log().contains("mbedded anew"), "{}", root.log());
        let explained = root.text(&["explain", own.to_str().unwrap()]);
        assert!(explained.contains("A tram in the rain (foreign xmp)"), "{explained}");
    }
}

/// Returns a root in which no bytes suit all markets: two pictures are in the bundle of `123rf`, whose own file is small and
/// has a short name. The other markets have the first one and take one a day. Also returns how many bytes `123rf` takes.
fn with_two_that_are_full() -> (Root, u64) {
    let mill = |bytes: [&str; 3]| {
        let root = Root::with(
            "keep: {method: lanczos, min_megapixels: 0.06}\nupload: {markets: [123rf, adobe-stock, magnific], limits: {adobe-stock: {at_most: 1}, magnific: {at_most: 1}}}\n",
        );
        for (market, bytes) in ["123rf", "adobe-stock", "magnific"].into_iter().zip(bytes) {
            let profile = fs::read_to_string(format!("config/markets/{market}.yaml")).unwrap();
            let lines = profile.lines().map(|line| match line {
                _ if line.starts_with("bytes: ") => format!("bytes: {{{bytes}}}"),
                _ if market == "123rf" && line.starts_with("file_name: ") => {
                    "file_name: {chars_max: 10, charset: alphanumeric}".to_owned()
                }
                _ if line.starts_with("megapixels: ") => "megapixels: {min: 0.01, max: 100}".to_owned(),
                _ if line.starts_with("edge: ") => "edge: {min: 100, max: 10000}".to_owned(),
                _ => line.to_owned(),
            });
            fs::write(root.at(&format!("markets/{market}.yaml")), lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
        }
        tag(&root, "city, night, street, rain, neon, car, light");
        for n in 0..2 {
            fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap();
            assert!(root.once().status.success(), "{}", root.log());
        }
        root
    };
    let any = "min: 1, max: 45000000";
    let finished = mill([any; 3]);
    let least = finished.bundled().iter().map(|file| fs::metadata(file).unwrap().len()).min().unwrap();
    let (most, magnific) = (least * 8 / 10, format!("min: {}, max: 45000000", least * 9 / 10));
    let root = mill([&format!("min: 1, max: {most}"), any, &magnific]);
    assert_eq!(counts(&root, &["123rf", "adobe-stock", "magnific"]), [2, 1, 1], "{}", root.log());
    (root, most)
}

fn raise(root: &Root, market: &str) {
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    let (full, has_room) = (format!("{market}: {{at_most: 1}}"), format!("{market}: {{at_most: 2}}"));
    fs::write(root.at("stockmill.yaml"), settings.replace(&full, &has_room)).unwrap();
}

/// A market that had room later got the file that another one has for its limits of bytes, under the short name of that.
#[test]
fn an_offer_is_never_made_of_the_own_file_of_another_market() {
    let (root, most) = with_two_that_are_full();
    let markets = ["123rf", "adobe-stock", "magnific"];
    let at = |market: &str| {
        let end = format!("{market}/files/city-0002.jpg");
        root.bundled().into_iter().find(|file| file.ends_with(&end)).unwrap_or_else(|| panic!("{}", root.log()))
    };
    // Without the original nobody can make it, and that is told.
    let (original, away) = (root.at("archive/city/city-0002.png"), root.outside().join("city-0002.png"));
    fs::rename(&original, &away).unwrap();
    raise(&root, "magnific");
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &markets), [2, 1, 1], "{}", root.log());
    let why = "the limits of that one alone; it cannot be made again, since its original is not in the archive";
    assert_eq!(root.log().matches(why).count(), 1, "{}", root.log());

    fs::rename(&away, &original).unwrap();
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &markets), [2, 1, 2], "{}", root.log());
    let second = fs::metadata(at("magnific")).unwrap().len();
    assert!(second > most, "{second} {most}");
    assert!(
        root.log().contains("ncoded anew from the original for its limits of bytes, and bundled for magnific"),
        "{}",
        root.log()
    );
    assert!(root.text(&["verify"]).contains("all is as it should be"), "{}", root.text(&["verify"]));
}

/// A market refused the finished file, and got it once more from the own file of another one, as if it was mended.
#[test]
fn an_offer_is_made_of_the_finished_file_and_not_for_whom_it_was_refused_by() {
    let (root, most) = with_two_that_are_full();
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    let without = settings.replace("adobe-stock, magnific]", "magnific]").replace("adobe-stock: {at_most: 1}, ", "");
    fs::write(root.at("stockmill.yaml"), without.replace("at_most: 1", "at_most: 3")).unwrap();
    fs::write(root.at("raw/city/third.png"), picture(2, 220)).unwrap();
    assert!(root.once().status.success());
    let of = |market: &str| {
        let is_its = |file: &PathBuf| file.to_string_lossy().contains(&format!("/{market}/files/city-0003"));
        root.bundled().into_iter().find(is_its).unwrap_or_else(|| panic!("{:?} {}", root.files(), root.log()))
    };
    let made_by = |file: &PathBuf| {
        let explained = root.text(&["explain", file.to_str().unwrap()]);
        explained.lines().find(|line| line.starts_with("made ")).unwrap_or_else(|| panic!("{explained}")).to_owned()
    };
    let finished = of("magnific");
    assert!(!made_by(&finished).contains(" bytes"), "{}", made_by(&finished));
    assert!(fs::metadata(&finished).unwrap().len() > most);
    mark_sent(&root, "magnific");
    assert!(root.once().status.success());
    let list = root.at("list.csv");
    fs::write(&list, "Filename,Status,Why\ncity-0003.jpg,Rejected,noise\n").unwrap();
    let columns = "file=Filename,verdict=Status,reason=Why";
    let said = root.text(&["verdicts", list.to_str().unwrap(), "--columns", columns, "--market", "magnific"]);
    assert!(said.contains("1 refused"), "{said}");

    // The market is new in the settings: it gets what no bundle that was sent has alone.
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), settings.replace("magnific]", "adobe-stock, magnific]")).unwrap();
    for _ in 0..2 {
        assert!(root.once().status.success());
        // Tags apart, which each market has as it wants them, it is the same.
        assert_eq!(made_by(&of("adobe-stock")), made_by(&finished), "{}", root.log());
        assert_eq!(counts(&root, &["magnific-2"]), [0], "{}", root.log());
    }
}

/// A mended picture never reached the market that had refused it, if that was full on the day.
#[test]
fn what_was_mended_reaches_the_market_that_refused_it_once_it_has_room() {
    let root = Root::with(
        "keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock], limits: {adobe-stock: {at_most: 1}}}\n",
    );
    take_small(&root, &["123rf"]);
    let seven = "city, night, street, rain, neon, car, light";
    tag(&root, seven);
    fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    mark_sent(&root, "adobe-stock");
    assert!(root.once().status.success(), "{}", root.log());
    let list = root.at("list.csv");
    fs::write(&list, "Filename,Status,Why\ncity-0001.jpg,Rejected,noise\n").unwrap();
    let columns = "file=Filename,verdict=Status,reason=Why";
    let said = root.text(&["verdicts", list.to_str().unwrap(), "--columns", columns]);
    assert!(said.contains("1 refused"), "{said}");
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), settings.replace("[adobe-stock]", "[adobe-stock, 123rf]")).unwrap();
    tag(&root, &format!("{seven}, tram"));
    fs::write(root.at("raw/city/again.png"), picture(1, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let markets = ["adobe-stock", "adobe-stock-2", "123rf"];
    assert_eq!(counts(&root, &markets), [1, 0, 1], "{}", root.log());
    let file = root.bundled().into_iter().find(|file| file.to_string_lossy().contains("/123rf/files/")).unwrap();
    let explained = root.text(&["explain", file.to_str().unwrap()]);
    assert!(explained.contains("owed     adobe-stock gets it later: it has 1 file of today"), "{explained}");

    raise(&root, "adobe-stock");
    for _ in 0..2 {
        assert!(root.once().status.success());
        assert_eq!(counts(&root, &markets), [1, 1, 1], "{}", root.log());
    }
    assert!(
        root.log().contains("undled again, since its picture or its tags were mended, for adobe-stock"),
        "{}",
        root.log()
    );
}

/// The bundle of another market kept it, was called its own, and a file that was not there any more kept it as well.
#[test]
fn undo_in_one_bundle_is_refused_by_another_one_only_if_that_was_sent() {
    for is_sent in [true, false] {
        let root = Root::with(TWO);
        take_small(&root, &["123rf"]);
        tag(&root, "city, night, street, rain, neon, car, light");
        fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        let [one, other] = &root.bundled()[..] else { panic!("{}", root.log()) };
        assert!(one.to_string_lossy().contains("/123rf/"), "{}", one.display());
        if is_sent {
            mark_sent(&root, "adobe-stock");
        } else {
            fs::remove_file(other).unwrap();
        }
        let said = root.text(&["undo", one.to_str().unwrap()]);
        assert_eq!(said.contains("/adobe-stock` was sent with it"), is_sent, "{said}");
        assert_eq!(root.bundled().len(), if is_sent { 2 } else { 0 }, "{said}");
        assert_eq!(root.at("raw/city/x.png").exists(), !is_sent, "{said}");
    }
}

/// It was foretold to leave, and was held.
#[test]
fn what_undo_brought_back_is_not_foretold() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {upload: hold}\n");
    tag(&root, "city, night");
    fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert!(root.call(&["release", "upload"]).status.success());
    assert!(root.once().status.success() && root.bundled().len() == 1, "{}", root.log());
    assert!(root.call(&["undo"]).status.success());
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), settings.replace("gates: {upload: hold}\n", "")).unwrap();
    let tomorrow = jiff::ZonedDateTime::now().date().tomorrow().unwrap().to_string();
    let until: serde_json::Value = serde_json::from_str(&root.text(&["plan", "--until", &tomorrow, "--json"])).unwrap();
    let why = until["held"][0]["why"].as_str().unwrap_or_default();
    assert!(until["leaves"] == serde_json::json!([]) && why.contains("brought back by `stockmill undo`"), "{until}");
}

/// Behind a gate that is `hold` what lies in a bundle reached no further market: no command let it go.
#[test]
fn what_a_held_gate_keeps_from_further_markets_is_told_with_what_helps() {
    let root = Root::with(
        "keep: {method: lanczos, min_megapixels: 0.04}\ngates: {upload: hold}\nupload: {markets: [adobe-stock, 123rf], limits: {adobe-stock: {at_most: 1}}}\n",
    );
    let markets = ["adobe-stock", "123rf"];
    take_small(&root, &markets[1..]);
    tag(&root, "city, night, street, rain, neon, car, light");
    (0..2).for_each(|n| fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap());
    assert!(root.once().status.success(), "{}", root.log());
    assert!(root.call(&["release", "upload"]).status.success());
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &markets), [1, 2], "{}", root.log());
    let gate = "the gate of `upload` is `hold`; let it go with `stockmill release upload`";
    let file = root.bundled().into_iter().find(|file| file.ends_with("123rf/files/city-0002.jpg")).unwrap();
    let tomorrow = jiff::ZonedDateTime::now().date().tomorrow().unwrap().to_string();
    let told = |root: &Root| [&["explain", file.to_str().unwrap()][..], &["status"]].map(|call| root.text(call));
    let later = format!("adobe-stock gets it later: {gate}; it has 1 file of today");
    for text in told(&root).into_iter().chain([root.log()]) {
        assert!(text.contains(&later), "{text}");
    }
    raise_the_limit(&root);
    let once = format!("adobe-stock would take it, and gets it once the gate opens: {gate}");
    for text in told(&root) {
        assert!(text.contains(&once), "{text}");
    }
    let plan = root.text(&["plan", "--until", &tomorrow]);
    assert!(plan.contains(gate), "{plan}");
    // What is told to help does, and is told so before.
    let released = root.text(&["release", "upload"]);
    assert!(released.contains("1 file that lies in a bundle may go to further markets: adobe-stock (1)"), "{released}");
    let plan = root.text(&["plan", "--until", &tomorrow]);
    assert!(plan.contains("city-0002.jpg: adobe-stock") && !plan.contains(gate), "{plan}");
    let now = "adobe-stock would take it now, and gets it when the daemon looks at its bundle";
    for text in told(&root) {
        assert!(text.contains(now), "{text}");
    }
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &markets), [2, 2], "{}", root.log());
    // Taken back, it waits for a new word.
    assert!(root.call(&["undo"]).status.success());
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &markets), [1, 2], "{}", root.log());
}

/// What was owed to a market out of the bundle of another one that left the settings never went, and nothing said so.
#[test]
fn what_is_owed_goes_on_when_the_market_of_its_bundle_leaves() {
    let head = "keep: {method: lanczos, min_megapixels: 0.04}\n";
    let first = format!("{head}upload: {{markets: [123rf, adobe-stock], limits: {{adobe-stock: {{at_most: 1}}}}}}\n");
    for is_sent in [true, false] {
        let root = Root::with(&first);
        let markets = ["123rf", "adobe-stock"];
        take_small(&root, &markets);
        tag(&root, "city, night, street, rain, neon, car, light");
        (0..2).for_each(|n| fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap());
        assert!(root.once().status.success(), "{}", root.log());
        assert_eq!(counts(&root, &markets), [2, 1], "{}", root.log());
        if is_sent {
            mark_sent(&root, "123rf");
            assert!(root.once().status.success(), "{}", root.log());
        }
        for (limit, told, bundled) in
            [("{adobe-stock: {at_most: 1}}", "there is room again on ", [2, 1]), ("{}", "would take it now", [2, 2])]
        {
            let left = format!("{head}upload: {{markets: [adobe-stock], limits: {limit}}}\n");
            fs::write(root.at("stockmill.yaml"), left).unwrap();
            let tomorrow = jiff::ZonedDateTime::now().date().tomorrow().unwrap().to_string();
            let foretold = root.text(&["plan", "--until", &tomorrow]);
            assert!(foretold.contains("/123rf/files/") && foretold.contains("adobe-stock"), "{is_sent}: {foretold}");
            let status = root.text(&["status"]);
            assert!(status.contains(told), "{is_sent} {limit}: {status}");
            assert!(root.once().status.success(), "{}", root.log());
            assert_eq!(counts(&root, &markets), bundled, "{is_sent} {limit}: {}", root.log());
        }
    }
}
