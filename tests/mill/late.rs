//! What comes late, and what comes again.

use std::fs;

use super::{NOTE, Root, picture};

#[test]
fn what_was_bundled_is_not_bundled_again_with_new_tags_and_its_bundle_gone() {
    // Once its tags had been embedded anew, the same file was bundled again as soon as its bundle was moved away.
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/x.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let tags = root.at("raw/winter-cabins/tags.yaml");
    fs::write(&tags, fs::read_to_string(&tags).unwrap().replace("Winter cabins", "Cabins in snow")).unwrap();
    assert!(root.once().status.success());
    let bundled = root.bundled().pop().unwrap();
    let (stamped, outside) = (fs::read(&bundled).unwrap(), root.outside());
    assert!(root.csv()[1].contains(&"Cabins in snow".to_owned()), "{:?}", root.csv());
    fs::rename(root.at("upload").join(bundled.iter().nth_back(3).unwrap()), outside.join("day")).unwrap();

    // As it was dropped, and as it was bundled; with a sidecar of its own, and with one that says another name.
    fs::write(root.at("raw/winter-cabins/again.png"), picture(1, 100)).unwrap();
    fs::write(root.at("upload/winter-cabins/stamped.jpg"), &stamped).unwrap();
    fs::write(root.at("upload/winter-cabins/claimed.jpg"), &stamped).unwrap();
    fs::write(root.at("upload/winter-cabins/claimed.jpg.yaml"), "id: 0123456789abcdef\n").unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(root.bundled().len(), 0, "{}", root.log());
    let status = root.text(&["status"]);
    assert_eq!(status.matches("was bundled for adobe-stock, and was deleted").count(), 2, "{status}");
    assert!(status.contains("adobe-stock refuses it: it was bundled for this market before"), "{status}");
    // A person may let it go on; it is the same asset still.
    fs::remove_file(root.at("upload/winter-cabins/stamped.jpg")).unwrap();
    assert!(root.call(&["release", "raw"]).status.success());
    assert!(root.once().status.success());
    assert!(!root.at("raw/winter-cabins/again.png").exists(), "{}", root.log());
    assert_eq!(root.bundled().len(), 0, "{}", root.log());
}

#[test]
fn companions_that_come_after_their_asset_went_on_join_it_in_keep() {
    // Renamed in a moment after its picture, a sidecar was left behind, and its picture sold without its words.
    let root = Root::with("keep: {min_megapixels: 0.04}\ngates: {keep: hold}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    let raw = root.at("raw/winter-cabins");
    fs::write(raw.join("x.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let kept = root.at("keep/winter-cabins/winter-cabins-0001.png");
    let before = fs::read_to_string(kept.with_extension("png.yaml")).unwrap();
    fs::write(raw.join("x.png.yaml"), "tags: {title: A red cabin, keywords: [red]}\n").unwrap();
    fs::write(raw.join("x.txt"), "a red cabin in the snow").unwrap();
    fs::write(raw.join("y.txt"), "of a picture that never was").unwrap();
    assert!(root.text(&["plan"]).contains("its sidecar came late: title, keywords taken over"));
    assert!(root.once().status.success(), "{}", root.log());
    let after = fs::read_to_string(kept.with_extension("png.yaml")).unwrap();
    assert!(after.contains("A red cabin") && after.contains(before.lines().nth(1).unwrap()), "{before}\n{after}");
    assert_eq!(fs::read(kept.with_extension("txt")).unwrap(), b"a red cabin in the snow");
    assert!(!raw.join("x.png.yaml").exists() && !raw.join("x.txt").exists(), "{:?}", root.files());
    assert!(raw.join("y.txt").exists() && root.text(&["status"]).contains("which is not here"));

    // It can be undone, and stays undone.
    assert!(root.call(&["undo", kept.with_extension("png.yaml").to_str().unwrap()]).status.success());
    assert_eq!(fs::read_to_string(kept.with_extension("png.yaml")).unwrap(), before);
    assert!(root.once().status.success());
    assert!(raw.join("x.png.yaml").exists(), "{}", root.log());
    assert!(root.text(&["status"]).contains("brought back by `stockmill undo`"), "{}", root.text(&["status"]));

    // Whoever has its asset beside it goes with that one.
    fs::remove_file(raw.join("x.png.yaml")).unwrap();
    fs::write(raw.join("x.png.yaml"), "tags: {title: Another cabin}\n").unwrap();
    fs::write(raw.join("x.png"), picture(2, 100)).unwrap();
    assert!(root.once().status.success());
    let second = fs::read_to_string(kept.with_file_name("winter-cabins-0002.png.yaml")).unwrap();
    assert!(second.contains("Another cabin"), "{second}");
}

#[test]
fn a_sidecar_that_comes_late_reaches_the_bundle_until_that_is_sent() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let raw = root.at("raw/winter-cabins");
    fs::write(raw.join("x.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    fs::write(raw.join("x.png.yaml"), "tags: {title: A red cabin}\n").unwrap();
    assert!(root.once().status.success());
    assert_eq!(root.csv()[1][1], "A red cabin", "{}", root.log());
    let bundled = root.bundled().pop().unwrap();
    let meta = stockmill::craft::embedded_xmp(&fs::read(&bundled).unwrap(), stockmill::model::Kind::Jpeg).unwrap();
    assert!(String::from_utf8_lossy(&meta).contains("A red cabin"));
    assert!(!raw.join("x.png.yaml").exists());
    assert!(root.text(&["history", bundled.to_str().unwrap()]).contains("its sidecar came late"));

    fs::write(bundled.parent().unwrap().with_file_name("SENT"), "").unwrap();
    fs::write(raw.join("x.xmp"), meta).unwrap();
    assert!(root.once().status.success());
    assert!(raw.join("x.xmp").exists() && root.log().contains("it came too late"), "{}", root.log());
}
