//! The programs that are compared, and how each is started.
//!
//! A contender that cannot be prepared is left out, with a note that says why.

use crate::{
    options::Options,
    process::Started,
    scenario::{self, Scenario},
};
use std::{
    ffi::OsString,
    fs,
    io::ErrorKind,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

pub(crate) const FLOOR: &str = "floor";
pub(crate) const OURS: &str = "ours";
/// What a spool costs at passthrough while the destination keeps up: the usual spool, and one through which
/// every line goes.
pub(crate) const SPOOLS: [(&str, u16, &str); 2] =
    [("ours, spool idle", 12, "true"), ("ours, write-ahead", 13, "write-ahead")];
pub(crate) const PEER: &str = "carbon-c-relay";

#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) listen: SocketAddr,
    program: PathBuf,
    arguments: Vec<OsString>,
    log: PathBuf,
    directory: PathBuf,
}

impl Contender {
    pub(crate) fn start(&self) -> Result<Started, String> {
        let log = fs::File::create(&self.log).map_err(|error| format!("{}: {error}", self.log.display()))?;
        let error_log = log.try_clone().map_err(|error| error.to_string())?;
        // A relay is killed when its round is over; with its spool, the next one would repeat the lines sent
        // last.
        let spool = self.directory.join(scenario::SPOOL);
        if spool.exists() {
            fs::remove_dir_all(&spool).map_err(|error| format!("{}: {error}", spool.display()))?;
        }
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(error_log)
            .spawn()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        Ok(Started::new(child, &self.log))
    }
}

/// Writes the configurations of a scenario and builds our relay. Adds to `notes` what is left out and why.
pub(crate) fn prepare(
    scenario: Scenario,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Vec<Contender>, String> {
    let directory = options.out.join(scenario.name());
    let display = |error: std::io::Error| format!("{}: {error}", directory.display());
    fs::create_dir_all(&directory).map_err(display)?;
    let directory = directory.canonicalize().map_err(display)?;
    let listen = |contender| scenario::listen(options.port, contender);
    let ours = directory.join("relay.toml");
    write(&ours, &scenario.ours(options.port, listen(1), options.workers, options.lines, "false"))?;
    let peer = directory.join("carbon-c-relay.conf");
    write(&peer, &scenario.peer(options.port, listen(2)))?;
    if options.configs_only {
        notes.push(format!("configurations written to {}", directory.display()));
        return Ok(Vec::new());
    }

    let contender = |name: &'static str, number, program, arguments: Vec<OsString>| Contender {
        name,
        listen: listen(number),
        program,
        arguments,
        log: directory.join(format!("{name}.log")),
        directory: directory.clone(),
    };
    let wanted = |name: &str| !options.without.iter().any(|without| without == name);
    let mut contenders = Vec::new();
    if wanted(FLOOR) {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let to = scenario.sinks(options.port)[0].to_string();
        let arguments = [FLOOR.to_owned(), listen(0).to_string(), to, options.floor_buffer_bytes.to_string()];
        contenders.push(contender(FLOOR, 0, program, arguments.map(OsString::from).to_vec()));
    }
    if wanted(OURS) {
        match our_relay(scenario, options, &ours, &directory, notes) {
            Ok(program) => contenders.push(contender(OURS, 1, program, Vec::new())),
            Err(why) => notes.push(format!("{}: ours left out: {why}", scenario.name())),
        }
    }
    for (name, number, spool) in SPOOLS {
        if scenario != Scenario::Passthrough || !wanted(OURS) || !options.relays.is_empty() {
            continue;
        }
        let place = directory.join(spool);
        fs::create_dir_all(&place).map_err(display)?;
        let config = place.join("relay.toml");
        write(&config, &scenario.ours(options.port, listen(number), options.workers, options.lines, spool))?;
        let program = our_relay(scenario, options, &config, &place, notes)?;
        contenders.push(contender(name, number, program, Vec::new()));
    }
    if wanted(PEER) {
        match peer_version(options) {
            Ok(version) => {
                notes.push(format!("{}: {version}", scenario.name()));
                let arguments = peer_arguments(options, &peer);
                contenders.push(contender(PEER, 2, options.peer.clone(), arguments));
            }
            Err(why) => notes.push(format!("{}: carbon-c-relay left out: {why}", scenario.name())),
        }
    }
    Ok(contenders)
}

/// Queues as long as the run, so that nothing is dropped, and time-outs that even a busy machine does not
/// reach.
fn peer_arguments(options: &Options, config: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["-f".into(), config.into()];
    let settings =
        [("-w", options.workers.to_string()), ("-q", options.lines.to_string()), ("-T", "20000".to_owned())];
    for (name, value) in settings {
        arguments.extend([name.into(), value.into()]);
    }
    arguments.push("-E".into());
    arguments
}

fn our_relay(
    scenario: Scenario,
    options: &Options,
    config: &Path,
    directory: &Path,
    notes: &mut Vec<String>,
) -> Result<PathBuf, String> {
    let built = options.relays.iter().rev().find(|(only, _)| only.is_none_or(|only| only == scenario));
    if let Some((_, path)) = built {
        return path.canonicalize().map_err(|error| format!("{}: {error}", path.display()));
    }
    let compiler = match &options.relay_build {
        Some(path) => path.clone(),
        None => std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("relay-build"),
    };
    let clock = Instant::now();
    let out = directory.join("build");
    eprintln!("  building {} with {}", config.display(), compiler.display());
    let built = Command::new(&compiler).arg("build").arg(config).arg("--out").arg(&out).output();
    let output = built.map_err(|error| {
        format!("{}: {error}; build it with `cargo build --release -p relay-build`", compiler.display())
    })?;
    if !output.status.success() {
        return Err(format!("{} failed:\n{}", compiler.display(), String::from_utf8_lossy(&output.stderr)));
    }
    let relay = if out.is_dir() { out.join("relay") } else { out };
    let bytes = fs::metadata(&relay).map_err(|error| format!("{}: {error}", relay.display()))?.len();
    let seconds = clock.elapsed().as_secs_f64();
    notes.push(format!("{}: our relay was built in {seconds:.1} s and has {bytes} bytes", scenario.name()));
    Ok(relay)
}

/// What `carbon-c-relay -v` prints. Installs it before if that is permitted.
fn peer_version(options: &Options) -> Result<String, String> {
    let ask = || Command::new(&options.peer).arg("-v").output();
    let mut answer = ask();
    let is_missing = matches!(&answer, Err(error) if error.kind() == ErrorKind::NotFound);
    if is_missing && options.install_peer {
        let installed = Command::new("apt-get").args(["install", "-y", PEER]).output();
        let installed = installed.map_err(|error| format!("apt-get: {error}"))?;
        if !installed.status.success() {
            return Err(format!("apt-get failed:\n{}", String::from_utf8_lossy(&installed.stderr)));
        }
        answer = ask();
    }
    let answer = answer.map_err(|error| {
        let path = options.peer.display();
        format!("{path}: {error}; `apt-get install carbon-c-relay` as root, or give --install-peer")
    })?;
    let text = String::from_utf8_lossy(&answer.stdout);
    Ok(text.lines().next().unwrap_or("carbon-c-relay of unknown version").to_owned())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
