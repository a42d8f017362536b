//! Steps that are taken at once do what they do one by one.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::market::AiFlag;
use crate::model::{Meta, Output, Render};
use crate::plan::{bytes_for_all, facts_after};
use crate::records::Remove;

/// What a file holds: which file it was, what was made of it last, or a text.
#[derive(Debug, Clone, PartialEq)]
enum Held {
    First(RelPath),
    Made { of: RelPath, size: Option<Size>, output: Output },
    Text(String),
}

/// It need not be enlarged.
const ENOUGH: Option<(u32, u32)> = Some((2_100, 2_000));

type Files = BTreeMap<RelPath, Held>;

/// Carries a plan out on files that are only named, as the vault does on a disk.
fn carry_out(plan: &Plan, files: &mut Files) {
    let before = files.clone();
    let mut made: Vec<Held> = Vec::new();
    for product in &plan.products {
        let held = match &product.recipe {
            Recipe::Bytes(bytes) => Held::Text(without_essences(&Sidecar::parse(bytes).unwrap())),
            Recipe::SidecarOf { sidecar, .. } => Held::Text(without_essences(sidecar)),
            Recipe::SameAs { product } => made[*product].clone(),
            Recipe::Same { from, .. } | Recipe::Copy { from } | Recipe::Blank { from, .. } => before[from].clone(),
            Recipe::Embed { from, meta, .. } => embedded(&before[from], meta),
            Recipe::EmbedOf { product, meta, .. } => embedded(&made[*product], meta),
            Recipe::Render { from, render, .. } => rendered(&before[from], render),
        };
        made.push(held.clone());
        assert!(files.insert(product.to.clone(), held).is_none(), "`{}` was taken", product.to);
    }
    for shift in &plan.moves {
        let held = files.remove(&shift.from).unwrap_or_else(|| panic!("`{}` is not there", shift.from));
        assert!(files.insert(shift.to.clone(), held).is_none(), "`{}` was taken", shift.to);
    }
    for Remove { path, .. } in &plan.removes {
        assert!(files.remove(path).is_some(), "`{path}` is not there");
    }
}

fn without_essences(sidecar: &Sidecar) -> String {
    Sidecar { essences: Vec::new(), ..sidecar.clone() }.to_text()
}

fn rendered(source: &Held, render: &Render) -> Held {
    let (of, size) = match source {
        Held::First(path) => (path.clone(), None),
        Held::Made { of, size, output: Output::Master } => (of.clone(), *size),
        other => panic!("{other:?} is encoded again"),
    };
    Held::Made { of, size: render.size.or(size), output: render.output.clone() }
}

fn embedded(source: &Held, new: &Meta) -> Held {
    let mut made = source.clone();
    if let Held::Made { output: Output::Final { meta, .. }, .. } = &mut made {
        *meta = Some(new.clone());
    }
    made
}

/// Decides step by step, carrying each out, and at once; returns the names that the plans give up to the bundle.
fn both_ways(given: &Given<'_>) -> (Files, Files, Plan) {
    given.decide(|facts, context| {
        let mut first: Files = Files::new();
        let all = facts.companions.iter().chain(facts.sidecar.iter().map(|(file, _)| file));
        let parts = facts.members.iter().map(|part| &part.path);
        for path in all.map(|file| &file.path).chain(parts).chain([&facts.path]) {
            first.insert(path.clone(), Held::First(path.clone()));
        }
        let (mut one_by_one, mut facts) = (first.clone(), facts.clone());
        let mut whole: Option<Plan> = None;
        loop {
            let names: BTreeSet<RelPath> = one_by_one.keys().cloned().collect();
            let apart = plan_asset(&facts, &Context { taken: &|path| names.contains(path), ..*context }).unwrap();
            let given: BTreeSet<RelPath> = whole.iter().flat_map(|plan| plan.gives().cloned()).collect();
            let is_taken = |path: &RelPath| given.contains(path) || first.contains_key(path);
            let step = plan_asset(&facts, &Context { taken: &is_taken, ..*context }).unwrap();
            assert_eq!(step, apart);
            carry_out(&step, &mut one_by_one);
            let after = facts_after(&facts, &step, 1_000_000);
            whole = Some(match whole {
                Some(before) => before.then(&step).unwrap(),
                None => step,
            });
            let Some(after) = after else { break };
            facts = after;
        }
        let mut at_once = first;
        let whole = whole.unwrap();
        carry_out(&whole, &mut at_once);
        (one_by_one, at_once, whole)
    })
}

#[test]
fn at_once_is_what_comes_one_by_one() {
    // What is dropped, and how many files are rendered, given a further name, moved and removed.
    let rows: Vec<(Given<'_>, [usize; 4])> = vec![
        (picture("raw/t/x.png"), [1, 0, 1, 0]),
        (picture("raw/t/deep/x.png"), [1, 0, 1, 0]),
        (Given { edges: ENOUGH, ..picture("raw/t/x.png") }, [1, 0, 1, 0]),
        (picture("keep/t/x.png"), [1, 0, 1, 0]),
        (Given { edges: ENOUGH, ..picture("export/t/x.png") }, [1, 0, 1, 0]),
        (own("keep/t/t-0007.png"), [1, 0, 0, 2]),
        (Given { edges: ENOUGH, ..own("export/t/t-0007.png") }, [1, 0, 0, 2]),
        (Given { is_changed: true, ..own("keep/t/t-0007.png") }, [1, 0, 1, 1]),
        (Given { has_second_market: true, ..picture("raw/t/x.png") }, [1, 1, 1, 0]),
        // Its texts are others there: the same pixels with other metadata.
        (
            Given {
                has_second_market: true,
                ai_flag: AiFlag { keyword: Some("ai".to_owned()), ..AiFlag::default() },
                ..picture("raw/t/x.png")
            },
            [1, 0, 1, 0],
        ),
        (Given { companions: &["raw/t/x.txt", "raw/t/x.png.xmp"], ..picture("raw/t/x.png") }, [1, 0, 3, 0]),
        (Given { companions: &["raw/t/x.png.xmp"], has_second_market: true, ..picture("raw/t/x.png") }, [1, 1, 2, 0]),
        (
            Given { is_changed: true, edges: ENOUGH, companions: &["export/t/x.txt"], ..own("export/t/x.png") },
            [1, 0, 2, 1],
        ),
        (Given { edges: ENOUGH, ..jpeg("raw/t/x.jpg") }, [1, 0, 1, 0]),
    ];
    for (given, [renders, further, moves, removes]) in rows {
        let (one_by_one, at_once, whole) = both_ways(&given);
        assert_eq!(at_once, one_by_one, "{}\n{whole}", given.path);
        let count = |is: &dyn Fn(&Recipe) -> bool| whole.products.iter().filter(|product| is(&product.recipe)).count();
        let counts = [
            count(&|recipe| matches!(recipe, Recipe::Render { .. })),
            count(&|recipe| matches!(recipe, Recipe::SameAs { .. })),
            whole.moves.len(),
            whole.removes.len(),
        ];
        assert_eq!(counts, [renders, further, moves, removes], "{}\n{whole}", given.path);
        let places: Vec<_> = whole.about.steps.iter().map(|step| (step.from.area(), step.stage.name())).collect();
        assert!(places.iter().all(|(area, stage)| area.to_str() == Some(*stage)), "{places:?}");
        assert!(whole.about.steps.windows(2).all(|pair| pair[0].to == pair[1].from), "{:?}", whole.about.steps);
    }
}

/// What is found where the picture is decoded is told by that step, and what its bytes became by the one that encodes it.
#[test]
fn each_step_tells_of_its_own_work() {
    let rows = [
        (picture("raw/t/x.png"), "keep", "export"),
        (picture("keep/t/x.png"), "keep", "export"),
        (own("keep/t/t-0007.png"), "keep", "export"),
        (Given { edges: ENOUGH, ..own("export/t/t-0007.png") }, "export", "export"),
    ];
    for (given, decodes, encodes) in rows {
        let (.., whole) = both_ways(&given);
        let stage = |step: Option<usize>| step.and_then(|at| whole.about.steps.get(at)).map(|step| step.stage.name());
        assert_eq!((stage(whole.renders_in), stage(whole.encodes_in)), (Some(decodes), Some(encodes)), "{whole}");
    }
}

/// A master that cannot be made again is an original, which is kept: it must be made first.
#[test]
fn what_is_to_be_kept_is_made() {
    let given = picture("keep/t/x.png");
    given.decide(|facts, context| {
        let step = plan_asset(facts, context).unwrap();
        let after = facts_after(facts, &step, 1_000_000).unwrap();
        let unknown = Facts { has_original: false, ..after };
        let next = plan_asset(&unknown, context).unwrap();
        assert_eq!(next.moves.len(), 1, "{next}");
        assert!(step.then(&next).is_none());
    });
}

/// A picture that is not made yet is foreseen to have as many bytes as all markets take, and must turn out so.
#[test]
fn what_all_markets_take_is_foreseen() {
    let given = picture("export/t/x.png");
    given.decide(|facts, context| {
        let market = |min: u64, max: u64| {
            let mut market = context.rules.markets[0].clone();
            (market.bytes.min, market.bytes.max) = (min, max);
            market
        };
        let rows = [
            (vec![], Some((0, u64::MAX))),
            (vec![market(1, 45)], Some((1, 45))),
            (vec![market(1, 45), market(20, 100)], Some((20, 45))),
            (vec![market(45, 50), market(20, 45)], Some((45, 45))),
            (vec![market(46, 50), market(20, 45)], None),
        ];
        for (markets, expected) in rows {
            let got = bytes_for_all(&markets).map(|bytes| (*bytes.start(), *bytes.end()));
            assert_eq!(got, expected, "{:?}", markets.iter().map(|market| &market.bytes).collect::<Vec<_>>());
        }
        let step = plan_asset(facts, context).unwrap();
        assert_eq!(facts_after(facts, &step, 77).unwrap().seen.size, 77);
        // What is moved is as large as it is.
        let moved = Plan { products: step.products[1..].to_vec(), ..step };
        assert_eq!(facts_after(facts, &moved, 77).map(|after| after.seen.size), Some(facts.seen.size));
    });
}
