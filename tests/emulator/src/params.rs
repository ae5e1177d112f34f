//! The parameters of a request: query, form, multipart and JSON merged into one tree, as Rack nests them.

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream;
use serde_json::{Map, Value, json};

use crate::errors::ApiError;
use crate::message::{Request, urlencoded_pairs};

/// A file of a multipart form.
#[derive(Debug, Clone)]
pub(crate) struct UploadedFile {
    pub(crate) name: String,
    pub(crate) file_name: String,
    pub(crate) content: Bytes,
}

/// All parameters of a request.
#[derive(Debug, Default)]
pub(crate) struct Params {
    pub(crate) values: Map<String, Value>,
    pub(crate) files: Vec<UploadedFile>,
}

impl Params {
    /// Reads the query and, by its content type, the body. `raw_body` leaves the body alone (uploads).
    pub(crate) fn read(request: &Request, raw_body: bool) -> Result<Self, ApiError> {
        let mut params = Self::default();
        for (name, value) in request.query_pairs() {
            params.put(&name, Value::String(value));
        }
        let content_type = request
            .header("content-type")
            .unwrap_or_default()
            .to_owned();
        if raw_body || request.body.is_empty() {
            return Ok(params);
        }
        if content_type.starts_with("application/json") {
            match serde_json::from_slice(&request.body) {
                Ok(Value::Object(object)) => params.values.extend(object),
                Ok(_) | Err(_) => {
                    return Err(ApiError::error(
                        400,
                        "Problem parsing JSON: the body is not a JSON object",
                    ));
                }
            }
        } else if content_type.starts_with("multipart/form-data") {
            params.read_multipart(&content_type, &request.body)?;
        } else if content_type.is_empty()
            || content_type.starts_with("application/x-www-form-urlencoded")
        {
            for (name, value) in urlencoded_pairs(&String::from_utf8_lossy(&request.body)) {
                params.put(&name, Value::String(value));
            }
        } else {
            return Err(ApiError::error(
                415,
                "The provided content-type is not supported.",
            ));
        }
        Ok(params)
    }

    fn read_multipart(&mut self, content_type: &str, body: &Bytes) -> Result<(), ApiError> {
        let bad =
            |reason: String| ApiError::error(400, format!("Invalid multipart body: {reason}"));
        let boundary =
            multer::parse_boundary(content_type).map_err(|error| bad(error.to_string()))?;
        let whole = body.clone();
        let chunks = stream::once(async move { Ok::<_, std::convert::Infallible>(whole) });
        let reading = async {
            let mut form = multer::Multipart::new(chunks, boundary);
            while let Some(field) = form.next_field().await? {
                let name = field.name().unwrap_or_default().to_owned();
                match field.file_name().map(str::to_owned) {
                    Some(file_name) => {
                        let content = field.bytes().await?;
                        self.put(&name, json!({ "filename": file_name }));
                        self.files.push(UploadedFile {
                            name,
                            file_name,
                            content,
                        });
                    }
                    None => self.put(&name, Value::String(field.text().await?)),
                }
            }
            Ok::<(), multer::Error>(())
        };
        // The whole body is in memory, so the future can never be pending.
        match reading.now_or_never() {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(bad(error.to_string())),
            None => Err(bad("it ended early".to_owned())),
        }
    }

    /// Adds one flat pair, unfolding `a[b]`, `a[]` and `a[][b]`.
    pub(crate) fn put(&mut self, name: &str, value: Value) {
        let (head, rest) = match name.find('[') {
            Some(at) if at > 0 => name.split_at(at),
            _ => (name, ""),
        };
        let steps: Vec<&str> = rest
            .split('[')
            .skip(1)
            .map(|step| step.trim_end_matches(']'))
            .collect();
        put_at(
            self.values.entry(head).or_insert(Value::Null),
            &steps,
            value,
        );
    }
}

fn put_at(node: &mut Value, steps: &[&str], value: Value) {
    let Some((step, rest)) = steps.split_first() else {
        *node = value;
        return;
    };
    if step.is_empty() {
        if !node.is_array() {
            *node = json!([]);
        }
        let Some(list) = node.as_array_mut() else {
            return;
        };
        let Some(key) = rest.first() else {
            list.push(value);
            return;
        };
        // A key that repeats opens the next element: `v[][key]=A&v[][value]=1&v[][key]=B`.
        let open = list.last().is_some_and(|last| {
            last.as_object()
                .is_some_and(|object| !object.contains_key(*key))
        });
        if !open {
            list.push(json!({}));
        }
        if let Some(last) = list.last_mut() {
            put_at(last, rest, value);
        }
        return;
    }
    if !node.is_object() {
        *node = json!({});
    }
    if let Some(object) = node.as_object_mut() {
        put_at(object.entry(*step).or_insert(Value::Null), rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(pairs: &[(&str, &str)]) -> Value {
        let mut params = Params::default();
        for (name, value) in pairs {
            params.put(name, Value::String((*value).to_owned()));
        }
        Value::Object(params.values)
    }

    #[test]
    fn names_nest_as_rack_nests_them() {
        assert_eq!(
            nested(&[("filter[environment_scope]", "a")]),
            json!({ "filter": { "environment_scope": "a" } })
        );
        assert_eq!(
            nested(&[("labels[]", "a"), ("labels[]", "b")]),
            json!({ "labels": ["a", "b"] })
        );
        assert_eq!(
            nested(&[
                ("v[][key]", "A"),
                ("v[][value]", "1"),
                ("v[][key]", "B"),
                ("v[][value]", "2")
            ]),
            json!({ "v": [{ "key": "A", "value": "1" }, { "key": "B", "value": "2" }] })
        );
        assert_eq!(nested(&[("a", "1"), ("a", "2")]), json!({ "a": "2" }));
    }
}
