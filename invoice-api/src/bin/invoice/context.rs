//! What the verbs share: the options, the key, the chain and the connection.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use invoice_api::client::{Client, ClientConfig};
use invoice_core::chain::{ChainId, Genesis};
use invoice_core::crypto::Signer;

use crate::args::Globals;
use crate::failure::Failure;
use crate::lang::Lang;
use crate::output::Output;
use crate::signing_key;

/// The options as given, with their consequences drawn when they are needed.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) globals: Globals,
    pub(crate) output: Output,
}

/// A key and a registry: what it takes to record something.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) chain_id: ChainId,
    pub(crate) genesis: Option<Genesis>,
}

impl Context {
    pub(crate) fn new(globals: Globals) -> Self {
        let lang = globals
            .lang
            .unwrap_or_else(|| Lang::from_environment(|name| std::env::var(name).ok()));
        Self {
            output: Output {
                json: globals.json,
                lang,
            },
            globals,
        }
    }

    pub(crate) fn lang(&self) -> Lang {
        self.output.lang
    }

    /// The genesis file, when one is named.
    pub(crate) fn genesis(&self) -> Result<Option<Genesis>, Failure> {
        let Some(path) = &self.globals.genesis else {
            return Ok(None);
        };
        let bytes = fs::read(path).map_err(|error| Failure::file(path, &error))?;
        let genesis = Genesis::parse(&bytes)
            .map_err(|error| Failure::integrity(format!("{}: {error}", path.display())))?;
        Ok(Some(genesis))
    }

    /// The signing key.
    pub(crate) fn signer(&self) -> Result<Arc<dyn Signer>, Failure> {
        let path = self.globals.key.as_deref().ok_or_else(|| {
            Failure::usage("key_missing", "需要签名密钥 / a signing key is needed").with_hint(
                "用 --key 或 PIAOLIAN_KEY 指定密钥 / name the key with --key or PIAOLIAN_KEY",
            )
        })?;
        signing_key::read(path, self.globals.passphrase_file.as_deref())
    }

    /// A connection for public questions.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let server = self.globals.server.clone().ok_or_else(|| {
            Failure::usage("server_missing", "需要登记系统地址 / the address of a registry is needed")
                .with_hint("用 --server 或 PIAOLIAN_SERVER 指定地址 / name it with --server or PIAOLIAN_SERVER")
        })?;
        let mut config = ClientConfig::new(server);
        config.language = self.lang().into();
        if let Some(seconds) = self.globals.timeout {
            config.attempt_timeout = Duration::from_secs(seconds);
        }
        if let Some(path) = &self.globals.ca {
            config.ca_pem = Some(fs::read(path).map_err(|error| Failure::file(path, &error))?);
        }
        Ok(Client::new(config)?)
    }

    /// A connection for questions that must be signed.
    pub(crate) fn signing_client(&self) -> Result<Client, Failure> {
        Ok(self.client()?.with_signer(self.signer()?))
    }

    /// Everything that it takes to record something. The chain's name comes from the genesis file
    /// when there is one, else from the server.
    pub(crate) async fn session(&self) -> Result<Session, Failure> {
        let genesis = self.genesis()?;
        let signer = self.signer()?;
        let client = self.client()?.with_signer(signer.clone());
        let chain_id = match &genesis {
            Some(genesis) => genesis.chain_id().clone(),
            None => client.chain_id().await?,
        };
        Ok(Session {
            client,
            signer,
            chain_id,
            genesis,
        })
    }
}
