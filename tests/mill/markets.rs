//! What each market gets: the same in its files as in its manifest.

use super::*;

/// The title of a file still said what its row no longer did, and the file is read first.
#[test]
fn a_file_says_what_its_row_says() {
    let root = Root::with(
        "keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock, vecteezy, shutterstock]}\n",
    );
    let vecteezy = fs::read_to_string("config/markets/vecteezy.yaml").unwrap();
    fs::write(root.at("markets/vecteezy.yaml"), vecteezy.replace("min: 4,", "min: 0.01,")).unwrap();
    fs::create_dir_all(root.at("raw/city")).unwrap();
    let tags = "title: 'Generative AI: city; neon'\nkeywords: [neon, =city, AI generated, night, street, rain]\n";
    fs::write(root.at("raw/city/tags.yaml"), tags).unwrap();
    fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());

    let rows = |market: &str| {
        let csv = root.files().into_iter().find(|name| name.ends_with(&format!("/{market}.csv"))).unwrap();
        let mut reader = csv::Reader::from_path(root.at(&csv)).unwrap();
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    // The market, where its manifest has title and keywords, what they are.
    for (market, [title_at, keywords_at], title, keywords) in [
        ("adobe-stock", [1, 2], "City neon", "neon,city,night,street,rain"),
        ("vecteezy", [1, 3], "Generative AI: city; neon - AI generated", "neon,city,night,street,rain,AI generated"),
    ] {
        let rows = rows(market);
        assert_eq!((rows.len(), &*rows[0][title_at], &*rows[0][keywords_at]), (1, title, keywords), "{market}");
        let file = root.bundled().into_iter().find(|file| file.to_string_lossy().contains(market)).unwrap();
        let xmp = stockmill::craft::embedded_xmp(&fs::read(&file).unwrap(), stockmill::model::Kind::Jpeg).unwrap();
        let meta = stockmill::craft::read_xmp(&xmp).unwrap();
        assert_eq!((meta.title.as_deref(), meta.keywords.join(",")), (Some(title), keywords.to_owned()), "{market}");
    }
    let log = root.log();
    assert!(log.contains("its title is without `generative ai`, which the market refuses"), "{log}");
    assert!(log.contains("shutterstock refuses it: it takes no work made by AI"), "{log}");
    // It is as it was left: nothing is embedded anew.
    assert!(root.once().status.success());
    assert_eq!(root.log().matches("embedded anew").count(), 0, "{}", root.log());
    assert!(root.text(&["verify"]).contains("all is as it should be"), "{}", root.text(&["verify"]));
    // The markets' rules are told, with what is not sure in them.
    let checked = root.text(&["check"]);
    assert!(checked.contains("note  market    vecteezy: not established: megapixels, bytes"), "{checked}");
    let policy =
        "`shutterstock` takes no work made by AI: refuses AI-generated content as \"non-licensable content\" (";
    assert!(checked.contains(policy) && checked.contains("nothing that AI made goes there"), "{checked}");
}

/// Who sells nowhere what AI made learns it when it is dropped, and not on upload day.
#[test]
fn what_no_market_will_take_is_told_at_once() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [shutterstock]}\n");
    let checked = root.text(&["check"]);
    assert!(checked.contains("no market of `upload.markets` takes work made by AI"), "{checked}");
    fs::create_dir_all(root.at("raw/city")).unwrap();
    fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
    root.once();
    let log = root.log();
    let file =
        root.files().into_iter().find(|file| file.starts_with("upload/city/") && file.ends_with(".jpg")).unwrap();
    let explained = root.text(&["explain", &file]);
    assert!(
        explained.contains("policy   `shutterstock` takes no work made by AI: refuses AI-generated"),
        "{explained}"
    );
    let told = "Recognised as png, named; no market of `upload.markets` will take it: shutterstock refuses it: it takes no work";
    assert!(log.contains(told), "{log}");
}

/// What a market may dislike is told before anything is made, where a person looks.
#[test]
fn unwise_tags_are_told_by_check_and_explain_and_repetition_by_the_checklist() {
    // `status` counts what stands still; nobody writes here.
    let root = Root::with(
        "settle: {quiet_ms: 0}\nkeep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock], names: [rivalin]}\n",
    );
    fs::create_dir_all(root.at("raw/city")).unwrap();
    let tags = "title: Rivalin in the style of Van Gogh\nkeywords: [neon, night, street, rain, city, towns, town, masterpiece]\n";
    fs::write(root.at("raw/city/tags.yaml"), tags).unwrap();
    (0..4).for_each(|n| fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap());
    let checked = root.text(&["check"]);
    for told in [
        "note  tags      `raw/city/tags.yaml`: its title",
        "`van gogh`",
        "`rivalin`",
        "`masterpiece`",
        "`town` and `towns`",
    ] {
        assert!(checked.contains(told), "{told}: {checked}");
    }
    assert_eq!(root.call(&["check"]).status.code(), Some(0));
    // Nothing waits for them, and `status` counts them by kind, with what is to be done about repetition.
    let status = root.text(&["status"]);
    for told in [
        "  names and prompt words: 4 files of `city`; `raw/city/0.png`: its title",
        "  keywords that say the same: 4 files of `city`",
        "  no category: 4 files of `city`; `raw/city/0.png`: it has no category for `adobe-stock`",
        "  repetition: 4 files of `city`; `raw/city/0.png`: adobe-stock: 4 files have the same title, and the market wants",
    ] {
        assert!(status.contains(told), "{told}: {status}");
    }
    let json: serde_json::Value = serde_json::from_slice(&root.call(&["status", "--json"]).stdout).unwrap();
    let unwise = json["unwise"].as_array().unwrap();
    let repetition: Vec<_> = unwise.iter().filter(|one| one["kind"] == "repetition").collect();
    assert_eq!((repetition.len(), &repetition[0]["theme"], &repetition[0]["files"]), (2, &"city".into(), &4.into()));
    let explained = root.text(&["explain", "raw/city/1.png"]);
    assert!(explained.contains("`van gogh`, which is one of the artists"), "{explained}");
    assert!(root.once().status.success(), "{}", root.log());
    let list = root.files().into_iter().find(|name| name.ends_with("CHECKLIST.md")).unwrap();
    let text = fs::read_to_string(root.at(&list)).unwrap();
    assert!(
        text.contains("> Before you upload: 4 files have the same title, and the market wants it for at most 3"),
        "{text}"
    );
    // What a person writes behind such a line stays when it is gone.
    fs::write(
        root.at(&list),
        text.replace("titles and keywords of their own.", "titles and keywords of their own. Ask Ann!"),
    )
    .unwrap();
    let file = root.bundled().remove(0);
    fs::remove_file(&file).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let text = fs::read_to_string(root.at(&list)).unwrap();
    assert!(!text.contains("Before you upload") && text.contains("Ask Ann!"), "{text}");
}

/// All files of a theme had one title, and markets refuse repetition.
#[test]
fn a_shared_title_may_name_what_is_a_files_own() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock]}\n");
    fs::create_dir_all(root.at("raw/city")).unwrap();
    let tags =
        "title: 'City {n}: {original|words} {new}'\ndescription: 'The city, {original|words}'\nkeywords: [neon]\n";
    fs::write(root.at("raw/city/tags.yaml"), tags).unwrap();
    fs::write(root.at("raw/city/tram-in_rain_00012.png"), picture(1, 220)).unwrap();
    fs::write(root.at("raw/city/own.png"), picture(2, 220)).unwrap();
    fs::write(root.at("raw/city/own.png.yaml"), "tags: {title: A roof}\n").unwrap();
    let checked = root.text(&["check"]);
    assert!(
        checked.contains("has `{new}` (`{n}` may be meant) in it: no field but `{n}` and `{original|words}` is known"),
        "{checked}"
    );
    assert!(root.once().status.success(), "{}", root.log());
    let rows = root.csv();
    let titles: Vec<&str> = rows[1..].iter().map(|row| row[1].as_str()).collect();
    let number = titles.iter().find_map(|title| title.strip_prefix("City ")?.split(':').next());
    let shared = format!("City {}: tram in rain {{new}}", number.unwrap());
    assert!(titles.contains(&"A roof") && titles.contains(&&*shared), "{titles:?}");
    // The file says what its row says, and `explain` too; nothing is embedded anew.
    let of_row = |title: &str| rows.iter().find(|row| row[1] == title).unwrap()[0].clone();
    let file = root.bundled().into_iter().find(|file| file.ends_with(of_row(&shared))).unwrap();
    let xmp = stockmill::craft::embedded_xmp(&fs::read(&file).unwrap(), stockmill::model::Kind::Jpeg).unwrap();
    let meta = stockmill::craft::read_xmp(&xmp).unwrap();
    assert_eq!((meta.title.as_ref(), meta.description.as_deref()), (Some(&shared), Some("The city, tram in rain")));
    let explained = root.text(&["explain", file.to_str().unwrap()]);
    assert!(explained.contains(&format!("title        {shared} (theme)")), "{explained}");
    root.once();
    assert_eq!(root.log().matches("embedded anew").count(), 0, "{}", root.log());
}

/// A further bundle began where a market's manifest was full, to be uploaded and marked as sent on its own.
#[test]
fn a_manifest_beyond_its_limit_is_in_parts_in_one_bundle() {
    let root = Root::with(
        "keep: {method: none}\nupload: {markets: [vecteezy]}\nnaming: {first: '{seq:04}', last: '{seq:04}'}\n",
    );
    let vecteezy = fs::read_to_string("config/markets/vecteezy.yaml").unwrap();
    let vecteezy = vecteezy.replace("min: 4,", "min: 0.01,").replace("rows_max: 5000", "rows_max: 2");
    fs::write(root.at("markets/vecteezy.yaml"), vecteezy).unwrap();
    fs::create_dir_all(root.at("raw/sea")).unwrap();
    fs::write(root.at("raw/sea/tags.yaml"), "title: The sea\nkeywords: [sea, wave, water, blue, coast]\n").unwrap();
    for number in 0..5 {
        fs::write(root.at(&format!("raw/sea/{number}.png")), picture(number, 220)).unwrap();
    }
    assert!(root.once().status.success(), "{}", root.log());
    let rows = || -> Vec<Vec<String>> {
        let manifests = root.files().into_iter().filter(|name| name.ends_with(".csv"));
        let names = |name: String| {
            let mut reader = csv::Reader::from_path(root.at(&name)).unwrap();
            std::iter::once(name.rsplit('/').next().unwrap().to_owned())
                .chain(reader.records().map(|row| row.unwrap()[0].to_owned()))
                .collect()
        };
        manifests.map(names).collect()
    };
    let parts = [
        vec!["vecteezy-2.csv", "0003.jpg", "0004.jpg"],
        vec!["vecteezy-3.csv", "0005.jpg"],
        vec!["vecteezy.csv", "0001.jpg", "0002.jpg"],
    ];
    assert_eq!(rows(), parts, "{}", root.log());
    // What is taken out leaves its row, and the part that nothing is left of goes.
    let bundle = root.bundled()[0].parent().unwrap().parent().unwrap().to_owned();
    fs::remove_file(bundle.join("files/0002.jpg")).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(rows(), [vec!["vecteezy-2.csv", "0004.jpg", "0005.jpg"], vec!["vecteezy.csv", "0001.jpg", "0003.jpg"]]);
    let list = fs::read_to_string(bundle.join("CHECKLIST.md")).unwrap();
    assert!(
        list.contains("`vecteezy.csv`") && list.contains("`vecteezy-2.csv`") && !list.contains("`vecteezy-3.csv`"),
        "{list}"
    );
    // Each part counts once it is sent.
    fs::write(bundle.join("SENT"), "").unwrap();
    fs::write(root.at("raw/sea/tags.yaml"), "title: Later\nkeywords: [sea, wave, water, blue, coast]\n").unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let told = root.text(&["status"]);
    assert!(!told.contains("without a row"), "{told}");
    let sent = root.text(&["explain", &bundle.join("files/0005.jpg").to_string_lossy()]);
    assert!(sent.contains("Title: The sea"), "{sent}");
}

/// A file that was too large for one market, or too small, was never sold there, since all got the same one.
#[test]
fn a_market_whose_limits_the_others_do_not_have_gets_a_file_of_its_own() {
    let mill = |limits: [&str; 3]| {
        let settings =
            "keep: {method: lanczos, min_megapixels: 0.06}\nupload: {markets: [adobe-stock, vecteezy, 123rf]}\n";
        let root = Root::with(settings);
        for (market, limits) in ["adobe-stock", "vecteezy", "123rf"].into_iter().zip(limits) {
            let profile = fs::read_to_string(format!("config/markets/{market}.yaml")).unwrap();
            let bytes = profile.lines().find(|line| line.starts_with("bytes: ")).unwrap();
            let profile = profile.replace(bytes, &format!("bytes: {{{limits}}}"));
            let profile = profile.replace("megapixels: {min: 4,", "megapixels: {min: 0.01,");
            fs::write(root.at(&format!("markets/{market}.yaml")), profile.replace("{min: 6,", "{min: 0.01,")).unwrap();
        }
        fs::create_dir_all(root.at("raw/sea")).unwrap();
        let tags = "title: The sea\nkeywords: [sea, wave, water, blue, coast, sand, sky]\n";
        fs::write(root.at("raw/sea/tags.yaml"), tags).unwrap();
        fs::write(root.at("raw/sea/a.png"), picture(7, 220)).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        root
    };
    let any = "min: 1, max: 45000000";
    let size_in = |root: &Root, market: &str| {
        let file = root.bundled().into_iter().find(|file| file.to_string_lossy().contains(market));
        file.map(|file| fs::metadata(file).unwrap().len())
    };
    let whole = size_in(&mill([any; 3]), "adobe-stock").unwrap();
    let (high, low) = (format!("min: {}, max: 45000000", whole * 9 / 10), format!("min: 1, max: {}", whole * 8 / 10));
    let root = mill([&high, &low, "min: 1, max: 3000"]);
    let sizes = ["adobe-stock", "vecteezy", "123rf"].map(|market| size_in(&root, market));
    let [Some(adobe), Some(vecteezy), None] = sizes else { panic!("{sizes:?}\n{}", root.log()) };
    assert!(adobe >= whole * 9 / 10 && vecteezy <= whole * 8 / 10, "{whole}: {adobe} {vecteezy}");
    let log = root.log();
    assert!(log.contains("encoded anew from the original for its limits of bytes, and bundled for vecteezy"), "{log}");
    assert!(log.contains("no quality that was tried gives it at most 3000 bytes, and as asked it has"), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
    // Both are enlarged, and neither is stale.
    for file in root.bundled() {
        assert_eq!(size(&file), (245, 245), "{}", file.display());
    }
    let told = root.text(&["status"]);
    assert!(!told.contains("today it would be"), "{told}");
    assert!(root.text(&["verify"]).contains("all is as it should be"), "{}", root.text(&["verify"]));
    assert!(root.once().status.success());
    assert_eq!(root.log().matches("bundled for vecteezy").count(), log.matches("bundled for vecteezy").count());
}

/// A market of sRGB got whatever colours a picture had.
#[test]
fn a_market_of_srgb_gets_srgb_and_the_others_the_colours_of_the_original() {
    let root = Root::with(
        "keep: {method: lanczos, min_megapixels: 0.06}\nexport: {profile: keep}\nupload: {markets: [adobe-stock, vecteezy]}\n",
    );
    let vecteezy = fs::read_to_string("config/markets/vecteezy.yaml").unwrap();
    fs::write(root.at("markets/vecteezy.yaml"), vecteezy.replace("min: 4,", "min: 0.01,")).unwrap();
    fs::create_dir_all(root.at("raw/sea")).unwrap();
    fs::write(root.at("raw/sea/tags.yaml"), "title: The sea\nkeywords: [sea, wave, water, blue, coast]\n").unwrap();
    let wide = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let image = image::load_from_memory(&picture(3, 220)).unwrap();
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    image::ImageEncoder::set_icc_profile(&mut encoder, wide).unwrap();
    image.write_with_encoder(encoder).unwrap();
    fs::write(root.at("raw/sea/a.png"), bytes).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let spaces: Vec<String> = root
        .bundled()
        .iter()
        .map(|file| {
            let bytes = fs::read(file).unwrap();
            let limits = stockmill::craft::Limits::default();
            stockmill::craft::colours(&bytes, stockmill::model::Kind::Jpeg, &limits).unwrap().space.to_string()
        })
        .collect();
    let log = root.log();
    assert_eq!(spaces, ["sRGB", "Display P3"], "{log}");
    assert!(log.contains("Encoded anew from the original in sRGB, and bundled for adobe-stock"), "{log}");
    let told = root.text(&["status"]);
    assert!(!told.contains("Bundled, and not"), "{told}");
    assert!(root.text(&["verify"]).contains("all is as it should be"), "{}", root.text(&["verify"]));
    // What lay in a bundle counted as sRGB, whatever its colours were.
    let vecteezy = fs::read_to_string(root.at("markets/vecteezy.yaml")).unwrap();
    let colour = vecteezy.lines().find(|line| line.starts_with("colour: ")).unwrap();
    fs::write(root.at("markets/vecteezy.yaml"), vecteezy.replace(colour, "colour: {profiles: [srgb]}")).unwrap();
    let told = root.text(&["status"]);
    let why = "its market would refuse it today: its colours are in Display P3, and the market takes sRGB";
    assert!(told.contains(&format!("/vecteezy/files/sea0001.jpg: {why}")), "{told}");
}

/// A shortened name was free again as soon as its bundle was sent, and a list of what was accepted named two files by it.
#[test]
fn a_market_gets_each_file_name_once() {
    let root = Root::with(
        "keep: {method: none}\nupload: {markets: [adobe-stock, vecteezy]}\nnaming: {markets: {vecteezy: 'sea{seq:05}'}}\n",
    );
    let vecteezy = fs::read_to_string("config/markets/vecteezy.yaml").unwrap();
    fs::write(root.at("markets/vecteezy.yaml"), vecteezy.replace("min: 4,", "min: 0.01,")).unwrap();
    for (seed, theme) in
        ["snowy-mountains-landscape-in-winter", "snowy-mountains-landscape-in-spring"].into_iter().enumerate()
    {
        let folder = root.at(&format!("raw/{theme}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("tags.yaml"), format!("title: {theme}\nkeywords: [sea, wave, water, blue, coast]\n"))
            .unwrap();
        fs::write(folder.join("a.png"), picture(u32::try_from(seed).unwrap(), 220)).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        let names: Vec<String> =
            root.bundled().iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect();
        let [adobe, vecteezy] = &names[..] else { panic!("{names:?}") };
        let is_first = seed == 0;
        assert_eq!(
            (adobe == "snowy-mountains-0001.jpg", vecteezy == "sea00001.jpg"),
            (is_first, is_first),
            "{names:?}"
        );
        assert!(adobe.starts_with("snowy-") && adobe.ends_with("-0001.jpg") && adobe.len() <= 30, "{names:?}");
        assert!(vecteezy.starts_with("sea00001") && vecteezy.ends_with(".jpg"), "{names:?}");
        if is_first {
            // It is sent, and put away.
            let days = fs::read_dir(root.at("upload")).unwrap().filter_map(Result::ok).map(|entry| entry.path());
            let day = days.filter(|path| path.join("adobe-stock").is_dir()).last().unwrap();
            for market in ["adobe-stock", "vecteezy"] {
                fs::write(day.join(market).join("SENT"), "").unwrap();
            }
            assert!(root.once().status.success(), "{}", root.log());
            fs::remove_dir_all(day).unwrap();
        }
    }
    let log = root.log();
    let told = "since another file for this market has, or had, the name `sea00001.jpg`";
    assert_eq!(log.matches(told).count(), 1, "{log}");
    assert!(
        log.contains("its file is named `snowy-mountains-0001.jpg`, since the market takes names of at most 30"),
        "{log}"
    );
}

/// What a market would refuse by a changed profile was told by nobody; a bundle that nobody could read was healthy.
#[test]
fn what_changed_for_a_bundle_is_told_by_status_and_check() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock]}\n");
    fs::create_dir_all(root.at("raw/city")).unwrap();
    fs::write(root.at("raw/city/tags.yaml"), "title: Neon city\nkeywords: [neon]\n").unwrap();
    (0..2).for_each(|n| fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap());
    assert!(root.once().status.success(), "{}", root.log());
    let (status, checked) = (root.text(&["status"]), root.text(&["check"]));
    assert!(!status.contains("Bundled, and not") && !checked.contains("would refuse it today"), "{status}{checked}");

    let profile = root.at("markets/adobe-stock.yaml");
    let before = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, before.replace("min: 0.01,", "min: 5,")).unwrap();
    let (status, checked) = (root.text(&["status"]), root.text(&["check"]));
    let why = "it has 0.05 megapixels, and the market takes 5 to 100; with `keep: {min_megapixels: 5}` it is enlarged so far in \
               `keep`, unless `keep.method` is `none`; what passed `keep` before goes through it again by `stockmill release keep --again`";
    let told = format!("2 files: its market would refuse it today: {why}");
    assert!(status.contains("Bundled, and not to go as it is") && status.contains(&told), "{status}");
    assert!(checked.contains("2 files: its market would refuse it today: it has 0.05 megapixels"), "{checked}");
    let json: serde_json::Value = serde_json::from_slice(&root.call(&["status", "--json"]).stdout).unwrap();
    assert_eq!(
        (&json["refused_in_bundles"][0]["files"], &json["taken_in_bundles"]),
        (&2.into(), &serde_json::json!([]))
    );
    // Whoever has the bundle alone reads it there, and uploads nothing that would be refused.
    assert!(root.once().status.success(), "{}", root.log());
    let list = root.files().into_iter().find(|name| name.ends_with("CHECKLIST.md")).unwrap();
    let told = fs::read_to_string(root.at(&list)).unwrap();
    assert!(told.contains("the market would refuse them: `city-0001.jpg` to `city-0002.jpg` (2 files): "), "{told}");
    assert!(told.contains(&format!(": {why}; they get their rows back once")) && told.contains(": 0 files"), "{told}");
    assert_eq!(root.csv().len(), 1, "only its header");
    // Whoever says that it was sent was told to wait for rows that would never come.
    let bundle = root.at(&list).with_file_name("");
    let sent = String::from_utf8(root.call(&["sent", bundle.to_str().unwrap()]).stdout).unwrap();
    let refuses = format!("its market would refuse it today: {why}");
    assert!(
        sent.contains(&format!("`city-0001.jpg`; {refuses}; so it has no row: take it out; if it was uploaded, its")),
        "{sent}"
    );
    fs::write(bundle.join("SENT"), "").unwrap();
    let no_row = format!("the CSV that was sent has no row of it; {refuses}: take it out; if it was uploaded, its");
    let file = root.bundled()[0].clone();
    for said in [root.text(&["status"]), root.text(&["explain", file.to_str().unwrap()])] {
        assert!(said.contains(&no_row), "{said}");
    }
    fs::remove_file(bundle.join("SENT")).unwrap();
    fs::write(&profile, before).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let told = fs::read_to_string(root.at(&list)).unwrap();
    assert!(!told.contains("would refuse it") && told.contains(": 2 files"), "{told}");

    // One market refuses them, and takes them by another profile.
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), settings.replace("[adobe-stock]", "[adobe-stock, vecteezy]")).unwrap();
    assert!(!root.text(&["status"]).contains("taken by a further market"));
    let vecteezy = fs::read_to_string("config/markets/vecteezy.yaml").unwrap();
    fs::write(
        root.at("markets/vecteezy.yaml"),
        vecteezy.replace("min: 4,", "min: 0.01,").replace("keywords: {min: 5,", "keywords: {min: 1,"),
    )
    .unwrap();
    let (status, checked) = (root.text(&["status"]), root.text(&["check"]));
    let told = "vecteezy would take it now, and gets it when the daemon looks at its bundle";
    assert!(status.contains(told) && checked.contains(told), "{status}{checked}");

    let record = root.sidecars().remove(0);
    fs::write(root.at(&record), "tags: [").unwrap();
    let status = root.text(&["status"]);
    assert!(
        status.contains("upload   0 ready, 1 held") && status.contains(&format!("`{record}` cannot be read")),
        "{status}"
    );
}

/// A person followed the checklist, moved the file to `upload`, and it was set aside as a copy.
#[test]
fn a_bundled_file_that_is_renamed_has_its_name_back() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock]}\n");
    fs::create_dir_all(root.at("raw/city")).unwrap();
    fs::write(root.at("raw/city/tags.yaml"), "title: Neon city\nkeywords: [neon]\n").unwrap();
    (0..2).for_each(|n| fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap());
    assert!(root.once().status.success(), "{}", root.log());
    let (bundled, rows) = (root.bundled(), root.csv());
    let stranger = bundled[0].with_file_name("mine.jpg");
    fs::write(&stranger, "not of ours").unwrap();
    fs::rename(&bundled[0], bundled[0].with_file_name("better name.jpg")).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!((root.bundled(), root.csv()), ([&bundled[..], &[stranger]].concat(), rows), "{}", root.log());
    let log = root.log();
    assert!(log.contains("renamed by hand: it has its name back"), "{log}");
    let checklist = root.files().into_iter().find(|name| name.ends_with("CHECKLIST.md")).unwrap();
    let text = fs::read_to_string(root.at(&checklist)).unwrap();
    assert!(text.contains("`mine.jpg`") && !text.contains("better name"), "{text}");
}

/// The bundle of a market that the settings name no more was told nowhere, or called open to changed tags.
#[test]
fn the_open_bundle_of_a_market_that_is_named_no_more_is_told() {
    let settings = "keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock]}\n";
    let root = Root::with(settings);
    fs::create_dir_all(root.at("raw/city")).unwrap();
    fs::write(root.at("raw/city/tags.yaml"), "title: Neon city\nkeywords: [neon]\n").unwrap();
    fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    fs::write(root.at("stockmill.yaml"), settings.replace("adobe-stock", "vecteezy")).unwrap();
    let told = "the settings do not name its market any more: nothing joins it, no changed tags reach it, and what you delete in it keeps its row";
    let file = root.bundled().remove(0);
    for said in [root.text(&["status"]), root.text(&["explain", file.to_str().unwrap()])] {
        assert!(said.contains(told) && !said.contains("changed tags still"), "{said}");
    }
    fs::write(file.parent().unwrap().with_file_name("SENT"), "").unwrap();
    assert!(!root.text(&["status"]).contains(told));
}

/// The log said of it that its name is none of a bundle, `sent` refused it, and a mark by hand recorded nothing.
#[test]
fn what_goes_to_a_market_that_is_named_no_more_is_on_record() {
    let settings = "keep: {method: lanczos, min_megapixels: 0.04}\nsettle: {weak_quiet_ms: 500}\n\
                    upload: {markets: [adobe-stock, second]}\n";
    for is_by_hand in [false, true] {
        let root = Root::with(&settings.replace(", second", ""));
        let profile = fs::read_to_string(root.at("markets/adobe-stock.yaml")).unwrap();
        let profile = profile.replace("name: adobe-stock", "name: second");
        fs::write(root.at("markets/second.yaml"), &profile).unwrap();
        fs::write(root.at("stockmill.yaml"), settings).unwrap();
        fs::create_dir_all(root.at("raw/city")).unwrap();
        fs::write(root.at("raw/city/tags.yaml"), "title: Neon city\nkeywords: [neon]\n").unwrap();
        fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        let bundle = root.bundled().pop().unwrap().parent().unwrap().with_file_name("");
        assert!(bundle.ends_with("second"), "{bundle:?}");

        // Settings that cannot be used name no market, and say nothing of any.
        fs::write(root.at("markets/second.yaml"), "name: [").unwrap();
        for said in [root.text(&["status"]), root.text(&["explain", bundle.to_str().unwrap()])] {
            assert!(
                said.contains("nobody can tell whether the settings name its market") && !said.contains("any more"),
                "{said}"
            );
        }
        fs::write(root.at("markets/second.yaml"), &profile).unwrap();

        fs::write(root.at("stockmill.yaml"), settings.replace(", second", "")).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        let log = root.log();
        assert!(
            log.contains("the settings do not name its market any more") && !log.contains("none of a bundle"),
            "{log}"
        );
        let told = "ecorded that 1 file went to second";
        if is_by_hand {
            fs::write(bundle.join("SENT"), "").unwrap();
            assert!(root.once().status.success());
            assert!(root.log().contains(told), "{}", root.log());
        } else {
            let said = root.text(&["sent", bundle.to_str().unwrap()]);
            assert!(said.contains(told), "{said}");
        }
        // Its market is named again, and gets nothing twice.
        fs::remove_dir_all(&bundle).unwrap();
        fs::write(root.at("stockmill.yaml"), settings).unwrap();
        assert!(root.once().status.success());
        assert_eq!(root.bundled().len(), 1, "{:?}", root.bundled());
        fs::write(root.at("list.csv"), "File,Verdict\ncity-0001.jpg,accepted\n").unwrap();
        let list = root.at("list.csv");
        let words =
            ["verdicts", list.to_str().unwrap(), "--market", "second", "--columns", "file=File,verdict=Verdict"];
        assert!(root.text(&words).contains("1 accepted"), "{}", root.text(&words));
    }
}

/// A folder that a person renamed is told as what it is, also if its new name could be that of a market.
#[test]
fn a_bundle_that_is_renamed_is_told_from_one_of_another_market() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock]}\n");
    fs::create_dir_all(root.at("raw/city")).unwrap();
    fs::write(root.at("raw/city/tags.yaml"), "title: Neon city\nkeywords: [neon]\n").unwrap();
    fs::write(root.at("raw/city/x.png"), picture(1, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let bundle = root.bundled().pop().unwrap().parent().unwrap().with_file_name("");
    fs::rename(&bundle, bundle.with_file_name("adobe-old")).unwrap();
    fs::write(root.at("raw/city/y.png"), picture(2, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let log = root.log();
    let told = "its name is none of a bundle";
    assert!(log.contains(told) && !log.contains("do not name its market"), "{log}");
    // Nothing but the log said so, and the new one had its name.
    assert!(root.bundled()[1].to_str().unwrap().contains("/adobe-stock-2/"), "{:?}", root.bundled());
    let renamed = bundle.with_file_name("adobe-old");
    for words in [&["status"][..], &["explain", renamed.to_str().unwrap()], &["sent", renamed.to_str().unwrap()]] {
        assert!(root.text(words).contains(told), "{words:?}: {}", root.text(words));
    }
}

/// The categories of a market stood in a refusal alone.
#[test]
fn a_market_is_shown_with_its_categories_and_their_numbers() {
    let root = Root::new();
    let own = fs::read_to_string("config/markets/adobe-stock.yaml").unwrap();
    fs::write(root.at("markets/my-shop.yaml"), own.replace("name: adobe-stock", "name: my-shop")).unwrap();
    let all = root.text(&["markets"]);
    let alamy = "alamy: Alamy; takes no work made by AI; its rules";
    assert!(all.contains(alamy) && all.contains("\nmy-shop: "), "{all}");
    for name in ["adobe-stock", "my-shop"] {
        let shown = root.text(&["markets", name]);
        assert!(shown.starts_with(&format!("{name}: ")) && shown.contains("\n   21  travel\n"), "{shown}");
    }
    let none = root.call(&["markets", "alamo"]);
    let told = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(none.status.code() == Some(2) && told.contains("did you mean `alamy`?"), "{told}");
}

/// What stood behind the first few of a long list was in no text.
#[test]
fn all_that_stays_is_named_with_its_reason_if_that_is_asked_for() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {upload: hold}\n");
    fs::create_dir_all(root.at("raw/city")).unwrap();
    fs::write(root.at("raw/city/tags.yaml"), "title: City\nkeywords: [neon, city, night, street, rain]\n").unwrap();
    (0..2).for_each(|n| fs::write(root.at(&format!("raw/city/{n}.png")), picture(n * 40, 220)).unwrap());
    assert!(root.once().status.success(), "{}", root.log());
    for (asked, is_named) in [(&["status"][..], false), (&["status", "--all"], true)] {
        let told = root.text(asked);
        assert!(told.contains("upload/city: 2 held by the gate"), "{told}");
        assert_eq!(told.contains("\n    upload/city/city-0002.jpg\n"), is_named, "{told}");
    }
}
