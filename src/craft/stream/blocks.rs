//! Blocks of a JPEG: cosine transform and quantisation.

use super::lanes::Lanes;
use super::means::mean_of_rows;
use super::strips::column;
use super::taps::Taps;
use super::{Column, LANES};

/// The order in which a JPEG stores a block (ITU-T T.81, figure 5).
#[rustfmt::skip]
pub(super) const ZIGZAG: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];
/// Quantisation of brightness and of colour (T.81, annex K.1).
#[rustfmt::skip]
const BASE: [[u16; 64]; 2] = [
    [16, 11, 10, 16,  24,  40,  51,  61, 12, 12, 14, 19,  26,  58,  60,  55,
     14, 13, 16, 24,  40,  57,  69,  56, 14, 17, 22, 29,  51,  87,  80,  62,
     18, 22, 37, 56,  68, 109, 103,  77, 24, 35, 55, 64,  81, 104, 113,  92,
     49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103,  99],
    [17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
     24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
     99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
     99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99],
];

/// The quantised coefficients of a block in natural order, and which of them are not zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) values: [i16; 64],
    pub(super) filled: u64,
    /// The mean of its part of the picture, with what goes beyond the range: that cancels out at edges.
    pub(super) mean: f32,
}

/// The quantisation of one kind of component.
#[derive(Debug)]
pub(super) struct Quant {
    /// The steps in natural order.
    pub(super) steps: [u8; 64],
    /// What a coefficient of the unscaled transform is multiplied by.
    factors: [f32; 64],
}

impl Quant {
    /// Returns the quantisation of a quality of 1 to 100, as libjpeg scales it.
    #[expect(clippy::cast_possible_truncation, reason = "a factor needs no more bits than a coefficient")]
    pub(super) fn of(quality: u8, is_color: bool) -> Self {
        let steps = steps(quality, is_color);
        // What the fast transform leaves out: the scale of each row and column.
        let left_out = |at: usize| {
            let angle = std::f64::consts::PI * f64::from(u8::try_from(at).expect("below eight")) / 16.0;
            if at == 0 { 1.0 } else { angle.cos() * std::f64::consts::SQRT_2 }
        };
        let factors = std::array::from_fn(|at| {
            let scale = left_out(at / 8) * left_out(at % 8) * 8.0 * f64::from(steps[at]);
            scale.recip() as f32
        });
        Self { steps, factors }
    }
}

/// Returns the steps of a quality of 1 to 100 in natural order.
fn steps(quality: u8, is_color: bool) -> [u8; 64] {
    let quality = u32::from(quality.clamp(1, 100));
    let scale = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    BASE[usize::from(is_color)].map(|step| {
        let step = (u32::from(step) * scale + 50) / 100;
        u8::try_from(step.clamp(1, 255)).expect("within these bounds")
    })
}

/// Returns the quality whose steps of brightness are on the mean those of a JPEG, as it stores them, and whether they
/// are the same: other programs have tables of their own.
pub(in crate::craft) fn nearest_quality(stored: &[u16; 64]) -> (u8, bool) {
    let total: u32 = stored.iter().map(|step| u32::from(*step)).sum();
    let of = |quality: u8| steps(quality, false).map(u32::from);
    let off = |quality: &u8| of(*quality).iter().sum::<u32>().abs_diff(total);
    let nearest = (1..=100).min_by_key(off).unwrap_or(100);
    let is_same = ZIGZAG.iter().zip(stored).all(|(at, step)| of(nearest)[usize::from(*at)] == u32::from(*step));
    (nearest, is_same)
}

/// The blocks of one strip of one component.
pub(super) struct BlockRow<'a> {
    pub(super) columns: &'a [Column],
    pub(super) across: &'a Taps,
    /// How many blocks there are; behind the picture its last column comes again.
    pub(super) count: usize,
    /// How many rows of the strip are of the picture.
    pub(super) rows: usize,
    pub(super) quant: &'a Quant,
}

impl BlockRow<'_> {
    #[inline(always)]
    pub(super) fn write<L: Lanes>(&self, blocks: &mut Vec<Block>) {
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

/// Transforms and quantises a block of eight columns with values of 0 to 255.
#[inline(always)]
fn transformed<L: Lanes>(mut columns: [L; LANES], quant: &Quant) -> Block {
    let (low, high, middle) = (L::splat(0.0), L::splat(255.0), L::splat(128.0));
    let mut beyond = low;
    for column in &mut columns {
        let within = column.clamped(low, high);
        beyond = beyond.plus(column.minus(within));
        *column = within.minus(middle);
    }
    cosines(&mut columns);
    let mut rows = L::transposed(columns);
    cosines(&mut rows);
    let mut block = Block { values: [0; 64], filled: 0, mean: 0.0 };
    let (values, _) = block.values.as_chunks_mut::<LANES>();
    let (factors, _) = quant.factors.as_chunks::<LANES>();
    for v in 0..LANES {
        let filled = rows[v].times(L::load(&factors[v])).store_rounded(&mut values[v]);
        block.filled |= u64::from(filled) << (v * LANES);
    }
    let mut clipped = [0.0; LANES];
    beyond.store(&mut clipped);
    let coded = f32::from(block.values[0]) * f32::from(quant.steps[0]) / 8.0 + 128.0;
    block.mean = coded + mean_of_rows(&clipped, LANES) / 8.0;
    block
}

/// The fast cosine transform of eight values, for eight lanes at once; each result lacks a scale, which the
/// quantisation has. (Y. Arai, T. Agui, M. Nakajima, A Fast DCT-SQ Scheme for Images, 1988.)
#[inline(always)]
fn cosines<L: Lanes>(d: &mut [L; LANES]) {
    let (s07, d07) = (d[0].plus(d[7]), d[0].minus(d[7]));
    let (s16, d16) = (d[1].plus(d[6]), d[1].minus(d[6]));
    let (s25, d25) = (d[2].plus(d[5]), d[2].minus(d[5]));
    let (s34, d34) = (d[3].plus(d[4]), d[3].minus(d[4]));
    let (even0, even3) = (s07.plus(s34), s07.minus(s34));
    let (even1, even2) = (s16.plus(s25), s16.minus(s25));
    d[0] = even0.plus(even1);
    d[4] = even0.minus(even1);
    let turned = even2.plus(even3).times(L::splat(0.707_106_77));
    d[2] = even3.plus(turned);
    d[6] = even3.minus(turned);
    let (odd0, odd1, odd2) = (d34.plus(d25), d25.plus(d16), d16.plus(d07));
    let shared = odd0.minus(odd2).times(L::splat(0.382_683_43));
    let low = odd0.times(L::splat(0.541_196_1)).plus(shared);
    let high = odd2.times(L::splat(1.306_562_9)).plus(shared);
    let middle = odd1.times(L::splat(0.707_106_77));
    let (sum, difference) = (d07.plus(middle), d07.minus(middle));
    d[5] = difference.plus(low);
    d[3] = difference.minus(low);
    d[1] = sum.plus(high);
    d[7] = sum.minus(high);
}
