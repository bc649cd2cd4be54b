//! The space: boards times client drivers times sets of tasks, each once, and only those that make
//! sense.

use super::board::{Layout, layouts};
use super::step::Step;
use serde::Serialize;

/// What kind of driver the clients have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flavour {
    /// One that uses the DMA API.
    Plain,
    /// One that probes asynchronously.
    Async,
    /// One with driver_managed_dma.
    ManagedDma,
    /// A vfio driver.
    Vfio,
}

impl Flavour {
    const ALL: [Flavour; 4] = [
        Flavour::Plain,
        Flavour::Async,
        Flavour::ManagedDma,
        Flavour::Vfio,
    ];

    /// Its word, which is the option of a `driver` line but for plain ones.
    pub fn word(self) -> &'static str {
        match self {
            Flavour::Plain => "plain",
            Flavour::Async => "async",
            Flavour::ManagedDma => "managed-dma",
            Flavour::Vfio => "vfio",
        }
    }
}

/// A point of the space: one litmus test.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Combination {
    /// The board.
    pub layout: Layout,
    /// The clients' driver.
    pub flavour: Flavour,
    /// A task each, in ascending order: which of them is P0 makes no difference.
    pub steps: Vec<Step>,
}

/// All combinations of at most this many tasks, the small ones first.
pub fn combinations(tasks: usize) -> Vec<Combination> {
    let mut all = vec![];
    for layout in layouts() {
        let steps = steps(&layout);
        let mut sets = vec![];
        for size in 1..=tasks.min(if layout.is_for_triples() { 3 } else { 2 }) {
            let single = |s: &&Step| size < 3 || !s.is_double();
            let steps: Vec<Step> = steps.iter().filter(single).copied().collect();
            subsets(&steps, size, &mut vec![], &mut sets);
        }
        let flavours = Flavour::ALL.into_iter();
        for flavour in flavours.filter(|f| layout.has_flavour(*f)) {
            let one = |steps: &Vec<Step>| Combination {
                layout,
                flavour,
                steps: steps.clone(),
            };
            all.extend(sets.iter().map(one).filter(Combination::makes_sense));
        }
    }
    // Sorted stably: boards stay in their order.
    all.sort_by_key(|c| (c.steps.len(), c.layout.clients(), c.layout.wiring.instances));
    all
}

/// All that a task can do on this board.
fn steps(layout: &Layout) -> Vec<Step> {
    let clients = 0..layout.clients();
    let instances = 0..layout.wiring.instances;
    let mut all = vec![
        Step::RegisterIommu,
        Step::RegisterClients,
        Step::Retry,
        Step::Timeout,
    ];
    if layout.can_be_added() {
        all.extend(instances.clone().map(Step::AddIommu));
    }
    if layout.can_be_unbound() {
        all.extend(instances.clone().map(Step::UnbindIommu));
        all.extend(instances.map(Step::RebindIommu));
    }
    for of in [
        Step::AddClient,
        Step::RemoveClient,
        Step::Attach,
        Step::Bind,
        Step::Unbind,
        Step::AllocDomain,
        Step::Open,
        Step::Rebind,
        Step::BindAlloc,
        Step::BindOpen,
        Step::OpenClose,
    ] {
        all.extend(clients.clone().map(of));
    }
    all.sort();
    all
}

/// The subsets of this size, in order.
fn subsets(of: &[Step], size: usize, chosen: &mut Vec<Step>, sets: &mut Vec<Vec<Step>>) {
    if size == 0 {
        sets.push(chosen.clone());
        return;
    }
    for (n, step) in of.iter().enumerate() {
        chosen.push(*step);
        subsets(&of[n + 1..], size - 1, chosen, sets);
        chosen.pop();
    }
}

impl Combination {
    /// `dt-smmu-v3-one plain: register-iommu | bind client0`
    pub fn name(&self) -> String {
        let steps: Vec<String> = self.steps.iter().map(Step::to_string).collect();
        let (board, flavour) = (self.layout.name(), self.flavour.word());
        format!("{board} {flavour}: {}", steps.join(" | "))
    }

    /// Whether a task does this.
    pub fn has(&self, step: Step) -> bool {
        self.steps.contains(&step)
    }

    fn has_any(&self, of: &[Step]) -> bool {
        of.iter().any(|s| self.has(*s))
    }

    /// Whether the instance is registered before the tasks start.
    fn is_up(&self, instance: u8) -> bool {
        !self.has(Step::RegisterIommu) && !self.has(Step::AddIommu(instance))
    }

    /// Whether the client is bound before the tasks start.
    fn is_bound(&self, client: u8) -> bool {
        let instances = self.layout.wiring.clients[client as usize];
        let is_registered = self.layout.has_own_driver(client) || !self.has(Step::RegisterClients);
        instances.iter().all(|i| self.is_up(*i))
            && is_registered
            && !self.has(Step::AddClient(client))
    }

    /// Whether a task may bind the client.
    fn binds(&self, client: u8) -> bool {
        self.has_any(&[
            Step::RegisterClients,
            Step::AddClient(client),
            Step::Attach(client),
            Step::Bind(client),
            Step::Retry,
        ])
    }

    /// Whether the client's driver is one of vfio.
    fn is_of_vfio(&self, client: u8) -> bool {
        self.flavour == Flavour::Vfio || self.layout.has_own_driver(client)
    }

    /// Whether each task has something to do, and does what a bus, a driver or a person could do
    /// then.
    fn makes_sense(&self) -> bool {
        self.steps.iter().all(|s| self.step_makes_sense(*s))
            && self.flavour_makes_sense()
            && self.claims_make_sense()
    }

    fn step_makes_sense(&self, step: Step) -> bool {
        let has_iommu_step = self.steps.iter().any(|s| s.is_of_iommu());
        match step {
            // Nothing can be done by hand to a device that is not there yet.
            Step::AddClient(c) => {
                let by_hand = |s: &Step| s.client() == Some(c) && *s != step;
                !self
                    .steps
                    .iter()
                    .any(|s| by_hand(s) && !matches!(s, Step::AllocDomain(_) | Step::Open(_)))
            }
            Step::AddIommu(i) => !self.has_any(&[Step::UnbindIommu(i), Step::RebindIommu(i)]),
            Step::RebindIommu(i) => self.is_up(i) && !self.has(Step::UnbindIommu(i)),
            // A driver that allocates is not unbound before it has done so.
            Step::AllocDomain(c) => {
                (self.is_bound(c) || self.binds(c)) && !self.is_unbound_by_a_task(c)
            }
            Step::BindAlloc(c) => !self.is_bound(c) && !self.is_unbound_by_a_task(c),
            Step::Attach(c) | Step::Bind(c) => !self.is_bound(c) || self.has(Step::Unbind(c)),
            Step::Unbind(c) => self.is_bound(c) || self.binds(c),
            Step::Rebind(c) => self.is_bound(c) && !self.has(Step::Unbind(c)),
            Step::Open(c) | Step::OpenClose(c) => {
                self.is_of_vfio(c) && (self.is_bound(c) || self.binds(c))
            }
            Step::BindOpen(c) => self.is_of_vfio(c) && !self.is_bound(c),
            // The work is done in a task, and the timeout waits for it.
            Step::Timeout => has_iommu_step && self.has(Step::Retry),
            Step::Retry => has_iommu_step,
            Step::RegisterIommu
            | Step::UnbindIommu(_)
            | Step::RegisterClients
            | Step::RemoveClient(_) => true,
        }
    }

    fn is_unbound_by_a_task(&self, client: u8) -> bool {
        let mut of_client = self.steps.iter().filter(|s| s.client() == Some(client));
        of_client.any(|s| s.unbinds())
    }

    /// A group is opened by one at a time, and a device of vfio stays bound while its group is open:
    /// its unbinding waits for user space, which the model leaves out.
    fn claims_make_sense(&self) -> bool {
        let mut claims = self.steps.iter().filter(|s| s.is_claim());
        if claims.next().is_none() {
            return true;
        }
        let is_unbound = |s: &Step| {
            let of_vfio = s.client().is_some_and(|c| self.is_of_vfio(c));
            of_vfio && s.unbinds()
        };
        claims.next().is_none() && !self.steps.iter().any(is_unbound)
    }

    /// An asynchronous probe comes of driver_register(), of device_add() and of the retry.
    fn flavour_makes_sense(&self) -> bool {
        let begins =
            |s: &Step| matches!(s, Step::RegisterClients | Step::AddClient(_) | Step::Retry);
        self.flavour != Flavour::Async || self.steps.iter().any(begins)
    }

    /// Whether this is smaller or the same: no more tasks, clients and instances, and nothing
    /// special that the other has not.
    pub fn is_within(&self, other: &Combination) -> bool {
        let sorts = |c: &Combination| {
            let each = c.steps.iter().flat_map(|s| s.sorts());
            each.copied().collect::<Vec<_>>()
        };
        let mut left = sorts(other);
        let all_there = sorts(self).into_iter().all(|sort| {
            let at = left.iter().position(|s| *s == sort);
            at.map(|at| left.swap_remove(at)).is_some()
        });
        all_there
            && self.steps.len() <= other.steps.len()
            && self.layout.is_within(&other.layout)
            && (self.flavour == Flavour::Plain || self.flavour == other.flavour)
    }
}
