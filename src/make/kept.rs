//! Products that were made before and taken away: the same recipe is not carried out twice on the same input.

use crate::model::ContentHash;
use crate::plan::{Kept, Plan, Recipe};
use crate::records::{FileRecord, SIDECAR_BYTES_MAX, Sidecar};
use crate::vault::Look;

/// Returns the bytes that a product of a plan will have, if the same was made before and still lies in the trash as it
/// was. What cannot be read is made again.
pub(super) fn made_before(disk: &dyn Look, plan: &Plan, product: usize, bytes_max: u64) -> Option<Vec<u8>> {
    let wanted = plan.products.iter().find_map(|other| match &other.recipe {
        Recipe::SidecarOf { product: of, sidecar } if *of == product => sidecar.file.as_ref(),
        _ => None,
    })?;
    plan.kept.iter().find_map(|kept| read_same(disk, kept, wanted, bytes_max))
}

fn read_same(disk: &dyn Look, kept: &Kept, wanted: &FileRecord, bytes_max: u64) -> Option<Vec<u8>> {
    let record = Sidecar::parse(&disk.read(&kept.record, SIDECAR_BYTES_MAX).ok()?).ok()?.file?;
    // Another version may write the same pixels otherwise.
    let is_same = wanted.input.is_some()
        && FileRecord { hash: wanted.hash.clone(), left: wanted.left, ..record.clone() } == *wanted;
    let bytes = if is_same { disk.read(&kept.file, bytes_max).ok()? } else { return None };
    (ContentHash::of(&bytes) == record.hash).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Enhance, Output, RelPath, Render, Stage, Upscaler};
    use crate::plan::Product;
    use crate::records::{About, Derivation, PublishMode};
    use crate::vault::{Disk as _, Layout, RealDisk};

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn record() -> FileRecord {
        let recipe = Derivation::from("lanczos 10x20 to 30x60".to_owned());
        FileRecord::of_derived(Some(ContentHash::of(b"input")), recipe, Some(ContentHash::of(b"tags")))
    }

    #[test]
    fn only_what_is_the_same_in_all_is_taken_from_the_trash() {
        type Change = fn(&mut FileRecord);
        // What differs in the sidecar of what is kept, the bytes that lie there, and whether they are taken.
        let rows: [(&str, Change, Option<&[u8]>, bool); 8] = [
            ("nothing", |_| (), Some(b"made"), true),
            ("its bytes", |_| (), Some(b"else"), false),
            ("it is gone", |_| (), None, false),
            ("input", |record| record.input = Some(ContentHash::of(b"other")), Some(b"made"), false),
            ("no input", |record| record.input = None, Some(b"made"), false),
            (
                "recipe",
                |record| record.recipe = Some(Derivation::from("lanczos 10x20 to 40x80".to_owned())),
                Some(b"made"),
                false,
            ),
            ("tags", |record| record.embedded = None, Some(b"made"), false),
            ("version", |record| record.made_by = Some("0.0.1".to_owned()), Some(b"made"), false),
        ];
        for (what, change, bytes, is_taken) in rows {
            let root = tempfile::tempdir().unwrap();
            let disk = RealDisk::open(Layout { root: root.path().to_owned(), areas: [].into() }).unwrap();
            disk.make_area(&path("raw")).unwrap();
            let mut before = FileRecord { hash: ContentHash::of(b"made"), ..record() };
            change(&mut before);
            let sidecar = Sidecar { file: Some(before), ..Sidecar::default() };
            let kept = Kept { file: path("raw/1-0"), record: path("raw/1-1") };
            disk.write_new(&kept.record, sidecar.to_text().as_bytes()).unwrap();
            bytes.iter().for_each(|bytes| disk.write_new(&kept.file, bytes).unwrap());
            let render = Render {
                size: None,
                by: Upscaler::Lanczos,
                enhance: Enhance::default(),
                output: Output::Master,
                threads: 1,
            };
            let made = Recipe::Render { from: path("keep/t/a.png"), kind: crate::model::Kind::Png, render };
            let own = Sidecar { file: Some(record()), ..Sidecar::default() };
            let recipes = [made, Recipe::SidecarOf { product: 0, sidecar: Box::new(own) }];
            let product = |recipe| Product { to: path("export/t/a.png"), recipe, mode: PublishMode::New };
            let nowhere = Kept { file: path("raw/0-0"), record: path("raw/0-1") };
            let plan = Plan {
                products: recipes.map(product).to_vec(),
                kept: vec![nowhere, kept],
                ..Plan::new(About::new(Stage::Keep, ""))
            };
            let found = made_before(&disk, &plan, 0, 1 << 20);
            assert_eq!(found.is_some(), is_taken, "{what}");
            assert_eq!(made_before(&disk, &plan, 1, 1 << 20), None, "it has no sidecar of its own");
        }
    }
}
