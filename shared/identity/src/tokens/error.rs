//! Why a token is refused.

use subjects::{ErrorCode, Fault};

/// Why a token is refused. For logs; the caller is told only whether the token has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than any token of ours.
    #[error("the token is longer than {} bytes", super::verify::MAX_TOKEN_BYTES)]
    TooLong,
    /// Not a JWT in compact form, or with a header that is not understood.
    #[error("the token is malformed")]
    Malformed,
    /// Another algorithm than EdDSA.
    #[error("the token's algorithm is not EdDSA")]
    Algorithm,
    /// A token of another kind.
    #[error("the token is of another kind")]
    WrongType,
    /// Signed with a key that is not in the registry.
    #[error("the token's key is unknown")]
    UnknownKey,
    /// Signed with a known key that is for something else.
    #[error("the token's key is for another purpose")]
    WrongPurpose,
    /// The signature does not match.
    #[error("the token's signature is wrong")]
    Signature,
    /// A claim is missing or has the wrong form.
    #[error("the token's claims are incomplete")]
    Claims,
    /// Not issued by the owner of the key.
    #[error("the token's issuer is not the owner of its key")]
    Issuer,
    /// Meant for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// Expired, by more than the clocks may differ.
    #[error("the token has expired")]
    Expired,
    /// Good for longer than a token of its kind may be.
    #[error("the token lives longer than its kind may")]
    TooLongLived,
    /// From the future, by more than the clocks may differ.
    #[error("the token is not valid yet")]
    NotYetValid,
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Fault {
        let (reason, message) = match error {
            TokenError::Expired => ("token_expired", "the token has expired"),
            _ => ("invalid_token", "the token is not valid"),
        };
        Fault::new(ErrorCode::Unauthenticated, message).with_reason(reason).with_source(error)
    }
}
