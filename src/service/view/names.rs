//! Which rule gave a name or will give it, and which files the tags come from.

use super::explain::Explained;
use super::{AssetStatus, View};
use crate::model::{RelPath, Stage, Template, ThemeSlug};
use crate::plan::tags::Layer;
use crate::plan::{BundleFolder, BundleName, Facts, naming, sync_base_path, theme_of_path};
use crate::records::{Sidecar, ThemeFile};
use crate::service::decide::TAG_SETS;
use crate::service::survey::stage_of;

impl View {
    /// Returns where an asset's name comes from, and what comes next.
    pub(super) fn names_of(&self, facts: &Facts, status: &AssetStatus) -> Vec<(&'static str, String)> {
        let rules = &self.decide.settings.naming;
        let mut notes = Vec::new();
        if facts.stage != Stage::Raw {
            let own = facts.sidecar.as_ref().and_then(|(_, sidecar)| self.name_of(sidecar, &facts.path));
            let by_hand = || ("name", format!("{}: as it was dropped", facts.path.stem().to_string_lossy()));
            notes.push(own.unwrap_or_else(by_hand));
        }
        let (name, rule) = match facts.stage {
            Stage::Raw => ("naming.first", &rules.first),
            Stage::Export => ("naming.last", &rules.last),
            Stage::Ideas | Stage::Keep | Stage::Upload => return notes,
        };
        match status {
            AssetStatus::Planned(plan) => {
                let to = plan.about.to.as_ref().filter(|to| to.area() != "failed");
                let next =
                    to.map(|to| format!("{}: if it goes next, by `{name}`, {rule}", to.stem().to_string_lossy()));
                notes.extend(next.map(|next| ("name", next)));
            }
            AssetStatus::Held(..) => notes.push(("name", format!("next by `{name}`, {rule}"))),
            AssetStatus::LeftAlone(..) | AssetStatus::Unseen(..) => (),
        }
        notes
    }

    /// Returns which rule gave an asset the name that it has, if it was named.
    pub(super) fn name_of(&self, sidecar: &Sidecar, path: &RelPath) -> Option<(&'static str, String)> {
        let rules = &self.decide.settings.naming;
        let (first, last) = (("naming.first", &rules.first), ("naming.last", &rules.last));
        let file = BundleFolder::file_of_sidecar(path);
        let of_market = BundleName::of(&file).and_then(|bundle| rules.markets.get(&bundle.market));
        let of_market = of_market.map(|rule| ("naming.markets", rule));
        let rules = if path.area() == Stage::Upload.name() { [last, first] } else { [first, last] };
        let stem = if path.extension() == "yaml" { file.stem() } else { path.stem() };
        let stem = stem.to_string_lossy().into_owned();
        sidecar.seq?;
        let gave = of_market.into_iter().chain(rules).find(|(_, rule)| self.gives(sidecar, rule, &stem));
        let text = match gave {
            Some((name, rule)) => format!("{stem}: given by `{name}`, {rule}"),
            None if sidecar.origin.as_ref().is_some_and(|origin| origin.path.stem() == stem.as_str()) => {
                format!(
                    "{stem}: as it was dropped; a model with parts keeps its name in public, too, since they may refer to it"
                )
            }
            None => format!("{stem}: by another rule than those of today, by hand, or cut to fit a market"),
        };
        Some(("name", text))
    }

    /// Returns whether a rule gives an asset this name, on any day on which something happened to it.
    fn gives(&self, sidecar: &Sidecar, rule: &Template, stem: &str) -> bool {
        let (Some(theme), Some(seq), Some(id)) = (&sidecar.theme, sidecar.seq, &sidecar.id) else { return false };
        let Some(origin) = &sidecar.origin else { return false };
        let original = origin.path.stem().to_string_lossy().into_owned();
        let now = self.clock.now();
        let days = sidecar.history.iter().map(|happened| happened.at).chain([now.timestamp()]);
        let mut days = days.map(|at| at.to_zoned_datetime(now.local.time_zone().clone()).date());
        days.any(|date| {
            let (kind, size) = (origin.kind, origin.size);
            let values = naming::Values { theme, seq, id, date, original: &original, kind, size };
            naming::stem(rule, &values, self.decide.settings.naming.bytes_max) == stem
        })
    }

    /// Returns the files of an asset's layers of tags, lowest first.
    pub(super) fn sources(&self, facts: &Facts) -> Vec<(Layer, RelPath)> {
        let (theme, below) = theme_of_path(&facts.path);
        let theme = theme.or_else(|| facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.theme.clone()));
        let mut sources = self.shared_sources(theme.as_ref(), below.as_ref(), facts.stage);
        let xmp = facts.companions.iter().find(|file| file.path.extension() == "xmp");
        sources.extend(xmp.filter(|_| facts.xmp.is_some()).map(|file| (Layer::Xmp, file.path.clone())));
        sources.extend(facts.sidecar.iter().map(|(file, _)| (Layer::Sidecar, file.path.clone())));
        sources
    }

    /// Returns the files of a bundled asset's shared layers.
    pub(super) fn sources_of_bundled(&self, sidecar: &Sidecar) -> Vec<(Layer, RelPath)> {
        let below = sidecar.origin.as_ref().and_then(|origin| theme_of_path(&origin.path).1);
        self.shared_sources(sidecar.theme.as_ref(), below.as_ref(), Stage::Upload)
    }

    fn shared_sources(
        &self,
        theme: Option<&ThemeSlug>,
        below: Option<&RelPath>,
        stage: Stage,
    ) -> Vec<(Layer, RelPath)> {
        let mut sources = Vec::new();
        let Some(theme) = theme else { return sources };
        if let Some(at) = self.decide.shared_file(theme, None, stage) {
            let sets = self.theme_file(&at).and_then(Result::ok).map(|file| file.use_sets).unwrap_or_default();
            let folder = RelPath::new(TAG_SETS).expect("a constant is a clean path");
            let named = |set: String| {
                RelPath::new(format!("{set}.yaml")).ok().map(|name| (Layer::TagSet(set), folder.join(name.as_path())))
            };
            sources.extend(sets.into_iter().filter_map(named));
            sources.push((Layer::Theme, at));
        }
        let parents = below.into_iter().flat_map(|below| std::iter::successors(Some(below.clone()), RelPath::parent));
        let folders: Vec<RelPath> = parents.collect();
        for folder in folders.iter().rev() {
            let at = self.decide.shared_file(theme, Some(folder), stage);
            sources.extend(at.map(|at| (Layer::Folder(folder.to_string()), at)));
        }
        sources
    }

    /// Explains a file of shared tags: which layer it is, what it says, and in which stages it lies.
    pub(super) fn shared_tags(&self, path: &RelPath) -> Explained {
        let (theme, below) = theme_of_path(path);
        let Some(theme) = theme else { return Explained::new("no shared tags: its folder is no theme") };
        let layer = below.as_ref().map_or(Layer::Theme, |below| Layer::Folder(below.to_string()));
        let mut explained = Explained::new(format!("shared tags of the theme `{theme}`, the layer `{layer}`"));
        explained.notes.push(self.says(path));
        if let Some(Ok(file)) = self.theme_file(path) {
            let sets = file.use_sets.iter().map(|set| format!("{TAG_SETS}/{set}.yaml")).map(|set| ("uses", set));
            explained.notes.extend(sets);
        }
        let own = self.decide.disk().read(path, 1 << 20).ok();
        for at in self.copies_of(path).into_iter().filter(|at| at != path) {
            let state = match self.decide.disk().read(&at, 1 << 20) {
                Ok(bytes) if Some(&bytes) == own.as_ref() => "the same",
                Ok(bytes) if ThemeFile::parse(&bytes).is_err() => {
                    "it cannot be read, and all of the theme waits until it is mended"
                }
                Ok(_) => "not the same yet: the daemon brings them into step",
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(_) => "it cannot be read now",
            };
            explained = explained.with("shared", format!("{at}: {state}"));
        }
        let base = sync_base_path(&theme, below.as_ref());
        let is_known = matches!(self.decide.disk().stat(&base), Ok(Some(_)));
        if is_known {
            explained
        } else {
            explained.with("shared", "not with other stages yet: the daemon has not seen it")
        }
    }

    /// Returns the files of shared tags, one in each stage, of which `tags` is one or would be.
    pub(super) fn copies_of(&self, tags: &RelPath) -> Vec<RelPath> {
        let (Some(theme), below) = theme_of_path(tags) else { return Vec::new() };
        let stage = stage_of(tags).unwrap_or(Stage::Raw);
        self.decide.shared_files(&theme, below.as_ref(), stage)
    }

    /// Returns what a file of tags sets, or why it cannot be read and what waits for that.
    pub(super) fn says(&self, path: &RelPath) -> (&'static str, String) {
        match self.theme_file(path) {
            Some(Ok(file)) => ("sets", sets(&file)),
            Some(Err(why)) => ("cannot", format!("be read: {why}; what depends on it is held until that is mended")),
            None => ("cannot", "be read: it is not there any more".to_owned()),
        }
    }
}

/// Returns what a file of tags sets, in a few words.
fn sets(file: &ThemeFile) -> String {
    let text = |name: &str, text: &Option<String>| text.as_ref().map(|text| format!("{name} `{text}`"));
    let count = file.keywords.len();
    let words = match count {
        0 => None,
        1 => Some("1 keyword".to_owned()),
        _ => Some(format!("{count} keywords")),
    };
    let categories = file.category.iter().map(|(market, category)| format!("category `{category}` for {market}"));
    let documents = file.documents.iter().map(|name| format!("the document `{name}`"));
    let all: Vec<String> = [
        text("title", &file.title),
        text("description", &file.description),
        words,
        text("creator", &file.creator),
        text("rights", &file.rights),
        file.source_type.map(|_| "source_type".to_owned()),
        file.enhance.sharpen.map(|strength| format!("sharpen `{strength}`")),
        file.enhance.levels.map(|strength| format!("levels `{strength}`")),
        file.look.map(|look| format!("look `{look}`")),
        file.people.map(|people| format!("people `{people}`")),
        file.enlarge.method.as_ref().map(|method| format!("method `{method}`")),
        file.enlarge.restore.map(|restore| format!("restore `{restore}`")),
    ]
    .into_iter()
    .flatten()
    .chain(categories)
    .chain(documents)
    .collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}
