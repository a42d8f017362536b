use std::collections::{BTreeMap, BTreeSet};

use super::bundle::BundleAsset;
use crate::model::iim::{Short, short};
use crate::model::{Kind, counted, escape_bytes};

/// How a line begins and ends that says of which texts IPTC has only the beginning.
pub(super) const SHORT: (&str, &str) = ("> IPTC has only the beginning of ", "; XMP has all.");

/// Returns the line about texts that are cut in IPTC: a reader that looks nowhere else shows less than the CSV says.
pub(super) fn of_short(assets: &[BundleAsset]) -> Option<String> {
    let mut files: BTreeMap<(&str, usize), BTreeSet<&str>> = BTreeMap::new();
    for asset in assets.iter().filter(|asset| asset.is_tagged && is_picture(&asset.file_name)) {
        for short in short(&asset.fitted.meta) {
            let what = match short {
                Short::Title => "the title",
                Short::Description => "the description",
                Short::Creator => "the creator",
                Short::Rights => "the rights",
                Short::Keyword(_) => "keywords",
            };
            files.entry((what, short.bytes_max())).or_default().insert(&asset.file_name);
        }
    }
    let told = |((what, bytes_max), files): ((&str, usize), BTreeSet<&str>)| {
        let first = escape_bytes(files.first().copied().unwrap_or_default().as_bytes());
        let more = files.len() - 1;
        let more = if more > 0 { format!(" and {}", counted(more, "more file")) } else { String::new() };
        format!("{what} of `{first}`{more} ({bytes_max} bytes)")
    };
    let told: Vec<String> = files.into_iter().map(told).collect();
    (!told.is_empty()).then(|| format!("{}{}{}", SHORT.0, told.join(", "), SHORT.1))
}

/// Returns whether a file has IPTC: only pictures do.
fn is_picture(file_name: &str) -> bool {
    let extension = file_name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
    // A file that a person finished keeps the way in which its extension is written.
    let extension = match extension.as_str() {
        "jpeg" => "jpg",
        "tiff" => "tif",
        other => other,
    };
    Kind::ALL.into_iter().any(|kind| kind.is_image() && kind.extension() == Some(extension))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Fitted;
    use crate::model::Meta;

    /// Only the log said that the market's own reader sees half of a title.
    #[test]
    fn texts_that_iptc_cuts_are_told_together() {
        let asset = |file: &str, title: &str, rights: usize, keyword: usize| BundleAsset {
            file_name: file.to_owned(),
            fitted: Fitted {
                meta: Meta {
                    title: title.to_owned(),
                    rights: "r".repeat(rights),
                    keywords: vec!["k".repeat(keyword), "l".repeat(keyword)],
                    ..Meta::default()
                },
                left_out: Vec::new(),
            },
            category: None,
            look: None,
            people: None,
            warnings: Vec::new(),
            video: None,
            is_tagged: file != "untagged.jpg",
            is_retouched: false,
            against: None,
            went: None,
        };
        let long = "t".repeat(65);
        // The files, and what stands between the start and the end of the line.
        let rows: [(&[BundleAsset], Option<&str>); 6] = [
            (&[asset("a.jpg", &long[1..], 128, 64)], None),
            (&[asset("a.mp4", &long, 0, 0), asset("untagged.jpg", &long, 0, 0)], None),
            (&[asset("a.jpg", &long, 0, 0)], Some("the title of `a.jpg` (64 bytes)")),
            (&[asset("a.JPEG", &long, 0, 0)], Some("the title of `a.JPEG` (64 bytes)")),
            (&[asset("a.tiff", &long, 0, 0)], Some("the title of `a.tiff` (64 bytes)")),
            (
                &[asset("b.png", &long, 129, 65), asset("a.jpg", &long, 0, 0), asset("c.jpg", &long, 0, 0)],
                Some(
                    "keywords of `b.png` (64 bytes), the rights of `b.png` (128 bytes), the title of `a.jpg` and 2 more \
                     files (64 bytes)",
                ),
            ),
        ];
        for (assets, expected) in rows {
            let expected = expected.map(|told| format!("> IPTC has only the beginning of {told}; XMP has all."));
            assert_eq!(of_short(assets), expected);
        }
    }
}
