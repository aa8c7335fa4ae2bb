//! The journeys of the demo once more, with the business on PostgreSQL: the same keys, the same screens, the same rows.
//!
//! Not played here: those that look at nothing but the screen's own state, and those in which the demo's site, which
//! keeps its own copy of the tables, changes the business (the job that is run).

use super::Way;
use crate::journey::play_on_postgres;

#[test]
fn the_safe_reviews_go_in_one_batch_and_come_back() {
    play_on_postgres("reviews-safe", Way::Directly);
}

#[test]
fn the_safe_reviews_go_through_a_pooler_and_come_back() {
    play_on_postgres("reviews-safe", Way::ThroughPooler);
}

#[test]
fn doubtful_reviews_are_read_one_by_one() {
    play_on_postgres("reviews-edge", Way::ThroughPooler);
}

#[test]
fn what_someone_else_decided_is_left_alone() {
    play_on_postgres("someone-else", Way::ThroughPooler);
}

#[test]
fn killed_in_the_middle_of_a_batch() {
    play_on_postgres("killed-batch", Way::Directly);
}

#[test]
fn killed_in_the_middle_of_a_batch_behind_a_pooler() {
    play_on_postgres("killed-batch", Way::ThroughPooler);
}

#[test]
fn a_refund_is_sent_once_and_written_everywhere() {
    play_on_postgres("refund", Way::Directly);
}

#[test]
fn a_refund_is_sent_once_and_written_everywhere_through_a_pooler() {
    play_on_postgres("refund", Way::ThroughPooler);
}

#[test]
fn a_refund_without_its_mail_stands_and_is_finished() {
    play_on_postgres("refund-mail", Way::ThroughPooler);
}

#[test]
fn a_refund_that_meets_a_failing_stripe_is_made_once() {
    play_on_postgres("refund-500", Way::ThroughPooler);
}

#[test]
fn a_refund_whose_answer_was_dropped_is_found_again() {
    play_on_postgres("refund-dropped", Way::ThroughPooler);
}

#[test]
fn killed_in_the_middle_of_a_refund() {
    play_on_postgres("killed-refund", Way::Directly);
}

#[test]
fn killed_in_the_middle_of_a_refund_behind_a_pooler() {
    play_on_postgres("killed-refund", Way::ThroughPooler);
}

#[test]
fn what_an_earlier_run_left_half_done_is_listed_and_finished() {
    play_on_postgres("recovery-half-done", Way::Directly);
}

#[test]
fn what_an_earlier_run_left_half_done_behind_a_pooler_is_listed_and_finished() {
    play_on_postgres("recovery-half-done", Way::ThroughPooler);
}

#[test]
fn a_dropped_line_ends_one_effect_and_begins_none() {
    play_on_postgres("hung-up", Way::ThroughPooler);
}

#[test]
fn quitting_with_something_held_asks() {
    play_on_postgres("quit-held", Way::ThroughPooler);
}

#[test]
fn the_flag_stays_an_open_loop_until_it_is_put_back() {
    play_on_postgres("flag", Way::ThroughPooler);
}

#[test]
fn seven_days_are_reconciled_repaired_and_signed() {
    play_on_postgres("reconcile", Way::Directly);
}

#[test]
fn seven_days_are_reconciled_through_a_pooler_repaired_and_signed() {
    play_on_postgres("reconcile", Way::ThroughPooler);
}

#[test]
fn a_refund_outside_the_window_is_denied_by_mail() {
    play_on_postgres("refund-denied", Way::ThroughPooler);
}

#[test]
fn an_alert_is_explained_and_handled() {
    play_on_postgres("alert", Way::ThroughPooler);
}
