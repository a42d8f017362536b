use super::*;

const SIZE: Size = Size { width: 21, height: 19 };
const TIMES: usize = 3;

/// A value of a picture that differs everywhere.
fn value(x: usize, y: usize, channel: usize) -> f32 {
    f32::from(u8::try_from((x * 5 + y * 7 + channel * 40) % 200 + 20).unwrap())
}

/// Compares a picture with itself enlarged, after `change` changed that.
fn compared(change: impl Fn(usize, usize, usize, f32) -> f32) -> Result<(), CraftError> {
    let (width, height) = (SIZE.width as usize, SIZE.height as usize);
    let mut likeness = Likeness::new(SIZE, 3, TIMES);
    for y in 0..height {
        let row: Vec<f32> = (0..width * 3).map(|at| value(at / 3, y, at % 3)).collect();
        likeness.add_source(&row);
    }
    for y in 0..height * TIMES {
        let made = |at: usize| value(at / 3 / TIMES, y / TIMES, at % 3);
        let row: Vec<f32> = (0..width * TIMES * 3).map(|at| change(at / 3, y, at % 3, made(at))).collect();
        likeness.add_result(&row)?;
    }
    Ok(())
}

#[test]
fn what_is_no_picture_of_its_source_is_refused() {
    type Change = fn(usize, usize, usize, f32) -> f32;
    let cases: [(&str, Change, bool); 10] = [
        ("the same", |_, _, _, value| value, true),
        ("noise is gone", |x, y, _, value| value + f32::from(u8::try_from((x + y) % 2).unwrap()) * 16.0 - 8.0, true),
        ("a shade darker", |_, _, _, value| value - 3.0, true),
        ("all of it is darker", |_, _, _, value| value - 5.0, false),
        ("one channel shifts", |_, _, channel, value| value + if channel == 1 { 6.0 } else { 0.0 }, false),
        ("a black part", |x, y, _, value| if x < 20 && y < 20 { 0.0 } else { value }, false),
        ("a black corner", |x, y, _, value| if x > 48 && y > 48 { 0.0 } else { value }, false),
        ("a blank row of cells", |_, y, _, value| if (24..48).contains(&y) { 255.0 } else { value }, false),
        ("one part comes twice", |x, y, c, _| super::tests::value(x / TIMES % 8, y / TIMES, c), false),
        ("no numbers", |x, _, _, value| if x == 7 { f32::NAN } else { value }, false),
    ];
    for (what, change, is_like) in cases {
        let found = compared(change);
        assert_eq!(found.is_ok(), is_like, "{what}: {found:?}");
        assert!(found.is_ok() || matches!(found, Err(CraftError::LooksWrong(_))), "{what}");
    }
}

/// Faults in what the net that comes with stockmill makes.
#[cfg(feature = "embedded-net")]
mod of_a_net {
    use super::*;

    /// How wide and high the picture of these tests is.
    const EDGE: usize = 48;
    /// The pixels of a panel of its result.
    const PANEL: usize = 64;
    /// A sound result: by column, row and colour.
    type Sound<'a> = &'a dyn Fn(usize, usize, usize) -> f32;
    /// What a result is instead.
    type Fault = fn(usize, usize, usize, Sound<'_>) -> f32;

    fn brighter_if(is_so: bool, value: f32, levels: f32) -> f32 {
        if is_so { (value + levels).clamp(0.0, 255.0) } else { value }
    }

    const FAULTS: [(&str, Fault); 13] = [
        ("black panel", |x, y, c, sound| if x / PANEL == 1 && y < PANEL { 0.0 } else { sound(x, y, c) }),
        ("black rows", |x, y, c, sound| if y / 32 == 2 { 0.0 } else { sound(x, y, c) }),
        ("blank panel", |x, y, c, sound| if x < PANEL { 255.0 } else { sound(x, y, c) }),
        ("panel comes twice", |x, y, c, sound| sound(x % PANEL, y, c)),
        ("rows come twice", |x, y, c, sound| sound(x, y % PANEL, c)),
        ("8 px to the left", |x, y, c, sound| sound((x + 8 * 4) % (EDGE * 4), y, c)),
        ("8 px further up", |x, y, c, sound| sound(x, (y + 8 * 4) % (EDGE * 4), c)),
        ("every second panel is brighter", |x, y, c, sound| brighter_if(x / PANEL == 1, sound(x, y, c), 3.0)),
        ("some columns within cells are darker", |x, y, c, sound| {
            brighter_if((80..120).contains(&x), sound(x, y, c), -5.0)
        }),
        ("some rows are brighter", |x, y, c, sound| brighter_if(y / PANEL == 1, sound(x, y, c), 3.0)),
        ("red is blue", |x, y, c, sound| sound(x, y, 2 - c)),
        ("lines are grey", |x, y, c, sound| if x < PANEL && y >= 128 { 128.0 } else { sound(x, y, c) }),
        ("no numbers", |x, y, c, sound| if (x, y) == (7, 5) { f32::NAN } else { sound(x, y, c) }),
    ];

    /// A soft picture with a disc and fine lines.
    fn soft(x: usize, y: usize, color: usize) -> f32 {
        let level = match (x.abs_diff(42).pow(2) + y.abs_diff(8).pow(2), x < 16 && y >= 32) {
            (_, true) => [0, 255][x / 4 % 2],
            (0..36, _) => [200, 90, 40][color],
            _ => 60 + x + 2 * y - 10 * color,
        };
        f32::from(u8::try_from(level).unwrap())
    }

    fn rows_of(width: usize, height: usize, value: Sound<'_>) -> impl Iterator<Item = Vec<f32>> {
        (0..height).map(move |y| (0..width * 3).map(|at| value(at / 3, y, at % 3)).collect())
    }

    /// Returns all rows of that picture as the net that comes with stockmill makes it.
    fn made_by_net(size: Size, restore: u8) -> Vec<Vec<f32>> {
        use crate::craft::Untold;
        use crate::craft::neural::{Cpu, Net, Scale, Upscale};

        let net = Net::embedded(restore).unwrap();
        let way = Upscale { net: &net, size, is_grey: false, scale: Scale::Four, threads: 2, cpu: Cpu::best() };
        let mut source = rows_of(EDGE, EDGE, &soft);
        let mut next = |row: &mut [f32]| {
            row.copy_from_slice(&source.next().unwrap());
            Ok(())
        };
        let mut made = Vec::new();
        let all = way.rows(&mut next, &Untold, |rows| {
            while let Some(row) = rows.next_row()? {
                made.push(row.to_vec());
            }
            Ok(())
        });
        all.unwrap();
        made
    }

    #[test]
    fn faults_in_what_a_net_makes_are_seen_at_each_dial() {
        let size = Size { width: 48, height: 48 };
        let compared = |result: Sound<'_>| {
            let mut likeness = Likeness::new(size, 3, 4);
            rows_of(EDGE, EDGE, &soft).for_each(|row| likeness.add_source(&row));
            rows_of(EDGE * 4, EDGE * 4, result).try_for_each(|row| likeness.add_result(&row))
        };
        for restore in [0, 50, 100] {
            let made = made_by_net(size, restore);
            let sound = |x: usize, y: usize, color: usize| made[y][x * 3 + color];
            let found = compared(&sound);
            assert!(found.is_ok(), "{restore}: {found:?}");
            for (what, fault) in FAULTS {
                let found = compared(&|x, y, color| fault(x, y, color, &sound));
                assert!(matches!(found, Err(CraftError::LooksWrong(_))), "{what} at {restore}: {found:?}");
            }
        }
    }
}

/// Patterns whose mean is right in every cell went to the market, by a net and by a program.
#[test]
fn patterns_that_are_not_there_are_seen() {
    type Change = fn(usize, usize, f32) -> f32;
    let sign = |is: bool| if is { 1.0 } else { -1.0 };
    // What is made, and whether it passes for a soft picture and for a lively one: among much contrast a weak one is lost.
    let cases: [(&str, Change, [bool; 2]); 6] = [
        ("the same", |_, _, value| value, [true; 2]),
        ("grain", |x, y, value| value + if (x * 7 + y * 13) % 5 < 2 { 9.0 } else { -6.0 }, [true; 2]),
        ("a checkerboard", |x, y, value| value + if (x + y) % 2 == 0 { 70.0 } else { -70.0 }, [false; 2]),
        ("stripes", |x, _, value| value + if x % 2 == 0 { 70.0 } else { -70.0 }, [false; 2]),
        ("squares", |x, y, value| value + if (x / 8 + y / 8) % 2 == 0 { 65.0 } else { -65.0 }, [false; 2]),
        ("a weak one", |x, y, value| value + if (x + y) % 2 == 0 { 22.0 } else { -22.0 }, [false, true]),
    ];
    for (number, spread) in [1.0, 40.0].into_iter().enumerate() {
        let of = |x: usize, y: usize| 128.0 + spread * sign((x / 3 + y / 2).is_multiple_of(2));
        for (what, change, is_like) in cases {
            let mut likeness = Likeness::new(Size { width: 64, height: 64 }, 1, 2);
            (0..64).for_each(|y| likeness.add_source(&(0..64).map(|x| of(x, y)).collect::<Vec<_>>()));
            let found = (0..128).try_for_each(|y| {
                likeness.add_result(&(0..128).map(|x| change(x, y, of(x / 2, y / 2))).collect::<Vec<_>>())
            });
            assert_eq!(found.is_ok(), is_like[number], "{what}, {spread}: {found:?}");
        }
    }
}

/// A frame of one pixel that moved by half of it was a fault where the last cell was as narrow as that.
#[test]
fn what_is_left_of_a_cell_at_an_edge_belongs_to_the_one_before() {
    for edge in 63..=73 {
        let frame = |x: usize, y: usize| x == 0 || y == 0 || x + 1 == edge || y + 1 == edge;
        let side = u32::try_from(edge).unwrap();
        let mut likeness = Likeness::new(Size { width: side, height: side }, 1, 2);
        let value = |is: bool| if is { 120.0 } else { 230.0 };
        (0..edge).for_each(|y| likeness.add_source(&(0..edge).map(|x| value(frame(x, y))).collect::<Vec<_>>()));
        // The last line of it is one pixel of the result instead of two.
        let made = |x: usize, y: usize| frame(x / 2, y / 2) && x != edge * 2 - 2;
        let found = (0..edge * 2)
            .try_for_each(|y| likeness.add_result(&(0..edge * 2).map(|x| value(made(x, y))).collect::<Vec<_>>()));
        assert!(found.is_ok(), "{edge}: {found:?}");
    }
}

/// Opacity is one channel, of which most is 0 or 255.
#[test]
fn a_wrong_opacity_is_seen() {
    let opacity = |x: usize| [0.0, 0.0, 120.0, 255.0][x / 8 % 4];
    type Change = fn(f32) -> f32;
    let cases: [(&str, Change, bool); 5] = [
        ("the same", |alpha| alpha, true),
        ("all of it is there", |_| 255.0, false),
        ("nothing of it is there", |_| 0.0, false),
        ("turned round", |alpha| 255.0 - alpha, false),
        ("half as much", |alpha| alpha / 2.0, false),
    ];
    for (what, change, is_like) in cases {
        let mut likeness = Likeness::new(Size { width: 32, height: 16 }, 1, 2);
        for _ in 0..16 {
            likeness.add_source(&(0..32).map(opacity).collect::<Vec<_>>());
        }
        let mut rows = (0..32).map(|_| -> Vec<f32> { (0..64).map(|x| change(opacity(x / 2))).collect() });
        let found = rows.try_for_each(|row| likeness.add_result(&row));
        assert_eq!(found.is_ok(), is_like, "{what}: {found:?}");
    }
}
