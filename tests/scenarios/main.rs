//! Scenarios: the real binary, as processes, against the embedded GitLab with real git repositories.
//!
//! - `state`: one contract for the log, on CI variables and in a folder, races and lost answers included
//! - `story`: `trainyard demo` as a person runs it
//! - `sandbox`: `trainyard sandbox` as a process
//! - `refusals`: what each command refuses, and that nothing changes then
//! - `validation`: what counts as a verdict, which roles are asked, what people read
//! - `linking`: links from what people write to what they read: refusals and mends, policies, moved and confidential features
//! - `linking_races`: one closing merge request per feature, whoever is quicker
//! - `reports`: the log, the test summary, links and values: where people look, and that nothing hostile gets out of its place there
//! - `archive`: the beginning of the log leaves it, whoever writes, dies or meddles meanwhile, and what it costs
//! - `releases`: a version goes out: what people read, deaths and retries, refusals
//! - `repair`: the state deleted or garbled, and put right from what GitLab knows
//! - `deaths`: jobs die at every one of their requests, and what follows runs once for each state that is left
//! - `stage`: the world of one scenario, in the words the scenarios use
//! - `outcomes`: what came of change sets and trials, as the log tells it
//! - `batches`: several change sets in one trial, and the search for a bad one among them
//! - `cuts`: the logs of other scenarios, cut at every entry
//! - `controls`: people steer the queue: hold, force, withdraw, pause, freezes
//! - `progress`: the notes that are kept in place on merge requests and features
//! - `labels`: labels that show where things stand, and decide nothing
//! - `landing`: what a change set can meet on its way: conflicts, edits, a moved target, a run that dies
//! - `lease`: the right to the environment, when people meddle with it or GitLab does
//! - `meddling`: what people and machines do at the worst moment of a trial or a landing
//! - `outlook`: the queue as a person sees it: table, JSON, page
//! - `threads`: threads that are not resolved keep a change set from being tried and from landing, where anybody wants that
//! - `together`: what is done to members of a batch, or to its target, during the trial; what landed says, and its branches
//! - `tick`: the scheduled look at the queue
//! - `verdicts`: who says whether a trial passed, whom the verdict names, and what its authors are told
//! - `versions`: what is in a version, its number, and what it was frozen with
//! - `yard`: several projects with one gate
//! - `environments`: one project with several environments
//! - `warnings`: who is told what, when, and only once: notes, channels, quiet hours, reminders
//! - `what_if`: a history played again, as it was and otherwise
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod archive;
mod batches;
mod branches;
mod controls;
mod costs;
mod cuts;
mod deaths;
mod environments;
mod hotfix;
mod labels;
mod landing;
mod lease;
mod linking;
mod linking_races;
mod meddling;
mod outcomes;
mod outlook;
mod packages;
mod progress;
mod refusals;
mod releases;
mod repair;
mod reports;
mod sandbox;
mod stage;
mod state;
mod story;
mod threads;
mod tick;
mod together;
mod validation;
mod verdicts;
mod versions;
mod warnings;
mod what_if;
mod yard;
