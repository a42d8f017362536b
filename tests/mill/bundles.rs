//! Gates, markets and bundles.

use std::fs;
use std::path::{Path, PathBuf};

use super::{NOTE, Root, picture};

/// Bundles one picture of the note, and returns its file and its bundle.
fn with_one_bundled(root: &Root) -> (PathBuf, PathBuf) {
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let file = root.bundled().remove(0);
    let bundle = file.ancestors().nth(2).unwrap().to_owned();
    (file, bundle)
}

#[test]
fn a_gate_holds_until_it_is_released() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {keep: hold}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let kept = root.at("keep/winter-cabins/winter-cabins-0001.png");
    assert!(kept.exists());
    let explained = root.text(&["explain", kept.to_str().unwrap()]);
    assert!(explained.contains("stockmill release keep"), "{explained}");
    assert!(explained.contains("snow (theme)"), "{explained}");
    // A gate does not hide that its tags cannot be read.
    let tags = root.at("keep/winter-cabins/tags.yaml");
    let text = fs::read(&tags).unwrap();
    fs::write(&tags, "title: [").unwrap();
    let explained = root.text(&["explain", kept.to_str().unwrap()]);
    assert!(explained.contains("tags     unknown: `keep/winter-cabins/tags.yaml`"), "{explained}");
    fs::write(&tags, text).unwrap();
    let mistyped = root.call(&["release", "keep", "winter-cabin"]);
    let said = String::from_utf8_lossy(&mistyped.stderr);
    assert!(!mistyped.status.success() && said.contains("did you mean `winter-cabins`?"), "{said}");
    assert!(root.once().status.success());
    assert!(kept.exists());
    assert!(root.call(&["release", "keep"]).status.success());
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 1, "{}", root.log());
    let history = root.text(&["history", root.bundled()[0].to_str().unwrap()]);
    assert_eq!(history.lines().count(), 4, "{history}");
    let explained = root.text(&["explain", root.bundled()[0].to_str().unwrap()]);
    assert!(explained.contains("is       bundled;") && explained.contains("snow (theme)"), "{explained}");
}

/// What was remembered of a gate was written over once it could not be read.
#[test]
fn what_cannot_be_read_of_a_gate_stays_and_is_told() {
    let root = Root::with("gates: {upload: {on: [friday], at: \"09:00\"}}\n");
    assert!(root.once().status.success());
    let record = root.at(".stockmill/requests/gate-upload.json");
    assert!(record.exists(), "{:?}", root.files());
    fs::write(&record, "{").unwrap();
    root.once();
    assert_eq!(fs::read_to_string(&record).unwrap(), "{");
    let told = "nobody can tell when its gate was to open last, and no day that was missed is made up: ";
    let status = root.text(&["status"]);
    assert!(root.log().contains(told) && status.contains(told), "{status}{}", root.log());
}

/// What was found out of a picture stood in the log alone.
#[test]
fn what_is_found_in_a_picture_is_told_once_by_its_step() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04, enhance: {levels: low}}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    let cut_out =
        image::RgbaImage::from_fn(150, 150, |x, y| image::Rgba([x, y, 90, 105 + x].map(|v| v.to_le_bytes()[0])));
    cut_out.save(root.at("raw/winter-cabins/cut-out.png")).unwrap();
    let mut pages = std::io::Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut pages).unwrap();
    for page in [0, 9] {
        let pixels: Vec<u8> = (0..150 * 150).map(|at| (at % 250_u32 + page).to_le_bytes()[0]).collect();
        encoder.write_image::<tiff::encoder::colortype::Gray8>(150, 150, &pixels).unwrap();
    }
    fs::write(root.at("raw/winter-cabins/pages.tif"), pages.into_inner()).unwrap();
    assert!(root.once().status.success());
    let (log, mut records) = (root.log(), String::new());
    for file in root.bundled() {
        let name = file.file_name().unwrap().to_str().unwrap();
        let folder = file.parent().unwrap().parent().unwrap();
        records += &fs::read_to_string(folder.join("sidecars").join(format!("{name}.yaml"))).unwrap();
    }
    for told in [
        "levels checked (low); its levels ",
        "levels checked (low); it has more pages, and only the first one is taken; its levels ",
        "xported as JPEG; what is transparent lies on #ffffff",
    ] {
        assert_eq!((log.matches(told).count(), records.matches(told).count()), (1, 1), "{told}: {log}\n{records}");
    }
}

/// Whoever opened a gate let what was too small through with it, and nobody had said that it was.
#[test]
fn a_release_opens_the_gate_and_lifts_nothing_else() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.4}\ngates: {keep: hold}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/icon.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let (kept, exported) = (root.at("keep/winter-cabins/winter-cabins-0001.png"), root.bundled().len());
    for _ in 0..2 {
        assert!(root.call(&["release", "keep"]).status.success());
        assert!(root.once().status.success());
        let why = root.text(&["explain", kept.to_str().unwrap()]);
        assert!(
            kept.exists() && why.contains("`keep.scale_max` allows 5") && why.contains("release keep --anyway"),
            "{why}"
        );
    }
    assert!(root.call(&["release", "keep", "--anyway"]).status.success());
    assert!(root.once().status.success());
    assert_eq!((kept.exists(), root.bundled().len()), (false, exported + 1), "{}", root.log());
}

/// A tag set and a sidecar that are written in place change no folder: only events tell, and no round is near.
#[test]
fn a_manifest_follows_a_tag_set_and_a_sidecar_at_once() {
    let root =
        Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nsettle: {rescan_s: 3600, notes_quiet_s: 0}\n");
    fs::write(root.at("tagsets/warm.yaml"), "keywords: [sun, red, light, cozy, fire]\n").unwrap();
    fs::create_dir_all(root.at("raw/cabins")).unwrap();
    fs::write(root.at("raw/cabins/tags.yaml"), "title: Winter cabins\nuse: [warm]\n").unwrap();
    fs::write(root.at("raw/cabins/a.png"), picture(1, 220)).unwrap();
    let daemon = root.run();
    let row = |root: &Root, word: &str| root.csv().get(1).is_some_and(|row| row.join(",").contains(word));
    root.until("it is bundled", |root| row(root, "Winter cabins"));
    fs::write(root.at("tagsets/warm.yaml"), "keywords: [sun, red, light, cozy, candle]\n").unwrap();
    root.until("the tag set is followed", |root| row(root, "candle"));
    let sidecar = root.sidecars().remove(0);
    let text = fs::read_to_string(root.at(&sidecar)).unwrap();
    assert!(text.contains("\ntags: {}\n"), "{text}");
    fs::write(root.at(&sidecar), text.replace("tags: {}", "tags: {title: A cabin of its own}")).unwrap();
    root.until("the sidecar is followed", |root| row(root, "A cabin of its own"));
    daemon.signal("-TERM");
    daemon.ends_well();
}

/// Adds a second market that takes the same, and 3D models too.
fn add_market(root: &Root, gates: &str) {
    let adobe = fs::read_to_string(root.at("markets/adobe-stock.yaml")).unwrap();
    let other = adobe.replace("name: adobe-stock", "name: other").replace("kinds: [jpeg,", "kinds: [jpeg, png, obj,");
    fs::write(root.at("markets/other.yaml"), other).unwrap();
    let settings = "keep: {method: lanczos, min_megapixels: 0.04}\nsettle: {notes_quiet_s: 0, weak_quiet_ms: 500}\nupload: {markets: [adobe-stock, other]}";
    let settings = format!("{settings}\n{gates}");
    fs::write(root.at("stockmill.yaml"), settings).unwrap();
}

/// Drops a model into each theme, with a part that has the same name in both.
fn drop_models(root: &Root) {
    for theme in ["winter-cabins", "sea"] {
        fs::create_dir_all(root.at(&format!("upload/{theme}"))).unwrap();
        let model = root.at(&format!("upload/{theme}/{theme}.obj"));
        fs::write(model, format!("mtllib m.mtl\nv 0 0 0\nusemtl a\nf 1 1 1\n# {theme}\n")).unwrap();
        fs::write(root.at(&format!("upload/{theme}/m.mtl")), format!("newmtl a\n# {theme}\n")).unwrap();
    }
}

#[test]
fn each_market_has_its_manifest_and_parts_of_models_never_meet() {
    let root = Root::new();
    add_market(&root, "");
    root.idea(&format!("{NOTE}- Sea — wave\n"));
    assert!(root.once().status.success(), "{}", root.log());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 220)).unwrap();
    let xmp = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
               <rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:subject><rdf:Bag>\
               <rdf:li>from the xmp</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>";
    fs::write(root.at("raw/winter-cabins/a.xmp"), xmp).unwrap();
    drop_models(&root);
    // What it is counts, not what it is called.
    let jpeg = {
        let image = image::load_from_memory(&picture(2, 220)).unwrap().to_rgb8();
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    };
    fs::write(root.at("upload/sea/wrong.png"), &jpeg).unwrap();
    assert!(root.once().status.success(), "{}", root.log());

    let files = root.files();
    let rows = |market: &str| {
        let path = files.iter().find(|name| name.ends_with(&format!("/{market}/{market}.csv"))).expect(market);
        assert!(files.contains(&path.replace(&format!("{market}.csv"), "CHECKLIST.md")));
        let text = fs::read_to_string(root.at(path)).unwrap();
        text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // Only the first market's bundle had what a foreign sidecar says; the files of the others lost it again.
    for market in ["adobe-stock", "other"] {
        let path = files.iter().find(|name| name.ends_with(&format!("/{market}/{market}.csv"))).expect(market);
        assert!(fs::read_to_string(root.at(path)).unwrap().contains("from the xmp"), "{market}: {files:?}");
    }
    assert_eq!(rows("adobe-stock"), ["winter-cabins-0001.jpg", "wrong.jpg"]);
    assert_eq!(rows("other"), ["sea.obj", "winter-cabins-0001.jpg", "winter-cabins.obj", "wrong.jpg"]);
    for theme in ["winter-cabins", "sea"] {
        // A part lay in the bundle alone, and was lost with it.
        let bundled = format!("/other/parts/{theme}.obj/m.mtl");
        let bundled = files.iter().find(|name| name.ends_with(&bundled)).unwrap_or_else(|| panic!("{files:?}"));
        let is_kept =
            |name: &&String| name.starts_with(&format!("archive/{theme}/{theme}-")) && name.ends_with("/m.mtl");
        let kept = files.iter().find(is_kept).unwrap_or_else(|| panic!("{files:?}"));
        for part in [bundled, kept] {
            assert!(fs::read_to_string(root.at(part)).is_ok_and(|text| text.contains(theme)), "{part}: {files:?}");
        }
    }
}

/// Notes and prompts in a model's folders, and what its textures say, went to markets.
#[test]
fn what_the_parts_of_a_model_say_stays_in_the_archive() {
    let root = Root::new();
    add_market(&root, "");
    root.idea(&format!("{NOTE}- Sea — wave\n"));
    assert!(root.once().status.success(), "{}", root.log());
    let plain = picture(7, 64);
    let mut chunk = b"tEXtparameters\0secret of jane".to_vec();
    let sum = crc32fast::hash(&chunk).to_be_bytes();
    let length = u32::try_from(chunk.len() - 4).unwrap().to_be_bytes();
    chunk.splice(..0, length);
    chunk.extend(sum);
    let texture = [&plain[..33], &chunk, &plain[33..]].concat();
    fs::create_dir_all(root.at("upload/sea/textures")).unwrap();
    fs::write(root.at("upload/sea/sea.obj"), "# /media/jane/sea\nmtllib m.mtl\nv 0 0 0\nusemtl a\nf 1 1 1\n").unwrap();
    fs::write(root.at("upload/sea/m.mtl"), "newmtl a\nmap_Kd textures/w.png\nmap_Bump textures/w.exr\n").unwrap();
    for (part, bytes) in [("w.png", &texture[..]), ("w.exr", b"secret"), ("notes.txt", b"secret"), ("w.psd", b"8BPS")] {
        fs::write(root.at(&format!("upload/sea/textures/{part}")), bytes).unwrap();
    }
    assert!(root.once().status.success(), "{}", root.log());
    let files = root.files();
    let of = |ending: &str| files.iter().find(|name| name.ends_with(ending));
    let read = |ending: &str| fs::read(root.at(of(ending).unwrap_or_else(|| panic!("{ending}: {files:?}")))).unwrap();
    assert_eq!(read("/other/parts/sea.obj/textures/w.png"), plain);
    assert_eq!(read("/other/parts/sea.obj/textures/w.exr"), b"secret");
    for left_out in ["notes.txt", "w.psd"] {
        assert_eq!(of(&format!("/parts/sea.obj/textures/{left_out}")), None, "{files:?}");
        assert!(of(&format!("archive/sea/sea-0001/textures/{left_out}")).is_some(), "{files:?}");
    }
    assert_eq!(read("archive/sea/sea-0001/textures/w.png"), texture);
    let list = String::from_utf8(read("/other/CHECKLIST.md")).unwrap();
    assert!(list.contains("> A folder of a person is named inside: `sea.obj`; "), "{list}");
    assert!(list.contains("> Look into these parts before you upload: `textures/w.exr` of `sea.obj`; "), "{list}");
    assert!(root.log().contains("2 parts in no bundle, since no model uses such files"), "{}", root.log());
    assert!(root.log().contains("1 part without metadata: `textures/w.png`"), "{}", root.log());
    assert!(root.log().contains("names a folder of a person, `/media/jane`"), "{}", root.log());
}

/// The checklist named no parts, and nobody told where they lay.
#[test]
fn a_model_is_uploaded_whole_and_comes_back_whole() {
    let root = Root::new();
    add_market(&root, "");
    root.idea(&format!("{NOTE}- Sea — wave\n"));
    assert!(root.once().status.success(), "{}", root.log());
    drop_models(&root);
    assert!(root.once().status.success(), "{}", root.log());
    let files = root.files();
    let of = |ending: &str| files.iter().find(|name| name.ends_with(ending)).unwrap();
    // Whoever has the bundle and its list can upload it whole.
    let list = |root: &Root| fs::read_to_string(root.at(of("/other/CHECKLIST.md"))).unwrap();
    let named = "> Parts of a model: `sea.obj` has `m.mtl`, in `parts/sea.obj/`; upload them with it.";
    let step =
        "- [ ] Upload `sea.obj`, `winter-cabins.obj` (2 files) from `files/`, each with its parts, which are named";
    assert!(list(&root).contains(named) && list(&root).contains(step), "{}", list(&root));
    // A model comes back with its part, also if a person took that out of the bundle.
    let explained = |path: &str| root.text(&["explain", root.at(path).to_str().unwrap()]);
    let (part, kept) = (of("/parts/sea.obj/m.mtl"), of("archive/sea/sea-0001/m.mtl"));
    assert!(explained(part).contains("files/sea.obj`: upload it with that"), "{}", explained(part));
    let model = explained(of("/files/sea.obj"));
    assert!(model.contains("1 file in `parts/sea.obj/` of its bundle: upload them with it"), "{model}");
    assert!(explained(kept).contains("came along with"), "{}", explained(kept));
    fs::remove_file(root.at(part)).unwrap();
    assert!(root.call(&["undo", root.at(of("/files/sea.obj")).to_str().unwrap()]).status.success(), "{}", root.log());
    assert!(root.at("upload/sea/m.mtl").exists() && root.at("upload/sea/sea.obj").exists(), "{:?}", root.files());
    // Older versions put the parts elsewhere, in one bundle alone.
    let former = format!("{}.parts/m.mtl", of("/other/sidecars/winter-cabins.obj.yaml").strip_suffix(".yaml").unwrap());
    fs::create_dir_all(root.at(&former).parent().unwrap()).unwrap();
    fs::write(root.at(&former), "w").unwrap();
    assert!(
        explained(&former).contains("upload it with that, and keep it: it lies here alone"),
        "{}",
        explained(&former)
    );
    fs::remove_dir_all(root.at("upload/sea")).unwrap();
    fs::remove_dir_all(root.at(of("/parts/winter-cabins.obj/m.mtl")).parent().unwrap()).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let named =
        "`winter-cabins.obj` has `m.mtl`, in `sidecars/winter-cabins.obj.parts/`, here alone: keep them; upload them";
    assert!(list(&root).contains(named) && !list(&root).contains("`sea.obj`"), "{}", list(&root));
}

/// A part that was changed in a bundle was told nowhere, and `archive` had it, too.
#[test]
fn a_part_that_is_changed_by_hand_is_told_and_uploaded_again() {
    let root = Root::new();
    add_market(&root, "");
    root.idea(&format!("{NOTE}- Sea — wave\n"));
    assert!(root.once().status.success(), "{}", root.log());
    drop_models(&root);
    assert!(root.once().status.success(), "{}", root.log());
    let files = root.files();
    let of = |ending: &str| files.iter().find(|name| name.ends_with(ending)).unwrap();
    let list = || fs::read_to_string(root.at(of("/other/CHECKLIST.md"))).unwrap();
    let call = |command: &[&str]| String::from_utf8(root.call(command).stdout).unwrap();
    let (part, model) = (of("/other/parts/sea.obj/m.mtl"), of("/other/files/sea.obj"));
    let explained = |path: &str| call(&["explain", root.at(path).to_str().unwrap()]);
    let (changed, again) =
        ("`m.mtl` in `parts/sea.obj/` of its bundle was changed by hand", "in place of what was uploaded");
    let told = || {
        let all = [list(), call(&["status"]), explained(model)].map(|text| text.contains(changed));
        (
            all,
            call(&["verify"]).contains(&format!("{part}: has other bytes")),
            explained(part).contains("`archive` has"),
        )
    };
    fs::write(root.at(of("/other/CHECKLIST.md")), list().replace("- [ ] Upload", "- [x] Upload")).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!((told(), list().contains(again)), (([false; 3], false, true), false), "{}", list());
    let before = fs::read(root.at(part)).unwrap();
    fs::write(root.at(part), "newmtl a\n# a secret of jane\n").unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!((told(), list().contains(again)), (([true; 3], true, false), true), "{}", list());
    fs::write(root.at(part), before).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!((told(), list().contains(again)), (([false; 3], false, true), false), "{}", list());
}

#[test]
fn one_asset_is_bundled_once_whatever_a_person_copies() {
    // The daemon's own product, copied without its sidecar while it lies behind a gate.
    let root = Root::new();
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), format!("{settings}gates: {{export: hold}}\n")).unwrap();
    root.idea(&format!("{NOTE}- Sea — wave\n"));
    let daemon = root.run();
    root.until("the themes are there", |root| root.at("raw/sea/tags.yaml").exists());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    let product = root.at("export/winter-cabins/winter-cabins-0001.png");
    root.until("it is held", |root| root.log().contains("Held: ") && product.exists());
    fs::copy(&product, root.at("raw/sea/x.png")).unwrap();
    root.until("the copy is set aside", |root| root.at("failed/raw/sea/x.png.reason.txt").exists());
    // The daemon answered, and its answer was taken.
    assert_eq!(
        root.text(&["release", "export"]),
        "Released: 1 asset lies in `export` now, and may go on.\nWhat stays all the same stands in `stockmill status`, with what to do.\n"
    );
    let requests = fs::read_dir(root.at(".stockmill/requests")).unwrap();
    let names: Vec<_> = requests.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with("answer-")), "{names:?}");
    root.until("it is bundled", |root| root.csv().len() == 2);
    daemon.signal("-TERM");
    daemon.ends_well();
    assert_eq!(root.bundled().len(), 1, "{:?}", root.files());
    // One line tells it, and none tells of tags that only came along.
    let log = root.log();
    let told: Vec<&str> =
        log.lines().filter(|line| line.contains("to=failed/") || line.contains("Set aside")).collect();
    assert!(told.len() == 1 && told[0].contains(" ERROR Set aside: it has the same bytes"), "{log}");
    assert!(!log.contains("hared tags"), "{log}");

    // The asset with its sidecar, in two stages that are let go together.
    let root = Root::new();
    fs::write(root.at("stockmill.yaml"), format!("{settings}gates: {{upload: hold}}\n")).unwrap();
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    let archived = "archive/winter-cabins/winter-cabins-0001.png";
    fs::create_dir_all(root.at("export/winter-cabins")).unwrap();
    for suffix in ["", ".yaml"] {
        let copy = root.at(&format!("export/winter-cabins/copy.png{suffix}"));
        fs::copy(root.at(&format!("{archived}{suffix}")), copy).unwrap();
    }
    assert!(root.once().status.success());
    let held: Vec<String> = root.files().into_iter().filter(|name| name.starts_with("upload/winter-cabins/")).collect();
    assert_eq!(held.iter().filter(|name| name.ends_with(".jpg")).count(), 2, "{held:?}");
    assert!(root.call(&["release", "upload"]).status.success());
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 1, "{:?}\n{}", root.files(), root.log());
    assert!(root.text(&["status"]).contains("bundled for this market before"), "{}", root.text(&["status"]));
    // It names the other one.
    let other = root.bundled().pop().unwrap();
    let named = format!("it lies there as `{}`", other.strip_prefix(&root.path).unwrap().display());
    assert!(root.text(&["status"]).contains(&named), "{named}: {}", root.text(&["status"]));
}

/// What lay in a folder that a person made in the bundle had no row any more, and went to the market again.
#[test]
fn what_is_put_aside_within_its_bundle_is_not_taken_out() {
    for place in ["files/done", "done"] {
        let root = Root::new();
        let (_, bundle) = with_one_bundled(&root);
        let file = root.bundled().pop().unwrap();
        let away = bundle.join(place).join(file.file_name().unwrap());
        fs::create_dir_all(away.parent().unwrap()).unwrap();
        fs::rename(&file, &away).unwrap();
        let texts = || ["adobe-stock.csv", "CHECKLIST.md"].map(|text| fs::read_to_string(bundle.join(text)).unwrap());
        let before = texts();
        assert_eq!(root.once().status.code(), Some(1), "{}", root.log());
        let told = format!("{place}/`: put it back into `files/`");
        let bundle_text = bundle.to_str().unwrap();
        let said = [&["status"][..], &["explain", bundle_text], &["sent", bundle_text]].map(|words| root.text(words));
        assert!(said.iter().chain([&root.log()]).all(|said| said.contains(&told)), "{said:?}\n{}", root.log());
        fs::write(bundle.join("SENT"), "").unwrap();
        assert_eq!(root.once().status.code(), Some(1), "{}", root.log());
        assert!(!root.log().contains("ecorded that") && root.text(&["status"]).contains(&told), "{}", root.log());
        fs::remove_file(bundle.join("SENT")).unwrap();

        let archived = root.at("archive/winter-cabins/winter-cabins-0001.png");
        fs::rename(archived, root.at("raw/winter-cabins/again.png")).unwrap();
        for stage in ["raw", "upload"] {
            assert_eq!(root.once().status.code(), Some(1), "{}", root.log());
            assert!(root.call(&["release", stage, "--anyway"]).status.success());
        }
        assert_eq!(root.once().status.code(), Some(1), "{}", root.log());
        assert!(root.bundled().iter().all(|bundled| *bundled == away), "{place}: {}", root.log());
        assert!(root.log().contains("it lies there as `upload/"), "{}", root.log());
        // Back in its place, all is as it was.
        fs::rename(&away, &file).unwrap();
        assert!(root.once().status.success());
        assert_eq!(texts(), before, "{place}");
        assert!(root.text(&["sent", bundle_text]).contains("recorded that 1 file"), "{}", root.log());
    }
}

/// A manifest that was changed by hand was replaced without a word, and a bundle with another name was followed no more.
#[test]
fn what_a_person_does_to_a_bundle_is_told() {
    let root = Root::new();
    let (_, bundle) = with_one_bundled(&root);
    let csv = bundle.join("adobe-stock.csv");
    let (text, told) =
        (fs::read_to_string(&csv).unwrap(), || root.log().matches("was changed by hand, and that").count());
    let tags = root.at("raw/winter-cabins/tags.yaml");
    fs::write(&tags, fs::read_to_string(&tags).unwrap().replace("title: Winter cabins", "title: Snowed in")).unwrap();
    assert!(root.once().status.success());
    assert_eq!(told(), 0, "{}", root.log());
    fs::write(&csv, text.replace("Winter cabins", "Mine")).unwrap();
    assert!(root.once().status.success());
    assert!(told() == 1 && fs::read_to_string(&csv).unwrap().contains("Snowed in"), "{}", root.log());

    let renamed = bundle.with_file_name("adobe-stock_done");
    fs::rename(&bundle, &renamed).unwrap();
    fs::write(root.at("raw/winter-cabins/b.png"), picture(2, 100)).unwrap();
    assert!(root.once().status.success());
    assert!(root.log().contains("Left alone: it holds what a bundle holds, and its name is none"), "{}", root.log());
}

/// Its files were taken for new ones, and set aside one by one.
#[test]
fn a_bundle_that_a_person_moved_where_none_is_known_is_left_alone_whole() {
    for (place, has_journal) in [("later/2026-12-01/adobe-stock", true), ("my-box", true), ("my-box", false)] {
        let root = Root::new();
        add_market(&root, "");
        let (_, bundle) = with_one_bundled(&root);
        let bundled = root.bundled();
        let folder = root.at("upload").join(place);
        fs::create_dir_all(folder.parent().unwrap()).unwrap();
        fs::rename(&bundle, &folder).unwrap();
        let is_inside = |(path, _): &(PathBuf, Vec<u8>)| path.starts_with(&folder);
        let inside = || root.contents("upload").into_iter().filter(is_inside).collect::<Vec<_>>();
        let before = inside();
        if !has_journal {
            fs::remove_dir_all(root.at(".stockmill")).unwrap();
            fs::remove_dir_all(root.at("archive/winter-cabins")).unwrap();
        }
        fs::write(root.at("raw/winter-cabins/again.png"), picture(1, 100)).unwrap();
        for _ in 0..2 {
            root.once();
            let count = root.bundled().len();
            assert!(inside() == before && count == bundled.len(), "{place}: {:?}\n{}", root.files(), root.log());
        }
        assert!(!root.at("upload/later/tags.yaml").exists());
        let told = format!("upload/{place}: it is a whole bundle, and none can lie here");
        let status = root.text(&["status"]);
        assert!(status.contains(&told), "{place}: {status}");
        let file = folder.join("files/winter-cabins-0001.jpg");
        assert!(root.text(&["explain", file.to_str().unwrap()]).contains("it is a whole bundle"), "{place}");
        fs::rename(&folder, &bundle).unwrap();
        root.once();
        assert!(root.text(&["status"]).contains("/adobe-stock: 1 file\n"), "{}", root.text(&["status"]));
    }
}

/// A bundled file that was edited in place was bundled again, as a file that somebody had open when it was moved; and
/// changed tags were tried on it again and again.
#[test]
fn a_bundled_file_that_is_edited_in_place_is_bundled_once_and_told() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\n");
    let (bundled, _) = with_one_bundled(&root);
    let mut edited = fs::read(&bundled).unwrap();
    edited.extend_from_slice(b"edited");
    // In place: the same file keeps its number and its names.
    fs::write(&bundled, &edited).unwrap();
    let tags = root.at("raw/winter-cabins/tags.yaml");
    fs::write(&tags, fs::read_to_string(&tags).unwrap().replace("title: Winter cabins", "title: Snowed in")).unwrap();
    for _ in 0..2 {
        assert!(root.once().status.success(), "{}", root.log());
    }
    let explained = root.text(&["explain", bundled.to_str().unwrap()]);
    assert!(explained.contains("changed  by hand since it was bundled"), "{explained}");
    assert_eq!((root.bundled(), fs::read(&bundled).unwrap()), (vec![bundled], edited), "{}", root.log());
    let log = root.log();
    assert!(log.contains("Left alone: it was changed by hand after it was bundled"), "{log}");
    assert!(!log.contains("Brought back") && !log.contains("tried again"), "{log}");
    assert!(root.csv()[1].iter().any(|cell| cell.contains("Snowed in")), "{:?}", root.csv());
}

/// Only who asked about that one file was told: others would upload it without its tags, and with what another program wrote.
#[test]
fn a_bundled_file_that_another_program_saved_is_told_where_a_person_looks() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\n");
    let (bundled, _) = with_one_bundled(&root);
    let left = fs::read(&bundled).unwrap();
    let checklist = bundled.ancestors().nth(2).unwrap().join("CHECKLIST.md");
    let named = "> Changed by hand since they were bundled: `winter-cabins-0001.jpg`; ";
    let why = "it was changed by hand since it was bundled: nobody knows what it shows and says now";
    let is_told = || {
        assert!(root.once().status.success(), "{}", root.log());
        [fs::read_to_string(&checklist).unwrap().contains(named), root.text(&["status"]).contains(why)]
    };
    assert_eq!(is_told(), [false; 2]);
    fs::write(&bundled, [&left[..], b"by another program"].concat()).unwrap();
    assert_eq!(is_told(), [true; 2], "{}\n{}", root.text(&["status"]), fs::read_to_string(&checklist).unwrap());
    assert!(root.log().contains("Left alone: it was changed by hand after it was bundled"), "{}", root.log());
    // Tags that are written into its sidecar later say nothing of the picture.
    let record = checklist.with_file_name("sidecars").join("winter-cabins-0001.jpg.yaml");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace("tags: {}", "tags: {category: {adobe-stock: Landscapes}}")).unwrap();
    assert_eq!(is_told(), [true; 2], "{text}");
    fs::write(&bundled, &left).unwrap();
    assert_eq!(is_told(), [false; 2]);
    // One that comes with the time of a copy is another one all the same.
    fs::write(&bundled, [&left[..], b"of last year"].concat()).unwrap();
    let last_year = std::time::SystemTime::now() - std::time::Duration::from_secs(365 * 86_400);
    fs::File::options().write(true).open(&bundled).unwrap().set_modified(last_year).unwrap();
    assert_eq!(is_told(), [true; 2]);
    fs::write(&bundled, left).unwrap();
    assert_eq!(is_told(), [false; 2]);
}

/// All that a person made of a file counted as one version: the market kept the first, and nobody asked for the second.
#[test]
fn a_bundled_file_that_is_changed_by_hand_once_more_is_asked_for_once_more() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\n");
    let (bundled, _) = with_one_bundled(&root);
    let left = fs::read(&bundled).unwrap();
    let checklist = bundled.ancestors().nth(2).unwrap().join("CHECKLIST.md");
    let asked = |bytes: &[u8]| {
        fs::write(&bundled, [&left[..], bytes].concat()).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        let list = fs::read_to_string(&checklist).unwrap();
        fs::write(&checklist, list.replace("- [ ]", "- [x]")).unwrap();
        list.matches("- [ ] Upload `winter-cabins-0001.jpg`").count()
    };
    // Asked for at first, each time that it is another one, and not again.
    let rows: [(&[u8], usize); 5] = [(b"one", 1), (b"one", 0), (b"two", 1), (b"", 1), (b"", 0)];
    for (bytes, steps) in rows {
        assert_eq!(asked(bytes), steps, "{bytes:?}: {}", fs::read_to_string(&checklist).unwrap());
    }
}

/// What nobody can know before a picture is made is looked at once it is: nothing that a market would refuse, or that was
/// sold before, goes on because its steps are taken at once.
#[test]
fn what_is_known_only_once_it_is_made_is_not_bundled() {
    // As many bytes as a market takes; what it refuses, and the files that are bundled.
    for (bytes, why, bundled) in [("1, max: 900", "the market takes at most 900", 0), ("1, max: 90000", "", 1)] {
        let root = Root::new();
        let market = root.at("markets/adobe-stock.yaml");
        let text = fs::read_to_string(&market).unwrap();
        fs::write(&market, text.replace("bytes: {min: 1, max: 45000000}", &format!("bytes: {{min: {bytes}}}")))
            .unwrap();
        root.idea(NOTE);
        assert!(root.once().status.success());
        fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        assert_eq!(root.bundled().len(), bundled, "{bytes}: {}", root.log());
        assert!(root.text(&["status"]).contains(why), "{}", root.text(&["status"]));
        assert_eq!(root.at("upload/winter-cabins/winter-cabins-0001.jpg").exists(), bundled == 0, "{:?}", root.files());
    }

    // The same pixels in another file, at the same time and later.
    let compressed_anew = |bytes: &[u8]| {
        let pixels = image::load_from_memory(bytes).unwrap();
        let mut anew = Vec::new();
        let (how, filter) = (image::codecs::png::CompressionType::Best, image::codecs::png::FilterType::Paeth);
        pixels.write_with_encoder(image::codecs::png::PngEncoder::new_with_quality(&mut anew, how, filter)).unwrap();
        assert_ne!(anew, bytes);
        anew
    };
    for at_once in [true, false] {
        let root = Root::new();
        root.idea(NOTE);
        assert!(root.once().status.success());
        fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
        if !at_once {
            assert!(root.once().status.success());
        }
        fs::write(root.at("raw/winter-cabins/b.png"), compressed_anew(&picture(1, 100))).unwrap();
        assert!(root.once().status.success(), "{}", root.log());
        assert_eq!(root.bundled().len(), 1, "at once {at_once}: {:?}\n{}", root.files(), root.log());
        let status = root.text(&["status"]);
        assert!(
            status.contains("it was bundled for this market before"),
            "at once {at_once}: {status}\n{}",
            root.log()
        );
    }
}

/// A file without a row in the CSV that was sent would never be sold, and counted as sold.
#[test]
fn a_file_that_a_sent_manifest_does_not_have_is_named() {
    let root = Root::new();
    let (file, bundle) = with_one_bundled(&root);
    fs::write(bundle.join("SENT"), "").unwrap();
    assert!(root.once().status.success());
    assert!(!root.log().contains("Not in the manifest"), "{}", root.log());
    fs::copy(&file, file.with_file_name("joined-0002.jpg")).unwrap();
    assert!(root.once().status.success());
    let told: Vec<String> =
        root.log().lines().filter(|line| line.contains("WARN Not in the manifest")).map(str::to_owned).collect();
    assert!(told.len() == 1 && told[0].contains("files/joined-0002.jpg"), "{}", root.log());
    let status = root.text(&["status"]);
    assert!(
        status.contains("adobe-stock: 1 file, and 1 without a sidecar, sent; 1 without a row in its CSV\n"),
        "{status}"
    );
    assert!(status.contains("files/joined-0002.jpg: it lies in a bundle that is marked as sent, and"), "{status}");
    let verified = root.text(&["verify"]);
    assert!(verified.contains("files/joined-0002.jpg: its bundle was sent, and the CSV has no row"), "{verified}");
    // A row without a file was told by no line, and of an open bundle neither was a file without a row.
    fs::remove_file(bundle.join("SENT")).unwrap();
    let csv = bundle.join("adobe-stock.csv");
    let rows = fs::read_to_string(&csv).unwrap();
    fs::write(&csv, rows.replace("winter-cabins-0001.jpg", "winter-cabins-0009.jpg")).unwrap();
    let verified = root.text(&["verify"]);
    for told in [
        "files/joined-0002.jpg: the CSV of its bundle has no row of it; stockmill writes that CSV when it runs",
        "files/winter-cabins-0001.jpg: the CSV of its bundle has no row of it",
        "files/winter-cabins-0009.jpg: the CSV of its bundle has a row of it, and it is not there; put it back",
    ] {
        assert!(verified.contains(told), "{verified}");
    }
    fs::write(&csv, rows).unwrap();
    fs::write(bundle.join("SENT"), "").unwrap();
    // By day, and the parts of a market in their order.
    let others = ["2031-01-02/adobe-stock", "2020-01-02/adobe-stock-10", "2020-01-02/adobe-stock-2"];
    others.iter().for_each(|other| fs::create_dir_all(root.at(&format!("upload/{other}"))).unwrap());
    let status = root.text(&["status"]);
    let listed: Vec<&str> = status.lines().filter_map(|line| line.strip_prefix("bundle   upload/")).collect();
    let at = |other: &str| listed.iter().position(|line| line.starts_with(other));
    assert_eq!([others[2], others[1], others[0]].map(at), [Some(0), Some(1), Some(3)], "{status}");
}

/// What was deleted from a bundle that was not sent could never be bundled again, whatever the person said.
#[test]
fn what_was_taken_out_of_a_bundle_is_bundled_again_on_a_word_unless_it_may_be_sold() {
    // (what is done with the bundle before and after its one file is deleted, how many files of it are bundled then,
    // and else what is said)
    type Act = fn(&Path);
    let nothing: Act = |_| ();
    let send: Act = |bundle| fs::write(bundle.join("SENT"), "").unwrap();
    let remove: Act = |bundle| fs::remove_dir_all(bundle).unwrap();
    let empty_again: Act = |bundle| {
        fs::remove_dir_all(bundle).unwrap();
        fs::create_dir(bundle).unwrap();
    };
    let rows = [
        (nothing, nothing, "bundled anew"),
        (nothing, send, "bundled anew"),
        (send, nothing, "it was bundled for this market before, it was sent as `upload/"),
        (
            nothing,
            remove,
            "it was bundled for this market before, and nobody can tell whether it was sold, since `upload/",
        ),
        (nothing, empty_again, "bundled anew"),
    ];
    for (number, (before, after, expected)) in rows.into_iter().enumerate() {
        let root = Root::new();
        let (file, bundle) = with_one_bundled(&root);
        before(&bundle);
        fs::remove_file(&file).unwrap();
        assert!(root.once().status.success());
        after(&bundle);
        fs::write(root.at("raw/winter-cabins/again.png"), picture(1, 100)).unwrap();
        assert!(root.once().status.success());
        assert!(root.call(&["release", "raw", "--anyway"]).status.success());
        assert!(root.once().status.success());
        let status = root.text(&["status"]);
        assert!(status.contains("it was bundled for this market before"), "row {number}: {status}");
        assert!(root.call(&["release", "upload", "winter-cabins", "--anyway"]).status.success());
        assert!(root.once().status.success());
        let status = root.text(&["status"]);
        match root.bundled().len() {
            0 => assert!(status.contains(expected), "row {number}: {status}"),
            count => assert_eq!((count, expected), (1, "bundled anew"), "row {number}: {status}"),
        }
    }
}
