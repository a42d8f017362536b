use std::collections::VecDeque;
use std::ffi::OsStr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::after::{After, Kind, after};
use super::connect::connect;
use super::contents::{Contents, Item, asset_of, contents};
use super::one::{Outcome, deliver_one};
use super::record::{Claim, Parcel, Record};
use super::secret::{CREDENTIALS, secret};
use super::server::{Server, Trouble};
use crate::config::Delivery;
use crate::market::{Accepts, Market};
use crate::model::{RelPath, counted};
use crate::vault::{DeliveryLog, DeliveryLogError, Layout};

/// The bundles of a market that are to be delivered.
#[derive(Debug, Clone)]
pub struct Order {
    /// The market.
    pub market: Market,
    /// Where to.
    pub delivery: Delivery,
    /// The folders of its bundles, in order.
    pub bundles: Vec<RelPath>,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that the market got.
    pub delivered: usize,
    /// Files that it did not get, and bundles that could not be looked into; each was told with its reason.
    pub left: usize,
}

/// What all connections share.
struct Run<'a> {
    record: Record<'a>,
    tell: &'a (dyn Fn(String) + Sync),
    delivered: AtomicUsize,
    left: AtomicUsize,
}

/// One market while it is delivered to.
struct Session<'a> {
    order: &'a Order,
    secret: String,
    /// Whether nothing more is to be sent to it in this run.
    is_stopped: AtomicBool,
}

/// A connection that is made when it is needed.
#[derive(Default)]
struct Line {
    server: Option<Box<dyn Server>>,
    /// How many times in turn it went wrong without progress.
    attempts: u32,
}

/// Delivers bundles; `tell` gets a line for each file and each trouble.
pub fn deliver(
    layout: Layout,
    orders: &[Order],
    now: &(dyn Fn() -> Timestamp + Sync),
    tell: &(dyn Fn(String) + Sync),
) -> Result<Summary, DeliveryLogError> {
    let (log, known) = DeliveryLog::open(layout)?;
    let count = AtomicUsize::default;
    let run = Run { record: Record::new(log, known, now), tell, delivered: count(), left: count() };
    let credentials = std::env::var_os(CREDENTIALS);
    for order in orders {
        run.market(order, credentials.as_deref());
    }
    Ok(Summary { delivered: run.delivered.into_inner(), left: run.left.into_inner() })
}

impl Run<'_> {
    fn say(&self, text: impl Into<String>) {
        (self.tell)(text.into());
    }

    fn leave(&self, files: usize) {
        self.left.fetch_add(files, Ordering::Relaxed);
    }

    fn market(&self, order: &Order, credentials: Option<&OsStr>) {
        let secret = match secret(&order.market.name, &order.delivery, credentials) {
            Ok(secret) => secret,
            Err(trouble) => {
                self.leave(order.bundles.len());
                return self.say(format!("{}: nothing is delivered: {trouble}", order.market.name));
            }
        };
        let market = Session { order, secret, is_stopped: AtomicBool::new(false) };
        let mut lines: Vec<Line> = (0..order.delivery.per_host).map(|_| Line::default()).collect();
        for bundle in &order.bundles {
            match contents(self.record.disk(), &order.market, bundle) {
                Ok(found) => self.bundle(&market, bundle, &found, &mut lines),
                Err(error) => {
                    self.leave(1);
                    self.say(format!("{bundle}: nothing is delivered: {error}"));
                }
            }
        }
    }

    fn bundle(&self, market: &Session<'_>, bundle: &RelPath, found: &Contents, lines: &mut [Line]) {
        for name in &found.without_row {
            self.say(format!("{bundle}/files/{name}: not delivered: no CSV has a row of it; `CHECKLIST.md` says why"));
        }
        let counts = || (self.left.load(Ordering::Relaxed), self.delivered.load(Ordering::Relaxed));
        let (left, delivered) = counts();
        self.files(market, &found.files, lines);
        if counts().0 > left {
            return;
        }
        if market.order.market.delivery.csv == Accepts::Yes {
            self.files(market, &found.csv, &mut lines[..1]);
        }
        // A timer looks again and again: what is left to do is told once, and by `status`.
        if counts().0 == left && counts().1 > delivered {
            self.say(rest(market.order.market.delivery.csv, bundle, found));
        }
    }

    /// Delivers files over all connections at once.
    fn files(&self, market: &Session<'_>, files: &[Item], lines: &mut [Line]) {
        let new: VecDeque<&Item> = files.iter().filter(|item| !self.record.is_delivered(item)).collect();
        let wanted = new.len().clamp(1, lines.len());
        let queue = Mutex::new(new);
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        std::thread::scope(|scope| {
            for (number, line) in lines[..wanted].iter_mut().enumerate() {
                let next = &next;
                scope.spawn(move || {
                    // Servers limit how many connections somebody has: the first one does the work then.
                    if number > 0 && !self.opens(market, line) {
                        return;
                    }
                    while let Some(item) = next() {
                        self.file(market, item, line, number as u64);
                    }
                });
            }
        });
    }

    /// Opens a further connection; returns whether the server takes it.
    fn opens(&self, market: &Session<'_>, line: &mut Line) -> bool {
        if line.server.is_none() {
            match connect(&market.order.delivery, &market.secret) {
                Ok(server) => line.server = Some(server),
                Err(trouble) => self.say(format!("{}: a further connection: {trouble}", market.order.market.name)),
            }
        }
        line.server.is_some()
    }

    fn file(&self, market: &Session<'_>, item: &Item, line: &mut Line, salt: u64) {
        if market.is_stopped.load(Ordering::Relaxed) {
            return self.leave(1);
        }
        let (path, name) = (&item.path, market.order.market.name.clone());
        let hash = match self.record.disk().hash(path) {
            Ok(hash) => hash,
            Err(error) => {
                self.leave(1);
                return self.say(format!("{path}: not delivered: {error}"));
            }
        };
        let asset = match asset_of(self.record.disk(), path) {
            Ok(asset) => asset,
            Err(why) => {
                self.leave(1);
                return self.say(format!("{path}: not delivered: {why}"));
            }
        };
        let parcel = Parcel { market: name, item: item.clone(), hash, asset };
        let told = match self.record.claim(&parcel) {
            Ok(Claim::Delivered) => return,
            Ok(Claim::No(why)) => Err(why),
            Ok(Claim::Yours) => self.parcel(market, &parcel, line, salt),
            Err(trouble) => Err(trouble.to_string()),
        };
        match told {
            Ok(besides) => {
                self.delivered.fetch_add(1, Ordering::Relaxed);
                self.say(format!("{path}: delivered, {}{besides}", bytes(item.seen.size)));
            }
            Err(why) => {
                self.leave(1);
                self.say(format!("{path}: not delivered: {why}"));
            }
        }
    }

    /// Delivers one file, as often as it takes and may take; returns what is to be told of it besides.
    fn parcel(
        &self,
        market: &Session<'_>,
        parcel: &Parcel,
        line: &mut Line,
        salt: u64,
    ) -> Result<&'static str, String> {
        let mut furthest = 0;
        loop {
            let before = furthest;
            let trouble = match self.attempt(market, parcel, line, &mut furthest) {
                Ok(Outcome::Delivered) => {
                    line.attempts = 0;
                    return Ok("");
                }
                Ok(Outcome::WasThere) => return Ok(" that lay there already, by name and size"),
                Ok(Outcome::Held(why)) => return Err(why),
                Err(trouble) => trouble,
            };
            // A connection over which something else than one file was refused is of no use any more.
            if !matches!(trouble.kind, Kind::Refused | Kind::Ours) {
                line.server = None;
            }
            line.attempts = if furthest > before { 1 } else { line.attempts + 1 };
            match after(trouble.kind, line.attempts, salt.wrapping_mul(97) + furthest) {
                After::Again(pause) => self.wait(parcel, &trouble, pause),
                After::NextFile => return Err(trouble.what),
                After::StopMarket => {
                    market.is_stopped.store(true, Ordering::Relaxed);
                    return Err(format!("{trouble}; nothing more goes to {} in this run", parcel.market));
                }
            }
        }
    }

    fn wait(&self, parcel: &Parcel, trouble: &Trouble, pause: Duration) {
        self.say(format!("{}: {trouble}; again in {} s", parcel.item.path, pause.as_secs().max(1)));
        std::thread::sleep(pause);
    }

    fn attempt(
        &self,
        market: &Session<'_>,
        parcel: &Parcel,
        line: &mut Line,
        furthest: &mut u64,
    ) -> Result<Outcome, Trouble> {
        let delivery = &market.order.delivery;
        let server = match &mut line.server {
            Some(server) => server,
            none => none.insert(connect(delivery, &market.secret)?),
        };
        deliver_one(&mut **server, &delivery.to.to_string(), parcel, &self.record, furthest)
    }
}

/// Returns what a person still has to do for a bundle of which all files are delivered.
fn rest(csv: Accepts, bundle: &RelPath, found: &Contents) -> String {
    let names: Vec<String> = found.csv.iter().map(|item| item.path.file_text()).collect();
    let names = names.join(", ");
    let csv = match csv {
        Accepts::Yes => format!("{names} is delivered, too"),
        Accepts::No => format!("upload {names} in the market's portal, which takes it nowhere else"),
        Accepts::Unknown => format!(
            "upload {names} in the market's portal: nobody has established whether it may be delivered (`delivery.csv` of \
             the market's profile)"
        ),
    };
    let files = counted(found.files.len(), "file");
    format!("{bundle}: all delivered ({files}); {csv}. Then go on with its CHECKLIST.md, and mark the bundle as sent")
}

fn bytes(number: u64) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), "byte")
}
