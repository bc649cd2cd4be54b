//! `probe-litmus trace-setup`

use clap::Args;
use kernel::commit;
use kernel::config::Config;
use kernel::drivers::catalogue::Kind;
use kernel::revision::Revision;
use miette::miette;
use scenarios::board;
use scenarios::trace::kallsyms::{Kallsyms, Place};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// Offset of `driver` in struct device: the same in arm64 kernels from v6.12 to v7.3-rc7, by BTF.
const DRIVER: u32 = 104;

/// Most characters of a command line on arm64 and x86: `COMMAND_LINE_SIZE`.
const COMMAND_LINE: usize = 2048;

/// What step 3 runs, but for the log.
const CONFORM: &str = "probe-litmus conform --board board.dtb --kernel \"$(uname -r)\" \\\n  --cmdline cmdline.txt --drivers drivers.txt";

/// Prints which drivers there are, and which of them are modules: only what can be unloaded has
/// `initstate`.
const DRIVERS: &str = r#"for d in /sys/bus/platform/drivers/* /sys/bus/amba/drivers/*; do
  if [ -e "$d/module/initstate" ]; then echo "module $d"; else echo "built-in $d"; fi
done > drivers.txt"#;

/// Prints how to record a boot, for `probe-litmus conform`
///
/// Prints the kernel command line that sets up kprobes on the driver core and the IOMMU core, and
/// the commands that save what they have recorded. Nothing is run.
///
/// Example:
///
///     probe-litmus trace-setup --kernel "$(uname -r)" --board board.dtb --kallsyms kallsyms.txt
#[derive(Debug, Args)]
#[command(after_long_help = super::EXIT_CODES)]
pub(crate) struct TraceSetup {
    /// Kernel that is to be recorded: what uname -r prints, or see `probe-litmus kernels`
    #[arg(long, value_name = "REV")]
    kernel: String,
    /// Device tree of the machine: then only its IOMMU drivers are probed
    #[arg(long, value_name = "FILE")]
    board: Option<PathBuf>,
    /// Symbols of that kernel: a copy of /proc/kallsyms, as root reads it, or a System.map. Then
    /// only what is there is probed, and what is there twice is probed twice
    #[arg(long, value_name = "FILE")]
    kallsyms: Option<PathBuf>,
}

impl TraceSetup {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let revision = Revision::parse(&self.kernel).map_err(|e| miette!("--kernel: {e}"))?;
        let xlates = self.xlates()?;
        let symbols = self.kallsyms.as_deref().map(Kallsyms::read).transpose()?;
        let mut events = Events::default();
        for probe in probes(revision, &xlates) {
            events.add(&probe, symbols.as_ref());
        }
        let line = format!(
            "trace_event=initcall:initcall_level,iommu:add_device_to_group trace_buf_size=4M kprobe_event={}",
            events.all.join(";")
        );
        println!(
            "# 1. Add this to the kernel command line ({} characters; it may have {COMMAND_LINE} in all).",
            line.len()
        );
        println!(
            "#    $arg1 needs CONFIG_KPROBE_EVENTS and an architecture that can tell arguments (arm64, x86)."
        );
        println!(
            "#    {DRIVER} is the offset of `driver` in struct device; look with: pahole -C device vmlinux"
        );
        if symbols.is_some() {
            events.print_left_out();
        } else {
            print_without_kallsyms(&xlates);
        }
        println!("{line}");
        print_recording(symbols.is_none());
        print_function_tracer(&xlates);
        Ok(ExitCode::SUCCESS)
    }

    /// of_xlate of the board's IOMMU drivers, or of all of the model's.
    fn xlates(&self) -> miette::Result<BTreeSet<&'static str>> {
        let all = ["arm_smmu_of_xlate", "ipmmu_of_xlate", "rk_iommu_of_xlate"];
        let Some(path) = &self.board else {
            return Ok(all.into());
        };
        let board = board::load(path)?;
        let laid_out = board
            .lay_out(&Config::default())
            .map_err(|e| miette!("{}: {e}", path.display()))?;
        let kinds = laid_out.instances.iter().filter_map(|i| match i.kind {
            Kind::ArmSmmuV3 => Some(all[0]),
            Kind::IpmmuVmsa => Some(all[1]),
            Kind::Rockchip => Some(all[2]),
            Kind::Generic(kind) => kind.of_xlate(),
            Kind::Client => None,
        });
        let found: BTreeSet<&str> = kinds.collect();
        if found.is_empty() {
            return Err(miette!(
                "{}: expected an IOMMU that the model has a driver for",
                path.display()
            ));
        }
        Ok(found)
    }
}

/// One event that is asked for.
struct Probe {
    /// `p`, where the function begins, or `r`, where it returns.
    kind: char,
    function: &'static str,
    /// What is recorded; may be empty.
    arguments: String,
}

/// The events as the kernel reads them, and what was left out.
#[derive(Default)]
struct Events {
    all: Vec<String>,
    absent: BTreeSet<&'static str>,
    changed: BTreeSet<String>,
}

impl Events {
    /// A function that is there several times has an event for each copy, named so that the
    /// command line tells which function it is.
    fn add(&mut self, probe: &Probe, symbols: Option<&Kallsyms>) {
        let Probe {
            kind,
            function,
            arguments,
        } = probe;
        let comma = if arguments.is_empty() { "" } else { "," };
        match symbols.map_or(Place::Name, |s| s.place(function)) {
            Place::Name => self
                .all
                .push(format!("{kind},{function}{comma}{arguments}")),
            Place::Copies(copies) => {
                for (i, copy) in copies.iter().enumerate() {
                    self.all.push(format!(
                        "{kind}:{kind}_{function}_{i},{copy}{comma}{arguments}"
                    ));
                }
            }
            Place::Absent => {
                self.absent.insert(function);
            }
            Place::Changed(name) => {
                self.changed.insert(name);
            }
        }
    }

    fn print_left_out(&self) {
        for function in &self.absent {
            println!("#    {function} is not there: inlined, or not built");
        }
        for name in &self.changed {
            println!("#    {name} is left out: the compiler has changed its arguments");
        }
    }
}

fn print_without_kallsyms(xlates: &BTreeSet<&'static str>) {
    println!(
        "#    A function that is not there, since it was inlined, is refused by itself: the others"
    );
    println!("#    stay.");
    if xlates.contains("arm_smmu_of_xlate") {
        println!(
            "#    arm_smmu_of_xlate may be there twice (SMMUv2 and v3), and is refused then: give"
        );
        println!(
            "#    --kallsyms a copy of the same kernel's /proc/kallsyms, made as root, or its System.map."
        );
    }
}

fn print_recording(without_kallsyms: bool) {
    println!();
    println!("# 2. Boot, and as root, when the boot is over:");
    println!("mountpoint -q /sys/kernel/tracing || mount -t tracefs nodev /sys/kernel/tracing");
    println!("cat /sys/kernel/tracing/trace > trace.txt");
    println!("cat /proc/cmdline > cmdline.txt");
    println!("dmesg > dmesg.txt");
    println!("cp /sys/firmware/fdt board.dtb");
    println!("{DRIVERS}");
    println!(
        "cat /sys/kernel/tracing/kprobe_profile    # the last column counts what was missed: 0"
    );
    println!("grep trace_kprobe dmesg.txt               # which probes the kernel has refused");
    if without_kallsyms {
        println!(
            "cat /proc/kallsyms > kallsyms.txt         # if one should not have been: for --kallsyms"
        );
    }
    println!();
    println!("# 3. Does the model allow it?");
    println!("{CONFORM} trace.txt");
}

fn print_function_tracer(xlates: &BTreeSet<&'static str>) {
    println!();
    println!(
        "# Without kprobes, the function tracer. From v6.16 on with the devices' addresses, whose names"
    );
    println!(
        "# the driver core's own messages tell; no return values. Before v6.16 no device is named, and"
    );
    println!("# nothing can be compared.");
    println!(
        "ftrace=function trace_options=func-args trace_buf_size=4M trace_event=initcall:initcall_level \\"
    );
    println!("  ftrace_filter={} \\", functions(xlates).join(","));
    println!("  log_buf_len=4M dyndbg=\"file drivers/base/core.c +pt\"");
    println!("{CONFORM} --dmesg dmesg.txt trace.txt");
}

/// Functions on `dev` as their first argument, and whether their return value is recorded.
const ON_DEVICE: [(&str, bool); 12] = [
    ("platform_dma_configure", false),
    ("of_dma_configure_id", false),
    ("of_iommu_configure", true),
    ("iommu_fwspec_init", true),
    ("iommu_fwspec_free", false),
    ("probe_iommu_group", false),
    ("iommu_probe_device", false),
    ("iommu_device_use_default_domain", true),
    ("iommu_device_unuse_default_domain", false),
    ("iommu_setup_dma_ops", false),
    ("driver_bound", false),
    ("driver_deferred_probe_add", false),
];

fn probes(revision: Revision, xlates: &BTreeSet<&'static str>) -> Vec<Probe> {
    let name = |argument: u32| format!("d=+0(+0($arg{argument})):string");
    let driver = format!("drv=+{DRIVER}($arg1):x64");
    let enter = |function, arguments| Probe {
        kind: 'p',
        function,
        arguments,
    };
    let leave = |function| Probe {
        kind: 'r',
        function,
        arguments: "ret=$retval:s32".to_owned(),
    };
    let mut all = vec![
        enter("__driver_probe_device", name(2)),
        enter(
            "really_probe",
            format!("{},v=+0(+0($arg2)):string", name(1)),
        ),
        leave("really_probe"),
        enter("deferred_probe_work_func", String::new()),
        enter("iommu_device_register", name(3)),
        leave("iommu_device_register"),
    ];
    for (function, returns) in ON_DEVICE {
        all.push(enter(function, name(1)));
        if returns {
            all.push(leave(function));
        }
    }
    // From bcb81ac6ae3c on iommu_init_device() does what __iommu_probe_device() did, and the
    // compiler may inline either.
    let mut cores = vec!["__iommu_probe_device"];
    if revision.has(commit::BCB81AC6AE3C) {
        cores.extend(["iommu_init_device", "__iommu_probe_device.part.0"]);
    }
    for function in cores {
        all.push(enter(function, format!("{},{driver}", name(1))));
        all.push(leave(function));
    }
    for function in xlates {
        let node = "i=+0(+16(+0($arg2))):string,n=+12($arg2):u32";
        all.push(enter(function, format!("{},{driver},{node}", name(1))));
        all.push(leave(function));
    }
    all
}

fn functions(xlates: &BTreeSet<&'static str>) -> Vec<&'static str> {
    let mut all = vec![
        "device_add",
        "__driver_probe_device",
        "really_probe",
        "deferred_probe_work_func",
        "iommu_device_register",
        "__iommu_probe_device",
        "iommu_init_device",
    ];
    all.extend(ON_DEVICE.map(|(function, _)| function));
    all.extend(xlates);
    all
}
