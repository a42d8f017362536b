//! A picture enlarged by a net, row by row.

use std::sync::Arc;

use super::cpu::Cpu;
use super::crew::{Crew, with_crew};
use super::line::{Begun, Line};
use super::net::{Layers, Net, Nodes};
use super::panels::{COLUMNS_MAX, Panel};
use super::pixels::{Scale, gather, spread, spread_length};
use super::plain::COLORS;
use super::rows::Pool;
use super::winograd::{REACH, Room, TILE};
use crate::craft::{CraftError, Progress};
use crate::model::Size;

/// How a picture is enlarged.
#[derive(Debug, Clone, Copy)]
pub struct Upscale<'a> {
    /// What enlarges it.
    pub net: &'a Net,
    /// How large it is.
    pub size: Size,
    /// Whether it has one channel, not three.
    pub is_grey: bool,
    /// How large it becomes: as the net makes it, [`Net::scale_for`].
    pub scale: Scale,
    /// How many threads work on it; the result does not depend on that.
    pub threads: usize,
    /// Which instructions they use.
    pub cpu: Cpu,
}

/// Writes the next row of a source: its channels side by side, from 0 to 255.
pub type NextRow<'a> = dyn FnMut(&mut [f32]) -> Result<(), CraftError> + 'a;

impl Upscale<'_> {
    /// Takes the rows of a source as they are needed, and lends those of the result to `call`, one after another. A few
    /// of either are in memory, and of each layer: of the net that comes with stockmill about 16 kB for each pixel of the
    /// width, and 4 kB for each thread more, whatever the height. Threads live as long as the call.
    pub fn rows<R>(
        &self,
        source: &mut NextRow<'_>,
        progress: &dyn Progress,
        call: impl FnOnce(&mut UpscaledRows<'_>) -> Result<R, CraftError>,
    ) -> Result<R, CraftError> {
        self.in_panels(COLUMNS_MAX, source, progress, call)
    }

    /// Does so by panels of so many columns; the result does not depend on that.
    pub(super) fn in_panels<R>(
        &self,
        columns_max: usize,
        source: &mut NextRow<'_>,
        progress: &dyn Progress,
        call: impl FnOnce(&mut UpscaledRows<'_>) -> Result<R, CraftError>,
    ) -> Result<R, CraftError> {
        if !(2..=4).any(|times| self.net.scale_for(times) == self.scale) {
            return Err(CraftError::Defect(format!("this net makes no picture {} times as large", self.scale.times())));
        }
        match &self.net.layers {
            Layers::C48(nodes) => self.rows_of(nodes, columns_max, source, progress, call),
            Layers::C64(nodes) => self.rows_of(nodes, columns_max, source, progress, call),
        }
    }

    fn rows_of<const C: usize, R>(
        &self,
        nodes: &Nodes<C>,
        columns_max: usize,
        source: &mut NextRow<'_>,
        progress: &dyn Progress,
        call: impl FnOnce(&mut UpscaledRows<'_>) -> Result<R, CraftError>,
    ) -> Result<R, CraftError> {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let panels = Panel::split(width, columns_max, nodes.last().map_or(0, |node| node.lag));
        let pool = Pool::new(panels.iter().map(|panel| panel.width).max().unwrap_or(0));
        let lines: Vec<_> = panels.iter().map(|panel| Line::new(nodes, self.cpu, *panel, height, &pool)).collect();
        let (channels, times) = (if self.is_grey { 1 } else { COLORS }, self.scale.times());
        // Jobs are those of all panels, step by step.
        let worker = || {
            let mut room = Room::new();
            let (lines, panels) = (&lines, &panels);
            move |number: usize, begun: Begun| {
                let panel = panels[number % panels.len()];
                let made = lines[number % panels.len()].step(number / panels.len(), &begun, &mut room);
                let four = times * times * panel.own_width * channels;
                let mut rows = vec![0.0; made.iter().flatten().count() * four];
                for (made, rows) in made.into_iter().flatten().zip(rows.chunks_mut(four)) {
                    gather(&made[1 + panel.own - panel.from..], self.net.scale, self.scale, channels, rows);
                }
                rows
            }
        };
        let jobs = lines[0].steps() * panels.len();
        with_crew(self.threads.min(jobs), worker, |crew| {
            let empty = Arc::new(vec![0.0; spread_length(width)]);
            let begun: Begun = std::array::from_fn(|_| Arc::clone(&empty));
            let own = vec![0.0; width * channels];
            let next = Box::new(source);
            let source = Source { next, net: self.net, channels, height, read: 0, own, empty, begun };
            let of = self.size.height.saturating_mul(u32::try_from(times).expect("a few"));
            let (made, pixel) = (Vec::new(), times * channels);
            let (panels, row) = (&panels[..], width * pixel);
            call(&mut UpscaledRows {
                source,
                crew,
                progress,
                panels,
                jobs,
                given: 0,
                made,
                at: 0,
                pixel,
                row,
                done: 0,
                of,
            })
        })
    }
}

/// The rows of a source.
struct Source<'a> {
    next: Box<NextRow<'a>>,
    net: &'a Net,
    channels: usize,
    height: usize,
    /// How many are read.
    read: usize,
    own: Vec<f32>,
    /// A row outside of the picture.
    empty: Arc<Vec<f32>>,
    /// What the step in hand begins with.
    begun: Begun,
}

impl Source<'_> {
    /// Reads what the next step begins with.
    fn begin(&mut self) -> Result<(), CraftError> {
        self.begun.rotate_left(TILE);
        for n in REACH - TILE..REACH {
            self.begun[n] = Arc::clone(&self.empty);
            if self.read < self.height {
                self.read += 1;
                (self.next)(&mut self.own)?;
                let mut row = vec![0.0; self.empty.len()];
                spread(self.net, &self.own, self.channels, &mut row);
                self.begun[n] = Arc::new(row);
            }
        }
        Ok(())
    }
}

/// The rows of a picture that is being enlarged. Whether the work is to go on is asked for each, and for each step that
/// makes them.
pub struct UpscaledRows<'a> {
    source: Source<'a>,
    crew: Crew<'a, Begun, Vec<f32>>,
    progress: &'a dyn Progress,
    panels: &'a [Panel],
    jobs: usize,
    /// How many jobs were given to the crew.
    given: usize,
    /// What the last step made, and how much of it was lent.
    made: Vec<f32>,
    at: usize,
    /// How many numbers a row has for each column of the source, and for all.
    pixel: usize,
    row: usize,
    done: u32,
    of: u32,
}

impl UpscaledRows<'_> {
    /// Returns the next row: its channels side by side, from 0 to 255; `None` behind the last one.
    pub fn next_row(&mut self) -> Result<Option<&[f32]>, CraftError> {
        if self.done == self.of {
            return Ok(None);
        }
        while self.at == self.made.len() {
            // What was lent goes before the next is made.
            (self.made, self.at) = (Vec::new(), 0);
            self.made = self.step()?;
        }
        self.progress.rows(self.done, self.of)?;
        self.done += 1;
        let at = self.at;
        self.at += self.row;
        Ok(Some(&self.made[at..self.at]))
    }

    /// Returns the rows that the next step makes, those of its panels side by side.
    fn step(&mut self) -> Result<Vec<f32>, CraftError> {
        let mut rows = Vec::new();
        for panel in self.panels {
            self.give()?;
            self.progress.rows(self.done, self.of)?;
            let made = self.crew.take();
            if self.panels.len() == 1 {
                return Ok(made);
            }
            let (own, own_width) = (panel.own * self.pixel, panel.own_width * self.pixel);
            rows.resize(made.len() / own_width * self.row, 0.0);
            for (made, row) in made.chunks_exact(own_width).zip(rows.chunks_exact_mut(self.row)) {
                row[own..own + own_width].copy_from_slice(made);
            }
        }
        Ok(rows)
    }

    /// Gives the crew as much as it has room for.
    fn give(&mut self) -> Result<(), CraftError> {
        while self.given < self.jobs && self.crew.has_room() {
            if self.given.is_multiple_of(self.panels.len()) {
                self.source.begin()?;
            }
            self.crew.give(self.source.begun.clone());
            self.given += 1;
        }
        Ok(())
    }
}
