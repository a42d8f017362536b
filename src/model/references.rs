/// What a file names inside: the other files that it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// Each file that it names, once.
    pub named: Vec<Reference>,
    /// Why it may name more than that; `None` if that is all.
    pub unknown: Option<String>,
}

impl References {
    /// Returns the references of a file that cannot be searched, and why.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { named: Vec::new(), unknown: Some(why.into()) }
    }
}

/// A point in a file that names another file, or several.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The ways in which it can be read, the likeliest first; each is a list of names as they are
    /// written. `a b.mtl` is one file or two.
    pub readings: Vec<Vec<String>>,
    /// Whether the content may lie inside the file as well, so that nobody needs the file that is named.
    pub may_be_inside: bool,
}

impl Reference {
    /// Returns a reference to the file of this name.
    pub fn to(name: impl Into<String>) -> Self {
        Self { readings: vec![vec![name.into()]], may_be_inside: false }
    }

    /// Returns a reference to one file that can be read in several ways.
    pub fn any_of(names: impl IntoIterator<Item = String>) -> Self {
        Self { readings: names.into_iter().map(|name| vec![name]).collect(), may_be_inside: false }
    }
}
