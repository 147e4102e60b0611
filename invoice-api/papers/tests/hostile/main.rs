//! Files made to be read, and files made to do harm: each refused with its own code, and none
//! costs more than the limits say.

mod corpus;
mod formats;
mod ofds;
mod pdfs;
mod pictures;
mod zips;
