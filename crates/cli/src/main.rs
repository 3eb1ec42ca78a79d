//! The `admit` program: assembly only. Commands are in files of their names; what they do is in the crates.

mod args;
mod audio;
mod client;
mod error;
mod failure;
mod header_file;
mod inspect;
mod operator;
mod output;
mod progress;
mod same_file;
mod system;
mod table;
mod terms;

use std::process::ExitCode;

use admit_protocol::Code;
use clap::Parser;

use crate::args::{Arguments, Command, DeviceCommand};
use crate::failure::Outcome;
use crate::output::Output;

/// A request makes hundreds of small allocations: a quarter of what answering one costs is the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let memory = system::protect();
    let arguments = Arguments::parse();
    let output = output_for(&arguments);
    match run(&arguments.command, memory, output).and_then(|()| output::all_printed()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if arguments.json {
                output::complain(&failure.json().to_string());
            } else {
                output::complain(&failure.line());
            }
            if failure.code == Code::ADMIT_E_USAGE { ExitCode::from(WRONG_USAGE) } else { ExitCode::FAILURE }
        }
    }
}

fn output_for(arguments: &Arguments) -> Output {
    let media = match &arguments.command {
        Command::Play(play) => play.output.as_deref(),
        Command::Device(DeviceCommand::Play(play)) => Some(play.output.as_path()),
        _ => None,
    };
    let writes_media = media == Some("-".as_ref());
    match (writes_media, arguments.json) {
        (true, _) => Output::Quiet,
        (false, true) => Output::Json,
        (false, false) => Output::Text,
    }
}

fn run(command: &Command, memory: system::Memory, output: Output) -> Outcome<()> {
    match command {
        Command::Init(args) => operator::init(args, output),
        Command::Serve(args) => operator::serve(args, memory, output),
        Command::Package(args) => operator::package(args, output),
        Command::Policy(command) => operator::policy(command, output),
        Command::Token(args) => operator::token(args, output),
        Command::Revoke(args) => operator::revoke(args, output),
        Command::Trust(command) => operator::trust(command, output),
        Command::Audit(args) => operator::audit(args, output),
        Command::Doctor(args) => operator::doctor(args, memory, output),
        Command::Admin(command) => operator::admin(command, output),
        Command::Play(args) => client::play(args, output),
        Command::Burn(args) => client::burn(args, output),
        Command::Save(args) => client::save(args, output),
        Command::License(command) => client::license(command, output),
        Command::Clock(command) => client::clock(command, output),
        Command::Device(command) => client::device(command, output),
        Command::Why(args) => client::why(args, output),
        Command::Inspect(args) => inspect::run(args, output),
        Command::Error(args) => error::run(args, output),
    }
}

/// What clap ends with, too.
const WRONG_USAGE: u8 = 2;
