use super::Plan;
use super::theme_files::removed;
use crate::model::{Identity, RelPath, Stage, ThemeSlug};
use crate::records::About;

/// What is left of a theme in any stage or bundle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traces {
    /// Some stage has its `tags.yaml`.
    pub has_tags: bool,
    /// Assets of it lie in a stage or in `failed`, or are on their way.
    pub has_assets: bool,
    /// A bundle that is not sent holds assets of it.
    pub is_bundled: bool,
}

impl Traces {
    /// Returns whether its tags were removed, and assets that need them are left: the tags must come back.
    pub fn needs_tags(self) -> bool {
        !self.has_tags && (self.has_assets || self.is_bundled)
    }
}

/// Plans to forget the shared tags of a theme that a person removed; `memory` is what is remembered of them. `None`
/// if it stands. Its numbers and the hashes of its assets stay known.
pub fn plan_forget(theme: &ThemeSlug, traces: Traces, memory: &[(RelPath, Identity)]) -> Option<Plan> {
    if traces.has_tags || traces.needs_tags() || memory.is_empty() {
        return None;
    }
    let did = "it was removed in all stages, and its shared tags are forgotten";
    let about = About { theme: Some(theme.clone()), ..About::new(Stage::Raw, did) };
    let removes = memory.iter().map(|(path, seen)| removed(path.clone(), *seen)).collect();
    Some(Plan { removes, ..Plan::new(about) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tags of a theme that was removed came back with a folder of its name.
    #[test]
    fn a_theme_that_nothing_is_left_of_is_forgotten() {
        let theme = ThemeSlug::new("t").unwrap();
        let seen = Identity { device: 1, inode: 1, size: 1, modified_ns: 0 };
        let memory = [(RelPath::new(".stockmill/tags/t/tags.yaml").unwrap(), seen)];
        // What is left: tags, assets, a bundle -> whether it is forgotten, and whether its tags must come back.
        let cases = [
            (false, false, false, true, false),
            (true, false, false, false, false),
            (false, true, false, false, true),
            (false, false, true, false, true),
            (true, true, true, false, false),
        ];
        for (has_tags, has_assets, is_bundled, is_forgotten, needs_tags) in cases {
            let traces = Traces { has_tags, has_assets, is_bundled };
            let plan = plan_forget(&theme, traces, &memory);
            assert_eq!(plan.is_some(), is_forgotten, "{traces:?}");
            assert_eq!(traces.needs_tags(), needs_tags, "{traces:?}");
            assert!(plan.is_none_or(|plan| plan.removes.len() == 1 && plan.about.hash.is_none()));
        }
        assert_eq!(plan_forget(&theme, Traces::default(), &[]), None);
    }
}
