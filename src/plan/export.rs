use super::asset::Asset;
use super::tags::digest;
use super::{Hold, Plan, Recipe, Rules};
use crate::config::ExportSettings;
use crate::market::Market;
use crate::model::{ByteRange, Enhance, Format, MarketName, Meta, Output, Render, Scans, Size, Upscaler};
use crate::records::{FileRecord, Step};

/// Gives a picture its final name, format, colour and metadata; everything else its final name.
pub(super) fn plan(asset: &Asset<'_>) -> Result<Plan, Hold> {
    let folder = asset.folder("upload");
    if !asset.facts.members.is_empty() {
        let to = asset.with_parts("upload", None);
        asset.parts_fit(&to)?;
        return Ok(asset.pass_on(&to, "passed on with its parts"));
    }
    let stem = asset.stem(&asset.context.rules.naming.last);
    if !asset.kind.is_image() {
        let to = asset.free_in(&folder, &stem, &asset.extension());
        return Ok(asset.pass_on(&to, "given its final name"));
    }
    let format = asset.context.rules.export.format;
    let to = asset.free_in(&folder, &stem, format.kind().extension().unwrap_or("jpg"));
    let (recipe, file) = anew(asset, format, &asset.tags().meta());
    let plan = asset.derive(&to, recipe, file, &format!("exported as {}", format.title()));
    Ok(Plan { bytes_for: bytes_for(asset.context.rules, format, asset.facts.size), ..plan })
}

/// Returns how a picture is encoded in a format with metadata, and the record of what comes of it.
pub(super) fn anew(asset: &Asset<'_>, format: Format, meta: &Meta) -> (Recipe, FileRecord) {
    let (output, step) = encoding(asset.context.rules, format, asset.facts.size, meta.clone());
    let render = Render { size: None, by: Upscaler::Lanczos, enhance: Enhance::default(), output, threads: 1 };
    let recipe = Recipe::Render { from: asset.facts.path.clone(), kind: asset.kind, render };
    (recipe, asset.derived(step, Some(digest(meta))))
}

/// Returns how a picture of a size is encoded in a format by the settings, and the step that its sidecar tells.
pub(super) fn encoding(rules: &Rules, format: Format, size: Option<Size>, meta: Meta) -> (Output, Step) {
    encoding_of_bytes(&rules.export, format, bytes(rules, format, size), meta)
}

/// Returns how a picture is encoded in a format that is to have so many bytes, and the step that its sidecar tells.
pub(super) fn encoding_of_bytes(
    settings: &ExportSettings,
    format: Format,
    bytes: Option<ByteRange>,
    meta: Meta,
) -> (Output, Step) {
    let ExportSettings { quality, profile, background, scans, .. } = *settings;
    let scans = if format == Format::Jpeg { scans } else { Scans::Baseline };
    let shown = (format == Format::Jpeg).then_some(background);
    let step = Step::Encoded { format, quality, profile, bytes, scans, background: shown };
    let meta = Some(meta);
    (Output::Final { format, quality, bytes, scans, subsampling: None, profile, background, meta }, step)
}

/// A JPEG of photographs has fewer bytes for each pixel, and more than a hundredth of one.
const PIXEL_BYTES_MAX: u64 = 3;
const PIXELS_OF_A_BYTE: u64 = 100;
/// From one quality to the next a JPEG grows by some hundredths: none is likely within less than a tenth.
const PARTS_LEAST: u64 = 10;

/// Returns how many bytes a JPEG is to have for all markets that take it, if they may matter in its size. Where no size
/// suits all of them, or hardly one, it is left to each whether it takes the file or gets one of its own.
fn bytes(rules: &Rules, format: Format, size: Option<Size>) -> Option<ByteRange> {
    let pixels = size.filter(|_| format == Format::Jpeg)?.pixels();
    let (min, max) = of_format(rules, format)
        .fold((0, u64::MAX), |(min, max), market| (min.max(market.bytes.min), max.min(market.bytes.max)));
    let may_matter = max < pixels * PIXEL_BYTES_MAX || min > pixels / PIXELS_OF_A_BYTE;
    (may_matter && min <= max && max - min >= min / PARTS_LEAST).then_some(ByteRange { min, max })
}

fn of_format(rules: &Rules, format: Format) -> impl Iterator<Item = &Market> {
    rules.markets.iter().filter(move |market| market.kinds.contains(&format.kind()))
}

/// Returns the markets that have the narrowest limits of those that [`bytes`] puts together.
pub(super) fn bytes_for(rules: &Rules, format: Format, size: Option<Size>) -> Vec<MarketName> {
    let Some(range) = bytes(rules, format, size) else { return Vec::new() };
    let bounds = |market: &&Market| {
        let has_least = range.min > 1 && market.bytes.min == range.min;
        has_least || range.max < u64::MAX && market.bytes.max == range.max
    };
    of_format(rules, format).filter(bounds).map(|market| market.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{DEFAULT_TEXT, load};
    use crate::market::{Market, built_in};

    /// Limits of two markets that hardly meet made nearly every picture be encoded four times, and told a range of bytes
    /// that nobody wrote.
    #[test]
    fn limits_that_hardly_meet_are_left_to_each_market() {
        let settings = load(DEFAULT_TEXT, Path::new("/mill"), &built_in().unwrap()).unwrap();
        let size = Some(Size { width: 2500, height: 2000 });
        // The limits of each market, how many bytes a JPEG is to have for all, and which of them have the narrowest.
        let rows: [(&[(u64, u64)], Option<(u64, u64)>, &str); 7] = [
            (&[(1, 1_500_000)], Some((1, 1_500_000)), "m0"),
            (&[(1, 1_500_000), (1, 9_000_000)], Some((1, 1_500_000)), "m0"),
            (&[(1, 1_500_000), (1_000_000, 9_000_000)], Some((1_000_000, 1_500_000)), "m0 m1"),
            (&[(1, 9_000_000), (1_000_000, 1_100_000)], Some((1_000_000, 1_100_000)), "m1"),
            (&[(1, 1_099_999), (1_000_000, 9_000_000)], None, ""),
            (&[(1, 1_500_000), (1_500_000, 9_000_000)], None, ""),
            (&[(1, 1_500_000), (2_000_000, 9_000_000)], None, ""),
        ];
        for (limits, expected, names) in rows {
            let market = |(number, (min, max)): (usize, &(u64, u64))| {
                let mut market: Market = settings.upload.markets[0].clone();
                market.name = MarketName::new(&format!("m{number}")).unwrap();
                (market.bytes.min, market.bytes.max) = (*min, *max);
                market
            };
            let rules = Rules {
                naming: settings.naming.clone(),
                keep: settings.keep.clone(),
                export: settings.export.clone(),
                markets: limits.iter().enumerate().map(market).collect(),
                is_upload_held: false,
                names: settings.upload.names.clone(),
                prompts_max: 10,
                nets: std::collections::BTreeMap::new(),
            };
            let expected = expected.map(|(min, max)| ByteRange { min, max });
            assert_eq!(bytes(&rules, Format::Jpeg, size), expected, "{limits:?}");
            let of: Vec<String> = bytes_for(&rules, Format::Jpeg, size).iter().map(ToString::to_string).collect();
            assert_eq!(of.join(" "), names, "{limits:?}");
        }
    }
}
