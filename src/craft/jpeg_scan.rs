//! Checks whether the coded pixels of a JPEG are all there. Its codes have no check sum and decoders are tolerant: a
//! picture with a hole, or with the end of another one, decodes without an error. This reads every code of every scan
//! without making pixels of them: each must be in its table, and together they must fill all blocks of the frame.

pub(super) mod codes;

use self::codes::{Bits, Codes, END_OF_BLOCK};
use super::CraftError;
use super::jpeg::{Part, parts};

/// The most scans of a JPEG, more than any encoder writes: each one costs a pass over all blocks.
pub(super) const SCANS_MAX: usize = 100;
/// The most bytes that encoders leave behind the last code of a scan, besides the bits that fill its byte.
pub(super) const LEFT_OVER_BYTES_MAX: usize = 2;

/// Checks that the scans of a JPEG hold what its frame needs, and that its end mark is there. A frame of a kind that
/// is not known here (arithmetic, lossless) is left to the decoder.
pub(super) fn check_scans(bytes: &[u8]) -> Result<(), CraftError> {
    let (mut reader, mut scans, mut is_known) = (Reader::default(), 0, true);
    for part in parts(bytes) {
        let part = part?;
        match part.marker {
            0xc4 => reader.tables(part.body).ok_or_else(|| damaged("a table of its codes is wrong"))?,
            0xdd => reader.restart_units = usize::from(u16::from_be_bytes(*part.body.first_chunk().unwrap_or(&[0; 2]))),
            0xc0..=0xc2 if reader.frame.is_some() => return Err(damaged("it has two frames")),
            0xc0..=0xc2 => reader.frame = Some(frame(&part).ok_or_else(|| damaged("its frame is wrong"))?),
            0xda if reader.frame.is_none() => is_known = false,
            0xda if is_known => {
                scans += 1;
                if scans > SCANS_MAX {
                    return Err(CraftError::TooLarge(format!("a JPEG of more than {SCANS_MAX} scans")));
                }
                reader.scan(&part)?;
            }
            _ => (),
        }
    }
    let Some(frame) = reader.frame else { return Ok(()) };
    let truncated = |what: &str| Err(CraftError::Truncated(what.to_owned()));
    if frame.components.iter().any(|component| !component.is_scanned) {
        return truncated("the JPEG lacks the pixels of a colour");
    }
    if frame.is_progressive && frame.components.iter().any(|component| component.missing_bits != [0; 64]) {
        return truncated("the JPEG lacks the scans that make it sharp");
    }
    Ok(())
}

pub(super) fn damaged(what: &str) -> CraftError {
    CraftError::Damaged(format!("the JPEG's pixels are not all there: {what}"))
}

struct Component {
    id: u8,
    /// How many blocks it has in a unit of an interleaved scan.
    unit_blocks: usize,
    /// How many blocks it has in a scan of its own.
    blocks: usize,
    is_scanned: bool,
    /// How many bits of each coefficient of a progressive picture are still to come.
    missing_bits: [u8; 64],
    /// For each block of a progressive picture, which of its coefficients are not zero so far.
    coefficients: Vec<u64>,
}

struct Frame {
    is_progressive: bool,
    /// How many units an interleaved scan has.
    units: usize,
    components: Vec<Component>,
}

/// Reads the header of a frame; `None` if it makes no sense.
fn frame(part: &Part<'_>) -> Option<Frame> {
    let [_depth, y0, y1, x0, x1, count, of_components @ ..] = part.body else { return None };
    let (height, width) = (usize::from(u16::from_be_bytes([*y0, *y1])), usize::from(u16::from_be_bytes([*x0, *x1])));
    let of_components = of_components.get(..usize::from(*count) * 3).filter(|_| (1..=4).contains(count))?;
    let sampling = |component: &[u8]| (usize::from(component[1] >> 4), usize::from(component[1] & 15));
    let all = || of_components.chunks_exact(3);
    if height == 0 || width == 0 || !all().map(sampling).all(|(h, v)| (1..=4).contains(&h) && (1..=4).contains(&v)) {
        return None;
    }
    let (h_max, v_max) = (all().map(|c| sampling(c).0).max()?, all().map(|c| sampling(c).1).max()?);
    let blocks = |length: usize, own: usize, most: usize| (length * own).div_ceil(most).div_ceil(8);
    let is_progressive = part.marker == 0xc2;
    let component = |component: &[u8]| {
        let (h, v) = sampling(component);
        let blocks = blocks(width, h, h_max) * blocks(height, v, v_max);
        let coefficients = if is_progressive { vec![0; blocks] } else { Vec::new() };
        let missing_bits = [u8::MAX; 64];
        Component { id: component[0], unit_blocks: h * v, blocks, is_scanned: false, missing_bits, coefficients }
    };
    let units = width.div_ceil(8 * h_max) * height.div_ceil(8 * v_max);
    Some(Frame { is_progressive, units, components: all().map(component).collect() })
}

/// What the parts before a scan say of it.
#[derive(Default)]
struct Reader {
    frame: Option<Frame>,
    dc: [Option<Codes>; 4],
    ac: [Option<Codes>; 4],
    /// How many units lie between two restarts; 0 for no restarts.
    restart_units: usize,
}

/// How the blocks of one unit are coded.
enum Coding<'a> {
    /// Whole blocks, each with its two tables.
    Sequential(Vec<(&'a Codes, &'a Codes)>),
    /// The first bits of each block's mean.
    Means(Vec<&'a Codes>),
    /// One more bit of each block's mean.
    MeansRefined(usize),
    /// The first bits of some coefficients of one component.
    Band(&'a Codes, Band<'a>),
    /// One more bit of them.
    BandRefined(&'a Codes, Band<'a>),
}

struct Band<'a> {
    first: u32,
    last: u32,
    blocks: std::slice::IterMut<'a, u64>,
}

impl Reader {
    /// Reads the tables of a segment; `None` if one makes no sense.
    fn tables(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((head, rest)) = body.split_first() {
            let (codes, rest) = Codes::read(rest)?;
            let tables = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(head & 15))? = Some(codes);
            body = rest;
        }
        Some(())
    }

    fn scan(&mut self, part: &Part<'_>) -> Result<(), CraftError> {
        let restart_units = self.restart_units;
        let (units, mut coding) = self.coding(part.body).ok_or_else(|| damaged("the header of a scan is wrong"))?;
        let mut left = units;
        let mut buffer = Vec::with_capacity(part.coded.len() + Bits::PADDING);
        for (number, interval) in intervals(part.coded).enumerate() {
            let (restart, coded) = interval;
            if number > 0 && (restart_units == 0 || restart != Some((number - 1) % 8)) {
                return Err(damaged("a restart is not where it should be"));
            }
            let count = if restart_units == 0 { left } else { left.min(restart_units) };
            // A restart behind the last unit does no harm.
            if count == 0 && number > 0 && coded.len() <= LEFT_OVER_BYTES_MAX {
                continue;
            }
            let mut bits = Bits::of(coded, &mut buffer);
            coding.read(&mut bits, count).ok_or_else(|| damaged("they hold an invalid code"))?;
            if !bits.end_within(LEFT_OVER_BYTES_MAX) {
                return Err(damaged("they hold more or less than the picture needs"));
            }
            left -= count;
        }
        if left > 0 { Err(damaged(&format!("{left} of {units} units are missing"))) } else { Ok(()) }
    }

    /// Reads the header of a scan: how many units it has, and how each is coded.
    fn coding(&mut self, header: &[u8]) -> Option<(usize, Coding<'_>)> {
        let frame = self.frame.as_mut()?;
        let (count, rest) = header.split_first()?;
        let (of_components, rest) = rest.split_at_checked(usize::from(*count) * 2)?;
        let [first, last, bits] = *rest.first_chunk()?;
        let mut chosen = Vec::with_capacity(4);
        for component in of_components.chunks_exact(2) {
            let index = frame.components.iter().position(|known| known.id == component[0])?;
            chosen.push((index, usize::from(component[1] >> 4), usize::from(component[1] & 15)));
        }
        let is_alone = chosen.len() == 1;
        let (first_chosen, ..) = *chosen.first().filter(|_| chosen.len() <= 4)?;
        let units = if is_alone { frame.components[first_chosen].blocks } else { frame.units };
        let mut blocks = Vec::new();
        for (index, dc, ac) in &chosen {
            let component = &mut frame.components[*index];
            component.is_scanned = true;
            if let Some(band) = component.missing_bits.get_mut(first.into()..=last.into()) {
                band.fill(bits & 15);
            }
            let in_unit = if is_alone { 1 } else { component.unit_blocks };
            blocks.extend(std::iter::repeat_n((*dc, *ac), in_unit));
        }
        let (dc, ac) = (&self.dc, &self.ac);
        let is_refined = bits >> 4 != 0;
        let coding = if !frame.is_progressive {
            let tables = blocks.iter().map(|(d, a)| Some((dc.get(*d)?.as_ref()?, ac.get(*a)?.as_ref()?)));
            Coding::Sequential(tables.collect::<Option<_>>()?)
        } else if first == 0 && last == 0 {
            if is_refined {
                Coding::MeansRefined(blocks.len())
            } else {
                let tables = blocks.iter().map(|(d, _)| dc.get(*d)?.as_ref());
                Coding::Means(tables.collect::<Option<_>>()?)
            }
        } else if is_alone && 0 < first && first <= last && last < 64 {
            let codes = ac.get(blocks.first()?.1)?.as_ref()?;
            let blocks = frame.components[first_chosen].coefficients.iter_mut();
            let band = Band { first: first.into(), last: last.into(), blocks };
            if is_refined { Coding::BandRefined(codes, band) } else { Coding::Band(codes, band) }
        } else {
            return None;
        };
        Some((units, coding))
    }
}

/// Returns the coded pixels between two restarts, each with the number of the restart before it.
fn intervals(coded: &[u8]) -> impl Iterator<Item = (Option<usize>, &[u8])> {
    let mut rest = Some((None, coded));
    std::iter::from_fn(move || {
        let (restart, bytes) = rest.take()?;
        let mut at = 0;
        while let Some(found) = bytes[at..].iter().position(|byte| *byte == 0xff) {
            at += found;
            let fill = bytes[at..].iter().take_while(|byte| **byte == 0xff).count();
            if let Some(mark @ 0xd0..=0xd7) = bytes.get(at + fill) {
                rest = Some((Some(usize::from(mark & 7)), &bytes[at + fill + 1..]));
                return Some((restart, &bytes[..at]));
            }
            at += fill;
        }
        Some((restart, bytes))
    })
}

impl Coding<'_> {
    /// Reads `units` units; `None` at an invalid code, or at the end of the bits.
    fn read(&mut self, bits: &mut Bits<'_>, units: usize) -> Option<()> {
        match self {
            Self::Sequential(blocks) => {
                for _ in 0..units {
                    blocks.iter().try_for_each(|(dc, ac)| whole_block(bits, dc, ac))?;
                    bits.are_enough()?;
                }
            }
            Self::Means(blocks) => {
                for _ in 0..units {
                    for codes in blocks.iter() {
                        let size = codes.next(bits)?;
                        bits.skip(size.into());
                    }
                    bits.are_enough()?;
                }
            }
            Self::MeansRefined(blocks) => bits.skip(*blocks * units),
            Self::Band(codes, band) => {
                let mut run = 0;
                for block in band.blocks.by_ref().take(units) {
                    if run > 0 {
                        run -= 1;
                    } else {
                        run = band_block(bits, codes, block, band.first, band.last)?;
                        bits.are_enough()?;
                    }
                }
                return (run == 0).then_some(());
            }
            Self::BandRefined(codes, band) => {
                let mut run = 0;
                for block in band.blocks.by_ref().take(units) {
                    run = refined_block(bits, codes, block, (band.first, band.last), run)?;
                    bits.are_enough()?;
                }
                return (run == 0).then_some(());
            }
        }
        bits.are_enough()
    }
}

fn whole_block(bits: &mut Bits<'_>, dc: &Codes, ac: &Codes) -> Option<()> {
    let size = dc.next(bits)?;
    bits.skip(size.into());
    let mut at = 1_u32;
    while at < 64 {
        let code = ac.find(bits)?;
        bits.skip(code.bits_with_value.into());
        at += u32::from(code.step);
    }
    (at == 64 || at > END_OF_BLOCK).then_some(())
}

/// Returns for how many further blocks the band has no new coefficients.
fn band_block(bits: &mut Bits<'_>, codes: &Codes, block: &mut u64, first: u32, last: u32) -> Option<usize> {
    let mut at = first;
    while at <= last {
        let symbol = codes.next(bits)?;
        let (run, size) = (u32::from(symbol >> 4), symbol & 15);
        match (run, size) {
            (15, 0) => at += 16,
            (_, 0) => return Some((1 << run) + bits.take(run) - 1),
            _ => {
                at += run;
                *block |= 1_u64.checked_shl(at).filter(|_| at <= last)?;
                bits.skip(size.into());
                at += 1;
            }
        }
    }
    (at == last + 1).then_some(0)
}

/// Reads a block of a refined band: one bit for each coefficient that was there before, and new ones between them.
/// `run` counts the blocks without new ones, with this block. Returns what is left of it.
fn refined_block(
    bits: &mut Bits<'_>,
    codes: &Codes,
    block: &mut u64,
    (first, last): (u32, u32),
    run: usize,
) -> Option<usize> {
    let (before, mut at, mut blocks) = (*block, first, run);
    let is_there = |at: u32| before >> at & 1 == 1;
    while blocks == 0 && at <= last {
        let symbol = codes.next(bits)?;
        let (mut zeros, size) = (symbol >> 4, symbol & 15);
        match (zeros, size) {
            (0..=14, 0) => {
                blocks = (1 << zeros) + bits.take(zeros.into());
                break;
            }
            (15, 0) | (_, 1) => bits.skip(size.into()),
            _ => return None,
        }
        // Each earlier coefficient on the way has one bit.
        while at <= last && (is_there(at) || zeros > 0) {
            if is_there(at) {
                bits.skip(1);
            } else {
                zeros -= 1;
            }
            at += 1;
        }
        if size == 1 {
            *block |= 1_u64.checked_shl(at).filter(|_| at <= last)?;
        }
        at += 1;
    }
    if blocks == 0 {
        return Some(0);
    }
    let rest = u64::MAX.checked_shl(at).unwrap_or(0) & u64::MAX >> (63 - last);
    bits.skip((before & rest).count_ones() as usize);
    Some(blocks - 1)
}

#[cfg(test)]
mod tests;
