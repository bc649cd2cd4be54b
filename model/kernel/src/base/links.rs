//! drivers/base/core.c, the part about device links. Follows v7.3-rc7.
//!
//! Links are those that fw_devlink makes: managed, AUTOPROBE_CONSUMER, and as soon as both
//! devices have been added. Those of rimt_iommu_xlate() are managed, AUTOREMOVE_CONSUMER, and not
//! there until they are made. Left out: sync_state, SYNC_STATE_ONLY links to ancestors, links on a
//! cycle (`board/cycles.rs`), and dev_is_best_effort(). Of fw_devlink_drivers_done() only what
//! becomes of suppliers that no driver of the board matches; a link to one whose driver was never
//! loaded stays as it is. fw_devlink_link_device() reads the node and sets `fwnode->dev` shortly before it takes
//! fwnode_link_lock, here with it. `links.consumers` has the order that it has when devices are
//! added in the order of the board.

use crate::errno::EPROBE_DEFER;
use crate::ids::{DeviceId, LinkId, LinkState, LinksStatus};
use crate::kernel::Kernel;

impl Kernel {
    /// fw_devlink_link_device(): links the device to the suppliers and consumers that are there.
    pub(crate) fn fw_devlink_link_device(&self, dev: DeviceId) {
        let description = self.description(dev);
        self.globals.fwnode_link_lock.lock();
        self.device(dev).fwnode_dev.set(true);
        for id in description
            .consumer_links
            .iter()
            .chain(&description.supplier_links)
        {
            let link = self.board.links[id.index()];
            let both = self.device(link.supplier).fwnode_dev.get()
                && self.device(link.consumer).fwnode_dev.get();
            if both && self.link(*id).get() == LinkState::Fwnode {
                self.device_link_add(*id);
            }
        }
        self.globals.fwnode_link_lock.unlock();
    }

    /// device_link_add(). A consumer that probes or is bound already was faster than its own
    /// device_add().
    fn device_link_add(&self, id: LinkId) {
        self.globals.device_links_lock.lock();
        self.device_link_init_status(id);
        self.globals.device_links_lock.unlock();
    }

    /// device_link_add() with DL_FLAG_AUTOREMOVE_CONSUMER: a link that is there stays as it is.
    pub(crate) fn device_link_add_autoremove(&self, consumer: DeviceId, supplier: DeviceId) {
        let links = &self.description(consumer).supplier_links;
        let is_it = |id: &&LinkId| self.board.links[id.index()].supplier == supplier;
        let Some(id) = links.iter().find(is_it) else {
            return;
        };
        self.globals.device_links_lock.lock();
        if self.link(*id).get() == LinkState::Gone {
            self.device_link_init_status(*id);
        }
        self.globals.device_links_lock.unlock();
    }

    /// device_link_init_status(), with device_links_lock held.
    fn device_link_init_status(&self, id: LinkId) {
        let link = self.board.links[id.index()];
        let supplier = self.device(link.supplier).links_status.get();
        let consumer = self.device(link.consumer).links_status.get();
        self.link(id).set(match (supplier, consumer) {
            (LinksStatus::DriverBound, LinksStatus::DriverBound) => LinkState::Active,
            (LinksStatus::DriverBound | LinksStatus::Probing, LinksStatus::Probing) => {
                LinkState::ConsumerProbe
            }
            (LinksStatus::DriverBound, _) => LinkState::Available,
            _ => LinkState::Dormant,
        });
    }

    /// fw_devlink_parse_fwtree() has been at the device's node: in its own device_add(), or in
    /// that of a device above it. Before that nobody knows of its suppliers.
    fn fwnode_links_added(&self, dev: DeviceId) -> bool {
        std::iter::successors(Some(dev), |d| self.description(*d).parent)
            .any(|d| self.device(d).fwnode_dev.get())
    }

    /// device_links_check_suppliers()
    pub(crate) fn device_links_check_suppliers(&self, dev: DeviceId) -> i32 {
        let suppliers = &self.description(dev).supplier_links;
        self.globals.fwnode_link_lock.lock();
        let missing = self.fwnode_links_added(dev)
            && suppliers
                .iter()
                .any(|l| self.link(*l).get() == LinkState::Fwnode);
        self.globals.fwnode_link_lock.unlock();
        if missing {
            return -EPROBE_DEFER;
        }
        self.globals.device_links_lock.lock();
        let mut ret = 0;
        for id in suppliers {
            let link = self.link(*id);
            match link.get() {
                LinkState::Gone | LinkState::Fwnode => {}
                LinkState::Available => link.set(LinkState::ConsumerProbe),
                _ => {
                    self.device_links_missing_supplier(dev);
                    ret = -EPROBE_DEFER;
                    break;
                }
            }
        }
        self.device(dev).links_status.set(LinksStatus::Probing);
        self.globals.device_links_lock.unlock();
        ret
    }

    /// device_links_missing_supplier(): the links that were taken so far are given back.
    fn device_links_missing_supplier(&self, dev: DeviceId) {
        for id in &self.description(dev).supplier_links {
            let link = self.link(*id);
            if link.get() == LinkState::ConsumerProbe {
                self.give_back(*id);
            }
        }
    }

    fn give_back(&self, id: LinkId) {
        let supplier = self.board.links[id.index()].supplier;
        let is_bound = self.device(supplier).links_status.get() == LinksStatus::DriverBound;
        self.link(id).set(if is_bound {
            LinkState::Available
        } else {
            LinkState::Dormant
        });
    }

    /// fw_devlink_drivers_done(), of v6.12 as of v7.2: nobody waits any longer for a supplier that no
    /// driver matches.
    pub(crate) fn fw_devlink_drivers_done(&self) {
        let is_hopeless = |id: &LinkId| {
            let link = self.board.links[id.index()];
            link.by_fw_devlink && self.description(link.supplier).drivers.is_empty()
        };
        let links = self.board.device_ids();
        let links = links.flat_map(|d| &self.description(d).supplier_links);
        let mut hopeless = links.filter(|id| is_hopeless(id)).peekable();
        if hopeless.peek().is_none() {
            return;
        }
        self.globals.device_links_lock.lock();
        for id in hopeless {
            // fw_devlink_relax_link()
            self.link(*id).set(LinkState::Gone);
        }
        self.globals.device_links_lock.unlock();
    }

    /// `dev->links.consumers`, in the order that it has when devices are added in the order of the
    /// board. Consumers that were there first are linked in device_add() of the supplier, the last
    /// first, since __fwnode_link_add() puts each at the head of `fwnode->consumers`; those that
    /// come later are linked as they come.
    fn links_consumers(&self, dev: DeviceId) -> impl Iterator<Item = LinkId> {
        let links = &self.description(dev).consumer_links;
        let came_first = move |id: &&LinkId| self.board.links[id.index()].consumer.0 < dev.0;
        let first = links.iter().rev().filter(came_first);
        let later = links.iter().filter(move |id| !came_first(id));
        first.chain(later).copied()
    }

    /// device_links_driver_bound(): consumers that wait are put on the deferred list.
    pub(crate) fn device_links_driver_bound(&self, dev: DeviceId) {
        let description = self.description(dev);
        self.globals.fwnode_link_lock.lock();
        if self.device(dev).fwnode_dev.get() {
            for id in &description.supplier_links {
                if self.link(*id).get() == LinkState::Fwnode {
                    self.link(*id).set(LinkState::Gone);
                }
            }
        }
        self.globals.fwnode_link_lock.unlock();
        self.globals.device_links_lock.lock();
        for id in self.links_consumers(dev) {
            let link = self.link(id);
            if link.get() == LinkState::Dormant {
                link.set(LinkState::Available);
                let description = self.board.links[id.index()];
                if description.by_fw_devlink {
                    // DL_FLAG_AUTOPROBE_CONSUMER
                    self.driver_deferred_probe_add(description.consumer);
                }
            }
        }
        for id in &description.supplier_links {
            let link = self.link(*id);
            if link.get() == LinkState::ConsumerProbe {
                link.set(LinkState::Active);
            }
        }
        self.device(dev).links_status.set(LinksStatus::DriverBound);
        self.globals.device_links_lock.unlock();
    }

    /// device_links_no_driver()
    pub(crate) fn device_links_no_driver(&self, dev: DeviceId) {
        let description = self.description(dev);
        self.globals.device_links_lock.lock();
        for id in &description.consumer_links {
            let link = self.link(*id);
            if matches!(link.get(), LinkState::ConsumerProbe | LinkState::Active) {
                link.set(LinkState::Dormant);
            }
        }
        self.__device_links_no_driver(dev);
        self.globals.device_links_lock.unlock();
    }

    fn __device_links_no_driver(&self, dev: DeviceId) {
        for id in self.description(dev).supplier_links.iter().rev() {
            if !self.board.links[id.index()].by_fw_devlink {
                // DL_FLAG_AUTOREMOVE_CONSUMER
                self.link(*id).set(LinkState::Gone);
                continue;
            }
            if matches!(
                self.link(*id).get(),
                LinkState::ConsumerProbe | LinkState::Active
            ) {
                self.give_back(*id);
            }
        }
        self.device(dev).links_status.set(LinksStatus::NoDriver);
    }

    /// device_links_busy(): a consumer that is bound or probing, and must go first.
    pub(crate) fn device_links_busy_consumer(&self, dev: DeviceId) -> Option<DeviceId> {
        self.globals.device_links_lock.lock();
        let mut busy = None;
        for id in &self.description(dev).consumer_links {
            let link = self.link(*id);
            match link.get() {
                LinkState::Gone | LinkState::Fwnode => {}
                LinkState::ConsumerProbe | LinkState::Active => {
                    busy = Some(self.board.links[id.index()].consumer);
                    break;
                }
                // DL_STATE_SUPPLIER_UNBIND: for consumers the same as dormant, which it becomes.
                _ => link.set(LinkState::Dormant),
            }
        }
        self.device(dev).links_status.set(LinksStatus::Unbinding);
        self.globals.device_links_lock.unlock();
        busy
    }

    /// device_links_driver_cleanup()
    pub(crate) fn device_links_driver_cleanup(&self, dev: DeviceId) {
        self.globals.device_links_lock.lock();
        for id in &self.description(dev).consumer_links {
            let link = self.link(*id);
            if !matches!(link.get(), LinkState::Gone | LinkState::Fwnode) {
                link.set(LinkState::Dormant);
            }
        }
        self.__device_links_no_driver(dev);
        self.globals.device_links_lock.unlock();
    }

    /// device_links_purge(), with fwnode_links_purge(): nothing waits for a device that is gone.
    pub(crate) fn device_links_purge(&self, dev: DeviceId) {
        let description = self.description(dev);
        self.globals.device_links_lock.lock();
        for id in description
            .consumer_links
            .iter()
            .chain(&description.supplier_links)
        {
            self.link(*id).set(LinkState::Gone);
        }
        self.globals.device_links_lock.unlock();
    }
}
