//! A login, and what is asked of it in bounded time.

use super::failure::{MECHANISM_UNAVAILABLE, Said, number, said};
use super::message::{HEADER, announced, document, request};
use super::scram::{Exchange, Mechanism};
use super::stream::{self, Stream};
use super::{DIALECT, database};
use crate::marker::hexadecimal;
use crate::transport::{LOGIN, STATEMENT, within};
use crate::{Credential, Failure, Protection, Trust};
use bson::raw::cstr;
use bson::spec::BinarySubtype;
use bson::{Binary, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A login that has succeeded.
pub(super) struct Link {
    stream: Option<Box<dyn Stream>>,
    pub(super) protection: Protection,
    pub(super) user: String,
    /// Where the user was made.
    pub(super) database: String,
    /// Where the users are that it changes.
    pub(super) home: String,
    /// Whether the server hashes passwords: before MongoDB 4.0 that is done here.
    pub(super) hashes: bool,
    asked: i32,
}

/// What a server answers: what it says, or why not.
pub(super) type Answer = Result<RawDocumentBuf, Said>;

/// The first version that has a newer mechanism than SHA-1: MongoDB 4.0.
const HASHES: i32 = 7;

impl Link {
    /// Logs in.
    pub(super) async fn open(login: &Credential, trust: &Trust) -> Result<Self, Failure> {
        within(LOGIN, async {
            let port = login.port.unwrap_or(DIALECT.port);
            let (stream, protection) = stream::open(login, trust, port).await?;
            let database = database(login).to_owned();
            let mut link = Self {
                stream: Some(stream),
                protection,
                user: login.username.clone(),
                home: login.home.clone().unwrap_or_else(|| database.clone()),
                database,
                hashes: true,
                asked: 0,
            };
            let mechanism = link.greet().await?;
            link.prove(mechanism, login).await?;
            Ok(link)
        })
        .await
    }

    /// Asks how the user logs in.
    async fn greet(&mut self) -> Result<Mechanism, Failure> {
        let who = format!("{}.{}", self.database, self.user);
        let hello = rawdoc! { "isMaster": 1, "saslSupportedMechs": who };
        let told = self.say("admin", hello, None).await?.map_err(|it| it.of_command())?;
        let version = told.get("maxWireVersion").ok().flatten().and_then(number);
        self.hashes = version.is_some_and(|it| HASHES <= it);
        let known = told.get_array("saslSupportedMechs").ok();
        let newer = |it: RawBsonRef<'_>| it.as_str() == Some(Mechanism::Sha256.name());
        let newer = known.is_some_and(|all| all.into_iter().flatten().any(newer));
        Ok(if newer { Mechanism::Sha256 } else { Mechanism::Sha1 })
    }

    /// Logs in by `mechanism`; by the newer one if the server has only that, but doesn't tell of users that
    /// aren't there.
    async fn prove(&mut self, mechanism: Mechanism, login: &Credential) -> Result<(), Failure> {
        let mut done = self.converse(mechanism, login).await;
        let disabled = |it: &Stop| matches!(it, Stop::Said(it) if it.code == MECHANISM_UNAVAILABLE);
        if mechanism == Mechanism::Sha1 && done.as_ref().is_err_and(disabled) {
            done = self.converse(Mechanism::Sha256, login).await;
        }
        done.map_err(|it| match it {
            Stop::Said(said) => said.of_login(),
            Stop::Failure(failure) => failure,
        })
    }

    async fn converse(&mut self, mechanism: Mechanism, login: &Credential) -> Result<(), Stop> {
        let password = str::from_utf8(login.password.expose());
        let password =
            password.map_err(|_| Failure::Invalid("the password is not text".to_owned()))?;
        let exchange = Exchange::new(mechanism, (&login.username, password), nonce()?)?;
        let begin = rawdoc! {
            "saslStart": 1, "mechanism": mechanism.name(), "payload": payload(exchange.first()),
            "options": { "skipEmptyExchange": true },
        };
        let first = self.step(begin).await?;
        let id = first.get("conversationId").ok().flatten().and_then(number).unwrap_or(1);
        let asked = first.get_binary("payload").map(|it| it.bytes.to_vec()).unwrap_or_default();
        let (exchange, answer) = hashed(exchange, asked).await?;
        let go_on = |bytes| {
            rawdoc! { "saslContinue": 1, "conversationId": id, "payload": payload(bytes) }
        };
        let reply = self.step(go_on(answer)).await?;
        if !reply.get_binary("payload").is_ok_and(|it| exchange.proves(it.bytes)) {
            let told = "the server doesn't know the password, and isn't the one that it is for";
            return Err(Failure::Untrusted(told.to_owned()).into());
        }
        let is_done = |it: &RawDocument| it.get_bool("done").unwrap_or_default();
        if is_done(&reply) || is_done(&self.step(go_on(Vec::new())).await?) {
            return Ok(());
        }
        Err(Failure::Untrusted("the server doesn't end the login".to_owned()).into())
    }

    async fn step(&mut self, command: RawDocumentBuf) -> Result<RawDocumentBuf, Stop> {
        let database = self.database.clone();
        Ok(self.say(&database, command, None).await??)
    }

    /// What the server answers to `command` in `database`.
    pub(super) async fn ask(
        &mut self,
        database: &str,
        command: RawDocumentBuf,
    ) -> Result<RawDocumentBuf, Failure> {
        self.try_ask(database, command).await?.map_err(|it| it.of_command())
    }

    /// The same; the inner error is the server's own.
    pub(super) async fn try_ask(
        &mut self,
        database: &str,
        command: RawDocumentBuf,
    ) -> Result<Answer, Failure> {
        within(STATEMENT, self.say(database, command, None)).await
    }

    /// Runs `command`, which changes a user where its users are, with the password `secret` if it is to have one. Most
    /// of a replica set knows of it when this returns.
    pub(super) async fn change(
        &mut self,
        mut command: RawDocumentBuf,
        secret: Option<&str>,
    ) -> Result<Result<(), Said>, Failure> {
        command.append(cstr!("writeConcern"), rawdoc! { "w": "majority", "wtimeout": 8000 });
        let home = self.home.clone();
        Ok(within(STATEMENT, self.say(&home, command, secret)).await?.map(drop))
    }

    /// Whoever stops waiting for an answer leaves a connection that is of no more use.
    async fn say(
        &mut self,
        database: &str,
        mut command: RawDocumentBuf,
        secret: Option<&str>,
    ) -> Result<Answer, Failure> {
        command.append(cstr!("$db"), database);
        if let Some(secret) = secret {
            // Last, so that it isn't copied to a larger buffer and left in the smaller one.
            command.append(cstr!("pwd"), secret);
        }
        self.asked = self.asked.wrapping_add(1);
        let lost = || Failure::Unreachable("the connection was lost".to_owned());
        let mut stream = self.stream.take().ok_or_else(lost)?;
        let message = request(self.asked, command);
        stream.write_all(&message).await.map_err(|_| lost())?;
        stream.flush().await.map_err(|_| lost())?;
        let mut header = [0; HEADER];
        stream.read_exact(&mut header).await.map_err(|_| lost())?;
        let other = || Failure::Unreachable("the server speaks another protocol".to_owned());
        let rest = announced(&header, self.asked).ok_or_else(other)?;
        let mut bytes = vec![0; rest];
        stream.read_exact(&mut bytes).await.map_err(|_| lost())?;
        let reply = document(&bytes).ok_or_else(other)?;
        self.stream = Some(stream);
        Ok(match said(&reply) {
            None => Ok(reply),
            Some(said) => Err(said),
        })
    }

    /// Whether the user is still logged in: one that is removed isn't.
    pub(super) async fn is_logged_in(&mut self) -> Result<bool, Failure> {
        let told = self.ask("admin", rawdoc! { "connectionStatus": 1 }).await?;
        let users = told.get_document("authInfo").and_then(|it| it.get_array("authenticatedUsers"));
        let is_me = |it: &RawDocument| it.get_str("user").is_ok_and(|it| it == self.user);
        Ok(users.is_ok_and(|all| {
            all.into_iter().flatten().any(|it| it.as_document().is_some_and(is_me))
        }))
    }

    /// Says goodbye.
    pub(super) async fn end(&mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        // Who doesn't answer isn't waited for.
        let shut = async {
            let _ = stream.shutdown().await;
            Ok(())
        };
        let _ = within(LOGIN, shut).await;
    }
}

/// Why a login goes no further.
enum Stop {
    Failure(Failure),
    Said(Said),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Said> for Stop {
    fn from(said: Said) -> Self {
        Self::Said(said)
    }
}

/// What is said to `asked`. Hashing takes a while, so it is done where waiting holds up nobody.
async fn hashed(mut exchange: Exchange, asked: Vec<u8>) -> Result<(Exchange, Vec<u8>), Failure> {
    let task = tokio::task::spawn_blocking(move || {
        let answer = exchange.answer(&asked)?;
        Ok((exchange, answer))
    });
    let stopped = |_| Err(Failure::Unreachable("the login was interrupted".to_owned()));
    task.await.unwrap_or_else(stopped)
}

/// What was never said before.
fn nonce() -> Result<String, Failure> {
    let mut bytes = [0; 24];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| Failure::Unreachable("there is no chance to draw from".to_owned()))?;
    Ok(hexadecimal(&bytes))
}

fn payload(bytes: Vec<u8>) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes }
}

/// `all` as one value of a command.
pub(super) fn array<'a>(all: impl IntoIterator<Item = &'a RawDocumentBuf>) -> RawArrayBuf {
    let mut out = RawArrayBuf::new();
    for it in all {
        out.push(it.as_ref());
    }
    out
}
