//! Artifacts as files: ZIP archives written and read, and gzip for reports.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

use crate::store::jobs::ArchivedFile;

/// Packs files into a ZIP archive, in the order given.
pub(crate) fn zip(files: &[ArchivedFile]) -> std::io::Result<Bytes> {
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
pub(crate) fn gzip(content: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content)?;
    encoder.finish().map(Bytes::from)
}

/// Unpacks what `gzip` or a runner packed.
pub(crate) fn gunzip(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    MultiGzDecoder::new(content).read_to_end(&mut out)?;
    Ok(out)
}

/// The files that a runner packed one after the other into one report.
pub(crate) fn gunzip_each(content: &[u8]) -> std::io::Result<Vec<Vec<u8>>> {
    let (mut rest, mut files) = (content, Vec::new());
    while !rest.is_empty() {
        let mut decoder = GzDecoder::new(rest);
        let mut file = Vec::new();
        decoder.read_to_end(&mut file)?;
        files.push(file);
        rest = decoder.into_inner();
    }
    Ok(files)
}

/// The files of a ZIP archive, directories and what points outside left out; `None` if it is none, or packed in a way this does not know.
pub(crate) fn unzip(archive: &Bytes) -> Option<Vec<ArchivedFile>> {
    const END: &[u8] = &0x0605_4b50_u32.to_le_bytes();
    let end = archive.windows(4).rposition(|window| window == END)?;
    let count = short_at(archive, end + 10)?;
    let mut at = long_at(archive, end + 16)?;
    let mut files = Vec::new();
    for _ in 0..count {
        if long_at(archive, at)? != 0x0201_4b50 {
            return None;
        }
        let (method, packed) = (short_at(archive, at + 10)?, long_at(archive, at + 20)?);
        let name_length = short_at(archive, at + 28)?;
        let extra = short_at(archive, at + 30)? + short_at(archive, at + 32)?;
        let mode = long_at(archive, at + 38)? >> 16;
        let local = long_at(archive, at + 42)?;
        let name = archive.get(at + 46..at + 46 + name_length)?;
        let path = String::from_utf8_lossy(name).into_owned();
        at += 46 + name_length + extra;
        let outside = path.starts_with('/') || path.split('/').any(|part| part == "..");
        if path.ends_with('/') || outside {
            continue;
        }
        let start = local + 30 + short_at(archive, local + 26)? + short_at(archive, local + 28)?;
        let content = archive.get(start..start + packed)?;
        let content = match method {
            0 => content.to_vec(),
            8 => {
                let mut out = Vec::new();
                DeflateDecoder::new(content).read_to_end(&mut out).ok()?;
                out
            }
            _ => return None,
        };
        files.push(ArchivedFile {
            path,
            executable: mode & 0o111 != 0,
            content: Bytes::from(content),
        });
    }
    Some(files)
}

fn short_at(bytes: &[u8], at: usize) -> Option<usize> {
    let pair = bytes.get(at..at + 2)?;
    Some(usize::from(u16::from_le_bytes(pair.try_into().ok()?)))
}

fn long_at(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at + 4)?;
    usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
}

/// Sizes fit: requests are limited far below four gigabytes.
fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

fn short_number(size: usize) -> u16 {
    u16::try_from(size).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        let file = |path: &str, executable: bool, content: &'static str| ArchivedFile {
            path: path.to_owned(),
            executable,
            content: Bytes::from(content),
        };
        let files = vec![
            file("a.txt", false, "one"),
            file("bin/run", true, ""),
            file("bin/größe.txt", false, "three three three"),
        ];
        let packed = zip(&files).unwrap();
        assert_eq!(unzip(&packed).unwrap(), files);
        assert_eq!(unzip(&Bytes::from("no archive")), None);
        let two = [gzip(b"one").unwrap(), gzip(b"two").unwrap()].concat();
        assert_eq!(gunzip(&two).unwrap(), b"onetwo");
        assert_eq!(gunzip_each(&two).unwrap(), [b"one", b"two"]);
    }
}
