//! The net called SPAN: six blocks of three convolutions, each with an attention that has no weights of its own.

use super::activation::Activation;
use super::net::{Does, Net, Step, Steps};
use super::plain::COLORS;
use super::weights::{Layer, Weights, WeightsError};

/// How many blocks there are.
const BLOCKS: usize = 6;

impl Net {
    /// Makes a net of two files of weights: `share` of the second, and the rest of the first.
    pub fn mixed(base: &[u8], fine: &[u8], share: f32) -> Result<Self, WeightsError> {
        Self::span(&Weights::read(base)?.mixed(&Weights::read(fine)?, share)?)
    }

    /// Makes the net of its weights.
    pub(super) fn span(weights: &Weights) -> Result<Self, WeightsError> {
        const CHANNELS: usize = 48;
        const SCALE: usize = 4;
        if (weights.channels, weights.scale) != (CHANNELS, SCALE) {
            let (channels, scale) = (weights.channels, weights.scale);
            let what = format!(
                "it is a net of {channels} channels that enlarges {scale} times, and only {CHANNELS} and {SCALE} are known"
            );
            return Err(WeightsError::Head(what));
        }
        let mut layers = Layers { rest: weights.layers.iter() };
        let steps = steps(CHANNELS, SCALE, &mut |name, expected| layers.next(name, expected).cloned())?;
        layers.end()?;
        Ok(Self::of(&steps, SCALE, weights.mean, weights.gain))
    }
}

/// What a layer must be: how many outputs and inputs it has, and how many taps on an edge.
pub(super) type Shape = (usize, usize, usize);

/// Returns the steps of the net; `next` gives its layers, in this order.
pub(super) fn steps<E>(
    channels: usize,
    scale: usize,
    next: &mut dyn FnMut(&str, Shape) -> Result<Layer, E>,
) -> Result<Vec<Step>, E> {
    let first = next("conv_1", (channels, COLORS, 3))?;
    let mut blocks = Vec::new();
    for block in 1..=BLOCKS {
        let mut part = |part: &str| next(&format!("block_{block}.{part}"), (channels, channels, 3));
        blocks.push([part("c1")?, part("c2")?, part("c3")?]);
    }
    let conv = next("conv_2", (channels, channels, 3))?;
    let mix = next("conv_cat", (channels, 4 * channels, 1))?;
    let up = next("upsampler", (scale * scale * COLORS, channels, 3))?;

    let mut steps = Steps::default();
    let first = steps.add(first, Does::First(Activation::None.into()));
    let last = stage(&mut steps, first, blocks, (conv, &mix), Activation::Silu);
    steps.conv(up, Activation::None, &[last]);
    Ok(steps.0)
}

/// Adds blocks of three convolutions, one convolution more, and a mix of four layers: what the stage begins with, the last
/// convolution, the first block, and what the last block begins with. Returns the number of the mix.
pub(super) fn stage(
    steps: &mut Steps,
    begun: usize,
    blocks: Vec<[Layer; 3]>,
    (conv, mix): (Layer, &Layer),
    activation: Activation,
) -> usize {
    let [early, late] = mix.mixes();
    let mut early = Some(early);
    let (mut last, mut inner, mut mixed) = (begun, begun, begun);
    for [c1, c2, c3] in blocks {
        inner = steps.conv(c1, activation, &[last]);
        let second = steps.conv(c2, activation, &[inner]);
        last = steps.conv(c3, Activation::Attention, &[second, last]);
        // What is ready long before the rest is mixed at once: then one layer waits for the rest, not two.
        if let Some(early) = early.take() {
            mixed = steps.add(early, Does::Mix(vec![begun, last]));
        }
    }
    let last = steps.conv(conv, Activation::None, &[last]);
    steps.add(late, Does::Add(vec![mixed, last, inner]))
}

impl Layer {
    /// Divides the weights of the mix of four layers: those of the first and the third, with the biases, and those of the
    /// second and the fourth.
    fn mixes(&self) -> [Self; 2] {
        let channels = self.inputs / 4;
        let of = |parts: [usize; 2], biases: &[f32]| {
            let rows = self.weights.chunks_exact(4 * channels);
            let own = rows.flat_map(|row| parts.map(|part| &row[part * channels..][..channels]));
            let weights = own.flatten().copied().collect();
            Self { inputs: 2 * channels, weights, biases: biases.to_vec(), ..self.clone() }
        };
        [of([0, 2], &self.biases), of([1, 3], &[])]
    }
}

/// The layers of a file, in the order in which a net takes them.
struct Layers<'a> {
    rest: std::slice::Iter<'a, Layer>,
}

impl<'a> Layers<'a> {
    fn next(&mut self, name: &str, (outputs, inputs, size): Shape) -> Result<&'a Layer, WeightsError> {
        let Some(layer) = self.rest.next() else {
            let what = "the file has none, and this net needs it".to_owned();
            return Err(WeightsError::Layer { layer: name.to_owned(), what });
        };
        if layer.name != name {
            return Err(layer.wrong(format!("this net has `{name}` there")));
        }
        if (layer.outputs, layer.inputs, layer.size) != (outputs, inputs, size) {
            let Layer { outputs: has_out, inputs: has_in, size: has, .. } = layer;
            let what = format!(
                "it makes {has_out} channels of {has_in} with {has}×{has} taps, and this net {outputs} of {inputs} with {size}×{size}"
            );
            return Err(layer.wrong(what));
        }
        Ok(layer)
    }

    fn end(mut self) -> Result<(), WeightsError> {
        self.rest.next().map_or(Ok(()), |layer| Err(layer.wrong("this net ends before it".to_owned())))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::weights::tests::file;
    use super::*;

    /// The layers of the net, as a file has them.
    pub(in super::super) fn layers() -> Vec<(String, usize, usize, usize)> {
        let mut all = vec![("conv_1".to_owned(), 48, 3, 3)];
        let parts = (1..=6).flat_map(|block| ["c1", "c2", "c3"].map(|part| format!("block_{block}.{part}")));
        all.extend(parts.map(|name| (name, 48, 48, 3)));
        let rest = [("conv_2", 48, 48, 3), ("conv_cat", 48, 192, 1), ("upsampler", 48, 48, 3)];
        all.extend(rest.map(|(name, outputs, inputs, size)| (name.to_owned(), outputs, inputs, size)));
        all
    }

    /// Returns the weights of a net with such layers.
    fn weights(layers: &[(String, usize, usize, usize)]) -> Weights {
        let layers: Vec<_> = layers.iter().map(|(name, o, i, size)| (&name[..], *o, *i, *size)).collect();
        Weights::read(&file(&layers, |_| 0)).unwrap()
    }

    #[test]
    fn layers_lag_as_far_as_their_taps_reach() {
        let net = Net::span(&weights(&layers())).unwrap();
        let crate::craft::neural::net::Layers::C48(nodes) = &net.layers else { panic!("it has 48 channels") };
        let lags: Vec<usize> = nodes.iter().map(|node| node.lag).collect();
        assert_eq!(lags, [vec![1, 2, 3, 4, 4], (5..=20).collect(), vec![20, 21]].concat());
        assert_eq!((net.scale(), net.parameters()), (4, 426_288));
    }

    #[test]
    fn a_net_of_other_layers_is_refused_with_the_layer() {
        let changed = |at: usize, layer: (&str, usize, usize, usize)| {
            let mut all = layers();
            all[at] = (layer.0.to_owned(), layer.1, layer.2, layer.3);
            all
        };
        let cases = [
            (layers()[..21].to_vec(), "layer `upsampler`: the file has none, and this net needs it"),
            ([layers(), vec![("more".to_owned(), 1, 1, 1)]].concat(), "layer `more`: this net ends before it"),
            (changed(1, ("block_1.x", 48, 48, 3)), "layer `block_1.x`: this net has `block_1.c1` there"),
            (
                changed(20, ("conv_cat", 48, 96, 1)),
                "layer `conv_cat`: it makes 48 channels of 96 with 1×1 taps, and this net 48 of 192 with 1×1",
            ),
        ];
        for (layers, expected) in cases {
            assert_eq!(Net::span(&weights(&layers)).unwrap_err().to_string(), expected);
        }
        let other = Weights { scale: 2, ..weights(&layers()) };
        let told = "it is a net of 48 channels that enlarges 2 times, and only 48 and 4 are known";
        assert_eq!(Net::span(&other).unwrap_err().to_string(), told);
    }
}
