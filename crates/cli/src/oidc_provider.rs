//! `strongroom oidc-provider`.

use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::path::PathBuf;
use std::process::ExitCode;

/// Bring the keys of OpenID Connect issuers that this server can't reach
#[derive(Debug, clap::Subcommand)]
pub(crate) enum OidcProvider {
    SetKeys(SetKeys),
    ClearKeys(ClearKeys),
}

/// Take the keys in a file for the issuer's, and ask it no more
///
/// Of a Kubernetes cluster: `kubectl get --raw /openid/v1/jwks > keys.json`. After the issuer has changed its
/// keys, bring them again.
#[derive(Debug, clap::Args)]
pub(crate) struct SetKeys {
    /// The provider: `arn:aws:iam::111122223333:oidc-provider/kubernetes.internal:6443`
    arn: String,
    /// A JSON Web Key Set
    file: PathBuf,
}

/// Ask the issuer for its keys again
#[derive(Debug, clap::Args)]
pub(crate) struct ClearKeys {
    /// The provider's ARN
    arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted<'a> {
    arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    keys: usize,
}

impl OidcProvider {
    pub(crate) fn run(&self, data: &DataFolder) -> Result<ExitCode> {
        let (arn, text) = match self {
            Self::ClearKeys(it) => (&it.arn, None),
            Self::SetKeys(SetKeys { arn, file }) => {
                let text = std::fs::read_to_string(file);
                (arn, Some(text.with_context(|| format!("can't read `{}`", file.display()))?))
            }
        };
        let keys = text.as_deref().map(serde_json::from_str::<&RawValue>).transpose();
        let keys = keys.context("the file is not JSON")?;
        let told: Told = Admin::new(data)?.post("/v1/oidc-provider-keys", &Wanted { arn, keys })?;
        match told.keys {
            0 => output::note("the issuer is asked for its keys again"),
            1 => output::note("1 key; the issuer is not asked any more"),
            count => output::note(&format!("{count} keys; the issuer is not asked any more")),
        }
        Ok(ExitCode::SUCCESS)
    }
}
