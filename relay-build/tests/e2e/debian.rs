//! A Debian package in a Debian that runs systemd: installed, started, fed, restarted, removed, purged.

use crate::{
    machine::{Machine, Network},
    peers::{self, Recorder},
    relay,
};
use std::{
    fs,
    io::Write as _,
    net::{TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A package of this version for a relay that spools and has a variable open.
fn build(directory: &Path, port: u16, version: &str) -> PathBuf {
    let config = format!(
        "instance = '${{HOST}}'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\nlisten_addr = '127.0.0.1:{port}'\n\
         memory = '256MiB'\nspool_dir = '/var/spool/graphite'\nmax_procs = 2\n\
         [[route]]\nkey = 'r'\ntype = 'sendAllMatch'\ndestinations = ['127.0.0.1:${{CARBON_PORT}} spool=true']\n"
    );
    let relay = relay::build(
        directory,
        &config,
        &["--package", "deb", "--package-name", "e2e-relay", "--package-version", version]
            .into_iter()
            .chain(["--package-maintainer", "E2E <e2e@static-relay.dev>"])
            .collect::<Vec<_>>(),
    );
    relay.with_file_name("package").join(format!("deb/e2e-relay_{version}_amd64.deb"))
}

#[test]
#[ignore = "boots a Debian, which .ci/peers makes"]
fn a_package_installs_starts_serves_and_goes_away() {
    let (directory, recorder, port) = (tempfile::tempdir().unwrap(), Recorder::start(), peers::free_port());
    let package = build(directory.path(), port, "1.0");
    let machine = Machine::boot(&directory.path().join("machine"), Network::Shared);
    fs::copy(&package, machine.path("/root/relay.deb")).unwrap();
    fs::write(machine.path("/etc/default/e2e-relay"), format!("CARBON_PORT={}\n", recorder.port)).unwrap();
    machine.run("dpkg --force-confold -i /root/relay.deb");
    assert_eq!(machine.run("systemctl is-active e2e-relay.socket e2e-relay.service"), "active\nactive\n");
    machine.run("dpkg --verify e2e-relay");

    let send = |name: &str| {
        let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        writeln!(client, "{name} 1 {}", peers::unix_now()).unwrap();
    };
    send("by.tcp");
    let datagram = format!("by.udp 1 {}\n", peers::unix_now());
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(datagram.as_bytes(), ("127.0.0.1", port)).unwrap();
    peers::wait_for("both lines", PATIENCE, || recorder.lines() == 2);

    check_confinement(&machine);

    // The socket outlives the relay: who connects meanwhile waits, and is served by the next one.
    machine.run("systemctl stop e2e-relay.service");
    assert_eq!(
        machine.run("systemctl show -p Result -p ExecMainStatus e2e-relay.service"),
        "Result=success\nExecMainStatus=0\n"
    );
    send("while.down");
    peers::wait_for("the line that waited", PATIENCE, || recorder.lines() == 3);

    // Root may still record what it gets.
    machine.run(&format!(
        "e2e-relay record --lines 1 --seconds 10 /root/lines & sleep 1
         bash -c 'echo recorded.line 1 {} > /dev/tcp/127.0.0.1/{port}'
         wait $!; grep -q recorded.line /root/lines",
        peers::unix_now()
    ));
    peers::wait_for("the recorded line", PATIENCE, || recorder.lines() == 4);

    let upgrade = build(&directory.path().join("upgrade"), port, "1.1");
    fs::copy(upgrade, machine.path("/root/relay.deb")).unwrap();
    upgrade_loses_nothing(&machine, &recorder, send);

    machine.run("dpkg -r e2e-relay");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "nothing listens after removal");
    machine.run("test -e /etc/default/e2e-relay && test -d /var/lib/private/e2e-relay/spool");
    machine.run("dpkg -P e2e-relay");
    machine.run("! test -e /etc/default/e2e-relay && ! test -e /var/lib/private/e2e-relay");
    machine.run("! systemctl cat e2e-relay.service");
}

/// Clients that come meanwhile, each with a connection of its own, wait for the new relay.
fn upgrade_loses_nothing(machine: &Machine, recorder: &Recorder, send: impl Fn(&str) + Sync) {
    let main_pid = || machine.run("systemctl show -p MainPID --value e2e-relay");
    let (before, old) = (recorder.lines(), main_pid());
    let is_upgraded = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut sent = 0;
            while !is_upgraded.load(Ordering::Relaxed) || sent < 100 {
                send(&format!("during.upgrade{sent}"));
                sent += 1;
                thread::sleep(Duration::from_millis(2));
            }
            sent
        });
        machine.run("dpkg -i /root/relay.deb");
        is_upgraded.store(true, Ordering::Relaxed);
        client.join().unwrap()
    });
    assert_ne!(main_pid(), old, "an upgrade restarts it");
    println!("{sent} clients came during the upgrade");
    peers::wait_for("every line", PATIENCE, || recorder.lines() == before + sent);
}

/// What the kernel and systemd say of the running relay, not what the unit asks for.
fn check_confinement(machine: &Machine) {
    let status = machine.run("cat /proc/$(systemctl show -p MainPID --value e2e-relay)/status");
    for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"] {
        assert!(status.contains(line), "{line}\n{status}");
    }
    let uid: u32 = status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:\t")?.split('\t').next()?.parse().ok())
        .unwrap();
    assert!((61_184..=65_519).contains(&uid), "{uid} is no dynamic user");
    // 256 MiB, a quarter of them, and 32 MiB.
    assert_eq!(machine.run("systemctl show -p MemoryMax --value e2e-relay"), "369098752\n");
    assert_eq!(machine.run("systemd-analyze verify e2e-relay.service e2e-relay.socket 2>&1"), "");
    // 10.0 is no protection at all; without a network of its own a relay cannot reach 0.
    let exposure = machine.run("systemd-analyze security --no-pager --threshold=15 e2e-relay.service");
    println!("{}", exposure.lines().last().unwrap_or_default());
    machine.run("test -d /var/lib/private/e2e-relay/spool/*");
}

#[test]
#[ignore = "compiles a relay, needs lintian"]
fn lintian_finds_what_is_known_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let package = build(directory.path(), 2003, "1.0");
    let output = Command::new("lintian").arg("--allow-root").arg(&package).output().expect("lintian runs");
    let said = String::from_utf8(output.stdout).unwrap();
    // There is no manual page and no Debian changelog, the symbol table is the panics', and files are of 1970.
    let known =
        ["no-manual-page", "no-changelog", "unstripped-binary-or-object", "package-contains-ancient-file"];
    let unknown: Vec<_> = said.lines().filter(|line| !known.iter().any(|tag| line.contains(tag))).collect();
    assert!(unknown.is_empty() && said.contains(known[0]), "{said}");
}
