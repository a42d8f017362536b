//! Explains what lies beside the stages, and what lies nowhere any more.

use jiff::tz::TimeZone;

use super::View;
use super::explain::{Explained, about_own};
use crate::config::load_profile;
use crate::model::{MarketName, RelPath, Stage, ThemeSlug, escape_bytes};
use crate::plan::{BundleFolder, BundleName, REASON, Refusal, what_mends};
use crate::records::{Intent, Plans, SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar, ThemeFile};
use crate::service::decide::TAG_SETS;
use crate::service::ledger::Seen;
use crate::service::nets::explained;
use crate::vault::What;
use crate::vault::own_names::HOME;

/// The largest record of a person's that is read to explain it.
const RECORD_BYTES_MAX: u64 = 8 << 20;
/// What is added to a note's name to name what was not understood of it.
const REPORTS: [&str; 2] = [".problems.txt", ".report.txt"];

impl View {
    pub(super) fn beside_stages(&mut self, path: &RelPath, what: What) -> Explained {
        let area = path.area().to_string_lossy().into_owned();
        let is_top = path.parent().is_none();
        match area.as_str() {
            HOME => self.own_memory(path),
            "archive" if is_top => Explained::new("the originals, as they were dropped; never deleted"),
            "archive" => self.archived(path, what),
            "failed" if is_top => Explained::new("what needs a person, each file with its reason beside it"),
            "failed" => self.set_aside_file(path, what),
            "logs" if is_top => Explained::new("the log, and older ones"),
            "logs" => Explained::new("a log: one line for each event"),
            TAG_SETS if is_top => Explained::new("tag sets: a theme takes the tags of `NAME.yaml` by `use: [NAME]`"),
            TAG_SETS => self.tag_set(path),
            "markets" if is_top => Explained::new("market profiles of your own; they come before those built in"),
            "markets" => self.market_profile(path),
            "models" if is_top => {
                Explained::new("neural nets of yours, for `keep.method`; `stockmill models` lists them")
            }
            "models" => {
                let (what, used) = explained(self.decide.disk(), path, &self.decide.settings);
                used.into_iter().fold(Explained::new(what), |explained, by| explained.with("used by", by))
            }
            "stockmill.yaml" => {
                Explained::new("the settings of this root; `stockmill check` tells whether they are right")
            }
            _ => {
                Explained::new("nothing of stockmill's; it leaves that alone. Files go into `raw`, notes into `ideas`")
            }
        }
    }

    fn own_memory(&self, path: &RelPath) -> Explained {
        let mut parts = path.parts().skip(1);
        let is_tags = parts.next().is_some_and(|part| part == "tags");
        let Some(theme) = parts.next().filter(|_| is_tags) else { return Explained::new(about_own(path)) };
        let theme = escape_bytes(theme.as_encoded_bytes());
        let explained = Explained::new(format!("the shared tags of the theme `{theme}`, as all stages had them last"));
        let mut explained = explained.with("edit", "a `tags.yaml` in a stage, not this one");
        explained.notes.extend((path.file_text() == "tags.yaml").then(|| self.says(path)));
        explained
    }

    fn archived(&self, path: &RelPath, what: What) -> Explained {
        if what == What::Folder {
            return Explained::new("a folder of originals");
        }
        if path.parts().nth(1).is_some_and(|part| part == Stage::Ideas.name()) {
            return self.read_note(path);
        }
        let name = path.file_text();
        if name.starts_with("tags.") && name.ends_with(".yaml") {
            return Explained::new("shared tags that were in conflict with those of another stage, kept as they were");
        }
        let is_record = name.ends_with(SIDECAR_SUFFIX);
        let record = if is_record { path.clone() } else { path.with_suffix(SIDECAR_SUFFIX) };
        let is = if is_record {
            format!("the sidecar of the original `{}`", name.trim_end_matches(SIDECAR_SUFFIX))
        } else {
            "an original, as it was dropped".to_owned()
        };
        let mut explained = Explained::new(is);
        match self.sidecar_at(&record) {
            Some(Ok(sidecar)) => {
                explained.notes.extend(self.name_of(&sidecar, path));
                explained.notes.extend(self.identity_of(&sidecar, path));
            }
            Some(Err(why)) => explained = explained.with("sidecar", why),
            None => match self.came_with(path) {
                Some(asset) => {
                    let is = format!("what came along with `{asset}`, as it was dropped, kept with its original");
                    explained = Explained::new(is);
                }
                None => explained = explained.with("sidecar", "none: stockmill did not put it here"),
            },
        }
        explained
    }

    /// Returns the asset with which a file came along that was put here, as the journal knows.
    fn came_with(&self, path: &RelPath) -> Option<RelPath> {
        let plans = Plans::of(&self.records).done_as_begun().into_iter().rev();
        let mut moved = plans.filter(|intent| intent.moves.iter().any(|shift| shift.to == *path));
        moved.next()?.about.from.clone()
    }

    /// Explains a note that was read, by what the journal knows.
    fn read_note(&self, path: &RelPath) -> Explained {
        let name = path.file_text();
        if let Some(note) = REPORTS.iter().find_map(|report| name.strip_suffix(report)) {
            return Explained::new(format!("what was not understood of the note `{note}`"));
        }
        let plans = Plans::of(&self.records).done_as_begun();
        let gave = plans.into_iter().rev().find(|intent| intent.about.to.as_ref() == Some(path));
        let Some(intent) = gave else {
            return Explained::new("a note that was read; the journal does not know which themes it gave");
        };
        let explained = Explained::new(format!("a note, read on {}", day(intent)));
        let from = intent.about.from.as_ref().map(|from| format!("`{from}`"));
        let mut explained = explained.with("dropped", from.unwrap_or_default());
        for written in intent.publish.iter().filter(|product| product.to.file_text() == "tags.yaml") {
            let theme = written.to.parts().nth(1).map(|theme| escape_bytes(theme.as_encoded_bytes()));
            explained = explained.with("gave", format!("the theme `{}` (`{}`)", theme.unwrap_or_default(), written.to));
        }
        explained
    }

    fn set_aside_file(&self, path: &RelPath, what: What) -> Explained {
        if what == What::Folder {
            return Explained::new("a folder of files that were set aside");
        }
        let name = path.file_text();
        let retry =
            |file: &RelPath| format!("when that is solved: `stockmill retry {file}`; or delete it with its reason");
        if let Some(of) = name.strip_suffix(REASON) {
            let file = path.sibling(of);
            if matches!(self.decide.disk().stat(&file), Ok(None)) {
                return Explained::new(format!("why `{file}` was set aside, which is not there any more"))
                    .with("next", format!("delete it; `stockmill retry {file}` does, too"));
            }
            return Explained::new(format!("why `{file}` was set aside")).with("reason", self.first_line(path));
        }
        // What belongs to an asset has its name and something more.
        let names = std::iter::successors(Some(name.as_str()), |name| shorter(name));
        let has_reason = |file: &RelPath| matches!(self.decide.disk().stat(&file.with_suffix(REASON)), Ok(Some(_)));
        let Some(file) = names.map(|name| path.sibling(name)).find(has_reason) else {
            return Explained::new("set aside with another file, or put here by hand: no reason lies beside it")
                .with("next", "move it into a stage by hand, or `stockmill retry`");
        };
        let is = if file == *path { "set aside".to_owned() } else { format!("set aside with `{file}`") };
        Explained::new(is).with("reason", self.first_line(&file.with_suffix(REASON))).with("next", retry(&file))
    }

    fn tag_set(&mut self, path: &RelPath) -> Explained {
        let Some(set) = path.file_text().strip_suffix(".yaml").map(str::to_owned) else {
            return Explained::new("no tag set: one is named `NAME.yaml`; rename it, or move it away");
        };
        let mut explained = Explained::new(format!("the tag set `{set}`"));
        explained.notes.push(self.says(path));
        let themes: std::collections::BTreeSet<String> = self.units.themes().map(str::to_owned).collect();
        let uses = |theme: &String| {
            let theme = ThemeSlug::new(theme).ok()?;
            let at = self.decide.shared_file(&theme, None, Stage::Raw)?;
            Some(self.theme_file(&at)?.ok()?.use_sets.contains(&set))
        };
        let users: Vec<String> = themes.into_iter().filter(|theme| uses(theme) == Some(true)).collect();
        let users = if users.is_empty() {
            "no theme; write `use: [NAME]` in its tags.yaml".to_owned()
        } else {
            users.join(", ")
        };
        explained.with("used by", users)
    }

    fn market_profile(&self, path: &RelPath) -> Explained {
        let Some(name) = path.file_text().strip_suffix(".yaml").map(str::to_owned) else {
            return Explained::new("no market profile: one is named `NAME.yaml`; rename it, or move it away");
        };
        let explained = Explained::new(format!("your profile of the market `{name}`"));
        let read = self.decide.disk().read(path, RECORD_BYTES_MAX).map_err(|error| error.source.to_string());
        let parsed = read.and_then(|bytes| {
            let text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned())?;
            load_profile(&name, &text).map(drop).map_err(|problems| problems.to_string().replace('\n', "; "))
        });
        if let Err(why) = parsed {
            return explained.with("cannot", format!("be read: {why}"));
        }
        let is_used = self.decide.settings.upload.markets.iter().any(|market| market.name == name.as_str());
        explained.with(
            "used",
            if is_used { "yes, `upload.markets` names it" } else { "no: `upload.markets` does not name it" },
        )
    }

    /// Returns a sidecar, or why it cannot be read; `None` if it is not there.
    fn sidecar_at(&self, path: &RelPath) -> Option<Result<Sidecar, String>> {
        match self.decide.disk().read(path, SIDECAR_BYTES_MAX) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => Some(Err(format!("`{path}` cannot be read: {}", error.source))),
            Ok(bytes) => Some(Sidecar::parse(&bytes).map_err(|error| format!("`{path}` cannot be read: {error}"))),
        }
    }

    /// Returns a file of shared tags, or why it cannot be read; `None` if it is not there.
    pub(super) fn theme_file(&self, path: &RelPath) -> Option<Result<ThemeFile, String>> {
        match self.decide.disk().read(path, RECORD_BYTES_MAX) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => Some(Err(error.source.to_string())),
            Ok(bytes) => Some(ThemeFile::parse(&bytes).map_err(|error| error.to_string()).and_then(|file| {
                match self.decide.settings.upload.unknown_market(&file.tags()) {
                    Some((_, what)) => Err(what),
                    None => Ok(file),
                }
            })),
        }
    }

    /// Returns which asset a sidecar is about, and where that stands beside `path`.
    pub(super) fn identity_of(&self, sidecar: &Sidecar, path: &RelPath) -> Vec<(&'static str, String)> {
        let mut notes = Vec::new();
        if let Some(id) = &sidecar.id {
            let theme = sidecar.theme.as_ref().map(|theme| format!(" of the theme `{theme}`")).unwrap_or_default();
            let number = sidecar.seq.map(|seq| format!(", number {seq}")).unwrap_or_default();
            notes.push(("asset", format!("{id}{theme}{number}")));
            notes.extend(self.dealings_of(id).into_iter().map(|dealt| ("market", dealt)));
        }
        if let Some((recipe, file)) = sidecar.file.as_ref().and_then(|file| Some((file.recipe.as_ref()?, file))) {
            let by = file.made_by.as_ref().map(|version| format!(", by stockmill {version}")).unwrap_or_default();
            notes.push(("made", format!("by `{recipe}`{by}")));
        }
        let Some(origin) = &sidecar.origin else { return notes };
        let seen = self.decide.ledger.with_hash(&origin.hash);
        if let Some(id) = &sidecar.id {
            let refused = self.decide.refused_by(id, &origin.hash).into_iter();
            let places: Vec<_> = seen.iter().flat_map(|seen| &seen.places).chain([path]).collect();
            let to_mend = refused.filter(|(market, refusals)| !self.is_on_its_way(&places, market, refusals));
            notes.extend(to_mend.map(|(market, refusals)| {
                // What any of them is not known to have said is not known to be another row.
                let last = refusals.iter().find(|refusal| refusal.got.row.is_none()).or(refusals.last());
                let mends = last.map_or("", |refusal| what_mends(&refusal.got));
                ("mend", how_to_mend(&market, mends, sidecar.owed.contains(&market)))
            }));
        }
        notes.push(("dropped", format!("as `{}`", origin.path)));
        if let Some(seen) = &seen {
            let places = seen.places.iter().chain(&origin.archived).filter(|place| *place != path);
            let there = places.filter(|place| self.decide.is_gone(place) == Ok(false));
            notes.extend(there.map(|place| ("also as", place.to_string())));
        }
        notes
    }

    /// Returns whether a market that refused files of an asset has another one of it, at one of these places: it was mended.
    fn is_on_its_way(&self, places: &[&RelPath], market: &MarketName, refusals: &[Refusal]) -> bool {
        let was_refused =
            |bundle: &BundleName| refusals.iter().any(|refusal| BundleName::of(&refusal.file).as_ref() == Some(bundle));
        let mut files = places.iter().filter(|place| BundleFolder::is_file(place));
        files.any(|file| {
            let bundle = BundleName::of(file).filter(|bundle| bundle.market == *market && !was_refused(bundle));
            bundle.is_some() && self.decide.is_gone(file) == Ok(false)
        })
    }

    /// Explains what is not there by the journal; `None` if it never was.
    pub(super) fn missing(&self, path: &RelPath) -> Option<Explained> {
        let done = Plans::of(&self.records).done_as_begun();
        let last = done.into_iter().rev().find(|intent| touches(intent, path))?;
        let explained = Explained::new("not there any more");
        let did = format!("{} on {}", last.about.did, day(last));
        let explained = explained.with("last", did);
        let seen = last.about.hash.as_ref().and_then(|hash| self.decide.ledger.with_hash(hash));
        let Some(Seen { places, last: seen, .. }) = seen else {
            let to = last.about.to.as_ref().filter(|to| *to != path);
            return Some(match to {
                Some(to) => explained.with("went to", to.to_string()),
                None => explained,
            });
        };
        let is_there = |place: &&RelPath| self.decide.is_gone(place) == Ok(false);
        if let Some(place) = places.iter().find(is_there) {
            return Some(explained.with("stands as", place.to_string()));
        }
        let at = places.first().map(ToString::to_string).unwrap_or_default();
        let on = seen.to_zoned_datetime(TimeZone::system()).date();
        Some(explained.with("last seen", format!("as `{at}` on {on}, and gone since")))
    }
}

/// Returns a name without its last ending, if anything is left.
fn shorter(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(stem, _)| stem).filter(|stem| !stem.is_empty())
}

fn touches(intent: &Intent, path: &RelPath) -> bool {
    let moved = intent.moves.iter().any(|shift| shift.from == *path || shift.to == *path);
    let made = intent.publish.iter().any(|product| product.to == *path);
    let gone = intent.removes.iter().any(|gone| gone.path == *path);
    moved || made || gone || [&intent.about.from, &intent.about.to].into_iter().flatten().any(|at| at == path)
}

fn day(intent: &Intent) -> jiff::civil::Date {
    intent.at.to_zoned_datetime(TimeZone::system()).date()
}

/// Returns how what a market refused goes there again.
fn how_to_mend(market: &MarketName, mends: &str, is_owed: bool) -> String {
    let (sidecar, then) = if is_owed {
        ("its sidecar", "then it goes there by itself")
    } else {
        let then = "then drop its original from `archive` into `raw`, once all bundles that have it are marked as sent";
        ("the sidecar of its original in `archive`, dropped with it", then)
    };
    format!("{market} refused it: {mends}; tags stand in `tags.yaml`, or in {sidecar}; {then}")
}
