use std::fmt;
use std::sync::Arc;

use super::RelPath;

/// The folder of nets that people bring, in the root.
const FOLDER: &str = "models";
/// How the name of a net's file ends.
const ENDING: &str = ".safetensors";
/// The longest name in bytes: that of a file, without its ending.
const BYTES_MAX: usize = 128;

/// What settings, tags and recipes call a net that somebody brought: the name of its file, without the ending.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetName(Arc<str>);

impl NetName {
    /// Returns the name if it can stand in settings and in a recipe.
    pub fn new(text: &str) -> Result<Self, String> {
        let is_plain = |char: char| char.is_alphanumeric() || "-_.+".contains(char);
        if !text.is_empty() && text.len() <= BYTES_MAX && !text.starts_with(['.', '-']) && text.chars().all(is_plain) {
            return Ok(Self(text.into()));
        }
        let shown = super::escape_bytes(text.as_bytes());
        Err(format!(
            "`{shown}` cannot name a net: its file in `{FOLDER}/` must have a name of letters, digits, `-`, `_`, `.` and `+`"
        ))
    }

    /// Returns the name that a file of this name has as a net; `None` if it is no file of a net.
    pub fn of_file(file: &str) -> Option<Result<Self, String>> {
        file.strip_suffix(ENDING).filter(|stem| !stem.starts_with('.')).map(Self::new)
    }

    /// Returns the folder of all nets, in the root.
    pub fn folder() -> RelPath {
        RelPath::new(FOLDER).expect("a constant is a clean path")
    }

    /// Returns where its file lies, in the root.
    pub fn file(&self) -> RelPath {
        Self::folder().join(format!("{self}{ENDING}"))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_plain_signs() {
        let long = "n".repeat(129);
        let rows = [
            ("4x-Foto_v1.2+fine.safetensors", Some(Ok("models/4x-Foto_v1.2+fine.safetensors"))),
            ("größer.safetensors", Some(Ok("models/größer.safetensors"))),
            ("readme.txt", None),
            (".hidden.safetensors", None),
            ("a b.safetensors", Some(Err("`a b` cannot name a net"))),
            ("-x.safetensors", Some(Err("`-x` cannot name a net"))),
            (".safetensors", Some(Err("`` cannot name a net"))),
            (&format!("{long}.safetensors"), Some(Err("`nnn"))),
        ];
        for (file, expected) in rows {
            let found = NetName::of_file(file);
            match (&found, expected) {
                (None, None) => (),
                (Some(Ok(name)), Some(Ok(path))) => assert_eq!(name.file().to_string(), path),
                (Some(Err(why)), Some(Err(start))) => assert!(why.starts_with(start), "{why}"),
                _ => panic!("{file}: {found:?}"),
            }
        }
    }
}
