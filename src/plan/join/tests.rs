use super::*;
use crate::model::{EnhanceTags, EnlargeTags, Kind, Method, Restore};
use crate::plan::tags::{Layer, digest, resolve};
use crate::records::{Derivation, FileRecord, Origin, Step};

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn id() -> AssetId {
    AssetId::of(&ContentHash::of(b"dropped"))
}

fn tags(title: &str, keywords: &[&str]) -> Tags {
    let title = (!title.is_empty()).then(|| title.to_owned());
    Tags { title, keywords: keywords.iter().map(|word| (*word).to_owned()).collect(), ..Tags::default() }
}

fn record(own: Tags) -> Sidecar {
    let hash = ContentHash::of(b"dropped");
    let origin = Origin { path: path("raw/t/x.png"), hash, kind: Kind::Png, size: None, archived: None };
    let file = FileRecord {
        recipe: Some(Derivation::after(None, Step::Embedded)),
        embedded: Some(digest(&resolve(&[(Layer::Sidecar, own.clone())]).meta())),
        ..FileRecord::of_original(ContentHash::of(b"file"))
    };
    Sidecar { id: Some(id()), seq: Some(1), tags: own, origin: Some(origin), file: Some(file), ..Sidecar::default() }
}

fn late(name: &str, named: Named, says: Says) -> Late {
    let seen = Identity { device: 1, inode: 2, size: 3, modified_ns: 4 };
    Late { path: path(name), seen, hash: ContentHash::of(b"late"), named, says, remarks: Vec::new() }
}

fn sidecar(tags: Tags) -> Late {
    let says = Says::Sidecar(Box::new(Sidecar { tags, ..Sidecar::default() }));
    late("raw/t/x.png.yaml", Named::Whole, says)
}

/// Returns a file of the asset whose own tags are these; in a bundle with the tags that it will have.
fn asset_file(file: &str, own: &Tags, late: &Late) -> AssetFile {
    let record_path = match file.split_once("/files/") {
        Some((bundle, name)) => format!("{bundle}/sidecars/{name}.yaml"),
        None => format!("{file}.yaml"),
    };
    let mut record = record(own.clone());
    if file.contains("/files/") {
        record.keep_original_at(path("archive/t/t-0001.png"));
    }
    let mut layers = vec![(Layer::Sidecar, late.joined_to(&record).tags)];
    if let Says::Xmp(xmp) = &late.says {
        layers.insert(0, (Layer::Xmp, xmp.clone()));
    }
    let meta = file.contains("/files/").then(|| resolve(&layers).meta());
    AssetFile { path: path(file), record: Some((path(&record_path), record.to_text().into_bytes(), record)), meta }
}

fn joined(late: &Late, files: &[AssetFile], taken: &[&str]) -> Result<Plan, Hold> {
    let taken = |path: &RelPath| taken.contains(&path.to_string().as_str());
    plan_join(late, &id(), files, Timestamp::UNIX_EPOCH, &taken)
}

const BUNDLED: &str = "upload/2026-11-28/m/files/t-0001.jpg";
const IN_OTHER: &str = "upload/2026-11-28/other/files/t-1.jpg";

#[test]
fn companions_join_their_asset_under_its_present_name() {
    let nothing = || Says::Nothing;
    let xmp = || Says::Xmp(tags("From XMP", &[]));
    let cases = [
        ("raw/t/x.txt", Named::Stem, nothing(), "keep/t/t-0001.png", "keep/t/t-0001.txt"),
        ("raw/t/x.png.json", Named::Whole, nothing(), "keep/t/t-0001.png", "keep/t/t-0001.png.json"),
        ("raw/t/x.JSON", Named::Stem, nothing(), "keep/t/taken.png", "keep/t/taken-2.json"),
        ("raw/t/x.xmp", Named::Stem, xmp(), "keep/t/t-0001.png", "keep/t/t-0001.xmp"),
        // What lay in a bundle alone was lost with it.
        ("keep/t/t-0001.png.xmp", Named::Whole, xmp(), BUNDLED, "archive/t/t-0001.png.xmp"),
        ("raw/t/x.txt", Named::Stem, nothing(), BUNDLED, "archive/t/t-0001.txt"),
        ("raw/t/x.yaml", Named::Stem, nothing(), "export/t/t-0001.png", "export/t/t-0001.yaml"),
    ];
    for (name, named, says, file, expected) in cases {
        let late = late(name, named, says);
        let taken = ["keep/t/taken.JSON", "keep/t/taken.json"];
        let plan = joined(&late, &[asset_file(file, &tags("", &[]), &late)], &taken).unwrap();
        let moves: Vec<String> = plan.moves.iter().map(|shift| shift.to.to_string()).collect();
        assert_eq!(moves, [expected], "{name}");
        assert!(plan.removes.is_empty(), "{name}");
        let copies = plan.products.iter().filter(|product| matches!(product.recipe, Recipe::Copy { .. }));
        let copies: Vec<String> = copies.map(|product| product.to.to_string()).collect();
        let in_bundle = ["upload/2026-11-28/m/sidecars/t-0001.jpg.xmp"];
        let is_copied = file == BUNDLED && matches!(late.says, Says::Xmp(_));
        assert_eq!(copies, in_bundle[..usize::from(is_copied)], "{name}");
        let embeds = plan.products.iter().filter(|product| matches!(product.recipe, Recipe::Embed { .. })).count();
        let is_told_to_the_file = file == BUNDLED && matches!(late.says, Says::Xmp(_));
        assert_eq!(embeds, usize::from(is_told_to_the_file), "{name}");
        assert_eq!((plan.about.seq, plan.about.asset), (None, Some(id())), "{name}");
    }
}

#[test]
fn of_two_xmp_sidecars_neither_is_chosen() {
    let late = late("raw/t/x.xmp", Named::Stem, Says::Xmp(tags("", &[])));
    let files = [asset_file("keep/t/t-0001.png", &tags("", &[]), &late)];
    for other in ["keep/t/t-0001.xmp", "keep/t/t-0001.png.xmp"] {
        assert!(matches!(joined(&late, &files, &[other]), Err(Hold::Waits(why)) if why.contains(other)), "{other}");
    }
}

#[test]
fn a_late_sidecar_is_the_persons_last_word_and_nothing_of_the_mills_own_is_lost() {
    use Method::Neural;
    use Restore::{Auto, Fixed};
    use Strength::{High, Low, Off};
    let look = |sharpen, levels| Tags { enhance: EnhanceTags { sharpen, levels }, ..Tags::default() };
    let by = |method, restore| Tags { enlarge: EnlargeTags { method, restore }, ..Tags::default() };
    // (what the record says, what the late one says, what it says then, what is told)
    let cases = [
        (tags("", &[]), tags("New", &["a"]), tags("New", &["a"]), "title, keywords taken over"),
        (tags("Old", &["a"]), tags("New", &[]), tags("New", &["a"]), "title taken over, instead of title \"Old\""),
        (tags("Old", &["a"]), tags("", &["b"]), tags("Old", &["b"]), "keywords taken over, instead of keywords \"a\""),
        (tags("Old", &["a"]), tags("Old", &["a"]), tags("Old", &["a"]), "says nothing new"),
        (tags("Old", &[]), tags("", &[]), tags("Old", &[]), "says nothing new"),
        (look(None, None), look(Some(High), None), look(Some(High), None), "sharpen taken over"),
        (
            look(Some(Low), Some(Off)),
            look(None, Some(High)),
            look(Some(Low), Some(High)),
            "levels taken over, instead of levels off",
        ),
        (look(Some(Low), Some(Off)), look(Some(Low), None), look(Some(Low), Some(Off)), "says nothing new"),
        (by(None, None), by(Some(Neural), None), by(Some(Neural), None), "method taken over"),
        (
            by(Some(Neural), Some(Fixed(5))),
            by(None, Some(Auto)),
            by(Some(Neural), Some(Auto)),
            "restore taken over, instead of restore 5",
        ),
        (by(Some(Neural), Some(Auto)), by(Some(Neural), None), by(Some(Neural), Some(Auto)), "says nothing new"),
    ];
    for (own, said, expected, told) in cases {
        let late = sidecar(said.clone());
        let plan = joined(&late, &[asset_file("keep/t/t-0001.png", &own, &late)], &[]).unwrap();
        assert!(plan.about.did.contains(told), "{}", plan.about.did);
        assert_eq!(plan.removes.iter().map(|gone| &gone.path).collect::<Vec<_>>(), [&late.path]);
        let written = plan.products.iter().map(|product| match &product.recipe {
            Recipe::Bytes(bytes) => Sidecar::parse(bytes).unwrap(),
            other => panic!("{other:?}"),
        });
        let written: Vec<Sidecar> = written.collect();
        assert_eq!(written.is_empty(), own == expected, "{said:?}");
        for updated in written {
            let before = record(own.clone());
            assert_eq!(updated.tags, expected);
            assert_eq!(
                (updated.id, updated.origin, updated.file, updated.seq),
                (before.id, before.origin, before.file, before.seq)
            );
            assert_eq!(updated.history.len(), 1);
        }
    }
}

#[test]
fn a_late_sidecar_reaches_the_files_of_every_bundle() {
    let late = sidecar(tags("New", &["a"]));
    let files = [BUNDLED, IN_OTHER].map(|file| asset_file(file, &tags("Old", &[]), &late));
    let plan = joined(&late, &files, &[]).unwrap();
    let told: Vec<String> = plan
        .products
        .iter()
        .map(|product| match &product.recipe {
            Recipe::Embed { meta, .. } => format!("{} {}", product.to.file_text(), meta.title),
            Recipe::SidecarOf { product: of, sidecar } => {
                format!("{} of {} {:?}", product.to.file_text(), plan.products[*of].to.file_text(), sidecar.tags.title)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        "t-0001.jpg New",
        "t-0001.jpg.yaml of t-0001.jpg Some(\"New\")",
        "t-1.jpg New",
        "t-1.jpg.yaml of t-1.jpg Some(\"New\")",
    ];
    assert_eq!(told, expected);
    assert_eq!(plan.about.stage, Stage::Upload);
}

#[test]
fn a_sidecar_of_another_asset_and_one_whose_asset_has_none() {
    let mut other = sidecar(tags("New", &[]));
    let files = [asset_file("keep/t/t-0001.png", &tags("", &[]), &other)];
    other.says =
        Says::Sidecar(Box::new(Sidecar { id: Some(AssetId::of(&ContentHash::of(b"other"))), ..Sidecar::default() }));
    assert!(matches!(joined(&other, &files, &[]), Err(Hold::Ignored(why)) if why.contains("of the asset")));
    let late = sidecar(tags("New", &[]));
    let bare = AssetFile { path: path("failed/raw/t/x-2.png"), record: None, meta: None };
    let plan = joined(&late, &[bare], &[]).unwrap();
    assert_eq!(plan.moves[0].to, path("failed/raw/t/x-2.png.yaml"));
}
