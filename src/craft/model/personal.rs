//! Finds the path of a person's own folder in a model: programs write there where a texture or a scene lay.

use std::io::{self, Read};

/// What comes before the name of a person in a path, in any case of letters, wherever that stands in it.
const STARTS: [&[&str]; 4] = [&["home"], &["users"], &["documents and settings"], &["dokumente und einstellungen"]];
/// The same where a path begins: elsewhere these are folders as any others.
const STARTS_AT_ROOT: [&[&str]; 3] = [&["media"], &["run", "media"], &["volumes"]];
/// How addresses of the web begin, in whose paths such a name is nobody's folder on a disk.
const WEB: [&[u8]; 2] = [b"http://", b"https://"];
/// How many bytes are read at a time, and the most that are looked at before such a start and from it on.
const PIECE_BYTES: u64 = 64 << 10;
const BEFORE_BYTES_MAX: usize = 256;
const PATH_BYTES_MAX: usize = 128;

/// Returns the first folder of a person's own that a file names as text. What is compressed in it is not searched.
pub fn personal_path(mut reader: impl Read) -> io::Result<Option<String>> {
    let (mut bytes, mut from) = (Vec::new(), 0);
    loop {
        let read = reader.by_ref().take(PIECE_BYTES).read_to_end(&mut bytes)?;
        // One that is not all there yet is looked at with the next piece.
        let searched = if read == 0 { bytes.len() } else { bytes.len().saturating_sub(PATH_BYTES_MAX).max(from) };
        let mut separators = (from..searched).filter(|at| is_separator(bytes[*at]));
        let found = separators.find_map(|at| folder(&bytes[..at], &bytes[at..]));
        if found.is_some() || read == 0 {
            return Ok(found);
        }
        let passed = searched.saturating_sub(BEFORE_BYTES_MAX);
        bytes.drain(..passed);
        from = searched - passed;
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// Returns whether a byte is none of a path.
fn is_no_name(byte: u8) -> bool {
    byte.is_ascii_control() || b"\"'<>|*?".contains(&byte)
}

/// Returns the folder that a path names which begins here, or goes on.
fn folder(before: &[u8], path: &[u8]) -> Option<String> {
    let path = &path[..path.len().min(PATH_BYTES_MAX)];
    let at_root = STARTS_AT_ROOT.iter().filter(|_| begins_behind(before));
    let (start, name) = STARTS.iter().chain(at_root).find_map(|words| behind(path, words))?;
    let end = name.iter().position(|byte| is_separator(*byte) || is_no_name(*byte));
    // Longer ones are no names.
    let end = end.or((path.len() < PATH_BYTES_MAX).then_some(name.len()))?;
    let name = &name[..end];
    let is_with_more = path.len() > start + end && is_separator(path[start + end]);
    // The last name in a path may be that of a file.
    let is_name =
        name.first().is_some_and(|first| !first.is_ascii_whitespace()) && (is_with_more || !name.contains(&b'.'));
    (is_name && !is_of_web(before))
        .then(|| String::from_utf8_lossy(&path[..start + end]).replace("\\\\", "\\").replace("//", "/"))
}

/// Returns whether an address of the web goes on behind these bytes.
fn is_of_web(before: &[u8]) -> bool {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || is_no_name(*byte) || b",;()[]{}".contains(byte);
    let word = &before[before.iter().rposition(ends).map_or(0, |end| end + 1)..];
    let begins = |web: &[u8]| word.windows(web.len()).any(|part| part.eq_ignore_ascii_case(web));
    WEB.into_iter().any(begins)
}

/// Returns how long the names at the start of a path are, with what separates them, and what stands behind.
fn behind<'a>(path: &'a [u8], names: &[&str]) -> Option<(usize, &'a [u8])> {
    let past_separators = |rest: &'a [u8]| match rest.iter().position(|byte| !is_separator(*byte)) {
        None | Some(0) => None,
        Some(past) => Some(&rest[past..]),
    };
    // Of several separators the last one, so that the path is told with one.
    let rest = path.get(1..).filter(|rest| rest.first().is_some_and(|byte| !is_separator(*byte)))?;
    let rest = names.iter().try_fold(rest, |rest, name| {
        let (begin, rest) = rest.split_at_checked(name.len())?;
        begin.eq_ignore_ascii_case(name.as_bytes()).then(|| past_separators(rest)).flatten()
    })?;
    Some((path.len() - rest.len(), rest))
}

/// Returns whether a path begins behind these bytes: `file:///` is the start of one, `D:\` and `../` are more of it.
fn begins_behind(before: &[u8]) -> bool {
    let rest = &before[..before.len() - before.iter().rev().take_while(|byte| is_separator(**byte)).count()];
    let is_start = |last: &u8| {
        let is_file = *last == b':' && before.len() - rest.len() >= 2;
        is_file || last.is_ascii_whitespace() || is_no_name(*last) || b"=,;(@[{".contains(last)
    };
    rest.last().is_none_or(is_start)
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
            ("/home/jane", Some("/home/jane")),
            ("map_Kd c:\\users\\jane\\wood.png", Some("\\users\\jane")),
            ("C:\\Documents and Settings\\jane\\x", Some("\\Documents and Settings\\jane")),
            ("\\\\nas\\users\\jane\\x", Some("\\users\\jane")),
            ("# /cygdrive/c/Users/jane\n", Some("/Users/jane")),
            ("# /export/home/jane\n", Some("/home/jane")),
            ("map_Kd /media/jane/disk/wood.png", Some("/media/jane")),
            ("\"/run/media/jane\"", Some("/run/media/jane")),
            ("file:///Volumes/Jane/wood.png", Some("/Volumes/Jane")),
            ("file:///home/jane/x", Some("/home/jane")),
            ("map_Kd ../media/wood/a.png", None),
            ("map_Kd D:\\media\\wood\\a.png", None),
            ("https://a.example/media/wood/a.png", None),
            ("map_Kd textures/home/wood.png", None),
            // An address of the web is no path of a file.
            ("# made with https://a.example/users/jane/scenes\n", None),
            ("\"HTTP://a.example/~x/home/jane/\"", None),
            ("https://a.example/x,/home/jane/wood.png", Some("/home/jane")),
            ("[https://a.example] /Users/jane/wood.png", Some("/Users/jane")),
            ("smb://nas/users/jane/wood.png", Some("/users/jane")),
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
            for words in STARTS.into_iter().chain(STARTS_AT_ROOT) {
                let start = format!("/{}/", words.join("/"));
                let _ = personal_path(&[start.as_bytes(), &bytes].concat()[..]);
            }
        }
    }
}
