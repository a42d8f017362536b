//! Bundles.

use super::{Given, check, jpeg, path, picture};
use crate::model::Kind;
use crate::plan::Bundled;

const DAY: &str = "upload/2026-11-28";

/// What lies there, how its file is put into the bundle, into which bundle, and under which name.
type Joins<'a> = (Given<'a>, &'a str, &'a str);

#[test]
fn what_is_finished_joins_the_open_bundle() {
    let mine = |bundles| Given { bundles, ..jpeg("upload/t/mine.jpg") };
    let taken = |taken| Given { taken, ..jpeg("upload/t/mine.jpg") };
    let rows: [Joins<'_>; 13] = [
        (jpeg("upload/t/mine.jpg"), "adobe-stock", "mine.jpg"),
        (jpeg("upload/t/mine.jpeg"), "adobe-stock", "mine.jpeg"),
        // What it is counts, not what it is called.
        (jpeg("upload/t/mine.png"), "adobe-stock", "mine.jpg"),
        // A video gets its tags too.
        (Given { kind: Some(Kind::Mp4), edges: None, ..jpeg("upload/t/clip.mp4") }, "adobe-stock", "clip.mp4"),
        // Bundles that are open, however many they hold; sent; and such that nobody can look into.
        (mine(&[(1, Some(3), false)]), "adobe-stock", "mine.jpg"),
        (mine(&[(1, Some(3), true)]), "adobe-stock-2", "mine.jpg"),
        (mine(&[(1, Some(5_000), false)]), "adobe-stock", "mine.jpg"),
        (mine(&[(1, None, false)]), "adobe-stock-2", "mine.jpg"),
        (mine(&[(1, None, false), (2, Some(1), true)]), "adobe-stock-3", "mine.jpg"),
        (mine(&[(1, Some(5_000), false), (2, Some(1), true)]), "adobe-stock", "mine.jpg"),
        (mine(&[(1, Some(5_000), false), (2, Some(1), false)]), "adobe-stock-2", "mine.jpg"),
        // Its name, or its sidecar's, is taken.
        (taken(&["upload/2026-11-28/adobe-stock/files/mine.jpg"]), "adobe-stock", "mine-6ddc.jpg"),
        (taken(&["upload/2026-11-28/adobe-stock/sidecars/mine.jpg.yaml"]), "adobe-stock", "mine-6ddc.jpg"),
    ];
    for (given, bundle, name) in rows {
        let from = given.path;
        let archived = format!("archive/t/t-0001.{}", if name.ends_with("mp4") { "mp4" } else { "jpg" });
        let expected = [
            format!("{from}: bundled for adobe-stock of 2026-11-28"),
            format!("make {DAY}/{bundle}/files/{name}"),
            format!("write {DAY}/{bundle}/sidecars/{name}.yaml"),
            format!("write {archived}.yaml"),
            format!("move {from} -> {archived}"),
        ];
        assert_eq!(given.planned(), expected, "{bundle}/{name}");
    }
}

#[test]
fn companions_lie_beside_the_files_of_the_bundle_and_what_can_be_made_again_goes() {
    let companions = &["upload/t/t-0007.xmp", "upload/t/t-0007.txt"];
    check(&[(
        Given { is_own: true, companions, ..jpeg("upload/t/t-0007.jpg") },
        &[
            "upload/t/t-0007.jpg: bundled for adobe-stock of 2026-11-28",
            "make upload/2026-11-28/adobe-stock/files/t-0007.jpg",
            "write upload/2026-11-28/adobe-stock/sidecars/t-0007.jpg.yaml",
            "move upload/t/t-0007.xmp -> upload/2026-11-28/adobe-stock/sidecars/t-0007.xmp",
            "move upload/t/t-0007.txt -> upload/2026-11-28/adobe-stock/sidecars/t-0007.txt",
            "remove upload/t/t-0007.jpg",
            "remove upload/t/t-0007.jpg.yaml",
        ],
    )]);
}

/// Only the first market's bundle had what a foreign sidecar says; the files of the others lost it again.
#[test]
fn each_market_gets_the_file_and_what_a_foreign_sidecar_says() {
    let companions = &["upload/t/mine.xmp", "upload/t/mine.txt"];
    check(&[(
        Given { companions, has_second_market: true, ..jpeg("upload/t/mine.jpg") },
        &[
            "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28; bundled for other of 2026-11-28",
            "make upload/2026-11-28/adobe-stock/files/mine.jpg",
            "write upload/2026-11-28/adobe-stock/sidecars/mine.jpg.yaml",
            "make upload/2026-11-28/other/files/mine.jpg",
            "write upload/2026-11-28/other/sidecars/mine.jpg.yaml",
            "write archive/t/t-0001.jpg.yaml",
            "write upload/2026-11-28/other/sidecars/mine.xmp",
            "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            "move upload/t/mine.xmp -> upload/2026-11-28/adobe-stock/sidecars/mine.xmp",
            "move upload/t/mine.txt -> upload/2026-11-28/adobe-stock/sidecars/mine.txt",
        ],
    )]);
}

#[test]
fn what_no_market_takes_waits_with_all_reasons() {
    check(&[
        (
            picture("upload/t/mine.png"),
            &[
                "unwanted: adobe-stock refuses it: it is png, and the market takes jpeg, mp4, mov; it has 1.0 megapixels, and the market takes 4 to 100",
            ],
        ),
        (
            Given { is_untitled: true, ..jpeg("upload/t/mine.jpg") },
            &[
                "untagged: adobe-stock refuses it: it has no title, and 0 keywords of at least 1; write both in the theme's tags.yaml",
            ],
        ),
    ]);
}

/// What a person took out of a bundle that was not sent could never be bundled again.
#[test]
fn what_was_bundled_before_is_bundled_again_only_if_it_cannot_have_been_sold() {
    let bundle = || path("upload/2026-11-20/adobe-stock");
    let file = || bundle().join("files/a.jpg");
    let sold = "and nothing is sold there twice; move it out of `upload`, or delete it";
    let rows = [
        (Bundled::Lies(file()), false, format!("it lies there as `{}`, {sold}", file())),
        (Bundled::Sent(file()), false, format!("it was sent as `{}`, {sold}", file())),
        (
            Bundled::TakenOut(bundle()),
            true,
            format!(
                "and taken out of `{}`; `stockmill release upload --anyway` bundles it again; else move it out of \
                 `upload`, or delete it",
                bundle()
            ),
        ),
        (
            Bundled::BundleGone(bundle()),
            false,
            format!(
                "and nobody can tell whether it was sold, since `{}` is gone; if that was not sent, make this folder \
                 again, empty, and `stockmill release upload --anyway` bundles it again; else move it out of \
                 `upload`, or delete it",
                bundle()
            ),
        ),
        (
            Bundled::Unknown("it is away".to_owned()),
            false,
            "and nobody can tell whether it was sold: it is away; move it out of `upload`, or delete it".to_owned(),
        ),
    ];
    for (bundled, goes_again, why) in rows {
        for is_released in [false, true] {
            let bundled = Some(bundled.clone());
            let planned = Given { is_released, bundled, ..jpeg("upload/t/mine.jpg") }.planned();
            let expected = if goes_again && is_released {
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28".to_owned()
            } else {
                format!("unwanted: adobe-stock refuses it: it was bundled for this market before, {why}")
            };
            assert_eq!(planned[0], expected, "released: {is_released}");
        }
    }
}
