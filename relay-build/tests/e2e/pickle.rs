//! carbon's own unpickler, in its own Python, reading what we write; and what its pickler writes, read by us.

use crate::peers;
use relay_runtime::{
    gather::Gathered,
    pipeline::LinePipeline,
    protocol::pickle::{Encoded, PickleDecoder, encode},
};
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Names, values and timestamps of every form that the encoder knows, as they are to be read.
const POINTS: [(&str, &str, u32); 8] = [
    ("a.b", "1.5", 1_500_000_000),
    ("tagged;dc=1", "-7.6192e-10", 255),
    ("é.日本.😀", "0.1", 256),
    ("up", "1e300", 65_536),
    ("down", "-0", 4_294_967_295),
    ("spaces'\"\\", "123456789.98765433", 2_147_483_647),
    ("infinite", "+Inf", 2_147_483_648),
    ("n", "47", 0),
];

/// Reads frames from stdin as carbon's receiver does, prints what it would take.
const READ: &str = "
import json, struct, sys
from carbon.util import get_unpickler
data, points = sys.stdin.buffer.read(), []
while data:
    length, = struct.unpack('!L', data[:4])
    frame, data = data[4:4 + length], data[4 + length:]
    assert len(frame) == length <= 2 ** 20
    for metric, (timestamp, value) in get_unpickler().loads(frame):
        points.append([metric, repr(float(value)), float(timestamp)])
json.dump(points, sys.stdout)
";

/// Writes frames of every protocol to stdout, as carbon's client does and in other shapes.
const WRITE: &str = "
import json, pickle, struct, sys
points = [(metric, (timestamp, float(value))) for metric, value, timestamp in json.load(sys.stdin)]
for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    lists = [[metric, list(datapoint)] for metric, datapoint in points]
    texts = [(metric, (str(timestamp), repr(value))) for metric, (timestamp, value) in points if value < 1e400]
    again = [(points[0][0], (timestamp, 10 ** 30)) for timestamp in range(100)]
    for batch in points, lists, texts, again, [points[0]] * 3, []:
        frame = pickle.dumps(batch, protocol=protocol)
        sys.stdout.buffer.write(struct.pack('!L', len(frame)) + frame)
";

#[test]
#[ignore = "needs the peers that .ci/peers installs"]
fn carbons_unpickler_reads_what_the_encoder_writes() {
    let long = "l".repeat(300);
    let mut points = POINTS.to_vec();
    points.push((&long, "1", 1));
    let lines: Vec<String> =
        points.iter().map(|(name, value, seconds)| format!("{name} {value} {seconds}\n")).collect();
    let mut frames = Vec::new();
    let good = u32::try_from(points.len()).unwrap();
    assert_eq!(encode(lines.concat().as_bytes(), &mut frames), Encoded { points: good, bad: 0 });
    let read: Vec<(String, String, f64)> = serde_json::from_slice(&python(READ, &frames)).unwrap();
    assert_eq!(read.len(), points.len());
    for ((name, value, seconds), (got_name, got_value, got_seconds)) in points.iter().zip(&read) {
        assert_eq!(got_name, name);
        assert_eq!(got_value.parse::<f64>(), value.parse::<f64>(), "{name}");
        assert!((got_seconds - f64::from(*seconds)).abs() < 0.5, "{name}");
    }
}

#[test]
#[ignore = "needs the peers that .ci/peers installs"]
fn what_pythons_pickler_writes_is_read_in_every_protocol() {
    let frames = python(WRITE, serde_json::to_string(&POINTS).unwrap().as_bytes());
    let (mut recorder, mut gathered) = (Recorder::default(), Gathered::new(0));
    let mut decoder = PickleDecoder::new(1 << 20, 65_535).expect("pickles are not left out");
    decoder.feed(&frames, 0, &mut recorder, &mut gathered).unwrap();
    assert_eq!((decoder.partial_bytes(), gathered.counts.invalid_total()), (0, 0));
    let per_protocol = recorder.0.len() / 6;
    assert_eq!(per_protocol, 8 + 8 + 7 + 100 + 3);
    for lines in recorder.0.chunks(per_protocol) {
        // Both shapes, and numbers as text.
        assert_eq!(lines[..8], lines[8..16]);
        for (line, (name, value, seconds)) in lines.iter().zip(POINTS) {
            let fields: Vec<&str> = line.split(' ').collect();
            assert_eq!((fields[0], fields[2]), (name, seconds.to_string().as_str()));
            assert_eq!(fields[1].parse::<f64>(), value.parse::<f64>());
        }
        assert_eq!(lines[23 + 99], format!("a.b 1{} 99", "0".repeat(30)));
        assert_eq!(lines[123..], [lines[0].as_str(); 3]);
    }
}

/// Runs a program in the Python that carbon is installed in.
fn python(program: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(peers::directory().join("venv/bin/python"))
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// A pipeline that keeps its lines.
#[derive(Default)]
struct Recorder(Vec<String>);

impl LinePipeline for Recorder {
    fn take_lines(&mut self, bytes: &[u8], _: u64, _: &mut Gathered) -> usize {
        self.0.extend(str::from_utf8(bytes).expect("text").lines().map(str::to_owned));
        bytes.len()
    }

    fn take_last_line(&mut self, _: &[u8], _: u64, _: &mut Gathered) {
        panic!("a pickle has no last line");
    }

    fn for_another_worker(&self) -> Box<dyn LinePipeline> {
        Box::new(Self::default())
    }
}
