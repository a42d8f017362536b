use std::collections::{BTreeMap, BTreeSet};

use crate::market::{Market, MarketError, with_rows};

/// The checksum of each row, by the name of its file.
pub(super) type Rows = BTreeMap<String, u32>;

/// What is left to deliver of a bundle's manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NewRows {
    /// A manifest of the rows that the market has not got; none if it has all.
    pub(super) manifest: Option<Vec<u8>>,
    /// These rows.
    pub(super) rows: Rows,
    /// The files whose rows were changed after the market got them.
    pub(super) changed: Vec<String>,
}

/// Decides what is left to deliver of a manifest: a file that joins its bundle when the manifest is delivered needs its row,
/// and no market needs to get the row of another one twice. `files` are those that the market has, `delivered` the rows.
pub(super) fn new_rows(
    market: &Market,
    manifest: &[u8],
    files: &BTreeSet<String>,
    delivered: &Rows,
) -> Result<NewRows, MarketError> {
    let mut new = NewRows::default();
    let mut is_wanted = |name: &str, row: &[u8]| {
        let sum = crc32fast::hash(row);
        match delivered.get(name) {
            _ if !files.contains(name) => false,
            None => new.rows.insert(name.to_owned(), sum).is_none(),
            Some(was) => {
                if *was != sum {
                    new.changed.push(name.to_owned());
                }
                false
            }
        }
    };
    let manifest = with_rows(market, manifest, &mut is_wanted)?;
    Ok(NewRows { manifest, ..new })
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
            (vec![a, b], "a.jpg b.jpg", sums(&[]), vec![a, b], ""),
            // What was put there or taken away by hand is not told of a file that never went.
            (vec![a, b], "a.jpg", sums(&[]), vec![a], ""),
            (vec![a, b], "a.jpg b.jpg", sums(&[("a.jpg", a)]), vec![b], ""),
            (vec![a, b], "a.jpg b.jpg", sums(&[("a.jpg", a), ("b.jpg", b)]), vec![], ""),
            (vec![b], "b.jpg", sums(&[("a.jpg", a), ("b.jpg", b)]), vec![], ""),
            (vec![changed, b], "a.jpg b.jpg", sums(&[("a.jpg", a)]), vec![b], "a.jpg"),
            (vec![], "", sums(&[]), vec![], ""),
        ];
        for (lines, files, delivered, wanted, changed) in rows {
            let files: BTreeSet<String> = files.split_whitespace().map(str::to_owned).collect();
            let manifest = format!("{header}{}", lines.concat());
            let new = new_rows(&market, manifest.as_bytes(), &files, &delivered).unwrap();
            let text = (!wanted.is_empty()).then(|| format!("{header}{}", wanted.concat()).into_bytes());
            assert_eq!((new.manifest, new.changed.join(" ")), (text, changed.to_owned()), "{lines:?} {files:?}");
            assert_eq!(new.rows.len(), wanted.len());
        }
    }
}
