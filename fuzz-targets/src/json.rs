//! Strict JSON: what it reads, a common reader of JSON reads as well, and as the same value.

use invoice_core::json::{Node, RECORD_DEPTH_MAX, parse};
use serde_json::Value;

pub(crate) fn run(bytes: &[u8]) {
    match parse(bytes, RECORD_DEPTH_MAX) {
        Ok(node) => {
            let value: Value = serde_json::from_slice(bytes).expect("strict JSON is JSON");
            assert!(same(&node, &value), "{node:?} is not {value:?}");
            assert!(depth(&node) <= RECORD_DEPTH_MAX);
        }
        Err(errors) => assert!(!errors.is_empty(), "a refusal names its reason"),
    }
}

fn same(node: &Node<'_>, value: &Value) -> bool {
    match (node, value) {
        (Node::Null, Value::Null) => true,
        (Node::Bool(node), Value::Bool(value)) => node == value,
        (Node::Integer(node), Value::Number(value)) => value.as_u64() == Some(*node),
        (Node::Number, Value::Number(value)) => value.as_u64().is_none(),
        (Node::Text(node), Value::String(value)) => node == value,
        (Node::Array(nodes), Value::Array(values)) => {
            nodes.len() == values.len() && nodes.iter().zip(values).all(|(n, v)| same(n, v))
        }
        // As many members on both sides: none was named twice.
        (Node::Object(members), Value::Object(values)) => {
            members.len() == values.len()
                && members
                    .iter()
                    .all(|(name, n)| values.get(&**name).is_some_and(|v| same(n, v)))
        }
        _ => false,
    }
}

fn depth(node: &Node<'_>) -> usize {
    match node {
        Node::Array(nodes) => 1 + nodes.iter().map(depth).max().unwrap_or(0),
        Node::Object(members) => 1 + members.iter().map(|(_, n)| depth(n)).max().unwrap_or(0),
        Node::Null | Node::Bool(_) | Node::Integer(_) | Node::Number | Node::Text(_) => 0,
    }
}
