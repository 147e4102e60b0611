//! `tax-node backup`: a consistent copy of a stopped node's folder in one file.

use std::fs::{File, Permissions, TryLockError};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::archive::{self, FORMAT, Hashed, MANIFEST, Manifest};
use super::failure::{Exit, Failure};
use super::output::Output;
use super::{init, verify};
use crate::files;
use crate::store;

/// Compression level: on a server's disk more is not worth its time.
const ZSTD_LEVEL: i32 = 3;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 节点数据目录；节点须已停止 / the node's folder; the node is stopped
    #[arg(long, env = "PIAOLIAN_DATA", default_value = "piaolian-data")]
    data: PathBuf,
    /// 备份文件（tar.zst）/ the new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// 一并备份私钥；默认不含，密钥另行保管 / private keys, too; keep them elsewhere by default
    #[arg(long)]
    with_keys: bool,
    /// 供他人使用：只含链与节点清单，不含访问日志、表决日志、推送设置与密钥 / for somebody else: chain and peers only, without the access log, the log of votes, webhooks and keys
    #[arg(long, alias = "without-webhooks", conflicts_with = "with_keys")]
    for_others: bool,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    if args.out.exists() {
        let text = format!("{} 已存在 / exists", args.out.display());
        return Err(Failure::new(Exit::Usage, "exists", text)
            .hint("换一个 --out 文件 / choose another file with --out"));
    }
    let inside = std::path::absolute(&args.out)
        .ok()
        .zip(std::path::absolute(&args.data).ok())
        .is_some_and(|(out, data)| out.starts_with(data));
    if inside {
        let text = format!(
            "{} 位于数据目录之内 / lies inside the node's folder",
            args.out.display()
        );
        return Err(Failure::new(Exit::Usage, "out_inside", text)
            .hint("写到另一块磁盘上 / write it to another disk"));
    }
    let genesis = init::read_genesis(&args.data)?;
    // Opening verifies the end of the chain: a damaged folder is no backup. What a crash left
    // undone is done on the way.
    let head = verify::read(&args.data, &genesis, |snapshot| Ok(snapshot.head().clone()))
        .map_err(stop_first)?;
    let lock = lock(&args.data)?;
    let mut manifest = Manifest {
        format: FORMAT.to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        chain_id: genesis.chain_id().to_string(),
        genesis_hash: genesis.hash().to_string(),
        height: head.height,
        keys: args.with_keys,
        files: std::collections::BTreeMap::new(),
    };
    let temporary = temporary_of(&args.out);
    let written = write(args, &temporary, &mut manifest);
    let length = match written {
        Ok(length) => length,
        Err(failure) => {
            // Half an archive is of no use; what cannot be removed has a name that says so.
            let _ = std::fs::remove_file(&temporary);
            return Err(failure);
        }
    };
    drop(lock);
    let failed = |error| Failure::file(&args.out, error);
    std::fs::rename(&temporary, &args.out).map_err(failed)?;
    let folder = match args.out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    let lines = [
        format!("{}  {}", output.of("备份", "backup"), args.out.display()),
        format!("{}  {}", output.of("高度", "height"), head.height),
        format!("{}  {}", output.of("文件", "files "), manifest.files.len()),
        format!("{}  {length}", output.of("字节", "bytes ")),
        what(args, output).to_owned(),
    ];
    let value = serde_json::json!({
        "backup": args.out, "height": head.height, "files": manifest.files.len(), "bytes": length,
        "keys": args.with_keys, "for_others": args.for_others,
    });
    output.result(&value, &lines);
    Ok(())
}

/// What whoever keeps the file should know of it.
fn what(args: &Args, output: Output) -> &'static str {
    if args.with_keys {
        return output.of(
            "含私钥：请按密钥保管此文件",
            "it holds the private keys: keep it as you keep them",
        );
    }
    if args.for_others {
        return output.of(
            "只含链与节点清单，可交给他人；对方用 restore --snapshot 恢复",
            "it holds the chain and the list of nodes alone, for somebody else, who restores it with --snapshot",
        );
    }
    output.of(
        "不含私钥：请另行保管 keys/ 目录；内有访问日志与推送密钥，勿交给他人（交给他人用 --for-others）",
        "it holds no private key: keep keys/ elsewhere; the access log and the secrets of webhooks are in it: for somebody else make one with --for-others",
    )
}

fn stop_first(failure: Failure) -> Failure {
    match failure.code {
        "in_use" => failure.hint("先停止节点，例如 systemctl stop piaolian / stop the node first, e.g. systemctl stop piaolian"),
        _ => failure,
    }
}

/// Holds the store's lock, so that no node starts while its files are copied.
fn lock(data: &Path) -> Result<File, Failure> {
    let path = store::file_of(data);
    let file = File::options()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|error| Failure::file(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(stop_first(crate::store::OpenError::InUse.into())),
        Err(TryLockError::Error(error)) => Err(Failure::file(&path, error)),
    }
}

fn temporary_of(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    out.with_file_name(name)
}

/// Writes the archive and gives its length in bytes.
fn write(args: &Args, to: &Path, manifest: &mut Manifest) -> Result<u64, Failure> {
    let failed = |error: std::io::Error| {
        Failure::file(to, error)
            .hint("检查备份磁盘的空间 / check the room on the disk of the backup")
    };
    let mut found = archive::files_of(&args.data, args.with_keys)?;
    if args.for_others {
        found.retain(|name, _| archive::of_the_chain(name));
    }
    let bar = archive::progress(found.values().map(|(_, bytes)| bytes).sum());
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(files::PRIVATE)
        .open(to)
        .map_err(failed)?;
    // One that a crash left behind keeps the permissions that it was made with.
    file.set_permissions(Permissions::from_mode(files::PRIVATE))
        .map_err(failed)?;
    let mut encoder =
        zstd::stream::write::Encoder::new(BufWriter::new(file), ZSTD_LEVEL).map_err(failed)?;
    encoder.include_checksum(true).map_err(failed)?;
    let mut tar = tar::Builder::new(encoder);
    for (name, (path, bytes)) in found {
        let from = |error: std::io::Error| Failure::file(&path, error);
        let source = File::open(&path).map_err(from)?;
        let mode = archive::mode_of(&name);
        let mut hashed = Hashed::new(source, &bar);
        tar.append_data(&mut header(bytes, mode), &name, &mut hashed)
            .map_err(from)?;
        let entry = hashed.finish();
        if entry.bytes != bytes {
            return Err(from(std::io::Error::other(
                "文件在复制时改变 / the file changed while it was copied",
            )));
        }
        manifest.files.insert(name, entry);
    }
    let text = serde_json::to_vec(manifest).map_err(|error| Failure::file(to, error))?;
    tar.append_data(
        &mut header(text.len() as u64, files::PUBLIC),
        MANIFEST,
        text.as_slice(),
    )
    .map_err(failed)?;
    let encoder = tar.into_inner().map_err(failed)?;
    let mut file = encoder.finish().map_err(failed)?;
    file.flush().map_err(failed)?;
    let file = file
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    bar.finish_and_clear();
    Ok(file.metadata().map_err(failed)?.len())
}

/// The same files give the same bytes: no times and owners.
fn header(bytes: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(bytes);
    header.set_mode(mode);
    header.set_mtime(0);
    header
}
