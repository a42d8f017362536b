//! Three-way merge of a record that was changed in several files at once.

use serde_yaml::{Mapping, Value};

/// The outcome of a merge.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The record that all files have from now on.
    pub value: Mapping,
    /// Values that were changed differently in two files.
    pub conflicts: Vec<Conflict>,
}

/// A value that was changed differently in two files; the later one is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Which value.
    pub key: String,
    /// The side whose value is kept.
    pub kept_from: String,
    /// The side whose value is not.
    pub lost_from: String,
}

/// Merges the sides, oldest first, against their last common state. A value that one side changed is
/// taken; lists and inner mappings are merged by element; of two different changes the later is kept.
pub fn merge(base: Option<&Mapping>, sides: &[(String, Mapping)]) -> Merged {
    let empty = Mapping::new();
    let base = base.unwrap_or(&empty);
    let mut merged = Merged { value: base.clone(), conflicts: Vec::new() };
    let mut last_change: Vec<(Value, String)> = Vec::new();
    for (name, side) in sides {
        let removed = base.keys().filter(|key| !side.contains_key(key)).cloned();
        let present = side.iter().map(|(key, value)| (key.clone(), Some(value.clone())));
        let changes: Vec<(Value, Option<Value>)> = present.chain(removed.map(|key| (key, None))).collect();
        for (key, value) in changes {
            let before = base.get(&key);
            if value.as_ref() == before || value.as_ref() == merged.value.get(&key) {
                continue;
            }
            let current = merged.value.get(&key).cloned();
            let combined = match (&value, &current) {
                (Some(Value::Sequence(mine)), Some(Value::Sequence(theirs))) => {
                    let before = before.and_then(Value::as_sequence).map_or(&[][..], Vec::as_slice);
                    Some(Value::Sequence(merge_lists(before, theirs, mine)))
                }
                (Some(Value::Mapping(mine)), Some(Value::Mapping(theirs))) => {
                    let sides = [("one".to_owned(), theirs.clone()), (name.clone(), mine.clone())];
                    Some(Value::Mapping(merge(before.and_then(Value::as_mapping), &sides).value))
                }
                _ => {
                    if let Some((_, other)) = last_change.iter().find(|(changed, _)| *changed == key) {
                        let (kept_from, lost_from) = (name.clone(), other.clone());
                        merged.conflicts.push(Conflict { key: shown(&key), kept_from, lost_from });
                    }
                    value
                }
            };
            match combined {
                Some(value) => merged.value.insert(key.clone(), value),
                None => merged.value.remove(&key),
            };
            last_change.retain(|(changed, _)| *changed != key);
            last_change.push((key, name.clone()));
        }
    }
    merged
}

/// Merges two lists: what either side added is in, what either side took away is out, the order is mine.
fn merge_lists(base: &[Value], theirs: &[Value], mine: &[Value]) -> Vec<Value> {
    let taken_away = |value: &Value| base.contains(value) && !(theirs.contains(value) && mine.contains(value));
    let mut list: Vec<Value> = mine.iter().filter(|value| !taken_away(value)).cloned().collect();
    for value in theirs {
        if !taken_away(value) && !list.contains(value) {
            list.push(value.clone());
        }
    }
    list
}

fn shown(key: &Value) -> String {
    key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn map(text: &str) -> Mapping {
        serde_yaml::from_str(text).unwrap()
    }

    fn sides(texts: &[&str]) -> Vec<(String, Mapping)> {
        texts.iter().enumerate().map(|(n, text)| (format!("side {n}"), map(text))).collect()
    }

    #[test]
    fn scenarios() {
        let base = "{title: A, keywords: [a, b], category: {adobe-stock: 1}}";
        let cases: [(&[&str], &str, usize); 5] = [
            (
                &["{title: A, keywords: [a, b, c], category: {adobe-stock: 1}}"],
                "{title: A, keywords: [a, b, c], category: {adobe-stock: 1}}",
                0,
            ),
            (
                &[
                    "{title: B, keywords: [a, b], category: {adobe-stock: 1}}",
                    "{title: A, keywords: [x, a, b], category: {adobe-stock: 1}}",
                ],
                "{title: B, keywords: [x, a, b], category: {adobe-stock: 1}}",
                0,
            ),
            (
                &[
                    "{title: A, keywords: [b], category: {adobe-stock: 1, other: 3}}",
                    "{title: A, keywords: [a, b, c], category: {adobe-stock: 2}}",
                ],
                "{title: A, keywords: [b, c], category: {adobe-stock: 2, other: 3}}",
                0,
            ),
            (
                &[
                    "{title: B, keywords: [a, b], category: {adobe-stock: 1}}",
                    "{title: C, keywords: [a, b], category: {adobe-stock: 1}}",
                ],
                "{title: C, keywords: [a, b], category: {adobe-stock: 1}}",
                1,
            ),
            (
                &["{keywords: [a, b], category: {adobe-stock: 1}}", base],
                "{keywords: [a, b], category: {adobe-stock: 1}}",
                0,
            ),
        ];
        for (texts, expected, conflicts) in cases {
            let merged = merge(Some(&map(base)), &sides(texts));
            assert_eq!(merged.value, map(expected), "{texts:?}");
            assert_eq!(merged.conflicts.len(), conflicts, "{texts:?}");
        }
    }

    proptest! {
        #[test]
        fn no_added_word_is_lost(base in proptest::collection::btree_set("[a-d]", 0..4),
            one in proptest::collection::btree_set("[a-h]", 0..8), two in proptest::collection::btree_set("[a-h]", 0..8))
        {
            let list = |words: &std::collections::BTreeSet<String>| {
                let mut mapping = Mapping::new();
                mapping.insert("keywords".into(), Value::Sequence(words.iter().map(|w| w.as_str().into()).collect()));
                mapping
            };
            let merged = merge(Some(&list(&base)), &[("1".to_owned(), list(&one)), ("2".to_owned(), list(&two))]);
            let words: Vec<String> = merged.value["keywords"].as_sequence().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect();
            for word in one.union(&two) {
                let expected = !base.contains(word) || (one.contains(word) && two.contains(word));
                prop_assert_eq!(words.contains(word), expected, "{}", word);
            }
            prop_assert_eq!(&merge(Some(&list(&base)), &[("1".to_owned(), list(&one))]).value, &list(&one));
        }
    }
}
