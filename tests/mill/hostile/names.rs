//! Names of files, folders and themes.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use super::{Arrives, SETTINGS, TAGS, World, set_aside, stays};

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

/// Names as long as a file system takes them.
fn long_names() -> Vec<OsString> {
    let lengths = [200, 222, 223, 224, 240, 249, 250, 251, 252, 254, 255];
    let named = |(letter, length): (u8, usize)| format!("{}.png", char::from(letter).to_string().repeat(length - 4));
    let mut names: Vec<OsString> = (b'a'..).zip(lengths).map(named).map(OsString::from).collect();
    names.push(("\u{1f384}".repeat(63) + "x").into());
    names.push(OsString::from_vec([vec![0xff; 251], b".png".to_vec()].concat()));
    names
}

#[test]
fn names_of_every_kind_arrive_and_what_hides_stays_and_stops_nothing() {
    let mut world = World::new(SETTINGS);
    for name in names().into_iter().chain(long_names()) {
        world.drop_picture(name, Arrives);
    }
    for name in ["..png", "...", ".png", "....", ".hidden.png", "._a.png", ". .png"] {
        world.drop_picture(name, stays("its name is hidden (`.*`)"));
    }
    // Names that are all ending: whatever they are unfinished states of, they hold nobody.
    for name in [".part", "..part", "...part", ".crdownload", "..download", ".!qB", ".aria2"] {
        world.drop_picture(name, stays("its name is hidden (`.*`)"));
    }
    for (name, why) in [
        ("~$a.png", "its name is another program's temporary one (`~*`)"),
        ("#a.png#", "its name is another program's temporary one (`#*`)"),
        ("a.png~", "an editor keeps an older state there (`*~`)"),
        ("a.png.crdownload", "another program is not done with it (`*.crdownload`)"),
        ("Thumbs.db", "the system put it there (`Thumbs.db`)"),
        ("a.png.swp", "an editor keeps an older state there (`*.swp`)"),
    ] {
        world.drop_picture(name, stays(why));
    }
    world.survive();
}

#[test]
fn broken_files_of_any_name_are_set_aside() {
    let mut world = World::new(SETTINGS);
    let names = names().into_iter().filter(|name| name != "winter-cabins-0001.png");
    for name in names.chain(long_names()) {
        let whole = world.picture();
        world.drop(name, &whole[..whole.len() - 40], set_aside("it is cut off: the PNG has no end chunk"));
    }
    world.survive();
}

#[test]
fn themes_of_every_name_arrive_or_are_told_and_none_takes_the_name_of_another() {
    let mut world = World::new(SETTINGS);
    let long = "t".repeat(255);
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
        &long,
    ];
    for theme in themes {
        let bytes = world.picture();
        world.put(Path::new("raw").join(theme).join("a.png"), &bytes, Arrives);
        fs::write(world.root.at("raw").join(theme).join("tags.yaml"), TAGS).unwrap();
    }
    // Generators put their pictures into folders of the day: the name of the file tells their theme.
    for folder in ["2026-11-27", "2026/11/27", "20261127", "2026-11-27_batch 2"] {
        let bytes = world.picture();
        world.put(Path::new("raw").join(folder).join("adobe-stock_1.png"), &bytes, Arrives);
    }
    let no_theme = "its folder's name cannot be a theme's: it is no text; rename it";
    let bytes = world.picture();
    let folder = OsString::from_vec(b"\xff\xfe".to_vec());
    world.put(Path::new("raw").join(folder).join("a.png"), &bytes, stays(no_theme));
    world.survive();
}
