//! `convert`: one file or a folder, outside the mill.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::picture;

fn convert(folder: &Path, words: &[&str], input: &[u8]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_stockmill"));
    program.arg("convert").args(words).current_dir(folder).env_remove("STOCKMILL_ROOT");
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who refuses its arguments reads no input.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

/// Returns a folder with `in.png` of 40x40 pixels, `cut.png`, `note.txt` and `there.jpg`.
fn sources() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let whole = picture(1, 40);
    fs::write(folder.path().join("in.png"), &whole).unwrap();
    fs::write(folder.path().join("cut.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(folder.path().join("note.txt"), "a note").unwrap();
    fs::write(folder.path().join("there.jpg"), "old").unwrap();
    folder
}

#[test]
fn what_is_refused_leaves_nothing_and_says_why() {
    let cases: [(&[&str], i32, &str); 28] = [
        (&["cut.png", "out.jpg"], 1, "`cut.png`: it is cut off"),
        (&["note.txt", "out.jpg"], 1, "`note.txt`: it cannot be read: it is no picture"),
        (&["gone.png", "out.jpg"], 1, "`gone.png`: it cannot be read: it is not there"),
        (&["nofolder", "out"], 1, "`nofolder`: it cannot be read: it is not there"),
        (&["in.png", "out.webp", "--scale", "500"], 1, "a WebP has at most 16383 on an edge; ask for fewer"),
        (&["in.png", "there.jpg"], 1, "`there.jpg` exists; choose another name, or replace it with --force"),
        (&["in.png", "in.png", "--force"], 1, "`in.png`: OUT is this very file; choose another name"),
        (&["link.png", "in.png", "--force"], 1, "`link.png`: OUT is this very file; choose another name"),
        (&["in.png", "no/out.jpg"], 1, "`no/out.jpg` cannot be written: there is no folder `no`; make it first"),
        (&["in.png", "out.jpg", "--scale", "3000"], 1, "would get 120000x120000"),
        (&["-", "out.jpg"], 1, "the standard input: it cannot be read: it is empty"),
        (&["in.png", "out"], 2, "`out` does not tell the format"),
        (&["in.png", "-"], 2, "`-` does not tell the format"),
        (&["in.png", "."], 2, "`.` is a folder"),
        (&["in.png", "out.jpg", "--scale", "0"], 2, "it must be more than 0"),
        (&["in.png", "out.jpg", "--scale", "2", "--long-edge", "9"], 2, "cannot be used with"),
        (&["in.png", "out.jpg", "--scale", "2", "--method", "none"], 2, "keeps the size"),
        (&["in.png", "out.jpg", "--enhance", "sharpen=low"], 2, "sharpened only where it is enlarged; give --scale"),
        (&["in.png", "out.jpg", "--quality", "101"], 2, "101"),
        (&["in.png", "out.png", "--quality", "95"], 2, "--quality: without effect on a PNG, only on a JPEG"),
        (&["in.png", "out.webp", "--max-bytes", "9", "--progressive"], 2, "--max-bytes, --progressive: without effect"),
        (&["in.png", "out.tif", "--subsampling", "444"], 2, "--subsampling: without effect on a TIFF"),
        (&[".", "made", "--format", "png", "--background", "#ffffff"], 2, "--background: without effect on a PNG"),
        (&["in.png", "out.jpg", "--background", "white"], 2, "no colour"),
        (&[".", "."], 2, "another folder"),
        (
            &["in.png", "out.jpg", "--restore", "3"],
            2,
            "`--restore` has an effect with `--method neural` or `auto` alone",
        ),
        (&["in.png", "out.jpg", "--method", "neural", "--restore", "101"], 2, "`101` must be auto, or a whole number"),
        (&["in.png", "o.jpg", "--scale", "2", "--method", "neural", "--enhance", "sharpen=low"], 2, "is not sharpened"),
    ];
    for (words, code, expected) in cases {
        let folder = sources();
        std::os::unix::fs::symlink("in.png", folder.path().join("link.png")).unwrap();
        let before = fs::read(folder.path().join("in.png")).unwrap();
        let output = convert(folder.path(), words, b"");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
        assert!(said.contains(expected), "{words:?}: {said}");
        assert!(code == 2 || said.lines().count() == 1, "{words:?}: {said}");
        assert_eq!(names(folder.path()), ["cut.png", "in.png", "link.png", "note.txt", "there.jpg"], "{words:?}");
        assert!(fs::read(folder.path().join("in.png")).unwrap() == before, "{words:?}");
        assert_eq!(fs::read(folder.path().join("there.jpg")).unwrap(), b"old");
    }
}

/// Its first rows are written already when the damage is found.
#[test]
fn damage_in_the_middle_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.png"), picture(1, 1200)).unwrap();
    assert!(convert(folder.path(), &["in.png", "in.jpg"], b"").status.success());
    for name in ["in.png", "in.jpg"] {
        let mut bytes = fs::read(folder.path().join(name)).unwrap();
        let middle = bytes.len() * 3 / 4;
        bytes[middle..middle + 99].fill(0);
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    for words in [["in.png", "out.png"], ["in.jpg", "out.png"], ["in.png", "out.jpg"], ["in.jpg", "out.jpg"]] {
        for threads in ["1", "3"] {
            let output = convert(folder.path(), &[words[0], words[1], "--threads", threads], b"");
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
            assert!(said.contains("it is damaged") && said.lines().count() == 1, "{words:?}: {said}");
            assert_eq!(names(folder.path()), ["in.jpg", "in.png"], "{words:?}");
        }
    }
}

#[test]
fn a_picture_becomes_what_was_asked_for() {
    let cases: [(&[&str], &str, (u32, u32)); 10] = [
        (&["in.png", "out.jpg"], "out.jpg", (40, 40)),
        (&["in.png", "out.jpg", "--scale", "2.5"], "out.jpg", (100, 100)),
        (&["in.png", "out.png", "--megapixels", "0.04"], "out.png", (200, 200)),
        (&["in.png", "out.webp", "--long-edge", "20"], "out.webp", (20, 20)),
        (&["in.png", "out.TIF", "--icc", "keep", "--threads", "2"], "out.TIF", (40, 40)),
        (&["in.png", "out", "--format", "png", "--method", "none"], "out", (40, 40)),
        (&["in.png", "there.jpg", "--force", "--subsampling", "420"], "there.jpg", (40, 40)),
        (&["-", "out.jpg", "--subsampling", "420"], "out.jpg", (40, 40)),
        (&["-", "-", "--format", "jpeg", "--scale", "2"], "-", (80, 80)),
        (&["in.png", "out.jpg", "--scale", "2", "--method", "neural", "--restore", "0"], "out.jpg", (80, 80)),
    ];
    for (words, out, size) in cases {
        let folder = sources();
        let input = fs::read(folder.path().join("in.png")).unwrap();
        let output = convert(folder.path(), words, &input);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        let bytes = if out == "-" { output.stdout } else { fs::read(folder.path().join(out)).unwrap() };
        let made = image::load_from_memory(&bytes).unwrap();
        assert_eq!((made.width(), made.height()), size, "{words:?}");
        // Of a JPEG, the sampling of the brightness tells that of the colours.
        if let Some(at) = bytes.windows(4).position(|part| part == [0xff, 0xc0, 0, 17]) {
            let expected = if words.contains(&"420") { 0x22 } else { 0x11 };
            assert_eq!(bytes[at + 11], expected, "{words:?}");
        }
    }
}

#[test]
fn a_folder_is_converted_and_each_refusal_told() {
    let folder = sources();
    fs::write(folder.path().join("in.tif"), picture(2, 40)).unwrap();
    fs::create_dir_all(folder.path().join("deep")).unwrap();
    fs::create_dir_all(folder.path().join("made")).unwrap();
    fs::write(folder.path().join(".hidden.png"), picture(1, 40)).unwrap();
    // What a process that is gone left unfinished.
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    fs::write(folder.path().join(format!("made/.in.jpg.stockmill-{}.part", gone.id())), "half").unwrap();
    let output = convert(folder.path(), &[".", "made", "--scale", "2"], b"");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for line in [
        "cut.png`: it is cut off",
        "note.txt`: ",
        "there.jpg`: ",
        "in.tif`: it would get the same name as",
        "`.`: 2 folders in it were left out; to convert what lies there, name them as IN one by one",
        "`.`: 1 hidden file in it was left out; to convert one, name it as IN",
        "4 files refused",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(said.lines().count(), 7, "{said}");
    assert_eq!(names(&folder.path().join("made")), ["in.jpg"]);
}

/// What was guessed or done beside what was asked for is told, and the picture is made.
#[test]
fn what_a_person_would_want_to_know_is_told() {
    let encoded = |image: &image::RgbImage, format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let dull = image::RgbImage::from_fn(64, 64, |x, _| image::Rgb([60 + u8::try_from(x).unwrap(); 3]));
    let mut torn = encoded(&dull, image::ImageFormat::Bmp);
    torn[6_000..].fill(0);
    let dull = encoded(&dull, image::ImageFormat::Png);
    let clear =
        image::RgbaImage::from_fn(64, 64, |x, _| image::Rgba([90, 60, 30, 250 + u8::try_from(x / 13).unwrap()]));
    let mut cut_out = std::io::Cursor::new(Vec::new());
    clear.write_to(&mut cut_out, image::ImageFormat::Png).unwrap();
    let on_red = &["--background", "#ff0000"];
    let rows: [(&str, &[u8], &[&str], &str); 5] = [
        ("cut-out.png", &cut_out.into_inner(), on_red, "`cut-out.png`: what is transparent lies on #ff0000\n"),
        ("torn.bmp", &torn, &[], "are zeros (from byte 6000 on), as in a file that was not copied whole"),
        ("dull.png", &dull, &["--enhance", "levels=high"], "its levels 60 to 123 became 47 to 132"),
        (
            "dull.png",
            &dull,
            &["--long-edge", "64", "--enhance", "sharpen=high"],
            "it is not sharpened, since it is not enlarged (64x64 to 64x64)",
        ),
        ("dull.png", &dull, &[], ""),
    ];
    for (name, bytes, words, told) in rows {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), bytes).unwrap();
        let done = convert(folder.path(), &[&[name, "out.jpg"][..], words].concat(), b"");
        let said = String::from_utf8(done.stderr).unwrap();
        let is_told = if told.is_empty() { said.is_empty() } else { said.contains(name) && said.contains(told) };
        assert!(done.status.success() && is_told, "{name}: {said}");
        assert_eq!(image::image_dimensions(folder.path().join("out.jpg")).unwrap(), (64, 64));
    }
}

/// A signal left half a picture under a hidden name, and nobody took it away.
#[test]
fn what_a_signal_left_goes_with_the_next_conversion() {
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    for words in [&["in.png", "out.jpg"][..], &["in.png", "out/out.jpg"], &["in", "out"]] {
        let folder = sources();
        fs::create_dir(folder.path().join("in")).unwrap();
        fs::copy(folder.path().join("in.png"), folder.path().join("in/out.png")).unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        let place = folder.path().join(if words[1] == "out.jpg" { "." } else { "out" });
        let left = place.join(format!(".a.jpg.stockmill-{}.part", gone.id()));
        fs::write(&left, "half").unwrap();
        assert!(convert(folder.path(), words, b"").status.success(), "{words:?}");
        assert!(!left.exists() && place.join("out.jpg").exists(), "{words:?}: {:?}", names(&place));
    }
}

/// What was made was lost, and the exit code said that all was well.
#[test]
fn a_closed_output_is_told() {
    let folder = sources();
    // (where the standard output leads, the exit code)
    for (output, code) in
        [(">&-", 1), ("1</dev/null", 1), (">/dev/null", 0), ("| cat >/dev/null", 0), ("1<>out.png", 0)]
    {
        let line = format!("{} convert in.png - --format png {output}", env!("CARGO_BIN_EXE_stockmill"));
        let ended = Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{output}: {said}");
        assert_eq!(said.contains("the standard output is closed"), code == 1, "{output}: {said}");
        assert!(said.lines().count() <= 1, "{output}: {said}");
    }
    assert!(fs::read(folder.path().join("out.png")).unwrap().starts_with(b"\x89PNG"));
}
