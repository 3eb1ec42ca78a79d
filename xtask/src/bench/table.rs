//! How results are printed: one line per peer and measure, as a distribution over the rounds.

use crate::distribution::Distribution;
use crate::measured::Usage;

/// The runs of one peer.
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) runs: Vec<Usage>,
}

/// Prints every peer's figures for an input of this size.
pub(super) fn print(title: &str, input_bytes: u64, peers: &[Peer]) {
    println!("\n{title}");
    println!("{:<16} {:<14} {:>9} {:>9} {:>9} {:>9}", "peer", "measure", "min", "p50", "p90", "max");
    for peer in peers {
        for (measure, of) in measures(input_bytes) {
            if let Some(distribution) = Distribution::new(peer.runs.iter().map(of)) {
                println!("{:<16} {measure:<14} {distribution}", peer.name);
            }
        }
    }
}

type Measure = (&'static str, Box<dyn Fn(&Usage) -> f64>);

fn measures(input_bytes: u64) -> [Measure; 4] {
    let mebibytes = f64_from(input_bytes) / 1_048_576.0;
    [
        ("wall s", Box::new(|usage| usage.wall_secs)),
        ("cpu s", Box::new(|usage| usage.cpu_secs)),
        ("MiB/s", Box::new(move |usage| mebibytes / usage.wall_secs)),
        ("peak MiB", Box::new(|usage| f64_from(u64::try_from(usage.peak_memory_kib).unwrap_or(0)) / 1024.0)),
    ]
}

/// Exact up to 2^53, which no file here reaches.
#[expect(clippy::cast_precision_loss, reason = "sizes stay below 2^53")]
fn f64_from(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_memory_are_in_mebibytes() {
        let usage = Usage { wall_secs: 2.0, cpu_secs: 1.5, peak_memory_kib: 3072 };
        let figures = measures(10 * 1_048_576).map(|(_, of)| of(&usage));
        assert!(figures.iter().zip([2.0, 1.5, 5.0, 3.0]).all(|(figure, expected)| (figure - expected).abs() < 1e-9));
    }
}
