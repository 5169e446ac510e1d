//! A login, and what is asked of it in bounded time.

use super::ddm::{self, Head, Object, head, objects, parameter, piece, request};
use super::ebcdic;
use super::failure::{of_login, of_reply, of_seccheck};
use super::reply::{Order, Reply, Row};
use crate::stream::{Hello, Stream};
use crate::transport::{LOGIN, STATEMENT, within};
use crate::{Credential, Failure, Protection, Trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

/// `EXCSAT` without parameters. What answers it begins with its length, which is small.
const EXCSAT: Hello =
    Hello { words: b"\x00\x0A\xD0\x01\x00\x01\x00\x04\x10\x41", answers: |first| first < 0x10 };

/// The one way of logging in that is built: name and password as they are, under TLS.
const USRIDPWD: u16 = 3;
/// Unicode, as a number.
const UTF8: u16 = 1208;
const UTF16: u16 = 1200;
/// The collection, package and token of statements that are made as one goes, and the one section that is used.
/// Every Db2 has it.
const PACKAGE: [&str; 2] = ["NULLID", "SYSSH200"];
const TOKEN: &[u8] = b"SYSLVL01";
const SECTION: u16 = 65;
/// How much a server may send at once.
const BLOCK: u32 = 32_767;

/// A login that has succeeded, to one database.
pub(super) struct Link {
    stream: Option<Stream>,
    pub(super) protection: Protection,
    database: String,
    unicode: bool,
    order: Order,
}

impl Link {
    /// Logs in to `database`.
    pub(super) async fn open(
        login: &Credential,
        database: &str,
        trust: &Trust,
        port: u16,
    ) -> Result<Self, Failure> {
        within(LOGIN, async {
            let stream = Stream::open(login, trust, port, EXCSAT).await?;
            let (protection, database) = (stream.protection(), database.to_owned());
            let stream = Some(stream);
            let mut link =
                Self { stream, protection, database, unicode: false, order: Order::default() };
            let unicode = link.greet().await?;
            link.agree().await?;
            link.unicode = unicode;
            link.authenticate(login).await?;
            link.enter().await?;
            Ok(link)
        })
        .await
    }

    /// Runs `statement`, which has a `?` for each of `values`; the rows that it returns, if any.
    pub(super) async fn run(
        &mut self,
        statement: &str,
        values: &[&[u8]],
    ) -> Result<Vec<Row>, Failure> {
        self.prepare(statement).await?;
        let more = u16::MAX.to_be_bytes(); // result sets
        let command = self.section().with(ddm::OUTEXP, &[0xF0]).with(ddm::MAXRSLCNT, &more);
        let command = command.with(ddm::QRYBLKSZ, &BLOCK.to_be_bytes());
        let data = data(values);
        let about = (!values.is_empty()).then_some((ddm::SQLDTA, &data));
        let reply = self.ask(ddm::EXCSQLSTT, &command, about).await?;
        let rows = self.fetch(reply).await;
        self.end(rows).await
    }

    /// The rows of the query `statement`.
    pub(super) async fn query(&mut self, statement: &str) -> Result<Vec<Row>, Failure> {
        self.prepare(statement).await?;
        let command = self.section().with(ddm::QRYBLKSZ, &BLOCK.to_be_bytes());
        // The server closes it when there is no more.
        let command = command.with(ddm::QRYCLSIMP, &[1]);
        let reply = self.ask(ddm::OPNQRY, &command, None).await?;
        let rows = self.fetch(reply).await;
        self.end(rows).await
    }

    async fn prepare(&mut self, statement: &str) -> Result<(), Failure> {
        let length = u32::try_from(statement.len()).unwrap_or(u32::MAX);
        let text = Object::new().raw(&[0]).raw(&length.to_be_bytes());
        let text = text.raw(statement.as_bytes()).raw(&[0xFF]);
        let command = self.section();
        let reply = self.ask(ddm::PRPSQLSTT, &command, Some((ddm::SQLSTT, &text))).await?;
        let prepared = self.succeeded(&reply);
        self.end(prepared).await
    }

    /// All rows that begin with `reply`.
    async fn fetch(&mut self, mut reply: Reply) -> Result<Vec<Row>, Failure> {
        self.succeeded(&reply)?;
        loop {
            if let Some(rows) = reply.rows(self.order) {
                return Ok(rows);
            }
            // There are more, or a half one.
            let section = reply.find(ddm::RSLSETRM).and_then(|it| parameter(it, ddm::PKGSNLST));
            let section = section.and_then(|it| parameter(it, ddm::PKGNAMCSN));
            let command =
                section.map_or_else(|| self.section(), |it| Object::new().with(ddm::PKGNAMCSN, it));
            let mut command = command.with(ddm::QRYBLKSZ, &BLOCK.to_be_bytes());
            let opened = reply.find(ddm::OPNQRYRM).and_then(|it| parameter(it, ddm::QRYINSID));
            if let Some(number) = opened {
                command = command.with(ddm::QRYINSID, number);
            }
            let more = self.ask(ddm::CNTQRY, &command, None).await?;
            self.succeeded(&more)?;
            reply.join(more).ok_or_else(nonsense)?;
        }
    }

    /// Makes what was done last, or takes back what was done before a failure.
    async fn end<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        match outcome {
            Ok(done) => {
                let reply = self.ask(ddm::RDBCMM, &Object::new(), None).await?;
                self.succeeded(&reply).map(|()| done)
            }
            Err(failure) => {
                // If this fails as well, the connection is gone, and the server does it by itself.
                let _ = self.ask(ddm::RDBRLLBCK, &Object::new(), None).await;
                Err(failure)
            }
        }
    }

    fn succeeded(&self, reply: &Reply) -> Result<(), Failure> {
        reply.refusal(self.order).map_or(Ok(()), |refusal| Err(of_reply(refusal)))
    }

    /// Says what is spoken here, and hears whether Unicode is spoken there.
    async fn greet(&mut self) -> Result<bool, Failure> {
        let name = self.text(b"strongroom")?;
        let levels = [
            (ddm::AGENT, 7),
            (ddm::SQLAM, 7),
            (ddm::RDB, 7),
            (ddm::SECMGR, 7),
            (ddm::CMNTCPIP, 5),
            (ddm::UNICODEMGR, UTF8),
        ];
        let levels: Vec<u8> = levels
            .iter()
            .flat_map(|it| [it.0.to_be_bytes(), it.1.to_be_bytes()])
            .flatten()
            .collect();
        let said = Object::new().with(ddm::EXTNAM, &name).with(ddm::SRVNAM, &name);
        let said = said.with(ddm::SRVRLSLV, &name).with(ddm::MGRLVLLS, &levels);
        let reply = self.ask(ddm::EXCSAT, &said.with(ddm::SRVCLSNM, &name), None).await?;
        self.succeeded(&reply)?;
        let answer = reply.find(ddm::EXCSATRD).ok_or_else(nonsense)?;
        let levels = parameter(answer, ddm::MGRLVLLS).unwrap_or_default();
        let wanted = [ddm::UNICODEMGR.to_be_bytes(), UTF8.to_be_bytes()].concat();
        Ok(levels.chunks_exact(4).any(|it| it == wanted))
    }

    /// Says how a name and a password will be said; that is still in EBCDIC.
    async fn agree(&mut self) -> Result<(), Failure> {
        let (way, database) = (USRIDPWD.to_be_bytes(), self.padded()?);
        let said = Object::new().with(ddm::SECMEC, &way).with(ddm::RDBNAM, &database);
        let reply = self.ask(ddm::ACCSEC, &said, None).await?;
        self.succeeded(&reply).map_err(of_login)?;
        let answer = reply.find(ddm::ACCSECRD).ok_or_else(nonsense)?;
        let ways = objects(answer).map_while(|it| it).filter(|it| it.0 == ddm::SECMEC);
        if !ways.flat_map(|it| it.1.chunks_exact(2)).any(|it| it == way) {
            let told = "the server takes no name and password as they are\n\
                        hint: AUTHENTICATION SERVER, and TLS around it";
            return Err(Failure::Refused(told.to_owned()));
        }
        Ok(())
    }

    /// Says who, and with what.
    async fn authenticate(&mut self, login: &Credential) -> Result<(), Failure> {
        let user = self.text(login.username.as_bytes())?;
        let password = self.text(login.password.expose())?;
        let said = Object::new().with(ddm::SECMEC, &USRIDPWD.to_be_bytes());
        let said = said
            .with(ddm::RDBNAM, &self.padded()?)
            .with(ddm::USRID, &user)
            .with(ddm::PASSWORD, &password);
        let reply = self.ask(ddm::SECCHK, &said, None).await?;
        let answer = reply.find(ddm::SECCHKRM).and_then(|it| parameter(it, ddm::SECCHKCD));
        match answer {
            Some(&[code]) => of_seccheck(code, &login.username)?,
            _ => self.succeeded(&reply).and(Err(nonsense()))?,
        }
        Ok(())
    }

    /// Opens the database.
    async fn enter(&mut self) -> Result<(), Failure> {
        let names = [(ddm::CCSIDSBC, UTF8), (ddm::CCSIDDBC, UTF16), (ddm::CCSIDMBC, UTF8)];
        let codes = names
            .iter()
            .fold(Object::new(), |it, (code, number)| it.with(*code, &number.to_be_bytes()));
        let said = Object::new().with(ddm::RDBNAM, &self.padded()?);
        let said = said.with(ddm::RDBACCCL, &ddm::SQLAM.to_be_bytes());
        let said = said.with(ddm::PRDID, &self.text(b"SQL11014")?);
        let said = said.with(ddm::TYPDEFNAM, &self.text(b"QTDSQLASC")?);
        let said = said.with(ddm::CRRTKN, b"strongroom\0\0\0\0\0\0\0\0\0");
        let reply = self.ask(ddm::ACCRDB, &said.with(ddm::TYPDEFOVR, codes.bytes()), None).await?;
        // Its own order of bytes holds from here on, also where it says why not.
        let answer = reply.find(ddm::ACCRDBRM);
        let kind = answer.and_then(|it| parameter(it, ddm::TYPDEFNAM));
        self.order = kind.map(Order::named).unwrap_or_default();
        self.succeeded(&reply).map_err(of_login)?;
        answer.map(drop).ok_or_else(nonsense)
    }

    /// `text` as the server reads it before a database is open.
    fn text(&self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let told = "the server reads EBCDIC, in which this name or password can't be written";
        if self.unicode {
            return Ok(Zeroizing::new(text.to_vec()));
        }
        ebcdic::encode(text).ok_or_else(|| Failure::Invalid(told.to_owned()))
    }

    /// The name of the database, as long as every name is at least.
    fn padded(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.text(format!("{:18}", self.database).as_bytes())
    }

    /// The section that statements are prepared in.
    fn section(&self) -> Object {
        let names = format!("{:18}{:18}{:18}", self.database, PACKAGE[0], PACKAGE[1]);
        let whole = [names.as_bytes(), TOKEN, &SECTION.to_be_bytes()].concat();
        Object::new().with(ddm::PKGNAMCSN, &whole)
    }

    /// What the server answers. Whoever stops waiting for it leaves a connection that is of no more use.
    async fn ask(
        &mut self,
        code: u16,
        parameters: &Object,
        about: Option<(u16, &Object)>,
    ) -> Result<Reply, Failure> {
        let long = || Failure::Invalid("a name, password or statement is too long".to_owned());
        let said = request(code, parameters, about).ok_or_else(long)?;
        let mut stream = self.stream.take().ok_or_else(lost)?;
        let reply = within(STATEMENT, async {
            stream.write_all(&said).await.map_err(|_| lost())?;
            stream.flush().await.map_err(|_| lost())?;
            hear(&mut stream).await
        })
        .await?;
        self.stream = Some(stream);
        Ok(reply)
    }
}

/// Reads frames until one that no other follows.
async fn hear(stream: &mut Stream) -> Result<Reply, Failure> {
    let (mut reply, mut heard) = (Reply::default(), 0);
    loop {
        let mut first = [0; 6];
        stream.read_exact(&mut first).await.map_err(|_| lost())?;
        let Head { mut length, mut continued, chained } = head(first).ok_or_else(nonsense)?;
        let mut frame = Vec::new();
        loop {
            heard += length;
            if heard > ddm::LONGEST_REPLY {
                return Err(nonsense());
            }
            let begun = frame.len();
            frame.resize(begun + length, 0);
            let rest = frame.get_mut(begun..).unwrap_or_default();
            stream.read_exact(rest).await.map_err(|_| lost())?;
            if !continued {
                break;
            }
            let mut next = [0; 2];
            stream.read_exact(&mut next).await.map_err(|_| lost())?;
            (length, continued) = piece(next, 2).ok_or_else(nonsense)?;
        }
        reply.add(&frame).ok_or_else(nonsense)?;
        if !chained {
            return Ok(reply);
        }
    }
}

/// The values of a statement's parameters, each a text.
fn data(values: &[&[u8]]) -> Object {
    const TEXT: [u8; 3] = [0x3F, 0x7F, 0xFF];
    let groups = u8::try_from(3 * (values.len() + 1)).unwrap_or(u8::MAX);
    let described =
        values.iter().fold(Object::new().raw(&[groups, 0x76, 0xD0]), |it, _| it.raw(&TEXT));
    let described = described.raw(&[0x06, 0x71, 0xE4, 0xD0, 0x00, 0x01]);
    let given = values.iter().fold(Object::new().raw(&[0]), |it, value| {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        it.raw(&[0]).raw(&length.to_be_bytes()).raw(value)
    });
    Object::new().with(ddm::FDODSC, described.bytes()).with(ddm::FDODTA, given.bytes())
}

pub(super) fn lost() -> Failure {
    Failure::Unreachable("the connection was lost".to_owned())
}

pub(super) fn nonsense() -> Failure {
    Failure::Unreachable("the server answered what can't be understood".to_owned())
}
