use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path below the root, `/`-separated, never empty, never leaving the root.
///
/// The first part names the area (`raw`, `archive`, `.stockmill`, …); where an area really lies is
/// known to the vault alone, since a stage folder may lie on another disk. Names are bytes: what a
/// person drops need not be UTF-8. Clones share them, since each of a hundred thousand files is held in several maps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(Arc<[u8]>);

/// Why a text is not a path below the root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// Nothing was given.
    #[error("the path is empty")]
    Empty,
    /// It starts with `/`, or a part is empty, `.` or `..`.
    #[error("`{0}` does not stay below the root")]
    Escapes(String),
}

impl RelPath {
    /// Returns the path if every part is a plain name.
    pub fn new(text: impl AsRef<OsStr>) -> Result<Self, PathProblem> {
        let bytes = text.as_ref().as_bytes();
        if bytes.is_empty() {
            return Err(PathProblem::Empty);
        }
        let plain = |part: &[u8]| !part.is_empty() && part != b"." && part != b".." && !part.contains(&0);
        if bytes.split(|b| *b == b'/').all(plain) {
            Ok(Self(bytes.into()))
        } else {
            Err(PathProblem::Escapes(escape_bytes(bytes)))
        }
    }

    /// Returns the path of an entry directly in this folder.
    ///
    /// # Panics
    /// If `name` is not a plain name; names come from a folder listing or from the naming rule.
    #[must_use]
    pub fn join(&self, name: impl AsRef<OsStr>) -> Self {
        let tail = Self::new(name).expect("an entry's name is a plain path");
        let mut bytes = self.0.to_vec();
        bytes.push(b'/');
        bytes.extend_from_slice(&tail.0);
        Self(bytes.into())
    }

    /// Returns the path for the operating system, below whatever stands for the root.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// Returns the parts from the root down.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &OsStr> {
        self.0.split(|b| *b == b'/').map(OsStr::from_bytes)
    }

    /// Returns the first part: the area.
    pub fn area(&self) -> &OsStr {
        self.parts().next().expect("a path has a part")
    }

    /// Returns the path of the area that this lies in.
    #[must_use]
    pub fn area_path(&self) -> Self {
        Self(self.area().as_bytes().into())
    }

    /// Returns the folder that holds this entry, or `None` for an area.
    pub fn parent(&self) -> Option<Self> {
        let cut = self.0.iter().rposition(|b| *b == b'/')?;
        Some(Self(self.0[..cut].into()))
    }

    /// Returns the last part.
    pub fn file_name(&self) -> &OsStr {
        self.parts().next_back().expect("a path has a part")
    }

    /// Returns the file name as text, undecodable bytes replaced.
    pub fn file_text(&self) -> String {
        self.file_name().to_string_lossy().into_owned()
    }

    /// Returns the file name without its last extension.
    pub fn stem(&self) -> OsString {
        Path::new(self.file_name()).file_stem().unwrap_or_default().to_owned()
    }

    /// Returns the whole path without its last extension.
    pub fn without_extension(&self) -> &OsStr {
        let name = self.file_name();
        let stem = Path::new(name).file_stem().unwrap_or_default();
        OsStr::from_bytes(&self.0[..self.0.len() - name.len() + stem.len()])
    }

    /// Returns the last extension in lower case, or an empty text.
    pub fn extension(&self) -> String {
        Path::new(self.file_name()).extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
    }

    /// Returns this path with `suffix` added to the file name.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        let mut bytes = self.0.to_vec();
        bytes.extend_from_slice(suffix.as_bytes());
        Self(bytes.into())
    }

    /// Returns the path of an entry with another name in the same folder.
    #[must_use]
    pub fn sibling(&self, name: impl AsRef<OsStr>) -> Self {
        match self.parent() {
            Some(folder) => folder.join(name),
            None => Self::new(name).expect("an entry's name is a plain path"),
        }
    }

    /// Returns whether this path is `folder` or lies below it.
    pub fn is_in(&self, folder: &Self) -> bool {
        self.as_path().starts_with(folder.as_path())
    }

    /// Returns the range of all paths below this folder, in the order of paths.
    pub fn inside(&self) -> std::ops::Range<Self> {
        // `0` comes right after `/`.
        let bound = |end: u8| Self(self.0.iter().copied().chain([end]).collect());
        bound(b'/')..bound(b'0')
    }

    /// Returns the path relative to `folder`, or `None` if it is not strictly below it.
    pub fn below(&self, folder: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&*folder.0)?.strip_prefix(b"/")?;
        Some(Self(rest.into()))
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape_bytes(&self.0))
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for RelPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&escape_bytes(&self.0))
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = unescape(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` has a broken escape")))?;
        Self::new(OsString::from_vec(bytes)).map_err(serde::de::Error::custom)
    }
}

/// Returns `bytes` as one line of text: control characters, invisible direction marks, undecodable
/// bytes and `\` are written `\xNN`, so that no name can forge a log line; reversible.
pub fn escape_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push_visible(&mut text, chunk.valid(), |c| c == '\\');
        push_escaped(&mut text, chunk.invalid());
    }
    text
}

/// Returns a sentence as one line of text: what is escaped in it already, such as a path, stays as it is.
pub fn on_one_line(sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    push_visible(&mut text, sentence, |_| false);
    text
}

fn push_visible(text: &mut String, part: &str, is_escaped_too: impl Fn(char) -> bool) {
    for c in part.chars() {
        let hidden =
            matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if c.is_control() || hidden || is_escaped_too(c) {
            let mut buffer = [0; 4];
            push_escaped(text, c.encode_utf8(&mut buffer).as_bytes());
        } else {
            text.push(c);
        }
    }
}

fn push_escaped(text: &mut String, bytes: &[u8]) {
    use fmt::Write as _;
    for b in bytes {
        write!(text, "\\x{b:02x}").expect("writing to a text cannot fail");
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'\\' {
            bytes.push(hex_byte(tail.strip_prefix(b"x")?.get(..2)?)?);
            rest = &tail[3..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    Some(bytes)
}

/// Returns the byte that two hex digits stand for. The standard library would take `+f` as well.
pub fn hex_byte(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let value = char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_that_leave_the_root_are_refused() {
        for bad in ["", "/a", "a/../b", "a//b", "./a", "a/", ".."] {
            assert!(RelPath::new(bad).is_err(), "{bad}");
        }
        assert!(RelPath::new("raw/..png").is_ok());
    }

    /// `explain` showed `\\x5cx0a` for a line break in a name.
    #[test]
    fn what_is_escaped_is_not_escaped_again() {
        let name = escape_bytes(b"a\nb\\c");
        assert_eq!(name, r"a\x0ab\x5cc");
        assert_eq!(on_one_line(&format!("`{name}`\nis odd\u{202e}")), format!(r"`{name}`\x0ais odd\xe2\x80\xae"));
    }

    #[test]
    fn a_path_is_cut_at_its_parts() {
        // (path, area, parent, file name, stem, without its extension, extension)
        let cases = [
            ("raw/t/a.PNG", "raw", Some("raw/t"), "a.PNG", "a", "raw/t/a", "png"),
            ("raw/t/a.png.yaml", "raw", Some("raw/t"), "a.png.yaml", "a.png", "raw/t/a.png", "yaml"),
            ("raw/a", "raw", Some("raw"), "a", "a", "raw/a", ""),
            ("raw/t.d/.x", "raw", Some("raw/t.d"), ".x", ".x", "raw/t.d/.x", ""),
            ("raw", "raw", None, "raw", "raw", "raw", ""),
            ("raw/a.", "raw", Some("raw"), "a.", "a", "raw/a", ""),
        ];
        for (text, area, parent, name, stem, without, extension) in cases {
            let path = RelPath::new(text).unwrap();
            assert_eq!((path.area(), path.area_path().to_string().as_str()), (OsStr::new(area), area), "{text}");
            assert_eq!(path.parent().map(|parent| parent.to_string()).as_deref(), parent, "{text}");
            assert_eq!((path.file_name(), path.file_text().as_str()), (OsStr::new(name), name), "{text}");
            assert_eq!(path.stem(), OsStr::new(stem), "{text}");
            assert_eq!(path.without_extension(), OsStr::new(without), "{text}");
            assert_eq!(path.extension(), extension, "{text}");
            assert_eq!(path.with_suffix(".x").to_string(), format!("{text}.x"));
            assert_eq!(path.join("n").to_string(), format!("{text}/n"));
        }
        let path = |text: &str| RelPath::new(text).unwrap();
        assert_eq!(path("raw/t/a").sibling("b"), path("raw/t/b"));
        assert_eq!(path("raw").sibling("keep"), path("keep"));
        let cases =
            [("raw/t/a", "raw/t", true, Some("a")), ("raw/t", "raw/t", true, None), ("raw/ta/a", "raw/t", false, None)];
        for (inner, folder, is_in, below) in cases {
            let (inner, folder) = (path(inner), path(folder));
            assert_eq!((inner.is_in(&folder), inner.below(&folder)), (is_in, below.map(path)), "{inner}");
        }
    }

    #[test]
    fn all_that_lies_below_a_folder_is_one_range() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let all: std::collections::BTreeSet<RelPath> =
            ["raw/a", "raw/a-b/x", "raw/a.png", "raw/a/x", "raw/a/y/z", "raw/a0"].map(path).into();
        let below: Vec<&RelPath> = all.range(path("raw/a").inside()).collect();
        assert_eq!(below, [&path("raw/a/x"), &path("raw/a/y/z")]);
    }

    #[test]
    fn a_name_cannot_forge_a_log_line() {
        let path = RelPath::new("raw/a\n2026 INFO Moved.\x1b[31m\u{202e}gnp").unwrap();
        assert_eq!(path.to_string(), "raw/a\\x0a2026 INFO Moved.\\x1b[31m\\xe2\\x80\\xaegnp");
    }

    #[test]
    fn only_two_hex_digits_are_an_escape() {
        assert_eq!(unescape("a\\x0Ab").as_deref(), Some(&b"a\nb"[..]));
        for bad in ["\\x+f", "\\x f", "\\x1", "\\y00", "\\"] {
            assert_eq!(unescape(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_name_survives_the_journal(bytes in proptest::collection::vec(1_u8.., 1..40)) {
            if let Ok(path) = RelPath::new(OsString::from_vec(bytes)) {
                let text = serde_json::to_string(&path).unwrap();
                prop_assert_eq!(serde_json::from_str::<RelPath>(&text).unwrap(), path);
            }
        }
    }
}
