use super::{Settings, Target};
use crate::market::{Accepts, Market, ai_policy, megapixels_of_edge};
use crate::model::Method;

/// Returns what is sound in the settings, and by which pictures wait in `upload`, or do not go to a market that they name.
pub fn advice(settings: &Settings) -> Vec<String> {
    let (markets, keep, format) = (&settings.upload.markets, &settings.keep, settings.export.format);
    if markets.is_empty() {
        return Vec::new();
    }
    let mut advice = Vec::new();
    if !markets.iter().any(|market| market.kinds.contains(&format.kind())) {
        let title = format.title();
        advice.push(format!(
            "`export.format` is {title}, and no market of `upload.markets` takes that: every picture would wait in `upload`; \
             set another format, take back each that waits there with `stockmill undo FILE`, and let it go on with \
             `stockmill release export`"
        ));
    }
    let source_type = settings.defaults.source_type.unwrap_or_default();
    if source_type.is_by_ai() {
        advice.extend(markets.iter().filter_map(gets_nothing));
    }
    if source_type.is_by_ai() && markets.iter().all(|market| market.accepts_ai != Accepts::Yes) {
        let term = source_type.uri();
        let term = term.rsplit('/').next().unwrap_or_default();
        advice.push(format!(
            "no market of `upload.markets` takes work made by AI, which `defaults.source_type` ({term}) says of all: name \
             another market, or say in the tags of a theme how it came to be"
        ));
    }
    let least = markets.iter().map(|market| market.megapixels.min).fold(f64::INFINITY, f64::min);
    if let Target::MinMegapixels(wanted) = keep.target
        && keep.method != Method::None
        && wanted.min(keep.megapixels_max) < least
    {
        advice.push(format!(
            "`keep` enlarges to {} megapixels, and each market of `upload.markets` takes {least} or more: smaller pictures \
             would wait in `upload`; set `min_megapixels` to {least} or more",
            wanted.min(keep.megapixels_max)
        ));
    }
    if let Target::MinMegapixels(wanted) = keep.target
        && keep.method != Method::None
    {
        advice.extend(markets.iter().filter_map(|market| too_narrow(market, wanted.min(keep.megapixels_max))));
    }
    advice
}

/// Returns what a market's edges ask for that so many megapixels are not enough for, by pictures of 16 to 9.
fn too_narrow(market: &Market, megapixels: f64) -> Option<String> {
    let least = megapixels_of_edge(market.edge.min, 16, 9);
    (megapixels < least && least <= market.megapixels.max).then(|| {
        format!(
            "`{}` takes edges of {} pixels or more, and `keep` enlarges to {megapixels} megapixels, which narrow pictures \
             have with shorter ones: with `keep: {{min_megapixels: {least}}}` those of 16 to 9 have such edges",
            market.name, market.edge.min
        )
    })
}

/// Returns what a market says of work made by AI, and that it gets nothing of it; `None` if it takes that.
fn gets_nothing(market: &Market) -> Option<String> {
    let until = match market.accepts_ai {
        Accepts::Unknown => " until a profile of your own in `markets/` says `accepts_ai: true` or `false`",
        _ => "; what it takes has another `source_type` in its tags",
    };
    ai_policy(market).map(|said| format!("{said}: nothing that AI made goes there{until}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::load;
    use crate::market::built_in;

    #[test]
    fn what_no_market_takes_is_told() {
        let rows: [(&str, &[&str]); 13] = [
            ("", &[]),
            // Its edges were told only once pictures lay there.
            (
                "upload: {markets: [magnific]}",
                &[
                    "takes edges of 2000 pixels or more, and `keep` enlarges to 4.2 megapixels, which narrow pictures have",
                ],
            ),
            ("upload: {markets: [magnific]}\nkeep: {min_megapixels: 7.2}", &[]),
            ("export: {format: png}", &["each that waits there with `stockmill undo FILE`, and let it go on"]),
            ("keep: {min_megapixels: 3}", &["enlarges to 3 megapixels, and each market of `upload.markets` takes 4"]),
            ("keep: {min_megapixels: 3, method: none}", &[]),
            ("keep: {scale: 2}", &[]),
            (
                "upload: {markets: [pond5, canva]}",
                &[
                    "`pond5` takes no work made by AI: refuses AI-generated work, and suspends who sends it repeatedly (",
                    "`canva` is not known to take work made by AI: its rule on AI-made work is not established (",
                    "no market of `upload.markets` takes work made by AI",
                ],
            ),
            // Others take it, and so nothing was told.
            (
                "upload: {markets: [adobe-stock, alamy, canva]}",
                &[
                    "(2024), 2026-11-28): nothing that AI made goes there; what it takes has another `source_type`",
                    "2026-11-23): nothing that AI made goes there until a profile of your own",
                ],
            ),
            ("upload: {markets: [pond5]}\ndefaults: {source_type: digitalCapture}", &[]),
            ("keep: {min_megapixels: 4, megapixels_max: 3}", &["enlarges to 3 megapixels"]),
            ("export: {format: webp}\nkeep: {min_megapixels: 1}", &["is WebP", "enlarges to 1 megapixels"]),
            ("export: {format: webp}\nupload: {markets: []}", &[]),
        ];
        for (text, expected) in rows {
            let settings = load(text, Path::new("/mill"), &built_in().unwrap()).unwrap();
            let told = advice(&settings);
            assert_eq!(told.len(), expected.len(), "{text}: {told:?}");
            assert!(told.iter().zip(expected).all(|(told, part)| told.contains(part)), "{text}: {told:?}");
        }
    }
}
