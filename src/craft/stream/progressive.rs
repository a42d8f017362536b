//! A progressive JPEG (ITU-T T.81, annex G): first the means of all blocks, then the other coefficients from coarse to fine,
//! each at once and whole. Its blocks must be in memory before the first of them is written, and its codes fit each scan
//! exactly.

use std::io::Write;

use super::blocks::Block;
use super::entropy::{Bits, Codes, Counts, Run, Symbols, mean};
use super::{segment, written};
use crate::craft::CraftError;

/// The blocks of one component, row by row; the last of a row may lie behind the picture.
#[derive(Debug, Default)]
pub(super) struct Plane {
    pub(super) blocks: Vec<Block>,
    /// How many there are in a row, and how many of a row and of a column are of the picture.
    pub(super) stride: usize,
    pub(super) across: usize,
    pub(super) down: usize,
    /// How many blocks it has in a unit on each axis.
    pub(super) unit: usize,
}

/// The scans behind the means: the component, and its first and its last coefficient.
const SCANS: [(u8, u32, u32); 4] = [(0, 1, 5), (2, 1, 63), (1, 1, 63), (0, 6, 63)];

/// Writes all scans of a picture, each with its codes.
pub(super) fn write_scans(planes: &[Plane; 3], out: &mut dyn Write) -> Result<(), CraftError> {
    let means = |symbols: &mut dyn Symbols| means(planes, symbols);
    let head = [3, 1, 0x00, 2, 0x10, 3, 0x10, 0, 0, 0];
    write_scan(&[(0, 0x00), (2, 0x01)], &head, &means, out)?;
    for (component, first, last) in SCANS {
        let plane = &planes[usize::from(component)];
        let rest = |symbols: &mut dyn Symbols| coefficients(plane, first, last, symbols);
        let [first, last] = [first, last].map(|at| u8::try_from(at).expect("below 64"));
        write_scan(&[(1, 0x10)], &[1, component + 1, 0x00, first, last, 0], &rest, out)?;
    }
    Ok(())
}

/// Writes one scan, with the codes of its tables, each with the number that it has in the file.
fn write_scan(
    tables: &[(usize, u8)],
    head: &[u8],
    code: &dyn Fn(&mut dyn Symbols),
    out: &mut dyn Write,
) -> Result<(), CraftError> {
    let mut counts = Counts([[0; 256]; 4]);
    code(&mut counts);
    let codes = counts.0.each_ref().map(Codes::exact);
    let mut bytes = Vec::new();
    for (table, number) in tables {
        segment(&mut bytes, 0xc4, &[&[*number][..], &codes[*table].lengths[..], &codes[*table].symbols]);
    }
    segment(&mut bytes, 0xda, &[head]);
    written(out.write_all(&bytes))?;
    let mut bits = Bits::new(&codes);
    code(&mut bits);
    bits.end();
    written(out.write_all(&bits.bytes))
}

/// Gives the means of all blocks, unit by unit.
fn means(planes: &[Plane; 3], symbols: &mut dyn Symbols) {
    let mut before = [0; 3];
    let (across, down) =
        (planes[0].stride / planes[0].unit, planes[0].blocks.len() / planes[0].stride / planes[0].unit);
    for (y, x) in (0..down).flat_map(|y| (0..across).map(move |x| (y, x))) {
        for (component, plane) in planes.iter().enumerate() {
            for (v, h) in (0..plane.unit).flat_map(|v| (0..plane.unit).map(move |h| (v, h))) {
                let block = &plane.blocks[(y * plane.unit + v) * plane.stride + x * plane.unit + h];
                mean(block, usize::from(component > 0), &mut before[component], symbols);
            }
        }
    }
}

/// Gives some of the other coefficients of one component's blocks.
fn coefficients(plane: &Plane, first: u32, last: u32, symbols: &mut dyn Symbols) {
    let mut run = Run::default();
    for row in plane.blocks.chunks_exact(plane.stride).take(plane.down) {
        for block in &row[..plane.across] {
            run.code(block, first, last, symbols);
        }
    }
    run.end(symbols);
}
