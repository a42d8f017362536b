//! What `status` says of tags that markets may dislike.

use serde_json::{Value, json};

use super::out::{counted, say};
use crate::model::on_one_line;
use crate::service::Unwise;

/// The most themes that are named for one kind.
const THEMES_MAX: usize = 3;

/// Prints what is unwise, one line for each kind.
pub(super) fn print(unwise: &[Unwise]) {
    if unwise.is_empty() {
        return;
    }
    say!("\nTags that markets may dislike, which nothing waits for:");
    unwise.chunk_by(|a, b| a.kind == b.kind).for_each(|of_kind| say!("  {}", line(of_kind)));
    say!("  `stockmill explain FILE` tells all of one file, `stockmill status --json` names all themes");
}

/// Returns the line of one kind: how many files, of which themes, and what is told of the first.
fn line(of_kind: &[Unwise]) -> String {
    let (mut themes, mut files): (Vec<&str>, usize) = (Vec::new(), 0);
    for unwise in of_kind {
        // The files of one theme may be alike in more than one way; the first is that of most files.
        if !themes.contains(&unwise.theme.as_str()) {
            themes.push(&unwise.theme);
            files += unwise.files;
        }
    }
    let files = counted(files, "file");
    let named = themes.iter().take(THEMES_MAX).map(|theme| match *theme {
        "" => "no theme".to_owned(),
        theme => format!("`{theme}`"),
    });
    let mut named = named.collect::<Vec<_>>().join(", ");
    if themes.len() > THEMES_MAX {
        named = format!("{named} and {}", counted(themes.len() - THEMES_MAX, "more theme"));
    }
    let Unwise { kind, first, text, .. } = &of_kind[0];
    on_one_line(&format!("{}: {files} of {named}; `{first}`: {text}", kind.name()))
}

/// Returns the same for a program, all themes.
pub(super) fn list(unwise: &[Unwise]) -> Vec<Value> {
    let one = |Unwise { kind, theme, files, first, text }: &Unwise| json!({"kind": kind.name(), "theme": theme, "files": files, "first": first.to_string(), "why": text});
    unwise.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::WarningKind;
    use crate::model::RelPath;

    #[test]
    fn a_kind_has_one_line_however_many_themes_there_are() {
        let of = |theme: &str, files| Unwise {
            kind: WarningKind::NoTitle,
            theme: theme.to_owned(),
            files,
            first: RelPath::new("raw/x.png").unwrap(),
            text: "it has no title".to_owned(),
        };
        let rows: [(&[Unwise], &str); 4] = [
            (&[of("sea", 4), of("sea", 3)], "no title: 4 files of `sea`; `raw/x.png`: it has no title"),
            (&[of("sea", 1)], "no title: 1 file of `sea`; `raw/x.png`: it has no title"),
            (&[of("sea", 3), of("", 2)], "no title: 5 files of `sea`, no theme; `raw/x.png`: it has no title"),
            (
                &[of("a", 1), of("b", 1), of("c", 1), of("d", 1), of("e", 1)],
                "no title: 5 files of `a`, `b`, `c` and 2 more themes; `raw/x.png`: it has no title",
            ),
        ];
        for (unwise, expected) in rows {
            assert_eq!(line(unwise), expected);
        }
    }
}
