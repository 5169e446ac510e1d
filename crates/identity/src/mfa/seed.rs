//! The seed of a new device, as whoever sets it up gets it: once, in letters and as a picture.
//!
//! Source: IAM API Reference, "VirtualMFADevice"; RFC 4648, section 6.

use base::{AccountId, Sensitive};
use png::{BitDepth, ColorType};
use qrcode::{Color, EcLevel, QrCode};

/// How long a seed is, in bytes: 64 letters.
pub(super) const LEN: usize = 40;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Pixels to a side of a module.
const SCALE: usize = 4;
/// Modules of white around them all.
const MARGIN: usize = 4;

/// The seed in letters.
pub(super) fn letters(seed: &Sensitive) -> Sensitive {
    let mut letters = Vec::with_capacity(seed.len().div_ceil(5) * 8);
    for group in seed.expose().chunks(5) {
        let bits = group.iter().fold(0_u64, |bits, it| bits << 8 | u64::from(*it));
        for place in (0..8).rev() {
            let digit = usize::try_from(bits >> (5 * place) & 31).unwrap_or_default();
            letters.extend(ALPHABET.get(digit));
        }
    }
    Sensitive::new(letters)
}

/// A PNG of the QR code that authenticator programs read: the seed's `letters`, and whose device it is.
///
/// # Errors
///
/// There is no picture of a name so long: none that IAM takes.
pub(super) fn picture(
    letters: &Sensitive,
    name: &str,
    account: &AccountId,
) -> Result<Sensitive, String> {
    let uri = uri(letters, name, account);
    let code = QrCode::with_error_correction_level(uri.expose(), EcLevel::M);
    let code = code.map_err(|error| error.to_string())?;
    let side = (code.width() + 2 * MARGIN) * SCALE;
    let mut bits = Sensitive::new(vec![0; side.div_ceil(8) * side]);
    for (y, row) in bits.expose_mut().chunks_mut(side.div_ceil(8)).enumerate() {
        for x in (0..side).filter(|x| !is_dark(&code, *x, y)) {
            if let Some(byte) = row.get_mut(x / 8) {
                *byte |= 0x80 >> (x % 8);
            }
        }
    }
    encoded(&bits, side).map_err(|error| error.to_string())
}

fn uri(letters: &Sensitive, name: &str, account: &AccountId) -> Sensitive {
    let head = format!("otpauth://totp/{name}@{account}?secret=");
    let mut uri = Vec::with_capacity(head.len() + letters.len());
    uri.extend_from_slice(head.as_bytes());
    uri.extend_from_slice(letters.expose());
    Sensitive::new(uri)
}

fn is_dark(code: &QrCode, x: usize, y: usize) -> bool {
    let module = |pixel: usize| (pixel / SCALE).checked_sub(MARGIN).filter(|it| *it < code.width());
    module(x).zip(module(y)).is_some_and(|it| code[it] == Color::Dark)
}

/// `side` rows of as many pixels, a bit each, as a PNG.
fn encoded(bits: &Sensitive, side: usize) -> Result<Sensitive, png::EncodingError> {
    let side = u32::try_from(side).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(16 * 1024);
    let mut encoder = png::Encoder::new(&mut out, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(bits.expose())?;
    writer.finish()?;
    Ok(Sensitive::new(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_the_rfc() {
        for (bytes, expected) in
            [("fooba", "MZXW6YTB"), ("12345678901234567890", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
        {
            let letters = letters(&Sensitive::from(bytes.as_bytes()));
            assert_eq!(str::from_utf8(letters.expose()), Ok(expected));
        }
        assert_eq!(letters(&Sensitive::new(vec![0; LEN])).len(), 64);
    }

    #[test]
    fn the_picture_is_the_code_of_the_uri() {
        let account: AccountId = "111122223333".parse().expect("valid");
        let letters = Sensitive::from("GEZDGNBVGY3TQOJQ".to_owned());
        let longest = "x".repeat(226);
        for name in ["ada", &longest] {
            let uri = format!("otpauth://totp/{name}@111122223333?secret=GEZDGNBVGY3TQOJQ");
            let code = QrCode::with_error_correction_level(&uri, EcLevel::M).expect("fits");
            let picture = picture(&letters, name, &account).expect("made");
            let decoder = png::Decoder::new(std::io::Cursor::new(picture.expose()));
            let mut reader = decoder.read_info().expect("a PNG");
            let mut bits = vec![0; reader.output_buffer_size().expect("small")];
            let frame = reader.next_frame(&mut bits).expect("a picture");
            let side = (code.width() + 2 * MARGIN) * SCALE;
            assert_eq!((frame.width as usize, frame.height as usize), (side, side));
            let dark =
                |x: usize, y: usize| bits[y * frame.line_size + x / 8] >> (7 - x % 8) & 1 == 0;
            for (index, color) in code.to_colors().into_iter().enumerate() {
                let (x, y) = (index % code.width(), index / code.width());
                let middle = |it: usize| (it + MARGIN) * SCALE + 2;
                assert_eq!(dark(middle(x), middle(y)), color == Color::Dark, "{x} {y}");
            }
            assert!((0..side).all(|it| !dark(it, 0) && !dark(0, it)), "white around it");
        }
    }
}
