//! Which file each row of a market's list is about. What cannot be told is told, and never guessed.

use std::collections::BTreeMap;

use super::{BundleFolder, Plan};
use crate::model::{RelPath, Stage, counted};
use crate::records::{About, AnsweredFile, Answers, Dealing, SentFile, VerdictRow, Verdicts};

/// A file that went to a market.
#[derive(Debug, Clone, PartialEq)]
pub struct SentBefore<'a> {
    /// Where its bundle was made.
    pub bundle: &'a RelPath,
    /// The file.
    pub file: &'a SentFile,
    /// What the market answered so far.
    pub dealt: Dealt,
    /// Why it refused the file, in its words; empty if it did not, or gave no reason.
    pub reason: &'a str,
}

/// What a market answered about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dealt {
    /// Nothing.
    InReview,
    /// Whether it took the file.
    Answered(bool),
}

/// Returns whether a file that goes there again from the same bundle is the one that the market answered about: what it
/// accepted it has, and what it refused is another file once its bytes are others, or its row says something else.
pub fn is_answered_again(is_accepted: bool, is_same: bool) -> bool {
    is_accepted || is_same
}

/// What a market's list says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What is new.
    pub answers: Answers,
    /// How many of the new answers take the place of another one.
    pub changed: usize,
    /// How many files are on record as the list says.
    pub known: usize,
    /// What is not recorded: the line, and why.
    pub told: Vec<(u64, String)>,
    /// What is recorded, and of which another file could be meant: the line, and which one it is taken for.
    pub guessed: Vec<(u64, String)>,
}

/// Finds the file that each row of a list is about; `sent` is what went to the market, by name. What is on record as the
/// list says it gives nothing. Answers stand in the order of the list: the brake looks at the last ones.
pub fn judge_verdicts(verdicts: &Verdicts, sent: &BTreeMap<&str, Vec<SentBefore<'_>>>) -> Verdict {
    let mut by_name: BTreeMap<&str, Vec<&VerdictRow>> = BTreeMap::new();
    for row in &verdicts.rows {
        by_name.entry(row.file.as_str()).or_default().push(row);
    }
    let (mut files, mut told) = (Vec::new(), Vec::new());
    let (mut changed, mut known, mut guessed) = (0, 0, Vec::new());
    for (name, rows) in by_name {
        let first = rows[0];
        if let Some(other) = rows.iter().find(|row| row.accepted != first.accepted) {
            let lines = format!(
                "`{name}` is accepted in one line and refused in another (lines {} and {})",
                first.line, other.line
            );
            told.push((first.line, format!("{lines}; correct the list, and import it again")));
            continue;
        }
        match meant(name, &rows, sent) {
            Ok(Meant { files: meant, known: as_said, is_guessed }) => {
                if let Some(sent) = meant.first().filter(|_| is_guessed) {
                    let (of, why) = ("which was refused before for another reason", "what went there last");
                    guessed.push((first.line, format!("`{name}`, {of}, is taken for {why}, in `{}`", sent.bundle)));
                }
                known += as_said;
                changed += meant.iter().filter(|sent| sent.dealt != Dealt::InReview).count();
                files.extend(meant.into_iter().map(|sent| (first.line, answered(sent, first))));
            }
            Err(why) => told.push((first.line, why)),
        }
    }
    told.sort();
    files.sort_by_key(|(line, _)| *line);
    let files = files.into_iter().map(|(_, file)| file).collect();
    guessed.sort();
    Verdict { answers: Answers { market: verdicts.market.clone(), files }, changed, known, told, guessed }
}

/// What rows of one name are about.
struct Meant<'a, 'b> {
    /// The files of which the verdict is news.
    files: Vec<&'b SentBefore<'a>>,
    /// Of how many others it is on record.
    known: usize,
    /// Whether another file could be meant.
    is_guessed: bool,
}

/// Returns what rows of one name are about, all with the same verdict; or why nobody can tell.
fn meant<'a, 'b>(
    name: &str,
    rows: &[&VerdictRow],
    sent: &'b BTreeMap<&str, Vec<SentBefore<'a>>>,
) -> Result<Meant<'a, 'b>, String> {
    let (accepted, reason) = (rows[0].accepted, rows[0].reason.as_str());
    let exact = sent.get(name);
    let by_case = || {
        let mut alike = sent.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, sent)| sent);
        alike.next().filter(|_| alike.next().is_none())
    };
    let Some(files) = exact.or_else(by_case) else {
        return Err(format!(
            "`{name}` is on record in no bundle that went there; if it did, record that with `stockmill sent`"
        ));
    };
    let is_known = |sent: &&SentBefore<'_>| sent.dealt == Dealt::Answered(accepted);
    let open: Vec<_> = files.iter().filter(|sent| sent.dealt == Dealt::InReview).collect();
    let known = files.iter().filter(is_known).count();
    // A list that says again what is on record says nothing of what went there mended.
    let is_said = files.iter().any(|sent| sent.dealt != Dealt::InReview && sent.reason == reason);
    let surely = |files, known| Ok(Meant { files, known, is_guessed: false });
    match (&files[..], &open[..]) {
        // The market may change its mind, or say more.
        ([only], _) => {
            let is_news = !is_known(&only) || !accepted && !reason.is_empty() && only.reason != reason;
            surely([only].into_iter().filter(|_| is_news).collect(), usize::from(!is_news))
        }
        (all, []) if known == all.len() => surely(Vec::new(), known),
        (all, open) if rows.len() >= all.len() => surely(open.to_vec(), known),
        (_, [only]) if known == 0 => surely(vec![only], known),
        ([.., last], [only]) if *only == last && !accepted && !reason.is_empty() && !is_said => {
            Ok(Meant { files: vec![only], known, is_guessed: true })
        }
        (all, open) => Err(untold(name, all, open)),
    }
}

/// Returns why nobody can tell which of the files of a name a row is about, and what to do.
fn untold(name: &str, all: &[SentBefore<'_>], open: &[&SentBefore<'_>]) -> String {
    let mut bundles: Vec<String> = all.iter().map(|sent| format!("`{}`", sent.bundle)).collect();
    bundles.dedup();
    let (bundles, times) = (bundles.join(" and "), counted(all.len(), "time"));
    let mend = match open {
        [_] => {
            "; the market refused one of them before: if this is what it says of the one that went there last, give it \
             a line for each of them"
        }
        _ => "",
    };
    format!(
        "`{name}` went there in {bundles}, {times} in all, and nobody can tell which one is meant: nothing is recorded \
         of it{mend}"
    )
}

fn answered(sent: &SentBefore<'_>, row: &VerdictRow) -> AnsweredFile {
    AnsweredFile {
        file: sent.bundle.join(BundleFolder::FILES).join(&sent.file.name),
        asset: sent.file.asset.clone(),
        hash: sent.file.hash.clone(),
        made: sent.file.made.clone(),
        number: sent.file.number,
        row: sent.file.row.clone(),
        accepted: row.accepted,
        reason: if row.accepted { String::new() } else { row.reason.clone() },
    }
}

/// Plans to record what a market answered; `changed` of the answers take the place of others.
pub fn plan_answers(answers: Answers, changed: usize) -> Plan {
    let accepted = answers.files.iter().filter(|file| file.accepted).count();
    let refused = answers.files.len() - accepted;
    let replaced = if changed == 0 { String::new() } else { format!("; {changed} of them in place of another answer") };
    let did = format!(
        "recorded what {} answered about {}: {accepted} accepted, {refused} refused{replaced}",
        answers.market,
        counted(answers.files.len(), "file")
    );
    Plan::new(About { dealing: Some(Dealing::Answered(answers)), ..About::new(Stage::Upload, did) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AssetId, ContentHash, MarketName};

    /// Judges a list, written as `line name word`, against what was sent, written as `bundle name answer`; `dark` is a refusal for
    /// another reason than `no`.
    fn judged(sent: &[&str], rows: &[&str]) -> (Vec<String>, Vec<String>, (usize, usize)) {
        let words = |text: &&str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let kept: Vec<(RelPath, SentFile, Dealt, &str)> = sent
            .iter()
            .map(|text| {
                let words = words(text);
                let hash = ContentHash::of(words[0].as_bytes());
                let (name, asset) = (words[1].clone(), AssetId::of(&hash));
                let dealt = match words[2].as_str() {
                    "?" => Dealt::InReview,
                    word => Dealt::Answered(word == "yes"),
                };
                let file = SentFile { name, asset, theme: None, hash, made: None, number: None, row: None };
                let reason = match words[2].as_str() {
                    "no" => "noise",
                    "dark" => "dark",
                    _ => "",
                };
                (RelPath::new(format!("upload/2026-11-28/{}", words[0])).unwrap(), file, dealt, reason)
            })
            .collect();
        let mut before: BTreeMap<&str, Vec<SentBefore<'_>>> = BTreeMap::new();
        for (bundle, file, dealt, reason) in &kept {
            before.entry(&file.name).or_default().push(SentBefore { bundle, file, dealt: *dealt, reason });
        }
        let row = |text: &&str| {
            let words = words(text);
            let (line, accepted) = (words[0].parse().unwrap(), words[2] == "yes");
            VerdictRow { line, file: words[1].clone(), accepted, reason: "noise".to_owned() }
        };
        let verdicts = Verdicts { market: MarketName::new("m").unwrap(), rows: rows.iter().map(row).collect() };
        let judged = judge_verdicts(&verdicts, &before);
        let shown = |file: &AnsweredFile| {
            let bundle = file.file.parent().and_then(|files| files.parent()).unwrap();
            format!("{} {} {}{}", bundle.file_text(), file.file.file_text(), file.accepted, file.reason)
        };
        let told = judged.told.into_iter().map(|(line, why)| format!("{line} {why}"));
        let guessed = judged.guessed.into_iter().map(|(line, which)| format!("{line} guessed: {which}"));
        let told = told.chain(guessed).collect();
        (judged.answers.files.iter().map(shown).collect(), told, (judged.changed, judged.known))
    }

    #[test]
    fn each_row_is_about_one_file_or_is_told() {
        // What was sent, the list, what is recorded, and how what is told begins.
        type Row<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str], &'a [&'a str]);
        let rows: [Row<'_>; 20] = [
            (&["m a.jpg ?"], &["2 a.jpg yes"], &["m a.jpg true"], &[]),
            (&["m a.jpg ?"], &["2 a.jpg no"], &["m a.jpg falsenoise"], &[]),
            (&["m a.jpg ?"], &["2 A.JPG no"], &["m a.jpg falsenoise"], &[]),
            (&["m a.jpg no"], &["2 a.jpg no"], &[], &[]),
            (&["m a.jpg dark"], &["2 a.jpg no"], &["m a.jpg falsenoise"], &[]),
            (&["m a.jpg no"], &["2 a.jpg yes"], &["m a.jpg true"], &[]),
            (&["m a.jpg ?", "m b.jpg ?"], &["2 b.jpg no", "3 a.jpg yes"], &["m b.jpg falsenoise", "m a.jpg true"], &[]),
            (&["m a.jpg ?"], &["2 b.jpg no"], &[], &["2 `b.jpg` is on record in no bundle"]),
            (
                &["m a.jpg ?", "m b.jpg ?"],
                &["2 a.jpg yes", "3 b.jpg yes", "4 a.jpg no"],
                &["m b.jpg true"],
                &["2 `a.jpg` is accepted in one line and refused in another (lines 2 and 4)"],
            ),
            (&["m a.jpg ?"], &["2 a.jpg yes", "3 a.jpg yes"], &["m a.jpg true"], &[]),
            // The same name in two bundles: the mended one has no answer yet.
            (&["m a.jpg no", "m-2 a.jpg ?"], &["2 a.jpg yes"], &["m-2 a.jpg true"], &[]),
            (
                &["m a.jpg no", "m-2 a.jpg ?"],
                &["2 a.jpg no"],
                &[],
                &["2 `a.jpg` went there in `upload/2026-11-28/m` and"],
            ),
            (&["m a.jpg no", "m-2 a.jpg ?"], &["2 a.jpg no", "3 a.jpg no"], &["m-2 a.jpg falsenoise"], &[]),
            // What is refused for another reason is what went there last: a list with the same reason may be the same list.
            (
                &["m a.jpg dark", "m-2 a.jpg ?"],
                &["2 a.jpg no"],
                &["m-2 a.jpg falsenoise"],
                &[
                    "2 guessed: `a.jpg`, which was refused before for another reason, is taken for what went there last, in",
                ],
            ),
            // From one bundle, which was opened again and mended.
            (&["m a.jpg dark", "m a.jpg ?"], &["2 a.jpg no"], &["m a.jpg falsenoise"], &["2 guessed: `a.jpg`"]),
            (
                &["m a.jpg no", "m a.jpg ?"],
                &["2 a.jpg no"],
                &[],
                &["2 `a.jpg` went there in `upload/2026-11-28/m`, 2 times in all, and"],
            ),
            (&["m a.jpg ?", "m-2 a.jpg dark"], &["2 a.jpg no"], &[], &["2 `a.jpg` went there in"]),
            (&["m a.jpg ?", "m-2 a.jpg ?"], &["2 a.jpg no"], &[], &["2 `a.jpg` went there in"]),
            (&["m a.jpg no", "m-2 a.jpg no"], &["2 a.jpg no"], &[], &[]),
            (&[], &[], &[], &[]),
        ];
        for (sent, list, recorded, told) in rows {
            let (files, said, _) = judged(sent, list);
            assert_eq!(files, recorded, "{sent:?} {list:?}");
            assert!(
                said.len() == told.len() && said.iter().zip(told).all(|(said, told)| said.starts_with(told)),
                "{sent:?} {list:?}: {said:?}"
            );
        }
    }

    /// A list with nothing new failed with "nothing is recorded", and an answer that another one replaced went unsaid.
    #[test]
    fn what_is_known_and_what_is_replaced_is_counted() {
        // What was sent, the list, how many answers are replaced, and how many files are known.
        type Row<'a> = (&'a [&'a str], &'a [&'a str], (usize, usize));
        let rows: [Row<'_>; 8] = [
            (&["m a.jpg ?"], &["2 a.jpg yes"], (0, 0)),
            (&["m a.jpg no"], &["2 a.jpg yes"], (1, 0)),
            (&["m a.jpg no", "m b.jpg yes"], &["2 a.jpg no", "3 b.jpg yes"], (0, 2)),
            (&["m a.jpg no", "m b.jpg yes"], &["2 a.jpg yes", "3 b.jpg yes", "4 c.jpg yes"], (1, 1)),
            (&["m a.jpg no"], &["2 a.jpg no", "3 a.jpg no"], (0, 1)),
            // One name may be that of two files.
            (&["m a.jpg no", "m-2 a.jpg no"], &["2 a.jpg no"], (0, 2)),
            (&["m a.jpg no", "m-2 a.jpg no"], &["2 a.jpg no", "3 a.jpg no"], (0, 2)),
            (&["m a.jpg no", "m-2 a.jpg ?"], &["2 a.jpg no", "3 a.jpg no"], (0, 1)),
        ];
        for (sent, list, expected) in rows {
            assert_eq!(judged(sent, list).2, expected, "{sent:?} {list:?}");
        }
        let answers = |changed| {
            let answers = Answers { market: MarketName::new("m").unwrap(), files: Vec::new() };
            plan_answers(answers, changed).about.did
        };
        assert_eq!(answers(0), "recorded what m answered about 0 files: 0 accepted, 0 refused");
        assert!(answers(2).ends_with("refused; 2 of them in place of another answer"));
    }
}
