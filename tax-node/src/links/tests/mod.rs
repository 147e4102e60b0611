//! Links over real sockets, and the bytes on them.

mod support;

mod good;
mod identity;
mod life;
mod room;
mod wire;
