//! Lists over HTTP that come in pages.

/// How one page leads to the next, and where to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    pub way: PageWay,
    /// A look takes no more rows than this; of a ledger, more than this is a failure.
    pub at_most: usize,
}

/// What leads on; pointers are JSON pointers into the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageWay {
    /// There stands the next page's address, or nothing.
    Next { at: String },
    /// There stands what the next page is asked by, as this parameter; or nothing.
    Cursor { at: String, parameter: String },
    /// Pages are counted in this parameter, from the first one on; the first without rows ends it.
    Number { parameter: String, first: u64 },
}
