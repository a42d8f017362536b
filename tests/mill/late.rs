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
