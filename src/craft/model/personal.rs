//! Finds the path of a person's own folder in a model: programs write there where a texture or a scene lay.

use std::io::{self, Read};

/// What a path to such a folder has before the name of the person; a text in a text doubles each `\`.
const STARTS: [&[u8]; 3] = [b"/home/", b"/Users/", b"\\Users\\"];
/// How many bytes are read at a time, and the most that are looked at behind such a start.
const PIECE_BYTES: u64 = 64 << 10;
const PATH_BYTES_MAX: usize = 128;

/// Returns the first folder of a person's own that a file names as text. What is compressed in it is not searched.
pub fn personal_path(mut reader: impl Read) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    loop {
        let read = reader.by_ref().take(PIECE_BYTES).read_to_end(&mut bytes)?;
        // One that is not all there yet is looked at with the next piece.
        let searched = if read == 0 { bytes.len() } else { bytes.len().saturating_sub(PATH_BYTES_MAX) };
        let mut separators = (0..searched).filter(|at| is_separator(bytes[*at]));
        let found = separators.find_map(|at| folder(&bytes[at..]));
        if found.is_some() || read == 0 {
            return Ok(found);
        }
        bytes.drain(..searched);
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// Returns the folder that a path names which begins here; a name without anything in it is none.
fn folder(path: &[u8]) -> Option<String> {
    let start = STARTS.into_iter().find(|start| path.starts_with(start))?;
    let rest = &path[start.len()..path.len().min(PATH_BYTES_MAX)];
    let name = &rest[rest.iter().position(|byte| !is_separator(*byte))?..];
    let end =
        name.iter().position(|byte| is_separator(*byte) || byte.is_ascii_control() || b"\"'<>|*?".contains(byte))?;
    let start = String::from_utf8_lossy(start);
    is_separator(name[end]).then(|| format!("{start}{}", String::from_utf8_lossy(&name[..end])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A model went to markets with the name of its maker in it, and nothing was said.
    #[test]
    fn a_folder_of_a_person_is_seen() {
        for (text, expected) in [
            ("map_Kd C:\\Users\\Jane Doe\\wood.png", Some("\\Users\\Jane Doe")),
            (r#"{"uri": "C:\\Users\\jane\\wood.png"}"#, Some("\\Users\\jane")),
            ("file:///C:/Users/jane/wood.png", Some("/Users/jane")),
            ("\0\x0a/home/j\u{f6}rg/scene.blend\0", Some("/home/j\u{f6}rg")),
            ("textures/wood.png", None),
            ("C:\\textures\\wood.png", None),
            ("/home/", None),
            ("a word on /home/ and \"/Users/\"", None),
            ("/home/jane", None),
        ] {
            for before in [0, 1, 65_500, 65_530, 65_536, 131_000] {
                let bytes = [&vec![b'.'; before], text.as_bytes()].concat();
                assert_eq!(personal_path(&bytes[..]).unwrap().as_deref(), expected, "{text} {before}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(prop_oneof![Just(b'/'), Just(b'\\'), any::<u8>()], 0..300)) {
            for start in STARTS {
                let _ = personal_path(&[start, &bytes].concat()[..]);
            }
        }
    }
}
