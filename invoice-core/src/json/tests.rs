use proptest::prelude::*;

use super::*;

fn assert_readers_agree(text: &str) {
    for depth_max in [0, 1, 2, RECORD_DEPTH_MAX] {
        if let Some(node) = scan::scan(text, depth_max) {
            assert_eq!(Ok(node), parse_thoroughly(text, depth_max), "{text}");
        }
    }
}

/// Whether the quick reader reads a text by itself.
fn is_usual(text: &str) -> bool {
    assert_readers_agree(text);
    scan::scan(text, RECORD_DEPTH_MAX).is_some()
}

#[test]
fn good_json_is_read_quickly_and_all_else_thoroughly() {
    let cases: &[(&str, bool)] = &[
        (r#"{"type":"claim.lock","amount":"64.90","a":[]}"#, true),
        (
            " \t\r\n{ \"a\" : [ 1 , true , false , null , \"\" , {} ] } \n",
            true,
        ),
        (r#""一\u7968\n\"\\\/\b\f\r\t\ud83d\ude00""#, true),
        (r#"{"a":1,"b":{"a":1}}"#, true),
        ("0", true),
        ("18446744073709551615", true),
        ("18446744073709551616", false),
        ("00", false),
        ("01", false),
        ("-1", false),
        ("1.0", false),
        ("0.5", false),
        ("0e1", false),
        ("1e2", false),
        (r#"{"a":1,"a":2}"#, false),
        (r#"{"a":1,"\u0061":2}"#, false),
        ("[[[[[[[[]]]]]]]]", true),
        ("[[[[[[[[[]]]]]]]]]", false),
        (r#""\ud83d""#, false),
        (r#""\ud83d\u0041""#, false),
        (r#""\ude00""#, false),
        (r#""\u12g4""#, false),
        (r#""\x""#, false),
        ("\"a\nb\"", false),
        ("\"\\u0041\nb\"", false),
        ("\"abcdefg\u{1}h\"", false),
        (r#""abc"#, false),
        (r#"{"a":1,}"#, false),
        ("[1,]", false),
        ("[1 2]", false),
        (r#"{"a"}"#, false),
        ("truely", false),
        ("tru", false),
        ("", false),
        ("{} {}", false),
    ];
    for (text, usual) in cases {
        assert_eq!(is_usual(text), *usual, "{text}");
    }
}

#[test]
fn a_string_ends_where_its_quote_is_wherever_that_is() {
    for before in 0..20 {
        for special in ['"', '\\', '\u{1f}', ' ', '!', '#', '\u{7f}', '票', '\u{80}'] {
            let text = format!(
                "[\"{}{special}\",\"x\"]",
                "é".repeat(before / 2) + &"a".repeat(before % 2)
            );
            assert_readers_agree(&text);
            assert_readers_agree(&format!("{{\"{}{special}\":1}}", "a".repeat(before)));
        }
    }
}

#[test]
fn objects_with_very_many_members_are_read_too() {
    for count in [31, 32, 33, 100] {
        let members: Vec<String> = (0..count).map(|i| format!("\"m{i}\":{i}")).collect();
        let text = format!("{{{}}}", members.join(","));
        assert_readers_agree(&text);
        assert_eq!(parse(text.as_bytes(), 1), parse_thoroughly(&text, 1));
    }
}

proptest! {
    #[test]
    fn both_readers_read_the_same_json(
        text in r#"([\[\]{}:, "]|"[abé\\"]{0,3}"|\\u[0-9a-f]{4}|[0-9]{1,3}|true|null|\{"a":|"b":1\}){0,12}"#
    ) {
        assert_readers_agree(&text);
    }

    #[test]
    fn both_readers_read_the_same_values(value in value()) {
        let compact = value.to_string();
        assert_readers_agree(&compact);
        let spaced = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(parse(spaced.as_bytes(), 8), parse_thoroughly(&compact, 8));
    }
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "\\PC{0,12}".prop_map(Into::into),
        "[\\x00-\\x7f]{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 40, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::btree_map("[a-e]{0,2}", inner, 0..8)
                .prop_map(|map| map.into_iter().collect::<serde_json::Value>()),
        ]
    })
}
