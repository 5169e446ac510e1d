//! What a server answers: how a statement ended, and rows. All of it is bytes of a stranger.

use super::bytes::Reader;
use super::ddm::{self, parameter};

/// The order of a number's bytes, which the server chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    Big,
    Little,
}

impl Order {
    /// What `name`, the value of a `TYPDEFNAM`, says of it.
    pub(super) fn named(name: &[u8]) -> Self {
        // In EBCDIC where the server has no Unicode.
        match name {
            b"QTDSQLX86" | b"\xD8\xE3\xC4\xE2\xD8\xD3\xE7\xF8\xF6" => Self::Little,
            _ => Self::Big,
        }
    }

    fn i32(self, bytes: [u8; 4]) -> i32 {
        match self {
            Self::Big => i32::from_be_bytes(bytes),
            Self::Little => i32::from_le_bytes(bytes),
        }
    }
}

/// How a statement ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Negative if it had no effect; 100 if there is nothing more.
    pub(super) code: i32,
    pub(super) state: String,
    pub(super) message: String,
}

/// A row: a text for each column that isn't null.
pub(super) type Row = Vec<Option<String>>;

/// Everything that a request was answered.
#[derive(Debug, Default)]
pub(super) struct Reply {
    objects: Vec<(u16, Vec<u8>)>,
}

/// Reads `bytes` as all that a server answers: how many rows. For those who want to see anything read.
pub(crate) fn read(bytes: &[u8]) -> usize {
    let mut reader = Reader::new(bytes);
    let (mut reply, mut rows) = (Reply::default(), 0);
    while let Some(frame) = frame(&mut reader) {
        if reply.add(&frame).is_none() {
            break;
        }
    }
    for order in [Order::Big, Order::Little] {
        let _ = reply.refusal(order).map(super::failure::of_reply);
        rows += reply.rows(order).map_or(0, |it| it.len());
    }
    rows
}

/// The next frame's content, its pieces put together.
fn frame(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let head = ddm::head(reader.take(6)?.try_into().ok()?)?;
    let (mut length, mut continued, mut frame) = (head.length, head.continued, Vec::new());
    loop {
        frame.extend_from_slice(reader.take(length)?);
        if !continued {
            return Some(frame);
        }
        (length, continued) = ddm::piece(reader.take(2)?.try_into().ok()?, 2)?;
    }
}

/// More objects than any answer has.
const MOST_OBJECTS: usize = 4096;
/// More columns than anything that is asked here.
const MOST_COLUMNS: usize = 64;
/// More rows than anything that is asked here.
const MOST_ROWS: usize = 10_000;

impl Reply {
    /// Takes over a frame's content; `None` if it can't be understood.
    pub(super) fn add(&mut self, frame: &[u8]) -> Option<()> {
        for it in ddm::objects(frame) {
            let (code, bytes) = it?;
            self.objects.push((code, bytes.to_vec()));
        }
        (self.objects.len() <= MOST_OBJECTS).then_some(())
    }

    /// Takes over the further rows of another answer; `None` if it has none, or if that is too much.
    pub(super) fn join(&mut self, other: Self) -> Option<()> {
        other.find(ddm::QRYDTA).or(other.find(ddm::ENDQRYRM))?;
        self.objects.extend(other.objects);
        let whole: usize = self.objects.iter().map(|it| it.1.len()).sum();
        (self.objects.len() <= MOST_OBJECTS && whole <= ddm::LONGEST_REPLY).then_some(())
    }

    /// The first object of this kind.
    pub(super) fn find(&self, code: u16) -> Option<&[u8]> {
        self.all(code).next()
    }

    fn all(&self, code: u16) -> impl Iterator<Item = &[u8]> {
        self.objects.iter().filter(move |it| it.0 == code).map(|it| it.1.as_slice())
    }

    /// The first statement's end that is an error; else the first refusal of another kind, by its code point.
    pub(super) fn refusal(&self, order: Order) -> Option<Result<Outcome, u16>> {
        let ends = self.all(ddm::SQLCARD).filter_map(|it| end(&mut Reader::new(it), order));
        let errors = ends.filter_map(|it| if let End::Said(it) = it { Some(it) } else { None });
        let error = errors.into_iter().find(|it| it.code < 0);
        let severe = |it: &&(u16, Vec<u8>)| severity(&it.1).is_some_and(|it| it >= ERROR);
        let other = || self.objects.iter().filter(|it| is_message(it.0)).find(severe);
        error.map(Ok).or_else(|| other().map(|it| Err(it.0)))
    }

    /// The rows, once they are all there; `None` if they aren't, or can't be understood.
    pub(super) fn rows(&self, order: Order) -> Option<Vec<Row>> {
        let Some(described) = self.find(ddm::QRYDSC) else { return Some(Vec::new()) };
        let columns = columns(described)?;
        let data: Vec<u8> = self.all(ddm::QRYDTA).flatten().copied().collect();
        let (mut reader, mut far) = (Reader::new(&data), self.all(ddm::EXTDTA));
        let mut rows = Vec::new();
        while !reader.is_empty() && rows.len() < MOST_ROWS {
            // Each row says how it was fetched.
            match end(&mut reader, order)? {
                End::Said(outcome) if outcome.code == 100 => return Some(rows),
                End::Said(outcome) if outcome.code < 0 => return None,
                // Diagnostics, which nobody has asked for.
                End::Said(_) => (reader.u8()? == NULL).then_some(())?,
                End::Unsaid => (),
            }
            if reader.u8()? != NULL {
                let mut row = Row::with_capacity(columns.len());
                for it in &columns {
                    it.read(&mut reader, &mut far, order, &mut row)?;
                }
                rows.push(row);
            }
        }
        self.find(ddm::ENDQRYRM).filter(|_| reader.is_empty()).map(|_| rows)
    }
}

/// Where something may be, nothing is.
const NULL: u8 = 0xFF;
/// A reply message is an error from this severity on.
const ERROR: u16 = 8;

/// Whether objects of this code point are messages of a server.
fn is_message(code: u16) -> bool {
    matches!(code, 0x1210..=0x125F | 0x2201..=0x22FF)
}

fn severity(message: &[u8]) -> Option<u16> {
    let code = parameter(message, ddm::SVRCOD)?;
    Some(u16::from_be_bytes(code.try_into().ok()?))
}

/// What is said of a statement, or of the fetch of a row.
enum End {
    /// How it ended.
    Said(Outcome),
    /// Nothing: all is well.
    Unsaid,
}

/// Reads an `SQLCAGRP`. What follows it, diagnostics that nobody has asked for, is left.
fn end(reader: &mut Reader<'_>, order: Order) -> Option<End> {
    if reader.u8()? == NULL {
        return Some(End::Unsaid);
    }
    let code = order.i32(reader.take(4)?.try_into().ok()?);
    let state = text(reader.take(5)?);
    reader.take(8)?; // who found out
    let mut message = String::new();
    if reader.u8()? != NULL {
        reader.take(6 * 4 + 11)?; // numbers and warnings
        reader.string()?; // the database
        let (mixed, single) = (reader.string()?, reader.string()?);
        message = text(if mixed.is_empty() { single } else { mixed });
    }
    Some(End::Said(Outcome { code, state, message }))
}

/// As text to be told: what separates a message's words is a byte that is none.
fn text(bytes: &[u8]) -> String {
    let words = String::from_utf8_lossy(bytes);
    let told = words.replace(['\u{FFFD}', '\u{14}'], " ");
    told.chars().filter(|it| !it.is_control()).take(1000).collect::<String>().trim().to_owned()
}

/// How a column's values are written.
#[derive(Clone, Copy, Debug)]
struct Column {
    kind: u8,
    length: u16,
}

/// Reads a `QRYDSC`: groups of a length, a kind and a number, of which one kind says columns.
fn columns(bytes: &[u8]) -> Option<Vec<Column>> {
    let mut reader = Reader::new(bytes);
    let mut columns = Vec::new();
    while !reader.is_empty() {
        let length = usize::from(reader.u8()?).checked_sub(3)?;
        let kind = (reader.u8()?, reader.u8()?);
        let mut group = Reader::new(reader.take(length)?);
        while kind == (0x76, 0xD0) && !group.is_empty() {
            columns.push(Column { kind: group.u8()?, length: group.u16()? });
        }
    }
    (columns.len() <= MOST_COLUMNS).then_some(columns)
}

impl Column {
    /// Appends the next value to `row`; `far` holds those that don't stand in their row.
    fn read<'a>(
        self,
        reader: &mut Reader<'_>,
        far: &mut impl Iterator<Item = &'a [u8]>,
        order: Order,
        row: &mut Row,
    ) -> Option<()> {
        let nullable = self.kind & 1 == 1;
        if nullable && reader.u8()? == NULL {
            row.push(None);
            return Some(());
        }
        let length = usize::from(self.length);
        let value = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        row.push(Some(match self.kind & !1 {
            INTEGER => order.i32(reader.take(4)?.try_into().ok()?).to_string(),
            FIXED | FIXED_MIXED => value(reader.take(length)?),
            VARYING | LONG | VARYING_MIXED | LONG_MIXED => value(reader.string()?),
            FAR | FAR_MIXED => {
                reader.take(length & 0x7FFF)?;
                value(far.next()?.get(usize::from(nullable)..)?)
            }
            _ => return None,
        }));
        Some(())
    }
}

// Kinds of columns; where null may be, one more. Source: DRDA volume 1, "Environmental Descriptors".
const INTEGER: u8 = 0x02;
const FIXED: u8 = 0x30;
const VARYING: u8 = 0x32;
const LONG: u8 = 0x34;
const FIXED_MIXED: u8 = 0x3C;
const VARYING_MIXED: u8 = 0x3E;
const LONG_MIXED: u8 = 0x40;
const FAR: u8 = 0xCA;
const FAR_MIXED: u8 = 0xCE;

#[cfg(test)]
mod tests {
    use super::*;

    /// How Derby says that all went well.
    const WELL: &str = "000000000020202020204353533130313430000000000000000000000000000000000000000000000000002020202020202020202020000000000000ff";
    /// The same, of no further row.
    const NO_MORE: &str = "0000000064303230303043535331303134300000000000000000010000000000000000000000000000000020202020202020202020200000000000 00ffff";

    fn bytes(digits: &str) -> Vec<u8> {
        let digits: Vec<_> = digits.chars().filter_map(|it| it.to_digit(16)).collect();
        digits.chunks(2).map(|it| u8::try_from(it[0] << 4 | it[1]).expect("a byte")).collect()
    }

    fn reply(objects: &[(u16, Vec<u8>)]) -> Reply {
        let mut frame = Vec::new();
        for (code, bytes) in objects {
            frame.extend(u16::try_from(bytes.len() + 4).expect("short").to_be_bytes());
            frame.extend(code.to_be_bytes());
            frame.extend(bytes);
        }
        let mut reply = Reply::default();
        reply.add(&frame).expect("understood");
        reply
    }

    /// The end of a statement, as a server of Db2 on x86 writes it.
    fn card(code: i32, order: Order, told: &[u8]) -> Vec<u8> {
        let code = match order {
            Order::Big => code.to_be_bytes(),
            Order::Little => code.to_le_bytes(),
        };
        let length = u16::try_from(told.len()).expect("short").to_be_bytes();
        [
            &[0][..],
            &code,
            b"42501SQL11050\0",
            &[0; 24],
            &[b' '; 11],
            &[0, 0],
            &length,
            told,
            b"\0\0\xff",
        ]
        .concat()
    }

    #[test]
    fn ends_of_statements_are_told_in_either_order() {
        for order in [Order::Big, Order::Little] {
            let refused =
                reply(&[(ddm::SQLCARD, card(-551, order, b"APP\xffEXECUTE\xffCHANGE_PASSWORD"))]);
            let told = refused.refusal(order).expect("refused").expect("by a statement");
            assert_eq!((told.code, told.state.as_str()), (-551, "42501"));
            assert_eq!(told.message, "APP EXECUTE CHANGE_PASSWORD");
        }
        assert!(reply(&[(ddm::SQLCARD, bytes(WELL))]).refusal(Order::Big).is_none());
        assert!(reply(&[(ddm::SQLCARD, vec![0xFF])]).refusal(Order::Big).is_none());
        // A message says more only if nothing else does.
        let message = (0x124C, bytes("00061149000800051 14a14"));
        assert_eq!(reply(&[message]).refusal(Order::Big), Some(Err(0x124C)));
        let warning = (0x220C, bytes("00061149000400052115 01"));
        assert_eq!(reply(&[warning]).refusal(Order::Big), None);
        for (name, order) in [
            (&b"QTDSQLX86"[..], Order::Little),
            (b"\xD8\xE3\xC4\xE2\xD8\xD3\xE7\xF8\xF6", Order::Little),
            (b"QTDSQLASC", Order::Big),
            (b"", Order::Big),
        ] {
            assert_eq!(Order::named(name), order);
        }
    }

    #[test]
    fn rows_end_where_the_server_says_so() {
        let described = (ddm::QRYDSC, bytes("0976d03e00013f7fff0971e0540001d000010671f0e00000"));
        let row = "ff00 000159 00000361 7070";
        let end = (ddm::ENDQRYRM, bytes("000611490004"));
        let data = |digits: &str| (ddm::QRYDTA, bytes(digits));
        let yes = vec![vec![Some("Y".to_owned()), Some("app".to_owned())]];
        let rows = |objects: &[(u16, Vec<u8>)]| reply(objects).rows(Order::Big);
        assert_eq!(rows(&[described.clone(), data(row), data(&NO_MORE[..24])]), None);
        assert_eq!(rows(&[described.clone(), data(row), data(NO_MORE)]), Some(yes.clone()));
        assert_eq!(rows(&[described.clone(), data(row), end.clone()]), Some(yes.clone()));
        assert_eq!(rows(&[described.clone(), data(row)]), None, "there is more");
        // A row may be cut anywhere.
        let (one, other) = row.split_at(9);
        let cut = [described.clone(), data(one), data(other), end.clone()];
        assert_eq!(rows(&cut), Some(yes));
        assert_eq!(rows(&cut[..2]), None);
        let null = [described, data("ff00 000159 ff"), end];
        assert_eq!(rows(&null), Some(vec![vec![Some("Y".to_owned()), None]]));
        assert_eq!(rows(&[]), Some(Vec::new()), "no query");
    }

    #[test]
    fn numbers_and_long_texts_have_their_forms() {
        let described = (ddm::QRYDSC, bytes("0f76d0 020004 cf8008 30000 2 030004 0671e4d00001"));
        let row = (ddm::QRYDTA, bytes("ff00 07000000 00 0000000000000000 4142 ff"));
        let far = (ddm::EXTDTA, [&[0][..], b"a long text"].concat());
        let objects = [described, row, far, (ddm::ENDQRYRM, Vec::new())];
        let texts = |order| reply(&objects).rows(order).expect("understood").concat();
        let expected = |number: &str| {
            [Some(number), Some("a long text"), Some("AB"), None].map(|it| it.map(str::to_owned))
        };
        assert_eq!(texts(Order::Little), expected("7"));
        assert_eq!(texts(Order::Big), expected("117440512"));
        assert_eq!(reply(&objects[..2]).rows(Order::Big), None, "the text is missing");
    }

    #[test]
    fn nonsense_is_no_answer() {
        let mut one = Reply::default();
        for broken in
            [&[0, 3, 0x24, 0x08][..], &[0, 9, 0x24, 0x08, 0], &[0], &[0x80, 0x0D, 0, 0, 1]]
        {
            assert!(one.add(broken).is_none(), "{broken:?}");
        }
        // The length of the length says how long that is; nothing says that it is the rest.
        for whole in [&[0x80, 0x08, 0x24, 0x08, 0, 0, 0, 1, 7][..], &[0x80, 4, 0x24, 0x08, 7]] {
            let mut one = Reply::default();
            one.add(whole).expect("understood");
            assert_eq!(one.find(ddm::SQLCARD), Some(&[7][..]));
        }
        let kinds = [(ddm::QRYDSC, bytes("0676d0990004")), (ddm::QRYDTA, bytes("ff0000000000"))];
        assert_eq!(reply(&kinds).rows(Order::Big), None, "an unknown kind");
        let many = [3 * 65 + 3, 0x76, 0xD0].into_iter().chain([0x30, 0, 1].repeat(65)).collect();
        assert_eq!(reply(&[(ddm::QRYDSC, many)]).rows(Order::Big), None, "too many columns");
        assert!(Reply::default().join(Reply::default()).is_none(), "no rows and no end");
        assert_eq!(read(b"\x15\x03\x03\x00\x02\x02\x28") + read(b""), 0);
    }
}
