//! What a session does. Each change is one command, so it is done wholly or not at all.

use super::DIALECT;
use super::keeping::{copies, foresee, keep};
use super::link::{Link, of_command};
use super::users::{Rules, hash, text, usable};
use crate::marker::{mark, other};
use crate::transport::{LOGIN, within};
use crate::{Failure, Finding, Lease, Protection, Session};
use async_trait::async_trait;
use base::Sensitive;

#[async_trait]
impl Session for Link {
    fn protection(&self) -> Protection {
        self.protection.clone()
    }

    async fn test(&mut self) -> Result<(), Failure> {
        match self.try_ask(&["PING"]).await? {
            Ok(_) => Ok(()),
            // It may not even that, but was asked whether it may.
            Err(error) if error.code() == Some("NOPERM") => Ok(()),
            Err(error) => Err(of_command(&error, true)),
        }
    }

    async fn change_own(&mut self, _from: &Sensitive, to: &Sensitive) -> Result<(), Failure> {
        let user = self.user.clone();
        self.change(&user, to, None).await
    }

    async fn change(
        &mut self,
        user: &str,
        to: &Sensitive,
        keep: Option<&Sensitive>,
    ) -> Result<(), Failure> {
        usable(user, DIALECT.longest_name)?;
        let to = login(to)?;
        let keep = keep.map(login).transpose()?;
        let had = existing(self, user).await?;
        let like = other(user, DIALECT.suffix);
        let mark = had.made_after(&like).then(|| format!("#{}", mark(&like, 32)));
        let words = ["ACL", "SETUSER", user, "resetpass", &to];
        set(self, words.into_iter().chain(keep.as_deref()).chain(mark.as_deref())).await
    }

    async fn mirror(
        &mut self,
        like: &str,
        user: &str,
        password: &Sensitive,
    ) -> Result<(), Failure> {
        let (words, made) = alternate(self, like, user).await?;
        let password = login(password)?;
        let mark = format!("#{}", mark(like, 32));
        let words = words.iter().map(String::as_str).chain([password.as_str()]);
        if made {
            set(self, words.chain([mark.as_str(), "on"])).await
        } else {
            set(self, words).await
        }
    }

    async fn foresee(
        &mut self,
        user: Option<&str>,
        like: Option<&str>,
    ) -> Result<Vec<Finding>, Failure> {
        let mut findings = Vec::new();
        for words in [["ACL", "SETUSER"], ["ACL", "LIST"]] {
            findings.extend(permitted(self, &words).await?);
        }
        findings.push(foresee(self).await?);
        findings.extend(copies(self).await?);
        let own = self.user.clone();
        let user = user.unwrap_or(&own);
        let planned = match like {
            None => existing(self, user).await.map(|_| {
                vec![
                    "ACL".to_owned(),
                    "SETUSER".to_owned(),
                    user.to_owned(),
                    "resetpass".to_owned(),
                ]
            }),
            Some(like) => alternate(self, like, user).await.map(|it| it.0),
        };
        findings.push(match planned {
            Ok(words) => Finding::Statement(format!("{} #<password>", words.join(" "))),
            Err(Failure::Refused(told)) => {
                Finding::Missing(told, "look at the secret's `username`".to_owned())
            }
            Err(failure) => return Err(failure),
        });
        Ok(findings)
    }

    async fn grant(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        usable(lease.user, DIALECT.longest_name)?;
        // Said before there is a login: nothing may keep one from its end.
        if !lease.revocation.is_empty() {
            let told = "there is nothing but `ACL DELUSER` to end a login, so no statements for it";
            return Err(Failure::Invalid(told.to_owned()));
        }
        let password = login(lease.password)?;
        let rules = templates(lease)?;
        let found = Rules::find(self, lease.user).await?;
        own(found.as_ref(), lease)?;
        let mark = format!("#{}", mark(NOBODY, 32));
        let words = ["ACL", "SETUSER", lease.user, "reset"].into_iter().chain(rules);
        set(self, words.chain([password.as_str(), mark.as_str(), "on"])).await
    }

    async fn revoke(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        usable(lease.user, DIALECT.longest_name)?;
        let found = Rules::find(self, lease.user).await?;
        own(found.as_ref(), lease)?;
        // It ends the connections, too.
        self.ask(&["ACL", "DELUSER", lease.user]).await?;
        keep(self).await
    }

    async fn disconnect(&mut self, user: &str) -> Result<(), Failure> {
        match self.try_ask(&["CLIENT", "KILL", "USER", user]).await? {
            Ok(_) => Ok(()),
            Err(error) if error.detail().is_some_and(|it| it.contains("No such user")) => Ok(()),
            Err(error) => Err(of_command(&error, true)),
        }
    }

    async fn close(mut self: Box<Self>) {
        // Who doesn't answer isn't waited for.
        let _ = within(LOGIN, async { self.ask(&["QUIT"]).await }).await;
    }
}

/// The rule by which `password` is accepted: its hash, so that nobody on the way or in the server reads it.
fn login(password: &Sensitive) -> Result<String, Failure> {
    if password.is_empty() || password.expose().contains(&0) {
        return Err(Failure::Invalid("the password is empty, or holds a NUL".to_owned()));
    }
    Ok(format!("#{}", hash(password.expose())))
}

/// Changes a user. What can't be kept isn't begun.
async fn set<'a>(link: &mut Link, words: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let words: Vec<_> = words.collect();
    keep(link).await?;
    link.ask_secret(&words).await?;
    keep(link).await
}

/// The rules of `user`, who must be there: a change would make it.
async fn existing(link: &mut Link, user: &str) -> Result<Rules, Failure> {
    let found = Rules::find(link, user).await?;
    found.ok_or_else(|| Failure::Refused(format!("there is no user `{user}`")))
}

/// The command that makes `user` be what `like` is, without a password; and whether it was, or is to be, made after
/// it. On the way back it wasn't: then its rules are left alone.
async fn alternate(
    link: &mut Link,
    like: &str,
    user: &str,
) -> Result<(Vec<String>, bool), Failure> {
    usable(user, DIALECT.longest_name)?;
    let wanted = existing(link, like).await?;
    let found = Rules::find(link, user).await?;
    let command = ["ACL", "SETUSER", user].map(str::to_owned).to_vec();
    match found {
        Some(it) if wanted.made_after(user) && !it.made_after(like) => {
            Ok(([command, vec!["resetpass".to_owned()]].concat(), false))
        }
        Some(it) if !it.made_after(like) => {
            let told = format!("`{user}` exists and wasn't made after `{like}`");
            Err(Failure::Refused(format!("{told}: it is somebody else's, and keeps its password")))
        }
        _ => {
            let rights = wanted.rights().map(str::to_owned).collect();
            Ok(([command, vec!["reset".to_owned()], rights].concat(), true))
        }
    }
}

/// Whom users of leases are marked as made after: no user is called so.
const NOBODY: &str = "";

/// That what was `found` was made for a lease.
fn own(found: Option<&Rules>, lease: &Lease<'_>) -> Result<(), Failure> {
    if found.is_none_or(|it| it.made_after(NOBODY)) {
        return Ok(());
    }
    let told = format!("the user `{}` exists and was not made for a lease", lease.user);
    Err(Failure::Refused(told))
}

/// The rules that a lease's creation names: what may be done, never how to log in.
fn templates<'a>(lease: &Lease<'a>) -> Result<Vec<&'a str>, Failure> {
    let rules: Vec<_> = lease.creation.iter().flat_map(|it| it.split_ascii_whitespace()).collect();
    let login = |it: &&&str| {
        matches!(**it, "on" | "off" | "nopass" | "reset" | "resetpass")
            || it.starts_with(['>', '<', '#', '!', '{'])
    };
    if rules.iter().any(|it| login(&it)) {
        let told = "a login is made of rules for keys, channels and commands: no name, no password";
        return Err(Failure::Invalid(told.to_owned()));
    }
    Ok(rules)
}

/// Whether who is logged in may run `words`; `None` if the server is too old to say.
async fn permitted(link: &mut Link, words: &[&str; 2]) -> Result<Option<Finding>, Failure> {
    let (user, command) = (link.user.clone(), words.join(" "));
    // `SETUSER` wants a name.
    let asked = ["ACL", "DRYRUN", user.as_str(), words[0], words[1], "nobody"];
    let asked = if words[1] == "SETUSER" { &asked[..] } else { &asked[..5] };
    let told = match link.ask(asked).await {
        Err(Failure::Refused(_)) => return Ok(None),
        other => other?,
    };
    Ok(Some(if text(&told) == Some("OK") || told == redis::Value::Okay {
        Finding::Fine(format!("`{user}` may run {command}"))
    } else {
        let hint = format!("ACL SETUSER {user} +{}", words.join("|").to_ascii_lowercase());
        Finding::Missing(format!("`{user}` may not run {command}"), hint)
    }))
}
