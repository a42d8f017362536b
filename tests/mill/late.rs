//! What comes late, and what comes again.

use std::fs;

use super::videos::{clip, part};
use super::{NOTE, Root, picture};

/// What was bundled went into a bundle again once another program had written tags into it.
#[test]
fn what_was_bundled_is_not_bundled_again_when_only_its_metadata_differs() {
    let root = Root::with("keep: {method: none}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    let mut jpeg = std::io::Cursor::new(Vec::new());
    image::load_from_memory(&picture(1, 200)).unwrap().write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let tagged = |jpeg: &[u8], tag: &str| {
        let length = u16::try_from(tag.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], b"\xff\xe1", &length, tag.as_bytes(), &jpeg[2..]].concat()
    };
    let video = clip(&[7; 99], &[]);
    fs::write(root.at("raw/winter-cabins/x.jpg"), &jpeg).unwrap();
    fs::write(root.at("raw/winter-cabins/film.mp4"), &video).unwrap();
    root.once();
    let bundled: Vec<_> = root.bundled().iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    let exported = bundled.iter().find(|(path, _)| path.extension().is_some_and(|extension| extension == "jpg"));
    let exported = exported.map(|(_, bytes)| bytes.clone()).unwrap();
    for (n, stage) in ["raw", "keep", "export", "upload"].into_iter().enumerate() {
        let folder = root.at(&format!("{stage}/winter-cabins"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("dropped-{n}.jpg")), tagged(&jpeg, &format!("dropped {n}"))).unwrap();
        fs::write(folder.join(format!("exported-{n}.jpg")), tagged(&exported, &format!("exported {n}"))).unwrap();
    }
    let more = [&video[..], &part(*b"uuid", &[1; 40])].concat();
    fs::write(root.at("raw/winter-cabins/more.mp4"), more).unwrap();
    root.once();
    assert_eq!(root.bundled(), bundled.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>(), "{}", root.log());
    let reasons =
        root.contents("failed").into_iter().filter(|(_, text)| text.starts_with(b"it differs only in its metadata"));
    assert_eq!(reasons.count(), 9, "{:?}", root.files());

    // Two that are new, at the same time.
    for n in 0..2 {
        let fresh = image::load_from_memory(&picture(3, 200)).unwrap();
        let mut bytes = std::io::Cursor::new(Vec::new());
        fresh.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
        fs::write(root.at(&format!("upload/winter-cabins/two-{n}.jpg")), tagged(bytes.get_ref(), &n.to_string()))
            .unwrap();
    }
    root.once();
    assert_eq!(root.bundled().len(), bundled.len() + 1, "{}", root.log());
}

/// It went to `failed/` again and again, and nothing said that the word for it does nothing there.
#[test]
fn a_copy_of_what_is_there_never_goes_on_and_who_insists_is_told_why() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {raw: hold, keep: hold}\n");
    fs::create_dir_all(root.at("raw/sea")).unwrap();
    fs::write(root.at("raw/sea/first.png"), picture(1, 200)).unwrap();
    root.once();
    root.text(&["release", "raw"]);
    root.once();
    fs::write(root.at("raw/sea/copy.png"), picture(1, 200)).unwrap();
    root.once();
    assert!(root.at("raw/sea/copy.png").exists(), "the gate is shut: {}", root.log());
    root.text(&["release", "raw", "sea", "--anyway"]);
    root.once();
    let reason = fs::read_to_string(root.at("failed/raw/sea/copy.png.reason.txt")).unwrap();
    let expected = "it has the same bytes as `keep/sea/sea-0001.png`, which was dropped before, and nothing goes on twice \
                    while the first one is there, also not by `--anyway`; delete what was dropped now, or drop another";
    assert!(reason.starts_with(expected), "{reason}");

    // Once a person deleted the first one, it is the word that lets the other one go on.
    for gone in ["sea-0001.png", "sea-0001.png.yaml"] {
        fs::remove_file(root.at("keep/sea").join(gone)).unwrap();
    }
    root.text(&["retry"]);
    root.once();
    root.text(&["release", "raw", "sea", "--anyway"]);
    root.once();
    assert!(!root.at("raw/sea/copy.png").exists() && root.at("keep/sea/sea-0002.png").exists(), "{}", root.log());
}

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
    fs::create_dir_all(root.at("upload/winter-cabins")).unwrap();
    fs::write(root.at("upload/winter-cabins/stamped.jpg"), &stamped).unwrap();
    fs::write(root.at("upload/winter-cabins/claimed.jpg"), &stamped).unwrap();
    fs::write(root.at("upload/winter-cabins/claimed.jpg.yaml"), "id: 0123456789abcdef\n").unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(root.bundled().len(), 0, "{}", root.log());
    let status = root.text(&["status"]);
    assert_eq!(status.matches("was bundled for adobe-stock, and was deleted").count(), 2, "{status}");
    assert!(status.contains("adobe-stock does not get it again: it was bundled for this market before"), "{status}");
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
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {keep: hold}\n");
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
