use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use super::{ContentHash, Size, nearest};

/// What stands for the picture that is enlarged, for what becomes of it, and for how many times as large that is.
const IN: &str = "{in}";
const OUT: &str = "{out}";
const SCALE: &str = "{scale}";
/// The most arguments, and the most bytes of one.
const ARGUMENTS_MAX: usize = 64;
const ARGUMENT_BYTES_MAX: usize = 1024;
/// How many digits tell one command line from another.
const DIGITS: usize = 8;

/// A program of a person's own that enlarges pictures: its arguments, and what it may cost. It is no line for a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    run: Vec<String>,
    scales: Vec<u8>,
    /// How long it may work on one picture, in seconds.
    pub timeout_s: u64,
    /// How much memory each of its processes may fill, in MiB.
    pub memory_mib: u64,
}

/// What is wrong with an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentProblem {
    /// Which argument, from 0; `None` if it is about all of them.
    pub argument: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

impl CommandLine {
    /// Takes a program and its arguments, and by how much it can enlarge; says all that is wrong with them.
    pub fn new(
        run: Vec<String>,
        mut scales: Vec<u8>,
        timeout_s: u64,
        memory_mib: u64,
    ) -> Result<Self, Vec<ArgumentProblem>> {
        let problems = problems(&run, scales.len());
        if !problems.is_empty() {
            return Err(problems);
        }
        scales.sort_unstable();
        scales.dedup();
        Ok(Self { run, scales, timeout_s, memory_mib })
    }

    /// Returns the program: a name that is looked up in `PATH`, or an absolute path.
    pub fn program(&self) -> &str {
        &self.run[0]
    }

    /// Returns the program's file name.
    pub fn name(&self) -> &str {
        self.program().rsplit('/').next().unwrap_or_default()
    }

    /// Returns the program and its arguments as they are written.
    pub fn written(&self) -> &[String] {
        &self.run
    }

    /// Returns by how much it is to enlarge a picture: no more than is needed, or as much as it can.
    pub fn times(&self, from: Size, to: Size) -> u8 {
        let reaches = |times: &&u8| {
            let times = u32::from(**times);
            from.width * times >= to.width && from.height * times >= to.height
        };
        *self.scales.iter().find(reaches).or(self.scales.last()).expect("there is a scale")
    }

    /// Returns its arguments for a picture, those behind the program.
    pub fn arguments(&self, input: &Path, output: &Path, times: u8) -> Vec<OsString> {
        self.run[1..].iter().map(|argument| filled(argument, input, output, times)).collect()
    }

    /// Returns the step that it takes.
    pub fn step(&self, from: Size, to: Size) -> ProgramStep {
        let digest = ContentHash::of(self.run.join("\0").as_bytes()).to_string();
        let digest: String = digest.chars().filter(char::is_ascii_hexdigit).take(DIGITS).collect();
        ProgramStep { name: one_word(self.name()), times: self.times(from, to), digest }
    }
}

/// What a program did, or is to do, to a picture, as a sidecar tells it: `realesrgan-ncnn-vulkan x4 1f2e3d4c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramStep {
    /// The program's file name, in one word.
    pub name: String,
    /// How many times as large it made it.
    pub times: u8,
    /// Digits that are others for another command line.
    digest: String,
}

impl ProgramStep {
    /// Reads it at the start of words; returns what stands behind it.
    pub fn read<'a>(words: &'a [&'a str]) -> Option<(Self, &'a [&'a str])> {
        let [name, times, digest, rest @ ..] = words else { return None };
        let times = times.strip_prefix('x')?.parse().ok().filter(|times| (1..=16).contains(times))?;
        let is_digest = digest.len() == DIGITS && digest.chars().all(|c| c.is_ascii_hexdigit());
        let step = Self { name: (*name).to_owned(), times, digest: (*digest).to_owned() };
        (is_digest && !name.is_empty()).then_some((step, rest))
    }
}

impl fmt::Display for ProgramStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x{} {}", self.name, self.times, self.digest)
    }
}

/// Returns a file name as one word of a recipe, in which `;` and brackets mean something.
fn one_word(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "._-+".contains(c) { c } else { '_' }).collect()
}

fn problems(run: &[String], scales: usize) -> Vec<ArgumentProblem> {
    let about_all = |what: String, hint: &str| ArgumentProblem { argument: None, what, hint: hint.to_owned() };
    let Some(program) = run.first().filter(|program| !program.is_empty()) else {
        let hint = "write it as [realesrgan-ncnn-vulkan, -i, \"{in}\", -o, \"{out}\", -s, \"{scale}\", -f, png]";
        return vec![about_all("it names no program".to_owned(), hint)];
    };
    let mut problems: Vec<ArgumentProblem> = Vec::new();
    if program.contains('/') && !program.starts_with('/') {
        let what = format!("`{program}` is neither a name nor an absolute path");
        let hint = "write the whole path, or the name alone if its folder is in PATH".to_owned();
        problems.push(ArgumentProblem { argument: Some(0), what, hint });
    }
    for (number, argument) in run.iter().enumerate() {
        problems.extend(argument_problem(number, argument));
    }
    if run.len() > ARGUMENTS_MAX {
        let what = format!("it has {} arguments; at most {ARGUMENTS_MAX} are taken", run.len());
        problems.push(about_all(what, "write a script that has them, and name that"));
    }
    for placeholder in [IN, OUT] {
        if !run[1..].iter().any(|argument| argument.contains(placeholder)) {
            let what = format!("none of its arguments is \"{placeholder}\"");
            let what_for = if placeholder == IN { "the picture to enlarge" } else { "the file that it is to write" };
            problems.push(about_all(what, &format!("put it where the program takes {what_for}")));
        }
    }
    if scales > 1 && !run[1..].iter().any(|argument| argument.contains(SCALE)) {
        let what = format!("none of its arguments is \"{SCALE}\", and `scales` has more than one");
        problems.push(about_all(what, "put it where the program takes that, or leave one in `scales`"));
    }
    problems
}

/// Returns what is wrong with one argument.
fn argument_problem(number: usize, argument: &str) -> Option<ArgumentProblem> {
    let problem = |what: String, hint: String| Some(ArgumentProblem { argument: Some(number), what, hint });
    if argument.len() > ARGUMENT_BYTES_MAX || argument.contains('\0') {
        let what = format!("an argument has at most {ARGUMENT_BYTES_MAX} bytes, and none is zero");
        return problem(what, "write a script that has it, and name that".to_owned());
    }
    if number == 0 && [IN, OUT, SCALE].iter().any(|known| argument.contains(known)) {
        return problem("the program itself is no placeholder".to_owned(), "name the program first".to_owned());
    }
    let open = argument.match_indices('{').map(|(at, _)| &argument[at..]);
    let unknown = open.into_iter().find(|rest| ![IN, OUT, SCALE].iter().any(|known| rest.starts_with(known)))?;
    let unknown = &unknown[..unknown.find('}').map_or(unknown.len(), |end| end + 1)];
    let near = nearest(unknown, &[IN, OUT, SCALE]).map(|near| format!("did you mean `{near}`?"));
    problem(
        format!("there is no placeholder `{unknown}`"),
        near.unwrap_or_else(|| format!("the placeholders are {IN}, {OUT} and {SCALE}")),
    )
}

/// Returns an argument with what its placeholders stand for. What takes their place is not looked into again.
fn filled(argument: &str, input: &Path, output: &Path, times: u8) -> OsString {
    let (mut whole, mut rest) = (OsString::new(), argument);
    while let Some(at) = rest.find('{') {
        whole.push(&rest[..at]);
        let placeholder = [IN, OUT, SCALE].into_iter().find(|known| rest[at..].starts_with(known));
        let placeholder = placeholder.expect("it was checked");
        match placeholder {
            IN => whole.push(input),
            OUT => whole.push(output),
            _ => whole.push(times.to_string()),
        }
        rest = &rest[at + placeholder.len()..];
    }
    whole.push(rest);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(run: &[&str], scales: &[u8]) -> Result<CommandLine, Vec<ArgumentProblem>> {
        CommandLine::new(run.iter().map(|word| (*word).to_owned()).collect(), scales.to_vec(), 600, 4096)
    }

    #[test]
    fn each_placeholder_becomes_what_it_stands_for() {
        let rows: [(&[&str], &[&str]); 5] = [
            (&["x", "{in}", "{out}", "{scale}"], &["/m/{out}.png", "/m/out.png", "3"]),
            (&["x", "-i", "{in}", "-o={out}"], &["-i", "/m/{out}.png", "-o=/m/out.png"]),
            (&["x", "{in}{out}{in}"], &["/m/{out}.png/m/out.png/m/{out}.png"]),
            (&["/opt/a b/x", "{in}", "{out}", "a b; rm -r $HOME"], &["/m/{out}.png", "/m/out.png", "a b; rm -r $HOME"]),
            (&["x", "", "}", "{in}", "{out}", "x{scale}y{scale}"], &["", "}", "/m/{out}.png", "/m/out.png", "x3y3"]),
        ];
        for (run, expected) in rows {
            let filled = line(run, &[3]).unwrap().arguments("/m/{out}.png".as_ref(), "/m/out.png".as_ref(), 3);
            assert_eq!(filled, expected, "{run:?}");
        }
    }

    #[test]
    fn what_cannot_be_run_is_refused_with_its_place() {
        let long = "x".repeat(ARGUMENT_BYTES_MAX + 1);
        let many: Vec<&str> = ["x", "{in}", "{out}"].into_iter().chain([""; ARGUMENTS_MAX]).collect();
        let rows: [(&[&str], &[u8], Option<usize>, &str); 13] = [
            (&[], &[4], None, "it names no program"),
            (&["", "{in}", "{out}"], &[4], None, "it names no program"),
            (&["bin/x", "{in}", "{out}"], &[4], Some(0), "`bin/x` is neither a name nor an absolute path"),
            (&["x", "{out}"], &[4], None, "none of its arguments is \"{in}\""),
            (&["x", "{in}"], &[4], None, "none of its arguments is \"{out}\""),
            (&["x", "{in}", "{out}"], &[2, 4], None, "none of its arguments is \"{scale}\", and `scales` has more"),
            (&["x", "{in}", "{out}", "{input}"], &[4], Some(3), "there is no placeholder `{input}`"),
            (&["x", "{in}", "{out}", "a{"], &[4], Some(3), "there is no placeholder `{`"),
            (&["x", "{in}", "{out}", "{}"], &[4], Some(3), "there is no placeholder `{}`"),
            (&["x", "{in}", "{out}", "{in"], &[4], Some(3), "there is no placeholder `{in`"),
            (&["{in}", "{in}", "{out}"], &[4], Some(0), "the program itself is no placeholder"),
            (&["x", "{in}", "{out}", &long], &[4], Some(3), "an argument has at most 1024 bytes"),
            (&many, &[4], None, "it has 67 arguments"),
        ];
        for (run, scales, argument, what) in rows {
            let problems = line(run, scales).unwrap_err();
            let found = problems.iter().any(|problem| problem.argument == argument && problem.what.starts_with(what));
            assert!(found && problems.iter().all(|problem| !problem.hint.is_empty()), "{run:?}: {problems:?}");
        }
        assert_eq!(line(&["b/x", "{inn}"], &[2, 4]).unwrap_err().len(), 5, "all problems come at once");
    }

    #[test]
    fn it_enlarges_no_more_than_is_needed() {
        let line = line(&["x", "{in}", "{out}", "{scale}"], &[4, 2, 3, 2]).unwrap();
        let from = Size { width: 100, height: 50 };
        for (to, times) in
            [((101, 51), 2), ((200, 100), 2), ((201, 100), 3), ((200, 101), 3), ((301, 151), 4), ((900, 450), 4)]
        {
            assert_eq!(line.times(from, Size { width: to.0, height: to.1 }), times, "{to:?}");
        }
    }

    #[test]
    fn a_step_is_read_as_it_is_written_and_tells_command_lines_apart() {
        let (from, to) = (Size { width: 10, height: 10 }, Size { width: 40, height: 40 });
        let step = |run: &[&str]| line(run, &[4]).unwrap().step(from, to);
        let one = step(&["/opt/my tools/up;scale(2)", "{in}", "{out}"]);
        assert_eq!((one.name.as_str(), one.times), ("up_scale_2_", 4));
        let text = one.to_string();
        let words: Vec<&str> = text.split(' ').chain(["10x20"]).collect();
        assert_eq!(ProgramStep::read(&words), Some((one.clone(), &["10x20"][..])));
        for other in [
            &["up;scale(2)", "{in}", "{out}"][..],
            &["/opt/my tools/up;scale(2)", "{out}", "{in}"],
            &["/opt/my tools/up;scale(2)", "{in}", "{out}", ""],
        ] {
            assert_ne!(step(other), one, "{other:?}");
        }
        for text in ["", "x", "x x4", "x 4 01234567", "x x0 01234567", "x x4 0123456", "x x4 0123456g", " x4 01234567"]
        {
            assert_eq!(ProgramStep::read(&text.split(' ').collect::<Vec<_>>()), None, "{text:?}");
        }
    }
}
