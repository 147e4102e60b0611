//! The files that pages load: part of the program, served as they are written.

use std::sync::LazyLock;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::crypto::sm3;

use super::frame::POLICY;
use crate::fault::Fault;
use crate::problem::Problem;
use crate::server::state::AppState;
use crate::status::{NOT_MODIFIED, OK};

/// One file.
struct Asset {
    name: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        &[$(Asset {
            name: $name,
            bytes: include_bytes!(concat!("../../assets/", $name)),
        },)*]
    };
}

const ASSETS: &[Asset] = assets![
    "actions.js",
    "again-box.js",
    "api.js",
    "app-view.js",
    "app.js",
    "bytes.js",
    "catalogue.js",
    "chain.js",
    "checks.js",
    "chosen.js",
    "der.js",
    "document.js",
    "envelope.js",
    "folders.js",
    "icon.svg",
    "intake.js",
    "json.js",
    "key-bar.js",
    "keys.js",
    "link.js",
    "merkle.js",
    "orders.js",
    "own.js",
    "oversight.js",
    "paper.js",
    "push-view.js",
    "push-words.js",
    "push.js",
    "receipt.js",
    "sign-in.js",
    "site.css",
    "sm2.js",
    "sm3.js",
    "stamp.js",
    "table.js",
    "unanswered.js",
    "words.js",
    "worklist.js",
];

impl Asset {
    fn media_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        }
    }
}

/// A strong validator for each file, in the order of [`ASSETS`].
static ETAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let tag = |asset: &Asset| format!("\"{}\"", hex::encode(&sm3(&[asset.bytes]).as_bytes()[..16]));
    ASSETS.iter().map(tag).collect()
});

/// A file that pages load.
#[utoipa::path(
    get, path = "/assets/{name}", tag = "pages",
    params(("name" = String, Path, description = "The file's name")),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/javascript"),
        (status = 304, description = "The browser has this version"),
        (status = 404, description = "There is no such file"),
    )
)]
pub(crate) async fn asset(
    state: web::Data<AppState>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    let found = ASSETS
        .iter()
        .zip(ETAGS.iter())
        .find(|(asset, _)| asset.name == name.as_str());
    let (asset, etag) = found.ok_or(Fault::NotFound)?;
    let known = request
        .headers()
        .get_all(IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().trim_start_matches("W/") == etag);
    let mut response = HttpResponse::build(if known { NOT_MODIFIED } else { OK });
    // A browser asks each time whether a file has changed: its modules must fit each other.
    response
        .insert_header((ETAG, etag.as_str()))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY));
    if known {
        return Ok(response.finish());
    }
    Ok(response
        .insert_header((CONTENT_TYPE, asset.media_type()))
        .body(asset.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_file_in_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        let written = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect::<BTreeSet<_>>();
        let served = ASSETS.iter().map(|asset| asset.name.to_owned());
        assert_eq!(written, served.collect());
    }

    #[test]
    fn modules_import_what_is_served() {
        for asset in ASSETS.iter().filter(|asset| asset.name.ends_with(".js")) {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            for (_, after) in text
                .match_indices("from \"./")
                .map(|(at, _)| text.split_at(at + 8))
            {
                let name = after.split('"').next().unwrap();
                assert!(
                    ASSETS.iter().any(|asset| asset.name == name),
                    "{}: {name}",
                    asset.name
                );
            }
            assert!(
                !text.contains("http://") && !text.contains("https://"),
                "{}",
                asset.name
            );
        }
    }
}
