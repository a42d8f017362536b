//! A wide picture as panels of columns, each with layers of its own: only those of one panel a thread are at work at a
//! time, and of all others there are no more rows than the next step needs.
//!
//! A panel also works columns of its neighbours, so many that what it does not see beyond them reaches none of its own.

use super::winograd::TILE;

/// How many columns of a panel are its own, at most: its rows stay small, and its neighbours' columns, of which the net
/// that comes with stockmill has 44 on each side, cost little beside them.
pub(super) const COLUMNS_MAX: usize = 2048;

/// A panel, by columns of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Panel {
    /// The first column that it works.
    pub(super) from: usize,
    /// How many it works.
    pub(super) width: usize,
    /// The first one that is its own.
    pub(super) own: usize,
    /// How many are its own.
    pub(super) own_width: usize,
}

impl Panel {
    /// Splits a picture of such a width into panels of at most so many own columns, for a net whose last layer lags so
    /// many rows behind the source. Panels begin where tiles do.
    pub(super) fn split(width: usize, columns_max: usize, lag: usize) -> Vec<Self> {
        let beside = reach(lag);
        let own_width = width.div_ceil(width.div_ceil(columns_max)).next_multiple_of(TILE);
        let panel = |own: usize| {
            let from = own.saturating_sub(beside);
            let own_width = own_width.min(width - own);
            Self { from, width: (own + own_width + beside).min(width) - from, own, own_width }
        };
        (0..width).step_by(own_width).map(panel).collect()
    }
}

/// Returns how many columns beside a result make a difference to its bits. A tile is made of its own four columns and one
/// on each side, which only its outermost result depends on: two layers see four columns further.
fn reach(lag: usize) -> usize {
    (2 * lag).next_multiple_of(TILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_share_the_columns_and_work_those_beside_them() {
        let cases: [(usize, usize, &[[usize; 4]]); 5] = [
            (1, 2048, &[[0, 1, 0, 1]]),
            (2048, 2048, &[[0, 2048, 0, 2048]]),
            (2049, 2048, &[[0, 1072, 0, 1028], [984, 1065, 1028, 1021]]),
            (100, 32, &[[0, 72, 0, 28], [0, 100, 28, 28], [12, 88, 56, 28], [40, 60, 84, 16]]),
            (9, 4, &[[0, 9, 0, 4], [0, 9, 4, 4], [0, 9, 8, 1]]),
        ];
        for (width, columns_max, expected) in cases {
            let panels = Panel::split(width, columns_max, 21);
            let found: Vec<_> =
                panels.iter().map(|panel| [panel.from, panel.width, panel.own, panel.own_width]).collect();
            assert_eq!(found, expected, "{width} by {columns_max}");
        }
    }
}
