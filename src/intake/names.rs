use crate::model::RelPath;

/// Endings that other programs give to files which are not finished.
const TEMPORARY_ENDINGS: [&str; 14] = [
    "~",
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".tmp",
    ".temp",
    ".!qb",
    ".aria2",
    ".filepart",
    ".ut!",
    ".swp",
    ".opdownload",
    ".uploading",
];
/// Beginnings of names that belong to other programs.
const FOREIGN_BEGINNINGS: [(&str, &str); 4] = [
    (".", "its name is hidden"),
    ("~$", "its name is an office program's lock"),
    ("#", "its name is an editor's temporary one"),
    ("~", "its name is another program's temporary one"),
];
/// Names that systems leave behind.
const LITTER: [&str; 3] = ["thumbs.db", "desktop.ini", "@eadir"];

/// Returns why a name is left alone, or `None` if it is an ordinary one. `extra` are a person's own
/// patterns, with `*` and `?`.
pub fn left_alone(name: &str, extra: &[String]) -> Option<String> {
    let lower = name.to_lowercase();
    if let Some((_, why)) = FOREIGN_BEGINNINGS.iter().find(|(beginning, _)| lower.starts_with(beginning)) {
        return Some((*why).to_owned());
    }
    if let Some(ending) = TEMPORARY_ENDINGS.iter().find(|ending| lower.ends_with(*ending)) {
        return Some(format!("its name ends in `{ending}`: another program is not done with it"));
    }
    if LITTER.contains(&lower.as_str()) {
        return Some("the system put it there".to_owned());
    }
    let pattern = extra.iter().find(|pattern| matches(pattern.as_bytes(), name.as_bytes()))?;
    Some(format!("`settle.ignore` names `{pattern}`"))
}

/// Returns whether a name matches a pattern of plain characters, `*` and `?`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, n) = (at + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

/// Returns the name that an unfinished download will have, if a name looks like one.
pub fn downloads_as(name: &str) -> Option<&str> {
    const ENDINGS: [&str; 8] =
        [".part", ".partial", ".crdownload", ".download", ".!qb", ".aria2", ".filepart", ".opdownload"];
    let cut = ENDINGS.iter().find_map(|ending| {
        let at = name.len().checked_sub(ending.len())?;
        name.get(at..).is_some_and(|tail| tail.eq_ignore_ascii_case(ending)).then_some(at)
    })?;
    // What is nothing but endings and dots will not be called anything.
    Some(&name[..cut]).filter(|name| !name.chars().all(|c| c == '.'))
}

/// Returns whether a file in `ideas` is a note by its extension.
pub fn is_note(path: &RelPath) -> bool {
    matches!(path.extension().as_str(), "md" | "markdown" | "txt" | "csv" | "tsv" | "yaml" | "yml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_programs_are_left_alone() {
        for name in [".hidden", "a.png.part", "a.crdownload", "~$a.docx", "a.png~", "Thumbs.db", ".a.png.Xy12Zw"] {
            assert!(left_alone(name, &[]).is_some(), "{name}");
        }
        for name in ["a.png", "partial.png", "temp.jpg", "a~b.png"] {
            assert_eq!(left_alone(name, &[]), None, "{name}");
        }
        assert!(left_alone("preview_01.png", &["preview_*.p?g".to_owned()]).is_some());
        assert_eq!(left_alone("preview_01.jpeg", &["preview_*.p?g".to_owned()]), None);
    }
}
