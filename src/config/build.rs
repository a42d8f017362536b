use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde_yaml::Value;

use super::colour::colour;
use super::delivery::deliveries;
use super::gate::{Gate, Gates, Schedule, time, weekday};
use super::nodes::Nodes;
use super::raw::{Raw, RawCommand, RawKeep, RawNaming, RawSchedule};
use super::schema::SETTINGS;
use super::upload_build::{no_market, upload_day};
use super::{
    DEFAULT_TEXT, ExportSettings, Folders, IdeasSettings, KeepSettings, NamingSettings, Problem, Problems, Settings,
    SettleSettings, Target, UploadSettings,
};
use crate::market::{Market, Names, no_category};
use crate::model::{ArgumentProblem, CommandLine, Ignore, Method, Restore, Stage, Tags, Template};

/// Larger files are refused.
const BYTES_MAX: usize = 1 << 20;
/// The keys of which exactly one sets the target of `keep`.
const TARGETS: [&str; 3] = ["min_megapixels", "scale", "long_edge"];

/// Reads settings; a key that is not written has its default. All problems are returned together.
pub fn load(text: &str, root: &Path, markets: &[Market]) -> Result<Settings, Problems> {
    if text.len() > BYTES_MAX {
        let what = format!("it has {} bytes; settings have at most {BYTES_MAX}", text.len());
        return Err(Problems(vec![Problem { line: 1, column: 1, key: String::new(), what, hint: None }]));
    }
    let nodes = Nodes::read(text).map_err(|problem| Problems(vec![problem]))?;
    let mut problems = nodes.check(&SETTINGS);
    let wrong: Vec<String> = problems.iter().map(|problem| problem.key.clone()).collect();
    let raw = match with_defaults(text, &wrong) {
        Ok(raw) => raw,
        Err(error) if problems.is_empty() => {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or(&text).to_owned();
            return Err(Problems(vec![Problem { line, column, key: String::new(), what, hint: None }]));
        }
        Err(_) => return Err(Problems(problems)),
    };
    let mut builder = Builder { nodes, problems: Vec::new() };
    let settings = builder.settings(raw, root, markets);
    problems.extend(builder.problems.into_iter().filter(|problem| is_about_itself(&problem.key, &wrong)));
    problems.sort_by_key(|problem| (problem.line, problem.column));
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(Problems(problems)),
    }
}

/// Returns whether what is wrong at a key would be wrong, too, if the keys that have the wrong form were right.
fn is_about_itself(key: &str, wrong: &[String]) -> bool {
    let section = |key: &str| key.split('.').next().unwrap_or_default().to_owned();
    let is_in =
        |key: &str, above: &str| key.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    // These keys are compared with each other.
    let depends = |other: &str| section(other) == section(key) && matches!(&*section(key), "folders" | "keep");
    !wrong.iter().any(|other| is_in(key, other) || is_in(other, key) || depends(other))
}

/// Returns whether a settings file that can be read sets nothing at all: it is empty, or its sections are.
pub fn is_blank(text: &str) -> bool {
    fn sets_nothing(value: &Value) -> bool {
        value.is_null() || value.as_mapping().is_some_and(|mapping| mapping.values().all(sets_nothing))
    }
    Nodes::read(text).is_ok() && serde_yaml::from_str(text).is_ok_and(|value| sets_nothing(&value))
}

/// Returns the defaults with the written values in their place, but those of keys that have the wrong form.
fn with_defaults(text: &str, wrong: &[String]) -> Result<Raw, serde_yaml::Error> {
    let mut whole: Value = serde_yaml::from_str(DEFAULT_TEXT)?;
    let mut written: Value = serde_yaml::from_str(text)?;
    for key in wrong {
        let (above, last) = key.rsplit_once('.').unwrap_or(("", key));
        let mut parts = above.split('.').filter(|part| !part.is_empty());
        let section = parts.try_fold(&mut written, |node, part| node.get_mut(part));
        section.and_then(Value::as_mapping_mut).and_then(|section| section.remove(last));
    }
    let sets_target = TARGETS.iter().any(|key| written.get("keep").is_some_and(|keep| keep.get(key).is_some()));
    if let Some(keep) = whole.get_mut("keep").and_then(Value::as_mapping_mut).filter(|_| sets_target) {
        TARGETS.iter().for_each(|key| drop(keep.remove(*key)));
    }
    override_with(&mut whole, written);
    serde_yaml::from_value(whole)
}

fn override_with(below: &mut Value, above: Value) {
    match (below, above) {
        (_, Value::Null) => (),
        (Value::Mapping(below), Value::Mapping(above)) => {
            for (key, value) in above {
                match below.get_mut(&key) {
                    Some(inner) if inner.is_mapping() => override_with(inner, value),
                    _ => drop(below.insert(key, value)),
                }
            }
        }
        (below, above) => *below = above,
    }
}

struct Builder {
    nodes: Nodes,
    problems: Vec<Problem>,
}

impl Builder {
    fn say(&mut self, key: &str, what: impl Into<String>, hint: Option<String>) {
        self.problems.push(self.nodes.problem(key, what, hint));
    }

    fn settings(&mut self, raw: Raw, root: &Path, markets: &[Market]) -> Option<Settings> {
        let folders = self.folders(&raw, root);
        let ignore = self.ignore(&raw.settle.ignore);
        let naming = self.naming(&raw.naming, markets);
        let target = self.target(&raw.keep);
        if raw.keep.method == Method::Neural && cfg!(not(feature = "embedded-net")) {
            self.say("keep.method", "this stockmill was built without the neural net; use lanczos", None);
        }
        if matches!(raw.keep.method, Method::Brought(_)) && raw.keep.restore != Restore::Auto {
            let hint = "leave it out; a theme that is enlarged otherwise may say `enlarge: {restore: 80}`";
            self.say("keep.restore", "a net of `models/` has no such dial", Some(hint.to_owned()));
        }
        let command = self.command(&raw.keep);
        let background = self.colour("export.background", &raw.export.background);
        let chosen = self.markets(&raw.upload.markets, markets);
        let delivery =
            deliveries(&raw.upload.delivery, root, &chosen, &mut |key, what, hint| self.say(key, what, hint));
        let (day, wrong) = upload_day(&raw.upload, markets);
        wrong.into_iter().for_each(|(key, what, hint)| self.say(&key, what, Some(hint)));
        self.categories(&raw.defaults, markets);
        let gates = self.gates(&raw);
        Some(Settings {
            root: root.to_owned(),
            folders,
            settle: SettleSettings {
                quiet: Duration::from_millis(raw.settle.quiet_ms),
                weak_quiet: Duration::from_millis(raw.settle.weak_quiet_ms),
                notes_quiet: Duration::from_secs(raw.settle.notes_quiet_s),
                patience: Duration::from_secs(raw.settle.patience_s),
                rescan: Duration::from_secs(raw.settle.rescan_s),
                ignore: ignore?,
            },
            naming: naming?,
            ideas: IdeasSettings { prompts_max: raw.ideas.prompts_max },
            keep: KeepSettings {
                method: raw.keep.method,
                restore: raw.keep.restore,
                command,
                target: target?,
                megapixels_max: raw.keep.megapixels_max,
                scale_max: raw.keep.scale_max,
                enhance: raw.keep.enhance,
            },
            export: ExportSettings {
                format: raw.export.format,
                quality: raw.export.quality,
                scans: raw.export.scans,
                profile: raw.export.profile,
                background: background?,
                ai_fields: raw.export.ai_fields,
            },
            defaults: raw.defaults,
            upload: UploadSettings {
                markets: chosen,
                delivery,
                names: Names::with(raw.upload.names),
                day,
                known: markets.iter().map(|market| market.name.clone()).collect(),
            },
            gates,
            work: raw.work,
            log: raw.log,
        })
    }

    fn folders(&mut self, raw: &Raw, root: &Path) -> Folders {
        let named: Vec<(String, PathBuf)> =
            raw.folders.iter().map(|(name, path)| (name.clone(), root.join(path))).collect();
        for (n, (name, path)) in named.iter().enumerate() {
            if path.as_os_str().is_empty() || path == root || path.starts_with(root.join(".stockmill")) {
                self.say(
                    &format!("folders.{name}"),
                    "it must be a folder of its own",
                    Some(format!("`{name}: {name}`")),
                );
            }
            for (other, taken) in &named[..n] {
                // What `..` leads to, and links and mounts, only the disk can tell: see `check_places`.
                let is_plain =
                    [path, taken].iter().all(|path| !path.components().any(|part| part == Component::ParentDir));
                if is_plain && (path.starts_with(taken) || taken.starts_with(path)) {
                    let what = format!("`{}` overlaps the folder of `{other}`, `{}`", path.display(), taken.display());
                    self.say(&format!("folders.{name}"), what, Some("stages must lie beside each other".to_owned()));
                }
            }
        }
        let of = |name: &str| {
            named.iter().find(|(known, _)| known == name).map_or_else(|| root.join(name), |(_, path)| path.clone())
        };
        Folders {
            ideas: of("ideas"),
            raw: of("raw"),
            keep: of("keep"),
            export: of("export"),
            upload: of("upload"),
            archive: of("archive"),
            failed: of("failed"),
            logs: of("logs"),
        }
    }

    fn ignore(&mut self, own: &[String]) -> Option<Ignore> {
        let problems = match Ignore::new(own) {
            Ok(ignore) => return Some(ignore),
            Err(problems) => problems,
        };
        problems.into_iter().for_each(|problem| self.say("settle.ignore", problem.what, problem.hint));
        None
    }

    fn naming(&mut self, raw: &RawNaming, known: &[Market]) -> Option<NamingSettings> {
        let (first, last) = (self.template("naming.first", &raw.first), self.template("naming.last", &raw.last));
        let mut markets = BTreeMap::new();
        for (name, rule) in &raw.markets {
            let key = format!("naming.markets.{name}");
            if let Some(market) = self.market(&key, name, known) {
                markets.extend(self.template(&key, rule).map(|rule| (market.name.clone(), rule)));
            }
        }
        Some(NamingSettings { first: first?, last: last?, markets, bytes_max: raw.bytes_max })
    }

    fn template(&mut self, key: &str, text: &str) -> Option<Template> {
        match Template::parse(text) {
            Ok(template) if template.is_unique() => Some(template),
            Ok(_) => {
                let what = format!("`{text}` cannot give unique names: it has neither {{seq}} nor {{id}} whole");
                self.say(key, what, Some("add `-{seq:04}`".to_owned()));
                None
            }
            Err(problem) => {
                let mut shown = self.nodes.problem(key, problem.what, problem.hint);
                // The text begins after its quotation mark.
                shown.column += problem.column;
                self.problems.push(shown);
                None
            }
        }
    }

    fn target(&mut self, raw: &RawKeep) -> Option<Target> {
        let targets = [
            raw.min_megapixels.map(Target::MinMegapixels),
            raw.scale.map(Target::Scale),
            raw.long_edge.map(Target::LongEdge),
        ];
        if let [target] = targets.into_iter().flatten().collect::<Vec<_>>().as_slice() {
            if let Some(scale) = raw.scale.filter(|scale| *scale > raw.scale_max) {
                let what = format!("{scale} is more than `scale_max`, {}: every picture would wait", raw.scale_max);
                self.say("keep.scale", what, Some(format!("set `scale_max: {scale}` too")));
            }
            return Some(*target);
        }
        let what = format!("exactly one of {} sets the target", TARGETS.join(", "));
        self.say("keep", what, Some("remove the others".to_owned()));
        None
    }

    /// Returns the program that enlarges pictures, if one is named.
    fn command(&mut self, raw: &RawKeep) -> Option<Arc<CommandLine>> {
        let RawCommand { run, scales, timeout_s, memory_mib } = &raw.command;
        if scales.is_empty() {
            let hint = Some("write how many times as large the program makes a picture, as [2, 4]".to_owned());
            self.say("keep.command.scales", "it names no scale", hint);
            return None;
        }
        if run.is_empty() && raw.method != Method::Command {
            return None;
        }
        match CommandLine::new(run.clone(), scales.clone(), *timeout_s, *memory_mib) {
            Ok(line) => Some(Arc::new(line)),
            Err(problems) => {
                for ArgumentProblem { argument, what, hint } in problems {
                    let key = "keep.command.run";
                    self.problems.push(match argument {
                        Some(number) => self.nodes.problem_in(key, number, what, Some(hint)),
                        None => self.nodes.problem(key, what, Some(hint)),
                    });
                }
                None
            }
        }
    }

    fn colour(&mut self, key: &str, text: &str) -> Option<[u8; 3]> {
        let value = colour(text);
        if value.is_none() {
            self.say(key, format!("`{text}` is no colour"), Some("write it as \"#ffffff\"".to_owned()));
        }
        value
    }

    fn markets(&mut self, names: &[String], known: &[Market]) -> Vec<Market> {
        let mut chosen: Vec<Market> = Vec::new();
        for name in names {
            match self.market("upload.markets", name, known) {
                Some(_) if chosen.iter().any(|market| market.name == name.as_str()) => {
                    self.say("upload.markets", format!("`{name}` is named twice"), Some("keep one".to_owned()));
                }
                market => chosen.extend(market.cloned()),
            }
        }
        chosen
    }

    /// Returns a market that is known by its name; or says that there is none.
    fn market<'m>(&mut self, key: &str, name: &str, known: &'m [Market]) -> Option<&'m Market> {
        let market = known.iter().find(|market| market.name == name);
        if market.is_none() {
            let (what, hint) = no_market(name, known.iter().map(|market| &market.name));
            self.say(key, what, Some(hint));
        }
        market
    }

    /// Refuses a category that no market would get: its market is not known, or has none of that name.
    fn categories(&mut self, defaults: &Tags, known: &[Market]) {
        for (name, category) in &defaults.category {
            let key = format!("defaults.category.{name}");
            let market = self.market(&key, name.as_str(), known);
            let wrong = market.and_then(|market| no_category(market, category));
            wrong.into_iter().for_each(|what| self.say(&key, what, None));
        }
    }

    fn gates(&mut self, raw: &Raw) -> Gates {
        let mut gates = Gates::default();
        for stage in Stage::ALL {
            let Some(value) = raw.gates.get(&stage) else { continue };
            gates.0[stage as usize] = match value.as_str() {
                Some("hold") => Gate::Hold,
                Some(_) => Gate::Auto,
                None => self.schedule(&format!("gates.{stage}"), value).map_or(Gate::Hold, Gate::Schedule),
            };
        }
        gates
    }

    fn schedule(&mut self, key: &str, value: &Value) -> Option<Schedule> {
        let Ok(raw) = serde_yaml::from_value::<RawSchedule>(value.clone()) else {
            self.say(key, "a schedule needs its days", Some("write `{on: [friday], at: \"09:00\"}`".to_owned()));
            return None;
        };
        let days: Vec<Weekday> = raw.on.iter().filter_map(|day| weekday(day)).collect();
        if days.is_empty() {
            self.say(
                &format!("{key}.on"),
                "a schedule needs at least one day",
                Some("write `on: [friday]`".to_owned()),
            );
        }
        let at = raw.at.as_deref().map_or(Some(Time::midnight()), time);
        let zone = raw.zone.as_deref().map(TimeZone::get).transpose();
        if zone.is_err() {
            let name = raw.zone.as_deref().unwrap_or_default();
            let (what, hint) = if lacks_zones() {
                (format!("nothing is known of `{name}`: {NO_ZONES}"), None)
            } else {
                (format!("there is no time zone `{name}`"), Some("write it as Europe/Berlin".to_owned()))
            };
            self.say(&format!("{key}.zone"), what, hint);
        }
        let (at_most, at_most_per_week) = (raw.at_most, raw.at_most_per_week);
        Some(Schedule { days, at: at?, at_most, at_most_per_week, zone: zone.ok()? })
    }
}

/// Returns what is wrong with the program that settings name, with its place in their text.
pub fn program_problem(text: &str, what: String) -> Option<Problem> {
    Some(Nodes::read(text).ok()?.problem_in("keep.command.run", 0, what, None))
}

/// What is told where [`lacks_zones`].
pub const NO_ZONES: &str = "this system has no time zone data, so that other times than those of UTC and `/etc/localtime` \
                            are unknown; install the package `tzdata`";

/// Returns whether the system has no time zone data.
pub fn lacks_zones() -> bool {
    // Every edition of the data has it.
    TimeZone::get("Europe/London").is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::model::Strength;

    fn try_load(text: &str) -> Result<Settings, Problems> {
        load(text, Path::new("/r"), &built_in().unwrap())
    }

    #[test]
    fn the_default_file_says_what_an_empty_one_means() {
        assert_eq!(try_load(DEFAULT_TEXT).unwrap(), try_load("").unwrap());
        assert_eq!(try_load("").unwrap().keep.method, Method::Auto);
        assert_eq!(try_load("").unwrap().settle.notes_quiet, Duration::from_secs(5));
        assert_eq!(try_load("# nothing\n").unwrap().folders.stage(Stage::Raw), Path::new("/r/raw"));
        assert_eq!(try_load("keep:\n  scale: 2\ndefaults:\n").unwrap().keep.target, Target::Scale(2.0));
        assert_eq!(try_load("keep: {scale: 6, scale_max: 6}").unwrap().keep.target, Target::Scale(6.0));
        // What is not said of a look stays as it is by default.
        let enhance = try_load("keep: {enhance: {levels: high}}").unwrap().keep.enhance;
        assert_eq!((enhance.sharpen, enhance.levels), (Strength::Low, Strength::High));
        // Quotation marks make text of a number; so they were told, and refused.
        assert_eq!(try_load("defaults: {title: \"2024\"}").unwrap().defaults.title.as_deref(), Some("2024"));
        let defaults =
            try_load("defaults:\n  keywords: winter, cold\n  category: {adobe-stock: 11}\n").unwrap().defaults;
        assert_eq!((defaults.keywords.join("|").as_str(), defaults.category.len()), ("winter|cold", 1));
        assert_eq!(try_load("folders: {raw: /mnt/x}").unwrap().folders.raw, Path::new("/mnt/x"));
    }

    #[test]
    fn a_file_that_sets_nothing_is_blank() {
        let blank = ["", "\n \n", "# raw: hold\n", "{}", "gates:\n", "gates:\n#  raw: hold\nkeep: {}\n"];
        for text in blank {
            assert!(is_blank(text) && try_load(text).is_ok(), "{text:?}");
        }
        for text in [DEFAULT_TEXT, "gates: {raw: auto}", "settle: {ignore: []}", "log: {level: info}\n", "a: [", "- x"]
        {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn a_program_is_checked_word_by_word() {
        let sound = "{run: [up, \"{in}\", \"-o={out}\", \"{scale}\"]}";
        let command = |text: &str, method: &str| {
            let text = format!("keep:\n  method: {method}\n  command: {text}\n");
            let shown = |Problems(found): Problems| found.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n");
            try_load(&text).map(|settings| settings.keep.command).map_err(shown)
        };
        let line = command(sound, "command").unwrap().unwrap();
        assert_eq!((line.name(), line.timeout_s, line.memory_mib), ("up", 600, 4096));
        assert_eq!(command("{run: []}", "lanczos"), Ok(None));
        assert!(command(sound, "lanczos").unwrap().is_some(), "a theme may ask for it");
        let rows = [
            ("{run: []}", "line 3, column 18: `keep.command.run`: it names no program; write it as [realesrgan"),
            (
                "{run: [up, \"{in}\", \"{out}\"]}",
                "line 3, column 18: `keep.command.run`: none of its arguments is \"{scale}\"",
            ),
            (
                "{run: [up, \"{in}\"], scales: [2]}",
                "line 3, column 18: `keep.command.run`: none of its arguments is \"{out}\"",
            ),
            (
                "{run: [up, \"{in}\", \"{out}\", \"{scales}\"], scales: [2]}",
                "line 3, column 40: `keep.command.run`: there is no placeholder `{scales}`; did you mean `{scale}`?",
            ),
            (
                "{run: [bin/up, \"{in}\", \"{out}\"], scales: [2]}",
                "line 3, column 19: `keep.command.run`: `bin/up` is neither",
            ),
            (
                "{run: [up, {in}, \"{out}\"]}",
                "must be one value; text that begins with { or [ needs quotation marks, as \"{in}\"",
            ),
            (
                "{run: [up, 4, \"{in}\", \"{out}\"]}",
                "line 3, column 23: `keep.command.run`: `4` must be text; write \"4\"",
            ),
            ("{run: up}", "line 3, column 18: `keep.command.run`: must be a list"),
            ("{scales: []}", "line 3, column 21: `keep.command.scales`: it names no scale"),
            ("{scales: [2, 9]}", "line 3, column 25: `keep.command.scales`: `9` must be a whole number from 2 to 8"),
            ("{timeout_s: 0}", "`keep.command.timeout_s`: `0` must be a whole number from 1 to 86400"),
            ("{memory: 1}", "`keep.command.memory`: there is no such setting; did you mean `memory_mib`?"),
        ];
        for (text, expected) in rows {
            let said = command(text, "command").unwrap_err();
            assert!(said.contains(expected), "{text}: {said}");
        }
    }

    #[test]
    fn every_problem_comes_at_once_with_its_place() {
        let text = "settle:\n  quiet_mss: 5\n  rescan_s: often\nkeep:\n  method: lanczoz\nexports: {}\nexport:\n  quality: 30\n";
        let Err(Problems(problems)) = try_load(text) else { panic!("it must be refused") };
        let shown: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            shown,
            [
                "line 2, column 3: `settle.quiet_mss`: there is no such setting; did you mean `quiet_ms`?",
                "line 3, column 13: `settle.rescan_s`: `often` must be a whole number from 1 to 86400",
                "line 5, column 11: `keep.method`: `lanczoz` must be one of auto, lanczos, neural, command, none, or the name of a net in `models/`; did you mean `lanczos`?",
                "line 6, column 1: `exports`: there is no such setting; did you mean `export`?",
                "line 8, column 12: `export.quality`: `30` must be a whole number from 80 to 100",
            ]
        );
    }

    /// Of a wrong market, template or colour nothing was told as long as any key had the wrong form.
    #[test]
    fn what_makes_no_sense_is_told_with_what_has_the_wrong_form() {
        let text = "naming:\n  last: \"{foo}-{seq}\"\nexport:\n  quality: 30\n  background: white\ngates:\n  uplod: hold\n  \
                    upload: {on: [fryday]}\nupload:\n  markets: [adobe-stok]\ndefaults:\n  category: {adobe: 11}\n";
        let shown = try_load(text).unwrap_err().to_string();
        let lines: Vec<&str> = shown.lines().collect();
        let expected = [
            ("line 2, column ", "`naming.last`"),
            ("line 4, column 12: `export.quality`", "80 to 100"),
            ("line 5, column 15: `export.background`", "is no colour"),
            ("line 7, column 3: `gates.uplod`", "did you mean `upload`?"),
            ("line 8, column ", "did you mean `friday`?"),
            ("line 10, column 12: `upload.markets`", "did you mean `adobe-stock`?"),
            (
                "line 12, column 21: `defaults.category.adobe`: there is no market `adobe`",
                "did you mean `adobe-stock`?",
            ),
        ];
        assert_eq!(lines.len(), expected.len(), "{shown}");
        for (line, (start, part)) in lines.iter().zip(expected) {
            assert!(line.starts_with(start) && line.contains(part), "{line}");
        }
        // What only seems wrong since a value is left out is not told.
        for text in
            ["keep: {scale: 6, scale_max: six}", "folders: {keep: 7, raw: keep}", "keep: {scale: a, long_edge: b}"]
        {
            let shown = try_load(text).unwrap_err().to_string();
            assert!(
                !shown.contains("scale_max: 6") && !shown.contains("overlaps") && !shown.contains("exactly"),
                "{shown}"
            );
        }
    }

    /// A line of 500,000 dashes overflowed the stack.
    #[test]
    fn deep_nesting_is_refused() {
        for deep in ["- ", "? ", "[", "{", "{a: ", "[? ", "a: [", "-\t", ": ", "- [", "- !a ", "- &a "] {
            assert!(try_load(&deep.repeat((1 << 20) / deep.len())).is_err(), "{deep}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let cases = [
            ("folders:\n  keep: raw/x\n", "line 2, column 9: `folders.raw`", "overlaps"),
            ("folders:\n  keep: upload\n", "`folders.upload`", "overlaps"),
            ("naming:\n  first: \"{theme}\"\n", "line 2, column 10: `naming.first`", "cannot give unique names"),
            (
                "naming:\n  markets: {adobe-stock: \"{theme}\"}\n",
                "line 2, column 26: `naming.markets.adobe-stock`",
                "cannot give unique",
            ),
            ("naming:\n  markets: {adobe: \"{seq}\"}\n", "`naming.markets.adobe`", "did you mean `adobe-stock`?"),
            ("naming:\n  first: \"{them}-{seq}\"\n", "line 2, column 12: `naming.first`", "did you mean `theme`?"),
            ("keep: {scale: 2, long_edge: 4000}\n", "line 1, column 7: `keep`", "exactly one of"),
            (
                "keep: {enhance: {sharpen: meduim}}\n",
                "line 1, column 27: `keep.enhance.sharpen`",
                "did you mean `medium`?",
            ),
            ("gates: {keep: hlod}\n", "line 1, column 15: `gates.keep`: `hlod` must be auto, hold", "mean `hold`?"),
            ("keep: {enhance: low}\n", "line 1, column 17: `keep.enhance`", "must be a section"),
            ("keep: {scale: 6}\n", "line 1, column 15: `keep.scale`", "set `scale_max: 6` too"),
            ("export: {background: white}\n", "`export.background`", "is no colour"),
            ("upload: {markets: [adobestock]}\n", "line 1, column 19: `upload.markets`", "did you mean `adobe-stock`?"),
            (
                "defaults: {category: {adobe-stok: 11}}\n",
                "line 1, column 35: `defaults.category.adobe-stok`: there is no market `adobe-stok`",
                "did you mean `adobe-stock`?",
            ),
            ("defaults: {category: {pond5: [a]}}\n", "`defaults.category.pond5`", "one text, also for several"),
            (
                "defaults: {category: {adobe-stock: landscape}}\n",
                "line 1, column 36: `defaults.category.adobe-stock`: the market has no category `landscape`",
                "(did you mean `landscapes`?); it has 1 animals, 2 buildings",
            ),
            ("gates: {upload: {on: [], at: \"09:00\"}}\n", "`gates.upload.on`", "at least one day"),
            ("gates: {upload: {on: [friday], at: \"25:00\"}}\n", "`gates.upload.at`", "no time of day"),
            (
                "gates: {upload: {on: [friday], at: \"9\"}}\n",
                "`gates.upload.at`: `9` is no time of day",
                "as \"09:00\"",
            ),
            ("gates: {upload: {on: [friday], at: 17}}\n", "`gates.upload.at`: `17` is no time", "as \"17:00\""),
            ("gates: {upload: {on: [friday], at: 9h}}\n", "`gates.upload.at`: `9h` is no time", "as \"09:00\""),
            ("gates: {upload: {on: [friday], zone: Mars/Base}}\n", "`gates.upload.zone`", "no time zone"),
            ("export: {quality: \"90\"}\n", "`export.quality`: `90`", "without quotation marks"),
            ("upload: {limits: {pond6: {at_most: 1}}}\n", "`upload.limits.pond6`", "did you mean `pond5`?"),
            ("upload: {limits: {pond5: {most: 1}}}\n", "`upload.limits.pond5.most`", "at_most"),
            ("upload: {limits: {pond5: {at_most: 0}}}\n", "`upload.limits.pond5.at_most`", "1"),
            ("upload: {brake: {last: 20}}\n", "`upload.brake`", "needs `last` and `accepted_min`"),
            ("upload: {brake: {last: 20, accepted_min: 50}}\n", "`upload.brake.accepted_min`", "1"),
            ("upload: {probe: 0}\n", "`upload.probe`", "1"),
            ("gates: {upload: never}\n", "`gates.upload`", "must be auto, hold or a schedule"),
            ("export: {background: \"#+fffff\"}\n", "`export.background`", "is no colour"),
            ("export:\n  background: #ff0000\n  quality: 90\n", "line 2, column ", "needs quotation marks"),
            ("export:\n  background:\n", "`export.background`", "has no value"),
            ("keep:\n  scale: # twice\n", "`keep.scale`", "has no value"),
            ("export: {background: #ff0000}\n", "line 1, column 22", "write \"#ff0000\""),
            ("# a: #ff0000\nexport: {background: #f00\n  , quality: [}", "line 2, column 22", "write \"#f00\""),
            ("settle: {ignore: [\"!thumnails/\"]}\n", "`settle.ignore`", "did you mean `!thumbnails/`?"),
            ("a: [1\n", "line 2", "no YAML"),
            ("log: {level: info}\nlog: {level: warn}\n", "line 2, column 1", "written twice"),
        ];
        for (text, place, what) in cases {
            let shown = try_load(text).unwrap_err().to_string();
            assert!(shown.contains(what), "{text}: {shown}");
            if !place.contains("folders.raw") {
                assert!(shown.contains(place), "{text}: {shown}");
            }
        }
    }
}
