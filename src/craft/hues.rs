//! Colours of an enlarged picture that its source has nowhere near: a net paints dots of them beside thin lines. They get
//! the nearest colour that is there, and stay as light as they are.

use std::collections::VecDeque;

/// The channels of a colour.
const COLORS: usize = 3;
/// How far a difference of two channels may be from those around it in the source, of 255: what is made sharper has
/// clearer colours.
const ROOM: f32 = 16.0;
/// How much each channel adds to how light a colour is (ITU-R BT.601).
const LIGHT: [f32; COLORS] = [0.299, 0.587, 0.114];

/// The least and the most of something.
#[derive(Debug, Clone, Copy)]
struct Range {
    min: f32,
    max: f32,
}

impl Range {
    fn of(value: f32) -> Self {
        Self { min: value, max: value }
    }

    fn and(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    fn near(self, value: f32) -> f32 {
        value.clamp(self.min - ROOM, self.max + ROOM)
    }
}

/// What red and blue have more than green, around each pixel of a row.
type Hued = Vec<[Range; 2]>;

/// The colours around each pixel of a source, row by row, until what is made of it was compared with them.
pub(super) struct Hues {
    times: usize,
    height: usize,
    read: usize,
    /// The last row or two of the source, each with the colours beside each pixel in the same row.
    last: VecDeque<Hued>,
    /// Those of whole rows, with the rows above and below.
    around: VecDeque<Hued>,
    /// How many rows were made of the first of these.
    made: usize,
}

impl Hues {
    /// Begins with a picture of so many rows, which becomes so many times as large.
    pub(super) fn new(height: usize, times: usize) -> Self {
        Self { times, height, read: 0, last: VecDeque::new(), around: VecDeque::new(), made: 0 }
    }

    /// Takes the next row of the source.
    pub(super) fn add_source(&mut self, row: &[f32]) {
        let hues: Hued = row
            .chunks_exact(COLORS)
            .map(|pixel| [Range::of(pixel[0] - pixel[1]), Range::of(pixel[2] - pixel[1])])
            .collect();
        let beside = (0..hues.len()).map(|x| {
            let near = &hues[x.saturating_sub(1)..(x + 2).min(hues.len())];
            near.iter().copied().reduce(both).expect("it is one of them")
        });
        self.last.push_back(beside.collect());
        self.read += 1;
        // A row is known once the next one is; the last one has none below it.
        if self.last.len() > 1 {
            self.push(self.last.len() - 2);
        }
        if self.read == self.height {
            self.push(self.last.len() - 1);
        }
        if self.last.len() > 2 {
            self.last.pop_front();
        }
    }

    fn push(&mut self, at: usize) {
        let rows: Vec<&Hued> = self.last.iter().skip(at.saturating_sub(1)).take(if at == 0 { 2 } else { 3 }).collect();
        let columns = 0..rows[0].len();
        let around = columns.map(|x| rows.iter().map(|row| row[x]).reduce(both).expect("it is one of them"));
        self.around.push_back(around.collect());
    }

    /// Mends the next row of the result.
    pub(super) fn mend(&mut self, row: &mut [f32]) {
        let around = self.around.front().expect("a net reads rows before it makes some of them");
        for (pixels, [red, blue]) in row.chunks_exact_mut(self.times * COLORS).zip(around) {
            for pixel in pixels.chunks_exact_mut(COLORS) {
                let (more_red, more_blue) = (pixel[0] - pixel[1], pixel[2] - pixel[1]);
                let (own_red, own_blue) = (red.near(more_red), blue.near(more_blue));
                if own_red.to_bits() != more_red.to_bits() || own_blue.to_bits() != more_blue.to_bits() {
                    let light: f32 = pixel.iter().zip(LIGHT).map(|(value, part)| value.clamp(0.0, 255.0) * part).sum();
                    let green = light - LIGHT[0] * own_red - LIGHT[2] * own_blue;
                    pixel.copy_from_slice(&[green + own_red, green, green + own_blue]);
                }
            }
        }
        self.made += 1;
        if self.made == self.times {
            self.made = 0;
            self.around.pop_front();
        }
    }
}

fn both(a: [Range; 2], b: [Range; 2]) -> [Range; 2] {
    [a[0].and(b[0]), a[1].and(b[1])]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of a red left half and a grey right half, and what is made of one pixel of its twice as large result.
    #[test]
    fn a_colour_that_is_nowhere_near_becomes_one_that_is_and_stays_as_light() {
        let source = |x: usize| if x < 4 { [200.0, 40.0, 40.0] } else { [90.0, 90.0, 90.0] };
        let row: Vec<f32> = (0..8).flat_map(source).collect();
        // The column, what was made there, and what it becomes; its light is the same.
        let rows = [
            (1, [200.0, 40.0, 40.0], None),
            (1, [250.0, 90.0, 95.0], None),
            (7, [150.0, 60.0, 60.0], None),
            (8, [150.0, 60.0, 60.0], None),
            (12, [150.0, 60.0, 60.0], Some([98.0, 82.0, 82.0])),
            (12, [0.0, 255.0, 0.0], Some([140.3, 156.3, 140.3])),
            (12, [20.0, 30.0, 25.0], None),
        ];
        for (column, made, becomes) in rows {
            let mut hues = Hues::new(3, 2);
            (0..3).for_each(|_| hues.add_source(&row));
            for line in 0..6 {
                let mut result: Vec<f32> = (0..16).flat_map(|x| source(x / 2)).collect();
                result[column * 3..column * 3 + 3].copy_from_slice(&made);
                let before = result.clone();
                hues.mend(&mut result);
                let pixel: Vec<f32> = result[column * 3..column * 3 + 3].to_vec();
                let expected = becomes.unwrap_or(made);
                assert!(pixel.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1.0), "{column}, {line}: {pixel:?}");
                assert_eq!(becomes.is_none(), result == before);
            }
            assert!(hues.around.is_empty());
        }
    }

    /// A picture of a single row, and of a single pixel, has nothing above or beside it.
    #[test]
    fn the_smallest_pictures_have_their_own_colours() {
        for (width, height) in [(1, 1), (1, 2), (3, 1)] {
            let mut hues = Hues::new(height, 4);
            (0..height).for_each(|_| hues.add_source(&vec![100.0; width * 3]));
            for _ in 0..height * 4 {
                let mut row = vec![100.0; width * 12];
                row[1] = 180.0;
                hues.mend(&mut row);
                assert!((row[0] - row[1]).abs() <= ROOM + 0.01, "{row:?}");
            }
            assert!(hues.around.is_empty());
        }
    }
}
