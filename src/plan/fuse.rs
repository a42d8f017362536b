//! Steps of one asset that are carried out at once: two plans become one, and what the first leaves is what the second is
//! decided on.

use std::ops::RangeInclusive;

use super::{Companion, Facts, Member, Plan, Product, Recipe};
use crate::market::Market;
use crate::model::{
    ColourSpace, Colours, ContentHash, Enhance, Format, Identity, Output, Profile, RelPath, Render, Upscaler,
};
use crate::records::{About, Move, Remove, SIDECAR_SUFFIX, Sidecar};

/// Where a file that a plan is decided on comes from, if an earlier plan leaves it.
enum Before<'a> {
    /// It lies there now.
    Moved(&'a Move),
    /// It is made.
    Made(&'a Product),
    /// The earlier plan has no part in it.
    Untouched,
}

impl Plan {
    /// Returns this plan and the next of the same asset as one plan, or `None` if that cannot be one: what the next one
    /// keeps would never have been made.
    pub fn then(&self, next: &Plan) -> Option<Plan> {
        // What is encoded for its limits alone was decided on bytes that nobody knows before.
        if !next.own_files.is_empty() {
            return None;
        }
        let mut plan = Plan::new(about(&self.about, &next.about));
        let of_next = |step: Option<usize>| step.map(|step| step + self.about.steps.len().max(1));
        plan.renders_in = self.renders_in.or_else(|| of_next(next.renders_in));
        plan.encodes_in = of_next(next.encodes_in).or(self.encodes_in);
        let of_last = if next.encodes_in.is_some() { &next.bytes_for } else { &self.bytes_for };
        plan.bytes_for.clone_from(of_last);
        plan.check.clone_from(&self.check);
        plan.bytes.clone_from(&next.bytes);
        if let Some(check) = &next.check {
            let Before::Moved(shift) = self.before(&check.path) else { return None };
            plan.check.get_or_insert_with(|| super::Check { path: shift.from.clone(), kind: check.kind });
        }
        self.keep_products(next, &mut plan)?;
        self.add_products(next, &mut plan)?;
        self.add_moves(next, &mut plan)?;
        plan.again = self.again.iter().chain(&next.again).cloned().collect();
        plan.unsure = self.unsure.iter().chain(&next.unsure).cloned().collect();
        plan.rows = self.rows.iter().chain(&next.rows).cloned().collect();
        Some(plan)
    }

    /// Returns whether a program of a person's own enlarges a picture for it.
    pub fn is_by_program(&self) -> bool {
        let is_one =
            |recipe: &Recipe| matches!(recipe, Recipe::Render { render: Render { by: Upscaler::Command(_), .. }, .. });
        self.products.iter().any(|product| is_one(&product.recipe))
    }

    fn before(&self, path: &RelPath) -> Before<'_> {
        if let Some(shift) = self.moves.iter().find(|shift| shift.to == *path) {
            return Before::Moved(shift);
        }
        self.products.iter().find(|product| product.to == *path).map_or(Before::Untouched, Before::Made)
    }

    /// Takes over the products that the next plan does not take away.
    fn keep_products(&self, next: &Plan, plan: &mut Plan) -> Option<()> {
        let mut places: Vec<Option<usize>> = Vec::with_capacity(self.products.len());
        for product in &self.products {
            if next.removes.iter().any(|gone| gone.path == product.to) {
                places.push(None);
                continue;
            }
            let mut product = product.clone();
            match &mut product.recipe {
                Recipe::SidecarOf { product, .. } | Recipe::SameAs { product } | Recipe::EmbedOf { product, .. } => {
                    *product = places[*product]?;
                }
                _ => (),
            }
            places.push(Some(plan.products.len()));
            plan.products.push(product);
        }
        Some(())
    }

    fn add_products(&self, next: &Plan, plan: &mut Plan) -> Option<()> {
        let first = plan.products.len();
        for product in &next.products {
            let mut recipe = self.traced(&product.recipe)?;
            if let Recipe::SidecarOf { product, .. } | Recipe::SameAs { product } | Recipe::EmbedOf { product, .. } =
                &mut recipe
            {
                *product += first;
            }
            recipe = recipe.of_earlier(&plan.products);
            plan.products.push(Product { recipe, ..product.clone() });
        }
        Some(())
    }

    /// Returns how a product of the next plan is made of what lies there before this plan.
    fn traced(&self, recipe: &Recipe) -> Option<Recipe> {
        let (Recipe::Same { from, .. }
        | Recipe::Copy { from }
        | Recipe::Blank { from, .. }
        | Recipe::Embed { from, .. }
        | Recipe::Render { from, .. }) = recipe
        else {
            return Some(recipe.clone());
        };
        match (self.before(from), recipe.clone()) {
            (Before::Untouched, recipe) => Some(recipe),
            (Before::Moved(shift), mut recipe) => {
                if let Recipe::Same { from, .. }
                | Recipe::Copy { from }
                | Recipe::Blank { from, .. }
                | Recipe::Embed { from, .. }
                | Recipe::Render { from, .. } = &mut recipe
                {
                    from.clone_from(&shift.from);
                }
                Some(recipe)
            }
            (Before::Made(made), recipe) => of_a_product(&made.recipe, recipe),
        }
    }

    fn add_moves(&self, next: &Plan, plan: &mut Plan) -> Option<()> {
        let goes_on = |shift: &&Move| next.takes().any(|path| *path == shift.to);
        plan.moves.extend(self.moves.iter().filter(|shift| !goes_on(shift)).cloned());
        for shift in &next.moves {
            plan.moves.push(match self.before(&shift.from) {
                Before::Moved(first) => Move { to: shift.to.clone(), ..first.clone() },
                Before::Untouched => shift.clone(),
                // What was made is to be kept: it must be made.
                Before::Made(_) => return None,
            });
        }
        plan.removes.extend(self.removes.iter().cloned());
        for gone in &next.removes {
            match self.before(&gone.path) {
                Before::Moved(first) => {
                    plan.removes.push(Remove { path: first.from.clone(), seen: first.seen, ..gone.clone() });
                }
                Before::Untouched => plan.removes.push(gone.clone()),
                Before::Made(_) => (),
            }
        }
        Some(())
    }
}

/// Returns how a file is made at once that is made of another product.
fn of_a_product(made: &Recipe, next: Recipe) -> Option<Recipe> {
    let Recipe::Render { from, kind, render: first } = made.clone() else {
        return match (made, next) {
            (Recipe::Bytes(_), Recipe::Copy { .. }) => Some(made.clone()),
            _ => None,
        };
    };
    let render = match (next, first) {
        (Recipe::Same { .. }, first) => first,
        (Recipe::Embed { meta, .. }, first @ Render { output: Output::Final { .. }, .. }) => first.with_meta(&meta),
        (Recipe::Render { render, .. }, Render { size, by, enhance, output: Output::Master, .. })
            if (size.is_none() || render.size.is_none()) && render.enhance == Enhance::default() =>
        {
            Render { size: size.or(render.size), by: if size.is_some() { by } else { render.by }, enhance, ..render }
        }
        _ => return None,
    };
    Some(Recipe::Render { from, kind, render })
}

fn about(first: &About, next: &About) -> About {
    let steps = first.steps().chain(next.steps());
    let essences =
        first.essences.iter().chain(next.essences.iter().filter(|essence| !first.essences.contains(essence)));
    About {
        stage: first.stage,
        from: first.from.clone(),
        hash: first.hash.clone(),
        essences: essences.cloned().collect(),
        markets: first.markets.iter().chain(&next.markets).cloned().collect(),
        did: format!("{}; then {}", first.did, next.did),
        steps: steps.collect(),
        ..next.clone()
    }
}

/// Returns the bytes that a file may have for all markets alike, or `None` if no file would do.
pub fn bytes_for_all(markets: &[Market]) -> Option<RangeInclusive<u64>> {
    let min = markets.iter().map(|market| market.bytes.min).max().unwrap_or(0);
    let max = markets.iter().map(|market| market.bytes.max).min().unwrap_or(u64::MAX);
    (min <= max).then_some(min..=max)
}

/// Returns the colours of what is made of a picture. A JPEG or a WebP is never grey, and no inks are written.
pub(super) fn colours_of(source: Option<Colours>, output: &Output) -> Option<Colours> {
    let Output::Final { format, profile, .. } = output else { return source };
    let holds_greys = matches!(format, Format::Png | Format::Tiff);
    match (profile, source) {
        (Profile::Srgb, _) if !holds_greys => Some(Colours::SRGB),
        (Profile::Srgb, source) => source.map(|source| Colours { space: ColourSpace::Srgb, ..source }),
        (Profile::Keep, Some(source)) if source.is_grey && !holds_greys || source.space == ColourSpace::Inks => {
            Some(Colours::SRGB)
        }
        (Profile::Keep, source) => source,
    }
}

/// Returns what is known of an asset once a plan was carried out; `None` if it leaves the stages by that, or its record
/// cannot be foreseen. A file that is not made yet is taken to have `bytes`; its hash is the one that its record has
/// until then.
pub fn facts_after(facts: &Facts, plan: &Plan, bytes: u64) -> Option<Facts> {
    let path = plan.about.to.clone()?;
    let stage = path.area().to_str()?.parse().ok()?;
    let beside = path.with_suffix(SIDECAR_SUFFIX);
    let sidecar = sidecar_after(plan, &beside)?;
    let moved = |path: &RelPath| plan.moves.iter().find(|shift| shift.from == *path).map(|shift| shift.to.clone());
    let along = |files: &[Companion]| {
        let file = |file: &Companion| Companion {
            path: moved(&file.path).unwrap_or_else(|| file.path.clone()),
            seen: file.seen,
        };
        files.iter().map(file).collect::<Vec<_>>()
    };
    let part = |part: &Member| Member { path: moved(&part.path).unwrap_or_else(|| part.path.clone()), ..part.clone() };
    let members = facts.members.iter().map(part).collect();
    let archived = sidecar.original().and_then(|original| original.archived.as_ref());
    let has_original = facts.has_original || archived.is_some_and(|path| plan.gives().any(|given| given == path));
    let not_yet = Identity { inode: 0, size: 0, modified_ns: 0, ..facts.seen };
    let after = Facts {
        path: path.clone(),
        stage,
        sidecar: Some((Companion { path: beside, seen: not_yet }, sidecar)),
        has_original,
        is_sound: true,
        rejected_by: facts.rejected_by.clone().map(|(xmp, hash)| (moved(&xmp).unwrap_or(xmp), hash)),
        companions: along(&facts.companions),
        members,
        ..facts.clone()
    };
    let Some(made) = plan.products.iter().find(|product| product.to == path) else { return Some(after) };
    let Recipe::Render { render, .. } = &made.recipe else { return None };
    Some(Facts {
        seen: Identity { size: bytes, ..not_yet },
        hash: ContentHash::of(b""),
        essences: Vec::new(),
        kind: Some(render.output.kind()),
        zeros: None,
        comes_in_rows: matches!(render.output.format(), Format::Jpeg | Format::Png),
        size: Some(render.size.or(facts.size)?),
        colours: colours_of(facts.colours, &render.output),
        is_upright: true,
        has_private: false,
        c2pa: None,
        ..after
    })
}

/// Returns a sidecar as a plan leaves it.
fn sidecar_after(plan: &Plan, path: &RelPath) -> Option<Sidecar> {
    let record = plan.products.iter().find(|product| product.to == *path)?;
    let text = match &record.recipe {
        Recipe::Bytes(bytes) => bytes.clone(),
        Recipe::SidecarOf { sidecar, .. } => sidecar.to_text().into_bytes(),
        _ => return None,
    };
    Sidecar::parse(&text).ok()
}
