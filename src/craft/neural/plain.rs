//! Convolutions that are sums of a few products: the first of a net, and those of one tap.

use super::cpu::Kernel;
use super::vector::{GROUP, Pixel, Vector};

/// The channels of a picture: red, green and blue.
pub(super) const COLORS: usize = 3;
/// What a place of the first convolution is made of: three rows of three pixels.
const PATCH: usize = 3 * 3 * COLORS;

/// A convolution of 3×3 pixels to channels.
#[derive(Debug)]
pub(super) struct First<const C: usize> {
    matrix: [Pixel<C>; PATCH],
    bias: Pixel<C>,
}

impl<const C: usize> First<C> {
    /// Takes weights by output, input, row and column.
    pub(super) fn new(weights: &[f32], bias: [f32; C]) -> Self {
        let mut matrix = [Pixel::ZERO; PATCH];
        for (pair, taps) in weights.as_chunks::<9>().0.iter().enumerate() {
            for (tap, weight) in taps.iter().enumerate() {
                matrix[tap * COLORS + pair % COLORS].0[pair / COLORS] = *weight;
            }
        }
        Self { matrix, bias: Pixel(bias) }
    }
}

/// A row of the first convolution. Rows begin with a place left of the picture, and hold a whole number of groups.
pub(super) struct FirstRow<'a, const C: usize> {
    pub(super) first: &'a First<C>,
    pub(super) from: [&'a [f32]; 3],
    pub(super) to: &'a mut [Pixel<C>],
}

impl<const C: usize> Kernel for FirstRow<'_, C> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let mut patches = [Pixel([0.0; PATCH]); GROUP];
        for (group, out) in self.to[1..].as_chunks_mut::<GROUP>().0.iter_mut().enumerate() {
            for (n, patch) in patches.iter_mut().enumerate() {
                for (row, own) in self.from.iter().zip(patch.0.as_chunks_mut::<{ PATCH / 3 }>().0) {
                    own.copy_from_slice(&row[(group * GROUP + n) * COLORS..][..PATCH / 3]);
                }
            }
            out.fill(self.first.bias);
            V::multiply::<PATCH, C, true>(&patches, &self.first.matrix, out);
        }
    }
}

/// A convolution of one tap over the channels of several layers.
#[derive(Debug)]
pub(super) struct Mix<const C: usize> {
    /// One for each layer, by input and output.
    pub(super) matrices: Vec<[Pixel<C>; C]>,
    /// What the sum begins with; nothing if with a layer.
    pub(super) bias: Option<Pixel<C>>,
}

impl<const C: usize> Mix<C> {
    /// Takes weights by output and input; those of `parts` alone, of all the layers that they are for.
    pub(super) fn new(weights: &[f32], parts: &[usize], bias: Option<[f32; C]>) -> Self {
        let inputs = weights.len() / C;
        let matrix = |part: &usize| {
            let weight = |input: usize, output: usize| weights[output * inputs + part * C + input];
            std::array::from_fn(|input| Pixel(std::array::from_fn(|output| weight(input, output))))
        };
        Self { matrices: parts.iter().map(matrix).collect(), bias: bias.map(Pixel) }
    }
}

/// A row of a convolution of one tap.
pub(super) struct MixRow<'a, const C: usize> {
    pub(super) mix: &'a Mix<C>,
    /// The rows of its layers, before them that with which the sum begins if there is one.
    pub(super) from: &'a [&'a [Pixel<C>]],
    pub(super) to: &'a mut [Pixel<C>],
}

impl<const C: usize> Kernel for MixRow<'_, C> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let mut from = self.from;
        if let Some(bias) = self.mix.bias {
            self.to.fill(bias);
        } else {
            let (first, rest) = from.split_first().expect("the sum begins with a layer");
            self.to.copy_from_slice(first);
            from = rest;
        }
        for (matrix, row) in self.mix.matrices.iter().zip(from) {
            let groups = row[1..].as_chunks::<GROUP>().0.iter();
            for (pixels, out) in groups.zip(self.to[1..].as_chunks_mut::<GROUP>().0) {
                V::multiply::<C, C, true>(pixels, matrix, out);
            }
        }
    }
}
