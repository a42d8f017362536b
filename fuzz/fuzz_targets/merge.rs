//! Shared tags changed in several places: the merge settles, and every version that it rewrites is
//! kept. The first part is the last common state, the others are the files of the stages, oldest first.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stockmill::model::{Stage, ThemeSlug};
use stockmill::plan::{Base, Recipe, TagFile, merge::merge, plan_sync};
use stockmill::records::{read_mapping, write_mapping};
use stockmill_fuzz::parts;

fuzz_target!(|bytes: &[u8]| {
    let parts = parts(bytes);
    let maps: Vec<_> = parts.iter().take(5).map(|part| read_mapping(part)).collect();
    if let Some((Ok(base), sides)) = maps.split_first() {
        let sides: Vec<_> =
            sides.iter().flatten().enumerate().map(|(n, side)| (format!("side {n}"), side.clone())).collect();
        let merged = merge(Some(base), &sides);
        assert_eq!(read_mapping(write_mapping(&merged.value).as_bytes()), Ok(merged.value));
        if let [side] = sides.as_slice() {
            let alone = merge(Some(base), std::slice::from_ref(side));
            assert!(alone.conflicts.is_empty());
        }
    }
    let stages = [Stage::Raw, Stage::Keep, Stage::Export, Stage::Upload];
    let files: Vec<TagFile> = stages
        .into_iter()
        .zip(&parts[1..])
        .zip(0_i64..)
        .map(|((stage, part), modified_ns)| TagFile { stage, bytes: Some(part.to_vec()), modified_ns })
        .collect();
    let theme = ThemeSlug::new("theme").expect("a plain name is a theme");
    let base = (!parts[0].is_empty()).then_some(parts[0]);
    let is_distrusted = bytes.len() % 2 == 1;
    let Some(plan) = plan_sync(&theme, None, Base { bytes: base, is_distrusted }, &files) else { return };
    let written = |path: String| {
        plan.products.iter().find(|product| product.to.to_string() == path).map(|product| match &product.recipe {
            Recipe::Bytes(bytes) => bytes.clone(),
            other => panic!("{other:?}"),
        })
    };
    // Carried out, everything is in step.
    let after: Vec<TagFile> = files
        .iter()
        .map(|file| {
            let new = written(format!("{}/theme/tags.yaml", file.stage.name()));
            TagFile { bytes: new.or_else(|| file.bytes.clone()), ..file.clone() }
        })
        .collect();
    let base = written(".stockmill/tags/theme/tags.yaml".to_owned()).or_else(|| base.map(<[u8]>::to_vec));
    let next = plan_sync(&theme, None, Base { bytes: base.as_deref(), is_distrusted: false }, &after);
    assert!(next.is_none(), "it does not settle: {next:?}");
});
