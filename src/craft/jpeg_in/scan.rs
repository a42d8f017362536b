//! Reads the codes of a scan, unit by unit, and makes samples of them.

use std::sync::Arc;

use super::Plane;
use super::cosine::inverse;
use crate::craft::CraftError;
use crate::craft::jpeg_scan::codes::{Code, Codes, END_OF_BLOCK};
use crate::craft::jpeg_scan::{LEFT_OVER_BYTES_MAX, damaged};

/// More bytes than the codes of a unit can have: 64 blocks of 64 coefficients, each with 31 bits.
const UNIT_BYTES_MAX: usize = 16 << 10;
/// How many bytes are made ready at once.
const CHUNK_BYTES: usize = 4 * UNIT_BYTES_MAX;
/// Where each coefficient of a block lies, in the order of the codes.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// A component as one scan has it.
pub(super) struct Scanned {
    /// Which one of the frame it is.
    pub(super) component: usize,
    pub(super) dc: Arc<Codes>,
    pub(super) ac: Arc<Codes>,
    /// By what its coefficients are multiplied, in the order of the codes.
    pub(super) quantisers: [u16; 64],
    /// How many blocks it has in a unit, across and down.
    pub(super) unit: (usize, usize),
    /// The mean of its last block.
    pub(super) mean: i32,
}

/// What is left of a scan.
pub(super) struct Scan<'a> {
    pub(super) components: Vec<Scanned>,
    /// How many units it has, across and down.
    units: (usize, usize),
    units_left: usize,
    /// How many units lie between two restarts; 0 for no restarts.
    restart_units: usize,
    /// How many units are left up to the next restart, and how many restarts there were.
    interval_left: usize,
    restarts: usize,
    bits: Bits<'a>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(components: Vec<Scanned>, units: (usize, usize), restart_units: usize, coded: &'a [u8]) -> Self {
        let units_left = units.0 * units.1;
        let interval_left = if restart_units == 0 { units_left } else { restart_units };
        let bits = Bits::new(coded);
        Self { components, units, units_left, restart_units, interval_left, restarts: 0, bits }
    }

    /// Returns how many rows of units it has.
    pub(super) fn unit_rows(&self) -> usize {
        self.units.1
    }

    /// Reads the row `y` of units into the planes of the frame's components.
    pub(super) fn read_row(&mut self, y: usize, planes: &mut [Plane]) -> Result<(), CraftError> {
        for x in 0..self.units.0 {
            if self.interval_left == 0 {
                self.restart()?;
            }
            self.bits.prepare();
            for scanned in &mut self.components {
                let plane = &mut planes[scanned.component];
                let (across, down) = scanned.unit;
                for block in 0..across * down {
                    let at = (x * across + block % across, y * down + block / across);
                    scanned.block(&mut self.bits, plane, at).ok_or_else(|| damaged("they hold an invalid code"))?;
                }
            }
            if self.bits.left() < 0 {
                return Err(self.too_few());
            }
            self.units_left -= 1;
            self.interval_left -= 1;
        }
        if y + 1 == self.units.1 { self.end() } else { Ok(()) }
    }

    fn too_few(&self) -> CraftError {
        damaged(&format!("{} of {} units are missing", self.units_left, self.units.0 * self.units.1))
    }

    /// Checks that nothing but the bits that fill a byte, and what encoders leave, comes before the next mark.
    fn end_interval(&mut self) -> Result<(), CraftError> {
        self.bits.prepare();
        let is_over = self.bits.is_at_mark() && self.bits.left() / 8 <= LEFT_OVER_BYTES_MAX.cast_signed();
        if is_over { Ok(()) } else { Err(damaged("they hold more than the picture needs")) }
    }

    fn restart(&mut self) -> Result<(), CraftError> {
        self.end_interval()?;
        match self.bits.next_interval() {
            None => return Err(self.too_few()),
            Some(number) if number != self.restarts % 8 => {
                return Err(damaged("a restart is not where it should be"));
            }
            Some(_) => (),
        }
        self.restarts += 1;
        self.interval_left = self.restart_units;
        self.components.iter_mut().for_each(|scanned| scanned.mean = 0);
        Ok(())
    }

    /// Checks the end of the scan. A restart behind the last unit does no harm.
    fn end(&mut self) -> Result<(), CraftError> {
        self.end_interval()?;
        while let Some(number) = self.bits.next_interval() {
            if self.restart_units == 0 || number != self.restarts % 8 {
                return Err(damaged("a restart is not where it should be"));
            }
            self.restarts += 1;
            self.end_interval()?;
        }
        Ok(())
    }
}

impl Scanned {
    /// Reads a block and writes its samples; `None` at an invalid code.
    #[inline]
    fn block(&mut self, bits: &mut Bits<'_>, plane: &mut Plane, at: (usize, usize)) -> Option<()> {
        let mut coefficients = [0; 64];
        let size = bits.next(&self.dc)?.symbol;
        if size > 15 {
            return None;
        }
        self.mean = self.mean.wrapping_add(bits.take_signed(size));
        coefficients[0] = multiplied(self.mean.clamp(i16::MIN.into(), i16::MAX.into()), self.quantisers[0]);
        let (mut position, mut is_flat) = (0_usize, true);
        while position < 63 {
            let code = bits.next(&self.ac)?;
            position += usize::from(code.step);
            let size = code.symbol & 15;
            if size > 0 {
                let value = bits.take_signed(size);
                let to = usize::from(*ZIGZAG.get(position)?);
                coefficients[to & 63] = multiplied(value, self.quantisers[position & 63]);
                is_flat = false;
            }
        }
        // A run of zeros may not leave the block, unless its end is said.
        if (64..END_OF_BLOCK as usize).contains(&position) {
            return None;
        }
        let (out, stride) = plane.block(at);
        if is_flat {
            let value = flat(coefficients[0]);
            out.chunks_mut(stride).for_each(|row| row[..8].fill(value));
        } else {
            inverse(&coefficients, out, stride);
        }
        Some(())
    }
}

/// Returns a coefficient as the transform takes it. What no encoder makes ends at the bounds.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "it is within the bounds")]
fn multiplied(value: i32, quantiser: u16) -> i16 {
    (value * i32::from(quantiser)).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// Returns the sample of a block that has only a mean.
#[expect(clippy::cast_sign_loss, reason = "it is within a byte")]
fn flat(mean: i16) -> u8 {
    (((i32::from(mean) + 4) >> 3) + 128).clamp(0, 255) as u8
}

/// The bits of a scan up to its next mark. Zeros without end follow them.
struct Bits<'a> {
    /// What is not made ready yet.
    coded: &'a [u8],
    /// Bytes without the zero that follows each 0xff, and zeros for reads over their end.
    ready: Vec<u8>,
    /// The next byte of them that is not held.
    at: usize,
    /// The next bits, the first one highest.
    held: u64,
    /// How many bits are held.
    count: usize,
}

impl<'a> Bits<'a> {
    /// How many zeros lie behind the bytes that are ready.
    const PADDING: usize = 8;

    fn new(coded: &'a [u8]) -> Self {
        let ready = Vec::with_capacity(CHUNK_BYTES + UNIT_BYTES_MAX);
        let mut bits = Self { coded, ready, at: 0, held: 0, count: 0 };
        bits.ready.extend([0; Self::PADDING]);
        bits.fill();
        bits
    }

    /// Makes the bytes of at least one unit ready, if there are so many.
    #[inline]
    fn prepare(&mut self) {
        if self.at + UNIT_BYTES_MAX + Self::PADDING > self.ready.len() && !self.is_at_mark() {
            self.fill();
        }
    }

    fn fill(&mut self) {
        self.ready.truncate(self.ready.len() - Self::PADDING);
        self.ready.drain(..self.at.min(self.ready.len()));
        self.at = 0;
        while self.ready.len() < CHUNK_BYTES && !self.is_at_mark() {
            let most = &self.coded[..self.coded.len().min(CHUNK_BYTES)];
            let plain = most.iter().position(|byte| *byte == 0xff).unwrap_or(most.len());
            self.ready.extend_from_slice(&self.coded[..plain]);
            self.coded = &self.coded[plain..];
            if self.coded.first() == Some(&0xff) && !self.is_at_mark() {
                self.ready.push(0xff);
                self.coded = &self.coded[1..];
                self.coded = self.coded.strip_prefix(&[0]).unwrap_or(self.coded);
            }
        }
        self.ready.extend([0; Self::PADDING]);
    }

    /// Returns whether all bytes up to the next mark are ready.
    fn is_at_mark(&self) -> bool {
        self.coded.is_empty() || self.restart().is_some()
    }

    /// Returns the number of the restart that comes next, and how long its mark is.
    fn restart(&self) -> Option<(usize, usize)> {
        let fill = self.coded.iter().take_while(|byte| **byte == 0xff).count();
        let mark = self.coded.get(fill).filter(|mark| fill > 0 && (0xd0..=0xd7).contains(*mark))?;
        Some((usize::from(mark & 7), fill + 1))
    }

    /// Goes on behind the next restart and returns its number; `None` at the end of the scan.
    fn next_interval(&mut self) -> Option<usize> {
        let (number, length) = self.restart()?;
        self.coded = &self.coded[length..];
        (self.at, self.held, self.count) = (self.ready.len(), 0, 0);
        self.fill();
        Some(number)
    }

    /// Returns how many bits are left of those that are ready; less than zero if more were taken.
    #[inline]
    fn left(&self) -> isize {
        let bytes = (self.ready.len() - Self::PADDING).cast_signed() - self.at.cast_signed();
        bytes * 8 + self.count.cast_signed()
    }

    /// Takes the next code, and holds the bits of its value; `None` if it is invalid.
    #[inline]
    fn next(&mut self, codes: &Codes) -> Option<Code> {
        if self.count < 32 {
            let next = self.ready.get(self.at..).and_then(<[u8]>::first_chunk);
            self.held |= u64::from_be_bytes(*next.unwrap_or(&[0; 8])) >> self.count;
            let bytes = (63 - self.count) / 8;
            self.at += bytes;
            self.count += bytes * 8;
        }
        let code = codes.at(u32::from(u16::from_be_bytes([self.held.to_be_bytes()[0], self.held.to_be_bytes()[1]])))?;
        self.held <<= code.bits;
        self.count -= usize::from(code.bits);
        Some(code)
    }

    /// Takes a value of at most 15 bits: those that begin with a zero are less than zero.
    #[inline]
    fn take_signed(&mut self, size: u8) -> i32 {
        let is_negative = !(self.held.cast_signed() >> 63);
        let value = (self.held >> 1) >> (63 - size);
        self.held <<= size;
        self.count -= usize::from(size);
        #[expect(clippy::cast_possible_truncation, reason = "it has at most 15 bits")]
        let (value, is_negative) = (value as i32, is_negative as i32);
        value + (is_negative & (1 - (1 << size)))
    }
}
