//! Undoes gzip without being led to fill the memory.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;

use super::{EXPANDED_BYTES_MAX, HttpError};

/// No honest answer shrinks to less than a hundredth of itself.
const RATIO_MAX: usize = 100;
/// Up to here it may: a list of the same thing a thousand times.
const RATIO_FREE_BYTES: usize = 1 << 20;
const PIECE_BYTES: usize = 64 << 10;

/// The bytes that were compressed.
///
/// # Errors
/// [`HttpError::TooLarge`] beyond [`EXPANDED_BYTES_MAX`] or the ratio; [`HttpError::Encoding`] if it is not gzip,
/// or not all of it.
pub(super) fn gzip(compressed: &[u8]) -> Result<Bytes, HttpError> {
    // What has no body may still say how it would have been encoded.
    if compressed.is_empty() {
        return Ok(Bytes::new());
    }
    let bytes_max = compressed.len().saturating_mul(RATIO_MAX).clamp(RATIO_FREE_BYTES, EXPANDED_BYTES_MAX);
    let mut decoder = MultiGzDecoder::new(compressed);
    let mut expanded = Vec::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => return Ok(expanded.into()),
            Ok(length) if expanded.len() + length > bytes_max => return Err(HttpError::TooLarge),
            Ok(length) => expanded.extend_from_slice(&piece[..length]),
            Err(_) => return Err(HttpError::Encoding),
        }
    }
}
