//! JSON in which no object names the same field twice. The last one would win here and the first one elsewhere, so that
//! what was checked need not be what is done.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::RefCell;
use subjects::Violation;

/// Reads a text, and tells of every field that stands in its object more than once.
///
/// # Errors
/// It is not JSON.
pub fn read(text: &str) -> serde_json::Result<(Value, Vec<Violation>)> {
    let repeated = RefCell::new(vec![]);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Reader { pointer: String::new(), repeated: &repeated }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, repeated.into_inner()))
}

struct Reader<'a> {
    pointer: String,
    repeated: &'a RefCell<Vec<Violation>>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = vec![];
        loop {
            let pointer = format!("{}/{}", self.pointer, read.len());
            match items.next_element_seed(Reader { pointer, repeated: self.repeated })? {
                Some(item) => read.push(item),
                None => return Ok(Value::Array(read)),
            }
        }
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let pointer = format!("{}/{}", self.pointer, platform::validate::escape(&name));
            if read.contains_key(&name) {
                self.repeated.borrow_mut().push(Violation::new(pointer.clone(), "is given more than once"));
            }
            let value = fields.next_value_seed(Reader { pointer, repeated: self.repeated })?;
            read.insert(name, value);
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_is_read_as_it_is() {
        let text = r#"{"a":[1,-2,0.5,"x",true,null],"b":{"c":{}},"big":18446744073709551615}"#;
        assert_eq!(read(text).unwrap(), (serde_json::from_str(text).unwrap(), vec![]));
        for bad in ["", "{", "{}{}", "[1,]", "{\"a\":1e999}"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_field_that_stands_twice_is_named() {
        let (value, repeated) = read(r#"{"a":1,"b":[{"c/d":1,"c/d":2}],"a":2}"#).unwrap();
        let pointers: Vec<&str> = repeated.iter().map(|violation| violation.pointer.as_str()).collect();
        assert_eq!(pointers, ["/b/0/c~1d", "/a"]);
        assert_eq!(value, json!({ "a": 2, "b": [{ "c/d": 2 }] }));
    }
}
