//! The command that runs a witness again, as lines that a shell puts together.

use super::Shown;
use crate::wrap::WIDTH;

/// The command that runs a witness again, in lines that a shell puts together; or the schedule
/// alone, if it never ends.
pub(super) fn commands(witness: &Shown) -> Vec<String> {
    let Some((schedule, words)) = witness.replay.split_last() else {
        return token("  Schedule ", &witness.schedule);
    };
    let schedule = quoted(schedule);
    let mut line = " ".to_owned();
    let mut lines = vec![];
    for word in options(words) {
        if line.len() + word.len() + 3 > WIDTH {
            lines.push(format!("{line} \\"));
            line = String::from("     ");
        }
        line = format!("{line} {word}");
    }
    if line.len() + schedule.len() + 1 > WIDTH {
        lines.push(format!("{line} \\"));
        line = String::from("     ");
    }
    lines.extend(token(&format!("{line} "), &schedule));
    lines
}

/// Words of a command, an option with its value as one.
fn options(words: &[String]) -> Vec<String> {
    let mut parts: Vec<String> = vec![];
    for word in words {
        let word = quoted(word);
        match parts
            .last_mut()
            .filter(|last| last.starts_with("--") && !last.contains(' '))
        {
            Some(option) => *option = format!("{option} {word}"),
            None => parts.push(word),
        }
    }
    parts
}

/// One word, broken where it must be as a shell allows: the rest at the start of the next line.
fn token(before: &str, word: &str) -> Vec<String> {
    let mut lines = vec![];
    let mut line = before.to_owned();
    for part in word.split_inclusive('.') {
        if line.len() + part.len() + 1 > WIDTH {
            lines.push(format!("{line}\\"));
            line.clear();
        }
        line += part;
    }
    lines.push(line);
    lines
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains(' ') {
        format!("\"{word}\"")
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::commands;
    use crate::review::Shown;

    /// A shell puts a line that ends in a backslash and the next one together.
    #[test]
    fn a_long_schedule_is_broken_where_a_shell_joins_it_again() {
        let schedule = vec!["10*200"; 40].join(".");
        let words = [
            "probe-litmus",
            "replay",
            "x.litmus",
            "--kernel",
            "v7.3-rc7 + a",
            &schedule,
        ];
        let witness = Shown {
            outcome: None,
            lines: vec![],
            columns: vec![],
            schedule: schedule.clone(),
            replay: words.iter().map(|w| (*w).to_owned()).collect(),
        };
        let lines = commands(&witness);
        assert!(lines.iter().all(|l| l.len() <= 80), "{lines:#?}");
        let joined = lines.join("\n").replace("\\\n", "");
        let expected =
            format!("  probe-litmus replay x.litmus --kernel \"v7.3-rc7 + a\"       {schedule}");
        assert_eq!(joined, expected);
    }
}
