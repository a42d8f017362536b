use std::sync::Mutex;

use image::{DynamicImage, GrayAlphaImage, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;

use super::bands::in_order;
use super::cpu::Cpu;
use super::entropy::Codes;
use super::jpeg::write_on;
use super::means::Means;
use super::rows::rows_on;
use super::strips::{Component, needed_rows, own_rows};
use super::taps::Taps;
use super::{Coding, Feed, write_jpeg};
use crate::craft::encode::resized;
use crate::craft::{CraftError, Limits, Picture, Progress, Stopped, Untold, decode, flatten, testing};
use crate::model::{Kind, Scans, Size, Strength};

fn enlarged(image: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    resized(Feed::of(image.clone()), Size { width, height }, Strength::Off, 1, &Untold).unwrap()
}

fn sharpened(image: &DynamicImage, (width, height): (u32, u32), sharpen: Strength) -> DynamicImage {
    resized(Feed::of(image.clone()), Size { width, height }, sharpen, 1, &Untold).unwrap()
}

fn check(source: &DynamicImage, result: &DynamicImage) -> Result<(), CraftError> {
    let result = Means::of_picture(result, None);
    Means::check(&Means::of_picture(source, Some(&result)), &result, 0.0)
}

fn coding(quality: u8, halves_color: bool, threads: usize) -> Coding<'static> {
    Coding {
        sharpen: Strength::Off,
        scans: Scans::Baseline,
        quality,
        halves_color,
        head: b"",
        threads,
        progress: &Untold,
    }
}

fn jpeg(image: &DynamicImage, to: Size, coding: &Coding<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_jpeg(Feed::of(image.clone()), to, coding, &mut bytes).unwrap();
    bytes
}

/// All kinds of pixels of one picture.
fn kinds(image: &DynamicImage) -> [DynamicImage; 8] {
    [
        image.to_luma8().into(),
        image.to_luma_alpha8().into(),
        image.to_rgb8().into(),
        image.to_rgba8().into(),
        DynamicImage::ImageLuma16(image.to_luma16()),
        DynamicImage::ImageLumaA16(image.to_luma_alpha16()),
        DynamicImage::ImageRgb16(image.to_rgb16()),
        DynamicImage::ImageRgba16(image.to_rgba16()),
    ]
}

/// Resizes one channel as the definition says, in double precision and without any order of passes; so many times the
/// difference of each value to both that lie half a sample beside it is added.
fn by_definition(image: &DynamicImage, to: (u32, u32), channel: usize, more: f64) -> Vec<f64> {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI) };
    let axis = |from: u32, to: u32, at: u32| -> Vec<f64> {
        let scale = f64::from(from) / f64::from(to);
        let centre = (f64::from(at) + 0.5) * scale;
        let lanczos = |x: f64| if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 };
        let more = more * (scale.recip() - 1.0).clamp(0.0, 1.0);
        let weight = |x: u32| {
            let x = (f64::from(x) + 0.5 - centre) / scale.max(1.0);
            let difference = 2.0 * lanczos(x) - lanczos(x - 0.5) - lanczos(x + 0.5);
            if x.abs() < 3.0 { lanczos(x) + difference * more } else { 0.0 }
        };
        let sum: f64 = (0..from).map(weight).sum();
        (0..from).map(|x| weight(x) / sum).collect()
    };
    let source = image.to_rgb8();
    let down: Vec<_> = (0..to.1).map(|y| axis(source.height(), to.1, y)).collect();
    let across: Vec<_> = (0..to.0).map(|x| axis(source.width(), to.0, x)).collect();
    let at = |x: u32, y: u32| -> f64 {
        source
            .enumerate_pixels()
            .map(|(sx, sy, p)| f64::from(p[channel]) * across[x as usize][sx as usize] * down[y as usize][sy as usize])
            .sum()
    };
    (0..to.1).flat_map(|y| (0..to.0).map(move |x| (x, y))).map(|(x, y)| at(x, y).clamp(0.0, 255.0)).collect()
}

#[test]
fn any_ratio_is_lanczos_by_its_definition() {
    let image = testing::gradient(23, 17).image;
    for to in [(46, 34), (47, 40), (92, 68), (23, 40), (11, 8), (7, 17), (1, 1), (24, 5)] {
        for (sharpen, more) in Strength::ALL.into_iter().zip([0.0, 0.05, 0.1, 0.15]) {
            let got = sharpened(&image, to, sharpen).to_rgb8();
            for channel in 0..3 {
                let expected = by_definition(&image, to, channel, more);
                for (pixel, expected) in got.pixels().zip(expected) {
                    let off = (f64::from(pixel[channel]) - expected).abs();
                    assert!(off < 0.51, "{to:?}, {sharpen}: {pixel:?} {expected}");
                }
            }
        }
    }
}

/// The plain form is the reference for what a processor's own instructions give.
#[test]
fn the_same_bytes_on_every_processor_and_with_any_number_of_threads() {
    let image = testing::gradient(61, 45).image;
    assert!(Cpu::all().contains(&Cpu::Any));
    for to in [Size { width: 150, height: 333 }, Size { width: 61, height: 45 }, Size { width: 20, height: 9 }] {
        for image in kinds(&image) {
            let rows = |cpu: Cpu, threads: usize, sharpen: Strength| {
                let mut all = Vec::new();
                let take = |bytes: &[u8]| {
                    all.extend_from_slice(bytes);
                    Ok(())
                };
                rows_on(cpu, Feed::of(image.clone()), to, sharpen, threads, take).unwrap();
                all
            };
            for sharpen in [Strength::Off, Strength::High] {
                let expected = rows(Cpu::Any, 1, sharpen);
                for (cpu, threads) in Cpu::all().into_iter().flat_map(|cpu| [1, 2, 7].map(|threads| (cpu, threads))) {
                    let same = rows(cpu, threads, sharpen) == expected;
                    assert!(same, "{to} {cpu:?} {threads} {sharpen} {:?}", image.color());
                }
            }
        }
        for halves_color in [false, true] {
            let bytes = |cpu: Cpu, threads: usize| {
                let mut bytes = Vec::new();
                write_on(cpu, Feed::of(image.clone()), to, &coding(91, halves_color, threads), &mut bytes).unwrap();
                bytes
            };
            let expected = bytes(Cpu::Any, 1);
            for (cpu, threads) in Cpu::all().into_iter().flat_map(|cpu| [1, 2, 7].map(|threads| (cpu, threads))) {
                assert!(bytes(cpu, threads) == expected, "{to} {cpu:?} {threads} {halves_color}");
            }
        }
    }
}

/// Returns a source that comes in pieces of so many rows.
fn in_pieces(image: &DynamicImage, rows: u32) -> Feed<'static> {
    let (image, mut read) = (image.clone(), 0);
    let size = Size { width: image.width(), height: image.height() };
    let mut next = move || {
        let count = rows.min(size.height - read);
        read += count;
        (count > 0).then(|| image.crop_imm(0, read - count, size.width, count))
    };
    let first = next().unwrap();
    Feed::new(size, first, move || Ok(next()))
}

/// What comes in pieces, and is let go when it is used, gives what the whole gives.
#[test]
fn the_same_bytes_by_rows_and_as_a_whole() {
    let image = testing::gradient(61, 145).image;
    let windows = |feed: Feed<'static>| feed.with_windows(61 * 40, 61 * 3 * 20);
    for to in [Size { width: 75, height: 333 }, Size { width: 61, height: 145 }, Size { width: 20, height: 19 }] {
        for image in kinds(&image) {
            let rows = |feed: Feed<'static>, threads: usize| {
                let mut all = Vec::new();
                super::in_size(windows(feed), to, Strength::Medium, threads, &Untold, |bytes| {
                    all.extend_from_slice(bytes);
                    Ok(())
                })
                .unwrap();
                all
            };
            let expected = rows(Feed::of(image.clone()), 1);
            for (piece, threads) in [(1, 1), (7, 3), (40, 2), (145, 1)] {
                assert!(rows(in_pieces(&image, piece), threads) == expected, "{to} {piece} {:?}", image.color());
            }
        }
        for (halves_color, scans) in
            [(false, Scans::Baseline), (true, Scans::Baseline), (false, Scans::Progressive), (true, Scans::Progressive)]
        {
            for image in [image.clone(), DynamicImage::ImageRgb16(image.to_rgb16())] {
                let bytes = |feed: Feed<'static>, threads: usize| {
                    let (mut bytes, coding) = (Vec::new(), Coding { scans, ..coding(91, halves_color, threads) });
                    write_jpeg(windows(feed), to, &coding, &mut bytes).unwrap();
                    bytes
                };
                let expected = bytes(Feed::of(image.clone()), 1);
                for (piece, threads) in [(1, 1), (7, 3), (40, 2), (145, 1)] {
                    assert!(
                        bytes(in_pieces(&image, piece), threads) == expected,
                        "{to} {piece} {halves_color} {scans:?}"
                    );
                }
            }
        }
    }
}

/// Neither one that ends early, nor one that is damaged in its middle, leaves a thread behind or passes.
#[test]
fn a_source_that_fails_in_its_middle_fails() {
    let image = testing::gradient(30, 200).image;
    let to = Size { width: 60, height: 400 };
    for threads in [1, 3] {
        for (end, expected) in [(None, "fewer rows"), (Some(CraftError::Damaged("a hole".to_owned())), "a hole")] {
            for scans in [Scans::Baseline, Scans::Progressive] {
                let mut left = 8;
                let next = || {
                    left -= 1;
                    if left > 0 { Ok(Some(image.crop_imm(0, 0, 30, 10))) } else { end.clone().map_or(Ok(None), Err) }
                };
                let feed = Feed::new(Size { width: 30, height: 200 }, image.crop_imm(0, 0, 30, 10), next);
                let feed = feed.with_windows(30 * 20, 30 * 3 * 20);
                let coding = Coding { scans, ..coding(90, true, threads) };
                let error = write_jpeg(feed, to, &coding, &mut Vec::new()).unwrap_err();
                assert!(error.to_string().contains(expected), "{error}");
            }
        }
    }
}

/// Only a window of rows is held, whatever the height.
#[test]
fn rows_that_are_used_are_let_go() {
    let rows = |from: u32, to: u32| {
        let image = testing::gradient(16, from).image;
        let mut most = 0;
        let mut feed = in_pieces(&image, 4).with_windows(16 * 40, 16 * 3 * 16);
        let down = Taps::lanczos(from, to, Strength::Off);
        let components = [Component { plane: 0, across: down.clone(), down, rows: 8 }];
        for strip in 0..(to as usize).div_ceil(8) {
            let needed = needed_rows(&components, strip..strip + 1, from as usize);
            feed.forget_before(needed.start);
            let view = feed.rows(&needed).unwrap();
            for row in needed {
                view.row(row);
            }
            most = most.max(feed.held());
        }
        most
    };
    for (from, to, most) in [(1000, 1000, 12), (1000, 4000, 16), (1000, 500, 44), (4000, 2000, 44)] {
        assert!(rows(from, to) <= most, "{from} to {to}: {}", rows(from, to));
    }
}

#[test]
fn a_jpeg_shows_the_resized_picture() {
    for (from, to) in
        [((1, 1), (1, 1)), ((7, 9), (7, 9)), ((40, 30), (81, 61)), ((90, 70), (33, 17)), ((3, 60), (9, 180))]
    {
        let image = testing::gradient(from.0, from.1).image;
        let size = Size { width: to.0, height: to.1 };
        let expected = enlarged(&image, to.0, to.1).to_rgb8();
        for (halves_color, quality, mean_max) in [(false, 100, 0.8), (false, 90, 3.5), (true, 90, 6.0), (true, 5, 25.0)]
        {
            let bytes = jpeg(&image, size, &coding(quality, halves_color, 1));
            let got = decode(&bytes, Kind::Jpeg, &Limits::default()).unwrap().image.to_rgb8();
            assert_eq!(got.dimensions(), to);
            let sum: u32 = got.as_raw().iter().zip(expected.as_raw()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
            let mean = f64::from(sum) / f64::from(to.0 * to.1 * 3);
            assert!(mean <= mean_max, "{from:?} to {to:?}, {quality}, {halves_color}: {mean}");
        }
    }
}

/// It has the coefficients of a baseline one, in other scans, and no more bytes.
#[test]
fn a_progressive_jpeg_shows_the_same_in_fewer_bytes() {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let sharp = DynamicImage::from(RgbImage::from_fn(70, 50, |_, _| Rgb([noise(), noise(), noise()])));
    let plain = DynamicImage::from(RgbImage::from_pixel(40, 40, Rgb([90, 140, 60])));
    for image in [testing::gradient(90, 70).image, sharp, plain] {
        for (width, height) in [(1, 1), (8, 8), (9, 17), (64, 48), (150, 131), (257, 8)] {
            for (quality, halves_color) in [(100, false), (92, true), (80, false), (5, true)] {
                let size = Size { width, height };
                let base = coding(quality, halves_color, 1);
                let progressive = Coding { scans: Scans::Progressive, ..base };
                let [one, several] = [base, progressive].map(|coding| jpeg(&image, size, &coding));
                let row = format!("{width}x{height}, {quality}, {halves_color}");
                let pixels = [&one, &several].map(|bytes| {
                    let whole = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(bytes)).decode().unwrap();
                    assert!(decode(bytes, Kind::Jpeg, &Limits::default()).is_ok(), "{row}");
                    whole
                });
                assert!(pixels[0] == pixels[1], "{row}");
                assert!(several.len() <= one.len(), "{row}: {} of {}", several.len(), one.len());
                for (cpu, threads) in Cpu::all().into_iter().flat_map(|cpu| [1, 3].map(|threads| (cpu, threads))) {
                    let (mut bytes, coding) = (Vec::new(), Coding { threads, ..progressive });
                    write_on(cpu, Feed::of(image.clone()), size, &coding, &mut bytes).unwrap();
                    assert!(bytes == several, "{row}: {cpu:?} {threads}");
                }
            }
        }
    }
}

#[test]
fn deep_pixels_stay_deep() {
    // A ramp that has no two equal values in 16 bits, and few in 8.
    let ramp = image::ImageBuffer::from_fn(64, 8, |x, _| image::Luma([u16::try_from(30_000 + x * 20).unwrap()]));
    let large = enlarged(&DynamicImage::ImageLuma16(ramp), 256, 8).to_luma16();
    let row: Vec<u16> = large.rows().next().unwrap().map(|pixel| pixel[0]).collect();
    assert!(row[20..236].windows(2).all(|pair| pair[0] < pair[1]), "{row:?}");
}

#[test]
fn a_picture_in_its_own_size_stays_as_it_is() {
    for image in kinds(&testing::gradient(19, 21).image) {
        let mut rows = Vec::new();
        super::in_size(Feed::of(image.clone()), Size { width: 19, height: 21 }, Strength::High, 1, &Untold, |bytes| {
            rows.extend_from_slice(bytes);
            Ok(())
        })
        .unwrap();
        let own: Vec<u8> = match image.color().bytes_per_pixel() / image.color().channel_count() {
            1 => image.as_bytes().to_vec(),
            _ => image.as_bytes().as_chunks().0.iter().flat_map(|two| u16::from_ne_bytes(*two).to_be_bytes()).collect(),
        };
        assert!(rows == own, "{:?}", image.color());
    }
}

#[test]
fn a_transparent_neighbour_does_not_bleed() {
    let half = RgbaImage::from_fn(16, 16, |x, _| if x < 8 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 255, 0, 0]) });
    let deep = DynamicImage::ImageRgba16(DynamicImage::from(half.clone()).to_rgba16());
    for image in [half.into(), deep] {
        let large = enlarged(&image, 32, 32).to_rgba8();
        let greenest = large.pixels().filter(|pixel| pixel[3] > 8).map(|pixel| pixel[1]).max();
        assert_eq!(greenest, Some(0));
    }
}

/// Whatever lies under it, on black and on white the same is seen: no edge is darker or lighter.
#[test]
fn the_edge_of_a_cut_out_does_not_show_what_was_hidden() {
    let cut_out = |hidden: u8| {
        DynamicImage::from(GrayAlphaImage::from_fn(24, 24, |x, y| {
            let alpha = u8::try_from((x.abs_diff(12) + y.abs_diff(12)) * 40).unwrap_or(255);
            LumaA([if alpha == 255 { hidden } else { 120 }, 255 - alpha])
        }))
    };
    let seen = |hidden: u8, behind: u8| {
        let large = Picture { image: enlarged(&cut_out(hidden), 60, 60), icc: None };
        flatten(large, [behind; 3]).unwrap().image.to_luma8()
    };
    for behind in [0, 255, 120] {
        let expected = seen(120, behind);
        for hidden in [0, 255] {
            assert_eq!(seen(hidden, behind), expected, "{hidden} on {behind}");
        }
        let rounding = u8::from(behind == 120);
        let bounds = behind.min(120) - rounding..=behind.max(120) + rounding;
        assert!(expected.pixels().all(|pixel| bounds.contains(&pixel[0])), "{behind}");
    }
}

/// Where its opacity has an edge, a plain colour stays as it is, and the opacity itself is not sharpened.
#[test]
fn nothing_rings_at_the_edge_of_a_cut_out() {
    let cut_out = RgbaImage::from_fn(24, 24, |x, y| match (x / 3 + y / 5) % 3 {
        0 => Rgba([200, 120, 40, 255]),
        1 => Rgba([0, 255, 0, 0]),
        _ => Rgba([200, 120, 40, 130]),
    });
    for image in [cut_out.clone().into(), DynamicImage::ImageRgba16(DynamicImage::from(cut_out).to_rgba16())] {
        let plain = enlarged(&image, 60, 60).to_rgba16();
        for sharpen in Strength::ALL {
            let sharp = sharpened(&image, (60, 60), sharpen).to_rgba16();
            for (plain, sharp) in plain.pixels().zip(sharp.pixels()) {
                assert_eq!(plain[3], sharp[3], "{sharpen}");
                let worst = (0..3).map(|channel| plain[channel].abs_diff(sharp[channel])).max();
                assert!(plain[3] < 20 * 257 || worst <= Some(257), "{sharpen}: {plain:?} {sharp:?}");
            }
        }
    }
}

/// What is opaque is sharpened as a picture without opacity is.
#[test]
fn an_edge_gets_steeper_the_more_it_is_sharpened() {
    let edge = RgbImage::from_fn(24, 8, |x, _| if x < 12 { Rgb([50; 3]) } else { Rgb([200; 3]) });
    let edge = DynamicImage::from(edge);
    let mut before = 0;
    for sharpen in Strength::ALL {
        let plain = sharpened(&edge, (72, 24), sharpen).to_rgb8();
        let row: Vec<u8> = plain.rows().nth(12).unwrap().map(|pixel| pixel[0]).collect();
        let steepest = row.windows(2).map(|pair| pair[1].abs_diff(pair[0])).max().unwrap();
        assert!(steepest > before, "{sharpen}: {row:?}");
        before = steepest;
        assert!((row[3], row[68]) == (50, 200), "{sharpen}: away from the edge nothing changes: {row:?}");
        let clear = sharpened(&edge.to_rgba8().into(), (72, 24), sharpen).to_rgb8();
        assert!(clear == plain, "{sharpen}");
    }
}

/// What a filter takes from the black beside small lights cannot be darker than black. Sharpened, so much of that is lost
/// that the result would be refused, if what goes beyond the range did not count.
#[test]
fn small_lights_and_sharp_noise_look_like_their_source() {
    let mut state = 1_u32;
    let mut chance = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    for share in [5, 20, 50, 128] {
        let stars = RgbImage::from_fn(160, 160, |_, _| if chance() < share { Rgb([255; 3]) } else { Rgb([0; 3]) });
        let mut inverse = DynamicImage::from(stars.clone());
        inverse.invert();
        for image in [stars.into(), inverse] {
            for sharpen in Strength::ALL {
                sharpened(&image, (400, 400), sharpen);
                let to = Size { width: 402, height: 399 };
                jpeg(&image, to, &Coding { sharpen, ..coding(95, false, 1) });
                jpeg(&image, to, &Coding { sharpen, ..coding(80, true, 1) });
            }
        }
    }
}

#[test]
fn the_result_is_like_its_source_or_refused() {
    let source = testing::gradient(200, 120).image;
    let good = enlarged(&source, 513, 300);
    assert_eq!(check(&source, &good), Ok(()));
    assert!(matches!(check(&source, &DynamicImage::new_rgb8(513, 300)), Err(CraftError::LooksWrong(_))));
    let mut swapped = good.to_rgb8();
    swapped.pixels_mut().for_each(|pixel| pixel.0.swap(0, 2));
    assert!(check(&source, &swapped.into()).is_err());
    // One tile is another one.
    let mut shifted = good.to_rgb8();
    let tile: Vec<_> = (0..64_u32).flat_map(|x| (0..64_u32).map(move |y| (x, y))).collect();
    tile.iter().for_each(|(x, y)| shifted.put_pixel(*x, *y, *good.to_rgb8().get_pixel(x + 400, y + 200)));
    assert!(check(&source, &shifted.into()).is_err());
}

/// A cut-out was refused where what lay under its transparency was not black.
#[test]
fn what_is_hidden_does_not_count() {
    let cut_out = |hidden: [u8; 3]| {
        RgbaImage::from_fn(96, 96, |x, y| {
            let edge = 40 - (x.abs_diff(48).pow(2) + y.abs_diff(48).pow(2)).isqrt().min(40);
            let alpha = u8::try_from((edge * 40).min(255)).unwrap();
            let [r, g, b] = if alpha == 0 { hidden } else { [90, 140, 60] };
            Rgba([r, g, b, alpha])
        })
    };
    for hidden in [[255; 3], [0; 3], [0, 255, 0], [255, 0, 255]] {
        let image = DynamicImage::from(cut_out(hidden));
        for image in [image.clone(), DynamicImage::ImageRgba16(image.to_rgba16()), image.to_luma_alpha8().into()] {
            let good = enlarged(&image, 300, 300);
            assert_eq!(check(&image, &good), Ok(()), "{hidden:?}");
            let mut opaque = good.to_rgba8();
            opaque.pixels_mut().for_each(|pixel| pixel[3] = 255);
            assert!(check(&image.to_rgba8().into(), &opaque.into()).is_err(), "{hidden:?} without transparency");
            let mut black = good.to_rgba8();
            black.pixels_mut().for_each(|pixel| pixel.0[..3].fill(0));
            assert!(check(&image.to_rgba8().into(), &black.into()).is_err(), "{hidden:?} black");
        }
    }
}

#[test]
fn small_noise_passes_and_small_blackness_does_not() {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    for (width, height, times) in [(48, 40, 25), (17, 33, 40), (9, 60, 25)] {
        for sharpen in (0..times).flat_map(|_| Strength::ALL) {
            let source: DynamicImage = RgbImage::from_fn(width, height, |_, _| Rgb([noise(), noise(), noise()])).into();
            let to = Size { width: width * 5 / 2, height: height * 5 / 2 };
            assert_eq!(check(&source, &sharpened(&source, (to.width, to.height), sharpen)), Ok(()));
            for (quality, halves_color) in [(95, false), (30, true)] {
                jpeg(&source, to, &Coding { sharpen, ..coding(quality, halves_color, 1) });
            }
            assert!(check(&source, &DynamicImage::new_rgb8(to.width, to.height)).is_err());
        }
    }
}

#[test]
fn bands_come_in_their_order_and_end_at_the_first_error() {
    for threads in [1, 2, 5] {
        let maker = || |band: usize, fed: usize| band + 2 * fed;
        let mut seen = Vec::new();
        let take = |band: usize, made: usize| {
            seen.push((band, made));
            if band == 40 { Err(CraftError::Damaged("enough".to_owned())) } else { Ok(()) }
        };
        assert!(in_order(100, threads, Ok, maker, take).is_err());
        assert_eq!(seen, (0..=40).map(|band| (band, band * 3)).collect::<Vec<_>>());
        let five = |band: usize| -> Result<(), CraftError> {
            assert!(band != 5, "five");
            Ok(())
        };
        let panics: [&(dyn Fn() -> Result<(), CraftError> + std::panic::RefUnwindSafe); 3] = [
            &|| in_order(9, threads, |_| Ok(()), || |band: usize, ()| five(band), |_, _| Ok(())),
            &|| in_order(9, threads, five, || |_: usize, ()| (), |_, ()| Ok(())),
            &|| in_order(9, threads, |_| Ok(()), || |_: usize, ()| (), |band, ()| five(band)),
        ];
        for panics in panics {
            let panic = std::panic::catch_unwind(panics).unwrap_err();
            assert!(panic.downcast_ref::<&str>().is_some_and(|text| *text == "five"));
        }
        let ends = |band| if band == 5 { Err(CraftError::Stopped) } else { Ok(()) };
        let ended = in_order(9, threads, ends, || |_: usize, ()| (), |_, ()| Ok(()));
        assert_eq!(ended, Err(CraftError::Stopped));
    }
}

/// Whoever is told how far it is can end it, with whatever number of threads.
#[test]
fn it_tells_how_far_it_is_and_ends_when_it_is_told_to() {
    struct Told(Mutex<Vec<u32>>, u32);
    impl Progress for Told {
        fn rows(&self, done: u32, _: u32) -> Result<(), Stopped> {
            self.0.lock().unwrap().push(done);
            if done >= self.1 { Err(Stopped) } else { Ok(()) }
        }
    }
    let image = testing::gradient(40, 300).image;
    let to = Size { width: 40, height: 600 };
    for threads in [1, 3] {
        let told = |stop_at| Told(Mutex::new(Vec::new()), stop_at);
        let whole = told(u32::MAX);
        let mut out = Vec::new();
        write_jpeg(Feed::of(image.clone()), to, &Coding { progress: &whole, ..coding(90, true, threads) }, &mut out)
            .unwrap();
        assert_eq!(*whole.0.lock().unwrap(), [256, 512, 600]);
        let ended = told(500);
        let coding = Coding { progress: &ended, ..coding(90, false, threads) };
        assert!(write_jpeg(Feed::of(image.clone()), to, &coding, &mut out).is_err());
        assert_eq!(*ended.0.lock().unwrap(), [128, 256, 384, 512]);
        let ended = told(100);
        assert!(resized(Feed::of(image.clone()), to, Strength::Off, threads, &ended).is_err());
        assert_eq!(*ended.0.lock().unwrap(), [64, 128]);
    }
}

/// A row that is missed, or counted twice, would shift the means of the source.
#[test]
fn each_row_of_the_source_is_looked_at_once() {
    for (from, to) in [(1, 1), (9, 9), (40, 40), (41, 163), (163, 41), (1000, 3), (3, 1000)] {
        let down = Taps::lanczos(from, to, Strength::Off);
        let full = |rows| Component { plane: 0, across: down.clone(), down: down.clone(), rows };
        let half = || Component { down: down.halved(from as usize), ..full(8) };
        for components in [vec![full(8), full(8)], vec![full(16), half()]] {
            let count = (to as usize).div_ceil(components[0].rows);
            let rows = (0..count).flat_map(|number| own_rows(&components, number, from as usize));
            assert!(rows.eq(0..from as usize), "{from} to {to}");
        }
    }
}

proptest! {
    /// What a band is made of is at hand, and nothing of it is let go before.
    #[test]
    fn a_band_needs_no_row_that_is_not_at_hand(from in 1_u32..400, to in 1_u32..400, halves: bool, band in 1_usize..5) {
        let (down, height) = (Taps::lanczos(from, to, Strength::Off), from as usize);
        let component = |down: Taps, rows| Component { plane: 0, across: down.clone(), down, rows };
        let color = if halves { component(down.halved(height), 8) } else { component(down.clone(), 8) };
        let components = [component(down, if halves { 16 } else { 8 }), color];
        let count = (to as usize).div_ceil(components[0].rows);
        let mut gone = 0;
        for first in (0..count).step_by(band) {
            let numbers = first..(first + band).min(count);
            let needed = needed_rows(&components, numbers.clone(), height);
            prop_assert!(gone <= needed.start && needed.end <= height);
            gone = needed.start;
            for number in numbers {
                let own = own_rows(&components, number, height);
                prop_assert!(own.is_empty() || needed.start <= own.start && own.end <= needed.end);
                for Component { down, rows, .. } in &components {
                    for y in (number * rows..(number + 1) * rows).map(|y| y.min(down.len() - 1)) {
                        prop_assert!(needed.start <= down.start(y) && down.start(y) + down.count <= needed.end);
                    }
                }
            }
        }
    }

    /// Every symbol that may come has a code, none is all ones, and none begins another.
    #[test]
    fn codes_are_complete(seen in proptest::collection::vec((any::<u8>(), 0..1_000_000_u32), 0..300), is_mean: bool) {
        let mut counts = [0; 256];
        seen.into_iter().for_each(|(symbol, count)| counts[usize::from(symbol)] = count);
        let codes = Codes::of(&counts, is_mean);
        prop_assert_eq!(codes.symbols.len(), if is_mean { 12 } else { 162 });
        let given: usize = codes.lengths.iter().map(|count| usize::from(*count)).sum();
        prop_assert_eq!(given, codes.symbols.len());
        let used: u32 = (1_u32..).zip(codes.lengths).map(|(length, count)| u32::from(count) << (16 - length)).sum();
        prop_assert!(used < 1 << 16, "the last code is given away");
    }
}
