//! "Did you mean": the nearest name, by edit distance.

/// Longer words are not compared with anything: nobody mistypes them, and the work is quadratic.
const LONGEST: usize = 64;

/// The candidate nearest to `word`, if it is near enough to be what was meant: a third of the letters may
/// differ, and a pair of letters swapped counts as one. Of two that are equally near, the first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(LONGEST + 1).collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.chars().take(LONGEST + 1).collect();
        if word.len().max(letters.len()) > LONGEST {
            continue;
        }
        let allowed = (word.len().min(letters.len()) / 3).max(1);
        let far = distance(&word, &letters);
        if far <= allowed && far < letters.len() && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Letters inserted, removed, replaced (in more than case) or swapped with their neighbour to get from `a` to `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        rows[i][0] = i;
        for j in 1..=b.len() {
            let differs = usize::from(!a[i - 1].eq_ignore_ascii_case(&b[j - 1]));
            let mut least = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let devices = ["client0", "client1", "ee300000.sata"];
        assert_eq!(nearest("clinet0", devices), Some("client0"));
        assert_eq!(nearest("CLIENT1", devices), Some("client1"));
        assert_eq!(nearest("ee30000.sata", devices), Some("ee300000.sata"));
        assert_eq!(nearest("gpu", devices), None);
        assert_eq!(nearest("", devices), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest(&"c".repeat(1_000_000), devices), None);
    }
}
