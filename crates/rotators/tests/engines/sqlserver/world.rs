//! What a server keeps, and what statements do to it. Names are told apart as they are written.

use super::tsql::{Token, Words, bracketed, read};
use super::wire::{Login, Refusal, Rows};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{Shutdown, TcpStream};

/// What somebody may: `D`, `G` or `W` by permission, what it is for and column.
pub(super) type Permissions = BTreeMap<(String, String, String), char>;

/// Whoever may something.
#[derive(Clone, Debug, Default)]
pub(super) struct Principal {
    pub(super) sid: String,
    /// Of a login, and of a user that its database keeps.
    pub(super) password: Option<String>,
    /// `DEFAULT_DATABASE`, `CHECK_POLICY`, `DEFAULT_SCHEMA` and so on.
    pub(super) settings: BTreeMap<String, String>,
    pub(super) roles: BTreeSet<String>,
    pub(super) permissions: Permissions,
    /// The error of its logins, whatever the password: disabled, locked, expired.
    pub(super) barred: Option<u32>,
}

pub(super) type Principals = BTreeMap<String, Principal>;

#[derive(Debug, Default)]
pub(super) struct Database {
    pub(super) users: Principals,
    /// Owners by schema.
    pub(super) schemas: BTreeMap<String, String>,
    /// Schemas in which something is.
    pub(super) filled: BTreeSet<String>,
}

/// An open connection that has logged in.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: u32,
    pub(super) name: String,
    /// The database that keeps the user.
    pub(super) contained: Option<String>,
    pub(super) database: String,
}

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) logins: Principals,
    pub(super) databases: BTreeMap<String, Database>,
    pub(super) open: BTreeMap<u32, (String, TcpStream)>,
    pub(super) locks: BTreeMap<String, u32>,
    /// `EngineEdition`: 5 for Azure SQL.
    pub(super) edition: u32,
    /// All that was done: statements as the server's own traces would have them, without passwords.
    pub(super) log: String,
}

type Outcome = Result<Vec<Rows>, Refusal>;

fn refuse<T>(number: u32, told: &str) -> Result<T, Refusal> {
    Err(Refusal(number, told.to_owned()))
}

/// The right to come in.
fn connect() -> (String, String, String) {
    ("CONNECT".to_owned(), String::new(), String::new())
}

fn row(cells: &[&str]) -> Vec<Option<String>> {
    cells.iter().map(|it| Some((*it).to_owned())).collect()
}

impl World {
    /// Lets somebody in, or says why not.
    pub(super) fn admit(&self, login: &Login, id: u32) -> Result<Session, Refusal> {
        let database = self.databases.get(&login.database);
        let kept =
            database.and_then(|it| it.users.get(&login.user)).filter(|it| it.password.is_some());
        let found = kept.or_else(|| self.logins.get(&login.user));
        let denied = format!("Login failed for user '{}'.", login.user);
        match found.filter(|it| it.password.as_ref() == Some(&login.password)) {
            None => return refuse(18456, &denied),
            Some(Principal { barred: Some(number), .. }) => return refuse(*number, &denied),
            Some(found) if found.permissions.get(&connect()) == Some(&'D') => {
                return refuse(18456, &denied);
            }
            Some(_) => {}
        }
        let name = login.user.clone();
        let contained = kept.map(|_| login.database.clone());
        let session = Session { id, name, contained, database: login.database.clone() };
        if self.may_enter(&session, &login.database) {
            return Ok(session);
        }
        refuse(
            4060,
            &format!("Cannot open database \"{}\" requested by the login.", login.database),
        )
    }

    fn may_enter(&self, session: &Session, database: &str) -> bool {
        let Some(found) = self.databases.get(database) else { return false };
        let sid = self.logins.get(&session.name).map(|it| it.sid.as_str());
        database == "master"
            || session.contained.as_deref() == Some(database)
            || self.is_administrator(session)
            || found.users.values().any(|it| Some(it.sid.as_str()) == sid)
    }

    fn is_administrator(&self, session: &Session) -> bool {
        let login = self.logins.get(&session.name).filter(|_| session.contained.is_none());
        login.is_some_and(|it| it.roles.contains("sysadmin"))
            || session.contained.as_ref().is_some_and(|database| {
                let user = self.databases.get(database).and_then(|it| it.users.get(&session.name));
                user.is_some_and(|it| it.roles.contains("db_owner"))
            })
    }

    /// Who a session is in its database.
    fn user(&self, session: &Session) -> Option<&Principal> {
        let users = &self.databases.get(&session.database)?.users;
        if session.contained.is_some() {
            return users.get(&session.name);
        }
        let login = self.logins.get(&session.name)?;
        users.values().find(|it| it.sid == login.sid)
    }

    /// Runs a batch.
    pub(super) fn run(&mut self, session: &mut Session, batch: &str) -> Outcome {
        let Some(tokens) = read(batch) else { return refuse(105, "Unclosed quotation mark.") };
        let mut sets = Vec::new();
        for statement in tokens.split(|it| *it == Token::Symbol(';')) {
            if !statement.is_empty() {
                let rows = self.statement(session, &mut Words(statement))?;
                sets.extend(rows);
            }
        }
        Ok(sets)
    }

    fn statement(&mut self, session: &mut Session, words: &mut Words<'_>) -> Outcome {
        if words.take("SET") || words.take("WAITFOR") {
            return Ok(Vec::new());
        }
        if words.take("EXEC sp_releaseapplock") {
            self.locks.retain(|_, holder| *holder != session.id);
            return Ok(Vec::new());
        }
        if words.take("SELECT") {
            return self.select(session, words);
        }
        if words.take("USE") {
            let name = words.name().unwrap_or_default();
            if !self.may_enter(session, &name) {
                return refuse(916, "The server principal is not able to access the database.");
            }
            session.database = name;
            return Ok(Vec::new());
        }
        let own = matches!(words.0, [_, Token::Word(kind), Token::Name(name), ..]
            if name == &session.name && kind == if session.contained.is_some() { "USER" } else { "LOGIN" });
        let says_old = words.0.contains(&Token::Word("OLD_PASSWORD".into()));
        let may = self.is_administrator(session) || own && says_old;
        if !may {
            return refuse(
                15151,
                "Cannot do that, because it does not exist or you do not have permission.",
            );
        }
        // As its own traces, which leave out what comes after these words.
        let shown = words.0.iter().take(3).filter(|it| !matches!(it, Token::Text(_)));
        writeln!(self.log, "{:?}", shown.collect::<Vec<_>>()).expect("room");
        let done = self.act(session, words)?;
        if words.0.is_empty() { Ok(done) } else { refuse(102, "Incorrect syntax.") }
    }

    fn act(&mut self, session: &Session, words: &mut Words<'_>) -> Outcome {
        let none = Ok(Vec::new());
        if words.take("CREATE LOGIN") {
            let name = words.name().unwrap_or_default();
            if self.logins.contains_key(&name) {
                return refuse(15025, "The server principal already exists.");
            }
            let mut made = Principal::default();
            settings(&mut made, words)?;
            if made.sid.is_empty() {
                made.sid = format!("0x{:032X}", self.logins.len() + 1000);
            }
            if self.logins.values().any(|it| it.sid == made.sid) {
                return refuse(15433, "Supplied parameter sid is in use.");
            }
            self.logins.insert(name, made);
            return none;
        }
        if words.take("ALTER LOGIN") {
            let name = words.name().unwrap_or_default();
            let Some(found) = self.logins.get_mut(&name) else {
                return refuse(15151, "Cannot alter the login, because it does not exist.");
            };
            if words.take("DISABLE") {
                found.barred = Some(18470);
                return none;
            }
            settings(found, words)?;
            return none;
        }
        if words.take("DROP LOGIN") {
            let name = words.name().unwrap_or_default();
            if self.open.values().any(|it| it.0 == name) {
                return refuse(15434, "Could not drop login as the user is currently logged in.");
            }
            let gone = self.logins.remove(&name);
            return if gone.is_some() { none } else { refuse(15151, "Cannot drop the login.") };
        }
        if words.take("KILL") {
            let id = words.text().and_then(|it| it.parse().ok()).unwrap_or_default();
            let Some((_, stream)) = self.open.remove(&id) else {
                return refuse(6106, "Process ID is not an active process ID.");
            };
            let _ = stream.shutdown(Shutdown::Both);
            return none;
        }
        if words.take("ALTER SERVER ROLE") {
            if session.database != "master" {
                return refuse(15247, "Not here.");
            }
            return member(&mut self.logins, words);
        }
        let server = matches!(words.0.get(1..), Some(rest) if rest.iter().any(|it| *it == Token::Word("SERVER".into())));
        if server && session.database == "master" && !words.0.contains(&Token::Word("ON".into())) {
            return permission(&mut self.logins, words);
        }
        self.act_in_database(session, words)
    }

    fn act_in_database(&mut self, session: &Session, words: &mut Words<'_>) -> Outcome {
        let none = Ok(Vec::new());
        let logins = self.logins.clone();
        let Some(database) = self.databases.get_mut(&session.database) else { return none };
        if words.take("CREATE USER") {
            let name = words.name().unwrap_or_default();
            if database.users.contains_key(&name) {
                return refuse(15023, "User already exists in the current database.");
            }
            let mut made = Principal::default();
            made.permissions.insert(connect(), 'G');
            if words.take("FOR LOGIN") {
                let login = words.name().unwrap_or_default();
                let Some(login) = logins.get(&login) else {
                    return refuse(15007, "No such login.");
                };
                made.sid.clone_from(&login.sid);
            }
            settings(&mut made, words)?;
            if made.sid.is_empty() {
                made.sid = format!("0x0105{:032X}", database.users.len() + 1000);
            }
            database.users.insert(name, made);
            return none;
        }
        if words.take("ALTER USER") {
            let name = words.name().unwrap_or_default();
            let Some(found) = database.users.get_mut(&name) else {
                return refuse(15151, "No such user.");
            };
            settings(found, words)?;
            return none;
        }
        if words.take("DROP USER") {
            let name = words.name().unwrap_or_default();
            if database.schemas.values().any(|it| *it == name) {
                return refuse(
                    15138,
                    "The database principal owns a schema, and cannot be dropped.",
                );
            }
            let gone = database.users.remove(&name);
            return if gone.is_some() { none } else { refuse(15151, "Cannot drop the user.") };
        }
        if words.take("CREATE SCHEMA") {
            let name = words.name().unwrap_or_default();
            let owner = if words.take("AUTHORIZATION") { words.name() } else { None };
            database.schemas.insert(name, owner.unwrap_or_default());
            return none;
        }
        if words.take("DROP SCHEMA") {
            let name = words.name().unwrap_or_default();
            if database.filled.contains(&name) {
                return refuse(
                    3729,
                    "Cannot drop schema because it is being referenced by object.",
                );
            }
            database.schemas.remove(&name);
            return none;
        }
        if words.take("ALTER ROLE") {
            return member(&mut database.users, words);
        }
        permission(&mut database.users, words)
    }

    fn select(&self, session: &Session, words: &mut Words<'_>) -> Outcome {
        let said = |it: &str| words.0.contains(&Token::Word(it.to_owned()));
        let table = from(words.0);
        let filter = after_where(words.0);
        let literal = filter.iter().rev().find_map(|it| match it {
            Token::Text(it) => Some(it.as_str()),
            _ => None,
        });
        let rows: Rows = match table.last().map(String::as_str) {
            _ if said("SERVERPROPERTY") => vec![self.greeting(session)],
            _ if said("HAS_PERMS_BY_NAME") => {
                vec![row(&[if self.is_administrator(session) { "1" } else { "0" }])]
            }
            None => vec![row(&["Microsoft SQL Server"])],
            Some("sql_logins") => self.sql_logins(session, literal.unwrap_or_default()),
            Some("databases") => {
                let seen = self.databases.keys().filter(|it| self.may_enter(session, it));
                seen.map(|it| row(&[it])).collect()
            }
            Some("dm_exec_sessions") => {
                let found = self
                    .open
                    .iter()
                    .filter(|it| Some(it.1.0.as_str()) == literal && *it.0 != session.id);
                found.map(|it| row(&[&it.0.to_string()])).collect()
            }
            Some("schemas") => {
                let schemas = self.databases.get(&session.database).map(|it| &it.schemas);
                let owned =
                    schemas.into_iter().flatten().filter(|it| Some(it.1.as_str()) == literal);
                owned.map(|it| row(&[it.0])).collect()
            }
            Some("database_principals") => self.users(session, &table, filter),
            Some("database_role_members") => {
                roles(self.databases.get(&session.database).map(|it| &it.users), literal)
            }
            Some("database_permissions") => {
                permissions(self.databases.get(&session.database).map(|it| &it.users), literal)
            }
            Some("server_role_members") => roles(Some(&self.logins), literal),
            Some("server_permissions") => permissions(Some(&self.logins), literal),
            Some("ledger") => {
                let right =
                    ("SELECT".to_owned(), "OBJECT::[dbo].[ledger]".to_owned(), String::new());
                let may = self.user(session).and_then(|it| it.permissions.get(&right));
                if may.is_none_or(|it| *it == 'D') {
                    return refuse(229, "The SELECT permission was denied on the object 'ledger'.");
                }
                vec![row(&["1"])]
            }
            Some(table) => return refuse(208, &format!("Invalid object name '{table}'.")),
        };
        Ok(vec![rows])
    }

    fn greeting(&self, session: &Session) -> Vec<Option<String>> {
        let edition = self.edition.to_string();
        let kind = if session.contained.is_some() { "DATABASE" } else { "INSTANCE" };
        row(&[&edition, "16.0.4100.1", &session.name, &session.database, &session.name, kind])
    }

    /// Others' logins are seen only by who may change them.
    fn sql_logins(&self, session: &Session, name: &str) -> Rows {
        let visible = self.is_administrator(session) || name == session.name;
        let found = self.logins.get(name).filter(|_| visible);
        let cells = found.map(|it| {
            let setting =
                |key: &str, or: &str| it.settings.get(key).map_or(or, String::as_str).to_owned();
            vec![
                Some(name.to_owned()),
                Some(it.sid.clone()),
                Some(setting("DEFAULT_DATABASE", "master")),
                Some(setting("DEFAULT_LANGUAGE", "us_english")),
                Some(setting("CHECK_POLICY", "ON")),
                Some(setting("CHECK_EXPIRATION", "OFF")),
            ]
        });
        cells.into_iter().collect()
    }

    /// Users of a database: by name, by number, or those whose password it keeps.
    fn users(&self, session: &Session, table: &[String], filter: &[Token]) -> Rows {
        let database = if table.len() == 3 { &table[0] } else { &session.database };
        let Some(database) = self.databases.get(database) else { return Rows::new() };
        let value = |key: &str| {
            let at = filter.iter().position(|it| *it == Token::Word(key.to_owned()))?;
            match filter.get(at + 2)? {
                Token::Text(it) => Some(it.clone()),
                _ => None,
            }
        };
        if value("TYPE").is_some() {
            return Rows::new();
        }
        let (name, sid, contained) =
            (value("NAME"), value("SID"), value("AUTHENTICATION_TYPE").is_some());
        let visible = self.is_administrator(session);
        let found = database.users.iter().filter(|it| {
            (visible || *it.0 == session.name)
                && name.as_ref().is_none_or(|name| name == it.0)
                && sid.as_ref().is_none_or(|sid| sid.eq_ignore_ascii_case(&it.1.sid))
                && (!contained || it.1.password.is_some())
        });
        let shown = |it: (&String, &Principal)| {
            let mut cells = vec![Some(it.0.clone())];
            cells.extend(contained.then(|| Some(it.1.sid.clone())));
            cells.push(it.1.settings.get("DEFAULT_SCHEMA").cloned());
            cells
        };
        // Only a name was asked for.
        let short = name.is_some() && !contained;
        found
            .map(shown)
            .map(|mut it| {
                if short {
                    it.truncate(1);
                }
                it
            })
            .collect()
    }
}

fn roles(principals: Option<&Principals>, name: Option<&str>) -> Rows {
    let found = principals.and_then(|it| it.get(name?));
    found.map(|it| it.roles.iter().map(|it| row(&[it])).collect()).unwrap_or_default()
}

fn permissions(principals: Option<&Principals>, name: Option<&str>) -> Rows {
    let found = principals.and_then(|it| it.get(name?));
    let all = found.into_iter().flat_map(|it| &it.permissions);
    all.map(|((what, on, column), state)| row(&[&format!("{state} "), what, on, column, "CLASS"]))
        .collect()
}

/// The table after the first `FROM` that isn't in brackets.
fn from(tokens: &[Token]) -> Vec<String> {
    let mut words = Words(&tokens[outside(tokens, "FROM")..]);
    let mut path = Vec::new();
    while words.next().is_some() {
        path.extend(words.name());
        if words.0.first() != Some(&Token::Symbol('.')) {
            break;
        }
    }
    path
}

fn after_where(tokens: &[Token]) -> &[Token] {
    &tokens[outside(tokens, "WHERE")..]
}

fn outside(tokens: &[Token], word: &str) -> usize {
    let mut depth = 0_u32;
    let found = tokens.iter().position(|it| {
        match it {
            Token::Symbol('(') => depth += 1,
            Token::Symbol(')') => depth -= 1,
            Token::Word(it) => return depth == 0 && it == word,
            _ => {}
        }
        false
    });
    found.unwrap_or(tokens.len())
}

/// What follows `WITH`.
fn settings(principal: &mut Principal, words: &mut Words<'_>) -> Result<(), Refusal> {
    if !words.take("WITH") {
        return Ok(());
    }
    let mut changed = principal.clone();
    loop {
        let key = match words.next() {
            Some(Token::Word(key)) => key.clone(),
            _ => return refuse(102, "Incorrect syntax."),
        };
        if !words.take("=") {
            return refuse(102, "Incorrect syntax.");
        }
        let value = match words.next() {
            Some(Token::Name(it) | Token::Text(it) | Token::Word(it)) => it.clone(),
            _ => return refuse(102, "Incorrect syntax."),
        };
        match key.as_str() {
            "PASSWORD" => changed.password = Some(value),
            "OLD_PASSWORD" if principal.password.as_ref() != Some(&value) => {
                return refuse(
                    15151,
                    "Cannot alter it, because it does not exist or you do not have permission.",
                );
            }
            "OLD_PASSWORD" => {}
            "SID" => changed.sid = value,
            _ => drop(changed.settings.insert(key, value)),
        }
        if !words.take(",")
            && !matches!(words.0.first(), Some(Token::Word(it)) if it == "OLD_PASSWORD")
        {
            *principal = changed;
            return Ok(());
        }
    }
}

/// `[role] ADD|DROP MEMBER [user]`.
fn member(principals: &mut Principals, words: &mut Words<'_>) -> Outcome {
    let role = words.name().unwrap_or_default();
    let adds = words.take("ADD MEMBER");
    let drops = words.take("DROP MEMBER");
    let found = words.name().and_then(|it| principals.get_mut(&it)).filter(|_| adds || drops);
    let Some(user) = found else { return refuse(15151, "Cannot alter the role.") };
    if adds {
        user.roles.insert(role)
    } else {
        user.roles.remove(&role)
    };
    Ok(Vec::new())
}

/// `GRANT`, `DENY` and `REVOKE`.
fn permission(principals: &mut Principals, words: &mut Words<'_>) -> Outcome {
    let verb = match words.next() {
        Some(Token::Word(it)) if ["GRANT", "DENY", "REVOKE"].contains(&it.as_str()) => it.clone(),
        _ => return refuse(102, "Incorrect syntax."),
    };
    let option = words.take("GRANT OPTION FOR");
    let mut what = Vec::new();
    while let Some(Token::Word(word)) = words.0.first() {
        if ["ON", "TO", "FROM"].contains(&word.as_str()) {
            break;
        }
        what.push(word.clone());
        words.next();
    }
    let (mut on, mut column) = (String::new(), String::new());
    if words.take("ON") {
        while let Some(token) = words.0.first() {
            match token {
                Token::Word(it) if ["TO", "FROM"].contains(&it.as_str()) => break,
                Token::Word(it) => on.push_str(it),
                Token::Name(it) => on.push_str(&bracketed(it)),
                Token::Symbol('(') => {
                    words.next();
                    column = bracketed(&words.name().unwrap_or_default());
                }
                Token::Symbol(it) => on.push(*it),
                Token::Text(_) => return refuse(102, "Incorrect syntax."),
            }
            words.next();
        }
    }
    if !words.take("TO") && !words.take("FROM") {
        return refuse(102, "Incorrect syntax.");
    }
    let found = words.name().and_then(|it| principals.get_mut(&it));
    let Some(user) = found else { return refuse(15151, "Cannot find the user.") };
    let given_on = words.take("WITH GRANT OPTION");
    let cascade = words.take("CASCADE");
    let key = (what.join(" "), on, column);
    if user.permissions.get(&key) == Some(&'W') && verb != "GRANT" && !cascade {
        return refuse(4611, "To revoke or deny grantable privileges, specify the CASCADE option.");
    }
    // What is said of a table undoes what was said of its columns.
    if key.2.is_empty() && !key.1.is_empty() {
        user.permissions.retain(|it, _| it.0 != key.0 || it.1 != key.1 || it.2.is_empty());
    }
    match (verb.as_str(), option) {
        ("GRANT", _) => drop(user.permissions.insert(key, if given_on { 'W' } else { 'G' })),
        ("DENY", _) => drop(user.permissions.insert(key, 'D')),
        (_, true) => drop(user.permissions.insert(key, 'G')),
        _ => drop(user.permissions.remove(&key)),
    }
    Ok(Vec::new())
}
