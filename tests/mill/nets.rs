//! Neural nets that a person brings.

use std::fs;

use super::{NOTE, Root, picture, size};

/// Returns the file of a compact net that makes each pixel `scale`×`scale` of the same, a little lighter by `bias`.
fn net(scale: usize, bias: f32) -> Vec<u8> {
    let outputs = 3 * scale * scale;
    let tensors = [
        ("body.0.weight", vec![2, 3, 3, 3], 0.0),
        ("body.0.bias", vec![2], 0.0),
        ("body.1.weight", vec![2], 0.5),
        ("body.2.weight", vec![outputs, 2, 3, 3], 0.0),
        ("body.2.bias", vec![outputs], bias),
    ];
    let (mut entries, mut data) = (vec![r#""__metadata__":{"license":"CC0-1.0"}"#.to_owned()], Vec::new());
    for (name, shape, value) in tensors {
        let begin = data.len();
        data.extend((0..shape.iter().product()).flat_map(|_: usize| f32::to_le_bytes(value)));
        let end = data.len();
        entries.push(format!(r#""{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#));
    }
    let head = format!("{{{}}}", entries.join(","));
    [&(head.len() as u64).to_le_bytes()[..], head.as_bytes(), &data].concat()
}

fn bring(root: &Root, name: &str, bytes: &[u8]) {
    fs::create_dir_all(root.at("models")).unwrap();
    fs::write(root.at("models").join(name), bytes).unwrap();
}

/// It enlarges what it is asked for; a picture that it does not make large enough is brought to its size, and that is told.
/// Another file under its name makes what it made stale, and what it is to make waits while it is not there.
#[test]
fn a_net_enlarges_and_its_file_is_part_of_the_recipe() {
    let root = Root::with("keep: {method: 2x-foto, scale: 3}\n");
    root.idea(NOTE);
    assert!(root.once().status.success());
    fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 40)).unwrap();
    let missing = "the method `2x-foto` is a net of `models/`, and `models/2x-foto.safetensors` is not there";
    root.once();
    assert!(root.bundled().is_empty() && root.text(&["status"]).contains(missing), "{}", root.log());

    bring(&root, "2x-foto.safetensors", &net(2, 0.0));
    root.once();
    let log = root.log();
    assert!(log.contains("Enlarged from 40x40 to 120x120 by the net `2x-foto`"), "{log}");
    assert!(log.contains("its net enlarges 2 times, and lanczos from there to 120x120"), "{log}");
    let file = root.bundled().pop().unwrap();
    assert_eq!(size(&file), (120, 120));
    let explain = || root.text(&["explain", file.to_str().unwrap()]);
    assert!(explain().contains("by `model 2x-foto ") && !explain().contains("\nstale"), "{}", explain());

    let tags = "title: A cabin\nenlarge: {method: 2x-foto, restore: 30}\n";
    fs::create_dir_all(root.at("raw/other")).unwrap();
    fs::write(root.at("raw/other/tags.yaml"), tags).unwrap();
    let check = root.text(&["check"]);
    assert!(check.contains("`raw/other/tags.yaml`: `enlarge`: a net of `models/` has no `restore`"), "{check}");

    bring(&root, "2x-foto.safetensors", &net(2, 0.01));
    assert!(explain().contains("stale    made by `model 2x-foto "), "{}", explain());
    fs::rename(root.at("models/2x-foto.safetensors"), root.at("models/2x-fotos.safetensors")).unwrap();
    assert!(explain().contains(&format!("{missing} (did you mean `2x-fotos`?)")), "{}", explain());
}

#[test]
fn what_is_in_models_is_listed_and_what_cannot_be_used_says_why() {
    let root = Root::with("keep: {method: 3x-foto}\n");
    bring(&root, "2x-foto.safetensors", &net(2, 0.0));
    bring(&root, "1x.safetensors", &net(1, 0.0));
    bring(&root, "my net.safetensors", &net(2, 0.0));
    bring(&root, "neura.safetensors", &net(2, 0.0));
    bring(&root, "torn.safetensors", &net(2, 0.0)[..900]);
    bring(&root, "read me.txt", b"a text");
    std::os::unix::fs::symlink("2x-foto.safetensors", root.at("models/link.safetensors")).unwrap();
    let (said, check) = (root.text(&["models"]), root.text(&["check"]));
    let rows = [
        ("2x-foto: compact SRVGGNet, 2x, 286 parameters, licence CC0-1.0\n", None),
        ("1x: cannot be used: ", Some("layer `body.2.weight`: it makes 3 channels, and 12, 27 or 48 are known")),
        ("my net.safetensors: cannot be used: ", Some("`my net` cannot name a net")),
        ("torn: cannot be used: ", Some("it is damaged or cut off; copy the file again")),
        ("link.safetensors: cannot be used: ", Some("it is no regular file; copy the net here")),
        ("read me.txt: cannot be used: the name of a net's file ends in `.safetensors`", None),
        ("neura: cannot be used: its name is too like that of another method; rename the file", None),
    ];
    for (start, why) in rows {
        let line = said.lines().find(|line| format!("{line}\n").starts_with(start));
        assert!(line.is_some_and(|line| why.is_none_or(|why| line.contains(why))), "{start}: {said}");
        assert!(why.is_none_or(|why| check.contains(why)), "{start}: {check}");
    }
    assert!(check.contains("`keep.method`: the method `3x-foto` is a net of `models/`"), "{check}");
    let json: serde_json::Value = serde_json::from_str(&root.text(&["models", "--json"])).unwrap();
    super::json::is_described("models --json", &json);
    let models = json["models"].as_array().unwrap();
    let named = |name: &str| models.iter().find(|model| model["name"] == name).unwrap();
    assert_eq!((&named("2x-foto")["scale"], &named("2x-foto")["licence"]), (&2.into(), &"CC0-1.0".into()));
    assert!(named("2x-foto")["seconds_for_1024x1024"].as_f64().unwrap() > 0.0);
    assert!(named("1x")["refused"].as_str().unwrap().contains("3 channels"));
}

#[test]
fn convert_takes_a_net_by_its_name_or_its_path() {
    let root = Root::new();
    bring(&root, "4x-foto.safetensors", &net(4, 0.0));
    let folder = root.outside();
    fs::write(folder.join("in.png"), picture(1, 20)).unwrap();
    let path = root.at("models/4x-foto.safetensors");
    let convert = |method: &str, more: &[&str]| {
        let [from, to] = ["in.png", "out.png"].map(|name| folder.join(name).to_str().unwrap().to_owned());
        let words = [&["convert", &from, &to, "--force", "--scale", "4", "--method", method], more].concat();
        root.text(&words)
    };
    for method in ["4x-foto", path.to_str().unwrap()] {
        let _ = fs::remove_file(folder.join("out.png"));
        assert_eq!(convert(method, &[]), "");
        let made = image::open(folder.join("out.png")).unwrap().to_rgb8();
        let source = image::open(folder.join("in.png")).unwrap().to_rgb8();
        assert_eq!(made.dimensions(), (80, 80));
        assert!(made.enumerate_pixels().all(|(x, y, pixel)| pixel == source.get_pixel(x / 4, y / 4)), "{method}");
    }
    let rows = [
        (convert("5x-foto", &[]), "there is no net `5x-foto`; `stockmill models` lists what is there"),
        (convert("./gone.safetensors", &[]), "`./gone.safetensors`: it is not there"),
        (convert("a/b", &[]), "`a/b` cannot name a net"),
        (convert("4x-foto", &["--restore", "5"]), "`--restore` has an effect with `--method neural` or `auto` alone"),
    ];
    for (said, expected) in rows {
        assert!(said.contains(expected), "{said}");
    }
}
