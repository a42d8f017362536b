//! What `plan --until` foretells is what comes, day by day.

use std::collections::BTreeSet;

use super::*;
use crate::plan::{BundleFolder, BundleName};

const MARKETS: [&str; 3] = ["adobe-stock", "dreamstime", "vecteezy"];
/// On Saturday night summer time begins.
const THURSDAY: &str = "2024-03-28T07:00:00+01:00[Europe/Berlin]";
const SATURDAY: &str = "2024-03-30T12:00:00+01:00[Europe/Berlin]";
const NEXT_SATURDAY: &str = "2024-04-06T00:00:00+02:00[Europe/Berlin]";

/// Who gets a file on which day: the day, the market, the file.
type Goes = BTreeSet<(String, String, String)>;

fn file(name: &str) -> String {
    name.chars().take_while(|c| *c != '.').filter(char::is_ascii_alphanumeric).collect()
}

fn start(home: TempDir, settings: &str, at: &str) -> Mill {
    let at: jiff::ZonedDateTime = at.parse().unwrap();
    Mill::start_at(home, settings, at.timestamp(), at.time_zone().clone())
}

fn seconds_until(mill: &Mill, at: &jiff::ZonedDateTime) -> u64 {
    u64::try_from(at.timestamp().duration_since(mill.begun).as_secs()).unwrap()
}

/// Returns what is foretold from now on.
fn foretold(mill: &Mill, until: &jiff::ZonedDateTime) -> Goes {
    let now = mill.now();
    let mut view = View::open_at(Settings::clone(mill.dispatcher.settings()), &now).unwrap();
    let leaves = view.future_from(&now, until.timestamp()).forecast.leaves;
    let goes = leaves.iter().flat_map(|(at, path, markets)| {
        let day = at.to_zoned_datetime(mill.zone.clone()).date().to_string();
        markets.iter().map(move |market| (day.clone(), market.to_string(), file(&path.file_text())))
    });
    goes.collect()
}

/// Returns the files in bundles.
fn bundled(mill: &Mill) -> Vec<RelPath> {
    let mut found = Vec::new();
    list(mill.home.path(), mill.home.path(), &mut found);
    found.iter().map(|name| path(name)).filter(BundleFolder::is_file).collect()
}

/// Returns what lies in bundles.
fn gone(mill: &Mill) -> Goes {
    let goes = |path: &RelPath| {
        let name = BundleName::of(path).unwrap();
        (name.day.to_string(), name.market.to_string(), file(&path.file_text()))
    };
    bundled(mill).iter().map(goes).collect()
}

/// Lets days go by: several times a day what was bundled is marked as sent, and the machine sleeps until the next time. What
/// has room again some days later has it some minutes later than it had before, or an hour when summer time begins.
fn live(mill: &mut Mill, until: &jiff::ZonedDateTime) {
    let mut day = mill.now().local.date();
    while day < until.date() {
        for (hour, minute) in [(9, 0), (10, 10), (13, 0), (14, 10)] {
            let wakes = day.at(hour, minute, 0, 0).to_zoned_datetime(mill.zone.clone()).unwrap();
            if wakes <= mill.now().local {
                continue;
            }
            let wakes = seconds_until(mill, &wakes);
            mill.steady = mill.steady.max(Duration::from_secs(wakes.saturating_sub(5)));
            mill.until(wakes + 20);
            let sent: BTreeSet<RelPath> =
                bundled(mill).iter().map(|file| BundleName::of(file).unwrap().folder()).collect();
            mill.ask(Action::Sent(sent.into_iter().collect()));
            mill.pass(120);
        }
        day = day.tomorrow().unwrap();
    }
}

/// A mixed set for three markets: which of them get what when was told otherwise than it came where some of it lay in bundles.
#[test]
fn each_day_brings_what_was_foretold() {
    let days = "on: [monday, tuesday, wednesday, thursday, friday, saturday, sunday], at: \"09:00\"";
    let usual = "settle: {notes_quiet_s: 0, weak_quiet_ms: 500, rescan_s: 21600}\n";
    // The gate's limit, how much goes to the markets, and in which order.
    for (gate, upload) in [
        ("at_most: 5", "limits: {adobe-stock: {at_most: 2}, dreamstime: {at_most_per_week: 3}}"),
        ("at_most: 3", "order: priority, limits: {adobe-stock: {at_most: 1}, vecteezy: {at_most: 2}}"),
        (
            "at_most_per_week: 20",
            "probe: 2, limits: {dreamstime: {at_most_in_review: 4, review_days: 2}, vecteezy: {review_days: 3, at_most: 3}}",
        ),
    ] {
        let settings = format!(
            "{usual}gates: {{upload: {{{days}, {gate}}}}}\nupload: {{markets: [{}], {upload}}}\n",
            MARKETS.join(", ")
        );
        let home = tempfile::tempdir().unwrap();
        for (theme, priority) in [("sea", 2), ("city", 1)] {
            let tags = format!(
                "title: The {theme}\ndescription: The {theme} in the early morning, before anybody else is awake\n\
                 keywords: [{theme}, wave, water, blue, light, dawn, calm]\npriority: {priority}\n"
            );
            drop_into(home.path(), &format!("raw/{theme}/tags.yaml"), tags.as_bytes(), SystemTime::now() - DAY);
            for n in 0..4 {
                let bytes = picture(n * 20 + priority);
                drop_into(home.path(), &format!("raw/{theme}/{n}.png"), &bytes, SystemTime::now() - DAY);
            }
        }
        let mut mill = start(home, &settings, THURSDAY);
        mill.pass(600);
        let friday = "2024-03-29T00:00:00+01:00[Europe/Berlin]".parse().unwrap();
        let expected = foretold(&mill, &friday);
        live(&mut mill, &friday);
        let first = gone(&mill);
        assert_eq!(first, expected, "{upload}: {:?}", mill.held());
        // On Friday the machine is off.
        let Mill { home, lock, .. } = mill;
        std::mem::drop(lock);
        let mut mill = start(home, &settings, SATURDAY);
        let until = NEXT_SATURDAY.parse().unwrap();
        // What the start itself brings is of that day, too.
        let expected: Goes = foretold(&mill, &until).into_iter().chain(first).collect();
        live(&mut mill, &until);
        assert_eq!(gone(&mill), expected, "{upload}: {:?}", mill.held());
    }
}

/// What a person had let go behind a shut gate went past the limits when the gate opened by its day; it was told that it does
/// not, and foretold so.
#[test]
fn a_release_given_before_the_day_lifts_no_limit_on_the_day() {
    let settings = "settle: {notes_quiet_s: 0, weak_quiet_ms: 500, rescan_s: 21600}\n\
                    gates: {upload: {on: [friday], at: \"09:00\"}}\n\
                    upload: {markets: [adobe-stock], limits: {adobe-stock: {at_most: 1}}}\n";
    let home = tempfile::tempdir().unwrap();
    let tags = "title: The sea\nkeywords: [sea, wave, water, blue, light, dawn, calm]\n";
    drop_into(home.path(), "raw/sea/tags.yaml", tags.as_bytes(), SystemTime::now() - DAY);
    for n in 0..4 {
        drop_into(home.path(), &format!("raw/sea/{n}.png"), &picture(n * 20), SystemTime::now() - DAY);
    }
    let mut mill = start(home, settings, "2024-03-28T12:00:00+01:00[Europe/Berlin]");
    mill.pass(600);
    mill.release(Stage::Upload);
    let saturday = "2024-03-30T00:00:00+01:00[Europe/Berlin]".parse().unwrap();
    let expected = foretold(&mill, &saturday);
    live(&mut mill, &saturday);
    assert_eq!((gone(&mill), expected.len()), (expected, 2), "{:?}", mill.held());
}

/// Ends the daemon, and starts it anew at another time.
fn again(mill: Mill, settings: &str, at: &str) -> Mill {
    let Mill { home, lock, .. } = mill;
    std::mem::drop(lock);
    let mut mill = start(home, settings, at);
    mill.pass(600);
    mill
}

/// A clock that stood in 2031 for an hour held a market's room for the week until then.
#[test]
fn a_clock_that_was_ahead_holds_no_market_for_years() {
    let settings = "settle: {notes_quiet_s: 0, weak_quiet_ms: 500, rescan_s: 21600}\n\
                    upload: {markets: [adobe-stock], limits: {adobe-stock: {at_most_per_week: 1}}}\n";
    let home = tempfile::tempdir().unwrap();
    let tags = "title: The sea\nkeywords: [sea, wave, water, blue, light, dawn, calm]\n";
    drop_into(home.path(), "raw/sea/tags.yaml", tags.as_bytes(), SystemTime::now() - DAY);
    for n in 0..2 {
        drop_into(home.path(), &format!("raw/sea/{n}.png"), &picture(n * 20), SystemTime::now() - DAY);
    }
    let mut mill = start(home, settings, "2031-05-01T12:00:00+02:00[Europe/Berlin]");
    mill.pass(600);
    mill.ask(Action::Sent(vec![path("upload/2031-05-01/adobe-stock")]));
    mill.pass(120);
    assert_eq!(gone(&mill).len(), 1, "{:?}", mill.held());
    // From then on nothing is done, but for one line in the journal: when it is, and how many files have gone.
    let (told, full) = (
        "was sent by now",
        "1 file, recorded as sent by a clock that was wrong, counts as sent on Saturday 2024-03-30",
    );
    for (at, files) in [
        (SATURDAY, 1),
        ("2024-04-03T12:00:00+02:00[Europe/Berlin]", 1),
        ("2024-04-05T23:00:00+02:00[Europe/Berlin]", 1),
        ("2024-04-06T12:00:00+02:00[Europe/Berlin]", 2),
    ] {
        mill = again(mill, settings, at);
        let held = mill.held();
        assert_eq!(gone(&mill).len(), files, "{at}: {held:?}");
        assert!(files == 2 || held.iter().any(|(.., why)| why.contains(full)), "{at}: {held:?}");
        let records = Journal::read_only(mill.vault.disk()).unwrap();
        let done = crate::records::Plans::of(&records).done.into_iter();
        assert_eq!(done.filter(|intent| intent.about.did.contains(told)).count(), 1, "{at}");
    }
}
