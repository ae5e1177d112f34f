//! Who is told what, when, and only once: notes, channels, quiet hours, reminders, and everything that can go wrong with them.

mod delivering;
mod formats;
mod receiver;
mod reminding;
mod scene;
mod telling;
