//! Judging a reading against a check's rule.
