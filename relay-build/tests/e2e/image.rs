//! Builds an image from the context of `--package docker` with buildah, and runs it as the image says.
//!
//! There is no Docker here, so `docker build` itself is not tested.

use crate::{
    peers::{self, Recorder},
    relay::{self, Relay},
};
use serde_json::Value;
use std::{
    io::Write as _,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const IMAGE: &str = "localhost/e2e-relay:1.0";

/// Buildah with everything that it keeps in one directory.
struct Buildah(PathBuf);

impl Buildah {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("buildah");
        command.args(["--storage-driver", "vfs", "--root"]).arg(self.0.join("images"));
        command.arg("--runroot").arg(self.0.join("run")).args(arguments);
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("buildah runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

fn build(directory: &Path, port: u16) -> PathBuf {
    let config = format!(
        "instance = '${{HOST}}'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\nlisten_addr = '127.0.0.1:{port}'\n\
         memory = '256MiB'\nspool_dir = '${{SPOOL}}'\nmax_procs = 2\n\
         [[route]]\nkey = 'r'\ntype = 'sendAllMatch'\ndestinations = ['127.0.0.1:${{CARBON_PORT}} spool=true']\n"
    );
    let packaging = ["--package", "docker", "--package-name", "e2e-relay", "--package-version", "1.0"];
    let target = ["--target", "x86_64-unknown-linux-musl"];
    let relay = relay::build(directory, &config, &[packaging.as_slice(), &target].concat());
    relay.with_file_name("package").join("docker")
}

#[test]
#[ignore = "compiles a static relay, needs buildah"]
fn an_image_of_nothing_but_the_relay_serves() {
    let (directory, recorder, port) = (tempfile::tempdir().unwrap(), Recorder::start(), peers::free_port());
    let context = build(directory.path(), port);
    let buildah = Buildah(directory.path().to_owned());
    buildah.run(&["bud", "--isolation", "chroot", "-t", IMAGE, &context.to_string_lossy()]);

    let said = buildah.run(&["inspect", "--type", "image", IMAGE]);
    let image: Value = serde_json::from_str(&said).unwrap();
    let config = &image["OCIv1"]["config"];
    assert_eq!(config["User"], "65532:65532", "{config}");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/relay"]), "{config}");
    assert_eq!(config["StopSignal"], "SIGTERM", "{config}");
    assert!(config["ExposedPorts"].get(format!("{port}/udp")).is_some(), "{config}");

    let container = buildah.run(&["from", IMAGE]);
    let root = PathBuf::from(buildah.run(&["mount", &container]));
    let spool = root.join("var/lib/e2e-relay");
    // The relay's process in the image's root directory as the image's user, with the variables that the image sets.
    let mut command = Command::new("chroot");
    command.arg("--userspec=65532:65532").arg(&root).arg("/relay").env_clear();
    for variable in config["Env"].as_array().unwrap() {
        let (name, value) = variable.as_str().unwrap().split_once('=').unwrap();
        command.env(name, value);
    }
    let relay = Relay::start(command.env("HOST", "e2e").env("CARBON_PORT", recorder.port.to_string()));
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    writeln!(client, "a.b 1 {}", peers::unix_now()).unwrap();
    peers::wait_for("the line", Duration::from_secs(20), || recorder.lines() == 1);
    assert!(spool.join("spool").is_dir(), "it may write into its volume");
    relay::assert_balanced(&relay.stop());
}
