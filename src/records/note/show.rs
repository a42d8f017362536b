use std::fmt;

use super::{Idea, Note};

/// What was read, as its author checks it: each idea with all that it has, and what was left out.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ideas.iter().try_for_each(|idea| idea.fmt(f))?;
        if !self.problems.is_empty() {
            writeln!(f, "left out:")?;
        }
        self.problems.iter().try_for_each(|problem| writeln!(f, "  line {}: {}", problem.line, problem.what))
    }
}

impl fmt::Display for Idea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "line {}: {}", self.line, self.title)?;
        let words = |words: &[String]| Some(words.join(", ")).filter(|text| !text.is_empty());
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let category: Vec<String> =
            self.category.iter().map(|(market, category)| format!("{market}: {category}")).collect();
        let fields = [
            ("keywords", words(&self.keywords)),
            ("mood", words(&self.mood)),
            ("description", self.description.clone()),
            ("category", Some(category.join("; ")).filter(|text| !text.is_empty())),
            ("priority", number(self.priority.map(u32::from))),
            ("variations", number(self.variations)),
            ("look", self.look.map(|look| look.to_string())),
            ("people", self.people.map(|people| people.to_string())),
            ("season", self.season.map(|season| season.to_string())),
        ];
        let mut fields = fields.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        fields.try_for_each(|(name, value)| writeln!(f, "  {name}: {value}"))?;
        self.prompts.iter().try_for_each(|prompt| writeln!(f, "  prompt: {prompt}"))
    }
}
