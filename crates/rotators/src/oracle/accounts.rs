//! What a database keeps of a user.

use super::link::{Admits, Ask};
use super::quote::{password, quoted, secret, text};
use crate::Failure;
use crate::marker::mark;
use base::Sensitive;

/// A user; names are as the database keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) profile: String,
    /// Whether two passwords are accepted for now.
    pub(super) rolling: bool,
    /// What else is kept of it, as the end of a `CREATE USER` or `ALTER USER`.
    pub(super) settings: String,
}

impl Account {
    /// The one called `user`; `None` if there is none.
    pub(super) async fn find(link: &mut dyn Ask, user: &str) -> Result<Option<Self>, Failure> {
        let asked = "SELECT profile, account_status, default_tablespace, temporary_tablespace \
                     FROM dba_users WHERE username = :1";
        let row = link.ask(asked, &[user]).await?.into_iter().next();
        let Some(row) = row else { return Ok(None) };
        let mut cells = row.into_iter().map(Option::unwrap_or_default);
        let mut next = || cells.next().unwrap_or_default();
        let (profile, status, place, scratch) = (next(), next(), next(), next());
        let settings = format!(
            " DEFAULT TABLESPACE {} TEMPORARY TABLESPACE {} PROFILE {}",
            quoted(&place),
            quoted(&scratch),
            quoted(&profile)
        );
        let rolling = status.contains("ROLLOVER");
        Ok(Some(Self { name: user.to_owned(), profile, rolling, settings }))
    }

    /// The same; one that isn't there is refused.
    pub(super) async fn the(link: &mut dyn Ask, user: &str) -> Result<Self, Failure> {
        let found = Self::find(link, user).await?;
        found.ok_or_else(|| Failure::Refused(format!("there is no user {}", quoted(user))))
    }

    /// Gives it the password `to`, and leaves it no other but the one before, if `keeps`.
    pub(super) async fn admit(
        &self,
        link: &mut dyn Ask,
        to: &Sensitive,
        keeps: bool,
    ) -> Result<(), Failure> {
        let said = password(to)?;
        let end = format!("ALTER USER {} EXPIRE PASSWORD ROLLOVER PERIOD", quoted(&self.name));
        // A rule against using passwords again would refuse the one that it has.
        if link.admits(&self.name, to).await? == Admits::No {
            if self.rolling {
                // Else the one that is kept would be the one before the last.
                run(link, &end).await?;
            }
            let head = format!("ALTER USER {} IDENTIFIED BY ", quoted(&self.name));
            run(link, &secret(&[&head, &said])).await?;
        }
        if !keeps && self.rolls(link).await? {
            run(link, &end).await?;
        }
        Ok(())
    }

    /// Whether two passwords are accepted now.
    async fn rolls(&self, link: &mut dyn Ask) -> Result<bool, Failure> {
        Ok(Self::find(link, &self.name).await?.is_some_and(|it| it.rolling))
    }

    /// Whether its profile keeps an old password beside a new one.
    pub(super) async fn overlaps(&self, link: &mut dyn Ask) -> Result<bool, Failure> {
        let asked = "SELECT limit FROM dba_profiles WHERE profile = :1 \
                     AND resource_name = 'PASSWORD_ROLLOVER_TIME'";
        let rows = link.ask(asked, &[&self.profile]).await?;
        let limit = rows.into_iter().flatten().flatten().next();
        Ok(limit.is_some_and(|it| it != "0" && it != "-1" && it != "DEFAULT"))
    }
}

/// The role by which a user that was made here is told from somebody else's: it permits nothing. Whoever may give
/// roles may change passwords anyway.
pub(super) fn marker(user: &str, like: &str) -> String {
    // 30 bytes are all that old servers take.
    format!("STRONGROOM_{}", mark(&format!("{like}\0{user}"), 9).to_uppercase())
}

/// Whether `user` was made here to be what `like` is.
pub(super) async fn made_after(
    link: &mut dyn Ask,
    user: &str,
    like: &str,
) -> Result<bool, Failure> {
    let asked = "SELECT granted_role FROM dba_role_privs WHERE grantee = :1 AND granted_role = :2";
    Ok(!link.ask(asked, &[user, &marker(user, like)]).await?.is_empty())
}

/// Marks `user` as made here to be what `like` is.
pub(super) async fn note(link: &mut dyn Ask, user: &str, like: &str) -> Result<(), Failure> {
    /// There is such a role.
    const EXISTS: usize = 1921;
    let role = quoted(&marker(user, like));
    match link.act(&format!("CREATE ROLE {role}")).await? {
        Ok(()) | Err((Some(EXISTS), _)) => {}
        Err((_, failure)) => return Err(failure),
    }
    run(link, &format!("GRANT {role} TO {}", quoted(user))).await
}

/// Removes that role: nobody is so any more.
pub(super) async fn forget(link: &mut dyn Ask, user: &str, like: &str) -> Result<(), Failure> {
    /// There is no such role.
    const GONE: usize = 1919;
    match link.act(&format!("DROP ROLE {}", quoted(&marker(user, like)))).await? {
        Ok(()) | Err((Some(GONE), _)) => Ok(()),
        Err((_, failure)) => Err(failure),
    }
}

/// Runs `statement`.
pub(super) async fn run(link: &mut dyn Ask, statement: &str) -> Result<(), Failure> {
    link.act(statement).await?.map_err(|it| it.1)
}

/// Ends all connections of `user`.
pub(super) async fn disconnect(link: &mut dyn Ask, user: &str) -> Result<(), Failure> {
    /// They have gone by themselves, or are going.
    const GONE: [usize; 2] = [30, 31];
    let asked = "SELECT sid || ',' || serial# || ',@' || inst_id FROM gv$session \
                 WHERE username = :1 AND NOT (sid = SYS_CONTEXT('USERENV', 'SID') \
                 AND inst_id = SYS_CONTEXT('USERENV', 'INSTANCE'))";
    for id in link.ask(asked, &[user]).await?.into_iter().flatten().flatten() {
        match link.act(&format!("ALTER SYSTEM KILL SESSION {} IMMEDIATE", text(&id))).await? {
            Err((Some(code), _)) if GONE.contains(&code) => {}
            done => done.map_err(|it| it.1)?,
        }
    }
    Ok(())
}
