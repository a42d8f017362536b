use std::process::ExitCode;

use serde_json::{Value, json};

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::settings::{root, settings_of_existing};
use crate::service::{NetFacts, NetLine, layout, list_nets};
use crate::vault::RealDisk;
use crate::vault::own_names::HOME;

/// Lists the nets that can enlarge pictures, for people.
pub(super) fn text(args: &RootArgs) -> Result<ExitCode, CliError> {
    for NetLine { name, what } in lines(args)? {
        match what {
            Err(why) => say!("{name}: cannot be used: {why}"),
            Ok(facts) => {
                let NetFacts { kind, scale, parameters, megapixels_a_second, seconds, .. } = facts;
                let licence = facts.licence.as_deref().unwrap_or("not said");
                say!("{name}: {kind}, {scale}x, {parameters} parameters, licence {licence}");
                say!("    {megapixels_a_second:.1} megapixels of result a second: {seconds:.1} s for 1024x1024");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists the same as one JSON object.
pub(super) fn json(args: &RootArgs) -> Result<ExitCode, CliError> {
    let models: Vec<Value> = lines(args)?.into_iter().map(one).collect();
    say!("{}", json!({"version": 1, "models": models}));
    Ok(ExitCode::SUCCESS)
}

fn one(NetLine { name, what }: NetLine) -> Value {
    match what {
        Err(why) => json!({"name": name, "refused": why}),
        Ok(NetFacts { kind, scale, parameters, licence, megapixels_a_second, seconds }) => json!({
            "name": name,
            "kind": kind,
            "scale": scale,
            "parameters": parameters,
            "licence": licence,
            "megapixels_a_second": megapixels_a_second,
            "seconds_for_1024x1024": seconds,
        }),
    }
}

/// Without a mill there is the net that comes with stockmill.
fn lines(args: &RootArgs) -> Result<Vec<NetLine>, CliError> {
    if args.root.is_none() && !root(args)?.join(HOME).is_dir() {
        return list_nets(None).map_err(|error| CliError::failed(&error));
    }
    let disk = RealDisk::open_to_look(layout(&settings_of_existing(args)?));
    list_nets(Some(&*disk)).map_err(|error| CliError::failed(&error))
}
