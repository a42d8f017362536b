//! Records that several assets share follow what people write.

use super::*;

const OCEAN: &str = "title: Ocean\nkeywords: [wave, water, blue]\n";
const CSV: &str = "upload/DAY/adobe-stock/adobe-stock.csv";

fn bundled() -> Mill {
    let (asset, tags) = (picture(1), TAGS.as_bytes());
    // Its theme has a folder in every stage.
    let tags = ["raw", "keep", "export", "upload"].map(|stage| (format!("{stage}/sea/tags.yaml"), tags));
    let files: Vec<(&str, &[u8])> =
        tags.iter().map(|(path, tags)| (&**path, *tags)).chain([("raw/sea/a.png", &*asset)]).collect();
    let mut mill = Mill::new("", &files);
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
    let no_tags: &[(&str, WhyKind, &str)] = &[("upload/sea/sea-0002.jpg", WhyKind::Tags, "it has no title")];
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
        assert_eq!((mill.failed(), mill.dispatcher.summary().in_work), (0, 0), "{is_sent}");
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
    assert_eq!((mill.failed(), mill.dispatcher.decide.upload.bundles.len()), (0, 0));
}

/// What a person copied, or opened again after its market had accepted it, was uploaded a second time.
#[test]
fn what_a_market_has_keeps_no_row_in_another_bundle() {
    let mut mill = bundled();
    let day = mill.now().local.date();
    let (bundle, copy) = (format!("upload/{day}/adobe-stock"), format!("upload/{day}/adobe-stock-2"));
    let row = |mill: &Mill, bundle: &str| mill.text(&format!("{bundle}/adobe-stock.csv")).contains("sea-0001.jpg");
    for name in ["files/sea-0001.jpg", "sidecars/sea-0001.jpg.yaml", "adobe-stock.csv", "CHECKLIST.md"] {
        let bytes = std::fs::read(mill.home.path().join(format!("{bundle}/{name}"))).unwrap();
        mill.drop(&format!("{copy}/{name}"), &bytes);
    }
    mill.pass(61);
    // Neither is sent: both had rows and steps, until one of them was.
    assert!(row(&mill, &bundle) && !row(&mill, &copy), "{}", mill.text(&format!("{copy}/adobe-stock.csv")));
    let list = mill.text(&format!("{copy}/CHECKLIST.md"));
    let told = format!(
        "> Do not upload from here: `sea-0001.jpg` (1 file): its asset lies in `{bundle}` too, and goes to adobe-stock once, from "
    );
    assert!(list.contains(&told) && !list.contains("[ ] Upload `sea-0001.jpg`"), "{list}");
    let file = format!("{bundle}/files/sea-0001.jpg");
    let bytes = std::fs::read(mill.home.path().join(&file)).unwrap();
    // Which of them has the row follows what lies there.
    mill.take_away(&file);
    mill.pass(4_000);
    assert!(!row(&mill, &bundle) && row(&mill, &copy), "{}", mill.text(&format!("{copy}/adobe-stock.csv")));
    mill.drop(&file, &bytes);
    mill.pass(4_000);
    assert!(row(&mill, &bundle) && !row(&mill, &copy), "{}", mill.text(&format!("{copy}/adobe-stock.csv")));
    // Also where nobody can look into the other bundle: neither had a row then, until that was mended.
    mill.drop(&format!("{bundle}/sidecars/b.jpg.yaml"), b"id: [");
    mill.drop(&format!("{bundle}/files/b.jpg"), b"jpeg");
    mill.take_away(&file);
    mill.pass(4_000);
    assert!(row(&mill, &copy), "{}", mill.text(&format!("{copy}/CHECKLIST.md")));
    mill.take_away(&format!("{bundle}/sidecars/b.jpg.yaml"));
    mill.take_away(&format!("{bundle}/files/b.jpg"));
    mill.drop(&file, &bytes);
    mill.pass(4_000);
    mill.drop(&format!("{bundle}/SENT"), b"");
    mill.pass(4_000);
    assert!(row(&mill, &bundle) && !row(&mill, &copy), "{}", mill.text(&format!("{copy}/adobe-stock.csv")));
    let list = mill.text(&format!("{copy}/CHECKLIST.md"));
    let told = format!("> Do not upload again: `sea-0001.jpg` (1 file): it went to adobe-stock with `{bundle}`; ");
    assert!(list.contains(&told) && !list.contains("[ ] Upload `sea-0001.jpg`"), "{list}");
    mill.drop(&format!("{copy}/SENT"), b"");
    mill.pass(4_000);
    let sent: usize = mill.dispatcher.decide.ledger.market_records().map(|(_, record)| record.sent().count()).sum();
    assert_eq!((sent, mill.failed()), (1, 0));
}

/// Returns what a record says, without comments, on one line.
fn said(mill: &Mill, name: &str) -> String {
    let text = mill.text(name);
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.starts_with("version:"));
    lines.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_note_that_is_written_on_changes_what_it_gave_and_nothing_else() {
    let (cabins, lakes) = ("- Winter cabins - snow\n  - prompt: a cabin\n", "- Summer lakes - water\n");
    let more = "- Winter cabins - snow, ice\n  - prompt: a cabin\n";
    let huts = "- Winter huts - snow\n  - prompt: a cabin\n";
    let own_prompt = Some(("raw/winter-cabins/prompts.txt", "a cabin\nmy own\n"));
    let own_title = Some(("raw/winter-cabins/tags.yaml", "title: Mine\nkeywords: [snow]\n"));
    // (the second version, what a person wrote into the theme meanwhile, the theme's folder, its tags and its prompts)
    let rows = [
        (more, None, "winter-cabins", "title: Winter cabins keywords: - snow - ice", "a cabin"),
        (more, own_prompt, "winter-cabins", "title: Winter cabins keywords: - snow - ice", "a cabin my own"),
        (more, own_title, "winter-cabins", "title: Mine keywords: [snow, ice]", "a cabin"),
        (huts, None, "winter-huts", "title: Winter huts keywords: - snow", "a cabin"),
        (huts, own_prompt, "winter-cabins", "title: Winter huts keywords: - snow", "a cabin my own"),
        ("", None, "", "", ""),
    ];
    for (n, (second, edit, folder, tags, prompts)) in rows.into_iter().enumerate() {
        let mut mill = Mill::new("", &[("ideas/note.md", format!("{cabins}{lakes}").as_bytes())]);
        mill.run();
        mill.until(4_000);
        edit.iter().for_each(|(name, text)| mill.drop(name, text.as_bytes()));
        mill.run();
        mill.drop("ideas/note.md", format!("{second}{lakes}").as_bytes());
        mill.run();
        let names = |name: &str| format!("raw/{folder}/{name}");
        let of_theme = if folder.is_empty() { vec![] } else { vec![names("prompts.txt"), names("tags.yaml")] };
        let others: Vec<String> = mill.files().into_iter().filter(|name| name.starts_with("raw/")).collect();
        assert_eq!(others, [vec!["raw/summer-lakes/tags.yaml".to_owned()], of_theme.clone()].concat(), "row {n}");
        assert_eq!(said(&mill, "raw/summer-lakes/tags.yaml"), "title: Summer lakes keywords: - water", "row {n}");
        let found: Vec<String> = of_theme.iter().map(|name| said(&mill, name)).collect();
        assert!(folder.is_empty() || found == [prompts, tags], "row {n}: {found:?}");
        assert_eq!((mill.failed(), mill.held().len()), (0, 0), "row {n}");
    }
}

/// A stage that is away may hold the tags of a theme that was known, and of no other.
#[test]
fn a_note_waits_for_the_stage_that_may_hold_the_tags_of_its_theme() {
    for (title, waits) in [("Sea", true), ("Moss", false)] {
        let mut mill = bundled();
        mill.take_away("raw/sea");
        mill.away("keep");
        // Where a disk was mounted lies an empty folder.
        fs::create_dir(mill.home.path().join("keep")).unwrap();
        mill.pass(5);
        mill.drop("ideas/note.md", format!("- {title} - foam\n").as_bytes());
        mill.run();
        let held = mill.held();
        assert_eq!(
            held.iter().any(|(path, _, why)| path == "ideas/note.md" && why.contains("keep")),
            waits,
            "{held:?}"
        );
        mill.back("keep");
        mill.pass(60);
        assert!(mill.assets().contains(&"archive/ideas/note.md".to_owned()), "{title}: {:?}", mill.held());
    }
}
