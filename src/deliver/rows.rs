use std::collections::{BTreeMap, BTreeSet};

use crate::market::{Market, MarketError, with_rows};
use crate::records::row_sum;

/// The checksum of each row, by the name of its file.
pub(super) type Rows = BTreeMap<String, u32>;

/// Some rows of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    /// A manifest of these rows alone.
    pub(super) manifest: Vec<u8>,
    pub(super) rows: Rows,
}

/// Returns the rows that are left to deliver: a file that joins its bundle when the manifest is delivered needs its row, and no
/// market needs to get the row of another one twice. `files` are those that the market has, `delivered` the rows.
pub(super) fn new_rows(
    market: &Market,
    manifest: &[u8],
    files: &BTreeSet<String>,
    delivered: &Rows,
) -> Result<Option<Selection>, MarketError> {
    select(market, manifest, &|name, _| files.contains(name) && !delivered.contains_key(name))
}

/// Returns the rows that were changed after the market got them.
pub(super) fn changed_rows(
    market: &Market,
    manifest: &[u8],
    delivered: &Rows,
) -> Result<Option<Selection>, MarketError> {
    select(market, manifest, &|name, sum| delivered.get(name).is_some_and(|was| *was != sum))
}

/// Returns the rows that are wanted, by the name of their file and their checksum; of a file with several the first one counts.
fn select(
    market: &Market,
    manifest: &[u8],
    is_wanted: &dyn Fn(&str, u32) -> bool,
) -> Result<Option<Selection>, MarketError> {
    let (mut seen, mut rows) = (BTreeSet::new(), Rows::new());
    let manifest = with_rows(market, manifest, &mut |name, row| {
        let sum = row_sum(row);
        let takes = seen.insert(name.to_owned()) && is_wanted(name, sum);
        if takes {
            rows.insert(name.to_owned(), sum);
        }
        takes
    })?;
    Ok(manifest.map(|manifest| Selection { manifest, rows }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;

    #[test]
    fn a_market_gets_each_row_once() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "vecteezy").unwrap();
        let header = "Filename,Title,Description,Keywords,License\r\n";
        let [a, b, changed] =
            ["a.jpg,A,A,\"a,b\",Pro\r\n", "b.jpg,\"B \"\"b\"\"\",B,b,Pro\r\n", "a.jpg,New,A,\"a,b\",Pro\r\n"];
        let sums = |rows: &[(&str, &str)]| -> Rows {
            rows.iter().map(|(name, row)| ((*name).to_owned(), crc32fast::hash(row.as_bytes()))).collect()
        };
        // The rows of the manifest, the files that the market has, the rows that it has, what it gets, and what changed.
        let rows = [
            (vec![a, b], "a.jpg b.jpg", sums(&[]), vec![a, b], vec![]),
            // What was put there or taken away by hand is not told of a file that never went.
            (vec![a, b], "a.jpg", sums(&[]), vec![a], vec![]),
            (vec![a, b], "a.jpg b.jpg", sums(&[("a.jpg", a)]), vec![b], vec![]),
            (vec![a, b], "a.jpg b.jpg", sums(&[("a.jpg", a), ("b.jpg", b)]), vec![], vec![]),
            (vec![b], "b.jpg", sums(&[("a.jpg", a), ("b.jpg", b)]), vec![], vec![]),
            (vec![changed, b], "a.jpg b.jpg", sums(&[("a.jpg", a)]), vec![b], vec![changed]),
            (vec![a, changed], "a.jpg", sums(&[]), vec![a], vec![]),
            (vec![a, changed], "a.jpg", sums(&[("a.jpg", a)]), vec![], vec![]),
            (vec![], "", sums(&[]), vec![], vec![]),
        ];
        for (lines, files, delivered, wanted, changed) in rows {
            let files: BTreeSet<String> = files.split_whitespace().map(str::to_owned).collect();
            let manifest = format!("{header}{}", lines.concat()).into_bytes();
            let selection = |rows: &[&str]| {
                let named: Vec<(&str, &str)> = rows.iter().map(|row| (&row[..5], *row)).collect();
                let manifest = format!("{header}{}", rows.concat()).into_bytes();
                (!rows.is_empty()).then(|| Selection { manifest, rows: sums(&named) })
            };
            let new = new_rows(&market, &manifest, &files, &delivered).unwrap();
            assert_eq!(new, selection(&wanted), "{lines:?} {files:?}");
            assert_eq!(
                changed_rows(&market, &manifest, &delivered).unwrap(),
                selection(&changed),
                "{lines:?} {files:?}"
            );
        }
    }
}
