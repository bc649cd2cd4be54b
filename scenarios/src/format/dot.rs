//! Graphs in Graphviz's DOT language.

use std::fmt::{self, Write as _};

/// Attributes, in order.
type Attributes = Vec<(&'static str, String)>;

/// A directed graph, to be printed.
#[derive(Clone, Debug)]
pub struct Dot {
    name: String,
    nodes: Vec<(String, Attributes)>,
    edges: Vec<(String, String, Attributes)>,
}

impl Dot {
    /// An empty graph with this name.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            nodes: vec![],
            edges: vec![],
        }
    }

    /// Adds a node.
    pub fn node(&mut self, id: &str, attributes: &[(&'static str, &str)]) {
        self.nodes.push((id.to_owned(), owned(attributes)));
    }

    /// Adds an edge.
    pub fn edge(&mut self, from: &str, to: &str, attributes: &[(&'static str, &str)]) {
        let edge = (from.to_owned(), to.to_owned(), owned(attributes));
        self.edges.push(edge);
    }
}

fn owned(attributes: &[(&'static str, &str)]) -> Attributes {
    let all = attributes.iter().map(|(k, v)| (*k, (*v).to_owned()));
    all.collect()
}

/// A text as a quoted ID: the only escape is that of the quote; a backslash would begin one of the
/// escapes of labels, where `\n` and the line end mean the same.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            '\n' => quoted += "\\n",
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

fn attributes(all: &[(&'static str, String)]) -> String {
    let mut text = String::new();
    for (i, (key, value)) in all.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        let _ = write!(text, "{comma}{key}={}", quoted(value));
    }
    if text.is_empty() {
        text
    } else {
        format!(" [{text}]")
    }
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "digraph {} {{", quoted(&self.name))?;
        for (id, all) in &self.nodes {
            writeln!(f, "  {}{};", quoted(id), attributes(all))?;
        }
        for (from, to, all) in &self.edges {
            writeln!(
                f,
                "  {} -> {}{};",
                quoted(from),
                quoted(to),
                attributes(all)
            )?;
        }
        writeln!(f, "}}")
    }
}
