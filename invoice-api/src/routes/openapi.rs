//! The OpenAPI document, made from the handlers and the types of their answers.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    bulk, chain, checks, documents, events, oversight, paper, papers, records, service, session,
    webhooks,
};
use crate::pages::oversight as supervisor;
use crate::pages::{assets, check_form, claims, document, home, ledger, push, sign_in};

/// The description of every address.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Piaolian 票链",
        description = "A registry of e-invoices and medical e-bills on an SM2/SM3 chain. \
                       电子发票与医疗收费电子票据登记链。Errors are application/problem+json \
                       (RFC 9457), in Chinese unless Accept-Language prefers English.",
    ),
    paths(
        records::submit, bulk::bulk, records::validate, records::by_hash, records::by_id,
        checks::checks, papers::papers, documents::document, paper::paper, paper::qr_svg, paper::qr_png, documents::claims, events::events,
        chain::checkpoint, chain::genesis, chain::block, chain::inclusion, chain::consistency,
        document::page, service::limits, service::rejections, service::livez, service::readyz,
        service::metrics, service::openapi,
        oversight::overview, oversight::volume, oversight::records, oversight::attempts,
        oversight::attempt, oversight::over_claims, oversight::late_reversals, oversight::pairs,
        oversight::merchants, oversight::merchant, oversight::locks, oversight::members,
        oversight::member, oversight::access, oversight::search, oversight::document,
        oversight::health, supervisor::overview, supervisor::page, supervisor::page_of_one, session::open, session::close, session::show,
        webhooks::list, webhooks::one, webhooks::put, webhooks::remove, webhooks::rotate,
        webhooks::test, webhooks::deliveries, webhooks::replay, webhooks::enable,
        home::page, check_form::page, claims::page,
        push::page, ledger::as_csv, ledger::as_xlsx,
        sign_in::page, assets::asset,
    ),
    tags(
        (name = "records", description = "Records: sign what you send / 记录：所签即所发"),
        (name = "documents", description = "Documents and claims / 票据与报销"),
        (name = "chain", description = "The chain in public / 链上公开数据"),
        (name = "pages", description = "Pages for people / 网页"),
        (name = "oversight", description = "The whole chain, for authorities and auditors / 监管统计"),
        (name = "webhooks", description = "Messages to members' own servers / 推送"),
        (name = "service", description = "The service itself / 服务自身"),
    ),
    modifiers(&RequestSignature),
)]
struct Description;

/// How questions are signed.
struct RequestSignature;

impl Modify for RequestSignature {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let layout = "SM2-WITH-SM3 kid=\"…\",timestamp=\"<unix seconds>\",\
                      nonce=\"<16–64 characters>\",signature=\"<base64>\" over METHOD, path and \
                      query, timestamp, nonce and body, each followed by a line feed";
        let scheme = ApiKey::Header(ApiKeyValue::with_description("Authorization", layout));
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("request_signature", SecurityScheme::ApiKey(scheme));
    }
}

/// The OpenAPI document of this interface.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// The same as indented JSON with a line feed at its end, as it is committed.
#[must_use]
pub fn openapi_json() -> String {
    // Serialising cannot fail: the document has text keys only.
    openapi()
        .to_pretty_json()
        .map(|text| text + "\n")
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_GOLDEN=1` rewrites the committed document.
    #[test]
    fn the_committed_description_is_the_one_that_the_code_gives() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        let made = openapi_json();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).unwrap();
            std::fs::write(path, &made).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == made,
            "docs/openapi.json is out of date: run with UPDATE_GOLDEN=1"
        );
    }

    #[test]
    fn every_operation_says_what_it_answers() {
        let document = serde_json::to_value(openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.len() >= 20, "{}", paths.len());
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().unwrap() {
                assert!(operation["summary"].is_string(), "{method} {path}");
                let good = ["200", "204"].map(|status| operation["responses"][status].is_object());
                assert!(good.contains(&true), "{method} {path}");
            }
        }
    }
}
