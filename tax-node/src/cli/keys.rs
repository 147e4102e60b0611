//! `tax-node keys`: key files.

use std::path::PathBuf;

use clap::Subcommand;
use invoice_core::crypto::PublicKey;

use super::failure::Failure;
use super::output::Output;
use crate::key_file;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// 新建密钥文件，默认加密 / make a key file, encrypted by default
    New {
        /// 新文件 / the new file
        file: PathBuf,
        /// 不加密（仅用于测试）/ without encryption, for tests only
        #[arg(long)]
        plain: bool,
        /// 口令文件 / a file with the passphrase
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
    },
    /// 显示 kid 与公钥 / show kid and public key
    Show {
        /// 密钥文件 / the key file
        file: PathBuf,
        /// 口令文件 / a file with the passphrase
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
    },
    /// 导出公钥（SPKI PEM）/ export the public key
    Export {
        /// 密钥文件 / the key file
        file: PathBuf,
        /// 口令文件 / a file with the passphrase
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
    },
    /// 为明文密钥文件加密 / encrypt a key file that is not
    Encrypt {
        /// 密钥文件 / the key file
        file: PathBuf,
        /// 口令文件 / a file with the passphrase
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
    },
}

pub(super) fn run(verb: &Verb, output: Output) -> Result<(), Failure> {
    match verb {
        Verb::New {
            file,
            plain,
            passphrase_file,
        } => {
            let passphrase = match plain {
                true => None,
                false => Some(key_file::passphrase(passphrase_file.as_deref(), true)?),
            };
            let key = key_file::generate()?;
            key_file::write_new(file, &key, passphrase.as_ref().map(|text| text.as_str()))?;
            show(&key.public_key(), output);
        }
        Verb::Show {
            file,
            passphrase_file,
        } => {
            show(
                &key_file::read(file, passphrase_file.as_deref())?.public_key(),
                output,
            );
        }
        Verb::Export {
            file,
            passphrase_file,
        } => {
            let key = key_file::read(file, passphrase_file.as_deref())?.public_key();
            let pem = key
                .to_spki_pem()
                .map_err(|error| Failure::file(file, error))?;
            output.result(
                &serde_json::json!({ "pem": pem }),
                &[pem.trim_end().to_owned()],
            );
        }
        Verb::Encrypt {
            file,
            passphrase_file,
        } => {
            let key = key_file::read(file, passphrase_file.as_deref())?;
            let passphrase = key_file::passphrase(passphrase_file.as_deref(), true)?;
            key_file::encrypt(file, &key, &passphrase)?;
            show(&key.public_key(), output);
        }
    }
    Ok(())
}

fn show(key: &PublicKey, output: Output) {
    let (kid, public_key) = (key.kid().to_string(), key.to_hex());
    let lines = [
        format!("kid         {kid}"),
        format!("public_key  {public_key}"),
    ];
    output.result(
        &serde_json::json!({ "kid": kid, "public_key": public_key }),
        &lines,
    );
}
