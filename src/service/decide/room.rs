//! Whether a market has room for one more file of a theme, by what lies in its bundles and what was sent.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Decider, Here};
use crate::model::{MarketName, Stage, ThemeSlug};
use crate::plan::{
    Bundle, BundleName, Facts, Hold, MarketRecord, MarketUse, NoRoom, Outlook, Plan, WentBefore, check_room,
};
use crate::service::clock::Moment;

impl Decider {
    /// Returns why a market gets no more files of a theme for now, and takes note that one waits for that.
    pub(super) fn no_room(&self, market: &MarketName, theme: &ThemeSlug, now: &Moment) -> Option<NoRoom> {
        let no_room = self.room_of(market, theme, now).err()?;
        self.upload.room_waits.borrow_mut().insert((market.clone(), theme.clone()));
        Some(no_room)
    }

    /// Returns whether a market has room by now for a theme of which files wait for that.
    pub(in crate::service) fn has_room_again(&mut self, now: &Moment) -> bool {
        self.look_again_for_unidentified();
        let mut waits = self.upload.room_waits.borrow_mut();
        let before = waits.len();
        waits.retain(|(market, theme)| self.room_of(market, theme, now).is_err());
        waits.len() < before
    }

    fn room_of(&self, market: &MarketName, theme: &ThemeSlug, now: &Moment) -> Result<(), NoRoom> {
        let day = &self.settings.upload.day;
        if self.upload.is_room_ignored {
            return Ok(());
        }
        if let Some(why) = self.has_unidentified(market) {
            return Err(NoRoom { of_bundled: why.clone(), why, opens: None });
        }
        if day.is_off() {
            return Ok(());
        }
        let today = now.local.date();
        let ours = || self.upload.bundles.values().filter(|bundle| bundle.name.market == *market);
        if let Some(unknown) = ours().find(|bundle| bundle.rows.is_none() && !bundle.sent) {
            let why = format!("nobody can tell how many files its bundle `{}` has", unknown.name.folder());
            return Err(NoRoom { of_bundled: why.clone(), why, opens: None });
        }
        let unsent = || ours().filter(|bundle| !self.ledger.is_sent(&bundle.name));
        let rows = |bundle: &Bundle| bundle.rows.unwrap_or(0);
        let none = MarketRecord::default();
        let used = MarketUse {
            market,
            today: ours().filter(|bundle| bundle.name.day == today).map(rows).sum::<usize>()
                + self.gone_of_day(market, today),
            unsent: unsent().map(rows).sum(),
            unsent_of_theme: unsent().filter_map(|bundle| bundle.themes.get(theme)).sum(),
            record: self.record_of(market).unwrap_or(&none),
        };
        check_room(day, &used, theme, &now.local)
    }

    /// Returns the theme of a file in `upload`, the markets that would take it if the gate were open and they had room, and
    /// why others do not get it, or some of these may not.
    pub(in crate::service) fn markets_for(
        &mut self,
        facts: &Facts,
        here: Here<'_>,
    ) -> Result<(ThemeSlug, Vec<MarketName>, Vec<String>), Hold> {
        self.let_go_by_person(facts)?;
        self.upload.is_room_ignored = true;
        let plan = self.decide_asset(facts, None, None, here);
        self.upload.is_room_ignored = false;
        let Plan { about, mut not_for, unsure, .. } = plan?;
        not_for.extend(unsure);
        Ok((about.theme.unwrap_or_else(ThemeSlug::unsorted), about.markets, not_for))
    }

    /// Returns what the time to come is told by, as if what lies in bundles were sent now.
    pub(in crate::service) fn outlook(&mut self, now: &Moment) -> Outlook<'_> {
        drop(self.bundles_of(now));
        let today = now.local.date();
        let mut before: BTreeMap<MarketName, WentBefore> = BTreeMap::new();
        for market in &self.settings.upload.markets {
            let mut record = self.record_of(&market.name).cloned().unwrap_or_default();
            // In the time to come it is known that all of it was before now.
            record.clock_said(now.timestamp());
            let mut went = WentBefore { record, today: self.gone_of_day(&market.name, today) };
            for bundle in self.upload.bundles.values().filter(|bundle| bundle.name.market == market.name) {
                let files = bundle.themes.iter().filter(|_| !self.ledger.is_sent(&bundle.name));
                for (theme, count) in files {
                    (0..*count).for_each(|_| {
                        MarketRecord::send(&mut went.record, now.timestamp(), Some(theme));
                    });
                }
                went.today += bundle.rows.filter(|_| bundle.name.day == today).unwrap_or(0);
            }
            before.insert(market.name.clone(), went);
        }
        let held = self.settings.upload.markets.iter().map(|market| &market.name);
        let held = held.filter_map(|market| Some((market.clone(), self.has_unidentified(market)?))).collect();
        Outlook {
            held,
            gate: self.settings.gates.of(Stage::Upload),
            made_up: self.upload.gate_days.get(&Stage::Upload).map_or(&[], |day| &day.made_up),
            left_at: self.ledger.left_at(Stage::Upload).to_vec(),
            day: &self.settings.upload.day,
            before,
            zone: now.local.time_zone().clone(),
        }
    }

    /// Returns what was sent to a market and what it answered, if anything was.
    fn record_of(&self, market: &MarketName) -> Option<&MarketRecord> {
        self.ledger.market_records().find(|(name, _)| *name == market).map(|(_, record)| record)
    }

    /// Returns how many files of a day were sent to a market in bundles that lie elsewhere by now.
    fn gone_of_day(&self, market: &MarketName, day: Date) -> usize {
        let is_gone = |name: &BundleName| !self.upload.bundles.contains_key(name);
        let of_day = self.ledger.sent_bundles().filter(|(name, _)| name.market == *market && name.day == day);
        of_day.filter(|(name, _)| is_gone(name)).map(|(_, rows)| rows).sum()
    }
}
