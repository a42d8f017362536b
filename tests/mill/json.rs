//! What commands tell programs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

/// Adds every key of a value and of all that is in it.
fn add_keys(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            keys.extend(object.keys().cloned());
            object.values().for_each(|value| add_keys(value, keys));
        }
        Value::Array(values) => values.iter().for_each(|value| add_keys(value, keys)),
        _ => (),
    }
}

/// Returns the words that stand as code in the section about a command in `docs/FORMATS.md`.
fn described(command: &str) -> BTreeSet<String> {
    let text = fs::read_to_string("docs/FORMATS.md").unwrap();
    let is_about = |section: &&str| section.lines().next().unwrap().contains(&format!("`stockmill {command}`"));
    let section = text.split("\n## ").find(is_about).unwrap_or_else(|| panic!("{command} has no section"));
    let (_, body) = section.split_once('\n').unwrap();
    body.split('`').skip(1).step_by(2).flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// Checks that `docs/FORMATS.md` describes every key of what a command told.
pub(super) fn is_described(command: &str, told: &Value) {
    let mut keys = BTreeSet::new();
    add_keys(told, &mut keys);
    let described = described(command);
    let missing: Vec<&String> = keys.iter().filter(|key| !described.contains(*key)).collect();
    assert!(missing.is_empty(), "docs/FORMATS.md describes `{command}` without {missing:?}");
}

/// Checks the same of what a command tells of a root; in the lists of `filled` there is something.
fn check_keys(root: &Root, command: &str, words: &[&str], filled: &[&str]) {
    let output = root.call(words);
    let told = String::from_utf8_lossy(&output.stdout);
    let told: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{words:?}: {error}: {told}"));
    for list in filled {
        assert!(
            told[list].as_array().is_some_and(|list| !list.is_empty()),
            "{words:?} has nothing in `{list}`: {told}"
        );
    }
    is_described(command, &told);
}

/// `answers` of `status --json` was described nowhere.
#[test]
fn every_key_that_a_command_tells_programs_is_described() {
    let settings = "keep: {method: lanczos, min_megapixels: 0.04}\nupload: {markets: [adobe-stock], limits: {adobe-stock: {at_most: 2}}}\n";
    let root = Root::with(settings);
    let tags = "title: Neon city\nkeywords: [neon]\n";
    for (theme, tags) in [("city", tags), ("bare", "keywords: [neon]\n")] {
        fs::create_dir_all(root.at(&format!("raw/{theme}"))).unwrap();
        fs::write(root.at(&format!("raw/{theme}/tags.yaml")), tags).unwrap();
    }
    fs::write(root.at("raw/city/0.png"), picture(1, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let bundle = root.bundled()[0].parent().unwrap().parent().unwrap().to_owned();
    assert!(root.call(&["sent", bundle.to_str().unwrap()]).status.success());
    fs::write(root.at("list.csv"), "Filename,Status,Why\ncity-0001.jpg,Approved,\n").unwrap();
    let list = root.at("list.csv");
    let columns = ["--columns", "file=Filename,verdict=Status,reason=Why"];
    assert!(root.call(&["verdicts", list.to_str().unwrap(), columns[0], columns[1]]).status.success());
    // Of five more one has room at the market today, and two tomorrow; one is a copy, and one has no title.
    (2..7).for_each(|n| fs::write(root.at(&format!("raw/city/{n}.png")), picture(n, 220)).unwrap());
    fs::write(root.at("raw/bare/x.png"), picture(9, 220)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    fs::write(root.at("raw/city/copy.png"), picture(2, 220)).unwrap();
    root.once();
    fs::write(root.at("raw/city/notes.zip"), "x").unwrap();
    let settings = fs::read_to_string(root.at("stockmill.yaml")).unwrap();
    let settings = settings.replace("[adobe-stock]", "[adobe-stock, vecteezy, shutterstock]");
    fs::write(root.at("stockmill.yaml"), settings + "export: {quality: 85}\n").unwrap();
    let vecteezy = fs::read_to_string("config/markets/vecteezy.yaml").unwrap();
    let vecteezy = vecteezy.replace("min: 4,", "min: 0.01,").replace("keywords: {min: 5,", "keywords: {min: 1,");
    fs::write(root.at("markets/vecteezy.yaml"), vecteezy).unwrap();
    let day = jiff::ZonedDateTime::now().date().tomorrow().unwrap().to_string();
    let until = ["plan", "--until", &day, "--json"];
    check_keys(&root, "plan --until DATE --json", &until, &["leaves", "stays", "held", "not_for", "refused"]);
    let adobe = fs::read_to_string(root.at("markets/adobe-stock.yaml")).unwrap();
    fs::write(root.at("markets/adobe-stock.yaml"), adobe.replace("min: 0.01,", "min: 5,")).unwrap();
    let archived = root.files().into_iter().find(|name| name.starts_with("archive/city/") && name.ends_with(".png"));
    fs::remove_file(root.at(&archived.unwrap())).unwrap();
    let waits =
        root.files().into_iter().find(|name| name.starts_with("upload/city/") && name.ends_with(".jpg")).unwrap();
    fs::create_dir_all(root.at("upload/other")).unwrap();
    fs::rename(root.at(&waits), root.at("upload/other/moved.jpg")).unwrap();
    fs::rename(root.at(&format!("{waits}.yaml")), root.at("upload/other/moved.jpg.yaml")).unwrap();
    check_keys(&root, "verify --json", &["verify", "--json"], &["problems", "moved"]);
    let lists = [
        "held",
        "ahead",
        "unwise",
        "refused_in_bundles",
        "taken_in_bundles",
        "answers",
        "bundles",
        "set_aside",
        "stale",
    ];
    check_keys(&root, "status --json", &["status", "--json"], &lists);
    fs::rename(root.at("export"), root.at("elsewhere")).unwrap();
    check_keys(&root, "status --json", &["status", "--json"], &["paused"]);
}
