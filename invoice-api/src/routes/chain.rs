//! The chain's public face: hashes, proofs and signatures, no personal data.

use actix_web::{HttpRequest, HttpResponse, web};

use super::json;
use super::query::{Query, whole_number};
use crate::fault::Fault;
use crate::problem::Problem;
use crate::server::state::AppState;
use crate::status::OK;
use crate::wire::{
    BlockAnswer, CheckpointAnswer, ConsistencyAnswer, InclusionAnswer, ProblemAnswer,
};

/// The newest final header and the validators' signatures over it.
#[utoipa::path(
    get, path = "/v1/checkpoint", tag = "chain",
    responses(
        (status = 200, description = "The checkpoint", body = CheckpointAnswer),
        (status = 404, description = "There is no block yet", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn checkpoint(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    Query::strict(&request, &[])?;
    let view = state.registry.checkpoint().await?.ok_or(Fault::NotFound)?;
    Ok(json(
        OK,
        &CheckpointAnswer::new(state.registry.chain_id(), &view),
    ))
}

/// The exact bytes of the genesis file.
#[utoipa::path(
    get, path = "/v1/genesis", tag = "chain",
    responses((status = 200, description = "The genesis file", body = serde_json::Value))
)]
pub(crate) async fn genesis(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    Query::strict(&request, &[])?;
    let genesis = state.registry.genesis().to_vec();
    Ok(HttpResponse::build(OK)
        .content_type("application/json")
        .body(genesis))
}

/// One block without content: header, signatures, leaf hashes.
#[utoipa::path(
    get, path = "/v1/blocks/{height}", tag = "chain",
    params(("height" = u64, Path, description = "Height of the block, from 1")),
    responses(
        (status = 200, description = "The block", body = BlockAnswer),
        (status = 404, description = "There is no such block", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn block(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    Query::strict(&request, &[])?;
    let height = whole_number(&path).ok_or(Fault::NotFound)?;
    let view = state.registry.block(height).await?.ok_or(Fault::NotFound)?;
    Ok(json(OK, &BlockAnswer::from(&view)))
}

/// The path from a leaf to the root of the log at a size.
#[utoipa::path(
    get, path = "/v1/proofs/inclusion", tag = "chain",
    params(
        ("index" = u64, Query, description = "Index of the leaf, from 0"),
        ("tree_size" = u64, Query, description = "Size of the tree"),
    ),
    responses(
        (status = 200, description = "The proof", body = InclusionAnswer),
        (status = 400, description = "A parameter is wrong", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "The log has no such leaf or size", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn inclusion(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    let query = Query::strict(&request, &["index", "tree_size"])?;
    let index = query.required_number("index")?;
    let tree_size = query.required_number("tree_size")?;
    if index >= tree_size {
        return Err(Problem::query("index"));
    }
    let view = state
        .registry
        .inclusion_proof(index, tree_size)
        .await?
        .ok_or(Fault::NotFound)?;
    Ok(json(OK, &InclusionAnswer::new(index, tree_size, &view)))
}

/// The proof that the log of one size continues the log of an earlier one.
#[utoipa::path(
    get, path = "/v1/proofs/consistency", tag = "chain",
    params(
        ("from" = u64, Query, description = "Size of the earlier tree, from 1"),
        ("to" = u64, Query, description = "Size of the later tree"),
    ),
    responses(
        (status = 200, description = "The proof", body = ConsistencyAnswer),
        (status = 400, description = "A parameter is wrong", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "The log has not grown that far", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn consistency(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    let query = Query::strict(&request, &["from", "to"])?;
    let (from, to) = (query.required_number("from")?, query.required_number("to")?);
    if from == 0 || from > to {
        return Err(Problem::query("from"));
    }
    let path = state
        .registry
        .consistency_proof(from, to)
        .await?
        .ok_or(Fault::NotFound)?;
    Ok(json(OK, &ConsistencyAnswer::new(from, to, &path)))
}
