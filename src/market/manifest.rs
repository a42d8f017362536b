use std::collections::BTreeSet;

use super::checks::{codes, described};
use super::profile::{Charset, Column, Market, MarketError, Quoting, Value};
use crate::model::{Meta, slugify};

/// One file of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The file's name, to the letter.
    pub file_name: String,
    /// Its tags, fitted to the market.
    pub meta: Meta,
    /// Its category, by the market's name or value.
    pub category: Option<String>,
}

/// Returns a manifest: a header and a row for each file, as RFC 4180 has it (CRLF, quotes where
/// needed), in UTF-8.
pub fn manifest(market: &Market, rows: &[Row]) -> Result<Vec<u8>, MarketError> {
    let wrong = |what: String| MarketError::Manifest { market: market.name.clone(), what };
    if rows.len() > market.csv.rows_max {
        return Err(wrong(format!("{} rows, and the market takes {}", rows.len(), market.csv.rows_max)));
    }
    let quoting = match market.csv.quoting {
        Quoting::Necessary => csv::QuoteStyle::Necessary,
        Quoting::All => csv::QuoteStyle::Always,
    };
    let mut writer = csv::WriterBuilder::new()
        .quote_style(quoting)
        .delimiter(u8::try_from(market.csv.separator).map_err(|error| wrong(error.to_string()))?)
        .terminator(csv::Terminator::CRLF)
        .from_writer(if market.csv.bom { b"\xef\xbb\xbf".to_vec() } else { Vec::new() });
    let header: Vec<&str> = market.csv.columns.iter().map(|column| column.header.as_str()).collect();
    writer.write_record(header).map_err(|error| wrong(error.to_string()))?;
    for row in rows {
        writer.write_record(cells(market, row)).map_err(|error| wrong(error.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|error| wrong(error.to_string()))?;
    if bytes.len() > market.csv.bytes_max {
        return Err(wrong(format!("{} bytes, and the market takes {}", bytes.len(), market.csv.bytes_max)));
    }
    Ok(bytes)
}

/// Returns the names of the files that have a row in a manifest.
pub fn names_in(market: &Market, manifest: &[u8]) -> BTreeSet<String> {
    let Ok(separator) = u8::try_from(market.csv.separator) else { return BTreeSet::new() };
    let text = manifest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(manifest);
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text);
    let name_at = market.csv.columns.iter().position(|column| column.value == Value::FileName);
    let rows = reader.records().filter_map(Result::ok);
    rows.filter_map(|row| row.get(name_at?).map(str::to_owned)).collect()
}

/// Returns the row of a file in a manifest, each cell with its header; nothing if it has none.
pub fn row_of(market: &Market, manifest: &[u8], file_name: &str) -> Vec<(String, String)> {
    let Ok(separator) = u8::try_from(market.csv.separator) else { return Vec::new() };
    let text = manifest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(manifest);
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(text);
    let name_at = market.csv.columns.iter().position(|column| column.value == Value::FileName);
    let headers: Vec<String> =
        reader.headers().map_or_else(|_| Vec::new(), |headers| headers.iter().map(str::to_owned).collect());
    let is_it = |row: &csv::StringRecord| name_at.and_then(|at| row.get(at)) == Some(file_name);
    let row = reader.records().filter_map(Result::ok).find(is_it);
    let cells = row.iter().flat_map(|row| row.iter().map(str::to_owned));
    headers.into_iter().zip(cells).collect()
}

/// Returns the most bytes that a row takes in a manifest.
pub fn row_bytes(market: &Market, row: &Row) -> usize {
    cells(market, row).iter().map(|cell| cell.len() + cell.matches('"').count() + 3).sum::<usize>() + 2
}

fn cells(market: &Market, row: &Row) -> Vec<String> {
    let codes = codes(market, row.category.as_deref(), &row.meta);
    let code = |number: usize| codes.get(number).map(ToString::to_string).unwrap_or_default();
    let cell = |column: &Column| match column.value {
        Value::FileName => row.file_name.clone(),
        Value::Title => row.meta.title.clone(),
        Value::Description => described(&row.meta).to_owned(),
        Value::Keywords => row.meta.keywords.join(","),
        Value::Category => code(0),
        Value::Category2 => code(1),
        Value::Category3 => code(2),
        Value::Categories => codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        Value::Creator => row.meta.creator.clone(),
        Value::Text => column.text.clone(),
        Value::Nothing => String::new(),
    };
    market.csv.columns.iter().map(cell).map(|text| harmless(&text).to_owned()).collect()
}

/// Returns a text that no spreadsheet takes for a formula: texts are fitted so, and a name is not.
fn harmless(text: &str) -> &str {
    text.trim_start_matches(['=', '+', '-', '@', '\t', '\r', ' '])
}

/// Returns a name that a market takes and that is free: `name` itself where it fits, else its start
/// cut, its number and extension whole. Where that is taken, the start ends in part of the asset's
/// identity. `None` if even that is taken.
pub fn fit_file_name(market: &Market, name: &str, id: &str, taken: &dyn Fn(&str) -> bool) -> Option<String> {
    let limit = &market.file_name;
    let allowed = |c: char| match limit.charset {
        Charset::Portable => c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'),
        Charset::Alphanumeric => c.is_ascii_alphanumeric() || c == '.',
    };
    if name.chars().count() <= limit.chars_max && name.chars().all(allowed) && !taken(name) {
        return Some(name.to_owned());
    }
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let (head, number) = match stem.rsplit_once('-') {
        Some((head, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => (head, number),
        _ => (stem, ""),
    };
    let slug: String = slugify(head).chars().filter(|c| allowed(*c)).collect();
    let dash = if limit.charset == Charset::Portable && !number.is_empty() { "-" } else { "" };
    let tail = format!("{dash}{number}.{extension}");
    let room = limit.chars_max.checked_sub(tail.len())?;
    let plain = format!("{}{tail}", cut_at_word(&slug, room));
    if !taken(&plain) && plain != tail {
        return Some(plain);
    }
    [4, 8, 12].into_iter().filter(|length| *length <= room).find_map(|length| {
        // With room for exactly the identity there is no start.
        let cut = cut_at_word(&slug, room.saturating_sub(length + 1));
        let dash = if limit.charset == Charset::Portable && !cut.is_empty() { "-" } else { "" };
        let name = format!("{cut}{dash}{}{tail}", id.get(..length)?);
        (!taken(&name)).then_some(name)
    })
}

/// Returns the start of a slug, cut between words unless that would take more than half of it.
fn cut_at_word(slug: &str, chars_max: usize) -> &str {
    let Some((end, next)) = slug.char_indices().nth(chars_max) else { return slug.trim_end_matches('-') };
    let head = &slug[..end];
    let words = if next == '-' { head } else { head.rsplit_once('-').map_or(head, |(words, _)| words) };
    let kept = if words.len() * 2 >= chars_max { words } else { head };
    kept.trim_end_matches('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::market::profile::FileNameLimit;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn adobe() -> Market {
        built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap()
    }

    #[test]
    fn the_manifest_reads_back_as_it_was_written() {
        let meta = Meta {
            title: "=cmd \"x\"".to_owned(),
            keywords: vec!["a".to_owned(), "b c".to_owned()],
            ..Meta::default()
        };
        let row = Row { file_name: "a-0001.jpg".to_owned(), meta, category: Some("Landscapes".to_owned()) };
        let bytes = manifest(&adobe(), std::slice::from_ref(&row)).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.starts_with("Filename,Title,Keywords,Category,Releases\r\n"), "{text}");
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let cells: Vec<String> = reader.records().next().unwrap().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(cells, ["a-0001.jpg", "cmd \"x\"", "a,b c", "11", ""]);
        let header = "Filename,Title,Keywords,Category,Releases\r\n".len();
        assert!(bytes.len() - header <= row_bytes(&adobe(), &row));
        let told = row_of(&adobe(), &bytes, "a-0001.jpg");
        assert_eq!(told[1], ("Title".to_owned(), "cmd \"x\"".to_owned()), "{told:?}");
        assert!(row_of(&adobe(), &bytes, "b-0001.jpg").is_empty() && row_of(&adobe(), b"\xff", "a").is_empty());
    }

    #[test]
    fn no_cell_begins_like_a_formula() {
        for text in ["=1", "+1", "-1", "@1", "\t=1", " =1", "\r-=+@1"] {
            assert_eq!(harmless(text), "1", "{text:?}");
        }
        assert_eq!(harmless("a=1 + 2"), "a=1 + 2");
    }

    #[test]
    fn a_manifest_beyond_the_limits_is_refused() {
        let row = Row { file_name: "a.jpg".to_owned(), meta: Meta::default(), category: None };
        assert!(manifest(&adobe(), &vec![row; 5001]).unwrap_err().to_string().contains("5001 rows"));
    }

    #[test]
    fn names_are_fitted() {
        let none = |_: &str| false;
        let id = "0123456789abcdef";
        assert_eq!(fit_file_name(&adobe(), "winter-0001.jpg", id, &none).unwrap(), "winter-0001.jpg");
        let long = "winter-cabins-by-the-frozen-lake-0001.jpg";
        assert_eq!(fit_file_name(&adobe(), long, id, &none).unwrap(), "winter-cabins-by-the-0001.jpg");
        let taken = |name: &str| name == "winter-cabins-by-the-0001.jpg";
        assert_eq!(fit_file_name(&adobe(), long, id, &taken).unwrap(), "winter-cabins-by-0123-0001.jpg");
        assert_eq!(fit_file_name(&adobe(), "日本-0001.jpg", id, &none).unwrap(), "ri-ben-0001.jpg");
        for (long, short) in [
            ("snowy-mountains-landscape-0001.jpg", "snowy-mountains-0001.jpg"),
            ("old-lighthouse-and-gulls-0001.jpg", "old-lighthouse-and-0001.jpg"),
            ("supercalifragilisticexpiali-0001.jpg", "supercalifragilistice-0001.jpg"),
            ("a-supercalifragilisticexpi-0001.jpg", "a-supercalifragilisti-0001.jpg"),
        ] {
            assert_eq!(fit_file_name(&adobe(), long, id, &none).unwrap(), short);
        }
        // A name that fits and is taken, one without a number, and one of which nothing is left.
        let is = |wanted: &'static str| move |name: &str| name == wanted;
        assert_eq!(fit_file_name(&adobe(), "winter.jpg", id, &is("winter.jpg")).unwrap(), "winter-0123.jpg");
        assert_eq!(fit_file_name(&adobe(), "(!).jpg", id, &none).unwrap(), "0123.jpg");
        assert_eq!(fit_file_name(&adobe(), "winter cabins.jpg", id, &none).unwrap(), "winter-cabins.jpg");
        // More of the identity, as far as it takes, and then nothing.
        let shorter = |name: &str| name == "winter.jpg" || name == "winter-0123.jpg";
        assert_eq!(fit_file_name(&adobe(), "winter.jpg", id, &shorter).unwrap(), "winter-01234567.jpg");
        assert_eq!(fit_file_name(&adobe(), "winter.jpg", id, &|_| true), None);
        let number = format!("a-{}.jpg", "1".repeat(30));
        assert_eq!(fit_file_name(&adobe(), &number, id, &none), None);
        let mut strict = adobe();
        strict.file_name = FileNameLimit { chars_max: 13, charset: Charset::Alphanumeric };
        assert_eq!(fit_file_name(&strict, "winter-cabins-0001.jpg", id, &none).unwrap(), "winte0001.jpg");
        let exact = FileNameLimit { chars_max: 8, charset: Charset::Portable };
        let tight = Market { file_name: exact, ..adobe() };
        assert_eq!(fit_file_name(&tight, "winter.jpg", id, &is("wint.jpg")).unwrap(), "0123.jpg");
        assert_eq!(fit_file_name(&strict, "winter-cabins-0001.jpg", id, &is("winte0001.jpg")).unwrap(), "01230001.jpg");
    }

    proptest! {
        #[test]
        fn fitted_names_fit(heads in proptest::collection::vec("[a-zé日 -]{0,60}", 1..20)) {
            let market = adobe();
            let mut names = BTreeSet::new();
            for (n, head) in heads.iter().enumerate() {
                let id = format!("{n:04x}{n:012x}");
                let name = fit_file_name(&market, &format!("{head}-{n:04}.jpg"), &id, &|name| names.contains(name)).unwrap();
                prop_assert!(name.len() <= 30 && name.ends_with(&format!("{n:04}.jpg")), "{}", name);
                prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)));
                prop_assert!(names.insert(name));
            }
        }
    }
}
