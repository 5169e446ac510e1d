//! The one place where slow arithmetic leaves the threads that serve requests.

use tokio::sync::Semaphore;

/// So many pieces at a time: making RSA keys must not take every core from those who only read.
const AT_ONCE: usize = 2;

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);

/// What `work` gives, done where nobody else waits for it: making an RSA key, say.
///
/// `work` computes and has no effect, so dropping the future is harmless; what has begun is finished for
/// nothing. `None` if the process ends meanwhile, or `work` panicked.
pub async fn slow<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let place = PLACES.acquire().await.ok()?;
    let done = tokio::task::spawn_blocking(move || {
        let _until_done = place;
        work()
    });
    done.await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_elsewhere_and_comes_back() {
        let here = std::thread::current().id();
        let there = slow(|| std::thread::current().id()).await.expect("done");
        assert_ne!(here, there);
    }
}
