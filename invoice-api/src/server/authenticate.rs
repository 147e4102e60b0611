//! Who asks: the request signature of questions that are not public.
//!
//! Cheap checks come first: the header's layout, the key, the timestamp, the budget; only then is
//! a signature verified. A nonce is remembered only for a verified request, so that nobody else
//! can use up a member's nonces.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use invoice_core::crypto::messages::request_message;
use invoice_core::crypto::{HintedSignature, Kid};
use invoice_core::identity::MemberId;
use invoice_core::record::RoleSet;
use invoice_core::refusal::{AuthenticationError, Forbidden};

use super::authorization::Authorization;
use super::budget::Network;
use super::nonce::Nonce;
use super::places::Proof;
use super::session::Token;
use super::source::network;
use super::state::{AppState, now_seconds};
use crate::limits::TIMESTAMP_SKEW_SECONDS;
use crate::problem::Problem;
use crate::registry::{Asker, KeyStanding, KeyView, UnavailableReason};

/// What suspension keeps a member from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suspended {
    /// What the member has stays readable to it.
    MayRead,
    /// Nothing new is done for it.
    MayNotAsk,
}

/// The roles in which the owner of a key may ask now: none while it is suspended. It still reads
/// what is its own, and no authority's view of what belongs to others.
pub(crate) fn acting_roles(key: &KeyView) -> RoleSet {
    match key.standing {
        KeyStanding::MemberSuspended => RoleSet::from_bits(0),
        KeyStanding::Good | KeyStanding::Revoked | KeyStanding::Expired => key.roles,
    }
}

/// Establishes who signed the request and charges one question to that member.
pub(crate) async fn authenticate(
    state: &AppState,
    request: &HttpRequest,
    body: &[u8],
    suspended: Suspended,
) -> Result<Asker, Problem> {
    let source = (network(state, request), named_key(request));
    state.budgets.failures.check(&source, 1)?;
    let now = now_seconds();
    match identify(state, request, body, now).await? {
        Ok((asker, KeyStanding::MemberSuspended)) if suspended == Suspended::MayNotAsk => {
            tracing::debug!(member = %asker.member, "suspended member asks");
            Err(Forbidden::MemberSuspended.into())
        }
        Ok((asker, _)) => Ok(asker),
        Err(error) => Err(failed(state, source, error)),
    }
}

/// Establishes who reads: by the request's signature when it has one, else by its session.
///
/// For what records nothing. A session ends when its key may not sign any more, and with the
/// suspension of its member: whoever was suspended in between reads by signed requests.
pub(crate) async fn reader(
    state: &AppState,
    request: &HttpRequest,
    body: &[u8],
    suspended: Suspended,
) -> Result<Asker, Problem> {
    if request.headers().contains_key(AUTHORIZATION) {
        return authenticate(state, request, body, suspended).await;
    }
    let Some((asker, _)) = session(state, request).await? else {
        // Answers the missing signature as what it is, and counts it.
        return authenticate(state, request, body, suspended).await;
    };
    state.budgets.reads.take(&asker.member, 1)?;
    Ok(asker)
}

/// Who has the session that a request's cookie names, and the second in which it ends.
pub(crate) async fn session(
    state: &AppState,
    request: &HttpRequest,
) -> Result<Option<(Asker, u64)>, Problem> {
    let Some(token) = Token::of(request) else {
        return Ok(None);
    };
    let Some((kid, ends_at)) = state.sessions.find(&token, now_seconds()) else {
        return Ok(None);
    };
    let key = state.registry.key(kid).await?;
    match key {
        Some(key) if key.standing == KeyStanding::Good => {
            let asker = Asker {
                member: key.member,
                roles: acting_roles(&key),
                kid,
            };
            Ok(Some((asker, ends_at)))
        }
        Some(_) | None => {
            state.sessions.close(&token);
            Ok(None)
        }
    }
}

/// Whom a request says that it is from, before its body is read.
pub(crate) struct Announced {
    /// Who has its session, or whose key its signature names.
    pub(crate) member: MemberId,
    /// Whether it has a session.
    pub(crate) proof: Proof,
    /// Where it comes from, by the wide network, and the key that it names.
    source: (Network, Option<Kid>),
}

impl Announced {
    /// Charges failed authentications to whoever asked so.
    pub(crate) fn charge(&self, state: &AppState, failures: usize) {
        let _ = state.budgets.failures.take(&self.source, failures);
    }

    /// The network that its places are counted by.
    pub(crate) fn network(&self) -> Network {
        self.source.0
    }
}

/// Whom a request says that it is from, before its body is read. A name that is not proved yet buys
/// a place to be read from, never an answer: the whole request goes to [`reader`] afterwards.
pub(crate) async fn announced(
    state: &AppState,
    request: &HttpRequest,
) -> Result<Announced, Problem> {
    let source = (network(state, request).wide(), named_key(request));
    let announced = |member, proof| Announced {
        member,
        proof,
        source,
    };
    if !request.headers().contains_key(AUTHORIZATION)
        && let Some((asker, _)) = session(state, request).await?
    {
        return Ok(announced(asker.member, Proof::Proved));
    }
    state.budgets.failures.check(&source, 1)?;
    let error = match name(state, request, now_seconds()).await? {
        Ok(named) => match named.key.standing {
            KeyStanding::Good => return Ok(announced(named.key.member, Proof::Claimed)),
            KeyStanding::MemberSuspended => return Err(Forbidden::MemberSuspended.into()),
            KeyStanding::Revoked => AuthenticationError::KeyRevoked,
            KeyStanding::Expired => AuthenticationError::KeyExpired,
        },
        Err(error) => error,
    };
    Err(failed(state, source, error))
}

/// A failed authentication is answered as what it is; the next one may be refused unheard.
fn failed(state: &AppState, source: (Network, Option<Kid>), error: AuthenticationError) -> Problem {
    let _ = state.budgets.failures.take(&source, 1);
    Problem::from(error).with_member("server_time", now_seconds().into())
}

/// The key that a request's signature names, as far as that can be read.
fn named_key(request: &HttpRequest) -> Option<Kid> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    Authorization::parse(header)?.kid.parse().ok()
}

/// What a header names, of which nothing is proved yet.
struct Named<'r> {
    authorization: Authorization<'r>,
    kid: Kid,
    hinted: HintedSignature,
    key: KeyView,
}

type Identified = Result<(Asker, KeyStanding), AuthenticationError>;

/// Reads the header of a request: the checks that need no body.
async fn name<'r>(
    state: &AppState,
    request: &'r HttpRequest,
    now: u64,
) -> Result<Result<Named<'r>, AuthenticationError>, Problem> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (header, another) = (headers.next(), headers.next());
    let Some(header) = header else {
        return Ok(Err(AuthenticationError::AuthorizationMissing));
    };
    let Some(authorization) = header
        .to_str()
        .ok()
        .filter(|_| another.is_none())
        .and_then(Authorization::parse)
    else {
        return Ok(Err(AuthenticationError::AuthorizationMalformed));
    };
    let Ok(kid) = authorization.kid.parse::<Kid>() else {
        return Ok(Err(AuthenticationError::KidMalformed));
    };
    let Ok(hinted) = HintedSignature::from_base64(authorization.signature) else {
        return Ok(Err(AuthenticationError::SignatureMalformed));
    };
    let Some(key) = state.registry.key(kid).await? else {
        return Ok(Err(AuthenticationError::KeyUnknown));
    };
    if authorization.timestamp.abs_diff(now) > TIMESTAMP_SKEW_SECONDS {
        return Ok(Err(AuthenticationError::TimestampOutOfRange));
    }
    if state.nonces.is_known(kid, authorization.nonce) {
        return Ok(Err(AuthenticationError::NonceReused));
    }
    Ok(Ok(Named {
        authorization,
        kid,
        hinted,
        key,
    }))
}

async fn identify(
    state: &AppState,
    request: &HttpRequest,
    body: &[u8],
    now: u64,
) -> Result<Identified, Problem> {
    let Named {
        authorization,
        kid,
        hinted,
        key,
    } = match name(state, request, now).await? {
        Ok(named) => named,
        Err(error) => return Ok(Err(error)),
    };
    state.budgets.reads.take(&key.member, 1)?;
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let message = request_message(
        request.method().as_str(),
        path,
        authorization.timestamp_text,
        authorization.nonce,
        body,
    );
    let public_key = std::sync::Arc::clone(&key.public_key);
    if !state
        .verifier
        .verify(public_key, message, hinted.signature)
        .await?
    {
        return Ok(Err(AuthenticationError::SignatureInvalid));
    }
    match key.standing {
        KeyStanding::Good | KeyStanding::MemberSuspended => {}
        KeyStanding::Revoked => return Ok(Err(AuthenticationError::KeyRevoked)),
        KeyStanding::Expired => return Ok(Err(AuthenticationError::KeyExpired)),
    }
    match state
        .nonces
        .admit(kid, authorization.nonce, authorization.timestamp, now)
    {
        Nonce::New => {}
        Nonce::Seen => return Ok(Err(AuthenticationError::NonceReused)),
        Nonce::Full => return Err(UnavailableReason::Overloaded.into()),
    }
    let asker = Asker {
        member: key.member,
        roles: acting_roles(&key),
        kid,
    };
    Ok(Ok((asker, key.standing)))
}
