//! From a drop to where it ends, by the settings and what is in it.

use super::*;
use WhyKind::{Gate, Incomplete, Market, Person, Record, Tags, Unknown};

const NOTE: &[u8] = b"- Winter cabins - snow, log cabin\n  - prompt: a {log|stone} cabin\n";
const MODEL: &[u8] = br#"{"asset":{"version":"2.0"},"buffers":[{"uri":"b.bin","byteLength":4}]}"#;
const BROKEN: &[u8] = b"\x89PNG\r\n\x1a\nbroken";

const A: &str = "raw/sea/a.png";
const BUNDLED: &str = "archive/sea/sea-0001.png upload/DAY/adobe-stock/files/sea-0001.jpg";
const FINISHED: &str = "archive/sea/sea-0001.png upload/sea/sea-0001.jpg";

/// Why what path is held, in some of the words.
type Held = Option<(&'static str, WhyKind, &'static str)>;
/// How many are stuck or set aside, how many walks, looks, makings and commits it takes, and when nothing is left that
/// time alone would not change, in ms.
type Costs = (u64, [usize; 4], u128);

/// Starts a mill with files, runs it, and checks what lies where in the end, what is held, and what it took.
#[track_caller]
fn check(settings: &str, files: &[(&str, &[u8])], assets: &str, held: Held, costs: Costs) {
    let mut mill = Mill::new(settings, files);
    mill.run();
    assert_eq!(mill.assets().join(" "), assets, "{settings}{files:?}");
    assert_held(&mill, held.as_slice());
    assert_eq!((mill.failed(), mill.steps(), mill.steady.as_millis()), costs, "{settings}{assets}");
}

#[test]
fn each_file_ends_where_the_settings_say() {
    let (a, b, tags) = (picture(1), picture(2), ("raw/sea/tags.yaml", TAGS.as_bytes()));
    let rows: &[(&str, &str, Held, Costs)] = &[
        ("", BUNDLED, None, (0, [6, 1, 3, 2], 2)),
        ("work: {megapixels_max: 1, file_mib_max: 1}", BUNDLED, None, (0, [6, 1, 3, 2], 2)),
        ("gates: {raw: hold}", A, Some((A, Gate, "release raw")), (0, [7, 0, 1, 1], 15)),
        (
            "gates: {keep: hold}",
            "keep/sea/sea-0001.png",
            Some(("keep/sea/sea-0001.png", Gate, "release keep")),
            (0, [8, 1, 2, 2], 15),
        ),
        (
            "gates: {export: hold}",
            "export/sea/sea-0001.png",
            Some(("export/sea/sea-0001.png", Gate, "release export")),
            (0, [8, 1, 2, 2], 15),
        ),
        (
            "gates: {upload: hold}",
            FINISHED,
            Some(("upload/sea/sea-0001.jpg", Gate, "release upload")),
            (0, [8, 1, 3, 2], 15),
        ),
        ("gates: {raw: {on: [DAYS], at: \"13:00\"}}", A, Some((A, Gate, "13:00")), (0, [7, 0, 1, 1], 15)),
        ("settle: {ignore: [\"a.*\"]}", A, None, (0, [6, 0, 1, 1], 0)),
        (
            "upload: {markets: []}",
            FINISHED,
            Some(("upload/sea/sea-0001.jpg", Person, "no market is configured")),
            (0, [9, 2, 3, 2], 250),
        ),
        (
            "export: {format: png}",
            "archive/sea/sea-0001.png upload/sea/sea-0001.png",
            Some(("upload/sea/sea-0001.png", Market, "it is png, and the market takes")),
            (0, [9, 2, 3, 2], 250),
        ),
    ];
    let days = "monday, tuesday, wednesday, thursday, friday, saturday, sunday";
    for (settings, assets, held, costs) in rows {
        check(&settings.replace("DAYS", days), &[(A, &a), tags], assets, *held, *costs);
    }
    let hold = ("ideas/note.md", Gate, "release ideas");
    check("gates: {ideas: hold}", &[("ideas/note.md", NOTE)], "ideas/note.md", Some(hold), (0, [5, 0, 0, 0], 2_000));
    let one_a_day = format!("gates: {{raw: {{on: [{days}], at: \"00:00\", at_most: 1}}}}");
    let (two, limit) = ([(A, &*a), ("raw/sea/b.png", &b), tags], ("raw/sea/b.png", Gate, "lets 1 through today"));
    let assets = BUNDLED.replace(' ', " raw/sea/b.png ");
    check(&one_a_day, &two, &assets, Some(limit), (0, [7, 1, 3, 2], 15));
}

#[test]
fn each_file_ends_where_its_content_says() {
    let (a, tags) = (&*picture(1), TAGS.as_bytes());
    let no_title = |path| Some((path, Tags, "it has no title"));
    let rows: &[(&[(&str, &[u8])], &str, Held, Costs)] = &[
        (
            &[("ideas/note.md", NOTE)],
            "archive/ideas/note.md raw/winter-cabins/prompts.txt",
            None,
            (0, [6, 1, 2, 2], 250),
        ),
        // Cut short, it may still be written for a while.
        (&[(A, BROKEN)], "failed/raw/sea/a.png failed/raw/sea/a.png.reason.txt", None, (1, [14, 9, 1, 1], 16_000)),
        (&[(A, b"")], A, None, (0, [6, 0, 0, 0], 500)),
        (
            &[("raw/sea/a.xyz", b"what")],
            "raw/sea/a.xyz",
            Some(("raw/sea/a.xyz", Unknown, "a theme may claim it")),
            (0, [6, 1, 0, 0], 500),
        ),
        (
            &[(A, a), ("raw/sea/b.png", a), ("raw/sea/tags.yaml", tags)],
            "archive/sea/sea-0001.png failed/raw/sea/b.png failed/raw/sea/b.png.reason.txt upload/DAY/adobe-stock/files/sea-0001.jpg",
            None,
            (1, [7, 1, 4, 3], 15),
        ),
        (&[(A, a)], FINISHED, no_title("upload/sea/sea-0001.jpg"), (0, [8, 2, 1, 1], 250)),
        (
            &[("raw/a.png", a)],
            "archive/unsorted/unsorted-0001.png upload/unsorted/unsorted-0001.jpg",
            no_title("upload/unsorted/unsorted-0001.jpg"),
            (0, [7, 2, 1, 1], 250),
        ),
        (&[("raw/Sea_7.png", a), ("raw/sea/tags.yaml", tags)], BUNDLED, None, (0, [6, 1, 3, 2], 2)),
        (
            &[(A, a), ("raw/sea/tags.yaml", b"title: [")],
            A,
            Some((A, Record, "`raw/sea/tags.yaml` cannot be read")),
            (0, [6, 1, 0, 0], 2_000),
        ),
        (
            &[(A, a), ("raw/sea/Tags.yaml", tags)],
            A,
            Some((A, Record, "shared tags are named `tags.yaml`")),
            (0, [6, 0, 0, 0], 500),
        ),
        (
            &[(A, a), ("raw/sea/a.png.xmp", b"<x")],
            "raw/sea/a.png raw/sea/a.png.xmp",
            Some((A, Record, "`raw/sea/a.png.xmp` says nothing")),
            (1, [6, 1, 0, 0], 500),
        ),
        (&[("raw/sea/a.txt", b"lonely")], "raw/sea/a.txt", None, (0, [6, 0, 0, 0], 500)),
        (
            &[(A, a), ("raw/sea/a.png.crdownload", b"x")],
            "raw/sea/a.png raw/sea/a.png.crdownload",
            None,
            (0, [6, 0, 0, 0], 500),
        ),
        (
            &[("raw/sea/a.gltf", MODEL)],
            "raw/sea/a.gltf",
            Some(("raw/sea/a.gltf", Incomplete, "not here yet: b.bin")),
            (0, [6, 0, 0, 0], 500),
        ),
    ];
    for (files, assets, held, costs) in rows {
        check("", files, assets, *held, *costs);
    }
}

/// A person sees the asset, what was done with it, and what the market wants.
#[test]
fn an_asset_leaves_its_records_on_the_way() {
    let mut mill = Mill::new("", &[("raw/sea/a.png", &picture(1)), ("raw/sea/tags.yaml", TAGS.as_bytes())]);
    mill.run();
    let bundle = "upload/DAY/adobe-stock";
    assert_eq!(
        mill.files(),
        [
            "archive/sea/sea-0001.png".to_owned(),
            "archive/sea/sea-0001.png.yaml".to_owned(),
            "raw/sea/tags.yaml".to_owned(),
            format!("{bundle}/CHECKLIST.md"),
            format!("{bundle}/adobe-stock.csv"),
            format!("{bundle}/files/sea-0001.jpg"),
            format!("{bundle}/sidecars/checklist.json"),
            format!("{bundle}/sidecars/sea-0001.jpg.yaml"),
        ]
    );
    assert!(mill.text(&format!("{bundle}/adobe-stock.csv")).contains("sea-0001.jpg,Sea,\"wave,water,blue\""));
    // All stages at once, the remembered tags and the manifest; nothing more is done however long it runs.
    let (done, begun) = (mill.dispatcher.summary().done, mill.steps());
    mill.pass(50);
    assert_eq!((done, mill.dispatcher.summary().done, mill.dispatcher.summary().held), (3, 3, 0));
    assert_eq!(mill.steps(), begun);
}
