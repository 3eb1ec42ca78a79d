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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Arguments;

    /// What stands in backquotes.
    fn quoted(text: &str) -> impl Iterator<Item = &str> {
        text.split('`').skip(1).step_by(2)
    }

    fn has_option(command: &clap::Command, name: &str) -> bool {
        command.get_arguments().any(|argument| argument.get_long() == Some(name))
            || command.get_subcommands().any(|command| has_option(command, name))
    }

    #[test]
    fn every_command_and_option_that_a_remedy_names_exists() {
        let mut program = Arguments::command();
        program.build();
        let mut found = 0;
        for code in Code::ALL {
            for text in quoted(code.action()) {
                if let Some(words) = text.strip_prefix("admit ") {
                    let command = words.split(' ').try_fold(&program, |command, word| command.find_subcommand(word));
                    assert!(command.is_some_and(|command| !command.is_subcommand_required_set()), "{code}: {text}");
                } else if let Some(option) = text.strip_prefix("--") {
                    assert!(has_option(&program, option), "{code}: {text}");
                } else {
                    let known = ["ADMIT_HOME", "admit.toml", "Allow", "/openapi.json", "/ready"];
                    assert!(known.contains(&text), "{code}: {text} is neither a command nor an option");
                }
                found += 1;
            }
        }
        assert!(found > 10);
    }
}
