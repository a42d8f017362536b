//! All layers of a net at work on one panel of a picture, four rows at a time.
//!
//! A layer lags behind those that it is made of by as many rows as its taps reach below: in step `n` each works the four
//! rows from `4n − lag` on, of rows that are all there. Steps pass a layer in their order; several may be under way, each
//! with a thread of its own, at different layers.

use std::sync::{Arc, Mutex};

use super::cpu::Cpu;
use super::net::{Node, Nodes, Work};
use super::panels::Panel;
use super::plain::{COLORS, First, FirstRow, Mix, MixRow};
use super::rows::{Pool, Queue, Row};
use super::turns::Turns;
use super::vector::Pixel;
use super::winograd::{Conv, REACH, Room, TILE, TileRow};

/// The four rows of a layer that a step makes; `None` stands for one outside of the picture.
type Made<const C: usize> = [Option<Arc<Row<C>>>; TILE];
/// The rows of the source that a step begins with: from two above its first convolution's on.
pub(super) type Begun = [Arc<Vec<f32>>; REACH];

/// All layers at work.
pub(super) struct Line<'a, const C: usize> {
    nodes: &'a Nodes<C>,
    cpu: Cpu,
    panel: Panel,
    height: usize,
    pool: Arc<Pool<C>>,
    empty: Row<C>,
    /// What each node waits for, by node and input.
    queues: Vec<Vec<Mutex<Queue<C>>>>,
    turns: Vec<Turns>,
}

impl<'a, const C: usize> Line<'a, C> {
    pub(super) fn new(nodes: &'a Nodes<C>, cpu: Cpu, panel: Panel, height: usize, pool: &Arc<Pool<C>>) -> Self {
        let queue = |layer: &usize| Mutex::new(Queue::new(-nodes[*layer].lag.cast_signed()));
        let queues = nodes.iter().map(|node| node.inputs.iter().map(queue).collect()).collect();
        let turns = nodes.iter().map(|_| Turns::default()).collect();
        let empty = Row::empty(pool, panel.width);
        Self { nodes, cpu, panel, height, pool: Arc::clone(pool), empty, queues, turns }
    }

    /// Returns how many steps a picture takes.
    pub(super) fn steps(&self) -> usize {
        let lag = self.nodes.last().map_or(0, |node| node.lag);
        (self.height + lag).div_ceil(TILE)
    }

    /// Works one step: returns the rows of the last layer.
    pub(super) fn step(&self, step: usize, source: &Begun, room: &mut Room<C>) -> Made<C> {
        let mut made = Made::default();
        for (number, node) in self.nodes.iter().enumerate() {
            made = self.turns[number].wait(step).pass(|| {
                let made = self.work(number, node, step, (source, room));
                self.deliver(number, &made);
                made
            });
        }
        made
    }

    /// Returns the rows of a layer's step that lie in the picture; `at` is the first row of the step.
    fn lent(&self, at: isize) -> [Option<Row<C>>; TILE] {
        std::array::from_fn(|n| self.is_row(at + n.cast_signed()).then(|| self.pool.lend(self.panel.width)))
    }

    fn is_row(&self, y: isize) -> bool {
        usize::try_from(y).is_ok_and(|y| y < self.height)
    }

    fn work(&self, number: usize, node: &Node<C>, step: usize, (source, room): (&Begun, &mut Room<C>)) -> Made<C> {
        let at = (step * TILE).cast_signed() - node.lag.cast_signed();
        let (made, above) = match &node.work {
            Work::First(first) => (self.first(first, source, at), 0),
            Work::Conv(conv) => (self.conv(conv, number, at, room), 1),
            Work::Mix(mix) => (self.mix(mix, number, at), 0),
        };
        // The next step's first row, and the one above it that a convolution sees.
        for input in 0..node.inputs.len() {
            let above = if input == 0 { above } else { 0 };
            self.queue(number, input, |queue| queue.forget_before(at + TILE.cast_signed() - above));
        }
        made
    }

    fn first(&self, first: &First<C>, source: &Begun, at: isize) -> Made<C> {
        let mut rows = self.lent(at);
        for (n, row) in rows.iter_mut().enumerate() {
            if let Some(row) = row {
                let from = [0, 1, 2].map(|y| &source[n + y][self.panel.from * COLORS..]);
                self.cpu.run(FirstRow { first, from, to: row });
                row.empty_outside();
            }
        }
        rows.map(|row| row.map(Arc::new))
    }

    fn conv(&self, conv: &Conv<C>, number: usize, at: isize, room: &mut Room<C>) -> Made<C> {
        let from: [_; REACH] = self.queue(number, 0, |queue| queue.rows(at - 1));
        let gate: Made<C> = match self.queues[number].len() {
            1 => Default::default(),
            _ => self.queue(number, 1, |queue| queue.rows(at)),
        };
        let from = from.each_ref().map(|row| self.seen(row.as_ref()));
        let gate = gate.each_ref().map(|row| self.seen(row.as_ref()));
        let tiles = self.panel.width.div_ceil(TILE);
        self.tiles(at, |to| self.cpu.run(TileRow { conv, from, gate, to, tiles, room }))
    }

    fn mix(&self, mix: &Mix<C>, number: usize, at: isize) -> Made<C> {
        let inputs = 0..self.queues[number].len();
        let from: Vec<Made<C>> = inputs.map(|input| self.queue(number, input, |queue| queue.rows(at))).collect();
        let mut rows = self.lent(at);
        for (n, row) in rows.iter_mut().enumerate() {
            if let Some(row) = row {
                let from: Vec<_> = from.iter().map(|made| self.seen(made[n].as_ref())).collect();
                self.cpu.run(MixRow { mix, from: &from, to: row });
                row.empty_outside();
            }
        }
        rows.map(|row| row.map(Arc::new))
    }

    /// Makes four rows of tiles, the first of them `at`. What a tile has outside of the picture is thrown away.
    fn tiles(&self, at: isize, make: impl FnOnce([&mut [Pixel<C>]; TILE])) -> Made<C> {
        let is_row: [bool; TILE] = std::array::from_fn(|n| self.is_row(at + n.cast_signed()));
        if !is_row.contains(&true) {
            return Default::default();
        }
        let mut rows: [Row<C>; TILE] = std::array::from_fn(|_| self.pool.lend(self.panel.width));
        make(rows.each_mut().map(|row| &mut **row));
        let mut is_row = is_row.into_iter();
        rows.map(|mut row| {
            is_row.next().unwrap_or(false).then(|| {
                row.empty_outside();
                Arc::new(row)
            })
        })
    }

    fn seen<'b>(&'b self, row: Option<&'b Arc<Row<C>>>) -> &'b [Pixel<C>] {
        row.map_or(&self.empty, |row| row)
    }

    fn queue<T>(&self, node: usize, input: usize, with: impl FnOnce(&mut Queue<C>) -> T) -> T {
        with(&mut self.queues[node][input].lock().expect("no holder panics"))
    }

    /// Hands rows of a layer to all that are made of it.
    fn deliver(&self, layer: usize, made: &Made<C>) {
        for (number, node) in self.nodes.iter().enumerate() {
            for input in (0..node.inputs.len()).filter(|input| node.inputs[*input] == layer) {
                self.queue(number, input, |queue| queue.push(made));
            }
        }
    }
}
