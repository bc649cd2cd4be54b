//! A review as JSON: the fields of [`Review`], under their names.

use super::Review;

/// As text, to be read by programs.
pub fn print(review: &Review) -> String {
    let text = serde_json::to_string_pretty(review);
    text.expect("a review has neither maps nor anything else that cannot be written") + "\n"
}

/// Reads what [`print()`] gave.
pub fn read(text: &str) -> Result<Review, serde_json::Error> {
    serde_json::from_str(text)
}
