//! What a task of a combination does.

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
    /// device_attach(): a write to `drivers_probe`. A deferral is queued.
    Attach(u8),
    /// A write to `bind`. A deferral is not queued.
    Bind(u8),
    /// A write to `unbind`.
    Unbind(u8),
    /// The workqueue retries what is deferred.
    Retry,
    /// The deferral timeout runs out.
    Timeout,
    /// The client's driver allocates a domain, once it is bound.
    AllocDomain(u8),
    /// User space claims the client's group through vfio, once it is bound.
    Open(u8),
    /// An instance is unbound and bound again.
    RebindIommu(u8),
    /// A client is unbound and bound again.
    Rebind(u8),
    /// A client is bound, and its driver allocates a domain.
    BindAlloc(u8),
    /// A client is bound, and user space claims its group.
    BindOpen(u8),
    /// User space claims a group and gives it back.
    OpenClose(u8),
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
    /// The claim of a group.
    Claim,
    /// A claim is given back.
    Release,
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
            Step::Attach(_) => "attach",
            Step::Bind(_) => "bind",
            Step::Unbind(_) => "unbind",
            Step::Retry => "retry",
            Step::Timeout => "timeout",
            Step::AllocDomain(_) => "alloc-domain",
            Step::Open(_) => "open",
            Step::RebindIommu(_) => "rebind-iommu",
            Step::Rebind(_) => "rebind",
            Step::BindAlloc(_) => "bind-alloc",
            Step::BindOpen(_) => "bind-open",
            Step::OpenClose(_) => "open-close",
        }
    }

    /// Its sorts: one for each thing that it does.
    pub fn sorts(self) -> &'static [Sort] {
        match self {
            Step::RegisterIommu | Step::AddIommu(_) => &[Sort::IommuComes],
            Step::UnbindIommu(_) => &[Sort::IommuGoes],
            Step::AddClient(_) => &[Sort::ClientComes],
            Step::RemoveClient(_) => &[Sort::ClientGoes],
            Step::RegisterClients | Step::Attach(_) | Step::Bind(_) | Step::Retry => &[Sort::Bind],
            Step::Unbind(_) => &[Sort::Unbind],
            Step::Timeout => &[Sort::Timeout],
            Step::AllocDomain(_) => &[Sort::AllocDomain],
            Step::Open(_) => &[Sort::Claim],
            Step::RebindIommu(_) => &[Sort::IommuGoes, Sort::IommuComes],
            Step::Rebind(_) => &[Sort::Unbind, Sort::Bind],
            Step::BindAlloc(_) => &[Sort::Bind, Sort::AllocDomain],
            Step::BindOpen(_) => &[Sort::Bind, Sort::Claim],
            Step::OpenClose(_) => &[Sort::Claim, Sort::Release],
        }
    }

    /// Whether it does two things, one after the other.
    pub fn is_double(self) -> bool {
        self.sorts().len() > 1
    }

    /// The client that it is about.
    pub fn client(self) -> Option<u8> {
        match self {
            Step::AddClient(c)
            | Step::RemoveClient(c)
            | Step::Attach(c)
            | Step::Bind(c)
            | Step::Unbind(c)
            | Step::AllocDomain(c)
            | Step::Open(c)
            | Step::Rebind(c)
            | Step::BindAlloc(c)
            | Step::BindOpen(c)
            | Step::OpenClose(c) => Some(c),
            _ => None,
        }
    }

    /// The instance that it is about, if it is about one.
    fn instance(self) -> Option<u8> {
        match self {
            Step::AddIommu(i) | Step::UnbindIommu(i) | Step::RebindIommu(i) => Some(i),
            _ => None,
        }
    }

    /// Whether an IOMMU comes or goes.
    pub fn is_of_iommu(self) -> bool {
        self == Step::RegisterIommu || self.instance().is_some()
    }

    /// Whether user space claims a group.
    pub fn is_claim(self) -> bool {
        self.sorts().contains(&Sort::Claim)
    }

    /// Whether it takes the driver from its client, for a while or for good.
    pub fn unbinds(self) -> bool {
        let is_end = |s: &Sort| matches!(s, Sort::Unbind | Sort::ClientGoes);
        self.sorts().iter().any(is_end)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.instance(), self.client()) {
            (Some(n), _) => write!(f, "{} {n}", self.word()),
            (None, Some(n)) => write!(f, "{} client{n}", self.word()),
            (None, None) => f.write_str(self.word()),
        }
    }
}
