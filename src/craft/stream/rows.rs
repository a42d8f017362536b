//! Whole rows of a picture in another size, for formats that store them one after another.

use super::bands::in_order;
use super::cpu::{Cpu, Kernel};
use super::feed::{Feed, View};
use super::lanes::Lanes;
use super::means::{CellRow, Means, mean_of_rows};
use super::planes::{Planes, Space};
use super::strips::{Component, Strips, column, needed_rows, own_rows};
use super::taps::Taps;
use super::{Column, LANES, rows_done};
use crate::craft::{CraftError, Progress};
use crate::model::{Size, Strength};

/// How many strips are made at once, at most.
pub(super) const BAND: usize = 8;
/// From this opacity on colours are sharpened; in full where it is 255.
const OPAQUE_FROM: f32 = 127.0;

/// Hands over the rows of a picture in another size, some at a time and in their order: its channels side by side, of
/// one byte each or of two, the higher one first.
pub(in crate::craft) fn in_size(
    source: Feed<'_>,
    to: Size,
    sharpen: Strength,
    threads: usize,
    progress: &dyn Progress,
    mut take: impl FnMut(&[u8]) -> Result<(), CraftError>,
) -> Result<(), CraftError> {
    let row_bytes = to.width as usize * usize::from(source.made.bytes_per_pixel());
    let mut rows = 0;
    rows_on(Cpu::best(), source, to, sharpen, threads, |bytes| {
        take(bytes)?;
        rows += bytes.len() / row_bytes;
        progress.rows(rows_done(1, rows, to.height), to.height)?;
        Ok(())
    })
}

/// Hands them over as the instructions of one kind of processor make them.
pub(super) fn rows_on(
    cpu: Cpu,
    mut source: Feed<'_>,
    to: Size,
    sharpen: Strength,
    threads: usize,
    mut take: impl FnMut(&[u8]) -> Result<(), CraftError>,
) -> Result<(), CraftError> {
    let planes = Planes::of(&source, Space::Own)?;
    let color = source.made;
    let has_sharp = color.has_alpha() && sharpen != Strength::Off;
    let mut components = components(&planes, to, if has_sharp { Strength::Off } else { sharpen });
    if has_sharp {
        components.extend(self::components(&planes, to, sharpen));
    }
    let is_deep = color.bytes_per_pixel() / color.channel_count() == 2;
    let means = vec![Means::new(to.width as usize, to.height as usize, LANES); components.len()];
    let (channels, has_alpha) = (planes.channels, color.has_alpha());
    let before = Means::between_those_of(&means[..channels], planes.width, planes.height);
    let pixels = Pixels { components: &components, channels, has_alpha, is_deep, means: &means[0] };
    let strips_down = (to.height as usize).div_ceil(LANES);
    let row_bytes = to.width as usize * usize::from(color.bytes_per_pixel());
    let at_once = source.band(planes.height.div_ceil(strips_down), BAND);
    let band_strips = |band: usize| band * at_once..((band + 1) * at_once).min(strips_down);
    let feed = |band: usize| {
        let needed = needed_rows(&components, band_strips(band), planes.height);
        source.forget_before(needed.start);
        source.rows(&needed)
    };
    let maker = || {
        let (mut strips, pixels, components) = (Strips::new(planes, &components, &before), &pixels, &components);
        move |band: usize, source: View| {
            let (mut bytes, mut seen) = (Vec::new(), Vec::new());
            for strip in band_strips(band) {
                let rows = (to.height as usize - strip * LANES).min(LANES);
                let start = bytes.len();
                bytes.resize(start + rows * row_bytes, 0);
                let out = &mut bytes[start..];
                strips.look_at(own_rows(components, strip, planes.height));
                let (source, strips) = (&source, &mut strips);
                seen.push(cpu.run(Strip { pixels, source, strips, y: strip * LANES, row_bytes, out }));
            }
            (bytes, seen)
        }
    };
    let (mut seen_before, mut seen) = (before.clone(), means.clone());
    in_order(strips_down.div_ceil(at_once), threads, feed, maker, |band, (bytes, strips)| {
        for (strip, (source, result)) in band_strips(band).zip(strips) {
            for (y, cells) in own_rows(&components, strip, planes.height).zip(source.chunks_exact(channels)) {
                seen_before.iter_mut().zip(cells).for_each(|(means, cells)| means.add(y, cells));
            }
            seen.iter_mut().zip(&result).for_each(|(means, cells)| means.add(strip, cells));
        }
        take(&bytes)
    })?;
    seen.chunks_exact(channels).try_for_each(|seen| Means::check(&seen_before, seen, 0.0))
}

/// Returns all planes of a picture in another size.
fn components(planes: &Planes, to: Size, sharpen: Strength) -> Vec<Component> {
    let taps = |from: usize, to| Taps::lanczos(u32::try_from(from).expect("a picture's edge"), to, sharpen);
    let (across, down) = (taps(planes.width, to.width), taps(planes.height, to.height));
    let component = |plane| Component { plane, across: across.clone(), down: down.clone(), rows: LANES };
    (0..planes.channels).map(component).collect()
}

struct Pixels<'a> {
    /// Each channel, and each again, sharpened, if they are to be where they are opaque.
    components: &'a [Component],
    channels: usize,
    has_alpha: bool,
    is_deep: bool,
    /// The means of a plane of the result, nothing taken yet.
    means: &'a Means,
}

struct Strip<'a, 'b> {
    pixels: &'a Pixels<'a>,
    source: &'a View,
    strips: &'a mut Strips<'b>,
    y: usize,
    row_bytes: usize,
    out: &'a mut [u8],
}

impl Kernel for Strip<'_, '_> {
    /// The cells of the rows of the source that were looked at, and of each plane of the strip.
    type Out = (Vec<CellRow>, Vec<CellRow>);

    #[inline(always)]
    fn run<L: Lanes>(self) -> Self::Out {
        let (components, width) = (self.pixels.components, self.pixels.components[0].across.len());
        let mut planes: Vec<Vec<Column>> = Vec::with_capacity(components.len());
        for component in components {
            let columns = self.strips.strip::<L>(self.source, component, self.y);
            planes.push(match component.across.count {
                1 => across::<L, 1>(columns, &component.across),
                6 => across::<L, 6>(columns, &component.across),
                _ => across::<L, 0>(columns, &component.across),
            });
        }
        let rows = self.out.len() / self.row_bytes;
        let mut seen = Vec::with_capacity(planes.len());
        for plane in &planes {
            seen.push(cells::<L>(plane, width, rows, &self.pixels.means.across));
        }
        let mut sharp = planes.split_off(self.pixels.channels);
        if self.pixels.has_alpha {
            divided(&mut planes);
            sharpened(&mut planes, &mut sharp);
        }
        for (channel, plane) in planes.iter().enumerate() {
            if self.pixels.is_deep {
                pack::<L, 2>(plane, width, channel, planes.len(), self.out);
            } else {
                pack::<L, 1>(plane, width, channel, planes.len(), self.out);
            }
        }
        (self.strips.seen::<L>(self.source), seen)
    }
}

/// Returns the cells of a strip of one plane. What goes beyond the range counts: it cancels out at edges.
#[inline(always)]
fn cells<L: Lanes>(plane: &[Column], width: usize, rows: usize, across: &Taps) -> CellRow {
    let mut blocks = Vec::with_capacity(width.div_ceil(LANES));
    for block in plane[..width].chunks(LANES) {
        let mut sum = [0.0; LANES];
        for column in block {
            for n in 0..LANES {
                sum[n] += column[n];
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "eight at most")]
        let columns = block.len() as f32;
        blocks.push(mean_of_rows(&sum, rows) / columns);
    }
    Means::row::<L>(across, &blocks)
}

/// Writes one channel of a strip of so many columns into rows of pixels, each sample in so many bytes.
#[inline(always)]
fn pack<L: Lanes, const BYTES: usize>(plane: &[Column], width: usize, channel: usize, channels: usize, out: &mut [u8]) {
    // Two bytes are counted from their middle, as signed numbers.
    let (scale, shift, middle) = if BYTES == 2 { (257.0, 32_768.0, 0x80) } else { (1.0, 0.0, 0) };
    let (low, high, scale, shift) = (L::splat(0.0), L::splat(255.0), L::splat(scale), L::splat(shift));
    let row_bytes = width * channels * BYTES;
    let rows = out.len() / row_bytes;
    let (blocks, _) = plane.as_chunks::<LANES>();
    for (at, block) in blocks.iter().enumerate() {
        let mut columns = [low; LANES];
        for n in 0..LANES {
            columns[n] = L::load(&block[n]).clamped(low, high).times(scale).minus(shift);
        }
        let turned = L::transposed(columns);
        let left = (width - at * LANES).min(LANES);
        for (y, row) in turned.iter().enumerate().take(rows) {
            let mut samples = [0; LANES];
            row.store_rounded(&mut samples);
            let start = y * row_bytes + (at * LANES * channels + channel) * BYTES;
            for n in 0..left {
                let bytes = samples[n].to_be_bytes();
                let slot = &mut out[start + n * channels * BYTES..][..BYTES];
                slot[BYTES - 1] = bytes[1];
                if BYTES == 2 {
                    slot[0] = bytes[0] ^ middle;
                }
            }
        }
    }
}

/// Makes a strip of one plane, with room for whole lanes behind the last column.
#[inline(always)]
fn across<L: Lanes, const N: usize>(columns: &[Column], taps: &Taps) -> Vec<Column> {
    let mut all = Vec::with_capacity(taps.len().next_multiple_of(LANES));
    for x in 0..taps.len() {
        let mut own = [0.0; LANES];
        column::<L, N>(columns, taps, x).store(&mut own);
        all.push(own);
    }
    all.resize(taps.len().next_multiple_of(LANES), [0.0; LANES]);
    all
}

/// Divides colours by their opacity, the last plane.
#[inline(always)]
fn divided(planes: &mut [Vec<Column>]) {
    let Some((alpha, colors)) = planes.split_last_mut() else { return };
    for plane in colors {
        for (column, alpha) in plane.iter_mut().zip(&*alpha) {
            for n in 0..LANES {
                // What rounds to no opacity has no colour.
                column[n] = if alpha[n] > 0.001 { column[n] * 255.0 / alpha[n] } else { 0.0 };
            }
        }
    }
}

/// Puts sharpened colours where the picture is opaque, and less of them the less it is: at an edge of its opacity they
/// ring. They were multiplied by an opacity that rings as they do, so that dividing by it leaves the colour of a plain
/// area as it is.
#[inline(always)]
fn sharpened(planes: &mut [Vec<Column>], sharp: &mut [Vec<Column>]) {
    let Some((alpha, colors)) = sharp.split_last_mut() else { return };
    for (plane, sharp) in planes.iter_mut().zip(colors) {
        for (column, (sharp, alpha)) in plane.iter_mut().zip(sharp.iter().zip(&*alpha)) {
            for n in 0..LANES {
                let share = ((alpha[n] - OPAQUE_FROM) / (255.0 - OPAQUE_FROM)).clamp(0.0, 1.0);
                if share > 0.0 {
                    column[n] += (sharp[n] * 255.0 / alpha[n] - column[n]) * share;
                }
            }
        }
    }
}
