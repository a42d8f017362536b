use super::{Limits, MakeError};
use crate::craft::{self, Picture};
use crate::model::{ContentHash, Format, Kind, Meta, RelPath};
use crate::plan::{Check, Plan, Product, Recipe};
use crate::vault::{Disk, Draft, Made, Vault};

/// JPEG quality is not asked for here: a refined picture between two stages is always lossless.
const LOSSLESS: u8 = 100;

/// Makes a plan's products in scratch. Whatever goes wrong, nothing but scratch was touched.
pub fn make(vault: &Vault, plan: &Plan, limits: &Limits) -> Result<Made, MakeError> {
    let disk = vault.disk();
    if let Some(check) = &plan.check {
        check_source(disk, check, plan, limits)?;
    }
    let mut draft = vault.draft();
    let mut hashes = Vec::with_capacity(plan.products.len());
    for product in &plan.products {
        hashes.push(make_product(disk, &mut draft, product, &hashes, limits)?);
    }
    for shift in &plan.moves {
        draft.shift(&shift.from, &shift.to, shift.seen)?;
    }
    for gone in &plan.removes {
        draft.remove(&gone.path, gone.seen)?;
    }
    Ok(draft.finish(plan.about.clone()))
}

/// Checks the whole content of a source that stockmill did not make itself. A picture that a product
/// is made from is decoded for that anyway.
fn check_source(disk: &dyn Disk, check: &Check, plan: &Plan, limits: &Limits) -> Result<(), MakeError> {
    let decoded_anyway = plan.products.iter().any(|product| match &product.recipe {
        Recipe::Enlarge { from, .. } | Recipe::Export { from, .. } => *from == check.path,
        _ => false,
    });
    if decoded_anyway {
        return Ok(());
    }
    if check.kind.is_image() {
        craft::decode(&disk.read(&check.path, limits.file_bytes_max)?, check.kind, &limits.decode)?;
        return Ok(());
    }
    let length = disk.look(&check.path)?.map_or(0, |entry| entry.identity.size);
    Ok(craft::check_whole(disk.open(&check.path)?, length, check.kind)?)
}

fn make_product(
    disk: &dyn Disk,
    draft: &mut Draft,
    product: &Product,
    earlier: &[ContentHash],
    limits: &Limits,
) -> Result<ContentHash, MakeError> {
    let bytes = match &product.recipe {
        Recipe::Same { from, hash } => {
            draft.same(from, &product.to, hash)?;
            return Ok(hash.clone());
        }
        Recipe::Bytes(bytes) => bytes.clone(),
        Recipe::SidecarOf { product, sidecar } => {
            let mut sidecar = sidecar.clone();
            if let Some(file) = &mut sidecar.file {
                file.hash = earlier[*product].clone();
            }
            sidecar.to_text().into_bytes()
        }
        Recipe::Enlarge { from, kind, to } => {
            let source = read(disk, from, *kind, limits)?;
            let enlarged = craft::enlarge(&source, *to)?;
            craft::check_enlarged(&source, &enlarged)?;
            craft::encode(&enlarged, Format::Png, LOSSLESS)?
        }
        Recipe::Export { from, kind, format, quality, background, meta } => {
            let source = read(disk, from, *kind, limits)?;
            export(source, *format, *quality, *background, meta)?
        }
        Recipe::Embed { from, kind, meta } => craft::embed(disk.read(from, limits.file_bytes_max)?, *kind, meta)?,
    };
    Ok(draft.write(&product.to, &bytes, product.mode.clone())?)
}

fn read(disk: &dyn Disk, path: &RelPath, kind: Kind, limits: &Limits) -> Result<Picture, MakeError> {
    Ok(craft::decode(&disk.read(path, limits.file_bytes_max)?, kind, &limits.decode)?)
}

fn export(
    source: Picture,
    format: Format,
    quality: u8,
    background: [u8; 3],
    meta: &Meta,
) -> Result<Vec<u8>, MakeError> {
    let picture = craft::to_srgb(source)?;
    let picture = if format == Format::Jpeg { craft::flatten(picture, background) } else { picture };
    let bytes = craft::encode(&picture, format, quality)?;
    Ok(craft::embed(bytes, format.kind(), meta)?)
}
