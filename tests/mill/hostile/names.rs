//! Names of files, folders and themes.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::{Arrives, SETTINGS, SetAside, Stays, TAGS, World};
use crate::{NOTE, Root, picture};

/// Names that a person, a program or an attacker may give to a picture.
fn names() -> Vec<OsString> {
    let texts = [
        "line\nbreak.png",
        "\u{1b}[31mred\u{1b}[0m.png",
        "a.png\r2026-01-01T00:00:00Z  INFO Moved. file=raw\n2026-01-01 INFO forged.png",
        "tab\tand\u{7}bell.png",
        "-rf.png",
        "--root=x.png",
        "it's \"quoted\" $(touch x) `id`; a|b&c>d<e*?.png",
        "back\\slash \\x41.png",
        "CON.png",
        "nul",
        "com1.jpg",
        "trailing dot.png.",
        "trailing space.png ",
        " leading space.png",
        "colon:and:more.png",
        "caf\u{e9}.png",
        "cafe\u{301}.png",
        "Case.png",
        "case.png",
        "CASE.PNG",
        "\u{202e}gnp.exe.png",
        "zero\u{200b}width\u{feff}.png",
        "\u{1f384}\u{1f98c}.png",
        "e\u{301}\u{302}\u{303}\u{304}.png",
        "a.jpg.exe",
        "a picture.jpg",
        "no extension",
        "{theme}-{seq:04} %s %n.png",
        "a.reason.png",
        "winter-cabins-0001.png",
        "tags.yaml.png",
        "SENT",
    ];
    let mut names: Vec<OsString> = texts.iter().map(OsString::from).collect();
    names.push(OsString::from_vec(b"not \xff\xfe utf-8 \xc3.png".to_vec()));
    names.push(OsString::from_vec(b"\x80".to_vec()));
    names
}

#[test]
fn names_of_every_kind_arrive() {
    let mut world = World::new(SETTINGS);
    for name in names() {
        world.drop_picture(name, Arrives);
    }
    world.survive();
}

#[test]
fn names_of_every_kind_make_portable_names() {
    let mut world =
        World::new("keep: {min_megapixels: 0.04}\nnaming: {first: \"{original}-{seq}\", last: \"{original}-{seq}\"}\n");
    for name in names() {
        world.drop_picture(name, Arrives);
    }
    let root = world.survive();
    for path in
        root.files().iter().filter(|path| path.starts_with("archive/winter-cabins/") || path.contains("/files/"))
    {
        let name = path.rsplit('/').next().unwrap();
        let is_plain = name.chars().all(|c| c.is_alphanumeric() || "._-\u{301}\u{302}\u{303}\u{304}".contains(c));
        assert!(is_plain && !name.starts_with(['-', '.']) && !name.ends_with('.') && name.len() < 200, "{name:?}");
    }
}

#[test]
fn names_that_hide_stay_and_are_named() {
    let mut world = World::new(SETTINGS);
    for name in ["..png", "...", ".png", "....", ".hidden.png", "._a.png", ". .png"] {
        world.drop_picture(name, Stays("hidden"));
    }
    for name in ["~$a.png", "#a.png#", "a.png~", "a.png.crdownload", "Thumbs.db", "a.png.swp"] {
        world.drop_picture(name, Stays(""));
    }
    world.survive();
}

#[test]
fn names_that_are_all_ending_stay_and_stop_nothing() {
    for name in [".part", "..part", "...part", ".crdownload", "..download", ".!qB", ".aria2"] {
        let mut world = World::new(SETTINGS);
        world.drop_picture(name, Stays("hidden"));
        world.survive();
    }
}

#[test]
fn names_as_long_as_they_can_be_arrive() {
    let mut world = World::new(SETTINGS);
    for (n, length) in [200, 222, 223, 224, 240, 249, 250, 251, 252, 254, 255].into_iter().enumerate() {
        let stem = char::from(b'a' + u8::try_from(n).unwrap()).to_string();
        world.drop_picture(format!("{}.png", stem.repeat(length - 4)), Arrives);
    }
    world.drop_picture("\u{1f384}".repeat(63) + "x", Arrives);
    world.survive();
}

#[test]
fn broken_files_of_any_name_are_set_aside() {
    let mut world = World::new(SETTINGS);
    let mut names = names();
    names.retain(|name| name != "winter-cabins-0001.png");
    for name in names {
        let whole = world.picture();
        world.drop(name, &whole[..whole.len() - 40], SetAside("cut off"));
    }
    world.survive();
}

#[test]
fn broken_files_with_the_longest_names_are_set_aside() {
    let mut world = World::new(SETTINGS);
    for (length, letter) in [(224, "a"), (240, "b"), (251, "c"), (255, "d")] {
        let whole = world.picture();
        world.drop(format!("{}.png", letter.repeat(length - 4)), &whole[..whole.len() - 40], SetAside("cut off"));
    }
    let whole = world.picture();
    let name = OsString::from_vec([vec![0xff; 251], b".png".to_vec()].concat());
    world.drop(name, &whole[..whole.len() - 40], SetAside("cut off"));
    world.survive();
}

#[test]
fn a_folder_named_like_a_day_is_looked_at() {
    // Generators put their pictures into folders of the day.
    let mut world = World::new(SETTINGS);
    let bytes = world.picture();
    world.put("raw/2026-11-27/a.png".into(), &bytes, Stays(""));
    world.survive();
}

#[test]
fn a_theme_whose_name_is_no_text_is_told_of() {
    let mut world = World::new(SETTINGS);
    let bytes = world.picture();
    world.put(PathBuf::from(OsString::from_vec(b"raw/\xff\xfe/a.png".to_vec())), &bytes, Stays(""));
    world.survive();
}

#[test]
fn themes_of_every_name_arrive_and_none_takes_the_name_of_another() {
    let mut world = World::new(SETTINGS);
    let themes = [
        "Winter Cabins",
        "winter cabins",
        "WINTER-CABINS",
        "winter:cabins",
        "-rf",
        "line\nbreak",
        "CON",
        "dot.",
        "\u{1f384}",
        "\u{202e}x",
        "caf\u{e9}",
        "cafe\u{301}",
        "tags.yaml",
        "$(id)",
        "adobe-stock",
        "failed",
    ];
    for theme in themes {
        let bytes = world.picture();
        world.put(Path::new("raw").join(theme).join("a.png"), &bytes, Arrives);
        fs::write(world.root.at("raw").join(theme).join("tags.yaml"), TAGS).unwrap();
    }
    let long = "t".repeat(255);
    let bytes = world.picture();
    world.put(Path::new("raw").join(&long).join("a.png"), &bytes, Arrives);
    fs::write(world.root.at("raw").join(&long).join("tags.yaml"), TAGS).unwrap();
    world.survive();
}

#[test]
fn notes_cannot_name_a_theme_outside() {
    let world = World::new(SETTINGS);
    let note = "- ../../outside/x — a, b\n- /etc/passwd — a\n- .. — a\n- . — a\n- \u{202e}x\u{0} — b\n- CON — a\n";
    fs::write(world.root.at("ideas/bad.md"), note).unwrap();
    fs::write(world.root.at("ideas/bad.csv"), "title,keywords\n../../../outside/y,a\n\"=cmd|' /C calc'!A0\",b\n")
        .unwrap();
    let root = world.survive();
    for entry in fs::read_dir(root.at("raw")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name == ".stockmill-area" {
            continue;
        }
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name:?}");
    }
}

#[test]
fn naming_rules_that_leave_the_folder_are_refused_or_tamed() {
    for rule in ["/etc/{seq}", "../../outside/{seq}", "..", "{original}", "{seq}/../../x", "a/{id}", "{seq}\\0"] {
        let root = Root::new();
        fs::write(root.at("stockmill.yaml"), format!("{SETTINGS}naming: {{first: \"{rule}\"}}\n")).unwrap();
        let checked = root.call(&["check"]);
        if checked.status.code() == Some(2) {
            continue;
        }
        root.idea(NOTE);
        root.once();
        fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
        root.once();
        assert_eq!(root.bundled().len(), 1, "{rule}: {}", root.log());
        assert_eq!(fs::read_dir(root.outside()).unwrap().count(), 0, "{rule}");
    }
}
