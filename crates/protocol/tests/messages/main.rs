//! Every message: what it says, what is refused of it, and the corpus that shows both.

mod cases;
mod challenge;
mod corpus;
mod enrol;
mod fixture;
mod realm;
mod response;
