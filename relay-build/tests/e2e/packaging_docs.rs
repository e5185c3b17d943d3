//! The commands of `docs/packaging.md`, in their order: after `$` where relays are built, after `#` on a Debian that runs
//! systemd and has a network of its own. What the page shows of their output must be in it.

use crate::{
    machine::{Machine, Network},
    page::{Step, copy, run, steps},
};
use std::{fs, path::Path};

#[test]
#[ignore = "boots a Debian, which .ci/peers makes"]
fn every_command_of_the_page_does_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/packaging.md")).unwrap();
    let steps = steps(&page);
    assert!(steps.len() > 15, "the page has commands");
    let directory = tempfile::tempdir().unwrap();
    let repository = directory.path().join("repository");
    copy(&root.join("examples/pipeline"), &repository);
    let machine = Machine::boot(&directory.path().join("machine"), Network::Own);
    for Step { is_for_machine, command, shown } in steps {
        println!("{} {command}", if is_for_machine { '#' } else { '$' });
        let said = if is_for_machine {
            let dist = repository.join("dist");
            if !machine.path("/root/dist").exists() {
                copy(&dist, &machine.path("/root/dist"));
            }
            machine.run(&format!("cd /root; {command}"))
        } else {
            run(command, &repository)
        };
        if !shown.is_empty() {
            assert_eq!(said.lines().collect::<Vec<_>>(), shown, "{command}");
        }
    }
}
