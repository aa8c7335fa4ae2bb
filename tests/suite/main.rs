//! One integration-test binary: it links once. Each module is a subject.

mod screens;
