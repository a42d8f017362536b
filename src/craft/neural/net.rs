//! A net as data: layers, and which layers each of them is made of.

use super::activation::Activation;
use super::plain::{COLORS, First, Mix};
use super::weights::{Layer, Weights, WeightsError};
use super::winograd::Conv;

/// How many channels a layer has.
pub(super) const CHANNELS: usize = 48;
/// How many times as wide and as high the result is.
pub(super) const SCALE: usize = 4;

/// What a layer does with the layers that it is made of.
#[derive(Debug)]
pub(super) enum Work {
    /// A convolution of 3×3 taps of the first; the second is what its activation looks at besides.
    Conv(Conv<CHANNELS>),
    /// A convolution of one tap of all.
    Mix(Mix<CHANNELS>),
}

/// One layer.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) work: Work,
    /// The layers that it is made of, by their number: 0 is the first convolution, 1 the first node.
    pub(super) inputs: Vec<usize>,
    /// By how many rows it lags behind the source: it needs the rows below its own.
    pub(super) lag: usize,
}

/// A net that makes a picture four times as wide and high.
#[derive(Debug)]
pub struct Net {
    pub(super) first: First<CHANNELS>,
    /// Each is made of layers before it; the last one's channels are the pixels of the result, colour by colour.
    pub(super) nodes: Vec<Node>,
    pub(super) mean: [f32; COLORS],
    pub(super) gain: f32,
}

/// How far the first convolution lags behind the source.
pub(super) const FIRST_LAG: usize = 1;

impl Net {
    /// Makes a net of two files of weights: `share` of the second, and the rest of the first.
    pub fn mixed(base: &[u8], fine: &[u8], share: f32) -> Result<Self, WeightsError> {
        Self::span(&Weights::read(base)?.mixed(&Weights::read(fine)?, share)?)
    }

    /// Makes the net called SPAN, with 48 channels: six blocks of three convolutions, each with an attention that has no
    /// weights of its own.
    pub(super) fn span(weights: &Weights) -> Result<Self, WeightsError> {
        const BLOCKS: usize = 6;
        if (weights.channels, weights.scale) != (CHANNELS, SCALE) {
            let (channels, scale) = (weights.channels, weights.scale);
            let what = format!(
                "it is a net of {channels} channels that enlarges {scale} times, and only {CHANNELS} and {SCALE} are known"
            );
            return Err(WeightsError::Head(what));
        }
        let mut layers = Layers { rest: weights.layers.iter() };
        let first = layers.next("conv_1", COLORS, 3)?;
        let mut blocks = Vec::new();
        for block in 1..=BLOCKS {
            let mut part = |part: &str| layers.next(&format!("block_{block}.{part}"), CHANNELS, 3);
            blocks.push([part("c1")?, part("c2")?, part("c3")?]);
        }
        let conv = layers.next("conv_2", CHANNELS, 3)?;
        let mix = layers.next("conv_cat", 4 * CHANNELS, 1)?;
        let up = layers.next("upsampler", CHANNELS, 3)?;
        layers.end()?;

        let first = First::new(&first.weights, biases(first));
        let mut net = Self { first, nodes: Vec::new(), mean: weights.mean, gain: weights.gain };
        let (mut last, mut inner, mut early) = (0, 0, 0);
        for (block, [c1, c2, c3]) in blocks.into_iter().enumerate() {
            inner = net.conv(c1, &[last], Activation::Silu);
            let second = net.conv(c2, &[inner], Activation::Silu);
            last = net.conv(c3, &[second, last], Activation::Attention);
            if block == 0 {
                // What is ready long before the rest is mixed at once: then one layer waits for the rest, not two.
                early = net.add(Work::Mix(Mix::new(&mix.weights, &[0, 2], Some(biases(mix)))), vec![0, last]);
            }
        }
        let last = net.conv(conv, &[last], Activation::None);
        let late = net.add(Work::Mix(Mix::new(&mix.weights, &[1, 3], None)), vec![early, last, inner]);
        net.conv(up, &[late], Activation::None);
        Ok(net)
    }

    fn conv(&mut self, layer: &Layer, inputs: &[usize], activation: Activation) -> usize {
        let conv = Conv::new(&layer.weights, biases(layer), activation);
        self.add(Work::Conv(conv), inputs.to_vec())
    }

    /// Adds a layer, and returns its number.
    fn add(&mut self, work: Work, inputs: Vec<usize>) -> usize {
        let below = usize::from(matches!(work, Work::Conv(_)));
        let lag = inputs.iter().map(|input| self.lag_of(*input)).max().unwrap_or(0) + below;
        self.nodes.push(Node { work, inputs, lag });
        self.nodes.len()
    }

    /// Returns by how many rows a layer lags behind the source.
    pub(super) fn lag_of(&self, layer: usize) -> usize {
        layer.checked_sub(1).map_or(FIRST_LAG, |node| self.nodes[node].lag)
    }
}

/// The layers of a file, in the order in which a net takes them.
struct Layers<'a> {
    rest: std::slice::Iter<'a, Layer>,
}

impl<'a> Layers<'a> {
    fn next(&mut self, name: &str, inputs: usize, size: usize) -> Result<&'a Layer, WeightsError> {
        let Some(layer) = self.rest.next() else {
            let what = "the file has none, and this net needs it".to_owned();
            return Err(WeightsError::Layer { layer: name.to_owned(), what });
        };
        if layer.name != name {
            return Err(layer.wrong(format!("this net has `{name}` there")));
        }
        if (layer.outputs, layer.inputs, layer.size) != (CHANNELS, inputs, size) {
            let Layer { outputs: has_out, inputs: has_in, size: has, .. } = layer;
            let what = format!(
                "it makes {has_out} channels of {has_in} with {has}×{has} taps, and this net {CHANNELS} of {inputs} with {size}×{size}"
            );
            return Err(layer.wrong(what));
        }
        Ok(layer)
    }

    fn end(mut self) -> Result<(), WeightsError> {
        self.rest.next().map_or(Ok(()), |layer| Err(layer.wrong("this net ends before it".to_owned())))
    }
}

/// Returns the biases of a layer that is known to have as many.
fn biases(layer: &Layer) -> [f32; CHANNELS] {
    layer.biases.as_slice().try_into().expect("a layer has as many biases as channels")
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
        let lags: Vec<usize> = net.nodes.iter().map(|node| node.lag).collect();
        assert_eq!(lags, [vec![2, 3, 4, 4], (5..=20).collect(), vec![20, 21]].concat());
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
