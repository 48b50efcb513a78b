//! Refresh tokens: how they are made, and what showing one leads to (RFC 9700, 4.14.2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use subjects::Fault;
use subjects::auth::Token;
use subjects::time::Instant;

const DERIVATION: &[u8] = b"petpro refresh token successor v1";

/// 256 random bits.
pub fn random_bytes() -> [u8; 32] {
    rand::random()
}

/// A new refresh token that has no predecessor.
pub fn first_token() -> Token {
    Token::new(URL_SAFE_NO_PAD.encode(random_bytes()))
}

/// The token that follows a spent one. Whoever has the spent token and the nonce of its row gets the same successor
/// each time, so it need not be stored; the row alone, which holds only the spent token's hash, does not give it.
pub fn successor(spent: &Token, nonce: &[u8]) -> Result<Token, Fault> {
    let mut successor = [0_u8; 32];
    Hkdf::<Sha256>::new(Some(nonce), spent.expose().as_bytes())
        .expand(DERIVATION, &mut successor)
        .map_err(|error| Fault::internal(error.to_string()))?;
    Ok(Token::new(URL_SAFE_NO_PAD.encode(successor)))
}

/// What is stored of a token. A fast hash is enough for 256 random bits.
pub fn hash(token: &Token) -> Vec<u8> {
    Sha256::digest(token.expose().as_bytes()).to_vec()
}

/// What the decision looks at.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// When the token expires.
    pub expires_at: Instant,
    /// When it was spent, if it was.
    pub spent_at: Option<Instant>,
    /// Whether its successor, if it has one, can still be spent.
    pub successor_is_unspent: bool,
    /// Whether its session was ended.
    pub session_revoked: bool,
}

/// What showing a refresh token leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is spent now and new tokens are given.
    Rotate,
    /// It was spent a moment ago and nobody has used the answer yet: that answer is given once more, for the client
    /// may have lost it.
    Replay,
    /// It was spent before: it, or the answer, is in two hands. The session ends.
    EndSession,
    /// It does not hold.
    Refuse,
}

/// Decides what showing a refresh token leads to. Within `grace` after it was spent, the first answer is repeated.
pub fn decide(shown: &Shown, now: Instant, grace: TimeDelta) -> Decision {
    if shown.session_revoked {
        return Decision::Refuse;
    }
    match shown.spent_at {
        Some(spent_at) => {
            let within_grace = now.signed_duration_since(spent_at) < grace;
            if within_grace && shown.successor_is_unspent { Decision::Replay } else { Decision::EndSession }
        }
        None if now >= shown.expires_at => Decision::Refuse,
        None => Decision::Rotate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: TimeDelta = TimeDelta::seconds(10);

    fn at(second: i64) -> Instant {
        Instant::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn unspent() -> Shown {
        Shown { expires_at: at(100), spent_at: None, successor_is_unspent: false, session_revoked: false }
    }

    fn spent_at_zero() -> Shown {
        Shown { spent_at: Some(at(0)), successor_is_unspent: true, ..unspent() }
    }

    #[test]
    fn a_token_is_good_once_until_it_expires() {
        assert_eq!(decide(&unspent(), at(99), GRACE), Decision::Rotate);
        assert_eq!(decide(&unspent(), at(100), GRACE), Decision::Refuse);
    }

    #[test]
    fn a_spent_token_is_replayed_for_a_moment_and_then_ends_the_session() {
        assert_eq!(decide(&spent_at_zero(), at(0), GRACE), Decision::Replay);
        assert_eq!(decide(&spent_at_zero(), at(9), GRACE), Decision::Replay);
        assert_eq!(decide(&spent_at_zero(), at(10), GRACE), Decision::EndSession);
        assert_eq!(decide(&spent_at_zero(), at(0), TimeDelta::zero()), Decision::EndSession);
        assert_eq!(decide(&spent_at_zero(), at(1000), GRACE), Decision::EndSession);
    }

    #[test]
    fn there_is_no_grace_once_the_answer_was_used() {
        let moved_on = Shown { successor_is_unspent: false, ..spent_at_zero() };
        assert_eq!(decide(&moved_on, at(1), GRACE), Decision::EndSession);
    }

    #[test]
    fn nothing_of_an_ended_session_holds() {
        for shown in [unspent(), spent_at_zero()] {
            let ended = Shown { session_revoked: true, ..shown };
            assert_eq!(decide(&ended, at(1), GRACE), Decision::Refuse);
        }
    }

    #[test]
    fn a_successor_comes_from_token_and_nonce_together() {
        let token = first_token();
        let nonce = random_bytes();
        let next = successor(&token, &nonce).unwrap();
        assert_eq!(successor(&token, &nonce).unwrap(), next);
        assert_ne!(successor(&token, &random_bytes()).unwrap(), next);
        assert_ne!(successor(&first_token(), &nonce).unwrap(), next);
        assert_ne!(next, token);
        assert_eq!(hash(&next).len(), 32);
        assert_eq!(next.expose().len(), 43);
    }
}
