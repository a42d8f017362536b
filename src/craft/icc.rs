//! Writes a colour profile for a picture that says in another way than by a profile what its colours are.

/// The white of profiles.
const D50: [f64; 3] = [0.9642, 1.0, 0.8249];
/// How many steps a curve has.
const STEPS: u16 = 4096;
/// The response of the cones by Bradford, in which a white is adapted.
const BRADFORD: Matrix = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]];

type Matrix = [[f64; 3]; 3];

/// A colour as x and y.
pub(super) type Xy = [f64; 2];

/// The red, green, blue and white of a space.
#[derive(Debug, Clone, Copy)]
pub(super) struct Primaries {
    pub(super) colors: [Xy; 3],
    pub(super) white: Xy,
}

/// Those of sRGB.
pub(super) const SRGB: Primaries =
    Primaries { colors: [[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]], white: [0.3127, 0.3290] };

/// Returns the profile of a space of three colours, whose `curve` turns a value into light, both from 0 to 1; `None`
/// if the colours lie on one line.
pub(super) fn rgb(primaries: &Primaries, curve: impl Fn(f64) -> f64) -> Option<Vec<u8>> {
    let columns = colorants(primaries)?;
    let curve = curve_tag(curve);
    let mut tags = vec![(*b"wtpt", xyz_tag(D50))];
    tags.extend([*b"rXYZ", *b"gXYZ", *b"bXYZ"].into_iter().zip(columns.map(xyz_tag)));
    tags.extend([*b"rTRC", *b"gTRC", *b"bTRC"].map(|name| (name, curve.clone())));
    Some(profile(*b"RGB ", &tags))
}

/// Returns the profile of greys.
pub(super) fn grey(curve: impl Fn(f64) -> f64) -> Vec<u8> {
    profile(*b"GRAY", &[(*b"wtpt", xyz_tag(D50)), (*b"kTRC", curve_tag(curve))])
}

/// Returns the primaries' XYZ, adapted to D50.
fn colorants(primaries: &Primaries) -> Option<[[f64; 3]; 3]> {
    let is_color = |[x, y]: Xy| (0.0..=1.0).contains(&x) && y > 0.0 && y <= 1.0;
    let of_xy = |[x, y]: Xy| is_color([x, y]).then(|| [x / y, 1.0, (1.0 - x - y) / y]);
    let white = of_xy(primaries.white)?;
    let [red, green, blue] = primaries.colors.map(of_xy);
    let columns = [red?, green?, blue?];
    let shares = times(&inverse(&transposed(&columns))?, white);
    let (before, after) = (times(&BRADFORD, white), times(&BRADFORD, D50));
    let back = inverse(&BRADFORD)?;
    let mut adapted = [[0.0; 3]; 3];
    for ((column, share), adapted) in columns.iter().zip(shares).zip(&mut adapted) {
        let mut cones = times(&BRADFORD, column.map(|value| value * share));
        cones.iter_mut().zip(before).zip(after).for_each(|((cone, before), after)| *cone *= after / before);
        *adapted = times(&back, cones);
    }
    adapted.as_flattened().iter().all(|value| value.abs() < 4.0).then_some(adapted)
}

fn times(matrix: &Matrix, vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
}

fn transposed(m: &Matrix) -> Matrix {
    [0, 1, 2].map(|column| m.map(|row| row[column]))
}

/// Returns the inverse; `None` if there is none.
fn inverse(m: &Matrix) -> Option<Matrix> {
    let cofactor = |i: usize, j: usize| {
        let (columns, rows) = ([(i + 1) % 3, (i + 2) % 3], [(j + 1) % 3, (j + 2) % 3]);
        m[rows[0]][columns[0]] * m[rows[1]][columns[1]] - m[rows[0]][columns[1]] * m[rows[1]][columns[0]]
    };
    let whole: f64 = (0..3).map(|j| m[0][j] * cofactor(j, 0)).sum();
    (whole.abs() > 1e-9).then(|| [0, 1, 2].map(|i| [0, 1, 2].map(|j| cofactor(i, j) / whole)))
}

pub(super) fn xyz_tag(values: [f64; 3]) -> Vec<u8> {
    [&b"XYZ \0\0\0\0"[..], values.map(fixed).as_flattened()].concat()
}

#[expect(clippy::cast_possible_truncation, reason = "values are below 4")]
fn fixed(value: f64) -> [u8; 4] {
    ((value * 65_536.0).round() as i32).to_be_bytes()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 65535 has 16 bits")]
pub(super) fn curve_tag(curve: impl Fn(f64) -> f64) -> Vec<u8> {
    let light = |step: u16| curve(f64::from(step) / f64::from(STEPS - 1)).clamp(0.0, 1.0);
    let mut tag = [&b"curv\0\0\0\0"[..], &u32::from(STEPS).to_be_bytes()].concat();
    tag.extend((0..STEPS).flat_map(|step| ((light(step) * 65_535.0).round() as u16).to_be_bytes()));
    tag
}

/// Returns a profile of version 2, which every program reads. Tags of the same content share it.
pub(super) fn profile(space: [u8; 4], tags: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut text = b"desc\0\0\0\0\0\0\0\x08picture\0".to_vec();
    text.resize(12 + 8 + 78, 0);
    let fixed_tags = [(*b"desc", text), (*b"cprt", b"text\0\0\0\0CC0\0".to_vec())];
    let number = |value: usize| u32::try_from(value).expect("a profile has some kilobytes").to_be_bytes();
    let count = fixed_tags.len() + tags.len();
    let (mut table, mut content) = (number(count).to_vec(), Vec::new());
    let mut last: Option<(&[u8], usize)> = None;
    for (name, tag) in fixed_tags.iter().chain(tags) {
        let at = match last {
            Some((same, at)) if same == tag => at,
            _ => 128 + 4 + 12 * count + content.len(),
        };
        if last.is_none_or(|(same, _)| same != tag) {
            content.extend_from_slice(tag);
            content.resize(content.len().next_multiple_of(4), 0);
        }
        last = Some((tag, at));
        table.extend([&name[..], &number(at), &number(tag.len())].concat());
    }
    let length = number(128 + table.len() + content.len());
    let mut head =
        [&length[..], b"\0\0\0\0\x02\x10\0\0mntr", &space, b"XYZ \x07\xea\0\x01\0\x01\0\0\0\0\0\0acsp"].concat();
    head.resize(68, 0);
    head.extend_from_slice(D50.map(fixed).as_flattened());
    head.resize(128, 0);
    [head, table, content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{grey_profile, srgb_profile};
    use moxcms::ColorProfile;

    fn srgb(value: f64) -> f64 {
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    }

    /// The constant profiles come from another program of the same sums.
    #[test]
    fn what_is_written_is_what_is_read() {
        let ours = ColorProfile::new_from_slice(&rgb(&SRGB, srgb).unwrap()).unwrap();
        let constant = ColorProfile::new_from_slice(srgb_profile()).unwrap();
        let columns = |profile: &ColorProfile| {
            [profile.red_colorant, profile.green_colorant, profile.blue_colorant].map(|xyz| [xyz.x, xyz.y, xyz.z])
        };
        for (a, b) in columns(&ours).as_flattened().iter().zip(columns(&constant).as_flattened()) {
            assert!((a - b).abs() < 4e-5, "{a} {b}");
        }
        let grey = ColorProfile::new_from_slice(&grey(srgb)).unwrap();
        let constant = ColorProfile::new_from_slice(grey_profile()).unwrap();
        assert_eq!(grey.color_space, constant.color_space);
        assert!(grey.gray_trc.is_some());
    }

    #[test]
    fn colours_that_make_no_space_are_refused() {
        let with = |colors: [Xy; 3], white: Xy| rgb(&Primaries { colors, white }, |value| value).is_some();
        assert!(with(SRGB.colors, SRGB.white));
        for (colors, white) in [
            ([[0.3, 0.3]; 3], SRGB.white),
            ([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]], SRGB.white),
            (SRGB.colors, [0.3, 0.0]),
            ([[0.64, 0.0], [0.3, 0.6], [0.15, 0.06]], SRGB.white),
            (SRGB.colors, [42_949.0, 0.00001]),
        ] {
            assert!(!with(colors, white), "{colors:?} {white:?}");
        }
    }
}
