//! A net as data: layers, and which layers each of them is made of.
//!
//! A net is told as a list of steps with plain weights. It is made for 48 channels, or for 64 where a layer has more: what a
//! layer has less is zeros, which cost time and change nothing.

use super::activation::Activation;
use super::plain::{Begins, COLORS, First, Guides, Mix};
use super::vector::Pixel;
use super::weights::Layer;
use super::winograd::{Conv, TILE};

/// How far the first convolutions lag behind the source.
const FIRST_LAG: usize = 1;
/// The most channels that a layer may have.
pub(super) const CHANNELS_MAX: usize = 64;

/// A layer of a net, as it is told. Its number is its place in the list, and the layers that it is made of stand before it.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) layer: Layer,
    pub(super) does: Does,
}

/// What a layer does.
#[derive(Debug, Clone)]
pub(super) enum Does {
    /// A convolution of 3×3 pixels of the source.
    First(After),
    /// A convolution of 3×3 taps of one layer; the second is what its activation looks at besides, if at one.
    Conv(After, Vec<usize>),
    /// A convolution of one tap of several layers, whose sums begin with its biases.
    Mix(Vec<usize>),
    /// The same, whose sums begin with the first of the layers.
    Add(Vec<usize>),
    /// A convolution of one tap of the first layer, and what it gives are factors of the sum of both.
    Guide([usize; 2]),
}

/// What becomes of the sums of a convolution of 3×3 taps.
#[derive(Debug, Clone)]
pub(super) struct After {
    pub(super) activation: Activation,
    /// The slope of each channel, for an activation that has them.
    pub(super) slopes: Vec<f32>,
}

impl From<Activation> for After {
    fn from(activation: Activation) -> Self {
        Self { activation, slopes: Vec::new() }
    }
}

/// A net that is being told.
#[derive(Debug, Default)]
pub(super) struct Steps(pub(super) Vec<Step>);

impl Steps {
    /// Adds a layer, and returns its number.
    pub(super) fn add(&mut self, layer: Layer, does: Does) -> usize {
        self.0.push(Step { layer, does });
        self.0.len() - 1
    }

    /// Adds a convolution of 3×3 taps.
    pub(super) fn conv(&mut self, layer: Layer, after: impl Into<After>, inputs: &[usize]) -> usize {
        self.add(layer, Does::Conv(after.into(), inputs.to_vec()))
    }
}

/// A net that makes a picture larger.
#[derive(Debug)]
pub struct Net {
    pub(super) layers: Layers,
    /// How many times as wide and high the result is: 2, 3 or 4.
    pub(super) scale: usize,
    pub(super) mean: [f32; COLORS],
    pub(super) gain: f32,
    /// How many numbers it was taught, all convolutions fused.
    pub(super) parameters: usize,
}

/// The layers of a net, by how many channels there is room for.
#[derive(Debug)]
pub(super) enum Layers {
    C48(Nodes<48>),
    C64(Nodes<CHANNELS_MAX>),
}

/// Each is made of nodes before it; the last one's channels are the pixels of the result, colour by colour.
pub(super) type Nodes<const C: usize> = Vec<Node<C>>;

/// One layer, as it is worked.
#[derive(Debug)]
pub(super) struct Node<const C: usize> {
    pub(super) work: Work<C>,
    /// The layers that it is made of, by their number.
    pub(super) inputs: Vec<usize>,
    /// By how many rows it lags behind the source: it needs the rows below its own.
    pub(super) lag: usize,
}

/// What is done for a layer.
#[derive(Debug)]
pub(super) enum Work<const C: usize> {
    First(Box<First<C>>),
    Conv(Conv<C>),
    Mix(Mix<C>),
}

impl Net {
    /// Makes a net of its steps. What it takes is `(value − mean) · gain` of values from 0 to 1.
    pub(super) fn of(steps: &[Step], scale: usize, mean: [f32; COLORS], gain: f32) -> Self {
        let layers = match steps.iter().map(|step| step.layer.outputs).max().unwrap_or_default() {
            0..=48 => Layers::C48(nodes(steps)),
            _ => Layers::C64(nodes(steps)),
        };
        let parameters = steps.iter().map(|step| step.layer.weights.len() + step.layer.biases.len()).sum();
        Self { layers, scale, mean, gain, parameters }
    }

    /// Returns how many times as wide and high it makes a picture.
    pub fn scale(&self) -> usize {
        self.scale
    }

    /// Returns about how many bytes the rows of its layers take for each pixel of a picture's width.
    pub(super) fn column_bytes(&self) -> usize {
        match &self.layers {
            Layers::C48(nodes) => column_bytes(nodes),
            Layers::C64(nodes) => column_bytes(nodes),
        }
    }

    /// Returns how many numbers it was taught, all convolutions fused.
    pub fn parameters(&self) -> usize {
        self.parameters
    }
}

/// Returns the layers that such steps tell of.
fn nodes<const C: usize>(steps: &[Step]) -> Nodes<C> {
    let mut nodes: Nodes<C> = Vec::new();
    for Step { layer, does } in steps {
        let Layer { weights, biases, .. } = layer;
        let bias = || Begins::Bias(Pixel::of(biases));
        let parts = |of: &[usize]| of.iter().map(|input| steps[*input].layer.outputs).collect::<Vec<_>>();
        let (work, inputs) = match does {
            Does::First(After { activation, slopes }) => {
                (Work::First(Box::new(First::new(weights, biases, *activation, slopes))), Vec::new())
            }
            Does::Conv(After { activation, slopes }, inputs) => {
                (Work::Conv(Conv::new(weights, layer.inputs, biases, *activation, slopes)), inputs.clone())
            }
            Does::Mix(inputs) => {
                (Work::Mix(Mix::new(weights, &parts(inputs), bias(), Guides::Nothing)), inputs.clone())
            }
            Does::Add(inputs) => {
                let mix = Mix::new(weights, &parts(&inputs[1..]), Begins::Layer, Guides::Nothing);
                (Work::Mix(mix), inputs.clone())
            }
            Does::Guide(inputs) => {
                (Work::Mix(Mix::new(weights, &parts(&inputs[..1]), bias(), Guides::Sum)), inputs.to_vec())
            }
        };
        let below = usize::from(matches!(work, Work::Conv(_)));
        let lag = inputs.iter().map(|input| nodes[*input].lag).max().map_or(FIRST_LAG, |lag| lag + below);
        nodes.push(Node { work, inputs, lag });
    }
    nodes
}

/// A row of a layer is kept until the last layer that is made of it has had it and the one below.
fn column_bytes<const C: usize>(nodes: &Nodes<C>) -> usize {
    let rows = |layer: usize| {
        let users = nodes.iter().filter(|node| node.inputs.contains(&layer));
        users.map(|node| node.lag - nodes[layer].lag + TILE + 1).max().unwrap_or(TILE)
    };
    (0..nodes.len()).map(rows).sum::<usize>() * size_of::<Pixel<C>>()
}
