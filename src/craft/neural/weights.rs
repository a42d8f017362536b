//! The weights of a net, as a `.spanw` file holds them: a head, a table of layers, then their numbers.
//!
//! Everything is little endian: the magic `SPANF16` and a zero byte; u32 version, layers, channels, scale; f32 mean of
//! red, green and blue, and gain; u32 length and CRC-32 of all from byte 48 on. The table has 32 bytes a layer: its name
//! in 16 bytes, u16 outputs, inputs, height, width, u32 start of its weights (f16; output, input, row, column) and of its
//! biases (f32), counted from the start of the file.

/// What is wrong with a file of weights.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WeightsError {
    /// Its first bytes are another format's.
    #[error("it is no file of weights: it does not begin with `SPANF16`; take a `.spanw` file")]
    Foreign,
    /// Its head or its length is not what can be used.
    #[error("{0}")]
    Head(String),
    /// Its bytes are not those that were written.
    #[error("it is damaged: its checksum is {found:08x}, and its head says {told:08x}; copy it again")]
    Damaged {
        /// What the head says.
        told: u32,
        /// What the bytes give.
        found: u32,
    },
    /// One of its layers cannot be used.
    #[error("layer `{layer}`: {what}")]
    Layer {
        /// Its name.
        layer: String,
        /// What is wrong with it.
        what: String,
    },
}

/// One layer: a convolution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) outputs: usize,
    pub(super) inputs: usize,
    /// The edge of its square of taps.
    pub(super) size: usize,
    /// By output, input, row and column.
    pub(super) weights: Vec<f32>,
    pub(super) biases: Vec<f32>,
}

/// All that a file of weights holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    pub(super) channels: usize,
    pub(super) scale: usize,
    pub(super) mean: [f32; 3],
    pub(super) gain: f32,
    pub(super) layers: Vec<Layer>,
}

const MAGIC: &[u8; 8] = b"SPANF16\0";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 48;
const ENTRY_BYTES: usize = 32;
/// More than any net has that works on a processor in useful time.
const BYTES_MAX: usize = 64 << 20;
const LAYERS_MAX: usize = 256;
const CHANNELS_MAX: usize = 1024;

impl Weights {
    /// Reads a file of weights.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, WeightsError> {
        if !bytes.starts_with(MAGIC) {
            return Err(WeightsError::Foreign);
        }
        let head = |what: String| Err(WeightsError::Head(what));
        if bytes.len() > BYTES_MAX {
            return head(format!("it has {} bytes, and at most {BYTES_MAX} are read", bytes.len()));
        }
        let Some((start, data)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
            return head(format!("it is cut off within its head: it has {} bytes", bytes.len()));
        };
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|n| start[at + n]));
        let number = |at: usize| f32::from_bits(word(at));
        let (version, told) = (word(8), word(44));
        if version != VERSION {
            return head(format!("it is of version {version}, and only version {VERSION} is known"));
        }
        let [count, channels, scale] = [12, 16, 20].map(|at| word(at) as usize);
        if !(1..=LAYERS_MAX).contains(&count) {
            return head(format!("it says that it has {count} layers, and a net has 1 to {LAYERS_MAX}"));
        }
        let length = count * ENTRY_BYTES + word(40) as usize;
        if data.len() != length {
            return head(format!("its head promises {length} bytes behind it, and {} follow", data.len()));
        }
        let found = crc32fast::hash(data);
        if found != told {
            return Err(WeightsError::Damaged { told, found });
        }
        let (mean, gain) = ([24, 28, 32].map(number), number(36));
        if !mean.iter().chain([&gain]).all(|number| number.is_finite()) {
            return head("its mean or gain is no finite number".to_owned());
        }
        let (table, numbers) = data.split_at(count * ENTRY_BYTES);
        let mut rest = Rest { length: bytes.len(), bytes: numbers };
        let layers = table.as_chunks().0.iter().map(|entry| Layer::read(entry, &mut rest));
        let layers = layers.collect::<Result<_, _>>()?;
        if !rest.bytes.is_empty() {
            return head(format!("{} bytes follow its last layer", rest.bytes.len()));
        }
        Ok(Self { channels, scale, mean, gain, layers })
    }

    /// Returns the mix of two nets of one kind: `(1 − share) · self + share · other`.
    pub(super) fn mixed(&self, other: &Self, share: f32) -> Result<Self, WeightsError> {
        if self.layers.len() != other.layers.len() || self.shape() != other.shape() {
            return Err(WeightsError::Head("two nets of different kinds cannot be mixed".to_owned()));
        }
        let mix = |to: &mut [f32], from: &[f32]| {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = (1.0 - share) * *to + share * from);
        };
        let mut mixed = self.clone();
        for (layer, other) in mixed.layers.iter_mut().zip(&other.layers) {
            if layer.shape() != other.shape() {
                return Err(layer.wrong(format!("the net it is to be mixed with has `{}` there", other.name)));
            }
            mix(&mut layer.weights, &other.weights);
            mix(&mut layer.biases, &other.biases);
        }
        Ok(mixed)
    }

    /// Returns what is the same in nets that can be mixed.
    fn shape(&self) -> (usize, usize, [u32; 4]) {
        let [red, green, blue] = self.mean;
        (self.channels, self.scale, [red, green, blue, self.gain].map(f32::to_bits))
    }
}

/// The numbers of a file that no layer has taken yet. Each layer's follow those of the one before: no byte is taken twice,
/// so that a file takes little more memory than it is long.
struct Rest<'a> {
    /// How long the file is.
    length: usize,
    bytes: &'a [u8],
}

impl<'a> Rest<'a> {
    /// Takes some numbers that are said to begin at a byte of the file.
    fn take(&mut self, start: usize, count: usize) -> Result<&'a [u8], String> {
        let (next, end) = (self.length - self.bytes.len(), start.saturating_add(count));
        if start != next {
            return Err(format!("begin at byte {start}, and what is before them ends at byte {next}"));
        }
        let (taken, rest) = self
            .bytes
            .split_at_checked(count)
            .ok_or_else(|| format!("are bytes {start} to {end}, and the file has {}", self.length))?;
        self.bytes = rest;
        Ok(taken)
    }
}

impl Layer {
    fn read(entry: &[u8; ENTRY_BYTES], rest: &mut Rest<'_>) -> Result<Self, WeightsError> {
        let name = entry[..16].split(|byte| *byte == 0).next().unwrap_or_default().escape_ascii().to_string();
        let short = |at: usize| usize::from(u16::from_le_bytes([entry[at], entry[at + 1]]));
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|n| entry[at + n])) as usize;
        let [outputs, inputs, height, width] = [16, 18, 20, 22].map(short);
        let mut layer = Self { name, outputs, inputs, size: width, weights: Vec::new(), biases: Vec::new() };
        if ![outputs, inputs].iter().all(|channels| (1..=CHANNELS_MAX).contains(channels)) {
            let what = format!("it has {outputs} outputs and {inputs} inputs, and 1 to {CHANNELS_MAX} are possible");
            return Err(layer.wrong(what));
        }
        if height != width || ![1, 3].contains(&width) {
            return Err(layer.wrong(format!("it is a convolution of {width}×{height}, and only 3×3 and 1×1 are known")));
        }
        let mut take = |what: &str, at: usize, bytes: usize| {
            rest.take(word(at), bytes).map_err(|wrong| layer.wrong(format!("its {what} {wrong}")))
        };
        let halves = take("weights", 24, 2 * outputs * inputs * width * height)?;
        let singles = take("biases", 28, 4 * outputs)?;
        let weights: Vec<f32> = halves.as_chunks().0.iter().map(|half| from_half(u16::from_le_bytes(*half))).collect();
        let biases: Vec<f32> = singles.as_chunks().0.iter().map(|single| f32::from_le_bytes(*single)).collect();
        if !weights.iter().chain(&biases).all(|number| number.is_finite()) {
            return Err(layer.wrong("not all of its numbers are finite".to_owned()));
        }
        (layer.weights, layer.biases) = (weights, biases);
        Ok(layer)
    }

    fn shape(&self) -> (&str, usize, usize, usize) {
        (&self.name, self.outputs, self.inputs, self.size)
    }

    pub(super) fn wrong(&self, what: String) -> WeightsError {
        WeightsError::Layer { layer: self.name.clone(), what }
    }
}

/// Returns the number that 16 bits stand for, as IEEE 754 has it.
pub(super) fn from_half(half: u16) -> f32 {
    let (sign, exponent, fraction) = (u32::from(half >> 15), u32::from(half >> 10 & 0x1f), u32::from(half & 0x3ff));
    let size = match exponent {
        // Too small for its own leading bit: counted in units of 2^-24.
        0 => return (if sign == 1 { -1.0 } else { 1.0 }) * f32::from(half & 0x3ff) / 16_777_216.0,
        0x1f => 0xff << 23 | fraction << 13,
        _ => (exponent + 127 - 15) << 23 | fraction << 13,
    };
    f32::from_bits(sign << 31 | size)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns a file with such layers, whose numbers are those that `value` gives.
    pub(in super::super) fn file(layers: &[(&str, usize, usize, usize)], value: impl Fn(usize) -> u16) -> Vec<u8> {
        let mut data = Vec::new();
        let mut table = Vec::new();
        let start = HEAD_BYTES + layers.len() * ENTRY_BYTES;
        for (name, outputs, inputs, size) in layers {
            let mut padded = [0; 16];
            padded[..name.len()].copy_from_slice(name.as_bytes());
            table.extend(padded);
            for number in [outputs, inputs, size, size] {
                table.extend(u16::try_from(*number).unwrap().to_le_bytes());
            }
            let weights = outputs * inputs * size * size;
            for at in [start + data.len(), start + data.len() + 2 * weights] {
                table.extend(u32::try_from(at).unwrap().to_le_bytes());
            }
            data.extend((0..weights).flat_map(|n| value(n).to_le_bytes()));
            data.extend((0..*outputs).flat_map(|n| from_half(value(n)).to_le_bytes()));
        }
        let mut file = MAGIC.to_vec();
        for number in [VERSION, u32::try_from(layers.len()).unwrap(), 48, 4] {
            file.extend(number.to_le_bytes());
        }
        for number in [0.5_f32, 0.25, 0.125, 255.0] {
            file.extend(number.to_le_bytes());
        }
        file.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        let body = [table, data].concat();
        file.extend(crc32fast::hash(&body).to_le_bytes());
        file.extend(body);
        file
    }

    /// Returns a file whose checksum is right again after a change.
    fn changed(mut file: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
        file[at..at + bytes.len()].copy_from_slice(bytes);
        let sum = crc32fast::hash(&file[HEAD_BYTES..]);
        file[44..48].copy_from_slice(&sum.to_le_bytes());
        file
    }

    fn two() -> Vec<u8> {
        file(&[("one", 2, 3, 3), ("two", 1, 2, 1)], |n| 0x3c00 + u16::try_from(n).unwrap())
    }

    #[test]
    fn a_file_gives_its_layers() {
        let read = Weights::read(&two()).unwrap();
        assert_eq!((read.channels, read.scale, read.mean, read.gain), (48, 4, [0.5, 0.25, 0.125], 255.0));
        let shapes: Vec<_> = read.layers.iter().map(Layer::shape).collect();
        assert_eq!(shapes, [("one", 2, 3, 3), ("two", 1, 2, 1)]);
        assert_eq!((read.layers[0].weights.len(), read.layers[0].weights[1]), (54, 1.0 + 1.0 / 1024.0));
        assert_eq!(read.layers[1].biases, [1.0]);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let entry = HEAD_BYTES;
        let cases: [(Vec<u8>, &str); 15] = [
            (
                b"PK\x03\x04".to_vec(),
                "it is no file of weights: it does not begin with `SPANF16`; take a `.spanw` file",
            ),
            (two()[..20].to_vec(), "it is cut off within its head: it has 20 bytes"),
            (changed(two(), 8, &[2, 0, 0, 0]), "it is of version 2, and only version 1 is known"),
            (changed(two(), 12, &[0; 4]), "it says that it has 0 layers, and a net has 1 to 256"),
            (changed(two(), 12, &[255; 4]), "it says that it has 4294967295 layers, and a net has 1 to 256"),
            (two()[..190].to_vec(), "its head promises 188 bytes behind it, and 142 follow"),
            ([two(), vec![0]].concat(), "its head promises 188 bytes behind it, and 189 follow"),
            (changed(two(), 36, &f32::NAN.to_le_bytes()), "its mean or gain is no finite number"),
            (
                changed(two(), entry + 16, &[0, 0]),
                "layer `one`: it has 0 outputs and 3 inputs, and 1 to 1024 are possible",
            ),
            (
                changed(two(), entry + 22, &[5, 0]),
                "layer `one`: it is a convolution of 5×3, and only 3×3 and 1×1 are known",
            ),
            (
                changed(two(), entry + 32 + 24, &[255, 255, 255, 255]),
                "layer `two`: its weights begin at byte 4294967295, and what is before them ends at byte 228",
            ),
            (
                changed(two(), entry + 28, &[112, 0, 0, 0]),
                "layer `one`: its biases begin at byte 112, and what is before them ends at byte 220",
            ),
            (
                changed(two(), entry + 16, &[4, 0]),
                "layer `one`: its weights are bytes 112 to 328, and the file has 236",
            ),
            (
                changed(two(), entry + 32 + 18, &[1, 0]),
                "layer `two`: its biases begin at byte 232, and what is before them ends at byte 230",
            ),
            (changed(two(), entry + 64, &[0, 0x7c]), "layer `one`: not all of its numbers are finite"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Weights::read(&bytes).unwrap_err().to_string(), expected);
        }
        let longer = [two(), vec![0; 3]].concat();
        let told = Weights::read(&changed(longer, 40, &127_u32.to_le_bytes())).unwrap_err().to_string();
        assert_eq!(told, "3 bytes follow its last layer");
        let mut damaged = two();
        *damaged.last_mut().unwrap() ^= 1;
        let told = Weights::read(&damaged).unwrap_err().to_string();
        assert!(told.starts_with("it is damaged: its checksum is "), "{told}");
    }

    #[test]
    fn no_file_makes_it_panic() {
        for at in 8..two().len() {
            drop(Weights::read(&two()[..at]));
            for byte in [0, 1, 0x7f, 0xff] {
                drop(Weights::read(&changed(two(), at, &[byte])));
            }
        }
    }

    #[test]
    fn two_nets_are_mixed() {
        let [base, fine] = [0x3c00, 0x4000].map(|value| file(&[("one", 1, 1, 1)], |_| value));
        let [base, fine] = [base, fine].map(|file| Weights::read(&file).unwrap());
        for (share, expected) in [(0.0, 1.0), (0.25, 1.25), (1.0, 2.0)] {
            let mixed = base.mixed(&fine, share).unwrap();
            assert_eq!((mixed.layers[0].weights[0], mixed.layers[0].biases[0]), (expected, expected));
        }
        let other = Weights::read(&file(&[("two", 1, 1, 1)], |_| 0)).unwrap();
        let told = base.mixed(&other, 0.5).unwrap_err().to_string();
        assert_eq!(told, "layer `one`: the net it is to be mixed with has `two` there");
        let told = base.mixed(&Weights::read(&two()).unwrap(), 0.5).unwrap_err().to_string();
        assert_eq!(told, "two nets of different kinds cannot be mixed");
    }

    #[test]
    fn halves_are_numbers() {
        let cases = [(0x0000, 0.0), (0x8000, -0.0), (0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65_504.0)];
        let small = [(0x0400, 2.0_f32.powi(-14)), (0x0001, 2.0_f32.powi(-24)), (0x83ff, -1023.0 * 2.0_f32.powi(-24))];
        for (half, expected) in cases.into_iter().chain(small) {
            assert_eq!(from_half(half).to_bits(), f32::to_bits(expected), "{half:04x}");
        }
        assert!(from_half(0x7c00).is_infinite() && from_half(0x7e00).is_nan());
    }
}
