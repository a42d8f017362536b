//! What markets may dislike in the tags of what waits, long before upload day.

use std::collections::BTreeMap;

use super::View;
use crate::market::{Repeated, Warning, WarningKind, idle_category, lacks_category, left_out_words, lint};
use crate::model::RelPath;
use crate::plan::tags::Resolved;
use crate::plan::{Facts, theme_of_path};

/// What is unwise of one kind in the tags of one theme's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwise {
    /// What kind of thing.
    pub kind: WarningKind,
    /// The theme; what lies in none has none.
    pub theme: String,
    /// How many of its files.
    pub files: usize,
    /// One of them.
    pub first: RelPath,
    /// What is told of that one.
    pub text: String,
}

/// What a look at the tags of files showed so far.
#[derive(Debug, Default)]
pub(super) struct TagLook {
    unwise: BTreeMap<(WarningKind, String), Unwise>,
    repeated: BTreeMap<String, (RelPath, Repeated)>,
}

impl View {
    /// Returns what is unwise in the tags of a file that is or will be offered to markets.
    pub(super) fn warnings_of(&self, tags: &Resolved) -> Vec<Warning> {
        let (upload, meta) = (&self.decide.settings.upload, tags.meta());
        let mut warnings = lint(&upload.names, &meta);
        let has = |market: &str| tags.category.contains_key(market);
        warnings.extend(lacks_category(upload.markets.iter(), &has, &meta));
        warnings.extend(idle_category(upload.markets.iter(), &has));
        warnings.extend(left_out_words(&tags.left_out_words));
        warnings
    }

    /// Looks at the tags of a file that waits.
    pub(super) fn look_at_tags(&mut self, facts: &Facts) {
        let now = self.clock.now().for_settle();
        if facts.kind.is_none() {
            return;
        }
        if let Ok(tags) = self.decide.tags_of(facts, now) {
            self.saw_tags(facts, &tags);
        }
    }

    /// Takes note of what is unwise in the tags of a file that waits.
    pub(super) fn saw_tags(&mut self, facts: &Facts, tags: &Resolved) {
        let (theme, _) = theme_of_path(&facts.path);
        let theme = theme.or_else(|| facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.theme.clone()));
        let theme = theme.map(|theme| theme.to_string()).unwrap_or_default();
        // A file is counted once, however many names it has in it.
        let mut kinds: BTreeMap<WarningKind, Vec<String>> = BTreeMap::new();
        for Warning { kind, text } in self.warnings_of(tags) {
            kinds.entry(kind).or_default().push(text);
        }
        for (kind, texts) in kinds {
            self.tag_look.add(kind, &theme, &facts.path, texts.join("; "));
        }
        let (_, repeated) =
            self.tag_look.repeated.entry(theme).or_insert_with(|| (facts.path.clone(), Repeated::default()));
        repeated.add(&tags.meta());
    }

    /// Returns what is unwise in the tags of all that was looked at, by kind, and of each kind first where most files
    /// are.
    pub fn unwise(&self) -> Vec<Unwise> {
        let mut all: Vec<Unwise> = self.tag_look.unwise.values().cloned().collect();
        for (theme, (first, repeated)) in &self.tag_look.repeated {
            for market in &self.decide.settings.upload.markets {
                let told = repeated.told(market).into_iter();
                all.extend(told.map(|(files, told)| Unwise {
                    kind: WarningKind::Repetition,
                    theme: theme.clone(),
                    files,
                    first: first.clone(),
                    text: format!("{}: {told}", market.name),
                }));
            }
        }
        all.sort_by_key(|unwise| (unwise.kind, std::cmp::Reverse(unwise.files)));
        all
    }
}

impl TagLook {
    fn add(&mut self, kind: WarningKind, theme: &str, file: &RelPath, text: String) {
        let new = || Unwise { kind, theme: theme.to_owned(), files: 0, first: file.clone(), text };
        self.unwise.entry((kind, theme.to_owned())).or_insert_with(new).files += 1;
    }
}
