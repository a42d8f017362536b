//! A JPEG of strips: baseline, with a restart at each row of units, so that bands are independent of each other and the
//! bytes are the same for any number of threads.

use std::io::Write;
use std::ops::Range;

use super::bands::in_order;
use super::blocks::{Block, Quant, ZIGZAG, transformed};
use super::cpu::{Cpu, Kernel};
use super::entropy::{Bits, Codes, Counts, Symbols, code};
use super::feed::{Feed, View};
use super::lanes::Lanes;
use super::means::{CellRow, Means, mean_of_rows};
use super::planes::{Planes, Space};
use super::strips::{Component, Strips, column, needed_rows, own_rows};
use super::taps::Taps;
use super::{Column, LANES, rows_done, written};
use crate::craft::{CraftError, Progress};
use crate::model::{Size, Strength};

/// Codes are fitted to every so manieth row of units.
const SAMPLED: usize = 16;
/// How many rows of units are made at once, at most.
const BAND: usize = 16;
const EDGE_MAX: u32 = 65_535;

/// How a JPEG is written.
#[derive(Clone, Copy)]
pub(in crate::craft) struct Coding<'a> {
    /// How much the picture is sharpened where it is enlarged.
    pub(in crate::craft) sharpen: Strength,
    /// 1 to 100.
    pub(in crate::craft) quality: u8,
    /// Whether colour has half the size of brightness on each axis.
    pub(in crate::craft) halves_color: bool,
    /// Segments that stand before the picture: JFIF's, metadata, colour profile.
    pub(in crate::craft) head: &'a [u8],
    pub(in crate::craft) threads: usize,
    pub(in crate::craft) progress: &'a dyn Progress,
}

/// Writes a source of red, green and blue in another size as a JPEG. One that does not look like its source is refused,
/// once it is written.
pub(in crate::craft) fn write_jpeg(
    source: Feed<'_>,
    to: Size,
    coding: &Coding<'_>,
    out: &mut dyn Write,
) -> Result<(), CraftError> {
    write_on(Cpu::best(), source, to, coding, out)
}

/// Writes it with the instructions of one kind of processor.
pub(super) fn write_on(
    cpu: Cpu,
    mut source: Feed<'_>,
    to: Size,
    coding: &Coding<'_>,
    out: &mut dyn Write,
) -> Result<(), CraftError> {
    if to.width.max(to.height) > EDGE_MAX {
        return Err(CraftError::TooLarge(format!("{to} pixels; a JPEG has {EDGE_MAX} on each edge at most")));
    }
    let encoder = Encoder::new(Planes::of(&source, Space::Jfif)?, to, coding);
    let codes = encoder.codes(cpu, &mut source)?;
    written(out.write_all(&encoder.head(&codes, to, coding.head)))?;
    let rows = encoder.units_down;
    let at_once = source.band(source.height.div_ceil(rows), BAND);
    let band_rows = |band: usize| band * at_once..((band + 1) * at_once).min(rows);
    let feed = |band: usize| {
        let needed = needed_rows(&encoder.components, band_rows(band), encoder.planes.height);
        source.forget_before(needed.start);
        source.rows(&needed)
    };
    let maker = || {
        let (mut strips, codes, encoder) = (encoder.strips(), &codes, &encoder);
        move |band: usize, source: View| {
            let (mut bits, mut seen) = (Bits::new(codes), Vec::new());
            for row in band_rows(band) {
                strips.look_at(encoder.own_rows(row));
                let unit_row = UnitRow { encoder, source: &source, strips: &mut strips, row, symbols: &mut bits };
                seen.push(cpu.run(unit_row));
                bits.end();
                if row + 1 < rows {
                    bits.bytes.extend([0xff, 0xd0 | u8::try_from(row % 8).expect("below eight")]);
                }
            }
            (bits.bytes, seen)
        }
    };
    let (mut before, mut means) = (encoder.source.clone(), encoder.means.clone());
    in_order(rows.div_ceil(at_once), coding.threads, feed, maker, |band, (bytes, seen)| {
        for (row, Seen { source, result }) in band_rows(band).zip(seen) {
            for (y, cells) in encoder.own_rows(row).zip(source.chunks_exact(before.len())) {
                before.iter_mut().zip(cells).for_each(|(means, cells)| means.add(y, cells));
            }
            for (component, cells) in result.into_iter().enumerate() {
                let first = row * encoder.components[component].rows / LANES;
                (first..).zip(cells).for_each(|(y, cells)| means[component].add(y, &cells));
            }
        }
        written(out.write_all(&bytes))?;
        coding.progress.rows(rows_done(band + 1, at_once * LANES * encoder.unit, to.height), to.height)?;
        Ok(())
    })?;
    written(out.write_all(&[0xff, 0xd9]))?;
    let step = encoder.quants.iter().map(|quant| quant.steps[0]).max().unwrap_or(1);
    Means::check(&before, &means, f32::from(step) / 16.0)
}

struct Encoder {
    planes: Planes,
    components: [Component; 3],
    /// How many blocks brightness has in a unit on each axis.
    unit: usize,
    units_across: usize,
    units_down: usize,
    quants: [Quant; 2],
    /// The means of the result's components, and of the source's planes, nothing taken yet.
    means: [Means; 3],
    source: Vec<Means>,
}

impl Encoder {
    fn new(planes: Planes, to: Size, coding: &Coding<'_>) -> Self {
        let length = |length: usize| u32::try_from(length).expect("a picture's edge");
        let taps = |from, to| Taps::lanczos(length(from), to, coding.sharpen);
        let (across, down) = (taps(planes.width, to.width), taps(planes.height, to.height));
        let unit = if coding.halves_color { 2 } else { 1 };
        let components = std::array::from_fn(|plane| {
            let is_half = plane > 0 && coding.halves_color;
            let fit = |taps: &Taps, length: usize| if is_half { taps.halved(length) } else { taps.clone() };
            let rows = if plane > 0 { LANES } else { LANES * unit };
            Component { plane, across: fit(&across, planes.width), down: fit(&down, planes.height), rows }
        });
        let units = |length: u32| (length as usize).div_ceil(LANES * unit);
        let means = |component: &Component| Means::new(component.across.len(), component.down.len(), LANES);
        let means = components.each_ref().map(means);
        Self {
            source: Means::between_those_of(&means, planes.width, planes.height),
            planes,
            means,
            components,
            unit,
            units_across: units(to.width),
            units_down: units(to.height),
            quants: [false, true].map(|is_color| Quant::of(coding.quality, is_color)),
        }
    }

    fn strips(&self) -> Strips<'_> {
        Strips::new(self.planes, &self.components, &self.source)
    }

    /// Returns the rows of the source that are looked at together with a row of units.
    fn own_rows(&self, row: usize) -> Range<usize> {
        own_rows(&self.components, row, self.planes.height)
    }

    /// Returns codes that fit a sample of the picture: of what the first window on it holds, which is the whole of a
    /// picture of common size. Below that a large one may look different, and is coded a little less well.
    fn codes(&self, cpu: Cpu, source: &mut Feed<'_>) -> Result<[Codes; 4], CraftError> {
        let (mut counts, mut strips) = (Counts([[0; 256]; 4]), self.strips());
        let needed = |row: usize| needed_rows(&self.components, row..row + 1, self.planes.height);
        let first = (SAMPLED / 2).min(self.units_down - 1);
        let is_at_hand = |row: &usize| needed(*row).end <= source.first_rows();
        let mut rows: Vec<usize> = (first..self.units_down).step_by(SAMPLED).take_while(is_at_hand).collect();
        if rows.is_empty() {
            rows.push(0);
        }
        for row in rows {
            let source = &source.rows(&needed(row))?;
            cpu.run(UnitRow { encoder: self, source, strips: &mut strips, row, symbols: &mut counts });
        }
        Ok(std::array::from_fn(|table| Codes::of(&counts.0[table], table % 2 == 0)))
    }

    /// Returns the cells of the rows of blocks of one component.
    #[inline(always)]
    fn cells<L: Lanes>(&self, component: usize, blocks: &[Block]) -> Vec<CellRow> {
        let unit = self.components[component].rows / LANES;
        let (mut cells, mut values) = (Vec::with_capacity(unit), Vec::with_capacity(self.units_across * unit));
        for row in blocks.chunks_exact(self.units_across * unit) {
            values.clear();
            values.extend(row.iter().map(|block| block.mean));
            cells.push(Means::row::<L>(&self.means[component].across, &values));
        }
        cells
    }

    /// Returns all that stands before the coded picture (T.81, annex B).
    fn head(&self, codes: &[Codes; 4], to: Size, before: &[u8]) -> Vec<u8> {
        let mut head = [&[0xff, 0xd8], before].concat();
        let mut segment = |marker: u8, body: &[u8]| {
            let length = u16::try_from(body.len() + 2).expect("a table is short");
            head.extend([0xff, marker]);
            head.extend(length.to_be_bytes());
            head.extend(body);
        };
        for (number, quant) in (0..).zip(&self.quants) {
            let steps = ZIGZAG.map(|at| quant.steps[usize::from(at)]);
            segment(0xdb, &[&[number], &steps[..]].concat());
        }
        let edge = |length: u32| u16::try_from(length).expect("it was checked").to_be_bytes();
        let unit = u8::try_from(self.unit).expect("one or two");
        let sampling = [1, (unit << 4) | unit, 0, 2, 0x11, 1, 3, 0x11, 1];
        segment(0xc0, &[&[8][..], &edge(to.height), &edge(to.width), &[3], &sampling].concat());
        for (table, codes) in (0_u8..).zip(codes) {
            segment(0xc4, &[&[((table % 2) << 4) | (table / 2)][..], &codes.lengths, &codes.symbols].concat());
        }
        let interval = u16::try_from(self.units_across).expect("below the longest edge");
        segment(0xdd, &interval.to_be_bytes());
        segment(0xda, &[3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
        head
    }
}

/// What a row of units shows from afar.
struct Seen {
    /// The cells of the rows of the source that were looked at, those of each plane of a row one after another.
    source: Vec<CellRow>,
    /// The cells of the rows of blocks of each component.
    result: [Vec<CellRow>; 3],
}

/// One row of units, from samples to symbols.
struct UnitRow<'a, 'b, S> {
    encoder: &'a Encoder,
    source: &'a View,
    strips: &'a mut Strips<'b>,
    row: usize,
    symbols: &'a mut S,
}

impl<S: Symbols> Kernel for UnitRow<'_, '_, S> {
    type Out = Seen;

    #[inline(always)]
    fn run<L: Lanes>(self) -> Self::Out {
        let encoder = self.encoder;
        let mut blocks: [Vec<Block>; 3] = std::array::from_fn(|_| Vec::new());
        for (component, blocks) in encoder.components.iter().zip(&mut blocks) {
            let unit = component.rows / LANES;
            let quant = &encoder.quants[usize::from(component.plane > 0)];
            for strip in 0..unit {
                let y = (self.row * unit + strip) * LANES;
                let columns = self.strips.strip::<L>(self.source, component, y);
                let row = BlockRow {
                    columns,
                    across: &component.across,
                    count: encoder.units_across * unit,
                    rows: component.down.len().saturating_sub(y).clamp(1, LANES),
                    quant,
                };
                row.write::<L>(blocks);
            }
        }
        let (mut before, unit, across) = ([0; 3], encoder.unit, encoder.units_across);
        for x in 0..across {
            for v in 0..unit {
                for h in 0..unit {
                    let at = v * across * unit + x * unit + h;
                    code(&blocks[0][at], 0, &mut before[0], self.symbols);
                }
            }
            code(&blocks[1][x], 1, &mut before[1], self.symbols);
            code(&blocks[2][x], 1, &mut before[2], self.symbols);
        }
        let source = self.strips.seen::<L>(self.source);
        let [y, blue, red] = blocks;
        Seen { source, result: [encoder.cells::<L>(0, &y), encoder.cells::<L>(1, &blue), encoder.cells::<L>(2, &red)] }
    }
}

/// The blocks of one strip of one component.
struct BlockRow<'a> {
    columns: &'a [Column],
    across: &'a Taps,
    /// How many blocks there are; behind the picture its last column comes again.
    count: usize,
    /// How many rows of the strip are of the picture.
    rows: usize,
    quant: &'a Quant,
}

impl BlockRow<'_> {
    #[inline(always)]
    fn write<L: Lanes>(&self, blocks: &mut Vec<Block>) {
        match self.across.count {
            1 => self.write_by::<L, 1>(blocks),
            6 => self.write_by::<L, 6>(blocks),
            _ => self.write_by::<L, 0>(blocks),
        }
    }

    #[inline(always)]
    fn write_by<L: Lanes, const N: usize>(&self, blocks: &mut Vec<Block>) {
        let width = self.across.len();
        // Loops and not closures: these might not be inlined, and so be compiled for any processor.
        for block in 0..self.count {
            let mut values = [L::splat(0.0); LANES];
            for (n, value) in values.iter_mut().enumerate() {
                *value = column::<L, N>(self.columns, self.across, (block * LANES + n).min(width - 1));
            }
            let mut made = transformed(values, self.quant);
            let columns = width.saturating_sub(block * LANES).clamp(1, LANES);
            if self.rows * columns < LANES * LANES {
                let mut sum = 0.0;
                for value in &values[..columns] {
                    let mut column = [0.0; LANES];
                    value.store(&mut column);
                    sum += mean_of_rows(&column, self.rows);
                }
                #[expect(clippy::cast_precision_loss, reason = "eight at most")]
                let columns = columns as f32;
                made.mean = sum / columns;
            }
            blocks.push(made);
        }
    }
}
