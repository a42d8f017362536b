//! Bundles.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Facts, Given, check, jpeg, path, picture};
use crate::market::{AiFlag, Charset, Code};
use crate::model::{
    ByteRange, ColourSpace, Colours, ContentHash, Kind, MarketName, Output, Profile, Render, Stage, Tags, Template,
    ThemeSlug,
};
use crate::plan::{
    Bundled, Context, Copied, NoRoom, Product, Recipe, Refusal, Rules, is_finished_of, may_be_made, plan_asset,
    plan_offer,
};
use crate::records::{Got, Happened, Private, RowDigest, Sidecar};

const DAY: &str = "upload/2026-11-28";

/// What lies there, how its file is put into the bundle, into which bundle, and under which name.
type Joins<'a> = (Given<'a>, &'a str, &'a str);

#[test]
fn what_is_finished_joins_the_open_bundle() {
    let mine = |bundles| Given { bundles, ..jpeg("upload/t/mine.jpg") };
    let taken = |taken| Given { taken, ..jpeg("upload/t/mine.jpg") };
    let rows: [Joins<'_>; 14] = [
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
        // Another file had it in an earlier bundle, which the portal still knows.
        (Given { had: &["mine.jpg"], ..jpeg("upload/t/mine.jpg") }, "adobe-stock", "mine-6ddc.jpg"),
    ];
    for (given, bundle, name) in rows {
        let from = given.path;
        let archived = format!("archive/t/t-0001.{}", if name.ends_with("mp4") { "mp4" } else { "jpg" });
        let named =
            "its file is named `mine-6ddc.jpg`, since another file for this market has, or had, the name `mine.jpg`";
        let named = if name == "mine-6ddc.jpg" { format!("; {named}") } else { String::new() };
        let expected = [
            format!("{from}: bundled for adobe-stock of 2026-11-28{named}"),
            format!("make {DAY}/{bundle}/files/{name}"),
            format!("write {DAY}/{bundle}/sidecars/{name}.yaml"),
            format!("write {archived}.yaml"),
            format!("move {from} -> {archived}"),
        ];
        assert_eq!(given.planned(), expected, "{bundle}/{name}");
    }
}

/// What came along lay in a bundle alone: whoever deleted that once it was sent lost it.
#[test]
fn companions_are_kept_with_the_original_and_what_can_be_made_again_goes() {
    let companions = &["upload/t/t-0007.xmp", "upload/t/t-0007.txt"];
    check(&[(
        Given { is_own: true, companions, ..jpeg("upload/t/t-0007.jpg") },
        &[
            "upload/t/t-0007.jpg: bundled for adobe-stock of 2026-11-28",
            "make upload/2026-11-28/adobe-stock/files/t-0007.jpg",
            "write upload/2026-11-28/adobe-stock/sidecars/t-0007.jpg.yaml",
            "write upload/2026-11-28/adobe-stock/sidecars/t-0007.xmp",
            "move upload/t/t-0007.xmp -> archive/t/t-0007.xmp",
            "move upload/t/t-0007.txt -> archive/t/t-0007.txt",
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
            "upload/t/mine.jpg: bundled for adobe-stock, other of 2026-11-28",
            "make upload/2026-11-28/adobe-stock/files/mine.jpg",
            "write upload/2026-11-28/adobe-stock/sidecars/mine.jpg.yaml",
            "link upload/2026-11-28/other/files/mine.jpg",
            "write upload/2026-11-28/other/sidecars/mine.jpg.yaml",
            "write archive/t/t-0001.jpg.yaml",
            "write upload/2026-11-28/adobe-stock/sidecars/mine.xmp",
            "write upload/2026-11-28/other/sidecars/mine.xmp",
            "move upload/t/mine.jpg -> archive/t/t-0001.jpg",
            "move upload/t/mine.xmp -> archive/t/t-0001.xmp",
            "move upload/t/mine.txt -> archive/t/t-0001.txt",
        ],
    )]);
}

/// The parts of a model lay in the bundle of the first market alone: those of the others had none, and whoever deleted the first
/// one lost them.
#[test]
fn the_parts_of_a_model_are_kept_with_it_and_lie_in_each_bundle() {
    const PART_TAKEN: &str = "upload/2026-11-28/adobe-stock/parts/m.obj/m.mtl";
    // What lies there, which names are taken, where the model is kept, and its name in the bundles.
    type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a str], &'a str, &'a [&'a str], &'a str);
    let rows: [Row<'_>; 5] = [
        // It keeps its own folder.
        ("c-0001/source/m.obj", &["c-0001/m.mtl"], &[], "c-0001/source/m.obj", &["c-0001/m.mtl"], "m.obj"),
        // In no folder of its own, it gets one: two models may have parts of the same name.
        ("m.obj", &["m.mtl", "tex/w.png"], &[], "t-0001/m.obj", &["t-0001/m.mtl", "t-0001/tex/w.png"], "m.obj"),
        // What lies there already stays as it is.
        (
            "c-0001/m.obj",
            &["c-0001/m.mtl"],
            &["archive/t/c-0001/m.mtl"],
            "c-0001/t-0001/m.obj",
            &["c-0001/t-0001/m.mtl"],
            "m.obj",
        ),
        (
            "c-0001/m.obj",
            &["c-0001/m.mtl"],
            &["archive/t/c-0001/m.obj.yaml"],
            "c-0001/t-0001/m.obj",
            &["c-0001/t-0001/m.mtl"],
            "m.obj",
        ),
        ("m.obj", &["m.mtl"], &[PART_TAKEN], "t-0001/m.obj", &["t-0001/m.mtl"], "m-6ddc.obj"),
    ];
    for (file, parts, taken, kept, kept_parts, name) in rows {
        let file = format!("upload/t/{file}");
        let members: Vec<String> = parts.iter().map(|part| format!("upload/t/{part}")).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        let given = Given { taken, has_second_market: true, ..super::model(&file, &members) };
        let plan = given.decide(|facts, context| {
            let mut rules = context.rules.clone();
            rules.markets.iter_mut().for_each(|market| market.kinds.push(Kind::Obj));
            plan_asset(facts, &Context { rules: &rules, ..*context }).unwrap()
        });
        let base = if file.contains("/c-0001/") { "upload/t/c-0001/" } else { "upload/t/" };
        for (market, verb) in [("adobe-stock", "write"), ("other", "link")] {
            for part in &members {
                let inner = part.strip_prefix(base).unwrap();
                let folder = if market == "other" { "m.obj" } else { name };
                let line = format!("{verb} {DAY}/{market}/parts/{folder}/{inner}");
                assert!(super::lines(&plan).contains(&line), "{line}\n{plan}");
            }
        }
        let moves: Vec<(String, String)> =
            plan.moves.iter().map(|shift| (shift.from.to_string(), shift.to.to_string())).collect();
        let to = |place: &str| format!("archive/t/{place}");
        let of_parts = members.iter().zip(kept_parts).map(|(part, place)| ((*part).to_owned(), to(place)));
        let expected: Vec<(String, String)> = std::iter::once((file.clone(), to(kept))).chain(of_parts).collect();
        assert_eq!(moves, expected, "{plan}");
    }
}

/// Notes, prompts and places in the parts of a model lay in its bundles, to be uploaded; `archive` alone is to have them.
#[test]
fn parts_come_into_bundles_without_what_nobody_is_to_read() {
    use Copied::{AsItIs, Not, NotCleaned, WithoutMetadata};
    let parts = [
        ("m.mtl", AsItIs, Some("write")),
        ("tex/notes.txt", Not, None),
        ("tex/w.png", WithoutMetadata(Kind::Png), Some("make")),
        ("tex/w.exr", NotCleaned, Some("write")),
    ];
    let members: Vec<String> = parts.iter().map(|(part, ..)| format!("upload/t/{part}")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let given = Given { has_second_market: true, ..super::model("upload/t/m.obj", &members) };
    given.decide(|facts, context| {
        let mut rules = context.rules.clone();
        rules.markets.iter_mut().for_each(|market| market.kinds.push(Kind::Obj));
        let mut facts = Facts { personal_folder: Some("/home/jane".to_owned()), ..facts.clone() };
        facts.remarks = vec!["it names a folder".to_owned()];
        facts.members.iter_mut().zip(parts).for_each(|(part, (_, copied, _))| part.copied = copied);
        let plan = plan_asset(&facts, &Context { rules: &rules, ..*context }).unwrap();
        for (part, _, verb) in parts {
            let in_bundle = format!("{DAY}/adobe-stock/parts/m.obj/{part}");
            let written = plan.products.iter().find(|product| product.to.to_string() == in_bundle);
            assert_eq!(written.is_some(), verb.is_some(), "{part}: {plan}");
            for (market, verb) in [("adobe-stock", verb), ("other", verb.map(|_| "link"))] {
                let line = verb.map(|verb| format!("{verb} {DAY}/{market}/parts/m.obj/{part}"));
                assert!(line.is_none_or(|line| super::lines(&plan).contains(&line)), "{part}: {plan}");
            }
            let kept = format!("archive/t/t-0001/{part}");
            assert!(plan.moves.iter().any(|shift| shift.to.to_string() == kept), "{part}: {plan}");
        }
        let told = "1 part in no bundle, since no model uses such files and none here names them: `tex/notes.txt`; 1 part \
                    without metadata: `tex/w.png`; 1 part of which stockmill cannot take out what they say: `tex/w.exr`, \
                    look into them; it names a folder";
        assert!(plan.about.did.ends_with(told), "{}", plan.about.did);
        // It is made after them, and says how they are left.
        let of_sidecar = plan.products.iter().position(|product| matches!(product.recipe, Recipe::SidecarOf { .. }));
        let Recipe::SidecarOf { sidecar, .. } = &plan.products[of_sidecar.unwrap()].recipe else { panic!("{plan}") };
        let is_part = |product: &Product| product.to.to_string().starts_with(&format!("{DAY}/adobe-stock/parts/"));
        assert!(plan.products.iter().rposition(is_part) < of_sidecar, "{plan}");
        let private = Private { folder: facts.personal_folder, parts: vec![path("tex/w.exr")] };
        assert_eq!(sidecar.private, private);
        assert_eq!(Sidecar::parse(sidecar.to_text().as_bytes()).unwrap().private, private);
    });
}

/// No model went to a further market; its parts lie apart from it by then.
#[test]
fn a_bundled_model_goes_to_a_further_market_with_its_parts() {
    let bundle = "upload/2026-11-27/other";
    let (file, parts) = (format!("{bundle}/files/m.obj"), format!("{bundle}/parts/m.obj"));
    let former = format!("{bundle}/sidecars/m.obj.parts");
    for folder in [&parts, &former] {
        let members = ["m.mtl", "tex/w.png"].map(|part| format!("{folder}/{part}"));
        let members = members.each_ref().map(String::as_str);
        let given = Given { has_second_market: true, is_own: true, ..super::model(&file, &members) };
        let plan = given.decide(|facts, context| {
            let mut rules = context.rules.clone();
            rules.markets.iter_mut().for_each(|market| market.kinds.push(Kind::Obj));
            let asked = [rules.markets[0].name.clone()];
            plan_offer(facts, &asked, &Context { rules: &rules, ..*context }).unwrap()
        });
        let given: Vec<String> = plan.gives().map(ToString::to_string).collect();
        for name in ["files/m.obj", "parts/m.obj/m.mtl", "parts/m.obj/tex/w.png"] {
            assert!(given.contains(&format!("{DAY}/adobe-stock/{name}")), "{folder} {name}: {plan}");
        }
        assert_eq!(plan.moves, [], "{plan}");
    }
}

/// What a market had no room for was promised to it, also where it never got it.
#[test]
fn a_model_is_promised_to_no_market_if_nobody_can_tell_its_parts() {
    for (unsure, told) in [
        (None, "other gets it later: full"),
        (
            Some("nobody can tell all that it names"),
            "other does not get it by itself: nobody can tell all that it names; full",
        ),
    ] {
        let given = Given { has_second_market: true, ..super::model("upload/t/m.obj", &[]) };
        let plan = given.decide(|facts, context| {
            let mut rules = context.rules.clone();
            rules.markets.iter_mut().for_each(|market| market.kinds.push(Kind::Obj));
            let facts = Facts { unsure_of_parts: unsure.map(str::to_owned), ..facts.clone() };
            let full = NoRoom { why: "full".to_owned(), of_bundled: "full".to_owned(), opens: None };
            let no_room = |market: &MarketName, _: &ThemeSlug| (market.as_str() == "other").then(|| full.clone());
            plan_asset(&facts, &Context { rules: &rules, no_room: &no_room, ..*context }).unwrap()
        });
        assert_eq!(plan.not_for, [told], "{plan}");
    }
}

/// A video, and a picture that stockmill did not make, were stored once more for each market that got the same texts.
#[test]
fn markets_with_the_same_texts_share_one_file() {
    let clip = || Given { kind: Some(Kind::Mp4), edges: None, ..jpeg("upload/t/clip.mp4") };
    let tagless: fn(&mut Facts) = |facts| (facts.has_private, facts.tagless) = (true, Some("it is fragmented"));
    let finished = || Given { is_own: true, recipe: Some("JPEG quality 95 sRGB"), ..jpeg("upload/t/t-0007.jpg") };
    let rows: [(Given<'_>, fn(&mut Facts), bool, bool); 7] = [
        (clip(), |_| (), true, true),
        (clip(), |_| (), false, false),
        // What has no tags inside is the same whatever its texts are.
        (clip(), tagless, false, true),
        (jpeg("upload/t/mine.jpg"), |_| (), true, true),
        (jpeg("upload/t/mine.jpg"), |_| (), false, false),
        (finished(), |_| (), true, true),
        (jpeg("upload/t/mine.jpg"), |facts| facts.is_upright = false, true, true),
    ];
    for (given, change, has_same_texts, is_shared) in rows {
        let ai_flag = if has_same_texts {
            AiFlag::default()
        } else {
            AiFlag { in_title: Some("(AI)".to_owned()), ..AiFlag::default() }
        };
        let given = Given { has_second_market: true, ai_flag, ..given };
        given.decide(|facts, context| {
            let mut facts = facts.clone();
            change(&mut facts);
            let plan = plan_asset(&facts, context).unwrap();
            let got = matches!(plan.products[2].recipe, Recipe::SameAs { product: 0 });
            assert_eq!(got, is_shared, "{} {has_same_texts}: {:?}", given.path, plan.products[2].recipe);
        });
    }
}

#[test]
fn what_no_market_takes_waits_with_all_reasons() {
    check(&[
        (
            picture("upload/t/mine.png"),
            &["unwanted: adobe-stock refuses it: it is png, and the market takes jpeg, mp4, mov"],
        ),
        (
            Given { is_untitled: true, edges: Some((1000, 1000)), ..jpeg("upload/t/mine.jpg") },
            &[
                "unwanted: adobe-stock refuses it: it has 1.0 megapixels, and the market takes 4 to 100; with `keep: {min_megapixels: 4}` it is enlarged so far in `keep`, unless `keep.method` is `none`; what passed `keep` before goes through it again by `stockmill release keep --again`; it has no title, and 0 keywords of at least 1; write both in the theme's tags.yaml",
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
    let sold = "and nothing is sold there twice";
    let done = "no other market gets it; if you are done with it, move it out of `upload`, or delete it";
    let rows = [
        (Bundled::Lies(file()), false, format!("it lies there as `{}`, {sold}", file())),
        (Bundled::Sent(file()), false, format!("it was sent as `{}`, {sold}", file())),
        (
            Bundled::TakenOut(bundle()),
            true,
            format!("and taken out of `{}`; `stockmill release upload --anyway` bundles it again", bundle()),
        ),
        (
            Bundled::StillUp(file()),
            true,
            format!(
                "and taken back after its upload as `{}`: delete that in the portal, tick so in the list of its bundle, and \
                 say `stockmill release upload`; `stockmill release upload --anyway` bundles it again as it is",
                file()
            ),
        ),
        (
            Bundled::BundleGone(bundle()),
            false,
            format!(
                "and nobody can tell whether it was sold, since `{}` is gone; if that was not sent, make this folder \
                 again, empty, and `stockmill release upload --anyway` bundles it again",
                bundle()
            ),
        ),
        (
            Bundled::Unknown("it is away".to_owned()),
            false,
            "and nobody can tell whether it was sold: it is away".to_owned(),
        ),
    ];
    for (bundled, goes_again, why) in rows {
        for is_released in [false, true] {
            let bundled = Some(bundled.clone());
            let planned = Given { is_released, bundled, ..jpeg("upload/t/mine.jpg") }.planned();
            let expected = if goes_again && is_released {
                "upload/t/mine.jpg: bundled for adobe-stock of 2026-11-28".to_owned()
            } else {
                format!(
                    "unwanted: adobe-stock does not get it again: it was bundled for this market before, {why}; {done}"
                )
            };
            assert_eq!(planned[0], expected, "released: {is_released}");
        }
    }
}

/// What a market refused went there again and again, each time with the next number in its title.
#[test]
fn another_number_in_a_title_mends_nothing() {
    let again = "bundled again, since it was mended, for adobe-stock of 2026-11-28";
    let unknown =
        "bundled again, since it was mended or has another number (which one it had is not on record), for adobe-stock";
    let same = "it refused it as `upload/2026-11-20/adobe-stock/files/a.jpg` (noise), and would get the same again";
    // The title that it was refused with, the number that is on record of it, the title that it has as number 7, and
    // what becomes of it.
    let rows = [
        ("Cabin {n}", Some(3), "Cabin {n}", format!("{same} with another number; change")),
        ("Cabin {n}", Some(3), "Lake {n}", again.to_owned()),
        ("Cabin {n}", None, "Cabin {n}", unknown.to_owned()),
        ("Cabin", Some(3), "Cabin", format!("{same}; change")),
        ("Cabin", None, "Cabin", format!("{same}; change")),
        ("Cabin", None, "Lake", again.to_owned()),
    ];
    for (was, number, now, expected) in rows {
        let planned = |title: &str, seq: u64, bundled_for: &BTreeMap<MarketName, Bundled>| {
            jpeg("upload/t/mine.jpg").decide(|facts, context| {
                let title = Some(title.to_owned());
                let layers: Vec<_> = context
                    .layers
                    .iter()
                    .map(|(layer, tags)| (layer.clone(), Tags { title: title.clone(), ..tags.clone() }))
                    .collect();
                let (layers, next_seq) = (&layers[..], &|_: &ThemeSlug, _: &ContentHash| seq);
                plan_asset(facts, &Context { layers, next_seq, bundled_for, ..*context })
            })
        };
        let first = planned(was, 3, &BTreeMap::new()).unwrap();
        let made = first.products.iter().find_map(|product| match &product.recipe {
            Recipe::SidecarOf { sidecar, .. } => sidecar.file.as_ref()?.fingerprint(),
            _ => None,
        });
        let file = path("upload/2026-11-20/adobe-stock/files/a.jpg");
        let got = Got { hash: ContentHash::of(b"refused"), row: None };
        let refusal = Refusal { file, reason: "noise".to_owned(), got, made: vec![made.unwrap()], number };
        let refused = [(MarketName::new("adobe-stock").unwrap(), Bundled::Refused(vec![refusal]))].into();
        let told = match planned(now, 7, &refused) {
            Ok(plan) => {
                // It was foretold as sure, and the daemon held what came out with the very bytes that were refused.
                let foretold = plan.to_string();
                let is_foretold =
                    foretold.contains("bundled again, if its bytes are not those that were refused, for adobe");
                assert!(is_foretold && !foretold.contains("mended"), "{foretold}");
                plan.about.did
            }
            Err(hold) => hold.to_string(),
        };
        assert!(told.contains(&expected), "{was}, {number:?}, {now}: {told}");
    }
}

/// What was refused for its category alone never went there again: its bytes stayed the same.
#[test]
fn what_a_row_alone_says_makes_a_refused_file_another_one() {
    let planned_with = |category: &str, seq: u64, refusal: Refusal, no_room: Option<NoRoom>| {
        let no_room = &|_: &MarketName, _: &ThemeSlug| no_room.clone();
        let bundled_for = &[(MarketName::new("adobe-stock").unwrap(), Bundled::Refused(vec![refusal]))].into();
        jpeg("upload/t/mine.jpg").decide(|facts, context| {
            let category = [("adobe-stock".to_owned(), category.to_owned())];
            let with = |tags: &Tags| Tags { category: category.clone().into(), ..tags.clone() };
            let layers: Vec<_> = context.layers.iter().map(|(layer, tags)| (layer.clone(), with(tags))).collect();
            let (layers, next_seq) = (&layers[..], &|_: &ThemeSlug, _: &ContentHash| seq);
            plan_asset(facts, &Context { layers, next_seq, bundled_for, no_room, ..*context })
        })
    };
    let planned = |category: &str, seq: u64, refusal: Refusal| planned_with(category, seq, refusal, None);
    let refusal = |row: Option<RowDigest>, made: Option<ContentHash>| {
        let (file, reason) = (path("upload/2026-11-20/adobe-stock/files/a.jpg"), "category".to_owned());
        let got = Got { hash: ContentHash::of(b"refused"), row };
        Refusal { file, reason, got, made: made.into_iter().collect(), number: Some(3) }
    };
    let made = |plan: &crate::plan::Plan| {
        let file = plan.products.iter().find_map(|product| match &product.recipe {
            Recipe::SidecarOf { sidecar, .. } => sidecar.file.as_ref()?.fingerprint(),
            _ => None,
        });
        file.unwrap()
    };
    let first = planned("1", 3, refusal(None, None)).unwrap();
    let (row, made) = (first.again[0].1.clone(), made(&first));
    // Nothing is known of how that one was made: it shows once this one is made.
    let unsure = "adobe-stock refused it as `upload/2026-11-20/adobe-stock/files/a.jpg` (category), and gets it again only if \
                  its bytes are not those that were refused, which shows once it is made; change its picture";
    assert!(first.unsure.len() == 1 && first.unsure[0].starts_with(unsure), "{:?}", first.unsure);
    let same = "would get the same again; change its tags or the file itself; no other market";
    let not_known = "what else the market was told of it is not on record";
    let again = "bundled again, since its picture or its tags were mended, for adobe-stock of 2026-11-28";
    for (row, category, seq, expected) in [
        (Some(&row), "1", 3, same),
        (Some(&row), "1", 7, same),
        (Some(&row), "11", 3, again),
        (Some(&row), "11", 7, again),
        (None, "11", 3, not_known),
    ] {
        let told = match planned(category, seq, refusal(row.cloned(), Some(made.clone()))) {
            Ok(plan) => {
                assert!(plan.unsure.is_empty() && plan.to_string().contains(again), "{plan}");
                plan.about.did
            }
            Err(hold) => hold.to_string(),
        };
        assert!(told.contains(expected), "{category} {seq}: {told}");
        // It was promised to its market for when that has room, and never went there.
        let full = NoRoom { why: "it is full".to_owned(), of_bundled: "it is full".to_owned(), opens: None };
        let held = planned_with(category, seq, refusal(row.cloned(), Some(made.clone())), Some(full)).unwrap_err();
        let expected = if expected == again { "adobe-stock gets it later: it is full" } else { expected };
        assert!(held.to_string().contains(expected), "{category} {seq}: {held}");
    }
}

/// What was mended by its tags went to its market again under the name that this had refused, and nobody could tell which
/// of both its next list meant.
#[test]
fn what_was_refused_goes_again_under_another_name() {
    let id = crate::model::AssetId::of(&ContentHash::of(b"original")).to_string();
    let another = &*format!("t-{}-0007.jpg", &id[..4]);
    // The names that the market refused it under, and the one that it gets.
    let rows: [(&[&str], &str); 4] = [
        (&["u-0001.jpg"], "t-0007.jpg"),
        (&["t-0007.jpg"], another),
        (&["u-0001.jpg", "T-0007.JPG"], another),
        (&["t-0007.jpg", another], &format!("t-{}-0007.jpg", &id[..8])),
    ];
    for (names, expected) in rows {
        let refusal = |name: &&str| {
            let file = path("upload/2026-11-20/adobe-stock/files").join(name);
            let got = Got { hash: ContentHash::of(b"refused"), row: None };
            Refusal { file, reason: String::new(), got, made: Vec::new(), number: None }
        };
        let bundled = Some(Bundled::Refused(names.iter().map(refusal).collect()));
        let given = Given { is_own: true, bundled, ..jpeg("upload/t/t-0007.jpg") };
        let to = given.decide(plan_asset).unwrap().about.to.unwrap();
        assert_eq!(to.file_text(), expected, "{names:?}");
    }
}

/// Each market got the name that the file was finished under.
#[test]
fn a_market_has_a_rule_for_names_of_its_own() {
    for (rule, name) in [(None, "t-0007.jpg"), (Some("{theme|upper}_{seq:06}"), "T_000007.jpg")] {
        let given = Given { is_own: true, ..jpeg("upload/t/t-0007.jpg") };
        let got = given.decide(|facts, context| {
            let mut rules = context.rules.clone();
            let rule = rule.map(|rule| (rules.markets[0].name.clone(), Template::parse(rule).unwrap()));
            rules.naming.markets.extend(rule);
            let plan = plan_asset(facts, &Context { rules: &rules, ..*context }).unwrap();
            plan.about.to.unwrap().file_text()
        });
        assert_eq!(got, name);
    }
}

/// What a market of sRGB got with `export.profile: keep` could have any colours.
#[test]
fn a_market_that_does_not_take_the_colours_gets_a_file_in_srgb() {
    let made = "lanczos 500x500 to 2500x2000; JPEG quality 95 own-profile on #ffffff";
    let of = |space, is_grey| Some(Colours { space, is_grey });
    let finished = |colours| Given { is_own: true, recipe: Some(made), colours, ..jpeg("upload/t/t-0007.jpg") };
    let by = |recipe| Given { recipe: Some(recipe), ..finished(of(ColourSpace::DisplayP3, false)) };
    const COMMAND: &str = "command realesrgan x4 1f2e3d4c 500x500 to 2500x2000; JPEG quality 95 own-profile on #ffffff";
    const NET: &str = "model sharp-2x 1111111111111111111111111111111111111111111111111111111111111111 500x500 to 2500x2000; JPEG quality 95 own-profile on #ffffff";
    for (given, expected) in [
        (finished(None), "shared"),
        (finished(of(ColourSpace::DisplayP3, false)), "encoded anew from the original in sRGB, and "),
        // What enlarged it is missing, and is named.
        (by(COMMAND), "made again from its original: the settings name no program any more that enlarges pictures"),
        (
            by(NET),
            "made again from its original: the neural net that enlarged its picture, `models/sharp-2x.safetensors`, is not",
        ),
        (finished(of(ColourSpace::Srgb, true)), "shared"),
        (
            Given { colours: of(ColourSpace::Inks, false), ..jpeg("upload/t/mine.jpg") },
            "its colours are in inks (CMYK), and the market takes sRGB; it stays as it is",
        ),
    ] {
        let got = given.decide(|facts, context| {
            let mut rules = context.rules.clone();
            rules.export.profile = Profile::Keep;
            let plan = match plan_asset(facts, &Context { rules: &rules, ..*context }) {
                Ok(plan) => plan,
                Err(hold) => return hold.to_string(),
            };
            match &plan.products[0].recipe {
                Recipe::Render { render: Render { output: Output::Final { profile, bytes, .. }, .. }, .. } => {
                    assert_eq!((*profile, bytes.map(|bytes| bytes.max)), (Profile::Srgb, Some(45_000_000)));
                    plan.about.did
                }
                _ => "shared".to_owned(),
            }
        });
        assert!(got.contains(expected), "{got}");
    }
}

#[test]
fn what_no_quality_gave_is_not_made_for_a_market_later() {
    let finished = |recipe| Given { is_own: true, recipe: Some(recipe), ..jpeg("upload/t/t-0007.jpg") };
    // How the file of 3000000 bytes was made, the most bytes that the market takes, and whether it may get its own.
    for (given, max, expected) in [
        (finished("lanczos 500x500 to 2500x2000; JPEG quality 95 sRGB on #ffffff"), 2_000_000, true),
        (
            finished("lanczos 500x500 to 2500x2000; JPEG quality 80 sRGB 1 to 2500000 bytes on #ffffff"),
            2_000_000,
            false,
        ),
        (finished("lanczos 500x500 to 2500x2000; JPEG quality 80 sRGB 1 to 2500000 bytes on #ffffff"), 2_600_000, true),
        (finished("JPEG quality 95 keep"), 2_000_000, false),
    ] {
        let found = given.decide(|facts, context| {
            let mut market = context.rules.markets[0].clone();
            (market.bytes.min, market.bytes.max) = (1, max);
            may_be_made(&facts.sidecar.as_ref().unwrap().1, &market, facts.seen.size)
        });
        assert_eq!(found, expected, "{:?} {max}", given.recipe);
    }
}

/// What is merely taken out of the texts stood among the reasons, and so did bytes that another quality would mend.
#[test]
fn a_refusal_tells_what_a_person_can_do_something_about() {
    let made = "lanczos 500x500 to 2500x2000; JPEG quality 95 sRGB on #ffffff";
    let finished = || Given { is_own: true, recipe: Some(made), ..jpeg("upload/t/t-0007.jpg") };
    let mine = || jpeg("upload/t/mine.jpg");
    let nature = "it has no category; write `category: {adobe-stock: …}` in the theme's tags.yaml: nature …";
    let bytes = "it has 3000000 bytes, and the market takes at most 2500000; with fewer pixels it has fewer";
    let few = "it has 4 keywords and needs 5; write them in the theme's tags.yaml";
    let gone = "of its tags the market would get less: the market refuses the keywords `snow`";
    // The file; what the market refuses in texts, its most bytes, and all that is told.
    let rows: [(Given<'_>, &str, u64, &[&str]); 6] = [
        (finished(), "", 9_000_000, &[nature]),
        (finished(), "", 2_500_000, &[nature]),
        (mine(), "", 2_500_000, &[bytes, nature]),
        (Given { is_changed: true, ..finished() }, "", 2_500_000, &[bytes, nature]),
        // It has five as they are.
        (mine(), "snow", 9_000_000, &[few, nature, gone]),
        // What is taken out is no reason.
        (mine(), "a", 9_000_000, &[nature]),
    ];
    for (given, forbidden, bytes_max, told) in rows {
        given.decide(|facts, context| {
            let mut market = context.rules.markets[0].clone();
            market.bytes.max = bytes_max;
            market.keywords.min = 5;
            market.forbidden_words = vec![forbidden.to_owned()];
            market.categories = [("nature".to_owned(), Code::Word("N".to_owned()))].into();
            market.categories_of_a_file.min = 1;
            let rules = Rules { markets: vec![market], ..context.rules.clone() };
            let why = plan_asset(facts, &Context { rules: &rules, ..*context }).unwrap_err().to_string();
            assert_eq!(why, format!("adobe-stock refuses it: {}", told.join("; ")), "{} {forbidden}", given.path);
        });
    }
}

/// What was too large for one market, or too small, was never sold there.
#[test]
fn a_market_whose_limits_the_finished_file_misses_gets_its_own() {
    let made = "lanczos 500x500 to 2500x2000; JPEG quality 95 sRGB on #ffffff";
    let tried = "lanczos 500x500 to 2500x2000; JPEG quality 95 sRGB 1 to 2500000 bytes on #ffffff";
    let flat = "lanczos 500x500 to 2500x2000; JPEG quality 95 sRGB 5000000 to 30000000 bytes on #ffffff";
    let finished = || Given { is_own: true, recipe: Some(made), ..jpeg("upload/t/t-0007.jpg") };
    let range = |(min, max)| ByteRange { min, max };
    let (ample, low, lower, high) = ((1, 9_000_000), (1, 2_500_000), (1, 2_000_000), (4_000_000, 9_000_000));
    type Row<'a> = (Given<'a>, Vec<(u64, u64)>, Vec<(u64, u64)>, &'a str);
    // The file, of 3000000 bytes; what its markets take; what no quality gives it; how each gets its file.
    let rows: Vec<Row<'_>> = vec![
        (finished(), vec![ample, ample], vec![], "shared, shared"),
        (finished(), vec![ample, low], vec![], "shared, 1 to 2500000"),
        // Those that do not take the finished one share another one, as far as that can be.
        (finished(), vec![lower, low, ample], vec![], "1 to 2000000, like 0, shared"),
        (finished(), vec![lower, low, ample], vec![lower], "refused, 1 to 2500000, shared"),
        (finished(), vec![lower, high], vec![], "1 to 2000000, 4000000 to 9000000"),
        (finished(), vec![(1, 2_500_000), (2_000_000, 2_900_000)], vec![], "2000000 to 2500000, like 0"),
        (
            finished(),
            vec![(1, 2_500_000), (2_000_000, 2_900_000)],
            vec![(2_000_000, 2_500_000)],
            "1 to 2500000, 2000000 to 2900000",
        ),
        (finished(), vec![ample, low], vec![low], "shared, refused"),
        // What was to have so many bytes, and has not, cannot have them.
        (Given { recipe: Some(tried), ..finished() }, vec![ample, low, lower], vec![], "shared, refused, refused"),
        (Given { recipe: Some(tried), ..finished() }, vec![high], vec![], "4000000 to 9000000"),
        (Given { recipe: Some(flat), ..finished() }, vec![ample, (5_000_000, 80_000_000)], vec![], "shared, refused"),
        (Given { recipe: Some(flat), ..finished() }, vec![high], vec![], "4000000 to 9000000"),
        // What a person made or changed stays as it is.
        (jpeg("upload/t/mine.jpg"), vec![ample, low], vec![], "shared, refused"),
        (Given { is_changed: true, ..finished() }, vec![ample, low], vec![], "shared, refused"),
        (Given { recipe: Some("JPEG quality 95 keep"), ..finished() }, vec![ample, low], vec![], "shared, refused"),
    ];
    for (given, limits, unfit, expected) in rows {
        let unfit: Vec<(ByteRange, String)> =
            unfit.into_iter().map(|no| (range(no), "nothing gives it".to_owned())).collect();
        let got = given.decide(|facts, context| {
            let market = |(number, (min, max)): (usize, &(u64, u64))| {
                let mut market = context.rules.markets[0].clone();
                market.name = MarketName::new(&format!("m{number}")).unwrap();
                (market.bytes.min, market.bytes.max) = (*min, *max);
                market
            };
            let rules = Rules { markets: limits.iter().enumerate().map(market).collect(), ..context.rules.clone() };
            let plan = plan_asset(facts, &Context { rules: &rules, unfit: &unfit, ..*context }).unwrap();
            let of = |market: &str| {
                let is_its = |to: &str| to.contains(&format!("/{market}/files/"));
                let at = plan.products.iter().position(|product| is_its(&product.to.to_string()));
                let Some(at) = at else {
                    assert!(plan.about.did.contains(&format!("{market} refuses it: it has 3000000 bytes")), "{plan}");
                    return "refused".to_owned();
                };
                let is_own = plan.own_files.iter().any(|(own, _)| *own == at);
                match &plan.products[at].recipe {
                    Recipe::Render {
                        from,
                        render: Render { size: Some(_), output: Output::Final { bytes, .. }, .. },
                        ..
                    } if is_own => {
                        assert_eq!(from.to_string(), "archive/t/t-0007.png");
                        let ByteRange { min, max } = bytes.unwrap();
                        format!("{min} to {max}")
                    }
                    Recipe::SameAs { product } | Recipe::EmbedOf { product, .. } if is_own => {
                        format!("like {}", product / 2)
                    }
                    Recipe::Embed { .. } | Recipe::Same { .. } | Recipe::SameAs { .. } if !is_own => "shared".into(),
                    other => panic!("{other:?}"),
                }
            };
            (0..limits.len()).map(|number| of(&format!("m{number}"))).collect::<Vec<_>>().join(", ")
        });
        assert_eq!(got, expected, "{limits:?}, {unfit:?}");
    }
}

/// It was told of such a file that its original is not in the archive, where it lay.
#[test]
fn what_no_quality_gave_is_told_where_nobody_looked_for_the_original() {
    let tried = "lanczos 500x500 to 2500x2000; JPEG quality 95 sRGB 1 to 2500000 bytes on #ffffff";
    let given = Given { is_own: true, recipe: Some(tried), ..jpeg("upload/t/t-0007.jpg") };
    given.decide(|facts, context| {
        let mut rules = context.rules.clone();
        rules.markets[0].bytes.max = 2_500_000;
        let facts = Facts { has_original: false, ..facts.clone() };
        let why = plan_asset(&facts, &Context { rules: &rules, ..*context }).unwrap_err().to_string();
        assert!(why.contains("no quality that was tried gave it") && !why.contains("not in the archive"), "{why}");
    });
}

/// A market that took a file later got what another one has for its limits of bytes, under the cut name of that.
#[test]
fn what_is_offered_is_the_finished_file_or_made_like_it() {
    let finished = "lanczos 500x500 to 2500x2000; JPEG quality 95 sRGB on #ffffff";
    let own = "lanczos 500x500 to 2500x2000; JPEG quality 95 sRGB 1 to 3500000 bytes on #ffffff";
    let sized = "lanczos 500x500 to 2500x2000; JPEG quality 80 sRGB on #ffffff";
    let anew = "encoded anew from the original for its limits of bytes, and bundled for other of 2026-11-27";
    let (bundled, by_hand) = ("bundled for other of 2026-11-27", "changed by hand: version 2; bundled");
    // How the file was made, what its history tells, its name, whether its original is there, and how it is offered.
    let rows = [
        (finished, bundled, "t-0007.jpg", true, "bundled: t-0007.jpg"),
        (own, bundled, "t-0007.jpg", true, "bundled: t-0007.jpg"),
        (finished, by_hand, "mine.jpg", true, "bundled: mine.jpg"),
        (finished, bundled, "t0007.jpg", true, "bundled: t-0007.jpg"),
        (
            own,
            anew,
            "t0007.jpg",
            true,
            "encoded anew from the original for its limits of bytes, and bundled: t-0007.jpg",
        ),
        (own, anew, "t0007.jpg", false, "the limits of that one alone; it cannot be made again, since its original"),
    ];
    let told = |did: &str| vec![Happened { at: Timestamp::UNIX_EPOCH, stage: Stage::Upload, did: did.to_owned() }];
    for (recipe, did, name, has_original, expected) in rows {
        let path = format!("upload/2026-11-27/other/files/{name}");
        let given = Given { is_own: true, recipe: Some(recipe), has_second_market: true, ..jpeg(&path) };
        let got = given.decide(|facts, context| {
            let mut rules = context.rules.clone();
            rules.markets[1].file_name.charset = Charset::Alphanumeric;
            let (record, sidecar) = facts.sidecar.clone().unwrap();
            let sidecar = Some((record, Sidecar { history: told(did), ..sidecar }));
            let facts = Facts { has_original, sidecar, colours: Some(Colours::SRGB), ..facts.clone() };
            let asked = [rules.markets[0].name.clone()];
            match plan_offer(&facts, &asked, &Context { rules: &rules, ..*context }) {
                Ok(plan) => {
                    let is_made =
                        matches!(&plan.products[0].recipe, Recipe::Render { from, .. } if from.area() == "archive");
                    assert_eq!(is_made, did == anew, "{plan}");
                    assert_eq!(plan.about.markets, asked, "{plan}");
                    let how = plan.about.did.split(" for adobe-stock").next().unwrap().to_owned();
                    format!("{how}: {}", plan.about.to.unwrap().file_text())
                }
                Err(hold) => hold.to_string(),
            }
        });
        assert!(got == expected || !has_original && got.contains(expected), "{recipe} {did} {name}: {got}");
    }
    // Whether a file is the finished one of which a market has its own.
    let sidecar = |recipe: &str, did: &str| {
        let given = Given { is_own: true, recipe: Some(recipe), ..jpeg("upload/t/t-0007.jpg") };
        given.decide(|facts, _| Sidecar { history: told(did), ..facts.sidecar.clone().unwrap().1 })
    };
    for (recipe, did, expected) in
        [(finished, bundled, true), (own, bundled, true), (own, anew, false), (sized, bundled, false)]
    {
        assert_eq!(is_finished_of(&sidecar(recipe, did), &sidecar(own, anew)), expected, "{recipe} {did}");
    }
}
