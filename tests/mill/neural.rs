//! Pictures enlarged by the neural net, of few pixels: the tests are not optimised.

use std::fs;

use super::{NOTE, Root, picture as busy, size};

/// Returns a picture that the net knows what to do with, or one that it makes a blot of.
fn picture(is_plain: bool) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let board = if (x + y).is_multiple_of(2) { 0 } else { 255 };
        if is_plain { [x * 4 + 20, y * 4 + 30, 90].map(|value| u8::try_from(value).unwrap()) } else { [board; 3] }
    };
    let image = image::RgbImage::from_fn(50, 50, |x, y| image::Rgb(pixel(x, y)));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// What suits a picture is found by a look at it, is told with the reason, and does not make it stale.
#[test]
fn what_suits_a_picture_is_found_told_and_recorded() {
    let root = Root::with("keep: {method: auto, long_edge: 120}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    let image = image::load_from_memory(&picture(true)).unwrap();
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 80).encode_image(&image).unwrap();
    let mut large = std::io::Cursor::new(Vec::new());
    image
        .resize_exact(100, 100, image::imageops::FilterType::Triangle)
        .write_to(&mut large, image::ImageFormat::Png)
        .unwrap();
    let large = large.into_inner();
    for (name, bytes) in [("a.jpg", &jpeg), ("b.png", &large)] {
        fs::write(root.at(&format!("raw/winter-cabins/{name}")), bytes).unwrap();
    }
    assert!(root.once().status.success(), "{}", root.log());
    let log = root.log();
    for told in [
        "Enlarged from 50x50 to 120x120; enlarged by the neural net, which restores 100, since it is a JPEG of quality 80",
        "Enlarged from 100x100 to 120x120 by lanczos, since it is enlarged less than 1.5 times",
        "s for the first picture; `keep: {method: lanczos}` is quicker",
    ] {
        assert_eq!(log.matches(told).count(), 1, "{told}: {log}");
    }
    let explained: Vec<String> =
        root.bundled().iter().map(|path| root.text(&["explain", path.to_str().unwrap()])).collect();
    for recipe in ["`auto=neural auto=100 50x50 to 120x120; JPEG", "`lanczos 100x100 to 120x120 sharpen low; JPEG"] {
        assert_eq!(explained.iter().filter(|said| said.contains(recipe)).count(), 1, "{recipe}: {explained:?}");
    }
    let said = root.text(&["status"]);
    assert!(!said.contains("stale"), "{said}");
}

/// The net enlarges what it can; what it makes no picture of is enlarged without it, and that is told and recorded.
#[test]
fn the_net_enlarges_and_what_it_cannot_is_enlarged_without() {
    let root = Root::with("keep: {method: neural, restore: 30, scale: 4}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    for (name, is_plain) in [("a.png", true), ("b.png", false)] {
        fs::write(root.at(&format!("raw/winter-cabins/{name}")), picture(is_plain)).unwrap();
    }
    assert!(root.once().status.success(), "{}", root.log());
    let log = root.log();
    let told =
        "enlarged by lanczos instead: the neural net cannot enlarge it: what it makes does not look like its source";
    assert_eq!((root.bundled().len(), log.matches(told).count()), (2, 1), "{log}");
    assert_eq!(log.matches("Enlarged from 50x50 to 200x200 by the neural net (restore 30)").count(), 2, "{log}");
    assert!(root.bundled().iter().all(|file| size(file) == (200, 200)));
    let recipes: Vec<bool> = ["0001", "0002"]
        .map(|number| {
            let path = root.bundled().into_iter().find(|path| path.to_string_lossy().contains(number)).unwrap();
            let said = root.text(&["explain", path.to_str().unwrap()]);
            let by_net = said.contains("`neural 30 50x50 to 200x200; JPEG");
            assert!(by_net || said.contains("`lanczos-instead-of-neural 30 50x50 to 200x200; JPEG"), "{said}");
            let sidecar = format!("sidecars/{}.yaml", path.file_name().unwrap().to_str().unwrap());
            let sidecar = fs::read_to_string(path.parent().unwrap().with_file_name(sidecar)).unwrap();
            assert_eq!(sidecar.contains("enlarged by lanczos instead: "), !by_net, "{sidecar}");
            by_net
        })
        .to_vec();
    assert_eq!(recipes, [true, false]);
    // What the net could not do is not tried again and again.
    let said = root.text(&["status"]);
    assert!(!said.contains("stale"), "{said}");
    assert!(root.call(&["verify"]).status.success());
}

/// The nice values of the threads of a process: those that work for a net, and those that do not. A thread has the name
/// of the one that started it.
fn nice_values(process: u32) -> [Vec<i32>; 2] {
    let mut found = [Vec::new(), Vec::new()];
    for thread in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        // A thread may end while we look.
        let Ok(stat) = fs::read_to_string(thread.unwrap().path().join("stat")) else { continue };
        let (name, rest) = stat.rsplit_once(')').unwrap();
        // The seventeenth behind the name.
        let nice = rest.split_whitespace().nth(16).unwrap().parse().unwrap();
        found[usize::from(!name.ends_with("(net"))].push(nice);
    }
    found
}

/// A net takes long, and whoever drops a picture that needs none does not wait for it.
#[test]
fn a_net_at_work_gives_way_and_holds_nobody_up() {
    let settings = "keep: {method: neural, min_megapixels: 4}\nwork: {neural: {nice: 7, cores: 2}}\n";
    let root = Root::with(settings);
    root.idea(NOTE);
    assert!(root.once().status.success());
    let daemon = root.run();
    fs::write(root.at("raw/winter-cabins/slow.png"), busy(1, 1000)).unwrap();
    root.until("the threads of a net are at work", |_| nice_values(daemon.0.id())[0].len() > 2);
    fs::write(root.at("raw/winter-cabins/quick.png"), busy(2, 2000)).unwrap();
    root.until("the quick one is bundled", |root| root.bundled().len() == 1);
    let [net, others] = nice_values(daemon.0.id());
    let own = others[0];
    // Its own, and one for each core.
    assert!(net.len() >= 3 && net.iter().all(|nice| *nice == own + 7), "{net:?}, the others {others:?}");
    assert!(others.iter().all(|nice| *nice == own), "{others:?}");
    // The stop ends it at its next row.
    daemon.signal("-TERM");
    daemon.ends_well();
    assert!(root.at("raw/winter-cabins/slow.png").exists());
}
