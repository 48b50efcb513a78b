//! Bodies on the wire: JSON where nothing is said, MessagePack with names between services.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How deep a body may be nested, in either form: as deep as serde_json reads. Left to itself MessagePack is read eight
/// times as deep, for which a worker's stack may be too small.
const MAX_DEPTH: usize = 128;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContentType {
    /// `application/json`: people, the edge, and whoever says nothing.
    #[default]
    Json,
    /// `application/msgpack` with field names, so that versions can live side by side.
    MessagePack,
}

/// A body that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Not JSON of the expected shape.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// Not MessagePack of the expected shape.
    #[error("{0}")]
    Decode(#[from] rmp_serde::decode::Error),
    /// Could not be written as MessagePack.
    #[error("{0}")]
    Encode(#[from] rmp_serde::encode::Error),
}

impl ContentType {
    /// The media type.
    pub const fn as_str(self) -> &'static str {
        match self {
            ContentType::Json => "application/json",
            ContentType::MessagePack => "application/msgpack",
        }
    }

    /// Reads a media type; parameters such as a charset are passed over. None: not one of ours.
    pub fn parse(media_type: &str) -> Option<ContentType> {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            Some(ContentType::Json)
        } else if essence.eq_ignore_ascii_case("application/msgpack") {
            Some(ContentType::MessagePack)
        } else {
            None
        }
    }

    /// Writes a value.
    pub fn encode<T: Serialize>(self, value: &T) -> Result<Bytes, CodecError> {
        let mut buffer = Vec::with_capacity(256);
        match self {
            ContentType::Json => serde_json::to_writer(&mut buffer, value)?,
            ContentType::MessagePack => {
                let mut serializer = rmp_serde::Serializer::new(&mut buffer).with_struct_map().with_human_readable();
                value.serialize(&mut serializer)?;
            }
        }
        Ok(buffer.into())
    }

    /// Reads a value. An empty body stands for `{}`, so that `nats req auth.jwks ''` works.
    pub fn decode<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, CodecError> {
        match self {
            ContentType::Json if body.is_empty() => Ok(serde_json::from_slice(b"{}")?),
            ContentType::Json => Ok(serde_json::from_slice(body)?),
            ContentType::MessagePack => {
                let mut deserializer = rmp_serde::Deserializer::from_read_ref(body).with_human_readable();
                deserializer.set_max_depth(MAX_DEPTH);
                Ok(T::deserialize(&mut deserializer)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subjects::{Fault, Money, ids::BookingId};

    #[test]
    fn both_forms_carry_the_same() {
        for form in [ContentType::Json, ContentType::MessagePack] {
            let sent = (BookingId::new(), Money::idr(5), Fault::not_found("pet"), None::<i32>);
            let body = form.encode(&sent).unwrap();
            let read: (BookingId, Money, Fault, Option<i32>) = form.decode(&body).unwrap();
            assert_eq!(sent, read);
        }
    }

    #[test]
    fn what_is_not_ours_is_told_apart() {
        assert_eq!(ContentType::parse("application/json; charset=utf-8"), Some(ContentType::Json));
        assert_eq!(ContentType::parse("text/plain"), None);
        assert!(ContentType::MessagePack.decode::<Money>(b"\xc1").is_err());
        assert!(ContentType::Json.decode::<Money>(b"{").is_err());
    }
}
