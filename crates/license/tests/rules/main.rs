//! What licenses say, whom they are for and what they allow, rule by rule.

mod chains;
mod cose;
mod evaluate;
mod fixture;
mod format;
mod issue;
mod model;
