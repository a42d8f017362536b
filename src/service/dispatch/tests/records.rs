//! Records that several assets share follow what people write.

use super::*;

const OCEAN: &str = "title: Ocean\nkeywords: [wave, water, blue]\n";
const CSV: &str = "upload/DAY/adobe-stock/adobe-stock.csv";

fn bundled() -> Mill {
    let mut mill = Mill::new("", &[("raw/sea/a.png", &picture(1)), ("raw/sea/tags.yaml", TAGS.as_bytes())]);
    mill.run();
    // What is written from now on is newer than what the mill wrote.
    mill.until(4_000);
    mill
}

#[test]
fn tags_follow_in_every_stage_and_in_bundles_that_are_not_sent() {
    // (which tags are saved, as what; whether the bundle is sent; what the others say then, and the manifest)
    for (n, (name, text, is_sent, others, title)) in [
        ("raw", OCEAN, false, OCEAN, "Ocean"),
        ("upload", OCEAN, false, OCEAN, "Ocean"),
        ("raw", OCEAN, true, OCEAN, "Sea"),
        ("raw", "title: [", false, TAGS, "Sea"),
        ("raw", "", false, TAGS, "Sea"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut mill = bundled();
        if is_sent {
            mill.drop(&format!("upload/{}/adobe-stock/SENT", mill.now().local.date()), b"");
            mill.run();
        }
        mill.drop(&format!("{name}/sea/tags.yaml"), text.as_bytes());
        mill.run();
        assert_eq!((mill.text("keep/sea/tags.yaml").as_str(), mill.failed()), (others, 0), "row {n}");
        assert!(mill.text(CSV).contains(&format!("sea-0001.jpg,{title},")), "row {n}: {}", mill.text(CSV));
        // What was replaced is looked at a second time, and let go.
        assert_eq!(mill.begun("look twice"), mill.begun("end"), "row {n}");
        assert_eq!(mill.dispatcher.maintenance.second_looks.all().count(), 0, "row {n}");
    }
}

#[test]
fn a_theme_that_a_person_removes_is_forgotten_once_its_bundles_are_sent() {
    // (whether its bundle is sent, what is held of the next picture)
    let no_tags: &[(&str, WhyKind, &str)] = &[("upload/sea/sea-0002.jpg", WhyKind::Person, "it has no title")];
    for (is_sent, held) in [(false, &[][..]), (true, no_tags)] {
        let mut mill = bundled();
        if is_sent {
            mill.drop(&format!("upload/{}/adobe-stock/SENT", mill.now().local.date()), b"");
            mill.run();
        }
        for stage in ["raw", "keep", "export", "upload"] {
            mill.take_away(&format!("{stage}/sea"));
        }
        mill.pass(200);
        assert!(!mill.files().iter().any(|name| name.ends_with("/tags.yaml")), "{is_sent}: {:?}", mill.files());
        assert_eq!((mill.failed(), mill.dispatcher.snapshot().in_work), (0, 0), "{is_sent}");
        mill.drop("raw/sea/b.png", &picture(2));
        mill.run();
        assert_held(&mill, held);
    }
}

#[test]
fn a_manifest_follows_the_sidecars_of_its_bundle() {
    let mut mill = bundled();
    let day = mill.now().local.date();
    let name = format!("upload/{day}/adobe-stock/sidecars/sea-0001.jpg.yaml");
    let text = mill.text(&name).replace("tags: {}", "tags: {title: Lake}");
    mill.drop(&name, text.as_bytes());
    mill.run();
    assert!(mill.text(CSV).contains("sea-0001.jpg,Lake,"), "{}", mill.text(CSV));
    mill.take_away(&format!("upload/{day}/adobe-stock/files/sea-0001.jpg"));
    mill.run();
    mill.pass(61);
    assert!(!mill.text(CSV).contains("sea-0001.jpg"), "{}", mill.text(CSV));
    mill.take_away(&format!("upload/{day}"));
    mill.pass(61);
    assert_eq!((mill.failed(), mill.dispatcher.decide.bundles.len()), (0, 0));
}
