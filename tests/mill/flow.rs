//! From a drop to a bundle, and what a person sees of it.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Stdio;

use super::{Daemon, NOTE, PATIENCE, Root, picture, size};

#[test]
fn from_a_note_and_pictures_to_a_bundle_with_the_defaults() {
    let root = Root::with("");
    fs::remove_dir_all(root.at("markets")).unwrap();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let prompts = fs::read_to_string(root.at("raw/winter-cabins/prompts.txt")).unwrap();
    assert_eq!(prompts.lines().collect::<Vec<_>>(), ["a log cabin", "a stone cabin"]);
    fs::write(root.at("raw/winter-cabins/x.png"), picture(1, 1024)).unwrap();
    fs::write(root.at("raw/Winter_cabins_7.png"), picture(2, 1024)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());

    // It was told of every picture in every stage that its tags had just been copied there.
    assert!(!root.log().contains("changed a moment ago"), "{}", root.log());
    let bundled = root.bundled();
    assert_eq!(bundled.len(), 2, "{:?}", root.files());
    for path in &bundled {
        let (width, height) = size(path);
        assert!(u64::from(width) * u64::from(height) >= 4_000_000);
        let bytes = fs::read(path).unwrap();
        let meta = stockmill::craft::embedded_xmp(&bytes, stockmill::model::Kind::Jpeg).unwrap();
        assert_eq!(stockmill::craft::read_xmp(&meta).unwrap().keywords, ["snow", "log cabin", "cozy"]);
    }
    let rows = root.csv();
    assert_eq!(rows[0], ["Filename", "Title", "Keywords", "Category", "Releases"]);
    let names: Vec<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, ["winter-cabins-0001.jpg", "winter-cabins-0002.jpg"]);
    assert_eq!(rows[1][1..3], ["Winter cabins", "snow,log cabin,cozy"]);
    // Originals are whole in the archive, and nothing is left on the way.
    let kept = |seq: &str| fs::read(root.at(&format!("archive/winter-cabins/winter-cabins-{seq}.png"))).unwrap();
    let archived = [kept("0001"), kept("0002")];
    assert!(archived.contains(&picture(1, 1024)) && archived.contains(&picture(2, 1024)));
    let left = root
        .files()
        .into_iter()
        .filter(|name| ["raw/", "keep/", "export/"].iter().any(|stage| name.starts_with(stage)));
    let left: Vec<String> =
        left.filter(|name| !name.ends_with("tags.yaml") && !name.ends_with("prompts.txt")).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_daemon_takes_folders_moved_in_and_slow_writers_and_tells_systemd() {
    let root = Root::new();
    root.idea(NOTE);
    let socket_path = root.at("notify");
    let socket = UnixDatagram::bind(&socket_path).unwrap();
    // The system's own manager always listens; a full socket would make the daemon wait.
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length) = socket.recv(&mut buffer) {
            if said.send(String::from_utf8_lossy(&buffer[..length]).into_owned()).is_err() {
                return;
            }
        }
    });
    let mut command = root.command(&["run"]);
    command.env("NOTIFY_SOCKET", &socket_path).env("WATCHDOG_USEC", "900000").stderr(Stdio::null());
    let daemon = Daemon(command.spawn().unwrap());
    let hear = |wanted: &str| {
        let mut texts = std::iter::from_fn(|| heard.recv_timeout(PATIENCE).ok());
        texts.find(|text| text.contains(wanted)).unwrap_or_else(|| panic!("never heard {wanted}"))
    };
    hear("READY=1");
    hear("WATCHDOG=1");
    // How far it is confined is told once; whatever the kernel can do, systemd has been told.
    assert_eq!(root.log().matches("onfined by Landlock").count(), 1, "{}", root.log());
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());

    let outside = root.at("outside/a/b");
    fs::create_dir_all(&outside).unwrap();
    for seed in 0..20 {
        fs::write(outside.join(format!("{seed}.png")), picture(seed, 100)).unwrap();
    }
    fs::rename(root.at("outside/a"), root.at("raw/winter-cabins/a")).unwrap();

    // A writer that pauses for longer than any quiet time, and keeps the file open.
    let bytes = picture(99, 100);
    let mut slow = fs::File::create(root.at("raw/winter-cabins/slow.png")).unwrap();
    slow.write_all(&bytes[..bytes.len() / 2]).unwrap();
    root.until("the folder has gone through", |root| root.csv().len() == 21);
    assert!(root.at("raw/winter-cabins/slow.png").exists(), "an open file was taken");
    slow.write_all(&bytes[bytes.len() / 2..]).unwrap();
    drop(slow);
    root.until("the slow one has gone through", |root| root.csv().len() == 22);

    daemon.signal("-HUP");
    assert!(hear("RELOADING=1").contains("MONOTONIC_USEC="));
    hear("READY=1");
    daemon.signal("-TERM");
    hear("STOPPING=1");
    daemon.ends_well();
}

#[test]
fn bad_input_is_set_aside_or_left_alone_with_the_reason() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let raw = root.at("raw/winter-cabins");
    let good = picture(1, 100);
    fs::write(raw.join("good.png"), &good).unwrap();
    assert!(root.once().status.success());
    fs::write(raw.join("cut.png"), &good[..good.len() / 2]).unwrap();
    fs::write(raw.join("again.png"), &good).unwrap();
    fs::write(raw.join("page.png"), "<html>no picture</html>").unwrap();
    fs::write(raw.join("half.png.crdownload"), &good).unwrap();
    fs::write(raw.join("empty.png"), "").unwrap();
    std::os::unix::fs::symlink(root.at("stockmill.yaml"), raw.join("link.png")).unwrap();
    fs::write(root.at("ideas/nothing.md"), "\n").unwrap();
    assert_eq!(root.once().status.code(), Some(1));

    let reason = |name: &str| fs::read_to_string(root.at(&format!("failed/{name}.reason.txt"))).unwrap();
    assert!(reason("raw/winter-cabins/cut.png").starts_with("it is cut off"));
    assert!(reason("raw/winter-cabins/again.png").contains("same bytes as"));
    assert!(reason("ideas/nothing.md").contains("no idea"));
    assert_eq!(fs::read(root.at("failed/raw/winter-cabins/cut.png")).unwrap(), good[..good.len() / 2]);
    let status = root.text(&["status"]);
    for (file, why) in [
        ("page.png", "no picture, video or 3D model"),
        ("half.png.crdownload", "another program is not done"),
        ("link.png", "symbolic link"),
        ("empty.png", "empty"),
    ] {
        assert!(raw.join(file).symlink_metadata().is_ok(), "{file} was touched");
        assert!(status.lines().any(|line| line.contains(file) && line.contains(why)), "{file}: {status}");
    }
    let json: serde_json::Value = serde_json::from_slice(&root.call(&["status", "--json"]).stdout).unwrap();
    assert_eq!(json["stages"]["raw"]["left_alone"].as_array().unwrap().len(), 3, "{json}");
    assert_eq!(json["set_aside"].as_array().unwrap().len(), 3, "{json}");
    assert_eq!(root.bundled().len(), 1);
}

#[test]
fn plan_shows_what_once_does_and_changes_nothing() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    for seed in 0..3 {
        let path = root.at(&format!("raw/winter-cabins/{seed}.png"));
        fs::write(&path, picture(seed, 100)).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    }
    // The same again, and one that is still on its way.
    for (name, seed) in [("again.png", 2), ("half.png", 9)] {
        fs::write(root.at("raw/winter-cabins").join(name), picture(seed, 100)).unwrap();
    }
    fs::write(root.at("raw/winter-cabins/half.png.part"), "x").unwrap();
    for name in ["again.png", "half.png"] {
        let file = fs::File::options().write(true).open(root.at("raw/winter-cabins").join(name)).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    }
    let before = root.files();
    let plan = root.text(&["plan"]);
    assert_eq!(root.files(), before);
    assert!(plan.contains("half.png: held: an unfinished download"), "{plan}");
    let after = |sign: &'static str| plan.lines().filter_map(move |line| line.trim().strip_prefix(sign));
    let moves: Vec<(PathBuf, PathBuf, Vec<u8>)> = after("move ")
        .map(|line| {
            let (from, to) = line.trim().split_once(" -> ").unwrap();
            (root.at(from), root.at(to), fs::read(root.at(from)).unwrap())
        })
        .collect();
    assert_eq!(moves.len(), 4, "{plan}");
    assert_eq!(moves.iter().filter(|(_, to, _)| to.starts_with(root.at("failed/raw"))).count(), 1, "{plan}");
    let made: Vec<PathBuf> = after("make ").map(|line| root.at(line.trim())).collect();
    assert_eq!(made.len(), 3, "{plan}");
    let told = plan.lines().filter_map(|line| line.trim().trim_start_matches("then ").split_once(": "));
    let told: Vec<(&str, &str)> = told
        .filter(|(from, _)| ["raw/", "keep/", "export/", "upload/"].iter().any(|stage| from.starts_with(stage)))
        .collect();
    assert_eq!(root.once().status.code(), Some(1));
    assert!(root.at("raw/winter-cabins/half.png").exists());
    for (from, to, bytes) in moves {
        assert!(!from.exists() && fs::read(&to).unwrap() == bytes, "{}\n{}", to.display(), root.log());
    }
    assert!(made.iter().all(|made| made.exists()), "{made:?}\n{}", root.log());
    assert_eq!(told.len(), 3 * 4 + 3, "{plan}");
    for (from, did) in
        told.into_iter().filter(|(from, did)| !from.contains("half.png") && !did.starts_with("set aside"))
    {
        let is_told =
            |line: &str| line.contains(&format!(" from={from} ")) && line.to_lowercase().contains(&did.to_lowercase());
        assert!(root.log().lines().any(is_told), "{from}: {did}\n{}", root.log());
    }
}

/// Only files in inboxes had an answer, and only by their path from the root or a whole one.
#[test]
fn explain_answers_for_whatever_a_person_names() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    std::os::unix::fs::symlink(&root.path, root.outside().join("link")).unwrap();
    // (where a person stands, what is typed, the exit code, what is said)
    let rows = [
        ("", ".", 0, "the root of the mill"),
        ("", "stockmill.yaml", 0, "the settings of this root"),
        ("raw/winter-cabins", "tags.yaml", 0, "shared tags of the theme `winter-cabins`"),
        ("raw/winter-cabins", "../../ideas/note.md", 0, "went to  archive/ideas/note.md"),
        ("..", "raw/winter-cabins/prompts.txt", 0, "the prompts of its theme"),
        ("../outside/link/archive", "ideas/note.md", 0, "the theme `winter-cabins`"),
        ("", "raw/winter-cabins/never.png", 1, "stockmill never saw it"),
        ("", "never/there/a.png", 1, "`never/there/a.png` is not there, and stockmill never saw it"),
        ("..", "mill/never/a.png", 1, "`never/a.png` is not there, and stockmill never saw it"),
        ("../outside", "link/never/a.png", 1, "`never/a.png` is not there, and stockmill never saw it"),
        ("..", "never/there/a.png", 2, "does not lie in the root"),
        ("", "/etc/hostname", 2, "does not lie in the root"),
        ("", "/etc/hostname", 2, "put notes into `ideas`"),
    ];
    for (folder, typed, code, said) in rows {
        let output = root.command(&["explain", typed]).current_dir(root.at(folder)).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.code() == Some(code) && text.contains(said), "{folder} {typed}: {text}");
    }
}

/// It was said to name the root that was named.
#[test]
fn a_note_elsewhere_is_shown_as_it_would_be_read_and_nothing_else() {
    let root = Root::new();
    let note = root.outside().join("note.md");
    fs::write(&note, NOTE).unwrap();
    let before = root.files();
    let shown = root.text(&["plan", note.to_str().unwrap()]);
    for said in ["nothing comes of it until it lies in `ideas`", "Winter cabins", "prompt: a {log|stone} cabin"] {
        assert!(shown.contains(said), "no `{said}` in {shown}");
    }
    assert!(root.files() == before && note.exists());
    let status = root.text(&["status"]);
    assert!(status.contains(&format!("start it with `stockmill --root {} run`", root.path.display())), "{status}");
}

#[test]
fn a_person_may_start_anywhere_and_move_things_by_hand() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {keep: hold}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    fs::create_dir_all(root.at("export/winter-cabins")).unwrap();
    fs::write(root.at("export/winter-cabins/started here.png"), picture(2, 220)).unwrap();
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 1, "{}", root.log());
    // A file moved on without its sidecar is the same asset still.
    let kept = root.files().into_iter().find(|name| name.starts_with("keep/") && name.ends_with(".png")).unwrap();
    fs::rename(root.at(&kept), root.at("export/winter-cabins/moved.png")).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let names: Vec<String> = root.csv()[1..].iter().map(|row| row[0].clone()).collect();
    assert_eq!(names.len(), 2, "{names:?} {}", root.log());
    assert!(!root.at(&format!("{kept}.yaml")).exists());
    assert!(!root.files().iter().any(|name| name.starts_with("failed/")), "{:?}", root.files());
}

#[test]
fn videos_models_and_named_documents_pass_whole() {
    let root = Root::with("upload: {markets: []}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    let raw = root.at("raw/winter-cabins");
    let part = |name: &[u8; 4], size: usize| {
        [&u32::try_from(size + 8).unwrap().to_be_bytes()[..], name, &vec![0; size]].concat()
    };
    let video = [part(b"ftyp", 8), part(b"moov", 20), part(b"mdat", 99)].concat();
    fs::write(raw.join("clip.mp4"), &video).unwrap();
    fs::create_dir(raw.join("model")).unwrap();
    fs::write(raw.join("model/cube.obj"), "mtllib cube.mtl\nv 0 0 0\n").unwrap();
    fs::write(raw.join("model/cube.mtl"), "newmtl a\nmap_Kd wood.png\n").unwrap();
    fs::write(raw.join("model/wood.png"), picture(3, 64)).unwrap();
    fs::write(raw.join("release.pdf"), "%PDF-1.4 signed").unwrap();
    let tags = fs::read_to_string(raw.join("tags.yaml")).unwrap();
    fs::write(raw.join("tags.yaml"), format!("{tags}documents: [release.pdf]\n")).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let upload: Vec<String> =
        root.files().into_iter().filter(|name| name.starts_with("upload/") && !name.ends_with(".yaml")).collect();
    assert_eq!(upload.len(), 5, "{upload:?}\n{}", root.log());
    for ending in ["cube.obj", "cube.mtl", "wood.png", ".pdf", ".mp4"] {
        assert!(upload.iter().any(|name| name.ends_with(ending)), "{ending}: {upload:?}");
    }
}

#[test]
fn who_closes_the_pipe_has_read_enough() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = root.command(&["status"]).stdout(writer).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stderr.is_empty(), "{ended:?}");
}
