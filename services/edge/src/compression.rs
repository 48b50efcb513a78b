//! Compressed answers, as the client's `Accept-Encoding` has it.

use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, NotForContentType, Predicate, SizeAbove};

/// Below this, the answer fits in a packet anyway.
const MIN_BYTES: u64 = 1_024;

type Worthwhile = And<And<SizeAbove, NotForContentType>, NotForContentType>;

/// gzip, br or zstd for whatever is worth it: not for streams of events, which would be held back, nor for images.
pub fn layer() -> CompressionLayer<Worthwhile> {
    let worthwhile = SizeAbove::new(MIN_BYTES).and(NotForContentType::SSE).and(NotForContentType::IMAGES);
    // The fastest of each: better ones cost the edge more time than the network wins.
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worthwhile)
}
