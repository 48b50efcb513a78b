//! A TCP connection that can be cut: a link between two servers, or between a server and its clients.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as BlockingListener};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const BUFFER_BYTES: usize = 64 * 1024;

/// A port of its own on 127.0.0.1 whose connections are passed on to another one.
///
/// While it is cut nothing passes, and nobody is told: connections stay as they are, and new ones are taken and left
/// without an answer. What was sent meanwhile arrives when the link is whole again, as TCP would send it once more.
/// It ends, with all its connections, when it is dropped. It has a thread of its own, so that it is bound to no runtime.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    /// Dropped with the proxy, which ends its thread.
    link: watch::Sender<Link>,
    tap: Tap,
}

/// All that has passed, in both directions, once somebody listens.
type Tap = Arc<Mutex<Option<Vec<u8>>>>;

#[derive(Clone, Copy, Debug, Default)]
struct Link {
    target: Option<SocketAddr>,
    is_cut: bool,
}

impl Proxy {
    /// Listens, and passes nothing on before there is a target.
    pub fn start() -> Result<Proxy> {
        let listener = BlockingListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (link, state) = watch::channel(Link::default());
        let tap = Tap::default();
        let tapped = tap.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new()
            .name(format!("proxy-{port}"))
            .spawn(move || runtime.block_on(serve(listener, state, tapped)))
            .context("no thread for a proxy")?;
        Ok(Proxy { port, link, tap })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// From now on new connections are passed on to this port on 127.0.0.1.
    pub fn pass_on_to(&self, port: u16) {
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        self.link.send_modify(|link| link.target = Some(target));
    }

    /// Keeps a copy of everything that passes from now on, as whoever is on the network would.
    pub fn tap(&self) {
        *self.tap.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// What has passed since then.
    pub fn tapped(&self) -> Vec<u8> {
        self.tap.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
    }

    /// Lets nothing pass.
    pub fn cut(&self) {
        self.link.send_modify(|link| link.is_cut = true);
    }

    /// Lets everything pass again.
    pub fn heal(&self) {
        self.link.send_modify(|link| link.is_cut = false);
    }
}

async fn serve(listener: BlockingListener, mut link: watch::Receiver<Link>, tap: Tap) {
    // Only without a runtime this fails.
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        tokio::select! {
            // The proxy was dropped; the runtime ends all its connections with this function.
            ended = until_dropped(&mut link) => return ended,
            accepted = listener.accept() => {
                if let Ok((client, _address)) = accepted {
                    tokio::spawn(pass(client, link.clone(), tap.clone()));
                }
            }
        }
    }
}

async fn until_dropped(link: &mut watch::Receiver<Link>) {
    while link.changed().await.is_ok() {}
}

/// One connection, until it ends.
async fn pass(client: TcpStream, link: watch::Receiver<Link>, tap: Tap) {
    // How it ends is for the two sides to see.
    let _ = connect_and_copy(client, link, tap).await;
}

async fn connect_and_copy(client: TcpStream, mut link: watch::Receiver<Link>, tap: Tap) -> Result<()> {
    let target = {
        let whole = link.wait_for(|link| !link.is_cut && link.target.is_some()).await?;
        whole.target.context("there is no target")?
    };
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (there, back) = tokio::join!(
        copy(from_client, to_server, link.clone(), &tap),
        copy(from_server, to_client, link.clone(), &tap)
    );
    there.and(back)
}

/// Passes on what comes, and its end.
async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut link: watch::Receiver<Link>,
    tap: &Tap,
) -> Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        // A connection that breaks ends; the other side learns it, as of everything, only while the link is whole.
        let length = from.read(&mut buffer).await.unwrap_or(0);
        link.wait_for(|link| !link.is_cut).await?;
        if length == 0 {
            return Ok(to.shutdown().await?);
        }
        let part = buffer.get(..length).context("a read longer than its buffer")?;
        if let Some(tapped) = tap.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            tapped.extend_from_slice(part);
        }
        to.write_all(part).await?;
    }
}
