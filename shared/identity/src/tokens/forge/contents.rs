//! Header and claims that are wrong, though signed by the right key.

use super::{Forge, message_of, sign};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

impl Forge {
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let claims = self.claims.to_string();
        let header = self.header.to_string();
        let mut texts = vec![];
        for typ in ["JWT", "jwt", "at+jwt", "petpro-user+jwt", "petpro-service+jwt", "secevent+jwt", "", "AT+JWT"] {
            if self.header["typ"] != typ {
                texts.push((format!("typ {typ:?}"), self.header_with("typ", json!(typ))));
            }
        }
        texts.push(("no typ".to_owned(), self.header_without("typ")));
        texts.push(("typ as a list".to_owned(), self.header_with("typ", json!([self.header["typ"]]))));
        for crit in [json!(["exp"]), json!([]), json!(["x"]), json!("x"), json!(["kid", "kid"])] {
            texts.push((format!("crit {crit}"), self.header_with("crit", crit)));
        }
        let mut unencoded = self.header.clone();
        unencoded["b64"] = json!(false);
        unencoded["crit"] = json!(["b64"]);
        texts.push(("a payload that is not encoded (RFC 7797)".to_owned(), unencoded.to_string()));
        texts.push(("a byte order mark".to_owned(), format!("\u{feff}{header}")));
        texts.push(("something behind".to_owned(), format!("{header}{{}}")));
        texts.push(("a list".to_owned(), json!(["JWT", "EdDSA", null]).to_string()));
        texts.push(("nothing".to_owned(), String::new()));
        texts.push(("null".to_owned(), "null".to_owned()));
        let mut made: Vec<_> = texts.into_iter().map(|(name, text)| (name, self.signed(&text, &claims))).collect();
        let not_text = message_of(&[b'{', b'"', 0xff, 0xfe, b'"', b'}'], claims.as_bytes());
        made.push(("no UTF-8".to_owned(), sign(&not_text, &self.key, Algorithm::EdDSA)));
        made
    }

    pub(super) fn wrong_claims(&self) -> Vec<(String, String)> {
        let now = self.claims["iat"].as_i64().unwrap();
        let exp = &self.claims["exp"];
        let mut changes = vec![];
        let times = [
            json!(now - 10),
            json!(0),
            json!(-1),
            json!(i64::MIN),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(now + 100 * 365 * 86_400),
            json!(now * 1_000),
            json!(1e300),
            json!(now as f64 + 60.5),
            json!(exp.to_string()),
            json!([exp]),
            json!({ "$gt": 0 }),
            json!(true),
            json!(null),
        ];
        changes.extend(times.map(|time| ("exp", time)));
        let from = [json!(now + 600), json!(i64::MAX), json!(now as f64), json!(now.to_string()), json!(null)];
        changes.extend(from.map(|time| ("iat", time)));
        changes.extend([json!(now + 600), json!(i64::MAX), json!("soon"), json!([now])].map(|time| ("nbf", time)));
        let (iss, aud) = (self.claims["iss"].as_str().unwrap(), self.claims["aud"].as_str().unwrap());
        for wrong in [json!("edge"), json!("mesh"), json!("auth"), json!("vendor"), json!("petpro"), json!("operator")]
        {
            changes.extend(
                [("iss", iss), ("aud", aud)]
                    .into_iter()
                    .filter(|(_, good)| wrong != *good)
                    .map(|(claim, _)| (claim, wrong.clone())),
            );
        }
        for (claim, good) in [("iss", iss), ("aud", aud)] {
            let odd = [json!([good]), json!([good, "x"]), json!("*"), json!(""), json!(null), json!(true)];
            changes.extend(odd.map(|value| (claim, value)));
            changes.extend(
                [good.to_uppercase(), format!("{good}\u{0}"), format!(" {good}")].map(|text| (claim, json!(text))),
            );
        }
        if self.claims.get("sub").is_some() {
            for claim in ["sub", "sid"] {
                let odd = ["admin", "", "' or '1'='1", "00000000"].map(|text| json!(text));
                changes.extend(odd.map(|value| (claim, value)));
                changes.extend([json!(null), json!([self.claims[claim]]), json!(1)].map(|value| (claim, value)));
            }
            changes.extend(
                [json!("platform_admin"), json!({ "0": "customer" }), json!(null)].map(|value| ("roles", value)),
            );
        }
        let header = self.header.to_string();
        let name = |claim: &str, value: &Value| format!("{claim} {value:.40}");
        let mut made: Vec<_> = changes
            .into_iter()
            .map(|(claim, value)| {
                let mut claims = self.claims.clone();
                claims[claim] = value.clone();
                (name(claim, &value), self.signed(&header, &claims.to_string()))
            })
            .collect();
        for claim in ["iss", "aud", "iat", "exp", "sub", "sid"] {
            let mut claims = self.claims.clone();
            if claims.as_object_mut().unwrap().remove(claim).is_some() {
                made.push((format!("no {claim}"), self.signed(&header, &claims.to_string())));
            }
        }
        made
    }

    /// A parser that takes the first and one that takes the last would see different tokens.
    pub(super) fn doubled(&self) -> Vec<(String, String)> {
        let (header, claims) = (self.header.to_string(), self.claims.to_string());
        let double = |whole: &Value, name: &str, value: &Value| {
            let text = whole.to_string();
            [
                format!("{{\"{name}\":{value},{}", &text[1..]),
                format!("{},\"{name}\":{value}}}", &text[..text.len() - 1]),
            ]
        };
        let mut made = vec![];
        for name in ["alg", "kid", "typ"] {
            for (place, text) in ["first", "last"].into_iter().zip(double(&self.header, name, &self.header[name])) {
                made.push((format!("{name} in the header, {place}"), self.signed(&text, &claims)));
            }
        }
        for (name, value) in self.claims.as_object().unwrap() {
            for (place, text) in ["first", "last"].into_iter().zip(double(&self.claims, name, value)) {
                made.push((format!("{name} in the claims, {place}"), self.signed(&header, &text)));
            }
        }
        made
    }
}
