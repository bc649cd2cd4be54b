//! Device tree source: an own reader for the part of the language that boards need.
//!
//! In the subset:
//!
//! * `/dts-v1/;` first, then any number of `/ { ... };`, which merge, and of `&label { ... };` or
//!   `&{/path} { ... };`, which amend a node that stands above;
//! * nodes with labels and unit address, properties before child nodes;
//! * values joined by commas: cells `<1 0x2 &label &{/path}>`, strings with the escapes of C,
//!   bytes `[00 ff]`, and `&label` or `&{/path}` outside of `<>`, which is the path as a string;
//! * `/delete-node/` and `/delete-property/`; `//` and `/* */` comments.
//!
//! Not in it, and refused by name: the C preprocessor, `/include/`, `/incbin/`, `/bits/`,
//! `/memreserve/`, `/plugin/`, `/omit-if-no-ref/`, arithmetic, character literals, labels
//! elsewhere than before nodes.
//!
//! As with dtc, a node that is referred to and has no `phandle` gets the lowest free one, in
//! document order of the first reference, as its last property; so the same text gives the same
//! bytes here and there. Limits: [`MAX_TEXT`] bytes, [`MAX_DEPTH`] levels.

use std::collections::{BTreeMap, BTreeSet};

use kernel::of::tree::{NodeId, Property, Tree};
use miette::SourceSpan;

use super::cursor::{Cursor, Result, is_name};
use super::error::TextError;
use super::suppliers::ReferenceError;
use super::{Board, stem};

pub use super::cursor::MAX_TEXT;
/// Deepest nesting of nodes, the root being level 1.
pub const MAX_DEPTH: usize = 64;

/// A board and the places in the text that it came from.
#[derive(Debug)]
pub struct Parsed {
    /// The board, not yet validated.
    pub board: Board,
    /// Where each property stands.
    pub origins: Origins,
}

/// For each property, where its name stands in the text, and each of its cells.
#[derive(Debug, Default)]
pub struct Origins {
    properties: BTreeMap<(NodeId, String), Origin>,
}

/// Places of one property.
#[derive(Debug)]
struct Origin {
    name: SourceSpan,
    /// Offset in the value and place in the text, ascending.
    cells: Vec<(usize, SourceSpan)>,
}

impl Origins {
    /// Where a property stands; the start of the text for a phandle that was given out here.
    pub fn property(&self, node: NodeId, name: &str) -> Option<SourceSpan> {
        let origin = self.properties.get(&(node, name.to_owned()))?;
        Some(origin.name)
    }

    /// Where one cell of a property stands.
    pub fn cell(&self, node: NodeId, name: &str, index: usize) -> Option<SourceSpan> {
        let origin = self.properties.get(&(node, name.to_owned()))?;
        let at = origin
            .cells
            .binary_search_by_key(&(index * 4), |(offset, _)| *offset);
        at.ok().map(|i| origin.cells[i].1)
    }

    /// The same fault, with its place in the text.
    pub fn locate(&self, file_name: &str, text: &str, error: &ReferenceError) -> Box<TextError> {
        let cell = error
            .cell
            .and_then(|index| self.cell(error.node, &error.property, index));
        let span = cell.or_else(|| self.property(error.node, &error.property));
        let span = span.unwrap_or_else(|| (0, 0).into());
        TextError::new(file_name, text, span, error.to_string()).into()
    }
}

/// Reads a text. The answer is not validated: see [`super::parse_dts`].
pub fn parse(file_name: &str, text: &str) -> Result<Parsed> {
    let mut parser = Parser {
        cursor: Cursor::new(file_name, text)?,
        nodes: vec![RawNode::default()],
        labels: BTreeMap::new(),
    };
    parser.file()?;
    parser.resolve(file_name)
}

/// The error for a file that is neither a blob nor UTF-8; `text` is it with the bad bytes replaced.
pub(super) fn not_utf8(file_name: &str, text: &str, valid_up_to: usize) -> Box<TextError> {
    let message = format!(
        "found byte {valid_up_to:#x} that is not UTF-8, expected text or a device tree blob"
    );
    TextError::new(file_name, text, (valid_up_to, 1).into(), message).into()
}

/// What a reference names.
#[derive(Debug, Clone)]
enum Target {
    Label(String),
    Path(String),
}

/// A reference in a value, filled in when the whole text is read.
#[derive(Debug)]
struct Reference {
    /// Where in the literal bytes its own bytes go.
    at: usize,
    target: Target,
    /// A phandle inside of `<>`, else a path.
    is_phandle: bool,
    span: SourceSpan,
}

/// A property whose references are open.
#[derive(Debug)]
struct RawProperty {
    name: String,
    span: SourceSpan,
    /// Bytes of the value without those of the references.
    literal: Vec<u8>,
    references: Vec<Reference>,
    /// For each cell: offset in `literal`, number of references before it, place.
    cells: Vec<(usize, usize, SourceSpan)>,
}

/// A node while the text is read.
#[derive(Debug, Default)]
struct RawNode {
    name: String,
    parent: usize,
    children: Vec<usize>,
    /// `children` by name.
    by_name: BTreeMap<String, usize>,
    properties: Vec<RawProperty>,
}

/// What one pair of braces has said so far; a second pair about the same node may say it again.
#[derive(Default)]
struct Block {
    properties: BTreeSet<String>,
    nodes: BTreeSet<String>,
}

/// The reader: one function for each rule of the grammar.
struct Parser<'a> {
    cursor: Cursor<'a>,
    /// Node 0 is the root.
    nodes: Vec<RawNode>,
    labels: BTreeMap<String, usize>,
}

impl Parser<'_> {
    /// `/dts-v1/;` and then the roots and amendments.
    fn file(&mut self) -> Result<()> {
        self.cursor.skip_blank()?;
        if self.cursor.peek_directive() != Some("/dts-v1/") {
            self.refuse_unsupported()?;
            return self.cursor.expected("`/dts-v1/;`");
        }
        self.cursor.need("/dts-v1/")?;
        self.cursor.need(";")?;
        let mut seen_root = false;
        loop {
            self.cursor.skip_blank()?;
            if self.cursor.peek().is_none() && seen_root {
                return Ok(());
            }
            seen_root |= self.top_level()?;
        }
    }

    /// One statement outside of all braces. Whether it was a root.
    fn top_level(&mut self) -> Result<bool> {
        if self.cursor.peek_directive() == Some("/delete-node/") {
            self.cursor.need("/delete-node/")?;
            self.cursor.skip_blank()?;
            let start = self.cursor.at();
            let target = self.reference()?;
            let node = self.find(&target, self.cursor.since(start))?;
            if node == 0 {
                let message = "the root node cannot be deleted";
                return self.cursor.error(self.cursor.since(start), message);
            }
            self.delete(node);
            self.cursor.need(";")?;
            return Ok(false);
        }
        self.refuse_unsupported()?;
        let labels = self.labels()?;
        let start = self.cursor.at();
        let is_root = self.cursor.peek() == Some(b'/');
        let node = if is_root {
            self.cursor.bump();
            0
        } else if self.cursor.peek() == Some(b'&') {
            let target = self.reference()?;
            self.find(&target, self.cursor.since(start))?
        } else {
            return self.cursor.expected("`/ {` or `&label {`");
        };
        self.define(labels, node)?;
        self.body(node, 1)?;
        Ok(is_root)
    }

    /// `{ properties nodes };`
    fn body(&mut self, node: usize, depth: usize) -> Result<()> {
        self.cursor.need("{")?;
        let mut block = Block::default();
        loop {
            self.cursor.skip_blank()?;
            if self.cursor.take("}")? {
                return self.cursor.need(";");
            }
            self.statement(node, depth, &mut block)?;
        }
    }

    /// A property, a child node, or a deletion.
    fn statement(&mut self, node: usize, depth: usize, block: &mut Block) -> Result<()> {
        match self.cursor.peek_directive() {
            Some("/delete-node/") => return self.delete_node(node, block),
            Some("/delete-property/") => return self.delete_property(node, block),
            _ => self.refuse_unsupported()?,
        }
        let labels = self.labels()?;
        let start = self.cursor.at();
        let name = self.cursor.take_while(is_name).to_owned();
        if name.is_empty() {
            return self.cursor.expected("a property, a node or `}`");
        }
        let span = self.cursor.since(start);
        self.cursor.skip_blank()?;
        match self.cursor.peek() {
            Some(b'{') => {
                let child = self.child(node, name, span, depth, block)?;
                self.define(labels, child)?;
                self.body(child, depth + 1)
            }
            Some(b'=' | b';') => match labels.first() {
                Some((_, label)) => {
                    let message = "labels before properties are not in the supported subset";
                    self.cursor.error(*label, message)
                }
                None => self.property(node, name, span, block),
            },
            _ => self
                .cursor
                .expected(&format!("`=`, `;` or `{{` after `{name}`")),
        }
    }

    /// The child of this name, made if there is none.
    fn child(
        &mut self,
        node: usize,
        name: String,
        span: SourceSpan,
        depth: usize,
        block: &mut Block,
    ) -> Result<usize> {
        if depth >= MAX_DEPTH {
            let message = format!("nodes nest deeper than {MAX_DEPTH} levels");
            return self.cursor.error(span, message);
        }
        let (base, unit) = name.split_once('@').unwrap_or((&name, "0"));
        let is_plain = |s: &str| !s.is_empty() && !s.contains(['@', '#', '?']);
        if !is_plain(base) || !is_plain(unit) {
            let message = format!("found `{name}`, expected a node name such as `mmc@ee100000`");
            return self.cursor.error(span, message);
        }
        if !block.nodes.insert(name.clone()) {
            let message = format!("a sibling is called `{name}` already");
            return self.cursor.error(span, message);
        }
        if let Some(old) = self.child_called(node, &name) {
            return Ok(old);
        }
        let child = self.nodes.len();
        self.nodes[node].by_name.insert(name.clone(), child);
        self.nodes.push(RawNode {
            name,
            parent: node,
            ..RawNode::default()
        });
        self.nodes[node].children.push(child);
        Ok(child)
    }

    fn child_called(&self, node: usize, name: &str) -> Option<usize> {
        self.nodes[node].by_name.get(name).copied()
    }

    /// `name;` or `name = value, ...;`
    fn property(
        &mut self,
        node: usize,
        name: String,
        span: SourceSpan,
        block: &mut Block,
    ) -> Result<()> {
        if name.contains('@') {
            let message = format!("found `{name}`, expected a property name, which has no `@`");
            return self.cursor.error(span, message);
        }
        if !block.nodes.is_empty() {
            let message =
                format!("property `{name}` stands after a child node, expected it before");
            return self.cursor.error(span, message);
        }
        if !block.properties.insert(name.clone()) {
            let message = format!("property `{name}` is given twice");
            return self.cursor.error(span, message);
        }
        let mut property = RawProperty {
            name,
            span,
            literal: vec![],
            references: vec![],
            cells: vec![],
        };
        if self.cursor.take("=")? {
            self.value(&mut property)?;
            while self.cursor.take(",")? {
                self.value(&mut property)?;
            }
        }
        if !self.cursor.take(";")? {
            return self.cursor.expected("`,` or `;` after a value");
        }
        let properties = &mut self.nodes[node].properties;
        match properties.iter_mut().find(|p| p.name == property.name) {
            Some(old) => *old = property,
            None => properties.push(property),
        }
        Ok(())
    }

    /// One part of a value.
    fn value(&mut self, property: &mut RawProperty) -> Result<()> {
        self.cursor.skip_blank()?;
        self.refuse_unsupported()?;
        match self.cursor.peek() {
            Some(b'<') => self.cells(property),
            Some(b'[') => self.bytes(property),
            Some(b'"') => {
                let string = self.cursor.string()?;
                property.literal.extend(string);
                property.literal.push(0);
                Ok(())
            }
            Some(b'&') => self.value_reference(property, false),
            _ => self.cursor.expected("`<`, `\"`, `[` or `&`"),
        }
    }

    /// `<1 0x2 &label>`
    fn cells(&mut self, property: &mut RawProperty) -> Result<()> {
        self.cursor.bump();
        loop {
            self.cursor.skip_blank()?;
            let start = self.cursor.at();
            let offset = (property.literal.len(), property.references.len());
            match self.cursor.peek() {
                Some(b'>') => {
                    self.cursor.bump();
                    return Ok(());
                }
                Some(b'&') => self.value_reference(property, true)?,
                Some(b'0'..=b'9') => {
                    let cell = self.cursor.cell()?;
                    property.literal.extend(cell.to_be_bytes());
                }
                Some(b'(') => return self.unsupported(1, "arithmetic in parentheses"),
                Some(b'\'') => return self.unsupported(1, "a character literal"),
                _ => return self.cursor.expected("a number, `&label` or `>`"),
            }
            let span = self.cursor.since(start);
            property.cells.push((offset.0, offset.1, span));
        }
    }

    /// `[00 ff]`, blanks between digits meaning nothing.
    fn bytes(&mut self, property: &mut RawProperty) -> Result<()> {
        self.cursor.bump();
        loop {
            self.cursor.skip_blank()?;
            if self.cursor.take("]")? {
                return Ok(());
            }
            let mut byte = 0;
            for _ in 0..2 {
                self.cursor.skip_blank()?;
                let digit = self.cursor.peek().and_then(|b| char::from(b).to_digit(16));
                let Some(digit) = digit else {
                    return self
                        .cursor
                        .expected("two hexadecimal digits for each byte, or `]`");
                };
                byte = byte << 4 | digit as u8;
                self.cursor.bump();
            }
            property.literal.push(byte);
        }
    }

    fn value_reference(&mut self, property: &mut RawProperty, is_phandle: bool) -> Result<()> {
        let start = self.cursor.at();
        let target = self.reference()?;
        property.references.push(Reference {
            at: property.literal.len(),
            target,
            is_phandle,
            span: self.cursor.since(start),
        });
        Ok(())
    }

    /// `&label` or `&{/path}`
    fn reference(&mut self) -> Result<Target> {
        if self.cursor.peek() != Some(b'&') {
            return self.cursor.expected("`&label` or `&{/path}`");
        }
        self.cursor.bump();
        if self.cursor.peek() == Some(b'{') {
            self.cursor.bump();
            let path = self.cursor.take_while(|b| is_name(b) || b == b'/');
            if !path.starts_with('/') {
                return self.cursor.expected("a path that starts with `/`");
            }
            let path = path.to_owned();
            if self.cursor.peek() != Some(b'}') {
                return self.cursor.expected("`}` after the path");
            }
            self.cursor.bump();
            return Ok(Target::Path(path));
        }
        let label = self.cursor.take_while(is_label);
        if label.is_empty() {
            return self.cursor.expected("a label or `{/path}` after `&`");
        }
        Ok(Target::Label(label.to_owned()))
    }

    /// Any number of `label:`, with their places.
    fn labels(&mut self) -> Result<Vec<(String, SourceSpan)>> {
        let mut labels = vec![];
        loop {
            self.cursor.skip_blank()?;
            let length = self
                .cursor
                .rest()
                .bytes()
                .take_while(|b| is_name(*b))
                .count();
            if length == 0 || self.cursor.rest().as_bytes().get(length) != Some(&b':') {
                return Ok(labels);
            }
            let start = self.cursor.at();
            let label = self.cursor.take_while(is_name).to_owned();
            let span = self.cursor.since(start);
            if !label.bytes().all(is_label) || label.starts_with(|c: char| c.is_ascii_digit()) {
                let message =
                    format!("found `{label}`, expected a label of letters, digits and `_`");
                return self.cursor.error(span, message);
            }
            self.cursor.bump();
            labels.push((label, span));
        }
    }

    /// Binds labels to a node.
    fn define(&mut self, labels: Vec<(String, SourceSpan)>, node: usize) -> Result<()> {
        for (label, span) in labels {
            match self.labels.get(&label) {
                Some(old) if *old != node => {
                    let message = format!("label `{label}` names {} already", self.path(*old));
                    return self.cursor.error(span, message);
                }
                _ => self.labels.insert(label, node),
            };
        }
        Ok(())
    }

    /// `/delete-node/ name;` inside of a node.
    fn delete_node(&mut self, node: usize, block: &mut Block) -> Result<()> {
        self.cursor.need("/delete-node/")?;
        self.cursor.skip_blank()?;
        let start = self.cursor.at();
        let name = self.cursor.take_while(is_name).to_owned();
        let Some(child) = self.child_called(node, &name) else {
            let message = format!("{} has no child `{name}` to delete", self.path(node));
            return self.cursor.error(self.cursor.since(start), message);
        };
        self.delete(child);
        block.nodes.remove(&name);
        self.cursor.need(";")
    }

    /// `/delete-property/ name;` inside of a node.
    fn delete_property(&mut self, node: usize, block: &mut Block) -> Result<()> {
        self.cursor.need("/delete-property/")?;
        self.cursor.skip_blank()?;
        let start = self.cursor.at();
        let name = self.cursor.take_while(is_name);
        let properties = &mut self.nodes[node].properties;
        let Some(index) = properties.iter().position(|p| p.name == name) else {
            let message = format!("{} has no property `{name}` to delete", self.path(node));
            return self.cursor.error(self.cursor.since(start), message);
        };
        properties.remove(index);
        block.properties.remove(name);
        self.cursor.need(";")
    }

    /// Takes a node, its descendants and their labels out of the tree.
    fn delete(&mut self, node: usize) {
        let parent = self.nodes[node].parent;
        self.nodes[parent].children.retain(|child| *child != node);
        self.nodes[parent].by_name.retain(|_, child| *child != node);
        let mut doomed = vec![node];
        let mut next = 0;
        while let Some(at) = doomed.get(next) {
            let children = self.nodes[*at].children.clone();
            doomed.extend(children);
            next += 1;
        }
        let doomed: BTreeSet<usize> = doomed.into_iter().collect();
        self.labels.retain(|_, node| !doomed.contains(node));
    }

    /// The node that a reference names, as far as the text has been read.
    fn find(&self, target: &Target, span: SourceSpan) -> Result<usize> {
        let (found, message) = match target {
            Target::Label(label) => (
                self.labels.get(label).copied(),
                format!("no node has the label `{label}`"),
            ),
            Target::Path(path) => {
                let parts = path.split('/').filter(|part| !part.is_empty());
                let node = parts
                    .into_iter()
                    .try_fold(0, |at, part| self.child_called(at, part));
                (node, format!("no node has the path `{path}`"))
            }
        };
        found.map_or_else(|| self.cursor.error(span, message), Ok)
    }

    fn path(&self, mut node: usize) -> String {
        let mut parts = vec![];
        while node != 0 {
            parts.push(self.nodes[node].name.as_str());
            node = self.nodes[node].parent;
        }
        parts.reverse();
        format!("/{}", parts.join("/"))
    }

    /// An error if the next word belongs to the parts of the language that are left out.
    fn refuse_unsupported(&self) -> Result<()> {
        if let Some(directive) = self.cursor.peek_directive() {
            return self.unsupported(directive.len(), &format!("`{directive}`"));
        }
        let word = self.cursor.rest();
        let is_preprocessor = |name: &&&str| {
            let after = word
                .strip_prefix('#')
                .and_then(|w| w.trim_start().strip_prefix(**name));
            after.is_some_and(|w| !w.starts_with(|c: char| c.is_ascii() && is_name(c as u8)))
        };
        match PREPROCESSOR.iter().find(is_preprocessor) {
            Some(name) => self.unsupported(1, &format!("`#{name}` of the C preprocessor")),
            None => Ok(()),
        }
    }

    fn unsupported<T>(&self, length: usize, what: &str) -> Result<T> {
        let span = (self.cursor.at(), length).into();
        let message = format!("{what} is not in the supported subset");
        let error = self.cursor.text_error(span, message);
        Err(error
            .with_help("build a blob with cpp and dtc, and give that")
            .into())
    }
}

/// What may follow a `#` at the start of a statement without being a property.
const PREPROCESSOR: &[&str] = &[
    "include", "define", "undef", "if", "ifdef", "ifndef", "elif", "else", "endif", "error",
    "pragma", "line",
];

fn is_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// From the nodes of the text to the tree of the kernel.
impl Parser<'_> {
    /// Puts nodes into document order, gives out phandles and fills in references.
    fn resolve(mut self, file_name: &str) -> Result<Parsed> {
        let order = self.document_order();
        self.assign_phandles(&order)?;
        let mut ids = BTreeMap::new();
        let mut tree = Tree::with_root();
        let mut origins = Origins::default();
        for raw in order {
            let id = match raw {
                0 => Tree::ROOT,
                _ => tree.add_child(ids[&self.nodes[raw].parent], self.nodes[raw].name.clone()),
            };
            ids.insert(raw, id);
            for property in &self.nodes[raw].properties {
                let (value, origin) = self.finish(property)?;
                let name = property.name.clone();
                origins.properties.insert((id, name.clone()), origin);
                let properties = &mut tree.nodes[id.0 as usize].properties;
                properties.push(Property { name, value });
            }
        }
        let labels = self.labels.iter();
        let labels = labels
            .map(|(label, raw)| (label.clone(), ids[raw]))
            .collect();
        let name = stem(file_name);
        Ok(Parsed {
            board: Board {
                name,
                tree,
                labels,
                acpi: None,
            },
            origins,
        })
    }

    /// All nodes that were not deleted, parents first.
    fn document_order(&self) -> Vec<usize> {
        let mut order = vec![];
        let mut stack = vec![0];
        while let Some(node) = stack.pop() {
            order.push(node);
            stack.extend(self.nodes[node].children.iter().rev());
        }
        order
    }

    /// Gives a `phandle` to each node that is referred to and has none.
    fn assign_phandles(&mut self, order: &[usize]) -> Result<()> {
        let mut used = self.explicit_phandles(order)?;
        let mut next = 1;
        for node in order {
            for target in self.phandle_targets(*node)? {
                if self.phandle(target).is_some() {
                    continue;
                }
                while !used.insert(next) {
                    next += 1;
                }
                self.nodes[target].properties.push(RawProperty {
                    name: "phandle".to_owned(),
                    span: (0, 0).into(),
                    literal: next.to_be_bytes().to_vec(),
                    references: vec![],
                    cells: vec![],
                });
            }
        }
        Ok(())
    }

    /// The phandles that the text gives itself; an error if one is given twice or is no phandle.
    fn explicit_phandles(&self, order: &[usize]) -> Result<BTreeSet<u32>> {
        let mut owners: BTreeMap<u32, usize> = BTreeMap::new();
        for node in order {
            let properties = self.nodes[*node].properties.iter();
            for property in properties.filter(|p| p.name == "phandle" || p.name == "linux,phandle")
            {
                let Some(phandle) = phandle_value(property) else {
                    let message =
                        "found no phandle, expected one cell that is neither 0 nor 0xffffffff";
                    return self.cursor.error(property.span, message);
                };
                match owners.insert(phandle, *node) {
                    Some(old) if old != *node => {
                        let message =
                            format!("{} has phandle {phandle:#x} already", self.path(old));
                        return self.cursor.error(property.span, message);
                    }
                    _ => {}
                }
            }
        }
        Ok(owners.into_keys().collect())
    }

    /// The nodes that the cells of a node refer to, in the order of the text.
    fn phandle_targets(&self, node: usize) -> Result<Vec<usize>> {
        let properties = self.nodes[node].properties.iter();
        let references = properties.flat_map(|p| &p.references);
        references
            .filter(|r| r.is_phandle)
            .map(|r| self.find(&r.target, r.span))
            .collect()
    }

    fn phandle(&self, node: usize) -> Option<u32> {
        let properties = &self.nodes[node].properties;
        let by_name = |name: &str| properties.iter().find(|p| p.name == name);
        phandle_value(by_name("phandle").or_else(|| by_name("linux,phandle"))?)
    }

    /// The bytes of a property with its references filled in, and where its cells stand.
    fn finish(&self, property: &RawProperty) -> Result<(Vec<u8>, Origin)> {
        let mut value = vec![];
        let mut copied = 0;
        // inserted[n]: bytes that the first n references take.
        let mut inserted = vec![0];
        for reference in &property.references {
            value.extend(&property.literal[copied..reference.at]);
            copied = reference.at;
            let node = self.find(&reference.target, reference.span)?;
            if reference.is_phandle {
                value.extend(self.phandle(node).unwrap_or(0).to_be_bytes());
            } else {
                value.extend(self.path(node).into_bytes());
                value.push(0);
            }
            inserted.push(value.len() - copied);
        }
        value.extend(&property.literal[copied..]);
        let cells = property.cells.iter();
        let cells = cells.map(|(at, before, span)| (at + inserted[*before], *span));
        let origin = Origin {
            name: property.span,
            cells: cells.collect(),
        };
        Ok((value, origin))
    }
}

/// The phandle in a `phandle` property.
fn phandle_value(property: &RawProperty) -> Option<u32> {
    let bytes: [u8; 4] = property.literal.as_slice().try_into().ok()?;
    let phandle = u32::from_be_bytes(bytes);
    let is_plain = property.references.is_empty() && phandle != 0 && phandle != u32::MAX;
    is_plain.then_some(phandle)
}
