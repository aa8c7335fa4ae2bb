//! `wheelhouse man` and `wheelhouse completions`, made from the definition of the command line.

use std::io;

use clap::CommandFactory as _;

use super::{arguments::Arguments, output};

pub fn print_man() -> io::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    output::print(&String::from_utf8_lossy(&page))
}

pub fn print_completions(shell: clap_complete::Shell) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "wheelhouse", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
