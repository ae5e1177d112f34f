//! Artifacts as files to download: a ZIP archive of the collected files, and gzip for reports.

use std::io::Write;

use bytes::Bytes;
use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

use crate::store::jobs::ArchivedFile;

/// Packs files into a ZIP archive, in the order given.
pub(super) fn zip(files: &[ArchivedFile]) -> std::io::Result<Bytes> {
    let mut out: Vec<u8> = Vec::new();
    let mut directory: Vec<u8> = Vec::new();
    for file in files {
        let offset = number(out.len());
        let mut crc = Crc::new();
        crc.update(&file.content);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&file.content)?;
        let packed = encoder.finish()?;
        // Version 2.0, names in UTF-8, deflated, 1980-01-01 00:00.
        let mut common: Vec<u8> = Vec::new();
        for short in [20_u16, 0x0800, 8, 0, 0x21] {
            common.extend(short.to_le_bytes());
        }
        for long in [crc.sum(), number(packed.len()), number(file.content.len())] {
            common.extend(long.to_le_bytes());
        }
        common.extend(short_number(file.path.len()).to_le_bytes());
        common.extend(0_u16.to_le_bytes());

        out.extend(0x0403_4b50_u32.to_le_bytes());
        out.extend(&common);
        out.extend(file.path.as_bytes());
        out.extend(&packed);

        let mode: u32 = if file.executable {
            0o100_755
        } else {
            0o100_644
        };
        directory.extend(0x0201_4b50_u32.to_le_bytes());
        // Made on Unix, so that the mode counts.
        directory.extend(0x0314_u16.to_le_bytes());
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(file.path.as_bytes());
    }
    let (start, size) = (number(out.len()), number(directory.len()));
    let count = short_number(files.len());
    out.extend(directory);
    out.extend(0x0605_4b50_u32.to_le_bytes());
    out.extend([0; 4]);
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    Ok(Bytes::from(out))
}

/// Packs one file.
pub(super) fn gzip(content: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content)?;
    encoder.finish().map(Bytes::from)
}

/// Sizes fit: requests are limited far below four gigabytes.
fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

fn short_number(size: usize) -> u16 {
    u16::try_from(size).unwrap_or(u16::MAX)
}
