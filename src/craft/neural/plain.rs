//! Convolutions that are sums of a few products: the first of a net, and those of one tap.

use super::activation::Activation;
use super::cpu::Kernel;
use super::vector::{GROUP, Pixel, Vector};

/// The channels of a picture: red, green and blue.
pub(super) const COLORS: usize = 3;
/// What a place of the first convolution is made of: three rows of three pixels.
const PATCH: usize = 3 * 3 * COLORS;

/// A convolution of 3×3 pixels of the source to channels.
#[derive(Debug)]
pub(super) struct First<const C: usize> {
    matrix: [Pixel<C>; PATCH],
    bias: Pixel<C>,
    activation: Activation,
    slopes: Pixel<C>,
}

impl<const C: usize> First<C> {
    /// Takes weights by output, input, row and column, and slopes if its activation has them.
    pub(super) fn new(weights: &[f32], biases: &[f32], activation: Activation, slopes: &[f32]) -> Self {
        let mut matrix = [Pixel::ZERO; PATCH];
        for (pair, taps) in weights.as_chunks::<9>().0.iter().enumerate() {
            for (tap, weight) in taps.iter().enumerate() {
                matrix[tap * COLORS + pair % COLORS].0[pair / COLORS] = *weight;
            }
        }
        Self { matrix, bias: Pixel::of(biases), activation, slopes: Pixel::of(slopes) }
    }
}

impl<const C: usize> First<C> {
    #[inline(always)]
    fn activate<V: Vector>(&self, place: &mut Pixel<C>) {
        for channel in (0..C).step_by(V::LANES) {
            let value = V::load(place, channel);
            let slope = || V::load(&self.slopes, channel);
            self.activation.of(value, slope, || V::splat(0.0)).store(place, channel);
        }
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
            if self.first.activation != Activation::None {
                out.iter_mut().for_each(|place| self.first.activate::<V>(place));
            }
        }
    }
}

/// A convolution of one tap over the channels of several layers.
#[derive(Debug)]
pub(super) struct Mix<const C: usize> {
    /// One for each layer, by input and output.
    matrices: Vec<[Pixel<C>; C]>,
    begins: Begins<C>,
    guides: Guides,
}

/// What the sums of a convolution of one tap begin with.
#[derive(Debug)]
pub(super) enum Begins<const C: usize> {
    /// Biases.
    Bias(Pixel<C>),
    /// A layer more, before the others.
    Layer,
}

/// What becomes of the sums of a convolution of one tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guides {
    /// They are the result.
    Nothing,
    /// They are factors of a sum: that of the first layer and of one more, behind the others.
    Sum,
}

impl<const C: usize> Mix<C> {
    /// Takes weights by output and input; each of its layers has so many of the inputs.
    pub(super) fn new(weights: &[f32], parts: &[usize], begins: Begins<C>, guides: Guides) -> Self {
        let inputs: usize = parts.iter().sum();
        let mut matrices = Vec::new();
        let mut first = 0;
        for part in parts {
            let mut matrix = [Pixel::ZERO; C];
            for (output, weights) in weights.chunks_exact(inputs).enumerate() {
                let own = &weights[first..first + part];
                matrix.iter_mut().zip(own).for_each(|(pixel, weight)| pixel.0[output] = *weight);
            }
            matrices.push(matrix);
            first += part;
        }
        Self { matrices, begins, guides }
    }
}

/// A row of a convolution of one tap.
pub(super) struct MixRow<'a, const C: usize> {
    pub(super) mix: &'a Mix<C>,
    /// The rows of its layers; before them that with which the sum begins, and behind them that which is guided, if
    /// there are such.
    pub(super) from: &'a [&'a [Pixel<C>]],
    pub(super) to: &'a mut [Pixel<C>],
}

impl<const C: usize> Kernel for MixRow<'_, C> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let mut from = self.from;
        match self.mix.begins {
            Begins::Bias(bias) => self.to.fill(bias),
            Begins::Layer => {
                let (first, rest) = from.split_first().expect("the sum begins with a layer");
                self.to.copy_from_slice(first);
                from = rest;
            }
        }
        for (matrix, row) in self.mix.matrices.iter().zip(from) {
            let groups = row[1..].as_chunks::<GROUP>().0.iter();
            for (pixels, out) in groups.zip(self.to[1..].as_chunks_mut::<GROUP>().0) {
                V::multiply::<C, C, true>(pixels, matrix, out);
            }
        }
        if self.mix.guides == Guides::Sum {
            let [one, other] = [from[0], from[self.mix.matrices.len()]];
            for ((factor, one), other) in self.to.iter_mut().zip(one).zip(other) {
                for channel in (0..C).step_by(V::LANES) {
                    let sum = V::load(one, channel).plus(V::load(other, channel));
                    sum.times(V::load(factor, channel)).store(factor, channel);
                }
            }
        }
    }
}
