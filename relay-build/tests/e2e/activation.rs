//! Socket activation by systemd's own `systemd-socket-activate`, which opens the sockets and starts the relay when the first client connects. No line of that client may be lost.

use crate::{
    peers::{self, Recorder},
    relay::{self, Relay},
};
use std::{
    io::Write as _,
    net::{TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(10);

fn build(directory: &Path, port: u16, to: &Recorder) -> PathBuf {
    let config = format!(
        "instance = 'e2e'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\nlisten_addr = '127.0.0.1:{port}'\n\
         max_procs = 3\n[[route]]\nkey = 'r'\ntype = 'sendAllMatch'\ndestinations = ['127.0.0.1:{}']\n",
        to.port
    );
    relay::build(directory, &config, &[])
}

fn activate(options: &[&str], relay: &Path) -> Command {
    let mut command = Command::new("systemd-socket-activate");
    command.args(options).arg(relay);
    command
}

fn line(name: &str) -> String {
    format!("{name} 1 {}\n", peers::unix_now())
}

/// Sends a line on a connection as soon as somebody listens.
fn send(port: u16, text: String) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut client = None;
        peers::wait_for("the socket", PATIENCE, || {
            client = TcpStream::connect(("127.0.0.1", port)).ok();
            client.is_some()
        });
        client.expect("connected").write_all(text.as_bytes()).unwrap();
    })
}

#[test]
#[ignore = "compiles a relay, needs systemd-socket-activate"]
fn who_connected_before_the_relay_ran_is_served_by_every_worker() {
    let (directory, recorder, port) = (tempfile::tempdir().unwrap(), Recorder::start(), peers::free_port());
    let executable = build(directory.path(), port, &recorder);
    let clients: Vec<_> = (0..6).map(|at| send(port, line(&format!("a.b{at}")))).collect();
    let relay = Relay::start(&mut activate(&["-l", &format!("127.0.0.1:{port}")], &executable));
    assert_eq!(relay.data_port, port);
    peers::wait_for("the lines", PATIENCE, || recorder.lines() == 6);
    for client in clients {
        client.join().unwrap();
    }
    // The UDP socket, which was not passed, is the relay's own.
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(line("c.d").as_bytes(), ("127.0.0.1", port)).unwrap();
    peers::wait_for("the datagram", PATIENCE, || recorder.lines() == 7);
    relay::assert_balanced(&relay.stop());
}

#[test]
#[ignore = "compiles a relay, needs systemd-socket-activate"]
fn a_datagram_that_came_before_the_relay_ran_is_taken() {
    let (directory, recorder, port) = (tempfile::tempdir().unwrap(), Recorder::start(), peers::free_port());
    let executable = build(directory.path(), port, &recorder);
    let sender = thread::spawn(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(("127.0.0.1", port)).unwrap();
        // A datagram to where nobody listens is refused, and the next send says so.
        peers::wait_for("the socket", PATIENCE, || {
            let _ = socket.send(line("a.b").as_bytes());
            thread::sleep(Duration::from_millis(50));
            socket.send(b"\n").is_ok()
        });
    });
    let relay = Relay::start(&mut activate(&["-d", "-l", &format!("127.0.0.1:{port}")], &executable));
    sender.join().unwrap();
    peers::wait_for("the datagram", PATIENCE, || recorder.lines() >= 1);
    relay::assert_balanced(&relay.stop());
}

#[test]
#[ignore = "compiles a relay, needs systemd-socket-activate"]
fn sockets_of_another_address_or_another_process_are_not_the_relays() {
    let (directory, recorder) = (tempfile::tempdir().unwrap(), Recorder::start());
    let [port, other] = std::array::from_fn(|_| peers::free_port());
    let executable = build(directory.path(), port, &recorder);

    let client = send(other, String::new());
    let relay = Relay::start(&mut activate(&["-l", &format!("127.0.0.1:{other}")], &executable));
    client.join().unwrap();
    assert!(
        TcpStream::connect(("127.0.0.1", other)).is_err(),
        "nothing reads there, so nobody may send there"
    );
    send(port, line("a.b")).join().unwrap();
    peers::wait_for("the line", PATIENCE, || recorder.lines() == 1);
    relay.stop();

    let mut command = Command::new(&executable);
    let relay = Relay::start(command.env("LISTEN_FDS", "2").env("LISTEN_PID", "1"));
    send(port, line("a.b")).join().unwrap();
    peers::wait_for("the line", PATIENCE, || recorder.lines() == 2);
    relay.stop();
}
