//! `show-lines`: what `run` starts for a configuration's `[run] show`, so that an example can be seen at work
//! with nothing else installed. Prints each line that arrives, with the address it came to.
//!
//! It ends when its stdin does: the relay holds the other end.

use super::{output, style};
use anstyle::AnsiColor;
use clap::Args;
use std::{
    io::{self, BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    thread,
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Addresses to listen on
    #[arg(required = true)]
    addresses: Vec<SocketAddr>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    for (at, &address) in arguments.addresses.iter().enumerate() {
        let listener = TcpListener::bind(address).map_err(|error| anyhow::anyhow!("{address}: {error}"))?;
        thread::spawn(move || show(&listener, address, COLORS[at % COLORS.len()]));
    }
    output::remark(format_args!("showing what arrives at {}", list(&arguments.addresses)));
    // Nothing is ever written there; the read returns when the relay has ended.
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(ExitCode::SUCCESS)
}

const COLORS: [AnsiColor; 4] = [AnsiColor::Green, AnsiColor::Cyan, AnsiColor::Magenta, AnsiColor::Yellow];

fn show(listener: &TcpListener, address: SocketAddr, color: AnsiColor) {
    for connection in listener.incoming().flatten() {
        thread::spawn(move || {
            for line in BufReader::new(connection).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                let shown = format_args!("{}{address}{} {line}", color.on_default(), style::RESET);
                if output::answer_line(shown).is_err() {
                    return;
                }
            }
        });
    }
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
