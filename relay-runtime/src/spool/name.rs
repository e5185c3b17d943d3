//! The names of spools and of their directories.
//!
//! The conversion can be reversed, so `relay spool list` can name the destination of every directory.

use std::{
    convert::Infallible,
    fmt::{self, Write as _},
    str::FromStr,
};

/// The directory name for the first destination with an address, given as `host:port` or `host:port:instance`.
/// Names are distinct, readable, and valid in any file system: letters, digits, `.` and `-` stand for
/// themselves, `_` stands for a colon, and every other byte becomes `%` and two hexadecimal digits.
fn directory_name(destination: &str) -> String {
    let mut name = String::with_capacity(destination.len());
    for (at, byte) in destination.bytes().enumerate() {
        match byte {
            // A name that starts with a dot would be hidden, and `..` is another directory.
            b'.' if at == 0 => name.push_str("%2e"),
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-' => name.push(char::from(byte)),
            b':' => name.push('_'),
            _ => {
                let _ = write!(name, "%{byte:02x}");
            }
        }
    }
    name
}

/// The spool of a destination. Several destinations may have the same address and differ in their options.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpoolName {
    /// `host:port` or `host:port:instance`.
    pub destination: String,
    /// The number among the destinations with this address, from 1.
    pub number: usize,
}

impl SpoolName {
    /// The name of its directory. A `+` in it always precedes the number.
    #[must_use]
    pub fn directory(&self) -> String {
        let name = directory_name(&self.destination);
        if self.number == 1 { name } else { format!("{name}+{}", self.number) }
    }

    /// The spool of a directory; `None` if the name is not one of ours.
    #[must_use]
    pub fn of_directory(directory: &str) -> Option<Self> {
        let (name, number) = match directory.split_once('+') {
            Some((name, number)) => (name, number.parse().ok()?),
            None => (directory, 1),
        };
        let spool = Self { destination: destination_of(name)?, number };
        (spool.directory() == directory).then_some(spool)
    }
}

impl FromStr for SpoolName {
    type Err = Infallible;

    /// Parses the displayed form: the destination and, for all but the first, a plus sign and the number.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let numbered = text.rsplit_once('+').and_then(|(destination, number)| {
            let number = number.parse().ok().filter(|number| *number > 1)?;
            Some(Self { destination: destination.to_owned(), number })
        });
        Ok(numbered.unwrap_or_else(|| Self { destination: text.to_owned(), number: 1 }))
    }
}

impl fmt::Display for SpoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            1 => f.write_str(&self.destination),
            number => write!(f, "{}+{number}", self.destination),
        }
    }
}

fn destination_of(directory: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(directory.len());
    let mut rest = directory.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => b':',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_lead_back() {
        for (destination, number, directory) in [
            ("127.0.0.1:2003", 1, "127.0.0.1_2003"),
            ("127.0.0.1:2003", 2, "127.0.0.1_2003+2"),
            ("a_b:1:x", 1, "a%5fb_1_x"),
            ("a:1:x+2", 3, "a_1_x%2b2+3"),
            ("[::1]:2003:a/../b", 1, "%5b__1%5d_2003_a%2f..%2fb"),
            ("..:1", 1, "%2e._1"),
            ("é:1", 1, "%c3%a9_1"),
        ] {
            let name = SpoolName { destination: destination.to_owned(), number };
            assert_eq!(name.directory(), directory);
            assert_eq!(name.to_string().parse(), Ok(name.clone()));
            assert_eq!(SpoolName::of_directory(directory), Some(name));
        }
        for none in ["a_b%", "%zz", "a:b", ".a", "a+", "a+1", "a+02", "a+b", "a+2+3"] {
            assert_eq!(SpoolName::of_directory(none), None, "{none}");
        }
    }
}
