//! A login, and what is asked of it in bounded time.

use crate::stream::{Hello, Stream};
use crate::transport::{LOGIN, STATEMENT, within};
use crate::{Credential, Failure, Protection, Trust};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, Value};
use tokio::task::AbortHandle;

/// Answered by `+PONG`, `-NOAUTH …` or `-DENIED …`.
const PING: Hello = Hello { words: b"PING\r\n", answers: |first| matches!(first, b'+' | b'-') };

/// A login that has succeeded.
pub(super) struct Link {
    connection: Option<MultiplexedConnection>,
    driver: AbortHandle,
    pub(super) protection: Protection,
    pub(super) user: String,
}

impl Link {
    /// Logs in.
    pub(super) async fn open(
        login: &Credential,
        trust: &Trust,
        port: u16,
    ) -> Result<Self, Failure> {
        within(LOGIN, async {
            let stream = Stream::open(login, trust, port, PING).await?;
            let protection = stream.protection();
            let info = RedisConnectionInfo::default().set_skip_set_lib_name();
            // Waiting is ended here.
            let config = AsyncConnectionConfig::new().set_response_timeout(None);
            let opened = MultiplexedConnection::new_with_config(&info, stream, config).await;
            let (connection, driver) = opened.map_err(|it| of_login(&it))?;
            let driver = tokio::spawn(driver).abort_handle();
            let user = login.username.clone();
            let mut link = Self { connection: Some(connection), driver, protection, user };
            let password = login.password.expose();
            let words: [&[u8]; 3] = [b"AUTH", login.username.as_bytes(), password];
            link.say(&words).await?.map_err(|it| of_login(&it))?;
            Ok(link)
        })
        .await
    }

    /// What the server answers to `words`.
    pub(super) async fn ask(&mut self, words: &[&str]) -> Result<Value, Failure> {
        self.try_ask(words).await?.map_err(|it| of_command(&it, true))
    }

    /// The same, of words that nothing may be told of.
    pub(super) async fn ask_secret(&mut self, words: &[&str]) -> Result<Value, Failure> {
        self.try_ask(words).await?.map_err(|it| of_command(&it, false))
    }

    /// The same; the inner error is the server's own.
    pub(super) async fn try_ask(
        &mut self,
        words: &[&str],
    ) -> Result<Result<Value, RedisError>, Failure> {
        let words: Vec<_> = words.iter().map(|it| it.as_bytes()).collect();
        within(STATEMENT, self.say(&words)).await
    }

    /// Whoever stops waiting for an answer leaves a connection that is of no more use.
    async fn say(&mut self, words: &[&[u8]]) -> Result<Result<Value, RedisError>, Failure> {
        let lost = || Failure::Unreachable("the connection was lost".to_owned());
        let mut connection = self.connection.take().ok_or_else(lost)?;
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        let answer = connection.req_packed_command(&command).await;
        if answer.as_ref().is_err_and(|it| !is_said(it)) {
            return Err(lost());
        }
        self.connection = Some(connection);
        // In RESP2 an error within an answer is a value.
        Ok(answer.and_then(Value::extract_error))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Whether the server itself said `error`.
fn is_said(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::AuthenticationFailed
    )
}

/// What the server said.
fn told(error: &RedisError) -> String {
    let (code, detail) = (error.code().unwrap_or("ERR"), error.detail().unwrap_or_default());
    format!("{code} {detail}")
}

/// Why there is no login.
fn of_login(error: &RedisError) -> Failure {
    let text = told(error);
    match error.code() {
        Some("WRONGPASS" | "NOAUTH") => Failure::Denied(text),
        _ => of_command(error, true),
    }
}

/// Why a command has no effect; its own words may be in the answer, so `all` of it is told only if they may be.
pub(super) fn of_command(error: &RedisError, all: bool) -> Failure {
    let text = told(error);
    let code = error.code().unwrap_or("ERR");
    match code {
        _ if !is_said(error) => Failure::Unreachable("the connection was lost".to_owned()),
        "BUSY" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "TRYAGAIN" => {
            Failure::Unreachable(text)
        }
        "ERR" if text.contains("max number of clients") => Failure::Unreachable(text),
        "NOPERM" => Failure::Refused(text),
        _ if all => Failure::Refused(text),
        code => Failure::Refused(format!("{code} (what it says may hold a password's hash)")),
    }
}
