//! Where a change of users is kept: a server that is started again forgets what it wasn't told to write.

use super::link::{Link, of_command};
use super::users::text;
use crate::{Failure, Finding};
use redis::Value;

/// Has the server write its users down, in its ACL file or else in its configuration. One that has neither keeps
/// them in memory only: nothing can be done, and a plan says so.
pub(super) async fn keep(link: &mut Link) -> Result<(), Failure> {
    for (words, nowhere) in [
        (["ACL", "SAVE"], "not configured to use an ACL file"),
        (["CONFIG", "REWRITE"], "without a config file"),
    ] {
        match link.try_ask(&words).await? {
            Ok(_) => return Ok(()),
            Err(error) if error.detail().is_some_and(|it| it.contains(nowhere)) => (),
            Err(error) => return Err(of_command(&error, true)),
        }
    }
    Ok(())
}

/// Where a change would be kept.
pub(super) async fn foresee(link: &mut Link) -> Result<Finding, Failure> {
    let hint = "start the server with an ACL file (`aclfile`) or a configuration file";
    let aclfile = match link.ask(&["CONFIG", "GET", "aclfile"]).await {
        Err(Failure::Refused(told)) => {
            let hint = "let the user `+config|get +config|rewrite +acl|save`".to_owned();
            return Ok(Finding::Missing(format!("where users are kept isn't told: {told}"), hint));
        }
        other => other?,
    };
    let aclfile = match &aclfile {
        Value::Array(pair) => pair.get(1).and_then(text),
        _ => None,
    };
    if let Some(file) = aclfile.filter(|it| !it.is_empty()) {
        return Ok(Finding::Fine(format!("a change is kept in the ACL file `{file}`")));
    }
    match info(link, "server", "config_file").await? {
        Some(file) if !file.is_empty() => {
            Ok(Finding::Fine(format!("a change is kept in the configuration `{file}`")))
        }
        _ => {
            let told = "a change would live only in the server's memory, until it is started again";
            Ok(Finding::Missing(told.to_owned(), hint.to_owned()))
        }
    }
}

/// Whether others must be told of users as well: nothing of them is replicated.
pub(super) async fn copies(link: &mut Link) -> Result<Option<Finding>, Failure> {
    let hint =
        "rotate on each of them, or keep users that replicas serve out of rotation".to_owned();
    let replicas = info(link, "replication", "connected_slaves").await?;
    if let Some(count) = replicas.filter(|it| it != "0") {
        let told = format!("the server has {count} replicas, which don't hear of changed users");
        return Ok(Some(Finding::Missing(told, hint)));
    }
    let cluster = info(link, "cluster", "cluster_enabled").await?;
    let told = "the server is one of a cluster, whose others don't hear of changed users";
    Ok(cluster.filter(|it| it == "1").map(|_| Finding::Missing(told.to_owned(), hint)))
}

/// One line of what the server says of itself; `None` if it may not be asked, or doesn't say.
async fn info(link: &mut Link, section: &str, name: &str) -> Result<Option<String>, Failure> {
    let told = match link.ask(&["INFO", section]).await {
        Err(Failure::Refused(_)) => return Ok(None),
        other => other?,
    };
    let lines = text(&told).unwrap_or_default().lines();
    let mut pairs = lines.filter_map(|it| it.split_once(':'));
    Ok(pairs.find(|it| it.0 == name).map(|it| it.1.trim().to_owned()))
}
