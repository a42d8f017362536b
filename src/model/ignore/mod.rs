mod defaults;
mod pattern;

use defaults::{DEFAULT_FILES, DEFAULTS};
use pattern::{ByteSet, Pattern};

use super::{RelPath, nearest};

/// What kind of name a pattern matches, and so who may overrule it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Nobody gives such a name to a file for sale.
    Foreign,
    /// A person may give such a name; a sidecar beside the file says that it is meant.
    ByProduct,
    /// A person's own pattern.
    Own,
    /// It cancels the patterns before it.
    Taken,
}

/// The longest name in bytes.
const NAME_BYTES_MAX: usize = 255;

/// The names of files and folders that are left alone: the defaults, and what a person adds or takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    rules: Vec<Rule>,
}

/// Why a name is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pattern: Pattern,
    written: String,
    sort: Sort,
    why: &'static str,
    of_files: bool,
    of_folders: bool,
}

/// What is wrong with a person's pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreProblem {
    /// What it is.
    pub what: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Default for Ignore {
    fn default() -> Self {
        let rule = |sort, why, written: &&str, of_folders| {
            let name = written.trim_end_matches('/');
            let of_files = !written.ends_with('/');
            Rule { pattern: Pattern::new(name), written: (*written).to_owned(), sort, why, of_files, of_folders }
        };
        let files =
            DEFAULT_FILES.iter().flat_map(|(sort, why, all)| all.iter().map(move |w| rule(*sort, *why, w, false)));
        let both = DEFAULTS.iter().flat_map(|(sort, why, all)| all.iter().map(move |w| rule(*sort, *why, w, true)));
        Self { rules: files.chain(both).collect() }
    }
}

impl Ignore {
    /// Returns the defaults followed by a person's own patterns; those that begin with `!` cancel others.
    pub fn new(own: &[String]) -> Result<Self, Vec<IgnoreProblem>> {
        let mut ignore = Self::default();
        let problems: Vec<IgnoreProblem> = own.iter().filter_map(|written| ignore.add(written).err()).collect();
        if problems.is_empty() { Ok(ignore) } else { Err(problems) }
    }

    fn add(&mut self, written: &str) -> Result<(), IgnoreProblem> {
        let name = written.strip_prefix('!').unwrap_or(written);
        let name = name.strip_suffix('/').unwrap_or(name);
        let refuse = |what: &str, hint| Err(IgnoreProblem { what: format!("`{written}` {what}"), hint });
        if name.is_empty() || name.contains('/') || name.len() > NAME_BYTES_MAX {
            let hint = "write a file's or a folder's name: \"*.bak\", \"drafts/\"".to_owned();
            return refuse("is not one name", Some(hint));
        }
        let sort = if written.starts_with('!') { Sort::Taken } else { Sort::Own };
        let of_files = !written.ends_with('/');
        let rule = Rule {
            pattern: Pattern::new(name),
            written: written.to_owned(),
            sort,
            why: "",
            of_files,
            of_folders: true,
        };
        if sort == Sort::Taken && !self.rules.iter().any(|other| other.may_fit_what(&rule)) {
            let known: Vec<&str> = self.rules.iter().map(|rule| rule.written.as_str()).collect();
            let hint = nearest(&written[1..], &known).map(|near| format!("did you mean `!{near}`?"));
            return refuse("takes nothing away: no pattern before it fits such a name", hint);
        }
        self.rules.push(rule);
        Ok(())
    }

    /// Returns why a file of this name is left alone, or `None` if it is an ordinary one.
    pub fn file(&self, name: &str) -> Option<&Rule> {
        self.decides(name, |rule| rule.of_files)
    }

    /// Returns why a folder of this name is left alone, or `None` if it is an ordinary one.
    pub fn folder(&self, name: &str) -> Option<&Rule> {
        self.decides(name, |rule| rule.of_folders)
    }

    /// Returns the topmost folder on the way to a path, itself included, that is left alone. An area never is.
    pub fn folder_above(&self, path: &RelPath) -> Option<(RelPath, &Rule)> {
        let mut folder = path.area_path();
        path.parts().skip(1).find_map(|name| {
            folder = folder.join(name);
            Some((folder.clone(), self.folder(&name.to_string_lossy())?))
        })
    }

    fn decides(&self, name: &str, is_about: impl Fn(&Rule) -> bool) -> Option<&Rule> {
        let lower = name.to_lowercase();
        let bytes = ByteSet::of(&lower);
        let last = self.rules.iter().rev().find(|rule| is_about(rule) && rule.pattern.fits(&lower, bytes));
        last.filter(|rule| rule.sort != Sort::Taken)
    }
}

impl Rule {
    /// Returns why a name is left alone, in words. For a folder they offer to take that one alone, and no others.
    pub fn why(&self, name: &str) -> String {
        match self.sort {
            Sort::ByProduct => {
                let taken = if self.of_files { self.plain() } else { format!("{name}/") };
                format!("{}; to have it taken, add \"!{taken}\" to `settle.ignore`", self.why)
            }
            Sort::Own => format!("`settle.ignore` names `{}`", self.written),
            Sort::Foreign | Sort::Taken => format!("{} (`{}`)", self.why, self.written),
        }
    }

    /// Returns whether a person may have given the name on purpose.
    pub fn may_be_meant(&self) -> bool {
        self.sort == Sort::ByProduct
    }

    /// Returns the pattern as a person may write it between quotes.
    fn plain(&self) -> String {
        self.written.replace(r"\d", "?")
    }

    fn may_fit_what(&self, other: &Self) -> bool {
        let is_shared = self.of_files && other.of_files || self.of_folders && other.of_folders;
        is_shared && self.sort != Sort::Taken && self.pattern.overlaps(&other.pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(patterns: &[&str]) -> Ignore {
        Ignore::new(&patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    /// Folders were never asked about: on a NAS, deleted pictures and previews became themes and were bundled.
    #[test]
    fn folders_of_other_programs_are_left_alone() {
        let ignore = Ignore::default();
        for name in [
            "@eaDir",
            "@EADIR",
            "#recycle",
            "#Recycle",
            "$RECYCLE.BIN",
            "@Recycle",
            "@Recently-Snapshot",
            ".@__thumb",
            "Network Trash Folder",
            "Temporary Items",
            "__MACOSX",
            "lost+found",
            "System Volume Information",
            ".Trash-1000",
            ".Trashes",
            ".snapshot",
            "@snapshot",
            "RECYCLER",
            "FOUND.000",
            ".stversions",
            ".sync",
            ".dropbox.cache",
            "node_modules",
            "thumbnails",
            ".thumbnails",
            "CaptureOne",
            "__pycache__",
            "_rejects",
            "_out",
            ".obsidian",
            "txt2img-grids",
            "a.png.download",
        ] {
            assert!(ignore.folder(name).is_some(), "{name}");
        }
        for name in [
            "winter",
            "#1 winter",
            "~ sea",
            "recycled paper",
            "found.art",
            "thumbnail",
            "lost and found",
            "grid",
            "grid-2026",
            "old.blends",
            "recycled",
        ] {
            assert_eq!(ignore.folder(name), None, "{name}");
        }
    }

    #[test]
    fn files_of_other_programs_are_left_alone() {
        let ignore = Ignore::default();
        for name in [
            ".hidden",
            "a.png.part",
            "a.crdownload",
            "~$a.docx",
            "a.png~",
            "Thumbs.db",
            ".a.png.Xy12Zw",
            "#a.png#",
            "a.png_original",
            "a.png_exiftool_tmp",
            "._a.png",
            ".DS_Store",
            "desktop.ini",
            "a.blend1",
            "a.blend@",
            "a.sync-conflict-20260102-101010-ABCDEFG.png",
            ".syncthing.a.png.tmp",
            "~syncthing~a.png.tmp",
            "a (Anna's conflicted copy 2026-01-02).png",
            "a (conflicted copy 2026-01-02 101010).png",
            "a (Annas in Konflikt stehende Kopie 2026-01-02).png",
            "a (Copie en conflit de Anna 2026-01-02).png",
            "a_conflict-20260102-101010.png",
            "grid-0001.png",
            "grid-0012-77.jpg",
            "xyz_grid-0001-5.png",
            "prompt_matrix-0003.png",
            "00012-77-before-highres-fix.png",
            "00012-77-mask.png",
            "ComfyUI_temp_ab_00001_.png",
            "a.swarmpreview.jpg",
            "log.html",
            "a.png.bak",
        ] {
            assert!(ignore.file(name).is_some(), "{name}");
        }
        for name in [
            "a.png",
            "partial.png",
            "temp.jpg",
            "a~b.png",
            "_a.png",
            "thumbnails",
            "grid-cats.png",
            "carnival-mask.png",
            "original.png",
            "a_original.png",
            "copy (2).png",
            "conflict-0001.png",
            "a.blend",
            "sync.png",
        ] {
            assert_eq!(ignore.file(name), None, "{name}");
        }
    }

    #[test]
    fn a_person_adds_names_and_takes_them_away() {
        type Case = (&'static [&'static str], &'static str, bool, bool);
        // (patterns, name, as a file, as a folder)
        let cases: [Case; 14] = [
            (&["preview_*.p?g"], "preview_01.png", true, true),
            (&["preview_*.p?g"], "preview_01.jpeg", false, false),
            (&["drafts/"], "Drafts", false, true),
            (&["b?r"], "bär", true, true),
            (&["!thumbnails/"], "thumbnails", false, false),
            (&["!thumbnails"], "thumbnails", false, false),
            (&["!_best/"], "_best", false, false),
            (&["!_best/"], "_rejects", false, true),
            (&["!_*/"], "_rejects", false, false),
            (&["!grid-*"], "grid-0001.png", false, false),
            (&["!*.bak/"], "a.bak", true, false),
            (&["x*", "!xy*"], "xyz", false, false),
            (&["!_*/", "_out/"], "_out", false, true),
            (&["v\\d.png"], "v7.png", true, true),
        ];
        for (patterns, name, as_file, as_folder) in cases {
            let ignore = own(patterns);
            let left = (ignore.file(name).is_some(), ignore.folder(name).is_some());
            assert_eq!(left, (as_file, as_folder), "{patterns:?} {name}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_mean_anything_is_a_mistake() {
        for (pattern, what) in [
            ("", "is not one name"),
            ("!", "is not one name"),
            ("/", "is not one name"),
            ("raw/x", "is not one name"),
            ("!winter", "takes nothing away"),
            ("!thumnails/", "takes nothing away"),
        ] {
            let problems = Ignore::new(&[pattern.to_owned()]).unwrap_err();
            assert!(problems[0].what.contains(what), "{pattern}: {problems:?}");
        }
        assert!(Ignore::new(&["n".repeat(NAME_BYTES_MAX)]).is_ok());
        assert!(Ignore::new(&["n".repeat(NAME_BYTES_MAX + 1)]).is_err());
        let problems = Ignore::new(&["!thumnails/".to_owned()]).unwrap_err();
        assert_eq!(problems[0].hint.as_deref(), Some("did you mean `!thumbnails/`?"));
    }

    #[test]
    fn every_default_can_be_taken_away_by_what_is_told() {
        for rule in Ignore::default().rules {
            let name = rule.plain().trim_end_matches('/').replace(['*', '?'], "1");
            let ignore = own(&[&format!("!{}", rule.plain())]);
            assert_eq!(ignore.file(&name).filter(|_| rule.of_files), None, "{name}");
            assert_eq!(ignore.folder(&name).filter(|_| rule.of_folders), None, "{name}");
        }
    }

    #[test]
    fn the_topmost_folder_is_told() {
        let ignore = Ignore::default();
        let above =
            |path: &str| ignore.folder_above(&RelPath::new(path).unwrap()).map(|(folder, _)| folder.to_string());
        assert_eq!(above("raw/@eaDir/_x/a.png").as_deref(), Some("raw/@eaDir"));
        assert_eq!(above("raw/t/_x").as_deref(), Some("raw/t/_x"));
        assert_eq!(above("raw/t/a.png"), None);
    }
}
