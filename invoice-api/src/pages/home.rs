//! The first page: where to go from here.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{Page, Section, page_language};
use crate::problem::Problem;
use crate::server::state::AppState;

/// The first page.
#[utoipa::path(
    get, path = "/", tag = "pages",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"))
)]
pub(crate) async fn page(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    let (title, body) = page_language(&request).of_two(("票链", ZH), ("Piaolian", EN));
    Ok(Page {
        title,
        section: Section::None,
        module: None,
        body,
    }
    .respond(&request))
}

const ZH: &str = "<p class=\"lead\">电子发票与医疗收费电子票据的共同登记：不能伪造，不能改动，\
    不能重复报销。</p><ul class=\"cards\">\
    <li><a href=\"/v\"><strong>查验票据</strong><span>手里有一张票：是真的吗？还有效吗？\
    无需登录。</span></a></li>\
    <li><a href=\"/app\"><strong>报销</strong><span>财务人员：整夹拖入发票，逐张查验，\
    锁定、入账、释放，导出台账。</span></a></li>\
    <li><a href=\"/oversight\"><strong>监管</strong><span>税务、财政机关：重复报销、超额、异常与\
    系统状态。</span></a></li>\
    <li><a href=\"/docs\"><strong>接口说明</strong><span>供 ERP 与财务软件对接。</span></a></li>\
    </ul>";

const EN: &str = "<p class=\"lead\">A shared register of e-invoices and medical e-bills: none is \
    forged, altered or reimbursed twice.</p><ul class=\"cards\">\
    <li><a href=\"/v\"><strong>Check a document</strong><span>You hold a document: is it genuine, \
    is it still valid? No sign-in.</span></a></li>\
    <li><a href=\"/app\"><strong>Claims</strong><span>For finance clerks: drop a folder of \
    invoices, see each one's state, lock, settle, release, export the ledger.</span></a></li>\
    <li><a href=\"/oversight\"><strong>Oversight</strong><span>For tax and finance authorities: \
    attempted double claims, over-claims, what is out of pattern, the chain's health.</span></a></li>\
    <li><a href=\"/docs\"><strong>Interface</strong><span>For ERP and accounting software.</span>\
    </a></li></ul>";
