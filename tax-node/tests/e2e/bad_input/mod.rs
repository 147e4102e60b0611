//! Bad inputs, one a row: each has its documented answer and leaves the chain as it was.

mod authority;
mod shape;
mod state;
mod values;

use reqwest::RequestBuilder;
use serde_json::Value;

use crate::support::{Demo, Http, Member};

/// The least number of rows.
const ROWS_MIN: usize = 120;

/// One request and the answer that is due.
struct Row {
    name: String,
    request: RequestBuilder,
    status: u16,
    code: &'static str,
    /// Every entry of `errors`: code and pointer.
    errors: Vec<(&'static str, String)>,
    /// Leaves that it adds to the log: 1 for a refusal by state.
    recorded: u64,
}

/// The rows so far, and what they are made with.
struct Table<'d> {
    demo: &'d Demo,
    /// Those that have not been sent yet.
    rows: Vec<Row>,
    sent: usize,
    wrong: Vec<String>,
}

impl Table<'_> {
    /// Sends the rows so far, one after another, and notes every answer that is not the due one.
    async fn send(&mut self) {
        let mut size = self.http().tree_size().await;
        for row in std::mem::take(&mut self.rows) {
            let Row {
                name,
                request,
                status,
                code,
                errors,
                recorded,
            } = row;
            let answer = Http::send(request).await;
            let after = self.http().tree_size().await;
            let found: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let told = |name: &str| found[name].as_str().is_some_and(|text| !text.is_empty());
            let good = answer.status == status
                && found["status"] == status
                && found["code"] == code
                && errors_of(&found) == errors
                && answer.header("content-type") == Some("application/problem+json")
                && ["type", "title", "detail", "trace_id"]
                    .into_iter()
                    .all(told)
                && after == size + recorded;
            if !good {
                self.wrong.push(format!(
                    "{name}: due {status} {code} {errors:?} +{recorded}, found {} +{} {found}",
                    answer.status,
                    after - size,
                ));
            }
            size = after;
            self.sent += 1;
        }
    }

    fn http(&self) -> &Http {
        &self.demo.http
    }

    /// A request with exactly one fault, at a place.
    fn request(
        &mut self,
        name: impl Into<String>,
        request: RequestBuilder,
        status: u16,
        code: &'static str,
        pointer: Option<&str>,
    ) {
        self.rows.push(Row {
            name: name.into(),
            request,
            status,
            code,
            errors: pointer
                .map(|pointer| (code, pointer.to_owned()))
                .into_iter()
                .collect(),
            recorded: 0,
        });
    }

    /// A body of `POST /v1/records`.
    fn body(
        &mut self,
        name: impl Into<String>,
        body: impl Into<Vec<u8>>,
        status: u16,
        code: &'static str,
        pointer: &str,
    ) {
        let request = self.http().posting(body.into());
        self.request(name, request, status, code, Some(pointer));
    }

    /// A record, rightly signed.
    fn record(
        &mut self,
        name: impl Into<String>,
        by: &Member,
        record: &str,
        status: u16,
        code: &'static str,
        pointer: &str,
    ) {
        self.body(
            name,
            self.demo.http.envelope(by, record),
            status,
            code,
            pointer,
        );
    }

    /// A record that a rule of state refuses: the refusal is recorded.
    fn refused(&mut self, by: &Member, record: &str, code: &'static str) {
        let request = self.http().posting(self.http().envelope(by, record));
        self.request(code, request, 409, code, None);
        if let Some(row) = self.rows.last_mut() {
            row.recorded = 1;
        }
    }
}

/// Code and pointer of every entry of `errors`.
fn errors_of(problem: &Value) -> Vec<(&str, String)> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors
        .map(|error| {
            let text = |name: &str| error[name].as_str().unwrap_or("?");
            (text("code"), text("pointer").to_owned())
        })
        .collect()
}

/// The record with one value replaced; `null` takes the member away.
fn with(record: &Value, pointer: &str, value: Value) -> Value {
    let mut record = record.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match (record.pointer_mut(parent).unwrap(), value) {
        (Value::Object(members), Value::Null) => drop(members.remove(name)),
        (Value::Object(members), value) => drop(members.insert(name.to_owned(), value)),
        (Value::Array(elements), value) => elements[name.parse::<usize>().unwrap()] = value,
        _ => panic!("no such place: {pointer}"),
    }
    record
}

#[tokio::test]
async fn every_bad_input_has_its_answer_and_leaves_no_trace() {
    let demo = Demo::start();
    let mut table = Table {
        demo: &demo,
        rows: Vec::new(),
        sent: 0,
        wrong: Vec::new(),
    };
    shape::rows(&mut table);
    values::rows(&mut table);
    table.send().await;
    authority::rows(&mut table).await;
    state::rows(&mut table).await;
    let Table { sent, wrong, .. } = table;
    println!("{sent} rows");
    assert!(sent >= ROWS_MIN, "{sent} rows");
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
