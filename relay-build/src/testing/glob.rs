//! Finds files by a pattern: `*` and `?` within a name, `**` for any number of directories.
//!
//! Reads directories only as far as the pattern needs.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

/// The files that match the pattern, sorted. A pattern without a wildcard is returned as it is, even if no such
/// file exists.
pub fn glob(pattern: &str) -> io::Result<Vec<PathBuf>> {
    if !pattern.contains(['*', '?']) {
        return Ok(vec![PathBuf::from(pattern)]);
    }
    let parts: Vec<Component<'_>> = Path::new(pattern).components().collect();
    let mut found = Vec::new();
    walk(PathBuf::new(), &parts, &mut found)?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn walk(at: PathBuf, parts: &[Component<'_>], found: &mut Vec<PathBuf>) -> io::Result<()> {
    let Some((part, rest)) = parts.split_first() else {
        if at.is_file() {
            found.push(at);
        }
        return Ok(());
    };
    let wanted = part.as_os_str().to_string_lossy();
    if !wanted.contains(['*', '?']) {
        return walk(at.join(part), rest, found);
    }
    if wanted == "**" {
        walk(at.clone(), rest, found)?;
    }
    let directory = if at.as_os_str().is_empty() { Path::new(".") } else { at.as_path() };
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let next = at.join(entry.file_name());
        if wanted == "**" {
            if !name.starts_with('.') && entry.file_type()?.is_dir() {
                walk(next, parts, found)?;
            }
        } else if matches(wanted.as_bytes(), name.as_bytes())
            && (!name.starts_with('.') || wanted.starts_with('.'))
        {
            walk(next, rest, found)?;
        }
    }
    Ok(())
}

/// Whether `name` matches `form`, compared by bytes.
fn matches(form: &[u8], name: &[u8]) -> bool {
    // The position of the last `*`, and how much of the name it has matched so far.
    let (mut at, mut in_name, mut star) = (0, 0, None);
    while in_name < name.len() {
        match form.get(at) {
            Some(b'*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(&wanted) if wanted == b'?' || wanted == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    in_name = taken + 1;
                }
                None => return false,
            },
        }
    }
    form[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_parts_of_names() {
        let of = |form: &str, name: &str| matches(form.as_bytes(), name.as_bytes());
        assert!(
            of("*.toml", "a.toml")
                && of("a*c*e", "abcde")
                && of("a?c", "abc")
                && of("*", "")
                && of("**a", "ba")
        );
        assert!(!of("*.toml", "a.tom") && !of("a?c", "ac") && !of("a*c", "ab") && !of("", "a"));
    }

    #[test]
    fn files_are_found_at_any_depth() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        for name in ["x.test.toml", "a/y.test.toml", "a/b/z.test.toml", "a/b/other.toml"] {
            fs::write(root.join(name), "").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            let found = glob(&root.join(pattern).to_string_lossy()).unwrap();
            found.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names("*.test.toml"), ["x.test.toml"]);
        assert_eq!(names("**/*.test.toml"), ["z.test.toml", "y.test.toml", "x.test.toml"]);
        assert_eq!(names("a/?.test.toml"), ["y.test.toml"]);
        assert!(names("nothing/*.toml").is_empty());
    }
}
