//! `tax-node restore`: a node's folder out of a backup, every byte compared with its manifest.
//!
//! Everything is read into a folder beside the others and compared first; only then it goes to its
//! place, the genesis file last: after a crash in between, the folder is none of a node yet.

mod report;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use invoice_core::crypto::Hash;

use super::archive::{self, FORMAT, FileEntry, Hashed, MANIFEST, MANIFEST_BYTES_MAX, Manifest};
use super::failure::{Exit, Failure};
use super::output::Output;
use super::{init, verify};
use crate::files;

/// Where the files wait until all are compared.
const STAGE: &str = "restoring.new";
/// What may be in the folder already: keys that were kept elsewhere, and an interrupted attempt.
const MAY_BE_THERE: [&str; 4] = ["keys", "party.json", files::RESTORED, STAGE];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 备份文件 / the backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// 恢复到的目录：空目录，或只含 keys/ / the folder to restore into: empty, or with keys/ only
    #[arg(long, env = "PIAOLIAN_DATA", default_value = "piaolian-data")]
    data: PathBuf,
    /// 各方约定的创世哈希；不同则拒绝 / the genesis hash that was agreed on; another one is refused
    #[arg(long, value_name = "HEX")]
    genesis_hash: Option<Hash>,
    /// 以其他节点的备份为起点：只取链与节点清单，先全部重新校验 / begin from another node's backup: take only chain and peers, and verify all of it first
    #[arg(long, requires = "genesis_hash")]
    snapshot: bool,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let data = &args.data;
    let occupied = fs::read_dir(data).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| {
                !MAY_BE_THERE.contains(&entry.file_name().to_string_lossy().as_ref())
            })
        })
    });
    if occupied {
        let text = format!("{}: 目录不为空 / the folder is not empty", data.display());
        return Err(Failure::new(Exit::Usage, "folder_not_empty", text)
            .hint("把旧目录改名后再恢复 / rename the old folder, then restore"));
    }
    let stage = data.join(STAGE);
    let staged = |error| Failure::file(&stage, error);
    if stage.exists() {
        fs::remove_dir_all(&stage).map_err(staged)?;
    }
    fs::create_dir_all(&stage).map_err(staged)?;
    let manifest = match staged_and_checked(args, &stage) {
        Ok(manifest) => manifest,
        Err(failure) => {
            let _ = fs::remove_dir_all(&stage);
            return Err(failure);
        }
    };
    // Before anything else is there: a node over these files knows that they are old.
    let mark = files::restored(data);
    files::write_whole(&mark, b"", files::PUBLIC).map_err(|error| Failure::file(&mark, error))?;
    put_in_place(&stage, data, &manifest)?;
    report::report(args, &manifest, output);
    Ok(())
}

/// Reads the backup into the folder beside, and makes sure that it is what is wanted.
fn staged_and_checked(args: &Args, stage: &Path) -> Result<Manifest, Failure> {
    let mut manifest = extract(&args.from, stage)?;
    let genesis = init::read_genesis(stage)?.hash();
    if let Some(agreed) = args.genesis_hash.filter(|agreed| *agreed != genesis) {
        let text = format!(
            "{}: 创世哈希为 {genesis}，不是约定的 {agreed} / is of the chain with genesis hash {genesis}",
            args.from.display()
        );
        return Err(Failure::new(Exit::Integrity, "genesis_hash", text)
            .hint("取同一条链的备份 / take a backup of the chain that was agreed on"));
    }
    if args.snapshot {
        manifest.files.retain(|name, _| archive::of_the_chain(name));
        // Every signature and every digest, before anything of it can be served.
        manifest.height = verify::whole(stage)?.height;
    }
    Ok(manifest)
}

fn extract(from: &Path, stage: &Path) -> Result<Manifest, Failure> {
    let opened = |error| Failure::file(from, error);
    let file = File::open(from).map_err(opened)?;
    let bar = archive::progress(file.metadata().map_err(opened)?.len());
    let counted = bar.wrap_read(BufReader::new(file));
    let broken = |error: std::io::Error| archive::damaged(from, error);
    let decoder = zstd::stream::read::Decoder::new(counted).map_err(broken)?;
    let mut tar = tar::Archive::new(decoder);
    let mut found: BTreeMap<String, FileEntry> = BTreeMap::new();
    let mut manifest: Option<Manifest> = None;
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        if manifest.is_some() {
            return Err(archive::damaged(
                from,
                "清单之后还有文件 / a file after the manifest",
            ));
        }
        let path = entry.path().map_err(broken)?.into_owned();
        let Some(name) = archive::inside(&path) else {
            return Err(archive::damaged(
                from,
                format!("{}: 路径越界 / leads out of the folder", path.display()),
            ));
        };
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(archive::damaged(
                from,
                format!("{name}: 不是文件 / no file"),
            ));
        }
        if name == MANIFEST {
            let mut text = Vec::new();
            (&mut entry)
                .take(MANIFEST_BYTES_MAX)
                .read_to_end(&mut text)
                .map_err(broken)?;
            let read: Manifest =
                serde_json::from_slice(&text).map_err(|error| archive::damaged(from, error))?;
            manifest = Some(read);
            continue;
        }
        let target = stage.join(&name);
        let written = |error: std::io::Error| {
            Failure::file(&target, error).hint("检查磁盘空间 / check the room on the disk")
        };
        let folder = target.parent().unwrap_or(stage);
        fs::create_dir_all(folder).map_err(written)?;
        let mode = archive::mode_of(&name);
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&target)
            .map_err(written)?;
        let mut hashed = Hashed::new(entry, &indicatif::ProgressBar::hidden());
        copy_between(&mut hashed, &mut file, &broken, &written)?;
        file.sync_all().map_err(written)?;
        found.insert(name, hashed.finish());
    }
    // The checksum of the whole stream stands at its end.
    let mut rest = tar.into_inner();
    archive::copy(&mut rest, &mut std::io::sink()).map_err(broken)?;
    bar.finish_and_clear();
    let manifest = manifest.ok_or_else(|| {
        archive::damaged(
            from,
            "没有清单：文件不完整 / no manifest: the file was cut short",
        )
    })?;
    compare(from, &manifest, &found)?;
    Ok(manifest)
}

/// Copies, and knows which side failed.
fn copy_between(
    from: &mut impl Read,
    to: &mut impl Write,
    read: &impl Fn(std::io::Error) -> Failure,
    written: &impl Fn(std::io::Error) -> Failure,
) -> Result<(), Failure> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = from.read(&mut buffer).map_err(read)?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(buffer.get(..count).unwrap_or_default())
            .map_err(written)?;
    }
}

fn compare(
    from: &Path,
    manifest: &Manifest,
    found: &BTreeMap<String, FileEntry>,
) -> Result<(), Failure> {
    if manifest.format != FORMAT {
        let text = format!("{}: {}", from.display(), manifest.format);
        return Err(Failure::new(Exit::Usage, "format", text)
            .hint("安装写出此备份的版本 / install the version that made this backup"));
    }
    for (name, entry) in &manifest.files {
        if found.get(name) != Some(entry) {
            let fault = format!("{name}: 内容与清单不符 / is not what the manifest says");
            return Err(archive::damaged(from, fault));
        }
    }
    match found
        .keys()
        .find(|name| !manifest.files.contains_key(*name))
    {
        Some(name) => Err(archive::damaged(
            from,
            format!("{name}: 不在清单中 / is not in the manifest"),
        )),
        None if !manifest.files.contains_key("genesis.json") => Err(archive::damaged(
            from,
            "没有 genesis.json / there is no genesis.json",
        )),
        None => Ok(()),
    }
}

/// Moves what was compared to its place, the genesis file last.
fn put_in_place(stage: &Path, data: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let mut tops: Vec<&str> = manifest
        .files
        .keys()
        .filter_map(|name| name.split('/').next())
        .collect();
    tops.dedup();
    let key = files::genesis(Path::new(""));
    let genesis = key.to_string_lossy();
    tops.sort_by_key(|name| *name == genesis);
    for name in tops {
        let (from, to) = (stage.join(name), data.join(name));
        let failed = |error| Failure::file(&to, error);
        if to.exists() {
            // Keys that are there already are never overwritten.
            if name == "keys" || name == "party.json" {
                continue;
            }
            return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
        }
        fs::rename(&from, &to).map_err(failed)?;
        File::open(data)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
    }
    fs::remove_dir_all(stage).map_err(|error| Failure::file(stage, error))
}
