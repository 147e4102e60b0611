//! Zip archives made by hand, so that every field can be wrong.

/// An entry and how its headers lie.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    /// The name in the local header, where it is another one.
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) data: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) crc: u32,
    pub(crate) size: u32,
    pub(crate) external: u32,
    /// Where the directory says that the local header lies, when not where it does.
    pub(crate) offset: Option<u32>,
    /// Extra fields in the local header, and in the directory.
    pub(crate) extra: [Vec<u8>; 2],
}

/// One extra field.
pub(crate) fn extra(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    put16(&mut field, kind);
    put16(&mut field, data.len() as u16);
    field.extend_from_slice(data);
    field
}

pub(crate) fn stored(name: &str, data: &[u8]) -> Entry {
    Entry {
        name: name.as_bytes().to_vec(),
        local_name: None,
        data: data.to_vec(),
        method: 0,
        flags: 0,
        crc: crc32fast::hash(data),
        size: data.len() as u32,
        external: 0,
        offset: None,
        extra: [Vec::new(), Vec::new()],
    }
}

pub(crate) fn deflated(name: &str, data: &[u8]) -> Entry {
    use std::io::Write as _;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    Entry {
        data: encoder.finish().unwrap(),
        method: 8,
        ..stored(name, data)
    }
}

fn put16(to: &mut Vec<u8>, value: u16) {
    to.extend_from_slice(&value.to_le_bytes());
}

fn put32(to: &mut Vec<u8>, value: u32) {
    to.extend_from_slice(&value.to_le_bytes());
}

/// What lies about the end of an archive.
#[derive(Default)]
pub(crate) struct End {
    pub(crate) total: Option<u16>,
    pub(crate) disk: u16,
    pub(crate) start: Option<u32>,
    pub(crate) comment: Vec<u8>,
    /// Bytes between the entries and the directory.
    pub(crate) gap: Vec<u8>,
}

pub(crate) fn archive(entries: &[Entry]) -> Vec<u8> {
    archive_with(entries, &End::default())
}

pub(crate) fn archive_with(entries: &[Entry], end: &End) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = entry.offset.unwrap_or(file.len() as u32);
        let local = entry.local_name.as_ref().unwrap_or(&entry.name);
        put32(&mut file, 0x0403_4b50);
        put16(&mut file, 20);
        put16(&mut file, entry.flags);
        put16(&mut file, entry.method);
        put32(&mut file, 0);
        put32(&mut file, entry.crc);
        put32(&mut file, entry.data.len() as u32);
        put32(&mut file, entry.size);
        put16(&mut file, local.len() as u16);
        put16(&mut file, entry.extra[0].len() as u16);
        file.extend_from_slice(local);
        file.extend_from_slice(&entry.extra[0]);
        file.extend_from_slice(&entry.data);
        if entry.flags & 8 != 0 {
            put32(&mut file, 0x0807_4b50);
            put32(&mut file, entry.crc);
            put32(&mut file, entry.data.len() as u32);
            put32(&mut file, entry.size);
        }
        put32(&mut directory, 0x0201_4b50);
        put16(&mut directory, 0x0314);
        put16(&mut directory, 20);
        put16(&mut directory, entry.flags);
        put16(&mut directory, entry.method);
        put32(&mut directory, 0);
        put32(&mut directory, entry.crc);
        put32(&mut directory, entry.data.len() as u32);
        put32(&mut directory, entry.size);
        put16(&mut directory, entry.name.len() as u16);
        put16(&mut directory, entry.extra[1].len() as u16);
        put16(&mut directory, 0);
        put16(&mut directory, 0);
        put16(&mut directory, 0);
        put32(&mut directory, entry.external);
        put32(&mut directory, offset);
        directory.extend_from_slice(&entry.name);
        directory.extend_from_slice(&entry.extra[1]);
    }
    file.extend_from_slice(&end.gap);
    let start = end.start.unwrap_or(file.len() as u32);
    let bytes = directory.len() as u32;
    file.extend_from_slice(&directory);
    let total = end.total.unwrap_or(entries.len() as u16);
    put32(&mut file, 0x0605_4b50);
    put16(&mut file, end.disk);
    put16(&mut file, end.disk);
    put16(&mut file, total);
    put16(&mut file, total);
    put32(&mut file, bytes);
    put32(&mut file, start);
    put16(&mut file, end.comment.len() as u16);
    file.extend_from_slice(&end.comment);
    file
}
