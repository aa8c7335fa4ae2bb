//! Without a screen: every subcommand, its exit status, and what it never does.
