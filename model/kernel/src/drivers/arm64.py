#!/usr/bin/env python3
"""Makes arm64.txt: which platform drivers an arm64 defconfig has, and when they register.

    make -C LINUX ARCH=arm64 O=BUILD defconfig
    arm64.py LINUX BUILD/.config COMPATIBLES > arm64.txt

COMPATIBLES has one compatible a line: those of the boards at hand; what no board has is left out.
Read are the Makefiles (link order, configuration symbols) and, of each C file that is linked,
its `struct platform_driver`, match table and initcall. What is built by macros beyond the few
known here is not found, and its devices stay driverless.
"""

import os
import re
import sys

LEVELS = ["early", "pure", "core", "postcore", "arch", "arch_sync", "subsys", "fs", "device", "late"]
INITCALL = re.compile(
    r"\b(early|pure|core|postcore|arch|subsys|fs|rootfs|device|late)_initcall(_sync)?\s*\(\s*(\w+)\s*\)")

# IOMMU drivers stand in the table although the defconfig does not have them, with all their
# compatibles: the model is about them.
ALWAYS = "drivers/iommu/"

# 32-bit ARM alone can have these.
NOT_ARM64 = ["omap-iommu.c", "msm_iommu.c", "mtk_iommu_v1.c"]

# Drivers of the amba bus match by the peripheral's number. A blob does not have that, so here they
# go by the compatible that bindings give to it.
AMBA = {
    "drivers/spi/spi-pl022.c": ["arm,pl022"],
    "drivers/rtc/rtc-pl031.c": ["arm,pl031"],
    "drivers/gpio/gpio-pl061.c": ["arm,pl061"],
    "drivers/mailbox/arm_mhu.c": ["arm,mhu"],
    "drivers/mailbox/arm_mhu_db.c": ["arm,mhu-doorbell"],
    "drivers/mailbox/arm_mhuv2.c": ["arm,mhuv2-rx", "arm,mhuv2-tx"],
    "drivers/mmc/host/mmci.c": ["arm,pl180", "arm,pl18x"],
    "drivers/hwtracing/coresight/coresight-cpu-debug.c": ["arm,coresight-cpu-debug"],
    "drivers/hwtracing/coresight/coresight-funnel.c": ["arm,coresight-dynamic-funnel"],
    "drivers/hwtracing/coresight/coresight-cti-core.c": ["arm,coresight-cti"],
    "drivers/hwtracing/coresight/coresight-etm4x-core.c": ["arm,coresight-etm4x"],
    "drivers/hwtracing/coresight/coresight-tpiu.c": ["arm,coresight-tpiu"],
    "drivers/hwtracing/coresight/coresight-replicator.c": ["arm,coresight-dynamic-replicator"],
    "drivers/hwtracing/coresight/coresight-stm.c": ["arm,coresight-stm"],
    "drivers/hwtracing/coresight/coresight-tmc-core.c": ["arm,coresight-tmc"],
    "drivers/hwtracing/coresight/coresight-tpda.c": ["qcom,coresight-tpda"],
    "drivers/hwtracing/coresight/coresight-tpdm.c": ["qcom,coresight-tpdm"],
    "drivers/hwtracing/coresight/coresight-catu.c": ["arm,coresight-catu"],
    "drivers/input/serio/ambakmi.c": ["arm,pl050"],
    "drivers/gpu/drm/pl111/pl111_drv.c": ["arm,pl111"],
    "drivers/watchdog/sp805_wdt.c": ["arm,sp805"],
    "drivers/dma/pl330.c": ["arm,pl330"],
    "drivers/dma/amba-pl08x.c": ["arm,pl080", "arm,pl081"],
    "drivers/tty/serial/amba-pl011.c": ["arm,pl011"],
    "drivers/tty/serial/amba-pl010.c": ["arm,pl010"],
    "drivers/memory/pl353-smc.c": ["arm,pl353-smc-r2p1", "arm,pl354"],
}


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def makefile(folder):
    """Variables of a Makefile: name -> [(config symbol or None, words)], in order of first use."""
    for name in ("Kbuild", "Makefile"):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            break
    else:
        return {}
    text = re.sub(r"\\\n", " ", read(path))
    text = re.sub(r"#.*", "", text)
    rows = {}
    for line in text.splitlines():
        line = re.sub(r"\$\(subst m,y,\$\((CONFIG_\w+)\)\)", r"$(\1)", line)
        m = re.match(r"\s*([\w.\-/]+?)-(y|m|objs|\$\((CONFIG_\w+)\))\s*[:+]?=\s*(.*)", line)
        if m:
            rows.setdefault(m[1], []).append((m[3], m[4].split()))
    return rows


class Walk:
    def __init__(self, root, config):
        self.root, self.config, self.files = root, config, []

    def state(self, symbol, outer):
        own = "y" if symbol is None else self.config.get(symbol, "n")
        return "n" if "n" in (own, outer) else "m" if "m" in (own, outer) else "y"

    def folder(self, path, outer):
        rows = makefile(os.path.join(self.root, path))
        for symbol, words in rows.get("obj", []):
            state = self.state(symbol, outer)
            for word in words:
                if word.endswith("/"):
                    self.folder(os.path.join(path, word.rstrip("/")), state)
                elif word.endswith(".o"):
                    self.object(path, word[:-2], state, rows, word[:-2], [])

    def object(self, path, name, state, rows, module, seen):
        if name in rows and name not in seen and name != "obj":
            for symbol, words in rows[name]:
                for word in words:
                    part = re.match(r"\$\(([\w.\-]+)-[ym]\)$", word)
                    part = part[1] if part else word[:-2] if word.endswith(".o") else None
                    if part:
                        self.object(path, part, self.state(symbol, state), rows, module, seen + [name])
        source = os.path.normpath(os.path.join(path, name + ".c"))
        if os.path.exists(os.path.join(self.root, source)):
            self.files.append((source, state, os.path.basename(module)))


def block(text, start):
    """The text from the first brace behind `start` to the one that closes it."""
    open_at = text.index("{", start)
    depth = 0
    for i in range(open_at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[open_at:i + 1]
    return text[open_at:]


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def strings(text, value, module):
    """A C expression as a string, through the file's own defines."""
    value = value.strip()
    if value.startswith('"'):
        return "".join(re.findall(r'"([^"]*)"', value))
    if value == "KBUILD_MODNAME":
        return module.replace("-", "_")
    m = re.search(r"#define\s+" + re.escape(value) + r"\s+(\"[^\"]*\"|KBUILD_MODNAME)", text)
    return strings(text, m[1], module) if m else None


def tables(text, module):
    found = {}
    for m in re.finditer(r"struct\s+of_device_id\s+(\w+)\s*\[\s*\]\s*(?:__\w+(?:\([^)]*\))?\s*)*=", text):
        body = block(text, m.end())
        values = re.findall(r"\.compatible\s*=\s*(\"[^\"]*\"|\w+)", body)
        found[m[1]] = [c for c in (strings(text, v, module) for v in values) if c]
    return found


def level_of(text, driver):
    """Initcall level of the registration of a platform_driver."""
    if re.search(r"\b(module|builtin)_platform_driver\w*\s*\(\s*" + driver + r"\b", text):
        return "device"
    calls = [(m[1], m[2], m[3]) for m in INITCALL.finditer(text)]
    for level, sync, function in calls:
        m = re.search(r"\b" + function + r"\s*\(void\)\s*\{", text)
        if m and re.search(r"platform_driver_(register|probe)\s*\(\s*&" + driver + r"\b",
                           block(text, m.start())):
            level = {"rootfs": "fs"}.get(level, level)
            return level + ("_sync" if sync and level == "arch" else "")
    return "device"


def drivers(source, text, module, near):
    own = tables(text, module)
    for m in re.finditer(r"struct\s+platform_driver\s+(\w+)\s*(?:__\w+\s*)?=\s*\{", text):
        body = block(text, m.start())
        name = re.search(r"\.name\s*=\s*([^,}]+)", body)
        table = re.search(r"of_match_table\s*=\s*(?:of_match_ptr\s*\(\s*)?(\w+)", body)
        name = name and strings(text, name[1], module)
        if not name or not table:
            continue
        compatibles = own.get(table[1]) or near(source, table[1])
        flag = "async" if "PROBE_PREFER_ASYNCHRONOUS" in body else "-"
        yield name, level_of(text, m[1]), flag, compatibles or []
    for m in re.finditer(r"struct\s+amba_driver\s+(\w+)\s*=\s*\{", text):
        body = block(text, m.start())
        name = re.search(r"\.name\s*=\s*([^,}]+)", body)
        name = name and strings(text, name[1], module)
        if name and source in AMBA:
            yield name, level_of(text.replace("amba_driver", "platform_driver"), m[1]), "amba", AMBA[source]
    for m in re.finditer(r"IRQCHIP_PLATFORM_DRIVER_BEGIN\((\w+)\)(.*?)IRQCHIP_PLATFORM_DRIVER_END", text, re.S):
        yield m[1], "device", "-", re.findall(r"IRQCHIP_MATCH\(\"([^\"]*)\"", m[2])


def main():
    root, config, wanted = sys.argv[1:4]
    config = dict(re.findall(r"^(CONFIG_\w+)=([ym])$", read(config), re.M))
    wanted = set(read(wanted).split())
    walk = Walk(root, config)
    for folder in ("drivers", "sound"):
        walk.folder(folder, "y")
    cache = {}

    def near(source, table):
        folder = os.path.dirname(source)
        if folder not in cache:
            cache[folder] = {}
            for f in sorted(os.listdir(os.path.join(root, folder))):
                if f.endswith((".c", ".h")):
                    cache[folder].update(tables(without_comments(read(os.path.join(root, folder, f))), f[:-2]))
        return cache[folder].get(table)

    rows, seen = [], set()
    for order, (source, state, module) in enumerate(walk.files):
        if state == "n" and not source.startswith(ALWAYS):
            continue
        if source in seen or os.path.basename(source) in NOT_ARM64:
            continue
        seen.add(source)
        text = without_comments(read(os.path.join(root, source)))
        populates = re.search(r"\b(devm_)?of_platform_(default_)?populate\s*\(", text)
        for name, level, flag, compatibles in drivers(source, text, module, near):
            always = source.startswith(ALWAYS)
            compatibles = [c for c in dict.fromkeys(compatibles) if c in wanted or always]
            if compatibles:
                built = {"y": "y", "m": "m", "n": "x"}[state]
                if populates:
                    flag = "populates" if flag == "-" else flag + ",populates"
                rows.append((LEVELS.index(level), order, name, built, flag, source, compatibles))
    rows.sort(key=lambda r: (r[0], r[1]))
    names = set()
    for level, _, name, built, flag, source, compatibles in rows:
        if name in names:
            continue
        names.add(name)
        print(LEVELS[level], built, flag, name.replace(" ", "_"), source, *compatibles)


main()
