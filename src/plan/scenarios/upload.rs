//! Bundles.

use super::{Given, check, jpeg, picture};
use crate::model::Kind;

#[test]
fn what_is_finished_joins_the_open_bundle_or_says_why_not() {
    check(&[
        // A video goes as it is, if it says nothing beside its streams.
        (
            Given { kind: Some(Kind::Mp4), edges: None, ..jpeg("upload/t/clip.mp4") },
            &[
                "upload/t/clip.mp4: bundled for adobe-stock of 2026-11-28",
                "link upload/2026-11-28/adobe-stock/files/clip.mp4",
                "write upload/2026-11-28/adobe-stock/sidecars/clip.mp4.yaml",
                "write archive/t/t-0001.mp4.yaml",
                "move upload/t/clip.mp4 -> archive/t/t-0001.mp4",
            ],
        ),
        (
            jpeg("upload/t/mine.jpg"),
            &[
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock/files/mine.jpg",
                "write upload/2026-11-28/adobe-stock/sidecars/mine.jpg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            ],
        ),
        (
            jpeg("upload/t/mine.jpeg"),
            &[
                "upload/t/mine.jpeg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock/files/mine.jpeg",
                "write upload/2026-11-28/adobe-stock/sidecars/mine.jpeg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.jpeg -> archive/t/t-0001.jpg",
            ],
        ),
        (
            jpeg("upload/t/mine.png"),
            &[
                "upload/t/mine.png: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock/files/mine.jpg",
                "write upload/2026-11-28/adobe-stock/sidecars/mine.jpg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.png -> archive/t/t-0001.jpg",
            ],
        ),
        (
            Given {
                is_own: true,
                companions: &["upload/t/t-0007.xmp", "upload/t/t-0007.txt"],
                ..jpeg("upload/t/t-0007.jpg")
            },
            &[
                "upload/t/t-0007.jpg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock/files/t-0007.jpg",
                "write upload/2026-11-28/adobe-stock/sidecars/t-0007.jpg.yaml",
                "move upload/t/t-0007.xmp -> upload/2026-11-28/adobe-stock/sidecars/t-0007.xmp",
                "move upload/t/t-0007.txt -> upload/2026-11-28/adobe-stock/sidecars/t-0007.txt",
                "remove upload/t/t-0007.jpg",
                "remove upload/t/t-0007.jpg.yaml",
            ],
        ),
        (
            picture("upload/t/mine.png"),
            &[
                "waits: adobe-stock refuses it: it is png, and the market takes jpeg, mp4, mov; it has 1.0 megapixels, and the market takes 4 to 100",
            ],
        ),
        (
            Given { is_untitled: true, ..jpeg("upload/t/mine.jpg") },
            &[
                "waits: adobe-stock refuses it: it has no title; write one in the theme's tags.yaml; it has 0 keywords and needs 1; write them in the theme's tags.yaml",
            ],
        ),
        (
            Given { bundled_for: &["adobe-stock"], ..jpeg("upload/t/mine.jpg") },
            &["waits: adobe-stock refuses it: it was bundled for this market before"],
        ),
        (
            Given { bundles: &[(1, 3, 500, false)], ..jpeg("upload/t/mine.jpg") },
            &[
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock/files/mine.jpg",
                "write upload/2026-11-28/adobe-stock/sidecars/mine.jpg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            ],
        ),
        (
            Given { bundles: &[(1, 3, 500, true)], ..jpeg("upload/t/mine.jpg") },
            &[
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock-2/files/mine.jpg",
                "write upload/2026-11-28/adobe-stock-2/sidecars/mine.jpg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            ],
        ),
        (
            Given { bundles: &[(1, 5_000, 500, false)], ..jpeg("upload/t/mine.jpg") },
            &[
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock-2/files/mine.jpg",
                "write upload/2026-11-28/adobe-stock-2/sidecars/mine.jpg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            ],
        ),
        (
            Given { bundles: &[(1, 4_999, 500, false)], ..jpeg("upload/t/mine.jpg") },
            &[
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock/files/mine.jpg",
                "write upload/2026-11-28/adobe-stock/sidecars/mine.jpg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            ],
        ),
        (
            Given { bundles: &[(1, 3, 990_000_000, false)], ..jpeg("upload/t/mine.jpg") },
            &[
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock-2/files/mine.jpg",
                "write upload/2026-11-28/adobe-stock-2/sidecars/mine.jpg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            ],
        ),
        (
            Given { bundles: &[(1, 5_000, 500, false), (2, 1, 1, true)], ..jpeg("upload/t/mine.jpg") },
            &[
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock-3/files/mine.jpg",
                "write upload/2026-11-28/adobe-stock-3/sidecars/mine.jpg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            ],
        ),
        (
            Given { bundles: &[(1, 5_000, 500, false), (2, 1, 1, false)], ..jpeg("upload/t/mine.jpg") },
            &[
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock-2/files/mine.jpg",
                "write upload/2026-11-28/adobe-stock-2/sidecars/mine.jpg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            ],
        ),
        (
            Given { taken: &["upload/2026-11-28/adobe-stock/files/mine.jpg"], ..jpeg("upload/t/mine.jpg") },
            &[
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock/files/mine-6ddc.jpg",
                "write upload/2026-11-28/adobe-stock/sidecars/mine-6ddc.jpg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            ],
        ),
        (
            Given { taken: &["upload/2026-11-28/adobe-stock/sidecars/mine.jpg.yaml"], ..jpeg("upload/t/mine.jpg") },
            &[
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28",
                "make upload/2026-11-28/adobe-stock/files/mine-6ddc.jpg",
                "write upload/2026-11-28/adobe-stock/sidecars/mine-6ddc.jpg.yaml",
                "write archive/t/t-0001.jpg.yaml",
                "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            ],
        ),
    ]);
}
