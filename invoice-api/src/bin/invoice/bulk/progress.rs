//! How far a bulk run is, for whoever watches a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::context::Context;

/// A bar with rate and remaining time on standard error; nothing in a pipe.
pub(crate) fn bar(context: &Context, lines: u64, done: u64) -> ProgressBar {
    let target = if context.output.json {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr_with_hz(5)
    };
    let bar = ProgressBar::with_draw_target(Some(lines), target);
    let template = context.lang().of(
        "{bar:32} {pos}/{len}  {per_sec}  剩余 {eta}  {msg}",
        "{bar:32} {pos}/{len}  {per_sec}  {eta} left  {msg}",
    );
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_position(done);
    // What an earlier run did says nothing about the speed of this one.
    bar.reset_eta();
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
