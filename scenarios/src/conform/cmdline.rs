//! A kernel's command line, as far as the model or the comparison looks at it.

use super::events::{FUNCTIONS, Probes};
use crate::trace::function_name;
use kernel::config::Config;

/// Puts into the configuration what a command line says. Gives what it has taken, and what it
/// has not understood.
pub fn apply(text: &str, config: &mut Config, probes: &mut Probes) -> (Vec<String>, Vec<String>) {
    let (mut taken, mut not) = (vec![], vec![]);
    for word in text.split_whitespace() {
        let Some((key, value)) = word.split_once('=') else {
            continue;
        };
        let is_known = match (key, value) {
            ("fw_devlink", "off") => {
                config.fw_devlink = false;
                true
            }
            ("fw_devlink", "on" | "rpm") => true,
            ("fw_devlink.strict", "1" | "y" | "0" | "n") => {
                config.fw_devlink_strict = matches!(value, "1" | "y");
                true
            }
            ("driver_async_probe", _) => {
                let names = value.split(',').map(str::to_owned);
                config.async_probe.extend(names);
                true
            }
            ("deferred_probe_timeout", _) if value.parse::<i32>().is_ok_and(|s| s < 0) => {
                // It never runs out.
                config.deferred_probe_timeout = u32::MAX;
                true
            }
            ("deferred_probe_timeout", _) => value.parse().is_ok_and(|seconds| {
                config.deferred_probe_timeout = seconds;
                true
            }),
            ("kprobe_event", _) => {
                value.split(';').for_each(|event| probe(event, probes));
                continue;
            }
            ("fw_devlink" | "fw_devlink.strict" | "fw_devlink.sync_state", _) => false,
            _ => continue,
        };
        let list = if is_known { &mut taken } else { &mut not };
        list.push(word.to_owned());
    }
    (taken, not)
}

/// `p,really_probe,d=...`, `r:NAME,really_probe,ret=...`: a function that is probed is observed,
/// but for those of which the compiler inlines some calls. Where the place is an offset, the event
/// is called `p_FUNCTION_NUMBER`.
fn probe(event: &str, probes: &mut Probes) {
    let mut words = event.split(',');
    let (Some(kind), Some(place)) = (words.next(), words.next()) else {
        return;
    };
    let mut kind = kind.splitn(2, ':');
    let (probe, event) = (kind.next(), kind.next());
    let named = event.and_then(|e| e.get(2..)?.rsplit_once('_'));
    let is_offset = place.starts_with("_text+");
    let named = named.filter(|_| is_offset).map(|(name, _)| name);
    let Some(name) = function_name(named.unwrap_or(place)) else {
        return;
    };
    if !FUNCTIONS.contains(&name.as_str()) {
        return;
    }
    match probe {
        Some("p") => probes.observed.insert(name),
        Some("r") => probes.returned.insert(name),
        _ => false,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_model_looks_at_is_taken() {
        let (mut config, mut probes) = (Config::default(), Probes::default());
        let (taken, not) = apply(
            "console=ttyAMA0 fw_devlink=off driver_async_probe=* fw_devlink=permissive quiet \
             deferred_probe_timeout=120 \
             kprobe_event=p,device_add,d=+0(+0(%x0)):string;r,really_probe,ret=$retval:s32;\
             p:p_x,_text+13625448,d=+0(+0(%x0)):string;p,driver_deferred_probe_add;\
             p:p_arm_smmu_of_xlate_1,_text+13625448,d=+0(+0($arg1)):string",
            &mut config,
            &mut probes,
        );
        assert_eq!(
            taken,
            [
                "fw_devlink=off",
                "driver_async_probe=*",
                "deferred_probe_timeout=120"
            ]
        );
        assert_eq!(not, ["fw_devlink=permissive"]);
        assert!(!config.fw_devlink && config.async_probe.contains("*"));
        assert_eq!(config.deferred_probe_timeout, 120);
        let (taken, not) = apply("deferred_probe_timeout=-1", &mut config, &mut probes);
        assert!(taken == ["deferred_probe_timeout=-1"] && not.is_empty());
        assert_eq!(config.deferred_probe_timeout, u32::MAX);
        assert_eq!(
            probes.observed.iter().collect::<Vec<_>>(),
            ["arm_smmu_of_xlate", "device_add"]
        );
        assert_eq!(probes.returned.iter().collect::<Vec<_>>(), ["really_probe"]);
    }
}
