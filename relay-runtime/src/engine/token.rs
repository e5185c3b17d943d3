//! Which socket an event is about.
//!
//! Sources are encoded as numbers in disjoint ranges, because the poll returns a number with each event.

use mio::Token;

/// The source of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Another thread has sent mail.
    Waker,
    /// The bell of the thread that runs the engine.
    Bell,
    /// The TCP listener of the input with this number.
    Clients(usize),
    /// The UDP socket of the input with this number.
    Datagrams(usize),
    /// The outlet with this number.
    Outlet(usize),
    /// The connection in this slot.
    Connection(usize),
}

const WAKER: usize = 0;
const BELL: usize = 1;
/// For each input, the TCP socket and then the UDP socket.
const INPUTS: usize = 2;
const OUTLETS: usize = 1 << 8;
const CONNECTIONS: usize = 1 << 32;

impl Source {
    pub(super) const fn token(self) -> Token {
        Token(match self {
            Self::Waker => WAKER,
            Self::Bell => BELL,
            Self::Clients(input) => INPUTS + 2 * input,
            Self::Datagrams(input) => INPUTS + 2 * input + 1,
            Self::Outlet(at) => OUTLETS + at,
            Self::Connection(slot) => CONNECTIONS + slot,
        })
    }
}

impl From<Token> for Source {
    fn from(Token(token): Token) -> Self {
        match token {
            WAKER => Self::Waker,
            BELL => Self::Bell,
            CONNECTIONS.. => Self::Connection(token - CONNECTIONS),
            OUTLETS.. => Self::Outlet(token - OUTLETS),
            _ if (token - INPUTS).is_multiple_of(2) => Self::Clients((token - INPUTS) / 2),
            _ => Self::Datagrams((token - INPUTS) / 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_lead_back() {
        for source in [
            Source::Waker,
            Source::Bell,
            Source::Clients(0),
            Source::Datagrams(0),
            Source::Clients(1),
            Source::Datagrams(9),
            Source::Outlet(0),
            Source::Outlet(100_000),
            Source::Connection(0),
            Source::Connection(70_000),
        ] {
            assert_eq!(Source::from(source.token()), source);
        }
    }
}
