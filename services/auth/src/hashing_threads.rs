//! Threads that do nothing but hash, of low priority: a flood of logins takes the time of the processor that nobody else
//! needs, and a little more.

use std::io;
use subjects::Fault;
use tokio::runtime::{Builder, Runtime};

/// Of 20 steps (see setpriority(2)): about a tenth of what everybody else has, where all need the processor.
const NICENESS: i32 = 10;

/// A fixed number of them; they end when this is dropped and their work is done.
pub struct HashingThreads {
    /// Only its pool of blocking threads is used.
    runtime: Option<Runtime>,
}

impl HashingThreads {
    /// So many threads; each starts with its first piece of work.
    ///
    /// # Errors
    /// The system has no room for them.
    pub fn new(threads: usize) -> io::Result<HashingThreads> {
        let runtime = Builder::new_current_thread()
            .thread_name("hashing")
            .max_blocking_threads(threads)
            .on_thread_start(be_nice)
            .build()?;
        Ok(HashingThreads { runtime: Some(runtime) })
    }

    /// Does a piece of work there.
    ///
    /// # Errors
    /// Those of the work; it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let runtime = self.runtime.as_ref().ok_or_else(|| Fault::internal("the hashing threads have ended"))?;
        runtime.spawn_blocking(work).await.map_err(Fault::internal)?
    }
}

impl Drop for HashingThreads {
    fn drop(&mut self) {
        // A runtime that waits for its threads may not be dropped where others wait for it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Who may not be nicer hashes as fast as everybody else.
fn be_nice() {
    // On Linux this is the calling thread's own.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(error = %error, "hashing threads have no low priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_at_a_low_priority_and_nothing_else_is() {
        let threads = HashingThreads::new(1).unwrap();
        let priority = || rustix::process::getpriority_process(None).map_err(Fault::internal);
        let own = priority().unwrap();
        assert_eq!(threads.run(priority).await.unwrap(), own + NICENESS);
        assert_eq!(priority().unwrap(), own);
    }

    #[tokio::test]
    async fn work_that_panics_is_told_and_the_thread_goes_on() {
        let threads = HashingThreads::new(1).unwrap();
        assert!(threads.run::<()>(|| panic!("no")).await.is_err());
        assert!(threads.run(|| Ok(())).await.is_ok());
    }
}
