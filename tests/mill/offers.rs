//! What a market did not take on the day that a file was bundled, it gets later by itself, and never twice.

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
