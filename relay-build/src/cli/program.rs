//! The two programs that have completions and manual pages: relay-build, and the relays that it builds.
//!
//! A relay reads its few arguments itself; here they are described once more, for generators. A test holds the
//! description to what `relay --help` prints.

use clap::{Arg, ArgAction, Command, CommandFactory as _, ValueEnum, ValueHint};
use relay_runtime::serve;

/// A program.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Program {
    /// This one
    RelayBuild,
    /// What it builds
    Relay,
}

impl Program {
    /// Its command line.
    pub(super) fn command(self) -> Command {
        match self {
            Self::RelayBuild => super::Arguments::command(),
            Self::Relay => relay(),
        }
    }
}

fn relay() -> Command {
    let word = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).value_name(value).help(help)
    };
    let option =
        |name: &'static str, value: &'static str, help: &'static str| word(name, value, help).long(name);
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
    };
    let destination = || word("destination", "DESTINATION", "As `relay spool list` prints it").required(true);
    let file = word("file", "FILE", "Where to put the lines: compressed if it ends in .zst; - for stdout");
    Command::new("relay")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A Graphite relay, compiled from its configuration")
        .long_about(serve::usage())
        .disable_help_subcommand(true)
        .subcommand(Command::new("trace").about("Print what becomes of each line on stdin, as JSON"))
        .subcommand(
            Command::new("replay")
                .about("Print what is sent when for timed lines on stdin, in virtual time")
                .arg(word("until", "UNTIL", "The second at which to end")),
        )
        .subcommand(
            Command::new("record")
                .about("Take the lines that a running relay gets into a file")
                .arg(option("lines", "N", "How many lines"))
                .arg(option("seconds", "S", "For how long"))
                .arg(option("pid", "PID", "Which relay, if several run"))
                .arg(file.required(true).value_hint(ValueHint::FilePath)),
        )
        .subcommand(
            Command::new("spool")
                .about("List, send or remove what is on disk")
                .subcommand_required(true)
                .subcommand(
                    Command::new("list")
                        .about("Show the spools in the spool directory")
                        .arg(flag("json", "As one JSON object per line")),
                )
                .subcommand(
                    Command::new("drain").about("Send a spool, and remove it").arg(destination()).arg(word(
                        "address",
                        "ADDRESS",
                        "Where to send it instead",
                    )),
                )
                .subcommand(Command::new("drop").about("Remove a spool").arg(destination())),
        )
        .arg(flag("config", "Print the plan that was built in, as JSON"))
        .arg(flag("manifest", "Print what the relay was built from, as JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command and long option of `command` and of those below it.
    fn words(command: &Command) -> Vec<String> {
        let options =
            command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?)));
        let commands = command
            .get_subcommands()
            .flat_map(|below| std::iter::once(below.get_name().to_owned()).chain(words(below)));
        options.chain(commands).collect()
    }

    #[test]
    fn the_description_of_a_relay_and_its_help_name_the_same_words() {
        let (described, help) = (words(&relay()), serve::usage());
        let missing: Vec<_> = described.iter().filter(|word| !help.contains(word.as_str())).collect();
        assert!(missing.is_empty(), "not in `relay --help`: {missing:?}");
        let in_help = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let own = ["--version", "--help"];
        for word in in_help.filter(|word| word.starts_with("--") && !own.contains(word)) {
            assert!(described.iter().any(|known| known == word), "not described: {word}");
        }
    }
}
