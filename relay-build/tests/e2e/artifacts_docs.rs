//! Runs the commands of `docs/artifacts.md` in order, with the configurations that the page shows. Sizes and
//! times may differ from the page.

use crate::page::{Step, blocks, copy, run, steps};
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

const CONFIG: &str =
    "instance = 'docs'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\nlisten_addr = '127.0.0.1:0'\n";

const ROUTE: &str = "[[route]]\nkey = 'carbon'\ntype = 'sendAllMatch'\ndestinations = ['10.0.0.1:2003']\n";

#[test]
#[ignore = "compiles relays for several targets, which .ci/peers installs"]
fn every_command_of_the_page_does_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/artifacts.md")).unwrap();
    let toml: Vec<_> = blocks(&page, "toml").collect();
    let [environment, variables, tests] = toml.as_slice() else {
        panic!("an environment, its variables, and tests")
    };
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let plain = format!("{CONFIG}blocklist = ['prefix debug.']\n{ROUTE}");
    write(
        "environments/relay.toml",
        format!("{CONFIG}{}", environment.replace("[env.prod]", &format!("{ROUTE}[env.prod]"))),
    );
    write("environments/vars.prod.toml", (*variables).to_owned());
    write("plain/relay.toml", plain.clone());
    write("plain/relay.test.toml", (*tests).to_owned());
    for name in ["old", "new"] {
        write(&format!("plain/{name}.toml"), plain.clone());
    }
    write("plain/names.txt", "servers.web1.cpu\ndebug.x\n".to_owned());
    let lines = (0..1_000).map(|n| format!("servers.web{n}.cpu {n} 1700000000\n"));
    write("plain/lines.txt", lines.collect());

    let steps = steps(&page);
    assert!(steps.len() > 20, "the page has commands");
    for Step { command, shown, .. } in steps {
        println!("$ {command}");
        let is_of_environment = command.contains("dist/prod");
        let place = directory.path().join(if is_of_environment { "environments" } else { "plain" });
        let said = if command.starts_with("./relay record") {
            run("relay-build build relay.toml --quiet --out started", &place);
            copy(&place.join("started/relay"), &place.join("relay"));
            while_it_runs(&place, || run(command, &place))
        } else {
            run(command, &place)
        };
        if !shown.is_empty() {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&said), words(&shown.join(" ")), "{command}");
        }
    }
}

/// Does something while the relay of a directory gets lines.
fn while_it_runs(directory: &Path, mut something: impl FnMut() -> String) -> String {
    let mut relay = Command::new("./relay")
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(relay.stderr.take().unwrap());
    let address = loop {
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        if let Some((_, rest)) = line.split_once("address=") {
            break rest.split(' ').next().unwrap().to_owned();
        }
    };
    // Whatever else it says.
    thread::spawn(move || std::io::copy(&mut log, &mut File::create("/dev/null").unwrap()));
    let is_done = AtomicBool::new(false);
    let said = thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = TcpStream::connect(address).unwrap();
            let block = b"servers.web1.cpu 1 1700000000\n".repeat(1_000);
            while !is_done.load(Ordering::Relaxed) {
                client.write_all(&block).unwrap();
            }
        });
        let said = something();
        is_done.store(true, Ordering::Relaxed);
        said
    });
    relay.kill().unwrap();
    relay.wait().unwrap();
    said
}
