//! Runs ten minutes of traffic in virtual time through a built relay and sends its output to a carbon-cache. The values in the whisper files must be those that Python computes from the same traffic.

use crate::{carbon, peers};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{BufWriter, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

type Points = BTreeMap<(String, u64), f64>;

const SECONDS: u64 = 600;
const SERVERS: u64 = 12;

#[test]
#[ignore = "needs the peers that .ci/peers installs"]
fn ten_minutes_of_aggregation_are_what_python_computes() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let carbon = carbon::Carbon::start(&directory.path().join("carbon"));
    // Whisper keeps an hour here; whole minutes, so that no bucket begins before the traffic.
    let traffic = traffic((peers::unix_now() - 1_500) / 60 * 60);

    let (sent, ledger) = replay(directory.path(), carbon.line_port, &traffic);
    let mut connection = TcpStream::connect(("127.0.0.1", carbon.line_port)).expect("carbon-cache listens");
    connection.write_all(sent.as_bytes()).expect("carbon-cache reads");
    drop(connection);

    let wanted = computed(&traffic);
    assert!(wanted.len() > 4_000, "{} points", wanted.len());
    let mut held = BTreeMap::new();
    peers::wait_for("carbon-cache to write everything", Duration::from_mins(5), || {
        thread::sleep(Duration::from_secs(1));
        held = carbon.everything();
        held.len() >= wanted.len()
    });
    assert_eq!(held.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (point, want) in &wanted {
        let got = held[point];
        assert!((got - want).abs() <= want.abs() * 1e-12, "{point:?}: {got}, Python has {want}");
    }
    let aggregated =
        wanted.keys().filter(|(metric, _)| !metric.starts_with("web.") && !metric.starts_with("counter."));
    println!(
        "{} points in whisper are what Python computes, {} of them aggregated",
        wanted.len(),
        aggregated.count()
    );
    let rules = ledger["aggregators"].as_array().expect("books of the rules");
    assert_eq!(rules.len(), 3, "{ledger}");
    assert!(rules.iter().all(|rule| rule["late"].as_u64() > Some(0)), "{ledger}");
}

/// Every second a few lines per server, some of them late, by seconds or by minutes.
fn traffic(start: u64) -> String {
    let mut text = String::new();
    let mut random = 7_u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for second in 0..SECONDS {
        let arrival = start + second;
        for server in 0..SERVERS {
            let late = match next(20) {
                0 => 45 + next(20),
                1 => 200 + next(60),
                2..6 => next(8),
                _ => 0,
            };
            let timestamp = arrival.saturating_sub(late).max(start);
            let (hits, bytes, latency) = (next(50), next(1 << 40), next(100_000));
            let lines = [
                format!("web.ams{server}.hits {hits}"),
                format!("web.ams{server}.bytes {bytes}.{:03}", next(1_000)),
                format!("web.fra{server}.latency {}.{:02}", latency / 100, latency % 100),
                format!("counter.requests.s{server} {}", second * 31 + next(10)),
            ];
            let line = &lines[usize::try_from(next(4)).expect("below four")];
            writeln!(text, "{arrival}\t{line} {timestamp}").expect("a string takes everything");
        }
    }
    text
}

/// The lines that the compiled relay sends, and its books.
fn replay(directory: &Path, port: u16, traffic: &str) -> (String, Value) {
    let config = directory.join("relay.toml");
    let text = format!(
        r#"
instance = "e2e"
log_level = "info"
bad_metrics_max_age = "24h"

[[aggregation]]
function = "sum"
regex = '^web\.[^.]+\.(hits|bytes)$'
format = "sum.$1"
interval = 10
wait = 30

[[aggregation]]
functions = ["avg", "max", "count", "percentiles", "stdev"]
percentiles = [50, 90]
regex = '^web\.([a-z]+)[0-9]+\.latency$'
format = "latency.$1"
interval = 60
wait = 90
dropRaw = true

[[aggregation]]
function = "delta"
regex = '^counter\.(.*)$'
format = "delta.$1"
interval = 30
wait = 40

[[route]]
key = "carbon"
type = "sendAllMatch"
destinations = ["127.0.0.1:{port}"]
"#
    );
    fs::write(&config, text).expect("a file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_relay-build"))
        .arg("replay")
        .arg(&config)
        .arg("--compiled")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("relay-build starts");
    let mut input = BufWriter::new(child.stdin.take().expect("a pipe"));
    let traffic = traffic.to_owned();
    let writer = thread::spawn(move || input.write_all(traffic.as_bytes()));
    let output = child.wait_with_output().expect("relay-build ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    writer.join().expect("no panic").expect("relay-build reads all");
    let sent = String::from_utf8(output.stdout).expect("UTF-8");
    let line = |sent: &str| sent.rsplit('\t').next().unwrap_or_default().to_owned() + "\n";
    let ledger = said.lines().rev().find_map(|line| serde_json::from_str(line).ok()).expect("books");
    (sent.lines().map(line).collect(), ledger)
}

fn computed(traffic: &str) -> Points {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/aggregation.py");
    let mut child = Command::new(peers::directory().join("venv/bin/python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    child.stdin.take().expect("a pipe").write_all(traffic.as_bytes()).expect("python reads");
    let output = child.wait_with_output().expect("python ends");
    let points: Vec<(String, u64, f64)> = serde_json::from_slice(&output.stdout).expect("points");
    points.into_iter().map(|(metric, at, value)| ((metric, at), value)).collect()
}
