//! Litmus tests as text: reading them, checking them, printing them.
//!
//! A test says in one screen what board there is, which kernels it runs on, what each task does in kernel verbs, and
//! which outcome is in question. The form is that of the kernel's own litmus tests:
//!
//! ```litmus
//! LITMUS late-probe-at-bind
//! (*
//!  * Result: Sometimes
//!  *
//!  * Can a client's own bind be the first to find its IOMMU, after the bus walk
//!  * has passed it by?
//!  *
//!  * Fixes: bcb81ac6ae3c ("iommu: Get DT/ACPI parsing into the proper probe path")
//!  *)
//! board   one-client.dts
//! kernels bcb81ac6ae3c^ bcb81ac6ae3c v6.16 v7.3-rc7
//! result  bcb81ac6ae3c^ Never
//! driver  client-drv on client0 : async
//!
//! initial { driver_register(client-drv) }
//! P0 { driver_register(arm-smmu-v3) }
//! P1 { device_attach(client0) }
//! P2 { deferred_probe_work_func }
//!
//! always I9
//! sometimes walked: of_xlate(client0, walk) >= 1
//!
//! exists (WARN(client0, "late IOMMU probe at driver bind") /\ ~deferred(client0))
//! ```
//!
//! # Grammar
//!
//! ```text
//! file        = "LITMUS" NAME comment { directive } { task } { property } condition
//!
//! comment     = "(*" { tag | text } "*)"           one line each; a "*" at the start of a line is decoration
//! tag         = "Result:" verdict                  exactly one
//!             | "Link:" message-id                 any number
//!             | "Fixes:" commit "(" subject ")"    any number: at least 12 hex digits, the subject in quotes
//! text        = the question; paragraphs are parted by an empty line, and the last one ends in "?"
//! verdict     = "Never" | "Sometimes" | "Always"
//!
//! directive   = "board" NAME                       exactly one
//!             | "kernels" NAME { NAME }            at least one kernel; further lines add to it
//!             | "result" NAME verdict              a kernel of the test that differs from "Result:"
//!             | "config" NAME value                kernel configuration or command line
//!             | "allow" NAME { NAME }              devices added to the allow list of their IOMMU driver
//!             | "driver" NAME [ "on" NAME { NAME } ] [ ":" option { option } ]
//!             | "initial" block                    runs before the tasks start
//! option      = NAME [ "=" value ]
//!
//! task        = "P0" block, then "P1" block, ...   at least one, no upper limit
//! block       = "{" call { separator call } "}"
//! separator   = ";" | end of line
//! call        = WORD [ "(" [ value { "," value } ] ")" ]
//!
//! property    = "always" NAME { NAME }             invariants that the checker knows by name
//!             | ( "always" | "sometimes" ) NAME ":" proposition
//!
//! condition   = ( "exists" | "~exists" | "forall" ) proposition
//! proposition = conjunction { "\/" conjunction }
//! conjunction = negation { "/\" negation }
//! negation    = ( "~" | "not" ) negation | "(" proposition ")" | atom
//! atom        = call [ ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value ]
//!
//! NAME        = WORD | STRING
//! value       = WORD | NUMBER | ERROR | STRING
//! WORD        = letters, digits and "_"; inside of it also . - + @ : / and, from the second character on, "^"
//! NUMBER      = digits, "0x" and hex digits, or "-" and digits
//! ERROR       = "-E" and letters, as in -EPROBE_DEFER
//! STRING      = "..." on one line, with \" and \\
//! ```
//!
//! A directive or property ends with its line. A proposition goes on over line ends where a sign, such as `/\` or an
//! open parenthesis, says that more is to come; `~` binds more tightly than `/\`, and that more tightly than `\/`.
//! Comments are `// ...` to the end of the line, and `(* ... *)`, which nest. Keywords are no reserved words: a device
//! may be called `board`.
//!
//! The verdict is about the proposition alone, whatever the quantifier, as in herd7: `Never` with `~exists` means
//! that all is well.
//!
//! Limits: 64 KiB for a file, 64 levels of parentheses, negations or comments within one another.
//!
//! # Use
//!
//! [`parse`] checks the form and gives a [`Litmus`], in which everything knows its place in the file. The test names a
//! board; with the board loaded, [`validate`] checks the words against a [`Vocabulary`] and the names against what a
//! [`Names`] knows. `Display` of [`Litmus`] prints it in one canonical layout; comments other than the first are lost.
//! An [`Error`] is one line, `FILE:LINE:COLUMN: found ..., expected ...`, and a miette diagnostic that shows the place.
//!
//! # Code map
//!
//! | file | subject |
//! |---|---|
//! | `ast.rs` | the tree, with spans |
//! | `lexer.rs` | text to tokens |
//! | `header.rs` | the comment that holds result and question |
//! | `parser.rs` | tokens to tree: the file and its lines |
//! | `proposition.rs` | tokens to tree: propositions and calls |
//! | `cursor.rs` | the place in the token list |
//! | `vocabulary.rs` | verbs, predicates and options, as tables |
//! | `validate.rs` | the tree against vocabulary, board and kernel table |
//! | `print.rs` | tree to text |
//! | `error.rs` | every message |
//!
//! Nothing here knows the model or an engine: what a verb does is the runner's business.

mod ast;
mod cursor;
mod error;
mod header;
mod lexer;
mod parser;
mod print;
mod proposition;
mod validate;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use ast::{
    Atom, Call, Comparison, Condition, Config, Driver, DriverOption, Expr, Fixes, KernelResult,
    Litmus, Name, Op, Property, PropertyKind, Quantifier, Question, Source, Span, Spanned, Task,
    Value, Verdict, same_revision,
};
pub use error::{Error, Problem};
pub use parser::parse;
pub use validate::{Names, validate};
pub use vocabulary::{ArgKind, Gives, Predicate, Signature, Vocabulary};
