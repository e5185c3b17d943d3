//! The protocol of systemd between service manager and relay: sockets that the manager opened (`LISTEN_FDS`), and messages that the relay is ready or stops (`NOTIFY_SOCKET`).
//!
//! Without a service manager nothing happens here.

use crate::engine::Inherited;
use listenfd::ListenFd;
use sd_notify::NotifyState;

/// The first file descriptor that is passed.
const FIRST: usize = 3;

/// Takes the sockets that were passed to this process. Must be called before there are threads, because it
/// removes the environment variables, which are meant for this process only.
pub(super) fn take_sockets() -> Inherited {
    let mut passed = ListenFd::from_env();
    let mut inherited = Inherited::default();
    for at in 0..passed.len() {
        if let Ok(Some(tcp)) = passed.take_tcp_listener(at) {
            inherited.tcp.push(tcp);
        } else if let Ok(Some(udp)) = passed.take_udp_socket(at) {
            inherited.udp.push(udp);
        } else {
            inherited.foreign.push(FIRST + at);
        }
    }
    inherited
}

/// Reports that the relay listens.
pub(super) fn tell_ready() {
    tell(NotifyState::Ready);
}

/// Reports that the relay is going to end.
pub(super) fn tell_stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "cannot tell the service manager");
    }
}
