use std::path::PathBuf;

use super::nodes::Nodes;
use super::{Problem, Problems, Settings};

/// What lies in the root besides the folders that can be set.
const FIXED: [&str; 4] = [".stockmill", "markets", "models", "tagsets"];

/// Returns the folders that must lie beside each other, each with the key that sets it, or with its name in the root.
pub fn own_folders(settings: &Settings) -> Vec<(String, PathBuf)> {
    let folders = &settings.folders;
    let set = [
        ("ideas", &folders.ideas),
        ("raw", &folders.raw),
        ("keep", &folders.keep),
        ("export", &folders.export),
        ("upload", &folders.upload),
        ("archive", &folders.archive),
        ("failed", &folders.failed),
        ("logs", &folders.logs),
    ];
    let fixed = FIXED.map(|name| (name.to_owned(), settings.root.join(name)));
    fixed.into_iter().chain(set.map(|(name, path)| (format!("folders.{name}"), path.clone()))).collect()
}

/// Returns a problem for each of [`own_folders`] that lies in an earlier one or holds it, whatever their names say.
/// `overlap` compares two of them by their numbers.
pub fn check_places(text: &str, settings: &Settings, overlap: &dyn Fn(usize, usize) -> bool) -> Result<(), Problems> {
    let folders = own_folders(settings);
    let nodes = Nodes::read(text).map_err(|problem| Problems(vec![problem]))?;
    let problem = |at: usize, other: usize| -> Problem {
        let ((key, path), (other, taken)) = (&folders[at], &folders[other]);
        let what = format!(
            "`{}` is the same place on the disk as `{}` ({other}), or one lies in the other (by a link, a mount, `..` or \
             case)",
            path.display(),
            taken.display()
        );
        nodes.problem(key, what, Some("give each a folder of its own, beside the others".to_owned()))
    };
    // One line for each folder: what overlaps all others needs no line for each of them.
    let found = (FIXED.len()..folders.len())
        .filter_map(|at| (0..at).find(|other| overlap(at, *other)).map(|other| problem(at, other)));
    let problems: Vec<Problem> = found.collect();
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_are_one_place_are_named_with_their_line() {
        let text = "folders:\n  keep: /mnt/a\n  logs: /mnt/b\n";
        let settings = crate::config::load(text, "/r".as_ref(), &crate::market::built_in().unwrap()).unwrap();
        let folders = own_folders(&settings);
        let number = |key: &str| folders.iter().position(|(name, _)| name == key).unwrap();
        let cases = [
            (("folders.keep", "folders.raw"), Some("line 2, column 9: `folders.keep`: `/mnt/a` is the same place")),
            (("folders.logs", ".stockmill"), Some("line 3, column 9: `folders.logs`: `/mnt/b` is the same place")),
            // What lies in the root is no setting.
            (("markets", ".stockmill"), None),
        ];
        for ((one, other), expected) in cases {
            let same = [number(one), number(other)];
            let overlap = |at: usize, other: usize| same.contains(&at) && same.contains(&other);
            let said = check_places(text, &settings, &overlap).map_err(|problems| problems.to_string());
            assert_eq!(said.is_err(), expected.is_some(), "{one} {other}");
            assert!(expected.is_none_or(|expected| said.unwrap_err().starts_with(expected)), "{one} {other}");
        }
    }
}
