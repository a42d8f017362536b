use image::imageops::{FilterType, resize};
use image::{GrayImage, Luma, RgbImage};

use super::*;
use crate::craft::{Picture, Untold, encode};
use crate::model::Format;

/// How many times as large the originals are.
const TIMES: u32 = 4;
const EDGE: u32 = 120;

/// Returns an original: what is light and dark in it has borders of all directions, and some grain as of a camera.
fn original() -> GrayImage {
    let mut noise = 7_u32;
    GrayImage::from_fn(EDGE * TIMES, EDGE * TIMES, |x, y| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (noise >> 28) + ((x * 3 + y) >> 5);
        let is_light =
            [(90, 90, 70), (330, 120, 95), (150, 330, 110), (380, 380, 60)].into_iter().any(|(cx, cy, r)| {
                let (dx, dy) = (x.abs_diff(cx), y.abs_diff(cy));
                let from = dx * dx + dy * dy;
                from < r * r && from > (r - 30) * (r - 30)
            });
        Luma([u8::try_from(if is_light { 150 + grain } else { 40 + grain }).unwrap()])
    })
}

fn reduced(filter: FilterType) -> DynamicImage {
    resize(&original(), EDGE, EDGE, filter).into()
}

/// Reduces it to the means of squares.
fn by_areas() -> DynamicImage {
    let original = original();
    let mean = |x: u32, y: u32| {
        let all = (0..TIMES * TIMES).map(|at| original[(x * TIMES + at % TIMES, y * TIMES + at / TIMES)][0]);
        u8::try_from((all.map(u32::from).sum::<u32>() + TIMES * TIMES / 2) / (TIMES * TIMES)).unwrap()
    };
    GrayImage::from_fn(EDGE, EDGE, |x, y| Luma([mean(x, y)])).into()
}

fn enlarged() -> DynamicImage {
    reduced(FilterType::Lanczos3).resize_exact(EDGE * 2, EDGE * 2, FilterType::CatmullRom)
}

fn drawn() -> DynamicImage {
    let color = |x: u32, y: u32| match (x.abs_diff(60).pow(2) + y.abs_diff(60).pow(2), (x + y) % 40) {
        (0..900, _) => [200, 40, 30],
        (_, 0..4) => [20, 20, 30],
        _ => [240, 220, 180],
    };
    RgbImage::from_fn(EDGE, EDGE, |x, y| image::Rgb(color(x, y))).into()
}

fn bytes(image: DynamicImage, format: Format, quality: u8) -> Vec<u8> {
    encode(&Picture { image, icc: None }, format, quality).unwrap()
}

fn looked_at(bytes: &[u8], kind: Kind) -> Suited {
    suited(bytes.into(), kind, &Limits::default(), &Untold).unwrap()
}

/// Stores it as a JPEG, and what that shows as a PNG.
fn through_jpeg(image: DynamicImage, quality: u8) -> DynamicImage {
    crate::craft::decode(&bytes(image, Format::Jpeg, quality), Kind::Jpeg, &Limits::default()).unwrap().image
}

#[test]
fn what_a_picture_was_made_with_is_seen_in_its_pixels() {
    let even = |value| DynamicImage::from(GrayImage::from_pixel(40, 40, Luma([value])));
    // The picture, how much is restored in it at least and at most, and why.
    let rows = [
        ("Lanczos", reduced(FilterType::Lanczos3), 30..=45, "clean and sharp"),
        ("bicubic", reduced(FilterType::CatmullRom), 30..=45, "clean and sharp"),
        ("areas", by_areas(), 85..=100, "hard"),
        ("enlarged", enlarged(), 90..=100, "soft"),
        ("blurred", reduced(FilterType::Lanczos3).blur(1.2), 90..=100, "soft"),
        ("drawn", drawn(), 100..=100, "drawn or flat"),
        ("a JPEG that was stored as PNG", through_jpeg(reduced(FilterType::Lanczos3), 50), 80..=100, "grid of 8"),
        ("even", even(90), 100..=100, "drawn or flat"),
        ("white", even(255), 50..=50, "few edges"),
        ("tiny", reduced(FilterType::Lanczos3).crop_imm(0, 0, 3, 2), 50..=50, "few edges"),
    ];
    for (what, image, expected, why) in rows {
        let found = looked_at(&bytes(image.clone(), Format::Png, 100), Kind::Png);
        assert!(expected.contains(&found.restore) && found.why.contains(why), "{what}: {found:?}");
        let deep = DynamicImage::ImageLuma16(image.to_luma16());
        let grey = DynamicImage::from(image.to_luma8());
        let [deep, grey] = [deep, grey].map(|image| looked_at(&bytes(image, Format::Png, 100), Kind::Png));
        assert_eq!(deep, grey, "{what}");
    }
}

#[test]
fn what_storing_lost_is_told_by_the_file() {
    let rows = [
        (Format::Jpeg, 100, 30, "clean and sharp"),
        (Format::Jpeg, 97, 42, "a JPEG of quality 97"),
        (Format::Jpeg, 95, 50, "a JPEG of quality 95"),
        (Format::Jpeg, 90, 67, "a JPEG of quality 90"),
        (Format::Jpeg, 85, 83, "a JPEG of quality 85"),
        (Format::Jpeg, 80, 100, "a JPEG of quality 80"),
        (Format::Jpeg, 30, 100, "a JPEG of quality 30"),
        (Format::Png, 80, 30, "clean and sharp"),
    ];
    for (format, quality, restore, why) in rows {
        let kind = if format == Format::Png { Kind::Png } else { Kind::Jpeg };
        let found = looked_at(&bytes(reduced(FilterType::Lanczos3), format, quality), kind);
        assert!(found.restore.abs_diff(restore) < 10 && found.why.contains(why), "{quality}: {found:?}");
    }
    let webp = |name: &[u8]| [b"RIFF\x0c\0\0\0WEBP", name, b"\0\0\0\0"].concat();
    for (name, is_lossy) in [(b"VP8 ", true), (b"VP8L", false)] {
        assert_eq!(stored(&webp(name), Kind::Webp).is_some(), is_lossy);
    }
}

/// What is hidden was taken for a hard edge, of the very contour that a cut-out has.
#[test]
fn what_is_transparent_is_not_looked_at() {
    let plain = reduced(FilterType::Lanczos3).to_rgba8();
    let cut_out = image::RgbaImage::from_fn(EDGE, EDGE, |x, y| match (x / 12 + y / 12) % 4 {
        0 => image::Rgba([255, 0, 255, 0]),
        _ => plain[(x, y)],
    });
    let [plain, cut_out] =
        [plain, cut_out].map(|image| looked_at(&bytes(image.into(), Format::Png, 100), Kind::Png).restore);
    assert!(plain.abs_diff(cut_out) < 10, "{plain} {cut_out}");
}

#[test]
fn it_is_looked_at_only_where_that_is_asked_for() {
    use crate::model::{Enhance, Output};
    let png = bytes(by_areas(), Format::Png, 100);
    let larger = Some(Size { width: EDGE * 2, height: EDGE * 2 });
    let hardly = Some(Size { width: EDGE * 3 / 2 - 1, height: EDGE * 3 / 2 });
    let auto = Dial::from(Restore::Auto);
    let fixed = Dial::from(Restore::Fixed(7));
    let rows = [
        (Upscaler::Lanczos, larger, None),
        (Upscaler::Neural(fixed), larger, None),
        (Upscaler::Neural(auto), None, None),
        (Upscaler::Neural(auto), larger, Some(("neural auto=", "since its edges are hard"))),
        (Upscaler::Auto { dial: auto, took: None }, larger, Some(("auto=neural auto=", "since its edges are hard"))),
        (Upscaler::Auto { dial: fixed, took: None }, larger, Some(("auto=neural 7", "restores 7 as it is told to"))),
        (Upscaler::Auto { dial: auto, took: None }, hardly, Some(("auto=lanczos", "less than 1.5 times"))),
        (Upscaler::Neural(auto), hardly, Some(("neural auto=", "since its edges are hard"))),
        (Upscaler::Auto { dial: auto, took: Some(Took::Lanczos) }, larger, None),
    ];
    for (by, size, expected) in rows {
        let asked = by.asked();
        let render = Render { size, by, enhance: Enhance::default(), output: Output::Master, threads: 1 };
        let found = chosen((&png[..]).into(), Kind::Png, &render, &Limits::default(), &Untold).unwrap();
        assert_eq!(found.is_some(), expected.is_some(), "{asked}");
        let (Some((by, told)), Some((word, why))) = (found, expected) else { continue };
        assert!(by.to_string().starts_with(word) && by.asked() == asked && told.contains(why), "{by}: {told}");
    }
}
