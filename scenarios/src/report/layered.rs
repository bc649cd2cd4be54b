//! A directed graph in layers from left to right, after Sugiyama, Tagawa and Toda (1981): edges that
//! close a cycle are turned round for the layout alone; a node stands one layer right of the last
//! one that leads to it; an edge that skips layers goes through a place of its own in each; and the
//! places of a layer are sorted by the mean of their neighbours. An edge of a node to itself is drawn
//! above it.

/// Height of a node's place, and that of an edge that only passes by.
const NODE: usize = 36;
/// What a node needs above it for an edge to itself.
const LOOP: usize = 16;
const PASS: usize = 14;
/// Between two layers.
const GAP: usize = 84;
/// How often the layers are sorted, from left to right and back.
const SWEEPS: usize = 6;

/// Where everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layered {
    /// Each node's left edge and the middle of its height.
    pub(super) nodes: Vec<(usize, usize)>,
    /// For each edge the places that it goes by, from where it begins to where it ends: left edge,
    /// right edge, and the middle of the height.
    pub(super) edges: Vec<Vec<(usize, usize, usize)>>,
    /// The width and height of all.
    pub(super) size: (usize, usize),
}

/// A place in a layer: a node, or an edge that passes by.
struct Place {
    layer: usize,
    /// The places in the next layer that it leads to.
    next: Vec<usize>,
    /// And those in the layer before that lead to it.
    before: Vec<usize>,
    height: usize,
}

/// Lays out nodes of these widths. Edges of a node to itself take no part in it.
pub(super) fn lay_out(widths: &[usize], edges: &[(usize, usize)]) -> Layered {
    let turned: Vec<bool> = turned(widths.len(), edges);
    let forward: Vec<(usize, usize)> = edges
        .iter()
        .zip(&turned)
        .map(|(&(a, b), &is_turned)| if is_turned { (b, a) } else { (a, b) })
        .collect();
    let layers = layers(widths.len(), &forward);
    let mut places: Vec<Place> = layers.iter().map(|&l| Place::new(l, NODE)).collect();
    for &(node, _) in edges.iter().filter(|(a, b)| a == b) {
        places[node].height = NODE + LOOP;
    }
    let chains: Vec<Vec<usize>> = forward.iter().map(|e| chain(&mut places, *e)).collect();
    let order = sorted(&places);
    let (ys, height) = heights(&places, &order);
    let (columns, width) = columns(widths, &layers);
    let span = |place: usize| {
        let (left, right) = columns[places[place].layer];
        let right = widths.get(place).map_or(right, |w| left + w);
        (left, right, ys[place])
    };
    let route = |(chain, is_turned): (&Vec<usize>, &bool)| {
        let mut route: Vec<_> = chain.iter().map(|&p| span(p)).collect();
        if *is_turned {
            route.reverse();
        }
        route
    };
    Layered {
        nodes: (0..widths.len())
            .map(|n| (columns[layers[n]].0, ys[n]))
            .collect(),
        edges: chains.iter().zip(&turned).map(route).collect(),
        size: (width, height),
    }
}

impl Place {
    fn new(layer: usize, height: usize) -> Self {
        Self {
            layer,
            next: vec![],
            before: vec![],
            height,
        }
    }
}

/// Which edges lead back to a node that is still open when the graph is gone through in depth.
fn turned(nodes: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    fn visit(at: usize, edges: &[(usize, usize)], state: &mut [u8], turned: &mut [bool]) {
        state[at] = 1;
        for (nth, &(from, to)) in edges.iter().enumerate() {
            if from != at || to == at {
                continue;
            }
            match state[to] {
                0 => visit(to, edges, state, turned),
                1 => turned[nth] = true,
                _ => {}
            }
        }
        state[at] = 2;
    }
    let (mut state, mut turned) = (vec![0; nodes], vec![false; edges.len()]);
    for node in 0..nodes {
        if state[node] == 0 {
            visit(node, edges, &mut state, &mut turned);
        }
    }
    turned
}

/// The longest way to each node; there are no cycles.
fn layers(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layers = vec![0; nodes];
    for _ in 0..nodes {
        for &(from, to) in edges.iter().filter(|(a, b)| a != b) {
            layers[to] = layers[to].max(layers[from] + 1);
        }
    }
    layers
}

/// The places that an edge goes by, with new ones in the layers that it skips.
fn chain(places: &mut Vec<Place>, (from, to): (usize, usize)) -> Vec<usize> {
    let mut chain = vec![from];
    for layer in places[from].layer + 1..places[to].layer {
        places.push(Place::new(layer, PASS));
        chain.push(places.len() - 1);
    }
    chain.push(to);
    for pair in chain.windows(2).filter(|p| p[0] != p[1]) {
        places[pair[0]].next.push(pair[1]);
        places[pair[1]].before.push(pair[0]);
    }
    chain
}

/// The places of each layer from top to bottom.
fn sorted(places: &[Place]) -> Vec<Vec<usize>> {
    let last = places.iter().map(|p| p.layer).max().unwrap_or(0);
    let mut order: Vec<Vec<usize>> = vec![vec![]; last + 1];
    for (nth, place) in places.iter().enumerate() {
        order[place.layer].push(nth);
    }
    for sweep in 0..SWEEPS {
        let is_forward = sweep % 2 == 0;
        for step in 0..=last {
            let layer = if is_forward { step } else { last - step };
            let at = |p: usize| order[places[p].layer].iter().position(|q| *q == p);
            let mean = |p: &usize| {
                let place = &places[*p];
                let near = if is_forward {
                    &place.before
                } else {
                    &place.next
                };
                let near = if near.is_empty() { &[*p][..] } else { near };
                // In thousandths of a place: no floating point in what is drawn.
                near.iter().filter_map(|q| at(*q)).sum::<usize>() * 1000 / near.len()
            };
            let mut keyed: Vec<(usize, usize)> =
                order[layer].iter().map(|p| (mean(p), *p)).collect();
            keyed.sort_by_key(|(mean, _)| *mean);
            order[layer] = keyed.into_iter().map(|(_, p)| p).collect();
        }
    }
    order
}

/// The middle of each place; each layer stands in the middle of the whole.
fn heights(places: &[Place], order: &[Vec<usize>]) -> (Vec<usize>, usize) {
    let of_layer = |layer: &Vec<usize>| layer.iter().map(|p| places[*p].height).sum::<usize>();
    let height = order.iter().map(of_layer).max().unwrap_or(0);
    let mut ys = vec![0; places.len()];
    for layer in order {
        let mut y = (height - of_layer(layer)) / 2;
        for &place in layer {
            y += places[place].height;
            ys[place] = y - places[place].height.min(NODE) / 2;
        }
    }
    (ys, height)
}

/// The left and right edge of each layer, and the width of all.
fn columns(widths: &[usize], layers: &[usize]) -> (Vec<(usize, usize)>, usize) {
    let last = layers.iter().max().map_or(0, |l| l + 1);
    let mut left = 0;
    let mut columns = vec![];
    for layer in 0..last {
        let of_layer = widths.iter().zip(layers).filter(|(_, l)| **l == layer);
        let widest = of_layer.map(|(w, _)| *w).max().unwrap_or(0);
        columns.push((left, left + widest));
        left += widest + GAP;
    }
    (columns, left.saturating_sub(GAP))
}

#[cfg(test)]
mod tests {
    use super::{GAP, LOOP, NODE, lay_out};

    #[test]
    fn every_edge_leads_to_the_right_and_a_cycle_is_closed_by_one_back() {
        let edges = [(0, 1), (1, 2), (0, 2), (2, 1), (3, 3)];
        let laid = lay_out(&[50, 60, 70, 10], &edges);
        let lefts: Vec<usize> = laid.nodes.iter().map(|n| n.0).collect();
        assert_eq!(lefts, [0, 50 + GAP, 50 + GAP + 60 + GAP, 0]);
        assert!(
            laid.nodes[3].1 >= laid.nodes[0].1 + NODE + LOOP,
            "room for the loop"
        );
        let leads_right = |route: &Vec<(usize, usize, usize)>| {
            route.first().map(|p| p.0) < route.last().map(|p| p.0)
        };
        let directions: Vec<bool> = laid.edges.iter().map(leads_right).collect();
        assert_eq!(directions, [true, true, true, false, false]);
        // The edge that skips a layer goes by a place of its own there.
        assert_eq!(laid.edges[2].len(), 3);
        assert_ne!(laid.edges[2][1].2, laid.nodes[1].1);
    }

    /// a is above b, and what they lead to is sorted the same way round.
    #[test]
    fn edges_that_need_not_cross_do_not() {
        let laid = lay_out(&[10; 4], &[(0, 3), (1, 2)]);
        let y = |n: usize| laid.nodes[n].1;
        assert!(y(0) < y(1) && y(3) < y(2), "{laid:?}");
    }

    #[test]
    fn nothing_at_all_has_no_size() {
        assert_eq!(lay_out(&[], &[]).size, (0, 0));
    }
}
