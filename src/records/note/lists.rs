//! What each line below one heading is: an idea, a field and its values, a prompt, a detail.

use super::block::{Block, Line};
use super::keys::{Key, done_idea, key_named, split_key};
use super::marks;

/// The most columns before an item or a line that is not below another one.
const INDENT_MAX: usize = 1;
/// A note's own title stands above at least so many lines.
const TITLED_LINES_MIN: usize = 3;

/// Which parts of a section are its ideas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Items,
    Lines,
    /// None; the whole note is one idea, named in its front matter.
    Single,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An item that is an idea, if items are.
    Idea,
    /// An item above ideas.
    Group,
    /// `title: value`.
    Title,
    /// The start of a field.
    Key(Key),
    /// More of the field that is open.
    Value,
    Prompt,
    /// An item below another.
    Detail,
    /// A line of text.
    Text,
    /// A line of text that goes with the item above.
    ItemText,
    Other,
}

/// What stands below one heading.
#[derive(Default)]
pub(super) struct Body {
    pub(super) kinds: Vec<Kind>,
    /// Fields stand before the first idea, or all that stands there is prompts.
    pub(super) has_fields: bool,
    pub(super) has_prose: bool,
    /// Each item is a list of words.
    pub(super) is_all_words: bool,
    has_records: bool,
    items: usize,
    /// The columns before the items that have the fewest.
    item_indent: usize,
    titles: usize,
    /// Lines that could be ideas, and such that could not.
    lines: usize,
    sentences: usize,
    is_short_lines: bool,
    /// A line that can be an idea stands before the first item.
    has_line_first: bool,
    /// The first line stands alone above all others.
    pub(super) has_title_line: bool,
}

/// A field whose values may go on in the lines below.
struct Open {
    indent: usize,
    is_item: bool,
    has_value: bool,
    /// Its value so far ends with a comma.
    is_unfinished: bool,
}

impl Open {
    fn takes_item(&self, indent: usize) -> bool {
        !self.has_value && indent >= self.indent + usize::from(self.is_item)
    }

    fn takes_text(&self, line: &Line) -> bool {
        let is_deeper = line.indent > self.indent;
        if self.has_value {
            !line.after_blank && (is_deeper || self.is_unfinished)
        } else {
            is_deeper || (!self.is_item && !line.after_blank)
        }
    }
}

/// An item that others may stand below.
struct Above {
    indent: usize,
    /// Its place among the plain items, if it is one.
    plain: Option<usize>,
}

/// An item that is no field and no prompt.
struct Plain {
    /// Its place among the blocks.
    at: usize,
    indent: usize,
    depth: usize,
    has_below: bool,
    has_two_below: bool,
}

/// Sorts the blocks of one section.
struct Sorter {
    body: Body,
    open: Option<Open>,
    above: Vec<Above>,
    plain: Vec<Plain>,
    is_ordered: Option<bool>,
    has_prompts: bool,
    /// Items that are `title: value`.
    title_items: usize,
    /// Items before these that are other fields.
    field_items: usize,
    /// For each line that could be an idea, whether a blank one stands before it.
    gaps: Vec<bool>,
}

impl Body {
    /// Sorts blocks; below a field's heading all of them are its values.
    pub(super) fn of(blocks: &[Block], field: Option<Key>) -> Self {
        if field.is_some() {
            let kind = |block: &Block| if is_other_field(block) { Kind::Other } else { Kind::Value };
            return Self { kinds: blocks.iter().map(kind).collect(), ..Self::default() };
        }
        let mut sorter = Sorter {
            body: Self { is_all_words: true, is_short_lines: true, ..Self::default() },
            open: None,
            above: Vec::new(),
            plain: Vec::new(),
            is_ordered: None,
            has_prompts: false,
            title_items: 0,
            field_items: 0,
            gaps: Vec::new(),
        };
        for (at, block) in blocks.iter().enumerate() {
            let kind = sorter.sort(block, blocks.get(at + 1));
            sorter.body.kinds.push(kind);
        }
        sorter.finish()
    }

    /// Returns whether ideas stand in it.
    pub(super) fn is_list(&self) -> bool {
        self.items > 0 || self.has_records || self.titles > 1 || (self.lines > 1 && self.is_short_lines)
    }

    /// Returns which parts are the ideas; where no heading stands, each line may be one.
    pub(super) fn mode(&self, is_only: bool, has_title: bool) -> Option<Mode> {
        let is_lines = self.item_indent > INDENT_MAX && self.has_line_first;
        let is_mixed = self.lines - self.sentences > self.items;
        if self.items > 0 && !is_lines && !(is_mixed && (is_only || self.is_short_lines)) {
            return Some(Mode::Items);
        }
        if is_only && !self.has_records {
            return Some(if has_title { Mode::Single } else { Mode::Lines });
        }
        if (self.lines > 1 && self.is_short_lines) || self.titles > 1 {
            return Some(Mode::Lines);
        }
        Some(Mode::Items).filter(|_| self.has_records || self.has_fields)
    }

    /// Returns whether most of its lines are sentences: then each is meant as an idea.
    pub(super) fn is_of_sentences(&self) -> bool {
        self.sentences * 2 > self.lines
    }
}

fn is_other_field(block: &Block) -> bool {
    block.line().is_some_and(|line| split_key(&line.text).is_some_and(|(_, value)| !value.is_empty()))
        || matches!(block, Block::Record(_) | Block::Shared(_))
}

impl Sorter {
    fn sort(&mut self, block: &Block, next: Option<&Block>) -> Kind {
        match block {
            Block::Item { line, is_ordered, .. } => self.item(line, *is_ordered, next),
            Block::Text(line) => self.text(line),
            Block::Fenced(_) => {
                self.has_prompts = true;
                self.open = None;
                Kind::Prompt
            }
            Block::Record(_) => {
                self.body.has_records = true;
                Kind::Other
            }
            Block::Heading { .. } | Block::Shared(_) => Kind::Other,
        }
    }

    fn item(&mut self, line: &Line, is_ordered: bool, next: Option<&Block>) -> Kind {
        let is_next_idea =
            |first: &Plain| self.is_ordered == Some(is_ordered) && line.indent <= first.indent + INDENT_MAX;
        if self.open.as_ref().is_some_and(|open| {
            open.takes_item(line.indent) && !(open.indent <= INDENT_MAX && self.plain.first().is_some_and(is_next_idea))
        }) {
            return Kind::Value;
        }
        self.open = None;
        while self.above.last().is_some_and(|above| line.indent < above.indent + 2) {
            self.above.pop();
        }
        let parent = self.above.last().map(|above| above.plain);
        let key = field_in(&line.text).or_else(|| parent.and(bare_key(line, next)));
        let kind = match key {
            Some((Key::Title | Key::Theme, value)) if !value.is_empty() => {
                self.title_items += usize::from(parent.is_none());
                if parent.is_some() { Kind::Title } else { Kind::Idea }
            }
            Some((key, value)) => {
                self.field_items += usize::from(parent.is_none() && self.title_items == 0);
                self.open = Some(Open {
                    indent: line.indent,
                    is_item: true,
                    has_value: !value.is_empty(),
                    is_unfinished: value.ends_with(','),
                });
                Kind::Key(key)
            }
            None if marks::looks_like_prompt(&line.raw) => {
                self.has_prompts = true;
                Kind::Prompt
            }
            None if parent == Some(None) => Kind::Detail,
            None => Kind::Idea,
        };
        let plain = (kind == Kind::Idea).then(|| self.plain_item(line, parent.flatten(), is_ordered));
        self.above.push(Above { indent: line.indent, plain });
        kind
    }

    fn plain_item(&mut self, line: &Line, parent: Option<usize>, is_ordered: bool) -> usize {
        let mut depth = 0;
        if let Some(parent) = parent {
            depth = self.plain[parent].depth + 1;
            self.plain[parent].has_below = true;
            let grand = self.above.iter().rev().nth(1).and_then(|above| above.plain);
            if let Some(grand) = grand {
                self.plain[grand].has_two_below = true;
            }
        } else {
            self.is_ordered.get_or_insert(is_ordered);
            self.body.is_all_words &= line.text.contains(',') && marks::is_words(&line.text);
            self.body.item_indent =
                if self.body.items == 0 { line.indent } else { self.body.item_indent.min(line.indent) };
            self.body.has_line_first |= self.body.items == 0 && self.body.lines > 0;
            self.body.items += 1;
        }
        let at = self.body.kinds.len();
        self.plain.push(Plain { at, indent: line.indent, depth, has_below: false, has_two_below: false });
        self.plain.len() - 1
    }

    fn text(&mut self, line: &Line) -> Kind {
        let key = field_in(&line.text);
        if let Some(open) = self.open.as_mut().filter(|open| key.is_none() && open.takes_text(line)) {
            open.is_unfinished = line.text.ends_with(',');
            return Kind::Value;
        }
        self.open = None;
        let is_of_item = line.indent > INDENT_MAX && self.above.last().is_some_and(|above| line.indent > above.indent);
        match key {
            Some((Key::Title | Key::Theme, value)) if !value.is_empty() => {
                self.body.titles += usize::from(!is_of_item);
                Kind::Title
            }
            Some((key, value)) => {
                self.body.has_fields |= self.plain.is_empty() && self.body.titles == 0;
                self.open = Some(Open {
                    indent: line.indent,
                    is_item: false,
                    has_value: !value.is_empty(),
                    is_unfinished: value.ends_with(','),
                });
                Kind::Key(key)
            }
            None if marks::looks_like_prompt(&line.raw) => {
                self.has_prompts = true;
                Kind::Prompt
            }
            None if is_of_item => Kind::ItemText,
            None => {
                if line.indent <= INDENT_MAX {
                    self.body.lines += 1;
                    self.body.sentences += usize::from(marks::is_sentence(&line.text) || marks::is_talk(&line.text));
                    self.body.is_short_lines = self.body.is_short_lines && marks::is_short(&line.text);
                    self.gaps.push(line.after_blank);
                }
                self.body.has_prose = true;
                Kind::Text
            }
        }
    }

    /// Tells apart the items that are ideas, what stands above them, and what stands below them.
    fn finish(mut self) -> Body {
        self.body.has_fields |= self.has_prompts && self.plain.is_empty() && self.body.lines < 2;
        // Among ideas, a field is one of them; among fields, a line of text is about the idea in the heading.
        self.body.has_fields |= self.field_items > 0 && self.field_items >= self.body.items;
        self.body.has_fields |= self.body.titles == 1 || (self.title_items == 1 && self.body.items == 1);
        let mut depth = 0;
        loop {
            let here = self.plain.iter().filter(|plain| plain.depth == depth && plain.has_below);
            let (with_two, all) =
                here.fold((0, 0), |(two, all), plain| (two + usize::from(plain.has_two_below), all + 1));
            if with_two * 2 < all || with_two == 0 {
                break;
            }
            depth += 1;
        }
        for plain in &self.plain {
            self.body.kinds[plain.at] = match plain.depth {
                above if above < depth && plain.has_below => Kind::Group,
                deep if deep > depth => Kind::Detail,
                _ => Kind::Idea,
            };
        }
        self.body.has_title_line = self.body.kinds.first() == Some(&Kind::Text)
            && self.gaps.len() > TITLED_LINES_MIN
            && self.gaps[1]
            && !self.gaps[2..].contains(&true);
        self.body
    }
}

fn field_in(text: &str) -> Option<(Key, &str)> {
    split_key(text).filter(|_| done_idea(text).is_none())
}

/// Returns the field that an item names above its values, without a colon.
fn bare_key<'a>(line: &Line, next: Option<&Block>) -> Option<(Key, &'a str)> {
    let has_below = matches!(next, Some(Block::Item { line: below, .. }) if below.indent >= line.indent + 2);
    let key = key_named(&line.text).filter(|_| has_below)?;
    (!matches!(key, Key::Title | Key::Theme)).then_some((key, ""))
}
