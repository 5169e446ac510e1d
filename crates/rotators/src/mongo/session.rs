//! What a session does.

use super::failure::{Said, UNAUTHORIZED};
use super::link::Link;
use super::scram::{Mechanism, digested};
use super::users::{User, mark, usable};
use super::{lease, plan};
use crate::{Failure, Finding, Lease, Protection, Session};
use async_trait::async_trait;
use base::Sensitive;
use bson::raw::{CStr, cstr};
use bson::{RawArrayBuf, RawDocumentBuf, rawdoc};
use zeroize::Zeroizing;

/// How often a change is begun again because another actor was first.
pub(super) const TRIES: usize = 4;

#[async_trait]
impl Session for Link {
    fn protection(&self) -> Protection {
        self.protection.clone()
    }

    async fn test(&mut self) -> Result<(), Failure> {
        let (user, database) = (self.user.clone(), self.database.clone());
        let asked = rawdoc! { "usersInfo": { "user": user, "db": database.as_str() } };
        match self.try_ask(&database, asked).await? {
            Ok(told) if User::first(&told).is_some() => Ok(()),
            Err(said) if said.code != UNAUTHORIZED => Err(said.of_command()),
            // It may not even that, but was asked whether it may.
            _ if self.is_logged_in().await? => Ok(()),
            _ => Err(Failure::Unreachable("the server has ended the login".to_owned())),
        }
    }

    async fn change_own(&mut self, _from: &Sensitive, to: &Sensitive) -> Result<(), Failure> {
        let user = self.user.clone();
        let secret = secret(self, &user, to)?;
        let found = User::existing(self, &user).await?;
        let command = about(self, cstr!("updateUser"), &user, &found);
        match self.change(command, Some(&secret)).await? {
            Err(said) if said.code == UNAUTHORIZED => {
                let told = format!("`{user}` may not change its own password");
                Err(Failure::Refused(format!("{told}\nhint: {}", plan::OWN)))
            }
            done => done.map_err(|it| it.of_secret()),
        }
    }

    async fn change(
        &mut self,
        user: &str,
        to: &Sensitive,
        _keep: Option<&Sensitive>,
    ) -> Result<(), Failure> {
        usable(user)?;
        let secret = secret(self, user, to)?;
        let found = User::existing(self, user).await?;
        let command = about(self, cstr!("updateUser"), user, &found);
        let done = self.change(command, Some(&secret)).await?;
        done.map_err(|it| forbidden(self, user, &it))
    }

    async fn mirror(
        &mut self,
        like: &str,
        user: &str,
        password: &Sensitive,
    ) -> Result<(), Failure> {
        usable(like)?;
        usable(user)?;
        let secret = secret(self, user, password)?;
        let mut tries = 1..TRIES;
        loop {
            let command = alternate(self, like, user).await?;
            match self.change(command, Some(&secret)).await? {
                // What another actor of the same rotation has made meanwhile is found the next time.
                Err(said) if said.is_duplicate() && tries.next().is_some() => {}
                done => return done.map_err(|it| forbidden(self, user, &it)),
            }
        }
    }

    async fn foresee(
        &mut self,
        user: Option<&str>,
        like: Option<&str>,
    ) -> Result<Vec<Finding>, Failure> {
        plan::foresee(self, user, like).await
    }

    async fn grant(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        lease::grant(self, lease).await
    }

    async fn revoke(&mut self, lease: &Lease<'_>) -> Result<(), Failure> {
        lease::revoke(self, lease).await
    }

    async fn disconnect(&mut self, user: &str) -> Result<(), Failure> {
        usable(user)?;
        lease::end(self, user).await?.map_err(|it| it.of_command())?;
        let told = "what the user was doing was ended; its connections can't be, as long as it is";
        Err(Failure::Refused(told.to_owned()))
    }

    async fn close(mut self: Box<Self>) {
        self.end().await;
    }
}

/// The command that makes `user` be what `like` is: made, followed, or on the way back, where people grant and revoke
/// by its name, given a password only, which isn't in it yet.
pub(super) async fn alternate(
    link: &mut Link,
    like: &str,
    user: &str,
) -> Result<RawDocumentBuf, Failure> {
    let wanted = User::existing(link, like).await?;
    let found = User::find(link, user).await?;
    let what = if found.is_some() { cstr!("updateUser") } else { cstr!("createUser") };
    let mut command = about(link, what, user, &wanted);
    if let Some(it) = found.as_ref().filter(|it| !it.made_after(like)) {
        if wanted.made_after(user) {
            return Ok(about(link, what, user, it));
        }
        let told = format!("`{user}` exists and wasn't made after `{like}`");
        return Err(Failure::Refused(format!(
            "{told}: it is somebody else's, and keeps its password"
        )));
    }
    command.append(cstr!("roles"), wanted.roles.as_ref());
    command.append(cstr!("customData"), mark(like));
    let had = found.and_then(|it| it.restrictions);
    let restricts = |it: &Option<RawArrayBuf>| it.as_ref().is_some_and(|it| !it.is_empty());
    if restricts(&wanted.restrictions) || restricts(&had) {
        let restrictions = wanted.restrictions.unwrap_or_default();
        command.append(cstr!("authenticationRestrictions"), restrictions.as_ref());
    }
    Ok(command)
}

/// The command `what` about `user`, for a password as those have it that log in as `like` does.
pub(super) fn about(link: &Link, what: &CStr, user: &str, like: &User) -> RawDocumentBuf {
    let mut command = RawDocumentBuf::new();
    command.append(what, user);
    if !link.hashes {
        command.append(cstr!("digestPassword"), false);
    }
    if like.only_newer {
        let mut mechanisms = RawArrayBuf::new();
        mechanisms.push(Mechanism::Sha256.name());
        command.append(cstr!("mechanisms"), mechanisms);
    }
    command
}

/// What the server is given as the password `to` of `user`.
pub(super) fn secret(
    link: &Link,
    user: &str,
    to: &Sensitive,
) -> Result<Zeroizing<String>, Failure> {
    let unusable = || Failure::Invalid("the password is not text, or holds a NUL".to_owned());
    let text = str::from_utf8(to.expose()).map_err(|_| unusable())?;
    match text {
        "" => Err(unusable()),
        _ if text.contains('\0') => Err(unusable()),
        _ if link.hashes => Ok(Zeroizing::new(text.to_owned())),
        _ => Ok(digested(user, text)),
    }
}

/// Why `user` wasn't changed by an administrator.
pub(super) fn forbidden(link: &Link, user: &str, said: &Said) -> Failure {
    if said.code != UNAUTHORIZED {
        return said.of_secret();
    }
    let told = format!("`{}` may not change `{user}` in `{}`", link.user, link.home);
    Failure::Refused(format!("{told}\nhint: {}", plan::administers(link)))
}
