//! The rooms and the doors between them, and the limits that keep each of them readable. A new arrow is a
//! design change: make it here and in `docs/ARCHITECTURE.md` first, and say why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Each room, and the rooms that it may name.
const DOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("records", &["model"]),
    ("market", &["model"]),
    ("config", &["model", "market"]),
    ("plan", &["model", "records", "market", "config"]),
    ("craft", &["model"]),
    ("intake", &["model", "vault"]),
    ("vault", &["model", "records"]),
    ("make", &["model", "records", "plan", "craft", "intake", "vault"]),
    ("report", &["model", "records", "intake", "vault"]),
    ("service", &["model", "records", "market", "config", "plan", "craft", "intake", "vault", "make", "report"]),
    ("deliver", &["model", "records", "market", "config", "vault"]),
    ("cli", &["model", "records", "market", "config", "plan", "intake", "vault", "report", "service", "deliver"]),
];

/// Rooms that decide or hold words: no file system, clock, log or threads.
const PURE: &[&str] = &["model", "records", "market", "config", "plan", "craft"];
const IMPURE: &[&str] =
    &["std::fs", "std::env", "std::thread", "std::process", "std::net", "std::{", "tracing", "tokio", "rustix"];
/// The pure files that may begin threads: they end with the call, and what it gives does not depend on them.
const THREADS: &[&str] = &["src/craft/neural/crew.rs", "src/craft/stream/bands.rs"];

/// The most lines of a file, and of 99 in 100 functions; the most fields of a struct in `service/`.
const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 46;
const FIELDS_MAX: usize = 12;

/// Libraries that are kept to some rooms, so that they can be replaced.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("serde_yaml", &["records", "market", "config", "plan"]),
    ("image", &["craft"]),
    ("notify", &["intake"]),
    ("rustix", &["vault", "make", "service"]),
    ("libc", &["vault", "cli"]),
    ("tokio", &["service", "deliver"]),
    ("russh", &["deliver"]),
    ("suppaftp", &["deliver"]),
];
/// Where the clock is read: by the service, by the log for its lines, by the vault for the age of open folders.
const CLOCKS: &[&str] = &["src/report/rotate.rs", "src/service/clock.rs", "src/vault/real"];

/// What `Disk` can do that changes the disk: only `vault/` calls it.
const WRITES: &[&str] = &[
    "make_folder",
    "make_area",
    "write_new",
    "create_new",
    "append",
    "copy_new",
    "link",
    "rename_new",
    "exchange",
    "replace",
    "remove_folder",
    "remove",
    "sync_file",
    "sync_folder",
    "sync_all",
];
/// Those of them that collections, texts and the vault have too: they count only on a disk.
const COMMON_WORDS: &[&str] = &["append", "link", "replace", "remove", "exchange", "make_area"];

/// Where a rule does not hold yet: the rule, and the file, struct or circle. Each entry is to go; add none.
const NOT_YET: &[(&str, &str)] = &[];

#[test]
fn rooms_only_use_their_doors() {
    let mut wrong = Vec::new();
    for file in sources() {
        let Some((room, doors)) = DOORS.iter().find(|(room, _)| file.module[0] == *room) else { continue };
        for path in paths(&file.code).into_iter().filter_map(|path| absolute(&path, &file.module)) {
            let is_room = |name: &str| DOORS.iter().any(|(known, _)| *known == name);
            if let Some(name) = path.first().filter(|name| is_room(name) && *name != room)
                && !doors.contains(&name.as_str())
            {
                wrong.push(format!("{}: `{room}` may not use `{name}`", file.name));
            }
        }
    }
    check("doors", wrong);
}

#[test]
fn every_room_is_in_the_table_and_has_a_sign() {
    for entry in fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let room = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(DOORS.iter().any(|(known, _)| *known == room), "`{room}` is not in the table");
            let sign = fs::read_to_string(path.join("mod.rs")).unwrap();
            assert!(sign.starts_with("//! "), "`{room}/mod.rs` must say what the room is for");
        }
    }
}

#[test]
fn pure_rooms_are_pure() {
    let mut wrong = Vec::new();
    for file in sources().iter().filter(|file| PURE.contains(&file.module[0].as_str())) {
        let may = |word: &str| word == "std::thread" && THREADS.contains(&file.name.as_str());
        let words = IMPURE.iter().filter(|word| file.code.contains(*word) && !may(word));
        wrong.extend(words.map(|word| format!("{}: `{word}`", file.name)));
    }
    check("pure", wrong);
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (library, rooms) in LIBRARIES {
        let others = sources().iter().filter(|file| !rooms.contains(&file.module[0].as_str()));
        let uses = |file: &&Source| names_crate(&file.code, library);
        wrong.extend(others.filter(uses).map(|file| format!("{}: `{library}`", file.name)));
    }
    check("libraries", wrong);
}

#[test]
fn the_clock_is_read_in_three_places() {
    let reads = |file: &&Source| {
        ["Instant::now(", "SystemTime::now(", "Timestamp::now(", "DateTime::now(", "Zoned::now("]
            .iter()
            .any(|call| file.code.contains(call))
    };
    let is_known = |file: &&Source| CLOCKS.iter().any(|known| file.name.starts_with(known));
    check("now", sources().iter().filter(reads).filter(|file| !is_known(file)).map(|file| file.name.clone()));
}

#[test]
fn unsafe_code_is_where_it_was_agreed() {
    let is_unsafe = |file: &&Source| file.code.contains("unsafe {") || file.code.contains("unsafe fn");
    let found: Vec<String> = sources().iter().filter(is_unsafe).map(|file| file.name.clone()).collect();
    let agreed = [
        "src/craft/jpeg_in/cosine.rs",
        "src/craft/jpeg_in/kernels.rs",
        "src/craft/neural/cpu.rs",
        "src/craft/neural/vector.rs",
        "src/craft/stream/cpu.rs",
        "src/craft/stream/lanes.rs",
        "src/vault/lease.rs",
    ];
    assert_eq!(found, agreed);
}

#[test]
fn no_file_is_longer_than_a_newcomer_can_read() {
    let long = |file: &&Source| file.lines > FILE_LINES_MAX;
    check("lines", sources().iter().filter(long).map(|file| file.name.clone()));
}

#[test]
fn functions_fit_a_screen() {
    let mut all = Vec::new();
    for file in sources() {
        all.extend(functions(&file.code).into_iter().map(|(name, lines)| (lines, format!("{}: {name}", file.name))));
    }
    all.sort();
    let (lines, _) = &all[(all.len() * 99).div_ceil(100) - 1];
    let over = || all.iter().rev().take_while(|(lines, _)| *lines > FUNCTION_LINES_MAX).collect::<Vec<_>>();
    assert!(*lines <= FUNCTION_LINES_MAX, "1 in 100 of {} has {lines} lines or more: {:#?}", all.len(), over());
}

#[test]
fn no_struct_of_the_service_owns_too_much() {
    let service = sources().iter().filter(|file| file.module[0] == "service");
    let each = service.flat_map(|file| structs(&file.code).into_iter().map(move |found| (&file.name, found)));
    let large = each.filter(|(_, (_, fields))| *fields > FIELDS_MAX);
    check("fields", large.map(|(file, (name, _))| format!("{file}: {name}")));
}

#[test]
fn no_files_of_a_room_go_in_a_circle() {
    let uses = sources().iter().map(|file| {
        let used = paths(&file.code).into_iter().filter_map(|path| absolute(&path, &file.module)).collect();
        (file.module.clone(), used)
    });
    check("circle", circles(&uses.collect()));
}

#[test]
fn threads_and_messages_are_where_they_can_be_found() {
    const SHELL: &str = "src/service/mod.rs";
    const THREADS: &str = "src/service/dispatch/threads.rs";
    let allowed = |words: &'static [&str], files: &'static [&str]| {
        let service = sources().iter().filter(|file| file.module[0] == "service");
        let has = move |file: &&Source| words.iter().any(|word| file.flat.contains(word));
        service.filter(has).filter(|file| !files.contains(&file.name.as_str())).map(|file| file.name.clone())
    };
    let starts = allowed(&["spawn"], &[SHELL, THREADS]);
    let sends = allowed(&[".send(", "_send("], &[SHELL, THREADS, "src/service/dispatch/workers.rs"]);
    check("threads", starts.chain(sends));
}

#[test]
fn the_dispatcher_is_told_the_time() {
    let parts = sources().iter().filter(|file| file.module.starts_with(&["service".into(), "dispatch".into()]));
    let reads = |file: &&Source| file.flat.contains("clock.") && !file.name.ends_with("/workers.rs");
    check("clock", parts.filter(reads).map(|file| file.name.clone()));
}

#[test]
fn only_the_vault_changes_the_disk() {
    let others = sources().iter().filter(|file| file.module[0] != "vault");
    let calls = others.map(|file| (&file.name, writes(&file.flat))).filter(|(_, calls)| !calls.is_empty());
    check("writes", calls.map(|(file, calls)| format!("{file}: {}", calls.join(", "))));
}

/// A call that is renamed or new must be named in `WRITES` too.
#[test]
fn the_list_of_writing_calls_is_true() {
    let disk = fs::read_to_string("src/vault/disk.rs").unwrap();
    let code = code(&disk);
    let has = |name: &str| code.contains(&format!("fn {name}("));
    assert_eq!(WRITES.iter().copied().filter(|name| !has(name)).collect::<Vec<_>>(), [""; 0]);
    // What `Disk` adds to what only looks changes the disk.
    if let Some((_, added)) = code.split_once("trait Disk: Look") {
        let names = added.split("fn ").skip(1).filter_map(|rest| rest.split('(').next());
        assert_eq!(names.filter(|name| !WRITES.contains(name)).collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn the_document_names_the_rooms_and_doors() {
    let mut told = Vec::new();
    for [room, _, doors] in table("## Rooms and doors") {
        let doors = doors.split(", ").filter(|door| *door != "–").map(str::to_owned).collect::<Vec<_>>();
        told.push((room.trim_matches(['`', '/']).to_owned(), doors));
    }
    let true_table =
        DOORS.iter().map(|(room, doors)| (room.to_string(), doors.iter().map(ToString::to_string).collect::<Vec<_>>()));
    assert_eq!(told, true_table.collect::<Vec<_>>());
}

#[test]
fn the_document_names_the_libraries() {
    let told: BTreeSet<String> =
        table("## Libraries").iter().flat_map(|[names, _]| names.split(", ").map(str::to_owned)).collect();
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let own = manifest.split("\n[").find_map(|part| part.strip_prefix("dependencies]\n")).unwrap();
    let used: BTreeSet<String> = own.lines().filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())).collect();
    assert_eq!(told, used);
}

/// What a document calls a file or a folder of ours must be there: `room/file.rs`, `tests/crash/`.
#[test]
fn the_documents_name_paths_that_exist() {
    let mut wrong = Vec::new();
    for document in ["docs/ARCHITECTURE.md", "docs/FORMATS.md", "README.md"] {
        let text = fs::read_to_string(document).unwrap();
        let quoted =
            text.split('`').skip(1).step_by(2).filter(|path| path.contains('/') && !path.contains(char::is_whitespace));
        let ours = quoted.filter(|path| is_ours(path));
        wrong.extend(
            ours.filter(|path| !Path::new("src").join(path).exists() && !Path::new(path).exists()).map(str::to_owned),
        );
    }
    check("paths", wrong);
}

fn is_ours(path: &str) -> bool {
    let first = path.split('/').next().unwrap();
    let is_room = DOORS.iter().any(|(room, _)| *room == first);
    let is_code = path.ends_with(".rs") || path.ends_with('/');
    (is_room && is_code) || ["tests", "benches", "fuzz", "docs", "systemd", "examples"].contains(&first)
}

/// Returns the rows of the table below a heading of the document.
fn table<const N: usize>(heading: &str) -> Vec<[String; N]> {
    let text = fs::read_to_string("docs/ARCHITECTURE.md").unwrap();
    let (_, below) = text.split_once(heading).unwrap();
    let rows = below.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let cells = |row: &str| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    rows.take_while(|line| line.starts_with('|')).map(|row| cells(row).try_into().unwrap()).collect()
}

/// Fails for whatever breaks a rule and is not named in `NOT_YET`.
fn check(rule: &str, found: impl IntoIterator<Item = String>) {
    let known: Vec<&str> = NOT_YET.iter().filter(|(of, _)| *of == rule).map(|(_, what)| *what).collect();
    let new: Vec<String> =
        found.into_iter().filter(|what| !known.iter().any(|known| what.starts_with(known))).collect();
    assert!(new.is_empty(), "{rule}:\n{}", new.join("\n"));
}

/// A file of `src/`, as far as it is no test.
struct Source {
    /// Its path.
    name: String,
    /// Its path as a module.
    module: Vec<String>,
    /// How many lines it has, with comments, without tests.
    lines: usize,
    /// Its code; texts, comments and tests are blanks.
    code: String,
    /// The same, with each chain of calls on one line.
    flat: String,
}

fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(read_sources)
}

fn read_sources() -> Vec<Source> {
    let mut files = Vec::new();
    each_file(Path::new("src"), &mut |path, text| files.push((path.to_owned(), text.to_owned())));
    let tests: BTreeSet<PathBuf> = files.iter().flat_map(|(path, text)| test_files(path, text)).collect();
    let files = files.into_iter().filter(|(path, _)| {
        let is_room = path.components().count() > 2;
        is_room && !path.ancestors().any(|path| tests.contains(path) || tests.contains(&path.with_extension("rs")))
    });
    files.map(|(path, text)| source(&path, &text)).collect()
}

fn source(path: &Path, text: &str) -> Source {
    let mut module: Vec<String> = path.with_extension("").iter().map(|part| part.to_str().unwrap().into()).collect();
    module.remove(0);
    module.pop_if(|last| last == "mod");
    let (code, tested) = without_tests(&code(text));
    let lines = text.lines().count() - tested;
    let flat = code.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".");
    Source { name: path.display().to_string(), module, lines, code, flat }
}

/// Returns the files that a file holds for its tests alone.
fn test_files(path: &Path, text: &str) -> Vec<PathBuf> {
    let folder = if path.ends_with("mod.rs") { path.parent().unwrap().into() } else { path.with_extension("") };
    let code = code(text);
    let after = code.split("#[cfg(test)]").skip(1).filter_map(|rest| rest.trim_start().strip_prefix("mod "));
    let names = after.filter_map(|rest| rest.split_once(';')).filter(|(name, _)| !name.contains('{'));
    names.map(|(name, _)| folder.join(name).with_extension("rs")).collect()
}

/// Returns a text with blanks for its comments, texts and characters.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = blank_bytes(rest, out.chars().next_back());
        if length == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    out
}

/// Returns how many bytes at the start of a text are no code.
fn blank_bytes(text: &str, before: Option<char>) -> usize {
    let to = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return to("*/", 2);
    }
    let is_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let raw = text.strip_prefix('b').unwrap_or(text).strip_prefix('r').filter(|_| !is_word);
    if let Some(raw) = raw {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            return to(&format!("\"{}", "#".repeat(hashes)), text.len() - raw.len() + hashes + 1);
        }
    }
    let mut chars = text.char_indices();
    match chars.next() {
        Some((_, '"')) => (),
        // A lifetime has no second mark.
        Some((_, '\'')) if text.starts_with("'\\") || text.chars().nth(2) == Some('\'') => (),
        _ => return 0,
    }
    let mark = &text[..1];
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            _ if text[at..].starts_with(mark) => return at + 1,
            _ => (),
        }
    }
    text.len()
}

/// Returns code without what is only there for tests, and how many lines that was.
fn without_tests(code: &str) -> (String, usize) {
    const MARK: &str = "#[cfg(test)]";
    let (mut out, mut rest, mut lines) = (String::new(), code, 0);
    while let Some(at) = rest.find(MARK) {
        let end = at + MARK.len() + item_bytes(&rest[at + MARK.len()..]);
        lines += rest[at..end].lines().count();
        out.push_str(&rest[..at]);
        out.extend(rest[at..end].chars().filter(|c| *c == '\n'));
        rest = &rest[end..];
    }
    (out + rest, lines)
}

/// Returns how far an item goes: to its `;`, or to the end of its braces.
fn item_bytes(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth -= 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => (),
        }
    }
    code.len()
}

/// Returns the functions of a file, with how many lines each has; a declaration without a body is none.
fn functions(code: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let rest = &code[at..];
        let name: String = rest[3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let is_word = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let whole = &rest[..item_bytes(rest)];
        if !name.is_empty() && !is_word && whole.ends_with('}') {
            found.push((name, whole.lines().count()));
        }
    }
    found
}

/// Returns the structs of a file, with how many fields each has.
fn structs(code: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("struct ") {
        let rest = &code[at + "struct ".len()..];
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let whole = &rest[..item_bytes(rest)];
        let open = if whole.ends_with('}') { whole.find('{') } else { whole.find('(') };
        let close = if whole.ends_with('}') { whole.rfind('}') } else { whole.rfind(')') };
        let fields = open.zip(close).map_or(0, |(open, close)| list(&whole[open + 1..close]).len());
        found.push((name, fields));
    }
    found
}

/// Splits a list at the commas that stand in no bracket.
fn list(text: &str) -> Vec<String> {
    let text = text.replace("->", "  ").replace("=>", "  ");
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in text.chars() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth -= 1,
            _ => (),
        }
        if c == ',' && depth == 0 { parts.push(String::new()) } else { parts.last_mut().unwrap().push(c) }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Returns the paths in code that begin with `crate`, `super` or `self`; each of those in braces is one.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let is_start = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if is_start {
                found.extend(tree(&code[at..]));
            }
        }
    }
    found
}

fn tree(code: &str) -> Vec<Vec<String>> {
    let code = code.trim_start();
    if code.starts_with('{') {
        return list(&code[1..item_bytes(code) - 1]).iter().flat_map(|part| tree(part)).collect();
    }
    let name: String = code.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let Some(rest) = code[name.len()..].strip_prefix("::") else { return vec![vec![name]] };
    tree(rest).into_iter().map(|rest| [vec![name.clone()], rest].concat()).collect()
}

/// Returns whether code uses a library by its name.
fn names_crate(code: &str, library: &str) -> bool {
    code.match_indices(library).any(|(at, _)| {
        let is_start = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        is_start && code[at + library.len()..].starts_with("::")
    })
}

/// Returns where a path leads that stands in a module.
fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let ups = path.iter().filter(|part| *part == "super").count();
    let named = path.iter().filter(|part| !matches!(part.as_str(), "crate" | "super" | "self")).cloned();
    let kept = if path.first()? == "crate" { 0 } else { module.len().checked_sub(ups)? };
    Some(module[..kept].iter().cloned().chain(named).collect())
}

/// Returns the circles: modules of one folder that name each other, by way of others too. What lies in a folder
/// counts for the folder. Who names an item of a module above names none of its neighbours.
fn circles(uses: &BTreeMap<Vec<String>, Vec<Vec<String>>>) -> Vec<String> {
    let mut edges: BTreeMap<&[String], BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for (module, used) in uses {
        for path in used {
            let ends = (0..=path.len()).rev();
            let Some(target) = ends.map(|end| &path[..end]).find(|start| uses.contains_key(*start)) else { continue };
            let shared = module.iter().zip(target).take_while(|(one, other)| one == other).count();
            if let (1.., Some(from), Some(to)) = (shared, module.get(shared), target.get(shared)) {
                edges.entry(&module[..shared]).or_default().entry(from).or_default().insert(to);
            }
        }
    }
    let mut found = BTreeSet::new();
    for (folder, names) in &edges {
        for from in names.keys() {
            let back = |to: &&&str| reached(names, to).contains(*from);
            let circle: BTreeSet<&str> = reached(names, from).iter().filter(back).copied().collect();
            if !circle.is_empty() {
                found.insert(format!("{}: {}", folder.join("/"), circle.into_iter().collect::<Vec<_>>().join(", ")));
            }
        }
    }
    found.into_iter().collect()
}

fn reached<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(names) = open.pop().map(|from| edges.get(from)) {
        for to in names.into_iter().flatten() {
            if found.insert(*to) {
                open.push(to);
            }
        }
    }
    found
}

/// Returns the calls that change a disk.
fn writes(flat: &str) -> Vec<&'static str> {
    let is_called = |name: &&&str| {
        let on_a_disk = ["disk", "disk()"].iter().any(|disk| flat.contains(&format!("{disk}.{name}(")));
        on_a_disk || (!COMMON_WORDS.contains(name) && flat.contains(&format!(".{name}(")))
    };
    WRITES.iter().filter(is_called).copied().collect()
}

fn each_file(folder: &Path, see: &mut dyn FnMut(&Path, &str)) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            each_file(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// What the checks above are made of.
mod detectors {
    use super::*;

    #[test]
    fn comments_and_texts_are_no_code() {
        let cases = [
            ("a // b\nc", "a     \nc"),
            ("a /* b\n */ c", "a     \n    c"),
            (r#"f("x // y\" {", 'z')"#, "f(            ,    )"),
            (r##"f(r#"a " {"#, b"b")"##, "f(          , b   )"),
            (r"'{' '\'' 'a fn(&'a str)", r"         'a fn(&'a str)"),
            ("for_r\"x\"", "for_r   "),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn tests_are_left_out_and_what_follows_them_is_not() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    { }\n}\nfn b() {}\n#[cfg(test)]\nmod c;\n#[cfg(test)]\nimpl D { }\n";
        let (left, lines) = without_tests(text);
        assert_eq!(left.split_whitespace().collect::<Vec<_>>().join(" "), "fn a() {} fn b() {}");
        assert_eq!(lines, 8);
        assert_eq!(test_files(Path::new("src/a/mod.rs"), text), [Path::new("src/a/c.rs")]);
        assert_eq!(test_files(Path::new("src/a/b.rs"), text), [Path::new("src/a/b/c.rs")]);
    }

    #[test]
    fn functions_and_fields_are_counted() {
        let text = "trait T {\n    fn a();\n}\nfn b<T>(x: [u8; 2]) {\n    if x {\n    }\n    fn c() {}\n}\n";
        assert_eq!(functions(text), [("b".to_owned(), 5), ("c".to_owned(), 1)]);
        let text =
            "struct A { a: B<C, D>, f: Box<dyn Fn(u8, u8) -> u8>, }\nstruct E;\npub struct F<T>(u8, T);\nstruct G(u8)";
        let counts: Vec<usize> = structs(text).into_iter().map(|(_, fields)| fields).collect();
        assert_eq!(counts, [2, 0, 2, 1]);
    }

    #[test]
    fn paths_are_found_in_braces_too() {
        let of = |text: &str| -> Vec<String> {
            let module = ["a", "b", "c"].map(str::to_owned);
            let mut all: Vec<_> = paths(text).iter().filter_map(|path| absolute(path, &module)).collect();
            all.sort();
            all.iter().map(|path| path.join("::")).collect()
        };
        let cases: [(&str, &[&str]); 6] = [
            ("use crate::model::X;", &["model::X"]),
            ("use crate::{model, plan::{Y, z as w}};", &["model", "plan::Y", "plan::z"]),
            ("use super::super::d;", &["a::d"]),
            ("x(super::d::e(), self::f)", &["a::b::c::f", "a::b::d::e"]),
            ("use super::{d::E, *}", &["a::b::", "a::b::d::E"]),
            ("$crate::m!()", &["m"]),
        ];
        for (text, expected) in cases {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn circles_are_found() {
        let found = |uses: &[(&str, &str)]| {
            let split = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
            let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for (module, used) in uses {
                all.entry(split(module)).or_default().push(split(used));
            }
            circles(&all).join("; ")
        };
        let cases: [(&[(&str, &str)], &str); 5] = [
            (&[("r/a", "r/b/X"), ("r/b", "r/a")], "r: a, b"),
            (&[("r/a", "r/b"), ("r/b", "r/c"), ("r/c", "r/a"), ("r/d", "r/a")], "r: a, b, c"),
            // Rooms are another check's business, and so is what a folder's sign holds.
            (&[("r/a", "s/b"), ("s/b", "r/a")], ""),
            (&[("r", "r/a"), ("r/a", "r/X"), ("r/a", "r/a/Y")], ""),
            // A folder is one.
            (&[("r/a", "r/f/X"), ("r/f", "r/f/g"), ("r/f/g", "r/a")], "r: a, f"),
        ];
        for (uses, expected) in cases {
            assert_eq!(found(uses), expected, "{uses:?}");
        }
    }

    #[test]
    fn writing_calls_are_found() {
        let cases: [(&str, &[&str]); 4] = [
            ("disk.remove(&path)?; names.replace(a, b)", &["remove"]),
            ("vault.disk().sync_all()", &["sync_all"]),
            ("self.other.write_new(path)", &["write_new"]),
            ("map.remove(1); list.append(x); disk.list(y)", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(writes(text), expected, "{text}");
        }
    }
}
