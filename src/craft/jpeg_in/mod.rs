//! Reads a sequential JPEG row by row (ITU T.81). Its codes have no check sum, so each of them must be valid, and
//! together they must fill all blocks of the frame. Samples are made as the reference decoder makes them.

#[expect(clippy::inline_always, reason = "what is compiled for a processor must be inlined into one function")]
mod cosine;
mod head;
#[expect(clippy::inline_always, reason = "each kernel is compiled twice from the same code")]
mod kernels;
mod scan;

use self::head::{Frame, Head};
use self::scan::Scan;
use super::CraftError;
use super::jpeg::{Parts, Space, parts};
use crate::model::Size;

/// Returns the size of a JPEG that is read here, from its head alone; `None` if it is another one or its head is wrong.
pub(super) fn size(bytes: &[u8]) -> Option<Size> {
    let frame = frame(&mut parts(bytes))?;
    let edge = |length: usize| u32::try_from(length).ok();
    Some(Size { width: edge(frame.width)?, height: edge(frame.height)? })
}

/// Returns whether all channels of a JPEG that is read here are in one scan, from its head alone: else all samples are
/// read before the first row is.
pub(super) fn is_in_one_scan(bytes: &[u8]) -> bool {
    let mut parts = parts(bytes);
    let Some(frame) = frame(&mut parts) else { return false };
    let scan = parts.map_while(Result::ok).find(|part| part.marker == 0xda);
    scan.is_some_and(|scan| scan.body.first().map(|count| usize::from(*count)) == Some(frame.channels()))
}

/// Returns the frame of a JPEG that is read here.
fn frame(parts: &mut Parts<'_>) -> Option<Frame> {
    let is_frame = |marker: u8| matches!(marker, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xda);
    let part = parts.map_while(Result::ok).find(|part| is_frame(part.marker))?;
    head::frame(part.body).filter(|frame| matches!(part.marker, 0xc0 | 0xc1) && frame.is_read_here())
}

/// A sequential JPEG whose rows are read one after another.
pub(super) struct JpegRows<'a> {
    size: (usize, usize),
    space: Space,
    /// Whether inks are stored the other way round: 255 is no ink.
    is_inverted: bool,
    planes: Vec<Plane>,
    /// The one scan that is read along with the rows; none if all scans are in the planes already.
    scan: Option<Scan<'a>>,
    /// How many rows of units are read.
    unit_rows: usize,
    /// The row that comes next.
    y: usize,
    /// The row of each component in the full width.
    wide: Vec<Vec<u8>>,
    /// Room for a row.
    spare: Vec<u8>,
    sums: Vec<u16>,
}

/// The samples of a component. If they are read along with the rows, these are the last two rows of units: samples
/// between two of them need both.
pub(super) struct Plane {
    samples: Vec<u8>,
    stride: usize,
    /// How many rows it holds.
    rows: usize,
    /// How many samples of it belong to the picture.
    width: usize,
    height: usize,
    /// How many samples it has in a unit, and how many the picture has.
    across: (usize, usize),
    down: (usize, usize),
}

impl Plane {
    /// Returns the samples from the first one of the block `(x, y)`, and how far its rows lie apart.
    #[inline]
    fn block(&mut self, (x, y): (usize, usize)) -> (&mut [u8], usize) {
        let start = (y * 8 % self.rows) * self.stride + x * 8;
        (&mut self.samples[start..start + 7 * self.stride + 8], self.stride)
    }

    /// Returns the row `y`, or the last one.
    fn row(&self, y: usize) -> &[u8] {
        let start = y.min(self.height - 1) % self.rows * self.stride;
        &self.samples[start..start + self.width]
    }

    /// Returns whether samples between two are means of both: where there is one for two, and more than two of them.
    fn is_smooth(&self) -> bool {
        let is_known = |(own, all): (usize, usize)| own == all || own * 2 == all;
        let is_half = |(own, all): (usize, usize)| own < all;
        is_known(self.across) && is_known(self.down) && (!is_half(self.across) || self.width > 2)
    }

    /// Returns the last row that the picture's row `y` is made of.
    fn last_row_for(&self, y: usize) -> usize {
        let row = y * self.down.0 / self.down.1;
        let is_between = self.is_smooth() && self.down.0 < self.down.1 && y % 2 == 1;
        (row + usize::from(is_between)).min(self.height - 1)
    }
}

impl<'a> JpegRows<'a> {
    /// Reads the head of a JPEG. `None` for one that is not read row by row: it is progressive, or of a rare coding.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Option<Self>, CraftError> {
        let Some(Head { frame, mut scans, space, is_inverted, .. }) = Head::read(bytes)? else { return Ok(None) };
        let is_whole = scans.len() > 1;
        let mut planes = frame.planes(is_whole);
        let mut only = None;
        if is_whole {
            for mut scan in scans {
                for y in 0..scan.unit_rows() {
                    scan.read_row(y, &mut planes)?;
                }
            }
        } else {
            only = scans.pop();
        }
        let size = (frame.width, frame.height);
        let wide = planes.iter().map(|_| vec![0; size.0.next_multiple_of(2)]).collect();
        let (spare, sums) = (vec![0; size.0], vec![0; size.0]);
        Ok(Some(Self { size, space, is_inverted, planes, scan: only, unit_rows: 0, y: 0, wide, spare, sums }))
    }

    /// Returns the width and the height.
    #[expect(clippy::cast_possible_truncation, reason = "both have 16 bits in the file")]
    pub(super) fn size(&self) -> (u32, u32) {
        (self.size.0 as u32, self.size.1 as u32)
    }

    /// Returns how many rows are not read yet.
    pub(super) fn rows_left(&self) -> u32 {
        self.size().1 - u32::try_from(self.y).unwrap_or(u32::MAX)
    }

    /// Returns how many channels a pixel has: one of grey, three of colour, or four inks.
    pub(super) fn channels(&self) -> usize {
        self.planes.len()
    }

    /// Writes the next row of pixels. 255 is all of an ink. Returns `false` behind the last row.
    pub(super) fn next_row(&mut self, row: &mut [u8]) -> Result<bool, CraftError> {
        if self.y == self.size.1 {
            return Ok(false);
        }
        self.read_for(self.y)?;
        for index in 0..self.planes.len() {
            self.widen(index);
        }
        self.mix(row);
        self.y += 1;
        if self.y == self.size.1 {
            // The rest of the units, which lies below the picture, must be there too.
            if let Some(scan) = &mut self.scan {
                for y in self.unit_rows..scan.unit_rows() {
                    scan.read_row(y, &mut self.planes)?;
                }
            }
        }
        Ok(true)
    }

    /// Reads the units that the row `y` needs.
    fn read_for(&mut self, y: usize) -> Result<(), CraftError> {
        let Some(scan) = &mut self.scan else { return Ok(()) };
        let units = |plane: &Plane| plane.last_row_for(y) / (plane.rows / 2);
        let last = self.planes.iter().map(units).max().unwrap_or(0);
        while self.unit_rows <= last {
            scan.read_row(self.unit_rows, &mut self.planes)?;
            self.unit_rows += 1;
        }
        Ok(())
    }

    /// Makes the row of a component in the picture's size.
    fn widen(&mut self, index: usize) {
        let (plane, wide, y) = (&self.planes[index], &mut self.wide[index], self.y);
        let near = plane.row(y * plane.down.0 / plane.down.1);
        if !plane.is_smooth() {
            let (own, all) = plane.across;
            wide.iter_mut().enumerate().for_each(|(x, sample)| *sample = near[(x * own / all).min(near.len() - 1)]);
            return;
        }
        let other = if y % 2 == 1 { plane.row(y / 2 + 1) } else { plane.row((y / 2).saturating_sub(1)) };
        match (plane.across.0 < plane.across.1, plane.down.0 < plane.down.1) {
            (false, false) => wide[..near.len()].copy_from_slice(near),
            (true, false) => kernels::widen(near, wide),
            (false, true) => kernels::between(near, other, if y % 2 == 1 { 2 } else { 1 }, wide),
            (true, true) => kernels::widen_between(near, other, &mut self.sums[..near.len()], wide),
        }
    }

    /// Writes the pixels of the wide rows.
    fn mix(&mut self, row: &mut [u8]) {
        let width = self.size.0;
        let rows: Vec<&[u8]> = self.wide.iter().map(|wide| &wide[..width]).collect();
        match (self.space, &rows[..]) {
            (Space::YCbCr, [y, blue, red]) => kernels::rgb([*y, *blue, *red], row),
            (Space::YCbCr, [y, blue, red, black]) => {
                self.spare.resize(width * 3, 0);
                kernels::rgb([*y, *blue, *red], &mut self.spare);
                let (pixels, _) = row.as_chunks_mut::<4>();
                for ((pixel, rgb), black) in pixels.iter_mut().zip(self.spare.as_chunks::<3>().0).zip(*black) {
                    *pixel = [255 - rgb[0], 255 - rgb[1], 255 - rgb[2], *black];
                }
            }
            (_, [only]) => row[..width].copy_from_slice(only),
            _ => {
                for (channel, samples) in rows.iter().enumerate() {
                    let values = row[channel..].iter_mut().step_by(rows.len());
                    values.zip(*samples).for_each(|(value, sample)| *value = *sample);
                }
            }
        }
        if rows.len() == 4 && self.is_inverted {
            row.iter_mut().for_each(|value| *value = 255 - *value);
        }
    }
}

#[cfg(test)]
mod tests;
