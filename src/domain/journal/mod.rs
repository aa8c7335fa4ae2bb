//! The state machine of one act, pure: (state, event) -> (state, commands).
