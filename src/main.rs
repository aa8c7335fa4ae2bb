//! The `wheelhouse` program: error hooks, then `app::run`.

use std::process::ExitCode;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::config::HookBuilder::default().display_env_section(false).install()?;
    Ok(wheelhouse::app::run(std::env::args_os()))
}
