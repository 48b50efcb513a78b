//! One HTTP/1.1 connection that is kept alive.

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderName, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A connection; when the server has closed it, the next request opens it anew.
pub struct Connection {
    address: SocketAddr,
    /// The address in the form of the header `Host`.
    host: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Connection> {
        Ok(Connection { address, host: address.to_string(), sender: connect(address).await? })
    }

    /// `GET`, and the whole answer.
    ///
    /// # Errors
    /// The connection broke, or the path is not one.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = self.request(Method::GET, path).body(Full::default())?;
        self.send(request).await
    }

    /// `GET`, and what a header of the answer says; nothing where there is none.
    ///
    /// # Errors
    /// Likewise.
    pub async fn get_header(&mut self, path: &str, name: HeaderName) -> anyhow::Result<String> {
        let request = self.request(Method::GET, path).body(Full::default())?;
        let answer = self.answer(request).await?;
        let said = answer.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        answer.into_body().collect().await?;
        Ok(said.unwrap_or_default())
    }

    /// Sends JSON as someone, with `If-Match` where a version is given, and reads the whole answer.
    ///
    /// # Errors
    /// Likewise.
    pub async fn send_json(
        &mut self,
        method: Method,
        path: &str,
        token: &str,
        version: Option<i64>,
        body: String,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let mut request = self
            .request(method, path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(version) = version {
            request = request.header(header::IF_MATCH, format!("\"{version}\""));
        }
        self.send(request.body(Full::from(body))?).await
    }

    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path).header(header::HOST, &self.host)
    }

    async fn answer(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Incoming>> {
        if self.sender.ready().await.is_err() {
            self.sender = connect(self.address).await?;
        }
        Ok(self.sender.send_request(request).await?)
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, Bytes)> {
        let answer = self.answer(request).await?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}

async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender; how it failed is told to the one who waits for an answer.
    tokio::spawn(connection);
    Ok(sender)
}

/// Refuses another status than the expected one, with the beginning of what the server says.
///
/// # Errors
/// It is another one.
pub fn expect(status: StatusCode, expected: StatusCode, body: &[u8]) -> Result<(), String> {
    if status == expected {
        return Ok(());
    }
    let said: String = String::from_utf8_lossy(body).chars().take(300).collect();
    Err(format!("{status}: {said}"))
}
