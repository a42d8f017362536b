//! The rooms and the doors between them. A new arrow is a design change: make it here and in
//! `docs/ARCHITECTURE.md` first, and say why.

use std::fs;
use std::path::Path;

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
    ("cli", &["model", "records", "market", "config", "plan", "intake", "vault", "report", "service"]),
];

/// Rooms that decide or hold words: no file system, clock, log or threads.
const PURE: &[&str] = &["model", "records", "market", "config", "plan", "craft"];
const IMPURE: &[&str] =
    &["std::fs", "std::env", "std::thread", "std::process", "std::net", "tracing", "tokio", "rustix"];

#[test]
fn rooms_only_use_their_doors() {
    let mut wrong = Vec::new();
    for (room, doors) in DOORS {
        each_line(&Path::new("src").join(room), &mut |place, line| {
            for found in line.split("crate::").skip(1) {
                let name: String = found.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let is_room = DOORS.iter().any(|(known, _)| *known == name);
                if is_room && name != *room && !doors.contains(&name.as_str()) {
                    wrong.push(format!("{place}: `{room}` may not use `{name}`"));
                }
            }
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
    for room in PURE {
        each_line(&Path::new("src").join(room), &mut |place, line| {
            wrong.extend(IMPURE.iter().filter(|word| line.contains(*word)).map(|word| format!("{place}: `{word}`")));
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_is_where_it_was_agreed() {
    let mut found = Vec::new();
    each_line(Path::new("src"), &mut |place, line| {
        if line.contains("unsafe {") || line.contains("unsafe fn") {
            found.push(place.rsplit_once(':').map_or(place.to_owned(), |(file, _)| file.to_owned()));
        }
    });
    assert_eq!(found, ["src/vault/lease.rs"]);
}

#[test]
fn no_file_is_longer_than_a_newcomer_can_read() {
    let mut long = Vec::new();
    each_file(Path::new("src"), &mut |path, text| {
        if text.lines().count() > 600 {
            long.push(path.display().to_string());
        }
    });
    assert_eq!(long, Vec::<String>::new());
}

/// Calls `see` for every line of code below a folder, comments and tests left out.
fn each_line(folder: &Path, see: &mut dyn FnMut(&str, &str)) {
    each_file(folder, &mut |path, text| {
        for (number, line) in text.lines().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]")) {
            see(&format!("{}:{}", path.display(), number + 1), line.split("//").next().unwrap_or(""));
        }
    });
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
