//! What markets will say of what is not finished.

use super::{Given, jpeg, picture};
use crate::market::{Market, built_in};
use crate::model::Kind;
use crate::plan::{Context, Rules, foresee};

/// Returns what is foreseen of a file for some markets, of which each picture must have so many megapixels.
fn foreseen(given: &Given<'_>, names: &[&str], megapixels_min: f64) -> Vec<String> {
    let all = built_in().unwrap();
    let market = |name: &&str| {
        let mut market: Market = all.iter().find(|market| market.name == *name).unwrap().clone();
        market.megapixels.min = megapixels_min;
        market
    };
    given.decide(|facts, context| {
        let rules = Rules { markets: names.iter().map(market).collect(), ..context.rules.clone() };
        foresee(facts, &Context { rules: &rules, ..*context }).unwrap()
    })
}

/// A short description and too few pixels were told on upload day.
#[test]
fn what_a_market_will_refuse_is_foreseen_by_what_will_be_made() {
    let both: &[&str] = &["adobe-stock", "dreamstime"];
    let short = "dreamstime refuses it: its title, which stands in for a description of its own, has 21 characters, `AI generated` for \
         what AI made among them, and needs 50; write a description in the theme's tags.yaml";
    let small = |has: &str| format!("adobe-stock refuses it: it has {has} megapixels, and the market takes 6 to 100");
    let far = "it has 64x64 pixels, and would be enlarged 32.0 times";
    let icon = |path| Given { edges: Some((64, 64)), ..picture(path) };
    let untitled = Given { is_untitled: true, ..picture("keep/t/x.png") };
    // What lies there, its markets and how many megapixels they want; the start of each line that is told.
    let no_theme = Given { is_untitled: true, ..picture("keep/unsorted/x.png") };
    let there = "adobe-stock refuses it: it has no title, and 0 keywords of at least 1; write both in `unsorted/tags.yaml` of any stage";
    let rows: [(Given<'_>, &[&str], f64, &[&str]); 12] = [
        (picture("raw/t/x.png"), both, 4.0, &[short]),
        (picture("keep/t/x.png"), both, 4.0, &[short]),
        // `keep` makes 4.2 megapixels of it.
        (picture("raw/t/x.png"), &both[..1], 6.0, &[&small("4.2")]),
        (picture("keep/t/x.png"), &both[..1], 6.0, &[&small("4.2")]),
        (picture("export/t/x.png"), &both[..1], 6.0, &[&small("1.0")]),
        (jpeg("upload/t/x.jpg"), &both[..1], 6.0, &[&small("5.0")]),
        // Nobody knows how many bytes a JPEG will have.
        (picture("export/t/x.png"), &both[..1], 1.0, &[]),
        (icon("raw/t/x.png"), &both[..1], 4.0, &[&format!("`keep` will hold it: {far}")]),
        (icon("keep/t/x.png"), &both[..1], 4.0, &[far]),
        (
            untitled,
            &both[..1],
            4.0,
            &["adobe-stock refuses it: it has no title, and 0 keywords of at least 1; write both in the theme's"],
        ),
        (no_theme, &both[..1], 4.0, &[there]),
        (
            Given { kind: Some(Kind::Glb), edges: None, ..picture("raw/t/x.glb") },
            &both[..1],
            4.0,
            &["adobe-stock refuses it: it is glb, and the market takes jpeg, mp4, mov"],
        ),
    ];
    for (given, markets, megapixels_min, expected) in rows {
        let told = foreseen(&given, markets, megapixels_min);
        let is_so =
            told.len() == expected.len() && told.iter().zip(expected).all(|(told, start)| told.starts_with(start));
        assert!(is_so, "{}: {told:#?}", given.path);
    }
}
