use super::*;
use proptest::prelude::*;
use std::io::BufReader;

/// A line, and the name with the value's length, or the fact.
type Read = (u64, Result<(String, usize), String>);

fn found(input: &[u8], format: Format) -> Vec<Read> {
    let mut found = Vec::new();
    // A small buffer: nothing may depend on a line being in one piece.
    read(BufReader::with_capacity(7, input), format, "", &mut |item| {
        let entry = item.entry.map(|it| (it.name, it.value.bytes().len())).map_err(|it| it.fact);
        found.push((item.line, entry));
        ControlFlow::Continue(())
    });
    found
}

fn line(name: &str, value: &str) -> String {
    format!(r#"{{"Name":"{name}","SecretString":"{value}"}}"#)
}

fn good(line: u64, name: &str, length: usize) -> Read {
    (line, Ok((name.to_owned(), length)))
}

fn bad(line: u64, fact: &str) -> Read {
    (line, Err(fact.to_owned()))
}

#[test]
fn a_bad_line_is_told_and_the_next_one_read() {
    let long = line("long", &"x".repeat(LONGEST));
    let input =
        [&line("a", "1"), "", "{", &line("b", "22\\n"), &long, &line("a", "1"), &line("c", "3")]
            .join("\r\n");
    let input = [input.as_bytes(), b"\n\xff\n", line("d", "4").as_bytes()].concat();
    let expected = [
        good(1, "a", 1),
        bad(3, "not JSON from byte 1 on"),
        good(4, "b", 3),
        bad(5, "longer than 262144 bytes"),
        bad(6, "the name stands in line 1 already"),
        good(7, "c", 1),
        bad(8, "not UTF-8"),
        good(9, "d", 1),
    ];
    assert_eq!(found(&input, Format::Json), expected);
}

#[test]
fn a_line_of_the_longest_length_is_read() {
    let frame = line("a", "").len();
    for (beyond, taken) in [(0, true), (1, false)] {
        let text = line("a", &"x".repeat(LONGEST - frame + beyond));
        for ending in ["", "\n"] {
            let [(1, Err(fact))] = &found((text.clone() + ending).as_bytes(), Format::Json)[..]
            else {
                panic!("no value is as long")
            };
            assert_eq!(!fact.starts_with("longer"), taken, "{beyond} {fact}");
        }
    }
}

#[test]
fn an_array_is_read_element_by_element() {
    let (a, b) = (line("a", "1"), line("b", "2").replace(',', ",\n"));
    let input = format!("\u{feff}\n [{a},\n\n{b},{{\"Name\":\"n\"}} , 7,\n{a}]\n");
    let expected = [
        good(2, "a", 1),
        good(4, "b", 1),
        bad(5, "no SecretString or SecretBinary"),
        (5, Err(Fault::Shape.to_string())),
        bad(6, "the name stands in line 2 already"),
    ];
    assert_eq!(found(input.as_bytes(), Format::Json), expected);
    assert_eq!(found(b"[]", Format::Json), []);
    assert_eq!(found(b"", Format::Json), []);
}

#[test]
fn an_array_that_breaks_off_is_told_with_its_line() {
    let a = line("a", "1");
    let long = line("b", &"x".repeat(LONGEST));
    for (rest, line, fact) in [
        (",\n{\"Name\" canary}]", 2, "not JSON from byte 9 on"),
        ("", 1, "not JSON"),
        ("]\n7", 2, "not JSON from byte 1 on"),
        (&format!(",\n{long}]"), 2, "longer than 262144 bytes"),
    ] {
        let told = found(format!("[{a}{rest}").as_bytes(), Format::Json);
        let [first, (at, Err(told))] = &told[..] else { panic!("{told:.200?}") };
        assert_eq!(*first, good(1, "a", 1));
        assert_eq!(*at, line, "{told}");
        assert!(told.starts_with(fact), "{told}");
        assert!(told.ends_with("; the array can't be read any further"), "{told}");
    }
}

#[test]
fn assignments_are_lines_too() {
    let input = b"\xef\xbb\xbf# a comment\nA=1\n\nB\nC='\nD=\nA=2\nE F=3\n";
    let expected = [
        good(2, "A", 1),
        bad(4, "not `NAME=value`"),
        bad(5, "a quote isn't closed; a value of several lines needs JSON"),
        bad(6, "the value has 0 bytes; 1 to 65536 are possible"),
        bad(7, "the name stands in line 2 already"),
        bad(8, "Name has characters besides letters, digits and -/_+=.@!"),
    ];
    assert_eq!(found(input, Format::Env), expected);
}

#[test]
fn a_break_ends_the_reading() {
    let lines = [line("a", "1"), line("b", "2")];
    for input in [lines.join("\n"), format!("[{}]", lines.join(","))] {
        let mut count = 0;
        read(input.as_bytes(), Format::Json, "p/", &mut |item| {
            assert_eq!(item.entry.expect("good").name, "p/a");
            count += 1;
            ControlFlow::Break(())
        });
        assert_eq!(count, 1);
    }
}

proptest! {
    #[test]
    fn any_input_has_an_end(input in prop::collection::vec(any::<u8>(), 0..300), array: bool) {
        let input = if array { [b"[", &input[..]].concat() } else { input };
        found(&input, Format::Json);
        found(&input, Format::Env);
    }

    #[test]
    fn every_line_is_accounted_for(
        lines in prop::collection::vec(prop_oneof!["\\{\\}", "[a-z]{1,9}", "\\[\\]"], 0..20),
    ) {
        let input = [&["{".to_owned()][..], &lines].concat().join("\n");
        let numbers: Vec<_> = found(input.as_bytes(), Format::Json).iter().map(|it| it.0).collect();
        prop_assert_eq!(numbers, (1..=lines.len() as u64 + 1).collect::<Vec<_>>());
    }
}
