//! `explain-code`: the page of a diagnostic.

use anyhow::bail;
use clap::Args;
use relay_build::diagnostics::{self, Code};
use std::process::ExitCode;

/// Tell what a diagnostic code means, with a wrong and a right configuration
#[derive(Args)]
pub(crate) struct Arguments {
    /// A code such as R0203; without one, all codes are listed
    #[arg(value_parser = parse_code)]
    code: Option<Code>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match arguments.code {
        Some(code) => match diagnostics::page(code) {
            Some(page) => print!("{page}"),
            None => bail!("there is no code {code}; `relay-build explain-code` lists them"),
        },
        None => {
            for (code, page) in diagnostics::pages() {
                println!("{}", page.lines().next().unwrap_or_default().trim_start_matches("# "));
                debug_assert!(page.contains(&code.to_string()));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn parse_code(text: &str) -> Result<Code, String> {
    text.strip_prefix(['R', 'r'])
        .filter(|digits| digits.len() == 4)
        .and_then(|digits| digits.parse().ok())
        .map(Code)
        .ok_or_else(|| "a code is an R and four digits, such as R0203".to_owned())
}
