//! Each kind of net with small random numbers, against its formulas written down plainly, over whole pictures.

use std::collections::BTreeMap;

use super::super::tensors::tests::file;
use super::super::tests::{Map, assert_near, enlarged, in_panels, noise, picture, sigmoid};
use super::super::{Cpu, Scale};
use super::*;
use crate::craft::Untold;

/// The tensors of a net, by name.
#[derive(Clone, Default)]
struct Given(BTreeMap<String, (Vec<usize>, Vec<f32>)>);

impl Given {
    fn add(&mut self, name: &str, shape: &[usize], value: impl Fn(f32) -> f32) {
        let seed = self.0.len() * 7919;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let number = |n: usize| value((noise(seed + n) & 0xffff) as f32 / 32_768.0 - 1.0);
        let numbers = (0..shape.iter().product()).map(number).collect();
        self.0.insert(name.to_owned(), (shape.to_vec(), numbers));
    }

    fn conv(&mut self, name: &str, outputs: usize, inputs: usize, size: usize) {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let reach = 1.2 / ((inputs * size * size) as f32).sqrt();
        self.add(&format!("{name}.weight"), &[outputs, inputs, size, size], |number| number * reach);
        self.add(&format!("{name}.bias"), &[outputs], |number| number / 8.0);
    }

    /// Adds a convolution, with the branches that it is trained with or as `fused` names it.
    fn branches(&mut self, name: &str, outputs: usize, inputs: usize, fused: Option<&str>) {
        if let Some(fused) = fused {
            return self.conv(&format!("{name}.{fused}"), outputs, inputs, 3);
        }
        self.conv(&format!("{name}.sk"), outputs, inputs, 1);
        self.conv(&format!("{name}.conv.0"), 2 * inputs, inputs, 1);
        self.conv(&format!("{name}.conv.1"), 2 * outputs, 2 * inputs, 3);
        self.conv(&format!("{name}.conv.2"), outputs, 2 * outputs, 1);
        // What was fused once is older than the branches.
        self.conv(&format!("{name}.eval_conv"), outputs, inputs, 3);
    }

    fn scaled(&mut self, name: &str, factor: f32) {
        self.0.get_mut(name).unwrap().1.iter_mut().for_each(|number| *number *= factor);
    }

    fn filled(&mut self, name: &str, value: f32) {
        self.0.get_mut(name).unwrap().1.fill(value);
    }

    fn file(&self) -> Vec<u8> {
        let all = self.0.iter().map(|(name, (shape, numbers))| (name.clone(), shape.clone(), numbers.clone()));
        file(&all.collect::<Vec<_>>())
    }

    fn layer(&self, name: &str) -> Layer {
        let (shape, weights) = &self.0[&format!("{name}.weight")];
        let [outputs, inputs, size, _] = shape[..] else { panic!("{name} is no convolution") };
        let biases = self.0.get(&format!("{name}.bias")).map_or(vec![0.0; outputs], |(_, biases)| biases.clone());
        Layer { name: name.to_owned(), outputs, inputs, size, weights: weights.clone(), biases }
    }

    fn convolved(&self, name: &str, map: &Map) -> Map {
        map.convolved(&self.layer(name))
    }

    /// Returns what a convolution with branches makes: around the picture the first of them sees zeros.
    fn branched(&self, name: &str, map: &Map) -> Map {
        if !self.0.contains_key(&format!("{name}.sk.weight")) {
            let fused = ["eval_conv", "conv"].map(|part| format!("{name}.{part}"));
            let fused = fused.iter().find(|name| self.0.contains_key(&format!("{name}.weight"))).unwrap();
            return self.convolved(fused, map);
        }
        let skip = self.convolved(&format!("{name}.sk"), map);
        let wide = Map { width: map.width + 2, height: map.height + 2, channels: 0, values: Vec::new() };
        let padded = wide.made(map.channels, |x, y, c| map.at(x.wrapping_sub(1), y.wrapping_sub(1), c));
        let inner = (0..3).fold(padded, |map, n| self.convolved(&format!("{name}.conv.{n}"), &map));
        skip.made(skip.channels, |x, y, c| skip.at(x, y, c) + inner.at(x + 1, y + 1, c))
    }

    /// Returns what a convolution makes whose channels are made of one each.
    fn alone(&self, name: &str, map: &Map) -> Map {
        let layer = self.layer(name);
        map.made(layer.outputs, |x, y, output| {
            let taps = layer.weights[output * 9..][..9].iter().enumerate();
            let input = output / (layer.outputs / map.channels);
            let at = |tap: usize| map.at((x + tap % 3).wrapping_sub(1), (y + tap / 3).wrapping_sub(1), input);
            f64::from(layer.biases[output]) + taps.map(|(tap, weight)| f64::from(*weight) * at(tap)).sum::<f64>()
        })
    }

    fn stage(&self, first: &Map, blocks: &[String], (conv, mix): (&str, &str), activation: fn(f64) -> f64) -> Map {
        let (mut last, mut inner, mut early) = (first.each(|value| value), None, None);
        for block in blocks {
            let part = |part: &str, map: &Map| self.branched(&format!("{block}.{part}"), map);
            let begun = part("c1_r", &last).each(activation);
            let out = part("c3_r", &part("c2_r", &begun).each(activation));
            last = out
                .made(out.channels, |x, y, c| (out.at(x, y, c) + last.at(x, y, c)) * (sigmoid(out.at(x, y, c)) - 0.5));
            inner = Some(begun);
            early.get_or_insert(last.each(|value| value));
        }
        let (inner, early, end) = (inner.unwrap(), early.unwrap(), self.branched(conv, &last));
        let count = first.channels;
        let all = first.made(4 * count, |x, y, c| [first, &end, &early, &inner][c / count].at(x, y, c % count));
        self.convolved(mix, &all)
    }
}

/// Returns a picture whose pixels are those that the channels of a smaller one hold.
fn shuffled(map: &Map, scale: usize) -> Map {
    let (width, height) = (map.width * scale, map.height * scale);
    Map { width, height, channels: 3, values: Vec::new() }.made(3, |x, y, c| {
        255.0 * map.at(x / scale, y / scale, (c * scale + y % scale) * scale + x % scale).clamp(0.0, 1.0)
    })
}

fn silu(value: f64) -> f64 {
    value * sigmoid(value)
}

fn mish(value: f64) -> f64 {
    value * value.exp().ln_1p().tanh()
}

/// A net: how many channels, how many times as large, and the name of a fused convolution unless it has its branches.
type Form = (usize, usize, Option<&'static str>);

fn span((channels, scale, fused): Form) -> Given {
    let mut given = Given::default();
    given.branches("conv_1", channels, 3, fused);
    for block in 1..=6 {
        for part in ["c1_r", "c2_r", "c3_r"] {
            given.branches(&format!("block_{block}.{part}"), channels, channels, fused);
        }
    }
    given.branches("conv_2", channels, channels, fused);
    given.conv("conv_cat", channels, 4 * channels, 1);
    given.conv("upsampler.0", scale * scale * 3, channels, 3);
    given.scaled("upsampler.0.weight", 0.02);
    given.filled("upsampler.0.bias", 0.5);
    given
}

fn span_of(given: &Given, scale: usize, picture: &Map) -> Map {
    let is_plain = given.0.contains_key("no_norm");
    let net = picture.made(3, |x, y, c| {
        let value = picture.at(x, y, c) / 255.0;
        if is_plain { value } else { (value - f64::from(MEAN[c])) * 255.0 }
    });
    let blocks: Vec<String> = (1..=6).map(|block| format!("block_{block}")).collect();
    let last = given.stage(&given.branched("conv_1", &net), &blocks, ("conv_2", "conv_cat"), silu);
    shuffled(&given.convolved("upsampler.0", &last), scale)
}

/// Two stages, of three blocks and of two.
fn spanplus((channels, scale, fused): Form) -> Given {
    let mut given = Given::default();
    given.branches("feats.0", channels, 3, fused);
    for block in plus_blocks().into_iter().flatten() {
        for part in ["c1_r", "c2_r", "c3_r"] {
            given.branches(&format!("{block}.{part}"), channels, channels, fused);
        }
    }
    for feat in 1..=2 {
        given.branches(&format!("feats.{feat}.conv_2"), channels, channels, fused);
        given.conv(&format!("feats.{feat}.conv_cat"), channels, 4 * channels, 1);
    }
    given.conv("upsampler.0", scale * scale * 3, channels, 3);
    given.filled("upsampler.0.bias", 0.5);
    given
}

fn plus_blocks() -> [Vec<String>; 2] {
    [&["block_1", "block_n.0", "block_end"][..], &["block_1", "block_end"]]
        .map(|blocks| (blocks, blocks.len()))
        .map(|(blocks, count)| blocks.iter().map(|block| format!("feats.{}.{block}", 4 - count)).collect())
}

fn spanplus_of(given: &Given, scale: usize, picture: &Map) -> Map {
    let mut last = given.branched("feats.0", &picture.each(|value| value / 255.0));
    for (n, blocks) in plus_blocks().iter().enumerate() {
        let [conv, mix] = ["conv_2", "conv_cat"].map(|part| format!("feats.{}.{part}", n + 1));
        last = given.stage(&last, blocks, (&conv, &mix), mish);
    }
    shuffled(&given.convolved("upsampler.0", &last), scale)
}

fn spanv2((channels, scale, fused): Form) -> Given {
    let (mut given, near) = (Given::default(), scale * scale * 3);
    for block in 1..=3 {
        for (part, inputs) in [("c1", if block == 1 { 3 } else { channels }), ("c2", channels), ("c3", channels)] {
            given.branches(&format!("block_{block}.{part}"), channels, inputs, fused);
        }
        if block > 1 {
            given.conv(&format!("block_{block}.guidance_map_conv"), channels, channels, 1);
        }
    }
    given.conv("conv_near", near, 1, 3);
    given.0.remove("conv_near.bias");
    given.conv("depthwise_conv", near + channels, 1, 3);
    given.conv("pointwise_conv", near, near + channels, 1);
    given.filled("pointwise_conv.bias", 0.5);
    given
}

fn spanv2_of(given: &Given, scale: usize, picture: &Map) -> Map {
    let net = picture.each(|value| value / 255.0);
    let near = given.alone("conv_near", &net);
    let mut last = net.each(|value| value);
    for block in 1..=3 {
        let part = |part: &str, map: &Map| given.branched(&format!("block_{block}.{part}"), map);
        let inner = part("c2", &part("c1", &last).each(|value| value.max(0.0))).each(|value| value.max(0.0));
        let out = part("c3", &inner);
        if block == 1 {
            last = out.each(|value| value.max(0.0));
            continue;
        }
        let guide = given.convolved(&format!("block_{block}.guidance_map_conv"), &out);
        last = out.made(out.channels, |x, y, c| (last.at(x, y, c) + out.at(x, y, c)) * guide.at(x, y, c));
    }
    let all = near.made(near.channels + last.channels, |x, y, c| match c.checked_sub(near.channels) {
        None => near.at(x, y, c),
        Some(c) => last.at(x, y, c),
    });
    shuffled(&given.convolved("pointwise_conv", &given.alone("depthwise_conv", &all)), scale)
}

fn compact((channels, scale, _): Form) -> Given {
    let mut given = Given::default();
    for at in 0..3 {
        given.conv(&format!("body.{}", 2 * at), channels, if at == 0 { 3 } else { channels }, 3);
        given.add(&format!("body.{}.weight", 2 * at + 1), &[channels], |number| number / 2.0);
    }
    given.conv("body.6", scale * scale * 3, channels, 3);
    given.scaled("body.6.weight", 0.25);
    given
}

fn compact_of(given: &Given, scale: usize, picture: &Map) -> Map {
    let net = picture.each(|value| value / 255.0);
    let mut last = net.each(|value| value);
    for at in 0..3 {
        let slopes = &given.0[&format!("body.{}.weight", 2 * at + 1)].1;
        let sums = given.convolved(&format!("body.{}", 2 * at), &last);
        last = sums.made(sums.channels, |x, y, c| {
            let value = sums.at(x, y, c);
            if value > 0.0 { value } else { value * f64::from(slopes[c]) }
        });
    }
    let last = given.convolved("body.6", &last);
    let square = scale * scale;
    shuffled(&last.made(last.channels, |x, y, c| last.at(x, y, c) + net.at(x, y, c / square)), scale)
}

fn scale_of(scale: usize) -> Scale {
    [Scale::Two, Scale::Three, Scale::Four][scale - 2]
}

/// What makes a file's tensors, and what the formulas make of a picture.
type Kind = (&'static str, fn(Form) -> Given, fn(&Given, usize, &Map) -> Map);
const KINDS: [Kind; 4] = [
    ("SPAN", span, span_of),
    ("SPANPlus", spanplus, spanplus_of),
    ("SPANV2", spanv2, spanv2_of),
    ("compact SRVGGNet", compact, compact_of),
];

#[test]
fn each_kind_of_net_makes_what_its_formulas_say() {
    let forms = [(5, 4, None), (6, 3, Some("eval_conv")), (50, 2, Some("eval_conv"))];
    for (kind, make, of) in KINDS {
        for (channels, scale, fused) in forms {
            let fused = if kind == "SPANV2" { fused.map(|_| "conv") } else { fused };
            let given = make((channels, scale, fused));
            let Brought { net, kind: found, licence } = Brought::read(&given.file()).unwrap();
            assert_eq!((found, net.scale(), licence.as_deref()), (kind, scale, Some("CC0-1.0")));
            let picture = picture(3, 6, 3);
            let expected = of(&given, scale, &picture);
            let inside = expected.values.iter().filter(|value| (1.0..254.0).contains(*value)).count();
            let of = format!("{kind} of {channels} channels, {scale} times");
            assert!(inside * 4 > expected.values.len(), "{of}: {inside} of {} are not cut off", expected.values.len());
            for cpu in Cpu::all() {
                let found = enlarged(&net, &picture, (scale_of(scale), 1, cpu)).unwrap();
                assert_near(&found, &expected.values, &format!("{of}, {cpu:?}"));
            }
        }
    }
}

#[test]
fn panels_and_threads_change_no_bit() {
    for (kind, make, _) in KINDS {
        let fused = if kind == "SPANV2" { "conv" } else { "eval_conv" };
        let Brought { net, .. } = Brought::read(&make((3, 2, Some(fused))).file()).unwrap();
        let picture = picture(70, 6, 3);
        let whole = enlarged(&net, &picture, (Scale::Two, 1, Cpu::best())).unwrap();
        let split = in_panels(28, &net, &picture, (Scale::Two, 2, Cpu::best()), &Untold).unwrap();
        assert!(whole == split, "{kind}");
    }
}

#[test]
fn a_net_without_a_mean_takes_values_as_they_are() {
    let mut given = span((4, 2, None));
    given.add("no_norm", &[1], |_| 0.0);
    let Brought { net, .. } = Brought::read(&given.file()).unwrap();
    let picture = picture(3, 4, 3);
    let found = enlarged(&net, &picture, (Scale::Two, 1, Cpu::best())).unwrap();
    assert_near(&found, &span_of(&given, 2, &picture).values, "without a mean");
}

#[test]
fn numbers_are_counted_as_if_branches_were_fused() {
    let counts = [
        (span((48, 4, None)), 426_288),
        (span((48, 4, Some("eval_conv"))), 426_288),
        (compact((64, 4, None)), 27 * 64 + 64 + 64 + 2 * (9 * 64 * 64 + 64 + 64) + 9 * 64 * 48 + 48),
    ];
    for (given, expected) in counts {
        assert_eq!(Brought::read(&given.file()).unwrap().net.parameters(), expected);
    }
}

/// What makes a net, its form, what is changed in it, and what is said of it then.
type Refused = (fn(Form) -> Given, Form, fn(&mut Given), &'static str);

fn spans_that_are_not() -> Vec<Refused> {
    vec![
        (
            span,
            (4, 4, None),
            |given| drop(given.0.remove("block_3.c2_r.conv.1.weight")),
            "layer `block_3.c2_r.conv.1.weight`: the file has none, and this net needs it",
        ),
        (
            span,
            (4, 4, Some("eval_conv")),
            |given| drop(given.0.remove("block_6.c1_r.eval_conv.weight")),
            "layer `block_6.c1_r.eval_conv.weight`: the file has none, and this net needs it",
        ),
        (
            span,
            (4, 4, Some("eval_conv")),
            |given| given.conv("conv_cat", 4, 12, 1),
            "layer `conv_cat.weight`: its shape is 4×12×1×1, and this net needs 4×16×1×1",
        ),
        (
            span,
            (4, 4, Some("eval_conv")),
            |given| given.conv("block_7.c1_r.eval_conv", 4, 4, 3),
            "layer `block_7.c1_r.eval_conv.bias`: a SPAN net has none with this name",
        ),
        (
            span,
            (4, 4, Some("eval_conv")),
            |given| given.conv("upsampler.0", 3, 4, 3),
            "layer `upsampler.0.weight`: it makes 3 channels, and 12, 27 or 48 are known, for a picture 2, 3 or 4 times as large",
        ),
        (
            span,
            (65, 2, Some("eval_conv")),
            |_| (),
            "layer `conv_1.eval_conv.weight`: it makes 65 channels, and 1 to 64 are possible",
        ),
        (
            span,
            (4, 2, Some("eval_conv")),
            |given| given.conv("conv_1.eval_conv", 4, 1, 3),
            "layer `conv_1.eval_conv.weight`: its shape is 4×1×3×3, and this net needs 4×3×3×3",
        ),
    ]
}

fn others_that_are_not() -> Vec<Refused> {
    vec![
        (
            spanplus,
            (4, 2, None),
            |given| given.conv("upsampler.end_conv", 3, 4, 1),
            "layer `upsampler.end_conv.weight`: it samples at places that it finds itself (DySample), and only a tail of a \
             convolution and a pixel shuffle is known",
        ),
        (
            spanv2,
            (4, 2, Some("conv")),
            |given| drop(given.0.remove("block_2.guidance_map_conv.weight")),
            "layer `block_2.guidance_map_conv.weight`: the file has none, and this net needs it",
        ),
        (
            compact,
            (4, 2, None),
            |given| drop(given.0.remove("body.3.weight")),
            "layer `body.3.weight`: the file has none, and only PReLU, which has slopes here, is known",
        ),
        (
            compact,
            (4, 2, None),
            |given| given.filled("body.2.bias", f32::NAN),
            "layer `body.2.bias`: its number 0 is not finite",
        ),
        (
            compact,
            (4, 2, None),
            |given| given.add("body.7.weight", &[4], |number| number),
            "layer `body.7`: this net ends with a convolution whose number is even, from 2 to 128",
        ),
        (
            |_| Given::default(),
            (4, 2, None),
            |given| given.conv("model.0", 4, 3, 3),
            "its 2 tensors, `model.0.bias` and others, are of no known net; known are SPAN, SPANPlus, SPANV2 and the \
             compact SRVGGNet, for 2, 3 or 4 times",
        ),
    ]
}

#[test]
fn what_is_not_understood_is_refused_with_the_layer() {
    for (make, form, change, expected) in [spans_that_are_not(), others_that_are_not()].concat() {
        let mut given = make(form);
        change(&mut given);
        let told = Brought::read(&given.file()).unwrap_err().to_string();
        assert_eq!(told, expected);
    }
}

#[test]
fn no_file_makes_it_panic() {
    let file = compact((2, 2, None)).file();
    for at in 0..file.len() {
        drop(Brought::read(&file[..at]));
    }
    for at in 0..file.len().min(600) {
        for byte in [0, b'9', b'"', 0xff] {
            let mut changed = file.clone();
            changed[at] = byte;
            drop(Brought::read(&changed));
        }
    }
}
