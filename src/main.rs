//! The `wheelhouse` program: error hooks, then `app::run`.

use std::process::ExitCode;

/// One heap for all threads: the C library gives each thread an arena of its own, and what one has freed no other uses.
#[global_allocator]
static HEAP: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::config::HookBuilder::default().display_env_section(false).install()?;
    Ok(wheelhouse::app::run(std::env::args_os()))
}
