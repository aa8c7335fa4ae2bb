//! One integration-test binary: it links once. Each module is a subject.

#[cfg(test)]
mod acting;
#[cfg(test)]
mod packs;
#[cfg(test)]
mod town;
