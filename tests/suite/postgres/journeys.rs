//! The journeys of the demo once more, with the business on PostgreSQL: the same keys, the same screens, the same rows.
//!
//! The demo's site keeps its own copy of the tables: where it changes the business, the database does the same here.

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

#[test]
fn monday_is_one_look() {
    play_on_postgres("monday", Way::Directly);
}

#[test]
fn monday_is_one_look_through_a_pooler() {
    play_on_postgres("monday", Way::ThroughPooler);
}

#[test]
fn monday_fits_a_small_terminal() {
    play_on_postgres("monday-80x24", Way::ThroughPooler);
}

#[test]
fn the_job_is_run_by_hand_and_its_rows_are_told() {
    play_on_postgres("cron", Way::ThroughPooler);
}

#[test]
fn what_is_marked_is_what_was_shown() {
    play_on_postgres("lists", Way::Directly);
}

#[test]
fn what_is_marked_behind_a_pooler_is_what_was_shown() {
    play_on_postgres("lists", Way::ThroughPooler);
}

#[test]
fn what_is_seen_can_be_left_found_again_and_taken_along() {
    play_on_postgres("views", Way::ThroughPooler);
}

#[test]
fn a_batch_is_paused_and_given_up() {
    play_on_postgres("batch-paused", Way::ThroughPooler);
}

#[test]
fn a_window_may_shrink_under_a_dialog() {
    play_on_postgres("resized", Way::Directly);
}

#[test]
fn a_window_may_shrink_under_a_dialog_that_asks_through_a_pooler() {
    play_on_postgres("resized", Way::ThroughPooler);
}

#[test]
fn what_is_unknown_is_decided_by_who_has_looked() {
    play_on_postgres("unknown-happened", Way::ThroughPooler);
}

#[test]
fn what_did_not_happen_is_said_and_not_sent_again() {
    play_on_postgres("unknown-not-happened", Way::Directly);
}

#[test]
fn what_did_not_happen_behind_a_pooler_is_said_and_not_sent_again() {
    play_on_postgres("unknown-not-happened", Way::ThroughPooler);
}

#[test]
fn a_refund_that_meets_a_busy_stripe_is_made_once() {
    play_on_postgres("refund-429", Way::ThroughPooler);
}

#[test]
fn a_refund_is_taken_back_while_it_is_held() {
    play_on_postgres("refund-held", Way::Directly);
}

#[test]
fn a_refund_is_taken_back_through_a_pooler_while_it_is_held() {
    play_on_postgres("refund-held", Way::ThroughPooler);
}

#[test]
fn an_alert_comes_back_later() {
    play_on_postgres("alert-later", Way::ThroughPooler);
}

#[test]
fn events_that_did_not_arrive_are_sent_again_and_proven_there() {
    play_on_postgres("events", Way::Directly);
}

#[test]
fn events_that_did_not_arrive_are_sent_again_and_proven_through_a_pooler() {
    play_on_postgres("events", Way::ThroughPooler);
}
