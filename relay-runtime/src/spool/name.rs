//! What the directory of a destination's spool is called.

use std::fmt::Write as _;

/// The name for a destination, given as `host:port` or `host:port:instance`: different for different ones, readable, and
/// a plain name in any file system. Letters, digits, `.` and `-` stand for themselves, `_` for a colon, and every other
/// byte is `%` and two hex digits.
#[must_use]
pub fn directory_name(destination: &str) -> String {
    let mut name = String::with_capacity(destination.len());
    for (at, byte) in destination.bytes().enumerate() {
        match byte {
            // A name that starts with a dot would be hidden, and `..` another directory.
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

/// The destination that a directory is for; `None` when the name is none of ours.
#[must_use]
pub fn destination_of(directory: &str) -> Option<String> {
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
    let destination = String::from_utf8(bytes).ok()?;
    (directory_name(&destination) == directory).then_some(destination)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_lead_back() {
        for (destination, directory) in [
            ("127.0.0.1:2003", "127.0.0.1_2003"),
            ("a_b:1:x", "a%5fb_1_x"),
            ("[::1]:2003:a/../b", "%5b__1%5d_2003_a%2f..%2fb"),
            ("..:1", "%2e._1"),
            ("é:1", "%c3%a9_1"),
        ] {
            assert_eq!(directory_name(destination), directory);
            assert_eq!(destination_of(directory).as_deref(), Some(destination));
        }
        for none in ["a_b%", "%zz", "a:b", ".a"] {
            assert_eq!(destination_of(none), None, "{none}");
        }
    }
}
