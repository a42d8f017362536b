use std::collections::HashMap;

use super::{Intent, Record};

/// The plans of a journal by what became of them, each once.
#[derive(Debug, Default, PartialEq)]
pub struct Plans<'a> {
    /// Those that were carried out, in the order in which they were done: recovery finishes some after younger ones.
    pub done: Vec<&'a Intent>,
    /// Those that are neither done nor given up, in the order in which they were begun.
    pub open: Vec<&'a Intent>,
    /// Where in the journal each plan that was carried out was begun, in the order of `done`.
    begun_at: Vec<usize>,
}

impl<'a> Plans<'a> {
    /// Returns the plans of a journal. One whose neighbours were refused has told its intent twice: the later counts.
    pub fn of(records: &'a [Record]) -> Self {
        let mut open: HashMap<u64, (usize, &Intent)> = HashMap::new();
        let mut plans = Self::default();
        for (at, record) in records.iter().enumerate() {
            match record {
                Record::Intent(intent) => drop(open.insert(intent.plan, (at, intent))),
                Record::Done { plan } => {
                    if let Some((begun_at, intent)) = open.remove(plan) {
                        plans.done.push(intent);
                        plans.begun_at.push(begun_at);
                    }
                }
                Record::Undone { plan, .. } => drop(open.remove(plan)),
            }
        }
        plans.open = in_order(open.into_values());
        plans
    }

    /// Returns the plans that were carried out, in the order in which they were begun.
    pub fn done_as_begun(&self) -> Vec<&'a Intent> {
        in_order(self.begun_at.iter().copied().zip(self.done.iter().copied()))
    }
}

fn in_order<'a>(intents: impl Iterator<Item = (usize, &'a Intent)>) -> Vec<&'a Intent> {
    let mut intents: Vec<_> = intents.collect();
    intents.sort_unstable_by_key(|(at, _)| *at);
    intents.into_iter().map(|(_, intent)| intent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stage;
    use crate::records::About;

    /// Returns the records of a journal in short: `1` begins a plan, `1+` ends it, `1-` gives it up.
    fn journal(text: &str) -> Vec<Record> {
        let record = |word: &str| {
            let plan = word.trim_end_matches(['+', '-']).parse().unwrap();
            match word.chars().last() {
                Some('+') => Record::Done { plan },
                Some('-') => Record::Undone { plan, why: String::new() },
                _ => Record::Intent(Intent {
                    plan,
                    at: jiff::Timestamp::UNIX_EPOCH,
                    claims: false,
                    about: About::new(Stage::Raw, ""),
                    publish: Vec::new(),
                    moves: Vec::new(),
                    removes: Vec::new(),
                }),
            }
        };
        text.split_whitespace().map(record).collect()
    }

    #[test]
    fn each_plan_is_done_open_or_given_up() {
        let cases: [(&str, &[u64], &[u64], &[u64]); 6] = [
            ("", &[], &[], &[]),
            ("1 2 3 1+ 3- 2+", &[1, 2], &[1, 2], &[]),
            ("3 1 2", &[], &[], &[3, 1, 2]),
            // Recovery finished the first one late.
            ("1 2 2+ 3 1+ 3+", &[2, 1, 3], &[1, 2, 3], &[]),
            // Told twice.
            ("1 2 1- 3 2 2+", &[2], &[2], &[3]),
            ("7+ 8-", &[], &[], &[]),
        ];
        for (text, done, begun, open) in cases {
            let records = journal(text);
            let plans = Plans::of(&records);
            let numbers = |intents: &[&Intent]| intents.iter().map(|intent| intent.plan).collect::<Vec<_>>();
            assert_eq!(numbers(&plans.done), done, "{text}");
            assert_eq!(numbers(&plans.done_as_begun()), begun, "{text}");
            assert_eq!(numbers(&plans.open), open, "{text}");
        }
    }
}
