//! What GetSecretValue answers of a dynamic secret: the caller's own user.

use super::rows::{holders, leases, sealed};
use super::{Holder, Lease, State, Template};
use crate::Error;
use crate::secret::{Place, Secret};
use crate::stages::VersionId;
use crate::value;
use crate::version::Version;
use base::{Sensitive, Uuid};
use service::{Call, Permit};
use std::sync::Arc;
use store::Txn;

/// The caller's user: the version that its password is kept as, and what the answer says. If the caller has none, one
/// is asked for, and the answer waits for it.
pub(crate) async fn own(
    (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &Secret,
) -> Result<(Arc<Version>, Sensitive), Error> {
    let Some(template) = secret.template() else {
        return Err(Error::Dynamic(
            "Nobody who may read the administrator's secret has put this template. Put it again with PutSecretValue.",
        ));
    };
    let holder = Holder::of(call.caller);
    let held = held((call, txn), place, secret, (&holder, template)).await?;
    match held {
        Some(lease) if lease.state == State::Active => {
            let key = (place, &secret.id, &lease.id);
            let version = txn.find_shared(&sealed(), &key).await?.ok_or(Error::NoSecret)?;
            let password = value::open((call, txn, permit), place, secret, &version).await?;
            Ok((version, document(&lease, &password)))
        }
        Some(lease) => Err(lease.ask_again((call, txn), place)?),
        None => {
            let wanted = (holder, template);
            Err(want((call, txn, permit), place, secret, wanted).await?)
        }
    }
}

/// The lease that the caller has or is about to get.
async fn held(
    (call, txn): (&Call<'_>, &mut Txn<'_>),
    place: &Place,
    secret: &Secret,
    (holder, template): (&Holder, &VersionId),
) -> Result<Option<Arc<Lease>>, Error> {
    let key = (place, &secret.id, holder.id.as_str());
    let Some(held) = txn.find_shared(&holders(), &key).await? else { return Ok(None) };
    let lease = txn.find_shared(&leases(), &(place, &secret.id, &held.0)).await?;
    Ok(lease.filter(|it| {
        it.holder.id == holder.id && it.version == *template && it.is_of_use(call.now)
    }))
}

/// Asks for a lease. The second lock is asked first: the key must let the caller read the template.
async fn want(
    (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &Secret,
    (holder, version): (Holder, &VersionId),
) -> Result<Error, Error> {
    let found = value::find(txn, place, secret, version).await?;
    let found = found.ok_or_else(|| Error::NoValueForVersion(version.clone()))?;
    let text = value::open((call, txn, permit), place, secret, &found).await?;
    let template = Template::parse(&text)?;
    let (most, id) = (template.leases, VersionId(Uuid::random(call.entropy).to_string()));
    let lease = Lease::wanted((secret, version), template, holder, (id, call.now));
    lease.insert(txn, place, most).await?;
    Ok(Error::LeasePending(lease.id.0))
}

impl Lease {
    /// What is answered while the user isn't there: that it is waited for, or why it can't be made, as an attempt
    /// has found out since the call came.
    fn ask_again(
        &self,
        (call, txn): (&Call<'_>, &mut Txn<'_>),
        place: &Place,
    ) -> Result<Error, Error> {
        match &self.problem {
            Some(problem) if call.now <= problem.at => Ok(Error::LeaseFailed(problem.text.clone())),
            Some(_) if self.asked < call.now => {
                let mut lease = self.clone();
                (lease.asked, lease.at) = (call.now, lease.at.min(call.now));
                if lease.state == State::Wanted {
                    lease.expires = lease.gives_up();
                }
                lease.save(txn, place, self)?;
                Ok(Error::LeasePending(lease.id.0))
            }
            _ => Ok(Error::LeasePending(self.id.0.clone())),
        }
    }
}

/// The answer's text, in the shape of AWS's database secrets.
fn document(lease: &Lease, password: &Sensitive) -> Sensitive {
    let server = &lease.server;
    // It was made here, of ASCII.
    let text = str::from_utf8(password.expose()).unwrap_or_default();
    let mut members: Vec<(&str, serde_json::Value)> = vec![
        ("engine", server.engine.as_str().into()),
        ("host", server.host.as_str().into()),
        ("port", server.port.into()),
        ("username", lease.username.as_str().into()),
    ];
    members.extend(server.database.as_deref().map(|it| ("dbname", it.into())));
    members.extend(server.tls.map(|it| ("ssl", it.into())));
    members.push(("lease_id", lease.id.as_str().into()));
    members.push(("lease_expires", lease.expires.to_string().into()));
    let plain = members.iter().map(|(key, it)| key.len() + it.to_string().len() + 8).sum::<usize>();
    // Room for all of it, so that nothing is copied to a larger one.
    let mut out = Vec::with_capacity(plain + 6 * text.len() + 32);
    for (key, value) in &members {
        out.push(if out.is_empty() { b'{' } else { b',' });
        print(&mut out, key);
        out.push(b':');
        print(&mut out, value);
        if *key == "username" {
            out.extend_from_slice(b",\"password\":");
            print(&mut out, &text);
        }
    }
    out.push(b'}');
    Sensitive::new(out)
}

fn print(out: &mut Vec<u8>, value: &impl serde::Serialize) {
    // Text and numbers always print.
    let _ = serde_json::to_writer(out, value);
}
