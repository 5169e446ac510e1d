//! `[organization]`: accounts that belong together, and the control policies over them.

use super::ConfigError;
use base::AccountId;
use identity::organization::{Control, Controls, Declared, DeclaredPolicy, Holding};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `[organization]`: accounts that belong together, and the control policies over them. Applied at each start;
/// `strongroom org` can't change what stands here.
///
/// Lists of policies are whole: what isn't named isn't attached. Without a list, everything is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationConfig {
    /// `o-` and 10 to 32 lower-case letters and digits. Drawn at the first start if left out.
    pub id: Option<String>,
    /// The account that no control policy concerns.
    pub management_account: AccountId,
    /// Accounts directly below the root.
    #[serde(default)]
    pub accounts: Vec<AccountId>,
    /// Service control policies attached to the root: names of `[organization.policies]`, `FullAWSAccess`.
    pub service_control: Option<Vec<String>>,
    /// Resource control policies attached to the root, besides `RCPFullAWSAccess`.
    pub resource_control: Option<Vec<String>>,
    /// `[organization.units."prod/eu"]`: units by path, each below a unit that stands here, too.
    #[serde(default)]
    pub units: BTreeMap<String, UnitConfig>,
    /// `[organization.account_policies.444455556666]`: what is attached to an account itself.
    #[serde(default)]
    pub account_policies: BTreeMap<AccountId, ControlsConfig>,
    /// `[organization.policies.guard]`: policies by name.
    #[serde(default)]
    pub policies: BTreeMap<String, PolicyConfig>,
}

/// One unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnitConfig {
    /// Accounts directly in it.
    pub accounts: Vec<AccountId>,
    /// Service control policies attached to it.
    pub service_control: Option<Vec<String>>,
    /// Resource control policies attached to it.
    pub resource_control: Option<Vec<String>>,
}

/// What is attached to one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ControlsConfig {
    /// Service control policies.
    pub service_control: Option<Vec<String>>,
    /// Resource control policies.
    pub resource_control: Option<Vec<String>>,
}

/// One policy. Its text is in a file, or here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// `scp` or `rcp`.
    pub r#type: Control,
    /// The file with the text.
    pub file: Option<PathBuf>,
    /// The text.
    pub document: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

impl OrganizationConfig {
    /// Reads the files of policies.
    pub(super) fn resolve(&mut self) -> Result<(), ConfigError> {
        for (name, policy) in &mut self.policies {
            let key = format!("organization.policies.{name}");
            resolve(&key, "file", (&mut policy.file, &mut policy.document))?;
            if policy.document.is_none() {
                let reason = "it needs `file` or `document`".to_owned();
                return Err(ConfigError::Policy { key, reason });
            }
        }
        Ok(())
    }

    /// As `identity` takes it. Policies without text are left out, [`Self::resolve`] finds them.
    pub(crate) fn declared(&self) -> Declared {
        let holding = |accounts: &[AccountId], service: &Controlled, resource: &Controlled| {
            let controls = Controls { service: service.clone(), resource: resource.clone() };
            Holding { accounts: accounts.to_vec(), controls }
        };
        let unit =
            |it: &UnitConfig| holding(&it.accounts, &it.service_control, &it.resource_control);
        let own =
            |it: &ControlsConfig| holding(&[], &it.service_control, &it.resource_control).controls;
        let policy = |(name, it): (&String, &PolicyConfig)| {
            let (text, description) = (it.document.clone()?, it.description.clone());
            Some((name.clone(), DeclaredPolicy { control: it.r#type, text, description }))
        };
        Declared {
            id: self.id.clone(),
            management: self.management_account.clone(),
            root: holding(&self.accounts, &self.service_control, &self.resource_control),
            units: self.units.iter().map(|(path, it)| (path.clone(), unit(it))).collect(),
            accounts: self.account_policies.iter().map(|(id, it)| (id.clone(), own(it))).collect(),
            policies: self.policies.iter().filter_map(policy).collect(),
        }
    }
}

type Controlled = Option<Vec<String>>;

/// Puts the text of `file` where `document` is, of the policy at `key`. Not both may be given.
pub(super) fn resolve(
    key: &str,
    name: &str,
    (file, document): (&mut Option<PathBuf>, &mut Option<String>),
) -> Result<(), ConfigError> {
    let Some(path) = file.take() else { return Ok(()) };
    let refused = |reason| ConfigError::Policy { key: key.to_owned(), reason };
    if document.is_some() {
        return Err(refused(format!("`{name}` and `document` can't both be given")));
    }
    let text = std::fs::read_to_string(&path);
    let unreadable = |error| refused(format!("can't read `{}`: {error}", path.display()));
    *document = Some(text.map_err(unreadable)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const BEGIN: &str = "[server]\ndata = \"/d\"\nlisten = [\"127.0.0.1:1\", \"127.0.0.2:0\"]\n";
    const OURS: &str = "[organization]\nmanagement_account = \"111122223333\"\n";
    const GUARD: &str = "[organization.policies.guard]\ntype = \"scp\"\n";
    const TEXT: &str = r#"document = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'"#;

    fn mistake(rest: &str) -> String {
        let checked = Config::parse(&format!("{BEGIN}{rest}")).and_then(|mut it| {
            it.resolve()?;
            it.validate()
        });
        checked.err().map_or_else(String::new, |it| it.to_string())
    }

    #[test]
    fn each_mistake_is_one_sentence() {
        let endpoint = |listen: &str, rest: &str| {
            format!("[[endpoint]]\nlisten = \"{listen}\"\nvpc_endpoint = \"vpce-1a\"\n{rest}\n")
        };
        let place = "127.0.0.2:0";
        let unlike = |what: &str| format!("`{what}-\u{60} with lower-case letters and digits");
        for (rest, expected) in [
            (OURS.to_owned(), String::new()),
            (format!("{OURS}{GUARD}{TEXT}"), String::new()),
            (
                "[organization]\naccounts = []".to_owned(),
                "line 4: missing field `management_account`".to_owned(),
            ),
            (
                format!("{OURS}{GUARD}"),
                "`organization.policies.guard`: it needs `file` or `document`".to_owned(),
            ),
            (
                format!("{OURS}{GUARD}{TEXT}\nfile = \"/x\""),
                "`organization.policies.guard`: `file` and `document` can't both be given".to_owned(),
            ),
            (
                format!("{OURS}{GUARD}file = \"/nowhere/x\""),
                "`organization.policies.guard`: can't read `/nowhere/x`: No such file or directory (os error 2)"
                    .to_owned(),
            ),
            (
                format!("{OURS}resource_control = [\"guard\"]\n{GUARD}{TEXT}"),
                "`[organization]`: `guard` is no resource control policy".to_owned(),
            ),
            (endpoint(place, "vpc = \"vpc-1\""), String::new()),
            (
                endpoint("127.0.0.3:1", ""),
                "`endpoint.vpce-1a`: `127.0.0.3:1` is not in `server.listen`".to_owned(),
            ),
            (
                endpoint(place, "") + &endpoint(place, ""),
                "`endpoint.vpce-1a`: `127.0.0.2:0` stands for another endpoint already".to_owned(),
            ),
            (
                endpoint(place, "vpc = \"1\""),
                format!("`endpoint.vpce-1a`: `1` is not {}", unlike("vpc")),
            ),
            (
                endpoint(place, "document = \"{}\""),
                "`endpoint.vpce-1a`: Syntax errors in policy. (Statement: Syntax errors in policy.)".to_owned(),
            ),
        ] {
            let found = mistake(&rest);
            assert_eq!(found, expected, "{rest}");
        }
    }

    #[test]
    fn all_that_can_be_said_is_read() {
        let text = format!(
            "{BEGIN}{OURS}id = \"o-a1b2c3d4e5\"\naccounts = [\"222233334444\"]\n\
             service_control = [\"FullAWSAccess\"]\nresource_control = []\n\
             [organization.units.prod]\n[organization.units.\"prod/eu\"]\n\
             accounts = [\"444455556666\"]\nservice_control = [\"guard\", \"FullAWSAccess\"]\n\
             [organization.account_policies.444455556666]\nservice_control = [\"guard\"]\n\
             {GUARD}description = \"it guards\"\n{TEXT}\n"
        );
        let config = Config::parse(&text).expect("valid");
        config.validate().expect("fits together");
        let declared = config.organization.expect("there").declared();
        assert_eq!(declared.units.keys().collect::<Vec<_>>(), ["prod", "prod/eu"]);
        assert_eq!(declared.policies["guard"].description.as_deref(), Some("it guards"));
        assert_eq!(declared.accounts.len(), 1);
    }
}
