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
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(counts(&root, &markets[..2]), [1, 1], "{}", root.log());
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
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), settings.replace("at_most: 2", "at_most: 3")).unwrap();
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &["adobe-stock", "adobe-stock-2", "123rf"]), [2, 1, 3], "{}", root.log());
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
    assert!(root.call(&["release", "upload", "--anyway"]).status.success());
    assert!(root.once().status.success());
    assert_eq!(counts(&root, &["adobe-stock"]), [2], "{}", root.log());
}

/// What goes first is chosen where not all may go, and the time to come is told by the same rules.
#[test]
fn the_most_urgent_goes_first_and_the_rest_is_foretold() {
    let root = Root::with(
        "keep: {method: lanczos, min_megapixels: 0.04}\nupload: {order: priority, limits: {adobe-stock: {at_most: 1}}}\n",
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
