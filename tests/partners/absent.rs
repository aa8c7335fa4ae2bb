//! What is said of a partner that is not there; the library's own tests and those of the program share it.

/// True where every partner was to be there: `tests/all` says so once it has installed them.
pub fn must_be_there() -> bool {
    std::env::var("WHEELHOUSE_PARTNERS").is_ok_and(|wanted| wanted == "all")
}

/// Says that what is tested with a partner is left out, or fails where nothing may be. `how` says how it is got.
pub fn absent(what: &str, how: &str) {
    let said = format!("{what} is not there ({how}): what is tested with it was left out");
    assert!(!must_be_there(), "{said}, and WHEELHOUSE_PARTNERS=all says that nothing may be");
    println!("{said}");
}
