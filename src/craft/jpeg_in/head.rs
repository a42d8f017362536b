//! Reads what stands before the pixels: the frame, the tables, and what the channels mean.

use std::sync::Arc;

use super::Plane;
use super::scan::{Scan, Scanned};
use crate::craft::CraftError;
use crate::craft::jpeg::{ADOBE, JFIF, Part, Space, adobe_transform, parts, space};
use crate::craft::jpeg_scan::codes::Codes;
use crate::craft::jpeg_scan::{SCANS_MAX, damaged};

#[derive(Clone, Copy)]
struct Component {
    id: u8,
    /// How many blocks it has in a unit, across and down.
    unit: (usize, usize),
    quantisers: usize,
}

pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    /// How many bits a sample has.
    depth: u8,
    components: Vec<Component>,
    /// The most blocks that a component has in a unit, across and down.
    most: (usize, usize),
}

/// The head of a JPEG, and its scans.
#[derive(Default)]
struct Reader<'a> {
    frame: Option<Frame>,
    dc: [Option<Arc<Codes>>; 4],
    ac: [Option<Arc<Codes>>; 4],
    quantisers: [Option<[u16; 64]>; 4],
    restart_units: usize,
    scans: Vec<Scan<'a>>,
    /// Which components have a scan, one bit each.
    scanned: u8,
    is_jfif: bool,
    /// What Adobe's mark says of the channels.
    adobe: Option<u8>,
}

pub(super) struct Head<'a> {
    pub(super) frame: Frame,
    pub(super) scans: Vec<Scan<'a>>,
    pub(super) space: Space,
    pub(super) is_inverted: bool,
}

impl<'a> Head<'a> {
    /// Reads all parts of a JPEG up to its end mark; `None` if its coding is not read here.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Option<Self>, CraftError> {
        let mut reader = Reader::default();
        for part in parts(bytes) {
            if !reader.part(&part?)? {
                return Ok(None);
            }
        }
        let Some(frame) = reader.frame else { return Ok(None) };
        if reader.scanned.count_ones() as usize != frame.components.len() {
            return Err(CraftError::Truncated("the JPEG lacks the pixels of a colour".to_owned()));
        }
        let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        let space = space(&ids, reader.is_jfif, reader.adobe);
        Ok(Some(Self { frame, scans: reader.scans, space, is_inverted: reader.adobe.is_some() }))
    }
}

impl<'a> Reader<'a> {
    /// Reads a part. Returns `false` if the coding is not read here.
    fn part(&mut self, part: &Part<'a>) -> Result<bool, CraftError> {
        let wrong = |what: &str| damaged(what);
        match part.marker {
            0xc4 => self.tables(part.body).ok_or_else(|| wrong("a table of its codes is wrong"))?,
            0xdb => self.quantisers(part.body).ok_or_else(|| wrong("a table of its quantisers is wrong"))?,
            0xdd => self.restart_units = usize::from(u16::from_be_bytes(*part.body.first_chunk().unwrap_or(&[0; 2]))),
            0xc0 | 0xc1 if self.frame.is_some() => return Err(wrong("it has two frames")),
            0xc0 | 0xc1 => {
                let frame = frame(part.body).ok_or_else(|| wrong("its frame is wrong"))?;
                if !frame.is_read_here() {
                    return Ok(false);
                }
                self.frame = Some(frame);
            }
            0xc2..=0xcf => return Ok(false),
            0xda if self.scans.len() == SCANS_MAX => {
                return Err(CraftError::TooLarge(format!("a JPEG of more than {SCANS_MAX} scans")));
            }
            0xda => {
                let scan = self.scan(part).ok_or_else(|| wrong("the header of a scan is wrong"))?;
                self.scans.push(scan);
            }
            0xe0 => self.is_jfif |= part.body.starts_with(JFIF),
            0xee if part.body.starts_with(ADOBE) => self.adobe = Some(adobe_transform(part.body)),
            _ => (),
        }
        Ok(true)
    }

    fn tables(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((head, rest)) = body.split_first() {
            let (codes, rest) = Codes::read(rest)?;
            let tables = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(head & 15))? = Some(Arc::new(codes));
            body = rest;
        }
        Some(())
    }

    fn quantisers(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((head, rest)) = body.split_first() {
            let table = self.quantisers.get_mut(usize::from(head & 15))?;
            let (values, rest) = if head >> 4 == 0 {
                let (values, rest) = rest.split_first_chunk::<64>()?;
                (values.map(u16::from), rest)
            } else {
                let (values, rest) = rest.split_at_checked(128)?;
                let mut wide = [0; 64];
                let pairs = values.as_chunks::<2>().0;
                wide.iter_mut().zip(pairs).for_each(|(value, pair)| *value = u16::from_be_bytes(*pair));
                (wide, rest)
            };
            *table = Some(values);
            body = rest;
        }
        Some(())
    }

    /// Reads the header of a scan; `None` if it makes no sense.
    fn scan(&mut self, part: &Part<'a>) -> Option<Scan<'a>> {
        let frame = self.frame.as_ref()?;
        let (count, rest) = part.body.split_first()?;
        let (of_components, _) = rest.split_at_checked(usize::from(*count) * 2)?;
        let (pairs, _) = of_components.as_chunks::<2>();
        let is_alone = pairs.len() == 1;
        let mut chosen: Vec<Scanned> = Vec::with_capacity(4);
        for [id, tables] in pairs {
            let component = frame.components.iter().position(|known| known.id == *id)?;
            if chosen.iter().any(|scanned| scanned.component == component) {
                return None;
            }
            let Component { unit, quantisers, .. } = frame.components[component];
            chosen.push(Scanned {
                component,
                dc: self.dc.get(usize::from(tables >> 4))?.clone()?,
                ac: self.ac.get(usize::from(tables & 15))?.clone()?,
                quantisers: (*self.quantisers.get(quantisers)?)?,
                unit: if is_alone { (1, 1) } else { unit },
                mean: 0,
            });
            self.scanned |= 1 << component;
        }
        let first = frame.components[chosen.first()?.component].unit;
        let units = if is_alone { frame.blocks(first) } else { frame.units() };
        Some(Scan::new(chosen, units, self.restart_units, part.coded))
    }
}

/// Reads the header of a frame; `None` if it makes no sense.
pub(super) fn frame(body: &[u8]) -> Option<Frame> {
    let [depth, y0, y1, x0, x1, count, of_components @ ..] = body else { return None };
    let (height, width) = (usize::from(u16::from_be_bytes([*y0, *y1])), usize::from(u16::from_be_bytes([*x0, *x1])));
    let of_components = of_components.get(..usize::from(*count) * 3).filter(|_| (1..=4).contains(count))?;
    let mut components = Vec::with_capacity(4);
    for [id, sampling, quantisers] in of_components.as_chunks::<3>().0 {
        let unit = (usize::from(sampling >> 4), usize::from(sampling & 15));
        let is_known = |count: usize| (1..=4).contains(&count);
        if !is_known(unit.0) || !is_known(unit.1) {
            return None;
        }
        // The blocks of a single component are never in units of several.
        let unit = if *count == 1 { (1, 1) } else { unit };
        components.push(Component { id: *id, unit, quantisers: usize::from(*quantisers) });
    }
    let most = |unit: fn(&Component) -> usize| components.iter().map(unit).max();
    let most = (most(|component| component.unit.0)?, most(|component| component.unit.1)?);
    (width > 0 && height > 0).then_some(Frame { width, height, depth: *depth, components, most })
}

impl Frame {
    /// Returns whether rows of such a frame are read here.
    pub(super) fn is_read_here(&self) -> bool {
        self.depth == 8 && self.components.len() != 2
    }

    /// Returns how many channels a pixel has.
    pub(super) fn channels(&self) -> usize {
        self.components.len()
    }

    /// Returns how many units an interleaved scan has, across and down.
    fn units(&self) -> (usize, usize) {
        (self.width.div_ceil(8 * self.most.0), self.height.div_ceil(8 * self.most.1))
    }

    /// Returns how many samples a component has, across and down.
    fn samples(&self, unit: (usize, usize)) -> (usize, usize) {
        ((self.width * unit.0).div_ceil(self.most.0), (self.height * unit.1).div_ceil(self.most.1))
    }

    /// Returns how many blocks a component has in a scan of its own.
    fn blocks(&self, unit: (usize, usize)) -> (usize, usize) {
        let (across, down) = self.samples(unit);
        (across.div_ceil(8), down.div_ceil(8))
    }

    /// Returns room for the samples of each component: of the whole picture, or of two rows of units.
    pub(super) fn planes(&self, is_whole: bool) -> Vec<Plane> {
        let (units, unit_rows) = self.units();
        let plane = |component: &Component| {
            let (across, down) = component.unit;
            let (width, height) = self.samples(component.unit);
            let (stride, rows) = (units * across * 8, down * 8 * if is_whole { unit_rows } else { 2 });
            let samples = vec![0; stride * rows];
            Plane { samples, stride, rows, width, height, across: (across, self.most.0), down: (down, self.most.1) }
        };
        self.components.iter().map(plane).collect()
    }
}
