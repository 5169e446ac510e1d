//! The first words with a server: whether what follows is protected. Source: [MS-TDS] 2.2.3.1, 2.2.6.5.

/// How much of a packet isn't content.
pub(super) const HEADER: usize = 8;

/// The largest packet before another size is agreed on.
pub(super) const LARGEST: usize = 4096;

/// A packet of this kind holds [`ask`], or a handshake's bytes.
pub(super) const PRELOGIN: u8 = 0x12;

/// A packet of this kind answers.
const ANSWER: u8 = 0x04;

/// What a side says of encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Of the login alone: to us as good as none.
    Off = 0,
    On = 1,
    NotSupported = 2,
    Required = 3,
}

/// The head of a packet of `kind` with `content` bytes, the last of its message.
pub(super) fn head(kind: u8, content: usize) -> [u8; HEADER] {
    // Callers have at most `LARGEST`.
    let [high, low] = u16::try_from(content + HEADER).unwrap_or(u16::MAX).to_be_bytes();
    [kind, 1, high, low, 0, 0, 1, 0]
}

/// How many bytes follow a packet's `head`, if it is an answer.
pub(super) fn follows(head: [u8; HEADER], kind: u8) -> Option<usize> {
    let [is, _, high, low, ..] = head;
    let length = usize::from(u16::from_be_bytes([high, low])).checked_sub(HEADER)?;
    (is == kind && length <= LARGEST - HEADER).then_some(length)
}

/// How many bytes follow the `head` of the answer to [`ask`].
pub(super) fn answers(head: [u8; HEADER]) -> Option<usize> {
    follows(head, ANSWER)
}

/// What a client says that wants `encryption`.
pub(super) fn ask(encryption: Encryption) -> Vec<u8> {
    packet(PRELOGIN, encryption)
}

/// What a server answers: for the driver, which hears that there is nothing to encrypt.
pub(super) fn answer() -> Vec<u8> {
    packet(ANSWER, Encryption::NotSupported)
}

/// Version, encryption, instance, thread and concurrent results: their places, then they themselves.
fn packet(kind: u8, encryption: Encryption) -> Vec<u8> {
    #[rustfmt::skip]
    let content = [
        0, 0, 26, 0, 6,
        1, 0, 32, 0, 1,
        2, 0, 33, 0, 1,
        3, 0, 34, 0, 4,
        4, 0, 38, 0, 1,
        0xff,
        0, 0, 0, 0, 0, 0,
        encryption as u8,
        0,
        0, 0, 0, 0,
        0,
    ];
    [&head(kind, content.len())[..], &content].concat()
}

/// What the `content` of an answer says of encryption: `None` if it isn't one.
pub(crate) fn read(content: &[u8]) -> Option<u8> {
    let mut options = content.chunks(5);
    loop {
        match options.next()? {
            [1, offset @ .., high, low] if u16::from_be_bytes([*high, *low]) == 1 => {
                let offset = u16::from_be_bytes(offset.try_into().ok()?);
                return content.get(usize::from(offset)).copied();
            }
            [0xff, ..] => return None,
            _ => {}
        }
    }
}

/// What `content` says; `None` if it can't be understood.
pub(super) fn encryption(content: &[u8]) -> Option<Encryption> {
    use Encryption::{NotSupported, Off, On, Required};
    let said = read(content)?;
    [Off, On, NotSupported, Required].into_iter().find(|it| *it as u8 == said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        for it in [Encryption::Off, Encryption::On, Encryption::NotSupported, Encryption::Required]
        {
            let packet = ask(it);
            let (head, content) = packet.split_at(HEADER);
            let head = head.try_into().expect("a head");
            assert_eq!(follows(head, PRELOGIN), Some(content.len()));
            assert_eq!(encryption(content), Some(it));
            assert_eq!(answers(head), None);
        }
    }

    #[test]
    fn what_isnt_whole_is_no_answer() {
        for content in [
            &[][..],
            &[0xff],
            &[1, 0, 5, 0],
            &[1, 0, 9, 0, 1, 0xff, 1],
            &[1, 0, 6, 0, 2, 0xff, 1],
            &[0, 0, 6, 0, 1, 0xff, 1],
        ] {
            assert_eq!(read(content), None, "{content:?}");
        }
        assert_eq!(encryption(&[1, 0, 6, 0, 1, 0xff, 9]), None);
        assert_eq!(answers([4, 1, 0, 7, 0, 0, 0, 0]), None);
        assert_eq!(answers([4, 1, 0xff, 0xff, 0, 0, 0, 0]), None);
    }
}
