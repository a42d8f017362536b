//! STL and PLY: the numbers of their triangles and points, and the bytes that those take.

use std::io::{Read, Seek};

use super::{CraftError, Source, TAIL_BYTES, claims, cut};

/// How many bytes are read to recognise a text.
const START_BYTES: u64 = 1024;

/// Checks that an STL holds all the triangles that it counts, or ends as its text form ends.
pub(super) fn stl<R: Read + Seek>(source: &mut Source<R>) -> Result<(), CraftError> {
    let start = source.up_to(0, START_BYTES)?;
    let count = start.get(80..84).map(|count| u32::from_le_bytes(count.try_into().expect("four bytes")));
    let claimed = count.map_or(84, |count| 84 + 50 * u64::from(count));
    // A binary one may begin with `solid` too, but has exactly this size.
    let is_text = start.starts_with(b"solid") && start.is_ascii() && !start.contains(&0);
    if claimed == source.length || (!is_text && claimed < source.length) {
        return Ok(());
    }
    if !is_text {
        return Err(claims("the model", claimed, source.length));
    }
    let tail = source.up_to(source.length.saturating_sub(TAIL_BYTES), TAIL_BYTES)?.to_ascii_lowercase();
    let is_whole = tail.windows(8).any(|window| window == b"endsolid");
    if is_whole { Ok(()) } else { Err(cut("it does not end with `endsolid`")) }
}

/// Checks that a PLY holds all the elements that its header counts.
pub(super) fn ply<R: Read + Seek>(source: &mut Source<R>) -> Result<(), CraftError> {
    let start = source.up_to(0, TAIL_BYTES)?;
    let Some(header) = Header::read(&start) else {
        let is_cut = source.length <= TAIL_BYTES;
        return if is_cut { Err(cut("its header has no end")) } else { Ok(()) };
    };
    source.go(header.bytes)?;
    match header.format {
        Format::Text => text_lines(source, header.elements.iter().map(|element| element.count).sum()),
        Format::Binary(number) => header.elements.iter().try_for_each(|element| element.skip_all(source, number)),
        Format::Unknown => Ok(()),
    }
}

/// Checks that at least `wanted` more lines of a text are not empty.
fn text_lines<R: Read + Seek>(source: &mut Source<R>, wanted: u64) -> Result<(), CraftError> {
    let (mut lines, mut is_in_line) = (0_u64, false);
    let mut buffer = vec![0; 64 << 10];
    while lines < wanted && source.at < source.length {
        let part = buffer.len().min(usize::try_from(source.length - source.at).unwrap_or(usize::MAX));
        source.read(&mut buffer[..part])?;
        for byte in &buffer[..part] {
            let is_end = matches!(byte, b'\n' | b'\r');
            lines += u64::from(is_end && is_in_line);
            is_in_line = if is_end { false } else { is_in_line || !byte.is_ascii_whitespace() };
        }
    }
    let lines = lines + u64::from(is_in_line);
    if lines >= wanted { Ok(()) } else { Err(cut(&format!("it counts {wanted} elements and has {lines} lines"))) }
}

#[derive(Clone, Copy)]
enum Format {
    Text,
    /// How bytes are read as a number.
    Binary(fn(&[u8]) -> u64),
    Unknown,
}

struct Header {
    format: Format,
    elements: Vec<Element>,
    /// Where the elements begin.
    bytes: u64,
}

struct Element {
    count: u64,
    properties: Vec<Property>,
}

enum Property {
    /// A number of this many bytes.
    One(u64),
    /// How many bytes the count has, and how many each item.
    List(usize, u64),
}

impl Header {
    fn read(start: &[u8]) -> Option<Self> {
        let end = start.windows(10).position(|window| window == b"end_header")? + 10;
        let line_end = if start[end..].starts_with(b"\r\n") { 2 } else { 1 };
        let text = String::from_utf8_lossy(&start[..end]);
        let mut format = Format::Unknown;
        let mut elements: Vec<Element> = Vec::new();
        for line in text.split(['\n', '\r']) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["format", "ascii", ..] => format = Format::Text,
                ["format", "binary_little_endian", ..] => {
                    format =
                        Format::Binary(|bytes| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
                }
                ["format", "binary_big_endian", ..] => {
                    format = Format::Binary(|bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
                }
                ["element", _, count] => elements.push(Element { count: count.parse().ok()?, properties: vec![] }),
                ["property", "list", count, item, _] => {
                    let list = Property::List(usize::try_from(size_of(count)?).ok()?, size_of(item)?);
                    elements.last_mut()?.properties.push(list);
                }
                ["property", kind, _] => elements.last_mut()?.properties.push(Property::One(size_of(kind)?)),
                _ => (),
            }
        }
        elements.iter().try_fold(0_u64, |sum, element| sum.checked_add(element.count))?;
        Some(Self { format, elements, bytes: (end + line_end) as u64 })
    }
}

impl Element {
    /// Moves behind all elements of this sort.
    fn skip_all<R: Read + Seek>(&self, source: &mut Source<R>, number: fn(&[u8]) -> u64) -> Result<(), CraftError> {
        let all: u64 = self.properties.iter().map(|p| if let Property::One(bytes) = p { *bytes } else { 0 }).sum();
        let has_lists = self.properties.iter().any(|property| matches!(property, Property::List(..)));
        if !has_lists {
            let end = source.at.saturating_add(all.saturating_mul(self.count));
            return if end <= source.length { source.go(end) } else { Err(claims("the model", end, source.length)) };
        }
        for _ in 0..self.count {
            for property in &self.properties {
                let step = match property {
                    Property::One(bytes) => *bytes,
                    Property::List(bytes, item) => {
                        let mut count = [0; 8];
                        source.read(&mut count[..*bytes])?;
                        number(&count[..*bytes]).saturating_mul(*item)
                    }
                };
                let end = source.at.saturating_add(step);
                if end > source.length {
                    return Err(claims("the model", end, source.length));
                }
                source.go(end)?;
            }
        }
        Ok(())
    }
}

/// Returns how many bytes a number of a type has.
fn size_of(kind: &str) -> Option<u64> {
    Some(match kind {
        "char" | "uchar" | "int8" | "uint8" => 1,
        "short" | "ushort" | "int16" | "uint16" => 2,
        "int" | "uint" | "int32" | "uint32" | "float" | "float32" => 4,
        "double" | "float64" | "int64" | "uint64" => 8,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use crate::model::Kind;

    #[test]
    fn triangles_are_counted() {
        let binary = |start: &[u8], count: u32, bytes: usize| {
            let mut head = start.to_vec();
            head.resize(80, 1);
            [&head[..], &count.to_le_bytes(), &vec![0; bytes]].concat()
        };
        let cases = [
            (binary(b"", 2, 100), true),
            (binary(b"solid cube", 2, 100), true),
            (binary(b"", 2, 101), true),
            (binary(b"", 2, 99), false),
            (binary(b"", 100, 50), false),
            (b"solid x\nfacet normal 0 0 0\nendfacet\nendsolid\n".to_vec(), true),
            (b"solid x\nfacet normal 0 0 0\nENDSOLID x\r\n".to_vec(), true),
            ([&b"solid x\n"[..], &b"facet normal 0 0 0\n".repeat(50)].concat(), false),
        ];
        for (n, (bytes, expected)) in cases.into_iter().enumerate() {
            assert_eq!(check(bytes, Kind::Stl), expected, "case {n}");
        }
    }

    #[test]
    fn elements_are_counted() {
        let text = |end: &str, body: &str| {
            format!("ply{end}format ascii 1.0{end}element vertex 2{end}property float x{end}end_header{end}{body}")
        };
        let faces = "element face 2\nproperty list uchar int vertex_indices\nproperty uchar r\n";
        let binary = |body: &[u8]| {
            let head = format!(
                "ply\nformat binary_little_endian 1.0\nelement vertex 1\nproperty float x\n{faces}end_header\n"
            );
            [head.as_bytes(), &[0; 4], body].concat()
        };
        let triangle = [&[3][..], &[0; 13]].concat();
        let quad = [&[4][..], &[0; 17]].concat();
        let cases = [
            (text("\n", "1\n2\n").into_bytes(), true),
            (text("\r\n", "1\r\n2").into_bytes(), true),
            (text("\r\n", "1\r\n\r\n").into_bytes(), false),
            (b"ply\nformat ascii 1.0\nelement vertex 0\nend_header\n".to_vec(), true),
            (b"ply\nformat ascii 1.0\nelement ver".to_vec(), false),
            (binary(&[&triangle[..], &quad].concat()), true),
            (binary(&[&triangle[..], &quad[..17]].concat()), false),
            (binary(&triangle), false),
            // A count that no file can hold costs nothing.
            (
                b"ply\nformat binary_big_endian 1.0\nelement x 18446744073709551615\nproperty double y\nend_header\n"
                    .to_vec(),
                false,
            ),
            (b"ply\nformat binary_big_endian 1.0\nelement x 18446744073709551615\nend_header\n".to_vec(), true),
        ];
        for (n, (bytes, expected)) in cases.into_iter().enumerate() {
            assert_eq!(check(bytes, Kind::Ply), expected, "case {n}");
        }
    }
}
