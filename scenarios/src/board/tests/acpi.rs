//! ACPI machines: what the text means, how the kernel numbers and names it, what is wrong input.

use super::{board, error};
use kernel::acpi::machine::Table;
use kernel::board::{Board as LaidOut, Firmware, Fwnode};
use kernel::config::Config;
use kernel::ids::Bus;
use proptest::prelude::*;

/// One of everything; the tables come before what they name.
const ALL: &str = "
iort {
    named-component sata { id 0x20 -> smmu1; id 0x21 -> smmu1; }
    root-complex 0 { ids 0x0 + 0x10000 -> smmu0 0x0; }
    smmu-v3 smmu0;
    smmu smmu1; // v2
}
device sata { hid TEST0001; cca 1; }
device uart { bus amba; cca 0; hid ARMH0011; }
device viommu { hid LNRO0005; cca 1; }
device net { hid LNRO0005; cca 1; }
viot {
    virtio-iommu-mmio viommu;
    virtio-iommu-pci pciommu;
    mmio-endpoint net { id 3 -> viommu; }
    mmio-endpoint uart { id 4 -> pciommu; }
    pci-range 0x8 + 0xf8 -> pciommu 0x8;
}
";

fn lay_out(text: &str, config: &Config) -> LaidOut {
    let laid_out = board("t.acpi", text.as_bytes()).lay_out(config);
    laid_out.unwrap_or_else(|e| panic!("{e}"))
}

/// Driver, IOMMUs with ids, bus and coherency of each device, in the order of their addition.
fn lines(b: &LaidOut) -> Vec<String> {
    let of = |d: &kernel::board::DeviceDescription| {
        let drivers = d.drivers.iter().map(|n| b.drivers[n.index()].info.name);
        let drivers: Vec<&str> = drivers.collect();
        let specs = d.iommus.iter().map(|s| {
            let instance = s.instance.map(|i| b.instances[i.index()].device);
            let name = instance.map_or("-", |d| b.devices[d.index()].name.as_str());
            let table = s.table.map_or("", Table::signature);
            format!(" {table} {name} {:?} {}", s.args, s.available)
        });
        let specs: String = specs.collect();
        let fwnode = match d.fwnode {
            Fwnode::OfNode => "of",
            Fwnode::AcpiDevice => "acpi",
            Fwnode::Static => "static",
        };
        let bus = if d.bus == Bus::Amba { " amba" } else { "" };
        let coherent = if d.dma_coherent { " coherent" } else { "" };
        let name = &d.name;
        format!(
            "{name} {fwnode}{bus}{coherent} [{}]{specs}",
            drivers.join(" ")
        )
    };
    b.devices.iter().map(of).collect()
}

#[test]
fn smmus_come_first_and_devices_have_the_kernels_names() {
    let b = lay_out(ALL, &Config::default());
    assert_eq!(b.firmware, Firmware::Acpi);
    assert_eq!(
        lines(&b),
        [
            "arm-smmu-v3.0.auto static coherent [arm-smmu-v3]",
            "arm-smmu.1.auto static coherent [arm-smmu]",
            "TEST0001:00 acpi coherent [client-drv] IORT arm-smmu.1.auto [32] true IORT \
             arm-smmu.1.auto [33] true",
            "ARMH0011:00 acpi amba [] VIOT - [4] true",
            "LNRO0005:00 acpi coherent [virtio_iommu]",
            "LNRO0005:01 acpi coherent [virtio-mmio] VIOT LNRO0005:00 [3] true",
        ]
    );
    assert_eq!(b.iommus_without_driver, ["pciommu"]);
    assert!(b.links.is_empty(), "fw_devlink knows no IOMMU of ACPI");
}

#[test]
fn a_driver_that_is_not_built_is_told_from_one_that_has_not_come() {
    let without = Config {
        absent: ["arm-smmu-v3".to_owned()].into(),
        ..Config::default()
    };
    let text =
        "device a { hid TEST0001; cca 1; } iort { smmu-v3 s; named-component a { id 1 -> s; } }";
    let client = |config: &Config| lines(&lay_out(text, config))[1].clone();
    let built = client(&Config::default());
    assert!(
        built.ends_with("IORT arm-smmu-v3.0.auto [1] true"),
        "{built}"
    );
    let absent = client(&without);
    assert!(absent.ends_with("IORT - [1] false"), "{absent}");
    let waits = |config| lay_out(text, config).iommus_without_driver.len();
    assert_eq!(waits(&without), 0, "nobody waits for what is not built");
}

#[test]
fn what_is_about_pci_is_counted() {
    let board = board("t.acpi", ALL.as_bytes());
    let machine = board.acpi.expect("it is a machine");
    let all: Vec<String> = machine
        .unmodelled()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        all,
        [
            "virtio-iommu that is a PCI function",
            "PCI range in IORT: no function in it",
            "PCI range in VIOT: no function in it",
        ]
    );
}

/// iort_node_map_id(): the first range that has the id, for the function's own id and its aliases.
#[test]
fn the_ids_of_a_pci_function_are_those_of_its_root_complex() {
    let text = "pci-function nic { at 0000:01:00.0; alias 0000:02:00.0; cca 1; }
        device a { hid TEST0001; cca 1; }
        pci-function vga { cca 0; at 0001:00:1f.7; }
        pci-function disk { cca 1; at 0000:00:02.1; }
        iort { smmu-v3 s; root-complex 0 {
            ids 0x100 + 0x100 -> s 0x500; ids 0x12 + 0xfff0 -> s 0x10000; } }";
    let b = lay_out(text, &Config::default());
    assert_eq!(
        lines(&b),
        [
            "arm-smmu-v3.0.auto static coherent [arm-smmu-v3]",
            "0000:01:00.0 acpi coherent [client-drv] IORT arm-smmu-v3.0.auto [1280] true IORT \
             arm-smmu-v3.0.auto [66030] true",
            "TEST0001:00 acpi coherent [client-drv]",
            "0001:00:1f.7 acpi [client-drv]",
            "0000:00:02.1 acpi coherent [client-drv]",
        ]
    );
    assert!(b.devices.iter().filter(|d| d.bus == Bus::Pci).count() == 3);
    let machine = board("t.acpi", text.as_bytes()).acpi.expect("a machine");
    assert_eq!(machine.unmodelled().len(), 0, "each range has a function");
}

/// The other two tables have ranges too; VIOT counts from the beginning of its range.
#[test]
fn viot_and_rimt_have_pci_functions() {
    let text = "device v { hid LNRO0005; cca 1; } pci-function nic { at 0000:01:00.0; cca 1; }
        viot { virtio-iommu-mmio v; pci-range 0x80 + 0x100 -> v 8; }";
    let viot = lines(&lay_out(text, &Config::default()));
    assert_eq!(
        viot[1],
        "0000:01:00.0 acpi coherent [client-drv] VIOT LNRO0005:00 [136] true"
    );
    let text = "device i { hid RSCV0004; cca 1; } pci-function nic { at 0002:01:00.0; cca 1; }
        rimt { iommu i; root-complex 2 { ids 0 + 0x10000 -> i 0; } }";
    let b = lay_out(text, &Config::default());
    assert_eq!(
        lines(&b)[1],
        "0002:01:00.0 acpi coherent [client-drv] RIMT RSCV0004:00 [256] true"
    );
    assert_eq!(b.links.len(), 1, "rimt_iommu_xlate() links it");
}

#[test]
fn rimt_gives_a_link_that_is_not_there_at_the_start() {
    let text = "device a { hid TEST0001; cca 1; } device i { hid RSCV0004; cca 1; }
        rimt { iommu i; platform-device a { id 1 -> i; id 2 -> i; } }";
    let b = lay_out(text, &Config::default());
    assert_eq!(b.links.len(), 1);
    assert!(!b.links[0].by_fw_devlink);
    let name = |d: kernel::ids::DeviceId| b.devices[d.index()].name.as_str();
    assert_eq!(name(b.links[0].supplier), "RSCV0004:00");
    assert_eq!(name(b.links[0].consumer), "TEST0001:00");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let device = "device a { hid TEST0001; cca 1; }\n";
    let cases = [
        (
            "smmu0;",
            "1:1: found `smmu0`, expected `device`, `pci-function`, `iort`, `viot` or `rimt`",
        ),
        (
            "device { }",
            "1:8: found `{`, expected a name for the device",
        ),
        (
            "device a { cca 1; }",
            "1:8: device `a` has no `hid`, expected one such as `hid TEST0001;`",
        ),
        (
            "device a { hid TEST0001; }",
            "1:8: device `a` has no `cca`, expected `cca 0;` or `cca 1;`, as _CCA is",
        ),
        (
            "device a { hid X1; cca 1; }",
            "1:16: found `X1`, expected a hardware id of 7 or 8 letters and digits, such as LNRO0005",
        ),
        (
            "device a { cca 2; }",
            "1:16: found `2`, expected `0`, `1` or `none`",
        ),
        (
            "device a { cca 1; cca 1; }",
            "1:19: `cca` stands here twice, expected it once",
        ),
        ("device a { hid TEST0001 }", "1:25: found `}`, expected `;`"),
        (
            "device a { bus pci; }",
            "1:16: found `pci`, expected `platform` or `amba`",
        ),
        (
            "device a { hid TEST0001;",
            "1:25: found the end of the file, expected `hid`, `cca`, `bus` or `}`",
        ),
        (
            "iort { its-group x; }",
            "1:8: found `its-group`, expected `smmu-v3`, `smmu`, `named-component`, `root-complex` or `}`",
        ),
        (
            "iort { smmu-v3 s; smmu s; }",
            "1:24: found `s` a second time, expected a name that is not taken",
        ),
        (
            "iort { smmu-v3 s; named-component b { id 1 -> s; } }",
            "1:35: found `b`, expected a device",
        ),
        (
            "iort { root-complex x { } }",
            "1:21: found `x`, expected a number",
        ),
        (
            "iort { smmu-v3 s; root-complex 0 { ids 0 0 -> s 0; } }",
            "1:42: found `0`, expected `+`",
        ),
        (
            "viot { pci-range 0 + 1 -> v 0; }",
            "1:27: found `v`, expected an IOMMU of VIOT",
        ),
        ("/* ", "1:1: this comment has no end"),
    ];
    for (text, expected) in cases {
        assert_eq!(
            error("b/t.acpi", text.as_bytes()),
            format!("b/t.acpi:{expected}")
        );
    }
    let after_device = [
        (
            "device a { hid TEST0001; cca 0; }",
            "2:8: found `a` a second time, expected a name that is not taken",
        ),
        (
            "iort { smmu-v3 smmu0; named-component a { id 1 -> smnu0; } }",
            "2:51: found `smnu0`, expected an IOMMU of IORT; did you mean `smmu0`?",
        ),
        (
            "iort { smmu-v3 s; named-component a { id x -> s; } }",
            "2:42: found `x`, expected a number",
        ),
        (
            "iort { smmu-v3 s; named-component a { id 0x100000000 -> s; } }",
            "2:42: found `0x100000000`, expected a number that fits a 32-bit cell",
        ),
        (
            "iort { smmu-v3 s; named-component a { id 1 s; } }",
            "2:44: found `s`, expected `->`",
        ),
        (
            "iort { smmu-v3 s; named-component a { } }",
            "2:35: `a` has no id here, expected a line such as `id 0x10 -> smmu0;`",
        ),
        (
            "iort { smmu-v3 s; named-component a { id 1 -> s; } named-component a { id 2 -> s; } }",
            "2:68: `a` stands in IORT twice, expected all of its ids in one place",
        ),
        (
            "iort { smmu-v3 s; } viot { mmio-endpoint a { id 1 -> s; } }",
            "2:54: found `s`, expected an IOMMU of VIOT",
        ),
        (
            "viot { virtio-iommu-mmio a; }",
            "2:26: `a` is a device `TEST0001`, expected `hid LNRO0005;`",
        ),
        (
            "viot { virtio-iommu-pci v; mmio-endpoint a { id 1 -> v; id 2 -> v; } }",
            "2:42: `a` has 2 ids, expected the one that VIOT gives",
        ),
        (
            "device i { hid RSCV0004; cca 1; bus amba; } rimt { iommu i; }",
            "2:58: `i` is on the amba bus, expected the platform bus",
        ),
        (
            "device i { hid RSCV0004; cca 1; } rimt { iommu i; iommu i; }",
            "2:57: `i` is an IOMMU already",
        ),
    ];
    for (text, expected) in after_device {
        let text = format!("{device}{text}");
        assert_eq!(
            error("b/t.acpi", text.as_bytes()),
            format!("b/t.acpi:{expected}"),
            "{text}"
        );
    }
}

#[test]
fn what_is_wrong_about_pci_is_said_with_its_place() {
    for (text, expected) in [
        (
            "pci-function n { at 0:1:2.3; }",
            "1:21: found `0:1:2.3`, expected the address of a PCI function, such as 0000:01:00.0",
        ),
        (
            "pci-function n { at 0000:01:20.0; }",
            "1:21: found `0000:01:20.0`, expected the address of a PCI function, such as 0000:01:00.0",
        ),
        (
            "pci-function n { at 0000:01:00.0; }",
            "1:14: function `n` has no `cca`, expected `cca 0;` or `cca 1;`, as _CCA of its root \
             bridge is",
        ),
        (
            "pci-function n { cca 1; }",
            "1:14: function `n` has no `at`, expected one such as `at 0000:01:00.0;`",
        ),
        (
            "pci-function n { at 0000:01:00.0; cca 1; } pci-function m { at 0000:01:00.0; cca 1; }",
            "1:21: there are two functions at this address, expected one",
        ),
        (
            "pci-function n { at 0000:01:00.0; cca 1; alias 0000:01:00.0; }",
            "1:48: this is the address or an alias of a second function, expected one that is \
             nobody else's: groups of functions that share an id are not modelled",
        ),
        (
            "pci-function n { at 0000:01:00.0; cca 1; alias 0001:01:00.0; }",
            "1:48: this is in another segment, expected an alias in the function's own",
        ),
        (
            "pci-function n { at 0000:01:00.0; cca 1; alias 0000:02:00.0; } \
             iort { smmu-v3 s; root-complex 0 { ids 0 + 0x101 -> s 0; } }",
            "1:48: no range of IORT has this alias, expected one: the function's own id has one",
        ),
        (
            "iort { smmu-v3 s; root-complex 0 { ids 0 + 0 -> s 0; } }",
            "1:40: found a range of no id, or beyond 32 bits; expected at least one, and ids of 32 \
             bits",
        ),
        (
            "iort { root-complex 3 { } root-complex 3 { } }",
            "1:40: segment 3 has a root complex already, expected one",
        ),
    ] {
        let expected = format!("b/t.acpi:{expected}");
        assert_eq!(error("b/t.acpi", text.as_bytes()), expected, "{text}");
    }
}

/// Words of the language, and what does not belong in it.
const WORDS: &[&str] = &[
    "device",
    "iort",
    "viot",
    "rimt",
    "{",
    "}",
    ";",
    "->",
    "+",
    "0x10",
    "1",
    "a",
    "s",
    "hid",
    "cca",
    "bus",
    "amba",
    "TEST0001",
    "smmu-v3",
    "named-component",
    "root-complex",
    "ids",
    "id",
    "iommu",
    "mmio-endpoint",
    "virtio-iommu-mmio",
    "pci-range",
    "pci-function",
    "at",
    "alias",
    "0000:01:00.0",
    "pci-function f { at 0000:02:00.0; alias 0000:03:00.0; cca 1; }",
    "root-complex 0 { ids 0 + 0x10000 -> s 0; }",
    "//",
    "/*",
    "\u{e9}",
    "\"",
    "0",
    "device a { hid TEST0001; cca 1; }",
    "iort { smmu-v3 s; }",
    "named-component a { id 1 -> s; }",
];

proptest! {
    #[test]
    fn words_never_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..40)) {
        let read = super::from_bytes("t.acpi", words.join(" ").as_bytes());
        match read {
            Ok(board) => {
                let laid_out = board.lay_out(&Config::default());
                prop_assert!(laid_out.is_ok());
            }
            Err(error) => {
                prop_assert!(!error.to_string().contains('\n'), "{}", error);
                prop_assert!(error.to_string().starts_with("t.acpi:1:"), "{}", error);
            }
        }
    }

    #[test]
    fn a_byte_that_is_changed_never_panics(at in 0..ALL.len(), byte in any::<u8>()) {
        let mut bytes = ALL.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(board) = super::from_bytes("t.acpi", &bytes) {
            let laid_out = board.lay_out(&Config::default());
            prop_assert!(laid_out.is_ok());
        }
    }
}
