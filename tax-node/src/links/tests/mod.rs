//! Links over real sockets.

mod support;

mod good;
