//! Lines that fit into a mail.

/// Width of a mail.
pub const WIDTH: usize = 80;

/// A list with commas, such as an outcome: broken behind commas, and between words only where a
/// part alone is too wide. The first line has `first` columns to its left, and the others, which
/// go on with it, are to have `others`; the caller writes both.
pub fn list(text: &str, first: usize, others: usize) -> Vec<String> {
    let room = WIDTH.saturating_sub(first.max(others));
    let parts = text.split_inclusive(", ").flat_map(|part| {
        let words = part.trim_end().chars().count() > room;
        part.split_inclusive(move |c| words && c == ' ')
    });
    fill(parts, first, others)
}

/// As [`list`], broken between words alone.
pub fn between_words(text: &str, first: usize, others: usize) -> Vec<String> {
    fill(text.split_inclusive(' '), first, others)
}

/// Running text, broken between words.
pub fn words(text: &str) -> Vec<String> {
    fill(text.split_inclusive(' '), 0, 0)
}

fn fill<'a>(parts: impl Iterator<Item = &'a str>, first: usize, others: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in parts {
        let indent = if lines.len() == 1 { first } else { others };
        let line = lines.last_mut().expect("there is a first line");
        let width = indent + line.chars().count() + part.trim_end().chars().count();
        if line.is_empty() || width <= WIDTH {
            line.push_str(part);
        } else {
            lines.push(part.to_owned());
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, list, words};

    #[test]
    fn a_short_list_stays_on_its_line() {
        assert_eq!(list("a b, c d", 6, 10), ["a b, c d"]);
    }

    #[test]
    fn a_long_list_is_broken_behind_a_comma() {
        let part = "x".repeat(40);
        let text = format!("{part} 1, {part} 2");
        assert_eq!(
            list(&text, 0, 4),
            [format!("{part} 1,"), format!("{part} 2")]
        );
    }

    #[test]
    fn what_is_too_wide_without_commas_is_broken_between_words() {
        let text = "members ".repeat(30);
        let lines = list(&text, 6, 10);
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|l| l.len() <= WIDTH - 6), "{lines:?}");
        assert_eq!(lines.join(" "), text.trim_end());
    }

    #[test]
    fn running_text_fills_the_width_exactly() {
        let text = format!("{} {} b", "a".repeat(39), "a".repeat(40));
        let lines = words(&text);
        assert_eq!(lines[0].len(), WIDTH);
        assert_eq!(lines[1], "b");
    }
}
