//! Freezing and quotas: forms whose records the browser signs with the authority's own key.

use invoice_core::record::Role;

use super::parts::Viewer;
use crate::pages::escape;
use crate::registry::Asker;
use crate::routes::Query;

fn field(name: &str, id: &str, label: &str, value: &str, more: &str) -> String {
    format!(
        "<p><label for=\"{id}\">{label}</label><input id=\"{id}\" name=\"{name}\" value=\"{}\" required autocomplete=\"off\" {more}></p>",
        escape(value)
    )
}

pub(super) fn body(viewer: Viewer, asker: &Asker, chain: &str, query: &Query) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let text = |name: &str| query.text(name).unwrap_or_default();
    let reason = of("理由（记入链上）", "Reason (recorded on the chain)");
    let freeze = format!(
        "<form id=\"freeze\" class=\"order\"><h2>{}</h2>{}{}<p><button type=\"submit\" name=\"type\" value=\"document.freeze\">{}</button> \
         <button type=\"submit\" name=\"type\" value=\"document.unfreeze\" class=\"quiet\">{}</button></p></form>",
        of("冻结或解冻票据", "Freeze or unfreeze a document"),
        field(
            "document",
            "document",
            of("票据号码", "The document's key"),
            text("document"),
            "maxlength=\"32\" spellcheck=\"false\""
        ),
        field("reason", "reason", reason, "", "maxlength=\"200\""),
        of("冻结", "Freeze"),
        of("解冻", "Unfreeze"),
    );
    let quota = match asker.roles.contains(Role::Tax) {
        true => format!(
            "<form id=\"quota\" class=\"order\"><h2>{}</h2>{}{}{}<p><button type=\"submit\" name=\"type\" value=\"quota.set\">{}</button></p></form>",
            of("设定月度额度", "Set a month's quota"),
            field(
                "member",
                "member",
                of("开票方编号", "The issuer's id"),
                text("member"),
                "maxlength=\"18\" spellcheck=\"false\""
            ),
            field(
                "month",
                "month",
                of("月份", "Month"),
                "",
                "placeholder=\"2026-11\" pattern=\"[0-9]{4}-[0-9]{2}\" maxlength=\"7\""
            ),
            field(
                "amount",
                "amount",
                of("额度（元，不含税）", "Quota (yuan, without tax)"),
                "",
                "inputmode=\"decimal\" maxlength=\"16\""
            ),
            of("设定", "Set"),
        ),
        false => String::new(),
    };
    let lead = of(
        "冻结、解冻与额度是链上记录，由您的浏览器用主管机关自己的密钥签名；密钥不离开浏览器。",
        "Freezing, unfreezing and quotas are records on the chain, signed by your browser with the authority's own key, which never leaves it.",
    );
    format!(
        "<div id=\"orders\" data-chain=\"{}\" data-member=\"{}\" data-kid=\"{}\"><p class=\"lead\">{lead}</p>\
         <noscript><p class=\"box warn\">{}</p></noscript>\
         <form id=\"order-key\"><p><label for=\"key-file\">{}</label><input id=\"key-file\" type=\"file\" accept=\".pem\"></p>\
         <p><label for=\"passphrase\">{}</label><input id=\"passphrase\" type=\"password\" autocomplete=\"off\"></p></form>\
         {freeze}{quota}<p id=\"message\" class=\"message\" role=\"status\" aria-live=\"polite\"></p></div>",
        escape(chain),
        asker.member,
        asker.kid,
        of(
            "本页需要脚本才能签名；也可用命令行提交这些记录。",
            "Signing needs scripts; the same records can be sent by the command line."
        ),
        of(
            "密钥文件（已在本页打开过则不必再选）",
            "Key file (not needed when it was opened in this page)"
        ),
        of("口令", "Passphrase"),
    )
}
