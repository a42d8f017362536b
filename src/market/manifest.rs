use std::collections::{BTreeMap, BTreeSet};

use super::checks::{codes, described};
use super::profile::{Charset, Column, FileNameLimit, Market, MarketError, Quoting, Value};
use crate::model::{ContentHash, MarketName, Meta, slugify};

/// What a text of UTF-8 may begin with.
const BOM: &[u8] = b"\xef\xbb\xbf";
/// Few rows have more bytes.
const LINE_BYTES: usize = 1 << 10;

/// One file of a manifest: there may be thousands, so each is borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row<'a> {
    /// The file's name, to the letter.
    pub file_name: &'a str,
    /// Its tags, fitted to the market.
    pub meta: &'a Meta,
    /// Its category, by the market's name or value.
    pub category: Option<&'a str>,
}

/// Returns the name of a part of a market's manifest; the first one is 1.
pub fn manifest_name(market: &MarketName, part: u32) -> String {
    if part == 1 { format!("{market}.csv") } else { format!("{market}-{part}.csv") }
}

/// Returns which part of a market's manifest has a name: a person may keep tables of their own beside them, such as
/// `MARKET-02.csv`.
pub fn manifest_part(market: &MarketName, name: &str) -> Option<u32> {
    let part = name.strip_prefix(market.as_str())?.strip_suffix(".csv")?;
    let part = if part.is_empty() { 1 } else { part.strip_prefix('-')?.parse().ok()? };
    (part > 0 && manifest_name(market, part) == name).then_some(part)
}

/// Returns a manifest: a header and a row for each file, as RFC 4180 has it (CRLF, quotes where needed), in UTF-8. Where
/// the market limits rows or bytes it is in several parts, each a table of its own with whole rows; there is one part at
/// least.
pub fn manifest(market: &Market, rows: &[Row<'_>]) -> Result<Vec<Vec<u8>>, MarketError> {
    let header: Vec<String> = market.csv.columns.iter().map(|column| column.header.clone()).collect();
    let bom = if market.csv.bom { BOM } else { b"" };
    let header = [bom, &line(market, &header)?].concat();
    let mut parts = vec![header.clone()];
    let mut in_part = 0;
    for row in rows {
        let line = line(market, &cells(market, row))?;
        let is_full = |part: &Vec<u8>| part.len() + line.len() > market.csv.bytes_max;
        if in_part == market.csv.rows_max || parts.last().is_some_and(is_full) {
            in_part = 0;
            parts.push(header.clone());
        }
        in_part += 1;
        parts.last_mut().expect("there is one part at least").extend(line);
    }
    // A header alone is a part only if there is no row.
    if parts.len() > 1 && parts[0] == header {
        parts.remove(0);
    }
    Ok(parts)
}

/// Returns why the market takes no row of a file, if it is too long for any manifest.
pub fn row_too_long(market: &Market, row: &Row<'_>) -> Option<String> {
    let bytes = row_bytes(market, row) + header_bytes(market);
    let bytes_max = market.csv.bytes_max;
    (bytes > bytes_max).then(|| {
        format!("its row and the header of the CSV may have {bytes} bytes, and the market takes {bytes_max}; shorten its texts")
    })
}

fn line(market: &Market, cells: &[String]) -> Result<Vec<u8>, MarketError> {
    let wrong = |what: String| MarketError::Manifest { market: market.name.clone(), what };
    let quoting = match market.csv.quoting {
        Quoting::Necessary => csv::QuoteStyle::Necessary,
        Quoting::All => csv::QuoteStyle::Always,
    };
    let mut writer = csv::WriterBuilder::new()
        .quote_style(quoting)
        .delimiter(u8::try_from(market.csv.separator).map_err(|error| wrong(error.to_string()))?)
        .terminator(csv::Terminator::CRLF)
        .buffer_capacity(LINE_BYTES)
        .from_writer(Vec::new());
    writer.write_record(cells).map_err(|error| wrong(error.to_string()))?;
    writer.into_inner().map_err(|error| wrong(error.to_string()))
}

/// Returns the names of the files that have a row in a manifest.
pub fn names_in(market: &Market, manifest: &[u8]) -> BTreeSet<String> {
    rows_in(market, manifest).into_keys().collect()
}

/// Returns the cells of each row of a manifest, by the name of its file.
pub fn rows_in(market: &Market, manifest: &[u8]) -> BTreeMap<String, Vec<String>> {
    let Ok(separator) = u8::try_from(market.csv.separator) else { return BTreeMap::new() };
    let text = manifest.strip_prefix(BOM).unwrap_or(manifest);
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text);
    let name_at = market.csv.columns.iter().position(|column| column.value == Value::FileName);
    let rows = reader.records().filter_map(Result::ok);
    rows.filter_map(|row| Some((row.get(name_at?)?.to_owned(), row.iter().map(str::to_owned).collect()))).collect()
}

/// Returns the names of the files that have a row in a manifest whose market is not known: those in the column that names the
/// most of the files that are there.
pub fn names_like(there: &BTreeSet<String>, manifest: &[u8]) -> BTreeSet<String> {
    let text = manifest.strip_prefix(BOM).unwrap_or(manifest);
    let columns = [b',', b';', b'\t', b'|'].into_iter().flat_map(|separator| {
        let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text);
        let mut columns: Vec<BTreeSet<String>> = Vec::new();
        for row in reader.records().filter_map(Result::ok) {
            columns.resize(columns.len().max(row.len()), BTreeSet::new());
            columns.iter_mut().zip(&row).for_each(|(column, cell)| column.extend([cell.to_owned()]));
        }
        let width = columns.len();
        columns.into_iter().map(move |column| (width, column))
    });
    let best = columns.max_by_key(|(width, column)| (column.intersection(there).count(), *width));
    best.map(|(_, column)| column).filter(|column| !column.is_disjoint(there)).unwrap_or_default()
}

/// Returns a manifest with the header of another one and those of its rows that are wanted, which are asked for by the name
/// of their file and their bytes; nothing if none is.
pub fn with_rows(
    market: &Market,
    manifest: &[u8],
    is_wanted: &mut dyn FnMut(&str, &[u8]) -> bool,
) -> Result<Option<Vec<u8>>, MarketError> {
    let wrong = |what: String| MarketError::Manifest { market: market.name.clone(), what };
    let separator = u8::try_from(market.csv.separator).map_err(|error| wrong(error.to_string()))?;
    let (bom, text) = manifest.split_at(if manifest.starts_with(BOM) { BOM.len() } else { 0 });
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).has_headers(false).from_reader(text);
    let name_at = market.csv.columns.iter().position(|column| column.value == Value::FileName);
    let mut some = bom.to_vec();
    let mut has_rows = false;
    for (number, row) in reader.records().enumerate() {
        let row = row.map_err(|error| wrong(error.to_string()))?;
        let cells: Vec<String> = row.iter().map(str::to_owned).collect();
        let line = line(market, &cells)?;
        let is_row = number > 0;
        if is_row && !name_at.and_then(|at| cells.get(at)).is_some_and(|name| is_wanted(name, &line)) {
            continue;
        }
        has_rows |= is_row;
        some.extend(line);
    }
    Ok(has_rows.then_some(some))
}

/// Returns the row of a file in a manifest, each cell with its header; nothing if it has none.
pub fn row_of(market: &Market, manifest: &[u8], file_name: &str) -> Vec<(String, String)> {
    let Ok(separator) = u8::try_from(market.csv.separator) else { return Vec::new() };
    let text = manifest.strip_prefix(BOM).unwrap_or(manifest);
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
fn row_bytes(market: &Market, row: &Row<'_>) -> usize {
    cells(market, row).iter().map(|cell| most_bytes(cell)).sum::<usize>() + 2
}

/// Returns the most bytes that the header of a manifest takes, with its mark.
fn header_bytes(market: &Market) -> usize {
    market.csv.columns.iter().map(|column| most_bytes(&column.header)).sum::<usize>() + 5
}

/// Returns the bytes of a cell with quotation marks and a separator.
fn most_bytes(cell: &str) -> usize {
    cell.len() + cell.matches('"').count() + 3
}

/// Returns the cells of a row, one for each column of a market's manifest.
pub fn cells(market: &Market, row: &Row<'_>) -> Vec<String> {
    let codes = codes(market, row.category, row.meta);
    let code = |number: usize| codes.get(number).map(ToString::to_string).unwrap_or_default();
    let cell = |column: &Column| match column.value {
        Value::FileName => row.file_name.to_owned(),
        Value::Title => row.meta.title.clone(),
        Value::Description => described(row.meta).to_owned(),
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
pub(super) fn harmless(text: &str) -> &str {
    text.trim_start_matches(['=', '+', '-', '@', '\t', '\r', ' '])
}

fn is_allowed(limit: &FileNameLimit, c: char) -> bool {
    match limit.charset {
        Charset::Portable => c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'),
        Charset::Alphanumeric => c.is_ascii_alphanumeric() || c == '.',
    }
}

fn fits(limit: &FileNameLimit, name: &str) -> bool {
    // A table takes a dash at the start for a formula.
    let is_harmless = harmless(name) == name;
    is_harmless && name.chars().count() <= limit.chars_max && name.chars().all(|c| is_allowed(limit, c))
}

/// Returns what is told of a file that has another name for a market than it would have, if any letter of it differs.
pub fn renamed(market: &Market, wanted: &str, name: &str) -> Option<String> {
    let letters = |name: &str| name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    if letters(wanted) == letters(name) {
        return None;
    }
    let limit = &market.file_name;
    let why = match limit.charset {
        _ if fits(limit, wanted) => format!("another file for this market has, or had, the name `{wanted}`"),
        Charset::Portable => format!("the market takes names of at most {} ASCII characters", limit.chars_max),
        Charset::Alphanumeric => {
            format!("the market takes names of at most {} ASCII letters and digits", limit.chars_max)
        }
    };
    Some(format!("its file is named `{name}`, since {why}"))
}

/// How many names an asset may have for one market: a further one each time that the market refused what it mended.
const NAMES_MAX: u32 = 100;

/// Returns a name that a market takes and that is free: `name` itself where it fits, else its start
/// cut, its number and extension whole. Where that is taken, the start ends in part of the asset's
/// identity, or of what follows from it. `None` if even these are taken.
pub fn fit_file_name(market: &Market, name: &str, id: &str, taken: &dyn Fn(&str) -> bool) -> Option<String> {
    let limit = &market.file_name;
    if fits(limit, name) && !taken(name) {
        return Some(name.to_owned());
    }
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_cut = name.chars().count() + "-0123".len() > limit.chars_max;
    let (words, number) = without_number(stem, is_cut);
    let slug = slugify(&words);
    let dash = if limit.charset == Charset::Portable && !number.is_empty() { "-" } else { "" };
    let tail = format!("{dash}{number}.{extension}");
    let room = limit.chars_max.checked_sub(tail.len())?;
    let plain = format!("{}{tail}", cut_at_word(&slug, room, limit));
    if !taken(&plain) && plain != tail {
        return Some(plain);
    }
    // Where there is hardly room, less of the identity leaves some of the words.
    let least = if room < 2 * 4 { 2 } else { 4 };
    let own = [least, 4, 8, 12].into_iter().filter_map(|length| id.get(..length).map(str::to_owned));
    let further = (2..=NAMES_MAX).map(|n| ContentHash::of(format!("{id} {n}").as_bytes()).to_string());
    let further = further.map(|digits| digits[..room.min(8)].to_owned());
    own.chain(further).filter(|digits| (1..=room).contains(&digits.len())).find_map(|digits| {
        // With room for exactly these digits there is no start.
        let cut = cut_at_word(&slug, room.saturating_sub(digits.len() + 1), limit);
        let dash = if limit.charset == Charset::Portable && !cut.is_empty() { "-" } else { "" };
        let name = format!("{cut}{dash}{digits}{tail}");
        (!taken(&name)).then_some(name)
    })
}

/// Returns what a market has against a file's name, which its rules did not give or gave before they changed.
pub fn wrong_name(market: &Market, name: &str) -> Option<String> {
    let limit = &market.file_name;
    if fits(limit, name) {
        return None;
    }
    let chars = name.chars().count();
    let why = if chars > limit.chars_max {
        format!("has {chars} characters, and the market takes {}", limit.chars_max)
    } else {
        let signs = if limit.charset == Charset::Portable { ", `-`, `_` and `.`" } else { " alone" };
        format!("has other signs than the market takes: ASCII letters, digits{signs}")
    };
    Some(format!("its name {why}; give it and its sidecar another one"))
}

/// Returns a stem without the number that tells it from its siblings, and that: the last word that is a number, wherever
/// it stands, else the digits at its end, which need no care where nothing is cut.
fn without_number(stem: &str, is_cut: bool) -> (String, &str) {
    let is_gap = |c: char| matches!(c, '-' | '_' | ' ' | '.');
    let mut end = stem.len();
    for word in stem.rsplit(is_gap) {
        let at = end - word.len();
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            return (format!("{}{}", &stem[..at], &stem[end..]), word);
        }
        end = at.saturating_sub(1);
    }
    let words = stem.trim_end_matches(|c: char| is_cut && c.is_ascii_digit());
    (words.to_owned(), &stem[words.len()..])
}

/// Returns the start of a slug, cut between words unless that would take more than half of it.
/// Returns the start of words that a dash divides, with the signs alone that a name may have: cut between two words, unless
/// less than half of the room were used.
fn cut_at_word(slug: &str, chars_max: usize, limit: &FileNameLimit) -> String {
    let with = |text: &str| text.chars().filter(|c| is_allowed(limit, *c)).collect::<String>();
    let ends = slug.match_indices('-').map(|(end, _)| end).chain([slug.len()]);
    let words = ends.map(|end| with(&slug[..end])).take_while(|words| words.len() <= chars_max).last();
    let words = words.unwrap_or_default();
    let is_whole = words == with(slug);
    let kept =
        if is_whole || words.len() * 2 >= chars_max { words } else { with(slug).chars().take(chars_max).collect() };
    kept.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
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
        let row = Row { file_name: "a-0001.jpg", meta: &meta, category: Some("Landscapes") };
        let bytes = manifest(&adobe(), std::slice::from_ref(&row)).unwrap().remove(0);
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

    /// It was refused as a whole from there on.
    #[test]
    fn a_manifest_beyond_the_limits_has_several_parts_of_whole_rows() {
        let header = "Filename,Title,Keywords,Category,Releases\r\n";
        let meta = Meta { title: "one, \"two\"\nthree".to_owned(), ..Meta::default() };
        let names: Vec<String> = (0..20).map(|n| format!("a-{n:04}.jpg")).collect();
        let row = |name| Row { file_name: name, meta: &meta, category: None };
        // The limits of rows and of bytes, how many rows there are, and how many each part has.
        let line = "a-0001.jpg,\"one, \"\"two\"\"\nthree\",,,\r\n".len();
        for (rows_max, bytes_max, count, parts) in [
            (5, 1_000_000, 0, vec![0]),
            (5, 1_000_000, 5, vec![5]),
            (5, 1_000_000, 6, vec![5, 1]),
            (5, 1_000_000, 13, vec![5, 5, 3]),
            (5_000, header.len() + 3 * line, 7, vec![3, 3, 1]),
            (5_000, header.len() + 4 * line - 1, 7, vec![3, 3, 1]),
            (2, header.len() + 3 * line, 4, vec![2, 2]),
            // One that no part has room for is refused before.
            (5_000, header.len() + 1, 2, vec![1, 1]),
        ] {
            for bom in [false, true] {
                let mut market = adobe();
                (market.csv.rows_max, market.csv.bytes_max) = (rows_max, bytes_max + if bom { 3 } else { 0 });
                market.csv.bom = bom;
                let rows: Vec<Row<'_>> = names.iter().take(count).map(|name| row(name)).collect();
                let written = manifest(&market, &rows).unwrap();
                let found: Vec<Vec<String>> =
                    written.iter().map(|part| names_in(&market, part).into_iter().collect()).collect();
                let row = format!("{rows_max} rows, {bytes_max} bytes, {count}: {found:?}");
                assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), parts, "{row}");
                assert_eq!(found.concat(), rows.iter().map(|row| row.file_name).collect::<Vec<_>>(), "{row}");
                let head = if bom { format!("\u{feff}{header}") } else { header.to_owned() };
                assert!(
                    written.iter().all(|part| part.starts_with(head.as_bytes()) && part.ends_with(b"\r\n")),
                    "{row}"
                );
            }
        }
    }

    /// What went to a market that the settings no longer name could not be recorded.
    #[test]
    fn a_manifest_of_an_unknown_market_is_read_by_the_files_that_are_there() {
        let there = ["a.jpg", "b.jpg"].map(str::to_owned).into();
        let rows = [
            ("Filename,Title\r\na.jpg,One\r\nb.jpg,\"Two, too\"\r\nc.jpg,Three\r\n", "a.jpg b.jpg c.jpg"),
            ("\u{feff}Title;Name;By\nOne;a.jpg;x,y\nb.jpg;c.jpg;z\n\n", "a.jpg c.jpg"),
            ("a\tb\nb.jpg\ta.jpg\nx.jpg\tb.jpg\n", "a.jpg b.jpg"),
            ("name|title\nb.jpg|one\n", "b.jpg"),
            // A row that is broken hides no other.
            ("name,title\nb.jpg\nc.jpg,\"x\n", "b.jpg c.jpg"),
            ("name,title\nc.jpg,one\n", ""),
            ("a.jpg,b.jpg\n", ""),
            ("", ""),
        ];
        for (text, expected) in rows {
            let names: Vec<String> = names_like(&there, text.as_bytes()).into_iter().collect();
            assert_eq!(names.join(" "), expected, "{text}");
        }
        // It reads what stockmill writes as the profile does.
        for market in built_in().unwrap() {
            let meta = Meta { title: "a.jpg, b; c".to_owned(), ..Meta::default() };
            let row = |name| Row { file_name: name, meta: &meta, category: None };
            let written = manifest(&market, &[row("a.jpg"), row("c.jpg")]).unwrap().concat();
            assert_eq!(names_like(&there, &written), names_in(&market, &written), "{}", market.name);
        }
    }

    #[test]
    fn a_row_that_no_manifest_has_room_for_is_told() {
        let mut market = adobe();
        market.csv.bytes_max = 500;
        let refused = |chars: usize| {
            let meta = Meta { title: "x".repeat(chars), ..Meta::default() };
            row_too_long(&market, &Row { file_name: "a.jpg", meta: &meta, category: None })
        };
        assert_eq!(refused(300), None);
        let told = refused(500).unwrap();
        assert!(told.ends_with("bytes, and the market takes 500; shorten its texts"), "{told}");
    }

    /// Tables of a person's own were read, and would have been delivered.
    #[test]
    fn a_manifest_has_parts_by_their_names() {
        let market = MarketName::recorded("adobe-stock");
        for (file, part) in [
            ("adobe-stock.csv", Some(1)),
            ("adobe-stock-2.csv", Some(2)),
            ("adobe-stock-12.csv", Some(12)),
            ("adobe-stock-0.csv", None),
            ("adobe-stock-1.csv", None),
            ("adobe-stock-02.csv", None),
            ("adobe-stock--2.csv", None),
            ("adobe-stock-+3.csv", None),
            ("adobe-stock-.csv", None),
            ("adobe-stock (2).csv", None),
            ("dreamstime.csv", None),
            ("CHECKLIST.md", None),
        ] {
            assert_eq!(manifest_part(&market, file), part, "{file}");
            assert!(part.is_none_or(|part| manifest_name(&market, part) == file));
        }
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
        assert_eq!(fit_file_name(&adobe(), "-a.jpg", id, &none).unwrap(), "a.jpg");
        assert_eq!(fit_file_name(&adobe(), "--0001.jpg", id, &none).unwrap(), "0123-0001.jpg");
        // A name that fits and is taken, one without a number, and one of which nothing is left.
        let is = |wanted: &'static str| move |name: &str| name == wanted;
        assert_eq!(fit_file_name(&adobe(), "winter.jpg", id, &is("winter.jpg")).unwrap(), "winter-0123.jpg");
        assert_eq!(fit_file_name(&adobe(), "(!).jpg", id, &none).unwrap(), "0123.jpg");
        assert_eq!(fit_file_name(&adobe(), "winter cabins.jpg", id, &none).unwrap(), "winter-cabins.jpg");
        // More of the identity, as far as it takes, and then nothing.
        let shorter = |name: &str| name == "winter.jpg" || name == "winter-0123.jpg";
        assert_eq!(fit_file_name(&adobe(), "winter.jpg", id, &shorter).unwrap(), "winter-01234567.jpg");
        assert_eq!(fit_file_name(&adobe(), "winter.jpg", id, &|_| true), None);
        // However often a market refused what was mended, it is another name.
        for chars_max in [7, 8, 12, 30] {
            let market = Market { file_name: FileNameLimit { chars_max, charset: Charset::Portable }, ..adobe() };
            let mut names = BTreeSet::new();
            for times in 0..40 {
                let name = fit_file_name(&market, "winter.jpg", id, &|name| names.contains(name));
                let name = name.unwrap_or_else(|| panic!("{chars_max} {times}"));
                assert!(name.len() <= chars_max && name.ends_with(".jpg") && names.insert(name), "{chars_max} {times}");
            }
        }
        let number = format!("a-{}.jpg", "1".repeat(30));
        assert_eq!(fit_file_name(&adobe(), &number, id, &none), None);
        let mut strict = adobe();
        strict.file_name = FileNameLimit { chars_max: 13, charset: Charset::Alphanumeric };
        assert_eq!(fit_file_name(&strict, "winter-cabins-0001.jpg", id, &none).unwrap(), "winte0001.jpg");
        // Signs that the market does not take divide words as well.
        let limit = FileNameLimit { chars_max: 16, charset: Charset::Alphanumeric };
        let wide = Market { file_name: limit, ..adobe() };
        assert_eq!(fit_file_name(&wide, "winter-cabins-in-the-snow-0001.jpg", id, &none).unwrap(), "winter0001.jpg");
        let exact = FileNameLimit { chars_max: 8, charset: Charset::Portable };
        let tight = Market { file_name: exact, ..adobe() };
        assert_eq!(fit_file_name(&tight, "winter.jpg", id, &is("wint.jpg")).unwrap(), "w-01.jpg");
        assert_eq!(fit_file_name(&strict, "winter-cabins-0001.jpg", id, &is("winte0001.jpg")).unwrap(), "wi010001.jpg");
    }

    /// The number was cut off where a rule did not put it behind a dash, and the identity stood for all words.
    #[test]
    fn the_number_stays_however_short_a_name_is() {
        let short = FileNameLimit { chars_max: 16, charset: Charset::Portable };
        let market = Market { file_name: short, ..adobe() };
        let id = "0123456789abcdef";
        // The name that it would have, the one that it gets, and that where this one is taken.
        let rows = [
            ("winter-cabins-0001.jpg", "winter-0001.jpg", "wint-01-0001.jpg"),
            ("Winter-Cabins_000012.jpg", "winte-000012.jpg", "wi-01-000012.jpg"),
            ("0012-winter-cabins.jpg", "winter-0012.jpg", "wint-01-0012.jpg"),
            ("winter-0012-2048x2048.jpg", "winter-0012.jpg", "wint-01-0012.jpg"),
            ("wintercabins0012.jpg", "winterc-0012.jpg", "wint-01-0012.jpg"),
            ("old sea 2026-11-27 12.jpg", "old-sea-12.jpg", "old-0123-12.jpg"),
            ("supercalifragil-000012.jpg", "super-000012.jpg", "su-01-000012.jpg"),
            ("winter-cabins-by-the-lake.jpg", "winter.jpg", "winter-0123.jpg"),
        ];
        for (wanted, first, second) in rows {
            assert_eq!(fit_file_name(&market, wanted, id, &|_| false).as_deref(), Some(first), "{wanted}");
            assert_eq!(fit_file_name(&market, wanted, id, &|name| name == first).as_deref(), Some(second), "{wanted}");
        }
    }

    #[test]
    fn another_name_is_told_with_its_reason() {
        let mut strict = adobe();
        strict.file_name.charset = Charset::Alphanumeric;
        for (market, wanted, name, told) in [
            (&adobe(), "a-0001.jpg", "a-0001.jpg", None),
            (&strict, "a-0001.jpg", "a0001.jpg", None),
            (
                &adobe(),
                "a-0001.jpg",
                "a-0123-0001.jpg",
                Some("another file for this market has, or had, the name `a-0001.jpg`"),
            ),
            (
                &adobe(),
                "日本-0001.jpg",
                "ri-ben-0001.jpg",
                Some("the market takes names of at most 30 ASCII characters"),
            ),
            (&strict, "é-0001.jpg", "e0001.jpg", Some("the market takes names of at most 30 ASCII letters and digits")),
        ] {
            let expected = told.map(|why| format!("its file is named `{name}`, since {why}"));
            assert_eq!(renamed(market, wanted, name), expected);
        }
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
