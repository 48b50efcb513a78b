//! Ports on 127.0.0.1.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// A port on 127.0.0.1 that nobody listens on at this moment. Somebody may take it before it is used: whoever starts a
/// server on it tries again with another one.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// The preferred port when it is free, any other free one otherwise.
pub(crate) fn preferably(preferred: Option<u16>) -> Result<u16> {
    match preferred {
        Some(port) if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() => Ok(port),
        _ => free_port(),
    }
}
