//! Makes the sample pictures that lie beside this file: `cargo run --release --example make_samples -- examples/raw`.
#![expect(clippy::disallowed_methods, reason = "a sample maker writes samples, far from any mill")]

use std::path::PathBuf;

use image::{Rgb, RgbImage};

/// The edge of a sample picture, in pixels: what an image generator gives.
const EDGE: u32 = 1024;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("say where to write: make_samples FOLDER")?.into();
    let samples: [(&str, fn(f32, f32) -> [f32; 3]); 4] = [
        ("winter-cabins/ComfyUI_00001_.png", dusk),
        ("winter-cabins/ComfyUI_00002_.png", dawn),
        ("frozen-lakes/00012-3141592.png", ice),
        ("winter-cabins-by-name.png", |x, y| dusk(1.0 - x, y)),
    ];
    for (name, paint) in samples {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().ok_or("a sample lies in a folder")?)?;
        picture(paint).save(&path)?;
        println!("{}", path.display());
    }
    Ok(())
}

fn picture(paint: fn(f32, f32) -> [f32; 3]) -> RgbImage {
    RgbImage::from_fn(EDGE, EDGE, |x, y| {
        let share = |at: u32| f32::from(u16::try_from(at).unwrap_or(0)) / f32::from(u16::try_from(EDGE).unwrap_or(1));
        Rgb(paint(share(x), share(y)).map(level))
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is clamped to a byte")]
fn level(share: f32) -> u8 {
    // Few levels keep the files small.
    ((share.clamp(0.0, 1.0) * 31.0).round() * 255.0 / 31.0) as u8
}

/// A ridge, a slope of snow and a lit window below an evening sky.
fn dusk(x: f32, y: f32) -> [f32; 3] {
    scene(x, y, [0.10, 0.12, 0.35], [0.95, 0.45, 0.30])
}

fn dawn(x: f32, y: f32) -> [f32; 3] {
    scene(x, y, [0.35, 0.55, 0.85], [1.0, 0.85, 0.65])
}

fn scene(x: f32, y: f32, high: [f32; 3], low: [f32; 3]) -> [f32; 3] {
    let ridge = 0.45 + 0.08 * (x * 9.0).sin() + 0.04 * (x * 23.0).cos();
    let snow = 0.62 + 0.05 * (x * 5.0).cos();
    let in_cabin = (0.42..0.62).contains(&x) && (0.55..0.72).contains(&y);
    let in_roof = y > 0.55 - (0.12 - (x - 0.52).abs()).max(0.0) && y < 0.55 && (0.40..0.64).contains(&x);
    let in_window = (0.49..0.55).contains(&x) && (0.60..0.66).contains(&y);
    match () {
        () if in_window => [1.0, 0.85, 0.35],
        () if in_cabin => [0.30, 0.18, 0.10],
        () if in_roof || y > snow => [0.90 - 0.2 * (y - snow), 0.93 - 0.15 * (y - snow), 1.0],
        () if y > ridge => [0.25, 0.28, 0.40],
        () => [0, 1, 2].map(|n| high[n] + (low[n] - high[n]) * (y / ridge)),
    }
}

/// Cracks in blue ice.
fn ice(x: f32, y: f32) -> [f32; 3] {
    let wave = (x * 14.0 + 3.0 * (y * 6.0).sin()).sin() * (y * 11.0 + 2.0 * (x * 8.0).cos()).sin();
    let crack = if wave.abs() < 0.04 { 0.5 } else { 0.0 };
    [0.35 + crack + 0.1 * wave, 0.62 + crack + 0.08 * wave, 0.80 + crack]
}
