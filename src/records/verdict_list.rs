//! A market's list of files that it took or refused, as text: a table in any encoding, with any usual separator.

use super::note::decode;

/// So many headers are named of a list whose columns are not those that are looked for.
const HEADERS_MAX: usize = 20;

/// The columns that are read; `reason` may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListColumns {
    /// That of the file's name.
    pub file: String,
    /// That of the verdict.
    pub verdict: String,
    /// That of the reason.
    pub reason: Option<String>,
}

/// One row of a list, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    /// Its line.
    pub line: u64,
    /// The file's name.
    pub file: String,
    /// The verdict, in the market's word.
    pub verdict: String,
    /// The reason; empty if there is none.
    pub reason: String,
}

/// Why a list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnreadList {
    /// It is no table.
    Text(String),
    /// A column that is looked for is not there, or nobody said which one it is.
    Columns {
        /// Those that are named and not there.
        lacking: Vec<String>,
        /// Those that are there.
        found: Vec<String>,
    },
}

/// Reads a list: its rows, and what is to be told of how it was read.
pub fn read_verdict_list(bytes: &[u8], columns: &ListColumns) -> Result<(Vec<ListRow>, Option<String>), UnreadList> {
    let decoded = decode(bytes).map_err(|why| UnreadList::Text(why.replace("the note", "the list")))?;
    let told = decoded.told.map(|(line, what)| format!("line {line}: {}", what.replace("the note", "the list")));
    let text = decoded.text.trim_start_matches('\u{feff}');
    let mut headers: Vec<String> = Vec::new();
    for separator in [b',', b';', b'\t'] {
        let mut reader = reader(text, separator);
        let found = reader.headers().map_err(|error| UnreadList::Text(error.to_string()))?.clone();
        let place = |name: &str| found.iter().position(|header| is_same(header, name));
        let wanted = [Some(&columns.file), Some(&columns.verdict), columns.reason.as_ref()];
        let is_twice = |name: &&String| found.iter().filter(|header| is_same(header, name)).count() > 1;
        if let Some(name) = wanted.into_iter().flatten().find(is_twice) {
            return Err(UnreadList::Text(format!("it has several columns `{name}`: leave one, or name another")));
        }
        if let (Some(file), Some(verdict)) = (place(&columns.file), place(&columns.verdict)) {
            let reason = match &columns.reason {
                Some(name) => Some(place(name).ok_or_else(|| missing(&[name.as_str()], found.iter()))?),
                None => None,
            };
            if let Some(line) = broken_quotes(text, separator) {
                return Err(UnreadList::Text(format!(
                    "line {line}: a cell begins there with a quotation mark that nothing closes, or that is closed before \
                     the cell ends; correct that line: nothing of the list is recorded"
                )));
            }
            let rows =
                rows(text, reader, found.len(), [Some(file), Some(verdict), reason]).map_err(UnreadList::Text)?;
            return Ok((rows, told));
        }
        if found.len() > headers.len() {
            headers = found.iter().map(str::to_owned).collect();
        }
    }
    let lacks = |name: &&str| !headers.iter().any(|header| is_same(header, name));
    let named = [columns.file.as_str(), &columns.verdict].into_iter().filter(|name| !name.is_empty());
    let lacking: Vec<&str> = named.filter(lacks).collect();
    Err(missing(&lacking, headers.iter().map(String::as_str)))
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes())
}

/// Returns the line of the first cell whose quotation marks do not fit (RFC 4180, 2): the reader would take further rows for
/// a part of it.
fn broken_quotes(text: &str, separator: u8) -> Option<u64> {
    enum Cell {
        Begins,
        Plain,
        Quoted,
        /// Behind a mark that closes it, if no other follows.
        Marked,
        Closed,
    }
    let (mut cell, mut line, mut begin) = (Cell::Begins, 1, 1);
    for byte in text.bytes() {
        cell = match (cell, byte) {
            (Cell::Begins, b'"') => {
                begin = line;
                Cell::Quoted
            }
            (Cell::Quoted, b'"') => Cell::Marked,
            (Cell::Marked, b'"') | (Cell::Quoted, _) => Cell::Quoted,
            (_, b'\r' | b'\n') => Cell::Begins,
            (_, byte) if byte == separator => Cell::Begins,
            (Cell::Marked | Cell::Closed, b' ') => Cell::Closed,
            (Cell::Marked | Cell::Closed, _) => return Some(begin),
            (Cell::Begins | Cell::Plain, _) => Cell::Plain,
        };
        line += u64::from(byte == b'\n');
    }
    matches!(cell, Cell::Quoted).then_some(begin)
}

/// Reads the rows below a header of so many cells. Where a row has more, a text was divided, and what is in which cell nobody
/// can tell.
fn rows(
    text: &str,
    mut reader: csv::Reader<&[u8]>,
    headers: usize,
    places: [Option<usize>; 3],
) -> Result<Vec<ListRow>, String> {
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let cell = |place: Option<usize>| place.and_then(|at| record.get(at)).unwrap_or_default().trim().to_owned();
        // The reader counts empty lines to the row behind them.
        let line = record.position().map_or(0, |at| {
            let from = usize::try_from(at.byte()).ok().and_then(|byte| text.as_bytes().get(byte..)).unwrap_or_default();
            at.line() + from.iter().take_while(|byte| **byte == b'\n').count() as u64
        });
        if record.iter().skip(headers).any(|cell| !cell.trim().is_empty()) {
            return Err(format!(
                "line {line}: it has more cells than the header: a text with the sign that divides cells stands there without \
                 quotation marks; correct that line: nothing of the list is recorded"
            ));
        }
        let [file, verdict, reason] = places.map(cell);
        // Some lists end in rows of nothing.
        if !(file.is_empty() && verdict.is_empty()) {
            rows.push(ListRow { line, file, verdict, reason });
        }
    }
    Ok(rows)
}

fn is_same(header: &str, name: &str) -> bool {
    !name.is_empty() && header.trim().to_lowercase() == name.trim().to_lowercase()
}

fn missing<'a>(lacking: &[&str], found: impl Iterator<Item = &'a str>) -> UnreadList {
    let found = found.map(str::trim).filter(|name| !name.is_empty()).take(HEADERS_MAX).map(str::to_owned);
    UnreadList::Columns { lacking: lacking.iter().map(|name| (*name).to_owned()).collect(), found: found.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], reason: Option<&str>) -> Result<Vec<String>, UnreadList> {
        let [file, verdict] = ["Filename", "Status"].map(str::to_owned);
        let columns = ListColumns { file, verdict, reason: reason.map(str::to_owned) };
        let (rows, _) = read_verdict_list(bytes, &columns)?;
        Ok(rows.iter().map(|row| format!("{} {}|{}|{}", row.line, row.file, row.verdict, row.reason)).collect())
    }

    #[test]
    fn lists_are_read_in_every_form() {
        let plain = "Filename,Status,Reason\na.jpg,Approved,\nb.jpg,Rejected,\"noise, and\nmore\"\n\nc.jpg,Pending,très bruité et flou\n";
        let expected =
            ["2 a.jpg|Approved|", "3 b.jpg|Rejected|noise, and\nmore", "6 c.jpg|Pending|très bruité et flou"];
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(plain.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let latin: Vec<u8> = plain.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let tabs = plain.replace(',', "\t").replace("noise\t", "noise,");
        let semicolons = plain.replace(',', ";").replace("noise;", "noise,");
        let forms = [
            plain.as_bytes().to_vec(),
            format!("\u{feff}{plain}").into_bytes(),
            plain.replace('\n', "\r\n").into_bytes(),
            tabs.into_bytes(),
            semicolons.into_bytes(),
            utf16,
            latin,
            plain.replace("Filename,Status", "FILENAME, status ").into_bytes(),
        ];
        for form in forms {
            assert_eq!(read(&form, Some("Reason")).unwrap(), expected, "{}", String::from_utf8_lossy(&form));
        }
    }

    #[test]
    fn columns_that_cannot_be_told_are_refused_with_what_is_there() {
        // The list, the column of the reason, what is missing, and what is there.
        let rows: [(&str, Option<&str>, &[&str], &[&str]); 4] = [
            ("Name;State\na;b\n", None, &["Filename", "Status"], &["Name", "State"]),
            ("Filename,State\na,b\n", None, &["Status"], &["Filename", "State"]),
            ("Filename,Status\na,b\n", Some("Why"), &["Why"], &["Filename", "Status"]),
            ("", None, &["Filename", "Status"], &[]),
        ];
        for (text, reason, lacking, found) in rows {
            let [lacking, found] = [lacking, found].map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(read(text.as_bytes(), reason), Err(UnreadList::Columns { lacking, found }), "{text:?}");
        }
        // Nobody said which they are.
        let unknown = read_verdict_list(b"Name\tState of it\n", &ListColumns::default());
        let found = ["Name", "State of it"].map(str::to_owned).to_vec();
        assert_eq!(unknown, Err(UnreadList::Columns { lacking: Vec::new(), found }));
        assert_eq!(read(b"Filename,Status\nshort\n,\n", None).unwrap(), ["2 short||"]);
        let Err(UnreadList::Text(why)) = read(b"{\\rtf1 Filename}", None) else { panic!("it is no table") };
        assert!(why.starts_with("the list is rich text"), "{why}");
        // An open quotation mark took the rows below it for a part of its cell; of what it said, the rest was recorded.
        let quotes: [(&str, Option<u64>); 9] = [
            ("Filename,Status\na,\"b\nc,d\n", Some(2)),
            ("Filename,Status\r\na,b\r\nc,\"d\r\n", Some(3)),
            ("Filename,Status\na,\"b\nc,\"d\"\n", Some(2)),
            ("Filename,Status\na,\"b\"c\n", Some(2)),
            ("Filename;Status\na;\"b, c\"; \n", None),
            ("Filename,Status\na,\"say \"\"b\"\"\"\n", None),
            ("Filename,Status\na,12\" b\n", None),
            ("\"Filename\" ,\"Status\"\na,b\n", None),
            ("Filename,Status\na,\"b\nb\"", None),
        ];
        for (text, line) in quotes {
            let why = match read(text.as_bytes(), None) {
                Err(UnreadList::Text(why)) => Some(why),
                read => read.map(|_| None).unwrap(),
            };
            assert_eq!(why.is_some(), line.is_some(), "{text:?}: {why:?}");
            let begin = line.map(|line| format!("line {line}: a cell begins there"));
            assert!(why.zip(begin).is_none_or(|(why, begin)| why.starts_with(&begin)), "{text:?}");
        }
        // Half of a reason was recorded; some tools end each row in a divider.
        let Err(UnreadList::Text(why)) = read(b"Filename,Status\na,b,\nc,d,e\n", None) else { panic!("half of it?") };
        assert!(why.starts_with("line 3: it has more cells than the header"), "{why}");
        assert_eq!(read(b"Filename,Status\na,b, ,\n", None).unwrap(), ["2 a|b|"]);
        // The first of two counted, whatever the other one said.
        let Err(UnreadList::Text(why)) = read(b"Filename,Status,status\na,b,c\n", None) else { panic!("which one?") };
        assert_eq!(why, "it has several columns `Status`: leave one, or name another");
    }
}
