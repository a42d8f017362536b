//! What a person ticked in the list of a bundle, and what not.

use std::collections::BTreeSet;

use super::checklist::DELETE;
use super::checklist_csv::AGAIN;
use super::checklist_steps::SENT;
use super::checklist_ticks::{Listed, lines};
use super::checklist_written::as_written;
use super::manifest::{Existing, rows_of};
use super::selection::{AND, ANEW, CORRECT, UPLOAD, UPLOAD_END};
use crate::market::Market;
use crate::model::{counted, escape_bytes};
use crate::records::{ListRecord, Versions};

/// So many names and ranges of files are told that were not ticked as uploaded.
const NAMED_MAX: usize = 5;

/// Returns what is told of a list whose bundle is sent: which files nobody ticked as uploaded, since they are on record as sent,
/// and how many of its steps nobody ticked, but for the one by which it is sent; nothing if all are. Of what changed after the
/// upload, all are named: the market has something else than the bundle.
pub fn told_open(list: &[u8]) -> String {
    let lines = lines(&String::from_utf8_lossy(&as_written(list, None)));
    let open = lines.iter().filter(|(mark, text)| *mark == Some(false) && !text.contains(SENT));
    let open: Vec<&str> = open.map(|(_, text)| text.as_str()).collect();
    let Some(first) = open.first() else { return String::new() };
    let changed: Vec<&str> = open.iter().copied().filter(|text| is_of_change(text)).collect();
    let never = not_uploaded(open.iter().copied().filter(|text| !is_of_change(text)));
    let named = match () {
        () if !changed.is_empty() => format!("; changed after the upload: {}", changed.join(" ")),
        () if never.is_empty() => format!(", first: {first}"),
        () => String::new(),
    };
    let told = format!("{never}; {} of its CHECKLIST.md not ticked{named}", counted(open.len(), "step"));
    escape_bytes(told.as_bytes())
}

/// Returns which files steps ask to upload; nothing if they ask for none.
fn not_uploaded<'a>(steps: impl Iterator<Item = &'a str>) -> String {
    let asked = steps.filter_map(|step| step.strip_prefix(UPLOAD)?.split_once(UPLOAD_END)?.0.rsplit_once(" ("));
    let (named, counts): (Vec<&str>, Vec<&str>) = asked.unzip();
    let count = counts.iter().filter_map(|count| count.split(' ').next()?.parse::<usize>().ok()).sum();
    let named: Vec<&str> = named.iter().flat_map(|names| names.split(AND)).collect();
    if named.is_empty() {
        return String::new();
    }
    let (shown, more) = (named[..named.len().min(NAMED_MAX)].join(AND), named.len() > NAMED_MAX);
    let more = if more { " and others" } else { "" };
    let files = counted(count, "file");
    format!("; nobody ticked that {files} of it were uploaded, and they count as sent all the same: {shown}{more}")
}

/// Returns whether a step is about what was done at the market before, and is not as it was any more.
fn is_of_change(step: &str) -> bool {
    step.starts_with(DELETE) || [ANEW, CORRECT, AGAIN].iter().any(|words| step.contains(words))
}

/// Returns the files that a person uploaded from a bundle and did not delete at the market, as its list says; none where nobody can
/// tell.
pub fn uploaded(existing: &Existing<'_>) -> BTreeSet<String> {
    let record = existing.record.and_then(|record| ListRecord::parse(record).ok());
    let list = as_written(existing.checklist.unwrap_or_default(), record.as_ref());
    let list = Listed::new(&String::from_utf8_lossy(&list), record.as_ref());
    let done = list.done();
    let to_delete = done.deleted.keys().copied().filter(|name| done.is_to_delete(name));
    done.uploaded.keys().copied().chain(to_delete).map(str::to_owned).collect()
}

/// Returns the files whose rows a person uploaded, as the list says, and have other ones since: what the market was told of
/// these, nobody knows.
pub fn told_otherwise(market: &Market, existing: &Existing<'_>) -> BTreeSet<String> {
    let Some(record) = existing.record.and_then(|record| ListRecord::parse(record).ok()) else {
        return BTreeSet::new();
    };
    let list = as_written(existing.checklist.unwrap_or_default(), Some(&record));
    let list = Listed::new(&String::from_utf8_lossy(&list), Some(&record));
    let parts = existing.manifests.iter().filter_map(|part| rows_of(market, &part.bytes).ok());
    let now: Versions = parts.flatten().collect();
    let (done, none) = (list.done(), String::new());
    let others = done.rows.into_iter().filter(|(name, uploaded)| now.get(*name).unwrap_or(&none) != uploaded);
    others.map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::model::{Identity, Meta};
    use crate::plan::bundle::BundleAsset;
    use crate::plan::delivered::Delivered;
    use crate::plan::{BundleName, Recipe, Written, plan_manifest};

    /// A bundle was recorded as sent, and nobody said what was not done yet.
    #[test]
    fn steps_that_nobody_ticked_are_told() {
        for (list, told) in [
            ("", ""),
            ("# A\n- [x] Upload `a`\n- [ ] Then make an empty file `SENT` here\n- [ ]\n", ""),
            (
                "- [x] Upload `a`\r\n- [ ] Select\r\n  `a`: Photo.\r\n1. [ ] my own\r\n- no step\r\n- [ ] make an empty file `SENT`\r\n",
                "; 2 steps of its CHECKLIST.md not ticked, first: Select `a`: Photo.",
            ),
            (
                "- [ ] Press Publish.\n- [ ] Delete `b` (1 file) in the portal.\n- [x] Select `a` (1 file), whose boxes are to change: Photo.\n\
                 - [ ] Upload `a` (1 file) from `files/`, in place of what was uploaded before they changed.\n",
                "; 3 steps of its CHECKLIST.md not ticked; changed after the upload: Delete `b` (1 file) in the portal. Upload `a` (1 file) \
                 from `files/`, in place of what was uploaded before they changed.",
            ),
            // What is recorded as sent, and was perhaps never uploaded, comes first.
            (
                "- [x] Upload `a` (1 file) from `files/`.\n- [ ] Upload `b-1` to `b-3`, `c` (4 files) from `files/`.\n\
                 - [ ] Upload `m` (1 file) from `files/`, each with its parts, which are named above.\n\
                 - [ ] Upload `m.csv` again, with 1 row.\n- [ ] Press Publish.\n",
                "; nobody ticked that 5 files of it were uploaded, and they count as sent all the same: `b-1` to `b-3`, `c`, `m`; \
                 4 steps of its CHECKLIST.md not ticked; changed after the upload: Upload `m.csv` again, with 1 row.",
            ),
            (
                "- [ ] Upload `a`, `b`, `c`, `d`, `e`, `f` to `h` (8 files) from `files/`.\n",
                "; nobody ticked that 8 files of it were uploaded, and they count as sent all the same: `a`, `b`, `c`, `d`, `e` and \
                 others; 1 step of its CHECKLIST.md not ticked",
            ),
        ] {
            assert_eq!(told_open(list.as_bytes()), told, "{list}");
        }
    }

    /// What a row says now was on record as what the market was told, also where nobody had uploaded it.
    #[test]
    fn of_a_row_that_is_another_one_since_its_upload_nobody_knows_what_the_market_was_told() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let meta = || Meta { title: "Sea".to_owned(), keywords: vec!["sea".to_owned()], ..Meta::default() };
        let assets = ["a.jpg", "b.jpg"].map(|file| BundleAsset::bare(file, meta()));
        let made = plan_manifest(&name, &market, &assets, &[], &Delivered::default(), &Existing::default());
        let made = made.unwrap().unwrap().products;
        let of = |end: &str| {
            let product = made.iter().find(|product| product.to.extension() == end).unwrap();
            let Recipe::Bytes(bytes) = &product.recipe else { panic!("{:?}", product.recipe) };
            String::from_utf8(bytes.clone()).unwrap()
        };
        let (csv, list, record) = (of("csv"), of("md"), of("json"));
        let ticked = list.replace("- [ ] Then upload", "- [x] Then upload");
        let other = csv.replace("b.jpg,Sea", "b.jpg,Lake");
        assert!(list != ticked && csv != other, "{list}\n{csv}");
        for (list, csv, expected) in
            [(&list, &other, vec![]), (&ticked, &csv, vec![]), (&ticked, &other, vec!["b.jpg".to_owned()])]
        {
            let seen = Identity { device: 1, inode: 2, size: 3, modified_ns: 4 };
            let manifests = [Written { path: name.manifest(1), seen, bytes: csv.clone().into_bytes() }];
            let (checklist, record) = (Some(list.as_bytes()), Some(record.as_bytes()));
            let found = told_otherwise(&market, &Existing { manifests: &manifests, checklist, record });
            assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{list}\n{csv}");
        }
    }
}
