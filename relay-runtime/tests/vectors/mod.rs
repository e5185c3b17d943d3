//! Reading recorded cases: one JSON object per line.

#![allow(dead_code, reason = "each test uses a part of this")]

use serde_json::Value;

pub(crate) mod routing;

/// All cases of a file.
pub(crate) fn cases(file: &str) -> impl Iterator<Item = Value> {
    file.lines().map(|line| serde_json::from_str(line).expect("a recorded case is JSON"))
}

/// Whether the rule itself can be written in a configuration, which is UTF-8. A handful of recorded rules
/// cannot.
pub(crate) fn is_utf8(case: &Value) -> bool {
    !case.as_object().expect("a case is an object").keys().any(|key| key.ends_with("_b64"))
}

/// A recorded text, which has `_b64` at its name where it is not UTF-8.
pub(crate) fn bytes(case: &Value, key: &str) -> Vec<u8> {
    match &case[format!("{key}_b64")] {
        Value::String(base64) => decode(base64),
        _ => case[key].as_str().expect(key).as_bytes().to_vec(),
    }
}

fn decode(base64: &str) -> Vec<u8> {
    let digit = |byte| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for byte in base64.bytes().take_while(|&byte| byte != b'=') {
        bits = (bits << 6) | u32::from(digit(byte));
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held).to_le_bytes()[0]);
        }
    }
    out
}
