//! Recognises names that a person probably meant for settings files, and that would not be read.

use std::io;
use std::path::Path;

/// The name of the settings file in a root.
pub(super) const FILE_NAME: &str = "stockmill.yaml";
/// What editors and people add to the name of an older version.
const KEPT_ASIDE: [&str; 4] = ["~", ".bak", ".old", ".orig"];

/// Returns whether a name was meant for the settings file without being its name: another ending, another case, a
/// typing mistake.
pub(super) fn is_meant_for_settings(name: &str) -> bool {
    let lower = name.trim().trim_start_matches('.').to_lowercase();
    let (stem, ending) = split(&lower);
    let plain: String = stem.chars().filter(|c| !matches!(c, ' ' | '-' | '_')).collect();
    let is_stem = if ending == Ending::Text { plain == "stockmill" } else { is_near_stem(&plain) };
    name != FILE_NAME && ending != Ending::Other && is_stem
}

/// Returns whether a name is that of an older version of the settings, which also exists while they are saved.
pub(super) fn is_settings_aside(name: &str) -> bool {
    name.strip_prefix(FILE_NAME).is_some_and(|rest| KEPT_ASIDE.contains(&rest))
}

/// Returns the stem of a market profile whose name has almost the right ending.
pub(super) fn profile_stem(name: &str) -> Option<String> {
    if name.starts_with('.') || name.ends_with(".yaml") {
        return None;
    }
    let lower = name.trim().to_lowercase();
    let (stem, ending) = split(&lower);
    (ending == Ending::Yaml).then(|| stem.to_owned())
}

/// Returns the names in a folder that are meant for the settings file, and those of its older versions.
pub(super) fn beside(folder: &Path) -> io::Result<(Vec<String>, Vec<String>)> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok((Vec::new(), Vec::new()));
        }
        entries => entries?,
    };
    let (mut meant, mut aside) = (Vec::new(), Vec::new());
    for entry in entries {
        let Ok(name) = entry?.file_name().into_string() else { continue };
        if is_meant_for_settings(&name) && !folder.join(&name).is_dir() {
            meant.push(name);
        } else if is_settings_aside(&name) {
            aside.push(name);
        }
    }
    meant.sort();
    aside.sort();
    Ok((meant, aside))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Yaml,
    /// `.txt` alone: some editors add it to every name.
    Text,
    Other,
}

/// Returns a name without its endings, and what kind they are.
fn split(lower: &str) -> (&str, Ending) {
    let inner = lower.strip_suffix(".txt").unwrap_or(lower);
    let yaml = |name: &str| name.ends_with(".yaml") || name.ends_with(".yml");
    if !yaml(inner) {
        return (inner, if inner.len() < lower.len() { Ending::Text } else { Ending::Other });
    }
    let mut stem = inner;
    while yaml(stem) {
        stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    }
    (stem, Ending::Yaml)
}

fn is_near_stem(stem: &str) -> bool {
    strsim::osa_distance(stem, "stockmill") <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_plausibly_means_is_known() {
        let meant = [
            "stockmill.yml",
            "Stockmill.yaml",
            "stockmill.YAML",
            "STOCKMILL.YML",
            "stockmill.yaml.txt",
            "stockmill.yml.txt",
            "stockmill.txt",
            "stockmill.yaml ",
            "stockmill .yaml",
            ".stockmill.yaml",
            "stock-mill.yaml",
            "stock mill.yml",
            "stockmil.yaml",
            "stokcmill.yaml",
            "stockmill.yaml.yaml",
        ];
        for name in meant {
            assert!(is_meant_for_settings(name), "{name}");
        }
        let others = [
            FILE_NAME,
            "stockmill",
            "stockmill.exe",
            "stockmill.log",
            "notes.yaml",
            "stockmill-old.yaml",
            "stock.yaml",
        ];
        for name in others.into_iter().chain(["stockmill.yaml~", ".stockmill.yaml.swp", ".stockmill", "stokmil.txt"]) {
            assert!(!is_meant_for_settings(name), "{name}");
        }
        assert!(is_settings_aside("stockmill.yaml~") && is_settings_aside("stockmill.yaml.bak"));
        assert!(!is_settings_aside(FILE_NAME) && !is_settings_aside("stockmill.yaml.swp"));
    }

    #[test]
    fn a_profile_with_another_ending_is_known() {
        let names = ["adobe.yml", "adobe.YAML", "adobe.yaml.txt", "Adobe.Yml", "adobe.yaml", "adobe.txt", ".adobe.yml"];
        let stems = names.map(profile_stem);
        let adobe = Some("adobe".to_owned());
        assert_eq!(stems[..4], [adobe.clone(), adobe.clone(), adobe.clone(), adobe]);
        assert_eq!(stems[4..], [None, None, None]);
    }
}
