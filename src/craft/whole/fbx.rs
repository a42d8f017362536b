use std::io::{Read, Seek};

use super::{CraftError, PARTS_MAX, Source, cut};

/// How a binary FBX begins.
pub(in crate::craft) const MARK: &[u8] = b"Kaydara FBX Binary  \0";
/// Where its first node begins.
const NODES: u64 = 27;

/// Checks that the nodes of an FBX are all there.
pub(super) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), CraftError> {
    let head = source.up_to(0, NODES)?;
    if head.starts_with(MARK) { binary(source, &head) } else { ascii(source) }
}

/// Walks the outer nodes: each contains the position of its end, and an empty one ends the list.
fn binary<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> Result<(), CraftError> {
    let version = head.get(23..27).map(|version| u32::from_le_bytes(version.try_into().expect("four bytes")));
    let Some(version) = version else { return Err(cut("its head is not all there")) };
    let width: u64 = if version >= 7500 { 8 } else { 4 };
    let mut at = NODES;
    for _ in 0..PARTS_MAX {
        let node = source.up_to(at, 3 * width + 2)?;
        if node.len() as u64 <= 3 * width {
            return Err(cut("its list of nodes has no end"));
        }
        let end =
            node[..usize::try_from(width).unwrap_or(8)].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        if end == 0 {
            return Ok(());
        }
        let name_bytes = node[usize::try_from(3 * width).unwrap_or(24)];
        let is_node = (1..=64).contains(&name_bytes) && node.last().is_some_and(u8::is_ascii_alphabetic);
        if at == NODES && !is_node {
            return Ok(());
        }
        if !is_node || end <= at || end > source.length {
            return Err(cut("its nodes do not fill it"));
        }
        at = end;
    }
    Ok(())
}

/// Counts the braces of the text form.
fn ascii<R: Read + Seek>(source: &mut Source<R>) -> Result<(), CraftError> {
    let (mut depth, mut is_quoted, mut is_remark) = (0_i64, false, false);
    let mut buffer = vec![0; 64 << 10];
    source.go(0)?;
    while source.at < source.length {
        let part = buffer.len().min(usize::try_from(source.length - source.at).unwrap_or(usize::MAX));
        source.read(&mut buffer[..part])?;
        for byte in &buffer[..part] {
            match byte {
                b'\n' | b'\r' => (is_quoted, is_remark) = (false, false),
                _ if is_remark => (),
                b'"' => is_quoted = !is_quoted,
                b';' if !is_quoted => is_remark = true,
                b'{' if !is_quoted => depth += 1,
                b'}' if !is_quoted => depth -= 1,
                _ => (),
            }
        }
    }
    if depth > 0 { Err(cut("it ends in the middle of a node")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::MARK;
    use crate::model::Kind;

    #[test]
    fn nodes_are_walked() {
        let model = |version: u32| {
            let width = if version >= 7500 { 8 } else { 4 };
            let mut bytes = [MARK, b"\x1a\0", &version.to_le_bytes()].concat();
            for name in [&b"FBXHeaderExtension"[..], b"Objects"] {
                let end = (bytes.len() + 3 * width + 1 + name.len() + 40) as u64;
                bytes.extend(
                    [
                        &end.to_le_bytes()[..width],
                        &vec![0; 2 * width],
                        &[u8::try_from(name.len()).unwrap()],
                        name,
                        &[9; 40],
                    ]
                    .concat(),
                );
            }
            bytes.extend(vec![0; 3 * width + 1]);
            [&bytes[..], b"footer"].concat()
        };
        for version in [7400, 7500] {
            let whole = model(version);
            assert!(check(&whole, Kind::Fbx), "{version}");
            for at in [22, 26, 30, 90, whole.len() - 8] {
                assert!(!check(&whole[..at], Kind::Fbx), "{version} cut at {at}");
            }
            let hollow = [&whole[..100], &vec![0xff; whole.len() - 100]].concat();
            assert!(!check(hollow, Kind::Fbx), "{version}");
        }
        // What is no node at the very start is not judged.
        assert!(check([MARK, b"\x1a\0\xe8\x1c\0\0textures\\wood.png", &[0; 99]].concat(), Kind::Fbx));
        assert!(check("; FBX 7.3.0 {\nObjects:  {\n  Name: \"a{\"\n}\n", Kind::Fbx));
        assert!(!check("; FBX 7.3.0\nObjects:  {\n", Kind::Fbx));
    }
}
