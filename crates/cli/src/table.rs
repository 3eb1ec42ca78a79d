//! A table for people: columns of fixed width that fit a terminal of 80 characters, with cells wrapped at spaces.

/// The lines of a table: the heading, then each row, every cell wrapped to its column's width.
pub(crate) fn lines<const N: usize>(columns: [(&str, usize); N], rows: &[[String; N]]) -> Vec<String> {
    let heading = columns.map(|(name, _)| name.to_owned());
    let widths = columns.map(|(_, width)| width);
    core::iter::once(&heading).chain(rows).flat_map(|row| row_lines(row, widths)).collect()
}

fn row_lines<const N: usize>(row: &[String; N], widths: [usize; N]) -> Vec<String> {
    let cells: Vec<Vec<String>> = row.iter().zip(widths).map(|(text, width)| wrapped(text, width)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |number: usize| {
        let parts = cells.iter().zip(widths).map(|(cell, width)| {
            let text = cell.get(number).map_or("", String::as_str);
            format!("{text:width$}")
        });
        parts.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

/// The text in lines of at most `width` characters. A word that is longer is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace().flat_map(|word| pieces(word, width)) {
        let last = lines.last_mut().expect("there is one from the beginning");
        match last.chars().count() {
            0 => *last = word,
            used if used + 1 + word.chars().count() <= width => *last = format!("{last} {word}"),
            _ => lines.push(word),
        }
    }
    lines
}

fn pieces(word: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    characters.chunks(width.max(1)).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_wrapped_at_spaces_and_long_words_are_cut() {
        let row = ["one two three".to_owned(), "abcdefghijkl".to_owned()];
        let found = lines([("A", 7), ("B", 5)], &[row]);
        assert_eq!(found, ["A        B", "one two  abcde", "three    fghij", "         kl"]);
    }

    #[test]
    fn no_line_is_wider_than_its_columns() {
        let row = ["a b c d e f g h i j k l m n o p q r s t".to_owned(), String::new()];
        assert!(lines([("A", 9), ("B", 3)], &[row]).iter().all(|line| line.len() <= 14));
    }
}
