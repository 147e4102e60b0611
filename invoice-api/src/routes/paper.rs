//! A document as a file for people, and its QR code alone.

use std::sync::Arc;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, HeaderName,
    REFERRER_POLICY, X_FRAME_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::chain::Receipt;
use invoice_core::identity::DocumentKey;
use invoice_core::paper_link::PaperLink;
use invoice_core::read::Spelled;
use invoice_core::record::parse_record;
use print::{Layout, Paper, QrCode, Wording};

use super::query::Query;
use crate::fault::Fault;
use crate::language::Language;
use crate::limits::{QR_SCALE, QR_SCALE_MAX};
use crate::problem::Problem;
use crate::registry::{Registry, UnavailableReason};
use crate::server::authenticate::{Suspended, reader};
use crate::server::state::AppState;
use crate::server::trace_id::TraceId;
use crate::status::OK;
use crate::wire::ProblemAnswer;

/// The characters that could not be printed: `U+9F98 U+30EDD`.
const UNPRINTABLE: HeaderName = HeaderName::from_static("piaolian-unprintable");
/// Whether the QR code bears a validator's stamp: `present` or `absent`.
const STAMP: HeaderName = HeaderName::from_static("piaolian-stamp");
/// Characters named in the header at most.
const UNPRINTABLE_MAX: usize = 100;

/// In which form a document is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Pdf,
    Ofd,
    Html,
    Xml,
}

impl Format {
    fn of(query: &Query) -> Result<Self, Problem> {
        match query.text("format") {
            Some("pdf") => Ok(Self::Pdf),
            Some("ofd") => Ok(Self::Ofd),
            Some("html") => Ok(Self::Html),
            Some("xml") => Ok(Self::Xml),
            Some(_) | None => Err(Problem::query("format")),
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Ofd => "application/ofd",
            Self::Html => "text/html; charset=utf-8",
            Self::Xml => "application/xml",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Ofd => "ofd",
            Self::Html => "html",
            Self::Xml => "xml",
        }
    }
}

/// A document as people know it: PDF/A-3, OFD (GB/T 33190), HTML for print, or the XML that tax
/// OFDs hold.
///
/// Record and receipt are attached to PDF and OFD byte by byte. For those who may see
/// the document; others get the same 404 as for a document that does not exist.
#[utoipa::path(
    get, path = "/v1/documents/{key}/paper", tag = "documents", security(("request_signature" = [])),
    params(
        ("key" = String, Path, description = "The document's key, or an alias"),
        ("format" = String, Query, description = "pdf, ofd, html or xml"),
        ("lang" = Option<String>, Query, description = "Language of the captions, zh or en; that of Accept-Language when absent. The form itself is Chinese"),
    ),
    responses(
        (status = 200, description = "The file. Header Piaolian-Unprintable names characters that no font has, Piaolian-Stamp says whether the QR code bears a validator's stamp", content_type = "application/pdf"),
        (status = 400, description = "A parameter is wrong", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "No such document, or not for the asker", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 503, description = "Too much is being printed", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn paper(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let query = Query::strict(&request, &["format", "lang"])?;
    let format = Format::of(&query)?;
    let language = match query.text("lang") {
        Some("zh") => Language::Zh,
        Some("en") => Language::En,
        Some(_) => return Err(Problem::query("lang")),
        None => Language::of(request.headers()),
    };
    let receipt = receipt(&state, &request, &path).await?;
    let (registry, base) = (Arc::clone(&state.registry), state.public_url().to_owned());
    let fonts = state.fonts.clone();
    // A nonce for the one style sheet of the HTML; any unpredictable text does.
    let nonce = TraceId::random().to_string();
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    let (layout, stamped, file) = print(&state, move || {
        let link = link(registry.as_ref(), &receipt)?;
        let proof = String::from_utf8(receipt.to_json()).map_err(|_| Fault::Internal)?;
        let paper = Paper {
            record: &receipt.record,
            receipt: Some(&proof),
            link: Some(&link.to_url(&base)),
            stamped: link.stamp.is_some(),
            proved: true,
            attached: format != Format::Html,
            wording: language.of_two(Wording::Zh, Wording::En),
        };
        let layout = print::lay_out(&paper, &fonts).map_err(broken)?;
        let file = match format {
            Format::Pdf => layout.pdf().map_err(broken)?,
            Format::Ofd => layout.ofd().map_err(broken)?,
            Format::Html => layout.html(&nonce).into_bytes(),
            Format::Xml => layout.xml().to_vec(),
        };
        Ok((layout, paper.stamped, file))
    })
    .await?;
    let mut response = HttpResponse::build(OK);
    response
        .content_type(format.media_type())
        .insert_header((CONTENT_LANGUAGE, language.tag()))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((STAMP, if stamped { "present" } else { "absent" }))
        .insert_header((CONTENT_DISPOSITION, disposition(&path, format)));
    // XML needs no font.
    if format != Format::Xml && !layout.missing.is_empty() {
        response.insert_header((UNPRINTABLE, unprintable(&layout)));
    }
    Ok(response.body(file))
}

/// The QR code of a document as an SVG image with one path.
///
/// It leads to the public page and bears what is needed to check the paper offline.
#[utoipa::path(
    get, path = "/v1/documents/{key}/qr.svg", tag = "documents", security(("request_signature" = [])),
    params(("key" = String, Path, description = "The document's key, or an alias")),
    responses(
        (status = 200, description = "The image", content_type = "image/svg+xml"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "No such document, or not for the asker", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn qr_svg(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Query::strict(&request, &[])?;
    let (stamped, image) = code(&state, &request, &path, |code| Ok(code.svg().into())).await?;
    Ok(picture("image/svg+xml", stamped).body(image))
}

/// The QR code of a document as a PNG image.
#[utoipa::path(
    get, path = "/v1/documents/{key}/qr.png", tag = "documents", security(("request_signature" = [])),
    params(
        ("key" = String, Path, description = "The document's key, or an alias"),
        ("scale" = Option<u64>, Query, description = "Pixels a module, 1 to 32; 8 when absent"),
    ),
    responses(
        (status = 200, description = "The image", content_type = "image/png"),
        (status = 400, description = "A parameter is wrong", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "No such document, or not for the asker", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn qr_png(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let query = Query::strict(&request, &["scale"])?;
    let scale = query.number("scale")?.unwrap_or(QR_SCALE);
    let scale = usize::try_from(scale)
        .ok()
        .filter(|_| (1..=QR_SCALE_MAX).contains(&scale))
        .ok_or_else(|| Problem::query("scale"))?;
    let draw = move |code: &QrCode| code.png(scale).map_err(broken);
    let (stamped, image) = code(&state, &request, &path, draw).await?;
    Ok(picture("image/png", stamped).body(image))
}

/// The code of a document, drawn, and whether it is stamped.
async fn code(
    state: &AppState,
    request: &HttpRequest,
    key: &str,
    draw: impl FnOnce(&QrCode) -> Result<Vec<u8>, Problem> + Send + 'static,
) -> Result<(bool, Vec<u8>), Problem> {
    let receipt = receipt(state, request, key).await?;
    let (registry, base) = (Arc::clone(&state.registry), state.public_url().to_owned());
    print(state, move || {
        let link = link(registry.as_ref(), &receipt)?;
        let code = QrCode::new(&link.to_url(&base)).map_err(broken)?;
        Ok((link.stamp.is_some(), draw(&code)?))
    })
    .await
}

fn picture(media_type: &'static str, stamped: bool) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(OK);
    response
        .content_type(media_type)
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((STAMP, if stamped { "present" } else { "absent" }));
    response
}

/// The receipt of the document that is asked for, when it is the asker's business.
async fn receipt(state: &AppState, request: &HttpRequest, key: &str) -> Result<Receipt, Problem> {
    let asker = reader(state, request, b"", Suspended::MayRead).await?;
    let key = DocumentKey::spelled(key).map_err(|_| Problem::from(Fault::NotFound))?;
    let receipt = state.registry.document_receipt(&asker, key).await?;
    Ok(receipt.ok_or(Fault::NotFound)?)
}

/// The link of the document that a receipt proves, stamped where this node can. It is made from
/// the record alone: nothing that the asker wrote is signed.
fn link(registry: &dyn Registry, receipt: &Receipt) -> Result<PaperLink, Problem> {
    let bytes = receipt.record.as_bytes();
    let record = parse_record(bytes)
        .ok()
        .and_then(|parsed| parsed.record.ok())
        .ok_or(Fault::Internal)?;
    let document = record.body.issued().ok_or(Fault::Internal)?;
    let mut link = PaperLink::new(document, bytes, receipt.index);
    link.stamp = registry.stamp(&link);
    Ok(link)
}

/// Prints away from the threads that serve connections, unless too much is being printed.
async fn print<T: Send + 'static>(
    state: &AppState,
    print: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let permit = Arc::clone(&state.prints)
        .try_acquire_owned()
        .map_err(|_| Problem::from(UnavailableReason::Overloaded))?;
    let printed = web::block(move || {
        let printed = print();
        drop(permit);
        printed
    });
    printed.await.map_err(broken)?
}

/// What an accepted record cannot cause: a bug, or a public address that is too long.
fn broken(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "a document was not printed");
    Fault::Internal.into()
}

/// A name for the file, from the key as asked: it is well spelt, a colon does not suit file names.
fn disposition(key: &str, format: Format) -> String {
    let name = key.replace(':', "-");
    format!("inline; filename=\"{name}.{}\"", format.extension())
}

fn unprintable(layout: &Layout) -> String {
    let names = layout.missing.iter().take(UNPRINTABLE_MAX);
    let names = names.map(|character| format!("U+{:04X}", u32::from(*character)));
    names.collect::<Vec<_>>().join(" ")
}
