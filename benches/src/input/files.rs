//! A folder of prepared input: made once, sent many times.
//!
//! Every file has number ranges of its own, so that on one store each of them can be sent once and
//! is new. Sending one a second time would measure repetitions.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use invoice_core::calendar::Instant;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::seal::{Form, Sealer};
use crate::Failure;
use crate::cast::{Cast, CastSize};
use crate::documents::{Press, Profile};

/// The chain that everything is signed for.
pub const CHAIN: &str = "bench";
/// Numbers below this are those of filled stores, the ones above those of files.
pub const FILES_FROM_SERIAL: u64 = 3_000_000;
/// Records that one thread writes and signs at a time.
const PART: usize = 4_096;
/// Parts that are in memory at the same time.
const PARTS: usize = 16;
const INDEX: &str = "inputs.json";

/// Who takes part: the same seed and number give the same members with the same keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// What everything is drawn from.
    pub seed: u64,
    /// Issuers.
    pub issuers: usize,
}

impl Setting {
    /// The members.
    #[must_use]
    pub fn cast(&self) -> Cast {
        Cast::new(self.seed, CastSize::of_issuers(self.issuers))
    }
}

/// What a file is asked to hold.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What is issued.
    pub profile: Profile,
    /// How it is signed.
    pub form: Form,
    /// Share of records that were sent before, in percent.
    pub duplicates: u32,
    /// Records.
    pub records: usize,
}

impl Request {
    fn name(&self, round: usize) -> String {
        let profile = match self.profile {
            Profile::Usual => "usual",
            Profile::Mixed => "mixed",
        };
        let Self {
            form,
            duplicates,
            records,
            ..
        } = self;
        format!("{profile}-{form}-d{duplicates}-{records}-{round}.ndjson")
    }
}

/// A file that is ready.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prepared {
    /// Its name in the folder.
    pub name: String,
    /// Its records.
    pub records: usize,
    /// Those among them that are new to a store that it was not sent to.
    pub fresh: usize,
    /// Its envelopes.
    pub envelopes: usize,
    /// Its bytes.
    pub bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Index {
    setting: Setting,
    next_serial: u64,
    files: Vec<Prepared>,
}

/// The folder.
pub struct Inputs {
    folder: PathBuf,
    index: Index,
    cast: Cast,
}

impl Inputs {
    /// Opens a folder, or begins one.
    ///
    /// # Errors
    /// It cannot be written, or holds input of other members.
    pub fn open(folder: &Path, setting: Setting) -> Result<Self, Failure> {
        fs::create_dir_all(folder)?;
        let index = match fs::read(folder.join(INDEX)) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Index {
                setting,
                next_serial: FILES_FROM_SERIAL,
                files: Vec::new(),
            },
            Err(error) => return Err(error.into()),
        };
        if index.setting != setting {
            let folder = folder.display();
            return Err(format!("{folder}: 输入属于其他成员 / input of other members").into());
        }
        Ok(Self {
            folder: folder.to_owned(),
            index,
            cast: setting.cast(),
        })
    }

    /// The members.
    #[must_use]
    pub fn cast(&self) -> &Cast {
        &self.cast
    }

    /// Where a file lies.
    #[must_use]
    pub fn path(&self, prepared: &Prepared) -> PathBuf {
        self.folder.join(&prepared.name)
    }

    /// A file of this kind that is none of the used ones; it is made where there is none.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn unused(
        &mut self,
        request: &Request,
        used: &[String],
        at: Instant,
        told: &mut dyn FnMut(usize, usize),
    ) -> Result<Prepared, Failure> {
        for round in 0.. {
            let name = request.name(round);
            if used.contains(&name) {
                continue;
            }
            let ready = self.index.files.iter().find(|file| file.name == name);
            if let Some(ready) = ready
                && self.folder.join(&name).exists()
            {
                return Ok(ready.clone());
            }
            self.index.files.retain(|file| file.name != name);
            return self.make(request, name, at, told);
        }
        Err("no round is left".into())
    }

    fn make(
        &mut self,
        request: &Request,
        name: String,
        at: Instant,
        told: &mut dyn FnMut(usize, usize),
    ) -> Result<Prepared, Failure> {
        let first_serial = self.index.next_serial;
        let seed = self.index.setting.seed ^ first_serial;
        let press = Press::new(&self.cast, request.profile, seed, at);
        let sealer = Sealer::new(&press, CHAIN.parse().map_err(|_| "chain")?);
        let batch = request.form.batch();
        let mut plan = Plan::new(&press, seed, batch, request.duplicates, first_serial);
        let path = self.folder.join(&name);
        let mut file = BufWriter::new(File::create(&path)?);
        let mut made = Prepared {
            name,
            records: 0,
            fresh: 0,
            envelopes: 0,
            bytes: 0,
        };
        while made.records < request.records {
            let mut parts = Vec::new();
            while parts.len() < PARTS && made.records < request.records {
                let (mut part, mut records) = (Vec::new(), 0);
                while records < PART && made.records < request.records {
                    let item = plan.next_of(request.records - made.records);
                    made.records += item.serials.len();
                    made.fresh += item.fresh;
                    made.envelopes += 1;
                    records += item.serials.len();
                    part.push(item);
                }
                parts.push(part);
            }
            let lines: Vec<Vec<u8>> = parts
                .par_iter()
                .map(|part| sealer.lines(request.form, part))
                .collect();
            for lines in lines {
                made.bytes += lines.len() as u64;
                file.write_all(&lines)?;
            }
            told(made.records, request.records);
        }
        file.flush()?;
        let end_serial = plan.end_serial();
        drop(sealer);
        drop(press);
        self.index.next_serial = end_serial;
        self.index.files.push(made.clone());
        let text = serde_json::to_vec_pretty(&self.index)?;
        fs::write(self.folder.join(INDEX), text)?;
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use invoice_core::record::{parse_envelope, parse_record};

    use super::*;

    #[test]
    fn files_are_made_once_and_never_hold_the_same_document() {
        let folder = tempfile::tempdir().unwrap();
        let setting = Setting {
            seed: 4,
            issuers: 20,
        };
        let at = Instant::from_ms(1_795_242_600_000);
        let request = |form| Request {
            profile: Profile::Usual,
            form,
            duplicates: 10,
            records: 1_000,
        };
        let mut seen = BTreeSet::new();
        let mut fresh = 0;
        let mut inputs = Inputs::open(folder.path(), setting).unwrap();
        for form in [Form::Single, Form::Batch(100)] {
            let first = inputs
                .unused(&request(form), &[], at, &mut |_, _| ())
                .unwrap();
            let used = [first.name.clone()];
            let other = inputs
                .unused(&request(form), &used, at, &mut |_, _| ())
                .unwrap();
            assert_ne!(first.name, other.name);
            let mut again = Inputs::open(folder.path(), setting).unwrap();
            let same = again.unused(&request(form), &[], at, &mut |_, _| panic!("made again"));
            assert_eq!(same.unwrap().name, first.name);
            for file in [first, other] {
                let lines = crate::input::Lines::open(&inputs.path(&file)).unwrap();
                let (mut envelopes, mut records) = (0, 0);
                while let Some(line) = lines.next_line().unwrap() {
                    envelopes += 1;
                    for record in parse_envelope(&line).unwrap().contents.records() {
                        records += 1;
                        let parsed = parse_record(record).unwrap();
                        seen.insert(parsed.record.unwrap().body.document().copied());
                    }
                }
                assert_eq!((envelopes, records), (file.envelopes, file.records));
                fresh += file.fresh;
            }
        }
        assert_eq!(seen.len(), fresh);
        let others = Setting { seed: 5, ..setting };
        assert!(Inputs::open(folder.path(), others).is_err());
    }
}
