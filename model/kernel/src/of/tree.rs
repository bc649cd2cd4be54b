//! A flattened or textual device tree, unpacked: what `struct device_node` and
//! `struct property` hold in include/linux/of.h.
//!
//! Property values are kept as the bytes of the blob (big endian cells), so a tree read from
//! text and one read from a blob are equal when they say the same.

/// Index of a node in [`Tree::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// One property: its name and its bytes as they stand in a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Name, such as `iommus`.
    pub name: String,
    /// Value; cells are big endian, strings end with a zero byte.
    pub value: Vec<u8>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Name with unit address, such as `mmc@ee100000`; empty for the root.
    pub name: String,
    /// Parent, `None` for the root.
    pub parent: Option<NodeId>,
    /// Children in the order of the source.
    pub children: Vec<NodeId>,
    /// Properties in the order of the source.
    pub properties: Vec<Property>,
}

/// A whole tree. Node 0 is the root and nodes stand in document order (parents first).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tree {
    /// All nodes.
    pub nodes: Vec<Node>,
}

impl Tree {
    /// The root node.
    pub const ROOT: NodeId = NodeId(0);

    /// A tree that holds an empty root and nothing else.
    pub fn with_root() -> Self {
        Self {
            nodes: vec![Node {
                name: String::new(),
                parent: None,
                children: vec![],
                properties: vec![],
            }],
        }
    }

    /// Appends a child to `parent` and gives its id.
    pub fn add_child(&mut self, parent: NodeId, name: impl Into<String>) -> NodeId {
        let id = NodeId(
            u32::try_from(self.nodes.len()).expect("a device tree has fewer than 2^32 nodes"),
        );
        self.nodes.push(Node {
            name: name.into(),
            parent: Some(parent),
            children: vec![],
            properties: vec![],
        });
        self.nodes[parent.0 as usize].children.push(id);
        id
    }

    /// The node with this id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// All ids in document order.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// Bytes of a property, `None` if the node lacks it.
    pub fn property(&self, id: NodeId, name: &str) -> Option<&[u8]> {
        self.node(id)
            .properties
            .iter()
            .find(|p| p.name == name)
            .map(|p| p.value.as_slice())
    }

    /// A property as 32-bit cells; bytes beyond the last whole cell are left out.
    pub fn cells(&self, id: NodeId, name: &str) -> Option<Vec<u32>> {
        let bytes = self.property(id, name)?;
        Some(
            bytes
                .chunks_exact(4)
                .map(|c| u32::from_be_bytes([c[0], c[1], c[2], c[3]]))
                .collect(),
        )
    }

    /// The first cell of a property.
    pub fn cell(&self, id: NodeId, name: &str) -> Option<u32> {
        self.cells(id, name)?.first().copied()
    }

    /// A property as a list of strings.
    pub fn strings(&self, id: NodeId, name: &str) -> Option<Vec<String>> {
        let bytes = self.property(id, name)?;
        let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
        Some(
            bytes
                .split(|b| *b == 0)
                .map(|s| String::from_utf8_lossy(s).into_owned())
                .collect(),
        )
    }

    /// The first string of a property.
    pub fn string(&self, id: NodeId, name: &str) -> Option<String> {
        self.strings(id, name)?.into_iter().next()
    }

    /// Absolute path, `/` for the root.
    pub fn path(&self, id: NodeId) -> String {
        let mut parts = vec![];
        let mut at = id;
        while let Some(parent) = self.node(at).parent {
            parts.push(self.node(at).name.as_str());
            at = parent;
        }
        parts.reverse();
        format!("/{}", parts.join("/"))
    }

    /// The node that carries this phandle.
    pub fn by_phandle(&self, phandle: u32) -> Option<NodeId> {
        self.ids().find(|id| {
            self.cell(*id, "phandle")
                .or_else(|| self.cell(*id, "linux,phandle"))
                == Some(phandle)
        })
    }

    /// The node at an absolute path. A component may leave out its unit address if that is unambiguous.
    pub fn by_path(&self, path: &str) -> Option<NodeId> {
        let mut at = Self::ROOT;
        for part in path.split('/').filter(|p| !p.is_empty()) {
            let children = &self.node(at).children;
            let exact = children.iter().find(|c| self.node(**c).name == part);
            let short = || {
                let mut hits = children
                    .iter()
                    .filter(|c| self.node(**c).name.split('@').next() == Some(part));
                hits.next().filter(|_| hits.next().is_none())
            };
            at = *exact.or_else(short)?;
        }
        Some(at)
    }

    /// `of_device_is_available()` (drivers/of/base.c): `status` absent, `okay` or `ok`.
    pub fn is_available(&self, id: NodeId) -> bool {
        self.string(id, "status")
            .is_none_or(|s| s == "okay" || s == "ok")
    }

    /// Whether `compatible` lists this string.
    pub fn is_compatible(&self, id: NodeId, compatible: &str) -> bool {
        self.strings(id, "compatible")
            .is_some_and(|l| l.iter().any(|c| c == compatible))
    }
}
