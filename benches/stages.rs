//! How long each stage of a picture takes, on one thread. README.md here says how to run it.

use std::io::sink;
use std::sync::LazyLock;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use stockmill::craft::{self, Limits, Untold};
use stockmill::model::{Enhance, Format, Kind, Output, Profile, Render, Scans, Size, Strength, Subsampling, Upscaler};

const EDGE: u32 = 1024;

/// A gradient with noise, as a file that costs next to nothing to read.
static BMP: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state = 1_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u32::from(state.to_be_bytes()[0] / 32)
    };
    let picture = image::RgbImage::from_fn(EDGE, EDGE, |x, y| {
        let level = |value: u32| u8::try_from(value.min(255)).expect("at most 255");
        image::Rgb([level(x / 5 + noise()), level(y / 5 + noise()), level((x + y) / 10 + noise())])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Bmp).expect("a picture can be written");
    bytes.into_inner()
});
static PNG: LazyLock<Vec<u8>> = LazyLock::new(|| made(&of(Format::Png)));
static JPEG: LazyLock<Vec<u8>> = LazyLock::new(|| made(&of(Format::Jpeg)));

fn main() {
    divan::main();
}

fn of(format: Format) -> Render {
    let output = Output::Final {
        format,
        quality: 95,
        bytes: None,
        scans: Scans::Baseline,
        subsampling: Some(Subsampling::Full),
        profile: Profile::Keep,
        background: [255; 3],
        meta: None,
    };
    Render { size: None, by: Upscaler::Lanczos, enhance: Enhance::default(), output, threads: 1 }
}

fn in_size(edge: u32, sharpen: Strength) -> Render {
    let enhance = Enhance { sharpen, ..Enhance::default() };
    Render { size: Some(Size { width: edge, height: edge }), enhance, ..of(Format::Jpeg) }
}

fn made(render: &Render) -> Vec<u8> {
    let mut out = Vec::new();
    craft::render(BMP.as_slice(), Kind::Bmp, render, &Limits::default(), &Untold, &mut out)
        .expect("a picture can be made");
    out
}

fn decode(bencher: Bencher<'_, '_>, bytes: &[u8], kind: Kind) {
    let pixels = ItemsCount::new(EDGE * EDGE);
    bencher.counter(pixels).bench(|| craft::decode(black_box(bytes), kind, &Limits::default()));
}

fn render(bencher: Bencher<'_, '_>, render: &Render) {
    let Size { width, height } = render.size.unwrap_or(Size { width: EDGE, height: EDGE });
    let (bytes, pixels) = (&*BMP, ItemsCount::new(width * height));
    let make = || craft::render(black_box(bytes), Kind::Bmp, render, &Limits::default(), &Untold, &mut sink());
    bencher.counter(pixels).bench(make);
}

#[divan::bench]
fn decode_bmp(bencher: Bencher<'_, '_>) {
    decode(bencher, &BMP, Kind::Bmp);
}

#[divan::bench]
fn decode_jpeg(bencher: Bencher<'_, '_>) {
    decode(bencher, &JPEG, Kind::Jpeg);
}

#[divan::bench]
fn decode_png(bencher: Bencher<'_, '_>) {
    decode(bencher, &PNG, Kind::Png);
}

#[divan::bench]
fn encode_jpeg_420(bencher: Bencher<'_, '_>) {
    let mut half = of(Format::Jpeg);
    if let Output::Final { subsampling, .. } = &mut half.output {
        *subsampling = Some(Subsampling::Half);
    }
    render(bencher, &half);
}

#[divan::bench]
fn encode_jpeg_444(bencher: Bencher<'_, '_>) {
    render(bencher, &of(Format::Jpeg));
}

#[divan::bench]
fn encode_png(bencher: Bencher<'_, '_>) {
    render(bencher, &of(Format::Png));
}

#[divan::bench]
fn encode_tiff(bencher: Bencher<'_, '_>) {
    render(bencher, &of(Format::Tiff));
}

#[divan::bench]
fn resize_down_to_a_quarter(bencher: Bencher<'_, '_>) {
    render(bencher, &in_size(EDGE / 4, Strength::Off));
}

#[divan::bench]
fn resize_x4(bencher: Bencher<'_, '_>) {
    render(bencher, &in_size(EDGE * 4, Strength::Off));
}

#[divan::bench]
fn resize_x4_sharpened(bencher: Bencher<'_, '_>) {
    render(bencher, &in_size(EDGE * 4, Strength::High));
}
