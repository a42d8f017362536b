//! What the parts of a note are: which headings are sections and which are themes, which items and lines are ideas.

use std::ops::Range;

use super::block::{Block, Line};
use super::keys::{Key, is_advice_heading, is_done_heading, is_general_heading, key_named, split_key};
use super::lists::{Body, Mode};
use super::marks;

/// The longest line above a list that is its heading because it ends with a colon.
const LABEL_WORDS_MAX: usize = 6;

/// A heading and what stands below it, to the next heading.
pub(super) struct Section {
    pub(super) heading: Option<(u8, Line)>,
    /// The blocks below the heading.
    pub(super) blocks: Range<usize>,
    parent: Option<usize>,
    pub(super) body: Body,
    pub(super) role: Role,
    /// A section below it is a field of its own.
    has_field_below: bool,
    /// There is something below the headings below it.
    has_content_below: bool,
    /// There are ideas or fields below the headings below it.
    has_ideas_below: bool,
}

/// What a section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// What stands in it are ideas.
    Ideas(Mode),
    /// The heading is an idea, and the rest is about it.
    Theme,
    /// A field of the theme above, or of the whole note.
    Field(Key, Owner),
    /// What stands in it is done.
    Done,
    /// It holds no ideas.
    LeftOut,
}

/// Whose field a heading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Theme,
    Note,
}

/// Returns the sections of a note; the first has no heading.
pub(super) fn sections(blocks: &mut [Block], has_title: bool) -> Vec<Section> {
    find_labels(blocks);
    let mut sections: Vec<Section> = Vec::new();
    let mut start = 0;
    let mut heading = None;
    let mut above: Vec<usize> = Vec::new();
    for at in 0..=blocks.len() {
        let next = match blocks.get(at) {
            Some(Block::Heading { level, line }) => Some((*level, line.clone())),
            Some(_) => continue,
            None => None,
        };
        let level = heading.as_ref().map_or(0, |(level, _)| *level);
        above.retain(|above| sections[*above].level() < level);
        let parent = above.last().copied();
        above.push(sections.len());
        let body = Body::of(&blocks[start..at], heading.as_ref().and_then(|(_, line)| field_of(line)));
        sections.push(Section {
            heading: std::mem::replace(&mut heading, next),
            blocks: start..at,
            parent,
            body,
            role: Role::LeftOut,
            has_field_below: false,
            has_content_below: false,
            has_ideas_below: false,
        });
        start = at + 1;
    }
    find_owners(&mut sections, blocks);
    look_below(&mut sections);
    find_roles(&mut sections, has_title);
    sections
}

/// Makes headings of the lines that stand above a list as one: `Food:`, `Done`.
fn find_labels(blocks: &mut [Block]) {
    for at in 0..blocks.len() {
        // `## Keywords: snow` is a field, and so is one above a line across the page.
        if let Block::Heading { line, .. } = &blocks[at]
            && split_key(&line.text)
                .is_some_and(|(key, value)| !value.is_empty() && !matches!(key, Key::Title | Key::Theme))
        {
            blocks[at] = Block::Text(line.clone());
        }
        let Block::Text(line) = &blocks[at] else { continue };
        let is_above = matches!(blocks.get(at + 1), Some(Block::Item { .. } | Block::Text(_) | Block::Fenced(_)));
        let is_list_above = matches!(blocks.get(at + 1), Some(Block::Item { .. }));
        let is_label = match split_key(&line.text) {
            Some((Key::Unplaced | Key::Status | Key::Metadata, "")) => true,
            // `Ideas:`, in a language where one word is both.
            Some((Key::Title | Key::Theme, "")) => is_list_above,
            Some(_) => false,
            None if line.text.ends_with(':') => line.text.split_whitespace().count() <= LABEL_WORDS_MAX,
            None => is_list_above && is_done_heading(&line.text),
        };
        if line.indent == 0 && is_above && is_label {
            blocks[at] = Block::Heading { level: 8, line: line.clone() };
        }
    }
}

/// Returns the field that a heading names.
fn field_of(line: &Line) -> Option<Key> {
    let is_title = || matches!(line.text.trim_end_matches(':').to_lowercase().as_str(), "title" | "titel" | "titre");
    match key_named(&line.text)? {
        Key::Title if is_title() => Some(Key::Title),
        Key::Title | Key::Theme | Key::Unplaced | Key::Metadata => None,
        Key::Status if is_done_heading(&line.text) => None,
        key => Some(key),
    }
}

impl Section {
    fn level(&self) -> u8 {
        self.heading.as_ref().map_or(0, |(level, _)| *level)
    }

    fn name(&self) -> &str {
        self.heading.as_ref().map_or("", |(_, line)| &line.text)
    }

    fn field(&self) -> Option<Key> {
        self.heading.as_ref().and_then(|(_, line)| field_of(line))
    }

    fn has_fields(&self) -> bool {
        self.body.has_fields || self.has_field_below
    }
}

/// Gives each field's heading to the theme above it, if there is one.
fn find_owners(sections: &mut [Section], blocks: &[Block]) {
    let mut before: Option<usize> = None;
    for at in 0..sections.len() {
        let Some(key) = sections[at].field() else {
            before = Some(at).filter(|_| sections[at].heading.is_some());
            continue;
        };
        let level = sections[at].level();
        let mut owner = before;
        while let Some(above) = owner.filter(|above| sections[*above].level() > level) {
            owner = sections[above].parent;
        }
        let takes = |above: &usize| {
            let section = &sections[*above];
            let is_below = section.level() < level;
            let is_list = section.body.is_list() && !(is_below && section.body.is_all_words);
            section.heading.is_some()
                && !is_general_heading(section.name())
                && !is_list
                && (is_below || key != Key::Status)
        };
        let owner = owner.filter(takes);
        match owner {
            Some(owner) => sections[owner].has_field_below = true,
            // The status of no idea is a heading like others.
            None if key == Key::Status => {
                sections[at].body = Body::of(&blocks[sections[at].blocks.clone()], None);
                before = Some(at);
                continue;
            }
            None => {}
        }
        sections[at].role = Role::Field(key, if owner.is_some() { Owner::Theme } else { Owner::Note });
    }
}

fn look_below(sections: &mut [Section]) {
    for at in (0..sections.len()).rev() {
        let section = &sections[at];
        // A chat-bot's advice below an idea makes no section of it.
        let counts = !matches!(section.role, Role::Field(..)) && !is_advice_heading(section.name());
        let Some(parent) = section.parent.filter(|_| counts) else { continue };
        let has_ideas = section.body.is_list() || section.has_fields() || section.has_ideas_below;
        let has_content = has_ideas || section.body.has_prose || section.has_content_below;
        sections[parent].has_ideas_below |= has_ideas;
        sections[parent].has_content_below |= has_content;
    }
}

fn find_roles(sections: &mut [Section], has_title: bool) {
    let has_lists = sections.iter().any(|section| section.body.is_list() && !matches!(section.role, Role::Field(..)));
    let top = sections.iter().filter(|section| section.heading.is_some()).map(Section::level).min();
    let is_lone_top = sections.iter().filter(|section| Some(section.level()) == top).count() == 1;
    let is_only = sections.len() == 1;
    for at in 0..sections.len() {
        let section = &sections[at];
        let above = section.parent.map(|parent| sections[parent].role);
        let is_top = is_lone_top && Some(section.level()) == top;
        let is_title = is_top && (section.has_ideas_below || section.has_content_below && !section.has_fields());
        let is_general = is_general_heading(section.name());
        let body = &section.body;
        let role = match (section.role, above) {
            (field @ Role::Field(..), _) => field,
            _ if section.heading.is_none() => body.mode(is_only, has_title).map_or(Role::LeftOut, Role::Ideas),
            (_, Some(Role::Theme)) => Role::LeftOut,
            (_, Some(Role::Done)) => Role::Done,
            _ if is_done_heading(section.name()) => Role::Done,
            _ if is_advice_heading(section.name()) => Role::LeftOut,
            _ if section.has_fields() && !is_title && !is_general && !section.has_ideas_below => Role::Theme,
            _ if body.is_list() => Role::Ideas(body.mode(false, false).unwrap_or(Mode::Items)),
            _ if section.has_ideas_below || is_title => Role::Ideas(Mode::Items),
            _ if is_general || is_intro(section) => Role::LeftOut,
            _ if body.has_prose => Role::Theme,
            _ if section.has_content_below => Role::Ideas(Mode::Items),
            _ if has_lists || section.level() == 8 => Role::LeftOut,
            _ => Role::Theme,
        };
        sections[at].role = role;
    }
}

/// Returns whether a line with a colon is an introduction.
fn is_intro(section: &Section) -> bool {
    section.level() >= 7
        && (marks::is_talk(section.name()) || section.level() == 8 && marks::is_sentence(section.name()))
}
