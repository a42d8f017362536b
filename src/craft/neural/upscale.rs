//! A picture enlarged by a net, row by row.

use std::sync::Arc;

use super::cpu::Cpu;
use super::crew::{Crew, with_crew};
use super::line::{Begun, Line};
use super::net::{Layers, Net, Nodes};
use super::pixels::{Scale, gather, spread, spread_length};
use super::plain::COLORS;
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
        if !(2..=4).any(|times| self.net.scale_for(times) == self.scale) {
            return Err(CraftError::Defect(format!("this net makes no picture {} times as large", self.scale.times())));
        }
        match &self.net.layers {
            Layers::C48(nodes) => self.rows_of(nodes, source, progress, call),
            Layers::C64(nodes) => self.rows_of(nodes, source, progress, call),
            Layers::C96(nodes) => self.rows_of(nodes, source, progress, call),
        }
    }

    fn rows_of<const C: usize, R>(
        &self,
        nodes: &Nodes<C>,
        source: &mut NextRow<'_>,
        progress: &dyn Progress,
        call: impl FnOnce(&mut UpscaledRows<'_>) -> Result<R, CraftError>,
    ) -> Result<R, CraftError> {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let line = Line::new(nodes, self.cpu, width, height);
        let (line, channels) = (&line, if self.is_grey { 1 } else { COLORS });
        let row = width * self.scale.times() * channels;
        let worker = || {
            let mut room = Room::new();
            move |step: usize, begun: Begun| {
                let made = line.step(step, &begun, &mut room);
                let mut rows = vec![0.0; made.iter().flatten().count() * self.scale.times() * row];
                for (made, rows) in made.into_iter().flatten().zip(rows.chunks_mut(self.scale.times() * row)) {
                    gather(&made[1..], self.net.scale, self.scale, channels, rows);
                }
                rows
            }
        };
        with_crew(self.threads.min(line.steps()), worker, |crew| {
            let empty = Arc::new(vec![0.0; spread_length(width)]);
            let begun: Begun = std::array::from_fn(|_| Arc::clone(&empty));
            let own = vec![0.0; width * channels];
            let next = Box::new(source);
            let source = Source { next, net: self.net, channels, height, read: 0, own, empty, begun };
            let of = self.size.height.saturating_mul(u32::try_from(self.scale.times()).expect("a few"));
            let (steps, made) = (line.steps(), Vec::new());
            call(&mut UpscaledRows { source, crew, progress, steps, given: 0, made, at: 0, row, done: 0, of })
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
    /// What the last step began with.
    begun: Begun,
}

impl Source<'_> {
    /// Returns what the next step begins with.
    fn begin(&mut self) -> Result<Begun, CraftError> {
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
        Ok(self.begun.clone())
    }
}

/// The rows of a picture that is being enlarged. Whether the work is to go on is asked for each, and for each step that
/// makes them.
pub struct UpscaledRows<'a> {
    source: Source<'a>,
    crew: Crew<'a, Begun, Vec<f32>>,
    progress: &'a dyn Progress,
    steps: usize,
    /// How many steps were given to the crew.
    given: usize,
    /// What the last step made, and how much of it was lent.
    made: Vec<f32>,
    at: usize,
    /// How many numbers a row has.
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
            while self.given < self.steps && self.crew.has_room() {
                self.crew.give(self.source.begin()?);
                self.given += 1;
            }
            self.progress.rows(self.done, self.of)?;
            // What was lent goes before the next is made.
            (self.made, self.at) = (Vec::new(), 0);
            self.made = self.crew.take();
        }
        self.progress.rows(self.done, self.of)?;
        self.done += 1;
        let at = self.at;
        self.at += self.row;
        Ok(Some(&self.made[at..self.at]))
    }
}
