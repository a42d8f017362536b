use std::collections::BTreeMap;
use std::time::Duration;

use crate::craft;
use crate::model::{Kind, Output, RelPath, Render, Size, Upscaler};
use crate::plan::{Facts, Plan, Recipe};

/// What a record or a small companion takes on a disk.
const RECORD_BYTES: u64 = 4096;

// Measured on one core of a server, with noisy pictures of three megapixels.
/// To decode a pixel.
const DECODE_NS: u64 = 14;
/// To make a pixel by enlarging, and to write it as PNG.
const ENLARGE_NS: u64 = 17;
/// For the net to look at a pixel of the source.
const NEURAL_NS: u64 = 2000;
/// To convert a pixel and write it.
const ENCODE_NS: u64 = 13;
/// To read a byte, hash it and write it.
const BYTE_NS: u64 = 1;

/// About what it takes to check and make a plan's products.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cost {
    /// Bytes of memory: the file, and what is decoded and made of it at once.
    pub memory: u64,
    /// Bytes of disk, by area.
    pub bytes: BTreeMap<RelPath, u64>,
    /// Time on one core, the disk's own not counted.
    pub time: Duration,
}

/// Returns about what a plan costs. What `facts` do not say, as of a companion that came late, costs nothing.
pub fn cost(plan: &Plan, facts: Option<&Facts>) -> Cost {
    let source = facts.map_or(Source::default(), |facts| Source {
        size: facts.size,
        comes_in_rows: facts.comes_in_rows,
        bytes: facts.seen.size,
        held: craft::held_bytes(facts.kind, facts.seen.size),
    });
    let mut cost = Cost::default();
    let mut time_ns = 0;
    if plan.check.is_some() {
        cost.memory += source.check_memory();
        time_ns += source.time_ns();
    }
    let mut bytes: Vec<u64> = Vec::with_capacity(plan.products.len());
    for product in &plan.products {
        let made = match &product.recipe {
            Recipe::EmbedOf { product, kind, .. } => embedded(bytes[*product], size_of(plan, *product), *kind),
            Recipe::Blank { from, kind } if kind.is_image() => embedded(copied_bytes(plan, facts, from), None, *kind),
            Recipe::Copy { from } => Made { bytes: copied_bytes(plan, facts, from), ..Made::default() },
            recipe => source.made(recipe),
        };
        bytes.push(made.bytes);
        cost.memory += made.memory;
        *cost.bytes.entry(product.to.area_path()).or_default() += made.bytes;
        time_ns += made.time_ns + made.bytes * BYTE_NS;
    }
    // A move across disks is a copy.
    for shift in plan.moves.iter().filter(|shift| shift.from.area() != shift.to.area()) {
        *cost.bytes.entry(shift.to.area_path()).or_default() += shift.seen.size;
    }
    cost.time = Duration::from_nanos(time_ns);
    cost
}

/// Returns how large a file is that is copied: the texture of a model may be larger than all else.
fn copied_bytes(plan: &Plan, facts: Option<&Facts>, from: &RelPath) -> u64 {
    let moved = plan.moves.iter().map(|shift| (&shift.from, shift.seen));
    let parts = facts.into_iter().flat_map(|facts| &facts.members).map(|part| (&part.path, part.seen));
    let seen = moved.chain(parts).find(|(path, _)| *path == from);
    seen.map_or(RECORD_BYTES, |(_, seen)| seen.size.max(RECORD_BYTES))
}

/// The file that a plan is about.
#[derive(Debug, Clone, Copy, Default)]
struct Source {
    /// None if it is no picture.
    size: Option<Size>,
    comes_in_rows: bool,
    bytes: u64,
    /// Those that are in memory while it is decoded.
    held: u64,
}

/// Returns what it costs to embed metadata into a picture of so many bytes: that, and what it becomes.
fn embedded(bytes: u64, size: Option<Size>, kind: Kind) -> Made {
    let memory = size.map_or(0, |size| craft::embed_memory(size, kind));
    Made { memory: 2 * bytes + memory, bytes, ..Made::default() }
}

/// Returns how large an earlier product is, if it was brought to a size.
fn size_of(plan: &Plan, product: usize) -> Option<Size> {
    match &plan.products[product].recipe {
        Recipe::Render { render, .. } => render.size,
        _ => None,
    }
}

/// What one product costs.
#[derive(Default)]
struct Made {
    memory: u64,
    bytes: u64,
    time_ns: u64,
}

impl Source {
    fn pixels(self) -> u64 {
        self.size.map_or(0, Size::pixels)
    }

    /// Returns what a check takes: the file and what is decoded of it.
    fn check_memory(self) -> u64 {
        self.size.map_or(0, |size| self.held + craft::check_memory(size, self.comes_in_rows))
    }

    /// Returns how long it takes to read and decode it.
    fn time_ns(self) -> u64 {
        self.pixels() * DECODE_NS + self.bytes * BYTE_NS
    }

    fn made(self, recipe: &Recipe) -> Made {
        match recipe {
            Recipe::Bytes(bytes) => Made { bytes: bytes.len() as u64, ..Made::default() },
            Recipe::Render { render, .. } => self.rendered(render),
            Recipe::Embed { kind, .. } if kind.is_video() => Made { bytes: self.bytes, ..Made::default() },
            Recipe::Embed { kind, .. } => embedded(self.bytes, self.size, *kind),
            Recipe::Same { .. } | Recipe::Blank { .. } => Made { bytes: self.bytes, ..Made::default() },
            // A further name of what was counted already, on most disks; the other is counted by the product that it is of.
            Recipe::SameAs { .. } | Recipe::EmbedOf { .. } => Made::default(),
            Recipe::SidecarOf { .. } | Recipe::Copy { .. } => Made { bytes: RECORD_BYTES, ..Made::default() },
        }
    }

    fn rendered(self, render: &Render) -> Made {
        let pixels = render.size.map_or(self.pixels(), Size::pixels);
        let (enlarge_ns, encode_ns, pixel_bytes) = match (render.size, &render.output) {
            (Some(_), Output::Master) => (ENLARGE_NS, 0, 4),
            (None, Output::Master) => (0, ENCODE_NS, 4),
            (Some(_), Output::Final { .. }) => (ENLARGE_NS, ENCODE_NS, 2),
            (None, Output::Final { .. }) => (0, ENCODE_NS, 2),
        };
        // A program's own time is not known; most are nets.
        let is_slow = render.size.is_some() && render.by.is_slow();
        let slow_ns = if is_slow { self.pixels() * NEURAL_NS } else { 0 };
        let beside = match &render.by {
            Upscaler::Command(step) if is_slow => self.pixels() * 4 * (1 + u64::from(step.times).pow(2)),
            _ => 0,
        };
        let passes = self.size.map_or(1, |size| craft::render_passes(size, render));
        // A JPEG that is to have so many bytes is made in memory, and again beside it.
        let jpegs = match render.output {
            Output::Final { bytes: Some(_), .. } => 2 * pixels * pixel_bytes,
            _ => 0,
        };
        let memory = |size| self.held + craft::render_memory(size, self.comes_in_rows, render) + jpegs;
        Made {
            memory: self.size.map_or(0, memory),
            // What a program gets and gives lies beside it for a while.
            bytes: pixels * pixel_bytes + beside,
            time_ns: passes * (self.time_ns() + pixels * (enlarge_ns + encode_ns)) + slow_ns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ByteRange, ContentHash, Enhance, Format, Identity, Kind, Meta, Restore, Scans, Stage, Upscaler,
    };
    use crate::plan::{Check, Product};
    use crate::records::{About, Move, PublishMode, Sidecar};

    const SEEN: Identity = Identity { device: 1, inode: 1, size: 5_000_000, modified_ns: 0 };

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn plan(products: Vec<(&str, Recipe)>, is_checked: bool, moves: &[(&str, &str)]) -> Plan {
        let shift = |(from, to): &(&str, &str)| Move { from: path(from), to: path(to), seen: SEEN };
        Plan {
            check: is_checked.then(|| Check { path: path("raw/t/a.png"), kind: Kind::Png }),
            products: products
                .into_iter()
                .map(|(to, recipe)| Product { to: path(to), recipe, mode: PublishMode::New })
                .collect(),
            moves: moves.iter().map(shift).collect(),
            ..Plan::new(About::new(Stage::Raw, ""))
        }
    }

    fn recipe(name: &str) -> Recipe {
        let (from, kind, meta) = (path("keep/t/a.png"), Kind::Png, Meta::default());
        let export = |format, bytes, scans| {
            let (from, meta) = (from.clone(), meta.clone());
            let background = [255; 3];
            let profile = crate::model::Profile::Srgb;
            let render = Render {
                size: None,
                by: Upscaler::Lanczos,
                enhance: Enhance::default(),
                output: Output::Final {
                    format,
                    quality: 95,
                    bytes,
                    scans,
                    subsampling: None,
                    profile,
                    background,
                    meta: Some(meta),
                },
                threads: 1,
            };
            Recipe::Render { from, kind, render }
        };
        match name {
            "bytes" => Recipe::Bytes(vec![0; 100]),
            "same" => Recipe::Same { from, hash: ContentHash::of(b"") },
            "copy" => Recipe::Copy { from },
            "double" | "double by net" => {
                let size = Some(Size { width: 4000, height: 2000 });
                let by = if name == "double" { Upscaler::Lanczos } else { Upscaler::Neural(Restore::Fixed(50).into()) };
                let render = Render { size, by, enhance: Enhance::default(), output: Output::Master, threads: 1 };
                Recipe::Render { from, kind, render }
            }
            "jpeg" => export(Format::Jpeg, None, Scans::Baseline),
            "fitted" => export(Format::Jpeg, Some(ByteRange { min: 1, max: 9 }), Scans::Baseline),
            "progressive" => export(Format::Jpeg, None, Scans::Progressive),
            "tiff" => export(Format::Tiff, None, Scans::Baseline),
            "embed of the first" => Recipe::EmbedOf { product: 0, kind, meta },
            "embed" => Recipe::Embed { from, kind, meta },
            "embed in a TIFF" => Recipe::Embed { from, kind: Kind::Tiff, meta },
            "blank" => Recipe::Blank { from, kind: Kind::Mp4 },
            "sidecar" => Recipe::SidecarOf { product: 0, sidecar: Box::new(Sidecar::default()) },
            other => panic!("{other}"),
        }
    }

    /// A picture of two megapixels and five megabytes.
    #[test]
    fn each_kind_of_work_costs_what_it_takes() {
        // What is made, whether its source is checked; megabytes of memory, kilobytes of disk, milliseconds.
        let cases: [(&[&str], bool, u64, u64, u64); 17] = [
            (&[], false, 0, 0, 0),
            (&[], true, 21, 0, 33),
            (&["bytes"], false, 0, 0, 0),
            (&["same"], false, 0, 5_000, 5),
            (&["embed"], false, 10, 5_000, 5),
            (&["jpeg", "embed of the first"], false, 30, 8_000, 67),
            (&["embed in a TIFF"], false, 42, 5_000, 5),
            (&["blank"], false, 0, 5_000, 5),
            (&["copy"], false, 0, 4, 0),
            (&["sidecar"], false, 0, 4, 0),
            (&["double"], false, 23, 32_000, 201),
            (&["double by net"], false, 129, 32_000, 4201),
            (&["jpeg"], false, 22, 4_000, 63),
            (&["fitted"], false, 30, 4_000, 63),
            (&["progressive"], false, 36, 4_000, 63),
            (&["tiff"], false, 38, 4_000, 63),
            (&["jpeg", "sidecar", "tiff"], true, 82, 8_004, 159),
        ];
        let facts = Facts {
            size: Some(Size { width: 2000, height: 1000 }),
            ..Facts::bare(path("keep/t/a.png"), Stage::Keep, SEEN, 0)
        };
        for (made, is_checked, memory_mb, disk_kb, time_ms) in cases {
            let products = made.iter().map(|name| ("export/t/a", recipe(name))).collect();
            let found = cost(&plan(products, is_checked, &[]), Some(&facts));
            let disk_bytes: u64 = found.bytes.values().sum();
            let rounded = (found.memory / 1_000_000, disk_bytes / 1_000, found.time.as_millis());
            assert_eq!(rounded, (memory_mb, disk_kb, u128::from(time_ms)), "{made:?}");
        }
        // 400 megapixels, as a file of 5 MB: all of them, or a window on them.
        for (comes_in_rows, megabytes) in [(false, 3200..3300), (true, 50..250)] {
            let facts = Facts { size: Some(Size { width: 20_000, height: 20_000 }), comes_in_rows, ..facts.clone() };
            let memory = cost(&plan(vec![("export/t/a", recipe("jpeg"))], false, &[]), Some(&facts)).memory;
            assert!(megabytes.contains(&(memory / 1_000_000)), "{comes_in_rows}: {memory}");
        }
        let unknown = cost(&plan(vec![("export/t/a", recipe("jpeg"))], true, &[]), None);
        assert_eq!((unknown.memory, unknown.time), (0, Duration::ZERO));
    }

    #[test]
    fn each_area_gets_its_own_share() {
        let products = vec![("upload/d/m/files/a.jpg", recipe("same")), ("archive/t/a.png.yaml", recipe("copy"))];
        let moves = [("export/t/a.png", "archive/t/a.png"), ("export/t/a.txt", "export/u/a.txt")];
        let facts = Facts::bare(path("export/t/a.png"), Stage::Export, SEEN, 0);
        let found = cost(&plan(products, false, &moves), Some(&facts)).bytes;
        let shares: Vec<(String, u64)> = found.into_iter().map(|(area, bytes)| (area.to_string(), bytes)).collect();
        assert_eq!(shares, [("archive".to_owned(), 5_004_096), ("upload".to_owned(), 5_000_000)]);
        // The texture of a model is no small record.
        let part = ("upload/d/m/parts/a.obj/a.png", recipe("copy"));
        let found = cost(&plan(vec![part], false, &[("keep/t/a.png", "archive/t/a.png")]), None).bytes;
        assert_eq!(found.into_values().collect::<Vec<_>>(), [5_000_000, 5_000_000]);
    }
}
