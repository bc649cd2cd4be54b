//! `probe-litmus trace-setup`

use clap::Args;
use kernel::commit;
use kernel::config::Config;
use kernel::drivers::catalogue::Kind;
use kernel::revision::Revision;
use miette::miette;
use scenarios::board;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// Offset of `driver` in struct device: the same in arm64 kernels from v6.12 to v7.3-rc7, by BTF.
const DRIVER: u32 = 104;

/// Most characters of a command line on arm64 and x86: `COMMAND_LINE_SIZE`.
const COMMAND_LINE: usize = 2048;

/// Prints the offsets of a function that is there twice. The first four digits of an address are
/// left out, so that the rest fits in whatever the shell, or awk, counts with.
const KALLSYMS: &str = r#"while read -r a _ s _; do case $s in
  _text) t=${a#????} ;;
  arm_smmu_of_xlate) echo "_text+$((0x${a#????} - 0x$t))" ;;
esac; done < /proc/kallsyms"#;

/// Prints how to record a boot, for `probe-litmus conform`
///
/// Prints the kernel command line that sets up kprobes on the driver core and the IOMMU core, and
/// the commands that save what they have recorded. Nothing is run.
///
/// Example:
///
///     probe-litmus trace-setup --kernel "$(uname -r)" --board board.dtb
#[derive(Debug, Args)]
#[command(after_long_help = super::EXIT_CODES)]
pub(crate) struct TraceSetup {
    /// Kernel that is to be recorded: what uname -r prints, or see `probe-litmus kernels`
    #[arg(long, value_name = "REV")]
    kernel: String,
    /// Device tree of the machine: then only its IOMMU drivers are probed
    #[arg(long, value_name = "FILE")]
    board: Option<PathBuf>,
}

impl TraceSetup {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let revision = Revision::parse(&self.kernel).map_err(|e| miette!("--kernel: {e}"))?;
        let xlates = self.xlates()?;
        let probes = probes(revision, &xlates).join(";");
        let line = format!(
            "trace_event=initcall:initcall_level,iommu:add_device_to_group trace_buf_size=4M kprobe_event={probes}"
        );
        println!(
            "# 1. Add this to the kernel command line ({} characters; it may have {COMMAND_LINE} in all).",
            line.len()
        );
        println!(
            "#    $arg1 needs CONFIG_KPROBE_EVENTS and an architecture that can tell arguments (arm64, x86)."
        );
        println!(
            "#    A function that is not there, since it was inlined, is refused by itself: the others stay."
        );
        println!(
            "#    {DRIVER} is the offset of `driver` in struct device; look with: pahole -C device vmlinux"
        );
        println!("{line}");
        println!();
        if xlates.contains("arm_smmu_of_xlate") {
            println!(
                "# arm_smmu_of_xlate may be there twice (SMMUv2 and v3): then it is refused. This prints"
            );
            println!(
                "# what to write instead (as root: others see no addresses). KASLR does not matter."
            );
            println!("{KALLSYMS}");
            println!();
        }
        println!("# 2. Boot, and as root, when the boot is over:");
        println!("mount -t tracefs nodev /sys/kernel/tracing");
        println!("cat /sys/kernel/tracing/trace > trace.txt");
        println!("cat /proc/cmdline > cmdline.txt");
        println!("dmesg > dmesg.txt");
        println!("cp /sys/firmware/fdt board.dtb");
        println!(
            "cat /sys/kernel/tracing/kprobe_profile    # the last column counts what was missed: 0"
        );
        println!();
        println!("# 3. Does the model allow it?");
        println!(
            "probe-litmus conform --board board.dtb --kernel \"$(uname -r)\" --cmdline cmdline.txt trace.txt"
        );
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
        println!("  ftrace_filter={} \\", functions(&xlates).join(","));
        println!("  log_buf_len=4M dyndbg=\"file drivers/base/core.c +pt\"");
        println!(
            "probe-litmus conform --board board.dtb --kernel \"$(uname -r)\" --cmdline cmdline.txt --dmesg dmesg.txt trace.txt"
        );
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

fn probes(revision: Revision, xlates: &BTreeSet<&'static str>) -> Vec<String> {
    let name = |argument: u32| format!("d=+0(+0($arg{argument})):string");
    let driver = format!("drv=+{DRIVER}($arg1):x64");
    let ret = |function: &str| format!("r,{function},ret=$retval:s32");
    let mut all = vec![
        format!("p,__driver_probe_device,{}", name(2)),
        format!("p,really_probe,{},v=+0(+0($arg2)):string", name(1)),
        ret("really_probe"),
        "p,deferred_probe_work_func".to_owned(),
        format!("p,iommu_device_register,{}", name(3)),
        ret("iommu_device_register"),
    ];
    for (function, returns) in ON_DEVICE {
        all.push(format!("p,{function},{}", name(1)));
        if returns {
            all.push(ret(function));
        }
    }
    // From bcb81ac6ae3c on iommu_init_device() does what __iommu_probe_device() did, and the
    // compiler may inline either.
    let mut cores = vec!["__iommu_probe_device"];
    if revision.has(commit::BCB81AC6AE3C) {
        cores.extend(["iommu_init_device", "__iommu_probe_device.part.0"]);
    }
    for function in cores {
        all.push(format!("p,{function},{},{driver}", name(1)));
        all.push(ret(function));
    }
    for function in xlates {
        let node = "i=+0(+16(+0($arg2))):string,n=+12($arg2):u32";
        all.push(format!("p,{function},{},{driver},{node}", name(1)));
        all.push(ret(function));
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
