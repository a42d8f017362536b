//! Convolutions of 3×3 taps by Winograd's F(4×4, 3×3): a tile of 4×4 results is made of 6×6 places with 36
//! multiplications a pair of channels, where tap by tap takes 144.
//!
//! The places are spread to 36 sums, each of these is multiplied by a matrix of its own, and the products are gathered.
//! A tile depends on its 6×6 places alone, and tiles lie on one grid: whoever works them in whatever order gets the same
//! bits.

use super::activation::Activation;
use super::cpu::Kernel;
use super::vector::{GROUP, Pixel, Vector};

/// The edge of a tile of results, and of what it is made of.
pub(super) const TILE: usize = 4;
pub(super) const REACH: usize = TILE + 2;
/// How many sums a tile is spread to.
const SUMS: usize = REACH * REACH;
/// How many tiles are worked at once: their sums stay in the processor's second cache.
const BLOCK: usize = 3 * GROUP;

/// A convolution of channels to channels.
#[derive(Debug)]
pub(super) struct Conv<const C: usize> {
    /// By sum, input and output.
    matrices: Vec<[Pixel<C>; C]>,
    bias: Pixel<C>,
    activation: Activation,
    slopes: Pixel<C>,
}

impl<const C: usize> Conv<C> {
    /// Takes weights by output, input, row and column, of so many inputs, and slopes if its activation has them.
    pub(super) fn new(weights: &[f32], inputs: usize, biases: &[f32], activation: Activation, slopes: &[f32]) -> Self {
        let mut matrices = vec![[Pixel::ZERO; C]; SUMS];
        for (pair, taps) in weights.as_chunks::<9>().0.iter().enumerate() {
            for (sum, value) in spread_taps(taps).into_iter().enumerate() {
                matrices[sum][pair % inputs].0[pair / inputs] = value;
            }
        }
        Self { matrices, bias: Pixel::of(biases), activation, slopes: Pixel::of(slopes) }
    }
}

/// Returns the factors of the 36 sums for nine taps.
fn spread_taps(taps: &[f32; 9]) -> [f32; SUMS] {
    const POINTS: [[f64; 3]; REACH] = [
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];
    #[expect(clippy::cast_possible_truncation, reason = "the nearest is meant")]
    std::array::from_fn(|sum| {
        let (down, across) = (POINTS[sum / REACH], POINTS[sum % REACH]);
        let of = |tap: usize| f64::from(taps[tap]) * down[tap / 3] * across[tap % 3];
        (0..9).map(of).sum::<f64>() as f32
    })
}

/// Room for the sums of a block of tiles, and for their products.
#[derive(Debug)]
pub(super) struct Room<const C: usize> {
    sums: Box<[[Pixel<C>; BLOCK]; SUMS]>,
    products: Box<[[Pixel<C>; BLOCK]; SUMS]>,
}

impl<const C: usize> Room<C> {
    pub(super) fn new() -> Self {
        let new = || vec![[Pixel::ZERO; BLOCK]; SUMS].try_into().expect("it has as many");
        Self { sums: new(), products: new() }
    }
}

/// A row of tiles. A row of places begins with one left of the picture.
pub(super) struct TileRow<'a, const C: usize> {
    pub(super) conv: &'a Conv<C>,
    pub(super) from: [&'a [Pixel<C>]; REACH],
    /// What the activation looks at besides, as it lies in the results; rows of zeros if at nothing.
    pub(super) gate: [&'a [Pixel<C>]; TILE],
    pub(super) to: [&'a mut [Pixel<C>]; TILE],
    pub(super) tiles: usize,
    pub(super) room: &'a mut Room<C>,
}

impl<const C: usize> Kernel for TileRow<'_, C> {
    #[inline(always)]
    fn run<V: Vector>(mut self) {
        for first in (0..self.tiles).step_by(BLOCK) {
            let count = BLOCK.min(self.tiles - first);
            for tile in 0..count {
                spread::<V, C>(self.from, (first + tile) * TILE, tile, &mut self.room.sums);
            }
            let both = self.room.sums.iter().zip(self.room.products.iter_mut());
            for (matrix, (sums, products)) in self.conv.matrices.iter().zip(both) {
                let groups = sums.as_chunks().0.iter().zip(products.as_chunks_mut().0);
                for (sums, products) in groups.take(count.div_ceil(GROUP)) {
                    V::multiply::<C, C, false>(sums, matrix, products);
                }
            }
            for tile in 0..count {
                self.gather::<V>(first + tile, tile);
            }
        }
    }
}

impl<const C: usize> TileRow<'_, C> {
    /// Makes the results of a tile of its products, those at place `at` of the block.
    #[inline(always)]
    fn gather<V: Vector>(&mut self, tile: usize, at: usize) {
        let x = 1 + tile * TILE;
        for channel in (0..C).step_by(V::LANES) {
            let bias = V::load(&self.conv.bias, channel);
            let mut rows = [[V::splat(0.0); TILE]; REACH];
            for y in 0..REACH {
                let mut row = [V::splat(0.0); REACH];
                for x in 0..REACH {
                    row[x] = V::load(&self.room.products[y * REACH + x][at], channel);
                }
                rows[y] = gathered(row);
            }
            for column in 0..TILE {
                let mut own = [V::splat(0.0); REACH];
                for y in 0..REACH {
                    own[y] = rows[y][column];
                }
                let results = gathered(own);
                for y in 0..TILE {
                    let value = results[y].plus(bias);
                    let slope = || V::load(&self.conv.slopes, channel);
                    let besides = || V::load(&self.gate[y][x + column], channel);
                    let value = self.conv.activation.of(value, slope, besides);
                    value.store(&mut self.to[y][x + column], channel);
                }
            }
        }
    }
}

/// Makes the sums of the 6×6 places from `x` on.
#[inline(always)]
fn spread<V: Vector, const C: usize>(
    from: [&[Pixel<C>]; REACH],
    x: usize,
    tile: usize,
    sums: &mut [[Pixel<C>; BLOCK]; SUMS],
) {
    for channel in (0..C).step_by(V::LANES) {
        let mut rows = [[V::splat(0.0); REACH]; REACH];
        for y in 0..REACH {
            let places: &[Pixel<C>; REACH] = from[y][x..].first_chunk().expect("a row ends with a place outside");
            let mut row = [V::splat(0.0); REACH];
            for n in 0..REACH {
                row[n] = V::load(&places[n], channel);
            }
            rows[y] = spread_out(row);
        }
        for x in 0..REACH {
            let mut column = [V::splat(0.0); REACH];
            for y in 0..REACH {
                column[y] = rows[y][x];
            }
            let column = spread_out(column);
            for y in 0..REACH {
                column[y].store(&mut sums[y * REACH + x][tile], channel);
            }
        }
    }
}

/// Six values as the sums that stand for them.
#[inline(always)]
fn spread_out<V: Vector>(v: [V; REACH]) -> [V; REACH] {
    let (two, four) = (V::splat(2.0), V::splat(4.0));
    let (minus_four, minus_five) = (V::splat(-4.0), V::splat(-5.0));
    let (even, odd) = (v[2].times_plus(minus_four, v[4]), v[1].times_plus(minus_four, v[3]));
    let (even_two, odd_two) = (v[4].minus(v[2]), v[3].minus(v[1]).times(two));
    [
        v[0].times_plus(four, v[2].times_plus(minus_five, v[4])),
        even.plus(odd),
        even.minus(odd),
        even_two.plus(odd_two),
        even_two.minus(odd_two),
        v[1].times_plus(four, v[3].times_plus(minus_five, v[5])),
    ]
}

/// The four results that six products stand for.
#[inline(always)]
fn gathered<V: Vector>(v: [V; REACH]) -> [V; TILE] {
    let (sum, difference) = (v[1].plus(v[2]), v[1].minus(v[2]));
    let (sum_two, difference_two) = (v[3].plus(v[4]), v[3].minus(v[4]));
    [
        v[0].plus(sum.plus(sum_two)),
        difference_two.times_plus(V::splat(2.0), difference),
        sum_two.times_plus(V::splat(4.0), sum),
        v[5].plus(difference_two.times_plus(V::splat(8.0), difference)),
    ]
}
