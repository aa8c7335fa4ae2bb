//! Lists over HTTP that come in pages.

/// How one page leads to the next, and where to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    pub way: PageWay,
    /// A look takes only so many, the first; of a ledger, and where nothing is said, a list is whole or a failure.
    pub at_most: Option<usize>,
}

/// What leads on; `at` is a JSON pointer into the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageWay {
    /// There stands the next page's address, or nothing.
    Next { at: String },
    /// The answer's `Link` headers have the next page's address, as this relation (RFC 8288); or nothing.
    Link { relation: String },
    /// The answer's `Link` headers have beside this relation the `cursor` that the next page is asked by; or nothing.
    LinkCursor { relation: String, by: AskedBy },
    /// There stands what the next page is asked by; or nothing.
    Cursor { at: String, by: AskedBy },
    /// Pages are counted, from the first one on; the first without rows ends it.
    Number { by: AskedBy, first: u64 },
}

/// Where a request says which page it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// In this parameter of its address.
    Parameter(String),
    /// In its body, at this JSON pointer: a key of an object that is there.
    Field(String),
}
