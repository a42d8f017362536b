use std::path::Path;

use super::*;
use crate::config::load;
use crate::market::built_in;
use crate::model::{AssetId, Method, NetName, Tags};
use crate::plan::tags::{Layer, resolve};

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn rules(settings: &str) -> Rules {
    let mut settings = load(settings, Path::new("/mill"), &built_in().unwrap()).unwrap();
    if settings.keep.method == Method::Auto {
        settings.keep.method = Method::Lanczos;
    }
    Rules {
        naming: settings.naming,
        keep: settings.keep,
        export: settings.export,
        markets: settings.upload.markets,
        is_upload_held: false,
        names: settings.upload.names,
        prompts_max: 10,
        nets: [
            (NetName::new("4x-foto").unwrap(), Ok(ContentHash::of(b"a net"))),
            (NetName::new("absent").unwrap(), Err("it is not there".to_owned())),
        ]
        .into(),
    }
}

/// What is on record of a picture of 100x100 that went all the way; its JPEG is white behind what is transparent.
#[derive(Clone, Copy)]
struct Given {
    dropped: &'static str,
    kind: Kind,
    recipe: Option<&'static str>,
    has_input: bool,
    has_original: bool,
    passed_keep: bool,
    file: &'static str,
}

const BUNDLED: &str = "upload/2026-11-28/adobe-stock/files/t-0001.jpg";
const DONE: Given = Given {
    dropped: "raw/t/x.png",
    kind: Kind::Png,
    recipe: Some("lanczos 100x100 to 200x200 sharpen low; JPEG quality 95 sRGB on #ffffff"),
    has_input: true,
    has_original: true,
    passed_keep: true,
    file: BUNDLED,
};
const MASTER: Given =
    Given { recipe: Some("lanczos 100x100 to 200x200 sharpen low"), file: "export/t/t-0001.png", ..DONE };
const ORIGINAL: Given = Given { recipe: None, has_input: false, file: "export/t/t-0001.png", ..DONE };

fn sidecar(given: &Given) -> Sidecar {
    let hash = ContentHash::of(b"original");
    let made = given.recipe.map_or(hash.clone(), |_| ContentHash::of(b"made"));
    let origin = Origin {
        path: path(given.dropped),
        hash: hash.clone(),
        kind: given.kind,
        size: Some(Size { width: 100, height: 100 }),
        archived: Some(path("archive/t/t-0001.png")),
    };
    let recipe = given.recipe.map(|text| Derivation::from(text.to_owned()));
    let input = given.has_input.then_some(hash);
    let happened = |stage| Happened { at: "2026-11-27T12:00:00Z".parse().unwrap(), stage, did: "passed on".to_owned() };
    Sidecar {
        id: Some(AssetId::of(&made)),
        origin: Some(origin),
        file: Some(FileRecord { recipe, input, ..FileRecord::of_original(made) }),
        history: given
            .passed_keep
            .then(|| happened(Stage::Keep))
            .into_iter()
            .chain([happened(Stage::Upload)])
            .collect(),
        ..Sidecar::default()
    }
}

fn told_of(given: &Given, settings: &str) -> String {
    let rules = rules(settings);
    match freshness(&path(given.file), &sidecar(given), given.has_original, &rules.keep, &rules, &|| None) {
        Freshness::Current => "current".to_owned(),
        Freshness::Unknown(why) => format!("unknown: {why}"),
        Freshness::Stale(stale) => match &stale.remake {
            Ok(_) => stale.today.to_string(),
            Err(why) => format!("{}, but {why}", stale.today),
        },
    }
}

/// Checks what is told of each product by each settings.
fn agree(rows: &[(Given, &str, String)]) {
    for (given, settings, expected) in rows {
        assert_eq!(told_of(given, settings), *expected, "{:?} {} {settings}", given.recipe, given.file);
    }
}

/// A file that was made for the limits of one market was called stale, and made anew for those of all.
#[test]
fn a_file_of_a_market_of_its_own_is_made_for_its_limits() {
    let bundled = |market: &str, bytes: &'static str, quality: &str| {
        let quality = if quality == "keep" { "95" } else { quality };
        let recipe = format!("JPEG quality {quality} sRGB{bytes} on #ffffff");
        let file = format!("upload/2026-11-28/{market}/files/t-0001.jpg");
        (
            Given { recipe: Some(Box::leak(recipe.into())), passed_keep: false, file: Box::leak(file.into()), ..DONE },
            bytes,
        )
    };
    let settings = "upload: {markets: [adobe-stock, 123rf, magnific]}\nkeep: {method: none}";
    let shared = "JPEG quality 95 sRGB 1500000 to 30000000 bytes on #ffffff";
    // The market, how many bytes its file was to have, by which quality, and what is told of it.
    for (market, bytes, quality, expected) in [
        ("adobe-stock", " 1500000 to 30000000 bytes", "95", "current"),
        ("adobe-stock", " 1 to 45000000 bytes", "95", "current"),
        ("adobe-stock", " 1500000 to 45000000 bytes", "95", "current"),
        ("adobe-stock", " 1 to 30000000 bytes", "95", "current"),
        ("adobe-stock", " 1 to 80000000 bytes", "95", shared),
        ("adobe-stock", " 1 to 44000000 bytes", "95", shared),
        ("123rf", " 1 to 45000000 bytes", "95", shared),
        ("adobe-stock", "", "95", shared),
        // In sRGB for a market of sRGB, though the settings leave the colours; and for one that takes all.
        ("adobe-stock", " 1 to 45000000 bytes", "keep", "current"),
        ("123rf", " 1 to 30000000 bytes", "keep", "JPEG quality 95 own-profile 1500000 to 30000000 bytes on #ffffff"),
        ("adobe-stock", " 1 to 45000000 bytes", "90", "JPEG quality 95 sRGB 1 to 45000000 bytes on #ffffff"),
    ] {
        let (given, bytes) = bundled(market, bytes, quality);
        let keep = format!("{settings}\nexport: {{profile: keep}}");
        let settings = if quality == "keep" { keep.as_str() } else { settings };
        let found = told_of(&given, settings);
        assert_eq!(found, expected, "{market}{bytes}");
        if found != "current" {
            let rules = rules(settings);
            let Freshness::Stale(stale) =
                freshness(&path(given.file), &sidecar(&given), true, &rules.keep, &rules, &|| None)
            else {
                panic!("it was stale");
            };
            let Output::Final { bytes, .. } = stale.remake.unwrap().render(&rules, Meta::default()).output else {
                panic!()
            };
            assert!(expected.contains(&format!("{} to {}", bytes.unwrap().min, bytes.unwrap().max)), "{bytes:?}");
        }
    }
}

#[test]
fn only_a_setting_on_which_pixels_depend_makes_a_product_stale() {
    let by = "lanczos 100x100 to 200x200 sharpen low; ";
    agree(&[
        // The same target, said otherwise; and settings on which no pixel depends.
        (DONE, "keep: {scale: 2}", "current".to_owned()),
        (DONE, "keep: {min_megapixels: 0.04, scale_max: 1.5}", "current".to_owned()),
        (DONE, "keep: {long_edge: 200}\nnaming: {last: \"{theme}-{seq:05}\"}", "current".to_owned()),
        // Each setting on which one depends.
        (
            DONE,
            "keep: {scale: 3}",
            "lanczos 100x100 to 300x300 sharpen low; JPEG quality 95 sRGB on #ffffff".to_owned(),
        ),
        (DONE, "keep: {scale: 1}", "JPEG quality 95 sRGB on #ffffff".to_owned()),
        (DONE, "keep: {method: none, scale: 2}", "JPEG quality 95 sRGB on #ffffff".to_owned()),
        (DONE, "keep: {scale: 2}\nexport: {quality: 80}", format!("{by}JPEG quality 80 sRGB on #ffffff")),
        (DONE, "keep: {scale: 2}\nexport: {profile: keep}", format!("{by}JPEG quality 95 own-profile on #ffffff")),
        (DONE, "keep: {scale: 2}\nexport: {background: \"#000000\"}", format!("{by}JPEG quality 95 sRGB on #000000")),
        (
            DONE,
            "keep: {scale: 2, enhance: {sharpen: high, levels: low}}",
            "lanczos 100x100 to 200x200 sharpen high levels low; JPEG quality 95 sRGB on #ffffff".to_owned(),
        ),
        (DONE, "keep: {scale: 1, enhance: {levels: low}}", "levels low; JPEG quality 95 sRGB on #ffffff".to_owned()),
        (
            Given { recipe: Some("levels low"), ..MASTER },
            "keep: {scale: 1, enhance: {sharpen: high, levels: low}}",
            "current".to_owned(),
        ),
        // No JPEG is transparent; and only a JPEG has a quality.
        (
            Given { kind: Kind::Jpeg, ..DONE },
            "keep: {scale: 2}\nexport: {background: \"#000000\"}",
            "current".to_owned(),
        ),
        (
            Given { recipe: Some("lanczos 100x100 to 200x200 sharpen low; PNG quality 95 sRGB"), ..DONE },
            "keep: {scale: 2}\nexport: {format: png, quality: 80, background: \"#000000\"}",
            "current".to_owned(),
        ),
    ]);
}

#[test]
fn of_what_an_older_stockmill_made_only_what_is_on_record_is_told() {
    agree(&[
        // It knew no look: a new default is no changed setting.
        (
            Given { recipe: Some("lanczos 100x100 to 200x200"), has_input: false, ..MASTER },
            "keep: {scale: 2}",
            "current".to_owned(),
        ),
        // What an older stockmill wrote does not say all.
        (
            Given { recipe: Some("lanczos 100x100 to 200x200 sharpen low; JPEG quality 95 sRGB"), has_input: false, ..DONE },
            "keep: {scale: 2}",
            "unknown: an older stockmill made it, and did not note the colour behind what is transparent".to_owned(),
        ),
        (
            Given { recipe: Some("lanczos 100x100 to 200x200 sharpen low; JPEG quality 95 sRGB"), has_input: false, ..DONE },
            "keep: {scale: 3}",
            "lanczos 100x100 to 300x300 sharpen low; JPEG quality 95 sRGB on #ffffff".to_owned(),
        ),
        (
            Given { recipe: Some("JPEG quality 95 sRGB"), has_input: false, ..DONE },
            "keep: {scale: 2}",
            "unknown: an older stockmill made it, and noted no more than its last step".to_owned(),
        ),
        (
            Given { recipe: Some("net-4 100x100 to 400x400"), ..DONE },
            "keep: {scale: 2}",
            "unknown: `net-4 100x100 to 400x400` is no recipe that this version knows".to_owned(),
        ),
        (
            Given { recipe: Some("lanczos 10x10 to 20x20; lanczos 20x20 to 40x40"), ..DONE },
            "keep: {scale: 2}",
            "unknown: its steps are not those that are taken at once today".to_owned(),
        ),
        (
            Given { has_original: false, ..MASTER },
            "keep: {scale: 3}",
            "unknown: made by `lanczos 100x100 to 200x200 sharpen low`; today it would be made by `lanczos 100x100 to 300x300 sharpen low`, \
             but its original is not in the archive"
                .to_owned(),
        ),
        (Given { has_original: false, ..MASTER }, "keep: {scale: 2}", "current".to_owned()),
    ]);
}

#[test]
fn only_the_stages_that_a_product_passed_are_asked_and_what_cannot_be_made_anew_says_why() {
    let undo = |file: &str| format!(": take its last step back with `stockmill undo {file}`, and let it go on");
    let by = "lanczos 100x100 to 200x200 sharpen low; ";
    agree(&[
        // What a stage never saw is none of its business.
        (
            Given { recipe: Some("embedded"), dropped: "upload/t/x.png", ..DONE },
            "keep: {scale: 3}",
            "current".to_owned(),
        ),
        (
            Given { recipe: Some("JPEG quality 95 sRGB on #ffffff"), dropped: "export/t/x.png", ..DONE },
            "keep: {scale: 3}",
            "current".to_owned(),
        ),
        (
            Given { recipe: Some("JPEG quality 95 sRGB on #ffffff"), passed_keep: false, ..DONE },
            "keep: {scale: 3}",
            "current".to_owned(),
        ),
        (
            Given { recipe: Some("JPEG quality 95 sRGB on #ffffff"), dropped: "upload/t/x.jpg", ..DONE },
            "export: {format: png, quality: 80}",
            "JPEG quality 80 sRGB on #ffffff".to_owned(),
        ),
        (Given { kind: Kind::Mp4, recipe: Some("metadata blanked"), ..DONE }, "keep: {scale: 3}", "current".to_owned()),
        // What lies between two stages.
        (MASTER, "keep: {scale: 3}\nexport: {quality: 80}", "lanczos 100x100 to 300x300 sharpen low".to_owned()),
        (ORIGINAL, "keep: {scale: 1}", "current".to_owned()),
        // What would have another name, or is no product at all.
        (
            MASTER,
            "keep: {scale: 1}",
            format!(", but nothing would be made of the original{}", undo("export/t/t-0001.png")),
        ),
        (
            ORIGINAL,
            "keep: {scale: 2}",
            format!("lanczos 100x100 to 200x200 sharpen low, but it is the original itself{}", undo("export/t/t-0001.png")),
        ),
        (
            DONE,
            "keep: {scale: 2}\nexport: {format: png}",
            format!("{by}PNG quality 95 sRGB, but its format, and with it its name, would be another{}", undo(BUNDLED)),
        ),
        (
            DONE,
            "keep: {long_edge: 900, scale_max: 5}",
            "lanczos 100x100 to 900x900 sharpen low; JPEG quality 95 sRGB on #ffffff, but `keep.scale_max` allows 5, and it \
             would be enlarged from 100x100 to 900x900"
                .to_owned(),
        ),
    ]);
}

#[test]
fn another_file_under_the_name_of_a_net_makes_its_products_stale() {
    let (now, before) = (ContentHash::of(b"a net"), ContentHash::of(b"another net"));
    let by = |name: &str, hash: &ContentHash| format!("model {name} {hash} 100x100 to 200x200");
    let made_by = |name: &str, hash: &ContentHash| -> &'static str {
        format!("{}; JPEG quality 95 sRGB on #ffffff", by(name, hash)).leak()
    };
    let given = |recipe| Given { recipe: Some(recipe), ..DONE };
    let instead = format!("lanczos-instead-of-{}", made_by("4x-foto", &now)).leak();
    let settings = "keep: {method: 4x-foto, scale: 2}";
    agree(&[
        (given(made_by("4x-foto", &now)), settings, "current".to_owned()),
        (given(instead), settings, "current".to_owned()),
        (given(made_by("4x-foto", &before)), settings, made_by("4x-foto", &now).to_owned()),
        (given(made_by("2x-foto", &now)), settings, made_by("4x-foto", &now).to_owned()),
        (DONE, settings, made_by("4x-foto", &now).to_owned()),
        (DONE, "keep: {method: absent, scale: 2}", "unknown: it is not there".to_owned()),
    ]);
}

#[test]
fn what_nobody_can_tell_is_not_stale() {
    let whole = sidecar(&DONE);
    let rules = rules("keep: {scale: 3}");
    let is = |sidecar: Sidecar| freshness(&path(BUNDLED), &sidecar, true, &rules.keep, &rules, &|| None);
    assert_eq!(is(Sidecar::default()), Freshness::Current, "a person wrote it, and nothing was made");
    let unknown = |sidecar: Sidecar| match is(sidecar) {
        Freshness::Unknown(why) => why,
        other => panic!("{other:?}"),
    };
    assert!(unknown(Sidecar { file: None, ..whole.clone() }).contains("does not say how"));
    let file = FileRecord::of_original(ContentHash::of(b"another"));
    assert!(unknown(Sidecar { file: Some(file), ..whole.clone() }).contains("does not say how"));
    let mut of_another = whole;
    of_another.file.as_mut().unwrap().input = Some(ContentHash::of(b"another"));
    assert!(unknown(of_another).contains("another file than the original"));
}

#[test]
fn the_products_of_an_asset_are_made_once_and_each_takes_the_place_of_the_old_one() {
    let rules = rules("keep: {scale: 3}\nexport: {quality: 80}");
    let sidecar = sidecar(&DONE);
    let files = [BUNDLED, "upload/2026-11-28/other/files/t-0001.jpg"].map(path);
    let records = ["upload/2026-11-28/adobe-stock/sidecars/t-0001.jpg.yaml", "upload/2026-11-28/other/sidecars/t.yaml"];
    let records = records.map(path);
    let Freshness::Stale(Stale { remake: Ok(remake), .. }) =
        freshness(&files[0], &sidecar, true, &rules.keep, &rules, &|| None)
    else {
        panic!("it is stale");
    };
    let tags = |title: &str| resolve(&[(Layer::Theme, Tags { title: Some(title.to_owned()), ..Tags::default() })]);
    let now = "2026-11-28T12:00:00Z".parse().unwrap();
    for (titles, expected) in
        [(["Sea", "Sea"], "render sidecar 0 same 0 sidecar 2"), (["Sea", "Lake"], "render sidecar 0 embed 0 sidecar 2")]
    {
        let tags = titles.map(tags);
        let old = |n: usize| Old {
            file: &files[n],
            record: &records[n],
            record_bytes: b"as read",
            sidecar: &sidecar,
            remake: &remake,
            meta: Some(tags[n].meta()),
        };
        let plan = plan_remake(&[old(0), old(1)], &rules, now).unwrap();
        let mut told = Vec::new();
        for product in &plan.products {
            let is_record = records.contains(&product.to);
            let was = if is_record { ContentHash::of(b"as read") } else { ContentHash::of(b"made") };
            assert_eq!(product.mode, PublishMode::Replace { was: Some(was) });
            told.push(match &product.recipe {
                Recipe::Render { from, render, .. } => {
                    assert_eq!(
                        (from, render.size),
                        (&path("archive/t/t-0001.png"), Some(Size { width: 300, height: 300 }))
                    );
                    "render".to_owned()
                }
                Recipe::SameAs { product } => format!("same {product}"),
                Recipe::EmbedOf { product, meta, .. } => {
                    assert_eq!(meta.title, "Lake");
                    format!("embed {product}")
                }
                Recipe::SidecarOf { product, sidecar } => {
                    let file = sidecar.file.as_ref().unwrap();
                    assert_eq!(file.input, Some(ContentHash::of(b"original")));
                    assert_eq!(
                        file.recipe.as_ref().unwrap().to_string(),
                        "lanczos 100x100 to 300x300 sharpen low; JPEG quality 80 sRGB on #ffffff"
                    );
                    assert_eq!((sidecar.history.len(), sidecar.history[2].stage), (3, Stage::Upload));
                    format!("sidecar {product}")
                }
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(told.join(" "), expected);
        // It takes no step by that, and can be undone.
        assert_eq!((&plan.about.from, plan.about.seq), (&plan.about.to, None));
        assert!(plan.about.hash.is_some() && plan.moves.is_empty() && plan.removes.is_empty());
    }
    assert_eq!(plan_remake(&[], &rules, now), None);
}

/// Who named a further market was told that each JPEG is stale, though it would have been made the same.
#[test]
fn limits_of_bytes_that_a_product_met_by_its_own_quality_do_not_make_it_stale() {
    let mut rules = rules("keep: {scale: 2}");
    rules.markets.iter_mut().for_each(|market| market.bytes.max = 50_000);
    let narrow = "lanczos 100x100 to 200x200 sharpen low; JPEG quality 95 sRGB 1 to 9000 bytes on #ffffff";
    let wide = "lanczos 100x100 to 200x200 sharpen low; JPEG quality 95 sRGB 1 to 90000 bytes on #ffffff";
    // How it was made, how many bytes it has, its quality, and whether it is stale.
    let rows = [
        (narrow, Some((8_000, 95)), false),
        (narrow, Some((8_000, 88)), true),
        (narrow, None, true),
        (wide, Some((20_000, 88)), false),
        (wide, Some((80_000, 88)), true),
        (wide, None, true),
    ];
    for (recipe, came_out, is_stale) in rows {
        let given = sidecar(&Given { recipe: Some(recipe), ..DONE });
        match freshness(&path(BUNDLED), &given, true, &rules.keep, &rules, &|| came_out) {
            Freshness::Current => assert!(!is_stale, "{came_out:?}"),
            Freshness::Stale(stale) => {
                let told = stale.to_string();
                assert!(is_stale && told.ends_with("(what differs: how many bytes its markets take)"), "{told}");
            }
            Freshness::Unknown(why) => panic!("{why}"),
        }
    }
}
