//! Nets that people bring, recognised by the names and shapes of their tensors, in training form or fused.
//!
//! What a net was trained with beside its convolutions is fused here; all that the file holds must be understood.

use super::activation::Activation;
use super::fuse::itself;
use super::net::{After, CHANNELS_MAX, Does, Net, Step, Steps};
use super::plain::COLORS;
use super::span::{self, Shape, stage};
use super::tensors::{NetError, Tensors, shown};
use super::weights::Layer;

/// The most parts of a kind that a net may have: blocks, or convolutions and their slopes.
const BLOCKS_MAX: usize = 128;
/// The most bytes that the rows of a net may take for each pixel of a picture's width.
pub(in crate::craft) const COLUMN_BYTES_MAX: usize = 96 << 10;
/// What SPAN takes off each colour, and how large white is to it.
const MEAN: [f32; COLORS] = [0.4488, 0.4371, 0.4040];
const GAIN: f32 = 255.0;

/// A net that somebody brought.
#[derive(Debug)]
pub struct Brought {
    /// The net.
    pub net: Net,
    /// What kind of net it is.
    pub kind: &'static str,
    /// Under which licence it is, as the file says.
    pub licence: Option<String>,
}

/// What is known of a net before its layers are put together.
type Told = (&'static str, Vec<Step>, usize);

impl Brought {
    /// Reads a `.safetensors` file.
    pub fn read(bytes: &[u8]) -> Result<Self, NetError> {
        let mut tensors = Tensors::read(bytes)?;
        let licence = licence(&tensors);
        // Whether a picture is to be brought to the mean that the net knows.
        let mut is_centred = false;
        let mut parts = Parts { tensors: &mut tensors, parameters: 0 };
        let (kind, steps, scale) = if parts.tensors.begins("conv_1.") && parts.tensors.begins("block_1.c1_r.") {
            is_centred = !parts.tensors.has("no_norm");
            parts.tensors.drop("no_norm");
            parts.span()?
        } else if parts.tensors.begins("feats.0.") {
            parts.spanplus()?
        } else if parts.tensors.begins("block_1.c1.") {
            parts.spanv2()?
        } else if parts.tensors.has("body.0.weight") {
            parts.compact()?
        } else {
            let (count, first) = tensors.left();
            let first = shown(first.unwrap_or_default());
            return Err(NetError::Unknown(format!("its {count} tensors, `{first}` and others, are of no known net")));
        };
        let parameters = parts.parameters;
        if let (_, Some(left)) = tensors.left() {
            return Err(NetError::layer(left, format!("a {kind} net has none with this name")));
        }
        let (mean, gain) = if is_centred { (MEAN, GAIN) } else { ([0.0; COLORS], 1.0) };
        let net = Net { parameters, ..Net::of(&steps, scale, mean, gain) };
        let bytes = net.column_bytes();
        if bytes > COLUMN_BYTES_MAX {
            let what = format!("it would take {bytes} bytes of memory for each pixel of a picture's width");
            return Err(NetError::Unknown(format!("{what}, and at most {COLUMN_BYTES_MAX} are given")));
        }
        Ok(Self { net, kind, licence })
    }
}

/// Returns the licence that a file names.
fn licence(tensors: &Tensors<'_>) -> Option<String> {
    let is_licence = |name: &str| ["license", "licence", "modelspec.license"].contains(&name.to_lowercase().as_str());
    let (_, said) = tensors.said.iter().find(|(name, said)| is_licence(name) && !said.trim().is_empty())?;
    Some(shown(said.trim()))
}

/// The tensors of a file, taken part by part.
struct Parts<'a, 'b> {
    tensors: &'a mut Tensors<'b>,
    /// How many numbers were taken, those of branches fused.
    parameters: usize,
}

impl Parts<'_, '_> {
    fn span(&mut self) -> Result<Told, NetError> {
        let channels = self.outputs(&self.fused("conv_1"))?;
        let scale = self.scale("upsampler.0")?;
        let steps = span::steps(channels, scale, &mut |name, shape| match name {
            "conv_cat" => self.conv(name, shape),
            "upsampler" => self.conv("upsampler.0", shape),
            _ if name.starts_with("block_") => self.branches(&format!("{name}_r"), shape),
            _ => self.branches(name, shape),
        })?;
        Ok(("SPAN", steps, scale))
    }

    /// As SPAN, of one stage or several, with another activation.
    fn spanplus(&mut self) -> Result<Told, NetError> {
        let channels = self.outputs(&self.fused("feats.0"))?;
        if self.tensors.begins("upsampler.end_conv.") {
            let what = "it samples at places that it finds itself (DySample), and only a tail of a convolution and a pixel \
                        shuffle is known";
            return Err(NetError::layer("upsampler.end_conv.weight", what));
        }
        let scale = self.scale("upsampler.0")?;
        let (square, mut steps) = ((channels, channels, 3), Steps::default());
        let first = self.branches("feats.0", (channels, COLORS, 3))?;
        let mut last = steps.add(first, Does::First(Activation::None.into()));
        for feat in 1..self.end("feats.", 1)? {
            let name = |part: &str| format!("feats.{feat}.{part}");
            let inner = (0..self.end(&name("block_n."), 0)?).map(|block| name(&format!("block_n.{block}")));
            let mut blocks = Vec::new();
            for block in std::iter::once(name("block_1")).chain(inner).chain([name("block_end")]) {
                let mut part = |part: &str| self.branches(&format!("{block}.{part}"), square);
                blocks.push([part("c1_r")?, part("c2_r")?, part("c3_r")?]);
            }
            let conv = self.branches(&name("conv_2"), square)?;
            let mix = self.conv(&name("conv_cat"), (channels, 4 * channels, 1))?;
            last = stage(&mut steps, last, blocks, (conv, &mix), Activation::Mish);
        }
        let up = self.conv("upsampler.0", (scale * scale * COLORS, channels, 3))?;
        steps.conv(up, Activation::None, &[last]);
        Ok(("SPANPlus", steps.0, scale))
    }

    /// Blocks whose attention is a convolution of one tap, and a tail of a depthwise convolution and one of one tap over the
    /// last block and the source.
    fn spanv2(&mut self) -> Result<Told, NetError> {
        let channels = self.outputs(&self.fused("block_1.c1"))?;
        let scale = self.scale("conv_near")?;
        let (near, square) = (scale * scale * COLORS, (channels, channels, 3));
        let mut steps = Steps::default();
        let relu = || After { activation: Activation::Slope, slopes: vec![0.0; channels] };
        let beside = self.of_each_color("conv_near", scale)?;
        let beside = steps.add(beside, Does::First(Activation::None.into()));
        let first = self.branches("block_1.c1", (channels, COLORS, 3))?;
        let mut last = steps.add(first, Does::First(relu()));
        for part in ["c2", "c3"] {
            last = steps.conv(self.branches(&format!("block_1.{part}"), square)?, relu(), &[last]);
        }
        for block in 2..self.end("block_", 2)? {
            let mut inner = last;
            for (part, after) in [("c1", relu()), ("c2", relu()), ("c3", Activation::None.into())] {
                inner = steps.conv(self.branches(&format!("block_{block}.{part}"), square)?, after, &[inner]);
            }
            let guide = self.conv(&format!("block_{block}.guidance_map_conv"), (channels, channels, 1))?;
            last = steps.add(guide, Does::Guide([inner, last]));
        }
        let depthwise = self.conv("depthwise_conv", (near + channels, 1, 3))?;
        let pointwise = self.conv("pointwise_conv", (near, near + channels, 1))?;
        let whole = depthwise.each_then(&pointwise);
        let beside = steps.conv(whole.inputs_of(0, near), Activation::None, &[beside]);
        let last_part = Layer { biases: vec![0.0; near], ..whole.inputs_of(near, channels) };
        steps.conv(last_part, Activation::Plus, &[last, beside]);
        Ok(("SPANV2", steps.0, scale))
    }

    /// Convolutions one after another, whose result is added to the source, each pixel as it is.
    fn compact(&mut self) -> Result<Told, NetError> {
        let channels = self.outputs("body.0.weight")?;
        let last = self.tensors.highest("body.");
        if !(2..=BLOCKS_MAX).contains(&last) || !last.is_multiple_of(2) {
            let what = format!("this net ends with a convolution whose number is even, from 2 to {BLOCKS_MAX}");
            return Err(NetError::layer(&format!("body.{last}"), what));
        }
        let scale = self.scale(&format!("body.{last}"))?;
        let mut steps = Steps::default();
        let beside = steps.add(itself(scale), Does::First(Activation::None.into()));
        let mut inner = beside;
        for at in (0..last).step_by(2) {
            let inputs = if at == 0 { COLORS } else { channels };
            let conv = self.conv(&format!("body.{at}"), (channels, inputs, 3))?;
            let slopes = format!("body.{}.weight", at + 1);
            if !self.tensors.has(&slopes) {
                return Err(NetError::layer(
                    &slopes,
                    "the file has none, and only PReLU, which has slopes here, is known",
                ));
            }
            let after = After { activation: Activation::Slope, slopes: self.take(&slopes, &[channels])? };
            inner = match at {
                0 => steps.add(conv, Does::First(after)),
                _ => steps.conv(conv, after, &[inner]),
            };
        }
        let up = self.conv(&format!("body.{last}"), (scale * scale * COLORS, channels, 3))?;
        steps.conv(up, Activation::Plus, &[inner, beside]);
        Ok(("compact SRVGGNet", steps.0, scale))
    }

    /// Returns the name of the weights that tell how many channels a convolution makes.
    fn fused(&self, name: &str) -> String {
        let names = ["sk", "eval_conv", "conv"].map(|part| format!("{name}.{part}.weight"));
        names.iter().find(|name| self.tensors.has(name)).unwrap_or(&names[1]).clone()
    }

    /// Returns how many channels a layer makes.
    fn outputs(&self, weights: &str) -> Result<usize, NetError> {
        let found = self.tensors.edge(weights, 0);
        let found = found.ok_or_else(|| NetError::layer(weights, "the file has none, and this net needs it"))?;
        if (1..=CHANNELS_MAX).contains(&found) {
            return Ok(found);
        }
        Err(NetError::layer(weights, format!("it makes {found} channels, and 1 to {CHANNELS_MAX} are possible")))
    }

    /// Returns how many times as large the layer makes a picture that makes the pixels of the result.
    fn scale(&self, name: &str) -> Result<usize, NetError> {
        let weights = format!("{name}.weight");
        let outputs = self.outputs(&weights)?;
        (2..=4).find(|scale| scale * scale * COLORS == outputs).ok_or_else(|| {
            let what = "12, 27 or 48 are known, for a picture 2, 3 or 4 times as large";
            NetError::layer(&weights, format!("it makes {outputs} channels, and {what}"))
        })
    }

    /// Returns the first number from one on that no tensor has behind this start of its name.
    fn end(&self, start: &str, from: usize) -> Result<usize, NetError> {
        let mut next = from;
        while self.tensors.begins(&format!("{start}{next}.")) {
            next += 1;
        }
        if next <= BLOCKS_MAX {
            return Ok(next);
        }
        Err(NetError::layer(&format!("{start}{BLOCKS_MAX}"), format!("a net has at most {BLOCKS_MAX} such parts")))
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, NetError> {
        let taken = self.tensors.take(name, shape)?;
        self.parameters += taken.len();
        Ok(taken)
    }

    /// Takes a convolution; without biases it adds nothing.
    fn conv(&mut self, name: &str, (outputs, inputs, size): Shape) -> Result<Layer, NetError> {
        let weights = self.take(&format!("{name}.weight"), &[outputs, inputs, size, size])?;
        let bias = format!("{name}.bias");
        let biases = if self.tensors.has(&bias) { self.take(&bias, &[outputs])? } else { vec![0.0; outputs] };
        Ok(Layer { name: name.to_owned(), outputs, inputs, size, weights, biases })
    }

    /// Takes a convolution that may still have the branches that it was trained with: one of one tap, and three one after
    /// another, of one tap, of 3×3 and of one. What lies beside them was fused of them once, and may be older.
    fn branches(&mut self, name: &str, (outputs, inputs, size): Shape) -> Result<Layer, NetError> {
        let skip = format!("{name}.sk");
        if !self.tensors.has(&format!("{skip}.weight")) {
            let own = self.fused(name);
            let own = own.trim_end_matches(".weight");
            return self.conv(own, (outputs, inputs, size));
        }
        let inner = |n: usize| format!("{name}.conv.{n}");
        let wide = self.tensors.edge(&format!("{}.weight", inner(0)), 0).unwrap_or(2 * inputs);
        let gain = wide.div_ceil(inputs).clamp(1, 4);
        let before = self.parameters;
        let skip = self.conv(&skip, (outputs, inputs, 1))?;
        let one = self.conv(&inner(0), (gain * inputs, inputs, 1))?;
        let middle = self.conv(&inner(1), (gain * outputs, gain * inputs, size))?;
        let last = self.conv(&inner(2), (outputs, gain * outputs, 1))?;
        ["weight", "bias"].iter().for_each(|part| self.tensors.drop(&format!("{name}.eval_conv.{part}")));
        let fused = middle.then(&last).after(&one).plus(&skip);
        self.parameters = before + fused.weights.len() + fused.biases.len();
        Ok(fused)
    }

    /// Takes a convolution that makes of each colour channels of its own.
    fn of_each_color(&mut self, name: &str, scale: usize) -> Result<Layer, NetError> {
        let (square, mut layer) = (scale * scale, itself(scale));
        let own = self.conv(name, (square * COLORS, 1, 3))?;
        for (output, taps) in own.weights.as_chunks::<9>().0.iter().enumerate() {
            layer.weights[(output * COLORS + output / square) * 9..][..9].copy_from_slice(taps);
        }
        Ok(Layer { name: own.name, biases: own.biases, ..layer })
    }
}

#[cfg(test)]
mod tests;
