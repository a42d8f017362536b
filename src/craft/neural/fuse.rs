//! Convolutions that follow each other with nothing between them, made one.

use super::plain::COLORS;
use super::weights::Layer;

/// The taps of a convolution of 3×3, and the one in their middle.
const TAPS: usize = 9;
const CENTER: usize = TAPS / 2;

impl Layer {
    /// Returns this convolution and one of one tap behind it as one.
    pub(super) fn then(&self, last: &Self) -> Self {
        let inputs = self.inputs * self.size * self.size;
        let mut fused = Self { outputs: last.outputs, weights: Vec::new(), biases: Vec::new(), ..self.clone() };
        for (factors, bias) in last.weights.chunks_exact(self.outputs).zip(&last.biases) {
            let mut sums = vec![0.0; inputs];
            let mut biases = f64::from(*bias);
            for ((factor, weights), bias) in factors.iter().zip(self.weights.chunks_exact(inputs)).zip(&self.biases) {
                biases += f64::from(*factor) * f64::from(*bias);
                add(&mut sums, *factor, weights);
            }
            fused.weights.extend(sums.into_iter().map(nearest));
            fused.biases.push(nearest(biases));
        }
        fused
    }

    /// Returns this convolution and one of one tap before it as one, for zeros around the picture before the first of them.
    pub(super) fn after(&self, first: &Self) -> Self {
        let taps = self.size * self.size;
        let mut fused = Self { inputs: first.inputs, weights: Vec::new(), biases: Vec::new(), ..self.clone() };
        for (weights, bias) in self.weights.chunks_exact(self.inputs * taps).zip(&self.biases) {
            let mut sums = vec![0.0; first.inputs * taps];
            let mut biases = f64::from(*bias);
            for ((weights, factors), bias) in
                weights.chunks_exact(taps).zip(first.weights.chunks_exact(first.inputs)).zip(&first.biases)
            {
                biases += weights.iter().map(|weight| f64::from(*weight)).sum::<f64>() * f64::from(*bias);
                sums.chunks_exact_mut(taps).zip(factors).for_each(|(sums, factor)| add(sums, *factor, weights));
            }
            fused.weights.extend(sums.into_iter().map(nearest));
            fused.biases.push(nearest(biases));
        }
        fused
    }

    /// Returns the sum of this convolution of 3×3 and one of one tap beside it.
    pub(super) fn plus(mut self, beside: &Self) -> Self {
        let centers = self.weights.iter_mut().skip(CENTER).step_by(TAPS);
        centers.zip(&beside.weights).for_each(|(weight, more)| *weight += more);
        self.biases.iter_mut().zip(&beside.biases).for_each(|(bias, more)| *bias += more);
        self
    }

    /// Returns a convolution of 3×3 of each channel alone, and one of one tap behind it, as one.
    pub(super) fn each_then(&self, last: &Self) -> Self {
        let mut weights = vec![0.0; self.outputs * self.outputs * TAPS];
        for (channel, taps) in self.weights.chunks_exact(TAPS).enumerate() {
            weights[(channel * self.outputs + channel) * TAPS..][..TAPS].copy_from_slice(taps);
        }
        Self { inputs: self.outputs, weights, ..self.clone() }.then(last)
    }

    /// Returns what this convolution does with some of its inputs, and its biases.
    pub(super) fn inputs_of(&self, from: usize, inputs: usize) -> Self {
        let taps = self.size * self.size;
        let rows = self.weights.chunks_exact(self.inputs * taps);
        let weights = rows.flat_map(|row| &row[from * taps..][..inputs * taps]).copied().collect();
        Self { inputs, weights, ..self.clone() }
    }
}

/// Returns the convolution that makes of each colour all the pixels of the result that lie where it lies.
pub(super) fn itself(scale: usize) -> Layer {
    let (square, outputs) = (scale * scale, scale * scale * COLORS);
    let mut weights = vec![0.0; outputs * COLORS * TAPS];
    for output in 0..outputs {
        weights[(output * COLORS + output / square) * TAPS + CENTER] = 1.0;
    }
    Layer { name: "itself".to_owned(), outputs, inputs: COLORS, size: 3, weights, biases: vec![0.0; outputs] }
}

fn add(sums: &mut [f64], factor: f32, weights: &[f32]) {
    sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += f64::from(factor) * f64::from(*weight));
}

#[expect(clippy::cast_possible_truncation, reason = "the nearest is meant")]
fn nearest(sum: f64) -> f32 {
    sum as f32
}
