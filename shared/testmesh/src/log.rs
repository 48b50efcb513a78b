//! What the services of all meshes of this process log, as processes of their own would.

use std::io::Write;
use std::sync::{Arc, LazyLock, PoisonError};
use testkit::MemoryLog;

static LOG: LazyLock<MemoryLog> = LazyLock::new(|| {
    // As processes log.
    let filter = platform::telemetry::LogConfig::default().filter;
    let layer = tracing_subscriber::fmt().json().flatten_event(true).with_span_list(false).with_env_filter(filter);
    // A test may log elsewhere; that is what it wants to look at itself.
    let _ = layer.with_writer(|| Writer).try_init();
    Arc::default()
});

/// The log, to which services write from now on.
pub(crate) fn begun() -> &'static MemoryLog {
    &LOG
}

struct Writer;

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
