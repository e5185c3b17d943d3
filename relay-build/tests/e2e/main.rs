//! End to end: real peers around a relay that `relay-build` built. statsd and collectd feed it, carbon-cache
//! takes what it sends, and what whisper holds at the end must be what was sent.
//!
//! Run with `cargo test --workspace -- --ignored`, after `.ci/peers` has installed the peers.

mod activation;
mod aggregation;
mod artifacts_docs;
mod carbon;
mod collectd;
mod debian;
mod image;
mod kubernetes;
mod machine;
mod packaging_docs;
mod page;
mod peers;
mod pickle;
mod record;
mod relay;
mod statsd;
mod unread;

use peers::Recorder;
use std::{collections::BTreeMap, io::Write, net::TcpStream, time::Duration};

#[test]
#[ignore = "needs the peers that .ci/peers installs"]
fn what_statsd_collectd_and_a_client_send_is_what_whisper_holds() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let carbon = carbon::Carbon::start(&directory.path().join("carbon"));
    let pickled = carbon::Carbon::start(&directory.path().join("pickled"));
    let config = format!(
        r#"
instance = "e2e"
log_level = "info"
bad_metrics_max_age = "24h"
listen_addr = "127.0.0.1:0"
spool_dir = "{}"
blocklist = ["prefix blocked.", 'regex \.secret$']

[[rewriter]]
old = '/^raw\.(\w+)\./'
new = 'cooked.${{1}}.'
max = -1

[[route]]
key = "carbon"
type = "sendAllMatch"
destinations = ["127.0.0.1:{}", "127.0.0.1:{} pickle=true spool=true"]
"#,
        directory.path().join("spool").display(),
        carbon.line_port,
        pickled.pickle_port
    );
    let relay = relay::Relay::build_and_start(&directory.path().join("relay"), &config);

    let recorder = Recorder::start();
    let collectd =
        collectd::Collectd::start(&directory.path().join("collectd"), relay.data_port, recorder.port);
    let statsd = statsd::Statsd::start(&directory.path().join("statsd"), relay.data_port);

    let mut wanted = client_lines(relay.data_port);
    let hits = statsd.count("app.hits", 250);
    statsd.gauge("app.temperature", 42);

    // collectd reads once a second; a few rounds of it are enough.
    peers::wait_for("collectd to report ten times", Duration::from_mins(1), || recorder.lines() >= 40);
    peers::wait_for("statsd to flush", Duration::from_secs(30), || {
        carbon.holds("stats.counters.app.hits.count")
    });
    collectd.stop();
    statsd.stop();
    let ledger = relay.stop();

    let sent_by_collectd = recorder.take();
    assert!(sent_by_collectd.len() >= 40, "collectd sent only {} lines", sent_by_collectd.len());
    for line in sent_by_collectd {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        wanted.insert((fields[0].to_owned(), fields[2].parse().unwrap()), fields[1].parse().unwrap());
    }

    let mut held = BTreeMap::new();
    // The same came to one of them as lines, to the other as pickles.
    for carbon in [&pickled, &carbon] {
        peers::wait_for("carbon-cache to write everything", Duration::from_mins(1), || {
            held = carbon.everything();
            wanted.keys().all(|point| held.contains_key(point))
        });
        for (point, value) in &wanted {
            assert_eq!(held.get(point), Some(value), "{point:?}");
        }
    }
    assert!(held.keys().all(|(metric, _)| !metric.starts_with("blocked.") && !metric.ends_with(".secret")));
    assert!(held.keys().all(|(metric, _)| !metric.starts_with("raw.")));
    let counted: f64 = held
        .iter()
        .filter(|((metric, _), _)| metric == "stats.counters.app.hits.count")
        .map(|(_, v)| v)
        .sum();
    assert!((counted - f64::from(hits)).abs() < 1e-9, "statsd counted {hits}, whisper holds {counted}");
    assert!(held.iter().any(|((m, _), v)| m == "stats.gauges.app.temperature" && (*v - 42.0).abs() < 1e-9));

    relay::assert_balanced(&ledger);
    assert_eq!(ledger["blocked"], 20, "{ledger}");
}

/// Sends lines of our own and returns what whisper must hold for them.
fn client_lines(port: u16) -> BTreeMap<(String, u64), f64> {
    let now = peers::unix_now() / 10 * 10;
    let mut wanted = BTreeMap::new();
    let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("the relay listens");
    for series in 0..20_u32 {
        for step in 0..10_u32 {
            let at = now - 60 + u64::from(step);
            let value = f64::from(series) + f64::from(step) / 8.0;
            writeln!(connection, "client.web{series:02}.cpu {value} {at}").unwrap();
            writeln!(connection, "raw.dc{series}.load {value} {at}").unwrap();
            wanted.insert((format!("client.web{series:02}.cpu"), at), value);
            wanted.insert((format!("cooked.dc{series}.load"), at), value);
        }
        writeln!(connection, "blocked.web{series} 1 {now}").unwrap();
    }
    wanted
}

#[test]
#[ignore = "compiles relays"]
fn a_relay_that_was_built_before_is_still_its_own() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let build = |destination: &str| {
        let config = format!(
            "instance = 'e2e'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\n\
             [[route]]\nkey = 'r'\ntype = 'sendAllMatch'\ndestinations = ['{destination}']\n"
        );
        let relay = relay::build(&directory.path().join("relay"), &config, &[]);
        let plan = std::process::Command::new(relay).arg("--config").output().expect("the relay runs").stdout;
        assert!(String::from_utf8_lossy(&plan).contains(destination), "another configuration's relay");
    };
    ["127.0.0.1:2103", "127.0.0.1:2104", "127.0.0.1:2103"].into_iter().for_each(build);
}
