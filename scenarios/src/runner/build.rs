//! From a checked test to a kernel: configuration and tasks.

use super::names::{Resolver, device};
use super::{LitmusErrors, Test, TestError};
use crate::litmus::{self, Call, Litmus, Spanned, Value};
use crate::setup;
use kernel::board::Board as LaidOut;
use kernel::config::{Arch, Config};
use kernel::drivers::catalogue::Kind;
use kernel::errno;
use kernel::ids::DriverId;
use kernel::kernel::Kernel;
use kernel::model::Start;
use kernel::revision::Revision;
use kernel::verb::{AllocatedBy, Verb};
use std::sync::Arc;

/// Lays a test out for one kernel.
pub(crate) fn kernel(test: &Test, revision: Revision) -> Result<Arc<Kernel>, TestError> {
    check_worker(&test.litmus)?;
    let config = config(test)?;
    check_arch(&test.litmus, revision, &config)?;
    let mut problem = None;
    let kernel = setup::kernel(&test.board, revision, config, |laid_out| {
        let names = Resolver::by_label(&test.board, laid_out);
        let mut verbs = |calls: &[Spanned<Call>]| -> Vec<Verb> {
            let each = calls.iter().map(|call| verb(&test.litmus, &names, call));
            each.collect::<Result<_, _>>().unwrap_or_else(|e| {
                problem.get_or_insert(e);
                vec![]
            })
        };
        Start::Scenario {
            initial: verbs(&test.litmus.initial),
            cpus: test
                .litmus
                .tasks
                .iter()
                .map(|t| verbs(&t.value.body))
                .collect(),
        }
    })?;
    match problem {
        Some(error) => Err(LitmusErrors::from(error).into()),
        None => Ok(kernel),
    }
}

/// Old kernels are there for 32-bit ARM alone. One that the file does not name is left to
/// [`setup::kernel()`].
fn check_arch(litmus: &Litmus, revision: Revision, config: &Config) -> Result<(), TestError> {
    if !revision.is_for_arm_alone() || config.arch == Arch::Arm {
        return Ok(());
    }
    let is_this = |name: &str| Revision::parse(name) == Ok(revision);
    match litmus.kernels.iter().find(|kernel| is_this(&kernel.value)) {
        None => Ok(()),
        Some(kernel) => {
            let expected = format!(
                "a kernel from {} on, or `config arch arm`",
                kernel::revision::OLDEST
            );
            Err(wrong(litmus, kernel.span, &expected))
        }
    }
}

/// The worker of deferred_probe_work is one task: a work item never runs beside itself. And what
/// flushes the work waits for that task.
fn check_worker(litmus: &Litmus) -> Result<(), TestError> {
    const WORKER: &str = "deferred_probe_work_func";
    const FLUSHES: [&str; 4] = [
        "boot",
        "deferred_probe_initcall",
        "deferred_probe_timeout_work_func",
        "wait_for_device_probe",
    ];
    let calls = || litmus.tasks.iter().flat_map(|task| &task.value.body);
    let named =
        |call: &&Spanned<Call>, names: &[&str]| names.contains(&call.value.name.value.as_str());
    let mut workers = calls().filter(|call| named(call, &[WORKER]));
    let has_worker = workers.next().is_some();
    if let Some(second) = workers.next() {
        return Err(wrong(
            litmus,
            second.span,
            "one task alone to run this work",
        ));
    }
    match calls().find(|call| named(call, &FLUSHES)) {
        Some(call) if !has_worker => {
            let expected = format!("a task with `{WORKER}`, which this waits for");
            Err(wrong(litmus, call.span, &expected))
        }
        _ => Ok(()),
    }
}

fn config(test: &Test) -> Result<Config, TestError> {
    let mut config = Config::default();
    for line in &test.litmus.config {
        let value = &line.value.value.value;
        match (line.value.key.value.as_str(), value) {
            ("arch", Value::Word(word)) => {
                config.arch = if word == "arm" {
                    Arch::Arm
                } else {
                    Arch::Arm64
                };
            }
            ("xen", Value::Word(word)) => config.xen = word == "y",
            ("machine_notifier", Value::Word(word)) => config.machine_notifier = word == "y",
            ("modules", Value::Word(word)) => config.modules = word == "y",
            ("async_memory", Value::Word(word)) => config.async_memory = word == "y",
            ("fw_devlink", Value::Word(word)) => config.set_fw_devlink(word),
            ("deferred_probe_timeout", Value::Number(n)) => {
                config.deferred_probe_timeout = u32::try_from(*n).map_err(|_| {
                    wrong(
                        &test.litmus,
                        line.value.value.span,
                        "a number of seconds from 0 on",
                    )
                })?;
            }
            _ => {
                return Err(wrong(
                    &test.litmus,
                    line.span,
                    "a setting that the model has",
                ));
            }
        }
    }
    let laid_out = test
        .board
        .lay_out(&config)
        .map_err(|error| setup::SetupError::Board {
            board: test.board.name.clone(),
            error,
        })?;
    let name_of = |name: &str| {
        device(&test.board, &laid_out, name).map_or(name.to_owned(), |d| {
            laid_out.devices[d.index()].name.clone()
        })
    };
    config.allow = test
        .litmus
        .allow
        .iter()
        .map(|a| name_of(&a.value))
        .collect();
    for line in &test.litmus.drivers {
        check_registers(&test.litmus, &line.value, &laid_out)?;
        driver(&mut config, &line.value, &laid_out, &name_of);
    }
    Ok(config)
}

/// A driver that another one registers is one that the board has a device for.
fn check_registers(
    litmus: &Litmus,
    line: &litmus::Driver,
    laid_out: &LaidOut,
) -> Result<(), TestError> {
    let options = line.options.iter().map(|option| &option.value);
    let named = options.filter(|option| option.name.value == "registers");
    for value in named.filter_map(|option| option.value.as_ref()) {
        if laid_out.driver_by_name(word(&value.value)).is_none() {
            let expected = "a driver of one of the board's devices";
            return Err(wrong(litmus, value.span, expected));
        }
    }
    Ok(())
}

/// A `driver` line: options of the driver, and what its probe returns for the devices named, or
/// for all that it matches.
fn driver(
    config: &mut Config,
    line: &litmus::Driver,
    laid_out: &LaidOut,
    name_of: &dyn Fn(&str) -> String,
) {
    let name = &line.name.value;
    for option in &line.options {
        match (option.value.name.value.as_str(), &option.value.value) {
            ("async", _) => {
                config.async_probe.insert(name.clone());
            }
            ("managed-dma", _) => {
                config.managed_dma.insert(name.clone());
            }
            ("vfio", _) => {
                config.vfio.insert(name.clone());
            }
            ("registers", Some(value)) => {
                let other = word(&value.value).to_owned();
                config.registers.insert(name.clone(), other);
            }
            ("managed-memory", _) => {
                config.managed_memory.insert(name.clone());
            }
            ("probe", Some(value)) => {
                let result = result(&value.value);
                let devices = devices_of(line, laid_out, name_of).into_iter();
                config.probe_results.extend(devices.map(|d| (d, result)));
            }
            ("configures", Some(value)) => {
                let other = name_of(word(&value.value));
                let devices = devices_of(line, laid_out, name_of).into_iter();
                config
                    .configures
                    .extend(devices.map(|d| (d, other.clone())));
            }
            ("stage2", _) => {
                let devices = devices_of(line, laid_out, name_of);
                config.stage2_only.extend(devices);
            }
            _ => {}
        }
    }
}

/// The devices that a `driver` line is about: those that it names, or all that the driver matches.
fn devices_of(
    line: &litmus::Driver,
    laid_out: &LaidOut,
    name_of: &dyn Fn(&str) -> String,
) -> Vec<String> {
    if !line.devices.is_empty() {
        return line.devices.iter().map(|d| name_of(&d.value)).collect();
    }
    let matching = laid_out.driver_by_name(&line.name.value);
    let all = laid_out.devices.iter();
    let of_driver = all.filter(|d| matching.is_some_and(|m| d.drivers.contains(&m)));
    of_driver.map(|d| d.name.clone()).collect()
}

fn result(value: &Value) -> i32 {
    match value {
        Value::Errno(name) | Value::Word(name) | Value::Text(name) => {
            errno::parse(name).unwrap_or(0)
        }
        Value::Number(n) => i32::try_from(*n).unwrap_or(0),
    }
}

fn wrong(litmus: &Litmus, span: litmus::Span, expected: &str) -> TestError {
    let problem = litmus::Problem::Other(format!("expected {expected}"));
    LitmusErrors::from(litmus::Error::new(&litmus.source, span, problem)).into()
}

/// Who allocates a domain, by the word in the test.
fn allocated_by(word: &str) -> AllocatedBy {
    match word {
        "probe" => AllocatedBy::Probe,
        "bound" => AllocatedBy::BoundDriver,
        _ => AllocatedBy::Anybody,
    }
}

/// One call of a task.
fn verb(
    litmus: &Litmus,
    names: &Resolver<'_>,
    call: &Spanned<Call>,
) -> Result<Verb, litmus::Error> {
    let args = &call.value.args;
    let text = |i: usize| args.get(i).map_or("", |a| word(&a.value));
    let missing = |what: &str, i: usize| {
        let span = args.get(i).map_or(call.span, |a| a.span);
        let problem = litmus::Problem::Other(format!("`{}` is no {what} on this board", text(i)));
        litmus::Error::new(&litmus.source, span, problem)
    };
    let dev = |i: usize| names.device(text(i)).ok_or_else(|| missing("device", i));
    let drv = |i: usize| names.driver(text(i)).ok_or_else(|| missing("driver", i));
    let instance = |i: usize| {
        names
            .instance(text(i))
            .ok_or_else(|| missing("IOMMU instance", i))
    };
    Ok(match call.value.name.value.as_str() {
        "driver_register" => Verb::DriverRegister(drv(0)?),
        "delete_module" => Verb::DeleteModule(client_driver(litmus, names, drv(0)?, call)?),
        "device_add" => Verb::DeviceAdd(dev(0)?),
        "device_del" => Verb::DeviceDel(dev(0)?),
        "device_attach" => Verb::DeviceAttach(dev(0)?),
        "device_driver_attach" => Verb::DeviceDriverAttach(drv(0)?, dev(1)?),
        "device_release_driver" => Verb::DeviceReleaseDriver(dev(0)?),
        "deferred_probe_work_func" => Verb::DeferredProbeWorkFunc,
        "deferred_probe_initcall" => Verb::DeferredProbeInitcall,
        "deferred_probe_timeout_work_func" => Verb::DeferredProbeTimeoutWorkFunc,
        "wait_for_device_probe" => Verb::WaitForDeviceProbe,
        "device_shutdown" => Verb::DeviceShutdown,
        "iommu_domain_alloc" => Verb::IommuDomainAlloc(dev(0)?, allocated_by(text(1))),
        "vfio_open" => Verb::VfioOpen(dev(0)?),
        "vfio_close" => Verb::VfioClose(dev(0)?),
        "iommu_device_register" => Verb::IommuDeviceRegister(instance(0)?),
        "iommu_device_unregister" => Verb::IommuDeviceUnregister(instance(0)?),
        "boot" => Verb::Boot,
        other => {
            let problem = litmus::Problem::Other(format!("the model has no verb `{other}`"));
            return Err(litmus::Error::new(
                &litmus.source,
                call.value.name.span,
                problem,
            ));
        }
    })
}

/// A driver whose module can go: an IOMMU's is kept by every device behind it.
fn client_driver(
    litmus: &Litmus,
    names: &Resolver<'_>,
    drv: DriverId,
    call: &Spanned<Call>,
) -> Result<DriverId, litmus::Error> {
    if names.laid_out.drivers[drv.index()].info.kind == Kind::Client {
        return Ok(drv);
    }
    let expected = "expected a driver that is no IOMMU's: devices behind an IOMMU keep its module";
    let problem = litmus::Problem::Other(expected.to_owned());
    Err(litmus::Error::new(&litmus.source, call.span, problem))
}

fn word(value: &Value) -> &str {
    match value {
        Value::Word(text) | Value::Text(text) | Value::Errno(text) => text,
        Value::Number(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use checker::engine::exhaustive::{Go, Options};
    use std::path::Path;

    /// What the first exploration of a test comes to, on v4.12: no error, or this one.
    fn on_v4_12(config: &str) -> Option<String> {
        let text = format!(
            "LITMUS t\n(*\n * Result: Never\n *\n * Is it so?\n *)\n\
             board arm-one-ipmmu-client.dts\nkernels v4.12\n{config}\n\
             P0 {{ driver_register(ipmmu-vmsa) }}\nexists (oops(client0))\n"
        );
        let litmus = litmus::parse("t", &text).expect("it is well formed");
        let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
        let test = Test::with_board(litmus, &boards).expect("it is a test");
        let ran = test.run("v4.12", &Options::default(), &mut |_| Go::On);
        ran.err().map(|e| e.to_string())
    }

    #[test]
    fn an_old_kernel_needs_its_architecture() {
        let error = on_v4_12("config arch arm64").expect("it is refused");
        let expected = "expected a kernel from v6.12 on, or `config arch arm`";
        assert!(
            error.contains("t:8:9") && error.contains(expected),
            "{error}"
        );
        assert_eq!(on_v4_12("config arch arm"), None);
    }
}
