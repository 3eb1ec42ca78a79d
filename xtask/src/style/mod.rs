//! The style budgets: lengths of functions and files, and what no file may hold. They are measured over the
//! whole tree and fail when exceeded, so they cannot grow unseen.

mod source;
mod text;

use anyhow::{Result, bail};

use crate::distribution::Distribution;
use crate::workspace::Workspace;
use source::{Function, Source};

const FUNCTION_P90: f64 = 27.0;
const FUNCTION_P99: f64 = 60.0;
const FILE_P90: f64 = 320.0;
const FILE_MAX: f64 = 600.0;

/// Measures, prints the figures, and fails with everything that is over.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let sources = source::read_all(workspace)?;
    let mut wrong: Vec<String> = sources.iter().flat_map(Source::faults).collect();
    wrong.extend(text::faults(workspace)?);
    wrong.extend(over_budget(&sources));
    if !wrong.is_empty() {
        bail!("the house style is broken:\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

/// Prints each measure with its budget, and returns those over it with what is longest.
fn over_budget(sources: &[Source]) -> Vec<String> {
    let functions: Vec<&Function> = sources.iter().flat_map(|source| &source.functions).collect();
    let files: Vec<&Source> = sources.iter().filter(|source| source.product_lines > 0).collect();
    let lengths = |lines: Vec<usize>| Distribution::new(lines.into_iter().map(as_f64));
    let Some((by_function, by_file)) = lengths(functions.iter().map(|function| function.lines).collect())
        .zip(lengths(files.iter().map(|file| file.product_lines).collect()))
    else {
        return vec!["there is no function to measure".to_owned()];
    };
    let measures = [
        ("functions p90", by_function.percentile(90), FUNCTION_P90),
        ("functions p99", by_function.percentile(99), FUNCTION_P99),
        ("files p90", by_file.percentile(90), FILE_P90),
        ("files max", by_file.max(), FILE_MAX),
    ];
    for (name, measured, budget) in measures {
        println!("style: {name} {measured} of {budget} lines");
    }
    print_ratio(sources);
    let over = measures.iter().filter(|(_, measured, budget)| measured > budget);
    over.map(|(name, measured, budget)| format!("{name}: {measured} of {budget} lines{}", longest(sources))).collect()
}

/// Tests against product, the figure to keep at 0.9 or more.
fn print_ratio(sources: &[Source]) {
    let product: usize = sources.iter().map(|source| source.product_lines).sum();
    let tests: usize = sources.iter().map(|source| source.test_lines).sum();
    println!("style: {tests} lines of tests, {product} of product: {:.2}", as_f64(tests) / as_f64(product.max(1)));
}

/// The longest functions and files, the first to mend.
fn longest(sources: &[Source]) -> String {
    let mut functions: Vec<_> =
        sources.iter().flat_map(|source| source.functions.iter().map(move |function| (function, source))).collect();
    functions.sort_by_key(|(function, _)| std::cmp::Reverse(function.lines));
    let shown = functions.iter().take(8).map(|(function, source)| {
        format!("\n    {} lines: fn {} at {}:{}", function.lines, function.name, source.path, function.line)
    });
    let mut files: Vec<&Source> = sources.iter().collect();
    files.sort_by_key(|source| std::cmp::Reverse(source.product_lines));
    let files = files.iter().take(3).map(|source| format!("\n    {} lines: {}", source.product_lines, source.path));
    shown.chain(files).collect()
}

/// A count of lines, far below where `f64` starts to round.
fn as_f64(lines: usize) -> f64 {
    u32::try_from(lines).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_functions(lines: &[usize]) -> Vec<Source> {
        let function = |lines| Function { name: "f".to_owned(), line: 1, lines };
        let functions = lines.iter().copied().map(function).collect();
        vec![Source { path: "a.rs".to_owned(), product_lines: 10, functions, ..Source::default() }]
    }

    fn of_lengths(lengths: &[usize]) -> Vec<Source> {
        let source = |product_lines| Source { product_lines, ..with_functions(&[1]).remove(0) };
        lengths.iter().copied().map(source).collect()
    }

    #[test]
    fn the_tree_keeps_the_house_style() {
        run(&Workspace::here()).unwrap();
    }

    #[test]
    fn one_long_function_in_ten_is_allowed_and_two_are_not() {
        assert_eq!(over_budget(&with_functions(&[5, 5, 5, 5, 5, 5, 5, 5, 27, 60])).len(), 0);
        let over = over_budget(&with_functions(&[5, 5, 5, 5, 5, 5, 5, 5, 28, 60]));
        assert!(over[0].starts_with("functions p90: 28 of 27 lines\n    60 lines: fn f at a.rs:1"), "{over:?}");
        assert!(over_budget(&with_functions(&[5, 5, 5, 5, 5, 5, 5, 5, 5, 61]))[0].starts_with("functions p99"));
    }

    #[test]
    fn one_file_over_the_longest_allowed_fails() {
        assert_eq!(over_budget(&of_lengths(&[10, 10, 10, 10, 10, 10, 10, 10, 320, 600])).len(), 0);
        assert!(over_budget(&of_lengths(&[10, 10, 10, 10, 10, 10, 10, 10, 10, 601]))[0].starts_with("files max"));
        assert!(over_budget(&of_lengths(&[10, 321]))[0].starts_with("files p90"));
    }

    #[test]
    fn an_empty_tree_measures_nothing_and_fails() {
        assert_eq!(over_budget(&[]), ["there is no function to measure"]);
    }
}
