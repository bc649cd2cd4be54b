//! `pci-function NAME { at 0000:01:00.0; cca 1; alias 0000:02:00.0; }`

use super::{Address, FunctionLine, Parser, Result};

impl Parser<'_> {
    pub(super) fn function(&mut self) -> Result<()> {
        let name = self.name("a name for the function")?;
        let (mut at, mut cca, mut aliases) = (None, None, vec![]);
        self.cursor.need("{")?;
        while !self.cursor.take("}")? {
            let start = self.cursor.at();
            let key = self.keyword(&["at", "cca", "alias", "}"])?;
            let twice = match key {
                "at" => at.replace(self.address()?).is_some(),
                "cca" => cca.replace(self.keyword(&["0", "1"])? == "1").is_some(),
                _ => {
                    aliases.push(self.address()?);
                    false
                }
            };
            if twice {
                let message = format!("`{key}` stands here twice, expected it once");
                return self.cursor.error((start, key.len()).into(), message);
            }
            self.cursor.need(";")?;
        }
        let (Some(at), Some(coherent)) = (at, cca) else {
            let missing = if at.is_none() {
                "`at`, expected one such as `at 0000:01:00.0;`"
            } else {
                "`cca`, expected `cca 0;` or `cca 1;`, as _CCA of its root bridge is"
            };
            let message = format!("function `{}` has no {missing}", name.text);
            return self.cursor.error(name.span, message);
        };
        self.lines.is_function.push(true);
        self.lines.functions.push(FunctionLine {
            name,
            at,
            aliases,
            coherent,
        });
        Ok(())
    }

    /// `0000:01:00.0`
    fn address(&mut self) -> Result<Address> {
        self.cursor.skip_blank()?;
        let start = self.cursor.at();
        let text = self
            .cursor
            .take_while(|b| b.is_ascii_alphanumeric() || b == b':' || b == b'.');
        let span = self.cursor.since(start);
        let Some((segment, id)) = numbers(text) else {
            let message = format!(
                "found `{text}`, expected the address of a PCI function, such as 0000:01:00.0"
            );
            return self.cursor.error(span, message);
        };
        Ok(Address { segment, id, span })
    }
}

/// Segment, and bus, device and function as one number.
fn numbers(text: &str) -> Option<(u16, u16)> {
    let hex = |text: &str, length: usize| {
        let is_number = text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = || u16::from_str_radix(text, 16).ok();
        is_number.then(number).flatten()
    };
    let (segment, rest) = text.split_once(':')?;
    let (bus, rest) = rest.split_once(':')?;
    let (device, function) = rest.split_once('.')?;
    let (device, function) = (hex(device, 2)?, hex(function, 1)?);
    let fits = device < 32 && function < 8;
    let id = hex(bus, 2)? << 8 | device << 3 | function;
    Some((hex(segment, 4)?, id)).filter(|_| fits)
}
