//! Lines of `NAME=value`, as in `.env` files.

use super::entry::Fault;
use base::Sensitive;

/// The name and the value of a line; nothing for comments and empty lines.
///
/// `export ` may stand before the name. A value in single quotes is taken as it is; in double quotes
/// `\n`, `\r`, `\t`, `\"`, `\\` and `\$` stand for one character each. A value without quotes reaches
/// to the end of the line, `#` included, without the spaces around it. Nothing is substituted.
pub(crate) fn read(line: &str) -> Result<Option<(&str, Sensitive)>, Fault> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, value) = line.split_once('=').ok_or(Fault::Assignment)?;
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    if name.is_empty() {
        return Err(Fault::Assignment);
    }
    let value = value.trim();
    let value = match (value.strip_prefix('\''), value.strip_prefix('"')) {
        (Some(rest), _) => single(rest)?,
        (_, Some(rest)) => double(rest)?,
        _ => Sensitive::from(value.as_bytes()),
    };
    Ok(Some((name, value)))
}

fn single(rest: &str) -> Result<Sensitive, Fault> {
    let (value, after) = rest.split_once('\'').ok_or(Fault::OpenQuote)?;
    if after.is_empty() { Ok(Sensitive::from(value.as_bytes())) } else { Err(Fault::AfterQuote) }
}

fn double(rest: &str) -> Result<Sensitive, Fault> {
    // As long as it can get: nothing is left behind by a growing buffer.
    let mut value = Vec::with_capacity(rest.len());
    let mut bytes = rest.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                let value = Sensitive::new(value);
                return if bytes.len() == 0 { Ok(value) } else { Err(Fault::AfterQuote) };
            }
            b'\\' => match bytes.next() {
                Some(b'n') => value.push(b'\n'),
                Some(b'r') => value.push(b'\r'),
                Some(b't') => value.push(b'\t'),
                Some(escaped @ (b'"' | b'\\' | b'$')) => value.push(escaped),
                Some(other) => value.extend([b'\\', other]),
                None => break,
            },
            other => value.push(other),
        }
    }
    drop(Sensitive::new(value));
    Err(Fault::OpenQuote)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Read<'a> = Result<Option<(&'a str, &'a str)>, Fault>;

    #[test]
    fn values_are_taken_as_written() {
        #[rustfmt::skip]
        let cases: [(_, Read<'_>); 18] = [
            ("A=b",                Ok(Some(("A", "b")))),
            ("export A=b",         Ok(Some(("A", "b")))),
            ("  A = b c \r",       Ok(Some(("A", "b c")))),
            ("A=b=c==",            Ok(Some(("A", "b=c==")))),
            ("A=p#w #x",           Ok(Some(("A", "p#w #x")))),
            ("A=$B",               Ok(Some(("A", "$B")))),
            ("A='b \"c\" \\n'",    Ok(Some(("A", "b \"c\" \\n")))),
            (r#"A="b\n\"c\\\$\x""#, Ok(Some(("A", "b\n\"c\\$\\x")))),
            ("A=\"ä\"",            Ok(Some(("A", "ä")))),
            ("A=",                 Ok(Some(("A", "")))),
            ("# A=b",              Ok(None)),
            ("  ",                 Ok(None)),
            ("A",                  Err(Fault::Assignment)),
            ("=b",                 Err(Fault::Assignment)),
            ("A='b",               Err(Fault::OpenQuote)),
            ("A=\"b\\\"",          Err(Fault::OpenQuote)),
            ("A='b' c",            Err(Fault::AfterQuote)),
            ("A=\"b\"c",           Err(Fault::AfterQuote)),
        ];
        for (line, expected) in cases {
            let found = read(line).map(|it| {
                it.map(|(name, value)| (name, String::from_utf8(value.expose().to_vec()).unwrap()))
            });
            let expected = expected.map(|it| it.map(|(name, value)| (name, value.to_owned())));
            assert_eq!(found, expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(value in "[^\\n]*") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let line = format!("A=\"{quoted}\"");
            let (_, found) = read(&line).unwrap().unwrap();
            prop_assert_eq!(found.expose(), value.as_bytes());
        }

        #[test]
        fn any_line_has_an_answer(line in "[ -~ä=\"'\\\\]*") {
            let _whatever_it_is = read(&line);
        }
    }
}
