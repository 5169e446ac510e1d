//! What it costs to seal and to open a value of 1 KiB: `cargo bench -p strongroom-kms`.
//!
//! The last line is the whole of `kms::open` over a store in memory; the lines above are its parts.

use base::{AccountId, Region, Sensitive, SystemEntropy, Timestamp};
use envelope::{Aad, Key, Keyring, Label, LocalRoot, Roots};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::backends::memory::Memory;
use strongroom_kms::{Binding, Kind, Scope, initialize, managed_key, open, seal};

const BATCHES: u32 = 40;
const ROUNDS: u32 = 5_000;
const ARN: &str = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf";
const VERSION: &str = "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE";

/// Prints the time of one `act` in the fastest batch: what it costs when nothing else runs.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
#[expect(clippy::print_stdout, reason = "a bench tells")]
async fn measure<T>(
    what: &str,
    mut act: impl AsyncFnMut() -> Result<T, Failure>,
) -> Result<(), Failure> {
    let mut best = Duration::MAX;
    for _ in 0..BATCHES {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(act().await?);
        }
        best = best.min(start.elapsed());
    }
    println!("{what:<44} {:>8} ns", (best / ROUNDS).as_nanos());
    Ok(())
}

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    crypto_alone().await?;
    let (account, region): (AccountId, Region) = ("111122223333".parse()?, "eu-central-1".parse()?);
    let backend = Memory::new();
    let root = LocalRoot::new("bench", Key::random(&SystemEntropy))?;
    let keyring = Keyring::new(Roots::only(Arc::new(root)));
    let (entropy, at) = (&SystemEntropy, Timestamp::from_secs(1_800_000_000));
    initialize(&backend, &keyring, entropy, at).await?;
    let scope = Scope { keyring: &keyring, entropy, now: at, account: &account, region: &region };
    let mut txn = store::begin(&backend);
    managed_key(&mut txn, &scope, "aws/secretsmanager").await?;
    txn.commit().await?;

    let binding = Binding { secret_arn: ARN, version_id: VERSION, kind: Kind::String };
    let value = Sensitive::new(vec![b'x'; 1024]);
    let mut txn = store::begin(&backend);
    let key = managed_key(&mut txn, &scope, "aws/secretsmanager").await?;
    let sealed = seal(&mut txn, &scope, &key, &binding, &value).await?;

    measure("kms::managed_key and kms::seal, 4 row reads", async || {
        let mut txn = store::begin(&backend);
        let key = managed_key(&mut txn, &scope, "aws/secretsmanager").await?;
        Ok(seal(&mut txn, &scope, &key, &binding, &value).await?)
    })
    .await?;
    measure("kms::open, warm keyring, 2 row reads", async || {
        let mut txn = store::begin(&backend);
        Ok(open(&mut txn, &scope, &sealed, &binding).await?)
    })
    .await?;
    Ok(())
}

async fn crypto_alone() -> Result<(), Failure> {
    let (material, value) = (Key::random(&SystemEntropy), vec![b'x'; 1024]);
    let aad = || {
        Aad::new(Label::Ciphertext)
            .field("arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")
            .field([7; 32])
            .context(&[("SecretARN", ARN), ("SecretVersionId", VERSION)])
    };
    let data_key = Key::random(&SystemEntropy);
    let blob = envelope::wrap(&material, &aad(), &data_key, &SystemEntropy)?;
    let sealed =
        envelope::seal_once(Key::fill_with(|it| *it = *data_key.expose()), &aad(), &value)?;

    measure("envelope::unwrap of a data key", async || {
        Ok(envelope::unwrap(&material, &aad(), &blob)?)
    })
    .await?;
    measure("envelope::open_once of 1 KiB", async || {
        Ok(envelope::open_once(&data_key, &aad(), &sealed)?)
    })
    .await?;
    measure("both: an open without its row reads", async || {
        let key = envelope::unwrap(&material, &aad(), &blob)?;
        Ok(envelope::open_once(&key, &aad(), &sealed)?)
    })
    .await?;
    measure("envelope::wrap of a data key", async || {
        Ok(envelope::wrap(&material, &aad(), &data_key, &SystemEntropy)?)
    })
    .await?;
    Ok(())
}
