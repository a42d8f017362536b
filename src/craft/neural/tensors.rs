//! The tensors of a `.safetensors` file, which anybody may have written.
//!
//! It has 8 bytes with the length of a head, the head as JSON (for each tensor its kind of number, its shape, and where its
//! bytes begin and end), and the bytes of the tensors. They must follow each other without gap or overlap, so that a file
//! takes little more memory than it is long; numbers are read once a net asks for them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::weights::from_half;

/// The most bytes that are read of a file: the largest net that is understood, as it was trained, has about 50 million.
pub const NET_BYTES_MAX: u64 = 64 << 20;
const HEAD_BYTES_MAX: usize = 1 << 20;
const TENSORS_MAX: usize = 2048;
const RANK_MAX: usize = 4;
/// The longest name of a tensor.
const NAME_MAX: usize = 128;
/// What a head says of the file as a whole.
const SAID: &str = "__metadata__";

/// What is wrong with a file that is to be a net.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// It is no such file, or a damaged one.
    #[error("{0}; copy it again, or take another")]
    File(String),
    /// One of its layers is not what a net needs.
    #[error("layer `{layer}`: {what}")]
    Layer {
        /// Its name.
        layer: String,
        /// What is wrong with it.
        what: String,
    },
    /// Its layers are those of no net that is known.
    #[error("{0}; known are SPAN, SPANPlus, SPANV2 and the compact SRVGGNet, for 2, 3 or 4 times")]
    Unknown(String),
}

impl NetError {
    pub(super) fn layer(layer: &str, what: impl Into<String>) -> Self {
        Self::Layer { layer: layer.to_owned(), what: what.into() }
    }
}

/// The tensors of a file that no net has taken yet.
#[derive(Debug)]
pub(super) struct Tensors<'a> {
    rest: BTreeMap<String, Tensor<'a>>,
    /// What the file says of itself.
    pub(super) said: BTreeMap<String, String>,
}

/// One tensor.
#[derive(Debug)]
struct Tensor<'a> {
    kind: Number,
    shape: Vec<usize>,
    bytes: &'a [u8],
}

/// The kinds of numbers that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    F32,
    F16,
    Bf16,
}

/// What the head says of a tensor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

impl<'a> Tensors<'a> {
    /// Reads the head of a file, and checks that it is right about the file.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, NetError> {
        let file = |what: String| Err(NetError::File(what));
        let count = bytes.len();
        if count as u64 > NET_BYTES_MAX {
            return file(format!("it has {count} bytes, and at most {NET_BYTES_MAX} are read"));
        }
        let Some((length, rest)) = bytes.split_first_chunk() else {
            return file(format!("it is no safetensors file: it has {count} bytes"));
        };
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if !rest.starts_with(b"{") {
            return file("it is no safetensors file: it has no head".to_owned());
        }
        if length > HEAD_BYTES_MAX {
            return file(format!("its head says that it has {length} bytes, and at most {HEAD_BYTES_MAX} are read"));
        }
        let Some((head, data)) = rest.split_at_checked(length) else {
            return file(format!("it is cut off: its head has {length} bytes, and {} follow", rest.len()));
        };
        let head: BTreeMap<String, Value> = serde_json::from_slice(head).map_err(|error| {
            NetError::File(format!("its head cannot be read: {}", super::super::on_one_line(&error)))
        })?;
        let tensors = head.len() - usize::from(head.contains_key(SAID));
        if !(1..=TENSORS_MAX).contains(&tensors) {
            return file(format!("it has {tensors} tensors, and 1 to {TENSORS_MAX} are read"));
        }
        Self::within(head, data)
    }

    fn within(head: BTreeMap<String, Value>, data: &'a [u8]) -> Result<Self, NetError> {
        let (mut all, mut said) = (Vec::new(), BTreeMap::new());
        for (name, value) in head {
            if name == SAID {
                // What is no text says nothing.
                said = serde_json::from_value(value).unwrap_or_default();
            } else {
                all.push((Entry::read(&name, value)?, name));
            }
        }
        all.sort_by_key(|(entry, _)| entry.data_offsets);
        let (mut at, mut rest) = (0, BTreeMap::new());
        for (Entry { dtype, shape, data_offsets: [begin, end] }, name) in all {
            let wrong = |what: String| Err(NetError::layer(&name, what));
            let Some(kind) = Number::named(&dtype) else {
                return wrong(format!("its numbers are {}, and F32, F16 and BF16 are read", shown(&dtype)));
            };
            if begin != at {
                return wrong(format!("its bytes begin at {begin}, and those before it end at {at}"));
            }
            let Some(bytes) = data.get(begin..end) else {
                let what = "it is damaged or cut off; copy the file again";
                return wrong(format!("its bytes are {begin} to {end}, and the file ends at {}: {what}", data.len()));
            };
            let size = shape.iter().try_fold(kind.bytes(), |size, edge| size.checked_mul(*edge));
            if size != Some(bytes.len()) {
                return wrong(format!("its shape {} does not fit its {} bytes", edges(&shape), bytes.len()));
            }
            at = end;
            rest.insert(name, Tensor { kind, shape, bytes });
        }
        if at != data.len() {
            return Err(NetError::File(format!("{} bytes follow its last tensor", data.len() - at)));
        }
        Ok(Self { rest, said })
    }

    /// Returns whether there is a tensor with this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.rest.contains_key(name)
    }

    /// Returns whether there is a tensor whose name begins so.
    pub(super) fn begins(&self, start: &str) -> bool {
        self.rest.range(start.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(start))
    }

    /// Returns the highest number that follows this start of a name.
    pub(super) fn highest(&self, start: &str) -> usize {
        let rests = self.rest.keys().filter_map(|name| name.strip_prefix(start));
        rests.filter_map(|rest| rest.split('.').next()?.parse().ok()).max().unwrap_or_default()
    }

    /// Returns how many tensors there are, and the name of the first.
    pub(super) fn left(&self) -> (usize, Option<&str>) {
        (self.rest.len(), self.rest.keys().next().map(String::as_str))
    }

    /// Returns how long an edge of a tensor is, counted from 0; `None` if it has no such edge, or is not there.
    pub(super) fn edge(&self, name: &str, edge: usize) -> Option<usize> {
        self.rest.get(name)?.shape.get(edge).copied()
    }

    /// Takes the numbers of a tensor that must have this shape.
    pub(super) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, NetError> {
        let Some(tensor) = self.rest.remove(name) else {
            return Err(NetError::layer(name, "the file has none, and this net needs it"));
        };
        if tensor.shape != shape {
            let [has, needs] = [&tensor.shape[..], shape].map(edges);
            return Err(NetError::layer(name, format!("its shape is {has}, and this net needs {needs}")));
        }
        let numbers = tensor.numbers();
        let odd = numbers.iter().position(|number| !number.is_finite());
        odd.map_or(Ok(numbers), |at| Err(NetError::layer(name, format!("its number {at} is not finite"))))
    }

    /// Leaves a tensor alone.
    pub(super) fn drop(&mut self, name: &str) {
        self.rest.remove(name);
    }
}

impl Entry {
    fn read(name: &str, value: Value) -> Result<Self, NetError> {
        if name.len() > NAME_MAX || name.chars().any(char::is_control) {
            return Err(NetError::File(format!("it has a tensor with an odd name, `{}`", shown(name))));
        }
        let entry: Self = serde_json::from_value(value).map_err(|error| {
            NetError::layer(name, format!("its head cannot be read: {}", super::super::on_one_line(&error)))
        })?;
        if entry.shape.len() > RANK_MAX {
            return Err(NetError::layer(
                name,
                format!("it has {} edges, and a net has {RANK_MAX} at most", entry.shape.len()),
            ));
        }
        Ok(entry)
    }
}

impl Number {
    fn named(name: &str) -> Option<Self> {
        [(Self::F32, "F32"), (Self::F16, "F16"), (Self::Bf16, "BF16")]
            .into_iter()
            .find(|(_, own)| *own == name)
            .map(|(kind, _)| kind)
    }

    fn bytes(self) -> usize {
        if self == Self::F32 { 4 } else { 2 }
    }
}

impl Tensor<'_> {
    fn numbers(&self) -> Vec<f32> {
        let halves = || self.bytes.as_chunks().0.iter().map(|bytes| u16::from_le_bytes(*bytes));
        match self.kind {
            Number::F32 => self.bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            Number::F16 => halves().map(from_half).collect(),
            Number::Bf16 => halves().map(|half| f32::from_bits(u32::from(half) << 16)).collect(),
        }
    }
}

/// Returns a shape for a person.
fn edges(shape: &[usize]) -> String {
    if shape.is_empty() {
        "that of one number".to_owned()
    } else {
        shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
    }
}

/// Returns the beginning of foreign text, on one line.
pub(super) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let plain: String = text.chars().filter(|char| !char.is_control()).take(CHARS_MAX + 1).collect();
    match plain.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns a file with such tensors, of F32.
    pub(in super::super) fn file(tensors: &[(String, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
        let (mut entries, mut data) = (vec![r#""__metadata__":{"license":"CC0-1.0"}"#.to_owned()], Vec::new());
        for (name, shape, numbers) in tensors {
            let begin = data.len();
            data.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            entries.push(entry(name, "F32", &format!("{shape:?}"), begin, data.len()));
        }
        raw(&format!("{{{}}}", entries.join(",")), &data)
    }

    fn entry(name: &str, kind: &str, shape: &str, begin: usize, end: usize) -> String {
        format!(r#""{name}":{{"dtype":"{kind}","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
    }

    fn raw(head: &str, data: &[u8]) -> Vec<u8> {
        [&(head.len() as u64).to_le_bytes()[..], head.as_bytes(), data].concat()
    }

    #[test]
    fn each_kind_of_number_is_read() {
        let head =
            [entry("a", "F32", "[1,2]", 0, 8), entry("b", "F16", "[1]", 8, 10), entry("c", "BF16", "[]", 10, 12)];
        let data = [&1.5_f32.to_le_bytes()[..], &(-2.0_f32).to_le_bytes(), &[0x00, 0x3c], &[0xc0, 0x3f]].concat();
        let file = raw(&format!("{{{}}}", head.join(",")), &data);
        let mut tensors = Tensors::read(&file).unwrap();
        assert!(tensors.has("a") && !tensors.has("d") && tensors.begins("b") && !tensors.begins("bb"));
        assert_eq!((tensors.edge("a", 1), tensors.edge("a", 2), tensors.left()), (Some(2), None, (3, Some("a"))));
        assert_eq!(tensors.highest("a"), 0);
        assert_eq!(tensors.take("a", &[1, 2]), Ok(vec![1.5, -2.0]));
        assert_eq!(tensors.take("b", &[1]), Ok(vec![1.0]));
        assert_eq!(tensors.take("c", &[]), Ok(vec![1.5]));
        assert_eq!(tensors.left(), (0, None));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let one = |entry: String, data: usize| raw(&format!("{{{entry}}}"), &vec![0; data]);
        let two = |begin: usize, end: usize| {
            let both = [entry("a", "F32", "[2]", 0, 8), entry("b", "F32", "[1]", begin, end)];
            raw(&format!("{{{}}}", both.join(",")), &[0; 12])
        };
        let many: Vec<String> = (0..=TENSORS_MAX).map(|n| entry(&n.to_string(), "F32", "[0]", 0, 0)).collect();
        let cases: Vec<(Vec<u8>, &str)> = vec![
            (vec![1, 2], "it is no safetensors file: it has 2 bytes"),
            (b"PK\x03\x04 and a pickle in it".to_vec(), "it is no safetensors file: it has no head"),
            (raw("{}", &[])[..9].to_vec(), "it is cut off: its head has 2 bytes, and 1 follow"),
            (
                [&[255; 8][..], b"{"].concat(),
                "its head says that it has 18446744073709551615 bytes, and at most 1048576",
            ),
            (raw("{\"a\":", &[]), "its head cannot be read: EOF while parsing a value at line 1 column 5"),
            (raw("{}", &[]), "it has 0 tensors, and 1 to 2048 are read"),
            (raw(&format!("{{{}}}", many.join(",")), &[]), "it has 2049 tensors, and 1 to 2048 are read"),
            (raw("{\"a\":7}", &[]), "layer `a`: its head cannot be read: invalid type: integer `7`"),
            (
                one(entry("a", "F32", "[-1]", 0, 4), 4),
                "layer `a`: its head cannot be read: invalid value: integer `-1`",
            ),
            (one(entry("a", "I64", "[1]", 0, 8), 8), "layer `a`: its numbers are I64, and F32, F16 and BF16 are read"),
            (one(entry("a", "F32", "[1,1,1,1,1]", 0, 4), 4), "layer `a`: it has 5 edges, and a net has 4 at most"),
            (one(entry("a", "F32", "[3]", 0, 8), 8), "layer `a`: its shape 3 does not fit its 8 bytes"),
            (
                one(entry("a", "F32", "[4294967296,4294967296,4]", 0, 8), 8),
                "layer `a`: its shape 4294967296×4294967296×4 does not fit its 8 bytes",
            ),
            (
                one(entry("a", "F32", "[2]", 0, 8), 4),
                "layer `a`: its bytes are 0 to 8, and the file ends at 4: it is damaged or cut off",
            ),
            (one(entry("a", "F32", "[2]", 8, 0), 8), "layer `a`: its bytes begin at 8, and those before it end at 0"),
            (one(entry("a", "F32", "[1]", 0, 4), 6), "2 bytes follow its last tensor"),
            (two(4, 8), "layer `b`: its bytes begin at 4, and those before it end at 8"),
            (two(9, 13), "layer `b`: its bytes begin at 9, and those before it end at 8"),
            (one(entry(&"n".repeat(200), "F32", "[1]", 0, 4), 4), "it has a tensor with an odd name, `nnnnnnnn"),
        ];
        for (bytes, expected) in cases {
            let told = Tensors::read(&bytes).unwrap_err().to_string();
            assert!(told.starts_with(expected), "{told}, not {expected}");
        }
    }

    #[test]
    fn what_a_net_does_not_get_is_said() {
        let data = [f32::NAN.to_le_bytes(), f32::INFINITY.to_le_bytes()].concat();
        let file = raw(&format!("{{{}}}", entry("a", "F32", "[2]", 0, 8)), &data);
        let cases = [
            ("b", &[2][..], "layer `b`: the file has none, and this net needs it"),
            ("a", &[1, 2], "layer `a`: its shape is 2, and this net needs 1×2"),
            ("a", &[], "layer `a`: its shape is 2, and this net needs that of one number"),
            ("a", &[2], "layer `a`: its number 0 is not finite"),
        ];
        for (name, shape, expected) in cases {
            let told = Tensors::read(&file).unwrap().take(name, shape).unwrap_err().to_string();
            assert_eq!(told, expected);
        }
    }
}
