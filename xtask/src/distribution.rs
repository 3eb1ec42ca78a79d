//! Percentiles by nearest rank: what the style budgets and the benchmarks are stated in, never a mean.

use std::fmt;

/// Sorted samples, at least one.
pub(crate) struct Distribution(Vec<f64>);

impl Distribution {
    /// Sorts the samples; none at all is no distribution.
    pub(crate) fn new(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut samples: Vec<f64> = samples.into_iter().collect();
        samples.sort_by(f64::total_cmp);
        (!samples.is_empty()).then_some(Self(samples))
    }

    pub(crate) fn min(&self) -> f64 {
        self.0[0]
    }

    pub(crate) fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// The smallest sample that `percent` of all samples do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0[rank - 1]
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p90) = (self.percentile(50), self.percentile(90));
        write!(f, "{:>9.3} {p50:>9.3} {p90:>9.3} {:>9.3}", self.min(), self.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_by_nearest_rank() {
        let ten = Distribution::new((1..=10).rev().map(f64::from)).unwrap();
        assert_eq!(
            [ten.percentile(50), ten.percentile(90), ten.percentile(91), ten.percentile(99)],
            [5.0, 9.0, 10.0, 10.0]
        );
        assert_eq!((ten.min(), ten.max(), ten.percentile(0)), (1.0, 10.0, 1.0));
    }

    #[test]
    fn one_sample_is_every_percentile_and_none_is_no_distribution() {
        let one = Distribution::new([7.0]).unwrap();
        assert_eq!((one.percentile(1), one.percentile(99)), (7.0, 7.0));
        assert!(Distribution::new([]).is_none());
    }
}
