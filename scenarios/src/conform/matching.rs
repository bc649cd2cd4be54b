//! A place in a log: which of its events the model has explained so far, and which task of the
//! model is which thread of the log.

use super::events::{AMBA, Observed, Owed, PART, QUEUE, Queue};
use super::facts::Class;
use super::shown::{Shown, WORK};
use crate::trace::{Driver, Message};
use checker::engine::conform::{Log, Next, Says, Standing};
use checker::event::{TaskId, What};
use checker::hash::Rolling;
use kernel::ids::{Bus, DeviceId};
use kernel::kernel::{Kernel, Warn};
use kernel::model::Task;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What stays the same: the log and the kernel.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) kernel: Arc<Kernel>,
    pub(super) owed: Vec<Owed>,
    pub(super) observed: Observed,
    /// Devices by name: looked up, never listed.
    pub(super) devices: HashMap<String, DeviceId>,
    /// Of each device, the IOMMU's node and id of each entry of `iommus`.
    pub(super) specifiers: Vec<Vec<(String, u32)>>,
    /// The numbers of the events of each thread.
    pub(super) of_thread: BTreeMap<u32, Vec<usize>>,
    /// Some events do not say whose they are.
    pub(super) has_threadless: bool,
    /// The first event that is to be explained when the log has a first call, of whatever: before
    /// that calls were not seen.
    pub(super) first_call: usize,
    /// Tasks that stand for the initcalls and the worker where user space has tasks of its own.
    pub(super) has_user: bool,
}

/// A call that has not returned.
#[derive(Clone, Debug)]
struct Frame {
    function: &'static str,
    device: Option<DeviceId>,
    /// iommu_fwspec_init() calls in it.
    specs: usize,
    /// The second half of __iommu_probe_device() has begun.
    in_part: bool,
}

/// What is known of a task.
#[derive(Clone, Debug, Default)]
struct View {
    frames: Vec<Frame>,
    /// The thread that it is.
    pid: Option<u32>,
    /// Its run of the work is not in the log, so that it must show nothing.
    is_idle: bool,
    /// It loads modules.
    loads: bool,
    /// How much of what it is about to do has been explained.
    part: usize,
}

/// What a task is about to show, and which thread it can be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Label {
    shown: Shown,
    /// The thread that it is, if that is known.
    pid: Option<u32>,
    role: Role,
    loads: bool,
}

/// What a task can be in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Role {
    Initcalls,
    Worker,
    User,
}

impl Role {
    /// Whether it can be a thread of this class; `loads` says whether it loads modules.
    fn fits(self, loads: bool, class: Class) -> bool {
        match self {
            _ if class == Class::Unknown => true,
            Role::Initcalls if loads => matches!(class, Class::Loader | Class::Other),
            Role::Initcalls => class == Class::Init,
            Role::Worker => class == Class::Worker,
            Role::User => matches!(class, Class::Other | Class::Loader),
        }
    }
}

/// The place.
#[derive(Clone, Debug)]
pub(super) struct Place {
    fixed: Arc<Fixed>,
    at: usize,
    views: Vec<Arc<View>>,
}

impl Place {
    pub(super) fn start(fixed: Arc<Fixed>) -> Self {
        Self {
            fixed,
            at: 0,
            views: vec![],
        }
    }

    fn role(&self, entry: checker::model::Entry) -> Role {
        match Task::from_entry(entry) {
            Task::Initcalls => Role::Initcalls,
            Task::DeferredProbeWork
            | Task::DriverAttachAsync(_)
            | Task::DeviceAttachAsync(_)
            | Task::DeferredProbeTimeoutWork
            | Task::OtherBinds => Role::Worker,
            Task::Cpu(0) if self.fixed.has_user => Role::Initcalls,
            Task::Cpu(1) if self.fixed.has_user => Role::Worker,
            Task::Cpu(_) => Role::User,
        }
    }

    fn view(&self, task: TaskId) -> Arc<View> {
        self.views.get(task.index()).cloned().unwrap_or_default()
    }

    fn view_mut(&mut self, task: TaskId) -> &mut View {
        if self.views.len() <= task.index() {
            self.views.resize_with(task.index() + 1, Arc::default);
        }
        Arc::make_mut(&mut self.views[task.index()])
    }

    /// Whether a task can be the thread of an event.
    fn can_be(&self, tasks: &[Standing], task: TaskId, owed: &Owed) -> bool {
        let Some(pid) = owed.pid else { return true };
        let view = self.view(task);
        if let Some(mine) = view.pid {
            return mine == pid;
        }
        let is_taken = self
            .views
            .iter()
            .zip(tasks)
            .any(|(v, t)| v.pid == Some(pid) && !t.ended);
        !is_taken && self.has_role(tasks, task, &view, owed.class)
    }

    fn has_role(&self, tasks: &[Standing], task: TaskId, view: &View, class: Class) -> bool {
        let role = self.role(tasks[task.index()].entry);
        role.fits(view.loads, class)
    }

    /// The task does this. Who it was in the log is forgotten where its thread may change.
    fn done(&mut self, task: TaskId, what: &What) {
        let device = |object: &str| self.fixed.devices.get(object).copied();
        match what {
            What::Enter { function, object } => {
                let device = device(object);
                let view = self.view_mut(task);
                if *function == "iommu_fwspec_init" {
                    let configures = |f: &&mut Frame| f.function == "of_iommu_configure";
                    if let Some(frame) = view.frames.iter_mut().rev().find(configures) {
                        frame.specs += 1;
                    }
                }
                view.frames.push(Frame {
                    function,
                    device,
                    specs: 0,
                    in_part: false,
                });
            }
            What::Exit { function, .. } => {
                let view = self.view_mut(task);
                view.frames.pop();
                if *function == WORK {
                    view.pid = None;
                    view.is_idle = false;
                }
            }
            What::Note { kind: "insmod", .. } => {
                let view = self.view_mut(task);
                view.pid = None;
                view.loads = true;
            }
            What::Note { .. } => {
                let view = self.view_mut(task);
                if let Some(frame) = view.frames.last_mut() {
                    frame.in_part |= frame.function == "__iommu_probe_device";
                }
            }
            _ => {}
        }
        self.view_mut(task).part = 0;
    }

    /// What a log would show of this, all of it.
    fn shown(&self, view: &View, what: &What) -> Vec<Shown> {
        let mut shown = vec![];
        match what {
            What::Enter { function, object } => {
                self.shown_enter(view, function, object, &mut shown);
            }
            What::Exit { function, ret } => {
                let frame = view.frames.last();
                let device = frame.and_then(|f| f.device);
                let ret: Option<i64> = ret.parse().ok();
                let is_split = self.fixed.observed.entered.contains(PART);
                if *function == "__iommu_probe_device" && is_split {
                    if frame.is_some_and(|f| f.in_part) {
                        self.exit(PART.into(), device, ret, &mut shown);
                    }
                } else {
                    self.exit(self.called(function, device), device, ret, &mut shown);
                }
            }
            What::Note { kind, text } => self.shown_note(view, kind, text, &mut shown),
            _ => {}
        }
        shown
    }

    fn shown_enter(
        &self,
        view: &View,
        function: &'static str,
        object: &str,
        shown: &mut Vec<Shown>,
    ) {
        let fixed = &self.fixed;
        let device = fixed.devices.get(object).copied();
        let name = self.called(function, device);
        if function == "__iommu_probe_device" && fixed.observed.entered.contains(PART) {
            return;
        }
        let is_seen = fixed.observed.entered.contains(name.as_ref())
            && (function == WORK || device.is_some_and(|d| fixed.observed.devices[d.index()]));
        if !is_seen {
            return;
        }
        let specifier = device.filter(|_| function.ends_with("_of_xlate"));
        let specifier = specifier.and_then(|d| {
            let mut frames = view.frames.iter().rev();
            let configure = frames.find(|f| f.function == "of_iommu_configure")?;
            let nth = configure.specs.checked_sub(1)?;
            fixed.specifiers[d.index()].get(nth).cloned()
        });
        shown.push(Shown::Enter {
            function: name,
            device,
            driver: device.map(|d| self.driver(d)),
            specifier,
        });
    }

    fn shown_note(&self, view: &View, kind: &str, text: &str, shown: &mut Vec<Shown>) {
        let fixed = &self.fixed;
        // The first thing that is told of the second half.
        let frame = view.frames.last();
        let begins_part = frame.is_some_and(|f| f.function == "__iommu_probe_device" && !f.in_part);
        if begins_part && fixed.observed.entered.contains(PART) {
            let device = frame.and_then(|f| f.device);
            if device.is_some_and(|d| fixed.observed.devices[d.index()]) {
                shown.push(Shown::Enter {
                    function: PART.into(),
                    device,
                    driver: device.map(|d| self.driver(d)),
                    specifier: None,
                });
            }
        }
        let mut message = |device: &str, about: Message| {
            let device = fixed.devices.get(device).copied();
            let device = device.filter(|d| fixed.observed.devices[d.index()]);
            if let (Some(device), true) = (device, fixed.observed.messages.contains(&about)) {
                shown.push(Shown::Message { device, about });
            }
        };
        match kind {
            "printk" => {
                if let Some((device, _)) = text.split_once(": Adding to iommu group ") {
                    message(device, Message::AddingToGroup);
                }
            }
            "WARN" if text.ends_with(Warn::LateProbe.text()) => {
                let who = text.split_once(": ").map_or(text, |(who, _)| who);
                let device = who.rsplit_once(' ').map_or(who, |(_, device)| device);
                message(device, Message::LateProbe);
            }
            "level" if fixed.observed.has_levels && text != "archsync" => {
                shown.push(Shown::Level(text.to_owned()));
            }
            QUEUE => {
                let by_link = frame.is_some_and(|f| f.function == "driver_bound");
                let is_seen = match fixed.observed.queue {
                    Queue::None => false,
                    Queue::Links => by_link,
                    Queue::All => true,
                };
                let device = fixed.devices.get(text).copied();
                let device = device.filter(|d| is_seen && fixed.observed.devices[d.index()]);
                if device.is_some() {
                    shown.push(Shown::Enter {
                        function: QUEUE.into(),
                        device,
                        driver: None,
                        specifier: None,
                    });
                }
            }
            _ => {}
        }
    }

    fn exit(
        &self,
        function: Cow<'static, str>,
        device: Option<DeviceId>,
        ret: Option<i64>,
        shown: &mut Vec<Shown>,
    ) {
        let observed = &self.fixed.observed;
        let is_seen = observed.returned.contains(function.as_ref())
            && observed.entered.contains(function.as_ref())
            && device.is_some_and(|d| observed.devices[d.index()]);
        if is_seen {
            shown.push(Shown::Exit {
                function,
                device,
                ret,
            });
        }
    }

    /// What the log calls a function of the model: platform_dma_configure() of an amba device is
    /// another one in the kernel.
    fn called(&self, function: &'static str, device: Option<DeviceId>) -> Cow<'static, str> {
        let is_platform = self.fixed.observed.amba_as_platform;
        let is_amba = !is_platform && device.is_some_and(|d| self.is_amba(d));
        match function {
            "platform_dma_configure" if is_amba => AMBA.into(),
            _ => function.into(),
        }
    }

    fn is_amba(&self, device: DeviceId) -> bool {
        self.fixed.kernel.description(device).bus == Bus::Amba
    }

    /// `dev->driver` as it is.
    fn driver(&self, device: DeviceId) -> Driver {
        let kernel = &self.fixed.kernel;
        match kernel.device(device).driver.monitor() {
            None => Driver::Null,
            Some(driver) => {
                let name = kernel.board().drivers[driver.index()].info.name;
                Driver::Name(name.to_owned())
            }
        }
    }

    /// Whether the thread that the task is does something else next in the log.
    fn will_never_fit(&self, view: &View, next: &Shown) -> bool {
        if view.is_idle {
            return true;
        }
        // Messages do not say which thread they are of.
        let may_be_anybodys = self.fixed.has_threadless && next.can_be_message();
        let Some(mine) = view.pid.filter(|_| !may_be_anybodys) else {
            return false;
        };
        let all = self.fixed.of_thread.get(&mine).map_or(&[][..], |all| all);
        let from = all.partition_point(|i| *i < self.at);
        let owed = all.get(from).map(|i| &self.fixed.owed[*i].shown);
        owed.is_some_and(|owed| !owed.is_work() && !next.is_same_call(owed))
    }

    /// This place with the event explained by a task.
    fn explained(&self, task: TaskId, owed: &Owed) -> Self {
        let mut then = self.clone();
        then.at += 1;
        let view = then.view_mut(task);
        view.pid = view.pid.or(owed.pid);
        then
    }
}

impl Log for Place {
    type Label = Label;

    fn ask(&self, tasks: &[Standing], task: TaskId, what: &What) -> Says<Self> {
        let view = self.view(task);
        let shown = self.shown(&view, what);
        let silent = || {
            let mut log = self.clone();
            log.done(task, what);
            log
        };
        let Some(next) = shown.get(view.part) else {
            return Says::Next(vec![Next {
                log: silent(),
                goes: true,
                at_once: true,
            }]);
        };
        // Nobody watched before the first call of the log; where the work is queued for others'
        // sake its runs may be others' too.
        let is_level = matches!(next, Shown::Level(_));
        let is_unseen = !is_level && self.at <= self.fixed.first_call;
        let may_be_idle = next.is_work();
        if !is_unseen && !may_be_idle && self.will_never_fit(&view, next) {
            return Says::Never;
        }
        let is_last = view.part + 1 == shown.len();
        let mut all = vec![];
        let owed = self.fixed.owed.get(self.at).filter(|owed| {
            let may_begin = is_level || self.at >= self.fixed.first_call;
            may_begin && !view.is_idle && next.fits(&owed.shown) && self.can_be(tasks, task, owed)
        });
        if let Some(owed) = owed {
            let mut log = self.explained(task, owed);
            if is_last {
                log.done(task, what);
            } else {
                log.view_mut(task).part += 1;
            }
            let is_sure = owed.pid.is_some() && view.pid == owed.pid;
            all.push(Next {
                log,
                goes: is_last,
                at_once: is_sure && !is_unseen && !may_be_idle,
            });
        }
        if is_unseen || may_be_idle {
            let mut log = self.clone();
            if is_last {
                log.done(task, what);
            } else {
                log.view_mut(task).part += 1;
            }
            if may_be_idle && !is_unseen {
                log.view_mut(task).is_idle = true;
            }
            all.push(Next {
                log,
                goes: is_last,
                at_once: self.at < self.fixed.first_call,
            });
        }
        Says::Next(all)
    }

    fn label(&self, tasks: &[Standing], task: TaskId, what: &What) -> Option<Label> {
        let view = self.view(task);
        if view.is_idle {
            return None;
        }
        let shown = self.shown(&view, what);
        Some(Label {
            shown: shown.get(view.part)?.without_driver(),
            pid: view.pid,
            role: self.role(tasks[task.index()].entry),
            loads: view.loads,
        })
    }

    fn may_be_next(&self, label: &Label) -> bool {
        let Some(owed) = self.fixed.owed.get(self.at) else {
            return false;
        };
        let can_be = match (label.pid, owed.pid) {
            (_, None) => true,
            (Some(mine), Some(pid)) => mine == pid,
            (None, Some(_)) => label.role.fits(label.loads, owed.class),
        };
        can_be && label.shown.is_same_call(&owed.shown)
    }

    fn only(&self, tasks: &[Standing]) -> Option<TaskId> {
        let pid = self.fixed.owed.get(self.at)?.pid?;
        let is_it = |(view, task): (&Arc<View>, &Standing)| view.pid == Some(pid) && !task.ended;
        let at = self.views.iter().zip(tasks).position(is_it)?;
        Some(TaskId(at as u32))
    }

    fn mode(&self, task: TaskId) -> u64 {
        let is_unseen = self.at <= self.fixed.first_call;
        let (is_idle, part) = match self.views.get(task.index()) {
            Some(view) => (view.is_idle, view.part as u64),
            None => (false, 0),
        };
        part << 2 | u64::from(is_idle) << 1 | u64::from(is_unseen)
    }

    fn skip(&self) -> Option<Self> {
        let owed = self.fixed.owed.get(self.at)?;
        owed.shown.is_work().then(|| Self {
            at: self.at + 1,
            ..self.clone()
        })
    }

    fn rank(&self, tasks: &[Standing], task: TaskId) -> u32 {
        let Some(owed) = self.fixed.owed.get(self.at) else {
            return 0;
        };
        let view = self.view(task);
        let standing = &tasks[task.index()];
        let is_about = match Task::from_entry(standing.entry) {
            Task::DriverAttachAsync(dev) | Task::DeviceAttachAsync(dev) => {
                owed.shown.device() == Some(dev)
            }
            _ => false,
        };
        match (view.pid, owed.pid) {
            (Some(mine), Some(his)) if mine == his => 0,
            (Some(_), Some(_)) => 5,
            _ if !self.has_role(tasks, task, &view, owed.class) => 4,
            _ if is_about => 1,
            _ if self.role(standing.entry) == Role::Initcalls => 2,
            _ => 3,
        }
    }

    fn is_over(&self) -> bool {
        self.at >= self.fixed.owed.len()
    }

    fn position(&self) -> usize {
        self.at
    }

    fn digest(&self, tasks: &[Standing], explains: bool) -> u128 {
        let mut sum = Rolling::default();
        let is_unseen = self.at <= self.fixed.first_call;
        sum.push(if explains {
            self.at as u64
        } else {
            u64::from(is_unseen)
        });
        let mut all = sum.finish();
        for (view, task) in self.views.iter().zip(tasks) {
            if task.ended {
                continue;
            }
            let mut hash = Rolling::default();
            hash.push(u64::from(task.entry.kind) << 32 | u64::from(task.nth));
            hash.push(task.entry.arg);
            let pid = view.pid.filter(|_| explains);
            hash.push(pid.map_or(u64::MAX, u64::from));
            hash.push(u64::from(view.is_idle) << 1 | u64::from(view.loads));
            hash.push(view.part as u64);
            all = all.wrapping_add(hash.finish());
        }
        all
    }

    fn shows(&self, task: TaskId, what: &What) -> Option<String> {
        let view = self.view(task);
        let shown = self.shown(&view, what);
        Some(shown.get(view.part)?.text(&self.fixed.kernel))
    }
}
