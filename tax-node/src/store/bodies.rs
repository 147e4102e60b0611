//! Body files: leaves and block rows of blocks that are final for good, in a folder for each year.
//!
//! A body file is written once, as a whole, and never changed: `epochs/2026/0000000012.bodies` has
//! blocks whose time lies in 2026 in UTC+8. A folder can be moved to cheaper storage or dropped;
//! what its blocks decided stays known, only their texts and signatures are then elsewhere. A file
//! can be read alone. It begins with [`MAGIC`]; frames follow, each `kind u8 | payload length u32 |
//! payload | first 8 bytes of SM3 over all that`:
//!
//! | kind | payload |
//! |---|---|
//! | 1 | a dictionary: `number u32`, its bytes; before the first bundle that needs it |
//! | 2 | leaves (see `bundle.rs`) |
//! | 3 | rows of consecutive blocks: `first height u64`, `plain size u32`, zstd over `length u32`, row for each (see `block_row.rs`) |

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

use invoice_core::calendar::Instant;
use invoice_core::codec::{DecodeError, Reader, Writer};
use invoice_core::crypto::{Hash, sm3, sm3_many};

use super::block_row::BlockOutline;
use super::bundle::{Bundle, Part};
use super::dictionary::{Dictionaries, Dictionary};
use super::error::{Damage, ReadError};
use super::journal::digest_of;
use super::runs::{FileIn, FileOut, Files, RunError};
use super::varint;

/// What every body file begins with.
const MAGIC: &[u8; 8] = b"PLBODY\x00\x01";

const DICTIONARY: u8 = 1;
const LEAVES: u8 = 2;
const BLOCKS: u8 = 3;

/// Bytes of a frame beside its payload.
const FRAME_BYTES: usize = 1 + 4 + CHECK_BYTES;
const CHECK_BYTES: usize = 8;

/// Rows of small blocks are compressed together until they have so many bytes.
const BLOCKS_BYTES: usize = 64 * 1024;
const BLOCKS_LEVEL: i32 = 3;

/// Frames that are hashed side by side before they are written: as many as the widest vectors hold.
const FRAMES_AT_ONCE: usize = 16;

/// A frame is never longer than that: a bundle of the longest leaves, or a block of the longest row.
const PAYLOAD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Body files that are kept open.
const OPEN_FILES: usize = 128;

/// The year of a block in UTC+8.
pub(super) fn year_of(time_ms: i64) -> u16 {
    u16::try_from(Instant::from_ms(time_ms).date_utc8().year()).unwrap_or(0)
}

/// A body file, as the manifest names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BodyFile {
    /// Its number: no other body file has the same.
    pub(super) number: u32,
    pub(super) year: u16,
    pub(super) bytes: u64,
    /// SM3 over the SM3 digests of its frames.
    pub(super) digest: Hash,
}

impl BodyFile {
    /// `year u16 | bytes u64 | digest 32`; the number is in the row's key.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut row = Writer::new();
        row.put_u16(self.year);
        row.put_u64(self.bytes);
        row.put(self.digest.as_bytes());
        row.into_bytes()
    }

    pub(super) fn decode(number: u32, row: &[u8]) -> Result<Self, DecodeError> {
        let mut row = Reader::new(row);
        let file = Self {
            number,
            year: row.u16("year")?,
            bytes: row.u64("bytes")?,
            digest: row.hash("digest")?,
        };
        row.finish()?;
        Ok(file)
    }

    /// Its name in the folder of its year.
    pub(super) fn name(&self) -> String {
        name_of(self.number)
    }
}

fn name_of(number: u32) -> String {
    format!("{number:010}.bodies")
}

/// Where a frame stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: u32,
    offset: u64,
    payload: u32,
}

impl Place {
    /// Three varints.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(12);
        varint::put(&mut bytes, u64::from(self.file));
        varint::put(&mut bytes, self.offset);
        varint::put(&mut bytes, u64::from(self.payload));
        bytes
    }

    /// Reads three varints; what follows is the caller's.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let what = "place in a body file";
        let short = |value| u32::try_from(value).map_err(|_| DecodeError::Invalid { what });
        Ok(Self {
            file: short(varint::take(reader, what)?)?,
            offset: varint::take(reader, what)?,
            payload: short(varint::take(reader, what)?)?,
        })
    }
}

/// The folder of body files.
pub(super) struct Bodies {
    files: Arc<dyn Files>,
    folder: PathBuf,
    open: Mutex<OpenFiles>,
}

type OpenFiles = (HashMap<u32, Arc<dyn FileIn>>, VecDeque<u32>);

impl fmt::Debug for Bodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bodies")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Bodies {
    pub(super) fn new(files: Arc<dyn Files>, folder: PathBuf) -> Self {
        Self {
            files,
            folder,
            open: Mutex::default(),
        }
    }

    fn folder_of(&self, year: u16) -> PathBuf {
        self.folder.join(format!("{year:04}"))
    }

    fn path_of(&self, file: &BodyFile) -> PathBuf {
        self.folder_of(file.year).join(file.name())
    }

    fn opened(&self, file: &BodyFile) -> Result<Arc<dyn FileIn>, ReadError> {
        let lock = || self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = lock().0.get(&file.number) {
            return Ok(Arc::clone(open));
        }
        let path = self.path_of(file);
        let open = self.files.open(&path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                ReadError::BodiesAway { year: file.year }
            } else {
                RunError::io("open", &path)(error).into()
            }
        })?;
        let mut held = lock();
        let (files, order) = &mut *held;
        if files.insert(file.number, Arc::clone(&open)).is_none() {
            order.push_back(file.number);
        }
        if order.len() > OPEN_FILES
            && let Some(oldest) = order.pop_front()
        {
            files.remove(&oldest);
        }
        Ok(open)
    }

    /// The payload of a frame; `kind` is what should stand there.
    fn frame(&self, file: &BodyFile, place: Place, kind: u8) -> Result<Vec<u8>, ReadError> {
        let path = self.path_of(file);
        let damaged = |fault| ReadError::from(RunError::damaged(&path, place.offset, fault));
        let payload = place.payload as usize;
        let end = place.offset.saturating_add(u64::from(place.payload));
        if payload > PAYLOAD_BYTES_MAX || end > file.bytes {
            return Err(damaged("a frame lies outside the file"));
        }
        let open = self.opened(file)?;
        let mut bytes = vec![0; payload.saturating_add(FRAME_BYTES)];
        open.read_at(place.offset, &mut bytes).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                damaged("the file is cut short")
            } else {
                RunError::io("read", &path)(error).into()
            }
        })?;
        match unframed(&bytes) {
            Some((found, payload)) if found == kind => Ok(payload.to_vec()),
            Some(_) | None => Err(damaged("a frame is not what was written")),
        }
    }

    /// Leaves.
    pub(super) fn leaves(&self, file: &BodyFile, place: Place) -> Result<Part, ReadError> {
        let payload = self.frame(file, place, LEAVES)?;
        let part = Part::decode(&payload);
        Ok(part.map_err(|fault| RunError::damaged(&self.path_of(file), place.offset, fault))?)
    }

    /// The outline of one block.
    pub(super) fn outline(
        &self,
        file: &BodyFile,
        place: Place,
        height: u64,
    ) -> Result<BlockOutline, ReadError> {
        let payload = self.frame(file, place, BLOCKS)?;
        let damaged = |fault| RunError::damaged(&self.path_of(file), place.offset, fault);
        let (first, rows) = unpack_blocks(&payload).map_err(damaged)?;
        let row = height
            .checked_sub(first)
            .and_then(|place| rows.get(usize::try_from(place).ok()?))
            .ok_or_else(|| damaged("a block is not where it should be"))?;
        let outline = BlockOutline::decode(row);
        Ok(outline.map_err(|_| damaged("the row of a block is unreadable"))?)
    }

    /// Reads a whole file and compares it with what the manifest says.
    pub(super) fn verify_file(&self, file: &BodyFile) -> Result<(), ReadError> {
        let path = self.path_of(file);
        let damaged = |offset, fault| ReadError::from(RunError::damaged(&path, offset, fault));
        let failed = |error| ReadError::from(RunError::io("read", &path)(error));
        let open = self.opened(file)?;
        if open.length().map_err(failed)? != file.bytes {
            return Err(damaged(0, "the file has another length"));
        }
        let mut digests = Vec::new();
        let mut offset = MAGIC.len() as u64;
        let mut magic = [0; MAGIC.len()];
        open.read_at(0, &mut magic).map_err(failed)?;
        if magic != *MAGIC {
            return Err(damaged(0, "the file is no body file"));
        }
        while offset < file.bytes {
            let mut head = [0; 5];
            open.read_at(offset, &mut head).map_err(failed)?;
            let [_, length @ ..] = head;
            let payload = u32::from_be_bytes(length) as usize;
            let left = file.bytes.saturating_sub(offset);
            if payload > PAYLOAD_BYTES_MAX || payload.saturating_add(FRAME_BYTES) as u64 > left {
                return Err(damaged(offset, "a frame is cut short"));
            }
            let mut bytes = vec![0; payload.saturating_add(FRAME_BYTES)];
            open.read_at(offset, &mut bytes).map_err(failed)?;
            if unframed(&bytes).is_none() {
                return Err(damaged(offset, "a frame is not what was written"));
            }
            let content = bytes.len().saturating_sub(CHECK_BYTES);
            digests.push(sm3(&[bytes.get(..content).unwrap_or_default()]));
            offset = offset.saturating_add(bytes.len() as u64);
        }
        if digest_of(&digests) != file.digest {
            return Err(damaged(0, "the file has another digest"));
        }
        Ok(())
    }

    /// Removes every body file of these years that `named` does not name. Years whose folder is
    /// not there are passed over.
    pub(super) fn remove_others(
        &self,
        years: impl IntoIterator<Item = u16>,
        named: impl Fn(u16, &str) -> bool,
    ) -> Result<(), RunError> {
        for year in years {
            let folder = self.folder_of(year);
            let names = match self.files.list(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                names => names.map_err(RunError::io("list", &folder))?,
            };
            let mut removed = false;
            for name in names.iter().filter(|name| !named(year, name)) {
                let path = folder.join(name);
                self.files
                    .remove(&path)
                    .map_err(RunError::io("remove", &path))?;
                removed = true;
            }
            if removed {
                self.files
                    .sync_folder(&folder)
                    .map_err(RunError::io("sync", &folder))?;
            }
        }
        Ok(())
    }
}

/// Kind and payload of a frame's bytes, when its check is right.
fn unframed(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (content, check) = bytes.split_last_chunk::<CHECK_BYTES>()?;
    if !sm3(&[content]).as_bytes().starts_with(check) {
        return None;
    }
    let (kind, rest) = content.split_first()?;
    let (length, payload) = rest.split_first_chunk::<4>()?;
    (u32::from_be_bytes(*length) as usize == payload.len()).then_some((*kind, payload))
}

type BlockRows = (u64, Vec<Vec<u8>>);

fn unpack_blocks(payload: &[u8]) -> Result<BlockRows, &'static str> {
    let cut = |_: DecodeError| "rows of blocks are cut short";
    let mut reader = Reader::new(payload);
    let first = reader.u64("first height").map_err(cut)?;
    let size = reader.u32("plain size").map_err(cut)? as usize;
    if size > PAYLOAD_BYTES_MAX {
        return Err("rows of blocks claim to be too large");
    }
    let frame = reader.take("frame", reader.remaining()).map_err(cut)?;
    let plain = zstd::bulk::decompress(frame, size).map_err(|_| "rows do not decompress")?;
    let mut reader = Reader::new(&plain);
    let mut rows = Vec::new();
    while reader.remaining() > 0 {
        rows.push(reader.bytes32("row", usize::MAX).map_err(cut)?.to_vec());
    }
    Ok((first, rows))
}

/// A body file while it is written.
pub(super) struct BodyWriter<'f> {
    bodies: &'f Bodies,
    path: PathBuf,
    out: Box<dyn FileOut>,
    file: BodyFile,
    /// Frames without their checks.
    waiting: Vec<Vec<u8>>,
    digests: Vec<Hash>,
    dictionaries: Vec<u32>,
    blocks: Vec<u8>,
    first_height: u64,
    heights: Vec<u64>,
}

impl<'f> BodyWriter<'f> {
    /// Begins a file of a year.
    pub(super) fn begin(bodies: &'f Bodies, number: u32, year: u16) -> Result<Self, RunError> {
        let folder = bodies.folder_of(year);
        bodies
            .files
            .create_folder(&folder)
            .map_err(RunError::io("create", &folder))?;
        let path = folder.join(name_of(number));
        let mut out = bodies
            .files
            .create(&path)
            .map_err(RunError::io("create", &path))?;
        out.write(MAGIC).map_err(RunError::io("write", &path))?;
        Ok(Self {
            bodies,
            path,
            out,
            file: BodyFile {
                number,
                year,
                bytes: MAGIC.len() as u64,
                digest: sm3(&[]),
            },
            waiting: Vec::new(),
            digests: Vec::new(),
            dictionaries: Vec::new(),
            blocks: Vec::new(),
            first_height: 0,
            heights: Vec::new(),
        })
    }

    pub(super) const fn year(&self) -> u16 {
        self.file.year
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn frame(&mut self, kind: u8, parts: &[&[u8]]) -> Result<Place, RunError> {
        let too_long = || RunError::damaged(&self.path, self.file.bytes, "a frame is too long");
        let payload: usize = parts.iter().map(|part| part.len()).sum();
        if payload > PAYLOAD_BYTES_MAX {
            return Err(too_long());
        }
        let payload = u32::try_from(payload).map_err(|_| too_long())?;
        let mut bytes = Vec::with_capacity((payload as usize).saturating_add(FRAME_BYTES));
        bytes.push(kind);
        bytes.extend_from_slice(&payload.to_be_bytes());
        for part in parts {
            bytes.extend_from_slice(part);
        }
        let place = Place {
            file: self.file.number,
            offset: self.file.bytes,
            payload,
        };
        let length = bytes.len().saturating_add(CHECK_BYTES);
        self.file.bytes = self.file.bytes.saturating_add(length as u64);
        self.waiting.push(bytes);
        if self.waiting.len() >= FRAMES_AT_ONCE {
            self.write_waiting()?;
        }
        Ok(place)
    }

    /// Hashes the frames that wait and writes them with their checks.
    fn write_waiting(&mut self) -> Result<(), RunError> {
        let contents: Vec<[&[u8]; 1]> = self.waiting.iter().map(|frame| [&frame[..]]).collect();
        let contents: Vec<&[&[u8]]> = contents.iter().map(<[&[u8]; 1]>::as_slice).collect();
        let digests = sm3_many(&contents);
        for (mut bytes, digest) in self.waiting.drain(..).zip(digests) {
            bytes.extend_from_slice(digest.as_bytes().get(..CHECK_BYTES).unwrap_or_default());
            self.out
                .write(&bytes)
                .map_err(RunError::io("write", &self.path))?;
            self.digests.push(digest);
        }
        Ok(())
    }

    /// Adds leaves, behind the dictionary that they need.
    pub(super) fn leaves(
        &mut self,
        part: &Part,
        dictionaries: &Dictionaries,
    ) -> Result<Place, ReadError> {
        let dictionary = dictionaries
            .named(part.dictionary)
            .map_err(|fault| Damage::new("dictionaries", part.dictionary, fault))?;
        if let Some(dictionary) = dictionary
            && !self.dictionaries.contains(&dictionary.number)
        {
            let Dictionary { number, bytes, .. } = &**dictionary;
            self.frame(DICTIONARY, &[&number.to_be_bytes(), bytes])?;
            self.dictionaries.push(*number);
        }
        Ok(self.frame(LEAVES, &[&part.head(), part.frame()])?)
    }

    /// Adds the row of the next block. Gives places of blocks, this one's sooner or later.
    pub(super) fn block(&mut self, outline: &BlockOutline) -> Result<Vec<(u64, Place)>, ReadError> {
        let height = outline.header.height;
        let row = outline
            .encode()
            .map_err(|error| Damage::new("blocks", height, error.what))?;
        if self.heights.is_empty() {
            self.first_height = height;
        }
        self.heights.push(height);
        let length = u32::try_from(row.len()).unwrap_or(u32::MAX);
        self.blocks.extend_from_slice(&length.to_be_bytes());
        self.blocks.extend_from_slice(&row);
        if self.blocks.len() >= BLOCKS_BYTES {
            return Ok(self.close_blocks()?);
        }
        Ok(Vec::new())
    }

    fn close_blocks(&mut self) -> Result<Vec<(u64, Place)>, RunError> {
        if self.heights.is_empty() {
            return Ok(Vec::new());
        }
        let offset = self.file.bytes;
        let frame = zstd::bulk::compress(&self.blocks, BLOCKS_LEVEL)
            .map_err(|_| RunError::damaged(self.path(), offset, "rows cannot be compressed"))?;
        let size = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        let place = self.frame(
            BLOCKS,
            &[
                &self.first_height.to_be_bytes(),
                &size.to_be_bytes(),
                &frame,
            ],
        )?;
        self.blocks.clear();
        Ok(self
            .heights
            .drain(..)
            .map(|height| (height, place))
            .collect())
    }

    /// Writes what is left and syncs file and folder: from here on the file is whole.
    pub(super) fn finish(mut self) -> Result<(BodyFile, Vec<(u64, Place)>), RunError> {
        let places = self.close_blocks()?;
        self.write_waiting()?;
        self.out.sync().map_err(RunError::io("sync", &self.path))?;
        let folder = self.bodies.folder_of(self.file.year);
        self.bodies
            .files
            .sync_folder(&folder)
            .map_err(RunError::io("sync", &folder))?;
        self.file.digest = digest_of(&self.digests);
        Ok((self.file, places))
    }
}

/// Joins parts of one bundle that follow one another.
pub(super) fn join(
    parts: &[&Part],
    dictionaries: &Dictionaries,
) -> Result<(Part, Option<Bundle>), &'static str> {
    if let [only] = parts
        && only.is_whole()
    {
        return Ok(((*only).clone(), None));
    }
    let first = parts.first().map_or(0, |part| part.first);
    let mut leaves = Vec::new();
    for part in parts {
        let bundle = part.unpack(dictionaries)?;
        leaves.extend(bundle.leaves().map(<[u8]>::to_vec));
    }
    let bundle = Bundle::of(first, &leaves);
    let newest = dictionaries.newest().map(|dictionary| &**dictionary);
    let part = bundle.pack(newest)?;
    Ok((part, Some(bundle)))
}
