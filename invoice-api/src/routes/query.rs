//! The query of an address, read strictly: a parameter that is unknown, repeated or badly spelt
//! must not silently lose its meaning.

use actix_web::HttpRequest;
use actix_web::web;

use crate::problem::Problem;

/// The parameters of a request.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the query of a request that knows only these parameters.
    pub(crate) fn strict(request: &HttpRequest, known: &[&str]) -> Result<Self, Problem> {
        Self::of(request.query_string(), known)
    }

    /// Reads the text after the question mark of an address.
    pub(super) fn of(text: &str, known: &[&str]) -> Result<Self, Problem> {
        let query = Self::parse(text).ok_or_else(|| Problem::query(""))?;
        for (place, (name, _)) in query.0.iter().enumerate() {
            let repeated = query
                .0
                .iter()
                .take(place)
                .any(|(earlier, _)| earlier == name);
            if repeated || !known.contains(&name.as_str()) {
                return Err(Problem::query(name));
            }
        }
        Ok(query)
    }

    /// Reads the query of an address that strangers' programs may have added something to.
    pub(crate) fn lenient(request: &HttpRequest) -> Option<Self> {
        Self::parse(request.query_string())
    }

    fn parse(text: &str) -> Option<Self> {
        web::Query::<Vec<(String, String)>>::from_query(text)
            .ok()
            .map(|query| Self(query.into_inner()))
    }

    /// The parameters in the order of the text.
    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// The text of a parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// A whole number without sign or leading zero.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        whole_number(text)
            .map(Some)
            .ok_or_else(|| Problem::query(name))
    }

    /// A whole number that must be there.
    pub(crate) fn required_number(&self, name: &str) -> Result<u64, Problem> {
        self.number(name)?.ok_or_else(|| Problem::query(name))
    }
}

/// A whole number without sign or leading zero.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    let plain = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && !(text.len() > 1 && text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(query: &str) -> Result<Query, Problem> {
        let request = TestRequest::with_uri(&format!("/v1/claims?{query}")).to_http_request();
        Query::strict(&request, &["status", "limit"])
    }

    #[test]
    fn a_query_is_read_strictly() {
        for (query, good) in [
            ("", true),
            ("status=locked&limit=5", true),
            ("status=locked&status=locked", false),
            ("statuss=locked", false),
            ("status=%ff", true),
        ] {
            assert_eq!(read(query).is_ok(), good, "{query}");
        }
        for (query, number) in [
            ("limit=5", Some(Some(5))),
            ("", Some(None)),
            ("limit=05", None),
            ("limit=+5", None),
            ("limit=-5", None),
            ("limit=", None),
            ("limit=99999999999999999999", None),
        ] {
            assert_eq!(read(query).unwrap().number("limit").ok(), number, "{query}");
        }
    }
}
