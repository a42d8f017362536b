//! How much memory a picture takes, from its size alone: as much as one of four channels of 16 bit, the most that there
//! are.

use super::enlarge;
use super::source::PROFILED_PIXELS;
use super::{stream, tiff_out};
use crate::model::{Format, Kind, Output, Render, Scans, Size, Strength, Upscaler};

/// Bytes that a decoded pixel may take.
const PIXEL_BYTES: u64 = 8;

/// Bytes that a pixel takes while what is transparent is made ready for a program.
const CUT_OUT_BYTES: u64 = 24;

/// Returns about what it takes to check a picture beside its file. One whose rows do not come one after another is
/// decoded as a whole.
pub fn check_memory(size: Size, comes_in_rows: bool) -> u64 {
    let piece = if comes_in_rows { PROFILED_PIXELS.into() } else { u64::MAX };
    size.pixels().min(piece) * PIXEL_BYTES
}

/// Returns about what it takes to make one picture of another, beside the file of that.
pub fn render_memory(from: Size, comes_in_rows: bool, render: &Render) -> u64 {
    let to = render.size.unwrap_or(from);
    // Levels are set once all of it was seen.
    let comes_in_rows = comes_in_rows && render.enhance.levels == Strength::Off;
    let whole = from.pixels() * PIXEL_BYTES;
    let blocks = match render.output {
        Output::Final { format: Format::Jpeg, scans: Scans::Progressive, .. } => stream::block_bytes(to),
        _ => 0,
    };
    let (given, by_other) = match &render.by {
        // What is transparent is made ready for it as a whole.
        Upscaler::Command(step) if render.size.is_some() => (times(from, step.times), from.pixels() * CUT_OUT_BYTES),
        by if render.size.is_some() && by.may_use_net() => (from, enlarge::work_bytes(from, by, render.threads)),
        _ => (from, 0),
    };
    let work = stream::work_bytes(given, to, render.threads) + blocks + by_other;
    match render.output.format() {
        // The result, and again as it is encoded.
        Format::Webp if render.size.is_some() => whole + to.pixels() * PIXEL_BYTES * 3 / 2 + work,
        Format::Webp => whole * 2,
        format => {
            let window = stream::window_bytes(given, to, render.threads, PIXEL_BYTES).min(given.pixels() * PIXEL_BYTES);
            let kept = match format {
                Format::Tiff if is_by_other(render) => to.pixels() * PIXEL_BYTES,
                Format::Tiff => tiff_out::kept_bytes(to, PIXEL_BYTES),
                _ => 0,
            };
            work + kept + if comes_in_rows { window } else { whole }
        }
    }
}

/// Returns about what it takes to embed metadata, beside the file: a TIFF is decoded for that.
pub fn embed_memory(size: Size, kind: Kind) -> u64 {
    if kind == Kind::Tiff { size.pixels() * PIXEL_BYTES * 2 } else { 0 }
}

/// Returns whether another than the sinc enlarges it: what that gives comes once.
fn is_by_other(render: &Render) -> bool {
    render.size.is_some() && render.by.is_slow()
}

fn times(size: Size, times: u8) -> Size {
    Size { width: size.width * u32::from(times), height: size.height * u32::from(times) }
}

/// Returns how often a picture is decoded and made.
pub fn render_passes(from: Size, render: &Render) -> u64 {
    let is_repeated = render.output.format() == Format::Tiff && !is_by_other(render);
    if is_repeated { tiff_out::passes(render.size.unwrap_or(from)).into() } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Enhance, Profile, Upscaler};

    const MIB: u64 = 1 << 20;

    fn of(format: Format, scans: Scans, size: Size) -> Render {
        let (profile, background) = (Profile::Srgb, [255; 3]);
        let (quality, bytes, subsampling, meta) = (95, None, None, None);
        let output = Output::Final { format, quality, bytes, scans, subsampling, profile, background, meta };
        let by = Upscaler::Lanczos;
        Render { size: Some(size), by, enhance: Enhance::default(), output, threads: 2 }
    }

    /// In MiB, from what is measured up to what a picture of more channels would take.
    #[test]
    fn what_streams_takes_little_and_what_does_not_takes_all() {
        let square = |edge| Size { width: edge, height: edge };
        let rows = [
            // In rows or not, edge before and after, threads, least and most.
            (true, 20_000, 20_000, 2, 58, 260),
            (true, 20_000, 4000, 2, 72, 300),
            (true, 20_000, 4000, 1, 47, 260),
            (false, 20_000, 4000, 2, 3051, 3200),
            (true, 1024, 4096, 1, 8, 30),
            (false, 1024, 4096, 1, 8, 30),
            (true, 4096, 1024, 4, 48, 190),
        ];
        for (comes_in_rows, from, to, threads, least, most) in rows {
            let enhance = Enhance::default();
            let render =
                Render { size: Some(square(to)), by: Upscaler::Lanczos, enhance, output: Output::Master, threads };
            let found = render_memory(square(from), comes_in_rows, &render) / MIB;
            assert!((least..=most).contains(&found), "{comes_in_rows} {from} {to} {threads}: {found}");
            let levelled = Render { enhance: Enhance { levels: Strength::Low, ..enhance }, ..render.clone() };
            assert_eq!(
                render_memory(square(from), true, &levelled),
                render_memory(square(from), false, &render),
                "{from} {to}"
            );
        }
        // A TIFF's strips are kept up to a size; a larger one is made twice, and takes as much as a PNG.
        for (edge, kept, passes) in [(1000, 8_000_000, 1), (2896, 2896 * 2896 * 8, 1), (2897, 0, 2), (20_000, 0, 2)] {
            let [png, tiff] = [Format::Png, Format::Tiff].map(|format| {
                let render = of(format, Scans::Baseline, square(edge));
                (render_memory(square(20_000), true, &render), render_passes(square(20_000), &render))
            });
            assert_eq!((tiff.0 - png.0, tiff.1, png.1), (kept, passes, 1), "{edge}");
        }
        // All blocks of three components, beside what streams.
        let [one, several] = [Scans::Baseline, Scans::Progressive]
            .map(|scans| render_memory(square(20_000), true, &of(Format::Jpeg, scans, square(4000))));
        assert_eq!(several - one, 4000 * 4000 * 27 / 4);
        assert_eq!([true, false].map(|is| check_memory(square(20_000), is) / MIB), [16, 3051]);
        assert_eq!([true, false].map(|is| check_memory(square(1000), is)), [8_000_000; 2]);
    }
}
