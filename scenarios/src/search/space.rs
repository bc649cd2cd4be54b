//! The space: boards times client drivers times sets of tasks, each once, and only those that make
//! sense.

use super::board::{Layout, layouts};
use serde::Serialize;
use std::fmt;

/// What one task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Step {
    /// driver_register() of the IOMMU's driver: all instances that are there register.
    RegisterIommu,
    /// device_add() of an instance whose driver is there.
    AddIommu(u8),
    /// A write to `unbind` of an instance.
    UnbindIommu(u8),
    /// driver_register() of the clients' driver.
    RegisterClients,
    /// device_add() of a client.
    AddClient(u8),
    /// device_del() of a client.
    RemoveClient(u8),
    /// A write to `bind`.
    Bind(u8),
    /// A write to `unbind`.
    Unbind(u8),
    /// The workqueue retries what is deferred.
    Retry,
    /// The deferral timeout runs out.
    Timeout,
    /// The client's driver allocates a domain.
    AllocDomain(u8),
}

/// A sort of [`Step`], as far as findings are told apart: what it comes to for the core, not to
/// whom it is done, nor by which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// An instance registers.
    IommuComes,
    /// An instance is unregistered.
    IommuGoes,
    /// A client is added, and bound.
    ClientComes,
    /// A client is removed, and unbound.
    ClientGoes,
    /// A client's driver probes.
    Bind,
    /// A client's driver is unbound.
    Unbind,
    /// The deferral timeout.
    Timeout,
    /// The allocation of a domain.
    AllocDomain,
}

impl Step {
    /// What it does, in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Step::RegisterIommu => "register-iommu",
            Step::AddIommu(_) => "add-iommu",
            Step::UnbindIommu(_) => "unbind-iommu",
            Step::RegisterClients => "register-clients",
            Step::AddClient(_) => "add",
            Step::RemoveClient(_) => "remove",
            Step::Bind(_) => "bind",
            Step::Unbind(_) => "unbind",
            Step::Retry => "retry",
            Step::Timeout => "timeout",
            Step::AllocDomain(_) => "alloc-domain",
        }
    }

    /// Its sort.
    pub fn sort(self) -> Sort {
        match self {
            Step::RegisterIommu | Step::AddIommu(_) => Sort::IommuComes,
            Step::UnbindIommu(_) => Sort::IommuGoes,
            Step::AddClient(_) => Sort::ClientComes,
            Step::RemoveClient(_) => Sort::ClientGoes,
            Step::RegisterClients | Step::Bind(_) | Step::Retry => Sort::Bind,
            Step::Unbind(_) => Sort::Unbind,
            Step::Timeout => Sort::Timeout,
            Step::AllocDomain(_) => Sort::AllocDomain,
        }
    }

    /// The client that it is about.
    fn client(self) -> Option<u8> {
        match self {
            Step::AddClient(c)
            | Step::RemoveClient(c)
            | Step::Bind(c)
            | Step::Unbind(c)
            | Step::AllocDomain(c) => Some(c),
            _ => None,
        }
    }

    /// Whether an IOMMU comes or goes.
    fn is_of_iommu(self) -> bool {
        matches!(
            self,
            Step::RegisterIommu | Step::AddIommu(_) | Step::UnbindIommu(_)
        )
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::AddIommu(n) | Step::UnbindIommu(n) => write!(f, "{} {n}", self.word()),
            _ => match self.client() {
                Some(n) => write!(f, "{} client{n}", self.word()),
                None => f.write_str(self.word()),
            },
        }
    }
}

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

/// More clients than this: no triples, and plain drivers only.
const FEW: u8 = 2;

/// All combinations of at most this many tasks, the small ones first.
pub fn combinations(tasks: usize) -> Vec<Combination> {
    let mut all = vec![];
    for layout in layouts() {
        let is_small = layout.clients() <= FEW;
        let steps = steps(&layout);
        let mut sets = vec![];
        for size in 2..=tasks.min(if is_small { 3 } else { 2 }) {
            subsets(&steps, size, &mut vec![], &mut sets);
        }
        for flavour in Flavour::ALL {
            if flavour != Flavour::Plain && !is_small {
                continue;
            }
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
    all.extend(instances.clone().map(Step::AddIommu));
    if layout.can_be_unbound() {
        all.extend(instances.map(Step::UnbindIommu));
    }
    for of in [
        Step::AddClient,
        Step::RemoveClient,
        Step::Bind,
        Step::Unbind,
        Step::AllocDomain,
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

    /// Whether the instance is registered before the tasks start.
    fn is_up(&self, instance: u8) -> bool {
        !self.has(Step::RegisterIommu) && !self.has(Step::AddIommu(instance))
    }

    /// Whether the client is bound before the tasks start.
    fn is_bound(&self, client: u8) -> bool {
        let instances = self.layout.wiring.clients[client as usize];
        instances.iter().all(|i| self.is_up(*i))
            && !self.has(Step::RegisterClients)
            && !self.has(Step::AddClient(client))
    }

    /// Whether each task has something to do, and does what a bus or a person could do then.
    fn makes_sense(&self) -> bool {
        self.steps.iter().all(|s| self.step_makes_sense(*s)) && self.flavour_makes_sense()
    }

    fn step_makes_sense(&self, step: Step) -> bool {
        let any = |of: &[Step]| of.iter().any(|s| self.has(*s));
        let has_iommu_step = self.steps.iter().any(|s| s.is_of_iommu());
        match step {
            // Nothing can be done by hand to a device that is not there yet.
            Step::AddClient(c) => !any(&[
                Step::RemoveClient(c),
                Step::Bind(c),
                Step::Unbind(c),
                Step::AllocDomain(c),
            ]),
            Step::AddIommu(i) => !any(&[Step::UnbindIommu(i)]),
            // A driver that allocates is not unbound before it has done so.
            Step::AllocDomain(c) => !any(&[Step::Unbind(c), Step::RemoveClient(c)]),
            Step::Bind(c) => !self.is_bound(c) || any(&[Step::Unbind(c)]),
            Step::Unbind(c) => {
                self.is_bound(c) || any(&[Step::RegisterClients, Step::Bind(c), Step::Retry])
            }
            // The work is done in a task, and the timeout waits for it.
            Step::Timeout => has_iommu_step && any(&[Step::Retry]),
            Step::Retry => has_iommu_step,
            Step::RegisterIommu
            | Step::UnbindIommu(_)
            | Step::RegisterClients
            | Step::RemoveClient(_) => true,
        }
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
        let sorts = |c: &Combination| c.steps.iter().map(|s| s.sort()).collect::<Vec<_>>();
        let mut left = sorts(other);
        let all_there = sorts(self).into_iter().all(|sort| {
            let at = left.iter().position(|s| *s == sort);
            at.map(|at| left.swap_remove(at)).is_some()
        });
        all_there
            && self.layout.clients() <= other.layout.clients()
            && self.layout.wiring.instances <= other.layout.wiring.instances
            && self.layout.firmware <= other.layout.firmware
            && (self.flavour == Flavour::Plain || self.flavour == other.flavour)
    }
}
