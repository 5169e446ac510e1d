//! The bytes of DRDA: messages, the objects in them, and the numbers that both are known by.
//!
//! A message is a frame of six bytes (length, `0xD0`, kind, number) around objects; an object is a length, a code
//! point, and bytes or further objects. What is longer than 32 KiB comes in pieces. Source: The Open Group, DRDA
//! volumes 1 and 3 (DDM).

use super::bytes::Reader;

/// What a server may answer at once. All that is asked here are names, letters and one list of users.
pub(super) const LONGEST_REPLY: usize = 1 << 20;

macro_rules! code_points {
    ($($name:ident = $value:literal),+ $(,)?) => { $(pub(super) const $name: u16 = $value;)+ };
}

code_points! {
    ACCRDB = 0x2001, ACCRDBRM = 0x2201, ACCSEC = 0x106D, ACCSECRD = 0x14AC, AGENT = 0x1403, CCSIDDBC = 0x119D,
    CCSIDMBC = 0x119E, CCSIDSBC = 0x119C, CMNTCPIP = 0x1474, CNTQRY = 0x2006, CRRTKN = 0x2135,
    ENDQRYRM = 0x220B, EXCSAT = 0x1041, EXCSATRD = 0x1443, EXCSQLSTT = 0x200B, EXTDTA = 0x146C,
    EXTNAM = 0x115E, FDODSC = 0x0010, FDODTA = 0x147A, MAXRSLCNT = 0x2140, MGRLVLLS = 0x1404,
    OPNQRY = 0x200C, OPNQRYRM = 0x2205, OUTEXP = 0x2111, PASSWORD = 0x11A1, PKGNAMCSN = 0x2113,
    PKGSNLST = 0x2139, PRDID = 0x112E, PRPSQLSTT = 0x200D, QRYBLKSZ = 0x2114, QRYCLSIMP = 0x215D, QRYDSC = 0x241A,
    QRYDTA = 0x241B, QRYINSID = 0x215B, RDB = 0x240F, RDBACCCL = 0x210F, RDBATHRM = 0x2203,
    RDBCMM = 0x200E, RDBNAM = 0x2110, RDBNFNRM = 0x2211, RDBRLLBCK = 0x200F,
    RSLSETRM = 0x2219, SECCHK = 0x106E, SECCHKCD = 0x11A4, SECCHKRM = 0x1219, SECMEC = 0x11A2,
    SECMGR = 0x1440, SQLAM = 0x2407, SQLCARD = 0x2408, SQLDTA = 0x2412, SQLSTT = 0x2414, SRVCLSNM = 0x1147,
    SRVNAM = 0x116D, SRVRLSLV = 0x115A, SVRCOD = 0x1149, TYPDEFNAM = 0x002F, TYPDEFOVR = 0x0035,
    UNICODEMGR = 0x1C08, USRID = 0x11A0,
}

/// The only byte that a frame has in its third place.
const MAGIC: u8 = 0xD0;
/// In a frame's fourth byte: another follows.
const CHAINED: u8 = 0x40;
/// In a frame's fourth byte: the next has the same number.
const SAME_NUMBER: u8 = 0x10;
/// In a frame's fourth byte: a request.
const REQUEST: u8 = 1;
/// In a frame's fourth byte: what a request is about.
const OBJECT: u8 = 3;
/// In a length: more pieces follow, or the length itself does.
const LONG: u16 = 0x8000;

/// An object being written. It may hold a password, so it is wiped.
#[derive(Default)]
pub(super) struct Object(zeroize::Zeroizing<Vec<u8>>);

impl Object {
    /// Empty, with room for what is usual: what grows leaves copies behind.
    pub(super) fn new() -> Self {
        Self(zeroize::Zeroizing::new(Vec::with_capacity(4096)))
    }

    /// With the parameter `code` that is `bytes`. What is too long for a frame is cut off with it, and refused there.
    pub(super) fn with(mut self, code: u16, bytes: &[u8]) -> Self {
        let length = u16::try_from(bytes.len() + 4).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(&code.to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// With `bytes` as they are.
    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The frames of one request: the command `code` with its parameters, and what it is about. `None` if that is longer
/// than a frame.
pub(super) fn request(
    code: u16,
    parameters: &Object,
    about: Option<(u16, &Object)>,
) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let mut out = zeroize::Zeroizing::new(Vec::with_capacity(64 << 10));
    let kind = if about.is_some() { REQUEST | CHAINED | SAME_NUMBER } else { REQUEST };
    frame(&mut out, kind, code, parameters.bytes())?;
    if let Some((code, object)) = about {
        frame(&mut out, OBJECT, code, object.bytes())?;
    }
    Some(out)
}

fn frame(out: &mut Vec<u8>, kind: u8, code: u16, bytes: &[u8]) -> Option<()> {
    let length = u16::try_from(bytes.len() + 10).ok().filter(|it| it & LONG == 0)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&[MAGIC, kind, 0, 1]);
    out.extend_from_slice(&(length - 6).to_be_bytes());
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(bytes);
    Some(())
}

/// What a frame's first six bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// How many bytes follow in this piece.
    pub(super) length: usize,
    /// Whether pieces of the same frame follow, each after a length of two bytes.
    pub(super) continued: bool,
    /// Whether another frame follows.
    pub(super) chained: bool,
}

/// Reads the head of a frame. `None` if it is none.
pub(super) fn head(bytes: [u8; 6]) -> Option<Head> {
    let [high, low, MAGIC, kind, ..] = bytes else { return None };
    let (length, continued) = piece([high, low], 6)?;
    Some(Head { length, continued, chained: kind & CHAINED != 0 })
}

/// Reads the length of a piece that begins with `own` bytes: how many follow, and whether another piece does.
pub(super) fn piece(bytes: [u8; 2], own: usize) -> Option<(usize, bool)> {
    let length = u16::from_be_bytes(bytes);
    let follow = usize::from(length & !LONG).checked_sub(own)?;
    Some((follow, length & LONG != 0))
}

/// The objects in `bytes`, with their code points. Ends where they can't be understood, after a `None`.
pub(super) fn objects(bytes: &[u8]) -> impl Iterator<Item = Option<(u16, &[u8])>> {
    let mut rest = Some(Reader::new(bytes));
    std::iter::from_fn(move || {
        let reader = rest.as_mut().filter(|it| !it.is_empty())?;
        let next = object(reader);
        if next.is_none() {
            rest = None;
        }
        Some(next)
    })
}

fn object<'a>(reader: &mut Reader<'a>) -> Option<(u16, &'a [u8])> {
    let length = reader.u16()?;
    let code = reader.u16()?;
    let length = if length & LONG == 0 {
        usize::from(length).checked_sub(4)?
    } else {
        // As many bytes as are beyond the usual four hold the length.
        let digits = usize::from(length & !LONG).checked_sub(4)?;
        let digits = reader.take(digits).filter(|it| it.len() <= 8)?;
        let length = digits.iter().fold(0_u64, |sum, it| sum << 8 | u64::from(*it));
        // None: what is left.
        match length {
            0 => reader.left(),
            length => usize::try_from(length).ok()?,
        }
    };
    Some((code, reader.take(length)?))
}

/// The parameter `code` of an object's `bytes`.
pub(super) fn parameter(bytes: &[u8], code: u16) -> Option<&[u8]> {
    objects(bytes).map_while(|it| it).find(|it| it.0 == code).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_frames() {
        let about = Object::new().raw(b"text");
        let parameters = Object::new().with(RDBNAM, b"app");
        let said = request(PRPSQLSTT, &parameters, Some((SQLSTT, &about))).expect("short");
        let first = b"\x00\x11\xD0\x51\x00\x01\x00\x0B\x20\x0D\x00\x07\x21\x10app";
        let second = b"\x00\x0E\xD0\x03\x00\x01\x00\x08\x24\x14text";
        assert_eq!(said.as_slice(), [&first[..], second].concat());
        let alone = request(EXCSAT, &Object::new(), None).expect("short");
        assert_eq!(alone.as_slice(), b"\x00\x0A\xD0\x01\x00\x01\x00\x04\x10\x41");
        let long = Object::new().raw(&vec![0; 32_758]);
        assert!(request(EXCSAT, &long, None).is_none());
        // What is cut off can't be sent either.
        assert!(request(EXCSAT, &Object::new().with(USRID, &vec![0; 70_000]), None).is_none());
    }

    #[test]
    fn heads_say_what_follows() {
        for (bytes, expected) in [
            ([0x00, 0x0A, 0xD0, 0x02, 0, 1], Some((4, false, false))),
            ([0x00, 0x0A, 0xD0, 0x42, 0, 1], Some((4, false, true))),
            ([0xFF, 0xFF, 0xD0, 0x53, 0, 1], Some((32_761, true, true))),
            ([0x00, 0x05, 0xD0, 0x02, 0, 1], None),
            ([0x15, 0x03, 0x03, 0x00, 2, 2], None),
        ] {
            let expected =
                expected.map(|(length, continued, chained)| Head { length, continued, chained });
            assert_eq!(head(bytes), expected, "{bytes:02x?}");
        }
        assert_eq!((piece([0x7F, 0xFF], 2), piece([0, 1], 2)), (Some((32_765, false)), None));
    }
}
