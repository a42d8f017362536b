//! A JPEG of strips: baseline, with a restart at each row of units, so that bands are independent of each other and the
//! bytes are the same for any number of threads; or progressive, of blocks that are all in memory.

use std::io::Write;
use std::ops::Range;

use super::bands::in_order;
use super::blocks::{Block, BlockRow, Quant, ZIGZAG};
use super::cpu::{Cpu, Kernel};
use super::entropy::{Bits, Codes, Counts, Symbols, code};
use super::feed::{Feed, View};
use super::lanes::Lanes;
use super::means::{CellRow, Means};
use super::planes::{Planes, Space};
use super::progressive::{Plane, write_scans};
use super::strips::{Component, Strips, needed_rows, own_rows};
use super::taps::Taps;
use super::{LANES, rows_done, segment, written};
use crate::craft::{CraftError, Progress};
use crate::model::{Scans, Size, Strength};

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
    /// Whether it comes in one scan, or in several from coarse to fine.
    pub(in crate::craft) scans: Scans,
    /// Whether colour has half the size of brightness on each axis.
    pub(in crate::craft) halves_color: bool,
    /// Segments that stand before the picture: JFIF's, metadata, colour profile.
    pub(in crate::craft) head: &'a [u8],
    pub(in crate::craft) threads: usize,
    pub(in crate::craft) progress: &'a dyn Progress,
}

/// Writes a source of red, green and blue in another size as a JPEG. One that does not look like its source is refused,
/// once all of it is made.
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
    source: Feed<'_>,
    to: Size,
    coding: &Coding<'_>,
    out: &mut dyn Write,
) -> Result<(), CraftError> {
    if to.width.max(to.height) > EDGE_MAX {
        return Err(CraftError::TooLarge(format!("{to} pixels; a JPEG has {EDGE_MAX} on each edge at most")));
    }
    let encoder = Encoder::new(Planes::of(&source, Space::Jfif)?, to, coding);
    match coding.scans {
        Scans::Baseline => encoder.baseline(cpu, source, coding, out)?,
        Scans::Progressive => encoder.progressive(cpu, source, coding, out)?,
    }
    written(out.write_all(&[0xff, 0xd9]))
}

struct Encoder {
    planes: Planes,
    to: Size,
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
            to,
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

    /// Writes all in one scan, by codes that fit a sample.
    fn baseline(
        &self,
        cpu: Cpu,
        mut source: Feed<'_>,
        coding: &Coding<'_>,
        out: &mut dyn Write,
    ) -> Result<(), CraftError> {
        let codes = self.codes(cpu, &mut source)?;
        written(out.write_all(&self.head(0xc0, coding.head)))?;
        written(out.write_all(&self.scan_head(&codes)))?;
        let make = |source: &View, strips: &mut Strips<'_>, rows: Range<usize>| {
            let (mut bits, mut seen) = (Bits::new(&codes), Vec::new());
            for row in rows {
                strips.look_at(self.own_rows(row));
                seen.push(cpu.run(UnitRow { encoder: self, source, strips, row, symbols: &mut bits }));
                bits.end();
                if row + 1 < self.units_down {
                    bits.bytes.extend([0xff, 0xd0 | u8::try_from(row % 8).expect("below eight")]);
                }
            }
            (bits.bytes, seen)
        };
        self.in_bands(source, coding, make, |bytes| written(out.write_all(&bytes)))
    }

    /// Makes all blocks, and writes them in scans from coarse to fine.
    fn progressive(
        &self,
        cpu: Cpu,
        source: Feed<'_>,
        coding: &Coding<'_>,
        out: &mut dyn Write,
    ) -> Result<(), CraftError> {
        let make = |source: &View, strips: &mut Strips<'_>, rows: Range<usize>| {
            let one = |row| {
                strips.look_at(self.own_rows(row));
                cpu.run(Blocks { encoder: self, source, strips, row })
            };
            rows.map(one).unzip::<_, _, Vec<_>, Vec<_>>()
        };
        let mut planes = self.components.each_ref().map(|component| self.plane(component));
        self.in_bands(source, coding, make, |rows| {
            for (plane, blocks) in rows.into_iter().flat_map(|row| (0..).zip(row)) {
                planes[plane].blocks.extend(blocks);
            }
            Ok(())
        })?;
        written(out.write_all(&self.head(0xc2, coding.head)))?;
        write_scans(&planes, out)
    }

    /// Makes the rows of units in bands, with several threads, and takes what was made of each band in their order. A
    /// result that does not look like its source is refused at the end.
    fn in_bands<T: Send>(
        &self,
        mut source: Feed<'_>,
        coding: &Coding<'_>,
        make: impl Fn(&View, &mut Strips<'_>, Range<usize>) -> (T, Vec<Seen>) + Sync,
        mut take: impl FnMut(T) -> Result<(), CraftError>,
    ) -> Result<(), CraftError> {
        let (rows, height) = (self.units_down, self.to.height);
        let at_once = source.band(source.height.div_ceil(rows), BAND);
        let band_rows = |band: usize| band * at_once..((band + 1) * at_once).min(rows);
        let feed = |band: usize| {
            let needed = needed_rows(&self.components, band_rows(band), self.planes.height);
            source.forget_before(needed.start);
            source.rows(&needed)
        };
        let maker = || {
            let (mut strips, make) = (self.strips(), &make);
            move |band: usize, source: View| make(&source, &mut strips, band_rows(band))
        };
        let (mut before, mut means) = (self.source.clone(), self.means.clone());
        in_order(rows.div_ceil(at_once), coding.threads, feed, maker, |band, (made, seen)| {
            for (row, Seen { source, result }) in band_rows(band).zip(seen) {
                for (y, cells) in self.own_rows(row).zip(source.chunks_exact(before.len())) {
                    before.iter_mut().zip(cells).for_each(|(means, cells)| means.add(y, cells));
                }
                for (component, cells) in result.into_iter().enumerate() {
                    let first = row * self.components[component].rows / LANES;
                    (first..).zip(cells).for_each(|(y, cells)| means[component].add(y, &cells));
                }
            }
            take(made)?;
            coding.progress.rows(rows_done(band + 1, at_once * LANES * self.unit, height), height)?;
            Ok(())
        })?;
        let step = self.quants.iter().map(|quant| quant.steps[0]).max().unwrap_or(1);
        Means::check(&before, &means, f32::from(step) / 16.0)
    }

    /// Returns a plane that has no blocks yet.
    fn plane(&self, component: &Component) -> Plane {
        let unit = component.rows / LANES;
        Plane {
            blocks: Vec::with_capacity(self.units_across * self.units_down * unit * unit),
            stride: self.units_across * unit,
            across: component.across.len().div_ceil(LANES),
            down: component.down.len().div_ceil(LANES),
            unit,
        }
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

    /// Returns all that stands before the first scan (T.81, annex B), the frame with this mark.
    fn head(&self, frame: u8, before: &[u8]) -> Vec<u8> {
        let mut head = [&[0xff, 0xd8], before].concat();
        for (number, quant) in (0..).zip(&self.quants) {
            let steps = ZIGZAG.map(|at| quant.steps[usize::from(at)]);
            segment(&mut head, 0xdb, &[&[number], &steps[..]]);
        }
        let edge = |length: u32| u16::try_from(length).expect("it was checked").to_be_bytes();
        let unit = u8::try_from(self.unit).expect("one or two");
        let sampling = [1, (unit << 4) | unit, 0, 2, 0x11, 1, 3, 0x11, 1];
        segment(&mut head, frame, &[&[8], &edge(self.to.height), &edge(self.to.width), &[3], &sampling]);
        head
    }

    /// Returns what stands before the only scan.
    fn scan_head(&self, codes: &[Codes; 4]) -> Vec<u8> {
        let mut head = Vec::new();
        for (table, codes) in (0_u8..).zip(codes) {
            segment(&mut head, 0xc4, &[&[((table % 2) << 4) | (table / 2)], &codes.lengths, &codes.symbols]);
        }
        let interval = u16::try_from(self.units_across).expect("below the longest edge");
        segment(&mut head, 0xdd, &[&interval.to_be_bytes()]);
        segment(&mut head, 0xda, &[&[3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]]);
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
        let (blocks, seen) = blocks::<L>(encoder, self.source, self.strips, self.row);
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
        seen
    }
}

/// The blocks of one row of units.
struct Blocks<'a, 'b> {
    encoder: &'a Encoder,
    source: &'a View,
    strips: &'a mut Strips<'b>,
    row: usize,
}

impl Kernel for Blocks<'_, '_> {
    type Out = ([Vec<Block>; 3], Seen);

    #[inline(always)]
    fn run<L: Lanes>(self) -> Self::Out {
        blocks::<L>(self.encoder, self.source, self.strips, self.row)
    }
}

/// Makes the blocks of each component of one row of units.
#[inline(always)]
fn blocks<L: Lanes>(encoder: &Encoder, source: &View, strips: &mut Strips<'_>, row: usize) -> ([Vec<Block>; 3], Seen) {
    let mut blocks: [Vec<Block>; 3] = std::array::from_fn(|_| Vec::new());
    for (component, blocks) in encoder.components.iter().zip(&mut blocks) {
        let unit = component.rows / LANES;
        let quant = &encoder.quants[usize::from(component.plane > 0)];
        for strip in 0..unit {
            let y = (row * unit + strip) * LANES;
            let columns = strips.strip::<L>(source, component, y);
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
    let [y, blue, red] = &blocks;
    let result = [encoder.cells::<L>(0, y), encoder.cells::<L>(1, blue), encoder.cells::<L>(2, red)];
    let seen = Seen { source: strips.seen::<L>(source), result };
    (blocks, seen)
}
