//! Colours for what is transparent: those of what is seen nearby, so that whoever looks at an edge finds no colour there
//! that nobody sees.

/// Gives each pixel of no opacity the colours of those around it that have one, by means of ever larger squares (S. Gortler
/// and others, The Lumigraph, 1996: pull-push). `colors` holds so many channels side by side for each of `alpha`.
pub(super) fn bleed(colors: &mut [f32], alpha: &[f32], width: usize, channels: usize) {
    let opacity: Vec<f32> = alpha.iter().map(|alpha| alpha / 255.0).collect();
    let mut pyramid = vec![halved(&Level { colors: colors.to_vec(), weights: opacity, width }, channels)];
    while pyramid[pyramid.len() - 1].weights.len() > 1 {
        pyramid.push(halved(&pyramid[pyramid.len() - 1], channels));
    }
    // What a square lacks comes from the larger one that it lies in.
    for at in (1..pyramid.len()).rev() {
        let (fine, coarse) = pyramid.split_at_mut(at);
        fill(&mut fine[at - 1], &coarse[0], channels);
    }
    for (at, pixel) in colors.chunks_exact_mut(channels).enumerate().filter(|(at, _)| alpha[*at] == 0.0) {
        pixel.copy_from_slice(pyramid[0].pixel(at % width / 2, at / width / 2, channels));
    }
}

/// Squares of some pixels each: their colours, and how much of them is seen.
struct Level {
    colors: Vec<f32>,
    weights: Vec<f32>,
    width: usize,
}

impl Level {
    fn pixel(&self, x: usize, y: usize, channels: usize) -> &[f32] {
        &self.colors[(y * self.width + x) * channels..][..channels]
    }
}

/// Returns squares of four of a level, each by how much of it is seen.
fn halved(fine: &Level, channels: usize) -> Level {
    let height = fine.weights.len() / fine.width;
    let (width, rows) = (fine.width.div_ceil(2), height.div_ceil(2));
    let mut level = Level { colors: vec![0.0; width * rows * channels], weights: vec![0.0; width * rows], width };
    for (at, weight) in fine.weights.iter().enumerate() {
        let (x, y) = (at % fine.width, at / fine.width);
        let to = y / 2 * width + x / 2;
        level.weights[to] += weight;
        let sums = level.colors[to * channels..][..channels].iter_mut();
        sums.zip(fine.pixel(x, y, channels)).for_each(|(sum, color)| *sum += color * weight);
    }
    for (weight, pixel) in level.weights.iter_mut().zip(level.colors.chunks_exact_mut(channels)) {
        if *weight > 0.0 {
            pixel.iter_mut().for_each(|color| *color /= *weight);
        }
        *weight = weight.min(1.0);
    }
    level
}

/// Adds to each square what it lacks.
fn fill(fine: &mut Level, coarse: &Level, channels: usize) {
    let width = fine.width;
    for (at, (weight, pixel)) in fine.weights.iter().zip(fine.colors.chunks_exact_mut(channels)).enumerate() {
        let around = coarse.pixel(at % width / 2, at / width / 2, channels);
        for (color, around) in pixel.iter_mut().zip(around) {
            *color = *color * weight + around * (1.0 - weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is seen stays; what is hidden gets a colour between those that are seen, the nearer ones' above all.
    #[test]
    fn hidden_pixels_get_the_colours_of_seen_ones() {
        for (width, height) in [(1, 1), (1, 9), (13, 7), (16, 16)] {
            for channels in [1, 3] {
                let is_seen = |x: usize, y: usize| x * 3 + y > 8 || x + y == 0;
                let places: Vec<(usize, usize)> = (0..width * height).map(|at| (at % width, at / width)).collect();
                let alpha: Vec<f32> = places.iter().map(|(x, y)| if is_seen(*x, *y) { 255.0 } else { 0.0 }).collect();
                let color = |(x, y): &(usize, usize)| match is_seen(*x, *y) {
                    true if x * 2 < width => 40.0,
                    true => 200.0,
                    false => 99_999.0,
                };
                let before: Vec<f32> = places.iter().flat_map(|place| vec![color(place); channels]).collect();
                let mut colors = before.clone();
                bleed(&mut colors, &alpha, width, channels);
                for (at, (found, was)) in colors.iter().zip(&before).enumerate() {
                    let is_kept = alpha[at / channels] > 0.0;
                    assert!(
                        if is_kept { found.to_bits() == was.to_bits() } else { (39.9..=200.1).contains(found) },
                        "{at}: {found}"
                    );
                }
            }
        }
        let (mut colors, alpha) = (vec![10.0, 0.0, 0.0, 0.0, 0.0, 90.0], vec![255.0, 0.0, 0.0, 0.0, 0.0, 255.0]);
        bleed(&mut colors, &alpha, 6, 1);
        assert!(colors[1] < 20.0 && colors[4] > 80.0, "{colors:?}");
        let mut none = vec![7.0; 12];
        bleed(&mut none, &[0.0; 4], 2, 3);
        assert!(none.iter().all(|color| *color == 0.0), "{none:?}");
    }
}
