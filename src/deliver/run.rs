use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsStr;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::after::{After, Kind, after};
use super::connect::connect;
use super::contents::{Contents, Item, asset_of, bundle_of, contents, is_closed, parts_of, says_delivered};
use super::one::{Outcome, deliver_one};
use super::record::{Claim, Instead, Parcel, Record};
use super::rows::{changed_rows, new_rows};
use super::secret::{CREDENTIALS, secret};
use super::server::{Server, Trouble};
use super::told::{FORGOTTEN, against, changed, rest, rows_changed, with_parts};
use crate::config::Delivery;
use crate::market::{Accepts, Market};
use crate::model::{ContentHash, RelPath, counted};
use crate::vault::{DeliveryLog, DeliveryLogError, Layout};

/// The bundles of a market that are to be delivered.
#[derive(Debug, Clone)]
pub struct Order {
    /// The market.
    pub market: Market,
    /// Where to.
    pub delivery: Delivery,
    /// Its bundles, in order.
    pub bundles: Vec<Due>,
}

/// A bundle that is to be delivered.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its folder.
    pub folder: RelPath,
    /// The files of which nobody can say that their market would take them today, each with what speaks against it; or why
    /// nobody can tell what lies in the bundle.
    pub refused: Result<BTreeMap<RelPath, String>, String>,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that the market got.
    pub delivered: usize,
    /// Files that it did not get; each was told with its reason.
    pub left: usize,
    /// Bundles of which nothing went, with the reason told: what lies in them was not looked at.
    pub left_bundles: usize,
}

/// What all connections share.
struct Run<'a> {
    record: Record<'a>,
    tell: &'a (dyn Fn(String) + Sync),
    connect: Connect<'a>,
    delivered: AtomicUsize,
    left: AtomicUsize,
    left_bundles: AtomicUsize,
}

/// One market while it is delivered to.
struct Session<'a> {
    order: &'a Order,
    secret: String,
    /// Whether nothing more is to be sent to it in this run.
    is_stopped: AtomicBool,
    /// Of how many files in turn it took nothing.
    not_taken: AtomicU32,
}

/// Connects to a server by the settings and the secret.
type Connect<'a> = &'a (dyn Fn(&Delivery, &str) -> Result<Box<dyn Server>, Trouble> + Sync);
/// A connection, which is made when it is needed.
type Connection = Option<Box<dyn Server>>;

/// Delivers bundles; `tell` gets a line for each file and each trouble.
pub fn deliver(
    layout: Layout,
    orders: &[Order],
    now: &(dyn Fn() -> Timestamp + Sync),
    tell: &(dyn Fn(String) + Sync),
) -> Result<Summary, DeliveryLogError> {
    let (log, known) = DeliveryLog::open(layout, tell)?;
    let credentials = std::env::var_os(CREDENTIALS);
    Ok(Run::new(Record::new(log, known, now), tell, &connect).deliver(orders, credentials.as_deref()))
}

impl<'a> Run<'a> {
    fn new(record: Record<'a>, tell: &'a (dyn Fn(String) + Sync), connect: Connect<'a>) -> Self {
        let [delivered, left, left_bundles] = Default::default();
        Self { record, tell, connect, delivered, left, left_bundles }
    }

    fn deliver(self, orders: &[Order], credentials: Option<&OsStr>) -> Summary {
        orders.iter().for_each(|order| self.market(order, credentials));
        let Self { delivered, left, left_bundles, .. } = self;
        let [delivered, left, left_bundles] = [delivered, left, left_bundles].map(AtomicUsize::into_inner);
        Summary { delivered, left, left_bundles }
    }

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
                self.left_bundles.fetch_add(order.bundles.len(), Ordering::Relaxed);
                return self.say(format!("{}: nothing is delivered: {trouble}", order.market.name));
            }
        };
        let market = Session { order, secret, is_stopped: AtomicBool::new(false), not_taken: AtomicU32::new(0) };
        let mut connections: Vec<Connection> = (0..order.delivery.per_host).map(|_| Connection::default()).collect();
        for Due { folder, refused } in &order.bundles {
            let disk = self.record.disk();
            let found = contents(disk, &order.market, folder).map_err(|error| error.to_string());
            let is_forgotten = !self.record.knows(folder) && says_delivered(disk, folder);
            let found = if is_forgotten { Err(FORGOTTEN.to_owned()) } else { found };
            match found.and_then(|found| Ok((found, refused.as_ref()?))) {
                Ok((found, refused)) => self.bundle(&market, folder, &found, refused, &mut connections),
                Err(why) => {
                    self.left_bundles.fetch_add(1, Ordering::Relaxed);
                    self.say(format!("{folder}: nothing is delivered: {why}"));
                }
            }
        }
    }

    fn bundle(
        &self,
        market: &Session<'_>,
        bundle: &RelPath,
        found: &Contents,
        refused: &BTreeMap<RelPath, String>,
        connections: &mut [Connection],
    ) {
        for name in &found.without_row {
            self.say(format!("{bundle}/files/{name}: not delivered: no CSV has a row of it; `CHECKLIST.md` says why"));
        }
        let counts = || (self.left.load(Ordering::Relaxed), self.delivered.load(Ordering::Relaxed));
        let (left, delivered) = counts();
        self.files(market, &found.files, refused, connections);
        if counts().0 > left {
            return;
        }
        if market.order.market.delivery.csv == Accepts::Yes {
            found.csv.iter().for_each(|item| self.manifest(market, item, found, &mut connections[0]));
        }
        // A timer looks again and again: what is left to do is told once, and by `status`.
        if counts().0 == left && counts().1 > delivered {
            self.say(rest(market.order.market.delivery.csv, bundle, found));
        }
    }

    /// Delivers files over all connections at once.
    fn files(
        &self,
        market: &Session<'_>,
        files: &[Item],
        refused: &BTreeMap<RelPath, String>,
        connections: &mut [Connection],
    ) {
        let new: VecDeque<&Item> = files.iter().filter(|item| !self.record.is_delivered(item)).collect();
        let wanted = new.len().clamp(1, connections.len());
        let queue = Mutex::new(new);
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        std::thread::scope(|scope| {
            for (number, connection) in connections[..wanted].iter_mut().enumerate() {
                let next = &next;
                scope.spawn(move || {
                    // Servers limit how many connections somebody has: the first one does the work then.
                    if number > 0 && !self.opens(market, connection) {
                        return;
                    }
                    while let Some(item) = next() {
                        self.file(market, item, refused.get(&item.path), connection, number as u64);
                    }
                });
            }
        });
    }

    /// Opens a further connection; returns whether the server takes it.
    fn opens(&self, market: &Session<'_>, connection: &mut Connection) -> bool {
        if connection.is_none() {
            match self.connected(market) {
                Ok(server) => *connection = Some(server),
                Err(trouble) => self.say(format!("{}: a further connection: {trouble}", market.order.market.name)),
            }
        }
        connection.is_some()
    }

    /// Returns whether something may still go: the server may have ended the run for its market, and a person the bundle.
    fn may_go(&self, market: &Session<'_>, path: &RelPath, bundle: &RelPath) -> bool {
        if market.is_stopped.load(Ordering::Relaxed) {
            self.leave(1);
            return false;
        }
        let is_closed = is_closed(self.record.disk(), bundle);
        if is_closed {
            self.not_delivered(path, "its bundle was marked as sent, or taken away, meanwhile");
        }
        !is_closed
    }

    fn not_delivered(&self, path: &RelPath, why: impl Display) {
        self.leave(1);
        self.say(format!("{path}: not delivered: {why}"));
    }

    fn file(
        &self,
        market: &Session<'_>,
        item: &Item,
        refused: Option<&String>,
        connection: &mut Connection,
        salt: u64,
    ) {
        let path = &item.path;
        let Some(bundle) = bundle_of(path) else { return };
        if !self.may_go(market, path, &bundle) {
            return;
        }
        let looked = self.record.disk().hash(path).map_err(|error| error.to_string());
        let looked = looked.and_then(|hash| asset_of(self.record.disk(), path).map(|known| (hash, known)));
        let (hash, (asset, left)) = match looked {
            Ok(looked) => looked,
            Err(why) => return self.not_delivered(path, why),
        };
        let changed = changed(path, &hash, left.as_ref());
        // Its tags may be written anew between two looks.
        if changed.is_some() && !item.is_as_seen(self.record.disk()) {
            return self.not_delivered(path, "it is being changed at this moment; the next run looks at it again");
        }
        let parts = match parts_of(self.record.disk(), path) {
            Ok(parts) => parts.map(|parts| with_parts(path, &parts)),
            Err(why) => return self.not_delivered(path, why),
        };
        let against = changed.or(parts).or_else(|| refused.map(|why| against(path, why)));
        let name = market.order.market.name.clone();
        let parcel = Parcel { market: name, item: item.clone(), hash, asset: Some(asset), instead: None };
        self.hand_over(market, &parcel, against, connection, salt);
    }

    /// Delivers those rows of a manifest that the market has not got, of files that it has.
    fn manifest(&self, market: &Session<'_>, item: &Item, found: &Contents, connection: &mut Connection) {
        let path = &item.path;
        let Some(bundle) = path.parent() else { return };
        let files: BTreeSet<String> = found.files.iter().map(|item| item.path.file_text()).collect();
        let delivered = self.record.delivered_rows(&bundle);
        let of = &market.order.market;
        let selected = item.read(self.record.disk()).and_then(|manifest| {
            let new = new_rows(of, &manifest, &files, &delivered);
            let changed = changed_rows(of, &manifest, &delivered);
            new.and_then(|new| Ok((new, changed?))).map_err(|error| error.to_string())
        });
        let (new, changed) = match selected {
            Ok(selected) => selected,
            Err(why) => return self.not_delivered(path, why),
        };
        if let Some(changed) = changed {
            let names: Vec<String> = changed.rows.keys().map(|name| format!("`{name}`")).collect();
            self.not_delivered(path, rows_changed(path, &names.join(", ")));
        }
        let Some(new) = new else { return };
        if !self.may_go(market, path, &bundle) {
            return;
        }
        let (name, hash) = (of.name.clone(), ContentHash::of(&new.manifest));
        let number = self.record.manifest_number(&bundle, &name, &hash);
        let instead = Instead { name: name_on_server(&bundle, number), new };
        let parcel = Parcel { market: name, item: item.clone(), hash, asset: None, instead: Some(instead) };
        self.hand_over(market, &parcel, None, connection, 0);
    }

    /// Delivers a parcel, unless the market has it or something is `against` it.
    fn hand_over(
        &self,
        market: &Session<'_>,
        parcel: &Parcel,
        against: Option<String>,
        connection: &mut Connection,
        salt: u64,
    ) {
        let path = &parcel.item.path;
        let told = match self.record.claim(parcel) {
            Claim::Delivered => return,
            Claim::No(why) => Err(why),
            Claim::Yours => match against {
                Some(why) => Err(why),
                None => self.parcel(market, parcel, connection, salt),
            },
        };
        match told {
            Ok(()) => {
                self.delivered.fetch_add(1, Ordering::Relaxed);
                let name = |instead: &Instead| format!(" as `{}`", instead.name);
                let name = parcel.instead.as_ref().map(name).unwrap_or_default();
                self.say(format!("{path}: delivered{name}, {}", bytes(parcel.bytes())));
            }
            Err(why) => self.not_delivered(path, why),
        }
    }

    /// Delivers one file, as often as it takes and may take; or says why the market has not got it.
    fn parcel(
        &self,
        market: &Session<'_>,
        parcel: &Parcel,
        connection: &mut Connection,
        salt: u64,
    ) -> Result<(), String> {
        let (mut furthest, mut attempts) = (0, 0);
        loop {
            let before = furthest;
            let trouble = match self.attempt(market, parcel, connection, &mut furthest) {
                Ok(Outcome::Delivered) => {
                    market.not_taken.store(0, Ordering::Relaxed);
                    return Ok(());
                }
                Ok(Outcome::Held(why)) => return Err(why),
                Err(trouble) => trouble,
            };
            // A connection over which something else than one file was refused is of no use any more.
            if !matches!(trouble.kind, Kind::NotTaken | Kind::Refused | Kind::Ours) {
                *connection = None;
            }
            attempts = if furthest > before { 1 } else { attempts + 1 };
            let in_turn = match trouble.kind {
                Kind::NotTaken => market.not_taken.fetch_add(1, Ordering::Relaxed) + 1,
                _ => attempts,
            };
            match after(trouble.kind, in_turn, salt.wrapping_mul(97) + furthest) {
                After::Again(pause) => self.wait(parcel, &trouble, pause),
                After::NextFile => return Err(trouble.to_string()),
                After::StopMarket => {
                    market.is_stopped.store(true, Ordering::Relaxed);
                    let takes_none = match trouble.kind {
                        Kind::NotTaken => "the server takes nothing (perhaps it is full): ",
                        _ => "",
                    };
                    return Err(format!("{takes_none}{trouble}; nothing more goes to {} in this run", parcel.market));
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
        connection: &mut Connection,
        furthest: &mut u64,
    ) -> Result<Outcome, Trouble> {
        let server = match connection {
            Some(server) => server,
            none => none.insert(self.connected(market)?),
        };
        let to = market.order.delivery.to.to_string();
        let delivered = deliver_one(&mut **server, &to, parcel, &self.record, furthest);
        delivered.map_err(|trouble| trouble.without(&market.secret))
    }

    fn connected(&self, market: &Session<'_>) -> Result<Box<dyn Server>, Trouble> {
        let connected = (self.connect)(&market.order.delivery, &market.secret);
        connected.map_err(|trouble| trouble.without(&market.secret))
    }
}

/// Returns the name of a manifest on the server, where those of other bundles lie or lay, too: `MARKET-DAY.csv`, and with `-2`
/// and so on for what went later.
fn name_on_server(bundle: &RelPath, number: usize) -> String {
    let day = bundle.parent().map(|day| day.file_text()).unwrap_or_default();
    let further = if number > 1 { format!("-{number}") } else { String::new() };
    format!("{}-{day}{further}.csv", bundle.file_text())
}

fn bytes(number: u64) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), "byte")
}

#[cfg(test)]
mod tests;
