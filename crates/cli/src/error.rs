//! `admit error`: the error table.

use admit_protocol::Code;
use serde_json::{Value, json};

use crate::args::ErrorArgs;
use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// Prints one code, or all of them.
pub(crate) fn run(args: &ErrorArgs, output: Output) -> Outcome<()> {
    let Some(wanted) = &args.code else {
        output.json(|| Code::ALL.iter().map(|&code| document(code)).collect());
        for code in Code::ALL {
            output.line(|| format!("0x{:08X}  {:<50} {}", code.number(), code.name(), code.description()));
        }
        return Ok(());
    };
    let code = Code::find(wanted).ok_or_else(|| {
        Failure::new(Code::ADMIT_E_USAGE, format!("{wanted} is in no table"))
            .with_action("See them all with: admit error")
    })?;
    output.json(|| document(code));
    output.line(|| {
        format!("{code}\n{}\nWhat to do: {}\nClass: {}", code.description(), code.action(), code.class().name())
    });
    Ok(())
}

fn document(code: Code) -> Value {
    json!({
        "name": code.name(),
        "code": format!("0x{:08X}", code.number()),
        "description": code.description(),
        "action": code.action(),
        "class": code.class().name(),
    })
}
