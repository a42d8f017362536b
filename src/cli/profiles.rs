//! Market profiles: those in the binary, and a person's own in the root's `markets` folder, which take precedence.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use super::near::profile_stem;
use super::reader::{Reader, peek};
use crate::config::{Problems, Settings, load_profile};
use crate::market::{Market, built_in, parse};
use crate::model::MarketName;
use crate::vault::plain;

/// All profiles of a root.
#[derive(Debug)]
pub(super) struct Profiles {
    /// Built in or a person's own.
    pub(super) markets: Vec<Market>,
    /// The markets that a person's own profiles are for.
    own: BTreeSet<MarketName>,
    /// Files that are not read because of the ending of their names, with the markets that they may be for.
    near: Vec<(String, Vec<String>)>,
}

impl Profiles {
    /// Reads the profiles of a root.
    pub(super) fn read(root: &Path, reader: &mut Reader) -> Result<Self, String> {
        let markets = built_in().map_err(|error| error.to_string())?;
        let mut profiles = Self { markets, own: BTreeSet::new(), near: Vec::new() };
        let folder = root.join("markets");
        let cannot = |error: std::io::Error| format!("{}: {}", folder.display(), plain(&error));
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(profiles),
            entries => entries.map_err(cannot)?,
        };
        let mut names =
            entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>().map_err(cannot)?;
        names.sort();
        let mut wrong = Vec::new();
        for name in names {
            let path = folder.join(&name);
            let shown = name.to_string_lossy().into_owned();
            if let Some(stem) = profile_stem(&shown) {
                let named = peek(&path).and_then(|text| parse(&text).ok()).map(|market| market.name.to_string());
                profiles.near.push((shown, std::iter::once(stem).chain(named).collect()));
            } else if let Some(stem) = shown.strip_suffix(".yaml").filter(|_| !shown.starts_with('.')) {
                match load_profile(stem, &reader.text(&path)?) {
                    Ok(own) => profiles.add(own),
                    Err(Problems(all)) => {
                        wrong.extend(all.iter().map(|problem| format!("{}: {problem}", path.display())));
                    }
                }
            }
        }
        if wrong.is_empty() {
            return Ok(profiles);
        }
        let advice =
            format!("mend it, or move it out of `{}`: also one that no setting names is read", folder.display());
        Err(format!("{}\n{advice}", wrong.join("\n")))
    }

    fn add(&mut self, own: Market) {
        self.own.insert(own.name.clone());
        self.markets.retain(|market| market.name != own.name);
        self.markets.push(own);
    }

    /// Returns a line for each file with almost the name of a profile.
    pub(super) fn notes(&self) -> Vec<String> {
        self.near.iter().map(|(file, _)| not_read(file)).collect()
    }

    /// Returns why settings cannot be used: a file that seems to be the profile of a used market is not read.
    pub(super) fn unread_profile(&self, settings: &Settings) -> Option<String> {
        let is_unread = |name: &String| {
            !self.own.contains(name.as_str())
                && settings.upload.markets.iter().any(|market| market.name == name.as_str())
        };
        let (file, name) =
            self.near.iter().find_map(|(file, names)| Some((file, names.iter().find(|name| is_unread(name))?)))?;
        Some(format!("{}; it seems to be for `{name}`, which is in use", not_read(file)))
    }
}

fn not_read(file: &str) -> String {
    format!("markets/{file} is not read: the name of a profile ends in `.yaml`; rename it, or move it elsewhere")
}
