//! What waits goes on by itself once it can, and nobody waits for what cannot.

use std::fs;

use super::{NOTE, Root, picture};

/// A root with one worker, who is at work on a large picture for a while, and a small one that is bundled.
fn a_busy_root() -> (Root, super::Daemon) {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\nwork: {jobs: 1}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/small.png"), picture(2, 100)).unwrap();
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 1, "{}", root.log());
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), settings.replace("0.04", "24")).unwrap();
    let daemon = root.run();
    fs::write(root.at("raw/winter-cabins/large.png"), picture(1, 1200)).unwrap();
    root.until("the picture is in hand", |root| root.log().contains("Working on a large picture"));
    (root, daemon)
}

fn video() -> Vec<u8> {
    let part = |name: &[u8; 4], size: usize| {
        [&u32::try_from(size + 8).unwrap().to_be_bytes()[..], name, &vec![0; size]].concat()
    };
    [part(b"ftyp", 8), part(b"moov", 20), part(b"mdat", 99)].concat()
}

#[test]
fn a_sidecar_that_is_mended_while_its_asset_is_in_hand_is_seen() {
    let (root, daemon) = a_busy_root();
    let raw = root.at("raw/winter-cabins");
    fs::write(raw.join("clip.mp4.yaml"), "tags: [").unwrap();
    fs::write(raw.join("clip.mp4"), video()).unwrap();
    drop(root.text(&["status"]));
    fs::write(raw.join("clip.mp4.yaml"), "tags: {title: A cabin}\n").unwrap();
    root.until("the video goes on", |root| {
        root.files().iter().any(|name| name.ends_with(".mp4") && !name.starts_with("raw/"))
    });
    daemon.signal("-TERM");
    daemon.ends_well();
}

#[test]
fn a_companion_that_comes_while_its_asset_is_in_hand_goes_with_it() {
    let (root, daemon) = a_busy_root();
    let raw = root.at("raw/winter-cabins");
    fs::write(raw.join("clip.mp4"), video()).unwrap();
    drop(root.text(&["status"]));
    fs::write(raw.join("clip.txt"), "a cabin in the snow").unwrap();
    root.until("the video goes on", |_| !raw.join("clip.mp4").exists());
    root.until("its text goes with it", |_| !raw.join("clip.txt").exists());
    daemon.signal("-TERM");
    daemon.ends_well();
}

#[test]
fn an_undo_that_waits_is_carried_out_before_the_daemon_stops() {
    let (root, daemon) = a_busy_root();
    let mut undo = root.command(&["undo", root.bundled()[0].to_str().unwrap()]);
    let requests = || fs::metadata(root.at(".stockmill/requests")).unwrap().modified().unwrap();
    let before = requests();
    let undo = undo.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    root.until("the request lies there, or was taken", |_| requests() != before);
    daemon.signal("-TERM");
    daemon.ends_well();
    let undo = undo.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&undo.stdout), String::from_utf8_lossy(&undo.stderr));
    assert!(said.starts_with("undone: "), "{said}\n{}", root.log());
}

#[test]
fn a_document_that_its_theme_claims_later_goes_on() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let daemon = root.run();
    let raw = root.at("raw/winter-cabins");
    fs::write(raw.join("release.pdf"), "%PDF-1.4 signed").unwrap();
    // The log called it held, and `status` left alone.
    let told =
        |root: &Root| root.log().lines().any(|line| line.contains("Left alone: ") && line.contains("release.pdf"));
    root.until("it is told of", told);
    let tags = fs::read_to_string(raw.join("tags.yaml")).unwrap();
    fs::write(raw.join("tags.yaml"), format!("{tags}documents: [release.pdf]\n")).unwrap();
    root.until("it goes on", |_| !raw.join("release.pdf").exists());
    daemon.signal("-TERM");
    daemon.ends_well();
}

#[test]
fn twins_in_a_stage_itself_do_not_wait_for_each_other() {
    let root = Root::new();
    fs::write(root.at("raw/a.png"), picture(1, 100)).unwrap();
    fs::write(root.at("raw/b.png"), picture(1, 100)).unwrap();
    root.once();
    let left: Vec<String> =
        root.files().into_iter().filter(|name| name.starts_with("raw/") && name.ends_with(".png")).collect();
    assert_eq!(left, Vec::<String>::new(), "{}", root.log());
    assert!(!root.log().contains("cannot be listed"), "{}", root.log());
}

#[test]
fn once_ends_although_the_archive_is_away() {
    let root = Root::new();
    let archive = root.outside().join("archive");
    fs::create_dir(&archive).unwrap();
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    fs::write(root.at("stockmill.yaml"), format!("{settings}folders: {{archive: {}}}\n", archive.display())).unwrap();
    assert!(root.call(&["init"]).status.success());
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success());
    assert_eq!(root.bundled().len(), 1);
    fs::rename(&archive, root.outside().join("not-mounted")).unwrap();
    let once = root.once();
    assert_eq!(once.status.code(), Some(1), "{}", root.log());
    assert!(root.log().contains("Paused: "), "{}", root.log());
}

#[test]
fn a_folder_in_scratch_is_nobodys_business() {
    let root = Root::new();
    let stranger = root.at(".stockmill/scratch/@eaDir/thumb");
    fs::create_dir_all(stranger.parent().unwrap()).unwrap();
    fs::write(&stranger, "x").unwrap();
    root.idea(NOTE);
    assert!(root.once().status.success(), "{}", root.log());
    assert!(root.at("raw/winter-cabins/tags.yaml").exists() && stranger.exists());
}

#[test]
fn what_was_written_beside_a_picture_is_used_or_waited_for() {
    let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {keep: hold}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    let raw = root.at("raw/winter-cabins");
    let rejected = "<rdf:RDF><rdf:Description xmp:Rating='-1'/></rdf:RDF>";
    let beside = [
        ("a.png.yaml", "# to do\n", "nobody can tell what it is meant to say"),
        ("b.xmp", "", "says nothing that can be read"),
        ("c.png.xmp", "hello", "says nothing that can be read"),
        ("d.xmp", rejected, "marks it as rejected"),
    ];
    for (seed, (name, text, _)) in (1..).zip(beside) {
        fs::write(raw.join(name), text).unwrap();
        fs::write(raw.join(format!("{}.png", &name[..1])), picture(seed, 100)).unwrap();
    }
    root.once();
    for (name, _, why) in beside {
        let picture = raw.join(format!("{}.png", &name[..1]));
        assert!(picture.exists() && raw.join(name).exists(), "{name}: {}", root.log());
        let said = root.text(&["explain", &format!("raw/winter-cabins/{}.png", &name[..1])]);
        assert!(said.contains(why) && said.contains(name), "{name}: {said}");
    }
    // Mended, taken away, or with another mark.
    fs::write(raw.join("a.png.yaml"), "{}").unwrap();
    fs::remove_file(raw.join("b.xmp")).unwrap();
    fs::write(raw.join("c.png.xmp"), "<rdf:RDF></rdf:RDF>").unwrap();
    fs::write(raw.join("d.xmp"), rejected.replace("-1", "3")).unwrap();
    root.once();
    let kept = root.files().iter().filter(|name| name.starts_with("keep/") && name.ends_with(".png")).count();
    assert_eq!(kept, 4, "{}", root.log());
}

/// It was held for the same mark in each stage again.
#[test]
fn what_was_let_go_though_rejected_is_not_held_for_the_same_mark_again() {
    let rejected = "<rdf:RDF><rdf:Description xmp:Rating='-1'/></rdf:RDF>";
    let held = |root: &Root| root.text(&["status"]).contains("marks it as rejected");
    for is_marked_again in [false, true] {
        let root = Root::with("keep: {method: lanczos, min_megapixels: 0.04}\ngates: {keep: hold}\n");
        root.idea(NOTE);
        assert!(root.once().status.success());
        fs::write(root.at("raw/winter-cabins/a.xmp"), rejected).unwrap();
        fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
        root.once();
        assert!(held(&root), "{}", root.log());
        root.text(&["release", "raw", "--anyway"]);
        root.once();
        let name = "keep/winter-cabins/winter-cabins-0001";
        let sidecar = fs::read_to_string(root.at(&format!("{name}.png.yaml"))).unwrap();
        assert!(
            sidecar.contains("let go, though `raw/winter-cabins/a.xmp` marks it as rejected; recognised as png"),
            "{sidecar}"
        );
        if is_marked_again {
            fs::write(root.at(&format!("{name}.xmp")), format!("{rejected}\n")).unwrap();
        }
        root.text(&["release", "keep"]);
        root.once();
        assert_eq!(
            (held(&root), root.bundled().len()),
            (is_marked_again, usize::from(!is_marked_again)),
            "{}",
            root.log()
        );
        root.text(&["release", "keep", "--anyway"]);
        root.once();
        assert_eq!(root.bundled().len(), 1, "one word is enough for export and upload: {}", root.log());
    }
}
