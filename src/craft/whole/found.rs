//! What a look at the boxes of an MP4 or MOV showed.

use std::collections::BTreeSet;
use std::ops::Range;

use super::boxes::Top;
use super::edit::Edit;
use super::{Cannot, CraftError};
use crate::model::Kind;

/// What is known of the boxes of a video.
#[derive(Default)]
pub(super) struct Found {
    /// How what is private is blanked.
    pub(super) edits: Vec<Edit>,
    /// The boxes that lie in no other.
    pub(super) top: Vec<Top>,
    /// The tables that say where the streams lie, and how wide their numbers are.
    pub(super) tables: Vec<(Range<u64>, usize)>,
    pub(super) has_fragments: bool,
    /// Whether something besides these tables says where something lies.
    pub(super) has_places: bool,
    /// Whether some samples lie where no content is, or end there.
    pub(super) is_elsewhere: bool,
    /// Whether some of what is private is a track, or lies among the samples of the others.
    pub(super) is_in_content: bool,
    /// The boxes that stockmill writes tags into, whoever wrote them.
    pub(super) tags: Vec<([u8; 4], Range<u64>)>,
    /// What a person is told of that.
    pub(super) told: Vec<String>,
}

impl Found {
    /// Returns whether there is more that is private than what stockmill writes: a `udta` in the index, and in an MP4 an XMP
    /// packet beside it, of each one.
    pub(super) fn is_more_than_tags(&self, kind: Kind) -> bool {
        let own: Vec<_> = self.tags.iter().filter(|(name, _)| name == b"udta" || kind == Kind::Mp4).collect();
        let names: BTreeSet<&[u8; 4]> = own.iter().map(|(name, _)| name).collect();
        let is_tag = |edit: &Edit| own.iter().any(|(_, at)| at.start <= edit.at.start && edit.at.end <= at.end);
        self.is_in_content || names.len() < own.len() || !self.edits.iter().all(is_tag)
    }

    /// Returns edits; where they cannot be told, none, and tells why.
    pub(super) fn or_told(&mut self, edits: Result<Vec<Edit>, Cannot>, what: &str) -> Result<Vec<Edit>, CraftError> {
        match edits {
            Err(Cannot::Hold(why)) => {
                self.told.push(format!("{what}, since {why}"));
                Ok(Vec::new())
            }
            Err(Cannot::Read(error)) => Err(error),
            Ok(edits) => Ok(edits),
        }
    }

    /// Returns where the content lies, in the order of the file.
    pub(super) fn contents(&self) -> Vec<Range<u64>> {
        self.top.iter().filter(|top| top.is_content()).map(|top| top.content.clone()).collect()
    }

    /// Returns the index, if nothing else says where the content lies.
    pub(super) fn only_index(&self) -> Result<&Top, Cannot> {
        if self.has_fragments {
            return Err(Cannot::Hold("it is written in fragments"));
        }
        let mut indices = self.top.iter().filter(|top| top.name == *b"moov");
        let (Some(index), None) = (indices.next(), indices.next()) else {
            return Err(Cannot::Hold("it has more than one index"));
        };
        Ok(index)
    }
}
