use proptest::prelude::*;

use super::*;
use crate::model::Kind;
use crate::records::{
    AnsweredFile, Answers, Dealing, FileRecord, Got, Happened, Intent, Origin, Record, RowDigest, Sending, SentFile,
    Sidecar,
};

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn hash(text: &str) -> ContentHash {
    ContentHash::of(text.as_bytes())
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

/// Returns a step of an asset, from one path to another, with what it published.
fn step(id: &AssetId, from: &str, was: &str, to: &str, made: &[(&str, &str)]) -> Intent {
    let publish = made.iter().map(|(to, text)| published(to, text, None)).collect();
    let about = About {
        asset: Some(id.clone()),
        seq: Some(1),
        from: Some(path(from)),
        hash: Some(hash(was)),
        to: Some(path(to)),
        ..About::new(path(from).area().to_str().unwrap().parse().unwrap(), "moved")
    };
    Intent { plan: 0, at: time(0), claims: false, about, publish, moves: Vec::new(), removes: Vec::new() }
}

fn published(to: &str, text: &str, was: Option<&str>) -> Publish {
    let mode = was.map_or(PublishMode::New, |was| PublishMode::Replace { was: Some(hash(was)) });
    Publish { scratch: path(".stockmill/scratch/0-0"), to: path(to), hash: hash(text), mode }
}

/// Returns a new stamp of tags on a bundled file, as journals told it that did not say of which asset.
fn stamp(file: &str, record: &str, was: &str, now: &str) -> Intent {
    let mut intent = step(&AssetId::of(&hash("nobody")), file, was, file, &[]);
    (intent.about.asset, intent.about.seq, intent.about.hash) = (None, None, None);
    intent.publish = vec![published(file, now, Some(was)), published(record, "record", Some("older record"))];
    intent
}

fn bundled(id: &AssetId, from: &str, was: &str, market: &str, made: &str) -> Intent {
    let file = format!("upload/2026-11-28/{market}/files/a.jpg");
    let record = format!("upload/2026-11-28/{market}/sidecars/a.jpg.yaml");
    let mut intent = step(id, from, was, &file, &[(&file, made), (&record, "record")]);
    intent.about.markets = vec![MarketName::recorded(market)];
    intent
}

/// Returns the journal of steps that were carried out one after the other.
fn journal(steps: impl IntoIterator<Item = Intent>) -> Vec<Record> {
    let numbered = (1..).zip(steps).flat_map(|(plan, mut intent)| {
        (intent.plan, intent.at) = (plan, time(i64::try_from(plan).unwrap()));
        [Record::Intent(intent), Record::Done { plan }]
    });
    numbered.collect()
}

fn rebuilt(records: &[Record]) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.remember_records(records);
    ledger
}

fn id() -> AssetId {
    AssetId::of(&hash("dropped"))
}

/// The way of one asset into a bundle, where it got new tags.
fn the_way() -> [Intent; 5] {
    let id = id();
    let record = "upload/2026-11-28/m/sidecars/a.jpg.yaml";
    [
        step(&id, "raw/t/x.png", "dropped", "keep/t/t-0001.png", &[("keep/t/t-0001.png.yaml", "record")]),
        step(
            &id,
            "keep/t/t-0001.png",
            "dropped",
            "export/t/t-0001.png",
            &[
                ("export/t/t-0001.png", "enlarged"),
                ("export/t/t-0001.png.yaml", "r"),
                ("export/t/t-0001.txt", "prompt"),
            ],
        ),
        step(
            &id,
            "export/t/t-0001.png",
            "enlarged",
            "upload/t/t-0001.jpg",
            &[("upload/t/t-0001.jpg", "exported"), ("upload/t/t-0001.jpg.yaml", "r")],
        ),
        bundled(&id, "upload/t/t-0001.jpg", "exported", "m", "embedded"),
        stamp("upload/2026-11-28/m/files/a.jpg", record, "embedded", "embedded anew"),
    ]
}

#[test]
fn every_hash_that_an_asset_ever_had_is_known_after_a_restart() {
    // After new tags were embedded, the bundled file was known to nobody, and bundled again.
    let ledger = rebuilt(&journal(the_way()));
    for text in ["dropped", "enlarged", "exported", "embedded", "embedded anew"] {
        let seen = ledger.with_hash(&hash(text)).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(
            (seen.id, seen.bundled_for.into_iter().collect::<Vec<_>>()),
            (id(), vec![MarketName::recorded("m")]),
            "{text}"
        );
        assert_eq!(seen.places, [path("upload/2026-11-28/m/files/a.jpg")], "{text}");
    }
    for text in ["record", "r", "prompt", "older record"] {
        assert_eq!(ledger.with_hash(&hash(text)), None, "{text} is no asset");
    }
}

#[test]
fn a_companion_finds_its_asset_by_every_name_that_it_left() {
    let ledger = rebuilt(&journal(the_way()));
    let cases = [
        ("raw/t/x.png.yaml", Some(Named::Whole)),
        ("raw/t/x.png.xmp", Some(Named::Whole)),
        ("raw/t/x.xmp", Some(Named::Stem)),
        ("raw/t/x.txt", Some(Named::Stem)),
        ("keep/t/t-0001.json", Some(Named::Stem)),
        ("upload/t/t-0001.jpg.yaml", Some(Named::Whole)),
        ("raw/t/x.jpg.yaml", None),
        ("raw/t/y.txt", None),
        ("raw/x.txt", None),
    ];
    for (companion, expected) in cases {
        let found = ledger.named_by(&path(companion));
        assert_eq!(found.as_ref().map(|(_, named)| *named), expected, "{companion}");
        assert!(found.is_none_or(|(seen, _)| seen.id == id()), "{companion}");
    }
}

#[test]
fn the_latest_asset_has_the_name() {
    let later = AssetId::of(&hash("later"));
    let second = step(&later, "raw/t/x.png", "later", "keep/t/t-0002.png", &[]);
    let ledger = rebuilt(&journal(the_way().into_iter().chain([second])));
    assert_eq!(ledger.named_by(&path("raw/t/x.png.yaml")).unwrap().0.id, later);
    assert_eq!(ledger.named_by(&path("keep/t/t-0001.txt")).unwrap().0.id, id());
}

#[test]
fn where_a_sidecar_lies_with_its_file_is_true() {
    let origin =
        Origin { path: path("raw/t/x.png"), hash: hash("dropped"), kind: Kind::Png, size: None, archived: None };
    let history = vec![Happened { at: time(9), stage: Stage::Keep, did: "named".to_owned() }];
    let file = Some(FileRecord::of_original(hash("dropped")));
    let sidecar = Sidecar { id: Some(id()), origin: Some(origin), file, history, ..Sidecar::default() };
    // (where the sidecar lies, what is there, where the asset stands)
    let cases: [(&str, &[&str], &str); 4] = [
        ("keep/u/moved.png.yaml", &["keep/u/moved.png"], "keep/u/moved.png"),
        ("keep/u/copy.png.yaml", &["keep/u/copy.png", "keep/t/t-0001.png"], "keep/t/t-0001.png"),
        ("keep/u/left.png.yaml", &[], "keep/t/t-0001.png"),
        ("archive/t/t-0001.png.yaml", &["archive/t/t-0001.png"], "keep/t/t-0001.png"),
    ];
    for (lies_at, there, expected) in cases {
        let mut ledger = rebuilt(&journal(the_way().into_iter().take(1)));
        ledger.remember_sidecar(&path(lies_at), &sidecar, &|path| there.contains(&path.to_string().as_str()));
        assert_eq!(ledger.with_hash(&hash("dropped")).unwrap().places, [path(expected)], "{lies_at}");
    }
    // Without a journal.
    let mut ledger = Ledger::default();
    ledger.remember_sidecar(&path("upload/2026-11-28/m-2/sidecars/a.jpg.yaml"), &sidecar, &|_| true);
    let seen = ledger.with_hash(&hash("dropped")).unwrap();
    assert_eq!((seen.bundled_for.len(), seen.last), (1, time(9)));
    assert_eq!(seen.places, [path("upload/2026-11-28/m-2/files/a.jpg")]);
    assert!(ledger.named_by(&path("raw/t/x.txt")).is_some());
    // Its bundle was moved, whole.
    let mut ledger = Ledger::default();
    let record = path("upload/box/sidecars/a.jpg.yaml");
    ledger.remember_sidecar(&record, &sidecar, &|path| path.to_string() == "upload/box/files/a.jpg");
    assert_eq!(ledger.with_hash(&hash("dropped")).unwrap().places, [path("upload/box/files/a.jpg")]);
}

/// A bundled picture that somebody tagged anew was bundled again: it has another hash, and shows the same.
#[test]
fn what_an_asset_showed_is_remembered_from_the_journal_and_from_the_sidecars() {
    let mut journalled = bundled(&id(), "upload/t/t-0001.jpg", "dropped", "m", "embedded");
    journalled.about.essences = vec![hash("shown"), hash("turned")];
    let origin =
        Origin { path: path("raw/t/x.png"), hash: hash("dropped"), kind: Kind::Png, size: None, archived: None };
    let essences = vec![hash("shown"), hash("turned")];
    let sidecar = Sidecar { id: Some(id()), origin: Some(origin), essences, ..Sidecar::default() };
    let mut kept = Ledger::default();
    kept.remember_sidecar(&path("upload/2026-11-28/m/sidecars/a.jpg.yaml"), &sidecar, &|_| true);
    for ledger in [rebuilt(&journal([journalled])), kept] {
        for shown in ["shown", "turned"] {
            let seen = ledger.with_hash(&hash(shown)).unwrap();
            assert_eq!((seen.id, seen.places), (id(), vec![path("upload/2026-11-28/m/files/a.jpg")]), "{shown}");
            let file = path("upload/2026-11-28/m/files/a.jpg");
            let bundled = BTreeMap::from([(MarketName::recorded("m"), BTreeSet::from([file]))]);
            assert_eq!(ledger.bundled_as([], [&hash(shown)]), bundled, "{shown}");
        }
        assert!(ledger.with_hash(&hash("retouched")).is_none());
    }
}

#[test]
fn what_undo_took_back_is_not_bundled() {
    let mut back = bundled(&id(), "upload/t/t-0001.jpg", "exported", "m", "embedded");
    back.about.undoes = Some(4);
    (back.about.from, back.about.to) = (back.about.to, back.about.from);
    back.publish = Vec::new();
    let ledger = rebuilt(&journal(the_way().into_iter().take(4).chain([back])));
    let seen = ledger.with_hash(&hash("embedded")).unwrap();
    assert_eq!((seen.bundled_for.len(), seen.places), (0, vec![path("upload/t/t-0001.jpg")]));
    assert!(ledger.is_undone(&path("upload/t/t-0001.jpg"), &hash("exported")));
}

/// The copy in a second bundle offered it again at once.
#[test]
fn what_undo_took_back_from_a_market_is_owed_to_it_again_once_it_is_another_one() {
    let file = |market: &str| format!("upload/2026-11-28/{market}/files/a.jpg");
    let to = |market: &str| bundled(&id(), &file("m"), "embedded", market, market);
    let undone = || {
        let mut back = to("further");
        back.about.undoes = Some(5);
        (back.about.from, back.about.to) = (back.about.to, back.about.from);
        back.publish = Vec::new();
        back
    };
    let mut tagged = stamp(&file("second"), "upload/2026-11-28/second/sidecars/a.jpg.yaml", "second", "tagged");
    tagged.about.asset = Some(id());
    let dropped = step(&id(), "raw/t/x.png", "dropped", "keep/t/t-0001.png", &[]);
    let names = ["m", "second", "further", "other"].map(MarketName::recorded);
    let lacking = |then: Vec<Intent>| {
        let ledger = rebuilt(&journal(the_way().into_iter().chain([to("second")]).chain(then)));
        let bundles = ["m", "second"].map(|market| BundleName::of(&path(&file(market))).unwrap());
        let owed = ledger.owed(&bundles.into(), &names);
        let told = |lacks: &Lacks| (lacks.never.clone(), lacks.taken_back.clone());
        owed.values().flat_map(|files| files.values().map(told)).collect::<Vec<_>>()
    };
    let [_, _, further, other] = &names;
    let free = (vec![further.clone(), other.clone()], Vec::new());
    // What was done after it went to a further market, and what each of its two files lacks then.
    let rows = [
        (vec![], (vec![other.clone()], Vec::new())),
        (vec![undone()], (vec![other.clone()], vec![further.clone()])),
        (vec![undone(), to("other")], (Vec::new(), vec![further.clone()])),
        (vec![undone(), tagged], free.clone()),
        (vec![undone(), dropped], free),
        (vec![undone(), to("further"), to("other"), undone()], (Vec::new(), vec![further.clone()])),
    ];
    for (n, (then, expected)) in rows.into_iter().enumerate() {
        let then = std::iter::once(to("further")).chain(then).collect();
        assert_eq!(lacking(then), [expected.clone(), expected], "row {n}");
    }
}

#[test]
fn what_is_set_aside_is_still_known_and_may_come_back() {
    let mut aside = step(&id(), "keep/t/t-0001.png", "dropped", "failed/keep/t/t-0001.png", &[]);
    (aside.about.seq, aside.about.hash) = (None, None);
    let again = step(&id(), "keep/t/t-0001.png", "dropped", "export/t/t-0001.png", &[]);
    let all: Vec<Intent> = the_way().into_iter().take(1).chain([aside, again]).collect();
    let ledger = rebuilt(&journal(all[..2].iter().cloned()));
    assert_eq!(ledger.with_hash(&hash("dropped")).unwrap().places, [path("failed/keep/t/t-0001.png")]);
    assert!(ledger.is_sent_back(&path("keep/t/t-0001.png")));
    assert_eq!(ledger.left_at(Stage::Keep).len(), 0, "it did not go on");
    let ledger = rebuilt(&journal(all));
    assert!(!ledger.is_sent_back(&path("keep/t/t-0001.png")));
}

#[test]
fn what_recovery_finished_late_stands_in_its_place() {
    let times = ["2026-11-27T09:10:00Z", "2026-11-27T09:20:00Z", "2026-11-26T09:00:00Z"].map(|at| at.parse().unwrap());
    let mut ledger = Ledger::default();
    for (n, at) in (0..).zip(times) {
        let name = format!("upload/t/{n}.jpg");
        let intent = step(&AssetId::of(&ContentHash::of(&[n])), &name, &name, "upload/d/m/files/a.jpg", &[]);
        ledger.remember(&intent.about, &[], at);
    }
    assert_eq!(ledger.left_at(Stage::Upload), [times[2], times[0], times[1]]);
}

/// Returns what tells a row that says this from another one; nothing of one of which that is not known.
fn row(says: &str) -> Option<RowDigest> {
    (!says.is_empty()).then(|| RowDigest { tags: hash(says), told: hash(says) })
}

/// Returns what the journal says of dealings with a market.
fn dealt(dealing: Dealing) -> Intent {
    let mut intent = step(&id(), "upload/x.jpg", "x", "upload/x.jpg", &[]);
    intent.about = About { dealing: Some(dealing), ..About::new(Stage::Upload, "recorded") };
    intent
}

/// Checks that what lies in an open bundle is not to be uploaded if the market has it, or refused these bytes.
fn assert_went(ledger: &Ledger, name: &BundleName, became: &[&str]) {
    let further = BundleName { part: 2, ..name.clone() };
    let has = |state: &str| became.iter().any(|became| became.starts_with(state));
    let got = |bytes: &str, says: &str| Got { hash: hash(bytes), row: row(says) };
    let went = |name: &BundleName, got: &Got| ledger.went().why(name, &id(), Some(got)).is_some();
    // Of a row of which nobody knows what it says the bytes alone decide.
    for (bytes, says, is_same) in [
        ("retouched by hand", "sea", has("refused")),
        ("retouched by hand", "", has("refused")),
        ("retouched by hand", "lake", false),
        ("mended", "sea", false),
    ] {
        let got = &got(bytes, says);
        assert_eq!(went(name, got), has("accepted") || is_same, "{bytes} {says}: {became:?}");
        // What mended it may stand in a row of which nobody knows what it says.
        let is_sure = has("accepted") || is_same && !says.is_empty();
        assert_eq!(ledger.went().surely(name, &id(), got), is_sure, "{bytes} {says}, for sure: {became:?}");
        let is_there = has("accepted") || has("in review");
        assert_eq!(went(&further, got), is_there || is_same, "{bytes} {says}, another bundle: {became:?}");
        let as_now = ledger.went().answered_as(name, &id(), got);
        assert_eq!(as_now.is_some(), has("accepted") || is_same, "{bytes} {says}: {became:?}");
        // What is sent again as it was has the row that its market answered about.
        assert!(!is_same || has("accepted") || as_now.as_ref().is_some_and(|got| got.row == row("sea")), "{as_now:?}");
    }
    assert_eq!(ledger.went().is_answered(name, &id()), has("accepted") || has("refused"), "{became:?}");
}

/// What became of a file was asked of its bundle alone, and forgotten with it.
#[test]
fn what_was_sent_is_known_by_asset_and_by_content() {
    let (m, bundle) = (MarketName::recorded("m"), path("upload/2026-11-28/m"));
    let file = |name: &str, asset: AssetId, sent: &str| {
        let (theme, made) = (ThemeSlug::new("t").ok(), Some(hash("way")));
        SentFile { name: name.to_owned(), asset, theme, hash: hash(sent), made, number: Some(7), row: row("sea") }
    };
    let sent_with = |bytes: &str| {
        let files = vec![file("b.jpg", AssetId::of(&hash("beside")), "beside"), file("a.jpg", id(), bytes)];
        dealt(Dealing::Sent(Sending { bundle: bundle.clone(), market: m.clone(), at: time(7), files }))
    };
    let (sent, mended) = (sent_with("retouched by hand"), sent_with("mended"));
    let answered = |accepted| {
        let (file, asset, reason) = (bundle.join("files/a.jpg"), id(), "noise".to_owned());
        let (hash, made) = (hash("retouched by hand"), Some(hash("way")));
        let files = vec![AnsweredFile { file, asset, hash, made, number: Some(7), row: row("sea"), accepted, reason }];
        dealt(Dealing::Answered(Answers { market: m.clone(), files }))
    };
    let back = || dealt(Dealing::NotSent(bundle.clone()));
    let twin = AssetId::of(&hash("twin"));
    let twins = step(&twin, "raw/t/twin.png", "exported", "keep/t/t-0009.png", &[]);
    // What else is on record, and what became of the file. Beside it went another one, which is not answered.
    let rows: [(Vec<Intent>, &[&str]); 14] = [
        (vec![], &[]),
        (vec![sent.clone()], &["in review"]),
        // Recovery told it twice.
        (vec![sent.clone(), sent.clone()], &["in review"]),
        (vec![sent.clone(), answered(true)], &["accepted"]),
        (vec![sent.clone(), answered(false)], &["refused noise Some(7)"]),
        (vec![sent.clone(), answered(false), answered(true)], &["accepted"]),
        (vec![sent.clone(), back()], &[]),
        (vec![sent.clone(), back(), sent.clone()], &["in review"]),
        (vec![sent.clone(), answered(false), back()], &["refused noise Some(7)"]),
        // It counted once more each time that its bundle was sent again.
        (vec![sent.clone(), answered(false), back(), sent.clone()], &["refused noise Some(7)"]),
        (vec![sent.clone(), answered(true), back(), mended.clone()], &["accepted"]),
        (vec![sent.clone(), answered(false), back(), mended.clone()], &["refused noise Some(7)", "in review"]),
        // The market's mind is known also while the bundle is open again.
        (vec![sent.clone(), answered(false), back(), answered(true)], &["accepted"]),
        (
            vec![sent.clone(), answered(false), back(), mended.clone(), answered(true), back(), mended.clone()],
            &["refused noise Some(7)", "accepted"],
        ),
    ];
    for (others, expected) in rows {
        let ledger = rebuilt(&journal(the_way().into_iter().chain(others.clone()).chain([twins.clone()])));
        let shown = |ids: &[&AssetId], hashes: &[&str]| -> Vec<String> {
            let hashes: Vec<ContentHash> = hashes.iter().map(|text| hash(text)).collect();
            let became = ledger.sent_as(ids.iter().copied(), &hashes).into_values().map(|(_, became)| match became {
                Became::InReview => "in review".to_owned(),
                Became::Accepted => "accepted".to_owned(),
                Became::Refused(refusal) => format!("refused {} {:?}", refusal.reason, refusal.number),
            });
            became.collect()
        };
        assert_eq!(shown(&[&id()], &[]), expected, "{others:?}");
        assert_eq!(shown(&[&twin], &[]), expected, "another identity: {others:?}");
        for content in ["dropped", "exported", "embedded anew"] {
            assert_eq!(shown(&[], &[content]), expected, "{content}: {others:?}");
        }
        assert_eq!(shown(&[&AssetId::of(&hash("another"))], &["another"]), [""; 0]);
        let is_refused = |says: &str| ledger.is_refused(&m, &Got { hash: hash("retouched by hand"), row: row(says) });
        let is_any_refused = others.contains(&answered(false));
        assert_eq!(["sea", "", "lake"].map(is_refused), [is_any_refused, is_any_refused, false], "{others:?}");
        let name = BundleName::of(&bundle).unwrap();
        assert_went(&ledger, &name, expected);
        let is_sent = others.iter().rfind(|intent| !matches!(intent.about.dealing, Some(Dealing::Answered(_))));
        let is_sent = is_sent.is_some_and(|intent| matches!(intent.about.dealing, Some(Dealing::Sent(_))));
        assert_eq!(ledger.sent_bundles().collect::<Vec<_>>(), if is_sent { vec![(&name, 2)] } else { vec![] });
        assert_eq!(ledger.is_sent(&name), is_sent, "{others:?}");
        let counted: usize = ledger.market_records().map(|(_, record)| record.sent().count()).sum();
        assert_eq!(counted, expected.len() + usize::from(is_sent), "{others:?}");
    }
}

/// A clock that began in 1970 dated what one that was ahead had recorded, and what was sent while it stood there: both counted
/// for no limit.
#[test]
fn a_clock_that_is_far_behind_dates_nothing() {
    let at = |text: &str| -> Timestamp { format!("{text}Z").parse().unwrap() };
    let m = MarketName::recorded("m");
    let [behind, right, later] = ["1970-01-01T00:01:00", "2026-12-01T09:00:00", "2026-12-01T10:00:00"];
    let [ahead, now] = ["2031-01-01T00:00:00", "2026-12-02T12:00:00"];
    // When each of two bundles was sent by the clock, what it said after that, and since when that counts; by now they are
    // dated, or not.
    let rows: [(&[&str], &[&str], &[&str], bool); 7] = [
        (&[right], &[later], &[right], false),
        (&[ahead], &[behind, right], &[right], false),
        (&[ahead], &[behind], &[now], true),
        (&[behind], &[right, later], &[right], false),
        (&[behind], &[], &[now], true),
        // One says nothing of the other.
        (&[behind, right, behind], &[later], &[right, right, later], false),
        (&[behind, right, behind], &[], &[right, right, now], true),
    ];
    for (sent, said, counts, is_undated) in rows {
        let mut ledger = Ledger::default();
        for (n, sent) in (1..).zip(sent) {
            let file = SentFile {
                name: "a.jpg".to_owned(),
                asset: AssetId::of(&hash(&format!("{n}"))),
                theme: None,
                hash: hash(&format!("{n}")),
                made: None,
                number: None,
                row: None,
            };
            let bundle = path(&format!("upload/2026-12-0{n}/m"));
            let sending = Sending { bundle, market: m.clone(), at: at(sent), files: vec![file] };
            let Intent { about, .. } = dealt(Dealing::Sent(sending));
            ledger.remember(&about, &[], at(sent));
        }
        said.iter().for_each(|said| ledger.clock_said(at(said)));
        let (_, record) = ledger.market_records().next().unwrap();
        let found: Vec<Timestamp> =
            record.sent_after(at("2026-11-25T00:00:00"), at(now)).into_iter().map(|(at, _)| at).collect();
        assert_eq!(found, counts.iter().map(|text| at(text)).collect::<Vec<_>>(), "{sent:?} {said:?}");
        assert_eq!(ledger.is_any_sending_undated(at(now)), is_undated, "{sent:?} {said:?}");
        assert!(!ledger.is_any_sending_undated(at(behind)), "nothing is dated by a clock that is behind");
    }
}

/// What a person does with one of three contents.
#[derive(Debug, Clone)]
enum Act {
    /// It is dropped; with a sidecar that says one of three identities, or without one.
    Drop { content: usize, says: Option<usize> },
    /// Its bundled files get new tags.
    Retag { content: usize },
    /// The daemon starts again, with its journal alone.
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let drop = (0_usize..3, proptest::option::of(0_usize..3)).prop_map(|(content, says)| Act::Drop { content, says });
    let retag = (0_usize..3).prop_map(|content| Act::Retag { content });
    proptest::collection::vec(prop_oneof![4 => drop, 2 => retag, 1 => Just(Act::Restart)], 1..25)
}

proptest! {
    /// Moving a bundle away or deleting it changes nothing here: the ledger does not ask for it.
    #[test]
    fn no_content_is_bundled_twice_for_one_market(acts in acts()) {
        let mut steps: Vec<Intent> = Vec::new();
        // Every version that a content had in a bundle; the first is what was dropped.
        let mut versions: Vec<Vec<String>> = (0..3).map(|content| vec![format!("content {content}")]).collect();
        let mut ledger = Ledger::default();
        for (n, act) in acts.into_iter().enumerate() {
            let mut carried = Vec::new();
            match act {
                Act::Restart => ledger = rebuilt(&journal(steps.clone())),
                Act::Retag { content } => {
                    let was = versions[content].last().unwrap().clone();
                    if versions[content].len() > 1 {
                        let now = format!("{was}+");
                        carried.push(stamp("upload/d/m/files/a.jpg", "upload/d/m/sidecars/a.jpg.yaml", &was, &now));
                        versions[content].push(now);
                    }
                }
                Act::Drop { content, says } => {
                    // Any version that it ever had may be dropped.
                    let version = versions[content][n % versions[content].len()].clone();
                    let seen = ledger.with_hash(&hash(&version));
                    let said = says.map(|other| AssetId::of(&hash(&format!("content {other}"))));
                    let id = said.or(seen.map(|seen| seen.id)).unwrap_or_else(|| AssetId::of(&hash(&version)));
                    let raw = format!("raw/t/{n}.png");
                    let keep = format!("upload/t/{n}.jpg");
                    let exported = format!("{version} exported {n}");
                    let first = step(&id, &raw, &version, &keep, &[(&keep, &exported), (&format!("{keep}.yaml"), "r")]);
                    ledger.remember(&first.about, &first.publish, time(0));
                    steps.push(first);
                    if !ledger.bundled_as([&id], [&hash(&exported)]).contains_key("m") {
                        prop_assert_eq!(versions[content].len(), 1, "content {} is bundled again", content);
                        let made = format!("{exported} embedded");
                        carried.push(bundled(&id, &keep, &exported, "m", &made));
                        versions[content].push(made);
                    }
                }
            }
            for intent in &carried {
                ledger.remember(&intent.about, &intent.publish, time(0));
            }
            steps.extend(carried);
        }
    }
}
