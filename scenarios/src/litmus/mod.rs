//! PLACEHOLDER
mod ast;
mod error;
mod header;
mod lexer;
mod parser;
mod print;
mod suggest;
mod validate;
mod vocabulary;

pub use ast::*;
pub use error::{Error, Problem};
pub use parser::parse;
pub use validate::{Names, validate};
pub use vocabulary::{ArgKind, Gives, Predicate, Signature, Vocabulary};
